"""What each operation of a graph computes, and with it every value of a cell over a sequence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rnncourse.cells.graph import Cell

Values = dict[str, np.ndarray]

# Kind of a node -> its value from those of its inputs. A product needs its matrix, and is none of these.
RULES: dict[str, Callable[..., np.ndarray]] = {
    "sum": lambda a, b: a + b,
    "times": lambda a, b: a * b,
    "sigmoid": lambda z: 0.5 * (1 + np.tanh(0.5 * z)),
    "tanh": np.tanh,
    "one_minus": lambda a: 1 - a,
    "copy": lambda a: a,
    "output": lambda a: a,
}


def forward(
    cell: Cell, W: Mapping[str, np.ndarray], xs: Sequence, start: Mapping[str, np.ndarray]
) -> list[Values]:
    """Every value of every position, by the name of its node.

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
