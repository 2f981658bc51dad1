"""How the graded functions of notebook 02 are checked."""

from functools import partial

import numpy as np

from autograder import Exercise, Gradient, Mutant

# ------------------------------------------------------------------------------ loss_backward


def loss_inputs(rng, C=5, H=3, N=4, scale=1.0, labels=None):
    """A last state, output weights, and the probabilities that belong to them."""
    s_last = np.tanh(rng.normal(size=(H, N)))
    W = {"ys": scale * rng.normal(size=(C, H))}
    logits = W["ys"] @ s_last
    exponentials = np.exp(logits - logits.max(axis=0))
    return {
        "probabilities": exponentials / exponentials.sum(axis=0),
        # Below N as well as below C: rows and columns exchanged must give a wrong answer, not an error.
        "labels": rng.integers(min(C, N), size=N) if labels is None else np.full(N, labels),
        "s_last": s_last,
        "W": W,
    }


def torch_loss_backward(probabilities, labels, s_last, W):
    import torch

    s = torch.tensor(s_last, requires_grad=True)
    W_ys = torch.tensor(W["ys"], requires_grad=True)
    logits = (W_ys @ s).T
    torch.nn.functional.cross_entropy(logits, torch.tensor(labels)).backward()
    return s.grad.numpy(), {"ys": W_ys.grad.numpy()}


