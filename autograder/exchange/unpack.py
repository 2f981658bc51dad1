"""What lies in a folder or a zip, file by file, zips in zips too: nothing is written, no link followed.

What is refused is refused alone, with its reason; the files beside it are read.
"""

from __future__ import annotations

import io
import lzma
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
MOST_UNPACKED = 200 << 20
MOST_ZIP = 100 << 20
MOST_DEPTH = 3
NOISE = re.compile(r"__MACOSX|\.DS_Store|Thumbs\.db|desktop\.ini|\._.*|\.git", re.I)
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, OSError, ValueError)
# Documents that are zips: nothing in them is anybody's notebook.
OFFICE = (".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".pages", ".key", ".numbers")
UTF8 = 0x800
ENCRYPTED = 0x1


@dataclass(frozen=True)
class Found:
    """A file.

    Args:
        path: the folders it lies in, a zip among them, and its name.
        content: of what may be a notebook, and of a system's list, the whole; of anything else the beginning.
        modified: its age, as a computer's clock says it; 0 where that is not known.
    """

    path: tuple[str, ...]
    content: bytes
    modified: float = 0.0


@dataclass(frozen=True)
class Refused:
    """A file that is not read, and why."""

    path: tuple[str, ...]
    reason: str


class _Budget:
    """How much a zip that somebody handed in may still unpack to."""

    def __init__(self, left: float):
        self.left = left

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise Ungradable(f"it unpacks to more than {MOST_UNPACKED >> 20} MB")


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
            yield from _zip(archive, (), 1, _Budget(float("inf")), MOST_ENTRIES)
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
            yield Refused(path, "a link; links are refused")
        elif entry.is_dir():
            yield from _folder(Path(entry.path), path)
        else:
            yield from _file(Path(entry.path), path)


def _file(place: Path, path: tuple[str, ...]) -> Iterator[Found | Refused]:
    try:
        if not stat.S_ISREG(place.lstat().st_mode):
            yield Refused(path, "not a regular file")
            return
        with place.open("rb") as file:
            head = file.read(HEAD)
        modified = place.stat().st_mtime
        if zipfile.is_zipfile(place) and not path[-1].lower().endswith(OFFICE):
            with place.open("rb") as file:
                yield from _within(file, path, 0)
        elif _is_read_whole(path[-1], head):
            yield Found(path, read_bytes(place), modified)
        else:
            yield Found(path, head, modified)
    except Ungradable as error:
        yield Refused(path, str(error))
    except OSError as error:
        yield Refused(path, f"it cannot be read ({error.strerror})")


def may_be_notebook(name: str, head: bytes) -> bool:
    """Whether a file is worth a look at the whole of it."""
    return name.lower().endswith(".ipynb") or head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _is_read_whole(name: str, head: bytes) -> bool:
    return may_be_notebook(name, head) or name.lower().endswith((".yml", ".yaml"))


def _within(file: IO[bytes], path: tuple[str, ...], depth: int) -> Iterator[Found | Refused]:
    """A zip that somebody handed in."""
    if depth >= MOST_DEPTH:
        yield Refused(path, f"a zip in a zip, more than {MOST_DEPTH} deep")
        return
    try:
        archive = zipfile.ZipFile(file)
        yield from _zip(archive, path, depth + 1, _Budget(MOST_UNPACKED), MOST_ENTRIES_WITHIN)
    except Ungradable as error:
        yield Refused(path, str(error))
    except DAMAGED as error:
        yield Refused(path, f"a damaged zip ({str(error)[:100]})")


def _zip(
    archive: zipfile.ZipFile, inside: tuple[str, ...], depth: int, budget: _Budget, most: int
) -> Iterator[Found | Refused]:
    entries = archive.infolist()
    if len(entries) > most:
        raise Ungradable(f"it holds {len(entries)} files, more than {most}")
    for entry in entries:
        parts = tuple(
            one_spelling(part) for part in re.split(r"[/\\]", _name(entry)) if part not in ("", ".")
        )
        if entry.is_dir() or not parts or any(NOISE.fullmatch(part) for part in parts):
            continue
        path = (*inside, *parts)
        try:
            _must_be_harmless(entry)
            yield from _entry(archive, entry, path, depth, budget)
        except Ungradable as error:
            yield Refused(path, str(error))
        except DAMAGED as error:
            yield Refused(path, f"damaged in the zip ({str(error)[:100]})")
        except RuntimeError as error:  # what zipfile says of a password
            yield Refused(path, str(error)[:100])
        if budget.left < 0:
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
    if ".." in re.split(r"[/\\]", name):
        raise Ungradable("its path leaves the zip; such entries are refused")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Ungradable("a link; links are refused")
    if entry.flag_bits & ENCRYPTED:
        raise Ungradable("it is encrypted; zip it again without a password")


def _entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: tuple[str, ...], depth: int, budget: _Budget
) -> Iterator[Found | Refused]:
    with archive.open(entry) as file:
        head = file.read(HEAD)
        if head.startswith(b"PK\x03\x04") and not path[-1].lower().endswith(OFFICE):
            most = MOST_ZIP
        elif _is_read_whole(path[-1], head):
            most = MOST_BYTES
        else:
            budget.take(len(head))
            yield Found(path, head, _age(entry))
            return
        content = head + file.read(most + 1 - len(head))
    budget.take(len(content))
    if len(content) > most:
        raise Ungradable(f"it is larger than {most >> 20} MB; clear the outputs and save it again")
    if most == MOST_ZIP:
        yield from _within(io.BytesIO(content), path, depth)
    else:
        yield Found(path, content, _age(entry))


def _age(entry: zipfile.ZipInfo) -> float:
    """When an entry's file was changed, by the clock of whoever zipped it."""
    try:
        return time.mktime((*entry.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0
