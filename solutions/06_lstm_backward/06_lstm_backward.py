# %% [markdown] slide="slide"
# # 06 · The LSTM's own gradient
#
# The LSTM was invented to keep a gradient alive. Does it? You derive its backward pass,
# write it, and then measure.

# %% [markdown] slide="notes"
# Open question to the room: "why does an LSTM not have vanishing gradients?" The usual
# wrong answer: "because the memory is added, not multiplied, so the gradient goes
# through unchanged". Write it on the board as it was said. Part 4 shows an untrained
# LSTM that loses its gradient faster than a plain tanh RNN, and part 5 shows what mends
# it.

# %% [markdown] slide="slide"
# ## What you will be able to do
#
# - derive the backward pass of one LSTM step, and see why **two** gradients travel
#   back;
# - write it for a whole sequence, biases included, and test it;
# - say exactly what "the additive path" carries, and what comes by other routes;
# - measure how much of a gradient reaches the first step, and mend it with one number;
# - explain what a memory that cannot forget does on a stream without an end.
#
# **Time**: 60 to 75 minutes, three exercises and one written question. Stuck?
# `hint(lstm_step_backward)` gives the next of three hints; they cost nothing.

# %% [markdown] slide="notes"
# The lecture takes 55 minutes: 20 for the derivation (parts 1 to 3), 20 for the
# gradient flow (parts 4 and 5), 15 for the endless stream (part 6).

# %%
from autograder import check, hint
from rnncourse import claim, explorer, show
from rnncourse import figures_06 as figures
from rnncourse.adam import Adam
from rnncourse.reber import INNER, as_text, reber_streams

# %% given="imports"
import numpy as np

# %% [markdown] slide="slide"
# ## Part 1: the LSTM of notebook 05, now with biases
#
# Four networks read the visible state $h_{t-1}$ and the input $x_t$. Each has its own
# matrices and, new here, its own **bias** $b$, a column of $H$ numbers:
#
# $$z^k_t = W^{k,h} h_{t-1} + W^{k,x} x_t + b^k, \qquad k \in \{f, i, o, c\}$$
# $$f_t = \sigma(z^f_t), \quad i_t = \sigma(z^i_t), \quad o_t = \sigma(z^o_t), \qquad
# \tilde c_t = \tanh(z^c_t) \tag{6.1}$$
#
# Here $\sigma$ is the sigmoid. Forget gate $f$, input gate $i$, output gate $o$,
# candidate $\tilde c$. They make the new memory $c_t$ and what is shown of it, the
# visible state $h_t$:
#
# $$c_t = f_t \odot c_{t-1} + i_t \odot \tilde c_t \tag{6.2}$$
# $$h_t = o_t \odot \tanh(c_t) \tag{6.3}$$

# %% [markdown] slide="notes"
# Ask: "which of the four networks reads the memory c?" None: all read h. The usual
# wrong answer is the forget gate. (A variant called peephole connections lets the gates
# read c.)

# %% [markdown]
# ### Sizes
#
# $D$ inputs, $H$ units, $N$ sequences side by side, one **column** each, $T$
# positions. On paper the first position is $t = 1$; in Python it has the index 0.
#
# | in code | shape | in formulas |
# |---|---|---|
# | `x_t` | (D, N) | input $x_t$ |
# | `h_prev`, `c_prev` | (H, N) | $h_{t-1}$, $c_{t-1}$ |
# | `h_t`, `c_t` | (H, N) | $h_t$, $c_t$ |
# | `gates["f"]`, `["i"]`, `["o"]`, `["c"]` | (H, N) | $f_t$, $i_t$, $o_t$, $\tilde c_t$ |
# | `W["fh"]`, `W["fx"]`, `W["fb"]`; so for i, o, c | (H, H), (H, D), (H, 1) | $W^{f,h}$, $W^{f,x}$, $b^f$ |
#
# A sequence puts time first: `xs` (T, D, N), `hs` and `cs` (T, H, N), each of the
# `gates` (T, H, N).
#
# A gradient has the letter `d` in front and the shape of what it belongs to: `dW["fb"]`
# is (H, 1), the gradient of the loss by $b^f$.

# %% [markdown]
# The forward pass is given: you wrote it in notebook 05, without the biases.


# %% given="lstm_forward_with_biases"
# Given from notebooks 00 and 05; new are the biases.
def sigmoid(z):
    """1 / (1 + exp(-z)), written so that it never overflows."""
    return 0.5 * (1 + np.tanh(0.5 * z))


def lstm_gates(x_t, h_prev, W):
    """The gates "f", "i", "o" and the candidate "c", each (H, N): equation (6.1)."""
    z = {k: W[k + "h"] @ h_prev + W[k + "x"] @ x_t + W[k + "b"] for k in "fioc"}
    return {k: np.tanh(z[k]) if k == "c" else sigmoid(z[k]) for k in "fioc"}


def lstm_step(x_t, h_prev, c_prev, W):
    """One step, equations (6.1) to (6.3): visible state and memory (H, N), gates."""
    gates = lstm_gates(x_t, h_prev, W)
    c_t = gates["f"] * c_prev + gates["i"] * gates["c"]
    h_t = gates["o"] * np.tanh(c_t)
    return h_t, c_t, gates


def lstm_forward(xs, h0, c0, W):
    """All steps: hs (T, H, N), cs (T, H, N), gates with (T, H, N) under each key."""
    h_t, c_t = h0, c0
    hs, cs, gates = [], [], {k: [] for k in "fioc"}
    for x_t in xs:
        h_t, c_t, gates_t = lstm_step(x_t, h_t, c_t, W)
        hs.append(h_t)
        cs.append(c_t)
        for k in "fioc":
            gates[k].append(gates_t[k])
    return np.stack(hs), np.stack(cs), {k: np.stack(gates[k]) for k in "fioc"}


# %% [markdown]
# ### A bias is a weight whose input is always 1
#
# Put a row of ones under the inputs and the bias column beside $W^{k,x}$: the sum is
# the same.
#
# $$W^{k,x} x_t + b^k = \begin{bmatrix} W^{k,x} & b^k \end{bmatrix}
# \begin{bmatrix} x_t \\ 1 \end{bmatrix} \tag{6.4}$$
#
# So whatever holds for the gradient of a weight holds for a bias, with 1 for its input.


# %%
def random_lstm(rng, D, H, scale=1.0):
    """Weights with normal entries of standard deviation `scale`, biases too."""
    shapes = {"h": (H, H), "x": (H, D), "b": (H, 1)}
    return {k + s: scale * rng.normal(size=shape) for k in "fioc" for s, shape in shapes.items()}


rng = np.random.default_rng(6)
D, H = 2, 3
W = random_lstm(rng, D, H)
x_t, h_prev, c_prev = (rng.normal(size=(n, 1)) for n in (D, H, H))  # N = 1 in parts 1 and 2
wide, with_one = np.hstack([W["fx"], W["fb"]]), np.vstack([x_t, np.ones((1, 1))])
assert np.allclose(W["fx"] @ x_t + W["fb"], wide @ with_one), "(6.4) does not hold"

# %% [markdown] slide="slide"
# ## Part 2: two states, so two gradients
#
# Step $t + 1$ reads **both** $h_t$ and $c_t$. So two gradients arrive at step $t$:
#
# - $dh_t$, the gradient of the loss by the visible state, from step $t + 1$ and from
#   whoever else looks at $h_t$,
# - $dc_t$, the gradient of the loss by the memory *that arrives along the memory's own
#   wire*.
#
# One step backward turns $(dh_t, dc_t)$ into $(dh_{t-1}, dc_{t-1})$ and, on the way,
# into the gradients of its input and of the weights.

# %% [markdown] slide="fragment"
# **Prediction 1.** Suppose that only $dc_t$ arrives and $dh_t = 0$. Which of the four
# networks (forget, input, output, candidate) gets no gradient at this step? Write it
# down.

# %% slide="slide" hide_input=true
show(
    figures.backward_map(),
    alt="One LSTM step with its gradients. dc arrives at the memory c_t from the right, dh at the "
    "visible state h_t. From h_t one part goes to the output gate, another through tanh up to the "
    "memory. The memory's total gradient goes to the input gate, to the candidate, to the forget "
    "gate, and, times the forget gate, on to the earlier memory. All four networks send a part to "
    "the earlier visible state and the input.",
)

# %% [markdown] slide="notes"
# Let the room follow one arrow at a time, from right to left. Ask: "how many arrows end
# at c_t?" Two. The usual answer is one, the blue; forgetting the red one through tanh
# is the most frequent slip in the exercise.

# %% [markdown] slide="slide"
# ## Step 1: from the visible state
#
# (6.3) is a product, entry by entry. Each factor's derivative is the other factor;
# $\tanh$ has the slope $1 - \tanh^2$:
#
# $$\frac{\partial h_t}{\partial o_t} = \operatorname{diag}(\tanh c_t), \qquad
# \frac{\partial h_t}{\partial c_t} = \operatorname{diag}\bigl(o_t \odot (1 - \tanh^2 c_t)\bigr)
# \tag{6.5}$$
#
# In the first the memory is held still, in the second the gate.

