"""The command line: `autograder build`, `grade`, `report`, `export`, `slides`, `bundle` and others."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from autograder.course.places import (
    Places,
    course_key,
    course_root,
    find_masters,
    journal_path,
    keep_private,
    write_whole,
)
from autograder.errors import CourseError, SandboxUnavailable

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Builds the course's notebooks and grades what students hand in.",
)
NARROW = 60
MOST_CHANGES = 40
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
READ_ONLY_REMEDY = (
    "Where the course's folder cannot be written, name another place: `grade` and `report` take "
    "--journal FILE, `grade` --autograded DIR, `report` --to FILE, `export` --file FILE; AUTOGRADER_KEY "
    "holds the course's key where course.key cannot be made"
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

Root = Annotated[Path, typer.Option("--root", help="The course's folder.", show_default=False)]
Names = Annotated[list[str] | None, typer.Argument(metavar="[NOTEBOOK]...", help="All, if none is named.")]


@app.command()
def build(
    notebooks: Names = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if something is stale.")
    ] = False,
    solved: Annotated[bool, typer.Option(help="Execute the solutions and write their pages.")] = True,
    upto: Annotated[
        str | None, typer.Option(help="Only the notebooks up to this one (04), and a folder with just these.")
    ] = None,
    to: Annotated[Path | None, typer.Option(help="With --upto: that folder.", show_default=False)] = None,
    self_study: Annotated[
        bool, typer.Option("--self-study", help="Only notebooks with model answers, into build/self-study.")
    ] = False,
    root: Root | None = None,
) -> None:
    """Make the release, the checks, nbgrader's source and the solved pages from the masters.

    With --upto, also a folder with the releases up to a notebook and what they import, and nothing that a
    later one gives: for a class that is no further.
    """
    from autograder.release import build as building  # noqa: PLC0415
    from autograder.release.stage import stage, up_to  # noqa: PLC0415

    places = Places(course_root(root))
    found = 0
    folders = find_masters(places.solutions, notebooks)
    if upto is not None:
        if notebooks or check:
            raise CourseError("--upto goes without names of notebooks, and without --check")
        folders = up_to(folders, upto)
    for folder in folders:
        if self_study:
            out.print(f"{folder.name}: {building.build_self_study(folder, places)}")
            continue
        if check:
            wrong = list(building.problems(folder, places))
            found += len(wrong)
            for problem in wrong:
                err.print(Text(f"{folder.name}: {problem}", "red"))
            if not wrong:
                out.print(f"{folder.name}: up to date, and all that must hold of it holds")
            continue
        master = building.build(folder, places)
        out.print(f"{folder.name}: {len(master.exercises)} exercises -> {places.notebooks / folder.name}")
        if solved:
            out.print(f"  solved and executed -> {building.write_solved_page(master, places)}")
    if upto is not None and not self_study:
        target = to or places.stage / f"upto_{folders[-1].name}"
        files = stage([folder.name for folder in folders], places, target)
        out.print(Text(f"{len(folders)} notebooks and what they import, {len(files)} files -> {target}"))
    if found:
        raise typer.Exit(1)


@app.command()
def grade(
    notebook: Annotated[str, typer.Argument(help="The notebook, 01_simple_rnn.")],
    submitted: Annotated[Path, typer.Option(help="Folder with STUDENT/NOTEBOOK/NOTEBOOK.ipynb.")] = Path(
        "submitted"
    ),
    gradebook: Annotated[str | None, typer.Option(help="Database URL, sqlite:///gradebook.db.")] = None,
    autograded: Annotated[
        Path, typer.Option(help="With --gradebook: nbgrader's folder for annotated notebooks.")
    ] = Path("autograded"),
    due: Annotated[
        str | None, typer.Option(help="Late from here on, 2026-11-20T23:59+01:00; kept in the gradebook.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at work.")] = os.cpu_count() or 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write one record a student.")] = None,
    journal_file: Annotated[Path | None, typer.Option("--journal", help="Where records are kept.")] = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe-no-sandbox", help="Run without a sandbox: your own code only.")
    ] = False,
    root: Root | None = None,
) -> None:
    """Grade every submission of a notebook; go on where an earlier run stopped."""
    keep_private()
    from autograder.grading import classroom  # noqa: PLC0415
    from autograder.grading.journal import Journal  # noqa: PLC0415

    home = course_root(root)
    (folder,) = find_masters(home / "solutions", [notebook])
    if gradebook:
        from autograder.nbgrader_door.gradebook import shown_url, write_marks  # noqa: PLC0415

        shown = shown_url(gradebook)  # before an hour of grading, not after it
    deadline = _moment(due) if due else None
    if deadline and not gradebook:
        raise CourseError("--due is kept in the gradebook: name one with --gradebook")
    submissions, failures = classroom.find_submissions(submitted, notebook)
    if not submissions and not failures:
        raise CourseError(f"there is no submission of {notebook} in {submitted}")
    _say_spellings(classroom.spellings_of(submitted, notebook))
    path = journal_file or journal_path(home, notebook)
    if unsafe:
        err.print(
            Text("Grading without a sandbox: whatever is in a submission can do what you can do.", "red")
        )
    with Journal(path) as journal:
        grading = classroom.grade_class(folder, submissions, journal, course_key(home), jobs, unsafe)
        with _progress() as progress:
            task = progress.add_task(notebook, total=len(submissions))
            for done in grading:
                progress.advance(task)
                if isinstance(done, classroom.Failure):
                    failures.append(done)
        failed = {failure.student for failure in failures}
        students = [s.student for s in submissions if s.student not in failed]
        out.print(_class_table(notebook, journal, students))
        if json_file:
            _write_json(json_file, journal, students, failures, notebook)
        if gradebook:
            from autograder.grading.grade import keys_of_records  # noqa: PLC0415

            key_of = keys_of_records(folder, course_key(home))
            written = write_marks(
                gradebook,
                home,
                folder,
                journal.records(students),
                submitted,
                autograded,
                lambda student, content: key_of(content) == journal.key_of(student),
                {failure.student: failure.reason for failure in failures},
                deadline,
            )
            out.print(Text(f"{written.students} students' marks written to {shown}"))
            _say_changes(written, home / "build" / "report" / f"{notebook}-changes.csv")
    for failure in sorted(failures, key=lambda f: f.student):
        err.print(Text(f"not graded: {failure.student}: {failure.reason}", "red"), soft_wrap=True)
    if failures:
        raise typer.Exit(1)


def _moment(text: str) -> datetime:
    """A moment in UTC, as the gradebook keeps it."""
    try:
        moment = datetime.fromisoformat(text.replace(" UTC", "+00:00"))
    except ValueError:
        raise CourseError(f"--due {text}: write a moment such as 2026-11-20T23:59+01:00") from None
    return moment.astimezone(UTC).replace(tzinfo=None)


def _say_spellings(spellings: dict[str, list[str]]) -> None:
    for student, names in spellings.items():
        if len(names) > 1:
            more = "stands there in two Unicode spellings: it is one student, whose newer notebook counts"
        else:
            more = "is written in another Unicode spelling there: the usual one is the student's id"
        err.print(Text(f"{student}: the folder's name {more}"), soft_wrap=True)


def _say_changes(written, path: Path) -> None:
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
    if not written.changed:
        return
    table = Table(title="whose mark changed", title_justify="left")
    for name in ("student", "before", "now", "by", "why"):
        table.add_column(name, overflow="fold")
    rows = [["student", "before", "now", "by", "why"]]
    for one in written.changed:
        numbers = [f"{one.before:g}", f"{one.after:g}", f"{one.after - one.before:+g}"]
        rows.append([plain_text(one.student), *numbers, plain_text(one.why)])
        if len(rows) <= MOST_CHANGES:
            table.add_row(Text(one.student), *numbers, Text(one.why))
    out.print(table)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_rows(path, rows)
    out.print(Text(f"{len(written.changed)} marks changed: {path}"), soft_wrap=True)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    )


def _class_table(notebook: str, journal, students: list[str], most: int = 40) -> Table:
    table = Table(title=notebook, title_justify="left")
    table.add_column("student", overflow="fold")
    table.add_column("marks", justify="right", no_wrap=True)
    is_wide = out.width >= NARROW  # in less, four columns leave each a letter or two
    if is_wide:
        table.add_column("not right yet")
        table.add_column("remarks", overflow="fold")
    for record in journal.records(students[:most]):
        found = [mark.judgement for mark in record.marks if mark.judgement.status != "right"]
        names = [f"{one.name}: {one.misconception or one.status}" for one in found]
        more = [Text("\n".join(names)), Text("\n".join(p[:80] for p in record.problems[:2]))]
        marks = f"{record.score:g} of {record.max_score:g}"
        table.add_row(Text(record.student), marks, *(more if is_wide else []))
    if len(students) > most:
        table.add_row(f"… and {len(students) - most} more")
    return table


def _write_json(path: Path, journal, students: list[str], failures: list, notebook: str) -> None:
    """One record a student; a submission that was not graded has no score, and its reason."""
    from autograder.report.feedback import as_json  # noqa: PLC0415

    reasons = {failure.student: failure.reason for failure in failures}
    everyone = sorted([*students, *reasons])
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for i, student in enumerate(everyone):
            if student in reasons:
                record = {
                    "student": student,
                    "assignment": notebook,
                    "score": None,
                    "max_score": None,
                    "problems": [reasons[student]],
                    "exercises": [],
                }
            else:
                record = as_json(journal.record(student))
            file.write(("," if i else "") + "\n" + json.dumps(record, ensure_ascii=False))
        file.write("\n]\n")


GradebookUrl = Annotated[
    str | None,
    typer.Option("--gradebook", help="Database URL; the course's gradebook.db.", show_default=False),
]
RosterFile = Annotated[
    Path | None,
    typer.Option("--roster", help="The class; the course's roster.csv, if there is one.", show_default=False),
]
SubmittedFolder = Annotated[Path, typer.Option(help="Folder with STUDENT/NOTEBOOK/NOTEBOOK.ipynb.")]


def _standings(
    home: Path, notebook: str, gradebook: str | None, roster: Path | None, submitted: Path
) -> list:
    """Everybody's marks, from the gradebook."""
    from autograder.course.roster import roster_of  # noqa: PLC0415
    from autograder.exchange.collect import ids_of  # noqa: PLC0415
    from autograder.nbgrader_door.gradebook import sqlite_address  # noqa: PLC0415
    from autograder.nbgrader_door.standings import standings  # noqa: PLC0415

    url = gradebook or sqlite_address(home / "gradebook.db")
    reasons = ids_of(home, notebook)["reasons"]
    return standings(url, home, notebook, roster_of(home, roster), submitted, reasons)


