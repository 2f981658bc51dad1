"""The record of a grading run: an append-only file, one line a submission.

A line counts once it is whole; a run that was killed goes on behind the last whole line.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from autograder.course.places import hide
from autograder.errors import CourseError
from autograder.record import Record


class Journal:
    """Records of one notebook's submissions by their keys. A context manager: it holds a lock.

    Only places in the file are kept in memory, so that a large class needs no more than a small one.

    Args:
        path: the file; made if it does not exist.
    """

    def __init__(self, path: Path):
        self.path = path
        self._places: dict[str, tuple[str, int]] = {}

    def __enter__(self) -> Journal:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a+b")
        hide(self.path)
        # Two graders at once: the second waits, then finds the first one's records.
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._load()
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def _load(self) -> None:
        self._file.seek(0)
        whole = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            try:
                entry = json.loads(line)
                self._places[Record.from_json(entry["record"]).student] = (entry["key"], whole)
            except (ValueError, KeyError, TypeError):
                pass  # a damaged line counts as not written: that submission is graded again
            whole += len(line)
        self._file.truncate(whole)

    def key_of(self, student: str) -> str:
        """The key of a student's record: what it was the record of; "" if there is none."""
        return self._places.get(student, ("", 0))[0]

    def write(self, key: str, record: Record) -> None:
        """Append a record; it counts when this returns.

        Raises:
            CourseError: the disk is full, or the file cannot be written.
        """
        line = json.dumps({"key": key, "record": record.as_json()}, ensure_ascii=True).encode() + b"\n"
        place = self._file.seek(0, os.SEEK_END)
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            self._file = self.path.open("a+b")
            self._file.truncate(place)
            raise CourseError(
                f"{self.path} cannot be written ({error.strerror}); make room and run the same command "
                "again: what is graded so far is kept"
            ) from error
        self._places[record.student] = (key, place)

    @property
    def students(self) -> list[str]:
        """All students that have a record, in order of their names."""
        return sorted(self._places)

    def record(self, student: str) -> Record:
        """A student's record."""
        self._file.seek(self._places[student][1])
        return Record.from_json(json.loads(self._file.readline())["record"])

    def found(self, student: str) -> Record | None:
        """A student's record, or None."""
        return self.record(student) if student in self._places else None

    def records(self, students: list[str]) -> Iterator[Record]:
        """The records of these students, those that have one, in this order."""
        for student in students:
            if student in self._places:
                yield self.record(student)
