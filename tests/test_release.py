"""A release beside its sources: what is said of one that was edited, is stale, or has other numbers."""

import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from command import autograder
from course import TINY
from safetensors import safe_open
from safetensors.numpy import save_file

from autograder.course.places import Places
from autograder.errors import CourseError
from autograder.release.build import PUBLIC_KEY, build, problems
from autograder.sheets.drawn import fresh_sheets
from autograder.sheets.frozen import WORDS


@pytest.fixture
def course(tmp_path):
    """A course of the tiny notebook alone, built."""
    shutil.copytree(TINY, tmp_path / "solutions" / TINY.name)
    places = Places(tmp_path)
    build(places.solutions / TINY.name, places)
    return places


def found(places: Places) -> list[str]:
    return list(problems(places.solutions / TINY.name, places))


def checks_of(places: Places) -> Path:
    return places.notebooks / TINY.name / "checks.safetensors"


def edit(path: Path, change) -> None:
    """Change a file of checks as somebody would who opens it: its words and arrays, and nothing else."""
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    words = json.loads(zlib.decompress(tensors.pop(WORDS).tobytes()))
    change(words, tensors)
    packed = np.frombuffer(zlib.compress(json.dumps(words).encode()), np.uint8)
    save_file({**tensors, WORDS: packed}, path, metadata=metadata)


def scaled(place: int, factor: float):
    def change(words, tensors):
        tensors["float64"][place] *= factor

    return change


def test_a_fresh_release_has_no_problems(course):
    assert found(course) == []


@pytest.mark.parametrize("place", [0, 7, 40])
@pytest.mark.parametrize("factor", [1 + 1e-8, 1 - 1e-8, 1 + 1e-3, -1])
def test_a_number_edited_by_hand_is_found_and_located(course, place, factor):
    edit(checks_of(course), scaled(place, factor))
    (problem,) = found(course)
    assert "was edited by hand" in problem
    assert "its sources give" in problem


@pytest.mark.parametrize("factor", [1 + 1e-13, 1 - 1e-13])
def test_a_number_moved_by_rounding_is_none(course, factor):
    edit(checks_of(course), scaled(slice(None), factor))
    assert found(course) == []


def test_a_word_edited_by_hand_is_found(course):
    def change(words, tensors):
        next(iter(words["exercises"].values()))["hints"][0] = "Just write the answer."

    edit(checks_of(course), change)
    (problem,) = found(course)
    assert "was edited by hand" in problem
    assert "Just write the answer." in problem


def test_a_stale_release_names_the_source_that_changed(course):
    exercises = course.solutions / TINY.name / "exercises.py"
    exercises.write_text(exercises.read_text() + "\n# another thought\n")
    (problem,) = found(course)
    assert "is stale: exercises.py changed" in problem
    assert "the checks agree" in problem
    build(course.solutions / TINY.name, course)
    assert found(course) == []


def test_other_numbers_are_told_from_an_edit(course, tmp_path):
    """A file that a build wrote as it is, on a machine that computes otherwise."""
    from autograder.release import build as building

    master = building.read_master(course.solutions / TINY.name)
    sheets = fresh_sheets(master, PUBLIC_KEY)
    first = next(iter(sheets.values())).cases[0]
    leaf = next(iter(first.expected))
    first.expected[leaf] = first.expected[leaf] * (1 + 1e-6)
    checks_of(course).write_bytes(building._frozen(master, sheets))
    (problem,) = found(course)
    assert "differs in numbers" in problem
    assert first.words in problem
    assert str(leaf) in problem
    assert "1.0e-06 of it apart" in problem


def test_writing_in_a_notebook_is_said_and_never_overwritten(course):
    notebook = course.notebooks / TINY.name / f"{TINY.name}.ipynb"
    notebook.write_text(notebook.read_text().replace("NotImplementedError", "SystemExit", 1))
    (problem,) = found(course)
    assert "holds what somebody wrote" in problem
    with pytest.raises(CourseError, match="it is not overwritten"):
        build(course.solutions / TINY.name, course)
    assert "SystemExit" in notebook.read_text()


def test_an_edited_notebook_is_told_from_a_stale_one(course):
    notebook = course.notebooks / TINY.name / f"{TINY.name}.ipynb"
    content = json.loads(notebook.read_text())
    content["metadata"]["kernelspec"]["display_name"] = "another kernel"
    notebook.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    (problem,) = found(course)
    assert "was edited by hand" in problem
    assert "another kernel" in problem


def test_a_build_leaves_what_agrees_as_it_is(course):
    edit(checks_of(course), scaled(slice(None), 1 + 1e-13))
    edit(checks_of(course), lambda words, tensors: words.update(seal=sealed_anew(checks_of(course))))
    before = checks_of(course).read_bytes()
    build(course.solutions / TINY.name, course)
    assert checks_of(course).read_bytes() == before


def sealed_anew(path: Path) -> str:
    from autograder.sheets import frozen

    checks = frozen.FrozenChecks(path)
    return frozen._seal(checks._words, checks._tensors)


def test_damaged_checks_are_said_and_written_anew(course):
    checks_of(course).write_bytes(b"\x00" * 100)
    (problem,) = found(course)
    assert "cannot be read" in problem
    build(course.solutions / TINY.name, course)
    assert found(course) == []


def test_a_solved_page_that_does_not_end_is_said_behind_the_releases(course, monkeypatch):
    from nbformat.v4 import new_code_cell, new_notebook

    from autograder.release import build as building

    endless = new_notebook(cells=[new_code_cell("import time\ntime.sleep(60)  # to be named")])
    monkeypatch.setattr(building, "solved_notebook", lambda master: endless)
    monkeypatch.setattr(building, "LONGEST_CELL", 1)
    done = autograder(course.root, "build")
    assert done.status == 1 and f"{TINY.name}: 3 exercises" in done.out
    assert f"{TINY.name}, solved: a cell takes more than 1 s: is this computer busy" in done.err
    assert "time.sleep(60)  # to be named" in done.err
