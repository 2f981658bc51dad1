"""The name of one array among what a function takes or returns: `s_t`, `dW["ss"]`."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np


class Leaf(NamedTuple):
    """One array: an output (or an argument), or one member of an output that is a dict.

    Args:
        output: the name of the output.
        key: the member's key; "" where the output is no dict.
    """

    output: str
    key: str = ""

    def __str__(self) -> str:
        return f'{self.output}["{self.key}"]' if self.key else self.output

    @classmethod
    @cache
    def read(cls, text: str) -> Leaf:
        """The leaf whose text this is; a file of checks has few leaves, but each thousands of times."""
        output, _, rest = text.partition('["')
        return cls(output, rest[:-2])


Leaves = dict[Leaf, np.ndarray]
