"""Every misconception is caught and named: by the student's check, and by the grader in the sandbox.

The grader is asked about every third, with LONG=1 about all.
"""

import pytest
from course import LONG, NOTEBOOKS, TINY, exercises_of, frozen_sheet, master_of, submission

from autograder.check import caller
from autograder.judging.judge import judge

EXERCISES = exercises_of(TINY.name, *NOTEBOOKS)


@pytest.mark.parametrize(("notebook", "exercise"), EXERCISES)
def test_the_students_check_names_every_mutant(notebook, exercise):
    master = master_of(notebook)
    sheet = frozen_sheet(notebook, exercise)
    wrong = []
    for mutant in master.exercises[exercise].spec.misconceptions:
        judgement = judge(sheet, caller(master.mutant_function(exercise, mutant)))
        if judgement.status == "right" or judgement.misconception != mutant.name:
            wrong.append((mutant.name, judgement.status, judgement.misconception))
    assert not wrong


@pytest.mark.parametrize(("notebook", "exercise"), EXERCISES)
def test_the_grader_names_every_mutant(notebook, exercise, grader_of, record_property):
    master = master_of(notebook)
    grader = grader_of(notebook)
    counts = {"mutants": 0, "caught": 0, "named": 0}
    wrong = []
    for mutant in master.exercises[exercise].spec.misconceptions[:: 1 if LONG else 3]:
        card = grader.grade(submission(notebook, {exercise: master.mutate(exercise, mutant)}))
        judgement = next(j for j in card.judgements if j.name == exercise)
        counts["mutants"] += 1
        counts["caught"] += judgement.share < 1
        counts["named"] += judgement.misconception == mutant.name
        if judgement.share == 1 or judgement.misconception != mutant.name:
            wrong.append((mutant.name, judgement.share, judgement.misconception))
    record_property("tally", (notebook, counts))
    assert not wrong


@pytest.mark.parametrize(("notebook", "exercise"), EXERCISES)
def test_a_mutant_costs_only_its_own_exercise(notebook, exercise, grader_of):
    """One mistake costs its marks once: exercises that call the wrong one keep theirs."""
    master = master_of(notebook)
    mutants = master.exercises[exercise].spec.misconceptions
    for mutant in mutants[:: max(1, len(mutants) // 3)]:
        card = grader_of(notebook).grade(submission(notebook, {exercise: master.mutate(exercise, mutant)}))
        others = {j.name: j.share for j in card.judgements if j.name != exercise}
        assert others == dict.fromkeys(others, 1.0), mutant.name
