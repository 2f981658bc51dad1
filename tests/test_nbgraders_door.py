"""nbgrader's door: what nbgrader stumbles over is taken, or said in a sentence of ours: no stack trace."""

import json
import logging
import os
import re
import shutil
import subprocess

import pytest
from command import autograder
from course import KEY, TINY, folder_of, submission
from test_nbgrader import BIN, ENVIRONMENT, ROOT, hand_in, marks, run

from autograder.course.places import Places
from autograder.errors import CourseError, Ungradable
from autograder.grading.classroom import find_submissions, grade_class
from autograder.grading.grade import keys_of_records
from autograder.grading.journal import Journal
from autograder.nbgrader_door.database import shown_url
from autograder.nbgrader_door.gradebook import write_marks
from autograder.nbgrader_door.plugin import SubmittedNotebook
from autograder.release.build import build

pytestmark = [pytest.mark.xdist_group("nbgrader"), pytest.mark.usefixtures("confined")]

NAME = TINY.name


def cells_with(change):
    """A right submission of which each cell was changed."""
    notebook = json.loads(submission(NAME))
    notebook["cells"] = [changed for i, cell in enumerate(notebook["cells"]) if (changed := change(i, cell))]
    return notebook


def graded(cell):
    return cell["metadata"].get("nbgrader", {})


def without(key):
    return lambda i, cell: {name: value for name, value in cell.items() if name != key}


def with_graded(**changes):
    return lambda i, cell: (
        {**cell, "metadata": {"nbgrader": {**graded(cell), **changes}}} if graded(cell) else cell
    )


def as_markdown(i, cell):
    is_check = graded(cell).get("grade_id", "").startswith("check_")
    return (
        {k: cell[k] for k in ("id", "metadata", "source")} | {"cell_type": "markdown"} if is_check else cell
    )


# What a submission can be like and still hold right answers: name -> the notebook.
ODD = {
    "ids of blanks and signs": cells_with(lambda i, cell: {**cell, "id": f"odd id / {i}!"}),
    "long ids": cells_with(lambda i, cell: {**cell, "id": "x" * 90 + str(i)}),
    "numbers for ids": cells_with(lambda i, cell: {**cell, "id": i}),
    "one id for all": cells_with(lambda i, cell: {**cell, "id": "same"}),
    "no ids": cells_with(without("id")),
    "an older format": {**cells_with(without("id")), "nbformat_minor": 4},
    "an older format with ids": {**cells_with(lambda i, cell: cell), "nbformat_minor": 4},
    "locked cells edited": cells_with(
        lambda i, c: {**c, "source": c["source"] + "\n# mine"} if graded(c).get("locked") else c
    ),
    "checks deleted": cells_with(
        lambda i, c: None if graded(c).get("grade_id", "").startswith("check_") else c
    ),
    "no metadata": cells_with(lambda i, cell: {**cell, "metadata": {}}),
    "metadata that are a list": cells_with(
        lambda i, cell: {**cell, "metadata": [] if i % 2 else cell["metadata"]}
    ),
    "other points": cells_with(with_graded(points=99)),
    "an old schema": cells_with(with_graded(schema_version=1)),
    "a schema to come": cells_with(with_graded(schema_version=99)),
    "checks as Markdown": cells_with(as_markdown),
    "an answer twice": {
        **cells_with(lambda i, cell: cell),
        "cells": [
            again
            for cell in json.loads(submission(NAME))["cells"]
            for again in ([cell, cell] if graded(cell).get("grade_id") == "rnn_step" else [cell])
        ],
    },
}

