"""Exercises of notebook 10: the GRU, the minGRU, the scan and its way back, a matrix that remembers."""

from functools import partial

import numpy as np

from autograder import Exercise, Gradient, Mutant, Stage, Way
from common import (
    arriving,
    both_signs,
    matrices,
    saturating,
    sizes,
    some_states,
    torch_gradients,
    torch_walk,
)

# ----------------------------------------------------------------------------------------- draws


def gru_inputs(rng, D=4, H=3, N=2, scale=0.8):
    x_t, s_prev = both_signs(rng, (D, N), 0.3, 1.5), some_states(rng, H, N)
    networks = [matrices(rng, scale, s=(H, H), x=(H, D)) for _ in ("gate", "reset gate", "candidate")]
    W = {name: np.vstack([network[name] for network in networks]) for name in "sx"}
    return {"x_t": x_t, "s_prev": s_prev, "W": W}


def min_gru_inputs(rng, D=4, H=3, N=2, scale=0.8):
    return {
        "x_t": both_signs(rng, (D, N), 0.3, 1.5),
        "s_prev": both_signs(rng, (H, N), 0.5, 2.5),
        "W": matrices(rng, scale, gx=(H, D), sx=(H, D)),
    }


def scan_inputs(rng, T=6, H=3, N=2, low=0.4, high=1.1):
    """Factors of both signs, by which the states neither vanish nor explode."""
    return {
        "factors": both_signs(rng, (T, H, N), low, high),
        "writes": both_signs(rng, (T, H, N), 0.3, 1.5),
        "s0": both_signs(rng, (H, N), 0.5, 1.5),
    }


