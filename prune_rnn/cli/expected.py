"""The commands that say what to expect of a network; laid out as those in `commands`."""

from __future__ import annotations

from typing import Any

import click

from prune_rnn.cli.group import PATH, KeysCommand, cli


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
