"""The commands about a class's marks (collect, export, return, ...), and what a regrade says."""

from __future__ import annotations

import errno
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from autograder.console import err, out
from autograder.course.places import (
    course_key,
    course_root,
    find_masters,
    journal_path,
    keep_private,
    write_whole,
)
from autograder.errors import CourseError

NOTHING_YET = "nothing of {0} is graded yet: `autograder grade {0} --gradebook …` comes first"
MOST_CHANGES = 40
MOST_SHOWN = 200
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)

Root = Annotated[Path | None, typer.Option("--root", help="The course's folder.", show_default=False)]
GradebookUrl = Annotated[
    str | None,
    typer.Option("--gradebook", help="Database URL; the course's gradebook.db.", show_default=False),
]
RosterFile = Annotated[
    Path | None,
    typer.Option("--roster", help="The class; the course's roster.csv, if there is one.", show_default=False),
]
SubmittedFolder = Annotated[Path, typer.Option(help="Folder with STUDENT/NOTEBOOK/NOTEBOOK.ipynb.")]


def address(home: Path, gradebook: str | None) -> str:
    """The gradebook that was named, or the course's own."""
    from autograder.nbgrader_door.database import sqlite_address  # noqa: PLC0415

    return gradebook or sqlite_address(home / "gradebook.db")


def everybody_of(home: Path, notebook: str, gradebook: str | None, people: list, submitted: Path) -> list:
    """Everybody's marks, from the gradebook."""
    from autograder.exchange.collect import ids_of  # noqa: PLC0415
    from autograder.nbgrader_door.standings import standings  # noqa: PLC0415

    reasons = ids_of(home, notebook)["reasons"]
    found = standings(address(home, gradebook), home, notebook, people, submitted, reasons)
    if not any(one.parts for one in found):
        err.print(Text(NOTHING_YET.format(notebook)), soft_wrap=True)
    return found


def name_(
    notebook: Annotated[str, typer.Argument(help="The notebook, 01_simple_rnn.")],
    group: Annotated[
        str | None, typer.Argument(help="The group, as the report calls it; without one they are listed.")
    ] = None,
    as_: Annotated[
        str, typer.Option("--as", help="The mistake in a few words, for students.", show_default=False)
    ] = "",
    hint: Annotated[
        str, typer.Option(help="A sentence that helps, and does not give the line away.", show_default=False)
    ] = "",
    share: Annotated[
        float | None,
        typer.Option(help="The part of the points it is worth at least: 0.5 for half.", show_default=False),
    ] = None,
    submitted: SubmittedFolder = Path("submitted"),
    journal_file: Annotated[Path | None, typer.Option("--journal", help="What `grade` found.")] = None,
    root: Root = None,
) -> None:
    """Name a group of wrong answers that return the same, once for all who gave it or will.

    The name, the hint and the share stand in named_groups.toml beside the notebook's exercises.py, with one
    answer as an example. Reports have the name at once, marks and feedback when the class is graded again.
    """
    keep_private()
    from autograder.grading.grade import Grader  # noqa: PLC0415
    from autograder.grading.journal import Journal  # noqa: PLC0415
    from autograder.grading.unnamed import name_group, with_names  # noqa: PLC0415
    from autograder.report.groups import groups_of  # noqa: PLC0415

    home = course_root(root)
    (folder,) = find_masters(home / "solutions", [notebook])
    with (
        Journal(journal_file or journal_path(home, notebook)) as journal,
        Grader(folder, course_key(home)) as grader,
    ):
        groups = groups_of(with_names(grader, one) for one in journal.records(journal.students))
        if group is None:
            for one in groups:
                looks = f" ({one.looks_like.most_common(1)[0][0]})" if one.looks_like else ""
                out.print(Text(f"{one.id}: {counted(one.students, 'student')}{looks}"), soft_wrap=True)
            out.print(f"{counted(len(groups), 'group')} without a name")
            return
        if not as_.strip():
            raise CourseError('--as "what is wrong, in a few words" is missing')
        path = name_group(grader, submitted, groups, group, as_, hint, share)
        count = next(one.students for one in groups if one.id == group)
    out.print(Text(f"{group}: {counted(count, 'student')}; {path}"), soft_wrap=True)
    out.print(Text(f"their marks and feedback: `autograder grade {notebook}` again"), soft_wrap=True)


