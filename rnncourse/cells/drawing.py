"""Pictures of cells as SVG: one step, the same step over a sentence, and both with the arrows turned round.

Everything comes from the description in `rnncourse.cells.graph`. What is written on the way back is handed in
by whoever may say it (`Back`): nothing here knows a derivative.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from rnncourse.cells.back import Back
from rnncourse.cells.graph import Cell, cell_named
from rnncourse.cells.layout import SMALL, WHOLE, Place, places, width
from rnncourse.cells.look import TIP, look, themes
from rnncourse.cells.markup import as_words
from rnncourse.cells.parts import step, written
from rnncourse.figures import ShownFigure

MARGIN = 80.0


def draw_cell(
    name: str, title: str = "", *, back: Back | None = None, shapes: bool = True, theme: str = "light"
) -> ShownFigure:
    """One step of a cell, every operation in its place.

    Args:
        name: "simple", "gated", "lstm", "lstm with biases" or "gru".
        title: a line above the picture.
        back: what is written on the way back; with it the arrows are turned.
        shapes: write the shapes of matrices, input and states.
        theme: "light" or "dark".

    Raises:
        ValueError: there is no such cell.
    """
    cell = cell_named(name)
    at = places(cell, x0=MARGIN)
    parts = step(cell, at, WHOLE, shapes=shapes, back=back)
    alt = alt_of(cell, back=back)
    wide = width(cell) + 2 * MARGIN
    return ShownFigure(_page(parts, _top(at), wide, WHOLE.height, title, alt, theme), alt)


def drawn_step(cell: Cell, back: Back | None = None, values: Mapping[str, str] | None = None) -> str:
    """One step as SVG with room for values.

    Args:
        cell: the description.
        back: as for `draw_cell`.
        values: node -> text to write there; without it the places are empty, and the colours are left to
            whoever shows the drawing.
    """
    margin = MARGIN if back else 62.0
    at = places(cell, x0=margin)
    parts = step(cell, at, WHOLE, back=back, values=values or {})
    wide = width(cell) + 2 * margin
    title = f"{cell.title}, {'backward' if back else 'forward'}"
    theme = "light" if values is not None else ""
    return _page(parts, _top(at), wide, WHOLE.height, "", title, theme)


def _top(at: Mapping[str, Place]) -> float:
    """Where a picture begins: above its highest part and what is written there."""
    return min(place.y - place.half_height for place in at.values() if place.shape != "end") - 34


def draw_chain(
    name: str,
    words: Sequence[str] = ("the", "film", "was"),
    title: str = "",
    *,
    back: Back | None = None,
    theme: str = "light",
) -> ShownFigure:
    """The same cell at every word of a sentence, each step handing its states to the next.

    Args:
        name: as for `draw_cell`.
        words: the sentence; three to six words fit.
        title: a line above the picture.
        back: as for `draw_cell`; every shared matrix then collects its sum over the positions.
        theme: "light" or "dark".

    Raises:
        ValueError: there is no such cell, or no word.
    """
    cell = cell_named(name)
    if not words:
        raise ValueError("draw_chain(name, words): at least one word")
    step_width = width(cell, small=True)
    top = _top(places(cell, small=True))
    parts = []
    for t, word in enumerate(words, start=1):
        at = places(cell, small=True, x0=MARGIN + (t - 1) * step_width)
        ends = _names_of(cell, t, len(words))
        parts += step(cell, at, SMALL, names=ends, back=back, word=word)
        if t < len(words):
            x = MARGIN + t * step_width
            parts.append(f'<line class="seam" x1="{x}" y1="{top}" x2="{x}" y2="{SMALL.height}"/>')
    height = SMALL.height
    if back:
        parts += _collector(len(words), step_width)
        height += 80
    wide = len(words) * step_width + 2 * MARGIN
    alt = alt_of(cell, words, back)
    return ShownFigure(_page(parts, top, wide, height, title, alt, theme), alt)


def _names_of(cell: Cell, t: int, T: int) -> dict[str, str]:
    """What stands at the ends of step t of T: states by number, and no name twice at a seam."""
    names = {
        node.name: node.symbol.replace("_t", f"_{t}")
        for node in cell.nodes
        if node.name == "x_t" or (node.kind in ("sigmoid", "tanh") and node.name != "s_t")
    }
    for out, into in cell.carried.items():
        letter = cell[out].symbol[0]
        names[into] = f"{letter}_0" if t == 1 else ""
        names[out] = f"{letter}_{t}" if t == T else ""
    return names


def _collector(T: int, step_width: float) -> list[str]:
    """Under a chain backward: every shared matrix collects what each position gives it."""
    y = SMALL.height + 44
    x0, x1 = MARGIN, MARGIN + T * step_width
    terms = [f"dW_{t}" for t in range(1, T + 1)] if T <= 5 else ["dW_1", "…", f"dW_{T}"]
    parts = [
        f'<rect class="collector" x="{x0:.1f}" y="{y - 24:.1f}" width="{x1 - x0:.1f}" height="50" rx="6"/>',
        written("symbol", (x0 + x1) / 2, y + 9, 22, "dW = " + " + ".join(terms)),
    ]
    for t in range(T):
        x = x0 + (t + 1) * step_width - 16
        top = SMALL.levels["input rail"] + 16
        parts.append(
            f'<g class="wire"><path class="line dashed" stroke-width="2.4" '
            f'd="M{x:.1f} {top} L{x:.1f} {y - 24:.1f}" marker-end="url(#tip)"/></g>'
        )
        parts.append(written("name", x - 8, y - 30, 20, f"dW_{t + 1}", "end"))
    return parts


def alt_of(cell: Cell, words: Sequence[str] = (), back: Back | None = None) -> str:
    """What a person who cannot see the picture reads, made from the description."""
    formulas = "; ".join(as_words(formula.text) for formula in cell.formulas)
    carried = " and ".join(as_words(cell[into].symbol) for into in cell.carried.values())
    if words:
        said = ", ".join(f"“{word}”" for word in words)
        begin = f"The same step of {cell.title}, once for each of the words {said}, with the same weights. "
        handed = " and ".join(cell[out].symbol[0] for out in cell.carried)
        then = f"Each step hands {handed} to the next. In each: {formulas}."
        if back:
            then = (
                f"The arrows run backward, from the last word to the first, along {handed}; where a value "
                "was copied, gradients are added, and each weight's gradient is the sum over all positions."
            )
        return begin + then
    begin = f"One step of {cell.title} as a graph. "
    if back:
        factors = "; ".join(
            f"from {_called(cell, target)} to {_called(cell, source)} it is multiplied by {as_words(text)}"
            for (source, target), text in back.factors.items()
        )
        return begin + f"The arrows run backward. Where a value was copied, gradients are added; {factors}."
    return begin + f"{carried} come from the left, x_t from below. {formulas}."


def _called(cell: Cell, name: str) -> str:
    return as_words(cell[name].symbol) or name.replace("_", " ")


def _page(
    parts: Sequence[str], top: float, wide: float, bottom: float, title: str, alt: str, theme: str
) -> str:
    head = written("title", wide / 2, top - 8, 26, title) if title else ""
    top -= 46 if title else 0
    style = f"<style>{look()}.cell{{{themes()[theme]}}}</style>" if theme else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cell" role="img" width="{wide:.0f}" '
        f'height="{bottom - top:.0f}" viewBox="0 {top:.0f} {wide:.0f} {bottom - top:.0f}">'
        f"<title>{html.escape(title or alt.partition('.')[0])}</title><desc>{html.escape(alt)}</desc>"
        f"{style}<defs>{TIP}</defs>"
        f'<rect x="0" y="{top:.0f}" width="100%" height="100%" fill="var(--paper)"/>'
        f"{head}{''.join(parts)}</svg>"
    )
