"""Collecting from nbgrader's exchange: hand-ins that somebody made by hand, among honest ones."""

import logging
import os
import pwd
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from autograder.nbgrader_door import inbound
from autograder.nbgrader_door.database import put_tools_on_path
from autograder.nbgrader_door.inbound import CheckedCollect, copy_plain_files

pytestmark = [pytest.mark.xdist_group("nbgrader")]

NAME = "01_simple_rnn"
ME = pwd.getpwuid(os.getuid()).pw_name


def now():
    return datetime.now(UTC).replace(tzinfo=None)


def said(moment):
    return f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC"


class Exchange:
    """A course's exchange, and what is collected from it."""

    def __init__(self, place, gradebook):
        self.inbound = place / "exchange" / "course" / "inbound"
        self.inbound.mkdir(parents=True)
        self.place = place
        self.now = now()
        self.directory = CourseDirectory(
            root=str(place), course_id="course", assignment_id=NAME, db_url=gradebook
        )

    def hand_in(self, student=ME, moment=None, text="mine", random="abc"):
        """A hand-in as `nbgrader submit` leaves it."""
        when = moment if isinstance(moment, str) else said(moment or self.now)
        folder = self.inbound / f"{student}+{NAME}+{when}+{random}"
        folder.mkdir()
        (folder / f"{NAME}.ipynb").write_text(text)
        (folder / "timestamp.txt").write_text(when)
        return folder

    def collect(self, **settings):
        collect = CheckedCollect(coursedir=self.directory, update=True, **settings)
        collect.root = str(self.place / "exchange")
        collect.start()

    def collected(self, student=ME):
        """What was collected of a student, and when it is said to have come."""
        folder = self.place / "submitted" / student / NAME
        notebook = folder / f"{NAME}.ipynb"
        if not notebook.is_file():
            return None
        return notebook.read_text(), self.directory.get_existing_timestamp(str(folder))


@pytest.fixture(scope="module")
def gradebook(tmp_path_factory):
    put_tools_on_path()
    url = f"sqlite:///{tmp_path_factory.mktemp('gradebook')}/gradebook.db"
    with Gradebook(url) as gradebook:
        book: Any = gradebook
        book.add_assignment(NAME, duedate=now() - timedelta(days=1))
    return url


@pytest.fixture
def exchange(tmp_path, gradebook):
    return Exchange(tmp_path, gradebook)


def test_the_newest_hand_in_is_collected_with_what_lies_beside_it(exchange):
    exchange.hand_in(moment=exchange.now - timedelta(minutes=2), text="first")
    folder = exchange.hand_in()
    (folder / "figures").mkdir()
    (folder / "figures" / "one.txt").write_text("1")
    (folder / "__pycache__").mkdir()
    exchange.collect()
    assert exchange.collected() == ("mine", exchange.now)
    beside = exchange.place / "submitted" / ME / NAME
    assert (beside / "figures" / "one.txt").read_text() == "1"
    assert not (beside / "__pycache__").exists()


def linked_notebook(folder, secret):
    (folder / f"{NAME}.ipynb").unlink()
    (folder / f"{NAME}.ipynb").symlink_to(secret)


def linked_folder(folder, secret):
    (folder / "more").symlink_to(secret.parent)


def linked_whole(folder, secret):
    folder.rename(secret.parent / "elsewhere")
    folder.symlink_to(secret.parent / "elsewhere")


def fifo(folder, secret):
    os.mkfifo(folder / "fifo")


def many_files(folder, secret):
    for i in range(inbound.MOST_FILES):
        (folder / str(i)).touch()


def large(folder, secret):
    with (folder / "large").open("wb") as file:
        file.truncate(200 << 20)  # of blanks: it takes no room


