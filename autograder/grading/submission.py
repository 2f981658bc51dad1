"""Reading a submitted notebook: untrusted bytes become cells, or a reason in words.

Nothing of a submission is run or believed here. Which cells are run is `plan.py`'s business.
"""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course.handwritten import grading_of, text_of
from autograder.errors import Ungradable

MOST_BYTES = 20 * 1024 * 1024
MOST_CELLS = 2000
# A hundred times the code of a notebook; a parser needs a kilobyte of memory for every byte of the worst.
MOST_SOURCE = 300_000
# A notebook has a dozen; a parser's limit depends on who calls it, so that one process reads what another
# cannot.
MOST_DEPTH = 100
# Objects and lists in the file; nbgrader needs two kilobytes of memory for each.
MOST_PARTS = 100_000
# A text of JSON, with its quotes, where no quote in it is escaped; the last one may lack its end.
TEXT = re.compile(rb'"[^"]*"?')


@dataclass(frozen=True)
class SubmittedCell:
    """A code cell of a submission: its text, nbgrader's id for it (or ""), and its own id."""

    source: str
    grade_id: str = ""
    cell_id: str = ""


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """Read a submitted file without following links, and never more than `most` bytes.

    Raises:
        Ungradable: no regular file, too large, or not readable.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Ungradable(f"there is no {path.name} in the student's folder{_others(path.parent)}") from None
    except OSError as error:
        raise Ungradable(f"{path.name} cannot be opened ({error.strerror}); links are refused") from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise Ungradable(f"{path.name} is not a regular file")
    with os.fdopen(handle, "rb") as file:
        if status.st_size > most:
            size = f"{most >> 20} MB" if most >> 20 else f"{most} bytes"
            raise Ungradable(f"{path.name} is larger than {size}; clear its outputs and save it again")
        return file.read(most + 1)


def _others(folder: Path) -> str:
    """What notebooks there are instead, in words."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.lower().endswith(".ipynb"))
    except OSError:
        return ""
    return f"; there is {', '.join(repr(name)[:100] for name in names[:3])}" if names else ""


@dataclass(frozen=True)
class Submission:
    """What is read of a submitted notebook.

    Args:
        cells: its code cells.
        python: the version of Python it was written with, such as (3, 13), or () where it does not say.
    """

    cells: list[SubmittedCell]
    python: tuple[int, ...] = ()


def read_cells(content: bytes) -> list[SubmittedCell]:
    """The code cells of a notebook's bytes; raises as `read_submission` does."""
    return read_submission(content).cells


def read_submission(content: bytes) -> Submission:
    """Read a notebook's bytes.

    Raises:
        Ungradable: not a notebook of format 4.
    """
    if not content.strip():
        raise Ungradable("the file is empty; save the notebook again")
    parts = content.count(b"{") + content.count(b"[")
    if parts > MOST_PARTS:
        # A long text may hold any number of brackets. One that never ends, full of escaped quotes, must not
        # cost a look to its end for each of them: so the escapes go first.
        outside = TEXT.sub(b"", content.replace(rb"\\", b"").replace(rb"\"", b""))
        parts = outside.count(b"{") + outside.count(b"[")
    if parts > MOST_PARTS:
        raise Ungradable(f"the file has {parts} parts, more than {MOST_PARTS}; clear its outputs and save it")
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
        if _depth(notebook) > MOST_DEPTH:
            raise RecursionError
    except UnicodeDecodeError as error:
        raise Ungradable(
            f"the file is not UTF-8 text (byte {error.start}); save the notebook again"
        ) from None
    except RecursionError:
        raise Ungradable("the file is nested too deeply to be a notebook") from None
    except ValueError as error:
        raise Ungradable(_what_else(content, error)) from None
    return Submission(_cells_of(notebook), _python_of(notebook))


def _what_else(content: bytes, error: ValueError) -> str:
    """What a file is that is no JSON, in words."""
    text = content.decode("utf-8-sig", "replace").lstrip()
    if text.startswith("<"):
        return "the file is a web page (HTML), not a notebook; hand in the .ipynb itself"
    if not text.startswith("{"):
        first = text.split("\n", 1)[0][:40]
        return f"the file is not a notebook: it begins with {first!r}; hand in the .ipynb itself"
    place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
    return f"the file is not a notebook: its JSON breaks off{place}; save it again"


def _python_of(notebook: dict[str, Any]) -> tuple[int, ...]:
    metadata = notebook.get("metadata")
    language = metadata.get("language_info") if isinstance(metadata, dict) else None
    version = language.get("version") if isinstance(language, dict) else None
    found = re.match(r"(\d{1,3})\.(\d{1,3})", version) if isinstance(version, str) else None
    return (int(found[1]), int(found[2])) if found else ()


def _depth(value: Any) -> int:
    """How deeply lists and objects are nested."""
    nested = (dict, list)
    depth, level = 1, [value] if isinstance(value, nested) else []
    while level:
        depth += 1
        level = [
            part
            for member in level
            for part in (member.values() if isinstance(member, dict) else member)
            if isinstance(part, nested)
        ]
    return depth


def _cells_of(notebook: Any) -> list[SubmittedCell]:
    if not isinstance(notebook, dict):
        raise Ungradable("the file is JSON, but not a notebook")
    version = notebook.get("nbformat")
    if version != 4:
        raise Ungradable(
            f"the notebook has the format {str(version)[:20]!r}, not 4; open it in JupyterLab and save it"
        )
    raw = notebook.get("cells")
    if not isinstance(raw, list):
        raise Ungradable("the notebook has no list of cells; save it again in JupyterLab")
    if len(raw) > MOST_CELLS:
        raise Ungradable(f"the notebook has {len(raw)} cells, more than {MOST_CELLS}")
    cells = [_cell_of(cell) for cell in raw if isinstance(cell, dict)]
    total = sum(len(cell.source) for cell in cells if cell)
    if total > MOST_SOURCE:
        raise Ungradable(
            f"the notebook holds {total} characters of code, more than {MOST_SOURCE}; "
            "load data from a file instead of writing them into a cell"
        )
    return [cell for cell in cells if cell]


def _cell_of(raw: dict[str, Any]) -> SubmittedCell | None:
    grading, source = grading_of(raw), text_of(raw)
    # An answer whose cell was turned into Markdown is still the answer; other Markdown is no code.
    if source is None or (raw.get("cell_type") != "code" and not grading):
        return None
    cell_id = raw.get("id")
    return SubmittedCell(
        source.replace("\0", "").encode("utf-8", "replace").decode(),
        grading.get("grade_id", ""),
        cell_id if isinstance(cell_id, str) else "",
    )
