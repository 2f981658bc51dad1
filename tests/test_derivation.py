"""A general differentiator is told from a derivation, however slow or roundabout that is."""

import time
from dataclasses import replace

import numpy as np
import pytest
from attacks.differentiating import BY_SLOPES, CENTRAL, COMPLEX, DUAL, GIVEN, MIXED, OWN, PUSHED
from attacks.kit import indented
from course import KEY, NOTEBOOKS, frozen_checks, frozen_sheet, master_of, sampled, submission

from autograder.answers.calling import beside
from autograder.check import caller, judge_here
from autograder.course.exercise import Gradient
from autograder.judging.backward import trusted
from autograder.judging.derivation import Costs, differentiates, steps_aside
from autograder.judging.judge import asked, judge
from autograder.report.feedback import as_text
from autograder.report.sentences import sentence

NOTEBOOK, STEP = "02_backpropagation_through_time", "rnn_step_backward"
HEAD = "def rnn_step_backward(ds, x_t, s_prev, s_t, W):\n"
HELPERS = "import numpy as np\n" + COMPLEX + CENTRAL
GENERIC = {
    "complex steps": BY_SLOPES.format(slope="slope_by_complex_steps", forward=GIVEN),
    "complex steps through one's own forward": BY_SLOPES.format(slope="slope_by_complex_steps", forward=OWN),
    "complex steps, with the given state in the answer": MIXED,
    "differences": BY_SLOPES.format(slope="slope_by_differences", forward=GIVEN),
    "dual numbers": DUAL,
    "dual numbers, in lists": DUAL.replace("return x, s, ", "x, s = x.tolist(), s.tolist()\nreturn x, s, "),
    "pushed directions": PUSHED,
}
ANEW = 'W["ss"] @ s_prev + W["sx"] @ x_t'
DERIVED = {
    "with the given state": """
dz = ds * (1 - s_t**2)
return W["sx"].T @ dz, W["ss"].T @ dz, {"ss": dz @ s_prev.T, "sx": dz @ x_t.T}
""",
    "with the state computed anew": f"""
dz = ds * (1 - np.tanh({ANEW}) ** 2)
return W["sx"].T @ dz, W["ss"].T @ dz, {{"ss": dz @ s_prev.T, "sx": dz @ x_t.T}}
""",
    "anew, by cosh and einsum": f"""
dz = ds / np.cosh({ANEW}) ** 2
return (np.einsum("ij,in->jn", W["sx"], dz), np.einsum("ij,in->jn", W["ss"], dz),
        {{"ss": np.einsum("in,jn->ij", dz, s_prev), "sx": np.einsum("in,jn->ij", dz, x_t)}})
""",
    "anew, sequence by sequence": f"""
dz = ds * (1 - np.tanh({ANEW}) ** 2)
dx, back = np.zeros_like(x_t), np.zeros_like(s_prev)
dW = {{k: np.zeros_like(v) for k, v in W.items()}}
for n in range(dz.shape[1]):
    dx[:, n], back[:, n] = W["sx"].T @ dz[:, n], W["ss"].T @ dz[:, n]
    dW["ss"] += np.outer(dz[:, n], s_prev[:, n])
    dW["sx"] += np.outer(dz[:, n], x_t[:, n])
return dx, back, dW
""",
    "anew, number by number": """
H, N = s_prev.shape
D = len(x_t)
dx, back = np.zeros_like(x_t), np.zeros_like(s_prev)
dW = {k: np.zeros_like(v) for k, v in W.items()}
for n in range(N):
    for i in range(H):
        z = 0.0
        for j in range(H):
            z += W["ss"][i, j] * s_prev[j, n]
        for j in range(D):
            z += W["sx"][i, j] * x_t[j, n]
        dz = ds[i, n] * (1 - np.tanh(z) ** 2)
        for j in range(H):
            back[j, n] += W["ss"][i, j] * dz
            dW["ss"][i, j] += dz * s_prev[j, n]
        for j in range(D):
            dx[j, n] += W["sx"][i, j] * dz
            dW["sx"][i, j] += dz * x_t[j, n]
return dx, back, dW
""",
    "anew, in lists": f"""
dz = ds * (1 - np.tanh({ANEW}) ** 2)
return ((W["sx"].T @ dz).tolist(), (W["ss"].T @ dz).tolist(),
        {{"ss": (dz @ s_prev.T).tolist(), "sx": list(map(list, dz @ x_t.T))}})
""",
    "with the given state, number by number": """
H, N = s_prev.shape
D = len(x_t)
dx, back = np.zeros_like(x_t), np.zeros_like(s_prev)
dW = {k: np.zeros_like(v) for k, v in W.items()}
for n in range(N):
    for i in range(H):
        dz = ds[i, n] * (1 - s_t[i, n] ** 2)
        for j in range(H):
            back[j, n] += W["ss"][i, j] * dz
            dW["ss"][i, j] += dz * s_prev[j, n]
        for j in range(D):
            dx[j, n] += W["sx"][i, j] * dz
            dW["sx"][i, j] += dz * x_t[j, n]
return dx, back, dW
""",
}


