"""One budget for a submission: whatever it consists of, all of its sessions draw on it."""

import time
from dataclasses import replace

import pytest

from autograder.sandbox import Budget, Sandbox
from autograder.sandbox.deadline import BUSY_FACTOR
from sandbox.calls import HASTY

LIMITS = replace(HASTY, submission_seconds=1.2, submission_sessions=4, submission_standin_calls=70)
ENDLESS = "def f(x):\n    while True: pass"
FINE = "def f(x): return x"


@pytest.fixture(scope="module")
def tight():
    with Sandbox(limits=LIMITS) as warm:
        yield warm


def ask(sandbox, source, budget, **more):
    with sandbox.session([source], budget) as session:
        return session.call("f", [(1.0,)], **more)[0]


def test_no_number_of_sessions_makes_the_time_longer(tight):
    budget = Budget(LIMITS)
    begun = time.monotonic()
    errors = [ask(tight, ENDLESS, budget).error for _ in range(4)]
    # A busy machine may take some of it; what it takes is not the student's.
    assert time.monotonic() - begun < LIMITS.submission_seconds * (1 + BUSY_FACTOR)
    assert budget.seconds > -0.1
    assert {error.kind for error in errors} == {"time"}
    assert "as a whole" in errors[-1].message
    assert budget.spent


def test_cells_draw_on_the_same_time(tight):
    budget = Budget(LIMITS)
    for _ in range(2):
        with tight.session(["while True: pass"], budget) as session:
            session.run_cells()
    assert budget.spent
    assert "as a whole" in ask(tight, FINE, budget).error.message


def test_what_is_spent_by_one_is_not_spent_by_another(tight):
    spent = Budget(LIMITS)
    spent.seconds = 0.0
    assert ask(tight, FINE, spent).error.kind == "time"
    assert ask(tight, FINE, Budget(LIMITS)).error is None


def test_a_submission_has_so_many_sessions(tight):
    budget = Budget(LIMITS)
    errors = [ask(tight, FINE, budget).error for _ in range(6)]
    assert [error is None for error in errors] == [True] * 4 + [False] * 2
    assert "4 processes" in errors[-1].message


def test_stand_ins_are_counted_over_all_sessions(tight):
    source = "def f(x):\n    for _ in range(40): step(x)\n    return x"
    budget = Budget(LIMITS)
    first, second = (ask(tight, source, budget, standins={"step": lambda x: x}).error for _ in range(2))
    assert first is None
    assert second.kind == "time"


def test_honest_work_costs_what_it_takes(tight):
    budget = Budget(LIMITS)
    assert ask(tight, FINE, budget).error is None
    assert LIMITS.submission_seconds - 0.3 < budget.seconds < LIMITS.submission_seconds
