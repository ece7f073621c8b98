"""From a published corpus to train, dev and test manifests, and what is in them."""

from __future__ import annotations

import json
import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import soundfile
from tabulate import tabulate

from prune_rnn.config.nearest import choose
from prune_rnn.data.base import SPLITS
from prune_rnn.data.batch import check_length, unfit_rate
from prune_rnn.data.corpora import splits
from prune_rnn.data.corpora.base import Corpus, Recording
from prune_rnn.data.corpora.catalogue import CORPORA
from prune_rnn.data.transcripts import check_language, languages, normalise
from prune_rnn.files import write_atomically
from prune_rnn.printed import one_line, pasted
from prune_rnn.speech.features import SAMPLE_RATE, frames
from prune_rnn.speech.text import (
    ALPHABET,
    LATIN,
    alphabet_of,
    check_characters,
    encode,
    frames_needed,
    unknown_characters,
)
from prune_rnn.usage import SeveralLines, UsageError

_LEAST = 0.7  # of the speech: a train split below it is reported
_RARE = 1000  # a letter in fewer than one of so many transcripts is no letter of the language
_FOREIGN = "have characters outside the alphabet"
_UNREADABLE = "have a file that is not readable as audio"


@dataclass(kw_only=True, slots=True)
class PrepareOptions:
    """The options of `prune-rnn prepare`.

    out: folder of the manifests; None: the corpus's own. language: code of the transcripts' language; None: the
    corpus's language, or the folder's name. alphabet: characters besides the space; None: a-z and ' for English, else
    the letters in use.
    """

    out: str | None = None
    language: str | None = None
    alphabet: str | None = None
    force: bool = False  # replace manifests that are there


@dataclass(frozen=True, slots=True)
class _Usable:
    """A recording, its normalised transcript, and its length in seconds."""

    recording: Recording
    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Prepared:
    """The manifests by split, a row of numbers for each, notes, and the characters of the transcripts."""

    title: str
    manifests: dict[str, Path]
    rows: list[tuple[str | int, ...]]
    notes: list[str]
    alphabet: str

    def __str__(self) -> str:
        head = ["", "hours", "utterances", "speakers", "words", "different words"]
        command = " ".join(pasted(f"data.{split}", path) for split, path in self.manifests.items())
        own = "" if alphabet_of(self.alphabet) == ALPHABET else f" {pasted('data.alphabet', self.alphabet)}"
        table = tabulate(self.rows, head, disable_numparse=True, colalign=("left", *["right"] * 5))
        notes = "".join(f"\n{note}" for note in self.notes)
        return f"{self.title}\n\n{table}\n{notes}\n\nprune-rnn train data=manifest {command}{own}"


def prepare(name: str, folder: Path, options: PrepareOptions) -> Prepared:
    """Writes train.jsonl, dev.jsonl and test.jsonl of a corpus as published.

    ValueError where there is no such corpus, the folder does not have its layout, a manifest is already there (unless
    forced), or no utterance of a split can be used.
    """
    if name not in CORPORA:
        raise ValueError(f"{name}: no such corpus; {choose(name, list(CORPORA))}")
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "no such folder"
        raise UsageError(f"{folder}: {what}; give the folder that holds {CORPORA[name].title} ({CORPORA[name].source})")
    out = Path(options.out) if options.out else folder
    manifests = {split: out / f"{split}.jsonl" for split in SPLITS}
    corpus = CORPORA[name]
    language = _language(corpus, folder, options.language)
    there = next((path for path in manifests.values() if path.exists()), None)
    if there and not options.force:
        raise ValueError(f"{there} is already there; give another folder by --out, or replace it by --force")
    recordings = list(corpus.recordings(folder))
    if not recordings:
        raise ValueError(f"{folder}: holds nothing of {corpus.title} ({corpus.source})")
    alphabet = _alphabet(recordings, language, options.alphabet)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(partial(_checked, language=language, alphabet=alphabet_of(alphabet)), recordings))
    usable = [each for each in found if isinstance(each, _Usable)]
    notes = _left_out([each for each in found if isinstance(each, tuple)])
    by_split, how = _split(usable)
    if empty := [split for split in SPLITS if not by_split[split]]:
        few = f"{len(usable)} utterances can be used, too few for {', '.join(SPLITS)}"
        what = few if len(usable) < len(SPLITS) else f"no utterance of {empty[0]} can be used"
        raise SeveralLines("\n".join([f"{one_line(folder)}: {what}", *notes]))
    out.mkdir(parents=True, exist_ok=True)
    for split, path in manifests.items():
        write_atomically(path, "".join(_line(each, out) for each in by_split[split]).encode())
    rows = [_row(split, by_split[split]) for split in SPLITS]
    return Prepared(f"{corpus.title} ({language}): {len(usable)} utterances", manifests, rows, [*how, *notes], alphabet)


def _language(corpus: Corpus, folder: Path, given: str | None) -> str:
    if given is not None:
        check_language("--language", given)
        return given
    if corpus.language is not None:
        return corpus.language
    own = folder.absolute().name
    if own not in languages():
        raise UsageError(f"{folder}: in which language are its transcripts? Give --language, such as de")
    return own


