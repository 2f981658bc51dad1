"""Marks and feedback back to a learning system, in the files that its importer reads.

The instructor's own export is filled in: its columns, ids and titles are that site's. Whoever is not to be
changed has no row, because a blank cell takes a mark away.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.course.roster import (
    TEST_STUDENT,
    Person,
    Table,
    name_key,
    number_of,
    one_spelling,
    read_table,
    unwrapped,
)
from autograder.errors import CourseError
from autograder.exchange.pack import put
from autograder.exchange.systems import Roster
from autograder.nbgrader_door.export import marks_table, plain_text
from autograder.record import Record
from autograder.report.feedback_page import feedback_notebook, feedback_page
from autograder.report.standing import Standing, State

WAYS = ("canvas", "moodle", "gradescope", "folder")
MOST_NAMES = 30


@dataclass(frozen=True)
class Back:
    """What goes back.

    Args:
        notebook: its name.
        title: its title.
        standings: everybody's marks.
        people: the roster.
        ids: what was kept when it was collected.
        record_of: what the grader found in a student's work, or None.
        hints: each exercise's hints.
    """

    notebook: str
    title: str
    standings: list[Standing]
    people: list[Person]
    ids: Mapping[str, Any]
    record_of: Callable[[str], Record | None]
    hints: Mapping[str, Sequence[str]]

    def final(self) -> dict[str, float]:
        """The marks that may leave: nothing waits for a person."""
        return {
            one.student: round(one.score, 2)
            for one in self.standings
            if one.state is State.GRADED and one.score is not None
        }


@dataclass
class Returned:
    """What is to be written, each file's bytes with what it is, and what is to be known before.

    Args:
        files: name -> content, and what it is.
        told: what the system would refuse, ask about or pass over, in sentences.
        participants: Moodle's numbers of students in this assignment, as its worksheet has them.
    """

    files: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    participants: dict[str, str] = field(default_factory=dict)

    def tell(self, words: str, who: Iterable[str]) -> None:
        """Say something of people, if there are any."""
        names = sorted(set(who), key=str.casefold)
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        if names:
            self.told.append(f"{words} ({len(names)}): {', '.join(names[:MOST_NAMES])}{more}")


def give_back(back: Back, to: str, own: Path | None, column: str | None) -> Returned:
    """Make what a learning system takes; nothing is written yet.

    Args:
        back: the marks.
        to: one of `WAYS`.
        own: the instructor's export of Canvas's gradebook or of Moodle's grading worksheet.
        column: the column of the marks, where several could be it.

    Raises:
        CourseError: the export is none, or its column for the marks cannot be told.
    """
    returned = Returned()
    if to in ("canvas", "moodle"):
        if own is None:
            what = "its gradebook" if to == "canvas" else "the assignment's grading worksheet"
            raise CourseError(
                f"export {what} and name the file with --export: {to} knows only its own columns"
            )
        table = read_table(own)
        rows = (_canvas if to == "canvas" else _moodle)(back, table, column, returned, own)
        content = _as_csv(rows, table.delimiter)
        returned.files[f"{back.notebook}-{to}.csv"] = content, f"{len(rows) - 1} marks for the import"
    else:
        content = _as_csv(marks_table(back.notebook, back.standings), ",")
        returned.files[f"{back.notebook}.csv"] = content, "everybody's marks and states"
        if to == "gradescope":
            returned.told.append(
                "Gradescope imports no marks: they go in from its own container alone. This file is for you, "
                "and the zip holds a page for each submission"
            )
    for state in (State.WAITING, State.UNGRADABLE, State.MISSING, State.WITHDRAWN):
        who = [one.student for one in back.standings if one.state is state]
        returned.tell(f"no mark leaves: {state}", who)
    _feedback(back, to, returned)
    return returned


def _as_csv(rows: Iterable[list[Any]], delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


# ---------------------------------------------------------------- Canvas

SILENT = re.compile(r"(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)", re.I)
CANVAS_ID = re.compile(r"\((\d+)\)\s*$")


def _canvas(back: Back, table: Table, wanted: str | None, returned: Returned, own: Path) -> list[list[str]]:
    """Canvas's gradebook with the people who get a mark, and this column alone."""
    header = [one_spelling(cell) for cell in table.rows[0]]
    heads = [cell.strip().lower() for cell in header]
    if heads[:1] not in (["student"], ["lastname"]) or "section" not in heads or "id" not in heads:
        raise CourseError(f"{own} is no export of Canvas's gradebook: it begins with {', '.join(header[:5])}")
    fixed = heads.index("section") + 1
    number = heads.index("id")
    # A person may be called so, and has an ID.
    points_row = next((row for row in table.rows[1:] if "Points Possible" in row[0] and not row[number]), [])
    is_read_only = {i for i, cell in enumerate(points_row) if "read only" in cell}
    choices = [i for i in range(fixed, len(header)) if CANVAS_ID.search(header[i]) and i not in is_read_only]
    place = _column(back, header, choices, wanted, own)
    if silent := SILENT.search(header[place]):
        raise CourseError(
            f"Canvas leaves out in silence every column with {silent[0]!r} in its title; "
            f"rename the assignment {header[place]!r} there, and export again"
        )
    possible = _number(points_row[place]) if place < len(points_row) else None
    marks, seen = back.final(), set()
    roster, excused, unassigned = Roster(back.people), [], []
    # What the importer takes, in the only order that it takes.
    sis = ["SIS User ID"] if "sis user id" in heads else []
    rows = [["Student", "ID", *sis, "SIS Login ID", "Section", header[place]]]
    for row in table.rows[1:]:
        if len(row) < fixed or not row[number].strip() or unwrapped(row[0]) == TEST_STUDENT:
            continue
        cells = dict(zip(heads, map(unwrapped, row), strict=False))
        student = _canvas_student(cells, roster)
        if student not in marks or student in seen:
            continue
        seen.add(student)
        before = row[place].strip().upper() if place < len(row) else ""
        if before in ("EX", "N/A"):
            (excused if before == "EX" else unassigned).append(student)
            continue
        name = ", ".join(row[:number]) if heads[0] == "lastname" else row[0]
        known = [cells[head.lower()] for head in sis]
        mark = f"{marks[student]:.2f}".rstrip("0").rstrip(".")
        rows.append(
            [_canvas_name(name), cells["id"], *known, cells.get("sis login id", ""), cells["section"], mark]
        )
    returned.tell("excused in Canvas, which a number would end: no row", excused)
    returned.tell("not assigned to them in Canvas: no row", unassigned)
    returned.tell("not in the export, so Canvas would ask who it is: no row", marks.keys() - seen)
    if possible is not None:
        returned.tell(
            f"more than Canvas's {possible:g} points, which it takes",
            [student for student in seen if marks[student] > possible],
        )
        _say_maximum(back, possible, "Canvas", returned)
    return rows


