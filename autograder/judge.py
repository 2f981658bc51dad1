"""One exercise, tried: calls the student's function with a sheet's inputs and says what came of it.

The same judgement serves the check in a notebook and the grade; how the function is called (in this
process, or in a sandbox) is the caller's business.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.answers import Sheet, seed_of
from autograder.compare import axis_words, compare
from autograder.diagnose import Answer, Diagnosis, diagnose
from autograder.gradients import (
    RELATIVE_ERROR,
    ForwardLoss,
    GradientTrouble,
    check_backward,
    depends_on_everything,
    entrywise,
    input_leaves,
)
from autograder.leaves import student_leaves
from autograder.outcome import Outcome, StudentError

Call = Callable[[Sequence[Sequence[Any]]], list[Outcome]]

# How the points of an exercise are shared between random values and edge cases.
EDGE_SHARE = 0.25
# A right backward of an unknown wrong forward: right work, on a task that may have become easier.
UNKNOWN_FORWARD_SHARE = 0.5


@dataclass(frozen=True)
class Check:
    """One line of a scorecard."""

    name: str
    passed: bool
    message: str = ""
    is_edge: bool = False


@dataclass
class Judgement:
    """What came of trying one exercise.

    Args:
        name: the exercise.
        status: "right", "wrong" or "unanswered".
        share: the share of its points that is earned, 0 to 1.
        checks: one line per output, edge case and gradient check.
        diagnoses: the mistakes it looks like.
        notes: gentle remarks that cost nothing.
        printed: what the function printed, and warnings.
    """

    name: str
    status: str
    share: float
    checks: list[Check] = field(default_factory=list)
    diagnoses: list[Diagnosis] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    printed: str = ""
    follow_through: bool = False

    @property
    def misconception(self) -> str | None:
        """The names of the mistakes, or None."""
        return " and ".join(d.name for d in self.diagnoses) or None


def unanswered(sheet: Sheet) -> Judgement:
    """The judgement of an untouched stub."""
    return Judgement(sheet.name, "unanswered", 0.0, [Check("answered", False, "not answered yet")])


def judge(
    sheet: Sheet, call: Call, forward: Call | None = None, wrong_forward: str | None = None
) -> Judgement:
    """Try a student's function with every case of its sheet.

    Args:
        sheet: inputs, expected answers, mistakes.
        call: calls the student's function with a batch of positional arguments.
        forward: for a backward function, calls the student's own forward.
        wrong_forward: None where the student's own forward is right (or given), "named" where it is
            wrong in a way that has a name, "unnamed" where it is wrong in another way.
    """
    batch = [list(case.inputs.values()) for case in sheet.cases]
    # The first case once more: an answer must not depend on what was asked before.
    outcomes = call([*(copy.deepcopy(arguments) for arguments in batch), copy.deepcopy(batch[0])])
    answers = [_answer(sheet, i, outcome) for i, outcome in enumerate(outcomes[:-1])]
    judgement = Judgement(sheet.name, "wrong", 0.0)
    _gather_output(judgement, outcomes)
    values = _value_checks(sheet, answers)
    edges = _edge_checks(sheet, answers)
    judgement.checks = values + edges
    again = _repeatable(sheet, answers[0], _answer(sheet, 0, outcomes[-1]))
    if again:
        judgement.checks.append(Check("same answer twice", False, again))
        judgement.diagnoses = [
            Diagnosis(
                "the answer changes from call to call",
                "Random numbers, or an array that is kept and changed between calls, make it so.",
            )
        ]
    if all(check.passed for check in judgement.checks):
        judgement.status, judgement.share = "right", 1.0
    else:
        judgement.share = _share(values, edges) * (0.5 if again else 1.0)
        judgement.diagnoses = judgement.diagnoses or diagnose(sheet, answers)
    if sheet.forward and forward:
        _check_gradient(judgement, sheet, call, forward, wrong_forward)
    return judgement


def trusted(function: Callable[..., Any]) -> Callable[..., list[Outcome]]:
    """A way to call a function of ours as if it were a student's."""

    def call(batch: Any) -> list[Outcome]:
        return [Outcome(function(*copy.deepcopy(list(arguments)))) for arguments in batch]

    return call


