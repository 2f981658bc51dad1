"""An answer cut out of a submission, without what names its writer: read, and never run."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from autograder.course.names import Function, bound, mentioned, parse
from autograder.grading.plan import Plan, Role

MOST_SHOWN = 4000


def example_of(plan: Plan, exercise: str, exercises: Iterable[str]) -> str:
    """An answer and its helpers, without comments and descriptions: they may hold a name.

    Args:
        plan: what is run of the submission.
        exercise: whose answer.
        exercises: all of the notebook: of the others the references stand in.

    Returns:
        Python, or "" where there is none that could be shown.
    """
    others = set(exercises) - {exercise}
    trees = [parse(cell.source) for cell in plan.cells if cell.role is not Role.GIVEN]
    statements = [statement for tree in trees if tree for statement in tree.body]
    wanted, chosen = {exercise}, set()
    while more := {i for i, s in enumerate(statements) if i not in chosen and bound(s) & wanted}:
        chosen |= more
        wanted |= {name for i in more for name in mentioned(statements[i])} - others
    kept = [_bare(statements[i]) for i in sorted(chosen)]
    try:
        text = ast.unparse(ast.Module(kept, []))
    except (RecursionError, ValueError):
        return ""
    return text if len(text) <= MOST_SHOWN else ""


def _bare(statement: ast.stmt) -> ast.stmt:
    """A statement without descriptions."""
    for node in ast.walk(statement):
        if isinstance(node, Function | ast.ClassDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return statement
