"""ONNX Runtime's ways are all there; that they are right is tested in test_base.py."""

from collections.abc import Callable

import pytest
import torch

from prune_rnn.bench.job import Product
from prune_rnn.bench.opponents.onnx import Onnx
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation

pytestmark = pytest.mark.skipif(bool(Onnx().missing()), reason="onnx and onnxruntime are in the extra `bench`")


def test_both_types_are_there(product: Callable, layer: Callable) -> None:
    names = {"onnxruntime float32", "onnxruntime int8"}
    assert {each.name for each in Onnx().products(product(1))} == names
    found = {each.name for each in Onnx().layers(layer(Cells.gru.value, Activation.tanh, 1))}
    assert found == names | {"onnxruntime GRU float32 (no inputs)"}


def test_a_zero_matrix_gives_zeros() -> None:
    """Its int8 scale would be zero."""
    for each in Onnx().products(Product(weight=torch.zeros(16, 16), x=torch.ones(1, 16))):
        assert not each.run().any(), each.name
