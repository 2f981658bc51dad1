"""Files and folders that are not what they should be: a record or a reason, no trace, no silence."""

import csv
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Said, autograder
from course import KEY, TINY, master_of, submission

pytestmark = [pytest.mark.xdist_group("bad_input"), pytest.mark.usefixtures("confined")]

BIN = Path(sys.executable).parent
NOTEBOOK = TINY.name
MASTER = master_of(NOTEBOOK)
STEP, FORWARD, BACKWARD = MASTER.exercises
ENVIRONMENT = {**os.environ, "PATH": "/usr/bin:/bin", "AUTOGRADER_KEY": KEY}
HONEST = {
    "ada": submission(NOTEBOOK),
    "zoe": submission(NOTEBOOK, {STEP: MASTER.mutate(STEP, MASTER.exercises[STEP].spec.misconceptions[0])}),
}


def plain() -> dict:
    """A right submission, as plain data."""
    return json.loads(submission(NOTEBOOK))


def cell_of(notebook: dict, grade_id: str) -> dict:
    return next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


def bound(path: Path) -> None:
    """A socket; its address is too long to be bound in one piece."""
    here = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{here}/{path.name}")
    os.close(here)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(3 << 30)


def emptied(path: Path, then: Callable[[Path], object]) -> None:
    """In place of the notebook's folder, something else."""
    path.parent.rmdir()
    then(path.parent)


