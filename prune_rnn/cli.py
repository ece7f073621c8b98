"""The command words; what follows the first three is Hydra's."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

INTERRUPTED = 75  # exit code (EX_TEMPFAIL): the same command goes on from here

_HELP = """\
prune-rnn: train recurrent speech networks with gradual pruning, and tabulate what it costs and gains.

  prune-rnn train [KEY=VALUE ...]       train one network and test it (the main job: model=gru_sparse_big)
  prune-rnn train -m [KEY=V1,V2 ...]    train every combination; what is finished is skipped
  prune-rnn report [KEY=VALUE ...]      write the paper's tables, figures and a page from the runs under results/
  prune-rnn describe [KEY=VALUE ...]    list a network's layers and parameters, without training
  prune-rnn export RUN [KEY=VALUE ...]  pack a finished run into one small file for inference
  prune-rnn transcribe MODEL AUDIO ...  print the text of recordings; --stream: as it is heard
  prune-rnn bench [KEY=VALUE ...]       measure sparse against dense: the paper's Table 5, on this machine

prune-rnn WORD --help tells more. Exit codes: 0 done, 1 it failed, 2 the command line is wrong,
75 it was interrupted and has saved where it is.
"""

_KEYS = """\
Keys (with their defaults):
  seed=0                    of initialisation and data order
  scale=small               widths, data and epochs: {scale}
  model=gru_dense           {model}
  model.units=...           units of the network as it is built (default: the paper's times scale.width)
  model.activation=clipped_relu   or tanh
  prune=none                {prune}; models named sparse choose gradual by themselves
  prune.sparsity=...        of the whole network, zeros / all parameters (default: that of the paper's network)
  prune.q=auto              magnitude the threshold reaches: auto, calibrated so that the network ends at
                            prune.sparsity; a number; {{recurrent: 0.1, linear: 0.2}}; or baseline, the paper's
                            heuristic: the 90th percentile of |w| of the finished dense run, else an estimate
  prune.prunable_sparsity=null    the same goal as prune.sparsity, of the weights that are pruned
  prune.regrow=false        may a pruned weight come back?
  prune.start_epoch prune.ramp_epoch prune.end_epoch    in epochs done; default 1, 25 % and 50 % of all
  prune.ramp_factor=1.5     second slope of the threshold over its first
  prune.updates_per_epoch=27
  prune.layers=null         {{layer type: [patterns of parameter names]}}; default: model.prunable
  train.epochs train.batch_size train.learning_rate train.momentum     from the scale, as those below
  train.steps_per_epoch     optimizer steps an epoch; null: a pass over all batches
  train.hold_epochs train.anneal    after so many epochs the learning rate is divided by this after each
  train.clip                limit of the gradient's norm; null: none
  train.clip_percentile     the limit as a percentile of all norms seen so far (AutoClip); null: none
  train.precision=float32   or bfloat16
  train.load_workers=0      processes that read audio; train.checkpoint_minutes=5
  data=synthetic            {data}; the first makes speech with espeak-ng
  data.train_hours data.dev_hours data.test_hours       of synthetic speech, from the scale; data.seed=0
  data.snr_low=5 data.snr_high=25     dB; data.rate_low data.rate_high data.pitch_low data.pitch_high
  data.workers=null data.cache=null   processes that make speech, and where it is kept
  data.train=... data.dev=... data.test=...   JSON-lines manifests, for data=manifest; data.skip_bad=false
  model.conv_channels model.layers model.lookahead      as the scale and the model have them
  name=...                  first part of the run's folder (default: the model's name)
  results=results           the folder of runs and tables
  device=auto threads=null  where to compute: cpu, cuda, cuda:1; CPU threads
"""

_BENCH_KEYS = """\
  workloads=[product,layer,network]   formerly blocks, which is still accepted
  shapes=null               names of conf/table/table5.yaml, such as [gru_2560]; null: all, own: those of `models`
  streams=[1,4,16,64]       sequences at a time
  sparsity=[0.8,0.9,0.95]   of random masks; the models have their own
  models=null               packed files (by prune-rnn export); null: each model-float32.safetensors in results/runs
  threads=null              CPU threads; null: as torch chooses
  rounds=5                  measurements of each candidate, in turn; the median counts
  seconds=0.03              that a measurement takes, about
  device=cpu                or cuda
  results=results           where the tables go
"""

_WORD_HELP = {
    "train": """\
usage: prune-rnn train [-m] [KEY=VALUE ...]

Trains one network, tests it, and leaves config.yaml, history.csv, result.json, hypotheses.jsonl and model.pt in
results/runs/<name>-<digest>/. The same command goes on where it was cut off; a finished run is not run again.
With -m (--multirun) values may be lists: model=gru_dense,gru_sparse seed=0,1,2. Under torchrun: one process a GPU.

{keys}""",
    "report": """\
usage: prune-rnn report [KEY=VALUE ...]

Prints the paper's Table 3 from the runs under results/runs, and writes it to results/tables as Markdown, CSV and LaTeX,
figures to results/figures as PNG and SVG, and all of it on one page, results/report.html.
A row without a run shows a dash and the command that fills it. Give the keys that the runs were trained with, but for
model and seed; those of prune go to the rows that are pruned.

{keys}""",
    "describe": """\
usage: prune-rnn describe [KEY=VALUE ...]

Prints the layers of a network with their parameter counts (the paper's Table 2), without building its weights.

{keys}""",
    "export": """\
usage: prune-rnn export RUN [KEY=VALUE ...]

Packs a finished run (a folder below results/runs) into one safetensors file: the weights that are not zero as values
and 8-bit gaps, the configuration and the alphabet. Then decodes the dev split with it and tells what has changed.

Keys (with their defaults):
  dtype=float32             of the weights: float32 (lossless), bfloat16 or int8
  out=null                  the file; default: model-<dtype>.safetensors in the run's folder
  dev=null                  manifest of the dev split, for runs on data=manifest
  cache=null                where the synthetic corpus is kept
  stream=false              also decode the dev split as transcribe --stream does (GRU networks)
""",
    "transcribe": """\
usage: prune-rnn transcribe [--stream] MODEL AUDIO ... [KEY=VALUE ...]

Prints the text of recordings (WAV, FLAC and whatever else libsndfile reads, of any rate), by a file that
`prune-rnn export` wrote. With --stream the samples go in 20 ms at a time and the text comes out as it is found, about
0.9 s later, after the first second (GRU networks only: the RNN runs both ways and needs whole files). How long it took
is told on the error stream.

Keys (with their defaults):
  threads=null              CPU threads; default: as torch chooses, 1 with --stream
""",
    "bench": """\
usage: prune-rnn bench [KEY=VALUE ...]

Measures the recurrent product, the recurrent layer over a sequence, and whole networks: the sparse engine against what
users would run instead (torch, ONNX Runtime, scipy), all in one run. Prints a summary, the paper's Table 5; speed-ups
are over the fastest dense baseline. All rows go to results/tables/table5/<machine>/ as CSV and Markdown, the summary
also as LaTeX and a figure. The same command goes on where it was cut off.

Keys (with their defaults):
{bench}""",
}


class UsageError(Exception):
    """The command line is wrong."""


def _help(word: str) -> str:
    from prune_rnn.paths import options

    keys = _KEYS.format(**{group: ", ".join(options(group)) for group in ("scale", "model", "prune", "data")})
    return _WORD_HELP[word].format(keys=keys, bench=_BENCH_KEYS)


def _flags(word: str, arguments: Sequence[str], known: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns (flags, overrides); UsageError at a flag that is not known."""
    from prune_rnn.nearest import nearest

    flags = [argument for argument in arguments if argument.startswith("-")]
    for flag in flags:
        if flag not in known:
            raise UsageError(f"prune-rnn {word}: unknown option {flag}; " + nearest(flag, known))
    return flags, [argument for argument in arguments if not argument.startswith("-")]


def _train(flags: list[str], overrides: list[str], command: str) -> int:
    if flags:
        from prune_rnn.sweep import sweep

        return sweep(overrides, command)
    from prune_rnn.config import compose_config
    from prune_rnn.distributed import launched_rank
    from prune_rnn.experiment import experiment
    from prune_rnn.table.summary import summary

    run = experiment(compose_config(overrides), command)
    if launched_rank() == 0:
        print(summary(run))
    return 0


def _report(flags: list[str], overrides: list[str], command: str) -> int:
    from prune_rnn.table.report import report

    print(report(overrides))
    return 0


def _describe(flags: list[str], overrides: list[str], command: str) -> int:
    from prune_rnn.config import compose_config
    from prune_rnn.table.layers import describe

    print(describe(compose_config(overrides)))
    return 0


def _export(flags: list[str], words: list[str], command: str) -> int:
    from pathlib import Path

    from prune_rnn.deploy.export import ExportOptions, export
    from prune_rnn.options import parse

    folders, options = parse(words, ExportOptions)
    if len(folders) != 1:
        raise UsageError("prune-rnn export: give one RUN, a folder below results/runs")
    print(export(Path(folders[0]), options))
    return 0


def _transcribe(flags: list[str], words: list[str], command: str) -> int:
    from pathlib import Path

    from prune_rnn.deploy.transcribe import TranscribeOptions, transcribe
    from prune_rnn.options import parse

    files, options = parse(words, TranscribeOptions)
    if len(files) < 2:
        raise UsageError("prune-rnn transcribe: give a MODEL (by prune-rnn export) and one AUDIO file or more")
    transcribe(Path(files[0]), [Path(file) for file in files[1:]], options, stream="--stream" in flags)
    return 0


def _bench(flags: list[str], words: list[str], command: str) -> int:
    from prune_rnn.bench.plan import BenchOptions
    from prune_rnn.bench.run import bench
    from prune_rnn.options import parse
    from prune_rnn.table import table5

    others, options = parse(words, BenchOptions)
    if others:
        raise UsageError(f"prune-rnn bench: {others[0]!r} is not of the form KEY=VALUE")
    print(table5.write(bench(options, command)))
    return 0


_WORDS: dict[str, tuple[Callable[[list[str], list[str], str], int], list[str]]] = {
    "train": (_train, ["-m", "--multirun"]),
    "report": (_report, []),
    "describe": (_describe, []),
    "export": (_export, []),
    "transcribe": (_transcribe, ["--stream"]),
    "bench": (_bench, []),
}


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_HELP, end="")
        return 0
    word, rest = arguments[0], arguments[1:]
    if word == "--version":
        from prune_rnn import __version__

        print(__version__)
        return 0
    if word not in _WORDS:
        from prune_rnn.nearest import nearest

        raise UsageError(f"prune-rnn: unknown word {word!r}; " + nearest(word, list(_WORDS)))
    if "-h" in rest or "--help" in rest:
        print(_help(word), end="")
        return 0
    function, flags = _WORDS[word]
    return function(*_flags(word, rest, [*flags, "--help"]), shlex.join(["prune-rnn", *arguments]))


def _terminate(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Runs the command line and exits with its code; a user's mistake is one line on the error stream."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = _dispatch(sys.argv[1:])
        sys.stdout.flush()
    except UsageError as error:
        print(error, file=sys.stderr)
        code = 2
    except (ValueError, OSError, ArithmeticError, RuntimeError) as error:
        if os.environ.get("PRUNE_RNN_TRACEBACK"):
            raise
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        print(f"prune-rnn: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        if sys.argv[1:2] in (["export"], ["transcribe"]):
            print("prune-rnn: interrupted", file=sys.stderr)
            sys.exit(130)
        print("prune-rnn: interrupted; the same command goes on from here", file=sys.stderr)
        code = INTERRUPTED
    sys.exit(code)
