"""What a check finds, as facts: which array, where in it, which numbers. Knows no sentences.

The texts in which Python and NumPy complain are taken apart here, once.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

from autograder.answers.leaf import Leaf
from autograder.answers.outcome import StudentError


class Kind(StrEnum):
    """What was found. Behind each group stand the facts that come with it, beside the `leaf`."""

    UNANSWERED = auto()
    MISSING = auto()  # names: the function
    # names: what is not there where it is graded; got: why, for each; asked: the packages that are there
    NOT_WHERE_GRADED = auto()

    # The call stopped. names: the function; error
    RAISED = auto()
    PART_MISSING = auto()
    UNFIT_PRODUCT = auto()  # got, asked: the sizes of the two axes
    UNFIT_SOLVE = auto()  # got, asked: the rows of the right side, and of the matrix
    UNFIT_ENTRIES = auto()  # got, asked: both shapes, of which a matrix product could be made
    UNFIT_OUTER = auto()  # the same, where the one's product with the other's transposed could
    UNFIT_LENGTHS = auto()  # the same, where they differ along the axis `axis` alone
    UNFIT_SHAPES = auto()  # the same, where nothing of that holds
    UNFIT_SUM = auto()  # the same, of `+` or `-`
    UNFIT_TRANSPOSED = auto()  # the same, where one is the other's transposed
    UNFIT_AXIS = auto()  # the same, where one was summed over the axis `axis`
    UNFIT_KEPT = auto()  # the same, where the axis that was summed over should have been kept
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
    PARTS_JOINED = auto()
    OTHER_SIZES = auto()
    ARRAY_FOR_NUMBER = auto()
    ONE_STEP = auto()
    ALL_STEPS_LOST = auto()
    FIRST_AXIS_LOST = auto()
    AXIS_MISSING = auto()
    STEP_TOO_MANY = auto()
    STEP_TOO_FEW = auto()
    ENTRY_TOO_MANY = auto()
    ENTRY_TOO_FEW = auto()

    # Another number. got, asked: the numbers at the first wrong place; place; wrong; axis and right
    VALUE = auto()
    NOT_FINITE = auto()
    WATCHED = auto()  # got: what is to be said, of what a given function saw

    # Another answer to the same arguments
    ANOTHER_BEHAVIOUR = auto()
    ANOTHER_SHAPE = auto()
    ANOTHER_VALUE = auto()
    ONE_ARRAY_FOR_ALL = auto()
    CHANGED_ARGUMENTS = auto()  # names: which

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
    COMPLEX_STEPS = auto()  # got: the share that is earned


# By these words two reasons are known again.
NO_PACKAGE, GRADED_WITH = "there is no `", ", and is graded with "


def no_package(package: str) -> str:
    """The reason why a name is not there where its package is not."""
    return f"{NO_PACKAGE}{package}`"


def lacks_package(reason: str) -> bool:
    """Whether a reason is that a package is not there: no cell can help."""
    return reason.startswith(NO_PACKAGE)


def newer_python(theirs: str, ours: str) -> str:
    """The reason why a cell cannot be read that is written in a newer Python than the grader's."""
    return f"the notebook was written with Python {theirs}{GRADED_WITH}{ours}"


def is_of_newer_python(message: str) -> bool:
    """Whether that is among what is said of an error."""
    return GRADED_WITH in message


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
        called_with: the whole numbers and truth values among the arguments that tell one case from another.
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
    called_with: tuple[tuple[str, int], ...] = ()


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
# A `NotImplementedError` that says so of a type of numbers is a library's, and no stub's.
OF_A_LIBRARY = r"not implemented for '\w+'"
# The commonest of NumPy's complaints, and in them what was asked for and what was got.
PRODUCTS = (
    r"core dimension .*size (?P<got>\d+) is different from (?P<asked>\d+)",
    r"not aligned: (?P<asked>\d+) \(dim \d+\) != (?P<got>\d+) \(dim",
)
# The same in NumPy's words for A x = b.
SOLVE = r"^solve1?: .*size (?P<got>\d+) is different from (?P<asked>\d+)"
UNFIT = {SOLVE: Kind.UNFIT_SOLVE, **dict.fromkeys(PRODUCTS, Kind.UNFIT_PRODUCT)}  # the first that fits counts
ENTRIES = r"^(?!.*indexing).*could not be broadcast together with shapes (\([\d,]*\)) (\([\d,]*\))"
TEXT = r"dtype\('<U"
ORDINALS = ("first", "second", "third", "fourth")
# Functions that take an axis away, and by what it is lost.
REDUCTIONS = ("sum", "max", "min", "mean", "amax", "amin", "norm", "prod")


