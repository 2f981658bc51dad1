"""Arrays against expected arrays: a verdict, located, in words.

Knows tensors, time steps, units and sequences; nothing of exercises' points or misconceptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

WEIGHT_WORDS = ("row", "column")
# However small what is expected is, the absolute tolerance is that of numbers of this size.
LEAST_SCALE = 1e-3
STATE_WORDS = ("unit", "sequence")
INPUT_WORDS = ("input", "sequence")


@dataclass(frozen=True)
class Verdict:
    """How one leaf compares with what was expected.

    Args:
        ok: whether it agrees.
        message: where it is wrong first, with the expected and the given number; or "".
        pattern: what is right about it ("only the last time step is right"), or "".
        kind: "right", "shape", "number" (NaN or infinity), "value" or "missing".
    """

    ok: bool
    message: str = ""
    pattern: str = ""
    kind: str = "right"


def axis_words(name: str, ndim: int, axes: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """One word for each axis of a leaf.

    Args:
        name: the leaf, `gates["f"]`; words declared for `gates` hold for its members.
        ndim: number of axes.
        axes: declared words.
    """
    declared = axes.get(name) or axes.get(name.partition("[")[0])
    if declared and len(declared) == ndim:
        return tuple(declared)
    weights = name.startswith(("dW", "W"))
    words = WEIGHT_WORDS if weights else (INPUT_WORDS if name.startswith(("x", "dx")) else STATE_WORDS)
    return {
        0: (),
        1: ("entry",),
        2: words,
        3: ("time step", *words),
    }.get(ndim, tuple(f"axis {i}" for i in range(ndim)))


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
    name: str,
    got: np.ndarray,
    expected: np.ndarray,
    words: tuple[str, ...],
    rtol: float,
    atol: float,
) -> Verdict:
    """Compare one leaf with what was expected.

    Args:
        name: the leaf's name, for the message.
        got: the student's array.
        expected: the reference's array.
        words: one word for each axis of `expected`.
        rtol: relative tolerance.
        atol: absolute tolerance in units of the largest expected entry.
    """
    if got.shape != expected.shape:
        return Verdict(False, _shape_message(name, got.shape, expected.shape, words), kind="shape")
    right = agrees(got, expected, rtol, atol)
    if right.all():
        return Verdict(True)
    first = tuple(int(i) for i in np.argwhere(~right)[0])
    count = int((~right).sum())
    share = "" if expected.size == 1 else f" ({count} of {expected.size} entries are wrong)"
    message = (
        f"`{name}` is wrong first at {place(first, words, expected.shape)}: "
        f"expected {_number(expected[first])}, got {_number(got[first])}{share}"
    )
    kind = "value" if np.isfinite(got[~right]).all() else "number"
    return Verdict(False, message, _pattern(right, words), kind)


def place(index: tuple[int, ...], words: tuple[str, ...], shape: tuple[int, ...]) -> str:
    """An index in words: "time step 3 of 5, unit 0, sequence 1 (index [2, 0, 1])"."""
    if not index:
        return "its one number"
    parts = []
    for i, word, size in zip(index, words, shape, strict=True):
        parts.append(f"{word} {i + 1} of {size}")
    return f"{', '.join(parts)} (index [{', '.join(map(str, index))}])"


def _number(value: np.generic) -> str:
    number = float(value)
    if not np.isfinite(number):
        return {"nan": "nan (not a number)"}.get(str(number), str(number))
    return f"{number:.6g}"


def _shape_message(name: str, got: tuple[int, ...], expected: tuple[int, ...], words: tuple[str, ...]) -> str:
    asked = f"{expected} is asked for" if expected else "one number, of shape (), is asked for"
    return f"`{name}` has the shape {got}; {asked}{_shape_trouble(got, expected, words)}"


def _shape_trouble(got: tuple[int, ...], expected: tuple[int, ...], words: tuple[str, ...]) -> str:
    """What may have happened to a shape, in words that go on behind a semicolon or a colon; or ""."""
    steps = bool(words) and words[0] in ("time step", "position")
    if got == expected[::-1] and len(got) > 1:
        return ": it is transposed"
    if tuple(n for n in got if n != 1) == tuple(n for n in expected if n != 1):
        if len(got) < len(expected):
            return ": an axis of size 1 was lost (`squeeze`, or an index where a slice belongs)"
        return ": there is an axis of size 1 too many (`keepdims`, or a slice for an index)"
    if prod(got) == prod(expected):
        if len(got) != len(expected):
            return ": as many numbers, but the axes are merged or split"
        return ": as many numbers, in another order"
    if steps and got[:1] == (1,) and got[1:] == expected[1:]:
        return ": only one part along the first axis; does `return` stand inside the loop?"
    if got == expected[1:]:
        if steps:
            return ": one part along the first axis is missing; was it summed, or only one part returned?"
        return ": its first axis is missing; was it summed over, or only one part returned?"
    if got and len(got) == len(expected) and got[1:] == expected[1:] and abs(got[0] - expected[0]) == 1:
        many = "many" if got[0] > expected[0] else "few"
        return f": one {words[0]} too {many}" if steps else f": one too {many} along the first axis"
    return ""


def _pattern(right: np.ndarray, words: tuple[str, ...]) -> str:
    """What is right of a wrong array, where it can be said along one axis."""
    for axis, word in enumerate(words):
        size = right.shape[axis]
        others = tuple(a for a in range(right.ndim) if a != axis)
        whole = np.asarray(right.all(axis=others)) if others else right
        count = int(whole.sum())
        if size < 3 and not (size == 2 and count == 1 and word in ("time step", "sequence")):
            continue
        if word not in ("time step", "sequence", "position"):
            continue
        if count == 1 and whole[-1]:
            return f"only the last {word} is right"
        if count == 1 and whole[0]:
            return f"only the first {word} is right"
        if count == size - 1 and not whole[0]:
            return f"every {word} but the first is right"
        if count == size - 1 and not whole[-1]:
            return f"every {word} but the last is right"
        if 1 < count < size and whole[:count].all():
            return f"{word}s 1 to {count} are right, the later ones are not"
        if 1 < count < size and whole[size - count :].all():
            return f"{word}s {size - count + 1} to {size} are right, the earlier ones are not"
    return ""
