"""Masters -> release, frozen checks, nbgrader source, solved page, slides; and what must hold of them.

`notebooks/` is written by this module and never edited by hand; where somebody did, it is left alone.
"""

from __future__ import annotations

import copy
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import numpy as np

from autograder.answers import Sheet, differs
from autograder.exercise import CourseError
from autograder.fresh import fresh_sheets
from autograder.frozen import freeze
from autograder.handwritten import read_notebook, written
from autograder.judge import judge
from autograder.leaves import reference_leaves
from autograder.masters import Master, read_master
from autograder.notebook import as_text, release_notebook, solved_notebook, source_notebook
from autograder.own_forward import trusted

PUBLIC_KEY = "public"
CONFIRM_RTOL = 1e-6
# The name of a socket has room for some 100 characters.
LONGEST_SOCKET_FOLDER = 80
# Shorter lines ("return s_t") say nothing that the docstring does not say.
TELLING_LINE = 24


@dataclass(frozen=True)
class Places:
    """Where things are, from the course's root folder."""

    root: Path

    @property
    def solutions(self) -> Path:
        """The masters."""
        return self.root / "solutions"

    @property
    def notebooks(self) -> Path:
        """The student release."""
        return self.root / "notebooks"

    @property
    def source(self) -> Path:
        """What nbgrader takes as its source."""
        return self.root / "build" / "source"

    @property
    def executed(self) -> Path:
        """Executed solved notebooks, kept under the hash of what they were made from."""
        return self.root / "build" / "executed"

    @property
    def solved(self) -> Path:
        """Solved pages for the instructor."""
        return self.root / "build" / "solved"

    @property
    def slides(self) -> Path:
        """Slide decks."""
        return self.root / "build" / "slides"


def release_files(master: Master, sheets: dict[str, Sheet]) -> dict[str, bytes]:
    """The files of a notebook's release, by name."""
    release = release_notebook(source_notebook(master))
    return {
        f"{master.name}.ipynb": as_text(release).encode(),
        "checks.safetensors": freeze(master.name, sheets),
    }


def source_files(master: Master, sheets: dict[str, Sheet]) -> dict[str, bytes]:
    """The files of a notebook's nbgrader source, by name."""
    return {
        f"{master.name}.ipynb": as_text(source_notebook(master)).encode(),
        "checks.safetensors": freeze(master.name, sheets),
    }


def build(folder: Path, places: Places) -> Master:
    """Write release and nbgrader source of one notebook.

    Raises:
        CourseError: something in the master or its exercises does not hold, or somebody wrote into the
            release.
    """
    master = read_master(folder)
    sheets = fresh_sheets(master, PUBLIC_KEY)
    validate(master, sheets)
    if writing := _writing_in(places.notebooks / master.name / f"{master.name}.ipynb"):
        raise CourseError(writing)
    _write(places.notebooks / master.name, release_files(master, sheets))
    _write(places.source / master.name, source_files(master, sheets))
    return master


def _writing_in(path: Path) -> str:
    """A sentence where a released notebook holds what somebody wrote and the build would erase; else ""."""
    if not path.is_file():
        return ""
    move = f"Move the file out of {path.parent} (students write in work/, which `make lab` opens), then build"
    try:
        found = written(read_notebook(path))
    except CourseError as error:
        return f"{error}. The build does not overwrite it. {move}"
    if not found:
        return ""
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f"{path} holds what somebody wrote ({', '.join(found[:3])}{more}); it is not overwritten. {move}"


def _write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)


