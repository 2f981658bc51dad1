"""JupyterLab on `work/`, a copy of the releases that nobody but its owner writes.

    make lab ARGS="--no-browser"

What is missing in `work/` is copied from `notebooks/`. A notebook that somebody wrote into is never changed;
one that nobody wrote into follows the release. `checks.safetensors` always follows it: only programs write
that file, the installed package reads no other version of it, and a grade asks for the same.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autograder.course.handwritten import Notebook, course_of, read_notebook, written  # noqa: E402
from autograder.errors import CourseError  # noqa: E402
from autograder.kernel import CHECKS  # noqa: E402

# Says that nbgrader's buttons for instructors are not shown: a student writes here, and grades nobody.
STUDENT_LAB = ROOT / "scripts" / "student_lab"
CARRY = (".venv/bin/autograder", "carry")


def fill(notebooks: Path, work: Path) -> Iterator[str]:
    """Copy what is missing from the releases to the work folder.

    Args:
        notebooks: the releases, one folder each.
        work: the folder to work in; made where it is missing.

    Yields:
        Sentences for a person, about what was done and what was left alone.

    Raises:
        OSError: a file cannot be read or written.
    """
    if not work.exists():
        yield f"{work.name}/ is your copy of the notebooks: write there; nothing renews what you wrote."
    for release in sorted(notebooks.glob("*/*.ipynb")):
        name, folder = release.stem, work / release.parent.name
        if release.parent.name != name:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        yield from _follow(release, folder / release.name)
        for other in sorted(release.parent.iterdir()):
            mine = folder / other.name
            if other.is_file() and (not mine.exists() or other.name == CHECKS) and other != release:
                _copy(other, mine)


def _follow(release: Path, mine: Path) -> Iterator[str]:
    """Copy a notebook where it is missing, or follow its release where nobody wrote into it."""
    if not mine.exists():
        _copy(release, mine)
        return
    old, new = (path.relative_to(path.parents[2]) for path in (mine, release))
    try:
        theirs, yours = read_notebook(release), read_notebook(mine)
    except CourseError as error:
        yield f"{error}. It is left as it is."
        return
    if written(theirs) and not _holds_all(yours, theirs):
        yield (
            f"{new} was written into, and is the release that git renews. "
            f"To take that into your copy: {_carry(new, old)}"
        )
    elif course_of(yours) == course_of(theirs):
        return
    elif written(yours):
        yield f"{release.stem}: a newer release is here; to take your answers over: {_carry(old, new)}"
    else:
        _copy(release, mine)
        yield f"{release.stem}: now the newer release (you had written nothing into the older one)."


def _carry(old: Path, new: Path) -> str:
    """The command that takes the work in one notebook into another, to be copied into a shell."""
    return shlex.join([*CARRY, str(old), str(new)])


def _holds_all(yours: Notebook, theirs: Notebook) -> bool:
    """Whether every cell's text of one notebook stands in another."""
    return {cell["source"] for cell in theirs["cells"]} <= {cell["source"] for cell in yours["cells"]}


def _copy(source: Path, target: Path) -> None:
    """Copy a file whole or not at all, unless it is there already; the copy can be written."""
    content = source.read_bytes()
    if target.exists() and target.read_bytes() == content:
        return
    draft = target.with_name(f".{target.name}.new")
    try:
        draft.write_bytes(content)
        os.replace(draft, target)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def main(arguments: list[str]) -> None:
    """Fill `work/` and become JupyterLab."""
    try:
        for sentence in fill(ROOT / "notebooks", ROOT / "work"):
            print(sentence)
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}; JupyterLab needs the folder work/ beside notebooks/")
    sys.stdout.flush()
    as_root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    # Not `jupyter lab`, which starts a script: pip writes it so that a `$` in a path with a blank breaks it.
    jupyter = [sys.executable, "-m", "jupyterlab", "--notebook-dir=work", *as_root, *arguments]
    kept = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join([str(STUDENT_LAB), *([kept] if kept else [])])
    os.chdir(ROOT)
    os.execv(jupyter[0], jupyter)


if __name__ == "__main__":
    main(sys.argv[1:])
