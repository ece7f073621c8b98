"""The tables of Table 5, as rows by column; a dash where nothing was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from prune_rnn.bench.archive import Conditions, Row
from prune_rnn.bench.job import LAYER, NETWORK, PRODUCT
from prune_rnn.bench.matrices import FORCED, OWN_MASK, UNSTRUCTURED
from prune_rnn.report.base import DASH, Cell, number
from prune_rnn.report.table5.groups import TYPES, Case, Group, break_even, ratio

TARGET = 0.95  # the paper's sparsity, which the summary shows, or the nearest that was measured
Rows = list[dict[str, str]]


def time(row: Row | None, unit: float = 1.0, *, named: bool = False) -> Cell:
    """Returns median ± half the distance between the quartiles. unit: in microseconds. named: with the row's name.

    >>> time(None)
    '-'
    """
    if row is None:
        return Cell(DASH, None)
    middle, half = row.median_us / unit, (row.third_quartile_us - row.first_quartile_us) / 2 / unit
    text = f"{middle:,.0f} ± {half:,.0f}" if middle >= 100 else f"{middle:.1f} ± {half:.1f}"
    return Cell(f"{text} ({row.name})" if named else text, middle)


def speedup(value: float | None, of: str = "") -> Cell:
    """Returns a speed-up with two decimals below 10, one below 100, none above; then `of`.

    >>> speedup(5.432), speedup(25.04), speedup(105.3), speedup(0.5), speedup(None)
    ('5.43', '25.0', '105', '0.50 (slower)', '-')
    """
    if value is None:
        return Cell(DASH, None)
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return Cell(f"{value:.{digits}f}" + (" (slower)" if value < 1 else "") + (f", {of}" if of else ""), value)


def percent(sparsity: float) -> Cell:
    """Returns a fraction in percent, with one decimal where that isn't 0.

    >>> percent(0.95), percent(0.9282)
    ('95', '92.8')
    """
    return Cell(f"{100 * sparsity:.1f}".removesuffix(".0"), sparsity=sparsity)


def headline(groups: Iterable[Group]) -> list[Case]:
    """Returns the cases of the summary, one for each shape and mask, with the fewest streams.

    They are of the layer if it was measured, and of the sparsity nearest to 95 %. A model's own mask counts only where
    no random mask was measured, and never without zeros.
    """
    found = [group for group in groups if any(case.sparsity for case in group.cases)]
    for workload in (LAYER, PRODUCT, NETWORK):
        own = [group for group in found if group.workload == workload]
        fewest = [group for group in own if group.streams == min(each.streams for each in own)]
        cases = [case for group in fewest for case in group.cases if case.mask != FORCED and case.sparsity > 0]
        cases = [case for case in cases if case.mask != OWN_MASK] or cases
        nearest: dict[tuple[str, str], Case] = {}
        for case in sorted(cases, key=lambda case: abs(case.sparsity - TARGET)):
            nearest.setdefault((case.group.shape, case.mask), case)
        if cases:
            return [case for case in cases if nearest[case.group.shape, case.mask] is case]
    return []


def summary(cases: Sequence[Case], unit: float) -> Rows:
    """Returns a row for each case: the time in each type, the fastest dense baseline, and the speed-up over it."""
    several = len({case.sparsity for case in cases}) > 1  # else the title says it
    return [
        {
            "Shape": case.group.label,
            "Mask": case.mask,
            **({"Sparsity %": percent(case.sparsity)} if several else {}),
            **{weights: time(case.ours.get(weights), unit) for weights in TYPES},
            "Fastest dense baseline": time(case.group.fastest_dense(), unit, named=True),
            "Speed-up": speedup(ratio(case.group.fastest_dense(), case.fastest)),
        }
        for case in cases
    ]


def against_paper(groups: Mapping[tuple[str, str, int], Group], conditions: Conditions) -> Rows:
    """Returns a row for each shape of the paper's Table 5: the product, one stream, 95 % sparsity, unstructured."""
    table = []
    for shape, published in conditions.paper.items():
        group = groups.get((PRODUCT, shape, 1))
        case = group and next((c for c in group.cases if (c.sparsity, c.mask) == (TARGET, UNSTRUCTURED)), None)
        if not (group and case):
            continue
        base = groups.get((PRODUCT, conditions.baselines.get(shape, ""), 1))
        table.append(
            {
                "Shape": group.label,
                "Paper, us": number(published["us"], "g"),
                "Paper's speed-up": number(published["speedup"], "g"),
                "Here, us": time(case.fastest),
                "Over baseline's size": speedup(ratio(base.fastest_dense() if base else None, case.fastest)),
                "Over own size": speedup(ratio(group.fastest_dense(), case.fastest)),
            }
        )
    return table