BOM = "a byte order mark"
CHECKS = "checks.safetensors"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course whose notebook nbgrader was never told of, with odd submissions."""
    place = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "nbgrader_config.py", place)
    shutil.copytree(folder_of(NAME), place / "solutions" / NAME)
    build(place / "solutions" / NAME, Places(place))
    for student, notebook in ODD.items():
        hand_in(place, student, NAME, json.dumps(notebook).encode())
    hand_in(place, BOM, NAME, b"\xef\xbb\xbf" + submission(NAME))
    for name in ("numpy.py", "page.html", "jedi/__init__.py", "jedi/more.ipynb", CHECKS):
        path = place / "submitted" / BOM / NAME / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("raise SystemExit")
    return place


@pytest.mark.ci
def test_odd_submissions_are_graded_without_a_warning_of_nbgraders(course):
    said = run(course, "nbgrader", "autograde", NAME)
    loud = [line for line in said.splitlines() if re.search("WARNING|ERROR|Warning:", line)]
    remark = "an answer twice: the answer cell of rnn_step stands more than once; the last counts"
    assert loud == [f"[AutogradeApp | WARNING] {remark}"]  # ours
    assert "Traceback" not in said
    found = marks(course / "gradebook.db")
    for student in (*ODD, BOM):
        scores = [
            found[student, NAME, f"check_{name}"][0]
            for name in ("rnn_step", "rnn_forward", "rnn_step_backward")
        ]
        assert scores == [4.0, 3.0, 5.0], student
    # A kernel beside the notebook that formgrader opens would import what a student put there.
    beside = course / "autograded" / BOM / NAME
    assert {path.name for path in beside.rglob("*")} == {f"{NAME}.ipynb", "timestamp.txt", CHECKS}
    assert (beside / CHECKS).read_bytes() == (course / "build" / "source" / NAME / CHECKS).read_bytes()
    said = run(course, "nbgrader", "generate_feedback", NAME)
    assert "Traceback" not in said


def test_a_link_that_came_while_formgrader_was_running_is_refused(tmp_path):
    (tmp_path / f"{NAME}.ipynb").write_bytes(submission(NAME))
    (tmp_path / "loot.txt").symlink_to("/etc/passwd")
    with pytest.raises(Ungradable, match="links are refused"):
        SubmittedNotebook().from_filename(str(tmp_path / f"{NAME}.ipynb"))


@pytest.mark.long
def test_a_name_that_nbgrader_takes_for_a_pattern_is_left_out_at_each_of_its_commands(course, tmp_path):
    place = shutil.copytree(course, tmp_path / "course")
    for name in ("*", "[a-z]*", "no?ids", "x" * 130):
        hand_in(place, name, NAME, submission(NAME, solved=False))
        (place / "autograded" / name / NAME).mkdir(parents=True)
    for command in ("autograde", "generate_feedback"):
        said = run(place, "nbgrader", command, NAME, "--force")
        assert said.count("takes * ? [ ] in a name for a pattern") == 3
        assert said.count("longer than 128 characters") == 1
        assert "Traceback" not in said
    assert not (place / "feedback" / "*").exists()
    assert "*" not in {student for student, *_ in marks(place / "gradebook.db")}


def test_where_the_sandbox_cannot_run_nbgrader_says_so_in_a_sentence(course, tmp_path):
    place = shutil.copytree(course, tmp_path / "course", ignore=shutil.ignore_patterns("autograded"))
    refuse = tmp_path / "bin" / "bwrap"
    refuse.parent.mkdir()
    refuse.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    refuse.chmod(0o755)
    done = subprocess.run(
        [str(BIN / "nbgrader"), "autograde", NAME, "--student=no ids"],
        cwd=place,
        env={**ENVIRONMENT, "PATH": f"{refuse.parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "Traceback" not in said
    assert "above traceback" not in said
    assert "sandbox" in said


def test_a_file_swapped_between_grading_and_annotating_costs_that_student_alone(course, tmp_path, caplog):
    submitted = tmp_path / "submitted"
    for student in ("ada", "bela", "chidi", "dalia"):
        hand_in(tmp_path, student, NAME, submission(NAME))
    folder = course / "solutions" / NAME
    submissions, _ = find_submissions(submitted, NAME)
    key_of = keys_of_records(folder, KEY)
    with Journal(tmp_path / "j") as journal:
        assert len(list(grade_class(folder, submissions, journal, KEY))) == 4
        for student, content in {
            "ada": b"[]",
            "bela": b'{"cells": 3}',
            "chidi": submission(NAME, solved=False),
        }.items():
            (submitted / student / NAME / f"{NAME}.ipynb").write_bytes(content)
        with caplog.at_level(logging.WARNING, "autograder"):
            written = write_marks(
                f"sqlite:///{tmp_path / 'g.db'}",
                course,
                folder,
                journal.records(journal.students),
                submitted,
                tmp_path / "autograded",
                lambda student, content: key_of(content) == journal.key_of(student),
            )
    assert written.students == 4
    assert sum("was replaced after it was graded" in message for message in caplog.messages) == 3
    assert {path.parent.parent.name for path in (tmp_path / "autograded").rglob("*.ipynb")} == {"dalia"}
    scores = {
        student: score
        for (student, _, cell), (score, _) in marks(tmp_path / "g.db").items()
        if cell == "check_rnn_step"
    }
    assert scores == dict.fromkeys(("ada", "bela", "chidi", "dalia"), 4.0)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg2://teacher:hunter2@127.0.0.1:1/grades",
        "postgresql+nodriver://teacher:hunter2@127.0.0.1:1/grades",
        "nothing+known://teacher:hunter2@127.0.0.1/grades",
        "sqlite:////proc/nowhere/grades.db?password=hunter2",
        "teacher:hunter2@127.0.0.1",
        "postgresql://teacher:hunter2@127.0.0.1:port/grades",
    ],
)
def test_a_gradebooks_password_is_never_shown(course, tmp_path, url):
    with pytest.raises(CourseError) as error:
        write_marks(url, course, course / "solutions" / NAME, iter(()))
    assert "hunter2" not in str(error.value)
    assert "the gradebook" in str(error.value)
    assert error.value.__cause__ is None


def test_what_is_shown_of_a_gradebooks_address():
    url = "postgresql+psycopg2://teacher:hunter2@db.example.org/grades?password=hunter2&sslmode=require"
    assert shown_url(url) == "postgresql+psycopg2://teacher:***@db.example.org/grades"
    assert shown_url("sqlite:///gradebook.db") == "sqlite:///gradebook.db"


def test_an_address_that_cannot_be_read_is_said_before_anything_is_graded(course, tmp_path):
    done = autograder(
        course, "grade", NAME, "--gradebook", "teacher:hunter2@host", "--journal", tmp_path / "j"
    )
    assert done.status == 2
    assert "address cannot be read" in done.err
    assert "hunter2" not in done.out + done.err
    assert not (tmp_path / "j").exists()


@pytest.mark.long
def test_what_holds_marks_is_its_users_alone_and_the_exchange_is_sticky(course, tmp_path):
    place = shutil.copytree(course, tmp_path / "course", ignore=shutil.ignore_patterns("autograded", "*.db"))
    journal = place / "build" / "journal" / f"{NAME}.journal"
    journal.parent.mkdir(parents=True)
    journal.touch(0o644)
    before = {path for path in place.rglob("*") if path != journal}
    inbound = place / "exchange" / "rnn_course" / "inbound"
    inbound.mkdir(parents=True)
    inbound.chmod(0o733)
    words = ("--jobs", "1", "--json", "marks.json", "--gradebook", "sqlite:///bulk.db")
    usual = os.umask(0o022)
    try:
        run(place, "autograder", "grade", NAME, *words)
        run(place, "autograder", "report", NAME, "--gradebook", "sqlite:///bulk.db")
        run(place, "autograder", "export", NAME, "--gradebook", "sqlite:///bulk.db")
        run(place, "nbgrader", "autograde", NAME, "--force", "--student=no ids")
        run(place, "nbgrader", "export", "--to=grades.csv")
    finally:
        os.umask(usual)
    made = {path for path in place.rglob("*") if path not in before and "exchange" not in path.parts}
    names = {path.name for path in made}
    assert {
        journal.name,
        "marks.json",
        "bulk.db",
        "gradebook.db",
        "grades.csv",
        f"{NAME}.csv",
    } <= names
    theirs = {path: 0o007 if path == journal else 0o077 for path in made if path.is_file()}
    shown = [path for path, mask in theirs.items() if path.stat().st_mode & mask and _reached(path, place)]
    assert not shown
    assert (place / "exchange").stat().st_mode & 0o7777 == 0o1777
    assert inbound.stat().st_mode & 0o7777 == 0o1733


def _reached(path, place):
    """Whether others get to a file: nbgrader makes files that all may read, in folders of their owner's."""
    return all(folder.stat().st_mode & 0o005 for folder in path.parents if place in folder.parents)
