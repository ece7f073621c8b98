"""The paper's Table 2: the layers of each network with their parameters, at the paper's width and at the report's."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from prune_rnn.analyse.layers import sizes
from prune_rnn.analyse.layout import Layout, RowLayout
from prune_rnn.analyse.rows import Library
from prune_rnn.config.config import compose_config
from prune_rnn.report.base import Table, number
from prune_rnn.report.cells import laid_out


def tables(name: str, layout: Layout, library: Library) -> list[Table]:
    """Returns the table, a row for each layer of each network; no run is needed."""
    return [laid_out(name, layout, library, [cells for of in layout.rows for cells in _rows(of, library)])]


def _rows(of: RowLayout, library: Library) -> Iterator[dict[str, str]]:
    paper = compose_config([*shlex.split(of.overrides), "scale=paper"]).model
    here = library.row(of).composed.model
    for theirs, ours in zip(sizes(paper), sizes(here), strict=True):
        yield {
            "network": of.label or of.overrides,
            "layer": ours.layer,
            "the paper's units": number(paper.units, ",", "paper_units"),
            "the paper's parameters": number(theirs.parameters, ",", "paper_parameters"),
            "units": number(here.units, ","),
            "parameters": number(ours.parameters, ","),
            "can be pruned": number(ours.prunable, ",", "prunable"),
        }
