"""How the exercises of notebook 05 are checked."""

from functools import partial
from itertools import permutations

import numpy as np

from autograder import Exercise, Mutant


def weights(rng, D, H, scale, letters="fioc"):
    names = [gate + "h" for gate in letters] + [gate + "x" for gate in letters]
    return {name: scale * rng.normal(size=(H, H if name[1] == "h" else D)) for name in names}


def gate_inputs(rng, D=4, H=3, N=2, scale=0.8, letters="fioc"):
    return {
        "x_t": rng.normal(size=(D, N)),
        "h_prev": rng.uniform(-0.9, 0.9, size=(H, N)),
        "W": weights(rng, D, H, scale, letters),
    }


def step_inputs(rng, D=4, H=3, N=2, scale=0.8):
    return {
        "x_t": rng.normal(size=(D, N)),
        "h_prev": rng.uniform(-0.9, 0.9, size=(H, N)),
        "c_prev": 1.5 * rng.normal(size=(H, N)),
        "W": weights(rng, D, H, scale),
    }


def sequence_inputs(rng, T=5, D=4, H=3, N=2, scale=0.8):
    return {
        "xs": rng.normal(size=(T, D, N)),
        "h0": rng.uniform(-0.9, 0.9, size=(H, N)),
        "c0": 1.5 * rng.normal(size=(H, N)),
        "W": weights(rng, D, H, scale),
    }


def stack_inputs(rng, D=4, H=3, letters="fioc"):
    return {"W": weights(rng, D, H, 1.0, letters)}


# The same values by PyTorch.


def torch_cell(W):
    """`torch.nn.LSTMCell` with these weights; its blocks are in the order i, f, g (candidate), o."""
    import torch

    cell = torch.nn.LSTMCell(W["fx"].shape[1], len(W["fh"])).double()
    with torch.no_grad():
        for kind, parameter in (("h", cell.weight_hh), ("x", cell.weight_ih)):
            parameter.copy_(torch.cat([torch.tensor(W[gate + kind]) for gate in "ifco"]))
        cell.bias_ih.zero_()
        cell.bias_hh.zero_()
    return cell


def torch_gates(x_t, h_prev, W):
    import torch

    x, h = torch.tensor(x_t.T), torch.tensor(h_prev.T)
    gates = {}
    for gate in "fioc":
        total = torch.nn.functional.linear(h, torch.tensor(W[gate + "h"]))
        total = total + torch.nn.functional.linear(x, torch.tensor(W[gate + "x"]))
        gates[gate] = (torch.tanh if gate == "c" else torch.sigmoid)(total).numpy().T
    return gates


def torch_step(x_t, h_prev, c_prev, W):
    import torch

    with torch.no_grad():
        state = torch.tensor(h_prev.T), torch.tensor(c_prev.T)
        h_t, c_t = torch_cell(W)(torch.tensor(x_t.T), state)
    return h_t.numpy().T, c_t.numpy().T, torch_gates(x_t, h_prev, W)


def torch_forward(xs, h0, c0, W):
    import torch

    cell, state = torch_cell(W), (torch.tensor(h0.T), torch.tensor(c0.T))
    hs, cs, gates = [], [], []
    with torch.no_grad():
        for x_t in xs:
            gates.append(torch_gates(x_t, state[0].numpy().T, W))
            state = cell(torch.tensor(x_t.T), state)
            hs.append(state[0].numpy().T)
            cs.append(state[1].numpy().T)
    return np.stack(hs), np.stack(cs), {gate: np.stack([g[gate] for g in gates]) for gate in "fioc"}


def torch_stacked(W):
    """What the stacked matrix does to each unit vector is its columns."""
    import torch

    H, D = W["fx"].shape
    h, x = torch.eye(H + D).double().split([H, D])
    results = [torch.tensor(W[gate + "h"]) @ h + torch.tensor(W[gate + "x"]) @ x for gate in "fioc"]
    return torch.cat(results).numpy()


# ---------------------------------------------------------------- lstm_gates

F = 'gates["f"] = sigmoid(W["fh"] @ h_prev + W["fx"] @ x_t)'
I = 'gates["i"] = sigmoid(W["ih"] @ h_prev + W["ix"] @ x_t)'
O = 'gates["o"] = sigmoid(W["oh"] @ h_prev + W["ox"] @ x_t)'
C = 'gates["c"] = np.tanh(W["ch"] @ h_prev + W["cx"] @ x_t)'
SUM = {gate: f'W["{gate}h"] @ h_prev + W["{gate}x"] @ x_t' for gate in "fioc"}

TWO_SUMS = "Both products go into one sum first; the sum is squashed once, as a whole."
NAMES = "Go through the four lines with a finger: the letter left and the letter in the weights agree?"
OWN = "Four questions, four pairs of matrices. Which letters do your weights have, line by line?"
BETWEEN = "A gate is a share, between 0 and 1. Print the smallest value of each of your gates."
CANDIDATE = "The candidate may lower the memory as well as raise it: it lies between -1 and 1."
READS = "Each of the four boxes in the drawing has two arrows from below. Count yours."


