"""A student's work goes into a newer release whole: by id, beside its neighbour, or it is named."""

import copy
import json
import random
import re
import shutil

import pytest
from course import TINY
from typer.testing import CliRunner

from autograder import cli
from autograder.course.handwritten import course_of, read_notebook, written
from autograder.course.masters import read_master
from autograder.course.notebook import as_text, release_notebook, source_notebook
from autograder.errors import CourseError
from autograder.exchange.carry import carry, carry_file

OLD_TEXT = (TINY / "tiny_rnn.py").read_text("utf-8")
ANSWER = "def rnn_step(x_t, s_prev, W):\n    # mine\n    return np.tanh(W['ss'] @ s_prev)\n"
ASKED = '# %% [markdown] written="why_tanh"'
PROMPT = "*Write your answer here.*"


def release(folder, *changes):
    """The release of the tiny master with some of its text replaced, as data."""
    text = OLD_TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    home = folder / f"master{len(list(folder.glob('master*')))}" / TINY.name
    shutil.copytree(TINY, home)
    (home / "tiny_rnn.py").write_text(text, "utf-8")
    path = home / "release.ipynb"
    path.write_text(as_text(release_notebook(source_notebook(read_master(home)))), "utf-8")
    return read_notebook(path)


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    return release(tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    """A mended release: a cell of prose changed, one inserted, a docstring and the points of an exercise."""
    return release(
        tmp_path_factory.mktemp("newer"),
        ("a notebook to test the tools with", "a mended notebook"),
        ('# %% given="imports"', '# %% [markdown]\n# A new paragraph.\n\n# %% given="imports"'),
        ("One step, equation", "One step of many, equation"),
        ('exercise="rnn_forward" points=3', 'exercise="rnn_forward" points=6'),
        (ASKED, '# %%\nprint("a new cell")\n\n' + ASKED),
    )


def place(notebook, grade_id):
    return next(
        i
        for i, cell in enumerate(notebook["cells"])
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )


def sources(notebook):
    return [cell["source"] for cell in notebook["cells"]]


def own_cell(source, kind="code", **more):
    cell = {"cell_type": kind, "id": f"0a1b2c3d-{random.randrange(10**9)}", "metadata": {}, "source": source}
    return {**cell, **({"outputs": [], "execution_count": None} if kind == "code" else {}), **more}


def at_work(notebook):
    """A notebook with an answer, a written answer and own cells in it."""
    mine = copy.deepcopy(notebook)
    cells = mine["cells"]
    cells[place(mine, "rnn_step")]["source"] = ANSWER
    cells[-1]["source"] = "Because it is bounded."
    cells[-1]["attachments"] = {"drawing.png": {"image/png": "aGVsbG8="}}
    cells.insert(place(mine, "check_rnn_step") + 1, own_cell("# mine, after the check\nmy_note = 1"))
    cells.insert(place(mine, "rnn_forward"), own_cell("My note on loops.", "markdown"))
    cells.append(own_cell("print('last of all')"))
    return mine


def as_jupyter_saves(notebook):
    """What JupyterLab makes of it: lines in lists, 4 for 4.0, metadata and outputs of its own."""
    saved = json.loads(re.sub(r"\b(\d+)\.0\b", r"\1", json.dumps(notebook)))
    saved["metadata"]["language_info"]["version"] = "3.13.1"
    for cell in saved["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
        cell["metadata"] |= {"editable": True, "tags": cell["metadata"].get("tags", []), "collapsed": True}
        if cell["cell_type"] == "code":
            cell["execution_count"] = 3
            cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": ["hello\n"]}]
    return saved


def test_a_release_names_its_version_and_is_told_unchanged_after_a_save(old, newer, tmp_path):
    versions = {course_of(notebook)["release"] for notebook in (old, newer)}
    assert len(versions) == 2
    assert all(re.fullmatch("[0-9a-f]{12}", version) for version in versions)
    path = tmp_path / "saved.ipynb"
    path.write_text(json.dumps(as_jupyter_saves(old)))
    assert written(read_notebook(path)) == []


def test_the_same_master_gives_the_same_version(old, tmp_path):
    assert course_of(release(tmp_path))["release"] == course_of(old)["release"]


@pytest.mark.parametrize("keep_version", [True, False])
def test_what_somebody_wrote_is_named(old, keep_version):
    mine = at_work(old)
    if not keep_version:  # a release from before there were versions
        del mine["metadata"]["course"]["release"]
    assert [name for name in written(mine) if not name.startswith("cell")] == ["rnn_step"]
    assert len(written(mine)) == 5
    untouched = copy.deepcopy(old)
    del untouched["metadata"]["course"]["release"]
    assert written(untouched) == []


def test_a_comment_in_a_stub_is_writing(old):
    mine = copy.deepcopy(old)
    mine["cells"][place(mine, "rnn_forward")]["source"] += "    # TODO: think of T = 1\n"
    assert written(mine) == ["rnn_forward"]


def test_answers_and_own_cells_come_into_the_newer_release(old, newer):
    carried = carry(at_work(old), newer)
    notebook, before = carried.notebook, len(newer["cells"])
    assert carried.left == []
    assert carried.taken == ["rnn_step", "why_tanh", "3 cells of your own"]
    assert notebook["cells"][place(notebook, "rnn_step")]["source"] == ANSWER
    assert course_of(notebook) == course_of(newer)
    assert len(notebook["cells"]) == before + 3
    told = sources(notebook)
    assert set(sources(newer)) - set(told) == {newer["cells"][place(newer, "rnn_step")]["source"], PROMPT}
    assert told[place(notebook, "check_rnn_step") + 1].startswith("# mine, after the check")
    assert told[place(notebook, "rnn_forward") - 1] == "My note on loops."
    assert told[-2:] == ["Because it is bounded.", "print('last of all')"]
    assert notebook["cells"][-2]["attachments"] == {"drawing.png": {"image/png": "aGVsbG8="}}
    assert "A new paragraph." in told and 'print("a new cell")' in told
    # The newer release's own text of the exercise's metadata stays.
    assert notebook["cells"][place(notebook, "check_rnn_forward")]["metadata"]["nbgrader"]["points"] == 6


def test_carrying_twice_changes_nothing_more(old, newer):
    once = carry(at_work(old), newer).notebook
    twice = carry(at_work(old), once)
    assert (twice.taken, twice.left) == ([], [])
    assert twice.notebook == once


def test_nothing_written_is_lost_wherever_it_stands(old, newer):
    """Own cells at every place, several in a row, and each reappears, in the same order."""
    rng = random.Random(1)
    for _ in range(20):
        mine = copy.deepcopy(old)
        for number in range(12):
            mine["cells"].insert(rng.randrange(len(mine["cells"]) + 1), own_cell(f"own_{number} = {number}"))
        told = sources(carry(mine, newer).notebook)
        assert [s for s in told if s.startswith("own_")] == [s for s in sources(mine) if s.startswith("own_")]


def test_an_own_cell_behind_mended_text_stays_in_its_stretch(old, newer):
    mine = copy.deepcopy(old)
    mine["cells"].insert(1, own_cell("behind_the_title = 1"))  # the title was mended
    told = sources(carry(mine, newer).notebook)
    assert told[1] == "behind_the_title = 1"


def test_a_changed_cell_of_the_release_is_changed_again_or_stands_behind_the_mended_one(old, newer):
    mine = copy.deepcopy(old)
    call = next(i for i, source in enumerate(sources(mine)) if source.startswith("rnn_step(np.ones"))
    mine["cells"][call]["source"] = "rnn_step(np.zeros((2, 1)), np.zeros((3, 1)), my_weights)"
    mine["cells"][0]["source"] += "\nMy remark on the title."
    carried = carry(mine, newer)
    told = sources(carried.notebook)
    assert mine["cells"][call]["source"] in told
    assert sources(old)[call] not in told
    assert told[0] == sources(newer)[0]
    assert told[1] == mine["cells"][0]["source"]
    assert carried.taken == ["2 cells of the release that you had changed"]
    assert sources(carry(mine, carried.notebook).notebook) == told


def test_halves_of_a_split_answer_stay_together_and_in_order(old, newer):
    mine = copy.deepcopy(old)
    at = place(mine, "rnn_step")
    head, tail = ANSWER.split("    # mine\n")
    second = {**copy.deepcopy(mine["cells"][at]), "id": "0a1b2c3d-1", "source": "    # mine\n" + tail}
    mine["cells"][at]["source"] = head
    mine["cells"].insert(at + 1, second)
    carried = carry(mine, newer)
    at = place(carried.notebook, "rnn_step")
    assert "".join(sources(carried.notebook)[at : at + 2]) == ANSWER
    assert carried.notebook["cells"][at + 1]["metadata"]["nbgrader"]["grade_id"] == "rnn_step"
    assert sources(carry(mine, carried.notebook).notebook) == sources(carried.notebook)


def test_what_finds_no_place_is_named(old, tmp_path):
    renamed = release(
        tmp_path, ('written="why_tanh"', 'written="why_bounded"'), ("# Why tanh?", "# Why bounded?")
    )
    mine = at_work(old)
    mine["cells"][place(mine, "given_sigmoid")]["source"] += "\n# changed all the same"
    carried = carry(mine, renamed)
    assert carried.taken == ["rnn_step", "3 cells of your own"]
    assert [reason.split(":")[0].split(" ")[0] for reason in carried.left] == ["given_sigmoid", "why_tanh"]


def test_an_answer_in_the_newer_notebook_stays_and_the_other_is_named(old, newer):
    started = copy.deepcopy(newer)
    started["cells"][place(started, "rnn_step")]["source"] = (
        "def rnn_step(x_t, s_prev, W):\n    return s_prev"
    )
    carried = carry(at_work(old), started)
    assert sources(carried.notebook)[place(carried.notebook, "rnn_step")].endswith("return s_prev")
    assert [reason.partition(":")[0] for reason in carried.left] == ["rnn_step"]
    assert "why_tanh" in carried.taken


def test_a_notebook_that_lost_its_ids_is_carried_all_the_same(old, newer):
    mine = at_work(old)
    mine["nbformat_minor"] = 4
    for cell in mine["cells"]:
        del cell["id"]
    carried = carry(mine, newer)
    told = sources(carried.notebook)
    assert carried.left == []
    assert told[place(carried.notebook, "rnn_step")] == ANSWER
    assert told[-2:] == ["Because it is bounded.", "print('last of all')"]
    assert told.count("from autograder import check, hint") == 1
    assert len({cell["id"] for cell in carried.notebook["cells"]}) == len(told)


# Files: what held something before stands beside it, and bad input is told in a sentence.


@pytest.fixture
def files(old, newer, tmp_path):
    paths = tmp_path / "mine.ipynb", tmp_path / "new.ipynb"
    for path, notebook in zip(paths, (at_work(old), newer), strict=True):
        path.write_text(json.dumps(as_jupyter_saves(notebook)))
    return paths


def run(*words, status=0):
    done = CliRunner().invoke(cli.app, ["carry", *map(str, words)])
    if isinstance(done.exception, CourseError):
        raise done.exception
    assert done.exit_code == status, done.output
    return done.output


def test_the_newer_file_gets_the_work_and_the_older_stays(files):
    mine, new = files
    before = mine.read_bytes()
    said = run(mine, new)
    assert "rnn_step, why_tanh, 3 cells of your own" in said.replace("\n", " ")
    assert mine.read_bytes() == before
    assert ANSWER in sources(read_notebook(new))
    assert sorted(p.name for p in mine.parent.glob("*")) == ["mine.ipynb", "new.ipynb"]
    assert "nothing to carry" in run(mine, new)


def test_the_result_can_be_written_and_read_as_before(files):
    mine, new = files
    new.chmod(0o440)
    carry_file(mine, new)
    assert new.stat().st_mode & 0o777 == 0o640
    other = new.with_name("other.ipynb")
    carry_file(mine, new, to=other)
    mine.with_name("plain").touch()
    assert other.stat().st_mode == mine.with_name("plain").stat().st_mode
    link = new.with_name("link.ipynb")
    link.symlink_to(other.name)
    carry_file(mine, new, to=link)
    assert link.is_symlink()


def test_what_a_file_held_is_kept_beside_it_and_never_overwritten(files, old, newer):
    mine, new = files
    kept = []
    for number in range(3):
        started = copy.deepcopy(newer)
        started["cells"].append(own_cell(f"mine_too = {number}"))
        new.write_text(json.dumps(started))
        kept.append(new.read_bytes())
        carry_file(mine, new)
    held = [path.read_bytes() for path in sorted(new.parent.glob("new.before-carry*.ipynb"))]
    assert sorted(held) == sorted(kept)


def test_a_release_of_the_course_stays_and_the_copy_becomes_the_newer_one(files, tmp_path):
    (tmp_path / "solutions").mkdir()
    home, work = tmp_path / "notebooks" / "tiny_rnn", tmp_path / "work" / "tiny_rnn"
    for folder, path in zip((work, home), files, strict=True):
        folder.mkdir(parents=True)
        path.rename(folder / "tiny_rnn.ipynb")
    mine, new = work / "tiny_rnn.ipynb", home / "tiny_rnn.ipynb"
    before, released = mine.read_bytes(), new.read_bytes()
    said = run(mine, new).replace("\n", "")
    assert str(work / "tiny_rnn.before-carry.ipynb") in said
    assert (work / "tiny_rnn.before-carry.ipynb").read_bytes() == before
    assert new.read_bytes() == released
    assert course_of(read_notebook(mine)) == course_of(read_notebook(new))
    assert ANSWER in sources(read_notebook(mine))
    saved = mine.read_bytes()
    run(mine, new)  # it is of the newest release: not even its outputs are touched
    assert mine.read_bytes() == saved
    with pytest.raises(CourseError, match="the release itself"):
        carry_file(mine, new, to=new)


def test_what_finds_no_place_is_told_with_the_file_where_it_stands(files, tmp_path, old):
    mine, _ = files
    other = tmp_path / "other.ipynb"
    renamed = release(tmp_path, ('written="why_tanh"', 'written="why_bounded"'))
    other.write_text(json.dumps(renamed))
    said = run(mine, other, status=1).replace("\n", " ")
    assert "no place for why_tanh" in said and f"still stands in {mine}" in said


CONFLICT = (
    b'{\n<<<<<<< Updated upstream\n "cells": [],\n=======\n "cells": [1],\n>>>>>>> Stashed changes\n}\n'
)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"def rnn_step(): pass", "line 1 is no JSON"),
        (b'{"cells": [', "no JSON"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (CONFLICT, "conflict marks .line 2.*git show"),
        (b"[" * 100_000, "cannot be read"),
        (b"[]", "not a notebook"),
        (b"{}", "not a notebook"),
        (b'{"nbformat": 3, "worksheets": []}', "format 3, not 4"),
        (b'{"nbformat": 4, "metadata": {}}', "no list of cells"),
        (b'{"nbformat": 4, "metadata": {}, "cells": [1]}', "cell 1 is damaged"),
        (
            b'{"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "x", "source": ""}]}',
            "cell 1 is damaged",
        ),
        (b'{"nbformat": 4, "metadata": {}, "cells": []}', "no cell of this course's"),
    ],
)
def test_what_is_no_notebook_is_told_and_nothing_is_changed(files, side, content, said):
    path, other = files[side], files[1 - side]
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    before = other.read_bytes()
    with pytest.raises(CourseError, match=said) as caught:
        run(*files)
    assert path.name in str(caught.value)
    assert other.read_bytes() == before
    assert len(list(path.parent.iterdir())) == (1 if content is None else 2)


def test_notebooks_of_two_assignments_are_not_mixed(files, old, newer):
    mine, new = files
    other = copy.deepcopy(newer)
    other["metadata"]["course"]["assignment"] = "05_lstm"
    new.write_text(json.dumps(other))
    with pytest.raises(CourseError, match=r"is of tiny_rnn, .* of 05_lstm"):
        run(mine, new)
    other["metadata"] = {}
    for cell in other["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["grade_id"] += "_of_another"
    new.write_text(json.dumps(other))
    with pytest.raises(CourseError, match="no graded cell in common"):
        run(mine, new)
    with pytest.raises(CourseError, match="the same file"):
        run(mine, mine)


def test_a_place_that_cannot_be_written_is_told(files, tmp_path):
    with pytest.raises(CourseError, match=r"nowhere.*nothing was changed"):
        run(*files, "--to", tmp_path / "nowhere" / "x.ipynb")
