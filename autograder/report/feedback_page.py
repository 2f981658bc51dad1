"""One student's feedback: a page without scripts or network, or a notebook of text; marks as they stand.

Nothing of the student's own work is in it but what the checks quote, escaped.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

from autograder.record import Record
from autograder.report.feedback import as_html, as_text
from autograder.report.standing import Part, Standing

STYLE = (
    'body{font:16px/1.5 system-ui,"DejaVu Sans",sans-serif;color:#111;max-width:900px;margin:2em auto;'
    "padding:0 1em}table{border-collapse:collapse}th{text-align:left}th,td{padding:.3em .9em .3em 0;"
    "border-bottom:1px solid #ddd}td.n,th.n{text-align:right}h2{margin-top:1.6em}"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def _total_of(one: Standing) -> str:
    """The mark in words."""
    if one.score is None:
        return f"{one.state}{f': {one.reason}' if one.reason else ''}"
    off = f" ({one.penalty:g} points off for lateness)" if one.penalty else ""
    waits = f"; {one.state}: {one.reason}" if one.reason else ""
    return f"{one.score:g} of {one.max_score:g} points{off}{waits}"


def _mark_of(part: Part) -> str:
    return "not marked yet" if part.waits and part.manual is None else f"{part.score:g} of {part.max_score:g}"


def feedback_page(
    title: str, one: Standing, record: Record | None, hints: Mapping[str, Sequence[str]]
) -> str:
    """The page, as HTML.

    Args:
        title: the notebook's title, for people.
        one: the marks as they stand.
        record: what the grader found; None where it is not known.
        hints: each exercise's hints.
    """
    found = {mark.name: mark.judgement for mark in record.marks} if record else {}
    row = '<tr><td><code>{}</code></td><td class="n">{}</td></tr>'
    rows = "".join(row.format(html.escape(part.name), _mark_of(part)) for part in one.parts)
    parts = []
    for part in one.parts if one.score is not None else ():
        body = as_html(found[part.name], hints.get(part.name, ())) if part.name in found else ""
        if part.comment:
            body += f"<p><b>Comment:</b> {html.escape(part.comment).replace(chr(10), '<br>')}</p>"
        if body:
            parts.append(f"<h2><code>{html.escape(part.name)}</code>, {_mark_of(part)}</h2>{body}")
    remarks = "".join(f"<p>{html.escape(problem)}</p>" for problem in (record.problems if record else ()))
    who = html.escape(one.name or one.student)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{html.escape(title)}: feedback</title><style>{STYLE}</style></head><body><main>"
        f"<h1>{html.escape(title)}</h1><p>{who}: <b>{html.escape(_total_of(one))}</b></p>"
        f"<table><tr><th>exercise</th><th class=n>points</th></tr>{rows}</table>{remarks}{''.join(parts)}"
        "</main></body></html>\n"
    )


def feedback_notebook(title: str, one: Standing, record: Record | None) -> str:
    """The same as the text of an `.ipynb`, for a system that shows it under the notebook's own name."""
    found = {mark.name: mark.judgement for mark in record.marks} if record else {}
    rows = "\n".join(f"| `{part.name}` | {_mark_of(part)} |" for part in one.parts)
    table = f"\n\n| exercise | points |\n|---|---|\n{rows}" if one.parts else ""
    texts = [f"# Feedback: {title}\n\n{_plain(_total_of(one))}{table}"]
    texts += [_plain(problem) for problem in (record.problems if record else ())]
    for part in one.parts if one.score is not None else ():
        body = _fenced(as_text(found[part.name])) if part.name in found else ""
        if part.comment:
            body += f"\n\nComment:\n\n{_fenced(part.comment)}"
        if body:
            texts.append(f"## `{part.name}`: {_mark_of(part)}\n\n{body.strip()}")
    cells = [
        {
            "cell_type": "markdown",
            "id": sha256(f"{i}{text}".encode("utf-8", "replace")).hexdigest()[:12],
            "metadata": {},
            "source": text,
        }
        for i, text in enumerate(texts)
    ]
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    return json.dumps(notebook, indent=1) + "\n"


def _plain(text: str) -> str:
    """A text in which Markdown finds no element."""
    return html.escape(text).replace("[", "&#91;").replace("`", "&#96;")


def _fenced(text: str) -> str:
    """A text as it is, in a fence longer than any in it."""
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 3)
    return f"{fence}text\n{text}\n{fence}"
