"""The untrusted side: an idle process that forks one child per session, and the child's work.

The idle process imports the packages once and never runs a student's code. It reads requests from
the control socket: fork a session (with the session's own socket), or end one. A child shuts every
door behind it (mounts, capabilities, limits, system calls) before it reads its first frame.

This file is started as a script's body by `launcher.BOOTSTRAP`; it sees no other code of ours than
`confine`, `cells`, `wire` and `outcome`.
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
import random
import select
import signal
import socket
import struct
import sys
import time
import types
import warnings  # noqa: F401  (students' warnings need it; a child should import nothing)
from typing import Any

import numpy as np

from autograder.answers import wire
from autograder.sandbox import cells
from autograder.sandbox.confine import Confinement

REQUEST = struct.Struct("<cQQ")  # what to do, session number, address space allowed
REPORT = struct.Struct("<QidQ")  # session number, wait status, CPU seconds, peak memory in bytes
LENGTH = struct.Struct("<Q")
READY, FORK, KILL, ENDED, CPU = b"R", b"F", b"K", b"E", b"C"
STILL_RUNNING = -2  # in place of a wait status
GRACE_MS = 200  # for a process that seems to have ended to do so
HELLO = b"\x01"
SETUP_FAILED = 97
OUT_OF_MEMORY = 96


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
    blob = wire.encode(((square, {"W": square}), [1.0]), {"do": "call"}, keep_numbers=True)
    wire.Frame(blob, len(blob)).value(keep_numbers=True)
    np.random.seed(0)
    namespace: dict[str, Any] = {}
    cells.run(["import numpy as np\ndef f(x):\n    return np.tanh(x)\nf(1.0)\n1 / 0"], namespace)
    if "torch" in config["packages"]:
        torch = sys.modules["torch"]
        torch.set_num_threads(1)
        weights = torch.ones(3, 3, requires_grad=True)
        (weights @ weights).tanh().sum().backward()


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
                request, descriptor = self.read()
                if request is None:
                    for pid in (*self.children.values(), *(pid for _, pid in self.dying.values())):
                        os.kill(pid, signal.SIGKILL)
                    return
                action, number, address_space = request
                if action == FORK and descriptor is not None:
                    self.fork(number, descriptor, address_space)
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

    def read(self) -> tuple[tuple[bytes, int, int] | None, int | None]:
        """One request and the descriptor that came with it; None when the other side is gone."""
        descriptors = array.array("i")
        data, ancillary, _, _ = self.control.recvmsg(REQUEST.size, socket.CMSG_LEN(descriptors.itemsize))
        for _level, kind, content in ancillary:
            if kind == socket.SCM_RIGHTS:
                descriptors.frombytes(content[: descriptors.itemsize])
        if len(data) != REQUEST.size:
            return None, None
        return REQUEST.unpack(data), (descriptors[0] if descriptors else None)

    def report(self, number: int, pid: int) -> None:
        """Say how a process ended and what it used."""
        _, status, used = os.wait4(pid, 0)
        if number in self.closed_only:
            self.closed_only.discard(number)
            status = -1
        peak = used.ru_maxrss * (1024 if sys.platform == "linux" else 1)
        report = REPORT.pack(number, status, used.ru_utime + used.ru_stime, peak)
        self.control.sendall(report)

    def fork(self, number: int, descriptor: int, address_space: int) -> None:
        """Start a session's process; it never comes back from here."""
        try:
            pid = os.fork()
        except OSError:
            os.close(descriptor)
            return
        if pid:
            os.close(descriptor)
            self.children[number] = pid
            return
        code = SETUP_FAILED
        with contextlib.suppress(BaseException):
            os.dup2(self.null, 2)
            os.dup2(descriptor, 3)
            os.closerange(4, 1 << 16)
            self.prepare.enter(address_space)
            os.write(3, HELLO)
            code = 0
            try:
                SessionLoop(3, self.config).serve()
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


def _no_input(*_args: object, **_kwargs: object) -> str:
    raise RuntimeError("input() cannot be used in graded code: there is nobody to answer")


