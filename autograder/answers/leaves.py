"""What a function returns, taken apart into named arrays: `s_t`, `gates["f"]`, `dW["ss"]`.

Finds where the structure is not the one asked for. Knows nothing of right or wrong numbers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from autograder.answers.finding import Finding, Kind
from autograder.answers.leaf import Leaf, Leaves
from autograder.answers.outcome import Opaque

# How much of a student's own names is kept in a finding.
MOST_KEYS, MOST_KEY_LETTERS, MOST_TYPE_LETTERS, MOST_SHAPES = 6, 20, 40, 3


class StructureError(Exception):
    """A returned value has not the structure that was asked for; `finding` says how."""

    def __init__(self, finding: Finding):
        where = finding.leaf or ", ".join(finding.names)
        super().__init__(f"{where}: {finding.kind.replace('_', ' ')}")
        self.finding = finding


def reference_leaves(value: Any, returns: tuple[str, ...]) -> Leaves:
    """Take apart what a reference (or a mutant) returned.

    Args:
        value: a tuple with as many parts as `returns` has names, or the value itself for one name.
        returns: the names of the parts.

    Raises:
        StructureError: it has other parts, or one that is no array of numbers.
    """
    parts = value if len(returns) > 1 else (value,)
    if not isinstance(parts, tuple | list) or len(parts) != len(returns):
        raise StructureError(Finding(Kind.ANOTHER_COUNT, names=returns))
    leaves: Leaves = {}
    for name, part in zip(returns, parts, strict=True):
        members = part.items() if isinstance(part, dict) else [("", part)]
        for key, member in members:
            leaf = Leaf(name, str(key))
            leaves[leaf] = _as_array(member, leaf)
    return leaves


def student_leaves(
    value: Any, returns: tuple[str, ...], expected: Leaves, own: tuple[str, ...] = ()
) -> tuple[Leaves, dict[Leaf, Finding]]:
    """Take apart what a student's function returned, as far as it has the structure asked for.

    Args:
        value: the returned value, as `Outcome` holds it.
        returns: the names asked for.
        expected: the reference's leaves; their names say which parts are dicts.
        own: those of the names that the function returns itself, where what tries it adds others.

    Returns:
        The leaves that could be read, and what is wrong with every other expected leaf.
    """
    parts = _parts(value, returns)
    if isinstance(parts, Finding):
        return {}, dict.fromkeys(expected, replace(parts, names=own or returns))
    if len(own) < len(returns) and own and all(parts[name] is None for name in own):
        return {}, dict.fromkeys(expected, Finding(Kind.NOTHING_RETURNED, names=own))
    leaves: Leaves = {}
    problems: dict[Leaf, Finding] = {}
    for leaf in expected:
        try:
            leaves[leaf] = _as_array(_member(parts[leaf.output], leaf), leaf)
        except StructureError as error:
            problems[leaf] = error.finding
    return leaves, problems


def _parts(value: Any, returns: tuple[str, ...]) -> dict[str, Any] | Finding:
    """The returned parts by name, or what is wrong with all of them."""
    if value is None:
        return Finding(Kind.NOTHING_RETURNED, names=returns)
    if len(returns) == 1:
        if isinstance(value, tuple):
            kind = Kind.TUPLE_OF_ONE if len(value) == 1 else Kind.SEVERAL_FOR_ONE
            return Finding(kind, names=returns, got=len(value))
        return {returns[0]: value}
    if not isinstance(value, tuple | list):
        return Finding(Kind.ONE_FOR_SEVERAL, names=returns)
    if len(value) != len(returns):
        return Finding(Kind.ANOTHER_COUNT, names=returns, got=len(value))
    return dict(zip(returns, value, strict=True))


def _member(part: Any, leaf: Leaf) -> Any:
    if not leaf.key:
        return part
    if not isinstance(part, dict):
        raise StructureError(Finding(Kind.NO_DICT, leaf))
    if leaf.key not in part:
        keys = tuple(key[:MOST_KEY_LETTERS] for key in list(part)[:MOST_KEYS])
        raise StructureError(Finding(Kind.NO_KEY, leaf, got=keys))
    return part[leaf.key]


def _as_array(value: Any, leaf: Leaf) -> np.ndarray:
    if value is None:
        raise StructureError(Finding(Kind.NONE_FOR_ARRAY, leaf))
    if isinstance(value, Opaque):
        raise StructureError(Finding(Kind.NO_ARRAY, leaf, got=value.type_name[:MOST_TYPE_LETTERS]))
    if isinstance(value, dict):
        raise StructureError(Finding(Kind.DICT_FOR_ARRAY, leaf))
    if isinstance(value, tuple | list):
        return _stack(value, leaf)
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise StructureError(Finding(Kind.NO_NUMBERS, leaf, got=str(array.dtype)))
    return array


def _stack(values: tuple | list, leaf: Leaf) -> np.ndarray:
    """A list of arrays of one shape is as good as the array."""
    if not values:
        raise StructureError(Finding(Kind.EMPTY_LIST, leaf))
    arrays = [_as_array(value, leaf) for value in values]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1 and isinstance(values, tuple) and not leaf.key:
        raise StructureError(Finding(Kind.SEVERAL_FOR_ONE, leaf, names=(leaf.output,), got=len(values)))
    if len(shapes) > 1:
        raise StructureError(Finding(Kind.UNLIKE_SHAPES, leaf, got=tuple(sorted(shapes)[:MOST_SHAPES])))
    return np.stack(arrays)
