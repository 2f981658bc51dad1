"""What `tried_by` sees of an answer that does nothing: what holds for that is no work, and earns nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.course.masters import Master
from autograder.sheets.effects import effects_of
from autograder.sheets.sheet import Sheet


def facts_without_work(master: Master, sheet: Sheet) -> frozenset[str]:
    """The watched outputs that are right where nothing is done.

    Args:
        master: the notebook.
        sheet: an exercise's, whose first case is tried.
    """
    facts = frozenset(sheet.returns) - frozenset(sheet.own)
    alone, found = replace(sheet, cases=sheet.cases[:1]), frozenset[str]()
    for lazy in _lazy_answers(master.reference[sheet.name]) if facts else ():
        (effect,) = effects_of(master.trying(sheet.name, lazy), alone)
        if not isinstance(effect, str):
            found |= facts - {leaf.output for leaf in effect}
    return found


def _lazy_answers(reference: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Nothing, a number, an argument handed back; zeros in the form of what is right."""
    yield lambda *_: None
    yield lambda *_: 0.0
    yield lambda first, *_: first
    # The reference works on copies, so that nothing of its work is seen.
    yield lambda *given: _zeros(reference(*copy.deepcopy(given)))


def _zeros(value: Any) -> Any:
    """Zeros in the form of a value; None in the place of what has none, a model say."""
    if isinstance(value, tuple | list):
        return type(value)(map(_zeros, value))
    if isinstance(value, dict):
        return {key: _zeros(part) for key, part in value.items()}
    if isinstance(value, int | float):
        return type(value)(0)
    if isinstance(value, np.ndarray):
        return np.zeros_like(value)
    return value.new_zeros(value.shape) if hasattr(value, "new_zeros") else None  # a tensor
