"""How the graded functions of notebook 03 are checked."""

from functools import partial

import numpy as np

import common
from autograder import Exercise, Stage
from common import arriving, both_signs, sizes, some_states, turning

ALIKE = common.ALIKE

# ------------------------------------------------------------------------------ step_jacobian


def jacobian_inputs(rng, H=4, least=0.2, most=0.9):
    """One state, as a column, and recurrent weights that are not symmetric."""
    return {
        "s_t": both_signs(rng, (H, 1), least, most),
        "W": {"ss": turning(rng, H), "sx": rng.normal(size=(H, 3))},
    }


def weights_alone(rng):
    """A sum of exactly 0: there the squashing lets everything through."""
    inputs = jacobian_inputs(rng)
    return {**inputs, "s_t": 0 * inputs["s_t"]}


def squashing_alone(rng):
    """Each unit feeds itself, and no other."""
    inputs = jacobian_inputs(rng)
    return {**inputs, "W": {**inputs["W"], "ss": np.eye(len(inputs["s_t"]))}}


def torch_step_jacobian(s_t, W):
    import torch

    W_ss = torch.tensor(W["ss"])
    # What the input must have added for the state before to have been zero.
    pre_activation = torch.atanh(torch.tensor(s_t[:, 0]))

    def step(s_prev):
        return torch.tanh(W_ss @ s_prev + pre_activation)

    start = torch.zeros(len(s_t), dtype=torch.float64)
    return torch.autograd.functional.jacobian(step, start).numpy()


step_jacobian = Exercise(
    returns=("jacobian",),
    cases=(jacobian_inputs, partial(jacobian_inputs, H=3)),
    edge_cases={
        **sizes(jacobian_inputs, H=1),
        "two units (H = 2)": partial(jacobian_inputs, H=2),
        "units near saturation": partial(jacobian_inputs, least=0.95, most=0.999),
        "many units (H = 17)": partial(jacobian_inputs, H=17),
    },
    axes={"jacobian": ("row", "column"), "s_t": ("unit", "column")},
    hints=(
        "Entry (i, j) answers: when old unit j moves a little, how much does new unit i move? "
        "Follow the nudge from the old unit to the new one: what does it meet first, and what then?",
        "The Jacobian is (H, H), and row i belongs to new unit i. What the squashing lets through is one "
        "number for each unit.",
        'Try the two parts apart: `check(step_jacobian, stage="weights")`, then `stage="squashing"`. Both '
        "right and the whole wrong? Then ask which unit's squashing a nudge meets.",
    ),
    # Nudged numbers, right to 1e-10, are no answer.
    rtol=1e-12,
    atol=1e-12,
    confirm=torch_step_jacobian,
    stages={
        "weights": Stage(
            weights_alone,
            ("jacobian",),
            "The new state is 0 here, where the squashing lets everything through: the weights show alone.",
        ),
        "squashing": Stage(
            squashing_alone,
            ("jacobian",),
            '`W["ss"]` is the identity here: each unit feeds itself alone, and the squashing shows.',
        ),
    },
)

# --------------------------------------------------------------------------- jacobian_product


def product_inputs(rng, T=4, H=3):
    """States of moderate size (for any there are inputs that lead to them): a long product stays so too."""
    W = {"ss": turning(rng, H, gain=1.2), "sx": rng.normal(size=(H, 3))}
    return {"states": both_signs(rng, (T, H, 1), 0.1, 0.6), "W": W}


def torch_unrolled(states, W):
    """The states as a function of s_0 in PyTorch, with the inputs that these states imply.

    The state before the first is not known; any will do, as the step's Jacobian depends on the
    state after it only. We take zero.
    """
    import torch

    W_ss, known = torch.tensor(W["ss"]), torch.tensor(states)
    before = torch.cat([torch.zeros_like(known[:1]), known[:-1]])
    added = torch.atanh(known) - W_ss @ before
    return W_ss, added


def torch_jacobian_product(states, W):
    import torch

    W_ss, added = torch_unrolled(states, W)

    def last(s_0):
        s_t = s_0[:, None]
        for u in added:
            s_t = torch.tanh(W_ss @ s_t + u)
        return s_t[:, 0]

    start = torch.zeros(len(W["ss"]), dtype=torch.float64)
    return torch.autograd.functional.jacobian(last, start).numpy()


