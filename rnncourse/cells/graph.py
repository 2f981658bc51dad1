"""The cells of the course as graphs: what a step computes, from what, and where each part stands.

Written once: drawings, values and the step-through explorer all read it. This module draws nothing and
computes nothing, and it knows no way back.

A symbol is written in a small markup of its own: `h_{t-1}`, `W^{f,h}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

SIGNS = {"sigmoid": "σ", "tanh": "tanh", "times": "⊙", "sum": "+", "one_minus": "1 −"}


@dataclass(frozen=True)
class Node:
    """One operation of a step, or one quantity that comes from outside.

    Attributes:
        name: unique in its cell; the value that it gives has the same name.
        kind: "input" (x_t, or a state of the step before), "copy" (one value, several readers), "product"
            (a matrix times its input), "sum", "times" (entry by entry), "sigmoid", "tanh", "one_minus",
            "output" (what the next step reads).
        inputs: names of the nodes that it reads, in order.
        symbol: what the value is called in formulas; empty where it has no name.
        at: column (of a network of its own, from 0; between two is allowed) and level of the skeleton.
        side: -1 left and +1 right of its column's middle, for one of two that share a column.
        weight: key of its matrix in `W`, for a product.
        bias: key of a bias that a sum adds, or empty.
        size: letter of its length: "D" or "H".
        group: the squashing function that it leads to, where both are one box in a small drawing.
        rail: level on which a copy hands its value to the products.
        route: how its wires turn: "vh" leaves upright and arrives level, "hv" the other way round,
            "hvh" steps aside.
        role: what it is for, which gives its colour: "memory", "visible", "forget", "input", "output",
            "gate", "reset", "candidate".
    """

    name: str
    kind: str
    inputs: tuple[str, ...] = ()
    symbol: str = ""
    at: tuple[float, str] = (0, "rail")
    side: float = 0
    weight: str = ""
    bias: str = ""
    size: str = "H"
    group: str = ""
    rail: str = ""
    route: str = "vh"
    role: str = ""


@dataclass(frozen=True)
class Formula:
    """A formula of the step: its number in the notebooks, its words, and the nodes that compute it."""

    number: str
    text: str
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """One step of a recurrent network.

    Attributes:
        name: "simple", "gated", "lstm" or "gru".
        title: what it is called in a sentence.
        nodes: in an order in which they can be computed.
        carried: output node -> input node: what one step hands to the next.
        formulas: in the order of the computation.
        last_column: where its drawing ends on the right, in columns.
        first_column: where it begins on the left.
    """

    name: str
    title: str
    nodes: tuple[Node, ...]
    carried: dict[str, str]
    formulas: tuple[Formula, ...]
    last_column: float
    first_column: float = -0.78
    by_name: dict[str, Node] = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        object.__setattr__(self, "by_name", {node.name: node for node in self.nodes})

    def __getitem__(self, name: str) -> Node:
        return self.by_name[name]

    @property
    def wires(self) -> list[tuple[str, str]]:
        """(from, to), every wire of the step."""
        return [(source, node.name) for node in self.nodes for source in node.inputs]

    @property
    def weights(self) -> dict[str, tuple[str, str]]:
        """Key of `W` -> its shape in letters."""
        shapes = {n.weight: ("H", self[n.inputs[0]].size) for n in self.nodes if n.weight}
        return shapes | {n.bias: ("H", "1") for n in self.nodes if n.bias}

    def readers(self, name: str) -> list[Node]:
        """The nodes that read a value."""
        return [node for node in self.nodes if name in node.inputs]

    def numbered(self, numbers: dict[str, str]) -> Cell:
        """The same cell with other numbers of formulas: usual number -> number in this notebook."""
        return replace(
            self, formulas=tuple(replace(f, number=numbers.get(f.number, f.number)) for f in self.formulas)
        )


def _network(
    key: str,
    state: str,
    reads: tuple[str, str],
    out: Node,
    pre: str,
    bias: bool = False,
    symbol: str = "",
) -> tuple[Node, ...]:
    """Two products, their sum, and `out`, the function that squashes it; its column is theirs."""
    column = out.at[0]
    return (
        Node(
            f"{key}{state}",
            "product",
            (reads[0],),
            f"W^{{{key},{state}}}",
            (column, "products"),
            -1,
            weight=f"{key}{state}",
            group=out.name,
            role=out.role,
        ),
        Node(
            f"{key}x",
            "product",
            (reads[1],),
            f"W^{{{key},x}}",
            (column, "products"),
            +1,
            weight=f"{key}x",
            group=out.name,
            role=out.role,
        ),
        Node(
            pre,
            "sum",
            (f"{key}{state}", f"{key}x"),
            symbol or pre,
            (column, "sums"),
            bias=f"{key}b" if bias else "",
            group=out.name,
            role=out.role,
        ),
        replace(out, inputs=(pre,)),
    )


def _copy_of_input(column: float) -> tuple[Node, Node]:
    return (
        Node("x_t", "input", (), "x_t", (column, "bottom"), size="D"),
        Node("x_copy", "copy", ("x_t",), "x_t", (column, "input rail"), size="D", rail="input rail"),
    )


def _simple() -> Cell:
    tanh = Node("s_t", "tanh", (), "s_t", (0, "squash"), role="candidate")
    return Cell(
        name="simple",
        title="the simple RNN",
        nodes=(
            Node("x_t", "input", (), "x_t", (0, "bottom"), +1, size="D"),
            Node("s_prev", "input", (), "s_{t-1}", (-0.95, "state rail"), route="hv", role="memory"),
            *_network("s", "s", ("s_prev", "x_t"), tanh, "a_t"),
            Node("s_out", "output", ("s_t",), "s_t", (0.95, "state rail"), route="hvh", role="memory"),
        ),
        carried={"s_out": "s_prev"},
        formulas=(
            Formula("1.2", "s_t = tanh(W^{s,s} s_{t-1} + W^{s,x} x_t)", ("ss", "sx", "a_t", "s_t", "s_out")),
        ),
        first_column=-0.95,
        last_column=0.95,
    )


def _gated() -> Cell:
    reads = ("s_copy", "x_copy")
    g = Node("g_t", "sigmoid", (), "g_t", (0, "squash"), role="gate")
    candidate = Node("candidate", "tanh", (), "s̃_t", (1.2, "squash"), role="candidate")
    return Cell(
        name="gated",
        title="the simple gated RNN",
        nodes=(
            Node("s_prev", "input", (), "s_{t-1}", (-1.08, "rail"), role="memory"),
            Node("s_copy", "copy", ("s_prev",), "s_{t-1}", (-0.72, "rail"), rail="state rail", role="memory"),
            *_copy_of_input(0.6),
            *_network("g", "s", reads, g, "z_t"),
            *_network("s", "s", reads, candidate, "a_t"),
            *_mixture(1.2),
            Node("s_out", "output", ("s_t",), "s_t", (1.9, "rail"), role="memory"),
        ),
        carried={"s_out": "s_prev"},
        formulas=(
            Formula("4.1", "g_t = σ(W^{g,s} s_{t-1} + W^{g,x} x_t)", ("gs", "gx", "z_t", "g_t")),
            Formula("4.2", "s̃_t = tanh(W^{s,s} s_{t-1} + W^{s,x} x_t)", ("ss", "sx", "a_t", "candidate")),
            _mixed(),
        ),
        first_column=-1.08,
        last_column=1.9,
    )


def _mixture(column: float) -> tuple[Node, ...]:
    """(1 - g) ⊙ old + g ⊙ candidate: the gate stands in column 0, the candidate in the one given."""
    return (
        Node("g_copy", "copy", ("g_t",), "g_t", (0, "middle"), role="gate"),
        Node("one_minus_g", "one_minus", ("g_copy",), "1 − g_t", (0, "upper"), role="gate"),
        Node("kept", "times", ("one_minus_g", "s_copy"), "", (0, "rail"), role="memory"),
        Node("written", "times", ("g_copy", "candidate"), "", (column, "middle"), role="candidate"),
        Node("s_t", "sum", ("kept", "written"), "s_t", (column, "rail"), role="memory"),
    )


def _mixed() -> Formula:
    text = "s_t = (1 − g_t) ⊙ s_{t-1} + g_t ⊙ s̃_t"
    return Formula("4.3", text, ("g_copy", "one_minus_g", "kept", "written", "s_t", "s_out"))


def _gru() -> Cell:
    reads = ("s_copy", "x_copy")
    g = Node("g_t", "sigmoid", (), "g_t", (0, "squash"), role="gate")
    r = Node("r_t", "sigmoid", (), "r_t", (1.03, "squash"), route="hv", role="reset")
    candidate = Node("candidate", "tanh", (), "s̃_t", (2.65, "squash"), role="candidate")
    ss, sx, total, squash = _network("s", "s", reads, candidate, "a_t")
    # The reset gate stands between the first product and the sum: the two products move apart.
    ss, sx = replace(ss, side=-1.35), replace(sx, side=1.35)
    past = Node(
        "past", "times", ("r_t", "ss"), "", (2.65, "sums"), -1.35, group="candidate", role="candidate"
    )
    return Cell(
        name="gru",
        title="the GRU (reset after the product)",
        nodes=(
            Node("s_prev", "input", (), "s_{t-1}", (-1.08, "rail"), role="memory"),
            Node("s_copy", "copy", ("s_prev",), "s_{t-1}", (-0.72, "rail"), rail="state rail", role="memory"),
            *_copy_of_input(1.75),
            *_network("g", "s", reads, g, "z_t"),
            *_network("r", "s", reads, r, "u_t"),
            ss,
            past,
            sx,
            replace(total, inputs=("past", "sx")),
            squash,
            *_mixture(2.65),
            Node("s_out", "output", ("s_t",), "s_t", (3.38, "rail"), role="memory"),
        ),
        carried={"s_out": "s_prev"},
        formulas=(
            Formula("4.1", "g_t = σ(W^{g,s} s_{t-1} + W^{g,x} x_t)", ("gs", "gx", "z_t", "g_t")),
            Formula("4.15", "r_t = σ(W^{r,s} s_{t-1} + W^{r,x} x_t)", ("rs", "rx", "u_t", "r_t")),
            Formula(
                "4.16",
                "s̃_t = tanh(r_t ⊙ (W^{s,s} s_{t-1}) + W^{s,x} x_t)",
                ("ss", "past", "sx", "a_t", "candidate"),
            ),
            _mixed(),
        ),
        first_column=-1.08,
        last_column=3.38,
    )


def _lstm(biases: bool = False) -> Cell:
    reads = ("h_copy", "x_copy")
    outs = {
        "f": Node("f_t", "sigmoid", (), "f_t", (0, "squash"), role="forget"),
        "i": Node("i_t", "sigmoid", (), "i_t", (1, "squash"), role="input"),
        "c": Node("candidate", "tanh", (), "c̃_t", (2, "squash"), role="candidate"),
        "o": Node("o_t", "sigmoid", (), "o_t", (3, "squash"), role="output"),
    }
    networks = [
        node
        for key, out in outs.items()
        for node in _network(key, "h", reads, out, f"z_{key}", biases, f"z^{key}_t")
    ]
    inside = {key: f"W^{{{key},h}} h_{{t-1}} + W^{{{key},x}} x_t" for key in outs}
    if biases:
        inside = {key: f"{text} + b^{key}" for key, text in inside.items()}
    made = {key: (f"{key}h", f"{key}x", f"z_{key}", out.name) for key, out in outs.items()}
    return Cell(
        name="lstm",
        title="the LSTM",
        nodes=(
            Node("c_prev", "input", (), "c_{t-1}", (-0.78, "rail"), role="memory"),
            Node("h_prev", "input", (), "h_{t-1}", (-0.78, "state rail"), role="visible"),
            Node(
                "h_copy",
                "copy",
                ("h_prev",),
                "h_{t-1}",
                (0, "state rail"),
                -1,
                rail="state rail",
                role="visible",
            ),
            *_copy_of_input(1.5),
            *networks,
            Node("kept", "times", ("f_t", "c_prev"), "", (0, "rail"), role="memory"),
            Node("written", "times", ("i_t", "candidate"), "", (1.5, "middle"), role="candidate"),
            Node("c_t", "sum", ("kept", "written"), "c_t", (1.5, "rail"), role="memory"),
            Node("c_copy", "copy", ("c_t",), "c_t", (3.72, "rail"), role="memory"),
            Node("shown", "tanh", ("c_copy",), "tanh c_t", (3.72, "middle"), role="visible"),
            Node("h_t", "times", ("o_t", "shown"), "h_t", (3.72, "squash"), role="visible"),
            Node("c_out", "output", ("c_copy",), "c_t", (4.2, "rail"), role="memory"),
            Node("h_out", "output", ("h_t",), "h_t", (4.2, "state rail"), route="hvh", role="visible"),
        ),
        carried={"c_out": "c_prev", "h_out": "h_prev"},
        formulas=(
            Formula("5.3", f"f_t = σ({inside['f']})", made["f"]),
            Formula("5.4", f"i_t = σ({inside['i']})", made["i"]),
            Formula("5.5", f"c̃_t = tanh({inside['c']})", made["c"]),
            Formula("5.6", "c_t = f_t ⊙ c_{t-1} + i_t ⊙ c̃_t", ("kept", "written", "c_t", "c_out")),
            Formula("5.9", f"o_t = σ({inside['o']})", made["o"]),
            Formula("5.10", "h_t = o_t ⊙ tanh(c_t)", ("c_copy", "shown", "h_t", "h_out")),
        ),
        last_column=4.2,
    )


CELLS = {cell.name: cell for cell in (_simple(), _gated(), _lstm(), _gru())}
CELLS["lstm with biases"] = _lstm(biases=True).numbered(
    {"5.3": "6.1", "5.4": "6.1", "5.5": "6.1", "5.9": "6.1", "5.6": "6.2", "5.10": "6.3"}
)


def cell_named(name: str) -> Cell:
    """The cell of that name.

    Raises:
        ValueError: there is none; the message says which there are.
    """
    if name not in CELLS:
        raise ValueError(f"there is no cell {name!r}; there is: {', '.join(CELLS)}")
    return CELLS[name]
