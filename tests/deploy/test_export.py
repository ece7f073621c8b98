"""`prune-rnn export` on a run made by the tests."""

import json
import os
import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from prune_rnn.config.config import compose_config
from prune_rnn.data.batch import read_audio
from prune_rnn.data.coding import Coding
from prune_rnn.data.manifest import Manifest
from prune_rnn.deploy.advance import log_probs
from prune_rnn.deploy.export import ExportOptions, _statistics, export
from prune_rnn.deploy.file import Packed, read
from prune_rnn.deploy.network import Network
from prune_rnn.deploy.stream import streamed_text
from prune_rnn.engine.quantise import Dtype
from prune_rnn.speech.features import log_power
from prune_rnn.speech.front_end import FrontEnd
from prune_rnn.train.experiment import experiment
from prune_rnn.usage import UsageError


def test_a_run_is_packed_and_checked(tiny: list[str], tmp_path: Path, command: Callable) -> None:
    run = experiment(compose_config(["model=gru_sparse", "prune.sparsity=0.4", *tiny]), "test")
    dev = next(word for word in tiny if word.startswith("data.dev=")).replace("data.", "--")
    done = command("export", str(run.folder), dev, check=True)
    assert (
        "4 of 4 utterances: the same text as by the checkpoint" in done.stdout and "(0.00 % more errors)" in done.stdout
    )
    path = run.folder / "model-float32.safetensors"
    size = int(re.search(r"size +([\d,]+) bytes", done.stdout)[1].replace(",", ""))
    assert size == path.stat().st_size and read(path).config.values == run.config().values
    other = tmp_path / "small.safetensors"
    dev = dev.removeprefix("--dev=")
    exported = export(run.folder, ExportOptions(dtype=Dtype.int8, out=str(other), dev=dev, stream=True))
    assert exported.path == other and read(other).dtype is exported.dtype is Dtype.int8
    assert exported.dense_bytes == 4 * run.result().parameters and exported.utterances == 4
    assert exported.stream_cer is not None and "dev CER, streamed" in str(exported)


def test_a_float32_file_is_packed_in_another_type_as_its_run_is(
    tiny: list[str], tmp_path: Path, command: Callable
) -> None:
    """To the byte, with no run at hand; a file that was rounded is not rounded again."""
    run = experiment(compose_config(["model=gru_sparse", "prune.sparsity=0.4", *tiny]), "test")
    dev = next(word for word in tiny if word.startswith("data.dev=")).removeprefix("data.dev=")
    packed = tmp_path / "net-float32.safetensors"
    export(run.folder, ExportOptions(dev=dev, out=str(packed)))
    for dtype in (Dtype.bfloat16, Dtype.int8):
        wanted = export(run.folder, ExportOptions(dtype=dtype, dev=dev)).path.read_bytes()
        done = command("export", str(packed), "--dtype", dtype.value, "--dev", dev, check=True)
        assert (
            "of 4 utterances: the same text as by the float32 file" in done.stdout and "float32 file: " in done.stdout
        )
        assert (tmp_path / f"net-{dtype.value}.safetensors").read_bytes() == wanted
    for words, message in (
        ([str(packed), "--dtype", "int8", "--out", str(packed)], f"--out {packed}: is the file to pack; give another"),
        ([str(tmp_path / "none.safetensors")], "none.safetensors: no such file"),
        ([str(packed)], f"--dtype float32: {packed} is in float32 already; give --dtype int8 or bfloat16"),
        (
            [str(tmp_path / "net-int8.safetensors"), "--dtype", "bfloat16"],
            "its weights are in int8 already; give the run",
        ),
        ([dev], "damaged or no packed network"),
    ):
        done = command("export", *words, "--dev", dev)
        assert done.returncode and message in done.stderr and done.stderr.count("\n") == 1


