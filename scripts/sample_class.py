"""The sample class of `make demo`: at least 14 submissions a notebook, made from the course itself.

Right answers come from `tests/alternatives/`, typical mistakes are the misconceptions of
`exercises.py`, and a few students hand in what students hand in: nothing, half a cell, an attack.
"""

from __future__ import annotations

import ast
import copy
import csv
import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from autograder.course.alternatives import alternatives_file, read_alternatives
from autograder.course.masters import Master, points_of
from autograder.course.notebook import ANSWER_PROMPT, release_notebook, source_notebook
from autograder.course.roster import name_key
from autograder.errors import CourseError

ROOT = Path(__file__).resolve().parents[1]

ATTACK = """
import os, sys
np.allclose = lambda *a, **k: True
for place in ("/", "/work", "/home", "/proc/1", "/etc/passwd"):
    try:
        os.listdir(place)
    except OSError:
        pass
try:
    os.kill(os.getppid(), 9)
except OSError:
    pass
sys.modules["numpy"].array_equal = lambda *a, **k: True
"""

# A mistake that nobody foresaw, written in three ways: another function in the place of tanh.
SQUASHED = (
    "({x}) / np.sqrt(1 + ({x}) ** 2)",
    "np.divide({x}, np.hypot(1, {x}))",
    "({x}) * (1 + ({x}) ** 2) ** -0.5",
)
UNFORESEEN = ("rosa", "sven", "tara")
# What one tried, and another handed in with new names.
TRIED = """
def {spread}({numbers}, {parts}=4):
    {ordered} = sorted(float(n) for n in {numbers})
    {step} = max(len({ordered}) // {parts}, 1)
    groups = [{ordered}[i : i + {step}] for i in range(0, len({ordered}), {step})]
    return [round(max(group) - min(group), 3) for group in groups if group]


for share in {spread}(np.random.default_rng(5).normal(size=40)):
    print("spread", share, "of", round(2 * share, 1))
"""
TRIED_BY = {
    "ugo": {"spread": "spread", "numbers": "numbers", "parts": "parts", "ordered": "ordered", "step": "step"},
    "vera": {"spread": "widths", "numbers": "values", "parts": "n", "ordered": "in_order", "step": "size"},
}
BECAUSE = "Because the gradient has to find its way back through every step."

RIGHT = ["ada", "bela", "chidi", "dalia"]
MISTAKEN = ["emil", "fatma", "goran", "hana", "imre", "jana"]


def alternatives_of(notebook: str) -> dict[str, list[str]]:
    """Right answers to a notebook's exercises, written differently.

    Raises:
        CourseError: nobody wrote any.
    """
    found = read_alternatives(ROOT, notebook)
    if not found:
        path = alternatives_file(ROOT, notebook)
        raise CourseError(
            f"there is no {path.relative_to(ROOT)}: write at least five right answers to each exercise into "
            'it (CONTRIBUTING.md, "Alternatives"); `autograder new` begins a notebook with them'
        )
    return found


