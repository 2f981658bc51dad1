"""Moodle: its three forms of a zip, people of one name, and its own worksheet filled in.

What the importer does is written down here anew, from Moodle's own source.
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

from learning_systems.files import BLANK, HEADS, MOODLE, NAME, RIGHT, mark_everybody, of, worksheet, zipped

pytestmark = pytest.mark.xdist_group("learning systems")


def moodle_participants():
    rows = [f'{first},"{last}",p{i}@example.org' for i, (first, last) in enumerate(MOODLE)]
    return "First name,Last name,Email address\n" + "\n".join(rows) + "\n"


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
    assert "a group's hand-in; its members go into groups.csv" in done.err and "blind marking" in done.err
    assert "a text written online" not in done.err  # whoever has a file too
    text = worksheet().replace(
        "Ann Twin,p2@example.org,Submitted", "Ann Twin,p2@example.org,Submitted - 2 hours late"
    )
    (moodle / "worksheet.csv").write_text(text, "utf-8")
    done = autograder(moodle, "collect", "moodle.zip", "--worksheet", "worksheet.csv")
    assert "Moodle's worksheet marks 1 as late and says no time: name a CSV" in done.out
    assert len(list((moodle / "submitted").iterdir())) == len(MOODLE)
    kept = json.loads((moodle / "collected" / f"{NAME}.json").read_text("utf-8"))
    assert kept["students"]["p2@example.org"]["participant"] == "502"
    (moodle / "groups.csv").write_text("group,student\nTeam A,p6@example.org\nTeam A,p7@example.org\n")
    (moodle / "team.zip").write_bytes(zipped({f"Team A_77_assignsubmission_{form}t.ipynb": BLANK}))
    autograder(moodle, "collect", "team.zip")
    for i in (6, 7):
        assert (moodle / "submitted" / f"p{i}@example.org" / NAME / f"{NAME}.ipynb").read_bytes() == BLANK
    kept = json.loads((moodle / "collected" / f"{NAME}.json").read_text("utf-8"))
    assert "participant" not in kept["students"]["p6@example.org"]  # 77 is the group's number
    shutil.rmtree(moodle / "submitted")  # the worksheet alone is a roster that tells twins apart, too
    for words in (("--roster", "worksheet.csv"), ("--worksheet", "worksheet.csv")):
        shutil.rmtree(moodle / "submitted", ignore_errors=True)
        (moodle / "roster.csv").unlink()
        autograder(moodle, "collect", "moodle.zip", *words, "--assignment", NAME)
        assert len(list((moodle / "submitted").iterdir())) == len(MOODLE)


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
