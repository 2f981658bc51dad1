"""How a submission is graded as a whole: what is tried again, with which references; what is an answer."""

import json
import os
import textwrap

import numpy as np
import pytest
from course import TINY, master_of, submission

from autograder.course.stubs import keeps_nothing
from autograder.grading import attempt
from autograder.grading.plan import parse
from autograder.report.feedback import as_text
from autograder.sandbox.limits import room_for

STEP = master_of(TINY.name).exercises["rnn_step"].source
RIGHT = """def my_step(x_t, s_prev, W):
    return np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)
"""
STUB = STEP.partition("    ### BEGIN SOLUTION")[0] + "    raise NotImplementedError\n"


def shares(card):
    return {judgement.name: judgement.share for judgement in card.judgements}


def test_a_batch_that_is_handed_to_a_wrong_function_for_one_sequence_costs_once(grader_of):
    """Notebook 01 says that the one function may call the other: a step written with `@` takes both."""
    references = {name: one.source for name, one in master_of("01_simple_rnn").exercises.items()}
    head = "def rnn_forward(xs, s0, W):\n    out = []\n    for x in xs:\n"
    late = "        out.append(s0)\n        s0 = rnn_step(x, s0, W)\n    return np.array(out)\n"
    answers = references | {
        "rnn_forward": head + late,
        "rnn_forward_batch": "def rnn_forward_batch(xs, s0, W):\n    return rnn_forward(xs, s0, W)\n",
    }
    card = grader_of("01_simple_rnn").grade(submission("01_simple_rnn", answers))
    assert [name for name, share in shares(card).items() if share < 1] == ["rnn_forward"]


@pytest.mark.parametrize(
    ("answer", "own"),
    [
        (f"{RIGHT}\n{STUB}\nrnn_step = my_step", ()),
        (f"{STUB}\nrnn_step = lambda x_t, s_prev, W: np.tanh(W['ss'] @ s_prev + W['sx'] @ x_t)", ()),
        (STUB, (f"{RIGHT}\nrnn_step = my_step",)),
        (STUB, (f"if True:\n{textwrap.indent(RIGHT.replace('my_step', 'rnn_step'), '    ')}",)),
        (f"%%time\n{RIGHT.replace('my_step', 'rnn_step')}", ()),
        (f"files = !ls\n{RIGHT.replace('my_step', 'rnn_step')}", ()),
        (f"took = %timeit -o 1\n{RIGHT.replace('my_step', 'rnn_step')}", ()),
    ],
)
def test_an_answer_may_be_given_in_any_way_that_works_in_jupyter(grader_of, answer, own):
    notebook = json.loads(submission(TINY.name, {"rnn_step": answer}))
    for source in own:  # behind the stub, or the stub would take the name
        cell = {"cell_type": "code", "id": "own", "metadata": {}, "source": source, "outputs": []}
        notebook["cells"].append({**cell, "execution_count": None})
    card = grader_of(TINY.name).grade(json.dumps(notebook).encode())
    assert shares(card)["rnn_step"] == 1


def test_an_exercise_gets_the_references_it_declares_and_no_others(grader_of):
    """`gated_forward` was given `gated_step`; `gated_backward` does not declare it."""
    notebook = "04_gating"
    master = master_of(notebook)
    wrong = {
        name: master.exercises[name].source.partition("    ### BEGIN SOLUTION")[0] + f"    return {value}\n"
        for name, value in {
            "gate": "0 * s_prev",
            "gated_step": "0 * s_prev, 0 * s_prev, 0 * s_prev",
            "gated_step_backward": "0 * x_t, 0 * s_prev, {k: 0 * m for k, m in W.items()}",
        }.items()
    }
    head = master.exercises["gated_backward"].source.partition("    ### BEGIN SOLUTION")[0]
    peek = f'{head}    print("peek", bool(np.any(gated_step(xs[0], s0, W)[0])))\n    return xs, s0, W\n'
    card = grader_of(notebook).grade(submission(notebook, {**wrong, "gated_backward": peek}))
    assert shares(card)["gated_forward"] == 1
    (judgement,) = [j for j in card.judgements if j.name == "gated_backward"]
    assert "peek False" in judgement.printed
    assert "peek True" not in judgement.printed


