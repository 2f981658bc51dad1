"""Whether the sandbox works on this machine, and how to mend it where it does not."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autograder.errors import SandboxUnavailable
from autograder.sandbox import launcher
from autograder.sandbox.confine import landlock_version
from autograder.sandbox.session import Sandbox
from autograder.sandbox.syscalls import compiled_filter

APPARMOR = "kernel/apparmor_restrict_unprivileged_userns"
PROBE = """
import os
import numpy as np

def double(x):
    return 2 * x

def escape(x):
    reached = []
    for path in ("/etc/passwd", "/proc/self/status", "/home", "/work"):
        if os.path.exists(path):
            reached.append(path)
    try:
        os.fork()
        reached.append("fork")
    except OSError:
        pass
    print(" ".join(reached), end="")

def keep(x):
    with open("/tmp/note", "w") as note:
        note.write("x")
"""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        name: what it is.
        ok: whether it is as it should be.
        detail: what was found.
        remedy: what to do, or "".
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def doctor() -> list[Finding]:
    """Look at all that the sandbox needs, in the order in which it needs it.

    Stops at the first thing without which the rest cannot work.
    """
    findings = [_system()]
    if not findings[-1].ok:
        return findings
    try:
        bwrap = launcher.find_bwrap()
    except SandboxUnavailable as error:
        return [*findings, Finding("bubblewrap", False, str(error))]  # its words hold what to do
    findings.append(_another_user())
    findings.append(_bubblewrap(bwrap))
    findings.append(_user_namespaces(bwrap))
    findings.append(_filter())
    if all(finding.ok for finding in findings):
        findings.append(_private_tmp(bwrap))
        findings.append(_whole_run())
    return findings


def _system() -> Finding:
    name = "system"
    if sys.platform.startswith("linux"):
        return Finding(name, True, f"Linux {os.uname().release} on {os.uname().machine}")
    return Finding(name, False, f"{sys.platform} has no sandbox", launcher.OTHER_SYSTEM_REMEDY)


def _another_user() -> Finding:
    """Which walls stand without user namespaces, as in Gradescope's containers: told, not asked for."""
    version = landlock_version(ctypes.CDLL(None, use_errno=True))
    walls = [
        "another user" if os.geteuid() == 0 else "no other user (that needs root)",
        "system-call filter",
        f"Landlock {version}" if version else "no Landlock: what all may read can be read",
        "limits",
    ]
    return Finding("without namespaces", True, f"{', '.join(walls)} (for `autograder gradescope`)")


def _bubblewrap(bwrap: Path) -> Finding:
    code, said = _run([str(bwrap), "--version"])
    return Finding("bubblewrap", code == 0, f"{bwrap}: {said}", "" if code == 0 else launcher.NO_BWRAP_REMEDY)


def _user_namespaces(bwrap: Path) -> Finding:
    """Start the real interpreter in namespaces of its own, with nothing else."""
    words = ["--unshare-all", "--unshare-user", "--ro-bind", "/", "/", str(launcher.interpreter())]
    code, said = _run([str(bwrap), *words, "-I", "-S", "-c", ""])
    if code == 0:
        return Finding("user namespaces", True, "they can be made")
    switches = [
        f"{switch} = {value}"
        for switch, value in (
            (switch, _switch(switch))
            for switch in (
                "kernel/unprivileged_userns_clone",
                APPARMOR,
                "user/max_user_namespaces",
            )
        )
        if value is not None
    ]
    detail = f"{said or 'they cannot be made'} ({', '.join(switches) or 'no switch found'})"
    return Finding("user namespaces", False, detail, _namespaces_remedy(bwrap))


def _namespaces_remedy(bwrap: Path) -> str:
    if _switch(APPARMOR) == "1":
        return launcher.apparmor_remedy(bwrap)
    return launcher.USER_NAMESPACES_REMEDY


def _switch(name: str) -> str | None:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return None


def _filter() -> Finding:
    name = "system-call filter"
    try:
        program = compiled_filter()
    except SandboxUnavailable as error:
        return Finding(name, False, str(error), "Install libseccomp (`sudo apt install libseccomp2`).")
    return Finding(name, True, f"{len(program) // 8} instructions")


def _private_tmp(bwrap: Path) -> Finding:
    """Whether a mount can be made inside, as every session does for its /tmp."""
    words = ["--unshare-all", "--unshare-user", "--cap-add", "CAP_SYS_ADMIN", "--ro-bind", "/", "/"]
    mount = (
        "import ctypes; c = ctypes.CDLL(None); "
        "raise SystemExit(c.unshare(0x20000) or c.mount(b't', b'/tmp', b'tmpfs', 14, b'size=4096'))"
    )
    code, said = _run([str(bwrap), *words, str(launcher.interpreter()), "-I", "-S", "-c", mount])
    if code == 0:
        return Finding("private /tmp", True, "a session can mount its own")
    return Finding("private /tmp", False, said or "a session cannot mount its own", _namespaces_remedy(bwrap))


def _whole_run() -> Finding:
    """An honest answer, an attempt to look around, and a note that the next session must not find."""
    name = "whole run"
    try:
        with Sandbox() as sandbox:
            with sandbox.session([PROBE]) as session:
                doubled, escaped, kept = (
                    session.call(function, [(np.ones(2),)])[0] for function in ("double", "escape", "keep")
                )
            used = session.usage
    except SandboxUnavailable as error:
        return Finding(name, False, str(error))  # its words hold what to do
    for outcome in (doubled, escaped, kept):
        if outcome.error is not None:
            return Finding(
                name, False, f"{outcome.error.kind}: {outcome.error.message}", "Please report this."
            )
    if not np.array_equal(doubled.value, [2.0, 2.0]) or escaped.printed:
        detail = f"code inside reached {escaped.printed}" if escaped.printed else "a wrong answer came back"
        return Finding(name, False, detail, "Do not grade on this machine; please report this.")
    return Finding(name, True, f"answered, and held; {1000 * used.cpu_seconds:.0f} ms of processor time")


def _run(command: list[str]) -> tuple[int, str]:
    """Exit status and last line of a command; it may not take long."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return -1, str(error)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return done.returncode, lines[-1][:300] if lines else ""
