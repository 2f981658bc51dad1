"""The command line: `autograder build`, `grade` and others (marks: `marks.py`; classes: `seen.py`)."""

from __future__ import annotations

import errno
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from autograder.console import err, out
from autograder.course.places import (
    Places,
    course_key,
    course_root,
    find_masters,
    journal_path,
    keep_private,
)
from autograder.errors import CourseError, SandboxUnavailable
from autograder.marks import (
    READ_ONLY,
    Root,
    SubmittedFolder,
    collect,
    counted,
    export,
    moment_in_utc,
    name_,
    return_,
    say_changes,
    say_spellings,
    shortened,
    written_,
)
from autograder.seen import report, similar

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Builds the course's notebooks and grades what students hand in.",
)
NARROW = 60
MOST_OF_A_REMARK = 80
for command in (collect, report, similar, export):
    app.command()(command)
app.command(name="return")(return_)
app.command(name="name")(name_)
app.command(name="written")(written_)
# Where else each command writes what it writes into the course's folder.
ELSEWHERE = {
    "grade": "--journal FILE, --autograded DIR, and the course's key in AUTOGRADER_KEY",
    "report": "--to FILE, --journal FILE",
    "similar": "--to FILE",
    "export": "--file FILE",
    "gradescope": "--to FILE",
    "bundle": "a path for the zip",
}
A_COPY = "If the course's folder cannot be written, work in a copy of it"
Names = Annotated[list[str] | None, typer.Argument(metavar="NOTEBOOK", help="All, if none is named.")]


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
    root: Root = None,
) -> None:
    """Make the release, the checks, nbgrader's source and the solved pages from the masters.

    With --upto, also a folder with the releases up to a notebook and what they import, and nothing that a
    later one gives: for a class that is no further.
    """
    from autograder.course.masters import left_out  # noqa: PLC0415
    from autograder.release import build as building  # noqa: PLC0415
    from autograder.release.stage import stage, up_to  # noqa: PLC0415

    places = Places(course_root(root))
    found, built = 0, []
    folders = find_masters(places.solutions, notebooks)
    if upto is not None:
        if notebooks or check:
            raise CourseError("--upto goes without names of notebooks, and without --check")
        folders = up_to(folders, upto)
    for folder in folders:
        if not notebooks and (why := left_out(folder)):
            err.print(Text(f"{folder.name}: left out: {why}"), soft_wrap=True)
            continue
        if self_study:
            out.print(f"{folder.name}: {building.build_self_study(folder, places)}")
            continue
        if check:
            wrong = list(building.problems(folder, places))
            found += len(wrong)
            for problem in wrong:
                err.print(Text(f"{folder.name}: {problem}", "red"), soft_wrap=True)
            if not wrong:
                out.print(f"{folder.name}: up to date, and all that must hold of it holds")
            continue
        master = building.build(folder, places)
        out.print(f"{folder.name}: {len(master.exercises)} exercises -> {places.notebooks / folder.name}")
        tell_the_gradebook(places.root, master)
        built.append(master)
    for master in built if solved else []:  # takes minutes: whoever stops it has all that a class needs
        try:
            out.print(f"{master.name}: solved and executed -> {building.write_solved_page(master, places)}")
        except CourseError as error:
            found += 1
            err.print(Text(str(error), "red"), soft_wrap=True)
    if upto is not None and not self_study:
        target = to or places.stage / f"upto_{folders[-1].name}"
        files = stage([folder.name for folder in folders], places, target)
        out.print(Text(f"{len(folders)} notebooks and what they import, {len(files)} files -> {target}"))
    if found:
        raise typer.Exit(1)


def tell_the_gradebook(home: Path, master) -> None:
    """Let the gradebook know what was built, where there is one: else formgrader cannot grade it."""
    if not (home / "nbgrader_config.py").is_file() or find_spec("nbgrader") is None:
        return
    from autograder.nbgrader_door.database import sqlite_address  # noqa: PLC0415
    from autograder.nbgrader_door.gradebook import announce  # noqa: PLC0415

    try:
        if announce(sqlite_address(home / "gradebook.db"), master):
            out.print(Text("  known to the gradebook, for formgrader"))
    except CourseError as error:
        err.print(Text(f"{master.name} is built, but formgrader does not know it: {error}"), soft_wrap=True)


