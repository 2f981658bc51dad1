"""Where everything of a cell stands, and the way of every wire: the skeleton that all cells grow from.

Two views of one description: the whole step, with every product and sum, and the small one, in which a
network is one box, for chains. Units are pixels of a drawing at its natural size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rnncourse.cells.graph import Cell, Node

Point = tuple[float, float]


@dataclass(frozen=True)
class Skeleton:
    """The measures of a view.

    Attributes:
        column: distance of two networks.
        beside: how far the products of a network stand from its middle.
        levels: name of a level -> height, downwards.
        box: half width and half height of a box.
        circle: radius of a sum or an entry-by-entry product.
        height: of the drawing.
        text: size of letters; indices are smaller.
    """

    column: float
    beside: float
    levels: dict[str, float]
    box: Point
    circle: float
    height: float
    text: float


# The levels from the top to the bottom, and the height of each in both views.
LEVELS = ("rail", "upper", "middle", "squash", "sums", "products", "state rail", "input rail", "bottom")
WHOLE = Skeleton(
    column=230,
    beside=57,
    levels=dict(zip(LEVELS, (52, 112, 166, 246, 320, 392, 452, 486, 530), strict=True)),
    box=(53, 28),
    circle=19,
    height=568,
    text=25,
)
SMALL = Skeleton(
    column=88,
    beside=14,
    levels=dict(zip(LEVELS, (44, 84, 122, 184, 184, 184, 244, 272, 318), strict=True)),
    box=(33, 19),
    circle=13,
    height=378,
    text=22,
)


@dataclass(frozen=True)
class Place:
    """The middle of a node, half of its width and height, and its shape: box, round, circle, dot or end."""

    x: float
    y: float
    half_width: float
    half_height: float
    shape: str


@dataclass(frozen=True)
class Wire:
    """One wire, from the edge of what gives to the edge of what reads; `turns` are its corners and ends."""

    source: str
    target: str
    turns: tuple[Point, ...]


SHAPES = {
    "input": "end",
    "output": "end",
    "copy": "dot",
    "product": "box",
    "sigmoid": "round",
    "tanh": "round",
    "one_minus": "round",
    "sum": "circle",
    "times": "circle",
}
DOT = 5.5


def visible_name(cell: Cell, name: str, small: bool) -> str:
    """The box in which a node is drawn: in the small view, products and sums are in their network's."""
    return cell[name].group if small and cell[name].group else name


def places(cell: Cell, small: bool = False, x0: float = 0.0) -> dict[str, Place]:
    """The place of every node that is drawn.

    Args:
        cell: the description.
        small: networks as one box.
        x0: where the left edge of the cell is.
    """
    skeleton = SMALL if small else WHOLE
    found = {}
    for node in cell.nodes:
        if visible_name(cell, node.name, small) != node.name:
            continue
        x = x0 + (node.at[0] - cell.first_column) * skeleton.column
        x += node.side * skeleton.beside
        half = _half_size(node, skeleton)
        found[node.name] = Place(x, skeleton.levels[node.at[1]], *half, SHAPES[node.kind])
    return found


def _half_size(node: Node, skeleton: Skeleton) -> Point:
    shape = SHAPES[node.kind]
    width, height = skeleton.box
    if shape == "box" or node.kind == "sigmoid":
        return width, height
    if node.kind in ("tanh", "one_minus"):
        return width, height if node.at[1] == "squash" else 0.72 * height
    radius = {"circle": skeleton.circle, "dot": DOT, "end": 0.0}[shape]
    return radius, radius


def width(cell: Cell, small: bool = False) -> float:
    """How wide one step is, from the edge where it reads to the edge where it hands on."""
    return (cell.last_column - cell.first_column) * (SMALL if small else WHOLE).column


def wires(cell: Cell, at: Mapping[str, Place], small: bool = False) -> list[Wire]:
    """The way of every wire that is drawn; rails first, what crosses them afterwards."""
    skeleton = SMALL if small else WHOLE
    drawn: dict[tuple[str, str], Wire] = {}
    for source, target in cell.wires:
        ends = visible_name(cell, source, small), visible_name(cell, target, small)
        if ends[0] == ends[1] or ends in drawn:
            continue
        turns = _turns(cell, cell[source], cell[target], at[ends[0]], at[ends[1]], skeleton)
        drawn[ends] = Wire(*ends, tuple(_trimmed(turns, at[ends[0]], at[ends[1]])))
    return sorted(drawn.values(), key=lambda wire: cell[wire.source].rail == "input rail")


def _turns(cell: Cell, source: Node, target: Node, a: Place, b: Place, skeleton: Skeleton) -> list[Point]:
    """Corners from middle to middle."""
    bx = b.x
    if skeleton is SMALL and target.kind == "product":
        # State and input enter a small box side by side.
        bx += skeleton.beside if target.side > 0 else -skeleton.beside
    if source.kind == "copy" and source.rail and target.kind == "product":
        rail = skeleton.levels[source.rail]
        return [(a.x, a.y), (a.x, rail), (bx, rail), (bx, b.y)]
    route = target.route if target.kind == "output" else source.route
    if route == "hv":
        return [(a.x, a.y), (bx, a.y), (bx, b.y)]
    if route == "hvh":
        aside = (a.x + a.half_width + b.x) / 2
        return [(a.x, a.y), (aside, a.y), (aside, b.y), (b.x, b.y)]
    return [(a.x, a.y), (a.x, b.y), (b.x, b.y)]


def _trimmed(turns: list[Point], a: Place, b: Place) -> list[Point]:
    """Without corners that are none, and from edge to edge."""
    points = [turns[0]]
    for point in turns[1:]:
        if abs(point[0] - points[-1][0]) + abs(point[1] - points[-1][1]) > 0.5:
            points.append(point)
    kept = [points[0]]
    for before, point, after in zip(points, points[1:], points[2:], strict=False):
        level = abs(before[1] - point[1]) < 0.5 and abs(point[1] - after[1]) < 0.5
        upright = abs(before[0] - point[0]) < 0.5 and abs(point[0] - after[0]) < 0.5
        if not (level or upright):
            kept.append(point)
    kept.append(points[-1])
    kept[0] = _edge(kept[0], kept[1], a)
    kept[-1] = _edge(kept[-1], kept[-2], b)
    return kept


def _edge(middle: Point, toward: Point, place: Place) -> Point:
    """Where a wire that runs level or upright leaves a shape."""
    x, y = middle
    if abs(toward[0] - x) > abs(toward[1] - y):
        return x + place.half_width * (1 if toward[0] > x else -1), y
    return x, y + place.half_height * (1 if toward[1] > y else -1)
