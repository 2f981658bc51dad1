"""Figures of notebook 06: they take arrays and draw; what is shown is measured in the notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Arc

from rnncourse.figures import COLOURS

# The same model has the same colour in every figure of the notebook (and in the explorer).
BIAS_COLOURS = {0: COLOURS["red"], 1: COLOURS["orange"], 3: COLOURS["green"], 5: COLOURS["blue"]}
RNN_COLOUR = COLOURS["black"]
WITH, WITHOUT = COLOURS["blue"], COLOURS["red"]


def who_teaches(shares: Mapping[str, tuple[float, float]]) -> Figure:
    """The gradient of each network's pre-activation, from dh alone and from dc alone.

    Args:
        shares: name -> (norm of the gradient from dh alone, norm of that from dc alone).
    """
    fig, ax = plt.subplots(figsize=(8, 3.2))
    places = np.arange(len(shares))
    for shift, index, label, colour in (
        (-0.19, 0, "from $dh_t$ alone", COLOURS["red"]),
        (0.19, 1, "from $dc_t$ alone", COLOURS["blue"]),
    ):
        heights = [pair[index] for pair in shares.values()]
        bars = ax.bar(places + shift, heights, 0.36, color=colour, label=label)
        ax.bar_label(bars, fmt="%.3f", padding=2, fontsize=11)
    ax.set_xticks(places, list(shares))
    ax.set_ylabel("norm of $dz$")
    ax.margins(y=0.15)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return fig


def _short(number: float) -> str:
    """One digit of a number; below 0.01 the power of ten alone."""
    if number >= 0.01:
        return f"{number:.0f} times" if number >= 1 else f"{number:.1g}"
    return f"$10^{{{round(np.log10(number))}}}$"


def flow_table(ratios: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Every seed's gradient ratio as a dot: one panel per start, one row per network.

    Args:
        ratios: start -> network -> ratio of the norms at step 1 and at the last step, one per seed.
    """
    fig, axes = plt.subplots(
        1, len(ratios), figsize=(3.3 * len(ratios), 4.2), sharex=True, sharey=True, layout="constrained"
    )
    for ax, (start, networks) in zip(np.atleast_1d(axes), ratios.items(), strict=True):
        for row, (name, values) in enumerate(networks.items()):
            colour = RNN_COLOUR if "RNN" in name else BIAS_COLOURS[int(name.split()[-1])]
            ax.semilogx(values, [row] * len(values), "o", color=colour, alpha=0.7)
            ax.annotate(
                _short(np.median(values)),
                (np.median(values), row),
                xytext=(0, 8),
                textcoords="offset points",
                ha="center",
                fontsize=12,
            )
        ax.axvline(1, color="grey", lw=1, ls=":")
        ax.set_title(start.replace(", ", ",\n"), fontsize=13)
        ax.set_yticks(range(len(networks)), list(networks))
        ax.set_xlim(1e-34, 1e6)
        ax.set_xticks([1e-30, 1e-20, 1e-10, 1])
        ax.grid(axis="x", alpha=0.25)
    fig.supxlabel("gradient at step 1 / at the last step", fontsize=13)
    np.atleast_1d(axes)[0].invert_yaxis()
    np.atleast_1d(axes)[0].set_ylim(top=-0.6)
    return fig


def explorer_twin(
    curves: Mapping[str, np.ndarray], additive: Mapping[str, np.ndarray], rnn: np.ndarray
) -> Figure:
    """What the explorer shows, for several forget biases at once.

    Args:
        curves: forget bias in words -> (T + 1,) norm of the pair (dh, dc), by distance from the end.
        additive: the same for the memory's own wire alone.
        rnn: (T + 1,) norm of the gradient of a tanh RNN.
    """
    fig, ax = plt.subplots(figsize=(8.6, 4.2))
    for name, curve in curves.items():
        colour = BIAS_COLOURS[int(name.split()[-1])]
        ax.semilogy(curve, color=colour, label=f"LSTM, {name}")
        ax.semilogy(additive[name], ":", color=colour)
    ax.semilogy(rnn, "--", color=RNN_COLOUR, label="tanh RNN")
    ax.plot([], [], ":", color="grey", label="memory's own wire alone")
    ax.set(xlabel="steps back from the end", ylabel="gradient / gradient at the end", ylim=(1e-26, 1e3))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    ax.grid(alpha=0.25)
    return fig


