"""In a single process, every function is the identity."""

import pytest
import torch
import torch.distributed as dist
from torch import nn

from prune_rnn.train import distributed


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TORCHELASTIC_RUN_ID", "LOCAL_RANK", "RANK"):
        monkeypatch.delenv(name, raising=False)


def test_one_process_is_the_first_of_one() -> None:
    assert (distributed.rank(), distributed.local_rank(), distributed.world()) == (0, 0, 1)
    assert distributed.launched_rank() == 0


def test_before_the_processes_are_joined_the_ranks_are_torchruns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "3")
    monkeypatch.setenv("RANK", "5")
    assert (distributed.local_rank(), distributed.launched_rank()) == (3, 5)
    assert distributed.rank() == 0


def test_wrap_and_all_reduce_sum_give_back_what_they_get() -> None:
    model = nn.Linear(2, 2)
    assert distributed.wrap(model) is model
    value = 0.1 + 0.2
    assert distributed.all_reduce_sum(value) is value
    distributed.barrier()


def test_group_joins_nothing_without_torchrun() -> None:
    with distributed.group(torch.device("cpu")):
        assert not dist.is_initialized()
        assert distributed.world() == 1


def test_group_of_one_process_under_torchrun_is_left_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"TORCHELASTIC_RUN_ID": "x", "RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1"}
    for name, value in (environment | {"MASTER_PORT": "0"}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RuntimeError, match="stop"), distributed.group(torch.device("cpu")):
        assert dist.is_initialized()
        with distributed.group(torch.device("cpu")):  # the outer one's
            pass
        assert dist.is_initialized()
        assert (distributed.rank(), distributed.world(), distributed.all_reduce_sum(2.5)) == (0, 1, 2.5)
        raise RuntimeError("stop")
    assert not dist.is_initialized()
