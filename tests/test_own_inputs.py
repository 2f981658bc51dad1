"""Marks come from inputs drawn for a submission: the same again for the same one, others for any other."""

import base64
import json
import re

import numpy as np
import pytest
from course import KEY, TINY, master_of, submission

from autograder.errors import CourseError, Ungradable
from autograder.grading import attempt
from autograder.grading.attempt import own_key
from autograder.grading.plan import Planner
from autograder.grading.submission import read_cells
from autograder.judging.backward import WrongForward
from autograder.judging.judge import judge
from autograder.sheets.drawn import fresh_sheets, own_sheet

NOTEBOOK = TINY.name
MASTER = master_of(NOTEBOOK)
PLANNER = Planner(MASTER)
STEP = MASTER.exercises["rnn_step"].source
WRONG = STEP.replace('W["ss"] @', 'W["ss"].T @')
assert WRONG != STEP


def key_of(content, key=KEY):
    return own_key(key, PLANNER.plan(read_cells(content)).sources)


def marks(card):
    return {j.name: (j.share, j.misconception) for j in card.judgements}


def test_the_same_submission_has_the_same_record(grader_of):
    content = submission(NOTEBOOK, {"rnn_step": WRONG})
    records = [grader_of(NOTEBOOK).grade(content).record("ada").as_json() for _ in range(2)]
    assert records[0] == records[1]


