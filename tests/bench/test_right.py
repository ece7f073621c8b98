"""An opponent that computes something else isn't timed."""

from collections.abc import Callable

import pytest
import torch

from prune_rnn.bench.opponents.base import Baseline
from prune_rnn.bench.right import TOLERANCE, error, reference, those_right
from prune_rnn.engine.quantise import Dtype
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation


def test_error_by_hand() -> None:
    wanted = torch.tensor([[1.0, -4.0], [2.0, 0.0]], dtype=torch.float64)
    assert error(wanted.float(), wanted) == 0
    assert error(torch.tensor([[1.0, -3.0], [2.5, 0.0]]), wanted) == 0.25
    assert error(torch.tensor([1.0, -4.0, 2.0, 1.0, 9.0, 9.0]), wanted) == 0.25  # a third step isn't compared
    assert error(torch.tensor([1.0, -4.0, 2.0, float("nan")]), wanted) != 0


@pytest.mark.parametrize("dtype", Dtype)
def test_who_lies_is_left_out_and_named(
    dtype: Dtype, product: Callable, layer: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    for job in (product(2), layer(Cells.gru.value, Activation.tanh, 2)):
        wanted = reference(job)
        off = torch.zeros_like(wanted)
        off.view(-1)[-1] = 1.1 * TOLERANCE[dtype] * wanted.abs().max()
        lies, nothing = wanted + off, torch.full_like(wanted, float("nan"))
        ways = [
            Baseline("right", dtype, lambda wanted=wanted, off=off: wanted + off / 2),
            Baseline("lies", dtype, lambda lies=lies: lies),
            Baseline("nothing", dtype, lambda nothing=nothing: nothing),
            Baseline("less", dtype, lambda lies=lies: lies, exact=False),
        ]
        assert [each.name for each in those_right(ways, job)] == ["right", "less"]
        first, second = capsys.readouterr().err.splitlines()
        assert first.startswith(f"prune-rnn: lies left out of the {job.workload} of") and "2 stream(s)" in first
        assert f"off by {1.1 * TOLERANCE[dtype]:.2g}" in first and "nothing left out" in second
