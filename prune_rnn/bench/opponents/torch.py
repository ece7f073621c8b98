"""torch on the CPU: its dense products in three types, its recurrent modules, its sparse rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from prune_rnn.bench.job import Layer, Product
from prune_rnn.bench.opponents.base import Baseline, Opponent
from prune_rnn.engine.quantise import Dtype, quantise
from prune_rnn.model.recurrence import Activation

MODULES: dict[str, Any] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}  # by the cell's name
Times = Callable[[Tensor], Tensor]  # (streams, columns) -> (streams, rows), times the transposed matrix


class Torch(Opponent):
    """torch with the threads that `torch.set_num_threads` was given last."""

    packages = ("torch", "numpy")

    def products(self, job: Product) -> Iterator[Baseline]:
        """Yields torch's linear layers, and oneDNN's where torch was built with it.

        Vectors meet bfloat16 weights in bfloat16, converted beforehand; int8 weights in 8 bits, converted by `run`, as
        the scale of the vectors is theirs.
        """
        x = job.x.detach().contiguous()
        for name, dtype, times in _dense(job.weight.detach(), job.streams):
            yield Baseline(name, dtype, partial(times, x.bfloat16() if dtype is Dtype.bfloat16 else x))

    def sparse_products(self, job: Product) -> Iterator[Baseline]:
        """Yields the product of torch's CSR; x is transposed beforehand."""
        transposed = job.x.detach().t().contiguous()
        right = transposed[:, 0] if job.streams == 1 else transposed  # a vector has a quicker product
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's CSR is in beta
            csr = job.weight.detach().to_sparse_csr()
            parts = csr.crow_indices().int(), csr.col_indices().int(), csr.values()  # int32: what MKL takes as it is
            csr = torch.sparse_csr_tensor(*parts, size=job.weight.shape)
        shape = job.streams, len(job.weight)
        yield Baseline("torch CSR", Dtype.float32, lambda: torch.matmul(csr, right).t().view(shape))

    def layers(self, job: Layer) -> Iterator[Baseline]:
        """Yields a loop around each dense product, and torch.nn's own layers."""
        weight = job.weight.detach()
        for name, dtype, times in _dense(weight, job.streams):
            yield Baseline(name, dtype, partial(_loop, job, times, dtype))
        yield from _modules(job)


def _dense(weight: Tensor, streams: int) -> Iterator[tuple[str, Dtype, Times]]:
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
    yield "torch int8", Dtype.int8, partial(torch.ops.quantized.linear_dynamic, W_prepack=packed, reduce_range=True)


def _loop(job: Layer, times: Times, dtype: Dtype) -> Tensor:
    """Returns the states, (steps, streams, units), by a loop around a product that keeps nothing for a gradient."""
    x, n = job.x, job.units
    out = torch.empty(job.steps, job.streams, job.cell.vectors * n)
    state = torch.zeros(job.streams, job.cell.vectors * n)
    for t in range(job.steps):
        h = state[:, :n]
        uh = times(h.bfloat16()).float() if dtype is Dtype.bfloat16 else times(h)
        state = job.cell.step(x[t], uh, state, job.activation, out[t])
    return out[..., :n]


def module(job: Layer) -> nn.RNNBase:
    """Returns torch.nn's layer, of one input. torch's GRU knows only tanh, and orders gates r, z."""
    kind = MODULES[job.cell.name]
    options = {"nonlinearity": "tanh" if job.activation is Activation.tanh else "relu"} if kind is nn.RNN else {}
    made: nn.RNNBase = kind(1, job.units, **options).requires_grad_(False).eval()
    for name, parameter in made.named_parameters():
        parameter.copy_(job.weight.detach() if name == "weight_hh_l0" else torch.zeros(()))
    return made


def _modules(job: Layer) -> Iterator[Baseline]:
    """Yields torch.nn's layer and, of cells with gates, its int8 version."""
    layer = module(job)
    zeros = torch.zeros(job.steps, job.streams, 1)
    name = f"torch.nn.{job.cell.name.upper()}"
    yield Baseline(f"{name} float32 (no inputs)", Dtype.float32, lambda: layer(zeros)[0], exact=False)
    if job.gates > 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecated in favour of torchao, which has no such layers
            quantised = torch.ao.quantization.quantize_dynamic(nn.Sequential(layer), {type(layer)}, dtype=torch.qint8)
        yield Baseline(f"{name} int8 (no inputs)", Dtype.int8, lambda: quantised(zeros)[0], exact=False)
