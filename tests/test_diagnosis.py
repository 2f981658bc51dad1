"""A diagnosis is a claim: it is said where all that it implies holds, and at the line that is to blame."""

import ast
import linecache
import warnings

import numpy as np
import pytest
from course import TINY, frozen_checks, frozen_sheet, master_of, submission

from autograder.answers.compare import compare
from autograder.answers.finding import Kind, stopped
from autograder.answers.leaf import Leaf
from autograder.answers.outcome import Place, StudentError, at_own_line
from autograder.check import caller, judge_here
from autograder.judging.judge import judge
from autograder.report.feedback import as_text, where_to_look
from autograder.report.sentences import sentence
from autograder.sheets.mistake import same_trace, trace_of
from autograder.sheets.spellings import written_out

HEAD = "def rnn_forward(xs, s0, W):\n    states, s = [], s0\n    for x in xs:\n"
TAIL = "        states.append(s)\n    return np.array(states)\n"


def checked(source, name="rnn_forward"):
    """What the check finds of a cell, with the references around it."""
    namespace = dict(master_of(TINY.name).reference)
    place = f"<ipython-input-{abs(hash(source))}>"
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
    exec(compile(source, place, "exec"), namespace)
    checks = frozen_checks(TINY.name)
    return judge_here(checks, checks.sheet(name), namespace[name])


# ---------------------------------------------------------------- where


def test_an_error_inside_a_right_function_is_placed_at_the_call():
    judgement = checked(HEAD + "        s = rnn_step(s, x, W)\n" + TAIL)
    error = judgement.checks[0].finding.error
    assert (error.source.strip(), error.inside) == ("s = rnn_step(s, x, W)", "rnn_step")
    assert judgement.misconception == "a call of `rnn_step` with arguments that do not fit"


def test_in_the_sandbox_too(grader_of):
    card = grader_of(TINY.name).grade(
        submission(TINY.name, {"rnn_forward": HEAD + "        s = rnn_step(s, x, W)\n" + TAIL})
    )
    judgement = next(one for one in card.judgements if one.name == "rnn_forward")
    error = judgement.checks[0].finding.error
    assert (error.source.strip(), error.inside) == ("s = rnn_step(s, x, W)", "rnn_step")


def test_a_place_is_the_last_before_what_is_right():
    places = [
        Place(0, 1, "mine", "", "mine"),
        Place(1, 2, "theirs", "", "theirs"),
        Place(2, 3, "deep", "", "deep"),
    ]
    error = at_own_line(StudentError("ValueError", "words"), places, lambda place: place.function == "theirs")
    assert (error.line, error.source, error.inside) == (1, "mine", "theirs")
    nobody = at_own_line(StudentError("ValueError", "words"), places, lambda place: False)
    assert (nobody.line, nobody.inside) == (3, "")


def test_a_line_of_another_function_is_not_said_to_be_the_answers():
    walk = HEAD + "        s = {}\n" + TAIL
    in_a_helper = "def mixed(x, s, W):\n    return x @ s\n" + walk.format("mixed(x, s, W)")
    place = "line 2 of the cell of `mixed`: `return x @ s`"
    assert where_to_look(checked(in_a_helper)) == f"It stopped in {place}"
    for own in (walk.format("x @ s"), walk.format("(lambda: x @ s)()")):
        assert where_to_look(checked(own)).startswith("It stopped in line 4 of your cell: `s = ")


def test_what_changes_its_callers_array_is_named():
    step = (
        'def rnn_step(x_t, s_prev, W):\n    new = np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)\n'
        "    s_prev[:] = new\n    return s_prev\n"
    )
    judgement = checked(step + HEAD + "        s = rnn_step(x, s, W)\n" + TAIL)
    assert judgement.misconception == "`rnn_step` changes `s_prev` in place"


