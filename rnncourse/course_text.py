"""A text to learn letters from: this course's own prose, the same on every machine.

Frozen by `scripts/course_text.py`. This module knows nothing of networks.
"""

from importlib.resources import files


def course_text() -> str:
    """Some 35,000 lower-case letters, blanks and signs, in one line."""
    return files("rnncourse").joinpath("course_text.txt").read_text("utf-8").strip()
