"""The table of mistakes: every form in which it is written, and what is said where it is not well written."""

import ast
import shutil
import sys
from textwrap import dedent
from types import ModuleType

import pytest
from course import NOTEBOOKS, ROOT, TINY, exercises_of, master_of

from autograder.course.exercise import Way
from autograder.course.masters import read_master
from autograder.course.mistakes import mistaken, read_mistakes
from autograder.course.places import find_masters
from autograder.errors import CourseError
from autograder.grading.grade import fingerprint

SOLUTION = """
    total = 0.0  # (0.1)
    for x in xs:
        total = (
            total
            + 2 * x
        )
        seen.append(x)
    return total, seen
"""
EXERCISES = exercises_of(TINY.name, *NOTEBOOKS)


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        pytest.param(
            [("total+2*x", "total - x")],
            "total = 0.0\nfor x in xs:\n    total = total - x\n    seen.append(x)\nreturn total, seen",
            id="an expression, however it is formatted",
        ),
        pytest.param(
            [("x  # 2 of 3", "x - 1")],
            "total = 0.0\nfor x in xs:\n    total = total + 2 * (x - 1)\n    seen.append(x)\n"
            "return total, seen",
            id="one of several, with the brackets that its place needs",
        ),
        pytest.param(
            [("total, seen", "seen, total")],
            "total = 0.0\nfor x in xs:\n    total = total + 2 * x\n    seen.append(x)\nreturn seen, total",
            id="a tuple",
        ),
        pytest.param(
            [("total = 0.0", "total = 1.0")],
            "total = 1.0\nfor x in xs:\n    total = total + 2 * x\n    seen.append(x)\nreturn total, seen",
            id="a statement",
        ),
        pytest.param(
            [("seen.append(x)", "seen.append(-x)")],
            "total = 0.0\nfor x in xs:\n    total = total + 2 * x\n    seen.append(-x)\nreturn total, seen",
            id="an expression that is a statement",
        ),
        pytest.param(
            [("seen.append(x)", "...\nif x:\n    return total, seen")],
            "total = 0.0\nfor x in xs:\n    total = total + 2 * x\n    seen.append(x)\n"
            "    if x:\n        return total, seen\nreturn total, seen",
            id="lines after a statement that stays",
        ),
        pytest.param(
            [("total = total + 2 * x; seen.append(x)", "seen.append(x)")],
            "total = 0.0\nfor x in xs:\n    seen.append(x)\nreturn total, seen",
            id="a line deleted",
        ),
        pytest.param(
            [("total = total + 2 * x; seen.append(x)", "seen.append(x); total = total + 2 * x")],
            "total = 0.0\nfor x in xs:\n    seen.append(x)\n    total = total + 2 * x\nreturn total, seen",
            id="lines moved",
        ),
        pytest.param(
            [("for x in xs: total = total + 2 * x; seen.append(x)", "total = sum(xs)")],
            "total = 0.0\ntotal = sum(xs)\nreturn total, seen",
            id="a whole loop",
        ),
        pytest.param(
            [("total = 0.0", "total = xs"), ("xs", "total")],
            "total = xs\nfor x in total:\n    total = total + 2 * x\n    seen.append(x)\nreturn total, seen",
            id="several edits, all on the original",
        ),
    ],
)
def test_an_edit_gives_the_tree_that_is_meant(edits, expected):
    assert ast.dump(ast.parse(dedent(mistaken(SOLUTION, tuple(edits))))) == ast.dump(ast.parse(expected))