def half_lives(biases: np.ndarray, half_life: np.ndarray, marked: Mapping[int, float]) -> Figure:
    """Steps after which half of a memory is left, against the forget bias.

    Args:
        biases: (M,) forget biases.
        half_life: (M,) steps.
        marked: bias -> half-life, drawn as dots with their numbers.
    """
    fig, ax = plt.subplots(figsize=(7.5, 3.4))
    ax.semilogy(biases, half_life, color=COLOURS["black"])
    for bias, steps in marked.items():
        ax.plot(bias, steps, "o", ms=9, color=BIAS_COLOURS[bias])
        ax.annotate(f"{steps:.3g}", (bias, steps), xytext=(-8, 8), textcoords="offset points", ha="right")
    ax.set(xlabel="forget bias, all else 0", ylabel="half-life in steps")
    ax.grid(alpha=0.25)
    return fig


_PLACES = {0: (0, 0), 1: (2, 1), 2: (2, -1), 3: (4, 1), 4: (4, -1), 5: (6, 0), -1: (7.6, 0)}


def reber_grammar(inner: Sequence[Sequence[tuple[str, int]]]) -> Figure:
    """The grammar as a map: the inner strings, and the outer frame around them.

    Args:
        inner: from each inner state, (symbol, next state); -1 is the end.
    """
    fig, ax = plt.subplots(figsize=(11, 4.3))
    grey = {"arrowstyle": "-|>", "lw": 1.6, "color": "#444444", "shrinkA": 9, "shrinkB": 9}
    for state, edges in enumerate(inner):
        for symbol, end in edges:
            (x0, y0), (x1, y1) = _PLACES[state], _PLACES[end]
            if state == end:
                up = 1 if y0 > 0 else -1
                middle = (x0, y0 + 0.42 * up)
                ax.add_patch(Arc(middle, 0.62, 0.62, lw=1.6, color="#444444", theta1=0, theta2=360))
                tip = (x0 + 0.17, y0 + 0.13 * up)
                start = (x0 + 0.29, y0 + 0.32 * up)
                ax.annotate("", tip, start, arrowprops={**grey, "shrinkA": 0, "shrinkB": 0})
                ax.text(x0, y0 + 0.98 * up, symbol, ha="center", va="center", fontsize=14)
                continue
            ax.annotate("", (x1, y1), (x0, y0), arrowprops=grey)
            middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
            across = np.array([y1 - y0, x0 - x1]) / np.hypot(x1 - x0, y1 - y0)  # beside the arrow
            place = middle + 0.24 * across * (1 if x0 == x1 else -1)
            ax.text(place[0], place[1], symbol, ha="center", va="center", fontsize=14)
    for x, y in _PLACES.values():
        ax.plot(x, y, "o", ms=11, color=COLOURS["sky"], zorder=3)
    for x, text in ((-3.6, "B"), (-2.4, "T or P"), (-1.0, "B")):
        colour = COLOURS["orange"] if "or" in text else "#444444"
        ax.text(x, 0, text, ha="center", va="center", fontsize=15, color=colour, weight="bold")
    ax.annotate("", (0, 0), (-0.8, 0), arrowprops=grey)
    ax.text(9.1, 0, "the same", ha="center", va="center", fontsize=15, weight="bold", color=COLOURS["orange"])
    ax.text(10.5, 0, "E", ha="center", va="center", fontsize=15, weight="bold", color="#444444")
    bow = {"arrowstyle": "-|>", "lw": 2, "color": COLOURS["orange"], "connectionstyle": "arc3,rad=0.42"}
    ax.annotate("", (9.1, -0.3), (-2.4, -0.3), arrowprops=bow)
    ax.text(3.3, -3.1, "to be remembered", color=COLOURS["orange"], ha="center", fontsize=13)
    ax.set(xlim=(-4.2, 11), ylim=(-3.4, 2.2))
    ax.axis("off")
    return fig


