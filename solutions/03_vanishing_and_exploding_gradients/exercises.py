"""How the graded functions of notebook 03 are checked."""

from functools import partial

import numpy as np

from autograder import Exercise, Mutant

# ------------------------------------------------------------------------------ step_jacobian


def jacobian_inputs(rng, H=4, scale=1.0):
    """One state, as a column, and recurrent weights that are not symmetric."""
    return {
        "s_t": np.tanh(scale * rng.normal(size=(H, 1))),
        "W": {"ss": rng.normal(size=(H, H)), "sx": rng.normal(size=(H, 3))},
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
        "one unit (H = 1)": partial(jacobian_inputs, H=1),
        "two units (H = 2)": partial(jacobian_inputs, H=2),
        "units near saturation": partial(jacobian_inputs, scale=2.0),
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
    misconceptions=[
        Mutant(
            "columns scaled instead of rows",
            'slope * W["ss"]',
            'slope.T * W["ss"]',
            hint="The slope belongs to the unit that is being computed. Does that unit own a row or a "
            "column of W?",
        ),
        Mutant(
            "W transposed",
            'slope * W["ss"]',
            'slope * W["ss"].T',
            hint="Forward, the product is W times the old state: which index of W is summed over, and "
            "which one remains?",
        ),
        Mutant(
            "slope of the tanh missing",
            'slope * W["ss"]',
            '1.0 * W["ss"]',
            hint="W alone says how the pre-activation moves. What stands between it and the new state?",
        ),
        Mutant(
            "the square taken of 1 - s",
            "slope = 1 - s_t**2",
            "slope = (1 - s_t) ** 2",
            hint="The square belongs to the state alone: is yours 1 at s = 0 and symmetric in s?",
        ),
        Mutant(
            "np.diag of a column",
            'slope * W["ss"]',
            'np.diag(slope) @ W["ss"]',
            hint="Of a column (H, 1) `np.diag` takes one entry out; a diagonal matrix it makes of a vector "
            "(H,).",
        ),
        Mutant(
            "tanh applied twice",
            "slope = 1 - s_t**2",
            "slope = 1 - np.tanh(s_t) ** 2",
            hint="The state has been through the tanh already: the slope is written with the output.",
        ),
        Mutant(
            "slope 1 - s, without the square",
            "slope = 1 - s_t**2",
            "slope = 1 - s_t",
            hint="A tanh is as steep at -a as at a. Does your slope agree at s and -s?",
        ),
        Mutant(
            "slope s squared instead of 1 - s squared",
            "slope = 1 - s_t**2",
            "slope = s_t**2",
            hint="At s = 0 the tanh is steepest. What does your slope say there?",
        ),
        Mutant(
            "slope 1 - 2 s",
            "slope = 1 - s_t**2",
            "slope = 1 - 2 * s_t",
            hint="s squared is s times s. At s = 0.6, is your slope 0.64?",
        ),
        Mutant(
            "state taken for the slope",
            "slope = 1 - s_t**2",
            "slope = s_t",
            hint="The tanh's output is there, its slope is not: at s = 0 the tanh is steepest.",
        ),
        Mutant(
            "slope's root",
            "slope = 1 - s_t**2",
            "slope = np.sqrt(1 - s_t**2)",
            hint="The slope of the tanh is 1 minus the squared output, and no root is taken of it.",
        ),
        Mutant(
            "slope 1 + s squared",
            "slope = 1 - s_t**2",
            "slope = 1 + s_t**2",
            hint="A saturated unit hardly moves. Does your slope shrink or grow as s nears 1?",
        ),
        Mutant(
            "slope of the sigmoid",
            "slope = 1 - s_t**2",
            "slope = s_t * (1 - s_t)",
            hint="y (1 - y) is the slope of a sigmoid with the output y. This unit is a tanh.",
        ),
        Mutant(
            "slope squared",
            "slope = 1 - s_t**2",
            "slope = (1 - s_t**2) ** 2",
            hint="The signal passes the tanh once in a step: how often does its slope come in?",
        ),
        Mutant(
            "divided by the slope",
            'slope * W["ss"]',
            'W["ss"] / slope',
            hint="A flat tanh makes the new state insensitive. Does your matrix become small or large?",
        ),
        Mutant(
            "rows and columns both scaled",
            'slope * W["ss"]',
            'slope * W["ss"] * slope.T',
            hint="Only the new unit's tanh lies between the old state and the new one. The old unit's tanh "
            "belongs to the step before.",
        ),
        Mutant(
            "only the diagonal kept",
            'slope * W["ss"]',
            'slope * np.diag(np.diag(W["ss"]))',
            hint="Every old unit feeds every new one, not only itself.",
        ),
        Mutant(
            "one slope for all units",
            'slope * W["ss"]',
            'slope.mean() * W["ss"]',
            hint="Each unit has its own state, so each has its own slope.",
        ),
        Mutant(
            "largest slope for all units",
            'slope * W["ss"]',
            'slope.max() * W["ss"]',
            hint="The largest slope makes a bound, as in (3.9). The Jacobian itself has one slope per row.",
        ),
        Mutant(
            "identity added",
            'slope * W["ss"]',
            'np.eye(len(s_t)) + slope * W["ss"]',
            hint="The simple RNN overwrites its state. Is there a term in (3.1) that carries the old state "
            "over as it is?",
        ),
        Mutant(
            "W left out",
            'slope * W["ss"]',
            "slope * np.eye(len(s_t))",
            hint="The slopes say how a state moves with its own pre-activation. How does the pre-activation "
            "move with the old state?",
        ),
        Mutant(
            "derivative by the input",
            'slope * W["ss"]',
            'slope * W["sx"]',
            hint="This is how the state moves with x_t. The question is how it moves with the state before.",
        ),
    ],
    confirm=torch_step_jacobian,
)

