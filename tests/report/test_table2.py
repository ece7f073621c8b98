"""Table 2 has the paper's counts at the paper's widths, and those of the report's scale beside them."""

from pathlib import Path

from prune_rnn.analyse.layout import file_of, layout
from prune_rnn.analyse.rows import Library
from prune_rnn.report.table2 import tables


def test_the_papers_counts(tmp_path: Path) -> None:
    (table,) = tables("table2", layout(file_of("table2")), Library([f"results={tmp_path}"]))
    found = {(row["network"], row["layer"]): row for row in table.rows}
    paper = {key: row["the paper's parameters"] for key, row in found.items()}
    assert paper["RNN Dense", "recurrent.0"] == "8,507,840" and paper["RNN Dense", "recurrent.6"] == "9,296,320"
    assert paper["GRU Dense", "recurrent.0"] == "29,752,320" and paper["GRU Dense", "row_conv"] == "107,520"
    assert (paper["RNN Dense", "all"], paper["GRU Dense", "all"]) == ("67,696,733", "115,425,533")
    whole = found["GRU Dense", "all"]
    assert (whole["units"], whole["parameters"], whole["the paper's units"]) == ("128", "343,273", "2,560")
    assert found["GRU Dense", "conv.1"]["can be pruned"] == "0"
    assert not table.missing
