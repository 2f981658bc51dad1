"""`otter run` on a class, for the benchmark: the same cases as hidden tests of otter-grader's own kind.

Nothing of the course needs otter-grader; where it is installed, `make bench` measures it too.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from autograder.course.masters import Master
from autograder.sheets.drawn import fresh_sheets

TEST_FILE = '''"""The values that {name} should give."""

from otter.test_files import test_case
import numpy as np
from numpy import inf, nan

OK_FORMAT = False
name = "{name}"
points = {points}
'''

TEST_CASE = """

@test_case(points=None, hidden=True)
def case_{index}({name}):
    got = {name}(*{arguments})
    expected = {expected}
    assert np.allclose(got, expected[0] if len(expected) == 1 else expected)
"""


def otter_command() -> str | None:
    """The `otter` beside this Python, or the one on PATH; None where it is not installed."""
    beside = Path(sys.executable).parent / "otter"
    return str(beside) if beside.is_file() else shutil.which("otter")


def write_tests(master: Master, key: str, path: Path) -> None:
    """An autograder.zip of otter-grader with one test file an exercise, one test a case.

    Only exercises that return one array are tested: notebook 01 has no others.
    """
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("otter_config.json", "{}")
        for name, sheet in fresh_sheets(master, key).items():
            text = TEST_FILE.format(name=name, points=sheet.points)
            for index, case in enumerate(sheet.cases):
                arguments = _code(list(case.inputs.values()))
                expected = _code(list(case.expected.values()))
                text += TEST_CASE.format(index=index, name=name, arguments=arguments, expected=expected)
            archive.writestr(f"tests/{name}.py", text)


def _code(value: Any) -> str:
    """A value as Python code that makes it."""
    if isinstance(value, np.ndarray):
        return f"np.array({value.tolist()!r}).reshape({value.shape!r})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_code(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_code(member) for member in value) + "]"
    return repr(value)


def run_otter(command: str, notebooks: list[Path], tests: Path, folder: Path) -> None:
    """Grade every notebook with `otter run`, one after the other, as its manual tells for one machine."""
    for notebook in notebooks:
        subprocess.run(
            [command, "run", str(notebook), "-a", str(tests), "-o", str(folder), "--no-logo"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
