"""From source to release, for nbgrader and for our build: holes that name their exercise, and a version."""

from __future__ import annotations

import ast
import textwrap
from typing import Any

from nbformat.notebooknode import NotebookNode
from nbgrader.preprocessors import ClearSolutions
from nbgrader.preprocessors.base import NbGraderPreprocessor

from autograder.course.handwritten import COURSE, release_hash
from autograder.course.masters import solution_regions


class StubSolutions(ClearSolutions):
    """nbgrader's ClearSolutions, but the hole that is left names its exercise."""

    def _replace_solution_region(self, cell: NotebookNode, language: str) -> bool:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        self.code_stub = {language: _hole(name, "\n".join(solution_regions(cell.source)))}
        return super()._replace_solution_region(cell, language)


def _hole(name: str, solution: str) -> str:
    """What is left of a solution: of a class's methods their heads and what they say of themselves."""
    stop = f'raise NotImplementedError("{name}")'
    text = textwrap.dedent(solution)
    tree = ast.parse(text)
    if not tree.body or not all(isinstance(node, ast.FunctionDef) for node in tree.body):
        return stop
    lines, kept = text.splitlines(), []
    for method in tree.body:
        assert isinstance(method, ast.FunctionDef)
        first = method.body[0]
        says = ast.get_docstring(method) is not None
        end = (first.end_lineno or first.lineno) if says else first.lineno - 1
        kept += [*lines[method.lineno - 1 : end], f"    {stop}", ""]
    return "\n".join(kept[:-1])


class StampRelease(NbGraderPreprocessor):
    """Writes the release's version, a hash of its text, into the notebook's metadata; comes last."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Stamp the notebook."""
        nb.metadata.setdefault(COURSE, NotebookNode())["release"] = release_hash(nb.cells)
        return nb, resources
