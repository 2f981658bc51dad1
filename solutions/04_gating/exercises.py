"""How the graded functions of notebook 04 are checked.

Every `confirm` goes through PyTorch's own GRU cell: with its reset gate held at 1 and the sign of its
other gate turned round it is the simple gated RNN, written by somebody else.
"""

from functools import partial

import numpy as np

from autograder import Exercise, Gradient, Mutant

# ------------------------------------------------------------------------------------- inputs


def _sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def _weights(rng, D, H, gate_scale, scale):
    return {
        "gs": gate_scale * rng.normal(size=(H, H)),
        "gx": gate_scale * rng.normal(size=(H, D)),
        "ss": scale * rng.normal(size=(H, H)),
        "sx": scale * rng.normal(size=(H, D)),
    }


def _step(x_t, s_prev, W):
    g_t = _sigmoid(W["gs"] @ s_prev + W["gx"] @ x_t)
    candidate = np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)
    return (1 - g_t) * s_prev + g_t * candidate, g_t, candidate


def step_inputs(rng, D=4, H=3, N=2, gate_scale=0.7, scale=0.7):
    """One input, one state inside (-1, 1), and the four matrices."""
    return {
        "x_t": rng.normal(size=(D, N)),
        "s_prev": np.tanh(rng.normal(size=(H, N))),
        "W": _weights(rng, D, H, gate_scale, scale),
    }


def state_outside_inputs(rng):
    """A state with entries beyond -1 and 1, where a candidate never gets."""
    inputs = step_inputs(rng)
    return {**inputs, "s_prev": 3.0 * rng.normal(size=inputs["s_prev"].shape)}


def sequence_inputs(rng, T=5, D=4, H=3, N=2, gate_scale=0.7, scale=0.7):
    """A sequence, the state before it, and the four matrices."""
    return {
        "xs": rng.normal(size=(T, D, N)),
        "s0": np.tanh(rng.normal(size=(H, N))),
        "W": _weights(rng, D, H, gate_scale, scale),
    }


def step_backward_inputs(rng, outside=False, **sizes):
    """A step's inputs, the gate and the candidate it made, and a gradient at the new state."""
    step = state_outside_inputs(rng) if outside else step_inputs(rng, **sizes)
    _, g_t, candidate = _step(**step)
    return {
        "ds": rng.normal(size=candidate.shape),
        "x_t": step["x_t"],
        "s_prev": step["s_prev"],
        "g_t": g_t,
        "candidate": candidate,
        "W": step["W"],
    }


def backward_inputs(rng, last_only=False, **sizes):
    """A sequence, all that its forward pass gave, and a gradient at every state."""
    sequence = sequence_inputs(rng, **sizes)
    s_prev, steps = sequence["s0"], []
    for x_t in sequence["xs"]:
        steps.append(_step(x_t, s_prev, sequence["W"]))
        s_prev = steps[-1][0]
    states, gates, candidates = (np.stack(arrays) for arrays in zip(*steps, strict=True))
    ds = rng.normal(size=states.shape)
    if last_only:
        ds[:-1] = 0
    return {
        "ds": ds,
        "xs": sequence["xs"],
        "s0": sequence["s0"],
        "states": states,
        "gates": gates,
        "candidates": candidates,
        "W": sequence["W"],
    }


# --------------------------------------------------------------------- confirmed by PyTorch's GRU


def _leaf(array):
    import torch

    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


def _gru_step(x_t, s_prev, W):
    """The step by `torch.gru_cell`: reset gate 1 (bias 100), z = 1 - g (weights negated)."""
    import torch

    H, D = W["sx"].shape
    w_x = torch.cat([torch.zeros(H, D, dtype=torch.float64), -W["gx"], W["sx"]])
    w_s = torch.cat([torch.zeros(H, H, dtype=torch.float64), -W["gs"], W["ss"]])
    bias = torch.cat([torch.full((H,), 100.0), torch.zeros(2 * H)]).double()
    s_t = torch.gru_cell(x_t.T, s_prev.T, w_x, w_s, bias, torch.zeros_like(bias)).T
    g_t = torch.special.expit(W["gs"] @ s_prev + W["gx"] @ x_t)
    candidate = torch.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)
    return s_t, g_t, candidate


def torch_gate(x_t, s_prev, W):
    return torch_step(x_t, s_prev, W)[1]


def torch_step(x_t, s_prev, W):
    W = {key: _leaf(matrix) for key, matrix in W.items()}
    return tuple(a.detach().numpy() for a in _gru_step(_leaf(x_t), _leaf(s_prev), W))


def torch_forward(xs, s0, W):
    W = {key: _leaf(matrix) for key, matrix in W.items()}
    s_prev, steps = _leaf(s0), []
    for x_t in xs:
        steps.append(_gru_step(_leaf(x_t), s_prev, W))
        s_prev = steps[-1][0]
    return tuple(np.stack([a.detach().numpy() for a in arrays]) for arrays in zip(*steps, strict=True))


def torch_step_backward(ds, x_t, s_prev, g_t, candidate, W):
    x_t, s_prev = _leaf(x_t), _leaf(s_prev)
    W = {key: _leaf(matrix) for key, matrix in W.items()}
    (_gru_step(x_t, s_prev, W)[0] * _leaf(ds)).sum().backward()
    return x_t.grad.numpy(), s_prev.grad.numpy(), {key: W[key].grad.numpy() for key in W}


def torch_backward(ds, xs, s0, states, gates, candidates, W):
    xs, s0 = _leaf(xs), _leaf(s0)
    W = {key: _leaf(matrix) for key, matrix in W.items()}
    s_prev, loss = s0, 0.0
    for x_t, ds_t in zip(xs, _leaf(ds), strict=True):
        s_prev = _gru_step(x_t, s_prev, W)[0]
        loss = loss + (s_prev * ds_t).sum()
    loss.backward()
    return xs.grad.numpy(), s0.grad.numpy(), {key: W[key].grad.numpy() for key in W}


