"""Answer sheets made from the references: inputs drawn by a key, what is expected, what mistakes give.

Only the trusted side ever holds a fresh sheet.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from autograder.answers.calling import copied, same
from autograder.answers.leaf import Leaf, Leaves
from autograder.answers.leaves import reference_leaves
from autograder.course.exercise import DrawInputs, Gradient, Inputs
from autograder.course.masters import GradedExercise, Master
from autograder.errors import CourseError
from autograder.sheets.effects import effects_of
from autograder.sheets.mistake import STILL_STANDS, Effect, Mistake
from autograder.sheets.moved import leaves_of, with_others
from autograder.sheets.no_work import facts_without_work
from autograder.sheets.pairs import pairs_of
from autograder.sheets.sheet import Case, Forward, Probe, Sheet, differs, seed_of
from autograder.sheets.slips import slips_of

VALUE_CASES = 2


def fresh_sheets(master: Master, key: str) -> dict[str, Sheet]:
    """Draw inputs and compute the expected answers of every exercise of a notebook.

    Args:
        master: the notebook.
        key: the course's secret key for grading, or "public" for a student's checks.

    Raises:
        CourseError: a reference fails on its own cases.
    """
    return {name: fresh_sheet(master, name, key) for name in master.exercises}


def fresh_sheet(master: Master, name: str, key: str) -> Sheet:
    """Draw the inputs of one exercise and compute what is expected, and each mistake's effects."""
    sheet = _plain_sheet(master, name, drawn_cases(master, name, key))
    if _leaves_alone(master.called(name), sheet):
        master.leaves_alone.add(name)
    sheet.mistakes = [
        Mistake(label, hint, effects_of(function, sheet), made_in)
        for label, hint, function, made_in in mistaken_functions(master, master.exercises[name])
    ]
    sheet.probes = _probes(master, master.exercises[name], key)
    sheet.slips = cache(lambda: slips_of(master, sheet))
    sheet.pairs = cache(lambda: pairs_of(master, sheet))
    sheet.reads = _read_by(master.called(name), sheet)
    return sheet


def _leaves_alone(reference: Callable[..., Any], sheet: Sheet) -> bool:
    """Whether a reference writes into none of its arguments: then nobody need copy them for it."""
    for case in sheet.cases:
        given = copied(list(case.inputs.values()))
        reference(*given)
        if not same(list(case.inputs.values()), given):
            return False
    return True


def own_sheet(master: Master, name: str, key: str) -> Sheet:
    """Draw one exercise's inputs for one submission and compute what is expected; no mistake is tried.

    One generator draws all of it, which is quicker; nobody keeps such a sheet.
    """
    rng = seed_of(key, master.name, name, 0)
    return _plain_sheet(master, name, drawn_cases(master, name, key, rng))


def _plain_sheet(master: Master, name: str, cases: list[Case]) -> Sheet:
    exercise = master.exercises[name]
    spec = exercise.spec
    sheet = Sheet(name, exercise.points, exercise.parameters, spec, cases, [])
    if spec.gradient:
        sheet.forward = _forward_of(master, spec.gradient, sheet)
    if spec.watched:
        sheet.without_work = lambda: _facts_without_work(master, name)
    if spec.mends:
        sheet.to_mend = _wrong_checks(_stands_in(master, name), sheet)
    return sheet


def _facts_without_work(master: Master, name: str) -> frozenset[str]:
    """As `facts_without_work` finds them with public inputs, the same for everybody; once for a notebook."""
    if name not in master.without_work:
        sheet = _plain_sheet(master, name, drawn_cases(master, name, "public"))
        master.without_work[name] = facts_without_work(master, sheet)
    return master.without_work[name]


def _stands_in(master: Master, name: str) -> Callable[..., Any]:
    """What is called where an exercise is left as the release gives it to be mended."""
    return master.trying(name, master.reference[master.exercises[name].spec.mends])


def _wrong_checks(function: Callable[..., Any], sheet: Sheet) -> frozenset[str]:
    """The outputs and special cases that a function gets wrong."""
    wrong: set[str] = set()
    for case, effect in zip(sheet.cases, effects_of(function, sheet), strict=True):
        outputs = sheet.returns if isinstance(effect, str) else {leaf.output for leaf in effect}
        wrong.update(outputs if not case.is_edge else [case.words] if effect else [])
    return frozenset(wrong)


def drawn_cases(master: Master, name: str, key: str, rng: np.random.Generator | None = None) -> list[Case]:
    """Draw the inputs of one exercise and compute what is expected.

    Args:
        master: the notebook.
        name: the exercise.
        key: the same key draws the same inputs.
        rng: draws all cases; without one each has its own, so that a new case changes no other.

    Raises:
        CourseError: the reference fails, or does not take what is drawn.
    """
    exercise = master.exercises[name]
    spec = exercise.spec
    draws = (spec.cases,) * VALUE_CASES if callable(spec.cases) else spec.cases
    drawn = [(f"random values {i + 1}", False, draw) for i, draw in enumerate(draws)]
    drawn += [(words, True, draw) for words, draw in spec.edge_cases.items()]
    return [
        Case(
            words,
            is_edge,
            *_drawn(master, exercise, words, draw, rng or seed_of(key, master.name, name, index)),
        )
        for index, (words, is_edge, draw) in enumerate(drawn)
    ]


