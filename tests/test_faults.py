"""Faults: after a rerun the marks are those of an undisturbed run, and nothing was graded twice."""

import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from command import autograder
from course import KEY, LONG, TINY, master_of, submission

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.usefixtures("confined")]

BIN = Path(sys.executable).parent
NOTEBOOK = TINY.name
KILLS = int(os.environ.get("AUTOGRADER_KILLS", "4" if LONG else "1"))
STUDENTS = 40
ENVIRONMENT = {**os.environ, "PATH": "/usr/bin:/bin", "AUTOGRADER_KEY": KEY}


@pytest.fixture(scope="module")
def submitted(tmp_path_factory):
    """A class: right, with each mistake, and without an answer."""
    folder = tmp_path_factory.mktemp("class")
    master = master_of(NOTEBOOK)
    kinds = [submission(NOTEBOOK), submission(NOTEBOOK, solved=False)]
    for name, exercise in master.exercises.items():
        kinds += [submission(NOTEBOOK, {name: master.mutate(name, m)}) for m in exercise.spec.misconceptions]
    for i in range(STUDENTS):
        path = folder / f"student{i:03d}" / NOTEBOOK / f"{NOTEBOOK}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(kinds[i % len(kinds)])
    return folder


def words(submitted, place, *more):
    return [
        "grade", NOTEBOOK, "--root", str(TINY.parents[1]), "--submitted", str(submitted), "--journal",
        str(place / "journal"), "--autograded", str(place / "autograded"), "--gradebook",
        f"sqlite:///{place / 'gradebook.db'}", *more,
    ]  # fmt: skip


def command(submitted, place, *more):
    return [str(BIN / "autograder"), *words(submitted, place, "--jobs", "2", *more)]


def grade(submitted, place, **options):
    """Grade as a program, which a fault can hit without hitting the tests."""
    return subprocess.run(
        command(submitted, place),
        env=ENVIRONMENT, capture_output=True, text=True, check=False, cwd=place, timeout=300, **options,
    )  # fmt: skip


def grade_here(submitted, place, *more):
    """Grade in this process, where nothing goes wrong or no more than a sentence comes of it."""
    return autograder(place, *words(submitted, place, "--jobs", "1", *more))


def marks(place):
    query = """select sa.student_id, b.name, g.auto_score, g.manual_score, g.needs_manual_grade from grade g
        join base_cell b on b.id = g.cell_id join submitted_notebook sn on sn.id = g.notebook_id
        join submitted_assignment sa on sa.id = sn.assignment_id order by 1, 2"""
    with sqlite3.connect(place / "gradebook.db") as connection:
        return list(connection.execute(query))


def export(place):
    done = autograder(
        place, "export", NOTEBOOK, "--root", TINY.parents[1], "--submitted", place,
        "--gradebook", f"sqlite:///{place / 'gradebook.db'}", "--file", place / "marks.csv",
    )  # fmt: skip
    assert done.status == 0, done.err
    return (place / "marks.csv").read_bytes()


def graded_once(place):
    lines = (place / "journal").read_bytes().splitlines()
    students = [json.loads(line)["record"]["student"] for line in lines]
    return len(students) == len(set(students)) == STUDENTS


@pytest.fixture(scope="module")
def undisturbed(submitted, tmp_path_factory):
    place = tmp_path_factory.mktemp("undisturbed")
    done = grade(submitted, place)
    assert done.returncode == 0, done.stderr
    assert graded_once(place)
    return place


@pytest.fixture
def graded(undisturbed, tmp_path):
    """A copy of the undisturbed run."""
    return shutil.copytree(undisturbed, tmp_path / "graded")


def same_as(place, undisturbed):
    return marks(place) == marks(undisturbed) and export(place) == export(undisturbed) and graded_once(place)


