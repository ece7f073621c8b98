"""How much memory the calls of a packed network take."""

from collections.abc import Callable
from typing import Any

import pytest
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


class Largest(TorchDispatchMode):
    """Notes the bytes of the largest array that torch makes."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = function(*args, **(kwargs or {}))
        if isinstance(made, Tensor):
            self.bytes = max(self.bytes, made.untyped_storage().nbytes())
        return made


@pytest.fixture
def largest() -> Callable[[], Largest]:
    """Makes what notes, within a block, the bytes of the largest array."""
    return Largest