@app.command()
def new(
    notebook: Annotated[str, typer.Argument(help="The notebook's name: 12_leaky_average.")],
    root: Root = None,
) -> None:
    """Begin a notebook: a small one that builds and passes the tests, to be written over."""
    from autograder.release.new import scaffold  # noqa: PLC0415

    home = course_root(root)
    written = scaffold(notebook, Places(home))
    for path in written:
        out.print(Text(str(path.relative_to(home))), soft_wrap=True)
    rules = "The rules are in CONTRIBUTING.md"
    if not (home / "CONTRIBUTING.md").is_file():
        rules = "help(autograder.Exercise) in Python explains every word of exercises.py"
    out.print(Text(f"It builds as it stands: `autograder build {notebook}`. {rules}."), soft_wrap=True)
    if any(path.suffix == ".js" for path in written):
        out.print(Text(f"The tests want a picture of its explorer, too: make twins ARGS={notebook}."))


@app.command()
def grade(
    notebook: Annotated[str, typer.Argument(help="The notebook, 01_simple_rnn.")],
    submitted: SubmittedFolder = Path("submitted"),
    gradebook: Annotated[str | None, typer.Option(help="Database URL, sqlite:///gradebook.db.")] = None,
    autograded: Annotated[
        Path, typer.Option(help="With --gradebook: nbgrader's folder for annotated notebooks.")
    ] = Path("autograded"),
    due: Annotated[
        str | None, typer.Option(help="Late from here on, 2026-11-20T23:59+01:00; kept in the gradebook.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at work.")] = os.cpu_count() or 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Grade on a Dask cluster, tls://host:8786 (see `worker`).")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write one record a student.")] = None,
    journal_file: Annotated[Path | None, typer.Option("--journal", help="Where records are kept.")] = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe-no-sandbox", help="Run without a sandbox: your own code only.")
    ] = False,
    root: Root = None,
) -> None:
    """Grade every submission of a notebook; go on where an earlier run stopped."""
    keep_private()
    from autograder.grading import classroom  # noqa: PLC0415
    from autograder.grading.journal import Journal  # noqa: PLC0415

    home = course_root(root)
    (folder,) = find_masters(home / "solutions", [notebook])
    if gradebook:
        from autograder.nbgrader_door.database import shown_url  # noqa: PLC0415
        from autograder.nbgrader_door.gradebook import write_marks  # noqa: PLC0415

        shown = shown_url(gradebook)  # before an hour of grading, not after it
    deadline = moment_in_utc(due) if due else None
    if deadline and not gradebook:
        raise CourseError("--due is kept in the gradebook: name one with --gradebook")
    submissions, failures = classroom.find_submissions(submitted, notebook)
    if not submissions and not failures:
        raise CourseError(f"there is no submission of {notebook} in {submitted}")
    say_spellings(classroom.spellings_of(submitted, notebook))
    path = journal_file or journal_path(home, notebook)
    if unsafe:
        err.print(
            Text("Grading without a sandbox: whatever is in a submission can do what you can do.", "red")
        )
    with Journal(path) as journal:
        grading = classroom.grade_class(
            folder, submissions, journal, course_key(home), jobs, unsafe, scheduler
        )
        with _progress() as progress:
            task = progress.add_task(notebook, total=len(submissions))
            for done in grading:
                progress.advance(task)
                if isinstance(done, classroom.Failure):
                    failures.append(done)
        failed = {failure.student for failure in failures}
        students = [s.student for s in submissions if s.student not in failed]
        out.print(_class_table(notebook, journal, students), soft_wrap=False)
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
            out.print(Text(f"marks of {counted(written.students, 'student')} written to {shown}"))
            say_changes(written, home / "build" / "report" / f"{notebook}-changes.csv")
            from autograder.course.roster import extensions_for_nobody, roster_of  # noqa: PLC0415

            known = [*(person.student for person in roster_of(home)), *students, *failed]
            for words in extensions_for_nobody(
                home, known, [f.name for f in find_masters(home / "solutions")]
            ):
                err.print(Text(words), soft_wrap=True)
    for failure in sorted(failures, key=lambda f: f.student):
        err.print(Text(f"not graded: {failure.student}: {failure.reason}", "red"), soft_wrap=True)
    if failures:
        raise typer.Exit(1)


