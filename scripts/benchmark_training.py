"""Times training steps of checkouts of this project against each other, in turn, each in processes of its own.

Usage: python scripts/benchmark_training.py [--units 160] [--cell gru] [--rounds 5] CHECKOUT[:bfloat16] ...

A step is forward, CTC, backward, clipping and update, on 12 utterances of 3.6 to 4 s, without reading audio; denormals
are flushed. Printed are medians over all rounds, seconds of audio per second, and the ratio to the first checkout.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

STEPS = """
import sys, time, torch
try:
    from prune_rnn.model.cells import Cells
except ImportError:  # an older checkout
    from prune_rnn.model.deepspeech2 import Cell as Cells
from prune_rnn.model.deepspeech2 import DeepSpeech2, ModelConfig
units, cell, channels, threads, bfloat16, steps = eval(sys.argv[1])
torch.set_num_threads(threads)
torch.set_flush_denormal(True)
torch.manual_seed(0)
config = ModelConfig(name="", cell=Cells[cell], units=units, baseline_units=units, layers=3 if cell == "gru" else 7,
                     conv_channels=channels)
model = DeepSpeech2(config)
optimizer = torch.optim.SGD(model.parameters(), 1e-4, 0.9, nesterov=True)
lengths = torch.linspace(400, 360, 12).long()
features, labels = torch.randn(12, 161, 400), torch.randint(1, 29, (12, 50))
for step in range(steps + 3):
    start = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        log_probs = model(features, lengths)
    torch.nn.functional.ctc_loss(log_probs, labels, model.lengths(lengths), torch.full((12,), 50)).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 400.0)
    optimizer.step()
    optimizer.zero_grad()
    if step >= 3:
        print(time.perf_counter() - start)
"""
AUDIO = sum(400 - 40 * i / 11 for i in range(12)) / 100  # seconds a step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="+")
    parser.add_argument("--units", type=int, default=160)
    parser.add_argument("--cell", choices=["gru", "rnn"], default="gru")
    parser.add_argument("--channels", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=8, help="a round")
    given = parser.parse_args()
    spent: dict[str, list[float]] = {checkout: [] for checkout in given.checkouts}
    for _ in range(given.rounds):
        for checkout, seconds in spent.items():
            folder, _, precision = checkout.partition(":")
            network = given.units, given.cell, given.channels
            settings = *network, given.threads, precision == "bfloat16", given.steps
            done = subprocess.run(
                [sys.executable, "-c", STEPS, repr(settings)],
                env={**os.environ, "PYTHONPATH": str(Path(folder).resolve())}, cwd=folder,
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            seconds += map(float, done.stdout.split())
    print(
        f"{given.cell} {given.units} units, {given.channels} channels, {given.threads} threads, {given.rounds} rounds"
    )
    first = statistics.median(spent[given.checkouts[0]])
    for checkout, seconds in spent.items():
        low, middle, high = (1e3 * quartile for quartile in statistics.quantiles(seconds, n=4))
        rate = 1e3 * AUDIO / middle
        ratio = 1e3 * first / middle
        print(
            f"{checkout:40} {middle:7.1f} ms ({low:.1f} to {high:.1f}), {rate:6.1f} s of audio per second, {ratio:.2f}"
        )


if __name__ == "__main__":
    main()
