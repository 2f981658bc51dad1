"""A submission with our report in it: what formgrader and the feedback pages show.

Everything of the student's is kept as text: outputs are dropped, metadata is replaced by the
instructor's, locked cells by the instructor's text.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from autograder.course.handwritten import give_ids_again, grading_of, text_of
from autograder.course.masters import without_scheme
from autograder.nbgrader_door.cells import exercise_of
from autograder.nbgrader_door.kept import WrittenCell
from autograder.record import Mark, Record
from autograder.report.feedback import as_html, as_text, inert

CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def report_outputs(mark: Mark, hints: Sequence[str]) -> list[dict[str, Any]]:
    """The outputs of a check cell: the report, and the number that nbgrader reads.

    The number is always there: to nbgrader, no number is full marks.

    Args:
        mark: what came of the exercise.
        hints: the exercise's hints.
    """
    title = f"{mark.score:g} of {mark.max_score:g} points. "
    return [
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {
                "text/plain": title + as_text(mark.judgement),
                "text/html": f"<div><b>{title}</b></div>{as_html(mark.judgement, hints)}",
            },
        },
        {
            "output_type": "execute_result",
            "execution_count": None,
            "metadata": {},
            "data": {"text/plain": repr(float(mark.score))},
        },
    ]


class Annotator:
    """Writes reports into submissions of one notebook.

    Args:
        source: the nbgrader source notebook with checksums, as plain data; solutions are not used.
        hints: each exercise's hints.
    """

    def __init__(self, source: dict[str, Any], hints: Mapping[str, Sequence[str]]):
        self._hints = hints
        self._ours = {
            cell["metadata"]["nbgrader"]["grade_id"]: cell
            for cell in source["cells"]
            if cell["metadata"].get("nbgrader")
        }
        self._by_id = {cell["id"]: grade_id for grade_id, cell in self._ours.items()}
        self._metadata = source["metadata"]
        self._release = [{**cell, "source": without_scheme(cell["source"])} for cell in source["cells"]]

    def written(self, content: bytes) -> list[WrittenCell]:
        """The cells of a submission, each with what it is an answer to."""
        return [WrittenCell(cell["grade_id"], cell["id"], cell["source"]) for cell in self._cells_of(content)]

    def _cells_of(self, content: bytes) -> list[dict[str, Any]]:
        """The cells of a submission as they are kept, each with the id by which it is graded, or ""."""
        raw = json.loads(content.decode("utf-8-sig"))["cells"]
        found = [cell for cell in raw if isinstance(cell, dict)]
        give_ids_again(found, self._release)
        cells = [_plain(cell) for cell in found]
        for cell in cells:
            cell["grade_id"] = cell["grade_id"] or self._by_id.get(cell["id"], "")
        return cells

    def annotate(self, content: bytes, record: Record) -> str:
        """The annotated notebook, as the text of an `.ipynb`.

        Args:
            content: the submission; it was read once already, so it is a notebook.
            record: its record.
        """
        marks = {mark.name: mark for mark in record.marks}
        cells = self._cells_of(content)
        last = {cell["grade_id"]: i for i, cell in enumerate(cells) if cell["grade_id"] in self._ours}
        written = [self._written(cell, last.get(cell["grade_id"]) == i) for i, cell in enumerate(cells)]
        for grade_id, ours in self._ours.items():
            graded = ours["metadata"]["nbgrader"]
            if grade_id not in last and (graded["grade"] or graded["task"]):
                written.append(self._written({"grade_id": grade_id, "id": ours["id"]}, True))
        for cell in written:
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
            name = exercise_of(grade_id)
            if cell["cell_type"] == "code" and grade_id != name and name in marks:
                cell["outputs"] = report_outputs(marks[name], self._hints.get(name, ()))
        seen: set[str] = set()
        for i, cell in enumerate(written):
            if cell["id"] in seen:
                cell["id"] = f"cell-{i}"
            seen.add(cell["id"])
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": self._metadata, "cells": written}
        return json.dumps(notebook, indent=1, ensure_ascii=True) + "\n"

    def _written(self, cell: dict[str, Any], is_ours: bool) -> dict[str, Any]:
        """One cell; with the instructor's metadata if it is the one that counts for its id."""
        if is_ours:
            ours = copy.deepcopy(self._ours[cell["grade_id"]])
            if not ours["metadata"]["nbgrader"]["locked"]:
                ours["source"] = cell["source"]
            ours["id"] = cell["id"]
            if ours["cell_type"] == "code":
                ours.update(outputs=[], execution_count=None)
            return ours
        source = cell["source"] if cell["cell_type"] == "code" else inert(cell["source"])
        found = {"cell_type": cell["cell_type"], "id": cell["id"], "metadata": {}, "source": source}
        if cell["cell_type"] == "code":
            found.update(outputs=[], execution_count=None)
        return found


def _plain(raw: dict[str, Any]) -> dict[str, Any]:
    """What of a submitted cell is kept: kind, text, ids."""
    cell_id = raw.get("id")
    fine = isinstance(cell_id, str) and CELL_ID.fullmatch(cell_id)
    return {
        "cell_type": raw.get("cell_type") if raw.get("cell_type") in ("code", "markdown") else "raw",
        "source": text_of(raw) or "",
        "grade_id": grading_of(raw).get("grade_id", ""),
        "id": cell_id if fine else "cell",
    }
