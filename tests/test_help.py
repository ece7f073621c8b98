"""The help and conf/README.md say what the schema says."""

import pytest

from prune_rnn import paths
from prune_rnn.config import compose_config
from prune_rnn.help import WIDTH, filled, run_help, scales_table, sections
from prune_rnn.schema import keys

WITHOUT_HELP: set[str] = set()


def test_every_key_has_one_line_that_fits() -> None:
    lines = run_help().splitlines()
    assert all(len(line) <= WIDTH for line in lines)
    listed = [line.strip().partition("=")[0] for line in lines if line.startswith("  ") and "=" in line]
    groups = {"scale", "model", "prune", "data", "train"}
    assert set(listed) == set(keys()) - groups


def test_every_key_has_its_help() -> None:
    without = {key.name for section in sections() for key in section.keys if not key.help}
    assert {name for name in without if name.partition(".")[0] not in WITHOUT_HELP} == set()


def test_the_defaults_are_those_of_the_default_configuration() -> None:
    shown = {key.name: key.default for section in sections() for key in section.keys}
    config = compose_config([])
    assert shown["seed"] == "0" and shown["threads"] == "null" and shown["data.train"] == "..."
    assert shown["model.units"] == str(config.model.units)
    assert shown["train.hold_epochs"] == str(config.train.hold_epochs)
    assert shown["train.precision"] == config.train.precision.name
    assert shown["prune.end_epoch"] == str(compose_config(["model=gru_sparse"]).prune.end_epoch)


def test_conf_readme_is_what_the_schema_gives() -> None:
    text = (paths.conf() / "README.md").read_text()
    assert filled(text) == text, "conf/README.md is out of date: python -m prune_rnn.help rewrites it"
    assert all(f"| `{key}` |" in text for key in keys() if key not in ("scale", "model", "prune", "data", "train"))


def test_a_readme_without_its_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="has no '<!-- scales -->'"):
        filled("# Configuration")


@pytest.mark.parametrize("scale", paths.options("scale"))
def test_the_table_of_scales_is_what_is_composed(scale: str) -> None:
    row = next(line for line in scales_table().splitlines() if line.startswith(f"| `{scale}`"))
    config = compose_config([f"scale={scale}"])
    train = config.train
    expected = [config.model.units, config.model.conv_channels, config.data.train_hours, train.epochs]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:5] == [str(value) for value in expected] and cells[6] == str(train.batch_size)
    assert cells[5] == str(train.steps_per_epoch or "one pass over all batches")
