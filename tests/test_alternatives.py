"""Right answers pass, however they are written: by the student's check and by the grader.

The grader is asked about two of each exercise, with LONG=1 about all.
"""

import time

import pytest
import sample_class
from course import LONG, NOTEBOOKS, exercises_of, frozen_sheet, master_of, submission

from autograder.check import caller
from autograder.judging.derivation import Costs
from autograder.judging.judge import judge

EXERCISES = exercises_of(*NOTEBOOKS)
AT_LEAST = 5


def alternatives_of(notebook, exercise):
    return sample_class.alternatives_of(notebook).get(exercise, [])


@pytest.mark.parametrize(("notebook", "exercise"), EXERCISES)
def test_every_alternative_passes(notebook, exercise, grader_of, record_property):
    master = master_of(notebook)
    sheet = frozen_sheet(notebook, exercise)
    alternatives = alternatives_of(notebook, exercise)
    assert len({text.strip() for text in alternatives}) >= AT_LEAST
    for number, text in enumerate(alternatives, start=1):
        function = master.called(exercise, {exercise: text})
        forward = caller(master.reference[sheet.forward.name]) if sheet.forward else None
        costs = Costs(forward, time.process_time, time.process_time) if forward else None
        judgement = judge(sheet, caller(function), forward, costs=costs)
        assert judgement.status == "right", (number, [c for c in judgement.checks if not c.passed])
        if number > 2 and not LONG:
            continue
        card = grader_of(notebook).grade(submission(notebook, {exercise: text}))
        shares = {j.name: (j.share, [c.finding for c in j.checks if not c.passed]) for j in card.judgements}
        assert all(share == 1 for share, _ in shares.values()), (number, shares)
    record_property("tally", (notebook, {"alternatives": len(alternatives), "passed": len(alternatives)}))
