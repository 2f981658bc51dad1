"""A wrong answer -> the mistake it looks like, by name.

First the exercise's own misconceptions (what each of them would have given), then mistakes that can be
told from any two arrays (transposed, wrong sign, an average for a sum, single precision) or from outputs that
are one and the same, then the single slips of the reference that nobody declared; at last two mistakes at
once. Whatever is named gives just these numbers, and changes nothing that is right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import combinations, permutations

import numpy as np

from autograder.answers.leaf import Leaf
from autograder.answers.leaves import student_leaves
from autograder.judging.general_mistakes import VERY_NEAR, general_mistake, nearly_right, turned_factor
from autograder.record import Diagnosis
from autograder.sheets.effects import traces_of
from autograder.sheets.mistake import (
    IN_PART,
    ON_THE_WAY,
    STANDS_IN_PART,
    STILL_STANDS,
    UNTOLD,
    WRONG,
    Effect,
    Mistake,
    Trace,
    same_trace,
    trace_of,
)
from autograder.sheets.sheet import Answer, Sheet, differs

# All orders of five values are 120; no exercise returns more.
MOST_RETURNS = 5
# So many mistakes are named at most, each of some outputs.
MOST_PARTS = 3
# Beside another mistake one is named only if it gives so much of all that it changes.
MOST_OF = 2 / 3
# Of two outputs that are the same one may have been computed as the other; of three that is less likely than
# that all are one array.
PAIR = 2
# The sentence of a hint that tells what is right beside its mistake, with a question behind it.
ELSE_RIGHT = re.compile(r"^[^.?!]*\b(?:is|are) right\b[^.?!]*[.?!] (?=\S)")


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
    seen = _Seen(sheet, answers)
    declared = [mistake for mistake in sheet.mistakes if mistake.made_in not in right]
    if sheet.spec.ways and called is not None:
        # Who finds a derivation without the function that another mistake is made in has not made that one.
        declared = [mistake for mistake in declared if not mistake.made_in or mistake.made_in in called]
    for mistake in declared:
        # That this very mistake was foreseen would say that the answer is near: its way is told all the same.
        if mistake.name not in sheet.spec.ways and seen.is_just(mistake):
            is_exact = mistake.shows and not mistake.made_in
            return [Diagnosis(_named(mistake, called), mistake.hint, is_exact=is_exact)]
    exchanged = _exchanged(sheet, answers)
    if exchanged:
        return [exchanged]
    wrong = wrong_in(sheet, answers)
    if not wrong:
        return []
    shared = _shared(sheet, answers)
    if shared and (len(shared) > PAIR or _is_misshapen(sheet, answers, shared[0])):
        return [_under_several_names(shared)]
    # What `tried_by` saw is no array of the answer's: that it is 0 says nothing of zeros.
    arrays = {leaf: cases for leaf, cases in wrong.items() if not sheet.seen_of(leaf)}
    general = general_mistake(sheet, answers, arrays) if arrays else None
    if general and sheet.spec.tried_by:
        # Zeros that a model's way back gives are declared mistakes (a cut), and no array was made of zeros.
        most_first = sorted(declared, key=lambda mistake: -len(seen.part_of(mistake)))
        parts = _in_parts(seen, most_first, [], called, wrong, answers)
        if parts and parts[0].name != general.name:
            return parts
    if general:
        some_right = len(wrong) < len(sheet.cases[0].expected)
        return [replace(general, where=_listed(list(arrays), sheet) if some_right else "")]
    if not arrays:
        return []  # the fact itself says more than which slip may have led to it
    if sheet.spec.ways:
        return _wrong_ways(sheet, answers, wrong)
    slips = sheet.slips()
    for slip in slips:
        if seen.is_just(slip):
            near = nearly_right(sheet, answers, wrong, VERY_NEAR) if slip.name == ON_THE_WAY else None
            if near:
                return [near]  # no paper finds a slip in the eighth digit
            return [Diagnosis(slip.name, slip.hint, is_exact=True)]
    if shared:
        return [_under_several_names(shared)]
    if any(answer.problems for case, answer in zip(sheet.cases, answers, strict=True) if not case.is_edge):
        return []  # a part is missing, or no array: that says more than the numbers of the others
    # That some slip without a name gives one of several wrong outputs says nothing, and may be chance.
    named = [slip for slip in slips if slip.name != ON_THE_WAY]
    found = (
        _in_pairs(seen, beside_what_stands=True)
        or _in_parts(seen, declared, named, called, wrong, answers)
        or _in_pairs(seen)
        or _misplaced(sheet, answers, wrong)
    )
    turned = None if found else turned_factor(sheet, answers, wrong)
    if turned:
        where = _listed(list(wrong), sheet) if len(wrong) < len(sheet.cases[0].expected) else ""
        return [replace(turned, where=where)]
    return found


def explains_all(sheet: Sheet, effects: Sequence[Effect], answers: Sequence[Answer]) -> bool:
    """Whether a mistake gives just these answers, right where they are right and wrong as they are."""
    return _Seen(sheet, answers).is_just(Mistake("", "", tuple(effects)))


def _named(mistake: Mistake, called: frozenset[str] | None) -> str:
    """A mistake's name; "(in `f`)" behind it is left out where f is not called at all."""
    if called is None or not mistake.made_in or mistake.made_in in called:
        return mistake.name
    return mistake.name.removesuffix(f" (in `{mistake.made_in}`)")


