"""How the graded functions of notebook 06 are checked."""

from functools import partial

import numpy as np

from autograder import Exercise, Gradient, Mutant

GATES = "fioc"


def _sigmoid(z):
    return 0.5 * (1 + np.tanh(0.5 * z))


def _weights(rng, D, H, scale):
    W = {}
    for k in GATES:
        W[k + "h"] = scale * rng.normal(size=(H, H))
        W[k + "x"] = scale * rng.normal(size=(H, D))
        W[k + "b"] = scale * rng.normal(size=(H, 1))
    return W


def _step(x_t, h_prev, c_prev, W):
    z = {k: W[k + "h"] @ h_prev + W[k + "x"] @ x_t + W[k + "b"] for k in GATES}
    gates = {k: np.tanh(z[k]) if k == "c" else _sigmoid(z[k]) for k in GATES}
    c_t = gates["f"] * c_prev + gates["i"] * gates["c"]
    return gates["o"] * np.tanh(c_t), c_t, gates


def _forward(xs, h0, c0, W):
    h, c = h0, c0
    steps = []
    for x_t in xs:
        h, c, gates = _step(x_t, h, c, W)
        steps.append((h, c, gates))
    gates = {k: np.stack([step[2][k] for step in steps]) for k in GATES}
    return np.stack([step[0] for step in steps]), np.stack([step[1] for step in steps]), gates


def step_inputs(rng, D=4, H=3, N=2, scale=0.7, forget_bias=0.0):
    x_t, h_prev = rng.normal(size=(D, N)), np.tanh(rng.normal(size=(H, N)))
    c_prev = 1.2 * rng.normal(size=(H, N))
    W = _weights(rng, D, H, scale)
    W["fb"] = W["fb"] + forget_bias
    _, c_t, gates = _step(x_t, h_prev, c_prev, W)
    return {
        "dh": rng.normal(size=(H, N)),
        "dc": rng.normal(size=(H, N)),
        "x_t": x_t,
        "h_prev": h_prev,
        "c_prev": c_prev,
        "c_t": c_t,
        "gates": gates,
        "W": W,
    }


def sequence_inputs(rng, T=5, D=4, H=3, N=2, scale=0.7, forget_bias=0.0):
    xs = rng.normal(size=(T, D, N))
    h0, c0 = np.tanh(rng.normal(size=(H, N))), rng.normal(size=(H, N))
    W = _weights(rng, D, H, scale)
    W["fb"] = W["fb"] + forget_bias
    hs, cs, gates = _forward(xs, h0, c0, W)
    return {
        "dhs": rng.normal(size=(T, H, N)),
        "xs": xs,
        "h0": h0,
        "c0": c0,
        "hs": hs,
        "cs": cs,
        "gates": gates,
        "W": W,
    }


def flow_inputs(rng, T=5, D=4, H=3, N=2, scale=0.7, forget_bias=0.0):
    inputs = sequence_inputs(rng, T, D, H, N, scale, forget_bias)
    del inputs["dhs"]
    return {"dh": rng.normal(size=(H, N)), "dc": rng.normal(size=(H, N)), **inputs}


def _torch_step(x_t, h_prev, c_prev, W):
    import torch

    z = {k: W[k + "h"] @ h_prev + W[k + "x"] @ x_t + W[k + "b"] for k in GATES}
    c_t = torch.sigmoid(z["f"]) * c_prev + torch.sigmoid(z["i"]) * torch.tanh(z["c"])
    return torch.sigmoid(z["o"]) * torch.tanh(c_t), c_t


def _leaf(array):
    import torch

    return torch.tensor(np.asarray(array, dtype=np.float64), requires_grad=True)


def torch_step_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    import torch

    x, h, c = _leaf(x_t), _leaf(h_prev), _leaf(c_prev)
    weights = {key: _leaf(array) for key, array in W.items()}
    h_next, c_next = _torch_step(x, h, c, weights)
    ((torch.tensor(dh) * h_next).sum() + (torch.tensor(dc) * c_next).sum()).backward()
    gradients = [leaf.grad.numpy() for leaf in (x, h, c)]
    return (*gradients, {key: leaf.grad.numpy() for key, leaf in weights.items()})


def torch_backward(dhs, xs, h0, c0, hs, cs, gates, W):
    import torch

    x, h_first, c_first = _leaf(xs), _leaf(h0), _leaf(c0)
    weights = {key: _leaf(array) for key, array in W.items()}
    h, c, loss = h_first, c_first, torch.zeros((), dtype=torch.float64)
    for t in range(len(xs)):
        h, c = _torch_step(x[t], h, c, weights)
        loss = loss + (torch.tensor(dhs[t]) * h).sum()
    loss.backward()
    gradients = [leaf.grad.numpy() for leaf in (x, h_first, c_first)]
    return (*gradients, {key: leaf.grad.numpy() for key, leaf in weights.items()})


def torch_flow(dh, dc, xs, h0, c0, hs, cs, gates, W):
    """The last steps run anew from each pair of states: no chain of steps backward at all."""
    import torch

    weights = {key: torch.tensor(array) for key, array in W.items()}
    all_h, all_c = np.concatenate([h0[None], hs]), np.concatenate([c0[None], cs])
    dh_norms, dc_norms = [], []
    for t in range(len(xs) + 1):
        h_leaf, c_leaf = _leaf(all_h[t]), _leaf(all_c[t])
        h, c = h_leaf, c_leaf
        for x_t in xs[t:]:
            h, c = _torch_step(torch.tensor(x_t), h, c, weights)
        ((torch.tensor(dh) * h).sum() + (torch.tensor(dc) * c).sum()).backward()
        dh_norms.append(np.linalg.norm(h_leaf.grad.numpy(), axis=0))
        dc_norms.append(np.linalg.norm(c_leaf.grad.numpy(), axis=0))
    return np.array(dh_norms), np.array(dc_norms)


