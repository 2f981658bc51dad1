"""nbgrader for real: its commands, with the course's configuration, in a course folder of their own."""

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import autograder
from course import KEY, ROOT, TINY, folder_of, master_of, sampled, submission

from autograder.course.places import Places
from autograder.release.build import build

BIN = Path(sys.executable).parent
# What a newcomer has: no activated environment.
ENVIRONMENT = {**os.environ, "PATH": "/usr/bin:/bin", "AUTOGRADER_KEY": KEY}
NOTEBOOKS = sampled((TINY.name, "01_simple_rnn"), 2)

pytestmark = [pytest.mark.xdist_group("nbgrader"), pytest.mark.usefixtures("confined")]

SCRIPT = """<script>document.title = 'owned'</script><img src=x onerror="document.title = 'owned'">

[click me](javascript:document.title='owned') and [click me][1]

[1]: javascript&#58;document.title='owned'

A formula: $a^2 + b_1$, and in it $\\href{javascript:document.title='owned'}{click me}$,
$$\\let\\mine=\\href \\mine{https://example.org}{click me}$$
"""
RAISES = r"""def rnn_step(x_t, s_prev, W):
    raise ValueError(
        "$\\href{javascript:document.title='owned'}{click me}$ and $$\\href{https://example.org}{click me}$$"
    )
"""


def run(course, *command, status=0):
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=course,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, f"{command}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr


def hand_in(course, student, notebook, content):
    path = course / "submitted" / student / notebook / f"{notebook}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    (path.parent / "timestamp.txt").write_text("2026-11-20 10:00:00 UTC\n")


