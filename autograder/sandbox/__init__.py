"""A sandbox for students' functions: arrays go in, arrays come out, nothing else.

The names below are all that the rest of the grader uses. This package knows nothing of exercises,
references or marks.
"""

from autograder.errors import SandboxUnavailable
from autograder.sandbox.doctor import Finding, doctor
from autograder.sandbox.limits import Budget, Limits, Usage
from autograder.sandbox.protocol import Asked
from autograder.sandbox.session import Sandbox, Session

__all__ = [
    "Asked",
    "Budget",
    "Finding",
    "Limits",
    "Sandbox",
    "SandboxUnavailable",
    "Session",
    "Usage",
    "doctor",
]
