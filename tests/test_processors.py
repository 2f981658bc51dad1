"""The same course on every processor: what notebooks claim, and marks, names and sentences.

`make processors` tries the whole table; without it a third of the releases meets one of two settings, in CI
also one class, and with LONG=1 the notebook whose claims once hung on the last digits.
"""

import json

import pytest
from course import NOTEBOOKS
from processors import settings, tried

OTHERS = [name for name in settings() if name != "as it is"]
QUICK = ("Haswell", "Nehalem")
# Two notebooks, each under one of the settings.
AGREEING = [(name, QUICK[n % 2]) for n, name in enumerate(NOTEBOOKS[::6])]
FRAGILE = "03_vanishing_and_exploding_gradients"
GRADED = "01_simple_rnn"


def table(is_quick):
    """Every notebook under every setting; those that are not quick are left to `make processors`."""
    return [
        pytest.param(n, s, marks=() if is_quick(n, s) else pytest.mark.processors)
        for n in NOTEBOOKS
        for s in OTHERS
    ]


@pytest.mark.skipif("Nehalem" not in settings(), reason="pretends to be another x86-64 only")
def test_the_processors_really_round_otherwise():
    digits = {setting: tried("round", "-", setting).stdout for setting in settings()}
    assert all(digits.values())
    assert len(set(digits.values())) >= 2, digits


@pytest.mark.parametrize(
    ("notebook", "setting"), table(lambda notebook, setting: notebook == FRAGILE and setting == "Nehalem")
)
@pytest.mark.long
def test_solved_a_notebook_runs_and_holds_what_it_claims(notebook, setting):
    done = tried("solved", notebook, setting)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("notebook", "setting"),
    table(lambda notebook, setting: (notebook, setting) in AGREEING),
)
def test_a_release_agrees_with_its_sources(notebook, setting):
    done = tried("release", notebook, setting)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("notebook", "setting"), table(lambda notebook, setting: notebook == GRADED and setting == "Haswell")
)
@pytest.mark.ci
def test_the_sample_class_gets_the_same_marks_names_and_sentences(notebook, setting):
    here, there = (tried("grade", notebook, s) for s in ("as it is", setting))
    assert there.returncode == 0, there.stderr
    here, there = json.loads(here.stdout), json.loads(there.stdout)
    assert len(there) >= 14
    for student in here:
        assert there[student] == here[student], student
