"""The idle worker as the trusted side holds it: started, asked to fork, heard when a session ends.

It has imported the packages and never runs a student's code, so what it reports can be relied on.
This module knows nothing of cells or calls.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from autograder.errors import SandboxUnavailable
from autograder.sandbox import launcher
from autograder.sandbox.limits import Limits, Usage
from autograder.sandbox.protocol import CPU, ENDED, FORK, KILL, REPORT, REQUEST, STILL_RUNNING

CREDENTIALS = struct.Struct("3i")
START_SECONDS = 60.0
REPORT_SECONDS = 10.0
# What bubblewrap says where it may not make namespaces.
REFUSED = re.compile("namespace|uid map|RTM_NEWADDR|not permitted|Permission denied")


def ask_who(line: socket.socket) -> None:
    """Let the kernel say with the next byte which process sent it, where it can."""
    if hasattr(socket, "SO_PASSCRED"):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def first_byte(line: socket.socket) -> tuple[bytes, int]:
    """The first byte on a line, and the number of the process that sent it (0 where nobody knows)."""
    data, ancillary, _, _ = line.recvmsg(1, socket.CMSG_LEN(CREDENTIALS.size))
    pid = 0
    if hasattr(socket, "SO_PASSCRED"):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
        said = [content for _, kind, content in ancillary if kind == socket.SCM_CREDENTIALS]
        pid = CREDENTIALS.unpack(said[0])[0] if said else 0
    return data, pid


class Worker:
    """The idle process, and what it reports of its sessions."""

    def __init__(self, packages: tuple[str, ...], limits: Limits, bwrap: Path | None, uid: int | None = None):
        self.limits = limits
        self.owner = os.getpid()
        self.alive = True
        self._reports: dict[int, tuple[int, Usage]] = {}
        self._cpu: dict[int, float] = {}
        self.address_space = 0
        self._next = 0
        self._unread = b""
        self.control, inside = socket.socketpair()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the worker)
        with inside:
            control = inside.fileno()
            if uid is not None:
                command = launcher.apart_command(packages, limits, control)
                environment = launcher.environment()
            elif bwrap is None:
                command = launcher.unsafe_command(packages, limits, control)
                environment = launcher.environment()
            else:
                command = launcher.sandboxed_command(bwrap, packages, limits, control)
                environment = {}
            ask_who(self.control)
            try:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self._stderr,
                    pass_fds=(control,),
                    env=environment,
                    cwd=tempfile.gettempdir(),
                    start_new_session=True,
                    **({} if uid is None else {"user": uid, "group": uid, "extra_groups": []}),
                )
            except OSError as error:
                self.control.close()
                whose = "" if uid is None else f" as user {uid}"
                raise SandboxUnavailable(f"{command[0]} cannot be started{whose}: {error}.") from error
        self._wait_until_ready(bwrap)

    def _wait_until_ready(self, bwrap: Path | None) -> None:
        self.control.settimeout(START_SECONDS)
        try:
            data, pid = first_byte(self.control)
        except TimeoutError:
            data, pid = b"", 0
        if not data:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1.0)
            self._stderr.seek(0)
            said = self._stderr.read(20_000).decode("utf-8", "replace").strip()
            self.close()
            raise SandboxUnavailable(_why_not(said, bwrap))
        self.control.setblocking(False)
        if pid:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
            base = pages * os.sysconf("SC_PAGE_SIZE")
            self.address_space = base + self.limits.memory_bytes

    def answers(self) -> bool:
        """Whether the idle process still is there."""
        self._drain()
        return self.alive

    def fork(self) -> tuple[int, socket.socket, IO[bytes]]:
        """Ask for a new session; gives its number, this side of its socket, and the file of its answers.

        Raises:
            OSError: the worker is gone.
        """
        gathered, writing = _file_without_a_name()
        mine, theirs = socket.socketpair()
        ask_who(mine)
        self._next += 1
        request = REQUEST.pack(FORK, self._next, self.address_space)
        try:
            with theirs, writing:
                self.control.setblocking(True)
                socket.send_fds(self.control, [request], [theirs.fileno(), writing.fileno()])
        except OSError:
            self.alive = False
            mine.close()
            gathered.close()
            raise
        finally:
            self.control.setblocking(False)
        mine.setblocking(False)
        return self._next, mine, gathered

    def kill(self, number: int, ended: bool = False) -> None:
        """End a session's process; its report comes later.

        Args:
            number: the session.
            ended: it seems to have ended already; the report shall say by what.
        """
        if self.owner != os.getpid():
            return
        try:
            self.control.setblocking(True)
            self.control.sendall(REQUEST.pack(ENDED if ended else KILL, number, 0))
            self.control.setblocking(False)
        except OSError:
            self.alive = False

    def cpu_seconds(self, number: int) -> float:
        """Processor seconds of a session until now; infinite where nobody knows."""
        self._cpu.pop(number, None)
        try:
            self.control.setblocking(True)
            self.control.sendall(REQUEST.pack(CPU, number, 0))
            self.control.setblocking(False)
        except OSError:
            self.alive = False
        self._hear(lambda: number in self._cpu)
        return self._cpu.pop(number, math.inf)

    def report(self, number: int) -> tuple[int, Usage] | None:
        """How a killed session ended and what it used; None if nobody knows.

        The first is the wait status, or CLOSED_ONLY for a process that closed its socket and lived on.
        """
        self._hear(lambda: number in self._reports)
        return self._reports.pop(number, None)

    def _hear(self, enough: Callable[[], bool]) -> None:
        """Read what the idle process says until that is enough, it is gone, or time is up."""
        deadline = time.monotonic() + REPORT_SECONDS
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        while not enough() and self.alive:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            poll.poll(left * 1000)
            self._drain()

    def _drain(self) -> None:
        while self.alive:
            try:
                data = self.control.recv(1 << 16)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self.alive = False
            self._unread += data
        while len(self._unread) >= REPORT.size:
            number, status, cpu, peak = REPORT.unpack_from(self._unread)
            self._unread = self._unread[REPORT.size :]
            if status == STILL_RUNNING:
                self._cpu[number] = cpu
            else:
                self._reports[number] = (status, Usage(cpu, peak))

    def close(self) -> None:
        """End the idle process and all that it forked."""
        self.alive = False
        self.control.close()
        if self.owner == os.getpid():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
            self.process.wait()
        self._stderr.close()


def _file_without_a_name() -> tuple[IO[bytes], IO[bytes]]:
    """An empty file that nobody else can open; in memory, where there is such a thing.

    Returns:
        It to be read, and opened once more to be written only, and never again: so the other side can map
        none of it into its memory, where it could be run.
    """
    if not hasattr(os, "memfd_create"):
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  (closed with the session)
        return file, os.fdopen(os.dup(file.fileno()), "wb", 0)
    file = os.fdopen(os.memfd_create("answers"), "rb", 0)
    writing = os.open(f"/proc/self/fd/{file.fileno()}", os.O_WRONLY)
    os.fchmod(writing, 0)  # where a session sees its descriptors in `/proc`, it would open it anew
    return file, os.fdopen(writing, "wb", 0)


def _why_not(said: str, bwrap: Path | None) -> str:
    last = said.splitlines()[-1] if said else "it said nothing"
    if bwrap is None:
        return f"the worker did not start: {last}"
    reason = f"the sandbox did not start ({bwrap}: {last})."
    if "Resource temporarily unavailable" in said:
        return f"{reason} {launcher.PROCESSES_REMEDY}"
    if said.startswith("bwrap:") and REFUSED.search(said):
        return f"{reason} {launcher.USER_NAMESPACES_REMEDY}"
    return f"{reason} `autograder doctor` tells more."
