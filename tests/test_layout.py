"""The house keeps its shape: imports go one way, names follow one law, the docstrings' examples are true."""

import ast
import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import prune_rnn
from prune_rnn import paths

# a module may import from its own rank and from those below
RANKS = [
    {
        "paths",
        "library",
        "nearest",
        "options",
        "stopping",
        "text",
        "features",
        "files",
        "provenance",
        "prune.schedule",
        "prune.mask",
    },
    {"data", "model", "prune"},
    {"engine"},
    {"distributed", "evaluate", "train"},
    {"progress", "config", "run"},
    {"deploy.file", "deploy.network", "deploy.stream", "deploy.transcribe"},
    {"bench.baselines"},
    {"bench.opponents"},
    {"bench.measure"},
    {"experiment", "deploy", "bench"},
    {"table", "sweep"},
    {"cli", "__main__"},
]
MODULES = [m.name for m in pkgutil.walk_packages(prune_rnn.__path__, "prune_rnn.")]


def rank(module: str) -> int:
    """The rank of the longest name that covers the module."""
    name = module.removeprefix("prune_rnn.")
    covering = [
        (len(key), number) for number, keys in enumerate(RANKS) for key in keys if f"{name}.".startswith(f"{key}.")
    ]
    assert covering, f"{module} has no rank"
    return max(covering)[1]


def imported(module: str) -> set[str]:
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    found = set()
    for node in ast.walk(ast.parse(Path(spec.origin).read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("prune_rnn"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES else node.module or "")
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("prune_rnn")}
    return found - {"prune_rnn"}


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module: str) -> None:
    upward = {other for other in imported(module) if rank(other) > rank(module)}
    assert not upward


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_are_true(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0


@pytest.mark.parametrize("group", ["prune", "data", "table"])
def test_an_option_has_a_module_of_its_name(group: str) -> None:
    for option in paths.options(group):
        assert f"prune_rnn.{group}.{option}" in MODULES


def test_tests_mirror_the_layout() -> None:
    here = Path(__file__).parent
    modules = {module.removeprefix("prune_rnn.").replace(".", "/") for module in MODULES}
    for test in here.rglob("test_*.py"):
        name = test.relative_to(here).with_name(test.name.removeprefix("test_")).with_suffix("").as_posix()
        assert name in modules | {"layout", "install", "readme", "engine/contract"}, f"{test} tests no module"