# ------------------------------------------------------------------------ lstm_step_backward

F_LINE = '"f": df * f * (1 - f)'
I_LINE = '"i": di * i * (1 - i)'
O_LINE = '"o": do * o * (1 - o)'
C_LINE = '"c": dcandidate * (1 - candidate**2)'
DC_LINE = "dc_total = dc + dh * o * (1 - tanh_c**2)"

# Mistakes in (6.6): what arrives at the memory.
ARRIVALS = [
    Mutant(
        "gradient of the memory through h = o tanh(c) dropped",
        DC_LINE,
        "dc_total = dc",
        hint="The memory c_t has two customers: the next memory, and the visible state of its own "
        "step. What does the second one send back?",
    ),
    Mutant(
        "carried memory gradient dc ignored",
        DC_LINE,
        "dc_total = dh * o * (1 - tanh_c**2)",
        hint="What comes through h_t is one of two arrivals at the memory; where does the other "
        "one, the argument `dc`, enter?",
    ),
    Mutant(
        "derivative of tanh(c) missing",
        DC_LINE,
        "dc_total = dc + dh * o",
        hint="Between c_t and h_t stands a tanh: it has a slope, and far from zero that is small.",
    ),
    Mutant(
        "output gate missing on the way from h to c",
        DC_LINE,
        "dc_total = dc + dh * (1 - tanh_c**2)",
        hint="A closed output gate hides the memory; what then comes back to it from dh?",
    ),
    Mutant(
        "parenthesis that multiplies dc as well",
        DC_LINE,
        "dc_total = (dc + dh) * o * (1 - tanh_c**2)",
        hint="`dc` is already a gradient by the memory; only `dh` still has a way to go.",
    ),
    Mutant(
        "tanh applied twice: the slope of tanh taken at tanh(c)",
        DC_LINE,
        "dc_total = dc + dh * o * (1 - np.tanh(tanh_c) ** 2)",
        hint="1 - tanh(z)² wants z. Which number is the argument of the tanh in (6.3)?",
    ),
    Mutant(
        "1 - c² for the slope of tanh at c",
        DC_LINE,
        "dc_total = dc + dh * o * (1 - c_t**2)",
        hint="1 - a² is the slope only where a is the *output* of a tanh. Is c_t one?",
    ),
    Mutant(
        "derivative taken at the gradient (1 - dh²)",
        DC_LINE,
        "dc_total = dc + dh * o * (1 - dh**2)",
        hint="A slope belongs to a value of the forward pass, never to a gradient.",
    ),
    Mutant(
        "tanh(h) where tanh(c) belongs",
        "tanh_c = np.tanh(c_t)",
        "tanh_c = np.tanh(o * np.tanh(c_t))",
        hint="The output gate multiplies the squashed memory: it is c that is squashed, not h.",
    ),
    Mutant(
        "old memory squashed instead of the new one",
        "tanh_c = np.tanh(c_t)",
        "tanh_c = np.tanh(c_prev)",
        hint="h_t shows the memory as it is after this step. Which argument holds that?",
    ),
    Mutant(
        "h_t where tanh(c_t) belongs",
        "tanh_c = np.tanh(c_t)",
        "tanh_c = o * np.tanh(c_t)",
        hint="h_t = o ⊙ tanh(c_t) has the gate in it already; you need the other factor alone.",
    ),
    Mutant(
        "tanh² where the slope 1 - tanh² belongs",
        DC_LINE,
        "dc_total = dc + dh * o * tanh_c**2",
        hint="At c = 0 a tanh is steepest. What does your slope give there?",
    ),
]

