"""Figures of notebook 03: error signals over distance, powers of a matrix, the latch, the wall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rnncourse.figures import COLOURS

# One colour for each radius, the same in every figure, from what vanishes to what grows.
OF_RADIUS = {
    0.5: COLOURS["black"],
    0.9: COLOURS["blue"],
    1.0: COLOURS["sky"],
    1.2: COLOURS["green"],
    1.5: COLOURS["orange"],
    2.0: COLOURS["red"],
}
MARKERS = dict(zip(OF_RADIUS, "osD^vP", strict=True))


def ratio_against_length(powers: Mapping[tuple[float, float], np.ndarray], lengths: Sequence[int]) -> Figure:
    """Powers of ten of the gradient ratio against T, small inputs beside large ones.

    Args:
        powers: (input size, radius) -> (lengths, seeds) powers of ten.
        lengths: the values of T, one per row.
    """
    sizes = sorted({size for size, _ in powers})
    fig, axes = plt.subplots(1, len(sizes), figsize=(10.4, 4.6), sharey=True)
    T = np.array(lengths)
    for ax, size in zip(axes, sizes, strict=True):
        for radius in sorted({r for s, r in powers if s == size}):
            rows, colour = powers[size, radius], OF_RADIUS[radius]
            ax.plot(T, rows.mean(axis=1), color=colour, marker=MARKERS[radius], ms=5)
            ax.fill_between(T, rows.min(axis=1), rows.max(axis=1), color=colour, alpha=0.3, lw=0)
            ax.plot(T, (T - 1) * np.log10(radius), color=colour, ls=":", lw=1.4)
        ax.axhline(0, color="grey", lw=0.8)
        ax.set(xlabel="length T", title=f"inputs of size {size:g}", ylim=(-65, 40))
    axes[0].set_ylabel(r"power of ten of $\Vert\delta_1\Vert\,/\,\Vert\delta_T\Vert$")
    lines = [
        Line2D([], [], color=OF_RADIUS[r], marker=MARKERS[r], ms=5, label=f"r = {r:g}")
        for r in sorted({r for _, r in powers}, reverse=True)
    ]
    lines.append(Line2D([], [], color="grey", ls=":", lw=1.4, label=r"bound $r^{\,T-1}$"))
    fig.legend(handles=lines, loc="outside right center")
    fig.subplots_adjust(right=0.83, wspace=0.08)
    return fig


def powers(example: np.ndarray, normal: np.ndarray, rho: float, sigma: float) -> Figure:
    """The largest stretch of W^k: a non-normal matrix beside a normal one with the same radius.

    Args:
        example: (steps + 1,) largest singular value of its k-th power, from k = 0.
        normal: the same for a normal matrix.
        rho: spectral radius of both.
        sigma: largest singular value of the non-normal one.
    """
    fig, ax = plt.subplots(figsize=(8.6, 4.8))
    k = np.arange(len(example))
    ax.semilogy(k, example, color=COLOURS["red"], marker="o", ms=3.5, label="the example")
    ax.semilogy(k, normal, color=COLOURS["blue"], lw=4, alpha=0.6, label=f"rotation times {rho:g}")
    ax.semilogy(k, rho**k, color="black", ls="--", lw=1.4, label=r"$\rho(W)^k$")
    ax.semilogy(k, sigma**k, color=COLOURS["red"], ls=":", label=r"$\sigma_1(W)^k$ of the example")
    ax.axhline(1, color="grey", lw=0.8)
    top = int(example.argmax())
    ax.annotate(
        f"k = {top}: {example[top]:.1f}",
        (top, example[top]),
        (top + 5, 14),
        arrowprops={"arrowstyle": "->", "color": "black"},
    )
    ax.set(xlabel="power k", ylabel=r"largest stretch $\sigma_1(W^k)$", ylim=(5e-5, 60))
    ax.legend(loc="lower left")
    return fig


def corners(curves: Mapping[float, np.ndarray]) -> Figure:
    """The largest stretch of the k-th power for several corner entries b.

    Args:
        curves: b -> (steps + 1,) largest singular value of the k-th power, from k = 0.
    """
    fig, ax = plt.subplots(figsize=(8.6, 4.6))
    names = ("black", "blue", "green", "red")
    for (b, curve), name, marker in zip(curves.items(), names, "osD^", strict=True):
        k = np.arange(len(curve))
        ax.semilogy(k, curve, color=COLOURS[name], marker=marker, ms=4, markevery=6, label=f"b = {b:g}")
    ax.axhline(1, color="grey", lw=0.8)
    ax.set(xlabel="number of steps k", ylabel=r"largest stretch $\sigma_1(J^k)$")
    ax.set_title(r"$\rho = 0.85$, slope $\gamma = 1$")
    ax.legend(title="corner entry")
    return fig


def drowned(lengths: Mapping[float, np.ndarray]) -> Figure:
    """The length of each position's contribution to the recurrent gradient.

    Args:
        lengths: radius -> (seeds, T) lengths.
    """
    fig, ax = plt.subplots(figsize=(8.6, 4.6))
    for radius, rows in lengths.items():
        position = np.arange(1, rows.shape[1] + 1)
        middle = 10 ** np.log10(rows).mean(axis=0)
        ax.semilogy(position, middle, color=OF_RADIUS[radius], marker=MARKERS[radius], ms=5,
                    markevery=9, label=f"r = {radius:g}")  # fmt: skip
        ax.fill_between(
            position, rows.min(axis=0), rows.max(axis=0), color=OF_RADIUS[radius], alpha=0.25, lw=0
        )
    ax.set(xlabel="position t", ylabel="length of the contribution $G_t$")
    ax.legend(loc="lower right")
    return fig


def latch(weights: np.ndarray, held: Mapping[float, Sequence[tuple[float, np.ndarray]]]) -> Figure:
    """Bits that survive, and what is left of the gradient, against the weight of the unit.

    Args:
        weights: (weights,) values of w.
        held: size of the noise -> for each w the share of bits kept and the runs' powers of ten.
    """
    fig, (above, below) = plt.subplots(2, 1, figsize=(8.6, 5.6), sharex=True)
    for (noise, results), name, marker in zip(held.items(), ("blue", "red"), "os", strict=True):
        style = {"color": COLOURS[name], "marker": marker, "ms": 5}
        above.plot(weights, [kept for kept, _ in results], label=f"noise of size {noise:g}", **style)
        below.plot(weights, [np.median(power) for _, power in results], **style)
        low, high = zip(*(np.percentile(power, (5, 95)) for _, power in results), strict=True)
        below.fill_between(weights, low, high, color=COLOURS[name], alpha=0.2, lw=0)
    above.axhline(0.5, color="grey", lw=0.8, ls="--")
    above.text(weights[-1], 0.52, "guessing", ha="right", color="grey")
    above.set(ylabel="bits that survive", ylim=(0.4, 1.05))
    above.legend(loc="center right")
    below.axhline(0, color="grey", lw=0.8)
    below.set(xlabel="weight w of the unit", ylabel="gradient through\n100 steps, power of ten")
    fig.align_ylabels()
    return fig


def learned_latch(learned: Mapping[tuple[float, int], Sequence[tuple[float, float, float, Any]]]) -> Figure:
    """Which starts learned to hold the bit, and what learning did to their error signals.

    Args:
        learned: (radius, T) -> for each network the share of bits held after training, and the
            power of ten of the ratio of the error signals before and after (what follows is not drawn).
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(10.4, 4.6), width_ratios=(3, 2))
    ordered = sorted(learned, key=lambda key: (key[1], key[0]))
    for place, (radius, T) in enumerate(ordered):
        shares = [run[0] for run in learned[radius, T]]
        spread = place + np.linspace(-0.15, 0.15, len(shares))
        left.plot(spread, shares, ls="", color=OF_RADIUS[radius], marker=MARKERS[radius], ms=9)
    left.axhline(0.5, color="grey", lw=0.8, ls="--")
    left.text(len(ordered) - 0.5, 0.515, "guessing", ha="right", color="grey")
    left.set(ylabel="bits held after training", ylim=(0.4, 1.05), xlim=(-0.5, len(ordered) - 0.5))
    left.set_xticks(range(len(ordered)), [f"T = {T}\nstart r = {r:g}" for r, T in ordered])
    hardest = max((key for key in learned), key=lambda key: (key[1], key[0]))
    for _, before, after, _ in learned[hardest]:
        right.plot([0, 1], [before, after], color=OF_RADIUS[hardest[0]], marker=MARKERS[hardest[0]], ms=8)
    right.axhline(0, color="grey", lw=0.8)
    right.set_xticks([0, 1], ["before", "after"])
    right.set(xlim=(-0.3, 1.3), ylabel=r"power of ten of $\Vert\delta_1\Vert\,/\,\Vert\delta_T\Vert$")
    right.set_title(f"T = {hardest[1]}, start r = {hardest[0]:g}", fontsize=12)
    fig.tight_layout()
    return fig


