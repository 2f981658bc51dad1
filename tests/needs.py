"""What a machine may lack: a test that needs it is skipped with the remedy; where CI=true it fails."""

import os

import pytest

from autograder.errors import SandboxUnavailable
from autograder.sandbox import Sandbox

TORCH = "PyTorch is not installed: `make torch` tries to get its CPU build again"


def lacking(reason: str) -> None:
    """End the test, or the fixture that many tests use."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (in CI nothing may be lacking)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def confined():
    """For tests that run a submission's code: a sandbox works on this machine."""
    try:
        Sandbox().close()
    except SandboxUnavailable as reason:
        lacking(f"no sandbox works here: {reason}")
