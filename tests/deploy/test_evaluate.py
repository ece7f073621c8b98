"""`prune-rnn evaluate`: the errors of a run and of its packed file, on any manifest."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from prune_rnn import paths
from prune_rnn.deploy.evaluate import Evaluated, EvaluateOptions, evaluate
from prune_rnn.deploy.file import to_bytes
from prune_rnn.deploy.pack import pack
from prune_rnn.engine.quantise import Dtype
from prune_rnn.run.store import Run
from prune_rnn.speech.scores import error_rates
from prune_rnn.usage import UsageError


@pytest.fixture
def split(corpus: list[str]) -> Path:
    """The manifest of the corpus's test split."""
    return Path(next(word for word in corpus if word.startswith("data.test=")).partition("=")[2])


@pytest.fixture
def packed(network: Callable, relist: Callable, tmp_path: Path) -> tuple[Path, Path]:
    """(A finished run nobody trained, its packed file)."""
    model, kept = network("gru_sparse")
    with torch.no_grad():
        model.output.weight *= 30  # decided enough for any order of additions
    run = Run(tmp_path / "results" / "runs" / "gru_sparse-0")
    run.write_config(kept)
    run.save(paths.MODEL, {"model": model.state_dict(), "config": kept.values})
    (run.folder / paths.RESULT).write_text("{}")
    relist(run)
    path = run.folder / "model-float32.safetensors"
    path.write_bytes(to_bytes(pack(model.state_dict(), kept, Dtype.float32, torch.zeros(161), torch.ones(161))))
    return run.folder, path


def test_a_run_and_its_packed_file_hear_the_same(
    packed: tuple[Path, Path], split: Path, command: Callable, tmp_path: Path
) -> None:
    folder, file = packed
    of_run = command("evaluate", str(folder), str(split), "--threads=1", "--device=cpu", check=True).stdout
    of_file = command("evaluate", str(file), str(split), "--out=file.jsonl", check=True).stdout
    command("evaluate", str(folder / "model.pt"), str(split), "--out=model.jsonl", check=True)
    assert of_run.split("\n\n")[1] == of_file.split("\n\n")[1]
    lines = (tmp_path / "test-hypotheses.jsonl").read_text()
    assert lines == (tmp_path / "file.jsonl").read_text() == (tmp_path / "model.jsonl").read_text()
    entries = [json.loads(line) for line in lines.splitlines()]
    assert [entry["reference"] for entry in entries] == [
        "bca ab",
        "ca cc",
        "bb acb",
        "ab bca",
    ]
    # in the manifest's order
    assert [Path(entry["audio"]).name for entry in entries] == [f"test{index}.wav" for index in range(4)]
    assert any(entry["hypothesis"] for entry in entries)
    cer, wer = error_rates([e["reference"] for e in entries], [e["hypothesis"] for e in entries])
    rows = [line.split() for line in of_run.splitlines() if line.startswith(("CER", "WER"))]
    for row, rate, length in zip(rows, (cer, wer), (23, 8), strict=True):
        assert row[1:5] == [f"{100 * rate.rate:.2f}", *map(str, (rate.insertions, rate.deletions, rate.substitutions))]
        assert row[5] == str(length)


def test_a_run_and_its_packed_file_hear_the_same_by_a_beam(
    packed: tuple[Path, Path], split: Path, command: Callable, tmp_path: Path
) -> None:
    for name, model in zip(("run", "file"), packed, strict=True):
        done = command("evaluate", str(model), str(split), "--beam=8", f"--out={name}.jsonl", check=True)
        assert "beam search, 8 hypotheses" in done.stdout
    assert (tmp_path / "run.jsonl").read_text() == (tmp_path / "file.jsonl").read_text()


def test_a_run_and_its_packed_file_write_only_words_of_the_language_model(
    packed: tuple[Path, Path], split: Path, command: Callable, tmp_path: Path
) -> None:
    (tmp_path / "two.arpa").write_text("\\1-grams:\n-0.3 ab\n-0.3 bca\n\\end\\\n")
    for name, model in zip(("run", "file"), packed, strict=True):
        words = ["--beam=8", "--lm=two.arpa", "--word-bonus=5", f"--out={name}.jsonl"]
        done = command("evaluate", str(model), str(split), *words, check=True)
        assert "beam search, 8 hypotheses; two.arpa: 1-gram, 2 words, no others" in done.stdout
    lines = (tmp_path / "run.jsonl").read_text()
    assert lines == (tmp_path / "file.jsonl").read_text()
    heard = {word for line in lines.splitlines() for word in json.loads(line)["hypothesis"].split()}
    assert heard and heard <= {"ab", "bca"}


def test_a_run_without_its_weights_names_the_packed_file(
    packed: tuple[Path, Path], split: Path, command: Callable
) -> None:
    folder, file = packed
    (folder / "model.pt").unlink()
    (folder / "model-bfloat16.safetensors").touch()
    for model in (folder, folder / "model.pt"):
        done = command("evaluate", str(model), str(split))
        assert done.returncode == 1
        assert done.stderr == f"prune-rnn: {folder} holds no model.pt; give its packed file, {file}\n"


def test_what_is_printed_by_hand() -> None:
    rates = error_rates(["a cat", "dog"], ["acat", "dogs"])  # a space is missing, an s too much, all words wrong
    shown = str(Evaluated("network", Path("m.jsonl"), 2, *rates, Path("out.jsonl"))).splitlines()
    assert [line.split() for line in shown[-2:]] == [
        ["CER", "25.00", "1", "1", "0", "8", "characters"],
        ["WER", "100.00", "0", "1", "2", "3", "words"],
    ]


