"""The student's check on an ARM processor (aarch64), emulated: does it say what it says here?

    .venv/bin/python scripts/aarch64.py [NOTEBOOK ...] [--every 4] [--cpu cortex-a53] [--solved]

Every reference and a sample of the declared mistakes are judged by the released checks, on this machine
and under qemu-user with Debian's arm64 Python and the aarch64 wheels of NumPy and safetensors. Status,
names and sentences must be the same, and the frozen numbers those that the references compute there.
All that is downloaded is kept in build/aarch64; only qemu-user is installed, and only by root.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from students_side import ROOT, Result, Said, Tries

from autograder.course.masters import Master, read_master
from autograder.course.places import find_masters
from autograder.errors import CourseError
from autograder.sheets.frozen import NUMBER_RTOL

FOLDER = ROOT / "build" / "aarch64"
NOTEBOOKS = ROOT / "notebooks"
SIDE = ROOT / "scripts" / "students_side.py"
# OpenBLAS has kernels of its own for either, and their last digits differ.
CPUS = ("cortex-a53", "neoverse-n1")
DEBIAN = ("python3", "libstdc++6")
JUDGING = ("numpy", "safetensors")
SOLVED = ("matplotlib", "numpy", "safetensors")
PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_26", "manylinux_2_27", "manylinux_2_28")
# What both sides share; what a notebook claims stops its cell where it does not hold.
ALIKE = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "RNNCOURSE_CLAIMS": "raise",
}


class Stopped(Exception):
    """It cannot be tried; the message says what is missing or failed, and what to do."""


def tries_of(master: Master, checks: Path, every: int, solved: bool = False) -> Tries:
    """What is tried of a notebook, taken out of its master.

    Args:
        master: the notebook.
        checks: the released `checks.safetensors`.
        every: of an exercise's mistakes every n-th is tried (1: all).
        solved: whether all code cells of the solved notebook shall run.
    """
    mistakes = {
        name: {m.name: master.mutate(name, m) for m in exercise.spec.misconceptions[::every]}
        for name, exercise in master.exercises.items()
    }
    cells = {cell.name: cell.source for cell in master.graded_code}
    code = {str(cell.number): cell.source for cell in master.cells if cell.kind == "code" and solved}
    return Tries(master.name, str(checks), cells, mistakes, code)


def differences(here: Result, there: Result) -> Iterator[str]:
    """What is wrong on the other processor, or not as it is here, a sentence for each thing."""
    for one, other in zip(here.said, there.said, strict=True):
        what = f"{one.exercise}, " + (f"mistake {one.mistake!r}" if one.mistake else "reference")
        if (other.status == "right") == bool(other.mistake):
            yield f"{what}: is judged {other.status} there"
        if one != other:
            yield f"{what}: {_first_difference(one, other)}"
    for where, result in (("here", here), ("there", there)):
        for array, apart in result.apart.items():
            if not apart <= NUMBER_RTOL:
                yield (
                    f"{array}: the released numbers differ by {apart:.0e} of their size from what the "
                    f"reference computes {where} (allowed: {NUMBER_RTOL:.0e})"
                )
    for words in there.stopped:
        yield f"{words} there" + (", and here" if words in here.stopped else "")


def _first_difference(here: Said, there: Said) -> str:
    """The first line of the check's words that differs, as it is said here and there."""
    pairs = zip(
        [here.status, here.named, *here.text.split("\n"), "(no more)"],
        [there.status, there.named, *there.text.split("\n"), "(no more)"],
        strict=False,
    )
    one, other = next((a, b) for a, b in pairs if a != b)
    return f"here {one.strip()!r}, there {other.strip()!r}"


