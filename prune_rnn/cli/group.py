"""The group of all commands, and its two kinds of command: with options only, and with the keys of a run."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from prune_rnn import __version__, paths, usage
from prune_rnn.cli.completion import complete_key
from prune_rnn.cli.keys import keys, keys_help
from prune_rnn.config.nearest import nearest
from prune_rnn.native import library

WIDTH = 100  # columns of help
PATH, FILE = click.Path(path_type=Path), click.Path()
THREADS, BEAM = click.IntRange(1, usage.THREADS), click.IntRange(1, usage.BEAM)
_SETTINGS = {"help_option_names": ["-h", "--help"], "terminal_width": WIDTH, "show_default": True}


def typed() -> str:
    """Returns the command line as it was typed, for records."""
    return shlex.join(["prune-rnn", *sys.argv[1:]])


class Separated(click.ParamType[Any]):
    """Values of one type, separated by commas: --streams 1,4,16."""

    name = "list"

    def __init__(self, kind: Any) -> None:
        self.kind = click.types.convert_type(kind)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return [self.kind.convert(each, param, ctx) for each in str(value).split(",")]


class Command(click.Command):
    """A command with options; NAME=VALUE in place of --NAME VALUE is an error that names the option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = {option for param in self.params for option in param.opts}
        for word in args:
            name, equals, value = word.partition("=")
            option = f"--{name.replace('_', '-')}"
            if equals and option in options and not Path(word).exists():
                ctx.fail(f"{word}: options begin with dashes; write {shlex.join([option, value])}")
        return super().parse_args(ctx, args)


class KeysCommand(Command):
    """A command that passes KEY=VALUE to Hydra. all_keys: its help lists the keys."""

    def __init__(self, *args: Any, all_keys: bool = False, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.all_keys = all_keys
        words = click.Argument(
            ["overrides"], nargs=-1, type=click.UNPROCESSED, metavar="[KEY=VALUE]...", shell_complete=complete_key
        )
        self.params.append(words)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        words = ctx.params["overrides"]
        names = [word.partition("=")[0].lstrip("+") for word in words]
        for name, last in dict(zip(names, words, strict=True)).items():
            if names.count(name) > 1:
                print(f"prune-rnn: warning: {name} is given more than once; {last} counts", file=sys.stderr)
        return rest

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        text = keys_help(WIDTH) if self.all_keys else "Keys: those of `prune-rnn train --help`.\n"
        formatter.write(f"\n{text}")


class _Group(click.Group):
    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of commands.py


def _print_version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted:
        print(f"{__version__}\n{library.describe()}")
        ctx.exit()


@click.group(
    cls=_Group,
    context_settings=_SETTINGS,
    epilog="More: `prune-rnn COMMAND --help`. Exit codes: 0 done, 1 it failed, 2 the command line is wrong, 75 it was "
    "interrupted and has saved its state: the same command goes on from there. These are the codes of each process "
    "under torchrun, which itself ends with 1 for any of them but 0.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
    help="Show the version and the engine's instruction sets.",
)  # fmt: skip
def cli() -> None:
    """Trains recurrent speech networks with gradual pruning, and tabulates what it costs and gains."""


def explain(error: click.UsageError) -> str:
    """Returns click's message in one line, with the nearest command, option or key where there is one."""
    where, message, hint = error.ctx.command_path if error.ctx else "prune-rnn", error.format_message(), ""
    if isinstance(error, click.exceptions.NoSuchCommand):
        message, hint = error.message, nearest(error.command_name, list(cli.commands))
    elif isinstance(error, click.NoSuchOption) and error.ctx:
        command, name = error.ctx.command, error.option_name
        message, hint = error.message, nearest(name, [option for param in command.params for option in param.opts])
        if isinstance(command, KeysCommand) and (key := name.lstrip("-")) in [*paths.groups(), *keys()]:
            hint = f"write {key}=..."
    return " ".join(f"{where}: {message.rstrip('.')}; {hint or f'see `{where} --help`'}".split())
