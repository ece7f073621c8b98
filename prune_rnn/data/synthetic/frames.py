"""Frames of sentences with slots, such as `the {adjective} {noun}`; no frame is in two splits.

A grammar makes thousands of frames for train. Those of dev and test are written by hand, in words of their own: an
error rate then measures the recognition of speech, not of memorised frames.
"""

import re
from random import Random

# the forms of each part of a train sentence: <part> stands for another part, {slot} for a word of sentences.py
# fmt: off
GRAMMAR: dict[str, tuple[str, ...]] = {
    "sentence": (
        "<whole>", "<whole>", "<told>", "<told>", "<told>", "<linked>", "<linked>", "<asked>", "<asked>", "<urged>",
    ),
    # one clause
    "told": (
        "<who> <did> <thing> <when>", "<when> <who> <did> <thing>", "<who> <did> <thing> <where>",
        "<who> <can> {verb} <thing> <where>", "<who> <can> {manner} {verb} <thing>", "<who> <wanted> {verb} <thing>",
        "<who> <went> from {capital} to {capital} <when>", "<who> paid {price} for <thing> <where>",
        "<who> spent {small} <spans> <where>", "<thing> <was> <very> {adjective}", "<thing> <was> {done} by <who>",
        "<thing> <was> {done} <where> <when>", "<thing> is <more> {adjective} than <thing>",
        "there was <a> {noun} and <a> {noun} <where>", "it <was> <very> {adjective} to {verb} <thing>",
        "it cost <who> {price} to {verb} <thing>", "<those> <do> {goods} <where>",
        "<those> <have> {done} <thing> {small} times",
    ),
    # two clauses
    "linked": (
        "<who> <did> <thing> <since> it was <very> {adjective}", "<since> <who> <did> <thing> <those> {past} it",
        "<since> the {noun} was {adjective} <who> <did> <thing>", "<who> <said> <thing> <was> {adjective}",
        "<who> <said> <those> <have> {done} it", "the {noun} that <who> {past} <was> <very> {adjective}",
        "the {job} who lives <where> {past} <thing>", "<who> <did> <thing> <but> <those> {past} <thing>",
        "<who> came <where> <so> {verb} <thing>", "unless <those> {verb} <thing> it will be {adjective}",
        "whoever {past} <thing> <can> {verb} it again", "before <who> {past} it the {noun} <was> {adjective}",
    ),
    "asked": (
        "<why> <who> {verb} <thing>", "<why> <those> {verb} <thing> <where>", "<which> {noun} <was> {done} <when>",
        "<which> {job} {past} <thing>", "do <those> <know> whether <thing> <was> {adjective}",
        "what made <who> {verb} <thing>", "were <those> <where> when <who> {past} it",
        "isn't <thing> <very> {adjective}", "how much does this {adjective} {noun} cost <where>",
    ),
    "urged": (
        "<kindly> {verb} <thing> <where>", "<kindly> {verb} <thing> <so> {verb} it",
        "<kindly> tell <who> about <thing>", "<kindly> bring {number} {goods} to <who>",
        "<kindly> wait <where> until {time}", "let us {verb} <thing> before {weekday}",
    ),
    # parts
    "who": (
        "{first}", "{first} {last}", "my {relative}", "her {relative}", "the {job}", "a {job}", "someone",
        "everyone",
    ),
    "those": ("we", "they", "you", "{first} and {first}", "the two of us", "some of them"),
    "did": ("{past}", "{past}", "never {past}", "also {past}", "almost {past}", "{adverb} {past}", "had {done}"),
    "do": ("need", "make", "sell many", "build", "use other", "talk about", "depend on their"),
    "have": ("have", "had", "should have", "might have", "haven't"),
    "can": ("can", "can't", "could", "will", "won't", "must", "should", "may", "might"),
    "wanted": ("wanted to", "refused to", "hopes to", "used to", "tried to", "was ready to", "is going to", "had to"),
    "went": ("went", "drove", "flew", "walked", "sailed", "sent a letter", "travelled", "took the bus"),
    "said": ("said", "believes", "knew that", "heard that", "wrote that", "hopes that", "thought"),
    "was": ("was", "is", "wasn't", "will be", "has been", "had been"),
    "very": ("very", "too", "so", "rather", "always", "quite", "{adverb}"),
    "more": ("more", "less", "far more", "a little more", "no more"),
    "spans": ("hours", "days", "weeks", "years", "minutes"),
    "a": ("a", "another", "no", "one", "this", "that"),
    "thing": (
        "the {noun}", "a {noun}", "this {noun}", "their {noun}", "our {adjective} {noun}", "the {colour} {noun}",
        "{first}'s {noun}", "the {noun} of the {job}", "your {noun}", "each {noun}",
    ),
    "when": (
        "last {season}", "on {weekday}", "in {month}", "in {year}", "at {time}", "before {weekday}", "one {season}",
        "during the {season}", "yesterday", "long ago", "on the {ordinal} of {month}", "again",
    ),
    "where": (
        "in {town}", "near {capital}", "in the {room}", "behind the {noun}", "at {company}", "across {country}",
        "here", "on {last} {street}", "under the {noun}", "in {state}", "outside the {room}",
    ),
    "since": ("because", "although", "while", "after", "when", "as", "since"),
    "but": ("but", "and", "so", "yet", "while"),
    "so": ("to", "in order to", "so that we can", "and helped to"),
    "why": ("why did", "how could", "when will", "where did", "should", "would", "how often did", "why didn't"),
    "which": ("which", "what", "whose"),
    "know": ("know", "remember", "think", "care"),
    "kindly": ("please", "do not", "always", "try to", "you should", "go and", "never", "{first} please"),
    # frames that are whole as they stand
    "whole": (
        "the {adjective} {noun} will {verb} the {noun} {manner}", "{first} {last} works as a {job} in {capital}",
        "{first} moved from {capital} to {town} in {year}", "her {noun} and his {noun} are both {adjective}",
        "i don't think the {noun} is as {adjective} as the {noun}",
        "we've never seen a {adjective} {noun} in {country}",
        "there were {number} people at the {noun} on {weekday}",
        "my {relative} {first} bought a {colour} {noun} for {price}",
        "{first}'s {noun} was {adverb} {adjective} that {season}", "the train to {town} leaves at {time}",
        "on {weekday} the {ordinal} of {month} we {past} the {noun}",
        "she was born on the {ordinal} of {month} {year}", "the {colour} {noun} in the {room} belongs to {first}",
        "{last} and {last} {past} {number} {adjective} jobs in {state}",
        "nobody at {company} could {verb} the {noun}", "it's {adverb} {adjective} to {verb} without a {noun}",
        "the {job} said that the {noun} would be {adjective}", "{first} and {first} live at {small} {last} {street}",
        "about {percent} percent of the {noun} comes from {country}",
        "he speaks {language} with his {relative} and {language} at work",
        "{company} will {business} {trait} {goods} by {year}", "in {year} the price of the {noun} rose to {price}",
        "they {past} a {adjective} {noun} near {town} last {season}",
        "the meeting with {company} was moved to {weekday} at {time}",
        "a {noun} of {small} kilograms needs a {adjective} {noun}",
        "if it rains on {weekday} we'll {verb} the {noun} instead",
        "although the {noun} was {adjective} {first} {past} it",
        "neither the {noun} nor the {noun} seemed {adjective} to me",
        "{adverb} the {job} had to {verb} a {colour} {noun}",
        "the capital of {country} is {small} hours from {capital}",
        "you can't {verb} the {noun} until you {verb} the {noun}",
        "{manner} {first} {past} the {adjective} {noun} behind the {room}",
        "our {trait} {product} helps every {job} to {business}", "as {first} says a {noun} is only a {noun}",
        "did {first} really {verb} the {adjective} {noun}", "where did you {verb} that {colour} {noun}",
        "how many {goods} does {company} have in {state}", "why would a {job} want to {verb} my {noun}",
        "could you {verb} the {noun} before {time}", "is the {noun} in {town} open on {weekday}",
        "what does {first} {last} know about {noun} and {noun}", "who told the {job} that it would cost {price}",
        "haven't you heard of the {adjective} {noun} in {country}",
        "would your {relative} rather {verb} or {verb} this {season}", "when is the {ordinal} {noun} of {month}",
        "please {verb} the {noun} in the {room} {manner}", "call {first} at {digits}",
        "my number is {digits} and my name is {first}", "send {number} {goods} to {first} in {town}",
        "turn left at the {noun} and stop at {last} {street}",
        "don't {verb} the {colour} {noun} with the {adjective} one", "let's meet {first} at the {noun} at {time}",
        "remember to {verb} and {verb} the {noun} every {weekday}",
        "take flight {digits} from {capital} to {capital}", "ask the {job} for room {small} on the {ordinal} floor",
        "never {verb} a {noun} that looks {adjective}", "pay {price} to {company} before the {ordinal} of {month}",
    ),
}