# --------------------------------------------------------------------------------------- gate

gate = Exercise(
    returns=("g_t",),
    cases=(step_inputs, partial(step_inputs, D=5, H=4, N=3)),
    edge_cases={
        "one sequence (N = 1)": partial(step_inputs, N=1),
        "one unit (H = 1)": partial(step_inputs, H=1),
        "one input (D = 1)": partial(step_inputs, D=1),
        "as many inputs as units (D = H)": partial(step_inputs, D=3),
        "pre-activations beyond 1,000": partial(step_inputs, gate_scale=2000.0),
    },
    hints=(
        "The gate looks at the same two things as the step of an RNN, the state before and the "
        "input. Only the matrices and the squashing function are its own.",
        "Both products must have the shape of the state, (H, N); so has the gate: "
        "one number for each unit and each sequence.",
        'Start with `pre_activation = W["gs"] @ s_prev + …`; `sigmoid` is given.',
    ),
    misconceptions=[
        Mutant(
            "tanh instead of the sigmoid",
            "sigmoid(pre_activation)",
            "np.tanh(pre_activation)",
            hint="A gate is a share between 0 and 1. Which values does tanh take?",
        ),
        Mutant(
            "sigmoid missing",
            "sigmoid(pre_activation)",
            "pre_activation",
            hint="A share lies between 0 and 1; a sum of products lies anywhere.",
        ),
        Mutant(
            "g and 1 - g exchanged",
            "sigmoid(pre_activation)",
            "1 - sigmoid(pre_activation)",
            hint="Which share does (4.1) give: of what is written, or of what is kept? "
            "You may have the other one.",
        ),
        Mutant(
            "sum of sigmoids instead of the sigmoid of the sum",
            "sigmoid(pre_activation)",
            'sigmoid(W["gs"] @ s_prev) + sigmoid(W["gx"] @ x_t)',
            hint="Two shares added can exceed 1. What is added in (4.1), and what is squashed?",
        ),
        Mutant(
            "product of two sigmoids",
            "sigmoid(pre_activation)",
            'sigmoid(W["gs"] @ s_prev) * sigmoid(W["gx"] @ x_t)',
            hint="State and input are weighed together first, and squashed once.",
        ),
        Mutant(
            "state ignored",
            'W["gs"] @ s_prev + W["gx"] @ x_t',
            'W["gx"] @ x_t',
            hint="The same word may matter in one context and not in another: "
            "what tells the gate about the context?",
        ),
        Mutant(
            "input ignored",
            'W["gs"] @ s_prev + W["gx"] @ x_t',
            'W["gs"] @ s_prev',
            hint="From the same state every word opens your gate equally far. Which of its two "
            "matrices have you not used?",
        ),
        Mutant(
            "the candidate's matrices used",
            'W["gs"] @ s_prev + W["gx"] @ x_t',
            'W["ss"] @ s_prev + W["sx"] @ x_t',
            hint="What to write and how much to write are two questions, with two pairs of matrices.",
        ),
        Mutant(
            "the candidate's matrix for the state",
            'W["gs"] @ s_prev',
            'W["ss"] @ s_prev',
            hint="Read the superscripts of (4.1) once more: which matrix meets the state?",
        ),
        Mutant(
            "the candidate's matrix for the input",
            'W["gx"] @ x_t',
            'W["sx"] @ x_t',
            hint="Read the superscripts of (4.1) once more: which matrix meets the input?",
        ),
        Mutant(
            "transposed matrix for the state",
            'W["gs"] @ s_prev',
            'W["gs"].T @ s_prev',
            hint="Row i of the matrix belongs to gate i. H by H fits both ways, so no error says so.",
        ),
        Mutant(
            "difference instead of the sum",
            'W["gs"] @ s_prev + W["gx"] @ x_t',
            'W["gs"] @ s_prev - W["gx"] @ x_t',
            hint="Look at the sign between the two products in (4.1).",
        ),
        Mutant(
            "sigmoid applied twice",
            "return g_t",
            "return sigmoid(g_t)",
            hint="What is the smallest number a sigmoid of a sigmoid can give? Such a gate never closes.",
        ),
        Mutant(
            "rounded to 0 or 1",
            "return g_t",
            "return np.round(g_t)",
            hint="A gate may stand half open; and what is rounded has no gradient to learn from.",
        ),
        Mutant(
            "straight line instead of the sigmoid",
            "sigmoid(pre_activation)",
            "np.clip(0.2 * pre_activation + 0.5, 0, 1)",
            hint="A 'hard sigmoid' is close, but (4.1) asks for the smooth one.",
        ),
        Mutant(
            "shares that sum to one over the units",
            "sigmoid(pre_activation)",
            "np.exp(pre_activation - pre_activation.max(axis=0))",
            more=(("return g_t", "return g_t / g_t.sum(axis=0)"),),
            hint="Units do not compete: all gates may be open at once, or all closed.",
        ),
        Mutant(
            "sigmoid written anew, and it overflows",
            "sigmoid(pre_activation)",
            "np.exp(pre_activation) / (1 + np.exp(pre_activation))",
            hint="Try a pre-activation of 1,000. The given `sigmoid` survives it.",
        ),
        Mutant(
            "the state squashed once more",
            'W["gs"] @ s_prev',
            'W["gs"] @ np.tanh(s_prev)',
            hint="The state comes as it is; it needs no second tanh.",
        ),
        Mutant(
            "one gate for all units",
            "return g_t",
            "return g_t.mean(axis=0, keepdims=True) + np.zeros_like(g_t)",
            hint="One number for the whole state must keep all of it or none: each unit has its own gate.",
        ),
        Mutant(
            "one gate for all sequences",
            "return g_t",
            "return g_t.mean(axis=1, keepdims=True) + np.zeros_like(g_t)",
            hint="The columns are different sequences: what has one to say about the other?",
        ),
        Mutant(
            "an axis of size one squeezed away",
            "return g_t",
            "return np.squeeze(g_t)",
            hint="With one unit or one sequence the gate is still (H, N).",
        ),
    ],
    confirm=torch_gate,
)

