"""What a student has done in all notebooks of the course: `progress()`.

Kept in one file in the user's own state folder. It survives a restart, needs no server, and nothing of it
travels. This module judges nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from autograder.course.places import write_whole
from autograder.errors import CourseError
from autograder.kernel import checks_here, show
from autograder.sheets.frozen import FrozenChecks

# What is known of an exercise, the best last: a derivation that was shown does not undo an answer.
STEPS = ("tried", "shown", "right")
SIGNS = {"tried": "tried", "shown": "derivation shown", "right": "✓"}

# Where nothing can be written: what was done in this session.
_done: dict[str, dict[str, list[str]]] = {}


def state_file() -> Path | None:
    """Where progress is kept, None where this system has no such place."""
    if place := os.environ.get("AUTOGRADER_PROGRESS"):
        return Path(place)
    try:
        from platformdirs import user_state_path  # noqa: PLC0415

        return user_state_path("autograder", appauthor=False) / "progress.json"
    except (ImportError, RuntimeError, OSError):
        return None


def remember(assignment: str, exercise: str, step: str) -> None:
    """Keep that an exercise was tried, shown or right; where nothing can be written, for this session.

    What is tried is not right any more: of several checks the last one counts.
    """
    done = read_progress()
    steps = done.setdefault(assignment, {}).setdefault(exercise, [])
    before = list(steps)
    if step == "tried" and "right" in steps:
        steps.remove("right")
    if step not in steps:
        steps.append(step)
    if steps == before:
        return
    path = state_file()
    try:
        if path is None:
            raise FileNotFoundError
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(done).encode())
    except OSError:
        _done.update(done)


def read_progress() -> dict[str, dict[str, list[str]]]:
    """Assignment -> exercise -> what is known of it, some of `STEPS`; empty where nothing is kept."""
    path = state_file()
    kept: object = {}
    if path is not None:
        with contextlib.suppress(OSError, ValueError):
            kept = json.loads(path.read_text("utf-8"))
    found = {name: dict(exercises) for name, exercises in _done.items()}
    for name, exercises in kept.items() if isinstance(kept, dict) else ():
        for exercise, steps in exercises.items() if isinstance(exercises, dict) else ():
            if isinstance(steps, list):
                found.setdefault(name, {})[exercise] = [step for step in STEPS if step in steps]
    return found


def progress() -> None:
    """Show what is done, what is left and what comes next, over all notebooks that lie beside this one.

    Raises:
        CourseError: the data file is not beside this notebook.
    """
    here = checks_here()
    done = read_progress()
    rows, following, behind = [], "", []
    for checks in _all_checks(here):
        known = done.get(checks.assignment, {})
        shown = []
        for name in checks.names:
            best = max(known.get(name, []), key=STEPS.index, default="")
            shown.append(f"`{name}` {SIGNS.get(best, '·')}")
            if best == "right":
                continue
            if not _reached(checks, here):
                behind.append(f"`{name}` in {checks.assignment}")
            elif not following:
                following = f"Next: `{name}` in {checks.assignment}."
        right = sum("right" in known.get(name, []) for name in checks.names)
        rows.append(f"| {checks.assignment} | {right} of {len(checks.names)} | {', '.join(shown)} |")
    head = ["| notebook | right | exercises |", "|---|---|---|"]
    show("\n".join([*head, *rows]) + f"\n\n{following or _end(behind)}")


def _end(behind: list[str]) -> str:
    """What is said where nothing is left from this notebook on: what earlier ones have left."""
    if not behind:
        return "All exercises are right."
    left = "one exercise is" if len(behind) == 1 else f"{len(behind)} exercises are"
    return f"From this notebook on all exercises are right. In earlier ones {left} left, first {behind[0]}."


def _reached(checks: FrozenChecks, here: FrozenChecks) -> bool:
    """What is left in an earlier notebook is not pressed on somebody who is past it."""
    return checks.assignment >= here.assignment


def _all_checks(here: FrozenChecks) -> list[FrozenChecks]:
    found = [here]
    for path in sorted(here.path.parent.parent.glob(f"*/{here.path.name}")):
        if path != here.path:
            with contextlib.suppress(CourseError):
                found.append(FrozenChecks(path))
    return sorted(found, key=lambda checks: checks.assignment)
