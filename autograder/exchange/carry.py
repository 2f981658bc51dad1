"""A student's work into a newer release: answers by id, own cells beside the same neighbour.

Nothing is lost: what a file held before stands beside it afterwards, and what found no place is named.
This module knows nothing of masters, marks or learning systems.
"""

from __future__ import annotations

import contextlib
import copy
import os
import shutil
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from uuid import uuid4

import nbformat

from autograder.course.handwritten import (
    CellNode,
    Notebook,
    course_of,
    grading_of,
    has_release_id,
    is_untouched,
    read_notebook,
    text_id,
    written,
)
from autograder.course.notebook import PROMPT_ID
from autograder.course.places import write_whole
from autograder.errors import CourseError

KEPT = "before-carry"


@dataclass
class Carried:
    """A newer release with a student's work in it.

    Args:
        notebook: the newer release, filled.
        taken: what was carried over, in words.
        left: what found no place, and why.
    """

    notebook: Notebook
    taken: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def carry_file(old: Path, new: Path, to: Path | None = None) -> tuple[Carried, Path, Path | None]:
    """Carry the work in one notebook file into another.

    Args:
        old: the notebook with the student's work.
        new: the newer release; it may hold work already, which stays.
        to: where the result goes. Without it, into `new`; but a release in a course's `notebooks/` stays as
            it is, and `old` becomes the newer one.

    Returns:
        What was carried, the file that holds it, and the file that keeps what this one held before (None
        where nobody had written anything into it).

    Raises:
        CourseError: one of them is no notebook, they do not belong together, or the place cannot be written.
    """
    if old.exists() and new.exists() and old.samefile(new):
        raise CourseError(f"{old} and {new} are the same file: name the old notebook, then the newer release")
    target = to or (old if _is_release(new) else new)
    if _is_release(target):
        raise CourseError(
            f"{target} is the release itself, which the build and git renew: nothing is written there. "
            "Say where the notebook should go: --to FILE"
        )
    older, newer = read_notebook(old), read_notebook(new)
    _belong_together(old, older, new, newer)
    if target.exists() and target.samefile(old) and course_of(older) == course_of(newer):
        return Carried(older), target, None
    carried = carry(older, newer)
    text = nbformat.writes(nbformat.from_dict(carried.notebook)) + "\n"
    try:
        kept = keep(target)
        write_whole(target, text.encode())
    except OSError as error:
        raise CourseError(f"{error.filename or target}: {error.strerror}; nothing was changed") from None
    return carried, target, kept


def _is_release(path: Path) -> bool:
    """Whether a file lies in the `notebooks/` of a course."""
    folders = path.resolve().parents
    return len(folders) > 2 and folders[1].name == "notebooks" and (folders[2] / "solutions").is_dir()


def _belong_together(old: Path, older: Notebook, new: Path, newer: Notebook) -> None:
    mine, theirs = course_of(older)["assignment"], course_of(newer)["assignment"]
    if mine and theirs and mine != theirs:
        raise CourseError(f"{old} is of {mine}, {new} of {theirs}: take two notebooks of one assignment")
    ids = [{grading_of(cell).get("grade_id", "") for cell in nb["cells"]} - {""} for nb in (older, newer)]
    for path, found in zip((old, new), ids, strict=True):
        if not found:
            raise CourseError(f"{path} has no cell of this course's (none with nbgrader's metadata)")
    if not ids[0] & ids[1]:
        raise CourseError(f"{old} and {new} have no graded cell in common: are they of one assignment?")


def keep(path: Path) -> Path | None:
    """Copy a file to a name of its own beside it, unless it is missing or nobody wrote anything into it.

    Raises:
        OSError: the copy cannot be made.
    """
    if not path.exists():
        return None
    with contextlib.suppress(CourseError):
        if not written(read_notebook(path)):
            return None
    count = 1
    while True:
        number = f"-{count}" if count > 1 else ""
        kept = path.with_name(f"{path.stem}.{KEPT}{number}{path.suffix}")
        if not os.path.lexists(kept):
            break
        if kept.is_file() and kept.read_bytes() == path.read_bytes():
            return kept
        count += 1
    return Path(shutil.copy2(path, kept))


