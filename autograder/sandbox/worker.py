"""The untrusted side: an idle process that forks one child per session, and the child's work.

The idle process imports the packages once and never runs a student's code. It reads requests from
the control socket: fork a session (with the session's own socket), or end one. A child shuts every
door behind it (mounts, capabilities, limits, system calls) before it reads its first frame.

This file is started as a script's body by `launcher.BOOTSTRAP`; it sees no other code of ours than
`confine`, `cells`, `protocol`, and of the answers' room `calling`, `wire` and `outcome`.
"""

from __future__ import annotations

import array
import builtins
import contextlib
import gc
import importlib
import io
import json
import os
import pickle
import random
import select
import signal
import socket
import sys
import tempfile
import time
import types
import warnings  # noqa: F401  (students' warnings need it; a child should import nothing)
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.answers import wire
from autograder.answers.calling import Calls, aside
from autograder.sandbox import cells
from autograder.sandbox.confine import Confinement
from autograder.sandbox.protocol import (
    CLOSED_ONLY,
    CPU,
    ENDED,
    FORK,
    GATHERED_BYTES,
    HELLO,
    KILL,
    LENGTH,
    OUT_OF_MEMORY,
    READY,
    REPORT,
    REQUEST,
    SETUP_FAILED,
    STILL_RUNNING,
    Answered,
    Asked,
    AskStandin,
    CallFunctions,
    CellsRan,
    RunCells,
    StandinAnswered,
    answered_well,
    told,
    words,
)

GRACE_MS = 200  # for a process that seems to have ended to do so
# A session's descriptors beside the standard ones: its socket, and the file where answers gather.
LINE, GATHERED = 3, 4
DESCRIPTORS = 2


def main() -> None:
    """Serve the control socket until it closes."""
    config = json.loads(sys.argv[1])
    _drop_environment()
    control = socket.socket(fileno=config["control"])
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    for name in config["packages"]:
        importlib.import_module(name)
    _warm_up(config)
    prepare = Confinement(config)
    gc.collect()
    gc.freeze()
    gc.disable()
    control.sendall(READY)
    Zygote(control, prepare, config, null).serve()


def _drop_environment() -> None:
    for name in list(os.environ):
        if name.endswith(("_NUM_THREADS", "_CORETYPE", "_CPU_FEATURES")) or name == "PYTHONHASHSEED":
            del os.environ[name]


def _warm_up(config: dict[str, Any]) -> None:
    """Do once what every session would do first: imports, buffers, caches."""
    for name in ("numpy.linalg", "numpy.random", "numpy.ma", "math", "collections", "functools"):
        importlib.import_module(name)
    for name in ("typing", "itertools", "dataclasses", "time", "copy", "traceback"):
        importlib.import_module(name)
    square = np.eye(8)
    np.tanh(square @ square + np.einsum("ij,jk->ik", square, square))
    np.linalg.norm(np.exp(-square))
    wire.encode(((square, {"W": square}), [1.0]), {}, keep_numbers=True)
    pickle.loads(pickle.dumps((words(CallFunctions([Asked("f")], 0, [])), [(square, {"W": square}), [1.0]])))
    np.random.seed(0)
    namespace: dict[str, Any] = {}
    cells.run(["import numpy as np\ndef f(x):\n    return np.tanh(x)\nf(1.0)\n1 / 0"], namespace)
    if "torch" in config["packages"]:
        _warm_up_torch(sys.modules["torch"])


def _warm_up_torch(torch: Any) -> None:
    """Train a little: PyTorch imports half of itself (a second's work) when it is first used.

    Its optimisers ask for a temporary folder on their way in; here none can be written, and none is needed.
    """
    torch.set_num_threads(1)
    tempfile.tempdir = "/tmp"
    nn, functional = torch.nn, torch.nn.functional
    xs, lengths = torch.ones(3, 2, 4), torch.tensor([3, 2])
    for layer in (nn.RNN(4, 5), nn.GRU(4, 5), nn.LSTM(4, 5, bidirectional=True)):
        model = nn.Sequential(nn.Dropout(), nn.Linear(5 * (1 + layer.bidirectional), 2))
        for optimizer in (torch.optim.SGD, torch.optim.Adam):
            optimizer = optimizer(model.parameters(), 0.1)
            optimizer.zero_grad()
            packed = nn.utils.rnn.pack_padded_sequence(layer(xs)[0], lengths, enforce_sorted=False)
            scores = model(nn.utils.rnn.pad_packed_sequence(packed)[0])
            loss = functional.cross_entropy(scores.flatten(0, -2), torch.ones(6, dtype=torch.long))
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    with torch.no_grad():
        best = nn.utils.rnn.pad_sequence([xs[0], xs[1, :1]]).argmax(-1)
        (best[best == 0] == 0).double().mean().item()


