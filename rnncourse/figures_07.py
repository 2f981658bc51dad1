"""Figures of notebook 07: they take numbers and draw; `results` reads what `scripts/train_07.py` made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import product
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnncourse.figures import COLOURS

# The same model has the same colour in every figure of the notebook, and in the explorer.
KIND_COLOURS = {
    "bag of words": COLOURS["black"],
    "tanh RNN": COLOURS["red"],
    "gated RNN": COLOURS["blue"],
    "LSTM": COLOURS["green"],
}


def results() -> dict[str, Any]:
    """Test accuracies by task, model and seed, with the rates that were found and the commonest class."""
    return json.loads(files("rnncourse").joinpath("results_07.json").read_text("utf-8"))


def padded_batch(lengths: Sequence[int]) -> Figure:
    """The (T, N) places of a padded batch: words, padding, the last word of each sequence.

    Args:
        lengths: the number of words of each sequence.
    """
    T = max(lengths)
    fig, ax = plt.subplots(figsize=(8, 4.4))
    for n, length in enumerate(lengths):
        for t in range(T):
            is_word, is_last = t < length, t == length - 1
            colour = COLOURS["orange"] if is_last else COLOURS["sky"] if is_word else "#eeeeee"
            ax.add_patch(Rectangle((n + 0.04, t + 0.04), 0.92, 0.92, facecolor=colour, edgecolor="#888888"))
            said = "last word" if is_last else "word" if is_word else "0"
            ax.text(n + 0.5, t + 0.5, said, ha="center", va="center", fontsize=11)
    ax.set(xlim=(0, len(lengths)), ylim=(T, 0), xlabel="sequence n", ylabel="step t")
    ax.set_xticks(np.arange(len(lengths)) + 0.5, [str(n + 1) for n in range(len(lengths))])
    ax.set_yticks(np.arange(T) + 0.5, [str(t + 1) for t in range(T)])
    ax.tick_params(length=0)
    return fig


def behind_the_end(left: np.ndarray) -> Figure:
    """What of the difference between sentences is left behind their ends.

    Args:
        left: (steps, N) of each sentence the share that is left, 1 after its last word.
    """
    fig, ax = plt.subplots(figsize=(8, 3.8))
    ax.semilogy(left, color=COLOURS["blue"], alpha=0.2, lw=1)
    ax.semilogy(left.mean(axis=1), color=COLOURS["blue"])
    ax.set(xlabel="steps of padding", ylabel="what tells them apart (share)")
    return fig


def accuracies(found: Mapping[str, Any]) -> Figure:
    """Test accuracies, a dot a seed, a line a mean; dashed the commonest class.

    Args:
        found: as `results` gives it.
    """
    tasks = found["test"]
    fig, axes = plt.subplots(1, len(tasks), figsize=(11, 4), sharey=True)
    for ax, (task, kinds) in zip(axes, tasks.items(), strict=True):
        for place, (kind, shares) in enumerate(kinds.items()):
            spread = np.linspace(-0.15, 0.15, len(shares))
            ax.plot(place + spread, shares, "o", color=KIND_COLOURS[kind], alpha=0.6, ms=7)
            ax.plot([place - 0.3, place + 0.3], [np.mean(shares)] * 2, color=KIND_COLOURS[kind], lw=3)
        ax.axhline(np.mean(found["majority"][task]), color="#888888", ls="--", lw=1.2)
        ax.set_title(task)
        ax.set_xticks(range(len(kinds)), [kind.replace(" ", "\n", 1) for kind in kinds], fontsize=11)
    axes[0].set_ylabel("test accuracy")
    fig.tight_layout()
    return fig


def first_places(found: Mapping[str, Any], kinds: Sequence[str], tries: int = 4000) -> Figure:
    """How often each model is first, by the number of seeds; of all of them there is one choice only.

    Args:
        found: as `results` gives it.
        kinds: the models compared.
        tries: so many choices of seeds are drawn where there are more.
    """
    rng = np.random.default_rng(0)
    fig, axes = plt.subplots(1, len(found["test"]), figsize=(11, 3.6), sharey=True)
    for ax, (task, shares) in zip(axes, found["test"].items(), strict=True):
        table = np.array([shares[kind] for kind in kinds])
        seeds = table.shape[1]
        firsts = np.zeros((seeds - 1, len(kinds)))
        for count in range(1, seeds):
            if count == 1:
                means = np.array(list(product(*table)))
            else:
                drawn = rng.permuted(np.broadcast_to(table, (tries, *table.shape)), axis=2)
                means = drawn[:, :, :count].mean(axis=2)
            firsts[count - 1] = np.bincount(means.argmax(axis=1), minlength=len(kinds)) / len(means)
        for kind, line in zip(kinds, firsts.T, strict=True):
            ax.plot(np.arange(1, seeds), line, "o-", color=KIND_COLOURS[kind], label=kind)
        ax.set(title=task, xlabel="seeds of each", xticks=np.arange(1, seeds), ylim=(-0.03, 1.03))
    axes[0].set_ylabel("how often first")
    axes[-1].legend()
    fig.tight_layout()
    return fig


def losses(values: Sequence[float], at_chance: float) -> Figure:
    """The loss of each piece of a stream.

    Args:
        values: the losses.
        at_chance: that of a guess among all symbols.
    """
    fig, ax = plt.subplots(figsize=(8, 3.6))
    ax.plot(np.arange(1, len(values) + 1), values, color=KIND_COLOURS["gated RNN"])
    ax.axhline(at_chance, color="#888888", ls="--", lw=1.2)
    ax.text(len(values), at_chance - 0.03, "guessing", ha="right", va="top", color="#444444")
    ax.set(xlabel="pieces of the stream", ylabel="loss", ylim=(0, None))
    return fig
