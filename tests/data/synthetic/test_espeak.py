"""The voices exist, differ and speak at natural length; the resampler is exact on tones."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import espeakng_loader
import numpy as np
import pytest

from prune_rnn.data.synthetic import espeak

VOICES = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
SENTENCE = "please call stella and ask her to bring these things"


def test_there_are_voices_enough_and_none_is_named_twice() -> None:
    assert len(set(espeak.ACCENTS)) == len(espeak.ACCENTS) == 8
    assert len(set(espeak.VARIANTS)) == len(espeak.VARIANTS) == 44


def test_no_voice_whispers_or_echoes_and_known_doubles_are_left_out() -> None:
    settings = {name: (VOICES / name).read_text(encoding="utf-8") for name in espeak.VARIANTS}
    assert not [name for name, text in settings.items() if re.search(r"(?m)^echo +[1-9]", text)]
    assert not [name for name, text in settings.items() if re.search(r"(?m)^voicing +0 *$", text)]

    def formants(name: str) -> list[str]:
        """The frequencies of the first four, in percent of the usual."""
        return re.findall(r"(?m)^formant +[1-4] +(\d+)", (VOICES / name).read_text(encoding="utf-8"))

    for one, other in (("rob", "robert"), ("Nguyen", "m8"), ("aunty", "f4")):
        assert formants(one) == formants(other) and one in espeak.VARIANTS and other not in espeak.VARIANTS


@pytest.mark.parametrize("accent", espeak.ACCENTS)
def test_every_accent_speaks(accent: str) -> None:
    check_speech(espeak.speak(SENTENCE, accent, "m1", 140, 50))


@pytest.mark.parametrize("variant", espeak.VARIANTS)
def test_every_variant_speaks(variant: str) -> None:
    check_speech(espeak.speak(SENTENCE, "en-us", variant, 140, 50))


def check_speech(samples: np.ndarray) -> None:
    """52 characters at 12 to 18 a second last 2.9 to 4.3 seconds."""
    assert samples.dtype == np.float32 and samples.ndim == 1
    assert 2.9 < len(samples) / 16_000 < 4.3
    assert 0.1 < np.abs(samples).max() < 1.0
    assert samples.std() > 0.01 and abs(samples.mean()) < 0.25 * samples.std()


def test_voices_rates_and_pitches_change_what_is_heard() -> None:
    base = espeak.speak(SENTENCE, "en-us", "m1", 140, 50)
    others = [
        espeak.speak(SENTENCE, "en-gb-scotland", "m1", 140, 50),
        espeak.speak(SENTENCE, "en-us", "f1", 140, 50),
        espeak.speak(SENTENCE, "en-us", "m1", 140, 70),
    ]
    assert all(len(other) != len(base) or np.abs(other - base).max() > 0.01 for other in others)
    assert len(espeak.speak(SENTENCE, "en-us", "m1", 200, 50)) < 0.85 * len(base)


def test_fresh_processes_say_the_same_at_different_times() -> None:
    """espeak seeds the noise of breathy variants from the clock, in seconds, unless it gets a seed."""
    code = f"""if True:
        import hashlib
        from prune_rnn.data.synthetic import espeak
        for variant in espeak.VARIANTS:
            samples = espeak.speak({SENTENCE!r}, "en-gb-x-rp", variant, 140, 50)
            print(variant, hashlib.sha256(samples.tobytes()).hexdigest())
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(os.path.abspath(place) for place in sys.path)}
    printed = []
    for _ in range(2):
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        printed.append(run.stdout.splitlines())
        time.sleep(0.5)
    assert printed[0] == printed[1] and len(printed[0]) == 44


def test_ends_are_cut_to_the_speech() -> None:
    samples = np.abs(espeak.speak(SENTENCE, "en-us", "m1", 140, 50))
    assert samples[:160].max() > 0.0005 and samples[-160:].max() > 0.0005


def test_saying_nothing_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="espeak said nothing for ' '"):
        espeak.speak(" ", "en-us", "m1", 140, 50)


def test_missing_voices_are_named(tmp_path: Path) -> None:
    espeak.check_voices(Path(espeakng_loader.get_data_path()))
    (tmp_path / "lang" / "gmw").mkdir(parents=True)
    (tmp_path / "voices" / "!v").mkdir(parents=True)
    (tmp_path / "lang" / "gmw" / "en-US").write_text("name x\nlanguage en-us 2\n")
    for name in set(espeak.VARIANTS) - {"f1"}:
        (tmp_path / "voices" / "!v" / name).touch()
    with pytest.raises(ValueError, match=r"lacks the voices en, en-029, .*en-us-nyc, f1; reinstall"):
        espeak.check_voices(tmp_path)


def test_resampling_keeps_a_low_tone_and_drops_a_high_one() -> None:
    seconds = np.arange(22_050) / 22_050
    window = np.hanning(22_050)
    low = espeak.resample((window * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32), 22_050, 16_000)
    high = espeak.resample((window * np.sin(2 * np.pi * 9_000 * seconds)).astype(np.float32), 22_050, 16_000)
    assert len(low) == 16_000
    new = np.arange(16_000) / 16_000
    wanted = np.interp(new, seconds, window) * np.sin(2 * np.pi * 440 * new)
    assert np.abs(low - wanted).max() < 1e-4
    assert np.abs(high).max() < 1e-4


def test_resampling_a_long_signal_is_that_of_any_length() -> None:
    """The transform is made longer, to an easy length; what comes back is the same tone and no echo of its end."""
    seconds = np.arange(441 * 97) / 22_050  # 97 blocks and one, made 100
    tone = np.hanning(441 * 97) * np.sin(2 * np.pi * 440 * seconds)
    new = np.arange(320 * 97) / 16_000
    wanted = np.interp(new, seconds, np.hanning(441 * 97)) * np.sin(2 * np.pi * 440 * new)
    assert np.abs(espeak.resample(tone.astype(np.float32), 22_050, 16_000) - wanted).max() < 1e-4


@pytest.mark.parametrize("least", [1, 2, 7, 97, 1001, 58_321, 2**20 + 1])
def test_an_easy_length_is_the_next_product_of_twos_threes_and_fives(least: int) -> None:
    def easy(number: int) -> bool:
        for prime in (2, 3, 5):
            while number % prime == 0:
                number //= prime
        return number == 1

    found = espeak.easy_length(least)
    assert easy(found) and not any(easy(number) for number in range(least, found))


@pytest.mark.parametrize(("old", "new"), [(441, 320), (442, 321), (1, 1), (44_100, 32_000)])
def test_resampled_length_is_rounded_up(old: int, new: int) -> None:
    assert len(espeak.resample(np.zeros(old, np.float32), 22_050, 16_000)) == new
