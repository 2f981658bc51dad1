"""How the exercises of notebook 05 are checked."""

from functools import partial

import numpy as np

import common
from autograder import Exercise, Mutant
from common import beyond, both_signs, leaf, other_orders, saturating, some_states

ALIKE = common.ALIKE

sizes = partial(common.sizes, words=common.WORDS | {"T = 1": "one position"})


def weights(rng, D, H, scale, letters="fioc"):
    names = [gate + "h" for gate in letters] + [gate + "x" for gate in letters]
    return {name: scale * rng.normal(size=(H, H if name[1] == "h" else D)) for name in names}


def gate_inputs(rng, D=4, H=3, N=2, scale=0.8, letters="fioc"):
    return {
        "x_t": rng.normal(size=(D, N)),
        "h_prev": some_states(rng, H, N),
        "W": weights(rng, D, H, scale, letters),
    }


def beyond_inputs(rng):
    """Gates shut and open as far as numbers go, and one between."""
    inputs = gate_inputs(rng)
    W = inputs["W"]
    for gate in "fioc":
        factors = beyond(rng, W[gate + "h"] @ inputs["h_prev"] + W[gate + "x"] @ inputs["x_t"])
        W |= {name: factors * W[name] for name in (gate + "h", gate + "x")}
    return inputs


def step_inputs(rng, D=4, H=3, N=2, scale=0.8):
    return {
        "x_t": rng.normal(size=(D, N)),
        "h_prev": some_states(rng, H, N),
        "c_prev": both_signs(rng, (H, N), 0.3, 2.5),
        "W": weights(rng, D, H, scale),
    }


def peephole_inputs(rng, D=4, H=3, N=2, scale=0.5):
    """A step's inputs, and three columns of peepholes; the memory is large, so that a tanh changes it."""
    inputs = step_inputs(rng, D, H, N, scale)
    peepholes = {name: both_signs(rng, (H, 1), 0.4, 1.0) for name in ("fp", "ip", "op")}
    return {**inputs, "c_prev": both_signs(rng, (H, N), 1.5, 3.0), "W": inputs["W"] | peepholes}


def sequence_inputs(rng, T=5, D=4, H=3, N=2, scale=0.8):
    return {
        "xs": rng.normal(size=(T, D, N)),
        "h0": some_states(rng, H, N),
        "c0": both_signs(rng, (H, N), 0.3, 2.5),
        "W": weights(rng, D, H, scale),
    }


def stack_inputs(rng, D=4, H=3, letters="fioc"):
    return {"W": weights(rng, D, H, 1.0, letters)}


# The same values by PyTorch.


def torch_cell(W):
    """`torch.nn.LSTMCell` with these weights; its blocks are in the order i, f, g (candidate), o."""
    import torch

    cell = torch.nn.LSTMCell(W["fx"].shape[1], len(W["fh"])).double()
    with torch.no_grad():
        for kind, parameter in (("h", cell.weight_hh), ("x", cell.weight_ih)):
            parameter.copy_(torch.cat([torch.tensor(W[gate + kind]) for gate in "ifco"]))
        cell.bias_ih.zero_()
        cell.bias_hh.zero_()
    return cell


def torch_gates(x_t, h_prev, W):
    import torch

    x, h = torch.tensor(x_t.T), torch.tensor(h_prev.T)
    gates = {}
    for gate in "fioc":
        total = torch.nn.functional.linear(h, torch.tensor(W[gate + "h"]))
        total = total + torch.nn.functional.linear(x, torch.tensor(W[gate + "x"]))
        gates[gate] = (torch.tanh if gate == "c" else torch.sigmoid)(total).numpy().T
    return gates


def torch_step(x_t, h_prev, c_prev, W):
    import torch

    with torch.no_grad():
        state = torch.tensor(h_prev.T), torch.tensor(c_prev.T)
        h_t, c_t = torch_cell(W)(torch.tensor(x_t.T), state)
    return h_t.numpy().T, c_t.numpy().T, torch_gates(x_t, h_prev, W)


def torch_forward(xs, h0, c0, W):
    import torch

    cell, state = torch_cell(W), (torch.tensor(h0.T), torch.tensor(c0.T))
    hs, cs, gates = [], [], []
    with torch.no_grad():
        for x_t in xs:
            gates.append(torch_gates(x_t, state[0].numpy().T, W))
            state = cell(torch.tensor(x_t.T), state)
            hs.append(state[0].numpy().T)
            cs.append(state[1].numpy().T)
    return np.stack(hs), np.stack(cs), {gate: np.stack([g[gate] for g in gates]) for gate in "fioc"}


def torch_peephole_step(x_t, h_prev, c_prev, W):
    h_t, c_t, gates = common.torch_peephole_step(leaf(x_t), leaf(h_prev), leaf(c_prev), leaf(W))
    return h_t.detach().numpy(), c_t.detach().numpy(), {k: gate.detach().numpy() for k, gate in gates.items()}


def torch_stacked(W):
    """What the stacked matrix does to each unit vector is its columns."""
    import torch

    H, D = W["fx"].shape
    h, x = torch.eye(H + D).double().split([H, D])
    results = [torch.tensor(W[gate + "h"]) @ h + torch.tensor(W[gate + "x"]) @ x for gate in "fioc"]
    return torch.cat(results).numpy()


# ---------------------------------------------------------------- lstm_gates

# A line copied from one above it, with one of its two letters left as it was.
COPIED_LINES = [
    Mutant(
        f'W["{other}{kind}"] for W["{gate}{kind}"], as in a copied line',
        f'W["{gate}{kind}"]',
        f'W["{other}{kind}"]',
        hint="In one line the two weights carry different first letters.",
    )
    for gate in "ioc"
    for other in "fio"[: "fioc".index(gate)]
    for kind in "hx"
]