def test_nothing_is_overwritten(packed: tuple[Path, Path], split: Path, command: Callable, tmp_path: Path) -> None:
    """A stated file that is there is an error; the default name takes the first free number."""
    for name in ("test-hypotheses.jsonl", "test-hypotheses-2.jsonl"):
        (tmp_path / name).write_text("mine")
    done = command("evaluate", str(packed[0]), str(split), "--out", "test-hypotheses.jsonl")
    assert done.returncode == 1 and "test-hypotheses.jsonl is already there; give another file by --out" in done.stderr
    done = command("evaluate", str(packed[0]), str(split))
    assert done.returncode == 0 and "hypotheses  test-hypotheses-3.jsonl" in done.stdout
    assert (tmp_path / "test-hypotheses-3.jsonl").is_file()
    assert [(tmp_path / f"test-hypotheses{number}.jsonl").read_text() for number in ("", "-2")] == ["mine", "mine"]


def test_lines_that_can_not_be_used_stop_it_or_are_named(
    packed: tuple[Path, Path], split: Path, command: Callable, tmp_path: Path
) -> None:
    folder, _ = packed
    bad = split.with_name("bad.jsonl")
    bad.write_text(split.read_text() + '{"audio_filepath": "no.wav", "text": "a"}\n')
    done = command("evaluate", str(folder), str(bad))
    assert done.returncode == 1 and "no.wav: no such file" in done.stderr and "with --skip-bad" in done.stderr
    done = command("evaluate", str(folder), str(bad), "--skip-bad", check=True)
    assert "utterances: 4" in done.stdout and "no.wav: no such file" in done.stderr


def test_foreign_characters_have_a_way_out_that_it_has(packed: tuple[Path, Path], split: Path, tmp_path: Path) -> None:
    foreign = split.with_name("foreign.jsonl")
    foreign.write_text(split.read_text() + '{"audio_filepath": "test0.wav", "text": "\u00fc 3"}\n')
    for model in packed:
        with pytest.raises(
            ValueError,
            match="'\u00fc' 1, '3' 1; this network writes no others: give --normalise LANGUAGE and correct the tr",
        ) as error:
            evaluate(model, foreign, EvaluateOptions(out=str(tmp_path / "out.jsonl")))
        assert "data." not in str(error.value) and str(error.value).endswith("or leave them out with --skip-bad")


def test_transcripts_are_spelt_on_request(packed: tuple[Path, Path], split: Path, tmp_path: Path) -> None:
    foreign = split.with_name("foreign.jsonl")
    foreign.write_text('{"audio_filepath": "test0.wav", "text": "A, b!"}\n')
    for model in packed:
        out = tmp_path / f"{model.name}.jsonl"
        with pytest.raises(
            ValueError, match="',' 1, '!' 1; this network writes no others: give --normalise LANGUAGE\n"
        ):
            evaluate(model, foreign, EvaluateOptions(out=str(out)))
        assert evaluate(model, foreign, EvaluateOptions(out=str(out), normalise="en")).cer.length == 3
        assert json.loads(out.read_text())["reference"] == "a b"
        with pytest.raises(UsageError, match="--normalise=xx: no language of num2words"):
            evaluate(model, foreign, EvaluateOptions(normalise="xx"))


@pytest.mark.parametrize(
    "word", ["--threads=0", "--threads=9999", "--device=nowhere", "--device=meta", "--device=cuda:99"]
)
def test_a_wrong_command_line_has_its_own_exit_code(
    packed: tuple[Path, Path], split: Path, command: Callable, word: str
) -> None:
    for model in packed:
        done = command("evaluate", str(model), str(split), word)
        assert done.returncode == 2 and word.partition("=")[2] in done.stderr and done.stderr.count("\n") == 1


def test_what_can_not_be_evaluated_is_said(
    packed: tuple[Path, Path], split: Path, broken_flac: Path, tmp_path: Path
) -> None:
    folder, file = packed
    broken = tmp_path / "broken.jsonl"
    files = (split.with_name("test0.wav"), broken_flac)
    broken.write_text("".join(json.dumps({"audio_filepath": str(file), "text": "a"}) + "\n" for file in files))
    cases: list[tuple[Path, Path, dict[str, object], str]] = [
        (tmp_path, split, {}, "holds no finished run"),
        (folder, tmp_path / "no.jsonl", {}, r"no.jsonl: can't be read \(No such file or directory\); give a manifest"),
        (
            folder,
            tmp_path,
            {},
            rf"{tmp_path}: can't be read \(not a regular file\); give a manifest",
        ),
        (folder, Path("/dev/null"), {}, r"/dev/null: can't be read \(not a regular file\); give a manifest"),
        (folder, split, {"threads": 0}, "threads=0: must be 1 or more"),
        (folder, split, {"device": "nowhere"}, "device=nowhere: must be auto, cpu, cuda"),
        (folder, broken, {}, "line 2 .*broken.flac can't be decoded"),
        (file, broken, {}, "line 2 .*broken.flac can't be decoded"),
        (file, split, {"device": "cuda"}, "device=cuda: a packed file is decoded on the CPU"),
        (split, split, {}, "is damaged or no packed network"),
        (tmp_path / "nowhere", split, {}, "no such file; make one by"),
    ]
    for model, manifest, options, message in cases:
        with pytest.raises((ValueError, OSError), match=message):
            evaluate(model, manifest, EvaluateOptions(out=str(tmp_path / "out.jsonl"), **options))  # type: ignore[arg-type]
    assert not (tmp_path / "out.jsonl").exists()
