"""When an answer is late: fair to honest code on a busy machine, short with code that only waits."""

from __future__ import annotations

import os
import time
from pathlib import Path

WINDOW = 0.25  # seconds after which it is looked again how long a late process was kept waiting
BUSY_FACTOR = 4  # how many times longer a busy machine may make it


class Deadline:
    """When a process is late: by the wall clock, unless the machine was too busy to run it.

    Args:
        seconds: allowed, of wall time; also the processor time with which no excuse is left.
    """

    def __init__(self, seconds: float):
        self.seconds = seconds
        self._begun = time.monotonic()
        self.at = self._begun + seconds

    @property
    def taken(self) -> float:
        """Seconds until now, without those by which a busy machine made it longer."""
        return min(time.monotonic(), self.at) - self._begun

    def may_wait(self, cpu_seconds: float, kept_waiting: float) -> bool:
        """Whether a late process may have a little longer.

        It gets back the seconds that others took from it, and no other: a process that sleeps is kept
        waiting by nobody, however busy the machine is.

        Args:
            cpu_seconds: of the process until now.
            kept_waiting: seconds in which the process was ready to run and another one ran.
        """
        if cpu_seconds >= 0.9 * self.seconds:
            return False
        return time.monotonic() < self.at + min(kept_waiting, BUSY_FACTOR * self.seconds)


def kept_waiting(pid: int, since_load: float) -> float:
    """Seconds in which a process was ready to run and another one ran, as the kernel counts them.

    Args:
        pid: the process; 0 where nobody knows it.
        since_load: where the kernel does not say, the seconds that the machine's load is taken to last.
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        crowd = os.getloadavg()[0] / (os.cpu_count() or 1)
        return max(crowd - 1.0, 0.0) * since_load
