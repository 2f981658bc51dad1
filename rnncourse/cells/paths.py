"""Which ways a prediction's gradient takes back to each position, told apart by what they pass.

The rules of the way back are handed in; nothing here knows a derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rnncourse.cells.graph import Cell, Node
from rnncourse.cells.values import Values

# What a way has passed so far on its way back: no candidate and no gate, one candidate, several, a gate.
_LANES = 4


def contributions(
    cell: Cell,
    W: Mapping[str, np.ndarray],
    xs: Sequence[np.ndarray],
    positions: Sequence[Values],
    arriving: np.ndarray,
    through: Callable[[Node, str, np.ndarray, Values, Mapping[str, np.ndarray]], np.ndarray],
) -> np.ndarray:
    """What each position gives to a prediction, in first order, by the way that it takes.

    The gradient is a sum over all ways from the prediction back to the input of a position. A way counts as

    - direct, where it passes one candidate, that of its own position, and no gate;
    - the candidate's, where it passes the candidates of several positions, and no gate;
    - the gates', where it passes a gate.

    Args:
        cell: the description.
        W: weights by key.
        xs: (T, D, 1) inputs.
        positions: the T positions' values, as `values.forward` gives them.
        arriving: (H, 1) gradient of the prediction by the last state that is seen.
        through: the rule of the way back: (node, input's name, gradient by the node's value, values, W) ->
            gradient by that input along this wire.

    Returns:
        (T, 3): for each position and each of these three, the gradient along its ways times the input; a
        row's sum is x_t^T (gradient by x_t).
    """
    seen = list(cell.carried)[-1]
    carried = {out: np.zeros((len(arriving), _LANES)) for out in cell.carried}
    carried[seen][:, :1] = arriving
    found = []
    for x_t, values in zip(reversed(xs), reversed(positions), strict=True):
        d = {name: np.zeros((len(value), _LANES)) for name, value in values.items()} | carried
        for node in reversed(cell.nodes):
            arrived = _counted(node, d[node.name])
            for name in node.inputs:
                d[name] = d[name] + through(node, name, arrived, values, W)
        carried = {out: d[into] for out, into in cell.carried.items()}
        found.insert(0, (x_t.T @ d["x_t"])[0, 1:])
    return np.array(found)


def _counted(node: Node, d: np.ndarray) -> np.ndarray:
    """The gradient that arrives at a node, in the lanes of what its ways have passed after it."""
    none, one, several, gate = d.T
    if node.kind == "sigmoid":
        return np.stack([0 * none, 0 * none, 0 * none, none + one + several + gate], axis=1)
    if node.kind == "tanh" and node.role == "candidate":
        return np.stack([0 * none, none, one + several, gate], axis=1)
    return d