# --------------------------------------------------------------------------- jacobian_product


def run(rng, T, H, N, scale, D=3):
    """States of a small RNN (T, H, N), and its weights; every size can be chosen."""
    W = {"ss": scale * rng.normal(size=(H, H)) / np.sqrt(H), "sx": 0.6 * rng.normal(size=(H, D))}
    s_t = np.tanh(rng.normal(size=(H, N)))
    states = []
    for _ in range(T):
        s_t = np.tanh(W["ss"] @ s_t + W["sx"] @ rng.normal(size=(D, N)))
        states.append(s_t)
    return np.stack(states), W


def product_inputs(rng, T=4, H=3, scale=1.2):
    states, W = run(rng, T, H, 1, scale)
    return {"states": states, "W": W}


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
        "one step (T = 1)": partial(product_inputs, T=1),
        "two steps (T = 2)": partial(product_inputs, T=2),
        "one unit (H = 1)": partial(product_inputs, H=1),
        "a long sequence (T = 30)": partial(product_inputs, T=30, scale=2.5),
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
    misconceptions=[
        Mutant(
            "factors in the wrong order",
            "step_jacobian(s_t, W) @ product",
            "product @ step_jacobian(s_t, W)",
            hint="J_1 acts first on a nudge of s_0. The factor that acts first stands at the right.",
        ),
        Mutant(
            "Jacobians transposed, order kept",
            "step_jacobian(s_t, W) @ product",
            "step_jacobian(s_t, W).T @ product",
            hint="The transposes belong to the way back, in (3.6), and they come in the other order.",
        ),
        Mutant(
            "entries multiplied instead of matrices",
            "step_jacobian(s_t, W) @ product",
            "step_jacobian(s_t, W) * product",
            hint="A nudge of one unit spreads over all units. That needs the product of matrices, @.",
            more=(('np.eye(len(W["ss"]))', 'np.ones((len(W["ss"]), len(W["ss"])))'),),
        ),
        Mutant(
            "entries multiplied instead of matrices, from the identity",
            "step_jacobian(s_t, W) @ product",
            "step_jacobian(s_t, W) * product",
            hint="A nudge of one unit spreads over all units. That needs the product of matrices, @.",
        ),
        Mutant(
            "Jacobians added instead of multiplied",
            "step_jacobian(s_t, W) @ product",
            "step_jacobian(s_t, W) + product",
            hint="Steps that follow each other multiply; only paths side by side add.",
            more=(('np.eye(len(W["ss"]))', 'np.zeros((len(W["ss"]), len(W["ss"])))'),),
        ),
        Mutant(
            "first step left out",
            "for s_t in states:",
            "for s_t in states[1:]:",
            hint="From s_0 to s_T there are T steps; `states[0]` is the state after the first of them.",
        ),
        Mutant(
            "last step left out",
            "for s_t in states:",
            "for s_t in states[:-1]:",
            hint="The last Jacobian belongs to the last state. Count the factors: there are T.",
        ),
        Mutant(
            "only the last step",
            "product = step_jacobian(s_t, W) @ product",
            "product = step_jacobian(s_t, W)",
            hint="Each step multiplies what has come through the steps before; nothing is carried on here.",
        ),
        Mutant(
            "return inside the loop",
            "product = step_jacobian(s_t, W) @ product",
            "return step_jacobian(s_t, W) @ product",
            hint="Something ends the loop after the first state. Look at the indentation.",
        ),
        Mutant(
            "starts from W instead of the identity",
            'np.eye(len(W["ss"]))',
            'W["ss"].copy()',
            hint="Before the first step nothing has happened to the nudge: which matrix changes nothing?",
        ),
        Mutant(
            "starts from ones",
            'np.eye(len(W["ss"]))',
            'np.ones((len(W["ss"]), len(W["ss"])))',
            hint="A matrix of ones mixes all units. Which matrix leaves every column as it is?",
        ),
        Mutant(
            "the same Jacobian at every step",
            "step_jacobian(s_t, W) @ product",
            "step_jacobian(states[-1], W) @ product",
            hint="W is the same at every step, the slopes are not: each step has its own state.",
        ),
        Mutant(
            "the first state's Jacobian at every step",
            "step_jacobian(s_t, W) @ product",
            "step_jacobian(states[0], W) @ product",
            hint="W is the same at every step, the slopes are not: each step has its own state.",
        ),
        Mutant(
            "W multiplied, slopes left out",
            "step_jacobian(s_t, W) @ product",
            'W["ss"] @ product',
            hint="This would be right for a network without tanh.",
        ),
        Mutant(
            "slopes collected, then the powers of W",
            "return product",
            'return np.prod(1 - states**2, axis=0) * np.linalg.matrix_power(W["ss"], len(states))',
            hint="Slopes and W alternate: diag, W, diag, W. They cannot be sorted into two heaps, because "
            "these matrices do not commute.",
        ),
    ],
    confirm=torch_jacobian_product,
)

