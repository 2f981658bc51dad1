"""Functions of ours that answer in place of the student's own."""

import time

import numpy as np
import pytest

from autograder.answers.outcome import Opaque
from autograder.sandbox import session as session_module
from sandbox.calls import answer, answers, still_works


def test_a_stand_in_answers_in_place_of_the_students_own(sandbox):
    source = """
    def step(x, scale): return np.zeros_like(x)
    def f(x):
        for t in range(3):
            x, note = step(x, scale=2.0)
        return x
    """
    double = {"step": lambda x, scale: (x * scale, None)}
    first, second = answers(sandbox, source, (np.ones(2),), (np.ones(2) * 2,), standins=double)
    assert first.value.tolist() == [8.0, 8.0] and second.value.tolist() == [16.0, 16.0]


def test_a_stand_in_that_fails_says_nothing_of_itself(sandbox):
    def secret(x):
        raise RuntimeError("the hidden reference at /work")

    source = "def f(x):\n    try: return step(x)\n    except ValueError as e: print(e); raise"
    outcome = answer(sandbox, source, standins={"step": secret})
    assert outcome.error.kind == "ValueError"
    assert "secret" not in outcome.printed + outcome.error.message
    assert "/work" not in outcome.printed + outcome.error.message


def test_stand_ins_are_asked_a_bounded_number_of_times(sandbox):
    source = "def f(x):\n    while True: step(x)"
    assert answer(sandbox, source, standins={"step": lambda x: x}).error.kind == "time"
    still_works(sandbox)


@pytest.mark.parametrize(
    "hostile", ["2**62", "np.zeros((1000, 0, 100))", "np.zeros(20000)", "object()", "[[]]"]
)
def test_a_stand_in_is_not_asked_what_would_make_it_labour(sandbox, hostile):
    asked = []

    def step(x):
        asked.append(x)
        return x.shape

    source = f"def f(x):\n    try: step({hostile})\n    except ValueError: return x"
    assert answer(sandbox, source, standins={"step": step}).error is None
    assert all(isinstance(x, (Opaque, list)) for x in asked)


def test_slow_stand_ins_do_not_cost_the_student_time_but_have_a_bound(sandbox, monkeypatch):
    monkeypatch.setattr(session_module, "STANDIN_SHARE", 2)

    def slow(x):
        time.sleep(0.15)
        return x

    source = "def f(n):\n    for _ in range(n): step(1.0)\n    return n"
    assert answer(sandbox, source, 4, standins={"step": slow}).error is None
    assert answer(sandbox, source, 9, standins={"step": slow}).error.kind == "time"
