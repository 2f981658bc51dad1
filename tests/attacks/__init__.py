"""The attacks on the grader, one module a family; each names its kind in `LINE`, one of `kit.LINES`."""

from importlib import import_module
from pathlib import Path

from attacks.kit import LINES, Attack

FAMILIES = sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem not in ("__init__", "kit"))


def load() -> dict[str, list[Attack]]:
    """Family -> its attacks; a module may belong to several lines (`LINES`) or one (`LINE`)."""
    return {family: import_module(f"attacks.{family}").ATTACKS for family in FAMILIES}


def line_of(family: str) -> str:
    """The kind of attack, one of `kit.LINES`, that a family belongs to."""
    line = import_module(f"attacks.{family}").LINE
    assert line in LINES, f"{family}: no line {line!r}"
    return line