def _wrong_ways(sheet: Sheet, answers: Sequence[Answer], wrong: dict[Leaf, list[int]]) -> list[Diagnosis]:
    """The ways of a derivation that are wrong: by which outputs are, never by how.

    None where an output is missing, or of a wrong shape: that is to be said first.
    """
    if any(answer.problems for case, answer in zip(sheet.cases, answers, strict=True) if not case.is_edge):
        return []
    for leaf, cases in wrong.items():
        if any(answers[i].leaves[leaf].shape != sheet.cases[i].expected[leaf].shape for i in cases):
            return []
    parts = _general_parts(sheet, answers, wrong)
    told = {str(leaf) for leaf in wrong if not any(leaf in part.leaves for part in parts)}
    gone = _gone_right(sheet, told)
    ways = {
        name: way
        for name, way in sheet.spec.ways.items()
        if name not in gone and told.issuperset(way.outputs)
    }
    named = [Diagnosis(name, way.hint) for name, way in ways.items() if not ways.keys() & set(way.behind)]
    return [part.diagnosis for part in parts] + named


def _gone_right(sheet: Sheet, told: Set[str]) -> set[str]:
    """The ways that are right because something is that they end in, whatever else is made of them.

    What comes home in an output of its own comes by all the ways that this one is behind; what stands in one
    member of a dict comes by some of them.
    """
    ends = [way for way in sheet.spec.ways.values() if told.isdisjoint(way.outputs)]
    return {name for way in ends if set(way.outputs) <= {*sheet.returns} for name in way.behind}


@dataclass(frozen=True)
class _Part:
    """What any two arrays tell of one of several wrong outputs.

    Args:
        diagnosis: the mistake.
        leaves: those of the output.
    """

    diagnosis: Diagnosis
    leaves: tuple[Leaf, ...]


def _general_parts(
    sheet: Sheet, answers: Sequence[Answer], wrong: dict[Leaf, list[int]], known: Set[Leaf] = frozenset()
) -> list[_Part]:
    """A mistake that any two arrays tell, of each output that is wrong in all its members.

    Args:
        sheet: the exercise's answer sheet.
        answers: the answers to its cases.
        wrong: the wrong leaves, and the cases in which they are.
        known: leaves of which something is said already.
    """
    found = []
    for name in sheet.own:
        members = tuple(leaf for leaf in sheet.cases[0].expected if leaf.output == name)
        if not members or not wrong.keys() >= {*members} or known & {*members}:
            continue
        general = general_mistake(sheet, answers, {leaf: wrong[leaf] for leaf in members})
        if general:
            hint = general.hint if wrong.keys() == {*members} else _not_alone(general.hint)
            found.append(_Part(replace(general, hint=hint, where=_listed(list(members), sheet)), members))
    return found