DEV = (
    "{first} swore the {noun} wasn't worth {price}", "by {time} every {noun} in the {room} had vanished",
    "{last} street runs past the {adjective} {noun}", "i'd sooner eat a {noun} than vote for {last}",
    "half of {country} blames the {job} for the {noun}", "it turns out {first} {last} grew up near {capital}",
    "nothing beats a {colour} {noun} on a cold {weekday}", "according to {company} sales fell by {percent} percent",
    "{first} keeps {small} {colour} shirts beside the {noun}", "sooner or later the {noun} gets {adjective}",
    "their flight lands in {capital} around {time}", "what matters most is the {noun} not the {noun}",
    "someday i'll teach {language} to children in {state}", "{town} lost its only {job} back in {year}",
    "there goes the {adjective} {noun} again sighed {first}", "both teams scored {small} points against {country}",
    "the older the {noun} the more {adjective} it becomes", "only {small} passengers survived the {noun} of {year}",
    "{adverb} speaking {company} has run out of {goods}",
    "somehow the {colour} paint ended up all over {first}'s {noun}",
    "my doctor warned me against {adjective} {noun}", "each {month} {capital} hosts a festival of {noun}",
    "we ought to be grateful for such {adjective} weather", "{first} plays the piano like a {adjective} {job}",
    "the fare went up to {price} since {month}", "this bus stops twice between {town} and {last} park",
    "a storm tore through {state} early {weekday} {daytime}", "despite the {noun} everybody stayed {adjective}",
    "inside the box lay {number} {colour} buttons", "{first} couldn't tell a {noun} from a {noun}",
    "may i borrow your {colour} umbrella until {weekday}",
    "whatever happened to that {adjective} {job} from {country}",
    "isn't it strange how {first} {adverb} avoids the {noun}", "which way to the {noun} museum from {last} {street}",
    "shall we invite {first} {last} for dinner on {weekday}", "have any of them ever set foot in {capital}",
    "whose {noun} is blocking the door of the {room}", "are {small} eggs enough for your {relative}'s cake",
    "how come {first} sounds so {adjective} today", "hurry up or the {job} leaves without {first}",
    "stay away from the {adjective} {noun} in {town}", "give my regards to {first} and the whole {last} family",
    "dial {digits} and ask for mister {last}", "hang the {colour} coat over the {noun}",
    "imagine a {noun} with {small} {adjective} legs", "forget {first} and trust your own {noun}",
)

