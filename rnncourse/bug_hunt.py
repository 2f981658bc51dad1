"""The adding problem, and a training loop whose parts are given to it: what notebook 11 trains with each bug.

Every part that may be broken comes from outside, by its name. This module holds none of them: it draws data
and weights, calls the parts in their order, and keeps the losses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

T, N, H = 12, 32, 16
Part = Callable[..., Any]
Parts = Mapping[str, Part]
Weights = dict[str, np.ndarray]
# What a cell gives for a batch: its last state (H, N), and the way back from a gradient there to dW.
Run = tuple[np.ndarray, Callable[[np.ndarray], Weights]]


def adding(rng: np.random.Generator, shortest: int = T) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A batch of the adding problem: the sum of the two numbers that bear a mark.

    Args:
        rng: draws it.
        shortest: lengths are drawn from here to T; behind its end a sequence is zeros.

    Returns:
        batch: (N, T, 2), a number and a mark at each step; lengths: (N,); targets: (1, N).
    """
    lengths = rng.integers(shortest, T + 1, size=N)
    batch = np.zeros((N, T, 2))
    targets = np.zeros((1, N))
    for n, length in enumerate(lengths):
        marked = rng.choice(length, size=2, replace=False)
        batch[n, :length, 0] = rng.uniform(size=length)
        batch[n, marked, 1] = 1
        targets[0, n] = batch[n, marked, 0].sum()
    return batch, lengths, targets


def weights(rng: np.random.Generator, cell: str, forget_bias: float = 1.0) -> Weights:
    """Weights of a cell ("rnn", "gated" or "lstm") for two inputs, and of its read-out of one row."""

    def matrix(*shape: int) -> np.ndarray:
        return rng.normal(size=shape) / np.sqrt(shape[1])

    W = {"ys": matrix(1, H), "yb": np.zeros((1, 1))}
    if cell == "lstm":
        bias = np.zeros((4 * H, 1))
        bias[:H] = forget_bias
        return W | {"h": matrix(4 * H, H), "x": matrix(4 * H, 2), "b": bias}
    W |= {"ss": matrix(H, H), "sx": matrix(H, 2)}
    return W | {"gs": matrix(H, H), "gx": matrix(H, 2)} if cell == "gated" else W


def rnn(parts: Parts, xs: np.ndarray, lengths: np.ndarray, W: Weights) -> Run:
    """The simple RNN over a batch, by the parts "forward" and "backward"."""
    s0 = np.zeros((H, N))
    states = parts["forward"](xs, s0, W)

    def back(dlast: np.ndarray) -> Weights:
        dstates = np.zeros_like(states)
        dstates[-1] = dlast
        return parts["backward"](dstates, xs, s0, states, W)[-1]

    return states[-1], back


def masked_rnn(parts: Parts, xs: np.ndarray, lengths: np.ndarray, W: Weights) -> Run:
    """The simple RNN over sequences of unlike lengths, by "masked_forward" and "backward"."""
    states = parts["masked_forward"](xs, lengths, np.zeros((H, N)), W)

    def back(dlast: np.ndarray) -> Weights:
        dstates = np.zeros_like(states)
        dstates[lengths - 1, :, np.arange(N)] = dlast.T  # what is behind the end is a copy
        return parts["backward"](dstates, xs, np.zeros((H, N)), states, W)[-1]

    return states[-1], back


def gated(parts: Parts, xs: np.ndarray, lengths: np.ndarray, W: Weights) -> Run:
    """The gated RNN over a batch, by "gated_step" and "gated_backward"."""
    before, steps = [np.zeros((H, N))], []
    for x_t in xs:
        s_t, *rest = parts["gated_step"](x_t, before[-1], W)
        steps.append(rest)
        before.append(s_t)

    def back(ds: np.ndarray) -> Weights:
        dW: Weights = {}
        for x_t, s_prev, step in reversed(list(zip(xs, before[:-1], steps, strict=True))):
            _, ds, here = parts["gated_backward"](ds, x_t, s_prev, *step, W)
            dW = {key: dW.get(key, 0.0) + here[key] for key in here}
        return dW

    return before[-1], back


def lstm(parts: Parts, xs: np.ndarray, lengths: np.ndarray, W: Weights) -> Run:
    """The LSTM over a batch, by "lstm_step" and "lstm_backward"."""
    h = c = np.zeros((H, N))
    steps = []
    for x_t in xs:
        before = (x_t, h, c)
        h, c, gates = parts["lstm_step"](*before, W)
        steps.append((*before, c, gates))

    def back(dh: np.ndarray) -> Weights:
        dc, dW = np.zeros_like(dh), {}
        for step in reversed(steps):
            _, dh, dc, here = parts["lstm_backward"](dh, dc, *step, W)
            dW = {key: dW.get(key, 0.0) + here[key] for key in here}
        return dW

    return h, back


CELLS = {"rnn": rnn, "masked rnn": masked_rnn, "gated": gated, "lstm": lstm}


def _read(parts: Parts, cell: str, W: Weights, rng: np.random.Generator) -> tuple[np.ndarray, Run]:
    """The errors (1, N) on a batch that is drawn, and what the cell gave for it."""
    batch, lengths, targets = adding(rng, shortest=4 if cell == "masked rnn" else T)
    last, back = CELLS[cell](parts, parts["time_first"](batch), lengths, W)
    return W["ys"] @ last + W["yb"] - targets, (last, back)


def losses_of(
    parts: Parts, cell: str = "rnn", seed: int = 0, updates: int = 600, rate: float = 0.01
) -> tuple[np.ndarray, Weights]:
    """Train on fresh batches of the adding problem; the loss of each, and the weights at the end.

    Args:
        parts: the functions that are used, by their names.
        cell: "rnn", "masked rnn", "gated" or "lstm".
        seed: draws weights and batches: the same for the same seed, whatever the parts.
        updates: how many.
        rate: the learning rate.
    """
    rng = np.random.default_rng(seed)
    W = weights(rng, cell.removeprefix("masked "))
    m, v = ({key: np.zeros_like(array) for key, array in W.items()} for _ in range(2))
    losses = np.zeros(updates)
    with np.errstate(all="ignore"):
        for t in range(1, updates + 1):
            error, (last, back) = _read(parts, cell, W, rng)
            losses[t - 1] = np.mean(error**2)
            dy = 2 * error / N
            dW = {"ys": dy @ last.T, "yb": dy.sum(axis=1, keepdims=True), **back(W["ys"].T @ dy)}
            dW, _ = parts["clip"](dW, 1.0)
            W, m, v = parts["adam_step"](W, dW, m, v, t, rate)
    return losses, W


def loss_of(parts: Parts, cell: str, W: Weights, seed: int = 1000) -> float:
    """The loss of trained weights on a batch that they have not seen, with whatever parts.

    Args:
        parts: as for `losses_of`.
        cell: "rnn", "masked rnn", "gated" or "lstm".
        W: the weights.
        seed: draws the batch.
    """
    error, _ = _read(parts, cell, W, np.random.default_rng(seed))
    return float(np.mean(error**2))
