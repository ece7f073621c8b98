"""What each command does. A docstring's first paragraph is the command's line of `prune-rnn --help`.

To add a command, write one function here: `@cli.command()`, its arguments and options as click's decorators, a
docstring, and the imports inside, so that no help waits for torch. `cls=KeysCommand` takes the keys of a run as well,
as `overrides`. It prints what it made and returns nothing, or the exit code.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from prune_rnn.cli.completion import VARIABLE
from prune_rnn.cli.group import FILE, PATH, KeysCommand, Separated, cli
from prune_rnn.data.corpora.catalogue import CORPORA
from prune_rnn.usage import THREADS, UsageError

_THREADS = click.IntRange(1, THREADS)


def _typed() -> str:
    return shlex.join(["prune-rnn", *sys.argv[1:]])


@cli.command(cls=KeysCommand, all_keys=True)
@click.option("-m", "--multirun", is_flag=True, help="Train every combination of the values.")
@click.option("-c", "--cfg", type=click.Choice(["job"]), help="Print the run's keys as YAML, train nothing.")
def train(overrides: list[str], multirun: bool, cfg: str | None) -> int:
    """Trains one network and tests it.

    Leaves config.yaml, history.csv, result.json, hypotheses.jsonl, checksums.json and model.pt in
    results/runs/<name>-<digest>/. The same command goes on where it was cut off; a finished run is not run again. With
    -m values may be lists: model=gru_dense,gru_sparse seed=0,1,2 trains every combination and ends with a table of
    them. Under torchrun: one process per GPU. Overrides are Hydra's: ++KEY=VALUE works.
    """
    if multirun:
        from prune_rnn.cli.sweep import sweep

        if cfg:
            raise UsageError("prune-rnn train: --cfg shows one run: leave out -m")
        return sweep(overrides, _typed())
    from prune_rnn.config import compose_config

    if cfg:
        from prune_rnn.run.shown import as_yaml

        print(as_yaml(compose_config(overrides)), end="")
        return 0
    from prune_rnn.analyse.summary import summary
    from prune_rnn.distributed import launched_rank
    from prune_rnn.experiment import experiment

    run = experiment(compose_config(overrides), _typed())
    if launched_rank() == 0:
        print(summary(run))
    return 0


@cli.command()
@click.argument("corpus", type=click.Choice(list(CORPORA)))
@click.argument("folder", type=PATH)
@click.option("--out", type=FILE, help="Folder of the manifests; by default the corpus's own.")
@click.option("--language", help="Of the transcripts: en, de ...; by default the corpus's, else its folder's name.")
@click.option("--alphabet", help="Characters besides the space; by default a-z and ' for English, else those in use.")
def prepare(corpus: str, folder: Path, **options: Any) -> None:
    """Writes the manifests of a corpus as it is published.

    FOLDER is the corpus's, unpacked. Its layout is checked; what is missing is named, with where it comes from.
    train.jsonl, dev.jsonl and test.jsonl are written, with paths relative to them, durations and speakers. Numbers in
    the transcripts are spelt, and punctuation goes. A corpus without such splits is split by speaker. Prints what is
    in each split, what was left out and why, and the command that trains on it.
    """
    from prune_rnn.data.corpora.prepare import PrepareOptions, prepare

    print(prepare(corpus, folder, PrepareOptions(**options)))


@cli.command()
@click.option("--results", type=PATH, default="results", help="Folder of all results.")
def runs(results: Path) -> None:
    """Lists the runs: finished, cut off, being trained or damaged.

    One line each, by scale, model and seed, with the test CER, the sparsity, how long it trained, and what was set
    otherwise than its model and scale have it.
    """
    from prune_rnn.analyse.runs import table

    print(table(results))


@cli.command(cls=KeysCommand)
@click.option("--table", type=Separated(str), help="Write and print these tables alone; a YAML file is one of yours.")
@click.option("--missing", is_flag=True, help="Print the commands that train what the tables have no runs for.")
def report(overrides: list[str], table: list[str] | None, missing: bool) -> None:
    """Writes the tables, figures and a page from finished runs.

    Writes every table of conf/table to results/tables as Markdown, CSV and LaTeX, figures to results/figures as PNG and
    SVG, and all of it on one page, results/report.html. Prints Table 3. A row without a run shows dashes and the
    command that trains it. Without scale=... all scales that have a finished run are reported. Give the keys that the
    runs were trained with, but for model and seed; those of prune go to the rows that are pruned.
    """
    from prune_rnn.report.report import report

    print(report(overrides, table or [], missing))


@cli.command(cls=KeysCommand)
def describe(overrides: list[str]) -> None:
    """Prints a network's layers, and the sparsity, size and error to expect of it.

    The layers with their parameter counts, as the paper's Table 2; then what `prune-rnn predict --quick` says.
    """
    from prune_rnn.analyse.layers import describe
    from prune_rnn.config import compose_config

    print(describe(compose_config(overrides)))


@cli.command(cls=KeysCommand)
@click.option("--json", "json_", is_flag=True, help="Print it as JSON.")
@click.option("--plot", type=PATH, help="Draw it to this PNG, SVG or PDF file.")
@click.option("--quick", is_flag=True, help="Time nothing: leave out training time and speed-up.")
def predict(overrides: list[str], **options: Any) -> None:
    """Predicts a network before it is trained, or finds one for a target.

    Takes any key of train. Prints the sparsity over the epochs, what is left, the size of the packed file, the test CER
    with a 90 % interval, and, timed here for ten seconds, training time and speed-up. By all networks of this package
    and those in your results folder.

    target.cer=0.27, target.parameters=N, target.bytes=N and target.speedup=X, one or several, find the smallest network
    that reaches them and print the command that trains it. The upper end of the interval has to reach target.cer.
    """
    from prune_rnn.predict.predict import predict

    print(predict(overrides, **options))


@cli.command()
@click.argument("run", type=PATH)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16", "int8"]),
    default="float32",
    help="Type of the weights; float32 is lossless.",
)
@click.option("--out", type=FILE, help="The file; by default model-DTYPE.safetensors in the run's folder.")
@click.option("--dev", type=FILE, help="Manifest of the dev split, for runs on data=manifest.")
@click.option("--cache", type=FILE, help="Folder of the synthetic corpus; by default that of train.")
@click.option(
    "--stream",
    is_flag=True,
    help="Decode the dev split as transcribe --stream does, too (not of networks run both ways).",
)
def export(run: Path, dtype: str, **options: Any) -> None:
    """Packs a finished run into one small file for inference.

    RUN is a folder below results/runs. The safetensors file holds the weights that are not zero, as values and 8-bit
    gaps, the configuration and the alphabet. The dev split is decoded with it, and what has changed is printed.
    """
    from prune_rnn.deploy.export import ExportOptions, export
    from prune_rnn.engine.quantise import Dtype

    print(export(run, ExportOptions(dtype=Dtype[dtype], **options)))


@cli.command()
@click.argument("places", nargs=-1, type=PATH, metavar="[RUN|FILE]...")
@click.option("--results", default="results", type=FILE, help="Folder of all results, where no run is named.")
def verify(places: list[Path], **options: Any) -> int:
    """Checks that runs and packed files are still what was written.

    RUN is a folder below results/runs, FILE a packed file or a checkpoint; the folder of a synthetic corpus is checked
    as well. With none: all runs, with their packed files. Prints a line for each file that is not right, then how many
    there are. Exit code 1 where something is damaged; a file without its checksum is.
    """
    from prune_rnn.integrity.verify import VerifyOptions, verify

    return 0 if verify(places, VerifyOptions(**options)) else 1


@cli.command()
@click.argument("model", type=PATH)
@click.argument("audio", type=PATH, nargs=-1, required=True)
@click.option("--stream", is_flag=True, help="As the sound arrives (GRU networks).")
@click.option(
    "--threads", type=_THREADS, help="CPU threads of each file; by default torch's choice, 1 with --stream or --jobs."
)
@click.option(
    "--jobs", type=_THREADS, default=1, help="Files at a time; with --stream a text comes once its file has ended."
)
def transcribe(model: Path, audio: tuple[Path, ...], stream: bool, **options: Any) -> int:
    """Prints the text of recordings.

    MODEL is a file that `prune-rnn export` wrote. AUDIO is WAV, FLAC or whatever else libsndfile reads, at any rate.
    With --stream the samples go in 20 ms at a time and the text comes out as it is found, about 0.9 s later, after the
    first second (GRU networks only: the RNN runs both ways and needs whole files); several files at a time (--jobs) are
    computed together there, as callers would be. How long it took is printed on the error stream, and so is what is
    wrong with a file that can't be used: the others are transcribed, and the exit code is 1.
    """
    from prune_rnn.deploy.transcribe import TranscribeOptions, transcribe

    return 0 if transcribe(model, list(audio), TranscribeOptions(**options), stream) else 1


@cli.command()
@click.argument("model", type=PATH)
@click.argument("manifest", type=PATH)
@click.option("--out", type=FILE, help="File of references and hypotheses; by default MANIFEST-hypotheses.jsonl, here.")
@click.option("--skip-bad", is_flag=True, help="Go on without the lines that can't be used, after naming them.")
@click.option("--device", default="auto", help="Where to compute: auto, cpu, cuda ...; a packed file: the CPU.")
@click.option("--threads", type=_THREADS, help="CPU threads; by default torch's choice.")
def evaluate(model: Path, manifest: Path, **options: Any) -> None:
    """Counts the errors of a trained network on any manifest.

    MODEL is a folder below results/runs, whose model.pt is taken, or a file that `prune-rnn export` wrote. Prints CER
    and WER with their insertions, deletions and substitutions, and writes what was said and what was heard, a line of
    JSON an utterance: reference, hypothesis, audio.
    """
    from prune_rnn.deploy.evaluate import EvaluateOptions, evaluate

    print(evaluate(model, manifest, EvaluateOptions(**options)))


@cli.command()
@click.option("--workloads", type=Separated(str), default="product,layer,network,stages", help="What is measured.")
@click.option(
    "--shapes",
    type=Separated(str),
    help="rnn_1760, rnn_2560, rnn_3072, gru_2560, gru_3568, gru_3584, lstm_1760, own (the files of --models); "
    "by default all.",
)
@click.option("--streams", type=Separated(int), default="1,4,16,64", help="Sequences at a time, each 1 or more.")
@click.option("--sparsity", type=Separated(float), default="0.8,0.9,0.95", help="Of random masks, from 0 to below 1.")
@click.option("--models", type=Separated(str), help="Packed files; by default all float32 ones in results/runs.")
@click.option("--threads", type=_THREADS, help="CPU threads; by default torch's choice.")
@click.option("--rounds", type=int, default=5, help="Measurements of each candidate, in turn; the median counts.")
@click.option("--seconds", type=float, default=0.03, help="Per measurement, about; 0 to 60.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", help="Where to compute.")
@click.option("--results", type=FILE, default="results", help="Folder of packed files and tables.")
def bench(**options: Any) -> None:
    """Measures sparse against dense on this machine: the paper's Table 5.

    Measures the recurrent product, the recurrent layer over a sequence, and whole networks: the sparse engine against
    what users would run instead (torch, ONNX Runtime, scipy), all in one run. Every ratio is against the fastest dense
    baseline. A summary is printed; all of it goes to a folder of the machine's name in results/tables/table5, as CSV,
    Markdown, LaTeX and a figure.
    """
    from prune_rnn.bench.plan import BenchOptions
    from prune_rnn.bench.run import bench
    from prune_rnn.report.table5.write import write

    print(write(bench(BenchOptions(**options), _typed())))
    print("\nREADME's numbers are of two Zen 5 cores with AVX-512, unless it says otherwise; yours may differ.")


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Prints a function by which the shell completes commands, options and keys.

    \b
    For bash, in ~/.bashrc or where it is needed: eval "$(prune-rnn completion bash)"
    For zsh, in ~/.zshrc after compinit: eval "$(prune-rnn completion zsh)"
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    print(made(cli, {}, "prune-rnn", VARIABLE).source())
