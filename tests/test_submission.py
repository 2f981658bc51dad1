"""Reading submitted notebooks: what is run, and what is refused with a reason."""

import json
import os

import pytest
from course import TINY, master_of, submission

from autograder.errors import Ungradable
from autograder.grading.submission import Planner, Role, read_bytes, read_cells

PLANNER = Planner(master_of(TINY.name))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"not json", "not a notebook"),
        (b'{"cells": [{"a": ', "not a notebook"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"[1, 2]", "not a notebook"),
        (b"null", "not a notebook"),
        (b'{"nbformat": 3, "worksheets": []}', "format"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 4, "cells": {"a": 1}}', "no list of cells"),
        (b"[" * 100_000, "nested too deeply"),
        (json.dumps({"nbformat": 4, "cells": [{}] * 3000}).encode(), "more than 2000"),
    ],
)
def test_what_is_no_notebook_is_refused_with_a_reason(content, said):
    with pytest.raises(Ungradable, match=said):
        read_cells(content)


@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "missing", "huge"])
def test_what_is_no_plain_file_is_refused(tmp_path, kind):
    path = tmp_path / "a.ipynb"
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(1 << 33)
    with pytest.raises(Ungradable):
        read_bytes(path)


@pytest.mark.parametrize(
    "odd", [None, 7, "text", [], {"cell_type": "code"}, {"cell_type": "code", "source": 7}]
)
def test_odd_cells_are_passed_over(odd):
    content = json.dumps({"nbformat": 4, "cells": [odd]}).encode()
    assert all(cell.source == "" for cell in read_cells(content))


def plan_of(content):
    return PLANNER.plan(read_cells(content))


def test_demo_cells_of_the_instructor_are_not_run():
    plan = plan_of(submission(TINY.name))
    assert {cell.role for cell in plan.cells} == {Role.GIVEN, Role.ANSWER}
    assert [cell.exercise for cell in plan.cells if cell.exercise] == list(master_of(TINY.name).exercises)
    assert not any("check(" in source for source in plan.sources)


def test_given_cells_have_the_instructors_text():
    changed = submission(TINY.name).replace(b"Given: the logistic function", b"Mine now")
    assert not any("Mine now" in source for source in plan_of(changed).sources)


def test_an_untouched_stub_is_found_without_calling_it():
    assert plan_of(submission(TINY.name, solved=False)).stubs == set(master_of(TINY.name).exercises)


def test_an_answer_in_a_cell_of_ones_own_counts():
    own = "def rnn_step(x_t, s_prev, W):\n    return 1\n"
    assert "rnn_step" not in plan_of(submission(TINY.name, solved=False, own_cells=(own,))).stubs


def test_of_a_changed_demo_cell_only_definitions_are_run():
    content = json.loads(submission(TINY.name))
    demo = next(c for c in content["cells"] if c["source"].startswith("rnn_step(np.ones"))
    demo["source"] = "for i in range(10**9): pass\ndef helper():\n    return 1\nLIMIT = 3\n"
    plan = plan_of(json.dumps(content).encode())
    (changed,) = [cell.source for cell in plan.cells if cell.role == Role.CHANGED]
    assert "helper" in changed
    assert "LIMIT = 3" in changed
    assert "range" not in changed


def test_a_missing_and_a_doubled_answer_cell_are_noted():
    content = json.loads(submission(TINY.name))
    cells = content["cells"]
    step = next(c for c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") == "rnn_step")
    cells.append(dict(step))
    cells[:] = [c for c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") != "rnn_forward"]
    notes = " ".join(plan_of(json.dumps(content).encode()).notes)
    assert "rnn_step stands more than once" in notes
    assert "rnn_forward is missing" in notes