class Zygote:
    """The idle process: forks sessions, ends them, reports what they used."""

    def __init__(self, control: socket.socket, prepare: Confinement, config: Any, null: int):
        self.control = control
        self.prepare = prepare
        self.config = config
        self.null = null
        self.children: dict[int, int] = {}  # session number -> pid
        self.dying: dict[int, tuple[int, int]] = {}  # pidfd -> (session number, pid)
        self.closed_only: set[int] = set()  # sessions that closed their socket and lived on

    def serve(self) -> None:
        """Answer requests until the other side is gone."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd in self.dying:
                    poll.unregister(fd)
                    os.close(fd)
                    self.report(*self.dying.pop(fd))
                    continue
                request, descriptors = self.read()
                if request is None:
                    for pid in (*self.children.values(), *(pid for _, pid in self.dying.values())):
                        os.kill(pid, signal.SIGKILL)
                    return
                action, number, address_space = request
                if action == FORK and len(descriptors) == DESCRIPTORS:
                    line, gathered = descriptors
                    self.fork(number, line, gathered, address_space)
                elif action == CPU:
                    self.control.sendall(REPORT.pack(number, STILL_RUNNING, self.cpu(number), 0))
                elif action in (KILL, ENDED) and number in self.children:
                    pid = self.children.pop(number)
                    fd = self.end(pid, number, grace=action == ENDED)
                    if fd is not None:
                        poll.register(fd, select.POLLIN)

    def cpu(self, number: int) -> float:
        """Processor seconds of a session until now; infinite where that cannot be known."""
        try:
            return time.clock_gettime((~self.children[number] << 3) | 2)  # the clock of another process
        except (OSError, KeyError):
            return float("inf")

    def end(self, pid: int, number: int, grace: bool) -> int | None:
        """Kill a process; gives a descriptor that tells when it has ended, which may take a while."""
        try:
            fd = os.pidfd_open(pid)
        except (OSError, AttributeError):
            os.kill(pid, signal.SIGKILL)
            self.report(number, pid)
            return None
        if grace:
            waiting = select.poll()
            waiting.register(fd, select.POLLIN)
            if not waiting.poll(GRACE_MS):
                self.closed_only.add(number)
        os.kill(pid, signal.SIGKILL)
        self.dying[fd] = (number, pid)
        return fd

    def read(self) -> tuple[tuple[bytes, int, int] | None, list[int]]:
        """One request and the descriptors that came with it; None when the other side is gone."""
        descriptors = array.array("i")
        room = socket.CMSG_LEN(DESCRIPTORS * descriptors.itemsize)
        data, ancillary, _, _ = self.control.recvmsg(REQUEST.size, room)
        for _level, kind, content in ancillary:
            if kind == socket.SCM_RIGHTS:
                descriptors.frombytes(content[: DESCRIPTORS * descriptors.itemsize])
        if len(data) != REQUEST.size:
            return None, []
        return REQUEST.unpack(data), list(descriptors)

    def report(self, number: int, pid: int) -> None:
        """Say how a process ended and what it used."""
        _, status, used = os.wait4(pid, 0)
        if number in self.closed_only:
            self.closed_only.discard(number)
            status = CLOSED_ONLY
        peak = used.ru_maxrss * (1024 if sys.platform == "linux" else 1)
        report = REPORT.pack(number, status, used.ru_utime + used.ru_stime, peak)
        self.control.sendall(report)

    def fork(self, number: int, line: int, gathered: int, address_space: int) -> None:
        """Start a session's process with its socket and its file; it never comes back from here."""
        try:
            pid = os.fork()
        except OSError:
            pid = None
        if pid != 0:
            os.close(line)
            os.close(gathered)
            if pid:
                self.children[number] = pid
            return
        code = SETUP_FAILED
        with contextlib.suppress(BaseException):
            os.dup2(self.null, 2)
            os.dup2(line, LINE)
            os.dup2(gathered, GATHERED)
            os.closerange(GATHERED + 1, 1 << 16)
            self.prepare.enter(address_space)
            os.write(LINE, HELLO)
            code = 0
            try:
                SessionLoop(LINE, GATHERED, self.config).serve()
            except MemoryError:
                code = OUT_OF_MEMORY
        os._exit(code)


class BoundedText(io.StringIO):
    """A text stream that keeps its beginning."""

    def __init__(self, limit: int):
        super().__init__()
        self.limit = limit

    def write(self, text: str) -> int:
        """Keep what still fits; say that all was written."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        room = self.limit - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)


def _nothing(*_args: object, **_kwargs: object) -> None:
    """Stand in for the notebook's own `check`, `hint` and `display`."""


class _NoShell:
    """Stand in for IPython: whatever it is asked to do is not done."""

    def __getattr__(self, name: str) -> Any:
        return _nothing


def _no_input(*_args: object, **_kwargs: object) -> str:
    raise RuntimeError("input() cannot be used in graded code: there is nobody to answer")