# Mistakes in (6.7) and (6.8): the four factors, and what goes on to the earlier memory.
FACTORS = [
    Mutant(
        "tanh missing in the gradient of the output gate",
        "do = dh * tanh_c",
        "do = dh * c_t",
        hint="By what does the output gate multiply in (6.3)?",
    ),
    Mutant(
        "output gate taught by the memory's gradient",
        "do = dh * tanh_c",
        "do = dc_total * tanh_c",
        hint="The output gate stands in (6.3) only. Which gradient arrives there?",
    ),
    Mutant(
        "factor tanh(c) dropped from do",
        "do = dh * tanh_c",
        "do = dh",
        hint="The derivative of a product by one factor is the other factor.",
    ),
    Mutant(
        "new memory where the old one belongs in df",
        "df = dc_total * c_prev",
        "df = dc_total * c_t",
        hint="What does the forget gate multiply in (6.2): the memory before or after the step?",
    ),
    Mutant(
        "factor c_prev dropped from df",
        "df = dc_total * c_prev",
        "df = dc_total",
        hint="A forget gate over an empty memory changes nothing, and can learn nothing.",
    ),
    Mutant(
        "factor candidate dropped from di",
        "di = dc_total * candidate",
        "di = dc_total",
        hint="The input gate lets something in; where that is zero the gate does not matter.",
    ),
    Mutant(
        "input gate dropped from the gradient of the candidate",
        "dcandidate = dc_total * i",
        "dcandidate = dc_total",
        hint="How much of a candidate gets into the memory when its gate is almost closed?",
    ),
    Mutant(
        "input gate and candidate exchanged",
        "di = dc_total * candidate",
        "di = dc_total * i",
        hint="In a product each factor is multiplied by the *other* one on the way back.",
        more=(("dcandidate = dc_total * i", "dcandidate = dc_total * candidate"),),
    ),
    Mutant(
        "forget gate, input gate and candidate get only the carried dc",
        "df = dc_total * c_prev",
        "df = dc * c_prev",
        hint="The gates made c_t. Is the argument `dc` all that c_t has to answer for?",
        more=(
            ("di = dc_total * candidate", "di = dc * candidate"),
            ("dcandidate = dc_total * i", "dcandidate = dc * i"),
        ),
    ),
    Mutant(
        "dc_prev takes only the carried dc along",
        "dc_prev = dc_total * f",
        "dc_prev = dc * f",
        hint="What came to the memory through h_t has to go on to the earlier memory as well.",
    ),
    Mutant(
        "forget gate missing on the additive path",
        "dc_prev = dc_total * f",
        "dc_prev = dc_total",
        hint="What share of the old memory is in the new one? The gradient goes back by the same.",
    ),
    Mutant(
        "input gate for the forget gate on the additive path",
        "dc_prev = dc_total * f",
        "dc_prev = dc_total * i",
        hint="Which gate stands before c_prev in (6.2)?",
    ),
    Mutant(
        "visible state where the memory belongs in df",
        "df = dc_total * c_prev",
        "df = dc_total * h_prev",
        hint="The forget gate *reads* h_prev, but what does it multiply in (6.2)?",
    ),
    Mutant(
        "new memory where the candidate belongs in di",
        "di = dc_total * candidate",
        "di = dc_total * c_t",
        hint="What does the input gate multiply in (6.2): the candidate, or what came of it?",
    ),
    Mutant(
        "slope of tanh in the gradient of the output gate",
        "do = dh * tanh_c",
        "do = dh * (1 - tanh_c**2)",
        hint="The gate stands beside the tanh, not inside it: no slope on the way to the gate.",
    ),
    Mutant(
        "1 - f for f on the additive path",
        "dc_prev = dc_total * f",
        "dc_prev = dc_total * (1 - f)",
        hint="An LSTM's forget gate says how much is *kept*. What is kept of the memory at f = 1?",
    ),
]

# Mistakes in (6.9): through the squashing functions.
SLOPES = [
    Mutant(
        "1 / cosh not squared",
        "dh * o * (1 - tanh_c**2)",
        "dh * o / np.cosh(c_t)",
        hint="The derivative of tanh is 1 / cosh squared.",
    ),
    Mutant(
        "slope of the sigmoid missing for all three gates",
        F_LINE,
        '"f": df',
        hint="The weights stand inside a sigmoid; the way to them leads through its slope.",
        more=((I_LINE, '"i": di'), (O_LINE, '"o": do')),
    ),
    Mutant(
        "slope of the sigmoid missing for the forget gate",
        F_LINE,
        '"f": df',
        hint="One of the gates goes on without the slope of its sigmoid: compare their lines.",
    ),
    Mutant(
        "slope of the sigmoid missing for the input gate",
        I_LINE,
        '"i": di',
        hint="One of the gates goes on without the slope of its sigmoid: compare their lines.",
    ),
    Mutant(
        "slope of the sigmoid missing for the output gate",
        O_LINE,
        '"o": do',
        hint="One of the gates goes on without the slope of its sigmoid: compare their lines.",
    ),
    Mutant(
        "slope of the input gate's sigmoid in the forget gate's line",
        F_LINE,
        '"f": df * i * (1 - i)',
        hint="Each gate has a slope of its own; one line borrows a neighbour's.",
    ),
    Mutant(
        "slope of the forget gate's sigmoid in the input gate's line",
        I_LINE,
        '"i": di * f * (1 - f)',
        hint="Each gate has a slope of its own; one line borrows a neighbour's.",
    ),
    Mutant(
        "slope of the forget gate's sigmoid in the output gate's line",
        O_LINE,
        '"o": do * f * (1 - f)',
        hint="Each gate has a slope of its own; one line borrows a neighbour's.",
    ),
    Mutant(
        "slope of the input gate's sigmoid in the output gate's line",
        O_LINE,
        '"o": do * i * (1 - i)',
        hint="Each gate has a slope of its own; one line borrows a neighbour's.",
    ),
    Mutant(
        "half of the sigmoid's slope: 1 - g without g",
        F_LINE,
        '"f": df * (1 - f)',
        hint="A gate that is almost 0 is as stiff as one that is almost 1. Is yours?",
        more=((I_LINE, '"i": di * (1 - i)'), (O_LINE, '"o": do * (1 - o)')),
    ),
    Mutant(
        "sigmoid applied twice: its slope taken at the gate",
        F_LINE,
        '"f": df / (1 + np.exp(-f)) * (1 - 1 / (1 + np.exp(-f)))',
        hint="The gates you are given are outputs of the sigmoid already: g(1 - g) wants no other.",
        more=(
            (I_LINE, '"i": di / (1 + np.exp(-i)) * (1 - 1 / (1 + np.exp(-i)))'),
            (O_LINE, '"o": do / (1 + np.exp(-o)) * (1 - 1 / (1 + np.exp(-o)))'),
        ),
    ),
    Mutant(
        "slope of tanh used for the gates",
        F_LINE,
        '"f": df * (1 - f**2)',
        hint="1 - a² is the slope of one of the two squashing functions; the gates use the other.",
        more=((I_LINE, '"i": di * (1 - i**2)'), (O_LINE, '"o": do * (1 - o**2)')),
    ),
    Mutant(
        "slope of the sigmoid taken at the gradient",
        F_LINE,
        '"f": df * (1 - df)',
        hint="A slope belongs to a value of the forward pass, never to a gradient.",
        more=((I_LINE, '"i": di * (1 - di)'), (O_LINE, '"o": do * (1 - do)')),
    ),
    Mutant(
        "slope of the candidate's tanh missing",
        C_LINE,
        '"c": dcandidate',
        hint="The candidate is squashed too; what is the slope of what squashed it?",
    ),
    Mutant(
        "tanh applied twice: the slope of the candidate taken of an activated value",
        C_LINE,
        '"c": dcandidate * (1 - np.tanh(candidate) ** 2)',
        hint="The candidate you are given is the output of its tanh already.",
    ),
    Mutant(
        "slope of the sigmoid used for the candidate",
        C_LINE,
        '"c": dcandidate * candidate * (1 - candidate)',
        hint="The candidate lies between -1 and 1. Which squashing function made it?",
    ),
    Mutant(
        "candidate's slope taken at the gradient (1 - dcandidate²)",
        C_LINE,
        '"c": dcandidate * (1 - dcandidate**2)',
        hint="A slope belongs to a value of the forward pass, never to a gradient.",
    ),
    Mutant(
        "gradients of forget and input gate exchanged",
        F_LINE,
        '"f": di * i * (1 - i) ',
        hint="Two gates get each other's gradient: look at the keys.",
        more=((I_LINE, '"i": df * f * (1 - f)'),),
    ),
]

