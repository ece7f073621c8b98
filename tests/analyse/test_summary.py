"""The summary at the end of a run."""

from prune_rnn.analyse.summary import summary
from prune_rnn.config.config import compose_config
from prune_rnn.train.experiment import experiment


def test_the_summary_states_the_result_and_its_scale(tiny: list[str]) -> None:
    run = experiment(compose_config([*tiny, "model=gru_sparse", "model.units=8", "prune.sparsity=0.5"]), "")
    result, text = run.result(), summary(run)
    assert f"{100 * result.test.cer.rate:.2f} %" in text and f"{result.nonzero:,}" in text
    assert "gru_sparse, 8 units" in text and "smoke" in text and str(run.folder) in text
    assert "(q: calibrated)" in text
