"""One way to call a student's function and to watch what it does to arrays, in a kernel and in the sandbox.

Knows nothing of exercises, and nothing of how answers travel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.answers.wire import Watch


@dataclass(frozen=True)
class Called:
    """What one call did.

    Args:
        value: what was made of the returned value, or None.
        error: what the call raised, or what reading its value raised.
        changed: the arguments that it changed in place, "#0" for the first.
        overwrote: whether it changed what the call before it had returned.
    """

    value: Any
    error: BaseException | None
    changed: tuple[str, ...]
    overwrote: bool


class Calls:
    """Calls of one function, one after the other."""

    def __init__(self) -> None:
        self._last = Watch()

    def call(
        self, function: Callable[..., Any], arguments: Sequence[Any], read: Callable[[Any], Any]
    ) -> Called:
        """Call the function with copies of its arguments; whatever it raises is kept, not raised.

        Args:
            function: a student's function.
            arguments: its arguments by position.
            read: makes of a returned value what is kept of it; may raise.
        """
        given = copied(arguments)
        value, error, returned = None, None, None
        try:
            returned = function(*given)
            value = read(returned)
        except BaseException as caught:
            error = caught
        changed = tuple(
            f"#{position}"
            for position, (before, after) in enumerate(zip(arguments, given, strict=True))
            if not same(before, after)
        )
        overwrote = self._last.changed()
        self._last = Watch(None if error else returned)
        return Called(value, error, changed, overwrote)


def copied(value: Any) -> Any:
    """Nested tuples, lists and dicts with copies of their arrays."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(copied(part) for part in value)
    return value


# So far beside the real numbers, in units of an argument's size: a formula gives nearly the same there.
ASIDE = 1e-4


def aside(value: Any) -> Any:
    """Arguments a little beside the real numbers, each in a direction of its own; integers and texts stay."""
    rng = np.random.default_rng(0)

    def moved(value: Any) -> Any:
        if isinstance(value, np.ndarray | np.floating) and value.dtype.kind == "f":
            size = float(np.abs(value).max(initial=0)) or 1.0
            return value + 1j * ASIDE * size * rng.uniform(0.5, 1.5, size=value.shape)
        if isinstance(value, float):
            return complex(value, ASIDE * (abs(value) or 1.0))
        if isinstance(value, dict):
            return {key: moved(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(map(moved, value))
        return value

    return moved(value)


def beside(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is called with its arguments put a little beside the real numbers."""
    return lambda *arguments: function(*aside(arguments))


def same(before: Any, after: Any) -> bool:
    """Whether an argument still is what it was; a student's object may say anything."""
    try:
        if isinstance(before, np.ndarray):
            return (
                type(after) is np.ndarray
                and before.shape == after.shape
                and before.dtype == after.dtype
                and before.tobytes() == after.tobytes()
            )
        if isinstance(before, dict):
            return before.keys() == after.keys() and all(same(before[k], after[k]) for k in before)
        if isinstance(before, list | tuple):
            return len(before) == len(after) and all(same(x, y) for x, y in zip(before, after, strict=True))
        return before is after or repr(before) == repr(after)
    except BaseException:
        return False
