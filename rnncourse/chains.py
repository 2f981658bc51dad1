"""Counting: the longest chain of products that wait for one another in a function of arrays, and its work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil, log2
from typing import Any
from unittest.mock import patch

import numpy as np

# What makes arrays without asking those it is given: while it is counted, these are counted arrays, too.
MAKERS = ("empty", "zeros", "ones", "full", "array", "asarray", "ascontiguousarray")
_ones = np.ones
PRODUCTS = (np.multiply, np.matmul)
PRODUCTS_OF_ARRAYS = (np.einsum, np.dot, np.inner, np.tensordot)


def depth_and_work(function: Callable[..., Any], *arguments: np.ndarray) -> tuple[int, int]:
    """How deep a function's products are, and how many.

    Args:
        function: takes arrays, and works by NumPy.
        arguments: what it gets, as copies.

    Returns:
        The longest chain of products each of which waits for the one before, and how many numbers are
        multiplied in all. Each is at least 1, as both are drawn on a logarithmic scale.
    """
    Counted.deepest = Counted.numbers = 0
    made: dict[str, Any] = {name: _counting(getattr(np, name)) for name in MAKERS}
    with patch.multiple(np, **made):
        function(*(argument.copy().view(Counted) for argument in arguments))
    return max(Counted.deepest, 1), max(Counted.numbers, 1)


class Counted(np.ndarray):
    """An array that knows the longest chain of products behind it; all count the numbers they multiply."""

    deepest = numbers = 0
    depth = 0

    def __array_finalize__(self, source: Any) -> None:
        self.depth = getattr(source, "depth", 0)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: tuple = (), **more: Any
    ) -> Any:
        levels = 0
        if ufunc in PRODUCTS and method in ("__call__", "outer"):
            Counted.numbers += _products(getattr(ufunc, method), inputs)
            levels = 1
        elif ufunc is np.multiply:  # "accumulate" and "reduce" along one axis
            length = _plain(inputs[0]).shape[more.get("axis") or 0]
            Counted.numbers += _plain(inputs[0]).size
            levels = length - 1 if method == "accumulate" else ceil(log2(max(length, 1)))
        if out:
            more["out"] = tuple(_plain(array) for array in out)
        made = getattr(ufunc, method)(*(_plain(value) for value in inputs), **more)
        return _deeper(out[0] if out else made, inputs, levels)

    def __array_function__(self, function: Any, types: Any, inputs: Any, more: Any) -> Any:
        levels = 0
        if function in PRODUCTS_OF_ARRAYS:
            Counted.numbers += _products(function, inputs)
            levels = 1
            made = function(*(_plain(value) for value in inputs), **more)
        else:
            made = super().__array_function__(function, types, inputs, more)
        if made is None:  # `copyto`, `put`: they write into what they are given
            made = inputs[0]
        return _deeper(made, (*inputs, *more.values()), levels)

    def __setitem__(self, place: Any, value: Any) -> None:
        super().__setitem__(place, value)
        _deeper(self, (value,))

    def dot(self, other: Any, out: None = None) -> Any:
        """As `np.dot`, which is counted; the method of an array's own would not ask."""
        return np.dot(self, other)


def _counting(maker: Callable[..., Any]) -> Callable[..., Any]:
    def made(*arguments: Any, **more: Any) -> Any:
        return _deeper(maker(*arguments, **more), (*arguments, *more.values()))

    return made


def _deeper(made: Any, inputs: tuple, levels: int = 0) -> Any:
    """What was made of inputs, so many products behind them."""
    if isinstance(made, tuple | list):
        return type(made)(_deeper(part, inputs, levels) for part in made)
    depth = levels + max((part.depth for part in _parts(inputs)), default=0)
    Counted.deepest = max(Counted.deepest, depth)
    if not isinstance(made, np.ndarray):
        return made
    if not isinstance(made, Counted):
        made = made.view(Counted)
    array: Any = made
    while isinstance(array, Counted):  # a slice is a part of its base
        array.depth, array = max(array.depth, depth), array.base
    return made


def _parts(value: Any) -> Iterator[Counted]:
    """The counted arrays in nested lists and tuples."""
    if isinstance(value, Counted):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _parts(part)


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Counted) else value


def _products(function: Callable[..., Any], inputs: tuple) -> int:
    """How many numbers a product of arrays multiplies: what it makes of ones adds up to that."""
    arrays = [value for value in inputs if not isinstance(value, str)]
    ones = [value if isinstance(value, str) else _ones(np.shape(_plain(value))) for value in inputs]
    return int(np.sum(function(*ones))) * max(len(arrays) - 1, 1)
