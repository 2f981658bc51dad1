"""In and out of learning systems, with files in the systems' own form: nobody lost, nobody mistaken.

The people are invented. What an importer does is written down here anew, from the systems' own source.
"""

import csv
import io
import json
import re
import shutil
import sqlite3
import stat
import zipfile

import pytest
from command import autograder
from course import TINY, submission

from autograder.course.roster import name_key, read_roster
from autograder.nbgrader_door.gradebook import write_marks
from autograder.record import Judgement, Mark, Record

NAME, OTHER = TINY.name, "other_rnn"
pytestmark = pytest.mark.xdist_group("learning systems")


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A course of two notebooks."""
    place = tmp_path_factory.mktemp("course")
    shutil.copytree(TINY, place / "solutions" / NAME)
    folder = place / "solutions" / OTHER
    folder.mkdir()
    for path in (TINY / f"{NAME}.py", TINY / "exercises.py", TINY / "mistakes.txt"):
        name = path.name.replace(NAME, OTHER)
        (folder / name).write_text(path.read_text().replace("rnn_", "net_").replace("why_tanh", "why_not"))
    write_marks(f"sqlite:///{place / 'empty.db'}", place, place / "solutions" / NAME, iter(()))
    return place


@pytest.fixture
def course(bare, tmp_path):
    return shutil.copytree(bare, tmp_path / "course")


RIGHT, BLANK = submission(NAME), submission(NAME, solved=False)


def other_notebook():
    notebook = json.loads(RIGHT.decode().replace("rnn_", "net_").replace(NAME, OTHER))
    for cell in notebook["cells"]:
        cell["id"] = cell["id"][::-1]
    notebook["metadata"]["course"] = {"assignment": OTHER}
    return json.dumps(notebook).encode()


def without_metadata(content):
    notebook = json.loads(content)
    notebook["metadata"] = {}
    for i, cell in enumerate(notebook["cells"]):
        cell.update(metadata={}, id=f"colab{i}")
    return json.dumps(notebook).encode()


def zipped(files, symlinks=()):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (2026, 11, 20, 10, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFLNK | 0o777 if name in symlinks else stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, content)
    return data.getvalue()


def unmarked(data):
    """The zip as rubyzip writes it: UTF-8 names without the flag that says so."""
    data = bytearray(data)
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset + 1] &= ~0x08
            at = data.find(signature, at + 4)
    return bytes(data)


# ---------------------------------------------------------------- Canvas, a class of 300

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


def canvas_prefix(sortable):
    return name_key(sortable)


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
    return f"{canvas_prefix(PEOPLE[i])}{'_LATE' if late else ''}_{USER[i]}_{number}_{name}"


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
        41: {f"{canvas_prefix(PEOPLE[41])}_{USER[41]}_text.html": b"<p>my answer</p>"},
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
    }
    files = {}
    for i in range(300):
        files |= odd.get(i, {entry(i): RIGHT})
    files["anon_x7Kp2_9300000_tiny_rnn.ipynb"] = RIGHT
    files["strangerthere_1_9300001_tiny_rnn.ipynb"] = RIGHT
    return files


def nested(depth):
    content = zipped({"t.ipynb": RIGHT})
    for _ in range(depth):
        content = zipped({"t.zip": content})
    return content


def encrypted(data):
    data = bytearray(data)
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


NO_NOTEBOOK = {38, 39, 40, 41, 42, 43, 44, 45, 46, 51, 52}


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
        47: "has no answer in it",
    }.items():  # fmt: skip
        line = next(line for line in said.splitlines() if login(i) in line and words in line)
        assert "Traceback" not in line
    assert f"a text entry of Canvas's user {USER[41]}" in said
    assert "anonymous marking" in said and "strangerthere_1_9300001_tiny_rnn.ipynb: its numbers" in said
    assert "Canvas marks 1 as LATE and says no time" in said
    assert f"nothing from 1: {login(51)}" in said


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
    (place / "new.zip").write_bytes(zipped({entry(60): BLANK}))
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


def test_who_left_the_roster_is_told_and_ids_stay_when_another_list_comes(collected, tmp_path):
    place = shutil.copytree(collected[0], tmp_path / "again")
    (place / "plain.csv").write_text(
        "student number,name,email\n"
        + "\n".join(f's{i:05d},"{PEOPLE[i]}",{i}@example.org' for i in range(100, 299)) + "\n", "utf-8"
    )  # fmt: skip
    (place / "empty.zip").write_bytes(zipped({"readme.txt": b"nothing"}))
    done = autograder(place, "collect", "empty.zip", "--roster", "plain.csv")
    assert f"no longer on the roster: {login(0)}" in done.out
    people = {person.student: person for person in read_roster(place / "roster.csv")}
    assert set(people) == {login(i) for i in range(100, 299)}
    assert people[login(100)].canvas_id == str(USER[100]) and people[login(100)].email == "100@example.org"


def of(student):
    """In SQL: the marks of one student."""
    return (
        "notebook_id in (select n.id from submitted_notebook n join submitted_assignment a on "
        f"n.assignment_id = a.id where a.student_id = '{student}')"
    )


def mark_everybody(place, students, scores=lambda i: 4.0):
    """A gradebook, without grading: 12 points by the grader at most, 2 by hand."""
    exercises = {"rnn_step": 4.0, "rnn_forward": 3.0, "rnn_step_backward": 5.0}
    records = [
        Record(s, NAME, [Mark(Judgement(n, "right", scores(i) / 4), p) for n, p in exercises.items()])
        for i, s in enumerate(students)
    ]
    shutil.copy(place / "empty.db", place / "gradebook.db")  # making a gradebook takes seconds
    url = f"sqlite:///{place / 'gradebook.db'}"
    write_marks(url, place, place / "solutions" / NAME, iter(records))
    with sqlite3.connect(place / "gradebook.db") as connection:
        connection.execute(
            "update grade set manual_score = 1.5, needs_manual_grade = 0 where auto_score is null"
        )


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


# ---------------------------------------------------------------- Moodle

MOODLE = [("Frodo", "O'Zorvane"), ("Ann", "Twin"), ("Ann", "Twin"), ("Zoë", "Öz, jr."), ("Max", "Muster"),
          ("Nul", "Null"), ("Lock", "Ed"), ("Stan", "Dard")]  # fmt: skip


def moodle_participants():
    rows = [f'{first},"{last}",p{i}@example.org' for i, (first, last) in enumerate(MOODLE)]
    return "First name,Last name,Email address\n" + "\n".join(rows) + "\n"


HEADS = {
    "en": "Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments",
    "de": "ID,Vollständiger Name,E-Mail-Adresse,Status,Bewertung,Bestwertung,Bewertung kann geändert werden,"
    "Zuletzt geändert (Abgabe),Zuletzt geändert (Bewertung),Feedback als Kommentar",
}


def worksheet(language="en"):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADS[language].split(","))
    word, yes, no = {"en": ("Participant ", "Yes", "No"), "de": ("Teilnehmer/in ", "Ja", "Nein")}[language]
    most = "14.00" if language == "en" else "14,00"
    for i, (first, last) in enumerate(MOODLE):
        grade, moved = ("3.00", "Friday, 20 November 2026, 10:00 AM") if i == 4 else ("", "-")
        comment = 'a "quoted\\" word\\' if i == 4 else ""
        can = no if i == 6 else yes
        writer.writerow([f"{word}{500 + i}", f"{first} {last}", f"p{i}@example.org", "Submitted", grade, most,
                         can, "Friday, 20 November 2026", moved, comment])  # fmt: skip
    return text.getvalue()


def moodle_name(i):
    return re.sub(r"[&<>\"`|':\\/]", "", " ".join(MOODLE[i])).replace("_", " ")


@pytest.fixture
def moodle(course):
    (course / "people.csv").write_text(moodle_participants(), "utf-8")
    (course / "worksheet.csv").write_text(worksheet(), "utf-8")
    return course


@pytest.mark.parametrize("form", ["file/", "file_/", "file_"])
def test_moodles_three_forms_are_taken_and_twins_told_apart_by_the_worksheet(moodle, form):
    heads = [f"{moodle_name(i)}_{500 + i}_assignsubmission_{form}" for i in range(len(MOODLE))]
    files = {f"{head}tiny rnn.ipynb": RIGHT for head in heads}
    files["Default group_assignsubmission_file/tiny.ipynb"] = RIGHT
    files["Participant_777_assignsubmission_file/tiny.ipynb"] = RIGHT
    files[f"{moodle_name(0)}_500_assignsubmission_onlinetext/onlinetext.html"] = b"<p>hello</p>"
    (moodle / "moodle.zip").write_bytes(zipped(files))
    done = autograder(moodle, "collect", "moodle.zip", "--roster", "people.csv", "--assignment", NAME)
    there = {path.name for path in (moodle / "submitted").iterdir()}
    assert there == {f"p{i}@example.org" for i in range(len(MOODLE)) if i not in (1, 2)}
    assert (
        done.err.count(
            "2 people on the roster are called 'Ann Twin'; name the assignment's grading worksheet"
        )
        == 2
    )
    assert "a group's hand-in without a number" in done.err and "blind marking" in done.err
    assert "a text written online" not in done.err  # whoever has a file too
    done = autograder(moodle, "collect", "moodle.zip", "--worksheet", "worksheet.csv")
    assert len(list((moodle / "submitted").iterdir())) == len(MOODLE)
    kept = json.loads((moodle / "collected" / f"{NAME}.json").read_text("utf-8"))
    assert kept["students"]["p2@example.org"]["participant"] == "502"


def moodle_match(path):
    """How Moodle reads a path of a feedback zip: the first part NAME_N_type_plugin, and what follows."""
    parts = path.split("/")
    for i, part in enumerate(parts):
        pieces = part.split("_", 4)
        if len(pieces) >= 4 and pieces[1].isdigit():
            return pieces[1], "_".join(pieces[2:4]), "/".join(parts[i + 1 :])
    return None


@pytest.mark.parametrize("language", ["en", "de"])
def test_moodles_own_worksheet_is_filled_in(moodle, language):
    (moodle / "worksheet.csv").write_text(worksheet(language), "utf-8")
    autograder(moodle, "collect", "worksheet.csv", "--roster", "people.csv")
    mark_everybody(moodle, [f"p{i}@example.org" for i in range(7)], lambda i: 0.0 if i == 5 else 4.0)
    with sqlite3.connect(moodle / "gradebook.db") as connection:
        connection.execute(
            f"update grade set manual_score = 0 where auto_score is null and {of('p5@example.org')}"
        )
        connection.execute(
            f"update grade set extra_credit = 1 where auto_score is null and {of('p3@example.org')}"
        )
    done = autograder(moodle, "return", NAME, "--to", "moodle", "--export", "worksheet.csv")
    assert done.status == 0, done.err
    text = (moodle / "build" / "return" / NAME / f"{NAME}-moodle.csv").read_text("utf-8")
    header, *rows = csv.reader(io.StringIO(text))
    assert ",".join(header) == HEADS[language]
    assert all(len(row) == len(header) for row in rows)
    # More than the maximum and locked ones would be skipped in silence: they have no row.
    assert {row[0].split()[-1]: row[4] for row in rows} == {
        "500": "13.50", "501": "13.50", "502": "13.50", "504": "13.50", "505": "0.00",
    }  # fmt: skip
    comment = next(row[-1] for row in rows if row[0].endswith("504"))
    assert comment == 'a "quoted&#92;" word&#92;'  # it stays, and PHP's reader does not trip over it
    for words in (
        "more than Moodle's maximum",
        "locked or overridden",
        "a mark of 0",
        "not handed in (1): p7@",
    ):
        assert words in done.err
    with zipfile.ZipFile(moodle / "build" / "return" / NAME / f"{NAME}-moodle-feedback.zip") as archive:
        found = {moodle_match(name) for name in archive.namelist()}
        page = archive.read(archive.namelist()[0]).decode()
    assert {number for number, *_ in found} == {"500", "501", "502", "503", "504", "505", "506"}
    assert {rest for *_, rest in found} == {"feedback.html"}
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")


# ---------------------------------------------------------------- Gradescope and others


METADATA = """---
submission_101:
  :submitters:
  - :name: Ada L.
    :sid: 007
    :email: ada@example.org
  - :name: Bela B.
    :sid:
    :email: bela@example.org
  :created_at: 2026-11-20 10:00:00.000000000 -08:00
  :score: !ruby/object:BigDecimal 27:0.1e2
  :status: processed
  :results: {}
  :history:
  - :id: 55
    :created_at: 2026-11-20 11:00:00.000000000 Z
    :submitters: []
