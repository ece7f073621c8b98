"""Compares forms of the law by leaving out whole widths; needs scipy (`pip install '.[bench]'`).

Prints a Markdown table: the error of log CER in percent, of each width by all others, and of networks wider than 128
units by the narrower ones. Of the networks of the main recipe that are dense or pruned from epoch 1 on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from prune_rnn.predict import law
from prune_rnn.predict.networks import Network, shipped

Vector = NDArray[np.float64]
Columns = dict[str, Vector]
Form = Callable[[Sequence[float], Columns], Vector]


def columns(networks: Sequence[Network]) -> Columns:
    """Returns log size, log density, log of what is not zero, whether it is a GRU, log CER, and weights."""
    own = [network.setting for network in networks]
    kept = [each.parameters - each.prunable * (1 - each.density) for each in own]
    return {
        "n": np.log([each.prunable / law.REFERENCE for each in own]),
        "d": np.log([each.density for each in own]),
        "kept": np.log(np.array(kept) / law.REFERENCE),
        "gru": np.array([each.cell == "gru" for each in own], dtype=float),
        "y": np.array([network.log_cer for network in networks]),
        "w": 1 / np.sqrt([0.012**2 + 0.025**2 / network.seeds for network in networks]),
    }


def level(x: Sequence[float], c: Columns) -> Vector:
    """Returns the level of each cell."""
    return x[0] * c["gru"] + x[1] * (1 - c["gru"])


def no_floor(x: Sequence[float], c: Columns) -> Vector:
    """a N^-b d^-c"""
    return level(x, c) - x[2] * c["n"] - x[3] * c["d"]


def floor(x: Sequence[float], c: Columns) -> Vector:
    """floor + a N^-b d^-c"""
    return np.log(x[4] + np.exp(level(x, c) - x[2] * c["n"] - x[3] * c["d"]))


def frantar(x: Sequence[float], c: Columns) -> Vector:
    """Frantar et al. 2023: (a (1 - sparsity)^b + 1) M^-c + floor, M parameters that are not zero"""
    share = c["kept"] - c["n"]
    return np.log(x[4] + (x[5] * np.exp(x[3] * share) + 1) * np.exp(level(x, c) - x[2] * c["kept"]))


def rosenfeld(x: Sequence[float], c: Columns) -> Vector:
    """Rosenfeld et al. 2021: dense error of the width times |(m - i p e^1/g) / (m - i p)|^g, m = d size^phi"""
    dense = np.log(x[4] + np.exp(level(x, c) - x[2] * c["n"]))
    g, p, m = np.exp(x[5]), np.exp(x[6]), np.exp(c["d"] + x[3] * c["n"])
    top = np.exp((x[7] - dense) / g)
    error: Vector = dense + g / 2 * np.log((m**2 + (p * top) ** 2) / (m**2 + p**2))
    return error


STARTS: dict[Form, list[list[float]]] = {
    no_floor: [[-1.3, -1.4, 0.1, 0.1]],
    floor: [[-1.5, -1.5, 0.2, 0.2, 0.05], [-2.5, -2.5, 0.4, 0.3, 0.18]],
    frantar: [[-1.5, -1.5, 0.2, 0.5, 0.05, 1.0], [-3.0, -3.0, 0.5, 0.8, 0.2, 0.4]],
    rosenfeld: [[-2.0, -2.1, 0.2, 0.5, 0.1, -0.7, -3.0, 0.0], [-2.0, -2.1, 0.2, 1.0, 0.1, -1.5, -4.0, -0.5]],
}


def fitted(form: Form, networks: Sequence[Network]) -> Callable[[Sequence[Network]], Vector]:
    """Returns what a form predicts once it is fitted, robustly, from the best of its starts."""
    own = columns(networks)

    def off(x: Vector) -> Vector:
        return np.nan_to_num((form(x.tolist(), own) - own["y"]) * own["w"], nan=1e3)

    low, high = np.full(len(STARTS[form][0]), -8.0), np.full(len(STARTS[form][0]), 8.0)
    if len(low) > 4:
        low[4], high[4] = 0.0, 0.22  # the floor
    best = min((least_squares(off, x, bounds=(low, high), loss="soft_l1") for x in STARTS[form]), key=lambda s: s.cost)
    return lambda others: form(best.x.tolist(), columns(others))


def ours(networks: Sequence[Network]) -> Callable[[Sequence[Network]], Vector]:
    """Returns what the package's law predicts."""
    found = law.fit(networks)
    return lambda others: np.array([found.predict(each.setting)[0] for each in others])


def main() -> None:
    """Prints the table."""
    main_recipe = Counter(n.setting.recipe for n in shipped()).most_common(1)[0][0]
    every = [n for n in shipped() if n.setting.recipe == main_recipe and not n.setting.variant]
    every = [n for n in every if n.setting.method in ("none", "gradual") and n.setting.start <= 0.05]
    print(f"{len(every)} networks\n")
    print("| form | median | root mean square | worst | wider: mean | root mean square |\n|" + "---|" * 6)
    forms = [(form.__doc__ or "", lambda networks, form=form: fitted(form, networks)) for form in STARTS]
    for name, fit in [*forms, ("this law", ours)]:
        off = []
        for width in {(n.setting.cell, n.setting.units) for n in every}:
            mine = [n for n in every if (n.setting.cell, n.setting.units) == width]
            off.append(fit([n for n in every if n not in mine])(mine) - columns(mine)["y"])
        left = 100 * np.concatenate(off)
        wide = [n for n in every if n.setting.units > 128]
        ahead = 100 * (fit([n for n in every if n not in wide])(wide) - columns(wide)["y"])
        cells = np.median(abs(left)), (left**2).mean() ** 0.5, abs(left).max(), ahead.mean(), (ahead**2).mean() ** 0.5
        print(f"| {name} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |")


if __name__ == "__main__":
    main()