# %% [markdown]
# We test every formula with small nudges. `jacobian` gives all derivatives of a
# function by central differences, one column for each entry of its argument.


# %%
def jacobian(function, array, eps=1e-6):
    """Numeric derivatives: row = entry of the result, column = entry of the argument."""
    columns = []
    for place in np.ndindex(array.shape):
        nudge = np.zeros(array.shape)
        nudge[place] = eps
        columns.append(np.ravel(function(array + nudge) - function(array - nudge)) / (2 * eps))
    return np.stack(columns, axis=1)


# %%
h_t, c_t, gates = lstm_step(x_t, h_prev, c_prev, W)
f, i, o, candidate = (gates[k] for k in "fioc")
by_gate = jacobian(lambda o: o * np.tanh(c_t), o)
by_memory = jacobian(lambda c: o * np.tanh(c), c_t)
assert np.allclose(by_gate, np.diagflat(np.tanh(c_t)), atol=1e-8), "(6.5) does not hold"
assert np.allclose(by_memory, np.diagflat(o * (1 - np.tanh(c_t) ** 2)), atol=1e-8), "(6.5) does not hold"

# %% [markdown] slide="slide"
# ## Step 2: what arrives at the memory
#
# The memory $c_t$ has two readers: the next step, along its own wire, and $h_t$. What
# the two send back is **added**:
#
# $$dc^{\,total}_t = dc_t + dh_t \odot o_t \odot (1 - \tanh^2 c_t) \tag{6.6}$$
#
# A closed output gate ($o \approx 0$) lets nothing of $dh_t$ through. Neither does a
# memory far from zero, where $\tanh$ is flat. Keep this in mind for part 6.

# %%
dh, dc = rng.normal(size=(H, 1)), rng.normal(size=(H, 1))  # what the rest of the network asks


def loss_of_memory(c):
    return np.sum(dh * o * np.tanh(c)) + np.sum(dc * c)


dc_total = dc + dh * o * (1 - np.tanh(c_t) ** 2)  # (6.6)
assert np.allclose(jacobian(loss_of_memory, c_t), dc_total.T, atol=1e-8), "(6.6) does not hold"

# %% [markdown]
# Whatever the loss is, near this point it changes by $dh_t \cdot$ (change of $h_t$)
# plus $dc_t \cdot$ (change of $c_t$). That is why a weighted sum with the weights `dh`
# and `dc` can stand for the rest of the network in every test of this notebook.

# %% [markdown] slide="slide"
# ## Step 3: from the memory to the gates, and to the memory before
#
# (6.2) is a sum of two products. Again each factor gets the other factor; the output
# gate stands in (6.3) only:
#
# $$\begin{aligned}
# df &= dc^{\,total}_t \odot c_{t-1}, & di &= dc^{\,total}_t \odot \tilde c_t, \\
# d\tilde c &= dc^{\,total}_t \odot i_t, & do &= dh_t \odot \tanh c_t
# \end{aligned} \tag{6.7}$$
#
# and the memory before the step gets
#
# $$dc_{t-1} = dc^{\,total}_t \odot f_t \tag{6.8}$$
#
# No matrix and no slope in (6.8): this is the wire the LSTM was built for.


# %%
def loss_of_gates(f, i, o, candidate, c_prev):
    c = f * c_prev + i * candidate
    return np.sum(dh * o * np.tanh(c)) + np.sum(dc * c)


at = {"f": f, "i": i, "o": o, "candidate": candidate, "c_prev": c_prev}
claimed = {
    "f": dc_total * c_prev,  # (6.7)
    "i": dc_total * candidate,
    "candidate": dc_total * i,
    "o": dh * np.tanh(c_t),
    "c_prev": dc_total * f,  # (6.8)
}
for name, value in at.items():
    numeric = jacobian(lambda moved, name=name: loss_of_gates(**{**at, name: moved}), value)
    assert np.allclose(numeric, claimed[name].T, atol=1e-8), "(6.7) or (6.8) does not hold"

# %% [markdown] slide="slide"
# ## Step 4: through the squashing functions
#
# A gate is $g = \operatorname{sigmoid}(z)$, and its slope can be had from its output:
# $g(1 - g)$. The candidate is a $\tanh$, with slope $1 - \tilde c^2$:
#
# $$dz^f = df \odot f_t \odot (1 - f_t), \qquad dz^i = di \odot i_t \odot (1 - i_t),$$
# $$dz^o = do \odot o_t \odot (1 - o_t), \qquad dz^c = d\tilde c \odot (1 - \tilde c_t^2) \tag{6.9}$$
#
# The gates you are handed *are* outputs already. Squash nothing twice.

# %%
z = {k: W[k + "h"] @ h_prev + W[k + "x"] @ x_t + W[k + "b"] for k in "fioc"}
for k in "fio":
    slope = np.diagflat(gates[k] * (1 - gates[k]))
    assert np.allclose(jacobian(sigmoid, z[k]), slope, atol=1e-8), "(6.9) does not hold"
assert np.allclose(jacobian(np.tanh, z["c"]), np.diagflat(1 - candidate**2), atol=1e-8), "(6.9) does not hold"

# %% [markdown] slide="slide"
# ## Step 5: through the matrices
#
# All four networks read $h_{t-1}$ and $x_t$, so four parts are added in each,
# $k \in \{f, i, o, c\}$:
#
# $$dh_{t-1} = \sum_{k} (W^{k,h})^\top dz^k, \qquad
# dx_t = \sum_{k} (W^{k,x})^\top dz^k \tag{6.10}$$
#
# A weight multiplied an input, a bias multiplied 1. All $N$ columns used the same
# ones, so their parts add up:
#
# $$dW^{k,h} = dz^k\, h_{t-1}^\top, \qquad dW^{k,x} = dz^k\, x_t^\top, \qquad
# db^k = \sum_{n=1}^{N} dz^k_n \tag{6.11}$$
#
# where $dz^k_n$ is column $n$ of $dz^k$. (The two matrix products sum over the
# columns by themselves.)


# %%
def loss_of_step(x_t, h_prev, c_prev, W):
    h, c, _ = lstm_step(x_t, h_prev, c_prev, W)
    return np.sum(dh * h) + np.sum(dc * c)


# One of the four networks is enough here: the forget gate's, with all others held still.
dz_f = claimed["f"] * f * (1 - f)  # (6.9)
for key, formula in {"fh": dz_f @ h_prev.T, "fx": dz_f @ x_t.T, "fb": dz_f}.items():  # (6.11)
    numeric = jacobian(lambda w, key=key: loss_of_step(x_t, h_prev, c_prev, {**W, key: w}), W[key])
    assert np.allclose(numeric, formula.reshape(1, -1), atol=1e-8), "(6.11) does not hold"

# %% [markdown]
# Now (6.10), part by part. If only one network sees a changed $h_{t-1}$ (or $x_t$), the
# loss changes by that network's part; if all four see it, by the sum.


# %%
def loss_if_seen_by(networks, x, h):
    seen, unseen = lstm_gates(x, h, W), lstm_gates(x_t, h_prev, W)
    g = {k: seen[k] if k in networks else unseen[k] for k in "fioc"}
    c = g["f"] * c_prev + g["i"] * g["c"]
    return np.sum(dh * g["o"] * np.tanh(c)) + np.sum(dc * c)


dgates = {"f": claimed["f"], "i": claimed["i"], "o": claimed["o"], "c": claimed["candidate"]}
slopes = {k: 1 - gates[k] ** 2 if k == "c" else gates[k] * (1 - gates[k]) for k in "fioc"}
for networks in ("f", "i", "o", "c", "fioc"):
    by_h = jacobian(lambda h, seen_by=networks: loss_if_seen_by(seen_by, x_t, h), h_prev)
    by_x = jacobian(lambda x, seen_by=networks: loss_if_seen_by(seen_by, x, h_prev), x_t)
    for numeric, letter in ((by_h, "h"), (by_x, "x")):
        summands = [W[k + letter].T @ (dgates[k] * slopes[k]) for k in networks]  # (6.10)
        assert np.allclose(numeric, sum(summands).T, atol=1e-8), "(6.10) does not hold"

# %% [markdown] slide="slide"
# ## With pen and paper
#
# One unit, one sequence. These numbers are known:
#
# | $c_{t-1}$ | $f$ | $i$ | $o$ | $\tilde c$ | $dh_t$ | $dc_t$ | $W^{f,h}, W^{i,h}, W^{o,h}, W^{c,h}$ |
# |---|---|---|---|---|---|---|---|
# | 1.2 | .75 | .5 | .6 | −.8 | 1 | .2 | .5, −1, 1, 2 |
#
# Find $c_t$ first ($\tanh .5 = .462$), then $dc^{\,total}$, the four of (6.7),
# $dc_{t-1}$, the four $dz$, and $dh_{t-1}$. Three digits are enough. The next cell has
# the answers, without the formulas: it nudges.

# %%
paper = {"f": 0.75, "i": 0.5, "o": 0.6, "candidate": -0.8, "c_prev": 1.2}
paper_z = {"f": np.log(3), "i": 0.0, "o": np.log(1.5), "c": np.arctanh(-0.8)}  # these z make them
w_h = {"f": 0.5, "i": -1.0, "o": 1.0, "c": 2.0}