@app.command()
def report(
    notebook: Annotated[str, typer.Argument(help="The notebook, 01_simple_rnn.")],
    gradebook: GradebookUrl = None,
    roster: RosterFile = None,
    submitted: SubmittedFolder = Path("submitted"),
    journal_file: Annotated[Path | None, typer.Option("--journal", help="What `grade` found.")] = None,
    to: Annotated[Path | None, typer.Option(help="The page to write.")] = None,
    root: Root | None = None,
) -> None:
    """Draw the class: marks, exercises, the commonest misconceptions."""
    keep_private()
    from autograder.course.masters import read_master  # noqa: PLC0415
    from autograder.grading.journal import Journal  # noqa: PLC0415
    from autograder.report.page import write_report  # noqa: PLC0415

    home = course_root(root)
    (folder,) = find_masters(home / "solutions", [notebook])
    path = to or home / "build" / "report" / f"{notebook}.html"
    everybody = _standings(home, notebook, gradebook, roster, submitted)
    with Journal(journal_file or journal_path(home, notebook)) as journal:
        master = read_master(folder)
        so = {number: question.answers for number, question in master.questions.items()}
        write_report(path, notebook, master.title, everybody, journal.found, so)
    out.print(f"{notebook}: {path}")


@app.command()
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
    root: Root | None = None,
) -> None:
    """Write the marks as CSV, as they stand in the gradebook, with a row and a state for everybody."""
    keep_private()
    from autograder.nbgrader_door.export import export_course, export_csv  # noqa: PLC0415
    from autograder.nbgrader_door.gradebook import sqlite_address  # noqa: PLC0415
    from autograder.nbgrader_door.standings import graded_notebooks  # noqa: PLC0415

    home = course_root(root)
    if course == bool(notebook):
        raise CourseError("name one notebook, or --course for all of them")
    if drop and not course:
        raise CourseError("--drop goes with --course")
    path = file or home / "build" / "export" / f"{notebook or 'course'}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    if notebook:
        find_masters(home / "solutions", [notebook])
        export_csv(path, notebook, _standings(home, notebook, gradebook, roster, submitted))
    else:
        known = graded_notebooks(gradebook or sqlite_address(home / "gradebook.db"))
        found = {
            folder.name: _standings(home, folder.name, gradebook, roster, submitted)
            for folder in find_masters(home / "solutions")
            if folder.name in known
        }
        export_course(path, found, drop)
    out.print(Text(f"{notebook or 'course'}: {path}"))


