"""What may go wrong in a call, and how it is told."""

import os
import subprocess
import sys
import time

import pytest

from autograder.sandbox import Asked, deadline
from sandbox.calls import HASTY, SMALL, answer, error, still_works, value


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("def f(): return 1", "TypeError"),
        ("def f(x): raise ValueError('no')", "ValueError"),
        ("def f(x): raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("def f(x): return f(x)", "RecursionError"),
        ("def f(x): import sys; sys.exit(3)", "exit"),
        ("def f(x): import os; os._exit(0)", "exit"),
        ("def f(x): import os; os.abort()", "crash"),
        ("def f(x): import ctypes; ctypes.string_at(0)", "crash"),
        ("def f(x): return np.zeros(10**12)", "memory"),
        ("def f(x): return bytearray(10**9)", "memory"),
        ("def f(x): return 'a' * 10**12", "memory"),
        ("def g(x): return x", "missing"),
        ("f = 3", "missing"),
        ("def f(x): return [[[[[[[[[1]]]]]]]]]", "protocol"),
        ("def f(x): return [0] * 20000", "protocol"),
        ("def f(x): return np.zeros(200_000)", "protocol"),
        ("def f(x): return np.broadcast_to(1.0, (10**6, 10**6))", "protocol"),
        ("def f(x):\n    y = []\n    y.append(y)\n    return y", "protocol"),
        ("def f(x): import sys; sys.setrecursionlimit(10**9); return f(x)", "memory|crash|time"),
    ],
)
def test_every_failure_is_told_by_its_kind(sandbox, source, kind):
    assert error(sandbox, source).kind in kind.split("|")
    still_works(sandbox)


@pytest.mark.parametrize("endless", ["while True: pass", "import time; time.sleep(60)"])
def test_what_does_not_end_is_told_as_that(hasty, endless):
    assert error(hasty, f"def f(x):\n    {endless}").kind == "time"
    still_works(hasty)


def test_a_crash_is_told_by_its_signal(sandbox):
    assert "SIGSEGV" in error(sandbox, "def f(x): import ctypes; ctypes.string_at(0)").message


def test_a_hang_costs_itself_and_what_comes_after_it(hasty):
    source = "def f(x):\n    while x == 1: pass\n    return x"
    with hasty.session([source]) as session:
        begun = time.monotonic()
        outcomes = session.call("f", [(0,), (1,), (2,)])
        assert time.monotonic() - begun < 5
        assert [o.error and o.error.kind for o in outcomes] == [None, "time", "time"]
        assert not session.alive
        assert session.call("f", [(0,)])[0].error.kind == "time"


def test_functions_called_in_turn_end_with_the_one_that_ends_the_process(sandbox):
    source = "import os\ndef f(x): return x\ndef g(x):\n    if x == 1: os._exit(3)\n    return -x"
    batches = {Asked("f"): [(0,), (1,)], Asked("g"): [(0,), (1,), (2,)], Asked("f", aside=True): [(0,)]}
    with sandbox.session([source]) as session:
        f, g = session.call_in_turn(batches)
        assert [int(o.value) for o in f] == [0, 1]
        assert [o.error and o.error.kind for o in g] == [None, "exit", "exit"]
        assert [o.error.kind for (o,) in session.call_in_turn({Asked("f"): [(0,)]})] == ["exit"]


def test_functions_called_in_turn_have_the_time_of_one_request(hasty):
    source = "import time\ndef f(x):\n    time.sleep(x)\n    return x"
    batches = {Asked("f"): [(0.0,), (0.3,)], Asked("f", tried_by="f"): [(60.0,), (0.0,)]}
    with hasty.session([source]) as session:
        session.run_cells()
        begun = time.time()
        quick, late = session.call_in_turn(batches)
        assert [o.error for o in quick] == [None, None]
        assert [o.error.kind for o in late] == ["time", "time"]
        assert 0 < session.waited < time.time() - begun - 0.2  # for the call that was late, and no other


def test_each_function_called_in_turn_starts_with_arrays_of_its_own(sandbox):
    source = "import numpy as np\nkept = np.zeros(2)\ndef f(x):\n    kept[:] = x\n    return kept"
    batches = {Asked("f"): [(1.0,)], Asked("f", tried_by="f"): [(2.0,), (3.0,)], Asked("h"): [(1.0,)]}
    with sandbox.session([source]) as session:
        (one,), (first, second), (missing,) = session.call_in_turn(batches)
    assert [one.overwrote, first.overwrote, second.overwrote] == [False, False, True]
    assert missing.error.kind == "missing"


