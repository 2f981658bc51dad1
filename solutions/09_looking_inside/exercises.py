"""How the graded functions of notebook 09 are checked."""

from functools import partial

import numpy as np

import common
from autograder import Exercise, Mutant
from common import NO_NUDGES, both_signs, matrices, sizes, torch_gradients, torch_lstm_step, torch_walk

ALIKE = common.ALIKE

# ----------------------------------------------------------------------------- char_batches

WORDS = {
    "N = 1": "one stream",
    "T = 1": "windows of one character",
    "C = 2": "two characters",
}


def text_inputs(rng, N=3, T=4, B=5, over=3):
    """A text of B windows in N streams, and so many characters more; no two codes are the same, none is 0."""
    return {"codes": 1 + rng.permutation(N * T * B + over), "N": N, "T": T}


def windows_one_by_one(codes, N, T):
    """The same, window by window and character by character."""
    B = 0
    while len(codes) > N * T * (B + 1):
        B += 1
    inputs, targets = np.zeros((B, T, N), dtype=int), np.zeros((B, T, N), dtype=int)
    for n in range(N):
        for place in range(B * T):
            b, t = divmod(place, T)
            inputs[b, t, n] = codes[n * B * T + place]
            targets[b, t, n] = codes[n * B * T + place + 1]
    return inputs, targets


WINDOWS = ("window", "time step", "stream")

char_batches = Exercise(
    returns=("inputs", "targets"),
    # So much is left over that (L - 1) // N and L // N are two lengths of streams, and both too long.
    cases=(partial(text_inputs, over=9), partial(text_inputs, N=4, T=3, B=2, over=5)),
    edge_cases={
        **sizes(partial(text_inputs, over=1), words=WORDS, N=1, T=1),
        "the text fits exactly": partial(text_inputs, over=1),
        "one character too few for another window": partial(text_inputs, over=12),
        "one window (B = 1)": partial(text_inputs, B=1),
    },
    hints=(
        "First how many windows B: each of them takes N times T characters, and every character "
        "needs one that "
        "follows it. Then what each stream reads from beginning to end. Then the windows.",
        "A stream is B * T characters of the text that lie side by side. With a stream a row, (N, "
        "B, T), the order is "
        "the text's own; the answer wants the axes (B, T, N).",
        "Start by counting, with the 13 letters: how many of them can be read, so that one follows? "
        "How many does one window of all streams take?",
    ),
    axes={"inputs": WINDOWS, "targets": WINDOWS},
    confirm=windows_one_by_one,
)

# ----------------------------------------------------------------------------------- sample

NUDGE = 1e-3


def drawn_inputs(rng, C=5, N=8, temperature=0.6, shift=0.0):
    """Logits, and for each column a u within a piece: not the first, last or likeliest.

    So many columns that no two mistakes draw the same characters by chance.

    Which character is chosen, by a right answer and by a mistaken one, is no matter of the key: they are
    the logits of a profile, moved a little.
    """
    of_profile = np.random.default_rng([0, C, N])
    logits = both_signs(of_profile, (C, N), 0.3, 1.5)
    u = _inside(of_profile, logits / temperature)
    moved = rng.uniform(-NUDGE, NUDGE, size=logits.shape)
    return {"logits": logits + moved + shift, "temperature": temperature, "u": u}


def _softmax(z):
    exponentials = np.exp(z - z.max(axis=0))
    return exponentials / exponentials.sum(axis=0)


def _inside(rng, z):
    """For each column a place in a piece that is not the likeliest, nor, of three or more, at an end.

    In turn nearer to the piece's end and to its beginning.
    """
    p, u = _softmax(z), []
    ends = np.cumsum(p, axis=0)
    for n in range(z.shape[1]):
        inner = range(1, len(z) - 1) if len(z) > 2 else range(len(z))
        k = rng.choice([k for k in inner if k != np.argmax(p[:, n])])
        u.append(ends[k, n] - p[k, n] * (0.3, 0.7)[n % 2])
    return np.array(u)


def far_apart(rng):
    """At a hundredth of the temperature one character is sure, whatever u is."""
    logits = np.array([[1.0, 3.0, 2.0, 0.5], [2.0, 1.0, 0.5, 3.0], [0.5, 2.0, 3.0, 1.0]])
    logits = logits + rng.uniform(-NUDGE, NUDGE, size=logits.shape)
    return {"logits": logits, "temperature": 0.01, "u": np.array([0.25, 0.45, 0.65, 0.85])}


