"""One exercise, tried: calls the student's function with a sheet's inputs and says what came of it.

The same judgement serves the check in a notebook and the grade; how the function is called (in this
process, or in a sandbox) is the caller's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from autograder.answers.calling import same
from autograder.answers.compare import axis_words, compare
from autograder.answers.finding import Finding, Kind, stopped
from autograder.answers.leaf import Leaf
from autograder.answers.leaves import MOST_KEYS, student_leaves
from autograder.answers.outcome import Outcome, StudentError
from autograder.course.exercise import UNDERIVED_SHARE
from autograder.judging.backward import WrongForward, earned_share, gradient_error
from autograder.judging.derivation import Costs, differentiates, steps_aside
from autograder.judging.diagnose import diagnose, wrong_in
from autograder.judging.effect import without_effect
from autograder.judging.general_mistakes import nearly_right, no_distribution, shifted
from autograder.judging.gradients import Call, GradientTrouble
from autograder.judging.symptoms import symptom
from autograder.record import Check, Diagnosis, Judgement
from autograder.sheets.effects import traces_of
from autograder.sheets.mistake import Mistake, same_trace, trace_of
from autograder.sheets.returned import returned_by
from autograder.sheets.sheet import Answer, Case, Forward, Probe, Sheet, asks_zeros, differs

# How the points of an exercise are shared between random values and edge cases.
EDGE_SHARE = 0.25
# Kinds of errors after which nothing is called any more.
ENDED = ("time", "memory", "exit", "crash")


CHANGES = Diagnosis(
    "the answer changes from call to call",
    "Random numbers, `np.empty`, or an array that is kept and changed between calls, make it so.",
)
SHARED = Diagnosis(
    "one array for all calls",
    "Make the array inside the function: one made outside it, or as a default argument, is made once only.",
)
# What a repair must leave as it was beside the numbers: the function given to be mended changed no argument.
LEFT_ALONE = "the caller's arrays"
UNDERIVED = Diagnosis(
    "a general method of differentiating (differences, complex steps), and no derivation",
    "Use the states that your function is given: each of them spares you one look at the forward.",
    is_exact=True,
)
STEPPED = replace(
    UNDERIVED,
    hint="Take it apart: how does each part move with the one before it? Steps only try what you find.",
)


def unanswered(sheet: Sheet) -> Judgement:
    """The judgement of an untouched stub; of what is to be mended it says by which tool that is seen."""
    judgement = Judgement(sheet.name, "unanswered", 0.0, [Check("answered", False, Finding(Kind.UNANSWERED))])
    if sheet.spec.shown_by:
        judgement.notes = [f"what stands here is broken. {sheet.spec.shown_by}"]
    return judgement


def first_batch(sheet: Sheet) -> list[list[Any]]:
    """The arguments with which an answer is tried first.

    Every case, and the first once more: an answer must not depend on what was asked before.
    """
    batch = [list(case.inputs.values()) for case in sheet.cases]
    return [*batch, batch[0]]


def is_derived(sheet: Sheet) -> bool:
    """Whether an answer shall come from a derivation, and steps tell that it does not."""
    return bool(sheet.forward or sheet.spec.derived) and not sheet.spec.tried_by


@np.errstate(all="ignore")  # an answer may hold any number; what complains is the student's code alone
def judge(
    sheet: Sheet,
    call: Call,
    forward: Call | None = None,
    wrong_forward: WrongForward | None = None,
    right: frozenset[str] = frozenset(),
    called: frozenset[str] | None = None,
    names: Sheet | None = None,
    above: float = -1.0,
    costs: Costs | None = None,
    aside: Call | None = None,
) -> Judgement:
    """Try a student's function with every case of its sheet.

    Args:
        sheet: inputs, expected answers, mistakes.
        call: calls the student's function with a batch of positional arguments.
        forward: for a backward function, calls the student's own forward.
        wrong_forward: what is known of the student's own forward, where it is not right.
        right: functions the student's one calls that are known to be right.
        called: functions of `needs` that the student's one calls; None where that is not known.
        names: the sheet by which a wrong answer's mistake is told, with inputs of its own; without one,
            `sheet` itself. Nothing that is found with it earns anything.
        above: a mistake is told only where the share is larger: else the judgement is of no use.
        costs: for a backward function, how its cost is measured: a general differentiator is told by it.
        aside: calls the student's function with arguments a little beside the real numbers: complex steps are
            told by it, where something is to be derived.
    """
    outcomes = call(first_batch(sheet))
    answers = [_answer(sheet, i, outcome) for i, outcome in enumerate(outcomes[:-1])]
    judgement = Judgement(sheet.name, "wrong", 0.0)
    _gather_output(judgement, sheet, outcomes, answers, called)
    values = _value_checks(sheet, answers)
    edges = _edge_checks(sheet, answers)
    kept = [_left_alone(sheet, outcomes)] if sheet.to_mend else []
    judgement.checks = values + edges + kept
    again = _changed(sheet, answers[0], _answer(sheet, 0, outcomes[-1]))
    if again:
        judgement.checks.append(Check("same answer twice", False, again))
        judgement.diagnoses = [CHANGES]
    elif any(outcome.overwrote for outcome in outcomes):
        again = Finding(Kind.ONE_ARRAY_FOR_ALL)
        judgement.checks.append(Check("answers kept apart", False, again))
        judgement.diagnoses = [SHARED]
    elif kept and kept[0].finding and all(check.passed for check in values + edges):
        hint = (
            "Make a new array, as `x = x + 1` does, or work on a copy: the caller may need the old numbers."
        )
        judgement.diagnoses = [Diagnosis(f"{_listed(kept[0].finding.names)} changed in place", hint)]
    if all(check.passed for check in judgement.checks):
        judgement.status, judgement.share = "right", 1.0
    else:
        # What an untouched function leaves alone earns nothing; what a repair spoils costs.
        spoilt = [check for check in kept if not check.passed]
        judgement.share = 0.0 if again else _share(sheet, values, edges + spoilt)
    _note_spoilt(judgement, sheet, values + edges + kept)
    if sheet.forward and forward:
        _check_gradient(judgement, sheet, sheet.forward, call, forward, wrong_forward)
    own = sheet.forward
    worth = own.gradient.underived if own else UNDERIVED_SHARE
    if is_derived(sheet) and aside and judgement.share > 0 and steps_aside(sheet, answers[0], aside):
        _mark_underived(judgement, Finding(Kind.COMPLEX_STEPS, got=worth), STEPPED)
    elif own and costs and judgement.share > 0 and differentiates(sheet, own, answers, call, costs):
        _mark_underived(judgement, Finding(Kind.UNDERIVED, names=(own.name,), got=worth), UNDERIVED)
    if judgement.status == "wrong" and not judgement.diagnoses and judgement.share > above:
        by = names or sheet  # the sheet that knows mistakes
        seen = asked(names, call) if names else answers
        named = [_with_stage(by, one, call) for one in diagnose(by, seen, right, called)]
        judgement.diagnoses = (
            named
            or _facts(judgement.checks)
            or without_effect(by, call, seen)
            or _by_numbers(by, seen)
            or _symptoms(sheet, values, edges, judgement.printed)
        )
        if names and not named and not any(_ended(answer) for answer in seen):
            judgement.returned = returned_by(names, seen)
    return judgement


def _with_stage(sheet: Sheet, diagnosis: Diagnosis, call: Call) -> Diagnosis:
    """A wrong way with the stage that shows it: the first of its stages that is wrong for this answer."""
    way = sheet.spec.ways.get(diagnosis.name)
    for stage in way.stages if way else ():
        if judge_probe(sheet, sheet.probes[stage], call).status != "right":
            where = f'`check({sheet.name}, stage="{stage}")` shows it with other ways silenced.'
            return replace(diagnosis, hint=f"{diagnosis.hint} {where}")
    return diagnosis


@np.errstate(all="ignore")
def judge_probe(sheet: Sheet, probe: Probe, call: Call) -> Judgement:
    """Try one stage of a derivation: only its own outputs are compared, and it earns nothing."""
    (outcome,) = call([list(probe.case.inputs.values())])
    judgement = Judgement(f"{sheet.name}, stage {probe.case.words!r}", "wrong", 0.0, notes=[probe.says])
    others = [f"`{name}`" for name in sheet.returns if name not in probe.outputs]
    if others:
        judgement.notes.append(f"{' and '.join(others)} must be returned too, but may be anything here")
    alone = replace(sheet, cases=[probe.case], mistakes=probe.mistakes, forward=None, slips=list, pairs=list)
    answer = _answer(alone, 0, outcome)
    _gather_output(judgement, alone, [outcome], [answer])
    judgement.checks = [c for c in _value_checks(alone, [answer]) if c.name in probe.outputs]
    if all(check.passed for check in judgement.checks):
        judgement.status = "right"
    else:
        made = (_made_in_probe(alone, answer, probe, mistake) for mistake in probe.mistakes)
        judgement.diagnoses = [d for d in made if d][:1] or _way_of(sheet, probe, answer, judgement)
    return judgement


def _way_of(sheet: Sheet, probe: Probe, answer: Answer, judgement: Judgement) -> list[Diagnosis]:
    """The way that a stage is there for: where all numbers that show it are wrong, it is."""
    right = {str(leaf) for leaf in probe.case.expected if _is_right(sheet, probe.case, answer, leaf)}
    if any(check.finding and check.finding.kind is not Kind.VALUE for check in judgement.checks):
        return []
    stage = next((name for name, one in sheet.probes.items() if one is probe), "")
    ways = [
        (name, way)
        for name, way in sheet.spec.ways.items()
        if stage in way.stages and not right.intersection(way.outputs)
    ]
    return [Diagnosis(name, way.hint) for name, way in ways] if len(ways) == 1 else []


def _made_in_probe(sheet: Sheet, answer: Answer, probe: Probe, mistake: Mistake) -> Diagnosis | None:
    """The mistake, where the outputs that a stage looks at are just what it gives.

    What else it would spoil must be wrong too, where it was returned: or it was not made.
    """
    (effect,) = mistake.effects
    expected = {leaf: array for leaf, array in probe.case.expected.items() if leaf.output in probe.outputs}
    if isinstance(effect, str) or not expected.keys() <= answer.leaves.keys():
        return None
    if any(_is_right(sheet, probe.case, answer, leaf) for leaf in effect):
        return None
    seen = traces_of({leaf: answer.leaves[leaf] for leaf in expected}, probe.case, sheet)
    told = {leaf: trace for leaf, trace in effect.items() if leaf in expected}
    same = seen.keys() == told.keys() and all(
        same_trace(seen[leaf], told[leaf], trace_of(expected[leaf], expected[leaf])) for leaf in seen
    )
    return Diagnosis(mistake.name, mistake.hint) if same else None


def _is_right(sheet: Sheet, case: Case, answer: Answer, leaf: Leaf) -> bool:
    return leaf in answer.leaves and not differs(answer.leaves[leaf], case.expected[leaf], sheet.spec)


def _mark_underived(judgement: Judgement, found: Finding, said: Diagnosis) -> None:
    """Say that an answer derives nothing; what that is worth is the course's to say."""
    worth: float = found.got
    judgement.checks.append(Check("derivation", worth == 1, found))
    judgement.diagnoses = [said]
    if worth < 1:
        judgement.status = "wrong"
        judgement.share *= worth


