"""What a piece of code binds and reads, told by its syntax tree: nothing is run.

Knows nothing of notebooks; whoever asks says which names and modules there are.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from autograder.answers.finding import no_package

Statement = ast.stmt
Function = ast.FunctionDef | ast.AsyncFunctionDef


def parse(source: str) -> ast.Module | None:
    """The syntax tree of a cell, or None where it is not Python."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_definition(statement: Statement) -> bool:
    """Whether a statement is a definition, an import, or an assignment without a call."""
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        plain = not any(isinstance(part, ast.Call) for part in ast.walk(statement))
        return plain or isinstance(statement.value, ast.Lambda)
    return isinstance(statement, Function | ast.ClassDef | ast.Import | ast.ImportFrom)


def bound(statement: Statement) -> set[str]:
    """The names that a top-level statement gives a value."""
    found: set[str] = set()
    for node in _here(statement):
        if isinstance(node, Function | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update(name for name, _ in imported(node))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            found.add(node.id)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            found.add(node.name)
    return found


def read(statement: Statement) -> set[str]:
    """The names that a statement reads when it runs; bodies of functions run later."""
    found = {n.id for n in _here(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    for node in _here(statement):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


def mentioned(tree: ast.AST) -> set[str]:
    """Every name that stands anywhere in a piece of code, bodies of functions included."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """(name that is bound, top-level module that is needed) for each part of an import."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield alias.asname or alias.name, (node.module or "").partition(".")[0]
        else:
            top = alias.name.partition(".")[0]
            yield alias.asname or top, top


def _here(statement: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a statement that belong to the scope it stands in."""
    yield statement
    if isinstance(statement, Function | ast.Lambda):
        arguments = statement.args
        outside: list[ast.AST] = [*arguments.defaults, *(d for d in arguments.kw_defaults if d)]
        if not isinstance(statement, ast.Lambda):
            outside += statement.decorator_list
        for node in outside:
            yield from _here(node)
    elif isinstance(statement, ast.ClassDef):
        for node in [*statement.bases, *statement.keywords, *statement.decorator_list]:
            yield from _here(node)
    elif isinstance(statement, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        inside = {
            node.id
            for generator in statement.generators
            for node in ast.walk(generator.target)
            if isinstance(node, ast.Name)
        }
        # Nor is what an inner one binds a name of this scope.
        inner = [node.target for node in ast.walk(statement) if isinstance(node, ast.comprehension)]
        own = {id(node) for target in inner for node in ast.walk(target)}
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and node.id not in inside and id(node) not in own:
                yield node
    else:
        for node in ast.iter_child_nodes(statement):
            yield from _here(node)


# What a notebook's kernel has of itself, and a graded cell has in name: calls that do nothing.
PRESETS = ("check", "display", "get_ipython", "hint")


class Namespace:
    """What a namespace holds after some cells have run, as far as that can be told without running them.

    Args:
        names: what it holds before.
        packages: what may be imported, beside the standard library.
    """

    def __init__(self, names: Iterable[str], packages: Iterable[str]):
        self.names = {*dir(builtins), "__name__", "__builtins__", *PRESETS, *names}
        self.missing: dict[str, str] = {}  # name -> why it is not there, in words
        self.instead: dict[str, Any] = {}  # name -> what stands in a missing module's place, None mostly
        self._modules = {*sys.stdlib_module_names, *packages}

    def can_import(self, module: str) -> bool:
        """Whether a module can be imported there."""
        return module in self._modules

    def run(self, statements: Iterable[Statement]) -> None:
        """Take in statements; what one lacks, it does not bind."""
        for statement in statements:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                for name, module in imported(statement):
                    if self.can_import(module):
                        self._bind({name})
                    else:
                        self._lose({name}, no_package(module))
                continue
            if isinstance(statement, ast.Try) and statement.handlers and self._fails(statement):
                self._stand_in(statement)
                continue
            lacked = read(statement) - self.names
            if not isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr):
                lacked -= bound(statement)  # a loop reads what it binds
            if lacked:
                first = min(lacked)
                why = self.missing.get(first)
                self._lose(bound(statement), why or f"`{first}` is not set there")
            else:
                self._bind(bound(statement))

    def _fails(self, attempt: ast.Try) -> bool:
        """Whether an attempt imports a module that is not there."""
        imports = [node for node in attempt.body if isinstance(node, ast.Import | ast.ImportFrom)]
        return any(not self.can_import(module) for node in imports for _, module in imported(node))

    def _stand_in(self, attempt: ast.Try) -> None:
        """Take in what an attempt to import does where it fails: its first handler."""
        handler = attempt.handlers[0].body
        self.run([*handler, *attempt.finalbody])
        for statement in handler:
            if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
                self.instead |= dict.fromkeys(bound(statement), statement.value.value)

    def _bind(self, names: set[str]) -> None:
        self.names |= names
        for name in names:
            self.missing.pop(name, None)

    def _lose(self, names: set[str], why: str) -> None:
        for name in names - self.names:
            self.missing[name] = why
