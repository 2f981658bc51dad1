"""What the exercises of several notebooks share: edge cases by size, draws, cells, gradients by PyTorch.

An `exercises.py` imports it by `from common import …`, wherever the grader is started.
"""

from functools import cache, partial
from itertools import permutations

import numpy as np

from autograder import Mutant

# Functions that students take for one another.
ALIKE = ("np.tanh", "sigmoid")

# Tolerances by which differences of a nudged loss, right to some 1e-10, are no derivation: the numbers of a
# formula agree to 1e-14.
NO_NUDGES = {"rtol": 1e-11, "atol": 1e-11}

WORDS = {
    "N = 1": "one sequence",
    "T = 1": "one step",
    "D = 1": "one input",
    "H = 1": "one unit",
    "C = 2": "two classes",
}


def sizes(draw, words=WORDS, **sizes):
    """Edge cases by size: `sizes(draw, N=1, C=2)` draws "one sequence (N = 1)" and "two classes (C = 2)"."""
    found = {}
    for letter, size in sizes.items():
        is_so = f"{letter} = {size}"
        found[f"{words[is_so]} ({is_so})"] = partial(draw, **{letter: size})
    return found


@cache
def alternating(shape):
    """-1 and 1 in turn, as many numbers as an array of this shape has."""
    return np.arange(np.empty(shape).size) % 2 * 2.0 - 1


def signs(rng, shape):
    """As many -1 as 1 in a drawn order (of an odd number one more -1): no key gives them all alike."""
    return rng.permutation(alternating(shape)).reshape(shape)


def both_signs(rng, shape, low, high):
    """Numbers whose sizes lie between low and high, half of them negative (and a single one)."""
    return signs(rng, shape) * rng.uniform(low, high, size=shape)


def some_states(rng, *shape):
    """States that a tanh may have made, none near 0."""
    return both_signs(rng, shape, 0.2, 0.9)


def arriving(rng, *shape):
    """A gradient that arrives at a backward function, none of it near 0."""
    return both_signs(rng, shape, 0.3, 2.0)


def some_labels(rng, N, below):
    """Labels of N sequences: not all alike, and of more than two some are alike; a single one is the last.

    So row and column of an entry exchanged never give the same entries.
    """
    if N == 1:
        return np.array([below - 1])
    kinds = rng.permutation(below)
    return kinds[rng.permutation(np.arange(N) % max(2, min(N, below) - 1))]


def saturating(near, far):
    """Scales (3, 1) for the weights of three units, a row each: two near saturation, the third far beyond.

    Far beyond, a wrong pre-activation shows by its sign alone, so by chance; near saturation it shows always.
    """
    return np.array([[near], [near], [far]])


def beyond(rng, pre_activations):
    """Factors (3, 1) for the weights of three units whose pre-activations, (3, N), are given.

    With them, for the first sequence, one lies between 2 and 4, the others beyond 1,000 and beyond -1,000.
    """
    wanted = np.array([rng.uniform(2, 4), rng.uniform(1000, 2000), -rng.uniform(1000, 2000)])
    return (wanted / pre_activations[:, 0])[:, None]


def matrices(rng, scale, **shapes):
    """Drawn matrices by name, in the order given: `matrices(rng, 0.7, ss=(H, H), sx=(H, D))`."""
    return {name: scale * rng.normal(size=shape) for name, shape in shapes.items()}


def turning(rng, size, gain=1.0):
    """A square matrix that turns vectors and makes them longer by `gain`, give or take a fifth.

    Beside the gain, a product of many of them neither vanishes nor explodes. One of size 1 is never near 0.
    """
    left, _, right = np.linalg.svd(rng.normal(size=(size, size)))
    return gain * (left * rng.uniform(0.8, 1.2, size=size)) @ right


def clip_inputs(rng, name, H=4, D=3, limit=0.4, norms=(0.5, 1.2, 1.0), keys=("ss", "sx", "fb")):
    """Gradients of matrices with these norms, under a name; `limit` is in units of their global norm."""
    shapes = {"ss": (H, H), "sx": (H, D), "fb": (H, 1)}
    gradients = {}
    for key, norm in zip(keys, norms, strict=False):
        drawn = rng.normal(size=shapes[key])
        # The sum is negative: its root, taken for the norm, is never a number just below the limit.
        gradients[key] = -np.sign(drawn.sum()) * norm / np.linalg.norm(drawn) * drawn
    return {name: gradients, "max_norm": limit * np.linalg.norm(norms[: len(keys)])}


def zero_gradients(rng, name):
    """Nothing to shorten; plain numbers, by which Python does not divide 1 by 0."""
    gradients = clip_inputs(rng, name)[name]
    return {name: {key: 0 * abs(array) for key, array in gradients.items()}, "max_norm": 1.0}


