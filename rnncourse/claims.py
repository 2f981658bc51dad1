"""What a notebook says of its own experiments, held against what came out on the machine at hand.

Processors round differently in the last digit, and a training may end elsewhere for it. So an
experiment is told beside its claim and stops nobody's work. A formula is another matter: it holds to
many digits wherever it holds, and `assert` is the word for it. This module knows no experiment.
"""

from __future__ import annotations

import os

STRICT = "RNNCOURSE_CLAIMS"  # set to "raise" where a claim that does not hold must stop: in tests


class ClaimFailed(AssertionError):
    """Something that a notebook claims did not come out."""


def claim(expected: str, holds: bool, came: str) -> None:
    """Print whether what was expected of an experiment came out here, and what came.

    Args:
        expected: what should come out, such as "at least 9 of 12 networks learn it".
        holds: whether it did.
        came: what came out, in words or numbers, such as "11 of 12".

    Raises:
        ClaimFailed: it did not, and the environment variable RNNCOURSE_CLAIMS is "raise".
    """
    if holds:
        print(f"It holds here: {expected}: {came}.")
        return
    told = f"On this machine it came out otherwise. Expected: {expected}. What came: {came}."
    if os.environ.get(STRICT) == "raise":
        raise ClaimFailed(told)
    print(told)
    print(
        "If every check above says right, this is no mistake of yours: how such a run ends hangs on "
        "digits that each processor rounds in its own way."
    )