# name -> (what is put at the notebook's path, words of the reason)
FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda p: None, "there is no"),
    "another_name": (lambda p: p.with_name("final (2).ipynb").write_bytes(HONEST["ada"]), "there is no"),
    "folder": (lambda p: p.mkdir(), "not a regular file"),
    "fifo": (os.mkfifo, "not a regular file"),
    "socket": (bound, "cannot be opened"),
    "link": (lambda p: p.symlink_to(p.parents[2] / "ada" / NOTEBOOK / p.name), "links are refused"),
    "link_to_nothing": (lambda p: p.symlink_to("/nowhere"), "links are refused"),
    "link_to_a_device": (lambda p: p.symlink_to("/dev/zero"), "links are refused"),
    "gigabytes": (sparse, "larger than 20 MB"),
    "linked_folder": (
        lambda p: emptied(p, lambda f: f.symlink_to(f.parents[1] / "ada" / NOTEBOOK)),
        "links are",
    ),
    "file_for_a_folder": (lambda p: emptied(p, lambda f: f.write_text("x")), "not a folder"),
    "fifo_for_a_folder": (lambda p: emptied(p, os.mkfifo), "not a folder"),
}
TOO_MUCH = {"nbformat": 4, "cells": [{"cell_type": "code", "source": "a\n" * 10**6}]}
# name -> (bytes, words of the reason)
CONTENTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "blank": (b" \n\t\r\n", "empty"),
    "not_json": (b"hello", "not a notebook"),
    "half_saved": (HONEST["ada"][: len(HONEST["ada"]) // 2], "not a notebook"),
    "null_bytes": (bytes(5000), "not a notebook"),
    "bad_utf_8": (HONEST["ada"].replace(b"tanh", b"\xff\xfe", 1), "not UTF-8"),
    "utf_16": (HONEST["ada"].decode().encode("utf-16"), "not UTF-8"),
    "zip": (b"PK\x03\x04" + os.urandom(1000), "not"),
    "deep_lists": (b"[" * 500_000 + b"]" * 500_000, "500000 parts"),
    "deep_dicts": (b'{"a":' * 300_000, "300000 parts"),
    "deep_metadata": (b'{"nbformat":4,"metadata":' + b"[" * 90_000 + b"]" * 90_000 + b"}", "nested"),
    # Not too deep for a parser, but for one that is called from deep within another program.
    "deeper_than_any": (b'{"nbformat":4,"metadata":' + b"[" * 900 + b"]" * 900 + b',"cells":[]}', "nested"),
    "many_parts": (b'{"nbformat":4,"metadata":[' + b"{}," * 200_000 + b'0],"cells":[]}', "200003 parts"),
    "number": (b"4", "not a notebook"),
    "number_of_many_digits": (b"9" * 100_000, "not a notebook"),
    "text": (b'"nbformat"', "not a notebook"),
    "null": (b"null", "not a notebook"),
    "list": (b"[]", "not a notebook"),
    "format_3": (b'{"nbformat": 3, "worksheets": [{"cells": []}]}', "format '3'"),
    "format_5": (b'{"nbformat": 5, "cells": []}', "format '5'"),
    "format_text": (b'{"nbformat": "4", "cells": []}', "format '4'"),
    "format_list": (b'{"nbformat": [[[4]]], "cells": []}', "format"),
    "no_format": (b'{"cells": []}', "format 'None'"),
    "no_cells": (b'{"nbformat": 4}', "no list of cells"),
    "cells_of_text": (b'{"nbformat": 4, "cells": "abc"}', "no list of cells"),
    "too_many_cells": (b'{"nbformat": 4, "cells": [' + b"{}," * 5000 + b"{}]}", "more than 2000"),
    "too_much_code": (json.dumps(TOO_MUCH).encode(), "characters of code"),
    "too_large": (b" " * (21 << 20), "larger than 20 MB"),
}  # fmt: skip


def odd(change: Callable[[dict], object]) -> bytes:
    """A right submission with something odd in it."""
    notebook = plain()
    changed = change(notebook)
    return json.dumps(changed if isinstance(changed, dict) else notebook).encode()


def each_cell(**changes: object) -> Callable[[dict], None]:
    def change(notebook: dict) -> None:
        for cell in notebook["cells"]:
            cell.update(changes)

    return change


def each_id(value: object) -> Callable[[dict], None]:
    def change(notebook: dict) -> None:
        for cell in notebook["cells"]:
            if "nbgrader" in cell["metadata"]:
                cell["metadata"]["nbgrader"]["grade_id"] = value

    return change


def step_source(change: Callable[[str], str]) -> Callable[[dict], None]:
    """Another text of the first answer."""
    return lambda notebook: cell_of(notebook, STEP).update(source=change(cell_of(notebook, STEP)["source"]))


ODD_THINGS = (None, 7, 1e308, True, "text", [], [[]], {}, {"a": None}, ["a", 1, None, {}])
# What can be read as a notebook gets a record, whatever its cells are.
ODD: dict[str, bytes] = {
    **{f"cell_{i}": odd(lambda n, x=x: n["cells"].insert(0, x)) for i, x in enumerate(ODD_THINGS)},
    **{f"only_cells_{i}": odd(lambda n, x=x: {**n, "cells": [x] * 9}) for i, x in enumerate(ODD_THINGS)},
    **{f"sources_{i}": odd(each_cell(source=x)) for i, x in enumerate(ODD_THINGS)},
    **{f"metadata_{i}": odd(each_cell(metadata=x)) for i, x in enumerate(ODD_THINGS)},
    **{f"nbgrader_{i}": odd(each_cell(metadata={"nbgrader": x})) for i, x in enumerate(ODD_THINGS)},
    **{f"types_{i}": odd(each_cell(cell_type=x)) for i, x in enumerate(ODD_THINGS)},
    **{f"outputs_{i}": odd(each_cell(outputs=x, execution_count=x)) for i, x in enumerate(ODD_THINGS)},
    **{f"ids_{i}": odd(each_cell(id=x)) for i, x in enumerate(ODD_THINGS)},
    **{f"grade_ids_{i}": odd(each_id(x)) for i, x in enumerate(ODD_THINGS)},
    **{f"whole_metadata_{i}": odd(lambda n, x=x: {**n, "metadata": x}) for i, x in enumerate(ODD_THINGS)},
    "no_cells_at_all": odd(lambda n: {**n, "cells": []}),
    "ids_all_the_same": odd(each_id(STEP)),
    "ids_with_nulls": odd(each_id("rnn_step\0")),
    "surrogates": odd(step_source(lambda source: "x = '\ud800'\n" + source)),
    "nulls": odd(step_source(lambda source: "\0" + source)),
    "old_lines": odd(step_source(lambda source: source.replace("\n", "\r\n"))),
    "other_line_ends": odd(step_source(lambda source: "x = 1\x0b\x0c\u2028\u2029\x85\n" + source)),
    "not_a_number": HONEST["ada"].replace(b'"nbformat_minor"', b'"x": NaN, "y": Infinity, "nbformat_minor"'),
    "names_twice": HONEST["ada"].replace(b'"nbformat"', b'"cells": [], "nbformat": 3, "nbformat"', 1),
    "byte_order_mark": b"\xef\xbb\xbf" + HONEST["ada"],
    "extra_bytes_of_space": b"\n" * 10_000 + HONEST["ada"] + b" " * 10_000,
}  # fmt: skip
# Changes that cost nothing: what is right stays right.
HARMLESS = {"nulls", "byte_order_mark", "old_lines", "not_a_number", "extra_bytes_of_space", "surrogates", *(
    f"{kind}_{i}" for kind in ("cell", "outputs", "ids", "whole_metadata") for i in range(len(ODD_THINGS))
)}  # fmt: skip


def told(place: Path, *words: object, status: int = 0) -> Said:
    """The command in this process: what it says, and that it ends as it should."""
    said = autograder(place, *words, "--root", TINY.parents[1])
    assert said.status == status, said.err[-3000:]
    return said


def program(place: Path, *words: object, status: int = 0) -> Said:
    """The same as a program of its own: its processes, its streams, its exit."""
    done = subprocess.run(
        [str(BIN / "autograder"), *map(str, words), "--root", str(TINY.parents[1])],
        env=ENVIRONMENT, capture_output=True, text=True, check=False, cwd=place, timeout=600,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    assert done.returncode == status, done.stderr[-3000:]
    return Said(done.returncode, done.stdout, done.stderr)


def grade(
    place: Path, status: int, *more: object, by: Callable[..., Said] = told, jobs: int = 1
) -> tuple[dict[str, dict], str]:
    said = by(
        place, "grade", NOTEBOOK, "--submitted", place / "submitted", "--journal", place / "journal",
        "--json", place / "marks.json", "--jobs", jobs, *more, status=status,
    )  # fmt: skip
    records = json.loads((place / "marks.json").read_text()) if status < 2 else []
    return {record["student"]: record for record in records}, said.err


def path_of(place: Path, student: str) -> Path:
    path = place / "submitted" / student / NOTEBOOK / f"{NOTEBOOK}.ipynb"
    path.parent.mkdir(parents=True)
    return path


def hand_in_honest(place: Path) -> None:
    for student, content in HONEST.items():
        path_of(place, student).write_bytes(content)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    place = tmp_path_factory.mktemp("quiet")
    hand_in_honest(place)
    return grade(place, 0)[0]


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class in which all but two handed in something odd: place, records, standard error."""
    place = tmp_path_factory.mktemp("odd")
    hand_in_honest(place)
    for name, (put, _) in FILES.items():
        put(path_of(place, f"file_{name}"))
    for name, (content, _) in CONTENTS.items():
        path_of(place, f"content_{name}").write_bytes(content)
    for name, content in ODD.items():
        path_of(place, f"odd_{name}").write_bytes(content)
    os.mkfifo(place / "submitted" / "fifo")
    (place / "submitted" / "link").symlink_to(place / "submitted" / "ada")
    (place / "submitted" / "names.csv").write_text("a list that somebody keeps here")
    (place / "submitted" / "late").mkdir()
    return place, *grade(place, 1, by=program, jobs=2)


REASONS = {f"file_{name}": words for name, (_, words) in FILES.items()}
REASONS |= {f"content_{name}": words for name, (_, words) in CONTENTS.items()}
REASONS |= {"fifo": "not a folder", "link": "links are refused"}


@pytest.mark.parametrize("student", REASONS)
def test_what_is_no_notebook_is_refused_with_its_reason(graded, student):
    _, records, said = graded
    record = records[student]
    assert record["score"] is None
    assert any(words in record["problems"][0] for words in REASONS[student].split("|")), record["problems"]
    assert f"not graded: {student}: {record['problems'][0]}" in said


@pytest.mark.parametrize("name", ODD)
def test_what_can_be_read_gets_a_record(graded, name):
    _, records, _ = graded
    record = records[f"odd_{name}"]
    assert record["max_score"] == 12
    assert 0 <= record["score"] <= 12
    assert len(record["exercises"]) == 3
    if name in HARMLESS:
        assert record["score"] == 12, record
    elif record["score"] < 12:
        assert record["problems"] or all(e["checks"] for e in record["exercises"])


def test_nobody_is_passed_over_in_silence(graded, quiet):
    _, records, said = graded
    assert set(records) == {*HONEST, *REASONS, *(f"odd_{name}" for name in ODD)}
    assert {student: records[student] for student in HONEST} == quiet
    assert len([line for line in said.splitlines() if line.strip()]) == len(REASONS)


def test_export_and_report_go_on(graded, tmp_path):
    place, records, _ = graded
    book = ("--gradebook", f"sqlite:///{tmp_path / 'gradebook.db'}")
    grade(place, 1, *book, "--autograded", tmp_path / "autograded")
    submitted = ("--submitted", place / "submitted")
    told(place, "export", NOTEBOOK, *book, *submitted, "--file", tmp_path / "csv")
    with (tmp_path / "csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student"].lstrip("'"): row for row in csv.DictReader(file)}
    for student, record in records.items():
        is_nothing = record["score"] is None
        assert (rows[student]["state"] == "could not be graded") == is_nothing, student
        assert rows[student]["score"] == ("" if is_nothing else str(record["score"]))
    assert len(rows) == len(records)
    words = ("--journal", place / "journal", "--to", tmp_path / "report.html")
    told(place, "report", NOTEBOOK, *book, *submitted, *words)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert all(f"<td>{student}</td>" in page for student in records)


def test_a_second_run_says_the_same_and_grades_nothing_twice(graded):
    place, records, said = graded
    before = (place / "journal").read_bytes()
    assert grade(place, 1) == (records, said)
    assert (place / "journal").read_bytes() == before


def test_the_gradebook_takes_what_has_a_record_and_odd_timestamps(tmp_path, quiet):
    hand_in_honest(tmp_path)
    stamps: dict[str, Callable[[Path], object]] = {
        "fifo": os.mkfifo,
        "gigabytes": sparse,
        "device": lambda p: p.symlink_to("/dev/zero"),
        "bytes": lambda p: p.write_bytes(b"\xff\xfe\x00"),
        "words": lambda p: p.write_text("the day before yesterday"),
        "year": lambda p: p.write_text("999999999-01-01 10:00:00 UTC"),
        "good": lambda p: p.write_text("2026-11-20 10:00:00 UTC\n"),
    }
    for name, put in stamps.items():
        path = path_of(tmp_path, name)
        path.write_bytes(HONEST["ada"])
        put(path.with_name("timestamp.txt"))
    records, _ = grade(tmp_path, 0, "--gradebook", f"sqlite:///{tmp_path / 'gradebook.db'}")
    assert set(records) == {*HONEST, *stamps}
    assert {student: records[student] for student in HONEST} == quiet


# Wrong use, and files of ours that are not what they should be: status 2 and a sentence.


def test_a_gradebook_that_is_no_database_is_told(tmp_path):
    hand_in_honest(tmp_path)
    (tmp_path / "gradebook.db").write_text("this is a text, and a long one at that. " * 100)
    gradebook = ("--gradebook", f"sqlite:///{tmp_path / 'gradebook.db'}")
    for by in (told, program):
        _, said = grade(tmp_path, 2, *gradebook, by=by)
        assert "gradebook" in said and "not a database" in said


def test_places_that_cannot_be_written_are_told(tmp_path):
    hand_in_honest(tmp_path)
    _, said = grade(tmp_path, 2, "--json", tmp_path / "nowhere" / "marks.json")
    assert "nowhere" in said
    _, said = grade(tmp_path, 2, "--gradebook", f"sqlite:///{tmp_path / 'nowhere' / 'gradebook.db'}")
    assert "gradebook" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("grade", "no_such_notebook", "--submitted", "submitted"), "no_such_notebook"),
        (("grade", NOTEBOOK, "--submitted", "nowhere"), "there is no folder"),
        (("grade", NOTEBOOK, "--submitted", "empty"), "there is no submission"),
        (("export", NOTEBOOK, "--gradebook", "sqlite:///nowhere.db"), "run `autograder grade"),
        (("report", NOTEBOOK, "--gradebook", "sqlite:///nowhere.db"), "run `autograder grade"),
        (("export",), "name one notebook, or --course"),
        (("export", NOTEBOOK, "--drop", "1"), "--drop goes with --course"),
    ],
)
def test_wrong_use_is_told_in_a_sentence(tmp_path, words, said):
    (tmp_path / "empty").mkdir()
    assert said in told(tmp_path, *words, status=2).err


def test_a_damaged_journal_costs_nothing_but_time(tmp_path, quiet):
    hand_in_honest(tmp_path)
    assert grade(tmp_path, 0)[0] == quiet
    lines = b'\xff\xfe\n\x00\nnull\n{"key": 1}\n{"key": "", "record": []}\n{"key": "'
    for damage in (b'{"key": "', lines):
        whole = (tmp_path / "journal").read_bytes()
        (tmp_path / "journal").write_bytes(whole[: len(whole) * 2 // 3] + damage)
        assert grade(tmp_path, 0)[0] == quiet
