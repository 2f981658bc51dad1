"""What a notebook asks and tells: guesses, derivations, stages, progress; and what a class typed."""

import json
from types import SimpleNamespace

import pytest
from course import TINY, folder_of, frozen_checks, master_of, submission

from autograder import check, guess, model_answer, progress, show_derivation, student_log
from autograder.asking import tell_derivation
from autograder.check import CheckFailed
from autograder.course.masters import read_master
from autograder.course.places import Places
from autograder.errors import CourseError
from autograder.grading.plan import Planner
from autograder.grading.submission import read_cells
from autograder.record import Record
from autograder.release.build import build_self_study, release_text
from autograder.report.page import report_of, write_report
from autograder.report.standing import Standing, State
from autograder.report.summary import summarise
from autograder.student_log import read_progress, remember

NOTEBOOK = "02_backpropagation_through_time"
STEP = "rnn_step_backward"


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOGRADER_CHECKS", str(frozen_checks(NOTEBOOK).path))
    monkeypatch.setenv("AUTOGRADER_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(student_log, "_done", {})


def test_nothing_is_told_while_the_dots_stand(capsys):
    guess("02.2", x_1=31, x_2=42, A_12=..., A_21=...)
    shown = capsys.readouterr().out
    assert "A_12, A_21" in shown and "50" not in shown


def test_an_answer_is_shown_beside_what_is_so_with_the_reason(capsys):
    guess("02.2", x_1=17, x_2=42, A_12=6, A_21=50)
    shown = capsys.readouterr().out
    assert "| x 1 | 17 | 31 |  |" in shown and "| x 2 | 42 | 42 | ✓ |" in shown
    assert "moves both entries" in shown


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"columns": "added"}, "choose one of 'summed', 'averaged'"),
        ({"columns": 3}, "choose one of"),
    ],
)
def test_an_answer_of_another_kind_is_asked_for_again_and_nothing_told(answers, words, capsys):
    guess("02.3", **answers, choices=("anything",))
    shown = capsys.readouterr().out
    assert words in shown and "it is" not in shown


def test_a_number_in_quotes_is_asked_for_again(capsys):
    guess("02.7", change_of_L="0.63")
    assert "a number is asked for; you wrote '0.63'" in capsys.readouterr().out


def test_a_shape_may_have_any_number_of_axes_and_the_right_one_is_not_told(capsys, monkeypatch):
    monkeypatch.setenv("AUTOGRADER_CHECKS", str(frozen_checks("00_start_here").path))
    guess("00.1", shape=6)
    assert "shape: a list is asked for; you wrote 6" in capsys.readouterr().out
    guess("00.1", shape=(2, 3, 1))
    assert "| shape | 2, 3, 1 | 3, 2 |  |" in capsys.readouterr().out


def test_a_question_or_a_part_that_is_none_is_named():
    with pytest.raises(CourseError, match=r"asks no question '02\.99'"):
        guess("02.99", a=1)
    with pytest.raises(CourseError, match="asks for change_of_L, not for change"):
        guess("02.7", change=1)


def test_a_derivation_is_told_when_it_is_asked_for_and_when_it_was_found(capsys):
    reference = master_of(NOTEBOOK).reference[STEP]
    check(reference)
    found = capsys.readouterr().out
    show_derivation(STEP)
    asked = capsys.readouterr().out
    assert r"\tag{2.9}" in found and r"\tag{2.9}" in asked
    assert "rnn_step_backward: right" in found and "right" not in asked
    assert read_progress()[NOTEBOOK][STEP] == ["shown", "right"]
    no_such = "no derivation of 'train_on_text'; there is: product_backward"
    with pytest.raises(CourseError, match=no_such) as raised:
        show_derivation("train_on_text")
    (line,) = raised.value._render_traceback_()  # what a notebook shows in place of a stack trace
    assert no_such in line


def test_what_is_folded_in_a_derivation_is_run_and_its_source_not_shown(capsys, monkeypatch):
    kinds = dict(master_of(NOTEBOOK).told["derivations"]["parameter_contributions"])
    assert "folded" in kinds
    monkeypatch.setattr("autograder.asking._run", lambda source, *_: print("ran:", source))
    show_derivation("parameter_contributions")
    shown = capsys.readouterr().out
    assert f"ran: {kinds['folded']}" in shown
    assert f"```python\n{kinds['folded']}" not in shown


