"""An autograder for Gradescope: a zip that grades one notebook in Gradescope's own container.

Gradescope imports no marks; what it runs there writes them (`gradescope_run.py`). The container gives no user
namespaces, so a student's code runs as another user, behind the walls that are left (`sandbox`).
"""

from __future__ import annotations

import json
import re
import zipfile
from importlib import metadata
from importlib.resources import files
from pathlib import Path

from autograder.course.masters import read_master
from autograder.course.named_groups import FILE
from autograder.course.places import source_files
from autograder.errors import CourseError
from autograder.exchange.gradescope_run import COURSE, KEY, SETTINGS, VISIBILITIES
from autograder.exchange.pack import put

# What grading imports; versions are those that are installed here, so that marks are equal.
REQUIREMENTS = ("ipython", "jinja2", "nbformat", "numpy", "platformdirs", "pyseccomp", "safetensors")
HOUSE = Path(__file__).parents[1]
CODE = (".py", ".j2", ".css", ".js", ".txt")


def write_gradescope_zip(folder: Path, key: str, to: Path, visibility: str = "visible") -> list[str]:
    """Write the zip that is uploaded under *Configure Autograder*.

    Args:
        folder: the master's folder.
        key: the course's secret key: with it marks are those of `autograder grade`.
        to: the zip's path.
        visibility: when students see what the grader says, as Gradescope calls it.

    Returns:
        The names of the files in it.

    Raises:
        CourseError: the master cannot be read, or Gradescope knows no such visibility.
    """
    if visibility not in VISIBILITIES:
        raise CourseError(f"--visibility {visibility}: there are {', '.join(VISIBILITIES)}")
    master = read_master(folder)
    ours = files("autograder.exchange").joinpath("gradescope_files")
    contents = {name: ours.joinpath(name).read_bytes() for name in ("setup.sh", "run_autograder")}
    contents["requirements.txt"] = _requirements(master.packages).encode()
    contents[SETTINGS] = json.dumps({"notebook": master.name, "visibility": visibility}).encode()
    contents[KEY] = f"{key}\n".encode()
    solutions = folder.parent
    for path in [*source_files(folder), *folder.glob(FILE)]:
        contents[f"{COURSE}/solutions/{path.relative_to(solutions).as_posix()}"] = path.read_bytes()
    for path in sorted(HOUSE.rglob("*")):
        if path.suffix in CODE and "__pycache__" not in path.parts:
            contents[f"packages/{path.relative_to(HOUSE.parent).as_posix()}"] = path.read_bytes()
    to.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(to, "w") as archive:
        for name in sorted(contents):
            put(archive, name, contents[name], 0o755 if name in ("setup.sh", "run_autograder") else 0o644)
    to.chmod(0o600)  # it holds the references and the key
    return sorted(contents)


def _requirements(packages: tuple[str, ...]) -> str:
    names = sorted({*REQUIREMENTS, *packages})
    # A build of PyTorch for one kind of machine ("2.9.0+cpu") is chosen anew where it is installed.
    return "".join(f"{name}=={re.sub(r'[+].*', '', metadata.version(name))}\n" for name in names)
