"""Times one training step of the GRU network at scale=small against the same network built on torch.nn.GRU.

Usage: python scripts/benchmark_recurrence.py [--units 160] [--repeats 30] [--threads 2]

nn.GRU cannot normalise its input product, so there the batch norm stands before it, on fewer values: the comparison
favours nn.GRU by that. Both networks take their steps in turn; printed are medians, quartiles and the ratio of medians.
"""

import argparse
import statistics
import time

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from prune_rnn.model.cells import Cells
from prune_rnn.model.deepspeech2 import DeepSpeech2, FrameNorm, ModelConfig
from prune_rnn.speech.features import BINS


class TorchGRU(nn.Module):
    """Stands in for `Recurrent`: batch norm of the input, then nn.GRU."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.norm, self.gru = FrameNorm(inputs), nn.GRU(inputs, units, bias=False)

    def forward(self, x: Tensor, batch_sizes: Tensor) -> Tensor:
        output: Tensor = self.gru(PackedSequence(self.norm(x), batch_sizes))[0].data
        return output


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=160)
    parser.add_argument("--channels", type=int, default=4)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument(
        "--frames", type=int, default=400, help="of the longest utterance; the others are 0 to 10 %% shorter"
    )
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    config = ModelConfig(
        name="gru",
        cell=Cells.gru,
        units=arguments.units,
        baseline_units=arguments.units,
        layers=3,
        conv_channels=arguments.channels,
    )
    ours, theirs = DeepSpeech2(config), DeepSpeech2(config)
    theirs.recurrent = nn.ModuleList(TorchGRU(r.input.in_features, arguments.units) for r in ours.recurrent)
    lengths = torch.linspace(arguments.frames, 0.9 * arguments.frames, arguments.batch).long()
    features = torch.randn(arguments.batch, BINS, arguments.frames)
    labels = torch.randint(1, 29, (arguments.batch, 60))
    label_lengths = torch.full((arguments.batch,), 60)

    def step(model: DeepSpeech2, optimizer: torch.optim.Optimizer) -> float:
        started = time.perf_counter()
        log_probs = model(features, lengths)
        nn.functional.ctc_loss(log_probs, labels, model.lengths(lengths), label_lengths).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 400.0)
        optimizer.step()
        optimizer.zero_grad()
        return time.perf_counter() - started

    runs = [(m, torch.optim.SGD(m.parameters(), 1e-4, 0.99, nesterov=True)) for m in (ours, theirs)]
    seconds: tuple[list[float], list[float]] = ([], [])
    for repeat in range(arguments.repeats + 3):
        for (model, optimizer), spent in zip(runs, seconds, strict=True):
            duration = step(model, optimizer)
            if repeat >= 3:  # the first ones warm up
                spent.append(duration)
    print(
        f"GRU network, {arguments.units} units, batch {arguments.batch}, {arguments.frames} frames, "
        f"{arguments.threads} threads, torch {torch.__version__}, {arguments.repeats} steps each, in turn"
    )
    for name, spent in zip(("prune_rnn", "nn.GRU"), seconds, strict=True):
        low, middle, high = statistics.quantiles(spent, n=4)
        print(f"{name:10} median {1e3 * middle:7.1f} ms   quartiles {1e3 * low:.1f} to {1e3 * high:.1f} ms")
    print(f"ratio of the medians, ours / theirs: {statistics.median(seconds[0]) / statistics.median(seconds[1]):.3f}")


if __name__ == "__main__":
    main()
