"""What Gradescope's container runs for each submission: one notebook is graded, and `results.json` written.

Started by `run_autograder` as root; a student's code runs as another user, to whom nothing belongs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.course.places import CHECKPOINTS
from autograder.errors import AutograderError, Ungradable
from autograder.exchange.recognise import Recogniser
from autograder.grading.grade import Grader
from autograder.grading.submission import read_bytes
from autograder.record import Judgement, Record
from autograder.report.feedback import as_text
from autograder.report.sentences import sentence

# Nobody's in the images that Gradescope offers.
STUDENTS_CODE = 61007
SETTINGS, KEY, COURSE = "settings.json", "course.key", "course"
VISIBILITIES = ("visible", "after_due_date", "after_published", "hidden")
MOST_FILES = 200


def main(home: Path) -> None:
    """Grade what lies in `submission/` and write `results/results.json`, whatever happens."""
    settings = json.loads((home / "source" / SETTINGS).read_text("utf-8"))
    try:
        results = _graded(home, settings)
    except AutograderError as error:
        print(error)  # for the instructors: standard output is theirs alone
        results = _nothing(str(error))
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
        results = _nothing("the grader itself failed; your instructor sees why")
    target = home / "results" / "results.json"
    target.write_text(json.dumps(results, allow_nan=False, indent=1), "utf-8")


def _graded(home: Path, settings: dict[str, str]) -> dict[str, Any]:
    folder = home / "source" / COURSE / "solutions" / settings["notebook"]
    content, told = find_notebook(home / "submission", folder)
    key = (home / "source" / KEY).read_text("utf-8").strip()
    with Grader(folder, key, uid=STUDENTS_CODE) as grader:
        record = grader.grade(content).record("")
        hints = {name: exercise.spec.hints for name, exercise in grader.master.exercises.items()}
        written = [cell.name for cell in grader.master.cells_with("written")]
    return results_of(record, hints, settings["visibility"], told, written)


def find_notebook(submission: Path, folder: Path) -> tuple[bytes, str]:
    """The notebook among the files of a submission, by its content, and what is to be said of the choice.

    Args:
        submission: the folder with what was handed in.
        folder: the master's folder.

    Raises:
        Ungradable: there is none; says what there is instead.
    """
    recogniser = Recogniser([folder])
    found: list[tuple[tuple[Any, ...], Path, bytes]] = []
    others = []
    paths = (p for p in sorted(submission.rglob("*")) if p.is_file() and CHECKPOINTS not in p.parts)
    for path, _ in zip(paths, range(MOST_FILES), strict=False):
        name = path.relative_to(submission).as_posix()
        try:
            content = read_bytes(path)
        except Ungradable as error:
            others.append(f"{name}: {error}")
            continue
        looked = recogniser.look(content)
        if looked.notebook:
            found.append(((looked.answers > 0, path.stat().st_mtime), path, content))
        else:
            others.append(f"{name}, {looked.words}")
    if not found:
        there = "; ".join(others[:5]) or "no file"
        raise Ungradable(f"there is no {folder.name} among what was handed in, but {there}")
    _, path, content = max(found, key=lambda one: (one[0], one[1]))
    told = f"Of several notebooks {path.name} was graded." if len(found) > 1 else ""
    return content, told


def results_of(
    record: Record, hints: dict[str, Any], visibility: str, told: str, written: list[str]
) -> dict[str, Any]:
    """A record as Gradescope reads it: a test for each exercise with its mark, and one for each check."""
    tests: list[dict[str, Any]] = []
    for number, mark in enumerate(record.marks, start=1):
        judgement = mark.judgement
        text = as_text(judgement)
        if judgement.status != "right" and not judgement.diagnoses:
            text += f"\n  Hint: {hints[mark.name][0]}"
        tests.append(
            {
                "number": str(number),
                "name": mark.name,
                "score": mark.score,
                "max_score": mark.max_score,
                "status": "passed" if mark.score >= mark.max_score else "failed",
                "output": text,
                "output_format": "text",
                "visibility": visibility,
            }
        )
        tests += _checks(judgement, number, visibility)
    lines = [told, *record.problems]
    if written:
        lines.append(f"A person marks {', '.join(written)}: that is not in this mark.")
    return {
        "score": record.score,
        "output": "\n".join(filter(None, lines)),
        "output_format": "text",
        "visibility": visibility,
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def _checks(judgement: Judgement, number: int, visibility: str) -> Iterator[dict[str, Any]]:
    """The checks of an exercise: they say what is right, and carry no points of their own."""
    for i, check in enumerate(judgement.checks, start=1):
        yield {
            "number": f"{number}.{i}",
            "name": f"{judgement.name}: {check.name}",
            "status": "passed" if check.passed else "failed",
            "output": sentence(check.finding),
            "output_format": "text",
            "visibility": visibility,
        }


def _nothing(why: str) -> dict[str, Any]:
    return {"score": 0, "output": f"Not graded: {why}", "output_format": "text", "tests": []}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
