"""What is written on the way back through a cell: others fill it in, nothing here knows a derivative."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rnncourse.cells.graph import Formula


@dataclass(frozen=True)
class Back:
    """What is written on the way back; the notebook that lets it be found hands it in.

    Attributes:
        arrives: node -> name of the gradient of its value ("dh_t").
        factors: (from, to), a wire of the step -> what the gradient is multiplied by on its way back on it.
        collects: key of `W` -> what its box collects.
        equations: the gradient of every quantity, with its number in the notebooks.
        rules: the same for the explorer's numbers, as a piece of JavaScript.
        compute: the same in Python: (cell, W, xs, start, arriving) -> an object with `grads`.
        through: one operation's rule in Python: (node, input's name, gradient by the node's value, values, W)
            -> what of it goes back to that input.
    """

    arrives: Mapping[str, str] = field(default_factory=dict)
    factors: Mapping[tuple[str, str], str] = field(default_factory=dict)
    collects: Mapping[str, str] = field(default_factory=dict)
    equations: Sequence[Formula] = ()
    rules: str = ""
    compute: Callable[..., Any] | None = None
    through: Callable[..., Any] | None = None
