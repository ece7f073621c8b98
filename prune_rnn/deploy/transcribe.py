"""Text from recordings, by a packed network."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from prune_rnn.data.batch import read_audio
from prune_rnn.deploy.advance import NEEDS_WHOLE, log_probs
from prune_rnn.deploy.live import INPUT, pieces
from prune_rnn.deploy.network import Network, load
from prune_rnn.deploy.stream import PIECE, streamed_text
from prune_rnn.deploy.streams import Streams
from prune_rnn.deploy.words import FORMATS, Character, best_path, words
from prune_rnn.engine.choose import describe_backend
from prune_rnn.printed import one_line
from prune_rnn.speech.beam import Search, SearchOptions
from prune_rnn.speech.features import SAMPLE_RATE, WINDOW
from prune_rnn.speech.text import SingleSpaces
from prune_rnn.usage import THREADS, UsageError, within


@dataclass(kw_only=True, slots=True)
class TranscribeOptions(SearchOptions):
    """The options of `prune-rnn transcribe`."""

    threads: int | None = None  # None: torch's choice; 1 for streams, whose products are small
    jobs: int = 1
    format: str = "text"  # or one of FORMATS, with the times of words


def transcribe(model: Path, audio: list[Path], options: TranscribeOptions, stream: bool) -> bool:
    """Prints the text of each recording, and its time on the error stream.

    With several recordings each line of text begins with the path. Unusable recordings are reported on the error stream
    before the first is decoded; returns whether there were none. ValueError and OSError for the model. With INPUT as
    the only recording, prints the text of standard input as it arrives.
    """
    within("threads", options.threads, 1, THREADS)
    within("jobs", options.jobs, 1, THREADS)
    _check_options(options, stream, len(audio))
    search = options.search()
    live = Path(INPUT) in audio
    if live and (len(audio) > 1 or not stream or options.jobs > 1):
        raise UsageError(f"{INPUT}: standard input is taken alone, with --stream and one job; or give files")
    if stream or options.jobs > 1 or options.threads:
        torch.set_num_threads(options.threads or 1)
    torch.set_flush_denormal(True)
    network = load(model, frames=1, streams=min(options.jobs, len(audio))) if stream else load(model)
    if stream and network.config.both_ways:
        raise ValueError(f"{NEEDS_WHOLE}: leave out --stream")
    if live:
        print(describe_backend(), file=sys.stderr)
        _printed(network, pieces(sys.stdin.buffer))
        print(flush=True)
        return True
    readable = [(path, waveform) for path in audio if (waveform := _usable(path)) is not None]
    if not readable:
        return False
    waveforms, jobs = [waveform for _, waveform in readable], min(options.jobs, len(readable))
    searched = search.describe(network.coding.alphabet)
    print("\n".join(filter(None, (describe_backend(), searched))), file=sys.stderr)
    whole = partial(_whole, network, search=search, form=options.format)
    with torch.inference_mode():
        noise = torch.zeros(WINDOW * 10)
        streamed_text(network, noise) if stream else whole((Path(), noise))  # warm-up
    start = time.perf_counter()
    # each thread has its own treatment of denormals
    with ThreadPoolExecutor(jobs, initializer=torch.set_flush_denormal, initargs=(True,)) as pool:
        if not stream:
            decoded = pool.map(whole, readable)
        elif jobs == 1:
            decoded = map(partial(_printed, network), waveforms)
        else:
            decoded = _side_by_side(network, waveforms, jobs)
        for path, waveform in readable:
            if len(audio) > 1 and options.format == "text":
                print(f"{one_line(path)}\t", end="", flush=True)
            text, seconds = next(decoded)
            print(text, flush=True)
            print(f"{one_line(path)}: {_speed(len(waveform), seconds)}", file=sys.stderr)
    if jobs > 1:
        seconds = time.perf_counter() - start
        print(f"all, {jobs} at a time: {_speed(sum(map(len, waveforms)), seconds)}", file=sys.stderr)
    return len(readable) == len(audio)


def _speed(samples: int, seconds: float) -> str:
    length, threads = samples / SAMPLE_RATE, torch.get_num_threads()
    factor = f"real-time factor {seconds / length:.4f} ({length:.2f} s of audio in {seconds:.3f} s)"
    return f"{factor}, {threads} thread{'s' * (threads != 1)}"


def _usable(path: Path) -> Tensor | None:
    """Returns the waveform; None, with a message on the error stream, for a file that can't be used."""
    try:
        waveform = read_audio(path)
        if len(waveform) < WINDOW:
            samples = f"{len(waveform)} sample{'s' * (len(waveform) != 1)} at 16 kHz"
            raise ValueError(f"{path}: is shorter than one window of 20 ms: {samples}")
        return waveform
    except (ValueError, OSError) as error:
        print(f"prune-rnn: {one_line(error)}", file=sys.stderr)
        return None


