"""The trusted side: starts the worker, sends cells and arguments, reads what comes back.

Whatever the worker says may be a lie or nonsense: every read has a deadline and a bound, and every
word is checked. The only thing an answer can be is a value.
"""

from __future__ import annotations

import contextlib
import itertools
import keyword
import math
import os
import pickle
import re
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograder.answers import wire
from autograder.answers.calling import copied
from autograder.answers.outcome import Outcome, Place, StudentError
from autograder.errors import SandboxUnavailable
from autograder.sandbox import launcher
from autograder.sandbox.deadline import WINDOW, Deadline, kept_waiting
from autograder.sandbox.idle import START_SECONDS, Worker, first_byte
from autograder.sandbox.limits import Budget, Limits, Usage, room_for, time_for
from autograder.sandbox.modest import is_modest, is_ordinary
from autograder.sandbox.protocol import (
    CLOSED_ONLY,
    GATHERED_BYTES,
    HELLO,
    LENGTH,
    OUT_OF_MEMORY,
    Answered,
    Asked,
    AskStandin,
    CallFunctions,
    CellsRan,
    Message,
    RunCells,
    StandinAnswered,
    told,
    words,
)

MAX_ERRORS = 50
MAX_TEXT = 2000
MOST_PLACES = 20
STANDIN_BYTES = 16 << 10  # what a stand-in's arguments may have beyond four times the batch
STANDIN_MEMORY = 256 << 20  # what this process may use for a stand-in's answer
STANDIN_SHARE = 4  # seconds of stand-ins per second of a batch's own
UNASKED = "the process sent what was not asked for"


