"""The main job, whole: build, grade the sample class in the sandbox, gradebook, feedback, class report.

Everything it writes is below `build/demo/`, a release of its own included; a second run starts from nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shlex import quote

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "scripts"))

from sample_class import write_class  # noqa: E402

from autograder.course.masters import left_out  # noqa: E402
from autograder.course.places import Places, find_masters  # noqa: E402
from autograder.errors import CourseError  # noqa: E402
from autograder.release.build import build  # noqa: E402
from autograder.sandbox import doctor  # noqa: E402

DEMO = ROOT / "build" / "demo"
BIN = Path(sys.executable).parent


def run(*command: str, may_fail: bool = False) -> None:
    """Run a command in the demo's folder, and show it as a person would type it."""
    print(f"\n$ {' '.join(command)}", flush=True)
    done = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=DEMO, check=False)
    if done.returncode and not may_fail:
        sys.exit(f"`{' '.join(command)}` failed with status {done.returncode}")


def refuse_without_sandbox() -> None:
    """Stop before anything is written where nothing could be graded."""
    for finding in doctor():
        if not finding.ok:
            sys.exit(
                "The demo grades others' code, and the sandbox for that does not work here.\n"
                f"{finding.name}: {finding.detail}\n{finding.remedy}"
            )


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Stop where another demo is at work: it starts from nothing, and would take that one's files away."""
    DEMO.parent.mkdir(parents=True, exist_ok=True)
    with DEMO.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"Another demo is at work in {DEMO}; run this again when it has ended.")
        except OSError:
            pass  # a file system without locks
        yield


def write_feedback(notebook: str) -> None:
    """Write the feedback pages of one notebook's class."""
    run("nbgrader", "generate_feedback", f"--assignment={notebook}", "--log-level=WARN")


def main(notebooks: list[str]) -> None:
    """Walk the whole way with the sample class."""
    from autograder.nbgrader_door.gradebook import sqlite_address  # noqa: PLC0415  (two seconds)

    shutil.rmtree(DEMO, ignore_errors=True)
    DEMO.mkdir(parents=True)
    places = Places(DEMO)
    shutil.copy(ROOT / "nbgrader_config.py", DEMO)
    places.solutions.symlink_to(ROOT / "solutions")
    graded = []
    for folder in find_masters(places.solutions, notebooks or None):
        if not notebooks and (why := left_out(folder)):
            print(f"{folder.name}: left out: {why}")
            continue
        master = build(folder, places)
        count = write_class(master, DEMO / "submitted")
        print(f"{master.name}: built; {count} sample submissions written")
        run("nbgrader", "generate_assignment", master.name, "--force", "--log-level=WARN")
        # Submissions that cannot be graded are named, and the status says so: one of them is broken.
        url = sqlite_address(DEMO / "gradebook.db")
        run("autograder", "grade", master.name, "--gradebook", url, may_fail=True)
        run("autograder", "report", master.name)
        graded.append(master.name)
    # nbgrader takes more than a second a page: as many notebooks at a time as there are cores.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(write_feedback, graded))
    run("nbgrader", "export", "--to=grades.csv", "--log-level=WARN")
    print(f"\nClass reports: {DEMO / 'build' / 'report'}")
    print(f"Feedback:      {DEMO / 'feedback'}/STUDENT/NOTEBOOK/NOTEBOOK.html")
    print(f"Gradebook:     {DEMO / 'gradebook.db'}, as CSV {DEMO / 'grades.csv'}")
    lab = f"cd {quote(str(DEMO))} && {quote(str(BIN / 'python'))} -m jupyterlab"
    print(f"Formgrader:    {lab}, then Nbgrader, Formgrader")


def start(notebooks: list[str]) -> None:
    """Look whether the way can be walked, and walk it."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make demo | head` ends it like any other program
    try:
        find_masters(ROOT / "solutions", notebooks or None)
        refuse_without_sandbox()
        with alone():
            main(notebooks)
    except CourseError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    start(sys.argv[1:])
