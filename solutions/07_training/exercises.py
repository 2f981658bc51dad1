"""How the graded functions of notebook 07 are checked.

Each is tried by a given function of the notebook that makes tensors and models of arrays, and arrays of what
comes of them. Every `confirm` is NumPy alone: gradients by the formulas of notebooks 02 and 04, which were
confirmed there, or by finite differences.
"""

from functools import partial

import numpy as np

from autograder import Exercise
from common import arriving, matrices, sigmoid, sizes, some_states

PACKAGES = ("numpy", "torch")
ALIKE = ("torch.tanh", "torch.sigmoid")

BATCH = {
    "xs": ("time step", "sequence", "input"),
    "states": ("time step", "sequence", "unit"),
    "dstates": ("time step", "sequence", "unit"),
    "dxs": ("time step", "sequence", "input"),
    "ds0": ("sequence", "unit"),
    "last": ("sequence", "unit"),
    "lengths": ("sequence",),
    "losses": ("batch",),
    "plain": ("batch",),
}
# Several batches at once, as the exercises on updates get them.
QUESTIONS = {
    "xs": ("batch", "time step", "sequence", "input"),
    "targets": ("batch", "time step", "sequence"),
    "lengths": ("batch", "sequence"),
}
# What is seen of an update.
UPDATE = {
    "W": "",
    "plain": "what you return as the loss holds a graph still: a plain number is asked for",
    'steps["made"]': "not just one step by gradients is made a call",
    'steps["none_empty"]': "a step is made where there are no gradients: not made yet, or thrown away",
    'steps["in_time"]': "the gradients are made, or clipped, after the step only",
}

# ------------------------------------------------------------------------------------- inputs


def some_lengths(N, T, equal):
    """Lengths of which no two are alike, and whose order is not undone by doing it once more; or all T."""
    return np.full(N, T) if equal or N == 1 else np.array([T - 1, 2, T, T - 2, 3])[:N]


def pad_inputs(rng, N=4, T=7, D=3, equal=False, words=False):
    lengths = some_lengths(N, T, equal)
    rows = rng.integers(1, 30, size=lengths.sum()) if words else arriving(rng, lengths.sum(), D)
    return {"rows": rows, "lengths": lengths}


def last_inputs(rng, N=4, T=7, H=3, equal=False):
    """The last valid state is never the largest of all: its first unit falls, the others rise."""
    states, lengths = some_states(rng, T, N, H), some_lengths(N, T, equal)
    first, last = states[0], states[lengths - 1, np.arange(N)]
    low, high, falls = np.minimum(first, last), np.maximum(first, last), np.arange(H) == 0
    states[0], states[lengths - 1, np.arange(N)] = np.where(falls, high, low), np.where(falls, low, high)
    return {"states": states, "lengths": lengths, "dlast": arriving(rng, N, H)}


def gated_inputs(rng, T=5, N=2, D=4, H=3, scale=0.7):
    shapes = {"W_ss": (H, H), "W_sx": (H, D), "W_gs": (H, H), "W_gx": (H, D)}
    return {
        "xs": rng.normal(size=(T, N, D)),
        "s0": some_states(rng, N, H),
        "W": matrices(rng, scale, **shapes),
        "dstates": arriving(rng, T, N, H),
    }


def _lengths(B, N, T, equal):
    """Lengths (B, N), no two of a batch alike, the longest at another place in each; or all T."""
    lengths = np.full(N, T) if equal else np.array([T, 2, T - 1, 3, T - 2])[:N]
    return np.stack([np.roll(lengths, b) for b in range(B)])


def _targets(rng, B, T, N, C):
    """Classes, every one of them in every row of every batch, as far as there is room."""
    return np.stack([[rng.permutation(np.arange(N) % C) for _ in range(T)] for _ in range(B)])


def train_inputs(rng, B=3, T=5, N=4, D=3, H=6, C=3, clip=0.05, equal=False, spread=1.0):
    """Sequences to learn from; where the scores spread five times as wide, the norm is always above 1."""
    W = matrices(rng, 0.8, ss=(H, H), sx=(H, D), ys=(C, H))
    W["ys"] *= spread
    targets = _targets(rng, B, T, N, C)
    if not equal and N > C:  # nor need all be asked before a sequence's end
        targets[np.arange(B), 1, np.argmax(targets[:, 1] == 0, axis=1)] = -100
    return {
        "xs": rng.normal(size=(B, T, N, D)),
        "lengths": _lengths(B, N, T, equal),
        "targets": targets,
        "W": W,
        "rate": 0.5,
        "clip": clip,
    }


