"""What of a submission is run for a grade, and with whose text: its cells become a plan.

Nothing of a submission is run or believed here: its metadata only says which cell is which.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from autograder.answers.finding import no_package
from autograder.course.magics import as_python, speaks_ipython, without_cell_magic
from autograder.course.masters import Master
from autograder.course.names import Namespace, bound, imported, is_definition, mentioned, parse
from autograder.course.notebook import source_cells
from autograder.course.questions import ASKING, GIVING_UP, as_asked, given_up, typed_answers
from autograder.course.stubs import binds, is_stub, keeps_nothing
from autograder.course.surroundings import demo_definitions
from autograder.grading.submission import SubmittedCell

# A question's cell, with its comments.
MOST_SAID = 3000
# Parts of one answer that are no definition of its function and yet are run, as a split cell leaves them.
MOST_PARTS_OF_AN_ANSWER = 5


class Role(Enum):
    """What a planned cell is."""

    GIVEN = "given"  # the instructor's, locked
    DEMO = "demo"  # the instructor's, of which only some definitions are run
    ANSWER = "answer"  # the answer cell of an exercise
    OWN = "own"  # a cell that the student added
    CHANGED = "changed"  # the instructor's demo cell, with another text: its definitions


OURS = (Role.GIVEN, Role.DEMO)
NOT_SET = (
    "no cell that is run for a grade sets it; write it into the answer's cell, or take it from the arguments"
)


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
        python: the version of Python that the notebook was written with, or ().
        answers: what was typed to the notebook's questions: number -> part -> value. Nothing of it is run.
        given_up: exercises whose derivation a cell asks for.
        mentions: a name that the student's cells define -> the names that stand where it is defined.
        keeps_nothing: whether the student's cells can be seen to keep nothing between calls.
    """

    cells: list[PlannedCell] = field(default_factory=list)
    stubs: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    python: tuple[int, ...] = ()
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    given_up: list[str] = field(default_factory=list)
    mentions: dict[str, list[str]] = field(default_factory=dict)
    keeps_nothing: bool = False

    @property
    def sources(self) -> list[str]:
        """The texts of the cells."""
        return [cell.source for cell in self.cells]

    def source_of(self, exercise: str) -> str:
        """The text of an exercise's answer cells."""
        return "\n".join(cell.source for cell in self.cells if cell.exercise == exercise)

    def leave_out(self, index: int) -> None:
        """Blank a cell; the others keep their places."""
        self.cells[index] = replace(self.cells[index], source="")


@dataclass(frozen=True)
class Surveyed:
    """What there is when cells have run, as far as that can be told without running them.

    Args:
        names: that are set.
        missing: names that some cell would set, and why it does not.
    """

    names: frozenset[str]
    missing: dict[str, str]

    def why_missing(self, name: str) -> str:
        """Why a name is not there, and what to do; "" where it should be there."""
        if name in self.names:
            return ""
        if why := self.missing.get(name):
            return f"{why} where it is graded"
        return NOT_SET


def imports_in(sources: Iterable[str]) -> dict[str, str]:
    """The names that cells import, each with the module that is needed."""
    return {
        name: module
        for tree in filter(None, map(parse, sources))
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name, module in imported(node)
    }


def survey(sources: Iterable[str], packages: Sequence[str], left_out: Mapping[str, str]) -> Surveyed:
    """Look through cells for the names that they set.

    Args:
        sources: the cells.
        packages: what may be imported, beside the standard library.
        left_out: names that other cells import, which are not run, each with its module.
    """
    namespace = Namespace((), packages)
    for source in sources:
        tree = parse(source)
        namespace.run(tree.body if tree else ())
    missing = {
        name: no_package(module) for name, module in left_out.items() if not namespace.can_import(module)
    }
    return Surveyed(frozenset(namespace.names), missing | namespace.missing)


