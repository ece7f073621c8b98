"""ONNX Runtime on the CPU: products, loops and its own recurrent layers, float32 and int8."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from prune_rnn import cpu
from prune_rnn.bench.job import Layer, Product
from prune_rnn.bench.opponents.base import Baseline, Opponent
from prune_rnn.engine.quantise import Dtype
from prune_rnn.model.recurrence import CLIP, Activation

# a step by the cell's name: operator, inputs > outputs; from the product uh and x to the state `last` and, of an LSTM,
# `last_c`. f: the activation
_STEPS = {
    "rnn": ["Add x uh > a", "f a > last"],
    "gru": [
        "Split x zr_c > x_zr x_c", "Split uh zr_c > u_zr u_c", "Add x_zr u_zr > a_zr", "Sigmoid a_zr > zr",
        "Split zr z_r > z r", "Mul r u_c > ru", "Add x_c ru > a_c", "f a_c > c",
        "Sub c h > change", "Mul z change > part", "Add h part > last",
    ],
    "lstm": [
        "Add x uh > a", "Split a quarters > a_i a_f a_g a_o", "Sigmoid a_i > i", "Sigmoid a_f > f", "Tanh a_g > g",
        "Sigmoid a_o > o", "Mul f c > kept", "Mul i g > more", "Add kept more > last_c", "Tanh last_c > seen",
        "Mul o seen > last",
    ],
}  # fmt: skip
_PRIVATE = "com.microsoft"  # ONNX Runtime's own operators
_DTYPES = (Dtype.float32, Dtype.int8)

Arrays = Mapping[str, np.ndarray]
Shapes = Mapping[str, tuple[int, ...]]


class Onnx(Opponent):
    """Graphs compiled by ONNX Runtime before they are timed."""

    packages = ("onnx", "onnxruntime")

    def products(self, job: Product) -> Iterator[Baseline]:
        """Yields MatMul, and ONNX Runtime's own int8 product, which also quantises the vectors."""
        feeds = {"x": job.x.detach().contiguous().numpy()}
        for dtype in _DTYPES:
            node, constants = _product(job.weight.detach(), dtype, "x", "y")
            run = _compiled(node, constants, feeds, (job.streams, len(job.weight)), job.threads)
            yield Baseline(f"onnxruntime {dtype.value}", dtype, run)

    def layers(self, job: Layer) -> Iterator[Baseline]:
        """Yields a Scan around each product, and ONNX's own layer."""
        feeds = {"x": job.x.detach().contiguous().numpy()}
        for dtype in _DTYPES:
            scan, constants = _scan(job, dtype)
            run = _compiled(scan, constants, feeds, (job.steps, job.streams, job.units), job.threads)
            yield Baseline(f"onnxruntime {dtype.value}", dtype, run)
        node, constants = _layer(job)
        feeds = {"x": np.zeros((job.steps, job.streams, 1), np.float32)}
        run = _compiled(node, constants, feeds, (job.steps, 1, job.streams, job.units), job.threads)
        name = f"onnxruntime {job.cell.name.upper()} float32 (no inputs)"
        yield Baseline(name, Dtype.float32, run, exact=False)


def _onnx() -> Any:
    """Returns the package, without its types, as it isn't everywhere."""
    import onnx

    return onnx


def _product(weight: Tensor, dtype: Dtype, x: str, y: str) -> tuple[Any, Arrays]:
    """Returns (node, constants) of y = x times the transposed weight, float32 or int8.

    int8: ONNX Runtime's fused operator, to which it also turns DynamicQuantizeLinear and MatMulInteger. One scale for
    the whole weight: a scale for each row costs twice the time for one stream. Where the processor sums products of
    bytes in 16 bits, signed weights overflow (ONNX Runtime, "Quantize ONNX models"): there they are unsigned, 128 more.
    """
    values = weight.t().contiguous().numpy()
    if dtype is Dtype.float32:
        return _onnx().helper.make_node("MatMul", [x, "weight"], [y]), {"weight": values}
    scale = np.array(max(np.abs(values).max(), 1e-30) / 127, np.float32)
    rounded, names = np.round(values / scale).astype(np.int8), [x, "weight", "scale"]
    constants: Arrays = {"weight": rounded, "scale": scale}
    if not cpu.sums_byte_products():
        constants = {"weight": (rounded.astype(np.int16) + 128).astype(np.uint8), "scale": scale}
        constants, names = {**constants, "middle": np.array(128, np.uint8)}, [*names, "middle"]
    return _onnx().helper.make_node("DynamicQuantizeMatMul", names, [y], domain=_PRIVATE), constants


