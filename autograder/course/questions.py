"""Questions that a student answers by typing: `guess("03.2", larger="the second")`, `recall(...)`.

A cell of a master holds the right values; the release holds three dots in their places. What was typed is
read as literals and never run. This module knows nothing of what is said about an answer.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.errors import CourseError

ASKING = ("guess", "recall")
GIVING_UP = "show_derivation"
CHOICES = "choices"
ARRAYS = ("np.array", "np.asarray", "array")
# A word, a number, an order of a few: what is longer is no answer to such a question.
MOST_TYPED = 200
# Whoever says 0.98 where it is 1 may say 0.02 where it is 0.
NEAR_0 = 0.02
# Whoever chooses "reset" means "the reset".
ARTICLE = re.compile(r"^(?:the|an?) ")
# A text has "−4" and "step t - 1" where a keyboard has "-4" and "step t-1".
DASHES = str.maketrans("−–‐‑", "----")
SIGN = re.compile(r" ?([-+=]) ?")
THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?")


@dataclass(frozen=True)
class Question:
    """A question of a notebook.

    Args:
        number: "03.2", as it stands in the call.
        kind: "guess" or "recall".
        answers: what is so, by the name of each part.
        choices: what may be typed, empty where anything may; by the names of the parts where they differ. Of
            a list, what each of its entries may be.
    """

    number: str
    kind: str
    answers: dict[str, Any]
    choices: tuple[Any, ...] | dict[str, tuple[Any, ...]] = ()


def read_question(source: str, kind: str, place: str) -> Question:
    """The question in a master's cell.

    Raises:
        CourseError: the cell is not one call with literals.
    """
    call = _asking_call(source)
    if call is None or _name(call) != kind:
        raise CourseError(f'{place}: a {kind} is one call, {kind}("03.2", larger="the second")')
    try:
        values = _values(call)
        number = ast.literal_eval(call.args[0])
    except (ValueError, IndexError):
        raise CourseError(
            f"{place}: a {kind} has its number first, then literals by name: {ast.unparse(call)}"
        ) from None
    choices = values.pop(CHOICES, ())
    choices = choices if isinstance(choices, dict) else tuple(choices)
    if isinstance(choices, dict) and (odd := sorted(choices.keys() - values.keys())):
        raise CourseError(f"{place}: {kind} {number!r}: choices for {odd[0]!r}, which it does not ask for")
    wrong = [
        name
        for name, value in values.items()
        if (of := choices_of(choices, name)) and any(part not in of for part in parts_of(value))
    ]
    if not values or wrong or not isinstance(number, str):
        why = f"{wrong[0]!r} is none of its choices" if wrong else "it asks for nothing"
        raise CourseError(f"{place}: {kind} {number!r}: {why}")
    return Question(number, kind, values, choices)


def choices_of(choices: Any, part: str) -> Sequence[Any]:
    """What may be typed for one part of a question, nothing where anything may."""
    return choices.get(part, ()) if isinstance(choices, dict) else choices


def parts_of(value: Any) -> Sequence[Any]:
    """The entries of a list; of anything else it alone."""
    return value if isinstance(value, list | tuple) else (value,)


def as_asked(typed: Any, so: Any) -> Any:
    """A typed answer in the form that is asked for, where it can be read so.

    NumPy's arrays and numbers become Python's; a text becomes the list of texts that it spells: "D, H",
    "(D, H)", and "ifco" where each text is one letter; or the list of numbers, "(16, 8)". A row, a column and
    a list of one entry lose brackets. A text that is a number (it is compared to its last digit) may be
    typed as one, or with commas.
    """
    if hasattr(typed, "tolist"):
        typed = typed.tolist()
    of_several = isinstance(so, list | tuple)
    if isinstance(typed, list | tuple) and len(typed) == 1:
        is_row = of_several and len(so) > 1 and isinstance(typed[0], list | tuple)
        if is_row or not of_several:
            return as_asked(typed[0], so)
    if not of_several:
        if not isinstance(so, str) or not _is_number(so) or isinstance(typed, bool):
            return typed
        return _as_text(typed) if isinstance(typed, int | float | str) else typed
    if isinstance(typed, list | tuple) and len(typed) == len(so):
        return [as_asked(one, other) for one, other in zip(typed, so, strict=True)]
    if not isinstance(typed, str):
        return typed
    words = re.findall(r"[^\s,;()\[\]{}'\"]+", typed)
    if all(isinstance(part, str) for part in so):
        letters = len(words) == 1 and len(words[0]) == len(so) and all(len(part) == 1 for part in so)
        return list(words[0]) if letters else words
    if all(type(part) in (int, float) for part in so) and words and all(map(_is_number, words)):
        return [float(word) for word in words]
    return typed


def blank(source: str) -> str:
    """The cell of a question with three dots in the places of its answers; comments and layout stay."""
    call = _asking_call(source)
    lines = source.split("\n")
    values = [keyword.value for keyword in (call.keywords if call else []) if keyword.arg != CHOICES]
    for value in reversed(values):
        first, last = value.lineno - 1, (value.end_lineno or value.lineno) - 1
        # Columns of a syntax tree count bytes.
        before = lines[first].encode()[: value.col_offset].decode()
        after = lines[last].encode()[value.end_col_offset :].decode()
        lines[first : last + 1] = [f"{before}...{after}"]
    return "\n".join(lines)


def typed_answers(source: str) -> tuple[str, dict[str, Any]] | None:
    """What was typed into a question's cell: its number and the answered parts, or None where it is none."""
    call = _asking_call(source)
    if call is None or not call.args:
        return None
    number = _literal(call.args[0])
    if not isinstance(number, str):
        return None
    found = {k.arg: _literal(k.value) for k in call.keywords if k.arg and k.arg != CHOICES}
    return number, {name: value for name, value in found.items() if value is not None}