def test_a_function_that_is_not_called_is_not_blamed(grader_of):
    wrong_step = 'def rnn_step(x_t, s_prev, W):\n    return np.tanh(W["ss"].T @ s_prev + W["sx"] @ x_t)\n'
    alone = HEAD + '        s = np.tanh(W["ss"].T @ s + W["sx"] @ x)\n' + TAIL
    judgement = checked(wrong_step + alone)
    assert not any("calls your" in note for note in judgement.notes)
    assert "in `rnn_step`" not in judgement.misconception
    card = grader_of(TINY.name).grade(submission(TINY.name, {"rnn_step": wrong_step, "rnn_forward": alone}))
    graded = next(one for one in card.judgements if one.name == "rnn_forward")
    assert not any("calls your" in note for note in graded.notes)
    called = checked(wrong_step + HEAD + "        s = rnn_step(x, s, W)\n" + TAIL)
    assert "calls your `rnn_step`" in called.notes[0]
    assert "(in `rnn_step`)" in called.misconception


# ---------------------------------------------------------------- what


def test_a_mistake_is_not_named_where_it_would_spoil_what_is_right():
    """Everything but `dx` is what a missing slope gives; it would have given another `dx` as well."""
    reference = master_of(TINY.name).reference["rnn_step_backward"]

    def backward(ds, x_t, s_prev, s_t, W):
        dx, _, _ = reference(ds, x_t, s_prev, s_t, W)
        return dx, W["ss"].T @ ds, {"ss": ds @ s_prev.T, "sx": ds @ x_t.T}

    named = judge(frozen_sheet(TINY.name, "rnn_step_backward"), caller(backward)).misconception
    assert named
    assert "derivative of tanh missing" not in named.split(" and ")


def test_an_argument_without_effect_is_named_and_one_with_is_not():
    step = caller(lambda x_t, s_prev, W: np.tanh(3 * W["sx"] @ x_t + s_prev.shape[0]))
    judgement = judge(frozen_sheet(TINY.name, "rnn_step"), step)
    assert judgement.misconception == '`s_prev`, `W["ss"]` make no difference to the answer'


def test_what_the_forward_made_may_be_made_anew():
    reference = master_of(TINY.name).reference["rnn_step_backward"]

    def backward(ds, x_t, s_prev, s_t, W):
        return reference(ds, x_t, s_prev, np.tanh(W["ss"] @ s_prev) + np.tanh(W["sx"] @ x_t), W)

    (named,) = judge(frozen_sheet(TINY.name, "rnn_step_backward"), caller(backward)).diagnoses
    assert named.name == "`s_t` makes no difference to the answer"
    assert named.hint.startswith("Do you make it anew")


def test_of_two_slips_of_one_name_the_hint_is_that_of_the_one_that_was_made():
    """The candidate is returned where the gate belongs: that is in no line that makes the state."""
    reference = master_of("04_gating").reference["gated_step"]

    def step(x_t, s_prev, W):
        _, g_t, _ = reference(x_t, s_prev, W)
        pre_activation = W["ss"] @ s_prev + W["sx"] @ x_t
        return (1 - g_t) * s_prev + g_t * pre_activation, pre_activation, g_t

    named = judge(frozen_sheet("04_gating", "gated_step"), caller(step)).diagnoses
    assert next(d for d in named if d.where == "`candidate`").name == "`g_t` where `candidate` belongs"
    assert not any("Look at `s_t`" in d.hint for d in named)


def test_beside_another_mistake_a_declared_one_does_not_say_that_the_state_is_right():
    reference = master_of("04_gating").reference["gated_step"]

    def step(x_t, s_prev, W):
        _, g_t, candidate = reference(x_t, s_prev, W)
        return g_t * s_prev + (1 - g_t) * candidate, g_t, g_t * candidate

    named = judge(frozen_sheet("04_gating", "gated_step"), caller(step)).diagnoses
    assert {d.where for d in named} == {"`s_t`", "`candidate`"}
    assert not any("is right" in d.hint for d in named)


