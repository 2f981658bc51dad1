"""How the graded functions of notebook 02 are checked."""

from functools import partial

import numpy as np

import common
from autograder import Exercise, Gradient, Stage
from common import (
    NO_NUDGES,
    arriving,
    rnn_states,
    saturating,
    some_labels,
    some_states,
    torch_gradients,
    turning,
)

ALIKE = common.ALIKE

sizes = partial(common.sizes, words=common.WORDS | {"T = 1": "one position"})

# --------------------------------------------------------------------------- product_backward


def product_inputs(rng, M=4, K=3, N=2):
    """A matrix, the columns it is multiplied with, and a gradient that arrives at their product."""
    return {
        "dY": arriving(rng, M, N),
        "A": turning(rng, M, gain=1.3) if M == K else rng.normal(size=(M, K)),
        "X": rng.normal(size=(K, N)),
    }


def torch_product_backward(dY, A, X):
    import torch

    return torch_gradients(torch.matmul, dY, A, X)


product_backward = Exercise(
    returns=("dA", "dX"),
    cases=(product_inputs, partial(product_inputs, M=3, K=5, N=4)),
    edge_cases={
        "one column (N = 1)": partial(product_inputs, N=1),
        "one row (M = 1)": partial(product_inputs, M=1),
        "as many rows as columns of A (M = K)": partial(product_inputs, M=3),
        "all sizes alike (M = K = N)": partial(product_inputs, M=3, N=3),
    },
    axes={"dA": ("row", "column"), "dX": ("row", "column")},
    hints=(
        "Ask of one entry of X: which entries of Y does it move, and how fast each? Then of one entry of A.",
        "dA has the shape of A, (M, K), and dX that of X, (K, N). A gradient of shape (M, N) is multiplied "
        "with something in both.",
        "Write one entry of dX as a sum over i of something that carries i, times dY[i, n]. Which index of A "
        "is summed over?",
    ),
    gradient=Gradient(of="product", upstream={"dY": "Y"}, wrt={"dA": "A", "dX": "X"}, returns=("Y",)),
    confirm=torch_product_backward,
    stages={
        "one column": Stage(
            partial(product_inputs, N=1),
            ("dA", "dX"),
            "X and Y have one column here: nothing is to be collected from several.",
        )
    },
)

# ------------------------------------------------------------------------------ loss_backward


def loss_inputs(rng, C=5, H=3, N=4, scale=1.0, labels=None):
    """A last state, output weights, and the probabilities that belong to them: little for the first label."""
    # Below N as well as below C: rows and columns exchanged must give a wrong answer, not an error.
    labels = some_labels(rng, N, below=min(C, N)) if labels is None else np.full(N, labels)
    s_last = some_states(rng, H, N)
    ys = scale * rng.normal(size=(C, H))
    least, first = (ys @ s_last[:, 0]).argmin(), labels[0]
    ys[[least, first]] = ys[[first, least]]
    logits = ys @ s_last
    exponentials = np.exp(logits - logits.max(axis=0))
    return {
        "probabilities": exponentials / exponentials.sum(axis=0),
        "labels": labels,
        "s_last": s_last,
        "W": {"ys": ys},
    }


def logit_inputs(rng):
    """Output weights that hand everything on as it is."""
    inputs = loss_inputs(rng, C=4, H=4, N=3)
    exponentials = np.exp(inputs["s_last"] - inputs["s_last"].max(axis=0))
    return {
        **inputs,
        "probabilities": exponentials / exponentials.sum(axis=0),
        "W": {"ys": np.eye(4)},
    }


def torch_loss_backward(probabilities, labels, s_last, W):
    import torch

    def loss(s_last, W):
        return torch.nn.functional.cross_entropy((W["ys"] @ s_last).T, torch.tensor(labels))

    return torch_gradients(loss, 1.0, s_last, W)


loss_backward = Exercise(
    returns=("ds_last", "dW"),
    cases=(loss_inputs, partial(loss_inputs, C=4, H=5, N=3)),
    edge_cases={
        "one sequence (N = 1)": partial(loss_inputs, N=1, labels=3),
        **sizes(loss_inputs, H=1, C=2),
        "every sequence has the same label": partial(loss_inputs, labels=1),
        "as many sequences as classes (N = C)": partial(loss_inputs, C=4),
        "confident predictions": partial(loss_inputs, scale=4.0),
    },
    hints=(
        "Two steps back: first from the loss to the logits, then through the product that made the logits.",
        "The gradient by the logits has the shape of the probabilities, (C, N): what one class of a sequence "
        "gains, the others lose.",
        "Look at the table that was measured above: in a column, which entries have to do with the "
        "probabilities, and which one is of another kind? (Take N from `labels`: the notebook's N belongs to "
        "its small model.)",
    ),
    needs=("product_backward",),
    **NO_NUDGES,
    confirm=torch_loss_backward,
    stages={
        "logits": Stage(
            logit_inputs,
            ("ds_last",),
            '`W["ys"]` is the identity here, so that `ds_last` is the gradient by the logits itself.',
        )
    },
)

