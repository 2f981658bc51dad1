"""Who is in the class: Canvas's, Moodle's or Gradescope's own list, or a plain CSV; and who has more time.

`roster.csv` in the course's folder is the list in a form of ours; `extensions.csv` stands beside it, and
`groups.csv`, which says who hands in together.
This module knows nothing of marks.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from pathlib import Path

from autograder.course.places import write_whole
from autograder.errors import CourseError

ROSTER, EXTENSIONS, GROUPS = "roster.csv", "extensions.csv", "groups.csv"
MOST_ID = 128  # what nbgrader's gradebook holds of a student's id
NO_ID = re.compile(r"[\x00-\x1f\x7f/\\*?\[\],]|^[.~]|^\s|\s$")
# Spreadsheets run a cell that begins like a formula: systems put a sign before it, or write ="…".
WRAPPED = re.compile(r'^="(.*)"$', re.S)
QUOTED = re.compile(r"^'(?=[=+\-@])")
# The first column of Moodle's worksheet, and how many columns it has at least.
PARTICIPANT = re.compile(r"(\D+) \d+")
LEAST_WORKSHEET = 7
# What a program writes in the place of a letter that its encoding lacks.
LOST_LETTERS = re.compile(r"\?|\ufffd")
TEST_STUDENT = "Student, Test"  # Canvas's own, in every course
EXAMPLE = "a plain roster begins with a line such as: student,name,email"
# Words at the head of a column -> what it holds.
COLUMNS = {
    "student": "student id student_id username user_name user login_id net_id netid",
    "name": "name full_name student_name",
    "first_name": "first_name firstname given_name forename",
    "last_name": "last_name lastname surname family_name",
    "email": "email e_mail email_address mail",
    "login": "login sis_login_id",
    "sis_id": "sis_id sis_user_id sid id_number student_number matriculation_number orgdefinedid",
    "canvas_id": "canvas_id lms_user_id canvas_user_id",
    "moodle_id": "moodle_id identifier",
    "section": "section sections groups group",
    "role": "role roles",
}
KNOWN = {word: field for field, words in COLUMNS.items() for word in words.split()}


@dataclass(frozen=True)
class Person:
    """Somebody on the roster.

    Args:
        student: the id in the gradebook and the name of the folder.
        name: for people.
        sortable: the name with the family's first.
        email, login, sis_id: what systems know them by.
        canvas_id: Canvas's number.
        moodle_id: Moodle's number, another one in every assignment: never kept in `roster.csv`.
        section: the group in the class.
    """

    student: str
    name: str = ""
    sortable: str = ""
    email: str = ""
    login: str = ""
    sis_id: str = ""
    canvas_id: str = ""
    moodle_id: str = ""
    section: str = ""

    @property
    def name_keys(self) -> set[str]:
        """The name as it may stand in a file's name, whichever half is first."""
        words = self.name.split()
        turned = [" ".join([*words[i:], *words[:i]]) for i in range(len(words))]
        return {name_key(form) for form in (self.name, self.sortable, *turned)} - {""}


def one_spelling(text: str) -> str:
    """A name in one Unicode spelling: an accent is part of its letter, wherever the file was zipped."""
    return unicodedata.normalize("NFC", text)


def name_key(text: str) -> str:
    """A name without case, blanks and signs, as Canvas writes it before a file."""
    return "".join(c for c in one_spelling(text).lower() if unicodedata.category(c)[0] in "LMN" or c == "_")


