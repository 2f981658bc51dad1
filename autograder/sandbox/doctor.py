"""Whether the sandbox works on this machine, and how to mend it where it does not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        name: what it is.
        ok: whether it is as it should be.
        detail: what was found.
        remedy: what to do, or "".
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def doctor() -> list[Finding]:
    """Look at all that the sandbox needs."""
    return []