def accuracy_inputs(rng, B=3, T=6, N=5, C=4, equal=False):
    """Of the questions asked two thirds or more are answered right; how many differs from batch to batch.

    In each batch the first class and the last are answered right once or more, neither of the first two is
    answered wrong, and where nothing is asked the first is not answered: who leaves a class out, looks at a
    part of its number, or at one class alone, counts another share.
    """
    lengths = _lengths(B, N, T, equal)
    asked = np.arange(T)[:, None] < lengths[:, None, :]
    targets = rng.integers(C, size=(B, T, N))
    if not equal:  # nor need all be asked before a sequence's end
        unasked = np.arange(B), 0, N - 1 - np.arange(B) % N
        asked[unasked], targets[unasked] = False, -100
    answered = np.empty_like(targets)
    for b in range(B):
        places = np.argwhere(asked[b])
        is_wrong = np.arange(len(places)) % (3 + b) == b
        wrong, right = tuple(places[is_wrong].T), tuple(places[~is_wrong][:2].T)
        targets[b][wrong] = 2 + targets[b][wrong] % (C - 2)
        targets[b][right] = 0, C - 1
        answered[b] = np.where(asked[b], targets[b], 1 + targets[b] % (C - 1))
        answered[b][wrong] = (targets[b][wrong] + 1) % C
    xs = rng.uniform(0.1, 1.0, size=(B, T, N, C))
    np.put_along_axis(xs, answered[..., None], rng.uniform(2.0, 3.0, size=(B, T, N, 1)), axis=-1)
    return {"xs": xs, "lengths": lengths, "targets": targets}


def stream_inputs(rng, B=4, T=5, N=2, D=4, H=6, C=3, clip=0.05, rate=0.25):
    """Pieces of a stream. What is left of the first shows in two losses, those of the third and fourth."""
    inputs = train_inputs(rng, B, T, N, D, H, C, clip, equal=True)
    return {
        "xs": inputs["xs"],
        "targets": inputs["targets"],
        "s0": some_states(rng, N, H),
        "W": inputs["W"],
        "rate": rate,
        "clip": clip,
    }


# ------------------------------------------------------------------------------- confirmations


def padded(rows, lengths):
    xs = np.zeros((lengths.max(), len(lengths), *rows.shape[1:]), rows.dtype)
    for n, (end, length) in enumerate(zip(np.cumsum(lengths), lengths, strict=True)):
        xs[:length, n] = rows[end - length : end]
    return xs, lengths, dict.fromkeys(("zeros", "dtype", "tensor", "whole", "kept"), 1.0)


def picked(states, lengths, dlast):
    last, dstates = np.zeros(dlast.shape), np.zeros(states.shape)
    for n, length in enumerate(lengths):
        last[n] = states[length - 1, n]
        dstates[length - 1, n] = dlast[n]
    return last, dstates, 1.0


def gated_by_hand(xs, s0, W, dstates):
    """Forward, and the backward of notebook 04, (4.7) to (4.14), with one row a sequence."""
    steps, s = [], s0
    for x in xs:
        g, candidate = sigmoid(s @ W["W_gs"].T + x @ W["W_gx"].T), np.tanh(s @ W["W_ss"].T + x @ W["W_sx"].T)
        steps.append((s, g, candidate))
        s = (1 - g) * s + g * candidate
    states = np.stack([(1 - g) * s + g * candidate for s, g, candidate in steps])
    dxs, ds, dW = np.zeros(xs.shape), np.zeros(s0.shape), {key: np.zeros(W[key].shape) for key in W}
    for t in reversed(range(len(xs))):
        s, g, candidate = steps[t]
        ds = ds + dstates[t]
        da, dz = ds * g * (1 - candidate**2), ds * (candidate - s) * g * (1 - g)
        for key, made, read in (("W_ss", da, s), ("W_sx", da, xs[t]), ("W_gs", dz, s), ("W_gx", dz, xs[t])):
            dW[key] += made.T @ read
        dxs[t] = da @ W["W_sx"] + dz @ W["W_gx"]
        ds = ds * (1 - g) + da @ W["W_ss"] + dz @ W["W_gs"]
    registered = dict.fromkeys((*W, "others"), 1.0)
    return (
        states,
        dxs,
        ds,
        dW,
        registered,
        dict.fromkeys(("apart", "bound", "low", "high", "double"), np.ones(4)),
    )


