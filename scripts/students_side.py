"""What the student's check says of references and of mistakes, on the processor that runs this.

    python scripts/students_side.py TRIES.json

TRIES.json is a list of `Tries`, one a notebook, as `aarch64.py` writes it; each gives a line of JSON, a
`Result`. Like a student's check, this needs NumPy and safetensors alone: it reads no master and no notebook.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autograder.answers.leaves import reference_leaves  # noqa: E402
from autograder.check import judge_here  # noqa: E402
from autograder.report.feedback import as_text  # noqa: E402
from autograder.sheets.frozen import ARRAY_RTOL, NUMBER_RTOL, FrozenChecks  # noqa: E402
from autograder.sheets.sheet import Sheet  # noqa: E402


@dataclass
class Tries:
    """What is tried of one notebook.

    Args:
        notebook: its name.
        checks: path of its `checks.safetensors`.
        cells: the code that a grade depends on, in order: name of the cell -> source with the reference.
        mistakes: exercise -> name of a mistake -> source of the exercise's cell with it.
        solved: all code cells of the solved notebook, where these shall run too: number -> source.
    """

    notebook: str
    checks: str
    cells: dict[str, str]
    mistakes: dict[str, dict[str, str]]
    solved: dict[str, str]


@dataclass
class Said:
    """What the check said of one answer; `mistake` is "" for the reference."""

    exercise: str
    mistake: str
    status: str
    named: str
    text: str


@dataclass
class Result:
    """What came of one notebook.

    Args:
        notebook: its name.
        said: what the check said of each reference, then of each mistake.
        apart: "EXERCISE, CASE, LEAF" -> how far that expected array lies from what the reference computes
            here (see `distance`).
        stopped: cells of the solved notebook that stop, in words.
        seconds: how long all of it took.
        machine: processor, Python and NumPy.
    """

    notebook: str
    said: list[Said]
    apart: dict[str, float]
    stopped: list[str]
    seconds: float
    machine: str

    @classmethod
    def from_json(cls, line: str) -> Result:
        """The result that was written as a line of JSON."""
        words = json.loads(line)
        return cls(**{**words, "said": [Said(**said) for said in words["said"]]})


def try_notebook(tries: Tries) -> Result:
    """Judge every reference and every mistake of a notebook as `check` does in a student's kernel."""
    started = time.perf_counter()
    checks = FrozenChecks(Path(tries.checks))
    reference = namespace(tries, {})
    said = [say(checks, name, "", reference[name]) for name in checks.names]
    for exercise, mistakes in tries.mistakes.items():
        for mistake, source in mistakes.items():
            function = namespace(tries, {exercise: source})[exercise]
            said.append(say(checks, exercise, mistake, function))
    apart: dict[str, float] = {}
    for name in checks.names:
        sheet = checks.sheet(name)
        apart |= distances(sheet, reference[sheet.spec.tried_by or name])
    stopped = list(stopping_cells(tries))
    return Result(tries.notebook, said, apart, stopped, time.perf_counter() - started, machine())


def namespace(tries: Tries, replaced: dict[str, str]) -> dict[str, Any]:
    """Execute the cells that a grade depends on, some of them replaced."""
    found: dict[str, Any] = {"__name__": "__main__"}
    for name, source in {**tries.cells, **replaced}.items():
        exec(compile(source, f"<{tries.notebook}, {name}>", "exec", dont_inherit=True), found)
    return found


def say(checks: FrozenChecks, exercise: str, mistake: str, function: Callable[..., Any]) -> Said:
    """What the check says of a function."""
    # An emulated processor takes its time.
    judgement = judge_here(checks, checks.sheet(exercise), function, seconds=600)
    return Said(exercise, mistake, judgement.status, judgement.misconception or "", as_text(judgement))


def distances(sheet: Sheet, reference: Callable[..., Any]) -> dict[str, float]:
    """How far the expected arrays of a sheet lie from what the reference computes here."""
    found = {}
    for case in sheet.cases:
        with np.errstate(all="ignore"):
            value = reference(*copy.deepcopy(list(case.inputs.values())))
        leaves = reference_leaves(value, sheet.returns)
        for leaf, expected in case.expected.items():
            found[f"{sheet.name}, {case.words}, {leaf}"] = distance(leaves[leaf], expected)
    return found


def distance(got: np.ndarray, expected: np.ndarray) -> float:
    """The largest relative difference of two arrays; up to `NUMBER_RTOL` is rounding, as in `frozen.py`.

    An entry counts as no smaller than the share of the array's largest below which `ARRAY_RTOL` decides.
    The difference is inf where shapes differ, or the places and kinds of entries that are not finite.
    """
    if got.shape != expected.shape:
        return float("inf")
    finite = np.isfinite(expected)
    if not np.array_equal(got[~finite], expected[~finite], equal_nan=True):
        return float("inf")
    got, sizes = got[finite].astype(float), np.abs(expected[finite].astype(float))
    sizes = sizes + ARRAY_RTOL / NUMBER_RTOL * sizes.max(initial=0)
    difference = np.abs(got - expected[finite])
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.where(difference > 0, difference / sizes, 0).max(initial=0))


def stopping_cells(tries: Tries) -> Iterator[str]:
    """Run the solved notebook from top to bottom; say which cells stop, where, and with what words."""
    found: dict[str, Any] = {"__name__": "__main__"}
    for number, source in tries.solved.items():
        name = f"<cell {number}>"
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                exec(compile(source, name, "exec", dont_inherit=True), found)
        except Exception as error:
            in_cell = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == name]
            line = source.splitlines()[(in_cell[-1].lineno or 1) - 1].strip() if in_cell else ""
            yield f"cell {number} of the solved notebook stops at `{line}` with {error!r}"


def machine() -> str:
    """Processor, Python and NumPy in words."""
    return f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}"


def main(path: Path) -> None:
    """Print the result of every notebook in a file of tries."""
    for words in json.loads(path.read_text("utf-8")):
        tries = Tries(**words)
        os.environ["AUTOGRADER_CHECKS"] = tries.checks  # for the `check(...)` of the solved notebook
        print(json.dumps(asdict(try_notebook(tries))), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