def stopped(
    error: StudentError, function: str = "", asked: Sequence[tuple[int, ...]] = (), words: Sequence[str] = ()
) -> Finding:
    """An error as what was found.

    Args:
        error: the student's error.
        function: the function whose call it stopped.
        asked: the shapes of what is asked for.
        words: one word for each axis of these.
    """
    if error.kind in ERRORS and not re.search(OF_A_LIBRARY, error.message):
        return Finding(ERRORS[error.kind], names=(function,), error=error)
    for pattern, kind in UNFIT.items():
        found = re.search(pattern, error.message)
        if found:
            got, wanted = int(found["got"]), int(found["asked"])
            return Finding(kind, names=(function,), got=got, asked=wanted, error=error)
    found = re.search(ENTRIES, error.message)
    if found:
        left, right = (_shape(text) for text in found.groups())
        kind, axis = _unfit(_operation(error), left, right, asked, words)
        return Finding(kind, names=(function,), got=left, asked=right, axis=axis, error=error)
    kind = Kind.TEXT_FOR_NUMBERS if re.search(TEXT, error.message) else Kind.RAISED
    return Finding(kind, names=(function,), error=error)


def _shape(text: str) -> tuple[int, ...]:
    return tuple(int(size) for size in re.findall(r"\d+", text))


def _operation(error: StudentError) -> ast.BinOp | None:
    """The operation entry by entry that was being computed, where that is known."""
    try:
        statements = ast.parse(error.expression.strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    node = statements[0] if statements else None
    if isinstance(node, ast.AugAssign):
        return ast.BinOp(node.target, node.op, node.value)
    value = node.value if isinstance(node, ast.Expr) else None
    return value if isinstance(value, ast.BinOp) else None


def _unfit(
    operation: ast.BinOp | None,
    left: tuple[int, ...],
    right: tuple[int, ...],
    asked: Sequence[tuple[int, ...]],
    words: Sequence[str],
) -> tuple[Kind, str]:
    """What may be wrong with two shapes, read from the operation; and the word for an axis."""
    if len(left) == 2 and left == right[::-1]:
        return Kind.UNFIT_TRANSPOSED, ""
    sides = ((left, right, operation.right), (right, left, operation.left)) if operation else ()
    for whole, part, made in sides:
        axis = _summed_axis(made)
        if axis is not None and len(whole) == 2 and part == whole[:axis] + whole[axis + 1 :]:
            if whole in asked and whole[::-1] not in asked and len(words) == 2:
                return Kind.UNFIT_AXIS, words[axis]
            if whole[::-1] in asked and whole not in asked:
                return Kind.UNFIT_KEPT, ""
    if operation and isinstance(operation.op, ast.Add | ast.Sub):
        return Kind.UNFIT_SUM, ""
    return _unfit_entries(left, right)


def _unfit_entries(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[Kind, str]:
    """What may have been meant by a product entry by entry; and the word for an axis."""
    if _multiply(left, right) or _multiply(right, left):
        return Kind.UNFIT_ENTRIES, ""
    if len(left) == len(right) == 2 and left[1] == right[1]:
        return Kind.UNFIT_OUTER, ""
    differ = [i for i, (one, other) in enumerate(zip(left, right, strict=False)) if one != other]
    if len(left) == len(right) and len(differ) == 1 and differ[0] < len(ORDINALS):
        return Kind.UNFIT_LENGTHS, ORDINALS[differ[0]]
    return Kind.UNFIT_SHAPES, ""


def _multiply(left: tuple[int, ...], right: tuple[int, ...]) -> bool:
    """Whether `@` takes arrays of these shapes."""
    if not left or not right or (len(left) > 2 and len(right) > 2 and left[:-2] != right[:-2]):
        return False
    return left[-1:] == (right[-2:-1] or right)


def _summed_axis(node: ast.expr) -> int | None:
    """The axis that a call of `sum`, `max`, ... takes away, or None."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute | ast.Name):
        return None
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
    named = [k.value for k in node.keywords if k.arg == "axis"]
    for value in [*named, *reversed(node.args)]:
        number = -value.operand.value if _is_minus(value) else getattr(value, "value", None)  # type: ignore[attr-defined]
        if name in REDUCTIONS and type(number) is int and -2 <= number <= 1:
            return number % 2
    return None


def _is_minus(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.Constant)
        and isinstance(node.operand.value, int)
    )