lstm_gates = Exercise(
    returns=("gates",),
    cases=(gate_inputs, partial(gate_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(gate_inputs, N=1, H=1, D=1),
        "as many inputs as units (D = H)": partial(gate_inputs, D=3, H=3),
        "saturated gates": beyond_inputs,
        "weights named in another order": partial(gate_inputs, letters="ocif"),
    },
    hints=(
        "Four lines that look alike. What differs is the letter in the weights, and, in one of them, "
        "the function that squashes the sum.",
        'Every product must have the shape of the state, (H, N): `W["fh"] @ h_prev` is (H, H) @ (H, N).',
        'Start with `gates = {}` and `gates["f"] = sigmoid(…)`, with the sum of (5.3) inside.',
    ),
    misconceptions=COPIED_LINES,
    confirm=torch_gates,
)

# ----------------------------------------------------------------- lstm_step

lstm_step = Exercise(
    returns=("h_t", "c_t", "gates"),
    cases=(step_inputs, partial(step_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(step_inputs, N=1, H=1, D=1),
        "as many inputs as units (D = H)": partial(step_inputs, D=3, H=3),
        "saturated gates": partial(step_inputs, scale=saturating(near=0.8, far=60.0)),
    },
    needs=("lstm_gates",),
    hints=(
        "The memory is a sum of two parts: what is kept of the old, and what is written of the new. "
        "The visible state is made of the memory.",
        "Everything here is (H, N) and goes entry by entry: `*`, no `@`.",
        "Start with `gates = lstm_gates(x_t, h_prev, W)`, then take the forget gate times the old memory.",
    ),
    confirm=torch_step,
)

# -------------------------------------------------------------- lstm_forward

lstm_forward = Exercise(
    returns=("hs", "cs", "gates"),
    cases=(sequence_inputs, partial(sequence_inputs, T=7, D=5, H=4, N=3)),
    edge_cases={
        **sizes(sequence_inputs, T=1, N=1, H=1, D=1),
        "a long sequence (T = 40)": partial(sequence_inputs, T=40, H=2, N=1),
        "saturated gates": partial(sequence_inputs, scale=saturating(near=0.8, far=30.0)),
    },
    needs=("lstm_step", "lstm_gates"),
    hints=(
        "One step after the other, each with the two states that the one before it returned. "
        "Where do you keep what came of each step?",
        "`xs[t]` is (D, N). `hs`, `cs` and each of the four gates are (T, H, N); row t is position t + 1.",
        "Start with `h_t, c_t = h0, c0`, then `for t in range(len(xs)):`, with `lstm_step` inside.",
    ),
    confirm=torch_forward,
)

# ----------------------------------------------------------- stack_parameters

# Two blocks that changed places, in one half of the wide matrix alone.
ONE_SIDED = [
    Mutant(
        f"blocks of {words} exchanged on the {side}'s side only",
        f'W[name + "{kind}"]',
        f'W[{{"{letters[0]}": "{letters[1]}", "{letters[1]}": "{letters[0]}"}}.get(name, name) + "{kind}"]',
        hint="A block of rows belongs to one gate, with both its matrices. Do the two sides go through the "
        "gates in the same order?",
    )
    for letters, words in (("fi", "f and i"), ("io", "i and o"), ("oc", "o and the candidate"))
    for side, kind in (("state", "h"), ("input", "x"))
]

stack_parameters = Exercise(
    returns=("stacked",),
    cases=(stack_inputs, partial(stack_inputs, D=5, H=4)),
    edge_cases={
        **sizes(stack_inputs, H=1, D=1),
        "as many inputs as units (D = H)": partial(stack_inputs, D=3, H=3),
        "more units than inputs": partial(stack_inputs, D=2, H=5),
        "weights named in another order": partial(stack_inputs, letters="ocif"),
    },
    hints=(
        "First put the two matrices of one gate side by side. Then put the four results below one another.",
        "One gate's two matrices side by side are (H, H + D); four of these below one another (4H, H + D).",
        'Start with `np.hstack([W["fh"], W["fx"]])`: that is the topmost of four such blocks.',
    ),
    misconceptions=other_orders(
        '("f", "i", "o", "c")',
        ("fioc", "ifco", "iofc", "fico", "cfio", "coif"),
        spelled=lambda order: str(tuple(order)),
        hint="The numbers are there, in another order. Which order of blocks does the docstring ask for?",
    )
    + ONE_SIDED,
    confirm=torch_stacked,
    axes={"stacked": ("row", "column")},
)

# ------------------------------------------------------------- peephole_step

peephole_step = Exercise(
    returns=("h_t", "c_t", "gates"),
    cases=(peephole_inputs, partial(peephole_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(peephole_inputs, N=1, H=1, D=1),
        "as many inputs as units (D = H)": partial(peephole_inputs, D=3, H=3),
        "as many sequences as units (N = H)": partial(peephole_inputs, N=3, H=3),
        "saturated gates": partial(peephole_inputs, scale=saturating(near=0.5, far=60.0)),
    },
    hints=(
        "Three gates get one more summand each, and the candidate gets none. What must be known before "
        "the output gate can be computed?",
        "A peephole is (H, 1), a memory (H, N): one number for each unit, the same for all sequences.",
        "Write down in which order the six quantities can be made, and begin with the two gates that look "
        "at the old memory.",
    ),
    confirm=torch_peephole_step,
)
