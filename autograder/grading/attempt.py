"""The grading of one submission: what is tried in which process, with which inputs, and which try counts.

The trusted side holds references, inputs and marks; the sandbox is asked for arrays and nothing else. How a
class is graded, and where records are kept, is not known here.
"""

from __future__ import annotations

import builtins
import hashlib
import hmac
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from autograder.answers.finding import ERRORS, Finding, Kind, lacks_package, newer_python
from autograder.answers.outcome import Outcome, Place, StudentError, at_own_line, undefined_name
from autograder.course.named_groups import NamedGroup
from autograder.errors import CourseError, Ungradable
from autograder.grading.examples import needed_by
from autograder.grading.plan import OURS, Plan, Role, Surveyed
from autograder.judging.backward import WrongForward, trusted
from autograder.judging.derivation import Costs, batch_aside
from autograder.judging.diagnose import explains_all
from autograder.judging.gradients import Call
from autograder.judging.judge import asked, first_batch, is_derived, judge, unanswered
from autograder.judging.symptoms import symptom
from autograder.record import Check, Diagnosis, Judgement, Mark, Record, Returned
from autograder.report.sentences import cell_error
from autograder.sandbox import Asked, Budget, Session
from autograder.sheets.drawn import own_sheet
from autograder.sheets.effects import effects_of
from autograder.sheets.sheet import Sheet

if TYPE_CHECKING:
    from autograder.grading.grade import Grader

# Cells of a student's own that may end the process, each by itself, before the others are left out too.
MOST_DEADLY = 3
# Cells that are tried each by itself, answers among them.
MOST_TRIED = 100
# How much of the time for an answer is taken for all of it.
ALL_THE_TIME = 0.8
STOOD_IN = "its words are not shown, because a reference stood in for one of your functions"


@dataclass
class Scorecard:
    """The result of grading one submission.

    Args:
        assignment: the notebook.
        judgements: one for each exercise, in the order of the notebook.
        points: each exercise's points.
        problems: remarks about the submission as a whole.
        cpu_seconds: processor time of the student's code, measured inside the sandbox.
        answers: what was typed to the notebook's questions.
        given_up: exercises whose derivation was asked for.
    """

    assignment: str
    judgements: list[Judgement]
    points: dict[str, float]
    problems: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    given_up: list[str] = field(default_factory=list)

    def record(self, student: str) -> Record:
        """What is kept of it, under a student's name."""
        marks = [Mark(judgement, self.points[judgement.name]) for judgement in self.judgements]
        return Record(student, self.assignment, marks, self.problems, self.answers, self.given_up)


def own_key(key: str, sources: Sequence[str]) -> str:
    """The key by which a submission's own inputs are drawn: of the course's, and the cells that are run.

    Of their text and not of the file's bytes: saved again, or handed in at the other door, it is the same
    submission.

    Args:
        key: the course's secret key.
        sources: the texts of the cells that are run.
    """
    return hmac.new(key.encode(), "\0".join(sources).encode(), hashlib.sha256).hexdigest()


def _without_words(outcome: Outcome) -> Outcome:
    """What came of a call in a process with references in it: what it wrote could be what they answered."""
    error = outcome.error
    if error:
        known = error.kind in ERRORS or hasattr(builtins, error.kind)
        error = replace(error, kind=error.kind if known else "Exception", message=STOOD_IN)
    return replace(outcome, printed="", complaints="", error=error)


