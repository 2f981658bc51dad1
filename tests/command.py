"""`autograder`, the command: called in this process where what it says is tested.

A test of processes, of signals or of a full disk starts the program instead: that costs seconds.
"""

import contextlib
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from course import KEY

from autograder.cli import main


@dataclass(frozen=True)
class Said:
    """What a command left: its exit status, and what stood on standard output and standard error."""

    status: int
    out: str
    err: str


def autograder(place: Path, *words: object) -> Said:
    """`autograder WORDS...` in a folder, with the tests' key; what no command may raise is raised here."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    mask = os.umask(0)  # a command that keeps its files private does so for its whole process
    os.umask(mask)
    with (
        contextlib.chdir(place),
        patch.object(sys, "argv", ["autograder", *map(str, words)]),
        patch.dict(os.environ, AUTOGRADER_KEY=KEY),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        finally:
            os.umask(mask)
    return Said(status, out.getvalue(), err.getvalue())
