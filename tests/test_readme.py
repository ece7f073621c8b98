"""The commands of README.md and its siblings are commands, and what they link to is there."""

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from prune_rnn.cli.group import cli
from prune_rnn.config.config import compose_config
from prune_rnn.predict.predict import predict

ROOT = Path(__file__).parents[1]
FILES = [ROOT / name for name in ("README.md", "SECURITY.md", "conf/README.md")]
FILES += [ROOT / "results" / name for name in ("README.md", "notes.md", "recipe.md", "robustness.md", "speed.md")]
FILES += [ROOT / "prune_rnn" / part / "README.md" for part in ("data", "deploy", "engine", "prune")]
LINES = [line.strip() for file in FILES for line in file.read_text().splitlines()]
TRAINING = [
    line for line in LINES if re.search(r"^(prune-rnn|torchrun .*prune_rnn) (train|report|describe|predict)", line)
]
_OTHERS = "prepare|export|transcribe|evaluate|bench|verify|runs"
INFERENCE = [line for line in LINES if re.match(rf"prune-rnn ({_OTHERS})", line)]


def test_there_are_commands() -> None:
    assert len(TRAINING) >= 6 and len(INFERENCE) >= 5


@pytest.mark.parametrize("line", INFERENCE)
def test_every_inference_command_names_what_is_there(line: str) -> None:
    name, *words = shlex.split(line.partition("prune-rnn ")[2], comments=True)
    given = cli.commands[name].make_context(name, words).params
    target = given.get("model", given.get("run"))
    assert target is None or str(target) == "results/runs/RUN" or (ROOT / target).is_file()


def test_its_predictions_are_those_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    forward, inverse = (line for line in TRAINING if line.startswith("prune-rnn predict"))
    words, comment = shlex.split(forward, comments=True)[2:], forward.partition("#")[2]
    found = re.search(r"test CER +([\d.]+) %, 90 % interval ([\d.]+) to ([\d.]+)", predict(words, quick=True))
    assert found is not None and comment.endswith("CER {} % ({} to {})".format(*found.groups()))
    (target,) = shlex.split(inverse, comments=True)[2:]
    printed = predict([target])
    train = next(line for line in printed.splitlines() if line.startswith("prune-rnn train "))
    reached = json.loads(predict(shlex.split(train)[2:], quick=True, json_=True))
    assert reached["cer"]["high"] <= float(target.partition("=")[2]) + 1e-4


@pytest.mark.parametrize("line", [line for line in TRAINING if not re.search("data=manifest|predict", line)])
def test_every_command_composes(line: str) -> None:
    words = shlex.split(re.split(r"prune.rnn (?:train|report|describe|predict)", line)[1], comments=True)
    words = [word for word in words if not word.startswith("-")]
    first = [word.partition(",")[0] for word in words]
    for place, word in enumerate(words):
        key, _, values = word.partition("=")
        for value in values.split(","):
            compose_config([*first[:place], f"{key}={value}", *first[place + 1 :]])


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_somewhere(file: Path) -> None:
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", file.read_text()):
        target = file.parent / path if path else file
        assert target.exists(), path
        headings = (
            [line.lstrip("# ") for line in target.read_text().splitlines() if line.startswith("#")] if anchor else []
        )
        assert not anchor or anchor in [heading.lower().replace(" ", "-") for heading in headings], anchor


