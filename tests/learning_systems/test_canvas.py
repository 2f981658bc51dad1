"""Canvas, a class of 300: each has the own notebook or is named, and its importer misreads nothing.

What the importer does is written down here anew, from Canvas's own source.
"""

import csv
import io
import json
import re
import shutil
import sqlite3
import zipfile

import pytest
from command import autograder
from course import submission

from autograder.course.roster import name_key, read_roster
from learning_systems.files import (
    BLANK,
    NAME,
    OTHER,
    RIGHT,
    encrypted,
    mark_everybody,
    nested,
    of,
    other_notebook,
    unmarked,
    without_metadata,
    zipped,
)

pytestmark = pytest.mark.xdist_group("learning systems")

ODD = {
    "Zorvane, Frodo O'": "zorvane",
    "Rell, Bo_48936": "underscore and a number in the name",
    "Rell, Bo": "the other Rell",
    "Şahin-Öz, Zoë": "accents and a hyphen",
    "Κυριάκου, Ελένη": "Greek",
    "ישראלי, נועה": "Hebrew",
    "🦊🦊, 🦊": "nothing but emoji",
    "Twin, Ann": "two of one name",
    "Twin, Ann ": "two of one name",
    "Trapby, Points Possible": "a name that ends Canvas's reading",
    "=HYPERLINK(1), A": "a formula",
    "Seven, 7": "a number for a name",
    'Comma, "Q" Z': "quotes",
}
PEOPLE = [*ODD, *(f"Family{i:03d}, Given{i:03d}" for i in range(300 - len(ODD)))]
USER = {i: 48300 + i for i in range(300)}
ASSIGNMENT = f"Tiny RNN {NAME} (777)"


def login(i):
    return f"u{i:04d}"


def gradebook_csv(extra=(), delimiter=","):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    head = [
        "Student",
        "ID",
        "SIS User ID",
        "SIS Login ID",
        "Section",
        "Essay (776)",
        ASSIGNMENT,
        "Final Score",
    ]
    writer.writerow(head)
    writer.writerow(["", "", "", "", "", "Manual Posting", "", ""])
    writer.writerow(["    Points Possible", "", "", "", "", "10.00", "14.00", "(read only)"])
    for i, name in enumerate(PEOPLE):
        cell = f'="{name}"' if name.startswith("=") else name
        mark = {20: "EX", 21: "N/A", 22: "3.50"}.get(i, "")
        writer.writerow([cell, USER[i], f"s{i:05d}", login(i), "Monday and Thursday", "", mark, "0.0"])
    writer.writerow(["Student, Test", "99999", "", "", "", "", "", ""])
    writer.writerows(extra)
    return text.getvalue()


def entry(i, name="tiny_rnn.ipynb", late=False, attachment=None):
    number = attachment or 9100000 + i
    return f"{name_key(PEOPLE[i])}{'_LATE' if late else ''}_{USER[i]}_{number}_{name}"


