"""The grader is a distribution of its own: its wheel, alone in a fresh environment, grades any course."""

import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from course import REGRESSION, ROOT, TINY, submission

from autograder.record import VERSION

UV = Path(sys.executable).with_name("uv")
NOT_OURS = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
pytestmark = [pytest.mark.xdist_group("setup")]


def run(*command, folder=None, **more):
    done = subprocess.run(
        list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False, **more
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The grader's wheel, built from a copy of its folder alone."""
    place = tmp_path_factory.mktemp("wheel")
    copy = place / "autograder"
    shutil.copytree(ROOT / "autograder", copy, ignore=NOT_OURS)
    run(UV, "build", "--wheel", "--quiet", "--out-dir", place, copy)
    (found,) = place.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def fresh(wheel, tmp_path_factory):
    """An environment that holds the wheel with what its extra `nbgrader` asks for, in locked versions."""
    place = tmp_path_factory.mktemp("fresh") / "venv"
    run(UV, "venv", "--quiet", "--python", sys.executable, place)
    locked = ROOT / "requirements" / "dev.txt"
    wanted = f"{wheel}[nbgrader]"
    run(UV, "pip", "install", "--quiet", "--python", place / "bin" / "python", "--constraint", locked, wanted)
    return place / "bin"


def test_the_wheel_holds_every_file_of_the_package(wheel):
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    tracked = run("git", "ls-files", "autograder", folder=ROOT).split()
    of_the_distribution = {"autograder/pyproject.toml", "autograder/README.md", "autograder/LICENSE"}
    assert packed == set(tracked) - of_the_distribution


def test_the_two_licences_are_one():
    assert (ROOT / "autograder" / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_the_grader_knows_its_version():
    project = tomllib.loads((ROOT / "autograder" / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION


def test_the_grader_names_no_course():
    named = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in (ROOT / "autograder").rglob("*")
        if path.suffix in {".py", ".toml", ".j2", ".js", ".css"} and "build" not in path.parts
        for word in ("rnncourse", "rnn-course", "rnn_step", "lstm_step")
        if word in path.read_text("utf-8").lower()
    ]
    assert not named


def course(folder, master, answers):
    """A course folder with one assignment, and what a class of it handed in."""
    notebook = master.name
    shutil.copytree(master, folder / "solutions" / notebook, ignore=shutil.ignore_patterns("__pycache__"))
    for student, changed in answers.items():
        path = folder / "submitted" / student / notebook / f"{notebook}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(submission(notebook, changed))
    return notebook


@pytest.mark.ci
@pytest.mark.usefixtures("confined")
def test_a_fresh_environment_builds_and_grades_a_course_that_is_no_network(fresh, tmp_path):
    by_rows = "def line_backward(dp, X, w, b):\n    return X.T @ dp / len(dp), dp.sum(keepdims=True)\n"
    wrong = "def line_backward(dp, X, w, b):\n    return X.T @ dp, dp.max(keepdims=True)\n"
    answers = {"ada": {}, "bela": {"line_backward": by_rows}, "cleo": {"line_backward": wrong}}
    notebook = course(tmp_path, REGRESSION, answers)
    run(fresh / "autograder", "build", folder=tmp_path)
    run(fresh / "autograder", "grade", notebook, "--json", "marks.json", folder=tmp_path)
    records = {r["student"]: r for r in json.loads((tmp_path / "marks.json").read_text())}
    scores = [records[name]["score"] for name in answers]
    assert scores == [8, 6.5, 6.5]  # half of the values of one exercise are right
    assert "a mean, not a sum, over the rows" in json.dumps(records["bela"])
    assert "gradient of" in json.dumps(records["cleo"])
    released = (tmp_path / "notebooks" / notebook / f"{notebook}.ipynb").read_text()
    assert "X @ w + b" not in released and "check(line_backward)" in released


@pytest.mark.long
@pytest.mark.usefixtures("confined")
def test_a_fresh_environment_grades_the_tiny_course(fresh, tmp_path):
    notebook = course(tmp_path, TINY, {"ada": {}})
    run(fresh / "autograder", "grade", notebook, "--json", "marks.json", folder=tmp_path)
    (record,) = json.loads((tmp_path / "marks.json").read_text())
    assert record["score"] == 12


@pytest.mark.ci
def test_a_check_needs_no_more_than_the_wheel_and_its_first_requirements(wheel, tmp_path, fresh):
    """NumPy, safetensors and a folder for settings: what stands in no extra."""
    project = tomllib.loads((ROOT / "autograder" / "pyproject.toml").read_text())["project"]
    place, course_folder = tmp_path / "venv", tmp_path / "course"
    run(UV, "venv", "--quiet", "--python", sys.executable, place)
    constraint = ("--constraint", ROOT / "requirements" / "dev.txt")
    run(UV, "pip", "install", "--quiet", "--python", place / "bin" / "python", *constraint, wheel)
    installed = run(UV, "pip", "list", "--format=json", "--python", place / "bin" / "python")
    names = {one["name"] for one in json.loads(installed)}
    assert names == {"notebook-autograder", "numpy", "platformdirs", "safetensors"}
    assert len(project["dependencies"]) == 3
    notebook = course(course_folder, REGRESSION, {})
    run(fresh / "autograder", "build", folder=course_folder)
    program = (
        "from autograder import check\n"
        "def line(X, w, b):\n    return X @ w\n"
        "try:\n    check(line)\nexcept Exception as error:\n    print(error)\n"
    )
    here = course_folder / "notebooks" / notebook
    said = run(place / "bin" / "python", "-c", program, folder=here)
    assert "the offset is forgotten" in said
