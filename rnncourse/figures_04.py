"""Figures of notebook 04: what a gate keeps and overwrites, its three ways back, what it learns.

One colour, one meaning, in all of them: blue is what is kept, orange what is written, green the gate;
a mark or a kind of line says the same.
Nothing here solves an exercise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from rnncourse.figures import COLOURS, SIGNED

KEPT, WRITTEN, GATE = COLOURS["blue"], COLOURS["red"], COLOURS["green"]
MODELS = {
    "tanh RNN": ("#595959", "dashed"),
    "gated, bias 0": (COLOURS["sky"], "dotted"),
    "gated, bias −2": (COLOURS["purple"], "dashdot"),
    "gated, bias −4": (COLOURS["orange"], "solid"),
}


def fading(runs: Mapping[str, np.ndarray]) -> Figure:
    """What becomes of three starting values while nothing new is said.

    Args:
        runs: title of a panel -> (steps + 1, 3) the three values over time.
    """
    fig, axes = plt.subplots(1, len(runs), figsize=(9.6, 3.2), sharey=True, layout="constrained")
    for ax, (title, values) in zip(axes, runs.items(), strict=True):
        for column, style in zip(values.T, ("solid", "dashed", "dotted"), strict=True):
            ax.plot(column, color="black", ls=style, label=f"start {column[0]:.1f}")
        ax.set(title=title, xlabel="step", ylim=(0, 1.05))
        ax.title.set_fontsize(12)
    axes[0].set_ylabel("state")
    axes[0].legend(fontsize=10, loc="center right")
    return fig


def mixture(s_prev: np.ndarray, candidate: np.ndarray, g: np.ndarray) -> Figure:
    """Each coordinate on its own line: from the old value to the candidate, as far as its gate says.

    Args:
        s_prev: (H,) old state.
        candidate: (H,) what would be written.
        g: (H,) gate.
    """
    H = len(g)
    fig, ax = plt.subplots(figsize=(9, 0.9 * H + 1.2), layout="constrained")
    for i in range(H):
        y = H - 1 - i
        ax.plot([s_prev[i], candidate[i]], [y, y], color="#bbbbbb", lw=5, solid_capstyle="round", zorder=1)
        ax.scatter(s_prev[i], y, s=150, color=KEPT, zorder=2, marker="o")
        ax.scatter(candidate[i], y, s=150, color=WRITTEN, zorder=2, marker="s")
        ax.scatter(
            s_prev[i] + g[i] * (candidate[i] - s_prev[i]),
            y,
            s=260,
            fc="none",
            ec="black",
            lw=2.2,
            zorder=3,
            marker="D",
        )
        ax.text(1.12, y, f"$g_{i + 1}$ = {g[i]:g}", color=GATE, va="center", fontsize=13)
    handles = [
        Line2D([], [], color=KEPT, marker="o", ls="", ms=10, label="old state"),
        Line2D([], [], color=WRITTEN, marker="s", ls="", ms=10, label="candidate"),
        Line2D([], [], mfc="none", mec="black", marker="D", ls="", ms=11, label="new state"),
    ]
    ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    ax.set(xlim=(-1.1, 1.1), ylim=(-0.5, H - 0.5), xlabel="value")
    ax.set_yticks(range(H), [f"coordinate {H - i}" for i in range(H)])
    return fig


def averaging(shares: Mapping[str, np.ndarray]) -> Figure:
    """How much of the start is left when a gate stands still, in one panel with logarithmic height.

    Args:
        shares: words for a gate ("g = 0.1") -> (steps + 1,) share of the start that is left.
    """
    fig, ax = plt.subplots(figsize=(8.4, 3.6), layout="constrained")
    for (name, share), style in zip(shares.items(), ("solid", "dashed", "dashdot", "dotted"), strict=False):
        ax.semilogy(share, color=KEPT, ls=style, label=name)
    ax.set(xlabel="steps", ylabel="share of the start left", ylim=(1e-4, 1.5))
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return fig


def running_state(s0: np.ndarray, gates: np.ndarray, candidates: np.ndarray) -> Figure:
    """One panel a coordinate: candidates, the state that runs through them, and the gate below.

    Args:
        s0: (H,) state before the first step.
        gates: (T, H) gate of each step.
        candidates: (T, H) candidate of each step.
    """
    T, H = gates.shape
    states = [s0]
    for gate, candidate in zip(gates, candidates, strict=True):
        states.append(states[-1] + gate * (candidate - states[-1]))
    states = np.array(states)
    fig, axes = plt.subplots(
        2, H, figsize=(9.8, 4.4), sharex=True, height_ratios=[3, 1], sharey="row", layout="constrained"
    )
    for i in range(H):
        top, bottom = axes[:, i]
        top.plot(range(1, T + 1), candidates[:, i], "s", color=WRITTEN, ms=6, label="candidate")
        top.plot(range(T + 1), states[:, i], color="black", marker=".", label="state")
        top.plot(0, s0[i], "o", color=KEPT, ms=9, label="start")
        bottom.bar(range(1, T + 1), gates[:, i], color=GATE)
        top.set(title=f"coordinate {i + 1}", ylim=(-1.1, 1.1))
        bottom.set(xlabel="step", ylim=(0, 1.05))
    axes[0, 0].set_ylabel("value")
    axes[1, 0].set_ylabel("gate", color=GATE)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, fontsize=11, loc="outside upper center", ncols=3)
    return fig


def latch(values: np.ndarray, writes: np.ndarray, runs: Mapping[str, np.ndarray]) -> Figure:
    """What a latch is shown, and what it holds.

    Args:
        values: (T,) the value that is offered at each step.
        writes: (T,) 1 where it is to be stored, else 0.
        runs: words for a latch -> (T,) its state after each step; two of them.
    """
    fig, axes = plt.subplots(2, 1, figsize=(9.4, 4.4), sharex=True, layout="constrained")
    steps = np.arange(1, len(values) + 1)
    axes[0].vlines(steps, 0, values, color="#999999", lw=2)
    axes[0].plot(steps, values, "s", color=WRITTEN, ms=4, label="value offered")
    axes[0].set_ylabel("input")
    for number, step in enumerate(steps[writes > 0]):
        for ax in axes:
            label = "write" if ax is axes[0] and number == 0 else ""
            ax.axvline(step, color=GATE, lw=8, alpha=0.25, label=label)
    for (name, states), (colour, style) in zip(
        runs.items(), ((COLOURS["black"], "solid"), (COLOURS["purple"], "dashed")), strict=True
    ):
        axes[1].plot(steps, states, color=colour, ls=style, label=name)
    axes[1].set(xlabel="step", ylabel="state", ylim=(-1.1, 1.1))
    axes[0].set_ylim(-1.1, 1.1)
    for ax in axes:
        ax.axhline(0, color="black", lw=0.6)
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=11)
    return fig


def three_ways(numbers: Mapping[str, float], factors: Mapping[str, str]) -> Figure:
    """The step as a graph, with the gradient that goes back on each of its three ways.

    Args:
        numbers: "ds" arriving at the new state; "direct", "candidate" and "gate", what each way
            brings to the old state; "ds_prev", their sum.
        factors: what is written at the arrows, in TeX: "direct", "to candidate", "from candidate", "to gate",
            "from gate".
    """
    fig, ax = plt.subplots(figsize=(9.8, 4.6))
    nodes = {
        "old": (0.7, 2.0, "old state\n$s_{t-1}$"),
        "gate": (4.1, 3.6, "gate\n$g_t = \\sigma(z_t)$"),
        "candidate": (4.1, 0.4, "candidate\n$\\tilde s_t = \\tanh(a_t)$"),
        "new": (7.9, 2.0, "new state\n$s_t$"),
    }
    for x, y, text in nodes.values():
        ax.add_patch(Rectangle((x - 0.95, y - 0.42), 1.9, 0.84, fc="white", ec="black", lw=1.4))
        ax.text(x, y, text, ha="center", va="center", fontsize=12)
    for way, colour, style in (("gate", GATE, "dashdot"), ("candidate", WRITTEN, "dashed")):
        x, y, _ = nodes[way]
        side = np.sign(y - 2)
        _back(ax, (7.0, 2.0 + 0.43 * side), (x + 0.97, y), colour, style)
        _back(ax, (x - 0.97, y), (1.5, 2.0 + 0.43 * side), colour, style)
    _back(ax, (6.93, 2.0), (1.67, 2.0), KEPT, "solid")
    words = (
        (4.1, 2.14, KEPT, f"1  direct, ${factors['direct']}$:  {numbers['direct']:+g}"),
        (6.4, 0.75, WRITTEN, f"${factors['to candidate']}$"),
        (1.05, 0.62, WRITTEN, f"${factors['from candidate']}$"),
        (4.1, -0.32, WRITTEN, f"2  through the candidate:  {numbers['candidate']:+g}"),
        (6.75, 3.2, GATE, f"${factors['to gate']}$"),
        (0.95, 3.2, GATE, f"${factors['from gate']}$"),
        (4.1, 4.2, GATE, f"3  through the gate itself:  {numbers['gate']:+g}"),
    )
    for x, y, colour, text in words:
        ax.text(x, y, text.replace("-0.", "−0."), color=colour, ha="center", fontsize=12)
    ax.text(7.9, 1.2, f"arrives: {numbers['ds']:+g}", ha="center", fontsize=12)
    ax.text(-0.05, 1.2, f"sum: {numbers['ds_prev']:+g}", ha="center", fontsize=12)
    ax.set(xlim=(-0.9, 9.1), ylim=(-0.6, 4.5))
    ax.axis("off")
    return fig


def _back(ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str, style: str) -> None:
    arrow = {"arrowstyle": "-|>", "color": colour, "lw": 2.4, "ls": style, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", xy=end, xytext=start, arrowprops=arrow)


def jacobian_parts(parts: Mapping[str, np.ndarray]) -> Figure:
    """Matrices side by side with one colour scale: what each way adds to a step's Jacobian.

    Args:
        parts: title -> (H, H) matrix, the last of them the sum of the others.
    """
    colours = (KEPT, WRITTEN, GATE, "black")
    reach = max(np.abs(matrix).max() for matrix in parts.values())
    fig, axes = plt.subplots(1, len(parts), figsize=(10, 3.1), layout="constrained")
    for ax, (title, matrix), colour, sign in zip(
        axes, parts.items(), colours, ("", "+", "+", "="), strict=True
    ):
        ax.imshow(matrix, cmap=SIGNED, vmin=-reach, vmax=reach)
        for (i, j), value in np.ndenumerate(matrix):
            shade = "white" if abs(value) > 0.65 * reach else "black"
            text = f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")
            ax.text(j, i, text, ha="center", va="center", color=shade, fontsize=11)
        ax.set_title(f"{sign}  {title}".strip(), color=colour, fontsize=12)
        ax.set_xticks(range(len(matrix)), [f"$s_{{t-1,{j + 1}}}$" for j in range(len(matrix))])
        ax.set_yticks(range(len(matrix)), [f"$s_{{t,{i + 1}}}$" for i in range(len(matrix))])
        ax.spines[:].set_visible(True)
    return fig


def gradient_reach(norms: Mapping[str, np.ndarray]) -> Figure:
    """How much of a gradient at the last state arrives at every state before it.

    Args:
        norms: name of a model (a key of `MODELS`) -> norm at every fifth state, s_0, s_5, ... s_T,
            over that at s_T.
    """
    fig, ax = plt.subplots(figsize=(8.8, 4.0), layout="constrained")
    for name, norm in norms.items():
        colour, style = MODELS[name]
        ax.semilogy(5 * np.arange(len(norm)), norm, color=colour, ls=style, label=name)
    ax.set(xlabel="state $s_t$, from the first to the last", ylabel="gradient norm, last state = 1")
    ax.legend()
    return fig


def adding_sequence(xs: np.ndarray, target: float) -> Figure:
    """One sequence of the adding problem, its two marked values picked out.

    Args:
        xs: (T, D) inputs of one sequence: values, marks, and more rows that are not drawn.
        target: what the model is to answer.
    """
    fig, ax = plt.subplots(figsize=(9.2, 2.9), layout="constrained")
    steps = np.arange(1, len(xs) + 1)
    ax.vlines(steps, 0, xs[:, 0], color="#aaaaaa", lw=3)
    patch = {"fc": "white", "ec": "none", "pad": 1}
    for step in steps[xs[:, 1] > 0]:
        value = xs[step - 1, 0]
        ax.vlines(step, 0, value, color=GATE, lw=4)
        ax.annotate(
            f"{value:.2f}", (step, value), ha="center", va="bottom", color=GATE, fontsize=13, bbox=patch
        )
    ax.set(
        xlabel="step",
        ylabel="value",
        ylim=(0, 1.2),
        title=f"target {target:.2f}: the sum of the two marked values",
    )
    return fig


def learning_curves(
    runs: Mapping[str, Sequence[tuple[Sequence[int], Sequence[float]]]], baseline: float, goal: float
) -> Figure:
    """Test error against updates, one thin line a seed.

    Args:
        runs: name of a model (a key of `MODELS`) -> for each seed (updates, mean squared errors).
        baseline: error of the best constant answer.
        goal: error below which training stops.
    """
    fig, ax = plt.subplots(figsize=(8.8, 4.0), layout="constrained")
    for name, seeds in runs.items():
        colour, style = MODELS[name]
        for number, (updates, errors) in enumerate(seeds):
            ax.semilogy(updates, errors, color=colour, ls=style, lw=1.8, label="" if number else name)
            ax.semilogy(updates[-1], errors[-1], marker="o", color=colour, ms=6)
    ax.axhline(baseline, color="black", lw=1, ls="dotted")
    ax.text(
        0.99,
        baseline * 0.74,
        "always answering 1",
        ha="right",
        transform=ax.get_yaxis_transform(),
        fontsize=11,
    )
    ax.axhline(goal, color="black", lw=1, ls="dotted")
    ax.text(0.99, goal * 1.06, "solved", ha="right", transform=ax.get_yaxis_transform(), fontsize=11)
    ax.set(xlabel="updates", ylabel="mean squared error on test sequences", ylim=(goal / 2, None))
    ax.legend(loc=(0.03, 0.24), fontsize=11)
    return fig


def wall_opens(runs: Mapping[str, Sequence[Mapping[str, np.ndarray]]]) -> Figure:
    """Test error, and the share of the gradient that reaches the first state, during training.

    Args:
        runs: name of a model (a key of `MODELS`) -> for each seed a mapping with "updates" and
            "errors" at tests, and "reach" (one number an update).
    """
    fig, axes = plt.subplots(2, 1, figsize=(8.8, 5.2), sharex=True, layout="constrained")
    for name, seeds in runs.items():
        colour, style = MODELS[name]
        for number, run in enumerate(seeds):
            label = "" if number else name
            axes[0].semilogy(run["updates"], run["errors"], color=colour, ls=style, lw=1.6, label=label)
            axes[1].semilogy(run["reach"], color=colour, ls=style, lw=1.2)
    axes[0].set_ylabel("test error")
    axes[0].legend(fontsize=11)
    axes[1].set(xlabel="updates", ylabel="gradient that reaches $s_0$,\nrelative to $s_T$")
    return fig


def gates_at_work(values: np.ndarray, marks: np.ndarray, gates: np.ndarray) -> Figure:
    """The gates of a trained model over one sequence, as a map, with the marked steps above.

    Args:
        values: (T,) values of the sequence.
        marks: (T,) 1 at the two marked steps.
        gates: (T, H) gates.
    """
    fig, axes = plt.subplots(
        2, 1, figsize=(9.2, 4.4), sharex=True, height_ratios=[1, 2.4], layout="constrained"
    )
    steps = np.arange(1, len(values) + 1)
    is_marked = marks > 0
    axes[0].bar(steps, values, color=np.where(is_marked, GATE, "#bbbbbb"))
    axes[0].plot(steps[is_marked], values[is_marked] + 0.12, "v", color="black", ms=7)
    axes[0].set(ylabel="value\n(▼: marked)", ylim=(0, 1.3))
    image = axes[1].imshow(
        gates.T,
        aspect="auto",
        cmap="Greens",
        vmin=0,
        vmax=1,
        extent=(0.5, len(values) + 0.5, gates.shape[1] + 0.5, 0.5),
    )
    fig.colorbar(image, ax=axes[1], label="gate")
    axes[1].set(xlabel="step", ylabel="unit", yticks=range(2, gates.shape[1] + 1, 2))
    return fig
