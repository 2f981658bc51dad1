"""Examples for groups of wrong answers, taken from the submissions; and names for such groups."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from autograder.course.named_groups import NamedGroup, read_named_groups, write_named_groups
from autograder.errors import CourseError, Ungradable
from autograder.grading.classroom import folder_of
from autograder.grading.grade import Grader
from autograder.grading.submission import read_bytes
from autograder.record import Diagnosis, Record
from autograder.report.groups import Group
from autograder.sheets.returned import is_same


def find_example(grader: Grader, submitted: Path, group: Group) -> str:
    """An answer that by itself returns what all of its group do, without what names its writer; or "".

    Args:
        grader: of the notebook.
        submitted: the folder of submissions.
        group: the group.
    """
    name = grader.master.name
    for student in group.members:
        try:
            content = read_bytes(folder_of(submitted, student, name) / f"{name}.ipynb")
            example = grader.reader.example(content, group.exercise)
        except Ungradable:
            continue  # it was taken away since it was graded
        if example and is_same(grader.examples.returned(group.exercise, example), group.returned):
            return example
    return ""


def with_names(grader: Grader, record: Record) -> Record:
    """A record with the names that were given since it was written; marks change when it is graded again."""
    for mark in record.marks:
        judgement = mark.judgement
        if judgement.returned and (group := grader.examples.named(mark.name, judgement.returned)):
            judgement.diagnoses, judgement.returned = [Diagnosis(group.name, group.hint)], None
    return record


def name_group(
    grader: Grader,
    submitted: Path,
    groups: Iterable[Group],
    group_id: str,
    name: str,
    hint: str,
    share: float | None,
) -> Path:
    """Name a group of wrong answers, for all who are in it and who come into it.

    Returns:
        The file that says so.

    Raises:
        CourseError: there is no such group, or no example of it.
    """
    found = {group.id: group for group in groups}
    if group_id not in found:
        listed = ", ".join(found) or "none: grade first"
        raise CourseError(f"there is no group {group_id!r} without a name; there are {listed}")
    if share is not None and not 0 <= share < 1:
        raise CourseError(f"--share {share:g}: write the part of the points, from 0 to below 1")
    group = found[group_id]
    example = find_example(grader, submitted, group)
    if not example:
        raise CourseError(
            f"{group_id}: no answer of it in {submitted} gives this by itself (it may come from a wrong "
            "answer to another exercise), so nobody else's could be known by it"
        )
    named = NamedGroup(group.exercise, name, hint, example, share)
    folder = grader.master.folder
    return write_named_groups(folder, [*read_named_groups(folder), named])
