"""Makes the trusted side itself labour, hoard or stumble: its parser, its reader, its tables."""

from attacks.kit import ALL, REST, STEP, Attack, right, step

LINE = "grader"


def source(name: str, text: str) -> Attack:
    """A cell of one's own with a text that is hard to parse; the answers are right."""
    return Attack(name, ALL, own=("rnn_step rnn_forward rnn_step_backward\n" + text,))


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
    Attack("megabytes_from_every_call", REST, step("return np.zeros((3, 2, 10**6))")),
    Attack("shapes_that_multiply", REST, step("return [np.zeros((1, 1, 1, 10**5))] * 60")),
    Attack("parts_without_end", REST, step("return [[np.zeros(1)] * 90] * 90")),
    Attack("numbers_at_the_edge_of_floats", REST, step("return np.array([[1.7e308, -1.7e308], [5e-324, np.nan], [np.inf, -0.0]])")),
    Attack("a_gradient_of_megabytes", ALL - 5, {"rnn_step_backward": "def rnn_step_backward(*a):\n    return tuple(np.zeros(10**6) for _ in range(3))"}),
    Attack("a_forward_of_megabytes_for_the_gradient", REST - 5, {STEP: "def rnn_step(x_t, s_prev, W):\n    return np.zeros((3, 2, 10**6))", "rnn_step_backward": "def rnn_step_backward(*a):\n    return a[1], a[2], a[4]"}),
]  # fmt: skip
