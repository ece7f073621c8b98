"""A cell stays itself on its way to another process."""

import pickle
import subprocess
import sys

import pytest

from prune_rnn.model.cells import Cells


@pytest.mark.parametrize("cell", Cells)
def test_a_pickled_cell_is_the_same_member_here_and_in_another_process(cell: Cells) -> None:
    assert pickle.loads(pickle.dumps(cell)) is cell
    code = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read()).name)"
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(cell), capture_output=True, check=True)
    assert done.stdout.decode().strip() == cell.name
