"""What a user would run instead of the sparse engine, prepared so that only the computing is timed.

Every weight is packed, every vector laid out and every ONNX graph compiled before `run` is first called. onnx,
onnxruntime and scipy are optional (the extra `bench`): what needs one that isn't installed is left out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from prune_rnn.engine.quantise import Dtype, quantise
from prune_rnn.model.cell import Cell
from prune_rnn.model.recurrence import CLIP, Activation

_OPTIONAL = ("onnx", "onnxruntime", "scipy")
_PRIVATE = "com.microsoft"  # ONNX Runtime's own operators

Arrays = Mapping[str, np.ndarray]
Shapes = Mapping[str, tuple[int, ...]]
Product = Callable[[Tensor], Tensor]  # (streams, columns) -> (streams, rows), times the transposed matrix


@dataclass(frozen=True, slots=True)
class Baseline:
    """One way to compute a result without the engine; each call of `run` computes it anew.

    dtype: of the weights in the product, a name of `Dtype`. dense: it also multiplies with the zeros. exact: the result
    is what was asked for, up to the rounding of dtype; otherwise the time of a little less work, a lower bound.
    `run` returns a torch tensor or numpy array, which its next call may overwrite.
    """

    name: str
    dtype: str
    dense: bool
    run: Callable[[], Any]
    exact: bool = True


def missing() -> list[str]:
    """Returns the optional packages that aren't installed."""
    return [name for name in _OPTIONAL if find_spec(name) is None]


def versions() -> dict[str, str]:
    """Returns the version of each library that baselines come from, of those installed."""
    return {name: metadata.version(name) for name in ("torch", "numpy", *_OPTIONAL) if name not in missing()}


def products(weight: Tensor, x: Tensor, threads: int) -> Iterator[Baseline]:
    """Yields the dense products of x with the transposed weight; sets torch's number of threads, and leaves it so.

    weight: (rows, columns) float32. x: (streams, columns) float32. Results are (streams, rows). Vectors meet bfloat16
    weights in bfloat16, converted beforehand; int8 weights in 8 bits, converted by `run`, as their scale is theirs.
    """
    torch.set_num_threads(threads)
    x = x.detach().contiguous()
    for name, dtype, product in _torch_products(weight.detach(), len(x)):
        yield Baseline(name, dtype.value, True, partial(product, x.bfloat16() if dtype is Dtype.bfloat16 else x))
    if {"onnx", "onnxruntime"}.isdisjoint(missing()):
        for dtype in (Dtype.float32, Dtype.int8):
            node, constants = _onnx_product(weight.detach(), dtype, "x", "y")
            run = _onnx_run(node, constants, {"x": x.numpy()}, (len(x), len(weight)), threads)
            yield Baseline(f"onnxruntime {dtype.value}", dtype.value, True, run)


def sparse_products(weight: Tensor, x: Tensor, threads: int) -> Iterator[Baseline]:
    """Yields the products of other libraries' compressed sparse rows; sets torch's number of threads, as `products`.

    Shapes as for `products`; x is transposed beforehand. scipy's uses one thread.
    """
    torch.set_num_threads(threads)
    transposed = x.detach().t().contiguous()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's CSR is in beta
        csr = weight.detach().to_sparse_csr()
        parts = csr.crow_indices().int(), csr.col_indices().int(), csr.values()  # int32: what MKL takes as it is
        csr = torch.sparse_csr_tensor(*parts, size=weight.shape)
    vector = transposed[:, 0] if len(x) == 1 else None
    times = partial(torch.matmul, csr, transposed if vector is None else vector)
    yield Baseline("torch CSR", "float32", False, lambda: times().t().view(len(x), len(weight)))
    if "scipy" not in missing():
        from scipy.sparse import csr_matrix

        crow, col, values = (part.numpy() for part in parts)
        matrix = csr_matrix((values, col, crow), shape=tuple(weight.shape))
        right = transposed.numpy() if vector is None else transposed[:, 0].numpy()
        yield Baseline("scipy CSR", "float32", False, lambda: (matrix @ right).T.reshape(len(x), len(weight)))


