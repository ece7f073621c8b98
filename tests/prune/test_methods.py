"""What every pruning method keeps to: the contract tests run over all of them."""

import copy
import itertools

import pytest
import torch
from torch import Tensor

from prune_rnn import paths
from prune_rnn.config.config import Config, compose_config
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.prune.masker import Masker
from prune_rnn.prune.methods import METHODS
from prune_rnn.run.resolve import resolve

STEPS, EPOCHS = 6, 8
ALONE = [name for name in METHODS if name != "fixed"]  # which needs a network that is pruned already
every_method = pytest.mark.parametrize("name", ALONE)


def resolved(name: str) -> Config:
    words = ["model=gru_sparse", f"prune={name}", "scale=smoke", "model.units=8", f"train.epochs={EPOCHS}"]
    return resolve(compose_config([*words, "model.sparsity=0.4"]))[0]


def begun(name: str, seed: int = 0) -> tuple[DeepSpeech2, Masker]:
    config = resolved(name)
    torch.manual_seed(0)
    model = DeepSpeech2(config.model)
    return model, config.prune.masker(config.prune.weights(model), STEPS, seed=seed, gates=model.gates())


def move(model: DeepSpeech2, masker: Masker, first: int, last: int) -> list[dict[str, Tensor]]:
    """Moves every weight at random before each step; returns the masks after each."""
    found = []
    for step in range(first, last + 1):
        generator = torch.Generator().manual_seed(step)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=generator)
                parameter.add_(0.02 * parameter.grad)
        masker.mask_gradients(step)
        masker.after_step(step)
        found.append({key: mask.clone() for key, mask in masker.masks.items()})
    return found


def test_every_option_has_its_class_and_every_class_its_option() -> None:
    assert set(paths.options("prune")) == set(METHODS)


@every_method
def test_an_option_bears_its_own_name(name: str) -> None:
    assert type(compose_config(["model=gru_sparse", f"prune={name}"]).prune) is METHODS[name]
    assert resolved(name).prune.method == name


@every_method
def test_its_name_is_not_to_be_set(name: str) -> None:
    other = next(each for each in METHODS if each != name)
    with pytest.raises(ValueError, match=f"prune.method={other}: is not to be set; choose the option by prune={other}"):
        compose_config(["model=gru_sparse", f"prune={name}", f"prune.method={other}"])


@every_method
def test_a_masked_weight_never_lives(name: str) -> None:
    model, masker = begun(name)
    for step in range(1, STEPS * EPOCHS + 1):
        move(model, masker, step, step)
        masker.check()


@every_method
def test_the_sparsity_reported_is_the_sparsity_counted(name: str) -> None:
    model, masker = begun(name)
    move(model, masker, 1, STEPS * EPOCHS)
    for layer_type, group in masker.weights.items():
        zeros = sum(int((p == 0).sum()) for p in group.values())
        assert masker.sparsity()[layer_type] == pytest.approx(zeros / sum(p.numel() for p in group.values()))


@every_method
def test_the_network_ends_at_the_goal(name: str) -> None:
    config = resolved(name)
    model, masker = begun(name)
    move(model, masker, 1, STEPS * EPOCHS)
    goal = getattr(config.prune, "prunable_sparsity", 0.0)
    assert (goal > 0) is config.prune.prunes
    zeros = sum(int((p == 0).sum()) for p in masker.parameters.values())
    every = sum(p.numel() for p in masker.parameters.values())
    assert abs(zeros - goal * every) <= config.prune.grain * len(masker.weights)


@every_method
def test_a_run_again_prunes_the_same_weights(name: str) -> None:
    (model, masker), (other, again) = begun(name), begun(name)
    first, second = move(model, masker, 1, STEPS * EPOCHS)[-1], move(other, again, 1, STEPS * EPOCHS)[-1]
    assert all(torch.equal(first[key], second[key]) for key in first)


@every_method
def test_what_is_pruned_stays_pruned(name: str) -> None:
    model, masker = begun(name)
    if not masker.regrow:
        found = move(model, masker, 1, STEPS * EPOCHS)
        for before, after in itertools.pairwise(found):
            assert not any((after[key] & ~before[key]).any() for key in after)


@every_method
def test_masks_do_not_change_once_they_are_done(name: str) -> None:
    model, masker = begun(name)
    done = next(step for step in range(STEPS * EPOCHS + 1) if masker.done(step))
    move(model, masker, 1, done)
    before = {key: mask.clone() for key, mask in masker.masks.items()}
    after = move(model, masker, done + 1, STEPS * EPOCHS)[-1]
    assert all(torch.equal(after[key], before[key]) for key in before)


@every_method
@pytest.mark.parametrize("cut", [1, 8, 23, 30])
def test_its_state_goes_round(name: str, cut: int) -> None:
    model, masker = begun(name)
    move(model, masker, 1, cut)
    other, resumed = begun(name)
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    resumed.load_state_dict(copy.deepcopy(masker.state_dict()))
    whole, parts = (move(each, its, cut + 1, STEPS * EPOCHS)[-1] for each, its in ((model, masker), (other, resumed)))
    assert all(torch.equal(whole[key], parts[key]) for key in whole) and masker.thresholds == resumed.thresholds


@every_method
def test_it_tells_when_and_how_far(name: str) -> None:
    prune = resolved(name).prune
    phase = prune.phase()
    assert (phase is not None) == prune.prunes == bool(prune.goal("calibrated"))
    assert phase is None or 0 <= phase[0] <= phase[1] <= EPOCHS


@every_method
def test_what_is_resolved_stays_as_it_is(name: str) -> None:
    config = resolved(name)
    assert resolve(config)[0].prune == config.prune
