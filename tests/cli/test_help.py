"""The tables of conf/README.md, which the help and the completion read, say what the schema says."""

import pytest

from prune_rnn import paths
from prune_rnn.cli.help import filled, keys_table, scales_table
from prune_rnn.config.config import compose_config
from prune_rnn.config.option import keys


def rows() -> dict[str, tuple[str, str]]:
    """(default, help) of every key; of a key that several options have, those of the last."""
    cells = [line.strip("| ").split(" | ") for line in keys_table().splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): (row[1].strip("`"), row[2]) for row in cells if len(row) == 3}


def test_every_key_has_its_help() -> None:
    assert set(rows()) == set(keys()) - {"scale", "model", "prune", "data", "train"}
    assert all(help for _, help in rows().values())


def test_the_defaults_are_those_of_the_default_configuration() -> None:
    shown = {key: default for key, (default, _) in rows().items()}
    config = compose_config([])
    assert shown["seed"] == "0" and shown["threads"] == "null" and shown["data.train"] == "..."
    assert shown["model.units"] == str(config.model.units)
    assert shown["train.hold_epochs"] == str(config.train.hold_epochs)
    assert shown["train.precision"] == config.train.precision.name
    assert shown["prune.end_epoch"] == str(compose_config(["model=gru_sparse"]).prune.end_epoch)


def test_conf_readme_is_what_the_schema_gives() -> None:
    text = (paths.conf() / "README.md").read_text()
    assert filled(text) == text, "conf/README.md is out of date: python -m prune_rnn.cli.help rewrites it"
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