def read_text(path: Path) -> str:
    """A list's text, whichever encoding its system chose.

    Raises:
        CourseError: there is no such file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path}: {error.strerror}") from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


@dataclass(frozen=True)
class Table:
    """A CSV file as it stands: its rows, the header among them, and what parts the cells."""

    rows: list[list[str]]
    delimiter: str


def read_table(path: Path) -> Table:
    """Read a CSV with commas, semicolons or tabs.

    Raises:
        CourseError: it is empty, or no CSV.
    """
    text = read_text(path)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise CourseError(f"{path} is no CSV ({error}); export it again") from None
    if not rows:
        raise CourseError(f"{path} is empty; export it again")
    return Table(rows, delimiter)


def unwrapped(cell: str) -> str:
    """A cell without what was put around it for spreadsheets."""
    cell = one_spelling(cell).strip()
    return QUOTED.sub("", WRAPPED.sub(r"\1", cell))


def column_of(head: str) -> str:
    """What a column holds, by the words at its head; "" where they are none that we know."""
    return KNOWN.get(re.sub(r"\W+", "_", head.lower()).strip("_"), "")


def number_of(cell: str) -> str:
    """The number that Moodle gives a person in an assignment, behind a word of its own; "" where none is."""
    found = re.search(r"\d+$", cell.strip())
    return found[0] if found else ""


def read_roster(path: Path) -> list[Person]:
    """The people on a roster: Canvas's gradebook, Moodle's participants or worksheet, Gradescope's, a CSV.

    Raises:
        CourseError: the file is none of these, or two people in it have one id.
    """
    table = read_table(path)
    header = [unwrapped(cell) for cell in table.rows[0]]
    columns = _canvas_columns(header) or _columns(header, table.rows[1:])
    people = []
    for row in table.rows[1:]:
        cells = dict(zip(columns, (unwrapped(cell) for cell in row), strict=False))
        if not _is_person(cells):
            continue
        people.append(_person(cells))
    if not people or not (columns and any(p.name or p.student or p.email for p in people)):
        raise CourseError(f"{path} names nobody; its columns are {', '.join(header)}. {EXAMPLE}")
    return _with_ids(people, path)


def _canvas_columns(header: list[str]) -> list[str]:
    """What Canvas's columns hold, by their places; [] for another file."""
    heads = [cell.lower() for cell in header]
    if "id" not in heads[:3] or "section" not in heads or heads[0] not in ("student", "lastname"):
        return []
    known = {
        "student": "sortable", "lastname": "last_name", "firstname": "first_name", "id": "canvas_id",
        "sis user id": "sis_id", "sis login id": "login", "section": "section",
    }  # fmt: skip
    return [known.get(head, "") for head in heads[: heads.index("section") + 1]]


def _columns(header: list[str], rows: list[list[str]]) -> list[str]:
    columns = [column_of(cell) for cell in header]
    for i in range(len(columns)):
        cells = [row[i].strip() for row in rows if i < len(row) and row[i].strip()]
        # A system's own language at the head: an address and Moodle's number are told by their looks.
        if cells and not columns[i] and all("@" in cell for cell in cells):
            columns[i] = "email"
        words = {found[1] if (found := PARTICIPANT.fullmatch(cell)) else "" for cell in cells}
        if i == 0 and len(header) >= LEAST_WORKSHEET and len(words) == 1 and words != {""}:
            columns[:2] = ["moodle_id", "name"]
    if "email" in columns and not {"name", "first_name", "last_name"} & set(columns):
        # A system's list of participants in its own language: names stand before the address.
        names = [i for i in range(columns.index("email")) if not columns[i] and _are_words(rows, i)]
        for i, column in zip(
            names, ("first_name", "last_name") if len(names) > 1 else ("name",), strict=False
        ):
            columns[i] = column
    if "student" in columns and "name" not in columns and "first_name" not in columns:
        # "Student" above names and "ID" above ids is common too.
        twice = [i for i, column in enumerate(columns) if column == "student"]
        if len(twice) > 1:
            columns[twice[0]] = "name"
    return columns


def _are_words(rows: list[list[str]], i: int) -> bool:
    """Whether a column holds names: nothing with a digit in it."""
    cells = [row[i] for row in rows if i < len(row)]
    return any(cell.strip() for cell in cells) and not any(c.isdigit() for cell in cells for c in cell)


def _is_person(cells: dict[str, str]) -> bool:
    student = cells.get("sortable", "")
    if student == TEST_STUDENT:
        return False
    if "canvas_id" in cells and "sortable" in cells and not cells["canvas_id"]:
        return False  # the rows "Manual Posting" and "Points Possible"; a person may be called so
    role = cells.get("role", "").lower()
    return any(cells.values()) and not re.search(r"instructor|teacher|\bta\b|assistant", role)


def _person(cells: dict[str, str]) -> Person:
    given, family = cells.get("first_name", ""), cells.get("last_name", "")
    sortable = cells.get("sortable", "") or ", ".join(part for part in (family, given) if part)
    name = cells.get("name", "") or " ".join(part for part in (given, family) if part)
    if not name:
        family, _, given = sortable.partition(", ")
        name = f"{given} {family}".strip()
    known = {field.name for field in fields(Person)} - {"name", "sortable", "moodle_id"}
    plain = {key: value for key, value in cells.items() if key in known}
    number = number_of(cells.get("moodle_id", ""))
    return Person(**{"student": "", **plain}, name=name, sortable=sortable, moodle_id=number)


