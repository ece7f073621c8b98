"""Times a training step with gradual pruning against one without, in turn, on real batches at scale=small.

Usage: python scripts/benchmark_pruning.py [--model gru_sparse_big] [--repeats 60] [--threads 2]

The same network takes each batch twice, once with the masker of `prune=gradual` in the middle of its schedule (so its
updates come as often as in training) and once without; the order alternates. Printed are medians and quartiles of the
steps, and of the ratio over as many steps as lie between two renewals of the masks.
"""

import argparse
import statistics
import time

import torch

from prune_rnn.config.config import compose_config
from prune_rnn.data.batch import batches, collate
from prune_rnn.data.loader import load
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.prune.masker import Masker
from prune_rnn.prune.schedule import Threshold
from prune_rnn.run.resolve import resolve
from prune_rnn.train.experiment import load_splits
from prune_rnn.train.loop import Trainer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="gru_sparse_big")
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    config, _ = resolve(compose_config([f"model={arguments.model}", "scale=small"]))
    model = DeepSpeech2(config.model)
    groups = batches(load_splits(config, model)["train"], config.train.batch_size)
    batch = collate(groups[len(groups) // 2])
    steps = config.train.steps_per_epoch or len(groups)
    masker = config.prune.masker(config.prune.weights(model), steps, gates=model.gates())
    device = torch.device("cpu")
    trainers = {
        name: Trainer(model, one, config.train, groups, load, seed=0, device=device)
        for name, one in (("gradual", masker), ("none", Masker({}, [])))
    }
    for trainer in trainers.values():
        trainer.step = 3 * steps  # pruning goes on from epoch 2 to 10
    curve = masker.rules[0].when
    assert isinstance(curve, Threshold)
    freq = curve.freq
    if arguments.repeats < 2 * freq:
        parser.error(f"--repeats: at least {2 * freq}, as masks are renewed every {freq} steps")
    seconds: dict[str, list[float]] = {name: [] for name in trainers}
    for repeat in range(arguments.repeats + 3):
        for name in sorted(trainers, reverse=repeat % 2 == 1):
            started = time.perf_counter()
            trainers[name].one_step(batch, 0)
            if repeat >= 3:  # the first ones warm up
                seconds[name].append(time.perf_counter() - started)
    print(
        f"{arguments.model}, scale small, {config.model.units} units, batch {config.train.batch_size}, masks renewed "
        f"every {freq} steps, {arguments.threads} threads, {arguments.repeats} steps each, in turn"
    )
    for name, spent in seconds.items():
        low, middle, high = statistics.quantiles(spent, n=4)
        print(f"{name:8} median {1e3 * middle:7.1f} ms   quartiles {1e3 * low:.1f} to {1e3 * high:.1f} ms")
    cycles = {name: [sum(spent[i : i + freq]) for i in range(0, len(spent), freq)] for name, spent in seconds.items()}
    ratios = [a / b for a, b in zip(cycles["gradual"], cycles["none"], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(
        f"cost of pruning: {100 * (middle - 1):+.2f} % (quartiles {100 * (low - 1):+.2f} to {100 * (high - 1):+.2f} %)"
    )


if __name__ == "__main__":
    main()
