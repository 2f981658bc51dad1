"""Reading masters: a folder of `solutions/` becomes cells, references and exercises.

A master is trusted: it is the instructor's own code, and its reference solutions are executed here.
This module knows nothing of students, sandboxes or marks.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from autograder.course.exercise import Exercise, Mutant
from autograder.course.mistakes import mistaken, read_mistakes
from autograder.course.places import source_files
from autograder.course.questions import ASKING, Question, by_number, read_question
from autograder.course.stubs import body_of, is_stub
from autograder.course.told_modules import modules_told
from autograder.errors import CourseError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
BEGIN_SCHEME, END_SCHEME = "=== BEGIN MARK SCHEME ===", "=== END MARK SCHEME ==="
SLIDE_TYPES = ("slide", "subslide", "fragment", "notes", "skip", "-")
ROLES = ("exercise", "check", "given", "written", "guess", "recall", "answer", "found")
# Cells that a release does not hold: its data file does, until they are earned.
TOLD_LATER = ("answer", "found")
KNOWN = {*ROLES, "points", "slide", "needs", "hide_input", "extra", "sitting", "sealed", "dropped"}


@dataclass(frozen=True)
class Cell:
    """A cell of a master.

    Args:
        kind: "code" or "markdown".
        source: its text.
        metadata: what stands behind its `# %%`.
        number: its place in the master, counted from 1, for messages.
    """

    kind: str
    source: str
    metadata: dict[str, Any]
    number: int

    @property
    def role(self) -> str | None:
        """One of `ROLES`, or None for a cell of its own."""
        return next((role for role in ROLES if role in self.metadata), None)

    @property
    def name(self) -> str:
        """The name that the cell's role gives it."""
        return self.metadata[self.role] if self.role else ""

    @property
    def solution(self) -> str:
        """The text between BEGIN SOLUTION and END SOLUTION (exclusive)."""
        return "\n".join(solution_regions(self.source))


def solution_regions(source: str) -> list[str]:
    """The texts between BEGIN and END SOLUTION markers, in order."""
    pattern = re.compile(rf"^[ \t]*{BEGIN}[ \t]*\n(.*?)^[ \t]*{END}[ \t]*$", re.M | re.S)
    return pattern.findall(source)


def without_scheme(text: str) -> str:
    """A written question as students read it."""
    before, _, rest = text.partition(BEGIN_SCHEME)
    return before + rest.partition(END_SCHEME)[2]


def mark_scheme(source: str) -> str:
    """The mark scheme in a written question's cell."""
    return source.partition(BEGIN_SCHEME)[2].partition(END_SCHEME)[0].strip()


@dataclass(frozen=True)
class GradedExercise:
    """An exercise of a master: its declaration, points, reference, and the given cell that it is tried in."""

    name: str
    points: float
    source: str
    spec: Exercise
    tried_in: str = ""

    @property
    def called(self) -> str:
        """The name of the function that is called to try an answer: the exercise's, or a given one."""
        return self.spec.tried_by or self.name

    @cached_property
    def parameters(self) -> list[str]:
        """Names of the arguments of the function that is called, in order."""
        namespace: dict[str, Any] = {}
        source = self.tried_in or self.source
        match = re.search(rf"^def {self.called}\((.*?)\)(?:\s*->.*?)?:\s*$", source, re.M | re.S)
        if not match:
            raise CourseError(f"the cell of exercise {self.name!r} has no `def {self.called}(...)`")
        header = f"from __future__ import annotations\ndef called({match.group(1)}): pass"
        exec(compile(header, f"<signature of {self.name}>", "exec"), namespace)
        return list(inspect.signature(namespace["called"]).parameters)