def _answer(sheet: Sheet, index: int, outcome: Outcome) -> Answer:
    if outcome.error:
        return Answer(outcome, {}, {})
    leaves, problems = student_leaves(outcome.value, sheet.returns, sheet.cases[index].expected)
    return Answer(outcome, leaves, problems)


def _gather_output(judgement: Judgement, outcomes: list[Outcome]) -> None:
    printed = next((o.printed for o in outcomes if o.printed), "")
    complaints = next((o.complaints for o in outcomes if o.complaints), "")
    judgement.printed = "\n".join(text.rstrip() for text in (printed, complaints) if text.strip())
    if any(outcome.changed_inputs for outcome in outcomes):
        judgement.notes.append(
            "your function changes an argument in place; whoever calls it may still need that array"
        )


def error_words(error: StudentError, is_call: bool = True) -> str:
    """A student's error in words, with the line of the cell where it arose."""
    words = {
        "missing": "there is no function of this name",
        "time": "it did not come to an end in time; is there an endless loop?",
        "memory": "it needed more memory than there is",
        "exit": "it ended the whole process",
        "crash": f"the process crashed: {error.message}",
        "protocol": f"the answer could not be read: {error.message}",
        "syntax": f"the cell cannot be read as Python: {error.message}",
    }.get(error.kind, f"{error.kind}: {error.message}")
    product = re.search(r"core dimension .*size (\d+) is different from (\d+)", error.message)
    if error.kind == "ValueError" and product:
        got, wanted = product.groups()
        words = f"the shapes do not fit in a product: an axis of {wanted} meets an axis of {got}"
    if error.kind == "NotImplementedError":
        words = "a part is still missing (`NotImplementedError`)"
    where = f", in line {error.line}" if error.line else ""
    source = f" `{error.source.strip()}`" if error.source.strip() else ""
    stops = "it stops with " if is_call and error.kind[:1].isupper() else ""
    return f"{stops}{words}{where}{source}"


def _value_checks(sheet: Sheet, answers: list[Answer]) -> list[Check]:
    """One check for each returned name, over all cases of random values."""
    values = [(i, answer) for i, answer in enumerate(answers) if not sheet.cases[i].is_edge]
    checks = []
    for name in sheet.returns:
        message = ""
        for i, answer in values:
            message = _trouble(sheet, i, answer, name)
            if message:
                break
        checks.append(Check(name, not message, message))
    return checks


def _edge_checks(sheet: Sheet, answers: list[Answer]) -> list[Check]:
    checks = []
    for i, (case, answer) in enumerate(zip(sheet.cases, answers, strict=True)):
        if case.is_edge:
            message = _trouble(sheet, i, answer, None)
            checks.append(Check(case.words, not message, message, is_edge=True))
    return checks


def _trouble(sheet: Sheet, index: int, answer: Answer, name: str | None) -> str:
    """What is wrong with one returned name (or any) in one case, in words; "" if nothing is."""
    if answer.outcome.error:
        return error_words(answer.outcome.error)
    case = sheet.cases[index]
    for leaf, expected in case.expected.items():
        if name is not None and leaf.partition("[")[0] != name:
            continue
        if leaf in answer.problems:
            return answer.problems[leaf]
        words = axis_words(leaf, expected.ndim, dict(sheet.spec.axes))
        verdict = compare(leaf, answer.leaves[leaf], expected, words, sheet.spec.rtol, sheet.spec.atol)
        if not verdict.ok:
            return f"{verdict.message}; {verdict.pattern}" if verdict.pattern else verdict.message
    return ""


def _repeatable(sheet: Sheet, first: Answer, second: Answer) -> str:
    """Whether the same arguments give the same answer again; what is wrong, or ""."""
    if first.outcome.error or second.outcome.error:
        if bool(first.outcome.error) == bool(second.outcome.error):
            return ""
        return "called a second time with the same arguments, it does not behave as the first time"
    for name, leaf in first.leaves.items():
        other = second.leaves.get(name)
        if other is None or not np.array_equal(leaf.shape, other.shape):
            return f"`{name}` has another shape when called a second time with the same arguments"
        if not np.allclose(leaf, other, rtol=sheet.spec.rtol, atol=1e-12, equal_nan=True):
            return f"`{name}` is another one when called a second time with the same arguments"
    return ""