def _ended(answer: Answer) -> bool:
    """Whether the process ended over it, and nothing after it was answered."""
    return bool(answer.outcome.error and answer.outcome.error.kind in ENDED)


def asked(sheet: Sheet, call: Call) -> list[Answer]:
    """A student's answers to the cases of a sheet."""
    outcomes = call([list(case.inputs.values()) for case in sheet.cases])
    return [_answer(sheet, i, outcome) for i, outcome in enumerate(outcomes)]


def _facts(checks: list[Check]) -> list[Diagnosis]:
    """What `tried_by` saw: surer than what numbers tell."""
    failed = [check for check in checks if check.finding]
    ordinary = [check for check in failed if not check.is_edge] or failed
    facts = [one.finding for one in ordinary if one.finding and one.finding.kind is Kind.WATCHED]
    return [Diagnosis(fact.got, "") for fact in facts[:1]]


def _by_numbers(sheet: Sheet, answers: list[Answer]) -> list[Diagnosis]:
    wrong = wrong_in(sheet, answers)
    near = nearly_right(sheet, answers, wrong or wrong_in(sheet, answers, edges=True))
    found = near or shifted(sheet, answers, wrong) or no_distribution(sheet, answers, wrong)
    return [found] if found else []


def _symptoms(sheet: Sheet, values: list[Check], edges: list[Check], printed: str) -> list[Diagnosis]:
    failed = {check.name: check.finding for check in values if check.finding}
    # What `tried_by` saw is no output of the answer's.
    right = [check.name for check in values if check.passed and check.name not in sheet.spec.watched]
    thin = [case.words for case in sheet.cases if case.is_edge and _is_thin(case, sheet.cases[0])]
    at_edges = {check.name: check.finding for check in edges if check.finding}
    found = symptom(failed, right, at_edges, thin, printed)
    return [found] if found else []