def _alphabet(recordings: Sequence[Recording], language: str, given: str | None) -> str:
    """Returns the characters of the transcripts, besides the space."""
    if given is not None:
        check_characters("--alphabet", given)
        return given
    if language.startswith("en"):
        return LATIN
    texts = [normalise(each.text or "", language) for each in recordings]
    counts = Counter(character for text in texts for character in set(text))
    letters = [c for c, n in counts.items() if unicodedata.category(c)[0] in "LM" and n * _RARE >= len(texts)]
    latin = set(LATIN) - {"'"}
    if 2 * len(latin.intersection(letters)) > len(latin):  # rare ones, such as q, come in later texts
        letters = [*latin.union(letters)]
    return "".join(sorted(letters)) + "'" * (counts["'"] * _RARE >= len(texts))


def _checked(recording: Recording, language: str, alphabet: str) -> _Usable | tuple[str, str]:
    """Returns the recording as it is used, or (kind of fault, detail)."""
    path = recording.audio
    if recording.text is None:
        return "have no text", f"{path}"
    if not path.is_file():
        return "have no recording", f"{path}"
    text = normalise(recording.text, language, alphabet)
    if not text:
        return "have an empty transcript", f"{path}: {recording.text!r}"
    if unknown := unknown_characters(text, alphabet):
        return _FOREIGN, f"{path}: {unknown!r} in {text!r}"
    try:
        info = soundfile.info(path)
        check_length(path)
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        return _UNREADABLE, f"{path}: {error}"
    if reason := unfit_rate(info.samplerate):
        return "have a sample rate unfit for speech", f"{path}: {reason}"
    available = (frames(info.frames * SAMPLE_RATE // info.samplerate) + 1) // 2
    if available < frames_needed(encode(text, alphabet)):
        return "have more characters than frames of 20 ms", f"{path}: {text!r} in {info.duration:.2f} s"
    return _Usable(recording, text, info.frames / info.samplerate)


def _left_out(reasons: Sequence[tuple[str, str]]) -> list[str]:
    counts = Counter(kind for kind, _ in reasons)
    first = {kind: detail for kind, detail in reversed(reasons)}
    ways = {_FOREIGN: "; --alphabet takes others", _UNREADABLE: "; convert it to WAV or FLAC"}
    return [
        f"left out: {count} {kind}, such as {one_line(first[kind])}{ways.get(kind, '')}"
        for kind, count in counts.most_common()
    ]


def _split(usable: Sequence[_Usable]) -> tuple[dict[str, list[_Usable]], list[str]]:
    """Returns the utterances of each split, and a note on the splits that the corpus lacks."""
    found: dict[str, list[_Usable]] = {split: [] for split in SPLITS}
    wanted = splits.missing([each.recording.split for each in usable])
    free = []  # utterances without a final split
    for each in usable:
        if wanted and each.recording.split in (None, "train"):
            free.append(each)
        else:
            found[f"{each.recording.split}"].append(each)
    if not wanted:
        return found, []
    seconds: defaultdict[str, float] = defaultdict(float)
    for each in free:
        if each.recording.speaker:
            seconds[each.recording.speaker] += each.seconds
    notes = []
    if len(seconds) > len(wanted):
        by_speaker = splits.assign(seconds, wanted)
        assigned = [by_speaker.get(each.recording.speaker or "", "train") for each in free]  # unknown speakers train
        how = "whole speakers are set aside, as the corpus has no such split"
        kept = sum(each.seconds for each, split in zip(free, assigned, strict=True) if split == "train")
        share = kept / sum(each.seconds for each in free)
        if share < _LEAST:
            fix = "folders named train, dev and test say who goes where"
            notes.append(f"warning: train keeps only {100 * share:.0f} % of the speech, as speakers are few; {fix}")
    else:
        assigned = splits.in_order(len(free), wanted)
        few = f"too few speakers to set some aside: {len(seconds)}, in every split; the CER is not of new voices"
        how = f"the last recordings; {few if seconds else 'their speakers are not known'}"
    for each, split in zip(free, assigned, strict=True):
        found[split].append(each)
    return found, [f"{' and '.join(sorted(wanted))}: {how}", *notes]


def _line(each: _Usable, out: Path) -> str:
    entry = {
        "audio_filepath": os.path.relpath(each.recording.audio.absolute(), out.absolute()),
        "duration": round(each.seconds, 3),
        "text": each.text,
    }
    speaker = each.recording.speaker
    return json.dumps(entry | ({} if speaker is None else {"speaker": speaker}), ensure_ascii=False) + "\n"


def _row(split: str, utterances: Sequence[_Usable]) -> tuple[str | int, ...]:
    words = [word for each in utterances for word in each.text.split()]
    speakers = len({each.recording.speaker for each in utterances} - {None})
    hours = sum(each.seconds for each in utterances) / 3600
    return split, f"{hours:.2f}", len(utterances), speakers, len(words), len(set(words))
