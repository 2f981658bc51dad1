"""A wrong answer -> the mistake it looks like, by name.

First the exercise's own misconceptions (what each of them would have given), then mistakes that can be
told from any two arrays (transposed, wrong sign, an average for a sum, single precision), then the single
slips of the reference that nobody declared; at last two mistakes at once. Whatever is named gives just these
numbers, and changes nothing that is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np

from autograder.answers.leaf import Leaf, Leaves
from autograder.answers.leaves import student_leaves
from autograder.judging.general_mistakes import general_mistake
from autograder.record import Diagnosis
from autograder.sheets.sheet import (
    WRONG,
    Answer,
    Effect,
    Mistake,
    Sheet,
    Shown,
    Slip,
    differs,
    right_trace,
    same_trace,
    trace_of,
    wrong_leaves,
)

MATCH = 1e-5
# All orders of five values are 120; no exercise returns more.
MOST_RETURNS = 5
# So many mistakes are named at most, each of some outputs.
MOST_PARTS = 3
# Beside another mistake one is named only if it gives so much of all that it changes.
MOST_OF = 2 / 3


def diagnose(
    sheet: Sheet,
    answers: Sequence[Answer],
    right: frozenset[str] = frozenset(),
    called: frozenset[str] | None = None,
) -> list[Diagnosis]:
    """Name the mistake in an answer that is known to be wrong.

    Args:
        sheet: the exercise's answer sheet.
        answers: the student's answers to the sheet's cases, in order.
        right: needed functions that are right and are called: no mistake is made in them.
        called: needed functions that are called; None where that is not known.

    Returns:
        One diagnosis for the whole answer; or a few, each for some of the outputs; or none.
    """
    mistakes = [mistake for mistake in sheet.mistakes if mistake.made_in not in right]
    for mistake in mistakes:
        # That this very mistake was foreseen would say that the answer is near: its way is told all the same.
        is_way = mistake.name in sheet.spec.ways
        if not is_way and _explains_all(sheet, mistake.effects, answers):
            shows = any(isinstance(effect, dict) and effect for effect in mistake.effects)
            return [Diagnosis(_named(mistake, called), mistake.hint, is_exact=shows and not mistake.made_in)]
    exchanged = _exchanged(sheet, answers)
    if exchanged:
        return [exchanged]
    wrong = wrong_in(sheet, answers)
    if not wrong:
        return []
    general = general_mistake(sheet, answers, wrong)
    if general:
        some_right = len(wrong) < len(sheet.cases[0].expected)
        return [replace(general, where=_listed(list(wrong), sheet) if some_right else "")]
    if sheet.spec.ways:
        return _wrong_ways(sheet, answers, wrong)
    slips = _matching(sheet, answers, sheet.slips())
    everything = {(leaf, case) for leaf, cases in wrong.items() for case in cases}
    for slip in slips:
        if {(leaf, one.case) for one in slip.shown for leaf in one.leaves} == everything:
            return [Diagnosis(slip.name, slip.hint, is_exact=True)]
    return (
        _in_parts(sheet, mistakes, slips, answers, wrong, called)
        or _in_pairs(sheet, answers, everything)
        or _misplaced(sheet, answers, wrong)
    )


def _named(mistake: Mistake, called: frozenset[str] | None) -> str:
    """A mistake's name; "(in `f`)" behind it is left out where f is not called at all."""
    if called is None or not mistake.made_in or mistake.made_in in called:
        return mistake.name
    return mistake.name.removesuffix(f" (in `{mistake.made_in}`)")


def _wrong_ways(sheet: Sheet, answers: Sequence[Answer], wrong: dict[Leaf, list[int]]) -> list[Diagnosis]:
    """The ways of a derivation that are wrong: by which outputs are, never by how; none for a wrong shape."""
    for leaf, cases in wrong.items():
        if any(answers[i].leaves[leaf].shape != sheet.cases[i].expected[leaf].shape for i in cases):
            return []
    told = {str(leaf) for leaf in wrong}
    ways = {name: way for name, way in sheet.spec.ways.items() if told.issuperset(way.outputs)}
    return [Diagnosis(name, way.hint) for name, way in ways.items() if not ways.keys() & set(way.behind)]


