"""Gradual pruning is Algorithm 1 to the step, and a sparsity asked for is the sparsity got."""

import math
import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from prune_rnn.config.config import compose_config
from prune_rnn.prune.gradual import Gradual
from prune_rnn.prune.masker import Masker
from prune_rnn.prune.schedule import Threshold

STEPS = 10  # an epoch
NAN, INF = float("nan"), float("inf")


def config(**changes: Any) -> Gradual:
    """Starts at step 2, rises faster from 4, ends at 8, an update every step; theta = q / (2 + 1.5 * 4) = q / 8. With
    q = 0.8, theta = 0.1 and phi = 0.15, the thresholds of steps 3 to 7 are .2, .45, .6, .75, .8 (the cap)."""
    values = {"start_epoch": 0.2, "ramp_epoch": 0.4, "end_epoch": 0.8, "updates_per_epoch": 10.0, "q": 0.8}
    return Gradual(**{**values, "layers": {"recurrent": ["*"]}, **changes})


def masker(weight: list[float], **changes: Any) -> tuple[Masker, nn.Parameter]:
    parameter = nn.Parameter(torch.tensor(weight))
    return config(**changes).masker({"recurrent": {"w": parameter}}, STEPS), parameter


def put(parameter: nn.Parameter, index: int, value: float) -> None:
    """Stands for an optimizer step that moves one weight."""
    with torch.no_grad():
        parameter[index] = value


def walk(pruner: Masker, steps: int, seed: int = 0, until: int = 0) -> list[dict[str, float]]:
    """Moves all weights at random before each step; returns the sparsity after each."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for step in range(until + 1, steps + 1):
        with torch.no_grad():
            for parameter in pruner.parameters.values():
                parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
        pruner.after_step(step)
        pruner.check()
        found.append(pruner.sparsity())
    return found


# --- the schedule in epochs -------------------------------------------------------------------------------------------


def test_the_schedule_counts_epochs_completed_in_steps() -> None:
    """The paper's run: 2,750 steps an epoch, 27.5 updates an epoch, so one every 100 steps."""
    paper = config(start_epoch=1, ramp_epoch=5, end_epoch=10, updates_per_epoch=27.5)
    schedule = paper.schedule(0.2, 2750)
    assert (schedule.start_step, schedule.ramp_step, schedule.end_step) == (2750, 13750, 27500)
    assert schedule.freq == 100
    assert schedule.theta == pytest.approx(2 * 0.2 * 100 / (2 * 11000 + 3 * 13750))
    assert schedule.phi == pytest.approx(1.5 * schedule.theta)
    assert schedule.at(27500) == pytest.approx(0.2, rel=1e-3)


@pytest.mark.parametrize("factor", [1.0, 1.5, 2.0])
def test_q_is_reached_with_any_ramp_factor(factor: float) -> None:
    schedule = config(ramp_factor=factor).schedule(0.8, 1000)
    assert schedule.phi == pytest.approx(factor * schedule.theta)
    assert schedule.at(800) == pytest.approx(0.8, rel=5e-3)


@pytest.mark.parametrize(("steps", "updates", "freq"), [(270, 27.0, 10), (10, 27.0, 1), (1000, 0.5, 2000), (54, 27, 2)])
def test_updates_per_epoch_give_the_steps_between_updates(steps: int, updates: float, freq: int) -> None:
    schedule = config(start_epoch=0, ramp_epoch=2, end_epoch=4, updates_per_epoch=updates).schedule(1.0, steps)
    assert schedule.freq == freq


@pytest.mark.parametrize("steps_per_epoch", [1, 2])
def test_epochs_of_too_few_steps_to_prune_in_are_a_value_error(steps_per_epoch: int) -> None:
    """The heuristics of a run of one epoch: start and ramp at 0.25, end at 0.5."""
    with pytest.raises(ValueError, match=r"prune\.start_epoch=0\.25|end_step="):
        config(start_epoch=0.25, ramp_epoch=0.25, end_epoch=0.5).schedule(1.0, steps_per_epoch)


# --- Algorithm 1 ------------------------------------------------------------------------------------------------------