@app.command()
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
    root: Root | None = None,
) -> None:
    """Take a learning system's submissions into the folder that `grade` reads; say whose is not there.

    SOURCE is Canvas's or Moodle's zip, Gradescope's, Blackboard's or Brightspace's export, or a folder. The
    roster is the system's own list or a plain CSV, and is kept as roster.csv. Notebooks are recognised by
    their content.
    """
    keep_private()
    from autograder.course.roster import read_roster, roster_of, with_known_ids, write_roster  # noqa: PLC0415
    from autograder.exchange.collect import collect as collecting  # noqa: PLC0415

    home = course_root(root)
    folders = find_masters(home / "solutions")
    if assignment:
        find_masters(home / "solutions", [assignment])
    people = roster_of(home)
    if roster:
        before, people = people, with_known_ids(read_roster(roster), people)
        gone = sorted({person.student for person in before} - {person.student for person in people})
        if gone:
            out.print(Text(f"no longer on the roster: {', '.join(gone)}"), soft_wrap=True)
        write_roster(home, people)
    if not people:
        raise CourseError("there is no roster yet: name the class with --roster CSV")
    found = collecting(source, home, people, submitted, folders, assignment, worksheet, times)
    counts = Counter(notebook for _, notebook, _ in found.taken)
    words = ", ".join(f"{count} of {notebook}" for notebook, count in sorted(counts.items())) or "nothing"
    out.print(Text(f"{found.system}: taken {words}, of {len(people)} on the roster -> {submitted}"))
    for sentence in found.told:
        out.print(Text(sentence), soft_wrap=True)
    if found.nothing:
        out.print(Text(f"nothing from {len(found.nothing)}: {', '.join(found.nothing)}"), soft_wrap=True)
    for sentence in found.left:
        err.print(Text(f"not taken: {sentence}", "red"), soft_wrap=True)
    if found.left:
        raise typer.Exit(1)