def losses(groups: Iterable[Group]) -> Rows:
    """Returns a row for each workload, mask and sparsity where sparse is slower than the fastest dense baseline.

    A cell has the number of such groups, of all groups, and the least ratio. Models' own masks make one row for each
    workload; masks without zeros are left out.
    """
    ratios: dict[tuple[str, str, str], dict[str, list[float]]] = {}
    for group in groups:
        for case in group.cases:
            if case.mask == FORCED or case.sparsity == 0:
                continue
            sparsity = "various" if case.mask == OWN_MASK else percent(case.sparsity)
            by_type = ratios.setdefault((group.workload, case.mask, sparsity), {})
            for weights, row in case.ours.items():
                value = ratio(group.fastest_dense(), row)
                by_type.setdefault(weights, []).extend([] if value is None else [value])
    table = []
    for (workload, mask, sparsity), by_type in ratios.items():
        if any(value < 1 for values in by_type.values() for value in values):
            cells = {weights: _lost(by_type.get(weights, [])) for weights in TYPES}
            table.append({"Workload": workload, "Mask": mask, "Sparsity %": sparsity, **cells})
    return table


def _lost(ratios: Sequence[float]) -> str:
    slower = [value for value in ratios if value < 1]
    return f"{len(slower)} of {len(ratios)}" + (f", down to {min(slower):.2f}" if slower else "") if ratios else DASH


def break_even_ranges(groups: Sequence[Group]) -> Rows:
    """Returns a row for each workload: in each type the lowest and highest break-even sparsity of its groups."""
    table = []
    for workload in dict.fromkeys(group.workload for group in groups):
        row = {"Workload": workload}
        for weights in TYPES:
            own = [break_even(group, weights) for group in groups if group.workload == workload]
            found = sorted(each for each in own if each is not None)
            row[weights] = " to ".join(dict.fromkeys([str(found[0]), str(found[-1])])) if found else DASH
        if {row[weights] for weights in TYPES} != {DASH}:
            table.append(row)
    return table


def break_even_table(groups: Iterable[Group]) -> Rows:
    """Returns a row for each group: the break-even sparsity of unstructured masks in each type."""
    table = []
    for group in groups:
        found = {weights: break_even(group, weights) for weights in TYPES}
        if any(found.values()):
            cells = {weights: DASH if each is None else str(each) for weights, each in found.items()}
            table.append({"Shape": group.label, "Streams": str(group.streams), **cells})
    return table


def sparse_times(groups: Sequence[Group], bases: Mapping[int, Group], unit: float) -> Rows:
    """Returns a row for each case of one shape, with all that was measured.

    bases: by number of streams, the groups of the shape that the paper compares with.
    """
    table = []
    for group in groups:
        base = bases.get(group.streams)
        for case in group.cases:
            fastest = case.fastest
            table.append(
                {
                    "Streams": str(group.streams),
                    "Sparsity %": percent(case.sparsity),
                    "Mask": case.mask,
                    **{weights: time(case.ours.get(weights), unit) for weights in TYPES},
                    "CSR": time(case.named("torch CSR", "cuSPARSE"), unit),
                    "scipy CSR": time(case.named("scipy CSR"), unit),
                    "Fastest dense baseline": time(group.fastest_dense(), unit, named=True),
                    "Speed-up": speedup(ratio(group.fastest_dense(), fastest), fastest.weights),
                    "Fastest rounds": speedup(case.speedup_of_fastest_rounds),
                    "Baseline's size": speedup(ratio(base.fastest_dense() if base else None, fastest)),
                }
            )
    measured = [name for name in (table[0] if table else ()) if any(row[name] != DASH for row in table)]
    return [{name: row[name] for name in measured} for row in table]


def by_type(groups: Iterable[Group], unit: float) -> Rows:
    """Returns each type's speed-up over the dense baselines of each type, at the highest sparsity of each mask."""
    table = []
    for group in groups:
        highest = {case.mask: max(c.sparsity for c in group.cases if c.mask == case.mask) for case in group.cases}
        for case in group.cases:
            if case.mask == FORCED or case.sparsity != highest[case.mask]:
                continue
            for weights, row in case.ours.items():
                over = {f"over {each}": speedup(ratio(group.fastest_dense(each), row)) for each in TYPES}
                table.append(
                    {
                        "Streams": str(group.streams),
                        "Sparsity %": percent(case.sparsity),
                        "Mask": case.mask,
                        "Weights": weights,
                        "Time": time(row, unit),
                        "over torch float32": speedup(ratio(group.torch_float32, row)),
                        **over,
                    }
                )
    return table


def dense_times(groups: Sequence[Group], unit: float) -> Rows:
    """Returns a row for each dense baseline of one shape, with a column for each number of streams."""
    names = dict.fromkeys(row.name for group in groups for row in group.dense)
    found = {(group.streams, row.name): row for group in groups for row in group.dense}
    streams = [group.streams for group in groups]
    return [{"Baseline": name, **{str(n): time(found.get((n, name)), unit) for n in streams}} for name in names]