def _share(values: list[Check], edges: list[Check]) -> float:
    right = sum(check.passed for check in values) / len(values)
    if not edges:
        return right
    return (1 - EDGE_SHARE) * right + EDGE_SHARE * sum(check.passed for check in edges) / len(edges)


def _check_gradient(
    judgement: Judgement, sheet: Sheet, call: Call, forward: Call, wrong_forward: str | None
) -> None:
    """Judge a backward by the numeric gradient of the student's own forward."""
    name = f"gradient of `{sheet.forward.name}`"
    try:
        worst, earned = _gradient_error(sheet, call, forward)
    except GradientTrouble as trouble:
        judgement.checks.append(Check(name, False, f"no numeric gradient: {trouble}"))
        return
    if worst:
        message = worst
        if judgement.share == 1.0:
            message = (
                f"your backward is right, but your own `{sheet.forward.name}` is another function: {worst}"
            )
        judgement.checks.append(Check(name, judgement.share == 1.0, message))
        return
    judgement.checks.append(Check(name, True, "agrees with the numeric gradient of the forward"))
    if judgement.share < 1.0 and wrong_forward and earned:
        share = 1.0 if wrong_forward == "named" else UNKNOWN_FORWARD_SHARE
        if share > judgement.share:
            judgement.share = share
            judgement.follow_through = True
            judgement.notes.append(
                f"this is the right gradient of your own `{sheet.forward.name}`, which is not right yet: "
                "it earns its marks"
            )


def _gradient_error(sheet: Sheet, call: Call, forward: Call) -> tuple[str, bool]:
    """What a gradient check finds.

    Returns:
        What is wrong first, in words ("" for nothing), and whether the forward depends on all its inputs.
    """
    gradient, own = sheet.spec.gradient, sheet.forward
    rng = seed_of("gradient", own.name, sheet.name, 0)
    outputs = {u: own.expected[o] for u, o in gradient.upstream.items()}
    upstream = {u: rng.normal(size=expected.shape) for u, expected in outputs.items()}
    weights = {o: upstream[u] for u, o in gradient.upstream.items()}
    loss = ForwardLoss(forward, own.returns, own.expected, weights)
    (forward_leaves,) = loss.outputs([copy.deepcopy(own.inputs)])
    values = {**sheet.cases[0].inputs, **own.inputs, **_grouped(forward_leaves), **upstream}
    arguments = [copy.deepcopy(values[parameter]) for parameter in sheet.parameters]
    (outcome,) = call([arguments])
    if outcome.error:
        return error_words(outcome.error), False
    gradients, problems = student_leaves(outcome.value, sheet.returns, sheet.cases[0].expected)
    if problems:
        return next(iter(problems.values())), False
    for slope in check_backward(loss, own.inputs, gradients, gradient, rng):
        if slope.relative_error > RELATIVE_ERROR:
            return _located(sheet, loss, gradients, slope.leaf), False
    return "", depends_on_everything(loss, own.inputs, gradient, rng)


def _grouped(leaves: dict[str, np.ndarray]) -> dict[str, Any]:
    """Leaves as arguments again: `gates["f"]` becomes a member of the dict `gates`."""
    grouped: dict[str, Any] = {}
    for leaf, array in leaves.items():
        name, bracket, rest = leaf.partition('["')
        if bracket:
            grouped.setdefault(name, {})[rest[:-2]] = array
        else:
            grouped[name] = array
    return grouped


def _located(sheet: Sheet, loss: ForwardLoss, gradients: dict[str, np.ndarray], leaf: str) -> str:
    """The first entry of a gradient that disagrees with the numeric one, in words."""
    name, bracket, rest = leaf.partition("[")
    target = sheet.spec.gradient.wrt[name] + bracket + rest
    shape = input_leaves(sheet.forward.inputs, list(sheet.forward.inputs))[target].shape
    got = gradients[leaf]
    if got.shape != shape:
        return f"`{leaf}` has the shape {got.shape}; `{target}` has {shape}"
    numeric = entrywise(loss, sheet.forward.inputs, target)
    words = axis_words(leaf, got.ndim, dict(sheet.spec.axes))
    verdict = compare(leaf, got, numeric, words, RELATIVE_ERROR, RELATIVE_ERROR)
    return f"beside numeric differences {verdict.message}" if not verdict.ok else ""
