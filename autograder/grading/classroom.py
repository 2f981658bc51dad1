"""Many submissions of one notebook: found, graded on all cores, recorded, resumable.

What is graded how, is `grade.py`'s business; what the marks are for, the gradebook's.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import stat
import threading
import time
import unicodedata
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

from autograder.course.roster import MOST_ID, one_spelling
from autograder.errors import CourseError, SandboxUnavailable, Ungradable
from autograder.grading.grade import Grader
from autograder.grading.journal import Journal
from autograder.grading.submission import read_bytes, read_submission
from autograder.record import Record
from autograder.sandbox.launcher import PROCESSES_REMEDY

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

START_SECONDS = 180.0
# Beside a notebook, in nbgrader's layout: when it was handed in.
STAMP = "timestamp.txt"


@dataclass(frozen=True)
class Submitted:
    """A student's folder: the name that is shown, and the notebook's path."""

    student: str
    path: Path

    def read(self) -> bytes:
        """The notebook's bytes.

        Raises:
            Ungradable: it is too long, or cannot be read.
        """
        return read_bytes(self.path)


@dataclass(frozen=True)
class Failure:
    """A submission that could not be graded, and why."""

    student: str
    reason: str


def find_submissions(submitted: Path, assignment: str) -> tuple[list[Submitted], list[Failure]]:
    """Submissions in nbgrader's layout, `DIR/STUDENT/NOTEBOOK/NOTEBOOK.ipynb`.

    Links are refused, wherever they point.

    Raises:
        CourseError: there is no such folder.
    """
    if not submitted.is_dir():
        raise CourseError(f"there is no folder {submitted}: `autograder collect` makes it")
    found, failures = [], []
    for entry in sorted(os.scandir(submitted), key=lambda entry: entry.name):
        if entry.name.startswith(".") or entry.is_file(follow_symlinks=False):
            continue  # plain files beside the students' folders are somebody's lists
        student = shown_name(one_spelling(entry.name))
        folder = Path(entry.path) / assignment
        if folder_of(submitted, one_spelling(entry.name), assignment) != folder and folder.is_dir():
            continue  # the same name in Unicode's other spelling, and older
        reason = _not_a_folder(Path(entry.path)) or _not_a_folder(folder)
        if reason == MISSING:
            continue
        if reason:
            failures.append(Failure(student, reason))
        elif len(entry.name) > MOST_ID:
            reason = f"the folder's name is longer than {MOST_ID} characters, which the gradebook cannot hold"
            failures.append(Failure(student, reason))
        elif student != one_spelling(entry.name) or not re.fullmatch(r"[^\x00-\x1f\x7f/\\]+", student):
            failures.append(Failure(student, "the folder's name holds characters that no student id has"))
        else:
            found.append(Submitted(student, folder / f"{assignment}.ipynb"))
    return found, failures


def spellings_of(submitted: Path, assignment: str) -> dict[str, list[str]]:
    """Students whose folder is not named in Unicode's usual spelling, or stands there in two: the folders."""
    found: dict[str, list[str]] = {}
    for entry in sorted(os.scandir(submitted), key=lambda entry: entry.name):
        if (Path(entry.path) / assignment).is_dir():
            found.setdefault(one_spelling(entry.name), []).append(entry.name)
    return {student: names for student, names in found.items() if names != [student]}


def folder_of(submitted: Path, student: str, assignment: str) -> Path:
    """The folder of a student's submission, whichever of Unicode's spellings names it; of two, the newer."""
    usual = submitted / student / assignment
    if student.isascii():
        return usual
    other = submitted / unicodedata.normalize("NFD", student) / assignment
    there = [folder for folder in (usual, other) if folder.is_dir()]
    return max(there, key=_handed_in, default=usual)


def _handed_in(folder: Path) -> float:
    """When a folder's notebook was written."""
    path = folder / f"{folder.name}.ipynb"
    return path.stat().st_mtime if path.is_file() else 0.0


def pythons_of(submitted: Path) -> dict[tuple[int, ...], int]:
    """How many notebooks of a class were written with which Python; () where one does not say.

    Raises:
        CourseError: there is no such folder.
    """
    if not submitted.is_dir():
        raise CourseError(f"there is no folder {submitted}: `autograder collect` makes it")
    found: Counter[tuple[int, ...]] = Counter()
    for path in sorted(submitted.glob("*/*/*.ipynb")):
        with contextlib.suppress(Ungradable):
            found[read_submission(read_bytes(path)).python] += 1
    return dict(sorted(found.items()))


