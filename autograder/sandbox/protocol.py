"""Every message between the trusted side, the idle worker and a session's process, once.

Both sides use this module. To a session go pickled pairs: the words of a message, and a value. What comes
from one may be a lie, and is never unpickled: it comes as frames of `answers/wire.py`; `told` gives their
words a form, and whoever asked bounds and checks each word.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

# Control socket, to the idle worker: what to do, session number, address space allowed.
REQUEST = struct.Struct("<cQQ")
FORK, KILL, ENDED, CPU = b"F", b"K", b"E", b"C"
# Control socket, from the idle worker: READY once; then session number, wait status, CPU seconds, peak bytes.
READY = b"R"
REPORT = struct.Struct("<QidQ")
STILL_RUNNING = -2  # in place of a wait status: an answer to CPU
CLOSED_ONLY = -1  # in place of a wait status: the process closed its socket and lived on

# A session's socket: HELLO from the child once its doors are shut; then frames, each behind its length.
HELLO = b"\x01"
LENGTH = struct.Struct("<Q")
# Frames that have time wait in a file that both sides hold, until the next one on the socket: nobody is woken
# for them, and what was answered before a process ended can still be read. So many bytes for a session;
# behind an answer that goes by the socket all others of its batch do.
GATHERED_BYTES = 4 << 20
# How a session's process may end by itself.
OUT_OF_MEMORY, SETUP_FAILED = 96, 97


@dataclass(frozen=True)
class RunCells:
    """To a session: run these cells. The answer is `CellsRan`."""

    cells: list[str]


@dataclass(frozen=True)
class Asked:
    """A function that is to be called.

    Args:
        function: its name.
        tried_by: the function that is called in its place, if there is something of the first name.
        aside: with arguments that the other side puts a little beside the real numbers, which do not travel.
    """

    function: str
    tried_by: str = ""
    aside: bool = False


@dataclass(frozen=True)
class CallFunctions:
    """To a session: call functions in turn, each with a batch of the value beside it, a list of batches.

    A batch holds a list of arguments for each call. The answers are as many `Answered` as there are calls,
    with numbers from `number` on, the last one on the socket; between them may come `AskStandin`.
    """

    asked: list[Asked]
    number: int
    standins: list[str]


@dataclass(frozen=True)
class StandinAnswered:
    """To a session: what a stand-in gave is the value beside it, or it failed."""

    failed: bool


@dataclass(frozen=True)
class CellsRan:
    """From a session: the errors of its cells, and what they printed."""

    errors: list[Any] = field(default_factory=list)
    printed: str = ""


@dataclass(frozen=True)
class Answered:
    """From a session: what a call gave is the frame's value, or there is an error.

    Args:
        number: of the call.
        error: kind, message, cell and line; or None.
        printed: what was written to standard output.
        complaints: what was written to standard error.
        changed: arguments that were changed in place, "#0" for the first.
        overwrote: whether what the call before had returned was changed.
    """

    number: int
    error: dict[str, Any] | None = None
    printed: str = ""
    complaints: str = ""
    changed: list[str] = field(default_factory=list)
    overwrote: bool = False


@dataclass(frozen=True)
class AskStandin:
    """From a session: call this stand-in with the arguments in the frame's value."""

    name: str


Message = RunCells | CallFunctions | StandinAnswered | CellsRan | Answered | AskStandin
KINDS: dict[str, type[Message]] = {
    kind.__name__: kind for kind in (RunCells, CallFunctions, StandinAnswered, CellsRan, Answered, AskStandin)
}


def words(message: Message) -> dict[str, Any]:
    """A message as words, each plain data."""
    return {"is": type(message).__name__, **vars(message)}


def answered_well(number: int) -> dict[str, Any]:
    """The words of an answer with nothing beside its value; what is left out is as `Answered` has it."""
    return {"is": Answered.__name__, "number": number}


def told(words: dict[str, Any]) -> Message | None:
    """The message that words hold, or None; of the types of its parts nothing is known."""
    kind = KINDS.get(words["is"]) if isinstance(words.get("is"), str) else None
    parts = {name: part for name, part in words.items() if name != "is"}
    try:
        return kind(**parts) if kind else None
    except TypeError:
        return None