def summary(here: Result, there: Result) -> str:
    """One line on a notebook."""
    references = [said for said in there.said if not said.mistake]
    mistakes = [(one, other) for one, other in zip(here.said, there.said, strict=True) if one.mistake]
    right = sum(said.status == "right" for said in references)
    caught = sum(said.status == "wrong" for _, said in mistakes)
    same = sum(one == other for one, other in mistakes)
    return (
        f"{there.notebook}: {right} of {len(references)} references right; {len(mistakes)} mistakes tried, "
        f"{caught} caught, {same} named and told as here; numbers within "
        f"{max(there.apart.values()):.0e}; {there.seconds:.1f} s (here {here.seconds:.1f} s)"
    )


def run(*command: str | Path) -> str:
    """Run a command and return what it prints.

    Raises:
        Stopped: it failed, with its own last words.
    """
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-3:]
        raise Stopped(f"{' '.join(map(str, command[:3]))} … failed: {' '.join(words)}")
    return done.stdout


def find_qemu() -> str:
    """The path of the emulator; root on Debian installs it.

    Raises:
        Stopped: there is none, and it cannot be installed.
    """
    for name in ("qemu-aarch64", "qemu-aarch64-static"):
        if path := shutil.which(name):
            return path
    if not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")):
        raise Stopped(
            "this needs the emulator qemu-aarch64, and only root on Debian can install it from here: "
            "`apt-get install qemu-user`"
        )
    print("Installing Debian's qemu-user.", flush=True)
    run("apt-get", "update", "-qq")
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "qemu-user")
    return find_qemu()


def debian_root() -> Path:
    """A folder with Debian's arm64 Python and all it needs, unpacked and not installed.

    apt-get works on a state of its own, in which nothing is installed, so it finds all dependencies.

    Raises:
        Stopped: this machine has no apt-get, or it cannot download the packages.
    """
    root = FOLDER / "root"
    if root.is_dir():
        return root
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Stopped("this takes Debian's arm64 Python with apt-get and dpkg-deb, which are not here")
    print("Downloading Debian's arm64 Python (about 26 MB) into build/aarch64.", flush=True)
    state, cache, new = FOLDER / "apt" / "state", FOLDER / "apt" / "cache", FOLDER / "root.new"
    shutil.rmtree(new, ignore_errors=True)
    for folder in (state / "lists" / "partial", cache / "archives" / "partial", new):
        folder.mkdir(parents=True, exist_ok=True)
    status = state / "status"
    status.touch()
    settings = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "Dir::State": state,
        "Dir::State::status": status,
        "Dir::Cache": cache,
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    run("apt-get", "update", "-qq", *options)
    run("apt-get", "install", "-y", "-qq", *options, "--no-install-recommends", "--download-only", *DEBIAN)
    for package in sorted((cache / "archives").glob("*.deb")):
        run("dpkg-deb", "-x", package, new)
    if not (new / "lib").exists():  # from Debian 13 on, packages have /usr/lib only
        (new / "lib").symlink_to("usr/lib")
    return new.rename(root)


def python_version(root: Path) -> str:
    """The version of the unpacked Python, such as "3.11"."""
    return (root / "usr" / "bin" / "python3").readlink().name.removeprefix("python")


def wheels(python: str, names: Iterable[str], *options: str) -> Path:
    """A folder with the aarch64 wheels of packages, in the versions that this environment has.

    Raises:
        Stopped: pip finds no such wheels.
    """
    pinned = [f"{name}=={metadata.version(name)}" for name in names]
    folder = FOLDER / "-".join(["wheels", python, *pinned]).replace("==", "-")
    if folder.is_dir():
        return folder
    print(f"Downloading the aarch64 wheels of {', '.join(pinned)}.", flush=True)
    new = folder.with_name("wheels.new")
    shutil.rmtree(new, ignore_errors=True)
    fitting = [f"--platform={platform}_aarch64" for platform in PLATFORMS]
    fitting += ["--implementation=cp", f"--python-version={python}", "--only-binary=:all:"]
    quiet = ("--quiet", "--disable-pip-version-check", "--no-compile")
    run(sys.executable, "-m", "pip", "install", *quiet, *fitting, *options, f"--target={new}", *pinned)
    return new.rename(folder)


