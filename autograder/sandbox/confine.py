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
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 4, 22, 38
SECCOMP_MODE_FILTER = 2
CAPABILITY_VERSION_3 = 0x20080522


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


class Confinement:
    """What a fresh child does to itself before it reads anything of a student's."""

    def __init__(self, config: dict[str, Any]):
        self.limits = config["limits"]
        self.private_tmp = config["private_tmp"]
        self.filter = base64.b64decode(config["filter"]) if config["filter"] else b""
        if sys.platform == "linux":
            self.libc = ctypes.CDLL(None, use_errno=True)
            self.buffer = ctypes.create_string_buffer(self.filter, max(1, len(self.filter)))
            self.program = _Program(len(self.filter) // 8, ctypes.addressof(self.buffer))
            self.cap_header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
            self.cap_data = (ctypes.c_uint32 * 6)()
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
        if self.filter:
            self._check(self.libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "dumpable")
            self._check(self.libc.capset(self.cap_header, self.cap_data), "capset")
            program = ctypes.byref(self.program)
            installed = self.libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0)
            self._check(installed, "seccomp")

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