jacobian_product = Exercise(
    returns=("product",),
    cases=(product_inputs, partial(product_inputs, T=3, H=4)),
    edge_cases={
        **sizes(product_inputs, T=1),
        "two steps (T = 2)": partial(product_inputs, T=2),
        **sizes(product_inputs, H=1),
        "a long sequence (T = 30)": partial(product_inputs, T=30),
        "as many steps as units (T = H)": partial(product_inputs, T=3),
    },
    axes={"product": ("row", "column"), "states": ("time step", "unit", "column")},
    needs=("step_jacobian",),
    hints=(
        "Follow a nudge of s_0: each step takes what the steps before have made of it, and hands on more.",
        "Everything is (H, H). Each of the T states was made by a step, `states[0]` by the first: T steps, "
        "and `step_jacobian` of each is a matrix.",
        "Go through the states from the first to the last, and carry along how the state moves with s_0. "
        "What does it say before the first step, and what does one more step do to it?",
    ),
    confirm=torch_jacobian_product,
)

# ----------------------------------------------------------------------------- gradient_norms


def norms_inputs(rng, T=5, H=4, N=3, gain=1.2, D=2):
    """The states of a small RNN."""
    W = {"ss": turning(rng, H, gain), "sx": 0.6 * rng.normal(size=(H, D))}
    s_t = some_states(rng, H, N)
    states = []
    for _ in range(T):
        s_t = np.tanh(W["ss"] @ s_t + W["sx"] @ rng.normal(size=(D, N)))
        states.append(s_t)
    return {"ds_last": arriving(rng, H, N), "states": np.stack(states), "W": W}


def torch_gradient_norms(ds_last, states, W):
    import torch

    W_ss, added = torch_unrolled(states, W)
    s_t = torch.zeros(ds_last.shape, dtype=torch.float64)
    reached = []
    for u in added:
        s_t = torch.tanh(W_ss @ s_t.requires_grad_() + u)
        s_t.retain_grad()
        reached.append(s_t)
    (torch.tensor(ds_last) * s_t).sum().backward()
    return np.stack([s.grad.norm(dim=0).numpy() for s in reached])


gradient_norms = Exercise(
    returns=("norms",),
    cases=(norms_inputs, partial(norms_inputs, T=7, H=5, N=2)),
    edge_cases={
        **sizes(norms_inputs, N=1, T=1, H=1),
        "as many units as sequences (H = N)": partial(norms_inputs, H=3),
        "a long sequence that vanishes (T = 60)": partial(norms_inputs, T=60, gain=0.5),
        "large weights": partial(norms_inputs, T=8, gain=2.5),
    },
    axes={"norms": ("time step", "sequence")},
    needs=("step_jacobian", "jacobian_product"),
    hints=(
        "Go backward as in notebook 02, with the one difference that the loss looks at the last state "
        "only. At each step, write down the length of the error signal before you take it further back.",
        "The error signal is (H, N) at every step. One length per sequence: the sum of squares runs over "
        "the H units, so a row of the answer is (N,) and the answer (T, N).",
        "The last row is known at once. Then one step back: through the squashing that made the state, and "
        "through the weights, as in notebook 02.",
    ),
    confirm=torch_gradient_norms,
    # Norms that have vanished must be right too: each is compared by its own size.
    atol=0.0,
)

# ------------------------------------------------------------------------ clip_by_global_norm


clip_inputs = partial(common.clip_inputs, name="gradients", norms=(0.25, 1.2, 1.0))


def torch_clip(gradients, max_norm):
    import torch

    parameters = {key: torch.zeros(array.shape, dtype=torch.float64) for key, array in gradients.items()}
    for key, array in gradients.items():
        parameters[key].grad = torch.tensor(array)
    # Torch divides by norm + 1e-6, so ours is compared with its norm and its formula without that.
    norm = torch.nn.utils.clip_grad_norm_(list(parameters.values()), float("inf"))
    factor = torch.clamp(max_norm / norm, max=1.0)
    return {key: (factor * torch.tensor(array)).numpy() for key, array in gradients.items()}, norm.item()


