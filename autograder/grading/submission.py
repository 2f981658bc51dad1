"""Reading a submitted notebook: untrusted bytes become cells, or a reason in words.

Nothing of a submission is run or believed here: its metadata only says which cell is which.
"""

from __future__ import annotations

import ast
import json
import os
import re
import stat
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder.course.masters import Master
from autograder.course.notebook import source_cells
from autograder.course.stubs import binds, is_stub, keeps_nothing
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


@dataclass(frozen=True)
class SubmittedCell:
    """A code cell of a submission: its text, nbgrader's id for it (or ""), and its own id."""

    source: str
    grade_id: str = ""
    cell_id: str = ""


class Role(Enum):
    """What a planned cell is."""

    GIVEN = "given"  # the instructor's
    ANSWER = "answer"  # the answer cell of an exercise
    OWN = "own"  # a cell that the student added
    CHANGED = "changed"  # the instructor's demo cell, with another text


@dataclass(frozen=True)
class PlannedCell:
    """A cell that is run for a grade.

    Args:
        source: its text.
        role: what it is.
        exercise: the exercise that it answers, or "".
    """

    source: str
    role: Role
    exercise: str = ""


@dataclass
class Plan:
    """What is run for a grade, in order, and what was noticed on the way.

    Args:
        cells: the cells.
        stubs: exercises whose answer is an untouched stub.
        notes: remarks for the record ("problems").
    """

    cells: list[PlannedCell] = field(default_factory=list)
    stubs: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    @property
    def sources(self) -> list[str]:
        """The texts of the cells."""
        return [cell.source for cell in self.cells]

    @cached_property
    def is_pure(self) -> bool:
        """Whether the student's cells can be seen to keep nothing between calls of their functions."""
        return all(keeps_nothing(parse(cell.source)) for cell in self.cells if cell.role != Role.GIVEN)

    def source_of(self, exercise: str) -> str:
        """The text of an exercise's answer cells."""
        return "\n".join(cell.source for cell in self.cells if cell.exercise == exercise)

    def leave_out(self, index: int) -> None:
        """Blank a cell; the others keep their places."""
        self.cells[index] = replace(self.cells[index], source="")


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """Read a submitted file without following links, and never more than `most` bytes.

    Raises:
        Ungradable: no regular file, too large, or not readable.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Ungradable(f"there is no {path.name} in the student's folder") from None
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


def read_cells(content: bytes) -> list[SubmittedCell]:
    """The code cells of a notebook's bytes.

    Raises:
        Ungradable: not a notebook of format 4.
    """
    if not content.strip():
        raise Ungradable("the file is empty; save the notebook again")
    parts = content.count(b"{") + content.count(b"[")
    if parts > MOST_PARTS:
        raise Ungradable(f"the file has {parts} parts, more than {MOST_PARTS}; clear its outputs and save it")
    try:
        notebook = json.loads(content.decode("utf-8"))
        if _depth(notebook) > MOST_DEPTH:
            raise RecursionError
    except UnicodeDecodeError as error:
        raise Ungradable(
            f"the file is not UTF-8 text (byte {error.start}); save the notebook again"
        ) from None
    except RecursionError:
        raise Ungradable("the file is nested too deeply to be a notebook") from None
    except ValueError as error:
        place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Ungradable(f"the file is not a notebook: its JSON breaks off{place}; save it again") from None
    return _cells_of(notebook)


def _depth(value: Any) -> int:
    """How deeply lists and objects are nested."""
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            part
            for member in level
            if isinstance(member, dict | list)
            for part in (member.values() if isinstance(member, dict) else member)
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
    metadata = raw.get("metadata")
    ours = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = ours.get("grade_id") if isinstance(ours, dict) else None
    # An answer whose cell was turned into Markdown is still the answer; other Markdown is no code.
    if raw.get("cell_type") != "code" and not isinstance(grade_id, str):
        return None
    source = raw.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str):
        return None
    cell_id = raw.get("id")
    return SubmittedCell(
        source.replace("\0", "").encode("utf-8", "replace").decode(),
        grade_id if isinstance(grade_id, str) else "",
        cell_id if isinstance(cell_id, str) else "",
    )


class Planner:
    """Decides which cells of a submission are run for a grade, and with whose text.

    The instructor's given cells come first, with the instructor's text; then the student's answers and
    own cells in the student's order. Demo cells of the instructor are not run; of a demo cell that the
    student changed, only the definitions are.
    """

    def __init__(self, master: Master):
        self._exercises = set(master.exercises)
        self._given = [cell.source for cell in master.cells_with("given")]
        cells = source_cells(master)
        self._ours = {cell["id"]: cell["source"] for cell in cells if cell["cell_type"] == "code"}
        self._our_texts = {text.strip() for text in self._ours.values()}
        graded = [cell["metadata"]["nbgrader"] for cell in cells if "nbgrader" in cell["metadata"]]
        self._metadata = {meta["grade_id"]: meta for meta in graded}
        self.locked = {meta["grade_id"] for meta in graded if meta["locked"]}

    @property
    def metadata(self) -> dict[str, dict[str, Any]]:
        """What nbgrader should know of the instructor's cells, by their ids; a fresh copy."""
        return {grade_id: dict(meta) for grade_id, meta in self._metadata.items()}

    def plan(self, cells: list[SubmittedCell], definitions_only: bool = False) -> Plan:
        """Choose what is run.

        Args:
            cells: the submission's code cells.
            definitions_only: of the student's own cells, keep only definitions, imports and plain
                assignments (for a submission whose own cells do not come to an end).
        """
        plan = Plan()
        plan.cells += [PlannedCell(source, Role.GIVEN) for source in self._given]
        answered: dict[str, str] = {}
        for cell in cells:
            if cell.grade_id in self._exercises:
                if cell.grade_id in answered:
                    plan.notes.append(
                        f"the answer cell of {cell.grade_id} stands more than once; the last counts"
                    )
                answered[cell.grade_id] = cell.source
                source = _definitions(cell.source) if definitions_only else cell.source
                plan.cells.append(PlannedCell(source, Role.ANSWER, cell.grade_id))
            elif cell.grade_id in self.locked or cell.source.strip() in self._our_texts:
                continue
            elif cell.cell_id in self._ours:
                plan.cells.append(PlannedCell(_definitions(cell.source), Role.CHANGED))
            elif cell.source.strip():
                source = _definitions(cell.source) if definitions_only else cell.source
                plan.cells.append(PlannedCell(source, Role.OWN))
        self._look_at_answers(plan, answered, cells)
        return plan

    def _look_at_answers(self, plan: Plan, answered: dict[str, str], cells: list[SubmittedCell]) -> None:
        others = [cell.source for cell in cells if cell.grade_id not in self._exercises]
        for name in sorted(self._exercises):
            if name not in answered:
                plan.notes.append(f"the answer cell of {name} is missing")
                continue
            tree = parse(answered[name])
            if tree and is_stub(tree, name) and not any(defines(source, name) for source in others):
                plan.stubs.add(name)