# ----------------------------------------------------------------------------- gradient_norms


def norms_inputs(rng, T=5, H=4, N=3, scale=1.3):
    states, W = run(rng, T, H, N, scale, D=2)
    return {"ds_last": rng.normal(size=(H, N)), "states": states, "W": W}


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
        "one sequence (N = 1)": partial(norms_inputs, N=1),
        "one step (T = 1)": partial(norms_inputs, T=1),
        "one unit (H = 1)": partial(norms_inputs, H=1),
        "as many units as sequences (H = N)": partial(norms_inputs, H=3),
        "a long sequence that vanishes (T = 60)": partial(norms_inputs, T=60, scale=0.4),
        "large weights": partial(norms_inputs, T=8, scale=2.5),
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
    misconceptions=[
        Mutant(
            "error signal never taken further back",
            'delta = W["ss"].T @ da',
            'carried = W["ss"].T @ da',
            hint="The signal for the state before is computed, and then thrown away.",
        ),
        Mutant(
            "W not transposed",
            'W["ss"].T @ da',
            'W["ss"] @ da',
            hint="Forward, W[i, j] carries unit j to unit i. Which way does the blame go?",
        ),
        Mutant(
            "slope of the tanh missing",
            "(1 - states[k] ** 2) * delta",
            "1.0 * delta",
            hint="The signal has to pass the tanh before it comes to W.",
        ),
        Mutant(
            "slope taken at the gradient",
            "(1 - states[k] ** 2) * delta",
            "(1 - delta**2) * delta",
            hint="The slope of the tanh depends on the state, not on the signal that passes through it.",
        ),
        Mutant(
            "tanh applied twice",
            "(1 - states[k] ** 2) * delta",
            "(1 - np.tanh(states[k]) ** 2) * delta",
            hint="A state has been through the tanh already.",
        ),
        Mutant(
            "slope of the state before",
            "(1 - states[k] ** 2) * delta",
            "(1 - states[k - 1] ** 2) * delta",
            hint="The step that made `states[k]` has the slope of `states[k]`, (3.4).",
        ),
        Mutant(
            "slope on the wrong side of W",
            'W["ss"].T @ da',
            '(1 - states[k] ** 2) * (W["ss"].T @ delta)',
            hint="On the way back the tanh comes first, W after it: the order of the forward pass, reversed.",
        ),
        Mutant(
            "slope replaced by s squared",
            "(1 - states[k] ** 2) * delta",
            "states[k] ** 2 * delta",
            hint="At s = 0 the tanh is steepest. What does your slope say there?",
        ),
        Mutant(
            "square root missing",
            "np.sqrt(np.sum(delta**2, axis=0))",
            "np.sum(delta**2, axis=0)",
            hint="The length of (3, 4) is 5, not 25.",
        ),
        Mutant(
            "one norm for the whole batch",
            "np.sqrt(np.sum(delta**2, axis=0))",
            "np.sqrt(np.sum(delta**2))",
            hint="Every sequence has a signal and a length of its own: over which axis does the sum run?",
        ),
        Mutant(
            "norm over the sequences instead of the units",
            "np.sqrt(np.sum(delta**2, axis=0))",
            "np.sqrt(np.sum(delta**2, axis=1))",
            hint="A column is one sequence's signal. Its length sums down the column.",
        ),
        Mutant(
            "squared again instead of the root",
            "np.sqrt(np.sum(delta**2, axis=0))",
            "np.sum(delta**2, axis=0) ** 2",
            hint="The length of (3, 4) is 5: the sum of squares is 25, and then?",
        ),
        Mutant(
            "root of the mean square",
            "np.sqrt(np.sum(delta**2, axis=0))",
            "np.sqrt(np.mean(delta**2, axis=0))",
            hint="A length is the root of a sum. Divided by H it would not be the length any more.",
        ),
        Mutant(
            "sum of absolute values",
            "np.sqrt(np.sum(delta**2, axis=0))",
            "np.sum(np.abs(delta), axis=0)",
            hint="In this notebook ‖v‖ is the Euclidean length: squares, sum, root.",
        ),
        Mutant(
            "largest entry",
            "np.sqrt(np.sum(delta**2, axis=0))",
            "np.max(np.abs(delta), axis=0)",
            hint="In this notebook ‖v‖ is the Euclidean length: squares, sum, root.",
        ),
        Mutant(
            "sum of the entries",
            "np.sqrt(np.sum(delta**2, axis=0))",
            "np.abs(np.sum(delta, axis=0))",
            hint="In a Euclidean length entries of different signs do not cancel: what happens to each "
            "entry before the sum, and what after it?",
        ),
        Mutant(
            "norm behind the tanh, not at the state",
            "np.sqrt(np.sum(delta**2, axis=0))",
            "np.sqrt(np.sum(((1 - states[k] ** 2) * delta) ** 2, axis=0))",
            hint="That is the gradient by the pre-activation. The question is the gradient by the state.",
        ),
        Mutant(
            "shifted by one: the gradient at the state before",
            "norms[k] = np.sqrt(np.sum(delta**2, axis=0))",
            "pass",
            hint="Write the length down before the signal goes a step back: the last row belongs to ds_last.",
            more=(
                (
                    'delta = W["ss"].T @ da',
                    'delta = W["ss"].T @ da; norms[k] = np.sqrt(np.sum(delta**2, axis=0))',
                ),
            ),
        ),
        Mutant(
            "rows in the order of the way back",
            "norms[k] =",
            "norms[T - 1 - k] =",
            hint="Row k belongs to `states[k]`: the first row is the earliest state.",
        ),
        Mutant(
            "walks forward through time",
            "reversed(range(T))",
            "range(T)",
            hint="The signal starts at the last state. In which order does it meet the others?",
        ),
        Mutant(
            "first state never reached",
            "reversed(range(T))",
            "range(T - 1, 0, -1)",
            hint="`range(a, 0, -1)` stops before 0, and `states[0]` has a gradient too.",
        ),
        Mutant(
            "return inside the loop",
            'delta = W["ss"].T @ da',
            'delta = W["ss"].T @ da; return norms',
            hint="Something ends the loop after the last state. Look at the indentation.",
        ),
        Mutant(
            "truncated after three steps",
            "norms[k] =",
            "norms[k] = (k >= T - 3) *",
            hint="The signal does not end after a few steps: follow it to the first state.",
        ),
        Mutant(
            "loss added at every state",
            'delta = W["ss"].T @ da',
            'delta = ds_last + W["ss"].T @ da',
            hint="The loss looks at the last state only: where else does ds_last come in?",
        ),
        Mutant(
            "signals of all steps added up",
            'delta = W["ss"].T @ da',
            'delta = delta + W["ss"].T @ da',
            hint="Weights collect a sum over time. The signal at one state is what came back to that state, "
            "not what was there a step later.",
        ),
        Mutant(
            "ratio to the last norm",
            "return norms",
            "return norms / norms[-1]",
            hint="The ratio comes later in the notebook; here the norms themselves are asked for.",
        ),
    ],
    confirm=torch_gradient_norms,
)

