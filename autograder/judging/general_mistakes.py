"""Mistakes that any two arrays tell: transposed, wrong sign, an average for a sum, single precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from autograder.answers.compare import axis_words
from autograder.record import Diagnosis
from autograder.sheets.sheet import Answer, Case, Sheet

Pairs = list[tuple[np.ndarray, np.ndarray]]


def general_mistake(sheet: Sheet, answers: Sequence[Answer], wrong: dict[str, list[int]]) -> Diagnosis | None:
    """A mistake that any two arrays tell, the same one in all wrong leaves and cases."""
    pairs = [
        (answers[i].leaves[name], sheet.cases[i].expected[name])
        for name, cases in wrong.items()
        for i in cases
    ]
    sizes = [_sizes(sheet.cases[i], dict(sheet.spec.axes)) for cases in wrong.values() for i in cases]
    for test in (_single_precision, _integers, _zeros, _transposed, _wrong_sign):
        found = test(pairs)
        if found:
            return found
    return _factor(pairs, sizes)


def _everywhere(pairs: Pairs, holds: Callable[[np.ndarray, np.ndarray], bool]) -> bool:
    return all(holds(got.astype(np.float64), expected) for got, expected in pairs)


def _single_precision(pairs: Pairs) -> Diagnosis | None:
    if not all(got.dtype in (np.float32, np.float16) for got, _ in pairs):
        return None
    near = all(
        got.shape == expected.shape
        and np.abs(got - expected).max(initial=0) < 2e-2 * max(np.abs(expected).max(initial=0), 1e-3)
        for got, expected in pairs
    )
    if not near:
        return None
    return Diagnosis(
        "float32 results",
        "The inputs are float64; somewhere an array is made with another dtype.",
    )


def _integers(pairs: Pairs) -> Diagnosis | None:
    def truncated(got: np.ndarray, expected: np.ndarray) -> bool:
        return got.shape == expected.shape and bool((np.abs(got - expected) <= 1).all())

    whole = all(got.dtype.kind in "iub" for got, _ in pairs)
    if whole and _everywhere(pairs, truncated):
        return Diagnosis(
            "integer results",
            "An array of integers cuts off the fractions; make it an array of floats.",
        )
    return None


def _zeros(pairs: Pairs) -> Diagnosis | None:
    if _everywhere(pairs, lambda got, expected: got.shape == expected.shape and not got.any()):
        return Diagnosis("only zeros", "Nothing was written into the array that is returned.")
    return None


def _close(got: np.ndarray, wanted: np.ndarray) -> bool:
    return got.shape == wanted.shape and bool(np.allclose(got, wanted, rtol=1e-6, atol=1e-9))


def _transposed(pairs: Pairs) -> Diagnosis | None:
    def swapped(got: np.ndarray, expected: np.ndarray) -> bool:
        return expected.ndim >= 2 and _close(got, np.swapaxes(expected, -1, -2))

    if _everywhere(pairs, swapped):
        return Diagnosis("transposed", "The numbers are right, rows and columns are exchanged.")
    return None


def _wrong_sign(pairs: Pairs) -> Diagnosis | None:
    if _everywhere(pairs, lambda got, expected: _close(got, -expected)):
        return Diagnosis("wrong sign", "The numbers are right but for their sign.")
    return None


COUNTED = {
    "time step": "T (the number of time steps)",
    "position": "T (the number of time steps)",
    "sequence": "N (the number of sequences)",
}


def _sizes(case: Case, axes: dict[str, tuple[str, ...]]) -> dict[str, int]:
    """Sizes that a wrong average could have divided by, by the words for a case's axes."""
    found = {}
    for name, value in (case.inputs | case.expected).items():
        if isinstance(value, np.ndarray) and (value.ndim > 1 or name in axes):
            for word, size in zip(axis_words(name, value.ndim, axes), value.shape, strict=True):
                if word in COUNTED:
                    found[COUNTED[word]] = size
    return found


def _factor(pairs: Pairs, sizes: list[dict[str, int]]) -> Diagnosis | None:
    """One factor for all entries: an average for a sum, a sum for an average, or a constant."""
    ratios = []
    for got, expected in pairs:
        if got.shape != expected.shape or not expected.any() or not np.isfinite(got).all():
            return None
        ratio = float((got * expected).sum() / (expected * expected).sum())
        if not _close(got, ratio * expected) or ratio == 0:
            return None
        ratios.append(ratio)
    for word in sizes[0]:
        if all(word in s and s[word] > 1 for s in sizes):
            if np.allclose(ratios, [1 / s[word] for s in sizes], rtol=1e-6):
                return Diagnosis(
                    "average where a sum is asked", f"Your numbers are too small by exactly {word}."
                )
            if np.allclose(ratios, [s[word] for s in sizes], rtol=1e-6):
                return Diagnosis(
                    "sum where an average is asked", f"Your numbers are too large by exactly {word}."
                )
    if np.allclose(ratios, ratios[0], rtol=1e-6) and abs(ratios[0]) < 1e6:
        return Diagnosis(
            f"a constant factor of {ratios[0]:.4g}",
            "Everything is right but for one factor, the same for all entries.",
        )
    return None