class SessionLoop:
    """One submission's process: runs its cells, answers calls of its functions."""

    def __init__(self, descriptor: int, config: dict[str, Any]):
        self.descriptor = descriptor
        self.output_bytes = config["limits"]["output_bytes"]
        self.frame_bytes = config["limits"]["frame_bytes"]
        self.frame_number = 0
        self.last = wire.Watch()
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self.namespace = module.__dict__
        self.presets = {"check": _nothing, "hint": _nothing, "display": _nothing}
        self.namespace.update(self.presets, __builtins__=builtins)
        builtins.input = _no_input
        gc.enable()
        random.seed(0)  # a fork seeds it anew; NumPy's generator stays as the idle process left it

    def serve(self) -> None:
        """Answer frames until the other side is gone."""
        actions = {"cells": self.run_cells, "functions": self.functions, "call": self.call}
        while True:
            value, extra = self.read()
            actions[extra["do"]](value, extra)

    def read(self) -> tuple[Any, dict[str, Any]]:
        """One frame: its value and its words."""
        length = LENGTH.unpack(self._read_bytes(LENGTH.size))[0]
        frame = wire.Frame(self._read_bytes(length), length)
        return frame.value(keep_numbers=True), frame.extra

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

    @contextlib.contextmanager
    def captured(self) -> Any:
        """Catch what is printed; gives the two streams."""
        out, err = BoundedText(self.output_bytes), BoundedText(self.output_bytes)
        sys.stdout, sys.stderr = out, err
        try:
            yield out, err
        finally:
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__

    def run_cells(self, _value: Any, extra: dict[str, Any]) -> None:
        """Run the cells and say what failed in them."""
        cells.register(extra["cells"])
        with self.captured() as (out, _):
            errors = cells.run(extra["cells"], self.namespace)
        answer = {"is": "cells", "errors": errors, "printed": out.getvalue()}
        self.send(wire.encode(None, answer))

    def functions(self, _value: Any, _extra: dict[str, Any]) -> None:
        """Say what the cells defined."""
        names = [
            name
            for name, value in list(self.namespace.items())
            if type(name) is str and callable(value) and self.presets.get(name) is not value
        ]
        self.send(wire.encode(None, {"is": "functions", "names": names[:1000]}))

    def call(self, batch: Any, extra: dict[str, Any]) -> None:
        """Answer a batch of calls, each as soon as it is done."""
        for name in extra["standins"]:
            self.namespace[name] = self._standin(name)
        self.last = wire.Watch()
        for index, arguments in enumerate(batch):
            self.send(self._answer(extra, index, arguments))

    def _answer(self, extra: dict[str, Any], index: int, arguments: Any) -> bytes:
        """The frame that answers one call."""
        answer: dict[str, Any] = {"is": "result", "number": extra["number"] + index}
        function = self.namespace.get(extra["function"])
        value = None
        if not callable(function):
            message = f"there is no function {extra['function']}"
            answer["error"] = {"kind": "missing", "message": message}
            return wire.encode(None, answer)
        given = _copy(arguments)
        with self.captured() as (out, err):
            try:
                value = function(*given)
                blob = wire.encode(value, answer, limit=self.frame_bytes)
            except wire.WireError as error:
                answer["error"] = {"kind": "protocol", "message": f"the function returned {error}"}
            except BaseException as error:
                answer["error"] = cells.describe(error)
        printed, complaints = out.getvalue(), err.getvalue()
        changed = [
            f"#{position}"
            for position, (before, after) in enumerate(zip(arguments, given, strict=True))
            if not _same(before, after)
        ]
        overwrote = self.last.changed()
        self.last = wire.Watch(None if "error" in answer else value)
        if "error" not in answer and not (printed or complaints or changed or overwrote):
            return blob
        answer.update(printed=printed, complaints=complaints, changed=changed, overwrote=overwrote)
        if "error" in answer:
            value = None
        try:
            return wire.encode(value, answer, limit=self.frame_bytes)
        except BaseException as error:
            answer["error"] = cells.describe(error)
            return wire.encode(None, answer)

    def _standin(self, name: str) -> Any:
        def standin(*args: Any, **kwargs: Any) -> Any:
            self.send(wire.encode((args, kwargs), {"is": "standin", "name": name}, None, True))
            value, extra = self.read()
            if extra["failed"]:
                raise ValueError(f"{name} cannot be computed with these arguments")
            return value

        standin.__name__ = standin.__qualname__ = name
        return standin


def _copy(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: _copy(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copy(part) for part in value)
    return value


def _same(before: Any, after: Any) -> bool:
    """Whether an argument still is what it was; a student's object may say anything."""
    try:
        if isinstance(before, np.ndarray):
            return (
                type(after) is np.ndarray
                and before.shape == after.shape
                and before.dtype == after.dtype
                and before.tobytes() == after.tobytes()
            )
        if isinstance(before, dict):
            return before.keys() == after.keys() and all(_same(before[k], after[k]) for k in before)
        if isinstance(before, (list, tuple)):
            return len(before) == len(after) and all(_same(x, y) for x, y in zip(before, after, strict=True))
        return before is after or repr(before) == repr(after)
    except BaseException:
        return False