loss_backward = Exercise(
    returns=("ds_last", "dW"),
    cases=(loss_inputs, partial(loss_inputs, C=4, H=5, N=3)),
    edge_cases={
        "one sequence (N = 1)": partial(loss_inputs, N=1, labels=3),
        "one unit (H = 1)": partial(loss_inputs, H=1),
        "two classes (C = 2)": partial(loss_inputs, C=2),
        "every sequence has the same label": partial(loss_inputs, labels=1),
        "as many sequences as classes (N = C)": partial(loss_inputs, C=4),
        "confident predictions": partial(loss_inputs, scale=4.0),
    },
    hints=(
        "Two steps back: first from the loss to the logits, which is (2.4), "
        "then through the matrix that made the logits, which is (2.5) and (2.6).",
        "The gradient by the logits has the shape of the probabilities, (C, N). "
        "Column n of it differs from column n of the probabilities (divided by N) in one entry.",
        "Start with `N = len(labels)` (the notebook's N belongs to its small model) and "
        "`dz = probabilities.copy()`; each sequence's own label is `dz[labels, np.arange(N)]`.",
    ),
    misconceptions=[
        Mutant(
            "probabilities missing",
            "dz = probabilities.copy()",
            "dz = np.zeros(probabilities.shape)",
            hint="In (2.4) something is subtracted from the probabilities.",
        ),
        Mutant(
            "sum over the sequences instead of their mean",
            "dz = dz / N",
            "dz = dz / 1",
            hint="The loss is a mean over the N sequences: what does each of them weigh in it?",
        ),
        Mutant(
            "divided by 2, the N of the notebook's small model",
            "dz = dz / N",
            "dz = dz / 2",
            hint="The N of this call is the number of its labels; take it from the arguments.",
        ),
        Mutant(
            "mean taken for the labels only",
            "dz[labels, np.arange(N)] -= 1",
            "dz[labels, np.arange(N)] -= 1 / N",
            more=(("dz = dz / N", "dz = dz / 1"),),
            hint="In (2.4) the 1/N stands before the whole difference.",
        ),
        Mutant(
            "softmax taken of the probabilities",
            "dz = probabilities.copy()",
            "dz = np.exp(probabilities) / np.exp(probabilities).sum(axis=0)",
            hint="What you are given are probabilities already: `predict` took the softmax.",
        ),
        Mutant(
            "weight gradients of the last sequence only",
            "dz @ s_last.T",
            "dz[:, -1:] @ s_last[:, -1:].T",
            hint="All sequences share the weights. In a loop over them: `+=`, or `=`?",
        ),
        Mutant(
            "divided by the number of classes",
            "dz = dz / N",
            "dz = dz / len(dz)",
            hint="The mean in the cross-entropy runs over sequences, not over classes.",
        ),
        Mutant(
            "divided by the number of all entries",
            "dz = dz / N",
            "dz = dz / dz.size",
            hint="Each sequence adds one logarithm to the loss, not one per class: "
            "how many terms does the mean have?",
        ),
        Mutant(
            "divided by N twice",
            "dz @ s_last.T",
            "dz @ s_last.T / N",
            hint="The product with the states sums over the sequences; the mean is already in dz.",
        ),
        Mutant(
            "mean taken for dW only",
            'ds_last = W["ys"].T @ dz',
            'ds_last = N * W["ys"].T @ dz',
            hint="One loss, one dz: the gradient at the state contains the 1/N as well.",
        ),
        Mutant(
            "mean taken for ds_last only",
            "dz @ s_last.T",
            "N * dz @ s_last.T",
            hint="One loss, one dz: the gradient of the weights contains the 1/N as well.",
        ),
        Mutant(
            "label never subtracted",
            "-= 1",
            "-= 0",
            hint="As it stands the answer does not depend on the labels at all. By how much is the "
            "entry of the right class lowered?",
        ),
        Mutant(
            "label added instead of subtracted",
            "-= 1",
            "+= 1",
            hint="A step against the gradient must raise the right class's logit: what sign has its entry?",
        ),
        Mutant(
            "whole rows lowered instead of one entry per sequence",
            "dz[labels, np.arange(N)] -= 1",
            "dz[labels] -= 1",
            hint="`dz[labels]` picks whole rows. Each sequence wants one entry: two indices.",
        ),
        Mutant(
            "1 subtracted after dividing by N",
            "dz[labels, np.arange(N)] -= 1",
            "dz[labels, np.arange(N)] -= N",
            hint="Subtract first, then take the mean: the 1 is one sequence's, like the probabilities.",
        ),
        Mutant(
            "row and column of the label's entry exchanged",
            "dz[labels, np.arange(N)] -= 1",
            "dz[np.arange(N), labels] -= 1",
            hint="Classes are rows, sequences are columns: which index is the label?",
        ),
        Mutant(
            "logarithms of the probabilities in place of the probabilities",
            "dz = probabilities.copy()",
            "dz = np.log(probabilities)",
            hint="The logarithm is in the loss; its derivative has none.",
        ),
        Mutant(
            "every sequence gets the first one's label",
            "dz[labels, np.arange(N)] -= 1",
            "dz[labels[0], np.arange(N)] -= 1",
            hint="Each sequence has a label of its own.",
        ),
        Mutant(
            "labels counted from one",
            "dz[labels, np.arange(N)] -= 1",
            "dz[labels - 1, np.arange(N)] -= 1",
            hint="A label is a row number, and rows count from 0.",
        ),
        Mutant(
            "predicted class in place of the label",
            "dz = probabilities.copy()",
            "dz = probabilities.copy()\n    labels = probabilities.argmax(axis=0)",
            hint="The loss compares with what is true, not with what the model prefers.",
        ),
        Mutant(
            "only the label's own logit gets a gradient",
            "dz = probabilities.copy()",
            "dz = np.zeros_like(probabilities)",
            more=(
                (
                    "dz[labels, np.arange(N)] -= 1",
                    "dz[labels, np.arange(N)] = probabilities[labels, np.arange(N)] - 1",
                ),
            ),
            hint="The softmax shares one unit of probability: raising any other logit "
            "takes some of it from the right class.",
        ),
        Mutant(
            "derivative of the softmax missing",
            "dz = probabilities.copy()",
            "dz = np.zeros_like(probabilities)",
            more=(
                (
                    "dz[labels, np.arange(N)] -= 1",
                    "dz[labels, np.arange(N)] = -1 / probabilities[labels, np.arange(N)]",
                ),
            ),
            hint="-1/p is the gradient by the probability. Between it and the logit stands the softmax.",
        ),
        Mutant(
            "softmax differentiated a second time",
            "dz = dz / N",
            "dz = dz / N\n    dz = probabilities * (dz - (probabilities * dz).sum(axis=0))",
            hint="(2.4) is the gradient by the logits: the softmax's derivative is already in it.",
        ),
        Mutant(
            "probability times (1 - probability), as for separate sigmoids",
            "dz = dz / N",
            "dz = dz / N\n    dz = dz * probabilities * (1 - probabilities)",
            hint="(2.4) is the gradient by the logits: no further derivative stands between.",
        ),
        Mutant(
            "derivative of tanh already multiplied in",
            'ds_last = W["ys"].T @ dz',
            'ds_last = (W["ys"].T @ dz) * (1 - s_last**2)',
            hint="ds_last is the gradient at the state itself; the step backward will take "
            "its tanh into account, once.",
        ),
        Mutant(
            "probabilities in place of the error in dW",
            "dz @ s_last.T",
            "probabilities / N @ s_last.T",
            hint="Where the prediction is right already, the weights should not move.",
        ),
        Mutant(
            "probabilities in place of the error in ds_last",
            'W["ys"].T @ dz',
            'W["ys"].T @ probabilities / N',
            hint="Where the prediction is right already, the state should not move.",
        ),
        Mutant(
            "one error for all sequences, their mean",
            "dz = dz / N",
            "dz = dz / N\n    dz = dz.mean(axis=1, keepdims=True) + np.zeros_like(dz)",
            hint="Every column of dz belongs to one sequence and keeps to itself.",
        ),
        Mutant(
            "an axis of size one squeezed away",
            'ds_last = W["ys"].T @ dz',
            'ds_last = np.squeeze(W["ys"].T @ dz)',
            hint="With one unit or one sequence the answer is still (H, N).",
        ),
        Mutant(
            "absolute error: only the sign of the difference",
            "dz = dz / N",
            "dz = np.sign(dz) / N",
            hint="The size of the error counts: an almost right prediction moves little.",
        ),
    ],
    confirm=torch_loss_backward,
)

