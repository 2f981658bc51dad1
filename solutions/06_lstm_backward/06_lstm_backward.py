# %% [markdown] slide="slide"
# # 06 · The LSTM's own gradient
#
# The LSTM was invented to keep a gradient alive. Does it? You find its backward pass,
# measure it, and let it learn to read.

# %% [markdown] slide="notes"
# Open question to the room: "why does an LSTM not have vanishing gradients?" The usual
# wrong answer: "because the memory is added, not multiplied, so the gradient goes
# through unchanged". Write it on the board as it was said. Part 4 measures.

# %% [markdown] slide="slide"
# ## What you will be able to do
#
# - **find** the backward pass of one LSTM step, and say why two gradients travel back;
# - write it for a whole sequence, biases included;
# - measure how much of a gradient reaches the first step, and change that with one
#   number;
# - train your own LSTM on real sentences, and read its gates;
# - find the backward pass of a cell that nobody derived for you.
#
# **Time**: {time}. The place to stop is marked.

# %% [markdown] slide="notes"
# The lecture takes 55 minutes: 20 for parts 1 and 2, 10 for the sequence, 15 for the
# gradient flow, 10 for the sentences. Leave the exercises to the lab.

# %%
from collections import Counter

from autograder import check, guess, hint, progress, recall, reveal, show_derivation
from rnncourse import claim, explorer, show
from rnncourse import figures_06 as figures
from rnncourse.adam import Adam
from rnncourse.cells import draw_cell, draw_chain, step_through
from rnncourse.data import sentiment_sentences, tokens
from rnncourse.gradient_paths import gradient_paths
from rnncourse.reber import INNER, as_text, reber_streams

# %% given="imports"
import numpy as np

# %% [markdown]
# ## Three minutes of recall
#
# From memory. Type your answers in the places of the dots and run the cell. There are no
# marks.
#
# Notebook 05: a memory of 2 meets a forget gate of 0.5, an input gate of 1 and a
# candidate of −0.4. What is the new memory? And what does the cell show, $h_t$, with an
# output gate of 0.7?

# %% recall="06.r1"
recall("06.r1", memory=0.6, shown=0.38)

# %% [markdown] answer="06.r1"
# **0.6 and 0.38**: $0.5 \cdot 2 + 1 \cdot (-0.4) = 0.6$, and $0.7 \cdot \tanh(0.6) \approx 0.7 \cdot 0.54$.

# %% [markdown]
# Notebook 05: what do the LSTM's four networks read of the step before?

# %% recall="06.r2"
recall("06.r2", they_read="visible state", choices=("memory", "visible state", "both"))

# %% [markdown] answer="06.r2"
# **The visible state** $h_{t-1}$, beside the input $x_t$. None of them sees the memory.

# %% [markdown]
# Notebook 04: you nudged the gate of $s_t = (1 - g)\, s_{t-1} + g\, \tilde s_t$ alone,
# with $s_{t-1} = 0.5$ and $\tilde s_t = 0$. A gradient of 1 arrives at $s_t$. How much of
# it does the gate get?

# %% recall="06.r3"
recall("06.r3", gate_gets=-0.5)

# %% [markdown] answer="06.r3"
# **−0.5**: opening the gate writes more of the 0 and keeps less of the 0.5.

# %% [markdown]
# Notebook 02: one matrix serves $N$ sequences at every one of $T$ steps. How are the
# $N \cdot T$ contributions to its gradient put together?

# %% recall="06.r4"
recall("06.r4", they_are="summed", choices=("averaged", "summed", "last one counts"))

# %% [markdown] answer="06.r4"
# **Summed**, over the steps and over the sequences. (A mean, where one is wanted, is
# taken once, in the loss.)

# %% [markdown]
# ### What you need
#
# From 00 the slopes of sigmoid and tanh, written with their outputs; from 02 the way back
# through a matrix product and through time; from 04 a step whose gradient comes home by
# several ways; from 05 the LSTM's forward pass.
#
# `hint(lstm_step_backward)` gives the next of three hints. `progress()` shows what is
# done and what comes next.

# %% [markdown] slide="slide"
# ## 1 · The LSTM of notebook 05, now with biases
#
# Each of the four networks has its matrices and, new here, a **bias** $b$, a column of
# $H$ numbers:
#
# $$z^k_t = W^{k,h} h_{t-1} + W^{k,x} x_t + b^k, \qquad k \in \{f, i, o, c\}$$
# $$f_t = \sigma(z^f_t), \quad i_t = \sigma(z^i_t), \quad o_t = \sigma(z^o_t), \qquad
# \tilde c_t = \tanh(z^c_t) \tag{6.1}$$
#
# Forget gate, input gate, output gate, candidate. They make the new memory and what is
# shown of it:
#
# $$c_t = f_t \odot c_{t-1} + i_t \odot \tilde c_t \tag{6.2}$$
# $$h_t = o_t \odot \tanh(c_t) \tag{6.3}$$

# %% [markdown] slide="notes"
# Ask: "which of the four networks reads the memory c?" None: all read h. The usual
# wrong answer is the forget gate. (A variant called peephole connections lets the gates
# read c.)

# %% [markdown] slide="subslide"
# ### Count before you look
#
# In (6.1) to (6.3): through how many multiplications does the memory $c_{t-1}$ go on its
# way to $c_t$? And how many networks read the visible state $h_{t-1}$?

# %% guess="06.1"
guess("06.1", multiplications=1, networks=4)

# %% [markdown] answer="06.1" slide="fragment"
# **One, and four.** The memory meets the forget gate and is added to. The visible state
# is spread over four networks, eight matrices with those of the input.

# %% [markdown] slide="subslide"
# ### One step
#
# Boxes multiply by a matrix, + adds (here with a bias), a ring with a dot multiplies entry
# by entry.

# %% slide="-" hide_input=true
draw_cell("lstm with biases")

# %% [markdown] slide="notes"
# Follow the upper line with a finger from left to right: one ring, one plus. Then the
# lower one: four boxes. Ask: "which of the two would you rather be, as a gradient?"

# %% [markdown] slide="subslide"
# ### The same step, word after word
#
# Count what stands on each of the two wires between one word and the next.

# %% slide="-" hide_input=true
draw_chain("lstm with biases", ("not", "a", "film"))

# %% [markdown]
# With numbers on every wire: step with the arrow keys or the buttons.

# %% hide_input=true
step_through("lstm with biases")

# %% [markdown]
# ### Sizes
#
# $D$ inputs, $H$ units, $N$ sequences side by side, one **column** each, $T$
# positions. On paper the first position is $t = 1$; in Python it has the index 0.
#
# | in code | shape | in formulas |
# |---|---|---|
# | `x_t` | (D, N) | input $x_t$ |
# | `h_prev`, `c_prev` | (H, N) | visible state $h_{t-1}$ and memory $c_{t-1}$ |
# | `h_t`, `c_t` | (H, N) | $h_t$, $c_t$ |
# | `gates["f"]`, `["i"]`, `["o"]` | (H, N) | the gates $f_t$, $i_t$, $o_t$ |
# | `gates["c"]` | (H, N) | the **candidate** $\tilde c_t$, *not* the memory |
# | `W["fh"]`, `W["fx"]`, `W["fb"]`; so for i, o, c | (H, H), (H, D), (H, 1) | $W^{f,h}$, $W^{f,x}$, $b^f$ |
#
# A sequence puts time first: `xs` (T, D, N), `hs` (T, H, N), `cs` (T, H, N), and each of
# the `gates` (T, H, N). So `cs` holds memories, and `gates["c"]` candidates.
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
# So whatever you find for the gradient of a weight holds for a bias, with 1 for its input.


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
print("(6.4) holds")

# %% [markdown] slide="slide"
# ## 2 · Two states, so two gradients
#
# Step $t + 1$ reads **both** $h_t$ and $c_t$. So two gradients arrive at step $t$:
#
# - $dh_t$, the gradient of the loss by the visible state, from step $t + 1$ and from
#   whoever else looks at $h_t$. In code: `dh`;
# - $dc_t$, the gradient of the loss by the memory *that arrives along the memory's own
#   wire*, from step $t + 1$. In code: `dc`.
#
# In notebook 02 $d$ was always total. $dh_t$ is; **$dc_t$ is not**, and breaks that rule: what
# $h_t$ of the same step does with the memory is not in it yet. It is what step $t + 1$ can know.
#
# One step backward turns them into those of the step before, `dh_prev` and `dc_prev`,
# and on the way into the gradients of its input and of its weights.

# %% [markdown] slide="notes"
# Ask: "how many ways lead from c_t to the loss?" Two: the next memory, and h_t of its own
# step. The usual answer is one; forgetting the other is the most frequent slip in the
# exercise.

# %% [markdown] slide="subslide"
# ### Who is taught?
#
# Suppose that only $dc_t$ arrives, and $dh_t = 0$. One of the four networks gets no
# gradient at this step. Which one?