class Planner:
    """Decides which cells of a submission are run for a grade, and with whose text.

    The instructor's given cells come first, with the instructor's text; then the student's answers and own
    cells in the student's order; at the end once more the cells by which exercises are tried, so that no
    name of a student's covers theirs. Of the instructor's demo cells only the definitions are run that the
    student's code mentions; of a demo cell that the student changed, its definitions.
    """

    def __init__(self, master: Master):
        self.exercises = set(master.exercises)
        self._to_mend = {name: exercise.spec.stands for name, exercise in master.exercises.items()}
        self._questions = master.questions
        self._given = [cell.source for cell in master.cells_with("given")]
        self._trying = master.trying_cells
        cells = source_cells(master)
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        self._ours = {cell["id"]: cell["source"] for cell in code}
        self._our_texts = {text.strip() for text in self._ours.values()}
        graded = [cell["metadata"]["nbgrader"] for cell in cells if "nbgrader" in cell["metadata"]]
        self._metadata = {meta["grade_id"]: meta for meta in graded}
        self._grade_ids = {
            cell["id"]: cell["metadata"]["nbgrader"]["grade_id"]
            for cell in code
            if "nbgrader" in cell["metadata"]
        }
        self.locked = {meta["grade_id"] for meta in graded if meta["locked"]}
        self._demo = demo_definitions(master)
        self.imports = imports_in(self._ours.values())

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
        planned = self._in_python(plan, self._roles(plan, cells))
        theirs = [parse(cell.source) for cell in planned]
        plan.cells += [PlannedCell(source, Role.GIVEN) for source in self._given]
        statements = [statement for tree in theirs if tree for statement in tree.body]
        names = [(bound(statement), mentioned(statement)) for statement in statements]
        plan.mentions = _mentions(names)
        plan.keeps_nothing = all(map(keeps_nothing, theirs))
        plan.cells += self._demo_cells({name for _, standing in names for name in standing})
        for cell, tree in zip(planned, theirs, strict=True):
            whole = cell.role != Role.CHANGED and not definitions_only
            plan.cells.append(cell if whole else replace(cell, source=definitions(cell.source, tree)))
        plan.cells += [PlannedCell(source, Role.GIVEN) for source in self._trying]
        self._look_at_answers(plan, planned, theirs)
        return plan

    def _roles(self, plan: Plan, cells: list[SubmittedCell]) -> list[PlannedCell]:
        """The student's cells that are run, each with its role; a split answer is put together."""
        answers: dict[str, list[int]] = {}
        planned: list[PlannedCell] = []
        last = ""
        for cell, grade_id in zip(cells, self.ids_of(cells), strict=True):
            before, last = last, grade_id
            if grade_id in self.exercises:
                if before == grade_id and _parse_only_together(planned[-1].source, cell.source):
                    planned[-1] = replace(planned[-1], source=f"{planned[-1].source}\n{cell.source}")
                    continue
                answers.setdefault(grade_id, []).append(len(planned))
                planned.append(PlannedCell(cell.source, Role.ANSWER, grade_id))
            elif self._is_ours(grade_id, cell) or self._is_typed(plan, cell):
                continue
            elif cell.cell_id in self._ours:
                planned.append(PlannedCell(cell.source, Role.CHANGED))
            elif cell.source.strip():
                planned.append(PlannedCell(cell.source, Role.OWN))
        left_out = {
            i
            for name, places in answers.items()
            for i in _not_counted(plan, planned, name, places, self._to_mend[name])
        }
        return [cell for i, cell in enumerate(planned) if i not in left_out]

    def _is_ours(self, grade_id: str, cell: SubmittedCell) -> bool:
        return grade_id in self.locked or cell.source.strip() in self._our_texts

    def _is_typed(self, plan: Plan, cell: SubmittedCell) -> bool:
        """Whether a cell only says something: the answer to a question, or that a derivation is given up."""
        if len(cell.source) > MOST_SAID or not any(word in cell.source for word in (*ASKING, GIVING_UP)):
            return False
        if (name := given_up(cell.source)) in self.exercises and name not in plan.given_up:
            plan.given_up.append(name)
        typed = typed_answers(cell.source)
        if typed is None:
            return False
        number, parts = typed
        if question := self._questions.get(number):
            so = question.answers
            known = {name: as_asked(value, so[name]) for name, value in parts.items() if name in so}
            if known:
                plan.answers[number] = known
        return True

    def ids_of(self, cells: list[SubmittedCell]) -> list[str]:
        """What each cell is to nbgrader: by its metadata, else by its id, else by the function it defines."""
        found = [cell.grade_id or self._grade_ids.get(cell.cell_id, "") for cell in cells]
        for name in self.exercises - set(found):
            places = [i for i, cell in enumerate(cells) if not found[i] and defines(cell.source, name)]
            if places:
                found[places[-1]] = name
        return found

    def _in_python(self, plan: Plan, cells: list[PlannedCell]) -> list[PlannedCell]:
        """The cells with IPython's own language taken out."""
        bare = []
        for cell in cells:
            source, magic = without_cell_magic(cell.source)
            if magic:
                name = cell.exercise or "your own"
                plan.notes.append(f"a cell ({name}) that starts with %%{magic} is not run for grading")
            bare.append(replace(cell, source=source))
        foreign = [i for i, c in enumerate(bare) if speaks_ipython(c.source) and parse(c.source) is None]
        for i, text in zip(foreign, as_python([bare[i].source for i in foreign]), strict=True):
            if text is not None:
                bare[i] = replace(bare[i], source=text)
        return bare

    def _demo_cells(self, wanted: set[str]) -> list[PlannedCell]:
        """The definitions in demo cells of these names, and of those that they mention."""
        chosen: set[int] = set()
        while True:
            more = {i for i, one in enumerate(self._demo) if i not in chosen and one.binds & wanted}
            if not more:
                return [PlannedCell(self._demo[i].source, Role.DEMO) for i in sorted(chosen)]
            chosen |= more
            wanted |= {name for i in more for name in self._demo[i].mentions}

    def _look_at_answers(self, plan: Plan, cells: list[PlannedCell], trees: list[ast.Module | None]) -> None:
        answered = {cell.exercise: tree for cell, tree in zip(cells, trees, strict=True) if cell.exercise}
        others = [cell.source for cell in cells if not cell.exercise]
        for name in sorted(self.exercises):
            if name not in answered:
                plan.notes.append(f"the answer cell of {name} is missing")
                continue
            tree, stands = answered[name], self._to_mend[name]
            if not tree or not is_stub(tree, name, stands):
                continue
            if not any(defines(source, name, stands) for source in others):
                plan.stubs.add(name)


