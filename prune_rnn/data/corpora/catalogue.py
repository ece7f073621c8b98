"""All corpora, by the name that `prune-rnn prepare` takes."""

from __future__ import annotations

from prune_rnn.data.corpora.an4 import AN4
from prune_rnn.data.corpora.base import Corpus
from prune_rnn.data.corpora.common_voice import CommonVoice
from prune_rnn.data.corpora.folder import Folder
from prune_rnn.data.corpora.fsdd import FSDD
from prune_rnn.data.corpora.librispeech import LibriSpeech
from prune_rnn.data.corpora.ljspeech import LJSpeech
from prune_rnn.data.corpora.speech_commands import SpeechCommands

CORPORA: dict[str, Corpus] = {
    "librispeech": LibriSpeech(),
    "common_voice": CommonVoice(),
    "ljspeech": LJSpeech(),
    "an4": AN4(),
    "speech_commands": SpeechCommands(),
    "fsdd": FSDD(),
    "folder": Folder(),
}
