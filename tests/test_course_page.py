"""What changes in a class from notebook to notebook: in pictures, in their words, and in a table."""

import re
from datetime import datetime, timedelta

import pytest
from check_pages import check_page
from test_report import words

from autograder.record import Judgement, Mark, Record
from autograder.report.course_page import falls, step_of, write_course_page
from autograder.report.standing import Part, Standing, State

STUDENTS = [f"student-{i:02}" for i in range(20)]
SO = {"1.1": {"small": "last"}}
HOSTILE = "<script>alert(1)</script>"


def step(number, shares, days=0):
    """A notebook of 4 points; a share of None is nothing handed in; of the others every fourth is late."""
    standings, records = [], {}
    for i, (student, share) in enumerate(zip(STUDENTS, shares, strict=True)):
        if share is None:
            standings.append(Standing(student, State.MISSING))
            continue
        part = Part("step_backward", 4.0, 4.0 * share)
        moment = datetime(2026, 11, 2 + days) + timedelta(hours=i)
        late = 3600.0 if i % 4 == 0 else 0.0
        standings.append(Standing(student, State.GRADED, "", HOSTILE, [part], 0.0, late, moment))
        mark = Mark(Judgement(part.name, "right", share), 4.0)
        answers = {"1.1": {"small": "last" if i < 5 else "first"}}
        given_up = ["step_backward"] if i < 4 else []
        records[student] = Record(student, number, [mark], [], answers, given_up)
    standings.append(Standing("gone", State.WITHDRAWN))
    derives = number != "03_third"
    return step_of(number, f"{number[:2]} · {HOSTILE}", standings, records.get, SO, derives)


@pytest.fixture(scope="module")
def steps():
    first = step("01_first", [1.0] * 10 + [0.5] * 10)
    second = step("02_second", [1.0] * 10 + [0.5] * 8 + [None] * 2, 7)
    third = step("03_third", [0.7, 0.8, None] + [1.0] * 7 + [0.5] * 8 + [None] * 2, 14)
    return [first, second, third]


def test_a_step_counts_those_who_stay(steps):
    first, second, third = steps
    assert (first.students, second.students, third.students) == (20, 18, 17)
    assert first.mean == 0.75 and second.mean == pytest.approx(14 / 18) and second.missing == 0.1
    assert first.middle == (0.5, 1.0) and first.late == 0.25
    assert first.gave_up == 0.2 and third.gave_up is None  # it keeps nothing back
    assert first.predicted == 0.25 and second.predicted == pytest.approx(5 / 18)
    assert [str(one.handed_in) for one in steps] == ["2026-11-02", "2026-11-09", "2026-11-16"]


def test_who_fell_is_named_and_who_was_always_so_is_not(steps):
    assert [(one.student, one.now) for one in falls(steps)] == [
        ("student-02", None), ("student-00", pytest.approx(0.7))
    ]  # fmt: skip


def test_nobody_has_a_mark_yet_is_no_error(tmp_path):
    empty = step("01_first", [None] * 20)
    assert (empty.mean, empty.middle, empty.late, empty.predicted, empty.handed_in) == (None,) * 5
    assert "not known" in write_course_page(tmp_path / "x.html", [empty]).read_text("utf-8")
    nobody = step_of("01_first", "", [], lambda _: None, {}, True)
    assert nobody.missing is None


def test_each_picture_says_its_numbers_and_the_table_has_them(steps, tmp_path):
    path = write_course_page(tmp_path / "course.html", steps)
    text, said = path.read_text("utf-8"), re.sub(r"\s+", " ", words(path))
    labels = re.findall(r'<svg[^>]*aria-label="([^"]*)"', text)
    assert labels[0] == "Mean share of the points: 01 75 %, 02 78 %, 03 74 %"
    assert labels[2] == "Had a derivation told: 01 20 %, 02 22 %, 03 not known"
    assert len(labels) == 4 and "2026-11-09 18 78 % 50 % to 100 % 10 %" in said
    assert "<script>" not in text and "gone" not in said and "student-19" in said


@pytest.mark.long
def test_the_page_keeps_nobody_out(steps, browser, tmp_path):
    assert check_page(browser, write_course_page(tmp_path / "course.html", steps)) == []
