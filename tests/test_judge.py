"""What the judge says of answers of every kind, with the tiny notebook."""

from dataclasses import replace

import numpy as np
import pytest
from course import KEY, TINY, frozen_sheet, master_of

from autograder.answers.finding import Kind, stopped
from autograder.answers.outcome import StudentError
from autograder.answers.time_limit import TimeLimit
from autograder.check import caller
from autograder.judging.backward import WrongForward
from autograder.judging.judge import judge
from autograder.report.feedback import as_html, as_text, where_to_look
from autograder.report.sentences import sentence
from autograder.sheets.drawn import own_sheet
from autograder.sheets.sheet import asks_zeros

REFERENCE = master_of(TINY.name).reference
UNKNOWN = WrongForward(REFERENCE["rnn_step"])


def judged(exercise, function, forward=None, state=None):
    return judge(frozen_sheet(TINY.name, exercise), caller(function), forward and caller(forward), state)


def step_with(change):
    return lambda x_t, s_prev, W: change(REFERENCE["rnn_step"](x_t, s_prev, W), x_t, s_prev, W)


def prints_instead(x_t, s_prev, W):
    print(REFERENCE["rnn_step"](x_t, s_prev, W))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s, *_: s.astype(np.float32), "float32 results"),
        (lambda s, *_: -s, "wrong sign"),
        (lambda s, *_: np.zeros_like(s), "only zeros"),
        (lambda s, *_: s / s.shape[1], "too small by a factor, the number of sequences"),
        (lambda s, *_: s * s.shape[1], "too large by a factor, the number of sequences"),
        (lambda s, *_: -s / s.shape[1], "the number of sequences, and of the wrong sign"),
        (lambda s, *_: s.T.reshape(s.shape), "the right numbers in other places"),
        (lambda s, *_: 3.5 * s, "a constant factor of 3.5"),
        (lambda s, *_: s.astype(int), "integer results"),
        (lambda s, *_: s + np.random.default_rng().normal(), "changes from call to call"),
    ],
)
def test_mistakes_of_every_sort_are_named_without_a_mutant(change, said):
    judgement = judged("rnn_step", step_with(change))
    assert judgement.status == "wrong"
    assert judgement.share <= 0.25  # an average is right for one sequence
    assert said in judgement.misconception


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s, *_: s.T, "transposed"),
        (lambda s, *_: s.ravel(), "merged or split"),
        (lambda s, *_: (s,), "comma"),
        (lambda s, *_: (s, s), "only `s_t` is asked for"),
        (lambda s, *_: {"s": s}, "dict"),
        (lambda s, *_: None, "returns nothing"),
        (lambda s, *_: "text", "not an array"),
        (lambda s, *_: (x for x in s), "generator"),
        (lambda s, *_: s + np.nan, "nan"),
        (lambda s, *_: s.astype(object), "not"),
        (lambda s, *_: 1 / 0, "ZeroDivisionError"),
        (lambda s, *_: s @ s, "do not fit in a product"),
    ],
)
def test_an_answer_of_another_form_is_told_what_is_asked(change, said):
    judgement = judged("rnn_step", step_with(change))
    assert judgement.share == 0
    assert said in as_text(judgement)


def test_a_function_that_prints_is_told_to_return():
    judgement = judged("rnn_step", prints_instead)
    assert "returns nothing" in as_text(judgement)
    assert judgement.printed


@pytest.mark.parametrize(
    "change",
    [
        lambda s, *_: s.tolist(),
        lambda s, *_: list(s),
        lambda s, *_: np.asfortranarray(s),
        lambda s, *_: s[::-1][::-1],
        lambda s, *_: np.asmatrix(s),
        lambda s, *_: s.astype(np.longdouble),
    ],
)
def test_a_right_answer_in_another_container_passes(change):
    assert judged("rnn_step", step_with(change)).status == "right"


def test_a_list_for_an_array_passes_with_a_note():
    judgement = judged("rnn_step", step_with(lambda s, *_: s.tolist()))
    assert "you return a list" in judgement.notes[0]
    assert judged("rnn_step", REFERENCE["rnn_step"]).notes == []


def test_floats_where_integers_are_asked_for_pass_with_a_note():
    right = master_of("09_looking_inside").reference["sample"]
    sheet = frozen_sheet("09_looking_inside", "sample")
    assert judge(sheet, caller(right)).notes == []

    def sample(logits, temperature, u):
        probabilities, chosen = right(logits, temperature, u)
        return probabilities, chosen.astype(float)

    judgement = judge(sheet, caller(sample))
    assert judgement.status == "right"
    assert "`chosen` is an array of floats where integers" in judgement.notes[0]


