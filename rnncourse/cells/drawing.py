"""Pictures of cells as SVG: one step, the same step over a sentence, and both with the arrows turned round.

Everything comes from the description in `rnncourse.cells.graph`. What is written on the way back is handed in
by whoever may say it (`Back`): nothing here knows a derivative.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnncourse.cells.graph import SIGNS, Cell, Formula, Node, cell_named
from rnncourse.cells.layout import SMALL, WHOLE, Place, Skeleton, Wire, places, width, wires
from rnncourse.cells.markup import as_svg, as_words, pieces

# Light and dark, each with a contrast of 4.5 or more against its own paper.
THEMES = {
    "light": {
        "paper": "#ffffff", "ink": "#16181d", "quiet": "#565c66", "wire": "#3a3f47", "box": "#f3f5f8",
        "memory": "#0068a5", "visible": "#ad4300", "forget": "#00795a", "gate": "#00795a",
        "input": "#8a5a00", "output": "#94417a", "reset": "#94417a", "candidate": "#b03030",
    },
    "dark": {
        "paper": "#16181d", "ink": "#f2f3f5", "quiet": "#b4bac4", "wire": "#c9ced6", "box": "#262b33",
        "memory": "#6cbcf5", "visible": "#ff9d66", "forget": "#45cfa3", "gate": "#45cfa3",
        "input": "#eeb64a", "output": "#e6a2cd", "reset": "#e6a2cd", "candidate": "#ff9a9a",
    },
}  # fmt: skip
ROLES = ("memory", "visible", "forget", "gate", "input", "output", "reset", "candidate")
MARGIN = 80.0
# Memory and visible state are told apart by their lines too, not by colour alone.
THICK = {"memory": 5.0, "visible": 3.6}
THIN = 2.4


@dataclass(frozen=True)
class Back:
    """What is written on the way back; the notebook that lets it be found hands it in.

    Attributes:
        arrives: node -> name of the gradient of its value ("dh_t").
        factors: (from, to), a wire of the step -> what the gradient is multiplied by on its way back on it.
        collects: key of `W` -> what its box collects.
        equations: the gradient of every quantity, with its number in the notebooks.
        rules: the same for the explorer's numbers, as a piece of JavaScript.
        compute: the same in Python: (cell, W, xs, start, arriving) -> an object with `grads`.
    """

    arrives: Mapping[str, str] = field(default_factory=dict)
    factors: Mapping[tuple[str, str], str] = field(default_factory=dict)
    collects: Mapping[str, str] = field(default_factory=dict)
    equations: Sequence[Formula] = ()
    rules: str = ""
    compute: Callable[..., Any] | None = None


class Drawing:
    """A picture as SVG, with a text alternative; the last value of a cell shows it."""

    def __init__(self, svg: str, alt: str):
        self.svg, self.alt = svg, alt

    def save(self, path: str | Path) -> Path:
        """Write the picture to a file of its own, to print, to project or to cite.

        Args:
            path: where it goes, "lstm.svg".
        """
        path = Path(path)
        path.write_text(self.svg, "utf-8")
        return path

    def _repr_html_(self) -> str:
        return image(self.svg, self.alt)

    def __repr__(self) -> str:
        return f"[figure: {self.alt}]"


def image(svg: str, alt: str) -> str:
    """An SVG as an `<img>`, which a notebook shows even before it trusts its outputs."""
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<img alt="{html.escape(alt, quote=True)}" style="max-width:100%" '
        f'src="data:image/svg+xml;base64,{data}">'
    )


def draw_cell(
    name: str, title: str = "", *, back: Back | None = None, shapes: bool = True, theme: str = "light"
) -> Drawing:
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
    parts = step(cell, at, wires(cell, at), WHOLE, shapes=shapes, back=back)
    alt = alt_of(cell, back=back)
    wide = width(cell) + 2 * MARGIN
    return Drawing(_page(parts, _top(at), wide, WHOLE.height, title, alt, theme), alt)


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
    parts = step(cell, at, wires(cell, at), WHOLE, back=back, slots=True)
    wide = width(cell) + 2 * margin
    for name, text in (values or {}).items():
        empty = f'data-value="{name}"'
        parts = [
            part.replace("></text>", f">{html.escape(text)}</text>") if empty in part else part
            for part in parts
        ]
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
) -> Drawing:
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
    parts = []
    for t, word in enumerate(words, start=1):
        at = places(cell, small=True, x0=MARGIN + (t - 1) * step_width)
        ends = _names_of(cell, t, len(words))
        parts += step(cell, at, wires(cell, at, small=True), SMALL, names=ends, back=back, word=word)
        if t < len(words):
            x = MARGIN + t * step_width
            parts.append(f'<line class="seam" x1="{x}" y1="{_top(at)}" x2="{x}" y2="{SMALL.height}"/>')
    height = SMALL.height
    if back:
        parts += _collector(len(words), step_width)
        height += 80
    wide = len(words) * step_width + 2 * MARGIN
    alt = alt_of(cell, words, back)
    top = _top(places(cell, small=True))
    return Drawing(_page(parts, top, wide, height, title, alt, theme), alt)


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


def step(
    cell: Cell,
    at: Mapping[str, Place],
    ways: Sequence[Wire],
    skeleton: Skeleton,
    *,
    names: Mapping[str, str] | None = None,
    shapes: bool = False,
    back: Back | None = None,
    word: str = "",
    slots: bool = False,
) -> list[str]:
    """The SVG of one step: wires first, then what they join, then what is written.

    Args:
        cell: the description.
        at: places of its nodes.
        ways: its wires.
        skeleton: measures of this view.
        names: node -> what is written at an input or output in place of its symbol.
        shapes: write shapes.
        back: what is written on the way back; with it arrows are turned.
        word: what stands under the input.
        slots: leave room for values; `<text data-value="f_t">` stands where each is to be written.
    """
    names = names or {}
    parts = [_wire(cell, wire, names, back is not None) for wire in ways]
    dots = [(place.x, place.y) for place in at.values() if place.shape == "dot"]
    for x, y in dots + _branches(cell, ways):
        parts.append(_joint(x, y, back is not None))
    for name, place in at.items():
        parts.append(_shape(cell[name], place, skeleton, shapes, back, slots))
        parts.append(_label(cell[name], place, skeleton, names, shapes, back))
    if word:
        x, y = at["x_t"].x, at["x_t"].y
        parts.append(
            f'<text class="word" x="{x:.1f}" y="{y + 40:.1f}" font-size="{0.86 * skeleton.text:.1f}" '
            f'text-anchor="middle">{html.escape(word)}</text>'
        )
    if back and skeleton is WHOLE:
        parts += [_factor(cell, wire, back) for wire in ways]
    if slots:
        parts += [_slot(cell, cell[name], place, back) for name, place in at.items()]
    return [part for part in parts if part]


def _branches(cell: Cell, ways: Sequence[Wire]) -> list[tuple[float, float]]:
    """Where a wire leaves a rail on which another goes on."""
    found = []
    for wire in ways:
        if cell[wire.source].rail and len(wire.turns) > 2:
            x, y = wire.turns[-2]
            if any(_passes(other, x, y) for other in ways if other.source == wire.source):
                found.append((x, y))
    return found


def _passes(wire: Wire, x: float, y: float) -> bool:
    """Whether a wire runs through a point, and not only ends a stretch there."""
    return any(
        abs(y0 - y) < 0.5 and abs(y1 - y) < 0.5 and min(x0, x1) + 1 < x < max(x0, x1) - 1
        for (x0, y0), (x1, y1) in zip(wire.turns, wire.turns[1:], strict=False)
    )


def _wire(cell: Cell, wire: Wire, names: Mapping[str, str], back: bool) -> str:
    source, target = cell[wire.source], cell[wire.target]
    is_state = target.kind == "output" or (source.role in THICK and source.kind not in ("sigmoid", "tanh"))
    role = target.role if target.kind == "output" else source.role
    thick = THICK.get(role, THIN) if is_state else THIN
    turns = wire.turns[::-1] if back else wire.turns
    path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in turns)
    end = source if back else target
    # At a dot, and at a seam where the next step goes on, nothing ends.
    goes_on = end.kind == "copy" or names.get(end.name) == ""
    tip = "" if goes_on else ' marker-end="url(#tip)"'
    return (
        f'<g class="wire {role}" data-wire="{wire.source}&gt;{wire.target}"><path class="halo" d="{path}"/>'
        f'<path class="line" stroke-width="{thick}" d="{path}"{tip}/></g>'
    )


def _joint(x: float, y: float, back: bool) -> str:
    """Where a value is copied: a dot. On the way back gradients are added there: a small plus."""
    if not back:
        return f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="5.5"/>'
    r = 9.0
    return (
        f'<g class="joint"><circle cx="{x:.1f}" cy="{y:.1f}" r="{r}"/>'
        f'<path d="M{x - 5:.1f} {y:.1f} h10 M{x:.1f} {y - 5:.1f} v10"/></g>'
    )


def _shape(node: Node, place: Place, skeleton: Skeleton, shapes: bool, back: Back | None, slots: bool) -> str:
    if place.shape in ("end", "dot"):
        return ""
    x, y, w, h = place.x, place.y, place.half_width, place.half_height
    kind = f"{place.shape} {node.role}".strip()
    if place.shape == "circle":
        outline = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{w:.1f}"/>'
    else:
        round_ = 4 if place.shape == "box" else h
        size = f'width="{2 * w:.1f}" height="{2 * h:.1f}" rx="{round_:.1f}"'
        outline = f'<rect x="{x - w:.1f}" y="{y - h:.1f}" {size}/>'
    inside = _inside(node, place, skeleton, shapes, back, slots)
    return f'<g class="node {kind}" data-node="{node.name}">{outline}{inside}</g>'


def _inside(
    node: Node, place: Place, skeleton: Skeleton, shapes: bool, back: Back | None, slots: bool
) -> str:
    x, y = place.x, place.y
    size = skeleton.text
    if place.shape == "circle":
        # On the way back a sum hands the same gradient to all that were added.
        kind = "split" if back and node.kind == "sum" else node.kind
        return _sign(kind, x, y, 0.52 * place.half_width)
    if node.kind != "product":
        text = SIGNS[node.kind]
        if back:
            text = "× (−1)" if node.kind == "one_minus" else f"{text}′"
            size = 0.8 * size if node.kind == "one_minus" and skeleton is SMALL else size
        rise = 10 if slots and not back and node.at[1] == "squash" else 0
        return _text("sign", x, y + 0.34 * size - rise, size, text)
    below = ""
    if back:
        below = back.collects.get(node.weight, "")
    elif shapes:
        below = f"(H, {'D' if node.weight.endswith('x') else 'H'})"
    symbol = node.symbol + ("^⊤" if back else "")
    if not below:
        return _text("symbol", x, y + (2 if slots else 0.34 * size), size, symbol)
    return _text("symbol", x, y + 2, size, symbol) + _text("small", x, y + 21, 19, below)


def _sign(kind: str, x: float, y: float, r: float) -> str:
    if kind == "sum":
        return f'<path class="sign" d="M{x - r:.1f} {y:.1f} h{2 * r:.1f} M{x:.1f} {y - r:.1f} v{2 * r:.1f}"/>'
    if kind == "split":  # one line in, two out
        return (
            f'<path class="sign" d="M{x:.1f} {y - r:.1f} v{0.7 * r:.1f} M{x - r:.1f} {y + r:.1f} L{x:.1f} '
            f'{y - 0.3 * r:.1f} L{x + r:.1f} {y + r:.1f}"/>'
        )
    return f'<circle class="inner" cx="{x:.1f}" cy="{y:.1f}" r="{0.42 * r:.1f}"/>'


def _text(kind: str, x: float, y: float, size: float, text: str, anchor: str = "middle") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" font-size="{size:.1f}" text-anchor="{anchor}">'
        f"{as_svg(text, size)}</text>"
    )


def _label(
    node: Node,
    place: Place,
    skeleton: Skeleton,
    names: Mapping[str, str],
    shapes: bool,
    back: Back | None,
) -> str:
    """The name of a value, beside what gives it."""
    if skeleton is SMALL:
        return _small_label(node, place, names, back)
    text = back.arrives.get(node.name, "") if back else node.symbol
    kind, x, y, size = f"name {node.role}".strip(), place.x, place.y, skeleton.text
    if place.shape == "end":
        shape = f"({node.size}, N)" if shapes and not back else ""
        return _end_label(node, x, y, size, text, shape)
    if node.kind == "sum" and node.bias and not back:
        return _text("name", x + 24, y - 12, 0.84 * size, f"+ b^{node.bias[0]}", "start")
    if node.kind == "sum" and node.at[1] == "sums" and back:
        more = _text("small", x + 24, y - 12, 17, back.collects.get(node.bias, ""), "start")
        return _text(kind, x - 22, y - 12, 0.84 * size, text, "end") + more
    if node.kind in ("sigmoid", "tanh") and node.at[1] == "squash" and (back or node.name != "s_t"):
        # Back, the right side belongs to the factor.
        dx, anchor = (-10, "end") if back else (10, "start")
        return _text(kind, x + dx, y - place.half_height - 12, size, text, anchor)
    if back and node.kind == "sum":
        return _text(kind, x + 24, y - 14, size, text, "start")
    return ""


def _end_label(node: Node, x: float, y: float, size: float, text: str, shape: str = "") -> str:
    """The name of what comes in or goes out, and its shape."""
    kind = f"name {node.role}".strip()
    if not text:
        return ""
    if node.at[1] == "bottom":
        behind = _text("small", x + 26, y + 12, 18, shape, "start") if shape else ""
        return _text(kind, x, y + 18, size, text) + behind
    anchor, gap = ("start", 6) if node.kind == "output" else ("end", -6)
    under = _text("small", x + gap, y + 33, 18, shape, anchor) if shape else ""
    return _text(kind, x + gap, y + 0.3 * size, size, text, anchor) + under


def _small_label(node: Node, place: Place, names: Mapping[str, str], back: Back | None) -> str:
    size = SMALL.text
    text = names.get(node.name, "")
    if back and text:
        text = f"d{text}"
    if place.shape == "end":
        return _end_label(node, place.x, place.y, size, text)
    if node.at[1] == "squash" and node.kind in ("sigmoid", "tanh") and text:
        x, y = place.x + 6, place.y - place.half_height - 8
        return _text(f"name {node.role}", x, y, size, text, "start")
    return ""


def _factor(cell: Cell, wire: Wire, back: Back) -> str:
    """What a gradient is multiplied by on a wire, written where it sets out."""
    text = back.factors.get((wire.source, wire.target), "")
    (x0, y0), (x1, y1) = wire.turns[-1], wire.turns[-2]
    if not text:
        return ""
    if abs(x1 - x0) > abs(y1 - y0):  # above a level wire, at its beginning
        half = min(abs(x1 - x0) / 2, 60)
        return _text("factor", x0 + (half if x1 > x0 else -half), y0 - 9, 20, text)
    down = min(21.0, 0.75 * abs(y1 - y0)) if y1 > y0 else -9.0
    if cell[wire.target].side < 0:
        return _text("factor", x0 - 10, y0 + down, 20, text, "end")
    return _text("factor", x0 + 10, y0 + down, 20, text, "start")


def _slot(cell: Cell, node: Node, place: Place, back: Back | None) -> str:
    """Where a value, or on the way back its gradient, is written; nowhere for what only hands on."""
    x, y = place.x, place.y
    if node.kind in {"output", "input"}:
        # Where a copy turns down at once, there is room above only.
        is_narrow = (
            node.at[1] == "rail" and node.kind == "input" and cell.readers(node.name)[0].kind == "copy"
        )
        above = -13 if is_narrow else 26
        spot = (x - 4, y + 26, "end") if node.kind == "output" else (x + 10, y + above, "start")
        if node.at[1] == "bottom":
            spot = (x + 30, y + 17, "start")
    elif node.kind == "sum" and node.at[1] == "sums":
        spot = (x, y + 38, "middle")
    elif node.kind == "sum":
        name = back.arrives.get(node.name, "") if back else ""
        spot = (x + 24 + _wide(name), y - 13, "start")
    elif node.kind in ("sigmoid", "tanh") and node.at[1] == "squash":
        spot = (x, y + 22, "middle")
        if back:
            spot = (x - 18 - _wide(back.arrives[node.name]), y - place.half_height - 12, "end")
    elif node.kind == "times" and node.side:
        spot = (x - 26, y + 6, "end")
    elif back or node.kind == "copy":
        return ""
    elif node.kind == "product":
        spot = (x, y + 22, "middle")
    elif node.kind == "times":
        spot = (x + 24, y - 13, "start")
    else:
        spot = (x + place.half_width + 7, y + 6, "start")
    return (
        f'<text class="value" data-value="{node.name}" x="{spot[0]:.1f}" y="{spot[1]:.1f}" '
        f'text-anchor="{spot[2]}" font-size="19"></text>'
    )


def _wide(text: str) -> float:
    """About how wide a name is."""
    return sum(len(part) * WHOLE.text * (0.46 if kind else 0.62) for kind, part in pieces(text))


def _collector(T: int, step_width: float) -> list[str]:
    """Under a chain backward: every shared matrix collects what each position gives it."""
    y = SMALL.height + 44
    x0, x1 = MARGIN, MARGIN + T * step_width
    terms = [f"dW_{t}" for t in range(1, T + 1)] if T <= 5 else ["dW_1", "…", f"dW_{T}"]
    parts = [
        f'<rect class="collector" x="{x0:.1f}" y="{y - 24:.1f}" width="{x1 - x0:.1f}" height="50" rx="6"/>',
        _text("symbol", (x0 + x1) / 2, y + 9, 22, "dW = " + " + ".join(terms)),
    ]
    for t in range(T):
        x = x0 + (t + 1) * step_width - 16
        top = SMALL.levels["input rail"] + 16
        parts.append(
            f'<g class="wire"><path class="line dashed" stroke-width="2.4" '
            f'd="M{x:.1f} {top} L{x:.1f} {y - 24:.1f}" marker-end="url(#tip)"/></g>'
        )
        parts.append(_text("name", x - 8, y - 30, 20, f"dW_{t + 1}", "end"))
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


def themes() -> dict[str, str]:
    """The colours of each theme, as declarations of variables."""
    return {
        theme: "".join(f"--{name}:{colour};" for name, colour in colours.items())
        for theme, colours in THEMES.items()
    }


def look() -> str:
    """The look of all parts; colours are variables."""
    roles = "".join(
        f".cell .node.{r}>rect,.cell .node.{r}>circle:first-child{{stroke:var(--{r})}}"
        f".cell .wire.{r} .line{{stroke:var(--{r})}}.cell .name.{r}{{fill:var(--{r})}}"
        for r in ROLES
    )
    return (
        ".cell text{font-family:'Segoe UI',system-ui,'DejaVu Sans',sans-serif;fill:var(--ink)}"
        ".cell .name,.cell .symbol,.cell .factor{font-family:'STIX Two Text','Cambria','DejaVu Serif',serif;"
        "font-style:italic}.cell .upright{font-style:normal}"
        ".cell .name{font-weight:600}.cell .small,.cell .word{fill:var(--quiet)}"
        ".cell .name,.cell .factor,.cell .small{paint-order:stroke;"
        "stroke:var(--paper);stroke-width:5;stroke-linejoin:round}"
        ".cell .box .small{stroke:none}"
        ".cell .value{font-variant-numeric:tabular-nums;paint-order:stroke;stroke:var(--paper);"
        "stroke-width:4;stroke-linejoin:round}.cell .node .value{stroke:none}"
        ".cell .halo{fill:none;stroke:var(--paper);stroke-width:10}"
        ".cell .line{fill:none;stroke:var(--wire);stroke-linejoin:round}"
        ".cell .dashed{stroke-dasharray:7 5}"
        ".cell .tip{fill:context-stroke}"
        ".cell .node>rect,.cell .node>circle:first-child{fill:var(--box);stroke:var(--ink);stroke-width:2.4}"
        ".cell path.sign{fill:none;stroke:var(--ink);stroke-width:2.6}"
        ".cell .inner{fill:var(--ink)}"
        ".cell .dot{fill:var(--wire)}.cell .joint circle{fill:var(--paper);stroke:var(--wire);stroke-width:2}"
        ".cell .joint path{stroke:var(--ink);stroke-width:2}"
        ".cell .seam{stroke:var(--quiet);stroke-width:1.4;stroke-dasharray:3 6}"
        ".cell .collector{fill:var(--box);stroke:var(--ink);stroke-width:2}"
    ) + roles


# `context-stroke` lets one arrowhead take the colour of each line.
TIP = (
    '<marker id="tip" viewBox="0 0 12 12" refX="11" refY="6" markerWidth="13" markerHeight="13" '
    'markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0.6 L12 6 L0 11.4 z"/></marker>'
)


def _page(
    parts: Sequence[str], top: float, wide: float, bottom: float, title: str, alt: str, theme: str
) -> str:
    head = _text("title", wide / 2, top - 8, 26, title) if title else ""
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
