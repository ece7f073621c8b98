"""Speakers are whole, every split gets some, and the choice is the same everywhere."""

from prune_rnn.data.corpora.splits import assign, in_order


def test_each_split_gets_a_tenth_of_the_speech_or_a_speaker() -> None:
    """20 speakers of equal length: two for test, two for dev, the rest for train."""
    found = assign({f"speaker{number}": 60.0 for number in range(20)}, ["test", "dev"])
    assert {split: list(found.values()).count(split) for split in ("train", "dev", "test")} == {
        "train": 16,
        "dev": 2,
        "test": 2,
    }
    assert sorted(assign({"a": 1.0, "b": 90.0, "c": 1.0}, ["test", "dev"]).values()) == ["dev", "test", "train"]


def test_a_speaker_with_most_of_the_speech_trains() -> None:
    """90 s are more than 1.5 times the mean of 36; whatever the names are, and so their order."""
    for name in "abcdefgh":
        assert assign({name: 90.0, "y": 9.0, "z": 9.0}, ["test", "dev"])[name] == "train"


def test_the_order_of_speakers_does_not_matter() -> None:
    names = [f"speaker{number}" for number in range(9)]
    assert assign(dict.fromkeys(names, 1.0), ["dev"]) == assign(dict.fromkeys(reversed(names), 1.0), ["dev"])


def test_a_single_reader_is_split_in_order() -> None:
    assert in_order(20, ["test", "dev"]) == ["train"] * 16 + ["dev"] * 2 + ["test"] * 2
    assert in_order(5, ["dev"]) == ["train"] * 4 + ["dev"]
    assert in_order(1, ["test", "dev"]) == ["dev"]