class _Seen:
    """What is wrong in an answer, as traces, to be held against what mistakes give.

    Args:
        sheet: the exercise's answer sheet.
        answers: the answers to its cases.
    """

    def __init__(self, sheet: Sheet, answers: Sequence[Answer]):
        self.sheet = sheet
        self._failed = [answer.failed for answer in answers]
        self._is_whole = [
            not answer.outcome.error and answer.leaves.keys() == case.expected.keys()
            for case, answer in zip(sheet.cases, answers, strict=True)
        ]
        self.wrong = [
            traces_of(answer.leaves, case, sheet) for case, answer in zip(sheet.cases, answers, strict=True)
        ]
        self._right: dict[tuple[int, Leaf], Trace] = {}

    def is_just(self, mistake: Mistake) -> bool:
        """Whether a mistake gives just these answers, right where they are right and wrong as they are."""
        if not any(mistake.effects):
            return False
        return all(self._is_just_in(i, effect, mistake) for i, effect in enumerate(mistake.effects))

    def _is_just_in(self, index: int, effect: Effect, mistake: Mistake) -> bool:
        if effect == UNTOLD:
            return True
        if effect == WRONG:
            return not self._is_whole[index] or bool(self.wrong[index])
        if isinstance(effect, str):
            # Where a mistake shows by a failure only, its words must agree: any crash is like any other.
            failed = self._failed[index]
            return failed == effect or (mistake.shows and _kind(failed) == _kind(effect))
        if not self._is_whole[index] or self.wrong[index].keys() != effect.keys():
            return False
        return all(self._is_same(index, leaf, effect) for leaf in effect)

    def part_of(self, mistake: Mistake) -> list[Leaf]:
        """The wrong leaves that a mistake gives for random values; none where it would spoil a right one too.

        Of what it changes most must be just this: a part of it may be what another mistake gives as well. (Of
        what stood there any part tells: where a line was spoilt beside it, little else may be as it was.)
        """
        shown = self._shown(mistake)
        if self.spares(mistake):
            return []
        changed = dict.fromkeys(leaf for _, effect in shown for leaf in effect)
        found = [
            leaf
            for leaf in changed
            if all(
                leaf in effect and self._is_same(i, leaf, effect)
                for i, effect in shown
                if leaf in self.wrong[i]
            )
        ]
        least = 0 if mistake.name == STILL_STANDS else MOST_OF
        return found if len(found) >= least * len(changed) else []

    def spares(self, mistake: Mistake) -> bool:
        """Whether something is right for random values that a mistake would have spoiled."""
        return not all(effect.keys() <= self.wrong[i].keys() for i, effect in self._shown(mistake))

    def _shown(self, mistake: Mistake) -> list[tuple[int, Mapping[Leaf, Trace]]]:
        """The cases of random values in which a mistake changes numbers, and what it gives there."""
        return [
            (i, effect)
            for i, effect in enumerate(mistake.effects)
            if not isinstance(effect, str) and not self.sheet.cases[i].is_edge
        ]

    def _is_same(self, index: int, leaf: Leaf, effect: Mapping[Leaf, Trace]) -> bool:
        if (index, leaf) not in self._right:
            expected = self.sheet.cases[index].expected[leaf]
            self._right[index, leaf] = trace_of(expected, expected)
        return same_trace(self.wrong[index][leaf], effect[leaf], self._right[index, leaf])


def _kind(failed: str) -> str:
    return failed.partition(":")[0]


def _exchanged(sheet: Sheet, answers: Sequence[Answer]) -> Diagnosis | None:
    """All values right, but returned in another order than the one asked for."""
    value, expected = answers[0].outcome.value, sheet.cases[0].expected
    own = [i for i, name in enumerate(sheet.returns) if name in sheet.own]
    if not isinstance(value, tuple | list) or len(value) != len(sheet.returns) or len(own) > MOST_RETURNS:
        return None
    expected = {leaf: array for leaf, array in expected.items() if leaf.output in sheet.own}
    for order in list(permutations(own))[1:]:  # the first is the order asked for
        parts = list(value)
        for place, i in zip(own, order, strict=True):
            parts[place] = value[i]
        leaves, problems = student_leaves(tuple(parts), sheet.returns, expected)
        if not problems and not any(differs(leaves[leaf], expected[leaf], sheet.spec) for leaf in expected):
            asked = ", ".join(f"`{name}`" for name in sheet.own)
            return Diagnosis("returned in another order", f"The order asked for is {asked}.")
    return None


