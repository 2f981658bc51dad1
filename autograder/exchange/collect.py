"""What a learning system gives becomes nbgrader's folder of submissions; nobody is lost in silence.

Of each student the newest notebook that has answers counts. The system's ids are kept for the way back, in
`collected/NOTEBOOK.json`, and with them why somebody's work came to nothing.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from autograder.course.places import CHECKPOINTS, write_whole
from autograder.course.roster import Person, column_of, read_roster, read_table, unwrapped
from autograder.errors import CourseError
from autograder.exchange.recognise import Looked, Recogniser, kind_of
from autograder.exchange.systems import FORMS, METADATA, Claim, Roster, gradescope, moment_of
from autograder.exchange.unpack import Found, Refused, may_be_notebook, walk
from autograder.grading.classroom import STAMP, folder_of, shown_name

COLLECTED = "collected"
# Of these an export is of one assignment.
OF_ONE_ASSIGNMENT = ("canvas", "moodle", "gradescope", "blackboard", "brightspace")
# Those that are told by the looks of names; of two that all names fit, the one whose form says more.
BY_LOOKS = ("moodle", "blackboard", "brightspace", "nbgrader", "canvas")
TIMES = ("time", "submitted", "submitted at", "submitted_at", "timestamp", "submission time")
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Candidate:
    """A notebook that a student handed in, its content packed; of others only the path is kept."""

    path: str
    content: bytes
    looked: Looked
    claim: Claim
    order: tuple[Any, ...]
    others: list[str] = field(default_factory=list)


@dataclass
class Collected:
    """What came of a source.

    Args:
        system: the system whose export it is.
        taken: (student, notebook, path in the source).
        told: what is to be known of it, in sentences.
        left: what was not taken, in sentences: nobody's, refused, of another assignment, no notebook.
        nothing: people on the roster of whom there was nothing.
    """

    system: str = "folder"
    taken: list[tuple[str, str, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    nothing: list[str] = field(default_factory=list)


def collect(
    source: Path,
    root: Path,
    people: Iterable[Person],
    submitted: Path,
    folders: Iterable[Path],
    assignment: str | None = None,
    worksheet: Path | None = None,
    times: Path | None = None,
) -> Collected:
    """Take what a learning system gives into the folder of submissions.

    Args:
        source: a system's zip or export, or a folder of files.
        root: the course's folder.
        people: the roster.
        submitted: nbgrader's folder of submissions.
        folders: the masters' folders.
        assignment: the notebook; notebooks of others are left where they are. Without it the commonest one of
            a system's export, and all that lie in a folder.
        worksheet: Moodle's grading worksheet, which tells apart people of one name.
        times: a CSV with a column that says who, and one that says when.

    Raises:
        CourseError: the source or a list cannot be read.
    """
    return _Collecting(
        source, root, Roster(people, _participants(worksheet, people)), submitted, folders
    ).run(assignment, _times(times) if times else [])


def _participants(worksheet: Path | None, people: Iterable[Person]) -> dict[str, Person]:
    """Moodle's numbers in one assignment -> people of the roster."""
    if worksheet is None:
        return {}
    roster, found = Roster(people), {}
    for row in read_roster(worksheet):
        person = roster.find((row.email, row.sis_id), row.name)
        if row.moodle_id and person:
            found[row.moodle_id] = person
    if not found:
        raise CourseError(f"{worksheet} names nobody of the roster; is it this course's grading worksheet?")
    return found


def _times(path: Path) -> list[tuple[dict[str, str], datetime]]:
    """Who, and when.

    Raises:
        CourseError: there is no column for it, or a moment cannot be read.
    """
    rows = read_table(path).rows
    header = [unwrapped(cell).lower() for cell in rows[0]]
    when = next((i for i, name in enumerate(header) if name in TIMES), None)
    if when is None:
        raise CourseError(f"{path} needs a column `time`; it has {', '.join(header)}")
    columns = [column_of(name) for name in header]
    found = []
    for number, row in enumerate(rows[1:], start=2):
        if when < len(row) and row[when].strip():
            moment = moment_of(row[when])
            if moment is None:
                raise CourseError(
                    f"{path}, line {number}: {row[when]!r} is no moment such as 2026-11-20 23:59"
                )
            who = dict(zip(columns, (unwrapped(cell) for cell in row), strict=False))
            found.append((who, moment))
    return found


