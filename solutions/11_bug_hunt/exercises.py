"""How the graded functions of notebook 11 are checked: each mends a broken one that is given."""

from functools import partial

import numpy as np

import common
from autograder import Exercise, Gradient
from common import (
    arriving,
    both_signs,
    gated_step,
    lstm_step,
    matrices,
    rnn_states,
    saturating,
    sizes,
    some_states,
    torch_gradients,
    torch_walk,
)

ALIKE = common.ALIKE

STEPS = ("time step", "unit", "sequence")

# --------------------------------------------------------------------------- fix_time_first


def batch_inputs(rng, N=4, T=5, D=3):
    return {"batch": rng.normal(size=(N, T, D))}


def by_einsum(batch):
    return np.einsum("ntd->tdn", batch)


fix_time_first = Exercise(
    returns=("xs",),
    mends="broken_time_first",
    shown_by="Give it a batch in which every number says where it belongs, such as 100 n + 10 t + d, and "
    "look at one sequence.",
    cases=(batch_inputs, partial(batch_inputs, N=3, T=6, D=2)),
    edge_cases={
        **sizes(batch_inputs, N=1, T=1, D=1),
        "as many sequences as steps (N = T)": partial(batch_inputs, N=5),
    },
    axes={"xs": ("time step", "input", "sequence")},
    hints=(
        "Follow one number: where does batch[1, 0, 0] stand afterwards, and where should it?",
        "(N, T, D) becomes (T, D, N): each axis goes to another place, and no number changes its "
        "neighbours along any axis.",
        "One line is to be changed. Is the operation in it one that exchanges axes, or one that cuts a long "
        "row of numbers anew?",
    ),
    confirm=by_einsum,
)

# ------------------------------------------------------------------------------ fix_forward


def rnn_weights(rng, D, H, scale):
    return matrices(rng, scale, ss=(H, H), sx=(H, D))


def forward_inputs(rng, T=5, D=4, H=3, N=2, scale=0.7):
    return {
        "xs": rng.normal(size=(T, D, N)),
        "s0": some_states(rng, H, N),
        "W": rnn_weights(rng, D, H, scale),
    }


def _torch_rnn(xs, s0, W):
    import torch

    def step(x_t, s):
        return (torch.tanh(torch.addmm(W["sx"] @ x_t, W["ss"], s)),)

    return torch_walk(step, xs, s0)[0]


def torch_forward(xs, s0, W):
    import torch

    weights = {key: torch.tensor(array) for key, array in W.items()}
    return _torch_rnn(torch.tensor(xs), torch.tensor(s0), weights).numpy(), s0


fix_forward = Exercise(
    returns=("states", "s0_afterwards"),
    tried_by="try_forward",
    mends="broken_forward",
    shown_by="Compare the states of five steps, one by one; and look at `s0` before the call and after it.",
    cases=(forward_inputs, partial(forward_inputs, T=7, D=5, H=4, N=3)),
    edge_cases={
        **sizes(forward_inputs, T=1, N=1, D=1, H=1),
        "saturated units": partial(forward_inputs, scale=saturating(near=0.7, far=10.0)),
    },
    axes={"states": STEPS},
    hints=(
        "How many arrays does the function make before the last line, and how many should it make?",
        "Each step needs an (H, N) array of its own, and `s0` belongs to the caller.",
        "Look at the line of the step, as it was given. Does its left side make a new array, or does it "
        "write into one that is there?",
    ),
    confirm=torch_forward,
)

# ----------------------------------------------------------------------------- fix_backward


def backward_inputs(rng, T=5, D=4, H=3, N=2, scale=0.7, at_end=False):
    inputs = forward_inputs(rng, T, D, H, N, scale)
    dstates = arriving(rng, T, H, N)
    if at_end:
        dstates[:-1] = 0
    return {
        "dstates": dstates,
        "xs": inputs["xs"],
        "s0": inputs["s0"],
        "states": rnn_states(**inputs),
        "W": inputs["W"],
    }


def torch_backward(dstates, xs, s0, states, W):
    return torch_gradients(_torch_rnn, dstates, xs, s0, W)