def asked(f, i, o, candidate, c_prev):
    c_t = f * c_prev + i * candidate
    return 1.0 * o * np.tanh(c_t) + 0.2 * c_t  # dh_t = 1 and dc_t = .2 ask for this sum


def asked_by_z(f, i, o, c):
    return asked(sigmoid(f), sigmoid(i), sigmoid(o), np.tanh(c), 1.2)


def slope_at(function, value, eps=1e-6):
    return (function(value + eps) - function(value - eps)) / (2 * eps)


# %%
c_paper = 0.75 * 1.2 + 0.5 * -0.8
answers = {"c_t": c_paper, "dc_total": slope_at(lambda c: 0.6 * np.tanh(c) + 0.2 * c, c_paper)}
for name, value in paper.items():
    answers["d" + name] = slope_at(lambda v, name=name: asked(**{**paper, name: v}), value)
for k, value in paper_z.items():
    answers["dz_" + k] = slope_at(lambda v, k=k: asked_by_z(**{**paper_z, k: v}), value)
moved = lambda h: asked_by_z(**{k: paper_z[k] + w_h[k] * h for k in "fioc"})
answers["dh_prev"] = slope_at(moved, 0.0)
{name: round(float(value), 3) for name, value in answers.items()}

# %% [markdown] slide="notes"
# Give the room five minutes, in pairs. Every number differs from every other, so a slip
# shows. The usual first slip: dc_total = .2, the part through h forgotten. Then df =
# .24 and not .806.

# %% [markdown] slide="slide"
# ## Exercise 1: one step backward
#
# Write (6.6) to (6.11) for a batch. Nothing is hidden from you: every value of the
# forward pass that you need is an argument.


# %% exercise="lstm_step_backward" points=8
def lstm_step_backward(
    dh: np.ndarray,
    dc: np.ndarray,
    x_t: np.ndarray,
    h_prev: np.ndarray,
    c_prev: np.ndarray,
    c_t: np.ndarray,
    gates: dict,
    W: dict,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict]:
    """One step of the LSTM backward, equations (6.6) to (6.11).

    Args:
        dh: (H, N) gradient of the loss by the visible state h_t, all of it.
        dc: (H, N) gradient by the memory c_t that arrives along the memory's own wire;
            what comes through h_t is not in it yet.
        x_t: (D, N) the step's input.
        h_prev: (H, N) visible state before the step.
        c_prev: (H, N) memory before the step.
        c_t: (H, N) memory after the step.
        gates: "f", "i", "o" and the candidate "c", each (H, N), as lstm_step returned them.
        W: for each k of "fioc" the weights k + "h" (H, H), k + "x" (H, D), k + "b" (H, 1).

    Returns:
        dx: (D, N) gradient by the input.
        dh_prev: (H, N) gradient by h_prev.
        dc_prev: (H, N) gradient by c_prev.
        dW: gradients by the weights, same keys and shapes as W, summed over the sequences.
    """
    ### BEGIN SOLUTION
    f, i, o, candidate = gates["f"], gates["i"], gates["o"], gates["c"]
    tanh_c = np.tanh(c_t)
    dc_total = dc + dh * o * (1 - tanh_c**2)  # (6.6)
    do = dh * tanh_c  # (6.7)
    df = dc_total * c_prev
    di = dc_total * candidate
    dcandidate = dc_total * i
    dc_prev = dc_total * f  # (6.8)
    dz = {  # (6.9)
        "f": df * f * (1 - f),
        "i": di * i * (1 - i),
        "o": do * o * (1 - o),
        "c": dcandidate * (1 - candidate**2),
    }
    dh_prev = sum(W[k + "h"].T @ dz[k] for k in "fioc")  # (6.10)
    dx = sum(W[k + "x"].T @ dz[k] for k in "fioc")
    dW = {}
    for k in "fioc":  # (6.11)
        dW[k + "h"] = dz[k] @ h_prev.T
        dW[k + "x"] = dz[k] @ x_t.T
        dW[k + "b"] = dz[k].sum(axis=1, keepdims=True)
    return dx, dh_prev, dc_prev, dW
    ### END SOLUTION


# %% check="lstm_step_backward"
check(lstm_step_backward)

# %% [markdown] slide="slide"
# ## Prediction 1, answered
#
# Send `dh` alone through your step, then `dc` alone. With one sequence, the gradient of
# a bias is $dz$ itself, so its size says how much each network is taught.

# %% slide="fragment" needs="lstm_step_backward" hide_input=true
state = (x_t, h_prev, c_prev, c_t, gates, W)
from_h = lstm_step_backward(dh, 0 * dc, *state)[3]
from_c = lstm_step_backward(0 * dh, dc, *state)[3]
names = {"f": "forget gate", "i": "input gate", "o": "output gate", "c": "candidate"}
shares = {names[k]: tuple(np.linalg.norm(d[k + "b"]) for d in (from_h, from_c)) for k in "fioc"}
assert shares["output gate"][1] == 0 and min(pair[0] for pair in shares.values()) > 0, (
    "dc reaches the output gate, or a network learns nothing"
)
show(
    figures.who_teaches(shares),
    alt="Bars for the four networks: the visible state's gradient teaches all four; the memory's "
    "gradient teaches the forget gate, the input gate and the candidate, and the output gate not at all.",
)

# %% [markdown] slide="fragment"
# The **output gate** alone is blind to $dc_t$: it decides what is *shown* at this step,
# and has no part in what is *kept*.

# %% [markdown] slide="notes"
# Ask who had written "forget gate". A usual reason: "it belongs to the old memory". It
# made c_t, so c_t's gradient teaches it, by df = dc_total * c_prev.

# %% [markdown] slide="slide"
# ## Part 3: a whole sequence
#
# The outside (a read-out, a loss) may look at **every** visible state. Let $\delta h_t$
# be the gradient that comes from outside by $h_t$: that is `dhs[t - 1]`, zero where
# nobody looks.
#
# Going from $t = T$ down to 1, with $(dh^{\,next}, dc^{\,next})$ returned by the step
# after:
#
# $$dh_t = \delta h_t + dh^{\,next}_t, \qquad dc_t = dc^{\,next}_t, \qquad
# dh^{\,next}_T = dc^{\,next}_T = 0 \tag{6.12}$$
#
# Nobody outside sees a memory, so nothing is added to $dc$. The weights are shared by
# all steps, so their gradients are summed:
#
# $$dW = \sum_{t=1}^{T} dW_t \tag{6.13}$$

# %% [markdown]
# A numeric test with two steps. The Jacobians of the second step say what it sends
# back; then (6.12) must give the gradient by $h_1$, moved while everything before it is
# held still.

# %%
x_next, outside = rng.normal(size=(D, 1)), rng.normal(size=(2, H, 1))  # the last: δh_1, δh_2


def from_first_state(h_1):
    h_2, _, _ = lstm_step(x_next, h_1, c_t, W)
    return np.sum(outside[0] * h_1) + np.sum(outside[1] * h_2)


second = jacobian(lambda h_1: lstm_step(x_next, h_1, c_t, W)[0], h_t)
dh_next = second.T @ outside[1]  # after step 2 nothing more comes, and dc_2 = 0
assert np.allclose(jacobian(from_first_state, h_t), (outside[0] + dh_next).T, atol=1e-8), (
    "(6.12) does not hold"
)


# %%
def loss_of_sequence(W):
    hs, _, _ = lstm_forward(np.stack([x_t, x_next]), h_prev, c_prev, W)
    return np.sum(outside * hs)


def loss_of_two_copies(W_1, W_2):
    h_1, c_1, _ = lstm_step(x_t, h_prev, c_prev, W_1)
    h_2, _, _ = lstm_step(x_next, h_1, c_1, W_2)
    return np.sum(outside[0] * h_1) + np.sum(outside[1] * h_2)


# Each step gets a copy of the bias of its own: the shared gradient is the sum of the two.
shared = jacobian(lambda b: loss_of_sequence({**W, "fb": b}), W["fb"])
first_copy = jacobian(lambda b: loss_of_two_copies({**W, "fb": b}, W), W["fb"])
second_copy = jacobian(lambda b: loss_of_two_copies(W, {**W, "fb": b}), W["fb"])
assert np.allclose(shared, first_copy + second_copy, atol=1e-8), "(6.13) does not hold"

# %% [markdown] slide="slide"
# ## Exercise 2: the sequence backward
#
# (6.12) and (6.13), with your step. Mind the first position: what was there before
# `hs[0]`? (In Python `hs[-1]` is not an error. It is the last state.)