class Attempt:
    """The grading of one submission.

    Marks come from inputs that are drawn for this submission: what was seen of another's is of no use. Only
    the names of mistakes come from inputs that the class shares.

    All exercises are tried in one process first. What is right there is right, however it came about:
    the process knows no answers. What is not right is tried again, with the references in place of the
    functions it needs, and in a fresh process of its own, so that no exercise can spoil another.
    """

    def __init__(self, grader: Grader, content: bytes):
        self._grader = grader
        self._sheets = grader.sheets
        self._plan: Plan = grader.reader.plan(content)
        self._content = content
        self._key = own_key(grader.key, self._plan.sources)
        self._own: dict[str, Sheet] = {}
        self._surveyed: Surveyed | None = None
        self._budget = Budget(grader.sandbox.limits)
        self._judged: dict[str, Judgement] = {}
        self._untold: set[str] = set()  # exercises whose mistake was not looked for
        self._writers: set[str] = set()  # functions that change what they are given
        self._cpu = 0.0
        self._cell_errors: list[StudentError] = []
        self._together: Session | None = None
        self._with_references: Session | None = None
        self._standins: dict[str, Callable[..., Any]] = {}
        self._sessions = ExitStack()

    def scorecard(self) -> Scorecard:
        """Try all of it, and judge.

        Raises:
            Ungradable: a reference fails on what was drawn for it.
        """
        with self._sessions:  # whatever fails, no process is left over
            return self._scored()

    def _scored(self) -> Scorecard:
        self._try_together()
        for name, sheet in self._sheets.items():
            if self._judged[name].status == "wrong":
                self._try_alone(name, sheet)
        for session in dict.fromkeys(filter(None, (self._together, self._with_references))):
            self._end(session)
        for judgement in self._judged.values():
            if judgement.returned:
                self._name(judgement, judgement.returned)
        problems = [*self._plan.notes, *self._problems_of_cells()]
        if self._budget.spent:
            problems.append(f"{self._budget.spent}; what was not tried by then counts as wrong")
        judgements = [self._judged[name] for name in self._sheets]
        return Scorecard(
            self._grader.master.name,
            judgements,
            self._grader.points,
            problems,
            self._cpu,
            self._plan.answers,
            self._plan.given_up,
        )

    def _name(self, judgement: Judgement, returned: Returned) -> None:
        """What a teacher said of all who return this.

        Where it moves the mark, it is believed if the example gives the same for this submission's inputs.
        """
        group = self._grader.examples.named(judgement.name, returned)
        if group is None or (group.share is not None and not self._is_confirmed(group, judgement)):
            return
        judgement.diagnoses, judgement.returned = [Diagnosis(group.name, group.hint)], None
        if group.share is not None and group.share > judgement.share:
            judgement.share = group.share
            judgement.notes.append(f"such an answer earns {100 * group.share:g} % of the points here")

    def _is_confirmed(self, group: NamedGroup, judgement: Judgement) -> bool:
        own = self._own_sheet(judgement.name)
        references = self._grader.master.reference
        needed = needed_by(self._sheets, judgement.name) if judgement.follow_through else []
        session = self._session()
        try:
            call = self._caller(session, judgement.name, {name: references[name] for name in needed})
            return self._grader.examples.returns_the_same(group, own, call, self._budget)
        finally:
            self._end(session)

    def _session(self, cells: Sequence[str] | None = None) -> Session:
        """A process for these cells, or for all that are run."""
        return self._sessions.enter_context(
            self._grader.sandbox.session(self._plan.sources if cells is None else cells, self._budget)
        )

    def _own_sheet(self, name: str) -> Sheet:
        """An exercise with inputs of this submission's own.

        Raises:
            Ungradable: a reference fails on what was drawn, which costs this submission and no other.
        """
        if name not in self._own:
            try:
                self._own[name] = own_sheet(self._grader.master, name, self._key)
            except CourseError as error:
                raise Ungradable(f"its inputs could not be drawn, please report this: {error}") from error
        return self._own[name]

    def _end(self, session: Session) -> None:
        session.close()
        self._cpu += session.usage.cpu_seconds

    def _try_together(self) -> None:
        session = self._session()
        session.run_cells()
        if not session.alive:
            # Own cells that do not come to an end: only their definitions are needed.
            self._end(session)
            error = next(iter(session.cell_errors), None)
            words = cell_error(error) if error else "the process ended"
            self._plan = self._grader.reader.plan(self._content, definitions_only=True)
            self._surveyed = None
            self._plan.notes.append(f"running the cells: {words}; only their definitions were used")
            session = self._session()
            session.run_cells()
        if not session.alive:
            self._end(session)
            self._leave_out_deadly_cells()
            session = self._session()
            session.run_cells()
        self._cell_errors = [self._explained(error) for error in session.cell_errors]
        answers = self._first_answers(session) if session.alive else {}
        ended, ended_by = session, ""
        if answers and not session.alive:
            # What else is asked of the others is asked of a process that this one has not ended.
            last, came = list(answers.items())[-1]
            error = came[-1].error
            if error and error.kind == "time" and session.waited < ALL_THE_TIME * session.limits.call_seconds:
                del answers[last]  # others had most of its time
            elif not last.aside:
                ended_by = last.function
            self._end(session)
            session = self._session()
        forwards = {sheet.forward.name for sheet in self._sheets.values() if sheet.forward}
        for name, sheet in self._sheets.items():
            if name in self._plan.stubs:
                self._judged[name] = unanswered(sheet)
                continue
            is_end = name == ended_by
            is_told = (is_end or session.alive) and (
                self._called(sheet) <= self._right_ones() or name in forwards
            )
            if not is_told:
                # What is wrong with it is told when it has been tried with the references, if it still is;
                # also where another exercise has ended the process.
                self._untold.add(name)
            above = -1.0 if is_told else 1.0
            process = ended if is_end else session
            self._judged[name] = self._judge(process, sheet, {}, above, answers)
        self._together = session

    def _first_answers(self, session: Session) -> dict[Asked, list[Outcome]]:
        """What each exercise answers first, asked in one request: waking the process costs more than asking.

        Where one ends the process, it is the last of those that come back.
        """
        batches: dict[Asked, list[list[Any]]] = {}
        for name, sheet in self._sheets.items():
            if name not in self._plan.stubs:
                own = self._own_sheet(name)
                batches[Asked(name, sheet.spec.tried_by)] = first_batch(own)
                if is_derived(own):
                    batches[Asked(name, aside=True)] = batch_aside(own)
        return dict(zip(batches, session.call_in_turn(batches), strict=False))

    def _leave_out_deadly_cells(self) -> None:
        """Blank the cells that end the process by themselves: the other answers keep their marks.

        Answers are tried first. Of the student's own cells so many are tried as can be run together in the
        end, and a few that end the process, each of which costs all the time that cells may take.
        """
        plan = self._plan
        given = [cell.source for cell in plan.cells if cell.role == Role.GIVEN]
        answers = [i for i, cell in enumerate(plan.cells) if cell.exercise]
        own = [i for i, cell in enumerate(plan.cells) if not cell.exercise and cell.role not in OURS]
        deadly = 0
        left = self._grader.sandbox.limits.cell_seconds / 2
        for tried, i in enumerate([*answers, *own]):
            cell = plan.cells[i]
            if not cell.exercise and (deadly >= MOST_DEADLY or tried >= MOST_TRIED or left < 0):
                plan.leave_out(i)
                continue
            before = self._budget.seconds
            session = self._session([*given, cell.source])
            session.run_cells()
            if not session.alive:
                plan.leave_out(i)
                deadly += not cell.exercise
                name = cell.exercise or "your own"
                plan.notes.append(f"a cell ({name}) ends the whole process; it was left out")
            else:
                left -= before - self._budget.seconds
                if left < 0 and not cell.exercise:
                    plan.leave_out(i)
                    plan.notes.append("cells (your own) take too long; some were left out")
            self._end(session)

    def _try_alone(self, name: str, sheet: Sheet) -> None:
        """Try what failed again: with references in place of what may have spoilt it, and by itself."""
        needed = needed_by(self._sheets, sheet.name)
        explained = any(diagnosis.is_exact for diagnosis in self._judged[name].diagnoses)
        unspoilt = all(self._judged[n].status == "right" and n not in self._writers for n in needed)
        if explained and unspoilt and self._plan.keeps_nothing:
            return  # a known mistake in the function itself gives just this, and nothing can have spoilt it
        if needed:
            self._follow_through(name, sheet, needed)
        if self._judged[name].status != "wrong":
            return
        first = next(iter(n for n in self._sheets if n not in self._plan.stubs), None)
        if name not in self._untold and name == first:
            return
        before = self._judged[name]
        is_untold = name in self._untold and not before.diagnoses
        alone = self._in_fresh_session(sheet, {}, above=-1.0 if is_untold else before.share)
        if alone.share > before.share:
            self._judged[name] = alone
        elif is_untold and alone.share == before.share and not self._budget.spent:
            # As a whole: what is returned here need not be what was returned there.
            alone.notes += [note for note in before.notes if note not in alone.notes]
            self._judged[name] = alone

    def _follow_through(self, name: str, sheet: Sheet, needed: list[str]) -> None:
        """Try an exercise with the references in place of what it calls; the better mark counts.

        Also in place of right ones: a list where an array is asked is a right answer, but not one that every
        caller can work with.
        """
        called = self._called(sheet)
        wrong = [n for n in needed if n in called and self._judged[n].status != "right"]
        judgement = self._judge_with_references(sheet, needed)
        names = " and ".join(f"`{n}`" for n in wrong or needed)
        if judgement.share > self._judged[name].share:
            judgement.follow_through = True
            judgement.notes.append(f"scored with the reference in place of your {names}")
            self._judged[name] = judgement
            self._untold.discard(name)
        elif wrong:
            self._judged[name].notes.append(f"this calls your {names}, which is not right yet")

    def _judge_with_references(self, sheet: Sheet, needed: list[str]) -> Judgement:
        """In one process for all exercises first; what is not right there, in a fresh one."""
        references = self._grader.master.reference
        mine = {n: references[n] for n in needed}
        above = self._judged[sheet.name].share
        if self._with_references is None:
            self._with_references = self._session_for_references()
        elif not self._standins.keys() <= mine.keys():
            # Once put in its place a reference stays there, and this exercise does not declare it.
            return self._in_fresh_session(sheet, mine, above)
        is_first, self._standins = not self._standins, mine
        judgement = self._judge(self._with_references, sheet, mine, above)
        if is_first or judgement.status == "right":
            return judgement
        return self._in_fresh_session(sheet, mine, above)

    def _session_for_references(self) -> Session:
        """The process of the first tries, if nothing that ran there can spoil another try; else a new one."""
        together = self._together
        if together and together.alive and self._plan.keeps_nothing:
            return together
        return self._session()

    def _in_fresh_session(
        self, sheet: Sheet, standins: Mapping[str, Callable[..., Any]], above: float
    ) -> Judgement:
        session = self._session()
        try:
            return self._judge(session, sheet, standins, above)
        finally:
            self._end(session)

    def _judge(
        self,
        session: Session,
        sheet: Sheet,
        standins: Mapping[str, Callable[..., Any]],
        above: float,
        answers: Mapping[Asked, list[Outcome]] | None = None,
    ) -> Judgement:
        """Try an exercise.

        Args:
            session: where its function is called.
            sheet: the exercise.
            standins: references in place of functions.
            above: its mistake is told where the share is above this: -1.0 always, 1.0 never.
            answers: what it and others answered already to what they are asked first.
        """
        own = self._own_sheet(sheet.name)
        call = self._caller(session, sheet.name, standins, answers=answers)
        forward = self._forward(session, own, standins)
        wrong = self._wrong_forward(own, forward) if forward else None
        called = self._called(sheet)
        judgement = judge(
            own,
            call,
            forward,
            wrong,
            called & self._right_ones(),
            called,
            names=sheet,
            above=above,
            costs=self._costs(session, own),
            aside=self._caller(session, sheet.name, standins, aside=True, answers=answers),
        )
        if self._is_missing(judgement):
            judgement.returned = None
            self._explain_missing(judgement)
        return judgement

    def _right_ones(self) -> frozenset[str]:
        return frozenset(n for n, judged in self._judged.items() if judged.status == "right")

    def _called(self, sheet: Sheet) -> frozenset[str]:
        """The exercises that the student's answer names, itself or through what it names."""
        waiting, seen = [sheet.name], set()
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += self._plan.mentions.get(name, [])
        return frozenset(n for n in needed_by(self._sheets, sheet.name) if n in seen)

    def _costs(self, session: Session, sheet: Sheet) -> Costs | None:
        """How the cost of a backward is measured: in the sandbox, against the right forward's here."""
        if sheet.forward is None:
            return None
        right = trusted(self._grader.master.reference[sheet.forward.name])
        return Costs(right, time.process_time, lambda: session.cpu_seconds)

    def _forward(
        self, session: Session, sheet: Sheet, standins: Mapping[str, Callable[..., Any]]
    ) -> Call | None:
        """How the student's own forward is called."""
        if sheet.forward is None:
            return None
        if not sheet.forward.is_exercise:
            return trusted(self._grader.master.reference[sheet.forward.name])
        own = self._judged.get(sheet.forward.name)
        if own is None or own.status == "unanswered":
            return None
        return self._caller(session, sheet.forward.name, standins)

    def _wrong_forward(self, sheet: Sheet, forward: Call) -> WrongForward | None:
        """What is known of the student's own forward, where it is not right.

        A name moves a mark here: it is believed if the mistake gives the same for this submission's inputs.
        """
        own = self._judged.get(sheet.forward.name) if sheet.forward else None
        if own is None or own.status != "wrong":
            return None
        master = self._grader.master
        named = [d.name for d in own.diagnoses if not d.where]
        known = len(named) == len(own.diagnoses) == 1
        mistaken = self._grader.mistaken(own.name).get(named[0]) if known else None
        if mistaken:
            unseen = self._own_sheet(own.name)
            if not explains_all(unseen, effects_of(mistaken, unseen), asked(unseen, forward)):
                mistaken = None
        return WrongForward(master.reference[own.name], mistaken)

    def _caller(
        self,
        session: Session,
        name: str,
        standins: Mapping[str, Callable[..., Any]],
        aside: bool = False,
        answers: Mapping[Asked, list[Outcome]] | None = None,
    ) -> Call:
        """What calls a student's function; its first answers are taken from those that are there already."""
        function = Asked(name, self._sheets[name].spec.tried_by, aside)
        known = [answers[function]] if answers and function in answers else []

        def call(batch: Any) -> list[Outcome]:
            outcomes = known.pop() if known else session.call_in_turn({function: batch}, standins)[0]
            if any(outcome.changed_inputs for outcome in outcomes):
                self._writers.add(name)
            if standins:
                return [_without_words(outcome) for outcome in outcomes]
            return [replace(o, error=self._told(o, o.error)) if o.error else o for o in outcomes]

        return call

    def _told(self, outcome: Outcome, error: StudentError) -> StudentError:
        """An error at the line that may be to blame for it: not in given code, nor in a right answer."""

        def is_right(place: Place) -> bool:
            cell = self._plan.cells[place.cell] if place.cell is not None else None
            judged = self._judged.get(cell.exercise) if cell else None
            return bool(cell and cell.role in OURS) or bool(judged and judged.status == "right")

        return self._explained(at_own_line(error, outcome.places, is_right))

    def _explained(self, error: StudentError) -> StudentError:
        """An error with its cause, where that lies in what is run for a grade and what is not."""
        cause = ""
        if name := undefined_name(error):
            cause = self._why_missing(name)
            cause += f"; {self._may_use()}" if lacks_package(cause) else ""
        elif error.kind == "PermissionError" and "not permitted" in error.message:
            cause = "where it is graded no process or thread can be started: `num_workers` stays at 0"
        elif error.kind == "ModuleNotFoundError":
            cause = self._may_use()
        elif error.kind == "syntax" and self._plan.python > sys.version_info[:2]:
            theirs, ours = (".".join(map(str, v[:2])) for v in (self._plan.python, sys.version_info))
            cause = newer_python(theirs, ours)
        return replace(error, message=f"{error.message}; {cause}") if cause else error

    def _may_use(self) -> str:
        return f"an answer may use {' and '.join(self._grader.packages)}, and Python's own library"

    def _why_missing(self, name: str) -> str:
        """Why a name is not there when the cells have run; they are read once, whatever is missed."""
        if self._surveyed is None:
            self._surveyed = self._grader.reader.survey(self._plan.sources, self._grader.packages)
        return self._surveyed.why_missing(name)

    @staticmethod
    def _is_missing(judgement: Judgement) -> bool:
        return any(c.finding and c.finding.kind is Kind.MISSING for c in judgement.checks)

    def _explain_missing(self, judgement: Judgement) -> None:
        """A function may be missing because its cell stopped: then that is what to say."""
        stops = [error for error in self._cell_errors if self._is_in_answer(error, judgement.name)]
        found = Finding(Kind.MISSING, names=(judgement.name,))
        if stops:
            found = Finding(Kind.CELL_STOPS, error=stops[0])
        judgement.checks = [Check("answered", False, found)]
        told = symptom({"answered": found}, [], {})
        judgement.diagnoses = [told] if told else []
        judgement.notes += [note for note in self._plan.notes if f"({judgement.name})" in note]

    def _is_in_answer(self, error: StudentError, exercise: str) -> bool:
        return error.cell is not None and self._plan.cells[error.cell].exercise == exercise

    def _problems_of_cells(self) -> list[str]:
        words = []
        for error in self._cell_errors[:5]:
            cell = self._plan.cells[error.cell] if error.cell is not None else None
            if cell and cell.role in OURS:
                continue
            name = f"the cell of {cell.exercise}" if cell and cell.exercise else "a cell of your own"
            words.append(f"{name} stops: {cell_error(error)}")
        return words
