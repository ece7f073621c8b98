"""The paper's Table 5, the speed of sparse against dense networks: rendered from a record of `prune-rnn bench`.

The files are a pure function of `all.csv` and `conditions.json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from prune_rnn.bench import archive
from prune_rnn.bench.archive import Conditions
from prune_rnn.bench.job import LAYER, NETWORK, PRODUCT, STAGES, WORKLOADS
from prune_rnn.bench.matrices import BREAK_EVEN, FORCED
from prune_rnn.files import write_atomically
from prune_rnn.report.base import Table
from prune_rnn.report.figures.style import save, settings
from prune_rnn.report.table5 import plot, stages, tables
from prune_rnn.report.table5.groups import Case, Group, grouped
from prune_rnn.report.table5.tables import Rows

Groups = Mapping[tuple[str, str, int], Group]
FIGURE = "speedup"  # .png and .svg
_UNITS = {
    PRODUCT: (1.0, "microseconds"),
    LAYER: (1.0, "microseconds a time step"),
    NETWORK: (1000.0, "milliseconds for a second of audio"),
}
_TITLES = {
    PRODUCT: "The recurrent product alone",
    LAYER: "The recurrent layer over a sequence, with its gates",
    NETWORK: "The whole network, from features to log-probabilities",
}
_WIDTHS = {"Shape": 20, "Fastest dense baseline": 31}  # of the terminal's columns, in characters


def write(folder: Path) -> str:
    """Renders the record in the folder to files beside it, and returns the summary for a terminal of 120 columns.

    README.md: the summary. summary.tex: its first table. product.md, layer.md, network.md, stages.md: all rows.
    speedup and stages, .png and .svg. Raises OSError and ValueError as `archive.read` does.
    """
    rows, conditions = archive.read(folder)
    groups = grouped(row for row in rows if not row.stage)
    networks = stages.by_network(row for row in rows if row.stage)
    cases = tables.headline(groups.values())
    with settings():
        workload = cases[0].group.workload if cases else LAYER
        figure = plot.draw([group for group in groups.values() if group.workload == workload])
        if figure is not None:
            save(figure, folder / FIGURE)
        if networks:
            save(stages.draw(networks), folder / STAGES)
    written = {
        f"{workload}.md": page(groups, workload, conditions) for workload in {workload for workload, *_ in groups}
    }
    if networks:
        written[f"{STAGES}.md"] = stages_page(networks, conditions)
    written["README.md"] = readme(groups, conditions, drawn=figure is not None, staged=bool(networks))
    written["summary.tex"] = latex(cases, conditions)
    for name, text in written.items():
        write_atomically(folder / name, text.encode())
    return terminal(groups, networks, conditions) + f"\n\nAll of it, with what the numbers mean: {folder / 'README.md'}"


def shown(folder: Path) -> Table:
    """Returns the summary's first table, for the report's page. Raises OSError and ValueError as `write` does."""
    rows, conditions = archive.read(folder)
    cases = tables.headline(grouped(row for row in rows if not row.stage).values())
    of = f"Table 5 on {machine(conditions)}"
    caption = f"{title(cases)}. Commit {(conditions.commit or 'unknown')[:12]}, by `{conditions.command}`."
    return Table(name=folder.name, title=of, caption=caption, rows=_headline(cases))


def title(cases: Sequence[Case]) -> str:
    """Returns the title of the summary's first table."""
    if not cases:
        return "Nothing sparse was measured"
    workload, streams = cases[0].group.workload, cases[0].group.streams
    same = len({case.sparsity for case in cases}) == 1
    sparsity = f", {tables.percent(cases[0].sparsity)} % sparsity" if same else ""
    return f"{_TITLES[workload]}: {streams} stream{'s' * (streams > 1)}{sparsity}, {_UNITS[workload][1]}"


def _headline(cases: Sequence[Case]) -> Rows:
    return tables.summary(cases, _UNITS[cases[0].group.workload][0]) if cases else []