# %% exercise="lstm_backward" points=6
def lstm_backward(
    dhs: np.ndarray,
    xs: np.ndarray,
    h0: np.ndarray,
    c0: np.ndarray,
    hs: np.ndarray,
    cs: np.ndarray,
    gates: dict,
    W: dict,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict]:
    """The LSTM backward through a whole sequence, equations (6.12) and (6.13).

    Args:
        dhs: (T, H, N) gradient from outside by every visible state; what later steps send
            back is not in it.
        xs: (T, D, N) inputs.
        h0: (H, N) visible state before the first step.
        c0: (H, N) memory before the first step.
        hs: (T, H, N) visible states after each step, from lstm_forward.
        cs: (T, H, N) memories after each step, from lstm_forward.
        gates: "f", "i", "o" and the candidate "c", each (T, H, N), from lstm_forward.
        W: for each k of "fioc" the weights k + "h" (H, H), k + "x" (H, D), k + "b" (H, 1).

    Returns:
        dxs: (T, D, N) gradient by every input.
        dh0: (H, N) gradient by h0.
        dc0: (H, N) gradient by c0.
        dW: gradients by the weights, same keys and shapes as W, summed over all steps.
    """
    ### BEGIN SOLUTION
    dxs = np.zeros(xs.shape)
    dW = {key: np.zeros(weights.shape) for key, weights in W.items()}
    dh_carried = np.zeros(h0.shape)
    dc_carried = np.zeros(c0.shape)
    for t in reversed(range(len(xs))):
        h_prev = hs[t - 1] if t > 0 else h0
        c_prev = cs[t - 1] if t > 0 else c0
        gates_t = {k: gate[t] for k, gate in gates.items()}
        dh = dhs[t] + dh_carried  # (6.12)
        dx, dh_carried, dc_carried, dW_t = lstm_step_backward(
            dh, dc_carried, xs[t], h_prev, c_prev, cs[t], gates_t, W
        )
        dxs[t] = dx
        for key in dW:
            dW[key] += dW_t[key]  # (6.13)
    return dxs, dh_carried, dc_carried, dW
    ### END SOLUTION


# %% check="lstm_backward"
check(lstm_backward)

# %% [markdown]
# Test it once more yourself, all twelve weights at a time: walk a little way along one
# random direction in the space of *all* parameters. The loss must change as your
# gradient says.

# %% needs="lstm_step_backward lstm_backward"
T, N = 7, 4
xs, dhs = rng.normal(size=(T, D, N)), rng.normal(size=(T, H, N))
h0, c0 = rng.normal(size=(H, N)), rng.normal(size=(H, N))
*_, dW = lstm_backward(dhs, xs, h0, c0, *lstm_forward(xs, h0, c0, W), W)
direction = random_lstm(rng, D, H)


def loss_along(step):
    moved = {key: W[key] + step * direction[key] for key in W}
    return np.sum(dhs * lstm_forward(xs, h0, c0, moved)[0])


numeric = (loss_along(1e-5) - loss_along(-1e-5)) / 2e-5
analytic = sum(np.sum(dW[key] * direction[key]) for key in W)
assert abs(numeric - analytic) < 1e-6 * abs(numeric), "does your function change dhs in place?"
print(f"slope of the loss: by nudging {numeric:.8f}, by your gradient {analytic:.8f}")

# %% [markdown] slide="slide"
# ## Part 4: what the additive path carries, exactly
#
# Put (6.6) into (6.8) and go back step by step, from $t = T$ to 1. Nothing is left out:
#
# $$dc_0 = \Bigl(\prod_{s=1}^{T} f_s\Bigr) \odot dc_T \;+\;
# \sum_{t=1}^{T} \Bigl(\prod_{s=1}^{t} f_s\Bigr) \odot dh_t \odot o_t \odot (1 - \tanh^2 c_t)
# \tag{6.14}$$
#
# Each visible state hands its gradient to the memory of its own step (the last three
# factors); from there it goes back **multiplied by every forget gate** on the way.
# Products go entry by entry.
#
# On this path the factors are at most 1. It can keep a gradient; it cannot make it
# grow.

# %% [markdown]
# Where do the $dh_t$ in (6.14) come from? From outside, *and* from the four networks of
# step $t + 1$, by (6.10). So the other routes, through the matrices, have not gone
# away: they are inside $dh_t$.
#
# The next cell takes every $dh_t$ by nudging that visible state alone, puts them into
# (6.14), and compares with what nudging $c_0$ gives.

# %%
four_xs, start_h, start_c = (rng.normal(size=shape) for shape in ((4, D, 1), (H, 1), (H, 1)))
four_hs, four_cs, four_gates = lstm_forward(four_xs, start_h, start_c, W)


def asked_at_end(c_start, nudges):
    h_t, c_t = start_h, c_start
    for x_t, nudge in zip(four_xs, nudges, strict=True):
        h_t, c_t, _ = lstm_step(x_t, h_t, c_t, W)
        h_t = h_t + nudge  # every later step sees the nudged visible state
    return np.sum(dh * h_t) + np.sum(dc * c_t)


all_dh = jacobian(lambda nudges: asked_at_end(start_c, nudges), np.zeros((4, H, 1))).reshape(4, H, 1)
dc_start = jacobian(lambda c: asked_at_end(c, np.zeros((4, H, 1))), start_c).T
products = np.cumprod(four_gates["f"], axis=0)  # row t - 1: f_1 ⊙ … ⊙ f_t
handed_in = all_dh * four_gates["o"] * (1 - np.tanh(four_cs) ** 2)
assert np.allclose(dc_start, products[-1] * dc + (products * handed_in).sum(axis=0), atol=1e-8), (
    "(6.14) does not hold"
)

# %% [markdown]
# ### The pair as one vector
#
# Write $h$ and $c$ below each other, a column of $2H$ numbers. One step backward
# multiplies the pair of gradients by the transpose of **one** matrix of four blocks.
# With the effect of $h_{t-1}$ on the memory, through forget gate, input gate and
# candidate, collected in
#
# $$A_t = \operatorname{diag}(c_{t-1} \odot f'_t)\, W^{f,h}
# + \operatorname{diag}(\tilde c_t \odot i'_t)\, W^{i,h}
# + \operatorname{diag}(i_t \odot \tilde c'_t)\, W^{c,h}$$
#
# (a prime is the slope of the squashing function, $f' = f \odot (1 - f)$,
# $\tilde c' = 1 - \tilde c^2$) and $q_t = o_t \odot (1 - \tanh^2 c_t)$, it is
#
# $$\begin{bmatrix} dh_{t-1} \\ dc_{t-1} \end{bmatrix}
# = J_t^\top \begin{bmatrix} dh_t \\ dc_t \end{bmatrix},
# \qquad J_t = \begin{bmatrix}
# \operatorname{diag}(q_t) A_t + \operatorname{diag}(o'_t \odot \tanh c_t) W^{o,h}
# & \operatorname{diag}(q_t \odot f_t) \\
# A_t & \operatorname{diag}(f_t) \end{bmatrix} \tag{6.15}$$
#
# Only the lower right block is the additive path. $T$ such matrices in a row make the
# whole walk, and all four blocks take part in it.

# %%
x, hp, cp = four_xs[2], four_hs[1], four_cs[1]  # the third step
g = {k: four_gates[k][2] for k in "fioc"}
slope = {k: 1 - g[k] ** 2 if k == "c" else g[k] * (1 - g[k]) for k in "fioc"}
A = (cp * slope["f"]) * W["fh"] + (g["c"] * slope["i"]) * W["ih"] + (g["i"] * slope["c"]) * W["ch"]
tanh_c = np.tanh(four_cs[2])
q = g["o"] * (1 - tanh_c**2)
upper = [q * A + (slope["o"] * tanh_c) * W["oh"], np.diagflat(q * g["f"])]
J = np.block([upper, [A, np.diagflat(g["f"])]])  # (6.15)
both = jacobian(lambda hc: np.vstack(lstm_step(x, hc[:H], hc[H:], W)[:2]), np.vstack([hp, cp]))
assert np.allclose(J, both, atol=1e-8), "(6.15) does not hold"

# %% [markdown] slide="slide"
# ## Exercise 3: how much of the gradient arrives?
#
# Somebody looks at the **end** of the sequence only. Walk back with $dh_T$ and $dc_T$
# given, nothing from outside on the way, and write down how long the two gradients are
# at every stop.
#
# The length of a column $v$ is its norm $\|v\| = \sqrt{v_1^2 + \dots + v_H^2}$, one
# for each sequence.


# %% exercise="gradient_flow" points=4
def gradient_flow(
    dh: np.ndarray,
    dc: np.ndarray,
    xs: np.ndarray,
    h0: np.ndarray,
    c0: np.ndarray,
    hs: np.ndarray,
    cs: np.ndarray,
    gates: dict,
    W: dict,
) -> tuple[np.ndarray, np.ndarray]:
    """Norms of the two gradients that reach each earlier step, given those at the end.

    Args:
        dh: (H, N) gradient by the last visible state h_T.
        dc: (H, N) gradient that arrives at the last memory c_T along the memory's wire.
        xs: (T, D, N) inputs.
        h0: (H, N) visible state before the first step.
        c0: (H, N) memory before the first step.
        hs: (T, H, N) visible states, from lstm_forward.
        cs: (T, H, N) memories, from lstm_forward.
        gates: "f", "i", "o" and the candidate "c", each (T, H, N), from lstm_forward.
        W: for each k of "fioc" the weights k + "h" (H, H), k + "x" (H, D), k + "b" (H, 1).

    Returns:
        dh_norms: (T + 1, N) row t is the norm of dh_t for each sequence: row T belongs to
            the given dh, row 0 to what reaches h0.
        dc_norms: (T + 1, N) the same for dc_t, as it arrives along the memory's wire.
    """
    ### BEGIN SOLUTION
    dh_norms = np.zeros((len(xs) + 1, dh.shape[1]))
    dc_norms = np.zeros((len(xs) + 1, dh.shape[1]))
    dh_norms[len(xs)] = np.linalg.norm(dh, axis=0)
    dc_norms[len(xs)] = np.linalg.norm(dc, axis=0)
    for t in reversed(range(len(xs))):
        h_prev = hs[t - 1] if t > 0 else h0
        c_prev = cs[t - 1] if t > 0 else c0
        gates_t = {k: gate[t] for k, gate in gates.items()}
        _, dh, dc, _ = lstm_step_backward(dh, dc, xs[t], h_prev, c_prev, cs[t], gates_t, W)
        dh_norms[t] = np.linalg.norm(dh, axis=0)
        dc_norms[t] = np.linalg.norm(dc, axis=0)
    return dh_norms, dc_norms
    ### END SOLUTION