def sample_class(master: Master) -> dict[str, bytes]:
    """Submissions by student.

    Args:
        master: the notebook.
    """
    source = _plain(source_notebook(master))
    release = _plain(release_notebook(source_notebook(master)))
    alternatives = alternatives_of(master.name)
    names = list(master.exercises)
    submissions = {}
    for i, student in enumerate(RIGHT):
        answers = {name: alternatives[name][i % len(alternatives[name])] for name in names}
        submissions[student] = submission(release, answers)
    references = {name: master.exercises[name].source for name in names}
    for i, student in enumerate(MISTAKEN):
        name = names[i % len(names)]
        mutants = master.exercises[name].spec.misconceptions
        # Two students share each mistake: the class report has something to rank.
        wrong = master.mutate(name, mutants[(i // len(names)) % len(mutants)])
        submissions[student] = submission(release, {**references, name: wrong})
    first, last = names[0], names[-1]
    common = master.exercises[last].spec.misconceptions[0]
    for student in ("kofi", "lena"):
        submissions[student] = submission(release, {**references, last: master.mutate(last, common)})
    half = references[first].split("### END SOLUTION")[0] + "\n    return ((\n"
    submissions["mats"] = submission(release, {**references, first: half})
    submissions["nora"] = submission(release, {first: references[first]})
    submissions["olga"] = json.dumps(release).encode()
    submissions["piet"] = b'{"cells": [{"cell_type": "code", "source": "def '
    submissions["mallory"] = submission(release, {first: references[first]}, ATTACK)
    assert {cell["cell_type"] for cell in source["cells"]} <= {"code", "markdown"}
    return submissions


def _plain(notebook: Any) -> dict[str, Any]:
    return json.loads(json.dumps(notebook))


def demo_class(master: Master) -> dict[str, bytes]:
    """The sample class, and what more an instructor meets: a mistake that nobody foresaw, two who are alike.

    Args:
        master: the notebook.
    """
    release = _plain(release_notebook(source_notebook(master)))
    references = {name: exercise.source for name, exercise in master.exercises.items()}
    submissions = sample_class(master)
    wrong = next(((name, text) for name, text in references.items() if _tanh_of(text)), None)
    if wrong:
        name, text = wrong
        for student, instead in zip(UNFORESEEN, SQUASHED, strict=True):
            answer = text.replace(*_exchanged(text, instead))
            says = {"tara": f"  {BECAUSE.lower()} "}.get(student, "It squashes.")
            submissions[student] = submission(release, {**references, name: answer}, says=says)
    for student, names in TRIED_BY.items():
        submissions[student] = submission(release, references, TRIED.format(**names))
    return submissions


def _tanh_of(source: str) -> str:
    """A call of tanh in a solution, as it is written there; "" where there is none."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    texts = (ast.get_source_segment(source, node) or "" for node in calls)
    return next((text for text in texts if text.startswith("np.tanh(")), "")


def _exchanged(source: str, instead: str) -> tuple[str, str]:
    call = _tanh_of(source)
    return call, f"({instead.format(x=call.removeprefix('np.tanh(').removesuffix(')'))})"


def submission(release: dict[str, Any], answers: dict[str, str], own: str = "", says: str = BECAUSE) -> bytes:
    """The release with answers in its answer cells, and a written answer; `own` is one more cell."""
    notebook = copy.deepcopy(release)
    cells = notebook["cells"]
    for cell in cells:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if cell["metadata"].get("nbgrader", {}).get("solution") and grade_id in answers:
            cell["source"] = answers[grade_id]
        if cell["source"] == ANSWER_PROMPT:
            cell["source"] = says
    if own:
        first = next(i for i, c in enumerate(cells) if c["metadata"].get("nbgrader", {}).get("solution"))
        cell = {"cell_type": "code", "id": "own", "metadata": {}, "outputs": [], "execution_count": None}
        cells.insert(first, {**cell, "source": own})
    return json.dumps(notebook, indent=1).encode()


FAMILIES = {"bela": "Şahin-Öz", "chidi": "O'Neill", "mats": "Rell_48936"}
NEVER = "quentin"


def people(logins: Iterable[str]) -> dict[str, tuple[str, int]]:
    """The class as Canvas knows it: login -> "family, given", and Canvas's number. One never hands in."""
    return {
        login: (f"{FAMILIES.get(login, f'Family{i:02d}')}, {login.capitalize()}", 48300 + i)
        for i, login in enumerate(sorted({*logins, NEVER}))
    }


def write_canvas_export(masters: list[Master], folder: Path) -> None:
    """Write what an instructor saves from Canvas: the gradebook, and a zip of each notebook's submissions.

    Files are called what students call them: Untitled, zipped, handed in again, late.

    Args:
        masters: the notebooks.
        folder: where the files go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    classes = {master.name: demo_class(master) for master in masters}
    known = people(login for submissions in classes.values() for login in submissions)
    titles = [f"{master.name} ({7000 + i})" for i, master in enumerate(masters)]
    with (folder / "gradebook.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *titles, "Final Score"])
        points = [f"{_points(master):.2f}" for master in masters]
        writer.writerow(["    Points Possible", "", "", "", "", *points, "(read only)"])
        for login, (name, number) in known.items():
            writer.writerow([name, number, f"s{number}", login, "Monday", *("" for _ in masters), ""])
    for notebook, submissions in classes.items():
        with zipfile.ZipFile(folder / f"{notebook}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for i, (login, content) in enumerate(submissions.items()):
                name, number = known[login]
                late = "_LATE" if login == "dalia" else ""
                shown = {"bela": "Untitled7.ipynb", "emil": f"{notebook}-1.ipynb", "ada": "hw.zip"}
                file_name = shown.get(login, f"{notebook}.ipynb")
                data = _zipped(f"{notebook}/{notebook}.ipynb", content) if login == "ada" else content
                archive.writestr(f"{name_key(name)}{late}_{number}_{91000 + i}_{file_name}", data)


def _points(master: Master) -> float:
    written = sum(points_of(cell) for cell in master.cells_with("written"))
    return written + sum(exercise.points for exercise in master.exercises.values())


def _zipped(name: str, content: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return data.getvalue()