def test_algorithm_1_step_by_step() -> None:
    pruner, weight = masker([0.1, -0.15, 0.3, -0.5, 0.7, 0.79, -1.0, 2.0])
    pruned = {1: 0, 2: 0, 3: 2, 4: 3, 5: 4, 6: 5, 7: 6, 8: 6, 9: 6}
    thresholds = {1: 0, 2: 0, 3: 0.2, 4: 0.45, 5: 0.6, 6: 0.75, 7: 0.8, 8: 0.8, 9: 0.8}
    start = weight.detach().clone()
    for step, count in pruned.items():
        pruner.after_step(step)
        assert pruner.thresholds["recurrent"] == pytest.approx(thresholds[step])
        assert pruner.masks["w"].tolist() == [False] * count + [True] * (8 - count)
        assert torch.equal(weight.detach(), start * pruner.masks["w"])
        assert pruner.sparsity() == {"recurrent": count / 8}
        assert pruner.done(step) is (step >= 8)


def test_between_updates_the_masks_rest() -> None:
    """An update every two steps, at 4 and 6: theta = .2, thresholds (.6 + .3) / 2 = .45 and (.6 + .9) / 2 = .75."""
    pruner, _ = masker([0.4, 0.7, 0.8], updates_per_epoch=5.0)
    counts = []
    for step in range(1, 10):
        pruner.after_step(step)
        counts.append(int((~pruner.masks["w"]).sum()))
    assert counts == [0, 0, 0, 1, 1, 2, 2, 2, 2]
    assert pruner.thresholds["recurrent"] == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("value", "step", "returns"),
    [
        (0.65, 5, True),  # over the threshold of .6
        (-0.65, 5, True),
        (0.55, 5, False),  # under it
        (9.0, 8, False),  # frozen
        (9.0, 9, False),
    ],
)
def test_a_pruned_weight_comes_back_where_regrow_is_on_and_its_update_passes_the_threshold(
    value: float, step: int, returns: bool
) -> None:
    for regrow in (False, True):
        pruner, weight = masker([0.1, 5.0], regrow=regrow)
        for before in range(1, step):
            pruner.after_step(before)
        assert weight.tolist() == [0, 5]
        put(weight, 0, value)
        pruner.after_step(step)
        back = returns and regrow
        assert weight[0].item() == (pytest.approx(value) if back else 0)
        assert pruner.masks["w"].tolist() == [back, True]


@pytest.mark.parametrize("regrow", [False, True])
def test_nothing_comes_back_between_updates(regrow: bool) -> None:
    pruner, weight = masker([0.1, 5.0], regrow=regrow, updates_per_epoch=5.0)
    for step in range(1, 5):
        pruner.after_step(step)
    put(weight, 0, 9.0)
    pruner.after_step(5)
    assert weight.tolist() == [0, 5]


@pytest.mark.parametrize("regrow", [False, True])
@pytest.mark.parametrize("goal", [None, 0.5])
def test_masks_are_frozen_from_the_end_on_and_still_applied(regrow: bool, goal: float | None) -> None:
    q = 0.8 if goal is None else "auto"
    generator = torch.Generator().manual_seed(0)
    pruner, weight = masker(torch.randn(50, generator=generator).tolist(), regrow=regrow, prunable_sparsity=goal, q=q)
    walk(pruner, 7)
    frozen, threshold = pruner.masks["w"].clone(), pruner.thresholds["recurrent"]
    assert 0 < pruner.sparsity()["recurrent"] < 1
    with torch.no_grad():
        weight[frozen] = 1e-6  # under any threshold, and stays
        weight[~frozen] = 1e6
    for step in range(8, 12):
        pruner.after_step(step)
        pruner.check()
        assert torch.equal(pruner.masks["w"], frozen)
        assert pruner.thresholds["recurrent"] == threshold
    assert torch.equal(weight.detach() != 0, frozen)


def test_gradients_are_not_masked_but_weights_are_zero() -> None:
    pruner, weight = masker([0.1, 5.0])
    optimizer = torch.optim.SGD([weight], lr=0.01, momentum=0.9)
    for step in range(1, 6):
        optimizer.zero_grad()
        (3 * weight).sum().backward()
        optimizer.step()
        pruner.after_step(step)
    assert not pruner.masks["w"][0]
    assert weight[0].item() == 0
    assert weight.grad is not None
    assert weight.grad.tolist() == [3, 3]
    momentum = optimizer.state[weight]["momentum_buffer"]
    assert momentum[0] == momentum[1] != 0


