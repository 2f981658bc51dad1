"""Modules that only derivations import: no release holds them, so they travel with what is told.

Such a module is called `withheld`. It is a single file of the course, and imports what ships.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType

from autograder.course.names import parse
from autograder.errors import CourseError

NAME = "withheld"


def modules_told(sources: Iterable[str], root: Path) -> dict[str, str]:
    """The text of every withheld module that pieces of code import, by its dotted name.

    A module learns from `MENTIONED` which texts the derivations mention: so it can tell of these, and keep
    what is for later notebooks to find.

    Args:
        sources: the code of derivations.
        root: the course's folder, in which its packages lie.

    Raises:
        CourseError: there is no such file.
    """
    found = {}
    nodes = [node for source in sources for node in ast.walk(parse(source) or ast.Module([], []))]
    mentioned = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    for node in nodes:
        for name in _imported(node):
            if name not in found:
                path = root.joinpath(*name.split(".")).with_suffix(".py")
                if not path.is_file():
                    raise CourseError(f"a derivation imports {name}, and there is no {path}")
                found[name] = f"{path.read_text('utf-8')}\nMENTIONED = {sorted(mentioned)!r}\n"
    return found


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module:
        names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    else:
        names = []
    return [name for name in names if name.rpartition(".")[2] == NAME]


def make_importable(modules: Mapping[str, str]) -> None:
    """Let this process import modules that were told, where they are not installed anyway.

    Args:
        modules: dotted name -> text, as `modules_told` gives it.
    """
    for name, source in modules.items():
        if name in sys.modules or importlib.util.find_spec(name) is not None:
            continue
        module = ModuleType(name)
        sys.modules[name] = module  # before it runs: a dataclass looks its module up
        exec(compile(source, f"<{name}>", "exec"), vars(module))
