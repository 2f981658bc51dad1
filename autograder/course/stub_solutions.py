"""From source to release, for nbgrader and for our build: holes that name their exercise, and a version."""

from __future__ import annotations

from typing import Any

from nbformat.notebooknode import NotebookNode
from nbgrader.preprocessors import ClearSolutions
from nbgrader.preprocessors.base import NbGraderPreprocessor

from autograder.course.handwritten import COURSE, release_hash
from autograder.course.masters import solution_regions
from autograder.course.stubs import hole


class StubSolutions(ClearSolutions):
    """nbgrader's ClearSolutions, but the hole that is left names its exercise."""

    def _replace_solution_region(self, cell: NotebookNode, language: str) -> bool:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        stands = cell.metadata.pop(COURSE, {}).get("stands", "")
        self.code_stub = {language: hole(name, "\n".join(solution_regions(cell.source)), stands)}
        return super()._replace_solution_region(cell, language)


class StampRelease(NbGraderPreprocessor):
    """Writes the release's version, a hash of its text, into the notebook's metadata; comes last."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Stamp the notebook."""
        nb.metadata.setdefault(COURSE, NotebookNode())["release"] = release_hash(nb.cells)
        return nb, resources