# %% guess="06.2"
guess("06.2", taught_nothing="output", choices=("forget", "input", "output", "candidate"))

# %% [markdown]
# You will see it with your own function. First, a tool for trials: `jacobian` gives all
# derivatives of a function by small nudges, one column for each entry of its argument.


# %%
def jacobian(function, array, eps=1e-6):
    """Numeric derivatives: row = entry of the result, column = entry of the argument."""
    columns = []
    for place in np.ndindex(array.shape):
        nudge = np.zeros(array.shape)
        nudge[place] = eps
        columns.append(np.ravel(function(array + nudge) - function(array - nudge)) / (2 * eps))
    return np.stack(columns, axis=1)


h_t, c_t, gates = lstm_step(x_t, h_prev, c_prev, W)
jacobian(lambda h: lstm_step(x_t, h, c_prev, W)[1], h_prev).round(3)  # the new memory by the old h

# %% [markdown]
# Whatever the loss is, near this point it changes by $dh_t \cdot$ (change of $h_t$) plus
# $dc_t \cdot$ (change of $c_t$). So a weighted sum, with any weights `dh` and `dc`, can
# stand for the rest of the network:

# %%
dh, dc = rng.normal(size=(H, 1)), rng.normal(size=(H, 1))  # what the rest of the network asks


def loss_of_step(x_t, h_prev, c_prev, W):
    h, c, _ = lstm_step(x_t, h_prev, c_prev, W)
    return np.sum(dh * h) + np.sum(dc * c)


# %% [markdown] slide="slide"
# ## With pen and paper
#
# One unit, one sequence. These numbers are known:
#
# | $c_{t-1}$ | $f_t$ | $i_t$ | $o_t$ | $\tilde c_t$ | $dh_t$ | $dc_t$ |
# |---|---|---|---|---|---|---|
# | 1.2 | .75 | .5 | .6 | −.8 | 1 | .2 |
#
# First forward: $c_t = .75 \cdot 1.2 + .5 \cdot (-.8) = .5$ and $\tanh .5 = .462$.
#
# **One line, worked by nudging.** Raise the candidate by .01, to −.79. The memory moves
# by .0050, to .5050; what is shown moves from .27727 to .27962, by .00235. So the loss moves by
# $1 \cdot .00235 + .2 \cdot .0050 = .00335$: the candidate's gradient is about **.335** (a smaller
# nudge would give .336).

# %% [markdown] slide="subslide"
# ### Your lines of the table
#
# Without nudging: which slopes made that .336? Then fill in the others.
#
# | gradient by | is |
# |---|---|
# | the candidate $\tilde c_t$ | .336 |
# | the memory $c_t$, all that arrives there | ? |
# | the forget gate $f_t$ | ? |
# | the input gate $i_t$ | ? |
# | the output gate $o_t$ | ? |
# | the memory before, $c_{t-1}$ | ? |

# %% [markdown] slide="notes"
# Give the room five minutes, in pairs. Every number differs from every other, so a slip
# shows. The usual first slip: the memory gets .2, and the part through h is forgotten.
# Whoever has five numbers nudges one of them.

# %% guess="06.3"
guess("06.3", memory=0.672, forget_gate=0.806, input_gate=-0.537, output_gate=0.462, memory_before=0.504)

# %% [markdown] answer="06.3" slide="fragment"
# | memory | forget gate | input gate | output gate | memory before |
# |---|---|---|---|---|
# | .672 | .806 | −.537 | .462 | .504 |
#
# If your memory has .2, what comes through $h_t$ is missing; then the three lines that
# start there are too small as well. If it has .8, something stands between $h_t$ and
# $c_t$, and it has a slope.

# %% [markdown] slide="slide"
# ## The formulas are yours to find
#
# 1. **From what is shown.** (6.3) is a product. Hold one factor still, nudge the other.
# 2. **At the memory** two gradients meet. Which?
# 3. **From the memory** (6.2) leads to four things. One line each, as on paper.
# 4. **Through the squashing** to the four $z^k_t$. The `gates` that you get are
#    *outputs*: squash nothing twice.
# 5. **Home**, through the matrices: to $h_{t-1}$, to $x_t$, to the weights, and by (6.4)
#    to the biases.

# %% [markdown] slide="notes"
# Stop here and let the room work. What follows are the answers, line by line. A student's
# notebook shows them once the check is right, or when they give up.

