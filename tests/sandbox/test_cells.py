"""The cells of a notebook are run: what fails in one costs no more than it must."""

import pytest

from sandbox.calls import cell, error, value


def test_a_failing_statement_does_not_lose_the_function_below_it(sandbox):
    source = cell("""
    import matplotlib.pyplot as plt
    1 / 0
    def f(x): return x
    """)
    with sandbox.session(["", source]) as session:
        outcome = session.call("f", [(1.0,)])[0]
        assert outcome.error is None
        first, second = session.cell_errors
        assert (first.kind, first.cell, first.line) == ("ModuleNotFoundError", 1, 2)
        assert (second.kind, second.line, second.source) == ("ZeroDivisionError", 3, "1 / 0")


def test_a_syntax_error_loses_its_cell_only(sandbox):
    with sandbox.session(["def f(x) return x", "def g(x): return x"]) as session:
        assert session.call("g", [(1,)])[0].error is None
        assert session.call("f", [(1,)])[0].error.kind == "missing"
        (problem,) = session.cell_errors
        assert (problem.kind, problem.cell, problem.line) == ("syntax", 0, 1)
        assert problem.source == "def f(x) return x"


def test_magics_are_blanked_and_line_numbers_kept(sandbox):
    source = (
        "%matplotlib inline\n!ls\nif True:\n    %time 3\n    y = 1\nnp.dot?\ndef f(x):\n    return 1 / 0\n"
    )
    with sandbox.session([source, "%%bash\nrm -rf /", "def g(x): return x"]) as session:
        problem = session.call("f", [(1,)])[0].error
        assert (problem.kind, problem.cell, problem.line) == ("ZeroDivisionError", 0, 8)
        assert [(e.kind, e.cell) for e in session.cell_errors] == [("syntax", 1)]
        assert session.call("g", [(1,)])[0].error is None


def test_a_line_that_begins_with_a_percent_sign_may_be_right(sandbox):
    assert int(value(sandbox, "def f(x):\n    return (7\n% 4)")) == 3


def test_errors_in_helpers_are_placed_at_the_students_own_line(sandbox):
    source = "def helper(x):\n    return np.linalg.inv(x)\ndef f(x):\n    return helper(np.zeros((2, 2)))"
    problem = error(sandbox, source)
    assert (problem.kind, problem.cell, problem.line) == ("LinAlgError", 1, 2)
    assert problem.source == "    return np.linalg.inv(x)"


@pytest.mark.parametrize("source", ["\0", "(" * 5000, "x = '\ud800'", "a" * 100_000 + " b", "0" * 5000 + "7"])
def test_sources_that_cannot_be_parsed_are_syntax_errors(sandbox, source):
    with sandbox.session([source, "def f(x): return x"]) as session:
        assert session.call("f", [(1,)])[0].error is None
        assert [e.kind for e in session.cell_errors] == ["syntax"]


def test_input_is_refused_with_a_clear_word(sandbox):
    with sandbox.session(["name = input('who?')\ndef f(x): return x"]) as session:
        assert session.call("f", [(1,)])[0].error is None
        assert "input()" in session.cell_errors[0].message


def test_cells_that_never_end_are_stopped(sandbox):
    with sandbox.session(["while True: pass", "def f(x): return x"]) as session:
        assert session.call("f", [(1,), (2,)])[1].error.kind == "time"
        assert session.cell_errors[0].kind == "time"