def test_where_one_value_is_returned_for_two_only_the_return_is_pointed_at():
    right = master_of("09_looking_inside").reference["sample"]
    sheet = frozen_sheet("09_looking_inside", "sample")
    judgement = judge(sheet, caller(lambda logits, temperature, u: right(logits, temperature, u)[0]))
    assert where_to_look(judgement) == "In your `return`: of the numbers nothing is known yet."


def test_an_answer_that_changes_its_input_passes_with_a_note():
    def step(x_t, s_prev, W):
        s_prev *= 1.0
        x_t[:] = W["sx"].sum() * 0 + x_t
        s = REFERENCE["rnn_step"](x_t, s_prev, W)
        s_prev += 1
        return s

    judgement = judged("rnn_step", step)
    assert judgement.status == "right"
    assert "`rnn_step` changes `s_prev` in place" in judgement.notes[0]


def test_one_array_for_all_calls_is_wrong_and_named():
    """Each answer is right when it is returned, and another one a call later."""
    returned = []

    def step(x_t, s_prev, W):
        for earlier in returned:
            earlier += 1
        returned.append(REFERENCE["rnn_step"](x_t, s_prev, W))
        return returned[-1]

    judgement = judged("rnn_step", step)
    assert judgement.share == 0
    assert judgement.misconception == "one array for all calls"


def test_two_mistakes_in_two_outputs_are_both_named():
    def backward(ds, x_t, s_prev, s_t, W):
        dx, _, _ = REFERENCE["rnn_step_backward"](ds, x_t, s_prev, s_t, W)
        wrong = ds * (1 - np.tanh(s_t) ** 2)
        return dx, W["ss"].T @ wrong, {"ss": ds @ s_prev.T, "sx": ds @ x_t.T}

    judgement = judged("rnn_step_backward", backward)
    named = {d.name: d.where for d in judgement.diagnoses}
    assert named["tanh applied twice, in part"] == "`ds_prev`"
    assert named["derivative of tanh missing, in part"] == "`dW`"
    assert 0 < judgement.share < 1


def test_beside_another_mistake_no_hint_says_that_all_else_is_right():
    def backward(spoil):
        def answer(ds, x_t, s_prev, s_t, W):
            dx, ds_prev, dW = REFERENCE["rnn_step_backward"](ds, x_t, s_prev, s_t, W)
            dx[0] = 0
            return dx, spoil(ds_prev), dW

        return answer

    alone = judged("rnn_step_backward", backward(lambda ds_prev: ds_prev)).diagnoses
    beside = judged("rnn_step_backward", backward(lambda ds_prev: -ds_prev)).diagnoses
    assert "The other entries there are right" in alone[0].hint
    zeros = next(d for d in beside if d.where == "`dx`")
    assert zeros.name == alone[0].name
    assert "right" not in zeros.hint


def test_values_returned_in_another_order_are_named():
    def backward(ds, x_t, s_prev, s_t, W):
        dx, ds_prev, dW = REFERENCE["rnn_step_backward"](ds, x_t, s_prev, s_t, W)
        return dW, dx, ds_prev

    assert judged("rnn_step_backward", backward).misconception == "returned in another order"


def test_what_was_seen_on_the_way_is_said_and_is_not_asked_for():
    def backward(ds, x_t, s_prev, s_t, W):
        dx, ds_prev, dW = REFERENCE["rnn_step_backward"](ds, x_t, s_prev, s_t, W)
        return dx, ds_prev, dW | {"ss": 0 * dW["ss"]}

    sheet = frozen_sheet(TINY.name, "rnn_step_backward")
    seen = {"ds_prev": "the state was not asked", 'dW["ss"]': "`{key}` was not asked"}
    sheet = replace(sheet, spec=replace(sheet.spec, watched=seen))
    assert judge(sheet, caller(backward)).misconception == "`ss` was not asked"
    nothing = judge(sheet, caller(lambda *_: (None, np.ones(3), None)))
    assert nothing.misconception == "nothing is returned"
    assert "(`None`); `dx` should be returned" in as_text(nothing)


def test_lists_of_indices_are_no_operation_entry_by_entry():
    judgement = judged("rnn_step", lambda x_t, s_prev, W: s_prev[np.arange(2), np.arange(3)])
    assert judgement.misconception == "lists of indices of different lengths"


