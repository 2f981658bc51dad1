"""The course's autograder: checks a student's functions against the instructor's references.

In a notebook: `from autograder import check, hint`. In an `exercises.py`: `from autograder import
Exercise, Gradient, Mutant`.
"""

from autograder.course.exercise import Exercise, Gradient, Mutant
from autograder.errors import CourseError

__all__ = ["CourseError", "Exercise", "Gradient", "Mutant", "check", "hint"]


def __getattr__(name: str):
    # The student's check is only loaded in a notebook: the grader never needs it.
    if name in ("check", "hint"):
        import autograder.check as module  # noqa: PLC0415

        globals()["check"], globals()["hint"] = module.check, module.hint
        return globals()[name]
    raise AttributeError(f"module 'autograder' has no attribute {name!r}")
