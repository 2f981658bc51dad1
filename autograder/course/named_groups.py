"""Groups of wrong answers that a teacher named: `named_groups.toml`, beside a notebook's `exercises.py`.

A group is known by an example: whatever returns the same as it does belongs to it. So a name holds with
another course's key, with other inputs and on another machine, and a teacher may write an example by hand.
This module reads and writes the file; what an example returns is found out in the sandbox, for it is a
student's code.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course.places import write_whole
from autograder.errors import CourseError

FILE = "named_groups.toml"
HEAD = """\
# Wrong answers that a teacher named, each by an example. `autograder name` adds to this file; it may be
# edited by hand: a name and a hint for students, and, where wanted, `share`, the part of the points that such
# an answer is worth at least (0.5 for half). Grade again after a change.
"""
FIELDS = {"exercise", "name", "hint", "share", "example"}


@dataclass(frozen=True)
class NamedGroup:
    """Wrong answers that return the same, and what a teacher says of them.

    Args:
        exercise: whose.
        name: what is wrong, in a few words, for students.
        hint: one sentence that helps.
        example: code that returns what all of the group do: the function, and its helpers.
        share: the part of the points that it is worth at least; None where that is left to the checks.
    """

    exercise: str
    name: str
    hint: str
    example: str
    share: float | None = None


def read_named_groups(folder: Path) -> list[NamedGroup]:
    """The named groups of a notebook; none where there is no file.

    Args:
        folder: the master's folder.

    Raises:
        CourseError: the file cannot be read, or lacks what a group needs.
    """
    path = folder / FILE
    if not path.is_file():
        return []
    try:
        found = tomllib.loads(path.read_text("utf-8")).get("group", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read: {error}") from None
    if not isinstance(found, list):
        raise CourseError(f"{path}: each group begins with a line [[group]]")
    return [_group(one, f"{path}, group {i}") for i, one in enumerate(found, start=1)]


def _group(data: Any, place: str) -> NamedGroup:
    if not isinstance(data, dict) or set(data) - FIELDS:
        raise CourseError(f"{place}: a group has {', '.join(sorted(FIELDS))} and nothing else")
    for field in ("exercise", "name", "example"):
        if not isinstance(data.get(field), str) or not data[field].strip():
            raise CourseError(f'{place}: {field} = "..." is missing')
    if not isinstance(data.get("hint", ""), str):
        raise CourseError(f"{place}: hint is a sentence in quotes")
    share = data.get("share")
    if share is not None and (not isinstance(share, int | float) or not 0 <= share < 1):
        raise CourseError(f"{place}: share is the part of the points, from 0 to below 1, not {share!r}")
    return NamedGroup(data["exercise"], data["name"], data.get("hint", ""), data["example"], share)


def write_named_groups(folder: Path, groups: Iterable[NamedGroup]) -> Path:
    """Write the named groups of a notebook.

    Returns:
        The file.
    """
    path = folder / FILE
    write_whole(path, "\n".join([HEAD, *map(_as_toml, groups)]).encode())
    return path


def _as_toml(group: NamedGroup) -> str:
    lines = ["[[group]]", *(f"{f} = {_text(getattr(group, f))}" for f in ("exercise", "name", "hint"))]
    if group.share is not None:
        lines.append(f"share = {group.share:g}")
    body = "\n".join(_text(line)[1:-1] for line in group.example.strip("\n").split("\n"))
    return "\n".join([*lines, f'example = """\n{body}\n"""', ""])


def _text(text: str) -> str:
    """A basic string of TOML: JSON's, but for one sign."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