def _explains_all(sheet: Sheet, effects: Sequence[Effect], answers: Sequence[Answer]) -> bool:
    """Whether a mistake gives just these answers, right where they are right and wrong as they are."""
    if not any(effects):
        return False
    # Where a mistake shows by a failure only, the failure's words must agree: any crash is like any other.
    only_fails = not any(effect and not isinstance(effect, str) for effect in effects)
    return all(
        _explains(sheet, i, effect, answer, only_fails)
        for i, (effect, answer) in enumerate(zip(effects, answers, strict=True))
    )


def _explains(sheet: Sheet, index: int, effect: Effect, answer: Answer, to_the_word: bool) -> bool:
    if effect == WRONG:
        return _is_wrong(sheet, index, answer)
    if isinstance(effect, str):
        if to_the_word:
            return answer.failed == effect
        return bool(effect) and answer.failed.partition(":")[0] == effect.partition(":")[0]
    if answer.outcome.error or set(answer.leaves) != set(sheet.cases[index].expected):
        return False
    return all(_leaf_matches(sheet, index, leaf, effect, answer) for leaf in answer.leaves)


def _is_wrong(sheet: Sheet, index: int, answer: Answer) -> bool:
    """Whether an answer is wrong in one case, in any way."""
    expected = sheet.cases[index].expected
    if answer.outcome.error or set(answer.leaves) != set(expected):
        return True
    return any(differs(got, expected[leaf], sheet.spec) for leaf, got in answer.leaves.items())


def _leaf_matches(sheet: Sheet, index: int, leaf: Leaf, effect: Leaves, answer: Answer) -> bool:
    """Whether one leaf of an answer is what a mistake gives there."""
    expected = sheet.cases[index].expected[leaf]
    if leaf not in answer.leaves:
        return False
    got = answer.leaves[leaf]
    if leaf not in effect:
        return not differs(got, expected, sheet.spec)
    return differs(got, expected, sheet.spec) and same(got, effect[leaf], expected)


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
        if not problems and not any(differs(leaves[leaf], expected[leaf], sheet.spec) for leaf in expected):
            asked = ", ".join(f"`{name}`" for name in sheet.returns)
            return Diagnosis("returned in another order", f"The order asked for is {asked}.")
    return None


def wrong_in(sheet: Sheet, answers: Sequence[Answer], edges: bool = False) -> dict[Leaf, list[int]]:
    """Each wrong leaf of an answer, and the cases (of random values, or at the edge) in which it is wrong."""
    wrong: dict[Leaf, list[int]] = {}
    for i, (case, answer) in enumerate(zip(sheet.cases, answers, strict=True)):
        if case.is_edge != edges:
            continue
        for leaf, expected in case.expected.items():
            if leaf in answer.leaves and differs(answer.leaves[leaf], expected, sheet.spec):
                wrong.setdefault(leaf, []).append(i)
    return wrong


def _in_pairs(sheet: Sheet, answers: Sequence[Answer], everything: set[tuple[Leaf, int]]) -> list[Diagnosis]:
    """Two mistakes at once that give just this together."""
    for pair in _matching(sheet, answers, sheet.pairs()):
        shown = {(leaf, one.case) for one in pair.shown for leaf in one.leaves}
        if pair.other and {(leaf, i) for leaf, i in shown if not sheet.cases[i].is_edge} == everything:
            return [Diagnosis(pair.name, pair.hint), Diagnosis(*pair.other)]
    return []


