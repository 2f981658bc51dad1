"""How the exercises of notebook 01 are checked."""

from functools import partial

import numpy as np

from autograder import Exercise, Mutant

# ---------------------------------------------------------------- inputs


def recurrent_weights(rng, D, H, scale=1.0):
    return {
        "ss": scale * rng.normal(size=(H, H)) / np.sqrt(H),
        "sx": scale * rng.normal(size=(H, D)) / np.sqrt(D),
    }


def step_inputs(rng, D=4, H=3, N=2, scale=1.0):
    return {
        "x_t": rng.normal(size=(D, N)),
        "s_prev": rng.uniform(-0.9, 0.9, size=(H, N)),
        "W": recurrent_weights(rng, D, H, scale),
    }


def sequence_inputs(rng, T=5, D=4, H=3, scale=1.0):
    return {
        "xs": rng.normal(size=(T, D)),
        "s0": rng.uniform(-0.9, 0.9, size=H),
        "W": recurrent_weights(rng, D, H, scale),
    }


def batch_inputs(rng, *, T=5, D=4, H=3, N=2, scale=1.0):
    return {
        "xs": rng.normal(size=(T, D, N)),
        "s0": rng.uniform(-0.9, 0.9, size=(H, N)),
        "W": recurrent_weights(rng, D, H, scale),
    }


def predict_inputs(rng, H=5, C=3, N=4, scale=1.0):
    return {
        "s_last": rng.uniform(-0.9, 0.9, size=(H, N)),
        "W": {**recurrent_weights(rng, 2, H), "ys": scale * rng.normal(size=(C, H))},
    }


def predict_inputs_far_apart(rng, H=5, C=3, N=4):
    """Scores of about -1500 in the first column and of about 1500 in the others."""
    inputs = predict_inputs(rng, H, C, N)
    inputs["W"]["ys"] = 600 + rng.normal(size=(C, H))
    inputs["s_last"] = rng.uniform(0.4, 0.6, size=(H, N)) * np.where(np.arange(N) == 0, -1, 1)
    return inputs


def loss_inputs(rng, C=3, N=4):
    raised = rng.uniform(0.2, 2.0, size=(C, N))
    # Not every label is the class with the greatest probability, and none is the same throughout.
    labels = (raised.argmax(axis=0) + rng.permutation(N)) % C
    return {"probabilities": raised / raised.sum(axis=0), "labels": labels}


def loss_inputs_extreme(rng, right, C=3, N=4):
    """The labels' probabilities are near 1 (right) or near 0 (wrong)."""
    labels = rng.permutation(np.arange(N) % C)
    small = rng.uniform(1e-4, 3e-4, size=(C, N))
    favoured = labels if right else (labels + 1) % C
    small[favoured, np.arange(N)] = 0.0
    small[favoured, np.arange(N)] = 1 - small.sum(axis=0)
    return {"probabilities": small, "labels": labels}


# ---------------------------------------------------------------- the same values by PyTorch


def torch_rnn_step(x_t, s_prev, W):
    import torch

    x, s, ss, sx = (torch.as_tensor(a) for a in (x_t, s_prev, W["ss"], W["sx"]))
    cell = torch.nn.RNNCell(sx.shape[1], sx.shape[0], bias=False, dtype=torch.float64)
    with torch.no_grad():
        cell.weight_hh.copy_(ss)
        cell.weight_ih.copy_(sx)
        return cell(x.T.contiguous(), s.T.contiguous()).T.numpy()


def torch_rnn_forward(xs, s0, W):
    return torch_rnn_forward_batch(xs[:, :, None], s0[:, None], W)[:, :, 0]


def torch_rnn_forward_batch(xs, s0, W):
    import torch

    H, D = W["sx"].shape
    network = torch.nn.RNN(D, H, bias=False, dtype=torch.float64)
    with torch.no_grad():
        network.weight_hh_l0.copy_(torch.as_tensor(W["ss"]))
        network.weight_ih_l0.copy_(torch.as_tensor(W["sx"]))
        # PyTorch's own order is (T, N, D) and (1, N, H).
        xs, s0 = torch.as_tensor(xs).transpose(1, 2), torch.as_tensor(s0).T[None]
        return network(xs.contiguous(), s0.contiguous())[0].transpose(1, 2).numpy()


