"""A time limit for calls in this process, on every system: an endless loop comes to an end.

Another thread waits, and raises an exception in the calling one. Python does so between two instructions: a
call of NumPy's that takes long ends first, and so does an import: cut in half it would leave a broken module
for everybody, and PyTorch's first optimiser imports for some seconds. The time begins anew after it. Where
there are no threads (a browser) there is no limit.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

# How long to wait before the exception is raised again: an `except:` in a loop may have caught it.
AGAIN_SECONDS = 0.02
# How much longer an import may take: PyTorch's first takes some seconds on a slow disk.
IMPORT_SECONDS = 60.0


class TimeUp(BaseException):
    """The time is over; raised in the line that is running."""


class TimeLimit:
    """Seconds for all calls that are made under it together.

    Args:
        seconds: how long they may take, by the clock.
    """

    def __init__(self, seconds: float):
        self.left = seconds

    @property
    def is_over(self) -> bool:
        """Whether all the time is used up."""
        return self.left <= 0

    def run(self, call: Callable[[], T]) -> T:
        """Call a function; what time it takes is gone.

        Raises:
            TimeUp: the time was over before it came to an end.
        """
        started = time.monotonic()
        watch = _Watch(self.left)
        try:
            return call()
        finally:
            watch.end()
            self.left -= time.monotonic() - max(started, watch.begun)


class _Watch:
    """A thread that raises `TimeUp` in the one that made it, again and again until it is ended."""

    def __init__(self, seconds: float):
        self._caller = threading.get_ident()
        self._seconds = max(seconds, 0.0)
        self.begun = time.monotonic()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = threading.Thread(target=self._wait, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self._thread = None

    def _wait(self) -> None:
        if self._ended.wait(self._seconds):
            return
        patience = time.monotonic() + IMPORT_SECONDS

        def imports() -> bool:
            return time.monotonic() < patience and _is_importing(sys._current_frames().get(self._caller))

        while imports():
            if self._ended.wait(AGAIN_SECONDS):
                return
            self.begun = time.monotonic()
        if self._ended.wait(self.begun + self._seconds - time.monotonic()):
            return
        raised = ctypes.py_object(TimeUp)
        while not self._ended.wait(AGAIN_SECONDS):
            if not imports():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._caller), raised)

    def end(self) -> None:
        """From now on nothing is raised."""
        while self._thread:
            try:
                self._ended.set()
                self._thread.join()
                # One that is on its way comes at the next jump, here. (Python 3.11 looks for ever for one
                # that is taken back by a null pointer.)
                for _ in range(2):
                    pass
                return
            except TimeUp:
                continue


def _is_importing(frame: FrameType | None) -> bool:
    """Whether a thread is about to import a module, by what it is running."""
    while frame and not frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None
