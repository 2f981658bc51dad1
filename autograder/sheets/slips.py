"""Every single slip of a reference solution, and what it would give: names for mistakes nobody declared.

A slip is one edit of the reference's syntax tree (`slip_kinds`).
"""

from __future__ import annotations

import ast
import copy
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autograder.answers.compare import STATE_WORDS, plural
from autograder.answers.leaves import reference_leaves
from autograder.course.masters import GradedExercise, Master
from autograder.sheets.effects import Distinct, effects_of, traces_of
from autograder.sheets.mistake import (
    IN_PART,
    ON_THE_WAY,
    STANDS_IN_PART,
    STILL_STANDS,
    UNTOLD,
    Effect,
    Mistake,
)
from autograder.sheets.sheet import Case, Sheet
from autograder.sheets.slip_kinds import KINDS, LOCAL_KINDS, Scope, SlipKind, in_words
from autograder.sheets.spellings import put_in, written_out

# In a longer solution each slip costs so much that only declared mistakes are tried at one place of several.
MOST_NODES = 700
# So many times what is expected an array is only where something was divided by a rounding error.
OF_ROUNDING = 1e12
TRY_ALONE = "Follow this quantity on its way back; compare each step with a nudge of the forward."
# What is found without a way back: a slope, a Jacobian, a norm.
TRY_A_CASE = "Do one entry on paper, with numbers: which line of yours is the first that gives another one?"
# Of a slip in code that stood there to be mended.
COMPARE = "Compare your lines with those that stood there, one by one: what was right has to stay right."
HINT_IN_PART = "The same quantity is used at several places: compare how you wrote it at each of them."
# An exercise that follows formulas names their numbers, `# (5.3)`; where it names none there is none to read.
FORMULA_NUMBER = re.compile(r"\(\d+\.\d+\)")
# What is a name in the head of an answer and no word of English: `s_prev`, `dW`, `t` by itself; others by
# what stands beside them.
NOTATION = re.compile(r"[A-Za-z_]\w*_\w*|\bd?[A-Za-z]\b")
NAMED = re.compile(rf"{NOTATION.pattern}|(?<=[`\"'])[A-Za-z_]\w*|[A-Za-z_]\w*(?=[:\[`\"'(])")
# The way from a cell's tree to a node: fields, and places in lists.
Path = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class Edit:
    """One slip: its words, the cell's tree in which it was made, where, what stands there, its kind."""

    name: str
    hint: str
    tree: ast.Module
    path: Path
    replacement: ast.AST
    kind: int = -1


def slips_of(master: Master, sheet: Sheet) -> list[Mistake]:
    """The slips of an exercise that show in the sheet's cases, each effect once.

    A slip that makes the function fail, or gives another shape, is left out: there the failure's or the
    shape's own words say more.

    They are given by kind, and within a kind by a hash: their order is released with them, and must not say
    in which order the solution's lines stand.
    """
    exercise = master.exercises[sheet.name]
    if exercise.spec.ways:
        return []  # their names would tell a derivation factor by factor
    distinct = Distinct(sheet)
    stands = [
        replace(one, effects=_ordinary(one, sheet)) for one in sheet.mistakes if one.name == STILL_STANDS
    ]
    for mistake in stands:
        distinct.add(mistake)  # what ordinary values do not tell from what stands is no slip on the way
    kinds: dict[int, int] = {}
    for edit in edits_of(master, exercise, sheet):
        effects = effects_of(compiled(master, exercise, edit.tree), sheet, edges=False)
        slip = Mistake(edit.name, edit.hint, effects)
        plain = all(_is_plain(effect, case) for effect, case in zip(effects, sheet.cases, strict=True))
        if plain and distinct.add(slip):
            kinds[id(slip)] = edit.kind
    told = (slip for slip in distinct.found if id(slip) in kinds)
    found = sorted(told, key=lambda slip: (kinds[id(slip)], shuffled(slip)))
    if not exercise.spec.derived:
        return found
    seen = words_of_what_stands(master, exercise)
    return [
        replace(slip, hint=COMPARE)
        if slip.name in seen
        else replace(slip, name=ON_THE_WAY, hint=how_to_try(exercise))
        for slip in found
    ]