# --- layer types ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [{"recurrent": 0.8, "linear": 0.4}, {"linear": 0.4, "recurrent": 0.8}])
def test_one_threshold_a_layer_type(q: dict[str, float]) -> None:
    """Step 3: .2 for the recurrent matrices, both of them, and .1 for the linear one."""
    values = {"recurrent": ("a", "b"), "linear": ("c",)}
    weights = {
        layer_type: {name: nn.Parameter(torch.tensor([0.05, 0.15, 0.25])) for name in names}
        for layer_type, names in values.items()
    }
    layers = {"recurrent": ["a", "b"], "linear": ["c"]}
    pruner = config(q=q, layers=layers).masker(weights, STEPS)
    for step in range(1, 4):
        pruner.after_step(step)
    assert pruner.thresholds == pytest.approx({"recurrent": 0.2, "linear": 0.1})
    assert pruner.masks["a"].tolist() == pruner.masks["b"].tolist() == [False, False, True]
    assert pruner.masks["c"].tolist() == [False, True, True]
    assert pruner.sparsity() == {"recurrent": pytest.approx(2 / 3), "linear": pytest.approx(1 / 3)}


@pytest.mark.parametrize("q", [0.8, 2])
def test_one_number_is_for_every_layer_type(q: float) -> None:
    assert config(q=q, layers={"a": ["x"], "b": ["y"]}).magnitudes() == {"a": q, "b": q}


# --- a sparsity as the goal -------------------------------------------------------------------------------------------


def two_types() -> dict[str, dict[str, nn.Parameter]]:
    generator = torch.Generator().manual_seed(1)

    def matrix(rows: int, columns: int, scale: float) -> nn.Parameter:
        return nn.Parameter(scale * torch.randn(rows, columns, generator=generator))

    return {"recurrent": {"a": matrix(20, 30, 1), "b": matrix(20, 20, 0.1)}, "linear": {"c": matrix(10, 20, 5)}}


@pytest.mark.parametrize("regrow", [False, True])
@pytest.mark.parametrize("updates", [10.0, 3.0])
@pytest.mark.parametrize("goal", [0.05, 0.5, 0.9, 0.995])
def test_moving_weights_end_on_the_goal_and_never_pass_it(goal: float, updates: float, regrow: bool) -> None:
    """In each layer type, to one weight: of 1000 recurrent and 200 linear ones."""
    layers = {"recurrent": ["a", "b"], "linear": ["c"]}
    goals = config(
        prunable_sparsity=goal, q="auto", regrow=regrow, updates_per_epoch=updates, layers=layers, end_epoch=4.0
    )
    pruner = goals.masker(two_types(), STEPS)
    history = walk(pruner, 45)
    counts = {"recurrent": 1000, "linear": 200}
    wanted = {layer_type: math.ceil(goal * n - 1e-9) / n for layer_type, n in counts.items()}
    assert history[-1] == pytest.approx(wanted)
    for layer_type in counts:
        values = [row[layer_type] for row in history]
        assert max(values) <= wanted[layer_type] + 1e-12
        assert values[1] == 0
        assert len(set(values)) > 2  # gradually
        if not regrow:
            assert values == sorted(values)


def test_a_small_matrix_among_large_ones_ends_up_sparser() -> None:
    """One threshold a layer type: `b`'s weights are a tenth of `a`'s."""
    layers = {"recurrent": ["a", "b"], "linear": ["c"]}
    pruner = config(prunable_sparsity=0.5, q="auto", layers=layers).masker(two_types(), STEPS)
    for step in range(1, 9):
        pruner.after_step(step)
    kept = {name: float(mask.float().mean()) for name, mask in pruner.masks.items()}
    assert kept["b"] < 0.1 < 0.7 < kept["a"]


def close_pair() -> Tensor:
    """1 to 10, but the third is the next number after the second."""
    weight = torch.arange(1.0, 11.0)
    weight[2] = torch.nextafter(weight[1], torch.tensor(INF))
    return weight


@pytest.mark.parametrize("weight", [torch.arange(1.0, 11.0), close_pair()], ids=["apart", "close"])
def test_asked_to_prune_2_of_10_it_prunes_2(weight: Tensor) -> None:
    pruner, parameter = masker((-weight).tolist(), prunable_sparsity=0.2, q="auto")
    for step in range(1, 9):
        pruner.after_step(step)
    assert int((parameter == 0).sum()) == 2
    assert pruner.sparsity()["recurrent"] == pytest.approx(0.2)