WRITES = """def lstm_step_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    f, i, o, c = (gates[k] for k in "fioc")
    dc += dh * o * (1 - np.tanh(c_t) ** 2)
    to_gates = {"f": dc * c_prev * f * (1 - f), "i": dc * c * i * (1 - i), "c": dc * i * (1 - c**2)}
    to_gates["o"] = dh * np.tanh(c_t) * o * (1 - o)
    dW = {k + "h": dz @ h_prev.T for k, dz in to_gates.items()}
    dW |= {k + "x": dz @ x_t.T for k, dz in to_gates.items()}
    dW |= {k + "b": dz.sum(axis=1, keepdims=True) for k, dz in to_gates.items()}
    dx = sum(W[k + "x"].T @ dz for k, dz in to_gates.items())
    return dx, sum(W[k + "h"].T @ dz for k, dz in to_gates.items()), dc * f, dW
"""
STORES = """def gradient_flow(dh, dc, xs, h0, c0, hs, cs, gates, W):
    T = len(xs)
    h, c = [h0, *hs], [c0, *cs]
    dhs, dcs = [dh], [dc]
    for t in range(T, 0, -1):
        now = {k: gates[k][t - 1] for k in gates}
        _, dh, dc, _ = lstm_step_backward(dhs[0], dcs[0], xs[t - 1], h[t - 1], c[t - 1], c[t], now, W)
        dhs.insert(0, dh)
        dcs.insert(0, dc)
    return np.linalg.norm(dhs, axis=1), np.linalg.norm(dcs, axis=1)
"""


def test_a_right_answer_that_writes_into_its_arguments_costs_no_other_its_marks(grader_of):
    """What comes of it is just what a declared mistake of the caller's own gives."""
    answers = {"lstm_step_backward": WRITES, "gradient_flow": STORES}
    judgements = {
        j.name: j
        for j in grader_of("06_lstm_backward").grade(submission("06_lstm_backward", answers)).judgements
    }
    assert {name: judgements[name].share for name in answers} == dict.fromkeys(answers, 1.0)
    assert judgements["gradient_flow"].follow_through


WRONG_SLOPE = "def sigmoid_grad(g):\n    return -g * (1 - g)\n"
OF_THE_SLOPE = "def tanh_grad(s):\n    return 4 * sigmoid_grad((1 + s) / 2)\n"
WRONG_PRODUCT = "def jacobian_product(states, W):\n    return 0 * W['ss']\n"
OF_THE_PRODUCT = """def gradient_norms(ds_last, states, W):
    T, _, N = states.shape
    norms = np.zeros((T, N))
    for t, n in np.ndindex(T, N):
        norms[t, n] = np.linalg.norm(jacobian_product(states[t + 1 :, :, n : n + 1], W).T @ ds_last[:, n])
    return norms
"""


@pytest.mark.parametrize(
    ("notebook", "wrong", "made_of_it"),
    [
        ("00_start_here", WRONG_SLOPE, OF_THE_SLOPE),
        ("03_vanishing_and_exploding_gradients", WRONG_PRODUCT, OF_THE_PRODUCT),
    ],
)
def test_what_is_made_of_an_earlier_answer_does_not_pay_for_its_mistake(
    grader_of, notebook, wrong, made_of_it
):
    """No reference calls these earlier ones, but a hint says so, or the text before leads there."""
    names = [code.partition("(")[0].removeprefix("def ") for code in (wrong, made_of_it)]
    card = grader_of(notebook).grade(submission(notebook, dict(zip(names, (wrong, made_of_it), strict=True))))
    assert [shares(card)[name] for name in names] == [0, 1]


def test_what_one_exercise_spoils_for_another_costs_nothing(grader_of):
    """Also where the spoilt answer is just what a known mistake gives."""
    master = master_of(TINY.name)
    spoils = master.exercises["rnn_forward"].source.replace(
        "states = []", "active[0] = False\n    states = []"
    )
    spoilt = master.exercises["rnn_step_backward"].source.replace("(1 - s_t**2)", "d_tanh(s_t)")
    own = "active = [True]\ndef d_tanh(s): return 1 - s**2 if active[0] else 1.0"
    answers = {"rnn_forward": spoils, "rnn_step_backward": spoilt}
    card = grader_of(TINY.name).grade(submission(TINY.name, answers, own_cells=(own,)))
    assert set(shares(card).values()) == {1.0}


ENDS = "def rnn_forward(xs, s0, W):\n    import os\n    os._exit(0)\n"
NOT_YET = """calls = []
def rnn_step(x_t, s_prev, W):
    calls.append(1)
    if len(calls) < 3:
        raise ValueError("not yet")
    return 0 * s_prev
"""


def test_a_mistake_is_named_also_where_another_exercise_ended_the_process(grader_of):
    source = master_of(TINY.name).exercises["rnn_step_backward"].source
    answers = {"rnn_forward": ENDS, "rnn_step_backward": source.replace("(1 - s_t**2)", "1")}
    _, _, backward = grader_of(TINY.name).grade(submission(TINY.name, answers)).judgements
    assert backward.name == "rnn_step_backward"
    assert backward.misconception == "derivative of tanh missing"