def _is_thin(case: Case, ordinary: Case) -> bool:
    """Whether an array of a case has an axis of size 1 that is longer in an ordinary one."""
    return any(
        len(array.shape) == len(ordinary.expected[leaf].shape)
        and any(
            size == 1 < other for size, other in zip(array.shape, ordinary.expected[leaf].shape, strict=True)
        )
        for leaf, array in case.expected.items()
        if leaf in ordinary.expected
    )


def _answer(sheet: Sheet, index: int, outcome: Outcome) -> Answer:
    if outcome.error:
        return Answer(outcome, {}, {})
    leaves, problems = student_leaves(outcome.value, sheet.returns, sheet.cases[index].expected, sheet.own)
    return Answer(outcome, leaves, problems)


def _gather_output(
    judgement: Judgement,
    sheet: Sheet,
    outcomes: list[Outcome],
    answers: list[Answer],
    called: frozenset[str] | None = None,
) -> None:
    printed = next((o.printed for o in outcomes if o.printed), "")
    complaints = next((o.complaints for o in outcomes if o.complaints), "")
    complaints = "\n".join(dict.fromkeys(complaints.splitlines()))  # a loop warns of the same in every round
    judgement.printed = "\n".join(text.rstrip() for text in (printed, complaints) if text.strip())
    if not sheet.spec.tried_by and any(map(partial(_holds_list, sheet), sheet.cases, answers)):
        judgement.notes.append(
            "you return a list where an array is asked for. Your numbers count, but a later cell may need "
            "the array: `np.array(...)` makes one of your list"
        )
    floats = _floats_for_integers(answers[0], sheet)
    if floats and not sheet.spec.tried_by:
        judgement.notes.append(
            f"{floats} of floats where integers are asked for. Your numbers count, but a later cell that "
            "takes them as indices will stop: `np.zeros(shape, dtype=int)` makes an array of integers, "
            "`x.astype(int)` makes one of yours"
        )
    unasked = _unasked(outcomes[0].value, sheet)
    if unasked:
        judgement.notes.append(
            f"{unasked}, not asked for: that counts for nothing here, and a loop over the keys may stop there"
        )
    changed = _changed_arguments(sheet, outcomes)
    if changed:
        # Whoever looks for such a line in a function that only hands its arguments on will not find it.
        through = f", itself or through {_listed(sorted(called))}," if called else ""
        judgement.notes.append(
            f"`{sheet.name}`{through} changes {_listed(changed)} in place, as `x += 1` and "
            "`x[0] = 1` do. Whoever calls it may still need the old numbers (to change them back is not "
            "enough: by rounding their last digits stay others), and a cell below may say that something "
            "is wrong: work on a copy, or make a new array by `x = x + 1`"
        )