# ------------------------------------------------------------------------ clip_by_global_norm


def clip_inputs(rng, H=4, D=3, limit=0.4, sizes=(0.6, 1.5, 1.0), keys=("ss", "sx", "fb")):
    """Gradients of three matrices of different sizes; `limit` is in units of their global norm."""
    shapes = {"ss": (H, H), "sx": (H, D), "fb": (H, 1)}
    gradients = {key: size * rng.normal(size=shapes[key]) for key, size in zip(keys, sizes, strict=False)}
    norm = np.sqrt(sum((array**2).sum() for array in gradients.values()))
    return {"gradients": gradients, "max_norm": limit * norm}


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
        "an explosion": partial(clip_inputs, limit=1e-4, sizes=(3e3, 1e3, 2e3)),
        "one matrix of zeros": partial(clip_inputs, limit=0.5, sizes=(1.0, 0.0, 1.0)),
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
    misconceptions=[
        Mutant(
            "always rescaled",
            "if norm > max_norm",
            "if norm > 0",
            hint="A gradient that is short enough is left as it is. What does yours do with it?",
        ),
        Mutant(
            "never clipped",
            "factor * array",
            "1.0 * array",
            hint="The norm is measured, but nothing happens to a gradient that is too long.",
        ),
        Mutant(
            "comparison the wrong way round",
            "if norm > max_norm",
            "if norm < max_norm",
            hint="Which gradients have to be shortened: the long ones or the short ones?",
        ),
        Mutant(
            "clipped by value",
            "factor * array",
            "np.clip(array, -max_norm, max_norm)",
            hint="Cutting single entries turns the gradient to another direction; clipping by norm keeps it.",
        ),
        Mutant(
            "each matrix clipped apart",
            "factor * array",
            "min(1.0, max_norm / max(np.linalg.norm(array), 1e-300)) * array",
            hint="All matrices share one factor; with a factor for each, their proportions are lost.",
        ),
        Mutant(
            "each matrix clipped apart, and its norm returned",
            "factor * array",
            "min(1.0, max_norm / max(np.linalg.norm(array), 1e-300)) * array",
            hint="The norms of the single matrices are not asked for: one length, one factor, for all.",
            more=(("return clipped, norm", "return clipped, np.sqrt(squares[-1])"),),
        ),
        Mutant(
            "entries cut above, not below",
            "factor * array",
            "np.minimum(array, max_norm)",
            hint="Cutting single entries turns the gradient to another direction; clipping by norm keeps it.",
        ),
        Mutant(
            "each matrix rescaled apart, always",
            "factor * array",
            "max_norm / max(np.linalg.norm(array), 1e-300) * array",
            hint="All matrices share one factor, and a gradient that is short enough is left alone.",
        ),
        Mutant(
            "clipped only where the matrix itself is too long",
            "factor * array",
            "(factor if np.linalg.norm(array) > max_norm else 1.0) * array",
            hint="The decision is one for all matrices: it compares the global norm with the limit.",
        ),
        Mutant(
            "square root missing",
            "np.sqrt(sum(squares))",
            "sum(squares)",
            hint="The length of (3, 4) is 5, not 25.",
        ),
        Mutant(
            "sum of the matrices' norms",
            "np.sqrt(sum(squares))",
            "sum(np.sqrt(squares))",
            hint="Two vectors of lengths 3 and 4, written one below the other, have the length 5, not 7.",
        ),
        Mutant(
            "largest of the matrices' norms",
            "np.sqrt(sum(squares))",
            "np.sqrt(max(squares))",
            hint="All entries of all matrices count, not only those of the longest one.",
        ),
        Mutant(
            "norm of the first matrix only",
            "np.sqrt(sum(squares))",
            "np.sqrt(squares[0])",
            hint="The global norm takes every matrix in the dict.",
        ),
        Mutant(
            "norm of the last matrix only",
            "np.sqrt(sum(squares))",
            "np.sqrt(squares[-1])",
            hint="The global norm takes every matrix in the dict. Is something overwritten in a loop?",
        ),
        Mutant(
            "mean over the matrices",
            "np.sqrt(sum(squares))",
            "np.sqrt(sum(squares) / len(squares))",
            hint="A length is the root of a sum of squares: nothing is divided by the number of matrices.",
        ),
        Mutant(
            "root of the mean square of all entries",
            "np.sqrt(sum(squares))",
            "np.sqrt(sum(squares) / sum(array.size for array in gradients.values()))",
            hint="A length is the root of a sum of squares: nothing is divided by the number of entries.",
        ),
        Mutant(
            "sum of absolute values",
            "np.sum(array**2)",
            "np.sum(np.abs(array))",
            hint="The global norm is the Euclidean length: squares, one sum, one root.",
            more=(("np.sqrt(sum(squares))", "sum(squares)"),),
        ),
        Mutant(
            "largest entry taken for the norm",
            "np.sum(array**2)",
            "np.max(np.abs(array))",
            hint="The global norm is the Euclidean length: squares, one sum, one root.",
            more=(("np.sqrt(sum(squares))", "max(squares)"),),
        ),
        Mutant(
            "largest singular value for the length of a matrix",
            "np.sum(array**2)",
            "np.linalg.norm(array, 2) ** 2",
            hint="Here a matrix is only a list of numbers: its part in the global norm is the sum of all "
            "squared entries, not the most it can stretch a vector.",
        ),
        Mutant(
            "norm after clipping returned",
            "return clipped, norm",
            "return clipped, min(norm, max_norm)",
            hint="The norm tells you how often and how far you clip: it is the one from before.",
        ),
        Mutant(
            "factor returned instead of the norm",
            "return clipped, norm",
            "return clipped, factor",
            hint="The second value is the global norm itself.",
        ),
        Mutant(
            "shortened to length one",
            "max_norm / norm",
            "1 / norm",
            hint="How long shall the clipped gradient be? The limit is an argument.",
        ),
        Mutant(
            "multiplied by the limit only",
            "max_norm / norm if",
            "max_norm if",
            hint="After clipping the length is the limit. Which factor makes `norm` to `max_norm`?",
        ),
        Mutant(
            "reciprocal of the factor",
            "max_norm / norm",
            "norm / max_norm",
            hint="A gradient that is too long must become shorter: is your factor below one?",
        ),
        Mutant(
            "divided by the squared norm",
            "max_norm / norm",
            "max_norm / norm**2",
            hint="After clipping the length is the limit. Which factor makes `norm` to `max_norm`?",
        ),
        Mutant(
            "update dropped instead of shortened",
            "max_norm / norm",
            "0.0",
            hint="A long gradient still points somewhere useful: keep its direction, cut its length.",
        ),
    ],
    confirm=torch_clip,
)