def copied_lines():
    """A line copied from one above it, with one of its two letters left as it was."""
    for gate, line in (("i", I), ("o", O), ("c", C)):
        for other in "fio"[: "fioc".index(gate)]:
            for kind in "hx":
                yield Mutant(
                    f'W["{other}{kind}"] for W["{gate}{kind}"], as in a copied line',
                    line, line.replace(f'W["{gate}{kind}"]', f'W["{other}{kind}"]'),
                    hint="In one line the two weights carry different first letters.",
                )  # fmt: skip


lstm_gates = Exercise(
    returns=("gates",),
    cases=(gate_inputs, partial(gate_inputs, D=5, H=4, N=3)),
    edge_cases={
        "one sequence (N = 1)": partial(gate_inputs, N=1),
        "one unit (H = 1)": partial(gate_inputs, H=1),
        "one input (D = 1)": partial(gate_inputs, D=1),
        "as many inputs as units (D = H)": partial(gate_inputs, D=3, H=3),
        "saturated gates": partial(gate_inputs, scale=1200.0),
        "weights named in another order": partial(gate_inputs, letters="ocif"),
    },
    hints=(
        "Four lines that look alike. What differs is the letter in the weights, and, in one of them, "
        "the function that squashes the sum.",
        'Every product must have the shape of the state, (H, N): `W["fh"] @ h_prev` is (H, H) @ (H, N).',
        'Start with `gates = {}` and `gates["f"] = sigmoid(…)`, with the sum of (5.3) inside.',
    ),
    misconceptions=[
        Mutant(
            'forget gate made from the input gate',
            'sigmoid(W["fh"] @ h_prev + W["fx"] @ x_t)',
            '1 - sigmoid(W["ih"] @ h_prev + W["ix"] @ x_t)',
            hint='A GRU ties its gates like that; each gate of an LSTM has matrices of its own.',
        ),
        Mutant("candidate without tanh", C, f'gates["c"] = {SUM["c"]}', hint=CANDIDATE),
        Mutant("sigmoid for tanh in the candidate", C, f'gates["c"] = sigmoid({SUM["c"]})', hint=CANDIDATE),
        Mutant("tanh applied twice to the candidate", C, f'gates["c"] = np.tanh(np.tanh({SUM["c"]}))',
               hint="One squashing is enough: what has passed a tanh already lies between -1 and 1."),
        Mutant("tanh for sigmoid in all gates", F, F.replace("sigmoid", "np.tanh"), hint=BETWEEN,
               more=((I, I.replace("sigmoid", "np.tanh")), (O, O.replace("sigmoid", "np.tanh")))),
        Mutant("tanh for sigmoid in the forget gate", F, F.replace("sigmoid", "np.tanh"), hint=BETWEEN),
        Mutant("tanh for sigmoid in the input gate", I, I.replace("sigmoid", "np.tanh"), hint=BETWEEN),
        Mutant("tanh for sigmoid in the output gate", O, O.replace("sigmoid", "np.tanh"), hint=BETWEEN),
        Mutant("sigmoid missing in all gates", F, f'gates["f"] = {SUM["f"]}', hint=BETWEEN,
               more=((I, f'gates["i"] = {SUM["i"]}'), (O, f'gates["o"] = {SUM["o"]}'))),
        Mutant("forget and input gate exchanged", F, F.replace('gates["f"]', 'gates["i"]'), hint=NAMES,
               more=((I, I.replace('gates["i"]', 'gates["f"]')),)),
        Mutant("input and output gate exchanged", I, I.replace('gates["i"]', 'gates["o"]'), hint=NAMES,
               more=((O, O.replace('gates["o"]', 'gates["i"]')),)),
        Mutant("forget and output gate exchanged", F, F.replace('gates["f"]', 'gates["o"]'), hint=NAMES,
               more=((O, O.replace('gates["o"]', 'gates["f"]')),)),
        Mutant("all three gates from the forget gate's matrices", I, F.replace('gates["f"]', 'gates["i"]'),
               hint=OWN, more=((O, F.replace('gates["f"]', 'gates["o"]')),)),
        Mutant("all four from the forget gate's matrices", I, F.replace('gates["f"]', 'gates["i"]'),
               hint=OWN, more=((O, F.replace('gates["f"]', 'gates["o"]')),
                               (C, f'gates["c"] = np.tanh({SUM["f"]})'))),
        Mutant("input gate from the forget gate's matrices", I, F.replace('gates["f"]', 'gates["i"]'),
               hint=OWN),
        Mutant("output gate from the input gate's matrices", O, I.replace('gates["i"]', 'gates["o"]'),
               hint=OWN),
        Mutant("output gate from the forget gate's matrices", O, F.replace('gates["f"]', 'gates["o"]'),
               hint=OWN),
        Mutant("candidate from the forget gate's matrices", C, f'gates["c"] = np.tanh({SUM["f"]})', hint=OWN),
        Mutant("candidate from the output gate's matrices", C, f'gates["c"] = np.tanh({SUM["o"]})', hint=OWN),
        Mutant("candidate and output gate from each other's matrices", C,
               f'gates["c"] = np.tanh({SUM["o"]})', hint=OWN,
               more=((O, f'gates["o"] = sigmoid({SUM["c"]})'),)),
        Mutant("one gate's matrix on h, another's on x", F,
               'gates["f"] = sigmoid(W["fh"] @ h_prev + W["ix"] @ x_t)',
               hint="In one line the two weights carry different first letters."),
        *copied_lines(),
        Mutant("visible state ignored", F, 'gates["f"] = sigmoid(W["fx"] @ x_t)', hint=READS,
               more=((I, 'gates["i"] = sigmoid(W["ix"] @ x_t)'), (O, 'gates["o"] = sigmoid(W["ox"] @ x_t)'),
                     (C, 'gates["c"] = np.tanh(W["cx"] @ x_t)'))),
        Mutant("input ignored", F, 'gates["f"] = sigmoid(W["fh"] @ h_prev)', hint=READS,
               more=((I, 'gates["i"] = sigmoid(W["ih"] @ h_prev)'),
                     (O, 'gates["o"] = sigmoid(W["oh"] @ h_prev)'),
                     (C, 'gates["c"] = np.tanh(W["ch"] @ h_prev)'))),
        Mutant("gates do not read the visible state", F, 'gates["f"] = sigmoid(W["fx"] @ x_t)', hint=READS,
               more=((I, 'gates["i"] = sigmoid(W["ix"] @ x_t)'), (O, 'gates["o"] = sigmoid(W["ox"] @ x_t)'))),
        Mutant("candidate does not read the visible state", C, 'gates["c"] = np.tanh(W["cx"] @ x_t)',
               hint=READS),
        Mutant("sum of two sigmoids and of two tanhs", F,
               'gates["f"] = sigmoid(W["fh"] @ h_prev) + sigmoid(W["fx"] @ x_t)', hint=TWO_SUMS,
               more=((I, 'gates["i"] = sigmoid(W["ih"] @ h_prev) + sigmoid(W["ix"] @ x_t)'),
                     (O, 'gates["o"] = sigmoid(W["oh"] @ h_prev) + sigmoid(W["ox"] @ x_t)'),
                     (C, 'gates["c"] = np.tanh(W["ch"] @ h_prev) + np.tanh(W["cx"] @ x_t)'))),
        Mutant("the visible state's product taken twice in the forget gate", F,
               'gates["f"] = sigmoid(W["fh"] @ h_prev + W["fh"] @ h_prev)', hint=READS),
        Mutant("input gate reads the visible state only", I, 'gates["i"] = sigmoid(W["ih"] @ h_prev)',
               hint=READS),
        Mutant("a parenthesis closed too early in the candidate", C,
               'gates["c"] = np.tanh(W["ch"] @ h_prev) + W["cx"] @ x_t',
               hint="Where does the tanh of your candidate end? Compare with the braces of (5.5)."),
        Mutant("a parenthesis closed too early in the forget gate", F,
               'gates["f"] = sigmoid(W["fh"] @ h_prev) + W["fx"] @ x_t',
               hint="Where does the sigmoid of your forget gate end? Compare with the braces of (5.3)."),
        Mutant("matrices on the visible state transposed", F, F.replace('"fh"]', '"fh"].T'),
               hint="(H, H) fits either way round, so no error warns you. (5.3) has no transpose.",
               more=((I, I.replace('"ih"]', '"ih"].T')), (O, O.replace('"oh"]', '"oh"].T')),
                     (C, C.replace('"ch"]', '"ch"].T')))),
        Mutant("the forget gate's matrix transposed", F, F.replace('"fh"]', '"fh"].T'),
               hint="(H, H) fits either way round, so no error warns you. (5.3) has no transpose."),
        Mutant("forget gate turned round (1 - f)", F, F.replace("sigmoid(", "1 - sigmoid("),
               hint="Here 1 means keep. In notebook 04 the gate was the share that is overwritten."),
        Mutant("all three gates turned round (1 - gate)", F, F.replace("sigmoid(", "1 - sigmoid("),
               hint="A large sum opens a gate: 1. Which sign has the sum in your sigmoid?",
               more=((I, I.replace("sigmoid(", "1 - sigmoid(")), (O, O.replace("sigmoid(", "1 - sigmoid(")))),
        Mutant("input gate taken as 1 - f", I, 'gates["i"] = 1 - gates["f"]',
               hint="That ties writing to keeping again, as in (5.1). Which formula gives i_t its own "
                    "weights?"),
        Mutant("gates rounded to 0 or 1", F, F.replace("sigmoid(", "np.round(sigmoid(") + ")",
               hint="A gate is a share, not a switch: nothing is rounded.",
               more=((I, I.replace("sigmoid(", "np.round(sigmoid(") + ")"),
                     (O, O.replace("sigmoid(", "np.round(sigmoid(") + ")"))),
        Mutant("candidate multiplied by the input gate already", C,
               f'gates["c"] = gates["i"] * np.tanh({SUM["c"]})',
               hint="The candidate is what would be written. How much of it is, (5.6) decides."),
        Mutant("forget gate applied to the state inside the candidate", C,
               'gates["c"] = np.tanh(W["ch"] @ (gates["f"] * h_prev) + W["cx"] @ x_t)',
               hint="In (5.5) the visible state enters as it is. A gate inside the candidate is another "
                    "cell (the GRU)."),
        Mutant("forget bias of 1 added", F, F.replace("sigmoid(", "sigmoid(1.0 + "),
               hint="Many libraries start with such a bias; (5.3) has none, and neither do the weights "
                    "you get."),
        Mutant("sigmoid that overflows", F,
               f'gates["f"] = np.exp({SUM["f"]}) / (1 + np.exp({SUM["f"]}))',
               hint="For a large sum this divides infinity by infinity. The sigmoid given above does not."),
        Mutant("sum taken with a minus sign in between", F, F.replace(" + ", " - "), hint=TWO_SUMS,
               more=((I, I.replace(" + ", " - ")), (O, O.replace(" + ", " - ")),
                     (C, C.replace(" + ", " - ")))),
        Mutant("the three gates made to sum to one", "return gates",
               'total = gates["f"] + gates["i"] + gates["o"]\n    return {"f": gates["f"] / total, '
               '"i": gates["i"] / total, "o": gates["o"] / total, "c": gates["c"]}',
               hint="The gates do not compete: all three may be open at once."),
    ],
    confirm=torch_gates,
)  # fmt: skip

