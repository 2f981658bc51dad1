"""What a release keeps back, and whether something in it tells it all the same.

Text can be disguised, values cannot: so a formula is looked for as it is written, every code cell is pasted
under every exercise's name, and what an exercise asks for is looked for among the values at hand.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import itertools
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from autograder.answers.leaf import Leaf
from autograder.answers.leaves import StructureError, reference_leaves
from autograder.answers.time_limit import TimeLimit, TimeUp
from autograder.course.masters import Cell, GradedExercise, Master, solution_regions
from autograder.course.names import is_definition, parse
from autograder.course.notebook import source_cells
from autograder.course.questions import ASKING
from autograder.sheets.drawn import effects_of
from autograder.sheets.sheet import Sheet, differs

FORMULA = re.compile(r"\$\$(.*?)\$\$", re.S)
TAG = re.compile(r"\\tag\{([^}]*)\}")
# How else the same is written: code's signs for those of formulas, and what only moves or sizes the signs.
SPELLINGS = (
    ("**", "^"),
    ("*", ""),
    *((word, "") for word in (r"\cdot", r"\odot", r"\,", r"\;", r"\!", r"\left", r"\right")),
)
# A shorter piece of a formula says nothing ("p", "s_t"), nor does a shorter line of a reason.
TELLING_FORMULA, TELLING_LINE = 5, 24
# An answer takes milliseconds; a cell that takes longer than this is none.
MOST_SECONDS = 0.25
MOST_SECONDS_A_STATEMENT = 1.0
MOST_CALLS = 2000
# A numeric gradient agrees to nine digits and is welcome; what agrees to twelve came from the formula.
COMPUTED_RTOL = 1e-12


def told_problems(master: Master, sheets: Mapping[str, Sheet]) -> Iterator[str]:
    """Where a release tells what it withholds, or answers an exercise.

    Values are searched where something is asked or kept back: a notebook that only shows has them by design.
    """
    yield from _told_in_text(master)
    yield from _told_by_a_cell(master, sheets)
    if master.told["derivations"] or master.told["questions"]:
        yield from _told_by_a_value(master)


# ---------------------------------------------------------------- in the text


def _told_in_text(master: Master) -> Iterator[str]:
    released = {f"cell {i}": cell["source"] for i, cell in enumerate(source_cells(master), start=1)}
    for name, exercise in master.exercises.items():
        for place, text in list(released.items()):
            released[place] = text.replace(solution_regions(exercise.source)[0], "")
        for place, text in _said_by_check(exercise):
            released[f"{place} of {name!r}"] = text
    flat = {place: flattened(text) for place, text in released.items()}
    for exercise, cells in master.told["derivations"].items():
        for formula, tags in formulas(cells):
            for place, text in flat.items():
                if formula in text or any(f"\\tag{{{tag}}}" in text for tag in tags):
                    yield f"{master.name}: {place} shows a formula that {exercise!r} is to find: {formula}"
    for number, question in master.told["questions"].items():
        for line in question["reason"].splitlines():
            short = flattened(line)
            if len(short) >= TELLING_LINE:
                for place, text in flat.items():
                    if short in text:
                        yield f"{master.name}: {place} holds the answer to question {number}: {line!r}"


def _said_by_check(exercise: GradedExercise) -> Iterator[tuple[str, str]]:
    """What the check of an exercise may say: hints, names of mistakes and theirs."""
    yield from ((f"hint {i}", hint) for i, hint in enumerate(exercise.spec.hints, start=1))
    for mistake in exercise.spec.misconceptions:
        yield f"mistake {mistake.name!r}", f"{mistake.name} {mistake.hint}"


def formulas(cells: list[list[str]]) -> Iterator[tuple[str, list[str]]]:
    """The right sides of displayed formulas, flattened, and their numbers."""
    for kind, source in cells:
        for found in FORMULA.findall(source) if kind == "markdown" else ():
            for line in re.split(r"\\qquad|\\\\", found):
                tags = TAG.findall(line)
                for side in TAG.sub("", line).split("=")[1:]:
                    right = flattened(side).rstrip(".,")
                    if len(right) >= TELLING_FORMULA and re.search(r"[-+(^]", right):
                        yield right, tags


def flattened(text: str) -> str:
    """A text in which a formula is found however it is set, and in code."""
    flat = "".join(text.split())
    for spelling, plain in SPELLINGS:
        flat = flat.replace(spelling, plain)
    return flat


# ---------------------------------------------------------------- by a cell


def _told_by_a_cell(master: Master, sheets: Mapping[str, Sheet]) -> Iterator[str]:
    """Cells of the release that are an answer under another name."""
    namespace = dict(master.reference)
    for cell in master.cells:
        if cell.kind == "code" and cell.role is None:
            _run_quietly([s for s in _statements(cell) if is_definition(s)], namespace)
    for cell in _released_code(master):
        for name, sheet in sheets.items():
            pastes = (master.trying(name, paste) for paste in _pastes(cell, sheet, namespace))
            if any(_passes(sheet, paste) for paste in pastes):
                yield f"{master.name}: cell {cell.number}, pasted under its name, answers {name!r}"


def _released_code(master: Master) -> list[Cell]:
    no_answers = ("exercise", "check", "answer", "found", *ASKING)
    return [cell for cell in master.cells if cell.kind == "code" and cell.role not in no_answers]


def _statements(cell: Cell) -> list[ast.stmt]:
    tree = parse(cell.source)
    return tree.body if tree else []


def _pastes(cell: Cell, sheet: Sheet, namespace: dict[str, Any]) -> Iterator[Callable[..., Any]]:
    """The functions that a student makes of a cell without a thought."""
    body = _statements(cell)
    for statement in body:
        names = [statement.name] if isinstance(statement, ast.FunctionDef) else []
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Lambda):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
        yield from (namespace[name] for name in names if name in namespace and name != sheet.name)
    if body and (value := _last_value(body[-1])) is not None:
        kept = body[:-1] if isinstance(body[-1], ast.Expr) else body
        function = ast.parse(f"def {sheet.name}({', '.join(sheet.parameters)}): pass")
        head = function.body[0]
        assert isinstance(head, ast.FunctionDef)
        head.body = [*copy.deepcopy(kept), ast.Return(value)]
        made = dict(namespace)
        with contextlib.suppress(SyntaxError):
            exec(compile(ast.fix_missing_locations(function), "<pasted>", "exec"), made)
            yield made[sheet.name]


def _last_value(statement: ast.stmt) -> ast.expr | None:
    if isinstance(statement, ast.Expr):
        return statement.value
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return ast.Name(statement.targets[0].id, ast.Load())
    return None


def _passes(sheet: Sheet, function: Callable[..., Any]) -> bool:
    """Whether a function is right for every case; most are not for the first."""
    return all(_is_right(replace(sheet, cases=[case]), function) for case in sheet.cases)


def _is_right(sheet: Sheet, function: Callable[..., Any]) -> bool:
    try:
        with _silence():
            return TimeLimit(MOST_SECONDS).run(lambda: not any(effects_of(function, sheet)))
    except (Exception, TimeUp):
        return False


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Nothing is printed or complained of, nor told of a clean-up in whose midst the time was over."""
    nowhere, tell = io.StringIO(), sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        with (
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
            np.errstate(all="ignore"),
        ):
            yield
    finally:
        sys.unraisablehook = tell