def other_orders(site, named, spelled, hint):
    """A mistake for each order of an LSTM's four blocks that has no name of its own in mistakes.txt.

    Args:
        site: where the order stands in the reference.
        named: the orders that have one, and the right one: "fioc".
        spelled: an order, "fioc", as the reference spells it.
        hint: for all of them.
    """
    orders = [order for order in map("".join, permutations("fioc")) if order not in named]
    return [
        Mutant(f"blocks in the order {', '.join(order)}", site, spelled(order), hint=hint) for order in orders
    ]


def sigmoid(z):
    """1 / (1 + exp(-z)) for every entry, without overflow."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def rnn_states(xs, s0, W):
    """All states of the simple RNN, (T, H, N)."""
    states = [s0]
    for x_t in xs:
        states.append(np.tanh(W["ss"] @ states[-1] + W["sx"] @ x_t))
    return np.stack(states[1:])


def gated_step(x_t, s_prev, W):
    """A step of the gated RNN: s_t, the gate and the candidate."""
    g_t = sigmoid(W["gs"] @ s_prev + W["gx"] @ x_t)
    candidate = np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)
    return (1 - g_t) * s_prev + g_t * candidate, g_t, candidate


def lstm_step(x_t, h_prev, c_prev, W):
    """A step of the LSTM with biases: h_t, c_t, and the gates and the candidate as "f", "i", "o", "c"."""
    z = {k: W[k + "h"] @ h_prev + W[k + "x"] @ x_t + W[k + "b"] for k in "fioc"}
    gates = {k: np.tanh(z[k]) if k == "c" else sigmoid(z[k]) for k in "fioc"}
    c_t = gates["f"] * c_prev + gates["i"] * gates["c"]
    return gates["o"] * np.tanh(c_t), c_t, gates


def torch_lstm_step(x_t, h_prev, c_prev, W):
    """A step of the LSTM with biases by PyTorch's tensors: h_t, c_t and the gates."""
    z = {k: W[k + "h"] @ h_prev + W[k + "x"] @ x_t + W[k + "b"] for k in "fioc"}
    gates = {k: z[k].tanh() if k == "c" else z[k].sigmoid() for k in "fioc"}
    c_t = gates["f"] * c_prev + gates["i"] * gates["c"]
    return gates["o"] * c_t.tanh(), c_t, gates


def torch_peephole_step(x_t, h_prev, c_prev, W):
    """A step of the LSTM with peepholes by PyTorch's tensors: h_t, c_t and the gates.

    A peephole is a diagonal matrix here: each gate is one product with three vectors below one another.
    """
    import torch

    def gate(k, memory):
        parts = [W[k + "h"], W[k + "x"], torch.diag(W[k + "p"][:, 0])]
        return torch.special.expit(torch.cat(parts, dim=1) @ torch.cat([h_prev, x_t, memory]))

    f, i = gate("f", c_prev), gate("i", c_prev)
    candidate = torch.tanh(W["ch"] @ h_prev + W["cx"] @ x_t)
    c_t = torch.addcmul(f * c_prev, i, candidate)
    o = gate("o", c_t)
    return o * torch.tanh(c_t), c_t, {"f": f, "i": i, "o": o, "c": candidate}


def leaf(value):
    """An array, or a dict of arrays, as PyTorch takes it to differentiate by it."""
    import torch

    if isinstance(value, dict):
        return {name: leaf(member) for name, member in value.items()}
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def torch_gradients(forward, upstream, *arguments):
    """The gradients of a function by each of its arguments, computed by PyTorch.

    Args:
        forward: takes PyTorch's tensors, and dicts of them; returns one tensor, or several in a tuple.
        upstream: the gradient at what it returns, or a tuple of them.
        arguments: where; arrays and dicts of arrays. Their gradients are arrays and dicts of arrays too.
    """
    import torch

    leaves = [leaf(argument) for argument in arguments]
    outputs = forward(*leaves)
    pairs = zip(outputs, upstream, strict=True) if isinstance(outputs, tuple) else [(outputs, upstream)]
    sum((output * torch.tensor(gradient)).sum() for output, gradient in pairs).backward()
    return tuple(
        {name: member.grad.numpy() for name, member in value.items()}
        if isinstance(value, dict)
        else value.grad.numpy()
        for value in leaves
    )


def torch_walk(step, xs, *states):
    """A step of PyTorch's tensors done for each input: what it returned each time, stacked over time.

    Args:
        step: takes an input and the states; returns a tuple, the new states first.
        xs: the inputs, time first.
        states: the states before the first step.
    """
    import torch

    results = []
    for x_t in xs:
        results.append(step(x_t, *states))
        states = results[-1][: len(states)]
    return tuple(torch.stack(tensors) for tensors in zip(*results, strict=True))