def _shared(sheet: Sheet, answers: Sequence[Answer]) -> list[Leaf]:
    """Outputs that hold the same numbers in every case, though no two of them should; else none."""
    if sheet.spec.tried_by:
        return []  # what it adds is no array that the answer made
    values = [i for i, case in enumerate(sheet.cases) if not case.is_edge]
    expected = sheet.cases[values[0]].expected
    groups: list[list[Leaf]] = []

    def are_one(a: Leaf, b: Leaf) -> bool:
        same = all(np.array_equal(answers[i].leaves[a], answers[i].leaves[b]) for i in values)
        return same and expected[a].shape == expected[b].shape

    for leaf in expected:
        arrays = [answers[i].leaves.get(leaf) for i in values]
        # One number everywhere, zeros above all, has another name.
        if any(array is None or not array.size or (array == array.flat[0]).all() for array in arrays):
            continue
        group = next((group for group in groups if are_one(group[0], leaf)), None)
        if group:
            group.append(leaf)
        else:
            groups.append([leaf])
    group = max(groups, key=len, default=[])
    alike = any(np.array_equal(expected[a], expected[b]) for a, b in combinations(group, 2))
    return [] if alike or len(group) < PAIR else group


def _is_misshapen(sheet: Sheet, answers: Sequence[Answer], leaf: Leaf) -> bool:
    return answers[0].leaves[leaf].shape != sheet.cases[0].expected[leaf].shape


def _under_several_names(leaves: Sequence[Leaf]) -> Diagnosis:
    return Diagnosis(
        f"the same numbers under several names: {', '.join(f'`{leaf}`' for leaf in leaves)}",
        "Has each of them an array, or a list, of its own? `a = b = []` and `dict.fromkeys` give one thing "
        "several names. If each has: is it filled with its own numbers?",
    )


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


def _in_parts(
    seen: _Seen,
    declared: Sequence[Mistake],
    slips: Sequence[Mistake],
    called: frozenset[str] | None,
    wrong: dict[Leaf, list[int]],
    answers: Sequence[Answer],
) -> list[Diagnosis]:
    """Several mistakes at once: each wrong output explained by a mistake of its own.

    What any two arrays tell of an output goes before the slips here, too: many slips leave entries 0.
    """
    by_name = {mistake.name: mistake for mistake in [*declared, *slips]}
    explained: dict[Leaf, Mistake] = {}
    for mistake in declared:
        for leaf in seen.part_of(mistake):
            explained.setdefault(leaf, mistake)
    general = _general_parts(seen.sheet, answers, wrong, explained.keys())
    told = {leaf for part in general for leaf in part.leaves}
    for slip in slips:
        for leaf in seen.part_of(slip):
            if leaf not in told:
                explained.setdefault(leaf, slip)
    for leaf, mistake in explained.items():
        # That it was made in part only is known where something is right that it would have spoiled.
        if mistake.name.endswith(IN_PART):
            whole = by_name.get(mistake.name.removesuffix(IN_PART), mistake)
            explained[leaf] = mistake if seen.spares(whole) else whole
        if mistake.name == STILL_STANDS:  # other numbers than that alone: something was changed
            explained[leaf] = replace(mistake, name=STANDS_IN_PART)
    by_words: dict[tuple[str, str], list[Leaf]] = {}
    for leaf, mistake in explained.items():
        by_words.setdefault((_named(mistake, called), mistake.hint), []).append(leaf)
    ranked = sorted(by_words, key=lambda words: -len(by_words[words]))
    found = [
        Diagnosis(name, _not_alone(hint), _listed(by_words[name, hint], seen.sheet)) for name, hint in ranked
    ]
    return [*found, *(part.diagnosis for part in general)][:MOST_PARTS]


def _in_pairs(seen: _Seen, beside_what_stands: bool = False) -> list[Diagnosis]:
    """Two mistakes at once that give just this together: all pairs, or those beside what was to be mended."""
    if beside_what_stands and not seen.sheet.spec.stands:
        return []
    for pair in seen.sheet.pairs():
        if beside_what_stands and pair.name != STANDS_IN_PART:
            continue
        if pair.other and seen.is_just(pair):
            other, hint = pair.other
            return [Diagnosis(pair.name, _not_alone(pair.hint)), Diagnosis(other, _not_alone(hint))]
    return []


def _not_alone(hint: str) -> str:
    """The hint to a mistake beside which something else is wrong: it does not say that all else is right."""
    return ELSE_RIGHT.sub("", hint)


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
    """Leaves in words; all members of a dict by the dict's name. What only `tried_by` knows has no name."""
    words = []
    leaves = [leaf for leaf in leaves if not sheet.seen_of(leaf)]
    for name in sheet.returns:
        members = [leaf for leaf in sheet.cases[0].expected if leaf.output == name]
        mine = [leaf for leaf in members if leaf in leaves]
        words += [f"`{name}`"] if mine == members and mine else [f"`{leaf}`" for leaf in mine]
    return ", ".join(words)
