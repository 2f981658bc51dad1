"""The page of answers that are alike, for whoever teaches: pairs side by side, and what it cannot tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.report.page import write_page
from autograder.report.similar import Pair, Piece, Similarity, marked, most_sharing

OWN_CELLS = "cells of their own"
Marked = list[tuple[str, bool]]


@dataclass(frozen=True)
class Beside:
    """One place of a notebook as two students filled it.

    Args:
        place: the exercise, or what the cells are.
        texts: of the one and of the other, in parts, each with whether both have it; no parts: no text.
    """

    place: str
    texts: tuple[Marked, Marked]

    @property
    def is_shared(self) -> bool:
        """Whether anything of it is one of the passages."""
        return any(is_shared for text in self.texts for _, is_shared in text)


@dataclass(frozen=True)
class Shown:
    """A pair as it is shown.

    Args:
        pair: who, and what was found.
        lines: how many lines of the one belong to a passage that both have.
        places: what is to be read side by side.
    """

    pair: Pair
    lines: int
    places: list[Beside]


def write_similar_page(
    path: Path,
    title: str,
    found: Similarity,
    written: Mapping[str, Sequence[Piece]],
    left_out: Mapping[str, str],
    names: Mapping[str, str],
) -> Path:
    """Write the page.

    Args:
        path: where to.
        title: the notebook's title.
        found: the pairs.
        written: student -> what each wrote.
        left_out: student -> why nothing could be compared.
        names: student -> the name for people, where it is known.
    """
    return write_page(
        path,
        "similar.html.j2",
        what="answers that are alike",
        title=title,
        found=found,
        shown=[_shown(pair, written) for pair in found.pairs],
        most=most_sharing(found.students),
        left_out=left_out,
        names=names,
        own_cells=OWN_CELLS,
    )


def _shown(pair: Pair, written: Mapping[str, Sequence[Piece]]) -> Shown:
    both = [{piece.place: piece for piece in written[student]} for student in (pair.one, pair.other)]
    places = []
    for place in sorted({*both[0], *both[1]}, key=lambda place: (place == "", place)):
        one, other = ([] if place not in b else marked(b[place].source, pair.passages) for b in both)
        beside = Beside(place or OWN_CELLS, (one, other))
        if beside.is_shared or place in pair.choices:
            places.append(beside)
    return Shown(pair, sum(_lines(beside.texts[0]) for beside in places), places)


def _lines(text: Marked) -> int:
    """How many lines hold something that both have."""
    found, line = set(), 0
    for part, is_shared in text:
        for i, words in enumerate(part.split("\n")):
            if is_shared and words.strip():
                found.add(line + i)
        line += part.count("\n")
    return len(found)