def given_up(source: str) -> str:
    """The exercise whose derivation a cell asks to be shown, "" where it asks for none."""
    for statement in _statements(source):
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call) and _name(call) == GIVING_UP and call.args:
            asked = call.args[0]
            return asked.id if isinstance(asked, ast.Name) else str(_literal(asked) or "")
    return ""


def same_answer(typed: Any, so: Any) -> bool:
    """Whether a typed answer is what is so: words whatever their case or article, numbers nearly."""
    if isinstance(so, bool) or isinstance(typed, bool):
        return typed is so
    if isinstance(so, int | float) and isinstance(typed, int | float):
        return abs(typed - so) <= (0.05 * abs(so) or NEAR_0)
    if isinstance(so, str) and isinstance(typed, int | float):
        # A choice that is a number may be typed without its quotes.
        return _is_number(so) and abs(float(so) - typed) <= 1e-9 * abs(typed)
    if isinstance(so, str) and isinstance(typed, str):
        if _is_number(so) and _is_number(typed):
            return same_answer(float(typed), so)
        return _words(typed) == _words(so)
    if isinstance(so, list | tuple) and isinstance(typed, list | tuple):
        return len(so) == len(typed) and all(same_answer(a, b) for a, b in zip(typed, so, strict=True))
    return typed == so


def _words(text: str) -> str:
    plain = " ".join(text.translate(DASHES).split()).casefold()
    return SIGN.sub(r"\1", ARTICLE.sub("", plain))


def _as_text(number: float | str) -> str:
    """A number as a text; one that is typed as a text loses the commas between its thousands."""
    text = str(number).strip()
    return text.replace(",", "") if THOUSANDS.fullmatch(text) else text


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False


def _asking_call(source: str) -> ast.Call | None:
    """The one call of `guess` or `recall` that a cell consists of."""
    statements = _statements(source)
    value = statements[0].value if len(statements) == 1 and isinstance(statements[0], ast.Expr) else None
    return value if isinstance(value, ast.Call) and _name(value) in ASKING else None


def _statements(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _values(call: ast.Call) -> dict[str, Any]:
    return {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}


def _literal(node: ast.expr) -> Any:
    """A short literal's value, or that of `np.array` of one; None for the three dots, and for all else."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ARRAYS and len(node.args) == 1:
        node = node.args[0]
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    return _plain(value) if len(repr(value)) <= MOST_TYPED else None


def _plain(value: Any) -> Any:
    """A value that JSON can hold, with lists for tuples; None where it is of no such kind."""
    if isinstance(value, list | tuple):
        parts = [_plain(part) for part in value]
        return None if None in parts else parts
    return value if _is_plain(value) else None


def _is_plain(value: Any) -> bool:
    finite = not isinstance(value, float) or abs(value) < float("inf")
    return isinstance(value, bool | int | float | str) and finite


def by_number(questions: Iterable[Question], place: str) -> dict[str, Question]:
    """Questions by their numbers.

    Raises:
        CourseError: two have the same.
    """
    found: dict[str, Question] = {}
    for question in questions:
        if question.number in found:
            raise CourseError(f"{place}: question {question.number!r} stands twice")
        found[question.number] = question
    return found
