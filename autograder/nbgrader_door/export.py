"""Marks as CSV files: one notebook's class, or the course.

No cell can be run as a formula by a spreadsheet: a text that starts like one gets an apostrophe.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autograder.report.standing import Standing, lowest

# What a spreadsheet takes for the beginning of a formula (in full width too, behind spaces too), at the
# beginning of a text or behind what parts cells in another country's settings.
FORMULA = re.compile(r"(^|[;\t\r\n])(?=\s*[=+\-@|%\uff1d\uff0b\uff0d\uff20])")


def plain_text(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return FORMULA.sub(r"\1'", text)


def export_csv(path: Path, notebook: str, standings: Iterable[Standing]) -> None:
    """Write one row for everybody."""
    write_rows(path, marks_table(notebook, standings))


def marks_table(notebook: str, standings: Iterable[Standing]) -> list[list[Any]]:
    """One row for everybody, with the state and one column for each exercise and written question."""
    everybody = list(standings)
    longest = max((one.parts for one in everybody), key=len, default=[])
    names = [part.name for part in longest]
    header = [
        "student",
        "name",
        "notebook",
        "state",
        "reason",
        "score",
        "max_score",
        "late_days",
        "late_penalty",
    ]
    rows = []
    for one in everybody:
        texts = [one.student, one.name, notebook, str(one.state), one.reason]
        late = round(one.late / 86400, 2)
        most = one.max_score or sum(part.max_score for part in longest)
        parts = [one.scores.get(name, "") for name in names]
        rows.append([*map(plain_text, texts), _shown(one.score), most, late, one.penalty, *parts])
    return [header + names, *rows]


def export_course(path: Path, notebooks: Mapping[str, Iterable[Standing]], drop: int = 0) -> None:
    """One row for everybody, with the mark of each notebook and the total.

    Args:
        path: the file.
        notebooks: the standings, by notebook.
        drop: of each student the notebooks with this many lowest shares of their points do not count.
    """
    by_student: dict[str, dict[str, Standing]] = {}
    for name, everybody in notebooks.items():
        for one in everybody:
            by_student.setdefault(one.student, {})[name] = one
    most = {n: max((s[n].max_score for s in by_student.values() if n in s), default=0.0) for n in notebooks}
    columns = [column for name in notebooks for column in (name, f"{name} state")]
    rows: list[list[Any]] = [["student", "name", *columns, "dropped", "total", "max_total", "percent"]]
    for student, mine in sorted(by_student.items(), key=lambda item: item[0].casefold()):
        left_out = lowest(mine, most, drop) if len(mine) == len(most) else set()
        counted = {name: one for name, one in mine.items() if name not in left_out}
        total = round(sum(one.score or 0.0 for one in counted.values()), 4)
        possible = sum(points for name, points in most.items() if name not in left_out)
        cells: list[Any] = []
        for name in notebooks:
            one = mine.get(name)
            cells += [_shown(one.score), str(one.state)] if one else ["", ""]
        name = next((one.name for one in mine.values() if one.name), "")
        percent = round(100 * total / possible, 2) if possible else ""
        texts = [plain_text(student), plain_text(name)]
        rows.append([*texts, *cells, " ".join(sorted(left_out)), total, possible, percent])
    write_rows(path, rows)


def _shown(score: float | None) -> float | str:
    return "" if score is None else score


def write_rows(path: Path, rows: Iterable[list[Any]]) -> None:
    """Write a CSV in which every text stands in quotes."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_NONNUMERIC).writerows(rows)
