"""Every single slip of a reference solution, and what it would give: names for mistakes nobody declared.

A slip is one edit of the reference's syntax tree (`slip_kinds`). Of its effect three numbers are kept, enough
to recognise it: there are hundreds of slips, and hardly any of their arrays will ever be seen.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from autograder.answers.leaf import Leaf, Leaves
from autograder.answers.leaves import reference_leaves
from autograder.course.masters import GradedExercise, Master
from autograder.sheets.sheet import (
    Case,
    Sheet,
    Shown,
    Slip,
    right_trace,
    same_trace,
    trace_of,
    wrong_leaves,
)
from autograder.sheets.slip_kinds import KINDS, Scope

Path = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class _Edit:
    """One slip: its words, and the syntax tree of the cell in which it was made."""

    name: str
    hint: str
    tree: ast.Module


def slips_of(master: Master, sheet: Sheet) -> list[Slip]:
    """The slips of an exercise that show in the sheet's cases, each effect once.

    A slip that makes the function fail, or gives another shape, is left out: there the failure's or the
    shape's own words say more.
    """
    exercise = master.exercises[sheet.name]
    if exercise.spec.ways:
        return []  # their names would tell a derivation factor by factor
    found: dict[tuple[tuple[int, tuple[Leaf, ...]], ...], list[Slip]] = {}
    right = cache(lambda case, leaves: right_trace(sheet.cases[case], leaves))
    with np.errstate(all="ignore"):
        for edit in _edits(master, exercise):
            slip = _slip(edit, _compiled(master, exercise, edit.tree), sheet)
            if slip.shown:
                alike = found.setdefault(tuple((one.case, one.leaves) for one in slip.shown), [])
                if not any(_same(slip, other, right) for other in alike):
                    alike.append(slip)
    return [slip for alike in found.values() for slip in alike]


def _same(slip: Slip, other: Slip, right: Callable[..., np.ndarray]) -> bool:
    """Whether two slips that change the same leaves give the same."""
    return all(
        same_trace(mine.trace, theirs.trace, right(mine.case, mine.leaves))
        for mine, theirs in zip(slip.shown, other.shown, strict=True)
    )


def _compiled(master: Master, exercise: GradedExercise, tree: ast.Module) -> Callable[..., Any]:
    namespace = dict(master.reference)
    exec(compile(tree, f"<a slip in {exercise.name}>", "exec", dont_inherit=True), namespace)
    return namespace[exercise.name]


def _slip(edit: _Edit, function: Callable[..., Any], sheet: Sheet) -> Slip:
    """What a slip gives in the cases of random values."""
    shown = []
    for index, case in enumerate(sheet.cases):
        wrong = {} if case.is_edge else _wrong_leaves(function, case, sheet)
        if wrong:
            shown.append(Shown(index, tuple(wrong), trace_of(wrong, case.expected)))
    return Slip(edit.name, edit.hint, tuple(shown))


def _wrong_leaves(function: Callable[..., Any], case: Case, sheet: Sheet) -> Leaves:
    """The leaves that a slip changes in one case; none where it fails."""
    try:
        leaves = reference_leaves(function(*copy.deepcopy(list(case.inputs.values()))), sheet.returns)
    except Exception:
        return {}
    return wrong_leaves(leaves, case, sheet.spec)


def _edits(master: Master, exercise: GradedExercise) -> Iterator[_Edit]:
    """Every slip of an exercise's solution, told from the others by its code."""
    tree = ast.parse(exercise.source)
    scope = _scope(master, exercise, tree)
    start = next(
        i
        for i, node in enumerate(tree.body)
        if isinstance(node, ast.FunctionDef) and node.name == exercise.name
    )
    seen = {ast.dump(tree)}
    for kind in KINDS:
        for path, node, target in _sites(tree.body[start], (("body", start),)):
            for name, hint, replacement in kind(node, scope):
                slipped = _with(tree, path, replacement)
                code = ast.dump(slipped)
                if code not in seen:
                    seen.add(code)
                    is_new = target in scope.known and f"`{target}`" not in hint
                    place = f" Look at `{target}`." if is_new else ""
                    yield _Edit(name, hint + place, ast.fix_missing_locations(slipped))


def _scope(master: Master, exercise: GradedExercise, tree: ast.Module) -> Scope:
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
        known=frozenset({*exercise.parameters, *exercise.spec.returns, *(variables & _words(master))}),
        names=(*exercise.parameters, *sorted(variables - lists - {"_"})),
        keys={name: tuple(sorted(found)) for name, found in keys.items()},
        functions=frozenset(exercise.spec.needs),
    )


def _assigned(node: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    """The targets of an assignment and their values, `a, b = [], 0` taken apart."""
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        return list(zip(target.elts, value.elts, strict=True))
    return [(target, value)]


def _words(master: Master) -> set[str]:
    """The names that the text puts in backticks, each alone, and those in the heads of answers."""
    found: set[str] = set()
    for cell in master.cells:
        if cell.kind == "markdown":
            found.update(re.findall(r"`([A-Za-z_]\w*)`", cell.source))
        elif cell.role == "exercise":
            found.update(re.findall(r"[A-Za-z_]\w*", cell.source.partition("### BEGIN SOLUTION")[0]))
    return found


def _sites(node: ast.AST, path: Path, target: str = "") -> Iterator[tuple[Path, ast.AST, str]]:
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
            yield from _sites(value, (*path, (name, None)), target)
        elif isinstance(value, list):
            for i, member in enumerate(value):
                if isinstance(member, ast.AST):
                    yield from _sites(member, (*path, (name, i)), target)


def _with(node: Any, path: Path, replacement: ast.AST) -> Any:
    """A copy of a tree with one node replaced; the tree itself stays as it is."""
    if not path:
        return copy.deepcopy(replacement)  # it may hold a node twice
    (name, index), rest = path[0], path[1:]
    changed = copy.copy(node)
    child = getattr(node, name)
    if index is None:
        setattr(changed, name, _with(child, rest, replacement))
    else:
        members = list(child)
        members[index] = _with(members[index], rest, replacement)
        setattr(changed, name, members)
    return changed
