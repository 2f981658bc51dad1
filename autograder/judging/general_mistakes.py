"""Mistakes that any two arrays tell: transposed, wrong sign, an average for a sum, rounded, single precision.

Each name says only what the numbers show; what may have led to it is asked in the hint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations
from math import log10

import numpy as np

from autograder.answers.compare import NAMELESS, STEPS, axis_words, plural
from autograder.answers.leaf import Leaf
from autograder.course.exercise import Exercise
from autograder.record import Diagnosis
from autograder.sheets.sheet import Answer, Case, Sheet

Pairs = list[tuple[np.ndarray, np.ndarray]]

# Numbers nearer to the right ones than this are called right to some digits, and no factor is told of them.
NEAR = 1e-3
# So near no slip in a formula comes, but by chance.
VERY_NEAR = 1e-5
# In how many places the same number is no chance.
FEWEST_ALIKE = 6
# In how many places one bound in the place of different numbers is none.
FEWEST_CUT = 3
# How many steps there must be to tell what was done to them.
FEWEST_STEPS = 3
# How far a number moves where it is kept in single precision.
SINGLE = 2.0**-23
# In units of the largest number that should be there: what is left where all terms cancel.
NOTHING = 1e-13
MOST_DECIMALS = 9
BY_A_SIZE = ("too small by", "too large by")
# Below it there is no number to divide by.
SMALLEST = 5e-324


def general_mistake(
    sheet: Sheet, answers: Sequence[Answer], wrong: dict[Leaf, list[int]]
) -> Diagnosis | None:
    """A mistake that any two arrays tell, the same one in all wrong leaves and cases."""
    pairs = _pairs(sheet, answers, wrong)
    read = [len(answers[i].leaves) for i, case in enumerate(sheet.cases) if not case.is_edge]
    if min(read) < len(sheet.cases[0].expected):
        return None  # what holds in one case only, and is not known of the other, is no rule
    sizes = [_sizes(sheet.cases[i], sheet.spec.axes) for cases in wrong.values() for i in cases]
    # What is right in one case and not in another is off by no factor, and does not consist of zeros only.
    always = all(len(cases) == len(read) for cases in wrong.values())
    for test in (
        _single_precision,
        _integers,
        _zeros if always else _zeros_in_some_cases,
        _one_number,
        _rounded_zeros,
        _rounded,
        _transposed,
        _reshaped,
        _wrong_sign,
        _some_zeros,
        _cut_off,
    ):
        found = test(pairs)
        if found:
            return found
    found = _factor(pairs, sizes) or _added(pairs)
    return found if found and (always or found.name.startswith(BY_A_SIZE)) else None


def nearly_right(
    sheet: Sheet, answers: Sequence[Answer], wrong: dict[Leaf, list[int]], near: float = NEAR
) -> Diagnosis | None:
    """Numbers that are right to some digits only: said where no mistake gives just these."""
    errors = []
    for got, expected in _pairs(sheet, answers, wrong):
        if got.shape != expected.shape or not np.isfinite(got).all() or not np.isfinite(expected).all():
            return None
        size = np.abs(expected)
        # Where small answers must keep their digits, each entry is measured by itself.
        scale = size.max(initial=0.0) if sheet.spec.atol else size
        error = np.abs(got.astype(np.float64) - expected) / np.maximum(scale, SMALLEST)
        errors.append(float(error.max(initial=0.0)))
    if not errors or not 0 < max(errors) <= near:
        return None
    digits = round(-log10(max(errors)))
    causes = "A small number for safety (added, left out, or elsewhere), rounding, single precision"
    slope = any(word in sheet.name for word in ("grad", "jacobian")) or sheet.spec.rtol < Exercise.rtol
    if sheet.forward or slope:
        causes += ", a slope taken by differences"
    causes += ", steps towards a solution that end too soon"
    hint = f"{causes}: which of them may it be? What is asked for is exact."
    return Diagnosis(f"right to about {digits} digits only", hint)


def turned_factor(sheet: Sheet, answers: Sequence[Answer], wrong: dict[Leaf, list[int]]) -> Diagnosis | None:
    """Off by a size and of the wrong sign: said where no two named mistakes give just this."""
    pairs = [(-got.astype(np.float64), expected) for got, expected in _pairs(sheet, answers, wrong)]
    sizes = [_sizes(sheet.cases[i], sheet.spec.axes) for cases in wrong.values() for i in cases]
    found = _factor(pairs, sizes)
    if not found or not found.name.startswith(BY_A_SIZE):
        return None
    return Diagnosis(f"{found.name}, and of the wrong sign", found.hint)


def no_distribution(
    sheet: Sheet, answers: Sequence[Answer], wrong: dict[Leaf, list[int]]
) -> Diagnosis | None:
    """Sums that are not 1 where those of the right numbers are: said where no mistake gives just these."""
    for leaf, cases in wrong.items():
        pairs = [(answers[i].leaves[leaf], sheet.cases[i].expected[leaf]) for i in cases]
        if not _everywhere(
            pairs, lambda got, expected: got.shape == expected.shape and bool(np.isfinite(got).all())
        ):
            continue
        words = axis_words(leaf, pairs[0][1].ndim, sheet.spec.axes)
        for axis, word in enumerate(words):
            if not _everywhere(pairs, lambda _, expected, axis=axis: _sum_to_1(expected, axis)):
                continue
            if any(_sum_to_1(got, axis) for got, _ in pairs):
                continue
            name = f"`{leaf}` does not sum to 1 over the {plural(word)}"
            hint = "By which sum is it divided at the end, and over which axis is that taken?"
            for other, counted in enumerate(words):
                if other != axis and _everywhere(pairs, lambda got, _, axis=other: _sum_to_1(got, axis)):
                    hint = f"Yours sums to 1 over the {plural(counted)}: which axis is the sum to take away?"
            return Diagnosis(name, hint)
    return None


def shifted(sheet: Sheet, answers: Sequence[Answer], wrong: dict[Leaf, list[int]]) -> Diagnosis | None:
    """All steps there, each in the place of its neighbour: said where no mistake gives just these."""
    pairs = _pairs(sheet, answers, wrong)
    ranks = {(leaf, sheet.cases[i].expected[leaf].ndim) for leaf, cases in wrong.items() for i in cases}
    counted = {axis_words(leaf, rank, sheet.spec.axes)[:1] for leaf, rank in ranks}
    step = next(iter(counted), ()) if len(counted) == 1 else ()
    if not step or step[0] not in STEPS:
        return None
    if any(got.shape != expected.shape or len(expected) < FEWEST_STEPS for got, expected in pairs):
        return None
    for neighbour, mine, theirs in (
        ("before", slice(1, None), slice(None, -1)),
        ("after", slice(None, -1), slice(1, None)),
    ):
        if all(_close(got[mine], expected[theirs]) for got, expected in pairs):
            hint = (
                "What stands at index 0, by the docstring: what is there before the first step, or after it? "
                "Follow your first round, and your last: what is stored, and in which place?"
            )
            return Diagnosis(f"at each {step[0]} stands what belongs to the one {neighbour} it", hint)
    return None


def _sum_to_1(array: np.ndarray, axis: int) -> bool:
    return bool((array >= 0).all()) and np.allclose(array.sum(axis=axis), 1)


def _pairs(sheet: Sheet, answers: Sequence[Answer], wrong: dict[Leaf, list[int]]) -> Pairs:
    return [
        (answers[i].leaves[leaf], sheet.cases[i].expected[leaf])
        for leaf, cases in wrong.items()
        for i in cases
    ]


def _everywhere(pairs: Pairs, holds: Callable[[np.ndarray, np.ndarray], bool]) -> bool:
    return all(holds(got.astype(np.float64), expected) for got, expected in pairs)


def _single_precision(pairs: Pairs) -> Diagnosis | None:
    """Results kept as float32, or numbers that have been float32 on the way: both are told by their bits."""

    def near(got: np.ndarray, expected: np.ndarray, share: float) -> bool:
        scale = max(np.abs(expected).max(initial=0), 1e-3)
        return got.shape == expected.shape and bool(np.abs(got - expected).max(initial=0) < share * scale)

    hint = "The inputs are float64; somewhere an array is made with another dtype."
    if all(got.dtype in (np.float32, np.float16) for got, _ in pairs):
        if _everywhere(pairs, lambda got, expected: near(got, expected, 2e-2)):
            return Diagnosis("float32 results", hint)
        return None

    def has_been_single(got: np.ndarray, expected: np.ndarray) -> bool:
        with np.errstate(over="ignore"):
            short = got.astype(np.float32).astype(np.float64)
        return near(got, expected, 100 * SINGLE) and np.array_equal(got, short)

    if _everywhere(pairs, has_been_single):
        return Diagnosis("single precision (float32) on the way", hint)
    return None


def _integers(pairs: Pairs) -> Diagnosis | None:
    def truncated(got: np.ndarray, expected: np.ndarray) -> bool:
        return got.shape == expected.shape and bool((np.abs(got - expected) <= 1).all())

    # Where whole numbers are asked for, no fraction was cut off.
    asked_whole = all((expected == np.round(expected)).all() for _, expected in pairs)
    if not asked_whole and all(got.dtype.kind == "b" for got, _ in pairs):
        return Diagnosis(
            "truth values where numbers belong",
            "A comparison gives True or False. Is it returned in the place of what was compared?",
        )
    whole = all(got.dtype.kind in "iu" for got, _ in pairs)
    if whole and not asked_whole and _everywhere(pairs, truncated):
        return Diagnosis(
            "integer results",
            "An array of integers cuts off the fractions; make it an array of floats.",
        )
    return None


def _zeros(pairs: Pairs) -> Diagnosis | None:
    if _everywhere(pairs, lambda got, expected: got.shape == expected.shape and not got.any()):
        return Diagnosis(
            "only zeros",
            "Print what you compute on the way: is it 0 already, or does it never reach the array that is "
            "returned? An array of integers cuts 0.3 to 0, and a product or a sum that starts from zeros may "
            "stay there.",
        )
    return None


def _zeros_in_some_cases(pairs: Pairs) -> Diagnosis | None:
    """Zeros with some arguments, and the right numbers with others."""
    if _zeros(pairs):
        return Diagnosis(
            "only zeros with some arguments, and right with others",
            "Which condition of yours, or which factor, is another one there? What is to come out then?",
        )
    return None


def _one_number(pairs: Pairs) -> Diagnosis | None:
    """One number in all places where different ones belong: too little to tell a slip by."""

    def holds(got: np.ndarray, expected: np.ndarray) -> bool:
        same = got.shape == expected.shape and got.size > 1 and bool((got == got.flat[0]).all())
        return same and np.isfinite(got.flat[0]) and bool((expected != expected.flat[0]).any())

    if sum(got.size for got, _ in pairs) >= FEWEST_ALIKE and _everywhere(pairs, holds):
        hint = (
            "Is each place written over until the last round? Or does a condition of yours hold always, or "
            "never?"
        )
        return Diagnosis("the same number everywhere", hint)
    return None


def _rounded_zeros(pairs: Pairs) -> Diagnosis | None:
    """Sums that cancel: of what should be there only rounding is left."""

    def holds(got: np.ndarray, expected: np.ndarray) -> bool:
        largest = np.abs(expected).max(initial=0.0)
        return got.shape == expected.shape and bool((np.abs(got) <= NOTHING * largest).all())

    if _everywhere(pairs, holds):
        return Diagnosis(
            "zero everywhere, but for rounding",
            "Terms of a sum cancel one another: of which of your sums can you say beforehand that it is 0?",
        )
    return None


def _some_zeros(pairs: Pairs) -> Diagnosis | None:
    """All that is wrong is 0, and all else is right."""

    def holds(got: np.ndarray, expected: np.ndarray) -> bool:
        if got.shape != expected.shape or not np.isfinite(got).all():
            return False
        zero = (got == 0) & (expected != 0)
        return bool(zero.any() and (zero | np.isclose(got, expected, rtol=1e-8, atol=1e-12)).all())

    if _everywhere(pairs, holds):
        hint = (
            "Does your loop reach these entries, is what it computes stored there, and is it 0 already when "
            "it is computed?"
        )
        if all(got.any() for got, _ in pairs):  # of an array of zeros alone nothing is right
            hint = f"The other entries there are right. {hint}"
        if _everywhere(pairs, lambda got, expected: bool((expected[got == 0] <= 0).all())):
            hint += " All of them are to be below 0: are such numbers cut off?"
        return Diagnosis("some entries are 0 that should not be", hint)
    return None


def _cut_off(pairs: Pairs) -> Diagnosis | None:
    """The right numbers, but that none lies beyond a bound: where that stands in several places."""
    if not all(got.size and np.isfinite(got).all() for got, _ in pairs):
        return None
    low, high = min(got.min() for got, _ in pairs), max(got.max() for got, _ in pairs)

    def holds(got: np.ndarray, expected: np.ndarray) -> bool:
        return got.shape == expected.shape and bool(
            np.allclose(got, np.clip(expected, low, high), rtol=1e-8, atol=1e-12)
        )

    if not _everywhere(pairs, holds):
        return None
    bounds = []
    for bound, beyond in ((low, np.less), (high, np.greater)):
        cut = sum(np.count_nonzero((got == bound) & beyond(expected, bound)) for got, expected in pairs)
        bounds += [f"{bound:.4g}"] if cut >= FEWEST_CUT else []
    if not bounds:
        return None
    hint = "All else is right. Which of your lines lets no number be larger than some limit, or none smaller?"
    return Diagnosis(f"numbers are cut off at {' and '.join(bounds)}", hint)


def _rounded(pairs: Pairs) -> Diagnosis | None:
    """The right numbers, rounded to some decimals: at least some of them must have as many."""
    for decimals in range(MOST_DECIMALS + 1):

        def is_rounded(got: np.ndarray, expected: np.ndarray, decimals: int = decimals) -> bool:
            return got.shape == expected.shape and bool(
                np.isfinite(expected).all()
                and np.allclose(got, np.round(expected, decimals), rtol=1e-13, atol=1e-13)
            )

        if any(got.any() for got, _ in pairs) and _everywhere(pairs, is_rounded):
            places = {0: "whole numbers", 1: "one decimal"}.get(decimals, f"{decimals} decimals")
            hint = "The numbers are right but for that: round when you print, not what you return."
            return Diagnosis(f"rounded to {places}", hint)
    return None


def _close(got: np.ndarray, wanted: np.ndarray) -> bool:
    return got.shape == wanted.shape and bool(np.allclose(got, wanted, rtol=1e-6, atol=1e-9))


def _transposed(pairs: Pairs) -> Diagnosis | None:
    def swapped(got: np.ndarray, expected: np.ndarray) -> bool:
        return expected.ndim >= 2 and _close(got, np.swapaxes(expected, -1, -2))

    if _everywhere(pairs, swapped):
        return Diagnosis("transposed", "The numbers are right, rows and columns are exchanged.")
    return None


def _reshaped(pairs: Pairs) -> Diagnosis | None:
    """The right numbers in the order of other axes: cut anew where axes were to be exchanged."""
    for axes in list(permutations(range(pairs[0][1].ndim)))[1:]:  # the first is the order asked for

        def holds(got: np.ndarray, expected: np.ndarray, axes: tuple[int, ...] = axes) -> bool:
            if expected.ndim != len(axes):
                return False
            moved = expected.transpose(axes).reshape(expected.shape)
            return not _close(expected, moved) and _close(got, moved)

        if _everywhere(pairs, holds):
            hint = (
                "They follow one another as in an array whose axes are exchanged. `reshape` keeps their "
                "order and only cuts it anew; `.T` and `transpose` exchange axes."
            )
            return Diagnosis("the right numbers in other places", hint)
    return None


def _wrong_sign(pairs: Pairs) -> Diagnosis | None:
    if _everywhere(pairs, lambda got, expected: _close(got, -expected)):
        return Diagnosis("wrong sign", "The numbers are right but for their sign.")
    return None


def _sizes(case: Case, axes: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Sizes that something could have been divided by, by the words for a case's axes."""
    found = {}
    for leaf, value in ({Leaf(name): value for name, value in case.inputs.items()} | case.expected).items():
        if isinstance(value, np.ndarray) and (value.ndim > 1 or str(leaf) in axes):
            for word, size in zip(axis_words(leaf, value.ndim, axes), value.shape, strict=True):
                if not word.startswith(NAMELESS):
                    found[f"the number of {plural(word)}"] = size
    return found