# ----------------------------------------------------------------- lstm_step

CALL = "gates = lstm_gates(x_t, h_prev, W)"
KEPT = 'kept = gates["f"] * c_prev'
WRITTEN = 'written = gates["i"] * gates["c"]'
MEMORY = "c_t = kept + written"
VISIBLE = 'h_t = gates["o"] * np.tanh(c_t)'
RETURN = "return h_t, c_t, gates"
WHICH = "Say each gate aloud: keep (f), let in (i), show (o). Which of them stands where in your two lines?"
UNSQUASHED = (
    "Nothing squashes the memory itself, or it could not hold a sum. Where does (5.10) have its tanh?"
)
SHOWS = "What is shown is the memory of this position, (5.10). Follow the drawing: where does h_t branch off?"

lstm_step = Exercise(
    returns=("h_t", "c_t", "gates"),
    cases=(step_inputs, partial(step_inputs, D=5, H=4, N=3)),
    edge_cases={
        "one sequence (N = 1)": partial(step_inputs, N=1),
        "one unit (H = 1)": partial(step_inputs, H=1),
        "one input (D = 1)": partial(step_inputs, D=1),
        "as many inputs as units (D = H)": partial(step_inputs, D=3, H=3),
        "saturated gates": partial(step_inputs, scale=60.0),
    },
    needs=("lstm_gates",),
    hints=(
        "The memory is a sum of two parts: what is kept of the old, and what is written of the new. "
        "The visible state is made of the memory.",
        "Everything here is (H, N) and goes entry by entry: `*`, no `@`.",
        "Start with `gates = lstm_gates(x_t, h_prev, W)`, then take the forget gate times the old memory.",
    ),
    misconceptions=[
        Mutant("forget and input gate exchanged", KEPT, 'kept = gates["i"] * c_prev', hint=WHICH,
               more=((WRITTEN, 'written = gates["f"] * gates["c"]'),)),
        Mutant("input and output gate exchanged", WRITTEN, 'written = gates["o"] * gates["c"]', hint=WHICH,
               more=((VISIBLE, 'h_t = gates["i"] * np.tanh(c_t)'),)),
        Mutant("forget and output gate exchanged", KEPT, 'kept = gates["o"] * c_prev', hint=WHICH,
               more=((VISIBLE, 'h_t = gates["f"] * np.tanh(c_t)'),)),
        Mutant("gates passed round: input, output, forget", KEPT, 'kept = gates["i"] * c_prev', hint=WHICH,
               more=((WRITTEN, 'written = gates["o"] * gates["c"]'),
                     (VISIBLE, 'h_t = gates["f"] * np.tanh(c_t)'))),
        Mutant("forget gate used for what is written, too", WRITTEN, 'written = gates["f"] * gates["c"]',
               hint=WHICH),
        Mutant("forget gate taken for what is forgotten (1 - f)", KEPT, 'kept = (1 - gates["f"]) * c_prev',
               hint="In spite of its name a forget gate of 1 keeps everything: (5.6)."),
        Mutant("one gate for keeping and writing (1 - f in place of i)", WRITTEN,
               'written = (1 - gates["f"]) * gates["c"]',
               hint="That is the unit with one gate, (5.1). Here writing has a gate of its own."),
        Mutant("one gate for keeping and writing (1 - i in place of f)", KEPT,
               'kept = (1 - gates["i"]) * c_prev',
               hint="That is the unit with one gate, (5.1). Here keeping has a gate of its own."),
        Mutant("input gate in place of the output gate", VISIBLE, 'h_t = gates["i"] * np.tanh(c_t)',
               hint=WHICH),
        Mutant("forget gate in place of the output gate", VISIBLE, 'h_t = gates["f"] * np.tanh(c_t)',
               hint=WHICH),
        Mutant("candidate missing from what is written", WRITTEN, 'written = gates["i"]',
               hint="The input gate says how much is let in. How much of what?"),
        Mutant("old memory lost", MEMORY, "c_t = written",
               hint="(5.6) has two summands. Which of them carries the past?"),
        Mutant("nothing written", MEMORY, "c_t = kept",
               hint="(5.6) has two summands. Which of them carries what is new?"),
        Mutant("forget gate missing", KEPT, "kept = c_prev",
               hint="How much of the old memory is kept? In (5.6) a gate answers that."),
        Mutant("input gate missing", WRITTEN, 'written = gates["c"]',
               hint="How much of the candidate may enter? In (5.6) a gate answers that."),
        Mutant("output gate missing", VISIBLE, "h_t = np.tanh(c_t)",
               hint="How much of the memory is shown? In (5.10) a gate answers that."),
        Mutant("tanh on the way out missing", VISIBLE, 'h_t = gates["o"] * c_t',
               hint="The memory may be 5; a visible state never is. What does (5.10) do to c_t?"),
        Mutant("sigmoid for tanh on the way out", VISIBLE, 'h_t = gates["o"] * sigmoid(c_t)',
               hint="A negative memory is shown as something negative. Is yours?"),
        Mutant("tanh around the product with the output gate", VISIBLE, 'h_t = np.tanh(gates["o"] * c_t)',
               hint="First squash, then gate: with o = 1/2 half of the tanh is shown."),
        Mutant("memory squashed before it is stored", MEMORY, "c_t = np.tanh(kept + written)",
               hint=UNSQUASHED),
        Mutant("squashed memory returned", RETURN, "return h_t, np.tanh(c_t), gates", hint=UNSQUASHED),
        Mutant("sigmoid on the memory", MEMORY, "c_t = sigmoid(kept + written)", hint=UNSQUASHED),
        Mutant("tanh applied to the candidate again", WRITTEN, 'written = gates["i"] * np.tanh(gates["c"])',
               hint='`gates["c"]` comes out of `lstm_gates` squashed already.'),
        Mutant("sigmoid applied to the gates again", KEPT, 'kept = sigmoid(gates["f"]) * c_prev',
               hint="The gates come out of `lstm_gates` as shares already.",
               more=((WRITTEN, 'written = sigmoid(gates["i"]) * gates["c"]'),
                     (VISIBLE, 'h_t = sigmoid(gates["o"]) * np.tanh(c_t)'))),
        Mutant("tanh(h) where tanh(c) belongs", VISIBLE, 'h_t = gates["o"] * np.tanh(h_prev)', hint=SHOWS),
        Mutant("the old memory shown", VISIBLE, 'h_t = gates["o"] * np.tanh(c_prev)', hint=SHOWS),
        Mutant("the candidate shown", VISIBLE, 'h_t = gates["o"] * gates["c"]', hint=SHOWS),
        Mutant("tanh of the candidate shown", VISIBLE, 'h_t = gates["o"] * np.tanh(gates["c"])', hint=SHOWS),
        Mutant("only what was written is shown", VISIBLE, 'h_t = gates["o"] * np.tanh(written)', hint=SHOWS),
        Mutant("only what was kept is shown", VISIBLE, 'h_t = gates["o"] * np.tanh(kept)', hint=SHOWS),
        Mutant("visible state mixed with the old one", VISIBLE,
               'h_t = (1 - gates["o"]) * h_prev + gates["o"] * np.tanh(c_t)',
               hint="The visible state keeps nothing by itself: the memory does that. (5.10) has one "
                    "product."),
        Mutant("visible state kept in place of the memory", KEPT, 'kept = gates["f"] * h_prev',
               hint="Two states come in. Which of them is the memory?"),
        Mutant("gates read the memory", CALL, "gates = lstm_gates(x_t, c_prev, W)",
               hint="Which of the two states do (5.3) to (5.5) read?"),
        Mutant("gates do not see the state", CALL, "gates = lstm_gates(x_t, 0 * h_prev, W)",
               hint="What do the gates read beside the input?"),
        Mutant("the two states exchanged in the answer", RETURN, "return c_t, h_t, gates",
               hint="In which order does the docstring return the two states?"),
        Mutant("the two states exchanged on the way in", CALL, "h_prev, c_prev = c_prev, h_prev\n    " + CALL,
               hint="In which order does the signature take the two states?"),
        Mutant("visible state returned as memory", RETURN, "return h_t, h_t, gates",
               hint="The second thing to return is the memory, before it is squashed and gated."),
        Mutant("memory returned as visible state", RETURN, "return c_t, c_t, gates",
               hint="The first thing to return is what is shown, (5.10)."),
        Mutant("a parenthesis around the wrong sum", MEMORY, "c_t = kept + written",
               hint="In (5.6) the forget gate multiplies the old memory only.",
               more=((KEPT, 'kept = gates["f"] * (c_prev + gates["i"] * gates["c"])'),
                     (WRITTEN, "written = 0"))),
        Mutant("kept and written part multiplied", MEMORY, "c_t = kept * written",
               hint="(5.6) joins its two parts by a plus: either may be there without the other."),
        Mutant("written part subtracted", MEMORY, "c_t = kept - written",
               hint="Old and new are added in (5.6): the candidate brings its own sign."),
        Mutant("memory subtracted", MEMORY, "c_t = written - kept",
               hint="Old and new are added in (5.6), whatever their signs."),
        Mutant("candidate in the gates overwritten by the memory", RETURN,
               'gates["c"] = c_t\n    return h_t, c_t, gates',
               hint='The memory and `gates["c"]` are two things: c, and c with a tilde.'),
        Mutant("average of old and new", MEMORY, "c_t = (kept + written) / 2",
               hint="(5.6) is a sum. Nothing divides it."),
    ],
    confirm=torch_step,
)  # fmt: skip

