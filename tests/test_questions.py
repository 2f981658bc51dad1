"""Questions answered by typing: written in a master, blank in a release, read as literals, never run."""

import numpy as np
import pytest

from autograder.asking import _odd
from autograder.course.questions import (
    as_asked,
    blank,
    choices_of,
    given_up,
    read_question,
    same_answer,
    typed_answers,
)
from autograder.errors import CourseError

CELL = """# Which use counts most? "first" or "last"
guess("02.1", small="last", large="first", choices=("first", "last"))  # keep this"""


def test_a_release_holds_dots_in_the_places_of_the_answers_and_all_else_as_it_was():
    assert blank(CELL) == CELL.replace('"last", large="first"', "..., large=...")


def test_answers_over_several_lines_and_beyond_ascii_are_blanked():
    source = 'guess(\n    "02.2",  # σ\n    größe="δ",\n    order=[\n        "a",\n        "b",\n    ],\n)'
    assert blank(source) == 'guess(\n    "02.2",  # σ\n    größe=...,\n    order=...,\n)'


def test_a_question_says_what_is_so_and_what_may_be_typed():
    question = read_question(CELL, "guess", "here")
    assert question.answers == {"small": "last", "large": "first"}
    assert question.choices == ("first", "last")


def test_each_part_may_have_choices_of_its_own():
    source = 'guess("02.1", a="x", b="y", n=3, choices={"a": ("x", "z"), "b": ("y", "w")})'
    question = read_question(source, "guess", "here")
    assert [choices_of(question.choices, part) for part in "abn"] == [("x", "z"), ("y", "w"), ()]
    assert _odd({"a": "x", "b": "x"}, question.answers, question.choices) == (
        "b: choose one of 'y', 'w'; you wrote 'x'."
    )
    assert _odd({"a": "z", "b": "w", "n": 7}, question.answers, question.choices) is None


@pytest.mark.parametrize(
    ("typed", "so", "read"),
    [
        (np.array([0, 0]), [0, 1], [0, 0]),
        ((np.int64(4), np.float64(0.5)), [4, 0.5], [4, 0.5]),
        ("D, H", ["D", "H"], ["D", "H"]),
        ("(4H, D)", ["4H", "D"], ["4H", "D"]),
        ("ifco", ["i", "f", "c", "o"], ["i", "f", "c", "o"]),
        ("first", ["first", "last"], ["first"]),
        ("D, H", "D, H", "D, H"),
        (np.bool_(False), True, False),
        ([[5], [-1]], [5, -1], [5, -1]),
        (np.array([[5, -1]]), [5, -1], [5, -1]),
        ([7], 7, 7),
        (["last"], ["first", "last"], ["last"]),
        ([["D", "H"]], ["D"], [["D", "H"]]),
        (1024, "1024", "1024"),
        ("1,024", "1024", "1024"),
        ("a, b", "1024", "a, b"),
        (1024, "never", 1024),
    ],
)
def test_an_answer_is_read_in_the_form_that_is_asked_for(typed, so, read):
    assert as_asked(typed, so) == read
    assert type(as_asked(typed, so)) is type(read)


def test_each_entry_of_a_list_is_one_of_its_choices():
    question = read_question('guess("08.4", rows=["i", "f"], choices=("f", "i"))', "guess", "here")
    assert _odd({"rows": ["f", "i"]}, question.answers, question.choices) is None
    said = _odd({"rows": ["f", "g"]}, question.answers, question.choices)
    assert said == "rows: choose each from 'f', 'i'; you wrote ['f', 'g']."
    assert "a list of 2 is asked for" in str(_odd({"rows": ["f"]}, question.answers, question.choices))


def test_what_numpy_makes_of_a_literal_is_read_as_one():
    assert typed_answers('guess("08.11", after=np.array([0, 0]))') == ("08.11", {"after": [0, 0]})


