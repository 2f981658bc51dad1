"""Answers that are alike: copies are found however they are disguised, and nobody is listed for a formula."""

import ast
import random
import shutil
import stat
from functools import cache

import pytest
from check_pages import check_page
from command import autograder
from course import NOTEBOOKS, ROOT, TINY, master_of, submission

from autograder.course.alternatives import read_alternatives
from autograder.grading.pieces import known_texts
from autograder.report.similar import Known, Piece, bare_text, marked, similarity
from autograder.report.similar_page import write_similar_page

NAME = "01_simple_rnn"
PLAIN = ast.Name | ast.Tuple
HELPER = """
def spread_of(numbers, parts=4):
    ordered = sorted(float(n) for n in numbers)
    step = max(len(ordered) // parts, 1)
    groups = [ordered[i : i + step] for i in range(0, len(ordered), step)]  # {comment}
    return [round(max(group) - min(group), 3) for group in groups if group]

trial = np.random.default_rng(5).normal(size=40)
for share in spread_of(trial):
    print("spread", share, "mean", round(float(trial.mean()), 3), "{comment}")
"""


@cache
def alternatives(notebook):
    return read_alternatives(ROOT, notebook)


@cache
def known(notebook):
    return known_texts(master_of(notebook), alternatives(notebook))


@cache
def piece(place, source):
    return Piece(place, source.strip("\n"), bare_text(source))


def written(answers):
    return [piece(place, source) for place, source in answers.items()]


def disguised(source, rng):
    """A copy with other names and comments, its lines in another order wherever that changes nothing."""
    tree = ast.parse(source)
    nodes = [*ast.walk(tree)]
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound -= {"self"}
    new = {name: f"v{rng.randrange(10**6)}" for name in sorted(bound)}
    for node in nodes:
        if isinstance(node, ast.Name):
            node.id = new.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = new.get(node.arg, node.arg)
        if isinstance(body := getattr(node, "body", None), list):
            for i in range(len(body) - 1):
                if may_be_exchanged(*body[i : i + 2]):
                    body[i : i + 2] = body[i + 1], body[i]
    return f"# my own work\n{ast.unparse(tree)}  # done"


def may_be_exchanged(one, other):
    """Whether two assignments, to plain names, neither read nor set what the other one sets."""
    if not all(
        isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Name | ast.Tuple) for s in (one, other)
    ):
        return False

    def names_of(statement, of):
        return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, of)}

    sets, reads = ([names_of(s, of) for s in (one, other)] for of in (ast.Store, ast.Load))
    return not (sets[0] & (sets[1] | reads[1]) or sets[1] & reads[0])


def names(found):
    return {(pair.one, pair.other) for pair in found.pairs}


@pytest.mark.parametrize(
    ("notebook", "seed"),
    [(NAME, 0), *(pytest.param(n, s, marks=pytest.mark.long) for n in NOTEBOOKS for s in range(4))],
)
def test_who_copied_known_answers_everywhere_is_found_and_nobody_else(notebook, seed):
    """Every answer is one that the course knows: what tells is that two chose the same every time."""
    rng = random.Random(seed)
    chosen = {
        f"s{i:02}": {name: rng.choice(ways) for name, ways in alternatives(notebook).items()}
        for i in range(60)
    }
    copied = rng.sample(sorted(chosen), 3)
    for student in copied:
        chosen[f"z-{student}"] = {name: disguised(text, rng) for name, text in chosen[student].items()}
    found = similarity({s: written(answers) for s, answers in chosen.items()}, known(notebook))
    strangers = names(found) - {(student, f"z-{student}") for student in copied}
    # With few exercises chance alone makes such pairs: one in ten classes may have one, and a copy may be
    # missed. In 01 there are seven.
    assert (len(found.pairs), len(strangers)) == (3, 0) or (notebook != NAME and len(strangers) <= 1)
    assert all(0 < pair.chance <= 0.1 and not pair.passages for pair in found.pairs)


@pytest.mark.parametrize("notebook", [NAME, *(pytest.param(n, marks=pytest.mark.long) for n in NOTEBOOKS)])
def test_who_copied_what_only_one_had_is_found_and_nobody_else(notebook):
    """Nobody knows the alternatives here: they are as unlike as what five people write by themselves."""
    rng = random.Random(1)
    master = master_of(notebook)
    ways = alternatives(notebook)
    chosen = {f"s{i}": {name: ways[name][i] for name in ways} for i in range(5)}
    chosen |= {f"r{i:02}": {name: e.source for name, e in master.exercises.items()} for i in range(55)}
    for i in (0, 2, 4):
        chosen[f"z-s{i}"] = {name: disguised(text, rng) for name, text in chosen[f"s{i}"].items()}
    found = similarity({s: written(a) for s, a in chosen.items()}, known_texts(master, {}))
    # Of 00's formulas, a line each, only those who wrote more can be told.
    expected = {(f"s{i}", f"z-s{i}") for i in (0, 2, 4)}
    assert names(found) == expected or (notebook == "00_start_here" and names(found) <= expected)
    assert all(min(pair.parts) > 0.5 for pair in found.pairs)


