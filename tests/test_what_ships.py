"""No function that students get answers an exercise, with a few lines around it or without.

Each function of the course's packages and of the releases up to an exercise's own is called with the
exercise's inputs: by name, else by whatever fits; a dict of matrices also stacked into one. It is an answer
where every array that is asked for is among what it returns, or a block of it.
"""

import ast
import copy
import importlib
import inspect
import itertools
import pkgutil
import warnings
from contextlib import suppress
from functools import cache
from types import FunctionType

import numpy as np
import pytest
import stacked_lstm
from course import KEY, LONG, NOTEBOOKS, WHOLE, exercises_of, master_of

import rnncourse
from autograder.answers.time_limit import TimeLimit, TimeUp
from autograder.course.names import parse
from autograder.sheets.drawn import fresh_sheets
from autograder.sheets.sheet import differs

MOST_CALLS = 200
MOST_LETTERS = 4
MOST_ENTRIES = 10_000
# What a function of a package says that it returns: half of them draw figures.
NO_NUMBERS = ("Figure", "None", "str", "bytes", "Path")
SECONDS = 0.5  # for all ways to call a function with the inputs of one case


@cache
def sheets(notebook):
    return fresh_sheets(master_of(notebook), KEY)


def stacked(value):
    """A dict of arrays as one array: what has the same first letter side by side, or all as they come."""
    arrays = [array for array in value.values() if isinstance(array, np.ndarray)]
    rows = {}
    for key, array in value.items():
        if isinstance(array, np.ndarray) and array.ndim == 2:
            rows.setdefault(key[0], []).append(array)
    wide = [[array for array in parts if array.shape[1] > 1] or parts for parts in rows.values()]
    orders = itertools.permutations(range(len(rows))) if len(rows) <= MOST_LETTERS else [range(len(rows))]
    for join in (
        lambda: np.concatenate(arrays, axis=1),
        lambda: np.concatenate(arrays, axis=0),
        lambda: np.vstack([parts[-1] for parts in rows.values()]),
        *(lambda order=order: np.vstack([np.hstack(wide[i]) for i in order]) for order in orders),
    ):
        try:
            yield join()
        except ValueError:
            continue


def candidates(name, inputs):
    """Values for a parameter: those of its name, else all."""
    values = [inputs[name]] if name in inputs else list(inputs.values())
    dicts = [value for value in values if isinstance(value, dict)]
    return [*values, *(array for value in dicts for array in stacked(value))]


def calls(function, inputs):
    """All that the function returns, for each way to hand it the inputs that does not fail."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return []
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        return []
    wanted = [p.name for p in parameters if p.default is p.empty or p.name in inputs]
    biases = [p.name for p in parameters if p.name not in wanted and p.name.startswith("bias")]
    if not wanted or len(wanted) > len(inputs) + 1:
        return []
    found = []

    def call():
        for names in [wanted, wanted + biases][: 1 + bool(biases)]:
            ways = itertools.product(*(candidates(name, inputs) for name in names))
            for values in itertools.islice(ways, MOST_CALLS):
                with suppress(Exception):
                    made = function(**dict(zip(names, copy.deepcopy(values), strict=True)))
                    if not any(is_same(made, value) for value in values):
                        found.append(made)

    with suppress(TimeUp), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        TimeLimit(SECONDS).run(call)
    return found


def is_same(made, handed):
    """Whether a function gives back what it was handed: this test put that together, not the function."""
    return isinstance(made, np.ndarray) and isinstance(handed, np.ndarray) and np.array_equal(made, handed)


def arrays_in(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        found = [array for part in value for array in arrays_in(part)]
        shapes = {array.shape for array in found}
        return [*found, np.array(found)] if len(shapes) == 1 and found else found
    try:
        array = np.asarray(value)
    except Exception:
        return []
    return [array] if array.dtype.kind in "fiu" else []


def holds(array, expected, spec):
    """Whether an array is what is asked for, or holds it as a block."""
    if array.shape == expected.shape:
        return not differs(array, expected, spec)
    if array.ndim != expected.ndim or array.size > MOST_ENTRIES:
        return False
    rooms = [range(have - want + 1) for have, want in zip(array.shape, expected.shape, strict=True)]
    for corner in itertools.product(*rooms):
        block = tuple(slice(i, i + size) for i, size in zip(corner, expected.shape, strict=True))
        # The first entry tells most of them, and sooner.
        if abs(array[corner] - expected.flat[0]) < 1e-6 and not differs(array[block], expected, spec):
            return True
    return False


def answers(function, sheet):
    """Whether a function gives, for every case of random values, all that is asked for."""
    for case in (case for case in sheet.cases if not case.is_edge):
        for value in calls(function, case.inputs):
            if holds_all(list(arrays_in(value)), case.expected.values(), sheet.spec):
                break
        else:
            return False
    return True


def holds_all(arrays, expected, spec):
    """Whether each of what is expected is among the arrays; of numbers each is one: two 1s are not one 1."""
    for wanted in expected:
        found = next((i for i, array in enumerate(arrays) if holds(array, wanted, spec)), None)
        if found is None:
            return False
        if np.ndim(wanted) == 0:
            del arrays[found]
    return True


def functions_of_packages():
    for module in pkgutil.walk_packages(rnncourse.__path__, "rnncourse."):
        loaded = importlib.import_module(module.name)
        for name, value in list(vars(loaded).items()):  # a call may import more
            is_ours = isinstance(value, FunctionType) and value.__module__ == module.name
            if is_ours and value.__annotations__.get("return") not in NO_NUMBERS:
                yield f"{module.name}.{name}", value


def functions_of_release(notebook, exercise):
    """What the cells of a release define, the other exercises answered, this one not."""
    master = master_of(notebook)
    namespace = dict(master.reference)

    def unanswered(*arguments, **named):
        raise NotImplementedError(exercise)

    namespace[exercise] = unanswered
    for cell in master.cells:
        tree = parse(cell.source) if cell.kind == "code" and cell.role in (None, "given") else None
        for node in tree.body if tree else []:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                exec(compile(ast.Module([node], []), f"<{notebook}>", "exec"), namespace)
                yield f"{notebook}: {node.name}", namespace[node.name]


def test_the_gate_finds_what_once_shipped():
    """With it students had all points of two exercises."""
    sheet = sheets("05_lstm")["lstm_forward"]
    assert answers(stacked_lstm.forward, sheet)
    assert answers(stacked_lstm.backward, sheets("06_lstm_backward")["lstm_backward"])
    assert not answers(stacked_lstm.backward, sheet)


# What the build tries by pasting cells is tried besides.
EVERY = 1 if LONG else 6 if WHOLE else 30


@pytest.mark.parametrize(("notebook", "exercise"), exercises_of(*NOTEBOOKS)[::EVERY])
def test_no_function_that_ships_answers_an_exercise(notebook, exercise):
    sheet = sheets(notebook)[exercise]
    assert answers(master_of(notebook).trying(exercise, master_of(notebook).reference[exercise]), sheet)
    # What is to be mended the student wrote rightly in an earlier notebook: that may be called.
    mends = master_of(notebook).exercises[exercise].spec.mends
    earlier = [name for name in NOTEBOOKS if name == notebook or (name < notebook and not mends)]
    shipped = itertools.chain(
        functions_of_packages(), *(functions_of_release(name, exercise) for name in earlier)
    )
    tried = ((name, master_of(notebook).trying(exercise, function)) for name, function in shipped)
    found = [name for name, function in tried if answers(function, sheet)]
    assert not found
