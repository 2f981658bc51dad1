"""The way back through a cell, by the rules of its operations: values, and what is written on the wires.

This is what notebooks let students find, so no bundle holds it: nothing that ships imports this module. It
travels in the data file of a notebook whose derivation uses it, and is there once that is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnncourse.cells import Back
from rnncourse.cells.graph import Cell, Node, cell_named
from rnncourse.cells.values import RULES

Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class Passed:
    """All that a pass forward and back computes; every list has one entry per position.

    Attributes:
        values: node -> its value, (H, N) or (D, N).
        grads: node -> gradient of the loss by its value.
        on_wires: (from, to) -> what comes back on that wire.
        contributions: key of W -> what this position gives to its gradient.
        dW: key of W -> the sum of its contributions.
        dstart: input node of a state -> gradient by the state before the first position.
    """

    values: list[Values]
    grads: list[Values]
    on_wires: list[dict[tuple[str, str], np.ndarray]]
    contributions: list[Values]
    dW: Values
    dstart: Values


def forward(
    cell: Cell, W: Mapping[str, np.ndarray], xs: Sequence, start: Mapping[str, np.ndarray]
) -> list[Values]:
    """Every value of every position.

    Args:
        cell: the description.
        W: weights by key.
        xs: (T, D, N) inputs.
        start: input node of a state -> (H, N), before the first position.
    """
    state, positions = dict(start), []
    for x_t in xs:
        values: Values = {"x_t": x_t, **state}
        for node in cell.nodes:
            if node.kind == "product":
                values[node.name] = W[node.weight] @ values[node.inputs[0]]
            elif node.kind != "input":
                values[node.name] = RULES[node.kind](*(values[name] for name in node.inputs))
                if node.bias:
                    values[node.name] = values[node.name] + W[node.bias]
        state = {into: values[out] for out, into in cell.carried.items()}
        positions.append(values)
    return positions


def both_ways(
    cell: Cell,
    W: Mapping[str, np.ndarray],
    xs: Sequence,
    start: Mapping[str, np.ndarray],
    arriving: Sequence[Mapping[str, np.ndarray]],
) -> Passed:
    """Forward over all positions, then back.

    Args:
        cell: the description.
        W: weights by key.
        xs: (T, D, N) inputs.
        start: input node of a state -> (H, N).
        arriving: at each position, output node -> gradient of the loss by it from outside the sequence.
    """
    positions = forward(cell, W, xs, start)
    carried: Values = {out: np.zeros_like(start[into]) for out, into in cell.carried.items()}
    grads, on_wires, contributions = [], [], []
    for values, outside in zip(positions[::-1], arriving[::-1], strict=True):
        here, wires, to_weights = _step_back(
            cell, W, values, {out: carried[out] + outside.get(out, 0) for out in carried}
        )
        carried = {out: here[into] for out, into in cell.carried.items()}
        grads.insert(0, here)
        on_wires.insert(0, wires)
        contributions.insert(0, to_weights)
    dW = {key: np.sum([position[key] for position in contributions], axis=0) for key in cell.weights}
    dstart = {into: carried[out] for out, into in cell.carried.items()}
    return Passed(positions, grads, on_wires, contributions, dW, dstart)


def _step_back(
    cell: Cell, W: Mapping[str, np.ndarray], values: Values, arrived: Values
) -> tuple[Values, dict[tuple[str, str], np.ndarray], Values]:
    grads: Values = {node.name: np.zeros_like(values[node.name]) for node in cell.nodes} | arrived
    wires: dict[tuple[str, str], np.ndarray] = {}
    to_weights: Values = {}
    for node in reversed(cell.nodes):
        d = grads[node.name]
        if node.kind == "product":
            to_weights[node.weight] = d @ values[node.inputs[0]].T
        if node.bias:
            to_weights[node.bias] = d.sum(axis=1, keepdims=True)
        for name in node.inputs:
            wires[name, node.name] = _through(node, name, d, values, W)
            grads[name] = grads[name] + wires[name, node.name]
    return grads, wires, to_weights


def _through(node: Node, name: str, d: np.ndarray, values: Values, W: Mapping[str, np.ndarray]) -> np.ndarray:
    """What of a node's gradient goes back to one of its inputs."""
    out = values[node.name]
    if node.kind == "product":
        return W[node.weight].T @ d
    if node.kind == "times":
        (other,) = (values[i] for i in node.inputs if i != name)
        return d * other
    if node.kind == "sigmoid":
        return d * out * (1 - out)
    if node.kind == "tanh":
        return d * (1 - out**2)
    return -d if node.kind == "one_minus" else d


# The same rules for the browser: `d` and all values are arrays of numbers, one column each.
IN_JAVASCRIPT = r"""
const WAY_BACK = {
  product: (d, node, name, values, W) =>
    W[node.weight][0].map((_, j) => d.reduce((sum, v, i) => sum + W[node.weight][i][j] * v, 0)),
  times: (d, node, name, values) => values[node.inputs.find((i) => i !== name)].map((v, i) => d[i] * v),
  sigmoid: (d, node, name, values) => values[node.name].map((v, i) => d[i] * v * (1 - v)),
  tanh: (d, node, name, values) => values[node.name].map((v, i) => d[i] * (1 - v ** 2)),
  one_minus: (d) => d.map((v) => -v),
  sum: (d) => d, copy: (d) => d, output: (d) => d,
  toWeight: (d, input) => d.map((v) => input.map((u) => v * u)),
};
"""


def way_back(name: str) -> Back:
    """What stands on the wires of a cell on its way back.

    Args:
        name: of the cell, as for `draw_cell`.
    """
    cell = cell_named(name)
    arrives = {node.name: f"d{node.symbol}" for node in cell.nodes if node.symbol}
    for node in cell.nodes:
        if node.kind == "sum" and cell.readers(node.name)[0].kind == "copy":
            arrives[node.name] = f"d{node.symbol[0]}^{{total}}_t"
    factors = {}
    for source, target in cell.wires:
        if text := _factor(cell, cell[target], source):
            factors[source, target] = text
    collects = {}
    for node in cell.nodes:
        if node.weight:
            (reader,) = cell.readers(node.name)
            made = cell[reader.name].symbol or "a_t"
            letter = made[:3] if "^" in made else made[0]
            door = "⊙r" if reader.kind == "times" else ""
            collects[node.weight] = f"Σ d{letter}{door} {cell[node.inputs[0]].symbol[0]}^⊤"
        if node.bias:
            collects[node.bias] = f"db^{node.bias[0]} = Σ dz^{node.bias[0]}"
    return Back(arrives, factors, collects, IN_JAVASCRIPT)


def _factor(cell: Cell, node: Node, name: str) -> str:
    """The factor on the wire from a node back to one of its inputs."""
    symbol = node.symbol
    if node.kind == "times":
        (other,) = (cell[i] for i in node.inputs if i != name)
        text = other.symbol
        if other.kind == "product":
            text = f"{text} {cell[other.inputs[0]].symbol}"
        return f"⊙ ({text})" if " − " in text else f"⊙ {text}"
    if node.kind == "sigmoid":
        return f"⊙ {symbol} ⊙ (1 − {symbol})"
    if node.kind == "tanh":
        squared = symbol.replace("tanh", "tanh^2") if "tanh" in symbol else f"{symbol}^2"
        return f"⊙ (1 − {squared})"
    return ""