def torch_predict(s_last, W):
    import torch

    return torch.softmax(torch.as_tensor(W["ys"]) @ torch.as_tensor(s_last), dim=0).numpy()


def torch_cross_entropy(probabilities, labels):
    import torch

    logs = torch.log(torch.as_tensor(probabilities)).T
    return torch.nn.functional.nll_loss(logs, torch.as_tensor(labels)).numpy()


# ---------------------------------------------------------------- exercises

rnn_step = Exercise(
    returns=("s_t",),
    cases=(step_inputs, partial(step_inputs, D=5, H=4, N=3)),
    edge_cases={
        "one sequence (N = 1)": partial(step_inputs, N=1),
        "one input number (D = 1)": partial(step_inputs, D=1),
        "one unit (H = 1)": partial(step_inputs, H=1),
        "saturated units": partial(step_inputs, scale=40.0),
    },
    hints=(
        "Which two things does the new state depend on, and what squashes their sum?",
        "Both products must have the shape of a state, (H, N); only then can they be added.",
        'Start with `from_state = W["ss"] @ s_prev`, and do the same for the input.',
    ),
    misconceptions=[
        Mutant(
            "tanh missing",
            "np.tanh(from_state + from_input)",
            "from_state + from_input",
            hint="Your state is the pre-activation itself. Which function does (1.2) apply to that sum?",
        ),
        Mutant(
            "sum of tanhs instead of tanh of the sum",
            "np.tanh(from_state + from_input)",
            "np.tanh(from_state) + np.tanh(from_input)",
            hint="Compare the brackets of (1.2) with yours: what is inside the tanh?",
        ),
        Mutant(
            "tanh around the old state's part only",
            "np.tanh(from_state + from_input)",
            "np.tanh(from_state) + from_input",
            hint="A bracket closes too early: the input's part is left outside the tanh.",
        ),
        Mutant(
            "tanh around the input's part only",
            "np.tanh(from_state + from_input)",
            "from_state + np.tanh(from_input)",
            hint="The old state's part is left outside the tanh.",
        ),
        Mutant(
            "sigmoid for tanh",
            "np.tanh(from_state + from_input)",
            "1 / (1 + np.exp(-(from_state + from_input)))",
            hint="Your states are never negative. Which squashing function gives -1 to 1?",
        ),
        Mutant(
            "relu for tanh",
            "np.tanh(from_state + from_input)",
            "np.maximum(0, from_state + from_input)",
            hint="Your states are never negative and may exceed 1: that is another nonlinearity.",
        ),
        Mutant(
            "W_ss and its transpose exchanged",
            'W["ss"] @ s_prev',
            'W["ss"].T @ s_prev',
            hint="Row i of W_ss makes unit i of the new state. W_ss is square, so shapes show nothing.",
        ),
        Mutant(
            "old state ignored",
            'W["ss"] @ s_prev',
            '0 * (W["ss"] @ s_prev)',
            hint="Without the old state nothing is remembered. Where does `s_prev` enter?",
        ),
        Mutant(
            "input ignored",
            'W["sx"] @ x_t',
            '0 * (W["sx"] @ x_t)',
            hint="With another word the step must give another state. Where does `x_t` enter?",
        ),
        Mutant(
            "parts multiplied instead of added",
            "from_state + from_input",
            "from_state * from_input",
            hint="(1.2) adds what comes from the old state and what comes from the input.",
        ),
        Mutant(
            "parts subtracted instead of added",
            "from_state + from_input",
            "from_state - from_input",
            hint="Look at the sign between the two products in (1.2).",
        ),
        Mutant(
            "parts averaged instead of added",
            "np.tanh(from_state + from_input)",
            "np.tanh((from_state + from_input) / 2)",
            hint="The argument of tanh is half as large as (1.2) says.",
        ),
        Mutant(
            "tanh applied twice",
            "np.tanh(from_state + from_input)",
            "np.tanh(np.tanh(from_state + from_input))",
            hint="Your states lie closer to 0 than they should: count the tanhs.",
        ),
        Mutant(
            "tanh applied to the old state again",
            'W["ss"] @ s_prev',
            'W["ss"] @ np.tanh(s_prev)',
            hint="`s_prev` is a state: it has been through tanh already.",
        ),
        Mutant(
            "old state added on top",
            "np.tanh(from_state + from_input)",
            "s_prev + np.tanh(from_state + from_input)",
            hint="The simple network overwrites its state; it does not add to it.",
        ),
    ],
    confirm=torch_rnn_step,
    axes={"x_t": ("input", "sequence")},
)


