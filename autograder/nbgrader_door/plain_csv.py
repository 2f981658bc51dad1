"""nbgrader's own export, with names that no spreadsheet runs and no comma tears apart.

Chosen by `c.ExportApp.plugin_class` in `nbgrader_config.py`; the columns are nbgrader's.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import ExportPlugin

from autograder.nbgrader_door.export import plain_text

COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip


class PlainCsvExport(ExportPlugin):
    """One row for every assignment and student, as nbgrader's CsvExportPlugin writes them."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the file that `--to` names, `grades.csv` by default."""
        path = Path(self.to or "grades.csv")
        self.log.info("Exporting grades to %s", path)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for assignment in gradebook.assignments:
                if self.assignment and assignment.name not in self.assignment:
                    continue
                for student in list[Any](gradebook.students):
                    if not self.student or student.id in map(str, self.student):
                        row = _row(gradebook, assignment, student)
                        writer.writerow([_plain(row[column]) for column in COLUMNS])


def _plain(value: Any) -> Any:
    return plain_text(value) if isinstance(value, str) else value


def _row(gradebook: Gradebook, assignment: Any, student: Any) -> dict[str, Any]:
    """What nbgrader writes of one student's submission; zero where there is none."""
    row: dict[str, Any] = {
        "assignment": assignment.name,
        "duedate": assignment.duedate,
        "timestamp": None,
        "student_id": student.id,
        "last_name": student.last_name,
        "first_name": student.first_name,
        "email": student.email,
        "raw_score": 0.0,
        "late_submission_penalty": 0.0,
        "score": 0.0,
        "max_score": assignment.max_score,
    }
    try:
        submission: Any = gradebook.find_submission(assignment.name, student.id)
    except MissingEntry:
        return row
    penalty = submission.late_submission_penalty
    row.update(timestamp=submission.timestamp, raw_score=submission.score, late_submission_penalty=penalty)
    row["score"] = max(0.0, submission.score - (penalty or 0.0))
    return row
