"""Text becomes values, or one ValueError, whatever it holds, and soon."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import yaml

from prune_rnn import paths
from prune_rnn.values import from_json, from_yaml

NESTED_ALIASES = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
DEEP = ["[" * 100_000, "[" * 900 + "]" * 900, "{" * 5000]


@pytest.mark.parametrize("text", [*DEEP, '{"a": ' * 40 + "1" + "}" * 40, "{", "\ud800", "9" * 5000, "NaN1"])
def test_json_that_can_not_be_used_is_a_value_error(
    text: str, seconds: Callable[[float], AbstractContextManager]
) -> None:
    with seconds(5), pytest.raises(ValueError) as caught:
        from_json(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *DEEP, NESTED_ALIASES, "a: &x [*x]", "<<: [*a]", "a: [b", "!!int ''", "!!timestamp x", "? [a]\n: b",
        "{a: 1}: 2",
        "!!python/name:os.system", "a: " * 20, "\x00", "? " * 60_000, "- " * 60_000, "!!float ''", "a: 1\n---\nb: 2",
    ],
)  # fmt: skip
def test_yaml_that_can_not_be_used_is_a_value_error(
    text: str, seconds: Callable[[float], AbstractContextManager]
) -> None:
    with seconds(10), pytest.raises(ValueError) as caught:
        from_yaml(text)
    assert "\n" not in str(caught.value)


def test_committed_configurations_read_as_yaml_does() -> None:
    found = sorted((paths.conf().parent / "results" / "runs").glob("*/config.yaml"))
    for path in [*found[:3], *paths.conf().rglob("*.yaml")]:
        assert from_yaml(path.read_text()) == yaml.safe_load(path.read_text())
