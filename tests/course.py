"""What tests of notebooks share: the masters, their sheets, and submissions made from them."""

import json
import os
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from autograder.course.masters import Master, left_out, read_master
from autograder.course.notebook import source_notebook
from autograder.course.places import find_masters
from autograder.course.surroundings import surroundings
from autograder.release.build import CHECKS, PUBLIC_KEY, is_made_from
from autograder.sheets.drawn import fresh_sheets
from autograder.sheets.frozen import FrozenChecks, freeze
from autograder.sheets.sheet import Sheet

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "tests" / "fixtures" / "solutions"
TINY = FIXTURES / "tiny_rnn"
# A course that is no neural network at all.
REGRESSION = ROOT / "tests" / "fixtures" / "regression" / "solutions" / "least_squares"
# NOTEBOOKS="05_lstm" pytest ... looks at one notebook only, while it is being written.
NOTEBOOKS = [f.name for f in find_masters(ROOT / "solutions", os.environ.get("NOTEBOOKS", "").split())]
KEY = "a key for tests"
# LONG=1 (`make test LONG=1`): every door is asked about everything, and tests marked `long` are run.
LONG = bool(os.environ.get("LONG"))
# CI=true has twenty minutes, `make test` by itself eight: it asks some of many alike, none marked `ci`.
WHOLE = any(os.environ.get(name) for name in ("LONG", "CI", "NOTEBOOKS"))
# Holds what is made for one test; gone when the tests end.
ALONE = TemporaryDirectory()

sys.path.insert(0, str(ROOT))


def sampled(alike: Iterable[Any], every: int) -> list[Any]:
    """Each of many tests' cases that are alike where the whole is asked for, else one in so many."""
    return list(alike)[:: 1 if WHOLE else every]


def folder_of(notebook: str) -> Path:
    of_tests = {folder.name: folder for folder in (TINY, REGRESSION)}
    return of_tests.get(notebook, ROOT / "solutions" / notebook)


@cache
def lacks(notebook: str) -> str:
    """Why a notebook's tests cannot run here, in words; "" where they can."""
    return left_out(folder_of(notebook))


@cache
def master_of(notebook: str) -> Master:
    return read_master(folder_of(notebook))


@cache
def public_sheets(notebook: str) -> dict[str, Sheet]:
    """What students' checks are made from, for every exercise."""
    return fresh_sheets(master_of(notebook), PUBLIC_KEY)


@cache
def frozen_checks(notebook: str) -> FrozenChecks:
    """The checks as a student has them; made anew where their sources have changed since they were built."""
    master = master_of(notebook)
    built = ROOT / "notebooks" / notebook / CHECKS
    path = Path(mkdtemp(dir=ALONE.name)) / notebook / CHECKS  # with no other notebook beside it
    path.parent.mkdir()
    if is_made_from(master, built):
        path.write_bytes(built.read_bytes())
    else:
        sheets = public_sheets(notebook)
        path.write_bytes(freeze(notebook, sheets, around=surroundings(master), told=master.told))
    return FrozenChecks(path)


def frozen_sheet(notebook: str, exercise: str) -> Sheet:
    return frozen_checks(notebook).sheet(exercise)


def exercises_of(*notebooks: str) -> list[tuple[str, str]]:
    """Pairs (notebook, exercise), for parametrised tests."""
    return [(n, e) for n in notebooks for e in master_of(n).exercises]


def submission(
    notebook: str, answers: dict[str, str] | None = None, own_cells: tuple[str, ...] = (), solved: bool = True
) -> bytes:
    """A submitted notebook.

    answers: exercise -> the text of its answer cell; the others hold the reference solution (or, with
    solved=False, an untouched stub). own_cells are put in front of the answers.
    """
    master = master_of(notebook)
    node = json.loads(json.dumps(source_notebook(master)))
    for cell in node["cells"]:
        meta = cell["metadata"].get("nbgrader", {})
        name = meta.get("grade_id")
        if meta.get("solution"):
            if answers and name in answers:
                cell["source"] = answers[name]
            elif not solved:
                cell["source"] = stub(cell["source"], name)
    first = next(
        i for i, cell in enumerate(node["cells"]) if cell["metadata"].get("nbgrader", {}).get("solution")
    )
    for i, source in enumerate(own_cells):
        own = {"cell_type": "code", "id": f"own-{i}", "metadata": {}, "source": source, "outputs": []}
        node["cells"].insert(first, {**own, "execution_count": None})
    return json.dumps(node).encode()


def stub(source: str, name: str) -> str:
    head = source.partition("### BEGIN SOLUTION")[0].rstrip(" ")
    return f'{head}    raise NotImplementedError("{name}")\n'
