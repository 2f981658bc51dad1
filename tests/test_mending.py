"""Exercises that mend what stands: when a release's cell is no answer, and what a repair earns."""

import ast
import runpy
import shutil
import textwrap

import pytest
from course import TINY, frozen_checks, frozen_sheet, master_of, submission

from autograder.check import caller, mended
from autograder.course.masters import read_master
from autograder.course.notebook import release_notebook, source_notebook
from autograder.course.stubs import body_of, is_stub
from autograder.errors import CourseError
from autograder.judging.judge import LEFT_ALONE, judge, unanswered
from autograder.report.feedback import as_text
from autograder.sheets.mistake import ON_THE_WAY, STANDS_IN_PART, STILL_STANDS
from autograder.unanswered import comes_first

HUNT, CLIP = "11_bug_hunt", "fix_clip"
STANDS = "norm = 1\nreturn norm"
HEAD = "def f(dW):\n    'What it does.'\n"


def answer(body: str) -> str:
    head = "def fix_clip(dW, max_norm):\n"
    norm = "norm = np.sqrt(sum(np.sum(g**2) for g in dW.values()))\n"
    return head + textwrap.indent(norm + textwrap.dedent(body), "    ")


ANSWERS = {
    "mended": "scale = min(1, max_norm / norm) if norm else 1\n"
    "return {k: scale * g for k, g in dW.items()}, norm",
    "renamed": "share = max_norm / norm\nreturn {k: share * g for k, g in dW.items()}, norm",
    "nothing clipped": "return dW, norm",
    "in place": "for g in dW.values():\n    g *= max_norm / max(norm, max_norm)\nreturn dW, norm",
    "another line spoilt": "norm = np.sqrt(sum(np.mean(g**2) for g in dW.values()))\n"
    "return {k: max_norm / norm * g for k, g in dW.items()}, norm",
    "norm spoilt": "scale = min(1, max_norm / norm) if norm else 1\n"
    "return {k: scale * g for k, g in dW.items()}, 2 * norm",
}


def judged(name: str):
    function = master_of(HUNT).called(CLIP, {CLIP: answer(ANSWERS[name])})
    return judge(frozen_sheet(HUNT, CLIP), caller(function))


@pytest.mark.parametrize(
    ("body", "stub"),
    [
        ("    norm = 1\n    return norm", True),
        ("    # I looked at it\n\n    norm = (1)  # and here\n    return norm", True),
        ("    raise NotImplementedError('f')", True),
        ("    norm = 2\n    return norm", False),
        ("    print(dW)\n    norm = 1\n    return norm", False),
        ("    norm = 1\n    return norm\nf = g", False),
    ],
)
def test_what_stands_is_no_answer_until_its_code_changes(body, stub):
    assert is_stub(ast.parse(HEAD + body), "f", STANDS) is stub


def test_a_body_is_taken_without_its_docstring():
    assert body_of(HEAD + "    # why\n    return dW\n", "f") == "# why\nreturn dW"
    bare = "if dW:\n    return 1\nreturn 0"
    assert body_of("def f(dW):\n" + textwrap.indent(bare, "    "), "f") == bare


def test_the_release_holds_what_stands_and_no_answer():
    master = master_of(HUNT)
    release = release_notebook(source_notebook(master))
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in release.cells}
    for name, exercise in master.exercises.items():
        source = cells[name].source
        assert textwrap.indent(exercise.spec.stands, "    ") in source
        assert is_stub(ast.parse(source), name, exercise.spec.stands)
        assert "course" not in cells[name].metadata


def test_as_long_as_nothing_is_mended_the_check_says_which_tool_shows_it():
    said = as_text(unanswered(frozen_sheet(HUNT, CLIP)))
    assert "not answered yet" in said and "what stands here is broken" in said
    assert master_of(HUNT).exercises[CLIP].spec.shown_by in said


def test_other_words_for_what_stood_mend_nothing_and_earn_nothing():
    judgement = judged("renamed")
    assert (judgement.status, judgement.share) == ("wrong", 0)
    assert judgement.diagnoses[0].name == STILL_STANDS


def test_a_repair_earns_what_it_mends_times_what_it_leaves_right():
    sheet = frozen_sheet(HUNT, CLIP)
    assert judged("mended").share == 1
    half = judged("nothing clipped")
    edges = {c.words for c in sheet.cases if c.is_edge} - sheet.to_mend
    mended = {check.name for check in half.checks if check.passed} & sheet.to_mend
    left = {check.name for check in half.checks if check.passed} - sheet.to_mend - {LEFT_ALONE}
    assert half.share == pytest.approx(len(mended) / len(sheet.to_mend) * len(left) / (len(edges) + 1))
    assert 0 < half.share < 0.5