def step_of_batch(t, s):
    return f"rnn_step(xs[{t}], {s}, W)"


def step_of_one(t, s):
    return f"np.ravel(rnn_step(xs[{t}][:, None], {s}[:, None], W))"


def sequence_mistakes(step):
    """Mistakes in a loop over time, whose step is written as `step(time, state)`."""
    now = step("t", "s_t")
    return [
        Mutant(
            "state never carried on",
            f"s_t = {now}\n        states[t] = s_t",
            "states[t] = " + step("t", "s0"),
            hint="Every step of yours starts from s0. From which state does step t start?",
        ),
        Mutant(
            "every step starts from zero",
            f"s_t = {now}\n        states[t] = s_t",
            "states[t] = " + step("t", "np.zeros_like(s0)"),
            hint="Each state of yours knows one word only. What has to be handed from step to step?",
        ),
        Mutant(
            "initial state ignored",
            "s_t = s0",
            "s_t = np.zeros_like(s0)",
            hint="The first step starts from a state that you are given; it need not be zero.",
        ),
        Mutant(
            "states stored one place late",
            f"s_t = {now}\n        states[t] = s_t",
            f"states[t] = s_t\n        s_t = {now}",
            hint="`states[0]` is the state after the first word, not the state before it.",
        ),
        Mutant(
            "last time step never reached",
            "for t in range(T):",
            "for t in range(T - 1):",
            hint="How many states does a sequence of T words have, and how many does your loop make?",
        ),
        Mutant(
            "first input skipped",
            "for t in range(T):",
            "for t in range(1, T):",
            hint="Python counts from 0: which word is `xs[0]`?",
        ),
        Mutant(
            "sequence read backwards",
            now,
            step("T - 1 - t", "s_t"),
            hint="Your first state saw the last word first.",
        ),
        Mutant(
            "first input used at every step",
            now,
            step("0", "s_t"),
            hint="Your first state is right, and every later one read the first word again.",
        ),
        Mutant(
            "input of the step before",
            now,
            step("t - 1", "s_t"),
            hint="Step t reads word t. In Python the index -1 is the last word, without any complaint.",
        ),
        Mutant(
            "all rows overwritten with the newest state",
            "states[t] = s_t",
            "states[:] = s_t",
            hint="All your states are equal: each step overwrote what the steps before had stored.",
        ),
        Mutant(
            "return inside the loop",
            "states[t] = s_t",
            "states[t] = s_t\n        return states",
            hint="One state is filled in. How far is your `return` indented?",
        ),
        Mutant(
            "states added up",
            f"s_t = {now}",
            f"s_t = s_t + {now}",
            hint="A step gives the new state itself, not a change to be added to the old one.",
        ),
        Mutant(
            "tanh applied again after the step",
            f"s_t = {now}",
            f"s_t = np.tanh({now})",
            hint="The step has its own tanh; its result is the state.",
        ),
        Mutant(
            "nothing changes after the second step",
            "for t in range(T):",
            "for t in range(min(T, 2)):",
            hint="A sequence may have any length; where does your loop get its end from?",
        ),
    ]


rnn_forward = Exercise(
    returns=("states",),
    cases=(sequence_inputs, partial(sequence_inputs, T=4, D=5, H=2)),
    edge_cases={
        "one time step (T = 1)": partial(sequence_inputs, T=1),
        "one input number (D = 1)": partial(sequence_inputs, D=1),
        "one unit (H = 1)": partial(sequence_inputs, H=1),
        "a long sequence (T = 30)": partial(sequence_inputs, T=30),
        "saturated units": partial(sequence_inputs, scale=40.0),
    },
    hints=(
        "One function does a step. What does step t need that step t - 1 has made?",
        "Make room for the states first, (T, H); the state you carry is (H,), as `s0` is.",
        "Start with `s_t = s0`, then loop: `for t in range(len(xs)):`",
    ),
    needs=("rnn_step",),
    misconceptions=sequence_mistakes(step_of_one),
    confirm=torch_rnn_forward,
    axes={"states": ("time step", "unit"), "xs": ("time step", "input"), "s0": ("unit",)},
)

