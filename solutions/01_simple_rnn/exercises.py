"""How the exercises of notebook 01 are checked."""

import math
from functools import partial

import numpy as np

import common
from autograder import Exercise, Stage
from common import NO_NUDGES, both_signs, saturating, some_labels, some_states, torch_gradients

ALIKE = common.ALIKE

sizes = partial(common.sizes, words=common.WORDS | {"D = 1": "one input number", "T = 1": "one time step"})

# ---------------------------------------------------------------- inputs


def recurrent_weights(rng, D, H, scale=1.0):
    return {
        "ss": scale * rng.normal(size=(H, H)) / math.sqrt(H),
        "sx": scale * rng.normal(size=(H, D)) / math.sqrt(D),
    }


def step_inputs(rng, D=4, H=3, N=2, scale=1.0):
    return {
        "x_t": rng.normal(size=(D, N)),
        "s_prev": some_states(rng, H, N),
        "W": recurrent_weights(rng, D, H, scale),
    }


def sequence_inputs(rng, T=5, D=4, H=3, scale=1.0):
    return {
        "xs": rng.normal(size=(T, D)),
        "s0": some_states(rng, H),
        "W": recurrent_weights(rng, D, H, scale),
    }


def batch_inputs(rng, *, T=5, D=4, H=3, N=2, scale=1.0):
    return {
        "xs": rng.normal(size=(T, D, N)),
        "s0": some_states(rng, H, N),
        "W": recurrent_weights(rng, D, H, scale),
    }


def predict_inputs(rng, H=5, C=3, N=4):
    return {
        "s_last": some_states(rng, H, N),
        "W": {**recurrent_weights(rng, 2, H), "ys": rng.normal(size=(C, H))},
    }


def predict_inputs_of_thousands(rng, H=5, C=3, N=4):
    """Logits of many thousands: the second class's are the others' with the other sign.

    So it wins every other sequence by far, and in the rest the others are close. In the first two sequences
    the logits are about half as large.
    """
    inputs = predict_inputs(rng, H, C, N)
    shared = rng.uniform(2000, 4000, size=H)
    inputs["W"]["ys"] = np.array([[1], [-1], [1]]) * shared + rng.normal(size=(C, H))
    sizes = rng.uniform(0.75, 0.9, size=(H, N)) * np.where(np.arange(N) < 2, 0.5, 1)
    inputs["s_last"] = sizes * np.where(np.arange(N) % 2, -1, 1)
    return inputs


def predict_inputs_far_apart(rng, H=5, C=3, N=4):
    """Logits of about -1500 in the first column and of about 1500 in the others."""
    inputs = predict_inputs(rng, H, C, N)
    inputs["W"]["ys"] = 600 + rng.normal(size=(C, H))
    inputs["s_last"] = rng.uniform(0.4, 0.6, size=(H, N)) * np.where(np.arange(N) == 0, -1, 1)
    return inputs


def loss_inputs(rng, C=3, N=4):
    """What is predicted is wrong for the first sequence, and right for one in C."""
    labels = some_labels(rng, N, C)
    raised = rng.uniform(0.2, 2.0, size=(C, N))
    predicted = (labels + 1 + np.arange(N)) % C
    raised[predicted, np.arange(N)] = rng.uniform(2.1, 3.0, size=N)
    return {"probabilities": raised / raised.sum(axis=0), "labels": labels}


def loss_inputs_extreme(rng, right, C=3, N=4):
    """The labels' probabilities are near 1 (right) or near 0 (wrong), from sequence to sequence less so."""
    labels = some_labels(rng, N, C)
    small = rng.uniform(2e-3, 4e-3, size=(C, N)) * (1 + np.arange(N))
    favoured = labels if right else (labels + 1) % C
    small[favoured, np.arange(N)] = 0.0
    small[favoured, np.arange(N)] = 1 - small.sum(axis=0)
    return {"probabilities": small, "labels": labels}


def grad_inputs(rng, C=5, N=4, labels=None):
    """Predictions of which none is near another's, with little for each label."""
    # Below N as well as below C: rows and columns exchanged must give a wrong answer, not an error.
    labels = some_labels(rng, N, below=min(C, N)) if labels is None else np.full(N, labels)
    raised = rng.uniform(0.6, 2.0, size=(C, N))
    raised[labels, np.arange(N)] = rng.uniform(0.2, 0.5, size=N)
    return {"probabilities": raised / raised.sum(axis=0), "labels": labels}


def grad_inputs_sure(rng, right, C=5, N=4):
    """Nearly all is given to the label (right), or to another class."""
    inputs = grad_inputs(rng, C, N)
    p, labels = inputs["probabilities"], inputs["labels"]
    favoured = labels if right else (labels + 1) % C
    p *= 0.01
    p[favoured, np.arange(N)] += 0.99
    return inputs


