"""A judgement in words: plain text for a terminal, HTML for a notebook and for feedback pages.

Everything that comes from a student is escaped in HTML and bounded in length.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Sequence
from typing import Any

from autograder.answers.finding import Kind
from autograder.record import VERSION, Check, Diagnosis, Judgement, Record
from autograder.report.sentences import place, right_part, sentence

MOST_PRINTED = 1500
IDEA = ("the idea", "the shapes", "a way to begin")
# Another number of values than asked for, or none: nothing was compared.
OF_THE_RETURN = (
    Kind.NOTHING_RETURNED,
    Kind.TUPLE_OF_ONE,
    Kind.SEVERAL_FOR_ONE,
    Kind.ONE_FOR_SEVERAL,
    Kind.ANOTHER_COUNT,
)


def headline(judgement: Judgement) -> str:
    """One line: what came of it."""
    if judgement.status == "unanswered":
        return f"{judgement.name}: not answered yet"
    if judgement.status == "right":
        return f"{judgement.name}: right"
    passed = sum(check.passed for check in judgement.checks)
    return f"{judgement.name}: not right yet ({passed} of {len(judgement.checks)} checks pass)"


def message_id(judgement: Judgement) -> str:
    """By what a message can be reported, and found again: `fit_line-value-3f2a-0.1.0`.

    Exercise, kind of the first finding, the beginning of a hash of the mistake's name (where one was named),
    and the grader's version.
    """
    found = next((check.finding for check in judgement.checks if check.finding and not check.passed), None)
    name = judgement.misconception
    digest = hashlib.sha256(name.encode()).hexdigest()[:4] if name else ""
    return "-".join(filter(None, [judgement.name, found.kind if found else "", digest, VERSION]))


def lines(judgement: Judgement) -> list[tuple[str, str]]:
    """The judgement as (kind, text): kinds are "likely", "hint", "note", "pass", "fail", "printed"."""
    found: list[tuple[str, str]] = []
    if judgement.status == "unanswered":
        return [("note", note) for note in judgement.notes]
    for diagnosis in judgement.diagnoses:
        found.append(("likely", _likely(diagnosis)))
        if diagnosis.hint:
            found.append(("hint", diagnosis.hint))
    found += [("note", note) for note in judgement.notes]
    ordinary = [check for check in judgement.checks if not check.is_edge]
    edges = [check for check in judgement.checks if check.is_edge]
    found += _check_lines(ordinary)
    failed = [check.name for check in edges if not check.passed]
    if failed and not all(check.passed for check in ordinary):
        # What is wrong in general is wrong at the edges too: naming them is enough.
        found += _check_lines([check for check in edges if check.passed])
        said = (
            "for the same reason in special cases too"
            if _says_no_more(edges, ordinary)
            else "in special cases too"
        )
        found.append(("fail", f"{said}: {'; '.join(failed)}"))
    else:
        found += _check_lines(edges)
    if judgement.printed:
        found.append(("printed", judgement.printed[:MOST_PRINTED]))
    return found


def _says_no_more(edges: Sequence[Check], ordinary: Sequence[Check]) -> bool:
    """Whether no number is wrong at the edges: they fail by what is told of ordinary values already."""
    told = [check.finding.got for check in ordinary if check.finding and check.finding.kind is Kind.WATCHED]
    of_edges = [check.finding for check in edges if not check.passed]
    return all(one and one.kind is Kind.WATCHED and one.got in told for one in of_edges)


def _likely(diagnosis: Diagnosis) -> str:
    where = f" (it explains {diagnosis.where})" if diagnosis.where else ""
    return f"{open_name(diagnosis.name)}{where}"


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
    "likely": "Likely mistake: ",
    "hint": "Hint: ",
    "note": "Note: ",
    "pass": "ok     ",
    "fail": "WRONG  ",
    "printed": "It printed:\n",
}
BOX = "padding:.4em .9em;margin:.2em 0;line-height:1.5"
MARKS = {"pass": "✓", "fail": "✗"}
AS_IT_IS = "tex2jax_ignore mathjax_ignore"  # no formula: an exception's message is the student's
# Dark enough to be read on white, light enough on black.
COLOURS = {"right": "#00835F", "wrong": "#BF5300", "unanswered": "#0072B2"}


def as_text(judgement: Judgement) -> str:
    """The judgement for a terminal, readable without colour."""
    body = [f"  {LABELS[kind]}{text}" for kind, text in lines(judgement)]
    if judgement.status == "wrong":
        body.append(f"  (message {message_id(judgement)})")
    return "\n".join([headline(judgement), *body])


def as_html(judgement: Judgement, hints: Sequence[str] = ()) -> str:
    """The judgement as a piece of HTML without scripts; hints are folded.

    Args:
        judgement: what to show.
        hints: the exercise's three hints.
    """
    rows = []
    folds = [] if judgement.status == "right" else _folds(judgement, hints)
    for kind, text in lines(judgement):
        shown = code_marks(text)
        if kind == "hint":
            continue
        if folds and kind != "likely":
            rows += folds
            folds = []
        if kind in MARKS:
            colour = COLOURS["right" if kind == "pass" else "wrong"]
            rows.append(
                f'<div><span role="img" style="color:{colour};font-weight:bold" '
                f'aria-label="{"passed" if kind == "pass" else "failed"}">{MARKS[kind]}</span> {shown}</div>'
            )
        elif kind == "printed":
            printed = f'<pre style="white-space:pre-wrap">{html.escape(text)}</pre>'
            rows.append(f"<details><summary>What it printed</summary>{printed}</details>")
        else:
            rows.append(f'<div style="margin-top:.3em"><b>{LABELS[kind].strip()}</b> {shown}</div>')
    colour = COLOURS[judgement.status]
    return (
        f'<div class="{AS_IT_IS}" style="border-left:5px solid {colour};{BOX}">'
        f'<div style="font-weight:bold">{html.escape(headline(judgement))}</div>'
        f"{''.join([*rows, *folds])}</div>"
    )


def _folds(judgement: Judgement, hints: Sequence[str]) -> list[str]:
    """Three hints, each folded: of the likely mistake where one was found, else of the exercise."""
    steps: list[tuple[str, str]] = list(zip(IDEA, hints, strict=False))
    if judgement.diagnoses:
        of_mistake = [
            ("where to look", [where_to_look(judgement)]),
            ("a question", [one.hint for one in judgement.diagnoses if one.hint]),
            _last_step(judgement, hints),
        ]
        steps = [(title, "\n".join(texts)) for title, texts in of_mistake if texts]
    if steps:
        title, text = steps[-1]
        report = f"Is something here wrong? Report it as `{message_id(judgement)}`."
        steps[-1] = (title, f"{text}\n{report}")
    return [_fold(i, step) for i, step in enumerate(steps, start=1)]


def _last_step(judgement: Judgement, hints: Sequence[str]) -> tuple[str, list[str]]:
    """The mistake, where the open name keeps something back; or a way to begin, where nothing is right."""
    more = [one for one in judgement.diagnoses if open_name(one.name) != one.name]
    told = [f"The mistake: {_closed(one)}." for one in more]
    if told:
        return "the mistake", told
    outputs = [check for check in judgement.checks if not check.is_edge and check.name.isidentifier()]
    has_begun = any(check.passed for check in outputs)
    return IDEA[2], [] if has_begun else list(hints[2:3])


def _closed(diagnosis: Diagnosis) -> str:
    return f"{diagnosis.name}{f' ({diagnosis.where})' if diagnosis.where else ''}"


def _fold(number: int, step: tuple[str, str]) -> str:
    title, text = step
    body = "<br>".join(_emphasised(line) for line in text.split("\n"))
    return (
        f'<details style="margin-top:.2em"><summary>Hint {number}: {title}</summary>'
        f'<div style="margin-left:1.2em">{body}</div></details>'
    )


def where_to_look(judgement: Judgement) -> str:
    """The place that a wrong answer's checks point to: a line of the cell, an output, a special case."""
    failed = [check for check in judgement.checks if not check.passed]
    # A special case that stops is another matter than ordinary numbers that are wrong.
    for check in [check for check in failed if not check.is_edge] or failed:
        error = check.finding.error if check.finding else None
        if error and error.inside:
            return f"Where your function calls `{error.inside}`: what does it hand over?"
        if error and error.line:
            elsewhere = error.function not in ("", judgement.name)
            cell = f"the cell of `{error.function}`" if elsewhere else "your cell"
            return f"It stopped in line {error.line} of {cell}: `{error.source.strip()}`"
    outputs = [check for check in judgement.checks if not check.is_edge and check.name.isidentifier()]
    wrong = [check for check in outputs if not check.passed]
    names = _listed([f"`{check.name}`" for check in wrong])
    right = _listed([f"`{check.name}`" for check in outputs if check.passed])
    watched = [check.finding for check in wrong if check.finding and check.finding.kind is Kind.WATCHED]
    if watched and len(watched) == len(wrong):
        return f"In this: {sentence(watched[0])}."
    if wrong and right:
        return f"In what makes {names}, and only there. Right: {right}."
    if wrong and all(check.finding and check.finding.kind in OF_THE_RETURN for check in wrong):
        return "In your `return`: of the numbers nothing is known yet."
    if len(wrong) > 1:
        return f"In what {names} share: all of them are wrong."
    if wrong:
        found = wrong[0].finding
        member = f"`{found.leaf}`" if found and found.leaf and found.leaf.key else ""
        told = [f"{member} is the first member that is wrong" if member else ""]
        if found and found.place:
            told += [
                f"{'its' if member else 'the'} first wrong entry is at {place(found)}",
                right_part(found),
            ]
        return ": ".join(filter(None, [f"In what makes {names}", "; ".join(filter(None, told))])) + "."
    changed = [
        f"`{name}`"
        for check in failed
        if check.finding and check.finding.kind is Kind.CHANGED_ARGUMENTS
        for name in check.finding.names
    ]
    if changed and len(failed) == 1:
        return f"Every number is right. Which line of yours writes into {_listed(changed)}?"
    if failed and failed[0].is_edge:
        return f"Ordinary numbers are right. Follow your code line by line for this case: {failed[0].name}."
    return "Everything that your function keeps from one call to the next."


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