@dataclass
class Master:
    """A notebook's master and what is graded in it.

    Kept here once it is known: `without_work`, exercise -> what is seen of an answer that does nothing; and
    `leaves_alone`, exercises whose reference writes into none of its arguments.
    """

    name: str
    folder: Path
    cells: list[Cell]
    exercises: dict[str, GradedExercise] = field(default_factory=dict)
    packages: tuple[str, ...] = ("numpy",)
    limits: dict[str, float] = field(default_factory=dict)
    alike: tuple[str, ...] = ()
    without_work: dict[str, frozenset[str]] = field(default_factory=dict)
    leaves_alone: set[str] = field(default_factory=set)

    @property
    def title(self) -> str:
        """The first heading of the notebook."""
        for cell in self.cells:
            found = re.search(r"^# (.+)$", cell.source, re.M) if cell.kind == "markdown" else None
            if found:
                return found.group(1).strip()
        return self.name

    @cached_property
    def made_from(self) -> dict[str, str]:
        """The files that the notebook is written in, by name, with a hash of each one's text."""
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16]
            for path in source_files(self.folder)
        }

    def cells_with(self, role: str) -> list[Cell]:
        """The cells of one role, in order."""
        return [cell for cell in self.cells if cell.role == role]

    @cached_property
    def questions(self) -> dict[str, Question]:
        """The questions that students answer by typing, by their numbers.

        Raises:
            CourseError: a question's cell is not one call with literals, or two have one number.
        """
        asked = [
            read_question(cell.source, cell.role or "", f"{self.name}, cell {cell.number}")
            for cell in self.cells
            if cell.role in ASKING
        ]
        return by_number(asked, self.name)

    @cached_property
    def told(self) -> dict[str, Any]:
        """What the release withholds until it is earned, as plain data.

        Returns:
            "questions": number -> "answers", "choices", the "reason" (Markdown), and whether it is "sealed"
            until the notebook reveals it; "derivations": exercise -> its cells, each [kind, source];
            the kind of a code cell whose source is hidden is "folded"; "modules", where derivations import
            some that do not ship: dotted name -> text.
        """
        answers = {cell.name: cell for cell in self.cells_with("answer")}
        questions = {
            number: {
                "answers": q.answers,
                "choices": q.choices if isinstance(q.choices, dict) else list(q.choices),
                "reason": answers[number].source,
                "sealed": answers[number].metadata.get("sealed", False),
            }
            for number, q in self.questions.items()
        }
        derivations: dict[str, list[list[str]]] = {}
        for cell in self.cells_with("found"):
            kind = "folded" if cell.metadata.get("hide_input") else cell.kind
            derivations.setdefault(cell.name, []).append([kind, cell.source])
        told: dict[str, Any] = {"questions": questions, "derivations": derivations}
        code = [cell.source for cell in self.cells_with("found") if cell.kind == "code"]
        if modules := modules_told(code, self.folder.parents[1]):
            told["modules"] = modules
        return told

    @cached_property
    def model_answers(self) -> dict[str, str]:
        """What the mark scheme of each written question says, for whoever studies alone."""
        return {cell.name: mark_scheme(cell.source) for cell in self.cells_with("written")}

    @cached_property
    def graded_code(self) -> list[Cell]:
        """The cells a grade depends on: given code and solutions, in order."""
        return [cell for cell in self.cells if cell.role in ("given", "exercise")]

    def namespace(self, replaced: dict[str, str] | None = None) -> dict[str, Any]:
        """Execute the given cells and the reference solutions, and nothing else.

        Args:
            replaced: exercise name -> source to execute in place of the reference's cell.
        """
        namespace: dict[str, Any] = {"__name__": f"reference_{self.name}"}
        for cell in self.graded_code:
            source = (replaced or {}).get(cell.name, cell.source) if cell.role == "exercise" else cell.source
            place = f"{self.name}, cell {cell.number} ({cell.name})"
            try:
                exec(_compiled(source, f"<{place}>"), namespace)
            except ModuleNotFoundError as error:
                raise CourseError(f"{self.name}: {needs(error.name or '')}") from error
            except Exception as error:
                raise CourseError(f"{place} cannot be executed: {error!r}") from error
        return namespace

    @cached_property
    def reference(self) -> dict[str, Any]:
        """The namespace of the references; treat it as read-only."""
        return self.namespace()

    def mutate(self, exercise: str, mutant: Mutant) -> str:
        """The source of an exercise's cell with a mutant's edits made.

        Raises:
            CourseError: an edit does not fit the reference solution.
        """
        source = self.exercises[exercise].source
        head, solution, tail = source.partition(solution_regions(source)[0])
        try:
            return head + mistaken(solution, mutant.edits) + tail
        except CourseError as error:
            raise CourseError(f"{self.name}: mutant {mutant.name!r} of {exercise!r}: {error}") from error

    def called(self, exercise: str, replaced: dict[str, str] | None = None) -> Callable[..., Any]:
        """What is called to try an exercise, with the references or with other answers in their places.

        Args:
            exercise: the exercise.
            replaced: as in `namespace`.
        """
        namespace = self.namespace(replaced) if replaced else self.reference
        return namespace[self.exercises[exercise].called]

    def mutant_function(self, exercise: str, mutant: Mutant) -> Callable[..., Any]:
        """What is called where a student has this misconception."""
        return self.called(exercise, {exercise: self.mutate(exercise, mutant)})

    def trying(self, exercise: str, answer: Any) -> Callable[..., Any]:
        """What is called where something is handed in: itself, or the given function that tries it."""
        graded = self.exercises[exercise]
        if not graded.tried_in:
            return answer
        namespace = dict(self.reference)
        exec(compile(graded.tried_in, f"<what tries {exercise}>", "exec", dont_inherit=True), namespace)
        namespace[exercise] = answer
        return namespace[graded.called]

    @property
    def trying_cells(self) -> list[str]:
        """The given cells by which exercises are tried, each once."""
        return list(dict.fromkeys(e.tried_in for e in self.exercises.values() if e.tried_in))