def _changed_arguments(sheet: Sheet, outcomes: list[Outcome]) -> list[str]:
    places = sorted({int(place[1:]) for outcome in outcomes for place in outcome.changed_inputs})
    return [sheet.parameters[place] for place in places if place < len(sheet.parameters)]


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _left_alone(sheet: Sheet, outcomes: list[Outcome]) -> Check:
    changed = tuple(_changed_arguments(sheet, outcomes))
    found = Finding(Kind.CHANGED_ARGUMENTS, names=changed) if changed else None
    return Check(LEFT_ALONE, not changed, found)


def _holds_list(sheet: Sheet, case: Case, answer: Answer) -> bool:
    """Whether a list stands for an array in what was returned, with numbers of the shape asked for."""
    if not answer.leaves:
        return False
    value = answer.outcome.value
    several = value if len(sheet.returns) > 1 else [value]
    parts = dict(zip(sheet.returns, several, strict=True))
    return any(
        isinstance(parts[leaf.output][leaf.key] if leaf.key else parts[leaf.output], list)
        and got.shape == case.expected[leaf].shape
        for leaf, got in answer.leaves.items()
    )


def _floats_for_integers(answer: Answer, sheet: Sheet) -> str:
    """The outputs that hold floats though integers are asked for always, in words."""
    names = [
        f"`{leaf}`"
        for leaf, got in answer.leaves.items()
        if got.dtype.kind == "f" and all(case.expected[leaf].dtype.kind in "iu" for case in sheet.cases)
    ]
    return " and ".join(names) + (" is an array" if len(names) == 1 else " are arrays") if names else ""


