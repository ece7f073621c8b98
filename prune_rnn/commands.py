"""What each command does. A docstring's first line is the command's line of `prune-rnn --help`, all of it its own help.

A command takes its flags, the rest of the command line, and the line as it was typed; it returns the exit code.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from prune_rnn.usage import UsageError


def train(flags: Namespace, overrides: list[str], typed: str) -> int:
    """Trains one network and tests it.

    Leaves config.yaml, history.csv, result.json, hypotheses.jsonl, checksums.json and model.pt in
    results/runs/<name>-<digest>/. The same command goes on where it was cut off; a finished run is
    not run again. With -m values may be lists: model=gru_dense,gru_sparse seed=0,1,2 trains every
    combination and ends with a table of them. Under torchrun: one process per GPU. Overrides are
    Hydra's: ++KEY=VALUE works.
    """
    if flags.multirun:
        from prune_rnn.sweep import sweep

        if flags.cfg:
            raise UsageError("prune-rnn train: --cfg shows one run: leave out -m")
        return sweep(overrides, typed)
    from prune_rnn.config import compose_config

    if flags.cfg:
        from prune_rnn.run.shown import as_yaml

        print(as_yaml(compose_config(overrides)), end="")
        return 0
    from prune_rnn.analyse.summary import summary
    from prune_rnn.distributed import launched_rank
    from prune_rnn.experiment import experiment

    run = experiment(compose_config(overrides), typed)
    if launched_rank() == 0:
        print(summary(run))
    return 0


def runs(flags: Namespace, rest: list[str], typed: str) -> int:
    """Lists the runs: finished, cut off, being trained or damaged.

    One line each, by scale, model and seed, with the test CER, the sparsity, how long it trained, and
    what was set otherwise than its model and scale have it.
    """
    from prune_rnn.analyse.runs import RunsOptions, table
    from prune_rnn.options import parse

    others, options = parse(rest, RunsOptions, files=False)
    if others:
        raise UsageError(f"prune-rnn runs: {others[0]!r} is not of the form KEY=VALUE")
    print(table(Path(options.results)))
    return 0


def report(flags: Namespace, overrides: list[str], typed: str) -> int:
    """Writes the tables, figures and a page from finished runs.

    Writes every table of conf/table to results/tables as Markdown, CSV and LaTeX, figures to
    results/figures as PNG and SVG, and all of it on one page, results/report.html. Prints Table 3.
    A row without a run shows dashes and the command that trains it. Without scale=... all scales that
    have a finished run are reported. Give the keys that the runs were trained with, but for model and
    seed; those of prune go to the rows that are pruned. table=table4,trend writes and prints these
    tables alone; table=FILE.yaml one of your own. missing=true prints the commands that train what
    the tables have no runs for, one a line.
    """
    from prune_rnn.report.report import report

    print(report(overrides))
    return 0


def describe(flags: Namespace, overrides: list[str], typed: str) -> int:
    """Prints the layers of a network, and what sparsity, size and error to expect, without training.

    The layers with their parameter counts, as the paper's Table 2; how far it will be pruned; how
    big its packed file will be; and the test CER to expect, by a law drawn from the finished runs
    that differ in units, sparsity and seed only.
    """
    from prune_rnn.analyse.layers import describe
    from prune_rnn.config import compose_config

    print(describe(compose_config(overrides)))
    return 0


def export(flags: Namespace, rest: list[str], typed: str) -> int:
    """Packs a finished run into one small file for inference.

    RUN is a folder below results/runs. The safetensors file holds the weights that are not zero, as
    values and 8-bit gaps, the configuration and the alphabet. The dev split is decoded with it, and
    what has changed is printed.
    """
    from prune_rnn.deploy.export import ExportOptions, export
    from prune_rnn.options import parse

    folders, options = parse(rest, ExportOptions)
    if len(folders) != 1:
        raise UsageError("prune-rnn export: give one RUN, a folder below results/runs")
    print(export(Path(folders[0]), options))
    return 0


def verify(flags: Namespace, rest: list[str], typed: str) -> int:
    """Checks that runs and packed files are still what was written.

    RUN is a folder below results/runs, FILE a packed file or a checkpoint; the folder of a synthetic
    corpus is checked as well. With none: all runs, with their packed files. Prints a line for each
    file that is not right, then how many there are. Exit code 1 where something is damaged; a file
    without its checksum is.
    """
    from prune_rnn.integrity.verify import VerifyOptions, verify
    from prune_rnn.options import parse

    places, options = parse(rest, VerifyOptions)
    return 0 if verify([Path(place) for place in places], options) else 1


def transcribe(flags: Namespace, rest: list[str], typed: str) -> int:
    """Prints the text of recordings.

    MODEL is a file that `prune-rnn export` wrote. AUDIO is WAV, FLAC or whatever else libsndfile
    reads, at any rate. With --stream the samples go in 20 ms at a time and the text comes out as it
    is found, about 0.9 s later, after the first second (GRU networks only: the RNN runs both ways and
    needs whole files); several files at a time (jobs) are computed together there, as callers would be.
    How long it took is printed on the error stream, and so is what is wrong with a file that can't be
    used: the others are transcribed, and the exit code is 1.
    """
    from prune_rnn.deploy.transcribe import TranscribeOptions, transcribe
    from prune_rnn.options import parse

    files, options = parse(rest, TranscribeOptions, flags=["--stream"])
    if len(files) < 2:
        raise UsageError("prune-rnn transcribe: give a MODEL (by prune-rnn export) and one AUDIO file or more")
    audio = [Path(file) for file in files[1:]]
    return 0 if transcribe(Path(files[0]), audio, options, stream=flags.stream) else 1


def evaluate(flags: Namespace, rest: list[str], typed: str) -> int:
    """Counts the errors of a trained network on any manifest.

    MODEL is a folder below results/runs, whose model.pt is taken, or a file that `prune-rnn export`
    wrote. Prints CER and WER with their insertions, deletions and substitutions, and writes what was
    said and what was heard, a line of JSON an utterance: reference, hypothesis, audio.
    """
    from prune_rnn.deploy.evaluate import EvaluateOptions, evaluate
    from prune_rnn.options import parse

    files, options = parse(rest, EvaluateOptions)
    if len(files) != 2:
        raise UsageError("prune-rnn evaluate: give a MODEL (a run's folder or a packed file) and one MANIFEST")
    print(evaluate(Path(files[0]), Path(files[1]), options))
    return 0


def bench(flags: Namespace, rest: list[str], typed: str) -> int:
    """Measures sparse against dense on this machine: the paper's Table 5.

    Measures the recurrent product, the recurrent layer over a sequence, and whole networks: the
    sparse engine against what users would run instead (torch, ONNX Runtime, scipy), all in one run.
    Every ratio is against the fastest dense baseline. A summary is printed; all of it goes to a
    folder of the machine's name in results/tables/table5, as CSV, Markdown, LaTeX and a figure.
    """
    from prune_rnn.bench.plan import BenchOptions
    from prune_rnn.bench.run import bench
    from prune_rnn.options import parse
    from prune_rnn.report.table5.write import write

    others, options = parse(rest, BenchOptions, files=False)
    if others:
        raise UsageError(f"prune-rnn bench: {others[0]!r} is not of the form KEY=VALUE")
    print(write(bench(options, typed)))
    print("\nREADME's numbers are of two Zen 5 cores with AVX-512, unless it says otherwise; yours may differ.")
    return 0


def completion(flags: Namespace, rest: list[str], typed: str) -> int:
    """Prints a function by which the shell completes commands, keys and options.

    For bash, in ~/.bashrc or where it is needed: eval "$(prune-rnn completion bash)"
    For zsh, in ~/.zshrc after compinit: eval "$(prune-rnn completion zsh)"
    """
    from prune_rnn.completion import SHELLS, script

    if len(rest) != 1 or rest[0] not in SHELLS:
        raise UsageError(f"prune-rnn completion: give one SHELL, of: {', '.join(SHELLS)}")
    print(script(rest[0], flags.words), end="")
    return 0