# %% [markdown]
# ### Exercise: one step backward
#
# Write it for a batch. `check` compares with numeric slopes of `lstm_step`, and says
# which way is not right.
#
# Each way can be tried alone, with inputs that silence the others' ways home:
# `check(lstm_step_backward, stage="memory")` looks at what arrives at the memory, and so
# do the stages `"memory before"`, `"forget"`, `"input"`, `"output"` and `"candidate"` at
# theirs (begin with the memory: three of them start there); `"forget home"` and three more look
# at how a network's part comes home. A check that finds a way wrong names the stage that shows it.
#
# When it is right, it shows the formulas (6.5) to (6.11), and the picture turned round.
# `show_derivation(lstm_step_backward)` shows them without. It costs nothing; try first.


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
    """One step of the LSTM, backward.

    Args:
        dh: (H, N) gradient of the loss by the visible state h_t, all of it.
        dc: (H, N) gradient by the memory c_t that arrives along the memory's own wire; not
            the total one: what comes through h_t is not in it yet.
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
    do = dh * tanh_c
    df, di, dcandidate = dc_total * c_prev, dc_total * candidate, dc_total * i  # (6.7)
    dc_prev = dc_total * f  # (6.8)
    dz = {"f": df * f * (1 - f), "i": di * i * (1 - i), "o": do * o * (1 - o)}  # (6.9)
    dz["c"] = dcandidate * (1 - candidate**2)
    dh_prev = sum(W[k + "h"].T @ dz[k] for k in "fioc")  # (6.10)
    dx = sum(W[k + "x"].T @ dz[k] for k in "fioc")
    dW = {}
    for k in "fioc":
        dW[k + "h"], dW[k + "x"] = dz[k] @ h_prev.T, dz[k] @ x_t.T  # (6.11)
        dW[k + "b"] = dz[k].sum(axis=1, keepdims=True)
    return dx, dh_prev, dc_prev, dW
    ### END SOLUTION


# %% check="lstm_step_backward"
check(lstm_step_backward)

# %% [markdown] found="lstm_step_backward" slide="slide"
# ### Step 1: from the visible state
#
# (6.3) is a product, entry by entry. Each factor's derivative is the other factor;
# $\tanh$ has the slope $1 - \tanh^2$:
#
# $$\frac{\partial h_t}{\partial o_t} = \operatorname{diag}(\tanh c_t), \qquad
# \frac{\partial h_t}{\partial c_t} = \operatorname{diag}\bigl(o_t \odot (1 - \tanh^2 c_t)\bigr)
# \tag{6.5}$$
#
# In the first the memory is held still, in the second the gate.

# %% found="lstm_step_backward"
h_t, c_t, gates = lstm_step(x_t, h_prev, c_prev, W)
f, i, o, candidate = (gates[k] for k in "fioc")
by_gate = jacobian(lambda o: o * np.tanh(c_t), o)
by_memory = jacobian(lambda c: o * np.tanh(c), c_t)
assert np.allclose(by_gate, np.diagflat(np.tanh(c_t)), atol=1e-8), "(6.5) does not hold"
assert np.allclose(by_memory, np.diagflat(o * (1 - np.tanh(c_t) ** 2)), atol=1e-8), "(6.5) does not hold"
print("(6.5) holds")

# %% [markdown] found="lstm_step_backward" slide="slide"
# ### Step 2: what arrives at the memory
#
# The memory $c_t$ has two readers: the next step, along its own wire, and $h_t$. What
# the two send back is **added**:
#
# $$dc^{\,total}_t = dc_t + dh_t \odot o_t \odot (1 - \tanh^2 c_t) \tag{6.6}$$
#
# A closed output gate ($o \approx 0$) lets nothing of $dh_t$ through. Neither does a
# memory far from zero, where $\tanh$ is flat.

# %% [markdown] slide="notes"
# Ask: "which factor would you forget?" Most say the slope of tanh. In the lab it is the
# whole second term.

# %% found="lstm_step_backward"
dc_total = dc + dh * o * (1 - np.tanh(c_t) ** 2)  # (6.6)
loss_of_memory = lambda c: np.sum(dh * o * np.tanh(c)) + np.sum(dc * c)
assert np.allclose(jacobian(loss_of_memory, c_t), dc_total.T, atol=1e-8), "(6.6) does not hold"
print("(6.6) holds")

# %% [markdown] found="lstm_step_backward" slide="slide"
# ### Step 3: from the memory to the gates, and to the memory before
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

# %% [markdown] found="lstm_step_backward" slide="fragment"
# On paper: $dc^{\,total} = .2 + 1 \cdot .6 \cdot .786 = .672$. From it the candidate's
# $.672 \cdot .5 = .336$, and the others by their own factors.


# %% found="lstm_step_backward"
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
print("(6.7) and (6.8) hold")

# %% [markdown] found="lstm_step_backward" slide="slide"
# ### Step 4: through the squashing functions
#
# Sigmoid and tanh have slopes that can be had from their outputs, $g(1 - g)$ and
# $1 - \tilde c^2$:
#
# $$dz^f = df \odot f_t \odot (1 - f_t), \qquad dz^i = di \odot i_t \odot (1 - i_t),$$
# $$dz^o = do \odot o_t \odot (1 - o_t), \qquad dz^c = d\tilde c \odot (1 - \tilde c_t^2) \tag{6.9}$$

# %% found="lstm_step_backward"
z = {k: W[k + "h"] @ h_prev + W[k + "x"] @ x_t + W[k + "b"] for k in "fioc"}
for k in "fio":
    slope = np.diagflat(gates[k] * (1 - gates[k]))
    assert np.allclose(jacobian(sigmoid, z[k]), slope, atol=1e-8), "(6.9) does not hold"
assert np.allclose(jacobian(np.tanh, z["c"]), np.diagflat(1 - candidate**2), atol=1e-8), "(6.9) does not hold"
print("(6.9) holds")

# %% [markdown] found="lstm_step_backward" slide="slide"
# ### Step 5: through the matrices
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
# where $dz^k_n$ is column $n$ of $dz^k$.

# %% found="lstm_step_backward"
dz = {k: claimed["candidate" if k == "c" else k] * gates[k] * (1 - gates[k]) for k in "fioc"}
dz["c"] = claimed["candidate"] * (1 - candidate**2)  # (6.9)
by_h = jacobian(lambda h: loss_of_step(x_t, h, c_prev, W), h_prev)
by_x = jacobian(lambda x: loss_of_step(x, h_prev, c_prev, W), x_t)
assert np.allclose(by_h, sum(W[k + "h"].T @ dz[k] for k in "fioc").T, atol=1e-7), "(6.10) does not hold"
assert np.allclose(by_x, sum(W[k + "x"].T @ dz[k] for k in "fioc").T, atol=1e-7), "(6.10) does not hold"
for k in "fioc":
    for key, formula in {k + "h": dz[k] @ h_prev.T, k + "x": dz[k] @ x_t.T, k + "b": dz[k]}.items():
        moved = lambda w, key=key: loss_of_step(x_t, h_prev, c_prev, {**W, key: w})
        numeric = jacobian(moved, W[key])
        assert np.allclose(numeric, formula.reshape(1, -1), atol=1e-7), "(6.11) does not hold"
print("(6.10) and (6.11) hold")

# %% [markdown] found="lstm_step_backward" slide="slide"
# ### The picture, turned round
#
# Where a value was copied, gradients are added; where two were added, both get the same.

# %% found="lstm_step_backward" slide="-" hide_input=true
from rnncourse.withheld import way_back

draw_cell("lstm with biases", back=way_back("lstm with biases"))

# %% [markdown] found="lstm_step_backward" slide="subslide"
# ### Word by word, and back again
#
# The loss looks at the last visible state. At which place do two gradients meet?

# %% found="lstm_step_backward" slide="-" hide_input=true
from rnncourse.withheld import way_back

step_through("lstm with biases", back=way_back("lstm with biases"))

# %% [markdown] found="lstm_step_backward" slide="slide"
# ### What the memory's wire carries over a whole sequence
#
# Put (6.6) into (6.8) and go back from $t = T$ to 1. Nothing is left out:
#
# $$dc_0 = \Bigl(\prod_{s=1}^{T} f_s\Bigr) \odot dc_T \;+\;
# \sum_{t=1}^{T} \Bigl(\prod_{s=1}^{t} f_s\Bigr) \odot dh_t \odot o_t \odot (1 - \tanh^2 c_t)
# \tag{6.14}$$
#
# Each visible state hands its gradient to the memory of its own step; from there it goes
# back **multiplied by every forget gate** on the way. These factors are at most 1: the
# wire can keep a gradient, it cannot make it grow.
#
# The ways through the matrices have not gone away: they are inside the $dh_t$.

# %% [markdown] slide="notes"
# Ask: "so where does the 'constant error carousel' stop?" At any forget gate below 1.
# The usual wrong answer: nowhere, it is a sum.

# %% found="lstm_step_backward"
rng = np.random.default_rng(14)
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
assert np.allclose(dc_start, products[-1] * dc + (products * handed_in).sum(axis=0), atol=1e-7), (
    "(6.14) does not hold"
)
print("(6.14) holds")

# %% [markdown] found="lstm_step_backward"
# ### Extra: where it goes in networks that were trained
#
# Three networks learned to tell the language of a surname. Type a name that you know. Above
# each letter stands what it gave to the score of one language, in three parts: the
# ways that pass no gate and only the candidate of that letter (*direct*: on the LSTM's wire
# they meet forget gates as factors, as in (6.14)), those that pass the candidates of later
# letters too, and those that go through a gate. The three add up to the whole gradient.
#
# The table has them for one letter. *Measured*: their sum by nudging, how fast the score moves
# as the letter is read a little louder. *Without it*: how far the score moves if nothing is read
# in the letter's place.
#
# Move the training from its end to its beginning. What becomes of the first letters?

# %% found="lstm_step_backward" hide_input=true
from rnncourse.withheld import way_back

gradient_paths(way_back("lstm"))

# %% [markdown] slide="slide"
# ## Who was taught?
#
# Send `dh` alone through your step, then `dc` alone. With one sequence, a bias gets what
# its network gets, so its size says how much each network is taught.

# %% slide="fragment" needs="lstm_step_backward" hide_input=true
state = (x_t, h_prev, c_prev, c_t, gates, W)
from_h = lstm_step_backward(dh, 0 * dc, *state)[3]
from_c = lstm_step_backward(0 * dh, dc, *state)[3]
names = {"f": "forget gate", "i": "input gate", "o": "output gate", "c": "candidate"}
shares = {names[k]: tuple(np.linalg.norm(d[k + "b"]) for d in (from_h, from_c)) for k in "fioc"}
show(
    figures.who_teaches(shares),
    alt="Bars for the four networks: the visible state's gradient teaches all four; the memory's "
    "gradient teaches the forget gate, the input gate and the candidate, and the output gate not at all.",
)

# %%
reveal("06.2")

# %% [markdown] answer="06.2" sealed=true slide="fragment"
# **The output gate.** It decides what is *shown* at this step, and has no part in what is
# *kept*. If you wrote "forget": that gate made $c_t$, so the memory's gradient teaches it.

# %% [markdown] slide="slide"
# ## 3 · A whole sequence
#
# The outside (a read-out, a loss) may look at every visible state. Its gradient by each of
# them, with all others held still, is `dhs`, of shape (T, H, N), zero where nobody looks.
#
# Let $T = 7$, and let the loss look at $h_7$ only. What is $dc_7$, the gradient that
# arrives along the memory's own wire after the last step? And how many of the seven steps
# teach the weights something?

# %% [markdown] slide="notes"
# The usual wrong answers: dc starts as dh (it looks so alike), and one step.

# %% guess="06.4"
guess("06.4", dc_7=0, steps_that_teach=7)

# %% [markdown]
# ### Exercise: the sequence backward
#
# With your step. Mind the first position: what was there before `hs[0]`? (In Python
# `hs[-1]` is not an error. It is the last state.)


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
    """The LSTM backward through a whole sequence.

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
    dxs, dh_carried, dc_carried = np.zeros(xs.shape), np.zeros(h0.shape), np.zeros(c0.shape)
    dW = {key: np.zeros(weights.shape) for key, weights in W.items()}
    for t in reversed(range(len(xs))):
        h_prev = hs[t - 1] if t > 0 else h0
        c_prev = cs[t - 1] if t > 0 else c0
        now = {k: gate[t] for k, gate in gates.items()}
        dh = dhs[t] + dh_carried  # (6.12)
        dx, dh_carried, dc_carried, dW_t = lstm_step_backward(
            dh, dc_carried, xs[t], h_prev, c_prev, cs[t], now, W
        )
        dxs[t] = dx
        for key in dW:
            dW[key] += dW_t[key]  # (6.13)
    return dxs, dh_carried, dc_carried, dW
    ### END SOLUTION


# %% check="lstm_backward"
check(lstm_backward)

# %%
reveal("06.4")

# %% [markdown] answer="06.4" sealed=true slide="subslide"
# **0, and all seven.** Nobody outside sees a memory, and no step comes after the last. Let
# $\delta h_t$ be what comes from outside (`dhs[t - 1]`), and $dh^{\,next}_t$, $dc^{\,next}_t$ what
# step $t + 1$ hands back. Then
#
# $$dh_t = \delta h_t + dh^{\,next}_t, \qquad dc_t = dc^{\,next}_t, \qquad
# dh^{\,next}_T = dc^{\,next}_T = 0 \tag{6.12}$$
#
# The weights are shared by all steps, so their gradients are summed:
#
# $$dW = \sum_{t=1}^{T} dW_t \tag{6.13}$$