def far_from_one_another(rng):
    """The same, with a thousand between the texts: no number taken away from all of them serves two."""
    inputs = far_apart(rng)
    return {**inputs, "logits": inputs["logits"] + np.array([0.0, 1000.0, -1000.0, 3000.0])}


def ahead_in_a_text(rng):
    """In each text one character is a thousand ahead, at a hundredth of the temperature.

    Only where the largest number of a column is taken away is no exponent of `np.exp` above 0; whatever else
    is (a mean, a median, the first or the last) leaves one of 10,000 at the least.
    """
    inputs = far_apart(rng)
    inputs["logits"][[1, 0, 2, 1], np.arange(4)] += 1000.0
    return inputs


def all_times(rng, factor):
    """Logits and temperature so many times as large: nothing is sure, as if both had stayed as they were."""
    inputs = drawn_inputs(rng)
    return {**inputs, "logits": factor * inputs["logits"], "temperature": factor * inputs["temperature"]}


def impossible_first(rng):
    """The first character has probability 0, and u is 0: the first piece ends at u, not behind it."""
    inputs = drawn_inputs(rng, N=3, temperature=1.5)
    inputs["logits"][0] = -3000.0
    return {**inputs, "u": np.zeros(3)}


def at_the_ends(rng):
    """The smallest number that may be drawn, and one near 1: the first character, and the last.

    Near enough that pieces which end before 1, by a small number for safety, leave it out; not so near that
    rounding does.
    """
    return {**drawn_inputs(rng, N=2, temperature=1.5), "u": np.array([0.0, 1 - 1e-13])}


def drawn_one_by_one(logits, temperature, u):
    """Logarithms of sums in place of shares, and a walk along the pieces."""
    z = logits / temperature
    log_sum = np.logaddexp.reduce(z, axis=0)
    probabilities, chosen = np.exp(z - log_sum), []
    for n in range(z.shape[1]):
        k, end = 0, probabilities[0, n]
        while end <= u[n] and k < len(z) - 1:
            k += 1
            end += probabilities[k, n]
        chosen.append(k)
    return probabilities, np.array(chosen)


sample = Exercise(
    returns=("probabilities", "chosen"),
    cases=(drawn_inputs, partial(drawn_inputs, C=6, N=9, temperature=1.7)),
    edge_cases={
        **sizes(drawn_inputs, words=WORDS, N=1),
        "logits of a thousand": partial(drawn_inputs, temperature=1.0, shift=1000.0),
        "a temperature of 0.01": far_apart,
        "texts a thousand apart, at a temperature of 0.01": far_from_one_another,
        "one character a thousand ahead, at a temperature of 0.01": ahead_in_a_text,
        "logits of a thousand, at a temperature of 600": partial(all_times, factor=1000.0),
        "logits close together, at a temperature of 0.006": partial(all_times, factor=0.01),
        "u at 0, and near 1": at_the_ends,
        "u at 0, and a first probability so small that it is kept as 0": impossible_first,
        "as many texts as characters (N = C)": partial(drawn_inputs, C=4, N=4),
    },
    hints=(
        "First the temperature, then the largest logit of each column away, then softmax. For the "
        "draw: where do the "
        "pieces end?",
        "Everything is (C, N); what is summed is summed down a column. `np.cumsum` says where the pieces "
        "end. What do the pieces before the one you look for have in common?",
        "Start with `scaled = logits / temperature`. What is the largest number that `np.exp` may meet, "
        "in each column?",
    ),
    axes={
        "probabilities": ("character", "text"),
        "logits": ("character", "text"),
        "chosen": ("text",),
        "u": ("text",),
    },
    # With a small number for safety in the divisor the columns do not sum to 1.
    **NO_NUDGES,
    confirm=drawn_one_by_one,
)

# ------------------------------------------------------------------------------ connectivity

GATES = "fioc"


def connected_inputs(rng, T=5, C=9, H=3, N=8, scale=0.8):
    """Texts in one-hot columns and a small LSTM; nothing is so small that a share vanishes.

    So many texts that no other characters are those of `k` by chance.
    """
    read = rng.integers(0, C, size=(T, N))
    W = matrices(rng, scale, **{k + kind: (H, n) for kind, n in (("h", H), ("x", C)) for k in GATES})
    W |= {k + "b": both_signs(rng, (H, 1), 0.3, 1.0) for k in GATES}
    V = {"yh": rng.normal(size=(C, H)), "yb": both_signs(rng, (C, 1), 0.3, 1.0)}
    return {"xs": np.eye(C)[read].transpose(0, 2, 1), "k": rng.permutation(C)[:N], "W": W, "V": V}


