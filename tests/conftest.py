"""Fixtures for all tests, and what stands at the end of a run."""

import os
import sys
import tempfile
from pathlib import Path

import matplotlib as mpl
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import closing
from browser import browser, page  # noqa: F401  (one browser a process, for every test)
from needs import confined  # noqa: F401

mpl.use("Agg")
os.environ["RNNCOURSE_CLAIMS"] = "raise"  # for kernels too: what a notebook claims must hold
# Nobody's own progress is read or changed.
os.environ["AUTOGRADER_PROGRESS"] = str(Path(tempfile.gettempdir(), f"progress-of-tests-{os.getpid()}.json"))

_graders = {}


@pytest.fixture(scope="session")
def grader_of(confined):  # noqa: F811
    """A grader of a notebook, with a warm sandbox, kept for the whole run."""
    from course import KEY, folder_of

    from autograder.grading.grade import Grader

    def get(notebook):
        if notebook not in _graders:
            _graders[notebook] = Grader(folder_of(notebook), KEY)
        return _graders[notebook]

    yield get
    for grader in _graders.values():
        grader.close()
    _graders.clear()


def pytest_runtest_setup(item):
    """A test of a notebook that declares a package needs that package."""
    from course import NOTEBOOKS, lacks
    from needs import TORCH, lacking

    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    for one in parameters:
        notebook = getattr(one, "notebook", getattr(one, "name", one))
        if isinstance(notebook, str) and notebook in NOTEBOOKS and lacks(notebook):
            lacking(TORCH)


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups here
def pytest_collection_modifyitems(config, items):
    """What is marked `long` waits for LONG=1, what is marked `ci` for that or CI=true.

    All tests of one notebook run in one process, which makes its grader and frozen checks once.
    """
    from course import LONG, WHOLE

    late = {"long": not LONG, "ci": not WHOLE}
    waits = [item for item in items if any(late.get(mark.name) for mark in item.iter_markers())]
    config.hook.pytest_deselected(items=waits)
    items[:] = [item for item in items if item not in waits]
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        if "notebook" in parameters and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(parameters["notebook"]))


def pytest_terminal_summary(terminalreporter):
    closing.write_mutants(terminalreporter)
    closing.write_skipped(terminalreporter)
    closing.write_machine(terminalreporter)