TEST = (
    "once upon a time a {adjective} {noun} ruled {country}", "{first} fell asleep halfway through the {noun}",
    "more than {number} soldiers marched toward {capital}", "i can hardly hear {first} above the {noun}",
    "your {relative} looks {adverb} {adjective} with those glasses",
    "the jury found {last} guilty within {small} minutes", "no sooner had {first} arrived than the {noun} began",
    "tickets for the {noun} start from {price} each", "{company} shares climbed {percent} points this {daytime}",
    "snow is expected across {state} until {weekday}", "as far as i know {first} still owns the {noun}",
    "in spite of everything {first} stood by his {relative}", "between you and me the {job} is hiding a {noun}",
    "{language} is spoken by {number} families around {town}",
    "the judge handed {first} {last} a {adjective} {noun}", "half a dozen {goods} crashed after midnight",
    "it takes {small} eggs plus a {noun} of sugar", "a {colour} bird built its nest above the {room} window",
    "that {noun} smells like a wet {colour} dog", "doctor {last} begins every lecture with a {noun}",
    "{first} wore a {colour} hat throughout the {noun}", "twice a day the {job} feeds those {colour} horses",
    "not a single {noun} grew in {state} that {season}", "everything {first} touches turns {adjective}",
    "instead of a {noun} we got {small} {adjective} excuses", "the river between {town} and the sea froze in {year}",
    "thanks to {company} our {noun} became {adjective}", "{first} deserves better than such a {adjective} {noun}",
    "with luck they'll reach {capital} by the {ordinal}", "the {noun} slid off the table and hit {first}",
    "speaking of {noun} here comes {first} {last}", "can anybody explain this {adjective} {noun} to {first}",
    "since when has {first} been a {adjective} {job}", "what if {last} sues us for {price}",
    "does the {weekday} ferry sail beyond {capital}", "aren't those the shoes {first} wore in {country}",
    "who else got lost inside {town} that {season}", "how far is it from {state} to {country}",
    "must {first} always complain about the {noun}", "am i late for the {noun} with {company}",
    "watch out for the {adjective} step behind the {noun}", "put {small} spoons of {noun} into the soup",
    "write {digits} below the name of your {relative}", "beware of any {job} wearing {colour} boots",
    "pass me the {colour} {noun} would you {first}", "leave {first} alone or i'm calling the {job}",
    "drive slowly past {town} because of the {noun}",
)
# fmt: on

_PART = re.compile(r"<(\w+)>")


def frame(random: Random, split: str) -> str:
    """Returns a random frame of the split."""
    if split == "train":
        return expand("<sentence>", random)
    return random.choice({"dev": DEV, "test": TEST}[split])


def expand(form: str, random: Random) -> str:
    """Returns the form with a random form for each of its parts, recursively; slots stay."""
    while "<" in form:
        form = _PART.sub(lambda part: random.choice(GRAMMAR[part[1]]), form)
    return form