DH_LINE = 'dh_prev = sum(W[k + "h"].T @ dz[k] for k in "fioc")'
DX_LINE = 'dx = sum(W[k + "x"].T @ dz[k] for k in "fioc")'


def _path_missing(word, left):
    return Mutant(
        f"path through the {word} missing",
        DH_LINE,
        DH_LINE.replace("fioc", left),
        hint="h_prev and x_t are read by four networks; each of them sends something back.",
        more=((DX_LINE, DX_LINE.replace("fioc", left)),),
    )


# Mistakes in (6.10) and (6.11): to the inputs and the weights.
MATRICES = [
    _path_missing("forget gate", "ioc"),
    _path_missing("input gate", "foc"),
    _path_missing("output gate", "fic"),
    _path_missing("candidate", "fio"),
    _path_missing("three gates", "c"),
    Mutant(
        "W where its transpose belongs in dh_prev",
        DH_LINE,
        'dh_prev = sum(W[k + "h"] @ dz[k] for k in "fioc")',
        hint="Forward a row of W gathers from all old units. Backward an old unit gathers from a …?",
    ),
    Mutant(
        "all gates from one matrix",
        DH_LINE,
        'dh_prev = W["fh"].T @ sum(dz[k] for k in "fioc")',
        hint="Each gradient has to go back through the matrix of its own gate.",
        more=((DX_LINE, 'dx = W["fx"].T @ sum(dz[k] for k in "fioc")'),),
    ),
    Mutant(
        "dh added to dh_prev: a direct path that h does not have",
        DH_LINE,
        'dh_prev = dh + sum(W[k + "h"].T @ dz[k] for k in "fioc")',
        hint="The memory has a direct path from step to step. Does h_prev occur in (6.3) by itself?",
    ),
    Mutant(
        "new visible state where the old one belongs in dW",
        'dW[k + "h"] = dz[k] @ h_prev.T',
        'dW[k + "h"] = dz[k] @ (o * tanh_c).T',
        hint="What did W[k + 'h'] multiply in this step: the visible state before or after it?",
    ),
    Mutant(
        "memory where the visible state belongs in dW",
        'dW[k + "h"] = dz[k] @ h_prev.T',
        'dW[k + "h"] = dz[k] @ c_prev.T',
        hint="Do the gates read the memory or the visible state?",
    ),
    Mutant(
        "transposed gradients of the square matrices",
        'dW[k + "h"] = dz[k] @ h_prev.T',
        'dW[k + "h"] = h_prev @ dz[k].T',
        hint="Entry (j, k) of the gradient belongs to unit j of the gate and unit k of h_prev.",
    ),
    Mutant(
        "bias gradients summed over the units",
        'dW[k + "b"] = dz[k].sum(axis=1, keepdims=True)',
        'dW[k + "b"] = dz[k].sum(axis=0, keepdims=True)',
        hint="The same bias is added in every column; each unit has a bias of its own.",
    ),
    Mutant(
        "bias gradients of shape (H,)",
        'dW[k + "b"] = dz[k].sum(axis=1, keepdims=True)',
        'dW[k + "b"] = dz[k].sum(axis=1)',
        hint="A bias is a column (H, 1); broadcasting would hide the difference later.",
    ),
    Mutant(
        "bias gradients of the first sequence only",
        'dW[k + "b"] = dz[k].sum(axis=1, keepdims=True)',
        'dW[k + "b"] = dz[k][:, :1]',
        hint="Every sequence of the batch uses the same bias.",
    ),
]