# %% check="gradient_flow"
check(gradient_flow)

# %% [markdown] slide="slide"
# ## Prediction 2
#
# Take a network that has learned nothing yet, biases all zero. One hundred steps. The
# inputs are calm (standard deviation .1). How does the gradient at step 1 compare
# with that at step 100?
#
# - a tanh RNN whose recurrent matrix is orthogonal (it only turns and mirrors its
#   state)
# - an LSTM whose four recurrent matrices are orthogonal
#
# Which of the two keeps more? By what factor, roughly? **Write it down before you run
# the next cells.**

# %% [markdown] slide="notes"
# Collect answers by show of hands. Nearly everybody votes for the LSTM: this is what
# they were told. Leave it standing; the next slide measures.

# %% [markdown]
# Two ways to start are compared, for the LSTM and for the tanh RNN alike: orthogonal
# recurrent matrices, and matrices with entries uniform between $-1/\sqrt H$ and
# $1/\sqrt H$ (PyTorch's way). The input matrices of the orthogonal start are normal,
# with standard deviation $0.5/\sqrt D$. The only bias that is ever not zero is the
# forget gate's.


# %%
def starting_weights(rng, kind, H=16, D=4):
    """Untrained weights of an LSTM (forget bias still 0) and of a tanh RNN, started the same way."""

    def square():
        if kind == "uniform":
            return rng.uniform(-1, 1, size=(H, H)) / np.sqrt(H)
        Q, R = np.linalg.qr(rng.normal(size=(H, H)))
        return Q * np.sign(np.diag(R))

    def from_inputs():
        if kind == "uniform":
            return rng.uniform(-1, 1, size=(H, D)) / np.sqrt(H)
        return 0.5 * rng.normal(size=(H, D)) / np.sqrt(D)

    lstm = {k + "h": square() for k in "fioc"} | {k + "x": from_inputs() for k in "fioc"}
    lstm |= {k + "b": np.zeros((H, 1)) for k in "fioc"}
    return lstm, {"ss": square(), "sx": from_inputs()}


# %%
def rnn_flow(ds, xs, W):
    """Norms (T + 1, N) of the gradient in a tanh RNN (notebook 03), given that at the end."""
    states = [np.zeros(ds.shape)]
    for x_t in xs:
        states.append(np.tanh(W["ss"] @ states[-1] + W["sx"] @ x_t))
    norms = [np.linalg.norm(ds, axis=0)]
    for s_t in reversed(states[1:]):
        ds = W["ss"].T @ (ds * (1 - s_t**2))
        norms.append(np.linalg.norm(ds, axis=0))
    return np.array(norms[::-1])


def lstm_flow(dh, xs, W, forget_bias):
    """Norms (T + 1, N) of dh_t and dc_t in an LSTM with this forget bias; dc_T = 0."""
    W = {**W, "fb": W["fb"] + forget_bias}
    zeros = np.zeros(dh.shape)
    return gradient_flow(dh, zeros, xs, zeros, zeros, *lstm_forward(xs, zeros, zeros, W), W)


# %% [markdown] slide="slide"
# ## Two gradients on their way back
#
# One untrained LSTM with orthogonal matrices and calm inputs (standard deviation .1),
# three forget biases. Read from right to left: the gradient starts at step 100 as $dh$
# alone, and within a few steps $dh$ and $dc$ are within a factor of about two of each
# other, so that their curves nearly lie on each other.

# %% needs="lstm_step_backward gradient_flow" slide="fragment" hide_input=true
rng = np.random.default_rng(0)
lstm, rnn = starting_weights(rng, "orthogonal")
xs, last = 0.1 * rng.normal(size=(100, 4, 8)), rng.normal(size=(16, 8))
curves = {}
for bias in (0, 1, 5):
    dh_norms, dc_norms = lstm_flow(last, xs, lstm, bias)
    curves[f"forget bias {bias}"] = (dh_norms.mean(axis=1), dc_norms.mean(axis=1))
show(
    figures.flow_curves(curves),
    alt="Norms of dh and dc against the step they reach, from step 100 back to 0, logarithmic. With "
    "forget bias 0 both fall along a straight line to 1e-13; with bias 1 to a few hundredths; with "
    "bias 5 they fall to a tenth within a few steps, stay, and grow above 1 towards the first steps.",
)

# %% [markdown] slide="slide"
# ## The honest gradient-flow table
#
# The gradient at step 1, divided by that at step 100; for the LSTM it is the norm of
# the pair, $\sqrt{\|dh\|^2 + \|dc\|^2}$. Each dot is one seed (16 units; the median of
# 8 sequences); the numbers are the medians of the five seeds.

# %% needs="lstm_step_backward gradient_flow" slide="fragment" hide_input=true
settings = {
    "orthogonal, calm inputs (.1)": ("orthogonal", 0.1),
    "orthogonal, loud inputs (1)": ("orthogonal", 1.0),
    "uniform ±1/√H, loud inputs (1)": ("uniform", 1.0),
}
ratios = {setting: {} for setting in settings}
for setting, (kind, loudness) in settings.items():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        lstm, rnn = starting_weights(rng, kind)
        xs, last = loudness * rng.normal(size=(100, 4, 8)), rng.normal(size=(16, 8))
        flows = {"tanh RNN": rnn_flow(last, xs, rnn)}
        for bias in (0, 1, 3, 5):
            flows[f"LSTM, bias {bias}"] = np.hypot(*lstm_flow(last, xs, lstm, bias))
        for name, norms in flows.items():
            ratios[setting].setdefault(name, []).append(np.median(norms[1] / norms[100]))
show(
    figures.flow_table(ratios),
    alt="Dots for five seeds of five networks under three starts. Orthogonal and calm: tanh RNN about "
    "5e-2, LSTM with forget bias 0 about 6e-14, bias 1 about 2e-2, bias 3 and 5 above 1. "
    "Orthogonal and loud: RNN 1e-12, LSTM bias 0 1e-17, bias 1 1e-5, bias 3 and 5 near 1. Uniform: RNN "
    "1e-26, LSTM bias 0 1e-21, bias 1 1e-8, bias 3 and 5 near 1.",
)

# %% needs="lstm_step_backward gradient_flow"
calm, loud, uniform = ratios.values()
less = [np.divide(table["LSTM, bias 0"], table["tanh RNN"]).max() for table in (calm, loud)]
claim(
    "in every seed the LSTM keeps 1e9 times less than the RNN with calm inputs, 10 times with loud",
    less[0] < 1e-9 and less[1] < 0.1,
    f"at most {less[0]:.0e} and {less[1]:.0e} of what the RNN keeps",
)
both = max(uniform["tanh RNN"] + uniform["LSTM, bias 0"])
claim("with the uniform start both keep less than 1e-12", both < 1e-12, f"at most {both:.0e}")
mended = min(min(table["LSTM, bias 1"]) / max(table["LSTM, bias 0"]) for table in ratios.values())
kept = min(min(table["LSTM, bias 3"]) for table in ratios.values())
claim(
    "bias 1 keeps a million times more than bias 0, and bias 3 more than a hundredth",
    mended > 1e6 and kept > 0.01,
    f"{mended:.0e} times more, and {kept:.2f}",
)

# %% [markdown] slide="slide"
# ## Prediction 2, answered
#
# With zero biases the untrained LSTM loses its gradient **faster** than the orthogonal
# tanh RNN: of the gradient at step 100 it has kept tens of thousands of times less with
# loud inputs, and a million times a million times less with calm ones.
#
# Why? A forget gate whose pre-activation is near 0 stands near $\tfrac12$, so the
# additive path *halves* the gradient at every step: $2^{-99} \approx 10^{-30}$. (More
# than that arrived, by another route: part 5 finds it.)
#
# With the uniform start both are lost, the RNN even more. A forget bias mends the LSTM
# in all three.

# %% [markdown] slide="notes"
# The usual objection: "but the LSTM learns to open its forget gates". It does, if some
# gradient tells it to. That is the chicken and the egg of long dependencies, and the
# reason for the next slide. A second one: "so the RNN is better?" At the start, with
# orthogonal weights and calm inputs. It has no way to stay like that: training moves W,
# and loud inputs flatten its tanh.

