"""What is typed after a command, made ready for Hydra: text that its grammar refuses is quoted, mistakes are named."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from prune_rnn import paths
from prune_rnn.nearest import choose, nearest
from prune_rnn.schema import keys, text_keys
from prune_rnn.usage import UsageError, shown

_LONGEST = 10_000  # characters of an argument: Hydra's parser takes seconds for more
_BRACKETS = 200  # opened in an argument
_OTHER_WORDS = {  # of the last part of a key
    "lr": "train.learning_rate",
    "epoch": "train.epochs",
    "batch": "train.batch_size",
    "batchsize": "train.batch_size",
    "num_workers": "train.load_workers",
    "sparsity": "prune.sparsity",
    "workers": "train.load_workers",
}


def split(override: str) -> tuple[str, str, str]:
    """Returns (what stands before the key: +, ++, ~ or nothing; the key; the value).

    >>> split("++model.units=7")
    ('++', 'model.units', '7')
    """
    typed, _, value = override.partition("=")
    key = typed.lstrip("+~")
    return typed[: len(typed) - len(key)], key, value


def parsed(override: str) -> Override | None:
    """Returns what Hydra reads, None where its grammar refuses it, or where its parser would take long to."""
    if sum(override.count(bracket) for bracket in "[{(") > _BRACKETS:
        return None
    try:
        return OverridesParser.create().parse_override(override)
    except (HydraException, RecursionError, ValueError):  # ValueError: more digits than Python reads
        return None


def sweeps(override: str) -> bool:
    """Tells whether it holds several values."""
    read = parsed(override)
    return read is not None and read.is_sweep_override()


def quoted(overrides: Sequence[str], *, sweep: bool = False) -> list[str]:
    """Returns the overrides with text in quotes where Hydra would refuse it or take it for something else.

    A path may hold a comma, unless it is a sweep's, where it separates values; a name may look like a number.
    """
    texts = text_keys()
    return [_quoted(override, texts, sweep) for override in overrides]


def _quoted(override: str, texts: dict[str, bool], sweep: bool) -> str:
    _, key, value = split(override)
    if key not in texts or len(override) > _LONGEST or not value:
        return override
    read = parsed(override)
    if read is not None:
        list_of_values = read.is_sweep_override()
        if list_of_values and (sweep or not texts[key]):
            return override
        if not list_of_values and (read.value() is None or isinstance(read.value(), str)):
            return override
    inside = re.sub(r"(\\*)('|$)", lambda found: 2 * found[1] + ("\\'" if found[2] else ""), value)
    return f"{override.partition('=')[0]}='{inside}'"


def refuse(overrides: Sequence[str]) -> None:
    """Raises UsageError, one line with the way out, for an override that names no key or no option, or gives many."""
    known, chosen = keys(), paths.groups()
    for override in overrides:
        _refuse(override, known, chosen)


def _refuse(override: str, known: Sequence[str], groups: Sequence[str]) -> None:
    sign, key, value = split(override)
    if ("=" not in override and sign != "~") or not key:
        meant = next(
            (f"; did you mean {group}={override}?" for group in groups if override in paths.options(group)), ""
        )
        raise UsageError(f"{shown(override)!r} is not of the form KEY=VALUE{meant}")
    if len(override) > _LONGEST:
        raise UsageError(f"{shown(override)}: has {len(override):,} characters; give {_LONGEST:,} at most")
    read = parsed(override)
    unreadable = f"{shown(override)}: the value can't be read; put it in quotes: '{key}=\"...\"'"
    if re.fullmatch(r"hydra\.(run|sweep)(\..*)?", key):
        raise UsageError(
            f"{shown(sign + key)}: moves no run; all of them lie in the folder of results: give results=..."
        )
    if key.startswith(("hydra.", "hydra/")):
        if read is None:
            raise UsageError(unreadable)
        return
    if key in groups:
        if sign == "~":
            raise UsageError(f"{override}: a run needs a {key}; leave it out for the default, or choose {key}=...")
        if read is not None and read.is_sweep_override():
            raise _many(override)
        if value not in paths.options(key):
            raise UsageError(f"{key}={shown(value)}: {choose(value, paths.options(key))}")
        return
    if not _is_known(key, known):
        raise UsageError(f"{shown(sign + key)}: no such key; {_other(key, [*groups, *known])}")
    if sign == "~":
        raise UsageError(f"{override}: a key can't be taken away; leave it out, and it has its default")
    if read is None:
        raise UsageError(unreadable)
    if read.is_sweep_override():
        raise _many(override)
    if read.value() == {}:
        raise UsageError(f"{override}: an empty group changes nothing; name what is in it, or choose prune=none")


def _many(override: str) -> UsageError:
    return UsageError(f"{shown(override)}: several values need `prune-rnn train -m`; give one, or add -m")


def _is_known(key: str, known: Sequence[str]) -> bool:
    parents = {each.rpartition(".")[0] for each in known if "." in each}
    # below a key that holds a group of its own, such as model.prunable, all goes
    return key in known or key in parents or any(key.startswith(f"{each}.") for each in known if each not in parents)


def _other(key: str, known: Sequence[str]) -> str:
    """Returns the key that was perhaps meant, else where all of them stand."""
    last = key.rpartition(".")[2].lower()
    if last in _OTHER_WORDS:
        return f"did you mean {_OTHER_WORDS[last]!r}?"
    return nearest(key, known) or "`prune-rnn train --help` lists them all"
