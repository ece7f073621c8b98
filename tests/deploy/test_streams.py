"""Callers that are computed together get what each would get alone, whoever joins, leaves and speaks when."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from prune_rnn.deploy import running
from prune_rnn.deploy import streams as streams_module
from prune_rnn.deploy.file import to_bytes
from prune_rnn.deploy.network import Network, load
from prune_rnn.deploy.pack import pack
from prune_rnn.deploy.stream import GreedyStream, Stream, streamed_text
from prune_rnn.deploy.streams import Streams
from prune_rnn.engine.quantise import Dtype

BINS = 161
PIECES = st.lists(st.integers(0, 2500) | st.just(8000), max_size=5)
CALLERS = st.lists(st.tuples(st.integers(0, 4), PIECES), min_size=1, max_size=5)  # when each joins, what it says
RAGGED = [(0, [8000, 320, 700]), (0, [8000, 2000]), (1, [9000]), (1, [320, 9000, 0, 1])]


def made(network: Callable, dtype: Dtype = Dtype.float32, name: str = "gru_sparse") -> Network:
    model, kept = network(name)
    return Network(pack(model.state_dict(), kept, dtype, torch.zeros(BINS), torch.ones(BINS)), frames=1, streams=4)


def spoken(lengths: list[int], seed: int) -> list[Tensor]:
    """Noise, louder from caller to caller."""
    generator = torch.Generator().manual_seed(seed)
    return [(0.01 * 3**seed * torch.randn(length, generator=generator)).clamp(-1, 1) for length in lengths]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Callable[[GreedyStream], Tensor]:
    """Returns the log-probabilities that a stream decoded."""
    seen: dict[int, list[Tensor]] = {}
    feed = GreedyStream.feed

    def recorded(self: GreedyStream, log_probs: Tensor) -> str:
        seen.setdefault(id(self), []).append(log_probs)
        return feed(self, log_probs)

    monkeypatch.setattr(GreedyStream, "feed", recorded)
    return lambda text: torch.cat(seen.pop(id(text)))


@pytest.mark.parametrize(
    ("name", "dtype", "tolerance"),
    [
        ("gru_sparse", Dtype.float32, 1e-5),
        ("gru_sparse", Dtype.bfloat16, 1e-2),
        ("gru_sparse", Dtype.int8, 1e-2),
        ("lstm_sparse", Dtype.float32, 1e-5),
    ],
)
def test_each_caller_gets_what_it_gets_alone(
    network: Callable, heard: Callable, monkeypatch: pytest.MonkeyPatch, name: str, dtype: Dtype, tolerance: float
) -> None:
    """Sums of another order differ in their last bits; a value between two steps of a coarse type then rounds to
    the other one."""
    monkeypatch.setattr(running, "FIRST", 7)
    packed = made(network, dtype, name)

    @settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck), derandomize=True)
    @example(RAGGED)
    @given(CALLERS)
    def check(callers: list[tuple[int, list[int]]]) -> None:
        said = [spoken(pieces, seed) for seed, (_, pieces) in enumerate(callers)]
        streams, keys, kept = Streams(packed), {}, {}
        texts = [""] * len(callers)
        for moment in range(11):
            turn = {}
            for who, (joins, _) in enumerate(callers):
                if moment == joins:
                    keys[who] = streams.open()
                    kept[who] = streams._streams[keys[who]].text
                if 0 <= moment - joins < len(said[who]):
                    turn[keys[who]] = said[who][moment - joins]
            ends = {keys[who] for who, (joins, _) in enumerate(callers) if moment - joins == len(said[who])}
            for found in (streams.feed(turn), streams.finish(ends)):
                for who, key in keys.items():
                    texts[who] += found.get(key, "")
        assert len(streams) == 0
        for who, pieces in enumerate(said):
            alone = Stream(packed)
            text = "".join(alone.feed(piece) for piece in pieces) + alone.finish()
            together, wanted = heard(kept[who]), heard(alone.text)
            torch.testing.assert_close(together, wanted, atol=tolerance, rtol=0)
            assert texts[who] == text

    with torch.inference_mode():
        check()


def test_what_one_caller_says_does_not_reach_another(network: Callable) -> None:
    """Not even what is no sound, had it not been refused."""
    packed = made(network, Dtype.int8)
    (sound,) = spoken([24_000], 2)
    with torch.inference_mode():
        streams, alone = Streams(packed), Stream(packed)
        good, bad = streams.open(), streams.open()
        text = streams.feed_checked({bad: torch.full_like(sound, torch.nan), good: sound})[good]
        text += streams.finish([good])[good]
        assert text == alone.feed(sound) + alone.finish() != ""


def held(one: Stream) -> int:
    """Returns the bytes that a caller holds between two calls, those of arrays that it only views included."""
    memory, features = one.memory, one.features
    kept = (*memory.tails, *memory.states, memory.ahead.room, features._samples)
    whole = [one for one in (features._waiting, features._sums) if one is not None]
    assert all(array.base is None for array in whole)
    return sum(each.untyped_storage().nbytes() for each in kept if each is not None) + sum(a.nbytes for a in whole)


def test_a_call_makes_no_large_array_however_many_are_fed(
    network: Callable, heard: Callable, largest: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And each caller gets what it got when all were taken together, to rounding, as always."""
    packed, outcomes = made(network), []
    (sound,) = spoken([60 * 8000], 1)
    for limit in (1 << 40, 200_000):
        monkeypatch.setattr(streams_module, "AT_ONCE", limit)
        streams = Streams(packed)
        keys = [streams.open() for _ in range(60)]
        decoders = [streams._streams[key].text for key in keys]
        said = dict(zip(keys, sound.split(8000), strict=True))
        with torch.inference_mode(), largest() as seen:
            texts = [streams.feed_checked(said) for _ in range(3)] + [streams.finish(keys)]
        assert (seen.bytes <= 200_000) == (limit == 200_000)
        outcomes.append((texts, [heard(decoder) for decoder in decoders]))
    (texts, together), (others, apart) = outcomes
    assert texts == others
    torch.testing.assert_close(together, apart, atol=1e-5, rtol=0)


