"""How the exercises of notebook 01 are checked."""

from functools import partial

import numpy as np

import common
from autograder import Exercise
from common import saturating, some_labels, some_states

ALIKE = common.ALIKE

sizes = partial(common.sizes, words=common.WORDS | {"D = 1": "one input number", "T = 1": "one time step"})

# ---------------------------------------------------------------- inputs


def recurrent_weights(rng, D, H, scale=1.0):
    return {
        "ss": scale * rng.normal(size=(H, H)) / np.sqrt(H),
        "sx": scale * rng.normal(size=(H, D)) / np.sqrt(D),
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
    """Scores of many thousands: the second class's are the others' with the other sign.

    So it wins every other sequence by far, and in the rest the others are close. In the first two sequences
    the scores are about half as large.
    """
    inputs = predict_inputs(rng, H, C, N)
    shared = rng.uniform(2000, 4000, size=H)
    inputs["W"]["ys"] = np.array([[1], [-1], [1]]) * shared + rng.normal(size=(C, H))
    sizes = rng.uniform(0.75, 0.9, size=(H, N)) * np.where(np.arange(N) < 2, 0.5, 1)
    inputs["s_last"] = sizes * np.where(np.arange(N) % 2, -1, 1)
    return inputs


def predict_inputs_far_apart(rng, H=5, C=3, N=4):
    """Scores of about -1500 in the first column and of about 1500 in the others."""
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
        **sizes(sequence_inputs, T=1, D=1, H=1),
        "a long sequence (T = 30)": partial(sequence_inputs, T=30),
        "saturated units": partial(sequence_inputs, scale=saturating(near=2.0, far=60.0)),
    },
    hints=(
        "One function does a step. What does step t need that step t - 1 has made?",
        "Make room for the states first, (T, H); the state you carry is (H,), as `s0` is.",
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
        **sizes(batch_inputs, N=1, T=1, D=1, H=1),
        "a long sequence (T = 30)": partial(batch_inputs, T=30),
        "saturated units": partial(batch_inputs, scale=saturating(near=2.0, far=60.0)),
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
        "scores of thousands": predict_inputs_of_thousands,
        "scores of very different size in each sequence": predict_inputs_far_apart,
    },
    hints=(
        "Turn the state into one score per class, the scores into positive numbers, and those into shares.",
        "Scores and probabilities are (C, N): every column is one sequence, and must sum to one.",
        'Start with `scores = W["ys"] @ s_last`, then subtract each column\'s own greatest score.',
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
        "Start with `chosen = probabilities[labels, np.arange(len(labels))]`.",
    ),
    confirm=torch_cross_entropy,
    axes={"probabilities": ("class", "sequence"), "labels": ("sequence",)},
)
