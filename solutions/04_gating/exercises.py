"""How the graded functions of notebook 04 are checked.

Every `confirm` goes through PyTorch's own GRU cell: with the sign of its update gate turned round it is the
cell with a reset gate, and with the reset gate held at 1 the simple gated RNN, written by somebody else.
"""

from functools import partial

import numpy as np

import common
from autograder import Exercise, Gradient, Stage, Way
from common import (
    arriving,
    beyond,
    both_signs,
    leaf,
    matrices,
    saturating,
    sigmoid,
    sizes,
    some_states,
    torch_gradients,
    torch_walk,
)

ALIKE = common.ALIKE

# ------------------------------------------------------------------------------------- inputs


def _weights(rng, D, H, gate_scale, scale):
    gate = matrices(rng, gate_scale, gs=(H, H), gx=(H, D))
    return gate | matrices(rng, scale, ss=(H, H), sx=(H, D))


def step_inputs(rng, D=4, H=3, N=2, gate_scale=0.7, scale=0.7):
    """One input, one state inside (-1, 1), and the four matrices."""
    return {
        "x_t": rng.normal(size=(D, N)),
        "s_prev": some_states(rng, H, N),
        "W": _weights(rng, D, H, gate_scale, scale),
    }


def beyond_inputs(rng):
    """Gates shut and open as far as numbers go, and one between."""
    inputs = step_inputs(rng)
    W = inputs["W"]
    factors = beyond(rng, W["gs"] @ inputs["s_prev"] + W["gx"] @ inputs["x_t"])
    return {**inputs, "W": {**W, "gs": factors * W["gs"], "gx": factors * W["gx"]}}


def state_outside_inputs(rng):
    """A state with entries beyond -1 and 1, where a candidate never gets."""
    inputs = step_inputs(rng)
    return {**inputs, "s_prev": both_signs(rng, inputs["s_prev"].shape, 1.2, 4.0)}


def sequence_inputs(rng, T=5, D=4, H=3, N=2, gate_scale=0.7, scale=0.7):
    """A sequence, the state before it, and the four matrices."""
    return {
        "xs": rng.normal(size=(T, D, N)),
        "s0": some_states(rng, H, N),
        "W": _weights(rng, D, H, gate_scale, scale),
    }


def step_backward_inputs(rng, outside=False, **sizes):
    """A step's inputs, the gate and the candidate it made, and a gradient at the new state."""
    step = state_outside_inputs(rng) if outside else step_inputs(rng, **sizes)
    _, g_t, candidate = common.gated_step(**step)
    return {
        "ds": arriving(rng, *candidate.shape),
        "x_t": step["x_t"],
        "s_prev": step["s_prev"],
        "g_t": g_t,
        "candidate": candidate,
        "W": step["W"],
    }


def backward_inputs(rng, last_only=False, **sizes):
    """A sequence, all that its forward pass gave, and a gradient at every state."""
    sequence = sequence_inputs(rng, **sizes)
    s_prev, steps = sequence["s0"], []
    for x_t in sequence["xs"]:
        steps.append(common.gated_step(x_t, s_prev, sequence["W"]))
        s_prev = steps[-1][0]
    states, gates, candidates = (np.stack(arrays) for arrays in zip(*steps, strict=True))
    dstates = arriving(rng, *states.shape)
    if last_only:
        dstates[:-1] = 0
    return {
        "dstates": dstates,
        "xs": sequence["xs"],
        "s0": sequence["s0"],
        "states": states,
        "gates": gates,
        "candidates": candidates,
        "W": sequence["W"],
    }


def silenced(draw, identity=(), zero=(), D=3, H=3, **sizes):
    """A draw's weights with some of them the identity and some zero, and what the step gives then."""

    def silent(rng):
        inputs = draw(rng, D=D, H=H, **sizes)
        W = inputs["W"] | {key: np.eye(H) for key in identity}
        W |= {key: np.zeros_like(W[key]) for key in zero}
        return _again({**inputs, "W": W})

    return silent


def _again(inputs):
    """Gates and candidate as the step makes them from these inputs."""
    x_t, s_prev, W = inputs["x_t"], inputs["s_prev"], inputs["W"]
    if "r_t" in inputs:
        r_t, g_t, candidate = _reset_step(x_t, s_prev, W)
        return {**inputs, "r_t": r_t, "g_t": g_t, "candidate": candidate}
    _, g_t, candidate = common.gated_step(x_t, s_prev, W)
    return {**inputs, "g_t": g_t, "candidate": candidate}


def _reset_step(x_t, s_prev, W):
    r_t = sigmoid(W["rs"] @ s_prev + W["rx"] @ x_t)
    g_t = sigmoid(W["gs"] @ s_prev + W["gx"] @ x_t)
    return r_t, g_t, np.tanh(r_t * (W["ss"] @ s_prev) + W["sx"] @ x_t)