lstm_step_backward = Exercise(
    returns=("dx", "dh_prev", "dc_prev", "dW"),
    cases=(step_inputs, partial(step_inputs, D=5, H=4, N=3)),
    edge_cases={
        "one sequence (N = 1)": partial(step_inputs, N=1),
        "one input (D = 1)": partial(step_inputs, D=1),
        "one unit (H = 1)": partial(step_inputs, H=1),
        "as many inputs as units (D = H)": partial(step_inputs, D=3),
        "forget gates near 1": partial(step_inputs, forget_bias=6.0),
        "saturated gates": partial(step_inputs, scale=6.0),
    },
    hints=(
        "Go backward through the formulas in their order: from h_t to the memory (6.6), from the "
        "memory to the gates (6.7) and to the memory before (6.8), through the squashing "
        "functions (6.9), and through the matrices to the inputs and the weights (6.10, 6.11).",
        "Everything up to the matrices is (H, N) and goes entry by entry. A matrix gets "
        "(H, N) times the transpose of what it multiplied; a bias gets the sum over the columns, "
        "and stays (H, 1).",
        "Start with `tanh_c = np.tanh(c_t)` and `dc_total = dc + …`, what comes through h_t.",
    ),
    misconceptions=[*ARRIVALS, *FACTORS, *SLOPES, *MATRICES],
    gradient=Gradient(
        of="lstm_step",
        returns=("h_t", "c_t", "gates"),
        upstream={"dh": "h_t", "dc": "c_t"},
        wrt={"dx": "x_t", "dh_prev": "h_prev", "dc_prev": "c_prev", "dW": "W"},
    ),
    confirm=torch_step_backward,
)

# ----------------------------------------------------------------------------- lstm_backward

CALL = "dx, dh_carried, dc_carried, dW_t = lstm_step_backward("
LOOP = "for t in reversed(range(len(xs))):"

CARRIES = [
    Mutant(
        "dh not carried",
        "dh = dhs[t] + dh_carried",
        "dh = dhs[t]",
        hint="h_t is read by the outside and by the next step. Both send a gradient.",
    ),
    Mutant(
        "gradient from outside used at the last step only",
        "dh = dhs[t] + dh_carried",
        "dh = dhs[t] if t == len(xs) - 1 else dh_carried",
        hint="Every visible state was shown to the outside: dhs has an entry for each step.",
    ),
    Mutant(
        "gradient from outside used at the first step only",
        "dh = dhs[t] + dh_carried",
        "dh = dhs[t] if t == 0 else dh_carried",
        hint="Every visible state was shown to the outside: dhs has an entry for each step.",
    ),
    Mutant(
        "dc not carried",
        "dh, dc_carried, xs[t],",
        "dh, np.zeros(c0.shape), xs[t],",
        hint="Two gradients travel from step to step. Which one starts from zero at each of yours?",
    ),
    Mutant(
        "dc carried, but never updated",
        CALL,
        "dx, dh_carried, _, dW_t = lstm_step_backward(",
        hint="The step returns the gradient of the memory before it. Where does yours go?",
    ),
    Mutant(
        "dh carried, but never updated",
        CALL,
        "dx, _, dc_carried, dW_t = lstm_step_backward(",
        hint="The step returns the gradient of the visible state before it. Where does yours go?",
    ),
    Mutant(
        "dh and dc exchanged",
        CALL,
        "dx, dc_carried, dh_carried, dW_t = lstm_step_backward(",
        hint="In which order does lstm_step_backward return its results?",
    ),
    Mutant(
        "gradient from outside given to the memory as well",
        "dh, dc_carried, xs[t],",
        "dh, dc_carried + dhs[t], xs[t],",
        hint="The outside sees h_t only; what it wants of c_t comes through h_t, inside the step.",
    ),
    Mutant(
        "memory's gradient starts at the gradient from outside",
        "dc_carried = np.zeros(c0.shape)",
        "dc_carried = np.array(dhs[-1])",
        hint="After the last step nobody reads the memory: with what does dc start?",
    ),
    Mutant(
        "memory's gradient starts at one",
        "dc_carried = np.zeros(c0.shape)",
        "dc_carried = np.ones(c0.shape)",
        hint="After the last step nobody reads the memory: with what does dc start?",
    ),
    Mutant(
        "last gradient from outside counted twice",
        "dh_carried = np.zeros(h0.shape)",
        "dh_carried = np.array(dhs[-1])",
        hint="After the last step nobody reads the visible state but the outside.",
    ),
]

