"""Solutions out of a notebook, holes that name their exercise in: for nbgrader and for our build."""

from __future__ import annotations

from nbformat.notebooknode import NotebookNode
from nbgrader.preprocessors import ClearSolutions


class StubSolutions(ClearSolutions):
    """nbgrader's ClearSolutions, but the hole that is left names its exercise."""

    def _replace_solution_region(self, cell: NotebookNode, language: str) -> bool:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        self.code_stub = {language: f'raise NotImplementedError("{name}")'}
        return super()._replace_solution_region(cell, language)
