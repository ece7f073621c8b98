"""What the help and the completion read from conf/README.md is what the schema and the YAML files say."""

from prune_rnn import paths
from prune_rnn.cli.keys import keys, keys_help, options
from prune_rnn.config.option import keys as schema_keys

GROUPS = {"scale", "model", "prune", "data", "train"}


def test_the_keys_are_those_of_the_schema() -> None:
    assert set(keys()) == set(schema_keys()) - GROUPS


def test_the_options_are_the_yaml_files() -> None:
    assert {one.partition("=")[0] for one in options()} == GROUPS - {"train"} == set(paths.groups())
    assert [one for one in options() if one.startswith("scale=")] == [f"scale={o}" for o in paths.options("scale")]


def test_the_help_has_every_key_with_its_default_and_every_option() -> None:
    lines = keys_help(100).splitlines()
    assert max(map(len, lines)) <= 100
    words = {line.split()[0].partition("=")[0] for line in lines if line.startswith("  ")}
    assert words >= set(keys()) | {one.partition("=")[2] for one in options()}
    assert "  seed=0           seed of initialisation and data order, 0 or more" in lines
    assert any(line.startswith("  gru_dense (default)  GRU Dense: ") for line in lines)
    assert any("|w dL/dw|" in line for line in lines)  # whose bars the table escapes