def softsign_inputs(rng, D=4, H=3, N=2, low=0.3, high=2.5):
    """What is squashed lies between low and high, on both sides of 0: on one side some mistakes are right."""
    x_t, s_prev = rng.normal(size=(D, N)), some_states(rng, H, N)
    W = {**recurrent_weights(rng, D, H), "sb": both_signs(rng, (H, 1), 0.3, 0.9)}
    lacking = both_signs(rng, (H, N), low, high) - (W["ss"] @ s_prev + W["sx"] @ x_t + W["sb"])
    arriving = np.vstack([s_prev, x_t])
    more = lacking @ np.linalg.solve(arriving.T @ arriving, arriving.T)
    return {
        "x_t": x_t,
        "s_prev": s_prev,
        "W": {**W, "ss": W["ss"] + more[:, :H], "sx": W["sx"] + more[:, H:]},
    }


def softsign_inputs_of_a_start(rng):
    """Before the first word: no input and no state, so that the bias alone decides."""
    inputs = softsign_inputs(rng)
    return {**inputs, "x_t": 0 * inputs["x_t"], "s_prev": 0 * inputs["s_prev"]}


# Short, because where a reference stands in for `rnn_step` it is asked for each step.
short_sequence_inputs = partial(sequence_inputs, T=2)
short_batch_inputs = partial(batch_inputs, T=2)


# ---------------------------------------------------------------- the same values by PyTorch


def torch_rnn_step(x_t, s_prev, W):
    import torch

    x, s, ss, sx = (torch.as_tensor(a) for a in (x_t, s_prev, W["ss"], W["sx"]))
    cell = torch.nn.RNNCell(sx.shape[1], sx.shape[0], bias=False, dtype=torch.float64)
    with torch.no_grad():
        cell.weight_hh.copy_(ss)
        cell.weight_ih.copy_(sx)
        return cell(x.T.contiguous(), s.T.contiguous()).T.numpy()


def torch_rnn_forward(xs, s0, W):
    return torch_rnn_forward_batch(xs[:, :, None], s0[:, None], W)[:, :, 0]


def torch_rnn_forward_batch(xs, s0, W):
    import torch

    H, D = W["sx"].shape
    network = torch.nn.RNN(D, H, bias=False, dtype=torch.float64)
    with torch.no_grad():
        network.weight_hh_l0.copy_(torch.as_tensor(W["ss"]))
        network.weight_ih_l0.copy_(torch.as_tensor(W["sx"]))
        # PyTorch's own order is (T, N, D) and (1, N, H).
        xs, s0 = torch.as_tensor(xs).transpose(1, 2), torch.as_tensor(s0).T[None]
        return network(xs.contiguous(), s0.contiguous())[0].transpose(1, 2).numpy()


def torch_predict(s_last, W):
    import torch

    return torch.softmax(torch.as_tensor(W["ys"]) @ torch.as_tensor(s_last), dim=0).numpy()


def torch_cross_entropy(probabilities, labels):
    import torch

    logs = torch.log(torch.as_tensor(probabilities)).T
    return torch.nn.functional.nll_loss(logs, torch.as_tensor(labels)).numpy()


def torch_cross_entropy_grad(probabilities, labels):
    import torch

    def loss(logits):
        return torch.nn.functional.cross_entropy(logits.T, torch.as_tensor(labels))

    return torch_gradients(loss, 1.0, np.log(probabilities))[0]


def torch_softsign_step(x_t, s_prev, W):
    import torch

    a_t = W["ss"] @ s_prev + W["sx"] @ x_t + W["sb"]
    softsign = torch.nn.functional.softsign
    return softsign(torch.as_tensor(a_t)).numpy(), torch_gradients(softsign, np.ones(a_t.shape), a_t)[0]


# ---------------------------------------------------------------- exercises