IDS: tuple[Callable[[Person], str], ...] = (
    lambda p: p.student, lambda p: p.login, lambda p: p.sis_id, lambda p: p.email.lower(),
    lambda p: p.canvas_id, lambda p: p.name,
)  # fmt: skip


def _with_ids(people: list[Person], path: Path) -> list[Person]:
    """Each with an id: what the first column holds that tells all of them apart."""
    merged = list(dict.fromkeys(people))
    given = [person.student.casefold() for person in merged if person.student]
    if twice := sorted({one for one in given if given.count(one) > 1}):
        raise CourseError(f"{path}: two people have the id {twice[0]!r}; give each a value of their own")
    for of in IDS:
        ids = [of(person) for person in merged]
        if all(ids) and len({name.casefold() for name in ids}) == len(ids):
            bad = next((one for one in ids if NO_ID.search(one) or len(one) > MOST_ID), None)
            if bad is None:
                return [replace(p, student=student) for p, student in zip(merged, ids, strict=True)]
    raise CourseError(
        f"{path}: no column tells everybody apart and can be the name of a folder; "
        f"give each a value of their own in a column `student`. {EXAMPLE}"
    )


def with_known_ids(people: list[Person], known: Iterable[Person]) -> list[Person]:
    """People of a newer list, each with the id and what else an older one has of them."""
    found: dict[tuple[str, str], Person] = {}
    keys = ("canvas_id", "sis_id", "login", "email", "student")
    for person in known:
        for key in keys:
            if value := getattr(person, key):
                found.setdefault((key, value.casefold()), person)
    merged = []
    for person in people:
        same = (found.get((key, getattr(person, key).casefold())) for key in keys if getattr(person, key))
        before = next((one for one in same if one), None)
        if before:
            new = {key: value for key, value in person.__dict__.items() if value}
            for key in ("name", "sortable"):
                if LOST_LETTERS.search(new.get(key, "")) and getattr(before, key):
                    del new[key]
            person = replace(before, **{**new, "student": before.student})
        merged.append(person)
    return merged


def write_roster(root: Path, people: Iterable[Person]) -> Path:
    """Keep the roster in the course's folder, for all that follows."""
    names = [field.name for field in fields(Person) if field.name != "moodle_id"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([getattr(person, name) for name in names] for person in people)
    path = root / ROSTER
    write_whole(path, text.getvalue().encode())
    return path


def roster_of(root: Path, path: Path | None = None) -> list[Person]:
    """The roster named, or the course's own; [] where there is none."""
    if path is None and not (root / ROSTER).is_file():
        return []
    return read_roster(path or root / ROSTER)


def _extensions(root: Path) -> list[tuple[int, str, str, timedelta]]:
    """The lines of `extensions.csv`: number, student, notebook or *, how much more time.

    Raises:
        CourseError: a line of the file cannot be read.
    """
    path = root / EXTENSIONS
    if not path.is_file():
        return []
    rows = read_table(path).rows
    header = [cell.strip().lower() for cell in rows[0]]
    if not {"student", "notebook", "days"} <= set(header):
        raise CourseError(f"{path} needs the columns student, notebook, days; it has {', '.join(header)}")
    found = []
    for number, row in enumerate(rows[1:], start=2):
        cells = dict(zip(header, (one_spelling(cell).strip() for cell in row), strict=False))
        try:
            given = timedelta(days=float(cells["days"].replace(",", ".")))
        except (KeyError, ValueError, OverflowError):
            raise CourseError(f"{path}, line {number}: days must be a number, such as 2 or 0.5") from None
        found.append((number, cells["student"], cells["notebook"], given))
    return found


def extensions_of(root: Path, notebook: str) -> dict[str, timedelta]:
    """More time for single students, from `extensions.csv`: columns student, notebook (or *), days.

    Raises:
        CourseError: a line of the file cannot be read.
    """
    found: dict[str, timedelta] = {}
    for _, student, where, given in _extensions(root):
        if where in (notebook, "*"):
            found[student] = max(given, found.get(student, given))
    return found


def extensions_for_nobody(root: Path, students: Iterable[str], notebooks: Iterable[str]) -> list[str]:
    """The lines of `extensions.csv` that help nobody, in words: no such student, or no such notebook.

    Raises:
        CourseError: a line of the file cannot be read.
    """
    students, notebooks = set(students), {"*", *notebooks}
    return [
        f"{EXTENSIONS}, line {number}: there is no {'student' if who not in students else 'notebook'} "
        f"{(who if who not in students else where)!r}; nobody gets this time"
        for number, who, where, _ in _extensions(root)
        if who not in students or where not in notebooks
    ]