def judged(body, sheet=None):
    """By the student's check: the public inputs, in this process."""
    master = master_of(NOTEBOOK)
    namespace = dict(master.reference)
    exec(HELPERS + HEAD + indented(body), namespace)
    forward = caller(namespace["rnn_step"])
    costs = Costs(trusted(namespace["rnn_step"]), time.process_time, time.process_time)
    sheet = sheet or frozen_sheet(NOTEBOOK, STEP)
    return judge(sheet, caller(namespace[STEP]), forward, costs=costs, aside=caller(beside(namespace[STEP])))


@pytest.mark.parametrize("way", GENERIC)
def test_a_general_differentiator_is_named_and_earns_half(way, grader_of):
    content = submission(NOTEBOOK, {STEP: HEAD + indented(GENERIC[way])}, own_cells=(HELPERS,))
    (graded,) = [j for j in grader_of(NOTEBOOK).grade(content).judgements if j.name == STEP]
    for judgement in (judged(GENERIC[way]), graded):
        assert judgement.misconception.startswith("a general method of differentiating")
        assert judgement.share == 0.5
        assert judgement.status == "wrong"
        text = as_text(judgement)
        assert "not derived" in text
        assert ("come from complex steps" if way.startswith("complex") else "`rnn_step`") in text
        # All else is right, and said to be so.
        assert [check.name for check in judgement.checks if not check.passed] == ["derivation"]


@pytest.mark.parametrize("way", DERIVED)
def test_no_derivation_is_taken_for_one(way, grader_of):
    content = submission(NOTEBOOK, {STEP: HEAD + indented(DERIVED[way])})
    (graded,) = [j for j in grader_of(NOTEBOOK).grade(content).judgements if j.name == STEP]
    for judgement in (judged(DERIVED[way]), graded):
        assert (judgement.status, judgement.share) == ("right", 1.0)


EVERY = [
    (NOTEBOOK, "rnn_backward(ds, xs, s0, states, W)", "ds * rnn_forward_batch(*a)", "xs, s0, W"),
    (
        "04_gating",
        "gated_step_backward(ds, x_t, s_prev, g_t, candidate, W)",
        "ds * gated_step(*a)[0]",
        "x_t, s_prev, W",
    ),
    (
        "06_lstm_backward",
        "lstm_step_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W)",
        "sum(u * y for u, y in zip((dh, dc), lstm_step(*a)))",
        "x_t, h_prev, c_prev, W",
    ),
]
ANY = """
def slope_of(f, args, place):
    def one(array, put):
        return slope_by_differences(lambda a: f(*args[:place], put(a), *args[place + 1:]), array)
    value = args[place]
    if isinstance(value, dict):
        return {key: one(value[key], lambda a, key=key: {**value, key: a}) for key in value}
    return one(value, lambda a: a)
"""


@pytest.mark.parametrize(("notebook", "head", "loss", "wrt"), sampled(EVERY, 3))
def test_it_is_named_in_every_backward(notebook, head, loss, wrt, grader_of):
    exercise = head.partition("(")[0]
    answer = (
        f"def {head}:\n    loss = lambda *a: ({loss}).sum()\n"
        f"    return tuple(slope_of(loss, [{wrt}], i) for i in range({len(wrt.split(','))}))\n"
    )
    content = submission(notebook, {exercise: answer}, own_cells=(HELPERS + ANY,))
    (graded,) = [j for j in grader_of(notebook).grade(content).judgements if j.name == exercise]
    assert graded.misconception.startswith("a general method of differentiating"), as_text(graded)
    assert graded.share in (0.5, 0.375)  # differences lose their digits in a long sequence


INSIDE = "09_looking_inside"
STEPPED = {
    "one look at what is given": (
        "entropy_slope",
        "def entropy_slope(logits, temperature):\n"
        "    return entropy(logits, temperature + 1e-30j).imag / 1e-30\n",
    ),
    "shares, in which the size of a step cancels": (
        "connectivity",
        """
def connectivity(xs, k, W, V):
    slopes, start = np.zeros(xs.shape), np.zeros((len(W["fb"]), xs.shape[2]))
    for t, c in np.ndindex(xs.shape[:2]):
        moved = xs.astype(complex)
        moved[t, c] += 1e-20j
        h, cell = start, start
        for x in moved:
            f, i, o = (1 / (1 + np.exp(-(W[q + "h"] @ h + W[q + "x"] @ x + W[q + "b"]))) for q in "fio")
            cell = f * cell + i * np.tanh(W["ch"] @ h + W["cx"] @ x + W["cb"])
            h = o * np.tanh(cell)
        z = V["yh"] @ h + V["yb"]
        slopes[t, c] = (z[k, np.arange(len(k))] - np.log(np.exp(z).sum(axis=0))).imag / 1e-20
    lengths = np.linalg.norm(slopes, axis=1)
    return lengths / lengths.sum(axis=0)
""",
    ),
}


