"""A student's error in words, with the line of the cell where it arose."""

from __future__ import annotations

import re

from autograder.answers.outcome import StudentError


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
    }.get(error.kind, f"{error.kind}: {error.message.strip()}")
    stops = "it stops with " if is_call and error.kind[:1].isupper() else ""
    said = _numpy_words(error.message)
    if said:
        words, stops = said, "it stops: " if is_call else ""
    if error.kind == "NotImplementedError":
        words = "a part is still missing (`NotImplementedError`)"
    where = f", in line {error.line}" if error.line else ""
    source = f" `{error.source.strip()}`" if error.source.strip() else ""
    return f"{stops}{words}{where}{source}"


def _numpy_words(message: str) -> str:
    """The commonest of NumPy's complaints, said for a student; "" for any other."""
    product = re.search(r"core dimension .*size (\d+) is different from (\d+)", message)
    if product:
        got, wanted = product.groups()
        return f"the shapes do not fit in a product: an axis of {wanted} meets an axis of {got}"
    broadcast = re.search(r"could not be broadcast together with shapes (\([\d,]*\)) (\([\d,]*\))", message)
    if broadcast:
        first, second = broadcast.groups()
        return f"shapes {first} and {second} do not fit entry by entry; was a matrix product `@` meant?"
    if "dtype('<U" in message:
        return "a text stands where numbers belong; unpacking a dict gives its keys, not its values"
    return ""