def shown_name(name: str) -> str:
    """A folder's name as text that can be written anywhere: a terminal, a page, a table.

    Characters that cannot be seen (control characters, turns of direction, bad bytes) become escapes.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


MISSING = "missing"
KILLED = (
    "the process that graded it was killed twice; was there not enough memory? Run the same command again, "
    "with fewer --jobs: what is graded so far is kept"
)


def _not_a_folder(path: Path) -> str:
    """Why a path is no folder: MISSING where there is nothing, "" for a folder."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return MISSING
    if stat.S_ISDIR(mode):
        return ""
    kind = "a link; links are refused" if stat.S_ISLNK(mode) else "not a folder"
    return f"{shown_name(path.name)} is {kind}"


def grade_class(
    folder: Path,
    submissions: list[Submitted],
    journal: Journal,
    key: str,
    jobs: int = 1,
    unsafe: bool = False,
    scheduler: str | None = None,
) -> Iterator[Submitted | Failure]:
    """Grade every submission that has no record yet; records go to the journal.

    Args:
        folder: the master's folder.
        submissions: what to grade.
        journal: an open journal.
        key: the course's key.
        jobs: processes at work.
        unsafe: without a sandbox.
        scheduler: the address of a Dask scheduler, whose workers grade in place of processes here.

    Yields:
        Each submission once it has a record, or the failure with its reason.
    """
    with _workshop(folder, key, jobs, unsafe, scheduler) as pool:
        waiting: deque[tuple[Submitted, Pending]] = deque()
        for submitted in submissions:
            waiting.append((submitted, pool.submit(submitted, journal)))
            while len(waiting) > pool.most_waiting:
                yield _take(waiting, journal, pool)
        while waiting:
            yield _take(waiting, journal, pool)


def _workshop(folder: Path, key: str, jobs: int, unsafe: bool, scheduler: str | None) -> Workshop:
    """What grades: this process, several of this machine, or those of a cluster."""
    if scheduler:
        return cluster_room().Cluster(folder, key, scheduler)
    return Here(folder, key, unsafe) if jobs <= 1 else Pool(folder, key, unsafe, jobs)


def cluster_room() -> ModuleType:
    """What grades on other machines.

    Raises:
        CourseError: the packages that it needs are not installed.
    """
    try:
        return importlib.import_module("autograder.grading.cluster")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("dask", "distributed"):
            raise
        raise CourseError(
            'grading on other machines needs Dask: `.venv/bin/pip install -e "autograder[cluster]"`'
        ) from None


@dataclass(frozen=True)
class Graded:
    """What comes back from a process at work: a record and its key, or a reason."""

    key: str = ""
    record: Record | None = None
    reason: str = ""


class Pending(Protocol):
    """A submission that is being graded."""

    def result(self) -> Graded:
        """What came of it."""
        ...


class Known(Protocol):
    """What is graded already: a journal."""

    def key_of(self, student: str) -> str:
        """The key of a student's record, "" where there is none."""
        ...


class Workshop(Protocol):
    """What grades submissions, however many at once."""

    @property
    def most_waiting(self) -> int:
        """How many submissions may wait for it."""
        ...

    def __enter__(self) -> Workshop: ...

    def __exit__(self, *exception: object) -> None: ...

    def submit(self, submitted: Submitted, journal: Known) -> Pending:
        """Begin with a submission, unless its record is known already."""
        ...

    def alone(self, submitted: Submitted, journal: Known) -> Graded:
        """Grade a submission by itself, after a process that had it was killed."""
        ...


def graded(pool: Workshop, submitted: Submitted, pending: Pending, journal: Known) -> Graded:
    """What came of a submission; where a process of the pool was killed, it is graded by itself."""
    try:
        return pending.result()
    except BrokenProcessPool:
        return pool.alone(submitted, journal)


def _take(waiting: deque[tuple[Submitted, Pending]], journal: Journal, pool: Workshop) -> Submitted | Failure:
    submitted, pending = waiting.popleft()
    came = graded(pool, submitted, pending, journal)
    if came.reason:
        return Failure(submitted.student, came.reason)
    if came.record is not None:
        journal.write(came.key, came.record)
    return submitted


def _grade_one(grader: Grader, submitted: Submitted, known_key: str) -> Graded:
    """Grade one submission, unless its record under this key is known already."""
    try:
        content = submitted.read()
        key = grader.submission_key(content)
        if key == known_key:
            return Graded()
        grader.warm()
        return Graded(key, grader.grade(content).record(submitted.student))
    except Ungradable as error:
        return Graded(reason=str(error))
    except (CourseError, SandboxUnavailable):
        raise
    except Exception as error:
        # A fault of ours, found by one submission, must not cost the others their grades.
        return Graded(reason=f"the grader itself failed on it, please report this: {error!r:.300}")


