"""What a person wrote in `work/` or `notebooks/` outlives every command and a `git pull`."""

import json
import shutil
import subprocess
import sys

import demo
import lab
import pytest
from course import ROOT, TINY, master_of
from typer.testing import CliRunner

from autograder import cli
from autograder.course.handwritten import read_notebook
from autograder.course.places import Places
from autograder.errors import CourseError
from autograder.kernel import CHECKS
from autograder.release.build import build, problems
from autograder.sheets.frozen import FrozenChecks

NAME = TINY.name
ANSWER = "def rnn_step(x_t, s_prev, W):\n    return x_t  # mine\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A course with one notebook, built once."""
    course = tmp_path_factory.mktemp("built")
    shutil.copytree(TINY, course / "solutions" / NAME)
    build(course / "solutions" / NAME, Places(course))
    return course


@pytest.fixture
def course(built, tmp_path):
    return shutil.copytree(built, tmp_path / "course")


def notebook_in(course, folder):
    return course / folder / NAME / f"{NAME}.ipynb"


def fill(course):
    return list(lab.fill(course / "notebooks", course / "work"))


def write(path, **changes):
    """Write an answer (and more) into a notebook, as a person does."""
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in changes:
            cell["source"] = changes[grade_id]
    if "added" in changes:
        cell = {"cell_type": "markdown", "id": "0a1b2c3d-1", "metadata": {}, "source": changes["added"]}
        notebook["cells"].append(cell)
    if "written" in changes:
        notebook["cells"][-1]["source"] = changes["written"]
    path.write_text(json.dumps(notebook, indent=1))
    return path.read_bytes()


def mend_master(course):
    """A newer release: another title, and the name of an exercise's case."""
    master = course / "solutions" / NAME / f"{NAME}.py"
    master.write_text(master.read_text().replace("to test the tools with", "mended"))
    exercises = master.with_name("exercises.py")
    exercises.write_text(exercises.read_text().replace("N = 1", "N is 1"))
    build(course / "solutions" / NAME, Places(course))


def test_the_first_lab_makes_the_copy_and_the_next_leaves_it_alone(course):
    assert "your copy" in fill(course)[0]
    copied = {path.name for path in notebook_in(course, "work").parent.iterdir()}
    assert copied == {f"{NAME}.ipynb", CHECKS}
    mine = write(notebook_in(course, "work"), rnn_step=ANSWER)
    assert fill(course) == []
    assert notebook_in(course, "work").read_bytes() == mine


def test_what_is_missing_in_the_copy_is_added_and_own_files_stay(course):
    fill(course)
    own = notebook_in(course, "work").with_name("my_notes.md")
    own.write_text("mine")
    notebook_in(course, "work").unlink()
    shutil.copytree(course / "notebooks" / NAME, course / "notebooks" / "another")
    released = notebook_in(course, "notebooks")
    (course / "notebooks" / "another" / released.name).rename(course / "notebooks/another/another.ipynb")
    fill(course)
    assert notebook_in(course, "work").read_bytes() == released.read_bytes()
    assert (course / "work" / "another" / "another.ipynb").is_file()
    assert own.read_text() == "mine"


def test_after_a_newer_release_an_answered_notebook_stays_and_the_command_is_said(course, monkeypatch):
    fill(course)
    path = notebook_in(course, "work")
    mine = write(path, rnn_step=ANSWER, added="my cell")
    mend_master(course)
    (said,) = fill(course)
    assert path.read_bytes() == mine
    # The checks are for programs only: they follow, and still know every exercise of the older notebook.
    newest = notebook_in(course, "notebooks").with_name(CHECKS)
    assert path.with_name(CHECKS).read_bytes() == newest.read_bytes()
    assert FrozenChecks(path.with_name(CHECKS)).names == list(master_of(NAME).exercises)
    command = said.partition(" ".join(lab.CARRY))[2].split()
    monkeypatch.chdir(course)
    done = CliRunner().invoke(cli.app, ["carry", *command])
    assert done.exit_code == 0, done.output
    carried = [cell["source"] for cell in read_notebook(path)["cells"]]
    assert ANSWER in carried and "my cell" in carried and "mended" in carried[0]
    assert path.with_name(f"{NAME}.before-carry.ipynb").read_bytes() == mine
    assert fill(course) == []


def test_a_notebook_that_nobody_wrote_into_follows_its_release(course):
    fill(course)
    path = notebook_in(course, "work")
    run = json.loads(path.read_text())
    run["cells"][2]["execution_count"] = 7
    path.write_text(json.dumps(run))
    mend_master(course)
    (said,) = fill(course)
    assert "newer release" in said
    assert path.read_bytes() == notebook_in(course, "notebooks").read_bytes()


@pytest.mark.parametrize("content", [b"", b"notes of mine", b"<<<<<<< HEAD\n{}\n>>>>>>> mine\n", b"[]"])
def test_a_copy_that_cannot_be_read_is_left_and_said(course, content):
    fill(course)
    notebook_in(course, "work").write_bytes(content)
    (said,) = fill(course)
    assert "left as it is" in said
    assert notebook_in(course, "work").read_bytes() == content