@lru_cache(maxsize=1000)
def _compiled(source: str, place: str) -> CodeType:
    """A cell's code: a build executes each given cell once for every mistake."""
    return compile(source, place, "exec", dont_inherit=True)


def needs(package: str) -> str:
    """What is said of a package that is not installed here."""
    remedy = "`make torch`" if package == "torch" else f"`pip install {package}`"
    return f"it needs {package}, which is not installed here: {remedy}"


def left_out(folder: Path) -> str:
    """Why a notebook cannot be executed here, in words; "" where all that it declares is installed."""
    packages = _read_exercises(Path(folder) / "exercises.py").get("PACKAGES", ())
    lacking = [package for package in packages if importlib.util.find_spec(package) is None]
    return needs(lacking[0]) if lacking else ""


def read_cells(text: str, place: str) -> list[Cell]:
    """Parse the text of a master: jupytext's py:percent, as far as masters use it.

    jupytext itself needs a second to be imported, and every grader reads a master; a test holds the two
    together.

    Raises:
        CourseError: unknown or missing cell metadata, or markers that do not pair.
    """
    cells = []
    before, *parts = re.split(r"^# %%(.*)$", text, flags=re.M)
    if before.strip():
        raise CourseError(f"{place}: text stands in front of the first `# %%`: {before.strip()[:60]!r}")
    for number, (head, body) in enumerate(zip(parts[::2], parts[1::2], strict=True), start=1):
        here = f"{place}, cell {number}"
        kind, metadata = _cell_head(head.strip(), here)
        source = body.strip("\n")
        if kind == "markdown":
            source = "\n".join(_uncommented(line, here) for line in source.split("\n")).strip("\n")
        cell = Cell(kind, source, metadata, number)
        _validate(cell, here)
        cells.append(cell)
    return cells


def _cell_head(head: str, place: str) -> tuple[str, dict[str, Any]]:
    """A cell's kind and metadata, from what stands behind its `# %%`."""
    kind = "markdown" if head.startswith("[markdown]") else "code"
    rest = head.removeprefix("[markdown]").strip()
    metadata: dict[str, Any] = {}
    while rest:
        found = re.match(r'(\w+)=("[^"]*"|true|false|[\d.]+)(?:\s+|$)', rest)
        if not found:
            raise CourseError(f'{place}: {rest!r} is no metadata; write name="text" or name=number')
        metadata[found.group(1)] = json.loads(found.group(2))
        rest = rest[found.end() :]
    return kind, metadata