rnn_forward_batch = Exercise(
    returns=("states",),
    cases=(batch_inputs, partial(batch_inputs, T=4, D=5, H=2, N=3)),
    edge_cases={
        "one sequence (N = 1)": partial(batch_inputs, N=1),
        "one time step (T = 1)": partial(batch_inputs, T=1),
        "one input number (D = 1)": partial(batch_inputs, D=1),
        "one unit (H = 1)": partial(batch_inputs, H=1),
        "a long sequence (T = 30)": partial(batch_inputs, T=30),
        "saturated units": partial(batch_inputs, scale=40.0),
    },
    hints=(
        "What in your loop over time has to change when `x_t` has N columns instead of one?",
        "`xs[t]` is (D, N), the carried state is (H, N), and the states are (T, H, N).",
        "Start with `states = np.zeros((T, H, N))` and `s_t = s0`.",
    ),
    needs=("rnn_step", "rnn_forward"),
    misconceptions=[
        *sequence_mistakes(step_of_batch),
        Mutant(
            "first sequence's words given to all",
            "rnn_step(xs[t], s_t, W)",
            "rnn_step(xs[t][:, :1], s_t, W)",
            hint="Broadcasting hides it: one column of inputs is used for every sequence.",
        ),
        Mutant(
            "first sequence's initial state given to all",
            "s_t = s0",
            "s_t = np.repeat(s0[:, :1], N, axis=1)",
            hint="Each sequence has its own initial state, in its own column of `s0`.",
        ),
        Mutant(
            "average initial state given to all",
            "s_t = s0",
            "s_t = np.repeat(s0.mean(axis=1, keepdims=True), N, axis=1)",
            hint="Sequences do not share a state: column n of `s0` belongs to sequence n.",
        ),
        Mutant(
            "state carried from one sequence into the next",
            "for t in range(T):\n        s_t = rnn_step(xs[t], s_t, W)\n        states[t] = s_t",
            "s_t = s0[:, 0]\n    for n in range(N):\n        for t in range(T):\n"
            "            s_t = rnn_step(xs[t][:, n], s_t, W)\n            states[t, :, n] = s_t",
            hint="Your first sequence is right. From which state does the second one start?",
        ),
        Mutant(
            "last sequence never computed",
            "states[t] = s_t",
            "states[t, :, : N - 1] = s_t[:, : N - 1]",
            hint="One column of your states is still zero.",
        ),
        Mutant(
            "sequences stored in the opposite order",
            "states[t] = s_t",
            "states[t] = s_t[:, ::-1]",
            hint="Column n of the states belongs to column n of the inputs.",
        ),
    ],
    confirm=torch_rnn_forward_batch,
    axes={"xs": ("time step", "input", "sequence")},
)

