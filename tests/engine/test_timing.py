"""Measurements in turn; no test looks at how long anything took."""

from prune_rnn.engine.timing import in_turn


def test_measurements_are_taken_in_turn() -> None:
    calls: list[str] = []
    seconds = in_turn([lambda: calls.append("a"), lambda: calls.append("b")], rounds=3, seconds=0)
    assert [len(each) for each in seconds] == [3, 3] and all(s >= 0 for each in seconds for s in each)
    assert "".join(calls) == "aabb" + "aabb" * 3


def test_quick_calls_are_repeated() -> None:
    calls: list[int] = []
    in_turn([lambda: calls.append(1)], rounds=1, seconds=0.02)
    assert len(calls) > 100
