"""The settings of the synthetic corpus, those that change its bytes and the others."""

import hashlib
import json
import math
import os
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path

from prune_rnn.config.option import is_identity, option
from prune_rnn.data.base import SPLITS, Data, Say
from prune_rnn.data.synthetic.ranges import Ranges
from prune_rnn.typed import Plain
from prune_rnn.usage import UsageError, within

GENERATOR = 2  # raise it with any change to what these modules make that changes a byte of the corpus
_WORKERS = 1024
_RATES, _PITCHES = (80, 450), (0, 100)  # what espeak takes


@dataclass(kw_only=True, slots=True)
class Synthetic(Data):
    """Sentences spoken by espeak-ng in many voices, with noise; made on first use."""

    name: str = option("its name; not to be set: give data=synthetic", "synthetic")
    train_hours: float = option("hours of speech to train on")
    dev_hours: float = option("hours of speech to choose the best epoch by")
    test_hours: float = option("hours of speech to measure the error rates on")
    seed: int = option("of the corpus, not of the training", 0)
    snr_low: float = option("least ratio of speech to noise, dB", 5.0)
    snr_high: float = option("greatest ratio of speech to noise, dB", 25.0)
    rate_low: int = option("slowest speech, words per minute (12 characters a second)", 115)
    rate_high: int = option("fastest speech, words per minute (18 characters a second)", 160)
    pitch_low: int = option("lowest pitch, 0 to 100; 50 is the voice's own", 30)
    pitch_high: int = option("highest pitch, 0 to 100", 70)
    workers: int | None = option("processes that make speech; null: one per core", None, identity=False)
    cache: str | None = option("folder of all corpora; null: the user's cache folder", None, identity=False, path=True)

    def check(self) -> None:
        """Raises ValueError that names the key unless a corpus can be made from the settings."""
        for split in SPLITS:
            if not 0 < (hours := self.hours(split)) < math.inf:
                raise ValueError(f"data.{split}_hours={hours}: must be above 0 and finite; give hours, such as 0.1")
        for key in ("snr_low", "snr_high"):
            if not -math.inf < getattr(self, key) < math.inf:
                raise ValueError(f"data.{key}={getattr(self, key)}: must be a finite number of dB; give one")
        for key, least, most in (
            ("rate_low", *_RATES), ("rate_high", *_RATES), ("pitch_low", *_PITCHES), ("pitch_high", *_PITCHES),
            ("seed", 0, math.inf), ("workers", 1, _WORKERS),
        ):  # fmt: skip
            within(f"data.{key}", getattr(self, key), least, most)
        for name in ("snr", "rate", "pitch"):
            low, high = getattr(self, f"{name}_low"), getattr(self, f"{name}_high")
            if low > high:
                raise ValueError(f"data.{name}_low={low}: lies above data.{name}_high={high}; swap the two")

    def content(self) -> Plain:
        """Returns the corpus's digest, which takes in the versions that make it."""
        return {"corpus": digest(self)}

    def manifests(self, say: Say) -> dict[str, Path]:
        """Returns the manifests of the corpus; makes it where it does not exist yet, one process alone."""
        from prune_rnn.data.synthetic.corpus import prepare  # here: most commands need no speech

        self.check()
        return prepare(self, cache_folder(self) / f"synthetic-{digest(self)}", say)

    def hours(self, split: str) -> float:
        """Returns the hours of a split."""
        hours: float = getattr(self, f"{split}_hours")
        return hours

    def ranges(self) -> Ranges:
        """Returns what each utterance is drawn from."""
        return Ranges(**{field.name: getattr(self, field.name) for field in fields(Ranges)})

    def describe(self) -> str:
        return f"{self.train_hours:g} h of synthetic speech"

    @classmethod
    def recorded_dev(cls, kept: Plain, manifest: str | None, cache: str | None, say: Say) -> Path:
        """Returns the dev manifest of the same settings, made where it does not exist; warns where versions differ."""
        if manifest is not None:
            raise UsageError(f"--dev {manifest}: the run's dev split is synthetic; leave it out")
        return cls._recorded(kept, cache, say)["dev"]

    @classmethod
    def recorded_train(cls, kept: Plain, cache: str | None, say: Say) -> Path | None:
        return cls._recorded(kept, cache, say)["train"]

    @classmethod
    def sample(cls, folder: Path) -> list[str]:
        """Returns overrides for an utterance a split."""
        return ["data=synthetic", f"data.cache={folder}", *(f"data.{split}_hours=0.0003" for split in SPLITS)]

    @classmethod
    def _recorded(cls, kept: Plain, cache: str | None, say: Say) -> dict[str, Path]:
        known = {field.name for field in fields(cls)}
        settings = cls(**{key: value for key, value in kept.items() if key in known}, cache=cache)
        if digest(settings) != kept["corpus"]:
            say("the synthetic speech is not made by the same versions as the run's: the dev split differs")
        return settings.manifests(say)


def digest(config: Synthetic) -> str:
    """Returns a digest, 16 hex digits, of everything that the corpus's bytes depend on."""
    settings: Plain = {key: version(key) for key in ("espeakng-loader", "Faker", "num2words")}
    settings["generator"] = GENERATOR
    for key in fields(config):
        value = getattr(config, key.name)
        if is_identity(key, value) and key.name not in ("name", "front_end"):
            settings[key.name] = float(value) if key.type is float else int(value)  # 1 and 1.0 are the same hours
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def cache_folder(config: Synthetic) -> Path:
    """Returns the absolute path of the folder of all corpora."""
    if config.cache is not None:
        return Path(config.cache).expanduser().absolute()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache").absolute() / "prune-rnn"
