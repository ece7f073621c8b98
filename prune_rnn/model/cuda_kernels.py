"""The CUDA kernels of training, in Triton: all of a GRU's or LSTM's step but the product, forward and backward."""

from __future__ import annotations

from prune_rnn.cuda import kernel, tl


@kernel
def gru_forward(  # type: ignore[no-untyped-def]
    x, product, before, kept, after, units, LIMIT: tl.constexpr, UNITS: tl.constexpr
):  # fmt: skip
    """after = the state after `before`, whose U h is `product`; kept = z, r, U_c h and the candidate.

    Grid: (blocks of UNITS units, rows). x, product: (rows, 3 units). before, after: (rows, units). kept: (rows, 4
    units). LIMIT: of the clipped ReLU; None: tanh.
    """
    row, unit = tl.program_id(1), tl.program_id(0) * UNITS + tl.arange(0, UNITS)
    inside = unit < units
    x += row * 3 * units + unit
    product += row * 3 * units + unit
    kept += row * 4 * units + unit
    z = tl.sigmoid(tl.load(x, mask=inside) + tl.load(product, mask=inside))
    r = tl.sigmoid(tl.load(x + units, mask=inside) + tl.load(product + units, mask=inside))
    uh = tl.load(product + 2 * units, mask=inside)
    c = tl.load(x + 2 * units, mask=inside) + r * uh
    c = 2 * tl.sigmoid(2 * c) - 1 if LIMIT is None else tl.clamp(c, 0.0, LIMIT, propagate_nan=tl.PropagateNan.ALL)
    old = tl.load(before + row * units + unit, mask=inside)
    tl.store(kept, z, mask=inside)
    tl.store(kept + units, r, mask=inside)
    tl.store(kept + 2 * units, uh, mask=inside)
    tl.store(kept + 3 * units, c, mask=inside)
    tl.store(after + row * units + unit, old + z * (c - old), mask=inside)


@kernel
def gru_backward(  # type: ignore[no-untyped-def]
    grad, kept, before, parts, earlier, units, LIMIT: tl.constexpr, UNITS: tl.constexpr
):  # fmt: skip
    """parts = the gradients of c's, z's and r's pre-activations and of U_c h; earlier += grad (1 - z).

    grad: of the state after, (rows, units). earlier: of the state before, which the product still adds to.
    kept, before: as in `gru_forward`. parts: (rows, 4 units).
    """
    row, unit = tl.program_id(1), tl.program_id(0) * UNITS + tl.arange(0, UNITS)
    inside = unit < units
    kept += row * 4 * units + unit
    parts += row * 4 * units + unit
    earlier += row * units + unit
    g = tl.load(grad + row * units + unit, mask=inside)
    z, r = tl.load(kept, mask=inside), tl.load(kept + units, mask=inside)
    uh, c = tl.load(kept + 2 * units, mask=inside), tl.load(kept + 3 * units, mask=inside)
    old = tl.load(before + row * units + unit, mask=inside)
    of_c = g * z
    of_c = of_c * (1 - c * c) if LIMIT is None else tl.where((c > 0) & (c < LIMIT), of_c, 0.0)
    tl.store(parts, of_c, mask=inside)
    tl.store(parts + units, g * (c - old) * z * (1 - z), mask=inside)
    tl.store(parts + 2 * units, of_c * uh * r * (1 - r), mask=inside)
    tl.store(parts + 3 * units, of_c * r, mask=inside)
    tl.store(earlier, tl.load(earlier, mask=inside) + g * (1 - z), mask=inside)


@kernel
def lstm_forward(x, product, memory, kept, after, units, UNITS: tl.constexpr):  # type: ignore[no-untyped-def]
    """after = the output after the one whose U h is `product`; memory = c, replaced; kept = i, f, g, o and c before.

    Grid: (blocks of UNITS units, rows). x, product: (rows, 4 units). memory, after: (rows, units). kept: (rows, 5
    units).
    """
    row, unit = tl.program_id(1), tl.program_id(0) * UNITS + tl.arange(0, UNITS)
    inside = unit < units
    x += row * 4 * units + unit
    product += row * 4 * units + unit
    memory += row * units + unit
    kept += row * 5 * units + unit
    i = tl.sigmoid(tl.load(x, mask=inside) + tl.load(product, mask=inside))
    f = tl.sigmoid(tl.load(x + units, mask=inside) + tl.load(product + units, mask=inside))
    g = 2 * tl.sigmoid(2 * (tl.load(x + 2 * units, mask=inside) + tl.load(product + 2 * units, mask=inside))) - 1
    o = tl.sigmoid(tl.load(x + 3 * units, mask=inside) + tl.load(product + 3 * units, mask=inside))
    old = tl.load(memory, mask=inside)
    c = f * old + i * g
    tl.store(kept, i, mask=inside)
    tl.store(kept + units, f, mask=inside)
    tl.store(kept + 2 * units, g, mask=inside)
    tl.store(kept + 3 * units, o, mask=inside)
    tl.store(kept + 4 * units, old, mask=inside)
    tl.store(memory, c, mask=inside)
    tl.store(after + row * units + unit, o * (2 * tl.sigmoid(2 * c) - 1), mask=inside)


@kernel
def lstm_backward(grad, kept, memory, parts, units, UNITS: tl.constexpr):  # type: ignore[no-untyped-def]
    """parts = the gradients of the pre-activations of i, f, g and o; memory = the gradient of c, replaced.

    grad: of the output after, (rows, units). kept: as in `lstm_forward`. parts: (rows, 4 units).
    """
    row, unit = tl.program_id(1), tl.program_id(0) * UNITS + tl.arange(0, UNITS)
    inside = unit < units
    kept += row * 5 * units + unit
    parts += row * 4 * units + unit
    memory += row * units + unit
    of_h = tl.load(grad + row * units + unit, mask=inside)
    i, f = tl.load(kept, mask=inside), tl.load(kept + units, mask=inside)
    g, o = tl.load(kept + 2 * units, mask=inside), tl.load(kept + 3 * units, mask=inside)
    old = tl.load(kept + 4 * units, mask=inside)
    seen = 2 * tl.sigmoid(2 * (f * old + i * g)) - 1
    of_c = tl.load(memory, mask=inside) + of_h * o * (1 - seen * seen)
    tl.store(parts, of_c * g * i * (1 - i), mask=inside)
    tl.store(parts + units, of_c * old * f * (1 - f), mask=inside)
    tl.store(parts + 2 * units, of_c * i * (1 - g * g), mask=inside)
    tl.store(parts + 3 * units, of_h * seen * o * (1 - o), mask=inside)
    tl.store(memory, of_c * f, mask=inside)
