"""Zips of which the same contents make the same bytes, whenever they are written."""

from __future__ import annotations

import zipfile

DATE = (2020, 1, 1, 0, 0, 0)


def put(archive: zipfile.ZipFile, name: str, content: bytes | str, mode: int) -> None:
    """Put a file into a zip.

    Args:
        archive: the zip.
        name: the file's path in it.
        content: what the file holds.
        mode: who may read, write, run it, as on Unix.
    """
    entry = zipfile.ZipInfo(name, DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = mode << 16
    archive.writestr(entry, content)
