"""Marks as files that other systems import.

No cell can be run as a formula by a spreadsheet: a text that starts like one gets an apostrophe.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from autograder.record import Record

# What a spreadsheet takes for the beginning of a formula (in full width too, behind spaces too), at the
# beginning of a text or behind what parts cells in another country's settings.
FORMULA = re.compile(r"(^|[;\t\r\n])(?=\s*[=+\-@|%\uff1d\uff0b\uff0d\uff20])")


def plain_text(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return FORMULA.sub(r"\1'", text)


def export_csv(path: Path, assignment: str, records: Iterable[Record]) -> None:
    """One row a student, one column an exercise."""
    rows = iter(records)
    first = next(rows, None)
    names = [mark.name for mark in first.marks] if first else []
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(["student", "assignment", "score", "max_score", *names])
        for record in [first, *rows] if first else []:
            scores = [mark.score for mark in record.marks]
            student = plain_text(record.student)
            writer.writerow([student, assignment, record.score, record.max_score, *scores])


def export_canvas(path: Path, assignment: str, records: Iterable[Record]) -> None:
    """The columns of Canvas's gradebook import; `SIS Login ID` is the student's folder name."""
    _write(
        path,
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", assignment],
        ([plain_text(r.student), "", "", plain_text(r.student), "", r.score] for r in records),
    )


def export_moodle(path: Path, assignment: str, records: Iterable[Record]) -> None:
    """The columns that Moodle's CSV import of grades maps; `Username` is the student's folder name."""
    _write(
        path,
        ["Username", assignment, "Feedback comments"],
        ([plain_text(r.student), r.score, plain_text(_feedback(r))] for r in records),
    )


def export_gradescope(path: Path, assignment: str, records: Iterable[Record]) -> None:
    """A folder with one `results.json` a student, in the form of Gradescope's autograder."""
    path.mkdir(parents=True, exist_ok=True)
    for record in records:
        tests = [
            {
                "name": mark.name,
                "score": mark.score,
                "max_score": mark.max_score,
                "output": "\n".join(f"{c.name}: {c.message or 'ok'}" for c in mark.judgement.checks),
            }
            for mark in record.marks
        ]
        folder = path / record.student
        folder.mkdir(exist_ok=True)
        results = {"score": record.score, "tests": tests, "output": assignment}
        (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")


FORMATS: dict[str, Callable[[Path, str, Iterable[Record]], None]] = {
    "csv": export_csv,
    "canvas": export_canvas,
    "moodle": export_moodle,
    "gradescope": export_gradescope,
}


def _write(path: Path, header: list[str], rows: Iterable[list[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(header)
        writer.writerows(rows)


def _feedback(record: Record) -> str:
    wrong = [mark.judgement for mark in record.marks if mark.judgement.status != "right"]
    return "; ".join(f"{one.name}: {one.misconception or 'not right yet'}" for one in wrong)