def _grid(rows: Rows, *above: str) -> list[str]:
    """Returns paragraphs and the table below them, as Markdown; nothing without rows."""
    return [*above, Table(rows=rows).grid()] if rows else []


def _text(rows: Rows, above: str) -> list[str]:
    """Returns a paragraph and the table below it, for a terminal; nothing without rows."""
    return [above, Table(rows=rows, widths=_WIDTHS).text()] if rows else []


def machine(conditions: Conditions) -> str:
    """Returns the machine in a few words."""
    return f"{conditions.machine}, {conditions.threads} CPU thread{'s' * (conditions.threads > 1)}"


def explained(c: Conditions) -> list[str]:
    """Returns paragraphs on the machine, the versions, the method and the terms of the tables."""
    kernels = f"its engine compiled for {c.engine}" if c.engine else "its engine not compiled (no C++ compiler?)"
    if c.device == "cuda":
        kernels = "its Triton kernels. TF32 is float32 with 10 bits of the fraction in products"
    libraries = ", ".join(f"{name} {version}" for name, version in c.libraries.items())
    missing = f"; not installed and left out: {', '.join(c.missing)}" if c.missing else ""
    load = "unknown" if c.load is None else f"{c.load:.1f}"
    return [
        f"Machine: {machine(c)}; load after the run: {load}. Measured by `{c.command}`.",
        f"prune-rnn {c.version}, commit {c.commit or 'unknown'}; {kernels}.",
        f"Libraries: {libraries}{missing}.",
        f"A time is the median ± half the distance between the quartiles of {c.rounds} measurements of about "
        f"{c.seconds:g} s each, warm. All ways of a group take turns, so that they meet the same machine.",
        "Weights and masks are random (seed 0), except those of models, which are named by their run.",
        "float32, bfloat16, int8: the type of the weights and of the vectors that they meet. Sums and gates are "
        "float32; int8 sums are int32.",
        "Speed-up: the time of the fastest dense baseline over that of the fastest sparse way, whatever their types. "
        "Below 1, sparse is slower.",
        'Dense baselines include this project\'s own dense kernels. Those called "(no inputs)" are library layers that '
        "can't be given the input contribution, and do a little less work.",
        "Packing a matrix is not in the times; `all.csv` has it.",
    ]


def readme(groups: Groups, conditions: Conditions, drawn: bool, staged: bool) -> str:
    """Returns the summary as Markdown. drawn: the figure lies beside it. staged: the page of stages does."""
    cases = tables.headline(groups.values())
    every = list(groups.values())
    parts = [
        f"# Table 5 on {machine(conditions)}",
        "How fast sparse is against dense. All rows: " + _links(groups, staged) + ".",
        "\n".join(f"- {each}" for each in explained(conditions)),
    ]
    if groups:
        parts += [f"## {title(cases)}", *_grid(_headline(cases))]
    if drawn:
        forced = ""
        if any(case.mask == FORCED for group in every for case in group.cases):
            below = ", ".join(tables.percent(sparsity) for sparsity in BREAK_EVEN)
            forced = f" At {below} % the engine is made to use a sparse format; by itself it would choose a dense one."
        parts += [
            "## Speed-up against sparsity",
            f"![Speed-up over the fastest dense baseline against sparsity]({FIGURE}.png)",
            f"The {cases[0].group.workload} with random masks: the median over the shapes. "
            f"The band spans all shapes, of unstructured masks.{forced}",
        ]
    parts += _grid(
        tables.losses(every),
        "## Where sparse loses",
        "In how many groups (a shape and a number of streams) sparse is slower than the fastest dense baseline, "
        "and the least speed-up. What isn't listed loses nowhere.",
    )
    parts += _grid(
        tables.break_even_ranges(every),
        "Break-even sparsity: from here on unstructured masks are faster than the fastest dense baseline. The "
        "lowest and the highest of all groups:",
    )
    parts += _grid(
        tables.against_paper(groups, conditions),
        "## The paper's own comparison",
        "The product, 1 stream, 95 % sparsity, unstructured. The paper measured on a TitanX (Maxwell), and "
        "compares with the dense network of the baseline's size (1760 or 2560 units), not of the same size. "
        "The last two columns are this machine's speed-ups over both.",
    )
    return "\n\n".join(parts) + "\n"


