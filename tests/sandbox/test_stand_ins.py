"""Functions of ours that answer in place of the student's own."""

import re
import signal
import time
from pathlib import Path

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


def test_slow_stand_ins_do_not_cost_the_student_time_but_have_a_bound(hasty, monkeypatch):
    monkeypatch.setattr(session_module, "STANDIN_SHARE", 2)

    def slow(x):
        time.sleep(0.15)
        return x

    source = "def f(n):\n    for _ in range(n): step(1.0)\n    return n"
    assert answer(hasty, source, 4, standins={"step": slow}).error is None
    assert answer(hasty, source, 9, standins={"step": slow}).error.kind == "time"


def most_memory():
    """Bytes that this process held at most."""
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])


@pytest.mark.parametrize(
    "hostile",
    [
        "[0.0] * 3000, [[0.0]] * 3000, [[[0.0]]] * 10",  # some KB, and 720 MB when they are added
        "[np.zeros(2000)], [np.zeros((2000, 1))] * 2, [np.zeros((1, 1))] * 25",
        "[np.zeros(2000), *[0.0] * 2000], 0, 0",
        "['x' * 10**6, *[''] * 3000]",
        "['x' * 900, *[''] * 3000]",
        "10_000, 10_000",
    ],
)
def test_a_stand_in_makes_no_gigabytes_of_lists_and_texts(sandbox, hostile):
    def step(x, *more):
        if isinstance(x, int):
            return np.zeros((x, *more)).sum()
        kind = object if len(x) == 2001 else None
        return sum((np.array(part) for part in more), start=np.array(x, kind)).size

    source = f"def f(x):\n    try: return step({hostile})\n    except ValueError: return x"
    Path("/proc/self/clear_refs").write_text("5")  # what was the most until now is forgotten
    before = most_memory()
    assert answer(sandbox, source, standins={"step": step}).error is None
    assert most_memory() - before < session_module.STANDIN_MEMORY * 1.2
    still_works(sandbox)


def test_a_list_is_as_good_as_an_array(sandbox):
    source = "def f(x): return step([[1.0, 2.0], [3.0, 4.0]], y=[x, x])"
    doubled = answer(sandbox, source, np.ones(2), standins={"step": lambda x, y: np.array(x) + np.array(y)})
    assert doubled.value.tolist() == [[2.0, 3.0], [4.0, 5.0]]


def test_no_two_parts_of_what_a_stand_in_gives_are_one_array(sandbox):
    def step(x):
        y = np.zeros((2, 3)).T
        return y, {"y": y}, [y]

    source = """
    def f(x):
        first, named, listed = step(x)
        first += 1
        return named["y"], listed[0], first.flags.c_contiguous
    """
    named, listed, is_in_order = answer(sandbox, source, standins={"step": step}).value
    assert not named.any() and not listed.any() and is_in_order


def test_a_number_that_makes_a_stand_in_count_for_ever_is_given_up(hasty, monkeypatch):
    monkeypatch.setattr(session_module, "STANDIN_SHARE", 1)

    def step(n):
        return sum(1 for _ in range(n) for _ in range(n))

    source = "def f(x):\n    try: return step(15_000)\n    except ValueError: return x"
    begun = time.monotonic()
    outcome = answer(hasty, source, standins={"step": step})
    assert outcome.error is None or outcome.error.kind == "time"
    assert time.monotonic() - begun < 5
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
    still_works(hasty)
