"""Masters -> release, frozen checks, nbgrader source, solved notebooks executed; and what must hold of them.

`notebooks/` is written by this module and never edited by hand; where somebody did, it is left alone.
"""

from __future__ import annotations

import copy
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from difflib import unified_diff
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import numpy as np

from autograder.answers.leaves import reference_leaves
from autograder.course.handwritten import read_notebook, written
from autograder.course.masters import Master, read_master, solution_regions
from autograder.course.notebook import as_text, release_notebook, solved_notebook, source_notebook
from autograder.course.places import CHECKPOINTS, Places
from autograder.course.stubs import hole
from autograder.course.surroundings import surroundings
from autograder.course.time_needed import LONGEST_SITTING, PLACE, time_needed
from autograder.errors import CourseError
from autograder.judging.backward import trusted
from autograder.judging.judge import judge
from autograder.release.stage import used_files
from autograder.release.withheld import told_problems
from autograder.report.sentences import sentence
from autograder.sheets.drawn import drawn_cases, fresh_sheets
from autograder.sheets.frozen import Difference, FrozenChecks, difference, freeze
from autograder.sheets.sheet import Case, Sheet, asks_zeros, differs
from autograder.sheets.telling import told_by_chance, too_small

PUBLIC_KEY = "public"
# Under which draws are tried: a few, and, where they disagree, many.
MANY_KEYS = tuple(f"key {number}" for number in range(30))
SOME_KEYS = MANY_KEYS[:8]
CHECKS = "checks.safetensors"
CONFIRM_RTOL = 1e-6
# Seconds. The longest takes half a minute, and four times that beside other work on the same cores.
LONGEST_CELL = 600
# The name of a socket has room for some 100 characters.
LONGEST_SOCKET_FOLDER = 80
# Shorter lines ("return s_t") say nothing that the docstring does not say.
TELLING_LINE = 24


def release_text(master: Master) -> str:
    """The notebook of the release, as the text of its file."""
    return as_text(release_notebook(source_notebook(master)))


def build(folder: Path, places: Places) -> Master:
    """Write release and nbgrader source of one notebook; what agrees with its sources is left as it is.

    Raises:
        CourseError: something in the master or its exercises does not hold, or somebody wrote into the
            release.
    """
    master = read_master(folder)
    sheets = fresh_sheets(master, PUBLIC_KEY)
    validate(master, sheets)
    for problem in told_problems(master, sheets):
        raise CourseError(problem)
    released = places.notebooks / master.name
    if writing := _writing_in(released / f"{master.name}.ipynb"):
        raise CourseError(writing)
    checks = _checks_of(master, sheets, released / CHECKS)
    _write(released, {f"{master.name}.ipynb": release_text(master).encode(), CHECKS: checks})
    source = as_text(source_notebook(master)).encode()
    _write(places.source / master.name, {f"{master.name}.ipynb": source, CHECKS: checks})
    return master


def build_self_study(folder: Path, places: Places) -> Path:
    """Write a notebook for whoever studies alone: with model answers to its written questions.

    Raises:
        CourseError: something in the master does not hold, or somebody wrote into the notebook.
    """
    master = read_master(folder)
    target = places.self_study / master.name
    notebook = target / f"{master.name}.ipynb"
    if writing := _writing_in(notebook):
        raise CourseError(writing)
    told = {**master.told, "written": master.model_answers}
    text = as_text(release_notebook(source_notebook(master, alone=True)))
    checks = _frozen(master, fresh_sheets(master, PUBLIC_KEY), told)
    _write(target, {notebook.name: text.encode(), CHECKS: checks})
    return notebook


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


def _frozen(master: Master, sheets: dict[str, Sheet], told: dict[str, Any] | None = None) -> bytes:
    return freeze(master.name, sheets, master.made_from, surroundings(master), told or master.told)


def _questions(master: Master) -> dict[str, Any]:
    """What a solved notebook's file tells: its derivations stand in cells of their own."""
    return {**master.told, "derivations": {}}


def _write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)


def _checks_of(master: Master, sheets: dict[str, Sheet], path: Path) -> bytes:
    """The bytes of a notebook's checks: those that stand in the file already, where they agree."""
    made = _frozen(master, sheets)
    try:
        released = FrozenChecks(path)
    except CourseError:
        return made  # missing, damaged, or of another format
    if not released.is_sealed or _difference(released, made):
        return made
    if released.made_from == master.made_from:
        return path.read_bytes()  # packed anew, another zlib may give other bytes
    return released.made_anew(master.made_from)


def _difference(released: FrozenChecks, made: bytes) -> Difference | None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / CHECKS
        path.write_bytes(made)
        return difference(released, FrozenChecks(path))


def problems(folder: Path, places: Places) -> Iterator[str]:
    """What does not hold of one notebook: nothing is written.

    A stale release, a mistake that no longer applies, a leak, an expected value that cannot be confirmed.
    """
    try:
        master = read_master(folder)
        sheets = fresh_sheets(master, PUBLIC_KEY)
        validate(master, sheets)
    except CourseError as error:
        yield str(error)
        return
    released = places.notebooks / master.name
    if not is_made_from(master, released / CHECKS):
        # What was built from these very sources was tried then: it takes a while.
        yield from told_problems(master, sheets)
    yield from release_problems(master, sheets, released)


