"""The commands. A docstring's first paragraph is the command's line of `prune-rnn --help`.

To add a command, write one function here: `@cli.command()`, its arguments and options as click's decorators, a
docstring, and the imports inside, so that no help waits for torch. With `cls=KeysCommand` it also takes the keys of a
run, as `overrides`. It prints its result, and returns None or the exit code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from prune_rnn.cli.completion import VARIABLE
from prune_rnn.cli.group import FILE, PATH, THREADS, KeysCommand, Separated, cli, typed
from prune_rnn.data.corpora.catalogue import CORPORA
from prune_rnn.usage import UsageError


@cli.command(cls=KeysCommand, all_keys=True)
@click.option("-m", "--multirun", is_flag=True, help="Train every combination of the values.")
@click.option("-c", "--cfg", type=click.Choice(["job"]), help="Print the run's keys as YAML, train nothing.")
def train(overrides: list[str], multirun: bool, cfg: str | None) -> int:
    """Trains one network and tests it.

    Writes config.yaml, history.csv, result.json, hypotheses.jsonl, checksums.json and model.pt to
    results/runs/<name>-<digest>/. The same command resumes a run that was cut off; a finished run is not trained again.
    With -m values may be lists: model=gru_dense,gru_sparse seed=0,1,2 trains every combination and ends with a table
    of them. Under torchrun: one process per GPU. Overrides are Hydra's: ++KEY=VALUE works.
    """
    if multirun:
        from prune_rnn.cli.sweep import sweep

        if cfg:
            raise UsageError("prune-rnn train: --cfg shows one run: leave out -m")
        return sweep(overrides, typed())
    from prune_rnn.config.config import compose_config

    if cfg:
        from prune_rnn.run.shown import as_yaml

        print(as_yaml(compose_config(overrides)), end="")
        return 0
    from prune_rnn.analyse.summary import summary
    from prune_rnn.train.distributed import launched_rank
    from prune_rnn.train.experiment import experiment

    run = experiment(compose_config(overrides), typed())
    if launched_rank() == 0:
        print(summary(run))
    return 0


@cli.command()
@click.argument("corpus", type=click.Choice(list(CORPORA)))
@click.argument("folder", type=PATH)
@click.option("--out", type=FILE, help="Folder of the manifests; by default FOLDER.")
@click.option("--language", help="Of the transcripts: en, de ...; by default the corpus's, else its folder's name.")
@click.option("--alphabet", help="Characters besides the space; by default a-z and ' for English, else those in use.")
@click.option("--force", is_flag=True, help="Replace the manifests that are there.")
def prepare(corpus: str, folder: Path, **options: Any) -> None:
    """Writes the manifests of a published corpus, or of a folder of your own recordings.

    FOLDER has the unpacked corpus. A missing file is named, with its source. With CORPUS=folder it has recordings of
    any layout, each with its text beside it: a.wav and a.txt. Folders named train, dev and test are splits, the first
    other folder is the speaker.

    Writes train.jsonl, dev.jsonl and test.jsonl, with paths relative to them, durations and speakers. Numbers in the
    transcripts are spelt out, and punctuation is removed. A corpus without these splits is split by speaker. Prints
    the size of each split, the utterances that were left out and why, and the command that trains on the corpus.
    """
    from prune_rnn.data.corpora.prepare import PrepareOptions, prepare

    print(prepare(corpus, folder, PrepareOptions(**options)))


@cli.command()
@click.option("--results", type=PATH, default="results", help="Folder of all results.")
def runs(results: Path) -> None:
    """Lists the runs: finished, cut off, being trained or damaged (weights are checked by `prune-rnn verify` alone).

    One line each, by scale, model and seed, with the test CER, the sparsity, the training time, and the settings that
    differ from the model's and the scale's.
    """
    from prune_rnn.analyse.runs import table

    print(table(results))


@cli.command()
@click.argument("run", type=PATH)
@click.argument("others", type=PATH, nargs=-1, required=True, metavar="RUN...")
@click.option(
    "--shown", type=click.IntRange(0), default=3, help="Utterances to show of each run, both better and worse."
)
def compare(run: Path, others: tuple[Path, ...], shown: int) -> None:
    """Compares finished runs on the test utterances they share.

    Prints how many fewer character errors each RUN makes than the first, with a 95 % interval over the speakers (over
    utterances, where there is one speaker). Then the numbers of better and worse utterances, and those that changed
    most.
    """
    from prune_rnn.analyse.between import compare

    print(compare([run, *others], shown))


@cli.command(cls=KeysCommand)
@click.option(
    "--table", type=Separated(str), help="Write and print only these tables; a YAML file is a table of yours."
)
@click.option("--missing", is_flag=True, help="Print the commands that train the missing runs of the tables.")
def report(overrides: list[str], table: list[str] | None, missing: bool) -> None:
    """Writes the tables, figures and a page from finished runs.

    Writes every table of conf/table to results/tables as Markdown, CSV and LaTeX, figures to results/figures as PNG and
    SVG, and all of it on one page, results/report.html. Prints Table 3. A row without a run shows dashes and the
    command that trains it. Without scale=... all scales that have a finished run are reported. Give the keys that the
    runs were trained with, except model and seed; keys of prune apply to the pruned rows only.
    """
    from prune_rnn.report.report import report

    print(report(overrides, table or [], missing))


@cli.command(cls=KeysCommand)
@click.option("--table", type=Separated(str), help="Train for only these tables; a YAML file is a table of yours.")
@click.option("--jobs", type=THREADS, default=1, help="Trainings at a time, one core each.")
def reproduce(overrides: list[str], table: list[str] | None, jobs: int) -> int:
    """Trains the missing runs of the tables.

    The runs are those of `prune-rnn report --missing`, with the same keys. A run that was cut off goes on, and a second
    call trains nothing. Prints the progress of all runs, and the time that is left. Packs the finished runs of the
    tables, also earlier ones, as `prune-rnn export` does. Exit code 1 where a run failed; the others are trained.
    """
    from prune_rnn.reproduce import reproduce
    from prune_rnn.train.experiment import say

    return 0 if reproduce(overrides, table or [], jobs, say) else 1


@cli.command(cls=KeysCommand)
def describe(overrides: list[str]) -> None:
    """Prints a network's layers, and its predicted sparsity, size and error.

    The layers come with their parameter counts, as in the paper's Table 2. The prediction is that of `prune-rnn predict
    --quick`.
    """
    from prune_rnn.analyse.layers import describe
    from prune_rnn.config.config import compose_config

    print(describe(compose_config(overrides)))


@cli.command(cls=KeysCommand)
@click.option("--json", "json_", is_flag=True, help="Print it as JSON.")
@click.option("--plot", type=PATH, help="Draw it to this PNG, SVG or PDF file.")
@click.option("--quick", is_flag=True, help="Leave out what is tried here: memory, training time, speed-up.")
def predict(overrides: list[str], **options: Any) -> None:
    """Predicts a network before it is trained, or finds one for a target.

    Takes any key of train. Prints the sparsity over the epochs, the parameters that are left, the size of the packed
    file, and the test CER with a 90 % interval. Ten seconds of trials on this machine add training memory, training
    time and speed-up. The prediction is fitted to the networks shipped with this package and those in your results
    folder.

    target.cer=0.27, target.parameters=N, target.bytes=N (of the float32 file) and target.speedup=X, one or several,
    find a network that meets them and print the command that trains it: with target.cer the smallest, whose interval
    ends at or below it; else the one with the lowest CER. The search varies prune.sparsity in steps of 0.1 %,
    model.units in steps of 1 % (but for target.speedup alone), and the cell where no model is given; given keys stay as
    they are.
    """
    from prune_rnn.predict.predict import predict

    print(predict(overrides, **options))


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Prints a shell function that completes commands, options and keys.

    \b
    For bash, in ~/.bashrc or where it is needed: eval "$(prune-rnn completion bash)"
    For zsh, in ~/.zshrc after compinit: eval "$(prune-rnn completion zsh)"
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    print(made(cli, {}, "prune-rnn", VARIABLE).source())
