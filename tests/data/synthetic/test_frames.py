"""Each split has frames of its own; the grammar of train's is sound and makes thousands."""

import re
from random import Random

import pytest

from prune_rnn.data.base import SPLITS
from prune_rnn.data.synthetic.frames import DEV, GRAMMAR, TEST, expand, frame

PART = re.compile(r"<(\w+)>")


def forms(part: str) -> str:
    """A pattern of all that the grammar can say for a part."""
    ways = (
        "".join(forms(piece) if place % 2 else re.escape(piece) for place, piece in enumerate(PART.split(way)))
        for way in GRAMMAR[part]
    )
    return f"(?:{'|'.join(ways)})"


@pytest.fixture(scope="module")
def train() -> list[str]:
    random = Random(0)
    return [frame(random, "train") for _ in range(3000)]


def test_no_frame_of_dev_or_test_can_be_made_by_the_grammar_of_train(train: list[str]) -> None:
    grammar = re.compile(forms("sentence"))
    assert all(grammar.fullmatch(made) for made in train)
    assert not [other for other in DEV + TEST if grammar.fullmatch(other)]


def test_dev_and_test_have_forty_frames_each_and_share_none() -> None:
    assert len(set(DEV)) == len(DEV) >= 40 and len(set(TEST)) == len(TEST) >= 40
    assert not set(DEV) & set(TEST)


def test_train_has_frames_by_the_thousand(train: list[str]) -> None:
    assert len(set(train)) > 1500


def test_splits_share_no_turn_of_phrase(train: list[str]) -> None:
    """Four tokens in a row, of which three are words and not slots."""

    def turns(frames: tuple[str, ...] | list[str]) -> set[tuple[str, ...]]:
        runs = {tuple(words[i : i + 4]) for words in map(str.split, frames) for i in range(len(words) - 3)}
        return {run for run in runs if sum("{" not in word for word in run) >= 3}

    assert not turns(DEV) & turns(TEST)
    assert not (turns(DEV) | turns(TEST)) & turns(train)


def test_a_frame_comes_from_its_split(train: list[str]) -> None:
    random = Random(1)
    assert {frame(random, "dev") for _ in range(1000)} == set(DEV)
    assert {frame(random, "test") for _ in range(1000)} == set(TEST)
    assert SPLITS == ("train", "dev", "test")


def test_every_part_is_known_and_used() -> None:
    used = {part for ways in GRAMMAR.values() for way in ways for part in PART.findall(way)}
    assert used | {"sentence"} == set(GRAMMAR)


def test_frames_are_of_words_and_slots(train: list[str]) -> None:
    token = r"([a-z']+|\{\w+\}('s)?)"
    assert all(re.fullmatch(rf"{token}( {token})*", made) for made in [*train, *DEV, *TEST])


def test_a_form_without_parts_stays_and_a_part_is_replaced() -> None:
    assert expand("a {noun} of {small}", Random(0)) == "a {noun} of {small}"
    said = expand("go <where>", Random(0))
    assert said.removeprefix("go ") in {"here", *GRAMMAR["where"]}
