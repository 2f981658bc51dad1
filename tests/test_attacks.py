"""Attacks among honest submissions: no mark is gained, no neighbour touched, nothing outside changed.

Every file of `tests/attacks/` goes through `autograder grade`, in one class with honest neighbours; all
that nbgrader's layout can hold, and that ends by itself, goes through `nbgrader autograde` too.
"""

import csv
import ctypes
import hashlib
import io
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from attacks import line_of, load
from attacks.kit import ALL, BACKWARD, FORWARD, LINES, NOTEBOOK, Attack
from course import KEY, LONG, ROOT, TINY, WHOLE, master_of, submission
from server import jupyter

from autograder.course.places import Places
from autograder.release.build import build

pytestmark = [pytest.mark.xdist_group("attacks"), pytest.mark.usefixtures("confined")]

BIN = Path(sys.executable).parent
FAMILIES = load()
EVERY = {attack.folder: attack for attacks in FAMILIES.values() for attack in attacks}
# Some of each kind, and what is hostile to pages.
SAMPLE = {attack.folder for attacks in FAMILIES.values() for attack in attacks[:2]}
SAMPLE |= {folder for folder, attack in EVERY.items() if "markup" in attack.name}
ATTACKS = {folder: attack for folder, attack in EVERY.items() if WHOLE or folder in SAMPLE}
# What takes all of a limit once or more; nbgrader grades one submission after the other.
SLOW = re.compile(
    "endless|never_ends|flood|silence|byte_by_byte|hold_back|held_back|memory|hoards|ignore_every|line_|disk"
    "|files_without|folders|recursion|crash|megabytes|waits|sleeps|daemon|million|many_|parse|loop|abort"
)
QUICK = {folder: a for folder, a in ATTACKS.items() if a.nbgrader and not SLOW.search(a.name)}
# nbgrader takes most of a second for each submission.
BY_NBGRADER = {folder: attack for folder, attack in QUICK.items() if LONG or folder in SAMPLE}
SECRET = "SECRET-OF-THE-COURSE"
ENVIRONMENT = {**os.environ, "PATH": "/usr/bin:/bin", "AUTOGRADER_KEY": KEY, "OF_THE_GRADER": SECRET}
# Shorter than in a course: an endless loop costs all of a limit, and some attacks meet several.
LIMITS = (
    "LIMITS = {'cell_seconds': 0.5, 'call_seconds': 0.3, 'cpu_seconds': 1.2, 'memory_bytes': 256 << 20, "
    "'submission_seconds': 9}"
)
FORMULA = re.compile(r"\s*[=+\-@|%\uff1d\uff0b\uff0d\uff20\t\r]")


def honest() -> dict[str, bytes]:
    """Neighbours: right, with a mistake in each exercise, and without an answer."""
    master = master_of(NOTEBOOK)
    found = {
        "ada": submission(NOTEBOOK),
        "bela": submission(NOTEBOOK),
        "zoe": submission(NOTEBOOK, solved=False),
    }
    for name in (FORWARD, BACKWARD):
        wrong = master.mutate(name, master.exercises[name].spec.misconceptions[0])
        found[f"m_{name}"] = submission(NOTEBOOK, {name: wrong})
    return found


HONEST = honest()


class Listener:
    """A service on loopback, and one on an abstract socket, that count who calls."""

    def __init__(self):
        self.calls = 0
        abstract = socket.socket(socket.AF_UNIX)
        self.name = f"attack-listener-{os.getpid()}-{id(self)}"
        abstract.bind("\0" + self.name)
        abstract.listen()
        loopback = socket.create_server(("127.0.0.1", 0))
        self.port = loopback.getsockname()[1]
        for service in (loopback, abstract):
            threading.Thread(target=self._serve, args=(service,), daemon=True).start()

    def _serve(self, service):
        while True:
            connection, _ = service.accept()
            self.calls += 1
            connection.close()


@dataclass
class Class:
    """A course folder, what was handed in, and what came of grading it."""

    folder: Path
    done: subprocess.CompletedProcess
    seconds: float
    calls: int
    left_over: set[int]
    before: dict[Path, str]

    def records(self) -> dict[str, dict]:
        return {r["student"]: r for r in json.loads((self.folder / "marks.json").read_text())}


def make_course(course: Path) -> None:
    shutil.copy(ROOT / "nbgrader_config.py", course)
    shutil.copytree(TINY, course / "solutions" / NOTEBOOK, ignore=shutil.ignore_patterns("__pycache__"))
    with (course / "solutions" / NOTEBOOK / "exercises.py").open("a") as file:
        file.write(f"\n{LIMITS}\n")
    build(course / "solutions" / NOTEBOOK, Places(course))
    (course / "secret.txt").write_text(SECRET)


