"""What an instructor sees of a class, and what the class sees of itself: without a name."""

import re
from html import unescape

import pytest
from check_pages import check_page, violations
from check_slides import check_deck, open_deck

from autograder.record import Check, Diagnosis, Judgement, Mark, Record, Returned
from autograder.release.class_deck import write_class_deck
from autograder.report.groups import groups_of
from autograder.report.page import Change, report_of, write_lecture_page, write_report
from autograder.report.standing import Part, Standing, State
from autograder.report.summary import Correlation

NAME = "09_lesson"
STUDENTS = [f"student-{i:03}" for i in range(300)]
EXERCISES = ("rnn_step", "rnn_forward", "rnn_step_backward")
HOSTILE = "<script>alert(1)</script> $x$ {{ 7 * 7 }}"
EXAMPLE = "def rnn_forward(xs, s0, W):\n" + "".join(
    f"    state_{i} = rnn_step(xs[{i}], s0, W)\n" for i in range(20)
)
SO = {"09.1": {"small": "last"}, "09.2": {"slope": 0.25}}


def record(i):
    """Every fifth has tanh missing; every third of the others one of three unnamed answers."""
    judged = []
    for name in EXERCISES:
        if i % 5 == 0 and name == "rnn_step":
            tanh = Diagnosis("tanh instead of sigmoid", "Where does `s_t < 1` come from?")
            judged.append(Judgement(name, "wrong", 0.25, [Check("s_t", False)], [tanh]))
        elif i % 3 == 0 and name == "rnn_forward":
            number = float(1 + (i == 3) + 2 * (i % 2))
            returned = Returned(("states (5, 3, 2)",), ((number, 0.0, number, 0.0),))
            judged.append(Judgement(name, "wrong", 0.0, [Check("states", False)], returned=returned))
        else:
            judged.append(Judgement(name, "right", 1.0))
    answers = {"09.1": {"small": HOSTILE if i == 7 else "last"}, "09.2": {"slope": 0.25 if i % 2 else 1.0}}
    return Record(STUDENTS[i], NAME, [Mark(one, 4.0) for one in judged], [], answers, [])


@pytest.fixture(scope="module")
def report():
    records = {student: record(i) for i, student in enumerate(STUDENTS)}
    standings = [
        Standing(
            student, State.GRADED, "", f"Name of {student}", [Part(m.name, 4.0, m.score) for m in one.marks]
        )
        for student, one in records.items()
    ]
    standings.append(Standing("torn", State.UNGRADABLE, "its JSON breaks off", "Zoë Torn"))
    standings.append(Standing("never", State.MISSING))
    groups = groups_of(records.values())
    for group in groups:
        group.example = EXAMPLE + f"    # {HOSTILE}\n"
    change = Change("student-004", "8", "12", "+4", "its checks or the grader changed")
    attempts = dict.fromkeys(STUDENTS, 1) | {"student-004": 3}
    return report_of(
        NAME, "09 · A lesson", standings, records.get, SO, groups=groups, attempts=attempts, changes=[change]
    )


def words(path):
    return unescape(re.sub(r"<[^>]+>", " ", path.read_text("utf-8")))


def test_the_instructors_view_has_everybody_and_says_why_there_is_no_mark(report, tmp_path):
    shown = words(write_report(tmp_path / "report.html", report))
    assert all(student in shown for student in STUDENTS)
    assert "Zoë Torn" in shown and "its JSON breaks off" in shown and "never" in shown
    assert re.search(r"student-004\s+8\s+12\s+\+4\s+its checks", shown)
    assert re.search(r"student-004\s.*?3×", shown, re.S)
    assert "tanh instead of sigmoid" in shown and report.groups[0].id in shown
    assert "Where does <code>s_t &lt; 1</code> come from?" in (tmp_path / "report.html").read_text("utf-8")


def test_the_lecture_view_holds_nothing_of_one_person(report, tmp_path):
    for write in (write_lecture_page, write_class_deck):
        text = write(tmp_path / "lecture.html", report).read_text("utf-8")
        assert not any(student in text for student in [*STUDENTS, "Zoë", "torn.", "never handed"])
        assert "alert(1)</script>" not in text and "tanh instead of" not in text
        assert "which is not what is asked" in text and '<td class="n">60</td>' in text
    page = words(write_lecture_page(tmp_path / "lecture.html", report))
    assert "1 × (others)" in page and "299 × last" in page  # a single person's words are not shown
    # The group of one is a person.
    assert [group.students for group in report.groups] == [50, 49, 1]
    assert page.count("What is wrong here?") == 1 and "1 student," not in page


def test_discrimination_is_the_correlation_with_the_other_exercises(report):
    import numpy as np

    scores = np.array([[mark.score for mark in record(i).marks] for i in range(len(STUDENTS))])
    for k, name in enumerate(EXERCISES[:2]):
        rest = scores.sum(1) - scores[:, k]
        expected = np.corrcoef(scores[:, k], rest)[0, 1]
        assert report.summary.exercises[name].discrimination == pytest.approx(expected, abs=1e-12)
    assert report.summary.exercises["rnn_step_backward"].discrimination is None  # all have it right


def test_a_correlation_of_few_says_nothing():
    few = Correlation()
    for i in range(9):
        few.add(i, i)
    assert few.value is None
    few.add(9, 9)
    assert few.value == pytest.approx(1)


@pytest.mark.long
@pytest.mark.parametrize("write", [write_report, write_lecture_page])
def test_a_page_keeps_nobody_out(report, write, browser, tmp_path):
    assert check_page(browser, write(tmp_path / "report.html", report)) == []


@pytest.mark.long
def test_the_slides_fit_and_keep_nobody_out(report, browser, tmp_path):
    path = write_class_deck(tmp_path / "slides.html", report)
    assert check_deck(browser, path) == []
    problems = []
    page = open_deck(browser, path, problems)
    for _ in range(page.evaluate("() => Reveal.getTotalSlides()")):
        problems += violations(page)
        page.keyboard.press("Space")
    assert page.evaluate("() => Reveal.isLastSlide()")
    page.context.close()
    assert problems == []
