"""Checks this project on a CUDA device, in five stages, in about 8 minutes and without a network. Run it first.

python scripts/check_cuda.py                  # all stages, in order of worth; results in results/cuda
python scripts/check_cuda.py --stages 1 3     # some of them
python scripts/check_cuda.py --dry-run        # a rehearsal without a GPU: tiny sizes, Triton's interpreter

Ends with 1 where a stage failed or was stopped at its budget, with 2 where none could run.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a bare machine may have the checkout only

from prune_rnn.device import needs  # imports none of what may be missing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/cuda"), help="folder of the results")
    parser.add_argument("--dry-run", action="store_true", help="on the CPU, with tiny sizes")
    parser.add_argument("--stages", type=int, nargs="+", choices=range(1, 6), default=range(1, 6), metavar="N")
    given = parser.parse_args()
    for line in needs.missing():
        print(line)
    if needs.lacks_core():
        return 2
    if not given.dry_run and not needs.has_device():
        print("no CUDA device: torch finds none here; give --dry-run to rehearse without one", file=sys.stderr)
        return 2
    from prune_rnn.device.run import STAGES, run
    from prune_rnn.device.stage import DRY

    machine = needs.machine(given.dry_run)
    marked = f"{DRY}.\n" if given.dry_run else ""
    print(f"{marked}on: {', '.join(f'{name} {value}' for name, value in machine.items())}; results in {given.out}")
    chosen = [each for each in STAGES if each.number in given.stages]
    return 0 if run(chosen, given.out, given.dry_run, machine, partial(print, flush=True)) else 1


if __name__ == "__main__":
    sys.exit(main())