# -------------------------------------------------------------------------- rnn_step_backward


def step(x_t, s_prev, W):
    return np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)


def weights(rng, D, H, scale):
    return {"ss": scale * turning(rng, H, gain=1.7), "sx": 0.6 * scale * rng.normal(size=(H, D))}


def step_inputs(rng, D=4, H=3, N=2, scale=0.7):
    """One step of the RNN, and a gradient that arrives at its new state."""
    W = weights(rng, D, H, scale)
    s_prev = some_states(rng, H, N)
    x_t = rng.normal(size=(D, N))
    # What the first unit gets from state and input does not cancel: near 0 a tanh is hardly there.
    x_t = x_t * np.sign((W["ss"] @ s_prev)[0] * (W["sx"] @ x_t)[0])
    return {
        "ds": arriving(rng, H, N),
        "x_t": x_t,
        "s_prev": s_prev,
        "s_t": step(x_t, s_prev, W),
        "W": W,
    }


def tanh_inputs(rng):
    """Inputs that go into the sum as they are."""
    inputs = step_inputs(rng, D=3)
    W = {**inputs["W"], "sx": np.eye(3)}
    return {**inputs, "s_t": step(inputs["x_t"], inputs["s_prev"], W), "W": W}


def weight_inputs(rng):
    """A sum of exactly 0: there the tanh is as steep as it gets."""
    inputs = step_inputs(rng)
    W = {key: 0 * value for key, value in inputs["W"].items()}
    return {**inputs, "s_t": 0 * inputs["s_t"], "W": W}


def torch_rnn_step_backward(ds, x_t, s_prev, s_t, W):
    import torch

    def step(x_t, s_prev, W):
        return torch.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)

    return torch_gradients(step, ds, x_t, s_prev, W)


