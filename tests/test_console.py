"""What a command prints can be copied: our program is named as it can be called where it was printed."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from course import ROOT
from rich.text import Text

from autograder import console

PROGRAM = Path(sys.executable).with_name("autograder")
ASKS = ("export", "01_simple_rnn", "--gradebook", "sqlite:///nowhere.db", "--root", str(ROOT))


def said_by(started: str, cwd: Path, path: str) -> str:
    done = subprocess.run(
        [started, *ASKS],
        cwd=cwd,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a program's name ends otherwise there")
def test_a_command_is_named_as_it_was_started_and_as_the_shell_finds_it(tmp_path):
    bare = "/usr/bin:/bin"
    there = tmp_path / "a course" / "bin"
    there.mkdir(parents=True)
    (there / "autograder").symlink_to(PROGRAM)
    assert f"run `{PROGRAM} grade 01_simple_rnn" in said_by(str(PROGRAM), tmp_path, bare)
    assert "run `'a course/bin/autograder' grade" in said_by("a course/bin/autograder", tmp_path, bare)
    assert "run `autograder grade" in said_by("autograder", tmp_path, f"{there}:{bare}")


@pytest.mark.parametrize("started", ["pytest", "/nowhere/autograder", "autograder", "-c"])
def test_where_nobody_knows_how_it_was_started_it_has_its_name(monkeypatch, started):
    monkeypatch.setattr(sys, "argv", [started])
    assert console.program() == "autograder"


def test_nothing_else_that_is_printed_changes(monkeypatch):
    monkeypatch.setattr(console, "program", lambda: "bin/autograder")
    there = StringIO()
    terminal = console.Terminal(file=there, markup=False, highlight=False, soft_wrap=True)
    terminal.print(Text("the autograder says: `autograder grade X` and `autograders`", "red"), 3)
    assert there.getvalue() == "the autograder says: `bin/autograder grade X` and `autograders` 3\n"
