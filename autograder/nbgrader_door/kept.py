"""What the gradebook keeps of ours beside nbgrader's tables: why there is no mark, and which answers had one.

A person's mark is for one answer: where another is handed in, the mark asks for another look.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from autograder.course.handwritten import has_release_id
from autograder.course.notebook import PROMPT_ID
from autograder.course.roster import one_spelling

# The name under which all that a student wrote is kept.
WHOLE = ""

tables = sa.MetaData()
# Without foreign keys: nbgrader removes a submission without knowing of these.
REASONS = sa.Table(
    "autograder_reason",
    tables,
    sa.Column("notebook_id", sa.String(32), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
)
ANSWERS = sa.Table(
    "autograder_answer",
    tables,
    sa.Column("notebook_id", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("digest", sa.String(16), nullable=False),
)


@dataclass(frozen=True)
class WrittenCell:
    """A cell of a submission: the id by which it is graded or "", its own id, its text."""

    grade_id: str
    cell_id: str
    source: str


def digests_of(
    cells: Sequence[WrittenCell], tasks: Iterable[str], solutions: Iterable[str]
) -> dict[str, str]:
    """A hash of each answer and of all that the student wrote, deaf to blanks and to Unicode's spellings.

    Args:
        cells: the submission's cells.
        tasks: names of the written questions; the answer is what stands behind one.
        solutions: names of the exercises.
    """
    tasks, solutions = set(tasks), set(solutions)
    texts: dict[str, list[str]] = {name: [] for name in (*tasks, *solutions, WHOLE)}
    question = ""
    for cell in cells:
        if cell.grade_id:
            question = cell.grade_id if cell.grade_id in tasks else ""
            if cell.grade_id in solutions:
                texts[cell.grade_id].append(cell.source)
                texts[WHOLE].append(cell.source)
            continue
        is_release = has_release_id({"id": cell.cell_id})
        if is_release and not cell.cell_id.startswith(PROMPT_ID):
            question = ""
        if question:
            texts[question].append(cell.source)
        if not is_release or cell.cell_id.startswith(PROMPT_ID):
            texts[WHOLE].append(cell.source)
    return {name: _digest(parts) for name, parts in texts.items()}


def _digest(texts: list[str]) -> str:
    # A zero-width space is what a page puts into a text that is to stay text.
    words = " ".join(one_spelling("\n".join(texts).replace("\u200b", "")).split())
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:16]


def answers_before(connection: sa.Connection, notebooks: Iterable[str]) -> dict[tuple[str, str], str]:
    """The hashes that are kept: (submitted notebook, name) -> hash."""
    query = sa.select(ANSWERS).where(ANSWERS.c.notebook_id.in_(list(notebooks)))
    return {(row.notebook_id, row.name): row.digest for row in connection.execute(query)}


def keep_answers(connection: sa.Connection, digests: Mapping[str, Mapping[str, str]]) -> None:
    """Keep the hashes of submitted notebooks."""
    _replace(
        connection,
        ANSWERS,
        list(digests),
        [
            {"notebook_id": notebook, "name": name, "digest": digest}
            for notebook, found in digests.items()
            for name, digest in found.items()
        ],
    )


def keep_reasons(connection: sa.Connection, reasons: Mapping[str, str]) -> None:
    """Keep why submitted notebooks have no mark; "" where they have one."""
    rows = [{"notebook_id": notebook, "reason": reason} for notebook, reason in reasons.items() if reason]
    _replace(connection, REASONS, list(reasons), rows)


def _replace(connection: sa.Connection, table: Any, notebooks: list[str], rows: list[dict[str, str]]) -> None:
    connection.execute(sa.delete(table).where(table.c.notebook_id.in_(notebooks)))
    if rows:
        connection.execute(sa.insert(table), rows)
