"""Marks do not depend on the course's key: every key's draws tell the same mistakes.

`make keys` tries 300 keys, and also the mistakes that are made in functions which an exercise needs.
"""

import os
import shutil

import pytest
from course import LONG, NOTEBOOKS, TINY, exercises_of, folder_of, master_of, submission

from autograder.answers.leaf import Leaf
from autograder.course.masters import read_master
from autograder.errors import CourseError
from autograder.grading.grade import Grader
from autograder.release.build import MANY_KEYS, PUBLIC_KEY, validate
from autograder.sheets.drawn import drawn_cases, fresh_sheets
from autograder.sheets.sheet import asks_zeros, differs
from autograder.sheets.telling import told_by_chance, too_small

KEYS = [f"key {number}" for number in range(int(os.environ.get("KEYS", len(MANY_KEYS) if LONG else 6)))]
EXERCISES = exercises_of(*NOTEBOOKS)
# Where models are trained each mistake is tried under some of the keys, the next one under the next keys.
SOME = 6
JACOBIANS = "03_vanishing_and_exploding_gradients"


@pytest.mark.ci
@pytest.mark.parametrize(("notebook", "exercise"), EXERCISES)
def test_what_a_case_tells_is_the_same_for_every_key(notebook, exercise):
    master = master_of(notebook)
    spec = master.exercises[exercise].spec
    drawn = [drawn_cases(master, exercise, key) for key in KEYS]
    each = SOME if "torch" in master.packages and len(KEYS) <= 30 else None
    chances = told_by_chance(master, exercise, drawn, needed=len(KEYS) > 30, each=each)
    assert not [str(chance) for chance in chances], "change the draw: CONTRIBUTING.md, 'exercises.py'"
    assert not [place for cases in drawn for place in too_small(cases, spec)]
    zeros_pass = [
        case.words
        for cases in drawn
        for case in cases
        if not (case.is_edge and asks_zeros(case))
        and not any(differs(0 * expected, expected, spec) for expected in case.expected.values())
    ]
    assert not zeros_pass


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        # One step or one number: nothing to be put in another order.
        ("product = product @ step_jacobian(s_t, W)", {"one step (T = 1)", "one unit (H = 1)"}),
        ("product = step_jacobian(s_t, W).T @ product", {"one unit (H = 1)"}),
    ],
)
def test_three_courses_give_a_wrong_answer_the_same_mark(wrong, told):
    source = master_of(JACOBIANS).exercises["jacobian_product"].source
    right = "product = step_jacobian(s_t, W) @ product"
    assert source.count(right) == 1
    content = submission(JACOBIANS, {"jacobian_product": source.replace(right, wrong)})
    edges = master_of(JACOBIANS).exercises["jacobian_product"].spec.edge_cases
    shares = set()
    for key in (os.urandom(8).hex() for _ in range(3)):
        with Grader(folder_of(JACOBIANS), key) as grader:
            card = grader.grade(content)
        judgement = next(j for j in card.judgements if j.name == "jacobian_product")
        passed = {check.name for check in judgement.checks if check.is_edge and check.passed}
        assert passed == told, key
        assert "a long sequence (T = 30)" in edges.keys() - passed
        shares.add(judgement.share)
    assert len(shares) == 1


# ---------------------------------------------------------------- a draw that is not well made is refused


def tiny_course(folder, old, new):
    """The tiny notebook, with some text of its `exercises.py` changed."""
    shutil.copytree(TINY, folder / TINY.name, ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / TINY.name / "exercises.py"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    return read_master(folder / TINY.name)


def refusal(master):
    with pytest.raises(CourseError) as error:
        validate(master, fresh_sheets(master, PUBLIC_KEY))
    return str(error.value)


EDGE = '{"one sequence (N = 1)": partial(backward_inputs, N=1)}'


def test_a_case_that_tells_by_chance_is_named_with_its_mistake_and_how_often(tmp_path):
    draw = "lambda rng: backward_inputs(rng) | {'s_t': np.full((3, 2), rng.integers(2) / 2)}"
    master = tiny_course(tmp_path, EDGE, f'{{"a coin is tossed": {draw}}}')
    drawn = [drawn_cases(master, "rnn_step_backward", key) for key in MANY_KEYS]
    tossed = sum(cases[-1].inputs["s_t"].any() for cases in drawn)
    assert 0 < tossed < len(MANY_KEYS)
    words = refusal(master)
    assert f"'a coin is tossed' tells 'derivative of tanh missing' under {tossed} of 30 keys" in words
    assert "of 'rnn_step_backward'" in words
    assert "(and 1 more like it)" in words
    assert "Change the draw so that it tells this always or never" in words


@pytest.mark.parametrize("factor", [1e-7, 1e-9])
def test_an_answer_too_small_to_be_compared_is_refused(tmp_path, factor):
    draw = f"lambda rng: {{k: v * {factor} if k == 'ds' else v for k, v in backward_inputs(rng).items()}}"
    words = refusal(tiny_course(tmp_path, EDGE, f'{{"hardly a gradient": {draw}}}'))
    assert "of 'rnn_step_backward', `dx` in 'hardly a gradient' may be so small" in words
    assert "atol=0" in words


def test_with_no_absolute_tolerance_small_answers_are_compared_by_their_digits(tmp_path):
    draw = "lambda rng: {k: v * 1e-9 if k == 'ds' else v for k, v in backward_inputs(rng).items()}"
    edge = f'{{"hardly a gradient": {draw}}},\n    atol=0.0'
    master = tiny_course(tmp_path, EDGE, edge)
    validate(master, fresh_sheets(master, PUBLIC_KEY))


def test_zeros_that_are_right_under_some_key_are_refused(tmp_path):
    edge = '{"one sequence (N = 1)": partial(step_inputs, N=1)}'
    state = "np.full((3, 2), float(rng.random() < 0.8))"
    draw = f"lambda rng: step_inputs(rng, D=3) | dict.fromkeys(['x_t', 's_prev'], {state})"
    master = tiny_course(tmp_path, edge, f'{{"sometimes nothing": {draw}}}')
    assert drawn_cases(master, "rnn_step", PUBLIC_KEY)[-1].expected[Leaf("s_t")].any()
    words = refusal(master)
    assert "'rnn_step' for 'sometimes nothing' is right when zeros" in words
