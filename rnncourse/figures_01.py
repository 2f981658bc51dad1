"""Figures of notebook 01: they take arrays and draw; what is shown is measured in the notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from rnncourse.figures import COLOURS, SIGNED


def unrolled(words: Sequence[str]) -> Figure:
    """The network unrolled over a sentence: a tanh per word, the same weights in each step, one read-out.

    Args:
        words: the sentence.
    """
    T, wide = len(words), 2.6
    fig, ax = plt.subplots(figsize=(wide * T + 2.6, 3.1))

    def box(x: float, y: float, text: str, colour: str) -> Text:
        return ax.text(x, y, text, ha="center", va="center", fontsize=17, bbox=_box(colour))

    def arrow(start: Text, end: Text, colour: str) -> None:
        """From the edge of one box to that of another."""
        style = {"arrowstyle": "-|>", "lw": 1.8, "color": COLOURS[colour], "mutation_scale": 16}
        patches = {
            "patchA": start.get_bbox_patch(),
            "patchB": end.get_bbox_patch(),
            "shrinkA": 0,
            "shrinkB": 0,
        }
        ax.annotate("", end.get_position(), start.get_position(), arrowprops=style | patches)

    state = box(0, 1, r"$s_0$", "sky")
    for t, word in enumerate(words):
        left, middle, right = wide * t, wide * t + 1.5, wide * (t + 1)
        tanh, given = box(middle, 1, "tanh", "green"), box(middle, 0, rf"$x_{t + 1}$: {word}", "yellow")
        arrow(state, tanh, "blue")
        ax.text(
            (left + middle) / 2 - 0.06, 1.1, r"$W^{s,s}$", ha="center", color=COLOURS["blue"], fontsize=15
        )
        arrow(given, tanh, "red")
        ax.text(middle + 0.08, 0.46, r"$W^{s,x}$", color=COLOURS["red"], fontsize=15)
        state = box(right, 1, rf"$s_{t + 1}$", "sky")
        arrow(tanh, state, "black")
    end = wide * T
    arrow(state, box(end + 2.1, 1, r"softmax: $p$", "purple"), "black")
    ax.text(end + 0.7, 1.1, r"$W^{y,s}$", ha="center", fontsize=15)
    ax.set(xlim=(-0.5, end + 3), ylim=(-0.3, 1.4))
    ax.axis("off")
    fig.canvas.draw()  # only now is it known where the boxes' edges are
    return fig


def _box(colour: str) -> dict[str, object]:
    return {"boxstyle": "round,pad=0.35", "fc": COLOURS[colour], "ec": "none", "alpha": 0.5}


def heat_map(ax: Axes, states: np.ndarray, words: Sequence[str]) -> None:
    """Draw states (T, H) as columns of colours between -1 and 1 under their words."""
    image = ax.imshow(states.T, cmap=SIGNED, vmin=-1, vmax=1, aspect="auto")
    ax.set_xticks(range(len(words)), words)
    ax.set_yticks([0, states.shape[1] - 1], ["1", str(states.shape[1])])
    ax.set_ylabel("unit")
    plt.colorbar(image, ax=ax, pad=0.02, ticks=[-1, 0, 1])


def first_word_changed(
    states: np.ndarray, changed: np.ndarray, words: Sequence[str], other_word: str
) -> Figure:
    """The states of a sentence, and how they differ when its first word is another.

    Args:
        states: (T, H) states of the sentence.
        changed: (T, H) states with the first word replaced.
        words: the T words.
        other_word: what the first word was replaced by.
    """
    T = len(words)
    fig, axes = plt.subplots(2, 1, figsize=(0.95 * T + 1.5, 5.6), constrained_layout=True)
    gaps = changed - states
    heat_map(axes[0], states, words)
    heat_map(axes[1], gaps, [f"{words[0]} → {other_word}", *words[1:]])
    axes[0].set_title("state after each word", loc="left")
    axes[1].set_title("difference made by the first word, and what is left of it", loc="left")
    sizes = np.linalg.norm(gaps, axis=1)
    for t, size in enumerate(sizes):
        share = 100 * size / sizes[0]
        percent = f"{share:.0f} %" if share >= 10 else f"{share:.2g} %"
        axes[1].text(t, -0.18, percent, ha="center", va="top", transform=axes[1].get_xaxis_transform())
    return fig


def two_sentences(
    states_a: np.ndarray, words_a: Sequence[str], states_b: np.ndarray, words_b: Sequence[str]
) -> Figure:
    """The states of two sentences, one heat map below the other, their last words aligned.

    Args:
        states_a: (T, H) states of the first sentence.
        words_a: its T words.
        states_b: states of the second one, as long as or longer than the first.
        words_b: its words.
    """
    T = len(words_b)
    fig, axes = plt.subplots(2, 1, figsize=(0.95 * T + 1.5, 5.6), constrained_layout=True)
    for ax, states, words in zip(axes, (states_a, states_b), (words_a, words_b), strict=True):
        missing = T - len(words)
        # Empty columns in front, so that equal ends stand below each other.
        padded = np.concatenate([np.full((missing, states.shape[1]), np.nan), states])
        heat_map(ax, padded, [""] * missing + list(words))
    axes[0].set_title("state after each word", loc="left")
    return fig


def first_word(lengths: Sequence[int], accuracy: np.ndarray) -> Figure:
    """How well the first word can be read off the last state, against the sentence's length.

    Args:
        lengths: sentence lengths.
        accuracy: (seeds, lengths) share of new sentences read right.
    """
    fig, ax = plt.subplots(figsize=(7.4, 3.8))
    for seed, (row, marker) in enumerate(zip(accuracy, "osD^v", strict=False)):
        ax.plot(lengths, row, marker=marker, alpha=0.8, label=f"seed {seed}")
    ax.axhline(0.5, color=COLOURS["black"], ls=":", lw=1.5)
    ax.text(lengths[0], 0.485, "guessing", va="top", fontsize=11)
    ax.set(xlabel="words in the sentence", ylabel="first word read right", ylim=(0.4, 1.03))
    ax.legend()
    return fig


def fading(ratios: Mapping[str, np.ndarray]) -> Figure:
    """How the difference that one word made fades, as a median and a band from 10 % to 90 %.

    Args:
        ratios: label -> (T, N) size of the difference after each word, divided by its first size.
    """
    fig, ax = plt.subplots(figsize=(7.4, 4.0))
    styles = ("-", "--", "-.", ":")
    for (label, ratio), style in zip(ratios.items(), styles, strict=False):
        low, median, high = np.percentile(ratio, [10, 50, 90], axis=1)
        (line,) = ax.plot(range(len(ratio)), median, style, label=label, marker="o", markersize=4)
        ax.fill_between(range(len(ratio)), low, high, color=line.get_color(), alpha=0.15, lw=0)
    ax.set_yscale("log")
    ax.set(xlabel="words read since the changed word", ylabel="difference left, as a share")
    ax.legend()
    return fig


def cost_of_a_label(classes: int) -> Figure:
    """The cross-entropy of one sequence against the probability given to its label.

    Args:
        classes: number K of classes, whose know-nothing prediction is marked.
    """
    p = np.linspace(0.005, 1, 400)
    fig, ax = plt.subplots(figsize=(6.4, 3.6))
    ax.plot(p, -np.log(p))
    know_nothing = 1 / classes
    ax.plot([know_nothing], [np.log(classes)], "o", color=COLOURS["red"], markersize=9)
    ax.annotate(
        f"no idea, {classes} classes: log {classes} = {np.log(classes):.3f}",
        (know_nothing, np.log(classes)),
        (know_nothing + 0.09, np.log(classes) + 0.9),
        arrowprops={"arrowstyle": "-", "color": COLOURS["red"]},
    )
    ax.set(xlabel="probability given to what came", ylabel="cost, −log p")
    ax.set(xlim=(0, 1.02), ylim=(0, 5.4))
    return fig


def accuracies(results: Mapping[str, Sequence[float]], chance: float, title: str) -> Figure:
    """Accuracies of several readouts, one dot per seed, beside guessing.

    Args:
        results: name of a readout -> its accuracy for each seed.
        chance: accuracy of guessing.
        title: what the accuracies are of.
    """
    fig, ax = plt.subplots(figsize=(7.4, 3.2))
    rows = range(len(results))
    for row, values in zip(rows, results.values(), strict=True):
        ax.plot(values, [row] * len(values), "o", markersize=10, alpha=0.75)
        ax.plot([np.mean(values)] * 2, [row - 0.25, row + 0.25], color=COLOURS["black"], lw=2)
    ax.axvline(chance, color=COLOURS["black"], ls=":", lw=1.5)
    ax.text(chance, len(results) - 0.45, " guessing", va="bottom", fontsize=11)
    ax.set_yticks(rows, results.keys())
    ax.set(xlabel="accuracy on sentences not learned from", ylim=(len(results) - 0.45, -0.6))
    ax.set_title(title, loc="left")
    return fig