def test_a_choice_that_is_a_number_needs_no_quotes():
    question = read_question('guess("02.1", best="1e-5", choices=("1e-1", "1e-5", "inf"))', "guess", "here")
    assert _odd({"best": 1e-5}, question.answers, question.choices) is None
    assert same_answer(1e-5, "1e-5")
    assert not same_answer(1e-1, "1e-5")
    assert same_answer(as_asked(1e-5, "1e-1"), "1e-5")
    assert "choose one of" in str(_odd({"best": 3}, question.answers, question.choices))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('recall("02.1", a=1)', "a guess is one call"),
        ('guess("02.1", a=x)', "literals by name"),
        ('guess("02.1")', "asks for nothing"),
        ('guess("02.1", a="c", choices=("a", "b"))', "'a' is none of its choices"),
        ('guess("02.1", a="c", choices={"a": ("a", "b")})', "'a' is none of its choices"),
        ('guess("02.1", a="c", choices={"b": ("a", "b")})', "choices for 'b', which it does not ask for"),
        ('guess("02.1", a=1); print()', "a guess is one call"),
    ],
)
def test_a_question_that_is_none_is_refused_with_its_place(source, words):
    with pytest.raises(CourseError, match="here: ") as error:
        read_question(source, "guess", "here")
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("source", "typed"),
    [
        ('guess("02.1", small="last", large=...)', ("02.1", {"small": "last"})),
        ('# mine\nguess("02.1", order=("a", "b"))', ("02.1", {"order": ["a", "b"]})),
        ('guess("02.1", share=-0.5)', ("02.1", {"share": -0.5})),
        ('guess("02.1", small=__import__("os").getcwd())', ("02.1", {})),
        (f'guess("02.1", small="{"x" * 500}")', ("02.1", {})),
        ('guess("02.1", big=1e999)', ("02.1", {})),
        ('guess("02.1", nested=[[1, [2]]])', ("02.1", {"nested": [[1, [2]]]})),
        ('x = guess("02.1", small="last")', None),
        ("guess(", None),
        ("guess()", None),
        ("(" * 500, None),
    ],
)
def test_what_was_typed_is_read_and_never_run(source, typed):
    assert typed_answers(source) == typed


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("show_derivation(rnn_step_backward)", "rnn_step_backward"),
        ('show_derivation("rnn_step_backward")', "rnn_step_backward"),
        ("x = 1\nshow_derivation(rnn_step_backward)", "rnn_step_backward"),
        ("# show_derivation(rnn_step_backward)", ""),
        ("def f():\n    show_derivation(rnn_step)", ""),
    ],
)
def test_a_derivation_given_up_is_the_call_that_stands_there(source, name):
    assert given_up(source) == name


@pytest.mark.parametrize(
    ("typed", "so", "same"),
    [
        ("Last ", "last", True),
        ("first", "last", False),
        (0.63, 0.6312, True),
        (0.5, 0.6312, False),
        (0, 0, True),
        (0.01, 0, True),
        (0.05, 0, False),
        (0.02, 0.01, False),
        (1, True, False),
        (["a", "b"], ("a", "b"), True),
        (["b", "a"], ("a", "b"), False),
        ("3", 3, False),
    ],
)
def test_an_answer_is_what_is_so_up_to_its_case_and_a_twentieth(typed, so, same):
    assert same_answer(typed, so) is same


def test_a_list_of_numbers_may_be_spelled_as_a_text_and_an_article_left_out():
    assert as_asked("(16, 8)", [16, 8]) == [16, 8]
    assert as_asked("sixteen, 8", [16, 8]) == "sixteen, 8"
    assert same_answer("reset", "the reset") and same_answer("The reset", "reset")
    assert not same_answer("the order", "the reset") and not same_answer("a", "the")


@pytest.mark.parametrize(
    ("typed", "so"), [("bias −4", "bias -4"), ("step t-1", "step t - 1"), ("r=0.9", "r = 0.9")]
)
def test_a_choice_may_have_the_minus_of_the_text_and_its_signs_other_blanks(typed, so):
    assert same_answer(typed, so)
    assert not same_answer("bias 4", "bias -4") and not same_answer("step t + 1", "step t - 1")


def test_a_number_that_is_asked_for_to_its_last_digit_needs_no_quotes():
    question = read_question('guess("10.5", sweeps="1024")', "guess", "here")
    for typed in (1024, "1024", "1,024"):
        answers = {"sweeps": as_asked(typed, "1024")}
        assert _odd(answers, question.answers, question.choices) is None
        assert same_answer(answers["sweeps"], "1024")
    assert not same_answer(as_asked(1023, "1024"), "1024")
    assert not same_answer(as_asked("1023", "1024"), "1024")