# %% [markdown]
# Test it once more yourself, all twelve arrays of weights (72 numbers) at a time: walk a little way along one
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
print(f"slope of the loss: by nudging {numeric:.8f}, by your gradient {analytic:.8f}")

# %% [markdown] sitting=2
# > **A place to stop.** You have the whole backward pass. What follows measures it, and
# > puts it to work.

# %% [markdown] slide="slide"
# ## 4 · How much of the gradient arrives?
#
# Somebody looks at the **end** of the sequence only. Walk back with $dh_T$ and $dc_T$
# given, nothing from outside on the way, and write down how long the two gradients are
# at every stop.
#
# The length of a column $v$ is its norm $\|v\| = \sqrt{v_1^2 + \dots + v_H^2}$, one
# for each sequence.

# %% [markdown]
# ### Exercise: the gradient's flow


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
        now = {k: gate[t] for k, gate in gates.items()}
        _, dh, dc, _ = lstm_step_backward(dh, dc, xs[t], h_prev, c_prev, cs[t], now, W)
        dh_norms[t] = np.linalg.norm(dh, axis=0)
        dc_norms[t] = np.linalg.norm(dc, axis=0)
    return dh_norms, dc_norms
    ### END SOLUTION


# %% check="gradient_flow"
check(gradient_flow)

# %% [markdown] slide="slide"
# ## LSTM or tanh RNN?
#
# Two networks that have learned nothing yet, 16 units, one hundred steps. All biases are
# zero; every recurrent matrix is **orthogonal** (it turns, and changes no length); the
# inputs are **calm** (standard deviation .1).
#
# Some of the gradient at step 100 is left at step 1. Which of the two keeps more of it, the
# tanh RNN or the LSTM?

# %% [markdown] slide="notes"
# Collect answers by show of hands. Nearly everybody votes for the LSTM: this is what
# they were told. Leave it standing; the next slide measures. Say the condition with it:
# orthogonal start, zero biases, calm inputs.

# %% guess="06.5"
guess("06.5", keeps_more="tanh RNN", choices=("tanh RNN", "LSTM", "the same"))

# %% [markdown]
# Two ways to start, for both networks alike: orthogonal recurrent matrices (input
# matrices normal, with standard deviation $0.5/\sqrt D$), and all entries uniform between
# $-1/\sqrt H$ and $1/\sqrt H$ (PyTorch's way).


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


# %% [markdown]
# The tanh RNN's walk is given from notebook 03; the LSTM's is yours. Of an LSTM the norm
# of the pair counts, $\sqrt{\|dh\|^2 + \|dc\|^2}$.


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


def lstm_flow(dh, xs, W, forget_bias, closed=""):
    """Norms (T + 1, N) of the pair in an LSTM with this forget bias; dc_T = 0.

    The way back through the recurrent matrices of the networks in `closed` is shut (for the slider
    below and the first extra).
    """
    W, zeros = {**W, "fb": W["fb"] + forget_bias}, np.zeros(dh.shape)
    forward = lstm_forward(xs, zeros, zeros, W)
    back = {**W, **{k + "h": 0 * W[k + "h"] for k in closed}}
    return np.hypot(*gradient_flow(dh, zeros, xs, zeros, zeros, *forward, back))


# %% needs="lstm_step_backward gradient_flow" hide_input=true
settings = {
    "orthogonal, calm inputs (.1)": ("orthogonal", 0.1),
    "orthogonal, loud inputs (1)": ("orthogonal", 1.0),
    "uniform ±1/√H, loud inputs (1)": ("uniform", 1.0),
}


def left_over(kind, loudness, seed, H=16, biases=(0, 1, 3, 5)):
    """The gradient at step 1 divided by that at step 100, median of 8 sequences, by network."""
    rng = np.random.default_rng(seed)
    lstm, rnn = starting_weights(rng, kind, H)
    xs, last = loudness * rng.normal(size=(100, 4, 8)), rng.normal(size=(H, 8))
    flows = {"tanh RNN": rnn_flow(last, xs, rnn)}
    flows |= {f"LSTM, bias {bias}": lstm_flow(last, xs, lstm, bias) for bias in biases}
    return {name: np.median(norms[1] / norms[100]) for name, norms in flows.items()}


ratios = {}
for setting, (kind, loudness) in settings.items():
    runs = [left_over(kind, loudness, seed) for seed in range(5)]
    ratios[setting] = {name: [run[name] for run in runs] for name in runs[0]}
calm, loud, uniform = ratios.values()
less = [np.divide(table["LSTM, bias 0"], table["tanh RNN"]).max() for table in (calm, loud)]
claim(
    "orthogonal start, zero biases, in every seed: of what the RNN keeps the LSTM keeps less than a "
    "billionth with calm inputs, less than a tenth with loud ones",
    less[0] < 1e-9 and less[1] < 0.1,
    f"at most {less[0]:.0e} of it with calm inputs, {less[1]:.0e} with loud ones",
)

# %% [markdown] slide="slide"
# ## The honest gradient-flow table
#
# What is left at step 1 of the gradient at step 100. Each dot is one seed; the numbers are
# medians of five seeds. *Bias* is the forget gate's; all others are zero.

# %% needs="lstm_step_backward gradient_flow" slide="-" hide_input=true
show(
    figures.flow_table(ratios),
    alt="Dots for five seeds of five networks under three starts. Orthogonal and calm: tanh RNN about "
    "5e-2, LSTM with forget bias 0 about 6e-14, bias 1 about 2e-2, bias 3 and 5 above 1. "
    "Orthogonal and loud: RNN 3e-12, LSTM bias 0 5e-17, bias 1 1e-5, bias 3 and 5 near 1. Uniform: RNN "
    "1e-26, LSTM bias 0 1e-21, bias 1 1e-8, bias 3 and 5 near 1.",
)

# %%
reveal("06.5")

# %% [markdown] answer="06.5" sealed=true slide="subslide"
# **The tanh RNN**, under these conditions: orthogonal start, zero biases, calm inputs. Of
# the gradient at step 100 it keeps a twentieth; the LSTM keeps a million times a million
# times less. With loud inputs and the same start both lose it, the LSTM more, by thousands to
# millions of times from seed to seed.
#
# **Another condition, another order**: started uniformly, with loud inputs, both lose all of it, the
# RNN more in the median.
#
# Why? A forget gate whose pre-activation is near 0 stands near $\tfrac12$. So the
# memory's own wire *halves* the gradient at every step: $2^{-99} \approx 10^{-30}$. (More
# than that arrived, by another route: the first extra below finds it.)

# %% [markdown] slide="notes"
# The usual objection: "but the LSTM learns to open its forget gates". It does, if some
# gradient tells it to. A second one: "so the RNN is better?" At the start, with
# orthogonal weights, zero biases and calm inputs. Training moves W, and loud inputs flatten
# its tanh.

# %% [markdown] slide="slide"
# ## One number
#
# Look at the memory's own wire alone, where every forget gate stands at the same
# $f = \operatorname{sigmoid}(b)$, because its bias is $b$ and all else is 0.
#
# After how many steps is half of a gradient left, with $b = 1$? (Give one decimal, as if there
# were parts of a step.) And with $b = 5$? (A calculator helps: $\operatorname{sigmoid}(1) = .731$,
# $\operatorname{sigmoid}(5) = .9933$.)

# %% guess="06.6"
guess("06.6", half_left_with_1=2.2, half_left_with_5=103)

# %% [markdown] answer="06.6" slide="subslide"
# **2.2 steps and 103 steps.** After $n$ steps the wire keeps $\operatorname{sigmoid}(b)^n$,
# so half of it after
#
# $$n_{1/2} = \frac{\ln 2}{\ln(1 + e^{-b})} \tag{6.15}$$
#
# steps, because $-\ln \operatorname{sigmoid}(b) = \ln(1 + e^{-b})$. For large $b$ that is
# nearly $e^b \ln 2$: **each unit more makes the memory last $e$ times longer.**
#
# So choose the bias by how long something has to be kept: 1 is far from enough for a
# hundred steps.

# %% [markdown] slide="subslide"
# ### Half of the gradient, after so many steps
#
# The upright axis counts in powers of ten. Where does (6.15) become a straight line?

# %% slide="-" hide_input=true
biases = np.linspace(-2, 7, 91)
half_life = np.log(2) / np.log1p(np.exp(-biases))  # (6.15)
assert np.allclose(sigmoid(biases) ** half_life, 0.5), "(6.15) does not hold"
marked = {b: float(np.log(2) / np.log1p(np.exp(-b))) for b in (0, 1, 3, 5)}
show(
    figures.half_lives(biases, half_life, marked),
    alt="Half-life of a memory against the forget bias, logarithmic: 1 step at bias 0, 2.2 at bias 1, "
    "14.3 at bias 3, 103 at bias 5; for large biases a straight line.",
)

