"""What came of calling a student's function, the same for a notebook's kernel and for the sandbox.

This module knows nothing of how the call was made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Opaque:
    """A returned value that is no array: only the name of its type is known."""

    type_name: str


@dataclass(frozen=True)
class Place:
    """A line that an exception passed on its way out.

    Args:
        cell: index of the cell, or None where it is not known.
        line: line in that cell, counted from 1.
        source: that line's text.
        expression: the part of the line that was being computed, "" where it is not known.
        function: the name of the function that the line stands in (a method's may have its class's in front),
            "" where it is not known.
    """

    cell: int | None
    line: int
    source: str
    expression: str = ""
    function: str = ""


@dataclass(frozen=True)
class StudentError:
    """An exception of the student's code, in words.

    Args:
        kind: name of the exception's class ("ValueError"), or one of "time", "memory", "crash",
            "exit", "protocol", "missing", "syntax" for what is no exception of Python's.
        message: its text, bounded.
        cell: index of the cell in which it arose, or None.
        line: line in that cell, counted from 1, or None.
        source: that line's text, or "".
        expression: the part of the line that was being computed, or "".
        inside: the function that was called there and is right itself, or "".
        function: the function of the notebook in whose cell the line stands, or "".
    """

    kind: str
    message: str
    cell: int | None = None
    line: int | None = None
    source: str = ""
    expression: str = ""
    inside: str = ""
    function: str = ""


def undefined_name(error: StudentError) -> str:
    """The name that is not defined, where that is the error, else ""."""
    found = re.match(r"name '(\w+)' is not defined", error.message) if error.kind == "NameError" else None
    return found[1] if found else ""


def at_own_line(
    error: StudentError, places: Sequence[Place], is_right: Callable[[Place], bool]
) -> StudentError:
    """An error, placed at the innermost line that may be to blame for it.

    Args:
        error: the error.
        places: the lines it passed, the innermost last; the first ones may stand in what tries the answer.
        is_right: whether a line stands in a function that is right itself; so is then all that it called.
    """
    own = next((i for i, place in enumerate(places) if not is_right(place)), len(places))
    kept = next((i for i in range(own, len(places)) if is_right(places[i])), len(places))
    if own == kept:
        return error
    place = places[kept - 1]
    inside = places[kept].function.rpartition(".")[2] if kept < len(places) else ""
    if inside.startswith("__"):
        inside = ""  # an operator, and no function that is called by its name
    return replace(
        error,
        cell=place.cell,
        line=place.line,
        source=place.source,
        expression=place.expression,
        inside=inside,
        function=place.function.partition(".")[0].partition("<")[0],  # not a part of it: a helper, a lambda
    )


@dataclass(frozen=True)
class Outcome:
    """What one call gave: a value or an error, and what was printed on the way.

    Args:
        value: nested tuples, lists, dicts with text keys, numpy arrays (numbers are 0-d arrays),
            None and `Opaque`.
        error: the student's error, or None.
        printed: text written to standard output, bounded.
        complaints: text written to standard error (warnings too), bounded.
        changed_inputs: names or positions of arguments that were changed in place.
        overwrote: whether the call changed what the call before it had returned.
        places: the lines that the error passed, the innermost last.
    """

    value: Any = None
    error: StudentError | None = None
    printed: str = ""
    complaints: str = ""
    changed_inputs: tuple[str, ...] = field(default=())
    overwrote: bool = False
    places: tuple[Place, ...] = ()
