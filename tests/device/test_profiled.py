"""What is profiled is shown from the costliest on, its share of all."""

import time

import pytest
import torch

from prune_rnn.device.profiled import _profiled


def test_the_costliest_comes_first_and_all_is_counted() -> None:
    big, small = torch.ones(300, 300), torch.ones(2)

    def work() -> None:
        big @ big
        small + small
        time.sleep(0.001)

    whole, first, *rest = _profiled("w", work, "cpu", size=4_000)
    assert (whole["kernel"], whole["share %"], whole["work"]) == ("all", 100.0, "w")
    assert whole["GB/s of the matrix"] == pytest.approx(4.0 / whole["us"])  # 4000 bytes a microsecond are 4 GB/s
    assert first["kernel"] == "aten::mm" and first["times"] == 1
    assert [each["us"] for each in rest] == sorted((each["us"] for each in rest), reverse=True)
    assert sum(each["us"] for each in (first, *rest)) <= 1.0001 * whole["us"]
