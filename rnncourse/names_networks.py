"""Three networks that tell the language of a surname, letter by letter, at several times of their training.

Made by `scripts/train_names.py` from the surnames of `rnncourse.data`. This module trains nothing.
"""

from __future__ import annotations

import json
import string
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from safetensors import safe_open

from rnncourse.cells.graph import cell_named
from rnncourse.cells.values import Values, forward

Weights = dict[str, np.ndarray]

FILE = Path(__file__).with_name("names_networks.safetensors")
CELLS = ("simple", "gated", "lstm")
LETTERS = string.ascii_lowercase
# Weights are kept as whole thousandths.
THOUSANDTHS = 1000
# Letters that keep no plain one when their accent is taken off.
PLAIN = {"ß": "ss", "ı": "i", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d"}


@dataclass(frozen=True)
class Networks:
    """The networks, and what is known of them.

    Attributes:
        languages: what the ten scores are for, in order.
        passes: how often each network had read all names when its weights were kept.
        right: cell -> for each of those times, the share of unseen names whose language it told.
        majority: that share for who always names the most frequent language.
        unseen: how many names that share is measured on.
        kept: cell -> for each of those times, its weights in whole thousandths; besides those of the cell,
            "yh" (10, H) and "yb" (10, 1) of the read-out.
    """

    languages: tuple[str, ...]
    passes: tuple[int, ...]
    right: dict[str, tuple[float, ...]]
    majority: float
    unseen: int
    kept: dict[str, tuple[Weights, ...]]

    def weights(self, cell: str, time: int) -> Weights:
        """The weights of a cell after `passes[time]` passes."""
        return {key: value / THOUSANDTHS for key, value in self.kept[cell][time].items()}


@cache
def names_networks() -> Networks:
    """The networks that come with the course."""
    with safe_open(FILE, "numpy") as file:
        about = json.loads(file.metadata()["about"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no dict)
    kept = {
        cell: tuple(
            {
                name.rpartition(".")[2]: value
                for name, value in tensors.items()
                if name.startswith(f"{cell}.{passes}.")
            }
            for passes in about["passes"]
        )
        for cell in CELLS
    }
    right = {cell: tuple(shares) for cell, shares in about["right"].items()}
    return Networks(
        tuple(about["languages"]),
        tuple(about["passes"]),
        right,
        about["majority"],
        about["unseen"],
        kept,
    )


def letters_of(name: str) -> list[int]:
    """The letters of a name as numbers from 0 to 25: without accents, all else left out.

    `letters_of("Zoë")` is `[25, 14, 4]`.
    """
    plain = "".join(PLAIN.get(letter, letter) for letter in name.lower())
    return [LETTERS.index(letter) for letter in unicodedata.normalize("NFD", plain) if letter in LETTERS]


def inputs(*names: str) -> np.ndarray:
    """Names of one length as xs (T, 26, N), 1 at each letter and 0 elsewhere."""
    return np.stack([np.eye(len(LETTERS))[letters_of(name)] for name in names], axis=2)


def scored(name: str, W: Weights, xs: np.ndarray) -> tuple[list[Values], np.ndarray]:
    """The values of every position, and the scores (10, N) of all languages after the last.

    Args:
        name: of the cell.
        W: its weights, and those of the read-out.
        xs: (T, 26, N) the letters.
    """
    cell, zeros = cell_named(name), np.zeros((W["yh"].shape[1], xs.shape[2]))
    positions = forward(cell, W, list(xs), dict.fromkeys(cell.carried.values(), zeros))
    return positions, W["yh"] @ positions[-1][list(cell.carried)[-1]] + W["yb"]
