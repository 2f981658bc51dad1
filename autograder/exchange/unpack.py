"""What lies in a folder or a zip, file by file, zips in zips too: nothing is written, no link followed.

What is refused is refused alone, with its reason; the files beside it are read.
"""

from __future__ import annotations

import io
import os
import re
import stat
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from autograder.course.roster import one_spelling
from autograder.errors import CourseError, Ungradable
from autograder.grading.submission import MOST_BYTES, read_bytes

HEAD = 4096
MOST_ENTRIES = 200_000
MOST_ENTRIES_WITHIN = 5000
# What is longer than a package's own lists, and could be one: each is looked at for its answers.
MOST_NOTEBOOKS, LONG = 100, 10_000
MOST_UNPACKED = 200 << 20
MOST_ZIP = 100 << 20
MOST_DEPTH = 3
# Longer than any file system has them, with what a system writes before; only a zip holds such a name, and
# whoever reads names looks at all of it.
MOST_IN_A_NAME, MOST_PARTS = 1000, 50
NOISE = re.compile(r"__MACOSX|\.DS_Store|Thumbs\.db|desktop\.ini|\._.*|\.git", re.I)
DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError)
# The others unpack all that they are given at once, whatever it comes to: kilobytes become gigabytes.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
UTF8 = 0x800
ENCRYPTED = 0x1


@dataclass(frozen=True)
class Found:
    """A file.

    Args:
        path: the folders it lies in, a zip among them, and its name.
        content: of what may be a notebook, and of a system's list, the whole; of anything else the beginning.
        modified: its age, as a computer's clock says it; 0 where that is not known.
        outside: what of the path no student wrote: up to the zip that somebody handed in.
    """

    path: tuple[str, ...]
    content: bytes
    modified: float
    outside: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """A file that is not read, and why; `outside` as of one that is."""

    path: tuple[str, ...]
    reason: str
    outside: tuple[str, ...]


class _HandIn:
    """A zip that somebody handed in, with all zips in it: how much may still be read of it.

    Args:
        path: where it lies.
    """

    def __init__(self, path: tuple[str, ...]):
        self.path = path
        self.bytes, self.files, self.notebooks = MOST_UNPACKED, MOST_ENTRIES_WITHIN, MOST_NOTEBOOKS

    @property
    def spent(self) -> bool:
        """Whether nothing more is read of it."""
        return min(self.bytes, self.files, self.notebooks) < 0

    def take(self, size: int) -> None:
        """Unpack so many bytes."""
        self.bytes -= size
        if self.bytes < 0:
            raise Ungradable(f"it unpacks to more than {MOST_UNPACKED >> 20} MB")

    def look(self, content: bytes) -> None:
        """Read what may be a notebook."""
        self.notebooks -= len(content) > LONG
        if self.notebooks < 0:
            raise Ungradable(f"it holds more than {MOST_NOTEBOOKS} notebooks; hand in the one that counts")

    def hold(self, files: int) -> None:
        """Look at so many files."""
        self.files -= files
        if self.files < 0:
            raise Ungradable(f"it holds more than {MOST_ENTRIES_WITHIN} files")


def walk(source: Path) -> Iterator[Found | Refused]:
    """Every file of a folder, of a zip, or a single file.

    Raises:
        CourseError: there is no such thing, or the zip itself cannot be read.
    """
    if source.is_dir():
        yield from _folder(source, ())
    elif zipfile.is_zipfile(source):
        with source.open("rb") as file:
            try:
                archive = zipfile.ZipFile(file)
            except DAMAGED as error:
                raise CourseError(f"{source} cannot be read ({error}); download it again") from None
            if len(archive.infolist()) > MOST_ENTRIES:
                raise CourseError(f"{source} holds more than {MOST_ENTRIES} files")
            yield from _zip(archive, (), 1, None)
    elif source.is_file():
        yield from _file(source, (source.name,))
    else:
        raise CourseError(f"there is no {source}")


def _folder(folder: Path, inside: tuple[str, ...]) -> Iterator[Found | Refused]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if NOISE.fullmatch(entry.name):
            continue
        path = (*inside, one_spelling(entry.name))
        if entry.is_symlink():
            yield Refused(path, "a link; links are refused", path)
        elif entry.is_dir():
            yield from _folder(Path(entry.path), path)
        else:
            yield from _file(Path(entry.path), path)