def written_(
    notebook: Annotated[str, typer.Argument(help="The notebook, 01_simple_rnn.")],
    group: Annotated[
        str | None, typer.Argument(help="The group that is marked; without one they are listed.")
    ] = None,
    points: Annotated[
        float | None, typer.Option(help="For each of the group who waits.", show_default=False)
    ] = None,
    comment: Annotated[str, typer.Option(help="To be read in the feedback.", show_default=False)] = "",
    gradebook: GradebookUrl = None,
    submitted: SubmittedFolder = Path("submitted"),
    root: Root = None,
) -> None:
    """List written answers in groups that say the same, or mark a group at once, as formgrader would.

    Whom a person has marked already keeps that mark.
    """
    keep_private()
    from autograder.course.masters import read_master  # noqa: PLC0415
    from autograder.nbgrader_door.standings import must_exist  # noqa: PLC0415
    from autograder.nbgrader_door.written import alike, mark_group, scheme_of  # noqa: PLC0415

    home = course_root(root)
    (folder,) = find_masters(home / "solutions", [notebook])
    url = address(home, gradebook)
    must_exist(url, notebook)
    master = read_master(folder)
    left_out: list[str] = []
    groups = alike(url, master, submitted, left_out.append)
    if left_out:
        err.print(Text(f"not the file that was graded, so left out: {', '.join(left_out)}"), soft_wrap=True)
    if group is None:
        if not groups:
            has = master.cells_with("written")
            words = NOTHING_YET.format(notebook) if has else f"{notebook} has no written question"
            err.print(Text(words), soft_wrap=True)
        for question in dict.fromkeys(one.question for one in groups):
            out.print(Text(f"{question}\n{scheme_of(master, question)}\n", "bold"))
            for one in (one for one in groups if one.question == question):
                marked = f", marked {' and '.join(f'{m:g}' for m in one.marks)}" if one.marks else ""
                said = (
                    f"{one.id}: {counted(len(one.students), 'student')}, {len(one.waiting)} waiting{marked}"
                )
                out.print(Text(said), soft_wrap=True)
                out.print(Text(f"    {shown_text(one.text)}"), soft_wrap=True)
        return
    found = {one.id: one for one in groups}
    if group not in found:
        raise CourseError(f"there is no group {group!r}; `autograder written {notebook}` lists them")
    if points is None:
        raise CourseError("--points is missing: how many does each of the group get?")
    given = mark_group(url, master, found[group], points, comment)
    out.print(
        Text(f"{group}: {counted(points, 'point')} to {counted(len(given), 'student')}"), soft_wrap=True
    )


def counted(count: float, word: str) -> str:
    """So many of something: "1 student", "2 students"."""
    return f"{count:g} {word}" if count == 1 else f"{count:g} {word}s"


def shown_text(text: str) -> str:
    """The beginning of an answer in one line, as a terminal may show it."""
    from autograder.grading.classroom import shown_name  # noqa: PLC0415

    return shown_name(shortened(" ".join(text.split()), MOST_SHOWN)) or "(nothing)"


def shortened(text: str, most: int) -> str:
    """So many of a text's characters at most, and a sign where there are more."""
    return text if len(text) <= most else f"{text[:most]}…"


def export(
    notebook: Annotated[str | None, typer.Argument(help="The notebook, 01_simple_rnn.")] = None,
    course: Annotated[
        bool, typer.Option("--course", help="All notebooks, and each student's total.")
    ] = False,
    drop: Annotated[
        int, typer.Option(min=0, help="With --course: the lowest of each that do not count.")
    ] = 0,
    gradebook: GradebookUrl = None,
    roster: RosterFile = None,
    submitted: SubmittedFolder = Path("submitted"),
    file: Annotated[Path | None, typer.Option("--file", help="The file to write.")] = None,
    root: Root = None,
) -> None:
    """Write the marks as CSV, as they stand in the gradebook, with a row and a state for everybody."""
    keep_private()
    from autograder.course.roster import roster_of  # noqa: PLC0415
    from autograder.nbgrader_door.export import export_course, export_csv  # noqa: PLC0415
    from autograder.nbgrader_door.standings import graded_notebooks  # noqa: PLC0415

    home = course_root(root)
    if course == bool(notebook):
        raise CourseError("name one notebook, or --course for all of them")
    if drop and not course:
        raise CourseError("--drop goes with --course")
    path = file or home / "build" / "export" / f"{notebook or 'course'}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    people = roster_of(home, roster)
    if notebook:
        find_masters(home / "solutions", [notebook])
        export_csv(path, notebook, everybody_of(home, notebook, gradebook, people, submitted))
    else:
        known = graded_notebooks(address(home, gradebook))
        found = {
            folder.name: everybody_of(home, folder.name, gradebook, people, submitted)
            for folder in find_masters(home / "solutions")
            if folder.name in known
        }
        export_course(path, found, drop)
    out.print(Text(f"{notebook or 'course'}: {path}"))