# %% [markdown] slide="slide"
# ## Too much of a good thing?
#
# In the table (16 units) no gradient vanishes with a forget bias of 3 or 5, under any of the
# three conditions. With calm inputs and the orthogonal start it has even grown. Now the same
# start and inputs with **64** units.
#
# By what factor is the gradient at step 1 smaller or larger than that at step 100? Type a
# number: .1 for a tenth, 10 for ten times as much.

# %% [markdown] slide="notes"
# Ask first where growth can come from: "no product of forget gates exceeds 1". The wire's
# does not. The pair's norm does. The usual answer is a number near 1.

# %% guess="06.7"
guess("06.7", with_bias_3=40, with_bias_5=50)

# %% needs="lstm_step_backward gradient_flow" slide="subslide" hide_input=true
wide = [left_over("orthogonal", 0.1, seed, H=64, biases=(3, 5)) for seed in range(5)]
for name in ("LSTM, bias 3", "LSTM, bias 5"):
    factors = np.array([run[name] for run in wide])
    print(f"{name}: {np.median(factors):.0f} times (five seeds: {factors.min():.0f} to {factors.max():.0f})")
claim(
    "64 units, orthogonal start, calm inputs: with bias 3 and 5 the gradient grows at least tenfold in every "
    "seed",
    min(run[name] for run in wide for name in ("LSTM, bias 3", "LSTM, bias 5")) > 10,
    f"{min(run[name] for run in wide for name in ('LSTM, bias 3', 'LSTM, bias 5')):.0f} times and more",
)

# %%
reveal("06.7")

# %% [markdown] answer="06.7" sealed=true slide="fragment"
# **It grows, some forty to fifty times** in the median of five seeds (28 to 101 over
# them); with 16 units the medians stood above 1 as well, and it is the same cause. The memory's
# own wire cannot make a gradient grow; the ways through the matrices can,
# and they are added to it at every step. A forget bias that mends vanishing is no insurance
# against explosion: **clipping** (notebook 03) stays in use.

# %% [markdown] slide="slide"
# ## Try it: forget bias and distance
#
# Computed with your own function. Blue: the LSTM, all ways. Green, dotted: the memory's
# own wire alone. Black, dashed: a tanh RNN started the same way. Calm inputs.
#
# The slider goes from −2 to 6 in notches of .5. For each start: which is the smallest bias on
# it at which a tenth of the gradient is left after 100 steps back?

# %% needs="lstm_step_backward gradient_flow" hide_input=true
flow_rng = np.random.default_rng(4)
starts, kinds = {}, {"orthogonal": "orthogonal", "uniform": "uniform ±1/√H"}
slider = np.arange(-2, 6.5, 0.5)
drawn = {kind: starting_weights(flow_rng, kind, D=3) for kind in kinds}
flow_xs, flow_last = 0.1 * flow_rng.normal(size=(100, 3, 8)), flow_rng.normal(size=(16, 8))


def exponents(norms):
    """Powers of ten of what is left, by steps back; the median of the sequences."""
    return np.log10(np.median(norms[::-1] / norms[-1], axis=1)).round(3).tolist()


for kind, label in kinds.items():
    lstm, rnn = drawn[kind]
    starts[label] = {
        "all": [exponents(lstm_flow(flow_last, flow_xs, lstm, bias)) for bias in slider],
        "wire": [exponents(lstm_flow(flow_last, flow_xs, lstm, bias, "fioc")) for bias in slider],
        "rnn": exponents(rnn_flow(flow_last, flow_xs, rnn)),
    }

# %% needs="lstm_step_backward gradient_flow" slide="subslide" hide_input=true
explorer(
    "gradient_flow",
    {"biases": slider.tolist(), "starts": starts},
    alt="Gradient that is left after so many steps back from the end, for an untrained LSTM (all ways, "
    "and the memory's own wire alone) and a tanh RNN. Sliders set the forget bias and the distance.",
)

# %% guess="06.8"
guess("06.8", orthogonal=1.5, uniform=2)

# %% [markdown] answer="06.8"
# **1.5 and 2.** One notch less, and one part in 42 is left, or in 4,900. (Calm inputs, 16
# units; the median of eight sequences.) The same without sliders stands below: the orthogonal
# start, four biases.

# %% needs="lstm_step_backward gradient_flow" hide_input=true
left = lambda start, bias: 10.0 ** starts[start]["all"][list(slider).index(bias)][100]
notches = (("orthogonal", 1.5), ("uniform ±1/√H", 2.0))
at, below = ([left(start, bias - less) for start, bias in notches] for less in (0, 0.5))
claim(
    "more than a tenth is left; one notch less, and it is one part in 30 to 60, or in 3,000 to 7,000",
    min(at) > 0.1 and 30 < 1 / below[0] < 60 and 3000 < 1 / below[1] < 7000,
    f"one part in {1 / below[0]:.0f}, or in {1 / below[1]:,.0f}",
)

# %% needs="lstm_step_backward gradient_flow" hide_input=true
chosen = {f"bias {b}": list(slider).index(b) for b in (0, 1, 3, 5)}
orthogonal = starts["orthogonal"]
as_shares = lambda powers: 10.0 ** np.array(powers[:101])
show(
    figures.explorer_twin(
        {name: as_shares(orthogonal["all"][at]) for name, at in chosen.items()},
        {name: as_shares(orthogonal["wire"][at]) for name, at in chosen.items()},
        as_shares(orthogonal["rnn"]),
    ),
    alt="Gradient left against steps back from the end. Forget bias 0 falls steeply, to 1e-13, its "
    "own wire twice as steeply; bias 1 falls to about a fortieth; bias 3 and 5 rise above 1 "
    "although their wires fall; the tanh RNN falls slowly to about a twentieth.",
)

# %% [markdown] slide="slide"
# ## 5 · Your LSTM reads
#
# People rated short messages from −4 (most negative) to 4 (most positive), at least 20 of
# them each (Hutto and Gilbert 2014). Notebook 01 left its network untrained. Yours learns:
#
# 1. Every word has a vector, a column of a table $E$, random at first.
# 2. Your LSTM reads the sentence. Its last visible state, $h_T$, **is** the sentence.
# 3. $p = \sigma(W^{y,h} h_T + b^y)$ is the probability that people liked it.
#
# A sigmoid is a softmax of two, one of them held at 0. So, as in notebook 02, the gradient of
# the cross-entropy by the number inside this $\sigma$ is $p$ minus the truth (1 where they liked
# it, else 0), and a weight more brings it to $h_T$. The rest is your `lstm_backward`. And
# `dxs`, unused so far, teaches the word vectors.

# %% [markdown]
# In code a dict `V` holds what the LSTM itself has not: `V["E"]` is the table (D, words),
# `V["yh"]` (1, H) and `V["yb"]` (1, 1) read $p$ out. From here on $D = H = 16$; `W` of part 1
# stays as it is.