def _uncommented(line: str, place: str) -> str:
    """A line of a Markdown cell without its comment sign."""
    if line in ("", "#"):
        return ""
    if not line.startswith("# "):
        raise CourseError(f"{place}: this line of a Markdown cell does not begin with '# ': {line[:60]!r}")
    return line[2:]


def _validate(cell: Cell, place: str) -> None:
    unknown = set(cell.metadata) - KNOWN
    if unknown:
        raise CourseError(f"{place}: unknown cell metadata {sorted(unknown)}; known: {sorted(KNOWN)}")
    if cell.metadata.get("slide", "-") not in SLIDE_TYPES:
        raise CourseError(f"{place}: slide={cell.metadata['slide']!r} is none of {SLIDE_TYPES}")
    if cell.role in ("exercise", "written") and not isinstance(cell.metadata.get("points"), int | float):
        raise CourseError(f"{place}: {cell.role} {cell.name!r} needs points=NUMBER")
    if cell.role == "exercise":
        if cell.source.count(BEGIN) != 1 or cell.source.count(END) != 1 or not cell.solution.strip():
            raise CourseError(f"{place}: {cell.name!r} needs one pair of {BEGIN} / {END} around its body")
    elif BEGIN in cell.source or END in cell.source:
        raise CourseError(f"{place}: solution markers outside an exercise cell")
    if cell.role == "written" and BEGIN_SCHEME not in cell.source:
        raise CourseError(f"{place}: written question {cell.name!r} has no mark scheme")


def points_of(cell: Cell) -> float:
    """What a graded cell counts: nothing where it was dropped."""
    return 0.0 if cell.metadata.get("dropped") else float(cell.metadata["points"])


def read_master(folder: Path) -> Master:
    """Read `folder/NAME.py`, and the `exercises.py` and `mistakes.txt` beside it.

    Raises:
        CourseError: a file is missing, or master and exercises do not fit together.
    """
    folder = Path(folder)
    path = folder / f"{folder.name}.py"
    if not path.is_file():
        raise CourseError(f"there is no master {path}")
    cells = read_cells(path.read_text("utf-8"), folder.name)
    master = Master(folder.name, folder, cells)
    declared = _read_exercises(folder / "exercises.py")
    master.packages = tuple(declared.pop("PACKAGES", ("numpy",)))
    master.limits = dict(declared.pop("LIMITS", {}))
    master.alike = tuple(declared.pop("ALIKE", ()))
    specs = {name: value for name, value in declared.items() if isinstance(value, Exercise)}
    written = {cell.name: cell.solution for cell in master.cells_with("exercise")}
    ways = {name: spec.ways for name, spec in specs.items()}
    mistakes = read_mistakes(folder / "mistakes.txt", written, ways)
    for cell in master.cells_with("exercise"):
        if cell.name in master.exercises:
            raise CourseError(f"{folder.name}: exercise {cell.name!r} stands twice in the master")
        if cell.name not in specs:
            raise CourseError(f"{folder.name}: exercise {cell.name!r} is not declared in exercises.py")
        spec = specs.pop(cell.name)
        if isinstance(spec.returns, str):
            raise CourseError(
                f"{folder.name}: {cell.name!r} has returns={spec.returns!r}; names stand in a tuple, "
                f"with a comma behind a single one: ({spec.returns!r},)"
            )
        spec = replace(
            spec,
            misconceptions=(*mistakes[cell.name], *spec.misconceptions),
            derived=any(found.name == cell.name for found in master.cells_with("found")),
            stands=_to_mend(master, cell, spec),
        )
        points = 0.0 if spec.dropped else points_of(cell)
        tried_in = _tried_in(master, cell.name, spec)
        master.exercises[cell.name] = GradedExercise(cell.name, points, cell.source, spec, tried_in)
    if specs:
        raise CourseError(f"{folder.name}: exercises.py declares {sorted(specs)}, not in the master")
    _validate_pairs(master)
    _validate_told(master)
    return master


