"""Files that are no notebooks, folders that are no folders, names that lead elsewhere.

`tests/test_bad_input.py` tries more of them; these stand among honest neighbours.
"""

import os
import socket

from attacks.kit import ALL, Attack

LINE = "files"


def sparse(path):
    """A file of four gigabytes that takes no room."""
    with path.open("wb") as file:
        file.truncate(4 << 30)


def listening(path):
    """A socket for a file."""
    with socket.socket(socket.AF_UNIX) as server:
        here = os.open(path.parent, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{here}/{path.name}")
        os.close(here)


def bytes_of(content: bytes):
    """A file of these bytes."""
    return lambda path: path.write_bytes(content)


def linked_folder(path):
    """The notebook's folder is a link to a neighbour's."""
    path.parent.rmdir()
    path.parent.symlink_to(path.parents[2] / "ada" / path.parent.name)


ATTACKS = [
    Attack("link_to_the_solution", None, place=lambda p: p.symlink_to("/etc/passwd"), nbgrader=False),
    Attack("link_to_a_neighbour", None, place=lambda p: p.symlink_to(p.parents[2] / "ada" / p.parent.name / p.name), nbgrader=False),
    Attack("folder_linked_to_a_neighbour", None, place=linked_folder, nbgrader=False),
    Attack("link_to_itself", None, place=lambda p: p.symlink_to(p), nbgrader=False),
    Attack("fifo", None, place=os.mkfifo, nbgrader=False),
    Attack("socket", None, place=listening, nbgrader=False),
    Attack("device", None, place=lambda p: os.mknod(p, 0o20644, os.makedev(1, 5)) if os.geteuid() == 0 else os.mkfifo(p), nbgrader=False),
    Attack("folder_for_a_notebook", None, place=lambda p: p.mkdir(), nbgrader=False),
    Attack("four_gigabytes", None, place=sparse, nbgrader=False),
    Attack("deep_json", None, place=bytes_of(b"[" * 10**6)),
    Attack("deep_json_in_a_cell", None, place=bytes_of(b'{"nbformat":4,"cells":[' + b'{"source":' * 10**5)),
    Attack("bad_utf_8", None, place=bytes_of(b'{"nbformat": 4, "cells": ["\xff\xfe"]}')),
    Attack("null_bytes", None, place=bytes_of(bytes(1000))),
    Attack("old_format", None, change=lambda n: {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}),
    Attack("empty_file", None, place=bytes_of(b"")),
    Attack("not_json", None, place=bytes_of(b"import os; os._exit(0)")),
    Attack("a_number_of_many_digits", None, place=bytes_of(b'{"nbformat": ' + b"4" * 10**5 + b"}")),
    Attack("a_zip", None, place=bytes_of(b"PK\x03\x04" + bytes(100))),
    Attack("byte_order_mark", None, change=lambda n: b"\xef\xbb\xbf{}"),
    Attack("file_names_that_climb", ALL, student="x_..%2f..%2fada", nbgrader=False),
    Attack("a_name_of_an_option", ALL, student="--unsafe-no-sandbox", nbgrader=False),
    Attack("a_name_of_dots", ALL, student="x_..", nbgrader=False),
    Attack("a_name_of_a_pattern", ALL, student="*", nbgrader=False),
    Attack("a_name_like_a_neighbours", ALL, student="ada ", nbgrader=False),
    Attack("a_name_with_a_comma", ALL, student="ada,bela", nbgrader=False),
]  # fmt: skip