class _Collecting:
    def __init__(self, source: Path, root: Path, roster: Roster, submitted: Path, folders: Iterable[Path]):
        self._source, self._root, self._roster, self._submitted = source, root, roster, submitted
        self._recogniser = Recogniser(folders)
        self._found = Collected()
        self._best: dict[tuple[str, str], Candidate] = {}
        # What a student handed in that is no notebook of the course, the one file of all that is told:
        # student -> (path, words, its bytes, packed).
        self._else: dict[str, tuple[str, str, bytes]] = {}
        self._late: set[str] = set()
        self._stamps: dict[tuple[str, ...], datetime] = {}

    def run(self, assignment: str | None, times: list[tuple[dict[str, str], datetime]]) -> Collected:
        paths, metadata = self._look_through()
        self._choose_system(paths, metadata)
        for entry in walk(self._source):
            self._take(entry)
        if not self._best and not self._else and self._found.system != "folder":
            self._found, self._form = Collected(), FORMS["folder"]  # names that only looked like a system's
            for entry in walk(self._source):
                self._take(entry)
        moments = self._moments(times)
        wanted = assignment or self._commonest()
        reasons = self._reasons(wanted)
        ids: dict[str, dict[str, dict[str, str]]] = {}
        for (student, notebook), candidate in sorted(self._best.items()):
            if wanted and notebook != wanted:
                continue
            content = zlib.decompress(candidate.content)
            self._write(student, notebook, content, moments.get(student) or candidate.claim.moment)
            self._found.taken.append((student, notebook, candidate.path))
            ids.setdefault(notebook, {})[student] = {**candidate.claim.ids, "file": candidate.path}
            self._tell(student, candidate)
        for notebook in {*ids, *([wanted] if wanted else [])}:
            keep_ids(self._root, notebook, self._found.system, ids.get(notebook, {}), reasons)
        without = self._late - moments.keys()
        if without:
            self._found.told.append(
                f"Canvas marks {len(without)} as LATE and says no time: name a CSV of who handed in when "
                "with --times, or lateness costs nothing"
            )
        seen = {student for student, _ in self._best} | self._else.keys()
        self._found.nothing = sorted(p.student for p in self._roster.people if p.student not in seen)
        return self._found

    def _look_through(self) -> tuple[set[tuple[str, ...]], bytes | None]:
        """The names that no student wrote, and what Gradescope says of its own export."""
        paths: set[tuple[str, ...]] = set()
        metadata: dict[tuple[str, ...], bytes] = {}
        for entry in walk(self._source):
            paths.add(entry.outside)
            if isinstance(entry, Refused) or entry.outside != entry.path:
                continue
            if entry.path[-1] == METADATA and not self._is_somebodys(entry.path[:-1]):
                metadata[entry.path] = entry.content
            if entry.path[-1] == STAMP:
                moment = moment_of(entry.content.decode("utf-8", "replace"))
                if moment:
                    self._stamps[entry.path[:-1]] = moment
        # One that lies deeper was handed in.
        return paths, metadata[min(metadata, key=len)] if metadata else None

    def _is_somebodys(self, folders: tuple[str, ...]) -> bool:
        return any(
            (claim := FORMS[system](part, self._roster)) and (claim.people or system != "folder")
            for part in folders
            for system in FORMS
        )

    def _choose_system(self, paths: set[tuple[str, ...]], metadata: bytes | None) -> None:
        if metadata is not None:
            try:
                self._found.system, self._form = "gradescope", gradescope(metadata)
            except ValueError as error:
                raise CourseError(f"{self._source}: {METADATA} cannot be read ({str(error)[:200]})") from None
            return
        # What fits the forms of several systems votes for each: a student's own words stand behind a
        # system's, and who hands in many files has no more of a say than the system that names them all.
        votes = Counter(system for path in paths for system in self._looks_like(path))
        best = max(BY_LOOKS, key=lambda system: votes[system])
        self._found.system = best if votes[best] * 2 >= len(paths) and votes[best] else "folder"
        self._form = FORMS[self._found.system]

    def _looks_like(self, path: tuple[str, ...]) -> list[str]:
        """The systems that could have given the outermost name that any of them could have given."""
        for part in path:
            if systems := [system for system in BY_LOOKS if FORMS[system](part, self._roster)]:
                return systems
        return []

    def _claim(self, path: tuple[str, ...]) -> Claim:
        if self._found.system == "folder":
            # A notebook's own name is nobody's: "01" may be a student.
            path = tuple(part for whole in path if (part := self._without_notebooks(whole)))
        first = None
        for part in path:
            claim = self._form(part, self._roster)
            if claim and (claim.people or self._found.system not in ("folder", "nbgrader")):
                return claim  # what stands behind the system's own part is the student's
            first = first or claim
        return first or Claim(reason="its name is nobody's on the roster")

    def _without_notebooks(self, part: str) -> str:
        for name in self._recogniser.names:
            part = part.replace(name, " ")
        return part.strip()

    def _take(self, entry: Found | Refused) -> None:
        path, claim = shown_name("/".join(entry.path)), self._claim(entry.path)
        whose = ", ".join(person.student for person in claim.people)
        if isinstance(entry, Refused):
            self._found.left.append(f"{path}{f' ({whose})' if whose else ''}: refused: {entry.reason}")
            for person in claim.people:
                self._keep_else(person.student, path, f"refused: {entry.reason}", b"")
            return
        looked = self._look(entry)
        if claim.people and claim.reason:
            looked = Looked("", 0, claim.reason)
        if not claim.people:
            if claim.reason and entry.path[-1] not in (METADATA, STAMP):
                self._found.left.append(f"{path}: {claim.reason}; it looks like {looked.words}")
            return
        if claim.note:
            self._found.told.append(f"{path}: {claim.note}")
        # Where a system names files, one that says when it was handed in is a student's own.
        stamps = self._stamps if self._found.system in ("folder", "nbgrader") else {}
        moment = claim.moment or stamps.get(entry.path[:-1])
        claim = replace(claim, moment=moment)
        for person in claim.people:
            if claim.is_late:
                self._late.add(person.student)
            if not looked.notebook:
                if entry.path[-1] != STAMP:
                    content = entry.content if entry.path[-1].lower().endswith(".ipynb") else b""
                    self._keep_else(person.student, path, looked.words, content)
                continue
            order = (
                looked.answers > 0, CHECKPOINTS not in entry.path, moment or LONG_AGO, claim.order,
                entry.modified, _count(entry.path[-1]),
            )  # fmt: skip
            content = zlib.compress(entry.content, 1)  # a class of thousands is held in memory
            self._keep_best(person.student, Candidate(path, content, looked, claim, order))

    def _keep_else(self, student: str, path: str, words: str, content: bytes) -> None:
        before = self._else.get(student, ("", "", b""))
        if (len(content) > 0, path) >= (len(before[2]) > 0, before[0]):
            self._else[student] = path, words, zlib.compress(content, 1) if content else b""

    def _look(self, entry: Found) -> Looked:
        if may_be_notebook(entry.path[-1], entry.content):
            return self._recogniser.look(entry.content)
        return Looked("", 0, kind_of(entry.content) or "another file")

    def _keep_best(self, student: str, new: Candidate) -> None:
        key = (student, new.looked.notebook)
        old = self._best.get(key)
        if old is None:
            self._best[key] = new
            return
        best, other = (new, old) if new.order > old.order else (old, new)
        if other.content != best.content:
            best.others = [*old.others, *new.others, other.path]
        self._best[key] = best

    def _commonest(self) -> str | None:
        if self._found.system not in OF_ONE_ASSIGNMENT or not self._best:
            return None
        return Counter(notebook for _, notebook in sorted(self._best)).most_common(1)[0][0]

    def _reasons(self, wanted: str | None) -> dict[str, str]:
        """Students of whom something came that is not to be graded, and what."""
        reasons: dict[str, str] = {}
        has = {student for student, notebook in self._best if wanted in (None, notebook)}
        for (student, notebook), candidate in sorted(self._best.items()):
            if wanted and notebook != wanted:
                words = f"is a notebook of {notebook}, not of {wanted}; it is set aside"
                self._found.left.append(f"{student}: {candidate.path} {words}")
                if student not in has:
                    reasons[student] = f"handed in a notebook of {notebook}"
        for student, (path, words, packed) in sorted(self._else.items()):
            if student in has:
                continue
            if packed and wanted:
                # What is called a notebook and cannot be read: grading says why, with the others' reasons.
                self._write(student, wanted, zlib.decompress(packed), None)
            self._found.left.append(f"{student}: no notebook of the course; there is {path}, {words}")
            reasons.setdefault(student, f"handed in {path.rsplit('/', 1)[-1]}: {words}")
        return reasons

    def _moments(self, times: list[tuple[dict[str, str], datetime]]) -> dict[str, datetime]:
        found = {}
        for who, moment in times:
            known = [who.get(key, "") for key in ("student", "login", "sis_id", "email", "canvas_id")]
            person = self._roster.find(known, who.get("name", "") or who.get("student", ""))
            if person:
                found[person.student] = moment
            else:
                self._found.left.append(
                    f"the time of {' '.join(filter(None, who.values()))}: nobody of the roster"
                )
        return found

    def _write(self, student: str, notebook: str, content: bytes, moment: datetime | None) -> None:
        folder = folder_of(self._submitted, student, notebook)
        path = folder / f"{notebook}.ipynb"
        folder.mkdir(parents=True, exist_ok=True)
        before = path.read_bytes() if path.is_file() else None
        if before is not None and before != content:
            older = self._root / COLLECTED / "older" / notebook
            older.mkdir(parents=True, exist_ok=True)
            write_whole(older / f"{student}-{sha256(before).hexdigest()[:8]}.ipynb", before)
        if before != content:
            write_whole(path, content)
        if moment:
            write_whole(folder / STAMP, f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC\n".encode())

    def _tell(self, student: str, candidate: Candidate) -> None:
        if candidate.others:
            others = ", ".join(sorted(candidate.others))
            self._found.told.append(f"{student}: of several {candidate.path} was taken, not {others}")
        if not candidate.looked.answers:
            self._found.told.append(f"{student}: {candidate.path} has no answer in it")


def _count(name: str) -> int:
    """Which copy of a file it is, as Canvas and browsers count: `x-1.ipynb`, `x (2).ipynb`."""
    found = re.search(r"(?:-(?:Copy)?|\()(\d{1,3})\)?(?:\.\w+)?$", name)
    return int(found[1]) if found else 0


def attempts_of(root: Path, notebook: str, submitted: Path) -> Counter[str]:
    """How many versions of a notebook were collected from each student, the one that counts among them."""
    older = (root / COLLECTED / "older" / notebook).glob("*-*.ipynb")
    found = Counter(path.stem.rpartition("-")[0] for path in older)
    return found + Counter(path.parent.name for path in submitted.glob(f"*/{notebook}"))


def ids_of(root: Path, notebook: str) -> dict[str, Any]:
    """What was kept when a notebook was collected: its "system", "students" (ids), "reasons" (words)."""
    path = root / COLLECTED / f"{notebook}.json"
    if not path.is_file():
        return {"system": "", "students": {}, "reasons": {}}
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError:
        raise CourseError(f"{path} is damaged; remove it and collect again") from None


def keep_ids(
    root: Path,
    notebook: str,
    system: str,
    students: Mapping[str, Mapping[str, str]],
    reasons: Mapping[str, str],
) -> None:
    """Keep a system's ids for the way back; those of an earlier collecting stay where nothing newer came."""
    kept = ids_of(root, notebook)
    before = kept["students"] if kept["system"] == system else {}
    since = {student: words for student, words in kept["reasons"].items() if student not in students}
    told = {"system": system, "students": {**before, **students}, "reasons": {**since, **reasons}}
    path = root / COLLECTED / f"{notebook}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(told, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode())