# %% [markdown] slide="slide"
# ## Part 5: one number mends it
#
# Start with the **forget bias** $b^f = b > 0$ and everything else small: then
# $f \approx \operatorname{sigmoid}(b)$, and the additive path keeps after $n$ steps
#
# $$\operatorname{sigmoid}(b)^n, \quad\text{half of it after}\quad
# n_{1/2} = \frac{\ln 2}{\ln(1 + e^{-b})} \ \text{ steps} \tag{6.16}$$
#
# because $-\ln \operatorname{sigmoid}(b) = \ln(1 + e^{-b})$. For large $b$ that is
# nearly $e^b \ln 2$: **each unit more makes the memory last $e$ times longer.**

# %%
biases = np.linspace(-2, 7, 91)
half_life = np.log(2) / np.log1p(np.exp(-biases))  # (6.16)
assert np.allclose(sigmoid(biases) ** half_life, 0.5), "(6.16) does not hold"
assert abs(half_life[-1] / (np.exp(7) * np.log(2)) - 1) < 1e-3, "for b = 7 it is not nearly e^b ln 2"

# %% slide="fragment" hide_input=true
marked = {b: float(np.log(2) / np.log1p(np.exp(-b))) for b in (0, 1, 3, 5)}
show(
    figures.half_lives(biases, half_life, marked),
    alt="Half-life of a memory against the forget bias, logarithmic: 1 step at bias 0, 2.2 at bias 1, "
    "14.3 at bias 3, 103 at bias 5; for large biases a straight line.",
)

# %% [markdown]
# Gers, Schmidhuber and Cummins, who added the forget gate to the LSTM in 2000, started
# it almost open, so that it forgets nothing before it has learned to. Jozefowicz,
# Zaremba and Sutskever (2015) tried many architectures and advise a forget bias of 1 in
# every LSTM; it had been left out in much of the code they saw.
#
# Bias 1 means a half-life of two steps: enough to begin with on short dependencies, and
# far from enough for a hundred steps. Choose the bias by how long something has to be
# kept.

# %% [markdown] slide="slide"
# ## The table says more than (6.16)
#
# At bias 0 the additive path alone would leave $10^{-30}$; measured is $10^{-14}$ with
# calm inputs. At bias 3 it would leave $.953^{99} \approx .008$; the medians measured
# lie around 1.
# And no product of forget gates exceeds 1, yet some ratios do.
#
# So most of what arrives came through a matrix. **Which of the four?** We walk back
# again, with one network's matrix $W^{k,h}$ taken out of (6.10) at a time.


# %% needs="lstm_step_backward gradient_flow" slide="fragment" hide_input=true
def ratio_without(closed, forget_bias, seed):
    """Gradient at step 1 / step 100 with the way back through some networks' matrices closed."""
    rng = np.random.default_rng(seed)
    W, _ = starting_weights(rng, "orthogonal")
    W["fb"] = W["fb"] + forget_bias
    xs, last, zeros = 0.1 * rng.normal(size=(100, 4, 8)), rng.normal(size=(16, 8)), np.zeros((16, 8))
    forward = lstm_forward(xs, zeros, zeros, W)
    back = {**W, **{k + "h": np.zeros((16, 16)) for k in closed}}
    norms = np.hypot(*gradient_flow(last, zeros, xs, zeros, zeros, *forward, back))
    return np.median(norms[1] / norms[100])


print("way back closed:     none       f       i       o       c   all four")
closed = {}  # forget bias -> the six numbers of its row
for bias in (0, 1, 3, 5):
    row = [np.median([ratio_without(k, bias, seed) for seed in range(3)]) for k in ["", *"fioc", "fioc"]]
    print(f"forget bias {bias}:      ", "   ".join(f"{ratio:.0e}" for ratio in row))
    closed[bias] = np.array(row)

# %% needs="lstm_step_backward gradient_flow"
gates_closed = np.array([row[1:4] / row[0] for row in closed.values()])
claim(
    "closing one gate's way changes it by a factor of less than 5",
    np.abs(np.log(gates_closed)).max() < np.log(5),
    f"factors from {gates_closed.min():.2f} to {gates_closed.max():.2f}",
)
candidate_closed = max(row[4] / row[0] for row in closed.values())
claim(
    "closing the candidate's leaves less than a thirtieth",
    candidate_closed < 1 / 30,
    f"at most {candidate_closed:.0e}",
)

# %% [markdown] slide="slide"
# ## The second path: through the candidate
#
# The three gates' matrices hardly matter at the start; the **candidate's** does
# nearly everything. Near zero, where an untrained network lives, $\tanh c \approx c$
# and
# $i \approx o \approx \tfrac12$, so $h_{t-1} \approx \tfrac12 c_{t-1}$ and
#
# $$c_t \approx f\, c_{t-1} + \tfrac12 W^{c,h} h_{t-1}
# \approx \bigl(\operatorname{sigmoid}(b)\, I + \tfrac14 W^{c,h}\bigr)\, c_{t-1} \tag{6.17}$$
#
# An orthogonal $W^{c,h}$ has eigenvalues of size 1, so this matrix has none larger than
# $\operatorname{sigmoid}(b) + \tfrac14$. At $b = 0$ that is at most $\tfrac34$ a step,
# $.75^{99} \approx 10^{-12}$: it vanishes. From $b = 1.1$ on it can exceed 1: **an
# LSTM's gradient can grow**, though by far less than $1.25^{99}$: a memory that lasts
# fills up,
# leaves zero, and its $\tanh$ flattens. Clipping (notebook 03) stays in use.

# %%
small, _ = starting_weights(np.random.default_rng(0), "orthogonal", H=5)
small["fb"] = small["fb"] + 3.0
no_input, at_rest = np.zeros((4, 1)), np.zeros((10, 1))  # h = c = 0
J_rest = jacobian(lambda hc: np.vstack(lstm_step(no_input, hc[:5], hc[5:], small)[:2]), at_rest)
of_pair = np.sort(np.abs(np.linalg.eigvals(J_rest)))  # five of the ten are 0: h only repeats c
of_memory = np.sort(np.abs(np.linalg.eigvals(sigmoid(3.0) * np.eye(5) + small["ch"] / 4)))  # (6.17)
assert np.allclose(of_pair[:5], 0, atol=1e-6) and np.allclose(of_pair[5:], of_memory, atol=1e-6), (
    "(6.17) does not hold at rest"
)
assert of_memory[-1] <= sigmoid(3.0) + 0.25, "an eigenvalue is larger than (6.17) allows"

# %% [markdown] slide="slide"
# ## Try it: forget bias and length
#
# Blue: the pair $(dh, dc)$, all paths. Green: the additive path alone, from the last
# step's memory back. Black: a tanh RNN started the same way.
#
# For each start, find the smallest bias that keeps a tenth over a hundred steps.

# %%
rng = np.random.default_rng(4)
starts, names = {}, {"orthogonal": "orthogonal", "uniform": "uniform ±1/√H"}
weights = {kind: starting_weights(rng, kind, H=8, D=3) for kind in names}
flow_xs, flow_last = 0.1 * rng.normal(size=(200, 3, 1)), rng.normal(size=(8, 1))


def listed(W):
    return {key: np.round(array, 5).tolist() for key, array in W.items()}


for kind, label in names.items():
    starts[label] = {"lstm": listed(weights[kind][0]), "rnn": listed(weights[kind][1])}

# %% slide="fragment" hide_input=true
explorer(
    "gradient_flow",
    {"starts": starts, "xs": flow_xs[:, :, 0].tolist(), "last": flow_last[:, 0].tolist()},
    alt="Gradient that is left after so many steps back from the end, for an untrained LSTM (all paths, "
    "and the additive path alone) and a tanh RNN. Sliders set the forget bias and the length.",
)

# %% [markdown]
# A tenth is kept from a bias of about 1.2 on with the orthogonal start, 2.2 with the
# uniform one.
#
# The same without sliders: 100 steps, orthogonal start, four forget biases. Dotted in
# each colour: the additive path alone. (That of bias 1 happens to run along the whole
# of bias 0: $\operatorname{sigmoid}(1) = .73$, and (6.17) gave $\tfrac34$ at most for
# bias 0.)

# %% needs="lstm_step_backward gradient_flow"
pairs, additive = {}, {}
zero, twin_xs = np.zeros((8, 1)), flow_xs[:100]
for bias in (0, 1, 3, 5):
    biased = {**weights["orthogonal"][0], "fb": np.full((8, 1), float(bias))}
    pairs[f"bias {bias}"] = np.hypot(*lstm_flow(flow_last, twin_xs, biased, 0.0))[::-1, 0]
    _, twin_cs, twin_gates = lstm_forward(twin_xs, zero, zero, biased)
    begin = flow_last * twin_gates["o"][-1] * (1 - np.tanh(twin_cs[-1]) ** 2)  # (6.6) with dc_T = 0
    kept = begin * np.cumprod(twin_gates["f"][::-1], axis=0)
    additive[f"bias {bias}"] = np.linalg.norm(np.concatenate([begin[None], kept]), axis=1)[:, 0]
