"""What the commands print on: a command of ours that is named there can be copied and run as it stands.

Knows nothing of what is printed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

NAME = "autograder"


def program() -> str:
    """How our program is called here: by its name where the shell finds it, else as it was started."""
    started, found = sys.argv[0], shutil.which(NAME)
    if Path(started).name != NAME or os.sep not in started or not os.path.exists(started):
        return NAME
    return NAME if found and os.path.samefile(found, started) else shlex.quote(started)


class Terminal(Console):
    """A console that names our program, where it stands behind a back quote, as it can be called here."""

    def print(self, *objects: Any, **how: Any) -> None:
        """Print as `Console` does."""
        super().print(*map(_as_called, objects), **how)


def _as_called(said: Any) -> Any:
    text = said.plain if isinstance(said, Text) else said
    if not isinstance(text, str) or f"`{NAME} " not in text:
        return said
    called = text.replace(f"`{NAME} ", f"`{program()} ")
    return Text(called, said.style) if isinstance(said, Text) else called


# A path is printed whole, to be copied, and as it is: it may hold brackets.
out = Terminal(highlight=False, markup=False, soft_wrap=True)
err = Terminal(stderr=True, highlight=False, markup=False)
