"""Figures of notebook 00: they take arrays and draw; what is shown is measured in the notebook."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from rnncourse.figures import COLOURS


def squashing(z: np.ndarray, s: np.ndarray, t: np.ndarray, ds: np.ndarray, dt: np.ndarray) -> Figure:
    """Sigmoid and tanh on the left, their slopes on the right.

    Args:
        z: (n,) where they are drawn.
        s: (n,) the sigmoid.
        t: (n,) tanh.
        ds: (n,) slope of the sigmoid.
        dt: (n,) slope of tanh.
    """
    fig, axes = plt.subplots(1, 2, figsize=(10, 3.6), constrained_layout=True)
    for ax, (sigmoid, tanh), title in zip(axes, ((s, t), (ds, dt)), ("value", "slope"), strict=True):
        ax.plot(z, sigmoid, color=COLOURS["blue"], label="sigmoid")
        ax.plot(z, tanh, "--", color=COLOURS["red"], label="tanh")
        ax.set(xlabel="z")
        ax.set_title(title, loc="left")
        ax.legend(loc="upper left")
    axes[0].axhline(0, color="0.8", lw=1, zorder=0)
    return fig


def v_curve(
    steps: np.ndarray,
    one_sided: np.ndarray,
    central: np.ndarray,
    truncation: tuple[np.ndarray, np.ndarray],
    rounding: np.ndarray,
) -> Figure:
    """Relative error of a numeric derivative against the step, with what theory foretells.

    Args:
        steps: (n,) steps.
        one_sided: (n,) measured error of the one-sided difference.
        central: (n,) measured error of the central difference.
        truncation: (n,) error left by Taylor's formula, one-sided and central.
        rounding: (n,) error that rounding can make.
    """
    fig, ax = plt.subplots(figsize=(8.2, 4.6))
    pairs = ((one_sided, "red", "one-sided", "s"), (central, "blue", "central", "o"))
    for (error, colour, label, marker), theory in zip(pairs, truncation, strict=True):
        # An error of exactly 0 has no place on a logarithmic axis: it is drawn at the bottom.
        shown = np.maximum(error, 2e-14)
        ax.loglog(steps, shown, marker, color=COLOURS[colour], label=label, markersize=5)
        ax.loglog(steps, theory, "--", color=COLOURS[colour], lw=1.2)
    ax.loglog(steps, rounding, ":", color=COLOURS["black"], lw=1.6, label="rounding, (0.11)")
    ax.plot([], [], "--", color="0.4", lw=1.2, label="Taylor, (0.10)")
    ax.text(1e-3, 2e-2, "∝ ε", color=COLOURS["red"], ha="right")
    ax.text(0.15, 3e-6, "∝ ε²", color=COLOURS["blue"])
    ax.text(4e-14, 0.3, "∝ 1 / ε", ha="left")
    ax.set(xlabel="step ε", ylabel="relative error", ylim=(1e-14, 10))
    ax.legend(loc="lower left")
    return fig