class SessionLoop:
    """One submission's process: runs its cells, answers calls of its functions."""

    def __init__(self, descriptor: int, gathered: int, config: dict[str, Any]):
        self.descriptor = descriptor
        self.gathered = gathered
        self.room_to_gather = GATHERED_BYTES
        self.output_bytes = config["limits"]["output_bytes"]
        self.frame_bytes = config["limits"]["frame_bytes"]
        self.calls = Calls()
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self.namespace = module.__dict__
        self.presets = {"check": _nothing, "hint": _nothing, "display": _nothing, "get_ipython": _NoShell}
        self.namespace.update(self.presets, __builtins__=builtins)
        builtins.input = _no_input
        gc.enable()
        random.seed(0)  # a fork seeds it anew; NumPy's generator stays as the idle process left it

    def serve(self) -> None:
        """Answer frames until the other side is gone."""
        while True:
            value, message = self.read()
            if isinstance(message, RunCells):
                self.run_cells(message)
            elif isinstance(message, CallFunctions):
                self.call(value, message)

    def read(self) -> tuple[Any, Any]:
        """One frame: its value and its message. Here, and here alone, the other side can be trusted."""
        length = LENGTH.unpack(self._read_bytes(LENGTH.size))[0]
        said, value = pickle.loads(self._read_bytes(length))
        return value, told(said)

    def _read_bytes(self, count: int) -> bytes:
        data = os.read(self.descriptor, count)
        if len(data) < count:
            pieces, have = [data], len(data)
            while have < count:
                data = os.read(self.descriptor, count - have)
                if not data:
                    os._exit(0)
                pieces.append(data)
                have += len(data)
            return b"".join(pieces)
        return data

    def send(self, blob: bytes) -> None:
        """Write one frame."""
        rest = memoryview(LENGTH.pack(len(blob)) + blob)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]

    def gather(self, blob: bytes) -> bool:
        """Leave a frame in the file, to be read with the next that is sent; whether there is room for it."""
        frame = LENGTH.pack(len(blob)) + blob
        if len(frame) > self.room_to_gather:
            return False
        try:
            self.room_to_gather -= len(frame)
            is_whole = os.write(self.gathered, frame) == len(frame)
        except OSError:
            is_whole = False
        if not is_whole:
            self.room_to_gather = 0  # behind a broken frame nothing can be read
        return is_whole

    @contextlib.contextmanager
    def captured(self) -> Any:
        """Catch what is printed; gives the two streams."""
        out, err = BoundedText(self.output_bytes), BoundedText(self.output_bytes)
        sys.stdout, sys.stderr = out, err
        try:
            yield out, err
        finally:
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__

    def run_cells(self, message: RunCells) -> None:
        """Run the cells and say what failed in them."""
        cells.register(message.cells)
        with self.captured() as (out, _):
            errors = cells.run(message.cells, self.namespace)
        self.send(wire.encode(None, words(CellsRan(errors, out.getvalue()))))

    def call(self, batches: Any, message: CallFunctions) -> None:
        """Answer each call as soon as it is done: what comes after it may end the process."""
        for name in message.standins:
            self.namespace[name] = self._standin(name)
        number, last = message.number, message.number + sum(map(len, batches)) - 1
        gathers = True  # until one goes by the line: what gathers is taken for older than what comes there
        for asked, batch in zip(message.asked, batches, strict=True):
            self.calls = Calls()
            for arguments in aside(batch) if asked.aside else batch:
                answer = self._answer(asked, number, arguments)
                gathers = gathers and number != last and self.gather(answer)
                if not gathers:
                    self.send(answer)
                number += 1

    def _answer(self, asked: Asked, number: int, arguments: Any) -> bytes:
        """The frame that answers one call."""
        function = self.namespace.get(asked.function)
        if callable(function) and asked.tried_by:
            function = self.namespace.get(asked.tried_by)
        if not callable(function):
            error = {"kind": "missing", "message": f"there is no function {asked.function}"}
            return wire.encode(None, words(Answered(number, error)))
        value = None
        plain = answered_well(number)

        def encoded(returned: Any) -> bytes:
            nonlocal value
            value = returned
            return wire.encode(returned, plain, limit=self.frame_bytes)

        with self.captured() as (out, err):
            called = self.calls.call(function, arguments, encoded)
        printed, complaints = out.getvalue(), err.getvalue()
        if not (called.error or printed or complaints or called.changed or called.overwrote):
            return called.value
        error = _described(called.error) if called.error else None
        said = Answered(number, error, printed, complaints, list(called.changed), called.overwrote)
        try:
            return wire.encode(None if error else value, words(said), limit=self.frame_bytes)
        except BaseException as failed:
            return wire.encode(None, words(replace(said, error=cells.describe(failed))))

    def _standin(self, name: str) -> Any:
        def standin(*args: Any, **kwargs: Any) -> Any:
            self.send(wire.encode((args, kwargs), words(AskStandin(name)), None, True))
            try:
                value, answer = self.read()
            except Exception:  # of a kind that there is not here
                answer = None
            if not isinstance(answer, StandinAnswered) or answer.failed:
                raise ValueError(f"{name} cannot be computed with these arguments")
            return value

        standin.__name__ = standin.__qualname__ = name
        return standin


def _described(error: BaseException) -> dict[str, Any]:
    if isinstance(error, wire.WireError):
        return {"kind": "protocol", "message": f"the function returned {error}"}
    return cells.describe(error)
