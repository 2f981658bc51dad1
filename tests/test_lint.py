"""What `make lint` asks, beside the other tests: it keeps one core busy for half a minute."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from course import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
COMMANDS = re.findall(r"^\t\$\(BIN\)/(.+)$", MAKEFILE.partition("\nlint:")[2].partition("\n\n")[0], re.M)


@pytest.mark.parametrize("command", COMMANDS)
def test_lint_finds_nothing(command):
    program, *arguments = command.split()
    words = [Path(sys.executable).parent / program, *arguments]
    run = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_lint_is_four_tools():
    assert [re.search(r"ruff|pyright|lint-imports", command)[0] for command in COMMANDS] == [
        "ruff",
        "ruff",
        "pyright",
        "lint-imports",
    ]