def _run_quietly(statements: list[ast.stmt], namespace: dict[str, Any]) -> None:
    """Run statements one by one; one that fails, or is an experiment, leaves what it would have set unset."""
    for statement in statements:
        with contextlib.suppress(Exception, TimeUp), _silence():
            code = compile(ast.Module([statement], []), "<release>", "exec")
            TimeLimit(MOST_SECONDS_A_STATEMENT).run(partial(exec, code, namespace))


# ---------------------------------------------------------------- by a value


def _told_by_a_value(master: Master) -> Iterator[str]:
    """What an exercise is to compute and what stands already among the values of the cells above it."""
    namespace: dict[str, Any] = {}
    for cell in master.cells:
        if cell.role == "exercise":
            yield from _values_told(master, master.exercises[cell.name], namespace)
        is_run = cell.role in (None, "given", "exercise") and not cell.metadata.get("hide_input")
        if cell.kind == "code" and is_run:
            _run_quietly(_statements(cell), namespace)


def _values_told(master: Master, exercise: GradedExercise, namespace: dict[str, Any]) -> Iterator[str]:
    at_hand = dict(_arrays(namespace))
    told: dict[str, str] = {}
    for arguments in itertools.islice(_arguments(exercise, namespace, at_hand), MOST_CALLS):
        try:
            with _silence():
                value = master.called(exercise.name)(*copy.deepcopy(arguments))
            leaves = reference_leaves(value, exercise.spec.returns)
        except (Exception, StructureError):
            continue
        for leaf, array in leaves.items():
            found = _same_among(array, at_hand) if str(leaf) not in told else ""
            if found and _is_new(array, arguments) and not _stands(master, exercise, arguments, leaf, array):
                told[str(leaf)] = found
    for leaf, found in told.items():
        yield (
            f"{master.name}: `{found}`, computed above the exercise, is `{leaf}` of {exercise.name!r} to the "
            "last digit: a cell tells the formula"
        )