class Sandbox:
    """One warm worker for one assignment; a context manager.

    Args:
        packages: what the assignment may import beside the standard library; numpy always is there.
        limits: bounds of each session.
        unsafe: no sandbox at all, only limits; for code one would run anyway.
        bwrap: the bubblewrap to use, instead of the one that is found.
        uid: no namespaces, but a user of its own, whom nothing else belongs to: for where only root is left.

    Raises:
        SandboxUnavailable: there can be no sandbox here; says why and what helps.
    """

    def __init__(
        self,
        packages: Sequence[str] = ("numpy",),
        limits: Limits | None = None,
        unsafe: bool = False,
        bwrap: Path | None = None,
        uid: int | None = None,
    ):
        self.packages = tuple(packages)
        self.limits = limits or Limits()
        self.unsafe = unsafe
        self._uid = uid
        self._bwrap = None if unsafe or uid is not None else launcher.find_bwrap(bwrap)
        self._worker: Worker | None = None
        self._start()

    def _start(self) -> Worker:
        self._worker = Worker(self.packages, self.limits, self._bwrap, self._uid)
        return self._worker

    def session(self, cells: Sequence[str], budget: Budget | None = None) -> Session:
        """A process of its own for one submission; nothing of it runs yet.

        Args:
            cells: what it runs first.
            budget: what all sessions of the submission may cost together; without one, what one may.
        """
        return Session(self, self.live_worker(), list(cells), budget or Budget(self.limits))

    def live_worker(self) -> Worker:
        """The idle process; a new one if it is dead or belongs to the process that forked us."""
        worker = self._worker
        if worker is None or worker.owner != os.getpid() or not worker.answers():
            self.close()
            worker = self._start()
        return worker

    def close(self) -> None:
        """End the worker and every session of it."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _EndedError(Exception):
    """A session is over; `args[0]` is the StudentError that says why."""


class Session:
    """One submission's process; a context manager. Made by `Sandbox.session`."""

    def __init__(self, sandbox: Sandbox, worker: Worker, cells: list[str], budget: Budget):
        self.cells = cells
        self.cell_errors: list[StudentError] = []
        self.cell_printed = ""
        self.limits = sandbox.limits
        self._sandbox = sandbox
        self._worker = worker
        self._budget = budget
        self._end: StudentError | None = None
        self._ran = False
        self._closed = False
        self._usage: Usage | None = None
        self._pid = 0
        self._calls = 0
        self._room = self.limits.frame_bytes  # what may still come back for one request
        budget.sessions -= 1
        self._gathered = 0  # bytes of the file that have been read
        self.waited = 0.0  # seconds, for the call that ended it
        try:
            self._number, self._socket, self._file = worker.fork()
        except OSError:
            self._worker = sandbox.live_worker()
            self._number, self._socket, self._file = self._worker.fork()

    @property
    def alive(self) -> bool:
        """Whether the process can still answer."""
        return self._end is None and not self._closed

    @property
    def usage(self) -> Usage:
        """What the session used; known once it is closed (or has ended)."""
        if self._usage is None and (self._closed or self._end is not None):
            report = self._worker.report(self._number)
            self._usage = report[1] if report else Usage()
        return self._usage or Usage()

    @property
    def cpu_seconds(self) -> float:
        """Processor seconds of the process until now; infinite where it has ended."""
        return self._worker.cpu_seconds(self._number) if self.alive else math.inf

    def run_cells(self) -> None:
        """Run the cells, once. Errors in them are noted, not raised."""
        if self._ran:
            return
        self._ran = True
        try:
            self._greet()
            with self._time(self.limits.cell_seconds) as deadline:
                self._send(_request(RunCells(self.cells)), deadline)
                _, ran = self._receive(deadline)
            if not isinstance(ran, CellsRan):
                raise self._over("protocol", UNASKED)
            self.cell_printed = _text(ran.printed, self.limits.output_bytes)
            for error in (ran.errors if isinstance(ran.errors, list) else [])[:MAX_ERRORS]:
                self.cell_errors.append(self._student_error(error))
        except _EndedError as ended:
            self.cell_errors.append(ended.args[0])

    def call(
        self,
        function: str,
        batch: Sequence[Sequence[Any]],
        standins: Mapping[str, Callable[..., Any]] | None = None,
        tried_by: str = "",
        aside: bool = False,
    ) -> list[Outcome]:
        """Call a function of the student's once for each list of positional arguments.

        Args:
            function: its name.
            batch: arguments by position, each nested tuples, lists, dicts of arrays and numbers.
            standins: name -> trusted function that answers calls of that name from now on.
            tried_by: the function that is called in its place, and uses it.
            aside: put the arguments a little beside the real numbers (`answers/calling.py`).

        Returns:
            One outcome per call, whatever the student's code does.
        """
        return self.call_in_turn({Asked(function, tried_by, aside): batch}, standins)[0]

    def call_in_turn(
        self,
        batches: Mapping[Asked, Sequence[Sequence[Any]]],
        standins: Mapping[str, Callable[..., Any]] | None = None,
    ) -> list[list[Outcome]]:
        """Call functions of the student's one after the other, all within the time for one request.

        Args:
            batches: for each function its arguments, as for `call`.
            standins: as for `call`.

        Returns:
            For each function one outcome per call. Where one ends the process, it is the last; the outcomes
            of its calls that were not answered say how.
        """
        standins = standins or {}
        self.run_cells()
        sizes = list(map(len, batches.values()))
        outcomes: list[Outcome] = []
        if self._end is None and self._closed:
            self._end = StudentError("exit", "the session was closed")
        if self._end is None:
            with contextlib.suppress(_EndedError):
                self._ask(batches, sum(sizes), standins, outcomes)
        starts = [0, *itertools.accumulate(sizes)]
        reached = [size for size, start in zip(sizes, starts, strict=False) if start <= len(outcomes)]
        if self._end is not None:
            outcomes += [Outcome(error=self._end)] * (sum(reached) - len(outcomes))
        left = iter(outcomes)
        return [list(itertools.islice(left, size)) for size in reached]

    def _ask(
        self,
        batches: Mapping[Asked, Sequence[Sequence[Any]]],
        count: int,
        standins: Mapping[str, Callable[..., Any]],
        outcomes: list[Outcome],
    ) -> None:
        """Send one request, and append the outcomes of its calls.

        Raises:
            _EndedError: the process has ended before the last of them.
        """
        first, self._calls = self._calls, self._calls + count
        asked = CallFunctions(list(batches), first, list(standins))
        request = _request(asked, list(batches.values()))
        self._standin_bytes = STANDIN_BYTES + 4 * len(request)
        self._standin_seconds = STANDIN_SHARE * self.limits.call_seconds
        begun = time.time()
        try:
            with self._time(self.limits.call_seconds) as self._deadline:
                self._send(request, self._deadline)
                self._room = self.limits.frame_bytes
                answered = 0
                while len(outcomes) < count:
                    value, message = self._receive(self._deadline)
                    name = _text(message.name, MAX_TEXT) if isinstance(message, AskStandin) else ""
                    if name in standins:
                        answered += 1
                        self._answer_standin(standins[name], value, answered)
                        continue
                    self._take_gathered(outcomes, first, count)
                    outcomes.append(self._next_outcome(value, message, first + len(outcomes)))
        except _EndedError:
            self.waited = time.time() - max(begun, os.fstat(self._file.fileno()).st_mtime)
            end = self._end
            with contextlib.suppress(_EndedError):
                self._take_gathered(outcomes, first, count)
            self._end = end  # what ended it, and not what may be wrong with what it left
            raise

    def close(self) -> None:
        """End the process. Does not wait for it."""
        if self._closed:
            return
        if self._end is None:
            self._worker.kill(self._number)
        self._closed = True
        self._socket.close()
        self._file.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _time(self, seconds: float) -> Iterator[Deadline]:
        """A deadline for one request, no longer than what is left for the submission; it is paid for here.

        Raises:
            _EndedError: nothing is left.
        """
        if self._budget.spent:
            raise self._over("time", self._budget.spent)
        deadline = Deadline(min(seconds, self._budget.seconds))
        try:
            yield deadline
        finally:
            self._budget.seconds -= deadline.taken

    def _answer_standin(self, standin: Callable[..., Any], value: Any, answered: int) -> None:
        """Compute what a stand-in is asked for; the time it takes is not the student's."""
        self._budget.standin_calls -= 1
        if answered > self.limits.standin_calls or self._budget.standin_calls < 0:
            raise self._over("time", f"more than {answered - 1} calls of a function")
        begun = time.monotonic()
        try:
            if not is_modest(value, self._standin_bytes):
                raise ValueError("arguments much larger than the call's own")
            args, kwargs = value
            with np.errstate(all="ignore"), contextlib.ExitStack() as bounds:
                if not all(map(is_ordinary, (*args, *kwargs.values()))):
                    # Few numbers of odd shapes can broadcast to gigabytes, and a large one count for ever.
                    bounds.enter_context(room_for(STANDIN_MEMORY))
                    bounds.enter_context(time_for(self._standin_seconds))
                # As from a function of the student's own: no two parts of it are one array.
                blob = _request(StandinAnswered(failed=False), copied(standin(*args, **kwargs)))
            if len(blob) > self.limits.frame_bytes:
                raise ValueError("an answer much larger than the call's own")
        except Exception:  # arguments of a student's: anything may be wrong with them
            blob = _request(StandinAnswered(failed=True))
        self._standin_seconds -= time.monotonic() - begun
        if self._standin_seconds < 0:
            raise self._over("time", "calls of another function took too long")
        self._deadline.at += time.monotonic() - begun
        self._send(blob, self._deadline)

    def _greet(self) -> None:
        """Wait for the child's word that its doors are shut; it has seen nothing of a student's yet.

        Raises:
            SandboxUnavailable: two workers in turn did not get so far.
        """
        for last_try in (False, True):
            try:
                self._poll(Deadline(START_SECONDS), select.POLLIN)
                said, self._pid = first_byte(self._socket)
                if said == HELLO:
                    return
            except OSError:
                pass
            self._socket.close()
            self._file.close()
            self._worker.kill(self._number)
            if self._worker.report(self._number) is None:
                self._worker.alive = False
            if last_try:
                raise SandboxUnavailable(
                    "a session's process cannot be confined here. `autograder doctor` tells more."
                )
            self._worker = self._sandbox.live_worker()
            self._number, self._socket, self._file = self._worker.fork()

    def _send(self, blob: bytes, deadline: Deadline) -> None:
        rest = memoryview(LENGTH.pack(len(blob)) + blob)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                self._wait(deadline, select.POLLOUT)
            except OSError:
                raise self._gone() from None

    def _receive(self, deadline: Deadline) -> tuple[Any, Message | None]:
        """One frame of the worker's: its value and its message.

        Raises:
            _EndedError: none came in time, or it is none; the process has been killed.
        """
        try:
            (length,) = LENGTH.unpack(self._read(LENGTH.size, deadline))
            self._take_room(length)
            blob = self._read(length, deadline)
        except TimeoutError:
            raise self._timeout() from None
        except ConnectionError:
            raise self._gone() from None
        return self._read_frame(blob)

    def _take_room(self, length: int) -> None:
        if length > self._room:
            raise self._over("protocol", f"an answer of {length} bytes is too long")
        self._room -= length

    def _read_frame(self, blob: bytes | bytearray) -> tuple[Any, Message | None]:
        try:
            frame = wire.Frame(blob, self.limits.frame_bytes)
            message = told(frame.extra)
            return frame.value(keep_numbers=isinstance(message, AskStandin)), message
        except wire.WireError as error:
            raise self._over("protocol", f"the process sent {error}") from None

    def _take_gathered(self, outcomes: list[Outcome], first: int, asked: int) -> None:
        """Append the answers that have gathered in the file: all of a batch's may, but for the last.

        Raises:
            _EndedError: there is something else in it; the process has been killed.
        """
        file = self._file.fileno()
        waiting = min(os.fstat(file).st_size, GATHERED_BYTES) - self._gathered
        frames = memoryview(os.pread(file, waiting, self._gathered) if waiting > 0 else b"")
        while len(frames) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(frames)
            end = LENGTH.size + length
            if end > len(frames):
                break  # the process ended while it wrote
            self._take_room(length)
            if len(outcomes) + 1 == asked:
                raise self._over("protocol", UNASKED)
            told = self._read_frame(bytes(frames[LENGTH.size : end]))
            outcomes.append(self._next_outcome(*told, first + len(outcomes)))
            self._gathered += end
            frames = frames[end:]

    def _read(self, count: int, deadline: Deadline) -> bytes | bytearray:
        """Exactly `count` bytes; a deadline for all of them together."""
        try:
            data = self._socket.recv(count)
            if len(data) == count:
                return data
            if not data:
                raise ConnectionResetError
        except BlockingIOError:
            data = b""
        except OSError as error:
            raise ConnectionResetError from error
        buffer = bytearray(data)
        while len(buffer) < count:
            self._poll(deadline, select.POLLIN)
            try:
                data = self._socket.recv(min(count - len(buffer), 1 << 20))
            except BlockingIOError:
                continue
            except OSError as error:
                raise ConnectionResetError from error
            if not data:
                raise ConnectionResetError
            buffer += data
        return buffer

    def _poll(self, deadline: Deadline, event: int) -> None:
        """Wait for the socket; a process from which others took the processor gets longer.

        Raises:
            TimeoutError: it is late, and not because the machine is busy.
        """
        poll = select.poll()
        poll.register(self._socket, event)
        left = deadline.at - time.monotonic()
        if left > 0 and poll.poll(left * 1000 + 1):
            return
        while deadline.may_wait(
            self._worker.cpu_seconds(self._number), kept_waiting(self._pid, deadline.seconds)
        ):
            if poll.poll(WINDOW * 1000):
                return
        raise TimeoutError

    def _wait(self, deadline: Deadline, event: int) -> None:
        try:
            self._poll(deadline, event)
        except TimeoutError:
            raise self._timeout() from None

    def _timeout(self) -> _EndedError:
        return self._over("time", "it did not end in the time allowed")

    def _over(self, kind: str, message: str) -> _EndedError:
        """Kill the process for what it did."""
        self._worker.kill(self._number)
        self._end = StudentError(kind, message)
        return _EndedError(self._end)

    def _gone(self) -> _EndedError:
        """Say why a process ended that nobody killed."""
        self._worker.kill(self._number, ended=True)
        report = self._worker.report(self._number)
        if report is None:
            self._end = StudentError("crash", "the process ended")
            return _EndedError(self._end)
        status, self._usage = report
        self._end = self._cause(status, self._usage)
        return _EndedError(self._end)

    def _cause(self, status: int, usage: Usage) -> StudentError:
        if status == CLOSED_ONLY:
            return StudentError("exit", "the code closed its line to the grader")
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            name = str(number)
            with contextlib.suppress(ValueError):
                name = signal.Signals(number).name
            if number == signal.SIGXCPU or usage.cpu_seconds >= self.limits.cpu_seconds - 0.5:
                seconds = self.limits.cpu_seconds
                return StudentError("time", f"more than {seconds} s of processor time")
            if number == signal.SIGKILL:
                return StudentError("memory", "the process was killed, as happens without memory")
            return StudentError("crash", f"the process ended with {name}")
        code = os.WEXITSTATUS(status)
        if code == OUT_OF_MEMORY:
            return StudentError("memory", "more memory was asked for than is allowed")
        return StudentError("exit", f"the code ended its process (status {code})")

    def _next_outcome(self, value: Any, answer: Message | None, number: int) -> Outcome:
        """The outcome of the next call, by the answer to it.

        Raises:
            _EndedError: it is no such answer; the process has been killed.
        """
        if not isinstance(answer, Answered) or answer.number != number:
            raise self._over("protocol", UNASKED)
        bound = self.limits.output_bytes
        changed = answer.changed[:100] if isinstance(answer.changed, list) else []
        return Outcome(
            value=None if answer.error else value,
            error=self._student_error(answer.error) if answer.error else None,
            printed=_text(answer.printed, bound),
            complaints=_text(answer.complaints, bound),
            changed_inputs=tuple(c for c in changed if isinstance(c, str) and re.fullmatch("#[0-9]{1,3}", c)),
            overwrote=answer.overwrote is True,
            places=self._places(answer.error) if answer.error else (),
        )

    def _student_error(self, said: Any) -> StudentError:
        """An error as the worker tells it, bounded; the source line is taken from our own cells."""
        said = said if isinstance(said, dict) else {}
        kind = _text(said.get("kind"), 100)
        if not kind.isidentifier() or keyword.iskeyword(kind):
            kind = "Exception"
        place = self._place(said.get("cell"), said.get("line"))
        if place is None:
            return StudentError(kind, _text(said.get("message"), MAX_TEXT))
        message = _text(said.get("message"), MAX_TEXT)
        return StudentError(kind, message, place.cell, place.line or None, place.source)

    def _places(self, said: Any) -> tuple[Place, ...]:
        """The lines that an error passed, as the worker tells it."""
        told = said.get("places") if isinstance(said, dict) else None
        found = []
        for one in told[-MOST_PLACES:] if isinstance(told, list) else ():
            place = self._place(*one) if isinstance(one, list) and len(one) == 5 else None
            if place and place.line:
                found.append(place)
        return tuple(found)

    def _place(
        self, cell: Any, line: Any, start: Any = None, end: Any = None, function: Any = ""
    ) -> Place | None:
        """A place in our own cells, or None; its line is 0 where there is no such line."""
        if type(cell) is not int or not 0 <= cell < len(self.cells):
            return None
        lines = self.cells[cell].split("\n")
        if type(line) is not int or not 1 <= line <= len(lines):
            return Place(cell, 0, "")
        whole = lines[line - 1].encode()
        inside = type(start) is int and type(end) is int and 0 <= start < end <= len(whole)
        expression = whole[start:end].decode(errors="replace") if inside else ""
        source = _text(lines[line - 1], MAX_TEXT)
        name = _text(function, 100)
        return Place(cell, line, source, _text(expression, MAX_TEXT), name if name.isidentifier() else "")


def _request(message: Message, value: Any = None) -> bytes:
    """What goes to a session."""
    return pickle.dumps((words(message), value))


def _text(told: Any, bound: int) -> str:
    if not told or not isinstance(told, str):
        return ""
    return wire.clean_text(told, bound)