def _check_options(options: TranscribeOptions, stream: bool, recordings: int) -> None:
    """Raises UsageError where two options exclude each other."""
    form = options.format
    if form != "text" and stream:
        raise UsageError(f"--format {form}: has the times of a whole file's words; leave out --stream")
    if options.beam > 1 and (stream or (form != "text" and options.lm is None)):
        best = "--stream writes the best path" if stream else f"--format {form} has the times of the best path"
        more = "" if stream else ", or give --lm FILE"
        raise UsageError(f"--beam {options.beam}: {best}; leave one of the two out{more}")
    if form in ("srt", "vtt") and recordings > 1:
        raise UsageError(f"--format {form}: takes one recording; give one AUDIO, or --format json")


def _whole(network: Network, given: tuple[Path, Tensor], search: Search, form: str) -> tuple[str, float]:
    """Returns the text of a recording in its format, and the seconds of decoding."""
    path, waveform = given
    start = time.perf_counter()
    with torch.inference_mode():  # each thread has its own
        found = log_probs(network, network.coding.features(waveform))
    alphabet = network.coding.alphabet
    if form == "text":
        text = SingleSpaces().feed(search.text(found, alphabet))
    else:
        if search.lm:
            timed = zip(*search.timed(found, alphabet), strict=True)
            characters = [Character(symbol, frame, frame + 1) for symbol, frame in timed]
        else:
            characters = best_path(found, alphabet)
        text = FORMATS[form](path, words(characters))
    return text, time.perf_counter() - start


def _printed(network: Network, sound: Tensor | Iterable[Tensor]) -> tuple[str, float]:
    """Prints the text piece by piece; returns "" and the seconds of decoding. sound: as for `streamed_text`."""
    start, spaces = time.perf_counter(), SingleSpaces()
    with torch.inference_mode():
        streamed_text(network, sound, lambda piece: print(spaces.feed(piece), end="", flush=True))
    return "", time.perf_counter() - start


def _side_by_side(network: Network, waveforms: Sequence[Tensor], callers: int) -> Iterator[tuple[str, float]]:
    """Yields text and seconds of each, in their order. `callers` are fed at a time; the next begins as one ends."""
    streams, waiting = Streams(network), iter(enumerate(waveforms))
    active: dict[int, tuple[int, Iterator[Tensor], float]] = {}  # caller: index of the recording, its rest, its start
    texts, seconds = [""] * len(waveforms), [0.0] * len(waveforms)
    for position in range(len(waveforms)):
        while not seconds[position]:
            for index, waveform in islice(waiting, callers - len(active)):
                active[streams.open()] = index, iter(waveform.split(PIECE)), time.perf_counter()
            pieces = {key: next(left, None) for key, (_, left, _) in active.items()}
            with torch.inference_mode():
                found = streams.feed_checked({key: piece for key, piece in pieces.items() if piece is not None})
                found |= streams.finish(key for key, piece in pieces.items() if piece is None)
            for key, text in found.items():
                index, _, start = active[key]
                texts[index] += text
                if pieces[key] is None:
                    seconds[index] = time.perf_counter() - start
                    del active[key]
        yield SingleSpaces().feed(texts[position]), seconds[position]