def test_what_a_repair_spoils_is_said():
    judgement = judged("norm spoilt")
    assert judgement.share == 0  # all that was right is spoilt
    assert any("right before your change, and wrong now: `norm`" in note for note in judgement.notes)
    assert not any("right before" in note for note in judged("renamed").notes)


def test_a_repair_leaves_the_callers_arrays_alone():
    judgement = judged("in place")
    assert judgement.status == "wrong" and 0 < judgement.share < 1
    assert judgement.diagnoses[0].name == "`dW` changed in place"
    assert any("right before your change, and wrong now: the caller's arrays" in n for n in judgement.notes)


def test_a_line_that_is_spoilt_beside_what_was_to_be_mended_is_named_with_it():
    names = [diagnosis.name for diagnosis in judged("another line spoilt").diagnoses]
    assert names == [STANDS_IN_PART, "the squares of each array averaged"]


def test_a_slip_in_code_that_stood_there_has_a_name_and_one_in_what_is_to_be_found_has_none():
    named = {slip.name for slip in frozen_sheet(HUNT, "fix_gated_backward").slips()}
    assert "`W` is not transposed" in named and ON_THE_WAY in named
    adam = {slip.name for slip in frozen_sheet(HUNT, "fix_adam_step").slips()}
    assert not any("`mean`" in name or "`square`" in name for name in adam)


def test_of_a_half_repair_it_is_said_what_stands_there_still():
    stands = master_of(HUNT).exercises["fix_backward"].spec.stands
    body = textwrap.indent(stands.replace('ds = W["ss"].T @ da', 'ds = 2 * W["ss"].T @ da'), "    ")
    head = "def fix_backward(dstates, xs, s0, states, W):\n"
    function = master_of(HUNT).called("fix_backward", {"fix_backward": head + body})
    judgement = judge(frozen_sheet(HUNT, "fix_backward"), caller(function))
    told = {diagnosis.name: diagnosis.where for diagnosis in judgement.diagnoses}
    assert told[STANDS_IN_PART] == "`dxs`, `dW`" and STILL_STANDS not in told


def test_an_untouched_submission_is_unanswered_and_a_copy_of_the_cell_is_not_taken_for_an_answer(grader_of):
    untouched = answer("scale = max_norm / norm\nreturn {k: scale * g for k, g in dW.items()}, norm")
    grade = grader_of(HUNT).grade(submission(HUNT, solved=False))
    assert {judgement.status for judgement in grade.judgements} == {"unanswered"}
    own = grader_of(HUNT).grade(submission(HUNT, {CLIP: untouched}, solved=False))
    (clip,) = [judgement for judgement in own.judgements if judgement.name == CLIP]
    assert (clip.status, clip.share) == ("wrong", 0)


def test_a_master_must_say_what_is_broken_and_what_shows_it(tmp_path):
    folder = shutil.copytree(TINY, tmp_path / TINY.name, ignore=shutil.ignore_patterns("__pycache__"))
    exercises = folder / "exercises.py"
    name = next(iter(master_of(TINY.name).exercises))
    head = f"{name} = Exercise("
    exercises.write_text(exercises.read_text().replace(head, f"{head}mends='gone',", 1))
    with pytest.raises(CourseError, match="mends 'gone', which no given cell defines"):
        read_master(folder)


def test_a_cell_that_needs_a_repair_stops_until_there_is_one(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOGRADER_CHECKS", str(frozen_checks(HUNT).path))
    stands = textwrap.indent(master_of(HUNT).exercises[CLIP].spec.stands, "    ")
    right, half = ("max_norm / max(norm, max_norm)", "1")
    bodies = {"untouched": stands, "right": stands.replace("max_norm / norm", right)}
    for name, body in (bodies | {"half": stands.replace("max_norm / norm", half)}).items():
        path = tmp_path / f"{name}.py"
        path.write_text(f"import numpy as np\ndef fix_clip(dW, max_norm):\n{body}\n")
        fix_clip = runpy.run_path(str(path))[CLIP]
        if name == "right":
            mended(fix_clip)
            continue
        with pytest.raises(NotImplementedError, match="fix_clip") as stopped:
            mended(fix_clip)
        assert "mend it until check(fix_clip) says right" in comes_first(stopped.value, "mended(fix_clip)")