@pytest.mark.parametrize("size", [8, 20, 60, 300])
def test_formulas_accuse_nobody_though_the_course_knows_none_of_their_forms(size):
    """Short answers of a class that copied nothing: many are the same, sign by sign."""
    rng = random.Random(size)
    ways = alternatives("00_start_here")
    chosen = {f"s{i:03}": {name: rng.choice(ways[name]) for name in ways} for i in range(size)}
    found = similarity({s: written(a) for s, a in chosen.items()}, Known())
    assert found.students == size and found.pairs == []


def test_what_everybody_was_given_or_many_have_is_no_sign():
    master = master_of(NAME)
    given = {name: exercise.source for name, exercise in master.exercises.items()}
    many = given | {"": HELPER.format(comment="from the lecture")}
    everybody = {f"s{i:02}": written(many if i < 20 else given) for i in range(40)}
    assert similarity(everybody, known(NAME)).pairs == []
    two = {student: written(many if student in ("s03", "s07") else given) for student in everybody}
    assert names(similarity(two, known(NAME))) == {("s03", "s07")}
    assert (
        similarity({}, known(NAME)).pairs == [] and similarity({"s": written(many)}, known(NAME)).pairs == []
    )


def test_layout_descriptions_and_annotations_make_no_other_text():
    one = 'def f(x: np.ndarray, k: int = 2) -> float:\n    """Says."""\n    return (x, "a"), [k,]  # so\n'
    assert bare_text(one) == bare_text("def g(y, z=2):\n\n    return ((y), 'n'), [z]")
    assert bare_text("def f(:  # no Python") == "defF(:"


def test_marks_lie_where_the_passages_stand_and_lose_nothing():
    source = f"class Model:\n    rate = 3\n\n\n# é\n{HELPER.strip()}"
    whole = similarity({"a": written({"": source}), "b": written({"": HELPER})}, Known())
    (pair,) = whole.pairs
    parts = marked(source, pair.passages)
    assert "".join(words for words, _ in parts) == source
    told = "".join(words for words, is_shared in parts if is_shared)
    assert "step = max(len(ordered) // parts, 1)" in told and "rate = 3" not in told
    assert marked("x = 1", pair.passages) == [("x = 1", False)]


@pytest.fixture
def page(tmp_path):
    hostile = "<script>alert(1)</script>"
    texts = {
        "ada": written({"": HELPER.format(comment=hostile)}),
        "bob": written({"": HELPER.replace("ordered", "o").format(comment="mine")}),
        "cem": written({"rnn_step": "def rnn_step(x_t, s_prev, W):\n    return x_t"}),
    }
    found = similarity(texts, Known())
    left_out = {"torn": "its JSON breaks off"}
    return write_similar_page(
        tmp_path / "x.html", "01 · A lesson", found, texts, left_out, {"ada": "Ada <b>"}
    )


def test_the_page_shows_both_and_says_what_it_cannot_tell(page):
    text = page.read_text("utf-8")
    assert "<script>" not in text and "&lt;script&gt;" in text and "Ada &lt;b&gt;" in text
    assert text.count("<pre ") == 2 and text.count("<mark>") >= 2 and ">cem<" not in text
    assert "alike by nature" in text and "its JSON breaks off" in text and "who wrote first" in text


@pytest.mark.long
def test_the_page_keeps_nobody_out(page, browser):
    assert check_page(browser, page) == []


def test_the_command_writes_a_page_for_its_user_alone(tmp_path):
    shutil.copytree(TINY, tmp_path / "solutions" / TINY.name)
    for student, comment in (("ada", "one"), ("bob", "two"), ("cem", ""), ("dan", "")):
        folder = tmp_path / "submitted" / student / TINY.name
        folder.mkdir(parents=True)
        own = (HELPER.format(comment=comment),) if comment else ()
        (folder / f"{TINY.name}.ipynb").write_bytes(submission(TINY.name, {}, own))
    (folder / f"{TINY.name}.ipynb").write_bytes(b"{")
    done = autograder(tmp_path, "similar", TINY.name)
    assert done.status == 0 and "1 pair worth a look among 3 students, 1 not compared" in done.out
    path = tmp_path / "build" / "report" / f"{TINY.name}-similar.html"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "ada, bob" in path.read_text() and "dan" in path.read_text()


def test_who_lacks_the_library_is_told_what_brings_it(monkeypatch):
    monkeypatch.setattr("autograder.seen.find_spec", lambda name: None)
    done = autograder(ROOT, "similar", NAME)
    assert done.status == 2 and 'pip install -e "autograder[similar]"' in done.err
