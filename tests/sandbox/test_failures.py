"""What may go wrong in a call, and how it is told."""

import time

import pytest

from autograder.sandbox import deadline, idle
from sandbox.calls import SMALL, answer, error, still_works, value


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
        ("def f(x):\n    while True: pass", "time"),
        ("def f(x): import time; time.sleep(60)", "time"),
        ("def f(x): import sys; sys.setrecursionlimit(10**9); return f(x)", "memory|crash|time"),
    ],
)
def test_every_failure_is_told_by_its_kind(sandbox, source, kind):
    assert error(sandbox, source).kind in kind.split("|")
    still_works(sandbox)


def test_a_crash_is_told_by_its_signal(sandbox):
    assert "SIGSEGV" in error(sandbox, "def f(x): import ctypes; ctypes.string_at(0)").message


def test_a_hang_costs_itself_and_what_comes_after_it(sandbox):
    source = "def f(x):\n    while x == 1: pass\n    return x"
    with sandbox.session([source]) as session:
        begun = time.monotonic()
        outcomes = session.call("f", [(0,), (1,), (2,)])
        assert time.monotonic() - begun < 5
        assert [o.error and o.error.kind for o in outcomes] == [None, "time", "time"]
        assert not session.alive
        assert session.call("f", [(0,)])[0].error.kind == "time"


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


def test_output_that_never_ends_fills_nothing(sandbox):
    for target in ("print('x' * 9999)", "os.write(1, b'x' * 9999)", "os.write(2, b'x' * 9999)"):
        assert error(sandbox, f"import os\ndef f(x):\n    while True: {target}").kind == "time"


def test_an_exit_in_a_cell_costs_that_cell_only(sandbox):
    with sandbox.session(["raise SystemExit", "def f(x): return x"]) as session:
        assert session.call("f", [(1,)])[0].error is None
        assert session.cell_errors[0].kind == "exit"


def test_a_busy_machine_costs_no_honest_answer_and_sleep_earns_nothing(sandbox, monkeypatch):
    slow = "import time\ndef f(x): time.sleep(1.0); return x"
    spent = []

    def little_by_little(self, number):
        spent.append(0.01 * (1 + len(spent)))
        return spent[-1]

    begun = time.monotonic()
    assert error(sandbox, slow).kind == "time"
    assert time.monotonic() - begun < 1.0
    monkeypatch.setattr(idle.Worker, "cpu_seconds", little_by_little)
    assert value(sandbox, slow, 3) == 3
    assert spent


def test_a_deadline_ends_whatever_the_machine_says(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(deadline.time, "monotonic", lambda: now[0])
    limit = deadline.Deadline(1.0)
    assert not limit.may_wait(0.95)
    cpu = 0.0
    while limit.may_wait(cpu):
        now[0] += 0.3
        cpu += 0.02
    assert 4 < now[0] < 6
