"""What the exercises of several notebooks share: edge cases by size, drawn matrices, gradients by PyTorch.

An `exercises.py` imports it by `from common import …`, wherever the grader is started.
"""

from functools import partial

import numpy as np

# Functions that students take for one another.
ALIKE = ("np.tanh", "sigmoid")

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


def signs(rng, shape):
    """As many -1 as 1 in a drawn order (of an odd number one more -1): no key gives them all alike."""
    return rng.permutation(np.arange(np.prod(shape, dtype=int)) % 2 * 2.0 - 1).reshape(shape)


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
