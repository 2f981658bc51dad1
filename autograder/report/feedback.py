"""A judgement in words: plain text for a terminal, HTML for a notebook and for feedback pages.

Everything that comes from a student is escaped in HTML and bounded in length.
"""

from __future__ import annotations

import html
import re
from typing import Any

from autograder.record import Check, Judgement, Record
from autograder.report.sentences import sentence

MOST_PRINTED = 1500


def headline(judgement: Judgement) -> str:
    """One line: what came of it."""
    if judgement.status == "unanswered":
        return f"{judgement.name}: not answered yet"
    if judgement.status == "right":
        return f"{judgement.name}: right"
    passed = sum(check.passed for check in judgement.checks)
    return f"{judgement.name}: not right yet ({passed} of {len(judgement.checks)} checks pass)"


def lines(judgement: Judgement) -> list[tuple[str, str]]:
    """The judgement as (kind, text): kinds are "pass", "fail", "likely", "hint", "note", "printed"."""
    found: list[tuple[str, str]] = []
    if judgement.status == "unanswered":
        return found
    ordinary = [check for check in judgement.checks if not check.is_edge]
    edges = [check for check in judgement.checks if check.is_edge]
    found += _check_lines(ordinary)
    failed = [check.name for check in edges if not check.passed]
    if failed and not all(check.passed for check in ordinary):
        # What is wrong in general is wrong at the edges too: naming them is enough.
        found += _check_lines([check for check in edges if check.passed])
        found.append(("fail", f"in special cases too: {'; '.join(failed)}"))
    else:
        found += _check_lines(edges)
    for diagnosis in judgement.diagnoses:
        where = f" (it explains {diagnosis.where})" if diagnosis.where else ""
        found.append(("likely", f"{diagnosis.name}{where}"))
        if diagnosis.hint:
            found.append(("hint", diagnosis.hint))
    found += [("note", note) for note in judgement.notes]
    if judgement.printed:
        found.append(("printed", judgement.printed[:MOST_PRINTED]))
    return found


def _check_lines(checks: list[Check]) -> list[tuple[str, str]]:
    """One line a check; failed ones of which the same is to be said share a line."""
    found: list[tuple[str, str]] = []
    failed: dict[str, list[str]] = {}
    for check in checks:
        message = sentence(check.finding)
        if check.passed:
            found.append(("pass", f"{check.name}: {message}" if message else check.name))
        else:
            failed.setdefault(message, []).append(check.name)
    return found + [("fail", f"{', '.join(names)}: {message}") for message, names in failed.items()]


LABELS = {
    "pass": "ok     ",
    "fail": "WRONG  ",
    "likely": "Likely mistake: ",
    "hint": "Hint: ",
    "note": "Note: ",
    "printed": "It printed:\n",
}
MARKS = {"pass": "✓", "fail": "✗"}
COLOURS = {"right": "#009E73", "wrong": "#D55E00", "unanswered": "#0072B2"}


def as_text(judgement: Judgement) -> str:
    """The judgement for a terminal, readable without colour."""
    body = [f"  {LABELS[kind]}{text}" for kind, text in lines(judgement)]
    return "\n".join([headline(judgement), *body])


def as_html(judgement: Judgement, extra: str = "") -> str:
    """The judgement as a piece of HTML without scripts.

    Args:
        judgement: what to show.
        extra: HTML of ours to put at the end (the hints).
    """
    rows = []
    for kind, text in lines(judgement):
        shown = code_marks(text)
        if kind in MARKS:
            colour = COLOURS["right" if kind == "pass" else "wrong"]
            rows.append(
                f'<div><span style="color:{colour};font-weight:bold" '
                f'aria-label="{"passed" if kind == "pass" else "failed"}">{MARKS[kind]}</span> {shown}</div>'
            )
        elif kind == "printed":
            rows.append(
                f'<details><summary>What it printed</summary><pre style="white-space:pre-wrap">'
                f"{html.escape(text)}</pre></details>"
            )
        else:
            label = LABELS[kind].strip()
            rows.append(f'<div style="margin-top:.3em"><b>{label}</b> {shown}</div>')
    colour = COLOURS[judgement.status]
    return (
        f'<div style="border-left:5px solid {colour};padding:.4em .9em;margin:.2em 0;line-height:1.5">'
        f'<div style="font-weight:bold">{html.escape(headline(judgement))}</div>'
        f"{''.join(rows)}{extra}</div>"
    )


def as_json(record: Record) -> dict[str, Any]:
    """A record as `--json` writes it: what each check found is a `message`."""
    data = record.as_json()
    for mark, exercise in zip(record.marks, data["exercises"], strict=True):
        exercise["checks"] = [
            {
                "name": check.name,
                "passed": check.passed,
                "message": sentence(check.finding),
                "is_edge": check.is_edge,
            }
            for check in mark.judgement.checks
        ]
    return data


def code_marks(text: str) -> str:
    """Escape a text, and show what stands in backticks as code."""
    return re.sub(r"`([^`\n]*)`", r"<code>\1</code>", html.escape(text))


def inert(markdown: str) -> str:
    """A student's Markdown that makes no HTML element and no link wherever it is rendered.

    A zero-width space behind `<` and between the halves of a link keeps the text as it looks.
    """
    without_tags = re.sub(r"<(?=[A-Za-z/!?])", "<\u200b", markdown)
    return re.sub(r"\](?=[(\[:])", "]\u200b", without_tags)


def hints_html(hints: tuple[str, ...]) -> str:
    """The three hints, folded away."""
    titles = ("the idea", "the shapes", "the first line")
    return "".join(
        f'<details style="margin-top:.2em"><summary>Hint {i}: {title}</summary>'
        f'<div style="margin-left:1.2em">{code_marks(hint)}</div></details>'
        for i, (title, hint) in enumerate(zip(titles, hints, strict=True), start=1)
    )