@app.command(name="return")
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
    root: Root | None = None,
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
    everybody = _standings(home, notebook, gradebook, roster, submitted)
    master = read_master(folder)
    hints = {name: exercise.spec.hints for name, exercise in master.exercises.items()}
    people = roster_of(home, roster)
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


@app.command()
def slides(notebooks: Names = None, root: Root | None = None) -> None:
    """Write slide decks that need no network, with live explorers."""
    from autograder.course.masters import read_master  # noqa: PLC0415
    from autograder.release import build as building  # noqa: PLC0415
    from autograder.release.slides import build_slides  # noqa: PLC0415

    places = Places(course_root(root))
    for folder in find_masters(places.solutions, notebooks):
        master = read_master(folder)
        path = places.slides / f"{folder.name}.html"
        build_slides(building.executed_notebook(master, places), path, master.title)
        out.print(f"{folder.name}: {path}")


@app.command()
def carry(
    old: Annotated[Path, typer.Argument(metavar="OLD.ipynb", help="The notebook with your work.")],
    new: Annotated[Path, typer.Argument(metavar="NEW.ipynb", help="The newer release.")],
    to: Annotated[Path | None, typer.Option(help="Where the result goes.", show_default=False)] = None,
) -> None:
    """Take answers and own cells into a newer release of a notebook.

    The result is NEW, or OLD where NEW is a release in notebooks/. What a file held before is kept beside it.
    """
    from autograder.exchange.carry import carry_file  # noqa: PLC0415

    carried, target, kept = carry_file(old, new, to)
    if not carried.taken and not carried.left:
        out.print(Text(f"nothing to carry: {target} has all that was written in {old}"), soft_wrap=True)
        return
    out.print(Text(f"{target}: carried over {', '.join(carried.taken) or 'nothing'}"), soft_wrap=True)
    if kept:
        out.print(Text(f"what it held before: {kept}"), soft_wrap=True)
    for reason in carried.left:
        err.print(Text(f"no place for {reason}", "red"), soft_wrap=True)
    if carried.left:
        still = kept if kept and target.samefile(old) else old
        err.print(Text(f"that still stands in {still}"), soft_wrap=True)
        raise typer.Exit(1)


