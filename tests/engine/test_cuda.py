"""The CUDA kernels do what they should in triton's interpreter, compile for real devices, and agree there with both.

`python test_cuda.py` under TRITON_INTERPRET=1 runs the part that needs the interpreter, which is chosen at import.
"""

import importlib.util
import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from prune_rnn.bench.opponents import cuda as opponents
from prune_rnn.engine import cuda
from prune_rnn.engine.cuda import CublasMatrix, CudaMatrix
from prune_rnn.engine.quantise import Dtype, Weight, quantise
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import CLIP, Activation

needs_device = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
UNITS = 11  # no multiple of any block


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def matrix(rows: int, columns: int, dtype: Dtype = Dtype.float32, density: float = 0.3) -> Weight:
    """A random matrix with an empty first row and a full third."""
    weight = random(rows, columns) / (density * columns) ** 0.5
    keep = torch.rand(rows, columns, generator=torch.Generator().manual_seed(1)) < density
    keep[0], keep[2] = False, True
    return quantise(weight * keep, dtype)


def expected(
    cell: Cell,
    activation: Activation,
    weight: Weight,
    x: Tensor,
    *,
    state: Tensor | None = None,
    lengths: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:
    """The layer by its formulas, in double precision."""
    steps, streams, _ = x.shape
    u, units = weight.float().double(), weight.values.shape[1]
    f = torch.tanh if activation is Activation.tanh else lambda each: each.clamp(0, CLIP)
    h = torch.zeros(streams, units).double() if state is None else state.double()
    states = torch.zeros(steps, streams, units).double()
    for t in reversed(range(steps)) if reverse else range(steps):
        into, product = x[t].double().split(units, dim=1), (h @ u.t()).split(units, dim=1)
        if cell is Cells.rnn.value:
            h = f(into[0] + product[0])
        else:
            z, r = (into[0] + product[0]).sigmoid(), (into[1] + product[1]).sigmoid()
            h = (1 - z) * h + z * f(into[2] + r * product[2])
        if lengths is not None:
            h = h * (t < lengths)[:, None]
        states[t] = h
    return states.float(), h.float()


def close(found: Any, wanted: Any, note: object, tolerance: float = 2e-5) -> None:
    torch.testing.assert_close(
        found, wanted, atol=tolerance, rtol=tolerance, check_device=False, msg=lambda text: f"{note}: {text}"
    )


def interpreted() -> None:
    """Runs the kernels on the CPU; which of them triton interprets is decided when it is imported."""
    block = (8, 4, 1)
    for cell, activation, dtype in itertools.product(Cell, Activation, Dtype):
        weight, note = matrix(cell.gates * UNITS, UNITS, dtype), (cell, activation, dtype)
        ours = CudaMatrix(weight, gates=cell.gates, device="cpu", block=block)
        x = random(2, 1, cell.gates * UNITS, seed=2)
        close(ours.layer(cell, activation, x), expected(cell, activation, weight, x), note)
        if dtype is Dtype.int8:
            continue
        x, state, lengths = random(2, 3, cell.gates * UNITS, seed=3), random(3, UNITS, seed=4), torch.tensor([2, 1, 0])
        found = ours.layer(
            cell, activation, 9 * x, state=state, lengths=lengths, reverse=True
        )  # 9: the clip is reached
        wanted = expected(cell, activation, weight, 9 * x, state=state, lengths=lengths, reverse=True)
        close(found, wanted, (*note, "reverse"))
        if activation is Activation.tanh:
            dense = CublasMatrix(weight, gates=cell.gates, dtype=dtype.torch, device="cpu")
            found = dense.layer(cell, activation, x, state=state, lengths=lengths, reverse=True)
            wanted = expected(cell, activation, weight, x, state=state, lengths=lengths, reverse=True)
            close(found, wanted, (*note, "dense product"), 2e-5 if dtype is Dtype.float32 else 2e-2)
    # longer than a graph's chunk, and nothing to multiply with
    for density in (0.0, 1.0):
        weight = Weight(random(5, 5, seed=5) * density)
        ours, x = CudaMatrix(weight, device="cpu", block=(8, 8, 1)), random(35, 1, 5, seed=6)
        close(
            ours.layer(Cells.rnn.value, Activation.tanh, x),
            expected(Cells.rnn.value, Activation.tanh, weight, x),
            density,
        )
    # products: wide enough that column numbers need all 16 bits, and of several gates
    for gates, dtype in itertools.product((1, 3), Dtype):
        wide = torch.zeros(6, 40_000)
        wide[1, 39_999], wide[4, 32_768:32_773], wide[5, 0] = 2.0, random(5, seed=7), -1.0
        weight, x = quantise(wide, dtype), random(2, 40_000, seed=8)
        ours = CudaMatrix(weight, gates=gates, device="cpu", block=block)
        close(ours.product(x), (x.double() @ weight.float().double().t()).float(), (gates, dtype))
    assert ours.nonzero == 7
    # what isn't a number must not become one, nor reach the rows that don't see it
    weight = Weight(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    states, _ = CudaMatrix(weight, device="cpu", block=block).layer(
        Cells.rnn.value, Activation.clipped_relu, torch.tensor([[[1.0, float("nan")]]])
    )
    assert states[0, 0, 0] == 1 and states[0, 0, 1].isnan()


def test_kernels_agree_with_double_precision_in_the_interpreter() -> None:
    environment = {**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(each for each in sys.path if each)
    command = [sys.executable, "-W", "error", os.fspath(Path(__file__))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("capability", [80, 90])
def test_kernels_compile_without_a_device(capability: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the interpreter runs may still not compile: every kind of kernel becomes machine code."""
    triton = pytest.importorskip("triton")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.setenv("TRITON_CACHE_DIR", os.fspath(tmp_path))
    pointers = dict.fromkeys(("product", "scale", "x", "before", "after"), "*fp32") | {"columns": "*i16"}
    pointers |= {"starts": "*i32", "alive": "*i32", "rounded": "*bf16"}

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

    kinds = [(True, 3, 20.0, "*fp32"), (True, 1, None, "*bf16"), (False, 3, None, "*i8")]
    for (cell, gates, limit, values), (units, entries, warps) in zip(kinds, cuda.BLOCKS[-3:], strict=True):
        scaled = values == "*i8"
        shape = {"CELL": cell, "GATES": gates, "SCALED": scaled, "LIMIT": limit, "UNITS": units, "ENTRIES": entries}
        ptx = compiled(cuda._sparse_step, warps, values, **shape)
        assert (limit is None) == ("min.NaN" not in ptx)  # the interpreter keeps what isn't a number in any case
    assert compiled(cuda._dense_step, GATES=3, LIMIT=None, UNITS=256)


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
    spec = importlib.util.spec_from_file_location("without_triton", cuda.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(ValueError, match="pip install triton"):
        module.CudaMatrix(matrix(UNITS, UNITS))


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
def test_layers_agree_with_double_precision_on_a_device(cell: Cell, dtype: Dtype) -> None:
    units, steps = 330, 75
    weight = matrix(cell.gates * units, units, dtype, density=0.1)
    for activation, streams, block in itertools.product(Activation, (1, 3), cuda.BLOCKS):
        x, state = random(steps, streams, cell.gates * units, seed=2), random(streams, units, seed=3)
        ours, lengths = CudaMatrix(weight, gates=cell.gates, block=block), torch.tensor([75, 40, 1])[:streams]
        for reverse in (False, True):
            wanted = expected(cell, activation, weight, x, state=state, lengths=lengths, reverse=reverse)
            for _ in range(2):  # captured, then replayed
                found = ours.layer(cell, activation, x, state=state, lengths=lengths, reverse=reverse)
                close(found, wanted, (activation, streams, block, reverse), 1e-4)
    y = (x[0, :, :units].double() @ weight.float().double().t()).float()
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
    for each in opponents.cuda_products(weight, x, device):
        close(each.run().float(), x @ weight.t(), each.name, 1e-5 if each.exact else 5e-2)


def baseline_layers(device: str) -> None:
    weight, x = matrix(UNITS, UNITS), random(3, 2, UNITS, seed=2)
    wanted = expected(Cells.rnn.value, Activation.tanh, weight, x)
    for each in opponents.cuda_layers(Cells.rnn.value, Activation.tanh, weight.values, x, device):
        close(each.run(), wanted, each.name, 1e-5 if each.exact else 5e-2)


@needs_device
def test_baseline_layers_agree_on_a_device() -> None:
    baseline_layers("cuda")


if __name__ == "__main__":
    interpreted()
    baseline_layers("cpu")