ORDER = [
    Mutant(
        "forward in time instead of backward",
        LOOP,
        "for t in range(len(xs)):",
        hint="A gradient of step t needs that of step t + 1 first.",
    ),
    Mutant(
        "off by one: the first step is never reached",
        LOOP,
        "for t in reversed(range(1, len(xs))):",
        hint="Position 0 is a step like any other; only its earlier states are named otherwise.",
    ),
    Mutant(
        "off by one: the last step is left out",
        LOOP,
        "for t in reversed(range(len(xs) - 1)):",
        hint="range(n) ends at n - 1. Which position is the last one?",
    ),
    Mutant(
        "truncated after two steps",
        LOOP,
        "for t in reversed(range(max(len(xs) - 2, 0), len(xs))):",
        hint="The loss depends on every step, down to the first.",
    ),
    Mutant(
        "carried gradients cut in the middle",
        "dh = dhs[t] + dh_carried",
        "dh_carried, dc_carried = (0 * dh_carried, 0 * dc_carried) if t == len(xs) // 2 else "
        "(dh_carried, dc_carried)\n        dh = dhs[t] + dh_carried",
        hint="Somewhere in the middle both carried gradients become zero.",
    ),
    Mutant(
        "gradients from outside in reversed order",
        "dh = dhs[t] + dh_carried",
        "dh = dhs[len(xs) - 1 - t] + dh_carried",
        hint="dhs[t] belongs to hs[t], whatever the order in which you go through them.",
    ),
    Mutant(
        "gradients of the inputs in reversed order",
        "dxs[t] = dx",
        "dxs[len(xs) - 1 - t] = dx",
        hint="A list filled backward in time comes out last step first.",
    ),
    Mutant(
        "gradient of the inputs added to the whole buffer",
        "dxs[t] = dx",
        "dxs += dx",
        hint="An input is read by its own step only, and its gradient belongs into that place.",
    ),
]

STATES = [
    Mutant(
        "last visible state in place of h0",
        "h_prev = hs[t - 1] if t > 0 else h0",
        "h_prev = hs[t - 1]",
        hint="In Python index -1 is the end. What came before the first step?",
    ),
    Mutant(
        "last memory in place of c0",
        "c_prev = cs[t - 1] if t > 0 else c0",
        "c_prev = cs[t - 1]",
        hint="In Python index -1 is the end. What memory was there before the first step?",
    ),
    Mutant(
        "last states in place of both initial states",
        "h_prev = hs[t - 1] if t > 0 else h0",
        "h_prev = hs[t - 1]",
        hint="In Python index -1 is the end. What came before the first step?",
        more=(("c_prev = cs[t - 1] if t > 0 else c0", "c_prev = cs[t - 1]"),),
    ),
    Mutant(
        "initial visible state ignored",
        "h_prev = hs[t - 1] if t > 0 else h0",
        "h_prev = hs[t - 1] if t > 0 else 0 * h0",
        hint="The first step read h0, which need not be zero.",
    ),
    Mutant(
        "initial memory ignored",
        "c_prev = cs[t - 1] if t > 0 else c0",
        "c_prev = cs[t - 1] if t > 0 else 0 * c0",
        hint="The first step started from c0, which need not be zero.",
    ),
    Mutant(
        "both initial states ignored",
        "h_prev = hs[t - 1] if t > 0 else h0",
        "h_prev = hs[t - 1] if t > 0 else 0 * h0",
        hint="The first step started from h0 and c0, which need not be zero.",
        more=(("c_prev = cs[t - 1] if t > 0 else c0", "c_prev = cs[t - 1] if t > 0 else 0 * c0"),),
    ),
    Mutant(
        "visible state after the step where that before it belongs",
        "h_prev = hs[t - 1] if t > 0 else h0",
        "h_prev = hs[t]",
        hint="hs[t] came out of step t. What went in?",
    ),
    Mutant(
        "memory after the step where that before it belongs",
        "c_prev = cs[t - 1] if t > 0 else c0",
        "c_prev = cs[t]",
        hint="cs[t] came out of step t. What went in?",
    ),
    Mutant(
        "visible state of two steps earlier",
        "h_prev = hs[t - 1] if t > 0 else h0",
        "h_prev = hs[t - 2] if t > 1 else h0",
        hint="hs[0] is the state after the first step, and it is what the second step reads.",
    ),
    Mutant(
        "memory before the step where that after it belongs",
        "c_prev, cs[t],",
        "c_prev, c_prev,",
        hint="The step wants the memory before and after it: two different arrays.",
    ),
    Mutant(
        "gates of the step before",
        "gate[t] for k",
        "gate[t - 1] for k",
        hint="gates[k][t] are the gates that step t computed, from its own input.",
    ),
    Mutant(
        "gates of the last step everywhere",
        "gate[t] for k",
        "gate[-1] for k",
        hint="Each step had gates of its own.",
    ),
    Mutant(
        "input of the step before",
        "dc_carried, xs[t],",
        "dc_carried, xs[t - 1],",
        hint="hs[0] is the state *after* the input xs[0]: inputs and states have the same index.",
    ),
]

