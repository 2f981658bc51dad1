"""What a student's laptop needs: NumPy, safetensors, and any system. CI runs this file on Windows and macOS.

python -m pytest --noconftest tests/test_students_side.py
"""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from aarch64 import tries_of  # noqa: E402
from students_side import try_notebook  # noqa: E402

from autograder.course.masters import left_out, read_master  # noqa: E402
from autograder.course.places import find_masters  # noqa: E402
from autograder.sheets.frozen import NUMBER_RTOL  # noqa: E402

FOLDERS = find_masters(ROOT / "solutions")


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])
def test_references_are_right_and_mistakes_are_named(folder):
    if why := left_out(folder):
        pytest.skip(f"{folder.name}: {why}")
    checks = ROOT / "notebooks" / folder.name / "checks.safetensors"
    result = try_notebook(tries_of(read_master(folder), checks, every=12))
    references = [said for said in result.said if not said.mistake]
    mistakes = [said for said in result.said if said.mistake]
    assert references and all(said.status == "right" for said in references)
    assert mistakes and all(said.status == "wrong" and said.named for said in mistakes)
    assert max(result.apart.values()) < NUMBER_RTOL
