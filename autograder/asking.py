"""What a notebook asks, and what it tells once you have answered or found it.

Answers and derivations stand in the data file beside the notebook, not in its text. No marks hang on them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from autograder.course.questions import CHOICES, as_asked, choices_of, parts_of, same_answer
from autograder.course.told_modules import make_importable
from autograder.errors import CourseError
from autograder.kernel import checks_here, shell, show
from autograder.sheets.frozen import FrozenChecks
from autograder.student_log import remember

# How many axes a shape has, or steps there are, is part of the answer: of a part with one of these in its
# name the length is not told.
OF_ANY_LENGTH = ("shape", "each_step")
# What was answered in this kernel, by the question's number.
_said: dict[str, dict[str, Any]] = {}


def guess(number: str, *nameless: Any, **answers: Any) -> None:
    """Say what you expect before you see it; then what is so is shown beside it, with the reason.

    Args:
        number: the question, "03.2".
        nameless: stays empty: an answer stands behind its name.
        answers: your answers in the places of the three dots: one of the choices, a number, an order, a few
            words. No marks; with the dots still there nothing is told.

    Raises:
        CourseError: the notebook has no such question, or the data file is missing.
    """
    _ask("guess", number, nameless, answers)


def recall(number: str, *nameless: Any, **answers: Any) -> None:
    """Say from memory what an earlier notebook found; then what is so is shown beside it.

    Args and errors: as for `guess`.
    """
    _ask("answer", number, nameless, answers)


def reveal(number: str) -> None:
    """Show what is so beside your answer to a question that was kept until it is measured.

    Args:
        number: the question, "03.2".

    Raises:
        CourseError: the notebook has no such question.
    """
    question = _question(number)
    if number not in _said:
        print(f"Question {number} was not answered since the notebook was started: answer it in its cell.")
        return
    _tell(question, _said[number])


def show_derivation(function: Callable[..., Any] | str) -> None:
    """Show a derivation that you did not find, or want to compare with yours.

    It costs nothing. That you asked is kept for you (`progress()`), and counted for the class where this call
    stands in what you hand in.

    Args:
        function: the function that the exercise asks for, or its name.

    Raises:
        CourseError: the notebook withholds no derivation of that name.
    """
    checks = checks_here()
    name = function if isinstance(function, str) else getattr(function, "__name__", repr(function))
    if name not in checks.told["derivations"]:
        there = ", ".join(checks.told["derivations"]) or "none"
        raise CourseError(f"this notebook keeps back no derivation of {name!r}; there is: {there}")
    remember(checks.assignment, name, "shown")
    tell_derivation(checks, name, with_code=False)


def model_answer(name: str) -> None:
    """Show what a good answer to a written question says, in a self-study build.

    Raises:
        CourseError: this is a course's release, whose written answers an instructor reads; or there is no
            such question.
    """
    answers = checks_here().told.get("written")
    if answers is None:
        raise CourseError("written answers of this course are read by your instructor")
    if name not in answers:
        raise CourseError(f"there is no written question {name!r}; there is: {', '.join(answers)}")
    show(f"**What a good answer says**\n\n{answers[name]}")


def tell_derivation(checks: FrozenChecks, exercise: str, with_code: bool = True) -> None:
    """Show what is found in an exercise, and try its formulas with the notebook's own numbers.

    Args:
        checks: the notebook's.
        exercise: its name.
        with_code: show how they are tried; where the exercise is not solved yet, that is nearly its answer.
    """
    make_importable(checks.told.get("modules", {}))
    kernel = shell()
    namespace = dict(kernel.user_ns) if kernel else {}  # a copy: nothing of it stays in the notebook
    for kind, source in checks.told["derivations"].get(exercise, []):
        if kind == "markdown":
            show(source)
            continue
        if kind == "code" and with_code:
            show(f"```python\n{source}\n```")
        _run(source, exercise, namespace)


def _run(source: str, exercise: str, namespace: dict[str, Any]) -> None:
    """Run a formula's test among the notebook's names and those of tests before it; show its last value."""
    tree = ast.parse(source)
    last = tree.body[-1] if isinstance(tree.body[-1], ast.Expr) else None
    if last:
        tree.body.pop()
    place = f"<found: {exercise}>"
    try:
        exec(compile(tree, place, "exec"), namespace)
        value = eval(compile(ast.Expression(last.value), place, "eval"), namespace) if last else None
    except Exception as error:
        print(
            f"(With the notebook's names as they are this cannot be tried, {error!r}. Run the cells above, "
            "and mend first what a check there calls wrong.)"
        )
        return
    if value is not None and shell():
        from IPython.display import display  # noqa: PLC0415

        display(value)


def _ask(verb: str, number: str, nameless: Sequence[Any], answers: dict[str, Any]) -> None:
    question = _question(number)
    answers.pop(CHOICES, None)
    so: dict[str, Any] = question["answers"]
    if nameless:
        raise CourseError(f"an answer stands behind its name: {', '.join(f'{name}=…' for name in so)}")
    if unknown := sorted(set(answers) - set(so)):
        raise CourseError(f"question {number} asks for {', '.join(so)}, not for {', '.join(unknown)}")
    open_parts = [name for name in so if answers.get(name, ...) is ...]
    if open_parts:
        print(
            f"Your {verb}, please: in place of the dots of {', '.join(open_parts)}. Then run this cell again."
        )
        return
    answers = {name: as_asked(value, so[name]) for name, value in answers.items()}
    if (odd := _odd(answers, so, question["choices"])) is not None:
        print(odd)
        return
    _said[number] = answers
    if question["sealed"]:
        print("Noted. What is so is told further down.")
    else:
        _tell(question, answers)


def _question(number: str) -> dict[str, Any]:
    question = checks_here().told["questions"].get(number)
    if question is None:
        raise CourseError(f"this notebook asks no question {number!r}")
    return question


def _tell(question: dict[str, Any], answers: dict[str, Any]) -> None:
    show(f"{_table(answers, question['answers'])}\n\n{question['reason']}")


def _odd(answers: dict[str, Any], so: dict[str, Any], choices: Any) -> str | None:
    """What to say where an answer is of another kind than what is asked for."""
    for name, value in answers.items():
        mine = choices_of(choices, name)
        of_several = _is_list(so[name])
        is_open = any(word in name for word in OF_ANY_LENGTH)
        kind, given = ("a list" if is_open and _is_list(v) else _kind(v) for v in (so[name], value))
        if (of_several or not mine) and kind != given:
            return f"{name}: {kind} is asked for; you wrote {value!r}."
        if mine and not all(any(same_answer(part, choice) for choice in mine) for part in parts_of(value)):
            each = "choose each from" if of_several else "choose one of"
            return f"{name}: {each} {', '.join(map(repr, mine))}; you wrote {value!r}."
    return None


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "True or False"
    if isinstance(value, int | float):
        return "a number"
    return f"a list of {len(value)}" if _is_list(value) else "a text in quotes"


def _table(answers: dict[str, Any], so: dict[str, Any]) -> str:
    rows = [
        f"| {name.replace('_', ' ')} | {_shown(answers[name])} | {_shown(value)} | "
        f"{'✓' if same_answer(answers[name], value) else ''} |"
        for name, value in so.items()
    ]
    return "\n".join(["| | you said | it is | |", "|---|---|---|---|", *rows])


def _shown(value: Any) -> str:
    if _is_list(value):
        return ", ".join(_shown(part) for part in value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value).replace("|", r"\|").replace("\n", " ")
