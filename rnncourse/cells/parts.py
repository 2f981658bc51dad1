"""The parts of one step as SVG: wires, what they join, and what is written beside them.

Where a part stands is known to `rnncourse.cells.layout`, what it looks like to `rnncourse.cells.look`.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import hypot

from rnncourse.cells.back import Back
from rnncourse.cells.graph import SIGNS, Cell, Node
from rnncourse.cells.layout import DOT, SMALL, WHOLE, Place, Skeleton, Wire, wires
from rnncourse.cells.markup import as_svg, pieces

# Memory and visible state are told apart by their lines too, not by colour alone.
THICK = {"memory": 5.0, "visible": 3.6}
THIN = 2.4
TIPPED = ' marker-end="url(#tip)"'
# Size of a value's digits, and of those of one that is wider than so many times its size.
VALUE, LONG_VALUE, LONG = 19, 16, 5.3
WIDE = {".": 0.32, " ": 0.32, "−": 0.84, "≈": 0.84}
# Radius of the plus where gradients are added.
PLUS = 9.0


def step(
    cell: Cell,
    at: Mapping[str, Place],
    skeleton: Skeleton,
    *,
    names: Mapping[str, str] | None = None,
    shapes: bool = False,
    back: Back | None = None,
    word: str = "",
    values: Mapping[str, str] | None = None,
) -> list[str]:
    """The SVG of one step: wires first, then what they join, then what is written.

    Args:
        cell: the description.
        at: places of its nodes.
        skeleton: measures of this view.
        names: node -> what is written at an input or output in place of its symbol.
        shapes: write shapes.
        back: what is written on the way back; with it arrows are turned.
        word: what stands under the input.
        values: node -> what is written where its value stands, in a `<text data-value="f_t">`, which is empty
            for nodes that it lacks; without it there are no such places, and no room is left for them.
    """
    names = names or {}
    ways = wires(cell, at, small=skeleton is SMALL)
    dots = [(place.x, place.y) for place in at.values() if place.shape == "dot"]
    joints = dots + _branches(cell, ways)
    parts = [_wire(cell, wire, names, joints if back else None) for wire in ways]
    for x, y in joints:
        parts.append(_joint(x, y, back is not None))
    for name, place in at.items():
        parts.append(_shape(cell[name], place, skeleton, shapes, back, values is not None))
        parts.append(_label(cell[name], place, skeleton, names, shapes, back))
    if word:
        x, y = at["x_t"].x, at["x_t"].y
        parts.append(
            f'<text class="word" x="{x:.1f}" y="{y + 50:.1f}" font-size="{0.86 * skeleton.text:.1f}" '
            f'text-anchor="middle">{html.escape(word)}</text>'
        )
    if back and skeleton is WHOLE:
        parts += [_factor(cell, wire, back) for wire in ways]
    if values is not None:
        parts += [_value(cell, cell[name], place, back, values.get(name, "")) for name, place in at.items()]
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


def _wire(
    cell: Cell, wire: Wire, names: Mapping[str, str], pluses: Sequence[tuple[float, float]] | None
) -> str:
    """A wire; with `pluses`, where gradients are added, it runs back, with a head at each of them."""
    source, target = cell[wire.source], cell[wire.target]
    is_state = target.kind == "output" or (source.role in THICK and source.kind not in ("sigmoid", "tanh"))
    role = target.role if target.kind == "output" else source.role
    thick = THICK.get(role, THIN) if is_state else THIN
    turns = wire.turns if pluses is None else wire.turns[::-1]
    stretches = [list(turns)] if pluses is None else _stretches(turns, pluses)
    end = target if pluses is None else source
    # Forward, nothing ends at a dot, and nowhere at a seam where the next step goes on.
    goes_on = (end.kind == "copy" and pluses is None) or names.get(end.name) == ""
    lines = [
        f'<path class="line" stroke-width="{thick}" d="{_path(stretch)}"'
        f"{'' if goes_on and stretch is stretches[-1] else TIPPED}/>"
        for stretch in stretches
    ]
    return (
        f'<g class="wire {role}" data-wire="{wire.source}&gt;{wire.target}">'
        f'<path class="halo" d="{_path(turns)}"/>{"".join(lines)}</g>'
    )


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _stretches(
    turns: Sequence[tuple[float, float]], pluses: Sequence[tuple[float, float]]
) -> list[list[tuple[float, float]]]:
    """A way in pieces: each ends at the edge of a plus, the last where the way does."""
    pieces = [[turns[0]]]
    for (x0, y0), (x1, y1) in pairwise(turns):
        length = hypot(x1 - x0, y1 - y0)
        along = (x1 - x0) / length, (y1 - y0) / length
        last = (x1, y1) == tuple(turns[-1])
        # A way that ends at a plus ends a little before its middle.
        reach = length + (DOT + 0.5 if last else 0.5)
        found = []
        for x, y in pluses:
            far = (x - x0) * along[0] + (y - y0) * along[1]
            aside = abs((x - x0) * along[1] - (y - y0) * along[0])
            if aside < 0.5 and PLUS < far < reach:
                found.append((far, x, y))
        for _, x, y in sorted(found):
            pieces[-1].append((x - PLUS * along[0], y - PLUS * along[1]))
            pieces.append([(x, y)])
        if not found or max(found)[0] < length - 0.5:
            pieces[-1].append((x1, y1))
    return [piece for piece in pieces if len(piece) > 1]


def _joint(x: float, y: float, back: bool) -> str:
    """Where a value is copied: a dot. On the way back gradients are added there: a small plus."""
    if not back:
        return f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{DOT}"/>'
    return (
        f'<g class="joint"><circle cx="{x:.1f}" cy="{y:.1f}" r="{PLUS}"/>'
        f'<path d="M{x - 5:.1f} {y:.1f} h10 M{x:.1f} {y - 5:.1f} v10"/></g>'
    )


def _shape(
    node: Node, place: Place, skeleton: Skeleton, shapes: bool, back: Back | None, has_value: bool
) -> str:
    if place.shape in ("end", "dot"):
        return ""
    x, y, w, h = place.x, place.y, place.half_width, place.half_height
    kind = f"{place.shape} {node.role}".strip()
    if place.shape == "circle":
        outline = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{w:.1f}"/>'
    else:
        round_ = 4 if place.shape == "box" else min(h, 20)  # a number fits between rounder corners no more
        size = f'width="{2 * w:.1f}" height="{2 * h:.1f}" rx="{round_:.1f}"'
        outline = f'<rect x="{x - w:.1f}" y="{y - h:.1f}" {size}/>'
    inside = _inside(node, place, skeleton, shapes, back, has_value)
    return f'<g class="node {kind}" data-node="{node.name}">{outline}{inside}</g>'


def _inside(
    node: Node, place: Place, skeleton: Skeleton, shapes: bool, back: Back | None, has_value: bool
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
        rise = 12 if has_value and not back and node.at[1] == "squash" else 0
        return written("sign", x, y + 0.34 * size - rise, size, text)
    below = ""
    if back:
        below = back.collects.get(node.weight, "")
    elif shapes:
        below = f"(H, {'D' if node.weight.endswith('x') else 'H'})"
    symbol = node.symbol + ("^⊤" if back else "")
    if not below:
        return written("symbol", x, y + (2 if has_value else 0.34 * size), size, symbol)
    return written("symbol", x, y + 2, size, symbol) + written("small", x, y + 21, 19, below)


def _sign(kind: str, x: float, y: float, r: float) -> str:
    if kind == "sum":
        return f'<path class="sign" d="M{x - r:.1f} {y:.1f} h{2 * r:.1f} M{x:.1f} {y - r:.1f} v{2 * r:.1f}"/>'
    if kind == "split":  # one line in, two out
        return (
            f'<path class="sign" d="M{x:.1f} {y - r:.1f} v{0.7 * r:.1f} M{x - r:.1f} {y + r:.1f} L{x:.1f} '
            f'{y - 0.3 * r:.1f} L{x + r:.1f} {y + r:.1f}"/>'
        )
    return f'<circle class="inner" cx="{x:.1f}" cy="{y:.1f}" r="{0.42 * r:.1f}"/>'


def written(kind: str, x: float, y: float, size: float, text: str, anchor: str = "middle") -> str:
    """Words or a symbol, with the class that says what they are."""
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
        return written("name", x + 24, y - 12, 0.84 * size, f"+ b^{node.bias[0]}", "start")
    if node.kind == "sum" and node.at[1] == "sums" and back:
        # Beside the products: above them stands the factor.
        more = written("small", x + 64, y + 28, 17, back.collects.get(node.bias, ""), "start")
        return written(kind, x - 22, y - 12, 0.84 * size, text, "end") + more
    if node.kind in ("sigmoid", "tanh") and node.at[1] == "squash" and (back or node.name != "s_t"):
        # Back, the right side belongs to the factor.
        dx, anchor = (-10, "end") if back else (10, "start")
        return written(kind, x + dx, y - place.half_height - 12, size, text, anchor)
    if back and node.kind == "sum":
        return written(kind, x + 24, y - 14, size, text, "start")
    return ""


def _end_label(node: Node, x: float, y: float, size: float, text: str, shape: str = "") -> str:
    """The name of what comes in or goes out, and its shape."""
    kind = f"name {node.role}".strip()
    if not text:
        return ""
    if node.at[1] == "bottom":
        behind = written("small", x + 26, y + 18, 18, shape, "start") if shape else ""
        return written(kind, x, y + 24, size, text) + behind
    anchor, gap = ("start", 6) if node.kind == "output" else ("end", -6)
    under = written("small", x + gap, y + 33, 18, shape, anchor) if shape else ""
    return written(kind, x + gap, y + 0.3 * size, size, text, anchor) + under


def _small_label(node: Node, place: Place, names: Mapping[str, str], back: Back | None) -> str:
    size = SMALL.text
    text = names.get(node.name, "")
    if back and text:
        text = f"d{text}"
    if place.shape == "end":
        return _end_label(node, place.x, place.y, size, text)
    if node.at[1] == "squash" and node.kind in ("sigmoid", "tanh") and text:
        x, y = place.x + 6, place.y - place.half_height - 8
        return written(f"name {node.role}", x, y, size, text, "start")
    return ""


def _factor(cell: Cell, wire: Wire, back: Back) -> str:
    """What a gradient is multiplied by on a wire, written where it sets out."""
    text = back.factors.get((wire.source, wire.target), "")
    (x0, y0), (x1, y1) = wire.turns[-1], wire.turns[-2]
    if not text:
        return ""
    if abs(x1 - x0) > abs(y1 - y0):  # above a level wire, at its beginning
        half = min(abs(x1 - x0) / 2, 60)
        size = min(20.0, 20 * abs(x1 - x0) / (0.8 * _wide(text)))  # not wider than a short wire
        return written("factor", x0 + (half if x1 > x0 else -half), y0 - 9, size, text)
    down = min(21.0, 0.75 * abs(y1 - y0)) if y1 > y0 else -9.0
    if cell[wire.target].side < 0:
        return written("factor", x0 - 10, y0 + down, 20, text, "end")
    return written("factor", x0 + 10, y0 + down, 20, text, "start")


def _value(cell: Cell, node: Node, place: Place, back: Back | None, text: str) -> str:
    """A value, or on the way back its gradient, where it is written; nowhere for what only hands on."""
    x, y = place.x, place.y
    if node.kind in {"output", "input"}:
        # Where a copy turns down at once, there is room above only.
        is_narrow = (
            node.at[1] == "rail" and node.kind == "input" and cell.readers(node.name)[0].kind == "copy"
        )
        above = -13 if is_narrow else 26
        spot = (x - 4, y + 26, "end") if node.kind == "output" else (x + 10, y + above, "start")
        if node.at[1] == "bottom":
            spot = (x + 30, y + 23, "start")
    elif node.kind == "sum" and node.at[1] == "sums":
        spot = (x, y + 38, "middle")
    elif node.kind == "sum":
        name = back.arrives.get(node.name, "") if back else ""
        spot = (x + 32 + _wide(name), y - 13, "start")
    elif node.kind in ("sigmoid", "tanh") and node.at[1] == "squash":
        spot = (x, y + 17, "middle")
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
    size = LONG_VALUE if sum(WIDE.get(sign, 0.64) for sign in text) > LONG else VALUE
    return (
        f'<text class="value" data-value="{node.name}" x="{spot[0]:.1f}" y="{spot[1]:.1f}" '
        f'text-anchor="{spot[2]}" font-size="{size}">{html.escape(text)}</text>'
    )


def _wide(text: str) -> float:
    """About how wide a name is."""
    return sum(len(part) * WHOLE.text * (0.46 if kind else 0.62) for kind, part in pieces(text))