def test_an_answer_wrong_at_the_edge_only_is_in_the_right_order():
    def backward(ds, x_t, s_prev, s_t, W):
        dx, ds_prev, dW = REFERENCE["rnn_step_backward"](ds, x_t, s_prev, s_t, W)
        return (x_t.shape[1] > 1) * dx, ds_prev, dW

    assert (
        judged("rnn_step_backward", backward).misconception
        == "wrong only where an axis has size 1: one sequence (N = 1)"
    )


def test_shapes_that_do_not_fit_are_told_without_numpys_words():
    judgement = judged("rnn_step", lambda x_t, s_prev, W: W["sx"] @ s_prev)
    assert "an axis of 4 meets an axis of 3" in as_text(judgement)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x_t, s_prev, W: W["ss"] * s_prev, "was a matrix product `@` meant?"),
        (lambda x_t, s_prev, W: np.array("W") * s_prev, "unpacking a dict gives its keys"),
    ],
)
def test_numpys_commonest_complaints_are_said_for_a_student(function, said):
    assert said in as_text(judged("rnn_step", function))


@pytest.mark.parametrize(
    ("left", "right", "kind"),
    [
        ((3, 3), (3, 2), Kind.UNFIT_ENTRIES),
        ((4, 3), (4,), Kind.UNFIT_ENTRIES),  # the other way round
        ((4, 2), (3, 2), Kind.UNFIT_OUTER),
        ((2, 3, 2), (3, 3, 2), Kind.UNFIT_LENGTHS),  # slices, one longer than the other
        ((1, 2), (4, 3), Kind.UNFIT_SHAPES),
    ],
)
def test_a_matrix_product_is_suggested_only_where_one_could_be_made(left, right, kind):
    shapes = f"{left} {right}".replace(", ", ",")
    message = f"operands could not be broadcast together with shapes {shapes}"
    error = StudentError("ValueError", message, expression="a * b")
    assert stopped(error, "f").kind is kind


def test_an_axis_that_is_not_there_is_told_by_those_that_are():
    judgement = judged("rnn_step", lambda x_t, s_prev, W: np.max(np.sum(s_prev, axis=0), 1))
    assert "It has one axis, number 0." in as_text(judgement)


def test_a_return_inside_the_loop_is_suspected():
    judgement = judged("rnn_forward", lambda xs, s0, W: REFERENCE["rnn_forward"](xs[:1], s0, W))
    assert "does `return` stand inside a loop?" in as_text(judgement)


def test_a_right_function_is_not_blamed_for_its_callers_mistake():
    def forward(xs, s0, W):
        transposed = {"ss": W["ss"].T, "sx": W["sx"]}
        return REFERENCE["rnn_forward"](xs, s0, transposed)

    sheet = frozen_sheet(TINY.name, "rnn_forward")
    assert judge(sheet, caller(forward)).misconception == "W_ss transposed (in `rnn_step`)"
    assert judge(sheet, caller(forward), right=frozenset({"rnn_step"})).misconception is None


def test_a_crash_is_not_taken_for_another_crash():
    def crash(x_t, s_prev, W):
        return s_prev[99]

    assert judged("rnn_step", crash).misconception == "an index beyond the end"


def right_backward_of(slope, recurrent=lambda W: W["ss"]):
    """The gradient of s_t = f(W s_prev + W_sx x_t), where f' is slope(s_t)."""

    def backward(ds, x_t, s_prev, s_t, W):
        dz = ds * slope(s_t)
        ss = dz @ s_prev.T if recurrent(W) is W["ss"] else s_prev @ dz.T
        return W["sx"].T @ dz, recurrent(W).T @ dz, {"ss": ss, "sx": dz @ x_t.T}

    return backward


def test_a_right_backward_of_a_known_wrong_forward_earns_its_marks():
    def forward(x_t, s_prev, W):
        return np.tanh(W["ss"].T @ s_prev + W["sx"] @ x_t)

    backward = right_backward_of(lambda s: 1 - s**2, lambda W: W["ss"].T)
    assert judged("rnn_step_backward", backward, REFERENCE["rnn_step"]).share < 0.5
    known = WrongForward(REFERENCE["rnn_step"], forward)
    assert judged("rnn_step_backward", backward, forward, known).share == 1
    # Slopes that are nothing like the reference's, of a mistake nobody knows: nothing.
    assert judged("rnn_step_backward", backward, forward, UNKNOWN).share < 0.5


def test_a_right_backward_of_an_unknown_wrong_forward_earns_half():
    def forward(x_t, s_prev, W):
        return 1 / (1 + np.exp(-(W["ss"] @ s_prev + W["sx"] @ x_t)))

    backward = right_backward_of(lambda s: s * (1 - s))
    assert judged("rnn_step_backward", backward, forward, UNKNOWN).share == 0.5
    wrong = right_backward_of(lambda s: s)
    assert judged("rnn_step_backward", wrong, forward, UNKNOWN).share == 0