def problems(folder: Path, places: Places) -> Iterator[str]:
    """What does not hold of one notebook: nothing is written.

    A stale release, a mutant that no longer applies, a leak, an expected value that cannot be confirmed.
    """
    try:
        master = read_master(folder)
        sheets = fresh_sheets(master, PUBLIC_KEY)
        validate(master, sheets)
    except CourseError as error:
        yield str(error)
        return
    files = release_files(master, sheets)
    for name, content in files.items():
        path = places.notebooks / master.name / name
        if not path.is_file():
            yield f"{path} is missing; run `autograder build {master.name}`"
        elif path.read_bytes() != content:
            writing = _writing_in(path) if path.suffix == ".ipynb" else ""
            yield writing or f"{path} is stale; run `autograder build {master.name}`"
    released = places.notebooks / master.name
    for path in sorted(released.iterdir()) if released.is_dir() else []:
        if path.name not in files and path.name != ".ipynb_checkpoints":
            yield f"{path} is not made by the build; move it elsewhere (what students write belongs in work/)"


def validate(master: Master, sheets: dict[str, Sheet]) -> None:
    """Check what must hold of a notebook before it is released.

    Raises:
        CourseError: naming notebook, exercise and what is wrong.
    """
    for name, sheet in sheets.items():
        _validate_reference(master, name, sheet)
        _validate_confirmed(master, name, sheet)
        _validate_edges(master, name, sheet)
        _validate_mistakes(master, name, sheet)
    _validate_leaks(master)


def _validate_reference(master: Master, name: str, sheet: Sheet) -> None:
    """The reference passes its own checks, numeric gradients among them."""
    forward = master.reference[sheet.forward.name] if sheet.forward else None
    judgement = judge(sheet, trusted(master.reference[name]), trusted(forward) if forward else None)
    failed = [f"{check.name}: {check.message}" for check in judgement.checks if not check.passed]
    if failed:
        raise CourseError(f"{master.name}: the reference of {name!r} fails its own check: {failed[0]}")


def _validate_confirmed(master: Master, name: str, sheet: Sheet) -> None:
    """An independent computation gives the expected values."""
    if not sheet.spec.confirm:
        return
    for case in sheet.cases:
        try:
            value = sheet.spec.confirm(*copy.deepcopy(list(case.inputs.values())))
        except Exception:
            if _has_torch():
                raise
            return  # the finite differences remain
        leaves = reference_leaves(value, sheet.returns)
        for leaf, expected in case.expected.items():
            got = leaves[leaf]
            scale = np.abs(expected[np.isfinite(expected)]).max(initial=1e-3)
            if got.shape != expected.shape or not np.allclose(
                got, expected, rtol=CONFIRM_RTOL, atol=CONFIRM_RTOL * scale, equal_nan=True
            ):
                raise CourseError(
                    f"{master.name}: `{leaf}` of {name!r} for {case.words!r} is not confirmed "
                    f"by {getattr(sheet.spec.confirm, '__name__', 'confirm')}"
                )


@cache
def _has_torch() -> bool:
    """Whether PyTorch is here and starts: one that is half installed raises anything but an ImportError."""
    try:
        import torch  # noqa: F401, PLC0415
    except Exception:
        return False
    return True


def _validate_edges(master: Master, name: str, sheet: Sheet) -> None:
    """No answer that is no work earns anything: zeros, or an argument handed back."""
    for case in sheet.cases:
        arguments = [np.asarray(a) for a in case.inputs.values() if not isinstance(a, dict)]
        zeros = {leaf: not differs(np.zeros_like(e), e, sheet.spec) for leaf, e in case.expected.items()}
        # Of random values every output earns a share by itself; an edge case is one thing.
        lazy = all(zeros.values()) if case.is_edge else any(zeros.values())
        if len(case.expected) == 1:
            (expected,) = case.expected.values()
            lazy |= any(a.shape == expected.shape and not differs(a, expected, sheet.spec) for a in arguments)
        if lazy:
            raise CourseError(
                f"{master.name}: {name!r} for {case.words!r} is right when zeros or an argument are "
                "handed back; choose other inputs"
            )


def _validate_mistakes(master: Master, name: str, sheet: Sheet) -> None:
    for mistake in sheet.mistakes:
        if not any(mistake.effects) and not mistake.made_in:
            raise CourseError(
                f"{master.name}: mutant {mistake.name!r} of {name!r} changes no case; "
                "add an edge case that shows it, or drop it"
            )
    names = [mistake.name for mistake in sheet.mistakes]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise CourseError(f"{master.name}: {name!r} has several mutants named {twice}")


