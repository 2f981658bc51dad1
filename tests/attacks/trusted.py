"""Makes the trusted side itself labour, hoard or stumble: its parser, its reader, its tables."""

from attacks.kit import ALL, POINTS, REST, STEP, Attack, cell_of, forward, right, step

LINE = "grader"


def source(name: str, text: str) -> Attack:
    """A cell of one's own with a text that is hard to parse; the answers are right."""
    return Attack(name, ALL, own=("rnn_step rnn_forward rnn_step_backward\n" + text,))


def repeated(notebook, name, source, times):
    """A cell of one id, over and over, with another text."""
    cell = {**cell_of(notebook, name), "source": source}
    notebook["cells"] += [{**cell, "id": f"again-{i}"} for i in range(times)]


def outputs(notebook, output, times):
    """An output of the first code cell, over and over."""
    next(c for c in notebook["cells"] if c["cell_type"] == "code")["outputs"] = [output] * times


# A default is computed when the function is defined: such a cell is slow also where only definitions are run.
ENDLESS = "def {name}(x_t, s_prev, W, waits=max(iter(int, 1))):\n    return s_prev"
SLOW = "def slow_{i}(waits=__import__('time').sleep(0.3)):\n    return waits"
# A dependency that is wrong, so that the reference stands in for it, and what it is asked for.
ASKED = {**step("return 0 * s_prev")}


def asks(name: str, body: str) -> Attack:
    """rnn_forward asks the stand-in for rnn_step, again and again, whatever comes of it."""
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    loop = f"def asked():\n{lines}\nfor _ in range(9):\n    try: asked()\n    except ValueError: pass\nreturn 0 * xs"
    return Attack(name, POINTS["rnn_step_backward"], {**ASKED, **forward(loop)})


ATTACKS = [
    source("parse_a_chain_of_signs", "-" * 200_000 + "1"),
    source("parse_a_chain_of_names", "a" + ".a" * 90_000),
    source("parse_a_sum", "1" + "+1" * 90_000),
    source("parse_parentheses", "(" * 200_000),
    source("parse_a_tower_of_ifs", "".join(" " * i + "if 1:\n" for i in range(500)) + " " * 500 + "1"),
    source("parse_lambdas", "lambda: " * 20_000 + "1"),
    source("parse_f_strings", "f'" + "{" * 5000 + "}" * 5000 + "'"),
    source("parse_many_statements", "a\n" * 90_000),
    source("surrogates_and_nulls", "x = '\ud800\x00\ufffe'"),
    Attack("more_code_than_anybody_writes", None, own=("a\n" * 1_100_000,)),
    Attack("more_cells_than_anybody_writes", None, change=lambda n: {**n, "cells": n["cells"] * 200}),
    Attack("answers_cell_hard_to_parse", REST, {STEP: "1" + "+1" * 90_000}),
    Attack("right_and_hard_to_parse", ALL, {STEP: right(STEP) + "\nif 0: x = " + "1" + "+1" * 900}),
    Attack("an_answer_repeated_with_an_endless_default", REST, change=lambda n: repeated(n, STEP, ENDLESS.format(name=STEP), 900)),
    Attack("every_answer_repeated_and_endless", 0, change=lambda n: [repeated(n, name, ENDLESS.format(name=name), 300) for name in POINTS] and None),
    Attack("parts_of_an_answer_that_are_endless", ALL, change=lambda n: repeated(n, STEP, ENDLESS.format(name="part"), 300)),
    Attack("cells_of_ones_own_that_are_endless", ALL, own=tuple(ENDLESS.format(name=f"mine_{i}") for i in range(300))),
    Attack("cells_that_are_slow_and_end_in_time", ALL, own=tuple(SLOW.format(i=i) for i in range(300))),
    Attack("magics_of_blanks", ALL, own=("%%" + " " * 60_000, " " * 60_000 + "%", "?" + " \r" * 20_000 + "x", "=" + " " * 50_000 + "x", ("=" + " " * 50) * 900)),
    Attack("magics_by_the_thousand", ALL, own=("\n".join(f"%time x{i} = {i}" for i in range(9_000)),)),
    Attack("quotes_that_never_end", None, change=lambda n: b'{"cells": [' + b"[" * 100_001 + b'"' + b'\\"' * 5_000_000),
    Attack("a_line_ends_inside_a_text", None, change=lambda n: b"[" * 100_001 + b'"' + b'\\"' * 3_000_000 + b"\\\n"),
    Attack("malformed_outputs_by_the_thousand", ALL, change=lambda n: outputs(n, {}, 30_000), nbgrader=False),
    Attack("outputs_by_the_thousand", ALL, change=lambda n: outputs(n, {"output_type": "stream", "name": "stdout", "text": "x"}, 20_000)),
    asks("the_stand_in_asked_for_lists", "rnn_step([0.0] * 4000, [[0.0]] * 4000, {'ss': 1.0, 'sx': 1.0})"),
    asks("the_stand_in_asked_for_lists_of_arrays", "a = np.zeros(2000)\nrnn_step([a] * 4, [a[:, None]] * 4, {'ss': [a[:, None, None]] * 4, 'sx': [a] * 4})"),
    asks("the_stand_in_asked_for_uneven_lists", "rnn_step([np.zeros(9000), *[0.0] * 9000], s0, W)"),
    asks("the_stand_in_asked_for_long_texts", "rnn_step(['x' * 10**6, *[''] * 9000], s0, W)"),
    asks("the_stand_in_asked_for_many_texts", "rnn_step(['x' * 900, *[''] * 9000], s0, W)"),
    Attack("megabytes_from_every_call", REST, step("return np.zeros((3, 2, 10**6))")),
    Attack("shapes_that_multiply", REST, step("return [np.zeros((1, 1, 1, 10**5))] * 60")),
    Attack("parts_without_end", REST, step("return [[np.zeros(1)] * 90] * 90")),
    Attack("numbers_at_the_edge_of_floats", REST, step("return np.array([[1.7e308, -1.7e308], [5e-324, np.nan], [np.inf, -0.0]])")),
    Attack("a_gradient_of_megabytes", ALL - 5, {"rnn_step_backward": "def rnn_step_backward(*a):\n    return tuple(np.zeros(10**6) for _ in range(3))"}),
    Attack("a_forward_of_megabytes_for_the_gradient", REST - 5, {STEP: "def rnn_step(x_t, s_prev, W):\n    return np.zeros((3, 2, 10**6))", "rnn_step_backward": "def rnn_step_backward(*a):\n    return a[1], a[2], a[4]"}),
]  # fmt: skip
