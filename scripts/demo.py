"""An instructor's week: a class's zip comes from Canvas, is graded, marked by hand, given back, looked at.

Everything it writes is below `build/demo/`, a release of its own included; a second run starts from nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shlex import join, quote
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "scripts"))

from nbgrader.api import Gradebook  # noqa: E402
from sample_class import write_canvas_export  # noqa: E402

from autograder import cli  # noqa: E402
from autograder.course.masters import left_out  # noqa: E402
from autograder.course.notebook import ANSWER_PROMPT  # noqa: E402
from autograder.course.places import Places, find_masters  # noqa: E402
from autograder.errors import CourseError  # noqa: E402
from autograder.nbgrader_door.database import sqlite_address  # noqa: E402
from autograder.release.build import build  # noqa: E402
from autograder.sandbox import doctor  # noqa: E402

DEMO = ROOT / "build" / "demo"
BIN = Path(sys.executable).parent
# A demo of two takes less than two minutes; "all" shows the others too.
SHOWN = ("01_simple_rnn", "05_lstm")
# A command's process has what this one has imported: nbgrader alone takes two seconds of each.
FORK = multiprocessing.get_context("fork")
# As `autograder name` and `autograder written` list a group.
GROUP = re.compile(r"^([\w-]+): (\d+) students?\b", re.M)


def run(*words: str, may_fail: bool = False, output: int | None = None) -> None:
    """Run one of the autograder's commands in the demo's folder, and show it as a person would type it."""
    shown = join(["autograder", *words])
    print(f"\n$ {shown}", flush=True)
    if words[0] == "grade":  # it starts processes of its own, and they this file, if it were run here
        status = subprocess.run([BIN / "autograder", *words], cwd=DEMO, check=False).returncode
    else:
        command = FORK.Process(target=_run_here, args=(words, output))
        command.start()
        command.join()
        status = command.exitcode
    if status and not may_fail:
        sys.exit(f"`{shown}` failed with status {status}")


def _run_here(words: tuple[str, ...], output: int | None) -> None:
    os.chdir(DEMO)
    sys.argv = ["autograder", *words]
    if output is not None:
        os.dup2(output, sys.stdout.fileno())
    cli.main()


def groups_said(*words: str) -> list[str]:
    """Run a command that lists groups, show what it says, and take from it the groups of several students."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        run(*words, output=file.fileno())
        file.seek(0)
        said = file.read()
    print(said, end="", flush=True)
    return [group for group, count in GROUP.findall(said) if int(count) > 1]


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
    try:
        DEMO.parent.mkdir(parents=True, exist_ok=True)
        file = DEMO.with_suffix(".lock").open("w")
    except OSError as error:
        sys.exit(
            f"{error.filename}: {error.strerror}. The demo writes there: run it in a copy of this folder."
        )
    with file as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"Another demo is at work in {DEMO}; run this again when it has ended.")
        except OSError:
            pass  # a file system without locks
        yield


def mark_by_hand(notebook: str, questions: list[str], points: float = 1.0) -> None:
    """Mark whoever still waits through nbgrader's API, as formgrader does: one answer, one mark."""
    with Gradebook(address()) as gradebook:
        for submission in gradebook.assignment_submissions(notebook):
            if not _is_graded(submission):
                continue
            student = submission.student.id
            text = (DEMO / "submitted" / student / notebook / f"{notebook}.ipynb").read_text("utf-8")
            for question in questions:
                mark = gradebook.find_grade(question, notebook, notebook, student)
                if mark.manual_score is not None:
                    continue
                mark.manual_score = 0.0 if ANSWER_PROMPT in text else points
                mark.needs_manual_grade = False
        gradebook.db.commit()
    names = ", ".join(questions)
    print(f"\nBy hand, through nbgrader's API: {points:g} for {names}; 0 where nothing was written")


def _is_graded(submission: Any) -> bool:
    """Whether the grader could read a submission."""
    return any(mark.auto_score is not None for notebook in submission.notebooks for mark in notebook.grades)


def address() -> str:
    """The demo's gradebook."""
    return sqlite_address(DEMO / "gradebook.db")


def main(notebooks: list[str]) -> None:
    """Walk the whole way with the sample class."""
    shutil.rmtree(DEMO, ignore_errors=True)
    DEMO.mkdir(parents=True)
    places = Places(DEMO)
    shutil.copy(ROOT / "nbgrader_config.py", DEMO)
    # A copy: names that are given to groups are written there. What is known of right answers lies in tests/.
    shutil.copytree(ROOT / "solutions", places.solutions, ignore=shutil.ignore_patterns("__pycache__"))
    (DEMO / "tests").symlink_to(ROOT / "tests")
    (DEMO / "rnncourse").symlink_to(ROOT / "rnncourse")  # what some derivations tell lies in it
    folders = find_masters(places.solutions, notebooks)
    lacking = {folder: why for folder in folders if (why := left_out(folder))}
    for folder, why in lacking.items():
        print(f"{folder.name}: left out: {why}")
    masters = [build(folder, places) for folder in folders if folder not in lacking]
    write_canvas_export(masters, DEMO / "canvas")
    print(
        f"{', '.join(master.name for master in masters)}: built; Canvas's files written to {DEMO / 'canvas'}"
    )
    roster = ("--roster", "canvas/gradebook.csv")
    for master in masters:
        name = master.name
        # What cannot be taken or graded is named, and the status says so: one submission is broken.
        run("collect", f"canvas/{name}.zip", *roster, "--assignment", name, may_fail=True)
        run("grade", name, "--gradebook", address(), may_fail=True)
        questions = [cell.name for cell in master.cells_with("written")]
        if questions:
            for group in groups_said("written", name)[:1]:
                run("written", name, group, "--points", "1", "--comment", "Which way, and why?")
            mark_by_hand(name, questions)
        for group in groups_said("name", name)[:1]:
            given = (
                "--as",
                "another function in the place of tanh",
                "--hint",
                "Which function is asked for?",
            )
            run("name", name, group, *given, "--share", "0.5")
            run("grade", name, "--gradebook", address(), may_fail=True)
        run("return", name, "--to", "canvas", "--export", "canvas/gradebook.csv")
        run("report", name)
        # The lecture's deck needs reveal.js, which npm fetches once.
        run("report", name, "--lecture", may_fail=True)
        run("similar", name)
    run("report", "--course")
    run("export", "--course")
    print(f"\nThe class:     {DEMO / 'build' / 'report'}: reports, for the lecture too; who is alike")
    print(
        f"For Canvas:    {DEMO / 'build' / 'return'}: of each notebook marks to import, and a zip of feedback"
    )
    print(f"Gradebook:     {DEMO / 'gradebook.db'}, as CSV {DEMO / 'build' / 'export' / 'course.csv'}")
    lab = f"cd {quote(str(DEMO))} && {quote(str(BIN / 'python'))} -m jupyterlab"
    print(f"Formgrader:    {lab}, then Nbgrader, Formgrader")
    print("A class on a hub, or in containers: docs/jupyterhub.md, docs/containers.md")


def start(notebooks: list[str]) -> None:
    """Look whether the way can be walked, and walk it."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make demo | head` ends it like any other program
    try:
        everything = [folder.name for folder in find_masters(ROOT / "solutions")]
        notebooks = everything if notebooks == ["all"] else notebooks or list(SHOWN)
        find_masters(ROOT / "solutions", notebooks)
        refuse_without_sandbox()
        with alone():
            main(notebooks)
    except CourseError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    start(sys.argv[1:])
