"""Checks this project on a CUDA device, in five stages, in about 8 minutes and without a network. Run it first.

python scripts/check_cuda.py                  # all stages, in order of worth; results in results/cuda
python scripts/check_cuda.py --stages 1 3     # some of them
python scripts/check_cuda.py --dry-run        # a rehearsal without a GPU: tiny sizes, Triton's interpreter
"""

import argparse
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a bare machine may have the checkout only

from prune_rnn.device import needs, run, stage


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/cuda"), help="folder of the results")
    parser.add_argument("--dry-run", action="store_true", help="on the CPU, with tiny sizes")
    numbers = [each.number for each in run.STAGES]
    parser.add_argument("--stages", type=int, nargs="+", choices=numbers, default=numbers, metavar="N")
    given = parser.parse_args()
    for line in needs.missing():
        print(line)
    if given.dry_run:
        print(f"{stage.DRY}.")
    else:
        import torch

        if not torch.cuda.is_available():
            print("no CUDA device: torch finds none here; give --dry-run to rehearse without one", file=sys.stderr)
            return 2
    chosen = [each for each in run.STAGES if each.number in given.stages]
    machine = needs.machine(given.dry_run)
    return 0 if run.run(chosen, given.out, given.dry_run, machine, partial(print, flush=True)) else 1


if __name__ == "__main__":
    sys.exit(main())
