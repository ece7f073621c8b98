"""The CUDA kernels, in Triton: one is a whole time step of a recurrent layer. Loads without triton, where none runs."""

from __future__ import annotations

from prune_rnn.cuda import kernel, tl


@kernel
def _activated(x, LIMIT: tl.constexpr):  # type: ignore[no-untyped-def]
    """f(x): the ReLU clipped at LIMIT, tanh where that is None. NaN stays NaN."""
    return 2 * tl.sigmoid(2 * x) - 1 if LIMIT is None else tl.clamp(x, 0.0, LIMIT, propagate_nan=tl.PropagateNan.ALL)


@kernel
def _of_gates(first, units, inside, GATES: tl.constexpr):  # type: ignore[no-untyped-def]
    """What lies at `first` and, of a GRU, one and two gates of units behind it, in float32."""
    a = tl.load(first, mask=inside, other=0.0).to(tl.float32)
    b, c = a, a
    if GATES == 3:
        b = tl.load(first + units, mask=inside, other=0.0).to(tl.float32)
        c = tl.load(first + 2 * units, mask=inside, other=0.0).to(tl.float32)
    return a, b, c


@kernel
def _next(x, old, a, b, c, unit, units, GATES: tl.constexpr, LIMIT: tl.constexpr):  # type: ignore[no-untyped-def]
    """The state after `old` where U h is a (RNN), or a, b and c (GRU)."""
    x_a, x_b, x_c = _of_gates(x + unit, units, unit < units, GATES)
    if GATES == 1:
        new = _activated(x_a + a, LIMIT)
    else:  # no early return: triton compiles what follows one
        candidate = _activated(x_c + tl.sigmoid(x_b + b) * c, LIMIT)
        new = old + tl.sigmoid(x_a + a) * (candidate - old)
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
    columns, values, scale, starts, x, before, after, alive, width, units, CELL: tl.constexpr, GATES: tl.constexpr,
    SCALED: tl.constexpr, LIMIT: tl.constexpr, UNITS: tl.constexpr, ENTRIES: tl.constexpr,
):  # fmt: skip
    """after = the state after `before` (CELL), or just the product. Grid: (blocks of units, streams)."""
    block, stream = tl.program_id(0), tl.program_id(1)
    SIZE: tl.constexpr = UNITS * ENTRIES
    spot = tl.arange(0, UNITS)[:, None] * ENTRIES + tl.arange(0, ENTRIES)[None, :]
    before += stream * width
    starts += block * GATES
    tile_a, end_a = tl.load(starts), tl.load(starts + 1)
    longest = end_a - tile_a
    sum_a = tl.zeros((UNITS, ENTRIES), tl.float32)
    sum_b, sum_c = sum_a, sum_a
    tile_b, end_b, tile_c, end_c = tile_a, end_a, tile_a, end_a
    if GATES == 3:
        tile_b, end_b, tile_c, end_c = end_a, tl.load(starts + 2), tl.load(starts + 2), tl.load(starts + 3)
        longest = tl.maximum(longest, tl.maximum(end_b - tile_b, end_c - tile_c))
    i = longest * 0
    while i < longest:  # not `range`: triton's interpreter can't count in tensors under numpy 2.4
        sum_a += _tile(columns, values, before, tile_a + i, end_a, spot, SIZE)
        if GATES == 3:
            sum_b += _tile(columns, values, before, tile_b + i, end_b, spot, SIZE)
            sum_c += _tile(columns, values, before, tile_c + i, end_c, spot, SIZE)
        i += 1
    a, b, c = tl.sum(sum_a, axis=1), tl.sum(sum_b, axis=1), tl.sum(sum_c, axis=1)
    unit = block * UNITS + tl.arange(0, UNITS)
    inside = unit < units
    if SCALED:
        scale_a, scale_b, scale_c = _of_gates(scale + unit, units, inside, GATES)
        a, b, c = a * scale_a, b * scale_b, c * scale_c
    if CELL:
        old = tl.load(before + unit, mask=inside, other=0.0)
        new = _next(x + stream * GATES * units, old, a, b, c, unit, units, GATES, LIMIT)
        tl.store(after + stream * units + unit, tl.where(tl.load(alive + stream) != 0, new, 0.0), mask=inside)
    else:
        after += stream * GATES * units + unit
        tl.store(after, a, mask=inside)
        if GATES == 3:
            tl.store(after + units, b, mask=inside)
            tl.store(after + 2 * units, c, mask=inside)


@kernel
def dense_step(  # type: ignore[no-untyped-def]
    product, x, before, after, rounded, alive, units, GATES: tl.constexpr, LIMIT: tl.constexpr, UNITS: tl.constexpr
):  # fmt: skip
    """after = the state after `before` where U h is `product`; rounded = the same in its own type."""
    stream = tl.program_id(1)
    unit = tl.program_id(0) * UNITS + tl.arange(0, UNITS)
    inside = unit < units
    a, b, c = _of_gates(product + stream * GATES * units + unit, units, inside, GATES)
    old = tl.load(before + stream * units + unit, mask=inside, other=0.0)
    new = _next(x + stream * GATES * units, old, a, b, c, unit, units, GATES, LIMIT)
    new = tl.where(tl.load(alive + stream) != 0, new, 0.0)
    tl.store(after + stream * units + unit, new, mask=inside)
    tl.store(rounded + stream * units + unit, new.to(rounded.dtype.element_ty), mask=inside)
