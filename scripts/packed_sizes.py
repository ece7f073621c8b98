"""Packs every finished run in every type, and writes how big the files are and how well they still decode.

    python scripts/packed_sizes.py            # of results/runs, into results/tables/packed.md
    python scripts/packed_sizes.py RESULTS

The run folders need their model.pt; the files themselves go to a temporary folder. CER is of the dev split.
"""

import sys
import tempfile
from pathlib import Path

from tabulate import tabulate

from prune_rnn import paths
from prune_rnn.deploy.export import ExportOptions, export
from prune_rnn.engine.quantise import Dtype
from prune_rnn.files import write_atomically
from prune_rnn.run.store import all_runs

results = Path(sys.argv[1] if len(sys.argv) > 1 else "results")
rows = []
with tempfile.TemporaryDirectory() as folder:
    for run in all_runs(results):
        if not (run.finished and (run.folder / paths.MODEL).is_file()):
            continue
        for dtype in Dtype:
            made = export(run.folder, ExportOptions(dtype=dtype, out=f"{folder}/{dtype.value}.safetensors"))
            rows.append(
                {
                    "Run": run.folder.name,
                    "Sparsity %": f"{100 * run.result().sparsity:.1f}",
                    "Weights": dtype.value,
                    "Bytes": f"{made.bytes:,}",
                    "Dense float32": f"{made.dense_bytes:,}",
                    "Smaller by": f"{made.dense_bytes / made.bytes:.1f}",
                    "Same text": f"{made.same} of {made.utterances}",
                    "CER %": f"{100 * made.cer:.2f}",
                    "Checkpoint's CER %": f"{100 * made.source_cer:.2f}",
                    "Change %": f"{100 * (made.cer / made.source_cer - 1):+.2f}",
                }
            )
caption = (
    "Packed files of the runs (their names begin with the model's; scale=small unless said otherwise), by "
    "`python scripts/packed_sizes.py`. Dense float32: bytes of all parameters. CER: of the dev split, whole files; "
    "change is relative."
)
table = tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True)
write_atomically(paths.tables(results) / "packed.md", f"{caption}\n\n{table}\n".encode())
print(table)