def test_a_formulas_test_has_the_names_of_those_before_it_and_leaves_none_behind(capsys, monkeypatch):
    kernel = SimpleNamespace(user_ns={"gate": 0.5, "memory": 2.0})
    monkeypatch.setattr("autograder.asking.shell", lambda: kernel)
    blocks = [["folded", "kept = gate * memory"], ["folded", "print('twice:', 2 * kept)"]]
    checks = SimpleNamespace(told={"derivations": {STEP: blocks}})
    tell_derivation(checks, STEP)
    shown = capsys.readouterr().out
    assert "twice: 2.0" in shown and "cannot be tried" not in shown
    assert kernel.user_ns == {"gate": 0.5, "memory": 2.0}


def test_a_wrong_answer_is_not_told_the_formula(capsys):
    def rnn_step_backward(ds, x_t, s_prev, s_t, W):
        return W["sx"].T @ ds, W["ss"].T @ ds, {"ss": ds @ s_prev.T, "sx": ds @ x_t.T}

    with pytest.raises(CheckFailed):
        check(rnn_step_backward)
    assert "tag" not in capsys.readouterr().out


def test_arguments_in_another_order_are_said_before_what_comes_of_them(capsys):
    def rnn_step_backward(x_t, ds, s_prev, s_t, W):
        return ds, x_t, W

    with pytest.raises(CheckFailed):
        check(rnn_step_backward)
    shown = capsys.readouterr().out
    assert "takes (x_t, ds, s_prev, s_t, W), and is called with (ds, x_t, s_prev, s_t, W)" in shown


def test_a_stage_looks_at_its_own_outputs_alone(capsys):
    def rnn_step_backward(ds, x_t, s_prev, s_t, W):
        return W["sx"].T @ (ds * (1 - s_t**2)), None, None

    check(rnn_step_backward, stage="tanh")
    shown = capsys.readouterr().out
    assert "rnn_step_backward, stage 'tanh': right" in shown
    assert '`W["sx"]` is the identity' in shown
    with pytest.raises(CheckFailed, match="stage 'weights': not right yet"):
        check(rnn_step_backward, stage="weights")
    with pytest.raises(CheckFailed, match="has no stage 'gate'; there is: 'tanh', 'weights'"):
        check(rnn_step_backward, stage="gate")
    assert read_progress() == {}


def test_progress_says_what_is_done_and_what_comes_next_and_survives_a_broken_file(capsys, tmp_path):
    remember(NOTEBOOK, "product_backward", "right")
    remember(NOTEBOOK, "loss_backward", "tried")
    progress()
    shown = capsys.readouterr().out
    assert "1 of 7" in shown and "`product_backward` ✓" in shown and "`loss_backward` tried" in shown
    assert f"Next: `loss_backward` in {NOTEBOOK}" in shown
    remember(NOTEBOOK, "product_backward", "tried")
    assert read_progress()[NOTEBOOK]["product_backward"] == ["tried"]  # the last check counts
    for broken in ("{", "[]", '{"x": 3}', '{"x": {"y": "right"}}', "null"):
        (tmp_path / "progress.json").write_text(broken)
        remember(NOTEBOOK, STEP, "right")
        assert read_progress()[NOTEBOOK][STEP] == ["right"]


@pytest.mark.ci
def test_at_the_end_progress_says_what_earlier_notebooks_have_left(capsys):
    beside = student_log._all_checks(frozen_checks(NOTEBOOK))
    for checks in beside:
        for name in checks.names if checks.assignment >= NOTEBOOK else ():
            remember(checks.assignment, name, "right")
    progress()
    shown = capsys.readouterr().out
    left = [name for checks in beside if checks.assignment < NOTEBOOK for name in checks.names]
    assert (
        f"{len(left)} exercises are left, first `{left[0]}`" if left else "All exercises are right."
    ) in shown
    assert "Next:" not in shown


