"""Collecting from nbgrader's exchange: a folder there says what whoever made it wants it to say.

The exchange is a folder that everybody writes to, with any program. nbgrader's own collecting follows links
with the instructor's rights, takes a folder for the work of whom its name says, and stops for all at one that
is odd. Here each hand-in is looked at by itself, and what is refused is refused alone, by name.
"""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import ignore_patterns, parse_utc
from traitlets import Bool

from autograder.course.roster import MOST_ID
from autograder.errors import Ungradable
from autograder.grading.classroom import STAMP, shown_name
from autograder.grading.submission import read_bytes
from autograder.nbgrader_door.gradebook import MOST_TOLD, SECRET

MOST_FILES = 5000
# Between the moment in a hand-in's name and the last of its files; and between two clocks.
PATIENCE = timedelta(minutes=5)
READ_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class CheckedCollect(ExchangeCollect):
    """`nbgrader collect`, and formgrader's button, for hand-ins that their students may have made by hand."""

    believe_times = Bool(
        False,
        help="Believe the moment in a hand-in's name also where the file system saw it changed later: after "
        "the exchange was moved to another disk, say, which makes all that lies in it new.",
    ).tag(config=True)

    @property
    def _course(self) -> Any:
        """The settings of the course, by nbgrader."""
        return self.coursedir

    def init_src(self) -> None:
        """Find the newest hand-in of each student, of those that can be theirs."""
        super().init_src()
        self.src_records = [record for record in self.src_records if isinstance(record["username"], str)]

    def _path_to_record(self, path: str) -> dict[str, Any]:
        """Whose a folder is and when it came; one that is refused is nobody's, and covers no other."""
        folder = Path(path)
        try:
            student, moment = self._student_of(folder), self._came(folder)
        except Ungradable as error:
            self.log.warning("not collected: %s: %s", shown_name(folder.name), error)
            return {"username": folder, "filename": folder.name, "timestamp": datetime.min}
        return {"username": student, "filename": folder.name, "timestamp": moment}

    def _student_of(self, folder: Path) -> str:
        """Whose a hand-in is.

        Raises:
            Ungradable: it is somebody else's than it says, or nobody's.
        """
        student, status = folder.name.rsplit("+", 3)[0], _status(folder)
        if not stat.S_ISDIR(status.st_mode):
            raise Ungradable("a link, or no folder; links are refused")
        if student != shown_name(student) or student.startswith(".") or not 0 < len(student) <= MOST_ID:
            raise Ungradable("its name holds characters that no student's name has, or is too long")
        if self.check_owner and (owner := _account(status.st_uid)) != student:
            raise Ungradable(
                f"it says that it is {student}'s, but {owner} made it. (Where all work under one account: "
                "`c.ExchangeCollect.check_owner = False`. Then anybody can hand in for anybody)"
            )
        return student

    def _came(self, folder: Path) -> datetime:
        """When a hand-in came, in UTC: what its name says, or when it was last changed, if that is later.

        Whoever owns a file sets its name and its times, but not when the file system last saw it changed.

        Raises:
            Ungradable: it says no moment, or holds what is not read.
        """
        try:
            named = parse_utc(folder.name.rsplit("+", 3)[2])
        except (ValueError, OverflowError, TypeError, AttributeError):
            raise Ungradable("its name says no moment") from None
        changed = self._last_change(folder)
        if changed - named <= PATIENCE or self.believe_times:
            return named
        self.log.warning(
            "%s came at %s by its name, but was changed at %s: that counts "
            "(`c.CheckedCollect.believe_times = True` lets the names count)",
            shown_name(folder.name),
            f"{named:%Y-%m-%d %H:%M:%S}",
            f"{changed:%Y-%m-%d %H:%M:%S}",
        )
        return changed

    def _last_change(self, folder: Path) -> datetime:
        """When the file system last saw anything of a hand-in changed, in UTC.

        Raises:
            Ungradable: it holds links, special files, somebody else's files, too many or too large ones.
        """
        seen = [_status(folder)]
        for place, folders, files in os.walk(folder, onerror=_unreadable):
            for path in (Path(place, name) for name in (*folders, *files)):
                seen.append(status := _status(path))
                if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                    raise Ungradable(f"{shown_name(path.name)} is a link or a special file")
                if not os.access(path, os.R_OK):
                    raise Ungradable(f"{shown_name(path.name)} cannot be read")
                if len(seen) > MOST_FILES:
                    raise Ungradable(f"it holds more than {MOST_FILES} files")
        if self.check_owner and len({status.st_uid for status in seen}) > 1:
            raise Ungradable("it holds a file of somebody else's")
        if sum(status.st_size for status in seen) > 1000 * (most := self._course.max_dir_size):
            raise Ungradable(f"it is larger than {most // 1000} MB")
        return datetime.fromtimestamp(max(status.st_ctime for status in seen), UTC).replace(tzinfo=None)

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy one hand-in; where that fails, the others are collected all the same."""
        source, target = Path(src), Path(dest)
        (moment,) = [one["timestamp"] for one in self.src_records if one["filename"] == source.name]
        ignore = ignore_patterns(
            exclude=self._course.ignore,
            include=self._course.include,
            max_file_size=self._course.max_file_size,
            log=self.log,
        )
        try:
            copy_plain_files(source, target, ignore)
            _stamp(target / STAMP, moment)
            _keep_secret(target / SECRET)
        except (OSError, Ungradable) as error:
            shutil.rmtree(target, ignore_errors=True)
            self.log.error("not collected: %s: %s", shown_name(source.name), error)


def copy_plain_files(source: Path, target: Path, ignore: Callable[[str, list[str]], Iterable[str]]) -> None:
    """Copy a folder's plain files, following no link, whatever becomes of them in the meantime.

    Args:
        source: the folder.
        target: a folder that is not there yet.
        ignore: which names in a folder are left out, as for `shutil.copytree`.

    Raises:
        OSError: something cannot be read (a link too) or written.
        Ungradable: something is no plain file.
    """
    for place, folders, files, descriptor in os.fwalk(source, onerror=_unreadable):
        left_out = set(ignore(place, [*folders, *files]))
        folders[:] = [name for name in folders if name not in left_out]
        copy = target / Path(place).relative_to(source)
        copy.mkdir(parents=True)
        for name in (name for name in files if name not in left_out):
            with os.fdopen(os.open(name, READ_PLAIN, dir_fd=descriptor), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise Ungradable(f"{shown_name(name)} is a special file")
                with (copy / name).open("wb") as written:
                    shutil.copyfileobj(file, written)


def _stamp(path: Path, moment: datetime) -> None:
    """Let the file that nbgrader reads say when a hand-in came, where it says something else."""
    try:
        if parse_utc(path.read_text("utf-8").strip()) == moment:
            return
    except (OSError, ValueError, OverflowError, TypeError, AttributeError):
        pass
    path.write_text(f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC")


def _keep_secret(path: Path) -> None:
    """Let there be what `nbgrader release_feedback` reads of each student: it stops for all where it cannot.

    By their own, students fetch their feedback; one that is made here nobody knows.
    """
    try:
        if re.fullmatch(rb"[\w-]{16,1000}", read_bytes(path, most=MOST_TOLD)):
            return
    except Ungradable:
        pass
    path.unlink(missing_ok=True)
    path.write_text(secrets.token_hex(64))


def _status(path: Path) -> os.stat_result:
    try:
        return path.lstat()
    except OSError as error:
        _unreadable(error)


def _unreadable(error: OSError) -> NoReturn:
    raise Ungradable(f"it cannot be read ({error.strerror})") from None


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