def test_its_table_is_what_the_report_wrote() -> None:
    shown = FILES[0].read_text().partition("<!-- table 3 -->\n")[2].partition("\n<!-- end -->")[0].splitlines()[2:]
    with (ROOT / "results" / "tables" / "table3_small.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(shown) == len(rows) > 0
    for line, row in zip(shown, rows, strict=True):
        model, units, sparsity, nonzero, cer, relative, _ = (cell.strip() for cell in line.strip("|").split("|"))
        percent = {key: 100 * float(value) for key, value in row.items() if re.fullmatch(r"-?[\d.]+", value)}
        assert (model, units, nonzero) == (row["model"], row["units"], f"{float(row['nonzero']):,.0f}")
        assert sparsity == f"{percent['sparsity']:.1f}"
        assert cer == f"{percent['cer']:.2f} ± {percent['cer_deviation']:.2f}"
        ends = "({relative_low:+.1f} to {relative_high:+.1f})".format(**percent) if row["relative_low"] else ""
        assert relative == (f"{percent['relative']:+.1f} {ends}" if ends else "baseline")


def test_its_table_of_real_speech_is_what_the_report_wrote() -> None:
    lines = FILES[0].read_text().partition("**On real speech**")[2].splitlines()
    shown = [line.strip("|").split("|") for line in lines if line.startswith("| GRU ")]
    (file,) = (ROOT / "results" / "speech" / "tables").glob("networks_digits_*.csv")
    rows = {row["label"]: row for row in csv.DictReader(file.read_text().splitlines())}
    assert len(shown) == 3
    for cells in shown:
        row = rows[cells[0].strip()]
        percent = {key: 100 * float(value) for key, value in row.items() if re.fullmatch(r"-?[\d.]+", value)}
        form = "{relative:+.0f} ({relative_low:+.0f} to {relative_high:+.0f})" if row["relative_low"] else "baseline"
        rates = f"{percent['cer']:.1f}", f"{percent['wer']:.1f}", form.format(**percent)
        assert [cell.strip() for cell in cells] == [row["label"], f"{float(row['nonzero']):,.0f}", *rates]


@pytest.mark.parametrize("name", ["README.md", "results/README.md", "results/notes.md"])
def test_every_interval_of_its_sentences_stands_in_a_table(name: str) -> None:
    """Of intervals in parentheses with one decimal. "5.2 % more errors (0.4 to 10.1)" is a relative error of -5.2 %."""
    tables = [file.read_text() for file in (ROOT / "results" / "tables").glob("*_small.md")]
    number = r"([-+]?\d+\.\d)"
    written = {pair for table in tables for pair in re.findall(rf"[\[(]{number}(?:,| to) {number}[\])]", table)}
    known = {ends for low, high in written for ends in ((low, high), (low.lstrip("+"), high.lstrip("+")))}
    known |= {(high.lstrip("-"), low.lstrip("-")) for low, high in written}
    lines = (ROOT / name).read_text().splitlines()
    sentences = " ".join(line.strip() for line in lines if not line.startswith(("|", "    ")))
    found = re.findall(rf"{number} to {number}(?=[;)])", re.sub(r"predicted [\d.]+ % \(.*?\)", "", sentences))
    assert found and [ends for ends in found if ends not in known] == []


def test_readme_is_short() -> None:
    assert len(FILES[0].read_text().splitlines()) <= 90


def test_the_test_command_stands_where_ci_finds_it() -> None:
    pattern = re.search(r'grep -E "(.*)" README\.md', (ROOT / ".ci" / "run").read_text())
    assert pattern is not None
    assert len(re.findall(pattern[1], FILES[0].read_text(), re.MULTILINE)) == 1


@pytest.mark.slow
def test_the_worked_example_of_a_pruning_method_trains(tiny: list[str], tmp_path: Path) -> None:
    """In a copy of the package, to which nothing is added but what the page shows."""
    for part in ("prune_rnn", "conf"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    text = FILES[-1].read_text()
    blocks = dict(re.findall(r"`(\S+)`\n\n```\w+\n(.*?)```", text, re.DOTALL))
    for name in ("prune_rnn/prune/linear.py", "conf/prune/linear.yaml"):
        (tmp_path / name).write_text(blocks[name])
    registry = tmp_path / "prune_rnn" / "prune" / "methods.py"
    before, after = registry.read_text().split('    "cubic"')
    imported = "from prune_rnn.prune.linear import Linear\nfrom prune_rnn.prune.none"
    listed = blocks["prune_rnn/prune/methods.py"] + '    "cubic"'
    registry.write_text(before.replace("from prune_rnn.prune.none", imported) + listed + after)
    done = subprocess.run(
        [sys.executable, "-m", "prune_rnn", "train", "model=gru_sparse", "prune=linear", "prune.sparsity=0.4", *tiny],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert re.search(r"sparsity +40\.\d+ %", done.stdout)


def test_pruning_in_a_loop_of_ones_own() -> None:
    """The page's example: 16,384 recurrent weights a layer, of which 90 % of all 32,768 are zero in the end."""
    (code,) = re.findall(r"```python\n(import torch\n.*?)```", FILES[-1].read_text(), re.DOTALL)
    found: dict[str, Any] = {}
    exec(code, found)
    model = found["model"]
    for kind, counts in (("recurrent", (16384, 16384)), ("input", (8192, 16384))):
        weights = [getattr(model, f"weight_{'hh' if kind == 'recurrent' else 'ih'}_l{layer}") for layer in (0, 1)]
        assert tuple(weight.numel() for weight in weights) == counts
        zeros = sum(int((weight == 0).sum()) for weight in weights)
        assert abs(zeros - 0.9 * sum(counts)) < 1 and found["masker"].sparsity()[kind] == zeros / sum(counts)


def test_the_security_notes_fit_a_screen_and_their_claims_are_kept() -> None:
    """No code comes from a file: nothing is unpickled, evaluated or given to a shell, and YAML makes plain values."""
    assert len((ROOT / "SECURITY.md").read_text().splitlines()) <= 60
    source = "\n".join(path.read_text() for path in (ROOT / "prune_rnn").rglob("*.py"))
    for call in re.findall(r"torch\.load\(.*", source):
        assert "weights_only=True" in call
    unsafe = r"import pickle|(?<![.\w])(?:eval|exec)\(|shell=True|os\.system"
    unsafe += r"|yaml\.(?:unsafe_|full_)?load\((?!text, _Loader)"
    assert not re.findall(unsafe, source)
    assert not re.findall(r"^(?:import|from) (?:requests|urllib|http|socket)\b", source, re.MULTILINE)
