"""Every misconception is caught and named: by the student's check, and by the grader in the sandbox.

The grader is asked about a tenth of them, with LONG=1 about all.
"""

import re

import pytest
from course import LONG, NOTEBOOKS, TINY, WHOLE, exercises_of, frozen_sheet, master_of, sampled, submission
from judged import stages_in_vain

from autograder.check import caller
from autograder.course.masters import solution_regions
from autograder.judging.judge import judge

EXERCISES = exercises_of(TINY.name, *NOTEBOOKS)


@pytest.mark.parametrize(("notebook", "exercise"), sampled(EXERCISES, 3))
def test_the_students_check_names_every_mutant(notebook, exercise):
    master = master_of(notebook)
    sheet = frozen_sheet(notebook, exercise)
    wrong = []
    for mutant in master.exercises[exercise].spec.misconceptions:
        call = caller(master.mutant_function(exercise, mutant))
        judgement = judge(sheet, call)
        wrong += [(mutant.name, in_vain) for in_vain in stages_in_vain(sheet, judgement, call)]
        if judgement.status == "right" or judgement.misconception != mutant.name:
            wrong.append((mutant.name, judgement.status, judgement.misconception))
    assert not wrong


def calls(master, exercise):
    """The exercises that an exercise's reference calls, or those that it calls."""
    words = re.findall(r"\w+", solution_regions(master.exercises[exercise].source)[0])
    direct = {name for name in master.exercises if name in words and name != exercise}
    return direct.union(*(calls(master, name) for name in direct))


def made_together(master):
    """All mistakes, as few times as may be: one each in exercises of which none calls another."""
    waiting = {name: list(exercise.spec.misconceptions) for name, exercise in master.exercises.items()}
    while any(waiting.values()):
        made = {}
        for name in sorted(waiting, key=lambda name: -len(waiting[name])):
            if waiting[name] and not any(name in calls(master, m) or m in calls(master, name) for m in made):
                made[name] = waiting[name].pop()
        yield made


@pytest.mark.parametrize("notebook", sampled([TINY.name, *NOTEBOOKS], 2))
def test_the_grader_names_every_mutant(notebook, grader_of, record_property):
    """A submission has mistakes in several exercises; one that calls a wrong one is told that first."""
    master = master_of(notebook)
    counts = {"mutants": 0, "caught": 0, "named": 0}
    wrong = []
    for made in list(made_together(master))[:: 1 if LONG else 10 if WHOLE else 40]:
        answers = {exercise: master.mutate(exercise, mutant) for exercise, mutant in made.items()}
        for judgement in grader_of(notebook).grade(submission(notebook, answers)).judgements:
            if judgement.name not in made:
                continue
            name = made[judgement.name].name
            counts["mutants"] += 1
            counts["caught"] += judgement.share < 1
            counts["named"] += judgement.misconception == name
            if judgement.share == 1 or judgement.misconception != name:
                wrong.append((judgement.name, name, judgement.share, judgement.misconception))
    record_property("tally", (notebook, counts))
    assert not wrong


@pytest.mark.parametrize(("notebook", "exercise"), sampled(EXERCISES, 8))
def test_a_mutant_costs_only_its_own_exercise(notebook, exercise, grader_of):
    """One mistake costs its marks once: exercises that call the wrong one keep theirs."""
    master = master_of(notebook)
    mutants = master.exercises[exercise].spec.misconceptions
    for mutant in mutants[:: max(1, len(mutants) // 3)]:
        card = grader_of(notebook).grade(submission(notebook, {exercise: master.mutate(exercise, mutant)}))
        others = {j.name: j.share for j in card.judgements if j.name != exercise}
        assert others == dict.fromkeys(others, 1.0), mutant.name