def _matching(sheet: Sheet, answers: Sequence[Answer], slips: Sequence[Slip]) -> list[Slip]:
    """The slips of the reference that give some of what is wrong, in the cases in which they show."""
    cases = {one.case for slip in slips for one in slip.shown}
    wrong = {
        i: {} if answers[i].outcome.error else wrong_leaves(answers[i].leaves, sheet.cases[i], sheet.spec)
        for i in cases
    }
    traces: dict[tuple[int, tuple[Leaf, ...]], tuple[np.ndarray, np.ndarray]] = {}

    def matches(shown: Shown) -> bool:
        case, mine = sheet.cases[shown.case], wrong[shown.case]
        if not mine.keys() >= set(shown.leaves):
            return False
        place = (shown.case, shown.leaves)
        if place not in traces:
            trace = trace_of({leaf: mine[leaf] for leaf in shown.leaves}, case.expected)
            traces[place] = (trace, right_trace(case, shown.leaves))
        return same_trace(traces[place][0], shown.trace, traces[place][1])

    return [slip for slip in slips if all(matches(shown) for shown in slip.shown)]


def _in_parts(
    sheet: Sheet,
    mistakes: list[Mistake],
    slips: list[Slip],
    answers: Sequence[Answer],
    wrong: dict[Leaf, list[int]],
    called: frozenset[str] | None,
) -> list[Diagnosis]:
    """Two mistakes at once: each wrong output explained by a mistake (or a slip) of its own."""
    explained: dict[Leaf, Mistake | Slip] = {}
    for mistake in mistakes:
        for leaf in _explained_leaves(sheet, mistake, answers, wrong):
            explained.setdefault(leaf, mistake)
    for slip in slips:
        for leaf in slip.shown[0].leaves:
            explained.setdefault(leaf, slip)
    by_words: dict[tuple[str, str], list[Leaf]] = {}
    for leaf, mistake in explained.items():
        name = _named(mistake, called) if isinstance(mistake, Mistake) else mistake.name
        by_words.setdefault((name, mistake.hint), []).append(leaf)
    ranked = sorted(by_words, key=lambda words: -len(by_words[words]))[:MOST_PARTS]
    return [Diagnosis(name, hint, _listed(by_words[name, hint], sheet)) for name, hint in ranked]


def _explained_leaves(
    sheet: Sheet, mistake: Mistake, answers: Sequence[Answer], wrong: dict[Leaf, list[int]]
) -> list[Leaf]:
    """The wrong leaves that a mistake gives in every case; none where it would spoil a right one too.

    Of what it changes most must be just this: a part of it may be what another mistake gives as well.
    """
    shown = {
        i: e for i, e in enumerate(mistake.effects) if isinstance(e, dict) and not sheet.cases[i].is_edge
    }
    known = {(leaf, i) for leaf, cases in wrong.items() for i in cases}
    if not {(leaf, i) for i, effect in shown.items() for leaf in effect} <= known:
        return []
    found = []
    for leaf, cases in wrong.items():
        told = [i for i in cases if i in shown]
        if told and all(
            leaf in shown[i] and _leaf_matches(sheet, i, leaf, shown[i], answers[i]) for i in told
        ):
            found.append(leaf)
    changed = {leaf for effect in shown.values() for leaf in effect}
    return found if len(found) >= MOST_OF * len(changed) else []


def _misplaced(sheet: Sheet, answers: Sequence[Answer], wrong: dict[Leaf, list[int]]) -> list[Diagnosis]:
    """Wrong leaves that are just what another one should be."""
    values = [i for i, case in enumerate(sheet.cases) if not case.is_edge]
    found = []
    for leaf in wrong:
        for other in sheet.cases[0].expected:
            if other != leaf and all(
                other in sheet.cases[i].expected
                and not differs(answers[i].leaves[leaf], sheet.cases[i].expected[other], sheet.spec)
                for i in values
                if leaf in answers[i].leaves
            ):
                hint = f"Its numbers are those of `{other}`: which line makes each of the two?"
                found.append(Diagnosis(f"`{leaf}` holds what belongs to `{other}`", hint))
                break
    return found[:MOST_PARTS]


def _listed(leaves: list[Leaf], sheet: Sheet) -> str:
    """Leaves in words; all members of a dict by the dict's name."""
    words = []
    for name in sheet.returns:
        members = [leaf for leaf in sheet.cases[0].expected if leaf.output == name]
        mine = [leaf for leaf in members if leaf in leaves]
        words += [f"`{name}`"] if mine == members and mine else [f"`{leaf}`" for leaf in mine]
    return ", ".join(words)
