"""A small corpus of tones, and the command line as a user has it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from prune_rnn import paths
from prune_rnn.cli import main
from prune_rnn.config.config import compose_config
from prune_rnn.integrity import listed
from prune_rnn.model.cell import Cell
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.model.recurrence import Activation
from prune_rnn.run.record import Recorded, Result, read_result, recorded
from prune_rnn.run.resolve import resolve, run_of
from prune_rnn.run.store import LISTED, Run

torch.set_num_threads(1)  # at the sizes of tests, threads cost more than they bring

_PITCH = {"a": 300.0, "b": 700.0, "c": 1500.0, " ": 3000.0}  # Hz
Made = tuple[DeepSpeech2, Recorded]
Command = Callable[..., subprocess.CompletedProcess[str]]


def tone_manifest(folder: Path, name: str, transcripts: list[str]) -> Path:
    """Writes a manifest and its recordings: every character is a tone of 0.15 s."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(len(name))
    lines = []
    for index, transcript in enumerate(transcripts):
        time = np.arange(2400) / 16_000
        wave = np.concatenate([0.3 * np.sin(2 * np.pi * _PITCH[c] * time) for c in transcript])
        audio = folder / f"{name}{index}.wav"
        soundfile.write(audio, wave + 0.01 * random.standard_normal(len(wave)), 16_000)
        lines.append({"audio_filepath": audio.name, "duration": len(wave) / 16_000, "text": transcript})
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture(autouse=True)
def seeded() -> None:
    """What a test draws without a generator of its own is the same in each call."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Overrides that name a corpus of tones: 24 training utterances, 4 for dev, 4 for test."""
    folder = tmp_path_factory.mktemp("corpus")
    words = ["abc", "cab", "bca", "ab", "ca", "bb", "acb", "cc"]
    splits = {
        "train": [f"{one} {two}" for one in words for two in words[:3]],
        "dev": ["abc ab", "ca bb", "cc cab", "acb ca"],
        "test": ["bca ab", "ca cc", "bb acb", "ab bca"],
    }
    manifests = {split: tone_manifest(folder, split, transcripts) for split, transcripts in splits.items()}
    return ["data=manifest", *(f"data.{split}={path}" for split, path in manifests.items())]


@pytest.fixture
def broken_flac(tmp_path: Path) -> Path:
    """A recording whose header is right, and from its middle on nothing else."""
    path = tmp_path / "broken.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 9600), 16_000)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + bytes(len(content) // 2))
    return path


@pytest.fixture
def tiny(corpus: list[str], tmp_path: Path) -> list[str]:
    """Overrides of a run that takes a second: 6 steps an epoch, 2 epochs, results in a folder of the test's own."""
    small = ["scale=smoke", "model.units=8", "train.batch_size=4", "train.epochs=2", "threads=1", "device=cpu"]
    return [*corpus, *small, f"results={tmp_path / 'results'}"]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `prune-rnn` within this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["prune-rnn", *arguments])
        handler = signal.getsignal(signal.SIGTERM)
        capsys.readouterr()
        try:
            with pytest.raises(SystemExit) as done:
                main()
        finally:
            signal.signal(signal.SIGTERM, handler)
        out, errors = capsys.readouterr()
        code = done.value.code or 0
        assert isinstance(code, int) and not (check and code), errors
        return subprocess.CompletedProcess(arguments, code, out, errors)

    return run


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Starts `prune-rnn` as a process of its own, in an empty folder."""

    fixed = {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}

    def start(
        *words: str, code: str = "from prune_rnn.cli import main; main()", **more: str
    ) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", code, *words],
            cwd=tmp_path,
            env={**os.environ, **fixed, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture(autouse=True)
def _threads_as_before() -> "object":
    """Puts back what experiments set: the number of torch's threads, and what becomes of denormals."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
    torch.set_flush_denormal(False)


