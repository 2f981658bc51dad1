"""The gradebook on a PostgreSQL server, started on loopback for these tests: as in a file, at every step."""

import csv
import shutil

import pytest
from command import autograder
from course import ROOT, TINY, master_of, submission
from nbgrader.api import Gradebook
from needs import lacking
from postgresql import NoServer, running
from test_gradebook import PENALTY, ROSTER, hand_in, written

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("gradebook"), pytest.mark.usefixtures("confined")]

NAME = TINY.name


@pytest.fixture(scope="module")
def server():
    try:
        with running() as url:
            yield url
    except NoServer as reason:
        lacking(str(reason))


def told(place, book, *more):
    """Grade and export: what everybody's row says."""
    graded = autograder(place, "grade", NAME, "--gradebook", book, "--jobs", 1, *more)
    assert graded.status == 1, graded.err  # emil's file is torn
    exported = autograder(place, "export", NAME, "--gradebook", book)
    assert exported.status == 0, exported.err
    changes = place / "build" / "report" / f"{NAME}-changes.csv"
    with (place / "build" / "export" / f"{NAME}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file)), changes.read_text() if changes.exists() else ""


def semester(place, book):
    """What an instructor sees at each step: graded, marked by hand, handed in again, points changed."""
    shutil.copytree(TINY, place / "solutions" / NAME)
    (place / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text() + PENALTY)
    (place / "roster.csv").write_text(ROSTER)
    exercise = next(iter(master_of(NAME).exercises))
    mistake = master_of(NAME).exercises[exercise].spec.misconceptions[0]
    hand_in(place, "ada", written(submission(NAME), "It keeps the state bounded."))
    hand_in(place, "bela", submission(NAME, {exercise: master_of(NAME).mutate(exercise, mistake)}))
    hand_in(place, "chidi", submission(NAME), "2026-11-22 10:00:00 UTC")
    hand_in(place, "emil", b'{"cells": [')
    yield told(place, book, "--due", "2026-11-20T12:00+00:00")
    with Gradebook(book) as gradebook:
        one = gradebook.find_grade("why_tanh", NAME, NAME, "ada")
        one.manual_score, one.needs_manual_grade = 1, False
        gradebook.db.commit()
    hand_in(place, "bela", submission(NAME))
    yield told(place, book)
    hand_in(place, "ada", written(submission(NAME), "Another answer."))
    yield told(place, book)
    master = place / "solutions" / NAME / f"{NAME}.py"
    text = master.read_text()
    assert text.count("points=4") == 1
    master.write_text(text.replace("points=4", "points=6"))
    yield told(place, book)


def test_a_semester_on_a_server_is_told_as_in_a_file(server, tmp_path):
    places = [tmp_path / "file", tmp_path / "server"]
    for place in places:
        place.mkdir()
    in_a_file = semester(places[0], f"sqlite:///{places[0] / 'gradebook.db'}")
    on_a_server = semester(places[1], server)
    steps = list(zip(in_a_file, on_a_server, strict=True))
    for here, there in steps:
        assert here == there
    scores = [{row["student"]: row["score"] for row in here[0]} for here, _ in steps]
    assert len({score["bela"] for score in scores[:2]}) == 2
    assert scores[3]["chidi"] != scores[2]["chidi"]
    assert list(places[1].rglob("*.db")), "a server's gradebook is backed up into a file before it follows"


def test_a_server_that_is_gone_is_said_without_its_password(tmp_path):
    shutil.copytree(TINY, tmp_path / "solutions" / NAME)
    hand_in(tmp_path, "ada", submission(NAME))
    done = autograder(
        tmp_path, "grade", NAME, "--gradebook", "postgresql+psycopg://teacher:hunter2@127.0.0.1:1/grades"
    )
    assert done.status
    assert "cannot be used" in done.err
    assert "hunter2" not in done.err + done.out
