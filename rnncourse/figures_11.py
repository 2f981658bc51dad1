"""Figures of notebook 11: they take numbers and draw; `results` reads what `scripts/train_11.py` made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnncourse.figures import COLOURS

RIGHT, BROKEN = COLOURS["blue"], COLOURS["red"]
# What the mean as the answer costs: the variance of a sum of two uniform numbers.
GUESSING = 1 / 6
INSTRUMENTS = ("shape", "limit case", "comparison", "gradient check", "training curve")
# The bugs, in the order of the notebook.
BUGS = (
    "time_first",
    "forward",
    "backward",
    "clip",
    "gated_backward",
    "lstm_step",
    "lstm_backward",
    "masked_forward",
    "temperature",
    "adam_step",
)
# bug -> "with" and "without" it, a list of losses for each seed.
Runs = Mapping[str, Mapping[str, Any]]


def numbered(bug: str) -> str:
    """A bug by its number and the name of what it stands in: "bug 2, forward"."""
    return f"bug {BUGS.index(bug) + 1}, {bug}"


def results() -> dict[str, Any]:
    """The losses of every bug and seed, each the mean over `every` batches."""
    return json.loads(files("rnncourse").joinpath("results_11.json").read_text("utf-8"))


def curves_data() -> dict[str, Any]:
    """What the explorer of curves starts from: no bug is shown yet."""
    found = results()
    losses = {numbered(bug): runs for bug, runs in found["losses"].items()}
    return {"losses": losses, "every": found["every"], "guessing": GUESSING}


def all_curves(runs: Runs, every: int = 20) -> Figure:
    """Small pictures, one a bug: loss against batches, without it and with it; median and range of the seeds.

    Args:
        runs: as `results()["losses"]`.
        every: batches between two points.
    """
    fig, axes = plt.subplots(3, 3, figsize=(10.5, 6.2), sharex=True, sharey=True, layout="constrained")
    for ax, (bug, both) in zip(axes.flat, runs.items(), strict=True):
        for name, colour, style in (("without", RIGHT, "-"), ("with", BROKEN, "--")):
            losses = np.array(both[name])
            batches = every * (np.arange(losses.shape[1]) + 1)
            ax.fill_between(batches, losses.min(axis=0), losses.max(axis=0), color=colour, alpha=0.15, lw=0)
            ax.plot(batches, np.median(losses, axis=0), style, color=colour, label=name + " the bug")
        ax.axhline(GUESSING, color=COLOURS["black"], lw=1, ls=":")
        ax.set_title(numbered(bug), fontsize=12)
        ax.set_yscale("log")
        ax.set_ylim(8e-4, 4)
    axes[0, 0].legend(fontsize=9, loc="lower left")
    fig.supxlabel("batches", fontsize=12)
    fig.supylabel("loss (dotted: always the mean)", fontsize=12)
    return fig


def table(said: Mapping[str, Mapping[str, bool]]) -> Figure:
    """Which instrument shows which bug: a filled square shows it, an empty one passes, none was not tried.

    Args:
        said: bug -> instrument -> whether it shows the bug.
    """
    fig, ax = plt.subplots(figsize=(9, 0.42 * len(said) + 0.9), layout="constrained")
    for row, notes in enumerate(said.values()):
        for column, instrument in enumerate(INSTRUMENTS):
            if instrument not in notes:
                ax.text(column, row, "–", ha="center", va="center", color="#555555")
                continue
            shows = notes[instrument]
            colour = COLOURS["orange"] if shows else "#ffffff"
            ax.add_patch(
                Rectangle((column - 0.42, row - 0.38), 0.84, 0.76, facecolor=colour, edgecolor="#777777")
            )
            ax.text(column, row, "shows it" if shows else "passes", ha="center", va="center", fontsize=11)
    ax.set(xlim=(-0.5, len(INSTRUMENTS) - 0.5), ylim=(len(said) - 0.5, -0.5))
    ax.set_xticks(range(len(INSTRUMENTS)), INSTRUMENTS)
    ax.set_yticks(range(len(said)), [numbered(bug) for bug in said])
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return fig
