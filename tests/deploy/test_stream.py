"""Piece by piece gives what the whole gives."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from prune_rnn.deploy import advance as advancing
from prune_rnn.deploy.advance import Memory, advance, log_probs
from prune_rnn.deploy.network import Network
from prune_rnn.deploy.pack import pack
from prune_rnn.deploy.stream import GreedyStream, Stream, checked
from prune_rnn.engine.quantise import Dtype
from prune_rnn.speech.text import greedy

BINS = 161


def made(network: Callable, name: str = "gru_sparse") -> Network:
    model, kept = network(name)
    return Network(pack(model.state_dict(), kept, Dtype.float32, torch.zeros(BINS), torch.ones(BINS)), frames=1)


@pytest.mark.parametrize("piece", [1, 2, 3, 17, 200])
@pytest.mark.parametrize("frames", [1, 6, 7, 12, 95])
@pytest.mark.parametrize("name", ["gru_sparse", "lstm_sparse"])
def test_outputs_are_those_of_the_whole(network: Callable, name: str, frames: int, piece: int) -> None:
    packed = made(network, name)
    features = torch.randn(BINS, frames, generator=torch.Generator().manual_seed(frames))
    with torch.inference_mode():
        memories = [Memory(packed)]
        parts = [advance(packed, memories, [part], last=False)[0] for part in features.split(piece, dim=1)]
        found = torch.cat([*parts, *advance(packed, memories, [torch.zeros(BINS, 0)], last=True)])
        torch.testing.assert_close(found, log_probs(packed, features), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("frames", [9, 20, 21, 22, 95])
@pytest.mark.parametrize("name", ["gru_sparse", "rnn_sparse"])
def test_a_long_recording_in_pieces_gives_what_the_whole_gives(
    network: Callable, name: str, frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = made(network, name)
    features = torch.randn(BINS, frames, generator=torch.Generator().manual_seed(frames))
    with torch.inference_mode():
        whole = log_probs(packed, features)
        monkeypatch.setattr(advancing, "LONG", 10)
        torch.testing.assert_close(log_probs(packed, features), whole, atol=1e-4, rtol=1e-4)


def test_an_output_waits_for_its_look_ahead_and_no_longer(network: Callable) -> None:
    """The convolutions see 5 and 2 * 5 feature frames ahead, the row convolution 6 outputs of 2: 27 in all. The first
    output is there with the 28th frame, the next with the 30th."""
    packed = made(network)
    memories = [Memory(packed)]
    with torch.inference_mode():
        counts = [len(advance(packed, memories, [torch.randn(BINS, 1)], last=False)[0]) for _ in range(30)]
    assert counts == [0] * 27 + [1, 0, 1]


def test_a_network_that_runs_both_ways_is_refused(network: Callable) -> None:
    with pytest.raises(ValueError, match=r"needs whole files, as .* takes them: it can't be streamed"):
        Stream(made(network, "rnn_sparse"))


@pytest.mark.parametrize("piece", [1, 2, 5])
def test_text_is_that_of_the_whole(piece: int) -> None:
    log_probs = torch.randn(40, 29, generator=torch.Generator().manual_seed(3))
    log_probs[:, :3] += 2  # blanks, repeats and spaces
    stream = GreedyStream()
    assert "".join(stream.feed(part) for part in log_probs.split(piece)) == greedy(log_probs)


def test_samples_become_text_whatever_the_pieces(network: Callable) -> None:
    packed = made(network)
    samples = torch.randn(32_000, generator=torch.Generator().manual_seed(0)) * 0.1
    texts = set()
    with torch.inference_mode():
        for piece in (160, 1000, 16_000):
            whole = Stream(packed)
            texts.add("".join(whole.feed(part) for part in samples.split(piece)) + whole.finish())
    assert len(texts) == 1


def test_samples_may_be_an_array_a_list_or_a_tensor(network: Callable) -> None:
    packed = made(network)
    samples = torch.randn(24_000, generator=torch.Generator().manual_seed(0)) * 0.1
    packet = np.frombuffer(samples.numpy().tobytes(), np.float32)  # not to be written to
    kinds = [samples, samples.numpy(), samples.numpy().astype(np.float64), samples.tolist(), samples.double(), packet]
    with torch.inference_mode():
        streams = [Stream(packed) for _ in kinds]
        texts = [stream.feed(each) + stream.finish() for stream, each in zip(streams, kinds, strict=True)]
    assert len(set(texts)) == 1 and texts[0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros(320, np.int16), r"samples of type int16: give float in \[-1, 1\], as soundfile.read"),
        ([[0.0] * 320], r"samples of shape \(1, 320\): give one channel"),
        (torch.tensor([0.1, torch.nan]), "samples that are not finite: give float"),
        (torch.tensor([0.1, -torch.inf]), "samples that are not finite: give float"),
        ([0.5, -2.5], r"a sample beyond 2 \(2.5\): give float"),
        (["a"], "samples that are no array of numbers"),
    ],
)
def test_what_is_no_sound_is_refused_and_nothing_was_fed(network: Callable, wrong: object, message: str) -> None:
    stream, other = Stream(made(network)), Stream(made(network))
    sound = torch.randn(24_000, generator=torch.Generator().manual_seed(1)) * 0.1
    with torch.inference_mode():
        with pytest.raises(ValueError, match=message):
            stream.feed(wrong)  # type: ignore[arg-type]
        assert stream.feed(sound) + stream.finish() == other.feed(sound) + other.finish() != ""


def test_what_was_resampled_may_pass_1_a_little() -> None:
    assert checked([1.05, -2.0]).tolist() == pytest.approx([1.05, -2.0]) and checked([]).shape == (0,)
