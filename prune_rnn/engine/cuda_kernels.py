"""The CUDA kernels, in Triton: one is a whole time step of a recurrent layer. Loads without triton, where none runs."""

from __future__ import annotations

from prune_rnn.cuda import kernel, tl


@kernel
def _activated(x, LIMIT: tl.constexpr):  # type: ignore[no-untyped-def]
    """f(x): the ReLU clipped at LIMIT, tanh where that is None. NaN stays NaN."""
    return 2 * tl.sigmoid(2 * x) - 1 if LIMIT is None else tl.clamp(x, 0.0, LIMIT, propagate_nan=tl.PropagateNan.ALL)


@kernel
def _of_gates(first, units, inside, GATES: tl.constexpr):  # type: ignore[no-untyped-def]
    """What lies at `first` and, for up to four gates, gates of units behind it, in float32."""
    a = tl.load(first, mask=inside, other=0.0).to(tl.float32)
    b, c, d = a, a, a
    if GATES > 1:
        b = tl.load(first + units, mask=inside, other=0.0).to(tl.float32)
    if GATES > 2:
        c = tl.load(first + 2 * units, mask=inside, other=0.0).to(tl.float32)
    if GATES > 3:
        d = tl.load(first + 3 * units, mask=inside, other=0.0).to(tl.float32)
    return a, b, c, d


@kernel
def _next(  # type: ignore[no-untyped-def]
    x, old, memory, a, b, c, d, unit, units, CELL: tl.constexpr, GATES: tl.constexpr, LIMIT: tl.constexpr
):  # fmt: skip
    """The output after `old` where U h is a, b, c and d by gate; an LSTM's memory is replaced."""
    inside = unit < units
    x_a, x_b, x_c, x_d = _of_gates(x + unit, units, inside, GATES)
    if CELL == 0:
        new = _activated(x_a + a, LIMIT)
    elif CELL == 1:  # no early return: triton compiles what follows one
        candidate = _activated(x_c + tl.sigmoid(x_b + b) * c, LIMIT)
        new = old + tl.sigmoid(x_a + a) * (candidate - old)
    else:
        inner = tl.sigmoid(x_b + b) * tl.load(memory, mask=inside, other=0.0)
        inner += tl.sigmoid(x_a + a) * _activated(x_c + c, None)
        new = tl.sigmoid(x_d + d) * _activated(inner, None)
        tl.store(memory, inner, mask=inside)
    return new


@kernel
def _tile(columns, values, vector, tile, end, spot, SIZE: tl.constexpr):  # type: ignore[no-untyped-def]
    """The products of one tile's entries with the vector; zeros from tile `end` on."""
    at = tile.to(tl.int64) * SIZE + spot
    column = tl.load(columns + at, mask=tile < end, other=0).to(tl.int32) & 0xFFFF  # stored as signed
    value = tl.load(values + at, mask=tile < end, other=0).to(tl.float32)
    return value * tl.load(vector + column)


@kernel
def sparse_step(  # type: ignore[no-untyped-def]
    columns, values, scale, starts, x, before, memory, after, width, units, CELL: tl.constexpr,
    GATES: tl.constexpr, SCALED: tl.constexpr, LIMIT: tl.constexpr, UNITS: tl.constexpr, ENTRIES: tl.constexpr,
):  # fmt: skip
    """after = the output after `before`, of the cell of the number CELL; None: just the product.

    memory: what else a state holds, replaced. Grid: (blocks of units, streams).
    """
    block, stream = tl.program_id(0), tl.program_id(1)
    SIZE: tl.constexpr = UNITS * ENTRIES
    spot = tl.arange(0, UNITS)[:, None] * ENTRIES + tl.arange(0, ENTRIES)[None, :]
    before += stream * width
    starts += block * GATES
    tile_a, end_a = tl.load(starts), tl.load(starts + 1)
    longest = end_a - tile_a
    sum_a = tl.zeros((UNITS, ENTRIES), tl.float32)
    sum_b, sum_c, sum_d = sum_a, sum_a, sum_a
    end_b, end_c, end_d = end_a, end_a, end_a
    if GATES > 1:
        end_b = tl.load(starts + 2)
        longest = tl.maximum(longest, end_b - end_a)
    if GATES > 2:
        end_c = tl.load(starts + 3)
        longest = tl.maximum(longest, end_c - end_b)
    if GATES > 3:
        end_d = tl.load(starts + 4)
        longest = tl.maximum(longest, end_d - end_c)
    i = longest * 0
    while i < longest:  # not `range`: triton's interpreter can't count in tensors under numpy 2.4
        sum_a += _tile(columns, values, before, tile_a + i, end_a, spot, SIZE)
        if GATES > 1:
            sum_b += _tile(columns, values, before, end_a + i, end_b, spot, SIZE)
        if GATES > 2:
            sum_c += _tile(columns, values, before, end_b + i, end_c, spot, SIZE)
        if GATES > 3:
            sum_d += _tile(columns, values, before, end_c + i, end_d, spot, SIZE)
        i += 1
    a, b, c, d = tl.sum(sum_a, axis=1), tl.sum(sum_b, axis=1), tl.sum(sum_c, axis=1), tl.sum(sum_d, axis=1)
    unit = block * UNITS + tl.arange(0, UNITS)
    inside = unit < units
    if SCALED:
        scale_a, scale_b, scale_c, scale_d = _of_gates(scale + unit, units, inside, GATES)
        a, b, c, d = a * scale_a, b * scale_b, c * scale_c, d * scale_d
    if CELL is not None:
        old = tl.load(before + unit, mask=inside, other=0.0)
        memory += stream * units + unit
        x += stream * GATES * units
        new = _next(x, old, memory, a, b, c, d, unit, units, CELL, GATES, LIMIT)
        tl.store(after + stream * units + unit, new, mask=inside)
    else:
        after += stream * GATES * units + unit
        tl.store(after, a, mask=inside)
        if GATES > 1:
            tl.store(after + units, b, mask=inside)
        if GATES > 2:
            tl.store(after + 2 * units, c, mask=inside)
        if GATES > 3:
            tl.store(after + 3 * units, d, mask=inside)


@kernel
def dense_step(  # type: ignore[no-untyped-def]
    product, x, before, memory, after, rounded, units, CELL: tl.constexpr, GATES: tl.constexpr,
    LIMIT: tl.constexpr, UNITS: tl.constexpr,
):  # fmt: skip
    """after = the output after `before` where U h is `product`; rounded = the same in its own type.

    CELL, memory: as in `sparse_step`.
    """
    stream = tl.program_id(1)
    unit = tl.program_id(0) * UNITS + tl.arange(0, UNITS)
    inside = unit < units
    a, b, c, d = _of_gates(product + stream * GATES * units + unit, units, inside, GATES)
    old = tl.load(before + stream * units + unit, mask=inside, other=0.0)
    memory += stream * units + unit
    x += stream * GATES * units
    new = _next(x, old, memory, a, b, c, d, unit, units, CELL, GATES, LIMIT)
    tl.store(after + stream * units + unit, new, mask=inside)
    tl.store(rounded + stream * units + unit, new.to(rounded.dtype.element_ty), mask=inside)