predict = Exercise(
    returns=("probabilities",),
    cases=(predict_inputs, partial(predict_inputs, H=4, C=5, N=3)),
    edge_cases={
        "one sequence (N = 1)": partial(predict_inputs, N=1),
        "two classes (C = 2)": partial(predict_inputs, C=2),
        "one unit (H = 1)": partial(predict_inputs, H=1),
        "scores of thousands": partial(predict_inputs, scale=3000.0),
        "scores of very different size in each sequence": predict_inputs_far_apart,
    },
    hints=(
        "Turn the state into one score per class, the scores into positive numbers, and those into shares.",
        "Scores and probabilities are (C, N): every column is one sequence, and must sum to one.",
        'Start with `scores = W["ys"] @ s_last`, then subtract each column\'s own greatest score.',
    ),
    misconceptions=[
        Mutant(
            "squares in place of exponentials",
            "np.exp(shifted)",
            "shifted**2",
            hint="A square makes a very negative score likely.",
        ),
        Mutant(
            "exponentials that overflow",
            "shifted = scores - scores.max(axis=0, keepdims=True)",
            "shifted = scores",
            hint="The exponential of 1000 is no float any more. (1.11) says what may be subtracted.",
        ),
        Mutant(
            "one maximum for the whole batch",
            "scores.max(axis=0, keepdims=True)",
            "scores.max()",
            hint="A sequence whose scores all lie far below another's is left with 0 / 0.",
        ),
        Mutant(
            "maximum taken over the sequences",
            "scores.max(axis=0, keepdims=True)",
            "scores.max(axis=1, keepdims=True)",
            hint="Within one sequence the same number must be subtracted from every score.",
        ),
        Mutant(
            "scores clipped",
            "scores - scores.max(axis=0, keepdims=True)",
            "np.clip(scores, -500, 500)",
            hint="Clipping changes the differences between scores; subtracting does not.",
        ),
        Mutant(
            "divided by the greatest score instead of subtracting it",
            "scores - scores.max(axis=0, keepdims=True)",
            "scores / np.abs(scores).max(axis=0, keepdims=True)",
            hint="(1.11) allows a shift, not another scale.",
        ),
        Mutant(
            "normalised over the sequences",
            "exponentials.sum(axis=0, keepdims=True)",
            "exponentials.sum(axis=1, keepdims=True)",
            hint="Which sums are 1 in your answer: those of the columns, or those of the rows?",
        ),
        Mutant(
            "normalised over the whole batch",
            "exponentials.sum(axis=0, keepdims=True)",
            "exponentials.sum()",
            hint="Every sequence has a prediction of its own: every column must sum to one.",
        ),
        Mutant(
            "not normalised",
            "exponentials / exponentials.sum(axis=0, keepdims=True)",
            "exponentials",
            hint="Probabilities of one sequence sum to one.",
        ),
        Mutant(
            "divided by the mean instead of the sum",
            "exponentials.sum(axis=0, keepdims=True)",
            "exponentials.mean(axis=0, keepdims=True)",
            hint="Your columns sum to C.",
        ),
        Mutant(
            "normalised by the length of the column",
            "exponentials.sum(axis=0, keepdims=True)",
            "np.sqrt((exponentials**2).sum(axis=0, keepdims=True))",
            hint="The squares of your columns sum to one; the numbers themselves should.",
        ),
        Mutant(
            "scores returned instead of probabilities",
            "return exponentials / exponentials.sum(axis=0, keepdims=True)",
            "return scores",
            hint="A score may be negative, a probability may not.",
        ),
        Mutant(
            "logarithms of the probabilities returned",
            "return exponentials / exponentials.sum(axis=0, keepdims=True)",
            "return shifted - np.log(exponentials.sum(axis=0, keepdims=True))",
            hint="Your numbers are negative: the logarithm belongs to the loss.",
        ),
        Mutant(
            "a sigmoid for each class",
            "exponentials / exponentials.sum(axis=0, keepdims=True)",
            "1 / (1 + np.exp(-scores))",
            hint="The classes compete: if one gets more, the others get less.",
        ),
        Mutant(
            "all or nothing: only the best class gets 1",
            "exponentials / exponentials.sum(axis=0, keepdims=True)",
            "(shifted == 0).astype(float)",
            hint="The prediction says how sure it is, not only which class comes first.",
        ),
        Mutant(
            "sign of the exponent wrong",
            "np.exp(shifted)",
            "np.exp(-shifted)",
            hint="Your greatest score has the least probability.",
        ),
        Mutant(
            "exponential missing",
            "np.exp(shifted)",
            "shifted",
            hint="What makes every score positive before it is divided by the sum?",
        ),
        Mutant(
            "tanh applied to the last state again",
            'W["ys"] @ s_last',
            'W["ys"] @ np.tanh(s_last)',
            hint="`s_last` is a state: it has been through tanh already.",
        ),
        Mutant(
            "tanh on the scores",
            'W["ys"] @ s_last',
            'np.tanh(W["ys"] @ s_last)',
            hint="A score is not a state: nothing squashes it before the softmax.",
        ),
    ],
    confirm=torch_predict,
    axes={"probabilities": ("class", "sequence")},
)

