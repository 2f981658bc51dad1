"""Arrays in, arrays out: what honest code may expect of a call."""

import numpy as np
import pytest

from autograder.answers.outcome import Opaque
from sandbox.calls import answers, value


def test_a_function_is_called_with_arrays_and_answers_with_arrays(sandbox):
    W = {"ss": np.eye(3), "sx": np.ones((3, 2))}
    source = """
    def f(x, s, W):
        s = np.tanh(W["ss"] @ s + W["sx"] @ x)
        return s, {"sum": s.sum(), "parts": [s[0], None]}
    """
    x, s = np.ones((2, 4)), np.zeros((3, 4))
    state, rest = value(sandbox, source, x, s, W)
    expected = np.tanh(W["sx"] @ x)
    np.testing.assert_allclose(state, expected)
    np.testing.assert_allclose(rest["sum"], expected.sum())
    np.testing.assert_allclose(rest["parts"][0], expected[0])
    assert rest["parts"][1] is None


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4", "i8", "?"])
def test_dtypes_are_kept(sandbox, dtype):
    array = np.ones((2, 3), dtype)
    sent = value(sandbox, "def f(x): return x", array)
    assert sent.dtype == array.dtype and (sent == array).all()


def test_numbers_and_texts_arrive_as_python_numbers_and_texts(sandbox):
    source = "def f(T, mode): return [0.0] * T if mode == 'list' else None"
    assert len(value(sandbox, source, 3, "list")) == 3


def test_integer_accumulators_and_text_are_told_apart(sandbox):
    total, text = value(sandbox, "def f(x): return 0, 'text'")
    assert total.dtype == np.int64 and text == Opaque("str")


def test_calls_of_one_session_share_its_globals_and_sessions_do_not(sandbox):
    source = "count = 0\ndef f(x):\n    global count\n    count += 1\n    return count"
    assert [int(o.value) for o in answers(sandbox, source, (0,), (0,), (0,))] == [1, 2, 3]
    assert int(value(sandbox, source, 0)) == 1


def test_each_call_gets_fresh_copies_and_changed_inputs_are_told(sandbox):
    source = "def f(x, y, W):\n    x += 1\n    W['a'][0] = 7\n    return x"
    x, W = np.zeros(2), {"a": np.zeros(2)}
    for outcome in answers(sandbox, source, (x, 1.0, W), (x, 1.0, W)):
        assert outcome.value.tolist() == [1.0, 1.0]
        assert outcome.changed_inputs == ("#0", "#2")
    assert not x.any() and not W["a"].any()


def test_a_call_that_overwrites_the_last_answer_is_told(sandbox):
    source = "kept = np.zeros(2)\ndef f(x):\n    kept[:] = x\n    return {'a': [kept]}"
    assert [o.overwrote for o in answers(sandbox, source, (1.0,), (2.0,), (2.0,))] == [False, True, False]
    source = "def f(x):\n    return np.full(2, x)"
    assert not any(o.overwrote for o in answers(sandbox, source, (1.0,), (2.0,)))


def test_an_answer_that_refuses_to_be_copied_does_no_harm(sandbox):
    source = """
    class Mine(np.ndarray):
        def copy(self, *a): raise KeyboardInterrupt
    def f(x):
        return np.ones(2).view(Mine)
    """
    first, second = answers(sandbox, source, (1.0,), (2.0,))
    assert first.value.tolist() == second.value.tolist() == [1.0, 1.0]
    assert not second.overwrote


def test_prints_and_warnings_are_kept_per_call(sandbox):
    source = "def f(x):\n    print('x is', x)\n    return np.log(np.array(x))"
    first, second = answers(sandbox, source, (0.0,), (1.0,))
    assert first.printed == "x is 0.0\n" and "divide by zero" in first.complaints
    assert second.printed == "x is 1.0\n" and second.complaints == ""


def test_what_can_be_called_is_found_and_nothing_else(sandbox):
    with sandbox.session(["import numpy as np\ndef f(): pass\ng = lambda: 1\nh = 3"]) as session:
        assert [session.call(name, [()])[0].error for name in "fg"] == [None, None]
        assert session.call("h", [()])[0].error.kind == "missing"


def test_leftover_calls_of_the_notebook_do_no_harm(sandbox):
    source = "def f(x): return x\ncheck(f)\nhint(f, 2)\ndisplay(f)"
    with sandbox.session([source]) as session:
        assert session.call("f", [(1,)])[0].error is None
        assert session.cell_errors == []


def test_random_numbers_are_the_same_in_every_session(sandbox):
    source = "import random\ndef f(x): return [np.random.normal(), random.random(), hash('x')]"
    first, second = value(sandbox, source), value(sandbox, source)
    assert [float(x) for x in first] == [float(x) for x in second]


def test_dataclasses_and_future_annotations_work(sandbox):
    source = """
    from __future__ import annotations
    from dataclasses import dataclass
    @dataclass
    class Cell:
        size: Undefined = 3
    def f(x: AlsoUndefined) -> Nothing: return Cell().size
    """
    assert int(value(sandbox, source)) == 3


def test_usage_is_known_after_the_session(sandbox):
    with sandbox.session(["x = 0\nfor i in range(10**6): x += i\ndef f(): pass"]) as session:
        session.run_cells()
    assert 0.005 < session.usage.cpu_seconds < 1
    assert session.usage.max_rss_bytes > 1 << 20
    assert not session.alive