def test_where_nothing_can_be_written_progress_lasts_for_the_session(monkeypatch, tmp_path):
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("AUTOGRADER_PROGRESS", str(tmp_path / "a file" / "progress.json"))
    remember(NOTEBOOK, "rnn_backward", "right")
    assert read_progress()[NOTEBOOK]["rnn_backward"] == ["right"]


def test_a_self_study_build_shows_model_answers_and_a_release_does_not(tmp_path, monkeypatch, capsys):
    places = Places(tmp_path)
    path = build_self_study(folder_of(NOTEBOOK), places)
    assert path.is_relative_to(tmp_path / "build" / "self-study")
    text = path.read_text()
    assert 'model_answer(\\"why_weights_sum\\")' in text and "MARK SCHEME" not in text
    assert "model_answer" not in release_text(master_of(NOTEBOOK))
    with pytest.raises(CourseError, match="read by your instructor"):
        model_answer("why_weights_sum")
    monkeypatch.setenv("AUTOGRADER_CHECKS", str(path.with_name("checks.safetensors")))
    model_answer("why_weights_sum")
    assert "the weight is used at every position" in capsys.readouterr().out
    path.write_text(text.replace("*Write your answer here.*", "Mine."))
    with pytest.raises(CourseError, match="holds what somebody wrote"):
        build_self_study(folder_of(NOTEBOOK), places)


# ---------------------------------------------------------------- what a class typed

TYPED = ('guess("02.7", change_of_L=0.4, other=1)', 'recall("02.r2", slope=...)', f"show_derivation({STEP})")


def test_what_was_typed_travels_with_the_submission_and_is_not_run(grader_of):
    content = submission(NOTEBOOK, own_cells=TYPED)
    # The reference's own questions are answered rightly; this one was typed first.
    cells = read_cells(content)
    plan = Planner(master_of(NOTEBOOK)).plan(cells)
    assert plan.given_up == [STEP]
    assert not any("guess(" in cell.source or "recall(" in cell.source for cell in plan.cells)
    record = grader_of(NOTEBOOK).grade(content).record("ada")
    assert record.given_up == [STEP]
    assert record.score == record.max_score
    assert Record.from_json(json.loads(json.dumps(record.as_json()))) == record


def test_the_class_report_shows_what_was_typed_and_given_up(tmp_path):
    records = [
        Record(f"s{i}", NOTEBOOK, [], [], {"02.7": {"change_of_L": value}}, [STEP] if i == 0 else [])
        for i, value in enumerate([0.45, 0.45, 0.6312, "<b>"])
    ]
    so = {number: question.answers for number, question in master_of(NOTEBOOK).questions.items()}
    standings = [Standing(record.student, State.GRADED) for record in records]
    record_of = {record.student: record for record in records}.get
    (said,) = summarise(NOTEBOOK, standings, record_of).said(so)
    assert said.counts == [("0.45", 2), ("0.6312", 1), ("<b>", 1)] and said.so == "0.6312"
    report = report_of(NOTEBOOK, "02", standings, record_of, so)
    page = write_report(tmp_path / "report.html", report).read_text()
    assert "2 × 0.45" in page and "&lt;b&gt;" in page and "<b></div>" not in page
    assert f"<code>{STEP}</code>" in page


# ---------------------------------------------------------------- what a master may say wrongly


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ('# %% guess="1.1"\nguess("1.1", a=1)\n', "questions and answers do not pair"),
        (
            '# %% guess="1.1"\nguess("1.2", a=1)\n\n# %% [markdown] answer="1.2"\n# So.\n',
            "has another number in its call",
        ),
        ('# %% [markdown] answer="1.1"\n# So.\n', "questions and answers do not pair"),
        ('# %% [markdown] found="rnn"\n# So.\n', "found='rnn' is no exercise here"),
    ],
)
def test_a_question_without_answer_or_a_derivation_of_nothing_is_refused(cells, words, tmp_path):
    folder = tmp_path / TINY.name
    folder.mkdir()
    for path in folder_of(TINY.name).iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    master = folder / f"{TINY.name}.py"
    master.write_text(master.read_text() + "\n" + cells)
    with pytest.raises(CourseError) as error:
        read_master(folder).told  # noqa: B018
    assert words in str(error.value)
