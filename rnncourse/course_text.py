"""Texts to learn characters from: this course's own prose and its own Python, the same on every machine.

Frozen by `scripts/course_text.py` and `scripts/course_code.py`. This module knows nothing of networks.
"""

from importlib.resources import files


def course_text() -> str:
    """Some 35,000 lower-case letters, blanks and signs, in one line."""
    return _frozen("course_text.txt")


def course_code() -> str:
    """Some 117,000 characters of Python, in lower case, without docstrings and comments, in many lines."""
    return _frozen("course_code.txt")


def _frozen(name: str) -> str:
    return files("rnncourse").joinpath(name).read_text("utf-8").strip()
