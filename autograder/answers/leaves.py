"""What a function returns, taken apart into named arrays: `s_t`, `gates["f"]`, `dW["ss"]`.

Tells in words where the structure is not the one asked for. Knows nothing of right or wrong numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.answers.outcome import Opaque

Leaves = dict[str, np.ndarray]


class StructureError(Exception):
    """A returned value has not the structure that was asked for; the message says how, in words."""


def reference_leaves(value: Any, returns: tuple[str, ...]) -> Leaves:
    """Take apart what a reference (or a mutant) returned.

    Args:
        value: a tuple with as many parts as `returns` has names, or the value itself for one name.
        returns: the names of the parts.
    """
    parts = value if len(returns) > 1 else (value,)
    if not isinstance(parts, tuple | list) or len(parts) != len(returns):
        raise StructureError(f"{len(returns)} values are asked for: {', '.join(returns)}")
    leaves: Leaves = {}
    for name, part in zip(returns, parts, strict=True):
        if isinstance(part, dict):
            for key, member in part.items():
                leaves[f'{name}["{key}"]'] = _as_array(member, f'{name}["{key}"]')
        else:
            leaves[name] = _as_array(part, name)
    return leaves


def student_leaves(value: Any, returns: tuple[str, ...], expected: Leaves) -> tuple[Leaves, dict[str, str]]:
    """Take apart what a student's function returned, as far as it has the structure asked for.

    Args:
        value: the returned value, as `Outcome` holds it.
        returns: the names asked for.
        expected: the reference's leaves; their names say which parts are dicts.

    Returns:
        The leaves that could be read, and for every other expected leaf what is wrong, in words.
    """
    parts, trouble = _parts(value, returns)
    leaves: Leaves = {}
    problems: dict[str, str] = {}
    for name in returns:
        members = [leaf for leaf in expected if leaf == name or leaf.startswith(f'{name}["')]
        if trouble:
            problems.update(dict.fromkeys(members, trouble))
            continue
        for leaf in members:
            try:
                leaves[leaf] = _as_array(_member(parts[name], name, leaf), leaf)
            except StructureError as error:
                problems[leaf] = str(error)
    return leaves, problems


def _parts(value: Any, returns: tuple[str, ...]) -> tuple[dict[str, Any], str]:
    """The returned parts by name, or what is wrong with all of them."""
    asked = ", ".join(f"`{name}`" for name in returns)
    if value is None:
        return {}, f"your function returns nothing (`None`); {asked} should be returned"
    if len(returns) == 1:
        if isinstance(value, tuple) and len(value) == 1:
            return {}, f"a tuple is returned; return {asked} alone (is there a comma behind it?)"
        if isinstance(value, tuple):
            return {}, f"{len(value)} values are returned; only {asked} is asked for"
        return {returns[0]: value}, ""
    if not isinstance(value, tuple | list):
        return {}, f"one value is returned; {len(returns)} are asked for: {asked}, in this order"
    if len(value) != len(returns):
        return {}, f"{len(value)} values are returned; {len(returns)} are asked for: {asked}"
    return dict(zip(returns, value, strict=True)), ""


def _member(part: Any, name: str, leaf: str) -> Any:
    if leaf == name:
        if isinstance(part, dict):
            raise StructureError(f"`{name}` is a dict; an array is asked for")
        return part
    key = leaf[len(name) + 2 : -2]
    if not isinstance(part, dict):
        raise StructureError(f'`{name}` should be a dict with the key "{key}"')
    if key not in part:
        found = ", ".join(f'"{k[:20]}"' for k in list(part)[:6]) or "none"
        raise StructureError(f'`{name}` has no key "{key}" (its keys: {found})')
    return part[key]


def _as_array(value: Any, name: str) -> np.ndarray:
    if value is None:
        raise StructureError(f"`{name}` is `None`; an array is asked for")
    if isinstance(value, Opaque):
        raise StructureError(f"`{name}` is a `{value.type_name[:40]}`, not an array of numbers")
    if isinstance(value, dict):
        raise StructureError(f"`{name}` is a dict; an array is asked for")
    if isinstance(value, tuple | list):
        return _stack(value, name)
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise StructureError(f"`{name}` holds `{array.dtype}` values, not numbers")
    return array


def _stack(values: tuple | list, name: str) -> np.ndarray:
    """A list of arrays of one shape is as good as the array."""
    if not values:
        raise StructureError(f"`{name}` is an empty list")
    arrays = [_as_array(value, name) for value in values]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        found = ", ".join(str(shape) for shape in sorted(shapes)[:3])
        raise StructureError(f"`{name}` is a list of arrays of different shapes: {found}")
    return np.stack(arrays)
