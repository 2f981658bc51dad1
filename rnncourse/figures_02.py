"""Figures of notebook 02: where the error signal goes, and what each position contributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from rnncourse.figures import COLOURS

FORWARD, BACKWARD, WEIGHTS = COLOURS["blue"], COLOURS["red"], COLOURS["green"]


def unrolled(T: int = 3) -> Figure:
    """A diagram of the unrolled RNN: states forward, error signals backward, one W used T times.

    Args:
        T: number of positions to draw.
    """
    fig, ax = plt.subplots(figsize=(9.6, 4.0))
    for t in range(1, T + 1):
        _box(ax, 2 * t, 1, f"tanh step {t}", "white")
        _arrow(ax, (2 * t, -0.1), (2 * t, 0.7), FORWARD)
        ax.text(2 * t, -0.38, f"$x_{t}$", ha="center", color=FORWARD)
        _arrow(ax, (2 * t, 2.15), (2 * t, 1.3), WEIGHTS, style="dashed")
        ax.text(2 * t + 0.08, 1.62, f"copy {t}", color=WEIGHTS, fontsize=11)
    for t in range(T + 1):
        _arrow(ax, (2 * t + 0.6, 1.12), (2 * t + 1.4, 1.12), FORWARD)
        _arrow(ax, (2 * t + 1.4, 0.88), (2 * t + 0.6, 0.88), BACKWARD)
        ax.text(2 * t + 1, 1.22, f"$s_{t}$", ha="center", color=FORWARD)
        ax.text(2 * t + 1, 0.5, rf"$\delta_{t}$", ha="center", color=BACKWARD)
    _box(ax, T + 1, 2.4, "$W^{s,s},\\ W^{s,x}$: one pair of matrices", "#E5F3EE", width=2.0 * T)
    _box(ax, 2 * T + 2, 1, "loss $L$", "white")
    lines = [
        Line2D([], [], color=FORWARD, label="forward: states"),
        Line2D([], [], color=BACKWARD, label="backward: error signals"),
        Line2D([], [], color=WEIGHTS, ls="dashed", label="the same weights at every position"),
    ]
    ax.legend(handles=lines, loc="upper center", bbox_to_anchor=(0.5, 0.02), ncols=3, fontsize=11)
    ax.set(xlim=(0.3, 2 * T + 3), ylim=(-0.6, 2.8))
    ax.axis("off")
    return fig


def _box(ax: Axes, x: float, y: float, text: str, colour: str, width: float = 1.2) -> None:
    ax.add_patch(Rectangle((x - width / 2, y - 0.3), width, 0.6, fc=colour, ec="black"))
    ax.text(x, y, text, ha="center", va="center", fontsize=11)


def _arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str, style: str = "solid"
) -> None:
    arrow = {"arrowstyle": "->", "color": colour, "lw": 1.8, "ls": style}
    ax.annotate("", xy=end, xytext=start, arrowprops=arrow)


def signed_bars(error_signals: np.ndarray, contributions: np.ndarray, title: str) -> Figure:
    """Error signal and contribution of every position of an RNN with one unit, above each other.

    Args:
        error_signals: (T,) total gradient of the loss at each state.
        contributions: (T,) what each position contributes to the gradient of the recurrent weight.
        title: what was measured.
    """
    fig, axes = plt.subplots(2, 1, figsize=(8.4, 4.6), sharex=True, layout="constrained")
    positions = np.arange(1, len(contributions) + 1)
    axes[0].bar(positions, error_signals, color=BACKWARD, label=r"error signal $\delta_t$")
    label = f"contribution to the weight's gradient; sum {contributions.sum():.3f}"
    axes[1].bar(positions, contributions, color=WEIGHTS, label=label)
    for ax in axes:
        ax.axhline(0, color="black", lw=0.8)
        ax.legend(loc="upper left", fontsize=11)
        ax.margins(y=0.3)
    axes[1].set_xticks(positions)
    axes[1].set_xlabel("position $t$")
    axes[0].set_title(title, fontsize=12)
    return fig


def contribution_sizes(shares: Mapping[str, np.ndarray]) -> Figure:
    """How large each position's contribution is, one panel per setting.

    Args:
        shares: words for a setting -> (networks, T) sizes of the contributions, each row summing
            to 1; the bar is the mean over the networks, the whisker their middle half.
    """
    fig, axes = plt.subplots(1, len(shares), figsize=(11, 3.6), sharey=True, layout="constrained")
    for ax, (words, values) in zip(axes, shares.items(), strict=True):
        positions = np.arange(1, values.shape[1] + 1)
        low, middle, high = np.percentile(values, [25, 50, 75], axis=0)
        ax.bar(positions, middle, color=WEIGHTS, label="median network")
        ax.vlines(positions, low, high, color="black", lw=1.2, label="middle half of networks")
        ax.set_title(words, fontsize=12)
        ax.set_xlabel("position $t$")
        ax.set_xticks(positions[::2])
    axes[0].set_ylabel(r"share of $\|G_1\| + \dots + \|G_T\|$")
    axes[0].legend(loc="upper left", fontsize=10)
    return fig


def direct_and_carried(direct: np.ndarray, carried: np.ndarray) -> Figure:
    """The two parts of the error signal at every state of an RNN with one unit.

    Args:
        direct: (T,) direct gradient of the loss at each state.
        carried: (T,) what comes back through the state after it.
    """
    fig, ax = plt.subplots(figsize=(8.4, 3.6), layout="constrained")
    positions = np.arange(1, len(direct) + 1)
    ax.bar(positions - 0.2, direct, 0.38, color=COLOURS["orange"], label="direct: the loss looks here")
    ax.bar(positions + 0.2, carried, 0.38, color=COLOURS["sky"], label="carried from the state after it")
    ax.plot(positions, direct + carried, "D", color=BACKWARD, label=r"total: the error signal $\delta_t$")
    ax.axhline(0, color="black", lw=0.8)
    ax.set_xticks(positions)
    ax.set(xlabel="position $t$", ylabel="gradient of the loss")
    ax.margins(y=0.15)
    ax.legend(fontsize=10, loc="center left", bbox_to_anchor=(1, 0.5))
    return fig


def noticed(errors: Mapping[str, Sequence[float]], limit: float) -> Figure:
    """What a gradient check says of a wrong gradient, by the length of the sequences.

    Args:
        errors: words for the bug -> relative error of its gradient, one per length from 1.
        limit: largest relative error that passes the check.
    """
    fig, ax = plt.subplots(figsize=(8.4, 3.4), layout="constrained")
    looks = zip((COLOURS["purple"], COLOURS["orange"]), ("s", "o"), (-0.06, 0.06), strict=True)
    for (words, values), (colour, marker, shift) in zip(errors.items(), looks, strict=True):
        lengths = np.arange(1, len(values) + 1)
        ax.semilogy(lengths + shift, values, marker, color=colour, ms=9, label=words)
    ax.axhline(limit, color="black", ls="dotted", label="passes below this line")
    ax.set(xlabel="length $T$ of the sequences in the check", ylabel="relative error")
    ax.set(ylim=(1e-12, 1e2), xticks=lengths)
    ax.legend(fontsize=10, loc="center left", bbox_to_anchor=(1, 0.5))
    return fig


def training_curves(losses: np.ndarray, chance: float) -> Figure:
    """The loss while networks learn, one line per seed.

    Args:
        losses: (seeds, updates) loss on each training batch.
        chance: loss of a guess that gives every class the same probability.
    """
    fig, ax = plt.subplots(figsize=(8.4, 3.6), layout="constrained")
    updates = np.arange(1, losses.shape[1] + 1)
    stuck = losses[:, -10:].mean(axis=1) > chance / 4
    for group, colour, style, words in (
        (losses[~stuck], FORWARD, "solid", "learned"),
        (losses[stuck], BACKWARD, "dashed", "stuck"),
    ):
        for row, line in enumerate(group):
            label = "" if row else f"{words}: {len(group)} of {len(losses)} seeds"
            ax.plot(updates, line, lw=1.2, color=colour, ls=style, label=label)
    ax.axhline(chance, color="black", ls="dotted", label="guessing")
    ax.set(xlabel="updates", ylabel="cross-entropy", ylim=(0, None))
    ax.legend(fontsize=11)
    return fig


def text_curve(
    bits: np.ndarray, chance: float, unit: str = "letter", piece: str = "piece", guess: str = "guessing"
) -> Figure:
    """The loss of a model of letters while it learns.

    Args:
        bits: (updates,) loss of each piece, in bits per letter.
        chance: loss of a guess that gives every letter the same probability, in bits.
        unit: what is foretold, in the axis's words.
        piece: what an update learns from, in the legend's words.
        guess: that guess, in the legend's words.
    """
    fig, ax = plt.subplots(figsize=(8.4, 3.6), layout="constrained")
    width = 20
    smooth = np.convolve(bits, np.full(width, 1 / width), mode="valid")
    ax.plot(np.arange(1, len(bits) + 1), bits, lw=0.6, color=FORWARD, alpha=0.35, label=f"each {piece}")
    ax.plot(np.arange(width, len(bits) + 1), smooth, color=FORWARD, label=f"mean of the last {width}")
    ax.axhline(chance, color="black", ls="dotted", label=guess)
    ax.set(xlabel="updates", ylabel=f"bits per {unit}", ylim=(0, None))
    ax.legend(fontsize=11)
    return fig


def accuracy_strips(accuracies: Mapping[str, Sequence[float]], chance: float) -> Figure:
    """Accuracy on new sequences, one dot per seed and one row per way to learn.

    Args:
        accuracies: words for the way to learn -> accuracy of each seed.
        chance: accuracy of guessing.
    """
    fig, ax = plt.subplots(figsize=(8.4, 3.4), layout="constrained")
    for row, values in enumerate(accuracies.values()):
        spread = row + np.random.default_rng(0).uniform(-0.22, 0.22, len(values))
        ax.plot(
            values, spread, "o", ms=6, alpha=0.6, color=FORWARD, label="" if row else "one trained network"
        )
        ax.plot(
            [np.median(values)] * 2, [row - 0.32, row + 0.32], color="black", label="" if row else "median"
        )
    ax.axvline(chance, color="black", ls="dotted", label="guessing")
    ax.set_yticks(range(len(accuracies)), list(accuracies))
    ax.invert_yaxis()
    ax.set(xlabel="share of new sequences classified correctly", xlim=(0.25, 1.03))
    ax.legend(fontsize=10, loc="center left", bbox_to_anchor=(1, 0.5))
    return fig


def cosine_curves(cosines: Mapping[str, np.ndarray], window: int = 25) -> Figure:
    """The cosine between the step that was taken and the whole gradient, while learning.

    Args:
        cosines: words for the way to learn -> (seeds, updates) cosines.
        window: how many updates each network's running mean takes together.
    """
    fig, ax = plt.subplots(figsize=(9.6, 3.6), layout="constrained")
    looks = ((COLOURS["orange"], "solid"), (COLOURS["purple"], "dashed"))
    for (words, values), (colour, style) in zip(cosines.items(), looks, strict=True):
        mean = np.ones(window) / window
        smooth = np.array([np.convolve(line, mean, mode="valid") for line in values])
        low, middle, high = np.percentile(smooth, [10, 50, 90], axis=0)
        updates = np.arange(window, values.shape[1] + 1)
        ax.plot(updates, middle, color=colour, ls=style, label=f"{words}: median")
        ax.fill_between(updates, low, high, color=colour, alpha=0.25, label="middle 80 % of networks")
    ax.axhline(1, color="black", lw=1, label="the whole gradient (cosine 1)")
    ax.axhline(0, color="black", ls="dotted", label="at right angles (cosine 0)")
    ax.set(xlabel="updates", ylabel="cosine", ylim=(-0.4, 1.08))
    ax.legend(fontsize=10, loc="center left", bbox_to_anchor=(1, 0.5))
    return fig