def _canvas_student(cells: Mapping[str, str], roster: Roster) -> str:
    """Who a row is: Canvas's number, else what its other columns hold."""
    number = cells.get("id", "")
    known = (cells.get("sis user id", ""), cells.get("sis login id", ""), number)
    person = roster.by_canvas.get(number) or roster.find(known)
    return person.student if person else ""


def _canvas_name(cell: str) -> str:
    """The cell with a name, which Canvas does not compare: harmless for it and for a spreadsheet."""
    name = unwrapped(cell).replace("Points Possible", "Points\u00a0Possible")
    return plain_text(name)


def _number(cell: str) -> float | None:
    try:
        return float(cell.strip().replace(",", "."))
    except ValueError:
        return None


def _column(back: Back, header: list[str], choices: list[int], wanted: str | None, own: Path) -> int:
    """The column of the notebook's marks.

    Raises:
        CourseError: none, or several could be it.
    """
    titles = {i: CANVAS_ID.sub("", header[i]).strip() for i in choices}
    if wanted is not None:
        named = CANVAS_ID.search(wanted)
        found = [i for i in choices if wanted.strip() in (header[i].strip(), titles[i])]
        found = found or [i for i in choices if named and named[1] in header[i]]
    else:
        keys = {name_key(back.notebook), name_key(back.title), name_key(back.notebook.lstrip("0123456789_"))}
        found = [i for i in choices if name_key(titles[i]) in keys]
        found = found or [i for i in choices if any(key and key in name_key(titles[i]) for key in keys)]
        if not found and len(choices) == 1:
            found = choices
    if len(found) != 1:
        could = ", ".join(repr(header[i]) for i in (found or choices)) or "none"
        raise CourseError(
            f"{own}: which column is {back.notebook}? Name it with --column; it could be: {could}"
        )
    return found[0]