@pytest.mark.parametrize("spoil", [linked_notebook, linked_folder, linked_whole, fifo, many_files, large])
def test_what_no_honest_hand_in_holds_is_refused_alone(exchange, spoil, caplog):
    secret = exchange.place / "solutions" / "solved.ipynb"
    secret.parent.mkdir()
    secret.write_text("the instructor's own")
    exchange.hand_in(moment=exchange.now - timedelta(minutes=2), text="before")
    spoil(exchange.hand_in(random="def"), secret)
    with caplog.at_level(logging.WARNING):
        exchange.collect()
    assert exchange.collected() == ("before", exchange.now - timedelta(minutes=2))
    assert "not collected: " in caplog.text


def test_nobody_hands_in_for_another(exchange, caplog):
    exchange.hand_in("ada")
    exchange.hand_in("..", random="def")
    exchange.hand_in()
    exchange.collect()
    assert exchange.collected() and not exchange.collected("ada")
    assert f"it says that it is ada's, but {ME} made it" in caplog.text
    exchange.collect(check_owner=False)  # one account for all
    assert exchange.collected("ada")
    assert not (exchange.place / NAME).exists()


@pytest.mark.parametrize("moment", ["no moment", "", "9" * 99, "2026-13-45 10:00:00 UTC"])
def test_a_name_that_says_no_moment_stops_nobody(exchange, moment, caplog):
    exchange.hand_in(moment=moment)
    exchange.hand_in(moment=exchange.now - timedelta(minutes=2))
    exchange.collect()
    assert exchange.collected() == ("mine", exchange.now - timedelta(minutes=2))
    assert "its name says no moment" in caplog.text


def test_a_hand_in_came_when_it_was_last_changed(exchange, caplog):
    in_time = exchange.now - timedelta(days=2)
    folder = exchange.hand_in(moment=in_time)
    for path in (*folder.iterdir(), folder):
        os.utime(path, (in_time.timestamp(), in_time.timestamp()))
    exchange.collect()
    _, moment = exchange.collected()
    assert abs(moment - exchange.now) < timedelta(minutes=5)
    assert "was changed at" in caplog.text
    exchange.collect()  # nothing newer
    assert exchange.collected() == ("mine", moment)


def test_an_exchange_that_was_moved_may_be_believed(exchange):
    exchange.hand_in(moment=exchange.now - timedelta(days=2))
    exchange.collect(believe_times=True)
    assert exchange.collected() == ("mine", exchange.now - timedelta(days=2))


def test_another_moment_inside_does_not_count(exchange):
    (exchange.hand_in() / "timestamp.txt").write_text(said(exchange.now - timedelta(days=9)))
    exchange.collect()
    assert exchange.collected() == ("mine", exchange.now)


@pytest.mark.parametrize("secret", [None, b"\xff" * 64, b"x" * 9999, b"short"])
def test_a_missing_or_odd_secret_does_not_stop_the_release_of_feedback(exchange, secret):
    folder = exchange.hand_in()
    if secret is not None:
        (folder / "submission_secret.txt").write_bytes(secret)
    exchange.collect()
    kept = exchange.place / "submitted" / ME / NAME / "submission_secret.txt"
    assert re.fullmatch("[0-9a-f]{128}", kept.read_text("ascii"))


def test_a_students_secret_stays(exchange):
    (exchange.hand_in() / "submission_secret.txt").write_text("0123456789abcdef" * 8)
    exchange.collect()
    kept = exchange.place / "submitted" / ME / NAME / "submission_secret.txt"
    assert kept.read_text() == "0123456789abcdef" * 8


def test_a_file_that_becomes_a_link_while_it_is_copied_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("the instructor's own")
    source = tmp_path / "source"
    source.mkdir()
    (source / "notebook").write_text("mine")

    def swap(folder, names):
        (source / "notebook").unlink()
        (source / "notebook").symlink_to(tmp_path / "secret")
        return ()

    with pytest.raises(OSError, match="symbolic link"):
        copy_plain_files(source, tmp_path / "target", swap)
    assert not (tmp_path / "target" / "notebook").exists()
