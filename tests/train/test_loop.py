"""A run that was cut off and resumed is the unbroken run, bit for bit; a step is the step that was asked for."""

import copy
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from prune_rnn.data.batch import Batch, Utterance, epoch_order
from prune_rnn.model.cells import Cells
from prune_rnn.model.deepspeech2 import DeepSpeech2, ModelConfig
from prune_rnn.prune.gradual import Gradual
from prune_rnn.prune.masker import Masker
from prune_rnn.speech.text import encode
from prune_rnn.train.decode import ctc_loss
from prune_rnn.train.loop import Trainer
from prune_rnn.train.recipe import Precision, TrainConfig

MODEL = ModelConfig(name="m", cell=Cells.gru, units=4, baseline_units=4, layers=1, conv_channels=1, lookahead=2)
CONFIG = TrainConfig(epochs=3, batch_size=2, learning_rate=0.01, anneal=1.2, momentum=0.9, clip=400.0)
LAYERS = {"recurrent": ["recurrent.*.input.weight", "recurrent.*.recurrent.weight"], "linear": ["linear.weight"]}
GROUPS = [[Utterance(Path(f"{i}-{j}.wav"), 8 + 2 * i, "ab") for j in range(2)] for i in range(4)]
STEPS = 12
CPU = torch.device("cpu")
Load = Callable[[Sequence[Sequence[Utterance]]], Iterator[Batch]]


def batch(group: Sequence[Utterance]) -> Batch:
    """Noise that belongs to the utterances' names; the second utterance of a group is two frames shorter."""
    seed = int(group[0].audio.name.partition("-")[0])
    features = torch.randn(2, 161, group[0].frames, generator=torch.Generator().manual_seed(seed))
    features[1, :, -2:] = 0
    labels = torch.tensor([encode(utterance.transcript) for utterance in group])
    lengths = torch.tensor([group[0].frames, group[0].frames - 2])
    return Batch(features, lengths, labels, torch.full((2,), labels.shape[1]), [u.transcript for u in group])


def load(groups: Sequence[Sequence[Utterance]]) -> Iterator[Batch]:
    return map(batch, groups)


def trainer(method: str = "none", seed: int = 0, load: Load = load, groups: Any = GROUPS, **changes: Any) -> Trainer:
    torch.manual_seed(seed)
    model = DeepSpeech2(MODEL)
    masker = Masker({}, [])
    if method != "none":
        goal = Gradual(
            prunable_sparsity=0.7 if method == "sparsity" else None,
            q="auto" if method == "sparsity" else 0.1,
            start_epoch=0.25, ramp_epoch=1.0, end_epoch=2.5, updates_per_epoch=4.0, layers=LAYERS,
            regrow=method == "sparsity",
        )  # fmt: skip
        masker = goal.masker(goal.weights(model), len(groups))
    return Trainer(model, masker, replace(CONFIG, **changes), groups, load, seed=7, device=CPU)


def train(run: Trainer, until: int = STEPS) -> list[Any]:
    """Trains up to a step; returns what the run says of itself after each step, the epoch's end included."""
    history: list[Any] = []
    while not run.finished:
        for loss in run.steps():
            numbers = (run.step, run.epoch, run.position, run.learning_rate, loss, run.train_loss, run.utterances)
            history.append((*numbers, run.masker.sparsity(), dict(run.masker.thresholds)))
            if run.step == until:
                return history
        run.next_epoch()
    return history


