# %% [markdown] slide="slide"
# # 05 · LSTM
#
# A cell that keeps one thing and shows another,
# and three gates that decide what is kept, what enters and what is shown.

# %% [markdown] slide="notes"
# Open question to the room: "what does a network need two states for, when one vector
# of twice the size holds as many numbers?" Collect answers, do not comment on them.
# The usual wrong answer: "one for short and one for long memory".
# Come back to it at the end.

# %% [markdown] slide="slide"
# ## What you will be able to do
#
# - derive the LSTM's step from the gated network of notebook 04,
#   and say what each gate is for;
# - write the gates, the step and the whole sequence in NumPy;
# - set the weights of an LSTM by hand, and follow it symbol by symbol;
# - show what no cell can do without its forget, its input or its output gate;
# - pack eight matrices into one, and say why fast implementations do.
#
# **Time**: 60 to 75 minutes, four exercises and one written question.
# `hint(lstm_step)` gives a hint, calling it again the next. Hints cost nothing.

# %% given="imports"
import numpy as np

# %%
import itertools
import time

from autograder import check, hint
from rnncourse import claim, explorer, figures_05, show
from rnncourse.cells import draw_cell, draw_chain, step_through

# %% [markdown]
# Given from notebook 00: the sigmoid, here $\sigma(z) = 1 / (1 + e^{-z})$, written so
# that it never overflows. Your functions may call it.