# -------------------------------------------------------------- lstm_forward

LOOP = "for t in range(T):"
STEP = "h_t, c_t, gates_t = lstm_step(xs[t], h_t, c_t, W)"
H_START, C_START = "h_t = h0", "c_t = c0"
STORE_H, STORE_C = "hs[t] = h_t", "cs[t] = c_t"
STORE_GATE = "gates[name][t] = gates_t[name]"
GIVEN = "What are h_{t-1} and c_{t-1} at the first position? They need not be zero."
CARRIED = "What goes into the step at position 2, and where did it come from? Follow both states."
ROWS = "Which row holds what? After the first step its results belong in row 0."

lstm_forward = Exercise(
    returns=("hs", "cs", "gates"),
    cases=(sequence_inputs, partial(sequence_inputs, T=7, D=5, H=4, N=3)),
    edge_cases={
        "one position (T = 1)": partial(sequence_inputs, T=1),
        "one sequence (N = 1)": partial(sequence_inputs, N=1),
        "one unit (H = 1)": partial(sequence_inputs, H=1),
        "one input (D = 1)": partial(sequence_inputs, D=1),
        "a long sequence (T = 40)": partial(sequence_inputs, T=40, H=2, N=1),
        "saturated gates": partial(sequence_inputs, scale=30.0),
    },
    needs=("lstm_step", "lstm_gates"),
    hints=(
        "One step after the other, each with the two states that the one before it returned. "
        "Where do you keep what came of each step?",
        "`xs[t]` is (D, N). `hs`, `cs` and each of the four gates are (T, H, N); row t is position t + 1.",
        "Start with `h_t, c_t = h0, c0`, then `for t in range(len(xs)):`, with `lstm_step` inside.",
    ),
    misconceptions=[
        Mutant("initial visible state ignored", H_START, "h_t = 0 * h0", hint=GIVEN),
        Mutant("initial memory ignored", C_START, "c_t = 0 * c0", hint=GIVEN),
        Mutant("both initial states ignored", H_START, "h_t = 0 * h0", hint=GIVEN,
               more=((C_START, "c_t = 0 * c0"),)),
        Mutant("initial states exchanged", H_START, "h_t = c0",
               hint="Which of h0 and c0 is shown, which kept?",
               more=((C_START, "c_t = h0"),)),
        Mutant("initial memory taken from h0", C_START, "c_t = h0",
               hint="The memory has a start of its own, c0."),
        Mutant("visible state not carried", STEP, STEP.replace("h_t, c_t, W", "h0, c_t, W"), hint=CARRIED),
        Mutant("memory not carried", STEP, STEP.replace("h_t, c_t, W", "h_t, c0, W"), hint=CARRIED),
        Mutant("neither state carried", STEP, STEP.replace("h_t, c_t, W", "h0, c0, W"), hint=CARRIED),
        Mutant("memory starts from zero at every position",
               STEP, STEP.replace("h_t, c_t, W", "h_t, 0 * c_t, W"),
               hint=CARRIED),
        Mutant("visible state zero at every position", STEP, STEP.replace("h_t, c_t, W", "0 * h_t, c_t, W"),
               hint=CARRIED),
        Mutant("the two states exchanged at every call", STEP, STEP.replace("h_t, c_t, W", "c_t, h_t, W"),
               hint="In which order does `lstm_step` take the two states, and in which does it return them?"),
        Mutant("the two results of the step exchanged",
               STEP, STEP.replace("h_t, c_t, gates_t", "c_t, h_t, gates_t"),
               hint="In which order does `lstm_step` return the two states?"),
        Mutant("visible state carried as memory",
               STEP, STEP.replace("h_t, c_t, W", "h_t, c_t if t == 0 else h_t, W"),
               hint=CARRIED),
        Mutant("memory carried as visible state",
               STEP, STEP.replace("h_t, c_t, W", "h_t if t == 0 else c_t, c_t, W"),
               hint=CARRIED),
        Mutant("memory squashed between positions",
               STEP, STEP.replace("h_t, c_t, W", "h_t, c_t if t == 0 else np.tanh(c_t), W"),
               hint="The memory goes on as it is. The tanh belongs to what is shown, inside the step."),
        Mutant("sequence read backwards", STEP, STEP.replace("xs[t]", "xs[T - 1 - t]"),
               hint="Which input belongs to the first position?"),
        Mutant("everything read and stored backwards", LOOP, "for t in reversed(range(T)):",
               hint="A forward pass goes from the first position to the last."),
        Mutant("the first input at every position", STEP, STEP.replace("xs[t]", "xs[0]"),
               hint="What changes from one position to the next, beside the states?"),
        Mutant("inputs one position late", STEP, STEP.replace("xs[t]", "xs[max(t - 1, 0)]"),
               hint="Position t reads its own input, in row t - 1 of xs, and writes row t - 1 of hs."),
        Mutant("first position skipped", LOOP, "for t in range(1, T):", hint=ROWS),
        Mutant("last position skipped", LOOP, "for t in range(T - 1):",
               hint="How many positions are there, and how many rows does your loop fill?"),
        Mutant("stops after three positions", LOOP, "for t in range(min(T, 3)):",
               hint="How many positions are there, and how many rows does your loop fill?"),
        Mutant("states reset after three positions", STEP,
               "if t == 3:\n            h_t, c_t = h0, c0\n        " + STEP, hint=CARRIED),
        Mutant("states stored before the step", f"{STEP}\n        {STORE_H}\n        {STORE_C}",
               f"{STORE_H}\n        {STORE_C}\n        {STEP}", hint=ROWS),
        Mutant("memory stored before the step", f"{STEP}\n        {STORE_H}\n        {STORE_C}",
               f"{STORE_C}\n        {STEP}\n        {STORE_H}", hint=ROWS),
        Mutant("visible states stored as memories", STORE_C, "cs[t] = h_t",
               hint="Two arrays for two states: cs holds the memories."),
        Mutant("memories stored as visible states", STORE_H, "hs[t] = c_t",
               hint="Two arrays for two states: hs holds what is shown."),
        Mutant("squashed memories stored", STORE_C, "cs[t] = np.tanh(c_t)",
               hint="cs holds the memories as they are, unsquashed."),
        Mutant("every row overwritten by the newest state", STORE_H, "hs[:] = h_t",
               hint="Each step fills one row; the earlier rows stay. Does `lstm_step` change its argument "
                    "`c_prev` (`*=`, `+=`)? Then every row you collect is the same array.",
               more=((STORE_C, "cs[:] = c_t"),)),
        Mutant("gates of the last position in every row", STORE_GATE, "gates[name][:] = gates_t[name]",
               hint="The gates differ from position to position: each step fills one row."),
        Mutant("states added up", STORE_H, "hs[t] = hs[t - 1] + h_t if t else h_t",
               hint="Row t holds the state of one position. The sum over time is made by the memory itself."),
        Mutant("initial memory stored in every row", STORE_C, "cs[t] = c0",
               hint="cs holds what the memory has become after each position."),
        Mutant("forget and input gate exchanged in the answer", STORE_GATE,
               'gates[{"f": "i", "i": "f"}.get(name, name)][t] = gates_t[name]',
               hint="Each gate goes into the array of its own name."),
        Mutant("input and output gate exchanged in the answer", STORE_GATE,
               'gates[{"i": "o", "o": "i"}.get(name, name)][t] = gates_t[name]',
               hint="Each gate goes into the array of its own name."),
        Mutant("memory stored in place of the candidate", STORE_GATE,
               'gates[name][t] = c_t if name == "c" else gates_t[name]',
               hint='`gates["c"]` is the candidate, c with a tilde. The memory has its own array, cs.'),
        Mutant("sequences mixed: the mean of the batch carried", STEP,
               STEP.replace("h_t, c_t, W", "h_t if t == 0 else h_t.mean(axis=1, keepdims=True), c_t, W"),
               hint="A column is a sequence of its own. Nothing of one column may enter another."),
        Mutant("both states halved on the way (a decay)",
               STEP, STEP.replace("h_t, c_t, W", "h_t, c_t if t == 0 else c_t / 2, W"),
               hint="The memory goes on as it is. What wears it is the forget gate, inside the step."),
    ],
    confirm=torch_forward,
)  # fmt: skip

