"""A time limit for calls in this process, on every system: an endless loop comes to an end.

Another thread waits, and raises an exception in the calling one. Python does so between two instructions: a
call of NumPy's that takes long ends first, and so does an import: cut in half it would leave a broken module
for everybody, and PyTorch's first optimiser imports for some seconds. The time begins anew after it. Where
there are no threads (a browser), the clock is asked again and again as functions begin and loops turn, of
which Python 3.12 and later tell; before, there is no limit there.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, TypeVar

T = TypeVar("T")

# How long to wait before the exception is raised again: an `except:` in a loop may have caught it.
AGAIN_SECONDS = 0.02
# How much longer an import may take: PyTorch's first takes some seconds on a slow disk.
IMPORT_SECONDS = 60.0
# Of the numbers for tools that watch a program, one that debuggers, coverage and profilers leave alone.
TOOL = 4
# In a browser the clock takes longer to ask than a turn of a small loop takes.
ASKED_EVERY = 16


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
        watch = _watch(max(self.left, 0.0), sys._getframe())
        try:
            return call()
        finally:
            watch.end()
            self.left -= time.monotonic() - max(started, watch.begun)


def _watch(seconds: float, watched: FrameType) -> _Watch | _WatchWithoutThreads:
    try:
        return _Watch(seconds, watched)
    except RuntimeError:  # no thread can be started
        return _WatchWithoutThreads(seconds)


class _Watch:
    """A thread that raises `TimeUp` in the call it watches, again and again until that has ended.

    Nowhere else: raised while a watch is begun or ended it would leave a thread that raises for ever, or wait
    for a lock that nobody gives back. So a lock of C is all that the two share (what `threading` builds of
    them can be cut in half), and the thread looks where the caller is before it raises.
    """

    def __init__(self, seconds: float, watched: FrameType):
        self._caller = threading.get_ident()
        self._watched = watched
        self._seconds = seconds
        self._goes_on = threading.Lock()
        self._goes_on.acquire()
        self.begun = time.monotonic()
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()

    def _wait(self) -> None:
        if self._ends_within(self._seconds):
            return
        patience = time.monotonic() + IMPORT_SECONDS

        def imports() -> bool:
            return time.monotonic() < patience and _is_importing(sys._current_frames().get(self._caller))

        while imports():
            if self._ends_within(AGAIN_SECONDS):
                return
            self.begun = time.monotonic()
        if self._ends_within(self.begun + self._seconds - time.monotonic()):
            return
        raised = ctypes.py_object(TimeUp)
        while not self._ends_within(AGAIN_SECONDS):
            if self._is_in_the_call() and not imports():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._caller), raised)

    def _ends_within(self, seconds: float) -> bool:
        return self._goes_on.acquire(timeout=max(seconds, 0.0))

    def _is_in_the_call(self) -> bool:
        """Whether the caller runs what it was asked to run, and not what begins and ends a watch."""
        frame = sys._current_frames().get(self._caller)
        if frame and frame.f_code.co_filename == __file__:
            return False
        while frame and frame is not self._watched:
            if frame.f_code.co_filename == __file__ and frame.f_code is not TimeLimit.run.__code__:
                return False
            frame = frame.f_back
        return frame is not None

    def end(self) -> None:
        """From now on nothing is raised."""
        while True:
            try:
                if self._goes_on.locked():
                    self._goes_on.release()
                self._thread.join()
                # One that is on its way comes at the next jump, here. (Python 3.11 looks for ever for one
                # that is taken back by a null pointer.)
                for _ in range(2):
                    pass
                del self._watched  # a frame that knows what knows it
                return
            except TimeUp:
                continue


class _WatchWithoutThreads:
    """Raises `TimeUp` where a function begins or a loop turns, again and again until it is ended."""

    def __init__(self, seconds: float):
        self._seconds = seconds
        self.begun = time.monotonic()
        self._due = self.begun + seconds
        self._patience = self._due + IMPORT_SECONDS
        self._seen = 0
        self._outer: list[Any] = []  # the same of a limit around this one
        self._tells: Any = getattr(sys, "monitoring", None)
        if self._tells is None:
            return
        if self._tells.get_tool(TOOL) is None:
            self._tells.use_tool_id(TOOL, __name__)
        events = self._tells.events
        self._outer = [
            (event, self._tells.register_callback(TOOL, event, self._ask_the_clock))
            for event in (events.PY_START, events.JUMP)
        ]
        self._tells.set_events(TOOL, events.PY_START | events.JUMP)

    def _ask_the_clock(self, code: CodeType, *_offsets: int) -> None:
        self._seen += 1
        if self._seen % ASKED_EVERY:
            return
        now = time.monotonic()
        if now < self._due or code.co_filename == sys._getframe().f_code.co_filename:
            return  # not due, or on its way to its own end
        if _is_importing(sys._getframe(1)) and now < self._patience:
            self.begun = now
            return
        if now < self.begun + self._seconds:
            self._due = self.begun + self._seconds
            return
        self._due = now + AGAIN_SECONDS
        raise TimeUp

    def end(self) -> None:
        """From now on nothing is raised by this one."""
        if self._tells is None:
            return
        for event, callback in self._outer:
            self._tells.register_callback(TOOL, event, callback)
        if all(callback is None for _, callback in self._outer):
            self._tells.set_events(TOOL, 0)
            self._tells.free_tool_id(TOOL)


def _is_importing(frame: FrameType | None) -> bool:
    """Whether a thread is about to import a module, by what it is running."""
    while frame and not frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None
