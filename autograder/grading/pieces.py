"""A class's answers and own cells, to be compared with one another: read, and never run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from autograder.course.masters import Master, solution_regions
from autograder.course.notebook import source_cells
from autograder.course.stubs import hole
from autograder.errors import Ungradable
from autograder.grading.classroom import find_submissions
from autograder.grading.plan import Plan, Planner, Role
from autograder.grading.reading import Reader
from autograder.report.similar import Known, Piece, bare_text

# A hundred answers; more is data.
MOST_SIGNS = 30_000


def pieces_of(plan: Plan, exercises: Iterable[str]) -> list[Piece]:
    """What a student wrote: the answers, and the cells of the student's own as one piece.

    Args:
        plan: what is run of the submission.
        exercises: of the notebook; whoever left one as it was wrote nothing there.
    """
    texts = {name: plan.source_of(name) for name in sorted(set(exercises) - plan.stubs)}
    own = (cell.source for cell in plan.cells if cell.role in (Role.OWN, Role.CHANGED))
    texts[""] = "\n\n".join(text.strip("\n") for text in own)
    return [_piece(place, text) for place, text in texts.items() if text.strip()]


def _piece(place: str, text: str) -> Piece:
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")[:MOST_SIGNS]
    return Piece(place, text, bare_text(text))


def class_pieces(master: Master, submitted: Path) -> tuple[dict[str, list[Piece]], dict[str, str]]:
    """What each student of a class wrote.

    Args:
        master: the notebook.
        submitted: the folder of submissions.

    Returns:
        Student -> pieces; student -> why nothing could be read.

    Raises:
        CourseError: there is no such folder.
    """
    found, failures = find_submissions(submitted, master.name)
    pieces, reasons = {}, {failure.student: failure.reason for failure in failures}
    reader = Reader(Planner(master))
    try:
        for one in found:
            try:
                if written := reader.pieces(one.read()):
                    pieces[one.student] = written
                else:
                    reasons[one.student] = "nothing is written in it"
            except Ungradable as error:
                reasons[one.student] = str(error)
    finally:
        reader.close()
    return pieces, reasons


def known_texts(master: Master, alternatives: dict[str, list[str]]) -> Known:
    """What is nobody's own: the release's code, the references, other known answers, the declared mistakes.

    Args:
        master: the notebook.
        alternatives: exercise -> right answers, written differently.
    """
    known = Known()
    for cell in source_cells(master):
        if cell["cell_type"] == "code":
            known.texts.append(bare_text(cell["source"]))
    known.texts += [bare_text(cell.source) for cell in master.cells if cell.kind == "code"]
    for name, exercise in master.exercises.items():
        ways = [exercise.source, *alternatives.get(name, ())]
        known.ways[name] = [bare_text(way.strip("\n")) for way in ways]
        solution = solution_regions(exercise.source)[0]
        left = exercise.source.replace(solution, hole(name, solution, exercise.spec.stands))
        known.stubs[name] = bare_text(left.strip("\n"))
        mistaken = (master.mutate(name, mutant) for mutant in exercise.spec.misconceptions)
        known.texts += known.ways[name] + [bare_text(text) for text in mistaken]
    return known
