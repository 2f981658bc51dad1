"""What students hand in, packed as systems pack it, and marks for it. The people are invented."""

import csv
import io
import json
import shutil
import sqlite3
import stat
import zipfile

from course import TINY, submission

from autograder.nbgrader_door.gradebook import write_marks
from autograder.record import Judgement, Mark, Record

NAME, OTHER = TINY.name, "other_rnn"
RIGHT, BLANK = submission(NAME), submission(NAME, solved=False)
ROSTER = "student,name,email\nada,Ada Lovelace,ada@example.org\nbe_la,Béla Bartók,bela@example.org\n"
ROSTER += "chidi,Chidi Anagonye,chidi@example.org\nd.ora,Dora Explorer,dora@example.org\n"


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


MOODLE = [("Frodo", "O'Zorvane"), ("Ann", "Twin"), ("Ann", "Twin"), ("Zoë", "Öz, jr."), ("Max", "Muster"),
          ("Nul", "Null"), ("Lock", "Ed"), ("Stan", "Dard")]  # fmt: skip
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
