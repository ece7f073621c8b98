"""The time loops of CUDA devices agree with torch's operations in double precision: in the interpreter, on a device."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from prune_rnn.model import cuda
from prune_rnn.model.cell import Cell
from prune_rnn.model.cells import Cells
from prune_rnn.model.cuda_kernels import gru_backward, gru_forward, lstm_backward, lstm_forward
from prune_rnn.model.recurrence import Activation, Steps
from prune_rnn.model.states import states

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
interpreter = pytest.mark.skipif(not INTERPRETED, reason="run by test_loops_agree_in_the_interpreter")
needs_device = pytest.mark.skipif(not torch.cuda.is_available() or INTERPRETED, reason="no CUDA device")
DEVICE = pytest.mark.parametrize(
    "device", [pytest.param("cpu", id="interpreted", marks=interpreter), pytest.param("cuda", marks=needs_device)]
)
each_cell = pytest.mark.parametrize("cell", [each.value for each in Cells], ids=lambda cell: cell.name)
each_way = pytest.mark.parametrize("reverse", [False, True], ids=["forward", "backward"])
# with chunks of four steps: three chunks, one, exactly two, a frame
CASES = [([4, 4, 4, 3, 3, 2, 2, 1, 1, 1], torch.float64), ([2, 2, 1], torch.float64), ([2] * 8, torch.float32)]
CASES += [([1], torch.float64)]
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4}  # largest error over largest value


@pytest.fixture
def _short_chunks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Four steps a graph: the interpreter takes milliseconds for each."""
    monkeypatch.setattr(cuda, "CHUNK", 4)
    cuda._loop.cache_clear()
    yield
    cuda._loop.cache_clear()


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def given(cell: Cell, sizes: list[int], units: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    """Returns inputs that meet both corners of the clipped ReLU, weights, and gradients."""
    x = random(sum(sizes), cell.gates * units, seed=1)
    x[:, -units:] *= 15
    return x, random(cell.gates * units, units, seed=2) / units**0.5, random(sum(sizes), units, seed=3)


def found_by(
    ours: bool, cell: Cell, sizes: list[int], activation: Activation, reverse: bool, **how: object
) -> list[Tensor]:
    """Returns states and gradients, by the loop for CUDA or by torch's operations."""
    x, weight, grad = (each.to(**how) for each in given(cell, sizes))
    x.requires_grad_()
    weight.requires_grad_()
    if ours:
        hidden = cuda.layer(cell, x, weight, torch.tensor(sizes), activation, reverse)
    else:
        hidden = cell.loop.apply(x, weight, Steps(sizes, reverse), activation)
    hidden.backward(grad)
    return [each.detach().cpu().double() for each in (hidden, x.grad, weight.grad)]


@DEVICE
@each_cell
@each_way
@pytest.mark.usefixtures("_short_chunks")
@pytest.mark.parametrize(("sizes", "dtype"), CASES, ids=str)
@pytest.mark.parametrize("activation", Activation)
def test_states_and_gradients_agree_with_the_loop_in_doubles(
    device: str, cell: Cell, reverse: bool, sizes: list[int], activation: Activation, dtype: torch.dtype
) -> None:
    wanted = found_by(False, cell, sizes, activation, reverse, device="cpu")
    for _ in range(2):  # captured, then replayed: what the buffers held does not matter
        found = found_by(True, cell, sizes, activation, reverse, device=device, dtype=dtype)
        for one, other in zip(found, wanted, strict=True):
            assert (one - other).abs().max() <= TOLERANCE[dtype] * other.abs().max().clamp_min(1)


@needs_device
@each_cell
def test_wide_layers_agree_on_a_device_and_the_cell_takes_this_loop(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more units than a program has; while another batch's graphs are there."""
    calls: list[int] = []
    layer = cuda.layer
    monkeypatch.setattr(cuda, "layer", lambda *given: (calls.append(1), layer(*given))[1])
    for sizes in ([6] * 30 + [2] * 7, [3] * 20):
        x, weight, _ = given(cell, sizes, 300)
        wanted = states(cell, x, weight, torch.tensor(sizes), Activation.clipped_relu)
        found = states(cell, x.cuda(), weight.cuda(), torch.tensor(sizes), Activation.clipped_relu)
        torch.testing.assert_close(found.cpu(), wanted, atol=1e-9, rtol=1e-9)
    assert len(calls) == 2


@each_cell
def test_the_cpu_keeps_its_own_loop(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "layer", lambda *_: pytest.fail("the CUDA loop on the CPU"))
    x, weight, _ = given(cell, [2, 1])
    states(cell, x, weight, torch.tensor([2, 1]), Activation.tanh)
    assert not cuda.serves(cell, x, weight)


@each_way
def test_every_frame_has_a_row_of_its_own_in_the_order_of_computation(reverse: bool) -> None:
    sizes = torch.tensor([3, 3, 1] + [1] * 15)
    at, steps = cuda.slots(sizes, reverse)
    assert steps == 32 and len(set(at.tolist())) == len(at) == int(sizes.sum())
    step, row = at // 3, at % 3
    first = torch.repeat_interleave(torch.arange(18), sizes)
    assert torch.equal(step, 17 - first if reverse else first)
    assert torch.equal(row[:7], torch.tensor([0, 1, 2, 0, 1, 2, 0]))


@pytest.mark.parametrize("cell", [each.value for each in Cells], ids=lambda cell: cell.name)
def test_a_step_is_two_launches_each_way(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted by what is called of torch that computes, and of the kernels."""
    launches: list[str] = []

    class Counted:
        def __init__(self, name: str) -> None:
            self.name = name

        def __getitem__(self, grid: object) -> object:
            return lambda *_, **__: launches.append(self.name)

    for name in ("gru_forward", "gru_backward", "lstm_forward", "lstm_backward"):
        monkeypatch.setattr(cuda, name, Counted(name))
    loop = cuda.LOOPS[cell.kind](cell, 5, 2, Activation.clipped_relu, torch.float32, torch.device("cpu"))
    for step in (loop.forward_step, loop.backward_step):
        launches.clear()
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], acc_events=True) as profile:
            step(0)
        views = {"aten::select", "aten::as_strided", "aten::t", "aten::transpose", "aten::slice", "aten::empty"}
        ran = [each for each in profile.events() if each.cpu_parent is None and each.name.startswith("aten::")]
        assert len([each for each in ran if each.name not in views]) + len(launches) == 2


@pytest.mark.parametrize("capability", [80, 90])
def test_kernels_compile_without_a_device(capability: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the interpreter runs may still not compile."""
    triton = pytest.importorskip("triton")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.setenv("TRITON_CACHE_DIR", os.fspath(tmp_path))
    for kernel, limit, pointer in (
        (gru_forward, 20.0, "*fp32"),
        (gru_forward, None, "*fp64"),
        (gru_backward, 20.0, "*fp32"),
        (lstm_forward, None, "*fp32"),
        (lstm_backward, None, "*fp64"),
    ):
        constants = {name: value for name, value in (("LIMIT", limit), ("UNITS", 256)) if name in kernel.arg_names}
        types = {name: "constexpr" if name in constants else pointer for name in kernel.arg_names} | {"units": "i32"}
        source = ASTSource(kernel, types, constants, {})
        assert triton.compile(source, target=GPUTarget("cuda", capability, 32)).asm["cubin"]


@pytest.mark.slow
def test_loops_agree_in_the_interpreter() -> None:
    """Runs what is named "interpreted" here, where triton is imported for the interpreter."""
    pytest.importorskip("triton")
    environment = {**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(each for each in sys.path if each)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "interpreted", str(Path(__file__))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0 and "passed" in done.stdout and "skipped" not in done.stdout, done.stdout
