"""ONNX Runtime's ways are all there; that they are right is tested in test_base.py."""

from collections.abc import Callable

import pytest
import torch

from prune_rnn import cpu
from prune_rnn.bench.job import Product
from prune_rnn.bench.opponents.onnx import Onnx
from prune_rnn.engine.quantise import Dtype
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation

pytestmark = pytest.mark.skipif(bool(Onnx().missing()), reason="onnx and onnxruntime are in the extra `bench`")


def test_both_types_are_there(product: Callable, layer: Callable) -> None:
    names = {"onnxruntime float32", "onnxruntime int8"}
    assert {each.name for each in Onnx().products(product(1))} == names
    for cell in (each.value for each in Cells):
        found = {each.name for each in Onnx().layers(layer(cell, Activation.tanh, 1))}
        assert found == names | {f"onnxruntime {cell.name.upper()} float32 (no inputs)"}


@pytest.mark.parametrize("vnni", [True, False])
@pytest.mark.parametrize("streams", [1, 3])
def test_signed_and_unsigned_weights_give_the_same(
    vnni: bool, streams: int, product: Callable, reference: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever the processor needs; unsigned ones are right everywhere."""
    if vnni and not cpu.sums_byte_products():
        pytest.skip("this processor overflows")
    monkeypatch.setattr(cpu, "sums_byte_products", lambda: vnni)
    job = product(streams)
    for each in Onnx().products(job):
        error = (torch.as_tensor(each.run()).double() - reference(job)).abs().max() / reference(job).abs().max()
        assert error <= (1e-5 if each.dtype is Dtype.float32 else 0.02), each.name


def test_a_zero_matrix_gives_zeros() -> None:
    """Its int8 scale would be zero."""
    for each in Onnx().products(Product(weight=torch.zeros(16, 16), x=torch.ones(1, 16))):
        assert not each.run().any(), each.name
