"""How the graded functions of notebook 06 are checked."""

from functools import partial

import numpy as np

import common
from autograder import Exercise, Gradient, Stage, Way
from common import (
    arriving,
    both_signs,
    lstm_step,
    saturating,
    sigmoid,
    sizes,
    some_states,
    torch_gradients,
    torch_lstm_step,
    torch_peephole_step,
    torch_walk,
)

ALIKE = common.ALIKE

GATES = "fioc"


def _weights(rng, D, H, scale):
    W = {}
    for k in GATES:
        W[k + "h"] = scale * rng.normal(size=(H, H))
        W[k + "x"] = scale * rng.normal(size=(H, D))
        W[k + "b"] = scale * rng.normal(size=(H, 1))
    return W


def _forward(xs, h0, c0, W):
    h, c = h0, c0
    steps = []
    for x_t in xs:
        h, c, gates = lstm_step(x_t, h, c, W)
        steps.append((h, c, gates))
    gates = {k: np.stack([step[2][k] for step in steps]) for k in GATES}
    return np.stack([step[0] for step in steps]), np.stack([step[1] for step in steps]), gates


def step_inputs(rng, D=4, H=3, N=2, scale=0.7, forget_bias=0.0):
    x_t, h_prev = rng.normal(size=(D, N)), some_states(rng, H, N)
    c_prev = both_signs(rng, (H, N), 0.3, 2.0)
    W = _weights(rng, D, H, scale)
    W["fb"] = W["fb"] + forget_bias
    _, c_t, gates = lstm_step(x_t, h_prev, c_prev, W)
    return {
        "dh": arriving(rng, H, N),
        "dc": arriving(rng, H, N),
        "x_t": x_t,
        "h_prev": h_prev,
        "c_prev": c_prev,
        "c_t": c_t,
        "gates": gates,
        "W": W,
    }


def read_by_one(draw, k, letter, identity=False, H=3):
    """A draw in which one network alone reads the input ("x"), or the visible state ("h").

    All else stays as it is, so that no gate and no candidate stands at a special value.

    Args:
        draw: the inputs of the step.
        k: the network's letter.
        letter: of the matrices, "x" or "h".
        identity: whether its matrix is the identity.
        H: units, and inputs as well.
    """

    def silent(rng):
        inputs = draw(rng, D=H, H=H)
        W = {key: 0 * w if key[1] == letter and key[0] != k else w for key, w in inputs["W"].items()}
        return made({**inputs, "W": W | ({k + letter: np.eye(H)} if identity else {})})

    return silent


def made(inputs):
    """Memory and gates as the step makes them from these inputs."""
    step = lstm_step if "fb" in inputs["W"] else _peephole_step
    _, c_t, gates = step(inputs["x_t"], inputs["h_prev"], inputs["c_prev"], inputs["W"])
    return {**inputs, "c_t": c_t, "gates": gates}


def _peephole_step(x_t, h_prev, c_prev, W):
    z = {k: W[k + "h"] @ h_prev + W[k + "x"] @ x_t for k in GATES}
    gates = {k: sigmoid(z[k] + W[k + "p"] * c_prev) for k in "fi"} | {"c": np.tanh(z["c"])}
    c_t = gates["f"] * c_prev + gates["i"] * gates["c"]
    gates["o"] = sigmoid(z["o"] + W["op"] * c_t)
    return gates["o"] * np.tanh(c_t), c_t, {k: gates[k] for k in GATES}


def peephole_inputs(rng, D=4, H=3, N=2, scale=0.7, only_dc=False):
    inputs = step_inputs(rng, D, H, N)
    W = {k + s: scale * rng.normal(size=(H, H if s == "h" else D)) for k in GATES for s in "hx"}
    W |= {k + "p": both_signs(rng, (H, 1), 0.4, 1.2) for k in "fio"}
    dh = 0 * inputs["dh"] if only_dc else inputs["dh"]
    return made({**inputs, "dh": dh, "W": W})