def is_made_from(master: Master, checks: Path) -> bool:
    """Whether a build wrote this file from the sources as they are now."""
    try:
        frozen = FrozenChecks(checks)
    except CourseError:
        return False
    return frozen.is_sealed and frozen.made_from == master.made_from


def release_problems(master: Master, sheets: dict[str, Sheet], released: Path) -> Iterator[str]:
    """In what a release is not what its sources give: edited by hand, stale, or other numbers."""
    again = f"`autograder build {master.name}` writes it"
    notebook, checks = released / f"{master.name}.ipynb", released / CHECKS
    changed: list[str] | None = None
    if not checks.is_file():
        yield f"{checks} is missing; {again}"
    else:
        try:
            frozen = FrozenChecks(checks)
            changed = changed_sources(frozen.made_from, master.made_from)
            found = _difference(frozen, _frozen(master, sheets))
            if found or changed:
                yield f"{checks} {_why(frozen, changed, found)}; {again} anew"
        except CourseError as error:
            yield f"{error}; {again} anew"
    text = release_text(master)
    if not notebook.is_file():
        yield f"{notebook} is missing; {again}"
    elif (found := notebook.read_text("utf-8")) != text:
        why = f"is stale: {', '.join(changed)} changed since" if changed else "was edited by hand"
        yield _writing_in(notebook) or f"{notebook} {why}: {_first_line(found, text)}; {again} anew"
    for path in sorted(released.iterdir()) if released.is_dir() else []:
        if path not in (notebook, checks) and path.name != CHECKPOINTS:
            yield f"{path} is not made by the build; move it elsewhere (what students write belongs in work/)"