def _mentions(statements: Iterable[tuple[set[str], set[str]]]) -> dict[str, list[str]]:
    """A name that statements define -> the names that stand where it is defined.

    Args:
        statements: of each the names that it defines, and those that stand in it.
    """
    found: dict[str, set[str]] = {}
    for defined, names in statements:
        for name in defined:
            found.setdefault(name, set()).update(names)
    return {name: sorted(names) for name, names in found.items()}


def _not_counted(plan: Plan, cells: list[PlannedCell], name: str, places: list[int], stands: str) -> set[int]:
    """Which of several cells of one answer are not run: one defines its function, the last that does.

    A part that does not touch that name is run too: a cell that was split leaves a helper in one.
    """
    if len(places) == 1:
        return set()
    trees = {i: parse(cells[i].source) for i in places}
    claims = [i for i, tree in trees.items() if tree is None or binds(tree, name)]
    answers = [i for i in claims if defines(cells[i].source, name, stands)]
    counts = (answers or claims or places)[-1]
    if len(claims) > 1:
        plan.notes.append(f"the answer cell of {name} stands more than once; the last counts")
    parts = [i for i in places if i not in claims]
    return ({*claims, *parts[:-MOST_PARTS_OF_AN_ANSWER]}) - {counts}


def _parse_only_together(one: str, other: str) -> bool:
    """Whether two halves of a cell are Python only as a whole."""
    if parse(one) is not None and parse(other) is not None:
        return False
    return parse(f"{one}\n{other}") is not None


def defines(source: str, name: str, stands: str = "") -> bool:
    """Whether a cell gives a name a function, and not a stub, nor the body that stands there to be mended."""
    if name not in source:
        return False
    tree = parse(source)
    return tree is not None and binds(tree, name) and not is_stub(tree, name, stands)


def definitions(source: str, tree: ast.Module | None) -> str:
    """Only the definitions, imports and assignments without a call in a cell; line numbers stay."""
    if tree is None:
        return source
    kept = set()
    for node in filter(is_definition, tree.body):
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        kept.update(range(first, (node.end_lineno or node.lineno) + 1))
    lines = re.split(r"\r\n|\r|\n", source)  # as Python counts them
    return "\n".join(line if i in kept else "" for i, line in enumerate(lines, start=1))