def canvas_files():
    """What 300 students hand in: each oddity once or more, the rest plainly."""
    odd = {
        30: {entry(30, "Untitled7.ipynb"): RIGHT},
        31: {entry(31, "tiny_rnn (1).ipynb"): RIGHT},
        32: {entry(32, "tiny_rnn-Copy1.IPYNB"): RIGHT},
        33: {entry(33, "hw.zip"): zipped({"deep/er/tiny.ipynb": RIGHT, "__MACOSX/._tiny.ipynb": b"x"})},
        34: {entry(34, "hw.zip"): zipped({"inner.zip": zipped({"a/b.ipynb": RIGHT})})},
        35: {  # a sync tool leaves a newer blank one beside the renamed work
            entry(35, "tiny_rnn__20261120101010.ipynb"): RIGHT,
            entry(35, "tiny_rnn.ipynb", attachment=9200035): BLANK,
        },
        36: {  # of two with answers the later attachment
            entry(36): submission(NAME, {"rnn_step": "def rnn_step(x_t, s_prev, W):\n    return s_prev\n"}),
            entry(36, "tiny_rnn-1.ipynb", attachment=9200036): RIGHT,
        },
        37: {entry(37, late=True): RIGHT},
        38: {entry(38): other_notebook()},
        39: {entry(39, "essay.pdf"): b"%PDF-1.7 etc"},
        40: {entry(40): b'{"cells": ['},
        41: {f"{name_key(PEOPLE[41])}_{USER[41]}_text.html": b"<p>my answer</p>"},
        42: {entry(42, "bomb.zip"): zipped({"bomb.ipynb": b"{" + b" " * (21 << 20)})},
        43: {entry(43, "evil.zip"): zipped({"/etc/tiny.ipynb": RIGHT, "../up.ipynb": RIGHT})},
        44: {entry(44, "link.zip"): zipped({"tiny.ipynb": b"/etc/passwd"}, ["tiny.ipynb"])},
        45: {entry(45, "locked.zip"): encrypted(zipped({"tiny.ipynb": RIGHT}))},
        46: {entry(46, "torn.zip"): zipped({"tiny.ipynb": RIGHT})[:-60]},
        47: {entry(47): BLANK},
        48: {entry(48): without_metadata(RIGHT)},
        49: {entry(49, "n" * 250 + ".ipynb"): RIGHT},
        50: {
            entry(50, "ckpt.zip"): zipped({".ipynb_checkpoints/t-checkpoint.ipynb": BLANK, "t.ipynb": RIGHT})
        },
        51: {},
        52: {entry(52, "zips.zip"): nested(5)},
        53: {f"projectteam7_{USER[53]}_9100053_10_tiny.ipynb": RIGHT},  # a group's, and a number in the name
        54: {entry(54, "report.docx"): zipped({"word/document.xml": b"<x/>", "t.ipynb": RIGHT})},
        55: {entry(55, "tiny_rnn.py"): b"def rnn_step(x_t, s_prev, W): ..."},
    }
    files = {}
    for i in range(300):
        files |= odd.get(i, {entry(i): RIGHT})
    files["anon_x7Kp2_9300000_tiny_rnn.ipynb"] = RIGHT
    files["strangerthere_1_9300001_tiny_rnn.ipynb"] = RIGHT
    files["studenttest_99999_9300002_tiny_rnn.ipynb"] = RIGHT
    return files


NO_NOTEBOOK = {38, 39, 40, 41, 42, 43, 44, 45, 46, 51, 52, 54, 55}


@pytest.fixture(scope="module")
def collected(bare, tmp_path_factory):
    place = shutil.copytree(bare, tmp_path_factory.mktemp("canvas") / "course")
    (place / "gradebook.csv").write_text(gradebook_csv(), "utf-8")
    (place / "submissions.zip").write_bytes(unmarked(zipped(canvas_files())))
    done = autograder(place, "collect", "submissions.zip", "--roster", "gradebook.csv")
    return place, done