def torch_connectivity(xs, k, W, V):
    """PyTorch's own gradients of the logarithm of the probability."""
    import torch

    W, V = ({key: torch.tensor(array) for key, array in weights.items()} for weights in (W, V))

    def log_p(xs):
        start = torch.zeros(len(W["fb"]), len(k), dtype=torch.float64)
        hs, _ = torch_walk(lambda x_t, h, c: torch_lstm_step(x_t, h, c, W)[:2], xs, start, start)
        return torch.log_softmax(V["yh"] @ hs[-1] + V["yb"], dim=0)[torch.tensor(k), torch.arange(len(k))]

    (slopes,) = torch_gradients(log_p, np.ones(len(k)), xs)
    lengths = np.linalg.norm(slopes, axis=1)
    return lengths / lengths.sum(axis=0)


connectivity = Exercise(
    returns=("shares",),
    cases=(connected_inputs, partial(connected_inputs, T=4, C=8, H=6, N=7)),
    edge_cases={
        **sizes(connected_inputs, N=1, H=1),
        "two inputs (T = 2)": partial(connected_inputs, T=2),
        "as many texts as inputs (N = T)": partial(connected_inputs, T=4, N=4),
        "a long text (T = 30)": partial(connected_inputs, T=30),
    },
    hints=(
        "Go forward to the last visible state and its probabilities; ask who moves ln p; go back. "
        "Only at the end do "
        "lengths and shares come.",
        "`lstm_backward` wants `dhs` of shape (T, H, N). Who looks at a visible state from outside, "
        "and at which step? "
        "What comes back as `dxs` is (T, C, N): a length for each position of each text is (T, N).",
        'Try the middle first: nudge one logit, by `V["yb"]`, and see how ln p of `foretell` moves, '
        "for the character "
        "that came and for another one.",
    ),
    **NO_NUDGES,
    axes={"shares": ("time step", "text"), "xs": ("time step", "character", "text"), "k": ("text",)},
    confirm=torch_connectivity,
)

# -------------------------------------------------------------------------------- cell_probe


def probe_inputs(rng, H=3, P=11, Q=7, penalty=0.4):
    """Memories with means and deviations of their own, and other ones of the unseen positions."""
    mean, deviation = both_signs(rng, (H, 1), 1.0, 2.0), rng.uniform(0.5, 0.8, size=(H, 1))
    mixed = rng.normal(size=(H, H)) @ rng.normal(size=(H, P)) + rng.normal(size=(H, P))
    y = rng.permutation(np.arange(P) % 3 == 0).astype(float)
    cs_new = 1.5 * mean + 2 * deviation * rng.normal(size=(H, Q))
    return {"cs": mean + deviation * mixed, "y": y, "cs_new": cs_new, "penalty": penalty}


def mostly_inside(rng):
    """Two thirds of the positions are inside."""
    inputs = probe_inputs(rng)
    return {**inputs, "y": 1 - inputs["y"]}


def probed_by_rows(cs, y, cs_new, penalty):
    """One least-squares problem with the penalty as rows of its own, and b as a column of ones."""
    mean, deviation = (
        cs.mean(axis=1)[:, None],
        np.sqrt(((cs - cs.mean(axis=1)[:, None]) ** 2).mean(axis=1))[:, None],
    )
    H, P = cs.shape
    rows = np.hstack([((cs - mean) / deviation).T / np.sqrt(P), np.full((P, 1), 1 / np.sqrt(P))])
    rows = np.vstack([rows, np.sqrt(penalty) * np.eye(H, H + 1)])
    wanted = np.concatenate([y / np.sqrt(P), np.zeros(H)])
    solution = np.linalg.lstsq(rows, wanted, rcond=None)[0]
    return solution[:H, None], ((cs_new - mean) / deviation).T @ solution[:H] + solution[H]


def logistic(name, *scores):
    """Inside and outside taken for two classes, as (9.8) does not take them: Newton's method, to the end."""
    return Mutant(
        name,
        "w = np.linalg.solve(moments, z @ (y - b)[:, None] / len(y))",
        """
w, b = np.zeros((len(z), 1)), 0.0
for _ in range(30):
    said, rows = 1 / (1 + np.exp(-(w.T @ z + b))), np.vstack([z, np.ones(len(y))])
    weighed = np.diag([penalty] * len(z) + [0.0])
    slope = rows @ (said - y).T / len(y) + weighed @ np.vstack([w, [[b]]])
    step = np.linalg.solve(rows * said * (1 - said) @ rows.T / len(y) + weighed, slope)
    w, b = w - step[:-1], b - step[-1, 0]
""",
        "What is squared in (9.8): has it a sigmoid in it, or a logarithm?",
        more=tuple(("scores = w.T @ ((cs_new - mean) / deviation) + b", said) for said in scores),
    )


