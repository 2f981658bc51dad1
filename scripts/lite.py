"""JupyterLite: the course's notebooks in a browser, with a kernel there and nothing to install.

    make lite                                    # NumPy and Matplotlib come from Pyodide's CDN
    make lite ARGS="--pyodide PATH"              # ... or from a Pyodide distribution, a folder or its archive
    make lite ARGS="--upto 04"                   # for a class that is no further

Written to build/lite/site/, a folder for any web server. In it lie JupyterLite, Pyodide's core (Python, from
npm), the releases that need no PyTorch, what students import of the course as a wheel, and the wheels in
plain Python that a kernel needs. What is compiled (NumPy, Matplotlib, safetensors) is Pyodide's; wheels that
the given distribution lacks are asked of the CDN by the reader's browser.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from setup_packages import ROOT, neutral_environment, no_network

from autograder.course.masters import read_master
from autograder.course.places import Places, find_masters
from autograder.errors import CourseError
from autograder.exchange.bundle import PACKAGES, REQUIREMENTS, student_files
from autograder.release.slide_assets import npm
from autograder.release.stage import up_to
from rnncourse.data import SENTENCES, SURNAMES, DataMissing, fetch

LITE = ROOT / "build" / "lite"
LOCKS = ROOT / "requirements"
SITE = LITE / "site"
# Pyodide's core as npm has it: the version that the locked JupyterLite kernel was made for.
CORE = "314.0.6"
CORE_SHA256 = "d78ac549b28a2a58600cd06f44e017024151775f8c6b2d73fab1475400d38ea2"
CORE_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
LOCK = "pyodide-lock.json"
# Loaded before the first cell, so that the kernel asks no package index for them.
KERNEL = ("micropip", "piplite", "pyodide-kernel", "ipykernel", "comm", "jedi", "ipython")
SETTINGS = "@jupyterlite/pyodide-kernel-extension:kernel"
DRIVE = "/drive"  # the folder of notebooks, kept by the browser
DATA = "data"
ABOUT = """# Before you begin

Python runs in this page; nothing is installed, and nothing of what you write leaves your machine.

- Open `00_start_here/00_start_here.ipynb` on the left. The first cell takes up to a minute.
- **Your work is kept in this browser alone**, until its data are cleared. Right-click a notebook, *Download*:
  that file is your copy, and what you hand in.