def reset_backward_inputs(rng, outside=False, reset_scale=0.7, D=4, H=3, N=2, **scales):
    """A step's inputs with a reset gate, what it made, and a gradient at the new state."""
    step = state_outside_inputs(rng) if outside else step_inputs(rng, D=D, H=H, N=N, **scales)
    H, D = step["W"]["sx"].shape
    W = step["W"] | matrices(rng, reset_scale, rs=(H, H), rx=(H, D))
    W["ss"] = both_signs(rng, (H, H), 0.4, 1.0)  # else one unit's reset gate may have nothing to reset
    inputs = {
        "ds": arriving(rng, *step["s_prev"].shape),
        **step,
        "r_t": None,
        "g_t": None,
        "candidate": None,
        "W": W,
    }
    order = ("ds", "x_t", "s_prev", "r_t", "g_t", "candidate", "W")
    made = _again(inputs)
    return {name: made[name] for name in order}


# --------------------------------------------------------------------- confirmed by PyTorch's GRU


def _gru_step(x_t, s_prev, W):
    """The step by `torch.gru_cell`: reset gate 1 (bias 100), z = 1 - g (weights negated)."""
    import torch

    H, D = W["sx"].shape
    w_x = torch.cat([torch.zeros(H, D, dtype=torch.float64), -W["gx"], W["sx"]])
    w_s = torch.cat([torch.zeros(H, H, dtype=torch.float64), -W["gs"], W["ss"]])
    bias = torch.cat([torch.full((H,), 100.0), torch.zeros(2 * H)]).double()
    s_t = torch.gru_cell(x_t.T, s_prev.T, w_x, w_s, bias, torch.zeros_like(bias)).T
    g_t = torch.special.expit(W["gs"] @ s_prev + W["gx"] @ x_t)
    candidate = torch.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)
    return s_t, g_t, candidate


def torch_gate(x_t, s_prev, W):
    return torch_step(x_t, s_prev, W)[1]


def torch_step(x_t, s_prev, W):
    return tuple(a.detach().numpy() for a in _gru_step(leaf(x_t), leaf(s_prev), leaf(W)))


def _gru_walk(xs, s0, W):
    return torch_walk(lambda x_t, s_prev: _gru_step(x_t, s_prev, W), xs, s0)


def torch_forward(xs, s0, W):
    return tuple(a.detach().numpy() for a in _gru_walk(leaf(xs), leaf(s0), leaf(W)))


def torch_step_backward(ds, x_t, s_prev, g_t, candidate, W):
    return torch_gradients(lambda *step: _gru_step(*step)[0], ds, x_t, s_prev, W)


def torch_backward(dstates, xs, s0, states, gates, candidates, W):
    return torch_gradients(lambda *walk: _gru_walk(*walk)[0], dstates, xs, s0, W)


def _torch_reset_step(x_t, s_prev, W):
    """The state after the step by `torch.gru_cell`: z = 1 - g (weights negated)."""
    import torch

    w_x, w_s = torch.cat([W["rx"], -W["gx"], W["sx"]]), torch.cat([W["rs"], -W["gs"], W["ss"]])
    return torch.gru_cell(x_t.T, s_prev.T, w_x, w_s).T


def torch_reset_backward(ds, x_t, s_prev, r_t, g_t, candidate, W):
    return torch_gradients(_torch_reset_step, ds, x_t, s_prev, W)


# --------------------------------------------------------------------------------------- gate