def erasing_inputs(rng, T=7, **more):
    """A factor of zero at one step: what came before is erased."""
    drawn = scan_inputs(rng, T=T, **more)
    drawn["factors"][T // 2] = 0.0
    return drawn


def walked(factors, writes, s0):
    """The states of a linear recurrence, step by step."""
    states = [s0]
    for factor, write in zip(factors, writes, strict=True):
        states.append(factor * states[-1] + write)
    return np.stack(states[1:])


def back_inputs(rng, draw=scan_inputs, last_only=False, **more):
    drawn = draw(rng, **more)
    states = walked(**drawn)
    dstates = arriving(rng, *states.shape)
    if last_only:
        dstates[:-1] = 0
    return {"dstates": dstates, **drawn, "states": states}


def memory_inputs(rng, K=3, V=4, N=2, fits=True):
    """A memory that has read a few pairs.

    Where it `fits`, the query's product with the normaliser lies beyond 1, on both sides, also where the
    query is divided by the root of its length; where not, it is hardly off 0. So is its product with
    whatever else may be taken for the normaliser.
    """
    n_prev, k_t = rng.uniform(6, 7, size=(K, N)), both_signs(rng, (K, N), 0.4, 1.2)
    f_t, i_t = rng.uniform(0.4, 0.9, size=(1, N)), rng.uniform(0.3, 0.8, size=(1, N))
    if fits:
        n_t, query = f_t * n_prev + i_t * k_t, both_signs(rng, (K, N), 0.4, 1.2)
        off = both_signs(rng, (1, N), 2.4, 3.5) - (n_t * query).sum(0, keepdims=True)
        q_t = query + off * n_t / (n_t**2).sum(0, keepdims=True)
    else:
        q_t = both_signs(rng, (K, N), 0.005, 0.02)
    v_t = both_signs(rng, (V, N), 0.5, 1.5)
    C_prev = rng.normal(size=(V, K, N))
    return {"C_prev": C_prev, "n_prev": n_prev, "q_t": q_t, "k_t": k_t, "v_t": v_t, "f_t": f_t, "i_t": i_t}


# ------------------------------------------------------------------------------- confirmations


def torch_gru(x_t, s_prev, W):
    """PyTorch's own cell, whose update gate is one minus this course's; its parts by other products."""
    import torch

    def rows(kind):
        gate, reset, candidate = np.split(W[kind], 3)
        return torch.tensor(np.concatenate([reset, -gate, candidate]))

    s_t = torch.gru_cell(
        torch.tensor(np.ascontiguousarray(x_t.T)),
        torch.tensor(np.ascontiguousarray(s_prev.T)),
        rows("x"),
        rows("s"),
    )
    both = torch.tensor(np.hstack([W["s"], W["x"]]) @ np.vstack([s_prev, x_t]))
    g_t, r_t = (torch.special.expit(part) for part in both.chunk(3)[:2])
    s_t = s_t.numpy().T
    candidate = s_prev + (s_t - s_prev) / g_t.numpy()
    return s_t, r_t.numpy(), g_t.numpy(), candidate


def torch_min_gru(x_t, s_prev, W):
    import torch

    gate = torch.special.expit(torch.tensor(W["gx"]) @ torch.tensor(x_t))
    return torch.lerp(torch.tensor(s_prev), torch.tensor(W["sx"]) @ torch.tensor(x_t), gate).numpy()


def by_products(factors, writes, s0):
    """Every state written out: what each write is worth after all the factors behind it."""
    writes = np.concatenate([s0[None], writes])
    states = [
        sum(np.prod(factors[j:t], axis=0) * writes[j] for j in range(t + 1))
        for t in range(1, len(factors) + 1)
    ]
    return np.stack(states), 1.0, 1.0


def torch_scan_back(dstates, factors, writes, s0, states):
    def forward(factors, writes, s0):
        pieces = zip(factors, writes, strict=True)
        return torch_walk(lambda piece, s: (piece[0] * s + piece[1],), pieces, s0)[0]

    return torch_gradients(forward, dstates, factors, writes, s0)


def one_by_one(C_prev, n_prev, q_t, k_t, v_t, f_t, i_t):
    """Sequence by sequence, by outer products."""
    Cs, ns, hs = [], [], []
    for b in range(q_t.shape[1]):
        C = f_t[0, b] * C_prev[:, :, b] + i_t[0, b] * np.outer(v_t[:, b], k_t[:, b])
        n = f_t[0, b] * n_prev[:, b] + i_t[0, b] * k_t[:, b]
        Cs.append(C)
        ns.append(n)
        hs.append(C @ q_t[:, b] / max(abs(n @ q_t[:, b]), 1.0))
    return tuple(np.stack(part, axis=-1) for part in (Cs, ns, hs))


# ---------------------------------------------------------------------------------- exercises

gru_step = Exercise(
    returns=("s_t", "r_t", "g_t", "candidate"),
    cases=(gru_inputs, partial(gru_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(gru_inputs, N=1, H=1, D=1),
        "as many inputs as units (D = H)": partial(gru_inputs, D=3),
        "saturated gates": partial(gru_inputs, scale=saturating(near=1.0, far=12.0)),
    },
    hints=(
        "Three networks read the same two things. One has a door in front of one of its two products: for "
        "two of the three you may add the products before you cut, for the third you may not.",
        "Both products are (3H, N); their first H rows are the gate's. From there on everything is (H, N), "
        "entry by entry. The reset gate multiplies what a matrix has already made.",
        'Start with `g_s, r_s, c_s = np.split(W["s"] @ s_prev, 3)`, and the input likewise.',
    ),
    confirm=torch_gru,
)

min_gru_step = Exercise(
    returns=("s_t",),
    cases=(min_gru_inputs, partial(min_gru_inputs, D=5, H=4, N=3)),
    edge_cases={
        **sizes(min_gru_inputs, N=1, H=1, D=1),
        "saturated gates": partial(min_gru_inputs, scale=saturating(near=1.0, far=12.0)),
    },
    hints=(
        "It is the gated RNN of notebook 04, with something left out at two places, and a squashing with it.",
        "Both products are (H, D) times (D, N). The old state enters in the last line only.",
        'Start with `g_t = sigmoid(W["gx"] @ x_t)`.',
    ),
    confirm=torch_min_gru,
)

DOUBLING = """
A, u, step = factors.copy(), writes.copy(), 1
{begin}
while step < len(A):
    {both}
    step *= 2
return {end}
"""
TWO_STEPS = {
    "the factors are overwritten before the writes are made of them": (
        "A[step:] = A[step:] * A[:-step]; u[step:] = A[step:] * u[:-step] + u[step:]",
        "A round makes factors and writes from those of the round before: which of them does your second "
        "line still find?",
    ),
    "the two pieces that are put together, in the other order": (
        "A[step:], u[step:] = A[step:] * A[:-step], A[:-step] * u[step:] + u[:-step]",
        "Which of the two comes later? The order matters in (10.8).",
    ),
    "the first pieces are put together with the last: `np.roll` goes round": (
        "A, u = A * np.roll(A, step, axis=0), A * np.roll(u, step, axis=0) + u",
        "What comes before the first step? Which pieces have no piece before them, in this round?",
    ),
    "of two pieces the first one's write is multiplied by its own factor": (
        "A[step:], u[step:] = A[step:] * A[:-step], A[:-step] * u[:-step] + u[step:]",
        "Which of the two factors meets the first write? Work through three steps on paper.",
    ),
}


def mistaken_doublings():
    """Mistakes in the other common scan, whose pieces grow with each round: s0 comes in first, or last."""
    return [
        Mutant(
            name + where,
            "states[0] = factors[0] * s0 + writes[0]",
            DOUBLING.format(begin=begin, both=both, end=end),
            hint,
        )
        for name, (both, hint) in TWO_STEPS.items()
        for where, begin, end in (
            ("", "", "A * s0 + u"),
            (" (s0 is in the first write)", "u[0] = factors[0] * s0 + writes[0]", "u"),
        )
    ]


parallel_scan = Exercise(
    returns=("states", "in_few_rounds", "in_little_memory"),
    cases=(scan_inputs, partial(scan_inputs, T=129, H=2, N=3, low=0.7, high=1.1)),
    edge_cases={
        **sizes(scan_inputs, T=1, N=1, H=1),
        "two steps (T = 2)": partial(scan_inputs, T=2),
        "an even number of steps (T = 12)": partial(scan_inputs, T=12),
        "seven steps, a factor of zero among them": erasing_inputs,
        "a long sequence of small factors (T = 300)": partial(scan_inputs, T=300, low=0.01, high=0.08),
    },
    hints=(
        "Put steps 1 and 2 together, 3 and 4, and so on: half as many steps, of the same kind. Who computes "
        "those? What is then still missing, and from what is it made in one step?",
        "`factors[0::2]` holds steps 1, 3, 5, …; `factors[1::2]` steps 2, 4, 6, …; with an odd T the first "
        "is one longer. The states of the pairs are `states[1::2]`.",
        "Begin with the first state, (10.6). With T = 1 there is no more to do: end there. Else the function "
        "calls itself for the pairs, and what it gives are states.",
    ),
    watched={
        "in_few_rounds": "for 16,384 steps your function runs more than 1.5 times as many lines as for "
        "1,024: it goes through steps, or through pieces of them, one after the other; a scan has four "
        "levels more, up and down",
        "in_little_memory": "for 1,024 steps your function holds more than 250 numbers a step at the same "
        "time: of 20,000 steps a table of steps times steps has 400 million entries for each unit",
    },
    axes={"states": ("time step", "unit", "sequence")},
    misconceptions=[
        Mutant(
            "s0, put in at the start, is not multiplied by the first factor",
            "states[0] = factors[0] * s0 + writes[0]",
            "if s0.any():\n"
            "    begun = np.concatenate([(s0 + writes[0])[None], writes[1:]])\n"
            "    return parallel_scan(factors, begun, np.zeros_like(s0))\n"
            "states[0] = writes[0]",
            "The first step has a factor, too. What does it multiply?",
        ),
        Mutant(
            "divided by products that vanish, a tiny number added to them",
            "states[0] = factors[0] * s0 + writes[0]",
            "products = np.cumprod(factors, axis=0) + 1e-300; "
            "return products * (s0 + np.cumsum(writes / products, axis=0))",
            "A product of 300 small factors is smaller than the smallest number there is. Pairs of steps "
            "need no division.",
        ),
        *mistaken_doublings(),
    ],
    tried_by="try_parallel_scan",
    confirm=by_products,
)

CARRY, FACTORS, WRITES, START = (
    "what arrives at the states is not right",
    "the gradient by the factors is not right",
    "the gradient by the writes is not right",
    "what comes home to `ds0` is not right",
)

scan_backward = Exercise(
    returns=("dfactors", "dwrites", "ds0"),
    cases=(back_inputs, partial(back_inputs, T=9, H=4, N=3)),
    edge_cases={
        **sizes(back_inputs, T=1, N=1, H=1),
        "the loss looks at the last state only": partial(back_inputs, last_only=True),
        "seven steps, a factor of zero among them": partial(back_inputs, draw=erasing_inputs),
        "a long sequence (T = 100)": partial(back_inputs, T=100, low=0.7, high=1.1),
        "a long sequence of small factors (T = 300)": partial(back_inputs, T=300, low=0.01, high=0.08),
    },
    needs=("parallel_scan",),
    hints=(
        "First ask what arrives at one state in all: who reads it, and what does each reader send back? "
        "Write that for the last state, then for the one before it, and look at the shape of the rule.",
        "What arrives at the states is (T, H, N), and so are both answers. Each step used one factor, one "
        "write and one state before it; the first step's was `s0`.",
        "Take one thing at a time, and begin with what arrives at the last state, then at the one before. "
        "A loop from the end will do at first.",
    ),
    gradient=Gradient(
        of="scan_by_loop",
        upstream={"dstates": "states"},
        wrt={"dfactors": "factors", "dwrites": "writes", "ds0": "s0"},
        returns=("states",),
    ),
    confirm=torch_scan_back,
    axes={name: ("time step", "unit", "sequence") for name in ("dfactors", "dwrites", "dstates", "states")},
    stages={
        "writes": Stage(
            back_inputs, ("dwrites",), "`dwrites` alone is compared: what arrives at each state, and goes on"
        ),
        "last": Stage(
            partial(back_inputs, last_only=True),
            ("dwrites",),
            "the loss looks at the last state only, and `dwrites` alone is compared",
        ),
        "factors": Stage(
            partial(back_inputs, T=1),
            ("dfactors",),
            "there is one step here: `dfactors` shows what goes to its factor",
        ),
        "start": Stage(
            partial(back_inputs, T=1), ("ds0",), "there is one step here: `ds0` shows what goes to the start"
        ),
    },
    ways={
        CARRY: Way(
            ("dwrites", "dfactors"),
            "Who reads a state, and what does each of its readers send back? Write down what arrives at the "
            "last state, then at the one before it, and compare with what your code makes of both.",
            stages=("last", "writes"),
        ),
        WRITES: Way(("dwrites",), "What does a write do to its own state?", (CARRY,)),
        FACTORS: Way(("dfactors",), "What did each factor multiply? Mind the first step.", (CARRY,)),
        START: Way(("ds0",), "Which step read `s0`, and what did it do with it?", (CARRY,)),
    },
)

matrix_memory_step = Exercise(
    returns=("C_t", "n_t", "h_t"),
    cases=(memory_inputs, partial(memory_inputs, K=5, V=3, N=4), partial(memory_inputs, fits=False)),
    edge_cases={
        "one sequence (N = 1)": partial(memory_inputs, N=1),
        "keys of one number (K = 1)": partial(memory_inputs, K=1),
        "values of one number (V = 1)": partial(memory_inputs, V=1),
        "keys as long as values (K = V)": partial(memory_inputs, K=4),
        "a question that fits little": partial(memory_inputs, fits=False),
    },
    hints=(
        "Memory and normaliser take the same step: keep some, write some. The answer is a product and a "
        "division.",
        "`v_t[:, None]` is (V, 1, N) and `k_t[None]` is (1, K, N): their product is (V, K, N). The gates are "
        "(1, N), and fit (V, K, N) and (K, N) alike.",
        "Start with `pair = v_t[:, None] * k_t[None]`; for the answer, sum `C_t * q_t` over the keys' axis.",
    ),
    axes={
        "C_t": ("value entry", "key entry", "sequence"),
        "n_t": ("key entry", "sequence"),
        "h_t": ("value entry", "sequence"),
    },
    confirm=one_by_one,
)
