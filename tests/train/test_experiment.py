"""From a configuration to a finished run, on real files."""

import csv
import json
import math
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from prune_rnn import cpu, paths
from prune_rnn.config.config import compose_config
from prune_rnn.prune import q
from prune_rnn.run.identity import digest_of
from prune_rnn.run.resolve import resolve, run_of
from prune_rnn.run.store import Run, all_runs
from prune_rnn.run.weights import checkpoint
from prune_rnn.train import decode
from prune_rnn.train.experiment import experiment
from prune_rnn.train.loop import Trainer
from prune_rnn.train.stopping import Interrupted


def weights(run: Run) -> dict[str, torch.Tensor]:
    model: dict[str, torch.Tensor] = run.load(paths.MODEL)["model"]
    return model


def cut_at(step: Callable[..., float], cut: int) -> Callable[..., float]:
    """The same step, with a signal at one of them."""

    def signalled(self: Trainer, *arguments: object) -> float:
        loss = step(self, *arguments)
        if self.step == cut:
            os.kill(os.getpid(), signal.SIGTERM)
        return loss

    return signalled


def without_seconds(run: Run) -> list[dict[str, str]]:
    rows = list(csv.DictReader((run.folder / paths.HISTORY).read_text().splitlines()))
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def test_a_run_leaves_its_config_history_and_result(tiny: list[str]) -> None:
    words = ["model=gru_sparse", "prune.sparsity=0.5"]
    run = experiment(compose_config([*tiny, *words]), "prune-rnn train ...")
    result = run.result()
    assert {file.name for file in run.folder.iterdir()} == {
        paths.CONFIG, paths.HISTORY, paths.RESULT, paths.HYPOTHESES, paths.MODEL, paths.LOCK, paths.CHECKSUMS,
    }  # fmt: skip
    assert result.steps == 12 and len(without_seconds(run)) == 2
    assert result.q_source == "calibrated" and result.command == "prune-rnn train ..." and result.seed == 0
    assert result.test.cer.length == len("bca ab" + "ca cc" + "bb acb" + "ab bca")
    zeros = sum(int((value == 0).sum()) for name, value in weights(run).items() if value.dim() > 1)
    counted = sum(layer.parameters - layer.nonzero for layer in result.layers.values())
    assert result.parameters - result.nonzero == counted
    assert zeros > 0 and counted == zeros
    assert result.sparsity == pytest.approx(zeros / result.parameters)