def test_an_exception_with_a_hostile_text_is_still_told(sandbox):
    source = """
    class Mean(Exception):
        def __str__(self): raise Mean
    Mean.__name__ = '<script>' * 100
    def f(x): raise Mean
    """
    problem = error(sandbox, source)
    assert problem.kind == "Exception" and problem.message == ""


def test_texts_are_bounded_and_every_encoding_can_hold_them(sandbox):
    source = r"""
    import sys
    def f(x):
        print('\ud800' * 10**6)
        sys.stderr.write('y' * 10**6)
        raise ValueError('\udfff' * 10**6)
    """
    outcome = answer(sandbox, source)
    assert 0 < len(outcome.printed) <= SMALL.output_bytes
    assert len(outcome.complaints) == SMALL.output_bytes
    assert 0 < len(outcome.error.message) <= 2000
    (outcome.printed + outcome.error.message).encode()


def test_output_that_never_ends_fills_nothing(hasty):
    for target in ("print('x' * 9999)", "os.write(1, b'x' * 9999)", "os.write(2, b'x' * 9999)"):
        assert error(hasty, f"import os\ndef f(x):\n    while True: {target}").kind == "time"


def test_an_exit_in_a_cell_costs_that_cell_only(sandbox):
    with sandbox.session(["raise SystemExit", "def f(x): return x"]) as session:
        assert session.call("f", [(1,)])[0].error is None
        assert session.cell_errors[0].kind == "exit"


@pytest.fixture
def busy():
    """A machine with more to do than it has processors for."""
    command = [sys.executable, "-S", "-c", "while True: pass"]
    # Linux shares processors among sessions: in one alone the crowd would get no more than the sandbox.
    crowd = [subprocess.Popen(command, start_new_session=True) for _ in range(2 * (os.cpu_count() or 1))]
    time.sleep(0.3)
    yield
    for process in crowd:
        process.kill()
        process.wait()


COMPUTES = """
import os
import subprocess
import sys
import time
def f(x):
    while time.process_time() < 0.35: pass
    return x
"""
# What gains a little processor time in every window, and sleeps otherwise.
IDLES = """
import os
import subprocess
import sys
import time
def f(x):
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        for _ in range(200_000): pass
        time.sleep(0.05)
    return x
"""


def test_a_busy_machine_costs_no_honest_answer(hasty, busy):
    begun = time.monotonic()
    assert value(hasty, COMPUTES, 3) == 3
    assert time.monotonic() - begun > HASTY.call_seconds


@pytest.mark.parametrize("source", [IDLES, "import time\ndef f(x): time.sleep(2.0); return x"])
def test_a_busy_machine_gives_no_time_to_what_idles(hasty, busy, source):
    with hasty.session([source]) as session:
        session.run_cells()
        begun = time.monotonic()
        assert session.call("f", [(1.0,)])[0].error.kind == "time"
        assert time.monotonic() - begun < 3 * HASTY.call_seconds
    still_works(hasty)


def test_where_the_kernel_does_not_say_who_waited_the_load_does(monkeypatch):
    monkeypatch.setattr(deadline.os, "getloadavg", lambda: (3.0 * os.cpu_count(), 0, 0))
    assert deadline.kept_waiting(0, 5.0) == pytest.approx(10.0)
    monkeypatch.setattr(deadline.os, "getloadavg", lambda: (0.1, 0, 0))
    assert deadline.kept_waiting(0, 5.0) == 0


@pytest.mark.parametrize(("cpu", "kept_waiting", "waits"), [(0, 0, 0), (0, 2, 2), (0, 99, 4), (0.95, 99, 0)])
def test_a_late_process_gets_what_others_took_from_it_and_an_end(monkeypatch, cpu, kept_waiting, waits):
    now = [0.0]
    monkeypatch.setattr(deadline.time, "monotonic", lambda: now[0])
    limit = deadline.Deadline(1.0)
    now[0] = 1.0
    while limit.may_wait(cpu, kept_waiting):
        now[0] += 0.25
    assert now[0] == 1.0 + waits
    assert limit.taken == 1.0