def _links(groups: Groups, staged: bool) -> str:
    measured = {workload for workload, *_ in groups} | ({STAGES} if staged else set())
    pages = [f"[{each}]({each}.md)" for each in WORKLOADS if each in measured]
    return ", ".join([*pages, f"[CSV]({archive.ROWS})"])


def page(groups: Groups, workload: str, conditions: Conditions) -> str:
    """Returns all rows of one workload as Markdown, shape by shape."""
    unit, words = _UNITS[workload]
    by_shape: dict[str, list[Group]] = {}
    for group in groups.values():
        if group.workload == workload:
            by_shape.setdefault(group.shape, []).append(group)
    parts = [
        f"# {_TITLES[workload]}, {words}",
        f"On {machine(conditions)}. What the columns mean: [README.md](README.md). Fastest rounds: the speed-up from "
        "the fastest round of each, which other work on the machine disturbs least.\n"
        "Baseline's size: the paper's own comparison, against the fastest dense baseline of the dense network's width.",
    ]
    parts += _grid(
        tables.break_even_table(group for own in by_shape.values() for group in own),
        "## Break-even sparsity of unstructured masks against the fastest dense baseline",
    )
    for shape, own in by_shape.items():
        bases = {group.streams: group for group in by_shape.get(conditions.baselines.get(shape, ""), [])}
        parts += [f"## {own[0].label}", *_grid(tables.sparse_times(own, bases, unit))]
        parts += _grid(tables.by_type(own, unit), "Speed-up over the fastest dense baseline of each type:")
        dense = Table(rows=tables.dense_times(own, unit))
        parts += ["Dense baselines, by number of streams:", dense.grid()]
    return "\n\n".join(parts) + "\n"


def stages_page(networks: dict[str, stages.Ways], conditions: Conditions) -> str:
    """Returns the stages of all networks as Markdown, under their figure."""
    order = stages.order(networks)
    parts = [
        f"# {stages.TITLE}, milliseconds",
        f"On {machine(conditions)}, one stream. Medians; more: [README.md](README.md). Batch norm and activation "
        "count with what they follow; the output with its linear layer. Streamed: fed 20 ms at a time.",
        f"![Stacked bars of the stages of each network]({STAGES}.png)",
    ]
    for label, ways in networks.items():
        parts += _grid(stages.table(ways, order), f"## {label}")
    return "\n\n".join(parts) + "\n"


def latex(cases: Sequence[Case], conditions: Conditions) -> str:
    """Returns the summary's first table for LaTeX (booktabs), with the conditions as comments."""
    return Table(rows=_headline(cases), title=f"Table 5. {title(cases)}.", notes=explained(conditions)).latex()


def terminal(groups: Groups, networks: dict[str, stages.Ways], conditions: Conditions) -> str:
    """Returns the summary as plain text, at most 120 characters a line."""
    cases = tables.headline(groups.values())
    parts = [f"Table 5 on {machine(conditions)}"]
    if groups:
        parts += _text(_headline(cases), title(cases)) or [title(cases)]
    parts += _text(
        tables.losses(groups.values()),
        "Where sparse is slower than the fastest dense baseline: in so many groups, with the least speed-up",
    )
    parts += _text(
        tables.against_paper(groups, conditions),
        "The paper's own comparison: the product, 1 stream, 95 % sparsity, unstructured",
    )
    if networks:
        parts += [f"{stages.TITLE}, one stream", "\n".join(stages.lines(networks))]
    return "\n\n".join(parts)
