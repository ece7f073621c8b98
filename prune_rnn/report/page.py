"""The report as one HTML file: without scripts or requests, for light and dark, wide and narrow screens."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from string import Template

from prune_rnn.analyse.finished import Finished
from prune_rnn.report.base import DASH, Table, number
from prune_rnn.report.cells import percent
from prune_rnn.report.figures.catalogue import Drawn
from prune_rnn.run.shown import set_otherwise

TITLE = "Exploring sparsity in recurrent neural networks, reproduced"
_PAPER = "https://arxiv.org/abs/1704.05119"

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fdfdfc; --faint: #5a5a5a; --line: #d5d5d0; --tint: #f1f1ec;
  --warn: #8a3b00; --link: #00558c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9e9e6; --paper: #16181b; --faint: #a9adb2; --line: #3a3f45;
  --tint: #20242a; --warn: #ffb27a; --link: #7cc4ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 80rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
p, li, figcaption { max-width: 46rem; } a { color: var(--link); } .faint, figcaption { color: var(--faint); }
.warning { color: var(--warn); font-weight: 600; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; margin: 1rem 0; }
.scroll:focus-visible { outline: 2px solid var(--link); }
table { border-collapse: collapse; font-size: 0.8125rem; font-variant-numeric: tabular-nums; width: 100%; }
th, td { padding: 0.35rem 0.375rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
thead th { background: var(--tint); vertical-align: bottom; white-space: normal; overflow-wrap: normal;
  min-width: 3rem; }
.words td, .words thead th, th:first-child { text-align: left; }
.words td, .words th { white-space: normal; overflow-wrap: anywhere; vertical-align: top; }
.words td:last-child { min-width: 14rem; }
tbody th { position: sticky; left: 0; background: var(--paper); font-weight: 600; }
thead th:first-child { position: sticky; left: 0; }
tbody tr:last-child > * { border-bottom: 0; }
@media (max-width: 40rem) { tbody th { white-space: normal; overflow-wrap: normal; } }
code { font: 0.875em/1.5 ui-monospace, monospace; background: var(--tint); padding: 0.1em 0.3em; border-radius: 3px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1.5rem; }
figure { margin: 0; } img { display: block; width: 100%; max-width: 100%; height: auto; background: #fff;
  border: 1px solid var(--line); border-radius: 6px; }
figcaption { font-size: 0.875rem; margin-top: 0.5rem; }
@media print { body { max-width: none; font-size: 10pt; } .scroll { overflow: visible; }
  table { font-size: 6pt; } th, td { padding: 2pt; white-space: normal; overflow-wrap: normal; }
  .words td { overflow-wrap: anywhere; } thead th { min-width: 0; } img { max-width: 14cm; }
  figure { break-inside: avoid; } }
"""

_PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>$style</style>
</head>
<body>
<h1>$title</h1>
<p class="faint">Written by <code>$command</code>. The paper: Narang et al.,
<a href="$paper">Exploring Sparsity in Recurrent Neural Networks</a>, ICLR 2017.</p>
$sections
<h2 id="runs">The runs</h2>
$runs
</body>
</html>
""")


@dataclass(frozen=True, slots=True)
class Section:
    """The tables and figures of one scale."""

    tables: Sequence[Table]
    figures: Sequence[Drawn]


def page(command: str, sections: Sequence[Section], speed: Sequence[Table], runs: Sequence[Finished]) -> str:
    """Returns the page with its figures. command: what the user typed. speed: Table 5 of each record."""
    return _PAGE.substitute(
        title=escape(TITLE),
        style=_STYLE,
        command=escape(command),
        paper=_PAPER,
        sections="\n".join([*map(_section, sections), *map(_table, speed)]),
        runs=f"<p>{spent(runs)}</p>\n{provenance(runs).html('words')}" if runs else "<p>None yet.</p>",
    )


def _section(section: Section) -> str:
    figures = "".join(map(_figure, section.figures))
    shown = f'<div class="figures">{figures}</div>' if figures else "<p>No finished runs to draw yet.</p>"
    lead = _list(escape(finding) for table in section.tables for finding in table.findings)
    return "\n".join([lead, *map(_table, section.tables), "<h2>Figures</h2>", shown])


def spent(runs: Sequence[Finished]) -> str:
    """Returns a sentence on the number of runs and the time of their training."""
    on_gpu = [run.result for run in runs if not run.result.on_cpu]
    hours = sum(run.result.core_hours for run in runs if run.result.on_cpu)
    gpu = f", {sum(result.train_seconds for result in on_gpu) / 3600:.1f} hours on a GPU" if on_gpu else ""
    return f"Training these {len(runs)} runs took {hours:.1f} core-hours{gpu}."


def provenance(runs: Sequence[Finished]) -> Table:
    """Returns a row for each run: its folder, seed, CER, sparsity, settings, machine, versions, commit and command."""
    rows = [
        {
            "Run": run.name,
            "Seed": number(run.seed, ""),
            "Test CER %": percent(run.cer, "cer"),
            "Sparsity %": percent(run.result.sparsity, "sparsity", ".1f"),
            "Set otherwise": " ".join(set_otherwise(run.config)) or DASH,
            "q from": run.result.q_source or DASH,
            "Device": f"{run.result.device}, {run.result.processes_in_words()} process(es)",
            "Versions": ", ".join(f"{name} {version}" for name, version in run.result.versions.items()),
            "Commit": _commit(run.result.commit),
            "Command": run.result.command or DASH,
        }
        for run in runs
    ]
    return Table(name="runs", title="The runs", rows=rows)


def _commit(commit: str | None) -> str:
    """Returns the first 12 digits of a commit, and whether there were changes.

    >>> _commit("92ed11fe109a700dcdda45d03959d28167318daa+changes")
    '92ed11fe109a+changes'
    """
    if not commit:
        return DASH
    digits, plus, changes = commit.partition("+")
    return f"{digits[:12]}{plus}{changes}"


def _table(table: Table) -> str:
    notes = _list(
        f'<span class="warning">{escape(note)}</span>' if note.startswith("Warning") else escape(note)
        for note in table.notes
    )
    missing = _list(f"{escape(label)}: <code>{escape(command)}</code>" for label, command in table.missing)
    parts = [f'<h2 id="{escape(table.name)}">{escape(table.title)}</h2>', f"<p>{escape(table.caption)}</p>"]
    lead = "<p>No run yet; what makes one:</p>\n" if missing else ""
    return "\n".join([*parts, table.html(), notes, lead + missing])


def _list(items: Iterable[str]) -> str:
    """Returns an HTML list; "" without items. items: HTML."""
    lines = "".join(f"<li>{item}</li>\n" for item in items)
    return f"<ul>\n{lines}</ul>" if lines else ""


def _figure(figure: Drawn) -> str:
    source = base64.b64encode(figure.svg.read_bytes()).decode()
    plot, name = figure.plot, escape(figure.svg.stem)
    return (
        f'<figure id="{name}"><img alt="{escape(plot.title)}" src="data:image/svg+xml;base64,{source}">'
        f"<figcaption><strong>{escape(plot.title)}.</strong> {escape(plot.caption)}</figcaption></figure>\n"
    )