RESULTS = [
    Mutant(
        "outside gradient added to dh0",
        "return dxs, dh_carried, dc_carried, dW",
        "return dxs, dh_carried + dhs[0], dc_carried, dW",
        hint="The loss looks at h_1 to h_T, and dhs[0] belongs to h_1.",
    ),
    Mutant(
        "share of the last step missing",
        "dW[key] += dW_t[key]",
        "dW[key] += dW_t[key] * (t < len(xs) - 1)",
        hint="Every step adds its share, the last one too.",
    ),
    Mutant(
        "weight gradients of one step only (= for +=)",
        "dW[key] += dW_t[key]",
        "dW[key] = dW_t[key]",
        hint="The same weights work at every step: what becomes of the gradients of the others?",
    ),
    Mutant(
        "weight gradients of the last step only",
        "dW[key] += dW_t[key]",
        "dW[key] += dW_t[key] * (t == len(xs) - 1)",
        hint="The same weights work at every step: what becomes of the gradients of the others?",
    ),
    Mutant(
        "gradients of both initial states returned as zeros",
        "return dxs, dh_carried, dc_carried, dW",
        "return dxs, 0 * dh_carried, 0 * dc_carried, dW",
        hint="What is still carried when the loop is over?",
    ),
    Mutant(
        "gradient of the initial visible state returned as zeros",
        "return dxs, dh_carried, dc_carried, dW",
        "return dxs, 0 * dh_carried, dc_carried, dW",
        hint="What is still carried when the loop is over?",
    ),
    Mutant(
        "gradient of the initial memory returned as zeros",
        "return dxs, dh_carried, dc_carried, dW",
        "return dxs, dh_carried, 0 * dc_carried, dW",
        hint="What is still carried when the loop is over?",
    ),
    Mutant(
        "gradients of the two initial states exchanged",
        "return dxs, dh_carried, dc_carried, dW",
        "return dxs, dc_carried, dh_carried, dW",
        hint="The order of the results: the visible state's first, then the memory's.",
    ),
    Mutant(
        "gradient at the first visible state returned for that of h0",
        "return dxs, dh_carried, dc_carried, dW",
        "return dxs, dh, dc_carried, dW",
        hint="h0 lies one step before the first visible state.",
    ),
]

lstm_backward = Exercise(
    returns=("dxs", "dh0", "dc0", "dW"),
    needs=("lstm_step_backward",),
    cases=(sequence_inputs, partial(sequence_inputs, T=7, D=5, H=4, N=3)),
    edge_cases={
        "one step (T = 1)": partial(sequence_inputs, T=1),
        "one sequence (N = 1)": partial(sequence_inputs, N=1),
        "one input (D = 1)": partial(sequence_inputs, D=1),
        "one unit (H = 1)": partial(sequence_inputs, H=1),
        "a long sequence (T = 60)": partial(sequence_inputs, T=60, forget_bias=3.0),
        "saturated gates": partial(sequence_inputs, scale=6.0),
    },
    hints=(
        "Walk from the last step to the first. Carry two gradients along; at each step the outside "
        "adds its own to one of them. The weights collect from every step.",
        "dhs[t], the carried dh and the carried dc are (H, N); dW has the keys and shapes of W and "
        "starts at zeros; before the first step stand h0 and c0.",
        "Start with `dW = {key: np.zeros(weights.shape) for key, weights in W.items()}`, two carried "
        "gradients of zeros, and `for t in reversed(range(len(xs))):`",
    ),
    misconceptions=[*CARRIES, *ORDER, *STATES, *RESULTS],
    gradient=Gradient(
        of="lstm_forward",
        returns=("hs", "cs", "gates"),
        upstream={"dhs": "hs"},
        wrt={"dxs": "xs", "dh0": "h0", "dc0": "c0", "dW": "W"},
    ),
    confirm=torch_backward,
)

# ----------------------------------------------------------------------------- gradient_flow

BACK = "_, dh, dc, _ = lstm_step_backward("
DH_NORM = "dh_norms[t] = np.linalg.norm(dh, axis=0)"
DC_NORM = "dc_norms[t] = np.linalg.norm(dc, axis=0)"
DH_LAST = "dh_norms[len(xs)] = np.linalg.norm(dh, axis=0)"
DC_LAST = "dc_norms[len(xs)] = np.linalg.norm(dc, axis=0)"


def _other_norm(name, template, hint):
    edits = []
    for line in (DH_NORM, DC_NORM, DH_LAST, DC_LAST):
        left, right = line.split(" = ")
        gradient = right.split("(")[1].split(",")[0]
        edits.append((line, f"{left} = {template.format(gradient)}"))
    return Mutant(name, *edits[0], hint=hint, more=tuple(edits[1:]))


