"""What the layout promises: which room may be imported where, and what a mark depends on."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import jupytext
import pytest
from course import NOTEBOOKS, ROOT, TINY, folder_of

from autograder.course.masters import read_cells
from autograder.errors import CourseError
from autograder.grading import grade


def python(program: str, *arguments: str, folder: Path | None = None) -> str:
    """What a program prints in a fresh interpreter."""
    command = [sys.executable, "-c", textwrap.dedent(program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


# Modules that Windows, macOS or a browser lack.
UNIX_ONLY = ("resource", "fcntl", "grp", "pwd", "termios", "seccomp", "pyseccomp")


def test_a_check_answers_where_there_is_no_unix():
    said = python(
        """
        import sys

        class Absent:
            def find_spec(self, name, path=None, target=None):
                if name in sys.argv[1].split(","):
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, Absent())
        from autograder import check

        def sigmoid(z):
            return z

        try:
            check(sigmoid)
        except Exception as error:
            print(error)
        """,
        ",".join(UNIX_ONLY),
        folder=ROOT / "notebooks" / "00_start_here",
    )
    assert "sigmoid: not right yet" in said


@pytest.mark.parametrize("module", ["autograder.grading.classroom", "autograder.cli", "autograder.check"])
def test_no_grader_waits_for_nbformat(module):
    """Its schema costs most of a second, in every process of the pool and in every command."""
    loaded = python(f"import sys, {module}; print(*sys.modules)").split()
    assert not {"nbformat", "jupytext", "nbconvert", "nbgrader", "jsonschema"} & set(loaded)


def test_reading_a_master_and_planning_a_submission_need_no_nbformat():
    loaded = python(
        """
        import sys
        from pathlib import Path
        from autograder.course.masters import read_master
        from autograder.grading.plan import Planner

        Planner(read_master(Path(sys.argv[1])))
        print(*sys.modules)
        """,
        str(TINY),
    ).split()
    assert not {"nbformat", "jupytext"} & set(loaded)


@pytest.mark.parametrize("notebook", [*NOTEBOOKS, TINY.name])
def test_masters_are_read_as_jupytext_reads_them(notebook):
    text = (folder_of(notebook) / f"{notebook}.py").read_text("utf-8")
    theirs = [
        (cell.cell_type, cell.source, {k: v for k, v in cell.metadata.items() if k != "lines_to_next_cell"})
        for cell in jupytext.reads(text, fmt="py:percent").cells
    ]
    assert [(cell.kind, cell.source, cell.metadata) for cell in read_cells(text, notebook)] == theirs


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import numpy\n# %%\nx = 1\n", "stands in front of the first"),
        ("# %% points=six\nx = 1\n", "is no metadata"),
        ("# %% [markdown]\nplain words\n", "does not begin with '# '"),
        ('# %% colour="red"\nx = 1\n', "unknown cell metadata"),
    ],
)
def test_what_cannot_be_read_of_a_master_is_said(text, words):
    with pytest.raises(CourseError, match=words):
        read_cells(text, "a master")


def of_the_house() -> list[Path]:
    house = Path(grade.__file__).parents[1]
    return [path for room in grade.ROOMS_BELOW for path in house.glob(room)]


def test_the_fingerprint_covers_every_room_below_grading():
    house = Path(grade.__file__).parents[1]
    above = {
        "cli.py",
        "asking.py",
        "check.py",
        "console.py",
        "kernel.py",
        "marks.py",
        "seen.py",
        "student_log.py",
        "unanswered.py",
        "__init__.py",
        "__main__.py",
        "exchange",
        "nbgrader_door",
        "release",
        "report",
    }
    rooms = {path.relative_to(house).parts[0] for path in house.rglob("*.py")}
    assert {path.relative_to(house).parts[0] for path in of_the_house()} == rooms - above


@pytest.mark.parametrize(
    "changed",
    [
        "sandbox/worker.py",
        "judging/judge.py",
        "answers/compare.py",
        "tiny_rnn/exercises.py",
        "tiny_rnn/tiny_rnn.py",
    ],
)
def test_a_change_in_what_a_mark_depends_on_is_another_fingerprint(changed, monkeypatch):
    before = grade.fingerprint(TINY, "key")
    assert grade.fingerprint(TINY, "key") == before
    read = Path.read_bytes

    def edited(self):
        return read(self) + (b"# mended" if str(self).endswith(changed) else b"")

    monkeypatch.setattr(Path, "read_bytes", edited)
    assert grade.fingerprint(TINY, "key") != before


def test_another_key_is_another_fingerprint():
    assert grade.fingerprint(TINY, "one") != grade.fingerprint(TINY, "other")


def test_the_architecture_page_names_every_room_and_every_file_that_it_names_is_there():
    house = Path(grade.__file__).parents[1]
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rooms = {
        path.parent.name + "/" if path.name == "__init__.py" else path.name
        for path in house.glob("*/__init__.py")
    }
    rooms |= {path.name for path in house.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert set(re.findall(r"^\| `([\w./]+)` \|", page, re.M)) >= rooms
    named = re.findall(r"`(?:autograder/)?((?:\w+/)+\w+\.py)`", page)
    assert named
    assert [name for name in named if not (house / name).is_file()] == []


def is_grouped(config):
    """Whether tests are shared out by their groups, as `make test` shares them out."""
    return "PYTEST_XDIST_WORKER" in os.environ and config.getoption("loadgroup", default=False)


@pytest.mark.xdist_group("together")
def test_what_a_group_of_tests_shares_is_made_in_one_process(request):
    """A version of pytest once undid this in silence: every process made everything."""
    if is_grouped(request.config):
        assert request.node.nodeid.endswith("@together")


@pytest.mark.parametrize("notebook", [TINY.name])
def test_what_a_notebooks_tests_share_is_made_in_one_process(notebook, request):
    if is_grouped(request.config):
        assert request.node.nodeid.endswith(f"@{notebook}")
