"""The system calls that a student's code may make: an allowlist, compiled by libseccomp.

With it code can compute, read its Python packages and use its private /tmp. It cannot start
processes or threads, open sockets, send signals, trace, mount, or make memory executable.
"""

from __future__ import annotations

import contextlib
import errno
import os
from functools import lru_cache

from autograder.errors import SandboxUnavailable

# What changes files: not where all sessions share one file system.
CHANGES = [
    "mkdir",
    "mkdirat",
    "unlink",
    "unlinkat",
    "rmdir",
    "rename",
    "renameat",
    "renameat2",
    "ftruncate",
    "truncate",
    "fsync",
    "fdatasync",
    "chmod",
    "fchmod",
    "fchmodat",
    "utimensat",
    "fallocate",
]
OPENS = {"open": 1, "openat": 2}  # the place of the flags among the arguments
FILES = [
    "read",
    "write",
    "readv",
    "writev",
    "pread64",
    "pwrite64",
    "close",
    "close_range",
    "fstat",
    "newfstatat",
    "fstatat64",
    "stat",
    "lstat",
    "statx",
    "lseek",
    "access",
    "faccessat",
    "faccessat2",
    "getdents64",
    "getcwd",
    "chdir",
    "dup",
    "dup2",
    "dup3",
    "readlink",
    "readlinkat",
    "umask",
    "fadvise64",
    "sendfile",
    "poll",
    "ppoll",
    "select",
    "pselect6",
]
MEMORY = ["munmap", "mremap", "brk", "madvise"]
PROCESS = [
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigaltstack",
    "getpid",
    "gettid",
    "getppid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getrusage",
    "times",
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "time",
    "getrandom",
    "uname",
    "sysinfo",
    "sched_yield",
    "sched_getaffinity",
    "getcpu",
    "getrlimit",
    "futex",
    "set_robust_list",
    "rseq",
    "exit",
    "exit_group",
    "restart_syscall",
]

PROT_WRITE, PROT_EXEC = 2, 4
MAP_SHARED = 1
F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC = 0, 1, 2, 3, 4, 1030
TCGETS, FIONREAD, FIONCLEX, FIOCLEX, TIOCGWINSZ = 0x5401, 0x541B, 0x5450, 0x5451, 0x5413


@lru_cache
def compiled_filter(generates_code: bool = False, may_write: bool = True) -> bytes:
    """The filter as a BPF program for this machine's architecture.

    Args:
        generates_code: let memory become executable after it was written; torch's kernels need it.
        may_write: let files be opened for writing, made, moved and removed: what a private /tmp is for.

    Raises:
        SandboxUnavailable: libseccomp is not installed.
    """
    try:
        import pyseccomp as seccomp  # noqa: PLC0415  (missing on other systems than Linux)
    except (ImportError, RuntimeError, OSError) as error:
        raise SandboxUnavailable(
            f"the system-call filter cannot be built ({error}). "
            "Install libseccomp: `sudo apt install libseccomp2` or `sudo dnf install libseccomp`."
        ) from error

    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    with contextlib.suppress(OSError):  # an older libseccomp
        rules.set_attr(seccomp.Attr.CTL_OPTIMIZE, 2)  # a binary tree: cheaper for every call

    def allow(name: str, *conditions: seccomp.Arg) -> None:
        try:
            number = seccomp.resolve_syscall(seccomp.Arch.NATIVE, name)
        except OSError:
            return  # this architecture has no such call
        if number >= 0:
            rules.add_rule(seccomp.ALLOW, number, *conditions)

    masked = seccomp.MASKED_EQ
    for name in (*FILES, *MEMORY, *PROCESS, *(CHANGES if may_write else ())):
        allow(name)
    writing = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
    for name, place in OPENS.items():
        allow(name, *(() if may_write else (seccomp.Arg(place, masked, writing, os.O_RDONLY),)))
    for command in (F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC):
        allow("fcntl", seccomp.Arg(1, seccomp.EQ, command))
    for request in (TCGETS, FIONREAD, FIONCLEX, FIOCLEX, TIOCGWINSZ):
        allow("ioctl", seccomp.Arg(1, seccomp.EQ, request))
    allow("prlimit64", seccomp.Arg(0, seccomp.EQ, 0), seccomp.Arg(2, seccomp.EQ, 0))  # reading only
    if generates_code:
        allow("mmap")
        allow("mprotect")
        allow("prctl", seccomp.Arg(0, seccomp.EQ, 15))  # naming a thread
    else:
        allow("mmap", seccomp.Arg(2, masked, PROT_EXEC, 0))
        # What is shared could be mapped twice (`mremap` does), and be written at the other place.
        loads = seccomp.Arg(2, masked, PROT_EXEC | PROT_WRITE, PROT_EXEC)
        allow("mmap", loads, seccomp.Arg(3, masked, MAP_SHARED, 0))
        allow("mprotect", seccomp.Arg(2, masked, PROT_EXEC, 0))

    read_end = os.memfd_create("filter")
    try:
        with os.fdopen(os.dup(read_end), "wb") as program:
            rules.export_bpf(program)
        os.lseek(read_end, 0, os.SEEK_SET)
        return os.read(read_end, 1 << 20)
    finally:
        os.close(read_end)
