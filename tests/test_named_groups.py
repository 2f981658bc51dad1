"""Wrong answers that nobody named: grouped by what they return, and named once for all, at both doors."""

import json
import shutil

import nbformat
import pytest
from command import autograder
from course import KEY, ROOT, TINY, submission
from test_gradebook import grade, hand_in

from autograder.course.named_groups import FILE, NamedGroup, read_named_groups, write_named_groups
from autograder.errors import CourseError, SandboxUnavailable
from autograder.grading.journal import Journal
from autograder.nbgrader_door.plugin import SandboxGrade
from autograder.record import Record
from autograder.report.groups import groups_of
from autograder.sheets.returned import is_same

pytestmark = [pytest.mark.xdist_group("groups"), pytest.mark.usefixtures("confined")]

NAME = TINY.name
# One wrong idea, written three ways; then one that is near it and another.
CUBE = "def rnn_step(x_t, s_prev, W):\n    {}\n"
LOOPS = '''
    # Written by Grace Hopper
    """Grace Hopper's step."""
    out = np.zeros((len(W["ss"]), x_t.shape[1]))
    for n in range(x_t.shape[1]):
        for i in range(len(out)):
            a = sum(W["ss"][i, j] * s_prev[j, n] for j in range(len(s_prev)))
            a = a + sum(W["sx"][i, j] * x_t[j, n] for j in range(len(x_t)))
            out[i, n] = squash(a)
    return out'''
PLAIN = 'a = W["ss"] @ s_prev + W["sx"] @ x_t\n    return a / (3 + a**2)'
EINSUM = (
    'a = np.einsum("ij,jn->in", W["ss"], s_prev) + np.dot(W["sx"], x_t)\n'
    "    b = np.square(a) + 3\n    return np.divide(a, b)"
)
OTHER = 'a = W["ss"] @ s_prev + W["sx"] @ x_t\n    return a / (3.01 + a**2)'
HELPER = "def squash(a):\n    # Grace's own\n    return a / (3.0 + a * a)"