def collect(
    source: Annotated[Path, typer.Argument(help="What the learning system gives: a zip, or a folder.")],
    roster: RosterFile = None,
    assignment: Annotated[
        str | None, typer.Option(help="The notebook; others' are set aside.", show_default=False)
    ] = None,
    submitted: SubmittedFolder = Path("submitted"),
    worksheet: Annotated[
        Path | None,
        typer.Option(help="Moodle's grading worksheet, for people of one name.", show_default=False),
    ] = None,
    times: Annotated[
        Path | None,
        typer.Option(help="A CSV of who handed in when (columns student, time).", show_default=False),
    ] = None,
    root: Root = None,
) -> None:
    """Take a learning system's submissions into the folder that `grade` reads; say whose is not there.

    SOURCE is Canvas's or Moodle's zip, Gradescope's, Blackboard's or Brightspace's export, or a folder. The
    roster is the system's own list or a plain CSV, and is kept as roster.csv. Notebooks are recognised by
    their content.
    """
    keep_private()
    from autograder.course.roster import (  # noqa: PLC0415
        LOST_LETTERS,
        read_roster,
        roster_of,
        with_known_ids,
        write_roster,
    )
    from autograder.exchange.collect import COLLECTED  # noqa: PLC0415
    from autograder.exchange.collect import collect as collecting  # noqa: PLC0415
    from autograder.grading.classroom import shown_name  # noqa: PLC0415

    home = course_root(root)
    folders = find_masters(home / "solutions")
    if assignment:
        find_masters(home / "solutions", [assignment])
    people = roster_of(home)
    if not people:
        roster = roster or worksheet
    if roster:
        before, people = people, with_known_ids(read_roster(roster), people)
        still = {person.student for person in people}
        gone = [f"{p.student} ({p.name})" for p in before if p.student not in still]
        if gone:
            out.print(Text(f"no longer on the roster: {', '.join(sorted(gone))}"), soft_wrap=True)
        if lost := [person.student for person in people if LOST_LETTERS.search(person.name)]:
            words = "letters of their names were lost when the list was saved elsewhere; export it anew"
            err.print(Text(f"{roster}: {', '.join(lost)}: {words}"), soft_wrap=True)
        if worksheet is None and any(person.moodle_id for person in people):
            worksheet = roster  # it is a worksheet itself
        write_roster(home, people)
    if not people:
        raise CourseError("there is no roster yet: name the class with --roster CSV")
    found = collecting(source, home, people, submitted, folders, assignment, worksheet, times)
    counts = Counter(notebook for _, notebook, _ in found.taken)
    words = ", ".join(f"{count} of {notebook}" for notebook, count in sorted(counts.items())) or "nothing"
    out.print(Text(f"{found.system}: taken {words}, of {len(people)} on the roster -> {submitted}"))
    for sentence in found.told:
        out.print(Text(shown_name(sentence)), soft_wrap=True)
    if found.anew:
        words = f"another file than before from {len(found.anew)}: {', '.join(found.anew)}"
        out.print(Text(f"{words} (that one is in {COLLECTED}/older)"), soft_wrap=True)
    if found.before:
        out.print(f"nothing new from {len(found.before)}: what was collected of them before stays")
    if found.nothing:
        out.print(Text(f"nothing from {len(found.nothing)}: {', '.join(found.nothing)}"), soft_wrap=True)
    for sentence in found.left:
        err.print(Text(f"not taken: {shown_name(sentence)}", "red"), soft_wrap=True)
    if found.left:
        raise typer.Exit(1)