def results(command: list[str | Path], environment: dict[str, str]) -> Iterator[Result]:
    """The results that a run of `students_side.py` prints, each as soon as it comes.

    Raises:
        Stopped: the run ended with an error (it stands on standard error).
    """
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield Result.from_json(line)
    if process.returncode:
        raise Stopped(f"{command[0]} ended with exit status {process.returncode}; its words stand above")


def emulator(solved: bool) -> tuple[list[str | Path], dict[str, str]]:
    """The command that starts the emulated Python, and its environment.

    Raises:
        Stopped: something that this needs cannot be had.
    """
    qemu, root = find_qemu(), debian_root()
    version = python_version(root)
    packages = wheels(version, SOLVED) if solved else wheels(version, JUDGING, "--no-deps")
    # Nothing else of this machine's environment: a preloaded library would be one for another processor.
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(packages),
        "PYTHONPYCACHEPREFIX": str(FOLDER / "pycache"),
        "MPLCONFIGDIR": str(FOLDER / "matplotlib"),
    }
    return [qemu, "-L", root, root / "usr" / "bin" / "python3", "-S"], environment


def compare(here: Sequence[Result], there: Iterable[Result], cpu: str) -> list[str]:
    """Say how it went on an emulated processor, notebook by notebook, and return all differences."""
    found = []
    for one, other in zip(here, there, strict=True):
        if one is here[0]:
            print(f"\n{cpu} ({other.machine}), beside {one.machine}:", flush=True)
        print(summary(one, other), flush=True)
        new = [f"{other.notebook}, {words}" for words in differences(one, other)]
        print("".join(f"  {words}\n" for words in new), end="", flush=True)
        found += new
    return found


def try_all(names: list[str], every: int, cpus: Sequence[str], solved: bool) -> list[str]:
    """Judge here and on each processor; return all differences.

    Raises:
        Stopped: something that this needs cannot be had.
        CourseError: there is no such notebook, or its master does not hold.
    """
    masters = []
    for master in map(read_master, find_masters(ROOT / "solutions", names)):
        if more := [package for package in master.packages if package not in JUDGING]:
            print(f"{master.name} is left out: no {' or '.join(more)} is put on the emulated machine")
        else:
            masters.append(master)
    python, environment = emulator(solved)
    tries = [tries_of(m, NOTEBOOKS / m.name / "checks.safetensors", every, solved) for m in masters]
    file = FOLDER / "tries.json"
    file.write_text(json.dumps([asdict(one) for one in tries]), "utf-8")
    here = list(results([sys.executable, SIDE, file], {**os.environ, **ALIKE}))
    found = []
    for cpu in cpus:
        there = results([*python, SIDE, file], {**environment, **ALIKE, "QEMU_CPU": cpu})
        found += compare(here, there, cpu)
    return found


def positive(word: str) -> int:
    """A whole number from 1 on."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is no whole number from 1 on")
    return int(word)


def main(words: list[str] | None = None) -> int:
    """Judge here and there; exit status 1 where anything differs, or where it cannot be tried."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("notebooks", nargs="*", help="names of notebooks; all without")
    parser.add_argument("--every", type=positive, default=4, help="try every fourth mistake (4), or all (1)")
    parser.add_argument(
        "--cpu", action="append", help=f"as `qemu-aarch64 -cpu help` names it; {CPUS} without"
    )
    parser.add_argument("--solved", action="store_true", help="run the solved notebooks too: minutes")
    arguments = parser.parse_args(words)
    try:
        found = try_all(arguments.notebooks, arguments.every, arguments.cpu or CPUS, arguments.solved)
    except (Stopped, CourseError) as error:
        print(f"It cannot be tried: {error}", file=sys.stderr)
        return 1
    if found:
        print(f"\n{len(found)} things are not as they are here, or not as they should be.", file=sys.stderr)
        return 1
    print("\nOn every processor tried the student's check says what it says here.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
