"""How the exercises of notebook 00 are checked."""

from functools import partial

import numpy as np

import common
from autograder import Exercise, Mutant
from common import both_signs, signs, torch_gradients

ALIKE = common.ALIKE

sizes = partial(common.sizes, words={"H = 1": "one row", "D = 1": "one column", "N = 1": "one data point"})

# ---------------------------------------------------------------- inputs


def ordinary_numbers(rng, shape=(3, 4)):
    """From -4 to 4, everywhere some; a single one is negative."""
    evenly = np.linspace(-4, 4, np.prod(shape))
    return {"z": (rng.permutation(evenly) + rng.uniform(-0.2, 0.2, size=evenly.size)).reshape(shape)}


def numbers_between(rng, low, high, size=6):
    return {"z": rng.uniform(low, high, size=size)}


def numbers_of_both_signs(rng, size=6):
    """Half about 1000, half about -650, mixed."""
    large, small = rng.uniform(900, 1100, size=size // 2), rng.uniform(-690, -610, size=size // 2)
    return {"z": rng.permutation([*large, *small])}


def gate_values(rng, shape=(3, 5)):
    """Some below one half and some above, none just there: at 1/2 several wrong slopes are right.

    No size is 2 or 4: these are factors that are lost.
    """
    return {"g": 0.5 + both_signs(rng, shape, 0.05, 0.48)}


def saturated_gates(rng, low, high, size=6):
    return {"g": rng.uniform(low, high, size=size)}


def state_values(rng, shape=(3, 5)):
    return {"s": both_signs(rng, shape, 0.1, 0.97)}


def saturated_states(rng, size=6):
    """Between 1e-4 and 1e-3 away from -1 or from 1."""
    return {"s": signs(rng, size) * (1 - rng.uniform(1e-4, 1e-3, size=size))}


def loss_inputs(rng, H=3, D=4, N=2, eps=None):
    """Whatever A is, the loss falls with its first column, rises with the second, and so on by turns."""
    x = rng.uniform(0.4, 1.4, size=(D, N))
    x[1::2] *= -1
    return {
        "A": 0.5 * rng.normal(size=(H, D)),
        "x": x,
        "eps": float(rng.uniform(0.05, 0.1)) if eps is None else eps,
    }


# ---------------------------------------------------------------- the same values, computed otherwise


def torch_sigmoid(z):
    import torch

    return torch.exp(torch.nn.functional.logsigmoid(torch.as_tensor(z))).numpy()


def torch_sigmoid_grad(g):
    import torch

    return torch_gradients(torch.sigmoid, 1.0, torch.logit(torch.as_tensor(g)).numpy())[0]


def torch_tanh_grad(s):
    import torch

    return torch_gradients(torch.tanh, 1.0, torch.atanh(torch.as_tensor(s)).numpy())[0]


def torch_numerical_gradient(A, x, eps):
    """All nudges at once: nudging A[i, j] moves only row i of A x, by eps times row j of x."""
    import torch

    z, step = torch.as_tensor(A @ x)[:, None, :], torch.as_tensor(eps * x)[None, :, :]
    surprise = lambda z: -torch.nn.functional.logsigmoid(z)  # noqa: E731
    return ((surprise(z + step) - surprise(z - step)).sum(dim=2) / (2 * eps)).numpy()


# ---------------------------------------------------------------- exercises

sigmoid = Exercise(
    returns=("g",),
    cases=ordinary_numbers,
    edge_cases={
        "one number, shape (1,)": partial(ordinary_numbers, shape=(1,)),
        "three axes": partial(ordinary_numbers, shape=(2, 3, 4)),
        "very large z (about 1000)": partial(numbers_between, low=900, high=1100),
        "small answers (z about -50)": partial(numbers_between, low=-60, high=-45),
        "very small answers (z about -600)": partial(numbers_between, low=-640, high=-560),
        "the smallest answers (z about -715)": partial(numbers_between, low=-719, high=-711),
        "both signs, far from 0": numbers_of_both_signs,
    },
    hints=(
        "An exponential of a positive number can become too large, one of a negative number never. "
        "(0.3) gives a form for each sign of z.",
        "The answer has the shape of z. `np.where(condition, a, b)` picks entry by entry, "
        "and `np.abs(z)` is never negative.",
        "Start with `e = np.exp(-np.abs(z))`: it lies between 0 and 1 whatever z is.",
    ),
    # Limits that code elsewhere has; none of them lies where a case draws.
    misconceptions=[
        Mutant(
            f"z clipped at {limit}",
            "np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
            f"1 / (1 + np.exp(-np.clip(z, -{limit}, {limit})))",
            "Clipping stops the overflow by changing the answer: below the limit all z get the same.",
        )
        for limit in (10, 15, 20, 25, 40, 88, 100, 200, 250, 300, 708)
    ],
    confirm=torch_sigmoid,
    axes={"g": ("row", "column"), "z": ("row", "column")},
    # Small answers must keep their digits: what counts is the relative error alone.
    atol=0.0,
)

sigmoid_grad = Exercise(
    returns=("slope",),
    cases=gate_values,
    edge_cases={
        "one number, shape (1,)": partial(gate_values, shape=(1,)),
        "three axes": partial(gate_values, shape=(2, 3, 4)),
        "outputs near 1": partial(saturated_gates, low=0.999, high=0.9999),
        "outputs near 0": partial(saturated_gates, low=1e-4, high=1e-3),
    },
    hints=(
        "Two steps: the slope by the chain rule, with v = exp(-z) in it; then v written with the output.",
        "The slope has the shape of g: every entry by itself, without a sum and without `@`.",
        "Multiply g = 1 / (1 + v) by 1 + v, and solve for v. What is 1 + v, written with g?",
    ),
    confirm=torch_sigmoid_grad,
    axes={"slope": ("row", "column"), "g": ("row", "column")},
)

tanh_grad = Exercise(
    returns=("slope",),
    cases=state_values,
    edge_cases={
        "one number, shape (1,)": partial(state_values, shape=(1,)),
        "three axes": partial(state_values, shape=(2, 3, 4)),
        "outputs near -1 and 1": saturated_states,
    },
    hints=(
        "The chain rule on (0.6): the sigmoid's slope needs the sigmoid's output there, and (0.6) says it.",
        "The slope has the shape of s: every entry by itself. It is the same for s and for -s.",
        "Solve (0.6) for the sigmoid's output, put it into `sigmoid_grad`, and mind both factors 2.",
    ),
    needs=("sigmoid_grad",),
    confirm=torch_tanh_grad,
    axes={"slope": ("row", "column"), "s": ("row", "column")},
)

numerical_gradient = Exercise(
    returns=("dA",),
    cases=(loss_inputs, partial(loss_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(loss_inputs, H=1, D=1, N=1),
        "a large step (eps = 1)": partial(loss_inputs, eps=1.0),
        "a small step (eps = 1e-5)": partial(loss_inputs, eps=1e-5),
    },
    hints=(
        "Nudge one entry of A, the others as they are: how much does the loss change?",
        "dA has the shape of A; each of its entries takes two evaluations of the loss, "
        "which are 2 eps apart.",
        "Start with `dA = np.zeros(A.shape)` and loop: `for index in np.ndindex(A.shape):`",
    ),
    confirm=torch_numerical_gradient,
    axes={"dA": ("row", "column"), "A": ("row", "column"), "x": ("row", "data point")},
)
