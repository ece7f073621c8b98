"""The house keeps its shape: imports go one way, names follow one law, the docstrings' examples are true."""

import ast
import doctest
import importlib
import pkgutil
import subprocess
from pathlib import Path

import pytest

import prune_rnn
from prune_rnn import paths
from prune_rnn.analyse.layout import file_of, layout, names

# a module may import from its own rank and from those below
RANKS = [
    {
        "paths",
        "typed",
        "cpu",
        "cuda",
        "usage",
        "native",
        "config.option",
        "config.compose",
        "config.nearest",
        "speech",
        "files",
        "integrity",
        "values",
        "provenance",
        "printed",
        "train.trackers",
        "train.distributed",
    },
    {"prune.schedule", "prune.mask", "prune.score", "prune.keep"},
    {"data", "model", "prune", "train.recipe"},
    {"engine"},
    {
        "deploy.convolution",
        "deploy.layout",
        "deploy.words",
        "deploy.file",
        "deploy.fold",
        "deploy.network",
        "deploy.advance",
        "deploy.running",
        "deploy.stream",
    },
    {"deploy.streams", "deploy.live", "source.content"},
    {"deploy.transcribe"},
    {"train.average", "train.decode", "train.distil", "train.stopping", "train.loop"},
    {"train.progress", "config.config"},
    {"run", "integrity.tidy"},
    {"train.feasible", "train.session", "deploy.pack", "source"},
    {"bench.candidate", "bench.job", "bench.matrices"},
    {"bench.networks", "bench.opponents"},
    {"bench.ours"},
    {"bench.right"},
    {"bench.measure"},
    {"train.experiment", "deploy", "bench"},
    {"analyse", "predict"},
    {"report"},
    {"predict.plot", "predict.predict"},
    {"integrity.verify", "device", "reproduce"},
    {"cli", "__main__"},
]
MODULES = [m.name for m in pkgutil.walk_packages(prune_rnn.__path__, "prune_rnn.")]


ROOT = Path(__file__).parents[1]
TOP = {"LICENSE", "README.md", "SECURITY.md", "conf", "prune_rnn", "pyproject.toml", "results", "scripts", "tests"}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no checkout")
def test_nothing_else_lies_at_the_top_level() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("git can't read the checkout")
    top = {line.partition("/")[0] for line in tracked.stdout.splitlines()}
    assert {name for name in top if not name.startswith(".")} == TOP


def rank(module: str) -> int:
    """The rank of the longest name that covers the module."""
    name = module.removeprefix("prune_rnn.")
    covering = [
        (len(key), number) for number, keys in enumerate(RANKS) for key in keys if f"{name}.".startswith(f"{key}.")
    ]
    assert covering, f"{module} has no rank"
    return max(covering)[1]


def source(module: str) -> str:
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).read_text()


def imported(module: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source(module))):
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


WITH_EXAMPLES = [module for module in MODULES if ">>> " in source(module)]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_in_docstrings_are_true(module: str) -> None:
    outcome = doctest.testmod(importlib.import_module(module))
    assert outcome.attempted > 0 and outcome.failed == 0


@pytest.mark.parametrize("group", ["prune", "data"])
def test_an_option_has_a_module_of_its_name(group: str) -> None:
    for option in paths.options(group):
        assert f"prune_rnn.{group}.{option}" in MODULES


@pytest.mark.parametrize("table", names())
def test_a_table_has_the_module_of_its_kind(table: str) -> None:
    assert f"prune_rnn.report.{layout(file_of(table)).kind}" in MODULES


def test_modules_stay_small() -> None:
    lines = {module: len(source(module).splitlines()) for module in MODULES}
    assert max(lines.values()) <= 250, max(lines, key=lines.__getitem__)
    code = sorted(count for count in lines.values() if count)
    assert code[len(code) // 2] <= 100


def test_tests_mirror_the_layout() -> None:
    here = Path(__file__).parent
    modules = {module.removeprefix("prune_rnn.").replace(".", "/") for module in MODULES}
    for test in here.rglob("test_*.py"):
        name = test.relative_to(here).with_name(test.name.removeprefix("test_")).with_suffix("").as_posix()
        assert name in modules | {"layout", "install", "readme", "engine/contract", "native/drivers"}, (
            f"{test} tests no module"
        )