def hand_in(course: Path, attackers: dict[str, Attack], listener: Listener) -> None:
    for student, content in HONEST.items():
        path = course / "submitted" / student / NOTEBOOK / f"{NOTEBOOK}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    for student, attack in attackers.items():
        path = course / "submitted" / student / NOTEBOOK / f"{NOTEBOOK}.ipynb"
        attack.write(path)
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 24:
            content = path.read_bytes().replace(b"COURSE", str(course).encode())
            content = content.replace(b"LISTENER", str(listener.port).encode())
            content = content.replace(b"attack-listener", listener.name.encode())
            path.write_bytes(content.replace(b"GRADER", str(os.getpid()).encode()))


def contents(course: Path) -> dict[Path, str]:
    """Every path of a course, and what it holds (links and special files by their kind)."""
    found = {}
    for path in course.rglob("*"):
        status = path.lstat()
        plain = path.is_file() and not path.is_symlink() and status.st_size < 1 << 24
        found[path] = hashlib.sha256(path.read_bytes()).hexdigest() if plain else str(status.st_mode)
    return found


def children() -> set[int]:
    """Children of this process; after `adopt_orphans` also whatever a grader leaves behind."""
    lists = [(task / "children").read_text() for task in Path("/proc/self/task").iterdir()]
    return {int(pid) for pids in lists for pid in pids.split()}


def adopt_orphans() -> None:
    """Become the parent of processes whose own parent ends."""
    assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0


def run(course: Path, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=course, env=ENVIRONMENT, timeout=900,
        capture_output=True, text=True, check=False, errors="replace",
    )  # fmt: skip


def grade(course: Path, attackers: dict[str, Attack], *commands: tuple[str, ...]) -> Class:
    """Make a course, hand in, and run the commands; the last one is what counts."""
    listener = Listener()
    make_course(course)
    hand_in(course, attackers, listener)
    before, mine = contents(course), children()
    begun = time.monotonic()
    for command in commands:
        done = run(course, *command)
    seconds = time.monotonic() - begun
    patience = time.monotonic() + 5
    while (left_over := alive(children() - mine)) and time.monotonic() < patience:
        time.sleep(0.05)
    return Class(course, done, seconds, listener.calls, left_over, before)


def alive(pids: set[int]) -> set[int]:
    """Those that are no zombies; zombies are buried."""
    found = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if state == "Z":
                os.waitpid(pid, os.WNOHANG)
            else:
                found.add(pid)
        except (OSError, ChildProcessError):
            continue
    return found


COMMAND = (
    "autograder",
    "grade",
    NOTEBOOK,
    "--jobs",
    "2",
    "--json",
    "marks.json",
    "--gradebook",
    "sqlite:///gradebook.db",
)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """The honest class, without attackers."""
    adopt_orphans()
    return grade(tmp_path_factory.mktemp("quiet"), {}, COMMAND)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """The class with all attackers in it."""
    adopt_orphans()
    return grade(tmp_path_factory.mktemp("attacked"), ATTACKS, COMMAND)


@pytest.fixture(scope="module")
def by_nbgrader(tmp_path_factory):
    """The class with the attackers that nbgrader's layout can hold, graded by nbgrader."""
    adopt_orphans()
    course = tmp_path_factory.mktemp("nbgrader")
    return grade(
        course,
        BY_NBGRADER,
        ("nbgrader", "generate_assignment", NOTEBOOK),
        ("nbgrader", "autograde", NOTEBOOK),
    )


def marks(course: Path) -> dict[str, list[tuple]]:
    """student -> (cell, automatic mark, manual mark, waits for a person), from the gradebook."""
    query = """select sa.student_id, b.name, g.auto_score, g.manual_score, g.needs_manual_grade from grade g
        join base_cell b on b.id = g.cell_id join submitted_notebook sn on sn.id = g.notebook_id
        join submitted_assignment sa on sa.id = sn.assignment_id order by 1, 2"""
    found = {}
    with sqlite3.connect(course / "gradebook.db") as connection:
        for student, *rest in connection.execute(query):
            found.setdefault(student, []).append(tuple(rest))
    return found


def automatic(rows: list[tuple]) -> float:
    return sum(mark for _, mark, _, _ in rows if mark)


# `autograder grade`


