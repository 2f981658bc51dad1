"""A course for students as one zip: releases, what they import, a start script for each system.

Nothing of `solutions/` is in it, and nothing of the grader that a check does not need. What belongs to later
notebooks stays out. This module knows no notebook's content but its imports.
"""

from __future__ import annotations

import json
import zipfile
from importlib.resources import files
from pathlib import Path

from autograder.course.places import Places, find_masters
from autograder.exchange.pack import put
from autograder.release.stage import stage_files, up_to, used_files

# What a notebook calls by `from autograder import …`.
FACES = (
    "autograder",
    "autograder.check",
    "autograder.asking",
    "autograder.student_log",
    "autograder.unanswered",
)
PACKAGES = "packages"
REQUIREMENTS = ("ipywidgets", "jupyterlab", "matplotlib", "numpy", "platformdirs", "safetensors")


def write_bundle(places: Places, to: Path, upto: str | None = None) -> list[str]:
    """Write the zip.

    Args:
        places: the course.
        to: the zip's path.
        upto: the number of the last notebook that is in it ("04"); without it, all of them.

    Returns:
        The notebooks in it.

    Raises:
        CourseError: there is no such notebook, or a release is missing.
    """
    folders = find_masters(places.solutions, None)
    names = [folder.name for folder in (up_to(folders, upto) if upto else folders)]
    contents = student_files(names, places)
    contents |= _start(json.dumps(names))
    to.parent.mkdir(parents=True, exist_ok=True)
    _write_zip(to, contents)
    return names


def student_files(names: list[str], places: Places) -> dict[str, bytes]:
    """What students get of some notebooks: releases in `notebooks/`, what these import in `PACKAGES`.

    Raises:
        CourseError: a release is missing.
    """
    contents = {}
    for path in stage_files(names, places):
        inside = path.relative_to(places.root).as_posix()
        if path.is_relative_to(places.notebooks):
            contents[inside] = path.read_bytes()
        else:
            contents[f"{PACKAGES}/{inside}"] = path.read_bytes()
    house = Path(__file__).parents[2]
    for path in used_files([f"import {face}" for face in FACES], house):
        contents[f"{PACKAGES}/{path.relative_to(house).as_posix()}"] = path.read_bytes()
    return contents


def _start(names: str) -> dict[str, bytes]:
    """The scripts that set up a place of their own and open JupyterLab, and what to read first."""
    folder = files("autograder.exchange").joinpath("bundle_files")
    found = {name: folder.joinpath(name).read_bytes() for name in ("start.py", "README.txt")}
    # Double-clicked, or typed: each system's own way to the same few lines of Python.
    found["start.sh"] = b'#!/bin/sh\ncd "$(dirname "$0")" && exec python3 start.py "$@"\n'
    found["start.command"] = found["start.sh"]
    found["start.bat"] = b'@echo off\r\ncd /d "%~dp0"\r\npy -3 start.py %* || python start.py %*\r\npause\r\n'
    found["requirements.txt"] = ("\n".join(REQUIREMENTS) + "\n").encode()
    found["course.json"] = f'{{"notebooks": {names}}}\n'.encode()
    return found


def _write_zip(to: Path, contents: dict[str, bytes]) -> None:
    top = to.stem
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(contents):
            runnable = name.endswith((".sh", ".command"))
            put(archive, f"{top}/{name}", contents[name], 0o755 if runnable else 0o644)
