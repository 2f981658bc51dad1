"""Right answers pass, however they are written: all by the grader, every third by the student's check.

With LONG=1 all by both.
"""

import time

import pytest
import sample_class
from course import LONG, NOTEBOOKS, exercises_of, frozen_sheet, master_of, sampled, submission

from autograder.answers.calling import beside
from autograder.check import caller
from autograder.judging.derivation import Costs
from autograder.judging.judge import judge

EXERCISES = exercises_of(*NOTEBOOKS)
AT_LEAST = 5


def alternatives_of(notebook, exercise):
    return sample_class.alternatives_of(notebook).get(exercise, [])


@pytest.mark.parametrize(("notebook", "exercise"), sampled(EXERCISES, 15))
def test_every_alternative_passes_its_check(notebook, exercise):
    master = master_of(notebook)
    sheet = frozen_sheet(notebook, exercise)
    alternatives = alternatives_of(notebook, exercise)
    assert len({text.strip() for text in alternatives}) >= AT_LEAST
    for number, text in list(enumerate(alternatives, start=1))[:: 1 if LONG else 3]:
        function = master.called(exercise, {exercise: text})
        forward = caller(master.reference[sheet.forward.name]) if sheet.forward else None
        costs = Costs(forward, time.process_time, time.process_time) if forward else None
        judgement = judge(sheet, caller(function), forward, costs=costs, aside=caller(beside(function)))
        assert judgement.status == "right", (number, [c for c in judgement.checks if not c.passed])


@pytest.mark.parametrize("notebook", sampled(NOTEBOOKS, 5))
def test_every_alternative_has_all_its_points(notebook, grader_of, record_property):
    """Each submission has another alternative in every exercise, until all were handed in."""
    alternatives = {
        exercise: alternatives_of(notebook, exercise) for exercise in master_of(notebook).exercises
    }
    for number in range(max(map(len, alternatives.values()))):
        answers = {exercise: some[number] for exercise, some in alternatives.items() if number < len(some)}
        card = grader_of(notebook).grade(submission(notebook, answers))
        shares = {j.name: (j.share, [c.finding for c in j.checks if not c.passed]) for j in card.judgements}
        assert all(share == 1 for share, _ in shares.values()), (number + 1, shares)
    count = sum(map(len, alternatives.values()))
    record_property("tally", (notebook, {"alternatives": count, "passed": count}))