@pytest.mark.parametrize("folder", ATTACKS)
def test_an_attack_earns_what_its_honest_part_deserves(attacked, folder):
    attack = ATTACKS[folder]
    record = attacked.records()[shown(folder)]
    assert record["score"] == (attack.mark if attack.mark is None else pytest.approx(attack.mark)), record
    assert attack.mark is not None or record["problems"]
    text = json.dumps(record)
    assert attack.proof in text
    assert "GOT" not in text
    assert SECRET not in text


def shown(folder: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in folder)


@pytest.mark.ci
def test_no_neighbour_is_touched(quiet, attacked, by_nbgrader):
    assert quiet.done.returncode == 0, quiet.done.stderr
    records = attacked.records()
    assert {student: records[student] for student in HONEST} == quiet.records()
    assert records["ada"]["score"] == ALL
    ours, theirs, alone = (marks(c.folder) for c in (attacked, by_nbgrader, quiet))
    for student in HONEST:
        assert ours[student] == alone[student]
        assert theirs[student] == alone[student]


def test_the_gradebook_says_what_the_records_say(attacked):
    found = marks(attacked.folder)
    # What could not be graded is there too, without a mark.
    earned = {student: record["score"] or 0 for student, record in attacked.records().items()}
    assert {student: automatic(rows) for student, rows in found.items()} == pytest.approx(earned)
    cells = Counter(cell for rows in found.values() for cell, *_ in rows)
    assert set(cells.values()) == {len(earned)}


def test_every_refusal_has_its_reason_and_nothing_else_is_said(attacked):
    refused = {shown(folder) for folder, attack in ATTACKS.items() if attack.mark is None}
    assert attacked.done.returncode == 1
    lines = [line for line in attacked.done.stderr.splitlines() if line.strip()]
    assert len(lines) == len(refused)
    for student in refused:
        assert any(line.startswith(f"not graded: {student}: ") for line in lines), student


def test_the_terminal_obeys_nobody(attacked):
    said = attacked.done.stdout + attacked.done.stderr
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", said)


def test_nothing_outside_has_changed(attacked):
    now, before = contents(attacked.folder), attacked.before
    assert {path: now.get(path) for path in before} == before
    made = {path.relative_to(attacked.folder) for path in now.keys() - before.keys() if path.is_file()}
    graded = [s for s, r in attacked.records().items() if r["score"] is not None]
    expected = {Path("autograded") / s / NOTEBOOK / f"{NOTEBOOK}.ipynb" for s in graded}
    expected |= {Path("marks.json"), Path("gradebook.db"), Path("build/journal") / f"{NOTEBOOK}.journal"}
    expected.add(Path("build/report") / f"{NOTEBOOK}-changes.csv")
    assert made == expected
    for place in ("/owned", "/tmp/owned", "/var/tmp/owned", "/home/owned", "/tmp/note", "/dev/shm/note"):
        assert not Path(place).exists()


def test_nobody_is_left_behind_and_nobody_was_called(attacked):
    assert not attacked.left_over
    assert attacked.calls == 0
    assert attacked.seconds < 600


# What is made of the records


def test_no_spreadsheet_runs_anything(attacked, tmp_path):
    book = f"sqlite:///{attacked.folder / 'gradebook.db'}"
    done = run(
        attacked.folder,
        "autograder",
        "export",
        NOTEBOOK,
        "--gradebook",
        book,
        "--file",
        str(tmp_path / "m.csv"),
    )
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "m.csv").read_text("utf-8")
    assert len(list(csv.reader(io.StringIO(text)))) == 1 + len(attacked.records())
    for delimiter in ",;\t":
        cells = [cell for row in csv.reader(io.StringIO(text), delimiter=delimiter) for cell in row]
        assert not [cell for cell in cells if FORMULA.match(cell) and not re.fullmatch(r"-?[\d.]+", cell)]


# Elements and handlers that only the attackers' text can have made; formgrader's own links hold names.
HOSTILE = """() => [...document.querySelectorAll("*")].filter(e =>
  (["SCRIPT", "IFRAME", "BASE", "META"].includes(e.tagName) && /owned|evil/.test(e.outerHTML))
  || [...e.attributes].some(a => /^on|^href$|^src/.test(a.name) && /owned|evil/.test(a.value)
    && !a.value.startsWith("/formgrader/"))
).map(e => e.outerHTML.slice(0, 200))"""


