"""Figures of notebook 09: what a network pays, how far a prediction reaches, what cells know, how they count.

The long runs behind some of them are data: `scripts/train_09.py`. Nothing here solves an exercise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnncourse.figures import COLOURS
from rnncourse.figures_02 import text_curve

TRAINED, UNTRAINED, ELSEWHERE = COLOURS["blue"], COLOURS["orange"], COLOURS["black"]
# Blue below zero, orange above; white between.
SIGNED = LinearSegmentedColormap.from_list("signed", ["#56B4E9", "#FFFFFF", "#E69F00"])
KINDS = {
    "trained": ("o", TRAINED),
    "untrained": ("s", UNTRAINED),
    "labels of elsewhere": ("x", ELSEWHERE),
}


def results() -> dict[str, Any]:
    """What the long runs gave: "text" and "counting"."""
    return json.loads(files("rnncourse").joinpath("results_09.json").read_text("utf-8"))


def learning(bits: np.ndarray, equally_likely: float) -> Figure:
    """Bits per character while a network learns.

    Args:
        bits: (U,) of each update's window.
        equally_likely: what somebody pays who holds all characters equally likely.
    """
    return text_curve(bits, equally_likely, unit="character", piece="window", guess="all equally likely")


def _visible(character: str) -> str:
    return {"\n": "↵", " ": "·"}.get(character, character)


def connected(read: str, shares: np.ndarray, came: str) -> Figure:
    """The share of each character in one prediction.

    Args:
        read: the characters that were read.
        shares: (T,) the share of each.
        came: the character that came next.
    """
    fig, ax = plt.subplots(figsize=(10.4, 3.2), layout="constrained")
    ax.bar(range(len(read)), shares, 0.8, color=TRAINED)
    ax.set_xticks(
        [*range(len(read)), len(read) + 1], [*map(_visible, read), _visible(came)], family="monospace"
    )
    ax.get_xticklabels()[-1].set(color=COLOURS["red"], fontweight="bold")
    ax.set(
        ylabel="share", xlim=(-1, len(read) + 2), xlabel="characters read; behind the gap, the one that came"
    )
    ax.tick_params(axis="x", length=0)
    return fig


def reach(by_distance: Mapping[str, np.ndarray], lengths: Sequence[int], bits: Sequence[float]) -> Figure:
    """How far back connectivity reaches, and what is paid with the last few characters only.

    Args:
        by_distance: network -> (T,) mean share by distance, the last input first.
        lengths: how many characters were read.
        bits: what was paid then.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(10.4, 3.9), layout="constrained")
    for i, (name, shares) in enumerate(by_distance.items()):
        colour, style = (TRAINED, "-") if i == 0 else (UNTRAINED, ("--", ":", "-.")[i % 3])
        left.plot(np.arange(1, len(shares) + 1), np.cumsum(shares), style, color=colour, label=name)
    left.axhline(0.5, color="black", lw=0.8, ls="dotted")
    left.set(xscale="log", xlabel="the last n characters", ylabel="share of connectivity", ylim=(0, 1.02))
    left.legend(fontsize=10, loc="lower right")
    right.plot(lengths, bits, "o-", color=TRAINED)
    right.set(xscale="log", xlabel="reads the last n characters only", ylabel="bits per character")
    right.set_ylim(0, None)
    for ax in (left, right):
        ax.set_xticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
        ax.minorticks_off()
    return fig


def activation(text: str, values: np.ndarray) -> Figure:
    """A text, each character on a ground of its cell's colour.

    Args:
        text: with line ends.
        values: (L,) one for each character, in units of two standard deviations; 0 is the cell's mean.
    """
    lines, widest = text.split("\n"), max(map(len, text.split("\n")))
    fig, ax = plt.subplots(
        figsize=(min(11.0, 0.115 * widest + 0.6), 0.33 * len(lines) + 0.9), layout="constrained"
    )
    at = 0
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            ax.add_patch(
                Rectangle((column, row), 1, 0.96, color=SIGNED((np.clip(values[at], -1, 1) + 1) / 2), lw=0)
            )
            ax.text(
                column + 0.5, row + 0.5, character, ha="center", va="center", family="monospace", fontsize=9
            )
            at += 1
        at += 1  # the line's end
    ax.set(xlim=(0, widest), ylim=(len(lines), 0))
    ax.axis("off")
    shades = ScalarMappable(Normalize(-2, 2), SIGNED)
    label = "memory: standard deviations above its mean"
    fig.colorbar(shades, ax=ax, orientation="horizontal", fraction=0.05, aspect=40, label=label)
    return fig