@app.command()
def bundle(
    to: Annotated[Path, typer.Argument(metavar="COURSE.zip", help="The zip to write.")],
    upto: Annotated[
        str | None, typer.Option(help="The last notebook in it, by its number: 04.", show_default=False)
    ] = None,
    root: Root | None = None,
) -> None:
    """Write the course for students as one zip: releases, a small package, start scripts; no solution."""
    from autograder.exchange.bundle import write_bundle  # noqa: PLC0415

    names = write_bundle(Places(course_root(root)), to, upto)
    out.print(Text(f"{to}: {len(names)} notebooks, up to {names[-1]}"), soft_wrap=True)


@app.command()
def doctor(
    submitted: Annotated[
        Path | None, typer.Option(help="Also say which Python a class wrote its notebooks with.")
    ] = None,
) -> None:
    """Say whether the sandbox works here, and how to mend it."""
    from autograder.sandbox import doctor as examine  # noqa: PLC0415

    if submitted:
        _say_pythons(submitted)
    findings = examine()
    for finding in findings:
        out.print(Text("ok     " if finding.ok else "WRONG  ", "green" if finding.ok else "red"), end="")
        out.print(Text(f"{finding.name}: {finding.detail}"), soft_wrap=True)
        if not finding.ok and finding.remedy:
            out.print(Text(f"       {finding.remedy}"), soft_wrap=True)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _say_pythons(submitted: Path) -> None:
    from autograder.grading.classroom import pythons_of  # noqa: PLC0415

    ours = sys.version_info[:2]
    for version, count in pythons_of(submitted).items():
        name = ".".join(map(str, version)) or "unknown"
        newer = "; its newer syntax cannot be read here" if version > ours else ""
        out.print(f"{count} notebooks were written with Python {name}{newer}")
    out.print(f"grading uses Python {ours[0]}.{ours[1]}")


def main() -> None:
    """Run the command line; what the course's own files do wrong is said in a sentence."""
    try:
        app()
    except (CourseError, SandboxUnavailable) as error:
        err.print(Text(str(error), "red"), soft_wrap=True)
        raise SystemExit(2) from None
    except BrokenPipeError:
        # Whoever read the output has left, as `head` does; what is still in the buffer goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except (BlockingIOError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "new thread" not in str(error):
            raise
        from autograder.sandbox.launcher import PROCESSES_REMEDY  # noqa: PLC0415

        err.print(Text(PROCESSES_REMEDY, "red"), soft_wrap=True)
        raise SystemExit(2) from None
    except OSError as error:
        if error.filename is None and error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        place = error.filename or "a file"
        more = f". {READ_ONLY_REMEDY}" if error.errno in READ_ONLY else ""
        kept = "what is graded so far is kept, run it again"
        err.print(Text(f"{place}: {error.strerror}; {kept}{more}", "red"), soft_wrap=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