@app.command()
def worker(
    scheduler: Annotated[str, typer.Argument(help="The Dask scheduler's address, tls://host:8786.")],
    jobs: Annotated[int, typer.Option(min=1, help="Processes at work.")] = os.cpu_count() or 1,
    root: Root = None,
) -> None:
    """Grade for whoever asks at a Dask scheduler (`grade --scheduler`), with this folder's course."""
    from autograder.grading.classroom import cluster_room  # noqa: PLC0415

    home = course_root(root)
    find_masters(home / "solutions", [])
    command, environment = cluster_room().worker_command(scheduler, home, jobs)
    os.execve(command[0], command, environment)


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
        remarks = [shortened(remark, MOST_OF_A_REMARK) for remark in record.problems[:2]]
        more = [Text("\n".join(names)), Text("\n".join(remarks))]
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


@app.command()
def slides(
    notebooks: Names = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also a handout, slides with notes.")] = False,
    theme: Annotated[str, typer.Option(help="light or dark.")] = "light",
    institution: Annotated[str, typer.Option(help="A line on the first slide.")] = "",
    occasion: Annotated[str, typer.Option(help="Another: your course's name, the term.")] = "",
    root: Root = None,
) -> None:
    """Write slide decks that need no network, with live explorers."""
    from autograder.course.masters import left_out, read_master  # noqa: PLC0415
    from autograder.release import build as building  # noqa: PLC0415
    from autograder.release.handout import find_chromium, print_handout  # noqa: PLC0415
    from autograder.release.slides import Frame, build_slides  # noqa: PLC0415

    places = Places(course_root(root))
    if pdf:
        find_chromium()  # said before the work, not after it
    masters = {folder: read_master(folder) for folder in find_masters(places.solutions, None)}
    frame = Frame(tuple(master.title for master in masters.values()), institution, occasion, theme)
    for folder in find_masters(places.solutions, notebooks):
        if not notebooks and (why := left_out(folder)):
            err.print(Text(f"{folder.name}: left out: {why}"), soft_wrap=True)
            continue
        path = places.slides / f"{folder.name}.html"
        build_slides(building.executed_notebook(masters[folder], places), path, masters[folder].title, frame)
        out.print(f"{folder.name}: {path}")
        if pdf:
            out.print(f"{folder.name}: {print_handout(path)}")


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
        where = "already" if target.samefile(old) else f"and has all that was written in {old}"
        out.print(Text(f"nothing to carry: {target} is of that release {where}"), soft_wrap=True)
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
    root: Root = None,
) -> None:
    """Write the course for students as one zip: releases, a small package, start scripts; no solution."""
    from autograder.exchange.bundle import write_bundle  # noqa: PLC0415

    names = write_bundle(Places(course_root(root)), to, upto)
    out.print(Text(f"{to}: {len(names)} notebooks, up to {names[-1]}"), soft_wrap=True)


@app.command()
def gradescope(
    notebook: Annotated[str, typer.Argument(help="The notebook, 01_simple_rnn.")],
    to: Annotated[Path | None, typer.Option(help="The zip to write.", show_default=False)] = None,
    visibility: Annotated[
        str, typer.Option(help="visible, after_due_date, after_published or hidden.")
    ] = "visible",
    root: Root = None,
) -> None:
    """Write the zip with which Gradescope grades a notebook in its own container.

    It holds the references and the course's key: it is for Gradescope's *Configure Autograder* alone.
    """
    from autograder.exchange.gradescope import write_gradescope_zip  # noqa: PLC0415

    home = course_root(root)
    (folder,) = find_masters(home / "solutions", [notebook])
    path = to or home / "build" / "gradescope" / f"{notebook}.zip"
    names = write_gradescope_zip(folder, course_key(home), path, visibility)
    out.print(
        Text(f"{path}: {len(names)} files, the references among them: for Gradescope alone"), soft_wrap=True
    )


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
        out.print(f"{counted(count, 'notebook')}: written with Python {name}{newer}")
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
        command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
        other = f"{A_COPY}, or name other places: {ELSEWHERE[command]}" if command in ELSEWHERE else A_COPY
        said = [f"{place}: {error.strerror}", *([other] if error.errno in READ_ONLY else [])]
        if command == "grade":
            said.append("What is graded so far is kept: run it again")
        err.print(Text(". ".join(said), "red"), soft_wrap=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