def words_of_what_stands(master: Master, exercise: GradedExercise) -> set[str]:
    """Names of the slips that can be made in what stands there to be mended.

    They may be said: they speak of code that a student has before the eyes. Not so where they speak of a name
    that means another thing in the solution: nobody knows which of the two the student's code has.
    """
    if not exercise.spec.mends:
        return set()
    solved, stands = _taken_apart(ast.parse(exercise.source)), _taken_apart(as_it_stands(exercise))
    doubtful = [
        f"`{name}`" for (value, name), place in solved.items() if stands.get((value, name), place) != place
    ]
    names = {edit.name for edit in _slips_in_what_stands(master, exercise)}
    return {name for name in names if not any(word in name for word in doubtful)}


def _taken_apart(tree: ast.Module) -> dict[tuple[str, str], int]:
    """Which part of a value each name gets, where several names get one each: (value, name) -> place."""
    return {
        (ast.unparse(node.value), name.id): place
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)
        for place, name in enumerate(node.targets[0].elts)
        if isinstance(name, ast.Name)
    }


def _slips_in_what_stands(master: Master, exercise: GradedExercise) -> Iterator[Edit]:
    tree = as_it_stands(exercise)
    yield from slips_in(tree, place_of(tree, exercise.name), scope_of(master, exercise, tree), KINDS)


def as_it_stands(exercise: GradedExercise) -> ast.Module:
    """The exercise's cell as the release has it: with what is to be mended in the solution's place."""
    tree = ast.parse(exercise.source)
    tree.body[place_of(tree, exercise.name)].body = ast.parse(exercise.spec.stands).body  # type: ignore[attr-defined]
    return tree


def beside_what_stands(master: Master, sheet: Sheet) -> list[Mistake]:
    """What is to be mended left as it stands, and one mistake made in what was right: each effect once.

    Returns:
        Mistakes called by what stands there still, with the words of the other one: a declared mistake where
        its site stands in the broken code too, or a single slip.
    """
    exercise = master.exercises[sheet.name]
    if not exercise.spec.mends:
        return []
    distinct = Distinct(sheet)
    for mistake in [*sheet.mistakes, *sheet.slips()]:
        distinct.add(replace(mistake, effects=_ordinary(mistake, sheet)))
    known = {id(mistake) for mistake in distinct.found}
    tree = as_it_stands(exercise)
    start = place_of(tree, exercise.name)
    for edit in [*_declared_in(exercise, tree, start), *_slips_in_what_stands(master, exercise)]:
        effects = effects_of(compiled(master, exercise, edit.tree), sheet, edges=False)
        if all(_is_plain(effect, case) for effect, case in zip(effects, sheet.cases, strict=True)):
            hint = edit.hint if edit.kind < 0 else COMPARE
            distinct.add(Mistake(STANDS_IN_PART, exercise.spec.shown_by, effects, other=(edit.name, hint)))
    return sorted((one for one in distinct.found if id(one) not in known), key=shuffled)


def _ordinary(mistake: Mistake, sheet: Sheet) -> tuple[Effect, ...]:
    """What a mistake gives for random values; nothing is told of the edge cases."""
    pairs = zip(mistake.effects, sheet.cases, strict=True)
    return tuple(UNTOLD if case.is_edge else effect for effect, case in pairs)


def _declared_in(exercise: GradedExercise, tree: ast.Module, start: int) -> Iterator[Edit]:
    """The declared mistakes whose one site is an expression that stands in a tree, once."""
    places: dict[str, list[Path]] = {}
    for path, node, _ in sites_of(tree.body[start], (("body", start),)):
        if isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            places.setdefault(ast.unparse(node), []).append(path)
    for mutant in exercise.spec.misconceptions:
        site, instead = (expression(code) for code in mutant.edits[0])
        paths = places.get(ast.unparse(site), []) if site else []
        if len(mutant.edits) == 1 and len(paths) == 1 and instead:
            yield Edit(mutant.name, mutant.hint, replaced(tree, paths[0], instead), paths[0], instead)


def how_to_try(exercise: GradedExercise) -> str:
    """What helps with a slip that must not be named."""
    return TRY_ALONE if exercise.spec.gradient else TRY_A_CASE


def shuffled(mistake: Mistake) -> tuple[str, list[float]]:
    """A place for a mistake that tells nothing of where it was made; of the same words its numbers decide."""
    traces = [effect for effect in mistake.effects if not isinstance(effect, str)]
    where = [[str(leaf) for leaf in effect] for effect in traces]
    digest = hashlib.sha256(repr((mistake.name, mistake.hint, mistake.other, where)).encode()).hexdigest()
    return digest, [float(n) for effect in traces for trace in effect.values() for n in trace.numbers]


