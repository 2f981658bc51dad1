"""The family of errors that a person reads: each message says what was wrong, where, and what to do.

This module knows nothing of what can go wrong; whoever raises writes the sentence.
"""


class AutograderError(Exception):
    """The base of the family: its message is for a person, and no stack trace belongs beside it."""

    def _render_traceback_(self) -> list[str]:
        # IPython shows this in place of a stack trace.
        return [str(self)]


class CourseError(AutograderError):
    """Something in the course's own files, or in how a command was called, is wrong."""


class Ungradable(AutograderError):
    """A submission that cannot be graded; the message says why, and what the student can do."""


class SandboxUnavailable(AutograderError):
    """There is no sandbox on this machine; the message says why, and what to do."""
