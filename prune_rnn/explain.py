"""What Hydra and OmegaConf refuse, in plain words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prune_rnn import paths
from prune_rnn.overrides import refuse, sweeps
from prune_rnn.schema import having
from prune_rnn.usage import UsageError

_KINDS = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}
_PLUGINS = {  # packages by the option, less what follows its first underscore
    "hydra/sweeper=ax": "hydra-ax-sweeper",
    "hydra/sweeper=nevergrad": "hydra-nevergrad-sweeper",
    "hydra/sweeper=optuna": "hydra-optuna-sweeper",
    "hydra/launcher=joblib": "hydra-joblib-launcher",
    "hydra/launcher=ray": "hydra-ray-launcher",
    "hydra/launcher=rq": "hydra-rq-launcher",
    "hydra/launcher=submitit": "hydra-submitit-launcher",
}
_LONGEST = 300  # characters of a message: OmegaConf shows whole groups


def first_line(error: Exception) -> str:
    """Returns the first line of an error of Hydra or OmegaConf, with the key in front where it names one further down.

    >>> first_line(ValueError("Value 'many' is no integer\\n    full_key: seed"))
    "seed: Value 'many' is no integer"
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    key = next((line.removeprefix("full_key: ") for line in lines if line.startswith("full_key: ")), "")
    return f"{key}: {lines[0]}" if key and key not in lines[0] else lines[0]


def plainly(text: str) -> str:
    """Returns the first line of an error of Hydra or OmegaConf, in words that say what to do.

    >>> plainly("field 'seed' is not Optional")
    'seed=null: needs a value; leave it out for its default'
    >>> plainly("seed: Value 'many' of type 'str' could not be converted to Integer")
    'seed=many: must be a whole number'
    """
    if found := re.match(r"field '([\w.]+)' is not Optional", text):
        return f"{found[1]}=null: needs a value; leave it out for its default"
    if found := re.match(r"(\S+): Value '(.*)' is not a valid bool", text):
        return f"{found[1]}={found[2][:_LONGEST]}: must be {_KINDS['Boolean']}"
    if found := re.match(r"(\S+): Value '(.*)' of type '\w+' could not be converted to (\w+)$", text):
        if found[3] in _KINDS:
            return f"{found[1]}={found[2][:_LONGEST]}: must be {_KINDS[found[3]]}"
    elif found := re.match(r"(?:(\S+): )?int too large to convert to float", text):
        return f"{found[1] or 'a number'}: the number is too large; give less"
    elif found := re.match(r"(?:\S+: )?\w+ raised while resolving interpolation: (.*)", text):
        text = found[1]
    elif found := re.search(r"Could not find '(hydra/\w+)/(\w+)'", text):
        package = _PLUGINS.get(f"{found[1]}={found[2].partition('_')[0]}")
        way = f"install {package}, which brings it" if package else "install the plugin that brings it"
        return f"{found[1]}={found[2]}: Hydra has no such option; {way}"
    elif found := re.match(r"BasicSweeper does not support sweep type : (\w+)_SWEEP", text):
        name = found[1].lower()
        return f"{name}(...): Hydra's own sweeper tries no {name}; give values, or hydra/sweeper=optuna"
    elif text == "ConfigLoader is not set":
        return "glob(...): is not read here; give the options by their names"
    elif found := re.search(r"Could not append to config. An item is already at '([\w.]+)'", text):
        return f"+{found[1]}: the key is there already; leave out the '+'"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def explain(overrides: Sequence[str], error: Exception) -> str:
    """Returns one line on what is wrong with overrides that Hydra refused, with the nearest right key or option.

    A sweep's overrides with several values are reported by their combinations.
    """
    try:
        refuse([override for override in overrides if not sweeps(override)])
    except UsageError as found:
        return str(found)
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    text = first_line(cause) if isinstance(cause, Exception) and str(cause) else first_line(error)
    match = re.match(r"(\w+)\.\w+: Key '\w+' (?:is )?not in", text)
    if match and match[1] in paths.groups():
        key = text.partition(":")[0]
        others = " or ".join(f"{match[1]}={option}" for option in having(key))
        return f"{key}: the {match[1]} option in use has no such key; choose {others}"
    return plainly(text)
