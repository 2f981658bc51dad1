"""The commands that show a class: its report, the course's, and answers that are alike."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from autograder.console import out
from autograder.course.places import course_key, course_root, find_masters, journal_path, keep_private
from autograder.errors import CourseError, SandboxUnavailable
from autograder.marks import (
    GradebookUrl,
    Root,
    RosterFile,
    SubmittedFolder,
    address,
    counted,
    everybody_of,
)

MOST_EXAMPLES = 12


def report(
    notebook: Annotated[str | None, typer.Argument(help="The notebook, 01_simple_rnn.")] = None,
    course: Annotated[
        bool, typer.Option("--course", help="All notebooks: what changes from one to the next.")
    ] = False,
    lecture: Annotated[
        bool, typer.Option("--lecture", help="Without names, to be shown: a page and slides.")
    ] = False,
    gradebook: GradebookUrl = None,
    roster: RosterFile = None,
    submitted: SubmittedFolder = Path("submitted"),
    journal_file: Annotated[Path | None, typer.Option("--journal", help="What `grade` found.")] = None,
    to: Annotated[Path | None, typer.Option(help="The page to write.")] = None,
    root: Root = None,
) -> None:
    """Draw the class: marks, exercises, the commonest misconceptions, wrong answers that nobody named.

    The page is for whoever teaches: everybody by name, who has no mark and why, whom a regrade changed. With
    --course it says how points, hand-ins, derivations given up and predictions change over the weeks.
    """
    keep_private()
    home = course_root(root)
    if course:
        if notebook or lecture or journal_file:
            raise CourseError("--course goes without a notebook, --lecture and --journal")
        page = to or home / "build" / "report" / "course.html"
        out.print(Text(f"course: {_report_course(home, gradebook, roster, submitted, page)}"), soft_wrap=True)
        return
    if not notebook:
        raise CourseError("name one notebook, or --course for all of them")
    from autograder.course.masters import read_master  # noqa: PLC0415
    from autograder.course.roster import roster_of  # noqa: PLC0415
    from autograder.exchange.collect import attempts_of  # noqa: PLC0415
    from autograder.grading.journal import Journal  # noqa: PLC0415
    from autograder.report.groups import groups_of  # noqa: PLC0415
    from autograder.report.page import report_of, write_lecture_page, write_report  # noqa: PLC0415

    (folder,) = find_masters(home / "solutions", [notebook])
    path = to or home / "build" / "report" / f"{notebook}{'-lecture' if lecture else ''}.html"
    everybody = everybody_of(home, notebook, gradebook, roster_of(home, roster), submitted)
    with (
        Journal(journal_file or journal_path(home, notebook)) as journal,
        _named(folder, home, journal, submitted) as (record_of, give_examples),
    ):
        master = read_master(folder)
        so = {number: question.answers for number, question in master.questions.items()}
        graded = (record_of(one.student) for one in everybody if one.score is not None)
        groups = groups_of(filter(None, graded))
        give_examples(groups)
        attempts = attempts_of(home, notebook, submitted)
        changes = _changes_of(_changes_file(home, notebook))
        found = report_of(
            notebook, master.title, everybody, record_of, so,
            groups=groups, attempts=attempts, changes=changes,
        )  # fmt: skip
    if not lecture:
        out.print(f"{notebook}: {write_report(path, found)}")
        return
    from autograder.release.class_deck import write_class_deck  # noqa: PLC0415

    out.print(f"{notebook}: {write_lecture_page(path, found)}")
    out.print(f"{notebook}: {write_class_deck(path.with_name(f'{path.stem}-slides.html'), found)}")
    if found.open_groups:
        out.print("Look through the examples before you show them: an answer's own names are its writer's.")


def _report_course(
    home: Path, gradebook: str | None, roster: Path | None, submitted: Path, page: Path
) -> Path:
    """Write the page about all notebooks that are graded."""
    from autograder.course.masters import read_master  # noqa: PLC0415
    from autograder.course.roster import roster_of  # noqa: PLC0415
    from autograder.grading.journal import Journal  # noqa: PLC0415
    from autograder.nbgrader_door.standings import graded_notebooks  # noqa: PLC0415
    from autograder.report.course_page import step_of, write_course_page  # noqa: PLC0415

    people, steps = roster_of(home, roster), []
    known = graded_notebooks(address(home, gradebook))
    for folder in find_masters(home / "solutions"):
        if folder.name not in known:
            continue
        master = read_master(folder)
        so = {number: q.answers for number, q in master.questions.items() if q.kind == "guess"}
        everybody = everybody_of(home, folder.name, gradebook, people, submitted)
        derives = bool(master.cells_with("found"))
        with Journal(journal_path(home, folder.name)) as journal:
            steps.append(step_of(folder.name, master.title, everybody, journal.found, so, derives))
    if not steps:
        raise CourseError("nothing is graded yet: run `autograder grade NOTEBOOK --gradebook …`")
    return write_course_page(page, steps)


@contextmanager
def _named(folder: Path, home: Path, journal, submitted: Path) -> Iterator[tuple]:
    """A student's record with the names given since, and what gives groups their examples.

    Both run students' code: where there is no sandbox, or nothing that nobody named, they do without.
    """
    from autograder.grading.grade import Grader  # noqa: PLC0415
    from autograder.grading.unnamed import find_example, with_names  # noqa: PLC0415

    unnamed = any(m.judgement.returned for r in journal.records(journal.students) for m in r.marks)
    with ExitStack() as stack:
        grader, why = None, ""
        try:
            grader = stack.enter_context(Grader(folder, course_key(home))) if unnamed else None
        except SandboxUnavailable as error:
            why = f"no example, because no answer can be run here: {error}"

        def record_of(student: str):
            record = journal.found(student)
            return with_names(grader, record) if grader and record else record

        def give_examples(groups: list) -> None:
            for group in groups[:MOST_EXAMPLES]:
                group.example = find_example(grader, submitted, group) if grader else ""
                group.why = why or "No example: none of these answers gives this by itself."

        yield record_of, give_examples


def _changes_file(home: Path, notebook: str) -> Path:
    return home / "build" / "report" / f"{notebook}-changes.csv"


def _changes_of(path: Path) -> list | None:
    """What the last regrade changed, as `grade` wrote it down; None where it wrote nothing."""
    from autograder.report.page import Change  # noqa: PLC0415

    if not path.is_file():
        return None
    with path.open(encoding="utf-8-sig", newline="") as file:
        _, *rows = [*csv.reader(file)] or [[]]
    return [Change(*row) for row in rows]


def similar(
    notebook: Annotated[str, typer.Argument(help="The notebook, 01_simple_rnn.")],
    roster: RosterFile = None,
    submitted: SubmittedFolder = Path("submitted"),
    to: Annotated[Path | None, typer.Option(help="The page to write.")] = None,
    root: Root = None,
) -> None:
    """Show which students' answers are alike beyond what the exercises make alike, side by side.

    The page is for whoever teaches alone. It says where to look, and accuses nobody: short right answers are
    alike by nature, and what the course gives or is known to be written is left out.
    """
    keep_private()
    must_have("copydetect", "similar", "comparing answers")
    from autograder.course.alternatives import read_alternatives  # noqa: PLC0415
    from autograder.course.masters import read_master  # noqa: PLC0415
    from autograder.course.roster import roster_of  # noqa: PLC0415
    from autograder.grading.pieces import class_pieces, known_texts  # noqa: PLC0415
    from autograder.report.similar import similarity  # noqa: PLC0415
    from autograder.report.similar_page import write_similar_page  # noqa: PLC0415

    home = course_root(root)
    (folder,) = find_masters(home / "solutions", [notebook])
    names = {person.student: person.name for person in roster_of(home, roster)}
    master = read_master(folder)
    written, left_out = class_pieces(master, submitted)
    found = similarity(written, known_texts(master, read_alternatives(home, notebook)))
    path = to or home / "build" / "report" / f"{notebook}-similar.html"
    write_similar_page(path, master.title, found, written, left_out, names)
    pairs = counted(len(found.pairs) + found.more, "pair")
    said = f"{notebook}: {path}: {pairs} worth a look among {found.students} students"
    out.print(Text(f"{said}, {len(left_out)} not compared" if left_out else said), soft_wrap=True)


def must_have(package: str, extra: str, what: str) -> None:
    """Refuse to go on without a package that not every installation has.

    Raises:
        CourseError: it is not installed.
    """
    if find_spec(package) is None:
        raise CourseError(f'{what} needs {package}: `.venv/bin/pip install -e "autograder[{extra}]"`')