def _say_maximum(back: Back, theirs: float, system: str, returned: Returned) -> None:
    ours = max((one.max_score for one in back.standings), default=0.0)
    if ours != theirs:
        returned.told.append(
            f"{system} counts {theirs:g} points, the notebook {ours:g}: marks go as they are"
        )


# ---------------------------------------------------------------- Moodle


@dataclass(frozen=True)
class _Worksheet:
    """Where a worksheet's columns stand, whatever its language; the first of all says who it is."""

    grade: int
    modified: int

    @property
    def maximum(self) -> int:
        """Of the greatest mark."""
        return self.grade + 1

    @property
    def changeable(self) -> int:
        """Of whether a mark can be changed."""
        return self.grade + 2


def _moodle(back: Back, table: Table, wanted: str | None, returned: Returned, own: Path) -> list[list[str]]:
    """Moodle's worksheet with the people who get a mark: its own header, every other cell as it was."""
    header, rows = table.rows[0], table.rows[1:]
    short = [row[0] for row in rows if len(row) != len(header)]
    if short:
        raise CourseError(f"{own}: the rows of {', '.join(short[:5])} have not as many fields as the header")
    sheet = _places(header, rows, wanted, own)
    participants = back.ids["students"] if back.ids["system"] == "moodle" else {}
    by_number = {ids["participant"]: student for student, ids in participants.items() if "participant" in ids}
    roster, marks = Roster(back.people), back.final()
    filled, seen = [header], set()
    left: dict[str, list[str]] = {"locked": [], "more": [], "nought": [], "stale": []}
    usual = _commonest([row[sheet.changeable] for row in rows])
    for row in rows:
        student = _moodle_student(row, sheet, by_number, roster)
        if student not in marks or student in seen:
            continue
        seen.add(student)
        if number := number_of(row[0]):
            returned.participants[student] = number
        most = _number(row[sheet.maximum])
        if most is not None and marks[student] > most:
            left["more"].append(student)
            continue
        if row[sheet.changeable] != usual:
            left["locked"].append(student)
            continue
        if marks[student] == 0:
            left["nought"].append(student)
        if row[sheet.grade].strip() and _is_stale(row[sheet.modified]):
            left["stale"].append(student)
        cells = list(row)
        cells[sheet.grade] = f"{marks[student]:.2f}"
        filled.append([_unbroken(cell) for cell in cells])
    returned.tell("more than Moodle's maximum, which it would skip in silence: no row", left["more"])
    returned.tell("locked or overridden in Moodle's gradebook, which it would skip: no row", left["locked"])
    returned.tell("a mark of 0, which Moodle's newest versions skip: enter it there", left["nought"])
    returned.tell(
        "have a mark whose date Moodle may not read: tick `update records that have been modified`",
        left["stale"],
    )
    returned.tell("not in the worksheet: no row", marks.keys() - seen)
    maxima = [most for row in rows if (most := _number(row[sheet.maximum])) is not None]
    if maxima:
        _say_maximum(back, maxima[0], "Moodle", returned)
    return filled


def _commonest(values: list[str]) -> str:
    return max(dict.fromkeys(values), key=values.count, default="")


