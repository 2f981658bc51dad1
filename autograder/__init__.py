"""The course's autograder: checks a student's functions against the instructor's references.

In a notebook: `from autograder import check, hint`. In an `exercises.py`: `from autograder import
Exercise, Gradient, Mutant`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograder.course.exercise import Exercise, Gradient, Mutant, Stage, Way
from autograder.errors import CourseError

if TYPE_CHECKING:
    from autograder.asking import guess, model_answer, recall, reveal, show_derivation
    from autograder.check import check, hint, mended
    from autograder.student_log import progress

# What a student calls is only loaded in a notebook: the grader never needs it.
IN_A_NOTEBOOK = {
    "check": "check",
    "hint": "check",
    "mended": "check",
    "guess": "asking",
    "model_answer": "asking",
    "recall": "asking",
    "reveal": "asking",
    "show_derivation": "asking",
    "progress": "student_log",
}

__all__ = [
    "CourseError",
    "Exercise",
    "Gradient",
    "Mutant",
    "Stage",
    "Way",
    "check",
    "guess",
    "hint",
    "mended",
    "model_answer",
    "progress",
    "recall",
    "reveal",
    "show_derivation",
]


def __getattr__(name: str) -> Any:
    if name not in IN_A_NOTEBOOK:
        raise AttributeError(f"module 'autograder' has no attribute {name!r}")
    import_module("autograder.unanswered").say_what_comes_first()
    modules = {module: import_module(f"autograder.{module}") for module in set(IN_A_NOTEBOOK.values())}
    # Importing `autograder.check` sets the module in the function's place.
    globals().update({each: getattr(modules[module], each) for each, module in IN_A_NOTEBOOK.items()})
    return globals()[name]