# --------------------------------------------------------------------------------- gated_step

gated_step = Exercise(
    returns=("s_t", "g_t", "candidate"),
    cases=(step_inputs, partial(step_inputs, D=5, H=4, N=3)),
    edge_cases={
        "one sequence (N = 1)": partial(step_inputs, N=1),
        "one unit (H = 1)": partial(step_inputs, H=1),
        "one input (D = 1)": partial(step_inputs, D=1),
        "as many inputs as units (D = H)": partial(step_inputs, D=3),
        "gates almost shut or wide open": partial(step_inputs, gate_scale=6.0),
        "a state outside -1 to 1": state_outside_inputs,
    },
    hints=(
        "Three lines, one for each of (4.1), (4.2) and (4.3): how much, what, and the mixture.",
        "Gate, candidate, old and new state all have the shape (H, N), "
        "so the mixture is made of `*`, not of `@`.",
        "Start with `g_t = gate(x_t, s_prev, W)`; the candidate is the step of notebook 01.",
    ),
    needs=("gate",),
    misconceptions=[
        Mutant(
            "g and 1 - g exchanged",
            "(1 - g_t) * s_prev",
            "g_t * s_prev",
            more=(("g_t * candidate", "(1 - g_t) * candidate"),),
            hint="With g = 1 the new state is the candidate. Put g = 1 into your line.",
        ),
        Mutant(
            "direct path (1 - g) dropped",
            "kept + written",
            "written",
            hint="With the gate shut your new state is zero. What should be left of the old one?",
        ),
        Mutant(
            "everything kept, whatever the gate",
            "(1 - g_t) * s_prev",
            "s_prev",
            hint="What is overwritten must make room: the two shares in (4.3) sum to 1.",
        ),
        Mutant(
            "everything written, whatever the gate",
            "g_t * candidate",
            "candidate",
            hint="With the gate shut nothing may be written. What does your line write?",
        ),
        Mutant(
            "gate applied twice to the candidate",
            "g_t * candidate",
            "g_t * g_t * candidate",
            hint="The two shares in (4.3) sum to 1. Do yours?",
        ),
        Mutant(
            "gate applied twice to the old state",
            "(1 - g_t) * s_prev",
            "(1 - g_t) * (1 - g_t) * s_prev",
            hint="The two shares in (4.3) sum to 1. Do yours?",
        ),
        Mutant(
            "tanh on the candidate missing",
            "candidate = np.tanh(pre_activation)",
            "candidate = pre_activation",
            hint="What is to be written lies between -1 and 1.",
        ),
        Mutant(
            "sigmoid for the candidate's tanh",
            "candidate = np.tanh(pre_activation)",
            "candidate = sigmoid(pre_activation)",
            hint="A sigmoid could never write a negative value into the state.",
        ),
        Mutant(
            "tanh of the candidate applied twice",
            "candidate = np.tanh(pre_activation)",
            "candidate = np.tanh(np.tanh(pre_activation))",
            hint="How large can a tanh of a tanh become?",
        ),
        Mutant(
            "sum of tanhs instead of tanh of the sum",
            "candidate = np.tanh(pre_activation)",
            'candidate = np.tanh(W["ss"] @ s_prev) + np.tanh(W["sx"] @ x_t)',
            hint="Add first, squash once: otherwise a candidate can reach 2.",
        ),
        Mutant(
            "tanh around the whole mixture",
            "kept + written",
            "np.tanh(kept + written)",
            hint="A shut gate must hand on the old state unchanged. Does a tanh around it?",
        ),
        Mutant(
            "the gate's matrices used for the candidate",
            'W["ss"] @ s_prev + W["sx"] @ x_t',
            'W["gs"] @ s_prev + W["gx"] @ x_t',
            hint="What to write and how much to write are two questions, with two pairs of matrices.",
        ),
        Mutant(
            "the gate's matrix for the state in the candidate",
            'W["ss"] @ s_prev',
            'W["gs"] @ s_prev',
            hint="Read the superscripts of (4.2) once more: which matrix meets the state?",
        ),
        Mutant(
            "transposed matrix for the state",
            'W["ss"] @ s_prev',
            'W["ss"].T @ s_prev',
            hint="Row i of the matrix belongs to unit i. H by H fits both ways, so no error says so.",
        ),
        Mutant(
            "state missing in the candidate",
            'W["ss"] @ s_prev + W["sx"] @ x_t',
            'W["sx"] @ x_t',
            hint="The candidate is the step of notebook 01, and that one looked at the state too.",
        ),
        Mutant(
            "input missing in the candidate",
            'W["ss"] @ s_prev + W["sx"] @ x_t',
            'W["ss"] @ s_prev',
            hint="What does the new word contribute to what is written?",
        ),
        Mutant(
            "the gate used as a reset as well",
            'W["ss"] @ s_prev',
            'W["ss"] @ (g_t * s_prev)',
            hint="That is a GRU with one gate for two jobs. In (4.2) the candidate sees the whole state.",
        ),
        Mutant(
            "candidate made from what is kept",
            'W["ss"] @ s_prev',
            'W["ss"] @ ((1 - g_t) * s_prev)',
            hint="In (4.2) the candidate sees the whole old state; the gate acts afterwards.",
        ),
        Mutant(
            "gate rounded to 0 or 1",
            "g_t = gate(x_t, s_prev, W)",
            "g_t = np.round(gate(x_t, s_prev, W))",
            hint="A gate may stand half open: then the new state lies between old and candidate.",
        ),
        Mutant(
            "one gate for all units",
            "g_t = gate(x_t, s_prev, W)",
            "g_t = gate(x_t, s_prev, W).mean(axis=0) * np.ones_like(s_prev)",
            hint="Each unit keeps or overwrites by its own gate.",
        ),
        Mutant(
            "the first sequence's gate for all",
            "g_t = gate(x_t, s_prev, W)",
            "g_t = gate(x_t, s_prev, W)[:, :1] * np.ones_like(s_prev)",
            hint="The columns are different sequences, each with gates of its own.",
        ),
        Mutant(
            "pre-activation returned as the candidate",
            "return s_t, g_t, candidate",
            "return s_t, g_t, pre_activation",
            hint="Your new state is right. The candidate is what comes out of the tanh.",
        ),
        Mutant(
            "written share returned as the candidate",
            "return s_t, g_t, candidate",
            "return s_t, g_t, written",
            hint="Your new state is right. The candidate is what would be written with the gate wide open.",
        ),
        Mutant(
            "kept share returned as the gate",
            "return s_t, g_t, candidate",
            "return s_t, 1 - g_t, candidate",
            hint="Your new state is right. Which of the two shares is the gate, by (4.1)?",
        ),
        Mutant(
            "gate and candidate returned in the other order",
            "return s_t, g_t, candidate",
            "return s_t, candidate, g_t",
            hint="Read what the docstring says of the order in which things are returned.",
        ),
        Mutant(
            "an axis of size one squeezed away",
            "return s_t, g_t, candidate",
            "return np.squeeze(s_t), np.squeeze(g_t), np.squeeze(candidate)",
            hint="With one unit or one sequence the state is still (H, N).",
        ),
    ],
    confirm=torch_step,
)