submission_102:
  :submitters:
  - :name: Stranger
    :sid: '999'
    :email: s@example.org
  :created_at: 2026-11-20 10:00:00 Z
"""
SCORES = (
    "First Name,Last Name,SID,Email,Sections\nAda,L.,007,ada@example.org,\nBela,B.,008,bela@example.org,\n"
)
SCORES += "Chi,C.,009,c@example.org,\n"


def test_gradescopes_groups_each_get_the_notebook_and_a_page(course):
    files = {
        "assignment_9_export/submission_metadata.yml": METADATA.encode(),
        "assignment_9_export/submission_101/sub/Untitled.ipynb": RIGHT,
        "assignment_9_export/submission_102/tiny_rnn.ipynb": RIGHT,
    }
    (course / "export.zip").write_bytes(zipped(files))
    (course / "scores.csv").write_text(SCORES)
    done = autograder(course, "collect", "export.zip", "--roster", "scores.csv")
    assert done.status == 1 and "submitter 'Stranger' (999) is not on the roster" in done.err
    assert {path.name for path in (course / "submitted").iterdir()} == {"007", "008"}
    stamp = course / "submitted" / "007" / NAME / "timestamp.txt"
    assert stamp.read_text().startswith("2026-11-20 18:00:00")
    assert "nothing from 1: 009" in done.out
    mark_everybody(course, ["007", "008"])
    done = autograder(course, "return", NAME, "--to", "gradescope")
    assert done.status == 0 and "Gradescope imports no marks" in done.err
    with zipfile.ZipFile(course / "build" / "return" / NAME / f"{NAME}-gradescope-feedback.zip") as archive:
        assert archive.namelist() == ["submission_101/007.html", "submission_101/008.html"]


ROSTER = "student,name,email\nada,Ada Lovelace,ada@example.org\nbe_la,Béla Bartók,bela@example.org\n"
ROSTER += "chidi,Chidi Anagonye,chidi@example.org\nd.ora,Dora Explorer,dora@example.org\n"


def test_a_folder_of_files_whatever_they_are_called(course):
    folder = course / "from mail"
    files = {
        "Ada Lovelace/x/homework.ipynb": RIGHT,
        "be_la_tiny (2).ipynb": RIGHT,
        "chidi@example.org.zip": zipped({"t.ipynb": RIGHT, "other.ipynb": other_notebook()}),
        "tiny_rnn Explorer Dora.ipynb": RIGHT,
        "who.ipynb": RIGHT,
        "README.txt": b"hello",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "link.ipynb").symlink_to("/etc/passwd")
    (folder / "bad\x1b[31m\n.ipynb").write_bytes(b"%PDF")
    (course / "roster.csv").write_text(ROSTER)
    done = autograder(course, "collect", folder)
    assert done.status == 1
    there = {str(path.relative_to(course / "submitted")) for path in (course / "submitted").rglob("*.ipynb")}
    assert there == {
        *(f"{s}/{NAME}/{NAME}.ipynb" for s in ("ada", "be_la", "chidi", "d.ora")),
        f"chidi/{OTHER}/{OTHER}.ipynb",
    }
    assert f"who.ipynb: its name is nobody's on the roster; it looks like a notebook of {NAME}" in done.err
    assert "link.ipynb: refused: a link" in done.err
    assert "\x1b" not in done.err + done.out and "bad\\x1b[31m\\n.ipynb" in done.err
    mark_everybody(course, ["ada", "be_la"])
    done = autograder(course, "return", NAME, "--to", "folder")
    assert done.status == 0, done.err
    with (course / "build" / "return" / NAME / f"{NAME}.csv").open(encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert rows["ada"]["score"] == "13.5" and "not graded yet" in rows["chidi"]["reason"]


def test_blackboard_brightspace_and_nbgraders_exchange(course):
    (course / "roster.csv").write_text(ROSTER)
    sources = {
        "blackboard": {
            "HW_1_be_la_attempt_2026-11-20-10-00-00_tiny.ipynb": BLANK,
            "HW_1_be_la_attempt_2026-11-20-11-00-00_tiny.ipynb": RIGHT,
            "HW_1_be_la_attempt_2026-11-20-11-00-00.txt": b"Name: Bela",
        },
        "brightspace": {
            "123-456 - Béla Bartók - Sep 24, 2026 926 PM/tiny.ipynb": RIGHT,
            "123-456 - Béla Bartók - Sep 23, 2026 1126 AM/tiny.ipynb": submission(NAME, own_cells=("x = 1",)),
            "index.html": b"<html>",
        },
        "nbgrader": {f"be_la+{NAME}+2026-11-20 10:00:00.000000 UTC+Ab-_12/{NAME}.ipynb": RIGHT},
    }
    for system, files in sources.items():
        shutil.rmtree(course / "submitted", ignore_errors=True)
        (course / f"{system}.zip").write_bytes(zipped(files))
        done = autograder(course, "collect", f"{system}.zip")
        assert done.out.startswith(f"{system}: taken 1 of {NAME}"), done.out + done.err
        folder = course / "submitted" / "be_la" / NAME
        assert (folder / f"{NAME}.ipynb").read_bytes() == RIGHT
        assert (folder / "timestamp.txt").read_text().startswith("2026-")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Vorname,Nachname,E-Mail-Adresse,Gruppen\nAda,Lovelace,a@x.de,G1\nBo,Rell,b@x.de,\n",
         ("a@x.de", "Ada Lovelace", "")),
        (worksheet("de").replace("Frodo O'Zorvane", "Frodo Z"), ("p0@example.org", "Frodo Z", "500")),
        ("Student;ID\nAda Lovelace;007\nBo Rell;008\n", ("007", "Ada Lovelace", "")),
        ("\ufeffid,first_name,last_name,email,lms_user_id\nada,Ada,L.,,77\n", ("ada", "Ada L.", "")),
        ("First Name,Last Name,SID,Email,Role\nT,A,1,t@x.de,Instructor\nAda,L.,07,a@x.de,Student\n",
         ("07", "Ada L.", "")),
    ],
)  # fmt: skip
def test_rosters_of_systems_in_their_own_languages(tmp_path, text, wanted):
    (tmp_path / "roster.csv").write_text(text, "utf-8")
    person = read_roster(tmp_path / "roster.csv")[0]
    assert (person.student, person.name, person.moodle_id) == wanted


def test_a_student_may_be_called_as_a_notebook_begins(course):
    folder = course / "files"
    (folder / "07").mkdir(parents=True)
    (folder / "07" / "tiny_rnn.ipynb").write_bytes(RIGHT)
    (folder / "stranger").mkdir()
    (folder / "stranger" / "tiny_rnn (1).ipynb").write_bytes(RIGHT)
    (course / "roster.csv").write_text("student,name\ntiny,Tiny Tim\n07,Bond\n")
    done = autograder(course, "collect", folder)
    assert {path.name for path in (course / "submitted").iterdir()} == {"07"}
    assert "stranger/tiny_rnn (1).ipynb: its name is nobody's" in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("colour,shape\nred,round\n", "names nobody"),
        ("student,name\nada,Ada\nada,Bela\n", "two people have the id 'ada'"),
        ("name,section\nAda/x,1\nAda/x,2\n", "no column tells everybody apart"),
    ],
)
def test_a_roster_that_is_none_is_told(course, text, said):
    (course / "r.csv").write_text(text)
    done = autograder(course, "collect", "r.csv", "--roster", "r.csv")
    assert done.status == 2 and said in done.err


def test_without_a_roster_or_a_source_it_is_said(course):
    assert "there is no roster yet" in autograder(course, "collect", "nowhere.zip").err
    (course / "roster.csv").write_text(ROSTER)
    assert "there is no nowhere.zip" in autograder(course, "collect", "nowhere.zip").err
