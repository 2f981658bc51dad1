"""Nothing that code does inside has an effect outside, or on the session that comes next."""

from pathlib import Path

import numpy as np
import pytest

from autograder.answers.outcome import Opaque
from autograder.sandbox import Limits, Sandbox, launcher
from sandbox.calls import SMALL, answer, answers, cell, error, still_works, value

ATTEMPTS = [
    "open('/etc/passwd').read()",
    "os.listdir('/work')",
    "os.listdir('/home')",
    "open('/proc/self/maps').read()",
    "open('/proc/1/environ').read()",
    "os.listdir('/sys')",
    f"open({str(Path(__file__).resolve())!r}).read()",
    "__import__('autograder.course.exercise')",
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
    "open('/proc/self/fd/4', 'rb')",
    "os.pread(4, 1, 0)",
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
            "'mmap', None, 4096, 5, 0x21, -1, 0",  # shared: `mremap` would map it once more, to be written
            "'mmap', None, 4096, 5, 1, 4, 0",  # the file of answers, to be run
            "'mmap', None, 4096, 5, 2, 4, 0",
            "'mmap', None, 4096, 3, 1, 4, 0",
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
]


def trying(attempt):
    """A cell whose `f` tries something, and says whether it was held."""
    return cell(f"""
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
    """)


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_what_code_tries_beyond_computing_fails(sandbox, attempt):
    with sandbox.session(["import numpy as np", trying(attempt)]) as session:
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
    assert shown <= {Path(name).name for name in launcher.OURS}


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