size = np.linalg.norm(flow_last)
rnn_norms = rnn_flow(flow_last, twin_xs, weights["orthogonal"][1])[::-1, 0]
show(
    figures.explorer_twin(
        {name: curve / size for name, curve in pairs.items()},
        {name: curve / size for name, curve in additive.items()},
        rnn_norms / size,
    ),
    alt="Gradient left against steps back from the end. Forget bias 0 falls steeply, to 1e-14, its "
    "additive path twice as steeply; bias 1 falls to about a hundredth; bias 3 and 5 rise above 1 "
    "although their additive paths fall; the tanh RNN falls slowly to about a tenth.",
)

# %% [markdown] slide="slide"
# ## Part 6: a stream without an end
#
# Why was the forget gate invented? Not for the gradient: the LSTM of 1997 had no forget
# gate. Its memory could only **add**, and its additive path kept all of the gradient.
#
# Gers et al. (2000) gave it strings that follow one another without a mark in between.
# Each string of the **embedded Reber grammar** has an outer frame, T or P, that must be
# remembered while an inner string goes by:

# %% slide="fragment" hide_input=true
show(
    figures.reber_grammar(INNER),
    alt="The embedded Reber grammar: B, then T or P, then B and an inner path of symbols T, P, S, X, V "
    "with loops, ending in E, then the same T or P as at the beginning, then E. The second outer symbol "
    "has to be remembered over the inner string.",
)

# %%
streams = reber_streams(length=60, count=2, seed=0)
as_text(streams.xs[:, :, 0])  # where does a string end and the next begin?

# %% [markdown] slide="slide"
# ## The task
#
# Read the stream symbol by symbol and foretell the next one, always. Nobody says where
# a string ends; states are carried on, and never set back.
#
# Two measures:
#
# - **legal**: the symbol held most probable is one the grammar allows here;
# - **outer symbol**: where the second outer T or P is next, the right one of the two is
#   held more probable. Only who remembers can do better than a coin.
#
# Against it: the same LSTM with its forget gate **held at 1**.

# %% [markdown] slide="fragment"
# **Prediction 3.** The memory of the second network can only add. On a stream of 2,000
# symbols, what becomes of it? Which of the two measures suffers, and how much?

# %% [markdown] slide="notes"
# Usual answers: "the memory explodes, so everything fails", or "nothing happens, it can
# add negative numbers". Both are partly right, which makes the discussion good. Let
# them say which *measure* suffers.

# %% [markdown]
# ### A network that foretells
#
# Seven numbers are read out of the visible state, one for each symbol in the order B
# T S X V P E (so T has the index 1, P the index 5), and a softmax makes probabilities
# of them (notebook 01). The gradient of the mean cross-entropy by these numbers is
# $(\text{probabilities} - \text{targets}) / (\text{number of positions in all streams})$ (notebook
# 02); the transposed read-out matrix brings it to every visible state: that is `dhs`.


# %%
def foretell(hs, V):
    """Probabilities (T, 7, N) of the next symbol at every position."""
    logits = V["yh"] @ hs + V["yb"]
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def learn_window(window, h0, c0, W, V):
    """Gradients of the loss over one window of the streams, by your lstm_backward."""
    xs, targets = window[:-1], window[1:]
    hs, cs, gates = lstm_forward(xs, h0, c0, W)
    probabilities = foretell(hs, V)
    dlogits = (probabilities - targets) / targets.sum()
    dV = {"yh": np.einsum("tyn,thn->yh", dlogits, hs), "yb": dlogits.sum(axis=(0, 2))[:, None]}
    dhs = V["yh"].T @ dlogits  # what the outside asks of every visible state
    *_, dW = lstm_backward(dhs, xs, h0, c0, hs, cs, gates, W)
    return dW, dV, probabilities, hs[-1], cs[-1]


# %% [markdown]
# Both networks start from the same weights (but for the forget gate) and see the same
# streams: 32 of them, cut into windows of 40 symbols. The states go on from window to
# window; the gradient stops at its edge.
#
# A forget bias of 40 with weights of zero makes every forget gate 1 (to sixteen
# digits); leaving the forget gate's three arrays (`fh`, `fx`, `fb`) out of the update
# holds it there.


# %%
def new_network(seed, forget, H=16):
    """Untrained weights W of an LSTM for 7 symbols, and V of its read-out."""
    rng = np.random.default_rng(seed)
    W = {k + "h": rng.normal(size=(H, H)) / np.sqrt(H) for k in "fioc"}
    W |= {k + "x": rng.normal(size=(H, 7)) / np.sqrt(7) for k in "fioc"}
    W |= {k + "b": np.full((H, 1), 1.0 if k == "f" else 0.0) for k in "fioc"}
    if not forget:
        W |= {"fh": np.zeros((H, H)), "fx": np.zeros((H, 7)), "fb": np.full((H, 1), 40.0)}
    return W, {"yh": rng.normal(size=(7, H)) / np.sqrt(H), "yb": np.zeros((7, 1))}


def outer_right(probabilities, window, outer):
    """For each place where the outer symbol is next: is the right one held more probable?"""
    says_T, is_T = probabilities[:, 1] > probabilities[:, 5], window[1:, 1] == 1
    return (says_T == is_T)[outer]


# %%
def train(seed, forget, restart=False, updates=400, length=40, count=32):
    """Train on endless streams; with `restart` on new streams, states set to zero, in each window."""
    W, V = new_network(seed, forget)
    adam, right = Adam(learning_rate=0.01, clip=1.0), []
    h = c = np.zeros((16, count))
    endless = None if restart else reber_streams(length * updates, count, seed)
    for u in range(updates):
        streams, at = (reber_streams(length, count, [seed, u]), 0) if restart else (endless, u * length)
        h, c = (0 * h, 0 * c) if restart else (h, c)
        window, outer = streams.xs[at : at + length + 1], streams.outer[at : at + length]
        dW, dV, probabilities, h, c = learn_window(window, h, c, W, V)
        if not forget:
            dW = {key: dW[key] for key in dW if key[0] != "f"}
        adam.step({**W, **V}, {**dW, **dV})
        right.append(outer_right(probabilities, window, outer).mean())
    return W, V, np.array(right)


# %% needs="lstm_step_backward lstm_backward"
SEEDS = (0, 1, 2)
trained = {"with forget gate": [train(seed, forget=True) for seed in SEEDS]}

# %% needs="lstm_step_backward lstm_backward"
trained["forget gate held at 1"] = [train(seed, forget=False) for seed in SEEDS]

# %% [markdown] slide="slide"
# ## The outer symbol, while they learn
#
# Trained with your own `lstm_backward`: 400 updates, three seeds each.

# %% needs="lstm_step_backward lstm_backward" slide="fragment" hide_input=true
curves = {}
for label, networks in trained.items():
    curves[label] = np.array([right.reshape(-1, 20).mean(axis=1) for _, _, right in networks])
show(
    figures.learning_curves(*curves.values(), every=20),
    alt="Share of right outer symbols against updates. With forget gate all three seeds rise from one "
    "half to one within 400 updates; with the forget gate held at 1 all three stay at one half.",
)

# %% [markdown]
# Now both listen to new streams, 2,000 symbols each, 16 of them, without learning
# anything more.


# %%
def listen(W, V, streams):
    """Memories while reading streams from zero states, and the two measures on their second half."""
    zeros = np.zeros((16, streams.xs.shape[2]))
    hs, cs, gates = lstm_forward(streams.xs[:-1], zeros, zeros, W)
    probabilities = foretell(hs, V)
    half = len(hs) // 2
    best = probabilities.argmax(axis=1)[:, None]
    legal = np.take_along_axis(streams.legal, best, axis=1)[half:].mean()
    late = streams.outer & (np.arange(len(hs)) >= half)[:, None]
    return hs, cs, gates, legal, outer_right(probabilities, streams.xs, late).mean()


# %% needs="lstm_step_backward lstm_backward"
long_streams = reber_streams(length=2000, count=16, seed=999)
heard = {label: [listen(W, V, long_streams) for W, V, _ in trained[label]] for label in trained}
for label, runs in heard.items():
    for seed, (_, cs, _, legal, outer) in zip(SEEDS, runs, strict=True):
        norm = np.linalg.norm(cs[-1], axis=0).mean()
        print(f"{label}, seed {seed}: legal {legal:.3f}, outer symbol {outer:.2f}, memory norm {norm:.0f}")

keeps, adds = ([outer for *_, outer in runs] for runs in heard.values())
claim(
    "the outer symbol is right in more than .95 of its places with forget gate, below .75 without",
    min(keeps) > 0.95 and max(adds) < 0.75,
    f"at least {min(keeps):.2f}, and at most {max(adds):.2f}",
)
small, large = ([np.linalg.norm(run[1][-1], axis=0).mean() for run in runs] for runs in heard.values())
claim(
    "the memory that can only add ends more than 20 times as large",
    min(large) > 20 * max(small),
    f"{min(large):.0f} and more, beside {max(small):.0f} and less",
)

# %% [markdown] slide="slide"
# ## The memory that can only add

# %% needs="lstm_step_backward lstm_backward" slide="fragment" hide_input=true
norms = {}
for label, runs in heard.items():
    norms[label] = np.array([np.linalg.norm(cs, axis=1).mean(axis=1) for _, cs, *_ in runs])
