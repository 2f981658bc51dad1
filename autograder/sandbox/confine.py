"""Closing the doors behind a fresh session: mounts, capabilities, limits, system calls.

This runs in the session's own process, before it reads anything of a student's. What is closed
here stays closed: no system call that is left can open it again.
"""

from __future__ import annotations

import base64
import ctypes
import os
import resource
import sys
from typing import Any

CLONE_NEWNS = 0x20000
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
# Landlock's system calls have these numbers on every architecture.
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
LANDLOCK_VERSION = 1  # asks for the version of what the kernel can
READ_FILE, READ_DIR = 1 << 2, 1 << 3
# The rights over files that each version knows, all of which are taken; then of TCP, then of other processes.
FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
NET_RIGHTS, SCOPES = {4: 3}, {6: 3}
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 4, 22, 38
SECCOMP_MODE_FILTER = 2
CAPABILITY_VERSION_3 = 0x20080522


def landlock_version(libc: ctypes.CDLL) -> int:
    """Which version of Landlock the kernel has; 0 where there is none."""
    return max(0, libc.syscall(LANDLOCK_CREATE, None, 0, LANDLOCK_VERSION))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


class Confinement:
    """What a fresh child does to itself before it reads anything of a student's."""

    def __init__(self, config: dict[str, Any]):
        self.limits = config["limits"]
        self.private_tmp = config["private_tmp"]
        self.readable: list[str] | None = config["readable"]
        self.filter = base64.b64decode(config["filter"]) if config["filter"] else b""
        if sys.platform == "linux":
            self.libc = ctypes.CDLL(None, use_errno=True)
            self.buffer = ctypes.create_string_buffer(self.filter, max(1, len(self.filter)))
            self.program = _Program(len(self.filter) // 8, ctypes.addressof(self.buffer))
            self.cap_header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
            self.cap_data = (ctypes.c_uint32 * 6)()
            self.landlock = 0 if self.readable is None else landlock_version(self.libc)
            if self.readable is not None:
                # Sessions have this process's user, who could otherwise write into its memory.
                self._check(self.libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "dumpable")
            self.tmp_options = f"size={self.limits['tmp_bytes']},nr_inodes=1024,mode=700".encode()

    def enter(self, address_space: int) -> None:
        """Close the doors.

        Raises:
            OSError: one of them does not close; the child must not go on.
        """
        if self.private_tmp:
            self._check(self.libc.unshare(CLONE_NEWNS), "unshare")
            flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
            mounted = self.libc.mount(b"tmpfs", b"/tmp", b"tmpfs", flags, self.tmp_options)
            self._check(mounted, "mount")
            os.chdir("/tmp")
        self._limit(resource.RLIMIT_CORE, 0)
        self._limit(resource.RLIMIT_CPU, self.limits["cpu_seconds"])
        self._limit(resource.RLIMIT_NOFILE, self.limits["open_files"])
        self._limit(resource.RLIMIT_FSIZE, self.limits["tmp_bytes"])
        if self.filter:
            self._limit(resource.RLIMIT_NPROC, 0)
            self._limit(resource.RLIMIT_STACK, 8 << 20)
        if address_space:
            self._limit(resource.RLIMIT_AS, address_space)
        if sys.platform != "linux":
            return
        self._check(self.libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
        if self.landlock:
            self._read_nothing_else(self.readable or [])
        if self.filter:
            self._check(self.libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "dumpable")
            self._check(self.libc.capset(self.cap_header, self.cap_data), "capset")
            program = ctypes.byref(self.program)
            installed = self.libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0)
            self._check(installed, "seccomp")

    def _read_nothing_else(self, paths: list[str]) -> None:
        """Take every right over files, but to read these; where the kernel can, TCP and signals too."""
        taken = [
            max((rights for since, rights in table.items() if since <= self.landlock), default=0)
            for table in (FILE_RIGHTS, NET_RIGHTS, SCOPES)
        ]
        size = 8 if self.landlock < 4 else 16 if self.landlock < 6 else 24
        rules = self.libc.syscall(LANDLOCK_CREATE, (ctypes.c_uint64 * 3)(*taken), size, 0)
        self._check(min(rules, 0), "landlock")
        for path in paths:
            try:
                place = os.open(path, os.O_PATH)
            except OSError:
                continue  # what is not there, or not this user's to read, need not be allowed
            rights = READ_FILE | READ_DIR if os.path.isdir(path) else READ_FILE
            rule = rights.to_bytes(8, sys.byteorder) + place.to_bytes(4, sys.byteorder)
            self._check(self.libc.syscall(LANDLOCK_ADD, rules, 1, rule, 0), "landlock")
            os.close(place)
        self._check(self.libc.syscall(LANDLOCK_RESTRICT, rules, 0), "landlock")
        os.close(rules)

    @staticmethod
    def _limit(which: int, value: float) -> None:
        hard = resource.getrlimit(which)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(which, (int(value), int(value)))

    @staticmethod
    def _check(result: int, what: str) -> None:
        if result != 0:
            raise OSError(ctypes.get_errno(), f"{what} failed in the worker")
