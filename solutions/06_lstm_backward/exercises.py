"""How the graded functions of notebook 06 are checked."""

from functools import partial

import numpy as np

import common
from autograder import Exercise, Gradient
from common import arriving, both_signs, saturating, sizes, some_states, torch_gradients, torch_walk

ALIKE = common.ALIKE

GATES = "fioc"


def _sigmoid(z):
    return 0.5 * (1 + np.tanh(0.5 * z))


def _weights(rng, D, H, scale):
    W = {}
    for k in GATES:
        W[k + "h"] = scale * rng.normal(size=(H, H))
        W[k + "x"] = scale * rng.normal(size=(H, D))
        W[k + "b"] = scale * rng.normal(size=(H, 1))
    return W


def _step(x_t, h_prev, c_prev, W):
    z = {k: W[k + "h"] @ h_prev + W[k + "x"] @ x_t + W[k + "b"] for k in GATES}
    gates = {k: np.tanh(z[k]) if k == "c" else _sigmoid(z[k]) for k in GATES}
    c_t = gates["f"] * c_prev + gates["i"] * gates["c"]
    return gates["o"] * np.tanh(c_t), c_t, gates


def _forward(xs, h0, c0, W):
    h, c = h0, c0
    steps = []
    for x_t in xs:
        h, c, gates = _step(x_t, h, c, W)
        steps.append((h, c, gates))
    gates = {k: np.stack([step[2][k] for step in steps]) for k in GATES}
    return np.stack([step[0] for step in steps]), np.stack([step[1] for step in steps]), gates


def step_inputs(rng, D=4, H=3, N=2, scale=0.7, forget_bias=0.0):
    x_t, h_prev = rng.normal(size=(D, N)), some_states(rng, H, N)
    c_prev = both_signs(rng, (H, N), 0.3, 2.0)
    W = _weights(rng, D, H, scale)
    W["fb"] = W["fb"] + forget_bias
    _, c_t, gates = _step(x_t, h_prev, c_prev, W)
    return {
        "dh": arriving(rng, H, N),
        "dc": arriving(rng, H, N),
        "x_t": x_t,
        "h_prev": h_prev,
        "c_prev": c_prev,
        "c_t": c_t,
        "gates": gates,
        "W": W,
    }


def sequence_inputs(rng, T=5, D=4, H=3, N=2, scale=0.7, forget_bias=0.0):
    xs = rng.normal(size=(T, D, N))
    h0, c0 = some_states(rng, H, N), both_signs(rng, (H, N), 0.3, 2.0)
    W = _weights(rng, D, H, scale)
    W["fb"] = W["fb"] + forget_bias
    hs, cs, gates = _forward(xs, h0, c0, W)
    return {
        "dhs": arriving(rng, T, H, N),
        "xs": xs,
        "h0": h0,
        "c0": c0,
        "hs": hs,
        "cs": cs,
        "gates": gates,
        "W": W,
    }


def flow_inputs(rng, T=5, D=4, H=3, N=2, scale=0.7, forget_bias=0.0):
    inputs = sequence_inputs(rng, T, D, H, N, scale, forget_bias)
    del inputs["dhs"]
    return {"dh": arriving(rng, H, N), "dc": arriving(rng, H, N), **inputs}


def _torch_step(x_t, h_prev, c_prev, W):
    import torch

    z = {k: W[k + "h"] @ h_prev + W[k + "x"] @ x_t + W[k + "b"] for k in GATES}
    c_t = torch.sigmoid(z["f"]) * c_prev + torch.sigmoid(z["i"]) * torch.tanh(z["c"])
    return torch.sigmoid(z["o"]) * torch.tanh(c_t), c_t


def _torch_walk(xs, h, c, W):
    return torch_walk(lambda x_t, h, c: _torch_step(x_t, h, c, W), xs, h, c)


def torch_step_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    return torch_gradients(_torch_step, (dh, dc), x_t, h_prev, c_prev, W)


def torch_backward(dhs, xs, h0, c0, hs, cs, gates, W):
    return torch_gradients(lambda *walk: _torch_walk(*walk)[0], dhs, xs, h0, c0, W)


