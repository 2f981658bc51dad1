"""How these tests ask: one function of one cell, called in a session of its own."""

import textwrap
from dataclasses import replace

from autograder.sandbox import Limits

SMALL = Limits(
    memory_bytes=256 << 20,
    cell_seconds=1.0,
    call_seconds=3.0,  # a machine that stands still for a second fails no test
    cpu_seconds=1,
    open_files=32,
    output_bytes=1000,
    frame_bytes=1 << 20,
    tmp_bytes=1 << 20,
    standin_calls=50,
)
HASTY = replace(SMALL, call_seconds=0.5)  # for what never ends


def cell(text):
    return textwrap.dedent(text)


def answers(sandbox, source, *batch, function="f", **kwargs):
    """The outcomes of calling a function of one cell in a session of its own."""
    with sandbox.session(["import numpy as np", cell(source)]) as session:
        return session.call(function, batch or [(1.0,)], **kwargs)


def answer(sandbox, source, *arguments, **kwargs):
    return answers(sandbox, source, arguments or (1.0,), **kwargs)[0]


def value(sandbox, source, *arguments):
    outcome = answer(sandbox, source, *arguments)
    assert outcome.error is None, outcome.error
    return outcome.value


def error(sandbox, source, *arguments):
    outcome = answer(sandbox, source, *arguments)
    assert outcome.error is not None and outcome.value is None, outcome
    return outcome.error


def still_works(sandbox):
    """A session right after an attack is none the worse for it."""
    assert value(sandbox, "def f(x): return x * np.ones(2)", 3.0).tolist() == [3.0, 3.0]