def test_what_a_caller_holds_does_not_grow_with_what_it_was_fed(network: Callable) -> None:
    """Views of the last samples, features and states held all of those that were fed with them."""
    packed = made(network)
    (sound,) = spoken([480_000], 1)
    with torch.inference_mode():
        at_once, in_pieces = Stream(packed), Stream(packed)
        at_once.feed(sound)
        for piece in sound.split(320):
            in_pieces.feed(piece)
    assert held(at_once) <= held(in_pieces) < 30_000


def test_a_caller_holds_no_memory_of_the_others(network: Callable) -> None:
    """Else one that falls silent would hold what all of them had when it last spoke."""
    packed = made(network)
    (sound,) = spoken([24_000], 0)
    with torch.inference_mode():
        streams, alone = Streams(packed), Stream(packed)
        keys = [streams.open() for _ in range(6)]
        for _ in range(2):
            streams.feed(dict.fromkeys(keys, sound))
            alone.feed(sound)

    assert held(streams._streams[keys[0]]) == held(alone) > 0


def test_no_caller_is_fed_where_one_is_wrong(network: Callable) -> None:
    streams = Streams(made(network))
    (sound,) = spoken([24_000], 1)
    with torch.inference_mode():
        good, gone, other = (streams.open() for _ in range(3))
        streams.finish([gone])
        assert len({good, gone, other, streams.open()}) == 4 and len(streams) == 3
        for samples, message in (
            ({good: sound, gone: sound}, "caller 1 is unknown or has left; `open` gives the key of a new one"),
            ({good: sound, 77: sound}, "caller 77 is unknown or has left"),
            ({good: sound, other: sound[None]}, r"samples of shape \(1, 24000\) for caller 2: give one channel"),
            ({good: sound, other: sound.short()}, r"samples of type int16 for caller 2: give float in \[-1, 1\]"),
            ({good: sound, other: torch.tensor([0.1, torch.nan])}, "samples that are not finite for caller 2: give"),
            ({good: sound, other: torch.tensor([2.1])}, r"a sample beyond 2 \(2.1\) for caller 2: give float"),
            ({good: sound, other: sound.to_sparse()}, "samples of layout sparse_coo for caller 2: give a dense"),
            ({good: sound, other: sound.to(torch.float8_e4m3fn)}, "samples of type float8_e4m3fn for caller 2: give"),
            ({good: sound, other: sound.to("meta")}, "samples for caller 2 that are no array of numbers"),
            ({good: sound, "0": sound}, "caller '0' is unknown or has left"),
            ({good: sound, other: "hello"}, "samples for caller 2 that are no array of numbers .*: give float"),
        ):
            with pytest.raises(ValueError, match=message):
                streams.feed(samples)
        with pytest.raises(ValueError, match="caller 1 is unknown or has left"):
            streams.finish([good, gone])
        with pytest.raises(ValueError, match=r"caller \[0\] is unknown"):
            streams.finish([good, [0]])  # type: ignore[list-item]
        alone = Stream(streams.network)
        assert streams.feed({good: sound}) == {good: alone.feed(sound)}
        assert streams.finish([good, good]) == {good: alone.finish()}
        assert streams.feed({}) == streams.finish([]) == {}


def test_samples_that_require_a_gradient_are_fed_without_it(network: Callable) -> None:
    packed = made(network)
    (sound,) = spoken([24_000], 1)
    streams, alone = Streams(packed), Stream(packed)
    good, other = streams.open(), streams.open()
    with torch.inference_mode():
        text = alone.feed(sound) + alone.finish()
    fed = streams.feed({good: sound, other: sound.clone().requires_grad_()})
    left = streams.finish([good, other])
    assert {key: fed[key] + left[key] for key in fed} == {good: text, other: text}


def test_a_packed_file_serves_callers_as_the_readme_says(network: Callable, tmp_path: Path) -> None:
    model, kept = network("gru_sparse")
    path = tmp_path / "model-float32.safetensors"
    path.write_bytes(to_bytes(pack(model.state_dict(), kept, Dtype.float32, torch.zeros(BINS), torch.ones(BINS))))
    (sound,) = spoken([24_000], 1)
    with torch.inference_mode():
        streams = Streams(load(str(path), frames=1, streams=16))
        caller = streams.open()
        text = streams.feed({caller: sound})[caller] + streams.finish([caller])[caller]
        assert text == streamed_text(load(path, frames=1), sound) != ""


def test_a_network_that_runs_both_ways_is_refused(network: Callable) -> None:
    with pytest.raises(ValueError, match="needs whole files"):
        Streams(made(network, name="rnn_sparse"))
