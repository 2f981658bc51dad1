"""A cell that needs an answer which is not there, or not right yet: one line says which exercise comes first.

Knows the names of the exercises and what was written so far; judges nothing.
"""

from __future__ import annotations

import ast
import contextlib
from types import TracebackType
from typing import Any

from autograder.course.names import bound, mentioned, parse
from autograder.course.surroundings import text_hash
from autograder.errors import CourseError
from autograder.kernel import checks_here, shell
from autograder.student_log import read_progress

# What a stub raises; a name that no cell has set; a claim of the notebook's own on what an answer gives.
CAUGHT = (NotImplementedError, NameError, AssertionError)


# What cells would have set that had to wait for an exercise: name -> exercise.
_waiting: dict[str, str] = {}


def say_what_comes_first() -> None:
    """From now on no cell of the course's that lacks an answer shows a traceback in this kernel."""
    kernel = shell()
    if kernel is None or kernel.custom_exceptions:
        return
    kernel.set_custom_exc(CAUGHT, _show)


def _show(
    kernel: Any,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
    tb_offset: int | None = None,
) -> None:
    """IPython's handler of an exception: the line in place of the traceback, where there is such a line."""
    line = ""
    with contextlib.suppress(CourseError):
        line = comes_first(error, kernel.history_manager.input_hist_raw[-1])
    if line:
        error._render_traceback_ = lambda: [line]  # type: ignore[attr-defined]
    kernel.showtraceback((kind, error, trace), tb_offset=tb_offset)


def comes_first(error: BaseException, cell: str) -> str:
    """The exercise that is to be answered before a cell can run, in a sentence; "" for another reason.

    Args:
        error: what the cell ended with.
        cell: its text.

    Raises:
        CourseError: the file with the checks is missing or damaged.
    """
    checks = checks_here()
    tree = parse(cell) or ast.Module([], [])
    if isinstance(error, NotImplementedError) and str(error) in checks.names:
        _waiting.update(dict.fromkeys((name for node in tree.body for name in bound(node)), str(error)))
        if checks.sheet(str(error)).spec.stands:
            return (
                f"First comes `{error}`: mend it until check({error}) says right, then run this cell again."
            )
        return f"First comes `{error}`: write it, run its cell, then run this one again."
    if isinstance(error, NameError) and error.name in checks.names:
        return f"First comes `{error.name}`: run its cell again, or write it where that is not done yet."
    if isinstance(error, NameError) and error.name in _waiting:
        first = _waiting[error.name]
        return f"First comes `{first}`: `{error.name}` is made by a cell above that waits for it."
    if text_hash(cell) not in checks.around["cells"].values():
        return ""  # the student's own
    if isinstance(error, NameError):
        return f"`{error.name}` is set by a cell further up that has not run to its end: run that one first."
    known = read_progress().get(checks.assignment, {})
    used = mentioned(tree)
    for name in checks.names:
        steps = known.get(name, ())
        # What the cell looks at may have been made by a cell further up.
        if "right" not in steps and (name in used or steps):
            return (
                f"First comes `{name}`: what is claimed of it here does not hold. check({name}) tells more."
            )
    return ""