def _places(header: list[str], rows: list[list[str]], wanted: str | None, own: Path) -> _Worksheet:
    """By the English heads, else by the looks: a column of one number everywhere, and the grade before it.

    Raises:
        CourseError: it is no worksheet.
    """
    heads = [unwrapped(cell).casefold() for cell in header]
    titles = {"grade", (wanted or "grade").casefold()}
    grade = next((i for i, head in enumerate(heads) if head in titles), None)
    if grade is None or grade + 3 >= len(header):
        looks = [
            i
            for i in range(2, len(header) - 3)
            if rows
            and len({row[i + 1] for row in rows}) == 1
            and _number(rows[0][i + 1]) is not None
            and all(not row[i].strip() or _number(row[i]) is not None for row in rows)
        ]
        grade = looks[0] if len(looks) == 1 else None
    if grade is None or not all(re.search(r"\d$", row[0]) for row in rows):
        raise CourseError(
            f"{own} is no grading worksheet of Moodle's; download one (in the assignment: View all "
            "submissions, Download grading worksheet), or name its column of grades with --column"
        )
    english = next((i for i, head in enumerate(heads) if head == "last modified (grade)"), None)
    return _Worksheet(grade, english if english is not None else len(header) - 2)


def _moodle_student(row: list[str], sheet: _Worksheet, by_number: Mapping[str, str], roster: Roster) -> str:
    number = number_of(row[0])
    if number in by_number:
        return by_number[number]
    found = (roster.find((cell,), cell) for cell in map(unwrapped, row[1 : sheet.grade]))
    return next((person.student for person in found if person), "")


ENGLISH_DATE = re.compile(
    r"-?|(?:\w+day, )?\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w* \d{4}, .*"
    r"|\d{4}-\d\d-\d\d.*",
    re.I,
)


def _is_stale(modified: str) -> bool:
    """Whether Moodle's importer may not read when a mark was given: then it keeps its own."""
    return not ENGLISH_DATE.fullmatch(modified.strip())


def _unbroken(cell: str) -> str:
    """A cell in which PHP finds no escaped quote; in HTML a backslash may be written so."""
    return re.sub(r'\\(?="|$)', "&#92;", cell)


# ---------------------------------------------------------------- Feedback


def _feedback(back: Back, to: str, returned: Returned) -> None:
    """A zip whose names the system's importer matches with its students."""
    ids = back.ids["students"] if back.ids["system"] == to else {}
    final, without, count = back.final(), [], 0
    archived = io.BytesIO()
    with zipfile.ZipFile(archived, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in back.standings:
            if one.student not in final:
                continue
            known = dict(ids.get(one.student, {}))
            if to == "moodle" and one.student in returned.participants:
                known["participant"] = returned.participants[one.student]
            name = _name_of(to, one, known)
            if not name:
                without.append(one.student)
                continue
            record = back.record_of(one.student)
            if to == "canvas":
                text = feedback_notebook(back.title, one, record)
            else:
                text = feedback_page(back.title, one, record, back.hints)
            put(archive, name, text, 0o600)
            count += 1
    if count:
        what = f"feedback for {count} students"
        returned.files[f"{back.notebook}-{to}-feedback.zip"] = archived.getvalue(), what
    returned.tell(f"no feedback: they were not collected from {to}, so it has no file of theirs", without)
    if to == "canvas" and count:
        returned.told.append(
            "Canvas shows the feedback under the name of each student's own file; so it is a notebook, too. "
            "Each upload adds a comment: upload it once"
        )


def _name_of(to: str, one: Standing, ids: Mapping[str, str]) -> str:
    """What a page is called; "" where the system could not tell whose it is."""
    if to == "canvas":
        numbers = ids.get("user"), ids.get("attachment")
        return f"feedback_{numbers[0]}_{numbers[1]}_feedback.ipynb" if all(numbers) else ""
    if to == "moodle":
        number = ids.get("participant")
        return f"x_{number}_assignsubmission_file/feedback.html" if number else ""
    folder = re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", one.student)
    if to == "gradescope":
        return f"submission_{ids['submission']}/{folder}.html" if "submission" in ids else ""
    return f"{folder}/feedback.html"
