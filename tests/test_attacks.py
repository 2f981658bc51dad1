"""Attacks among honest submissions: no mark is gained, no neighbour touched, nothing outside changed."""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from attacks import load
from attacks.kit import ALL, BACKWARD, FORWARD, NOTEBOOK
from course import KEY, ROOT, TINY, master_of, submission

from autograder.build import Places, build

pytestmark = pytest.mark.xdist_group("attacks")

BIN = Path(sys.executable).parent
FAMILIES = load()
ATTACKS = {attack.folder: attack for attacks in FAMILIES.values() for attack in attacks}
ENVIRONMENT = {**os.environ, "PATH": "/usr/bin:/bin", "AUTOGRADER_KEY": KEY, "SECRET_OF_THE_GRADER": "x"}


def honest() -> dict[str, bytes]:
    """Neighbours: right, with a mistake in each exercise, and without an answer."""
    master = master_of(NOTEBOOK)
    found = {"ada": submission(NOTEBOOK), "zoe": submission(NOTEBOOK, solved=False)}
    for name in (FORWARD, BACKWARD):
        wrong = master.mutate(name, master.exercises[name].spec.misconceptions[0])
        found[f"m_{name}"] = submission(NOTEBOOK, {name: wrong})
    return found


def run(course: Path, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=course, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip


class Listener:
    """A service on loopback that counts who calls."""

    def __init__(self):
        self.calls = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            connection, _ = self._socket.accept()
            self.calls += 1
            connection.close()


def make_course(course: Path) -> None:
    shutil.copy(ROOT / "nbgrader_config.py", course)
    shutil.copytree(TINY, course / "solutions" / NOTEBOOK)
    build(course / "solutions" / NOTEBOOK, Places(course))
    (course / "secret.txt").write_text("the instructor's own")


def hand_in(course: Path, attackers: dict, listener: Listener) -> None:
    for student, content in honest().items():
        path = course / "submitted" / student / NOTEBOOK / f"{NOTEBOOK}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    for student, attack in attackers.items():
        path = course / "submitted" / student / NOTEBOOK / f"{NOTEBOOK}.ipynb"
        attack.write(path)
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 24:
            content = path.read_bytes().replace(b"COURSE", str(course).encode())
            content = content.replace(b"LISTENER", str(listener.port).encode())
            path.write_bytes(content.replace(b"GRADER", str(os.getpid()).encode()))


def processes() -> set[str]:
    """Command lines of what runs, sandboxes of other tests left out."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"attack" in words or b"sleep" in words:
                found.add(f"{entry.name} {words!r}")
    return found


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The class with and without attackers, graded by `autograder grade`."""
    listener = Listener()
    records = []
    before = processes()
    for name, attackers in (("quiet", {}), ("attacked", ATTACKS)):
        course = tmp_path_factory.mktemp(name)
        make_course(course)
        hand_in(course, attackers, listener)
        files = {p for p in course.rglob("*") if "build/journal" not in str(p)}
        done = run(course, "autograder", "grade", NOTEBOOK, "--jobs", "2", "--json", "marks.json")
        assert done.returncode in (0, 1), done.stderr[-3000:]
        assert "Traceback" not in done.stderr
        records.append({r["student"]: r for r in json.loads((course / "marks.json").read_text())})
        new = {p for p in course.rglob("*") if "build/journal" not in str(p)} - files
        assert new == {course / "marks.json"}
    assert processes() <= before
    return (*records, done, listener, course)


@pytest.mark.parametrize("folder", ATTACKS)
def test_an_attack_earns_what_its_honest_part_deserves(graded, folder):
    attack, record = ATTACKS[folder], graded[1][folder]
    assert record["score"] == (attack.mark if attack.mark is None else pytest.approx(attack.mark))
    if attack.mark is None:
        assert record["problems"]
    printed = json.dumps(record)
    assert attack.proof in printed
    assert "GOT" not in printed


def test_no_neighbour_is_touched(graded):
    quiet, attacked = graded[:2]
    assert {student: attacked[student] for student in quiet} == quiet
    assert quiet["ada"]["score"] == ALL


def test_nobody_was_called(graded):
    assert graded[3].calls == 0


def test_an_attack_is_no_stranger_in_the_export(graded):
    """No cell of an export starts as a formula does."""
    course = graded[4]
    for form in ("csv", "canvas", "moodle"):
        done = run(course, "autograder", "export", NOTEBOOK, "--to", form, "--file", f"{form}.csv")
        assert done.returncode == 0, done.stderr
        for line in (course / f"{form}.csv").read_text().splitlines():
            assert not line.startswith(("=", "+", "@", '"=', '"+', '"@'))


def test_the_report_runs_no_script(graded, browser):
    course = graded[4]
    done = run(course, "autograder", "report", NOTEBOOK)
    assert done.returncode == 0, done.stderr
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto((course / "build" / "report" / f"{NOTEBOOK}.html").as_uri())
    page.wait_for_timeout(200)
    assert page.title() == "Tiny · a notebook to test the tools with: class report"
    context.close()


# nbgrader pays seconds a submission: one attack of each family that ends by itself goes through its door.
SLOW = ("endless", "memory", "disk", "files_without", "folders", "descriptors", "bomb", "hold", "never_ends")
BY_NBGRADER = {
    attack.folder: attack
    for attacks in FAMILIES.values()
    for attack in [a for a in attacks if a.nbgrader and a.mark is not None and not a.name.startswith(SLOW)][
        :2
    ]
}


def test_the_threat_model_names_every_file_of_attacks():
    page = (ROOT / "docs" / "threat-model.md").read_text()
    named = set(re.findall(r"`(\w+)\.py` \|", page))
    assert named == set(FAMILIES)


def test_nbgraders_door_gives_the_same_marks(tmp_path_factory):
    listener = Listener()
    course = tmp_path_factory.mktemp("nbgrader")
    make_course(course)
    hand_in(course, BY_NBGRADER, listener)
    assert run(course, "nbgrader", "generate_assignment", NOTEBOOK).returncode == 0
    done = run(course, "nbgrader", "autograde", NOTEBOOK)
    assert done.returncode == 0, done.stderr[-3000:]
    query = """select sa.student_id, sum(g.auto_score) from grade g join submitted_notebook sn
        on sn.id = g.notebook_id join submitted_assignment sa on sa.id = sn.assignment_id group by 1"""
    with sqlite3.connect(course / "gradebook.db") as connection:
        marks = dict(connection.execute(query))
    wanted = {folder: attack.mark for folder, attack in BY_NBGRADER.items()}
    assert {folder: marks[folder] for folder in wanted} == pytest.approx(wanted)
    assert marks["ada"] == ALL
    assert marks["zoe"] == 0
    assert listener.calls == 0