def flat(state: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(state, dict):
        return {k: v for key, value in state.items() for k, v in flat(value, f"{prefix}/{key}").items()}
    if isinstance(state, list):
        return flat(dict(enumerate(state)), prefix)
    return {prefix: state}


def assert_same(one: dict[str, Any], two: dict[str, Any]) -> None:
    a, b = flat(one), flat(two)
    assert a.keys() == b.keys()
    for key in a.keys() - {"/position/seconds"}:
        same = torch.equal(a[key], b[key]) if isinstance(a[key], Tensor) else a[key] == b[key]
        assert same, key


# --- cut and resumed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["none", "q", "sparsity"])
@pytest.mark.parametrize("cut", [1, 4, 6, 8, 11])
def test_cut_and_resumed_is_unbroken_bit_for_bit(method: str, cut: int) -> None:
    """1 and 6 lie within an epoch; 4 is an epoch's last step; at 8 the run has turned to the third epoch already;
    at 11 the masks are frozen, so they can only come from the checkpoint."""
    whole = trainer(method)
    history = train(whole)

    first = trainer(method)
    before = train(first, until=cut)
    if cut == 8:
        first.next_epoch()
    saved = io.BytesIO()
    torch.save(first.state_dict(), saved)
    train(first, until=cut + 1)  # what happens after saving leaves no trace
    torch.manual_seed(99)
    second = trainer(method, seed=5)
    second.load_state_dict(torch.load(io.BytesIO(saved.getvalue()), weights_only=True))
    after = train(second)

    assert before + after == history
    assert len(history) == STEPS
    assert_same(second.state_dict(), whole.state_dict())
    assert any("momentum_buffer" in key for key in flat(whole.state_dict()))
    if method != "none":
        assert 0.2 < whole.masker.sparsity()["recurrent"] < 0.95


def test_an_average_begins_when_pruning_ends_and_goes_along() -> None:
    """Pruning ends at step 10, after which the masks can't change."""
    whole = trainer("q", average=0.9)
    train(whole, until=9)
    assert whole.tested is whole.model
    train(whole, until=11)
    assert whole.tested is not whole.model
    zeros = whole.model.state_dict()["linear.weight"] == 0
    assert torch.equal(whole.tested.state_dict()["linear.weight"] == 0, zeros) and zeros.any()
    second = trainer("q", seed=5, average=0.9)
    second.load_state_dict(copy.deepcopy(whole.state_dict()))
    train(whole)
    train(second)
    assert_same(second.state_dict(), whole.state_dict())
    assert not torch.equal(whole.tested.state_dict()["output.bias"], whole.model.state_dict()["output.bias"])


@pytest.mark.parametrize("cut", [1, 4, 6])
def test_augmentation_is_drawn_again_after_a_cut(cut: int) -> None:
    """Masks and speeds follow from the seed and the step, wherever training goes on from."""
    changes = {"speeds": [0.9, 1.0, 1.1], "bin_masks": 2, "bin_mask_width": 5, "frame_masks": 1}
    asked: list[list[float]] = []

    def noting(groups: Sequence[Sequence[Utterance]]) -> Iterator[Batch]:
        asked.append([utterance.speed for group in groups for utterance in group])
        return load(groups)

    whole = trainer(load=noting, **changes)
    history, first = train(whole, until=8), asked[:]
    begun = trainer(**changes)
    before = train(begun, until=cut)
    if cut == 4:
        begun.next_epoch()
    asked.clear()
    resumed = trainer(load=noting, **changes)
    resumed.load_state_dict(copy.deepcopy(begun.state_dict()))
    assert before + train(resumed, until=8) == history
    left = len(asked[0])
    assert asked[0] == first[0 if cut < 4 else 1][-left:] and len({*first[0], *first[1]}) == 3
    assert history != train(trainer(), until=8)


def test_two_seeds_differ() -> None:
    """Else the test above could not fail."""
    assert train(trainer(seed=0), 2)[-1] != train(trainer(seed=1), 2)[-1]


def test_the_random_state_goes_along() -> None:
    one = trainer()
    torch.rand(5)  # away from where a fresh trainer leaves it
    state = one.state_dict()
    wanted = torch.rand(3)
    trainer().load_state_dict(state)
    assert torch.equal(torch.rand(3), wanted)


def test_a_resumed_epoch_loads_only_what_is_left() -> None:
    asked: list[list[str]] = []

    def noting(groups: Sequence[Sequence[Utterance]]) -> Iterator[Batch]:
        asked.append([group[0].audio.name for group in groups])
        return load(groups)

    cut = trainer(load=noting)
    train(cut, until=6)
    resumed = trainer(load=noting)
    resumed.load_state_dict(copy.deepcopy(cut.state_dict()))
    train(resumed, until=8)
    second = [f"{i}-0.wav" for i in epoch_order(4, 7, 2, 4)]
    assert asked == [["0-0.wav", "1-0.wav", "2-0.wav", "3-0.wav"], second, second[2:]]
    assert second != asked[0]  # by length in the first epoch only


# --- a step -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clip", [400.0, 0.5])
def test_the_first_two_steps_by_the_formula(clip: float) -> None:
    """Nesterov: v = m v + g, then w -= r (g + m v), g being the gradient of the mean loss, no longer than `clip`."""
    run = trainer(clip=clip)
    model = copy.deepcopy(run.model)
    velocity = [torch.zeros_like(p) for p in model.parameters()]
    steps = run.steps()
    for group in GROUPS[:2]:
        given = batch(group)
        model.train()
        loss = ctc_loss(model(given.features, given.lengths), model.lengths(given.lengths), given) / 2
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        norm = torch.cat([g.flatten() for g in gradients]).norm()
        assert 0.5 < norm < 400
        with torch.no_grad():
            for parameter, v, g in zip(model.parameters(), velocity, gradients, strict=True):
                g = g * min(1, clip / float(norm))
                v.mul_(0.9).add_(g)
                parameter.sub_(0.01 * (g + 0.9 * v))
        assert next(steps) == pytest.approx(loss.item())
        for (name, found), wanted in zip(run.model.named_parameters(), model.parameters(), strict=True):
            torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-4, msg=name)


