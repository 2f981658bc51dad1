"""`autograder new`: what it writes builds at once and passes the rules, before a word of it is changed."""

import os
import runpy
import shutil
import subprocess
import sys

import judged
import pytest
import sample_class
import test_alternatives
import test_mutants
import test_notebooks
from command import autograder
from course import KEY, ROOT, TINY

from autograder.course.masters import read_master
from autograder.course.places import Places
from autograder.errors import CourseError
from autograder.release.build import problems
from autograder.sheets.drawn import fresh_sheets

# The rules ask more of a long name.
NAME = "41_leaky_average"
TESTS = [
    "notebooks",
    "alternatives",
    "mutants",
    "corpus",
    "keys",
    "mistakes",
    "check",
    "claims",
    "what_ships",
]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with nothing in it but a new notebook."""
    place = tmp_path_factory.mktemp("new")
    for folder in ("solutions", "rnncourse/explorers", "tests"):
        (place / folder).mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", place)
    done = autograder(place, "new", NAME)
    assert done.status == 0, done.err
    return place


def test_it_builds_at_once_and_all_that_must_hold_of_it_holds(course):
    done = autograder(course, "build", NAME, "--no-solved")
    assert done.status == 0, done.err
    assert list(problems(course / "solutions" / NAME, Places(course))) == []


def test_it_keeps_the_rules_of_notebooks(course, monkeypatch):
    monkeypatch.setattr(test_notebooks, "master_of", lambda _: read_master(course / "solutions" / NAME))
    test_notebooks.test_a_release_has_what_every_notebook_has(NAME)
    test_notebooks.test_every_formula_has_one_number(NAME)


def test_its_alternatives_are_right_and_its_mistakes_have_names(course, monkeypatch):
    master = read_master(course / "solutions" / NAME)
    sheets = fresh_sheets(master, KEY)
    alternatives = runpy.run_path(str(course / "tests" / "alternatives" / f"{NAME}.py"))["ALTERNATIVES"]
    for rules in (test_alternatives, test_mutants):
        monkeypatch.setattr(rules, "master_of", lambda _: master)
        monkeypatch.setattr(rules, "frozen_sheet", lambda _, name: sheets[name])
    monkeypatch.setattr(test_alternatives, "alternatives_of", lambda _, name: alternatives[name])
    for name, exercise in master.exercises.items():
        assert len(exercise.spec.misconceptions) > 1
        test_alternatives.test_every_alternative_passes_its_check(NAME, name)
        test_mutants.test_the_students_check_names_every_mutant(NAME, name)
    assert {line.exercise for line in judged.lines_of(course / "tests" / "corpus" / f"{NAME}.txt")} == set(
        master.exercises
    )


def test_it_is_formatted_and_lint_finds_nothing(course):
    # In the course's own folder the packages lie beside it.
    ours = ["--config", 'lint.isort.known-first-party = ["autograder", "rnncourse"]']
    for command in (["check", *ours], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, course], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_nothing_is_written_over_and_a_name_must_be_one(course):
    for name, said in (
        (NAME, "there is 41_leaky_average"),
        ("41_other", "41_leaky"),
        ("leaky", "two digits"),
    ):
        done = autograder(course, "new", name)
        assert done.status == 2 and said in done.err


def test_a_course_without_pictures_gets_none(tmp_path):
    done = autograder(tmp_path, "new", NAME)
    assert done.status == 2 and "or make the folder, and a course begins here" in " ".join(done.err.split())
    (tmp_path / "solutions").mkdir()
    done = autograder(tmp_path, "new", NAME)
    assert done.status == 0 and "help(autograder.Exercise)" in done.out
    assert autograder(tmp_path, "build", NAME, "--no-solved").status == 0
    text = (tmp_path / "solutions" / NAME / f"{NAME}.py").read_text()
    assert "rnncourse" not in text and "show(" not in text and not (tmp_path / "tests").exists()


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('returns=("s_t",)', 'returns=("s_t")', "a comma behind a single one: ('s_t',)"),
        ('"s_prev": some_numbers(rng, (H, N)) + 3.0,', "", "the signature has ['x_t', 's_prev', 'r']"),
    ],
)
def test_a_slip_in_exercises_is_told_by_its_place(tmp_path, right, wrong, said):
    (tmp_path / "solutions").mkdir()
    assert autograder(tmp_path, "new", NAME).status == 0
    path = tmp_path / "solutions" / NAME / "exercises.py"
    text = path.read_text()
    assert text.count(right) == 1
    path.write_text(text.replace(right, wrong))
    done = autograder(tmp_path, "build", NAME, "--no-solved")
    assert done.status == 2 and said in " ".join(done.err.split())


def test_what_is_missing_says_what_to_do():
    with pytest.raises(CourseError, match=r"tests/alternatives/tiny_rnn.py.*autograder new"):
        sample_class.alternatives_of(TINY.name)
    with pytest.raises(CourseError, match=r"tests/alternatives/tiny_rnn.py"):
        test_alternatives.alternatives_of(TINY.name, "rnn_step")
    with pytest.raises(CourseError, match=r"corpus/tiny_rnn.txt.*CONTRIBUTING"):
        judged.lines_of(judged.CORPUS / f"{TINY.name}.txt")


@pytest.mark.long
def test_it_passes_the_tests_of_a_notebook(tmp_path):
    """All of them, in a copy of the project."""
    for name in ("autograder", "rnncourse", "tests", "scripts", "solutions", "pyproject.toml"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
    assert autograder(tmp_path, "new", NAME).status == 0
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "NOTEBOOKS": NAME}
    tests = [f"tests/test_{name}.py" for name in TESTS]
    for command in (["autograder", "build", NAME], ["pytest", *tests, "-k", NAME]):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_a_master_can_be_tried_without_a_kernel():
    command = [sys.executable, ROOT / "scripts" / "try_master.py", "00_start_here"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "00_start_here: " in done.stdout
