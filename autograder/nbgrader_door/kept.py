"""What the gradebook keeps of ours beside nbgrader's tables: why there is no mark, and which answers had one.

A person's mark is for one answer: where another is handed in, the mark asks for another look.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from nbgrader.api import Grade

from autograder.course.handwritten import has_release_id
from autograder.course.notebook import PROMPT_ID
from autograder.course.roster import one_spelling
from autograder.nbgrader_door.cells import Cells, exercise_of

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

    Args: as `texts_of` takes them.
    """
    return {name: digest_of(parts) for name, parts in texts_of(cells, tasks, solutions).items()}


def texts_of(
    cells: Sequence[WrittenCell], tasks: Iterable[str], solutions: Iterable[str] = ()
) -> dict[str, list[str]]:
    """The texts of each answer, and, under `WHOLE`, of all that the student wrote.

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
    return texts


def digest_of(texts: list[str]) -> str:
    """A hash of an answer, deaf to blanks and to Unicode's spellings."""
    # A zero-width space is what a page puts into a text that is to stay text.
    words = " ".join(one_spelling("\n".join(texts).replace("\u200b", "")).split())
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass
class Anew:
    """What a grading found of answers that are other ones than before.

    Args:
        students: who gave one.
        look_again: (student, words) of each mark by hand that was for another answer.
    """

    students: set[str] = field(default_factory=set)
    look_again: list[tuple[str, str]] = field(default_factory=list)


def look_again(
    connection: sa.Connection,
    cells: Cells,
    notebooks: Mapping[str, str],
    digests: Mapping[str, Mapping[str, str]],
) -> Anew:
    """Let marks by hand whose answer is another one now ask for another look, and keep the new hashes.

    Args:
        connection: to the gradebook, in a transaction.
        cells: the notebook's cells.
        notebooks: student -> submitted notebook.
        digests: student -> hash of each answer, as `digests_of` makes them.
    """
    before = digests_before(connection, [notebooks[student] for student in digests])
    marked = {**cells.task, **{exercise_of(name): identity for name, identity in cells.check.items()}}
    anew, grade, rows = Anew(), Grade.__table__, []
    for student, found in digests.items():
        row = notebooks[student]
        other = {name for name, digest in found.items() if before.get((row, name), digest) != digest}
        if not other:
            continue
        anew.students.add(student)
        query = sa.select(grade.c.cell_id, grade.c.manual_score).where(
            grade.c.notebook_id == row,
            grade.c.cell_id.in_([marked[name] for name in other if name in marked]),
            grade.c.manual_score.is_not(None),
        )
        by_hand = {identity: mark for identity, mark in connection.execute(query)}
        for name in sorted(other & marked.keys()):
            if marked[name] in by_hand:
                rows.append({"n": row, "c": marked[name]})
                words = f"{name} was answered anew; its mark, {by_hand[marked[name]]:g}, is for the old one"
                anew.look_again.append((student, words))
    if rows:
        connection.execute(
            sa.update(grade)
            .where(grade.c.notebook_id == sa.bindparam("n"), grade.c.cell_id == sa.bindparam("c"))
            .values(needs_manual_grade=True),
            rows,
        )
    _keep_answers(connection, {notebooks[student]: found for student, found in digests.items()})
    return anew


def digests_before(connection: sa.Connection, notebooks: Iterable[str]) -> dict[tuple[str, str], str]:
    """The hashes that are kept: (submitted notebook, name) -> hash."""
    query = sa.select(ANSWERS).where(ANSWERS.c.notebook_id.in_(list(notebooks)))
    return {(row.notebook_id, row.name): row.digest for row in connection.execute(query)}


def _keep_answers(connection: sa.Connection, digests: Mapping[str, Mapping[str, str]]) -> None:
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