def return_(
    notebook: Annotated[str, typer.Argument(help="The notebook, 01_simple_rnn.")],
    to: Annotated[str, typer.Option(help="canvas, moodle, gradescope or folder.")] = "folder",
    own: Annotated[
        Path | None,
        typer.Option("--export", help="Your own export: Canvas's gradebook, Moodle's worksheet."),
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="The export's column for the marks, where several could be it.")
    ] = None,
    gradebook: GradebookUrl = None,
    roster: RosterFile = None,
    submitted: SubmittedFolder = Path("submitted"),
    journal_file: Annotated[Path | None, typer.Option("--journal", help="What `grade` found.")] = None,
    into: Annotated[Path | None, typer.Option(help="The folder to write.", show_default=False)] = None,
    root: Root = None,
) -> None:
    """Write the file of marks that a learning system imports, and a zip of feedback that it gives out.

    Your own export is filled in, because ids and columns are that site's. What the system would refuse, ask
    about or pass over in silence is said first; whoever is not to be changed has no row.
    """
    keep_private()
    from autograder.course.masters import read_master  # noqa: PLC0415
    from autograder.course.roster import roster_of  # noqa: PLC0415
    from autograder.exchange.collect import ids_of  # noqa: PLC0415
    from autograder.exchange.give_back import WAYS, Back, give_back  # noqa: PLC0415
    from autograder.grading.journal import Journal  # noqa: PLC0415

    if to not in WAYS:
        raise CourseError(f"--to {to}: there are {', '.join(WAYS)}")
    home = course_root(root)
    (folder,) = find_masters(home / "solutions", [notebook])
    people = roster_of(home, roster)
    everybody = everybody_of(home, notebook, gradebook, people, submitted)
    master = read_master(folder)
    hints = {name: exercise.spec.hints for name, exercise in master.exercises.items()}
    place = into or home / "build" / "return" / notebook
    with Journal(journal_file or journal_path(home, notebook)) as journal:
        back = Back(notebook, master.title, everybody, people, ids_of(home, notebook), journal.found, hints)
        returned = give_back(back, to, own, column)
    for sentence in returned.told:
        err.print(Text(sentence), soft_wrap=True)
    place.mkdir(parents=True, exist_ok=True)
    for name, (content, what) in returned.files.items():
        write_whole(place / name, content)
        out.print(Text(f"{place / name}: {what}"), soft_wrap=True)


def moment_in_utc(text: str) -> datetime:
    """A moment in UTC, as the gradebook keeps it."""
    from autograder.exchange.systems import moment_of  # noqa: PLC0415

    moment = moment_of(text)
    if moment is None:
        raise CourseError(f"--due {text}: write a moment such as 2026-11-20T23:59+01:00")
    return moment.replace(tzinfo=None)


def say_spellings(spellings: dict[str, list[str]]) -> None:
    """Say whose folder is named in another Unicode spelling, or stands there in two."""
    for student, names in spellings.items():
        if len(names) > 1:
            more = "stands there in two Unicode spellings: it is one student, whose newer notebook counts"
        else:
            more = "is written in another Unicode spelling there: the usual one is the student's id"
        err.print(Text(f"{student}: the folder's name {more}"), soft_wrap=True)


def say_changes(written, path: Path) -> None:
    """Whose marks are other ones than before, and which marks by hand want another look."""
    from autograder.nbgrader_door.export import plain_text, write_rows  # noqa: PLC0415

    if written.followed:
        for what in written.followed.changes.values():
            out.print(Text(what), soft_wrap=True)
        out.print(Text(f"The gradebook as it was: {written.followed.backup}"), soft_wrap=True)
        for what in written.followed.lost:
            out.print(Text(f"only there now: {what}"), soft_wrap=True)
    for sentence in written.look_again:
        err.print(Text(f"look again: {sentence}"), soft_wrap=True)
    rows = [["student", "before", "now", "by", "why"]]
    table = Table(title="whose mark changed", title_justify="left")
    for name in ("student", "before", "now", "by", "why"):
        table.add_column(name, overflow="fold")
    for one in written.changed:
        numbers = [f"{one.before:g}", f"{one.after:g}", f"{one.after - one.before:+g}"]
        rows.append([plain_text(one.student), *numbers, plain_text(one.why)])
        if len(rows) <= MOST_CHANGES:
            table.add_row(Text(one.student), *numbers, Text(one.why))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_rows(path, rows)  # an older list would be taken for this regrade's
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise
        # The marks are written all the same.
        err.print(Text(f"no list of changed marks: {path}: {error.strerror}"), soft_wrap=True)
    if not written.changed:
        return
    out.print(table, soft_wrap=False)
    out.print(Text(f"{len(written.changed)} marks changed: {path}"), soft_wrap=True)
