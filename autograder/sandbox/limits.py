"""What a submission may use, and what it used."""

from __future__ import annotations

import contextlib
import resource
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType


@dataclass(frozen=True)
class Limits:
    """Bounds of one session, and of all sessions of one submission together.

    Args:
        memory_bytes: address space beyond what the idle worker has.
        cell_seconds: wall seconds for all cells together.
        call_seconds: wall seconds for one batch of calls.
        cpu_seconds: processor seconds of the whole session.
        open_files: file descriptors.
        output_bytes: characters kept of standard output, and as many of standard error, per call.
        frame_bytes: most that is read in answer to one request, all frames together.
        tmp_bytes: size of the private /tmp, and of one file.
        standin_calls: how often stand-ins are answered in one batch of calls.
        submission_seconds: wall seconds of all sessions of a submission, and of what they ask of stand-ins.
        submission_sessions: how many processes are started for a submission.
        submission_standin_calls: how often stand-ins are answered for a submission.
    """

    memory_bytes: int = 1 << 30
    cell_seconds: float = 20.0
    call_seconds: float = 5.0
    cpu_seconds: int = 30
    open_files: int = 64
    output_bytes: int = 64 << 10
    frame_bytes: int = 64 << 20
    tmp_bytes: int = 32 << 20
    standin_calls: int = 20_000
    submission_seconds: float = 180.0
    submission_sessions: int = 200
    submission_standin_calls: int = 100_000


@dataclass
class Budget:
    """What one submission may still cost, whatever it consists of: all of its sessions draw on this.

    Args:
        limits: the bounds.
    """

    limits: Limits
    seconds: float = field(init=False)
    sessions: int = field(init=False)
    standin_calls: int = field(init=False)

    def __post_init__(self):
        self.seconds = self.limits.submission_seconds
        self.sessions = self.limits.submission_sessions
        self.standin_calls = self.limits.submission_standin_calls

    @property
    def spent(self) -> str:
        """What there is nothing left of, in words; "" where there is enough of everything."""
        if self.seconds <= 0:
            return f"the submission as a whole ran for more than {self.limits.submission_seconds:g} seconds"
        if self.sessions < 0:
            return f"the submission as a whole ended more than {self.limits.submission_sessions} processes"
        return ""


@dataclass(frozen=True)
class Usage:
    """What a session used, as the kernel counted it.

    Args:
        cpu_seconds: user and system time.
        max_rss_bytes: largest resident memory, what it shares with the idle worker included.
    """

    cpu_seconds: float = 0.0
    max_rss_bytes: int = 0


@contextlib.contextmanager
def room_for(extra: int) -> Iterator[None]:
    """Let this process use so many more bytes of memory and no more: beyond, `MemoryError` is raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    bound_memory(extra)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def bound_memory(extra: int) -> None:
    """Let this process use so many more bytes of memory from now on and no more."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except FileNotFoundError:
        return  # no Linux: there is no sandbox either, and only code that one trusts is graded
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    bound = pages * resource.getpagesize() + extra
    known = [limit for limit in (bound, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(known), hard))


@contextlib.contextmanager
def time_for(seconds: float) -> Iterator[None]:
    """Let Python code of ours run for so many seconds: then `TimeoutError` is raised in it.

    A single call into C is not interrupted (it is bounded by the room it has). Signals reach the main thread
    only: in any other nothing is bounded here.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"more than {seconds:g} seconds")

    usual = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        yield
    finally:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:  # the alarm may come at the last moment
            signal.signal(signal.SIGALRM, usual)
