"""What all tests of the sandbox share."""

import sys

import pytest

from autograder.sandbox import Sandbox
from sandbox.calls import SMALL


@pytest.fixture(scope="session", autouse=True)
def linux():
    """Other systems have no sandbox."""
    if sys.platform != "linux":
        pytest.skip("the sandbox needs Linux")


@pytest.fixture(scope="session")
def sandbox(linux):
    """A warm sandbox with small limits, one for all tests of a process."""
    with Sandbox(limits=SMALL) as warm:
        yield warm
