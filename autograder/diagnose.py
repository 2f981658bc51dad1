"""A wrong answer -> the mistake it looks like, by name.

First the exercise's own misconceptions (what each of them would have given), then mistakes that can be
told from any two arrays: transposed, wrong sign, an average for a sum, single precision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from autograder.answers import Effect, Mistake, Sheet, differs, error_effect
from autograder.leaves import Leaves, student_leaves
from autograder.outcome import Outcome

MATCH = 1e-5
# All orders of five values are 120; no exercise returns more.
MOST_RETURNS = 5


@dataclass(frozen=True)
class Answer:
    """A student's answer to one case: its leaves, what is wrong with the others, or an error."""

    outcome: Outcome
    leaves: Leaves
    problems: dict[str, str]

    @property
    def failed(self) -> str:
        """The failure ("error KIND: WORDS", "structure") where there are no leaves, else ""."""
        if self.outcome.error:
            return error_effect(self.outcome.error.kind, self.outcome.error.message)
        return "structure" if self.problems and not self.leaves else ""


@dataclass(frozen=True)
class Diagnosis:
    """The name of a mistake and a hint; `where` says which outputs it explains, "" for all."""

    name: str
    hint: str
    where: str = ""


def diagnose(sheet: Sheet, answers: Sequence[Answer], right: frozenset[str] = frozenset()) -> list[Diagnosis]:
    """Name the mistake in an answer that is known to be wrong.

    Args:
        sheet: the exercise's answer sheet.
        answers: the student's answers to the sheet's cases, in order.
        right: needed functions that are right and are called: no mistake is made in them.

    Returns:
        One diagnosis for the whole answer; or one or two, each for some of the outputs; or none.
    """
    mistakes = [mistake for mistake in sheet.mistakes if mistake.made_in not in right]
    for mistake in mistakes:
        if _explains_all(sheet, mistake.effects, answers):
            return [Diagnosis(mistake.name, mistake.hint)]
    exchanged = _exchanged(sheet, answers)
    if exchanged:
        return [exchanged]
    wrong = _wrong_leaves(sheet, answers)
    if not wrong:
        return []
    general = _general(sheet, answers, wrong)
    if general:
        return [general]
    return _in_parts(sheet, mistakes, answers, wrong)


def _explains_all(sheet: Sheet, effects: Sequence[Effect], answers: Sequence[Answer]) -> bool:
    """Whether a mistake gives just these answers, right where they are right and wrong as they are."""
    if not any(effects):
        return False
    # Where a mistake shows by a failure only, the failure's words must agree: any crash is like any other.
    only_fails = not any(effect and not isinstance(effect, str) for effect in effects)
    return all(
        effect is None or _explains(sheet, i, effect, answer, only_fails)
        for i, (effect, answer) in enumerate(zip(effects, answers, strict=True))
    )


def _explains(sheet: Sheet, index: int, effect: Effect, answer: Answer, to_the_word: bool) -> bool:
    if isinstance(effect, str) or effect is None:
        if to_the_word:
            return answer.failed == effect
        return bool(effect) and answer.failed.partition(":")[0] == effect.partition(":")[0]
    if answer.outcome.error or set(answer.leaves) != set(sheet.cases[index].expected):
        return False
    return all(_leaf_matches(sheet, index, name, effect, answer) for name in answer.leaves)


def _leaf_matches(sheet: Sheet, index: int, name: str, effect: Leaves, answer: Answer) -> bool:
    """Whether one leaf of an answer is what a mistake gives there."""
    expected = sheet.cases[index].expected[name]
    if name not in answer.leaves:
        return False
    got = answer.leaves[name]
    if name not in effect:
        return not differs(got, expected, sheet.spec)
    return differs(got, expected, sheet.spec) and same(got, effect[name], expected)


