"""The way back through a cell, by the rules of its operations: values, and what is written on the wires.

This is what notebooks let students find, so no bundle holds it: nothing that ships imports this module. It
travels in the data file of a notebook whose derivation uses it, and is there once that is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnncourse.cells import Back
from rnncourse.cells.graph import Cell, Formula, Node, cell_named
from rnncourse.cells.values import Values, forward

# The cells whose way back may be told. Here all; the copy in a notebook's data file knows those of its
# derivations, and the others are still to be found.
MENTIONED: Sequence[str] | None = None


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
    _may_be_told(cell.name)
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


def _may_be_told(name: str) -> None:
    if MENTIONED is not None and not any(mentioned.startswith(name) for mentioned in MENTIONED):
        raise ValueError(f"the way back through {name!r} is found in another notebook")


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
            wires[name, node.name] = through(node, name, d, values, W)
            grads[name] = grads[name] + wires[name, node.name]
    return grads, wires, to_weights


def through(node: Node, name: str, d: np.ndarray, values: Values, W: Mapping[str, np.ndarray]) -> np.ndarray:
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


# Where the notebooks have a formula for the gradient of a quantity; "W" stands for all weights.
NUMBERS = {
    "simple": {"a_t": "2.9", "x_t": "2.10", "s_prev": "2.10", "W": "2.11"},
    "gated": {
        "candidate": "4.6", "g_t": "4.6", "a_t": "4.7", "z_t": "4.8", "s_prev": "4.9", "x_t": "4.11",
        "W": "4.12",
    },
    "lstm": {
        "c_t": "6.6", "f_t": "6.7", "i_t": "6.7", "candidate": "6.7", "o_t": "6.7", "c_prev": "6.8",
        "z_f": "6.9", "z_i": "6.9", "z_o": "6.9", "z_c": "6.9", "h_prev": "6.10", "x_t": "6.10", "W": "6.11",
    },
    "gru": {
        "candidate": "4.6", "g_t": "4.6", "a_t": "4.7", "z_t": "4.8", "u_t": "4.17", "s_prev": "4.18",
    },
}  # fmt: skip


def way_back(name: str) -> Back:
    """What stands on the wires of a cell on its way back.

    Args:
        name: of the cell, as for `draw_cell`.

    Raises:
        ValueError: there is no such cell, or this notebook does not tell its way back.
    """
    cell = cell_named(name)
    _may_be_told(cell.name)
    arrives = {node.name: _gradient(cell, node) for node in cell.nodes if node.symbol}
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
    return Back(arrives, factors, collects, equations(cell), IN_JAVASCRIPT, both_ways, through)


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


def _gradient(cell: Cell, node: Node) -> str:
    """What the gradient of a value is called; where two ways meet at a memory, it is the total."""
    readers = cell.readers(node.name)
    is_total = node.kind == "sum" and len(readers) == 1 and readers[0].kind == "copy"
    return f"d{node.symbol[0]}^{{total}}_t" if is_total else f"d{node.symbol}"


def equations(cell: Cell) -> tuple[Formula, ...]:
    """The gradient of every quantity that has a name, in an order in which they can be computed.

    Those of one number are together.
    """
    _may_be_told(cell.name)
    numbers = NUMBERS[cell.name]
    rows: list[tuple[str, str, list[str]]] = []
    for node in reversed(cell.nodes):
        is_named = node.kind == "input" or (node.kind in ("sigmoid", "tanh", "sum") and _is_named(node))
        readers = cell.readers(node.name)
        if not is_named or [reader.kind for reader in readers] == ["output"]:
            continue
        passed = [node.name]
        terms = " + ".join(_term(cell, reader, node.name, passed) for reader in readers)
        text = f"{_gradient(cell, node)} = {terms}".replace("+ −", "−")
        rows.append((numbers.get(node.name, ""), text, passed))
    for key in cell.weights:
        maker = next(node for node in cell.nodes if key in (node.weight, node.bias))
        if maker.weight == key:
            passed = [maker.name]
            text = f"dW^{{{key[0]},{key[1]}}} = {_outer(cell, maker)}"
        else:
            passed, text = [maker.name], f"db^{key[0]} = Σ_n {_gradient(cell, maker)}"
        rows.append((numbers.get("W", ""), text, passed))
    return tuple(_together(rows))


def _together(rows: list[tuple[str, str, list[str]]]) -> list[Formula]:
    made: dict[str, Formula] = {}
    for i, (number, text, passed) in enumerate(rows):
        # What no notebook numbers stands alone, weights together.
        key = number or ("weights" if text.startswith(("dW", "db")) else f"row {i}")
        before = made.get(key)
        if before:
            text, passed = f"{before.text} ;  {text}", [*before.nodes, *passed]
        made[key] = Formula(number, text, tuple(dict.fromkeys(passed)))
    return list(made.values())


def _is_named(node: Node) -> bool:
    """Whether a value has a letter of its own; "tanh c_t" and "1 − g_t" have none."""
    return bool(node.symbol) and " " not in node.symbol


def _term(cell: Cell, reader: Node, name: str, passed: list[str]) -> str:
    """What one reader sends back to a value: the nearest gradient with a name, times the factors between."""
    passed.append(reader.name)
    if reader.kind == "output":
        return f"d{reader.symbol}"
    if reader.kind == "copy":
        return " + ".join(_term(cell, further, reader.name, passed) for further in cell.readers(reader.name))
    if reader.kind == "product":
        return f"W^{{{reader.weight[0]},{reader.weight[1]}⊤}} {_by_product(cell, reader, passed)}"
    # A value that is handed to the next step alone has the name of what arrives there.
    if _is_named(reader):
        upstream = _gradient(cell, reader)
    else:
        readers = cell.readers(reader.name)
        upstream = " + ".join(_term(cell, further, reader.name, passed) for further in readers)
    factor = _factor(cell, reader, name)
    if reader.kind == "one_minus":
        return f"− {upstream}"
    return f"{upstream} {factor}".strip()


def _by_product(cell: Cell, product: Node, passed: list[str]) -> str:
    """The gradient of a product, fit to be a factor."""
    (after,) = cell.readers(product.name)
    inner = _term(cell, after, product.name, passed)
    return f"({inner})" if "⊙" in inner else inner


def _outer(cell: Cell, product: Node) -> str:
    return f"{_by_product(cell, product, [])} {cell[product.inputs[0]].symbol}^⊤"
