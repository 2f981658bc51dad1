"""Examples of wrong answers, tried in the sandbox: what they return decides who belongs to a named group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograder.course.masters import Master
from autograder.course.named_groups import NamedGroup
from autograder.judging.judge import asked
from autograder.record import Returned
from autograder.sandbox import Budget, Sandbox
from autograder.sheets.returned import is_same, returned_by
from autograder.sheets.sheet import Answer, Sheet


def needed_by(sheets: Mapping[str, Sheet], name: str) -> list[str]:
    """The exercises that one needs, directly or through another, in the order of the notebook."""
    found: list[str] = []
    todo = list(sheets[name].spec.needs)
    while todo:
        one = todo.pop()
        if one not in found:
            found.append(one)
            todo += sheets[one].spec.needs
    return [one for one in sheets if one in found]


class Examples:
    """Tries examples: what they return, with the references in place of what they need.

    Args:
        master: the notebook.
        sandbox: where an example is run.
        sheets: each exercise with the inputs that the class shares.
        groups: those that a teacher named.
    """

    def __init__(
        self, master: Master, sandbox: Sandbox, sheets: Mapping[str, Sheet], groups: Sequence[NamedGroup]
    ):
        self._master, self._sandbox, self._sheets = master, sandbox, sheets
        self._groups = [group for group in groups if group.exercise in sheets]
        self._returned: dict[NamedGroup, Returned] = {}

    def named(self, exercise: str, returned: Returned) -> NamedGroup | None:
        """The group that returns this, where a teacher named it."""
        mine = (group for group in self._groups if group.exercise == exercise)
        return next((group for group in mine if is_same(self._returned_by(group), returned)), None)

    def _returned_by(self, group: NamedGroup) -> Returned:
        if group not in self._returned:
            self._returned[group] = self.returned(group.exercise, group.example)
        return self._returned[group]

    def returned(self, exercise: str, example: str) -> Returned:
        """What an example returns for the inputs that the class shares."""
        sheet = self._sheets[exercise]
        return returned_by(sheet, self._answers(sheet, example))

    def returns_the_same(
        self,
        group: NamedGroup,
        sheet: Sheet,
        call: Callable[[Any], Any],
        budget: Budget,
    ) -> bool:
        """Whether an answer returns what a group's example does, for inputs of its own.

        Args:
            group: the group.
            sheet: inputs that were drawn for this submission alone.
            call: calls the student's function.
            budget: the submission's.
        """
        theirs = asked(sheet, call)
        return is_same(
            returned_by(sheet, theirs), returned_by(sheet, self._answers(sheet, group.example, budget))
        )

    def _answers(self, sheet: Sheet, example: str, budget: Budget | None = None) -> list[Answer]:
        given = [cell.source for cell in self._master.cells_with("given")]
        references = self._master.reference
        standins = {name: references[name] for name in needed_by(self._sheets, sheet.name)}
        with self._sandbox.session([*given, example, *self._master.trying_cells], budget) as session:
            return asked(sheet, lambda batch: session.call(sheet.name, batch, standins, sheet.spec.tried_by))
