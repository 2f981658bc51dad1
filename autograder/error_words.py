"""A student's error in words, with the line of the cell where it arose."""

from __future__ import annotations

import re

from autograder.outcome import StudentError


def error_words(error: StudentError, is_call: bool = True) -> str:
    """A student's error in words, with the line of the cell where it arose."""
    words = {
        "missing": "there is no function of this name",
        "time": "it did not come to an end in time; is there an endless loop?",
        "memory": "it needed more memory than there is",
        "exit": "it ended the whole process",
        "crash": f"the process crashed: {error.message}",
        "protocol": f"the answer could not be read: {error.message}",
        "syntax": f"the cell cannot be read as Python: {error.message}",
    }.get(error.kind, f"{error.kind}: {error.message}")
    product = re.search(r"core dimension .*size (\d+) is different from (\d+)", error.message)
    if error.kind == "ValueError" and product:
        got, wanted = product.groups()
        words = f"the shapes do not fit in a product: an axis of {wanted} meets an axis of {got}"
    if error.kind == "NotImplementedError":
        words = "a part is still missing (`NotImplementedError`)"
    where = f", in line {error.line}" if error.line else ""
    source = f" `{error.source.strip()}`" if error.source.strip() else ""
    stops = "it stops with " if is_call and error.kind[:1].isupper() else ""
    return f"{stops}{words}{where}{source}"