def learning_curves(with_gate: np.ndarray, without: np.ndarray, every: int) -> Figure:
    """Share of right outer symbols while learning, one line per seed.

    Args:
        with_gate: (seeds, M) with forget gate.
        without: (seeds, M) without.
        every: number of updates that each of the M values averages over.
    """
    fig, ax = plt.subplots(figsize=(8, 3.6))
    updates = every * np.arange(1, with_gate.shape[1] + 1)
    for values, colour, style, label in (
        (with_gate, WITH, "-", "with forget gate"),
        (without, WITHOUT, "--", "forget gate held at 1"),
    ):
        lines = ax.plot(updates, values.T, style, color=colour)
        lines[0].set_label(f"{label} ({len(values)} seeds)")
    ax.axhline(0.5, color="grey", lw=1, ls=":")
    ax.text(updates[-1] + 8, 0.5, "a coin", color="grey", va="center")
    ax.set(xlabel="updates", ylabel="outer symbol right", ylim=(0.35, 1.03))
    ax.legend(loc="center right")
    ax.grid(alpha=0.25)
    return fig


def memory_norms(norms: Mapping[str, np.ndarray]) -> Figure:
    """Norm of the memory over a long stream, one line per seed and network.

    Args:
        norms: label -> (seeds, T) norms; with forget gate, then without.
    """
    fig, ax = plt.subplots(figsize=(8, 3.6))
    for (label, lines), colour, style in zip(norms.items(), (WITH, WITHOUT), ("-", "--"), strict=True):
        drawn = ax.loglog(np.arange(1, lines.shape[1] + 1), lines.T, style, color=colour, lw=1.5)
        drawn[0].set_label(label)
    ax.set(xlabel="symbols read", ylabel=r"norm of the memory $\|c_t\|$")
    ax.legend(loc="upper left")
    ax.grid(alpha=0.25)
    return fig


def sentence_gates(words: Sequence[str], opened: np.ndarray, liked: np.ndarray) -> Figure:
    """How far the input gates open at each word, and what the network would answer after it.

    Args:
        words: the sentence.
        opened: (seeds, T) input gates, mean of all units.
        liked: (seeds, T) probability after each word that people liked the sentence.
    """
    fig, (above, below) = plt.subplots(2, 1, figsize=(10, 4.6), sharex=True)
    places = np.arange(len(words))
    means = opened.mean(axis=0)
    above.bar(places, means - 0.5, 0.6, bottom=0.5, color=COLOURS["sky"])
    above.plot(places, opened.T, "o", color=COLOURS["black"], ms=4, alpha=0.6)
    for place, mean in zip(places, means, strict=True):
        above.text(place + 0.34, mean, f"{mean:.2f}", va="center", fontsize=11)
    above.axhline(0.5, color="grey", lw=1, ls=":")
    above.set(ylabel="input gates open\n(mean of all units)", ylim=(0.35, 0.75))
    below.plot(places, liked.T, "o", color=COLOURS["orange"], ms=4, alpha=0.7)
    below.plot(places, liked.mean(axis=0), "-", color=COLOURS["orange"], lw=2.2)
    below.axhline(0.5, color="grey", lw=1, ls=":")
    below.set(ylabel="$p$(liked)\nafter this word", ylim=(-0.05, 1.05))
    below.set_xticks(places, list(words), fontsize=14)
    below.grid(alpha=0.25)
    fig.tight_layout()
    return fig