@pytest.mark.parametrize("number", [1e308, 5e-324, np.inf, np.nan])
def test_whatever_is_returned_the_judgement_itself_complains_of_nothing(number):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        judgement = judge(
            frozen_sheet(TINY.name, "rnn_step"), caller(lambda x_t, s_prev, W: number + 0 * s_prev)
        )
    assert judgement.status == "wrong" and judgement.printed == ""


def test_what_the_answer_itself_complains_of_is_shown():
    step = caller(lambda x_t, s_prev, W: np.log(-1 - s_prev**2))
    assert "invalid value encountered in log" in judge(frozen_sheet(TINY.name, "rnn_step"), step).printed


def test_what_a_loop_complains_of_in_every_round_is_shown_once():
    found = checked(HEAD + "        s = np.tanh(W['ss'] @ s + W['sx'] @ x) + 0 * np.sqrt(-1.0)\n" + TAIL)
    assert found.printed.count("invalid value encountered in sqrt") == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s * (1 + 1e-7), "right to about 7 digits only"),
        (lambda s: np.round(s, 3), "rounded to 3 decimals"),
        (lambda s: s.astype(np.float32).astype(float), "single precision (float32) on the way"),
        (
            lambda s: np.where(np.arange(s.shape[0])[:, None] == 0, 0, s),
            "some entries are 0 that should not be",
        ),
        (lambda s: np.full_like(s, s.flat[-1]), "the same number everywhere"),
        (lambda s: s[:, :-2], "another shape than asked for: too few sequences"),
        (lambda s: np.vstack([s, s[:1]]), "another shape than asked for: too many units"),
    ],
)
def test_numbers_that_are_nearly_right_are_told_apart(change, said):
    reference = master_of(TINY.name).reference["rnn_step"]
    judgement = judge(frozen_sheet(TINY.name, "rnn_step"), caller(lambda *a: change(reference(*a))))
    assert judgement.misconception == said


def test_numbers_are_printed_until_they_differ():
    found = compare(Leaf("s"), np.array([1.0844700001]), np.array([1.08447]), ("unit",), 1e-12, 0.0)
    assert "expected 1.08447, got 1.0844700001" in sentence(found)


@pytest.mark.parametrize(
    ("expression", "left", "right", "kind"),
    [
        ("a + b", "(3,3)", "(3,4)", Kind.UNFIT_SUM),
        ("a += b", "(3,3)", "(3,4)", Kind.UNFIT_SUM),
        ("a * b", "(3,3)", "(3,4)", Kind.UNFIT_ENTRIES),
        ("", "(3,3)", "(3,4)", Kind.UNFIT_ENTRIES),
        ("p - onehot", "(3,4)", "(4,3)", Kind.UNFIT_TRANSPOSED),
        ("e / e.sum(axis=1)", "(3,4)", "(3,)", Kind.UNFIT_AXIS),
        ("e / np.sum(e, 1)", "(3,4)", "(3,)", Kind.UNFIT_AXIS),
        ("e / e.sum(axis=-1)", "(3,4)", "(3,)", Kind.UNFIT_AXIS),
        ("e / e.sum(axis=1)", "(4,3)", "(4,)", Kind.UNFIT_KEPT),
        ("e / total", "(3,4)", "(3,)", Kind.UNFIT_ENTRIES),
    ],
)
def test_operators_are_read(expression, left, right, kind):
    words = f"operands could not be broadcast together with shapes {left} {right} "
    error = StudentError("ValueError", words, None, 1, expression, expression)
    found = stopped(error, "predict", [(3, 4)], ("class", "sequence"))
    assert found.kind is kind
    assert not found.axis or found.axis == "sequence"


def test_a_question_ends_before_the_called_function_is_named():
    words = "operands could not be broadcast together with shapes (4,3) (4,4) "
    error = StudentError("ValueError", words, None, 2, "d = step(s, W)", "(1 - s**2) * W", "step")
    said = sentence(stopped(error))
    assert "meant? Inside `step`, which is right: look at your call, in line 2 `d = step(s, W)`" in said