gate = Exercise(
    returns=("g_t",),
    cases=(step_inputs, partial(step_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(step_inputs, N=1, H=1, D=1),
        "as many inputs as units (D = H)": partial(step_inputs, D=3),
        "pre-activations beyond 1,000": beyond_inputs,
    },
    hints=(
        "The gate looks at the same two things as the step of an RNN, the state before and the "
        "input. Only the matrices and the squashing function are its own.",
        "Both products must have the shape of the state, (H, N); so has the gate: "
        "one number for each unit and each sequence.",
        'Start with `pre_activation = W["gs"] @ s_prev + …`; `sigmoid` is given.',
    ),
    confirm=torch_gate,
)

# --------------------------------------------------------------------------------- gated_step

gated_step = Exercise(
    returns=("s_t", "g_t", "candidate"),
    cases=(step_inputs, partial(step_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(step_inputs, N=1, H=1, D=1),
        "as many inputs as units (D = H)": partial(step_inputs, D=3),
        "gates almost shut or wide open": partial(step_inputs, gate_scale=saturating(near=1.5, far=6.0)),
        "a state outside -1 to 1": state_outside_inputs,
    },
    hints=(
        "Three lines, one for each of (4.1), (4.2) and (4.3): how much, what, and the mixture.",
        "Gate, candidate, old and new state all have the shape (H, N), "
        "so the mixture is made of `*`, not of `@`.",
        "Start with `g_t = gate(x_t, s_prev, W)`; the candidate is the step of notebook 01.",
    ),
    needs=("gate",),
    confirm=torch_step,
)

# ------------------------------------------------------------------------------ gated_forward

gated_forward = Exercise(
    returns=("states", "gates", "candidates"),
    cases=(sequence_inputs, partial(sequence_inputs, T=7, D=5, H=4, N=3)),
    edge_cases={
        **sizes(sequence_inputs, T=1, N=1, H=1, D=1),
        "twenty-five steps": partial(sequence_inputs, T=25),
        "gates almost shut or wide open": partial(sequence_inputs, gate_scale=6.0),
    },
    hints=(
        "One step after the other: the state that a step returns is the `s_prev` of the next.",
        "Three lists that grow by an (H, N) array a step, stacked at the end into (T, H, N).",
        "Start with `s_prev = s0` and `for x_t in xs:`.",
    ),
    needs=("gated_step", "gate"),
    confirm=torch_forward,
)

# ------------------------------------------------------------------------ gated_step_backward

# What a check may say of a derivation: which way is wrong. Never by which factor.
CANDIDATE, GATE = "the way through the candidate is not right", "the way through the gate is not right"
RESET = "the way through the reset gate is not right"
TO_STATE, TO_INPUT = "what comes home to `ds_prev` is not right", "what comes home to `dx` is not right"


def home_stages(draw, also=()):
    """How the ways through candidate and gate end in the old state, each beside the direct way alone."""
    return {
        f"{way} home": Stage(
            silenced(draw, zero=(silent, *also)),
            ("ds_prev",),
            f'`W["{silent}"]` is zero here: beside the direct way, only the one through the {way} ends in '
            "`ds_prev`",
        )
        for way, silent in (("candidate", "gs"), ("gate", "ss"))
    }


def ways(to_state, gates=(GATE,), homes=("candidate home", "gate home")):
    """The ways back through a step: by the weights that show each of them alone, then where they end."""
    return {
        CANDIDATE: Way(
            ('dW["ss"]', 'dW["sx"]'),
            "Which steps lead from the candidate's pre-activation to the loss? Each has a slope.",
            stages=("candidate", "candidate home"),
        ),
        GATE: Way(
            ('dW["gs"]', 'dW["gx"]'),
            "Which steps lead from the gate's pre-activation to the loss? Each has a slope.",
            stages=("gate", "gate home"),
        ),
        TO_STATE: Way(
            ("ds_prev",),
            f"{to_state} One is missing, or comes home changed.",
            (CANDIDATE, *gates),
            ("direct", *homes),
        ),
        TO_INPUT: Way(
            ("dx",),
            "Where does the input enter the step? From each place a way comes home.",
            (CANDIDATE, *gates),
            tuple(home.removesuffix(" home") for home in homes),
        ),
    }


gated_step_backward = Exercise(
    returns=("dx", "ds_prev", "dW"),
    cases=(step_backward_inputs, partial(step_backward_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(step_backward_inputs, N=1, H=1, D=1),
        "as many inputs as units (D = H)": partial(step_backward_inputs, D=3),
        "gates almost shut or wide open": partial(step_backward_inputs, gate_scale=2.5),
        "a state outside -1 to 1": partial(step_backward_inputs, outside=True),
    },
    hints=(
        "Go back through (4.3) first: it has three arguments, the old state, the candidate and the "
        "gate. Then back through what made the candidate and the gate.",
        "The gradients by both pre-activations have the shape (H, N). "
        "`s_prev` is reached by three ways, `x_t` by two: what they bring is added.",
        "Take one way at a time, and begin with the candidate: "
        '`check(gated_step_backward, stage="candidate")` looks at it alone.',
    ),
    gradient=Gradient(
        of="gated_step",
        upstream={"ds": "s_t"},
        wrt={"dx": "x_t", "ds_prev": "s_prev", "dW": "W"},
    ),
    confirm=torch_step_backward,
    stages={
        "direct": Stage(
            silenced(step_backward_inputs, zero=("ss", "gs")),
            ("ds_prev",),
            '`W["ss"]` and `W["gs"]` are zero here: `ds_prev` shows the direct way alone',
        ),
        "candidate": Stage(
            silenced(step_backward_inputs, identity=("sx",), zero=("gx",)),
            ("dx",),
            '`W["sx"]` is the identity here and `W["gx"]` zero: `dx` is the gradient by the candidate\'s '
            "pre-activation",
        ),
        "gate": Stage(
            silenced(step_backward_inputs, identity=("gx",), zero=("sx",)),
            ("dx",),
            '`W["gx"]` is the identity here and `W["sx"]` zero: `dx` is the gradient by the gate\'s '
            "pre-activation",
        ),
        **home_stages(step_backward_inputs),
    },
    ways=ways("Three ways end here: direct, through the candidate, through the gate."),
)

# ----------------------------------------------------------------------------- gated_backward

gated_backward = Exercise(
    returns=("dxs", "ds0", "dW"),
    cases=(backward_inputs, partial(backward_inputs, T=7, D=5, H=4, N=3)),
    edge_cases={
        **sizes(backward_inputs, T=1, N=1, H=1, D=1),
        "the loss looks at the last state only": partial(backward_inputs, last_only=True),
        "twenty steps": partial(backward_inputs, T=20),
        "gates almost shut or wide open": partial(backward_inputs, gate_scale=2.5),
    },
    hints=(
        "From the last step to the first. At every state two things meet: "
        "what arrives from outside, `dstates[k]`, and what the step after it handed back.",
        "The carry has the shape (H, N) and starts at zero. `dxs` is filled step by step, "
        "`dW` is summed over the steps, and the carry that is left over at the end is `ds0`.",
        "Start with `carry = np.zeros_like(s0)` and `for k in reversed(range(len(xs))):`; "
        "the state before step k is `states[k - 1]`, but for k = 0 it is `s0`.",
    ),
    needs=("gated_step_backward",),
    gradient=Gradient(
        of="gated_forward",
        upstream={"dstates": "states"},
        wrt={"dxs": "xs", "ds0": "s0", "dW": "W"},
    ),
    confirm=torch_backward,
)

# ------------------------------------------------------------------------ reset_step_backward

reset_step_backward = Exercise(
    returns=("dx", "ds_prev", "dW"),
    cases=(reset_backward_inputs, partial(reset_backward_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(reset_backward_inputs, N=1, H=1, D=1),
        "as many inputs as units (D = H)": partial(reset_backward_inputs, D=3),
        "gates almost shut or wide open": partial(reset_backward_inputs, gate_scale=2.5),
        "a state outside -1 to 1": partial(reset_backward_inputs, outside=True),
    },
    hints=(
        "Write the step as a list of small ones, each with a name of its own, and go back through the list.",
        "All pre-activations have the shape (H, N). `s_prev` is reached by four ways, `x_t` by three.",
        "Begin with what you have found already: the candidate's pre-activation, then the gate's. "
        '`check(reset_step_backward, stage="candidate")` looks at the first alone.',
    ),
    gradient=Gradient(
        of="reset_step",
        upstream={"ds": "s_t"},
        wrt={"dx": "x_t", "ds_prev": "s_prev", "dW": "W"},
        returns=("s_t", "r_t", "g_t", "candidate"),
    ),
    confirm=torch_reset_backward,
    stages={
        "candidate": Stage(
            silenced(reset_backward_inputs, identity=("sx",), zero=("gx", "rx")),
            ("dx",),
            '`W["sx"]` is the identity here, `W["gx"]` and `W["rx"]` are zero: `dx` is the gradient by the '
            "candidate's pre-activation",
        ),
        "gate": Stage(
            silenced(reset_backward_inputs, identity=("gx",), zero=("sx", "rx")),
            ("dx",),
            '`W["gx"]` is the identity here, `W["sx"]` and `W["rx"]` are zero: `dx` is the gradient by the '
            "gate's pre-activation",
        ),
        "reset": Stage(
            silenced(reset_backward_inputs, identity=("rx",), zero=("sx", "gx")),
            ("dx",),
            '`W["rx"]` is the identity here, `W["sx"]` and `W["gx"]` are zero: `dx` is the gradient by the '
            "reset gate's pre-activation",
        ),
        "direct": Stage(
            silenced(reset_backward_inputs, zero=("ss", "gs", "rs")),
            ("ds_prev",),
            '`W["ss"]`, `W["gs"]` and `W["rs"]` are zero here: `ds_prev` shows the direct way alone',
        ),
        **home_stages(reset_backward_inputs, also=("rs",)),
        "reset home": Stage(
            silenced(reset_backward_inputs, zero=("gs",)),
            ("ds_prev",),
            '`W["gs"]` is zero here: beside the ways that other stages try, only the one through the reset '
            "gate ends in `ds_prev`",
        ),
    },
    ways={
        **ways(
            "Four ways end here: direct, through the candidate, through the gate, through the reset gate.",
            (GATE, RESET),
            ("candidate home", "gate home", "reset home"),
        ),
        RESET: Way(
            ('dW["rs"]', 'dW["rx"]'),
            "Which steps lead from the reset gate's pre-activation to the candidate's? Each has a slope.",
            (CANDIDATE,),
            ("reset", "reset home"),
        ),
    },
)
