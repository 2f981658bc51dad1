"""What a submission may use, and what it used."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """Bounds of one session.

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
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    bound = pages * resource.getpagesize() + extra
    known = [limit for limit in (bound, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(known), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
