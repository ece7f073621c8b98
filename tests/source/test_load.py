"""Training starts from what another run ended with: weights, batch norm and zeros; other shapes are refused."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from prune_rnn.config.config import Config, compose_config
from prune_rnn.data import loader
from prune_rnn.data.batch import Utterance, batches
from prune_rnn.deploy import file
from prune_rnn.deploy.fold import fold
from prune_rnn.deploy.pack import pack
from prune_rnn.engine.quantise import Dtype
from prune_rnn.model import layers
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.run.identity import digest
from prune_rnn.run.store import Run
from prune_rnn.run.weights import checkpoint
from prune_rnn.source.content import content
from prune_rnn.source.load import load, start_of, teacher_of
from prune_rnn.speech.features import BINS
from prune_rnn.train.experiment import experiment, load_splits
from prune_rnn.usage import UsageError

CPU = torch.device("cpu")


def exported(run: Run, path: Path) -> Path:
    config, model = checkpoint(run.folder)
    statistics = torch.zeros(BINS), torch.ones(BINS)
    path.write_bytes(file.to_bytes(pack(model.state_dict(), config, Dtype.float32, *statistics)))
    return path


@pytest.fixture
def sparse(tiny: list[str]) -> Run:
    return experiment(compose_config([*tiny, "model=gru_sparse", "prune.sparsity=0.3"]), "")


def state(run: Run) -> dict[str, Tensor]:
    return load("init", str(run.folder)).model.state_dict()


def test_a_run_and_its_packed_file_are_one_network(sparse: Run, tiny: list[str], tmp_path: Path) -> None:
    """To the bit, and by name: a training that starts from either is the same run."""
    path = exported(sparse, tmp_path / "p")
    of_file, of_run = (load("init", str(each)).model.state_dict() for each in (path, sparse.folder))
    assert all(torch.equal(of_file[key], of_run[key]) for key in of_run)
    assert content("init", str(path)) == content("init", str(sparse.folder))
    configs = [compose_config([*tiny, f"init={each}", f"teacher={each}"]) for each in (path, sparse.folder)]
    assert digest(configs[0]) == digest(configs[1])


@pytest.mark.parametrize("flush", [False, True])
def test_denormal_numbers_are_zero_in_every_process(flush: bool) -> None:
    state = {"recurrent.0.norm.running_var": torch.ones(1), "recurrent.0.norm.running_mean": torch.tensor([1e-39])}
    state |= {"recurrent.0.norm.weight": torch.ones(1), "recurrent.0.norm.bias": torch.zeros(1)}
    state |= {"linear.weight": torch.tensor([[1e-40, 1.0]]), "output.bias": torch.tensor([-1e-40])}
    assert torch.set_flush_denormal(flush)
    try:
        matrices, tensors = fold(state, Dtype.float32)
    finally:
        torch.set_flush_denormal(False)
    found = [weight.values for weight in matrices.values()] + [
        each for key, each in tensors.items() if "gain" not in key
    ]
    assert len(found) >= 3 and {float(value) for each in found for value in each.flatten()} == {0.0, 1.0}


def test_a_sample_has_few_utterances_of_each_batch(sparse: Run) -> None:
    """Of 40 batches of 512, 20 of 32: statistics need no more, and a GPU may hold no whole batch on one rank."""
    groups = [[Utterance(Path(f"{i}"), 100, "a")] * 512 for i in range(40)]
    sample = load("init", str(sparse.folder)).sample(groups)
    assert [len(each) for each in sample] == [32] * 20 and sample[1][0].audio == Path("2")


def test_it_computes_as_the_training_did_in_evaluation(sparse: Run) -> None:
    _, trained = checkpoint(sparse.folder)
    features, lengths = torch.randn(2, BINS, 60), torch.tensor([60, 50])
    with torch.no_grad():
        torch.testing.assert_close(
            load("init", str(sparse.folder)).model(features, lengths), trained(features, lengths)
        )


def test_batch_norm_gets_its_statistics_back(sparse: Run, tiny: list[str], tmp_path: Path) -> None:
    """In evaluation nothing changes; in training neither, on a batch of all that the statistics are of."""
    config = compose_config([*tiny, f"init={exported(sparse, tmp_path / 'p')}"])
    model, source = DeepSpeech2(config.model), start_of(config)
    assert source is not None
    every = batches(load_splits(config, model)["train"], 24)
    assert len(every) == 1
    source.fill(model, source.coding.alphabet, loader.load(source.sample(every)), CPU)
    (whole,) = loader.load(every)
    with torch.no_grad():
        wanted = source.model(whole.features, whole.lengths)
        for each in (model.eval(), model.train()):
            torch.testing.assert_close(each(whole.features, whole.lengths), wanted, atol=1e-3, rtol=0)


@pytest.mark.parametrize("method", ["fixed", "none"])
def test_zeros_stay_with_fixed_alone(method: str, sparse: Run, tiny: list[str]) -> None:
    words = [*tiny, "model=gru_sparse", f"init={sparse.folder}", f"prune={method}"]
    before, after = state(sparse), state(experiment(compose_config(words), ""))
    zeros = before["linear.weight"] == 0
    assert zeros.any() and not torch.equal(before["linear.weight"], after["linear.weight"])
    assert torch.equal(after["linear.weight"] == 0, zeros) is (method == "fixed")


def test_a_dense_network_has_no_zeros_to_keep(tiny: list[str], tmp_path: Path) -> None:
    dense = experiment(compose_config([*tiny, "model=gru_dense"]), "")
    words = [*tiny, "model=gru_sparse", f"init={dense.folder}", "prune=fixed"]
    with pytest.raises(UsageError, match=r"prune=fixed: init=.* has no zeros to keep; name a pruned network"):
        experiment(compose_config(words), "")


def test_a_pruned_network_is_pruned_further(sparse: Run, tiny: list[str]) -> None:
    words = [*tiny, "model=gru_sparse", f"init={sparse.folder}", "prune=cubic", "prune.sparsity=0.4"]
    before, after = state(sparse), state(experiment(compose_config(words), ""))
    name = "recurrent.0.input.weight"
    assert ((before[name] == 0) <= (after[name] == 0)).all() and (after[name] == 0).sum() > (before[name] == 0).sum()


def test_training_starts_from_the_weights(sparse: Run, tiny: list[str]) -> None:
    """With next to no learning rate they are where they were, but for batch norm, whose statistics are of train."""
    still = [*tiny, "model=gru_sparse", f"init={sparse.folder}", "prune=fixed", "train.learning_rate=1e-30"]
    before, after = state(sparse), state(experiment(compose_config(still), ""))
    kept = [key for key in before if not layers.norm_of(key)]
    assert len(kept) > 5 and all(torch.equal(before[key], after[key]) for key in kept)


def test_characters_take_their_output_weights_along(sparse: Run, tiny: list[str]) -> None:
    """In another order and number: ö is new, and all but the five that are shared are gone."""
    config = compose_config([*tiny, f"init={sparse.folder}", "data.alphabet=öcba"])
    model, source = DeepSpeech2(config.model), start_of(config)
    assert source is not None
    fresh = model.output.bias[5].item()
    groups = batches(load_splits(compose_config(tiny), model)["train"], 24)
    source.fill(model, "_ abcö", loader.load(groups), CPU)
    theirs = source.coding.alphabet
    for index, character in enumerate("_ abc"):
        row = theirs.index(character)
        assert torch.equal(model.output.weight[index], source.model.output.weight[row])
        assert model.output.bias[index] == source.model.output.bias[row]
    assert model.output.bias[5].item() == fresh
    assert torch.equal(model.linear.weight, source.model.linear.weight)


def config_of(tiny: list[str], run: Run, *words: str) -> Config:
    return compose_config([*tiny, f"init={run.folder}", f"teacher={run.folder}", *words])


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (
            ["model.units=9"],
            r"model.units is 8 there and 9 here; .* \(24, 82\) there and \(27, 82\) here; give model.un",
        ),
        (["model=rnn_dense", "model.units=8"], "model.cell is gru there and rnn here; .*give model.cell=gru"),
        (["model.activation=tanh"], "model.activation is clipped_relu there and tanh here; give model.activation=cl"),
    ],
)
def test_another_shape_is_refused(words: list[str], wanted: str, sparse: Run, tiny: list[str]) -> None:
    with pytest.raises(UsageError, match=wanted):
        start_of(config_of(tiny, sparse, *words))


def test_a_teacher_may_have_another_shape(sparse: Run, tiny: list[str]) -> None:
    assert teacher_of(config_of(tiny, sparse, "model=rnn_dense", "model.units=9"), CPU) is not None


def test_neither_is_there_where_none_is_asked_for(tiny: list[str]) -> None:
    config = compose_config(tiny)
    assert start_of(config) is None and teacher_of(config, CPU) is None
