"""Training on a device is training on the CPU: loss, gradients, masks, a resumed run. The tests run on both."""

import copy
from pathlib import Path

import pytest
import torch

from prune_rnn.config.config import Config, compose_config
from prune_rnn.device.batches import Groups, Load, randoms, seconds_of
from prune_rnn.device.training import smooth, trained, trainer
from prune_rnn.train.loop import Trainer

CUDA = pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"))
DEVICE = pytest.mark.parametrize("device", ["cpu", CUDA])
CELLS = pytest.mark.parametrize("cell", ["gru", "rnn"])
SMALL = ["scale=smoke", "model.units=24", "train.epochs=3", "train.batch_size=4", "train.steps_per_epoch=4"]


def config(cell: str, *more: str) -> Config:
    return compose_config([f"model={cell}_dense", *SMALL, *more])


def data() -> tuple[Groups, Load]:
    return randoms(4, 3, 1.0)


def losses(run: Trainer, steps: int) -> list[float]:
    found = []
    for loss in run.steps():
        found.append(loss)
        if len(found) == steps:
            break
    return found


@DEVICE
@CELLS
def test_loss_and_gradients_are_the_cpus(cell: str, device: str) -> None:
    """After one step from the same weights: the loss, every gradient, every weight."""
    here, there = (trainer(config(cell), *data(), torch.device(each)) for each in ("cpu", device))
    assert losses(there, 1) == pytest.approx(losses(here, 1), rel=1e-4)
    for (name, one), other in zip(there.model.named_parameters(), here.model.parameters(), strict=True):
        assert one.grad is not None and other.grad is not None
        largest = float(other.grad.abs().max())
        assert float((one.grad.cpu() - other.grad).abs().max()) <= 2e-3 * largest, name
        torch.testing.assert_close(one.detach().cpu(), other.detach(), atol=1e-3, rtol=1e-3, msg=name)


@DEVICE
@CELLS
def test_masks_hold_and_reach_their_goal(cell: str, device: str) -> None:
    sparse = compose_config([f"model={cell}_sparse", *SMALL, "prune=hard", "prune.epoch=0.5", "prune.sparsity=0.6"])
    run = trainer(sparse, *data(), torch.device(device))
    list(run.steps())
    run.masker.check()
    assert run.step == 4 and 0.6 < run.masker.sparsity()["recurrent"] < 1
    assert all(mask.device.type == device for mask in run.masker.masks.values())


@DEVICE
@CELLS
def test_a_resumed_run_goes_on_as_the_unbroken_one(cell: str, device: str) -> None:
    """By a checkpoint in a file's form; sums of a device's CTC may differ in order."""
    on = torch.device(device)
    whole = trainer(config(cell), *data(), on)
    losses(whole, 2)
    state = copy.deepcopy(whole.state_dict())
    wanted = losses(whole, 2)
    again = trainer(config(cell, "seed=5"), *data(), on)
    again.load_state_dict(state)
    again.seed = whole.seed
    assert losses(again, 2) == pytest.approx(wanted, rel=1e-4)


@DEVICE
def test_bfloat16_is_near_float32(device: str) -> None:
    exact, half = (
        losses(trainer(config("gru", f"train.precision={each}"), *data(), torch.device(device)), 1)
        for each in ("float32", "bfloat16")
    )
    assert exact != half and half == pytest.approx(exact, rel=0.05)


@DEVICE
def test_a_row_says_what_was_trained(device: str) -> None:
    row = trained(config("gru"), *data(), device, 2)
    assert (row["steps"], row["device"], len(row["losses"])) == (8, device, 8)
    assert 0 < row["seconds a step"] <= row["longest"] and (row["GB at most"] is None) == (device == "cpu")
    assert row["loss at 1"] == row["losses"][0] == smooth(row["losses"], 1)


def test_random_batches_are_of_their_length() -> None:
    groups, load = randoms(5, 2, 3.0)
    assert seconds_of(groups) == pytest.approx(5 * 3.0, rel=1e-3)
    first, _ = load(groups)
    assert first.features.shape[:2] == (5, 161) and first.features.shape[2] == int(first.lengths.max()) == 330
    assert not first.features[0, :, int(first.lengths[0]) :].any()
    assert [len(text) for text in first.transcripts] == first.label_lengths.tolist()
    assert groups[0][0].audio == Path("random-0") and len(set(first.transcripts)) == 5