rnn_step = Exercise(
    returns=("s_t",),
    cases=(step_inputs, partial(step_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(step_inputs, N=1, D=1, H=1),
        "saturated units": partial(step_inputs, scale=saturating(near=2.0, far=60.0)),
    },
    hints=(
        "Which two things does the new state depend on, and what squashes their sum?",
        "Both products must have the shape of a state, (H, N); only then can they be added.",
        'Start with `from_state = W["ss"] @ s_prev`, and do the same for the input.',
    ),
    confirm=torch_rnn_step,
    axes={"x_t": ("input", "sequence")},
)


rnn_forward = Exercise(
    returns=("states",),
    cases=(sequence_inputs, partial(sequence_inputs, T=4, D=5, H=2)),
    edge_cases={
        **sizes(short_sequence_inputs, T=1, D=1, H=1),
        "saturated units": partial(short_sequence_inputs, scale=saturating(near=2.0, far=60.0)),
    },
    hints=(
        "One function does a step. What does step t need that step t - 1 has made?",
        "Make room for the states first, (T, H); the state you carry is (H,), as `s0` is. A vector becomes a "
        "column by `[:, None]`, and a column a vector again by `[:, 0]`.",
        "Start with `s_t = s0`, then loop: `for t in range(len(xs)):`",
    ),
    needs=("rnn_step",),
    confirm=torch_rnn_forward,
    axes={"states": ("time step", "unit"), "xs": ("time step", "input"), "s0": ("unit",)},
)

rnn_forward_batch = Exercise(
    returns=("states",),
    cases=(batch_inputs, partial(batch_inputs, T=4, D=5, H=2, N=3)),
    edge_cases={
        **sizes(short_batch_inputs, N=1, T=1, D=1, H=1),
        "saturated units": partial(short_batch_inputs, scale=saturating(near=2.0, far=60.0)),
    },
    hints=(
        "What in your loop over time has to change when `x_t` has N columns instead of one?",
        "`xs[t]` is (D, N), the carried state is (H, N), and the states are (T, H, N).",
        "Start with `states = np.zeros((T, H, N))` and `s_t = s0`.",
    ),
    needs=("rnn_step", "rnn_forward"),
    confirm=torch_rnn_forward_batch,
    axes={"xs": ("time step", "input", "sequence")},
)

predict = Exercise(
    returns=("probabilities",),
    cases=(predict_inputs, partial(predict_inputs, H=4, C=5, N=3)),
    edge_cases={
        **sizes(predict_inputs, N=1, C=2, H=1),
        "logits of thousands": predict_inputs_of_thousands,
        "logits of very different size in each sequence": predict_inputs_far_apart,
    },
    hints=(
        "Turn the state into one logit per class, the logits into positive numbers, and those into shares.",
        "Logits and probabilities are (C, N): every column is one sequence, and must sum to one.",
        'Start with `logits = W["ys"] @ s_last`, then subtract each column\'s own greatest logit.',
    ),
    confirm=torch_predict,
    axes={"probabilities": ("class", "sequence")},
)

cross_entropy = Exercise(
    returns=("loss",),
    cases=(loss_inputs, partial(loss_inputs, C=4, N=3)),
    edge_cases={
        **sizes(loss_inputs, N=1, C=2),
        "sure and right": partial(loss_inputs_extreme, right=True),
        "sure and wrong": partial(loss_inputs_extreme, right=False),
    },
    hints=(
        "How probable was what really came? Only that probability counts in each sequence.",
        "From (C, N) pick one probability per sequence, (N,): row `labels[n]`, column n. "
        "The answer is one number.",
        "An index may be an array for each axis: the labels name the rows, `np.arange(len(labels))` counts "
        "the columns. Then follow (1.13) from right to left.",
    ),
    confirm=torch_cross_entropy,
    axes={"probabilities": ("class", "sequence"), "labels": ("sequence",)},
)

cross_entropy_grad = Exercise(
    returns=("dz",),
    cases=(grad_inputs, partial(grad_inputs, C=4, N=3)),
    edge_cases={
        "one sequence (N = 1)": partial(grad_inputs, N=1, labels=3),
        **sizes(grad_inputs, C=2),
        "every sequence has the same label": partial(grad_inputs, labels=1),
        "as many sequences as classes (N = C)": partial(grad_inputs, C=4),
        "sure and right": partial(grad_inputs_sure, right=True),
        "sure and wrong": partial(grad_inputs_sure, right=False),
    },
    hints=(
        "Two terms in (1.14): differentiate each by one logit, for the label's own and for another.",
        "dz has the shape of the probabilities, (C, N). What one class of a sequence gains, the others lose: "
        "each column adds up to 0.",
        "Print the probabilities beside the slopes that were measured above, one sequence at a time. (Those "
        "slopes hold one half, of the mean over two sequences.) Which row is of another kind than the rest?",
    ),
    **NO_NUDGES,
    confirm=torch_cross_entropy_grad,
    stages={
        "one sequence": Stage(
            partial(grad_inputs, N=1, labels=2),
            ("dz",),
            "There is one sequence here: the mean over sequences changes nothing.",
        )
    },
    axes={"dz": ("class", "sequence"), "probabilities": ("class", "sequence"), "labels": ("sequence",)},
)

softsign_step = Exercise(
    returns=("s_t", "slope"),
    cases=(softsign_inputs, partial(softsign_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(softsign_inputs, N=1, D=1, H=1),
        "no word and no state yet": softsign_inputs_of_a_start,
        "units driven far out": partial(softsign_inputs, low=5, high=60),
    },
    hints=(
        "Three things are added before anything is squashed. For the slope draw the curve, both halves, "
        "and differentiate the right one.",
        "What is squashed, the state and the slope are (H, N); the bias is (H, 1), NumPy gives it to every "
        "column.",
        "Try your lines on a = 3 and a = -3, by hand: first `s_t`, until it is 3/4 and -3/4; then the slope. "
        "If it is the slope that is missing: for a > 0, how much does s lack to 1?",
    ),
    confirm=torch_softsign_step,
    axes={"x_t": ("input", "sequence")},
)