fix_backward = Exercise(
    returns=("dxs", "ds0", "dW"),
    mends="broken_backward",
    shown_by="Do a gradient check with more than one step.",
    cases=(backward_inputs, partial(backward_inputs, T=7, D=5, H=4, N=3)),
    edge_cases={
        **sizes(backward_inputs, T=1, N=1, D=1, H=1),
        "the loss at the last step alone": partial(backward_inputs, at_end=True),
        "saturated units": partial(backward_inputs, scale=saturating(near=0.7, far=4.0)),
    },
    hints=(
        "Which two things arrive at a state in the middle of a sequence?",
        "All that arrives at one state is (H, N). Where in the loop do the two meet?",
        "Follow `ds` from the last line of one round into the next round: which line reads it?",
    ),
    confirm=torch_backward,
)

# --------------------------------------------------------------------------------- fix_clip


# So large that the 1e-6 that PyTorch adds to the norm makes no difference to what is clipped.
clip_inputs = partial(common.clip_inputs, name="dW", norms=(20.0, 48.0, 40.0))
short_inputs = partial(common.clip_inputs, name="dW", norms=(0.2, 0.5, 0.4))


def by_one_vector(dW, max_norm):
    norm = np.linalg.norm(np.concatenate([gradient.ravel() for gradient in dW.values()]))
    return {key: gradient * (max_norm / norm if norm > max_norm else 1) for key, gradient in dW.items()}, norm


fix_clip = Exercise(
    returns=("clipped", "norm"),
    mends="broken_clip",
    shown_by="Give it a gradient that needs no clipping.",
    cases=(partial(clip_inputs, limit=1.5), partial(clip_inputs, limit=0.01)),
    edge_cases={
        "a norm far above the limit": partial(clip_inputs, limit=1e-3),
        "a norm just above the limit": partial(clip_inputs, limit=0.95),
        "a norm above the limit by a hair": partial(clip_inputs, limit=1 - 1e-6),
        "a norm just below the limit": partial(clip_inputs, limit=1.05),
        "a norm far below the limit": partial(short_inputs, limit=50.0),
        "a single array, above the limit": partial(clip_inputs, limit=0.7, keys=("ss",)),
        "a gradient of zeros": partial(common.zero_gradients, name="dW"),
    },
    axes={"clipped": ("row", "column")},
    rtol=1e-7,  # who divides by the norm plus 1e-6, as PyTorch does, is right too
    hints=(
        "There are two kinds of gradient: too long, and not too long. What is to happen to each?",
        "One factor for all arrays. How large may it be at most?",
        "Put numbers into the line of the factor: a norm of 0.1, a limit of 1. And a norm of 0?",
    ),
    confirm=by_one_vector,
)

# ----------------------------------------------------------------------- fix_gated_backward


def gated_inputs(rng, D=4, H=3, N=2, scale=0.8, gate_bias=0.0):
    x_t, s_prev = rng.normal(size=(D, N)), some_states(rng, H, N)
    W = matrices(rng, scale, gs=(H, H), gx=(H, D), ss=(H, H), sx=(H, D))
    if gate_bias:  # an input that is always 1
        x_t[0], W["gx"][:, 0] = 1.0, gate_bias
    _, g_t, candidate = gated_step(x_t, s_prev, W)
    return {
        "ds": arriving(rng, H, N),
        "x_t": x_t,
        "s_prev": s_prev,
        "g_t": g_t,
        "candidate": candidate,
        "W": W,
    }


def nothing_new(rng):
    """A candidate that is the state itself: the gate has nothing to decide."""
    inputs = gated_inputs(rng, D=5)
    W, s_prev, x_t = inputs["W"], inputs["s_prev"], inputs["x_t"]
    sx = (np.arctanh(s_prev) - W["ss"] @ s_prev) @ np.linalg.pinv(x_t)
    return {**inputs, "candidate": s_prev.copy(), "W": {**W, "sx": sx}}


def _torch_gated(x_t, s_prev, W):
    import torch

    g = torch.special.expit(W["gs"] @ s_prev + W["gx"] @ x_t)
    return torch.lerp(s_prev, torch.tanh(W["ss"] @ s_prev + W["sx"] @ x_t), g)


def torch_gated_backward(ds, x_t, s_prev, g_t, candidate, W):
    return torch_gradients(_torch_gated, ds, x_t, s_prev, W)


