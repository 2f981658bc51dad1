"""How long a notebook takes: computed from its text, not guessed.

A master writes `{time}` where its release says it. This module knows nothing of notebooks as files.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass

from autograder.course.masters import Cell, Master
from autograder.course.questions import ASKING, choices_of, parts_of
from autograder.course.stubs import hole

PLACE = "{time}"
WORDS_A_MINUTE = 180
# For a line of code that follows a shown formula, and for one that had to be derived.
MINUTES_A_LINE, MINUTES_A_DERIVED_LINE = 3, 8
# For one that had to be found in code that stands there, with reading the rest of it.
MINUTES_A_MENDED_LINE = 5
# A line with this comment is tried until it works, as long as a derived one: in a cell that is not graded, or
# in a solution, where no formula says it.
TO_CHANGE = re.compile(r"# yours$", re.M)
# For an answer that is typed: a choice, a number found on paper or from memory; for a written one.
MINUTES_A_CHOICE, MINUTES_A_NUMBER, MINUTES_WRITING = 0.5, 1, 15
# Code that stands there to be read: how many lines of it a minute.
LINES_READ_A_MINUTE = 6
# For what is looked at, and for what is played with.
MINUTES_A_FIGURE, MINUTES_AN_EXPLORER = 0.5, 2
FIGURES = frozenset({"show", "draw_cell", "draw_chain"})
EXPLORERS = frozenset({"explorer", "step_through"})
LONGEST_SITTING = 75
HEADING = re.compile(r"^(#+) ", re.M)
NUMBERED = re.compile(r"# .*\(\d+\.\d+\)")


@dataclass(frozen=True)
class TimeNeeded:
    """Minutes of each sitting, and of all that is marked as extra.

    Args:
        sittings: minutes, in order; one where the notebook has no place to stop.
        extras: minutes.
    """

    sittings: tuple[float, ...]
    extras: float

    def __str__(self) -> str:
        rounded = [_rounded(minutes) for minutes in self.sittings]
        parts = [str(minutes) for minutes in rounded]
        text = f"about {sum(rounded)} minutes"  # who adds them up finds what is printed
        if len(parts) > 1:
            text += f", in {len(parts)} sittings of {', '.join(parts[:-1])} and {parts[-1]}"
        if self.extras:
            text += f"; the parts marked *extra* take {_rounded(self.extras)} more"
        return text


def time_needed(master: Master) -> TimeNeeded:
    """What a notebook takes somebody who reads, looks at and tries all of it, and writes every answer."""
    sitting, extra_level = 1, 0
    minutes: dict[int, float] = defaultdict(float)
    extras = 0.0
    for cell in master.cells:
        sitting = int(cell.metadata.get("sitting", sitting))
        level = _heading_level(cell)
        if extra_level and level and level <= extra_level:
            extra_level = 0
        if cell.metadata.get("extra"):
            extra_level = level
        if extra_level:
            extras += _minutes(cell, master)
        else:
            minutes[sitting] += _minutes(cell, master)
    return TimeNeeded(tuple(minutes[number] for number in sorted(minutes)), extras)


def _minutes(cell: Cell, master: Master) -> float:
    if cell.metadata.get("slide") == "notes":
        return 0.0
    if cell.role == "exercise":
        stands = master.exercises[cell.name].spec.stands
        given = {line.strip() for line in hole(cell.name, cell.solution, stands).splitlines()}
        lines = [line.strip() for line in cell.solution.splitlines() if line.strip() not in given]
        written = [line for line in lines if line and not line.startswith("#")]
        if stands:
            return len(written) * MINUTES_A_MENDED_LINE
        if cell.name in master.told["derivations"]:
            derived = _derived(written)
        else:
            derived = sum(TO_CHANGE.search(line) is not None for line in written)
        return derived * MINUTES_A_DERIVED_LINE + (len(written) - derived) * MINUTES_A_LINE
    if cell.role in ASKING:
        return _typing(cell, master)
    if cell.kind == "markdown":
        writing = MINUTES_WRITING if cell.role == "written" else 0
        return len(cell.source.split()) / WORDS_A_MINUTE + writing
    called = _called(cell.source) if not cell.role else set()
    looking = MINUTES_A_FIGURE if called & FIGURES else 0
    trying = MINUTES_A_DERIVED_LINE * len(TO_CHANGE.findall(cell.source))
    playing = MINUTES_AN_EXPLORER if called & EXPLORERS else 0
    is_read = cell.role in (None, "given") and not cell.metadata.get("hide_input")
    lines = sum(bool(line.strip()) for line in cell.source.splitlines()) if is_read else 0
    return looking + trying + playing + lines / LINES_READ_A_MINUTE


def _typing(cell: Cell, master: Master) -> float:
    """What the parts of a question take: a choice is read off, a number is worked out."""
    question = master.questions[cell.name]
    minutes = 0.0
    for part, so in question.answers.items():
        # An order is worked out entry by entry, whatever letters it may be written in.
        is_choice = choices_of(question.choices, part) and not isinstance(so, list)
        minutes += MINUTES_A_CHOICE if is_choice else len(parts_of(so)) * MINUTES_A_NUMBER
    return minutes


def _called(source: str) -> set[str]:
    """The names of the functions that a cell calls."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return {call.func.id for call in calls if isinstance(call.func, ast.Name)}


def _derived(lines: list[str]) -> int:
    """How many lines of a derived answer had to be derived: those with a formula's number, else all."""
    return sum(NUMBERED.search(line) is not None for line in lines) or len(lines)


def _heading_level(cell: Cell) -> int:
    """How deep the first heading in a cell is, 0 where it has none."""
    found = HEADING.search(cell.source) if cell.kind == "markdown" else None
    return len(found[1]) if found else 0


def _rounded(minutes: float) -> int:
    return max(5, 5 * round(minutes / 5))
