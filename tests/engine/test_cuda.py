"""The CUDA kernels do what they should in triton's interpreter, compile for real devices, and agree there with both.

Layers and products are tested with all others in test_contract.py.
"""

import importlib.util
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from prune_rnn import cuda as shared
from prune_rnn.bench.job import Layer, Product
from prune_rnn.bench.opponents.cuda import Cuda
from prune_rnn.engine import cuda, cuda_kernels
from prune_rnn.engine.cuda import CudaMatrix
from prune_rnn.engine.quantise import Dtype, Weight, quantise
from prune_rnn.model.cell import Cell
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
interpreter = pytest.mark.skipif(not INTERPRETED, reason="run by test_kernels_keep_the_contract_in_the_interpreter")
needs_device = pytest.mark.skipif(not torch.cuda.is_available() or INTERPRETED, reason="no CUDA device")
RNN = Cells.rnn.value
UNITS = 11  # no multiple of any block


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def matrix(rows: int, columns: int, dtype: Dtype = Dtype.float32, density: float = 0.3) -> Weight:
    """A random matrix with an empty first row and a full third."""
    weight = random(rows, columns) / (density * columns) ** 0.5
    keep = torch.rand(rows, columns, generator=torch.Generator().manual_seed(1)) < density
    keep[0], keep[2] = False, True
    return quantise(weight * keep, dtype)


def close(found: Tensor, wanted: Tensor, note: object, tolerance: float = 2e-5) -> None:
    torch.testing.assert_close(
        found.cpu().double(), wanted.double(), atol=tolerance, rtol=tolerance, msg=lambda text: f"{note}: {text}"
    )


@interpreter
def test_interpreted_sequence_longer_than_a_graph(reference: Callable[..., Tensor]) -> None:
    """Of a matrix, and of one with nothing to multiply with."""
    for density in (0.0, 1.0):
        weight, x = Weight(random(5, 5, seed=5) * density), random(35, 1, 5, seed=6)
        found, _ = CudaMatrix(weight, device="cpu", block=(8, 8, 1)).layer(RNN, Activation.tanh, x)
        close(found, reference(RNN, Activation.tanh, weight.float(), x), density)


@interpreter
@pytest.mark.parametrize("dtype", Dtype)
@pytest.mark.parametrize("gates", [1, 2, 3])
def test_interpreted_column_numbers_have_all_16_bits(gates: int, dtype: Dtype) -> None:
    wide = torch.zeros(6, 40_000)
    wide[1, 39_999], wide[4, 32_768:32_773], wide[5, 0] = 2.0, random(5, seed=7), -1.0
    weight, x = quantise(wide, dtype), random(2, 40_000, seed=8)
    ours = CudaMatrix(weight, gates=gates, device="cpu", block=(8, 4, 1))
    close(ours.product(x), x.double() @ weight.float().double().t(), (gates, dtype))
    assert ours.nonzero == 7