def _factor(pairs: Pairs, sizes: list[dict[str, int]]) -> Diagnosis | None:
    """One factor for all entries: an average for a sum, a sum for an average, or a constant."""
    ratios = []
    for got, expected in pairs:
        if got.shape != expected.shape or not expected.any() or not np.isfinite(got).all():
            return None
        ratio = float((got * expected).sum() / (expected * expected).sum())
        if not _close(got, ratio * expected) or ratio == 0 or abs(ratio - 1) < NEAR:
            return None
        ratios.append(ratio)
    for word in sizes[0]:
        if all(word in s and s[word] > 1 for s in sizes):
            if np.allclose(ratios, [1 / s[word] for s in sizes], rtol=1e-6):
                hint = (
                    "Is an average taken where a sum is asked, or something divided once too often, or by a "
                    "sum where an average belongs?"
                )
                return Diagnosis(f"too small by a factor, {word}", hint)
            if np.allclose(ratios, [s[word] for s in sizes], rtol=1e-6):
                hint = (
                    "Is a sum taken where an average is asked, or a division left out? Or is something "
                    "divided by an average where a sum belongs?"
                )
                return Diagnosis(f"too large by a factor, {word}", hint)
    if all(got.size == 1 for got, _ in pairs) and len({float(expected.sum()) for _, expected in pairs}) < 2:
        return None  # a single number is some factor of any other
    if np.allclose(ratios, ratios[0], rtol=1e-6) and abs(ratios[0]) < 1e6:
        return Diagnosis(
            f"a constant factor of {ratios[0]:.4g}",
            "Everything is right but for one factor, the same for all entries.",
        )
    return None


def _added(pairs: Pairs) -> Diagnosis | None:
    """One number that is added to all entries, or taken away."""
    if sum(got.size for got, _ in pairs) < FEWEST_ALIKE or any(got.size < FEWEST_CUT for got, _ in pairs):
        return None
    if not _everywhere(
        pairs, lambda got, expected: got.shape == expected.shape and bool(np.isfinite(got).all())
    ):
        return None
    gaps = np.concatenate([np.ravel(got - expected) for got, expected in pairs])
    if abs(gaps[0]) < NEAR or not np.allclose(gaps, gaps[0], rtol=1e-9, atol=0):
        return None
    which = "larger" if gaps[0] > 0 else "smaller"
    hint = "Everything is right but for one number, added to all entries or taken away from them."
    return Diagnosis(f"{which} by {abs(gaps[0]):.4g} everywhere", hint)