def test_weights_that_are_zero_anyway_count_towards_the_goal() -> None:
    pruner, _ = masker([0.0] * 5 + [1.0, 2.0, 3.0, 4.0, 5.0], prunable_sparsity=0.5, q="auto")
    for step in range(1, 9):
        pruner.after_step(step)
    assert pruner.sparsity()["recurrent"] == 0.5


# --- checkpoint -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("regrow", [False, True])
@pytest.mark.parametrize("goal", [None, 0.7])
@pytest.mark.parametrize("cut", [1, 5, 7, 8])
def test_a_checkpoint_goes_on_as_if_nothing_had_happened(tmp_path, cut: int, goal: float | None, regrow: bool) -> None:  # type: ignore[no-untyped-def]
    options = {"prunable_sparsity": goal, "q": 0.8 if goal is None else "auto", "regrow": regrow}
    start = torch.randn(60, generator=torch.Generator().manual_seed(0)).tolist()
    whole, weight = masker(start, **options)
    walk(whole, cut, seed=1)
    torch.save((whole.state_dict(), weight.detach()), tmp_path / "state")
    resumed, other = masker([7.0] * 60, **options)
    state, value = torch.load(tmp_path / "state", weights_only=True)
    resumed.load_state_dict(state)
    with torch.no_grad():
        other.copy_(value)
    assert walk(whole, 10, seed=2, until=cut) == walk(resumed, 10, seed=2, until=cut)
    assert torch.equal(weight, other)
    assert torch.equal(whole.masks["w"], resumed.masks["w"])
    assert whole.thresholds == resumed.thresholds
    assert whole.thresholds["recurrent"] > 0


# --- bad numbers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"q": "baseline"},
        {"q": 1},
        {"q": {"recurrent": 0.3}},
        {"q": "auto", "sparsity": 0.9},
        {"q": "auto", "prunable_sparsity": 0.9},
        {"start_epoch": 0.0},
        {"ramp_epoch": 0.2},
        {"ramp_epoch": 0.8},
        {"ramp_factor": 0.5},
    ],
    ids=str,
)
def test_good_numbers_pass(changes: dict[str, Any]) -> None:
    config(**changes).check(20)


@pytest.mark.parametrize(
    ("key", "value"),
    [(key, value) for key in ("sparsity", "prunable_sparsity") for value in (0.0, 1.0, -0.1, 90.0, NAN)]
    + [("q", value) for value in (0, 0.0, -0.1, NAN, INF, True, "much", None, [0.1])]
    + [("q", value) for value in ({}, {"linear": 0.1}, {"recurrent": 0.1, "linear": 0.1}, {"recurrent": -1})]
    + [("q", {"recurrent": value}) for value in ("auto", None, True, 0, INF)]
    + [("start_epoch", value) for value in (-0.1, 0.5, 0.9, NAN)]
    + [("ramp_epoch", value) for value in (0.1, 0.9, NAN)]
    + [("end_epoch", value) for value in (0.3, 0.0, NAN)]
    + [("ramp_factor", value) for value in (0.0, -1.5, NAN, INF)]
    + [("updates_per_epoch", value) for value in (0.0, -27.0, NAN)],
    ids=str,
)
def test_a_bad_number_is_refused_by_its_key_and_value(key: str, value: Any) -> None:
    bad = config(q="auto", **{key: value}) if "sparsity" in key else config(**{key: value})
    with pytest.raises(ValueError, match=re.escape(f"prune.{key}={value}")):
        bad.check(20)


def test_no_time_to_prune_is_refused() -> None:
    with pytest.raises(ValueError, match=r"prune\.start_epoch=1\.0, prune\.ramp_epoch=1\.0, prune\.end_epoch=1\.0"):
        config(start_epoch=1.0, ramp_epoch=1.0, end_epoch=1.0).check(20)


def test_auto_needs_a_goal() -> None:
    with pytest.raises(ValueError, match=r"prune\.sparsity has no value; give the network's sparsity"):
        config(q="auto").check(20)


@pytest.mark.parametrize("goal", ["sparsity", "prunable_sparsity"])
def test_a_magnitude_and_a_goal_are_refused(goal: str) -> None:
    with pytest.raises(ValueError, match=rf"prune\.{goal}=0\.9 and prune\.q=0\.5: give one of them"):
        config(q=0.5, **{goal: 0.9}).check(20)