# ------------------------------------------------------------------------------ gated_forward

gated_forward = Exercise(
    returns=("states", "gates", "candidates"),
    cases=(sequence_inputs, partial(sequence_inputs, T=7, D=5, H=4, N=3)),
    edge_cases={
        "one step (T = 1)": partial(sequence_inputs, T=1),
        "one sequence (N = 1)": partial(sequence_inputs, N=1),
        "one unit (H = 1)": partial(sequence_inputs, H=1),
        "one input (D = 1)": partial(sequence_inputs, D=1),
        "twenty-five steps": partial(sequence_inputs, T=25),
        "gates almost shut or wide open": partial(sequence_inputs, gate_scale=6.0),
    },
    hints=(
        "One step after the other: the state that a step returns is the `s_prev` of the next.",
        "Three lists that grow by an (H, N) array a step, stacked at the end into (T, H, N).",
        "Start with `s_prev = s0` and `for x_t in xs:`.",
    ),
    needs=("gated_step", "gate"),
    misconceptions=[
        Mutant(
            "state never updated",
            "s_prev = s_t",
            "s_prev = s0",
            hint="Your first step is right. Which state does the second one start from?",
        ),
        Mutant(
            "initial state ignored",
            "s_prev = s0",
            "s_prev = np.zeros_like(s0)",
            hint="Before the first step the state is `s0`, and that need not be zero.",
        ),
        Mutant(
            "candidate carried on in place of the state",
            "s_prev = s_t",
            "s_prev = candidate",
            hint="The next step starts from the mixture, else the gate has no say in what is remembered.",
        ),
        Mutant(
            "gate carried on in place of the state",
            "s_prev = s_t",
            "s_prev = g_t",
            hint="Which of the three results of a step is the state after it?",
        ),
        Mutant(
            "states before each step instead of after it",
            "states.append(s_t)",
            "states.append(s_prev)",
            hint="`states[0]` is the state after the first step; `s0` is not among the states.",
        ),
        Mutant(
            "initial state stored as well",
            "states = []",
            "states = [s0]",
            hint="`states` has T entries, one after each step; `s0` is not among them.",
        ),
        Mutant(
            "sequence read backwards",
            "for x_t in xs:",
            "for x_t in xs[::-1]:",
            hint="The first input is `xs[0]`.",
        ),
        Mutant(
            "the first input at every step",
            "gated_step(x_t, s_prev, W)",
            "gated_step(xs[0], s_prev, W)",
            hint="Your first step is right. Which input does the second one read?",
        ),
        Mutant(
            "the first step left out",
            "for x_t in xs:",
            "for x_t in xs[1:]:",
            hint="T inputs make T steps, and the first of them reads `xs[0]`.",
        ),
        Mutant(
            "the last step left out",
            "for x_t in xs:",
            "for x_t in xs[:-1]:",
            hint="T inputs make T steps.",
        ),
        Mutant(
            "one buffer, overwritten by every step",
            "np.stack(states)",
            "np.stack([s_t for _ in states])",
            hint="All your states are equal to the last one: is it one array, stored T times?",
        ),
        Mutant(
            "the state squashed between the steps",
            "s_prev = s_t",
            "s_prev = np.tanh(s_t)",
            hint="The state goes to the next step as it is: a shut gate must keep it exactly.",
        ),
        Mutant(
            "what is kept carried on without what is written",
            "s_prev = s_t",
            "s_prev = (1 - g_t) * s_prev",
            hint="The next step starts from the whole mixture (4.3).",
        ),
        Mutant(
            "what is written carried on without what is kept",
            "s_prev = s_t",
            "s_prev = g_t * candidate",
            hint="The next step starts from the whole mixture (4.3).",
        ),
        Mutant(
            "state set back after two steps",
            "s_prev = s_t",
            "s_prev = s0 if len(states) == 2 else s_t",
            hint="Your first two steps are right. What does the third one start from?",
        ),
        Mutant(
            "nothing written after the second step",
            "states.append(s_t)",
            "states.append(s_t if len(states) < 2 else np.zeros_like(s_t))",
            hint="Your first two states are right. Is each of the T steps stored?",
        ),
        Mutant(
            "one state for all sequences",
            "s_prev = s_t",
            "s_prev = s_t.mean(axis=1, keepdims=True) * np.ones_like(s_t)",
            hint="The columns are different sequences, each with a state of its own.",
        ),
        Mutant(
            "gates and candidates returned in the other order",
            "np.stack(gates), np.stack(candidates)",
            "np.stack(candidates), np.stack(gates)",
            hint="Read what the docstring says of the order in which things are returned.",
        ),
        Mutant(
            "kept shares stored as gates",
            "gates.append(g_t)",
            "gates.append(1 - g_t)",
            hint="Your states are right. Which of the two shares is the gate, by (4.1)?",
        ),
        Mutant(
            "written shares stored as candidates",
            "candidates.append(candidate)",
            "candidates.append(g_t * candidate)",
            hint="Your states are right. The candidate is what would be written with the gate wide open.",
        ),
        Mutant(
            "the last gate stored for every step",
            "np.stack(gates)",
            "np.stack([g_t for _ in gates])",
            hint="Your states are right, but every step has a gate of its own.",
        ),
        Mutant(
            "time put last",
            "return np.stack(states), np.stack(gates), np.stack(candidates)",
            "return np.stack(states, -1), np.stack(gates, -1), np.stack(candidates, -1)",
            hint="Time comes first: (T, H, N).",
        ),
        Mutant(
            "an axis of size one squeezed away",
            "return np.stack(states), np.stack(gates), np.stack(candidates)",
            "return np.squeeze(states), np.squeeze(gates), np.squeeze(candidates)",
            hint="With one step, one unit or one sequence the answer is still (T, H, N).",
        ),
    ],
    confirm=torch_forward,
)

