"""How the graded functions of notebook 02 are checked."""

from functools import partial

import numpy as np

import common
from autograder import Exercise, Gradient
from common import arriving, saturating, some_labels, some_states, torch_gradients, turning

sizes = partial(common.sizes, words=common.WORDS | {"T = 1": "one position"})

# ------------------------------------------------------------------------------ loss_backward


def loss_inputs(rng, C=5, H=3, N=4, scale=1.0, labels=None):
    """A last state, output weights, and the probabilities that belong to them: little for the first label."""
    # Below N as well as below C: rows and columns exchanged must give a wrong answer, not an error.
    labels = some_labels(rng, N, below=min(C, N)) if labels is None else np.full(N, labels)
    s_last = some_states(rng, H, N)
    ys = scale * rng.normal(size=(C, H))
    least, first = (ys @ s_last[:, 0]).argmin(), labels[0]
    ys[[least, first]] = ys[[first, least]]
    logits = ys @ s_last
    exponentials = np.exp(logits - logits.max(axis=0))
    return {
        "probabilities": exponentials / exponentials.sum(axis=0),
        "labels": labels,
        "s_last": s_last,
        "W": {"ys": ys},
    }


def torch_loss_backward(probabilities, labels, s_last, W):
    import torch

    def loss(s_last, W):
        return torch.nn.functional.cross_entropy((W["ys"] @ s_last).T, torch.tensor(labels))

    return torch_gradients(loss, 1.0, s_last, W)


loss_backward = Exercise(
    returns=("ds_last", "dW"),
    cases=(loss_inputs, partial(loss_inputs, C=4, H=5, N=3)),
    edge_cases={
        "one sequence (N = 1)": partial(loss_inputs, N=1, labels=3),
        **sizes(loss_inputs, H=1, C=2),
        "every sequence has the same label": partial(loss_inputs, labels=1),
        "as many sequences as classes (N = C)": partial(loss_inputs, C=4),
        "confident predictions": partial(loss_inputs, scale=4.0),
    },
    hints=(
        "Two steps back: first from the loss to the logits, which is (2.4), "
        "then through the matrix that made the logits, which is (2.5) and (2.6).",
        "The gradient by the logits has the shape of the probabilities, (C, N). "
        "Column n of it differs from column n of the probabilities (divided by N) in one entry.",
        "Start with `N = len(labels)` (the notebook's N belongs to its small model) and "
        "`dz = probabilities.copy()`; each sequence's own label is `dz[labels, np.arange(N)]`.",
    ),
    confirm=torch_loss_backward,
)

# -------------------------------------------------------------------------- rnn_step_backward


def step(x_t, s_prev, W):
    return np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)


def weights(rng, D, H, scale):
    return {"ss": scale * turning(rng, H, gain=1.7), "sx": 0.6 * scale * rng.normal(size=(H, D))}


def step_inputs(rng, D=4, H=3, N=2, scale=0.7):
    """One step of the RNN, and a gradient that arrives at its new state."""
    W = weights(rng, D, H, scale)
    s_prev = some_states(rng, H, N)
    x_t = rng.normal(size=(D, N))
    # What the first unit gets from state and input does not cancel: near 0 a tanh is hardly there.
    x_t = x_t * np.sign((W["ss"] @ s_prev)[0] * (W["sx"] @ x_t)[0])
    return {
        "ds": arriving(rng, H, N),
        "x_t": x_t,
        "s_prev": s_prev,
        "s_t": step(x_t, s_prev, W),
        "W": W,
    }


def torch_rnn_step_backward(ds, x_t, s_prev, s_t, W):
    import torch

    def step(x_t, s_prev, W):
        return torch.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)

    return torch_gradients(step, ds, x_t, s_prev, W)