def started(submitted, place):
    return subprocess.Popen(
        command(submitted, place), env=ENVIRONMENT, cwd=place, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.ci
def test_killed_at_random_moments_it_goes_on_where_it_stopped(submitted, undisturbed, tmp_path):
    """A run that comes to its end between two kills is compared, and the next begins with nothing."""
    chance = random.Random(5)
    kills = round_number = 0
    while True:
        place = tmp_path / str(round_number)
        place.mkdir(exist_ok=True)
        process = started(submitted, place)
        try:
            moment = chance.uniform(0.5, 5) if kills < KILLS else 300
            assert process.wait(timeout=moment) == 0
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
            continue
        assert same_as(place, undisturbed)
        if kills == KILLS:
            break
        round_number += 1


def processes_of_the_pool(grader):
    """The processes that `autograder grade` started for grading, not their sandboxes."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == grader and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


@pytest.mark.long
def test_a_process_of_the_pool_killed_costs_no_mark(submitted, undisturbed, tmp_path):
    """As the system does it when memory runs out: the others go on, nothing is lost."""
    process = started(submitted, tmp_path)
    journal = tmp_path / "journal"
    killed: set[int] = set()
    while process.poll() is None and len(killed) < 2:
        time.sleep(0.02)
        pool = processes_of_the_pool(process.pid) - killed
        if pool and journal.is_file() and journal.stat().st_size:
            victim = pool.pop()
            os.kill(victim, signal.SIGKILL)
            killed.add(victim)
    assert process.wait(timeout=300) == 0
    assert killed
    assert same_as(tmp_path, undisturbed)


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of its own, and how to give it room; None where only root may have one."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        yield place, None
        return

    def resize(words):
        subprocess.run(["mount", "-t", "tmpfs", "-o", words, "tmpfs", str(place)], check=True)

    resize("size=160k")
    yield place, lambda: resize("remount,size=64m")
    subprocess.run(["umount", "-l", str(place)], check=True)


def no_file_above(room):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))


@pytest.mark.long
def test_a_journal_that_may_not_grow_is_told_and_nothing_is_lost(submitted, undisturbed, tmp_path):
    """A limit on the size of files is as full as a disk can be."""
    done = grade(submitted, tmp_path, preexec_fn=no_file_above(40_000))
    assert done.returncode == 2, done.stderr[-2000:]
    assert "run the same command again" in done.stderr
    assert "Traceback" not in done.stderr
    assert grade_here(submitted, tmp_path).status == 0
    assert same_as(tmp_path, undisturbed)


@pytest.mark.ci
def test_a_full_disk_is_told_and_nothing_is_lost(submitted, undisturbed, small_disk):
    """Room for the journal, not for the gradebook; an ordinary user has a limit for a disk."""
    place, make_room = small_disk
    done = grade(submitted, place, preexec_fn=None if make_room else no_file_above(160_000))
    assert done.returncode == 2, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    assert "again" in done.stderr
    if make_room:
        make_room()
    assert grade_here(submitted, place).status == 0
    assert same_as(place, undisturbed)


def test_a_gradebook_locked_for_good_is_told(submitted, undisturbed, graded):
    before, written = marks(graded), (graded / "journal").read_bytes()
    holder = sqlite3.connect(graded / "gradebook.db", isolation_level=None)
    holder.execute("begin exclusive")
    done = grade_here(submitted, graded, "--gradebook", f"sqlite:///{graded / 'gradebook.db'}?timeout=1")
    holder.execute("rollback")
    holder.close()
    assert done.status == 2
    assert "locked" in done.err
    assert marks(graded) == before
    assert (graded / "journal").read_bytes() == written
    assert grade_here(submitted, graded).status == 0
    assert same_as(graded, undisturbed)


def test_a_half_made_gradebook_is_finished(submitted, undisturbed, graded):
    """Killed while nbgrader's tables get the notebook's cells: the next run writes those that are missing."""
    with sqlite3.connect(graded / "gradebook.db") as connection:
        for table in ("grade", "comment", "submitted_notebook", "submitted_assignment"):
            connection.execute(f"delete from {table}")
        late = "(select id from base_cell order by name limit 100 offset 3)"
        for table in ("grade_cells", "solution_cells", "task_cells", "source_cell", "base_cell"):
            connection.execute(f"delete from {table} where id in {late}")
    assert grade_here(submitted, graded).status == 0
    assert same_as(graded, undisturbed)


def test_a_gradebook_locked_for_a_while_is_waited_for(submitted, undisturbed, graded):
    holder = sqlite3.connect(graded / "gradebook.db", isolation_level=None, check_same_thread=False)
    holder.execute("begin exclusive")
    begun = time.monotonic()
    release = threading.Timer(3, holder.rollback)
    release.start()
    done = grade_here(submitted, graded)
    assert time.monotonic() - begun >= 3
    assert done.status == 0, done.err
    release.join()
    holder.close()
    assert same_as(graded, undisturbed)


@pytest.mark.long
def test_two_graders_at_once_grade_nothing_twice(submitted, undisturbed, tmp_path):
    both = [
        subprocess.Popen(
            command(submitted, tmp_path), env=ENVIRONMENT, cwd=tmp_path,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]  # fmt: skip
    assert [process.wait(300) for process in both] == [0, 0]
    assert same_as(tmp_path, undisturbed)


@pytest.mark.long
def test_two_notebooks_at_once_share_a_gradebook(submitted, undisturbed, tmp_path):
    """Both want to enter the same new students."""
    other = "tiny_other"
    for name in (NOTEBOOK, other):
        shutil.copytree(TINY, tmp_path / "solutions" / name)
    folder = tmp_path / "solutions" / other
    (folder / f"{NOTEBOOK}.py").rename(folder / f"{other}.py")
    shutil.copytree(submitted, tmp_path / "submitted")
    for path in list((tmp_path / "submitted").glob(f"*/{NOTEBOOK}/{NOTEBOOK}.ipynb")):
        copy = path.parents[1] / other / f"{other}.ipynb"
        copy.parent.mkdir()
        shutil.copy(path, copy)
    grading = [str(BIN / "autograder"), "grade", "--jobs", "1", "--gradebook", "sqlite:///gradebook.db"]
    both = [
        subprocess.Popen([*grading, name], env=ENVIRONMENT, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        for name in (NOTEBOOK, other)
    ]
    said = [process.communicate(timeout=300)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    found = sorted(marks(tmp_path))
    assert found == sorted([*marks(undisturbed), *marks(undisturbed)])
