"""A solution written otherwise: every intermediate quantity put where it is used.

What a student forgets at one of several places is then one edit of the tree. Works on syntax trees; whether
the other spelling computes the same is for whoever uses it to try.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

# A solution that is longer than this when it is written out is left as it is.
MOST_NODES = 1500
# A loop over no more constants than these is written out: the gates of a cell, not the steps of a sequence.
MOST_ROUNDS = 6


def written_out(function: ast.FunctionDef) -> tuple[ast.FunctionDef, Mapping[str, ast.expr]]:
    """A function in which each quantity that is made once stands where it is used, and short loops are gone.

    Args:
        function: a function's syntax tree; it stays as it is.

    Returns:
        The other spelling, and what was put in the place of each name.
    """
    made: ast.FunctionDef = _Unrolling().visit(copy.deepcopy(function))
    made.body = [line for one in made.body for line in _apart(one)]
    values: dict[str, ast.expr] = {}
    for name, value in _quantities(made):
        values[name] = _Putting(values).visit(copy.deepcopy(value))
    putting = _Putting(values)
    made.body = [putting.visit(line) for line in made.body if not _makes(line, values)]
    if sum(1 for _ in ast.walk(made)) > MOST_NODES or ast.dump(made) == ast.dump(function):
        return function, {}
    return ast.fix_missing_locations(made), values


def put_in(expression: ast.expr, values: Mapping[str, ast.expr]) -> ast.expr:
    """An expression with quantities written out, as `written_out` does it."""
    return _Putting(values).visit(_Unrolling().visit(copy.deepcopy(expression)))


def _quantities(function: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """The names at the top of a function that only ever mean one expression, and these."""
    stored = Counter(
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    used = Counter(
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )
    changed = {name for node in ast.walk(function) for name in _changed_in_place(node)}
    for line in function.body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            name, value = line.targets[0].id, line.value
            is_formula = isinstance(value, ast.BinOp | ast.Call | ast.UnaryOp | ast.Subscript | ast.Dict)
            depends = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
            once = stored[name] == 1 and all(stored[n] <= 1 for n in depends)
            if is_formula and once and used[name] and not changed & (depends | {name}):
                yield name, value


def _changed_in_place(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield _base(node)
    elif isinstance(node, ast.AugAssign):
        yield _base(node.target)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
        yield _base(node.func)


def _base(node: ast.AST) -> str:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _makes(line: ast.stmt, values: Mapping[str, ast.expr]) -> bool:
    return (
        isinstance(line, ast.Assign)
        and isinstance(line.targets[0], ast.Name)
        and line.targets[0].id in values
    )


def _apart(line: ast.stmt) -> list[ast.stmt]:
    """`f, i = a, b` as two lines."""
    if (
        isinstance(line, ast.Assign)
        and isinstance(line.targets[0], ast.Tuple)
        and isinstance(line.value, ast.Tuple)
    ):
        pairs = zip(line.targets[0].elts, line.value.elts, strict=False)
        return [ast.copy_location(ast.Assign([name], value), line) for name, value in pairs]
    return [line]


class _Putting(ast.NodeTransformer):
    """Puts expressions in the place of names that are read; of a dict its entry."""

    def __init__(self, values: Mapping[str, ast.expr]):
        self._values = values

    def visit_Name(self, node: ast.Name) -> Any:
        if isinstance(node.ctx, ast.Load) and node.id in self._values:
            return copy.deepcopy(self._values[node.id])
        return node

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        self.generic_visit(node)
        if isinstance(node.value, ast.Dict) and isinstance(node.slice, ast.Constant):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == node.slice.value:
                    return value
        return node


class _Unrolling(ast.NodeTransformer):
    """Writes out loops over a few constants, and joins constant texts: `W["f" + "h"]` is `W["fh"]`."""

    def visit_For(self, node: ast.For) -> Any:
        self.generic_visit(node)
        rounds = _rounds(node.target, node.iter)
        if not rounds or node.orelse:
            return node
        return [
            self.visit(_Putting(values).visit(copy.deepcopy(line))) for values in rounds for line in node.body
        ]

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        one = node.args[0] if len(node.args) == 1 else None
        if (
            not isinstance(node.func, ast.Name)
            or node.func.id != "sum"
            or not isinstance(one, ast.GeneratorExp)
        ):
            return node
        rounds = _rounds(one.generators[0].target, one.generators[0].iter)
        if not rounds or len(one.generators) > 1 or one.generators[0].ifs:
            return node
        terms = [self.visit(_Putting(values).visit(copy.deepcopy(one.elt))) for values in rounds]
        total = terms[0]
        for term in terms[1:]:
            total = ast.BinOp(total, ast.Add(), term)
        return total

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        parts = (node.left, node.right)
        if isinstance(node.op, ast.Add) and all(
            isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts
        ):
            return ast.Constant("".join(part.value for part in parts))  # type: ignore[attr-defined]
        return node


def _rounds(target: ast.expr, sequence: ast.expr) -> list[dict[str, ast.expr]]:
    """What a loop's variable stands for in each round, where these are a few constants; else nothing."""
    if isinstance(sequence, ast.Constant) and isinstance(sequence.value, str):
        constants: list[ast.expr] = [ast.Constant(letter) for letter in sequence.value]
    elif isinstance(sequence, ast.Tuple):
        constants = list(sequence.elts)
    else:
        return []
    few = 0 < len(constants) <= MOST_ROUNDS and all(isinstance(one, ast.Constant) for one in constants)
    return [{target.id: one} for one in constants] if few and isinstance(target, ast.Name) else []