# A name that says what belongs in a place, or quotes a formula, would be the answer.
PLACE = r"(?P<place>(?: in `?d\w+(?:\[[^]]*\])?`?| on the (?:way|path|\w+ path)\b.*?)?(?: \(in `\w+`\))?)"
INSTEAD = re.compile(rf"(?P<wrote>.+?) instead of .+?{PLACE}")
BELONGS = re.compile(rf"(?P<wrote>.+?) (?:in place of .+?|where (?!an |one |its ).+? belongs?\b.*?){PLACE}")
SYMBOL = re.compile(r"(?P<wrote>`[^`\w]+`) for `[^`]+`")
FACTOR = re.compile(r"\b(?:the )?factor (?:\([^()]*\)|(?!is\b)\S+)(?= (?:dropped|missing))")
OPERAND = r"(?:`?(?!is\b)[\w.…\[\]\"'²]+`?(?:\([^()]*\))?|\([^()]*\))"
FORMULA = re.compile(rf"\(?{OPERAND}(?:(?: [-+*/@] |\*\*){OPERAND})+\)?|\d [-+*/@](?= )")
REMARK = re.compile(rf" \((?:[^()]* )?(?:{FORMULA.pattern})[^()]*\)(?!,)")


def open_name(name: str) -> str:
    """The name of a mistake as it stands in the open: what was written, and not what belongs there."""
    name = REMARK.sub("", FACTOR.sub("a factor", name))
    if found := INSTEAD.fullmatch(name):
        name = f"{found['wrote']}{found['place']}, which is not what is asked"
    elif found := BELONGS.fullmatch(name):
        name = f"{found['wrote']}, where something else is asked for{found['place']}"
    name = SYMBOL.sub(r"\g<wrote>, where something else is asked for,", name).removesuffix(",")
    parts = [part for part in name.split(": ") if not FORMULA.search(part)]
    opened = FORMULA.sub("…", ": ".join(parts) or name)
    # What is missing would be the answer, and three dots alone say nothing.
    return re.sub(r"^… (?=is missing|dropped)", "a part of a formula ", opened).replace(
        "a factor … ", "a factor "
    )


