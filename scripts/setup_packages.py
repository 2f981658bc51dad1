"""What pip is asked for, and how: lock files first, settings of this machine alone, a failure in words.

Knows nothing of how `.venv` is made, and nothing of PyTorch.
"""

import json
import os
import platform
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "requirements"
# The Pythons that the lock files were tried with.
LOCKED_PYTHONS = ((3, 11), (3, 13))
# Where pip looks, and how: that is this machine's business. Other settings (a target, a constraint, no
# wheels) were meant for other programs.
INDEX_SETTINGS = re.compile(
    r"PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|TRUSTED_HOST|CERT|CLIENT_CERT|PROXY|TIMEOUT"
    r"|DEFAULT_TIMEOUT|RETRIES|CACHE_DIR|NO_CACHE_DIR|KEYRING_PROVIDER|CONFIG_FILE|NO_INPUT)"
)
VARIABLE = re.compile(r"\$([A-Za-z_]\w*)", re.ASCII)
WRONG_HASH = "DO NOT MATCH THE HASHES"
NO_SUCH_FILE = re.compile(
    r"No matching distribution|Could not find a version|Failed building wheel|Failed to build"
)
NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolution|ConnectTimeout|ReadTimeout|Max retries|ProxyError|name resolution"
    r"|Network is unreachable|Connection (refused|reset|aborted)|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT"
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
    # setuptools takes `$name` in the folder's path for a variable, and stops where there is none.
    named = dict.fromkeys(VARIABLE.findall(str(ROOT)), "")
    return {**named, **kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0"}


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
        reason = no_network(done.stdout, "pip looks")
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
    starts = ("WARNING", "ERROR", "error:")
    first = next((i for i, line in enumerate(lines) if line.lstrip().startswith(starts)), 0)
    return "\n".join(lines[first:][-40:])


def no_network(text: str, where: str) -> str:
    """A sentence to put before a tool's words where they say that it met no network; else ""."""
    return f"There is no network, or none to where {where}. " if NO_NETWORK.search(text) else ""


def last_line(text: str) -> str:
    """The last line of a tool's complaint that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


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


def editable(extras: str = "") -> list[str]:
    """What pip is asked for: the projects of this repository, the course with some of its extras."""
    folders = [f"{folder}{extras if folder == ROOT else ''}" for folder in projects().values()]
    return [word for folder in folders for word in ("--editable", folder)]
