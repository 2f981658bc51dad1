"""A notebook's grader: its references, inputs and warm sandbox, and what a mark depends on.

What happens to one submission is `attempt.py`'s business.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autograder.course.masters import Master, read_master
from autograder.course.named_groups import FILE, read_named_groups
from autograder.course.places import source_files
from autograder.grading.attempt import Attempt, Scorecard
from autograder.grading.examples import Examples
from autograder.grading.plan import Planner
from autograder.grading.reading import Reader
from autograder.sandbox import Limits, Sandbox
from autograder.sheets.drawn import fresh_sheets, mistaken_functions
from autograder.sheets.sheet import Sheet

GRADER_VERSION = 1
# What a mark depends on, beside the course: this room and every room below it.
ROOMS_BELOW = (
    "errors.py",
    "record.py",
    *(f"{room}/*.py" for room in ("answers", "course", "sheets", "judging", "sandbox", "grading")),
)


class Grader:
    """Grades submissions of one notebook; keeps a warm sandbox.

    Args:
        folder: the master's folder.
        key: the course's secret key; the same key draws the same inputs.
        unsafe: run without a sandbox (the instructor's own code only).
        uid: run students' code as this user, where there are no namespaces.
    """

    def __init__(self, folder: Path, key: str, unsafe: bool = False, uid: int | None = None):
        self.master: Master = read_master(folder)
        self.key = key
        self.sheets: dict[str, Sheet] = fresh_sheets(self.master, key)
        self.planner = Planner(self.master)
        self.reader = Reader(self.planner)
        self.points = {name: exercise.points for name, exercise in self.master.exercises.items()}
        self.packages = self.master.packages
        limits = Limits(**self.master.limits)  # type: ignore[arg-type]
        named = read_named_groups(folder)
        self.sandbox = Sandbox(self.master.packages, limits, unsafe, uid=uid)
        self.examples = Examples(self.master, self.sandbox, self.sheets, named)
        self.fingerprint = fingerprint(folder, key)
        self._mistaken: dict[str, dict[str, Callable[..., Any]]] = {}

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the sandbox and the reader."""
        self.sandbox.close()
        self.reader.close()

    @property
    def max_score(self) -> float:
        """The points of all exercises together; written questions are not among them."""
        return sum(self.points.values())

    def submission_key(self, content: bytes) -> str:
        """What a result depends on: submission, exercises, references, key and grader."""
        return hashlib.sha256(self.fingerprint + content).hexdigest()

    def mistaken(self, exercise: str) -> dict[str, Callable[..., Any]]:
        """Functions with the known mistakes of an exercise, by the mistakes' names."""
        if exercise not in self._mistaken:
            found = mistaken_functions(self.master, self.master.exercises[exercise])
            self._mistaken[exercise] = {name: function for name, _, function, _ in found}
        return self._mistaken[exercise]

    def warm(self) -> None:
        """Compute what wrong answers are compared with, once: else the first wrong one of each kind waits."""
        for sheet in self.sheets.values():
            sheet.slips()
            sheet.pairs()

    def grade(self, content: bytes) -> Scorecard:
        """Grade the bytes of a submitted notebook.

        Raises:
            Ungradable: it is no notebook.
        """
        with np.errstate(all="ignore"):  # a student's numbers may overflow anything
            return Attempt(self, content).scorecard()


def keys_of_records(folder: Path, key: str) -> Callable[[bytes], str]:
    """What gives the key of a submission's record, for who has no grader at hand."""
    ours = fingerprint(folder, key)
    return lambda content: hashlib.sha256(ours + content).hexdigest()


def fingerprint(folder: Path, key: str) -> bytes:
    """A hash of all that a mark depends on: the grader up to this room, the course, Python and NumPy."""
    versions = f"{GRADER_VERSION}\0{key}\0{sys.version_info[:2]}\0{np.__version__}"
    digest = hashlib.sha256(versions.encode())
    house = Path(__file__).parents[1]
    ours = [path for room in ROOMS_BELOW for path in sorted(house.glob(room))]
    beside = [*source_files(folder), *folder.glob(FILE)]
    for path in [*ours, *beside]:
        digest.update(f"\0{path.parent.name}/{path.name}\0".encode())
        digest.update(path.read_bytes())
    return digest.digest()