def test_the_model_states_the_sparsity_where_the_user_states_no_goal() -> None:
    model = compose_config(["model=gru_sparse"]).model
    found = []
    for goals in ({}, {"sparsity": 0.7}, {"prunable_sparsity": 0.7}, {"q": 0.5}):
        method = config(**{"q": "auto", **goals})
        method.complete(model)
        found.append((method.sparsity, method.prunable_sparsity, method.q))
    assert found == [(0.886, None, "auto"), (0.7, None, "auto"), (None, 0.7, "auto"), (None, None, 0.5)]


@pytest.mark.parametrize("layers", [None, {}], ids=str)
def test_nothing_to_prune_is_refused(layers: Any) -> None:
    with pytest.raises(ValueError, match=r"prune\.layers=.*give patterns"):
        config(layers=layers).check(20)


# --- the cap ----------------------------------------------------------------------------------------------------------


def algorithm_1(schedule: Threshold, step: int) -> float:
    """As it stands in the paper, without a cap."""
    if step < schedule.ramp_step:
        return schedule.theta * (step - schedule.start_step + 1) / schedule.freq
    rise = schedule.theta * (schedule.ramp_step - schedule.start_step + 1)
    return (rise + schedule.phi * (step - schedule.ramp_step + 1)) / schedule.freq


@pytest.mark.parametrize("model", ["gru_sparse", "gru_sparse_big", "rnn_sparse", "rnn_sparse_big"])
def test_the_thresholds_of_runs_on_disk_are_the_same_to_the_bit(model: str) -> None:
    """The cap came later, and a run's name does not tell: neither q=auto nor a stated q changes at scale=small."""
    small = compose_config([f"model={model}", "scale=small"])
    method, steps = small.prune, small.train.steps_per_epoch
    assert isinstance(method, Gradual) and steps == 200
    for q in (1.0, 0.1085, 0.2274):
        schedule = method.schedule(q, steps)
        updates = [step for step in range(1, 4001) if schedule.updates_at(step)]
        assert len(updates) == 257 and updates[-1] == 1995
        assert [schedule.at(step) for step in updates] == [algorithm_1(schedule, step) for step in updates]
    auto = method.schedule(1.0, steps)
    assert [auto.at(step).hex() for step in (203, 1001, 1995)] == [
        "0x1.c7e7115d0ce95p-10", "0x1.65f46ca20f233p-2", "0x1.fee30f9525d80p-1",
    ]  # fmt: skip


@pytest.mark.parametrize("steps", [4, 9, 30, 200])
@pytest.mark.parametrize("factor", [1e-9, 1.5, 4.0])
def test_shares_were_capped_before(steps: int, factor: float) -> None:
    """With q=auto a share past 1 counted as 1 already: the masks are those of before, at any scale."""
    schedule = config(ramp_factor=factor).schedule(1.0, steps)
    for step in range(steps):
        if schedule.updates_at(step):
            assert min(schedule.at(step), 1.0) == min(algorithm_1(schedule, step), 1.0)


def test_a_stated_q_is_not_passed() -> None:
    for factor in (1e-9, 1.0, 1.5, 2.0):
        schedule = config(ramp_factor=factor, ramp_epoch=0.2).schedule(0.8, STEPS)
        assert max(schedule.at(step) for step in range(3, 8)) <= 0.8


@pytest.mark.parametrize(
    ("steps_per_epoch", "words"), [(1, "start_epoch=0.1, prune.end_epoch=0.5"), (2, "end_epoch=0.5")]
)
def test_a_training_too_short_for_a_change_of_the_masks_is_refused(steps_per_epoch: int, words: str) -> None:
    """One epoch: from step 0 to step 0 of 1, or to step 1 of 2, with none in between."""
    method = Gradual(prunable_sparsity=0.9, start_epoch=0.1, ramp_epoch=0.2, end_epoch=0.5)
    with pytest.raises(
        ValueError, match=f"{words}: too few steps in between to prune gradually .steps per epoch: {steps_per_epoch}"
    ):
        method.rules(["linear"], steps_per_epoch)


def test_a_loop_of_ones_own_has_no_baseline() -> None:
    method = Gradual(q="baseline", layers={"recurrent": ["w"]}, start_epoch=1, ramp_epoch=2, end_epoch=4)
    with pytest.raises(ValueError, match="takes it from a dense run; in a loop of your own give numbers, or q='auto'"):
        method.masker({"recurrent": {"w": nn.Parameter(torch.ones(2, 2))}}, 10)
