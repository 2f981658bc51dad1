"""What a student wrote is read in a process that may be given up."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from course import ROOT, TINY, master_of, submission

from autograder.errors import Ungradable
from autograder.grading import reading
from autograder.grading.plan import Planner
from autograder.grading.reading import Reader
from autograder.grading.submission import read_submission

PLANNER = Planner(master_of(TINY.name))
FINE = submission(TINY.name)


@pytest.fixture
def reader():
    one = Reader(PLANNER, seconds=10)
    yield one
    one.close()


class Hostile(Planner):
    """Stands for a text that a parser cannot cope with: on a word in it does what the word says."""

    def plan(self, cells, definitions_only=False):
        text = cells[0].source
        if text == "wait":
            time.sleep(60)
        elif text == "hoard":
            hoard = []
            while True:
                hoard.append(bytearray(1 << 24))
        elif text == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().plan(cells, definitions_only)


def says(word):
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": word}
    return json.dumps({"nbformat": 4, "cells": [cell]}).encode()


@pytest.mark.parametrize("definitions_only", [False, True])
@pytest.mark.parametrize(
    "content",
    [
        FINE,
        submission(TINY.name, solved=False),
        submission(TINY.name, own_cells=("%pylab\nx = 1", "!ls\ny =")),
    ],
)
def test_it_reads_what_the_planner_reads(reader, content, definitions_only):
    read = read_submission(content)
    here = PLANNER.plan(read.cells, definitions_only)
    there = reader.plan(content, definitions_only)
    assert (there.cells, there.stubs, there.notes) == (here.cells, here.stubs, here.notes)
    assert there.python == read.python


def test_what_is_no_notebook_is_told_in_the_same_words(reader):
    for content in (b"", b"<html>", b"[1]", b'{"nbformat": 3}'):
        with pytest.raises(Ungradable) as here:
            read_submission(content)
        with pytest.raises(Ungradable) as there:
            reader.plan(content)
        assert str(there.value) == str(here.value)


@pytest.mark.parametrize(("word", "said"), [("wait", "longer"), ("hoard", "memory"), ("crash", "memory")])
def test_a_text_that_no_parser_copes_with_costs_itself(word, said):
    hostile = Reader(Hostile(master_of(TINY.name)), seconds=2 if word == "wait" else 30)
    begun = time.monotonic()
    with pytest.raises(Ungradable, match=said):
        hostile.plan(says(word))
    assert time.monotonic() - begun < 50
    assert hostile.plan(FINE).cells
    hostile.close()


def test_a_process_that_was_killed_is_started_again(reader):
    reader.plan(FINE)
    os.kill(reader._process.pid, signal.SIGKILL)
    with pytest.raises(Ungradable):
        reader.plan(FINE)
    assert reader.plan(FINE).cells


def test_nobody_is_left_when_the_grader_is_killed():
    program = (
        "import os, signal, sys; sys.path.insert(0, 'tests')\n"
        "from test_reading import PLANNER, FINE\n"
        "from autograder.grading.reading import Reader\n"
        "reader = Reader(PLANNER); reader.plan(FINE); print(reader._process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    stat, patience = Path(f"/proc/{done.stdout.strip()}/stat"), time.monotonic() + 20
    while time.monotonic() < patience:
        # Gone, or dead and waiting for an init that does not look after orphans.
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("the reader lives on")


def test_what_a_name_lacks_is_read_there_too(reader):
    sources = ["import numpy as np", "def f(x):\n    return x"]
    surveyed = reader.survey([*sources, "import torch", "h = torch.ones(2)"], ["numpy"])
    assert surveyed.why_missing("f") == ""
    assert "no cell that is run for a grade sets it" in surveyed.why_missing("g")
    assert "there is no `torch` where it is graded" in surveyed.why_missing("h")
    assert reader.cpu_seconds() > 0


# ---------------------------------------------------------------- nothing is looked at twice


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_001 + b'"' + b'\\"' * 8_000_000,
        b"[" * 100_001 + b'"' + b'\\"' * 8_000_000 + b"\\\n",
        b"[" * 100_001 + b'"' * 16_000_000,
        b"[" * 100_001 + b"\\" * 16_000_000 + b'"',
    ],
)
def test_a_text_without_end_is_looked_at_once(content):
    begun = time.process_time()
    with pytest.raises(Ungradable):
        read_submission(content)
    assert time.process_time() - begun < 5


BLANKS = " " * 60_000


@pytest.mark.parametrize(
    "text",
    [
        f"%%{BLANKS}",
        f"{BLANKS}%%time{BLANKS}",
        f"{BLANKS}%",
        "\n".join([" " * 300 + "x"] * 300),
        "?" + " \r" * 40_000 + "x",
        f"={BLANKS}x",
        ("=" + " " * 60) * 1500,
        "? " * 60_000,
        "%%time" + "\n" * 60_000,
        "\n \t" * 30_000 + "%%x",
    ],
)
def test_magics_are_looked_for_in_each_line_once(text):
    begun = time.process_time()
    assert reading.read_submission(says(text)).cells
    for definitions_only in (False, True):
        PLANNER.plan(read_submission(says(text)).cells, definitions_only)
    assert time.process_time() - begun < 1
