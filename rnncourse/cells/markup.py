"""Symbols in the course's small markup (`h_{t-1}`, `W^{f,h}`), as SVG, as HTML and as plain words."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

_PART = re.compile(r"([_^])(?:\{([^}]*)\}|(\S))")
SMALLER = 0.78


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """("", text), ("_", index) or ("^", exponent), in order."""
    position = 0
    for found in _PART.finditer(text):
        if found.start() > position:
            yield "", text[position : found.start()]
        yield found[1], (found[2] or found[3]).replace("-", "−")
        position = found.end()
    if position < len(text):
        yield "", text[position:]


def as_svg(text: str, size: float) -> str:
    """`<tspan>`s of a `<text>`; an index under an exponent stands behind it."""
    made, shift = [], 0.0
    for kind, part in pieces(text):
        level = {"": 0.0, "_": 0.26 * size, "^": -0.36 * size}[kind]
        fine = f' font-size="{SMALLER * size:.1f}"' if kind else ""
        move = f' dy="{level - shift:.1f}"' if level != shift else ""
        shift = level
        style = "" if kind and part[0].isdigit() else _style(part)
        made.append(f"<tspan{move}{fine}{style}>{html.escape(part)}</tspan>")
    return "".join(made)


def _style(part: str) -> str:
    return ' class="upright"' if "tanh" in part else ""


def as_html(text: str) -> str:
    """`<sub>` and `<sup>`."""
    tags = {"_": "sub", "^": "sup"}
    return "".join(
        f"<{tags[kind]}>{html.escape(part)}</{tags[kind]}>" if kind else html.escape(part)
        for kind, part in pieces(text)
    )


def as_words(text: str) -> str:
    """For a text alternative: c_t−1, W^f,h."""
    return "".join(kind + part for kind, part in pieces(text))