@pytest.mark.skipif(INSIDE not in NOTEBOOKS, reason="the variable NOTEBOOKS leaves it out: unset it")
@pytest.mark.parametrize("way", STEPPED)
def test_complex_steps_earn_half_where_no_states_are_given(way):
    exercise, answer = STEPPED[way]
    namespace = dict(master_of(INSIDE).reference)
    exec(answer, namespace)
    judgement = judge_here(frozen_checks(INSIDE), frozen_sheet(INSIDE, exercise), namespace[exercise])
    assert judgement.status == "wrong" and judgement.share == 0.5
    assert "come from complex steps" in as_text(judgement)


HONEST = {
    "numbers that must be real": "s_prev, x_t = (np.asarray(a, dtype=float) for a in (s_prev, x_t))\n",
    "a branch": "if np.max(s_t) > 2 or s_t.min() < -2: raise ValueError('no tanh')\n",
    "buffers of real numbers": "real = np.zeros(s_t.shape); real[:] = s_t; s_t = real\n",
    "absolute values": "s_t = np.sign(s_t) * np.abs(s_t)\n",
    "number by number": "s_t = np.array([[float(s) for s in row] for row in s_t])\n",
}


@pytest.mark.parametrize("how", HONEST)
def test_who_does_not_know_complex_numbers_is_not_taken_for_one_who_steps_by_them(how):
    assert judged(HONEST[how] + DERIVED["with the given state"]).share == 1.0


def test_a_function_that_fails_beside_the_real_numbers_has_a_word_in_nothing():
    sheet = frozen_sheet(NOTEBOOK, STEP)
    right = master_of(NOTEBOOK).reference[STEP]
    answer = asked(sheet, caller(right))[0]

    def fails(*_):
        raise TypeError

    for function in (fails, lambda *_: None, lambda *a: right(*(np.real(x) for x in a[:4]), W=right)):
        assert not steps_aside(sheet, answer, caller(beside(function)))


def test_truth_values_come_from_no_complex_steps():
    sheet = frozen_sheet(NOTEBOOK, STEP)
    right = master_of(NOTEBOOK).reference[STEP]

    def compared(*arguments):
        dx, ds_prev, dW = right(*arguments)
        return dx > 0, ds_prev, dW

    answer = asked(sheet, caller(compared))[0]
    assert not steps_aside(sheet, answer, caller(beside(compared)))


@pytest.mark.parametrize("worth", [0.0, 0.25, 1.0])
def test_the_course_says_what_it_is_worth(worth):
    sheet = frozen_sheet(NOTEBOOK, STEP)
    gradient = replace(sheet.forward.gradient, underived=worth)
    judgement = judged(
        GENERIC["dual numbers"], replace(sheet, forward=replace(sheet.forward, gradient=gradient))
    )
    assert judgement.share == worth
    assert judgement.status == ("right" if worth == 1 else "wrong")
    assert judgement.misconception.startswith("a general method of differentiating")
    assert "not derived" in sentence(judgement.checks[-1].finding)


def test_what_a_course_declares_is_frozen_and_graded(tmp_path):
    assert Gradient("f", {}, {}).underived == 0.5
    import shutil

    from course import TINY

    from autograder.course.masters import read_master
    from autograder.sheets.drawn import fresh_sheets
    from autograder.sheets.frozen import FrozenChecks, freeze

    folder = tmp_path / TINY.name
    shutil.copytree(TINY, folder, ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "exercises.py"
    old = '"dW": "W"})'
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, '"dW": "W"}, underived=0.2)'))
    checks = tmp_path / "checks.safetensors"
    checks.write_bytes(freeze(TINY.name, fresh_sheets(read_master(folder), KEY)))
    assert FrozenChecks(checks).sheet(STEP).forward.gradient.underived == 0.2


def test_an_answer_that_uses_the_states_is_not_timed():
    """An honest right answer pays one more call, and no clock has a say in its mark."""
    sheet = frozen_sheet(NOTEBOOK, STEP)
    batches = []

    def call(batch):
        batches.append(len(batch))
        return caller(master_of(NOTEBOOK).reference[STEP])(batch)

    def no_clock():
        raise AssertionError("it was timed")

    answers = asked(sheet, call)
    assert not differentiates(sheet, sheet.forward, answers, call, Costs(no_clock, no_clock, no_clock))
    assert batches == [len(sheet.cases), 1]


def test_a_backward_whose_larger_case_fails_is_not_hit():
    body = "assert len(x_t) < 9, 'too large for me'\n" + DUAL.strip("\n")
    assert judged(body).status == "right"