def same(got: np.ndarray, mistaken: np.ndarray, expected: np.ndarray) -> bool:
    """Whether two wrong arrays are the same, up to rounding and single precision."""
    if got.shape != mistaken.shape:
        return False
    got, mistaken = got.astype(np.float64), mistaken.astype(np.float64)
    finite = np.isfinite(mistaken)
    if not np.array_equal(np.isfinite(got), finite):
        return False
    if not finite.all() and not np.array_equal(got[~finite], mistaken[~finite], equal_nan=True):
        return False
    scale = np.abs(mistaken[finite]).max(initial=1e-12)
    allowed = MATCH * scale
    if expected.shape == mistaken.shape:
        # Where a mistake is close to the right answer, the match must be closer still.
        gap = np.abs(mistaken - expected)[finite & np.isfinite(expected)].max(initial=0.0)
        allowed = min(allowed, max(0.02 * gap, 1e-14 * scale))
    return bool((np.abs(got[finite] - mistaken[finite]) <= allowed).all())


def _exchanged(sheet: Sheet, answers: Sequence[Answer]) -> Diagnosis | None:
    """All values right, but returned in another order than the one asked for."""
    value, expected = answers[0].outcome.value, sheet.cases[0].expected
    if not isinstance(value, tuple | list) or not 1 < len(value) == len(sheet.returns) <= MOST_RETURNS:
        return None
    for order in list(permutations(range(len(value))))[1:]:  # the first is the order asked for
        leaves, problems = student_leaves(tuple(value[i] for i in order), sheet.returns, expected)
        if not problems and not any(differs(leaves[name], expected[name], sheet.spec) for name in expected):
            asked = ", ".join(f"`{name}`" for name in sheet.returns)
            return Diagnosis("returned in another order", f"The order asked for is {asked}.")
    return None


def _wrong_leaves(sheet: Sheet, answers: Sequence[Answer]) -> dict[str, list[int]]:
    """Each wrong leaf, and the cases (of random values) in which it is wrong."""
    wrong: dict[str, list[int]] = {}
    for i, (case, answer) in enumerate(zip(sheet.cases, answers, strict=True)):
        if case.is_edge:
            continue
        for name, expected in case.expected.items():
            if name in answer.leaves and differs(answer.leaves[name], expected, sheet.spec):
                wrong.setdefault(name, []).append(i)
    return wrong


def _in_parts(
    sheet: Sheet, mistakes: list[Mistake], answers: Sequence[Answer], wrong: dict[str, list[int]]
) -> list[Diagnosis]:
    """Two mistakes at once: each wrong output explained by a mistake of its own."""
    explained: dict[str, Mistake] = {}
    for mistake in mistakes:
        mine = {
            name
            for name, cases in wrong.items()
            if all(
                isinstance(mistake.effects[i], dict)
                and name in mistake.effects[i]  # type: ignore[operator]
                and _leaf_matches(sheet, i, name, mistake.effects[i], answers[i])  # type: ignore[arg-type]
                for i in cases
                if mistake.effects[i] is not None
            )
            and any(mistake.effects[i] for i in cases)
        }
        for name in mine:
            explained.setdefault(name, mistake)
    by_mistake: dict[str, list[str]] = {}
    for name, mistake in explained.items():
        by_mistake.setdefault(mistake.name, []).append(name)
    hints = {mistake.name: mistake.hint for mistake in sheet.mistakes}
    ranked = sorted(by_mistake, key=lambda name: -len(by_mistake[name]))[:2]
    return [
        Diagnosis(name, hints[name], ", ".join(f"`{leaf}`" for leaf in sorted(by_mistake[name])))
        for name in ranked
    ]


def _general(sheet: Sheet, answers: Sequence[Answer], wrong: dict[str, list[int]]) -> Diagnosis | None:
    """A mistake that any two arrays tell, the same one in all wrong leaves and cases."""
    pairs = [
        (answers[i].leaves[name], sheet.cases[i].expected[name])
        for name, cases in wrong.items()
        for i in cases
    ]
    sizes = [_sizes(sheet, i) for cases in wrong.values() for i in cases]
    for test in (_single_precision, _integers, _zeros, _transposed, _wrong_sign):
        found = test(pairs)
        if found:
            return found
    return _factor(pairs, sizes)


Pairs = list[tuple[np.ndarray, np.ndarray]]