def _drawn(
    master: Master, exercise: GradedExercise, words: str, draw: DrawInputs, rng: np.random.Generator
) -> tuple[Inputs, Leaves]:
    """One draw's inputs, and what the reference gives for them."""
    name, reference = exercise.name, master.called(exercise.name)
    inputs = draw(rng)
    if list(inputs) != exercise.parameters:
        raise CourseError(
            f"{master.name}: {words!r} of {name!r} draws {list(inputs)}; "
            f"the signature has {exercise.parameters}"
        )
    values = list(inputs.values())
    given = values if name in master.leaves_alone else copied(values)
    try:
        expected = reference_leaves(reference(*given), exercise.spec.returns)
    except Exception as error:
        raise CourseError(
            f"{master.name}: the reference of {name!r} fails on {words!r}: {error!r}"
        ) from error
    return inputs, expected


def _shows_in(effect: Effect, outputs: tuple[str, ...]) -> bool:
    return not isinstance(effect, str) and any(leaf.output in outputs for leaf in effect)


def _probes(master: Master, exercise: GradedExercise, key: str) -> dict[str, Probe]:
    """The stages of a derivation, drawn."""
    probes = {}
    for name, stage in exercise.spec.stages.items():
        if unknown := sorted(set(stage.outputs) - set(exercise.spec.returns)):
            raise CourseError(f"{master.name}: stage {name!r} of {exercise.name!r} looks at {unknown}")
        rng = seed_of(key, master.name, f"{exercise.name}\0{name}", 0)
        case = Case(name, False, *_drawn(master, exercise, f"stage {name}", stage.draw, rng))
        alone = Sheet(exercise.name, exercise.points, exercise.parameters, exercise.spec, [case], [])
        mistakes = [
            Mistake(label, hint, effects_of(function, alone))
            for label, hint, function, _ in own_mistaken_functions(master, exercise)
            if label not in exercise.spec.ways
        ]
        shown = [mistake for mistake in mistakes if _shows_in(mistake.effects[0], stage.outputs)]
        probes[name] = Probe(stage.says, stage.outputs, case, shown)
    return probes


def own_mistaken_functions(
    master: Master, exercise: GradedExercise
) -> list[tuple[str, str, Callable[..., Any], str]]:
    """The mistakes that are made in an exercise itself, as `mistaken_functions` gives them.

    What stands there to be mended is the first of them.
    """
    name, spec = exercise.name, exercise.spec
    stands = [(STILL_STANDS, spec.shown_by, _stands_in(master, name), "")] if spec.mends else []
    return stands + [
        (mutant.name, mutant.hint, master.mutant_function(name, mutant), "") for mutant in spec.misconceptions
    ]


def mistaken_functions(
    master: Master, exercise: GradedExercise
) -> list[tuple[str, str, Callable[..., Any], str]]:
    """Every mistake of an exercise: its own, then those of what it needs, made inside this one.

    Returns:
        The mistake's name, its hint, the mistaken function, and the needed function it is made in.
    """
    found = own_mistaken_functions(master, exercise)
    for needed in exercise.spec.needs:
        for mutant in master.exercises[needed].spec.misconceptions:
            mistaken = master.called(exercise.name, {needed: master.mutate(needed, mutant)})
            label = f"{mutant.name} (in `{needed}`)"
            found.append((label, mutant.hint, mistaken, needed))
    return found


def _read_by(reference: Callable[..., Any], sheet: Sheet) -> tuple[Leaf, ...]:
    """The arguments, or members of them, that the right answer to the first case depends on."""
    case = sheet.cases[0]
    found = []
    for leaf in leaves_of(case.inputs):
        with np.errstate(all="ignore"):
            for arguments in with_others(case.inputs, leaf):
                leaves = reference_leaves(reference(*arguments.values()), sheet.returns)
                if any(differs(got, case.expected[name], sheet.spec) for name, got in leaves.items()):
                    found.append(leaf)
                    break
    return tuple(found)


def _forward_of(master: Master, gradient: Gradient, sheet: Sheet) -> Forward:
    """The forward that a backward belongs to, at the arguments of the backward's first case."""
    place = f"{master.name}: the gradient of {sheet.name!r} is of {gradient.of!r}"
    if gradient.of not in master.reference:
        raise CourseError(f"{place}, which is no exercise and no given function of this notebook")
    is_exercise = gradient.of in master.exercises
    returns = master.exercises[gradient.of].spec.returns if is_exercise else gradient.returns
    if not returns:
        raise CourseError(f"{place}, a given function: say Gradient(returns=(...)), its outputs in order")
    function = master.reference[gradient.of]
    parameters = list(inspect.signature(function).parameters)
    missing = [name for name in parameters if name not in sheet.parameters]
    if missing:
        raise CourseError(f"{place}, whose arguments {missing} are no arguments of {sheet.name!r}")
    inputs = {name: sheet.cases[0].inputs[name] for name in parameters}
    expected = reference_leaves(function(*copied(list(inputs.values()))), returns)
    return Forward(gradient.of, gradient, is_exercise, returns, inputs, expected)
