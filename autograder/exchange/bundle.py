"""A course for students as one zip: releases, what they import, a start script for each system.

Nothing of `solutions/` is in it, and nothing of the grader that a check does not need. What belongs to later
notebooks stays out. This module knows no notebook's content but its imports.
"""

from __future__ import annotations

import ast
import json
import zipfile
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

from autograder.course.handwritten import read_notebook
from autograder.course.places import Places
from autograder.errors import CourseError
from autograder.kernel import CHECKS

# What a notebook calls by `from autograder import …`.
FACES = ("autograder", "autograder.check", "autograder.asking", "autograder.student_log")
# What is in every zip has one date, so that the same course gives the same bytes.
DATE = (2020, 1, 1, 0, 0, 0)
PACKAGES = "packages"
REQUIREMENTS = ("anywidget", "ipywidgets", "jupyterlab", "matplotlib", "numpy", "platformdirs", "safetensors")


def write_bundle(places: Places, to: Path, upto: str | None = None) -> list[str]:
    """Write the zip.

    Args:
        places: the course.
        to: the zip's path.
        upto: the number of the last notebook that is in it ("04"); without it, all of them.

    Returns:
        The notebooks in it.

    Raises:
        CourseError: there is no such release, or a release is missing.
    """
    releases = _releases(places, upto)
    contents: dict[str, bytes] = {}
    mentioned = ""
    imported: set[str] = set()
    for folder in releases:
        notebook = folder / f"{folder.name}.ipynb"
        for path in (notebook, folder / CHECKS):
            if not path.is_file():
                raise CourseError(f"{path} is missing; `autograder build {folder.name}` writes it")
            contents[f"notebooks/{folder.name}/{path.name}"] = path.read_bytes()
        for cell in read_notebook(notebook)["cells"]:
            if cell["cell_type"] == "code":
                mentioned += cell["source"]
                imported |= set(_imports(cell["source"]))
    house = Path(__file__).parents[2]
    ours = _closure(house, FACES)
    theirs = _closure(places.root, [name for name in imported if not name.startswith("autograder")])
    for root, modules in ((house, ours), (places.root, theirs)):
        for path in modules:
            contents[f"{PACKAGES}/{path.relative_to(root).as_posix()}"] = path.read_bytes()
    mentioned += "".join(path.read_text("utf-8") for path in theirs)
    for path in _data_files({path.parent for path in theirs}):
        if path.stem in mentioned:
            contents[f"{PACKAGES}/{path.relative_to(places.root).as_posix()}"] = path.read_bytes()
    contents |= _start(json.dumps([folder.name for folder in releases]))
    to.parent.mkdir(parents=True, exist_ok=True)
    _write_zip(to, contents)
    return [folder.name for folder in releases]


def _releases(places: Places, upto: str | None) -> list[Path]:
    names = sorted(path.name for path in places.solutions.iterdir() if (path / f"{path.name}.py").is_file())
    if upto is None:
        return [places.notebooks / name for name in names]
    last = [name for name in names if name == upto or name.partition("_")[0] == upto]
    if len(last) != 1:
        raise CourseError(f"there is no notebook {upto!r}; there are {', '.join(names)}")
    return [places.notebooks / name for name in names if name <= last[0]]


def _imports(source: str) -> Iterator[str]:
    """The modules that a text may import: `from a import b` may mean a.b."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _closure(root: Path, names: Iterable[str]) -> list[Path]:
    """The files of these modules below a folder, and of all that they import there."""
    found: set[Path] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if path := _file_of(root, name):
            if path not in found:
                found.add(path)
                waiting += _imports(path.read_text("utf-8"))
            if "." in name:
                waiting.append(name.rpartition(".")[0])  # a module's package is run before it
    return sorted(found)


def _file_of(root: Path, name: str) -> Path | None:
    place = root.joinpath(*name.split("."))
    candidates = (place.with_suffix(".py"), place / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _data_files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in sorted(folders):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                yield path


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
            entry = zipfile.ZipInfo(f"{top}/{name}", DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            runnable = name.endswith((".sh", ".command"))
            entry.external_attr = (0o755 if runnable else 0o644) << 16
            archive.writestr(entry, contents[name])