def _everywhere(pairs: Pairs, holds: Callable[[np.ndarray, np.ndarray], bool]) -> bool:
    return all(holds(got.astype(np.float64), expected) for got, expected in pairs)


def _single_precision(pairs: Pairs) -> Diagnosis | None:
    if not all(got.dtype in (np.float32, np.float16) for got, _ in pairs):
        return None
    near = all(
        got.shape == expected.shape
        and np.abs(got - expected).max(initial=0) < 2e-2 * max(np.abs(expected).max(initial=0), 1e-3)
        for got, expected in pairs
    )
    if not near:
        return None
    return Diagnosis(
        "float32 results",
        "The inputs are float64; somewhere an array is made with another dtype.",
    )


def _integers(pairs: Pairs) -> Diagnosis | None:
    def truncated(got: np.ndarray, expected: np.ndarray) -> bool:
        return got.shape == expected.shape and bool((np.abs(got - expected) <= 1).all())

    whole = all(got.dtype.kind in "iub" for got, _ in pairs)
    if whole and _everywhere(pairs, truncated):
        return Diagnosis(
            "integer results",
            "An array of integers cuts off the fractions; make it an array of floats.",
        )
    return None


def _zeros(pairs: Pairs) -> Diagnosis | None:
    if _everywhere(pairs, lambda got, expected: got.shape == expected.shape and not got.any()):
        return Diagnosis("only zeros", "Nothing was written into the array that is returned.")
    return None


def _close(got: np.ndarray, wanted: np.ndarray) -> bool:
    return got.shape == wanted.shape and bool(np.allclose(got, wanted, rtol=1e-6, atol=1e-9))


def _transposed(pairs: Pairs) -> Diagnosis | None:
    def swapped(got: np.ndarray, expected: np.ndarray) -> bool:
        return expected.ndim >= 2 and _close(got, np.swapaxes(expected, -1, -2))

    if _everywhere(pairs, swapped):
        return Diagnosis("transposed", "The numbers are right, rows and columns are exchanged.")
    return None


def _wrong_sign(pairs: Pairs) -> Diagnosis | None:
    if _everywhere(pairs, lambda got, expected: _close(got, -expected)):
        return Diagnosis("wrong sign", "The numbers are right but for their sign.")
    return None


def _sizes(sheet: Sheet, index: int) -> dict[str, int]:
    """Sizes that a wrong average could have divided by: T and N of the case."""
    for value in sheet.cases[index].inputs.values():
        if isinstance(value, np.ndarray) and value.ndim == 3:
            return {
                "T (the number of time steps)": value.shape[0],
                "N (the number of sequences)": value.shape[2],
            }
    for value in sheet.cases[index].inputs.values():
        if isinstance(value, np.ndarray) and value.ndim == 2:
            return {"N (the number of sequences)": value.shape[1]}
    return {}


def _factor(pairs: Pairs, sizes: list[dict[str, int]]) -> Diagnosis | None:
    """One factor for all entries: an average for a sum, a sum for an average, or a constant."""
    ratios = []
    for got, expected in pairs:
        if got.shape != expected.shape or not expected.any() or not np.isfinite(got).all():
            return None
        ratio = float((got * expected).sum() / (expected * expected).sum())
        if not _close(got, ratio * expected) or ratio == 0:
            return None
        ratios.append(ratio)
    for word in sizes[0]:
        if all(word in s and s[word] > 1 for s in sizes):
            if np.allclose(ratios, [1 / s[word] for s in sizes], rtol=1e-6):
                return Diagnosis(
                    "average where a sum is asked", f"Your numbers are too small by exactly {word}."
                )
            if np.allclose(ratios, [s[word] for s in sizes], rtol=1e-6):
                return Diagnosis(
                    "sum where an average is asked", f"Your numbers are too large by exactly {word}."
                )
    if np.allclose(ratios, ratios[0], rtol=1e-6) and abs(ratios[0]) < 1e6:
        return Diagnosis(
            f"a constant factor of {ratios[0]:.4g}",
            "Everything is right but for one factor, the same for all entries.",
        )
    return None