# -------------------------------------------------------------------------- rnn_step_backward


def weights(rng, D, H, scale):
    return {"ss": scale * rng.normal(size=(H, H)), "sx": scale * rng.normal(size=(H, D))}


def step(x_t, s_prev, W):
    return np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)


def step_inputs(rng, D=4, H=3, N=2, scale=0.7):
    """One step of the RNN, and a gradient that arrives at its new state."""
    W = weights(rng, D, H, scale)
    x_t = rng.normal(size=(D, N))
    s_prev = np.tanh(rng.normal(size=(H, N)))
    return {
        "ds": rng.normal(size=(H, N)),
        "x_t": x_t,
        "s_prev": s_prev,
        "s_t": step(x_t, s_prev, W),
        "W": W,
    }


def torch_rnn_step_backward(ds, x_t, s_prev, s_t, W):
    import torch

    x, s = torch.tensor(x_t, requires_grad=True), torch.tensor(s_prev, requires_grad=True)
    V = {key: torch.tensor(value, requires_grad=True) for key, value in W.items()}
    torch.tanh(V["ss"] @ s + V["sx"] @ x).backward(torch.tensor(ds))
    return x.grad.numpy(), s.grad.numpy(), {key: value.grad.numpy() for key, value in V.items()}


rnn_step_backward = Exercise(
    returns=("dx", "ds_prev", "dW"),
    cases=(step_inputs, partial(step_inputs, D=5, H=4, N=3)),
    edge_cases={
        "one sequence (N = 1)": partial(step_inputs, N=1),
        "one input (D = 1)": partial(step_inputs, D=1),
        "one unit (H = 1)": partial(step_inputs, H=1),
        "as many inputs as units (D = H)": partial(step_inputs, D=3),
        "saturated units": partial(step_inputs, scale=2.0),
    },
    axes={"dx": ("input", "sequence"), "ds_prev": ("unit", "sequence")},
    hints=(
        "Go back through the tanh first, (2.7). All four answers start from what you then hold.",
        "Each gradient has the shape of what it belongs to: dx (D, N), ds_prev (H, N), "
        'dW["ss"] (H, H), dW["sx"] (H, D). That leaves little choice of what to transpose; '
        'only W["ss"] and dW["ss"] are square: (2.8) and (2.11) decide.',
        "Start with `da = ds * (…)`, where the bracket needs nothing but `s_t`.",
    ),
    misconceptions=[
        Mutant(
            "derivative of tanh missing",
            "da = ds * (1 - s_t**2)",
            "da = ds",
            hint="Between the state and the two products stands a tanh. What does it do to a gradient?",
        ),
        Mutant(
            "tanh applied twice",
            "1 - s_t**2",
            "1 - np.tanh(s_t) ** 2",
            hint="s_t is already a tanh: its derivative is written with s_t as it is.",
        ),
        Mutant(
            "derivative of tanh taken at the gradient",
            "1 - s_t**2",
            "1 - ds**2",
            hint="The slope of a function depends on where it was evaluated on the way forward, "
            "not on what comes back.",
        ),
        Mutant(
            "derivative of tanh taken at the state before",
            "1 - s_t**2",
            "1 - s_prev**2",
            hint="Which of the two states did this step's tanh produce?",
        ),
        Mutant(
            "derivative of the sigmoid instead of tanh",
            "(1 - s_t**2)",
            "s_t * (1 - s_t)",
            hint="s(1 - s) belongs to the sigmoid. This state was squashed by a tanh.",
        ),
        Mutant(
            "square forgotten in the derivative of tanh",
            "1 - s_t**2",
            "1 - s_t",
            hint="The slope of tanh is the same at s and at -s.",
        ),
        Mutant(
            "s_t squared instead of 1 - s_t squared",
            "(1 - s_t**2)",
            "s_t**2",
            hint="A saturated unit (s near 1 or -1) hardly moves: its slope is near 0.",
        ),
        Mutant(
            "pre-activation in place of the state in the derivative of tanh",
            "1 - s_t**2",
            '1 - (W["ss"] @ s_prev + W["sx"] @ x_t) ** 2',
            hint="The slope is written with what came out of the tanh, not with what went in.",
        ),
        Mutant(
            "1 + s_t squared instead of 1 - s_t squared",
            "1 - s_t**2",
            "1 + s_t**2",
            hint="Is the tanh steepest where it is saturated, or around zero?",
        ),
        Mutant(
            "2 s_t instead of s_t squared in the derivative of tanh",
            "1 - s_t**2",
            "1 - 2 * s_t",
            hint="The slope of tanh is the same at s and at -s.",
        ),
        Mutant(
            "derivative of tanh multiplied twice",
            "(1 - s_t**2)",
            "(1 - s_t**2) ** 2",
            hint="There is one tanh in a step.",
        ),
        Mutant(
            "divided by the derivative of tanh instead of multiplied",
            "ds * (1 - s_t**2)",
            "ds / (1 - s_t**2)",
            hint="A saturated unit lets almost nothing through. Does yours?",
        ),
        Mutant(
            "matrix before the tanh on the way to s_prev",
            'ds_prev = W["ss"].T @ da',
            'ds_prev = (W["ss"].T @ ds) * (1 - s_t**2)',
            hint="Forward the matrix comes first, the tanh last. Which does the way back meet first?",
        ),
        Mutant(
            "weight gradients of the last sequence only",
            '{"ss": da @ s_prev.T, "sx": da @ x_t.T}',
            '{"ss": da[:, -1:] @ s_prev[:, -1:].T, "sx": da[:, -1:] @ x_t[:, -1:].T}',
            hint="All sequences share the weights. In a loop over them: `+=`, or `=`?",
        ),
        Mutant(
            "not multiplied by the upstream gradient",
            "da = ds * (1 - s_t**2)",
            "da = 1 - s_t**2",
            hint="As it stands the answer does not depend on ds.",
        ),
        Mutant(
            "a missing parenthesis: ds * 1 - s_t**2",
            "ds * (1 - s_t**2)",
            "ds * 1 - s_t**2",
            hint="Products bind tighter than differences: what is multiplied by ds here?",
        ),
        Mutant(
            "upstream gradient added instead of multiplied",
            "ds * (1 - s_t**2)",
            "ds + (1 - s_t**2)",
            hint="Chain rule: derivatives in a row are multiplied. What if ds is zero?",
        ),
        Mutant(
            'W["ss"] not transposed',
            'ds_prev = W["ss"].T @ da',
            'ds_prev = W["ss"] @ da',
            hint="Forward, entry (i, j) carries unit j of the old state to unit i of the new one. "
            "Backward it carries which to which?",
        ),
        Mutant(
            "tanh skipped on the way to s_prev",
            'ds_prev = W["ss"].T @ da',
            'ds_prev = W["ss"].T @ ds',
            hint="dx and dW went through the tanh; ds_prev must as well.",
        ),
        Mutant(
            "tanh skipped on the way to x_t",
            'W["sx"].T @ da',
            'W["sx"].T @ ds',
            hint="ds_prev and dW went through the tanh; dx must as well.",
        ),
        Mutant(
            "tanh skipped on the way to both weights",
            "da @ s_prev.T",
            "ds @ s_prev.T",
            more=(("da @ x_t.T", "ds @ x_t.T"),),
            hint="The weights stand inside the tanh: their gradient passes through it too.",
        ),
        Mutant(
            'tanh skipped on the way to W["ss"]',
            "da @ s_prev.T",
            "ds @ s_prev.T",
            hint="Both matrices stand inside the tanh: the same da serves both.",
        ),
        Mutant(
            'tanh skipped on the way to W["sx"]',
            "da @ x_t.T",
            "ds @ x_t.T",
            hint="Both matrices stand inside the tanh: the same da serves both.",
        ),
        Mutant(
            'new state in place of the old one in dW["ss"]',
            "da @ s_prev.T",
            "da @ s_t.T",
            hint='What did W["ss"] multiply on the way forward?',
        ),
        Mutant(
            'keys "ss" and "sx" exchanged',
            '"ss": da @ s_prev.T',
            '"sx": da @ s_prev.T',
            more=(('"sx": da @ x_t.T', '"ss": da @ x_t.T'),),
            hint="The first letter of a key says where the product goes, the second what is multiplied.",
        ),
        Mutant(
            "upstream gradient handed back as ds_prev",
            'ds_prev = W["ss"].T @ da',
            "ds_prev = ds",
            hint="The old state reaches the new one only through a matrix and a tanh: so must its gradient.",
        ),
        Mutant(
            "upstream gradient added to ds_prev",
            'ds_prev = W["ss"].T @ da',
            'ds_prev = ds + W["ss"].T @ da',
            hint="In this model no path leads around the tanh: the old state is overwritten.",
        ),
        Mutant(
            "derivative of the previous step's tanh multiplied into ds_prev",
            'ds_prev = W["ss"].T @ da',
            'ds_prev = W["ss"].T @ da * (1 - s_prev**2)',
            hint="ds_prev is the gradient at the state s_prev itself; "
            "the tanh that made it belongs to the step before.",
        ),
        Mutant(
            'dW["ss"] is one outer product of sums',
            '"ss": da @ s_prev.T',
            '"ss": np.outer(da.sum(axis=1), s_prev.sum(axis=1))',
            hint="First multiply within each sequence, then sum over the sequences.",
        ),
        Mutant(
            "weight gradients of the first sequence only",
            "da @ s_prev.T",
            "np.outer(da[:, 0], s_prev[:, 0])",
            more=(("da @ x_t.T", "np.outer(da[:, 0], x_t[:, 0])"),),
            hint="Every sequence of the batch used these weights.",
        ),
        Mutant(
            "dx and ds_prev returned in each other's place",
            "return dx, ds_prev, dW",
            "return ds_prev, dx, dW",
            hint="First the gradient by the input, then the one by the state before.",
        ),
        Mutant(
            "updated weights instead of their gradient",
            '"ss": da @ s_prev.T',
            '"ss": W["ss"] - da @ s_prev.T',
            more=(('"sx": da @ x_t.T', '"sx": W["sx"] - da @ x_t.T'),),
            hint="Return the gradient; taking a step with it is somebody else's work.",
        ),
        Mutant(
            "an axis of size one squeezed away",
            "return dx, ds_prev, dW",
            "return np.squeeze(dx), np.squeeze(ds_prev), dW",
            hint="With one sequence, one unit or one input the answers keep both axes.",
        ),
    ],
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
    s0 = np.tanh(rng.normal(size=(H, N)))
    states, s = np.zeros((T, H, N)), s0
    for k in range(T):
        s = states[k] = step(xs[k], s, W)
    ds = rng.normal(size=(T, H, N))
    if last_only:
        ds[:-1] = 0
    return {"ds": ds, "xs": xs, "s0": s0, "states": states, "W": W}


def long_inputs(rng, T=40, D=2, H=3, N=2):
    """A long sequence in which gradients neither vanish nor explode: W["ss"] is a rotation."""
    drawn = sequence_inputs(rng, T, D, H, N)
    rotation, _ = np.linalg.qr(rng.normal(size=(H, H)))
    W = {"ss": 1.1 * rotation, "sx": 0.1 * drawn["W"]["sx"]}
    states, s = np.zeros((T, H, N)), drawn["s0"]
    for k in range(T):
        s = states[k] = step(drawn["xs"][k], s, W)
    return {**drawn, "states": states, "W": W}


SEQUENCE_EDGES = {
    "one sequence (N = 1)": partial(sequence_inputs, N=1),
    "one position (T = 1)": partial(sequence_inputs, T=1),
    "one input (D = 1)": partial(sequence_inputs, D=1),
    "one unit (H = 1)": partial(sequence_inputs, H=1),
    "the loss looks at the last state only": partial(sequence_inputs, last_only=True),
    "saturated units": partial(sequence_inputs, scale=1.6),
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

    copies = {key: torch.tensor(np.stack([value] * len(xs)), requires_grad=True) for key, value in W.items()}
    torch_states(torch.tensor(xs), torch.tensor(s0), copies).backward(torch.tensor(ds))
    return {key: value.grad.numpy() for key, value in copies.items()}


def torch_rnn_backward(ds, xs, s0, states, W):
    import torch

    x, s = torch.tensor(xs, requires_grad=True), torch.tensor(s0, requires_grad=True)
    V = {key: torch.tensor(value, requires_grad=True) for key, value in W.items()}
    copies = {key: value.expand(len(xs), *value.shape) for key, value in V.items()}
    torch_states(x, s, copies).backward(torch.tensor(ds))
    return x.grad.numpy(), s.grad.numpy(), {key: value.grad.numpy() for key, value in V.items()}


# Mistakes on the walk back, the same in both functions that walk.
CALL = "rnn_step_backward(delta, xs[k], s_prev, states[k], W)"
WALK_MISTAKES = [
    Mutant(
        "carried gradient not added",
        "delta = ds[k] + carried",
        "delta = ds[k]",
        hint="The loss feels s_t in two ways: directly, and through the state after it.",
    ),
    Mutant(
        "direct gradient of all but the last state ignored",
        "delta = ds[k] + carried",
        "delta = carried",
        more=(("carried = np.zeros(s0.shape)", "carried = ds[-1]"),),
        hint="ds[k] arrives anew at every position, not only where the walk begins.",
    ),
    Mutant(
        "last direct gradient counted twice",
        "carried = np.zeros(s0.shape)",
        "carried = ds[-1]",
        hint="Behind the last state there is no step: what is carried to it?",
    ),
    Mutant(
        "the same direct gradient at every position",
        "delta = ds[k] + carried",
        "delta = ds[-1] + carried",
        hint="ds holds one direct gradient per state, in the order of the states.",
    ),
    Mutant(
        "direct gradient of the state before",
        "delta = ds[k] + carried",
        "delta = ds[k - 1] + carried",
        hint="ds[k] belongs to states[k]. Which state does this step's backward start from?",
    ),
    Mutant(
        "walk from the first position to the last",
        "reversed(range(T))",
        "range(T)",
        hint="What position t needs comes from position t + 1: which end must be first?",
    ),
    Mutant(
        "first position never reached",
        "reversed(range(T))",
        "reversed(range(1, T))",
        hint="Index 0 is a position like the others; the state before it is s0.",
    ),
    Mutant(
        "last position skipped",
        "reversed(range(T))",
        "reversed(range(T - 1))",
        hint="Which index has the last position, and does your loop start there?",
    ),
    Mutant(
        "walk stops after two positions",
        "in reversed(range(T))",
        "in list(reversed(range(T)))[:2]",
        hint="Every position uses the weights; how many does your loop visit?",
    ),
    Mutant(
        "walk stops after three positions",
        "in reversed(range(T))",
        "in list(reversed(range(T)))[:3]",
        hint="Every position uses the weights; how many does your loop visit?",
    ),
    Mutant(
        "initial state taken for zeros",
        "else s0",
        "else np.zeros(s0.shape)",
        hint="What did the first position find as the state before it?",
    ),
    Mutant(
        "last state in place of the initial one",
        "s_prev = states[k - 1] if k > 0 else s0",
        "s_prev = states[k - 1]",
        hint="At k = 0 the index k - 1 is -1, and Python counts that from the end.",
    ),
    Mutant(
        "state after the step in place of the state before",
        "s_prev = states[k - 1] if k > 0 else s0",
        "s_prev = states[k]",
        hint="states[k] is what step k produced. What did it start from?",
    ),
    Mutant(
        "initial state before every position",
        "s_prev = states[k - 1] if k > 0 else s0",
        "s_prev = s0",
        hint="Only the first position starts from s0. Which entry of `states` was there before the "
        "step that made states[k]?",
    ),
    Mutant(
        "states before and after the step handed over in each other's place",
        CALL,
        "rnn_step_backward(delta, xs[k], states[k], s_prev, W)",
        hint="Compare your call with the order of arguments in the definition.",
    ),
    Mutant(
        "input of the position before",
        CALL,
        "rnn_step_backward(delta, xs[k - 1], s_prev, states[k], W)",
        hint="Which input did the step that made states[k] read?",
    ),
    Mutant(
        "derivative of tanh multiplied twice",
        CALL,
        "rnn_step_backward(delta * (1 - states[k] ** 2), xs[k], s_prev, states[k], W)",
        hint="`rnn_step_backward` goes through the tanh itself: hand it the gradient at the state.",
    ),
    Mutant(
        "carried gradients of all later steps summed up",
        "delta = ds[k] + carried",
        "delta = ds[k] + carried\n        before = carried",
        more=((CALL, CALL + "\n        carried = before + carried"),),
        hint="What one step hands back replaces what was carried: it is in there already.",
    ),
    Mutant(
        "direct gradients of all states at every position",
        "delta = ds[k] + carried",
        "delta = ds.sum(axis=0) + carried",
        hint="A state's error signal takes its own direct gradient; "
        "those of later states come with the carried part.",
    ),
    Mutant(
        "error signal carried without passing through the step",
        CALL,
        CALL + "\n        carried = delta",
        hint="To reach the state before, a gradient goes back through the tanh and the matrix.",
    ),
    Mutant(
        "tanh skipped by the carried gradient",
        CALL,
        CALL + '\n        carried = W["ss"].T @ delta',
        hint="To reach the state before, a gradient goes back through the tanh, then the matrix.",
    ),
    Mutant(
        'W["ss"] not transposed in the carried gradient',
        CALL,
        CALL + '\n        carried = W["ss"] @ (delta * (1 - states[k] ** 2))',
        hint="Forward the matrix maps old units to new ones. Which way does a gradient go?",
    ),
    Mutant(
        "only the direct gradient of the next state carried, nothing from further on",
        CALL,
        CALL + "\n        carried = rnn_step_backward(ds[k], xs[k], s_prev, states[k], W)[1]",
        hint="What is carried back starts from the whole error signal at s_t, "
        "not from the part that entered there.",
    ),
]


def writing(name, ss, sx, hint):
    """A mistake in how parameter_contributions stores what a step gives."""
    stored = ('contributions["ss"][k] = dW["ss"]', 'contributions["sx"][k] = dW["sx"]')
    return Mutant(name, stored[0], ss, hint, more=((stored[1], sx),))


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
        "Start with `T = len(xs)` and `carried = np.zeros(s0.shape)`, then "
        "`for k in reversed(range(T)):` and, as (2.15) says, `delta = ds[k] + carried`.",
    ),
    misconceptions=[
        *WALK_MISTAKES,
        writing(
            "contributions made from the carried gradient alone",
            'contributions["ss"][k] = rnn_step_backward(delta - ds[k], xs[k], s_prev, states[k], W)[2]["ss"]',
            'contributions["sx"][k] = rnn_step_backward(delta - ds[k], xs[k], s_prev, states[k], W)[2]["sx"]',
            hint="The weights at position t feel all of the error signal there, the direct part too.",
        ),
        writing(
            "contributions stored in the order of the walk",
            'contributions["ss"][T - 1 - k] = dW["ss"]',
            'contributions["sx"][T - 1 - k] = dW["sx"]',
            hint="The walk goes backwards, the answer does not: entry 0 belongs to the first position.",
        ),
        writing(
            "running total in place of each position's own contribution",
            'contributions["ss"][: k + 1] += dW["ss"]',
            'contributions["sx"][: k + 1] += dW["sx"]',
            hint="Entry k holds what position k alone adds; summing up comes later.",
        ),
        writing(
            "the sum of all positions stored at every position",
            'contributions["ss"] += dW["ss"]',
            'contributions["sx"] += dW["sx"]',
            hint="`+=` on the whole array changes every position; write to [k] only.",
        ),
        writing(
            "every position holds the contribution of the first",
            'contributions["ss"][:] = dW["ss"]',
            'contributions["sx"][:] = dW["sx"]',
            hint="One array, overwritten at every step (or the same array stored T times): "
            "each position needs a place of its own.",
        ),
        Mutant(
            "dx unpacked as what is carried",
            "_, carried, dW = ",
            "carried, _, dW = ",
            hint="In which order does `rnn_step_backward` return its three values?",
        ),
        Mutant(
            "positions summed up already",
            "return contributions",
            "return {key: value.sum(axis=0) for key, value in contributions.items()}",
            hint="Keep the positions apart: the first axis of each answer is T.",
        ),
        Mutant(
            "returned after the first turn of the loop",
            'contributions["sx"][k] = dW["sx"]',
            'contributions["sx"][k] = dW["sx"]\n        return contributions',
            hint="Look at how far your `return` is indented.",
        ),
    ],
    confirm=torch_contributions,
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
        "Before the loop: `dxs = np.zeros(xs.shape)`, zeros for both entries of dW, and "
        "`carried = np.zeros(s0.shape)`. After it, look at what `carried` holds.",
    ),
    misconceptions=[
        Mutant(
            "share of the last position missing",
            'dW["ss"] += dW_k["ss"]',
            'dW["ss"] += dW_k["ss"] * (k < T - 1)',
            hint="Every position adds its share, the last one too.",
            more=(('dW["sx"] += dW_k["sx"]', 'dW["sx"] += dW_k["sx"] * (k < T - 1)'),),
        ),
        *WALK_MISTAKES,
        Mutant(
            "`=` for `+=`: weight gradients of the first position only",
            'dW["ss"] += dW_k["ss"]',
            'dW["ss"] = dW_k["ss"]',
            more=(('dW["sx"] += dW_k["sx"]', 'dW["sx"] = dW_k["sx"]'),),
            hint="The walk ends at the first position. What becomes of what the others gave?",
        ),
        Mutant(
            '`=` for `+=` in dW["ss"]',
            'dW["ss"] += dW_k["ss"]',
            'dW["ss"] = dW_k["ss"]',
            hint="Both matrices are used at every position: both gradients are sums.",
        ),
        Mutant(
            '`=` for `+=` in dW["sx"]',
            'dW["sx"] += dW_k["sx"]',
            'dW["sx"] = dW_k["sx"]',
            hint="Both matrices are used at every position: both gradients are sums.",
        ),
        Mutant(
            "returned after the first turn of the loop",
            'dW["sx"] += dW_k["sx"]',
            'dW["sx"] += dW_k["sx"]\n        return dxs, carried, dW',
            hint="Look at how far your `return` is indented.",
        ),
        Mutant(
            "carried gradient computed and thrown away",
            "dxs[k], carried, dW_k",
            "dxs[k], _, dW_k",
            hint="What one step hands back, the next turn of the loop must find.",
        ),
        Mutant(
            "whole dxs added to at every position",
            "dxs[k], carried, dW_k",
            "dx, carried, dW_k",
            more=((CALL, CALL + "\n        dxs += dx"),),
            hint="Each input is read once: its gradient goes to its own place in dxs.",
        ),
        Mutant(
            "dxs stored in the order of the walk",
            "dxs[k], carried, dW_k",
            "dxs[T - 1 - k], carried, dW_k",
            hint="The walk goes backwards, dxs does not: entry 0 belongs to the first input.",
        ),
        Mutant(
            "dxs made from the direct gradient alone",
            CALL,
            CALL + "\n        dxs[k] = rnn_step_backward(ds[k], xs[k], s_prev, states[k], W)[0]",
            hint="An input moves all later states too: its gradient starts from the error signal.",
        ),
        Mutant(
            "dW made from the direct gradient alone",
            CALL,
            CALL + "\n        dW_k = rnn_step_backward(ds[k], xs[k], s_prev, states[k], W)[2]",
            hint="The weights at position t feel all of the error signal there, the carried part too.",
        ),
        Mutant(
            "dW made from the carried gradient alone",
            CALL,
            CALL + "\n        dW_k = rnn_step_backward(delta - ds[k], xs[k], s_prev, states[k], W)[2]",
            hint="The weights at position t feel all of the error signal there, the direct part too.",
        ),
        Mutant(
            "running sums start at the weights",
            "np.zeros(W[key].shape)",
            "1.0 * W[key]",
            hint="Before the walk nothing has been contributed: what does an empty sum start from?",
        ),
        Mutant(
            "running total in dxs",
            CALL,
            CALL + "\n        dxs[k] += dxs[k + 1] if k + 1 < T else 0",
            hint="Weights are shared by all positions; an input belongs to one.",
        ),
        Mutant(
            "derivative of a tanh behind s0 multiplied into ds0",
            "return dxs, carried, dW",
            "return dxs, carried * (1 - s0**2), dW",
            hint="s0 was given, no step of this walk made it: which tanh would that be?",
        ),
        Mutant(
            "ds0 returned as zeros",
            "return dxs, carried, dW",
            "return dxs, np.zeros(s0.shape), dW",
            hint="The initial state moves the first state, and so the loss.",
        ),
        Mutant(
            "error signal at the first state in place of ds0",
            "return dxs, carried, dW",
            "return dxs, delta, dW",
            hint="Between s_1 and s_0 there is one more step.",
        ),
        Mutant(
            "direct gradient of the first state in place of ds0",
            "return dxs, carried, dW",
            "return dxs, ds[0], dW",
            hint="ds[0] belongs to s_1. What reaches s_0 has gone through every step.",
        ),
        Mutant(
            "direct gradient of the first state added to ds0",
            "return dxs, carried, dW",
            "return dxs, carried + ds[0], dW",
            hint="ds[0] was used at s_1. The loss never looks at s_0 directly.",
        ),
        Mutant(
            "an axis of size one squeezed away",
            "return dxs, carried, dW",
            "return np.squeeze(dxs), np.squeeze(carried), dW",
            hint="With one sequence, one position, one unit or one input the answers keep their axes.",
        ),
        Mutant(
            "updated weights instead of their gradient",
            "return dxs, carried, dW",
            "return dxs, carried, {key: W[key] - dW[key] for key in dW}",
            hint="Return the gradient; taking a step with it is somebody else's work.",
        ),
    ],
    gradient=Gradient(
        of="rnn_forward_batch",
        upstream={"ds": "states"},
        wrt={"dxs": "xs", "ds0": "s0", "dW": "W"},
        returns=("states",),
    ),
    confirm=torch_rnn_backward,
)
