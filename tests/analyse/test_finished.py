"""A finished run as the tables read it: what does not belong together is refused."""

from collections.abc import Callable

import pytest

from prune_rnn.analyse.finished import read


def test_edits_add_up_to_the_results_cer(fabricate: Callable) -> None:
    run = read(fabricate("gru_dense", edits=[0, 11, 22]))
    edits = run.edits()
    assert edits is not None and edits.counts.tolist() == [0, 11, 22] and run.cer == 0.5
    assert run.name.startswith("gru_dense-") and run.seed == 0
    assert run.history()["epoch"].tolist() == list(range(1, 21))


def test_hypotheses_of_another_run_are_refused(fabricate: Callable, relist: Callable) -> None:
    run, other = fabricate("gru_dense", edits=[1, 2]), fabricate("gru_dense", "seed=1", edits=[1, 3])
    (run.folder / "hypotheses.jsonl").write_text((other.folder / "hypotheses.jsonl").read_text())
    relist(run)
    with pytest.raises(ValueError, match=r"4 edits in 44 characters, result.json 3 in 44.*train again"):
        read(run).edits()


@pytest.mark.parametrize("content", [None, "", "epoch,step\n1,2\n"])
def test_a_damaged_history_is_named(fabricate: Callable, relist: Callable, content: str | None) -> None:
    run = fabricate("gru_dense", heard=False)
    assert read(run).edits() is None
    path = run.folder / "history.csv"
    path.unlink() if content is None else path.write_text(content)
    relist(run)
    with pytest.raises(ValueError, match=r"history.csv is missing or damaged"):
        read(run).history()