def answer(body, own=()):
    return submission(NAME, {"rnn_step": CUBE.format(body)}, own)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class of five, graded once."""
    place = tmp_path_factory.mktemp("groups")
    shutil.copytree(TINY, place / "solutions" / NAME)
    shutil.copy(ROOT / "nbgrader_config.py", place)
    hand_in(place, "ada", submission(NAME))
    hand_in(place, "bob", answer(PLAIN))
    hand_in(place, "cem", answer(EINSUM))
    hand_in(place, "grace", answer(LOOPS.strip(), (HELPER,)))
    hand_in(place, "zoe", answer(OTHER))
    grade(place)
    return place


@pytest.fixture
def course(graded, tmp_path):
    return shutil.copytree(graded, tmp_path / "course")


def records(place):
    with Journal(place / "build" / "journal" / f"{NAME}.journal") as journal:
        return {record.student: record for record in journal.records(journal.students)}


def group_id(place):
    return next(group.id for group in groups_of(records(place).values()) if group.exercise == "rnn_step")


def test_answers_that_return_the_same_are_one_group_however_they_are_written(graded):
    groups = [g for g in groups_of(records(graded).values()) if g.exercise == "rnn_step"]
    assert [sorted(group.members) for group in groups] == [["bob", "cem", "grace"], ["zoe"]]
    assert len({group.id for group in groups}) == 2
    again = {
        r.student: Record.from_json(json.loads(json.dumps(r.as_json()))) for r in records(graded).values()
    }
    assert again == records(graded)


def test_rounding_leaves_an_answer_in_its_group_and_nothing_else_does(graded):
    one = records(graded)["bob"].marks[0].judgement.returned
    near = type(one)(one.shapes, tuple(tuple(n * (1 + 1e-9) for n in four) for four in one.numbers))
    far = type(one)(one.shapes, tuple(tuple(n * (1 + 1e-3) for n in four) for four in one.numbers))
    assert is_same(one, near) and not is_same(one, far)


def test_a_named_group_has_its_name_hint_and_mark_at_both_doors(course, monkeypatch):
    before = records(course)
    words = ("--as", "another squashing function", "--hint", "Which function does (0.1) name?")
    done = autograder(course, "name", NAME, group_id(course), *words, "--share", 0.5)
    assert done.status == 0, done.err
    assert "3 students" in done.out
    (named,) = read_named_groups(course / "solutions" / NAME)
    assert "Grace" not in named.example and "Hopper" not in named.example
    grade(course)
    now = records(course)
    for student in ("bob", "cem", "grace"):
        mark = now[student].marks[0]
        assert [one.name for one in mark.judgement.diagnoses] == ["another squashing function"]
        assert mark.judgement.share == 0.5 and mark.score == 2 > before[student].marks[0].score
        assert mark.judgement.returned is None
    assert now["zoe"] == before["zoe"] and now["ada"] == before["ada"]
    page = (course / "autograded" / "cem" / NAME / f"{NAME}.ipynb").read_text()
    assert "another squashing function" in page and "50 % of the points" in page
    monkeypatch.setenv("AUTOGRADER_KEY", KEY)
    # What nbgrader runs in place of the notebook, in formgrader's server too.
    notebook = nbformat.reads((course / "submitted" / "bob" / NAME / f"{NAME}.ipynb").read_text(), 4)
    resources = {"nbgrader": {"notebook": NAME, "student": "bob"}}
    SandboxGrade(root=str(course)).preprocess(notebook, resources)
    assert resources["autograder"] == now["bob"]


def test_a_name_needs_no_key_and_no_machine(course):
    """The next term has another key: other inputs, the same name."""
    autograder(course, "name", NAME, group_id(course), "--as", "another squashing function")
    (course / "build" / "journal" / f"{NAME}.journal").unlink()
    from autograder.grading.grade import Grader

    with Grader(course / "solutions" / NAME, KEY + " of next year") as grader:
        card = grader.grade(answer(EINSUM))
    assert [one.name for one in card.judgements[0].diagnoses] == ["another squashing function"]


def test_a_mark_is_given_for_inputs_of_ones_own_only(grader_of, monkeypatch, course):
    """Who returns the group's numbers for the class's inputs, and others for his own, gets nothing."""
    from autograder.grading import examples

    grader = grader_of(NAME)
    group = NamedGroup("rnn_step", "another squashing function", "", CUBE.format(PLAIN), 0.5)
    mine = examples.Examples(grader.master, grader.sandbox, grader.sheets, [group])
    monkeypatch.setattr(grader, "examples", mine)
    assert grader.grade(answer(EINSUM)).judgements[0].share == 0.5
    monkeypatch.setattr(
        mine, "_returned_by", lambda group: records(course)["zoe"].marks[0].judgement.returned
    )
    judgement = grader.grade(answer(OTHER)).judgements[0]
    assert judgement.share < 0.5 and judgement.returned is not None


def test_groups_are_listed_and_a_wrong_id_is_told(course):
    done = autograder(course, "name", NAME)
    assert f"{group_id(course)}: 3 students" in done.out
    done = autograder(course, "name", NAME, "rnn_step-000000", "--as", "so")
    assert done.status == 2 and group_id(course) in done.err
    done = autograder(course, "name", NAME, group_id(course))
    assert done.status == 2 and "--as" in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[group]]\nexercise = 1", "exercise"),
        ("[[group", "cannot be read"),
        ('[[group]]\nexercise="a"\nname="b"\nexample="c"\nshare=2', "from 0 to below 1"),
        ('[[group]]\nexercise="a"\nname="b"\nexample="c"\nmark=2', "nothing else"),
        ("group = 3", "[[group]]"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(tmp_path, text, said):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(CourseError) as told:
        read_named_groups(tmp_path)
    assert FILE in str(told.value) and said in str(told.value)


def test_what_is_written_is_read_again(tmp_path):
    code = 'def f(x):\n    return "\\n" + \'"""\' + "\\\\ \x7f é"\n'
    groups = [NamedGroup("f", 'a "name"', "why\\?", code, 0.25), NamedGroup("f", "b", "", "x = 1", None)]
    write_named_groups(tmp_path, groups)
    assert [(g.name, g.hint, g.example.strip(), g.share) for g in read_named_groups(tmp_path)] == [
        (g.name, g.hint, g.example.strip(), g.share) for g in groups
    ]


def test_the_report_shows_a_group_with_an_example_and_its_name_at_once(course):
    """Before the class is graded again; in the lecture without whose it is."""
    done = autograder(course, "report", NAME)
    assert done.status == 0, done.err
    group, path = group_id(course), course / "build" / "report" / f"{NAME}.html"
    page = path.read_text()
    assert f"<code>{group}</code>" in page and "return a / (3 + a ** 2)" in page
    autograder(course, "name", NAME, group, "--as", "another squashing function")
    autograder(course, "report", NAME)
    page = path.read_text()
    assert group not in page and '<td class="n">3</td>' in page and "another squashing function" in page
    done = autograder(course, "report", NAME, "--lecture")
    assert done.status == 0, done.err
    for name in (f"{NAME}-lecture.html", f"{NAME}-lecture-slides.html"):
        shown = (path.with_name(name)).read_text()
        assert "another squashing function" in shown
        assert not any(student in shown for student in ("grace", "zoe<", ">bob<"))


def test_where_nothing_can_be_run_the_report_goes_without_examples(course, monkeypatch):
    from autograder.grading import grade as grading

    def unavailable(*_, **__):
        raise SandboxUnavailable("no namespaces here")

    monkeypatch.setattr(grading, "Sandbox", unavailable)
    done = autograder(course, "report", NAME)
    assert done.status == 0, done.err
    page = (course / "build" / "report" / f"{NAME}.html").read_text()
    assert group_id(course) in page and "no namespaces here" in page