def test_a_mistaken_solution_is_indented_as_the_right_one():
    assert mistaken("\n  # (0.1)\n  a = b\n", (("b", "c"),)) == "  a = c\n"


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ([("total - x", "total")], "the solution has no 'total - x': a site is a whole expression"),
        ([("x", "y")], "'x' is asked for once, but the solution has it 3 times: say which, `x  # 1 of 3`"),
        ([("x  # 1 of 2", "y")], "'x' is asked for as number 1 of 2, but the solution has it 3 times"),
        ([("x  # 4 of 3", "y")], "'x' is asked for as number 4 of 3"),
        ([("total = 0", "total = 1")], "the solution has no 'total = 0'"),
        ([("2 * x", "for")], "'for' is no Python: invalid syntax"),
        ([("2 * ", "x")], "'2 * ' is no Python: invalid syntax"),
        ([("2 * x", "y = x")], "'2 * x' is an expression: expected another in its place, not 'y = x'"),
        ([("2 * x", "...")], "'2 * x' is an expression: expected another in its place, not '...'"),
        ([("2 * x", "2*x")], "'2*x' changes nothing"),
        ([("2 * x", "x"), ("total + 2 * x", "x")], "'2 * x', 'total + 2 * x' overlap"),
        ([("2 * x", "x"), ("2 * x", "y")], "'2 * x', '2 * x' overlap"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(edits, words):
    with pytest.raises(CourseError) as error:
        mistaken(SOLUTION, tuple(edits))
    assert words in str(error.value)


TABLE = """\
# Comments start at the margin.

[run, walk]
2 * x
    x              # factor missing
        Twice what?
    (2 - 1) * x    # subtracted, then multiplied
        A hint may go on
        in a second line.

[walk]
total = 0.0
xs
    total = xs
    total          # two sites, a line for each
        All edits are made on the original.

seen.append(x)
    ...
    if x:
        return total, seen
    # a name on a line of its own
        One site, several lines.
"""


def read(tmp_path, text):
    path = tmp_path / "mistakes.txt"
    path.write_text(text)
    return read_mistakes(path, {"run": SOLUTION, "walk": SOLUTION})


def test_a_table_is_read_in_its_order(tmp_path):
    table = read(tmp_path, TABLE)
    assert [mutant.name for mutant in table["run"]] == ["factor missing", "subtracted, then multiplied"]
    assert [(mutant.name, mutant.hint, mutant.edits) for mutant in table["walk"]] == [
        ("factor missing", "Twice what?", (("2 * x", "x"),)),
        ("subtracted, then multiplied", "A hint may go on in a second line.", (("2 * x", "(2 - 1) * x"),)),
        (
            "two sites, a line for each",
            "All edits are made on the original.",
            (("total = 0.0", "total = xs"), ("xs", "total")),
        ),
        (
            "a name on a line of its own",
            "One site, several lines.",
            (("seen.append(x)", "...\nif x:\n    return total, seen"),),
        ),
    ]


def test_no_table_is_no_mistake(tmp_path):
    assert read_mistakes(tmp_path / "mistakes.txt", {"run": SOLUTION}) == {"run": []}


@pytest.mark.parametrize(
    ("replaced", "by", "line", "words"),
    [
        ("[run, walk]", "", 4, "expected [exercise] before the first site"),
        ("[run, walk]", "[run, wald]", 3, "no exercise 'wald'; there are 'run', 'walk'"),
        ("[run, walk]", "[run walk]", 3, "expected [exercise] before the first site"),
        ("\n2 * x", "\n3 * x", 4, "[run] the solution has no '3 * x'"),
        ("\n2 * x", "\nx", 4, "[run] 'x' is asked for once, but the solution has it 3 times"),
        ("\n2 * x", "\n2 *", 4, "[run] '2 *' is no Python"),
        ("\n2 * x", "", 4, "expected a site"),
        ("x              # factor missing", "x +  # factor missing", 5, "[run] 'x +' is no Python"),
        ("x              # factor", "2 * x  # factor", 5, "[run] '2 * x' changes nothing"),
        ("x              # factor missing", "x", 5, "expected `what stands there instead  # name`"),
        ("x              # factor missing", "# factor missing", 5, "expected `what stands there instead"),
        ("x              # factor missing", "x  #", 5, "expected `what stands there instead  # name`"),
        ("        Twice what?\n", "", 5, "expected a hint below the mistake"),
        ("        Twice what?", "      Twice what?", 6, "this line is indented by 6"),
        ("        Twice what?", "            Twice what?", 6, "this line is indented by 12"),
        ("        Twice what?", "\tTwice what?", 6, "there is a tab"),
        ("    x              #", "  x              #", 5, "this line is indented by 2"),
        ("    (2 - 1)", "   (2 - 1)", 7, "this line is indented by 3"),
        ("subtracted, then multiplied", "factor missing", 7, "'run' has a mistake named 'factor missing'"),
        ("\nxs\n", "\nxs\n2 * x\n", 15, "3 sites stand above: expected a line for each, here are 2"),
        ("    total = xs\n", "", 14, "2 sites stand above: expected a line for each, here are 1"),
        ("[walk]", "total, seen\n[walk]", 11, "no mistake stands below this site"),
        ("    ...\n    if x:", "    if x:\n    ...", 19, "is no Python"),
    ],
)
def test_what_is_not_well_written_is_named_by_its_line(tmp_path, replaced, by, line, words):
    assert TABLE.count(replaced) == 1
    with pytest.raises(CourseError) as error:
        read(tmp_path, TABLE.replace(replaced, by))
    assert f"mistakes.txt, line {line}: " in str(error.value)
    assert words in str(error.value)


def test_mistakes_of_a_way_share_its_name_and_its_hint(tmp_path):
    path = tmp_path / "mistakes.txt"
    path.write_text(
        "[run]\n2 * x\n    x  # the way through x is not right\n    3 * x  # the way through x is not right\n"
    )
    ways = {"the way through x is not right": Way(("total",), "What became of x?")}
    found = read_mistakes(path, {"run": SOLUTION}, {"run": ways})["run"]
    assert [(one.new, one.hint) for one in found] == [
        ("x", "What became of x?"),
        ("3 * x", "What became of x?"),
    ]


def test_the_example_for_contributors_is_read(tmp_path):
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("## mistakes.txt")[2]
    path = tmp_path / "mistakes.txt"
    path.write_text(section.split("```")[1])
    cells = read_master(ROOT / "solutions" / "04_gating").cells_with("exercise")
    table = read_mistakes(path, {cell.name: cell.solution for cell in cells})
    assert {name: len(mistakes) for name, mistakes in table.items() if mistakes} == {
        "gated_step": 3,
        "gated_forward": 1,
    }


@pytest.mark.parametrize(("notebook", "exercise"), EXERCISES)
def test_every_mistake_of_the_course_gives_code_of_its_own(notebook, exercise):
    master = master_of(notebook)
    mutants = master.exercises[exercise].spec.misconceptions
    codes = [master.exercises[exercise].source, *(master.mutate(exercise, mutant) for mutant in mutants)]
    trees = [ast.dump(ast.parse(code)) for code in codes]
    assert len(mutants) > 1
    assert len(set(trees)) == len(trees)


# ---------------------------------------------------------------- what several notebooks share


@pytest.fixture
def course(tmp_path):
    """A course whose exercises draw their inputs by a function of its `common.py`."""
    solutions = tmp_path / "solutions"
    shutil.copytree(TINY, solutions / TINY.name, ignore=shutil.ignore_patterns("__pycache__"))
    (solutions / "common.py").write_text("WORDS = 'one sequence, and no other'\n")
    exercises = solutions / TINY.name / "exercises.py"
    text = exercises.read_text().replace('"one sequence (N = 1)"', "WORDS")
    exercises.write_text(text.replace("import numpy", "from common import WORDS\n\nimport numpy"))
    return solutions


def test_exercises_share_code_from_whichever_directory_they_are_read(course, monkeypatch):
    monkeypatch.chdir("/")
    foreign = ModuleType("common")
    monkeypatch.setitem(sys.modules, "common", foreign)
    master = read_master(course / TINY.name)
    assert list(master.exercises["rnn_step"].spec.edge_cases) == ["one sequence, and no other"]
    assert sys.modules["common"] is foreign


def test_what_exercises_share_is_no_notebook(course):
    assert [folder.name for folder in find_masters(course)] == [TINY.name]


def test_an_error_in_what_exercises_share_is_named(course):
    (course / "common.py").write_text("1 / 0\n")
    with pytest.raises(CourseError, match=r"common\.py cannot be executed: ZeroDivisionError"):
        read_master(course / TINY.name)


@pytest.mark.parametrize("name", [f"{TINY.name}.py", "exercises.py", "mistakes.txt", "../common.py"])
def test_marks_depend_on_every_file_that_says_what_is_graded(course, name):
    before = fingerprint(course / TINY.name, "key")
    with (course / TINY.name / name).open("a") as file:
        file.write("\n# changed\n")
    assert fingerprint(course / TINY.name, "key") != before
