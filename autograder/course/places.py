"""Where a course's files lie: masters, releases, records, its key; and a file written whole.

This module knows no file's content but the key's.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp

from autograder.errors import CourseError

KEY_FILE = "course.key"
CHECKPOINTS = ".ipynb_checkpoints"  # JupyterLab's copies, beside a notebook


@dataclass(frozen=True)
class Places:
    """Where things are, from the course's root folder."""

    root: Path

    @property
    def solutions(self) -> Path:
        """The masters."""
        return self.root / "solutions"

    @property
    def notebooks(self) -> Path:
        """The student release."""
        return self.root / "notebooks"

    @property
    def source(self) -> Path:
        """What nbgrader takes as its source."""
        return self.root / "build" / "source"

    @property
    def executed(self) -> Path:
        """Executed solved notebooks, kept under the hash of what they were made from."""
        return self.root / "build" / "executed"

    @property
    def solved(self) -> Path:
        """Solved pages for the instructor."""
        return self.root / "build" / "solved"

    @property
    def stage(self) -> Path:
        """Releases up to a notebook, for a class that is no further."""
        return self.root / "build" / "stage"

    @property
    def self_study(self) -> Path:
        """Releases for whoever studies alone."""
        return self.root / "build" / "self-study"

    @property
    def slides(self) -> Path:
        """Slide decks."""
        return self.root / "build" / "slides"


def course_root(root: Path | None) -> Path:
    """The course's folder: the one named, or the nearest one above with `solutions/`.

    Raises:
        CourseError: there is none.
    """
    start = (root or Path.cwd()).resolve()
    for folder in [start, *start.parents]:
        if (folder / "solutions").is_dir():
            return folder
    raise CourseError(
        f"there is no folder `solutions` in {start} or above: name the course with --root, "
        "or make the folder, and a course begins here"
    )


def course_key(root: Path) -> str:
    """The course's secret key, from `AUTOGRADER_KEY` or `course.key`; made on first use.

    Raises:
        CourseError: the file is empty.
    """
    given = os.environ.get("AUTOGRADER_KEY")
    if given:
        return given
    path = root / KEY_FILE
    if not path.exists():
        # Whole or not at all, whoever else makes one now or ends this process half-way.
        handle, draft = mkstemp(prefix=f".{KEY_FILE}", dir=root)
        with os.fdopen(handle, "w") as file:
            file.write(os.urandom(16).hex() + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        os.unlink(draft)
    key = path.read_text().strip()
    if not key:
        raise CourseError(f"{path} is empty; remove it, and a new key is made")
    return key


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; a link stays a link.

    Raises:
        OSError: it cannot be written; what was there is there.
    """
    path = path.resolve()
    handle, draft = mkstemp(prefix=f".{path.name}", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~umask
        # To be read and written by its owner: nbgrader leaves its files at 444, and a browser's umask is 777.
        os.chmod(draft, mode | 0o600)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def keep_private() -> None:
    """From now on what this process makes is its user's alone: records, marks, pages with names."""
    os.umask(0o077)


def hide(path: Path) -> None:
    """Take from others the right to read or write a file that another program made."""
    with contextlib.suppress(OSError):
        path.chmod(path.stat().st_mode & 0o7770)


def journal_path(home: Path, notebook: str) -> Path:
    """Where the records of a notebook are kept unless another place is named."""
    return home / "build" / "journal" / f"{notebook}.journal"


def source_files(folder: Path) -> list[Path]:
    """The files of a course that a notebook's text, checks and marks depend on."""
    beside = [folder / name for name in (f"{folder.name}.py", "exercises.py", "mistakes.txt")]
    return [path for path in (*beside, folder.parent / "common.py") if path.is_file()]


def find_masters(solutions: Path, names: list[str] | None = None) -> list[Path]:
    """The folders of the masters below `solutions`, all of them or those named.

    Raises:
        CourseError: a name has no folder.
    """
    folders = sorted(p.parent for p in solutions.glob("*/*.py") if p.stem == p.parent.name)
    if not names:
        return folders
    known = {folder.name: folder for folder in folders}
    missing = [name for name in names if name not in known]
    if missing:
        raise CourseError(f"no notebook {missing} in {solutions}; there are {sorted(known)}")
    return [known[name] for name in names]