def just_made(calls):
    """One step a call, with gradients, and nothing after it."""
    return {key: np.ones(calls) for key in ("none_empty", "made", "in_time")}


def _trained(xs, asked, targets, s, W, rate, clip):
    """One update of the probe's model by hand: the loss, the last state, the new weights."""
    states = []
    s0 = s
    for x in xs:
        s = np.tanh(s @ W["ss"].T + x @ W["sx"].T)
        states.append(s)
    scores = (np.stack(states) @ W["ys"].T)[..., ::-1]
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    hot = np.eye(p.shape[-1])[np.maximum(targets, 0)]
    loss = -np.log((p * hot).sum(axis=-1))[asked].mean()
    dscores = ((p - hot) * asked[..., None] / asked.sum())[..., ::-1]
    dW = {key: np.zeros(W[key].shape) for key in W}
    ds = np.zeros(s0.shape)
    for t in reversed(range(len(xs))):
        dW["ys"] += dscores[t].T @ states[t]
        da = (ds + dscores[t] @ W["ys"]) * (1 - states[t] ** 2)
        dW["ss"] += da.T @ (states[t - 1] if t else s0)
        dW["sx"] += da.T @ xs[t]
        ds = da @ W["ss"]
    norm = np.sqrt(sum((matrix**2).sum() for matrix in dW.values()))
    share = min(1.0, clip / norm)
    return loss, states[-1], {key: W[key] - rate * share * dW[key] for key in W}


def trained_by_hand(xs, lengths, targets, W, rate, clip):
    losses = []
    for x, length, target in zip(xs, lengths, targets, strict=True):
        asked = (np.arange(len(x))[:, None] < length) & (target >= 0)
        s0 = np.zeros((x.shape[1], len(W["ss"])))
        loss, _, W = _trained(x, asked, target, s0, W, rate, clip)
        losses.append(loss)
    return np.array(losses), W, np.ones(len(xs)), just_made(len(xs))


def streamed_by_hand(xs, targets, s0, W, rate, clip):
    losses, states, s = [], [], s0
    for x, target in zip(xs, targets, strict=True):
        loss, s, W = _trained(x, np.ones(target.shape, bool), target, s, W, rate, clip)
        losses.append(loss)
        states.append(s)
    return np.array(losses), np.stack(states), W, np.ones(len(xs)), just_made(len(xs))


