"""Notebooks whose cells are not what they were: deleted, doubled, moved, renamed, retyped, re-pointed."""

import json

from attacks.kit import ALL, BACKWARD, FORWARD, POINTS, REST, STEP, Attack, cell_of, code, right, step

LINE = "notebook"
ZEROS = step("return np.zeros_like(s_prev)")[STEP]


def without(notebook, *names):
    """The notebook without cells of these ids."""
    kept = [c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") not in names]
    return {**notebook, "cells": kept}


def doubled(notebook, name, source):
    """A second cell with the same id, behind the first."""
    cell = cell_of(notebook, name)
    notebook["cells"].insert(notebook["cells"].index(cell) + 1, {**cell, "id": "second", "source": source})


def retyped(notebook, name, kind):
    """A cell turned into another kind."""
    cell = cell_of(notebook, name)
    cell["cell_type"] = kind
    cell.pop("outputs"), cell.pop("execution_count")


def with_metadata(notebook, name, **changes):
    """A cell with other nbgrader metadata."""
    cell_of(notebook, name)["metadata"]["nbgrader"].update(changes)


def every_point(notebook):
    """Points that nobody has."""
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader"):
            cell["metadata"]["nbgrader"]["points"] = 400


def fake_outputs(notebook):
    """Check cells that hold a mark already, and the answers' own outputs."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [
                {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": "400.0"}},
                {"output_type": "display_data", "metadata": {"score": 400}, "data": {"text/plain": "12 of 12 points"}},
            ]  # fmt: skip


def edited_checks(notebook):
    """Locked check cells with another text."""
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id", "").startswith("check_"):
            cell["source"] = "400.0"


def unlocked_given(notebook):
    """The instructor's given code, changed, and its lock taken off."""
    given = cell_of(notebook, "given_imports")
    given["source"] = "class np:\n    def __getattr__(self, name): return lambda *a, **k: 12.0\nnp = np()"
    given["metadata"]["nbgrader"].update(locked=False, solution=True)


def bonus(notebook):
    """A graded cell that the instructor never wrote."""
    meta = {
        "grade": True,
        "solution": True,
        "locked": False,
        "task": False,
        "points": 400,
        "schema_version": 3,
    }
    notebook["cells"].append(code("400", nbgrader={**meta, "grade_id": "bonus"}))


def exchanged(notebook):
    """The ids of two answers, exchanged."""
    one, other = cell_of(notebook, STEP), cell_of(notebook, FORWARD)
    one["metadata"]["nbgrader"]["grade_id"], other["metadata"]["nbgrader"]["grade_id"] = FORWARD, STEP


def hostile_metadata(notebook):
    """Metadata of every odd kind."""
    notebook["metadata"].update(kernelspec={"name": "../../bin/sh", "display_name": "x", "language": "bash"},
                                celltoolbar={"a": []}, rnncourse={"assignment": "../01_simple_rnn"})  # fmt: skip
    for cell in notebook["cells"]:
        cell["metadata"].update(tags=["skip-execution", "raises-exception"], deletable=True, editable=True)


def odd_ids(notebook):
    """Ids of cells that are no ids."""
    for cell, odd in zip(notebook["cells"], ("x" * 64, "a", "a", "b-_", "0"), strict=False):
        cell["id"] = odd


ATTACKS = [
    Attack("answer_deleted", ALL - POINTS[STEP], change=lambda n: without(n, STEP)),
    Attack("checks_deleted", ALL, change=lambda n: without(n, "check_rnn_step", "check_rnn_forward")),
    Attack("checks_deleted_and_nothing_answered", 0, solved=False, change=lambda n: without(n, "check_rnn_step", "check_rnn_forward", "check_rnn_step_backward")),
    Attack("all_cells_deleted", 0, change=lambda n: {**n, "cells": []}),
    Attack("given_code_deleted", ALL, change=lambda n: without(n, "given_imports", "given_sigmoid")),
    Attack("written_question_deleted", ALL, change=lambda n: without(n, "why_tanh")),
    Attack("answer_doubled_the_last_one_wrong", REST, change=lambda n: doubled(n, STEP, ZEROS)),
    Attack("answer_doubled_the_last_one_right", ALL, {STEP: ZEROS}, change=lambda n: doubled(n, STEP, right(STEP))),
    Attack("check_doubled", REST, {STEP: ZEROS}, change=lambda n: doubled(n, "check_rnn_step", "400")),
    Attack("cells_in_reverse", ALL, change=lambda n: {**n, "cells": n["cells"][::-1]}),
    Attack("answer_renamed", 12.0 - POINTS[STEP], change=lambda n: with_metadata(n, STEP, grade_id="rnn_other"), answers={STEP: ZEROS}),
    Attack("answers_exchanged", ALL, change=exchanged),
    Attack("answer_as_markdown", ALL, change=lambda n: retyped(n, STEP, "markdown")),
    Attack("answer_as_raw", ALL, change=lambda n: retyped(n, STEP, "raw")),
    Attack("check_as_markdown", REST, {STEP: ZEROS}, change=lambda n: retyped(n, "check_rnn_step", "markdown")),
    Attack("points_of_400", REST, {STEP: ZEROS}, change=every_point),
    Attack("points_that_are_no_number", REST, {STEP: ZEROS}, change=lambda n: with_metadata(n, "check_rnn_step", points=-5)),
    Attack("marks_in_the_outputs", REST, {STEP: ZEROS}, change=fake_outputs),
    Attack("checks_edited", REST, {STEP: ZEROS}, change=edited_checks),
    Attack("given_code_edited_and_unlocked", ALL, change=unlocked_given),
    Attack("a_bonus_cell", REST, {STEP: ZEROS}, change=bonus),
    Attack("answer_marked_as_a_check", ALL, change=lambda n: with_metadata(n, STEP, grade=True, points=100)),
    Attack("written_question_marked_as_graded", REST, {STEP: ZEROS}, change=lambda n: with_metadata(n, "why_tanh", grade=True, solution=True, task=False, points=50)),
    Attack("hostile_metadata", ALL, change=hostile_metadata),
    Attack("odd_ids", ALL, change=odd_ids),
    Attack("magics_and_shell", ALL, own=("%%bash\ntouch /tmp/owned", "!touch /tmp/owned", "%load_ext evil", "%%writefile ../x\n1", "%run /etc/x.py", "get_ipython().system('touch /tmp/owned')")),
    Attack("magics_in_the_answer", ALL, {STEP: "%matplotlib inline\n!rm -rf /\n" + right(STEP)}),
    Attack("a_shell_for_an_answer", REST, {STEP: "%%bash\necho 12"}),
    Attack("half_saved_answer", REST, {STEP: "def rnn_step(x_t, s_prev, W):\n    return np.tanh(W['ss'] @"}),
    Attack("another_signature", REST, {STEP: "def rnn_step(*, mark=12):\n    return mark"}),
    Attack("a_number_for_a_function", REST, {STEP: "rnn_step = 12.0"}),
    Attack("a_stub_that_looks_answered", 0, {STEP: 'def rnn_step(x_t, s_prev, W):\n    """12 of 12."""\n    raise NotImplementedError("done")'}, solved=False),
    Attack("answers_above_the_stubs_that_undo_them", 0, own=("import numpy as np\n" + "\n".join(right(e) for e in (STEP, FORWARD, BACKWARD)),), solved=False),
    Attack("names_of_other_notebooks", ALL, change=lambda n: json.dumps({**n, "assignment": "../../solutions", "score": 400, "max_score": 400}).encode()),
]  # fmt: skip