rnn_step_backward = Exercise(
    returns=("dx", "ds_prev", "dW"),
    cases=(step_inputs, partial(step_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(step_inputs, N=1, D=1, H=1),
        "as many inputs as units (D = H)": partial(step_inputs, D=3),
        "saturated units": partial(step_inputs, scale=saturating(near=0.7, far=6.0)),
    },
    axes={"dx": ("input", "sequence"), "ds_prev": ("unit", "sequence")},
    hints=(
        "Go back through the tanh first, (2.7). All four answers start from what you then hold.",
        "Each gradient has the shape of what it belongs to: dx (D, N), ds_prev (H, N), "
        'dW["ss"] (H, H), dW["sx"] (H, D). That leaves little choice of what to transpose; '
        'only W["ss"] and dW["ss"] are square: (2.8) and (2.11) decide.',
        "Start with `da = ds * (…)`, where the bracket needs nothing but `s_t`.",
    ),
    gradient=Gradient(
        of="rnn_step",
        upstream={"ds": "s_t"},
        wrt={"dx": "x_t", "ds_prev": "s_prev", "dW": "W"},
        returns=("s_t",),
    ),
    confirm=torch_rnn_step_backward,
)

# ------------------------------------------------- parameter_contributions and rnn_backward


def sequence_inputs(rng, T=5, D=4, H=3, N=2, scale=0.7, last_only=False):
    """A sequence, the states the RNN goes through, and the loss's direct gradients at them."""
    W = weights(rng, D, H, scale)
    xs = rng.normal(size=(T, D, N))
    s0 = some_states(rng, H, N)
    states, s = np.zeros((T, H, N)), s0
    for k in range(T):
        s = states[k] = step(xs[k], s, W)
    ds = arriving(rng, T, H, N)
    if last_only:
        ds[:-1] = 0
    return {"ds": ds, "xs": xs, "s0": s0, "states": states, "W": W}


def long_inputs(rng, T=40, D=2, H=3, N=2):
    """A long sequence in which gradients neither vanish nor explode."""
    drawn = sequence_inputs(rng, T, D, H, N)
    W = {"ss": turning(rng, H, gain=1.1), "sx": 0.1 * drawn["W"]["sx"]}
    states, s = np.zeros((T, H, N)), drawn["s0"]
    for k in range(T):
        s = states[k] = step(drawn["xs"][k], s, W)
    return {**drawn, "states": states, "W": W}


SEQUENCE_EDGES = {
    **sizes(sequence_inputs, N=1, T=1, D=1, H=1),
    "the loss looks at the last state only": partial(sequence_inputs, last_only=True),
    "saturated units": partial(sequence_inputs, scale=saturating(near=0.7, far=6.0)),
    "a long sequence (T = 40)": long_inputs,
}


def torch_states(xs, s0, copies):
    """Run PyTorch's own autograd through the steps, each with its own copy of the weights."""
    import torch

    states = []
    for x, ss, sx in zip(xs, copies["ss"], copies["sx"], strict=True):
        s0 = torch.tanh(ss @ s0 + sx @ x)
        states.append(s0)
    return torch.stack(states)


def torch_contributions(ds, xs, s0, states, W):
    import torch

    def states_of(copies):
        return torch_states(torch.tensor(xs), torch.tensor(s0), copies)

    copies = {key: np.stack([value] * len(xs)) for key, value in W.items()}
    return torch_gradients(states_of, ds, copies)[0]


def torch_rnn_backward(ds, xs, s0, states, W):
    def states_of(xs, s0, W):
        return torch_states(xs, s0, {key: value.expand(len(xs), *value.shape) for key, value in W.items()})

    return torch_gradients(states_of, ds, xs, s0, W)


parameter_contributions = Exercise(
    returns=("contributions",),
    cases=(sequence_inputs, partial(sequence_inputs, T=7, D=5, H=4, N=3)),
    edge_cases=SEQUENCE_EDGES,
    needs=("rnn_step_backward",),
    axes={"contributions": ("position", "row", "column")},
    hints=(
        "Walk from the last position to the first. At each one `rnn_step_backward` tells the "
        "weights' share and what to carry to the state before.",
        "The answers are (T, H, H) and (T, H, D): make room for them with `np.zeros`, fill [k]. "
        "`carried` is (H, N), like a state.",
        "Start with `T = len(xs)` and `carried = np.zeros(s0.shape)`, then "
        "`for k in reversed(range(T)):` and, as (2.15) says, `delta = ds[k] + carried`.",
    ),
    confirm=torch_contributions,
)

rnn_backward = Exercise(
    returns=("dxs", "ds0", "dW"),
    cases=(sequence_inputs, partial(sequence_inputs, T=7, D=5, H=4, N=3)),
    edge_cases=SEQUENCE_EDGES,
    needs=("rnn_step_backward", "parameter_contributions"),
    axes={"dxs": ("position", "input", "sequence"), "ds0": ("unit", "sequence")},
    hints=(
        "The same walk as in `parameter_contributions`. Three things are kept: what each input "
        "gets, what reaches the start, and one running sum per matrix.",
        "dxs is (T, D, N), filled at [k]; dW holds (H, H) and (H, D), added to at every position; "
        "ds0 is (H, N).",
        "Before the loop: `dxs = np.zeros(xs.shape)`, zeros for both entries of dW, and "
        "`carried = np.zeros(s0.shape)`. After it, look at what `carried` holds.",
    ),
    gradient=Gradient(
        of="rnn_forward_batch",
        upstream={"ds": "states"},
        wrt={"dxs": "xs", "ds0": "s0", "dW": "W"},
        returns=("states",),
    ),
    confirm=torch_rnn_backward,
)
