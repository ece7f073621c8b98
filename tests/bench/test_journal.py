"""What was measured before a kill is kept, for the same command only."""

from pathlib import Path

from prune_rnn.bench.candidate import Candidate, Measurement
from prune_rnn.bench.journal import Journal

GROUP = [Measurement("product", "x", 4, Candidate("engine int8", "int8", 0.9, bytes=7), [1.0, 2.5])]
OTHER = [Measurement("layer", "x", 4, Candidate("torch int8", "int8"), [1.0])]


def test_the_same_command_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "table5" / ".unfinished"
    Journal(path, "stamp").add(GROUP)
    again = Journal(path, "stamp")
    assert again.groups == {("product", "x", 4): GROUP}
    again.add(OTHER)
    assert Journal(path, "stamp").groups == {("product", "x", 4): GROUP, ("layer", "x", 4): OTHER}
    again.close()
    assert not path.exists() and Journal(path, "stamp").groups == {}


def test_another_command_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / ".unfinished"
    Journal(path, "stamp").add(GROUP)
    other = Journal(path, "another commit")
    assert other.groups == {}
    other.add(OTHER)
    assert Journal(path, "stamp").groups == {}


def test_what_follows_a_damaged_line_is_measured_again(tmp_path: Path) -> None:
    path = tmp_path / ".unfinished"
    Journal(path, "stamp").add(GROUP)
    whole = path.read_text()
    for damaged in ('[{"workload": "lay', '[{"workload": "layer"}]', "[]", '{"a": 1}'):
        path.write_text(f"{whole}{damaged}\n{whole.splitlines()[1]}\n")
        assert Journal(path, "stamp").groups == {("product", "x", 4): GROUP}
