"""Runs under different conditions are kept apart and named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prune_rnn.analyse.agreement import agree, conditions, largest, unlike
from prune_rnn.analyse.finished import Finished
from prune_rnn.analyse.rows import Row

Make = Callable[..., Finished]


@pytest.fixture
def run(result_of: Callable) -> Make:
    """Makes a finished run of a name and a seed; keywords replace fields of its result."""
    return lambda name, seed=0, **values: Finished(Path(name), None, result_of(seed=seed, **values))


def row(label: str, *runs: Finished, sparse: bool = True, family: str = "gru") -> Row:
    return Row(
        label=label,
        family=family,
        model="",
        command="",
        trains=None,
        units=1,
        sparse=sparse,
        config=None,
        composed=None,
        runs=list(runs),
    )


@pytest.mark.parametrize(
    ("values", "key", "value"),
    [
        ({"q_source": None}, "q source", "none"),
        ({"q_source": "given"}, "q source", "given"),
        ({"q_source": "estimate"}, "q source", "estimate"),
        ({"q_source": "calibrated"}, "q source", "calibrated"),
        ({"q_source": "gru_dense-0123456789"}, "q source", "dense run"),
        ({"q": {"recurrent": 0.1085, "linear": 0.2}}, "q", "linear 0.2, recurrent 0.1085"),
        ({"processes": 4}, "processes", "4"),
        ({"precision": "float32"}, "precision", "float32"),
        ({"precision": ["bfloat16", "float32"]}, "precision", "bfloat16, then float32"),
        ({"versions": {"torch": "2.12.0"}}, "torch", "2.12.0"),
        ({"versions": {}}, "prune-rnn", "not recorded"),
        ({"device": "NVIDIA H100 80GB HBM3"}, "device", "GPU"),
        ({"device": "aarch64 CPU"}, "device", "CPU"),
    ],
)
def test_conditions(run: Make, values: dict[str, Any], key: str, value: str) -> None:
    assert conditions(run("a", **values))[key] == value


def test_runs_that_agree_stay_without_a_word(run: Make) -> None:
    sparse = row("Sparse", *(run(f"s{seed}", seed, q_source="dense-1") for seed in (0, 1)))
    rows = [row("Dense", run("d0"), run("d1", 1), sparse=False), sparse]
    assert agree(rows) == (rows, [])


def test_the_larger_group_is_averaged_and_the_rest_named(run: Make) -> None:
    odd = run("s0", versions={"prune-rnn": "0.1.0", "torch": "2.12.0"})
    (kept,), (warning,) = agree([row("Sparse", odd, run("s1", 1), run("s2", 2))])
    assert [one.name for one in kept.runs] == ["s1", "s2"]
    assert warning == "Sparse: its runs differ in torch: 2.12.0 (s0), 2.11.0 (s1, s2). Left out: s0."


def test_of_equal_groups_the_baselines_conditions_win_then_the_lowest_seed(run: Make) -> None:
    gpu, cpu = run("g", 0, device="H100"), run("c", 1)
    assert largest([gpu, cpu]) == [gpu] and largest([cpu, gpu]) == [gpu]
    assert largest([gpu, cpu], [run("d")]) == [cpu]
    assert largest([]) == []


def test_a_row_unlike_its_baseline_is_reported(run: Make) -> None:
    dense, four = row("Dense", run("d"), sparse=False), {"processes": 4}
    small, medium = row("Small", run("s", **four), sparse=False), row("Medium", run("m", **four), sparse=False)
    rows, (warning,) = agree([dense, small, medium])
    assert len(rows[1].runs) == 1
    may = "and the relative performance may be due to that: Small; Medium."
    assert warning == f"These differ from Dense in processes (4, there 1), {may}"


def test_rows_that_differ_otherwise_have_sentences_of_their_own(run: Make) -> None:
    dense, other = row("Dense", run("d", precision="float32")), row("Other", run("o", device="H100"))
    half = row("Half", run("h0", precision="bfloat16"), run("h1", 1, precision="float32"))
    found = unlike([(half, dense), (dense, dense), (row("None"), dense), (half, other), (half, dense)])
    assert [text.partition(",")[0] for text in found] == [
        "These differ from Dense in precision (bfloat16",
        "These differ from Other in precision (bfloat16",
        "These differ from Other in device (CPU",
    ]
    assert found[0].endswith("that: Half.")


def test_sources_of_q_are_compared_among_pruned_rows_only(run: Make) -> None:
    dense, other = run("d"), run("x", q_source="given")
    rows = [row("Dense", dense, sparse=False), row("Sparse", run("s", q_source="d")), row("Big", other)]
    _, warnings = agree([*rows, row("RNN", run("r", q_source="estimate"), family="rnn")])
    assert warnings == [
        "The pruned GRU rows have thresholds from different sources, q source: dense run (s), given (x)."
    ]


def test_another_q_is_another_condition(run: Make) -> None:
    q = [{"recurrent": 0.1}, {"recurrent": 0.1}, {"recurrent": 0.2}]
    (kept,), (warning,) = agree([row("Sparse", *(run(f"s{n}", n, q_source="d", q=one) for n, one in enumerate(q)))])
    assert [one.name for one in kept.runs] == ["s0", "s1"]
    assert "q: recurrent 0.1 (s0, s1), recurrent 0.2 (s2)" in warning


def test_other_seeds_than_the_baselines_are_reported(run: Make) -> None:
    dense = row("Dense", run("d0"), run("d1", 1), sparse=False)
    _, (warning,) = agree([dense, row("Sparse", run("s0"), run("s2", 2))])
    assert warning.startswith("Sparse has the seeds 0, 2 and its baseline Dense has 0, 1:")
    assert warning.endswith("0, 1: the relative performance compares means over different seeds.")


def test_a_run_of_an_earlier_q_is_reported(run: Make) -> None:
    sparse = replace(row("Sparse", run("s0"), run("s1", 1)), outdated=["s1"])
    _, (warning,) = agree([sparse])
    assert warning.startswith("Sparse: s1 used the q that prune.q=baseline gave at the time")


def test_a_change_of_processes_is_a_condition(run: Make) -> None:
    assert conditions(run("a", processes=[2, 1]))["processes"] == "2, then 1"