def test_learning_rate_is_divided_after_each_epoch() -> None:
    run = trainer(anneal=2.0)
    rates = []
    while not run.finished:
        rates += [(run.learning_rate, run.optimizer.param_groups[0]["lr"]) for _ in run.steps()]
        run.next_epoch()
    assert rates == [(rate, rate) for rate in (0.01, 0.005, 0.0025) for _ in range(4)]


def test_the_epochs_loss_is_a_mean_over_its_utterances_and_starts_anew() -> None:
    run = trainer()
    losses = list(run.steps())
    assert run.utterances == 8
    assert run.train_loss == pytest.approx(sum(losses) / 4)
    run.next_epoch()
    assert (run.epoch, run.position, run.step, run.utterances, run.train_loss) == (2, 0, 4, 0, 0)


def test_training_lowers_the_loss() -> None:
    run = trainer(epochs=15, learning_rate=0.02, anneal=1.0)
    losses = [entry[4] for entry in train(run, until=60)]
    assert sum(losses[-4:]) < 0.8 * sum(losses[:4])


def test_bfloat16_differs_but_keeps_float32_weights() -> None:
    exact, half = trainer(), trainer(precision=Precision.bfloat16)
    a, b = train(exact, 2)[-1][4], train(half, 2)[-1][4]
    assert a != b
    assert b == pytest.approx(a, rel=0.1)
    assert all(p.dtype == torch.float32 for p in half.model.parameters())


def test_the_masker_sees_every_step_from_1_on_and_masked_weights_stay_zero() -> None:
    run = trainer("sparsity")
    updates: list[int] = []
    after = run.masker.after_step
    run.masker.after_step = lambda step: (updates.append(step), after(step))[1]  # type: ignore[method-assign,func-returns-value]
    seen = []
    for _ in range(3):
        for _ in run.steps():
            run.masker.check()
            seen.append(run.masker.sparsity()["linear"])
        run.next_epoch()
    assert updates == list(range(1, 13))
    assert run.masker.done(12)
    assert seen[0] == 0
    assert int((run.model.linear.weight == 0).sum()) == 12  # of 16: 0.7 of them is 11.2
    assert seen[-1] == 0.75


def test_a_defect_in_masking_stops_the_epoch_at_its_end() -> None:
    run = trainer("q")
    run.masker._zero = lambda parameters: None  # type: ignore[method-assign]
    with pytest.raises(AssertionError, match="masked weights"):
        train(run)


# --- numbers that are none --------------------------------------------------------------------------------------------


def spoilt(group: Sequence[Utterance], how: str) -> Batch:
    good = batch(group)
    if group[0].audio.name != "2-0.wav":
        return good
    if how == "features":
        good.features[0, 3, 1] = float("nan")
        return good
    labels = torch.full((2, 30), 5)  # more than its frames can spell: the loss is infinite
    return replace(good, labels=labels, label_lengths=torch.tensor([30, 30]))


@pytest.mark.parametrize(("how", "loss"), [("features", "nan"), ("labels", "inf")])
def test_a_loss_that_is_no_number_stops_training_before_it_does_harm(how: str, loss: str) -> None:
    run = trainer("sparsity", load=lambda groups: (spoilt(group, how) for group in groups))
    steps = run.steps()
    next(steps)
    next(steps)
    weights = {name: p.detach().clone() for name, p in run.model.named_parameters()}
    others = copy.deepcopy({"optimizer": run.optimizer.state_dict(), "masker": run.masker.state_dict()})
    message = f"step 3 (epoch 1, batch 2 of 4, from 2-0.wav on): loss {loss}"
    with pytest.raises(ArithmeticError, match=re.escape(message)) as error:
        next(steps)
    assert "train.learning_rate than 0.01" in str(error.value)
    assert all(torch.equal(p, weights[name]) for name, p in run.model.named_parameters())
    assert_same(others, {"optimizer": run.optimizer.state_dict(), "masker": run.masker.state_dict()})
    assert (run.step, run.position, run.utterances) == (2, 2, 4)


