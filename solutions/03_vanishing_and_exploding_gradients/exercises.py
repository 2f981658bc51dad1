"""How the graded functions of notebook 03 are checked."""

from functools import partial

import numpy as np

import common
from autograder import Exercise
from common import arriving, both_signs, sizes, some_states, turning

ALIKE = common.ALIKE

# ------------------------------------------------------------------------------ step_jacobian


def jacobian_inputs(rng, H=4, least=0.2, most=0.9):
    """One state, as a column, and recurrent weights that are not symmetric."""
    return {
        "s_t": both_signs(rng, (H, 1), least, most),
        "W": {"ss": turning(rng, H), "sx": rng.normal(size=(H, 3))},
    }


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
        "Two factors, one after the other: the weight from j to i, then the slope of unit i's tanh.",
        "The slopes stand in a column (H, 1), one per new unit; the Jacobian is (H, H), and row i "
        "belongs to new unit i.",
        "Start with `slope = 1 - s_t**2`. It is a column: what does NumPy do with a column times a matrix?",
    ),
    confirm=torch_step_jacobian,
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
        "A nudge of s_0 passes J_1 first, then J_2, and so on to J_T. In a product of matrices, which "
        "factor acts first on a column at its right?",
        "Everything is (H, H). Position t of (3.5) is `states[t - 1]` in Python; all T states have a "
        "Jacobian.",
        'Start with `product = np.eye(len(W["ss"]))` and go through the states from the first to the last.',
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
    hints=(
        "Go backward as in notebook 02, with the one difference that the loss looks at the last state "
        "only. At each step, write down the length of the error signal before you take it further back.",
        "The error signal is (H, N) at every step. One length per sequence: the sum of squares runs over "
        "the H units, so a row of the answer is (N,) and the answer (T, N).",
        "Start with `norms = np.zeros((len(states), states.shape[2]))`, `delta = ds_last`, and a loop over "
        "`reversed(range(len(states)))`.",
    ),
    confirm=torch_gradient_norms,
    # Norms that have vanished must be right too: each is compared by its own size.
    atol=0.0,
)

# ------------------------------------------------------------------------ clip_by_global_norm


def clip_inputs(rng, H=4, D=3, limit=0.4, norms=(0.25, 1.2, 1.0), keys=("ss", "sx", "fb")):
    """Gradients of three matrices of these norms; `limit` is in units of their global norm."""
    shapes = {"ss": (H, H), "sx": (H, D), "fb": (H, 1)}
    gradients = {}
    for key, norm in zip(keys, norms, strict=False):
        drawn = rng.normal(size=shapes[key])
        # The sum is negative: its root, taken for the norm, is never a number just below the limit.
        gradients[key] = -np.sign(drawn.sum()) * norm / np.linalg.norm(drawn) * drawn
    return {"gradients": gradients, "max_norm": limit * np.linalg.norm(norms[: len(keys)])}


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
        "an explosion": partial(clip_inputs, limit=1e-4, norms=(3e3, 1e3, 2e3)),
        "one matrix of zeros": partial(clip_inputs, limit=0.5, norms=(1.0, 0.0, 0.4)),
        "a single matrix, below the limit": partial(clip_inputs, limit=1.3, keys=("ss",)),
        "one unit (H = 1)": partial(clip_inputs, H=1, limit=0.7),
    },
    axes={"clipped": ("row", "column")},
    rtol=2e-6,  # PyTorch divides by the norm plus 1e-6; that is right too
    hints=(
        "One length for everything: think of all entries of all matrices written into one long vector. "
        "Only when that vector is too long is it shortened, and then all of it by one factor.",
        "`norm` is a number, measured before anything is shortened. `clipped` is a new dict with the keys "
        "and shapes of `gradients`.",
        "Start with `squares = [np.sum(array**2) for array in gradients.values()]`.",
    ),
    confirm=torch_clip,
)