gradient_flow = Exercise(
    returns=("dh_norms", "dc_norms"),
    needs=("lstm_step_backward",),
    cases=(flow_inputs, partial(flow_inputs, T=7, D=5, H=4, N=3)),
    edge_cases={
        "one step (T = 1)": partial(flow_inputs, T=1),
        "one sequence (N = 1)": partial(flow_inputs, N=1),
        "one unit (H = 1)": partial(flow_inputs, H=1),
        "one input (D = 1)": partial(flow_inputs, D=1),
        "a long sequence (T = 60)": partial(flow_inputs, T=60, forget_bias=3.0),
        "forget gates near 1": partial(flow_inputs, forget_bias=6.0),
    },
    axes={"dh_norms": ("time step", "sequence"), "dc_norms": ("time step", "sequence")},
    hints=(
        "It is the walk of lstm_backward with nothing from outside but at its start, and with a "
        "measurement at every stop instead of a sum of weight gradients.",
        "T steps have T + 1 stops: row T is what you were given, row 0 is what reaches h0 and c0. "
        "A norm runs over the units of one sequence, so each row is (N,).",
        "Start with `dh_norms = np.zeros((len(xs) + 1, dh.shape[1]))`, the same for `dc_norms`, and "
        "write the last row of each before the loop.",
    ),
    misconceptions=[
        Mutant(
            "the given dc is not used",
            "    dh_norms = np.zeros((len(xs) + 1, dh.shape[1]))",
            "    dc = np.zeros_like(dc)\n    dh_norms = np.zeros((len(xs) + 1, dh.shape[1]))",
            hint="Two gradients arrive at the last step: what becomes of the one by the memory?",
        ),
        _other_norm(
            "squared norm: the root is missing",
            "({} ** 2).sum(axis=0)",
            "Twice the gradient has twice the norm. Has yours?",
        ),
        _other_norm(
            "sum of absolute values for the norm",
            "np.abs({}).sum(axis=0)",
            "The length of a vector: squares, their sum, its root.",
        ),
        _other_norm(
            "largest entry for the norm",
            "np.abs({}).max(axis=0)",
            "Every unit counts for the length of a vector, not the largest only.",
        ),
        _other_norm(
            "average over the units inside the root",
            "np.sqrt(({} ** 2).mean(axis=0))",
            "Squares, their *sum*, its root: an average makes a large network look calm.",
        ),
        _other_norm(
            "one norm over all sequences",
            "np.linalg.norm({})",
            "Each sequence has a gradient of its own: one norm per column.",
        ),
        Mutant(
            "dc not carried",
            "dh, dc, xs[t],",
            "dh, 0 * dc, xs[t],",
            hint="Two gradients travel from step to step. Which one starts from zero at yours?",
        ),
        Mutant(
            "dc given at the end used at every step, never updated",
            BACK,
            "_, dh, dc_unused, _ = lstm_step_backward(",
            hint="The step returns the gradient of the memory before it. Where does yours go?",
        ),
        Mutant(
            "dh given at the end used at every step, never updated",
            BACK,
            "_, dh_unused, dc, _ = lstm_step_backward(",
            hint="The step returns the gradient of the visible state before it. Where does it go?",
        ),
        Mutant(
            "dh not carried",
            "dh, dc, xs[t],",
            "0 * dh, dc, xs[t],",
            hint="Two gradients travel from step to step. Which one starts from zero at yours?",
        ),
        Mutant(
            "dh and dc exchanged",
            BACK,
            "_, dc, dh, _ = lstm_step_backward(",
            hint="In which order does lstm_step_backward return its results?",
        ),
        Mutant(
            "gradient from outside added again at every step",
            BACK,
            "dh_given = dh if t == len(xs) - 1 else dh_given\n        "
            "dh = dh if t == len(xs) - 1 else dh + dh_given\n        "
            "_, dh, dc, _ = lstm_step_backward(",
            hint="Here the loss looks at the end of the sequence only; nothing is added on the way.",
        ),
        Mutant(
            "last row left empty",
            DH_LAST,
            "dh_norms[len(xs)] = 0",
            hint="Row T is the gradient you were given, before any step back.",
            more=((DC_LAST, "dc_norms[len(xs)] = 0"),),
        ),
        Mutant(
            "norms one row too late",
            DH_NORM,
            "dh_norms[t + 1] = np.linalg.norm(dh, axis=0)",
            hint="Going back through step number t + 1 brings you to the states in row t.",
            more=((DC_NORM, "dc_norms[t + 1] = np.linalg.norm(dc, axis=0)"),),
        ),
        Mutant(
            "rows in reversed order",
            "return dh_norms, dc_norms",
            "return dh_norms[::-1], dc_norms[::-1]",
            hint="Row t belongs to the states after t steps: the first row to h0 and c0.",
        ),
        Mutant(
            "divided by the norm at the end",
            "return dh_norms, dc_norms",
            "return dh_norms / dh_norms[-1], dc_norms / dc_norms[-1]",
            hint="The norms themselves are asked; who wants a ratio can divide later.",
        ),
        Mutant(
            "results exchanged",
            "return dh_norms, dc_norms",
            "return dc_norms, dh_norms",
            hint="First the visible state's norms, then the memory's.",
        ),
        Mutant(
            "norm of both gradients together, twice",
            "return dh_norms, dc_norms",
            "return (np.sqrt(dh_norms**2 + dc_norms**2),) * 2",
            hint="Keep the two apart: one array of norms for dh, one for dc.",
        ),
        Mutant(
            "forward in time instead of backward",
            LOOP,
            "for t in range(len(xs)):",
            hint="The gradient starts at the last step.",
        ),
        Mutant(
            "off by one: the first step is never reached",
            LOOP,
            "for t in reversed(range(1, len(xs))):",
            hint="The walk ends at h0 and c0, before the step with index 0.",
        ),
        Mutant(
            "last memory in place of c0",
            "c_prev = cs[t - 1] if t > 0 else c0",
            "c_prev = cs[t - 1]",
            hint="In Python index -1 is the end. What memory was there before the first step?",
        ),
        Mutant(
            "initial memory ignored",
            "c_prev = cs[t - 1] if t > 0 else c0",
            "c_prev = cs[t - 1] if t > 0 else 0 * c0",
            hint="The first step started from c0, which need not be zero.",
        ),
        Mutant(
            "memory after the step where that before it belongs",
            "c_prev = cs[t - 1] if t > 0 else c0",
            "c_prev = cs[t]",
            hint="cs[t] came out of step t. What went in?",
        ),
        Mutant(
            "memory before the step where that after it belongs",
            "c_prev, cs[t],",
            "c_prev, c_prev,",
            hint="The step wants the memory before and after it: two different arrays.",
        ),
        Mutant(
            "gates of the step before",
            "gate[t] for k",
            "gate[t - 1] for k",
            hint="gates[k][t] are the gates that step t computed, from its own input.",
        ),
        Mutant(
            "gates of the last step everywhere",
            "gate[t] for k",
            "gate[-1] for k",
            hint="Each step had gates of its own.",
        ),
    ],
    confirm=torch_flow,
)