@pytest.mark.parametrize(
    "words",
    [
        "matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature "
        "(n?,k),(k,m?)->(n?,m?) (size 3 is different from 4)",
        "shapes (5,4) and (3,5) not aligned: 4 (dim 1) != 3 (dim 0)",
    ],
)
def test_both_of_numpys_products_are_put_in_words(words):
    found = stopped(StudentError("ValueError", words))
    assert (found.kind, found.got, found.asked) == (Kind.UNFIT_PRODUCT, 3, 4)


@pytest.mark.parametrize("right_side", [np.ones((1, 7)), np.ones(4)])
def test_a_system_of_equations_is_no_product(right_side):
    with pytest.raises(ValueError) as raised:
        np.linalg.solve(np.eye(3), right_side)
    found = stopped(StudentError("ValueError", str(raised.value)))
    assert (found.kind, found.got, found.asked) == (Kind.UNFIT_SOLVE, len(right_side), 3)


def test_a_crash_is_said_once():
    def step(ds, x_t, s_prev, s_t, W):
        raise ValueError("only this")

    assert as_text(judge(frozen_sheet(TINY.name, "rnn_step_backward"), caller(step))).count("only this") == 1


def test_a_cell_that_is_no_python_has_a_name_in_the_grade(grader_of):
    broken = "def rnn_step(x_t, s_prev, W):\n    return np.tanh(W['ss'] @ s_prev\n"
    card = grader_of(TINY.name).grade(submission(TINY.name, {"rnn_step": broken}))
    judgement = next(one for one in card.judgements if one.name == "rnn_step")
    assert judgement.misconception == "the cell is no Python"


# ---------------------------------------------------------------- how mistakes are made and known again


def function(source):
    return ast.parse(source).body[0]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(a):\n    b = 2 * a\n    return b + b", "def f(a):\n    return 2 * a + 2 * a"),
        ("def f(W):\n    return sum(W[k + 'h'] for k in 'fi')", "def f(W):\n    return W['fh'] + W['ih']"),
        ("def f(a):\n    d = {'x': 2 * a}\n    return d['x']", "def f(a):\n    return 2 * a"),
        (
            "def f(a):\n    d = {}\n    for k in 'xy':\n        d[k] = 2 * a\n    return d",
            "def f(a):\n    d = {}\n    d['x'] = 2 * a\n    d['y'] = 2 * a\n    return d",
        ),
        # What is changed in place, or means several things, stays.
        (
            "def f(a):\n    b = 2 * a\n    b += 1\n    return b",
            "def f(a):\n    b = 2 * a\n    b += 1\n    return b",
        ),
        (
            "def f(a):\n    b = 2 * a\n    b[0] = 1\n    return b",
            "def f(a):\n    b = 2 * a\n    b[0] = 1\n    return b",
        ),
    ],
)
def test_a_solution_is_written_out(source, expected):
    made, _ = written_out(function(source))
    assert ast.unparse(made) == expected


RIGHT = np.random.default_rng(0).normal(size=(3, 4))
WRONG = RIGHT + np.random.default_rng(1).normal(size=(3, 4))


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (WRONG, True),
        (WRONG.astype(np.float32), True),
        (WRONG + 1e-3, False),
        (WRONG.T, False),
        (WRONG[::-1], False),
        (np.where(WRONG > 1, np.nan, WRONG), False),
        (np.where(WRONG > 1, np.inf, WRONG), False),
        (RIGHT, False),
    ],
)
def test_a_wrong_array_is_known_again_by_four_numbers(other, is_same):
    right = trace_of(RIGHT, RIGHT)
    assert same_trace(trace_of(other, RIGHT), trace_of(WRONG, RIGHT), right) == is_same


def test_what_is_close_to_the_right_answer_must_match_more_closely():
    right, near = trace_of(RIGHT, RIGHT), trace_of(RIGHT * (1 + 1e-7), RIGHT)
    assert same_trace(trace_of(RIGHT * (1 + 1e-7), RIGHT), near, right)
    assert not same_trace(trace_of(RIGHT * (1 + 2e-7), RIGHT), near, right)