def knows(rankings: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """What one cell, and all cells, know of each property; a dot for each seed.

    Args:
        rankings: property -> "best cell, trained", "all cells, untrained", ... -> a number for each seed.
    """
    fig, axes = plt.subplots(1, 2, figsize=(10.4, 3.9), sharey=True, layout="constrained")
    for ax, who in zip(axes, ("best cell", "all cells"), strict=True):
        for column, row in enumerate(rankings.values()):
            for shift, (kind, (marker, colour)) in zip((-0.22, 0, 0.22), KINDS.items(), strict=True):
                found = row[f"{who}, {kind}"]
                spread = column + shift + np.linspace(-0.06, 0.06, len(found))
                label = kind if column == 0 and ax is axes[0] else None
                ax.plot(spread, found, marker, color=colour, ms=5, alpha=0.75, label=label)
                ax.hlines(np.median(found), column + shift - 0.09, column + shift + 0.09, color=colour)
        ax.axhline(0.5, color="black", lw=0.8, ls="dotted")
        ax.set_xticks(range(len(rankings)), list(rankings))
        ax.set(
            title={"best cell": "the best cell", "all cells": "all cells: the probe"}[who], ylim=(0.35, 1.0)
        )
    axes[0].set_ylabel("ranking A, on the half that judges")
    fig.legend(fontsize=10, loc="outside lower center", ncols=3)
    return fig


def trace(memories: np.ndarray, letters: str, counter: int) -> Figure:
    """The memories of all cells while a string is read.

    Args:
        memories: (T, H) after each letter.
        letters: the T letters.
        counter: the cell that counts.
    """
    fig, ax = plt.subplots(figsize=(9.6, 3.9), layout="constrained")
    steps = np.arange(1, len(letters) + 1)
    ax.plot(steps, np.delete(memories, counter, axis=1), color="0.65", lw=1)
    ax.plot([], [], color="0.65", lw=1, label="the other cells")
    ax.plot(steps, memories[:, counter], "o-", ms=4, color=TRAINED, label=f"cell {counter}: the counter")
    first_b = letters.index("b")
    ax.axvspan(first_b + 0.5, len(letters) + 0.5, color=COLOURS["yellow"], alpha=0.25, lw=0)
    for at, letter in ((first_b / 2, "a"), ((first_b + len(letters)) / 2, "b")):
        ax.text(
            at + 0.5, 1.01, f"reads {letter}", transform=ax.get_xaxis_transform(), ha="center", va="bottom"
        )
    ax.set(xlabel="letters read", ylabel="memory $c_t$")
    ax.legend(fontsize=11)
    return fig


def counted(counting: Mapping[str, Mapping[str, Sequence[int]]], learned: int = 20) -> Figure:
    """The n up to which each network was right.

    Args:
        counting: letters of the strings -> model -> a number for each seed.
        learned: the largest n that was learned.
    """
    rows = [
        (letters, model, found) for letters, models in counting.items() for model, found in models.items()
    ]
    fig, ax = plt.subplots(figsize=(9.2, 3.6), layout="constrained")
    for row, (_, model, found) in enumerate(rows):
        marker, colour = ("o", TRAINED) if model == "LSTM" else ("s", COLOURS["red"])
        heights = row + np.linspace(-0.18, 0.18, len(found))
        ax.plot(found, heights, marker, color=colour, ms=6, alpha=0.8)
    ax.axvline(learned, color="black", ls="dotted")
    ax.text(learned, -0.62, f" learned up to {learned}", fontsize=10, va="center")
    names = {"ab": "$a^n b^n$", "abc": "$a^n b^n c^n$"}
    ax.set_yticks(range(len(rows)), [f"{names[letters]}, {model}" for letters, model, _ in rows])
    ax.set(ylim=(len(rows) - 0.5, -0.85), xlim=(-1, None), xlabel="right up to n")
    return fig
