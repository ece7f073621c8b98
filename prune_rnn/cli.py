"""The command line. What follows a command and is no flag of it is handed on: to Hydra, or to `options.parse`."""

from __future__ import annotations

import argparse
import difflib
import importlib
import inspect
import os
import re
import shlex
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NoReturn

from prune_rnn import __version__, commands
from prune_rnn.native import library
from prune_rnn.nearest import nearest
from prune_rnn.printed import escape_output, one_line
from prune_rnn.usage import FAULTS, SeveralLines, UsageError

INTERRUPTED = 75  # exit code (EX_TEMPFAIL): the same command goes on from here

_GRACE = 3.0  # seconds in which torchrun ends the other processes once one has failed

_ABOUT = "Trains recurrent speech networks with gradual pruning, and tabulates what it costs and gains."
_CODES = """\
More: `prune-rnn COMMAND --help`. Exit codes: 0 done, 1 it failed, 2 the command line is wrong,
75 it was interrupted and has saved its state: the same command goes on from there. These are the codes
of each process under torchrun, which itself ends with 1 for any of them but 0.
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
    whole.add_argument(
        "--version", action=_Version, nargs=0, help="show the version and the engine's instruction sets, and exit"
    )
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
    add(commands.runs, "", partial(_keys, "analyse.runs", "RunsOptions"))
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
    _refuse(f"prune-rnn {name}", rest, parsers[name])
    return flags, rest


def _refuse(where: str, words: Sequence[str], parser: _Parser) -> None:
    """Raises UsageError for a word that is no flag of the parser and looks like one."""
    known = list(parser._option_string_actions)
    for word, following in pairwise([*words, ""]):
        if word == "-":
            raise UsageError(f"{where}: standard input is not read; give a file")
        if word.startswith("-") and word not in known:
            key, _, value = word.lstrip("-").partition("=")
            misspelt = difflib.get_close_matches(word, known, cutoff=0.8)
            meant = f"did you mean {key}={value or following or '...'}?"
            if misspelt or not _is_key(key, parser):  # in this order: to know the keys takes seconds
                meant = nearest(word, known)
            raise UsageError(f"{where}: unknown option {word}; {meant}")


def _is_key(word: str, parser: _Parser) -> bool:
    keys = (_run_keys if parser.keys is _see_train else parser.keys)()
    return re.search(f"^ *{re.escape(word)}=", keys, re.MULTILINE) is not None


def _terminate(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _rank() -> int:
    """Returns this process's number among those that torchrun started, 0 where it started none."""
    return int(os.environ.get("RANK", 0)) if "TORCHELASTIC_RUN_ID" in os.environ else 0


def _tell(text: str) -> None:
    """Prints it to the error stream, once however many processes torchrun started.

    Other processes wait first. Had the first process failed as well, it would have ended them meanwhile. So what they
    print is an error that they alone met.
    """
    if rank := _rank():
        time.sleep(_GRACE)
    print(f"process {rank}: {text}" if rank else text, file=sys.stderr)


def _reopen() -> None:
    """Lets what is printed go nowhere where the standard output or error is closed; escapes it elsewhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    escape_output()


def _run() -> int:
    """Runs the command line and returns its exit code."""
    resumes = False
    try:
        try:
            flags, rest = _parse(sys.argv[1:])
            resumes = flags.resumes
            for warning in _repeated(rest) if _rank() == 0 else ():
                print(f"prune-rnn: warning: {one_line(warning)}", file=sys.stderr)
            code: int = flags.run(flags, rest, shlex.join(["prune-rnn", *sys.argv[1:]]))
        except SystemExit:  # --help and --version have printed what they have to
            code = 0
        sys.stdout.flush()
        return code
    except UsageError as error:
        if _rank() == 0:
            text = one_line(error)
            print(text if text.startswith("prune-rnn") else f"prune-rnn: {text}", file=sys.stderr)
        else:  # all have the same command line: the first reports it
            time.sleep(_GRACE)
        return 2
    except FAULTS as error:
        if os.environ.get("PRUNE_RNN_TRACEBACK"):
            raise
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        _tell(f"prune-rnn: {error if isinstance(error, SeveralLines) else one_line(error)}")
        return 1
    except KeyboardInterrupt:
        if _rank() == 0:
            more = "; the same command goes on from here" if resumes else ""
            print(f"prune-rnn: interrupted{more}", file=sys.stderr)
        return INTERRUPTED if resumes else 130


def _repeated(words: Sequence[str]) -> list[str]:
    """Returns a warning for each key that is given more than once: the last one counts."""
    last: dict[str, str] = {}
    twice: dict[str, None] = {}
    for word in words:
        key = word.partition("=")[0].lstrip("+")
        if "=" in word and re.fullmatch(r"[a-z_][\w./]*", key) and not os.path.exists(word):
            if key in last:
                twice[key] = None
            last[key] = word
    return [f"{key} is given more than once; {last[key]} counts" for key in twice]


def main() -> None:
    """Runs the command line and exits with its code; a user's mistake is one line on the error stream."""
    signal.signal(signal.SIGTERM, _terminate)
    _reopen()
    try:
        code = _run()
    except KeyboardInterrupt:  # while it waited to report an error
        code = 1
    sys.exit(code)