def _stands(
    master: Master, exercise: GradedExercise, arguments: list[Any], leaf: Leaf, array: np.ndarray
) -> bool:
    """Whether the function that is to be mended gives an output rightly: then nothing is told by it."""
    if not exercise.spec.mends:
        return False
    try:
        with _silence():
            function = master.trying(exercise.name, master.reference[exercise.spec.mends])
            leaves = reference_leaves(function(*copy.deepcopy(arguments)), exercise.spec.returns)
    except (Exception, StructureError):
        return False
    return leaf in leaves and not differs(leaves[leaf], array, exercise.spec)


def _arrays(namespace: Mapping[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """Arrays that stand under a name, or in a dict or a list under a name."""
    for name, value in namespace.items():
        if name.startswith("__"):
            continue
        yield from _arrays_in(name, value)


def _arrays_in(name: str, value: Any, depth: int = 0) -> Iterator[tuple[str, np.ndarray]]:
    if isinstance(value, np.ndarray) and value.dtype.kind in "fi" and value.size > 1:
        yield name, value
    elif isinstance(value, dict) and depth < 2:
        for key, member in value.items():
            yield from _arrays_in(f"{name}[{key!r}]", member, depth + 1)
    elif isinstance(value, list | tuple) and depth < 2 and len(value) < 20:
        for i, member in enumerate(value):
            yield from _arrays_in(f"{name}[{i}]", member, depth + 1)


def _arguments(
    exercise: GradedExercise, namespace: Mapping[str, Any], at_hand: Mapping[str, np.ndarray]
) -> Iterator[list[Any]]:
    """Combinations of values at hand whose sizes fit the exercise's arguments."""
    shapes = _documented(exercise.source)
    choices = [_choices(name, shapes.get(name), namespace, at_hand) for name in exercise.parameters]
    yield from _fitting(exercise.parameters, shapes, choices, [], {})


def _documented(source: str) -> dict[str, tuple[str, ...]]:
    """The sizes that a docstring gives: {"x_t": ("D", "N")}."""
    found = {}
    for name, shape in re.findall(r"^ *(\w+): (\([A-Z][A-Z, ]*\))", source, re.M):
        found[name] = tuple(part.strip() for part in shape.strip("()").split(",") if part.strip())
    return found


def _choices(
    name: str,
    shape: tuple[str, ...] | None,
    namespace: Mapping[str, Any],
    at_hand: Mapping[str, np.ndarray],
) -> list[Any]:
    """The values that may stand for one argument: the one of its own name, else all of its kind."""
    named = namespace.get(name)
    if shape is None:
        if isinstance(named, dict | np.ndarray):
            return [named]
        return [v for v in namespace.values() if isinstance(v, dict) and _is_weights(v)][:3] or [named]
    if isinstance(named, np.ndarray) and named.ndim == len(shape):
        return [named]
    return [array for array in at_hand.values() if array.ndim == len(shape)]


def _is_weights(value: dict[Any, Any]) -> bool:
    return bool(value) and all(isinstance(v, np.ndarray) and v.ndim == 2 for v in value.values())


def _fitting(
    names: list[str],
    shapes: Mapping[str, tuple[str, ...]],
    choices: list[list[Any]],
    chosen: list[Any],
    sizes: dict[str, int],
) -> Iterator[list[Any]]:
    """All choices whose sizes agree: one letter, one number."""
    if len(chosen) == len(names):
        yield list(chosen)
        return
    shape = shapes.get(names[len(chosen)])
    for value in choices[len(chosen)]:
        more = dict(sizes)
        if shape is not None:
            actual = np.shape(value)
            if len(actual) != len(shape):
                continue
            if any(more.setdefault(s, n) != n for s, n in zip(shape, actual, strict=True)):
                continue
        yield from _fitting(names, shapes, choices, [*chosen, value], more)


def _same_among(array: np.ndarray, at_hand: Mapping[str, np.ndarray]) -> str:
    """The name of a value that is this array, or its transpose, to the last digits."""
    if array.size < 2 or not array.any():
        return ""
    for name, value in at_hand.items():
        for turned in (value, value.T):
            if turned.shape == array.shape and np.allclose(turned, array, rtol=COMPUTED_RTOL, atol=0):
                return name
    return ""


def _is_new(array: np.ndarray, arguments: list[Any]) -> bool:
    """Whether an output is not just an argument handed back."""
    arrays = dict(_arrays({str(i): argument for i, argument in enumerate(arguments)}))
    return not _same_among(array, arrays)