def _unasked(value: Any, sheet: Sheet) -> str:
    """The keys of a returned dict that are not among those asked for, in words."""
    parts = value if len(sheet.returns) > 1 and isinstance(value, tuple | list) else [value]
    for name, part in zip(sheet.returns, parts, strict=False):
        asked = [leaf.key for leaf in sheet.cases[0].expected if leaf.output == name and leaf.key]
        more = [key for key in part if key not in asked] if asked and isinstance(part, dict) else []
        if more:
            listed = ", ".join(f'"{key}"' for key in more[:MOST_KEYS])
            return f"`{name}` has the key {listed}" if len(more) == 1 else f"`{name}` has the keys {listed}"
    return ""


def _value_checks(sheet: Sheet, answers: list[Answer]) -> list[Check]:
    """One check for each returned name, over all cases of random values."""
    values = [(i, answer) for i, answer in enumerate(answers) if not sheet.cases[i].is_edge]
    checks = []
    for name in sheet.returns:
        troubles = ((i, _trouble(sheet, i, answer, name)) for i, answer in values)
        found = next((replace(f, called_with=_called_with(sheet, i)) for i, f in troubles if f), None)
        checks.append(Check(name, not found, found))
    return checks


def _called_with(sheet: Sheet, index: int) -> tuple[tuple[str, int], ...]:
    """The whole numbers and truth values among a case's arguments that are others in other ordinary cases."""
    ordinary = [case.inputs for case in sheet.cases if not case.is_edge]
    return tuple(
        (name, value)
        for name, value in sheet.cases[index].inputs.items()
        if isinstance(value, int) and len({inputs[name] for inputs in ordinary}) > 1
    )


def _edge_checks(sheet: Sheet, answers: list[Answer]) -> list[Check]:
    checks = []
    for i, (case, answer) in enumerate(zip(sheet.cases, answers, strict=True)):
        if case.is_edge:
            found = _trouble(sheet, i, answer, None)
            checks.append(Check(case.words, not found, found, is_edge=True))
    return checks


def _trouble(sheet: Sheet, index: int, answer: Answer, name: str | None) -> Finding | None:
    """What is wrong with one returned name (or any) in one case, or None."""
    case = sheet.cases[index]
    if answer.outcome.error:
        return _stopped(sheet, case, answer.outcome.error)
    asked = [(leaf, array) for leaf, array in case.expected.items() if name in (None, leaf.output)]
    # A part that is not there says more than the numbers of the others.
    for leaf, _ in asked:
        if leaf in answer.problems:
            return answer.problems[leaf]
    for leaf, expected in asked:
        got = answer.leaves[leaf]
        if same(got, expected):
            continue  # the quick way for most right answers
        words = axis_words(leaf, expected.ndim, sheet.spec.axes)
        found = compare(leaf, got, expected, words, sheet.spec.rtol, sheet.spec.atol)
        if found and sheet.seen_of(leaf):
            return Finding(Kind.WATCHED, leaf, got=sheet.seen_of(leaf))
        if found:
            return found
    return None


