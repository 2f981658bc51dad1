"""What came of calling a student's function, the same for a notebook's kernel and for the sandbox.

This module knows nothing of how the call was made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Opaque:
    """A returned value that is no array: only the name of its type is known."""

    type_name: str


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
    """

    kind: str
    message: str
    cell: int | None = None
    line: int | None = None
    source: str = ""


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
    """

    value: Any = None
    error: StudentError | None = None
    printed: str = ""
    complaints: str = ""
    changed_inputs: tuple[str, ...] = field(default=())
    overwrote: bool = False