def test_a_release_somebody_wrote_into_is_copied_whole_or_said(course, monkeypatch):
    mine = write(notebook_in(course, "notebooks"), rnn_step=ANSWER)
    fill(course)
    assert notebook_in(course, "work").read_bytes() == mine
    assert fill(course) == []
    more = write(notebook_in(course, "notebooks"), added="one more")
    (said,) = fill(course)
    monkeypatch.chdir(course)
    assert (
        CliRunner().invoke(cli.app, ["carry", *said.partition(" ".join(lab.CARRY))[2].split()]).exit_code == 0
    )
    assert {"one more", ANSWER} <= {c["source"] for c in read_notebook(notebook_in(course, "work"))["cells"]}
    assert notebook_in(course, "notebooks").read_bytes() == more
    assert fill(course) == []


WRITING = {
    "an answer": {"rnn_step": ANSWER},
    "a comment in a stub": {
        "rnn_forward": "def rnn_forward(xs, s0, W):\n    # how?\n    raise NotImplementedError"
    },
    "an own cell": {"added": "my note"},
    "a written answer": {"written": "Because it is bounded."},
    "a changed given cell": {"given_sigmoid": "sigmoid = None"},
}


@pytest.mark.parametrize("writing", WRITING.values(), ids=WRITING)
@pytest.mark.parametrize("is_newer", [False, True])
def test_the_build_overwrites_nothing_that_somebody_wrote(course, writing, is_newer):
    folder = course / "solutions" / NAME
    mine = write(notebook_in(course, "notebooks"), **writing)
    beside = notebook_in(course, "notebooks").with_name("notes.txt")
    beside.write_text("mine")
    if is_newer:
        master = folder / f"{NAME}.py"
        master.write_text(master.read_text().replace("to test the tools with", "mended"))
    with pytest.raises(CourseError, match="somebody wrote"):
        build(folder, Places(course))
    said = list(problems(folder, Places(course)))
    assert any("somebody wrote" in problem for problem in said)
    assert not any("run `autograder build" in problem or "remove" in problem for problem in said)
    assert notebook_in(course, "notebooks").read_bytes() == mine
    assert beside.read_text() == "mine"


def test_the_build_renews_an_older_release_also_one_that_was_run(course):
    path = notebook_in(course, "notebooks")
    run = json.loads(path.read_text())
    run["cells"][2]["execution_count"] = 7
    path.write_text(json.dumps(run))
    mend_master(course)
    assert "mended" in path.read_text() and '"execution_count": 7' not in path.read_text()


def test_a_damaged_release_is_not_overwritten(course):
    notebook_in(course, "notebooks").write_text('{"cells": [ my answer')
    with pytest.raises(CourseError, match="does not overwrite"):
        build(course / "solutions" / NAME, Places(course))


def git(folder, *words):
    identity = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
def test_a_pull_is_clean_and_every_character_stays(course, tmp_path):
    shutil.copy(ROOT / ".gitignore", course)
    git(course, "init", "-q", "-b", "main")
    git(course, "add", "-A")
    git(course, "commit", "-qm", "first")
    git(tmp_path, "clone", "-q", str(course), "student")
    student = tmp_path / "student"
    fill(student)
    mine = write(notebook_in(student, "work"), rnn_step=ANSWER, added="my cell")
    assert git(student, "status", "--porcelain") == ""
    mend_master(course)
    git(course, "commit", "-qam", "mended")
    git(student, "pull", "-q")
    assert notebook_in(student, "work").read_bytes() == mine
    assert "newer release" in "".join(fill(student))
    assert git(student, "status", "--porcelain") == ""


def test_the_demo_writes_below_build_only(course, monkeypatch):
    """All of the demo but the commands it calls, in a course whose release holds an answer."""
    notebook = "00_start_here"
    shutil.copytree(ROOT / "solutions" / notebook, course / "solutions" / notebook)
    shutil.copy(ROOT / "solutions" / "common.py", course / "solutions")
    shutil.copytree(ROOT / "notebooks" / notebook, course / "notebooks" / notebook)
    shutil.copy(ROOT / "nbgrader_config.py", course)
    write(course / "notebooks" / notebook / f"{notebook}.ipynb", added="my note")
    before = {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}
    monkeypatch.setattr(demo, "ROOT", course)
    monkeypatch.setattr(demo, "DEMO", course / "build" / "demo")
    monkeypatch.setattr(demo, "run", lambda *command, may_fail=False: None)
    monkeypatch.setattr(demo, "groups_said", lambda *command: ["a group"])
    monkeypatch.setattr(demo, "mark_by_hand", lambda *names: None)
    demo.main([notebook])
    after = {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}
    assert {path: content for path, content in after.items() if path in before} == before
    new = {path.relative_to(course).parts[:2] for path in after.keys() - before.keys()}
    assert new == {("build", "demo")}


def test_lab_starts_jupyter_on_the_copy(course, monkeypatch, capsys):
    started = []
    monkeypatch.setattr(lab, "ROOT", course)
    monkeypatch.setattr(lab.os, "execv", lambda program, words: started.append(words))
    monkeypatch.chdir(course)
    lab.main(["--no-browser"])
    assert started[0][:4] == [sys.executable, "-m", "jupyterlab", "--notebook-dir=work"]
    assert started[0][-1] == "--no-browser"
    assert "your copy" in capsys.readouterr().out
    shutil.rmtree(course / "work")
    (course / "work").write_text("a file of mine")
    with pytest.raises(SystemExit, match="needs the folder work/"):
        lab.main([])
    assert (course / "work").read_text() == "a file of mine"