def test_the_batch_is_named_by_its_place_in_the_order_of_length() -> None:
    """In the second epoch the order is another."""
    broken = {"on": False}
    run = trainer(load=lambda groups: (spoilt(g, "features") if broken["on"] else batch(g) for g in groups))
    train(run, until=4)
    run.next_epoch()
    broken["on"] = True
    step = 5 + epoch_order(4, 7, 2, 4).index(2)
    with pytest.raises(ArithmeticError, match=re.escape(f"step {step} (epoch 2, batch 2 of 4, from 2-0.wav on)")):
        train(run)


# --- bad numbers ------------------------------------------------------------------------------------------------------


def test_good_numbers_pass() -> None:
    CONFIG.check()
    replace(CONFIG, epochs=1, batch_size=1, anneal=1.0, momentum=0.5).check()


@pytest.mark.parametrize(
    ("key", "value"),
    [(key, value) for key in ("epochs", "batch_size") for value in (0, -1)]
    + [
        (key, value)
        for key in ("learning_rate", "anneal", "clip", "checkpoint_minutes")
        for value in (0.0, -1.0, float("nan"), float("inf"))
    ]
    + [("momentum", value) for value in (0.0, 1.0, -0.5, float("nan"))],
)
def test_a_bad_number_is_refused_by_its_key_and_value(key: str, value: float) -> None:
    with pytest.raises(ValueError, match=re.escape(f"train.{key}={value}: must")):
        replace(CONFIG, **{key: value}).check()  # type: ignore[arg-type]


# --- clipping and learning rate ---------------------------------------------------------------------------------------


def clipped(norms: list[float], **changes: Any) -> float:
    one = trainer(**changes)
    one.norms = norms
    return one._clip()


def test_the_limit_is_a_number_a_percentile_of_the_norms_so_far_or_the_lower_of_both() -> None:
    norms = [1.0, 9.0, 3.0, 7.0, 5.0]  # in order 1, 3, 5, 7, 9: the 25th percentile is 3, of the last one's own too
    assert clipped(norms, clip=4.0) == 4
    assert clipped(norms, clip=None, clip_percentile=25.0) == 3
    assert clipped(norms, clip=4.0, clip_percentile=25.0) == 3
    assert clipped(norms, clip=2.0, clip_percentile=25.0) == 2
    assert clipped(norms, clip=None) == float("inf")


def test_a_step_moves_by_the_limit_and_no_further() -> None:
    """Nesterov's first step is the gradient, clipped, times 1 + momentum and the learning rate."""
    one = trainer(clip=0.5)
    before = [p.detach().clone() for p in one.model.parameters()]
    next(one.steps())
    moved = torch.cat([(p.detach() - b).flatten() for p, b in zip(one.model.parameters(), before, strict=True)])
    assert one.norms[0] > 0.5
    assert float(moved.norm()) == pytest.approx(0.5 * 1.9 * 0.01, rel=1e-3)


def test_the_learning_rate_holds_and_then_falls() -> None:
    one = trainer(hold_epochs=2.0, epochs=4)
    found = []
    for one.epoch in range(1, 5):
        found.append(one.learning_rate)
    assert found == pytest.approx([0.01, 0.01, 0.01 / 1.2, 0.01 / 1.44])


def test_an_epoch_may_be_a_share_of_the_batches() -> None:
    one = trainer(steps_per_epoch=3)
    taken = []
    while not one.finished:
        taken.append(len(list(one.steps())))
        one.next_epoch()
    assert taken == [3, 3, 3] and one.step == 9


@pytest.mark.parametrize(("method", "counted"), [("q", False), ("sparsity", True)])
def test_the_norm_is_of_the_weights_that_can_move(method: str, counted: bool) -> None:
    """With q the pruned weights stay so, and their gradients are zero before the norm; with regrowth they count."""
    one = trainer(method, clip=None)
    while not one.finished:
        list(one.steps())
        one.next_epoch()
    one.one_step(batch(GROUPS[0]), 0)
    gradients = [p.grad for p in one.model.parameters() if p.grad is not None]
    pruned = [p.grad[~one.masker.masks[name]] for name, p in one.masker.parameters.items() if p.grad is not None]
    assert sum(len(gradient) for gradient in pruned) > 0
    assert any(bool(gradient.any()) for gradient in pruned) is counted
    assert one.norms[-1] == pytest.approx(float(torch.cat([g.flatten() for g in gradients]).norm()), rel=1e-5)