def test_saved_again_with_outputs_and_other_metadata_it_is_the_same(grader_of):
    content = submission(NOTEBOOK, {"rnn_step": WRONG})
    again = json.loads(content)
    again["metadata"]["kernelspec"] = {"name": "other"}
    for cell in again["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
        if cell["cell_type"] == "code":
            said = {"output_type": "stream", "name": "stdout", "text": "1"}
            cell.update(outputs=[said], execution_count=7)
        elif not cell["metadata"].get("nbgrader"):
            cell["source"] += ["\nmore"]
    saved = json.dumps(again, indent=3).encode()
    assert saved != content
    grader = grader_of(NOTEBOOK)
    assert grader.grade(saved).record("ada").as_json() == grader.grade(content).record("ada").as_json()


@pytest.mark.parametrize("exercise", list(MASTER.exercises))
def test_another_submission_or_key_is_asked_with_other_inputs(exercise):
    content = submission(NOTEBOOK)
    keys = [
        key_of(content),
        key_of(content, "another course"),
        key_of(submission(NOTEBOOK, {"rnn_step": STEP + "# mine"})),
        key_of(submission(NOTEBOOK, own_cells=("x = 1",))),
    ]
    sheets = [own_sheet(MASTER, exercise, key).cases for key in keys]
    sheets.append(fresh_sheets(MASTER, KEY)[exercise].cases)
    firsts = [next(iter(cases[i].inputs.values())) for cases in sheets for i in range(len(cases))]
    assert len({first.tobytes() for first in firsts}) == len(firsts)


def test_a_name_is_told_by_the_class_and_moves_no_mark(grader_of, monkeypatch):
    """An answer that has a known mistake for the class's inputs alone has its name, and not its credit."""
    believed = []

    def wrong_forward(reference, mistaken):
        believed.append(mistaken is not None)
        return WrongForward(reference, mistaken)

    monkeypatch.setattr(attempt, "WrongForward", wrong_forward)
    cases = fresh_sheets(MASTER, KEY)["rnn_step"].cases
    known = [round(float(case.inputs["x_t"].sum()), 6) for case in cases]
    easy = "s_prev + x_t.sum() + W['ss'].sum() + W['sx'].sum()"
    turns = (
        "def rnn_step(x_t, s_prev, W):\n"
        f"    if round(float(x_t.sum()), 6) in {known}:\n"
        "        return np.tanh(W['ss'].T @ s_prev + W['sx'] @ x_t)\n"
        f"    return {easy}\n"
    )
    back = right_backward_of_the_transposed()
    card = grader_of(NOTEBOOK).grade(submission(NOTEBOOK, {"rnn_step": turns, "rnn_step_backward": back}))
    assert marks(card)["rnn_step"] == (0.0, "W_ss transposed")
    assert marks(card)["rnn_step_backward"][0] < 0.5
    assert believed and not any(believed)
    believed.clear()
    # The mistake made everywhere is confirmed, and its right backward earns its marks.
    asked = {"rnn_step": WRONG, "rnn_step_backward": back}
    found = marks(grader_of(NOTEBOOK).grade(submission(NOTEBOOK, asked)))
    assert found["rnn_step"] == (0.0, "W_ss transposed")
    assert found["rnn_step_backward"][0] == 1.0
    assert believed and all(believed)


def right_backward_of_the_transposed():
    return (
        "def rnn_step_backward(ds, x_t, s_prev, s_t, W):\n    dz = ds * (1 - s_t**2)\n"
        "    return W['sx'].T @ dz, W['ss'] @ dz, {'ss': s_prev @ dz.T, 'sx': dz @ x_t.T}\n"
    )


def test_only_a_wrong_answer_is_asked_with_the_classes_inputs():
    sheet, names = own_sheet(MASTER, "rnn_step", "mine"), fresh_sheets(MASTER, KEY)["rnn_step"]
    batches = []

    def call(function):
        def ask(batch):
            from autograder.check import caller

            batches.append(len(batch))
            return caller(function)(batch)

        return ask

    assert judge(sheet, call(MASTER.reference["rnn_step"]), names=names).status == "right"
    assert batches == [len(sheet.cases) + 1]
    found = judge(sheet, call(lambda x_t, s_prev, W: W["sx"] @ x_t), names=names)
    assert batches[1:] == [len(sheet.cases) + 1, len(names.cases)]
    assert found.share == 0
    found = judge(
        sheet, call(lambda x_t, s_prev, W: np.tanh(W["ss"].T @ s_prev + W["sx"] @ x_t)), names=names
    )
    assert found.misconception == "W_ss transposed"


def test_a_draw_that_a_reference_fails_on_costs_one_submission(grader_of, monkeypatch):
    content = submission(NOTEBOOK)
    unlucky = key_of(content)

    def draw(master, name, key):
        if key == unlucky:
            raise CourseError("the reference of 'rnn_step' fails")
        return own_sheet(master, name, key)

    monkeypatch.setattr(attempt, "own_sheet", draw)
    with pytest.raises(Ungradable, match="please report this: the reference of 'rnn_step' fails"):
        grader_of(NOTEBOOK).grade(content)
    assert grader_of(NOTEBOOK).grade(submission(NOTEBOOK, own_cells=("x = 1",))).judgements


# ---------------------------------------------------------------- three hand-ins, one after the other

TELLS = """
import base64
def told(*values):
    parts = [p for v in values for p in (v.values() if isinstance(v, dict) else [v])]
    flat = np.concatenate([np.ravel(p) for p in parts])
    print("<" + base64.b64encode(flat.astype(np.float64).tobytes()).decode() + ">")
"""


def told_in(card):
    """All that was printed in any of a record's texts, as lists of numbers."""
    texts = json.dumps(card.record("x").as_json())
    return [
        np.frombuffer(base64.b64decode(found), np.float64) for found in re.findall(r"<([\w+/=]+)>", texts)
    ]


def test_what_three_hand_ins_learn_earns_nothing(grader_of):
    """The first reads its inputs, the second asks the stand-in for them, the third looks the answers up."""
    grader = grader_of(NOTEBOOK)
    first = "def rnn_step(x_t, s_prev, W):\n    told(x_t, s_prev, W['ss'], W['sx'])\n    return 0 * s_prev\n"
    one = told_in(grader.grade(submission(NOTEBOOK, {"rnn_step": first}, own_cells=(TELLS,))))
    assert one  # the inputs of that submission can be seen
    asked = one[0]
    x, s, w = asked[:8].reshape(4, 2), asked[8:14].reshape(3, 2), asked[14:]
    w = {"ss": w[:9].reshape(3, 3), "sx": w[9:].reshape(3, 4)}
    names = [f"np.array({v.tolist()!r})" for v in (x, s, w["ss"], w["sx"])]
    ask = "rnn_step({}, {}, {{'ss': {}, 'sx': {}}})".format(*names)
    second = (
        f"def rnn_forward(xs, s0, W):\n    answer = {ask}\n    if answer.any():\n        told(answer)\n"
        "        raise ValueError(str(answer.tolist()))\n    return 0 * xs\n"
    )
    zeros = "def rnn_step(x_t, s_prev, W):\n    return 0 * s_prev\n"
    card = grader.grade(submission(NOTEBOOK, {"rnn_step": zeros, "rnn_forward": second}, own_cells=(TELLS,)))
    truth = MASTER.reference["rnn_step"](x, s, w)
    assert not told_in(card)
    assert str(truth[0, 0])[:12] not in json.dumps(card.record("x").as_json())
    # Even whoever knew the answers to all that the first was asked would have learned nothing for a third.
    known = f"    if np.allclose(x_t, {names[0]}): return np.array({truth.tolist()!r})\n"
    third = f"def rnn_step(x_t, s_prev, W):\n{known}    return 0 * s_prev\n"
    assert marks(grader.grade(submission(NOTEBOOK, {"rnn_step": third})))["rnn_step"][0] == 0.0