def test_of_300_each_has_the_own_notebook_or_is_named(collected):
    place, done = collected
    assert done.status == 1
    there = {path.parents[1].name for path in (place / "submitted").glob(f"*/{NAME}/{NAME}.ipynb")}
    assert there == {login(i) for i in range(300) if i not in NO_NOTEBOOK} | {login(40)}
    for i in range(300):
        if i not in NO_NOTEBOOK:
            content = (place / "submitted" / login(i) / NAME / f"{NAME}.ipynb").read_bytes()
            assert content in (RIGHT, BLANK, without_metadata(RIGHT)), PEOPLE[i]
            assert (content == BLANK) == (i == 47)
    assert not list((place / "submitted").glob(f"*/{OTHER}"))
    said = done.out + done.err
    for i, words in {
        38: f"is a notebook of {OTHER}, not of {NAME}; it is set aside", 39: "a PDF", 40: "JSON breaks off",
        42: "larger than 20 MB", 43: "an absolute path", 44: "links are refused", 45: "encrypted",
        46: "a damaged zip", 52: "more than 3 deep", 36: "of several", 35: "of several",
        47: "has no answer in it", 54: "a document of Word", 55: "a Python script, no notebook",
    }.items():  # fmt: skip
        line = next(line for line in said.splitlines() if login(i) in line and words in line)
        assert "Traceback" not in line
    assert f"a text entry of Canvas's user {USER[41]}" in said
    assert "anonymous marking" in said and "strangerthere_1_9300001_tiny_rnn.ipynb: its numbers" in said
    assert "Canvas marks 1 as late and says no time" in said
    assert f"nothing from 1: {login(51)}" in said
    assert "projectteam7" in said and "another name, or a group's? Its members go into groups.csv" in said
    assert "9300002_tiny_rnn.ipynb: Canvas's test student's" in said


def test_ids_are_kept_and_reasons_too(collected):
    place, _ = collected
    kept = json.loads((place / "collected" / f"{NAME}.json").read_text("utf-8"))
    assert kept["system"] == "canvas"
    for i in (0, 1, 6, 36, 49, 299):
        number = {36: 9200036}.get(i, 9100000 + i)
        assert kept["students"][login(i)]["user"] == str(USER[i])
        assert kept["students"][login(i)]["attachment"] == str(number)
    assert OTHER in kept["reasons"][login(38)] and "PDF" in kept["reasons"][login(39)]


def test_collecting_again_changes_nothing_and_a_newer_one_keeps_the_older(collected, tmp_path):
    place = shutil.copytree(collected[0], tmp_path / "again")
    before = {p: p.read_bytes() for p in (place / "submitted").rglob("*.ipynb")}
    autograder(place, "collect", "submissions.zip")
    assert {p: p.read_bytes() for p in (place / "submitted").rglob("*.ipynb")} == before
    (place / "new.zip").write_bytes(zipped({entry(60, attachment=9300060): BLANK}))
    (place / "times.csv").write_text(f"student,time\n{login(60)},2026-11-21 08:00:00 UTC\n")
    done = autograder(place, "collect", "new.zip", "--times", "times.csv")
    assert done.status == 0, done.err
    folder = place / "submitted" / login(60) / NAME
    assert (folder / f"{NAME}.ipynb").read_bytes() == BLANK
    assert (folder / "timestamp.txt").read_text().startswith("2026-11-21 08:00:00")
    (older,) = (place / "collected" / "older" / NAME).glob(f"{login(60)}-*.ipynb")
    assert older.read_bytes() == RIGHT
    kept = json.loads((place / "collected" / f"{NAME}.json").read_text("utf-8"))
    assert login(61) in kept["students"]
    assert f"another file than before from 1: {login(60)}" in done.out
    there = sum((place / "submitted" / login(i)).is_dir() for i in range(300))
    assert f"nothing new from {there - 1}: what was collected" in done.out
    done = autograder(place, "collect", "submissions.zip")  # by mistake: the older download
    assert f"{login(60)}: {entry(60)} is older than what was collected before, which stays" in done.out
    assert (folder / f"{NAME}.ipynb").read_bytes() == BLANK
    kept = json.loads((place / "collected" / f"{NAME}.json").read_text("utf-8"))
    assert kept["students"][login(60)]["attachment"] == "9300060"


def test_who_left_the_roster_is_told_and_ids_stay_when_another_list_comes(collected, tmp_path):
    place = shutil.copytree(collected[0], tmp_path / "again")
    (place / "plain.csv").write_text(
        "student number,name,email\n"
        + "\n".join(f's{i:05d},"{PEOPLE[i]}",{i}@example.org' for i in range(100, 299)) + "\n", "utf-8"
    )  # fmt: skip
    (place / "empty.zip").write_bytes(zipped({"readme.txt": b"nothing"}))
    done = autograder(place, "collect", "empty.zip", "--roster", "plain.csv")
    assert f"no longer on the roster: {login(0)} (Frodo O' Zorvane)" in done.out
    people = {person.student: person for person in read_roster(place / "roster.csv")}
    assert set(people) == {login(i) for i in range(100, 299)}
    assert people[login(100)].canvas_id == str(USER[100]) and people[login(100)].email == "100@example.org"


