"""Grading on a Dask cluster of this machine's processes: the same records, whatever is killed meanwhile."""

import contextlib
import os
import pwd
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import dask.config
import distributed
import pytest
from command import autograder
from course import KEY, ROOT, TINY, master_of, submission
from needs import lacking
from server import free_port
from test_gradebook import hand_in

from autograder.errors import CourseError
from autograder.grading.cluster import PEOPLE, Cluster, others_at_work, refuse_open_ways, worker_command

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("cluster"), pytest.mark.usefixtures("confined")]

PAGE = (ROOT / "docs" / "many-machines.md").read_text("utf-8")
NAME = TINY.name
CLASS = 200


def started(*words, **more):
    """Start a command of docs/many-machines.md, or one like it."""
    begin = {
        ".venv/bin/python": [sys.executable],
        ".venv/bin/autograder": [sys.executable, "-m", "autograder"],
    }
    return subprocess.Popen(
        [*begin[words[0]], *words[1:]], start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more,
    )  # fmt: skip


def killed(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def told(word, address):
    """The page's command with this word in it, for a scheduler at this address."""
    (line,) = (line for line in PAGE.splitlines() if line.startswith(".venv/bin/") and f" {word}" in line)
    port = address.rpartition(":")[2]
    line = line.replace("tcp://127.0.0.1:8786", address).replace("8786", port)
    return line.replace("01_simple_rnn", NAME).split()


def worker(course, address):
    return started(*told("worker", address), "--jobs", "1", cwd=course)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A class: right, with each mistake, unanswered, and a torn file."""
    place = tmp_path_factory.mktemp("course")
    shutil.copytree(TINY, place / "solutions" / NAME)
    contents = [submission(NAME), submission(NAME, solved=False)]
    for name, exercise in master_of(NAME).exercises.items():
        contents += [
            submission(NAME, {name: master_of(NAME).mutate(name, mutant)})
            for mutant in exercise.spec.misconceptions
        ]
    for number in range(CLASS):
        hand_in(place, f"s{number:03d}", contents[number % len(contents)])
    hand_in(place, "torn", b'{"cells": [')
    return place


@pytest.fixture(scope="module")
def here(course):
    """The records that this machine's own processes give."""
    return records(course, "--jobs", 1)


def nobody_else():
    if others := others_at_work():
        lacking(f"an address without TLS is refused while {others[0]} is at work on this machine")


@pytest.fixture
def cluster(course):
    """A scheduler, two workers in sessions of their own, and its address."""
    nobody_else()
    address = f"tcp://127.0.0.1:{free_port()}"
    processes = [started(*told("-m distributed", address))]
    processes += [worker(course, address) for _ in range(2)]
    yield address, processes
    for process in processes:
        killed(process)


def records(course, *words, status=1):
    journal = course / "records"
    journal.unlink(missing_ok=True)
    done = autograder(course, "grade", NAME, "--journal", journal, *words)
    assert done.status == status, done.err
    assert "not graded: torn" in done.err
    return journal.read_bytes()


def test_a_cluster_gives_the_same_records_to_the_byte(course, here, cluster):
    address, _ = cluster
    assert records(course, "--scheduler", address) == here


def interrupted(course, address, wound, at_least):
    """Grade in a process of its own; once some records are there something is done to the cluster."""
    journal = course / "records"
    journal.unlink(missing_ok=True)
    words = (*told("--scheduler", address), "--journal", str(journal))
    environment = {**os.environ, "AUTOGRADER_KEY": KEY}
    process = started(*words, cwd=course, env=environment)
    until = time.monotonic() + 120
    while not journal.exists() or journal.read_bytes().count(b"\n") < at_least:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    wound(process)
    process.wait(timeout=120)
    return journal, process.returncode


def test_a_lost_worker_costs_no_mark(course, here, cluster):
    address, (_, first, _) = cluster
    journal, status = interrupted(course, address, lambda _: killed(first), 20)
    assert status == 1
    assert journal.read_bytes() == here


def test_both_workers_lost_others_go_on(course, here, cluster):
    address, processes = cluster

    def replaced(_):
        for process in processes[1:]:
            killed(process)
        processes.append(worker(course, address))

    journal, status = interrupted(course, address, replaced, 20)
    assert status == 1
    assert journal.read_bytes() == here


@pytest.mark.parametrize("lost", ["scheduler", "client"])
def test_what_was_graded_before_a_loss_is_kept(course, here, cluster, lost):
    address, processes = cluster
    victim = (lambda _: killed(processes[0])) if lost == "scheduler" else killed
    journal, status = interrupted(course, address, victim, 20)
    assert status != 0
    kept = journal.read_bytes()
    assert here.startswith(kept[: kept.rfind(b"\n") + 1])
    again = autograder(course, "grade", NAME, "--journal", journal, "--jobs", 1)
    assert again.status == 1
    assert journal.read_bytes() == here


def test_a_worker_with_another_course_is_refused_by_name(course, here, cluster, tmp_path, caplog):
    address, processes = cluster
    shutil.copytree(TINY, tmp_path / "solutions" / NAME)
    exercises = tmp_path / "solutions" / NAME / "exercises.py"
    exercises.write_text(exercises.read_text() + "\n# another\n")
    processes.append(worker(tmp_path, address))
    why = r"tcp://127\.0\.0\.1:\d+ grades nothing: its copy of the notebook's solution is another one"
    with distributed.Client(address, set_as_default=False) as client:
        client.wait_for_workers(3, timeout=60)
    with caplog.at_level("WARNING", "autograder"):
        assert records(course, "--scheduler", address) == here
    assert re.search(why, caplog.text)
    for process in processes[1:-1]:
        killed(process)
    done = autograder(course, "grade", NAME, "--scheduler", address)
    assert done.status
    said = re.sub(r"\s+", " ", done.err)
    assert re.search(r"tcp://127\.0\.0\.1:\d+: its copy of the notebook's solution is another one", said)


def certificate_of_another_authority(folder):
    """Dask's settings for a client whose certificate this course did not make."""
    words = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=stranger -keyout other.key -out other.pem"
    subprocess.run(words.split(), cwd=folder, check=True, capture_output=True)
    return {
        "distributed.comm.tls.client.cert": str(folder / "other.pem"),
        "distributed.comm.tls.client.key": str(folder / "other.key"),
    }


def test_the_page_s_certificates_encrypt_and_nobody_else_comes_in(course, here, tmp_path, monkeypatch):
    for line in PAGE.splitlines():
        if line.startswith("openssl "):
            subprocess.run(shlex.split(line), cwd=tmp_path, check=True, capture_output=True)
    (settings,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    (tmp_path / "distributed.yaml").write_text(settings.replace("/etc/grading", str(tmp_path)))
    monkeypatch.setenv("DASK_CONFIG", str(tmp_path))  # for those that are started
    dask.config.refresh(paths=[str(tmp_path)])
    address = f"tls://127.0.0.1:{free_port()}"
    both = [started(*told("-m distributed", address), "--protocol", "tls"), worker(course, address)]
    try:
        assert records(course, "--scheduler", address) == here
        stranger = certificate_of_another_authority(tmp_path)
        with dask.config.set(stranger):
            done = autograder(course, "grade", NAME, "--scheduler", address)
        assert done.status
        assert "does not answer" in re.sub(r"\s+", " ", done.err)
    finally:
        dask.config.refresh()
        for process in both:
            killed(process)


def test_an_address_that_another_account_of_this_machine_reaches_is_refused():
    there = [user for user in pwd.getpwall() if user.pw_uid in PEOPLE]
    if os.geteuid() or not there:
        lacking("a process of another account is started here: that needs root, and such an account")
    other = subprocess.Popen(["sleep", "60"], user=there[0].pw_uid)
    try:
        assert there[0].pw_name in others_at_work()
        with pytest.raises(CourseError, match="is at work"):
            refuse_open_ways("tcp://127.0.0.1:8786")
        refuse_open_ways("tls://127.0.0.1:8786")
    finally:
        other.kill()
        other.wait()


def test_an_open_way_and_a_silent_address_are_refused(course):
    nobody_else()
    for open_way in ("tcp://grading.example.org:8786", "tcp://0.0.0.0:8786", "tcp://10.0.0.7:8786"):
        with pytest.raises(CourseError, match="tls://"):
            refuse_open_ways(open_way)
    for safe in ("tls://grading.example.org:8786", "tcp://127.0.0.1:8786", "tcp://[::1]:8786"):
        refuse_open_ways(safe)
    with pytest.raises(CourseError, match="needs certificates"):
        Cluster(Path(course) / "solutions" / NAME, KEY, "tls://127.0.0.1:1")
    with pytest.raises(CourseError, match="needs certificates"):
        worker_command("tls://127.0.0.1:1", course, 1)
    with pytest.raises(CourseError, match="does not answer"):
        Cluster(Path(course) / "solutions" / NAME, KEY, "tcp://127.0.0.1:1")
