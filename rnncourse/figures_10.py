"""Figures of notebook 10: they take numbers and draw; `results` reads what `scripts/train_10.py` made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from rnncourse.figures import COLOURS

ADDS, MIXES, OTHER = COLOURS["blue"], COLOURS["red"], "#777777"


def results() -> dict[str, Any]:
    """Variants on two tasks, parity, copying: accuracies by model and seed."""
    return json.loads(files("rnncourse").joinpath("results_10.json").read_text("utf-8"))


def variants(found: Mapping[str, Mapping[str, Any]], marked: Sequence[str]) -> Figure:
    """Accuracies far behind the training length on two tasks: a dot a seed, a line a median.

    Args:
        found: task -> variant -> its numbers, as `results` gives them under "variants".
        marked: the variants that are drawn in another colour.
    """
    fig, axes = plt.subplots(1, len(found), figsize=(9.8, 4.5), sharey=True, layout="constrained")
    for ax, (task, by_name) in zip(np.atleast_1d(axes), found.items(), strict=True):
        for place, (name, numbers) in enumerate(by_name.items()):
            colour = MIXES if name in marked else ADDS
            spread = np.linspace(-0.2, 0.2, len(numbers["long"]))
            ax.plot(numbers["long"], place + spread, "D" if name in marked else "o", color=colour, ms=5)
            ax.plot([np.median(numbers["long"])] * 2, [place - 0.36, place + 0.36], color=colour, lw=3)
        ax.set(title=task)
        ax.set_yticks(range(len(by_name)), list(by_name))
        ax.grid(axis="x", color="#dddddd", lw=0.8)
    fig.supxlabel("share of steps right, steps 101 to 200", fontsize=13)
    np.atleast_1d(axes)[0].invert_yaxis()
    return fig


def learning(curves: Mapping[str, np.ndarray]) -> Figure:
    """Losses of a few runs while they learn.

    Args:
        curves: model -> (updates, runs) losses.
    """
    fig, ax = plt.subplots(figsize=(8.4, 3.8), layout="constrained")
    styles = zip((COLOURS["blue"], COLOURS["red"], COLOURS["green"]), ("-", "--", ":"), strict=True)
    for (name, losses), (colour, line) in zip(curves.items(), styles, strict=False):
        window = np.ones(10) / 10
        for run, values in enumerate(np.asarray(losses).T):
            smooth = np.convolve(values, window, "valid")
            ax.plot(smooth, line, color=colour, label=name if run == 0 else None)
    ax.set(xlabel="updates", ylabel="loss", ylim=(0, None))
    ax.legend()
    return fig


def sweeps(T: int) -> Figure:
    """The tree of a scan over T = 2, 4, 8, … steps: up in pairs, and down again to the states in between."""
    levels = int(np.log2(T))
    fig, ax = plt.subplots(figsize=(9.6, 4.6), layout="constrained")
    dot = {"ha": "center", "va": "center", "fontsize": 11, "zorder": 3}
    places = [
        np.arange(2**level - 1, T, 2**level) for level in range(levels + 1)
    ]  # which steps end a block of 2^level
    for level in range(levels):
        for end in places[level + 1]:
            half = 2**level
            for start in (end - half, end):
                ax.annotate(
                    "",
                    (end, level + 0.85),
                    (start, level + 0.15),
                    arrowprops={"arrowstyle": "-|>", "color": ADDS, "lw": 1.6},
                )
    for level in range(levels - 1, -1, -1):
        for place in places[level][2::2]:
            ax.annotate(
                "",
                (place + 0.03, level + 0.17),
                (place - 2**level + 0.08, level + 0.97),
                arrowprops={"arrowstyle": "-|>", "color": MIXES, "lw": 1.6, "ls": "--"},
            )
    ax.annotate(
        "", (-0.2, 0), (-0.85, 0), arrowprops={"arrowstyle": "-|>", "color": COLOURS["green"], "lw": 1.6}
    )
    ax.text(-1, 0, "$s_0$", bbox={"boxstyle": "round,pad=0.3", "fc": "white", "ec": COLOURS["green"]}, **dot)
    for level, ends in enumerate(places):
        for end in ends:
            first = end - 2**level + 2
            label = f"{end + 1}" if level == 0 else f"{first}–{end + 1}"
            box = {"boxstyle": "round,pad=0.3", "fc": "white", "ec": "#444444"}
            ax.text(end, level, label, bbox=box, **dot)
    ax.plot([], [], color=COLOURS["green"], label="the first step, from $s_0$")
    ax.plot([], [], color=ADDS, label="up: two pieces become one")
    ax.plot([], [], color=MIXES, ls="--", label="down: a state, and one piece more")
    ax.set(xlim=(-1.4, T - 0.3), ylim=(-0.4, levels + 0.4), ylabel="level")
    ax.set_yticks(range(levels + 1))
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.legend(loc="upper left")
    return fig


def costs(measured: Mapping[str, Mapping[int, Mapping[str, tuple[float, float, float]]]]) -> Figure:
    """Depth, work and time of loop and scan against the length.

    Args:
        measured: width in words -> T -> "loop" and "scan" -> products that wait for one another, numbers
            multiplied, and seconds.
    """
    fig, axes = plt.subplots(1, 4, figsize=(10.2, 4.2), layout="constrained")
    widths = list(measured)
    panels = [
        (widths[0], 0, "depth: products\nthat wait for others"),
        (widths[0], 1, "work: numbers\nmultiplied"),
        *((width, 2, f"milliseconds,\n{width}") for width in widths),
    ]
    for ax, (width, kind, title) in zip(axes, panels, strict=True):
        T = list(measured[width])
        for way, colour, style in (("loop", MIXES, "o--"), ("scan", ADDS, "s-")):
            values = [measured[width][t][way][kind] * (1e3 if kind == 2 else 1) for t in T]
            ax.plot(T, values, style, color=colour, label=way)
        ax.set(xscale="log", yscale="log", title=title)
        ax.title.set_fontsize(13)
    fig.supxlabel("steps T", fontsize=13)
    axes[0].legend()
    return fig


def parity(by_step: Mapping[str, np.ndarray], trained_to: int) -> Figure:
    """Share right at each bit of fresh sequences: a line a seed.

    Args:
        by_step: model -> (seeds, T).
        trained_to: the longest sequences that were learned from.
    """
    fig, axes = plt.subplots(1, len(by_step), figsize=(10.2, 3.8), sharey=True, layout="constrained")
    for ax, (name, shares) in zip(axes, by_step.items(), strict=True):
        T = np.shape(shares)[1]
        ax.axvspan(0.5, trained_to + 0.5, color="#eeeeee")
        ax.axhline(0.5, color="#888888", ls="--", lw=1)
        for row in np.asarray(shares):
            ax.plot(range(1, T + 1), row, color=ADDS, alpha=0.6, lw=1.5)
        ax.set_title(name.replace(", gates", ",\nfactors"), fontsize=12)
        ax.set(ylim=(0.4, 1.04))
    fig.supxlabel("bits read", fontsize=13)
    axes[0].set_ylabel("share right")
    return fig


def copies(found: Mapping[str, Any]) -> Figure:
    """Letters copied right against the length, and where a model with a look back looked.

    Args:
        found: as `results` gives it under "copying".
    """
    fig, (ax, look) = plt.subplots(1, 2, figsize=(10.4, 4), layout="constrained", width_ratios=(1.4, 1))
    for name, colour, style in (("h_T alone", MIXES, "o--"), ("with a look back", ADDS, "s-")):
        shares = np.array(found[name])
        ax.plot(found["lengths"], np.median(shares, axis=1), style, color=colour, label=name)
        ax.fill_between(found["lengths"], shares.min(1), shares.max(1), color=colour, alpha=0.2)
    ax.axhline(1 / 8, color="#888888", ls=":", lw=1.2)
    ax.text(found["lengths"][0], 1 / 8 - 0.015, "guessing", va="top", color="#444444")
    ax.set(xlabel="letters to copy", ylabel="share of letters right", ylim=(0, 1.04))
    ax.set_xticks(found["lengths"])
    ax.legend(loc="lower left", bbox_to_anchor=(0, 0.12))
    image = np.array(found["looked"])
    look.imshow(image, cmap="Blues", vmin=0, vmax=1)
    look.set(xlabel="letter that was read", ylabel="letter that is said", title="where it looks")
    for set_ticks in (look.set_xticks, look.set_yticks):
        set_ticks(range(len(image)), [str(n + 1) for n in range(len(image))])
    look.spines[:].set_visible(True)
    return fig


def turning(bits: Sequence[int], settings: Sequence[tuple[float, float]]) -> Figure:
    """One number that is multiplied by a factor at every bit, for some pairs of factors.

    Args:
        bits: what is read.
        settings: the factor at a 0 and that at a 1, for each panel.
    """
    fig, axes = plt.subplots(1, len(settings), figsize=(10.2, 3.2), sharey=True, layout="constrained")
    for ax, factors in zip(axes, settings, strict=True):
        states = np.cumprod([factors[bit] for bit in bits])
        ax.bar(range(1, len(bits) + 1), states, color=[MIXES if s < 0 else ADDS for s in states])
        ax.axhline(0, color="black", lw=1)
        ax.set_xticks(range(1, len(bits) + 1), [str(bit) for bit in bits])
        at_0, at_1 = (f"{factor:g}".replace("-", "−") for factor in factors)
        ax.set(title=f"factor {at_0} at a 0, {at_1} at a 1", xlabel="bits read", ylim=(-1.05, 1.05))
        ax.title.set_fontsize(12)
    axes[0].set_ylabel("state")
    return fig
