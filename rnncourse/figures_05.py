"""Figures of notebook 05. One colour each, throughout: memory blue, visible state red, and so on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnncourse.figures import COLOURS, SIGNED

MEMORY, VISIBLE = COLOURS["blue"], COLOURS["red"]
GATES = {"f": COLOURS["green"], "i": COLOURS["orange"], "o": COLOURS["purple"], "c": COLOURS["sky"]}
GATE_NAMES = {"f": "forget gate f", "i": "input gate i", "o": "output gate o", "c": "candidate"}
GREY = "#666666"


def counting_steps(one_gate: np.ndarray, memory: np.ndarray) -> Figure:
    """What two units hold after n events: one that averages, one that adds.

    Args:
        one_gate: (n + 1,) state of a unit with one gate after 0 to n events.
        memory: (n + 1,) memory of an LSTM unit after as many.
    """
    fig, axis = plt.subplots(figsize=(8, 3.8))
    events = np.arange(len(memory))
    axis.plot(events, memory, "o-", color=MEMORY, label="memory cell: f = 1, i = 1/4")
    axis.plot(events, one_gate, "s-", color=GREY, label="one gate: g = 1/4")
    axis.axhline(1, color=GREY, lw=1, ls=":")
    axis.set(xlabel="events so far", ylabel="what the unit holds", xticks=events[::2])
    axis.legend(loc="upper left")
    return fig


def _events(axis: Axes, symbols: Sequence[str], label: str = "") -> None:
    positions = np.arange(1, len(symbols) + 1)
    axis.set(xlim=(0.4, len(symbols) + 0.6), xticks=positions, xlabel=label)
    axis.set_xticklabels(symbols, fontsize=None if max(map(len, symbols)) > 1 else 15)
    axis.axhline(0, color=GREY, lw=0.8)


def hand_simulation(x: np.ndarray, gates: Mapping[str, np.ndarray], c: np.ndarray, h: np.ndarray) -> Figure:
    """Everything a unit computes over one short sequence, as a table with colours.

    Args:
        x: (T,) the input.
        gates: "f", "i", "o" and "c" (the candidate), each (T,).
        c: (T,) memory.
        h: (T,) visible state.
    """
    rows = {
        "input $x_t$": x,
        "forget gate $f_t$": gates["f"],
        "input gate $i_t$": gates["i"],
        "output gate $o_t$": gates["o"],
        "candidate $\\tilde{c}_t$": gates["c"],
        "memory $c_t$": c,
        "visible $h_t$": h,
    }
    table = np.array(list(rows.values()))
    fig, axis = plt.subplots(figsize=(8, 4.4))
    axis.imshow(table, cmap=SIGNED, vmin=-1.6, vmax=1.6, aspect="auto")
    for (row, column), value in np.ndenumerate(table):
        axis.text(column, row, f"{np.round(value, 3) + 0.0:g}", ha="center", va="center")
    axis.set_xticks(range(len(x)), [f"t = {t}" for t in range(1, len(x) + 1)])
    axis.set_yticks(range(len(rows)), list(rows))
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    return fig


def kept_fraction(kept: Mapping[str, np.ndarray]) -> Figure:
    """How much of a memory is left after how many positions.

    Args:
        kept: name of a forget gate's value -> (T,) memory that started at 1; four of them.
    """
    fig, axis = plt.subplots(figsize=(8, 3.8))
    heights = (0.12, 0.3, 0.36, 0.66)  # where each curve is labelled, so that no two labels meet
    for (name, memory), style, height in zip(kept.items(), ("-", "--", "-.", ":"), heights, strict=True):
        curve = np.concatenate([[1.0], memory])
        axis.plot(range(len(curve)), curve, style, color=GATES["f"])
        at = int(np.argmin(np.abs(curve - height)))
        axis.annotate(name, (at, curve[at]), xytext=(6, 4), textcoords="offset points")
    axis.axhline(0.5, color=GREY, lw=1, ls=":")
    axis.set(xlabel="positions later", ylabel="share of the memory left", ylim=(0, 1.05))
    return fig


def memory_over_sentence(words: Sequence[str], runs: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """Memory and visible state over a sentence, one panel for each setting of the gates.

    Args:
        words: the T words.
        runs: title -> arrays "candidate", "c" and "h", each (T,).
    """
    fig, axes = plt.subplots(
        len(runs), 1, figsize=(10, 0.9 + 1.35 * len(runs)), sharex=True, squeeze=False, layout="constrained"
    )
    positions = np.arange(1, len(words) + 1)
    for axis, (title, run) in zip(axes[:, 0], runs.items(), strict=True):
        axis.bar(positions, run["candidate"], width=0.6, color=GATES["c"], alpha=0.5, label="candidate")
        axis.plot(positions, run["c"], "o-", color=MEMORY, label="memory c")
        axis.plot(positions, run["h"], "s--", color=VISIBLE, label="visible state h")
        axis.set_title(title, loc="left", fontsize=12)
        axis.set(ylim=(-1.05, 1.05), yticks=(-1, 0, 1))
        _events(axis, words)
    axes[0, 0].legend(ncols=3, loc="lower right", bbox_to_anchor=(1, 1.0), fontsize=10)
    return fig


def door(stream: str, c: np.ndarray, h: np.ndarray, target: np.ndarray) -> Figure:
    """The door counter over one stream: what it holds, and what it shows.

    Args:
        stream: the symbols, "+" for a visitor, "_" for nothing, "?" for a reading.
        c: (T,) memory.
        h: (T,) visible state.
        target: (T,) what h should be.
    """
    fig, (above, below) = plt.subplots(2, 1, figsize=(9, 4.6), sharex=True, layout="constrained")
    positions = np.arange(1, len(stream) + 1)
    above.bar(positions, c, width=0.7, color=MEMORY)
    above.set(ylabel="memory c", yticks=np.arange(0, 1.01, 0.25))
    _events(above, stream)
    _shown(below, positions, h, target)
    below.set(ylabel="visible h", ylim=(-0.06, 1.1), yticks=(0, 0.25, 0.5, 0.75, 1))
    _events(below, stream, "what happens at the door:  + a visitor    _ nothing    ? a reading")
    below.legend(loc="upper left", ncols=2, fontsize=10, borderaxespad=0)
    return fig


def _shown(axis: Axes, positions: np.ndarray, h: np.ndarray, target: np.ndarray) -> None:
    axis.bar(positions, h, width=0.35, color=VISIBLE, label="shown")
    axis.plot(positions, target, "_", color="black", ms=16, mew=2, label="target")


def door_weights() -> dict[str, np.ndarray]:
    """One set of weights of one unit that does what is asked at the museum's door.

    Returns:
        W: by key; on the visible state (1, 1), on the input (1, 4), in the order "+", "_", "?", constant.
    """
    weights = {
        "fh": [[-400]], "fx": [[0, 0, 0, 40]],
        "ih": [[0]], "ix": [[80, 0, 0, -40]],
        "oh": [[0]], "ox": [[0, 0, 80, -40]],
        "ch": [[0]], "cx": [[0, 0, 0, np.arctanh(0.25)]],
    }  # fmt: skip
    return {name: np.array(weight, dtype=float) for name, weight in weights.items()}


def learned_door(
    losses: Mapping[int, Sequence[float]],
    stream: str,
    c: np.ndarray,
    h: np.ndarray,
    target: Sequence[float],
) -> Figure:
    """How the door's error fell while its weights were learned, and what one learned cell does.

    Args:
        losses: seed -> mean squared error before each update; at most three.
        stream: the symbols of one stream.
        c: (T,) memory of one learned cell over it.
        h: (T,) its visible state.
        target: (T,) what h should be.
    """
    fig, axes = plt.subplot_mosaic("em;es", figsize=(11, 4.6), layout="constrained", width_ratios=(1, 1.5))
    positions = np.arange(1, len(stream) + 1)
    for (seed, curve), style in zip(losses.items(), ("-", "--", ":"), strict=False):
        axes["e"].semilogy(np.sqrt(curve), style, color=GREY, lw=2.5, label=f"seed {seed}")
    axes["e"].set(xlabel="updates", ylabel="error (root of the mean square)")
    axes["e"].legend()
    axes["m"].bar(positions, c, width=0.7, color=MEMORY)
    axes["m"].set(ylabel="memory c")
    _events(axes["m"], stream)
    _shown(axes["s"], positions, h, np.asarray(target))
    axes["s"].set(ylabel="visible h")
    _events(axes["s"], stream, "a stream three times as long as those it learned from")
    axes["s"].legend(loc="upper right", ncols=2, fontsize=10, borderaxespad=0)
    return fig


def without_a_gate(
    stream: str, runs: Mapping[str, tuple[np.ndarray, np.ndarray]], target: np.ndarray
) -> Figure:
    """The door counter whole, and with one gate held open: memory left, visible state right.

    Args:
        stream: the symbols.
        runs: title -> (c, h), each (T,).
        target: (T,) what h should be; positions that miss it are marked.
    """
    fig, axes = plt.subplots(len(runs), 2, figsize=(11.5, 1.25 * len(runs) + 0.9), layout="constrained")
    positions = np.arange(1, len(stream) + 1)
    for (left, right), (title, (c, h)) in zip(axes, runs.items(), strict=True):
        left.bar(positions, c, width=0.7, color=MEMORY)
        left.set(ylim=(0, 1.1), yticks=(0, 0.5, 1))
        left.set_ylabel(title, rotation=0, ha="right", va="center")
        _shown(right, positions, h, target)
        right.set(ylim=(-0.05, 1.3), yticks=(0, 0.5, 1))
        missed = np.abs(h - target) > 0.01
        right.plot(
            positions[missed], np.full(missed.sum(), 1.12), "x", color="black", ms=7, mew=2, label="missed"
        )
        for axis in (left, right):
            _events(axis, stream)
    axes[0, 0].set_title("memory c", fontsize=12)
    axes[0, 1].set_title("visible state h", fontsize=12)
    handles, labels = axes[-1, 1].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=11)
    return fig


def stacked_blocks(stacked: np.ndarray, H: int, D: int) -> Figure:
    """The stacked weights with their eight blocks outlined.

    Args:
        stacked: (4H, H + D) all weights.
        H: number of units.
        D: length of an input vector.
    """
    fig, axis = plt.subplots(figsize=(7.5, 4.8))
    limit = np.abs(stacked).max()
    axis.imshow(stacked, cmap=SIGNED, vmin=-limit, vmax=limit, aspect="auto")
    for row in range(1, 4):
        axis.axhline(row * H - 0.5, color="black", lw=2)
    axis.axvline(H - 0.5, color="black", lw=2)
    for row, gate in enumerate("fioc"):
        for x, source in ((H / 2 - 0.5, "h"), (H + D / 2 - 0.5, "x")):
            label = f'W["{gate}{source}"]'
            patch = {"fc": "white", "ec": "none", "alpha": 0.85, "pad": 2}
            axis.text(x, (row + 0.5) * H - 0.5, label, ha="center", va="center", bbox=patch)
    axis.set_xticks(
        [H / 2 - 0.5, H + D / 2 - 0.5], [f"times $h_{{t-1}}$ (H = {H})", f"times $x_t$ (D = {D})"]
    )
    axis.set_yticks([(row + 0.5) * H - 0.5 for row in range(4)], [GATE_NAMES[g] for g in "fioc"])
    axis.tick_params(length=0)
    return fig