def torch_flow(dh, dc, xs, h0, c0, hs, cs, gates, W):
    """The last steps run anew from each pair of states: no chain of steps backward at all."""
    import torch

    xs, W = torch.tensor(xs), {key: torch.tensor(array) for key, array in W.items()}

    def last_states(h, c, after):
        for x_t in xs[after:]:
            h, c = _torch_step(x_t, h, c, W)
        return h, c

    all_h, all_c = np.concatenate([h0[None], hs]), np.concatenate([c0[None], cs])
    pairs = zip(all_h, all_c, strict=True)
    gradients = [
        torch_gradients(partial(last_states, after=t), (dh, dc), *pair) for t, pair in enumerate(pairs)
    ]
    return tuple(np.linalg.norm(by_state, axis=1) for by_state in zip(*gradients, strict=True))


# ------------------------------------------------------------------------ lstm_step_backward

lstm_step_backward = Exercise(
    returns=("dx", "dh_prev", "dc_prev", "dW"),
    cases=(step_inputs, partial(step_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(step_inputs, N=1, D=1, H=1),
        "as many inputs as units (D = H)": partial(step_inputs, D=3),
        "forget gates near 1": partial(step_inputs, forget_bias=6.0),
        "saturated gates": partial(step_inputs, scale=saturating(near=0.7, far=10.0)),
    },
    hints=(
        "Go backward through the formulas in their order: from h_t to the memory (6.6), from the "
        "memory to the gates (6.7) and to the memory before (6.8), through the squashing "
        "functions (6.9), and through the matrices to the inputs and the weights (6.10, 6.11).",
        "Everything up to the matrices is (H, N) and goes entry by entry. A matrix gets "
        "(H, N) times the transpose of what it multiplied; a bias gets the sum over the columns, "
        "and stays (H, 1).",
        "Start with `tanh_c = np.tanh(c_t)` and `dc_total = dc + …`, what comes through h_t.",
    ),
    gradient=Gradient(
        of="lstm_step",
        returns=("h_t", "c_t", "gates"),
        upstream={"dh": "h_t", "dc": "c_t"},
        wrt={"dx": "x_t", "dh_prev": "h_prev", "dc_prev": "c_prev", "dW": "W"},
    ),
    confirm=torch_step_backward,
)

# ----------------------------------------------------------------------------- lstm_backward

lstm_backward = Exercise(
    returns=("dxs", "dh0", "dc0", "dW"),
    needs=("lstm_step_backward",),
    cases=(sequence_inputs, partial(sequence_inputs, T=7, D=5, H=4, N=3)),
    edge_cases={
        **sizes(sequence_inputs, T=1, N=1, D=1, H=1),
        "a long sequence (T = 60)": partial(sequence_inputs, T=60, forget_bias=3.0),
        "saturated gates": partial(sequence_inputs, scale=saturating(near=0.7, far=10.0)),
    },
    hints=(
        "Walk from the last step to the first. Carry two gradients along; at each step the outside "
        "adds its own to one of them. The weights collect from every step.",
        "dhs[t], the carried dh and the carried dc are (H, N); dW has the keys and shapes of W and "
        "starts at zeros; before the first step stand h0 and c0.",
        "Start with `dW = {key: np.zeros(weights.shape) for key, weights in W.items()}`, two carried "
        "gradients of zeros, and `for t in reversed(range(len(xs))):`",
    ),
    gradient=Gradient(
        of="lstm_forward",
        returns=("hs", "cs", "gates"),
        upstream={"dhs": "hs"},
        wrt={"dxs": "xs", "dh0": "h0", "dc0": "c0", "dW": "W"},
    ),
    confirm=torch_backward,
)

# ----------------------------------------------------------------------------- gradient_flow

gradient_flow = Exercise(
    returns=("dh_norms", "dc_norms"),
    needs=("lstm_step_backward",),
    cases=(flow_inputs, partial(flow_inputs, T=7, D=5, H=4, N=3)),
    edge_cases={
        **sizes(flow_inputs, T=1, N=1, H=1, D=1),
        "a long sequence (T = 60)": partial(flow_inputs, T=60, forget_bias=3.0),
        "forget gates near 1": partial(flow_inputs, forget_bias=6.0),
    },
    axes={"dh_norms": ("time step", "sequence"), "dc_norms": ("time step", "sequence")},
    hints=(
        "It is the walk of lstm_backward with nothing from outside but at its start, and with a "
        "measurement at every stop instead of a sum of weight gradients.",
        "T steps have T + 1 stops: row T is what you were given, row 0 is what reaches h0 and c0. "
        "A norm runs over the units of one sequence, so each row is (N,).",
        "Start with `dh_norms = np.zeros((len(xs) + 1, dh.shape[1]))`, the same for `dc_norms`, and "
        "write the last row of each before the loop.",
    ),
    confirm=torch_flow,
)
