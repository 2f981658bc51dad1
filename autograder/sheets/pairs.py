"""Two mistakes in one formula, and what they would give together.

Where an exercise has one output, a second mistake hides the first: neither gives just these numbers. So pairs
of declared mistakes and of single slips, made at different sites, are tried too: the likeliest ones, and no
more of them than `MOST_PAIRS`; then pairs of declared ones that are more than one expression.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from itertools import chain, combinations, islice

from autograder.course.masters import GradedExercise, Master
from autograder.errors import CourseError
from autograder.sheets.effects import Distinct, effects_of
from autograder.sheets.mistake import ON_THE_WAY, Effect, Mistake
from autograder.sheets.sheet import Sheet
from autograder.sheets.slip_kinds import KINDS_IN_PAIRS
from autograder.sheets.slips import (
    Edit,
    Path,
    beside_what_stands,
    compiled,
    expression,
    how_to_try,
    place_of,
    replaced,
    scope_of,
    shuffled,
    sites_of,
    slips_in,
)

MOST_PAIRS = 1200
MOST_DECLARED = 600
MOST_SINGLE = 60
MOST_LEAVES = 2


def pairs_of(master: Master, sheet: Sheet) -> list[Mistake]:
    """The pairs of mistakes of an exercise that show in every case of random values, each effect once.

    Returns:
        Mistakes with the words of a second one; where the exercise has several outputs none but those that
        are made beside what was to be mended.
    """
    return beside_what_stands(master, sheet) + _of_one_output(master, sheet)


def _of_one_output(master: Master, sheet: Sheet) -> list[Mistake]:
    exercise = master.exercises[sheet.name]
    if exercise.spec.ways or len(sheet.returns) > 1 or len(sheet.cases[0].expected) > MOST_LEAVES:
        return []
    tree = ast.parse(exercise.source)
    distinct = Distinct(sheet)
    telling = []
    for edit in _singles(master, exercise, tree):
        effects = effects_of(compiled(master, exercise, edit.tree), sheet)
        distinct.add(Mistake(edit.name, edit.hint, effects))
        # What ordinary values do not show by itself has no name beside another.
        telling += [edit] if _shows_always(effects, sheet) else []
    pairs = chain(
        islice(_of_edits(master, exercise, sheet, telling), MOST_PAIRS),
        islice(_of_declared(master, exercise, sheet, {edit.name for edit in telling}), MOST_DECLARED),
    )
    found = [pair for pair in pairs if _shows_always(pair.effects, sheet) and distinct.add(pair)]
    found.sort(key=shuffled)
    return [_kept_back(pair, exercise) for pair in found] if exercise.spec.derived else found


def _of_edits(
    master: Master, exercise: GradedExercise, sheet: Sheet, telling: Sequence[Edit]
) -> Iterator[Mistake]:
    """Pairs of single expressions, of which neither lies inside the other."""
    for one, other in combinations(telling, 2):
        if _apart(one.path, other.path) and one.name != other.name:
            both = replaced(one.tree, other.path, other.replacement)
            effects = effects_of(compiled(master, exercise, both), sheet)
            yield Mistake(one.name, one.hint, effects, other=(other.name, other.hint))


def _of_declared(
    master: Master, exercise: GradedExercise, sheet: Sheet, paired: Set[str]
) -> Iterator[Mistake]:
    """Pairs of declared mistakes whose sites lie apart, unless both are among those that are paired already.

    Of these nothing is told of the edge cases: so each must show in random values by itself.
    """
    shown = {mistake.name for mistake in sheet.mistakes if _shows_always(mistake.effects, sheet)}
    mutants = [mutant for mutant in exercise.spec.misconceptions if mutant.name in shown]
    for one, other in combinations(mutants, 2):
        if one.name == other.name or {one.name, other.name} <= paired:
            continue
        both = replace(one, more=(*one.more, *other.edits))
        try:
            function = master.mutant_function(exercise.name, both)
        except (CourseError, SyntaxError):
            continue  # the sites overlap
        effects = effects_of(function, sheet, edges=False)
        yield Mistake(one.name, one.hint, effects, other=(other.name, other.hint))


def _kept_back(pair: Mistake, exercise: GradedExercise) -> Mistake:
    """A pair in which a slip is called as single slips of a formula that is to be found are."""
    declared = {mutant.name for mutant in exercise.spec.misconceptions}
    words = [(pair.name, pair.hint), *([pair.other] if pair.other else [])]
    one, *more = (both if both[0] in declared else (ON_THE_WAY, how_to_try(exercise)) for both in words)
    return replace(pair, name=one[0], hint=one[1], other=more[0] if more else None)


def _shows_always(effects: Sequence[Effect], sheet: Sheet) -> bool:
    """Whether numbers are wrong in every case of random values."""
    pairs = zip(effects, sheet.cases, strict=True)
    return all(effect and not isinstance(effect, str) for effect, case in pairs if not case.is_edge)


def _singles(master: Master, exercise: GradedExercise, tree: ast.Module) -> Iterator[Edit]:
    """The mistakes that pairs are made of: declared ones at one expression, then slips."""
    start = place_of(tree, exercise.name)
    sites = {
        ast.unparse(node): path
        for path, node, _ in sites_of(tree.body[start], (("body", start),))
        if isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
    }
    found = []
    for mutant in exercise.spec.misconceptions:
        site, instead = (expression(code) for code in mutant.edits[0])
        path = sites.get(ast.unparse(site)) if site else None
        if path and instead and len(mutant.edits) == 1:
            found.append(Edit(mutant.name, mutant.hint, replaced(tree, path, instead), path, instead))
    found += slips_in(tree, start, scope_of(master, exercise, tree), KINDS_IN_PAIRS)
    yield from found[:MOST_SINGLE]


def _apart(one: Path, other: Path) -> bool:
    """Whether two sites lie beside each other, neither inside the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] != other[:shorter]