def wall(w: np.ndarray, b: np.ndarray, loss: np.ndarray, paths: Mapping[str, np.ndarray]) -> Figure:
    """The loss over two parameters as a map, with the paths of up to two descents from one start.

    Args:
        w: grid of weights.
        b: grid of biases, of the same shape.
        loss: the loss there.
        paths: name -> (updates + 1, 2) the points (w, b) of a descent; none for the map alone.
    """
    fig, ax = plt.subplots(figsize=(9.2, 5.4))
    shades = ax.pcolormesh(w, b, loss, cmap="Greys", vmin=0, vmax=2.6, shading="auto", rasterized=True)
    fig.colorbar(shades, ax=ax, label="loss")
    border = np.linspace(4 / 3, w.max(), 50)
    ax.plot(border, np.arctanh(0.5) - 0.5 * border, color=COLOURS["yellow"], lw=2.5, ls="--")
    styles: tuple[dict[str, Any], ...] = (
        {"color": COLOURS["red"], "marker": "s"},
        {"color": COLOURS["blue"], "marker": "o"},
    )
    handles = [Line2D([], [], color=COLOURS["yellow"], lw=2.5, ls="--", label="the wall, w > 4/3")]
    for (name, path), style in zip(paths.items(), styles, strict=False):
        _path(ax, path, style)
        handles.append(Line2D([], [], ms=5, lw=1.6, label=name, **style))
    if paths:
        start = next(iter(paths.values()))[0]
        ax.plot(*start, marker="*", ms=16, color=COLOURS["orange"], mec="black", zorder=5)
        star = Line2D([], [], marker="*", ls="", ms=12, color=COLOURS["orange"], mec="black", label="start")
        handles.append(star)
    ax.legend(handles=handles, loc="lower right", frameon=True)
    ax.set(xlabel="weight w", ylabel="bias b", xlim=(w.min(), w.max()), ylim=(b.min(), b.max()))
    return fig


def _path(ax: Axes, path: np.ndarray, style: Mapping[str, Any]) -> None:
    ax.plot(path[:, 0], path[:, 1], ms=4, lw=1.6, **style)
    ax.plot(*path[-1], ms=11, mec="black", **style)