def without_magics(source: str) -> str:
    """The text with IPython's magics and shell lines blanked; line numbers stay."""
    first = source.lstrip().partition("\n")[0]
    if first.startswith("%%") and not re.match(r"%%(time|capture)\b", first):
        return ""
    return re.sub(r"^[ \t]*(?:[\w., ]+=[ \t]*)?[%!].*$", "", source, flags=re.M)


def parse(source: str) -> ast.Module | None:
    """The syntax tree of a cell, or None where it is not Python."""
    try:
        return ast.parse(without_magics(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def defines(source: str, name: str) -> bool:
    """Whether a cell gives a name a function, and not a stub."""
    if name not in source:
        return False
    tree = parse(source)
    return tree is not None and binds(tree, name) and not is_stub(tree, name)


def _definitions(source: str) -> str:
    """Only the definitions, imports and assignments without a call in a cell; line numbers stay."""
    tree = parse(source)
    if tree is None:
        return source
    kept = set()
    for node in tree.body:
        plain = isinstance(node, ast.Assign | ast.AnnAssign) and (
            isinstance(node.value, ast.Lambda) or not any(isinstance(p, ast.Call) for p in ast.walk(node))
        )
        if plain or isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom
        ):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            kept.update(range(first, (node.end_lineno or node.lineno) + 1))
    lines = re.split(r"\r\n|\r|\n", without_magics(source))  # as Python counts them
    return "\n".join(line if i in kept else "" for i, line in enumerate(lines, start=1))