def test_mistakes_before_and_after_the_one_that_ends_the_process_are_named(grader_of):
    master = master_of(TINY.name)
    step = master.exercises["rnn_step"].source.replace("np.tanh(", "(")
    backward = master.exercises["rnn_step_backward"].source.replace("(1 - s_t**2)", "1")
    answers = {"rnn_step": step, "rnn_forward": ENDS, "rnn_step_backward": backward}
    judgements = grader_of(TINY.name).grade(submission(TINY.name, answers)).judgements
    named = [[d.name for d in judgement.diagnoses] for judgement in judgements]
    assert named[0] == ["tanh missing"]
    assert named[2] == ["derivative of tanh missing"]
    assert any("the code ended its process" in str(c.finding) for c in judgements[1].checks)


def test_slow_answers_do_not_take_each_others_time(grader_of):
    master = master_of(TINY.name)
    begins = "    ### BEGIN SOLUTION\n"
    answers = {
        name: exercise.source.replace(begins, f"{begins}    import time\n    time.sleep({seconds})\n")
        for (name, exercise), seconds in zip(master.exercises.items(), (0.02, 0.5, 0.5), strict=True)
    }
    card = grader_of(TINY.name).grade(submission(TINY.name, answers))
    assert [(j.share, j.follow_through) for j in card.judgements] == [(1.0, False)] * 3


def test_what_is_said_of_an_answer_and_what_is_found_come_from_one_process(grader_of):
    """In the common process `rnn_step` answers when it is called here, in a fresh one it does not yet."""
    source = master_of(TINY.name).exercises["rnn_forward"].source
    twice = source.replace("np.stack(states)", "np.stack(states + states)")
    card = grader_of(TINY.name).grade(submission(TINY.name, {"rnn_step": NOT_YET, "rnn_forward": twice}))
    _, forward, _ = card.judgements
    assert [d.name for d in forward.diagnoses] == ["the answer changes from call to call"]
    assert "same answer twice" in [check.name for check in forward.checks]
    assert any("not right yet" in note for note in forward.notes)


def test_a_fault_of_ours_leaves_no_process_and_no_file_over(grader_of, monkeypatch):
    grader = grader_of(TINY.name)
    grader.grade(submission(TINY.name))
    files = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(attempt, "judge", lambda *_, **__: 1 // 0)
    with pytest.raises(ZeroDivisionError) as fault:
        grader.grade(submission(TINY.name))
    assert len(os.listdir("/proc/self/fd")) == files, fault


def test_a_function_that_another_exercise_removes_keeps_its_marks(grader_of):
    removes = STEP.replace(
        "    ### BEGIN SOLUTION", "    globals().pop('rnn_forward', 0)\n    ### BEGIN SOLUTION"
    )
    card = grader_of(TINY.name).grade(submission(TINY.name, {"rnn_step": removes}))
    assert set(shares(card).values()) == {1.0}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("x = 1", "there is no function `rnn_step`; its name and its cell must stay as they are"),
        (
            f"@cached\n{STEP}",
            "NameError: name 'cached' is not defined; no cell that is run for a grade sets it",
        ),
        (
            "def rnn_step(x_t, s_prev, W:\n    pass",
            "your answer's cell stops: the cell cannot be read as Python",
        ),
    ],
)
def test_why_a_function_is_missing_is_said(grader_of, answer, said):
    card = grader_of(TINY.name).grade(submission(TINY.name, {"rnn_step": answer}))
    (judgement,) = [j for j in card.judgements if j.name == "rnn_step"]
    assert judgement.share == 0
    assert said in as_text(judgement)
    assert len(judgement.checks) == 1


@pytest.mark.parametrize(
    ("cell", "nothing"),
    [
        ("import numpy as np\ndef f(x, eps=1e-6):\n    y = np.zeros(3)\n    y[0] = x\n    return y", True),
        ("def f(x): return x\n'a note'", True),
        ("kept = []", False),
        ("def f(x, kept=[]): return x", False),
        ("def f(x):\n    global g\n    g = x", False),
        ("def f(x):\n    f.last = x", False),
        ("def f(x):\n    np.random.seed(0)", False),
        ("def f(x):\n    globals()['g'] = x", False),
        ("def f(x):\n    import sys\n    sys.modules", False),
        ("import sys\ndef f(x): return x", False),
        ("@cache\ndef f(x): return x", False),
        ("class A: pass", False),
        ("def f(x): return x.__dict__", False),
        ("not python (", True),  # nothing of it is run
    ],
)
def test_code_that_keeps_nothing_is_told_from_code_that_might(cell, nothing):
    assert keeps_nothing(parse(cell)) is nothing


def test_memory_beyond_the_room_is_refused_and_the_room_is_given_back():
    with pytest.raises(MemoryError), room_for(64 << 20):
        np.ones(32 << 20)
    assert np.ones(32 << 20).size == 32 << 20