@pytest.mark.parametrize(
    "groups",
    [
        f"group,student\nProject Team 7,{login(53)}\nProject Team 7,{login(51)}\nOther,nobody\n",
        "name,canvas_user_id,user_id,login_id,sections,group_name,canvas_group_id,group_id\n"
        f"A,{USER[53]},s00053,x,S,Project Team 7,9,\nB,{USER[51]},s00051,y,S,Project Team 7,9,\n"
        "C,1,nobody,z,S,Other,8,\n",
    ],
)
def test_a_groups_file_is_each_members_and_the_way_back_is_ones_alone(collected, tmp_path, groups):
    place = shutil.copytree(collected[0], tmp_path / "again")
    (place / "groups.csv").write_text(groups)
    (place / "new.zip").write_bytes(zipped({f"projectteam7_{USER[53]}_9300053_10_tiny.ipynb": BLANK}))
    done = autograder(place, "collect", "new.zip")
    assert "groups.csv: of 'Other', nobody on the roster is" in done.out
    for i in (51, 53):
        assert (place / "submitted" / login(i) / NAME / f"{NAME}.ipynb").read_bytes() == BLANK
    kept = json.loads((place / "collected" / f"{NAME}.json").read_text("utf-8"))["students"]
    assert kept[login(53)]["user"] == str(USER[53]) and "user" not in kept[login(51)]


@pytest.fixture(scope="module")
def marked(collected, tmp_path_factory):
    place = shutil.copytree(collected[0], tmp_path_factory.mktemp("marked") / "course")
    students = [login(i) for i in range(300) if i not in NO_NOTEBOOK and i != 200]
    mark_everybody(place, students)
    with sqlite3.connect(place / "gradebook.db") as connection:
        connection.execute(
            f"update grade set needs_manual_grade = 1 where manual_score is not null and {of(login(70))}"
        )
    return place


def test_canvas_gets_its_own_rows_back_and_nothing_it_would_misread(marked):
    done = autograder(marked, "return", NAME, "--to", "canvas", "--export", "gradebook.csv")
    assert done.status == 0, done.err
    path = marked / "build" / "return" / NAME / f"{NAME}-canvas.csv"
    header, *rows = csv.reader(io.StringIO(path.read_text("utf-8")), strict=True)
    # The importer's own order of columns; no other assignment, no total.
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", ASSIGNMENT]
    by_id = {int(row[1]): row for row in rows}
    left_out = {*NO_NOTEBOOK, 200, 20, 21, 70}
    assert set(by_id) == {USER[i] for i in range(300) if i not in left_out}
    assert {row[-1] for row in rows} == {"13.5"}  # never blank: that would take a mark away
    assert not [row for row in rows if "Points Possible" in row[0] or row[0].startswith("=")]
    assert path.stat().st_mode & 0o077 == 0
    for words in (
        f"excused in Canvas, which a number would end: no row (1): {login(20)}",
        f"not assigned to them in Canvas: no row (1): {login(21)}",
        f"no mark leaves: waiting for a person (1): {login(70)}",
        f"no mark leaves: not handed in (1): {login(51)}",
    ):
        assert words in done.err
    assert login(38) in next(line for line in done.err.splitlines() if "could not be graded" in line)


def canvas_match(name):
    """How Canvas reads the name of a page that comes back (`infer_comment_context_from_filename`)."""
    parts = [part for part in name.split("/")[-1].split("_") if part != "LATE"]
    if parts[0] == "anon":
        return parts[1], parts[2]
    numbers = [part for part in parts if re.fullmatch(r"\d+", part)]
    return tuple(numbers[:2])


