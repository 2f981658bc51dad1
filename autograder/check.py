"""The student's check in a notebook: `check(predict)`, and `hint(predict)`.

It judges the function in this kernel against the frozen public cases beside the notebook. It gives no
marks; for these the same judgement is made again in a sandbox, with other inputs.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import linecache
import sys
import textwrap
import time
import traceback
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from types import FrameType, FunctionType
from typing import Any

import numpy as np

from autograder.answers.calling import Calls, beside, copied, same
from autograder.answers.finding import Finding, Kind
from autograder.answers.outcome import Outcome, Place, StudentError, at_own_line, undefined_name
from autograder.answers.time_limit import TimeLimit, TimeUp
from autograder.answers.wire import WireError, normalise
from autograder.asking import tell_derivation
from autograder.course.stubs import is_stub
from autograder.course.where_graded import (
    functions_in,
    home,
    lacking,
    namespace_where_graded,
    ran_cells,
    read_within,
    watch,
    with_others_in_place,
    without,
)
from autograder.judging.backward import trusted
from autograder.judging.derivation import Costs
from autograder.judging.judge import judge, judge_probe, unanswered
from autograder.kernel import checks_here, shell
from autograder.record import Check, Diagnosis, Judgement
from autograder.report.feedback import as_html, as_text
from autograder.sheets.frozen import FrozenChecks
from autograder.sheets.sheet import Sheet
from autograder.student_log import remember

HINT_TITLES = ("idea", "shapes", "a way to begin")
# What all calls of the student's functions in one check may take together, by the clock.
SECONDS = 6.0
MOST_TEXT = 4000


class CheckFailed(Exception):
    """An answer is not right yet, or not there yet.

    Args:
        said: the verdict.
        then: what to do next, where the verdict itself was shown above already.
    """

    def __init__(self, said: str, then: str = ""):
        super().__init__(said)
        self.then = then

    def _render_traceback_(self) -> list[str]:
        # IPython shows this in place of a stack trace; what was shown above is not said again.
        return [self.then or str(self)]


_hints_given: dict[str, int] = {}


def check(function: Any = None, stage: str | None = None) -> None:
    """Try a function with the exercise's cases, and say what is right and what is wrong first.

    Args:
        function: the function that the exercise asks for, `check(predict)`; without one that is said.
        stage: one part of a derivation, to be tried by itself; the exercise's text names them.

    Raises:
        CheckFailed: the answer is wrong or missing (so that nbgrader's Validate sees it).
        CourseError: the file with the checks is missing or damaged.
    """
    checks = checks_here()
    name, remark = _exercise_meant("check", function, sys._getframe(1), checks)
    sheet = _sheet(checks, name)
    if stage is not None:
        _check_stage(sheet, function, stage)
        return
    judgement = judge_here(checks, sheet, function)
    if remark:
        judgement.notes.insert(0, remark)
    if judgement.status == "right":
        _confirm_where_graded(judgement, checks, sheet, function)
    _show(judgement, sheet)
    remember(checks.assignment, name, "right" if judgement.status == "right" else "tried")
    if judgement.status == "right":
        tell_derivation(checks, name)
    if judgement.status == "unanswered":
        write = "Mend" if sheet.spec.stands else "Write"
        raise CheckFailed(f"{name}: not answered yet", then=f"{write} {name}, run its cell, and check again.")
    if judgement.status == "wrong":
        raise CheckFailed(f"{name}: not right yet", then=f"Change {name}, run its cell, and check again.")


def _check_stage(sheet: Sheet, function: Callable[..., Any], stage: str) -> None:
    probe = sheet.probes.get(stage)
    if probe is None:
        there = ", ".join(map(repr, sheet.probes)) or "none"
        raise CheckFailed(f"{sheet.name} has no stage {stage!r}; there is: {there}")
    if _is_stub(function, sheet):
        raise CheckFailed(f"{sheet.name}: not answered yet")
    judgement = judge_probe(sheet, probe, caller(_called_for(sheet, function)))
    _show(judgement, sheet)
    if judgement.status != "right":
        said = f"{sheet.name}, stage {stage!r}: not right yet"
        raise CheckFailed(said, then=f"Change {sheet.name}, run its cell, and check the stage again.")


def hint(function: Any = None, level: int | None = None) -> None:
    """Show the next hint of an exercise: the idea, the shapes, a way to begin. Hints cost nothing.

    Args:
        function: the function that the exercise asks for; without one that is said.
        level: 1, 2 or 3 for one of them; without it, each call gives the next one.
    """
    checks = checks_here()
    name, _ = _exercise_meant("hint", function, sys._getframe(1), checks)
    hints = _sheet(checks, name).spec.hints
    if level is None:
        level = min(_hints_given.get(name, 0) + 1, len(hints))
    if level not in range(1, len(hints) + 1):
        raise ValueError(f"hint({name}, level): the level is 1, 2 or 3, not {level!r}")
    _hints_given[name] = level
    print(f"Hint {level} of {len(hints)} ({HINT_TITLES[level - 1]}): {hints[level - 1]}")


def mended(*functions: Callable[..., Any]) -> None:
    """Stop a cell that has no meaning as long as what it calls is broken, as it was given or otherwise.

    A hole stops such a cell by itself; code that stands there to be mended runs.

    Args:
        functions: what exercises give to be mended.

    Raises:
        NotImplementedError: one of them is not right yet; it has the exercise's name.
        CheckFailed: what tries one of them is not there.
        CourseError: the file with the checks is missing or damaged.
    """
    checks = checks_here()
    for function in functions:
        name = getattr(function, "__name__", "")
        if name in checks.names and _is_wrong(checks, name, function, TimeLimit(SECONDS)):
            raise NotImplementedError(name)


def judge_here(
    checks: FrozenChecks, sheet: Sheet, function: Callable[..., Any], seconds: float = SECONDS
) -> Judgement:
    """Judge a function in this process; say first where a function it needs is wrong itself.

    Args:
        checks: the notebook's checks.
        sheet: the exercise's.
        function: the student's.
        seconds: what its calls may take together; half of it those of the functions that it needs.
    """
    if _is_stub(function, sheet):
        return unanswered(sheet)
    theirs = home(function)
    called = _called_for(sheet, function)
    forward = theirs.get(sheet.forward.name) if sheet.forward else None
    used = _called(function, sheet.spec.needs)
    gone = [n for n in used if n not in theirs]
    needed = TimeLimit(seconds / 2)
    wrong = [n for n in used if n in theirs and _is_wrong(checks, n, theirs[n], needed)]
    right = frozenset(used) - frozenset(wrong) - frozenset(gone)
    limit = TimeLimit(seconds / 2 + max(needed.left, 0))
    own_forward = caller(forward, limit=limit) if callable(forward) else None
    known = right | frozenset(checks.around.get("names", ())) - {sheet.name}
    # Called plainly: what watches over a call costs more than a small forward does.
    costs = Costs(trusted(forward), time.process_time, time.process_time) if callable(forward) else None
    call = caller(called, known, limit)
    judgement = judge(
        sheet,
        call,
        own_forward,
        right=right,
        called=frozenset(used),
        costs=costs,
        aside=caller(beside(called), known, limit),
    )
    if judgement.status == "wrong" and (spoilt := _spoilt_by(sheet, called, right, limit)):
        judgement.diagnoses = [spoilt]
    if judgement.status == "wrong" and wrong:
        names = " and ".join(f"`{n}`" for n in wrong)
        judgement.notes.insert(0, f"this calls your {names}, which is not right yet: mend that first")
    if judgement.status == "wrong" and (order := _another_order(function, sheet)):
        judgement.notes.insert(0, order)
    if gone:
        if _stops_for(judgement, gone):
            judgement.diagnoses = []  # the name is no mistake: the note says what is to be done
        judgement.notes.insert(0, f"this calls {' and '.join(f'`{n}`' for n in gone)}. {_run_again(gone)}")
    if sheet.forward and own_forward is None:
        judgement.notes.append(
            f"your gradients were not compared with slopes of `{sheet.forward.name}`: nothing of that name "
            "is here. Run the cell that defines it, then check again"
        )
    note = _global_arrays(function, sheet)
    if note:
        judgement.notes.append(note)
    return judgement


def _stops_for(judgement: Judgement, names: Sequence[str]) -> bool:
    """Whether an answer stops because one of these functions is not there."""
    errors = (check.finding.error for check in judgement.checks if check.finding)
    return any(undefined_name(error) in names for error in errors if error)


def _another_order(function: Callable[..., Any], sheet: Sheet) -> str:
    """A remark where the arguments asked for stand in another order, "" where they do not."""
    try:
        own = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ""
    if own == sheet.parameters or sorted(own) != sorted(sheet.parameters):
        return ""
    return (
        f"your `{sheet.name}` takes ({', '.join(own)}), and is called with ({', '.join(sheet.parameters)}): "
        "the first line of its cell must stay as it was"
    )


def _spoilt_by(
    sheet: Sheet, function: Callable[..., Any], right: Collection[str], limit: TimeLimit
) -> Diagnosis | None:
    """The right function that spoils this one's arrays: with copies of them in its hands, all is right."""
    theirs = home(function)
    for name in sorted(right):
        changed: set[str] = set()

        def guarded(*arguments: Any, _name: str = name, _changed: set[str] = changed) -> Any:
            given = copied(arguments)
            value = theirs[_name](*given)
            parameters = inspect.signature(theirs[_name]).parameters
            pairs = zip(parameters, arguments, given, strict=False)
            _changed.update(f"`{parameter}`" for parameter, before, after in pairs if not same(before, after))
            return value

        other = caller(with_others_in_place(function, {name: guarded}), limit=limit)
        other([list(sheet.cases[0].inputs.values())])
        if changed and judge(sheet, other).status == "right":
            names = " and ".join(sorted(changed))
            hint = f"Whoever calls `{name}` may still need that array as it was: make a new one, or a copy."
            return Diagnosis(f"`{name}` changes {names} in place", hint)
    return None


def _called_for(sheet: Sheet, function: Callable[..., Any]) -> Callable[..., Any]:
    """What is called to try an answer: the function itself, or the notebook's given one that uses it.

    Raises:
        CheckFailed: the given one is not there.
    """
    tried_by = sheet.spec.tried_by
    if not tried_by:
        return function
    kernel = shell()
    given = home(function).get(tried_by) or (kernel.user_ns if kernel else {}).get(tried_by)
    if not isinstance(given, FunctionType):
        raise CheckFailed(f"this tries `{sheet.name}` with `{tried_by}`. {_run_again([tried_by])}.")
    if given.__globals__.get(sheet.name) is function:
        return given
    return with_others_in_place(given, {sheet.name: function})


def _run_again(names: Sequence[str]) -> str:
    cells = "cell" if len(names) == 1 else "cells"
    return f"Nothing of that name is here, as after a restart: run its {cells} again"


def _confirm_where_graded(
    judgement: Judgement, checks: FrozenChecks, sheet: Sheet, function: Callable[..., Any]
) -> None:
    """Take back a "right" that the grade would not repeat: the answer needs what is not there then."""
    kernel = shell()
    if kernel is None or not checks.around:
        return
    namespace = namespace_where_graded(checks.around, ran_cells(kernel))
    lacked = lacking(function, namespace, checks.names)
    # A name in a branch that is never taken does no harm: what counts is what comes of the calls.
    called = _called_for(sheet, function)
    if not lacked or judge(sheet, caller(without(called, lacked, namespace.instead))).status == "right":
        return
    found = Finding(
        Kind.NOT_WHERE_GRADED,
        names=tuple(lacked),
        got=tuple(lacked.values()),
        asked=tuple(checks.around["packages"]),
    )
    judgement.status, judgement.share = "wrong", 0.0
    judgement.checks.insert(0, Check("with what a grade has", False, found))


def _is_wrong(checks: FrozenChecks, name: str, function: Any, limit: TimeLimit) -> bool:
    if not callable(function) or name not in checks.names:
        return True
    sheet = checks.sheet(name)
    if _is_stub(function, sheet):
        return True
    return judge(sheet, caller(_called_for(sheet, function), limit=limit), above=1.0).status != "right"


def caller(
    function: Callable[..., Any], right: Collection[str] = (), limit: TimeLimit | None = None
) -> Callable[[Sequence[Sequence[Any]]], list[Outcome]]:
    """A way to call a function of this process, in which nothing it does escapes.

    Args:
        function: the function.
        right: functions that are right: an error is placed at the line that calls them.
        limit: the time that its calls may take, with those of others under the same limit.
    """
    limit = limit or TimeLimit(SECONDS)
    complains = np.geterr()  # of numbers, as the notebook has set it: the judgement itself is silent
    late: list[Outcome] = []  # once the time is up, nothing is called any more

    def call(batch: Sequence[Sequence[Any]]) -> list[Outcome]:
        calls = Calls()
        outcomes: list[Outcome] = []

        def call_all() -> None:
            for arguments in batch:
                with np.errstate(**complains):
                    outcomes.append(_call(calls, function, arguments, right))
                if outcomes[-1].error and outcomes[-1].error.kind == "time":
                    late.append(outcomes[-1])
                    return

        out, err = sys.stdout, sys.stderr
        try:
            if not late:
                limit.run(call_all)
        except TimeUp as up:
            late.append(Outcome(error=_student_error(up, right)))
        finally:
            sys.stdout, sys.stderr = out, err  # also where the time was up just as they were put back
        return [*outcomes, *late[:1] * (len(batch) - len(outcomes))]

    return call


def _call(
    calls: Calls, function: Callable[..., Any], arguments: Sequence[Any], right: Collection[str]
) -> Outcome:
    out, err = _Beginning(), _Beginning()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = _write_warning  # also where the notebook sends them elsewhere
        called = calls.call(function, list(arguments), normalise)
    if isinstance(called.error, KeyboardInterrupt):
        raise called.error
    error = _student_error(called.error, right) if called.error else None
    complaints = _short_warnings(err.getvalue())
    printed = out.getvalue()[:MOST_TEXT]
    return Outcome(called.value, error, printed, complaints, called.changed, called.overwrote)


def _write_warning(message: Any, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
    sys.stderr.write(warnings.formatwarning(message, category, filename, lineno))


class _Beginning(io.StringIO):
    """Keeps the beginning of what is written: an endless loop can print gigabytes."""

    def write(self, text: str, /) -> int:
        return super().write(text) if self.tell() < MOST_TEXT else len(text)


def _short_warnings(text: str) -> str:
    """Warnings without the paths of files."""
    kept = [line.partition(": ")[2] if "Warning: " in line else "" for line in text.splitlines()]
    return "\n".join(line for line in kept if line)[:MOST_TEXT] or text[:MOST_TEXT]


def _student_error(caught: BaseException, right: Collection[str]) -> StudentError:
    """An exception with the line of a cell that may be to blame for it."""
    if isinstance(caught, WireError):
        return StudentError("protocol", str(caught))
    is_late = isinstance(caught, TimeUp)
    error = StudentError("time" if is_late else type(caught).__name__, "" if is_late else str(caught)[:300])
    places = list(_places(caught))
    return at_own_line(error, places, lambda place: place.function.partition(".")[0] in right)


def _places(caught: BaseException) -> Iterator[Place]:
    """The lines of cells that an exception passed, the innermost last."""
    here = Path(__file__).parent
    trace = caught.__traceback__
    for (within, _), frame in zip(traceback.walk_tb(trace), traceback.extract_tb(trace), strict=False):
        in_cell = "ipykernel" in frame.filename or frame.filename.startswith("<")
        if in_cell and Path(frame.filename).parent != here and frame.lineno:
            whole = linecache.getline(frame.filename, frame.lineno).encode()
            on_one_line = frame.lineno == frame.end_lineno
            expression = whole[frame.colno : frame.end_colno].decode() if on_one_line else ""
            yield Place(None, frame.lineno, frame.line or "", expression, within.f_code.co_qualname)


def _exercise_meant(called: str, function: Any, frame: FrameType, checks: FrozenChecks) -> tuple[str, str]:
    """The exercise that a call is about, and a remark where the name and the function do not go together.

    A grade calls what bears the exercise's name, so the name that is written in the call decides.
    """
    own = getattr(function, "__name__", None)
    written = _written_argument(frame)
    if not callable(function) or not (own or written):
        # Compared as texts alone: an array has no one truth.
        is_name = isinstance(function, str) and function in checks.names
        meant = function if is_name else checks.names[0]
        kind = "nothing" if function is None else f"a value of the type {type(function).__name__}"
        given = "its name as a text" if is_name else kind
        raise CheckFailed(f"{called}(...) takes the function itself, as in {called}({meant}), not {given}")
    if written in checks.names:
        if own != written and own in checks.names:
            return written, f"your `{written}` is your `{own}` under another name. Is that what you meant?"
        return written, ""
    name = own or written
    named = frame.f_globals.get(name)
    if name in checks.names and written and named is not function:
        return name, f"`{written}` is tried here; a grade tries what is named `{name}`"
    return name, ""


def _written_argument(frame: FrameType) -> str:
    """The name in the call that a frame is at: `predict` in `check(predict)`; "" if there is none."""
    at = inspect.getframeinfo(frame, context=0).positions
    if at is None or at.lineno is None or at.end_lineno is None:
        return ""
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)[at.lineno - 1 : at.end_lineno]
    text = "".join(lines).encode()
    end = len(text) - len(lines[-1].encode()) + (at.end_col_offset or 0) if lines else 0
    try:
        call = ast.parse(text[at.col_offset : end].decode(), mode="eval").body
    except (SyntaxError, ValueError):
        return ""
    argument = call.args[0] if isinstance(call, ast.Call) and call.args else None
    return argument.id if isinstance(argument, ast.Name) else ""


def _sheet(checks: FrozenChecks, name: str) -> Sheet:
    if name not in checks.names:
        raise CheckFailed(
            f"there is no exercise {name!r} in this notebook; there are {', '.join(checks.names)}. "
            "Is the function's name spelled as the exercise asks? (A newer release may have renamed it.)"
        )
    return checks.sheet(name)


def _source_tree(function: Callable[..., Any]) -> ast.Module | None:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None


def _is_stub(function: Callable[..., Any], sheet: Sheet) -> bool:
    if isinstance(function, type):  # of a notebook's class only the methods have a source that can be found
        methods = functions_in(function)
        return bool(methods) and all(_is_stub(method, sheet) for method in methods)
    tree = _source_tree(function)
    return tree is not None and is_stub(tree, getattr(function, "__name__", sheet.name), sheet.spec.stands)


def _called(function: Callable[..., Any], needs: Sequence[str]) -> list[str]:
    """The needed functions that a function reads, itself or through helpers and functions that it needs."""
    theirs = home(function)
    found: list[str] = []
    waiting, seen = [function], set()
    while waiting:
        one = waiting.pop()
        for name in _global_names(one):
            if name in seen:
                continue
            seen.add(name)
            found += [name] if name in needs else []
            if isinstance(theirs.get(name), FunctionType):
                waiting.append(theirs[name])
    return [name for name in needs if name in found]


def _global_names(function: Callable[..., Any]) -> list[str]:
    """The names that a function reads from the notebook; attributes (`x.T`) are none."""
    read = [pair for one in functions_in(function) for pair in read_within(one.__code__)]
    return list(dict.fromkeys(name for name, is_module in read if not is_module))


def _global_arrays(function: Callable[..., Any], sheet: Sheet) -> str:
    """A note where a function reads an array or a size of the notebook that it should get as an argument."""
    theirs = home(function)
    names = [
        n
        for n in _global_names(function)
        if isinstance(theirs.get(n), np.ndarray)
        or (len(n) == 1 and isinstance(theirs.get(n), int | float | np.number))
        or (isinstance(theirs.get(n), dict) and any(isinstance(v, np.ndarray) for v in theirs[n].values()))
    ]
    if not names:
        return ""
    shown = ", ".join(f"`{n}`" for n in names[:3])
    return (
        f"{shown} is read from the notebook, not from the arguments of `{sheet.name}`: with other arguments "
        "your function would still use it"
    )


def _show(judgement: Judgement, sheet: Sheet) -> None:
    if shell() is None:
        print(as_text(judgement))
        return
    from IPython.display import display  # noqa: PLC0415

    page = {"text/plain": as_text(judgement), "text/html": as_html(judgement, sheet.spec.hints)}
    display(page, raw=True)


if (_kernel := shell()) is not None:
    watch(_kernel)
