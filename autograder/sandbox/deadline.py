"""When an answer is late: fair to honest code on a busy machine, short with code that only waits."""

from __future__ import annotations

import time

WINDOW = 0.25  # seconds after which a late process must have gained processor time
BUSY_FACTOR = 4  # how many times longer a busy machine may make it


class Deadline:
    """When a process is late: by the wall clock, unless the machine was too busy to run it.

    Args:
        seconds: allowed, of wall time; also the processor time with which no excuse is left.
    """

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.at = time.monotonic() + seconds
        self._seen: tuple[float, float] | None = None

    def may_wait(self, cpu_seconds: float) -> bool:
        """Whether a late process may have a little longer.

        It may while it is short of its processor time and still gains some: code that only sleeps
        gets one window, code that computes on an idle machine none.
        """
        now = time.monotonic()
        if cpu_seconds >= 0.9 * self.seconds or now > self.at + BUSY_FACTOR * self.seconds:
            return False
        if self._seen is None:
            self._seen = (now, cpu_seconds)
            return True
        since, before = self._seen
        if now - since < WINDOW:
            return True
        self._seen = (now, cpu_seconds)
        return cpu_seconds - before > 0.02 * (now - since)
