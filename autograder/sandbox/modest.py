"""How much work arguments can make, seen by their sizes: of what a student's code hands to a stand-in.

Looks at values alone; knows nothing of sessions, nor of the functions that are asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

MOST_TEXT = 1000  # characters of one text


def is_modest(value: Any, room: int) -> bool:
    """Whether arguments are so small that a trusted function cannot be made to labour over them.

    Args:
        value: nested arguments.
        room: bytes that all arrays, and all lists once NumPy has made arrays of them, may have together.
    """
    return _bytes_of(value, room) <= room


def _bytes_of(value: Any, room: int) -> int:
    """The bytes that arguments have as arrays; more than `room` where one is too large in itself."""
    if isinstance(value, np.ndarray):
        return math.prod(size or 1 for size in value.shape) * value.itemsize
    if isinstance(value, dict):
        return sum(_bytes_of(part, room) for part in value.values())
    if isinstance(value, list | tuple):
        return _bytes_as_array(value, room)
    if isinstance(value, str):
        return 4 * len(value) if len(value) <= MOST_TEXT else room + 1
    too_large = isinstance(value, int | np.integer) and abs(int(value)) > room
    return room + 1 if too_large else np.dtype(np.float64).itemsize


def _bytes_as_array(parts: Sequence[Any], room: int) -> int:
    """The bytes of a list: NumPy gives every part of it as much room as its largest part needs."""
    sizes = [_bytes_of(part, room) for part in parts]
    return max(len(sizes) * max(sizes, default=0), sum(sizes)) + np.dtype(np.float64).itemsize


def is_ordinary(value: Any) -> bool:
    """Whether no arithmetic with this argument can be much work: three short axes and small numbers at most.

    What is no array (a list, a text) may become one of any shape.
    """
    if isinstance(value, np.ndarray):
        return value.ndim <= 3 and max(value.shape, default=0) <= 200
    if isinstance(value, dict):
        return all(is_ordinary(part) for part in value.values())
    if isinstance(value, float | np.floating):
        return True
    return isinstance(value, int | np.integer) and abs(int(value)) <= 200
