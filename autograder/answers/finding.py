"""What a check finds, as facts: which array, where in it, which numbers. Knows no sentences.

The texts in which Python and NumPy complain are taken apart here, once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

from autograder.answers.leaf import Leaf
from autograder.answers.outcome import StudentError


class Kind(StrEnum):
    """What was found. Behind each group stand the facts that come with it, beside the `leaf`."""

    UNANSWERED = auto()
    MISSING = auto()  # names: the function
    NOT_WHERE_GRADED = auto()  # names: what is not there where it is graded; got: why, for each

    # The call stopped. names: the function; error
    RAISED = auto()
    PART_MISSING = auto()
    UNFIT_PRODUCT = auto()  # got, asked: the sizes of the two axes
    UNFIT_ENTRIES = auto()  # got, asked: both shapes, as NumPy writes them
    TEXT_FOR_NUMBERS = auto()
    SYNTAX = auto()
    TIME = auto()
    MEMORY = auto()
    EXIT = auto()
    CRASH = auto()
    UNREADABLE = auto()
    # The cell of the answer stopped. error
    CELL_STOPS = auto()

    # Another structure than the one asked for. names: the outputs asked for; got: how many there are
    NOTHING_RETURNED = auto()
    TUPLE_OF_ONE = auto()
    SEVERAL_FOR_ONE = auto()
    ONE_FOR_SEVERAL = auto()
    ANOTHER_COUNT = auto()
    # The same, of one leaf. got: the keys, the name of a type, the shapes
    DICT_FOR_ARRAY = auto()
    NO_DICT = auto()
    NO_KEY = auto()
    NONE_FOR_ARRAY = auto()
    NO_ARRAY = auto()
    NO_NUMBERS = auto()
    EMPTY_LIST = auto()
    UNLIKE_SHAPES = auto()

    # Another shape. got, asked: the shapes; axis: the word for the first axis
    SHAPE = auto()
    TRANSPOSED = auto()
    AXIS_LOST = auto()
    AXIS_ADDED = auto()
    AXES_MERGED = auto()
    AXES_REORDERED = auto()
    ONE_STEP = auto()
    ALL_STEPS_LOST = auto()
    FIRST_AXIS_LOST = auto()
    STEP_TOO_MANY = auto()
    STEP_TOO_FEW = auto()
    ENTRY_TOO_MANY = auto()
    ENTRY_TOO_FEW = auto()

    # Another number. got, asked: the numbers at the first wrong place; place; wrong; axis and right
    VALUE = auto()
    NOT_FINITE = auto()

    # Another answer to the same arguments
    ANOTHER_BEHAVIOUR = auto()
    ANOTHER_SHAPE = auto()
    ANOTHER_VALUE = auto()
    ONE_ARRAY_FOR_ALL = auto()

    # A backward beside the numeric gradient. cause; names: the forward, or the forward's argument
    AGREES = auto()
    NO_GRADIENT = auto()
    FORWARD_STOPS = auto()  # error
    FORWARD_SHAPE = auto()  # got
    TOO_MANY_ENTRIES = auto()
    GRADIENT_SHAPE = auto()  # got, asked
    GRADIENT_VALUE = auto()
    ANOTHER_FORWARD = auto()
    UNDERIVED = auto()  # got: the share that is earned


@dataclass(frozen=True)
class Finding:
    """One fact that a check finds; which of the fields are set depends on its kind.

    Args:
        kind: what was found.
        leaf: the array that it was found in.
        names: the outputs that are asked for, or the function that it is about.
        got: the number, shape, keys or type that was given.
        asked: the number or shape that is asked for.
        place: the first wrong entry: for each axis its word, the index (from 0) and the size.
        wrong: how many entries are wrong.
        axis: the word for the axis along which something can be said.
        right: the parts along that axis that are right: the first, the one behind the last, how many
            there are in all. None where they are no block at one end.
        error: the student's error.
        cause: what was found in doing so.
    """

    kind: Kind
    leaf: Leaf | None = None
    names: tuple[str, ...] = ()
    got: Any = None
    asked: Any = None
    place: tuple[tuple[str, int, int], ...] = ()
    wrong: int = 0
    axis: str = ""
    right: tuple[int, int, int] | None = None
    error: StudentError | None = None
    cause: Finding | None = None


# What a StudentError's kind means, where it is not simply an exception.
ERRORS = {
    "NotImplementedError": Kind.PART_MISSING,
    "missing": Kind.MISSING,
    "syntax": Kind.SYNTAX,
    "time": Kind.TIME,
    "memory": Kind.MEMORY,
    "exit": Kind.EXIT,
    "crash": Kind.CRASH,
    "protocol": Kind.UNREADABLE,
}
# The commonest of NumPy's complaints, and in them what was got and what was asked for.
NUMPYS = (
    (Kind.UNFIT_PRODUCT, r"core dimension .*size (\d+) is different from (\d+)"),
    (Kind.UNFIT_ENTRIES, r"could not be broadcast together with shapes (\([\d,]*\)) (\([\d,]*\))"),
    (Kind.TEXT_FOR_NUMBERS, r"dtype\('<U"),
)


def stopped(error: StudentError, function: str = "") -> Finding:
    """An error as what was found.

    Args:
        error: the student's error.
        function: the function whose call it stopped.
    """
    if error.kind in ERRORS:
        return Finding(ERRORS[error.kind], names=(function,), error=error)
    for kind, pattern in NUMPYS:
        found = re.search(pattern, error.message)
        if found:
            got, asked = found.groups() or (None, None)
            return Finding(kind, names=(function,), got=got, asked=asked, error=error)
    return Finding(Kind.RAISED, names=(function,), error=error)
