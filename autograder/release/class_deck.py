"""How a class did, as slides: the lecture view of a report in the course's own deck, without a name in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import nbformat

from autograder.release.slides import build_slides
from autograder.report.page import ClassReport, environment

# What a slide of 1280 x 720 holds.
MOST_EXERCISES, MOST_MISTAKES, MOST_LINES = 9, 5, 15
MOST_ANSWERS = 10  # lines of what was typed, over several parts
Part = TypeVar("Part")


def write_class_deck(path: Path, report: ClassReport) -> Path:
    """Write the deck of a class: marks, exercises, mistakes, what was expected, wrong answers to talk about.

    Args:
        path: where the page goes.
        report: what is known of the class.

    Raises:
        CourseError: reveal.js and MathJax cannot be had.
    """
    notebook = nbformat.v4.new_notebook(cells=list(_cells(report)))
    return build_slides(notebook, path, report.title)


def _cells(report: ClassReport) -> Iterator[Any]:
    summary = report.summary
    words = f"{summary.students} students, {summary.mean:.1f} of {summary.max_score:g} points on average"
    yield _prose(f"# {report.title}\n\nHow it went: {words}.")
    yield from _slide("Marks", what="marks", summary=summary)
    for found in _parts(list(summary.exercises.values()), MOST_EXERCISES):
        yield from _slide("Exercises", what="exercises", found=found)
    for found in _parts(report.open_misconceptions, MOST_MISTAKES):
        yield from _slide("What many wrote", what="misconceptions", found=found)
    for found in _filled(report.open_said):
        yield from _slide("What you expected", what="expected", found=found)
    for group in report.open_groups:
        yield from _slide(f"What is wrong here? `{group.exercise}`", what="group", found=group)
        lines = group.example.split("\n")
        shown = lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], "    ..."]
        yield _code("\n".join(shown))


def _slide(title: str, **values: Any) -> Iterator[Any]:
    yield _prose(f"## {title}")
    html = environment().get_template("slides.html.j2").render(**values)
    output = nbformat.v4.new_output("display_data", {"text/html": html, "text/plain": title})
    yield nbformat.v4.new_code_cell("", metadata=_at("-"), outputs=[output])


def _prose(text: str) -> Any:
    return nbformat.v4.new_markdown_cell(text, metadata=_at("slide"))


def _code(text: str) -> Any:
    return nbformat.v4.new_code_cell(text, metadata=_at("-"))


def _at(kind: str) -> dict[str, Any]:
    return {"slideshow": {"slide_type": kind}}


def _parts(rows: Sequence[Part], most: int) -> list[Sequence[Part]]:
    return [rows[i : i + most] for i in range(0, len(rows), most)]


def _filled(said: Sequence[Any]) -> list[list[Any]]:
    """Questions in their order, as many on a slide as it has room for."""
    slides: list[list[Any]] = []
    room = 0
    for one in said:
        lines = max(len(one.counts), 1)
        if lines > room:
            slides.append([])
            room = MOST_ANSWERS
        slides[-1].append(one)
        room -= lines
    return slides
