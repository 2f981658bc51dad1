"""How the graded functions of notebook 08 are checked.

They take and give plain arrays in a library's layout, so that NumPy is enough to judge them. The layouts are
confirmed by the libraries: among all orders of the blocks, and signs, just one makes the library's own cell
give what this course's cell gives.
"""

from functools import partial
from importlib.util import find_spec
from itertools import permutations, product

import numpy as np

import common
from autograder import Exercise, Mutant
from common import both_signs, sigmoid, sizes

ALIKE = common.ALIKE

# ------------------------------------------------------------------------------------- inputs

LSTM, GRU = "fioc", "rgs"
TORCH = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def _weights(rng, D, H, letters, state, biases):
    """Weights on the state and on the input for each letter, then these biases."""
    W = {k + kind: rng.normal(size=(H, n)) for k in letters for kind, n in ((state, H), ("x", D))}
    return W | {name: both_signs(rng, (H, 1), 0.3, 1.5) for name in biases}


def lstm_weights(rng, D=4, H=3, letters=LSTM):
    """The weights of an LSTM of this course, with biases; none of these is near 0."""
    return _weights(rng, D, H, letters, "h", [k + "b" for k in letters])


def gru_weights(rng, D=4, H=3, letters=GRU):
    """The weights of a GRU of this course, with biases; none of these is near 0."""
    return _weights(rng, D, H, letters, "s", ("rb", "gb", "sb", "ssb"))


def lstm_inputs(rng, D=4, H=3, letters=LSTM):
    return {"W": lstm_weights(rng, D, H, letters)}


def gru_inputs(rng, D=4, H=3, letters=GRU):
    return {"W": gru_weights(rng, D, H, letters)}


def two_way_inputs(rng, D=4, H=3, letters=LSTM):
    return {"W": lstm_weights(rng, D, H, letters), "W_reverse": lstm_weights(rng, D, H, letters)}


def batch_inputs(rng, T=5, D=4, H=3, N=2):
    return {"x": rng.normal(size=(N, T, D)), **two_way_inputs(rng, D, H)}


def torch_inputs(rng, layer=0, reverse=False, layers=2, directions=2, D=4, H=3, cells=list):
    """The parameters of an `nn.LSTM`, and which of its cells is asked for. `cells`: their order."""
    parameters = {}
    for k, ending in cells([*product(range(layers), ("", "_reverse")[:directions])]):
        inputs = D if k == 0 else directions * H
        for kind, shape in (("weight_ih", (4 * H, inputs)), ("weight_hh", (4 * H, H))):
            parameters[f"{kind}_l{k}{ending}"] = rng.normal(size=shape)
        for kind in ("bias_ih", "bias_hh"):
            parameters[f"{kind}_l{k}{ending}"] = both_signs(rng, (4 * H,), 0.3, 1.5)
    return {"parameters": parameters, "layer": layer, "reverse": reverse}


def keras_inputs(rng, D=4, H=3):
    return {
        "kernel": rng.normal(size=(D, 3 * H)),
        "recurrent_kernel": rng.normal(size=(H, 3 * H)),
        "bias": both_signs(rng, (2, 3 * H), 0.3, 1.5),
    }


SQUARE = "as many inputs as units (D = H)"
OTHER = "weights named in another order"

# ---------------------------------------------------------------- this course's cells, once more


def _lstm_step(x_t, h_prev, c_prev, W):
    return common.lstm_step(x_t, h_prev, c_prev, W)[:2]


def _gru_step(x_t, s_prev, W):
    g, r = (sigmoid(W[k + "s"] @ s_prev + W[k + "x"] @ x_t + W[k + "b"]) for k in "gr")
    candidate = np.tanh(W["sx"] @ x_t + W["sb"] + r * (W["ss"] @ s_prev + W["ssb"]))
    return (1 - g) * s_prev + g * candidate


