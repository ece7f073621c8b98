"""Sentences are of the alphabet, of natural size and variety, never made twice, and keep to their split."""

import re
from itertools import islice
from random import Random

import pytest

from prune_rnn.data.base import SPLITS
from prune_rnn.data.synthetic import sentences as module
from prune_rnn.data.synthetic.frames import DEV, TEST, frame
from prune_rnn.data.synthetic.sentences import compose, sentences, spell, split_of


@pytest.fixture(scope="module")
def corpus() -> list[str]:
    return list(islice(sentences(0, "train"), 1400))


def test_sentences_are_of_the_alphabet(corpus: list[str]) -> None:
    assert all(re.fullmatch(r"[a-z']+( [a-z']+)*", sentence) for sentence in corpus)
    assert any("'" in sentence for sentence in corpus)


def test_sentences_have_natural_sizes(corpus: list[str]) -> None:
    words = [len(sentence.split()) for sentence in corpus]
    assert min(words) >= 4 and max(words) <= 14 and 8 < sum(words) / len(words) < 11


def test_vocabulary_is_large(corpus: list[str]) -> None:
    assert len({word for sentence in corpus for word in sentence.split()}) > 2500


def test_no_sentence_is_made_twice(corpus: list[str]) -> None:
    assert len(set(corpus)) == len(corpus)


def test_splits_share_no_sentence_whatever_the_seed() -> None:
    made = {split: {s for seed in (0, 1) for s in islice(sentences(seed, split), 200)} for split in SPLITS}
    assert all(split_of(sentence) == split for split in SPLITS for sentence in made[split])
    assert sum(map(len, made.values())) == len(set().union(*made.values())) > 1100


def test_dev_and_test_have_a_tenth_of_all_sentences_each() -> None:
    random = Random(0)
    splits = [split_of(compose(random, "train")) for _ in range(5000)]
    assert 400 < splits.count("dev") < 600 and 400 < splits.count("test") < 600


def test_the_seed_decides_and_a_longer_list_begins_with_the_shorter() -> None:
    first = list(islice(sentences(3, "dev"), 20))
    assert list(islice(sentences(3, "dev"), 40))[:20] == first
    assert list(islice(sentences(4, "dev"), 20)) != first


def test_every_slot_of_every_split_is_known() -> None:
    random = Random(0)
    frames = [*DEV, *TEST, *(frame(random, "train") for _ in range(3000))]
    slots = {slot for one in frames for slot in re.findall(r"\{(\w+)\}", one)}
    assert slots | {"daytime", "ending"} == set(module._words()) | set(module._composed())  # two fill other slots


@pytest.mark.parametrize(("split", "frames"), [("dev", DEV), ("test", TEST)])
def test_every_frame_written_by_hand_fits_and_its_split_speaks_no_other(split: str, frames: tuple[str, ...]) -> None:
    made = list(islice(sentences(0, split), 1400))
    patterns = [re.sub(r"\\{\w+\\}", "[a-z' ]+", re.escape(re.sub(r"\ba ", "an ", one))) for one in frames]
    patterns = [pattern.replace(r"an\ ", r"an?\ ") for pattern in patterns]
    assert all(any(re.fullmatch(pattern, sentence) for sentence in made) for pattern in patterns)
    assert all(re.fullmatch("|".join(patterns), sentence) for sentence in made)


def test_no_adjective_is_a_determiner(corpus: list[str]) -> None:
    assert not {"another", "every", "each", "some"} & set(module._words()["adjective"])
    assert not any(re.search(r"\ban? (an?|the|another|every|each|some) ", sentence) for sentence in corpus)


def test_every_filler_is_of_the_alphabet_and_sayable() -> None:
    random = Random(0)
    fillers = [word for words in module._words().values() for word in words]
    fillers += [make(random) for make in module._composed().values() for _ in range(200)]
    assert all(re.fullmatch(r"[a-z']+( [a-z']+)*", filler) for filler in fillers)
    assert all(re.search("[aeiouy]", word) for filler in fillers for word in filler.split())


def test_entries_of_other_characters_are_left_out_whole() -> None:
    given = ["Re-engineer", "Ostrava", "São Tomé", "24hour", "B2B", "St. John", "Port Louis", "tv", "Dr"]
    assert module._sayable(given) == {"ostrava", "port louis"}


@pytest.mark.parametrize(
    ("number", "to", "words"),
    [
        (21, "cardinal", "twenty one"),
        (1234, "cardinal", "one thousand two hundred and thirty four"),
        (2, "ordinal", "second"),
        (31, "ordinal", "thirty first"),
        (1987, "year", "nineteen eighty seven"),
    ],
)
def test_numbers_are_spelt(number: int, to: str, words: str) -> None:
    assert spell(number, to=to) == words


@pytest.mark.parametrize(
    ("phrase", "wanted"),
    [
        ("a apple", "an apple"),
        ("a union", "a union"),
        ("a uncle", "an uncle"),
        ("a one", "a one"),
        ("a european", "a european"),
        ("a hour", "an hour"),
        ("a unhappy", "an unhappy"),
        ("a user", "a user"),
        ("america is", "america is"),
    ],
)
def test_articles_suit_the_next_word(phrase: str, wanted: str) -> None:
    assert module._ARTICLE.sub("an ", phrase) == wanted