def _validate_leaks(master: Master) -> None:
    """No telling line of a solution stands anywhere in the release."""
    solution_lines = {
        line.strip(): exercise.name
        for exercise in master.exercises.values()
        for line in exercise.source.partition("### BEGIN SOLUTION")[2].splitlines()
        if len(line.strip()) >= TELLING_LINE and not line.strip().startswith(("#", '"""'))
    }
    release = release_notebook(source_notebook(master))
    for number, cell in enumerate(release.cells, start=1):
        if cell.get("outputs"):
            raise CourseError(f"{master.name}: cell {number} of the release has outputs")
        for line in cell.source.splitlines():
            if line.strip() in solution_lines:
                raise CourseError(
                    f"{master.name}: cell {number} of the release holds a line of the solution of "
                    f"{solution_lines[line.strip()]!r}: {line.strip()!r}"
                )
        if re.search(r"BEGIN (SOLUTION|MARK SCHEME)", cell.source):
            raise CourseError(f"{master.name}: cell {number} of the release holds a solution or a scheme")


def executed_notebook(master: Master, places: Places) -> nbformat.NotebookNode:
    """The solved notebook, executed; kept, and executed again only when something in it changed.

    Raises:
        CourseError: a cell fails.
    """
    notebook = solved_notebook(master)
    checks = freeze(master.name, fresh_sheets(master, PUBLIC_KEY))
    folder = places.executed / master.name
    path = folder / f"{_content_hash(notebook, checks)}.ipynb"
    if path.is_file():
        return nbformat.read(path, as_version=4)
    from nbclient.exceptions import CellExecutionError  # noqa: PLC0415

    for cell in notebook.cells:
        cell.metadata.pop("tags", None)  # in the solved notebook nothing may fail
    _write(folder, {"checks.safetensors": checks})
    try:
        _execute(notebook, folder, places)
    except CellExecutionError as error:
        raise CourseError(f"{master.name}, solved: {error}") from error
    for old in folder.glob("*.ipynb"):
        old.unlink()
    nbformat.write(notebook, path)
    return notebook


def _execute(notebook: nbformat.NotebookNode, folder: Path, places: Places) -> None:
    """Run a notebook in a kernel of this very Python, without anybody's profile, styles or kernels.

    Kernel and client talk through files: that needs no network, loopback included.
    """
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415
    from jupyter_client.manager import AsyncKernelManager  # noqa: PLC0415
    from nbclient import NotebookClient  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as place:
        manager = AsyncKernelManager(
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
            transport="ipc" if len(place) < LONGEST_SOCKET_FOLDER else "tcp",
            connection_file=str(Path(place, "kernel.json")),
        )
        client = NotebookClient(
            notebook, km=manager, timeout=120, resources={"metadata": {"path": str(folder)}}
        )
        own = {"IPYTHONDIR": place, "MPLCONFIGDIR": str(places.executed.parent / "matplotlib")}
        client.execute(cleanup_kc=True, env={**os.environ, **own})


def _content_hash(solved: nbformat.NotebookNode, checks: bytes) -> str:
    digest = hashlib.sha256(as_text(solved).encode() + checks)
    root = Path(__file__).parents[1]
    for package in ("rnncourse", "autograder"):
        for path in sorted((root / package).rglob("*.[pj][ys]")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def write_solved_page(master: Master, places: Places) -> Path:
    """The executed solution as a page, for the instructor."""
    from nbconvert import HTMLExporter  # noqa: PLC0415

    body, _ = HTMLExporter().from_notebook_node(executed_notebook(master, places))
    places.solved.mkdir(parents=True, exist_ok=True)
    path = places.solved / f"{master.name}.html"
    path.write_text(body, "utf-8")
    return path