# %% given="sigmoid"
def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)), entry by entry. Given, from notebook 00."""
    small = np.exp(-np.abs(z))  # never above 1
    return np.where(z >= 0, 1.0, small) / (1.0 + small)


# %% [markdown]
# ### Sizes and names
#
# A batch holds $N$ sequences, one **column** each. An input has $D$ entries, a state
# $H$. A coordinate of a state is a **unit**. The positions of a sequence are
# $t = 1, \dots, T$.
#
# | in code | shape | in formulas |
# |---|---|---|
# | `x_t`, `xs` | (D, N), (T, D, N) | input $x_t$ at one position, at all positions |
# | `h_prev`, `h_t`, `hs` | (H, N), (H, N), (T, H, N) | visible states $h_{t-1}$, $h_t$, all of them |
# | `c_prev`, `c_t`, `cs` | (H, N), (H, N), (T, H, N) | memories $c_{t-1}$, $c_t$, all of them |
# | `W["fh"]`, `W["fx"]` | (H, H), (H, D) | the forget gate's weights $W^{f,h}$, $W^{f,x}$ |
#
# The product of two vectors entry by entry is written $\odot$ (`*` in code).
# On paper $N = 1$.

# %% [markdown] slide="slide"
# ## Part 1 · What one gate cannot do
#
# The gated network of notebook 04 mixes its old state with a candidate:
#
# $$s_t = (1 - g_t) \odot s_{t-1} + g_t \odot \tilde s_t \tag{5.1}$$
#
# $g_t$ is its gate, between 0 and 1, and $\tilde s_t$ its candidate,
# between $-1$ and $1$.
#
# One number answers two questions here: *how much of the old goes?*
# and *how much of the new comes in?*

# %% [markdown] slide="subslide"
# ### Let it count
#
# Take one unit. At every event its gate is $g_t = 1/4$ and its candidate 1;
# it starts at 0.
#
# **Before you run the next cell**, write down its state after 1, 2 and 3 events.
# Then: can you tell 20 events from 19 by looking at the state?

# %% [markdown] slide="notes"
# Ask for a show of hands on "can it count?". The usual wrong answers are both plain
# ones: "yes, it adds a quarter each time" (it adds a quarter of what is missing), and
# "no, it saturates" (all its states differ; they only crowd together).

# %% slide="fragment"
state, states = 0.0, [0.0]
for _ in range(20):
    state = (1 - 0.25) * state + 0.25 * 1.0  # (5.1)
    states.append(state)
np.round(states[:4] + states[19:], 4)  # after 0, 1, 2, 3 and after 19, 20 events

# %% [markdown] slide="subslide"
# ### It counts, with steps that shrink
#
# After $n$ events the state is
#
# $$s = 1 - (3/4)^n \tag{5.2}$$
#
# Every count has a state of its own, so it *can* count. But event 20 moves it by .001
# where event 1 moved it by .25: to let something in, it has to let something go.

# %%
assert np.allclose(states, 1 - 0.75 ** np.arange(21)), "(5.2) does not hold"
assert np.isclose(states[20] - states[19], 0.25 * 0.75**19), (
    "the last step is not a quarter of what is missing"
)

# %% [markdown] slide="subslide"
# ### And it shows all it keeps
#
# $s_t$ is the memory. It is also what the gate reads at the next position,
# what the candidate reads, and what the layer above reads.
#
# A unit that keeps something for later has to say it aloud the whole time.
#
# The LSTM undoes both ties: keeping and writing get a gate each (part 2),
# and what is kept is told apart from what is shown (part 3).

# %% [markdown] slide="slide"
# ## Part 2 · The memory cell
#
# Two gates in place of one. Both read the input $x_t$ and $h_{t-1}$,
# what the cell showed at the position before (how it is made: part 3).
#
# The **forget gate** says how much of the memory is kept:
#
# $$f_t = \sigma(W^{f,h} h_{t-1} + W^{f,x} x_t) \tag{5.3}$$
#
# The **input gate** says how much of something new may enter:
#
# $$i_t = \sigma(W^{i,h} h_{t-1} + W^{i,x} x_t) \tag{5.4}$$

# %% [markdown] slide="notes"
# Ask: "the forget gate is 1. Does the cell forget everything or nothing?" The usual
# wrong answer is "everything": the gate is named after what happens when it closes. It
# had better be called a keep gate; the name stuck.

# %% [markdown] slide="subslide"
# ### What may enter, and the sum
#
# The **candidate** is what would be written, between $-1$ and $1$:
#
# $$\tilde c_t = \tanh(W^{c,h} h_{t-1} + W^{c,x} x_t) \tag{5.5}$$
#
# The **memory** $c_t$ keeps a part of what it held, and adds a part of the candidate:
#
# $$c_t = f_t \odot c_{t-1} + i_t \odot \tilde c_t \tag{5.6}$$
#
# With $i_t = 1 - f_t$ this is (5.1) again. Nothing asks for that any more.

# %%
rng = np.random.default_rng(0)
kept_part, old, new = rng.uniform(size=5), rng.normal(size=5), rng.uniform(-1, 1, size=5)
one_gate = (1 - (1 - kept_part)) * old + (1 - kept_part) * new  # (5.1) with g = 1 - f
memory = lambda c_prev, f, i, candidate: f * c_prev + i * candidate  # (5.6)
assert np.allclose(memory(old, kept_part, 1 - kept_part, new), one_gate), "with i = 1 - f it is not (5.1)"

# %% [markdown] slide="subslide"
# ### Counting again
#
# With $f = 1$, $i = 1/4$ and candidate 1, each event adds a quarter,
# the last like the first.

# %% slide="fragment" hide_input=true
held = [0.0]
for _ in range(20):
    held.append(memory(held[-1], 1.0, 0.25, 1.0))
show(
    figures_05.counting_steps(np.array(states), np.array(held)),
    alt="What two units hold after 0 to 20 events. The memory cell climbs in a straight line to 5. "
    "The unit with one gate climbs in shrinking steps and stays just below 1.",
)

# %% [markdown] slide="subslide"
# ### How far can it go?
#
# **Before you go on**: $f_t$ and $i_t$ are below 1, and $|\tilde c_t| < 1$.
# How large can a memory be after $t$ positions, if it was $c_0$ at the start?

# %% [markdown] slide="notes"
# The usual wrong answer is "1, because of the tanh": no tanh acts on the memory itself.
# Another: "there is no bound". There is one, and it grows with t.

# %% [markdown] slide="fragment"
# In each unit a position keeps at most what was there, and adds less than 1:
#
# $$|c_t| \le f_t\,|c_{t-1}| + i_t\,|\tilde c_t| < |c_{t-1}| + 1
# \quad\Longrightarrow\quad |c_t| < |c_0| + t \tag{5.7}$$

# %% [markdown] slide="subslide"
# ### How the memory moves
#
# Hold all but one of the four things on the right of (5.6) still.
# Each time it is a straight line:
#
# $$\begin{gathered}
# \frac{\partial c_t}{\partial c_{t-1}} = \operatorname{diag}(f_t), \qquad
# \frac{\partial c_t}{\partial f_t} = \operatorname{diag}(c_{t-1}), \\
# \frac{\partial c_t}{\partial i_t} = \operatorname{diag}(\tilde c_t), \qquad
# \frac{\partial c_t}{\partial \tilde c_t} = \operatorname{diag}(i_t)
# \end{gathered} \tag{5.8}$$
#
# $\operatorname{diag}(v)$ is the square matrix with $v$ on its diagonal.
# These are *direct* derivatives: gates and candidate are held still, although
# they read $h_{t-1}$, which depends on $c_{t-1}$ too. Notebook 06 adds that path.

# %%
values = [rng.normal(size=3), rng.uniform(size=3), rng.uniform(size=3), rng.uniform(-1, 1, size=3)]
c_prev, f, i, candidate = values
eps = 1e-6
for k, claimed in enumerate((f, c_prev, candidate, i)):  # (5.8), by argument of `memory`
    jacobian = np.empty((3, 3))
    for unit in range(3):
        up, down = [v.copy() for v in values], [v.copy() for v in values]
        up[k][unit] += eps
        down[k][unit] -= eps
        jacobian[:, unit] = (memory(*up) - memory(*down)) / (2 * eps)
    assert np.allclose(jacobian, np.diag(claimed), atol=1e-8), "(5.8) does not hold"

# %% [markdown]
# The bound (5.7), for a thousand units with gates and candidates drawn at random, and
# for one unit whose gates and candidate sit at .999: it comes as near as you like.

# %%
c = c_start = rng.normal(size=1000)
nearly = 0.0
for t in range(1, 31):
    f, i, candidate = rng.uniform(size=1000), rng.uniform(size=1000), rng.uniform(-1, 1, size=1000)
    c = memory(c, f, i, candidate)
    nearly = memory(nearly, 0.999, 0.999, 0.999)
    assert np.all(np.abs(c) < np.abs(c_start) + t), "(5.7) does not hold"
    assert 0.9 * t < nearly < t, "it does not come near the bound (5.7)"

# %% [markdown] slide="slide"
# ## Part 3 · The visible state
#
# What the memory holds is not yet what anybody reads.
# The **output gate** says how much of it is shown:
#
# $$o_t = \sigma(W^{o,h} h_{t-1} + W^{o,x} x_t) \tag{5.9}$$
#
# The **visible state** is the memory, squashed and gated:
#
# $$h_t = o_t \odot \tanh(c_t) \tag{5.10}$$
#
# The layer above reads $h_t$. So do all gates and the candidate at the next position.
# Nothing but (5.6) and (5.10) reads $c_t$.

# %% [markdown] slide="notes"
# Ask: "which of the five formulas would you have to change if c were shown directly?"
# The usual wrong answer: "only the last one". All of them read h.
# Point at the order: o_t is computed from h_{t-1}, before c_t is known.
# It cannot look at what it shows.

# %% [markdown] slide="subslide"
# ### The whole step

# %% slide="-" hide_input=true
draw_cell("lstm")

# %% [markdown] slide="subslide"
# ### Word by word

# %% [markdown]
# Step with the arrow keys or the buttons. Every number can be changed.

# %% slide="-" hide_input=true
step_through("lstm")

# %% [markdown]
# ### Exercise 1: the gates and the candidate
#
# Write (5.3), (5.4), (5.9) and (5.5): four sums, each with its own two matrices.


# %% exercise="lstm_gates" points=4
def lstm_gates(x_t: np.ndarray, h_prev: np.ndarray, W: dict) -> dict:
    """The three gates and the candidate at one position, equations (5.3), (5.4), (5.9), (5.5).

    Args:
        x_t: (D, N) input at this position, one column per sequence.
        h_prev: (H, N) visible state of the position before.
        W: weights by name. "fh", "ih", "oh", "ch" are (H, H) and act on the visible state;
            "fx", "ix", "ox", "cx" are (H, D) and act on the input.

    Returns:
        gates: a dict of four arrays (H, N): forget gate "f", input gate "i", output gate "o",
            each between 0 and 1, and the candidate "c", between -1 and 1.
    """
    ### BEGIN SOLUTION
    gates = {}
    gates["f"] = sigmoid(W["fh"] @ h_prev + W["fx"] @ x_t)  # (5.3)
    gates["i"] = sigmoid(W["ih"] @ h_prev + W["ix"] @ x_t)  # (5.4)
    gates["o"] = sigmoid(W["oh"] @ h_prev + W["ox"] @ x_t)  # (5.9)
    gates["c"] = np.tanh(W["ch"] @ h_prev + W["cx"] @ x_t)  # (5.5)
    return gates
    ### END SOLUTION


# %% check="lstm_gates"
check(lstm_gates)

# %% [markdown] slide="slide"
# ## One step with pen and paper
#
# One unit, one input. $x_t = 1$, $h_{t-1} = 0.5$, $c_{t-1} = 1$, and these weights:
#
# | | forget gate | input gate | output gate | candidate |
# |---|---|---|---|---|
# | on $h_{t-1}$ | $W^{f,h} = 2$ | $W^{i,h} = -2$ | $W^{o,h} = -2$ | $W^{c,h} = 1$ |
# | on $x_t$ | $W^{f,x} = 1$ | $W^{i,x} = 1$ | $W^{o,x} = -1$ | $W^{c,x} = 0.5$ |
#
# **Before you go on**, work out $f_t$, $i_t$, $o_t$, $\tilde c_t$,
# then $c_t$ and $h_t$, to two digits.
# You may use $\sigma(2) = .88$, $\sigma(-2) = .12$, $\tanh 1 = .76$,
# $\tanh 1.26 = .85$.

# %% [markdown] slide="fragment"
# $f_t = \sigma(2) = .88$, $\;i_t = \sigma(0) = .50$, $\;o_t = \sigma(-2) = .12$,
# $\;\tilde c_t = \tanh 1 = .76$
#
# $c_t = .88 \cdot 1 + .50 \cdot .76 = 1.26$ and $h_t = .12 \cdot .85 = .10$

# %% [markdown] slide="notes"
# Let them do it: three minutes. The usual slip is f and i exchanged, which gives
# .50 + .88 * .76 = 1.17; the next is tanh(h) in place of tanh(c).
# Say it aloud: the memory holds 1.26, more than any tanh could, and shows .10 of it.

# %%
W_paper = {"fh": 2.0, "fx": 1.0, "ih": -2.0, "ix": 1.0, "oh": -2.0, "ox": -1.0, "ch": 1.0, "cx": 0.5}
W_paper = {name: np.array([[weight]]) for name, weight in W_paper.items()}
x_paper, h_paper, c_paper = np.array([[1.0]]), np.array([[0.5]]), np.array([[1.0]])

# %% needs="lstm_gates"
on_paper = {"f": 0.88, "i": 0.50, "o": 0.12, "c": 0.76}
for name, value in lstm_gates(x_paper, h_paper, W_paper).items():
    assert abs(value.item() - on_paper[name]) < 0.005, name

# %% [markdown]
# ### Exercise 2: one step
#
# Call your `lstm_gates` (its answer is a dict: `gates["f"]` is the forget gate),
# then write (5.6) and (5.10). Return the gates as well:
# the backward pass of notebook 06 takes them as an argument.


# %% exercise="lstm_step" points=5
def lstm_step(
    x_t: np.ndarray, h_prev: np.ndarray, c_prev: np.ndarray, W: dict
) -> tuple[np.ndarray, np.ndarray, dict]:
    """One step of the LSTM, equations (5.6) and (5.10).

    Args:
        x_t: (D, N) input at this position, one column per sequence.
        h_prev: (H, N) visible state of the position before.
        c_prev: (H, N) memory of the position before.
        W: weights by name, as for `lstm_gates`.

    Returns:
        h_t: (H, N) visible state.
        c_t: (H, N) memory.
        gates: the dict that `lstm_gates` gives.
    """
    ### BEGIN SOLUTION
    gates = lstm_gates(x_t, h_prev, W)
    kept = gates["f"] * c_prev
    written = gates["i"] * gates["c"]
    c_t = kept + written  # (5.6)
    h_t = gates["o"] * np.tanh(c_t)  # (5.10)
    return h_t, c_t, gates
    ### END SOLUTION


# %% check="lstm_step"
check(lstm_step)

# %% needs="lstm_step lstm_gates"
h_t, c_t, _ = lstm_step(x_paper, h_paper, c_paper, W_paper)
assert abs(c_t.item() - 1.26) < 0.005 and abs(h_t.item() - 0.10) < 0.005, "not the numbers from the paper"
print(f"c = {c_t.item():.4f}   h = {h_t.item():.4f}")

# %% [markdown] slide="slide"
# ## Part 4 · A whole sequence
#
# The step is used at every position, with the same weights.
# **Two** states are carried on: $h_t$ and $c_t$ of one position are
# $h_{t-1}$ and $c_{t-1}$ of the next.
#
# The start, $h_0$ and $c_0$, is given. Often both are zero,
# but nothing says that they must be.

# %% slide="-" hide_input=true
draw_chain("lstm", ("not", "a", "film"))

# %% [markdown] slide="notes"
# Ask: "if I stop in the middle of a sequence and go on tomorrow, what do I have to
# write down?" The usual wrong answer: "the hidden state". Both states: part 6 shows two
# cells with the same h and different futures.

# %% [markdown]
# ### Exercise 3: the sequence
#
# Collect all visible states, all memories and all gates, time first.
# The state of position $t$ belongs in row $t - 1$ of the arrays: Python counts from 0.


# %% exercise="lstm_forward" points=5
def lstm_forward(
    xs: np.ndarray, h0: np.ndarray, c0: np.ndarray, W: dict
) -> tuple[np.ndarray, np.ndarray, dict]:
    """The LSTM over all positions of a batch of sequences.

    Args:
        xs: (T, D, N) inputs, time first.
        h0: (H, N) visible state before the first position.
        c0: (H, N) memory before the first position.
        W: weights by name, as for `lstm_gates`.

    Returns:
        hs: (T, H, N) visible states after each position (`h0` is not among them).
        cs: (T, H, N) memories after each position (`c0` is not among them).
        gates: a dict with "f", "i", "o" and "c", each (T, H, N).
    """
    ### BEGIN SOLUTION
    T = len(xs)
    hs = np.zeros((T, *h0.shape))
    cs = np.zeros((T, *c0.shape))
    gates = {name: np.zeros((T, *h0.shape)) for name in "fioc"}
    h_t = h0
    c_t = c0
    for t in range(T):
        h_t, c_t, gates_t = lstm_step(xs[t], h_t, c_t, W)
        hs[t] = h_t
        cs[t] = c_t
        for name in "fioc":
            gates[name][t] = gates_t[name]
    return hs, cs, gates
    ### END SOLUTION


# %% check="lstm_forward"
check(lstm_forward)

# %% [markdown] slide="slide"
# ## A bias is a weight on an input that is always 1
#
# Give every input vector one more entry, which is 1 at every position:
#
# $$W^{f,x} x_t + b_f = \begin{pmatrix} W^{f,x} & b_f \end{pmatrix}
# \begin{pmatrix} x_t \\ 1 \end{pmatrix} \tag{5.11}$$
#
# $b_f$ is a **bias**: what the forget gate sees when nothing else speaks.
# Your functions need no new line for it.

# %%
W_fx, b_f, x_t = rng.normal(size=(3, 4)), rng.normal(size=(3, 1)), rng.normal(size=(4, 2))
longer = np.vstack([x_t, np.ones((1, 2))])
assert np.allclose(np.hstack([W_fx, b_f]) @ longer, W_fx @ x_t + b_f), "(5.11) does not hold"

# %% [markdown] slide="slide"
# ## A cell you can run by hand
#
# One unit. The input is one number $x_t$, and the constant 1 beside it.
#
# | | on $h_{t-1}$ | on $x_t$ | bias |
# |---|---|---|---|
# | forget gate | 0 | 0 | −100 |
# | input gate | 0 | 100 | 100 |
# | output gate | 0 | 100 | 0 |
# | candidate | −100 | 50 | 0 |
#
# **Before you run the next cells**: it starts from $h_0 = c_0 = 0$ and reads
# $x = 0, 0, 1, 1, 1, 0$. Write down the six visible states. $\tanh 1 = .762$.

# %% [markdown] slide="notes"
# Five minutes in pairs. Let them first simplify: f is 0 always, i is 1 always.
# o is 1 when x = 1 and one half when x = 0. So c is the candidate, which reads h.
# The usual wrong answer: .762 three times (the candidate's weight on h overlooked);
# the next: 0 at the end, because "x = 0 writes nothing".

# %%
W_hand = {
    "fh": [[0]], "fx": [[0, -100]],
    "ih": [[0]], "ix": [[100, 100]],
    "oh": [[0]], "ox": [[100, 0]],
    "ch": [[-100]], "cx": [[50, 0]],
}  # fmt: skip
W_hand = {name: np.array(weights, dtype=float) for name, weights in W_hand.items()}
x_hand = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 0.0])
xs_hand = np.stack([x_hand, np.ones(6)], axis=1)[:, :, None]  # (T, D, N) = (6, 2, 1)

# %% needs="lstm_forward lstm_step lstm_gates"
start = np.zeros((1, 1))
hs_hand, cs_hand, gates_hand = lstm_forward(xs_hand, start, start, W_hand)
top = np.tanh(1.0)
assert np.allclose(hs_hand[:, 0, 0], [0, 0, top, -top, top, -top / 2], atol=1e-9), (
    "not the states found by hand"
)
np.round(hs_hand[:, 0, 0], 3) + 0.0

# %% needs="lstm_forward lstm_step lstm_gates" slide="subslide" hide_input=true
one_unit = {name: values[:, 0, 0] for name, values in gates_hand.items()}
show(
    figures_05.hand_simulation(x_hand, one_unit, cs_hand[:, 0, 0], hs_hand[:, 0, 0]),
    alt="A table of the hand simulation. Forget gate 0 and input gate 1 throughout, output gate .5 where "
    "x is 0 and 1 where x is 1. Memory 0, 0, 1, -1, 1, -1; visible state 0, 0, .762, -.762, .762, -.381.",
)

# %% [markdown] slide="subslide"
# ### What happened
#
# - The forget gate is shut and the input gate open:
#   the memory *is* the candidate of the moment.
# - At $t = 4$ the candidate reads $-100 \cdot .762 + 50$: what was shown turns it
#   around. While $x = 1$, the cell flips its sign at every position.
# - At $t = 6$ the input is 0, but the candidate still reads what the cell has just
#   shown.
#   The output gate at $\sigma(0) = .5$ shows half of it.
#
# The zeros and ones of the gates in the table just above are rounded: $\sigma(-100)$
# is about
# $4 \cdot 10^{-44}$. On paper a sigmoid comes close to its ends and never gets there;
# in floating point $\sigma(40)$ is already 1 exactly.

# %% [markdown] slide="slide"
# ## Part 5 · What a memory is made of
#
# Put (5.6) into itself, from the last position back to the first:
#
# $$c_T = \Big(\prod_{j=1}^{T} f_j\Big) \odot c_0
# + \sum_{t=1}^{T} \Big(\prod_{j=t+1}^{T} f_j\Big) \odot i_t \odot \tilde c_t
# \tag{5.12}$$
#
# (products entry by entry; a product of nothing is 1.)
#
# A memory is a **sum** of everything that was let in,
# each part worn by the forget gates
# it has passed *since*. No matrix is applied on the way.

# %% [markdown] slide="notes"
# Ask: "what would the same formula look like for the simple RNN?" It has none: a tanh
# at every step. The usual wrong answer: "then the LSTM is linear". The gates are not:
# they read h.

# %% needs="lstm_forward lstm_step lstm_gates"
T, D, H, N = 7, 4, 3, 2
W_random = {gate + "h": rng.normal(size=(H, H)) for gate in "fioc"}
W_random |= {gate + "x": rng.normal(size=(H, D)) for gate in "fioc"}
xs, h0, c0 = rng.normal(size=(T, D, N)), rng.normal(size=(H, N)), rng.normal(size=(H, N))
_, cs, gates = lstm_forward(xs, h0, c0, W_random)
unrolled = gates["f"].prod(axis=0) * c0
for t in range(T):
    unrolled += gates["f"][t + 1 :].prod(axis=0) * gates["i"][t] * gates["c"][t]
assert np.allclose(unrolled, cs[-1]), "(5.12) does not hold"

# %% [markdown] slide="subslide"
# ### Almost open is not open
#
# **Before you look**: a forget gate stands at .9 the whole time, and nothing is
# written. After how many positions is less than half of the memory left?


# %% needs="lstm_forward lstm_step lstm_gates" slide="fragment" hide_input=true
def memory_left(f, T=60):
    """Memory of one unit that starts at 1, keeps the share f each time, and writes nothing."""
    W = {gate + "h": np.zeros((1, 1)) for gate in "fioc"} | {gate + "x": np.zeros((1, 1)) for gate in "fioc"}
    W["fx"][:] = np.log(f / (1 - f))  # the bias whose sigmoid is f; its candidate stays tanh(0) = 0
    return lstm_forward(np.ones((T, 1, 1)), np.zeros((1, 1)), np.ones((1, 1)), W)[1][:, 0, 0]


left = {f"f = {f}": memory_left(f) for f in (0.5, 0.9, 0.97, 0.99)}
assert left["f = 0.9"][5] > 0.5 > left["f = 0.9"][6], "half of it is not gone after seven positions"
show(
    figures_05.kept_fraction(left),
    alt="Share of a memory left over 60 positions. With f = .5 it is gone after a few, with .9 half is left "
    "after six to seven, with .97 after 23, and with .99 more than half is left after 60.",
)

# %% [markdown]
# $.9^6 = .53$ and $.9^7 = .48$: after seven. A gate that learned to stay at .9 has a
# memory of a few words; for hundreds it has to stay above .99, which takes a sum of
# $\ln(.99/.01) = 4.6$ inside the sigmoid.

# %% [markdown] slide="slide"
# ## One cell over a sentence
#
# One unit reads *the plot is not what i would call good*.
# Its candidate is strongly negative at
# *not*, strongly positive at *good*, small elsewhere (numbers set by hand,
# to play with).
#
# **A task for the sliders**: the cell shows nothing before the last word,
# and there it shows what *not* wrote (through the tanh: $\tanh(-.9) = -.72$),
# untouched by all that came after.
# Which gates have to move, at which words?

# %% slide="subslide" hide_input=true
words = ["the", "plot", "is", "not", "what", "i", "would", "call", "good"]
candidates = [0.1, 0.3, 0.1, -0.9, 0.1, -0.1, 0.2, 0.1, 0.8]
presets = [
    {"name": "all gates at one half", "f": 0.5, "i": 0.5, "o": 0.5},
    {"name": "overwrite: f 0, i 1, o 1", "f": 0, "i": 1, "o": 1},
    {"name": "add everything: f 1, i 1, o 1", "f": 1, "i": 1, "o": 1},
]
gate_colours = {gate: figures_05.GATES[gate] for gate in "fio"} | {"candidate": figures_05.GATES["c"]}
explorer(
    "memory_cell",
    {
        "words": words,
        "candidates": candidates,
        "presets": presets,
        "colours": gate_colours | {"memory": figures_05.MEMORY, "visible": figures_05.VISIBLE},
    },
    alt="A memory cell over a sentence: sliders set forget, input and output gate for all words or for "
    "one, and a chart shows the memory and the visible state at every word.",
)

# %% [markdown]
# The same without sliders. A word is a vector with a 1 in a place of its own and
# zeros elsewhere; the weights are set so that your own `lstm_forward` gets these gates.


# %% needs="lstm_forward lstm_step lstm_gates"
def over_sentence(f, i, o):
    """One unit over the sentence; f, i, o: a number for all words, or one number for each."""
    W = {gate + "h": np.zeros((1, 1)) for gate in "fioc"}
    for gate, wanted in {"f": f, "i": i, "o": o}.items():
        inside = np.clip(np.broadcast_to(wanted, len(words)), 1e-12, 1 - 1e-12)
        W[gate + "x"] = np.log(inside / (1 - inside))[None, :]  # the sum whose sigmoid is wanted
    W["cx"] = np.arctanh(candidates)[None, :]
    hs, cs, gates = lstm_forward(np.eye(len(words))[:, :, None], np.zeros((1, 1)), np.zeros((1, 1)), W)
    return {"candidate": gates["c"][:, 0, 0], "c": cs[:, 0, 0], "h": hs[:, 0, 0]}


# %% needs="lstm_forward lstm_step lstm_gates" slide="subslide" hide_input=true
over_words = {preset["name"]: over_sentence(preset["f"], preset["i"], preset["o"]) for preset in presets}
show(
    figures_05.memory_over_sentence(words, over_words),
    alt="Three settings of the gates. All at one half: 'not' fades within three words. Overwriting: the "
    "memory is the last word's candidate. Adding everything: the positive words outweigh 'not'.",
)

# %% [markdown] slide="notes"
# Before you show the three panels ask: "with everything open, what does the cell hold
# at the end?" The usual wrong answer: "everything". It holds one number, the sum; that
# 'not' was in it cannot be seen any more.

# %% [markdown]
# With all gates at one half, *not* is worn away before the sentence ends. Overwriting
# keeps the last word only. Adding everything keeps the sum .7, and no trace of *not* is
# left in its sign.
#
# <details><summary>An answer to the task</summary>
#
# Forget gate 1 from the word after *not* on. Input gate 1 at *not*, and 0 at every
# other word. Output gate 0 at every word but the last, and 1 there. (At *not* the
# forget gate may have any value: nothing was written before.)
#
# </details>

# %% needs="lstm_forward lstm_step lstm_gates"
at_not, at_good = np.array(words) == "not", np.array(words) == "good"
answer = over_sentence(f=1, i=at_not, o=at_good)
assert np.allclose(answer["h"], np.where(at_good, np.tanh(-0.9), 0), atol=1e-9), (
    "these gates do not solve the task"
)

# %% [markdown] slide="slide"
# ## Part 6 · A counter at the door
#
# A museum's door reports one symbol at a time:
# `+` a visitor comes in, `_` nothing happens, `?` the guard asks for a reading.
#
# **Target.** At each `?` the cell shows $\tanh(n / 4)$,
# where $n$ is the number of visitors since
# the last reading (or since the start). At `+` and `_` it shows 0.
#
# Three demands: count, keep quiet, and start again once the count has been read.


# %%
def target_at_door(stream):
    """What the cell should show at each symbol of a stream of "+", "_" and "?"."""
    visitors, target = 0, []
    for symbol in stream:
        visitors += symbol == "+"
        target.append(np.tanh(visitors / 4) if symbol == "?" else 0.0)
        visitors = 0 if symbol == "?" else visitors
    return target


print(np.round(target_at_door("+_+?_?+?"), 3))

# %% [markdown]
# ### Every stream there is
#
# A symbol becomes four numbers: one for each of `+`, `_`, `?`, and the constant 1.
# Seven symbols long there are $3^7 = 2187$ streams. We try them all: one batch.


# %%
def encode(streams):
    """(T, 4, N) inputs: one row each for "+", "_" and "?", and one that is always 1."""
    letters = np.array([list(stream) for stream in streams]).T  # (T, N)
    rows = [letters == symbol for symbol in "+_?"] + [np.full(letters.shape, True)]
    return np.stack(rows, axis=1).astype(float)


streams = ["".join(letters) for letters in itertools.product("+_?", repeat=7)]
targets = np.array([target_at_door(stream) for stream in streams]).T  # (T, N)
encode(streams).shape

# %% [markdown]
# This one runs your LSTM over all of them. A stream is right when it is right at all
# seven symbols, to within .01.


# %% needs="lstm_forward lstm_step lstm_gates"
def try_weights(W):
    """How many of the streams a cell of one unit gets right, and the first mistake it makes."""
    W = {name: np.array(weights, dtype=float) for name, weights in W.items()}
    nothing = np.zeros((1, len(streams)))
    shown = lstm_forward(encode(streams), nothing, nothing, W)[0][:, 0]  # (T, N)
    wrong = np.abs(shown - targets) > 0.01
    right = ~wrong.any(axis=0)
    report = f"{right.sum()} of {len(streams)} streams right"
    if not right.all():
        n = int(np.argmin(right))
        t = int(np.argmax(wrong[:, n]))
        report += f". In {streams[n]!r}, symbol {t + 1}: shown {shown[t, n]:.3f}, wanted {targets[t, n]:.3f}"
    return report


# %% [markdown] slide="slide"
# ## Your turn: set the weights by hand
#
# The **candidate** is $\tfrac14$ always: one visitor's worth, whatever happens.
# The **input gate** opens at `+` only. Both are set below.
#
# Set the **output gate** so that it opens at `?` only.
# Set the **forget gate** so that the memory is emptied right *after* a reading.
# How can it know?
#
# Columns of the weights on $x_t$: `+`, `_`, `?`, constant 1.

# %% [markdown] slide="notes"
# Ten minutes, in pairs; this is the heart of the hour. The usual first try shuts the
# forget gate at "?": then the count is gone before it is shown (the forget gate acts
# before the output gate does). The second: a weight on h that is too small. The
# smallest thing ever shown is tanh(1/4) = .245.

# %% [markdown]
# Change the two rows marked `# yours`, run both cells, and read what goes wrong.
# Repeat. A symbol is 0 or 1, and weights of 40 or 80 are fine for it; what is smaller
# than 1 may need more. (This cell is not graded; it is for you.)

# %% slide="fragment"
mine = {
    "ch": [[0]], "cx": [[0, 0, 0, np.arctanh(0.25)]],
    "ih": [[0]], "ix": [[80, 0, 0, -40]],
    "oh": [[0]], "ox": [[0, 0, 0, 0]],  # yours
    "fh": [[0]], "fx": [[0, 0, 0, 0]],  # yours
}  # fmt: skip

# %% needs="lstm_forward lstm_step lstm_gates"
try_weights(mine)

# %% [markdown]
# Three hints, one by one:
#
# <details><summary>Hint 1: the output gate</summary>
#
# It is like the input gate, with another symbol in the place of `+`.
#
# </details>
# <details><summary>Hint 2: when to forget</summary>
#
# Not at `?`: the memory has to be there to be shown. One position later. What does the
# forget gate read that tells it that something was shown just before?
#
# </details>
# <details><summary>Hint 3: how strongly</summary>
#
# The forget gate is open unless $h_{t-1} > 0$. Start with a bias of 40. The smallest
# count that is shown is $\tanh(1/4) = .245$; the weight on $h_{t-1}$ has to turn 40
# into something well below 0.
#
# </details>

# %% [markdown] slide="subslide"
# ### One set of weights that does it
#
# | | on $h_{t-1}$ | `+` | `_` | `?` | 1 | so it is |
# |---|---|---|---|---|---|---|
# | forget gate | −400 | 0 | 0 | 0 | 40 | open, unless something was shown |
# | input gate | 0 | 80 | 0 | 0 | −40 | open at `+` |
# | output gate | 0 | 0 | 0 | 80 | −40 | open at `?` |
# | candidate | 0 | 0 | 0 | 0 | $\operatorname{artanh}\tfrac14$ | $\tfrac14$ always |
#
# The memory says how many. The visible state tells the guard,
# and tells the cell *itself* that the guard has been told.

# %% needs="lstm_forward lstm_step lstm_gates"
W_door = {
    "fh": [[-400]], "fx": [[0, 0, 0, 40]],
    "ih": [[0]], "ix": [[80, 0, 0, -40]],
    "oh": [[0]], "ox": [[0, 0, 80, -40]],
    "ch": [[0]], "cx": [[0, 0, 0, np.arctanh(0.25)]],
}  # fmt: skip
W_door = {name: np.array(weights, dtype=float) for name, weights in W_door.items()}
assert try_weights(W_door) == "2187 of 2187 streams right", "these weights do not do it"


# %% needs="lstm_forward lstm_step lstm_gates" slide="subslide" hide_input=true
def at_door(stream, W):
    """Memory and visible state of one unit over one stream, each (T,)."""
    hs, cs, _ = lstm_forward(encode([stream]), np.zeros((1, 1)), np.zeros((1, 1)), W)
    return cs[:, 0, 0], hs[:, 0, 0]


long_stream = "+_+_+?__+?_?"
assert np.allclose(at_door(long_stream, W_door)[1], target_at_door(long_stream), atol=1e-9), (
    "the cell misses its target"
)
show(
    figures_05.door(long_stream, *at_door(long_stream, W_door), np.array(target_at_door(long_stream))),
    alt="The door counter over twelve symbols. The memory climbs by a quarter at each visitor, keeps its "
    "value in between, and is empty one symbol after a reading. The visible state is zero except at "
    "readings that have something to tell: .635 for three visitors, .245 for one, 0 for none.",
)

# %% [markdown] slide="subslide"
# ### The visible state alone is not the state
#
# After `+` and after `+++` the cell shows the same: 0. A `?` later it answers
# .245 and .635. Whoever stores only $h$ between two symbols has lost the count.

# %% needs="lstm_forward lstm_step lstm_gates" slide="fragment"
(few, shown_few), (many, shown_many) = at_door("+__?", W_door), at_door("+++?", W_door)
assert np.allclose(shown_few[:3], shown_many[:3], atol=1e-9), "what is shown differs"
print(f"memory before the reading: {few[2]:.2f} and {many[2]:.2f}")
print(f"reading:                   {shown_few[3]:.3f} and {shown_many[3]:.3f}")

# %% [markdown] slide="slide"
# ## Part 7 · Take a gate away
#
# To take a gate away means: it is 1, whatever comes. Everything else stays:
# the task, the other gates, and the candidate, which is $\tfrac14$ always.
#
# **Before you go on**: write down for each gate which demand of the target breaks
# without it. Count? Keep quiet? Start again? One of the three breaks two of them.

# %% [markdown] slide="notes"
# Collect a vote for each gate. The usual wrong answer: "without the output gate it only
# talks too much, the count is fine". The forget gate listens to what is shown: it will
# take every visitor for a reading. Keep the votes on the board.


# %%
def always_open(W, gate):
    """The same weights, but one gate is 1 whatever comes: its constant input says 1000."""
    changed = dict(W)
    changed[gate + "h"] = np.zeros_like(W[gate + "h"])
    changed[gate + "x"] = np.zeros_like(W[gate + "x"])
    changed[gate + "x"][:, -1] = 1000.0
    return changed


# %% needs="lstm_forward lstm_step lstm_gates" slide="subslide" hide_input=true
short_stream = "+_+?_?+?"
names = {"f": "no forget gate", "i": "no input gate", "o": "no output gate"}
door_runs = {"all gates": at_door(short_stream, W_door)}
door_runs |= {name: at_door(short_stream, always_open(W_door, gate)) for gate, name in names.items()}
short_target = np.array(target_at_door(short_stream))
assert np.allclose(door_runs["all gates"][1], short_target, atol=1e-9), "the cell misses its target"
assert all(np.abs(door_runs[name][1] - short_target).max() > 0.1 for name in names.values()), (
    "a gate is not missed"
)
show(
    figures_05.without_a_gate(short_stream, door_runs, short_target),
    alt="Memory and visible state of the door counter over + _ + ? _ ? + ?. With all gates every target is "
    "met. Without the forget gate the memory never goes down, and the second and third reading are "
    "wrong. Without the input gate every symbol is counted. Without the output gate each visitor is "
    "shown at once, the memory is emptied one symbol later, and the first reading is 0.",
)

# %% [markdown] slide="subslide"
# ### What broke
#
# - **No forget gate**: it never starts again. The second reading repeats the first,
#   though nobody came in between.
# - **No input gate**: it counts symbols, not visitors.
# - **No output gate**: it does not keep quiet. And it no longer *counts*: the forget
#   gate takes every visitor it sees in $h_{t-1}$ for a reading, and empties the memory.
#
# $h_t$ is not only what the world sees. It is what the gates see.

# %% needs="lstm_forward lstm_step lstm_gates"
without = {}
for gate, name in names.items():
    without[gate] = dict(zip("ch", door_runs[name], strict=True))
assert np.all(np.diff(without["f"]["c"]) >= 0), "it starts again"
assert np.isclose(without["f"]["h"][5], without["f"]["h"][3]), "the second reading does not repeat the first"
assert np.allclose(without["i"]["c"][:4], [0.25, 0.5, 0.75, 1.0]), "it does not count every symbol"
assert np.isclose(without["o"]["h"][0], np.tanh(0.25)), "it keeps quiet"
assert abs(without["o"]["h"][3]) < 1e-9, "the first reading is not 0"

# %% [markdown] slide="subslide"
# ### Bad weights, or no weights?
#
# That *these* weights fail proves little: perhaps others would do. They would not.
#
# All gates read $x_t$ and $h_{t-1}$ and nothing else. Let them be *any* functions of
# these two, with values from 0 to 1, ends included. Where the target is met,
# $h_{t-1} = 0$ at the start and after every `+` and `_`. So **at each `?` that comes
# first, or after `+` or `_`, the output gate has one and the same value** $\omega$. It
# is not 0, or such a `?` could never show a count.

# %% [markdown] slide="subslide"
# ### No weights
#
# - **No input gate.** Each position adds $\tfrac14$ to what is kept, so
#   $c_t \ge \tfrac14$ always. A `?` as first symbol shows at least
#   $\omega \tanh \tfrac14 > 0$. Target: 0.
# - **No forget gate.** $c_t = c_{t-1} + i_t/4$ never falls.
#   After `+?_?` it still has what the first
#   reading showed, and the second shows more than 0. Target: 0.
# - **No output gate.** $h_t = \tanh c_t$, and the target 0 before a `?` asks for
#   $c_t = 0$ there, after one visitor as after three. From the same $h$, $c$ and $x$
#   follows the same answer. Target: two different ones.

# %% [markdown] slide="notes"
# Ask before the first bullet: "how could a doubter escape from each of these?" For the
# first two: with another candidate. A candidate that is 0 at "_" does the input gate's
# work, and one that reads h can subtract what was shown. That is why it is held still:
# the question is what the gate does, and not what else could do it. The third needs
# nothing of the kind. A sharper doubter: "to within .01 the cell may whisper through
# h". True: the argument is about a target that is met exactly.

# %% [markdown]
# The argument says this much, and no more. In its first two parts the candidate is
# **held still**: a candidate that is 0 at `_` could do the input gate's work, and one
# that reads $h$ could subtract what was shown. And the target is met **exactly**, as
# gates that reach 0 and 1 can meet it (the sigmoids of the door counter miss it by less
# than $10^{-9}$): to within a tolerance, a cell could whisper something through an $h$
# that should be 0.
#
# The cell below tests each step of it on 600 cells with random weights in the two gates
# that remain (half of them scattered around those that work with all three gates), over
# all 243 streams of five symbols. Each of the 600 is wrong by more than .1 somewhere.

# %% needs="lstm_forward lstm_step lstm_gates"
short = ["".join(letters) for letters in itertools.product("+_?", repeat=5)]
xs_short, quiet = encode(short), np.zeros((1, len(short)))
wanted = np.array([target_at_door(stream) for stream in short]).T
least_wrong = {}
for gate in "fio":
    errors = []
    for k in range(200):
        tried = {name: w + rng.normal(scale=30, size=w.shape) for name, w in W_door.items()}
        if k % 2:
            tried = {name: rng.normal(scale=10, size=w.shape) for name, w in W_door.items()}
        tried |= {"ch": W_door["ch"], "cx": W_door["cx"]}  # the candidate is held still
        hs, cs, _ = lstm_forward(xs_short, quiet, quiet, always_open(tried, gate))
        if gate == "i":
            assert cs.min() >= 0.25 - 1e-12, "a memory is below 1/4"
        if gate == "f":
            assert np.diff(cs, axis=0).min() >= -1e-12, "a memory fell"
        if gate == "o":
            assert np.allclose(hs, np.tanh(cs)), "h is not tanh(c)"
        errors.append(np.abs(hs[:, 0] - wanted).max())  # a cell is as good as its worst answer
    least_wrong[names[gate]] = round(float(min(errors)), 3)
claim(
    "the best of 200 cells, by its worst answer, is wrong by more than 0.1",
    min(least_wrong.values()) > 0.1,
    ", ".join(f"{error} with {name}" for name, error in least_wrong.items()),
)

# %% [markdown] slide="slide"
# ## Part 8 · Eight matrices in one
#
# All gates read the same two vectors. Put these below one another, and the weights too:
#
# $$z_t = \begin{pmatrix} W^{f,h} & W^{f,x} \\ W^{i,h} & W^{i,x} \\ W^{o,h} & W^{o,x} \\
# W^{c,h} & W^{c,x} \end{pmatrix} \begin{pmatrix} h_{t-1} \\ x_t \end{pmatrix}
# \tag{5.13}$$
#
# The matrix has shape $(4H, H + D)$. Cut $z_t$ into four pieces of $H$ rows,
# from the top:
#
# $$f_t = \sigma(z_t^{(1)}), \quad i_t = \sigma(z_t^{(2)}),
# \quad o_t = \sigma(z_t^{(3)}), \quad
# \tilde c_t = \tanh(z_t^{(4)}) \tag{5.14}$$

# %% [markdown] slide="notes"
# Ask: "how many numbers does an LSTM with 100 units and 50 inputs learn?" 4 * 100 * 150
# = 60,000. The usual wrong answer forgets the four, or squares 150. The order of the
# blocks is a convention: PyTorch has i, f, g, o (g is the candidate). Ours puts the
# three sigmoids together. A file of weights read in another order gives no error, just
# nonsense.

# %% [markdown]
# ### Exercise 4: stack the parameters
#
# The order of this course: rows **f, i, o, c** from top to bottom;
# columns for $h_{t-1}$ left, columns for $x_t$ right.


# %% exercise="stack_parameters" points=3
def stack_parameters(W: dict) -> np.ndarray:
    """All eight matrices of an LSTM in one, as in (5.13).

    Args:
        W: weights by name. "fh", "ih", "oh", "ch" are (H, H); "fx", "ix", "ox", "cx" are (H, D).

    Returns:
        stacked: (4H, H + D). Rows: forget gate, input gate, output gate, candidate, H rows each.
            Columns: first the H that act on the visible state, then the D that act on the input.
    """
    ### BEGIN SOLUTION
    rows = []
    for name in ("f", "i", "o", "c"):
        from_state = W[name + "h"]
        from_input = W[name + "x"]
        rows.append(np.hstack([from_state, from_input]))
    return np.vstack(rows)
    ### END SOLUTION


# %% check="stack_parameters"
check(stack_parameters)

# %% needs="stack_parameters lstm_gates"
stacked = stack_parameters(W_random)
H, D = W_random["fx"].shape
h_before, x_now = rng.normal(size=(H, 2)), rng.normal(size=(D, 2))
z = stacked @ np.vstack([h_before, x_now])  # (5.13)
pieces = dict(zip("fioc", np.split(z, 4), strict=True))
for name, values in lstm_gates(x_now, h_before, W_random).items():
    squash = np.tanh if name == "c" else sigmoid
    assert np.allclose(values, squash(pieces[name])), "(5.14) does not hold"

# %% needs="stack_parameters" slide="subslide" hide_input=true
show(
    figures_05.stacked_blocks(stacked, *W_random["fx"].shape),
    alt="The stacked weights as a heat map of 12 rows and 7 columns, cut into eight blocks: rows for forget "
    "gate, input gate, output gate and candidate, columns for the visible state left and the input right.",
)

# %% [markdown] slide="subslide"
# ### Why it is faster
#
# A product of large matrices keeps a processor busy; eight small ones keep it waiting.
# And not all of it has to wait for the step before: the inputs' share,
# $W^{\cdot,x} x_t$, can be had **for all positions at once**, before the loop.


# %% slide="fragment"
def stacked_forward(xs, h, c, stacked):
    """Visible states (T, H, N) of an LSTM from its stacked weights."""
    H = len(h)
    from_inputs = stacked[:, H:] @ xs  # (T, 4H, N): no position waits for another
    shown = []
    for z in from_inputs:
        z = z + stacked[:, :H] @ h  # the only matrix product inside the loop
        f, i, o = np.split(sigmoid(z[: 3 * H]), 3)  # (5.14)
        c = f * c + i * np.tanh(z[3 * H :])
        h = o * np.tanh(c)
        shown.append(h)
    return np.stack(shown)


# %% [markdown]
# Two ways to the same numbers: yours, and the one above.
# **Before you run it**, guess how many times faster the second is.
# (The answer depends on your machine, so the cell asserts the numbers,
# and only prints the times. Libraries go further: they write every result
# into arrays that were made once, before the first step.)

# %% needs="lstm_forward lstm_step lstm_gates stack_parameters"
T, D, H, N = 50, 32, 64, 16
large = {gate + "h": rng.normal(size=(H, H)) / H for gate in "fioc"}
large |= {gate + "x": rng.normal(size=(H, D)) / D for gate in "fioc"}
xs, zeros, packed = rng.normal(size=(T, D, N)), np.zeros((H, N)), stack_parameters(large)
ways = {
    "eight products a step": lambda: lstm_forward(xs, zeros, zeros, large)[0],
    "one product a step": lambda: stacked_forward(xs, zeros, zeros, packed),
}
seconds = dict.fromkeys(ways, np.inf)
for _, (name, way) in itertools.product(range(7), ways.items()):
    started = time.perf_counter()
    result = way()
    seconds[name] = min(seconds[name], time.perf_counter() - started)
    assert np.allclose(result, lstm_forward(xs, zeros, zeros, large)[0]), "two ways give different numbers"
for name, best in seconds.items():
    print(f"{name:24s} {seconds['eight products a step'] / best:4.1f} times as fast as the first")

# %% [markdown] slide="slide" written="why_two_states" points=3
# ## Written question: why two states?
#
# In three or four sentences: a friend takes the output gate and the last tanh away, so
# that $h_t = c_t$, and says that nothing is lost, because the layer above can ignore
# what it does not need.
#
# Who else reads $h_t$? What goes wrong at the museum's door, step by step?
# And what would a **single** state have to give up in order to keep quiet?
#
# === BEGIN MARK SCHEME ===
# 1 point: the cell's own gates and candidate read h_{t-1} at the next position; the
# layer above is not the only reader.
# 1 point: at the door, the count would stand in h from the first visitor on; the forget
# gate takes it for a reading and empties the memory, so that the reading comes out
# wrong (half a point for "it shows too early" alone).
# 1 point: with one state what is kept is what is shown; to show 0 it must hold 0, and
# the count is lost. Equivalent: keeping and showing need different values at the same
# position.
# === END MARK SCHEME ===

# %% [markdown] slide="slide"
# ## What to take with you
#
# - One gate ties keeping to writing, one state ties keeping to showing.
#   The LSTM unties both.
# - $c_t = f_t \odot c_{t-1} + i_t \odot \tilde c_t$: a sum that nothing squashes.
#   Each part is worn only by the forget gates it has passed since.
# - $h_t = o_t \odot \tanh(c_t)$: what the layer above reads,
#   and what the gates read next.
# - Both states are carried from position to position; $h$ alone is not enough.
# - Each gate does something the others cannot do for it (with the candidate held
#   still).
# - One matrix of shape $(4H, H + D)$ holds it all;
#   the order of its blocks is a convention.

# %% [markdown] slide="notes"
# Go back to the first question: two states, or one of twice the size? A single vector
# can hold as many numbers, but all of them are read by everything. "Short and long
# memory" is not it: both are there at every step, and c can be as short-lived as you
# like (the cell run by hand forgot at once). Exit question: "where, on its way back
# through c, does a gradient meet a matrix?" That is notebook 06.

# %% [markdown] slide="slide"
# ## Where to read on
#
# - S. Hochreiter, J. Schmidhuber: *Long Short-Term Memory*. Neural Computation 9 (8),
#   1997. Memory cells with an input and an output gate. There is no forget gate yet:
#   $f_t = 1$.
# - F. A. Gers, J. Schmidhuber, F. Cummins: *Learning to Forget:
#   Continual Prediction with LSTM*.
#   Neural Computation 12 (10), 2000. The forget gate,
#   and why a stream without end asks for it.
# - F. A. Gers, J. Schmidhuber: *LSTM Recurrent Networks Learn Simple Context-Free and
#   Context-Sensitive Languages*. IEEE Transactions on Neural Networks 12 (6), 2001.
#   Cells that learn to count.
#
# **Next**: notebook 06 sends the gradient back through all of this.