def layers(cell: Cell, activation: Activation, weight: Tensor, x: Tensor, threads: int) -> Iterator[Baseline]:
    """Yields dense recurrent layers, from a zero state and forward in time; sets torch's number of threads.

    weight: the recurrent matrix, (gates * units, units) float32. x: the input contribution, (steps, streams, gates *
    units) float32. Results are (steps, streams, units), as by `cell.step`. States and gates are
    float32 everywhere; dtype is that of the product. The library layers that can't be given an input contribution get
    a single input that is always zero, and aren't exact.
    """
    torch.set_num_threads(threads)
    weight, x = weight.detach(), x.detach().contiguous()
    steps, streams, _ = x.shape
    units = weight.shape[1]
    yield Baseline("prune_rnn float32", "float32", True, partial(_trained, cell, activation, weight, x))
    for name, dtype, product in _torch_products(weight, streams):
        yield Baseline(name, dtype.value, True, partial(_loop, cell, activation, product, dtype, x))
    yield from _torch_modules(cell, activation, weight, steps, streams)
    if {"onnx", "onnxruntime"}.isdisjoint(missing()):
        for dtype in (Dtype.float32, Dtype.int8):
            scan, constants = _onnx_scan(cell, activation, weight, streams, dtype)
            run = _onnx_run(scan, constants, {"x": x.numpy()}, (steps, streams, units), threads)
            yield Baseline(f"onnxruntime {dtype.value}", dtype.value, True, run)
        node, constants = _onnx_layer(cell, activation, weight)
        feeds = {"x": np.zeros((steps, streams, 1), np.float32)}
        run = _onnx_run(node, constants, feeds, (steps, 1, streams, units), threads)
        name = f"onnxruntime {cell.name.upper()} float32 (no inputs)"
        yield Baseline(name, "float32", True, run, exact=False)


def _torch_products(weight: Tensor, streams: int) -> Iterator[tuple[str, Dtype, Product]]:
    """Yields (name, type, product). bfloat16's product takes and gives bfloat16, the others' float32."""
    for dtype in (Dtype.float32, Dtype.bfloat16):
        values = weight.to(dtype.torch).contiguous()
        yield f"torch {dtype.value}", dtype, partial(functional.linear, weight=values)
        onednn: Any = torch.ops.mkldnn  # what torch.compile makes of a frozen linear layer; often twice as fast
        if torch.backends.mkldnn.is_available() and (dtype is Dtype.float32 or onednn._is_mkldnn_bf16_supported()):
            packed = onednn._reorder_linear_weight(values, streams)
            rest = {"W": packed, "B": None, "attr": "none", "scalars": [], "algorithm": ""}
            yield f"torch oneDNN {dtype.value}", dtype, partial(onednn._linear_pointwise, **rest)
    scale = quantise(weight, Dtype.int8).scale
    assert scale is not None
    values = torch.quantize_per_channel(weight, scale, torch.zeros(len(weight), dtype=torch.int64), 0, torch.qint8)
    packed = torch.ops.quantized.linear_prepack(values, None)
    # reduce_range as torch's own module has it: seven bits can't overflow where the machine lacks VNNI
    product = partial(torch.ops.quantized.linear_dynamic, W_prepack=packed, reduce_range=True)
    yield "torch int8", Dtype.int8, product


def _trained(cell: Cell, activation: Activation, weight: Tensor, x: Tensor) -> Tensor:
    """Returns the states by the loop that trains, which transposes the weight first and skips the first product."""
    steps, streams, width = x.shape
    with torch.no_grad():
        states = cell.states(x.view(-1, width), weight, torch.full((steps,), streams), activation)
    return states.view(steps, streams, -1)


def _loop(cell: Cell, activation: Activation, product: Product, dtype: Dtype, x: Tensor) -> Tensor:
    """Returns the states by a loop around `product` that keeps nothing for a gradient."""
    steps, streams, width = x.shape
    n = width // cell.gates
    out = torch.empty(steps, streams, n)
    state = torch.zeros(streams, n)
    for t in range(steps):
        uh = product(state.bfloat16()).float() if dtype is Dtype.bfloat16 else product(state)
        state = cell.step(x[t], uh, state, activation, out=out[t])
    return out


def _torch_modules(cell: Cell, activation: Activation, weight: Tensor, steps: int, streams: int) -> Iterator[Baseline]:
    """Yields torch.nn's layer and, of a GRU, its int8 version. torch's GRU knows only tanh, and orders gates r, z."""
    n = weight.shape[1]
    nonlinearity = {} if cell.name == "gru" else {"nonlinearity": "tanh" if activation is Activation.tanh else "relu"}
    module = getattr(nn, cell.name.upper())(1, n, **nonlinearity).requires_grad_(False).eval()
    for name, parameter in module.named_parameters():
        parameter.copy_(weight if name == "weight_hh_l0" else torch.zeros(()))
    zeros = torch.zeros(steps, streams, 1)
    name = f"torch.nn.{cell.name.upper()}"
    yield Baseline(f"{name} float32 (no inputs)", "float32", True, lambda: module(zeros)[0], exact=False)
    if cell.name == "gru":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecated in favour of torchao, which has no GRU
            quantised = torch.ao.quantization.quantize_dynamic(nn.Sequential(module), {nn.GRU}, dtype=torch.qint8)
        yield Baseline(f"{name} int8 (no inputs)", "int8", True, lambda: quantised(zeros)[0], exact=False)


def _onnx() -> Any:
    """Returns the package, without its types, as it isn't everywhere."""
    import onnx

    return onnx


