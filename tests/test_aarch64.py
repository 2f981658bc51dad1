"""What `make aarch64` compares: tried here on one notebook, without the emulator."""

import json
import sys
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path

import aarch64
import pytest
from course import ROOT, frozen_sheet, master_of
from students_side import Tries, try_notebook

from autograder.answers.leaf import Leaf
from autograder.release.build import PUBLIC_KEY
from autograder.sheets.drawn import fresh_sheets
from autograder.sheets.frozen import freeze

NOTEBOOK = "00_start_here"
RELEASED = ROOT / "notebooks" / NOTEBOOK / "checks.safetensors"
EVERY = 6


@pytest.fixture(scope="module")
def tries():
    return aarch64.tries_of(master_of(NOTEBOOK), RELEASED, EVERY)


@pytest.fixture(scope="module")
def result(tries):
    return try_notebook(tries)


@pytest.fixture
def native(monkeypatch, tmp_path):
    """This machine's Python in the place of the emulated one, with no packages but those of a check."""
    for name in ("numpy", "numpy.libs", "safetensors"):
        beside = Path(find_spec(name.partition(".")[0]).origin).parents[1] / name
        if beside.is_dir():
            (tmp_path / name).symlink_to(beside)
    monkeypatch.setattr(aarch64, "FOLDER", tmp_path)
    monkeypatch.setattr(
        aarch64, "emulator", lambda solved: ([sys.executable, "-S"], {"PYTHONPATH": str(tmp_path)})
    )


def altered(folder: Path, factor: float) -> None:
    """A release in which somebody multiplied one expected number, the largest of its array."""
    sheets = fresh_sheets(master_of(NOTEBOOK), PUBLIC_KEY)
    expected = sheets["sigmoid_grad"].cases[0].expected[Leaf("slope")]
    expected.flat[abs(expected).argmax()] *= factor
    (folder / NOTEBOOK).mkdir()
    (folder / NOTEBOOK / RELEASED.name).write_bytes(freeze(NOTEBOOK, sheets))


def test_the_sample_holds_every_reference_and_every_sixth_mistake(tries, result):
    exercises = master_of(NOTEBOOK).exercises
    assert [said.exercise for said in result.said if not said.mistake] == list(exercises)
    for name, exercise in exercises.items():
        tried = [said.mistake for said in result.said if said.mistake and said.exercise == name]
        assert tried == [mutant.name for mutant in exercise.spec.misconceptions[::EVERY]]
        assert len(result.apart) >= len(frozen_sheet(NOTEBOOK, name).cases)


def test_the_same_words_on_both_sides_make_no_difference(result):
    assert list(aarch64.differences(result, result)) == []
    assert f"{len(master_of(NOTEBOOK).exercises)} references right" in aarch64.summary(result, result)


def test_a_students_check_needs_numpy_and_safetensors_alone(native, capsys):
    assert aarch64.main([NOTEBOOK, "--every", str(EVERY), "--cpu", "none"]) == 0
    assert f"{NOTEBOOK}: 4 of 4 references right" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("factor", "exit_status", "words"),
    [
        (1 + 1e-13, 0, "says what it says here"),
        (1 + 3e-8, 1, "sigmoid_grad, random values 1, slope: the released numbers differ by 3e-08"),
        (1.5, 1, "sigmoid_grad, reference: is judged wrong there"),
    ],
)
def test_an_altered_expected_number_is_reported(
    factor, exit_status, words, native, monkeypatch, tmp_path, capsys
):
    altered(tmp_path, factor)
    monkeypatch.setattr(aarch64, "NOTEBOOKS", tmp_path)
    assert aarch64.main([NOTEBOOK, "--every", "99", "--cpu", "none"]) == exit_status
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "right"}, "is judged right there"),
        ({"named": "another mistake"}, "there 'another mistake'"),
        ({"text": "another sentence"}, "there 'another sentence'"),
    ],
)
def test_other_words_about_a_mistake_are_reported(change, words, result):
    place = next(i for i, said in enumerate(result.said) if said.mistake)
    said = [*result.said]
    said[place] = replace(said[place], **change)
    found = list(aarch64.differences(result, replace(result, said=said)))
    assert any(words in sentence and repr(said[place].mistake) in sentence for sentence in found)


def test_a_longer_text_is_reported(result):
    said = [replace(result.said[0], text=result.said[0].text + "\nmore"), *result.said[1:]]
    assert list(aarch64.differences(result, replace(result, said=said))) == [
        f"{said[0].exercise}, reference: here '(no more)', there 'more'"
    ]


def test_a_cell_of_the_solved_notebook_that_stops_is_named(result):
    solved = {"1": "import numpy as np", "7": "x = np.ones(3)\nassert x.sum() > 3", "8": "x[0]"}
    there = try_notebook(Tries(NOTEBOOK, str(RELEASED), {**cells_of(NOTEBOOK)}, {}, solved))
    assert there.stopped == [
        "cell 7 of the solved notebook stops at `assert x.sum() > 3` with AssertionError()"
    ]
    found = aarch64.differences(replace(result, said=there.said), there)
    assert list(found) == [f"{there.stopped[0]} there"]


def cells_of(notebook: str) -> dict[str, str]:
    return {cell.name: cell.source for cell in master_of(notebook).graded_code}


def test_a_result_survives_its_line_of_json(result):
    assert aarch64.Result.from_json(json.dumps(asdict(result))) == result


def test_without_the_emulator_it_is_said_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr(aarch64.shutil, "which", lambda name: None)
    assert aarch64.main([NOTEBOOK]) == 1
    assert "apt-get install qemu-user" in capsys.readouterr().err


def test_a_run_that_breaks_off_is_no_success(native, monkeypatch, tmp_path, capsys):
    broken = [sys.executable, "-c", "import sys; sys.exit(3)"]
    monkeypatch.setattr(aarch64, "emulator", lambda solved: (broken, {}))
    assert aarch64.main([NOTEBOOK, "--every", "99"]) == 1
    assert "exit status 3" in capsys.readouterr().err
