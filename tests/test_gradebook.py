"""One truth: every mark that leaves comes from the gradebook, with a state for everybody; and it follows."""

import contextlib
import csv
import io
import json
import shutil
import sqlite3
import unicodedata

import pytest
from command import autograder
from course import ROOT, TINY, master_of, submission
from nbgrader.api import Gradebook
from test_nbgrader import run

from autograder.cli import tell_the_gradebook
from autograder.course.masters import read_master
from autograder.course.notebook import ANSWER_PROMPT, release_notebook, source_notebook
from autograder.errors import CourseError
from autograder.nbgrader_door.annotate import Annotator
from autograder.nbgrader_door.database import engine_on
from autograder.nbgrader_door.export import export_course
from autograder.nbgrader_door.follow import back_up
from autograder.nbgrader_door.gradebook import annotated_source, announce
from autograder.nbgrader_door.kept import WrittenCell, digests_of, texts_of
from autograder.nbgrader_door.plugin import TidyCells
from autograder.nbgrader_door.written import Alike, mark_group, plain_words
from autograder.report.standing import Part, Standing, State, lowest

pytestmark = [pytest.mark.xdist_group("gradebook"), pytest.mark.usefixtures("confined")]

NAME = TINY.name
ZOE = "zo\u00eb"
PENALTY = """
from nbgrader.plugins import BasePlugin
class TwoADay(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 2 * total_seconds_late / 86400
import sys
sys.path.insert(0, str(ROOT))
c.AssignLatePenalties.plugin_class = TwoADay
"""
ROSTER = """student,name,email
ada,Ada Lovelace,ada@example.org
bela,Béla Bartók,bela@example.org
chidi,Chidi Anagonye,chidi@example.org
dora,"Dora, who never came",dora@example.org
emil,=HYPERLINK(1),emil@example.org
zo\u00eb,Zoë Night,zoe@example.org
"""


def written(content, answer):
    """A submission whose written question is answered."""
    notebook = json.loads(content)
    notebook["cells"][-1]["source"] = answer
    return json.dumps(notebook).encode()


def hand_in(place, student, content, stamp="2026-11-20 10:00:00 UTC"):
    path = place / "submitted" / student / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.with_name("timestamp.txt").write_text(stamp + "\n")


def grade(place, *more, status=0):
    book = ("--gradebook", f"sqlite:///{place / 'gradebook.db'}", "--jobs", 1)
    done = autograder(place, "grade", NAME, *book, *more)
    assert done.status == status, done.err
    return done


