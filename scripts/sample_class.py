"""The sample class of `make demo`: at least 14 submissions a notebook, made from the course itself.

Right answers come from `tests/alternatives/`, typical mistakes are the misconceptions of
`exercises.py`, and a few students hand in what students hand in: nothing, half a cell, an attack.
"""

from __future__ import annotations

import copy
import json
import runpy
from pathlib import Path
from typing import Any

from autograder.course.masters import Master
from autograder.course.notebook import release_notebook, source_notebook

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

RIGHT = ["ada", "bela", "chidi", "dalia"]
MISTAKEN = ["emil", "fatma", "goran", "hana", "imre", "jana"]


def sample_class(master: Master) -> dict[str, bytes]:
    """Submissions by student.

    Args:
        master: the notebook.
    """
    source = _plain(source_notebook(master))
    release = _plain(release_notebook(source_notebook(master)))
    alternatives = runpy.run_path(str(ROOT / "tests" / "alternatives" / f"{master.name}.py"))["ALTERNATIVES"]
    names = list(master.exercises)
    submissions = {}
    for i, student in enumerate(RIGHT):
        answers = {name: alternatives[name][i % len(alternatives[name])] for name in names}
        submissions[student] = _submission(release, answers)
    references = {name: master.exercises[name].source for name in names}
    for i, student in enumerate(MISTAKEN):
        name = names[i % len(names)]
        mutants = master.exercises[name].spec.misconceptions
        # Two students share each mistake: the class report has something to rank.
        wrong = master.mutate(name, mutants[(i // len(names)) % len(mutants)])
        submissions[student] = _submission(release, {**references, name: wrong})
    first, last = names[0], names[-1]
    common = master.exercises[last].spec.misconceptions[0]
    for student in ("kofi", "lena"):
        submissions[student] = _submission(release, {**references, last: master.mutate(last, common)})
    half = references[first].split("### END SOLUTION")[0] + "\n    return ((\n"
    submissions["mats"] = _submission(release, {**references, first: half})
    submissions["nora"] = _submission(release, {first: references[first]})
    submissions["olga"] = json.dumps(release).encode()
    submissions["piet"] = b'{"cells": [{"cell_type": "code", "source": "def '
    submissions["mallory"] = _submission(release, {first: references[first]}, ATTACK)
    assert {cell["cell_type"] for cell in source["cells"]} <= {"code", "markdown"}
    return submissions


def _plain(notebook: Any) -> dict[str, Any]:
    return json.loads(json.dumps(notebook))


def _submission(release: dict[str, Any], answers: dict[str, str], own: str = "") -> bytes:
    """The release with answers written into its answer cells, and a written answer."""
    notebook = copy.deepcopy(release)
    cells = notebook["cells"]
    for cell in cells:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if cell["metadata"].get("nbgrader", {}).get("solution") and grade_id in answers:
            cell["source"] = answers[grade_id]
        if cell["source"] == "*Write your answer here.*":
            cell["source"] = "Because the gradient has to find its way back through every step."
    if own:
        first = next(i for i, c in enumerate(cells) if c["metadata"].get("nbgrader", {}).get("solution"))
        cell = {"cell_type": "code", "id": "own", "metadata": {}, "outputs": [], "execution_count": None}
        cells.insert(first, {**cell, "source": own})
    return json.dumps(notebook, indent=1).encode()


def write_class(master: Master, folder: Path) -> int:
    """Write the sample class in nbgrader's layout; returns how many submissions there are."""
    submissions = sample_class(master)
    for student, content in submissions.items():
        path = folder / student / master.name / f"{master.name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return len(submissions)