fix_gated_backward = Exercise(
    returns=("dx", "ds_prev", "dW"),
    mends="broken_gated_backward",
    shown_by="Do a gradient check at weights that are not small, one array at a time: which are right?",
    cases=(gated_inputs, partial(gated_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(gated_inputs, N=1, D=1, H=1),
        "gates nearly open": partial(gated_inputs, gate_bias=4.0),
        "gates nearly shut": partial(gated_inputs, gate_bias=-4.0),
        "a candidate that is the state": nothing_new,
    },
    hints=(
        "The code that was given makes some of the arrays in `dW` right. Which of its lines have a part only "
        "in those that are wrong?",
        "In the code that was given all shapes are right. It is a number at each place of an (H, N) array "
        "that is not.",
        "For the line that you suspect: what does the function in it want, what went *into* the gate or what "
        "came *out* of it? And what is it given?",
    ),
    gradient=Gradient(
        of="gated_step",
        returns=("s_t", "g_t", "candidate"),
        upstream={"ds": "s_t"},
        wrt={"dx": "x_t", "ds_prev": "s_prev", "dW": "W"},
    ),
    confirm=torch_gated_backward,
)

# ---------------------------------------------------------------------------- fix_lstm_step


def stacked_weights(rng, D, H, scale):
    return matrices(rng, scale, h=(4 * H, H), x=(4 * H, D), b=(4 * H, 1))


def lstm_inputs(rng, D=4, H=3, N=2, scale=0.7, biases=(0.0, 0.0, 0.0, 0.0)):
    W = stacked_weights(rng, D, H, scale)
    W["b"] = W["b"] + np.repeat(biases, H)[:, None]
    return {
        "x_t": rng.normal(size=(D, N)),
        "h_prev": some_states(rng, H, N),
        "c_prev": both_signs(rng, (H, N), 0.3, 2.0),
        "W": W,
    }


def half_open(rng):
    """Output gate and candidate have no weights: one is 1/2, the other 0."""
    inputs = lstm_inputs(rng)
    W = {key: np.concatenate([array[:6], 0 * array[6:]]) for key, array in inputs["W"].items()}
    return {**inputs, "W": W}


def unstacked(W, split):
    """The weights of each network by themselves, as `lstm_step` takes them."""
    return {k + kind: W_k for kind in W for k, W_k in zip("fioc", split(W[kind], 4), strict=True)}


def _torch_lstm(x_t, h_prev, c_prev, W):
    import torch

    return common.torch_lstm_step(x_t, h_prev, c_prev, unstacked(W, torch.chunk))


def torch_lstm_step(x_t, h_prev, c_prev, W):
    import torch

    weights = {key: torch.tensor(array) for key, array in W.items()}
    h, c, gates = _torch_lstm(*map(torch.tensor, (x_t, h_prev, c_prev)), weights)
    return h.numpy(), c.numpy(), {key: gate.numpy() for key, gate in gates.items()}


fix_lstm_step = Exercise(
    returns=("h_t", "c_t", "gates"),
    mends="broken_lstm_step",
    shown_by="Set all weights to zero and one block of four biases to -100, one block after another: what "
    "does the docstring say must come out?",
    cases=(lstm_inputs, partial(lstm_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(lstm_inputs, N=1, D=1, H=1),
        "the memory kept, nothing written": partial(lstm_inputs, biases=(8.0, -8.0, 0.0, 0.0)),
        "no weights for output gate and candidate": half_open,
        "the output gate nearly shut": partial(lstm_inputs, biases=(0.0, 0.0, -8.0, 0.0)),
    },
    hints=(
        "What the given code computes is an LSTM. What does the docstring say of the blocks that this code "
        "does not do?",
        "`z` is (4H, N): rows 0 to H - 1 belong to the first block that the docstring names, and so on.",
        "Read the line that takes `z` apart, name by name, against the first line of the docstring.",
    ),
    confirm=torch_lstm_step,
)

# ------------------------------------------------------------------------ fix_lstm_backward


def lstm_backward_inputs(rng, D=4, H=3, N=2, scale=0.7, memory=(0.3, 2.0), only_dc=False):
    inputs = lstm_inputs(rng, D, H, N, scale)
    inputs["c_prev"] = both_signs(rng, (H, N), *memory)
    _, c_t, gates = lstm_step(**{**inputs, "W": unstacked(inputs["W"], np.split)})
    dh = arriving(rng, H, N)
    return {
        "dh": 0 * dh if only_dc else dh,
        "dc": arriving(rng, H, N),
        **{name: inputs[name] for name in ("x_t", "h_prev", "c_prev")},
        "c_t": c_t,
        "gates": gates,
        "W": inputs["W"],
    }


def torch_lstm_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    return torch_gradients(lambda *step: _torch_lstm(*step)[:2], (dh, dc), x_t, h_prev, c_prev, W)


fix_lstm_backward = Exercise(
    returns=("dx", "dh_prev", "dc_prev", "dW"),
    mends="broken_lstm_backward",
    shown_by="Do a gradient check with a memory that is full: entries of 2 or 3.",
    cases=(lstm_backward_inputs, partial(lstm_backward_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(lstm_backward_inputs, N=1, D=1, H=1),
        "only dc arrives": partial(lstm_backward_inputs, only_dc=True),
        "a full memory": partial(lstm_backward_inputs, memory=(4.0, 6.0)),
    },
    hints=(
        "The code that was given is right where `dh` is zero. Which of its lines read `dh`?",
        "In the code that was given all shapes are right, and so is the order of the blocks.",
        "For each factor in the lines that read `dh`, name the operation of the way there whose slope it is. "
        "Is it written with what came out of that operation?",
    ),
    gradient=Gradient(
        of="fix_lstm_step",
        upstream={"dh": "h_t", "dc": "c_t"},
        wrt={"dx": "x_t", "dh_prev": "h_prev", "dc_prev": "c_prev", "dW": "W"},
    ),
    confirm=torch_lstm_backward,
)

# ----------------------------------------------------------------------- fix_masked_forward


def masked_inputs(rng, T=6, D=4, H=5, N=3, scale=0.7, lengths=(6, 2, 4)):
    inputs = forward_inputs(rng, T, D, H, N, scale)
    return {
        "xs": inputs["xs"],
        "lengths": np.array(lengths[:N]),
        "s0": inputs["s0"],
        "W": inputs["W"],
    }


def one_by_one(xs, lengths, s0, W):
    """Each sequence alone, without what stands behind its end; and `s0`, which stays."""
    states = np.zeros((len(xs), *s0.shape))
    for n, length in enumerate(lengths):
        states[:length, :, n] = rnn_states(xs[:length, :, n : n + 1], s0[:, n : n + 1], W)[:, :, 0]
        states[length:, :, n] = states[length - 1, :, n]
    return states, s0


fix_masked_forward = Exercise(
    returns=("states", "s0_afterwards"),
    tried_by="try_masked_forward",
    mends="broken_masked_forward",
    shown_by="Take a short sequence out of a batch, and compare its last state alone and in company.",
    cases=(masked_inputs, partial(masked_inputs, T=5, D=3, H=4, N=2, lengths=(3, 5))),
    edge_cases={
        "all equally long": partial(masked_inputs, lengths=(6, 6, 6)),
        "all shorter than T": partial(masked_inputs, lengths=(3, 2, 4)),
        "sequences of one step": partial(masked_inputs, lengths=(1, 6, 1)),
        "one sequence (N = 1), shorter than T": partial(masked_inputs, N=1, lengths=(4,)),
        **sizes(masked_inputs, H=1),
    },
    axes={"states": STEPS},
    hints=(
        "What does the state of a sequence that is over look like, and what should it be?",
        "`is_word` is (N,): one answer for each column of the (H, N) state.",
        "There are two candidates for the state after a step. Which are they, and what chooses between them?",
    ),
    confirm=one_by_one,
)

# -------------------------------------------------------------------------- fix_temperature


def temperature_inputs(rng, C=4, N=3, temperature=0.6, size=1.0, apart=0.0):
    # Each column has its classes in an order of its own, and none of them is far behind.
    spaced = np.stack([rng.permutation(np.linspace(-1.5, 1.5, C)) for _ in range(N)], axis=1)
    logits = size * (spaced + rng.uniform(-0.2, 0.2, size=(C, N))) + apart * np.arange(N)
    return {"logits": logits, "temperature": temperature}


def far_logits(rng):
    inputs = temperature_inputs(rng, temperature=0.5)
    return {**inputs, "logits": inputs["logits"] + np.array([[1000.0, -1000.0, 0.0]])}


def torch_temperature(logits, temperature):
    import torch

    return torch.softmax(torch.tensor(logits) / temperature, dim=0).numpy()


fix_temperature = Exercise(
    returns=("p",),
    mends="broken_temperature",
    shown_by="Ask for a temperature near zero, and for a very high one.",
    cases=(temperature_inputs, partial(temperature_inputs, C=5, N=2, temperature=2.5)),
    edge_cases={
        "temperature 1": partial(temperature_inputs, temperature=1.0),
        "a low temperature": partial(temperature_inputs, temperature=0.2),
        "a temperature of a hundred": partial(temperature_inputs, temperature=100.0),
        "columns far apart": far_logits,
        "logits of a thousand, temperature 0.01": partial(
            temperature_inputs, size=700.0, temperature=0.01, apart=500.0
        ),
        "logits of a thousand, temperature 100": partial(temperature_inputs, size=700.0, temperature=100.0),
        "logits close together, temperature 0.01": partial(temperature_inputs, size=0.01, temperature=0.01),
        **sizes(temperature_inputs, N=1),
    },
    axes={"p": ("class", "sequence")},
    hints=(
        "Put numbers in, .8 and .2 at a temperature of 0.5: what is left of the temperature when the last "
        "line is done? And what does each column sum to?",
        "Everything is (C, N), and each column sums to 1.",
        "Where must the temperature act so that no later line takes it away? And so that numbers of a "
        "thousand are no trouble?",
    ),
    confirm=torch_temperature,
)

# ---------------------------------------------------------------------------- fix_adam_step


def adam_inputs(rng, H=3, D=2, t=4, size=10.0, late=False):
    """A step of Adam behind t - 1 steps whose gradients were alike.

    The gradients are mostly so large that the place of the small number makes no difference, and no step is
    as long as its weight: of a new weight near 0 a rounding error would be a large share. At a late step
    all gradients are alike, and the weights larger, so that a count that is one off never shows there.
    """
    shapes = {"ss": (H, H), "sx": (H, D)}

    def draw():
        return {key: size * both_signs(rng, shape, 0.3, 2.0) for key, shape in shapes.items()}

    smallest = 2.0 if late else 1.0
    W = {key: both_signs(rng, shape, smallest, 3 * smallest) for key, shape in shapes.items()}
    before = draw()
    dW = {key: array.copy() for key, array in before.items()} if late else draw()
    m = {key: (1 - 0.9 ** (t - 1)) * before[key] for key in shapes}
    v = {key: (1 - 0.999 ** (t - 1)) * before[key] ** 2 for key in shapes}
    return {"W": W, "dW": dW, "m": m, "v": v, "t": t, "learning_rate": 0.3}


def torch_adam_step(W, dW, m, v, t, learning_rate):
    import torch

    found: tuple[dict, dict, dict] = ({}, {}, {})
    for key, array in W.items():
        weight = torch.tensor(array, requires_grad=True)
        adam = torch.optim.Adam([weight], lr=learning_rate)
        adam.state[weight] = {
            "step": torch.tensor(float(t - 1)),
            "exp_avg": torch.tensor(m[key]),
            "exp_avg_sq": torch.tensor(v[key]),
        }
        weight.grad = torch.tensor(dW[key])
        adam.step()
        state = adam.state[weight]
        for kept, tensor in zip(found, (weight.detach(), state["exp_avg"], state["exp_avg_sq"]), strict=True):
            kept[key] = tensor.numpy()
    return found


fix_adam_step = Exercise(
    returns=("new_W", "m", "v"),
    mends="broken_adam_step",
    shown_by="Ask for something about Adam that you know: how long its steps are where all gradients are "
    "alike.",
    cases=(adam_inputs, partial(adam_inputs, H=4, D=3, t=9)),
    edge_cases={
        "the first step (t = 1)": partial(adam_inputs, t=1),
        "the second step (t = 2)": partial(adam_inputs, t=2),
        "the hundredth step": partial(adam_inputs, t=100, late=True),
        "a late step (t = 5000)": partial(adam_inputs, t=5000, late=True),
        "small gradients": partial(adam_inputs, size=0.001),
        "large gradients": partial(adam_inputs, size=1e3),
        **sizes(adam_inputs, H=1),
    },
    rtol=1e-6,  # the small number in the divisor may stand elsewhere, where that makes no difference
    atol=1e-13,  # squares of small gradients are small, and no less right for it
    axes={"new_W": ("row", "column"), "m": ("row", "column"), "v": ("row", "column")},
    hints=(
        "Two running means start from zero. What do they hold after one step, if the gradient is 1? What "
        "should a mean of gradients that are all 1 be?",
        "What the code that was given keeps, `m` and `v`, is right. What goes into the step is not. "
        "Everything has the shape of its weights.",
        "Write down the first three values of `m` for gradients of 1. By which number, that hangs on `t`, "
        "must each be divided to give 1? Then the same for `v`.",
    ),
    confirm=torch_adam_step,
)