# ------------------------------------------------------------------------ gated_step_backward

gated_step_backward = Exercise(
    returns=("dx", "ds_prev", "dW"),
    cases=(step_backward_inputs, partial(step_backward_inputs, D=5, H=4, N=3)),
    edge_cases={
        "one sequence (N = 1)": partial(step_backward_inputs, N=1),
        "one unit (H = 1)": partial(step_backward_inputs, H=1),
        "one input (D = 1)": partial(step_backward_inputs, D=1),
        "as many inputs as units (D = H)": partial(step_backward_inputs, D=3),
        "gates almost shut or wide open": partial(step_backward_inputs, gate_scale=2.5),
        "a state outside -1 to 1": partial(step_backward_inputs, outside=True),
    },
    hints=(
        "Go back through (4.3) first: it has three arguments, the old state, the candidate and the "
        "gate. Then back through the tanh, through the sigmoid, and through four matrices.",
        "`da` and `dz` are the gradients by the pre-activations of candidate and gate, both (H, N). "
        "`s_prev` is reached by three paths, `x_t` by two: their contributions are added.",
        "Start with `dg = ds * (candidate - s_prev)`, which is (4.6); then `dz` by (4.8).",
    ),
    misconceptions=[
        Mutant(
            "direct path (1 - g) dropped",
            'direct + W["ss"].T @ da',
            'W["ss"].T @ da',
            hint="With the gate shut the new state is the old one, so its gradient passes on whole. "
            "Does it in your line?",
        ),
        Mutant(
            "path through the candidate dropped from ds_prev",
            'direct + W["ss"].T @ da',
            "direct",
            hint="The old state also helps to make the candidate.",
        ),
        Mutant(
            "path through the gate dropped from ds_prev",
            ' + W["gs"].T @ dz\n',
            "\n",
            hint="The old state also decides how far the gate opens: that is the third path.",
        ),
        Mutant(
            "path through the gate dropped altogether",
            "dz = dg * g_t * (1 - g_t)",
            "dz = 0 * dg",
            hint="The gate is no constant: it is computed from state and input, and must learn.",
        ),
        Mutant(
            "old state added in dg",
            "(candidate - s_prev)",
            "(candidate + s_prev)",
            hint="In (4.3) the old state is multiplied by 1 - g: what sign does g give it?",
        ),
        Mutant(
            "both matrices not transposed on the way to s_prev",
            'W["ss"].T @ da + W["gs"].T @ dz',
            'W["ss"] @ da + W["gs"] @ dz',
            hint="H by H fits both ways, so no error tells you: on the way back the product goes over the "
            "units that the matrix made.",
        ),
        Mutant(
            "factor (candidate - s_prev) dropped from dg",
            "dg = ds * (candidate - s_prev)",
            "dg = ds",
            hint="Opening the gate a little moves the state from old towards new. How far apart are they?",
        ),
        Mutant(
            "sign of the gate's gradient turned round",
            "(candidate - s_prev)",
            "(s_prev - candidate)",
            hint="Opening the gate moves the state towards the candidate, not away from it.",
        ),
        Mutant(
            "the gate's gradient without the old state",
            "(candidate - s_prev)",
            "candidate",
            hint="g stands twice in (4.3). Differentiate both terms by g, and mind the sign of the one "
            "with s_prev.",
        ),
        Mutant(
            "the gate's gradient without the candidate",
            "(candidate - s_prev)",
            "(-s_prev)",
            hint="g stands twice in (4.3): what is kept shrinks with it, and what is written …?",
        ),
        Mutant(
            "old and new state in the gate's gradient",
            "(candidate - s_prev)",
            "((1 - g_t) * s_prev + g_t * candidate - s_prev)",
            hint="Opening the gate moves the state towards the candidate. "
            "You measure how far it has moved already.",
        ),
        Mutant(
            "g in place of 1 - g on the direct path",
            "direct = ds * (1 - g_t)",
            "direct = ds * g_t",
            hint="Which share of the old state is in the new one?",
        ),
        Mutant(
            "1 - g in place of g on the way to the candidate",
            "dcandidate = ds * g_t",
            "dcandidate = ds * (1 - g_t)",
            hint="Which share of the candidate is in the new state?",
        ),
        Mutant(
            "g and 1 - g exchanged",
            "direct = ds * (1 - g_t)",
            "direct = ds * g_t",
            more=(("dcandidate = ds * g_t", "dcandidate = ds * (1 - g_t)"),),
            hint="A gate of 1 means: overwritten. What can then still reach the old state directly?",
        ),
        Mutant(
            "gate missing on the way to the candidate",
            "dcandidate = ds * g_t",
            "dcandidate = ds",
            hint="Only a share of the candidate is written, so only that share of the gradient comes back.",
        ),
        Mutant(
            "gate missing on the direct path",
            "direct = ds * (1 - g_t)",
            "direct = ds",
            hint="Only a share of the old state is kept, so only that share of the gradient comes back.",
        ),
        Mutant(
            "gate applied twice on the way to the candidate",
            "dcandidate = ds * g_t",
            "dcandidate = ds * g_t * g_t",
            hint="The candidate meets the gate once in (4.3).",
        ),
        Mutant(
            "values in place of derivatives on the direct path",
            "direct = ds * (1 - g_t)",
            "direct = ds * (1 - g_t) * s_prev",
            hint="The derivative of (1 - g) s by s no longer contains s.",
        ),
        Mutant(
            "tanh applied twice",
            "(1 - candidate**2)",
            "(1 - np.tanh(candidate) ** 2)",
            hint="`candidate` is what came out of the tanh. Its derivative needs no second one.",
        ),
        Mutant(
            "derivative of tanh missing",
            "da = dcandidate * (1 - candidate**2)",
            "da = dcandidate",
            hint="Between the candidate and its pre-activation stands a tanh.",
        ),
        Mutant(
            "derivative of tanh taken at the gradient",
            "(1 - candidate**2)",
            "(1 - dcandidate**2)",
            hint="The slope of tanh depends on where the forward pass was, not on the gradient.",
        ),
        Mutant(
            "derivative of tanh taken at the new state",
            "(1 - candidate**2)",
            "(1 - ((1 - g_t) * s_prev + g_t * candidate) ** 2)",
            hint="What came out of the tanh here: the new state, or the candidate?",
        ),
        Mutant(
            "derivative of tanh taken at the old state",
            "(1 - candidate**2)",
            "(1 - s_prev**2)",
            hint="What came out of the tanh of (4.2)?",
        ),
        Mutant(
            "square missing in the derivative of tanh",
            "(1 - candidate**2)",
            "(1 - candidate)",
            hint="Try a candidate of -1: the tanh is saturated there, so its slope is 0.",
        ),
        Mutant(
            "derivative of the sigmoid for the candidate",
            "(1 - candidate**2)",
            "candidate * (1 - candidate)",
            hint="The candidate came out of a tanh, the gate out of a sigmoid.",
        ),
        Mutant(
            "parenthesis that multiplies one summand only, at the tanh",
            "da = dcandidate * (1 - candidate**2)",
            "da = dcandidate - candidate**2",
            hint="The gradient multiplies the whole slope, both of its summands.",
        ),
        Mutant(
            "sigmoid applied twice",
            "dz = dg * g_t * (1 - g_t)",
            "dz = dg * sigmoid(g_t) * (1 - sigmoid(g_t))",
            hint="`g_t` is what came out of the sigmoid. Its derivative needs no second one.",
        ),
        Mutant(
            "derivative of the sigmoid missing",
            "dz = dg * g_t * (1 - g_t)",
            "dz = dg",
            hint="Between the gate and its pre-activation stands a sigmoid.",
        ),
        Mutant(
            "derivative of tanh for the gate",
            "dz = dg * g_t * (1 - g_t)",
            "dz = dg * (1 - g_t**2)",
            hint="The gate came out of a sigmoid, the candidate out of a tanh.",
        ),
        Mutant(
            "half of the sigmoid's derivative",
            "dz = dg * g_t * (1 - g_t)",
            "dz = dg * g_t",
            hint="A gate wide open (g = 1) is saturated: its slope is 0 there, too.",
        ),
        Mutant(
            "derivative of the sigmoid taken at the candidate",
            "dz = dg * g_t * (1 - g_t)",
            "dz = dg * candidate * (1 - candidate)",
            hint="What came out of the sigmoid of (4.1)?",
        ),
        Mutant(
            "gradient from above ignored on the way to the gate",
            "dg = ds * (candidate - s_prev)",
            "dg = candidate - s_prev",
            hint="A local derivative is only a factor: what arrives from the loss?",
        ),
        Mutant(
            "gradient from above ignored on the way to the candidate",
            "dcandidate = ds * g_t",
            "dcandidate = g_t",
            hint="A local derivative is only a factor: what arrives from the loss?",
        ),
        Mutant(
            "gradient from above ignored on the direct path",
            "direct = ds * (1 - g_t)",
            "direct = 1 - g_t",
            hint="A local derivative is only a factor: what arrives from the loss?",
        ),
        Mutant(
            "candidate's matrix not transposed",
            'direct + W["ss"].T @ da',
            'direct + W["ss"] @ da',
            hint="Backward, a matrix acts transposed. H by H fits both ways, so no error says so.",
        ),
        Mutant(
            "gate's matrix not transposed",
            'W["gs"].T @ dz',
            'W["gs"] @ dz',
            hint="Backward, a matrix acts transposed. H by H fits both ways, so no error says so.",
        ),
        Mutant(
            "matrices of candidate and gate exchanged in ds_prev",
            'direct + W["ss"].T @ da',
            'direct + W["gs"].T @ da',
            more=((' + W["gs"].T @ dz\n', ' + W["ss"].T @ dz\n'),),
            hint="Each pre-activation goes back through the matrix that made it.",
        ),
        Mutant(
            "matrices of candidate and gate exchanged in dx",
            'dx = W["sx"].T @ da + W["gx"].T @ dz',
            'dx = W["gx"].T @ da + W["sx"].T @ dz',
            hint="Each pre-activation goes back through the matrix that made it.",
        ),
        Mutant(
            "path through the gate dropped from dx",
            'dx = W["sx"].T @ da + W["gx"].T @ dz',
            'dx = W["sx"].T @ da',
            hint="The input enters twice: it makes the candidate, and it moves the gate.",
        ),
        Mutant(
            "path through the candidate dropped from dx",
            'dx = W["sx"].T @ da + W["gx"].T @ dz',
            'dx = W["gx"].T @ dz',
            hint="The input enters twice: it makes the candidate, and it moves the gate.",
        ),
        Mutant(
            "weight gradients of gate and candidate exchanged",
            '"gs": dz @ s_prev.T',
            '"gs": da @ s_prev.T',
            more=(
                ('"gx": dz @ x_t.T', '"gx": da @ x_t.T'),
                ('"ss": da @ s_prev.T', '"ss": dz @ s_prev.T'),
                ('"sx": da @ x_t.T', '"sx": dz @ x_t.T'),
            ),
            hint='The matrices "gs" and "gx" made the gate: which pre-activation\'s gradient do they get?',
        ),
        Mutant(
            "new state in place of the old one in dW",
            '"gs": dz @ s_prev.T',
            '"gs": dz @ ((1 - g_t) * s_prev + g_t * candidate).T',
            more=(('"ss": da @ s_prev.T', '"ss": da @ ((1 - g_t) * s_prev + g_t * candidate).T'),),
            hint="A weight's gradient holds what the weight multiplied in the forward pass.",
        ),
        Mutant(
            "gates in place of the state in the gate's dW",
            '"gs": dz @ s_prev.T',
            '"gs": dz @ g_t.T',
            hint="A weight's gradient holds what the weight multiplied in the forward pass.",
        ),
        Mutant(
            "dW before the squashing functions",
            '"gs": dz @ s_prev.T',
            '"gs": dg @ s_prev.T',
            more=(
                ('"gx": dz @ x_t.T', '"gx": dg @ x_t.T'),
                ('"ss": da @ s_prev.T', '"ss": dcandidate @ s_prev.T'),
                ('"sx": da @ x_t.T', '"sx": dcandidate @ x_t.T'),
            ),
            hint="The weights stand inside tanh and sigmoid: their gradients pass through both.",
        ),
        Mutant(
            "an axis of size one squeezed away",
            "return dx, ds_prev, dW",
            "return np.squeeze(dx), np.squeeze(ds_prev), dW",
            hint="A gradient has the shape of the thing it belongs to, with one sequence too.",
        ),
    ],
    gradient=Gradient(
        of="gated_step",
        upstream={"ds": "s_t"},
        wrt={"dx": "x_t", "ds_prev": "s_prev", "dW": "W"},
    ),
    confirm=torch_step_backward,
)