def carry(old: Notebook, new: Notebook) -> Carried:
    """Carry a student's work into a newer release.

    Args:
        old: the notebook with the work, as `read_notebook` gives it.
        new: the newer release; work in it stays, and wins over what `old` holds for the same cell.
    """
    return _Carrying(old, new).carried


class _Carrying:
    """One notebook on its way into another."""

    def __init__(self, old: Notebook, new: Notebook):
        self.carried = Carried(copy.deepcopy(new))
        self._cells: list[CellNode] = self.carried.notebook["cells"]
        self._old: list[CellNode] = _with_ids(old["cells"], self._cells)
        self._old_keys, self._keys = _keys(self._old), _keys(self._cells)
        self._where = {key: i for i, key in reversed(list(enumerate(self._keys))) if key}
        # By the place they stand before, each with its place in the old notebook.
        self._added: dict[int, list[tuple[int, CellNode]]] = defaultdict(list)
        self._ids = {str(cell.get("id")) for cell in self._cells}
        self._own = Counter(_text(c) for c, k in zip(self._cells, self._keys, strict=True) if not k)
        # Own cells are like no other.
        sides = [[key or object() for key in keys] for keys in (self._old_keys, self._keys)]
        self._blocks = SequenceMatcher(None, *sides, autojunk=False).get_opcodes()
        self._carry_all()

    def _carry_all(self) -> None:
        pieces: dict[str, list[int]] = defaultdict(list)
        own = changed = 0
        for i, (cell, key) in enumerate(zip(self._old, self._old_keys, strict=True)):
            if not cell["source"].strip() or (key and is_untouched(cell)):
                continue
            if key.startswith("answer "):
                pieces[key].append(i)
            elif key.startswith("locked "):
                if key not in self._where or _text(cell) != _text(self._cells[self._where[key]]):
                    name = key.removeprefix("locked ")
                    self.carried.left.append(f"{name} (cell {i + 1}): the instructor's, yet it was changed")
            elif key in self._where:
                changed += self._fill(i, self._where[key], f"cell {i + 1}")
            elif not self._stands(cell):
                changed += bool(key)
                own += not key
                self._insert(i, cell)
        for key, places in pieces.items():
            self._answer(key, places)
        if own:
            self.carried.taken.append("a cell of your own" if own == 1 else f"{own} cells of your own")
        if changed:
            cells = "a cell" if changed == 1 else f"{changed} cells"
            self.carried.taken.append(f"{cells} of the release that you had changed")
        self.carried.notebook["cells"] = [
            cell
            for place in range(len(self._cells) + 1)
            for cell in [*self._added_before(place), *self._cells[place : place + 1]]
        ]
        self.carried.notebook["nbformat_minor"] = max(5, int(self.carried.notebook.get("nbformat_minor", 0)))
        for cell in self.carried.notebook["cells"]:
            cell.setdefault("id", _new_id())

    def _added_before(self, place: int) -> list[CellNode]:
        return [cell for _, cell in sorted(self._added[place], key=lambda added: added[0])]

    def _answer(self, key: str, places: list[int]) -> None:
        """An answer, in one cell or (where JupyterLab split it) in several of one id."""
        name = key.removeprefix("answer ")
        there = [i for i, other in enumerate(self._keys) if other == key]
        if not there:
            self.carried.left.append(f"{name}: the newer release has no cell of that id")
            return
        present = [self._cells[i]["source"] for i in there if not is_untouched(self._cells[i])]
        if present == [self._old[i]["source"] for i in places]:
            return
        if self._fill(places[0], there[0], name, is_free=not present):
            self.carried.taken.append(name)
            for i in places[1:]:
                metadata = copy.deepcopy(self._cells[there[0]]["metadata"])
                self._insert(i, {**self._old[i], "metadata": metadata})

    def _fill(self, i: int, place: int, name: str, is_free: bool | None = None) -> bool:
        """Write an old cell's text into a cell of the newer release, unless somebody wrote there."""
        source, target = self._old[i], self._cells[place]
        if is_free is None:
            is_free = is_untouched(target)
        if _text(source) == _text(target):
            return False
        if not is_free:
            self.carried.left.append(f"{name}: the newer notebook holds other text there, which stays")
            return False
        target["source"] = source["source"]
        if source.get("attachments"):
            target["attachments"] = copy.deepcopy(source["attachments"])
        return True

    def _insert(self, i: int, cell: CellNode) -> None:
        """Put a cell of the student's beside the neighbour that it had."""
        cell = _whole_cell(cell)
        if cell["id"] in self._ids or has_release_id(cell):
            cell["id"] = _new_id()
        self._ids.add(cell["id"])
        self._added[self._place_behind(i)].append((i, cell))

    def _place_behind(self, i: int) -> int:
        """The place in the newer release before which a cell goes that stands at place `i` of the old one."""
        while i >= 0 and not self._old_keys[i]:
            i -= 1
        if i < 0:
            return 0
        if self._old_keys[i] in self._where:
            return self._where[self._old_keys[i]] + 1
        # The neighbour is not in the newer release: as far into the stretch that stands in its place.
        for _, start, end, new_start, new_end in self._blocks:
            if start <= i < end:
                return min(new_start + i - start + 1, new_end)
        return len(self._cells)

    def _stands(self, cell: CellNode) -> bool:
        """Whether a cell of the student's has been carried over before."""
        if not self._own[_text(cell)]:
            return False
        self._own[_text(cell)] -= 1
        return True


