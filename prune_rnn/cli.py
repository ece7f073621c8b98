"""The command line. What follows a command and is no flag of it is handed on: to Hydra, or to `options.parse`."""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import shlex
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

from prune_rnn import __version__, commands, library
from prune_rnn.commands import UsageError
from prune_rnn.nearest import nearest

INTERRUPTED = 75  # exit code (EX_TEMPFAIL): the same command goes on from here

_ABOUT = "Trains recurrent speech networks with gradual pruning, and tabulates what it costs and gains."
_CODES = """\
`prune-rnn COMMAND --help` tells more. Exit codes: 0 done, 1 it failed, 2 the command line is wrong,
75 it was interrupted and has saved its state: the same command goes on from there.
"""


class _Layout(argparse.RawDescriptionHelpFormatter):
    """At most 100 columns, whatever the terminal; the longest command stands on the line of its summary."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=100)
        self._action_max_length = 14  # argparse forgets that commands are indented


class _Parser(argparse.ArgumentParser):
    """Raises UsageError instead of exiting; `keys` gives the last part of the help, made only when it is asked for."""

    def __init__(self, *, keys: Callable[[], str] = str, **rest: Any) -> None:
        super().__init__(**rest, formatter_class=_Layout, allow_abbrev=False)
        self.keys = keys

    def format_help(self) -> str:
        keys = self.keys()
        return super().format_help() + (f"\n{keys}" if keys else "")

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}")


class _Version(argparse.Action):
    """Prints the version, and whether the engine is compiled."""

    def __call__(self, *_: Any) -> None:
        print(f"{__version__}\n{library.describe()}")
        raise SystemExit


def _run_keys() -> str:
    from prune_rnn.help import run_help

    return run_help()


def _see_train() -> str:
    return "Keys: those of `prune-rnn train --help`.\n"


def _keys(module: str, options: str) -> str:
    from prune_rnn.help import options_help

    return options_help(getattr(importlib.import_module(f"prune_rnn.{module}"), options))


def _parsers() -> tuple[_Parser, dict[str, _Parser]]:
    """Returns the parser of the whole command line, and that of each command."""
    whole = _Parser(prog="prune-rnn", description=_ABOUT, epilog=_CODES, usage="prune-rnn COMMAND ...")
    whole.add_argument("--version", action=_Version, nargs=0, help="show the version and what multiplies, and exit")
    parsers = whole.add_subparsers(title="commands", metavar="COMMAND", dest="command")

    def add(run: Callable[[Namespace, list[str], str], int], usage: str, keys: Callable[[], str]) -> _Parser:
        name, about = run.__name__, inspect.getdoc(run) or ""
        summary = about.partition("\n")[0].rstrip(".")
        usage = f"prune-rnn {name} {usage}{'' if keys is str else '[KEY=VALUE ...]'}"
        parser: _Parser = parsers.add_parser(name, help=summary, description=about, usage=usage, keys=keys)
        parser.set_defaults(run=run, resumes=name in ("train", "bench"))
        return parser

    train = add(commands.train, "[-m] [--cfg job] ", _run_keys)
    train.add_argument("-m", "--multirun", action="store_true", help="train every combination of the values")
    train.add_argument(
        "-c", "--cfg", choices=["job"], metavar="job", help="print the run's keys as YAML, train nothing"
    )
    add(commands.runs, "", partial(_keys, "table.runs", "RunsOptions"))
    add(commands.report, "", _see_train)
    add(commands.describe, "", _see_train)
    add(commands.export, "RUN ", partial(_keys, "deploy.export", "ExportOptions"))
    add(commands.verify, "[RUN|FILE ...] ", partial(_keys, "verify", "VerifyOptions"))
    keys = partial(_keys, "deploy.transcribe", "TranscribeOptions")
    transcribe = add(commands.transcribe, "[--stream] MODEL AUDIO ... ", keys)
    transcribe.add_argument("--stream", action="store_true", help="as the sound arrives (GRU networks)")
    keys = partial(_keys, "deploy.evaluate", "EvaluateOptions")
    add(commands.evaluate, "MODEL MANIFEST ", keys)
    add(commands.bench, "", partial(_keys, "bench.plan", "BenchOptions"))
    completion = add(commands.completion, "SHELL", str)
    choices = dict(parsers.choices)
    completion.set_defaults(words={name: sorted(parser._option_string_actions) for name, parser in choices.items()})
    return whole, choices


def _parse(arguments: Sequence[str]) -> tuple[Namespace, list[str]]:
    """Returns (the command and its flags, the rest); UsageError with the nearest right command or flag."""
    whole, parsers = _parsers()
    name, *others = arguments or ["--help"]
    if name.startswith("-"):
        _refuse("prune-rnn", [name], whole)
    elif name not in parsers:
        raise UsageError(f"prune-rnn: unknown command {name!r}; " + nearest(name, list(parsers)))
    flags, rest = whole.parse_known_args([name, *others])
    _refuse(f"prune-rnn {name}", [argument for argument in rest if argument.startswith("-")], parsers[name])
    return flags, rest


def _refuse(where: str, unknown: Sequence[str], parser: _Parser) -> None:
    known = list(parser._option_string_actions)
    for flag in unknown:
        if flag not in known:
            raise UsageError(f"{where}: unknown option {flag}; " + nearest(flag, known))


def _terminate(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Runs the command line and exits with its code; a user's mistake is one line on the error stream."""
    signal.signal(signal.SIGTERM, _terminate)
    code, resumes = 0, False
    try:
        try:
            flags, rest = _parse(sys.argv[1:])
            resumes = flags.resumes
            code = flags.run(flags, rest, shlex.join(["prune-rnn", *sys.argv[1:]]))
        except SystemExit:  # --help and --version have printed what they have to
            pass
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
        print(f"prune-rnn: interrupted{'; the same command goes on from here' if resumes else ''}", file=sys.stderr)
        code = INTERRUPTED if resumes else 130
    sys.exit(code)