def _scan(job: Layer, dtype: Dtype) -> tuple[Any, Arrays]:
    """Returns (node, constants) of the layer as a loop over x (steps, streams, gates * units), giving y."""
    n, state = job.units, (job.streams, job.units)
    product, constants = _product(job.weight.detach(), dtype, "h", "uh")
    own = {"zr_c": [2 * n, n], "z_r": [n, n], "quarters": [n] * 4, "zero": np.float32(0), "clip": np.float32(CLIP)}
    nodes = [product]
    for line in [*_STEPS[job.cell.name], "Identity last > output"]:
        (operator, *inputs), outputs = (side.split() for side in line.split(" > "))
        if operator == "f":
            clips = job.activation is Activation.clipped_relu
            operator, inputs = ("Clip", [*inputs, "zero", "clip"]) if clips else ("Tanh", inputs)
        options = {"axis": 1} if operator == "Split" else {}
        nodes.append(_onnx().helper.make_node(operator, inputs, outputs, **options))
        constants = {**constants, **{name: np.array(own[name]) for name in inputs if name in own}}
    before, after = ["h", "c"][: job.cell.vectors], ["last", "last_c"][: job.cell.vectors]
    body = _graph(
        nodes, constants, {**dict.fromkeys(before, state), "x": (job.streams, job.gates * n)},
        dict.fromkeys([*after, "output"], state),
    )  # fmt: skip
    zeros = ["start"] * job.cell.vectors
    node = _onnx().helper.make_node("Scan", [*zeros, "x"], [*after, "y"], body=body, num_scan_inputs=1)
    return node, {"start": np.zeros(state, np.float32)}


def _layer(job: Layer) -> tuple[Any, Arrays]:
    """Returns (node, constants) of ONNX's own layer, of x (steps, streams, 1), giving y (steps, 1, streams, units)."""
    weight = job.weight.detach()
    function = "Tanh" if job.activation is Activation.tanh else "Relu"
    own: dict[str, dict[str, Any]] = {
        "rnn": {"activations": [function], "clip": CLIP},
        "gru": {"activations": ["Sigmoid", function], "clip": CLIP, "linear_before_reset": 1},
        "lstm": {},
    }
    options = {"hidden_size": job.units, **own[job.cell.name]}
    node = _onnx().helper.make_node(job.cell.name.upper(), ["x", "into", "weight"], ["y"], **options)
    return node, {"into": np.zeros((1, len(weight), 1), np.float32), "weight": weight.contiguous().numpy()[None]}


def _graph(nodes: list[Any], constants: Arrays, inputs: Shapes, outputs: Shapes) -> Any:
    """Returns the graph of these nodes; its inputs and outputs, by name, are float32 and of these shapes."""
    values = [
        [_onnx().helper.make_tensor_value_info(name, _onnx().TensorProto.FLOAT, shape) for name, shape in side.items()]
        for side in (inputs, outputs)
    ]
    initializers = [_onnx().numpy_helper.from_array(array, name) for name, array in constants.items()]
    return _onnx().helper.make_graph(nodes, "graph", *values, initializers)


def _compiled(
    node: Any, constants: Arrays, feeds: Arrays, shape: tuple[int, ...], threads: int
) -> Callable[[], np.ndarray]:
    """Returns a function that runs the node from `feeds` to "y", of this shape; its calls all return one array."""
    import onnxruntime

    graph = _graph([node], constants, {name: array.shape for name, array in feeds.items()}, {"y": shape})
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
