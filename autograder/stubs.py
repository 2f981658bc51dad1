"""Untouched stubs, told from answers by their syntax tree: nothing is called."""

from __future__ import annotations

import ast


def last_definition(tree: ast.Module, name: str) -> ast.FunctionDef | None:
    """The last top-level definition of a function, the one that counts when the cell has run."""
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    return found[-1] if found else None


def is_stub(tree: ast.Module, name: str) -> bool:
    """Whether the function's body is only a docstring and `raise NotImplementedError`, `pass` or `...`."""
    function = last_definition(tree, name)
    return function is not None and all(_is_hole(statement) for statement in function.body)


def _is_hole(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return isinstance(statement.value.value, str) or statement.value.value is Ellipsis
    if isinstance(statement, ast.Raise):
        raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return False