clip_by_global_norm = Exercise(
    returns=("clipped", "norm"),
    cases=(partial(clip_inputs, limit=0.2), partial(clip_inputs, limit=1.5)),
    edge_cases={
        "a norm below the limit": partial(clip_inputs, limit=1.5),
        "a norm just below the limit": partial(clip_inputs, limit=1.02),
        "a norm far below the limit": partial(clip_inputs, limit=50.0),
        "a norm just above the limit": partial(clip_inputs, limit=0.95),
        "a norm above the limit by a hair": partial(clip_inputs, limit=1 - 2e-5),
        "an explosion": partial(clip_inputs, limit=1e-4, norms=(3e3, 1e3, 2e3)),
        "one matrix of zeros": partial(clip_inputs, limit=0.5, norms=(1.0, 0.0, 0.4)),
        "a single matrix, below the limit": partial(clip_inputs, limit=1.3, keys=("ss",)),
        "one unit (H = 1)": partial(clip_inputs, H=1, limit=0.7),
        "a gradient of zeros": partial(common.zero_gradients, name="gradients"),
    },
    axes={"clipped": ("row", "column")},
    rtol=2e-6,  # PyTorch divides by the norm plus 1e-6; that is right too
    hints=(
        "One length for everything: think of all entries of all matrices written into one long vector. "
        "Only when that vector is too long is it shortened, and then all of it by one factor.",
        "`norm` is a number, measured before anything is shortened. `clipped` is a new dict with the keys "
        "and shapes of `gradients`.",
        "First the length, and for one matrix only: what if you write its entries into one vector? Then for "
        "two matrices, and the factor last.",
    ),
    confirm=torch_clip,
)

# ----------------------------------------------------------------------------- leaky_jacobian


def leaky_inputs(rng, D=2, H=4, paces=(0.2, 0.8), gain=1.2, scale=0.6):
    """What goes into a step of the leaky cell, for one sequence; the paces differ."""
    drawn = np.linspace(*paces, H)[:, None] if H > 1 else np.array([[np.mean(paces)]])
    return {
        "x_t": both_signs(rng, (D, 1), 0.3, 1.5),
        "s_prev": both_signs(rng, (H, 1), 0.2, 0.9),
        "alpha": rng.permutation(drawn),
        "W": {"ss": turning(rng, H, gain), "sx": scale * both_signs(rng, (H, D), 0.3, 1.5)},
    }


def no_weights(rng):
    """A state that nothing is written into."""
    inputs = leaky_inputs(rng)
    return {**inputs, "W": {**inputs["W"], "ss": np.zeros((4, 4))}}


def torch_leaky_jacobian(x_t, s_prev, alpha, W):
    import torch

    W_ss, pace = torch.tensor(W["ss"]), torch.tensor(alpha[:, 0])
    added = torch.tensor((W["sx"] @ x_t)[:, 0])

    def step(s):
        return (1 - pace) * s + pace * torch.tanh(W_ss @ s + added)

    return torch.autograd.functional.jacobian(step, torch.tensor(s_prev[:, 0])).numpy()


leaky_jacobian = Exercise(
    returns=("jacobian",),
    cases=(leaky_inputs, partial(leaky_inputs, D=3, H=5)),
    edge_cases={
        **sizes(leaky_inputs, H=1, D=1),
        "as many inputs as units (D = H)": partial(leaky_inputs, D=4),
        "full pace (alpha = 1)": partial(leaky_inputs, paces=(1.0, 1.0)),
        "units that hardly move": partial(leaky_inputs, paces=(0.01, 0.03)),
        "units near saturation": partial(leaky_inputs, gain=2.0, scale=1.2),
        "many units (H = 17)": partial(leaky_inputs, H=17),
    },
    axes={
        "jacobian": ("row", "column"),
        "x_t": ("input", "column"),
        "s_prev": ("unit", "column"),
        "alpha": ("unit", "column"),
    },
    needs=("step_jacobian",),
    hints=(
        "Write the step as a list of small ones, each with a name of its own. In how many places does the "
        "old state stand?",
        "Each way from the old state to the new one gives an (H, H) matrix. Row i belongs to new unit i.",
        'What stays is one way: `check(leaky_jacobian, stage="no weights")` looks at it alone. At full pace '
        'the other way is what you found for the simple RNN: `stage="full pace"`.',
    ),
    # The judge's own numbers, right to 1e-10, are no answer.
    rtol=1e-12,
    atol=1e-12,
    confirm=torch_leaky_jacobian,
    stages={
        "no weights": Stage(
            no_weights,
            ("jacobian",),
            '`W["ss"]` is zero here: the old state reaches the new one by what stays alone.',
        ),
        "full pace": Stage(
            partial(leaky_inputs, paces=(1.0, 1.0)),
            ("jacobian",),
            "Every pace is 1 here: nothing stays, and the cell is the simple RNN.",
        ),
    },
)
