"""Gradescope, Blackboard, Brightspace, nbgrader's exchange, and a folder of files."""

import csv
import shutil
import zipfile

import pytest
from command import autograder
from course import submission

from learning_systems.files import BLANK, NAME, OTHER, RIGHT, ROSTER, mark_everybody, other_notebook, zipped

pytestmark = pytest.mark.xdist_group("learning systems")

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
