"""A student's zip: what is in it, what is not, and that it works where nothing else of ours is."""

import json
import os
import subprocess
import sys
import zipfile

import pytest
from course import NOTEBOOKS, ROOT, master_of

from autograder.course.places import Places
from autograder.errors import CourseError
from autograder.exchange.bundle import write_bundle
from rnncourse.cells import CELLS
from rnncourse.withheld import way_back

LAST = "02_backpropagation_through_time"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    write_bundle(Places(ROOT), folder / "rnn.zip", upto="02")
    with zipfile.ZipFile(folder / "rnn.zip") as archive:
        archive.extractall(folder)
    return folder / "rnn"


def test_a_stage_holds_its_notebooks_and_nothing_of_later_ones(unpacked):
    names = {path.name for path in (unpacked / "notebooks").iterdir()}
    assert names == {name for name in NOTEBOOKS if name <= LAST}
    packages = {path.name for path in unpacked.rglob("*") if path.is_file()}
    assert "figures_02.py" in packages and "contributions.js" in packages
    assert not [name for name in packages if "03" in name or "stacked" in name or name == "gates_by_hand.js"]
    assert json.loads((unpacked / "course.json").read_text())["notebooks"] == sorted(names)


def test_no_solution_and_nothing_of_the_grader_is_in_it(unpacked):
    folders = {path.name for path in (unpacked / "packages" / "autograder").iterdir() if path.is_dir()}
    assert not folders & {"sandbox", "grading", "nbgrader_door", "release", "exchange"}
    texts = [p.read_bytes() for p in unpacked.rglob("*") if p.is_file()]
    for name in NOTEBOOKS[:3]:
        for exercise in master_of(name).exercises.values():
            lines = [line.strip() for line in exercise.source.partition("BEGIN SOLUTION")[2].splitlines()]
            telling = max((line for line in lines if not line.startswith("#")), key=len).encode()
            assert not any(telling in text for text in texts), (exercise.name, telling)


def test_the_same_course_gives_the_same_bytes(unpacked, tmp_path):
    write_bundle(Places(ROOT), tmp_path / "rnn.zip", upto=LAST)
    assert (tmp_path / "rnn.zip").read_bytes() == unpacked.with_name("rnn.zip").read_bytes()


ANSWER = """
import sys, numpy as np
import autograder
from autograder import check, guess, show_derivation, progress
def product_backward(dY, A, X):
    return dY @ X.T, A.T @ dY
check(product_backward)
guess("02.7", change_of_L=0.5)
show_derivation("loss_backward")
progress()
print(autograder.__file__)
print(sorted(name for name in sys.modules if name.startswith(("nbgrader", "nbformat", "jupytext", "torch"))))
"""


def test_it_checks_asks_and_tells_with_nothing_else_of_ours(unpacked, tmp_path):
    packages = unpacked / "packages"
    done = subprocess.run(
        [sys.executable, "-c", ANSWER],
        cwd=unpacked / "notebooks" / LAST,
        env={**os.environ, "PYTHONPATH": str(packages), "AUTOGRADER_PROGRESS": str(tmp_path / "mine.json")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "product_backward: right" in done.stdout
    assert r"\tag{2.5}" in done.stdout  # what was found is told
    assert "| change of L | 0.5 | 0.6312 |  |" in done.stdout
    assert r"\tag{2.7}" in done.stdout  # and what was given up
    assert "`loss_backward` derivation shown" in done.stdout
    assert str(packages) in done.stdout
    assert done.stdout.rstrip().endswith("[]")


PRETENDED = """
import runpy, subprocess, sys
ran = []
def pretend(command, **more):
    ran.append([str(word) for word in command])
    return subprocess.CompletedProcess(command, 0)
subprocess.run = pretend
import venv
venv.EnvBuilder.create = lambda self, place: place.mkdir()
sys.argv = ["start.py", "--torch", "--no-browser"]
try:
    runpy.run_path("start.py", run_name="__main__")
except SystemExit as end:
    print(*(" ".join(command[1:]) for command in ran), end.code, sep="\\n")
"""


def test_its_start_script_brings_pytorch_where_it_is_asked_to(unpacked):
    done = subprocess.run(
        [sys.executable, "-c", PRETENDED], cwd=unpacked, capture_output=True, text=True, check=True
    )
    *_, uv, torch, lab, status = done.stdout.splitlines()
    assert uv == "-m pip install --quiet uv"
    assert torch.endswith("--torch-backend cpu torch") and "environment" in torch
    assert lab == "-m jupyterlab --no-browser" and status == "0"
    assert "start.py --torch" in (unpacked / "README.txt").read_text("utf-8")


def test_a_notebook_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CourseError, match="--upto 99: name one notebook"):
        write_bundle(Places(ROOT), tmp_path / "rnn.zip", upto="99")
    assert not (tmp_path / "rnn.zip").exists()


TURNED_ROUND = """
import sys
# A student has no clone.
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.instance().run_cell("from rnncourse.cells import draw_cell, step_through")
from autograder import show_derivation
assert not [name for name in sys.modules if "withheld" in name]
show_derivation("gated_step_backward")
from rnncourse.withheld import way_back
print(way_back("gated").factors["candidate", "written"])
try:
    way_back("lstm")
except ValueError as refused:
    print(refused)
"""


def test_what_tells_the_way_back_is_in_no_file_until_it_is_told(tmp_path):
    write_bundle(Places(ROOT), tmp_path / "rnn.zip", upto="04")
    with zipfile.ZipFile(tmp_path / "rnn.zip") as archive:
        archive.extractall(tmp_path)
    files = [path for path in (tmp_path / "rnn").rglob("*") if path.is_file()]
    assert {"graph.py", "drawing.py", "step_through.js"} <= {path.name for path in files}
    assert not [path for path in files if "withheld" in path.name]
    for name in CELLS:
        told = way_back(name)
        telling = [equation.text for equation in told.equations]
        telling += [factor for factor in told.factors.values() if "(1" in factor] + told.rules.split("\n")[
            2:5
        ]
        for path in files:
            text = path.read_bytes()
            assert not [words for words in telling if words.encode() in text], path
    done = subprocess.run(
        [sys.executable, "-c", TURNED_ROUND],
        cwd=tmp_path / "rnn" / "notebooks" / "04_gating",
        env={
            **os.environ,
            "PYTHONPATH": str(tmp_path / "rnn" / "packages"),
            "AUTOGRADER_PROGRESS": str(tmp_path / "mine.json"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "[figure: One step of the simple gated RNN as a graph. The arrows run backward." in done.stdout
    assert "[explorer: The simple gated RNN over the sentence" in done.stdout
    assert done.stdout.endswith("⊙ g_t\nthe way back through 'lstm' is found in another notebook\n")