def test_streams_are_decoded_as_transcribe_decodes_them(tiny: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One frame at a time, on one thread: on more it took most of the export, longer than the training."""
    run = experiment(compose_config(["model=gru_sparse", "prune.sparsity=0.4", *tiny]), "test")
    dev = next(word for word in tiny if word.startswith("data.dev=")).removeprefix("data.dev=")
    made: list[tuple[Network, int]] = []  # for how many frames
    seen: set[tuple[int, int]] = set()  # for how many frames, on how many threads
    own = Network.__init__

    def noted(self: Network, packed: Packed, frames: int = 64, *rest: Any) -> None:
        made.append((self, frames))
        own(self, packed, frames, *rest)

    def streamed(network: Network, waveform: torch.Tensor) -> str:
        seen.update((frames, torch.get_num_threads()) for each, frames in made if each is network)
        return streamed_text(network, waveform)

    monkeypatch.setattr(Network, "__init__", noted)
    monkeypatch.setattr("prune_rnn.deploy.export.streamed_text", streamed)
    torch.set_num_threads(2)
    try:
        export(run.folder, ExportOptions(dev=dev, stream=True))
        assert seen == {(1, 1)} and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_only_a_packed_network_is_replaced(tiny: list[str], tmp_path: Path) -> None:
    run = experiment(compose_config(["model=gru_sparse", "prune.sparsity=0.4", *tiny]), "test")
    dev = next(word for word in tiny if word.startswith("data.dev=")).removeprefix("data.dev=")
    other = tmp_path / "script.sh"
    other.write_text("echo\n")
    with pytest.raises(UsageError, match=r"--out .*script\.sh: is there already, and no packed network; give another"):
        export(run.folder, ExportOptions(dev=dev, out=str(other)))
    assert other.read_text() == "echo\n"
    for _ in range(2):
        assert export(run.folder, ExportOptions(dev=dev, out=str(tmp_path / "own"))).path.is_file()


def test_lines_of_dev_that_the_training_skipped_are_skipped(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = next(number for number, word in enumerate(tiny) if word.startswith("data.dev="))
    old = Path(tiny[place].partition("=")[2])
    lines = [json.loads(line) for line in old.read_text().splitlines()]
    texts = [{**line, "audio_filepath": str(old.parent / line["audio_filepath"])} for line in lines]
    manifest = tmp_path / "dev.jsonl"
    manifest.write_text("".join(json.dumps(each) + "\n" for each in [*texts, {**texts[0], "text": "7 \u00df"}]))
    words = [*tiny[:place], f"data.dev={manifest}", *tiny[place + 1 :], "data.skip_bad=true"]
    run = experiment(compose_config(["model=gru_dense", *words]), "test")
    capsys.readouterr()
    assert export(run.folder, ExportOptions(dev=str(manifest))).utterances == len(lines)
    assert f"{manifest}: 1 of {len(lines) + 1} lines can't be used" in capsys.readouterr().err


def test_what_can_not_be_exported_is_said(tiny: list[str], tmp_path: Path, command: Callable) -> None:
    done = command("export", str(tmp_path / "nothing"))
    assert done.returncode == 1 and "nothing holds no finished run; train it first" in done.stderr
    assert command("export").returncode == 2
    run = experiment(compose_config(["model=rnn_dense", *tiny]), "test")
    done = command("export", str(run.folder), "--stream")  # an error before its dev split is missed
    assert done.returncode == 2 and done.stderr.endswith("needs whole files; leave out --stream\n")
    with pytest.raises(UsageError, match="give that of its dev split by --dev PATH"):
        export(run.folder, ExportOptions())
    (run.folder / "model.pt").unlink()
    with pytest.raises(ValueError, match=r"model\.pt is missing"):
        export(run.folder, ExportOptions())


def test_what_streams_begin_with_leaves_long_silence_out() -> None:
    """Ten seconds of zeros are 1,000 frames, of which 25 count, beside 99 of noise."""
    noise = 0.1 * torch.randn(16_000, generator=torch.Generator().manual_seed(0))
    mean, _ = _statistics([torch.cat([noise, torch.zeros(160_000)])], Coding(FrontEnd.active))
    alone, _ = _statistics([noise], Coding(FrontEnd.active))
    floor = torch.full((161,), 1e-6).log()
    torch.testing.assert_close(mean, (100 * alone + 25 * floor) / 125, atol=0.15, rtol=0)


@pytest.mark.parametrize(("apart", "refused"), [(1e-5, False), (1e-2, True)])
def test_a_float32_file_of_other_probabilities_is_not_written(
    tiny: list[str], monkeypatch: pytest.MonkeyPatch, apart: float, refused: bool
) -> None:
    """Sums in another order change the fifth digit, which may decide between two symbols that tie."""
    run = experiment(compose_config(["model=gru_sparse", "prune.sparsity=0.4", *tiny]), "test")
    dev = next(word for word in tiny if word.startswith("data.dev=")).removeprefix("data.dev=")
    monkeypatch.setattr("prune_rnn.deploy.export.log_probs", lambda *given: (log_probs(*given).exp() + apart).log())
    with pytest.raises(ValueError, match=r"would give probabilities up to 0\.01 apart") if refused else nullcontext():
        export(run.folder, ExportOptions(dev=dev))
    assert bool(list(run.folder.glob("*.safetensors"))) != refused


def test_a_checkpoint_of_another_result_is_refused(
    tiny: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = experiment(compose_config(["model=gru_sparse", "prune.sparsity=0.4", *tiny]), "test")
    dev = next(word for word in tiny if word.startswith("data.dev=")).removeprefix("data.dev=")
    result = run.result()
    run.finish(replace(result, dev=replace(result.dev, cer=result.dev.cer + 0.01)))
    with pytest.raises(ValueError, match=r"dev CER of model\.pt is .* %, result\.json says .*; delete the folder and"):
        export(run.folder, ExportOptions(dev=dev))
    assert not list(run.folder.glob("*.safetensors"))
    monkeypatch.setattr("prune_rnn.deploy.export.versions", dict)
    export(run.folder, ExportOptions(dev=dev))
    assert "the versions of the packages are others than at the training" in capsys.readouterr().err


def test_exports_are_equal_and_clear_what_a_killed_one_left(
    tiny: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run = experiment(compose_config(["model=gru_sparse", "prune.sparsity=0.4", *tiny]), "test")
    left = run.folder / ".model-float32.safetensors.x.unfinished"
    left.touch()
    dev = next(word for word in tiny if word.startswith("data.dev=")).removeprefix("data.dev=")
    made = {export(run.folder, ExportOptions(dev=dev)).path.read_bytes() for _ in range(3)}
    assert len(made) == 1 and not left.exists()
    assert f"removing {left}, left by a process that was cut off" in capsys.readouterr().err


@pytest.mark.parametrize("umask", [0o002, 0o077])
def test_files_have_the_permissions_that_the_umask_leaves(tiny: list[str], umask: int) -> None:
    """Of a run and of an export, all of which are written under another name first."""
    dev = next(word for word in tiny if word.startswith("data.dev=")).removeprefix("data.dev=")
    before = os.umask(umask)
    try:
        run = experiment(compose_config(["model=gru_sparse", "prune.sparsity=0.4", *tiny]), "test")
        export(run.folder, ExportOptions(dev=dev))
    finally:
        os.umask(before)
    files = [path for path in run.folder.iterdir() if path.name != "lock"]
    assert len(files) == 7 and {path.stat().st_mode & 0o777 for path in files} == {0o666 & ~umask}


def test_what_streams_begin_with_is_of_the_train_split(
    tiny: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Measured on dev by statistics of dev, a stream would know what nobody knows. Manifests tell only where dev is."""
    run = experiment(compose_config(["model=gru_sparse", "prune.sparsity=0.4", *tiny]), "test")
    front_end = Coding.of(run.config().data).front_end
    of = {word.split("=")[0]: Path(word.split("=")[1]) for word in tiny if word.startswith("data.")}

    def mean(split: str, every: int = 1) -> torch.Tensor:
        lines = of[f"data.{split}"].read_text().splitlines()[::every]
        audio = [of[f"data.{split}"].parent / json.loads(line)["audio_filepath"] for line in lines]
        return torch.cat([log_power(read_audio(path), front_end).double() for path in audio], dim=1).mean(1).float()

    options = ExportOptions(dev=str(of["data.dev"]))
    kept = read(export(run.folder, options).path).tensors["features.mean"]
    torch.testing.assert_close(kept, mean("dev"))
    assert "are the dev split's" in capsys.readouterr().err
    monkeypatch.setattr(Manifest, "recorded_train", classmethod(lambda cls, kept, cache, say: of["data.train"]))
    kept = read(export(run.folder, options).path).tensors["features.mean"]
    torch.testing.assert_close(kept, mean("train"))
    assert "are the dev split's" not in capsys.readouterr().err
    monkeypatch.setattr("prune_rnn.deploy.export.SAMPLE", 8)  # of 24
    kept = read(export(run.folder, options).path).tensors["features.mean"]
    torch.testing.assert_close(kept, mean("train", every=3))