cross_entropy = Exercise(
    returns=("loss",),
    cases=(loss_inputs, partial(loss_inputs, C=4, N=3)),
    edge_cases={
        "one sequence (N = 1)": partial(loss_inputs, N=1),
        "two classes (C = 2)": partial(loss_inputs, C=2),
        "sure and right": partial(loss_inputs_extreme, right=True),
        "sure and wrong": partial(loss_inputs_extreme, right=False),
    },
    hints=(
        "How probable was what really came? Only that probability counts in each sequence.",
        "From (C, N) pick one probability per sequence, (N,): row `labels[n]`, column n. "
        "The answer is one number.",
        "Start with `chosen = probabilities[labels, np.arange(len(labels))]`.",
    ),
    misconceptions=[
        Mutant(
            "probabilities of the first sequence only",
            "probabilities[labels, np.arange(N)]",
            "probabilities[labels, 0]",
            hint="Label n belongs to column n.",
        ),
        Mutant(
            "sum over the sequences instead of their mean",
            "losses.mean()",
            "losses.sum()",
            hint="The loss should not grow because the batch is larger.",
        ),
        Mutant(
            "minus sign missing",
            "-np.log(chosen)",
            "np.log(chosen)",
            hint="The logarithm of a probability is negative; a loss is not.",
        ),
        Mutant(
            "divided by the number of classes too",
            "losses.mean()",
            "losses.sum() / probabilities.size",
            hint="Each sequence gives one number; how many numbers do you average?",
        ),
        Mutant(
            "logarithm of the mean instead of mean of the logarithms",
            "losses.mean()",
            "-np.log(chosen.mean())",
            hint="(1.13) takes the logarithm first, sequence by sequence.",
        ),
        Mutant(
            "logarithm to base 2",
            "-np.log(chosen)",
            "-np.log2(chosen)",
            hint="Your loss is too large by the same factor everywhere, 1 / log 2.",
        ),
        Mutant(
            "logarithm to base 10",
            "-np.log(chosen)",
            "-np.log10(chosen)",
            hint="Your loss is too small by the same factor everywhere, 1 / log 10.",
        ),
        Mutant(
            "logarithm missing",
            "-np.log(chosen)",
            "1 - chosen",
            hint="One minus the probability never exceeds 1: a sure and wrong answer would be cheap.",
        ),
        Mutant(
            "squared error",
            "-np.log(chosen)",
            "(1 - chosen) ** 2",
            hint="This is another loss; (1.13) has a logarithm and no square.",
        ),
        Mutant(
            "probability of the predicted class instead of the label's",
            "probabilities[labels, np.arange(N)]",
            "probabilities.max(axis=0)",
            hint="Your loss does not look at the labels: a sure and wrong answer costs nothing.",
        ),
        Mutant(
            "label of the first sequence used for all",
            "probabilities[labels, np.arange(N)]",
            "probabilities[labels[0]]",
            hint="Each sequence has a label of its own.",
        ),
        Mutant(
            "every label with every sequence",
            "probabilities[labels, np.arange(N)]",
            "probabilities[labels]",
            hint="`probabilities[labels]` takes whole rows, (N, N); each needs its column too.",
        ),
        Mutant(
            "labels counted from 1",
            "probabilities[labels, np.arange(N)]",
            "probabilities[labels - 1, np.arange(N)]",
            hint="Label 0 is the first row. In Python the index -1 is the last, without complaint.",
        ),
        Mutant(
            "entropy of the prediction, without the labels",
            "losses.mean()",
            "-(probabilities * np.log(probabilities)).sum() / N",
            hint="Where do the labels enter?",
        ),
        Mutant(
            "logarithms of all classes summed",
            "losses.mean()",
            "-np.log(probabilities).sum() / N",
            hint="Only the label's probability counts: one logarithm per sequence.",
        ),
        Mutant(
            "the other classes punished too",
            "losses.mean()",
            "losses.mean() - (np.log(1 - probabilities).sum() - np.log(1 - chosen).sum()) / N",
            hint="(1.13) has one logarithm per sequence: that of the label's probability.",
        ),
        Mutant(
            "weighted by the probability",
            "-np.log(chosen)",
            "-chosen * np.log(chosen)",
            hint="The label is certain: its weight is one, not its predicted probability.",
        ),
        Mutant(
            "perplexity instead of its logarithm",
            "losses.mean()",
            "np.exp(losses.mean())",
            hint="A perfect prediction should cost 0; yours costs 1.",
        ),
        Mutant(
            "right only for the last sequence",
            "losses.mean()",
            "losses[-1]",
            hint="The loss is the mean over all sequences of the batch, not that of one of them.",
        ),
    ],
    confirm=torch_cross_entropy,
    axes={"probabilities": ("class", "sequence"), "labels": ("sequence",)},
)
