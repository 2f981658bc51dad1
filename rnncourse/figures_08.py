"""Figures of notebook 08: what a machine answered, who has read what, where blocks stand, how long it took.

Nothing here solves an exercise.
"""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnncourse.figures import COLOURS

MEMORY, SHOWN = COLOURS["blue"], COLOURS["orange"]
# A colour for each gate, and a letter: nobody has to tell colours apart.
GATES = {
    "f": COLOURS["sky"],
    "i": COLOURS["yellow"],
    "o": COLOURS["purple"],
    "c̃": COLOURS["green"],
}


def answers(states: np.ndarray) -> Figure:
    """What an LSTM of one unit answers, as it is and with one of its four biases far down.

    Args:
        states: (5, 2) memory and visible state: as it is, then for row 1 to row 4.
    """
    fig, ax = plt.subplots(figsize=(9.6, 3.8), layout="constrained")
    for shift, values, colour, hatch, label in (
        (-0.2, states[:, 0], MEMORY, "", "memory $c_t$"),
        (0.2, states[:, 1], SHOWN, "//", "visible state $h_t$"),
    ):
        bars = ax.bar(
            np.arange(len(states)) + shift,
            values,
            0.36,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            label=label,
        )
        ax.bar_label(bars, [f"{value:.2f}" for value in values], padding=2)
    ax.axhline(0, color="black", lw=1)
    ax.set_xticks(range(len(states)), ["as it is", *(f"row {row} at −100" for row in range(1, len(states)))])
    ax.set_ylim(0, 1.5)
    ax.legend(loc="upper center", ncols=2)
    return fig


def reach(T: int) -> Figure:
    """How many words each of two directions has read at each position.

    Args:
        T: words.
    """
    fig, axes = plt.subplots(1, 2, figsize=(9.6, 0.5 * T + 1.3), sharey=True, layout="constrained")
    for ax, title, colour in zip(axes, ("reads ahead", "reads in reverse"), (MEMORY, SHOWN), strict=True):
        for t in range(1, T + 1):
            first, last = (1, t) if ax is axes[0] else (t, T)
            ax.add_patch(
                Rectangle((first - 0.45, t - 0.3), last - first + 0.9, 0.6, color=colour, alpha=0.55)
            )
            ax.add_patch(Rectangle((t - 0.45, t - 0.3), 0.9, 0.6, color=colour))
            count = last - first + 1
            ax.text(
                (first + last) / 2, t, f"{count} word{'s' if count > 1 else ''}", ha="center", va="center"
            )
        ax.set(title=title, xlim=(0.4, T + 0.6), ylim=(T + 0.6, 0.4), xlabel="words of the sentence")
        ax.set_xticks(range(1, T + 1))
        ax.set_yticks(range(1, T + 1))
    axes[0].set_ylabel("it speaks of word")
    return fig


def stacks(columns: Mapping[str, np.ndarray]) -> Figure:
    """In which order stacks hold the four gates' rows.

    Args:
        columns: title -> (4H,) for each row the number of its gate: 0 forget, 1 input, 2 output, 3 candidate.
    """
    fig, axes = plt.subplots(1, len(columns), figsize=(3.1 * len(columns), 4.2), layout="constrained")
    letters = list(GATES)
    for ax, (title, numbers) in zip(np.atleast_1d(axes), columns.items(), strict=True):
        for row, number in enumerate(np.asarray(numbers).round().astype(int)):
            known = 0 <= number < len(letters)
            letter = letters[number] if known else "?"
            ax.add_patch(Rectangle((0, row), 1, 1, fc=GATES.get(letter, "#dddddd"), ec="white", lw=1.5))
            ax.text(0.5, row + 0.5, letter, ha="center", va="center", fontsize=13)
        ax.set(title=title, xlim=(-0.05, 1.05), ylim=(len(numbers), 0))
        ax.title.set_fontsize(12)
        ax.set_xticks([])
        ax.set_yticks(np.arange(len(numbers)) + 0.5, [str(row) for row in range(len(numbers))])
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
    return fig


def speeds(milliseconds: Mapping[int, tuple[float, float]]) -> Figure:
    """The time of a loop beside that of a library.

    Args:
        milliseconds: units H -> the time of the course's loop, and of the library's layer.
    """
    fig, ax = plt.subplots(figsize=(8.4, 4), layout="constrained")
    H = list(milliseconds)
    loop, library = np.array(list(milliseconds.values())).T
    ax.plot(H, loop, "o-", color=MEMORY, label="our loop")
    ax.plot(H, library, "s--", color=SHOWN, label="nn.LSTM")
    for units, slow, fast in zip(H, loop, library, strict=True):
        ax.annotate(
            f"{slow / fast:.1f} times", (units, slow), xytext=(0, 9), textcoords="offset points", ha="center"
        )
    ax.set(xscale="log", yscale="log", xlabel="units H", ylabel="milliseconds for 50 steps")
    ax.set_xticks(H, [str(units) for units in H])
    ax.minorticks_off()
    ax.margins(0.12, 0.2)
    ax.legend(loc="upper left")
    return fig
