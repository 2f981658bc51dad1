"""A stage of a course: the releases up to one notebook, and what they import; nothing of what comes after.

What an earlier notebook asks for is given in a later one, so a class gets a stage when the notebook before is
due. Knows nothing of what is in a release.
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

from autograder.course.handwritten import read_notebook
from autograder.course.magics import without_cell_magic
from autograder.course.names import parse
from autograder.course.places import Places
from autograder.errors import CourseError

OURS = "autograder"  # a student installs it; it holds no course


def up_to(folders: list[Path], last: str) -> list[Path]:
    """The masters' folders up to the one named, by its number ("04") or its whole name.

    Raises:
        CourseError: there is none of that name, or several.
    """
    named = [folder for folder in folders if folder.name == last or folder.name.startswith(f"{last}_")]
    if len(named) != 1:
        found = ", ".join(folder.name for folder in named or folders)
        raise CourseError(f"--upto {last}: name one notebook, by its number or its name; there are {found}")
    return folders[: folders.index(named[0]) + 1]


def stage(names: list[str], places: Places, target: Path) -> list[Path]:
    """Copy releases, and the files of the course's packages that they use.

    Args:
        names: the notebooks; their releases are built.
        places: the course.
        target: the folder to write; it must be empty, or missing.

    Returns:
        The files that were written.

    Raises:
        CourseError: the folder holds something already, or a release is missing.
    """
    if target.exists() and any(target.iterdir()):
        raise CourseError(f"{target} is not empty: remove it first, or name another folder with --to")
    releases = [places.notebooks / name / f"{name}.ipynb" for name in names]
    sources = [source for path in releases for source in _code(path)]
    files = [path for release in releases for path in sorted(release.parent.iterdir()) if path.is_file()]
    files += sorted(_used(sources, places.root))
    written = []
    for path in files:
        copy = target / path.relative_to(places.root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        written.append(Path(shutil.copyfile(path, copy)))
    return written


def _code(path: Path) -> Iterator[str]:
    for cell in read_notebook(path)["cells"]:
        if cell["cell_type"] == "code":
            yield without_cell_magic(cell["source"])[0]


def _used(sources: list[str], root: Path) -> set[Path]:
    """The modules below the root that pieces of code import, directly or not, and the data that they name."""
    waiting = [tree for source in sources if (tree := parse(source))]
    modules: set[Path] = set()
    strings: set[str] = set()
    while waiting:
        tree = waiting.pop()
        strings |= {
            n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)
        }
        for module in {path for name in _imported(tree) for path in _files_of(name, root)} - modules:
            modules.add(module)
            waiting.append(ast.parse(module.read_text("utf-8")))
    folders = {module.parent for module in modules if module.name == "__init__.py"}
    data = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    return modules | {path for path in data if path.suffix not in (".py", ".pyc") and path.stem in strings}


def _imported(tree: ast.Module) -> Iterator[str]:
    """The dotted names that a piece of code imports; of `from a import b`, `a.b` too: it may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files_of(name: str, root: Path) -> Iterator[Path]:
    """The files of the course that are executed when a module is imported: its packages' and its own."""
    parts = name.split(".")
    if parts[0] == OURS:
        return
    for end in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:end])
        for path in (place / "__init__.py", place.with_suffix(".py")):
            if path.is_file():
                yield path
