"""Reading submitted notebooks: what is run, and what is refused with a reason."""

import json
import os
import sys
import time

import pytest
from course import TINY, master_of, submission

from autograder.course.magics import SECONDS
from autograder.course.notebook import source_cells
from autograder.errors import Ungradable
from autograder.grading.plan import MOST_PARTS_OF_AN_ANSWER, OURS, Planner, Role
from autograder.grading.submission import read_bytes, read_cells
from autograder.report.sentences import sentence

PLANNER = Planner(master_of(TINY.name))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"not json", "begins with 'not json'"),
        (b"\n\n<!DOCTYPE html>\n<html>", "web page"),
        (b"import numpy as np\nx = 1", "begins with 'import numpy as np'; hand in the .ipynb"),
        (b'{"cells": [], "nbformat": 4,\n', "breaks off"),
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


def code(source, grade_id="", cell_id=""):
    metadata = {"nbgrader": {"grade_id": grade_id}} if grade_id else {}
    return {"cell_type": "code", "id": cell_id, "metadata": metadata, "source": source}


def planned(*cells):
    """The student's cells of a plan: (exercise, source)."""
    plan = plan_of(json.dumps({"nbformat": 4, "cells": list(cells)}).encode())
    return [(cell.exercise, cell.source) for cell in plan.cells if cell.role not in OURS], plan.notes


def test_a_byte_order_mark_is_no_content():
    assert read_cells(b"\xef\xbb\xbf" + json.dumps({"nbformat": 4, "cells": [code("x = 1")]}).encode())


def test_brackets_inside_texts_are_no_structure():
    plot = {"output_type": "stream", "name": "stdout", "text": "[{" * 200_000 + '\\"[' * 1000}
    content = json.dumps({"nbformat": 4, "cells": [{**code("x = 1"), "outputs": [plot]}]})
    assert [cell.source for cell in read_cells(content.encode())] == ["x = 1"]


HEAD = "def rnn_step(x_t, s_prev, W):"


def test_halves_of_a_split_cell_are_joined():
    halves = [HEAD + "\n    z = x_t", "    return np.tanh(z)"]
    found, _ = planned(*(code(half, "rnn_step") for half in halves))
    assert found == [("rnn_step", "\n".join(halves))]


def test_a_cell_split_before_its_function_keeps_its_helper():
    parts = ["def helper(z): return z", HEAD + " return helper(x_t)"]
    found, notes = planned(*(code(part, "rnn_step") for part in parts))
    assert [source for _, source in found] == parts
    assert not any("more than once" in note for note in notes)


def test_of_two_whole_answers_the_last_counts_alone():
    found, notes = planned(code(HEAD + " return 1", "rnn_step"), code(HEAD + " return 2", "rnn_step"))
    assert found == [("rnn_step", HEAD + " return 2")]
    assert any("rnn_step stands more than once" in note for note in notes)


def test_a_copied_stub_takes_no_answer_away():
    stub = HEAD + "\n    raise NotImplementedError"
    found, _ = planned(code(HEAD + " return 1", "rnn_step"), code(stub, "rnn_step"))
    assert found == [("rnn_step", HEAD + " return 1")]


def test_an_answer_cell_repeated_a_thousand_times_is_run_once():
    many = [code("while True: pass", "rnn_step")] * 1000
    found, _ = planned(*many, code(HEAD + " return 1", "rnn_step"))
    assert len(found) <= 1 + MOST_PARTS_OF_AN_ANSWER


def test_a_cell_without_metadata_is_known_by_its_id_or_by_what_it_defines():
    cells = source_cells(master_of(TINY.name))
    ids = {cell["metadata"].get("nbgrader", {}).get("grade_id"): cell["id"] for cell in cells}
    by_id = code(HEAD + " return 1", cell_id=ids["rnn_step"])
    found, notes = planned(by_id, code("def rnn_forward(xs, s0, W): return xs"))
    assert [exercise for exercise, _ in found] == ["rnn_step", "rnn_forward"]
    assert [n for n in notes if "missing" in n] == ["the answer cell of rnn_step_backward is missing"]


@pytest.mark.parametrize(
    ("source", "python"),
    [
        (
            "%pylab\n!ls\nif True:\n    %time 3\n    y = 1\nnp.dot?\n",
            "\n\nif True:\n    3\n    y = 1\n\n",
        ),
        ("%%time -n 3\nx = 1", "\nx = 1"),
        ("%%timeit\r\nx = 1", "\nx = 1"),
        ("%%bash\nrm -rf /", ""),
        ("files = !ls\nx = 1", "\nx = 1"),
        ("x = (7\n% 4)", "x = (7\n% 4)"),
        ("def f(:\n    return 1", "def f(:\n    return 1"),
    ],
)
def test_of_ipythons_language_python_is_left_in_its_lines(source, python):
    ((_, found),) = planned(code(source))[0]
    assert found.rstrip() == python.rstrip()


def test_a_text_that_ipython_reads_for_ever_is_given_up():
    """IPython's grammar is quadratic: 499 magics in 12 KB took 9 seconds."""
    text = "\n".join(f"%time x{i} = {i}" for i in range(9_000))
    begun = time.monotonic()
    found, _ = planned(code(text))
    assert time.monotonic() - begun < SECONDS + 5
    assert found == [("", text)]


def test_only_the_definitions_that_are_mentioned_come_from_demo_cells():
    master = master_of("01_simple_rnn")
    planner = Planner(master)
    demo = [cell for cell in planner.plan([]).cells if cell.role == Role.DEMO]
    assert demo == []


def test_newer_syntax_than_the_graders_python_names_both(grader_of):
    notebook = json.loads(submission(TINY.name, {"rnn_step": HEAD + "\n    return x_t if"}))
    notebook["metadata"]["language_info"]["version"] = "3.99.1"
    card = grader_of(TINY.name).grade(json.dumps(notebook).encode())
    said = " ".join([*card.problems, *(sentence(c.finding) for j in card.judgements for c in j.checks)])
    ours = ".".join(map(str, sys.version_info[:2]))
    assert f"the notebook was written with Python 3.99, and is graded with {ours}" in said
    assert card.judgements[0].misconception == "the Python that grades cannot read the cell"


def test_a_package_that_is_not_there_is_no_name_that_is_spelled_wrong(grader_of):
    for line in ("import pandas as pd", "import numpy as np, pandas as pd"):
        answer = f"{line}\n\n{HEAD}\n    return pd.DataFrame(x_t)"
        (first, *_) = grader_of(TINY.name).grade(submission(TINY.name, {"rnn_step": answer})).judgements
        assert first.misconception == "a package that is not there"


def test_an_answer_in_a_cell_that_is_not_run_is_told_why(grader_of):
    answer = f"%%bash\n{HEAD}\n    return x_t"
    (first, *_) = grader_of(TINY.name).grade(submission(TINY.name, {"rnn_step": answer})).judgements
    assert first.notes == ["a cell (rnn_step) that starts with %%bash is not run for grading"]
