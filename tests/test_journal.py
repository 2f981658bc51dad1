"""The journal: a line counts once it is whole."""

import json

import pytest

from autograder.grading.journal import Journal
from autograder.record import Check, Judgement, Mark, Record


def record(student, share=0.25):
    judgement = Judgement("rnn_step", "wrong", share, [Check("s_t", False, "wrong first")], [], ["a note"])
    return Record(student, "tiny_rnn", [Mark(judgement, 4.0)], ["a remark"])


def test_what_was_written_is_there_again(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.write("k1", record("ada"))
        journal.write("k2", record("bela", 0.5))
        journal.write("k3", record("ada", 0.75))
    with Journal(tmp_path / "j") as journal:
        assert journal.students == ["ada", "bela"]
        assert journal.key_of("ada") == "k3"
        assert journal.record("ada") == record("ada", 0.75)
        assert journal.record("ada").score == 3.0


@pytest.mark.parametrize("torn", [b"", b"{", b'{"key": "k9", "record": {"student": "zoe"', b"\0\0\0"])
def test_a_torn_last_line_counts_as_not_written(tmp_path, torn):
    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.write("k1", record("ada"))
    with path.open("ab") as file:
        file.write(torn)
    with Journal(path) as journal:
        assert journal.students == ["ada"]
        journal.write("k2", record("bela"))
    with Journal(path) as journal:
        assert journal.students == ["ada", "bela"]


def test_a_damaged_line_loses_only_itself(tmp_path):
    path = tmp_path / "j"
    whole = json.dumps({"key": "k", "record": record("ada").as_json()}).encode()
    path.write_bytes(b'garbage\n{"key": "k", "record": {"student": "bela"}}\n' + whole + b"\n[]\n")
    with Journal(path) as journal:
        assert journal.students == ["ada"]