@pytest.mark.parametrize("mistaken", [True, False])
def test_nothing_is_earned_by_the_gradient_of_a_forward_that_ignores_its_inputs(mistaken):
    def forward(x_t, s_prev, W):
        return np.zeros_like(s_prev)

    def backward(ds, x_t, s_prev, s_t, W):
        return 0 * x_t, 0 * s_prev, {"ss": 0 * W["ss"], "sx": 0 * W["sx"]}

    wrong = WrongForward(REFERENCE["rnn_step"], forward if mistaken else None)
    assert judged("rnn_step_backward", backward, forward, wrong).share == 0


def test_a_call_that_never_ends_is_told_where_it_is_and_spoils_no_other():
    def step(x_t, s_prev, W):
        while x_t.shape[1] == 1:
            pass
        return REFERENCE["rnn_step"](x_t, s_prev, W)

    sheet = frozen_sheet(TINY.name, "rnn_step")
    judgement = judge(sheet, caller(step, limit=TimeLimit(0.5)))
    assert judgement.share > 0
    assert not [d for d in judgement.diagnoses if "changes from call to call" in d.name]
    (failed,) = [check for check in judgement.checks if not check.passed]
    assert failed.is_edge and "did not come to an end in time" in sentence(failed.finding)


def test_a_wrong_gradient_is_located():
    def backward(ds, x_t, s_prev, s_t, W):
        dx, ds_prev, dW = REFERENCE["rnn_step_backward"](ds, x_t, s_prev, s_t, W)
        dW["sx"][1, 2] += 1
        return dx, ds_prev, dW

    judgement = judged("rnn_step_backward", backward, REFERENCE["rnn_step"])
    message = sentence(judgement.checks[-1].finding)
    assert 'dW["sx"]' in message
    assert "row 2 of 3, column 3 of 4" in message


def test_hostile_text_is_escaped_in_html():
    def step(x_t, s_prev, W):
        print("<script>alert(1)</script>")
        raise ValueError("<img src=x onerror=alert(1)>")

    page = as_html(judged("rnn_step", step))
    assert "<script" not in page
    assert "<img" not in page


def test_a_size_read_from_the_notebook_is_noted_and_a_transpose_is_not():
    from course import frozen_checks

    from autograder.check import judge_here

    notebook = {"np": np, "T": 60, "N": 2}
    exec("def rnn_step(x_t, s_prev, W):\n    return np.tanh((s_prev.T @ W['ss'].T).T / N)\n", notebook)
    exec("def transposes(x_t, s_prev, W):\n    return np.tanh((s_prev.T @ W['ss'].T).T)\n", notebook)
    checks, sheet = frozen_checks(TINY.name), frozen_sheet(TINY.name, "rnn_step")
    assert "`N` is read from the notebook" in judge_here(checks, sheet, notebook["rnn_step"]).notes[-1]
    assert judge_here(checks, sheet, notebook["transposes"]).notes == []


def test_zeros_earn_nothing_where_an_edge_case_asks_for_them():
    """03 asks for a gradient of zeros: it counts beside an output that is right elsewhere."""
    sheet = frozen_sheet("03_vanishing_and_exploding_gradients", "clip_by_global_norm")
    assert any(asks_zeros(case) for case in sheet.cases)

    def lazy(gradients, max_norm):
        return {key: np.zeros_like(array) for key, array in gradients.items()}, 0.0

    assert judge(sheet, caller(lazy)).share == 0


SCAN = ("10_beyond", "parallel_scan")


def scanned(answer):
    """The share of an answer to the exercise that looks at how many rounds it takes, and how much memory."""
    master = master_of(SCAN[0])
    return judge(own_sheet(master, SCAN[1], KEY), caller(master.trying(SCAN[1], answer))).share


def test_what_is_seen_of_an_answer_that_does_nothing_earns_nothing():
    """Zeros take few rounds and little memory."""
    right = master_of(SCAN[0]).reference[SCAN[1]]
    assert scanned(right) == 1
    assert scanned(lambda factors, terms, s0: np.zeros_like(terms)) == 0
    assert scanned(lambda factors, terms, s0: None) == 0
    # A right scan that holds too much earns what is right of it.
    hoards = scanned(lambda *given: (right(*given), [np.ones(2000 * len(given[0]))])[0])
    assert 0 < hoards < 1
