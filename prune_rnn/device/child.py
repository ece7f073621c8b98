"""The process of one stage: every row is in a file before the next is begun, whatever becomes of the process.

A stage runs in a process of its own, so that an error on the device spoils no other stage.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from prune_rnn.device.stage import MARK
from prune_rnn.files import write_atomically
from prune_rnn.typed import Plain


def work(rows: str, file: Path, dry: bool) -> None:
    """Runs the stage whose function is `rows` ("module:function"); writes its rows to the file, a JSON list."""
    module, _, function = rows.partition(":")
    done: list[Plain] = []
    for row in getattr(importlib.import_module(module), function)(dry, file.parent):
        row = {**MARK, **row} if dry else row
        done.append(row)
        write_atomically(file, json.dumps(done).encode())
        print(row, flush=True)  # to the log


if __name__ == "__main__":
    work(sys.argv[1], Path(sys.argv[2]), sys.argv[3] == "dry")