def submissions(notebook):
    """Submissions by student: right, with a mistake, empty, with hostile Markdown, and hostile."""
    master = master_of(notebook)
    name = next(iter(master.exercises))
    mutant = master.exercises[name].spec.misconceptions[0]
    hostile = json.loads(submission(notebook, {name: RAISES}, solved=False))
    for kind in ("markdown", "raw"):
        hostile["cells"].insert(1, {"cell_type": kind, "id": kind, "metadata": {}, "source": SCRIPT})
    hostile["metadata"]["title"] = SCRIPT
    hostile["metadata"]["widgets"] = {
        "application/vnd.jupyter.widget-state+json": {"state": {"</script>": {}}}
    }
    for cell in hostile["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id", "").startswith("check_"):
            cell["metadata"]["nbgrader"]["points"] = 1000
            cell["source"] = "400"
    forger = "import numpy as np\nnp.allclose = lambda *a, **k: True\ncheck = print\nimport os\nos._exit(0)\n"
    honest = {
        "ada": submission(notebook),
        "bela": submission(notebook, {name: master.mutate(name, mutant)}),
    }
    if notebook != TINY.name:
        return honest
    return {
        **honest,
        "chidi": submission(notebook, solved=False),
        "dalia": json.dumps(hostile).encode(),
        "mallory": submission(notebook, solved=False, own_cells=(forger,)),
    }


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with the notebooks released, handed in, graded, and feedback written: by nbgrader."""
    course = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "nbgrader_config.py", course)
    (course / "solutions").mkdir()
    shutil.copy(ROOT / "solutions" / "common.py", course / "solutions")
    for notebook in NOTEBOOKS:
        shutil.copytree(folder_of(notebook), course / "solutions" / notebook)
        build(course / "solutions" / notebook, Places(course))
        run(course, "nbgrader", "generate_assignment", notebook)
        for student, content in submissions(notebook).items():
            hand_in(course, student, notebook, content)
    secret = course / "secret.txt"
    secret.write_text("the instructor's own")
    hand_in(course, "linker", TINY.name, submission(TINY.name))
    (course / "submitted" / "linker" / TINY.name / "loot.txt").symlink_to(secret)
    for notebook in NOTEBOOKS:
        run(course, "nbgrader", "autograde", notebook)
        run(course, "nbgrader", "generate_feedback", notebook)
    return course


def marks(database):
    """(student, notebook, cell) -> automatic mark."""
    query = """select sa.student_id, n.name, b.name, g.auto_score, g.needs_manual_grade from grade g
        join base_cell b on b.id = g.cell_id join submitted_notebook sn on sn.id = g.notebook_id
        join submitted_assignment sa on sa.id = sn.assignment_id join notebook n on n.id = sn.notebook_id"""
    with sqlite3.connect(database) as connection:
        return {tuple(row[:3]): tuple(row[3:]) for row in connection.execute(query)}


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_nbgraders_release_is_ours(course, notebook):
    for name in (f"{notebook}.ipynb", "checks.safetensors"):
        theirs = (course / "release" / notebook / name).read_bytes()
        ours = (course / "notebooks" / notebook / name).read_bytes()
        assert json.loads(theirs) == json.loads(ours) if name.endswith("ipynb") else theirs == ours


def test_no_released_file_holds_a_line_of_a_solution_or_a_mark_scheme(course):
    for notebook in NOTEBOOKS:
        master = master_of(notebook)
        lines = {
            line.strip()
            for exercise in master.exercises.values()
            for line in exercise.source.partition("BEGIN SOLUTION")[2].splitlines()
            if len(line.strip()) > 24 and not line.strip().startswith("#")
        }
        checks = (
            (course / "release" / notebook / "checks.safetensors").read_bytes().decode("utf-8", "replace")
        )
        # A third hint is the first line: it is given on purpose, and only there.
        hints = "".join(hint for exercise in master.exercises.values() for hint in exercise.spec.hints)
        assert not [line for line in lines if json.dumps(line)[1:-1] in checks and line not in hints]
        released = json.loads((course / "release" / notebook / f"{notebook}.ipynb").read_text())
        text = "".join("".join([*cell["source"], "\n"]) for cell in released["cells"])
        assert not lines & {line.strip() for line in text.splitlines()}
        assert "MARK SCHEME" not in text
        released_files = {path.name for path in (course / "release" / notebook).iterdir()}
        assert released_files == {f"{notebook}.ipynb", "checks.safetensors"}


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_the_gradebook_holds_the_marks_of_json(course, notebook, tmp_path):
    result = tmp_path / "marks.json"
    words = ("--jobs", 1, "--json", result, "--journal", tmp_path / "j")
    assert autograder(course, "grade", notebook, *words).status == 0
    found = marks(course / "gradebook.db")
    for record in json.loads(result.read_text()):
        if record["student"] == "linker":
            continue
        for exercise in record["exercises"]:
            key = (record["student"], notebook, f"check_{exercise['name']}")
            assert found[key] == (exercise["score"], 0), key


def test_no_trick_earns_a_mark_and_the_honest_keep_theirs(course):
    found = marks(course / "gradebook.db")
    for (student, notebook, cell), (score, _) in found.items():
        name = cell.removeprefix("check_")
        if name == cell:
            continue
        points = master_of(notebook).exercises[name].points
        assert score == {"ada": points}.get(student, score if student == "bela" else 0.0)


def test_written_questions_wait_for_a_person_with_their_mark_scheme(course):
    found = marks(course / "gradebook.db")
    for notebook in NOTEBOOKS:
        for cell in master_of(notebook).cells_with("written"):
            assert found["ada", notebook, cell.name] == (None, 1)
        shown = (course / "autograded" / "ada" / notebook / f"{notebook}.ipynb").read_text()
        assert "BEGIN MARK SCHEME" in shown


@pytest.mark.ci
def test_a_file_that_is_no_notebook_is_named_and_the_others_are_graded(tmp_path):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    shutil.copytree(folder_of(TINY.name), tmp_path / "solutions" / TINY.name)
    build(tmp_path / "solutions" / TINY.name, Places(tmp_path))
    run(tmp_path, "nbgrader", "generate_assignment", TINY.name)
    broken = {
        "torn": b'{"cells": [',
        "empty": b"",
        "old": b'{"nbformat": 3, "worksheets": []}',
        "pdf": b"%PDF",
    }
    for name, change in {"no_source": {"source": None}, "text": "a cell", "kind": {"cell_type": "x"}}.items():
        notebook = json.loads(submission(TINY.name))
        cell = notebook["cells"][-1]
        notebook["cells"][-1] = {**cell, **change} if isinstance(change, dict) else change
        broken[name] = json.dumps(notebook).encode()
    for student, content in {"ada": submission(TINY.name), **broken}.items():
        hand_in(tmp_path, student, TINY.name, content)
    for command in (["autograde", TINY.name], ["autograde", f"--assignment={TINY.name}", "--force"]):
        said = run(tmp_path, "nbgrader", *command)
        assert "Traceback" not in said
        for student in broken:
            assert f"not graded: '{student}': {TINY.name}: " in said
    assert {student for student, *_ in marks(tmp_path / "gradebook.db")} == {"ada"}


def test_links_are_refused_before_nbgrader_copies_them(course):
    assert not (course / "autograded" / "linker").exists()
    copied = [p for folder in ("autograded", "feedback") for p in (course / folder).rglob("*") if p.is_file()]
    assert copied
    assert not any("instructor's own" in p.read_text("utf-8", "replace") for p in copied)


def test_feedback_shows_the_report_and_runs_no_script(course, browser):
    context = browser.new_context(offline=True)
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for student in ("bela", "dalia", "mallory"):
        page.goto((course / "feedback" / student / TINY.name / f"{TINY.name}.html").as_uri())
        page.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
        page.evaluate("MathJax.startup.promise.then(() => true)")
        assert page.locator("mjx-container").count() > (student == "dalia")
        assert page.evaluate("!!MathJax.startup.document.safe")
        assert not page.locator("mjx-container a").count()
        for link in page.get_by_text("click me").all():
            link.click()
        assert page.title() != "owned"
        assert "rnn_step: not" in page.inner_text("body")
    assert all(url.startswith("file:") for url in asked)
    context.close()


def test_export_writes_everyones_marks(course):
    run(course, "nbgrader", "export", "--to=grades.csv")
    with (course / "grades.csv").open() as file:
        rows = {(row["student_id"], row["assignment"]): row for row in csv.DictReader(file)}
    for notebook in NOTEBOOKS:
        master = master_of(notebook)
        points = sum(exercise.points for exercise in master.exercises.values())
        assert float(rows["ada", notebook]["raw_score"]) == points
        assert float(rows["mallory", notebook]["raw_score"]) == 0


def bulk_words(place):
    words = ["--gradebook", f"sqlite:///{place / 'bulk.db'}", "--autograded", str(place / "autograded")]
    return ["grade", TINY.name, *words, "--journal", str(place / "j")]


@pytest.fixture(scope="module")
def bulk(course, tmp_path_factory):
    """A folder with the gradebook of `autograder grade --gradebook`."""
    place = tmp_path_factory.mktemp("bulk")
    run(course, "autograder", *bulk_words(place))
    return place


def test_bulk_writing_gives_the_same_gradebook(course, bulk):
    """`autograder grade --gradebook` and `nbgrader autograde` write the same marks."""
    theirs = {k: v for k, v in marks(course / "gradebook.db").items() if k[1] == TINY.name}
    ours = {k: v for k, v in marks(bulk / "bulk.db").items() if k[0] != "linker"}
    assert ours == theirs


def test_a_manual_mark_survives_grading_again(course, bulk, tmp_path):
    place = shutil.copytree(bulk, tmp_path / "again")
    with sqlite3.connect(place / "bulk.db") as connection:
        connection.execute("update grade set manual_score = 1.5, needs_manual_grade = 0")
    done = autograder(course, *bulk_words(place), "--jobs", 1)
    assert done.status == 0, done.err
    with sqlite3.connect(place / "bulk.db") as connection:
        assert set(connection.execute("select distinct manual_score from grade")) == {(1.5,)}


def test_where_the_sandbox_cannot_run_nothing_is_graded(course, tmp_path):
    """Grading fails closed: no bwrap, no user namespaces, no marks."""
    refuse = tmp_path / "bin" / "bwrap"
    refuse.parent.mkdir()
    refuse.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    refuse.chmod(0o755)
    done = subprocess.run(
        [str(BIN / "autograder"), "grade", TINY.name, "--journal", str(tmp_path / "j")],
        cwd=course,
        env={**ENVIRONMENT, "PATH": f"{refuse.parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "sandbox" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "j").read_bytes() == b""


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ({}, "cell 2 is not as the notebook format wants it"),
        ({"output_type": "display_data", "data": 7, "metadata": {}}, "as the notebook format wants them"),
        ({"output_type": "stream", "name": "stdout", "text": "x"}, ""),
    ],
)
@pytest.mark.parametrize("last_only", [False, True])
def test_outputs_by_the_thousand_are_looked_through_once(tmp_path, output, said, last_only):
    """nbformat's own look for the best words for each fault took minutes and gigabytes."""
    from autograder.nbgrader_door.plugin import students_left_out

    notebook = json.loads(submission(TINY.name))
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    fine = {"output_type": "stream", "name": "stdout", "text": "x"}
    code["outputs"] = [fine if last_only else output] * 20_000 + [output]
    path = tmp_path / "ada" / TINY.name / f"{TINY.name}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook))
    begun = time.process_time()
    left_out = students_left_out(tmp_path, tmp_path / "autograded", ["nbgrader", "autograde", TINY.name])
    assert time.process_time() - begun < 10
    assert list(left_out) == (["ada"] if said else [])
    assert said in left_out.get("ada", "")
