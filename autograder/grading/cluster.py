"""Grading on other machines: submissions go to a Dask cluster in batches, and records come back.

A worker grades as a process of the local pool does, in a child process with a warm sandbox of its own, from
a course folder of its own. Only bytes of submissions, the course's key and records travel; journal and
gradebook are written by whoever asked. Needs the extra `cluster`.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import logging
import os
import platform
import pwd
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import distributed
import numpy as np
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker

from autograder.course.places import source_files
from autograder.errors import CourseError, SandboxUnavailable, Ungradable
from autograder.grading.classroom import KILLED, Graded, Known, Pool, Submitted, graded
from autograder.grading.grade import fingerprint, keys_of_records
from autograder.sandbox import Sandbox

log = logging.getLogger("autograder")

BATCH = 4  # a batch costs a millisecond of the scheduler; a larger one leaves a worker idle at the end
AHEAD = 3  # batches that wait for each worker, so that none is idle
WAIT_SECONDS = 60.0  # for a first worker, and for another where all are lost
LOOK_SECONDS = 0.5
PEOPLE = range(1000, 60_000)  # the numbers that systems give to accounts of people
# Where a worker's own copy of the course lies: `autograder worker` sets it.
COURSE = "AUTOGRADER_COURSE"


# ------------------------------------------------------------------------------------ on a worker


@dataclass(frozen=True)
class Sent(Submitted):
    """A submission that travelled: its bytes in place of its file."""

    content: bytes = b""

    def read(self) -> bytes:
        """The notebook's bytes, as they came."""
        return self.content


class _NothingKnown:
    def key_of(self, student: str) -> str:
        return ""


def grade_batch(notebook: str, key: str, batch: list[Sent]) -> list[Graded]:
    """Grade some submissions in this worker's child process."""
    pool, known = _pool(_own_folder(notebook), key), _NothingKnown()
    waiting = [(sent, pool.submit(sent, known)) for sent in batch]
    return [graded(pool, sent, pending, known) for sent, pending in waiting]


@cache
def _pool(folder: Path, key: str) -> Pool:
    """A child process for grading, as long as the worker lives: limits on memory would hit Dask's threads."""
    return Pool(folder, key, unsafe=False, jobs=1)


def _own_folder(notebook: str) -> Path:
    """The notebook's folder in this worker's copy of the course.

    Raises:
        CourseError: the worker was not started with one, or it lacks the notebook.
    """
    if COURSE not in os.environ:
        raise CourseError("it was not started by `autograder worker` and knows no course")
    folder = Path(os.environ[COURSE]) / "solutions" / notebook
    if not folder.is_dir():
        raise CourseError(f"its course in {os.environ[COURSE]} has no {notebook}")
    return folder


@dataclass(frozen=True)
class _Machine:
    """What a mark depends on, of one machine; `problem` where it cannot grade."""

    python: str = ""
    numpy: str = ""
    course: str = ""
    all: str = ""
    problem: str = ""

    def differs(self, other: _Machine) -> str:
        """Why it may not grade for the other, in words; "" where it may."""
        if self.problem:
            return self.problem
        for name in ("python", "numpy"):
            here, there = getattr(other, name), getattr(self, name)
            if here != there:
                return f"{name.capitalize()} {there} there, {here} here"
        if self.course != other.course:
            return "its copy of the notebook's solution is another one"
        return "" if self.all == other.all else "its grader is another version"


def _machine_of(folder: Path, key: str) -> _Machine:
    course = hashlib.sha256(b"".join(path.read_bytes() for path in source_files(folder))).hexdigest()
    return _Machine(platform.python_version(), np.__version__, course, fingerprint(folder, key).hex())


def this_machine(notebook: str, key: str) -> _Machine:
    """What a worker is asked before it grades."""
    try:
        Sandbox().close()
        return _machine_of(_own_folder(notebook), key)
    except (CourseError, SandboxUnavailable, OSError) as error:
        return _Machine(problem=str(error))