def _keras_step(x_t, s_prev, kernel, recurrent_kernel, bias):
    z_x, r_x, new_x = np.split(x_t.T @ kernel + bias[0], 3, axis=1)
    z_s, r_s, new_s = np.split(s_prev.T @ recurrent_kernel + bias[1], 3, axis=1)
    z = sigmoid(z_x + z_s)
    return (z * s_prev.T + (1 - z) * np.tanh(new_x + sigmoid(r_x + r_s) * new_s)).T


# ------------------------------------------------------------------- confirmed by the libraries


def _only(candidates, gives, wanted):
    """The one candidate with which a cell gives what is wanted."""
    found = [candidate for candidate in candidates if np.allclose(gives(candidate), wanted, atol=1e-12)]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} of {len(candidates)} layouts give what the library gives")
    return found[0]


def _some(H, D):
    """An input and two states for two sequences, each a column."""
    rng = np.random.default_rng(8)
    return rng.normal(size=(D, 2)), rng.uniform(-0.9, 0.9, size=(H, 2)), rng.normal(size=(H, 2))


def _tensors(*arrays):
    import torch

    return [torch.tensor(np.ascontiguousarray(array)) for array in arrays]


def _torch_lstm_step(x_t, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    import torch

    x_t, h, c, *weights = _tensors(x_t.T, h.T, c.T, weight_ih, weight_hh, bias_ih, bias_hh)
    return np.stack([state.numpy().T for state in torch.lstm_cell(x_t, (h, c), *weights)])


def _stacked(W, order):
    """Rows for the input, rows for the state, and the biases, in an order of the blocks."""
    weight_ih, weight_hh, bias = (np.concatenate([W[k + kind] for k in order]) for kind in "xhb")
    return weight_ih, weight_hh, bias[:, 0], np.zeros(len(bias))


def torch_layout(W):
    """The order of the blocks in which PyTorch's cell gives what this course's gives."""
    x_t, h, c = _some(*W["fx"].shape)
    stacks = [_stacked(W, order) for order in permutations(LSTM)]
    weight_ih, weight_hh, bias, _ = _only(
        stacks, lambda stack: _torch_lstm_step(x_t, h, c, *stack), _lstm_step(x_t, h, c, W)
    )
    return dict(zip(TORCH, (weight_ih, weight_hh, bias / 2, bias / 2), strict=True))


def torch_read(parameters, layer, reverse):
    """The reading with which this course's cell gives what the cell of a strictly loaded `nn.LSTM` gives."""
    from torch import nn

    rows, D = parameters["weight_ih_l0"].shape
    layers = sum(name.startswith("weight_ih") and not name.endswith("reverse") for name in parameters)
    two_ways = any(name.endswith("reverse") for name in parameters)
    module = nn.LSTM(D, rows // 4, num_layers=layers, bidirectional=two_ways).double()
    module.load_state_dict(dict(zip(parameters, _tensors(*parameters.values()), strict=True)), strict=True)
    cell = [weights.detach().numpy() for weights in module.all_weights[layer * (1 + two_ways) + reverse]]
    x_t, h, c = _some(rows // 4, cell[0].shape[1])
    readings = []
    for order in permutations(LSTM):
        pieces = [np.split(array, 4) for array in (cell[0], cell[1], (cell[2] + cell[3])[:, None])]
        named = zip("xhb", pieces, strict=True)
        readings.append({k + kind: piece[i] for kind, piece in named for i, k in enumerate(order)})
    return _only(readings, lambda W: _lstm_step(x_t, h, c, W), _torch_lstm_step(x_t, h, c, *cell))


def torch_both(x, W, W_reverse):
    """The same by an `nn.LSTM` that reads both ways."""
    from torch import nn

    H, D = W["fx"].shape
    module = nn.LSTM(D, H, batch_first=True, bidirectional=True).double()
    parameters = torch_layout(W) | {f"{k}_reverse": v for k, v in torch_layout(W_reverse).items()}
    module.load_state_dict(dict(zip(parameters, _tensors(*parameters.values()), strict=True)))
    return module(*_tensors(x))[0].detach().numpy()


def _gru_layouts(W):
    """Every order of the blocks, with any one of them negated or none, and both places of each bias."""
    for order, negated, inner in product(permutations(GRU), ("", *GRU), GRU):
        signs = {k: -1 if k == negated else 1 for k in order}
        weight_ih, weight_hh, bias_ih = (
            np.concatenate([sign * W[k + kind] for k, sign in signs.items()]) for kind in "xsb"
        )
        bias_hh = np.concatenate([W["ssb"] if k == inner else np.zeros_like(W["ssb"]) for k in order])
        yield weight_ih, weight_hh, bias_ih[:, 0], bias_hh[:, 0]


def torch_gru_layout(W):
    """The order and the signs with which PyTorch's cell gives what this course's gives."""
    import torch

    def given(layout):
        return torch.gru_cell(*_tensors(x_t.T, s.T, *layout)).numpy().T

    x_t, s, _ = _some(*W["sx"].shape)
    found = _only(list(_gru_layouts(W)), given, _gru_step(x_t, s, W))
    return dict(zip(TORCH, found, strict=True))


def onnx_layout(W, W_reverse):
    """The order of the blocks in which onnx's reference evaluator gives what this course's cell gives."""
    rng = np.random.default_rng(8)
    H, D = W["fx"].shape
    xs, zeros = rng.normal(size=(3, 2, D)), np.zeros((H, 2))
    ways = []
    for inputs, one in ((xs, W), (xs[::-1], W_reverse)):
        h, c, hs = zeros, zeros, []
        for x_t in inputs:
            h, c = _lstm_step(x_t.T, h, c, one)
            hs.append(h.T)
        ways.append(hs if one is W else hs[::-1])
    stacks = [[_stacked(one, order) for one in (W, W_reverse)] for order in permutations(LSTM)]
    nodes = [
        {"W": np.stack([s[0] for s in stack]), "R": np.stack([s[1] for s in stack])}
        | {"B": np.stack([np.concatenate(s[2:]) for s in stack])}
        for stack in stacks
    ]
    return _only(nodes, lambda node: run_onnx("LSTM", xs, node, H), np.stack(ways, axis=1))


def run_onnx(operator, xs, node, H, **attributes):
    """What onnx's reference evaluator gives, (T, directions, N, H), for inputs (T, N, D)."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    two_ways = len(node["W"]) == 2
    made = helper.make_node(
        operator,
        ["X", *node],
        ["Y"],
        hidden_size=H,
        direction="bidirectional" if two_ways else "forward",
        **attributes,
    )
    kinds = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in ("X", *node, "Y")]
    graph = helper.make_graph([made], "one layer", kinds[:-1], kinds[-1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    return ReferenceEvaluator(model).run(None, {"X": np.ascontiguousarray(xs), **node})[0]


def keras_read(kernel, recurrent_kernel, bias):
    """The reading with which this course's cell gives what Keras's gives, among all orders and signs.

    That the formula here is Keras's own is tried in `tests/test_rosetta.py`: Keras takes seconds to start.
    """
    H, D = len(recurrent_kernel), len(kernel)
    x_t, s, _ = _some(H, D)
    readings = []
    for order, negated in product(permutations(GRU), ("", *GRU)):
        W = {}
        for block, k in enumerate(order):
            rows, sign = slice(block * H, (block + 1) * H), -1 if k == negated else 1
            W |= {k + "x": sign * kernel.T[rows], k + "s": sign * recurrent_kernel.T[rows]}
            both = bias.T[rows]
            if k == "s":
                W |= {"sb": sign * both[:, :1], "ssb": sign * both[:, 1:]}
            else:
                W[k + "b"] = sign * both.sum(axis=1, keepdims=True)
        readings.append(W)
    return _only(
        readings, lambda W: _gru_step(x_t, s, W), _keras_step(x_t, s, kernel, recurrent_kernel, bias)
    )


# ------------------------------------------------------------------------------ to_torch_lstm


other_orders = partial(common.other_orders, spelled=lambda order: f'"{order}"')
ASK_THE_MACHINE = "The numbers are there, in another order. Which block answered to which question?"
READ_THE_LETTERS = "The numbers are there, in another order. What do the documentation's letters say?"
TABLES = {"parameters": ("row", "column")}


def one_apart(stacked, orders):
    """A mistake for each array that has its blocks in an order of its own, and each of some orders.

    Args:
        stacked: how the reference stacks the blocks of an array, `order` among it, by what it holds.
        orders: those to try.
    """
    hint = "A block's weights and its bias stand at the same rows, in every array."
    return [
        Mutant(f"{what} in the order {', '.join(order)}", site, wrong, hint=hint)
        for what, site in stacked.items()
        for order in orders
        if (wrong := site.replace("in order", f'in "{order}"')) not in BIASES_APART
    ]


# These have a name of their own in mistakes.txt.
BIASES_APART = (
    'np.concatenate([W[k + "b"][:, 0] for k in "fioc"])',
    'np.concatenate([one[k + "b"][:, 0] for k in "ifco"])',
)

to_torch_lstm = Exercise(
    returns=("parameters",),
    cases=(lstm_inputs, partial(lstm_inputs, D=5, H=4)),
    edge_cases={
        **sizes(lstm_inputs, H=1, D=1),
        SQUARE: partial(lstm_inputs, D=3),
        OTHER: partial(lstm_inputs, letters="ocif"),
    },
    hints=(
        "Four blocks on top of one another, in the order that the answers of the machine told you. The same "
        "order in all four arrays.",
        "The weights are (4H, D) and (4H, H), a row for each unit of each block. The biases have one axis, "
        "(4H,): what becomes of a column? The layer adds the two.",
        "Start with the order as a string of letters. A loop over it meets the blocks from top to bottom; "
        "`np.vstack` puts a list of them on top of one another.",
    ),
    misconceptions=other_orders('"ifco"', ("ifco", "fioc", "ifoc", "iofc", "cfio"), hint=ASK_THE_MACHINE)
    + one_apart(
        {
            "weights on the input": 'np.vstack([W[k + "x"] for k in order])',
            "weights on the state": 'np.vstack([W[k + "h"] for k in order])',
            "biases": 'np.concatenate([W[k + "b"][:, 0] for k in order])',
        },
        ("fioc", "ifoc"),
    ),
    axes=TABLES,
    confirm=torch_layout,
)

# ---------------------------------------------------------------------------- from_torch_lstm

from_torch_lstm = Exercise(
    returns=("W",),
    cases=(torch_inputs, partial(torch_inputs, layer=1, reverse=True, D=5, H=4)),
    edge_cases={
        "the first layer, in reverse": partial(torch_inputs, reverse=True),
        "the second layer, ahead": partial(torch_inputs, layer=1),
        "the third of three layers, one direction": partial(torch_inputs, layer=2, layers=3, directions=1),
        "one layer, one direction": partial(torch_inputs, layers=1, directions=1),
        "the cells named in another order": partial(torch_inputs, reverse=True, layers=1, cells=reversed),
        **sizes(torch_inputs, H=1, D=1),
        SQUARE: partial(torch_inputs, D=3),
    },
    hints=(
        "First the four names, made of `layer` and `reverse`; then cut each array into four blocks.",
        "`np.split(array, 4)` cuts along the first axis. A bias of this course is a column, (H, 1), one for "
        "each block.",
        "Start with what all four names end in: the number of the layer, and in one case a word behind it.",
    ),
    misconceptions=other_orders('"ifco"', ("ifco", "fioc", "ifoc", "iofc"), hint=ASK_THE_MACHINE),
    axes={"W": ("row", "column")},
    confirm=torch_read,
)

# ---------------------------------------------------------------------------- both_directions

both_directions = Exercise(
    returns=("y",),
    cases=(batch_inputs, partial(batch_inputs, T=4, D=2, H=5, N=3)),
    edge_cases={
        **sizes(batch_inputs, T=1, N=1, H=1, D=1),
        "as many sequences as time steps (N = T)": partial(batch_inputs, T=4, N=4),
        "a long sequence (T = 30)": partial(batch_inputs, T=30),
    },
    hints=(
        "Turn the axes for `lstm_forward`, run it twice, put the two together, turn the axes back.",
        "`lstm_forward` wants (T, D, N) and gives (T, H, N). The answer is (N, T, 2H), and its entry at "
        "position t holds what *both* directions say at position t.",
        "Start with `xs = x.transpose(1, 2, 0)`. The second run gets `xs[::-1]`: in which order do its "
        "states come out?",
    ),
    axes={"y": ("sequence", "time step", "unit"), "x": ("sequence", "time step", "input")},
    confirm=torch_both,
)

# ------------------------------------------------------------------------------- to_torch_gru

to_torch_gru = Exercise(
    returns=("parameters",),
    cases=(gru_inputs, partial(gru_inputs, D=5, H=4)),
    edge_cases={
        **sizes(gru_inputs, H=1, D=1),
        SQUARE: partial(gru_inputs, D=3),
        OTHER: partial(gru_inputs, letters="gsr"),
    },
    hints=(
        "Three blocks. For each: where does it go, and does it need another sign? Then one question about "
        "the biases: which of them can be told from one another?",
        "The weights are (3H, D) and (3H, H), the two biases (3H,). What makes a gate into one minus the "
        "gate has to be done to *all* that the gate is made of.",
        "Start with the order and the signs, `for k, sign in ((…, 1), (…, …), (…, …)):`. `bias_hh_l0` is "
        "zero in two of its three blocks.",
    ),
    axes=TABLES,
    confirm=torch_gru_layout,
)

# ------------------------------------------------------------------------------ to_onnx_lstm

to_onnx_lstm = Exercise(
    returns=("inputs",),
    cases=(two_way_inputs, partial(two_way_inputs, D=5, H=4)),
    edge_cases={
        **sizes(two_way_inputs, H=1, D=1),
        SQUARE: partial(two_way_inputs, D=3),
        OTHER: partial(two_way_inputs, letters="ocif"),
    },
    hints=(
        "Do one direction first, by the documentation's letters. Then put the two directions together.",
        "W is (2, 4H, D), R is (2, 4H, H), B is (2, 8H): each direction is an entry of a new first axis.",
        "Start with the letters of the documentation and a loop over the two directions. `np.stack` puts "
        "arrays of one shape into a new first axis, `np.vstack` and `np.concatenate` make no new one.",
    ),
    misconceptions=other_orders('"iofc"', ("ifco", "fioc", "ifoc", "iofc"), hint=READ_THE_LETTERS)
    + one_apart(
        {
            "weights on the input": 'np.vstack([one[k + "x"] for k in order])',
            "weights on the state": 'np.vstack([one[k + "h"] for k in order])',
            "biases": 'np.concatenate([one[k + "b"][:, 0] for k in order])',
        },
        ("fioc", "ifco"),
    ),
    axes={"inputs": ("direction", "row", "column"), 'inputs["B"]': ("direction", "entry")},
    # onnx is in the tests' extra only, PyTorch may be here without it.
    confirm=onnx_layout if find_spec("onnx") else None,
)

# ----------------------------------------------------------------------------- from_keras_gru

from_keras_gru = Exercise(
    returns=("W",),
    cases=(keras_inputs, partial(keras_inputs, D=5, H=4)),
    edge_cases={
        **sizes(keras_inputs, H=1, D=1),
        SQUARE: partial(keras_inputs, D=3),
        "three times as many inputs as units (D = 3H)": partial(keras_inputs, D=9),
    },
    hints=(
        "Read the code line by line and say of each block what it is in this course. Then: what is a row "
        "there, and what is one here?",
        '`kernel` is (D, 3H) and its columns belong to units; `W[k + "x"]` is (H, D). A bias of this course '
        "is (H, 1).",
        "Start with `H = len(recurrent_kernel)` and take one block after the other, "
        "`kernel[:, block * H : (block + 1) * H]`.",
    ),
    axes={"W": ("row", "column")},
    confirm=keras_read,
)
