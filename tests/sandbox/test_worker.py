"""The machinery: workers that die, processes left behind, many sessions at once."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from autograder.errors import SandboxUnavailable
from autograder.sandbox import Sandbox, idle
from sandbox.calls import HASTY, SMALL, error, still_works, value


def kill_worker(sandbox):
    """Kill it, and wait until all that stands below it is gone: on a busy machine that takes a while."""
    process = sandbox._worker.process
    below = processes_below(process.pid)
    process.kill()
    deadline = time.monotonic() + 5
    while (sandbox._worker.answers() or any(is_running(p) for p in below)) and time.monotonic() < deadline:
        time.sleep(0.01)


def stop_worker(sandbox):
    for pid in processes_below(sandbox._worker.process.pid):
        os.kill(pid, signal.SIGSTOP)


def processes_below(pid):
    try:
        children = [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*children, *(p for child in children for p in processes_below(child))]


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_dead_worker_is_replaced(sandbox):
    with Sandbox(limits=SMALL) as fresh:
        still_works(fresh)
        session = fresh.session(["def f(x): return x"])
        session.run_cells()
        kill_worker(fresh)
        assert session.call("f", [(1,)])[0].error.kind == "crash"
        session.close()
        still_works(fresh)
        stop_worker(fresh)  # or a quick one would have begun the session before it is killed
        with fresh.session(["def f(x): return x"]) as begun:
            kill_worker(fresh)
            assert begun.call("f", [(1,)])[0].error is None
        still_works(fresh)


def descendants():
    """Processes below this one, but those that are dead and wait for somebody to notice."""
    parents = {}
    for entry in Path("/proc").iterdir():
        try:
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if state != "Z":
            parents[entry.name] = parent
    found = {str(os.getpid())}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def test_nothing_is_left_behind():
    before, files = descendants(), len(os.listdir("/proc/self/fd"))
    for unsafe in (False, True):
        with Sandbox(limits=SMALL, unsafe=unsafe) as fresh:
            sessions = [fresh.session(["import time\ndef f(x): time.sleep(60)"]) for _ in range(5)]
            for session in sessions[:2]:
                session.call("f", [(1,)])
            for session in sessions[:4]:
                session.close()
                assert session.usage.max_rss_bytes
        for session in sessions:
            session.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and descendants() - before:
        time.sleep(0.02)
    assert descendants() <= before
    assert len(os.listdir("/proc/self/fd")) == files


def test_a_session_that_nobody_closes_keeps_no_file_open(sandbox):
    files = len(os.listdir("/proc/self/fd"))
    session = sandbox.session(["def f(x): return x"])
    assert len(os.listdir("/proc/self/fd")) == files + 2
    del session
    assert len(os.listdir("/proc/self/fd")) == files


def test_a_process_that_dies_before_its_doors_are_shut_is_named_and_nothing_is_closed_twice(monkeypatch):
    def dies(worker):
        mine, theirs = socket.socketpair()
        theirs.close()
        return 0, mine, open(os.devnull, "rb", buffering=0)

    monkeypatch.setattr(idle, "REPORT_SECONDS", 0.1)
    monkeypatch.setattr(idle.Worker, "fork", dies)
    with Sandbox(limits=SMALL) as fresh:
        session = fresh.session([])
        with pytest.raises(SandboxUnavailable, match="cannot be confined"), session:
            session.run_cells()


def test_the_worker_dies_with_the_grader():
    script = (
        "import os, signal\nfrom autograder.sandbox import Sandbox\n"
        "box = Sandbox()\nsession = box.session(['def f(x):\\n    while True: pass'])\n"
        "session.run_cells()\nprint(box._worker.process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid = int(done.stdout)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and Path(f"/proc/{pid}/cmdline").exists():
        if not Path(f"/proc/{pid}/cmdline").read_bytes():
            break  # dead, and waiting for somebody to notice
        time.sleep(0.02)
    else:
        assert not Path(f"/proc/{pid}/cmdline").exists()


def test_a_forked_grader_starts_a_worker_of_its_own(sandbox):
    still_works(sandbox)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            still_works(sandbox)
            sandbox.close()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    still_works(sandbox)


def test_many_sessions_at_once_do_not_mix(sandbox):
    sessions = [sandbox.session([f"def f(x): return x + {number}"]) for number in range(20)]
    got = [int(session.call("f", [(100,)])[0].value) for session in reversed(sessions)]
    assert got == [100 + number for number in reversed(range(20))]
    for session in sessions:
        session.close()


def test_large_arrays_pass_both_ways():
    with Sandbox() as roomy:
        array = np.random.default_rng(0).normal(size=(1000, 1000))
        np.testing.assert_array_equal(value(roomy, "def f(x): return x + 1", array), array + 1)


def test_without_a_sandbox_the_same_worker_answers():
    with Sandbox(limits=HASTY, unsafe=True) as plain:
        assert value(plain, "def f(x): return np.tanh(x)", np.zeros(2)).tolist() == [0, 0]
        assert error(plain, "def f(x):\n    while True: pass").kind == "time"
        assert error(plain, "def f(x): return np.zeros(10**12)").kind == "memory"
        assert error(plain, "def f(x): import os; os._exit(1)").kind == "exit"