def rows(place):
    done = autograder(place, "export", NAME)
    assert done.status == 0, done.err
    with (place / "build" / "export" / f"{NAME}.csv").open(encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def give(place, student, mark, cell="why_tanh", extra=None):
    """A mark by hand, as formgrader gives it."""
    with Gradebook(f"sqlite:///{place / 'gradebook.db'}") as gradebook:
        one = gradebook.find_grade(cell, NAME, NAME, student)
        one.manual_score, one.extra_credit, one.needs_manual_grade = mark, extra, False
        gradebook.db.commit()


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A course with a roster, graded once: right, wrong, late, torn, and a name in two spellings."""
    place = tmp_path_factory.mktemp("course")
    shutil.copytree(TINY, place / "solutions" / NAME)
    config = (ROOT / "nbgrader_config.py").read_text()
    (place / "nbgrader_config.py").write_text(config + PENALTY)
    (place / "roster.csv").write_text(ROSTER)
    (place / "extensions.csv").write_text(f"student,notebook,days\nchidi,{NAME},1\nada,another,9\n")
    hand_in(place, "ada", written(submission(NAME), "It keeps the state bounded."))
    hand_in(place, "bela", written(submission(NAME, solved=False), "It <b>is</b> [so](https://x.org)."))
    hand_in(place, "chidi", submission(NAME), "2026-11-22 10:00:00 UTC")
    hand_in(place, "emil", b'{"cells": [')
    hand_in(place, "guest", submission(NAME))
    hand_in(place, unicodedata.normalize("NFD", ZOE), submission(NAME))
    (place / "gradebook.db").touch()
    (place / "gradebook.db").unlink()
    done = grade(place, "--due", "2026-11-20T12:00+00:00", status=1)
    assert "extensions.csv, line 3: there is no notebook 'another'; nobody gets this time" in done.err
    assert f"{ZOE}: the folder's name is written in another Unicode spelling" in done.err
    return place


@pytest.fixture
def course(first, tmp_path):
    return shutil.copytree(first, tmp_path / "course")


def test_what_release_feedback_looks_for_stands_beside_the_annotated_notebook(course):
    """Files that nbgrader left without a right to write them are replaced."""
    (course / "submitted" / "ada" / NAME / "submission_secret.txt").write_text("a secret")
    folder = course / "autograded" / "ada" / NAME
    assert (folder / "timestamp.txt").read_text().startswith("2026-11-20 10:00:00 UTC")
    for path in folder.iterdir():
        path.chmod(0o444)
    grade(course, status=1)
    assert (folder / "submission_secret.txt").read_text() == "a secret"


def test_everybody_has_a_row_and_a_state(course):
    found = rows(course)
    told = {student: (row["state"], row["score"]) for student, row in found.items()}
    assert told == {
        "ada": ("waiting for a person", "12.0"),
        "bela": ("waiting for a person", "0.0"),
        "chidi": ("waiting for a person", f"{12 - 2 * (1 - 1 / 12):.4f}"),
        "dora": ("not handed in", ""),
        "emil": ("could not be graded", ""),
        "guest": ("withdrawn", ""),
        ZOE: ("waiting for a person", "12.0"),
    }
    assert "JSON breaks off" in found["emil"]["reason"]
    assert found["emil"]["name"] == "'=HYPERLINK(1)"
    assert found["chidi"]["late_days"] == "0.92"
    assert {row["max_score"] for row in found.values()} == {"14.0"}
    lines = (course / "roster.csv").read_text().splitlines(keepends=True)
    (course / "roster.csv").write_text("".join(line for line in lines if not line.startswith("bela,")))
    gone = rows(course)["bela"]
    assert (gone["state"], gone["name"], gone["score"]) == ("withdrawn", "Béla Bartók", "")


def test_without_a_roster_whoever_the_gradebook_knows_belongs_to_the_class(course):
    (course / "roster.csv").unlink()
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        for student in ("xeno", "yara"):
            gradebook.add_student(student)
    states = {student: row["state"] for student, row in rows(course).items()}
    assert (states["guest"], states["xeno"], states["yara"]) == (
        "waiting for a person", "not handed in", "not handed in",
    )  # fmt: skip


def test_marks_by_hand_overrides_extra_credit_and_penalties_leave(course):
    give(course, "ada", 1.5)
    give(course, "chidi", 2.0)
    give(course, "bela", 3.0, "check_rnn_step", extra=0.5)
    found = rows(course)
    assert (found["ada"]["score"], found["ada"]["state"]) == ("13.5", "graded")
    assert (found["ada"]["why_tanh"], found["bela"]["rnn_step"]) == ("1.5", "3.5")
    # What lateness costs follows the mark, and formgrader's database says the same.
    assert float(found["chidi"]["score"]) == pytest.approx(14 - 2 * 11 / 12, abs=1e-4)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        for student in ("ada", "bela", "chidi"):
            one = gradebook.find_submission(NAME, student)
            mark = max(0.0, one.score - (one.late_submission_penalty or 0.0))
            assert float(found[student]["score"]) == pytest.approx(mark, abs=1e-4)
    done = autograder(course, "report", NAME)
    assert done.status == 0, done.err
    odd = course / f"a [red] folder {'of reports ' * 8}" / "page.html"
    assert f"{NAME}: {odd}\n" in autograder(course, "report", NAME, "--to", str(odd)).out
    page = (course / "build" / "report" / f"{NAME}.html").read_text("utf-8")
    assert "<td>13.5</td>" in page.replace(' class="n"', "")
    assert "could not be graded: the file is not a notebook" in page
    assert "1 not handed in" in page


def test_nbgraders_door_asks_for_the_same_penalty_and_for_another_look(course):
    give(course, "chidi", 1.0)
    give(course, "bela", 2.0)
    ours = rows(course)["chidi"]
    with sqlite3.connect(course / "gradebook.db") as connection:
        connection.execute("update submitted_notebook set late_submission_penalty = null")
        connection.execute("update submitted_assignment set extension = null")
    for student in ("guest", "emil", unicodedata.normalize("NFD", ZOE), "ada"):
        shutil.rmtree(course / "submitted" / student)
    hand_in(course, "chidi", written(submission(NAME), "Because."), "2026-11-22 10:00:00 UTC")
    said = run(course, "nbgrader", "autograde", NAME, "--force")
    assert "look again: why_tanh was answered anew; its mark, 1, is for the old one" in said
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        one = gradebook.find_submission(NAME, "chidi")
        assert round(one.score - one.late_submission_penalty, 4) == float(ours["score"])
    assert ours["state"] == "graded" and rows(course)["chidi"]["state"] == "waiting for a person"
    assert "bela: look again" not in said and rows(course)["bela"]["state"] == "graded"  # as our door read it


def test_another_written_answer_asks_for_another_look_and_shows_the_old_mark(course):
    give(course, "ada", 1.5)
    assert rows(course)["ada"]["state"] == "graded"
    grade(course, status=1)
    assert rows(course)["ada"]["state"] == "graded"  # nothing is new: nobody is asked again
    hand_in(course, "ada", written(submission(NAME), "It  keeps the\nstate bounded."))
    grade(course, status=1)
    assert rows(course)["ada"]["state"] == "graded"
    hand_in(course, "ada", written(submission(NAME), "It is fast."))
    done = grade(course, status=1)
    assert "look again: ada: why_tanh was answered anew; its mark, 1.5, is for the old one" in done.err
    assert (rows(course)["ada"]["state"], rows(course)["ada"]["why_tanh"]) == ("waiting for a person", "1.5")


def test_a_submission_that_became_unreadable_loses_its_mark_until_a_person_looks(course):
    hand_in(course, "ada", b"%PDF-1.7")
    done = grade(course, status=1)
    assert "12" in done.out and "could not be graded" in " ".join(done.out.split())
    found = rows(course)["ada"]
    assert (found["state"], found["score"]) == ("could not be graded", "")
    for cell in ("check_rnn_step", "check_rnn_forward", "check_rnn_step_backward", "why_tanh"):
        give(course, "ada", 1.0, cell)
    grade(course, status=1)
    assert (rows(course)["ada"]["state"], rows(course)["ada"]["score"]) == ("graded", "4.0")
    hand_in(course, "ada", submission(NAME))
    grade(course, status=1)
    with sqlite3.connect(course / "gradebook.db") as connection:
        assert connection.execute("select count(*) from autograder_reason").fetchone() == (1,)  # emil


EXERCISES = "solutions/tiny_rnn/exercises.py"
MASTER = "solutions/tiny_rnn/tiny_rnn.py"
NEW = '''
# %% exercise="rnn_last" points=2
def rnn_last(xs: np.ndarray, s0: np.ndarray, W: dict) -> np.ndarray:
    """The last state."""
    ### BEGIN SOLUTION
    return rnn_forward(xs, s0, W)[-1]
    ### END SOLUTION


# %% check="rnn_last"
check(rnn_last)

# %% [markdown] written'''


def edit(course, name, old, new):
    text = (course / name).read_text()
    assert old in text
    (course / name).write_text(text.replace(old, new, 1))


def test_the_gradebook_follows_points_dropped_and_new_exercises(course):
    give(course, "ada", 1.5)
    give(course, "bela", 2.5, "check_rnn_step_backward")
    edit(course, MASTER, 'exercise="rnn_step" points=4', 'exercise="rnn_step" points=6')
    edit(
        course, EXERCISES, "rnn_step_backward = Exercise(", "rnn_step_backward = Exercise(\n    dropped=True,"
    )
    edit(course, MASTER, "\n# %% [markdown] written", NEW)
    more = (
        'rnn_last = Exercise(returns=("s_t",), cases=sequence_inputs, hints=HINTS, needs=("rnn_forward",))\n'
    )
    (course / EXERCISES).write_text((course / EXERCISES).read_text() + more)
    done = grade(course, status=1)
    said = " ".join(done.out.split())
    for told in (
        "rnn_step counts 6 points, not 4",
        "rnn_step_backward was dropped: it counts nothing",
        "rnn_last is new, for 2 points",
        "only there now: 1 marks by hand of rnn_step_backward",
    ):
        assert told in said
    found = rows(course)
    assert {row["max_score"] for row in found.values()} == {"13.0"}
    assert (found["ada"]["score"], found["bela"]["score"]) == ("10.5", "0.0")  # 6 + 3 + 0 + 1.5
    with (course / "build" / "report" / f"{NAME}-changes.csv").open(encoding="utf-8") as file:
        changes = {row["student"]: row for row in csv.DictReader(file)}
    assert changes["ada"]["before"] == "13.5" and changes["ada"]["by"] == "-3"
    assert "rnn_step counts 6 points" in changes["ada"]["why"]
    assert "dropped" in changes["bela"]["why"] and changes["bela"]["before"] == "2.5"
    (backup,) = course.glob("gradebook.before-*.db")
    assert backup.stat().st_mode & 0o077 == 0
    with sqlite3.connect(backup) as connection:
        assert connection.execute("select max(manual_score) from grade").fetchone() == (2.5,)
    # Taken out again altogether: nbgrader's own command follows too, and its pipeline has no traceback.
    text = (course / MASTER).read_text()
    (course / MASTER).write_text(text.replace(NEW, "\n# %% [markdown] written", 1))
    (course / EXERCISES).write_text((course / EXERCISES).read_text().replace(more, ""))
    from autograder.course.places import Places
    from autograder.release.build import build

    build(course / "solutions" / NAME, Places(course))
    said = run(course, "nbgrader", "generate_assignment", NAME, "--force")
    assert "Traceback" not in said and "rnn_last was taken out of the notebook" in said
    grade(course, status=1)
    assert {row["max_score"] for row in rows(course).values()} == {"11.0"}


def test_between_a_change_of_the_master_and_the_regrade_nothing_that_the_gradebook_has_is_left_out(course):
    give(course, "ada", 1.5)
    edit(course, MASTER, 'written="why_tanh"', 'written="why_not"')
    assert (rows(course)["ada"]["score"], rows(course)["ada"]["max_score"]) == ("13.5", "14.0")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("It keeps the state bounded.", "  it **keeps**\n the state bounded", True),
        ("between -1 and 1", "between 1 and 1", False),
        ("x > 0", "x < 0", False),
        ("the size N", "the size n", False),
        ("Na\u00efve", "nai\u0308ve", True),
    ],
)
def test_answers_are_alike_by_their_words(one, other, same):
    assert (plain_words(one) == plain_words(other)) is same


def test_written_answers_that_say_the_same_are_marked_once(course):
    """Through nbgrader's interface, whom a person has marked left alone; the mark stays at a regrade."""
    hand_in(course, "chidi", written(submission(NAME), " it keeps the **state** bounded"))
    hand_in(course, "guest", written(submission(NAME), "Because."))
    grade(course, status=1)
    hand_in(course, "guest", written(submission(NAME), "It keeps the state bounded."))  # not graded yet
    give(course, "ada", 1.5)
    done = autograder(course, "written", NAME)
    assert done.status == 0 and "left out: guest" in done.err
    assert (
        "2 students, 1 waiting, marked 1.5" in done.out
        and "it keeps the state bounded" in done.out.casefold()
    )
    group = next(line.split(":")[0] for line in done.out.splitlines() if "2 students, 1 waiting" in line)
    assert autograder(course, "written", NAME, group).status == 2
    assert "has 2 points" in autograder(course, "written", NAME, group, "--points", 3).err
    done = autograder(course, "written", NAME, group, "--points", 2, "--comment", "Well said.")
    assert done.status == 0 and "2 points to 1 student" in done.out, done.err
    hand_in(course, "guest", written(submission(NAME), "Because."))
    grade(course, status=1)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        marks = {s: gradebook.find_grade("why_tanh", NAME, NAME, s) for s in ("ada", "chidi", "guest")}
        assert [(m.manual_score, m.needs_manual_grade) for m in marks.values()] == [
            (1.5, False), (2, False), (None, True),
        ]  # fmt: skip
        assert gradebook.find_comment("why_tanh", NAME, NAME, "chidi").comment == "Well said."


def test_a_written_question_that_was_dropped_takes_no_points_by_hand(tmp_path):
    folder = shutil.copytree(TINY, tmp_path / NAME)
    edit(tmp_path, f"{NAME}/{NAME}.py", 'written="why_tanh"', 'written="why_tanh" dropped=true')
    with pytest.raises(CourseError, match="why_tanh has 0 points"):
        mark_group("sqlite:///never opened.db", read_master(folder), Alike("why_tanh", "", ""), 1.0)


def test_the_build_makes_a_notebook_known_and_leaves_changes_to_the_grading(course):
    """formgrader's button needs it; whose mark changes is the regrade's to tell."""
    path, url = course / "gradebook.db", f"sqlite:///{course / 'gradebook.db'}"
    master = course / "solutions" / NAME / f"{NAME}.py"
    text = master.read_text()
    master.write_text(text.replace('exercise="rnn_step" points=4', 'exercise="rnn_step" points=8'))
    assert not announce(url, read_master(master.parent))
    assert "counts 8 points, not 4" in grade(course, status=1).out.replace("\n", " ")
    master.write_text(text)
    path.unlink()
    assert "known to the gradebook" in autograder(course, "build", "--no-solved").out
    with Gradebook(url) as gradebook:
        assert gradebook.find_notebook(NAME, NAME).max_score == 14
    assert path.stat().st_mode & 0o007 == 0
    assert not announce(url, read_master(master.parent))


def test_a_gradebook_that_cannot_be_used_does_not_stop_the_build(tmp_path):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    (tmp_path / "gradebook.db").write_bytes(b"no database")
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        tell_the_gradebook(tmp_path, read_master(TINY))
    assert "is built, but formgrader does not know it" in said.getvalue()


def test_a_mended_check_says_whom_it_changed(course):
    edit(course, EXERCISES, "    cases=(step_inputs, ", "    cases=(step_inputs, step_inputs, ")
    done = grade(course, status=1)
    assert "whose mark changed" not in done.out  # other draws, the same marks
    wrong = submission(NAME, {"rnn_step": "def rnn_step(x_t, s_prev, W):\n    return 0 * s_prev\n"})
    hand_in(course, "ada", wrong)
    said = " ".join(grade(course, status=1).out.split())
    assert "handed in again" in said and "ada" in said


def test_without_a_gradebook_no_mark_leaves(course):
    (course / "gradebook.db").unlink()
    for words in (("export", NAME), ("report", NAME), ("export", "--course")):
        done = autograder(course, *words)
        assert done.status == 2 and "there is no gradebook" in done.err and "autograder grade" in done.err


def test_the_course_drops_the_lowest(course):
    done = autograder(course, "export", "--course", "--drop", 1)
    assert done.status == 0, done.err
    with (course / "build" / "export" / "course.csv").open(encoding="utf-8") as file:
        found = {row["student"]: row for row in csv.DictReader(file)}
    assert found["ada"]["total"] == "12.0" and found["ada"]["dropped"] == ""  # the only one is never dropped
    assert found["dora"][f"{NAME} state"] == "not handed in"
    marks = {"a": 5.0, "b": None, "c": 2.0}
    state = {True: State.GRADED, False: State.MISSING}
    mine = {  # as the gradebook gives them: of what was not handed in it knows no parts
        name: Standing("x", state[mark is not None], parts=[Part("p", 10.0, auto=mark)] if mark else [])
        for name, mark in marks.items()
    }
    most = dict.fromkeys(marks, 10.0)
    assert [lowest(mine, most, count) for count in (1, 2, 9)] == [{"b"}, {"b", "c"}, {"b", "c"}]


def test_what_was_not_handed_in_is_dropped_first(tmp_path):
    def ones(marks):
        parts = {s: [Part("p", 10.0, auto=mark)] if mark is not None else [] for s, mark in marks.items()}
        return [Standing(s, State.GRADED if p else State.MISSING, parts=p) for s, p in parts.items()]

    marks = {"01": {"ada": 9.0, "bo": 8.0, "cy": None}, "02": {"ada": 3.0, "bo": None, "cy": None}}
    export_course(tmp_path / "course.csv", {name: ones(one) for name, one in marks.items()}, drop=1)
    with (tmp_path / "course.csv").open(encoding="utf-8") as file:
        found = {row["student"]: row for row in csv.DictReader(file)}
    told = {who: [row[name] for name in ("dropped", "total", "max_total")] for who, row in found.items()}
    assert told == {"ada": ["02", "9.0", "10.0"], "bo": ["02", "8.0", "10.0"], "cy": ["01", "0.0", "10.0"]}


def test_before_anything_is_graded_that_is_said(course):
    (course / "gradebook.db").unlink()
    announce(f"sqlite:///{course / 'gradebook.db'}", read_master(course / "solutions" / NAME))
    for words in (("return", NAME), ("written", NAME)):
        assert f"nothing of {NAME} is graded yet" in autograder(course, *words).err, words


def test_a_moment_or_a_file_that_cannot_be_read_is_told(course):
    (course / "extensions.csv").write_text("student,notebook,days\nada,*,soon\n")
    done = autograder(course, "export", NAME)
    assert done.status == 2 and "extensions.csv, line 2: days must be a number" in done.err
    done = autograder(course, "grade", NAME, "--due", "soon", "--gradebook", "sqlite:///g.db")
    assert done.status == 2 and "write a moment such as" in done.err


def test_a_plugin_that_fails_is_told(course):
    text = (course / "nbgrader_config.py").read_text()
    (course / "nbgrader_config.py").write_text(text.replace("return 2 *", "return 2 / 0 *"))
    done = autograder(course, "export", NAME)
    assert done.status == 2 and "TwoADay for late penalties fails on chidi" in done.err


def test_two_spellings_of_a_name_are_one_student_whose_newer_notebook_counts(course):
    hand_in(course, ZOE, submission(NAME, solved=False))
    done = grade(course, status=1)
    assert f"{ZOE}: the folder's name stands there in two Unicode spellings" in done.err
    found = rows(course)
    assert [s for s in found if s.startswith("zo")] == [ZOE]
    assert found[ZOE]["score"] == "0.0"


def test_an_answer_is_what_stands_behind_its_question():
    master = master_of(NAME)
    question = WrittenCell("why_tanh", "x", "Why?")
    answer = WrittenCell("", "own", "caf\u00e9  is bounded")
    same = WrittenCell("", "own", "cafe\u0301 is\nbounded")
    code = WrittenCell("rnn_step", "y", master.exercises["rnn_step"].source)
    digests = [
        digests_of([code, question, one, code], ["why_tanh"], ["rnn_step"])
        for one in (answer, same, question)
    ]
    assert digests[0] == digests[1]
    assert digests[0]["why_tanh"] != digests[2]["why_tanh"]
    assert digests[0]["rnn_step"] == digests[2]["rnn_step"]


def test_a_written_answer_is_found_where_a_program_has_lost_all_ids_of_cells():
    """As Colab and older Jupyters save a notebook; some keep nbgrader's metadata, some do not."""
    name, question = "01_simple_rnn", "padding_and_bias"
    source = source_notebook(master_of(name))
    for is_kept in (True, False):
        notebook = release_notebook(source)
        for i, cell in enumerate(notebook.cells):
            cell.id, cell.metadata = f"colab{i}", cell.metadata if is_kept else {}
            if cell.source == ANSWER_PROMPT:
                cell.source = "Because the padding moves the state."
            elif cell.source.startswith("def rnn_step("):
                cell.source = "def rnn_step(x_t, s_prev, W):\n    return s_prev"
        content = json.dumps(notebook).encode()
        cells = Annotator(annotated_source(source), {}).written(content)
        assert texts_of(cells, [question])[question] == ["Because the padding moves the state."]
        tidied, _ = TidyCells(root=str(ROOT)).preprocess(notebook, {"nbgrader": {"notebook": name}})
        graded = [cell.metadata.get("nbgrader", {}).get("grade_id", "") for cell in tidied.cells]
        cells = [WrittenCell(g, c.id, c.source) for g, c in zip(graded, tidied.cells, strict=True)]
        assert texts_of(cells, [question])[question] == ["Because the padding moves the state."]


def test_a_database_is_opened_whatever_signs_its_path_holds(tmp_path):
    path = tmp_path / "50% of a?b%20c.db"
    with engine_on(path).begin() as connection:
        connection.exec_driver_sql("create table one (two)")
    assert path.stat().st_size


def test_a_backup_of_a_servers_database_is_one_file(course, monkeypatch):
    """What is done for PostgreSQL, tried with the database at hand."""
    from sqlalchemy import create_engine

    from autograder.nbgrader_door import follow

    engine = create_engine(f"sqlite:///{course / 'gradebook.db'}")
    target = course / "copy.db"
    follow._copy(engine, create_engine(f"sqlite:///{target}"))
    counts = "select (select count(*) from grade), (select count(*) from student), (select max(timestamp) "
    counts += "from submitted_assignment)"
    with sqlite3.connect(target) as there, sqlite3.connect(back_up(engine, NAME)) as plain:
        assert there.execute(counts).fetchone() == plain.execute(counts).fetchone() != (0, 0, None)