show(
    figures.memory_norms(norms),
    alt="Norm of the memory against symbols read, both logarithmic. With forget gate it stays around "
    "ten for 2,000 symbols; with the forget gate held at 1 it grows in proportion to the symbols "
    "read, to about two thousand.",
)

# %% [markdown] slide="slide"
# ## Prediction 3, answered
#
# The memory grows with every symbol, and the **outer symbol** is a coin. Yet these
# three networks foretell what is *legal* in 96 of 100 places: every twelfth place is a
# **second** outer symbol, and a coin gets half of them. All else is right. How, with such
# a memory? (Of 15 seeds that we tried, ten got that far in 400 updates.)
#
# A cell far from zero shows $\tanh(c) = \pm 1$, whatever happens. Then
#
# $$\Bigl| h_t - o_t \odot \operatorname{sign}(c_t) \Bigr| \le 2 e^{-2|c_t|}, \qquad
# 1 - \tanh^2 c_t \le 4 e^{-2|c_t|} \tag{6.18}$$
#
# 1. $h_t = \pm o_t$, and $o_t$ reads $h_{t-1}$ and $x_t$: a **plain RNN with
#    sigmoids**. It follows the last few symbols, as a plain RNN does.
# 2. The slope in (6.6) is all but zero, so hardly anything of $dh_t$ reaches the memory.
#    A memory that has run away can **hardly be taught** any more.

# %%
sizes_of_c = np.linspace(0, 30, 301)
far = np.tanh(sizes_of_c)
assert np.all(1 - far <= 2 * np.exp(-2 * sizes_of_c) + 1e-14), "(6.18) does not hold"  # with o at most 1
assert np.all(1 - far**2 <= 4 * np.exp(-2 * sizes_of_c) + 1e-14), "(6.18) does not hold"

# %% [markdown]
# How far is that so in our six networks? The share of cells and positions with
# $|\tanh c| > .99$, and the mean of the slope $1 - \tanh^2 c$, in the second half of
# the streams:

# %% needs="lstm_step_backward lstm_backward"
flat, slope = {}, {}
for label, runs in heard.items():
    flat[label] = [float(np.mean(np.abs(np.tanh(cs[1000:])) > 0.99)) for _, cs, *_ in runs]
    slope[label] = [float(np.mean(1 - np.tanh(cs[1000:]) ** 2)) for _, cs, *_ in runs]
    print(label, "· flat:", np.round(flat[label], 2), "· mean slope:", np.round(slope[label], 3))
claim(
    "held at 1 more than .6 are flat, with forget gate less than .5; and its slope is less than half",
    min(flat["forget gate held at 1"]) > 0.6
    and max(flat["with forget gate"]) < 0.5
    and 2 * max(slope["forget gate held at 1"]) < min(slope["with forget gate"]),
    "the numbers above",
)

# %% [markdown] slide="slide"
# ## A second thought: is it the adding, or the running away?
#
# If the memory fails because it can hardly be *taught*, then a network whose memory is near
# zero while it learns might learn the task **without** a forget gate.
#
# Same network, forget gate held at 1, as many symbols as before. But they come in
# windows of 20, each of them new streams from their beginning, with states set to zero.
# Afterwards: the same 2,000 symbols, nothing set back.

# %% needs="lstm_step_backward lstm_backward"
restarted = [train(seed, forget=False, restart=True, updates=800, length=20) for seed in SEEDS]

# %% needs="lstm_step_backward lstm_backward"
everyone = {**heard, "held at 1, restarts": [listen(W, V, long_streams) for W, V, _ in restarted]}
typical = {}  # the median of |c| over streams and positions, for every cell
for name, runs in everyone.items():
    typical[name] = np.array([np.median(np.abs(cs[1000:]), axis=(0, 2)) for _, cs, *_ in runs])
near_zero = (typical["held at 1, restarts"] < 3).sum(axis=1)
for seed, (_, cs, *_, outer), cells in zip(SEEDS, everyone["held at 1, restarts"], near_zero, strict=True):
    norm = np.linalg.norm(cs[-1], axis=0).mean()
    print(f"seed {seed}: outer symbol {outer:.2f}, memory norm {norm:.0f}, {cells} of 16 cells below 3")

adds = [outer for *_, outer in everyone["held at 1, restarts"]]
claim("adding alone can do it: more than .7 of them are right", min(adds) > 0.7, f"at least {min(adds):.2f}")
endless = (typical["forget gate held at 1"] < 3).sum(axis=1)
claim(
    "3 to 12 of the cells stay below 3, more than in the network that read endless streams",
    near_zero.min() >= 3 and near_zero.max() <= 12 and np.all(near_zero > endless),
    f"{near_zero.tolist()} cells, beside {endless.tolist()}",
)

# %% needs="lstm_step_backward lstm_backward" slide="fragment" hide_input=true
show(
    figures.sizes_of_memory(typical),
    alt="Typical size of each of the 16 memory cells, sorted, three seeds per panel. With forget gate "
    "all are below ten. Held at 1: nearly all are in the tens or hundreds. Held at 1 and trained with "
    "restarts: about half of the cells stay near 1, the others are in the hundreds and thousands.",
)

# %% [markdown] slide="slide"
# ## What that teaches
#
# It learns, in three of three seeds (and in all 15 that we tried). About half of its
# cells have run away; the others stay near 1. With $f = 1$ a memory is the **sum of all
# that was ever written**. It stays small only if the candidates write the opposite of
# what is there, whenever a string has ended.
#
# So "a memory that only adds cannot do it" is not true. What is true:
#
# - without a forget gate much of the memory is used up, and becomes a constant;
# - where it has run away before the network has learned, most of the gradient is gone too;
# - a forget gate makes emptying a cell *one small step*, and endless streams easy.

# %% [markdown]
# "Hardly" is not "never". In longer runs, outside this notebook, the network that reads
# endless streams with its forget gate held at 1 had learned the outer symbol in two of
# three seeds after 1,500 updates, and in three of three after 4,000. With the forget gate
# it took less than 400.
#
# ### Beside Gers et al. (2000)
#
# They report the same: without forget gates the memory grows and the continual task
# fails; with them it is solved. Their networks were smaller, with cells grouped in
# blocks, and they were trained one symbol at a time with a *truncated* gradient: errors
# do not travel back through the gates into earlier visible states. Ours get the exact
# gradient within a window, in batches, with Adam. Learning to write the opposite needs
# just those routes through $h$. So we put no number of theirs beside ours.

# %% [markdown] written="memory_that_only_adds" points=3
# Somebody trains an LSTM whose forget gates start at a bias of 0, on sequences of 100
# steps where the first symbol decides the answer, and it learns nothing. A colleague
# says: "Then hold the forget gates at 1 for ever; the gradient is kept and you need not
# learn them."
#
# In three to five sentences: why did it learn nothing? What would the colleague's
# proposal do on these sequences, and what on a stream that never ends? What would you
# do instead?
#
# === BEGIN MARK SCHEME ===
# 1 point: at bias 0 the gates stand near one half, so the additive path halves the
# gradient at each step (about 1e-30 over 100 steps; with the path through the candidate
# at most three quarters a step, 1e-12); the first symbol gets no usable gradient.
#
# 1 point: held at 1, the additive path keeps the gradient on these sequences, and it may
# well learn; on an endless stream the memory grows, tanh(c) saturates at plus or minus 1,
# it tells nothing and, by (6.6), gets hardly any gradient. (That some networks learn to
# write the opposite may be said, and is worth the point as well.)
#
# 1 point: start with a forget bias in keeping with the length (3 to 5 here, half-life 14
# to 100 steps) and leave the gate to be learned. "Bias 1" without a word on the length:
# half a point.
# === END MARK SCHEME ===

# %% [markdown] slide="slide"
# ## Recap
#
# - Two gradients travel back. The memory's total is
#   $dc_t + dh_t \odot o_t \odot (1 - \tanh^2 c_t)$.
# - To the earlier memory it goes times $f_t$; to the earlier visible state through four
#   matrices.
# - The additive path multiplies by every forget gate on the way. At bias 0 it halves.
# - Started with orthogonal matrices and zero biases, an LSTM loses its gradient
#   *faster* than a tanh RNN started the same way; a forget bias mends it, and each
#   further unit of it makes the memory last nearly $e$
#   times longer.
# - The forget gate empties the memory. Without it many cells run away on an endless
#   stream, and those can hardly be taught.

# %% [markdown] slide="slide"
# ## To read on
#
# - S. Hochreiter, J. Schmidhuber: *Long Short-Term Memory*, Neural Computation 9
#   (1997). The LSTM, without a forget gate.
# - F. Gers, J. Schmidhuber, F. Cummins: *Learning to Forget: Continual Prediction with
#   LSTM*, Neural Computation 12 (2000). The forget gate, and the endless Reber streams.
# - R. Jozefowicz, W. Zaremba, I. Sutskever: *An Empirical Exploration of Recurrent
#   Network Architectures*, ICML 2015. Thousands of architectures, and the advice on the
#   forget bias.
# - C. Tallec, Y. Ollivier: *Can Recurrent Neural Networks Warp Time?*, ICLR 2018.
#   Choosing the forget bias by the time to be remembered.
#
# Next: notebook 07 trains such networks on real sentences, with PyTorch.