def as_json(record: Record) -> dict[str, Any]:
    """A record as `--json` writes it: what each check found is a `message`."""
    data = record.as_json()
    for mark, exercise in zip(record.marks, data["exercises"], strict=True):
        exercise.pop("returned", None)  # numbers for the grader alone
        if mark.judgement.status == "wrong":
            exercise["message"] = message_id(mark.judgement)
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


# A word of the course's that is stressed: *last*.
STRESSED = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])")


def _emphasised(text: str) -> str:
    """A hint: as `code_marks` shows it, and what stands between asterisks stressed, but in code."""
    parts = re.split(r"(`[^`\n]*`)", text)
    return "".join(
        code_marks(part) if part.startswith("`") else STRESSED.sub(r"<em>\1</em>", html.escape(part))
        for part in parts
    )


# What MathJax makes links, styles and names of, or fetches such commands for.
TEX_OF_PAGES = re.compile(r"\\(?=(?:href|url|class|cssId|style|require|data|bbox|toggle|mathtip|texttip)\b)")

# What programs make a link of by themselves. One to formgrader itself could let it run any file.
ADDRESS = re.compile(r":(?=//)|\bwww(?=\.)", re.I)


def code_marks(text: str) -> str:
    """Escape a text, and show what stands in backticks as code."""
    return re.sub(r"`([^`\n]*)`", r"<code>\1</code>", html.escape(text))


def inert(markdown: str) -> str:
    """A student's Markdown that makes no HTML element and no link wherever it is rendered, in formulas too.

    A zero-width space behind `<`, between the halves of a link, in an address that stands alone, and in TeX's
    commands for links and styles keeps the text as it looks.
    """
    without_tags = re.sub(r"<(?=[A-Za-z/!?])", "<\u200b", markdown)
    without_tags = TEX_OF_PAGES.sub("\\\\\u200b", without_tags)
    without_tags = ADDRESS.sub("\\g<0>\u200b", without_tags)
    return re.sub(r"\](?=[(\[:])", "]\u200b", without_tags)