def runs_no_script(browser, addresses: list[str]) -> None:
    """Opens pages, moves over and clicks what looks like a link; nothing of the student's may happen.

    Nor may a page ask another server for anything, or a script of its own stop for want of that.
    """
    is_file = all(address.startswith("file:") for address in addresses)
    context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=is_file)
    page = context.new_page()
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    asked, stopped = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: stopped.append(str(error)))
    for path in addresses:
        answer = page.goto(path, wait_until="domcontentloaded")
        assert answer is None or answer.ok, path
        page.wait_for_timeout(50 if is_file else 300)
        for link in page.get_by_text("click me").all()[:6]:
            if link.is_visible():
                # By events: a mouse reaches nothing that is scrolled away in a box of its own.
                link.dispatch_event("mouseover")
                link.evaluate("element => { element.click(); }")
        assert page.url.startswith(path), path
        assert "owned" not in page.title(), path
        assert not page.evaluate(HOSTILE), path
    context.close()
    here = {urlsplit(address)[:2] for address in addresses}
    assert not [url for url in asked if not url.startswith("data:") and urlsplit(url)[:2] not in here]
    assert not stopped


def test_the_class_report_runs_no_script(attacked, browser):
    done = run(attacked.folder, "autograder", "report", NOTEBOOK)
    assert done.returncode == 0, done.stderr
    runs_no_script(browser, [(attacked.folder / "build" / "report" / f"{NOTEBOOK}.html").as_uri()])


@pytest.mark.ci
@pytest.mark.parametrize("graded", ["by_nbgrader", pytest.param("attacked", marks=pytest.mark.long)])
def test_feedback_pages_run_no_script(graded, request, browser):
    """What `nbgrader autograde` left, and with LONG=1 what `autograder grade --gradebook` left too."""
    course = request.getfixturevalue(graded)
    done = run(course.folder, "nbgrader", "generate_feedback", NOTEBOOK, "--student", "x_*markup")
    assert done.returncode == 0, done.stderr[-3000:]
    pages = sorted((course.folder / "feedback").rglob("*.html"))
    assert len(pages) >= 10
    runs_no_script(browser, [page.as_uri() for page in pages])


@pytest.mark.ci
@pytest.mark.parametrize("graded", ["attacked", pytest.param("by_nbgrader", marks=pytest.mark.long)])
def test_formgraders_pages_run_no_script(graded, request, browser, tmp_path):
    """Where an instructor reads and marks: the lists of the class, and every hostile text in them."""
    course = request.getfixturevalue(graded)
    with sqlite3.connect(course.folder / "gradebook.db") as connection:
        query = """select sn.id from submitted_notebook sn join submitted_assignment sa
            on sa.id = sn.assignment_id where sa.student_id like 'x_%markup%'"""
        hostile = [row[0] for row in connection.execute(query)]
    assert len(hostile) >= 10
    # The same text as on the feedback pages, each of which is looked at.
    hostile = hostile[:: 1 if LONG else 3]
    with jupyter("server", course.folder, tmp_path) as url:
        lists = ["manage_students", f"manage_submissions/{NOTEBOOK}", f"gradebook/{NOTEBOOK}/{NOTEBOOK}"]
        pages = [f"{url}/formgrader/{page}" for page in lists]
        runs_no_script(browser, pages + [f"{url}/formgrader/submissions/{one}/" for one in hostile])


# `nbgrader autograde`


@pytest.mark.ci
def test_nbgraders_door_leaves_nobody_behind_and_calls_nobody(by_nbgrader):
    assert not by_nbgrader.left_over
    assert by_nbgrader.calls == 0


@pytest.mark.ci
@pytest.mark.parametrize("folder", BY_NBGRADER)
def test_nbgraders_door_gives_the_same_mark(by_nbgrader, folder):
    attack, found = BY_NBGRADER[folder], marks(by_nbgrader.folder)
    if attack.mark is None:
        assert automatic(found.get(folder, [])) == 0
    else:
        assert folder in found, by_nbgrader.done.stderr[-2000:]
        assert automatic(found[folder]) == pytest.approx(attack.mark)
        assert sorted(cell for cell, *_ in found[folder]) == sorted(cell for cell, *_ in found["ada"])


def test_nbgraders_export_runs_nothing(attacked):
    done = run(attacked.folder, "nbgrader", "export", "--to=grades.csv")
    assert done.returncode == 0, done.stderr
    with (attacked.folder / "grades.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(marks(attacked.folder))
    assert not [row for row in rows if FORMULA.match(row["student_id"])]


# The page on the threat model


def test_the_threat_model_names_every_file_of_attacks_and_every_line():
    page = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
    named = re.findall(r"`(\w+)\.py` \|", page)
    assert sorted(named) == sorted(FAMILIES)
    assert {line_of(family) for family in FAMILIES} == set(LINES)
    counts = {family: int(n) for family, n in re.findall(r"`(\w+)\.py` \| (\d+)", page)}
    assert counts == {family: len(attacks) for family, attacks in FAMILIES.items()}