@interpreter
def test_interpreted_nan_stays_in_its_row() -> None:
    weight = Weight(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    matrix = CudaMatrix(weight, device="cpu", block=(8, 4, 1))
    states, _ = matrix.layer(RNN, Activation.clipped_relu, torch.tensor([[[1.0, float("nan")]]]))
    assert states[0, 0, 0] == 1 and states[0, 0, 1].isnan()


@pytest.mark.slow
def test_kernels_keep_the_contract_in_the_interpreter() -> None:
    """Runs what is named "interpreted" here and in test_contract.py, where triton is imported for the interpreter."""
    pytest.importorskip("triton")
    environment = {**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(each for each in sys.path if each)
    here = Path(__file__)
    files = [os.fspath(here), os.fspath(here.with_name("test_contract.py"))]
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-k", "interpreted", *files]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout
    reasons = {line.partition(": ")[2] for line in done.stdout.splitlines() if line.startswith("SKIPPED")}
    assert reasons <= {"the kernels are for finite vectors"} and "passed" in done.stdout


@pytest.mark.parametrize("capability", [80, 90])
def test_kernels_compile_without_a_device(capability: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the interpreter runs may still not compile: every kind of kernel becomes machine code."""
    triton = pytest.importorskip("triton")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.setenv("TRITON_CACHE_DIR", os.fspath(tmp_path))
    pointers = dict.fromkeys(("product", "scale", "x", "before", "after"), "*fp32") | {"columns": "*i16"}
    pointers |= {"starts": "*i32", "rounded": "*bf16", "memory": "*fp32"}

    def compiled(kernel: Any, warps: int = 4, values: str = "*fp32", **constants: Any) -> str:
        types = {
            name: "constexpr" if name in constants else (pointers | {"values": values}).get(name, "i32")
            for name in kernel.arg_names
        }
        aligned = {
            (index,): [["tt.divisibility", 16]] for index, kind in enumerate(types.values()) if kind.startswith("*")
        }
        source = ASTSource(kernel, types, constants, aligned)
        code = triton.compile(source, target=GPUTarget("cuda", capability, 32), options={"num_warps": warps})
        assert code.asm["cubin"]
        ptx: str = code.asm["ptx"]
        return ptx

    kinds = [(1, 3, 20.0, "*fp32"), (0, 1, None, "*bf16"), (None, 4, None, "*i8"), (2, 4, None, "*fp32")]
    for (cell, gates, limit, values), (units, entries, warps) in zip(kinds, cuda.BLOCKS[-4:], strict=True):
        scaled = values == "*i8"
        shape = {"CELL": cell, "GATES": gates, "SCALED": scaled, "LIMIT": limit, "UNITS": units, "ENTRIES": entries}
        ptx = compiled(cuda_kernels.sparse_step, warps, values, **shape)
        assert (limit is None) == ("min.NaN" not in ptx)  # the interpreter keeps what isn't a number in any case
    for cell in (each.value for each in Cells):
        assert compiled(cuda_kernels.dense_step, CELL=cell.kind, GATES=cell.gates, LIMIT=None, UNITS=256)


def test_packed_entries_are_those_of_the_matrix() -> None:
    """Every entry lies in the tile of its block and gate, in the line of its row; what is padded is zero."""
    gates, units, (height, width, _) = 3, UNITS, (4, 4, 1)
    weight = matrix(gates * units, 13)
    ours = CudaMatrix.__new__(CudaMatrix)  # packing needs no device
    ours.rows, ours.columns, ours.gates, ours._layers = gates * units, 13, gates, {}
    ours._pack(weight.values, (height, width, 1))
    columns, values = (each.view(-1, height, width) for each in (ours._columns, ours._values))
    found = torch.zeros(gates, 3 * height, 13)
    for group in range(3 * gates):
        for tile in range(int(ours._starts[group]), int(ours._starts[group + 1])):
            block, gate = divmod(group, gates)
            rows = torch.arange(height)[:, None] + block * height
            found[gate].index_put_((rows.expand(height, width), columns[tile].long()), values[tile], accumulate=True)
    assert torch.equal(found[:, :units].reshape(-1, 13), weight.values)
    assert not found[:, units:].any()
    assert len(values) == ours._starts[-1]


def test_without_triton_the_module_loads_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "triton", None)
    spec = importlib.util.spec_from_file_location("without_triton", shared.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(cuda, "device_for", module.device_for)
    with pytest.raises(ValueError, match="pip install triton"):
        CudaMatrix(matrix(UNITS, UNITS))


@pytest.mark.skipif(INTERPRETED, reason="the interpreter takes the CPU")
def test_what_cannot_be_done_is_an_error_that_says_so() -> None:
    pytest.importorskip("triton")
    with pytest.raises(ValueError, match="TRITON_INTERPRET"):
        CudaMatrix(matrix(UNITS, UNITS), device="cpu")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="no CUDA device"):
            CudaMatrix(matrix(UNITS, UNITS))


@needs_device
@pytest.mark.parametrize("dtype", Dtype)
@pytest.mark.parametrize("cell", [each.value for each in Cells])
def test_layers_agree_with_double_precision_on_a_device(
    cell: Cell, dtype: Dtype, reference: Callable[..., Tensor]
) -> None:
    units, steps = 330, 75
    weight = matrix(cell.gates * units, units, dtype, density=0.1)
    for activation, streams, block in itertools.product(Activation, (1, 3), cuda.BLOCKS):
        x, state = random(steps, streams, cell.gates * units, seed=2), random(streams, cell.vectors * units, seed=3)
        ours = CudaMatrix(weight, gates=cell.gates, block=block)
        for reverse in (False, True):
            wanted = reference(cell, activation, weight.float(), x, state=state, reverse=reverse)
            for _ in range(2):  # captured, then replayed
                found, _ = ours.layer(cell, activation, x, state=state, reverse=reverse)
                close(found, wanted, (activation, streams, block, reverse), 1e-4)
    y = x[0, :, :units].double() @ weight.float().double().t()
    close(ours.product(x[0, :, :units]), y, "product", 1e-4)


@needs_device
@pytest.mark.parametrize("cell", [each.value for each in Cells])
def test_the_fastest_serves_on_a_device(cell: Cell) -> None:
    sparse = CudaMatrix(matrix(cell.gates * 2048, 2048, density=0.05), gates=cell.gates)
    full = CudaMatrix(matrix(cell.gates * 2048, 2048, density=1.0), gates=cell.gates)
    for each in (sparse, full):
        assert set(each.tuned) == {*cuda.BLOCKS, "dense"}
        assert (each.dense is not None) == (min(each.tuned, key=each.tuned.__getitem__) == "dense")
    assert full.dense is not None


@pytest.mark.parametrize("streams", [1, 3])
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=needs_device)])
def test_baseline_products_agree(device: str, streams: int) -> None:
    weight, x = matrix(30, 20).values, random(streams, 20, seed=2)
    names = [each.name for each in Cuda(device).products(Product(weight=weight, x=x))]
    assert names == ["cuBLAS float32", "cuBLAS TF32", "cuBLAS bfloat16", "cuBLAS float16"]
    job, opponent = Product(weight=weight, x=x), Cuda(device)
    for each in (*opponent.products(job), *opponent.sparse_products(job)):
        close(each.run().float(), x @ weight.t(), each.name, 1e-5 if each.dtype is Dtype.float32 else 5e-2)


@pytest.mark.parametrize(
    "device", [pytest.param("cpu", id="interpreted", marks=interpreter), pytest.param("cuda", marks=needs_device)]
)
def test_baseline_layers_agree(device: str, reference: Callable[..., Tensor]) -> None:
    weight, x = matrix(UNITS, UNITS), random(3, 2, UNITS, seed=2)
    wanted = reference(RNN, Activation.tanh, weight.float(), x)
    job = Layer(weight=weight.values, x=x, cell=RNN, activation=Activation.tanh)
    for each in Cuda(device).layers(job):
        if each.exact:
            close(each.run(), wanted, each.name, 1e-5 if each.dtype is Dtype.float32 else 5e-2)
        else:  # cuDNN's, of zeros: it runs, and leaves the precision of others as it was
            assert each.run().shape == wanted.shape and not torch.backends.cuda.matmul.allow_tf32