@pytest.fixture(autouse=True)
def _choices_of_the_tests(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps what the engine finds fastest out of the user's cache folder."""
    folder = tmp_path_factory.getbasetemp()
    monkeypatch.setattr("prune_rnn.engine.kept.file", lambda: folder / "engine.json")


@pytest.fixture
def network() -> Callable[[str], Made]:
    """Makes a small trained-looking network of a model: (in evaluation mode, what its run keeps of its config)."""

    def make(name: str, *overrides: str) -> Made:
        config = compose_config([f"model={name}", "scale=smoke", "model.units=24", "model.lookahead=7", *overrides])
        torch.manual_seed(0)
        model = DeepSpeech2(config.model)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() == 2:
                    parameter *= torch.rand_like(parameter) < 0.2
        for _ in range(3):  # in training mode: running means and variances that are neither 0 nor 1
            model(torch.randn(2, 161, 80), torch.tensor([80, 80]))
        return model.eval(), recorded(config, "")

    return make


_NO_WORDS = {"rate": 0.5, "insertions": 0, "deletions": 0, "substitutions": 3, "length": 6}
_LAYER = {"parameters": 200, "prunable": 100, "nonzero": 150, "sparsity": 0.25}
_RESULT = {
    "best_epoch": 2,
    "dev": {"loss": 40.0, "cer": 0.25, "wer": 0.5},
    "test": {"loss": 40.0, "cer": {**_NO_WORDS, "rate": 0.25, "length": 12}, "wer": _NO_WORDS},
    **_LAYER,
    "sparsity_recurrent": 0.25,
    "layers": {"recurrent.0": _LAYER},
    "q_of_weights": {"recurrent": 0.1085, "linear": 0.2274},
    "q": None,
    "q_source": None,
    "threshold": {},
    "seed": 0,
    "steps": 4000,
    "train_seconds": 1020.0,
    "seconds_per_step": 0.255,
    "device": "x86_64 CPU",
    "threads": 1,
    "processes": 1,
    "versions": {"prune-rnn": "0.1.0", "torch": "2.11.0"},
    "commit": "0123456789abcdef+changes",
    "command": "prune-rnn train",
    "precision": "bfloat16",
}


@pytest.fixture(scope="session")
def result_of() -> Callable[..., Result]:
    """Makes the result of a run that nobody trained; keywords replace fields of result.json."""
    return lambda **values: read_result({**_RESULT, **values})


@pytest.fixture(scope="session")
def flipped() -> Callable[[bytes, int], bytes]:
    """Returns the content with one bit, by number, as it was not."""

    def flip(content: bytes, bit: int) -> bytes:
        byte, place = divmod(bit, 8)
        return content[:byte] + bytes([content[byte] ^ 1 << place]) + content[byte + 1 :]

    return flip


def _status(key: str) -> int:
    """Returns a number of bytes that Linux tells of this process."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{key}:")]
    return 1024 * int(line.split()[1])


@pytest.fixture(scope="session")
def peak() -> Callable[[Callable[[], object]], int]:
    """Measures by how many bytes a call raises what this process has in memory, for a while or for good."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pytest.skip("this system does not tell a process its greatest use of memory")

    def measure(work: Callable[[], object]) -> int:
        Path("/proc/self/clear_refs").write_text("5")  # the peak is what there is now
        before = _status("VmRSS")
        work()
        return _status("VmHWM") - before

    return measure


@pytest.fixture(scope="session")
def reference() -> Callable[..., Tensor]:
    """Runs a cell over a sequence by its reference step, in double precision: all that computes it agrees with this.

    Shapes as for `Backend.layer`, which it returns the states of. lengths: (streams,), past which a stream's state is
    zero. rounded: what becomes of a state before it is multiplied.
    """

    def states(
        cell: Cell,
        activation: Activation,
        weight: Tensor,
        x: Tensor,
        *,
        state: Tensor | None = None,
        lengths: Tensor | None = None,
        reverse: bool = False,
        rounded: Callable[[Tensor], Tensor] = lambda each: each,
    ) -> Tensor:
        steps, streams, _ = x.shape
        weight, x = weight.double(), x.double()
        n = weight.shape[1]
        carried = x.new_zeros(streams, cell.vectors * n) if state is None else state.double()
        out = x.new_zeros(steps, streams, n)
        for t in reversed(range(steps)) if reverse else range(steps):
            carried = cell.step(x[t], rounded(carried[:, :n]).double() @ weight.t(), carried, activation)
            if lengths is not None:
                carried[t >= lengths] = 0
            out[t] = carried[:, :n]
        return out

    return states


# Runs that nobody trained: folders as `prune-rnn train` leaves them, with numbers chosen by the test.
REFERENCE = "the cat sat on the mat"  # 22 characters
Fabricate = Callable[..., Run]


def history(epochs: int, sparse: bool, level: float) -> list[dict[str, Any]]:
    """Costs that fall from 160 to about `level`, thresholds and sparsity that rise until half of the epochs."""
    rows = []
    for epoch in range(1, epochs + 1):
        cost, done = (160 - level) * 0.8**epoch, min(1.0, max(0.0, 2 * (epoch - 1) / epochs))
        row = {
            "epoch": epoch,
            "step": 116 * epoch,
            "learning_rate": 0.005,
            "train_loss": cost + level / 4,
            "dev_loss": cost + level,
            "dev_cer": level / 200,
            "dev_wer": level / 80,
        }
        if sparse:
            row |= {"sparsity_recurrent": 0.92 * done, "sparsity_linear": 0.95 * done}
            row |= {"threshold_recurrent": 0.108 * done, "threshold_linear": 0.227 * done}
        rows.append(row | {"seconds": 50.0})
    return rows


def counts(parameters: int, sparse: bool, layers: Sequence[str]) -> dict[str, Any]:
    """Equal layers, the first pruned to 94 %, each further one a point less; convolutions are left whole."""
    each = parameters // len(layers)
    counted = {}
    for place, layer in enumerate(layers):
        prunable = 0 if layer.startswith(("conv", "row")) else each
        sparsity = 0.94 - 0.01 * place if sparse and prunable else 0.0
        nonzero = round(each * (1 - sparsity))
        counted[layer] = {"parameters": each, "prunable": prunable, "nonzero": nonzero, "sparsity": sparsity}
    nonzero = sum(layer["nonzero"] for layer in counted.values())
    total = each * len(layers)
    return {
        "prunable": sum(layer["prunable"] for layer in counted.values()),
        "parameters": total,
        "nonzero": nonzero,
        "sparsity": 1 - nonzero / total,
        "sparsity_recurrent": 0.92 if sparse else 0.0,
        "layers": counted,
        "q_of_weights": {"recurrent": 0.1085, "linear": 0.2274},
    }


def fabricate_into(results: Path, result_of: Callable[..., Result]) -> Fabricate:
    """Returns what writes a finished run into a folder of results.

    model, overrides: that name the run, as on the command line. edits: how many characters of each test utterance are
    wrong. heard: whether there are hypotheses. speakers: of the utterances. values: replace fields of result.json.
    """

    def run(
        model: str,
        *overrides: str,
        edits: Sequence[int] = (5, 6, 7),
        heard: bool = True,
        speakers: Sequence[str] = (),
        **values: Any,
    ) -> Run:
        config, q_source = resolve(compose_config([f"model={model}", f"results={results}", *overrides]))
        made, sparse, length = run_of(config), model.find("sparse") > 0, len(REFERENCE) * len(edits)
        rnn = model.startswith("rnn")
        recurrent = [f"recurrent.{number}" for number in range(7 if rnn else 3)]
        layers = ["conv.0", "conv.1", *recurrent, "linear", "output"]
        rate = sum(edits) / length
        words = {"rate": min(1.0, 2.5 * rate), "insertions": 0, "deletions": 0, "substitutions": 0, "length": 6}
        made.write_config(recorded(config, q_source))
        made.write_history(history(round(config.train.epochs), sparse, 200 * rate))
        cer = {"rate": rate, "insertions": 0, "deletions": 0, "substitutions": sum(edits), "length": length}
        plain = {
            **asdict(result_of()),
            **counts(20 * config.model.units**2, sparse, layers),
            "test": {"loss": 40.0, "cer": cer, "wer": words},
            "q": config.prune.magnitudes(),
            "q_source": q_source or None,
            "seed": config.seed,
            "command": f"prune-rnn train model={model} seed={config.seed}",
        }
        if heard:
            lines = [{"reference": REFERENCE, "hypothesis": "z" * n + REFERENCE[n:]} for n in edits]
            lines = [{**line, **({"speaker": speakers[i]} if speakers else {})} for i, line in enumerate(lines)]
            (made.folder / "hypotheses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        made.finish(read_result({**plain, **values}))
        return made

    return run


@pytest.fixture
def relist() -> Callable[[Run], None]:
    """Gives a finished run, whose texts a test has changed, the checksums of what is there now."""

    def relist(run: Run) -> None:
        there = [run.folder / name for name in LISTED if (run.folder / name).exists()]
        digests = {path.name: listed.digest(path.read_bytes()) for path in there}
        listed.write(run.folder / paths.CHECKSUMS, digests)

    return relist


@pytest.fixture
def fabricate(tmp_path: Path, result_of: Callable[..., Result]) -> Fabricate:
    """Writes a finished run into tmp_path/results."""
    return fabricate_into(tmp_path / "results", result_of)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory, result_of: Callable[..., Result]) -> Path:
    """A folder of results with dense and sparse runs of both families, one row of one seed."""
    results = tmp_path_factory.mktemp("sample") / "results"
    fabricate = fabricate_into(results, result_of)
    for seed in (0, 1):
        fabricate("gru_dense", f"seed={seed}", edits=[5 + seed, 6])
        fabricate("gru_sparse_big", f"seed={seed}", edits=[7, 6])
    for model in ("gru_sparse", "rnn_dense", "rnn_sparse"):
        fabricate(model, edits=[7, 6])
    return results


@pytest.fixture
def seconds() -> Callable[[float], "AbstractContextManager[None]"]:
    """Fails what takes longer than so many seconds, a file that is waited for included."""

    @contextmanager
    def limit(most: float) -> Iterator[None]:
        def late(number: int, frame: object) -> None:
            raise AssertionError(f"it takes longer than {most} s")

        before = signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, most)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    return limit


@pytest.fixture
def instead() -> Callable[[Path, str], None]:
    """Puts what is no file of ours in the place of one."""

    def put(path: Path, kind: str) -> None:
        path.unlink(missing_ok=True)
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        elif kind == "sparse":
            path.touch()
            os.truncate(path, 1 << 43)
        else:
            path.symlink_to({"zeros": "/dev/zero", "endless": "/dev/urandom", "loop": path}[kind])

    return put
