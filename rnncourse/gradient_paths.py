"""Where does the gradient go? Three trained networks read a name: what each letter gave to a score, by ways.

Nothing here knows a way back: who may show it hands it in.
"""

from __future__ import annotations

import base64
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from rnncourse.cells.back import Back
from rnncourse.cells.graph import cell_named
from rnncourse.cells.look import THEMES, themes
from rnncourse.cells.paths import contributions
from rnncourse.cells.step_through import browser_graph
from rnncourse.explorer import Explorer
from rnncourse.figures import show
from rnncourse.names_networks import (
    CELLS,
    LETTERS,
    PLAIN,
    Networks,
    Weights,
    inputs,
    letters_of,
    names_networks,
    scored,
)

TITLE = "Where does the gradient go?"
NAME = "virtanen"
LANGUAGE = "Finnish"
# What a way is called, the role whose colour it has, and the hatch of its bars (none: filled).
WAYS = (("direct", "memory", ""), ("candidate’s", "candidate", "////"), ("gates’", "gate", "..."))


def gradient_paths(
    back: Back, name: str = NAME, language: str = LANGUAGE, *, address: bool = False
) -> Explorer:
    """Networks of three kinds over a name, and what each letter gave to a language's score.

    Args:
        back: the way back through the cells, from the notebook that lets it be found.
        name: what is read at first.
        language: whose score is looked at first, one of ten.
        address: whether the page's address holds what is seen; only where it stands alone.

    Raises:
        ValueError: the name has no letter, or there is no such language.
    """
    networks = names_networks()
    if not letters_of(name):
        raise ValueError(f"gradient_paths: the name {name!r} has no letter from a to z")
    if language not in networks.languages:
        known = ", ".join(networks.languages)
        raise ValueError(f"gradient_paths: no language {language!r}; there is: {known}")
    last = len(networks.passes) - 1
    data = {
        "title": TITLE,
        "languages": list(networks.languages),
        "letters": LETTERS,
        "plain": PLAIN,
        "passes": list(networks.passes),
        "unseen": networks.unseen,
        "networks": [_network(networks, cell) for cell in CELLS],
        "start": {
            "name": name,
            "score": networks.languages.index(language),
            "against": "",
            "read": 0,
            "passes": last,
            "letter": 0,
        },
        "themes": themes(),
        "address": address,
    }
    alt = (
        f"{TITLE} A simple RNN, a gated RNN and an LSTM read a name; above each letter, what it gave to "
        "the score of a language, split into the direct way, the candidate’s and the gates’."
    )
    twin = _twin(networks, back, name, language)
    return Explorer("gradient_paths", data, alt, modules=("graph",), before=back.rules, twin=twin)


def _network(networks: Networks, name: str) -> dict[str, Any]:
    cell = cell_named(name)
    first = networks.kept[name][0]
    return {
        "cell": name,
        "title": cell.title.removeprefix("the "),
        "graph": browser_graph(cell, None),
        "right": networks.right[name],
        "shapes": [[key, *value.shape] for key, value in first.items()],
        "times": [_packed([kept[key] for key in first]) for kept in networks.kept[name]],
    }


def _packed(arrays: list[np.ndarray]) -> str:
    return base64.b64encode(b"".join(array.astype("<i2").tobytes() for array in arrays)).decode()


def of_letters(cell: str, W: Weights, xs: np.ndarray, row: np.ndarray, back: Back) -> np.ndarray:
    """What each letter gives to a score, (T, 3): direct, the candidate's, the gates'.

    Args:
        cell: name of the cell.
        W: its weights, and those of the read-out.
        xs: (T, 26, 1) the letters.
        row: (10,) how much of each language's score; one 1 for the score of one.
        back: the way back.
    """
    assert back.through is not None
    positions, _ = scored(cell, W, xs)
    arriving = W["yh"].T @ row[:, None]
    return contributions(cell_named(cell), W, list(xs), positions, arriving, back.through)


def _twin(networks: Networks, back: Back, name: str, language: str) -> str:
    """What stands there without a script: the trained networks and the name."""
    xs, colours = inputs(name), THEMES["light"]
    letters = [LETTERS[i] for i in letters_of(name)]
    row = np.eye(len(networks.languages))[networks.languages.index(language)]
    fig, axes = plt.subplots(len(CELLS), figsize=(10.5, 6), sharex=True, sharey=True, layout="constrained")
    said = []
    for ax, cell in zip(axes, CELLS, strict=True):
        W = networks.weights(cell, -1)
        parts = of_letters(cell, W, xs, row, back)
        for sign in (1, -1):
            base = np.zeros(len(parts))
            for part, (way, role, hatch) in zip(parts.T, WAYS, strict=True):
                height = np.where(sign * part > 0, part, 0)
                colour = colours[role]
                ax.bar(
                    range(len(parts)), height, 0.76, bottom=base, label=way if sign > 0 else None,
                    facecolor="white" if hatch else colour, edgecolor=colour, hatch=hatch,
                )  # fmt: skip
                base += height
        whole = parts.sum(axis=1)
        ax.hlines(whole, np.arange(len(parts)) - 0.48, np.arange(len(parts)) + 0.48, color="black", lw=3)
        ax.axhline(0, color="black", lw=1)
        title = cell_named(cell).title.removeprefix("the ")
        ax.set_title(title, loc="left", fontsize=12)
        given = (f"{letter} {v:+.2f}" for letter, v in zip(letters, whole, strict=True))
        said.append(f"{title}: {', '.join(given)}")
    axes[0].legend(ncols=3, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2)
    axes[1].set_ylabel(f"given to the score of {language}")
    axes[-1].set_xticks(range(len(xs)), letters)
    alt = f"What each letter of {name} gave to the score of {language}. {'; '.join(said)}."
    return f'<p class="twin">{show(fig, alt)._repr_html_()}</p>'
