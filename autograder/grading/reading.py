"""Reading what a student wrote, in a process that may be given up: its time and its memory are bounded.

No parser of Python promises to be quick with a text that was made to be slow, or to be small. So a student's
text is parsed here and nowhere else on the trusted side, but for short ones whose length is bounded. What is
read is `submission.py`'s business.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import resource
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from autograder.errors import Ungradable
from autograder.grading.excerpt import example_of
from autograder.grading.plan import Plan, PlannedCell, Planner, Role, Surveyed, survey
from autograder.grading.submission import read_submission
from autograder.sandbox.limits import bound_memory

if TYPE_CHECKING:
    from autograder.report.similar import Piece

START_SECONDS = 60.0
SECONDS = 30.0
MEMORY = 1 << 30
LENGTH_BYTES = 8
READY = b"ready"
PROGRAM = "import sys; sys.path[:] = {path!r}; from autograder.grading import reading; reading.serve()"
TOO_LONG = "reading it takes longer than {seconds:g} seconds; is there a cell that no program needs?"
TOO_MUCH = "reading it takes more memory than a notebook may have; is there a cell that no program needs?"


class Reader:
    """A process that reads submissions of one notebook; started when it is first needed.

    Args:
        planner: decides what is run of a submission.
        seconds: of the clock, for one reading.
    """

    def __init__(self, planner: Planner, seconds: float = SECONDS):
        self._planner = planner
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()

    def plan(self, content: bytes, definitions_only: bool = False) -> Plan:
        """What is run of a submission; see `Planner.plan`.

        Raises:
            Ungradable: it is no notebook, or it cannot be read within the bounds.
        """
        read = self._ask("plan", content, definitions_only)
        cells = [PlannedCell(c["source"], Role(c["role"]), c["exercise"]) for c in read["cells"]]
        return Plan(
            cells,
            set(read["stubs"]),
            read["notes"],
            tuple(read["python"]),
            read["answers"],
            read["given_up"],
            read["mentions"],
            read["keeps_nothing"],
        )

    def example(self, content: bytes, exercise: str) -> str:
        """An answer as an example for others; see `example_of`.

        Raises:
            Ungradable: it is no notebook, or it cannot be read within the bounds.
        """
        return self._ask("example", content, exercise)

    def pieces(self, content: bytes) -> list[Piece]:
        """What the student wrote, to be compared with others'; see `pieces_of`.

        Raises:
            Ungradable: it is no notebook, or it cannot be read within the bounds.
        """
        from autograder.report.similar import Piece  # noqa: PLC0415  (who grades does without)

        return [Piece(*one) for one in self._ask("pieces", content)]

    def survey(self, sources: Sequence[str], packages: Sequence[str]) -> Surveyed:
        """The names that there are when cells have run, and why others are not."""
        read = self._ask("survey", list(sources), list(packages))
        return Surveyed(frozenset(read["names"]), read["missing"])

    def cpu_seconds(self) -> float:
        """Processor seconds of the process until now."""
        if self._process is None:
            return 0.0
        return time.clock_gettime((~self._process.pid << 3) | 2)  # the clock of another process

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _ask(self, what: str, *arguments: Any) -> Any:
        if self._owner != os.getpid():  # the process belongs to the one that forked us
            self._process, self._owner = None, os.getpid()
        try:
            process = self._process or self._start()
            _write(process.stdin, pickle.dumps((what, arguments)))
            answer = json.loads(_hear(process, self._seconds))
        except TimeoutError:
            self.close()
            raise Ungradable(TOO_LONG.format(seconds=self._seconds)) from None
        except (OSError, EOFError):  # a parser that overflows its stack takes the process with it
            self.close()
            raise Ungradable(TOO_MUCH) from None
        if "ungradable" in answer:
            raise Ungradable(answer["ungradable"])
        return answer["value"]

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", PROGRAM.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        _write(self._process.stdin, pickle.dumps(self._planner))
        _hear(self._process, START_SECONDS)
        return self._process


def _hear(process: subprocess.Popen[bytes], seconds: float) -> bytes:
    """The process's answer.

    Raises:
        TimeoutError: there is none in time.
        EOFError: the process ended.
    """
    assert process.stdout is not None
    descriptor, deadline = process.stdout.fileno(), time.monotonic() + seconds
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    heard = bytearray()
    while len(heard) < LENGTH_BYTES or len(heard) < LENGTH_BYTES + int.from_bytes(heard[:LENGTH_BYTES]):
        if not poll.poll(max(deadline - time.monotonic(), 0) * 1000):
            raise TimeoutError
        part = os.read(descriptor, 1 << 20)
        if not part:
            raise EOFError
        heard += part
    return bytes(heard[LENGTH_BYTES:])


def serve() -> None:
    """Read what is asked for, until nobody asks any more: the process's whole work."""
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    planner: Planner = pickle.loads(_read(questions))
    _write(answers, READY)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    bound_memory(MEMORY)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with contextlib.suppress(EOFError):
        while True:
            what, arguments = pickle.loads(_read(questions))
            # Also where nobody is left to end it.
            resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + SECONDS) + 1, hard))
            try:
                answer = {"value": DOES[what](planner, *arguments)}
            except Ungradable as error:
                answer = {"ungradable": str(error)}
            except MemoryError:
                answer = {"ungradable": TOO_MUCH}
            _write(answers, json.dumps(answer).encode())


def _plan(planner: Planner, content: bytes, definitions_only: bool) -> dict[str, Any]:
    submission = read_submission(content)
    plan = planner.plan(submission.cells, definitions_only)
    cells = [{**vars(cell), "role": cell.role.value} for cell in plan.cells]
    return {
        "cells": cells,
        "stubs": sorted(plan.stubs),
        "notes": plan.notes,
        "python": submission.python,
        "answers": plan.answers,
        "given_up": plan.given_up,
        "mentions": plan.mentions,
        "keeps_nothing": plan.keeps_nothing,
    }


def _example(planner: Planner, content: bytes, exercise: str) -> str:
    return example_of(planner.plan(read_submission(content).cells), exercise, planner.exercises)


def _pieces(planner: Planner, content: bytes) -> list[tuple[str, str, str]]:
    from autograder.grading.pieces import pieces_of  # noqa: PLC0415  (who grades does without)

    plan = planner.plan(read_submission(content).cells)
    return [(one.place, one.source, one.bare) for one in pieces_of(plan, planner.exercises)]


def _survey(planner: Planner, sources: list[str], packages: list[str]) -> dict[str, Any]:
    found = survey(sources, packages, planner.imports)
    return {"names": sorted(found.names), "missing": found.missing}


DOES: dict[str, Callable[..., Any]] = {
    "plan": _plan,
    "example": _example,
    "pieces": _pieces,
    "survey": _survey,
}


def _write(stream: BinaryIO | Any, content: bytes) -> None:
    stream.write(len(content).to_bytes(LENGTH_BYTES) + content)
    stream.flush()


def _read(stream: BinaryIO) -> bytes:
    head = stream.read(LENGTH_BYTES)
    content = stream.read(int.from_bytes(head))
    if len(head) < LENGTH_BYTES or len(content) < int.from_bytes(head):
        raise EOFError
    return content