class Here:
    """Grading in this process."""

    most_waiting = 4

    def __init__(self, folder: Path, key: str, unsafe: bool):
        self._grader = Grader(folder, key, unsafe)

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *exception: object) -> None:
        self._grader.close()

    def alone(self, submitted: Submitted, journal: Known) -> Graded:
        """Never asked for."""
        raise AssertionError("there is no pool that could break")

    def submit(self, submitted: Submitted, journal: Known) -> Future[Graded]:
        """Grade it at once."""
        future: Future[Graded] = Future()
        try:
            future.set_result(_grade_one(self._grader, submitted, journal.key_of(submitted.student)))
        except Exception as error:
            future.set_exception(error)
        return future


_grader: Grader | Exception | None = None


class Pool:
    """Grading in several processes, each with a sandbox of its own."""

    def __init__(self, folder: Path, key: str, unsafe: bool, jobs: int):
        # Where something is wrong with the course or the sandbox, say so here: from the pool it would only
        # be a broken pool.
        Grader(folder, key, unsafe).close()
        self._arguments = (folder, key, unsafe)
        self._jobs = jobs
        self.most_waiting = 4 * jobs
        self._executor = self._processes(jobs)

    def _processes(self, jobs: int) -> ProcessPoolExecutor:
        """Processes of which one has answered.

        Raises:
            SandboxUnavailable: none does; without this a pool whose threads cannot start would wait for ever.
        """
        context = get_context("spawn")
        executor = ProcessPoolExecutor(
            jobs, context, initializer=_start, initargs=(*self._arguments, jobs, context.Value("i", 0))
        )
        try:
            _wait_for_answer(executor)
        except BrokenProcessPool:
            pass  # a process was killed: whoever hands in a submission is told
        except (OSError, RuntimeError) as error:
            executor.shutdown(wait=False, cancel_futures=True)
            for process in active_children():
                process.kill()
            raise SandboxUnavailable(f"no process for grading starts ({error}). {PROCESSES_REMEDY}") from None
        return executor

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *exception: object) -> None:
        self._executor.shutdown(cancel_futures=True)

    def submit(self, submitted: Submitted, journal: Known) -> Future[Graded]:
        """Give it to the next process that has time."""
        work = (_grade_in_pool, submitted, journal.key_of(submitted.student))
        try:
            return self._executor.submit(*work)
        except BrokenProcessPool:
            self._executor.shutdown(cancel_futures=True)
            self._executor = self._processes(self._jobs)
            return self._executor.submit(*work)

    def alone(self, submitted: Submitted, journal: Known) -> Graded:
        """Grade a submission in a process of its own, after a process of the pool was killed.

        Nobody can tell over which submission it was killed: all that were waiting come here.
        """
        for _ in range(2):
            with self._processes(1) as executor, contextlib.suppress(BrokenProcessPool):
                known_key = journal.key_of(submitted.student)
                return executor.submit(_grade_in_pool, submitted, known_key).result()
        return Graded(reason=KILLED)


def keep_to_one_core(which: int) -> None:
    """Keep this process and those that it starts on one core of this machine.

    Reader, grader and sandbox work in turn: another core would be woken for every word between them.

    Args:
        which: counted from 0; there are as many as this process may use, and then the first again.
    """
    cores = _cores()
    if cores:
        os.sched_setaffinity(0, {cores[which % len(cores)]})


def _cores() -> list[int]:
    """The cores that this process may use; none where the system does not say."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _start(folder: Path, key: str, unsafe: bool, jobs: int, started: Synchronized[int]) -> None:
    global _grader  # noqa: PLW0603  (one grader a process, for as long as the process lives)
    if jobs >= len(_cores()):  # fewer leave it to the system where they find room
        with started:
            keep_to_one_core(started.value)
            started.value += 1
    try:
        _grader = Grader(folder, key, unsafe)
    except Exception as error:
        # Told with the first submission: a pool does not always notice that a process could not start.
        _grader = error


def _grade_in_pool(submitted: Submitted, known_key: str) -> Graded:
    return _grade_one(_this_grader(), submitted, known_key)


def _this_grader() -> Grader:
    if isinstance(_grader, Exception):
        raise _grader
    assert _grader is not None
    return _grader


def _answer() -> None:
    """A process of the pool is there, and has a grader."""
    _this_grader()


def _wait_for_answer(executor: ProcessPoolExecutor) -> None:
    """Wait for a first answer of a pool; where a thread of it dies, as it does without a word, end the wait.

    Raises:
        RuntimeError: there will be no answer.
    """
    died: list[str] = []
    usual, threading.excepthook = threading.excepthook, lambda args: died.append(str(args.exc_value))
    try:
        answer = executor.submit(_answer)
        deadline = time.monotonic() + START_SECONDS
        while not died and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                return answer.result(0.2)
    finally:
        threading.excepthook = usual
    raise RuntimeError(died[0] if died else f"no answer in {START_SECONDS:.0f} seconds")
