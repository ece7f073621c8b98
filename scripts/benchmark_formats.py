"""Times every format of the engine on one matrix: what there is to choose from.

python scripts/benchmark_formats.py --units 2560 --density 0.05 --streams 1 16
"""

import argparse
import statistics
from functools import partial

import torch

from prune_rnn.bench.matrices import masked
from prune_rnn.engine.compiled import Matrix, formats, instruction_sets
from prune_rnn.engine.quantise import Dtype, quantise
from prune_rnn.engine.timing import in_turn
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--units", type=int, default=2560)
parser.add_argument("--density", type=float, nargs="+", default=[0.05, 0.2, 1.0])
parser.add_argument("--streams", type=int, nargs="+", default=[1, 4, 16, 64])
parser.add_argument("--blocks", action="store_true", help="masks of 16 x 1 blocks")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--sets", nargs="+", choices=[each.name for each in instruction_sets()])
options = parser.parse_args()

STEPS = 8
threads = torch.get_num_threads()
sets = [each for each in instruction_sets() if each.name in (options.sets or instruction_sets()[0].name)]
print(f"GRU of {options.units} units, {threads} threads: microseconds a step (cycles a vector at 3.5 GHz)")
for density in options.density:
    generator = torch.Generator().manual_seed(0)
    weight = masked(3 * options.units, options.units, 1 - density, options.blocks, generator)
    for dtype in Dtype:
        for streams in options.streams:
            matrices = [
                Matrix(quantise(weight, dtype), form, gates=3, streams=streams, instruction_set=each)
                for each in sets
                for form in formats(dtype, each)
            ]
            inputs = torch.randn(STEPS, streams, 3 * options.units, generator=generator)
            work = [partial(m.layer, Cells.gru.value, Activation.clipped_relu, inputs) for m in matrices]
            cells = []
            for matrix, seconds in zip(matrices, in_turn(work, options.rounds, 0.02, 0.01), strict=True):
                each = 1e6 * statistics.median(seconds) / STEPS
                cycles = each * 3500 * matrix.threads / max(1, matrix.vectors)
                cells.append(f"{matrix.instruction_set.name} {matrix.format.name} {each:.1f} ({cycles:.1f})")
            print(f"density {density:g}, {dtype.value}, {streams} streams: " + ", ".join(cells), flush=True)
