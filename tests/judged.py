"""The corpus of answers (`tests/corpus/*.txt`): how a line is read, run, and judged by a student's check."""

import linecache
import re
from dataclasses import dataclass
from pathlib import Path

from course import ROOT, frozen_checks, master_of

from autograder.check import judge_here
from autograder.errors import CourseError
from autograder.judging.gradients import Call
from autograder.judging.judge import judge_probe
from autograder.record import Judgement
from autograder.report.sentences import sentence
from autograder.sheets.sheet import Sheet

CORPUS = ROOT / "tests" / "corpus"


@dataclass(frozen=True)
class Line:
    """One answer: what a student wrote, and what the first sentence must say of it.

    Args:
        place: the file and the number of the line.
        notebook: the notebook's name.
        exercise: the exercise.
        said: "right"; or, for a wrong answer, what stands in the first sentence.
        code: the function's body, or whole cells that begin with `def`, `class` or a decorator.
    """

    place: str
    notebook: str
    exercise: str
    said: str
    code: str

    def source(self) -> str:
        """The answer's cell."""
        code = self.code.replace(r"\n", "\n")
        if code.startswith(("def ", "class ", "@")):
            return code + "\n"
        parameters = ", ".join(master_of(self.notebook).exercises[self.exercise].parameters)
        body = "\n".join(f"    {line}" for line in code.split("\n"))
        return f"def {self.exercise}({parameters}):\n{body}\n"


def lines_of(path: Path) -> list[Line]:
    """The lines of one file: `exercise | what the first sentence must say | code`."""
    if not path.is_file():
        raise CourseError(
            f"there is no tests/corpus/{path.name}: write some answers into it, one a line "
            '(CONTRIBUTING.md, "The corpus")'
        )
    found = []
    for number, text in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if text.strip() and not text.startswith("#"):
            exercise, said, code = (part.strip() for part in text.split(" | ", 2))
            found.append(Line(f"{path.name}:{number}", path.stem, exercise, said, code))
    return found


def judged(line: Line) -> Judgement:
    """What the check in a notebook finds: the other exercises are right, but for those in the same cell."""
    namespace = dict(master_of(line.notebook).reference)
    name = f"<ipython-input-{line.place}>"
    source = line.source()
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), namespace)
    checks = frozen_checks(line.notebook)
    return judge_here(checks, checks.sheet(line.exercise), namespace[line.exercise])


def first_sentence(judgement: Judgement) -> str:
    """What a student reads first below the headline: the diagnoses, or what is wrong first."""
    named = [f"{d.name} ({d.where})" if d.where else d.name for d in judgement.diagnoses]
    if named:
        return " and ".join(named)
    return next(sentence(check.finding) for check in judgement.checks if not check.passed)


def stages_in_vain(sheet: Sheet, judgement: Judgement, call: Call) -> list[str]:
    """Stages that a judgement names and that say "right"; ways of whose stages none shows anything."""
    found = []
    for diagnosis in judgement.diagnoses:
        way = sheet.spec.ways.get(diagnosis.name)
        named = re.findall(r'stage="([^"]+)"', diagnosis.hint)
        if way and way.stages and not named:
            found.append(f"{diagnosis.name}: none of its stages shows it")
        right = [stage for stage in named if judge_probe(sheet, sheet.probes[stage], call).status == "right"]
        found += [f"{diagnosis.name}: stage {stage!r} says right" for stage in right]
    return found