rnn_step_backward = Exercise(
    returns=("dx", "ds_prev", "dW"),
    cases=(step_inputs, partial(step_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(step_inputs, N=1, D=1, H=1),
        "as many inputs as units (D = H)": partial(step_inputs, D=3),
        "saturated units": partial(step_inputs, scale=saturating(near=0.7, far=6.0)),
    },
    axes={"dx": ("input", "sequence"), "ds_prev": ("unit", "sequence")},
    hints=(
        "Go back through the tanh first. All four answers start from what you then hold.",
        "Each gradient has the shape of what it belongs to: dx (D, N), ds_prev (H, N), "
        'dW["ss"] (H, H), dW["sx"] (H, D). What arrives at the sum a_t is (H, N).',
        "Two ways leave the sum: through `product(W['ss'], s_prev)` and through `product(W['sx'], x_t)`. You "
        "have found the way back through a product.",
    ),
    needs=("product_backward",),
    stages={
        "tanh": Stage(
            tanh_inputs,
            ("dx",),
            '`W["sx"]` is the identity here, so that `dx` is the gradient by the sum a_t itself.',
        ),
        "weights": Stage(
            weight_inputs,
            ("dW",),
            "The new state is 0 and the tanh lets everything through: `dW` shows the way to the weights.",
        ),
    },
    gradient=Gradient(
        of="rnn_step",
        upstream={"ds": "s_t"},
        wrt={"dx": "x_t", "ds_prev": "s_prev", "dW": "W"},
        returns=("s_t",),
    ),
    confirm=torch_rnn_step_backward,
)

# ------------------------------------------------- parameter_contributions and rnn_backward


def sequence_inputs(rng, T=5, D=4, H=3, N=2, scale=0.7, last_only=False):
    """A sequence, the states the RNN goes through, and the loss's direct gradients at them."""
    W = weights(rng, D, H, scale)
    xs = rng.normal(size=(T, D, N))
    s0 = some_states(rng, H, N)
    ds = arriving(rng, T, H, N)
    if last_only:
        ds[:-1] = 0
    return {"ds": ds, "xs": xs, "s0": s0, "states": rnn_states(xs, s0, W), "W": W}


def long_inputs(rng, T=40, D=2, H=3, N=2):
    """A long sequence in which gradients neither vanish nor explode."""
    drawn = sequence_inputs(rng, T, D, H, N)
    W = {"ss": turning(rng, H, gain=1.1), "sx": 0.1 * drawn["W"]["sx"]}
    return {**drawn, "states": rnn_states(drawn["xs"], drawn["s0"], W), "W": W}


SEQUENCE_EDGES = {
    **sizes(sequence_inputs, N=1, T=1, D=1, H=1),
    "the loss looks at the last state only": partial(sequence_inputs, last_only=True),
    "saturated units": partial(sequence_inputs, scale=saturating(near=0.7, far=6.0)),
    "a long sequence (T = 40)": long_inputs,
}


def torch_states(xs, s0, copies):
    """Run PyTorch's own autograd through the steps, each with its own copy of the weights."""
    import torch

    states = []
    for x, ss, sx in zip(xs, copies["ss"], copies["sx"], strict=True):
        s0 = torch.tanh(ss @ s0 + sx @ x)
        states.append(s0)
    return torch.stack(states)


def torch_contributions(ds, xs, s0, states, W):
    import torch

    def states_of(copies):
        return torch_states(torch.tensor(xs), torch.tensor(s0), copies)

    copies = {key: np.stack([value] * len(xs)) for key, value in W.items()}
    return torch_gradients(states_of, ds, copies)[0]


def torch_rnn_backward(ds, xs, s0, states, W):
    def states_of(xs, s0, W):
        return torch_states(xs, s0, {key: value.expand(len(xs), *value.shape) for key, value in W.items()})

    return torch_gradients(states_of, ds, xs, s0, W)


parameter_contributions = Exercise(
    returns=("contributions",),
    cases=(sequence_inputs, partial(sequence_inputs, T=7, D=5, H=4, N=3)),
    edge_cases=SEQUENCE_EDGES,
    needs=("rnn_step_backward",),
    axes={"contributions": ("position", "row", "column")},
    hints=(
        "Walk from the last position to the first. At each one `rnn_step_backward` tells the "
        "weights' share and what to carry to the state before.",
        "The answers are (T, H, H) and (T, H, D): make room for them with `np.zeros`, fill [k]. "
        "`carried` is (H, N), like a state.",
        "Stand at the last position: nothing stands behind it. Then at the one before: the loss feels its "
        "state in two ways. Which function has just handed you the second?",
    ),
    **NO_NUDGES,
    confirm=torch_contributions,
    stages={
        "two positions": Stage(
            partial(sequence_inputs, T=2),
            ("contributions",),
            "Two positions only: the walk takes one step back.",
        )
    },
)

rnn_backward = Exercise(
    returns=("dxs", "ds0", "dW"),
    cases=(sequence_inputs, partial(sequence_inputs, T=7, D=5, H=4, N=3)),
    edge_cases=SEQUENCE_EDGES,
    needs=("rnn_step_backward", "parameter_contributions"),
    axes={"dxs": ("position", "input", "sequence"), "ds0": ("unit", "sequence")},
    hints=(
        "The same walk as in `parameter_contributions`. Three things are kept: what each input "
        "gets, what reaches the start, and one running sum per matrix.",
        "dxs is (T, D, N), filled at [k]; dW holds (H, H) and (H, D), added to at every position; "
        "ds0 is (H, N).",
        "Of the three, one is stored at every position, one is added up, and one is what you hold when the "
        "walk ends.",
    ),
    gradient=Gradient(
        of="rnn_forward_batch",
        upstream={"ds": "states"},
        wrt={"dxs": "xs", "ds0": "s0", "dW": "W"},
        returns=("states",),
    ),
    confirm=torch_rnn_backward,
)


# --------------------------------------------------------------- piece_backward, train_on_text


def run(xs, s_start, W):
    """The states of a sequence, and the probabilities at each."""
    states, probabilities = [], []
    for x_t in xs:
        s_start = step(x_t, s_start, W)
        logits = W["ys"] @ s_start
        exponentials = np.exp(logits - logits.max(axis=0))
        states.append(s_start)
        probabilities.append(exponentials / exponentials.sum(axis=0))
    return np.stack(states), np.stack(probabilities)


def piece_inputs(rng, K=4, D=5, H=3, N=2, C=6, scale=0.7):
    """A piece of a sequence with a label at every position, another one at the next; little for the first."""
    W = {**weights(rng, D, H, scale), "ys": rng.normal(size=(C, H))}
    xs, s_start = rng.normal(size=(K, D, N)), some_states(rng, H, N)
    below = min(C, N)
    labels = (some_labels(rng, N, below) + np.arange(K)[:, None]) % below
    states, probabilities = run(xs, s_start, W)
    least, first = probabilities[0, :, 0].argmin(), labels[0, 0]
    W["ys"][[least, first]] = W["ys"][[first, least]]
    states, probabilities = run(xs, s_start, W)
    return {
        "probabilities": probabilities,
        "labels": labels,
        "xs": xs,
        "s_start": s_start,
        "states": states,
        "W": W,
    }


def torch_piece_backward(probabilities, labels, xs, s_start, states, W):
    import torch

    def loss(W):
        s, losses = torch.tensor(s_start), []
        for x, y in zip(torch.tensor(xs), torch.tensor(labels), strict=True):
            s = torch.tanh(W["ss"] @ s + W["sx"] @ x)
            losses.append(torch.nn.functional.cross_entropy((W["ys"] @ s).T, y))
        return torch.stack(losses).mean()

    return torch_gradients(loss, 1.0, W)[0]


piece_backward = Exercise(
    returns=("dW",),
    cases=(piece_inputs, partial(piece_inputs, K=3, D=4, H=5, N=4, C=5)),
    edge_cases={
        **sizes(piece_inputs, N=1, H=1),
        "one position (K = 1)": partial(piece_inputs, K=1),
        "a long piece (K = 20)": partial(piece_inputs, K=20),
    },
    hints=(
        "Every position has a prediction and a loss of its own. What does `loss_backward` tell you about one "
        "position, and what does `rnn_backward` want to know about all?",
        "`ds` is (K, H, N), one direct gradient a state. The output weights are shared by all positions: "
        "(C, H).",
        "Where does the mean over positions come in? Each position's own mean, over its N sequences, is in "
        "what `loss_backward` gives.",
    ),
    needs=("loss_backward", "rnn_backward"),
    confirm=torch_piece_backward,
)


def text_inputs(rng, P=3, K=4, H=3, N=2, C=5, rate=0.3, unused=0):
    """A stretch of a text in P pieces of K positions, without the last `unused` letters of the alphabet."""
    symbols = rng.integers(C - unused, size=(P * K + 1, N))
    W = {**weights(rng, C, H, 0.7), "ys": rng.normal(size=(C, H))}
    return {"symbols": symbols, "s_start": some_states(rng, H, N), "W": W, "rate": rate, "K": K}


def torch_train_on_text(symbols, s_start, W, rate, K):
    import torch

    s, losses = torch.tensor(s_start), []
    weights = {key: torch.tensor(value, requires_grad=True) for key, value in W.items()}
    for start in range(0, len(symbols) - K, K):
        loss, s = 0.0, s.detach()
        for k in range(start, start + K):
            s = torch.tanh(weights["ss"] @ s + weights["sx"][:, symbols[k]])
            target = torch.tensor(symbols[k + 1])
            loss = loss + torch.nn.functional.cross_entropy((weights["ys"] @ s).T, target) / K
        gradients = torch.autograd.grad(loss, list(weights.values()))
        losses.append(loss.item())
        weights = {
            key: (value - rate * gradient).detach().requires_grad_()
            for (key, value), gradient in zip(weights.items(), gradients, strict=True)
        }
    return (
        {key: value.detach().numpy() for key, value in weights.items()},
        s.detach().numpy(),
        np.array(losses),
    )


train_on_text = Exercise(
    returns=("W", "s_last", "losses"),
    cases=(text_inputs, partial(text_inputs, P=4, K=3, H=4, N=3, C=6, rate=0.5)),
    edge_cases={
        **sizes(text_inputs, N=1, H=1),
        "one piece (P = 1)": partial(text_inputs, P=1),
        "pieces of one position (K = 1)": partial(text_inputs, K=1),
        "a rate of 0": partial(text_inputs, rate=0.0),
        "a stretch without the alphabet's last letter": partial(text_inputs, unused=1),
    },
    axes={"losses": ("piece",)},
    hints=(
        "One turn of the loop is one piece: forward, probabilities, loss, backward, update.",
        "A piece has K inputs and K labels; the labels are the letters one position later. `letter_vectors` "
        "makes the inputs.",
        "Start with `for start in range(0, len(symbols) - K, K):` and cut inputs and labels from `symbols`.",
    ),
    needs=("piece_backward",),
    confirm=torch_train_on_text,
)
