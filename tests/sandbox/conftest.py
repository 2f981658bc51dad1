"""What all tests of the sandbox share."""

import pytest

from autograder.sandbox import Sandbox
from sandbox.calls import HASTY, SMALL


@pytest.fixture(autouse=True)
def everything_here_needs_one(confined):
    """Where there is none, nothing of this folder can be tried."""


@pytest.fixture(scope="session")
def sandbox(confined):
    """A warm sandbox with small limits, one for all tests of a process."""
    with Sandbox(limits=SMALL) as warm:
        yield warm


@pytest.fixture(scope="session")
def hasty(confined):
    """A warm sandbox whose calls have half a second, for tests of what takes too long."""
    with Sandbox(limits=HASTY) as warm:
        yield warm