def _onnx_product(weight: Tensor, dtype: Dtype, x: str, y: str) -> tuple[Any, Arrays]:
    """Returns (node, constants) of y = x times the transposed weight, float32 or int8.

    int8: ONNX Runtime's fused operator, to which it also turns DynamicQuantizeLinear and MatMulInteger. One scale for
    the whole weight: a scale for each row costs twice the time for one stream.
    """
    values = weight.t().contiguous().numpy()
    if dtype is Dtype.float32:
        return _onnx().helper.make_node("MatMul", [x, "weight"], [y]), {"weight": values}
    scale = np.array(max(np.abs(values).max(), 1e-30) / 127, np.float32)
    constants: Arrays = {"weight": np.round(values / scale).astype(np.int8), "scale": scale}
    return _onnx().helper.make_node("DynamicQuantizeMatMul", [x, "weight", "scale"], [y], domain=_PRIVATE), constants


def _onnx_scan(cell: Cell, activation: Activation, weight: Tensor, streams: int, dtype: Dtype) -> tuple[Any, Arrays]:
    """Returns (node, constants) of the layer as a loop over x (steps, streams, gates * units), giving y."""
    n = weight.shape[1]
    product, constants = _onnx_product(weight, dtype, "h", "uh")
    function = "Tanh {} > {}" if activation is Activation.tanh else "Clip {} zero clip > {}"
    if cell.name == "gru":
        lines = [
            "Split x zr_c > x_zr x_c", "Split uh zr_c > u_zr u_c", "Add x_zr u_zr > a_zr", "Sigmoid a_zr > zr",
            "Split zr z_r > z r", "Mul r u_c > ru", "Add x_c ru > a_c", function.format("a_c", "c"),
            "Sub c h > change", "Mul z change > part", "Add h part > last",
        ]  # fmt: skip
        constants = {**constants, "zr_c": np.array([2 * n, n]), "z_r": np.array([n, n])}
    else:
        lines = ["Add x uh > a", function.format("a", "last")]
    if activation is Activation.clipped_relu:
        constants = {**constants, "zero": np.array(0, np.float32), "clip": np.array(CLIP, np.float32)}
    nodes = [product]
    for line in [*lines, "Identity last > state"]:
        (operator, *inputs), outputs = (side.split() for side in line.split(" > "))
        options = {"axis": 1} if operator == "Split" else {}
        nodes.append(_onnx().helper.make_node(operator, inputs, outputs, **options))
    shapes = {"h": (streams, n), "x": (streams, cell.gates * n)}
    body = _onnx_graph(nodes, constants, shapes, {"last": (streams, n), "state": (streams, n)})
    node = _onnx().helper.make_node("Scan", ["start", "x"], ["last", "y"], body=body, num_scan_inputs=1)
    return node, {"start": np.zeros((streams, n), np.float32)}


def _onnx_layer(cell: Cell, activation: Activation, weight: Tensor) -> tuple[Any, Arrays]:
    """Returns (node, constants) of ONNX's own layer, of x (steps, streams, 1), giving y (steps, 1, streams, units)."""
    function = ["Tanh"] if activation is Activation.tanh else ["Relu"]
    options = {"activations": ["Sigmoid", *function], "linear_before_reset": 1} if cell.name == "gru" else {}
    options = {"activations": function, "hidden_size": weight.shape[1], "clip": CLIP, **options}
    node = _onnx().helper.make_node(cell.name.upper(), ["x", "into", "weight"], ["y"], **options)
    return node, {"into": np.zeros((1, len(weight), 1), np.float32), "weight": weight.contiguous().numpy()[None]}


def _onnx_graph(nodes: list[Any], constants: Arrays, inputs: Shapes, outputs: Shapes) -> Any:
    """Returns the graph of these nodes; its inputs and outputs, by name, are float32 and of these shapes."""
    values = [
        [_onnx().helper.make_tensor_value_info(name, _onnx().TensorProto.FLOAT, shape) for name, shape in side.items()]
        for side in (inputs, outputs)
    ]
    initializers = [_onnx().numpy_helper.from_array(array, name) for name, array in constants.items()]
    return _onnx().helper.make_graph(nodes, "graph", *values, initializers)


def _onnx_run(
    node: Any, constants: Arrays, feeds: Arrays, shape: tuple[int, ...], threads: int
) -> Callable[[], np.ndarray]:
    """Returns a function that runs the node from `feeds` to "y", of this shape; its calls all return one array."""
    import onnxruntime

    graph = _onnx_graph([node], constants, {name: array.shape for name, array in feeds.items()}, {"y": shape})
    operators = [_onnx().helper.make_opsetid("", 21), _onnx().helper.make_opsetid(_PRIVATE, 1)]
    model = _onnx().helper.make_model(graph, opset_imports=operators, ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    y = np.empty(shape, np.float32)
    binding = session.io_binding()
    for name, array in feeds.items():
        binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(array))
    binding.bind_ortvalue_output("y", onnxruntime.OrtValue.ortvalue_from_numpy(y))

    def run() -> np.ndarray:
        session.run_with_iobinding(binding)
        return y

    return run