def _stopped(sheet: Sheet, case: Case, error: StudentError) -> Finding:
    tables = {leaf: array for leaf, array in case.expected.items() if array.ndim == 2}
    words = [axis_words(leaf, 2, sheet.spec.axes) for leaf in tables]
    return stopped(error, sheet.name, [array.shape for array in tables.values()], words[0] if words else ())


def _changed(sheet: Sheet, first: Answer, second: Answer) -> Finding | None:
    """In what an answer to the same arguments is another one the second time."""
    if second.outcome.error and second.outcome.error.kind in ENDED:
        return None  # a call before it ended all that follow: that is told where it happened
    if first.outcome.error or second.outcome.error:
        both = first.outcome.error and second.outcome.error
        return None if both else Finding(Kind.ANOTHER_BEHAVIOUR)
    for leaf, array in first.leaves.items():
        other = second.leaves.get(leaf)
        if other is None or array.shape != other.shape:
            return Finding(Kind.ANOTHER_SHAPE, leaf)
        if not same(array, other) and not np.allclose(
            array, other, rtol=sheet.spec.rtol, atol=1e-12, equal_nan=True
        ):
            return Finding(Kind.ANOTHER_VALUE, leaf)
    return None


def _note_spoilt(judgement: Judgement, sheet: Sheet, checks: list[Check]) -> None:
    """Say what a repair has spoilt."""
    spoilt = [check.name for check in checks if sheet.to_mend and not check.passed]
    names = [f"`{name}`" if name in sheet.returns else name for name in spoilt if name not in sheet.to_mend]
    if names:
        judgement.notes.append(f"right before your change, and wrong now: {', '.join(names)}")


def _share_mended(sheet: Sheet, checks: list[Check]) -> float:
    """How much of what was wrong is right, times how much of what was right is so still."""
    share = 1.0
    for was_wrong in (True, False):
        passed = [check.passed for check in checks if (check.name in sheet.to_mend) is was_wrong]
        share *= sum(passed) / len(passed) if passed else 1.0
    return share


def _share(sheet: Sheet, values: list[Check], edges: list[Check]) -> float:
    if sheet.to_mend:
        return _share_mended(sheet, values + edges)
    right = sum(check.passed for check in values) / len(values)
    if right and not any(check.passed for check in values if check.name in sheet.own):
        # What is seen of an answer that does nothing counts only beside something that is right.
        free = sheet.without_work()
        right = sum(check.passed for check in values if check.name not in free) / len(values)
    if not edges:
        return right
    cases = [case for case in sheet.cases if case.is_edge]
    # Zeros are no work: where they are asked for, they count beside an output that is right elsewhere.
    passed = [
        check.passed and (right > 0 or not asks_zeros(case)) for check, case in zip(edges, cases, strict=True)
    ]
    return (1 - EDGE_SHARE) * right + EDGE_SHARE * sum(passed) / len(edges)


def _check_gradient(
    judgement: Judgement,
    sheet: Sheet,
    own: Forward,
    call: Call,
    forward: Call,
    wrong_forward: WrongForward | None,
) -> None:
    """Judge a backward by the numeric gradient of the student's own forward."""
    name = f"gradient of `{own.name}`"
    try:
        error = gradient_error(sheet, own, call, forward)
    except GradientTrouble as trouble:
        judgement.checks.append(Check(name, False, Finding(Kind.NO_GRADIENT, cause=trouble.finding)))
        return
    if error:
        is_right = judgement.share == 1.0
        other = Finding(Kind.ANOTHER_FORWARD, names=(own.name,), cause=error)
        judgement.checks.append(Check(name, is_right, other if is_right else error))
        return
    judgement.checks.append(Check(name, True, Finding(Kind.AGREES)))
    if judgement.share < 1.0 and wrong_forward:
        share = earned_share(sheet, own, call, forward, wrong_forward)
        if share > judgement.share:
            judgement.share = share
            judgement.follow_through = True
            judgement.notes.append(
                f"your `{own.name}` is not right yet, but this is the right gradient of it, and gets marks "
                "for that"
            )