def test_canvas_finds_whose_feedback_is_whose(marked):
    autograder(marked, "return", NAME, "--to", "canvas", "--export", "gradebook.csv")
    kept = json.loads((marked / "collected" / f"{NAME}.json").read_text("utf-8"))["students"]
    with zipfile.ZipFile(marked / "build" / "return" / NAME / f"{NAME}-canvas-feedback.zip") as archive:
        found = {canvas_match(name): json.loads(archive.read(name)) for name in archive.namelist()}
    sent = {i for i in range(300) if i not in {*NO_NOTEBOOK, 200, 70}}
    wanted = {(kept[login(i)]["user"], kept[login(i)]["attachment"]) for i in sent}
    assert set(found) == wanted
    notebook = found[str(USER[1]), "9100001"]
    assert notebook["nbformat"] == 4 and "13.5 of 14 points" in notebook["cells"][0]["source"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace(ASSIGNMENT, "Current Score of tiny_rnn (777)"), "leaves out in silence"),
        (lambda text: text.replace(ASSIGNMENT, "Homework 5 (777)"), "which column is tiny_rnn?"),
        (lambda text: text.replace("Student,ID", "Name,Number"), "no export of Canvas's gradebook"),
        (lambda text: "", "is empty"),
    ],
)
def test_what_canvas_would_refuse_or_pass_over_is_said_before_it_is_written(marked, tmp_path, change, said):
    (tmp_path / "own.csv").write_text(change(gradebook_csv()))
    words = ("--export", tmp_path / "own.csv", "--into", tmp_path / "back")
    done = autograder(marked, "return", NAME, "--to", "canvas", *words)
    assert done.status == 2 and said in done.err
    assert not (tmp_path / "back").exists()
    if "which column" in said:
        done = autograder(marked, "return", NAME, "--to", "canvas", *words, "--column", "Homework 5 (777)")
        assert done.status == 0, done.err


def test_a_canvas_of_semicolons_and_a_byte_order_mark(marked, tmp_path):
    (tmp_path / "own.csv").write_text("\ufeff" + gradebook_csv(delimiter=";"), "utf-8")
    words = ("--export", tmp_path / "own.csv", "--into", tmp_path)
    assert autograder(marked, "return", NAME, "--to", "canvas", *words).status == 0
    rows = list(csv.reader((tmp_path / f"{NAME}-canvas.csv").read_text("utf-8").splitlines(), delimiter=";"))
    assert rows[0][0] == "Student" and rows[1][-1] == "13.5"


def test_canvas_gets_the_columns_that_it_takes_whatever_it_exported(marked, tmp_path):
    """Accounts may export the names' halves apart, and ids that the importer has no place for."""
    head, *rows = csv.reader(io.StringIO(gradebook_csv()))
    text = io.StringIO()
    writer = csv.writer(text)
    more = ["Integration ID", "Root Account"]
    writer.writerow(["LastName", "FirstName", "ID", *head[2:4], *more, *head[4:]])
    for row in rows:
        last, _, first = row[0].partition(", ")
        writer.writerow([last, first, row[1], *row[2:4], "i", "here", *row[4:]])
    (tmp_path / "own.csv").write_text(text.getvalue(), "utf-8")
    words = ("--export", tmp_path / "own.csv", "--into", tmp_path)
    done = autograder(marked, "return", NAME, "--to", "canvas", *words)
    assert done.status == 0, done.err
    header, *rows = csv.reader(io.StringIO((tmp_path / f"{NAME}-canvas.csv").read_text("utf-8")))
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", ASSIGNMENT]
    row = next(row for row in rows if row[1] == str(USER[1]))
    assert row == ["Rell, Bo_48936", str(USER[1]), "s00001", login(1), "Monday and Thursday", "13.5"]
