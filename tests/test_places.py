"""Odd places: commands end by themselves, with a sentence that says what is so."""

import contextlib
import errno
import fcntl
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, queues
from pathlib import Path

import demo
import pytest
from course import KEY, ROOT, TINY, master_of, submission
from rich.console import Console

from autograder import cli
from autograder.errors import CourseError, SandboxUnavailable
from autograder.grading import classroom
from autograder.grading.journal import Journal
from autograder.record import Judgement, Mark, Record
from autograder.release import build as building
from autograder.sandbox import launcher
from autograder.sheets.drawn import fresh_sheets
from rnncourse import data

linux = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")


def run(*command, **settings):
    environment = {**os.environ, **settings}
    return subprocess.run(
        [*map(str, command)], capture_output=True, text=True, env=environment, timeout=120, check=False
    )


def jail(*words):
    return [launcher.find_bwrap(), "--unshare-user", "--dev-bind", "/", "/", *words]


@linux
def test_the_demo_stops_where_the_sandbox_is_refused_with_its_sentence_last(tmp_path):
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    for name in ("autograder", "solutions", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "build" / "demo").mkdir(parents=True)
    (tmp_path / "build" / "demo" / "grades.csv").write_text("of an earlier run")
    done = run(*jail("--disable-userns"), sys.executable, tmp_path / "scripts" / "demo.py")
    if "disable-userns" in done.stderr and "Unknown" in done.stderr:
        pytest.skip("this bubblewrap cannot forbid them")
    assert done.returncode == 1
    assert done.stdout == ""
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("Unprivileged user namespaces must be allowed") and "`sudo sysctl" in last
    assert "apparmor_restrict_unprivileged_userns=0" not in done.stderr  # for every program
    assert (tmp_path / "build" / "demo" / "grades.csv").read_text() == "of an earlier run"


@linux
def test_without_proc_the_doctor_asks_for_proc_and_not_for_bubblewrap():
    done = run(*jail("--tmpfs", "/proc"), sys.executable, "-m", "autograder", "doctor")
    assert done.returncode == 1
    assert "/proc is not mounted" in done.stdout and "sudo mount -t proc" in done.stdout
    assert "apt install" not in done.stdout and "user namespaces" not in done.stdout