def counted(xs, lengths, targets):
    right, asked = 0, 0
    for b, (x, length, target) in enumerate(zip(xs, lengths, targets, strict=True)):
        few = b % 2 and max(1, len(length) // 2)
        for n in range(few, len(length)):
            for t in np.flatnonzero(target[: length[n], n] >= 0):
                right += np.argmax(x[t, n]) == target[t, n]
                asked += 1
    return np.array(right / asked), 1.0, 1.0, 1.0


# ------------------------------------------------------------------------------------ exercises

pad_batch = Exercise(
    returns=("xs", "lengths", "form"),
    watched={
        'form["zeros"]': "behind the end of a sequence stands something else than zeros",
        'form["dtype"]': "`xs` has another dtype than the sequences",
        'form["tensor"]': "`lengths` is no tensor",
        'form["whole"]': "`lengths` holds no whole numbers",
        'form["kept"]': "the caller's list `sequences` is changed: make new tensors, in a list of your own",
    },
    cases=pad_inputs,
    edge_cases={
        **sizes(pad_inputs, N=1),
        "nothing to pad": partial(pad_inputs, equal=True),
        "numbers of words (T_n,)": partial(pad_inputs, words=True),
    },
    hints=(
        "How long must the tensor be so that the longest sequence fits? What stands where nothing is?",
        "Time comes first: `xs` is (T, N, D), and sequence n is the column `xs[:, n]`.",
        "Start with `lengths = torch.tensor([len(sequence) for sequence in sequences])`.",
    ),
    axes=BATCH,
    tried_by="try_pad_batch",
    confirm=padded,
)

last_valid_state = Exercise(
    returns=("last", "dstates", "lengths_kept"),
    watched={"dstates": "", "lengths_kept": "the caller's `lengths` are changed"},
    cases=last_inputs,
    edge_cases={
        **sizes(last_inputs, N=1),
        "nothing is padded": partial(last_inputs, equal=True),
    },
    hints=(
        "After which step has sequence n said all it has to say? Which row of `states[:, n]` is that?",
        "Two lists of N numbers, one for the steps and one for the sequences, pick N rows of H numbers.",
        "Start with `last_steps = lengths - 1`: positions count from 1, Python from 0.",
    ),
    axes=BATCH,
    tried_by="try_last_valid_state",
    confirm=picked,
)

GatedRNN = Exercise(
    returns=("states", "dxs", "ds0", "dW", "registered", "start"),
    watched={
        **dict.fromkeys(("dxs", "ds0", "dW"), ""),
        "registered": "`parameters()` does not list `{key}`: an optimiser would never change it",
        'registered["others"]': "`parameters()` lists more than the four matrices",
        'start["apart"]': "rows of a matrix start alike",
        'start["bound"]': "an entry is drawn beyond 1/sqrt(H), H units, for all four matrices",
        'start["low"]': "no entry is drawn near -1/sqrt(H)",
        'start["high"]': "no entry is drawn near 1/sqrt(H)",
        'start["double"]': "not every matrix is in double precision",
    },
    cases=gated_inputs,
    edge_cases={
        **sizes(gated_inputs, N=1, T=1, D=1),
        "a long sequence (T = 20)": partial(gated_inputs, T=20),
    },
    hints=(
        "It is (4.1) to (4.3) once more. What changes is that a sequence is a row now, and not a column.",
        "`x_t` is (N, D) and `W_sx` is (H, D): what makes (N, H) of them? `nn.Parameter` tells the module.",
        "`super().__init__()`, then `self.W_ss = nn.Parameter(...)`. In `forward` begin with `s_prev = s0` "
        "and an empty list.",
    ),
    axes=BATCH,
    tried_by="try_gated_rnn",
    confirm=gated_by_hand,
)

train_step = Exercise(
    returns=("losses", "W", "plain", "steps"),
    watched=UPDATE,
    cases=train_inputs,
    edge_cases={
        **sizes(train_inputs, N=1),
        "a norm below `clip`": partial(train_inputs, clip=1000.0, spread=5.0),
        "nothing is padded": partial(train_inputs, equal=True),
    },
    hints=(
        "Six things in an order: which must be done before the gradients are made, which after?",
        "`F.cross_entropy` wants one row of C scores a question, and one class: flatten both alike.",
        "Start with `model.train()` and `optimizer.zero_grad()`.",
    ),
    axes=BATCH | QUESTIONS,
    rtol=1e-6,  # PyTorch's clipping adds 1e-6 to the norm, one's own need not
    atol=1e-6,
    tried_by="try_train_step",
    confirm=trained_by_hand,
)

accuracy = Exercise(
    returns=("share", "evaluating", "without_graph", "graphs_after"),
    watched={
        "evaluating": "the model is in its training mode when it is asked",
        "without_graph": "gradients are prepared when it is asked",
        "graphs_after": "after your call nobody gets gradients any more; `with torch.no_grad():` ends",
    },
    cases=accuracy_inputs,
    edge_cases={
        "one batch": partial(accuracy_inputs, B=1),
        "one question (T = 1)": partial(accuracy_inputs, T=1, equal=True),
        "every step is asked": partial(accuracy_inputs, equal=True),
    },
    hints=(
        "Count two things over all batches: what was asked, and what was answered right. Divide at the end.",
        "Scores are (Q, N, C): over which axis does the best class stand, so that (Q, N) is left?",
        "Start with `model.eval()`; then `with torch.no_grad():` around the loop.",
    ),
    tried_by="try_accuracy",
    confirm=counted,
)

stream_step = Exercise(
    returns=("losses", "states", "W", "plain", "steps"),
    watched=UPDATE,
    cases=stream_inputs,
    edge_cases={
        "one stream (N = 1)": partial(stream_inputs, N=1),
        **sizes(stream_inputs, T=1),
        "a norm below `clip`": partial(stream_inputs, clip=100.0, rate=0.5),
    },
    hints=(
        "The next piece starts where this one ends. What of that state may travel, and what may not?",
        "`states` is (T, N, H); the next piece wants (N, H).",
        "It is your `train_step`, with one thing more to return.",
    ),
    axes=BATCH | QUESTIONS | {"states": ("piece", "sequence", "unit")},
    rtol=1e-6,
    atol=1e-6,
    tried_by="try_stream_step",
    confirm=streamed_by_hand,
)
