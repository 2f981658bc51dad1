"""Arrays against expected arrays: what is wrong first, where, and what is right about it.

Knows tensors, time steps, units and sequences; nothing of exercises' points or misconceptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, prod

import numpy as np

from autograder.answers.finding import Finding, Kind
from autograder.answers.leaf import Leaf

WEIGHT_WORDS = ("row", "column")
# How libraries' names of weights begin: `parameters["weight_ih_l0"]`.
LIBRARIES_WEIGHTS = ("weight", "bias", "kernel", "recurrent_kernel")
# However small what is expected is, the absolute tolerance is that of numbers of this size.
LEAST_SCALE = 1e-3
# Above it, that parts agree may be chance.
LARGEST_CHANCE = 0.01
STATE_WORDS = ("unit", "sequence")
INPUT_WORDS = ("input", "sequence")
STEPS = ("time step", "position", "stop")
# How an axis is called, by its number, that no word is known for.
NAMELESS = "axis"
# T steps have T + 1 stops, the one before the first among them: it is stop 0. Characters are known by their
# codes, and the streams of a text by their places: the first is 0.
FROM_ZERO = ("stop", "character", "stream", "window")


def axis_words(leaf: Leaf, ndim: int, axes: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """One word for each axis of a leaf.

    Args:
        leaf: the array, `gates["f"]`; words declared for `gates` hold for its members.
        ndim: number of axes.
        axes: declared words; those for `inputs` hold for members of another number of axes, too, in so far
            as these hold weights and no states.
    """
    name = leaf.output
    declared = axes.get(str(leaf)) or axes.get(name)
    if declared and len(declared) == ndim:
        return tuple(declared)
    weights = name.startswith(("dW", "W")) or leaf.key.startswith(LIBRARIES_WEIGHTS) or bool(declared)
    words = WEIGHT_WORDS if weights else (INPUT_WORDS if name.startswith(("x", "dx")) else STATE_WORDS)
    return {
        0: (),
        1: ("entry",),
        2: words,
        3: ("time step", *words),
    }.get(ndim, tuple(f"{NAMELESS} {i}" for i in range(ndim)))


def plural(word: str) -> str:
    """Several of what an axis counts: "classes", "entries"."""
    if word.endswith("y"):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x")) else "s")


def tolerance(expected: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    """The largest allowed difference for each entry; `atol` is in units of the largest entry."""
    scale = max(_largest(expected), LEAST_SCALE)
    return rtol * np.abs(np.where(np.isfinite(expected), expected, 0.0)) + atol * scale


def _largest(expected: np.ndarray) -> float:
    return float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0))


def is_too_small(expected: np.ndarray, rtol: float, atol: float) -> bool:
    """Whether numbers are so small, and not zero, that the absolute tolerance alone says what agrees."""
    largest = _largest(expected)
    return 0 < rtol * largest < atol * LEAST_SCALE


def agrees(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    """Entry by entry, whether two arrays of one shape agree."""
    with np.errstate(invalid="ignore", over="ignore"):
        close = np.abs(got.astype(np.float64) - expected) <= tolerance(expected, rtol, atol)
    return close | (got == expected)


def compare(
    leaf: Leaf,
    got: np.ndarray,
    expected: np.ndarray,
    words: tuple[str, ...],
    rtol: float,
    atol: float,
) -> Finding | None:
    """Compare one leaf with what was expected.

    Args:
        leaf: which array it is.
        got: the student's array.
        expected: the reference's array.
        words: one word for each axis of `expected`.
        rtol: relative tolerance.
        atol: absolute tolerance in units of the largest expected entry.

    Returns:
        What is wrong first, or None where it agrees.
    """
    if got.shape != expected.shape:
        kind = _shape_trouble(got.shape, expected.shape, words)
        axis = words[0] if words else ""
        if kind is Kind.SHAPE and got.ndim == expected.ndim:
            other = [w for w, a, b in zip(words, got.shape, expected.shape, strict=True) if a != b]
            axis = other[0] if len(other) == 1 else ""
        return Finding(kind, leaf, got=got.shape, asked=expected.shape, axis=axis)
    right = agrees(got, expected, rtol, atol)
    if right.all():
        return None
    first = tuple(int(i) for i in np.argwhere(~right)[0])
    number = float(got[first])
    axis, block = _right_block(right, expected, words)
    return Finding(
        Kind.VALUE if isfinite(number) else Kind.NOT_FINITE,
        leaf,
        got=number,
        asked=float(expected[first]),
        place=tuple(zip(words, first, expected.shape, strict=True)),
        wrong=int((~right).sum()),
        axis=axis,
        right=block,
    )


def _shape_trouble(got: tuple[int, ...], expected: tuple[int, ...], words: tuple[str, ...]) -> Kind:
    """What may have happened to a shape."""
    steps = bool(words) and words[0] in STEPS
    if got == expected[::-1] and len(got) > 1:
        return Kind.TRANSPOSED
    if tuple(n for n in got if n != 1) == tuple(n for n in expected if n != 1):
        return Kind.AXIS_LOST if len(got) < len(expected) else Kind.AXIS_ADDED
    if not expected:
        return Kind.ARRAY_FOR_NUMBER
    if prod(got) == prod(expected):
        return _same_number(got, expected)
    if steps and got[:1] == (1,) and got[1:] == expected[1:]:
        return Kind.ONE_STEP
    if got == expected[1:] and steps:
        return Kind.ALL_STEPS_LOST
    if got == expected[1:] != expected[:-1]:
        return Kind.FIRST_AXIS_LOST
    if got == expected[:-1]:
        return Kind.AXIS_MISSING
    if got and len(got) == len(expected) and got[1:] == expected[1:] and abs(got[0] - expected[0]) == 1:
        if got[0] > expected[0]:
            return Kind.STEP_TOO_MANY if steps else Kind.ENTRY_TOO_MANY
        return Kind.STEP_TOO_FEW if steps else Kind.ENTRY_TOO_FEW
    return Kind.SHAPE


def _same_number(got: tuple[int, ...], expected: tuple[int, ...]) -> Kind:
    """What may have happened to a shape that holds as many numbers."""
    if len(got) != len(expected):
        return Kind.AXES_MERGED
    if sorted(got) == sorted(expected):
        return Kind.AXES_REORDERED
    # No transposition makes one of the other. One axis so many times as long, and another so many times
    # shorter: parts were joined along the wrong one.
    changed = [(a, b) for a, b in zip(got, expected, strict=True) if a != b]
    joined = len(changed) == 2 and any(a > b and a % b == 0 for a, b in changed)
    return Kind.PARTS_JOINED if joined else Kind.OTHER_SIZES


def _chance(expected: np.ndarray) -> float:
    """How likely a guess is one of these numbers: whole ones, of which there are few, are met by chance."""
    with np.errstate(invalid="ignore"):
        is_whole = bool((expected == np.round(expected)).all())
    return 1 / len(np.unique(expected)) if is_whole else 0.0


def _right_block(
    right: np.ndarray, expected: np.ndarray, words: tuple[str, ...]
) -> tuple[str, tuple[int, int, int] | None]:
    """The parts of a wrong array along one axis that are right, where they are a block at one end."""
    by_chance = _chance(expected)
    for axis, (word, size) in enumerate(zip(words, right.shape, strict=True)):
        if word not in (*STEPS, "sequence") or (word == "position" and size < 3):
            continue
        whole = np.asarray(right.all(axis=tuple(a for a in range(right.ndim) if a != axis)))
        count = int(whole.sum())
        if by_chance ** (count * right.size / size) > LARGEST_CHANCE:
            continue  # right as anything may be, and nothing is to be learnt from it
        if 0 < count < size and whole[-count:].all():
            return word, (size - count, size, size)
        if 0 < count < size and whole[:count].all():
            return word, (0, count, size)
    return "", None