@linux
def test_a_python_below_tmp_has_the_same_sandbox():
    """A session covers /tmp by one of its own: what lies there is shown elsewhere."""
    with contextlib.ExitStack() as cleaning:
        home = Path("/tmp", f"python-{os.getpid()}")
        cleaning.callback(shutil.rmtree, home, ignore_errors=True)
        name = f"python3.{sys.version_info.minor}"
        binary, library = home / "bin" / name, home / "lib" / name
        binary.parent.mkdir(parents=True)
        shutil.copy(launcher.interpreter(), binary)
        unneeded = (
            "test*",
            "idlelib",
            "__pycache__",
            "*-packages",
            "ensurepip",
            "lib2to3",
            "tkinter",
            "config-*",
        )
        shutil.copytree(
            sysconfig.get_path("stdlib"), library, symlinks=True, ignore=shutil.ignore_patterns(*unneeded)
        )
        shared = Path(sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("INSTSONAME") or "none")
        if ".so" in shared.name and shared.is_file():
            shutil.copy(shared, library.parent)
        path = os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])
        done = run(
            *(binary, "-m", "autograder", "doctor"), PYTHONPATH=path, LD_LIBRARY_PATH=str(library.parent)
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "whole run: answered, and held" in done.stdout


def grade_tiny(tmp_path, jobs):
    """Grade three submissions of the tiny notebook; gives the students graded."""
    found = []
    for student in ("ada", "bela", "chidi"):
        path = tmp_path / student / f"{TINY.name}.ipynb"
        path.parent.mkdir()
        path.write_bytes(submission(TINY.name))
        found.append(classroom.Submitted(student, path))
    with Journal(tmp_path / "journal") as journal:
        return [done.student for done in classroom.grade_class(TINY, found, journal, KEY, jobs)]


@linux
def test_a_pool_whose_processes_find_no_room_ends_with_the_reason(tmp_path, monkeypatch):
    """The first sandbox starts, and no other does: so it is under a low limit of processes."""
    count = tmp_path / "count"
    fake = tmp_path / "bin" / "bwrap"
    fake.parent.mkdir()
    fake.write_text(
        f"#!/bin/sh\n[ -e {count} ] && {{ echo 'bwrap: Creating new namespace failed: Resource temporarily "
        f'unavailable\' >&2; exit 1; }}\n: > {count}\nexec {launcher.find_bwrap()} "$@"\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(SandboxUnavailable, match=r"No more processes .*--jobs 1"):
        grade_tiny(tmp_path, jobs=2)


@pytest.fixture
def two_cores():
    """As if the machine had two cores."""
    allowed = os.sched_getaffinity(0)
    if len(allowed) < 2:
        pytest.skip("there is one core alone")
    cores = set(sorted(allowed)[:2])
    os.sched_setaffinity(0, cores)
    yield cores
    os.sched_setaffinity(0, allowed)


@linux
@pytest.mark.parametrize("jobs", [1, 2])
def test_as_many_processes_as_cores_have_one_each_and_fewer_have_all_of_them(two_cores, jobs):
    expected = [{core} for core in sorted(two_cores)] if jobs == 2 else [two_cores]
    with classroom.Pool(TINY, KEY, unsafe=False, jobs=jobs) as pool:
        for _ in range(2 * jobs):  # else the second process would not be started
            pool._executor.submit(time.sleep, 0.5)
        until, kept = time.monotonic() + 60, []
        while kept != expected and time.monotonic() < until:
            time.sleep(0.1)
            processes = pool._executor._processes
            kept = sorted((os.sched_getaffinity(pid) for pid in list(processes)), key=min)
    assert kept == expected
    assert os.sched_getaffinity(0) == two_cores


def test_a_pool_whose_thread_cannot_start_ends_at_once(monkeypatch):
    def refused(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(queues.Queue, "_start_thread", refused)
    executor = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with pytest.raises(RuntimeError, match="can't start new thread"):
        classroom._wait_for_answer(executor)
    for process in classroom.active_children():
        process.kill()


@pytest.mark.parametrize(
    "error", [RuntimeError("can't start new thread"), BlockingIOError(errno.EAGAIN, "x")]
)
def test_where_nothing_more_may_be_started_it_is_said(monkeypatch, capsys, error):
    def refuse():
        raise error

    monkeypatch.setattr(cli, "app", refuse)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "No more processes" in capsys.readouterr().err


def test_two_demos_do_not_take_each_others_files_away(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "DEMO", tmp_path / "build" / "demo")
    with demo.alone(), pytest.raises(SystemExit, match="Another demo is at work"), demo.alone():
        pass
    with demo.alone():  # the first has ended
        pass


def test_where_files_cannot_be_locked_the_demo_runs(tmp_path, monkeypatch):
    def no_locks(file, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(demo, "DEMO", tmp_path / "build" / "demo")
    monkeypatch.setattr(fcntl, "flock", no_locks)
    with demo.alone():
        pass


def test_a_reader_that_leaves_ends_a_command_without_a_trace():
    in_scripts = f"""
import contextlib, sys
sys.path.insert(0, {str(ROOT / "scripts")!r})
import demo
demo.refuse_without_sandbox, demo.alone = lambda: None, contextlib.nullcontext
demo.main = lambda notebooks: print("as the demo does", flush=True)
demo.start([])
"""
    for words in (["-m", "autograder", "--help"], ["-c", in_scripts]):
        read, write = os.pipe()
        os.close(read)
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        done = subprocess.run(
            [sys.executable, *words],
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            check=False,
        )
        os.close(write)
        assert done.returncode != 0
        assert done.stderr == ""


def test_a_demo_of_no_notebook_says_so_and_takes_nothing_away(tmp_path, monkeypatch):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "grades.csv").write_text("of an earlier run")
    monkeypatch.setattr(demo, "DEMO", tmp_path / "demo")
    monkeypatch.setattr(demo.signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit, match=r"no notebook \['no_such_notebook'\]"):
        demo.start(["no_such_notebook"])
    assert (tmp_path / "demo" / "grades.csv").is_file()


def test_a_narrow_terminal_shows_names_and_marks(monkeypatch):
    record = Record("ada", "tiny_rnn", [Mark(Judgement("rnn_step", "right", 0.95), 10.0)], ["x" * 50])

    class Records:
        def records(self, students):
            return [record] * len(students)

    for width in (20, 40, 80):
        shown = io.StringIO()
        monkeypatch.setattr(cli, "out", Console(file=shown, width=width))
        cli.out.print(cli._class_table("02_backpropagation_through_time", Records(), ["ada"]))
        assert "ada" in shown.getvalue() and "9.5 of 10" in shown.getvalue()
        assert ("x" * 10 in shown.getvalue()) == (width == 80)


EXECUTE = """
import sys, nbformat
from pathlib import Path
from autograder.course.places import Places
from autograder.release.build import _execute
code = '''
import matplotlib.pyplot as plt
from rnncourse import show
figure, axes = plt.subplots()
axes.set_title("a title that LaTeX would have to set: $x_t$")
show(figure, alt="a title")
'''
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
_execute(notebook, Path.cwd(), Places(Path.cwd()))
print([output.output_type for output in notebook.cells[0].outputs])
"""


def test_a_notebook_is_executed_alike_whatever_a_person_has_set_up(tmp_path):
    """LaTeX for all text, a profile folder that cannot be made, a kernel of another Python, no loopback."""
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\n")
    kernel = tmp_path / "data" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text('{"argv": ["/nowhere/python"], "display_name": "x", "language": "python"}')
    no_loopback = ["unshare", "--user", "--map-root-user", "--net"]
    if run(*no_loopback, "true").returncode:
        no_loopback = []
    (tmp_path / "run").mkdir()
    settings = {"IPYTHONDIR": "/proc/none", "MATPLOTLIBRC": str(tmp_path / "matplotlibrc")}
    settings |= {"JUPYTER_DATA_DIR": str(tmp_path / "data"), "JUPYTER_PREFER_ENV_PATH": "0"}
    done = subprocess.run(
        [*no_loopback, sys.executable, "-c", EXECUTE],
        cwd=tmp_path / "run",
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['execute_result']"
    assert "TCP" not in done.stderr


def test_the_filter_leaves_no_file_open():
    script = "from autograder.sandbox.syscalls import compiled_filter; compiled_filter()"
    assert run(sys.executable, "-W", "error", "-c", script).stderr == ""


@pytest.mark.parametrize("half_installed", ["raise OSError('libtorch.so: file too short')", "import no_such"])
def test_a_torch_that_does_not_start_is_no_torch(half_installed, tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text(half_installed)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "torch"]:
        monkeypatch.delitem(sys.modules, name)
    building._has_torch.cache_clear()
    master = master_of(TINY.name)
    sheets = fresh_sheets(master, building.PUBLIC_KEY)
    try:
        for name, sheet in sheets.items():
            building._validate_confirmed(master, name, sheet)
        assert not building._has_torch()
    finally:
        building._has_torch.cache_clear()


def test_a_confirmation_that_fails_by_itself_is_no_missing_torch(monkeypatch):
    monkeypatch.setattr(building, "_has_torch", lambda: True)
    master = master_of(TINY.name)
    sheet = fresh_sheets(master, building.PUBLIC_KEY)["rnn_step"]

    def confirm(*arguments):
        raise ValueError("a slip in exercises.py")

    monkeypatch.setattr(sheet, "spec", type(sheet.spec)(**{**vars(sheet.spec), "confirm": confirm}))
    with pytest.raises((CourseError, ValueError), match="a slip"):
        building._validate_confirmed(master, "rnn_step", sheet)


def test_an_account_without_a_home_has_a_place_for_data(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(data.Path, "home", homeless)
    assert data.cache_folder().is_absolute()


@pytest.mark.parametrize("path", ["/usr/bin/bwrap", """/opt/a course's/$HOME/"x" [y]*?/%20/bwrap"""])
def test_ubuntus_remedy_is_a_profile_for_one_program_and_a_command_that_can_be_copied(tmp_path, path):
    words = launcher.apparmor_remedy(Path(path)).partition("\n")[2]
    fake = tmp_path / "bin"
    fake.mkdir()
    for name, text in {
        "sudo": 'exec "$@"',
        "tee": f"cat > {tmp_path}/profile",
        "apparmor_parser": ":",
    }.items():
        (fake / name).write_text(f"#!/bin/sh\n{text}\n")
        (fake / name).chmod(0o755)
    done = run("sh", "-c", words, PATH=f"{fake}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    profile = (tmp_path / "profile").read_text()
    assert "userns," in profile and profile.count("profile ") == 1
    quoted = profile.split('"')[1:-1]
    assert '"'.join(quoted).replace("\\", "") == path
    assert "*" not in path or "\\*" in profile


def test_the_doctor_gives_that_remedy_where_apparmor_forbids_namespaces(monkeypatch):
    from autograder.sandbox import doctor as module  # the function; its module:

    doctor = sys.modules[module.__module__]
    for value, expected in (("1", "AppArmor forbids"), ("0", "Unprivileged"), (None, "Unprivileged")):
        monkeypatch.setattr(doctor, "_switch", lambda name, value=value: value)
        assert doctor._namespaces_remedy(Path("/usr/bin/bwrap")).startswith(expected)


@pytest.mark.parametrize("name", ["plain", "a?b=c", "a%20b", "a$HOME", "it's a #1 & <course>", "ü"])
def test_a_gradebook_lies_where_its_address_says_whatever_its_folder_is_called(tmp_path, name):
    import sqlalchemy

    from autograder.nbgrader_door.database import sqlite_address

    folder = tmp_path / name
    folder.mkdir()
    with sqlalchemy.create_engine(sqlite_address(folder / "gradebook.db")).begin() as connection:
        connection.execute(sqlalchemy.text("create table x (y)"))
    assert (folder / "gradebook.db").stat().st_size > 0


def test_where_the_course_cannot_be_written_the_ways_out_are_named(monkeypatch, capsys):
    def refuse():
        raise PermissionError(errno.EROFS, "Read-only file system", "/course/build")

    monkeypatch.setattr(cli, "app", refuse)
    ways = {
        "grade": ("--journal", "AUTOGRADER_KEY", "run it again"),
        "export": ("--file",),
        "new": ("a copy",),
    }
    for command, words in ways.items():
        monkeypatch.setattr(sys, "argv", ["autograder", command, "01_simple_rnn"])
        with pytest.raises(SystemExit):
            cli.main()
        said = capsys.readouterr().err
        assert "/course/build: Read-only file system" in said
        assert all(word in said for word in words)
        assert ("graded so far" in said) == (command == "grade")


def test_a_demo_in_a_folder_that_cannot_be_written_says_so(tmp_path, monkeypatch):
    (tmp_path / "build").write_text("no folder")
    monkeypatch.setattr(demo, "DEMO", tmp_path / "build" / "demo")
    with pytest.raises(SystemExit, match="run it in a copy"), demo.alone():
        pass


def test_a_grade_ends_as_it_should_where_no_list_of_changes_can_be_written(tmp_path, capsys, monkeypatch):
    from autograder import marks
    from autograder.nbgrader_door import export
    from autograder.nbgrader_door.gradebook import Written

    def refuse(path, rows):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(export, "write_rows", refuse)
    marks.say_changes(Written(), tmp_path / "changes.csv")
    assert "no list of changed marks" in capsys.readouterr().err


def test_the_command_that_makes_a_gradebook_can_be_copied_wherever_it_lies(tmp_path):
    from autograder.nbgrader_door.database import address_of, sqlite_address
    from autograder.nbgrader_door.standings import must_exist

    path = tmp_path / "a course's %20 $x ?" / "gradebook.db"
    with pytest.raises(CourseError) as refused:
        must_exist(sqlite_address(path), "01_simple_rnn")
    words = shlex.split(re.search("`(.*)`", str(refused.value))[1])
    assert words[:4] == ["autograder", "grade", "01_simple_rnn", "--gradebook"]
    assert address_of(words[4]).database == str(path)


def test_nbgrader_makes_a_gradebook_from_a_folder_with_a_per_cent_sign_in_its_path(tmp_path, monkeypatch):
    from nbgrader import api, dbutil

    from autograder.nbgrader_door.database import put_tools_on_path

    put_tools_on_path()
    known = api.get_alembic_version()
    odd = tmp_path / "a %20 course"
    shutil.copytree(Path(dbutil.__file__).parent / "alembic", odd / "alembic")
    monkeypatch.setattr(dbutil, "ALEMBIC_DIR", "")
    monkeypatch.setattr(dbutil, "__file__", str(odd / "dbutil.py"))
    put_tools_on_path()
    assert api.get_alembic_version() == known