def _with_ids(cells: list[CellNode], newer: list[CellNode]) -> list[CellNode]:
    """Cells with the ids that another program has dropped, as far as their text tells them."""
    known = {cell.get("id") for cell in newer}
    cells = copy.deepcopy(cells)
    for cell in cells:
        given = text_id(cell["cell_type"], "", cell["source"])
        if not cell.get("id") and not grading_of(cell) and given in known:
            cell["id"] = given
    return cells


def _keys(cells: list[CellNode]) -> list[str]:
    """What each cell is: "answer NAME", "locked NAME", "text ID", or "" for a cell of the student's own."""
    keys = []
    question = ""  # the written question whose answer cell is still to come
    for cell in cells:
        grading = grading_of(cell)
        if grading:
            question = grading["grade_id"] if grading.get("task") else ""
            keys.append(f"{'answer' if grading.get('solution') else 'locked'} {grading['grade_id']}")
        elif question and cell["cell_type"] == "markdown" and _is_prompt(cell):
            keys.append(f"answer {question}")
            question = ""
        else:
            keys.append(f"text {cell['id']}" if has_release_id(cell) else "")
    return keys


def _is_prompt(cell: CellNode) -> bool:
    """Whether a cell behind a written question is the one for its answer; without an id the first one is."""
    return str(cell.get("id") or PROMPT_ID).startswith(PROMPT_ID)


def _text(cell: CellNode) -> tuple[str, str]:
    return cell["cell_type"], cell["source"].strip()


def _new_id() -> str:
    return uuid4().hex[:8]


def _whole_cell(cell: CellNode) -> CellNode:
    """A cell as format 4.5 wants it; outputs that do not fit are left behind."""
    make = getattr(nbformat.v4, f"new_{cell['cell_type']}_cell")
    parts = {"source": cell["source"], "metadata": copy.deepcopy(cell["metadata"])}
    if isinstance(cell.get("id"), str):
        parts["id"] = cell["id"]
    if cell.get("attachments"):
        parts["attachments"] = copy.deepcopy(cell["attachments"])
    more = {"outputs": copy.deepcopy(cell.get("outputs")), "execution_count": cell.get("execution_count")}
    if cell["cell_type"] == "code":
        with contextlib.suppress(nbformat.ValidationError):
            return make(**parts, **more)
    try:
        return make(**parts)
    except nbformat.ValidationError:
        return make(source=cell["source"])