- `check`, `hint`, `guess` and `progress()` work as everywhere. Long computations take several times as long.
- To stop a cell that does not end: *Kernel, Restart Kernel*. A check stops such a function by itself.
- Notebook 07 needs PyTorch, which a browser has not; in 08, cells that would try it say so.
"""
WHEEL = """[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "rnn-course"
version = "0.1.0"
description = "What students import of the course"
requires-python = ">=3.11"
dependencies = {dependencies}

[tool.setuptools.packages.find]
include = ["autograder*", "rnncourse*"]

[tool.setuptools.package-data]
"*" = ["*"]
"""


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """What a command prints.

    Raises:
        CourseError: it failed; the message holds its words.
    """
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=neutral_environment()
    )
    if done.returncode:
        words = (done.stderr or done.stdout).strip()[-2000:]
        reason = no_network(words, "packages lie")
        raise CourseError(f"{reason}{' '.join(map(str, command))[:200]} failed:\n{words}")
    return done.stdout


def tools(folder: Path) -> Path:
    """The Python of an environment that holds JupyterLite; made anew where `lite.txt` changed.

    One of its own: JupyterLab shows every extension of its environment, and a student's is no JupyterLite.
    """
    locked = (LOCKS / "lite.txt").read_text("utf-8")
    stamp, python = folder / "made-from.txt", folder / "bin" / "python"
    if not stamp.is_file() or stamp.read_text("utf-8") != locked:
        print("Installing JupyterLite, once ...", flush=True)
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=True).create(folder)
        run(python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", LOCKS / "lite.txt")
        stamp.write_text(locked, "utf-8")
    return python


def plain_wheels(folder: Path) -> list[Path]:
    """The wheels in plain Python that `lite-browser.txt` lists, fetched once."""
    locked = (LOCKS / "lite-browser.txt").read_text("utf-8")
    stamp = folder / "made-from.txt"
    if not stamp.is_file() or stamp.read_text("utf-8") != locked:
        shutil.rmtree(folder, ignore_errors=True)
        fitting = ("--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none")
        command = ("download", "--quiet", "--no-deps", "--require-hashes", *fitting, "--python-version=3.14")
        run(sys.executable, "-m", "pip", *command, "-d", folder, "-r", LOCKS / "lite-browser.txt")
        stamp.write_text(locked, "utf-8")
    return sorted(folder.glob("*.whl"))


def fetched_core(folder: Path) -> Path:
    """Pyodide's core from npm, fetched once and compared with its sum.

    Raises:
        CourseError: npm could not, or it is another file.
    """
    archive = folder / f"pyodide-{CORE}.tgz"
    if not archive.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        run(*npm(), "pack", "--loglevel=error", f"pyodide@{CORE}", cwd=folder)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != CORE_SHA256:
        raise CourseError(f"{archive} is not the file it should be; remove it and try again")
    return unpacked(archive, folder / "core")


def unpacked(archive: Path, folder: Path) -> Path:
    """A Pyodide distribution out of its archive.

    Raises:
        CourseError: there is none in it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with tarfile.open(archive) as files:
            files.extractall(folder, filter="data")
    except (OSError, tarfile.TarError) as error:
        raise CourseError(f"{archive} cannot be read as an archive ({error})") from error
    found = sorted(folder.rglob(LOCK))
    if not found:
        raise CourseError(f"{archive} holds no {LOCK}: it is no Pyodide distribution")
    return found[0].parent


def distribution(given: Path | None) -> Path:
    """The folder of the Pyodide distribution to build with.

    Raises:
        CourseError: what was given is none.
    """
    if given is None:
        return fetched_core(LITE / "pyodide")
    if given.is_file():
        given = unpacked(given, LITE / "pyodide" / "given")
    for name in ("pyodide.mjs", LOCK):
        if not (given / name).is_file():
            raise CourseError(f"--pyodide {given}: it holds no {name}, so it is no Pyodide distribution")
    return given


def without_torch(folders: Iterable[Path]) -> list[str]:
    """The notebooks that are graded without PyTorch: a browser has none."""
    return [folder.name for folder in folders if "torch" not in read_master(folder).packages]


def course_wheel(python: Path, contents: dict[str, bytes], folder: Path) -> Path:
    """A wheel of what students import: nothing of `solutions/`, of the grader, and of what is withheld.

    Args:
        python: one that has setuptools.
        contents: path -> bytes, as `student_files` gives them.
        folder: to work in; made anew.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in contents.items():
        if name.startswith(f"{PACKAGES}/"):
            path = folder / "source" / name.removeprefix(f"{PACKAGES}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    dependencies = json.dumps([name for name in REQUIREMENTS if name != "jupyterlab"])
    (folder / "source" / "pyproject.toml").write_text(WHEEL.format(dependencies=dependencies), "utf-8")
    build_wheel = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    run(python, "-c", build_wheel, folder, cwd=folder / "source")
    return next(folder.glob("*.whl"))


def locked(wheel: Path, version: str) -> dict[str, Any]:
    """What a Pyodide lock says of a wheel: how it is had, what imports it, what it needs.

    Args:
        wheel: its file.
        version: of the Python in the browser.

    Raises:
        CourseError: the wheel is for another Python.
    """
    archive = zipfile.Path(wheel)
    infos = [entry for entry in archive.iterdir() if entry.name.endswith(".dist-info")]
    about = metadata.PathDistribution(infos[0])
    pythons = about.metadata.get("Requires-Python") or ""
    if version not in SpecifierSet(pythons):
        raise CourseError(
            f"{wheel.name} needs Python {pythons}, and this Pyodide distribution has {version}: "
            f"take that of Pyodide {CORE}"
        )
    browser = {
        "extra": "",
        "platform_machine": "wasm32",
        "platform_system": "Emscripten",
        "python_full_version": version,
        "python_version": ".".join(version.split(".")[:2]),
        "sys_platform": "emscripten",
    }
    wanted = [Requirement(line) for line in about.requires or []]
    tops = [one for one in archive.iterdir() if one.name.endswith(".py") or (one / "__init__.py").exists()]
    return {
        "name": canonicalize_name(about.metadata["Name"]),
        "version": about.version,
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": [one.name.removesuffix(".py") for one in tops],
        "depends": [canonicalize_name(r.name) for r in wanted if not r.marker or r.marker.evaluate(browser)],
        "unvendored_tests": False,
    }


def needed(packages: dict[str, Any], names: Iterable[str]) -> set[str]:
    """The packages of a Pyodide lock that some of them need, themselves among them.

    Raises:
        CourseError: one of these is not in the lock.
    """
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in packages:
            raise CourseError(f"this Pyodide distribution does not know {name}, which the course needs")
        if name not in found:
            found.add(name)
            waiting += map(canonicalize_name, packages[name]["depends"])
    return found


def lay_pyodide(python: Path, given: Path, wheels: list[Path], to: Path) -> list[str]:
    """Put Pyodide's core, our wheels and what they need of the distribution into one folder, with one lock.

    Args:
        python: of the tools.
        given: the distribution; npm's core holds no wheels.
        wheels: ours; where the distribution holds one of the same name, that was tried with its Pyodide.
        to: the folder; made anew.

    Returns:
        The files that a browser will ask the CDN for once our packages are imported.
    """
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    for name in CORE_FILES:
        if (given / name).is_file():
            shutil.copyfile(given / name, to / name)
    lock = json.loads((given / LOCK).read_text("utf-8"))
    packages = lock["packages"] = {canonicalize_name(name): one for name, one in lock["packages"].items()}
    cdn = cdn_of(python, lock["info"])
    for wheel in wheels:
        described = locked(wheel, lock["info"]["python"])
        theirs = packages.get(described["name"])
        if theirs is None or not (given / theirs["file_name"]).is_file():
            packages[described["name"]] = described
            shutil.copyfile(wheel, to / wheel.name)
    imported = needed(packages, [*KERNEL, "rnn-course"])
    asked = []
    for name, package in packages.items():
        file = package["file_name"]
        if (to / file).is_file():
            continue
        if name in imported and (given / file).is_file():
            shutil.copyfile(given / file, to / file)
            continue
        package["file_name"] = f"{cdn}/{file}"
        if name in imported:
            asked.append(file)
    (to / LOCK).write_text(json.dumps(lock), "utf-8")
    return asked


def cdn_of(python: Path, info: dict[str, Any]) -> str:
    """The folder of Pyodide's CDN that holds the wheels of a distribution."""
    code = "from jupyterlite_pyodide_kernel.constants import *; print(PYODIDE_VERSION, PYODIDE_CDN_URL)"
    version, url = run(python, "-c", code).split()
    # Newer locks do not say of which version they are; their kernel does.
    return url.replace(version, info.get("version", version))


def lay_contents(contents: dict[str, bytes], folder: Path) -> None:
    """Write what JupyterLite is to hold: the notebooks with their data, and how its kernel is started."""
    for name, content in contents.items():
        if name.startswith("notebooks/"):
            path = folder / "files" / name.removeprefix("notebooks/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    (folder / "files" / "READ ME FIRST.md").write_text(ABOUT, "utf-8")
    data = folder / "files" / DATA / "rnncourse"
    for what in (SENTENCES, SURNAMES):
        try:
            content = fetch(what)
        except DataMissing as missing:
            print(f"Without {what.archive}: {missing}")
            continue
        data.mkdir(parents=True, exist_ok=True)
        (data / what.archive).write_bytes(content)
    environment = {
        "HOME": "/home/pyodide",
        "MPLCONFIGDIR": "/home/pyodide/matplotlib",
        # What a student has done, and the sentences, lie where the browser keeps files.
        "AUTOGRADER_PROGRESS": f"{DRIVE}/progress.json",
        "XDG_CACHE_HOME": f"{DRIVE}/{DATA}",
    }
    kernel = {"loadPyodideOptions": {"packages": list(KERNEL), "env": environment}}
    settings = {"appName": "Recurrent networks", "litePluginSettings": {SETTINGS: kernel}}
    written = {"jupyter-lite-schema-version": 0, "jupyter-config-data": settings}
    (folder / "jupyter-lite.json").write_text(json.dumps(written, indent=2), "utf-8")


def build(given: Path | None, upto: str | None, to: Path) -> list[str]:
    """Build the site.

    Args:
        given: a Pyodide distribution, or None for npm's core and the CDN.
        upto: the number of the last notebook that is in it, or None.
        to: the folder to write; made anew.

    Returns:
        The files that a browser will ask Pyodide's CDN for.

    Raises:
        CourseError: something cannot be had, or failed; the message says what.
    """
    places = Places(ROOT)
    folders = find_masters(places.solutions, None)
    names = without_torch(up_to(folders, upto) if upto else folders)
    python = tools(LITE / "tools")
    contents = student_files(names, places)
    shims = sorted((LITE / "tools" / "share" / "jupyter" / "labextensions").rglob("*.whl"))
    wheels = [
        course_wheel(Path(sys.executable), contents, LITE / "course"),
        *plain_wheels(LITE / "plain"),
        *shims,
    ]
    source = LITE / "source"
    shutil.rmtree(source, ignore_errors=True)
    asked = lay_pyodide(python, distribution(given), wheels, source / "static" / "pyodide")
    lay_contents(contents, source)
    shutil.rmtree(to, ignore_errors=True)
    run(python, "-m", "jupyterlite_core.app", "build", "--lite-dir", source, "--output-dir", to, cwd=source)
    return asked


def main() -> int:
    """Build it, and say where it lies and what it asks of a network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pyodide", type=Path, help="a Pyodide distribution: its folder, or its archive")
    parser.add_argument("--upto", help="the number of the last notebook that is in it")
    given = parser.parse_args()
    try:
        asked = build(given.pyodide and given.pyodide.resolve(), given.upto, SITE)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    where = SITE.relative_to(ROOT)
    print(f"Written to {where}; to look at it: python -m http.server -d {where}")
    if asked:
        print(f"A reader's browser asks Pyodide's CDN for {len(asked)} files: {', '.join(sorted(asked))}")
    else:
        print("It asks nothing of a network.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