def worker_command(scheduler: str, home: Path, jobs: int) -> tuple[list[str], dict[str, str]]:
    """What starts Dask's workers on this machine, each in a process that may have children, and restarted.

    Args:
        scheduler: its address.
        home: the course's folder on this machine.
        jobs: how many workers.

    Returns:
        A command and its environment.

    Raises:
        CourseError: the address is not safe.
    """
    refuse_open_ways(scheduler)
    _refuse_without_certificate(scheduler, "worker")
    words = ["--nworkers", str(jobs), "--nthreads", "1", "--memory-limit", "0", "--no-dashboard"]
    if scheduler.startswith("tcp"):
        words += ["--host", "127.0.0.1"]
    environment = {**os.environ, COURSE: str(home.resolve()), "DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
    return [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, *words], environment


# ------------------------------------------------------------------------------- where it is asked


class Cluster:
    """The workers of a Dask scheduler, as what grades.

    Args:
        folder: the master's folder, here.
        key: the course's key.
        scheduler: its address, `tls://host:8786`; `tcp://` on this machine only.

    Raises:
        CourseError: the address is not safe, nobody answers there, or no worker is like this machine.
    """

    def __init__(self, folder: Path, key: str, scheduler: str):
        refuse_open_ways(scheduler)
        _refuse_without_certificate(scheduler, "client")
        self._notebook, self._key, self._scheduler = folder.name, key, scheduler
        self._key_of = keys_of_records(folder, key)
        self._here = _machine_of(folder, key)
        self._likes: dict[str, str] = {}  # worker -> why it may not grade, "" where it may
        self._filling = _Batch(self)
        with self._told():
            self._client = distributed.Client(scheduler, timeout=WAIT_SECONDS / 4, set_as_default=False)
        self.most_waiting = AHEAD * BATCH * len(self.workers())

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close(timeout=5)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What the network refuses is said in a sentence.

        Raises:
            CourseError: the scheduler does not answer.
        """
        try:
            yield
        except (OSError, TimeoutError, CommClosedError, FutureCancelledError):
            raise CourseError(
                f"the scheduler at {self._scheduler} does not answer; what is graded so far is kept: run the "
                "same command again when it does"
            ) from None

    def workers(self) -> list[str]:
        """The workers that may grade, newcomers among them; waits for one.

        Raises:
            CourseError: there is none, with what is wrong with those that are there.
        """
        until = time.monotonic() + WAIT_SECONDS
        while True:
            with self._told():
                there = list(self._client.scheduler_info(n_workers=-1)["workers"])
                new = [worker for worker in there if worker not in self._likes]
                asked: Any = self._client.run(
                    this_machine, self._notebook, self._key, workers=new, on_error="return"
                ) if new else {}  # fmt: skip
            for worker, machine in asked.items():
                known = isinstance(machine, _Machine)
                why = machine.differs(self._here) if known else f"it fails: {machine!r:.200}"
                self._likes[worker] = why
                if why:
                    log.warning("the worker %s grades nothing: %s", worker, why)
            if good := [worker for worker in there if self._likes.get(worker) == ""]:
                return good
            if there or time.monotonic() > until:
                whys = "; ".join(f"{worker}: {self._likes[worker]}" for worker in there) or "none has come"
                raise CourseError(f"no worker of {self._scheduler} can grade {self._notebook}: {whys}")
            time.sleep(LOOK_SECONDS)

    def submit(self, submitted: Submitted, journal: Known) -> _InBatch:
        """Put a submission into the next batch, unless its record is known already."""
        try:
            content = submitted.read()
        except Ungradable as error:
            return _InBatch(done=Graded(reason=str(error)))
        if self._key_of(content) == journal.key_of(submitted.student):
            return _InBatch(done=Graded())
        batch, place = self._filling, len(self._filling.sent)
        batch.sent.append(Sent(submitted.student, submitted.path, content))
        if len(batch.sent) == BATCH:
            self.send(batch)
        return _InBatch(batch, place)

    def send(self, batch: _Batch) -> None:
        """Send a batch to whichever worker has time for it."""
        if batch is self._filling:
            self._filling = _Batch(self)
        with self._told():
            batch.allowed = self.workers()
            batch.future = self._client.submit(
                grade_batch, self._notebook, self._key, batch.sent,
                workers=batch.allowed, allow_other_workers=False, pure=False,
            )  # fmt: skip

    def wait_for(self, batch: _Batch) -> list[Graded]:
        """What came of a batch; where its workers are lost others do it.

        Raises:
            CourseError: the scheduler is lost, or every worker.
        """
        while True:
            with self._told():
                try:
                    return batch.future.result(timeout=LOOK_SECONDS)
                except TimeoutError:
                    if self._client.status != "running":
                        raise CommClosedError from None
                    if not set(batch.allowed) & set(self._client.scheduler_info(n_workers=-1)["workers"]):
                        batch.future.cancel()
                        self.send(batch)

    def alone(self, submitted: Submitted, journal: Known) -> Graded:
        """A submission in a batch of its own: several workers were lost over the batch that it was in."""
        batch = _Batch(self, [submitted])  # type: ignore[list-item]
        self.send(batch)
        try:
            return self.wait_for(batch)[0]
        except KilledWorker:
            return Graded(reason=KILLED)


@dataclass
class _Batch:
    """Submissions that travel together."""

    cluster: Cluster
    sent: list[Sent] = field(default_factory=list)
    future: distributed.Future = None  # type: ignore[assignment]
    allowed: list[str] = field(default_factory=list)
    graded: list[Graded] = field(default_factory=list)

    def results(self) -> list[Graded]:
        """What came of each, in order."""
        if not self.graded:
            if self.future is None:
                self.cluster.send(self)
            try:
                self.graded = self.cluster.wait_for(self)
            except KilledWorker:
                self.graded = [self.cluster.alone(sent, _NothingKnown()) for sent in self.sent]
            self.future.release()
            self.sent = []
        return self.graded


@dataclass(frozen=True)
class _InBatch:
    """One submission's place in a batch, or what is known of it already."""

    batch: _Batch | None = None
    place: int = 0
    done: Graded | None = None

    def result(self) -> Graded:
        """What came of it; its batch is sent, if it was not."""
        return self.done or self.batch.results()[self.place]  # type: ignore[union-attr]


def refuse_open_ways(scheduler: str) -> None:
    """Refuse an address at which others could listen, or send work: a worker runs whatever a client sends.

    Raises:
        CourseError: it is no address, or one without TLS that others reach: from another machine, or on this.
    """
    parts = urlsplit(scheduler)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname:
        raise CourseError(f"a scheduler's address looks like tls://host:8786; {scheduler!r} does not")
    if parts.scheme == "tls":
        return
    try:
        is_here = parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        is_here = False
    if is_here and (others := others_at_work()):
        raise CourseError(
            f"{scheduler} is open to everybody who has an account here, and {others[0]} is at work: a worker "
            "runs what any client sends, as you. Use tls:// here too (docs/many-machines.md)"
        )
    if not is_here:
        raise CourseError(
            f"{scheduler} is open to whoever reaches it: a worker runs what any client sends, and the "
            "course's key would travel in the clear. Use tls:// with certificates (Dask's "
            "`distributed.comm.tls`), or an address of this machine"
        )


def others_at_work() -> list[str]:
    """Who else has an account on this machine, and a process now; nobody where the system does not say."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, KeyError):
            uid = place.stat().st_uid
            if uid in PEOPLE and uid != os.geteuid():
                found.add(pwd.getpwuid(uid).pw_name)
    return sorted(found)


def _refuse_without_certificate(scheduler: str, role: str) -> None:
    """Refuse to begin without what an encrypted way needs; Dask would say it in a traceback.

    Raises:
        CourseError: Dask's configuration names no certificate for this role, or none that can be read.
    """
    if urlsplit(scheduler).scheme != "tls":
        return
    try:
        if distributed.Security().get_connection_args(role)["ssl_context"]:
            return
        why = f"it names none for `{role}`"
    except (OSError, ValueError) as error:
        why = str(error)
    raise CourseError(
        f"{scheduler} needs certificates, in Dask's configuration (`distributed.comm.tls`): {why}. "
        "docs/many-machines.md shows how to make them"
    )