def _is_plain(effect: Effect, case: Case) -> bool:
    """Whether an effect is nothing but other numbers; or a failure, which another case may tell.

    What was divided by what is left of numbers that cancel is infinite on another processor: no such number.
    """
    return isinstance(effect, str) or all(
        trace.shape == case.expected[leaf].shape and not trace.numbers[3] and trace.numbers[2] < OF_ROUNDING
        for leaf, trace in effect.items()
    )


def compiled(master: Master, exercise: GradedExercise, tree: ast.Module) -> Callable[..., Any]:
    """The exercise's function, as a changed tree of its cell defines it."""
    namespace = dict(master.reference)
    exec(compile(tree, f"<a slip in {exercise.name}>", "exec", dont_inherit=True), namespace)
    exec(compile(exercise.tried_in, f"<what tries {exercise.name}>", "exec", dont_inherit=True), namespace)
    return namespace[exercise.called]


def edits_of(master: Master, exercise: GradedExercise, sheet: Sheet | None = None) -> Iterator[Edit]:
    """Every slip of an exercise's solution, told from the others by its code.

    Those of the solution as it stands; and, with a sheet to try it on, those of the solution written out, in
    which what is made once and used at several places can be wrong at one of them. Declared ones come first.
    """
    tree = ast.parse(exercise.source)
    scope = scope_of(master, exercise, tree)
    start = place_of(tree, exercise.name)
    function = tree.body[start]
    values: Mapping[str, ast.expr] = {}
    if isinstance(function, ast.FunctionDef):
        function, values = written_out(function)
    other = replaced(tree, (("body", start),), function)
    is_other = bool(values) and sheet is not None and _is_equal(compiled(master, exercise, other), sheet)
    if is_other:
        yield from _in_part(exercise, other, start, values)
    yield from slips_in(tree, start, scope, KINDS)
    if is_other and sum(1 for _ in ast.walk(function)) <= MOST_NODES:
        yield from slips_in(other, start, scope, LOCAL_KINDS)


def place_of(tree: ast.Module, name: str) -> int:
    """Which of a cell's statements defines a function or a class."""
    return next(
        i
        for i, node in enumerate(tree.body)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name
    )


def slips_in(tree: ast.Module, start: int, scope: Scope, kinds: Sequence[SlipKind]) -> Iterator[Edit]:
    """The slips of some kinds in the function that stands at a place of a cell."""
    seen: set[tuple[Path, str]] = set()
    for rank, kind in enumerate(kinds):
        for path, node, target in sites_of(tree.body[start], (("body", start),)):
            for name, hint, replacement in kind(node, scope):
                code = ast.dump(replacement)
                if (path, code) not in seen and code != ast.dump(node):
                    seen.add((path, code))
                    is_new = target in scope.known and f"`{target}`" not in hint
                    place = f" Look at `{target}`." if is_new else ""
                    slipped = replaced(tree, path, replacement)
                    hint = in_words(hint) if scope.in_words else hint
                    yield Edit(name, hint + place, slipped, path, replacement, rank)


def _is_equal(function: Callable[..., Any], sheet: Sheet) -> bool:
    """Whether another spelling of a solution gives what is expected in every case."""
    for case in sheet.cases:
        try:
            leaves = reference_leaves(function(*copy.deepcopy(list(case.inputs.values()))), sheet.returns)
        except Exception:
            return False
        if set(leaves) != set(case.expected) or traces_of(leaves, case, sheet):
            return False
    return True


def _in_part(
    exercise: GradedExercise, tree: ast.Module, start: int, values: Mapping[str, ast.expr]
) -> Iterator[Edit]:
    """The declared mistakes, each made at one only of the places where its site is used."""
    places: dict[str, list[Path]] = {}
    for path, node, _ in sites_of(tree.body[start], (("body", start),)):
        if isinstance(node, ast.expr):
            places.setdefault(ast.unparse(node), []).append(path)
    for mutant in exercise.spec.misconceptions:
        site, instead = (expression(code, values) for code in mutant.edits[0])
        if site is None or instead is None or len(mutant.edits) > 1:
            continue
        paths = places.get(ast.unparse(site), [])
        for path in paths if len(paths) > 1 else ():
            slipped = replaced(tree, path, instead)
            yield Edit(f"{mutant.name}{IN_PART}", HINT_IN_PART, slipped, path, instead)


def expression(code: str, values: Mapping[str, ast.expr] | None = None) -> ast.expr | None:
    """An edit's code, where it is an expression; written out where there is something to put in."""
    body = ast.parse(code).body
    if len(body) != 1 or not isinstance(body[0], ast.Expr) or ast.unparse(body[0]) == "...":
        return None
    return put_in(body[0].value, values) if values else body[0].value


