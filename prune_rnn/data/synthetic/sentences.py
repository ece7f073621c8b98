"""Endless English sentences: frames of frames.py, filled with Faker's word lists and numbers in words.

A sentence has only characters of the transcripts' alphabet: lower case a to z, the space and the apostrophe. The word
lists leave out words with other characters.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from random import Random

from prune_rnn.data.synthetic.frames import frame

WORDS = (4, 14)  # fewest and most words of a sentence
CHARACTERS = (26, 80)  # fewest and most characters: 2 to 6 seconds at natural rates

_OTHER_WORDS = {
    "weekday": "monday tuesday wednesday thursday friday saturday sunday",
    "month": "january february march april may june july august september october november december",
    "season": "spring summer autumn winter week month year morning evening afternoon night",
    "relative": "mother father sister brother aunt uncle cousin nephew niece grandmother grandfather wife husband "
    "daughter son neighbour friend boss",
    "room": "kitchen garden hall garage bathroom attic cellar office bedroom library barn lobby",
    "past": "found lost wanted painted watched noticed cleaned followed remembered missed ordered sold described broke "
    "fixed carried forgot chose brought kept caught drew left examined counted praised borrowed returned planned "
    "hid measured ignored discovered visited created needed finished opened started",
    "done": "found lost wanted painted watched noticed cleaned followed remembered missed ordered sold described fixed "
    "broken carried forgotten chosen brought kept caught drawn examined counted praised borrowed returned planned "
    "hidden measured ignored discovered visited created needed finished opened started",
    "daytime": "morning afternoon evening",
}

# Faker's adjectives that do not fit "a very ... thing"
_NO_ADJECTIVES = (
    "ago all alone another any apart both due each enough even every few just least less many more most much out over "
    "own same several some such super worth"
)

_HAS_ONLY_LETTERS = re.compile(r"[a-z']+( [a-z']+)*")
_ARTICLE = re.compile(r"\ba (?=(?:[aeio]|u(?!ni|s|ti)|hour|honest)(?!ne\b|uro))")
_SLOT = re.compile(r"\{(\w+)\}")


def sentences(seed: int, split: str) -> Iterator[str]:
    """Yields sentences without end, none twice, and none that any seed yields for another split."""
    random = Random(f"{seed} {split}")
    yielded: set[str] = set()
    while True:
        sentence = compose(random, split)
        fits = WORDS[0] <= len(sentence.split()) <= WORDS[1] and CHARACTERS[0] <= len(sentence) <= CHARACTERS[1]
        if fits and sentence not in yielded and split_of(sentence) == split:
            yielded.add(sentence)
            yield sentence


def split_of(sentence: str) -> str:
    """Returns the only split that may have the sentence, by its content alone: a tenth each for dev and test.

    Frames of two splits may, rarely, give the same sentence.
    """
    number = int.from_bytes(hashlib.sha256(sentence.encode()).digest()[:8], "big")
    return {0: "dev", 1: "test"}.get(number % 10, "train")


def compose(random: Random, split: str) -> str:
    """Returns a sentence of any length: a random frame of the split with random words in its slots."""
    words, composed = _words(), _composed()

    def fill(slot: re.Match[str]) -> str:
        name = slot[1]
        return random.choice(words[name]) if name in words else composed[name](random)

    return _ARTICLE.sub("an ", _SLOT.sub(fill, frame(random, split)))


def spell(number: int, to: str = "cardinal") -> str:
    """Returns a number in spoken words. to: cardinal (21: `twenty one`), ordinal (2: `second`) or year."""
    from num2words import num2words

    return str(num2words(number, to=to)).replace("-", " ").replace(",", "")


@cache
def _words() -> dict[str, tuple[str, ...]]:
    """Returns the sorted words of every slot with a list, of letters, spaces and apostrophes only."""
    # here: a corpus that exists needs no Faker
    from faker.providers.address.en_US import Provider as Address
    from faker.providers.color.en_US import Provider as Color
    from faker.providers.company.en_US import Provider as Company
    from faker.providers.date_time import Provider as Dates
    from faker.providers.job.en_US import Provider as Job
    from faker.providers.lorem.en_US import Provider as Lorem
    from faker.providers.person.en_US import Provider as Person

    parts = Lorem.parts_of_speech
    jobs = [" ".join(reversed(job.split(", "))) for job in Job.jobs if job.count(",") <= 1]
    given = {
        "verb": [verb for verb in parts["verb"] if not verb.endswith("ing") or len(verb) <= 5],
        "noun": parts["noun"],
        "adjective": [word for word in parts["adjective"] if word not in _NO_ADJECTIVES.split()],
        "adverb": [word for word in parts["adverb"] if word.endswith("ly")],
        "manner": [word for word in parts["adverb"] if word.endswith("ly")],
        "first": Person.first_names,
        "last": Person.last_names,
        "language": Person.language_names,
        "job": jobs,
        "capital": [country.capital for country in Dates.countries],
        "country": Address.countries,
        "state": Address.states,
        "street": Address.street_suffixes,
        "colour": [re.sub(r"(?<=[a-z])(?=[A-Z])", " ", colour) for colour in Color.all_colors],
        "ending": Address.city_suffixes,
        "business": Company.bsWords[0],
        "trait": [*Company.bsWords[1], *Company.catch_phrase_words[0], *Company.catch_phrase_words[1]],
        "goods": [word for word in Company.bsWords[2] if word.endswith("s")],
        "product": Company.catch_phrase_words[2],
        **{slot: words.split() for slot, words in _OTHER_WORDS.items()},
    }
    return {slot: tuple(sorted(_sayable(words))) for slot, words in given.items()}


def _sayable(entries: Iterable[str]) -> set[str]:
    """Returns the entries, in lower case, of the alphabet and with a vowel in each word (espeak spells out others)."""
    lower = {entry.lower() for entry in entries}
    return {e for e in lower if _HAS_ONLY_LETTERS.fullmatch(e) and all(set(word) & set("aeiouy") for word in e.split())}


@cache
def _composed() -> dict[str, Callable[[Random], str]]:
    """Returns the functions for the other slots: numbers and composed names."""
    return {
        "small": lambda random: spell(random.randint(2, 99)),
        "number": lambda random: spell(random.choice([random.randint(2, 99), random.randint(100, 9999)])),
        "percent": lambda random: spell(random.randint(2, 99)),
        "ordinal": lambda random: spell(random.randint(1, 31), to="ordinal"),
        "year": lambda random: spell(random.randint(1901, 2049), to="year"),
        "digits": lambda random: " ".join(spell(random.randint(0, 9)) for _ in range(random.randint(3, 7))),
        "price": _price,
        "time": _time,
        "town": lambda random: random.choice(_words()["last"]) + random.choice(_words()["ending"]),
        "company": _company,
    }


def _price(random: Random) -> str:
    """Returns an amount of money, such as `forty two dollars` or `three pounds and fifty pence`."""
    whole, unit = random.randint(2, 900), random.choice(["dollars", "pounds", "euros"])
    if random.random() < 0.7:
        return f"{spell(whole)} {unit}"
    small = "pence" if unit == "pounds" else "cents"
    return f"{spell(whole % 98 + 2)} {unit} and {spell(random.randint(2, 99))} {small}"


def _time(random: Random) -> str:
    """Returns a time of day, such as `half past nine` or `seven forty in the morning`."""
    hour, minute = spell(random.randint(1, 12)), spell(random.randint(10, 59))
    forms = ("{h} o'clock", "half past {h}", "quarter to {h}", "quarter past {h}", "{h} {m}", "{h} {m} in the {d}")
    return random.choice(forms).format(h=hour, m=minute, d=random.choice(_words()["daytime"]))


def _company(random: Random) -> str:
    """Returns the name of a company, such as `moore group` or `moore and hill`."""
    last, other = random.choice(_words()["last"]), random.choice(_words()["last"])
    return f"{last} {random.choice(('group', 'brothers', 'and sons', f'and {other}'))}"
