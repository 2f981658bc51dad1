"""What a notebook says of its own experiments: told where it holds, and where it does not."""

import ast

import pytest
from course import NOTEBOOKS, master_of

from rnncourse import claim
from rnncourse.claims import ClaimFailed


def test_a_claim_that_holds_is_told_with_what_came(capsys):
    claim("at least 9 of 12 networks learn it", True, "11 of 12")
    assert capsys.readouterr().out == "It holds here: at least 9 of 12 networks learn it: 11 of 12.\n"


def test_a_claim_that_does_not_hold_stops_nobody_and_says_what_was_expected(monkeypatch, capsys):
    monkeypatch.delenv("RNNCOURSE_CLAIMS", raising=False)
    claim("at least 9 of 12 networks learn it", False, "7 of 12")
    told = capsys.readouterr()
    assert "Expected: at least 9 of 12 networks learn it. What came: 7 of 12." in told.out
    assert "no mistake of yours" in told.out
    assert told.err == ""


def test_in_a_test_it_stops(monkeypatch):
    monkeypatch.setenv("RNNCOURSE_CLAIMS", "raise")
    with pytest.raises(ClaimFailed, match="Expected: it holds"):
        claim("it holds", False, "it did not")


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_no_assertion_fails_without_a_word(notebook):
    for cell in master_of(notebook).cells:
        if cell.kind == "code":
            bare = [
                n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Assert) and n.msg is None
            ]
            assert not bare, (
                f"cell {cell.number}: `assert {ast.unparse(bare[0].test)}` says nothing where it fails"
            )
