"""Speech Commands: a folder a word, validation_list.txt and testing_list.txt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prune_rnn.data.corpora.base import Corpus, Recording, lines_of


class SpeechCommands(Corpus):
    """One word a recording, of a second at most; the published lists keep speakers apart."""

    title, source = "Speech Commands", "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz"

    def recordings(self, folder: Path) -> Iterator[Recording]:
        """Yields all words; the noise of _background_noise_ is none."""
        place = self.find(folder, "validation_list.txt", "testing_list.txt", "*/*_nohash_*.wav")
        listed = {
            name: split
            for split, file in (("dev", "validation_list.txt"), ("test", "testing_list.txt"))
            for name in lines_of(place / file)
        }
        for audio in sorted(place.glob("*/*_nohash_*.wav")):
            split = listed.get(f"{audio.parent.name}/{audio.name}", "train")
            yield Recording(audio, audio.parent.name, audio.name.partition("_nohash_")[0], split)