def scope_of(master: Master, exercise: GradedExercise, tree: ast.Module) -> Scope:
    """The names of an exercise's solution, as its slips need them."""
    nodes = list(ast.walk(tree))
    variables = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    # A list in an array's place (or in itself) can cost minutes before it fails.
    lists = {
        target.id
        for node in nodes
        if isinstance(node, ast.Assign)
        for target, value in _assigned(node)
        if isinstance(value, ast.List) and isinstance(target, ast.Name)
    }
    keys: dict[str, set[str]] = {}
    for node in nodes:
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            strings = [n.value for n in ast.walk(node.slice) if isinstance(n, ast.Constant)]
            keys.setdefault(node.value.id, set()).update(s for s in strings if isinstance(s, str))
    return Scope(
        known=frozenset(
            {*exercise.parameters, *exercise.spec.returns, *(variables & _words(master, exercise))}
        ),
        names=(*exercise.parameters, *sorted(variables - lists - {"_"})),
        keys={name: tuple(sorted(found)) for name, found in keys.items()},
        functions=frozenset(exercise.spec.needs),
        axes=_axes(exercise),
        alike=master.alike,
        in_words=not FORMULA_NUMBER.search(exercise.source),
    )


def _assigned(node: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    """The targets of an assignment and their values, `a, b = [], 0` taken apart."""
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        return list(zip(target.elts, value.elts, strict=True))
    return [(target, value)]


def _axes(exercise: GradedExercise) -> tuple[str, str]:
    """What the last two axes of an exercise's arrays count: those of its output, or of an argument."""
    spec = exercise.spec
    words = next(
        (spec.axes[name] for name in (*spec.returns, *spec.axes) if len(spec.axes.get(name, ())) > 1), None
    )
    return tuple(map(plural, words[-2:] if words else STATE_WORDS))  # type: ignore[return-value]


def _words(master: Master, exercise: GradedExercise) -> set[str]:
    """The names that the text puts in backticks, each alone, and those in the heads of answers.

    A head's words of English are none: what is named in the exercise's own is followed by a colon or a
    bracket, stands in backticks or quotes, or is written as no word is. That alone counts in another
    exercise's head: its `bias` says nothing of a `bias` in this one.
    """
    found = set(NAMED.findall(_head(exercise.source)))
    for cell in master.cells:
        if cell.kind == "markdown":
            found.update(re.findall(r"`([A-Za-z_]\w*)`", cell.source))
        elif cell.role == "exercise":
            found.update(NOTATION.findall(_head(cell.source)))
    return found


def _head(source: str) -> str:
    return source.partition("### BEGIN SOLUTION")[0]


def sites_of(node: ast.AST, path: Path, target: str = "") -> Iterator[tuple[Path, ast.AST, str]]:
    """Every node below a node, where it is, and the variable that its line makes."""
    if isinstance(node, ast.Assign | ast.AugAssign):
        first = node.targets[0] if isinstance(node, ast.Assign) else node.target
        while isinstance(first, ast.Subscript):
            first = first.value
        target = first.id if isinstance(first, ast.Name) else ""
    yield path, node, target
    for name, value in ast.iter_fields(node):
        if name in ("args", "returns", "decorator_list") and isinstance(node, ast.FunctionDef):
            continue
        if name == "iter" and isinstance(node, ast.For):
            continue  # a loop over a list that it makes longer never ends; `loops` sees to the sequence
        if isinstance(value, ast.AST):
            yield from sites_of(value, (*path, (name, None)), target)
        elif isinstance(value, list):
            for i, member in enumerate(value):
                if isinstance(member, ast.AST):
                    yield from sites_of(member, (*path, (name, i)), target)


def replaced(node: Any, path: Path, replacement: ast.AST) -> Any:
    """A copy of a tree with one node replaced; the tree itself stays as it is."""
    if not path:
        return _placed(copy.deepcopy(replacement), node)  # it may hold a node twice
    (name, index), rest = path[0], path[1:]
    changed = copy.copy(node)
    child = getattr(node, name)
    if index is None:
        setattr(changed, name, replaced(child, rest, replacement))
    else:
        members = list(child)
        members[index] = replaced(members[index], rest, replacement)
        setattr(changed, name, members)
    return changed


def _placed(made: ast.AST, old: Any) -> ast.AST:
    """A piece of a tree whose new nodes have the place of what stood there."""
    for node in ast.walk(made):
        if any(getattr(node, attribute, None) is None for attribute in node._attributes):
            for attribute in node._attributes:
                setattr(node, attribute, getattr(old, attribute))
    return made
