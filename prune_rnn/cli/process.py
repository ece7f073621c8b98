"""The process of a command: its streams, signals, error message and exit code."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

import click

from prune_rnn.cli import commands, completion, deploy
from prune_rnn.cli.group import cli, explain
from prune_rnn.printed import escape_output, one_line
from prune_rnn.usage import FAULTS, SeveralLines, UsageError

INTERRUPTED = 75  # exit code (EX_TEMPFAIL): the same command goes on
_GRACE = 3.0  # seconds in which torchrun ends the other processes once one has failed
_RESUMED = (commands.train.name, commands.reproduce.name, deploy.bench.name)


def _terminate(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _rank() -> int:
    """Returns this process's rank under torchrun, else 0."""
    return int(os.environ.get("RANK", 0)) if "TORCHELASTIC_RUN_ID" in os.environ else 0


def _report(text: str, *, by_all: bool) -> None:
    """Prints an error to the error stream, once for all processes that torchrun started.

    Other processes than the first wait: if the first one fails too, torchrun ends them meanwhile. Otherwise they print
    the error, unless all processes have it (by_all).
    """
    rank = _rank()
    if rank:
        time.sleep(_GRACE)
    if not (rank and by_all):
        print(f"process {rank}: {text}" if rank else text, file=sys.stderr)


def _reopen() -> None:
    """Discards output to a closed stream; escapes control characters in all other output."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    escape_output()


def _run() -> int:
    """Runs the command line and returns its exit code."""
    context = None
    try:
        try:
            with cli.make_context("prune-rnn", sys.argv[1:] or ["--help"]) as context:
                code: int = cli.invoke(context) or 0
        except click.exceptions.Exit as done:  # after --help or --version
            code = done.exit_code
        except click.UsageError as error:
            raise UsageError(explain(error)) from None
        sys.stdout.flush()
        return code
    except UsageError as error:
        text = one_line(error)
        _report(text if text.startswith("prune-rnn") else f"prune-rnn: {text}", by_all=True)
        return 2
    except FAULTS as error:
        if os.environ.get("PRUNE_RNN_TRACEBACK"):
            raise
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        _report(f"prune-rnn: {error if isinstance(error, SeveralLines) else one_line(error)}", by_all=False)
        return 1
    except KeyboardInterrupt:
        resumes = context is not None and context.invoked_subcommand in _RESUMED
        if _rank() == 0:
            more = "; the same command goes on" if resumes else ""
            print(f"prune-rnn: interrupted{more}", file=sys.stderr)
        return INTERRUPTED if resumes else 130


def main() -> None:
    """Runs the command line and exits with its code; a user's mistake is one line on the error stream."""
    if completion.VARIABLE in os.environ:
        cli.main(prog_name="prune-rnn")  # which answers the shell and exits
    signal.signal(signal.SIGTERM, _terminate)
    _reopen()
    try:
        code = _run()
    except KeyboardInterrupt:  # while it waited to report an error
        code = 1
    sys.exit(code)