def test_training_flushes_denormals(tiny: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """1e-39 is a denormal in float32; half of it is too."""
    found = []
    step = Trainer.one_step

    def watched(self: Trainer, *arguments: object) -> float:
        found.append(float(torch.tensor([1e-39]) * 0.5))
        return step(self, *arguments)  # type: ignore[arg-type]

    assert float(torch.tensor([1e-39]) * 0.5) > 0
    monkeypatch.setattr(Trainer, "one_step", watched)
    experiment(compose_config(tiny), "")
    assert found == [0.0] * 12


def test_a_finished_run_is_not_run_again(tiny: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    config = compose_config(tiny)
    first = experiment(config, "")
    before = {file: file.stat().st_mtime_ns for file in first.folder.iterdir()}
    monkeypatch.setattr(Trainer, "one_step", lambda *_: pytest.fail("trained again"))
    assert {file: file.stat().st_mtime_ns for file in experiment(config, "").folder.iterdir()} == before


def test_a_run_cut_off_between_its_weights_and_its_result_goes_on(
    tiny: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = compose_config(["model=gru_dense", *tiny])
    with monkeypatch.context() as cut:
        cut.setattr(Run, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            experiment(config, "test")
    run = experiment(config, "test")
    assert run.finished and (run.folder / paths.MODEL).exists() and not run.begun


def test_a_run_whose_result_was_lost_is_not_overwritten(tiny: list[str]) -> None:
    run = experiment(compose_config(["model=gru_dense", *tiny]), "test")
    (run.folder / paths.RESULT).unlink()
    before = {path.name: path.read_bytes() for path in run.folder.iterdir()}
    with pytest.raises(ValueError, match=r"result\.json is missing, and the weights of the finished run are"):
        experiment(compose_config(["model=gru_dense", *tiny]), "test")
    assert {path.name: path.read_bytes() for path in run.folder.iterdir()} == before


@pytest.mark.parametrize("cut", [1, 6, 8])  # within the first epoch, at its end, within the second
def test_a_run_cut_off_by_a_signal_ends_as_an_unbroken_one(
    cut: int, tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*tiny, "model=gru_sparse", "model.units=8", "prune.q=0.2"]
    unbroken = experiment(compose_config([*words, f"results={tmp_path / 'unbroken'}"]), "")
    config = resolve(compose_config(words))[0]
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "one_step", cut_at(Trainer.one_step, cut))
        with pytest.raises(Interrupted):
            experiment(config, "")
    assert run_of(config).begun and not run_of(config).finished
    resumed = experiment(config, "")
    assert without_seconds(resumed) == without_seconds(unbroken)
    ours, theirs = weights(resumed), weights(unbroken)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert resumed.result().test == unbroken.result().test


@pytest.mark.parametrize("cut", [1, 3, 5])  # while dev is decoded after the first epoch, after the last, in the test
def test_a_run_cut_off_while_it_evaluates_ends_as_an_unbroken_one(
    cut: int, tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request is obeyed before the next batch; each split has two."""
    words = [*tiny, "model=gru_sparse", "model.units=8", "prune.q=0.2", "train.batch_size=2"]
    unbroken = experiment(compose_config([*words, f"results={tmp_path / 'unbroken'}"]), "")
    config = resolve(compose_config(words))[0]
    loss, calls = decode.ctc_loss, []

    def signalled(*arguments: torch.Tensor) -> torch.Tensor:
        calls.append(None)
        if len(calls) == cut:
            os.kill(os.getpid(), signal.SIGTERM)
        return loss(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(decode, "ctc_loss", signalled)
        with pytest.raises(Interrupted):
            experiment(config, "")
    assert len(calls) == cut and not run_of(config).finished
    resumed = experiment(config, "")
    assert without_seconds(resumed) == without_seconds(unbroken)
    ours, theirs = weights(resumed), weights(unbroken)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert resumed.result().test == unbroken.result().test


def test_another_number_of_processes_is_reported_and_recorded(
    tiny: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = compose_config(tiny)
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "one_step", cut_at(Trainer.one_step, 3))
        with pytest.raises(Interrupted):
            experiment(config, "")
    run = run_of(config)
    state = run.load(paths.CHECKPOINT)
    assert state["processes"] == [1]
    run.save(paths.CHECKPOINT, {**state, "processes": [2]})
    result = experiment(config, "").result()
    assert "was trained by 2 processes and goes on with 1" in capsys.readouterr().err
    assert result.processes == [2, 1] and result.processes_in_words() == "2, then 1"


def test_the_machine_chooses_the_precision_and_the_run_stays_the_same(
    tiny: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Begun where bfloat16 is multiplied in hardware, ended where it isn't: one run, and both are recorded."""
    config = compose_config([*tiny, "train.precision=auto"])
    assert run_of(config).folder == run_of(compose_config([*tiny, "train.precision=bfloat16"])).folder
    with monkeypatch.context() as patch:
        patch.setattr(cpu, "multiplies_bfloat16", lambda: True)
        patch.setattr(Trainer, "one_step", cut_at(Trainer.one_step, 3))
        with pytest.raises(Interrupted):
            experiment(config, "")
    said = capsys.readouterr().err
    assert "products in bfloat16 (train.precision=auto: this machine multiplies bfloat16 in hardware)" in said
    monkeypatch.setattr(cpu, "multiplies_bfloat16", lambda: False)
    result = experiment(config, "").result()
    assert "trained in bfloat16, then float32 on different machines: rounding differs" in capsys.readouterr().err
    assert result.precision == ["bfloat16", "float32"]


def test_q_is_measured_of_dense_weights_only(tiny: list[str]) -> None:
    assert experiment(compose_config(tiny), "").result().q_of_weights is not None
    pruned = experiment(compose_config([*tiny, "model=gru_sparse", "prune.sparsity=0.4"]), "")
    assert pruned.result().q_of_weights is None


def test_a_goal_that_empties_a_layer_type_is_refused(tiny: list[str]) -> None:
    with pytest.raises(
        ValueError, match=r"prunable_sparsity=0\.9999: leaves not one of the [\d,]+ recurrent weights; give"
    ):
        resolve(compose_config([*tiny, "model=gru_sparse", "prune.prunable_sparsity=0.9999"]))


def test_best_is_looked_for_only_once_pruning_has_ended(tiny: list[str]) -> None:
    words = ["model=gru_sparse", "model.units=8", "prune.q=5", "prune.end_epoch=2"]  # everything goes at the end
    result = experiment(compose_config([*tiny, *words]), "").result()
    assert result.best_epoch == 2
    assert result.layers["recurrent.0"].nonzero == 2 * 3 * 8  # batch norm of three gates: the rest has gone


def test_q_comes_from_the_dense_run_of_the_family(tiny: list[str]) -> None:
    sparse = compose_config([*tiny, "model=gru_sparse", "model.baseline_units=8", "prune.q=baseline"])
    assert resolve(sparse)[1] == "estimate"
    dense = experiment(compose_config([*tiny, "model=gru_dense", "model.baseline_units=8", "seed=3"]), "")
    resolved, source = resolve(sparse)
    assert source == dense.folder.name and resolved.prune.q == dense.result().q_of_weights
    assert (
        run_of(resolved).folder
        != run_of(resolve(compose_config([*tiny, "model=gru_sparse", "prune.q=baseline"]))[0]).folder
    )
    state = weights(dense)
    recurrent = torch.cat([v.abs().flatten() for k, v in state.items() if k.startswith("recurrent.") and v.dim() > 1])
    share_below = float((recurrent <= resolved.prune.q["recurrent"] * 1.001).double().mean())
    assert share_below == pytest.approx(q.PERCENTILE, abs=0.005)


def test_baseline_goes_on_with_the_q_that_it_began_with(tiny: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A dense run that ends meanwhile does not change a run under way, only what is begun anew."""
    sparse = compose_config([*tiny, "model=gru_sparse", "model.baseline_units=8", "prune.q=baseline"])
    with monkeypatch.context() as patch:
        patch.setattr("prune_rnn.train.experiment.decode", lambda *_: (_ for _ in ()).throw(OSError("cut off")))
        with pytest.raises(OSError, match="cut off"):
            experiment(sparse, "")
    begun = run_of(resolve(sparse)[0])
    dense = experiment(compose_config([*tiny, "model=gru_dense", "model.baseline_units=8"]), "")
    assert resolve(sparse)[1] == "estimate" and run_of(resolve(sparse)[0]).folder == begun.folder
    experiment(sparse, "")
    assert begun.finished
    assert resolve(sparse)[1] == dense.folder.name  # now that it is finished, the dense run's q is the better one
    renewed = experiment(sparse, "")
    assert renewed.folder != begun.folder and run_of(resolve(sparse)[0]).folder == renewed.folder


def test_a_damaged_run_blocks_no_other(tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = [*tiny, "model=gru_sparse", "model.baseline_units=8", "prune.q=baseline"]
    damaged = run_of(resolve(compose_config(words))[0]).folder.with_name("other-0")
    damaged.mkdir(parents=True)
    (damaged / paths.CONFIG).write_text("name: [")
    assert experiment(compose_config(words), "").finished
    message = capsys.readouterr().err
    assert message.count("going on without a damaged run") == message.count(str(damaged)) - 1 == 1


@pytest.mark.parametrize("other", ["train.epochs=3", "model.activation=tanh", "data.skip_bad=true"])
def test_q_never_comes_from_another_family(tiny: list[str], other: str) -> None:
    experiment(compose_config([*tiny, "model=gru_dense", "model.baseline_units=8"]), "")
    sparse = compose_config([*tiny, "model=gru_sparse", "model.baseline_units=8", "prune.q=baseline", other])
    assert resolve(sparse)[1] == "estimate"


@pytest.mark.parametrize(("words", "sparsity"), [(["model.units=40"], 0.877), (["prune.sparsity=0.4"], 0.4)], ids=str)
def test_the_network_ends_at_the_sparsity_stated_or_else_at_the_papers(
    tiny: list[str], words: list[str], sparsity: float
) -> None:
    result = experiment(compose_config([*tiny, "model=rnn_sparse", *words]), "").result()
    assert result.sparsity == pytest.approx(sparsity, abs=2 / result.parameters)  # a weight of each layer type


def test_a_sparsity_is_named_by_its_content(tiny: list[str]) -> None:
    stated = resolve(compose_config([*tiny, "model=rnn_sparse", "prune.sparsity=0.4"]))[0]
    words = [f"prune.prunable_sparsity={stated.prune.prunable_sparsity}"]  # comes before the model's own
    assert run_of(resolve(compose_config([*tiny, "model=rnn_sparse", *words]))[0]).folder == run_of(stated).folder


def test_a_sparsity_that_cannot_be_is_refused_with_the_most_that_can(tiny: list[str]) -> None:
    fix = r"prune\.layers has [\d,]+ of [\d,]+ parameters; give less than 0\.\d+"
    with pytest.raises(
        ValueError, match=rf"prune\.sparsity=0\.99 \(of the model, unless given\): can't be met, as {fix}"
    ):
        resolve(compose_config([*tiny, "model=rnn_sparse", "prune.sparsity=0.99"]))


def test_a_loss_that_is_not_finite_keeps_the_last_checkpoint(tiny: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    config = compose_config(tiny)
    step = Trainer.one_step

    def broken(self: Trainer, *arguments: object) -> float:
        if self.step == 8:
            with torch.no_grad():
                self.model.output.bias.fill_(float("nan"))
        return step(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "one_step", broken)
        with pytest.raises(ArithmeticError, match=r"step 9 \(epoch 2, batch \d of 6"):
            experiment(config, "")
    assert run_of(config).load(paths.CHECKPOINT)["trainer"]["position"]["step"] == 6
    assert experiment(config, "").result().steps == 12


def test_bfloat16_trains(tiny: list[str]) -> None:
    assert experiment(compose_config([*tiny, "train.precision=bfloat16"]), "").result().steps == 12


def test_a_device_that_is_not_there_is_named(tiny: list[str]) -> None:
    with pytest.raises(ValueError, match="device=cuda:77: torch finds"):
        experiment(compose_config([*tiny, "device=cuda:77"]), "")


def test_the_committed_results_are_whole() -> None:
    """Every finished run has its three files, and its folder's name is the digest of what determines its result."""
    finished = [run for run in all_runs(Path(__file__).parents[2] / "results") if run.finished]
    assert len(finished) >= 2
    for run in finished:
        folder = run.folder
        assert (folder / paths.HISTORY).is_file()
        assert folder.name == f"{run.config().name}-{digest_of(run.config().identity)}"
        assert json.loads((folder / paths.RESULT).read_text())["command"].startswith("prune-rnn train ")


def test_two_folders_that_were_swapped_are_found_by_all_that_read_them(
    tiny: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Both are whole, and only their names are not those of their configurations."""
    config = compose_config([*tiny, "seed=1"])
    run, other = experiment(config, ""), experiment(compose_config([*tiny, "seed=2"]), "")
    between = run.folder.with_name("between")
    for old, new in ((run.folder, between), (other.folder, run.folder), (between, other.folder)):
        old.rename(new)
    message = rf"config\.yaml is that of {other.folder.name}, and the folder is {run.folder.name}"
    for read in (lambda: experiment(config, ""), lambda: checkpoint(run.folder)):
        with pytest.raises(ValueError, match=message):
            read()
    assert all_runs(Path(config.results)) == []
    assert capsys.readouterr().err.count("going on without a damaged run") == 2


@pytest.mark.parametrize("listed", [True, False])
def test_the_result_of_another_run_is_refused(tiny: list[str], relist: Callable, listed: bool) -> None:
    run, other = (experiment(compose_config([*tiny, f"seed={seed}"]), "") for seed in (1, 2))
    (run.folder / paths.RESULT).write_bytes((other.folder / paths.RESULT).read_bytes())
    if listed:
        relist(run)
    with pytest.raises(ValueError, match=r"result\.json is (damaged|that of run)"):
        run.check()


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_a_recording_damaged_behind_its_header_stops_the_run_before_training_or_is_skipped(
    tiny: list[str], tmp_path: Path, broken_flac: Path, split: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.mp3"
    soundfile.write(cut, np.random.default_rng(0).uniform(-0.5, 0.5, 64_000), 16_000)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 4])
    place = next(number for number, word in enumerate(tiny) if word.startswith(f"data.{split}="))
    old = Path(tiny[place].partition("=")[2])
    lines = [json.loads(line) for line in old.read_text().splitlines()]
    for line in lines:
        line["audio_filepath"] = str(old.parent / line["audio_filepath"])
    lines += [{"audio_filepath": str(path), "text": "a cab"} for path in (cut, broken_flac)]
    manifest = tmp_path / f"{split}.jsonl"
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    words = [*tiny[:place], f"data.{split}={manifest}", *tiny[place + 1 :]]
    with pytest.raises(ValueError, match=r"2 with unreadable audio") as caught:
        experiment(compose_config(words), "")
    assert "cut.mp3 is cut off: it has" in str(caught.value) and str(broken_flac) in str(caught.value)
    result = experiment(compose_config([*words, "data.skip_bad=true"]), "").result()
    assert math.isfinite(result.dev.loss) and math.isfinite(result.test.loss)
    assert "cut.mp3 is cut off" in capsys.readouterr().err


@pytest.fixture
def dense(tiny: list[str]) -> Run:
    """A finished dense run of another width than the student's."""
    return experiment(compose_config([*tiny, "model=gru_dense", "model.units=12", "train.epochs=1"]), "")


def test_a_run_with_a_teacher_goes_on_bit_for_bit(
    tiny: list[str], dense: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*tiny, "model=gru_sparse", "prune.sparsity=0.3", f"teacher={dense.folder}"]
    unbroken = experiment(compose_config([*words, f"results={tmp_path / 'unbroken'}"]), "")
    config = resolve(compose_config(words))[0]
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "one_step", cut_at(Trainer.one_step, 8))
        with pytest.raises(Interrupted):
            experiment(config, "")
    assert run_of(config).begun
    resumed = experiment(config, "")
    assert without_seconds(resumed) == without_seconds(unbroken)
    ours, theirs = weights(resumed), weights(unbroken)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    rows = list(csv.DictReader((resumed.folder / paths.HISTORY).read_text().splitlines()))
    assert all(float(row["divergence"]) > 0 for row in rows)
    assert resumed.result().dev.loss == float(rows[resumed.result().best_epoch - 1]["dev_loss"])
    alone = experiment(compose_config([word for word in words if not word.startswith("teacher")]), "")
    assert alone.folder != resumed.folder and "divergence" not in without_seconds(alone)[0]


def test_the_teachers_part_changes_the_gradient(tiny: list[str], dense: Run) -> None:
    words = [*tiny, "model=gru_dense", f"teacher={dense.folder}"]
    runs = [experiment(compose_config([*words, *more]), "") for more in ([], ["distil=2"], ["temperature=2"])]
    found = [weights(run)["linear.weight"] for run in runs]
    assert not torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])