def changed_sources(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """The source files that changed, came or went since a release was built."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def _why(frozen: FrozenChecks, changed: list[str], found: Difference | None) -> str:
    """How a file of checks came to differ from its sources: by hand, by another source, by a processor."""
    if found and not frozen.is_sealed:
        return f"was edited by hand: {found}"
    if changed:
        return f"is stale: {', '.join(changed)} changed since it was built ({found or 'the checks agree'})"
    if found and found.in_numbers:
        return (
            f"differs in numbers though nothing it is made from changed: {found}. Another processor or NumPy "
            f"({np.__version__} here) may do that; where the new number is right, widen frozen.py's tolerance"
        )
    return f"was made by another version of the autograder ({found})"


def _first_line(found: str, text: str) -> str:
    """The first line of a file that its sources do not give, or that it lacks."""
    lines = list(unified_diff(text.splitlines(), found.splitlines(), n=0, lineterm=""))[3:]
    added = [line for line in lines if line.startswith("+")]
    return f"it has {added[0][1:].strip()!r:.120}" if added else f"it lacks {lines[0][1:].strip()!r:.120}"


def validate(master: Master, sheets: dict[str, Sheet]) -> None:
    """Check what must hold of a notebook before it is released.

    Raises:
        CourseError: naming notebook, exercise and what is wrong.
    """
    for name, sheet in sheets.items():
        _validate_reference(master, name, sheet)
        _validate_confirmed(master, name, sheet)
        _validate_edges(master, name, sheet.cases)
        _validate_mistakes(master, name, sheet)
        _validate_draws(master, name)
    _validate_leaks(master)
    _validate_time(master)


def _validate_time(master: Master) -> None:
    """What takes longer than one can sit has a place to stop."""
    if not any(PLACE in cell.source for cell in master.cells):
        return
    needed = time_needed(master)
    if len(needed.sittings) == 1 and needed.sittings[0] > LONGEST_SITTING:
        raise CourseError(
            f"{master.name} takes {needed}: more than {LONGEST_SITTING}. Write sitting=2 at the heading "
            "where one can stop, or extra=true at what can be left out"
        )


def _validate_reference(master: Master, name: str, sheet: Sheet) -> None:
    """The reference passes its own checks, numeric gradients among them."""
    forward = master.reference[sheet.forward.name] if sheet.forward else None
    judgement = judge(sheet, trusted(master.called(name)), trusted(forward) if forward else None)
    failed = [f"{check.name}: {sentence(check.finding)}" for check in judgement.checks if not check.passed]
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
            scale = np.abs(expected[np.isfinite(expected)]).max(initial=1e-3) if sheet.spec.atol else 0.0
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


def _validate_edges(master: Master, name: str, cases: list[Case]) -> None:
    """No answer that is no work earns anything: zeros, or an argument handed back."""
    spec = master.exercises[name].spec
    for case in cases:
        arguments = [np.asarray(a) for a in case.inputs.values() if not isinstance(a, dict)]
        zeros = {leaf: not differs(np.zeros_like(e), e, spec) for leaf, e in case.expected.items()}
        # Of random values every output earns a share by itself; an edge case is one thing.
        lazy = all(zeros.values()) and not asks_zeros(case) if case.is_edge else any(zeros.values())
        if len(case.expected) == 1:
            (expected,) = case.expected.values()
            lazy |= any(a.shape == expected.shape and not differs(a, expected, spec) for a in arguments)
        if lazy:
            raise CourseError(
                f"{master.name}: {name!r} for {case.words!r} is right when zeros or an argument are "
                "handed back; choose other inputs"
            )


def _validate_mistakes(master: Master, name: str, sheet: Sheet) -> None:
    for mistake in sheet.mistakes:
        if not any(mistake.effects) and not mistake.made_in:
            raise CourseError(
                f"{master.name}: the mistake {mistake.name!r} of {name!r} changes no case; "
                "add an edge case that shows it, or drop it"
            )
    # The name of a way says no more than that it is wrong: many mistakes have it.
    own = [mistake.name for mistake in sheet.mistakes if not mistake.made_in]
    names = [own_name for own_name in own if own_name not in sheet.spec.ways]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise CourseError(f"{master.name}: {name!r} has several mistakes named {twice}")


def _validate_draws(master: Master, name: str) -> None:
    """Whatever the key, a case tells the same mistakes: else marks would depend on the key."""
    drawn = [drawn_cases(master, name, key) for key in SOME_KEYS]
    if told_by_chance(master, name, drawn, each=2):
        drawn = [drawn_cases(master, name, key) for key in MANY_KEYS]
        chances = told_by_chance(master, name, drawn)
        more = f" (and {len(chances) - 1} more like it)" if len(chances) > 1 else ""
        raise CourseError(
            f"{master.name}: of {name!r}, {chances[0]}{more}: marks would depend on the course's key. Change "
            "the draw so that it tells this always or never; `solutions/common.py` has words for it"
        )
    for cases in drawn:
        _validate_edges(master, name, cases)
        if small := too_small(cases, master.exercises[name].spec):
            raise CourseError(
                f"{master.name}: of {name!r}, {small[0]} may be so small that a wrong answer agrees with it. "
                "Scale the draw, or set atol=0 if small numbers must be right to their own digits"
            )


def _validate_leaks(master: Master) -> None:
    """No telling line of a solution stands anywhere in the release."""
    solution_lines = {
        line.strip(): exercise.name
        for exercise in master.exercises.values()
        for line in exercise.source.partition("### BEGIN SOLUTION")[2].splitlines()
        if len(line.strip()) >= TELLING_LINE and not line.strip().startswith(("#", '"""'))
        if line.strip() not in hole(exercise.name, solution_regions(exercise.source)[0], exercise.spec.stands)
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
        CourseError: a cell fails, or does not end.
    """
    notebook = solved_notebook(master)
    folder = places.executed / master.name
    path = folder / f"{_content_hash(master, notebook, places)}.ipynb"
    if path.is_file():
        return nbformat.read(path, as_version=4)
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError  # noqa: PLC0415

    for cell in notebook.cells:
        cell.metadata.pop("tags", None)  # in the solved notebook nothing may fail
    _write(folder, {CHECKS: _frozen(master, fresh_sheets(master, PUBLIC_KEY), told=_questions(master))})
    try:
        _execute(notebook, folder, places)
    except CellTimeoutError as error:
        cell = str(error).partition("-------------------")[2].strip("-\n")
        words = f"a cell takes more than {LONGEST_CELL} s: is this computer busy with something else?"
        raise CourseError(f"{master.name}, solved: {words} Build this notebook again.\n{cell}") from None
    except (CellExecutionError, DeadKernelError) as error:
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
            notebook, km=manager, timeout=LONGEST_CELL, resources={"metadata": {"path": str(folder)}}
        )
        own = {
            "IPYTHONDIR": place,
            "MPLCONFIGDIR": str(places.executed.parent / "matplotlib"),
            "AUTOGRADER_PROGRESS": str(Path(place, "progress.json")),
        }
        client.execute(cleanup_kc=True, env={**os.environ, **own})


def _content_hash(master: Master, solved: nbformat.NotebookNode, places: Places) -> str:
    """A hash of what a person wrote, and of nothing that a processor computed."""
    digest = hashlib.sha256(as_text(solved).encode())
    digest.update(repr(sorted(master.made_from.items())).encode())
    house = Path(__file__).parents[1]
    sources = [cell.source for cell in master.cells if cell.kind == "code"]
    used = used_files(sources, places.root, without=house.name)
    for path in [*sorted(house.rglob("*.[pj][ys]")), *sorted(used)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def write_solved_page(master: Master, places: Places) -> Path:
    """The executed solution as a page, for the instructor."""
    from autograder.release.solved_page import solved_page  # noqa: PLC0415  (two seconds of imports)

    body = solved_page(master.title, executed_notebook(master, places))
    places.solved.mkdir(parents=True, exist_ok=True)
    path = places.solved / f"{master.name}.html"
    path.write_text(body, "utf-8")
    return path