cell_probe = Exercise(
    returns=("w", "scores"),
    cases=(probe_inputs, partial(probe_inputs, H=4, P=9, Q=5, penalty=1.3)),
    edge_cases={
        "one cell (H = 1)": partial(probe_inputs, H=1),
        "one unseen position (Q = 1)": partial(probe_inputs, Q=1),
        "more cells than positions": partial(probe_inputs, H=8, P=6),
        "as many positions as cells (P = H)": partial(probe_inputs, H=5, P=5),
        "a small penalty": partial(probe_inputs, penalty=0.01),
        "most are inside": mostly_inside,
    },
    hints=(
        "Make the memories comparable, find b, find w, and treat the new memories as the old ones "
        "were treated, by the "
        "same numbers.",
        "With the positions as columns, (H, P), the gradient of (9.8) by w is a sum over P columns "
        "and has the shape "
        "(H, 1). That it is zero makes H equations for the H weights: `np.linalg.solve` solves them.",
        "Try b first. Set w to zero and ask for which b (9.8) is smallest. Does it change when w is "
        "not zero? What is the "
        "mean of comparable memories?",
    ),
    axes={
        "w": ("unit", "column"),
        "scores": ("position",),
        "cs": ("unit", "position"),
        "cs_new": ("unit", "position"),
        "y": ("position",),
    },
    misconceptions=[
        logistic("a logistic regression, not what makes (9.8) smallest"),
        logistic(
            "a logistic regression, and its probabilities",
            "scores = 1 / (1 + np.exp(-(w.T @ ((cs_new - mean) / deviation) + b)))",
        ),
    ],
    confirm=probed_by_rows,
)

# ----------------------------------------------------------------------------- entropy_slope


def entropy_inputs(rng, C=5, N=3, temperature=0.7, shift=0.0):
    return {"logits": both_signs(rng, (C, N), 0.4, 2.0) + shift, "temperature": temperature}


def with_sure_ones(rng):
    """One text's character is sure; of the others' two are in doubt, and the rest have no probability left.

    A logarithm of 0 is nowhere needed, and nothing overflows where the largest is taken away first.
    """
    logits = np.array([[3.0, 0.0, -20.0], [20.0, -25.0, 0.0], [0.0, 0.0, 0.0], [-1.0, -30.0, -35.0]])
    nearly_alike = rng.uniform(0.008, 0.012, size=2)
    logits[[0, 1], [1, 2]], logits[2, 1:] = nearly_alike, -nearly_alike
    return {"logits": logits, "temperature": 0.02}


def torch_entropy_slope(logits, temperature):
    import torch

    tau = torch.tensor(np.full(logits.shape[1], temperature), requires_grad=True)
    log_p = torch.log_softmax(torch.tensor(logits) / tau, dim=0)
    return torch.autograd.grad(-(log_p.exp() * log_p).sum(), tau)[0].numpy()


entropy_slope = Exercise(
    returns=("slope",),
    cases=(entropy_inputs, partial(entropy_inputs, C=6, N=4, temperature=1.8)),
    edge_cases={
        **sizes(entropy_inputs, words=WORDS, N=1, C=2),
        "logits around twenty": partial(entropy_inputs, shift=20.0, temperature=1.3),
        "probabilities too small for a number, at a temperature of 0.02": with_sure_ones,
        "as many texts as characters (N = C)": partial(entropy_inputs, C=4, N=4),
    },
    hints=(
        "How does each probability move with the temperature, and how does the entropy move with "
        "the probabilities? The "
        "logarithm is a sum of two terms: which of them does nothing, because probabilities always "
        "sum to 1?",
        "The slope is (N,): one number for each column. All sums run down a column, over the C characters.",
        "Try two characters with the logits d and 0. Then a whole column shifted by the same "
        "number: does your slope stay? "
        "Then all logits and the temperature doubled: the draws are the same. What must become of "
        "the slope?",
    ),
    axes={"slope": ("text",), "logits": ("character", "text")},
    **NO_NUDGES,
    confirm=torch_entropy_slope,
)