# ----------------------------------------------------------------------------- gated_backward

gated_backward = Exercise(
    returns=("dxs", "ds0", "dW"),
    cases=(backward_inputs, partial(backward_inputs, T=7, D=5, H=4, N=3)),
    edge_cases={
        "one step (T = 1)": partial(backward_inputs, T=1),
        "one sequence (N = 1)": partial(backward_inputs, N=1),
        "one unit (H = 1)": partial(backward_inputs, H=1),
        "one input (D = 1)": partial(backward_inputs, D=1),
        "the loss looks at the last state only": partial(backward_inputs, last_only=True),
        "twenty steps": partial(backward_inputs, T=20),
        "gates almost shut or wide open": partial(backward_inputs, gate_scale=2.5),
    },
    hints=(
        "From the last step to the first. At every state two things meet: "
        "what arrives from outside, `ds[k]`, and what the step after it handed back.",
        "The carry has the shape (H, N) and starts at zero. `dxs` is filled step by step, "
        "`dW` is summed over the steps, and the carry that is left over at the end is `ds0`.",
        "Start with `carry = np.zeros_like(s0)` and `for k in reversed(range(len(xs))):`; "
        "the state before step k is `states[k - 1]`, but for k = 0 it is `s0`.",
    ),
    needs=("gated_step_backward",),
    misconceptions=[
        Mutant(
            "outside gradient added to ds0",
            "return dxs, carry, dW",
            "return dxs, carry + ds[0], dW",
            hint="The loss looks at the states s_1 to s_T, and ds[0] belongs to s_1.",
        ),
        Mutant(
            "share of the last step missing",
            "dW[key] += step_dW[key]",
            "dW[key] += step_dW[key] * (k < len(xs) - 1)",
            hint="Every step adds its share, the last one too.",
        ),
        Mutant(
            "carry through time not added",
            "total = ds[k] + carry",
            "total = ds[k]",
            hint="What happens at a state also reaches the loss through all later states.",
        ),
        Mutant(
            "gradient from outside ignored, but for the last state",
            "total = ds[k] + carry",
            "total = carry if k < len(xs) - 1 else ds[k]",
            hint="The loss may look at every state: `ds` has T entries, and all of them count.",
        ),
        Mutant(
            "the last state's gradient arrives at every state",
            "total = ds[k] + carry",
            "total = ds[-1] + carry",
            hint="`ds[k]` belongs to the state after step k.",
        ),
        Mutant(
            "the last state's gradient counted twice",
            "carry = np.zeros_like(s0)",
            "carry = ds[-1].copy()",
            hint="Before the loop nothing has been handed back yet; `ds[-1]` is added inside it.",
        ),
        Mutant(
            "gradient from outside counted twice",
            "total = ds[k] + carry",
            "total = 2 * ds[k] + carry",
            hint="At each state meet two things, each of them once.",
        ),
        Mutant(
            "carry computed and thrown away",
            "dxs[k], carry, step_dW",
            "dxs[k], _, step_dW",
            hint="What the step hands back for the state before it must survive until the next turn "
            "of the loop.",
        ),
        Mutant(
            "carries of all later steps piled up",
            "    for key in dW:",
            "    carry = carry + total\n        for key in dW:",
            hint="Of what arrives at a state only what its step hands back goes on.",
        ),
        Mutant(
            "only the direct path carried through time",
            "    for key in dW:",
            "    carry = (1 - gates[k]) * total\n        for key in dW:",
            hint="The old state also makes the candidate and moves the gate: the step's `ds_prev` "
            "has all three paths.",
        ),
        Mutant(
            "weight gradients of the first step only",
            "dW[key] += step_dW[key]",
            "dW[key] = step_dW[key]",
            hint="One W serves all steps. What becomes of the gradients of the steps before in your loop?",
        ),
        Mutant(
            "weight gradients of the last step only",
            "    for key in dW:",
            "    for key in dW if k == len(xs) - 1 else ():",
            hint="One W serves all steps, and each of them has something to say about it.",
        ),
        Mutant(
            "off by one: the first step is never reached",
            "range(len(xs))",
            "range(1, len(xs))",
            hint="T steps forward are T steps backward, down to k = 0.",
        ),
        Mutant(
            "off by one: the last step is left out",
            "range(len(xs))",
            "range(len(xs) - 1)",
            hint="T steps forward are T steps backward, from k = T - 1 on.",
        ),
        Mutant(
            "from the first step to the last",
            "for k in reversed(range(len(xs))):",
            "for k in range(len(xs)):",
            hint="What a state did to the loss is known only after all later states have been visited.",
        ),
        Mutant(
            "state after the step in place of the state before it",
            "states[k - 1] if k > 0 else s0",
            "states[k]",
            hint="`states[k]` is what step k made. What did it start from?",
        ),
        Mutant(
            "the last state taken for the state before the first step",
            "states[k - 1] if k > 0 else s0",
            "states[k - 1]",
            hint="In Python `states[-1]` is the last state, and no error says so.",
        ),
        Mutant(
            "initial state taken for zero",
            "states[k - 1] if k > 0 else s0",
            "states[k - 1] if k > 0 else np.zeros_like(s0)",
            hint="Before the first step the state is `s0`, and that need not be zero.",
        ),
        Mutant(
            "initial state at every step",
            "states[k - 1] if k > 0 else s0",
            "s0",
            hint="Only the first step started from `s0`.",
        ),
        Mutant(
            "gates of the step before",
            "gates[k]",
            "gates[k - 1]",
            hint="The gate of step k was computed in step k; only the state comes from the step before.",
        ),
        Mutant(
            "candidates of the step before",
            "candidates[k]",
            "candidates[k - 1]",
            hint="The candidate of step k was computed in step k; only the state comes from the step before.",
        ),
        Mutant(
            "states in place of the candidates",
            "candidates[k]",
            "states[k]",
            hint="The step's backward pass asks for what came out of the tanh.",
        ),
        Mutant(
            "gates and candidates exchanged",
            "gates[k], candidates[k]",
            "candidates[k], gates[k]",
            hint="Compare the order of the arguments with the step's docstring.",
        ),
        Mutant(
            "kept shares handed over as gates",
            "gates[k]",
            "1 - gates[k]",
            hint="The step asks for the gate itself, the share that is overwritten.",
        ),
        Mutant(
            "the last step's gate at every step",
            "gates[k]",
            "gates[-1]",
            hint="Every step has a gate of its own.",
        ),
        Mutant(
            "inputs of the other end",
            "total, xs[k]",
            "total, xs[-1 - k]",
            hint="Step k read `xs[k]`; walking backwards does not change that.",
        ),
        Mutant(
            "gradient of the initial state returned as zeros",
            "return dxs, carry, dW",
            "return dxs, np.zeros_like(s0), dW",
            hint="What the first step hands back is the gradient of the state before it: `s0`.",
        ),
        Mutant(
            "gradient of the first state returned for the initial one",
            "return dxs, carry, dW",
            "return dxs, total, dW",
            hint="`s0` stands before the first step: what does that step hand back?",
        ),
        Mutant(
            "dxs added to the whole buffer",
            "dxs[k], carry, step_dW = gated_step_backward(",
            "step_dx, carry, step_dW = gated_step_backward(",
            more=(("    for key in dW:", "    dxs += step_dx\n        for key in dW:"),),
            hint="Each step's input gradient belongs to its own place in `dxs`.",
        ),
        Mutant(
            "dxs stored in the order of the visits",
            "dxs[k], carry, step_dW",
            "dxs[len(xs) - 1 - k], carry, step_dW",
            hint="The first step you visit is the last of the sequence: where does its gradient belong?",
        ),
        Mutant(
            "truncated after two steps",
            "total = ds[k] + carry",
            "total = ds[k] + (carry if (len(xs) - k) % 2 == 0 else 0)",
            hint="The carry goes all the way back to the first step.",
        ),
        Mutant(
            "only the candidate's weights summed over the steps",
            "    for key in dW:",
            '    for key in ("ss", "sx"):',
            hint="The gate has weights as well, and they are shared by all steps too.",
        ),
        Mutant(
            "only the gate's weights summed over the steps",
            "    for key in dW:",
            '    for key in ("gs", "gx"):',
            hint="The candidate has weights as well, and they are shared by all steps too.",
        ),
        Mutant(
            "an axis of size one squeezed away",
            "return dxs, carry, dW",
            "return np.squeeze(dxs), np.squeeze(carry), dW",
            hint="A gradient has the shape of the thing it belongs to, with T = 1 or N = 1 too.",
        ),
    ],
    gradient=Gradient(
        of="gated_forward",
        upstream={"ds": "states"},
        wrt={"dxs": "xs", "ds0": "s0", "dW": "W"},
    ),
    confirm=torch_backward,
)