def open_forget_gate(rng, draw):
    """A step whose forget gate is 1, to sixteen digits, and whose other gates see no old memory."""
    inputs = draw(rng)
    W = dict(inputs["W"])
    if "fb" in W:
        W |= {"fb": np.full((3, 1), 40.0), "fh": 0 * W["fh"], "fx": 0 * W["fx"]}
        return made({**inputs, "W": W})
    W |= {"fh": 0 * W["fh"], "fx": np.full_like(W["fx"], 40.0), "fp": 0 * W["fp"], "ip": 0 * W["ip"]}
    return made({**inputs, "x_t": 0.5 + np.abs(inputs["x_t"]), "W": W})


def with_some_weights(rng, draw, keep):
    """A step where weights whose second letter is not among `keep` are zero."""
    inputs = draw(rng)
    W = {key: weights if key[1] in keep else 0 * weights for key, weights in inputs["W"].items()}
    return made({**inputs, "W": W})


def sequence_inputs(rng, T=5, D=4, H=3, N=2, scale=0.7, forget_bias=0.0):
    xs = rng.normal(size=(T, D, N))
    h0, c0 = some_states(rng, H, N), both_signs(rng, (H, N), 0.3, 2.0)
    W = _weights(rng, D, H, scale)
    W["fb"] = W["fb"] + forget_bias
    hs, cs, gates = _forward(xs, h0, c0, W)
    return {
        "dhs": arriving(rng, T, H, N),
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
    return {"dh": arriving(rng, H, N), "dc": arriving(rng, H, N), **inputs}


def _torch_step(*step):
    return torch_lstm_step(*step)[:2]


def _torch_walk(xs, h, c, W):
    return torch_walk(lambda x_t, h, c: _torch_step(x_t, h, c, W), xs, h, c)


def torch_step_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    return torch_gradients(_torch_step, (dh, dc), x_t, h_prev, c_prev, W)


def torch_peephole_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    return torch_gradients(lambda *step: torch_peephole_step(*step)[:2], (dh, dc), x_t, h_prev, c_prev, W)


def torch_backward(dhs, xs, h0, c0, hs, cs, gates, W):
    return torch_gradients(lambda *walk: _torch_walk(*walk)[0], dhs, xs, h0, c0, W)


def torch_flow(dh, dc, xs, h0, c0, hs, cs, gates, W):
    """The last steps run anew from each pair of states: no chain of steps backward at all."""
    import torch

    xs, W = torch.tensor(xs), {key: torch.tensor(array) for key, array in W.items()}

    def last_states(h, c, after):
        for x_t in xs[after:]:
            h, c = _torch_step(x_t, h, c, W)
        return h, c

    all_h, all_c = np.concatenate([h0[None], hs]), np.concatenate([c0[None], cs])
    pairs = zip(all_h, all_c, strict=True)
    gradients = [
        torch_gradients(partial(last_states, after=t), (dh, dc), *pair) for t, pair in enumerate(pairs)
    ]
    return tuple(np.linalg.norm(by_state, axis=1) for by_state in zip(*gradients, strict=True))


# ------------------------------------------------------------------------ lstm_step_backward

# What a check may say of a derivation: which way is wrong. Never by which factor.
NETWORKS = {"f": "forget", "i": "input", "o": "output", "c": "candidate"}
MEMORY = "what arrives at the memory, or all that begins there, is not right"
BEFORE = "what goes on to the memory before (`dc_prev`) is not right"
VISIBLE = "the gradients by the matrices of the visible state are not right"
PEEPHOLES = "the gradients by the peepholes are not right"
TO_STATE, TO_INPUT = "what comes home to `dh_prev` is not right", "what comes home to `dx` is not right"


def through(k):
    """What is said of the way through a network."""
    return f"the way through the {NETWORKS[k]}{'' if k == 'c' else ' gate'} is not right"


def ways(letters, peepholes=""):
    """The ways back through a step with two states.

    Args:
        letters: of the arrays that each network has.
        peepholes: letters of the networks that have one.
    """
    of = {k: [f'dW["{k}{s}"]' for s in letters + "p" * (k in peepholes)] for k in GATES}
    said = {
        through(k): Way(
            tuple(of[k]),
            "What did it have a part in, and what lies between that and its pre-activation?",
            () if k == "o" else (MEMORY, through("o")) if peepholes else (MEMORY,),
            (word, f"{word} home"),
        )
        for k, word in NETWORKS.items()
    }
    further = {}
    if peepholes:
        further[PEEPHOLES] = Way(
            tuple(f'dW["{k}p"]' for k in peepholes),
            "What did a peephole multiply, and in which of the sequences?",
            (MEMORY, *said),
        )
        further |= {
            f"the gradient by the {NETWORKS[k]} gate's peephole is not right": Way(
                (f'dW["{k}p"]',), "Which memory does this gate look at?", (MEMORY, *said, PEEPHOLES)
            )
            for k in peepholes
        }
    return {
        MEMORY: Way(
            (*(output for k in "fic" for output in of[k]), "dc_prev"),
            "Who reads the memory after the step? From each reader a way leads back to it, and what they "
            "bring is there before anything goes on.",
            (through("o"),) if peepholes else (),
            ("memory", "forget", "input", "candidate", "memory before"),
        ),
        **said,
        **further,
        BEFORE: Way(
            ("dc_prev",),
            "How did the memory before get into the memory after?",
            (MEMORY, *(through(k) for k in peepholes)),
            ("memory before", *(["peepholes"] if peepholes else [])),
        ),
        VISIBLE: Way(
            tuple(f'dW["{k}h"]' for k in GATES),
            "What did these matrices multiply in this step?",
            (MEMORY, *said),
        ),
        TO_STATE: Way(
            ("dh_prev",),
            "Who reads the visible state before the step? One way is missing, or comes home changed.",
            (MEMORY, *said),
            tuple(f"{word} home" for word in NETWORKS.values()),
        ),
        TO_INPUT: Way(
            ("dx",),
            "Who reads the input? From each reader a way comes home.",
            (MEMORY, *said),
            tuple(NETWORKS.values()),
        ),
    }


def stages(draw):
    """Each way alone, for a draw of the step's inputs."""
    alone = {k: f"Only the {word}{'' if k == 'c' else ' gate'} reads" for k, word in NETWORKS.items()}
    return {
        "memory": Stage(
            partial(open_forget_gate, draw=draw),
            ("dc_prev",),
            "The forget gate stands at 1 here, so `dc_prev` shows all that arrives at the new memory",
        ),
        "memory before": Stage(
            partial(with_some_weights, draw=draw, keep="hxb"),
            ("dc_prev",),
            'Only `dc_prev` is looked at: it shows how what arrives at the memory (the stage "memory") goes '
            "on along the memory's own wire",
        ),
        **{
            word: Stage(
                read_by_one(draw, k, "x", identity=True),
                ("dx",),
                f'{alone[k]} the input here, and `W["{k}x"]` is the identity: `dx` is the gradient by its '
                "pre-activation",
            )
            for k, word in NETWORKS.items()
        },
        **{
            f"{word} home": Stage(
                read_by_one(draw, k, "h"),
                ("dh_prev",),
                f"{alone[k]} the visible state here: its way alone ends in `dh_prev`",
            )
            for k, word in NETWORKS.items()
        },
    }


lstm_step_backward = Exercise(
    returns=("dx", "dh_prev", "dc_prev", "dW"),
    cases=(step_inputs, partial(step_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(step_inputs, N=1, D=1, H=1),
        "as many inputs as units (D = H)": partial(step_inputs, D=3),
        "forget gates near 1": partial(step_inputs, forget_bias=6.0),
        "saturated gates": partial(step_inputs, scale=saturating(near=0.7, far=10.0)),
    },
    hints=(
        "Go backward through the formulas in their order: from h_t to the memory and the output gate "
        "(6.3), from the memory to the other three networks and to the memory before (6.2), then to the "
        "pre-activations, and home.",
        "Everything up to the matrices is (H, N) and goes entry by entry. A matrix's gradient has its "
        "shape, and so has a bias's: (H, 1).",
        "Take one way at a time, and begin with what all others need: "
        '`check(lstm_step_backward, stage="memory")` looks at what arrives at the memory.',
    ),
    gradient=Gradient(
        of="lstm_step",
        returns=("h_t", "c_t", "gates"),
        upstream={"dh": "h_t", "dc": "c_t"},
        wrt={"dx": "x_t", "dh_prev": "h_prev", "dc_prev": "c_prev", "dW": "W"},
    ),
    confirm=torch_step_backward,
    stages=stages(step_inputs),
    ways=ways("hxb"),
)

# ----------------------------------------------------------------------------- lstm_backward

lstm_backward = Exercise(
    returns=("dxs", "dh0", "dc0", "dW"),
    needs=("lstm_step_backward",),
    cases=(sequence_inputs, partial(sequence_inputs, T=7, D=5, H=4, N=3)),
    edge_cases={
        **sizes(sequence_inputs, T=1, N=1, D=1, H=1),
        "a long sequence (T = 60)": partial(sequence_inputs, T=60, forget_bias=3.0),
        "saturated gates": partial(sequence_inputs, scale=saturating(near=0.7, far=10.0)),
    },
    hints=(
        "Walk from the last step to the first. Carry two gradients along; at each step the outside "
        "adds its own to one of them. The weights collect from every step.",
        "dhs[t], the carried dh and the carried dc are (H, N); dW has the keys and shapes of W and "
        "starts at zeros; before the first step stand h0 and c0.",
        "Start with `dW = {key: np.zeros(weights.shape) for key, weights in W.items()}`, two carried "
        "gradients of zeros, and `for t in reversed(range(len(xs))):`",
    ),
    gradient=Gradient(
        of="lstm_forward",
        returns=("hs", "cs", "gates"),
        upstream={"dhs": "hs"},
        wrt={"dxs": "xs", "dh0": "h0", "dc0": "c0", "dW": "W"},
    ),
    confirm=torch_backward,
)

# ----------------------------------------------------------------------------- gradient_flow

gradient_flow = Exercise(
    returns=("dh_norms", "dc_norms"),
    needs=("lstm_step_backward",),
    cases=(flow_inputs, partial(flow_inputs, T=7, D=5, H=4, N=3)),
    edge_cases={
        **sizes(flow_inputs, T=1, N=1, H=1, D=1),
        "a long sequence (T = 60)": partial(flow_inputs, T=60, forget_bias=3.0),
        "forget gates near 1": partial(flow_inputs, forget_bias=6.0),
    },
    axes={"dh_norms": ("stop", "sequence"), "dc_norms": ("stop", "sequence")},
    hints=(
        "It is the walk of lstm_backward with nothing from outside but at its start, and with a "
        "measurement at every stop instead of a sum of weight gradients.",
        "T steps have T + 1 stops: row T is what you were given, row 0 is what reaches h0 and c0. "
        "A norm runs over the units of one sequence, so each row is (N,).",
        "Start with `dh_norms = np.zeros((len(xs) + 1, dh.shape[1]))`, the same for `dc_norms`, and "
        "write the last row of each before the loop.",
    ),
    confirm=torch_flow,
)

# -------------------------------------------------------------------- peephole_step_backward

peephole_step_backward = Exercise(
    returns=("dx", "dh_prev", "dc_prev", "dW"),
    cases=(peephole_inputs, partial(peephole_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(peephole_inputs, N=1, D=1, H=1),
        "as many inputs as units (D = H)": partial(peephole_inputs, D=3),
        "only dc arrives": partial(peephole_inputs, only_dc=True),
        "saturated gates": partial(peephole_inputs, scale=saturating(near=0.7, far=10.0)),
    },
    hints=(
        "Write the step as a list of small ones, in the order in which they are made, and mark those that "
        "differ from the LSTM's. Go back through the list.",
        "Everything up to the matrices is (H, N). A peephole's gradient is (H, 1), as a bias's is.",
        "Begin with what needs nothing else: "
        '`check(peephole_step_backward, stage="output")` looks at the output gate alone. Then "memory".',
    ),
    gradient=Gradient(
        of="peephole_step",
        returns=("h_t", "c_t", "gates"),
        upstream={"dh": "h_t", "dc": "c_t"},
        wrt={"dx": "x_t", "dh_prev": "h_prev", "dc_prev": "c_prev", "dW": "W"},
    ),
    confirm=torch_peephole_backward,
    stages={
        **stages(peephole_inputs),
        "peepholes": Stage(
            partial(with_some_weights, draw=peephole_inputs, keep="p"),
            ("dc_prev",),
            "All matrices are zero here: `dc_prev` shows what comes home to the old memory along "
            "its wire and through the peepholes",
        ),
    },
    ways=ways("hx", "fio"),
)
