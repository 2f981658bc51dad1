"""The journal: a line counts once it is whole."""

import pytest

from autograder.grading.journal import Journal


def record(student, score=1.0):
    return {"student": student, "score": score}


def test_what_was_written_is_there_again(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.write("k1", record("ada"))
        journal.write("k2", record("bela", 2.0))
        journal.write("k3", record("ada", 3.0))
    with Journal(tmp_path / "j") as journal:
        assert journal.students == ["ada", "bela"]
        assert journal.key_of("ada") == "k3"
        assert journal.record("ada")["score"] == 3.0


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
    path.write_bytes(b'garbage\n{"key": "k", "record": {"student": "ada"}}\n[]\n')
    with Journal(path) as journal:
        assert journal.students == ["ada"]