# ----------------------------------------------------------- stack_parameters

ORDER = '("f", "i", "o", "c")'
STATE, INPUT = 'from_state = W[name + "h"]', 'from_input = W[name + "x"]'
ROW, STACK = "rows.append(np.hstack([from_state, from_input]))", "return np.vstack(rows)"
CONVENTION = "The numbers are there, in another order. Which order of blocks does the docstring ask for?"


def other_orders(named):
    """Every order of the four blocks that no other mutant names."""
    right = tuple("fioc")
    rest = [p for p in permutations(right) if p != right and "".join(p) not in named]
    return [order(f"blocks in the order {', '.join(p)}", p) for p in rest]


def order(name, letters, hint=CONVENTION):
    return Mutant(name, ORDER, "(" + ", ".join(f'"{letter}"' for letter in letters) + ")", hint=hint)


stack_parameters = Exercise(
    returns=("stacked",),
    cases=(stack_inputs, partial(stack_inputs, D=5, H=4)),
    edge_cases={
        "one unit (H = 1)": partial(stack_inputs, H=1),
        "one input (D = 1)": partial(stack_inputs, D=1),
        "as many inputs as units (D = H)": partial(stack_inputs, D=3, H=3),
        "more units than inputs": partial(stack_inputs, D=2, H=5),
        "weights named in another order": partial(stack_inputs, letters="ocif"),
    },
    hints=(
        "First put the two matrices of one gate side by side. Then put the four results below one another.",
        "One gate's two matrices side by side are (H, H + D); four of these below one another (4H, H + D).",
        'Start with `np.hstack([W["fh"], W["fx"]])`: that is the topmost of four such blocks.',
    ),
    misconceptions=[
        order("blocks in PyTorch's order i, f, candidate, o", "ifco",
              "That is the order of PyTorch's own weights. This course keeps the three sigmoids together."),
        order("blocks in the order i, o, f, candidate", "iofc"),
        order("blocks in the order f, i, candidate, o", "fico"),
        order("blocks in alphabetical order c, f, i, o", "cfio"),
        order("blocks from bottom to top", "coif"),
        order("forget gate's block in every place", "ffff",
              "Four gates, four blocks: what changes from one to the next?"),
        order("forget gate twice, no input gate", "ffoc", "Are all four letters there?"),
        order("candidate missing, output gate twice", "fioo", "Are all four letters there?"),
        Mutant("columns for the input left of those for the state", ROW,
               "rows.append(np.hstack([from_input, from_state]))",
               hint="Below which entry of the long vector in (5.13) does each column belong? h stands "
                    "above x."),
        Mutant("PyTorch's order, and columns for the input on the left", ORDER, '("i", "f", "c", "o")',
               hint="Two things differ: the order of the rows (docstring), and that of the columns (5.13).",
               more=((ROW, "rows.append(np.hstack([from_input, from_state]))"),)),
        Mutant("candidate's block missing", ORDER, '("f", "i", "o")', hint="Are all four letters there?"),
        Mutant("matrices on the state transposed", STATE, STATE + ".T",
               hint="(H, H) fits either way round, so no error warns you. (5.13) has no transpose."),
        Mutant("weights on the input all from the forget gate", INPUT, 'from_input = W["fx"]',
               hint="Each block of rows belongs to one gate, in both its parts."),
        Mutant("weights on the state all from the forget gate", STATE, 'from_state = W["fh"]',
               hint="Each block of rows belongs to one gate, in both its parts."),
        Mutant("rows unit by unit, the gates interleaved", STACK,
               "return np.stack(rows, axis=1).reshape(-1, rows[0].shape[1])",
               hint="(5.14) cuts z into four pieces of H rows: one gate's rows stand together. "
                    "If you reshaped, print a small example."),
        Mutant("all rows turned upside down", STACK, "return np.vstack(rows)[::-1]",
               hint="Inside a block the first unit stays on top."),
        Mutant("columns turned round", STACK, "return np.vstack(rows)[:, ::-1]",
               hint="Inside a block the first column stays on the left."),
        Mutant("gates' rows halved", STACK, 'return np.vstack(rows) / 2',
               hint="Stacking copies the weights. It changes none of them."),
        Mutant("input's part left zero", INPUT, 'from_input = 0 * W[name + "x"]',
               hint="Both of a gate's matrices go into its rows."),
        Mutant("state's part left zero", STATE, 'from_state = 0 * W[name + "h"]',
               hint="Both of a gate's matrices go into its rows."),
        *other_orders({"ifco", "iofc", "fico", "cfio", "coif"}),
    ],
    confirm=torch_stacked,
    axes={"stacked": ("row", "column")},
)  # fmt: skip