def _file(place: Path, path: tuple[str, ...]) -> Iterator[Found | Refused]:
    try:
        if not stat.S_ISREG(place.lstat().st_mode):
            yield Refused(path, "not a regular file", path)
            return
        with place.open("rb") as file:
            head = file.read(HEAD)
        modified = place.stat().st_mtime
        if zipfile.is_zipfile(place):
            with place.open("rb") as file:
                yield from _within(file, path, 0, _HandIn(path))
        elif _is_read_whole(path[-1], head):
            yield Found(path, read_bytes(place), modified, path)
        else:
            yield Found(path, head, modified, path)
    except Ungradable as error:
        yield Refused(path, str(error), path)
    except OSError as error:
        yield Refused(path, f"it cannot be read ({error.strerror})", path)


def may_be_notebook(name: str, head: bytes) -> bool:
    """Whether a file is worth a look at the whole of it."""
    return name.lower().endswith(".ipynb") or head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _is_read_whole(name: str, head: bytes) -> bool:
    return may_be_notebook(name, head) or name.lower().endswith((".yml", ".yaml"))


def _within(
    file: IO[bytes], path: tuple[str, ...], depth: int, hand_in: _HandIn
) -> Iterator[Found | Refused]:
    """A zip that somebody handed in, or one in it."""
    if depth >= MOST_DEPTH:
        yield Refused(path, f"a zip in a zip, more than {MOST_DEPTH} deep", hand_in.path)
        return
    try:
        archive = zipfile.ZipFile(file)
        hand_in.hold(len(archive.infolist()))
        yield from _zip(archive, path, depth + 1, hand_in)
    except Ungradable as error:
        yield Refused(path, str(error), hand_in.path)
    except DAMAGED as error:
        yield Refused(path, f"a damaged zip ({str(error)[:100]})", hand_in.path)


def _zip(
    archive: zipfile.ZipFile, inside: tuple[str, ...], depth: int, hand_in: _HandIn | None
) -> Iterator[Found | Refused]:
    for entry in archive.infolist():
        parts = tuple(
            one_spelling(part[:MOST_IN_A_NAME])
            for part in re.split(r"[/\\]", _name(entry), maxsplit=MOST_PARTS)[:MOST_PARTS]
            if part not in ("", ".")
        )
        if entry.is_dir() or not parts or any(NOISE.fullmatch(part) for part in parts):
            continue
        path = (*inside, *parts)
        outside = hand_in.path if hand_in else path
        try:
            _must_be_harmless(entry)
            yield from _entry(archive, entry, path, depth, hand_in)
        except Ungradable as error:
            yield Refused(path, str(error), outside)
        except DAMAGED as error:
            yield Refused(path, f"damaged in the zip ({str(error)[:100]})", outside)
        except RuntimeError as error:  # what zipfile says of a password
            yield Refused(path, str(error)[:100], outside)
        if hand_in and hand_in.spent:
            return


def _name(entry: zipfile.ZipInfo) -> str:
    """An entry's name: Canvas writes UTF-8 and does not say so."""
    if entry.flag_bits & UTF8:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _must_be_harmless(entry: zipfile.ZipInfo) -> None:
    name = _name(entry)
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        raise Ungradable("an absolute path; such entries are refused")
    parts = re.split(r"[/\\]", name)
    if len(parts) > MOST_PARTS or max(map(len, parts)) > MOST_IN_A_NAME:
        raise Ungradable("its name is longer than that of any file")
    if ".." in parts:
        raise Ungradable("its path leaves the zip; such entries are refused")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Ungradable("a link; links are refused")
    if entry.flag_bits & ENCRYPTED:
        raise Ungradable("it is encrypted; zip it again without a password")
    if entry.compress_type not in METHODS:
        raise Ungradable("it is packed by an unusual method; zip it again in the usual way (deflate)")


def _entry(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    path: tuple[str, ...],
    depth: int,
    hand_in: _HandIn | None,
) -> Iterator[Found | Refused]:
    outside = hand_in.path if hand_in else path
    with archive.open(entry) as file:
        head = file.read(HEAD)
        if head.startswith(b"PK\x03\x04"):
            most = MOST_ZIP
        elif _is_read_whole(path[-1], head):
            most = MOST_BYTES
        else:
            if hand_in:
                hand_in.take(len(head))
            yield Found(path, head, _age(entry), outside)
            return
        content = head + file.read(most + 1 - len(head))
    if hand_in:
        hand_in.take(len(content))
    if len(content) > most:
        raise Ungradable(f"it is larger than {most >> 20} MB; clear the outputs and save it again")
    if most == MOST_ZIP:
        yield from _within(io.BytesIO(content), path, depth, hand_in or _HandIn(path))
    else:
        if hand_in:
            hand_in.look(content)
        yield Found(path, content, _age(entry), outside)


def _age(entry: zipfile.ZipInfo) -> float:
    """When an entry's file was changed, by the clock of whoever zipped it."""
    try:
        return time.mktime((*entry.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0
