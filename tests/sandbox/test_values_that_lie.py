"""Values are read from their buffer, whatever their class says of them."""

import numpy as np
import pytest

from autograder.answers.outcome import Opaque
from sandbox.calls import value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("np.arange(6.0).reshape(2, 3)[:, ::-1]", [[2, 1, 0], [5, 4, 3]]),
        ("np.array([[1.0, 2.0]]).view(np.matrix)", [[1, 2]]),
        ("np.ma.masked_array([1.0, 2.0], mask=[1, 0])", [1, 2]),
        ("np.array([np.nan, np.inf])", [np.nan, np.inf]),
        ("np.zeros((0, 3))", np.zeros((0, 3))),
        ("Liar([5.0])", None),
        ("np.array([5.0]).view(Sub)", [5.0]),
        ("np.array([object()])", Opaque("array of object")),
        ("np.zeros(1, [('a', float)])", Opaque("array of void64")),
        ("[np.ones(1), [2]]", None),
        ("np.memmap('/tmp/m', float, 'w+', shape=2)", [0, 0]),
    ],
)
def test_values_are_read_from_their_buffer_whatever_they_say(sandbox, expression, expected):
    source = f"""
    class Liar(list):
        __array__ = __eq__ = lambda *a, **k: np.ones(3)
        shape = (3,)
    class Sub(np.ndarray):
        shape = property(lambda self: (9, 9))
        __array_ufunc__ = __array_function__ = __reduce__ = tobytes = copy = None
        def __array_finalize__(self, other): pass
        def view(self, *a): return np.ones(3)
    def f(x): return {expression}
    """
    sent = value(sandbox, source)
    if isinstance(expected, Opaque):
        assert sent == expected
    elif expected is not None:
        assert type(sent) is np.ndarray
        np.testing.assert_array_equal(sent, expected)