# %%
sentences = sentiment_sentences()
texts = [tokens(text) for text in sentences.texts]
order = np.random.default_rng(0).permutation([j for j, t in enumerate(texts) if 3 <= len(t) <= 25])
unseen, to_learn = order[: len(order) // 6], order[len(order) // 6 :]
counts = Counter(word for j in to_learn for word in texts[j])
place = {word: p for p, word in enumerate((w for w, n in counts.items() if n > 2), start=1)}
code = lambda words: np.array([place.get(word, 0) for word in words])  # 0: a rare word
coded = [code(text) for text in texts]
liked = (sentences.ratings > 0).astype(float)
print(sentences.source, f"\n{len(to_learn)} to learn from, {len(unseen)} unseen; {len(place)} words")

# %% [markdown]
# Sentences of one length go into a batch together, so none has to be filled up. (Notebook
# 07 fills up.)


# %%
def batches(rng, which, size=64):
    """Groups of sentences of one length, in drawn order: arrays of their indices."""
    by_length = {}
    for j in rng.permutation(which):
        by_length.setdefault(len(coded[j]), []).append(j)
    groups = [js[k : k + size] for js in by_length.values() for k in range(0, len(js), size)]
    return [np.array(groups[g]) for g in rng.permutation(len(groups))]


def read(words, W, V):
    """Word vectors, the forward pass, and the probability after every word; words is (T, N)."""
    xs = V["E"][:, words].transpose(1, 0, 2)  # (T, D, N)
    start = np.zeros((len(W["fb"]), words.shape[1]))
    forward = lstm_forward(xs, start, start, W)
    return xs, forward, sigmoid(V["yh"] @ forward[0] + V["yb"])[:, 0]


# %% [markdown]
# One batch, one step of Adam. The third line from below is yours.


# %%
def learn(batch, W, V, adam):
    """One update of all weights on one batch of sentences."""
    words = np.stack([coded[j] for j in batch], axis=1)
    xs, (hs, cs, gates), p = read(words, W, V)
    dlogit = (p[-1:] - liked[batch]) / len(batch)  # (1, N)
    dhs, start = np.zeros(hs.shape), np.zeros(hs[0].shape)
    dhs[-1] = V["yh"].T @ dlogit  # only h_T is looked at
    dV = {"E": np.zeros(V["E"].shape), "yh": dlogit @ hs[-1].T, "yb": dlogit.sum(axis=1, keepdims=True)}
    dxs, _, _, dW = lstm_backward(dhs, xs, start, start, hs, cs, gates, W)
    np.add.at(dV["E"].T, words, dxs.transpose(0, 2, 1))  # a word's vector: summed over its places
    adam.step({**W, **V}, {**dW, **dV})


def share_right(which, W, V):
    """Share of sentences whose sign is foretold right."""
    right = 0
    for batch in batches(np.random.default_rng(0), which, size=1000):
        p = read(np.stack([coded[j] for j in batch], axis=1), W, V)[2][-1]
        right += np.sum((p > 0.5) == (liked[batch] == 1))
    return right / len(which)


# %%
def untrained(rng, H, D):
    """Weights of an LSTM that is to learn; its forget bias is 1."""
    W = {k + "h": rng.normal(size=(H, H)) / np.sqrt(H) for k in "fioc"}
    W |= {k + "x": rng.normal(size=(H, D)) / np.sqrt(D) for k in "fioc"}
    return W | {k + "b": np.full((H, 1), 1.0 if k == "f" else 0.0) for k in "fioc"}


def reader(seed, passes=2, H=16, D=16):
    """Train on the sentences; returns the weights, and the share right on unseen ones as it grew."""
    rng = np.random.default_rng(seed)
    W = untrained(rng, H, D)
    V = {"E": 0.1 * rng.normal(size=(D, len(place) + 1)), "yh": rng.normal(size=(1, H)) / np.sqrt(H)}
    V["yb"] = np.zeros((1, 1))
    adam, right = Adam(learning_rate=0.01, clip=1.0), [share_right(unseen, W, V)]
    for _ in range(passes):
        for batch in batches(rng, to_learn):
            learn(batch, W, V, adam)
        right.append(share_right(unseen, W, V))
    return W, V, right


# %% [markdown] slide="subslide"
# ### Which word opens the input gate?
#
# After two passes over the sentences, some seconds, it reads one that it never saw:
#
# > i love this town but the weather is awful
#
# At which word do its sixteen input gates stand open furthest, on average?

# %% [markdown] slide="notes"
# Take a vote on the word. Usual answers: "town" and "weather", the nouns; or the last word,
# because h_T is read there. Nobody told the network which words matter: it had one bit a
# sentence.

# %% guess="06.9"
guess("06.9", word="love", choices=("i", "love", "town", "but", "weather", "awful"))

# %% needs="lstm_step_backward lstm_backward"
readers = [reader(seed) for seed in range(3)]
for seed, (_, _, right) in enumerate(readers):
    print(
        f"seed {seed}: right before training {right[0]:.2f}, then",
        " and ".join(f"{r:.3f}" for r in right[1:]),
    )

# %% needs="lstm_step_backward lstm_backward" hide_input=true
always = max(liked[unseen].mean(), 1 - liked[unseen].mean())
ends = np.array([right[-1] for _, _, right in readers])
if sentences.real:
    claim(
        f"every seed is right more often than who always says 'liked', {always:.3f}",
        ends.min() > always + 0.01,
        f"mean {ends.mean():.3f}, from {ends.min():.3f} to {ends.max():.3f}",
    )

# %% needs="lstm_step_backward lstm_backward" slide="subslide" hide_input=true
text = tokens("i love this town but the weather is awful")
opened, liked_so_far = [], []
for W_read, V_read, _ in readers:
    _, (_, _, read_gates), p = read(code(text)[:, None], W_read, V_read)
    opened.append(read_gates["i"][:, :, 0].mean(axis=1))
    liked_so_far.append(p[:, 0])
show(
    figures.sentence_gates(text, np.array(opened), np.array(liked_so_far)),
    alt="Above, how far the input gates stand open at each word of 'i love this town but the weather is "
    "awful', mean and three seeds: furthest at 'love', about half way elsewhere. Below, the probability "
    "of 'liked' after each word: it jumps up at 'love', stays, and falls at 'awful'.",
)

# %% needs="lstm_step_backward lstm_backward" hide_input=true
for sentence in ("not good at all", "good", "i hate it", "i do not hate it"):
    after = [read(code(tokens(sentence))[:, None], *weights)[2][:, 0] for *weights, _ in readers]
    p_mean = np.mean(after, axis=0)
    for_each = " · ".join(f"{word} {p:.2f}" for word, p in zip(tokens(sentence), p_mean, strict=True))
    print(f"mean of three seeds, after each word: {for_each}")

# %% [markdown]
# One sentence proves little. So take all words that occur four times or more in the unseen
# sentences, and rank them by how far the sentences they occur in (those to learn from) are
# rated from the mean. Does the network write more at the **first fifth** of them?


# %% needs="lstm_step_backward lstm_backward" hide_input=true
def written_at(W, V):
    """Mean length of what is written into the memory, by word of the unseen sentences."""
    at = {}
    for j in unseen:
        _, (_, _, gates), _ = read(coded[j][:, None], W, V)
        for word, size in zip(texts[j], np.linalg.norm(gates["i"] * gates["c"], axis=1)[:, 0], strict=True):
            at.setdefault(word, []).append(size)
    return {word: np.mean(sizes) for word, sizes in at.items() if len(sizes) >= 4 and word in place}


rated = {}
for j in to_learn:
    for word in set(texts[j]):
        rated.setdefault(word, []).append(sentences.ratings[j])
ratios_written = []
for *weights, _ in readers:
    written = written_at(*weights)
    far = sorted(written, key=lambda word: -abs(np.mean(rated[word]) - sentences.ratings[to_learn].mean()))
    first, rest = far[: len(far) // 5], far[len(far) // 5 :]
    ratios_written.append(np.mean([written[w] for w in first]) / np.mean([written[w] for w in rest]))
if sentences.real:
    claim(
        "at the first fifth it writes more than 1.15 times as much as at the others, in every seed",
        min(ratios_written) > 1.15,
        " and ".join(f"{ratio:.2f}" for ratio in ratios_written) + " times",
    )

# %%
reveal("06.9")

# %% [markdown] answer="06.9" sealed=true slide="subslide"
# **At *love***: in all three seeds, and in eight of ten that we tried (once it was *awful*,
# once *this*). And *good* alone makes $p$ .93; behind *not* it makes .6: what comes depends on what is in the
# memory.
#
# Over ten seeds it was right on .79 to .86 of the unseen sentences, and wrote 1.3 to 1.7
# times as much at the first fifth of the words. From one bit a sentence it has learned which
# *words* are worth writing down.
#
# To be honest about its marks: who only counts words does better at this task, because the
# mood sits in single words and the sentences are few. Notebook 07 measures that, and shows
# a task where the counter is blind.

# %% [markdown] slide="slide"
# ## 6 · A cell that nobody derived for you
#
# In notebook 05 you wrote an LSTM whose gates look at the memory through **peepholes**
# $p^f, p^i, p^o$, a column of $H$ numbers each. Two look at the old memory, the output gate at
# the new one:
#
# $$\begin{aligned}
# f_t &= \sigma(W^{f,h} h_{t-1} + W^{f,x} x_t + p^f \odot c_{t-1}) \\
# i_t &= \sigma(W^{i,h} h_{t-1} + W^{i,x} x_t + p^i \odot c_{t-1}) \\
# o_t &= \sigma(W^{o,h} h_{t-1} + W^{o,x} x_t + p^o \odot c_t)
# \end{aligned} \tag{6.16}$$
#
# No biases. Candidate, memory and what is shown stay as they were, (6.1) to (6.3).
#
# How many ways lead from $c_t$ to the loss now? Count the whole next step as one way, whatever
# in it reads $c_t$. And how many lead from $c_{t-1}$ to $c_t$?

# %% [markdown] slide="notes"
# Do not derive it here: it is the transfer exercise. The usual wrong answer: three more ways
# from the old memory. The third peephole looks at the new one.

# %% guess="06.10"
guess("06.10", ways_from_new_memory_to_loss=3, ways_from_old_memory_to_new=3)

# %% [markdown] answer="06.10" slide="fragment"
# **Three and three.** From $c_t$: into the next step, to what is shown, and through the output
# gate to what is shown. From $c_{t-1}$: kept, through the forget gate, and through the input gate.

# %% [markdown]
# The forward step is given from notebook 05.


# %% given="peephole_step"
def peephole_step(x_t, h_prev, c_prev, W):
    """One step of the LSTM with peepholes "fp", "ip", "op": h_t, c_t (H, N) and the gates."""
    reads = lambda k: W[k + "h"] @ h_prev + W[k + "x"] @ x_t
    gates = {k: sigmoid(reads(k) + W[k + "p"] * c_prev) for k in "fi"}
    gates["c"] = np.tanh(reads("c"))
    c_t = gates["f"] * c_prev + gates["i"] * gates["c"]
    gates["o"] = sigmoid(reads("o") + W["op"] * c_t)
    return gates["o"] * np.tanh(c_t), c_t, gates


# %% [markdown]
# One unit on paper: $dh_t = 1$ arrives; $o_t = .5$, $\tanh c_t = .4$, $p^o = 2$. What comes
# to the memory $c_t$ *through the output gate's peephole*?

# %% guess="06.11"
guess("06.11", through_the_peephole=0.2)

# %% [markdown] answer="06.11"
# **.2.** If you have .1, you stopped inside the gate, one arrow before the memory.

# %% [markdown]
# ### Exercise: peepholes, backward
#
# The referee is the same, and so are the stages; `"peepholes"` is a new one: it looks at what
# comes home to the old memory. When it is right, it shows (6.17) to (6.19).


# %% exercise="peephole_step_backward" points=6
def peephole_step_backward(
    dh: np.ndarray,
    dc: np.ndarray,
    x_t: np.ndarray,
    h_prev: np.ndarray,
    c_prev: np.ndarray,
    c_t: np.ndarray,
    gates: dict,
    W: dict,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict]:
    """One step of the LSTM with peepholes, backward.

    Args:
        dh: (H, N) gradient of the loss by the visible state h_t, all of it.
        dc: (H, N) gradient by the memory c_t that step t + 1 hands back; not the total one:
            what comes from step t itself is not in it yet.
        x_t: (D, N) the step's input.
        h_prev: (H, N) visible state before the step.
        c_prev: (H, N) memory before the step.
        c_t: (H, N) memory after the step.
        gates: "f", "i", "o" and the candidate "c", each (H, N), as peephole_step returned them.
        W: for each k of "fioc" the weights k + "h" (H, H) and k + "x" (H, D); for each k of "fio"
            the peephole k + "p" (H, 1).

    Returns:
        dx: (D, N) gradient by the input.
        dh_prev: (H, N) gradient by h_prev.
        dc_prev: (H, N) gradient by c_prev.
        dW: gradients by the weights, same keys and shapes as W, summed over the sequences.
    """
    ### BEGIN SOLUTION
    f, i, o, candidate = gates["f"], gates["i"], gates["o"], gates["c"]
    tanh_c = np.tanh(c_t)
    dz = {"o": dh * tanh_c * o * (1 - o)}
    dc_total = dc + dh * o * (1 - tanh_c**2) + W["op"] * dz["o"]  # (6.17)
    dz["f"], dz["i"] = dc_total * c_prev * f * (1 - f), dc_total * candidate * i * (1 - i)
    dz["c"] = dc_total * i * (1 - candidate**2)
    dc_prev = dc_total * f + W["fp"] * dz["f"] + W["ip"] * dz["i"]  # (6.18)
    dh_prev = sum(W[k + "h"].T @ dz[k] for k in "fioc")
    dx = sum(W[k + "x"].T @ dz[k] for k in "fioc")
    dW = {k + "h": dz[k] @ h_prev.T for k in "fioc"} | {k + "x": dz[k] @ x_t.T for k in "fioc"}
    for k, memory in {"f": c_prev, "i": c_prev, "o": c_t}.items():
        dW[k + "p"] = np.sum(dz[k] * memory, axis=1, keepdims=True)  # (6.19)
    return dx, dh_prev, dc_prev, dW
    ### END SOLUTION


# %% check="peephole_step_backward"
check(peephole_step_backward)

# %% [markdown] found="peephole_step_backward"
# ### Three more ways home
#
# From the visible state to the four $dz^k$, nothing changes but this: the new memory has a
# third reader, the output gate.
#
# $$dc^{\,total}_t = dc_t + dh_t \odot o_t \odot (1 - \tanh^2 c_t) + p^o \odot dz^o \tag{6.17}$$
#
# So $dz^o$ has to be there first. The old memory has three readers, too:
#
# $$dc_{t-1} = dc^{\,total}_t \odot f_t + p^f \odot dz^f + p^i \odot dz^i \tag{6.18}$$
#
# A peephole multiplied its own unit's memory, in every sequence $n$:
#
# $$dp^f = \sum_n (dz^f \odot c_{t-1})_n, \qquad dp^i = \sum_n (dz^i \odot c_{t-1})_n, \qquad
# dp^o = \sum_n (dz^o \odot c_t)_n \tag{6.19}$$

# %% found="peephole_step_backward"
rng = np.random.default_rng(7)
W = {k + s: rng.normal(size=(3, 3 if s == "h" else 2)) for k in "fioc" for s in "hx"}
W |= {k + "p": rng.normal(size=(3, 1)) for k in "fio"}
x, hp, cp, dh, dc = (rng.normal(size=(n, 1)) for n in (2, 3, 3, 3, 3))
_, c_t, g = peephole_step(x, hp, cp, W)
shown_and_kept = lambda c_prev, W: np.stack(peephole_step(x, hp, c_prev, W)[:2])
loss = lambda c_prev, W: np.sum(np.stack([dh, dc]) * shown_and_kept(c_prev, W))
dz_o = dh * np.tanh(c_t) * g["o"] * (1 - g["o"])
total = dc + dh * g["o"] * (1 - np.tanh(c_t) ** 2) + W["op"] * dz_o
dz_f, dz_i = total * cp * g["f"] * (1 - g["f"]), total * g["c"] * g["i"] * (1 - g["i"])
by_peephole = lambda key: jacobian(lambda w: loss(cp, {**W, key: w}), W[key])
assert np.allclose(by_peephole("fp"), (dz_f * cp).T, atol=1e-8), "(6.17) or (6.19) does not hold"
assert np.allclose(by_peephole("ip"), (dz_i * cp).T, atol=1e-8), "(6.17) or (6.19) does not hold"
assert np.allclose(by_peephole("op"), (dz_o * c_t).T, atol=1e-8), "(6.19) does not hold"
by_memory = jacobian(lambda c: loss(c, W), cp)
assert np.allclose(by_memory, (total * g["f"] + W["fp"] * dz_f + W["ip"] * dz_i).T, atol=1e-8), (
    "(6.18) does not hold"
)
print("(6.17), (6.18) and (6.19) hold")

# %% [markdown] written="gates_without_a_way_back" points=3
# ### Written question
#
# Somebody changes one line of `lstm_backward`: the `dh_prev` that a step hands back is
# replaced by zeros; `dc_prev` goes on as it is. The forward pass is untouched. The
# network is trained on sequences whose loss looks at the last step only.
#
# In three to five sentences: with more than one step, is any of the twelve weight gradients
# still exactly right? What do the weights still hear, and by which way? Name something that
# this network can no longer learn by its gradient. And name one thing that has become safer.
#
# === BEGIN MARK SCHEME ===
# 1 point: none of the twelve is exact (all weights also act through the visible states that
# later steps read; with T = 1 all are). What is left: the last step in full, and from earlier
# steps what goes along the memory's wire, so forget gate, input gate and candidate of every
# step still hear of the loss; the output gate hears of it at the last step only.
#
# 1 point: something that works through what a later step reads: to show at one step what a
# later step's gates need, so to write, or to forget, *because of* an earlier word. "It learns
# nothing" is wrong: writing and keeping are still taught.
#
# 1 point: from step to step the gradient is multiplied by forget gates only, none above 1: it
# cannot explode through time. ("It is cheaper" alone: half a point.)
# === END MARK SCHEME ===

# %% [markdown] slide="slide" extra=true
# ## Extra: where the rest came from
#
# Orthogonal start, zero biases, calm inputs: the memory's own wire alone would leave
# $10^{-30}$, measured is $10^{-14}$. With bias 3 it would leave $.953^{99} \approx .008$;
# the medians measured lie above 1. So most of what arrives came through a matrix.
#
# **Through which of the four networks?** Walk back again, with one network's matrix
# $W^{k,h}$ shut on the way back.

# %% guess="06.12"
guess("06.12", most_comes_through="candidate", choices=("forget", "input", "output", "candidate"))

# %% needs="lstm_step_backward gradient_flow" slide="subslide" hide_input=true
print("shut:      none      f      i      o      c    all")
shut = {}  # forget bias -> the six numbers of its row
for bias in (0, 1, 3, 5):
    row = []
    for networks in ["", *"fioc", "fioc"]:
        some = []
        for seed in range(3):
            flow_rng = np.random.default_rng(seed)
            lstm, _ = starting_weights(flow_rng, "orthogonal")
            flow_xs, last = 0.1 * flow_rng.normal(size=(100, 4, 8)), flow_rng.normal(size=(16, 8))
            norms = lstm_flow(last, flow_xs, lstm, bias, networks)
            some.append(np.median(norms[1] / norms[100]))
        row.append(np.median(some))
    print(f"bias {bias}:  ", "  ".join(f"{ratio:.0e}" for ratio in row))
    shut[bias] = np.array(row)

# %% needs="lstm_step_backward gradient_flow" hide_input=true
gates_shut = np.array([row[1:4] / row[0] for row in shut.values()])
claim(
    "shutting one gate's way changes it by a factor of less than 5",
    np.abs(np.log(gates_shut)).max() < np.log(5),
    f"factors from {gates_shut.min():.2f} to {gates_shut.max():.2f}",
)
candidate_shut = max(row[4] / row[0] for row in shut.values())
claim(
    "shutting the candidate's leaves less than a thirtieth",
    candidate_shut < 1 / 30,
    f"at most {candidate_shut:.0e}",
)

# %%
reveal("06.12")

# %% [markdown] answer="06.12" sealed=true slide="subslide"
# **Through the candidate.** Near zero, where an untrained network lives, $\tanh c \approx c$ and
# $i \approx o \approx \tfrac12$, so $h_{t-1} \approx \tfrac12 c_{t-1}$ and
#
# $$c_t \approx f\, c_{t-1} + \tfrac12 W^{c,h} h_{t-1}
# \approx \bigl(\operatorname{sigmoid}(b)\, I + \tfrac14 W^{c,h}\bigr)\, c_{t-1} \tag{6.20}$$
#
# An orthogonal $W^{c,h}$ has eigenvalues of size 1, so this matrix has none larger than
# $\operatorname{sigmoid}(b) + \tfrac14$. At $b = 0$ that is at most $\tfrac34$ a step,
# $.75^{99} \approx 10^{-12}$: it vanishes. From $b = 1.1$ on it can exceed 1, and the
# gradient can grow: by far less than $1.25^{99}$, because a memory that lasts fills up,
# leaves zero, and its $\tanh$ flattens.

# %% hide_input=true
small, _ = starting_weights(np.random.default_rng(0), "orthogonal", H=5)
small["fb"] = small["fb"] + 3.0
no_input, at_rest = np.zeros((4, 1)), np.zeros((10, 1))  # h = c = 0
J_rest = jacobian(lambda hc: np.vstack(lstm_step(no_input, hc[:5], hc[5:], small)[:2]), at_rest)
of_pair = np.sort(np.abs(np.linalg.eigvals(J_rest)))  # five of the ten are 0: h only repeats c
of_memory = np.sort(np.abs(np.linalg.eigvals(sigmoid(3.0) * np.eye(5) + small["ch"] / 4)))  # (6.20)
assert np.allclose(of_pair[:5], 0, atol=1e-6) and np.allclose(of_pair[5:], of_memory, atol=1e-6), (
    "(6.20) does not hold at rest"
)
print("(6.20) holds at rest")

# %% [markdown] slide="slide" extra=true
# ## Extra: a stream without an end
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
# ### The task
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
# The memory of the second network can only add. Both read 2,000 symbols of new streams
# after training. Which measure is no better than a coin for the second network?

# %% [markdown] slide="notes"
# Usual answers: "the memory explodes, so everything fails", or "nothing happens, it can
# add negative numbers". Both are partly right, which makes the discussion good. Let
# them say which *measure* suffers.

# %% guess="06.13"
guess("06.13", at_a_coin="outer symbol", choices=("legal", "outer symbol", "both", "none"))

# %% [markdown]
# #### A network that foretells
#
# Seven numbers are read out of the visible state, one for each symbol in the order B
# T S X V P E (so T has the index 1, P the index 5), and a softmax makes probabilities
# of them (notebook 01). The gradient by these numbers you found in notebook 02; the read-out
# matrix brings it to every visible state: that is `dhs`.


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
    W = untrained(rng, H, D=7)
    if not forget:
        W |= {"fh": np.zeros((H, H)), "fx": np.zeros((H, 7)), "fb": np.full((H, 1), 40.0)}
    return W, {"yh": rng.normal(size=(7, H)) / np.sqrt(H), "yb": np.zeros((7, 1))}


def outer_right(probabilities, window, outer):
    """For each place where the outer symbol is next: is the right one held more probable?"""
    says_T, is_T = probabilities[:, 1] > probabilities[:, 5], window[1:, 1] == 1
    return (says_T == is_T)[outer]


# %%
def train(seed, forget, updates=400, length=40, count=32):
    """Train on endless streams in windows; states are carried on."""
    W, V = new_network(seed, forget)
    adam, right = Adam(learning_rate=0.01, clip=1.0), []
    h = c = np.zeros((16, count))
    streams = reber_streams(length * updates, count, seed)
    for at in range(0, length * updates, length):
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
# ### The outer symbol, while they learn
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


# %% needs="lstm_step_backward lstm_backward" hide_input=true
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
# ### The memory that can only add
#
# Both axes count in powers of ten. Which of the two has a size that it keeps?

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

# %%
reveal("06.13")

# %% [markdown] answer="06.13" sealed=true slide="subslide"
# **The outer symbol.** The memory grows with every symbol. Yet these three networks
# foretell what is *legal* in about 96 of 100 places: every twelfth place is a **second**
# outer symbol, and a coin gets half of them. All else is right. (400 updates, streams of
# 2,000 symbols; of 15 seeds that we tried, ten got that far.)
#
# How, with such a memory? A cell far from zero shows $\tanh(c) = \pm 1$, whatever happens:
#
# $$\Bigl| h_t - o_t \odot \operatorname{sign}(c_t) \Bigr| \le 2 e^{-2|c_t|} \tag{6.21}$$
#
# Then $h_t = \pm o_t$, and $o_t$ reads $h_{t-1}$ and $x_t$: a **plain RNN with sigmoids**. It
# follows the last few symbols, as a plain RNN does. And a tanh far from zero is flat, so
# hardly any gradient reaches such a memory: it can **hardly be taught** any more.

# %% hide_input=true
sizes_of_c = np.linspace(0, 30, 301)
assert np.all(1 - np.tanh(sizes_of_c) <= 2 * np.exp(-2 * sizes_of_c) + 1e-14), "(6.21) does not hold"
print("(6.21) holds")

# %% [markdown]
# How far is that so in our six networks? The share of cells and positions with
# $|\tanh c| > .99$, in the second half of the streams:

# %% needs="lstm_step_backward lstm_backward" hide_input=true
flat = {}
for label, runs in heard.items():
    flat[label] = [float(np.mean(np.abs(np.tanh(cs[1000:])) > 0.99)) for _, cs, *_ in runs]
    print(label, "· flat:", np.round(flat[label], 2))
claim(
    "held at 1 more than .6 are flat, with forget gate less than .5",
    min(flat["forget gate held at 1"]) > 0.6 and max(flat["with forget gate"]) < 0.5,
    "the numbers above",
)

# %% [markdown] slide="subslide"
# ### What that teaches, and what not
#
# - Without a forget gate much of the memory is used up, and becomes a constant. Where it has
#   run away before the network has learned, most of the gradient is gone too.
# - A forget gate makes emptying a cell *one small step*, and endless streams easy.
#
# Not taught: "a memory that only adds cannot do it". Three seeds had not learned the outer
# symbol after 400 updates. A candidate *can* write the opposite of what is there.

# %% [markdown] slide="slide"
# ## Recap
#
# - Two gradients travel back, because two states go forward. At the memory they meet, and
#   are added.
# - The memory's own wire goes back through forget gates alone; everything else through four
#   matrices.
# - With zero biases a forget gate stands near one half, and the wire halves the gradient at
#   every step. Started with orthogonal matrices, zero biases and calm inputs, an LSTM loses
#   its gradient *faster* than a tanh RNN started the same way; started uniformly, both
#   lose it.
# - A forget bias mends that, and can let the gradient grow: clip.
# - $h_T$, with a read-out of one row, is a sentence that can be judged; your `lstm_backward`
#   teaches the gates which words to write down.

# %% [markdown] slide="slide"
# ## To read on
#
# - S. Hochreiter, J. Schmidhuber: *Long Short-Term Memory*, Neural Computation 9
#   (1997). The LSTM, without a forget gate.
# - F. Gers, J. Schmidhuber, F. Cummins: *Learning to Forget: Continual Prediction with
#   LSTM*, Neural Computation 12 (2000). The forget gate, and the endless Reber streams.
# - R. Jozefowicz, W. Zaremba, I. Sutskever: *An Empirical Exploration of Recurrent
#   Network Architectures*, ICML 2015. More than ten thousand architectures; a forget bias of 1
#   closed the gap between LSTM and GRU.
# - C. Tallec, Y. Ollivier: *Can Recurrent Neural Networks Warp Time?*, ICLR 2018.
#   Choosing the forget bias by the time to be remembered.
#
# Next: notebook 07 trains such networks on real sentences, with PyTorch.