def _tried_in(master: Master, name: str, spec: Exercise) -> str:
    """The given cell that defines what an exercise is tried by; "" where it is tried by itself."""
    return _given_function(master, spec.tried_by, f"{name!r} is tried by") if spec.tried_by else ""


def _to_mend(master: Master, cell: Cell, spec: Exercise) -> str:
    """The body that stands in the release to be mended; "" where an exercise starts with a hole.

    Raises:
        CourseError: no given cell has it; it is the solution; or nothing says which tool shows the mistake.
    """
    if not spec.mends:
        return ""
    place = f"{master.name}: {cell.name!r}"
    stands = body_of(_given_function(master, spec.mends, f"{cell.name!r} mends"), spec.mends)
    if is_stub(ast.parse(cell.source), cell.name, stands):
        raise CourseError(f"{place} mends {spec.mends!r}, whose code is the solution's")
    if not spec.shown_by:
        raise CourseError(f"{place} mends something: say in shown_by which tool shows the mistake")
    return stands


def _given_function(master: Master, name: str, says: str) -> str:
    """The text of the given cell that defines a function."""
    begin = re.compile(rf"^def {name}\(", re.M)
    found = [cell.source for cell in master.cells_with("given") if begin.search(cell.source)]
    if len(found) != 1:
        raise CourseError(f"{master.name}: {says} {name!r}, which no given cell defines")
    return found[0]


def _read_exercises(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise CourseError(f"there is no {path}; a notebook without exercises needs an empty one")
    namespace: dict[str, Any] = {"__name__": f"exercises_of_{path.parent.name}", "__file__": str(path)}
    with _common_importable(path.parent.parent / "common.py"):
        _execute(path, namespace)
    return namespace


@contextmanager
def _common_importable(path: Path) -> Iterator[None]:
    """`from common import …` finds the `common.py` of this course, wherever Python was started."""
    other = sys.modules.pop("common", None)
    try:
        if path.is_file():
            module = ModuleType("common")
            module.__file__ = str(path)
            _execute(path, vars(module))
            sys.modules["common"] = module
        yield
    finally:
        sys.modules.pop("common", None)
        if other:
            sys.modules["common"] = other


def _execute(path: Path, namespace: dict[str, Any]) -> None:
    try:
        exec(compile(path.read_text("utf-8"), str(path), "exec", dont_inherit=True), namespace)
    except Exception as error:
        raise CourseError(f"{path} cannot be executed: {error!r}") from error


def _validate_pairs(master: Master) -> None:
    checks = [cell.name for cell in master.cells_with("check")]
    if sorted(checks) != sorted(master.exercises):
        raise CourseError(
            f"{master.name}: check cells {sorted(checks)} do not pair with "
            f"exercises {sorted(master.exercises)}"
        )
    names = [cell.name for cell in master.cells if cell.role in ("given", "exercise", "written")]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CourseError(f"{master.name}: {twice} name more than one cell")
    for exercise in master.exercises.values():
        for needed in exercise.spec.needs:
            if needed not in master.exercises:
                raise CourseError(f"{master.name}: {exercise.name!r} needs {needed!r}, no exercise here")


def _validate_told(master: Master) -> None:
    """Every question has its answer, every derivation its exercise."""
    answered = [cell.name for cell in master.cells_with("answer")]
    if sorted(answered) != sorted(master.questions):
        lone = sorted(set(answered) ^ set(master.questions)) or answered
        raise CourseError(f"{master.name}: questions and answers do not pair: {lone}")
    for cell in master.cells_with("found"):
        if cell.name not in master.exercises:
            raise CourseError(f"{master.name}, cell {cell.number}: found={cell.name!r} is no exercise here")
    for cell in master.cells:
        if cell.role in ASKING and cell.name not in master.questions:
            raise CourseError(
                f"{master.name}, cell {cell.number}: {cell.role}={cell.name!r} has another number in its call"
            )
