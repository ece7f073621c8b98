"""What is allowed for one product of TF32 is not left allowed; that all are right is tested in test_base.py."""

import pytest
import torch

from prune_rnn.bench.opponents.cuda import _with_tf32


def allowed() -> tuple[bool, bool]:
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize("own", [True, False])
def test_tf32_holds_for_the_call_alone(own: bool) -> None:
    before = allowed()
    assert _with_tf32(own, allowed)() == (own, own)
    assert allowed() == before


def test_tf32_is_as_before_after_an_error() -> None:
    before = allowed()
    with pytest.raises(ZeroDivisionError):
        _with_tf32(not before[0], lambda: 1 // 0)()
    assert allowed() == before
