"""The commands that use a trained network; commands.py has the others, and says how to add one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from prune_rnn.cli.group import BEAM, FILE, PATH, THREADS, Separated, cli, typed


def _searching(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of `SearchOptions`."""
    for option in (
        click.option("--word-bonus", type=float, help="With --lm: added for each word, in nats; by default 1."),
        click.option("--lm-weight", type=float, help="With --lm: weight of the language model; by default 0.5."),
        click.option("--lm", type=PATH, help="Language model of words: an ARPA file of KenLM or SRILM, also .arpa.gz."),
        click.option("--beam", type=BEAM, default=1, help="Width of the beam search; 1: the best path, as in tables."),
    ):
        command = option(command)
    return command


@cli.command()
@click.argument("run", type=PATH, metavar="RUN|FILE")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16", "int8"]),
    default="float32",
    help="Type of the weights; float32 is lossless.",
)
@click.option("--out", type=FILE, help="The file; by default model-DTYPE.safetensors beside the weights.")
@click.option("--dev", type=FILE, help="Manifest of the dev split, for runs on data=manifest.")
@click.option("--cache", type=FILE, help="Folder of the synthetic corpus; by default that of train.")
@click.option(
    "--stream",
    is_flag=True,
    help="Decode the dev split also frame by frame, as a stream (not with bidirectional networks).",
)
def export(run: Path, dtype: str, **options: Any) -> None:
    """Packs a trained network into one small file for inference.

    RUN is a folder below results/runs, of a finished run. FILE is its packed file in float32, which can be packed in
    another --dtype. The safetensors file holds the weights that are not zero, as values and 8-bit
    gaps, the configuration and the alphabet. Decodes the dev split with the file, and prints the change.
    """
    from prune_rnn.deploy.export import ExportOptions, export
    from prune_rnn.engine.quantise import Dtype

    print(export(run, ExportOptions(dtype=Dtype[dtype], **options)))


@cli.command()
@click.argument("places", nargs=-1, type=PATH, metavar="[RUN|FILE]...")
@click.option("--results", default="results", type=PATH, help="Folder of all results, where no run is named.")
def verify(places: list[Path], results: Path) -> int:
    """Checks that runs and packed files are undamaged.

    RUN is a folder below results/runs or that of a synthetic corpus, FILE a packed file or a checkpoint. With none: all
    runs, with their packed files. Prints a line for each damaged file, then their number. A file without its checksum
    counts as damaged. Exit code 1 where something is damaged.
    """
    from prune_rnn.integrity.verify import verify

    return 0 if verify(places, results) else 1


@cli.command()
@click.argument("model", type=PATH)
@click.argument("audio", type=PATH, nargs=-1, required=True)
@click.option("--stream", is_flag=True, help="As the sound arrives (networks that run forward only).")
@click.option(
    "--threads", type=THREADS, help="CPU threads of each file; by default torch's choice, 1 with --stream or --jobs."
)
@click.option(
    "--jobs", type=THREADS, default=1, help="Files at a time; with --stream a text comes once its file has ended."
)
@_searching
@click.option(
    "--format",
    type=click.Choice(["text", "json", "srt", "vtt"]),
    default="text",
    help="json, srt and vtt have the time of each word; srt and vtt are for one recording.",
)
def transcribe(model: Path, audio: tuple[Path, ...], stream: bool, **options: Any) -> int:
    """Prints the text of recordings.

    MODEL is a file that `prune-rnn export` wrote. AUDIO is WAV, FLAC or any other format that libsndfile reads, at any
    rate. With --stream the network reads 20 ms at a time; the text comes about 0.9 s later, after the first second (GRU
    and LSTM networks: bidirectional ones need whole files). AUDIO may then be -, a WAV file on standard input that is
    being recorded: 16-bit PCM, one channel, 16 kHz. With --jobs, several files are then computed together, as
    concurrent streams. The time and any fault of a file go to the error stream; the other files are
    transcribed, and the exit code is 1.
    """
    from prune_rnn.deploy.transcribe import TranscribeOptions, transcribe

    return 0 if transcribe(model, list(audio), TranscribeOptions(**options), stream) else 1


@cli.command()
@click.argument("model", type=PATH)
@click.argument("manifest", type=PATH)
@click.option(
    "--out",
    type=FILE,
    help="File of the hypotheses; by default, in this folder, MANIFEST-hypotheses.jsonl or the next free number.",
)
@click.option("--skip-bad", is_flag=True, help="Leave out the lines that can't be used, and name them.")
@click.option(
    "--normalise", help="Language whose numbers are spelt, such as en; punctuation goes. Default: as trained."
)
@_searching
@click.option("--device", default="auto", help="Where to compute: auto, cpu, cuda ...; a packed file: the CPU.")
@click.option("--threads", type=THREADS, help="CPU threads; by default torch's choice.")
def evaluate(model: Path, manifest: Path, **options: Any) -> None:
    """Counts the errors of a trained network on any manifest.

    MODEL is the folder of a run (its model.pt is used), or a file that `prune-rnn export` wrote. Prints CER
    and WER with their insertions, deletions and substitutions. Writes a line of JSON for each utterance: reference,
    hypothesis, audio.
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
@click.option("--threads", type=THREADS, help="CPU threads; by default torch's choice.")
@click.option("--rounds", type=int, default=5, help="Measurements of each candidate, in turn; the median counts.")
@click.option("--seconds", type=float, default=0.03, help="Per measurement, about; 0 to 60.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", help="Where to compute.")
@click.option("--results", type=FILE, default="results", help="Folder of packed files and tables.")
def bench(**options: Any) -> None:
    """Measures sparse against dense on this machine: the paper's Table 5.

    Measures the recurrent product, the recurrent layer over a sequence, and whole networks: the sparse engine against
    its alternatives (torch, ONNX Runtime, scipy), in one run. Every ratio is against the fastest dense baseline. Prints
    a summary, and writes all results to a folder of the machine's name in results/tables/table5, as CSV, Markdown,
    LaTeX and a figure.
    """
    from prune_rnn.bench.plan import BenchOptions
    from prune_rnn.bench.run import bench
    from prune_rnn.report.table5.write import write

    print(write(bench(BenchOptions(**options), typed())))
    print("\nREADME's numbers are of two Zen 5 cores with AVX-512, unless it says otherwise; yours may differ.")
