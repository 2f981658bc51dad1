"""Right answers to a notebook's exercises, written differently: what the course's own tests hold of them."""

from __future__ import annotations

import runpy
from pathlib import Path


def alternatives_file(root: Path, notebook: str) -> Path:
    """Where they are written down."""
    return root / "tests" / "alternatives" / f"{notebook}.py"


def read_alternatives(root: Path, notebook: str) -> dict[str, list[str]]:
    """Exercise -> complete cells that answer it rightly; empty where nobody wrote any.

    The file is the instructor's own code, and is executed.
    """
    path = alternatives_file(root, notebook)
    return runpy.run_path(str(path))["ALTERNATIVES"] if path.is_file() else {}
