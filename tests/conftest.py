"""Fixtures for all tests, and the table of mutants at the end of a run."""

import sys
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browser import browser, page  # noqa: F401  (one browser a process, for every test)

mpl.use("Agg")

_graders = {}


@pytest.fixture(scope="session")
def grader_of():
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


def pytest_terminal_summary(terminalreporter):
    """Print how many mutants were caught and named, and how many alternatives passed, by notebook."""
    table = defaultdict(lambda: defaultdict(int))
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") != "call":
                continue
            for name, value in report.user_properties:
                if name == "tally":
                    notebook, counts = value
                    for word, count in counts.items():
                        table[notebook][word] += count
    if not table:
        return
    terminalreporter.section("mutants and alternatives")
    words = ["mutants", "caught", "named", "alternatives", "passed"]
    terminalreporter.write_line(f"{'notebook':40s}" + "".join(f"{word:>14s}" for word in words))
    for notebook in sorted(table):
        counts = "".join(f"{table[notebook][word]:14d}" for word in words)
        terminalreporter.write_line(f"{notebook:40s}{counts}")
