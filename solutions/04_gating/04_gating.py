# %% [markdown] slide="slide"
# # 04 · Gating
#
# You read a long sentence. You do not change everything you remember at every word.
# What if a network could decide, number by number, what to keep?

# %% [markdown] slide="notes"
# Open question to the room: "you read a long sentence. Does every word change
# everything you remember of it?" Let two people answer, then: "our RNN has no way to
# say no." The usual wrong answer: "train it longer, it will learn to keep things." Part
# 1 shows that the step itself is in the way, whatever the weights.

# %% [markdown] slide="slide"
# ## What you will be able to do
#
# - write a **gating network**, and say what each of its numbers decides;
# - run a gated RNN by hand, on paper, for one step;
# - set weights by hand so that one unit stores a value for a thousand steps;
# - **find** its backward pass yourself, and that of a cell nobody showed you;
# - show by experiment what gates change, and what they do not.
#
# **Time**: {time}. The places to stop are marked.

# %% [markdown] slide="notes"
# The lecture takes 50 minutes: parts 1 to 3 twenty, the backward pass twenty,
# experiments ten. Leave the exercises to the lab. The figure of the three ways in part 4
# is the slide to stay on.

# %%
from autograder import check, guess, hint, progress, recall, reveal, show_derivation
from rnncourse import claim, explorer, figures_04, show
from rnncourse.adam import Adam
from rnncourse.cells import draw_cell, step_through

# %% given="imports"
import numpy as np

# %% [markdown]
# ### Given from notebook 00
#
# You wrote it there. It survives pre-activations of any size.


# %% given="from_notebook_00"
def sigmoid(z):
    """1 / (1 + exp(-z)) for every entry, without overflow."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


# %% [markdown]
# ## Three minutes of recall
#
# From memory, before you look anything up. Type your answers in the places of the dots
# and run the cell. There are no marks.
#
# Notebook 03: a tanh RNN whose $W^{s,s}$ is orthogonal. Its gradient vanishes over a
# hundred steps all the same. What shrinks it: the matrix, the slopes, or the inputs?

# %% recall="04.r1"
recall("04.r1", shrinks="slopes", choices=("matrix", "slopes", "inputs"))

# %% [markdown] answer="04.r1"
# **The slopes** of tanh. An orthogonal matrix has singular values 1 and shrinks nothing.
# Each step multiplies by slopes of at most 1, and a hundred of them are a small number.

# %% [markdown]
# Notebook 02: walking back through time, two gradients meet at $s_t$. One comes from
# outside, where the loss looks at this state. Which step handed back the other?

# %% recall="04.r2"
recall("04.r2", handed_back_by="step t + 1", choices=("step t - 1", "step t", "step t + 1"))

# %% [markdown] answer="04.r2"
# **Step t + 1**: it is the step that read $s_t$. Its backward function returned the
# gradient by the state before it, and that state is $s_t$.

# %% [markdown]
# Notebook 01: `xs` has the shape (T, D, N). What is the shape of all `states`? Write it
# as a list of letters, `["A", "B"]`.

# %% recall="04.r3"
recall("04.r3", states=["T", "H", "N"])

# %% [markdown] answer="04.r3"
# **(T, H, N)**: time first, then one row a unit, one column a sequence.

# %% [markdown]
# Notebook 00: a tanh has made 0.8 out of something, and a sigmoid has made 0.8 out of
# something else. How steep is each of them there?

# %% recall="04.r4"
recall("04.r4", tanh=0.36, sigmoid=0.16)

# %% [markdown] answer="04.r4"
# **0.36** and **0.16**: $1 - 0.8^2$ and $0.8 \cdot (1 - 0.8)$. Both slopes can be
# written with *outputs*: nothing has to be squashed again. You will need both today.

# %% [markdown]
# ### What you need
#
# From notebook 00 the slopes of tanh and sigmoid; from 02 the way back through a matrix
# product and through time; from 03 what makes a gradient vanish.
#
# **Singular values, in five lines.** A matrix turns a round ball of vectors into an
# ellipsoid. The singular values are the lengths of its half-axes: the largest says how
# much the matrix can stretch a vector, the smallest how much it can shrink one. All of
# them are 1 for an orthogonal matrix: it turns, and changes no length.
# In code: `np.linalg.svd(A, compute_uv=False)`.
#
# `hint(gate)` gives a hint for that exercise; call it again for the next. `progress()`
# shows what you have done and what comes next.

# %% [markdown] slide="slide"
# ## 1 · Nothing is said
#
# One unit of a tanh RNN, with no input: $s_t = \tanh(w\, s_{t-1})$.
# Start it at 0.2, at 0.5 and at 0.9, and let 50 steps go by.
#
# What has become of the three values, for $w = 1$ and for $w = 2$? Are they
#
# - *kept*: about where they started,
# - *shrunk*: all nearer to 0, and to each other,
# - *merged*: all at one value that is not 0,
# - or *exploded*: ever larger?

# %% [markdown] slide="notes"
# Ask for hands: "w = 1: are the values kept?" Most say yes: multiplying by one changes
# nothing. They forget the tanh, which shrinks every value a little, every time.
# For w = 2 some say "it explodes". It cannot: tanh is bounded.

# %% guess="04.1"
guess("04.1", w_1="shrunk", w_2="merged", choices=("kept", "shrunk", "merged", "exploded"))


# %% slide="subslide" hide_input=true
def repeat(rule, start=(0.2, 0.5, 0.9), steps=50):
    values = [np.array(start)]
    for _ in range(steps):
        values.append(rule(values[-1]))
    return np.stack(values)


runs = {
    "tanh, w = 1": repeat(lambda s: np.tanh(1 * s)),
    "tanh, w = 2": repeat(lambda s: np.tanh(2 * s)),
    "left alone": repeat(lambda s: s),
}
show(
    figures_04.fading(runs),
    alt="Three panels. With w = 1 the values 0.2, 0.5 and 0.9 shrink to between 0.13 and 0.17 within 50 "
    "steps; with w = 2 all three end at 0.96; left alone they stay where they were.",
)

# %%
reveal("04.1")

# %% [markdown] answer="04.1" sealed=true slide="subslide"
# **w = 1: shrunk. w = 2: merged.** With $w = 1$ the three end at 0.13, 0.16 and 0.17:
# what was 0.7 apart is 0.04 apart, and still shrinking. With $w = 2$ all end at 0.958.
#
# In the second case the *sign* would survive: that is the one-bit latch of notebook 03.
# The *value* does not, and no $w$ changes that.
#
# To store any value a unit would have to leave every value alone. A tanh unit leaves
# three alone at most: 0, and for $w > 1$ one positive value and its negative.

# %% [markdown] slide="notes"
# Ask: "what would the third panel need?" A step that can return the old value itself.
# The usual wrong answer: a better w. For every w > 0 all positive starts end at one value.

# %% [markdown] slide="slide"
# ## 2 · A gating network
#
# Beside the question *what is the new state?* ask a second one, for every coordinate:
# *how much of it should change?*
#
# $$g_t = \sigma(W^{g,s} s_{t-1} + W^{g,x} x_t), \qquad \sigma(z) = \frac{1}{1 + e^{-z}}
# \tag{4.1}$$
#
# The **gate** $g_t$ has one number for each coordinate of the state, between
# 0 (keep it) and 1 (overwrite it).
#
# It looks at the state before, $s_{t-1}$, and at the input $x_t$, as the step of an RNN
# does. Its matrices are its own.

# %% [markdown] slide="notes"
# Ask: "why does the gate look at the state, too?" Because the same word can matter here
# and not there: after "not", "good" should be written differently. The usual wrong
# answer: g = 1 means "open, so the memory passes". In this notebook the gate opens for
# what is NEW.

# %% [markdown]
# ### Sizes
#
# A batch holds $N$ sequences, one **column** each; an input has $D$ entries, a state $H$.
#
# | in code | shape | in formulas |
# |---|---|---|
# | `x_t` | (D, N) | the input $x_t$ |
# | `s_prev`, `s_t` | (H, N) | the state before the step, $s_{t-1}$, and after it, $s_t$ |
# | `g_t`, `candidate` | (H, N) | the gate $g_t$, and what would be written, $\tilde s_t$ |
# | `W["gs"]`, `W["gx"]` | (H, H), (H, D) | $W^{g,s}$, $W^{g,x}$: they make the gate |
# | `W["ss"]`, `W["sx"]` | (H, H), (H, D) | $W^{s,s}$, $W^{s,x}$: they make the candidate |
#
# There are no biases. Where one is wanted, an input that is always 1 does its work: its
# weight is added at every step.

# %% [markdown] slide="slide"
# ## Keep or overwrite, coordinate by coordinate
#
# What *would* be written is the step of the simple RNN. It is called the **candidate**:
#
# $$\tilde s_t = \tanh(W^{s,s} s_{t-1} + W^{s,x} x_t) \tag{4.2}$$
#
# The new state mixes old and candidate, each coordinate by its own gate
# ($\odot$ multiplies entry by entry):
#
# $$s_t = (1 - g_t) \odot s_{t-1} + g_t \odot \tilde s_t \tag{4.3}$$
#
# These three lines are the **simple gated RNN**.

# %% [markdown] slide="notes"
# Ask: "which of the four matrices does a simple RNN have?" The two of the candidate.
# Set every gate to 1 and the simple RNN is back: nothing was lost, one choice was
# added.

# %% [markdown] slide="subslide"
# ### The same three lines as a picture
#
# Boxes multiply by a matrix, + adds, a ring with a dot multiplies entry by entry. A dot on
# a line hands the same value to several readers.

# %% slide="-" hide_input=true
draw_cell("gated")

# %% [markdown] slide="notes"
# Follow the thick line with a finger: it is the old state, and only two things touch it.
# Ask: "where is the simple RNN in this picture?" The right column, and nothing else.

# %% [markdown] slide="subslide"
# ### Word by word
#
# Step with the arrow keys or the buttons. Every number can be changed. Which unit takes in
# more of the word?

# %% slide="-" hide_input=true
step_through("gated")

# %% [markdown] slide="slide"
# ## By hand: g = [1, 0, 1]
#
# $$s_{t-1} = \begin{pmatrix} 0.5 \\ -0.2 \\ 0.9 \end{pmatrix}, \qquad
# \tilde s_t = \begin{pmatrix} -1 \\ 1 \\ 0.1 \end{pmatrix}, \qquad
# g_t = \begin{pmatrix} 1 \\ 0 \\ 1 \end{pmatrix}$$
#
# What is $s_t$? And what is it with $g_t = (0.5,\ 0.25,\ 0)$?

# %% [markdown] slide="notes"
# Ask: "with g = [1, 0, 1], which coordinates of the old state survive?"
# The usual wrong answer is the first and the third: people read the gate as *keep*.
# Let them do the second one on paper: 0.5 * 0.5 + 0.5 * (-1) = -0.25, and so on.

# %% [markdown]
# Write each as a list, `[1.5, 0, 2]`, three numbers long.

# %% guess="04.2"
guess("04.2", with_1_0_1=[-1, -0.2, 0.1], with_half_open=[-0.25, 0.1, 0.9])

# %% slide="subslide" hide_input=true
show(
    figures_04.mixture(np.array([0.5, -0.2, 0.9]), np.array([-1.0, 1.0, 0.1]), np.array([0.5, 0.25, 0.0])),
    alt="Three lines from an old value to a candidate. With gate 0.5 the new state lies half "
    "way, at -0.25; with gate 0.25 a quarter of the way, at 0.1; with gate 0 on the old value.",
)

# %% [markdown] answer="04.2" slide="fragment"
# $(-1,\ -0.2,\ 0.1)$: the middle coordinate came through untouched.
# And $(-0.25,\ 0.1,\ 0.9)$: a gate of 0.25 goes a quarter of the way to the candidate.
#
# If you kept the first and the third, you read the gate as *keep*.
# A new value never leaves the stretch between old value and candidate.

# %% [markdown]
# ### Exercise: the gate
#
# Write (4.1).


# %% exercise="gate" points=2
def gate(x_t: np.ndarray, s_prev: np.ndarray, W: dict) -> np.ndarray:
    """How much of each coordinate is to be overwritten, equation (4.1).

    Args:
        x_t: (D, N) input of the step, one column per sequence.
        s_prev: (H, N) state before the step.
        W: "gs" (H, H) and "gx" (H, D) make the gate; "ss" (H, H) and "sx" (H, D), for the
            candidate, are in it, too.

    Returns:
        g_t: (H, N) gate, between 0 (keep) and 1 (overwrite).
    """
    ### BEGIN SOLUTION
    pre_activation = W["gs"] @ s_prev + W["gx"] @ x_t
    g_t = sigmoid(pre_activation)
    return g_t
    ### END SOLUTION


# %% check="gate"
check(gate)

# %% [markdown] slide="slide"
# ## A whole step on paper
#
# One unit, one input: $H = D = N = 1$, so that every matrix is a number.
#
# $$s_{t-1} = 0.5, \quad x_t = 1, \quad W^{g,s} = 2, \quad W^{g,x} = -1, \quad
# W^{s,s} = 1, \quad W^{s,x} = -0.5$$
#
# What is the gate, what is the candidate, and what is the new state? All three are exact.

# %% [markdown] slide="notes"
# Let the room compute it before you go on.
# Ask: "the candidate is 0. Was nothing written?" Half of a zero was: the state halved.
# The usual wrong answer: a candidate of 0 means no change. No change is a gate of 0.

# %% guess="04.3"
guess("04.3", gate=0.5, candidate=0, new_state=0.25)

# %% [markdown] answer="04.3" slide="fragment"
# | | | |
# |---|---|---|
# | gate | $\sigma(2 \cdot 0.5 - 1 \cdot 1) = \sigma(0)$ | $= 0.5$ |
# | candidate | $\tanh(1 \cdot 0.5 - 0.5 \cdot 1) = \tanh(0)$ | $= 0$ |
# | new state | half of 0.5, and half of 0 | $= 0.25$ |
#
# A candidate of 0 does not mean *no change*: a zero was written, half of it.
# The same unit goes backward in part 4.

# %% [markdown]
# ### Exercise: one gated step
#
# Write (4.2) and (4.3) around your `gate`. Return the new state together with the gate
# and the candidate: the backward pass will want them.


# %% exercise="gated_step" points=3
def gated_step(x_t: np.ndarray, s_prev: np.ndarray, W: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One step of the simple gated RNN, equations (4.1) to (4.3).

    Args:
        x_t: (D, N) input of the step, one column per sequence.
        s_prev: (H, N) state before the step.
        W: "gs" (H, H) and "gx" (H, D) make the gate; "ss" (H, H) and "sx" (H, D) make the
            candidate.

    Returns:
        s_t: (H, N) state after the step.
        g_t: (H, N) gate, between 0 (keep) and 1 (overwrite).
        candidate: (H, N) what would be written, between -1 and 1.
    """
    ### BEGIN SOLUTION
    g_t = gate(x_t, s_prev, W)
    pre_activation = W["ss"] @ s_prev + W["sx"] @ x_t
    candidate = np.tanh(pre_activation)
    s_t = (1 - g_t) * s_prev + g_t * candidate
    return s_t, g_t, candidate
    ### END SOLUTION


# %% check="gated_step"
check(gated_step)

# %% [markdown]
# The unit from the paper must come out of your function:

# %% needs="gate gated_step"
paper_W = {
    "gs": np.array([[2.0]]),
    "gx": np.array([[-1.0]]),
    "ss": np.array([[1.0]]),
    "sx": np.array([[-0.5]]),
}
paper_step = gated_step(np.array([[1.0]]), np.array([[0.5]]), paper_W)
print("new state, gate, candidate:", *np.ravel(paper_step))

# %% [markdown] slide="slide"
# ## A half-open gate
#
# Let a gate stand at the same $g$ for $k$ steps. Each step keeps the share $1 - g$ of
# what was there. In general, the share of the start that is left **directly** is a
# product:
#
# $$\prod_{t=1}^{k} (1 - g_t), \qquad \text{for a constant gate } (1 - g)^k \tag{4.4}$$
#
# A gate of 0.01 looks shut. What share of the start is left after 100 steps?

# %% [markdown] slide="notes"
# The usual wrong answer: almost everything, 99 %. It is 0.99 to the power of 100,
# about 37 %.

# %% guess="04.4"
guess("04.4", share_left=0.366)

# %% slide="subslide" hide_input=true
shares = {f"g = {g}": (1 - g) ** np.arange(201) for g in (0.001, 0.01, 0.1, 0.5)}
for g in (0.001, 0.01, 0.1):
    assert abs((1 - g) ** (1 / g) - np.exp(-1)) < 0.02, "after 1/g steps it is not 1/e"
show(
    figures_04.averaging(shares),
    alt="Share of the start left against steps, logarithmic. g = 0.5 is below 0.0001 after 14 "
    "steps, 0.1 after 90; 0.01 is at 0.13 after 200, and 0.001 at 0.82.",
)

# %% [markdown] answer="04.4" slide="subslide"
# **About 0.37.** A gate of $g$ forgets within about $1/g$ steps: after that many, for a
# small $g$, a share of about $e^{-1} \approx 0.37$ is left. A gate of 0.1 forgets within
# tens of steps, one of 0.001 within thousands.
#
# "Directly" is said on purpose. With $W^{s,s} \ne 0$ the start also lives on in the
# candidates that it helped to make, as in any RNN.

# %% [markdown] slide="slide"
# ## Be the gate yourself
#
# Three coordinates, twelve steps, the candidates (orange squares) are fixed.
# You set the three gates before each step and press *Next step*.
#
# **Try** to catch the third candidate of coordinate 1, and hold it to the end; to keep
# coordinate 2 at its start (empty squares: where both are to end); and to let coordinate 3
# follow its candidates smoothly. After the last step you are given a score.

# %% [markdown] slide="notes"
# Let a student call out the gates. The task for coordinate 1 takes three settings:
# shut, open for one step, shut again. That is what the gating network has to learn. Ask
# afterwards: "what must the network see in order to do this?" A sign in the input that
# this step is the one.

# %%
rng = np.random.default_rng(11)
slow = 0.6 * np.sin(np.arange(12) / 2.5)
candidates = rng.uniform(-0.9, 0.9, size=(12, 3))
candidates[:, 2] = slow + 0.35 * candidates[:, 2]  # a slow wave with noise on it
candidates = candidates.round(2)
start = np.array([0.6, -0.5, 0.0])

# %% [markdown] slide="subslide"
# Coordinate 1: catch and hold. Coordinate 2: stay. Coordinate 3: follow.

# %% slide="-" hide_input=true
explorer(
    "gates_by_hand",
    {"s0": start.tolist(), "candidates": candidates.tolist(), "goals": [candidates[2, 0], start[1], None]},
    alt="Three coordinates of a state over twelve steps. A slider sets the gate of each; a "
    "button makes the next step, and the state moves from its old value towards the "
    "candidate, as far as its gate says.",
)

# %% [markdown]
# Which gates did it? Coordinate 1 at step 3, coordinate 1 at all other steps, and
# coordinate 2.

# %% guess="04.5"
guess("04.5", coordinate_1_at_step_3=1, coordinate_1_elsewhere=0, coordinate_2=0)

# %% hide_input=true
hand_gates = np.tile([0.0, 0.0, 0.25], (12, 1))
hand_gates[2, 0] = 1.0
show(
    figures_04.running_state(start, hand_gates, candidates),
    alt="Coordinate 1 stays at its start, jumps to the candidate of step 3 and stays there. "
    "Coordinate 2 never moves. Coordinate 3 follows its candidates smoothly and late.",
)

# %% [markdown] answer="04.5"
# Shut, then wide open for one step, then shut: that catches a value and holds it. A gate
# of 0 keeps coordinate 2 exactly.
#
# Coordinate 3 wants a gate between: the figure has 0.25 throughout, so that its state
# is a running average, smooth and a little late.

# %% [markdown]
# ### Exercise: the whole sequence
#
# Run the step over all inputs, and store what each step returns.
#
# As before, positions count from 1 and Python from 0: `states[0]` is $s_1$, the state
# *after* the first input. The state before it, `s0`, is not among the `states`.


# %% exercise="gated_forward" points=3
def gated_forward(xs: np.ndarray, s0: np.ndarray, W: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All steps of the simple gated RNN.

    Args:
        xs: (T, D, N) inputs, time first.
        s0: (H, N) state before the first step.
        W: "gs" (H, H) and "gx" (H, D) make the gate; "ss" (H, H) and "sx" (H, D) make the
            candidate.

    Returns:
        states: (T, H, N) state after each step, without s0.
        gates: (T, H, N) gate of each step.
        candidates: (T, H, N) candidate of each step.
    """
    ### BEGIN SOLUTION
    s_prev, states, gates, candidates = s0, [], [], []
    for x_t in xs:
        s_t, g_t, candidate = gated_step(x_t, s_prev, W)
        states.append(s_t)
        gates.append(g_t)
        candidates.append(candidate)
        s_prev = s_t
    return np.stack(states), np.stack(gates), np.stack(candidates)
    ### END SOLUTION


# %% check="gated_forward"
check(gated_forward)

# %% [markdown] slide="slide"
# ## 3 · A latch with hand-set weights
#
# One unit ($H = 1$), three inputs ($D = 3$): a value $v_t$ between −1 and 1; a request
# $q_t$, which is 1 where the value is to be stored, else 0; and a constant 1.
#
# $$W^{g,x} = (0,\ 40,\ -20), \quad W^{g,s} = 0, \qquad W^{s,x} = (2,\ 0,\ 0), \quad
# W^{s,s} = 0$$
#
# Without a request the gate is $\sigma(-20) \approx 2 \cdot 10^{-9}$: shut.
# With one it is $\sigma(40 - 20)$: open. Then $\tanh(2 v_t)$ is stored.
#
# The weight of the constant input, −20, does the work of a bias: **a gate bias**.

# %% [markdown] slide="notes"
# Ask: "what does the unit hold while no request comes, and other values pass by?" The
# stored one. Ask: "could a tanh unit do this?" It could hold a sign (notebook 03), not
# a value.

# %%
LATCH = {
    "gs": np.zeros((1, 1)),
    "gx": np.array([[0.0, 40.0, -20.0]]),
    "ss": np.zeros((1, 1)),
    "sx": np.array([[2.0, 0.0, 0.0]]),
}
rng = np.random.default_rng(0)
T, write_at = 60, [4, 24, 44]  # Python's indices: the steps 5, 25 and 45
values, requests = rng.uniform(-1, 1, size=T), np.zeros(T)
requests[write_at] = 1
latch_xs = np.stack([values, requests, np.ones(T)], axis=1)[:, :, None]  # (T, D, N = 1)

# %% [markdown]
# A second latch is the same with gate weights five times smaller:
# $W^{g,x} = (0,\ 8,\ -4)$. Its gate is $\sigma(-4) \approx 0.018$ when shut,
# and $\sigma(8 - 4) \approx 0.982$ when open.
#
# What share of a stored value is left in it after nineteen steps without a request?

# %% guess="04.6"
guess("04.6", share_left=0.71)

# %% slide="subslide" hide_input=true needs="gate gated_step gated_forward"
leaky = LATCH | {"gx": LATCH["gx"] / 5}
tight_states = gated_forward(latch_xs, np.zeros((1, 1)), LATCH)[0][:, 0, 0]
leaky_states = gated_forward(latch_xs, np.zeros((1, 1)), leaky)[0][:, 0, 0]
for value, first in zip(np.tanh(2 * values[write_at]), write_at, strict=True):
    held = tight_states[first : first + 20]
    assert np.allclose(held, value, atol=1e-6), "the latch does not hold its value"
show(
    figures_04.latch(
        values,
        requests,
        {"weights 40, −20": tight_states, "weights 8, −4": leaky_states},
    ),
    alt="Above, a random value at every step, three of them marked for writing. Below, the "
    "first latch jumps to the stored value and stays on it; the second jumps to "
    "almost the same value and then drifts with the values that pass by.",
)

# %% [markdown] answer="04.6" slide="fragment"
# **0.71**, by (4.4): $0.982^{19}$. At each step it loses 1.8 % of what it holds, and takes
# in as large a share of what passes by. The first latch lost less than a ten-millionth.

# %% [markdown]
# The first latch is exact enough to hold a value through a thousand steps of noise:

# %% needs="gate gated_step gated_forward"
noise = np.random.default_rng(1).uniform(-1, 1, size=1000)
once = np.zeros(1000)
once[0] = 1
long_xs = np.stack([noise, once, np.ones(1000)], axis=1)[:, :, None]
long_states = gated_forward(long_xs, np.zeros((1, 1)), LATCH)[0][:, 0, 0]
print(f"stored {np.tanh(2 * noise[0]):.6f}, held after 1,000 steps {long_states[-1]:.6f}")

# %% [markdown] sitting=2
# > **A place to stop.** You have the forward pass. What follows is the way back.

# %% [markdown] slide="slide"
# ## 4 · The way back through one step
#
# Let $\delta_t$ be the **total** gradient of the loss $L$ by $s_t$: what arrives from
# outside and from all later steps together. In code: `ds`.
#
# Where can it go? Read (4.3) as a function of **three** arguments:
#
# $$s_t = (1 - g_t) \odot s_{t-1} + g_t \odot \tilde s_t$$
#
# the old state, the candidate, and the gate. Candidate and gate were made from the old
# state, too. So **three ways** lead back to $s_{t-1}$.

# %% [markdown] slide="notes"
# Ask: "how many arrows leave the old state in the forward pass?" Three: into the
# mixture, into the candidate, into the gate. The usual wrong answer is two: the gate is
# taken for a constant, because it "only" multiplies.

# %% [markdown] slide="slide"
# ## Nudge the gate alone
#
# The unit from the paper: $s_{t-1} = 0.5$, $g_t = 0.5$, $\tilde s_t = 0$, and
# $\delta_t = 1$ arrives: whatever $s_t$ gains, the loss gains.
#
# Hold old state and candidate still and open the gate by a little $\epsilon$.
# By how many $\epsilon$ does the loss change? Mind the sign.

# %% [markdown] slide="notes"
# Let them put 0.51 into (4.3) and look at the new state. The usual wrong answers: 0, who
# asks only what the candidate brings; +0.5, who takes the gate for what is kept.

# %% guess="04.7"
guess("04.7", loss_by_the_gate=-0.5)

# %% [markdown] answer="04.7" slide="fragment"
# **−0.5.** Opening the gate moves the state from 0.5 towards 0, that is, down.
#
# If you wrote 0, you asked only what the candidate brings, and forgot that an opening gate also
# lets go. If you wrote +0.5, you took the gate for the share that is *kept*.

# %% [markdown] slide="slide"
# ## One unit, all three ways
#
# Now let everything follow. The same unit: $x_t = 1$, $W^{s,s} = 1$, $W^{s,x} = -0.5$,
# $W^{g,s} = 2$, $W^{g,x} = -1$, and $\delta_t = 1$.
#
# What does each way bring to the old state: the direct one, the one through the
# candidate, the one through the gate?
#
# Go back along one way at a time. Every function on it multiplies by its own slope, at
# the numbers that the forward pass gave.

# %% [markdown] slide="notes"
# Give them two minutes with paper. The usual wrong answers: the third way forgotten, or
# its sign. Whoever has three numbers nudges the old state and compares with their sum.

# %% guess="04.8"
guess("04.8", direct=0.5, through_the_candidate=0.5, through_the_gate=-0.25)

# %% [markdown] answer="04.8" slide="fragment"
# **0.5, 0.5 and −0.25**, together 0.75. Nudge the old state of this unit, and let all
# follow: the new state moves by 0.75 of the nudge.
#
# If your sum is 1, the gate is a constant for you. If it is 1.25, look at the sign of
# the last way: you nudged that gate a minute ago.

# %% [markdown]
# ### A tool for your own trials
#
# `slopes` nudges one entry at a time. What you suspect of a formula you can try with it,
# as in notebook 00. Here it finds a slope that you know.


# %%
def slopes(f, v, eps=1e-6):
    """Derivative of every entry of f(v) by every entry of v, by central differences."""
    columns = [(f(v + eps * e) - f(v - eps * e)) / (2 * eps) for e in np.eye(len(v))]
    return np.stack(columns, axis=1)


slopes(np.tanh, np.array([0.0, 1.0])).round(3)  # notebook 00: 1, and 1 - tanh(1)**2

# %% [markdown] slide="slide"
# ## The formula is yours to find
#
# 1. **The mixture.** Hold two of its three arguments still, nudge the third. That makes
#    three factors, one line each.
# 2. **The squashing.** Candidate and gate came out of a tanh and a sigmoid. Both slopes
#    can be written with *outputs*.
# 3. **The matrices.** Call the two pre-activations
#    $a_t = W^{s,s} s_{t-1} + W^{s,x} x_t$ (candidate) and
#    $z_t = W^{g,s} s_{t-1} + W^{g,x} x_t$ (gate). Each is two matrix products, and
#    notebook 02 found the way back through one.
# 4. **Home.** The old state fed three places, the input two. What comes home by several
#    ways is added.

# %% [markdown] slide="notes"
# Stop here and let the room work. What follows are the answers, line by line. A student's
# notebook shows them once the check is right, or when they give up.

# %% [markdown]
# ### Exercise: one gated step, backward
#
# `check` compares with numeric slopes of *your own* `gated_step`, and says which way is
# not right. `g_t` and `candidate` come from the forward pass: nothing has to be computed
# again.
#
# Each way can be tried alone, with inputs that silence the others:
# `check(gated_step_backward, stage="direct")`, and the same with `stage="candidate"` and
# `stage="gate"`. Two more look at how these two come home to the old state:
# `stage="candidate home"` and `stage="gate home"`.
#
# When it is right, it shows the formulas (4.5) to (4.12), each tried with numbers.
# `show_derivation(gated_step_backward)` shows them without. It costs nothing; try first.


# %% exercise="gated_step_backward" points=6
def gated_step_backward(
    ds: np.ndarray,
    x_t: np.ndarray,
    s_prev: np.ndarray,
    g_t: np.ndarray,
    candidate: np.ndarray,
    W: dict,
) -> tuple[np.ndarray, np.ndarray, dict]:
    """One step of the simple gated RNN, backward.

    Args:
        ds: (H, N) total gradient of the loss by the new state s_t.
        x_t: (D, N) input of the step.
        s_prev: (H, N) state before the step.
        g_t: (H, N) gate, as `gated_step(x_t, s_prev, W)` gave it.
        candidate: (H, N) candidate, as the same call gave it.
        W: "gs" (H, H), "gx" (H, D), "ss" (H, H) and "sx" (H, D).

    Returns:
        dx: (D, N) gradient by the input, by both of its ways.
        ds_prev: (H, N) gradient by the state before the step, by all three ways.
        dW: a dict with the keys of W: gradients by the weights as this step used them,
            summed over the sequences of the batch.
    """
    ### BEGIN SOLUTION
    da = ds * g_t * (1 - candidate**2)  # (4.7)
    dz = ds * (candidate - s_prev) * g_t * (1 - g_t)  # (4.8)
    ds_prev = ds * (1 - g_t) + W["ss"].T @ da + W["gs"].T @ dz  # (4.9)
    dW = {"gs": dz @ s_prev.T, "gx": dz @ x_t.T, "ss": da @ s_prev.T, "sx": da @ x_t.T}  # (4.12)
    return W["sx"].T @ da + W["gx"].T @ dz, ds_prev, dW  # (4.11)
    ### END SOLUTION


# %% check="gated_step_backward"
check(gated_step_backward)

# %% [markdown] found="gated_step_backward" slide="slide"
# ### Step 1: the mixture
#
# Hold two of the three arguments still, nudge the third. The three **direct** derivatives
# of (4.3) are diagonal:
#
# $$\frac{\partial s_t}{\partial s_{t-1}} = \operatorname{diag}(1 - g_t), \quad
# \frac{\partial s_t}{\partial \tilde s_t} = \operatorname{diag}(g_t), \quad
# \frac{\partial s_t}{\partial g_t} = \operatorname{diag}(\tilde s_t - s_{t-1}) \tag{4.5}$$
#
# So each argument gets the arriving gradient times its own factor:
#
# $$\underbrace{\delta_t \odot (1 - g_t)}_{\text{to } s_{t-1}, \text{ directly}} \qquad
# \underbrace{\delta_t \odot g_t}_{\text{to } \tilde s_t} \qquad
# \underbrace{\delta_t \odot (\tilde s_t - s_{t-1})}_{\text{to } g_t} \tag{4.6}$$
#
# Look at the third: where old and new agree, the gate cannot matter, and gets no
# gradient.

# %% [markdown] slide="notes"
# Ask: "why the difference, and not just the candidate?" Opening the gate writes more of
# the new and keeps less of the old: both terms of (4.3) contain g. The usual wrong
# answer: dg = ds * candidate. It forgets the g in (1 - g).

# %% found="gated_step_backward"
mix = lambda old, new, g: (1 - g) * old + g * new  # (4.3)
old, new, g = np.array([0.5, -0.2, 0.9]), np.array([-0.8, 0.7, 0.1]), np.array([0.9, 0.2, 0.6])
assert np.allclose(slopes(lambda v: mix(v, new, g), old), np.diag(1 - g)), "(4.5) does not hold"
assert np.allclose(slopes(lambda v: mix(old, v, g), new), np.diag(g)), "(4.5) does not hold"
assert np.allclose(slopes(lambda v: mix(old, new, v), g), np.diag(new - old)), "(4.5) does not hold"
print("(4.5) holds")

# %% [markdown] found="gated_step_backward" slide="slide"
# ### Step 2: through tanh and sigmoid
#
# From (4.6), with the slopes of notebook 00, $\tanh' = 1 - \tanh^2$ and
# $\sigma' = \sigma (1 - \sigma)$:
#
# $$\frac{\partial L}{\partial a_t} = \delta_t \odot g_t \odot (1 - \tilde s_t^{\,2})
# \tag{4.7}$$
#
# $$\frac{\partial L}{\partial z_t} = \delta_t \odot (\tilde s_t - s_{t-1}) \odot g_t \odot
# (1 - g_t) \tag{4.8}$$
#
# In code: `da` and `dz`. Both use **outputs** of tanh and sigmoid: squash nothing again.

# %% [markdown] slide="notes"
# Ask: "is it 1 - candidate**2, or 1 - tanh(candidate)**2?" The candidate has been
# through tanh. The second is the most frequent slip in real submissions; a loss may
# still fall with it.

# %% found="gated_step_backward"
rng = np.random.default_rng(5)
old, a, z, delta = rng.normal(size=(4, 3))
g, new = sigmoid(z), np.tanh(a)
# The loss is delta . s_t, so that its gradient by s_t is delta.
loss = lambda a, z: np.atleast_1d(delta @ ((1 - sigmoid(z)) * old + sigmoid(z) * np.tanh(a)))
by_a, by_z = slopes(lambda v: loss(v, z), a)[0], slopes(lambda v: loss(a, v), z)[0]
assert np.allclose(by_a, delta * g * (1 - new**2)), "(4.7) does not hold"
assert np.allclose(by_z, delta * (new - old) * g * (1 - g)), "(4.8) does not hold"
print("(4.7) and (4.8) hold")

# %% [markdown] found="gated_step_backward" slide="slide"
# ### Step 3: three ways to the old state
#
# Both pre-activations contain $s_{t-1}$. Backward, a matrix acts transposed; what
# arrives by different ways is **added**:
#
# $$\frac{\partial L}{\partial s_{t-1}} \bigg|_{\text{this step}} =
# \underbrace{\delta_t \odot (1 - g_t)}_{\text{direct}} +
# \underbrace{W^{s,s\top} \frac{\partial L}{\partial a_t}}_{\text{through the candidate}} +
# \underbrace{W^{g,s\top} \frac{\partial L}{\partial z_t}}_{\text{through the gate}}
# \tag{4.9}$$
#
# In code: `ds_prev`. It is all that *this step* hands back to the state before it.

# %% [markdown] slide="notes"
# Stay here. Ask: "a simple RNN: which of the three does it have?" Only the second, with
# g = 1. Ask: "which way has no matrix in it?" The first. That is the one that can
# carry a gradient over a hundred steps without being turned or shrunk by W.

# %% [markdown] found="gated_step_backward" slide="slide"
# ### The unit from the paper
#
# | way | factors | in numbers | brings |
# |---|---|---|---|
# | direct | $\delta_t (1 - g_t)$ | 1 · 0.5 | 0.5 |
# | candidate | $\delta_t\, g_t\, (1 - \tilde s_t^2)\, W^{s,s}$ | 1 · 0.5 · 1 · 1 | 0.5 |
# | gate | $\delta_t\, (\tilde s_t - s_{t-1})\, g_t (1 - g_t)\, W^{g,s}$ | 1 · (−0.5) · 0.25 · 2 | −0.25 |
# | together | | | **0.75** |
#
# Forget the third way, and you get 1: a third too much, and no error message. Where in the
# picture do the three ways part, and where do they meet?

# %% found="gated_step_backward" slide="subslide" hide_input=true
show(
    figures_04.three_ways(
        {"ds": 1, "direct": 0.5, "candidate": 0.5, "gate": -0.25, "ds_prev": 0.75},
        {
            "direct": r"\times\,(1-g_t)",
            "to candidate": r"\times\,g_t",
            "from candidate": r"W^{s,s\top}\,\mathrm{diag}(1-\tilde s_t^2)",
            "to gate": r"\times\,(\tilde s_t - s_{t-1})",
            "from gate": r"W^{g,s\top}\,\mathrm{diag}(g_t(1-g_t))",
        },
    ),
    alt="A graph from the old state to the new one by three ways. Backward, of the arriving "
    "gradient 1, the direct way brings +0.5, the one through the candidate +0.5, the one "
    "through the gate -0.25; their sum is +0.75.",
)

# %% [markdown] found="gated_step_backward" slide="slide"
# ### The same for a whole state: three matrices
#
# The **total** derivative of the step is the sum of a matrix for each way:
#
# $$\begin{aligned}
# \frac{\mathrm{d} s_t}{\mathrm{d} s_{t-1}} = \operatorname{diag}(1 - g_t)
# &+ \operatorname{diag}\!\big(g_t \odot (1 - \tilde s_t^{\,2})\big) W^{s,s} \\
# &+ \operatorname{diag}\!\big((\tilde s_t - s_{t-1}) \odot g_t \odot (1 - g_t)\big) W^{g,s}
# \end{aligned} \tag{4.10}$$
#
# (4.9) is its transpose, times $\delta_t$. Which of the three matrices is diagonal, and what do
# the others mix?

# %% found="gated_step_backward" slide="subslide" hide_input=true
rng = np.random.default_rng(3)
W = {key: 0.8 * rng.normal(size=(3, 3 if key[1] == "s" else 2)) for key in ("gs", "gx", "ss", "sx")}
x, s = rng.normal(size=2), np.tanh(rng.normal(size=3))
g, new = sigmoid(W["gs"] @ s + W["gx"] @ x), np.tanh(W["ss"] @ s + W["sx"] @ x)
ways = {
    "direct": np.diag(1 - g),
    "through the candidate": np.diag(g * (1 - new**2)) @ W["ss"],
    "through the gate": np.diag((new - s) * g * (1 - g)) @ W["gs"],
}
ways["total"] = sum(ways.values())  # (4.10)
step = lambda s: gated_step(x[:, None], s[:, None], W)[0][:, 0]
assert np.allclose(slopes(step, s), ways["total"]), "(4.10) does not hold"
print("(4.10) holds")
show(
    figures_04.jacobian_parts(ways),
    alt="Three 3 by 3 matrices and their sum. The direct one is diagonal; the one through the "
    "candidate and the one through the gate are full; the sum has the largest entries on its "
    "diagonal.",
)

# %% [markdown] found="gated_step_backward" slide="slide"
# ### Step 4: the input, and the four matrices
#
# The input enters candidate and gate, so **two** ways lead to it:
#
# $$\frac{\partial L}{\partial x_t} = W^{s,x\top} \frac{\partial L}{\partial a_t} +
# W^{g,x\top} \frac{\partial L}{\partial z_t} \tag{4.11}$$
#
# A matrix gets the gradient of what it made, times what it multiplied:
#
# $$\begin{aligned}
# \mathrm{d}W^{s,s} &= \frac{\partial L}{\partial a_t} s_{t-1}^\top, &
# \mathrm{d}W^{s,x} &= \frac{\partial L}{\partial a_t} x_t^\top, \\
# \mathrm{d}W^{g,s} &= \frac{\partial L}{\partial z_t} s_{t-1}^\top, &
# \mathrm{d}W^{g,x} &= \frac{\partial L}{\partial z_t} x_t^\top
# \end{aligned} \tag{4.12}$$
#
# With $N$ columns the matrix product sums over the sequences, as it should.

# %% [markdown] slide="notes"
# Ask: "which state stands in dW: the one before or after the step?" The one the matrix
# multiplied in the forward pass: before. On paper, with our unit:
# dW_ss = 0.5 * 0.5 = 0.25, dW_sx = 0.5, dW_gs = -0.125 * 0.5 = -0.0625, dW_gx = -0.125,
# dx = -0.25 + 0.125 = -0.125. The usual wrong answer for dW_ss is 0.125, with the new state.

# %% found="gated_step_backward"
rng = np.random.default_rng(3)
W = {key: 0.8 * rng.normal(size=(3, 3 if key[1] == "s" else 2)) for key in ("gs", "gx", "ss", "sx")}
x, s, delta = rng.normal(size=2), np.tanh(rng.normal(size=3)), rng.normal(size=3)
loss = lambda x, s, W: np.atleast_1d(delta @ gated_step(x[:, None], s[:, None], W)[0][:, 0])
g, new = sigmoid(W["gs"] @ s + W["gx"] @ x), np.tanh(W["ss"] @ s + W["sx"] @ x)
da, dz = delta * g * (1 - new**2), delta * (new - s) * g * (1 - g)  # (4.7), (4.8)
by_s = delta * (1 - g) + W["ss"].T @ da + W["gs"].T @ dz
assert np.allclose(slopes(lambda v: loss(x, v, W), s)[0], by_s), "(4.9) does not hold"
by_x = W["sx"].T @ da + W["gx"].T @ dz
assert np.allclose(slopes(lambda v: loss(v, s, W), x)[0], by_x), "(4.11) does not hold"
made = {"gs": np.outer(dz, s), "gx": np.outer(dz, x), "ss": np.outer(da, s), "sx": np.outer(da, x)}
for key in W:
    changed = lambda v, key=key: W | {key: v.reshape(W[key].shape)}
    numeric = slopes(lambda v, changed=changed: loss(x, s, changed(v)), W[key].ravel())[0]
    assert np.allclose(numeric, made[key].ravel()), "(4.12) does not hold"
print("(4.9), (4.11) and (4.12) hold")

# %% [markdown] found="gated_step_backward" slide="slide"
# ### The picture, turned round
#
# Where a value was copied, gradients are added; where two were added, both get the same.

# %% found="gated_step_backward" slide="-" hide_input=true
from rnncourse.withheld import way_back

draw_cell("gated", back=way_back("gated"))

# %% [markdown] found="gated_step_backward" slide="subslide"
# ### Word by word, and back again
#
# The loss looks at the last state. Where does the gradient split, and where is it added?

# %% found="gated_step_backward" slide="-" hide_input=true
from rnncourse.withheld import way_back

step_through("gated", back=way_back("gated"))

# %% [markdown]
# Your own unit from the paper, backward, with $\delta_t = 1$:

# %% needs="gated_step_backward"
one = np.array([[1.0]])
dx, ds_prev, dW = gated_step_backward(one, one, 0.5 * one, 0.5 * one, 0 * one, paper_W)
print("dx", dx.item(), " ds_prev", ds_prev.item(), " dW", {key: dW[key].item() for key in dW})

# %% [markdown] slide="slide"
# ## Wide open, and shut
#
# Every gate stands wide open, $g_t = 1$. Which one of the three ways is left? And which
# one, where every gate is shut, $g_t = 0$?

# %% [markdown] slide="notes"
# The usual wrong answer for the open gate: none, because it overwrites everything. An open
# gate ends the direct way only: the past still speaks through the candidate.

# %% guess="04.9"
guess("04.9", wide_open="candidate", shut="direct", choices=("direct", "candidate", "gate", "none"))

# %% [markdown] answer="04.9" slide="fragment"
# **Wide open: the one through the candidate.** The simple RNN is back, with its one way
# through $W^{s,s}$ and a tanh. **Shut: the direct one**, and it hands the gradient on
# whole: no matrix, no tanh.
#
# The way through the gate is gone in both cases: a saturated sigmoid is flat.

# %% [markdown] extra=true
# ### Extra: can such a step make a gradient grow?
#
# The direct way multiplies by numbers between 0 and 1. All three together, with
# $W^{s,s}$ three times as large?

# %% guess="04.10"
guess("04.10", can_grow="yes", choices=("yes", "no"))

# %% hide_input=true needs="gate gated_step"
rng = np.random.default_rng(3)
big_W = {key: rng.normal(size=(3, 3 if key[1] == "s" else 2)) for key in ("gs", "gx", "ss", "sx")}
big_W["ss"] = 3 * big_W["ss"]
whole_step = lambda s: gated_step(np.zeros((2, 1)), s[:, None], big_W)[0][:, 0]
stretched = np.linalg.svd(slopes(whole_step, 0.01 * rng.normal(size=3)), compute_uv=False)
assert stretched[0] > 1.5, "this step does not stretch"
print("singular values of the step's derivative:", stretched.round(2))

# %% [markdown] answer="04.10"
# **Yes.** With large weights in the candidate the largest singular value of the step's derivative is
# above 1, as in notebook 03. A gate is no insurance against explosion, and clipping stays.

# %% [markdown] slide="slide"
# ## 5 · The way back through the sequence
#
# Nothing here is new: it is notebook 02 with another step inside. (What is `dstates` here was
# called `ds` there, for the whole sequence.)
#
# The loss looks at the states from **outside**. Its gradient by each of them, with all
# other states held still, is `dstates`, of shape (T, H, N). What arrives in total at a
# state is $\delta_t$, and goes into your step as `ds`.
#
# Let $T = 7$, and let the loss look at the last state only. How many of the seven entries
# of `dstates` are not zero? And through how many of the seven steps does a gradient go
# back?

# %% [markdown] slide="notes"
# The usual wrong answer: one entry, so one step.

# %% guess="04.11"
guess("04.11", entries_not_zero=1, steps=7)

# %% [markdown]
# ### Exercise: the whole sequence, backward
#
# `states[k]` is the state *after* Python's step `k`; the step started from
# `states[k - 1]`, and step 0 from `s0`.


# %% exercise="gated_backward" points=4
def gated_backward(
    dstates: np.ndarray,
    xs: np.ndarray,
    s0: np.ndarray,
    states: np.ndarray,
    gates: np.ndarray,
    candidates: np.ndarray,
    W: dict,
) -> tuple[np.ndarray, np.ndarray, dict]:
    """Backpropagation through time for the simple gated RNN.

    Args:
        dstates: (T, H, N) gradient of the loss by every state from outside: dstates[k] by
            states[k], with all other states held still.
        xs: (T, D, N) inputs.
        s0: (H, N) state before the first step.
        states: (T, H, N) states, as `gated_forward(xs, s0, W)` gave them.
        gates: (T, H, N) gates, from the same call.
        candidates: (T, H, N) candidates, from the same call.
        W: "gs" (H, H), "gx" (H, D), "ss" (H, H) and "sx" (H, D).

    Returns:
        dxs: (T, D, N) gradient by every input.
        ds0: (H, N) gradient by the state before the first step.
        dW: a dict with the keys of W: gradients by the shared weights, summed over all steps
            and over the sequences of the batch.
    """
    ### BEGIN SOLUTION
    dxs, carry = np.zeros(xs.shape), np.zeros_like(s0)
    dW = {key: np.zeros(matrix.shape) for key, matrix in W.items()}
    for k in reversed(range(len(xs))):
        s_prev = states[k - 1] if k > 0 else s0
        total = dstates[k] + carry  # (4.13)
        dxs[k], carry, step_dW = gated_step_backward(total, xs[k], s_prev, gates[k], candidates[k], W)
        for key in dW:
            dW[key] += step_dW[key]  # (4.14)
    return dxs, carry, dW
    ### END SOLUTION


# %% check="gated_backward"
check(gated_backward)

# %%
reveal("04.11")

# %% [markdown] answer="04.11" sealed=true slide="subslide"
# **One entry, and all seven steps.** At every state two things meet:
#
# $$\delta_t = \underbrace{\mathrm{dstates}_t}_{\text{from outside}} +
# \underbrace{\text{what step } t+1 \text{ hands back}}_{(4.9)}, \qquad
# \delta_T = \mathrm{dstates}_T \tag{4.13}$$
#
# All steps use the same four matrices, so what they say about them is summed:
#
# $$\mathrm{d}W = \sum_{t=1}^{T} \mathrm{d}W \text{ of step } t \tag{4.14}$$

# %% [markdown]
# A test of the whole, with your own forward pass: nudge all four matrices a little in a
# random direction, and compare the change of the loss with what your gradients
# foretell.

# %% needs="gate gated_step gated_forward gated_step_backward gated_backward"
rng = np.random.default_rng(8)
T, D, H, N = 7, 4, 3, 2
W = {key: rng.normal(size=(H, H if key[1] == "s" else D)) for key in ("gs", "gx", "ss", "sx")}
xs, s0, dstates = (rng.normal(size=size) for size in ((T, D, N), (H, N), (T, H, N)))
dxs, ds0, dW = gated_backward(dstates, xs, s0, *gated_forward(xs, s0, W), W)
direction = {key: rng.normal(size=matrix.shape) for key, matrix in W.items()}
moved = lambda eps: gated_forward(xs, s0, {key: W[key] + eps * direction[key] for key in W})[0]
numeric = ((moved(1e-6) - moved(-1e-6)) / 2e-6 * dstates).sum()
foretold = sum((dW[key] * direction[key]).sum() for key in W)
print(f"nudged {numeric:.6f}, foretold {foretold:.6f}")

# %% [markdown] written="turn_a_sign_round" points=3
# ### Written question
#
# One coordinate of the state holds how friendly a sentence sounded so far, say 0.4. Then
# comes a word that turns it round: it should become −0.4, in this one step.
#
# Can the simple gated RNN do that? Say which part of (4.3) cannot help, which must do it
# and how gate and weights have to stand, and name one price that is paid.
#
# === BEGIN MARK SCHEME ===
# - 1 point: what is kept cannot turn: its factor 1 - g lies between 0 and 1, never below.
# - 1 point: so it must be written: the candidate has to be about -0.4 (a negative weight in
#   W^{s,s} from this coordinate to itself), with the gate near 1 at this word.
# - 1 point: a price, one of: the value goes through tanh, so it is not turned exactly and
#   shrinks with every turn; the weight that turns at this word makes the candidate
#   at all others, too, so that the gate must be shut there; for this step the direct way
#   back is ended, so the gradient goes through W^{s,s} and a slope, as in a simple RNN.
#
# Accept "g slightly below 1 and a candidate below -0.4" with right numbers.
# === END MARK SCHEME ===

# %% [markdown] sitting=3
# > **A place to stop.** You have the whole backward pass. What follows puts it to work.

# %% [markdown] slide="slide"
# ## 6 · Does it help? The adding problem
#
# A sequence of $T = 100$ random values between 0 and 1; two of them are marked, one in
# each half. **Answer with their sum**, after the last step.
#
# An input has three entries: the value, the mark (0 or 1), and a constant 1.
#
# Whoever always answers 1, the mean, has a mean squared error of
# $2 \cdot \frac{1}{12} \approx 0.167$: the variance of two uniform values. That is our one
# baseline. We call an error below 0.01 *solved*.

# %% [markdown] slide="notes"
# The task is from Hochreiter and Schmidhuber (1997), in a simplified form: values in
# [0, 1], fixed length, the answer is the plain sum. Ask: "what must a network learn
# here?" To write at the marks, and to keep quiet between.

# %%
BASELINE, GOAL = 2 / 12, 0.01


def adding_problem(rng, T, N, until=None):
    """Draw xs (T, 3, N): value, mark, constant 1; targets (1, N): sum of the marked values.

    One mark lies in each half of the sequence, or of its first `until` steps.
    """
    xs, until = np.zeros((T, 3, N)), until or T
    xs[:, 0], xs[:, 2] = rng.uniform(size=(T, N)), 1
    for low, high in ((0, until // 2), (until // 2, until)):
        xs[rng.integers(low, high, size=N), 1, np.arange(N)] = 1
    return xs, (xs[:, 0] * xs[:, 1]).sum(axis=0, keepdims=True)


T = 100
test_xs, test_targets = adding_problem(np.random.default_rng(10_000), T, 256)
error_of_ones = np.mean((test_targets - 1) ** 2)
assert abs(error_of_ones - BASELINE) < 0.02, "the error of always answering 1 is not the baseline"
print(f"always answering 1: {error_of_ones:.3f}")

# %% slide="subslide" hide_input=true
show(
    figures_04.adding_sequence(test_xs[:, :, 0], test_targets[0, 0]),
    alt="A hundred grey bars of random height, one marked in each half; the target is the sum "
    "of the two marked heights.",
)

# %% [markdown]
# ### Given: a training step
#
# `Adam` of `rnncourse`. The gradient is clipped to a global norm of 1 (notebook 03), then Adam
# (Kingma & Ba 2015) moves the weights: gradient descent that keeps a running mean of each weight's
# gradient and divides it by its running size. So every weight moves by about the same amount, whether
# its gradients are large or small.

# %% [markdown]
# ### How both models start
#
# Random matrices, scaled so that pre-activations are of the order of 1. The gate's bias is the
# weight of the constant input: the last column of $W^{g,x}$.
#
# With every gate at 1 the simple gated RNN **is** the tanh RNN, (4.3). A gate bias of 1,000
# makes $\sigma$ exactly 1 in a computer, with the slope 0, and so it stays: your own functions run
# and train both models. The tanh RNN gets the kindest start notebook 03 knows: an orthogonal
# $W^{s,s}$, all of whose singular values are 1.


# %%
def random_weights(seed, gate_bias=None, H=16, D=3):
    """Weights of a gated RNN, or of a tanh RNN where `gate_bias` is None: every gate stays at 1."""
    rng = np.random.default_rng(seed)
    W = {"ss": rng.normal(size=(H, H)) / np.sqrt(H), "sx": rng.normal(size=(H, D)) / np.sqrt(D)}
    if gate_bias is None:
        W |= {"ss": np.linalg.qr(W["ss"])[0], "gs": np.zeros((H, H)), "gx": np.zeros((H, D))}
        gate_bias = 1000.0
    else:
        W |= {"gs": rng.normal(size=(H, H)) / np.sqrt(H), "gx": rng.normal(size=(H, D)) / np.sqrt(D)}
    W["gx"][:, -1] = gate_bias
    return W


# %% [markdown] slide="slide"
# ## Before training: how far back does a gradient reach?
#
# A random gradient arrives at $s_T$, $T = 100$, of an **untrained** model that reads
# sequences of the adding problem. What is left of its norm at $s_0$?
#
# - a tanh RNN with an orthogonal $W^{s,s}$;
# - gated RNNs with gate bias 0, −2 and −4:
#   $\sigma(0) = 0.5$, $\sigma(-2) \approx 0.12$, $\sigma(-4) \approx 0.02$.
#
# Which of the four reaches furthest, and which comes second?

# %% [markdown] slide="notes"
# The usual wrong answer: "any gated RNN reaches further than the tanh RNN".
# With half-open gates the direct way is 0.5 to the power of 100. Gates are no magic:
# what counts is that they CAN shut.

# %% guess="04.12"
guess("04.12", furthest="bias -4", second="bias -2", choices=("tanh", "bias 0", "bias -2", "bias -4"))


# %% needs="gate gated_step gated_forward gated_step_backward gated_backward"
def reach(W, seed, T=100):
    """Norm of the gradient at s_0, s_5, ..., s_T, relative to the one that arrives at s_T."""
    rng = np.random.default_rng(seed)
    xs, _ = adding_problem(rng, T, 8)
    s0 = np.zeros((len(W["ss"]), 8))
    outputs = gated_forward(xs, s0, W)
    dstates = np.zeros_like(outputs[0])
    dstates[-1] = rng.normal(size=s0.shape)
    norms = []
    for k in range(0, T, 5):  # the steps after s_k alone: their ds0 is the gradient at s_k
        start = outputs[0][k - 1] if k > 0 else s0
        _, at_k, _ = gated_backward(dstates[k:], xs[k:], start, *(output[k:] for output in outputs), W)
        norms.append(np.linalg.norm(at_k) / np.linalg.norm(dstates[-1]))
    return np.array([*norms, 1.0])


models = {"tanh RNN": None, "gated, bias 0": 0.0, "gated, bias −2": -2.0, "gated, bias −4": -4.0}
reached = {
    name: np.stack([reach(random_weights(seed, bias), seed) for seed in range(12)])
    for name, bias in models.items()
}
for name, norms in reached.items():
    least, middle, most = np.quantile(norms[:, 0], [0, 0.5, 1])
    print(f"{name:14s} {middle:.0e} in the median of twelve seeds, from {least:.0e} to {most:.0e}")

# %% hide_input=true needs="gate gated_step gated_forward gated_step_backward gated_backward"
tanh, zero, two, four = (norms[:, 0] for norms in reached.values())
claim(
    "in every seed bias −4 reaches further than −2, and −2 ten times further than the other two",
    (four > two).all() and (two > 10 * np.maximum(zero, tanh)).all(),
    f"{(four / two).min():.0f} times further at least, and {(two / np.maximum(zero, tanh)).min():.0e} times",
)
claim(
    "in the median tanh RNN and bias 0 leave less than 1e-5",
    max(np.median(tanh), np.median(zero)) < 1e-5,
    f"{np.median(tanh):.0e} and {np.median(zero):.0e}",
)

# %% slide="subslide" hide_input=true needs="gate gated_step gated_forward gated_step_backward gated_backward"
show(
    figures_04.gradient_reach({name: norms[0] for name, norms in reached.items()}),
    alt="Gradient norm from the last state back to the first, logarithmic, seed 0. Tanh RNN and "
    "gated RNN with bias 0 fall below 1e-8; with bias -2 about one per cent is left, with "
    "bias -4 about a third.",
)

# %%
reveal("04.12")

# %% [markdown] answer="04.12" sealed=true slide="subslide"
# **Bias −4, then −2.** The tanh RNN and the gated RNN with bias 0 vanish, the latter in
# nearly all seeds. Which of these two is worse differs from seed to seed.
#
# With bias 0 the gates stand half open on average. A gate at exactly 0.5 halves the
# direct way at every step, and
# $0.5^{100} \approx 10^{-30}$: the little that arrives has come with the help of the other
# two ways, which shrink as in a tanh RNN. **A gate does not keep gradients. A shut gate
# does.**

# %% [markdown] slide="slide"
# ## Training, one loop for both models
#
# The loss looks at the last state only: $y = W^{y,s} s_T + b$, mean squared error.
# So `dstates` is zero but for its last entry, and your `gated_backward` does the rest.
#
# Both models: $H = 16$ units, 32 fresh sequences an update, Adam with step size 0.01,
# the same sequences for both, three seeds, at most 600 updates.
#
# The gated RNN starts with gate bias **0**. You have just seen how little of the
# gradient reaches its first state.
#
# Which of the two solves the task: none, the tanh RNN, the gated one, or both?

# %% [markdown] slide="notes"
# Take a vote: none, tanh only, gated only, both. After the last slide most say none.
# The usual wrong reasoning: vanishing before training means vanishing for ever.

# %% guess="04.13"
guess("04.13", solved_by="gated", choices=("none", "tanh", "gated", "both"))


# %%
def train(W, seed, T=100, updates=600, N=32, lr=1e-2, until=None):
    """Train on the adding problem and stop when it is solved. Returns the weights and a log."""
    rng, H, keys = np.random.default_rng(seed), len(W["ss"]), list(W)
    test_xs, test_targets = adding_problem(np.random.default_rng(10_000), T, 256, until)
    weights = W | {"ys": rng.normal(size=(1, H)) / np.sqrt(H), "yb": np.zeros((1, 1))}
    adam, log = Adam(lr, clip=1.0), {"updates": [], "errors": [], "reach": []}
    for update in range(updates + 1):
        W = {key: weights[key].copy() for key in keys}
        if update % 25 == 0:
            last = gated_forward(test_xs, np.zeros((H, 256)), W)[0][-1]
            error = np.mean((weights["ys"] @ last + weights["yb"] - test_targets) ** 2)
            log["updates"].append(update)
            log["errors"].append(error)
            if error < GOAL:
                break
        xs, targets = adding_problem(rng, T, N, until)
        s0 = np.zeros((H, N))
        outputs = gated_forward(xs, s0, W)
        last = outputs[0][-1]
        dy = 2 * (weights["ys"] @ last + weights["yb"] - targets) / N
        dstates = np.zeros_like(outputs[0])
        dstates[-1] = weights["ys"].T @ dy
        _, ds0, dW = gated_backward(dstates, xs, s0, *outputs, W)
        log["reach"].append(np.linalg.norm(ds0) / np.linalg.norm(dstates[-1]))
        gradients = dW | {"ys": dy @ last.T, "yb": dy.sum(axis=1, keepdims=True)}
        adam.step(weights, gradients)
    return W, log


# %% hide_input=true needs="gate gated_step gated_forward gated_step_backward gated_backward"
logs, trained = {}, {}
results = [train(random_weights(seed), seed) for seed in range(3)]
trained["tanh RNN"], logs["tanh RNN"] = zip(*results, strict=True)
best = [min(log["errors"]) for log in logs["tanh RNN"]]
claim(
    "the tanh RNN is never clearly better than always answering 1",
    min(best) > 0.8 * BASELINE,
    f"the best errors of three networks {np.round(best, 3).tolist()}",
)

# %% hide_input=true needs="gate gated_step gated_forward gated_step_backward gated_backward"
results = [train(random_weights(seed, 0.0), seed) for seed in range(3)]
trained["gated, bias 0"], logs["gated, bias 0"] = zip(*results, strict=True)
ended = lambda logs: ", ".join(f"{log['errors'][-1]:.3f} after {log['updates'][-1]}" for log in logs)
solved = lambda logs: sum(log["errors"][-1] < GOAL for log in logs)
claim(
    "at least 2 of 3 gated RNNs with bias 0 solve it",
    solved(logs["gated, bias 0"]) >= 2,
    f"{solved(logs['gated, bias 0'])} of 3; errors {ended(logs['gated, bias 0'])} updates",
)

# %% slide="subslide" hide_input=true needs="gate gated_step gated_forward gated_step_backward gated_backward"
show(
    figures_04.learning_curves(
        {name: [(log["updates"], log["errors"]) for log in logs[name]] for name in logs},
        BASELINE,
        GOAL,
    ),
    alt="Test error against updates, three seeds a model. The tanh RNN stays at the error of "
    "always answering 1. The gated RNN stays there for 100 to 300 updates, too, then falls "
    "below 0.01 within 500.",
)

# %%
reveal("04.13")

# %% [markdown] answer="04.13" sealed=true slide="subslide"
# **The gated one**, by the backward pass that you found. The tanh RNN does not: after
# 600 updates it is where it was after 25, at the error of always answering 1. (Of nine seeds that we tried,
# the gated RNN solved it in all and the tanh RNN in none.)
#
# That says something about this length and this many updates, not about tanh RNNs for
# ever: at `T = 20` two of our three seeds solved it within 1,500 updates.

# %% [markdown] slide="slide"
# ## What a head start is worth
#
# With bias 0 next to nothing of the gradient came through before training.
# Train once more with gate bias −4, where 0.3 to 0.4 comes through from the first
# update on, and watch **the gradient that reaches $s_0$** during training, for both.
#
# How many of the updates does the head start save?

# %% [markdown] slide="notes"
# The usual wrong answer: "bias 0 cannot learn, so it saves everything" (they have just
# seen that it can), or "ten times faster". Let them commit to a number before you show
# the figure.

# %% guess="04.14"
guess("04.14", saved="about a fifth", choices=("nothing", "about a fifth", "a half", "nearly all"))

# %% hide_input=true needs="gate gated_step gated_forward gated_step_backward gated_backward"
results = [train(random_weights(seed, -4.0), seed) for seed in range(3)]
trained["gated, bias −4"], logs["gated, bias −4"] = zip(*results, strict=True)
claim(
    "bias −4 solves it in every seed",
    solved(logs["gated, bias −4"]) == 3,
    f"{solved(logs['gated, bias −4'])} of 3; errors {ended(logs['gated, bias −4'])} updates",
)
reaches = {name: [(log["reach"][0], np.median(log["reach"][-25:])) for log in logs[name]] for name in logs}
(zero, zero_late), (four, _) = (zip(*reaches[f"gated, bias {b}"], strict=True) for b in ("0", "−4"))
claim(
    "with bias 0 less than a thousandth comes through at first, and much in the end; with −4 at once",
    max(zero) < 1e-3 and np.median(zero_late) > 0.05 and min(four) > 0.1,
    f"at most {max(zero):.0e}, then {np.median(zero_late):.1f} in the median; {min(four):.1f} at least",
)

# %% slide="subslide" hide_input=true needs="gate gated_step gated_forward gated_step_backward gated_backward"
show(
    figures_04.wall_opens({name: logs[name] for name in ("gated, bias 0", "gated, bias −4")}),
    alt="Above, test errors of six runs: those with bias -4 fall a little earlier. Below, the "
    "share of the gradient that reaches the first state: with bias -4 about 0.4 from the start; "
    "with bias 0 next to nothing during the first updates, then of the order of 1, and the error "
    "falls when it gets there.",
)

# %%
reveal("04.14")

# %% [markdown] answer="04.14" sealed=true slide="subslide"
# **About a fifth**: a sixth by the medians of nine seeds (300 updates with bias 0, 250 with −4), a
# quarter in the three above. Over the nine, bias 0 took 225 to 500 updates, bias −4 200 to 325.
#
# The lower panel shows how. The second mark is often near the end, where a gradient
# still arrives. From those sequences the gates learn to shut; shut gates let the
# gradient reach further back; so more distant marks can be learned from. The reach
# may fall at first, then grows by six orders of magnitude and more, and the error
# falls when it is there: **the network opens its own way back.**
#
# The panel shows *that* the way opens. *Why* it does is an explanation, so far.

# %% [markdown] slide="slide" extra=true
# ## Extra: a test of the explanation
#
# Near marks teach the gates to shut; shut gates let the gradient reach the distant marks.
# That explains what you have seen, and it can be tested: take the near marks away.
#
# The same task, but both marks lie in the **first 20** of the 100 steps: what is to be
# learned from a mark has to come back through 80 steps at least.
#
# Three seeds, at most 600 updates. Which model does clearly worse now than before?

# %% [markdown] slide="notes"
# Ask: "what would we see if the explanation were wrong?" Both as fast as before.
# This is worth a minute: an explanation that forbids nothing explains nothing.

# %% guess="04.15"
guess("04.15", worse_now="bias 0", choices=("bias 0", "bias -4", "both", "none"))

# %% hide_input=true needs="gate gated_step gated_forward gated_step_backward gated_backward"
early = {
    name: [train(random_weights(seed, bias), seed, until=20)[1] for seed in range(3)]
    for name, bias in (("gated, bias 0", 0.0), ("gated, bias −4", -4.0))
}
spent = {name: sum(log["updates"][-1] for log in early[name]) for name in early}
for name, logs_early in early.items():
    print(f"{name}: errors {ended(logs_early)} updates")
claim(
    "bias −4 solves it in every seed, and bias 0 takes 1.5 times as long (unsolved counts as 600)",
    solved(early["gated, bias −4"]) == 3 and spent["gated, bias 0"] > 1.5 * spent["gated, bias −4"],
    f"{solved(early['gated, bias −4'])} of 3; {' and '.join(map(str, spent.values()))} updates",
)

# %% slide="subslide" hide_input=true needs="gate gated_step gated_forward gated_step_backward gated_backward"
show(
    figures_04.wall_opens(early),
    alt="The same two panels for early marks. With bias -4 all three runs are solved within some "
    "200 updates. With bias 0 that is a matter of luck: a run may be as fast, or late, or stay at the "
    "error of always answering 1 for all 600, with next to no gradient at the first state.",
)

# %%
reveal("04.15")

# %% [markdown] answer="04.15" sealed=true slide="subslide"
# **Bias 0**, but three seeds hardly show it. We ran nine: within 600 updates bias −4 solved it in
# nine of nine, as fast as before, and bias 0 in two of nine, both of them among the three above.
# Bias 0 has become a matter of luck: a seed may be as fast, or take twice as long, or have learned
# nothing after 600 updates. So the explanation passes this test.
#
# So a gate bias is **no** condition for learning over 100 steps, but an insurance: it
# makes learning independent of whether the data happen to have something near to learn
# from.

# %% [markdown] slide="slide"
# ## What the gates have learned
#
# One test sequence, a model trained from gate bias −4 (both marks anywhere), its 16
# gates over 100 steps. Nearly all of them are shut nearly always.
#
# Where do the gates of a few units open?

# %% [markdown] slide="notes"
# Ask: "why do these two gates not open all the way?" At the second mark a gate wide open
# would overwrite the first value, unless the candidate carries it along: the task wants
# a sum, not the last value. The usual wrong answer: training was stopped too early.

# %% guess="04.16"
guess("04.16", open_at="the marks", choices=("the marks", "the last steps", "all steps", "no step"))

# %% hide_input=true needs="gate gated_step gated_forward gated_step_backward gated_backward"
marked = test_xs[:, 1] > 0
ratios = {}
for name in ("gated, bias 0", "gated, bias −4"):
    for seed, W in enumerate(trained[name]):
        gates = gated_forward(test_xs, np.zeros((16, 256)), W)[1]
        at_marks, elsewhere = (
            np.array([gates[:, unit][where].mean() for unit in range(16)]) for where in (marked, ~marked)
        )
        ratios[name, seed] = at_marks / elsewhere
best = [ratio.max().round(1) for ratio in ratios.values()]
claim(
    "at least 5 of the 6 trained models have a unit that opens 2.5 times as far at the marks",
    sum(ratio > 2.5 for ratio in best) >= 5,
    f"the best of each {', '.join(map(str, best))}",
)

# %% slide="subslide" hide_input=true needs="gate gated_step gated_forward gated_step_backward gated_backward"
W, order = trained["gated, bias −4"][0], np.argsort(-ratios["gated, bias −4", 0])
gates = gated_forward(test_xs[:, :, :1], np.zeros((16, 1)), W)[1][:, order, 0]
show(
    figures_04.gates_at_work(test_xs[:, 0, 0], test_xs[:, 1, 0], gates),
    alt="Sixteen gates over a hundred steps. All are almost shut throughout, but for two units "
    "that open half way at exactly the two marked steps.",
)

# %%
reveal("04.16")

# %% [markdown] answer="04.16" sealed=true slide="fragment"
# **At the marks**, and half way: at the second mark a gate wide open would overwrite the
# first value. (The units are sorted by how much further they open at the marks.)
#
# Only the bias was set by hand. Which units open, and at which inputs, was learned. (It is no latch
# as in part 3: this unit adds up, with gates half open.)

# %% [markdown] slide="slide"
# ## 7 · Relatives
#
# | model | in our letters | what differs |
# |---|---|---|
# | simple RNN | $g_t = 1$ | no choice |
# | **this notebook** | $s_t = (1 - g_t) \odot s_{t-1} + g_t \odot \tilde s_t$ | |
# | JANET (van der Westhuizen & Lasenby 2018) | $f_t = 1 - g_t$ | the other sign; biases |
# | GRU (Cho et al. 2014) | its update gate is $1 - g_t$ | a second gate inside the candidate |
# | LSTM (Hochreiter & Schmidhuber 1997) | notebook 05 | two states, separate gates |
#
# JANET is an LSTM of which only the forget gate was left.
# As $1 - \sigma(z) = \sigma(-z)$, **keep** and **overwrite** differ by the sign of the weights.
#
# What a step computes is tailored to each task: none of these is *the* cell.

# %% [markdown] slide="notes"
# Ask: "the GRU of PyTorch has (1 - z) n + z h, that of Chung et al. (2014) has it the
# other way round. Which is right?" Both: it is a name for the same share. But copied
# weights need the sign.

# %% [markdown] extra=true
# ### Extra: JANET, in numbers
#
# As its paper writes it, without biases, and without the shift between its two gate terms that the paper also
# tries: $f_t = \sigma(U^f h_{t-1} + W^f x_t)$ and
# $h_t = f_t \odot h_{t-1} + (1 - f_t) \odot \tanh(U^c h_{t-1} + W^c x_t)$.

# %% hide_input=true needs="gate gated_step"
rng = np.random.default_rng(12)
D, H, N = 4, 3, 2
W = {key: rng.normal(size=(H, H if key[1] == "s" else D)) for key in ("gs", "gx", "ss", "sx")}
x_t, h_prev = rng.normal(size=(D, N)), rng.normal(size=(H, N))
f = sigmoid(-W["gs"] @ h_prev - W["gx"] @ x_t)  # JANET with U_f = -W_gs, W_f = -W_gx
janet = f * h_prev + (1 - f) * np.tanh(W["ss"] @ h_prev + W["sx"] @ x_t)
assert np.allclose(janet, gated_step(x_t, h_prev, W)[0]), "JANET is another model"
print("JANET with the signs turned round is the simple gated RNN")

# %% [markdown] slide="slide"
# ## 8 · A cell that nobody showed you
#
# Give the old state a door of its own, a **reset gate**:
#
# $$r_t = \sigma(W^{r,s} s_{t-1} + W^{r,x} x_t) \tag{4.15}$$
#
# It stands inside the candidate, and lets through as much of the past as is wanted there:
#
# $$\tilde s_t = \tanh\big(r_t \odot (W^{s,s} s_{t-1}) + W^{s,x} x_t\big) \tag{4.16}$$
#
# Gate and mixture stay as they are, (4.1) and (4.3). Up to the gate's sign and to biases this is the
# GRU of PyTorch and Keras. (Cho et al. reset the state *before* the product: the same weights
# give another cell.)

# %% [markdown] slide="notes"
# Do not derive it here: it is the transfer exercise. Ask: "how many ways lead to the old
# state now?" Four. The usual wrong answer: three, as before, with an r somewhere.

# %% [markdown]
# Its forward step is given.


# %% given="reset_step"
def reset_step(x_t, s_prev, W):
    """One step of the cell with a reset gate: s_t, r_t, g_t and the candidate, each (H, N)."""
    g_t, r_t = (sigmoid(W[k + "s"] @ s_prev + W[k + "x"] @ x_t) for k in "gr")
    candidate = np.tanh(r_t * (W["ss"] @ s_prev) + W["sx"] @ x_t)
    return (1 - g_t) * s_prev + g_t * candidate, r_t, g_t, candidate


# %% [markdown]
# Its way back stands nowhere above, or in any notebook. One unit on paper first, with
# $x_t = 1$:
#
# $$s_{t-1} = 0.5, \quad W^{r,s} = 2, \quad W^{r,x} = -1, \quad W^{s,s} = 4, \quad
# W^{s,x} = -1, \quad g_t = 0.5, \quad \delta_t = 1$$
#
# What is the reset gate, what is the candidate, and what does the way through the *reset
# gate* alone bring to the old state?

# %% guess="04.17"
guess("04.17", reset_gate=0.5, candidate=0, through_the_reset_gate=0.5)

# %% [markdown] answer="04.17"
# **0.5, 0 and 0.5.** If your last number is 0.25, you stopped one arrow before the old
# state. A candidate of 0 can still be moved: its tanh is steepest there.

# %% [markdown]
# ### Exercise: the reset cell, backward
#
# Draw the step as a graph: what is made from what? Then go back, one arrow at a time.
# The referee is the same; the stages are `"direct"`, `"candidate"`, `"gate"` and `"reset"`, and
# `"candidate home"`, `"gate home"` and `"reset home"`. When it is right, it shows (4.17) and (4.18).


# %% exercise="reset_step_backward" points=6
def reset_step_backward(
    ds: np.ndarray,
    x_t: np.ndarray,
    s_prev: np.ndarray,
    r_t: np.ndarray,
    g_t: np.ndarray,
    candidate: np.ndarray,
    W: dict,
) -> tuple[np.ndarray, np.ndarray, dict]:
    """One step of the cell with a reset gate, backward.

    Args:
        ds: (H, N) total gradient of the loss by the new state s_t.
        x_t: (D, N) input of the step.
        s_prev: (H, N) state before the step.
        r_t: (H, N) reset gate, as `reset_step(x_t, s_prev, W)` gave it.
        g_t: (H, N) gate, as the same call gave it.
        candidate: (H, N) candidate, as the same call gave it.
        W: "rs", "gs", "ss" (H, H) and "rx", "gx", "sx" (H, D).

    Returns:
        dx: (D, N) gradient by the input.
        ds_prev: (H, N) gradient by the state before the step.
        dW: a dict with the keys of W: gradients by the weights as this step used them,
            summed over the sequences of the batch.
    """
    ### BEGIN SOLUTION
    da = ds * g_t * (1 - candidate**2)  # (4.7)
    dz = ds * (candidate - s_prev) * g_t * (1 - g_t)  # (4.8)
    du = da * (W["ss"] @ s_prev) * r_t * (1 - r_t)  # (4.17)
    ds_prev = ds * (1 - g_t) + W["ss"].T @ (da * r_t) + W["gs"].T @ dz + W["rs"].T @ du  # (4.18)
    by_state = {"ss": (da * r_t) @ s_prev.T, "gs": dz @ s_prev.T, "rs": du @ s_prev.T}
    by_input = {"sx": da @ x_t.T, "gx": dz @ x_t.T, "rx": du @ x_t.T}
    return W["sx"].T @ da + W["gx"].T @ dz + W["rx"].T @ du, ds_prev, by_state | by_input
    ### END SOLUTION


# %% check="reset_step_backward"
check(reset_step_backward)

# %% [markdown] found="reset_step_backward"
# ### One more way home
#
# With $a_t$ the sum inside the tanh of (4.16), (4.7) and (4.8) stay as they are. Call
# $u_t$ the sum inside the sigmoid of (4.15). The reset gate multiplies
# $W^{s,s} s_{t-1}$, so this product is its factor on the way back:
#
# $$\frac{\partial L}{\partial u_t} = \frac{\partial L}{\partial a_t} \odot
# (W^{s,s} s_{t-1}) \odot r_t \odot (1 - r_t) \tag{4.17}$$
#
# And the product gets what is left of the gradient behind the door:
#
# $$\frac{\partial L}{\partial s_{t-1}} \bigg|_{\text{this step}} =
# \delta_t \odot (1 - g_t) + W^{s,s\top} \Big(\frac{\partial L}{\partial a_t} \odot r_t\Big)
# + W^{g,s\top} \frac{\partial L}{\partial z_t} + W^{r,s\top} \frac{\partial L}{\partial u_t}
# \tag{4.18}$$

# %% found="reset_step_backward"
rng = np.random.default_rng(6)
W = {a + b: rng.normal(size=(3, 3 if b == "s" else 2)) for a in "grs" for b in "sx"}
x, s, delta = rng.normal(size=2), np.tanh(rng.normal(size=3)), rng.normal(size=3)
loss = lambda s, W: np.atleast_1d(delta @ reset_step(x[:, None], s[:, None], W)[0][:, 0])
_, r, g, new = (part[:, 0] for part in reset_step(x[:, None], s[:, None], W))
da, dz = delta * g * (1 - new**2), delta * (new - s) * g * (1 - g)  # (4.7), (4.8)
du = da * (W["ss"] @ s) * r * (1 - r)
with_rx = lambda v: loss(s, W | {"rx": v.reshape(3, 2)})
assert np.allclose(slopes(with_rx, W["rx"].ravel())[0], np.outer(du, x).ravel()), "(4.17) does not hold"
by_s = delta * (1 - g) + W["ss"].T @ (da * r) + W["gs"].T @ dz + W["rs"].T @ du
assert np.allclose(slopes(lambda v: loss(v, W), s)[0], by_s), "(4.18) does not hold"
print("(4.17) and (4.18) hold")

# %% [markdown] slide="slide"
# ## What to take home
#
# - A **gate** is a small network whose answer, between 0 and 1, multiplies something.
# - Here it mixes, coordinate by coordinate:
#   $s_t = (1 - g_t) \odot s_{t-1} + g_t \odot \tilde s_t$.
# - Backward there are **three ways**: direct, through the candidate, through the gate
#   itself. They are added.
# - The direct way has no matrix and no tanh: a shut gate hands the gradient on whole.
#   A wide open gate ends it, and what is left is a simple RNN.
# - We do not know what to retain, but can **learn** it. A gate bias decides how far a
#   gradient reaches *before* training; where near events can teach the gates to shut, the
#   network finds its own way back.

# %% [markdown] slide="notes"
# Close with the question of notebook 05: "one gate decides both what is forgotten and
# what is written. When would you want to decide the two apart?" A counter: keep all,
# and still add.

# %% [markdown]
# ## Papers
#
# - K. Cho et al. (2014), *Learning phrase representations using RNN encoder-decoder for
#   statistical machine translation*, arXiv 1406.1078: the GRU.
# - J. Chung et al. (2014), *Empirical evaluation of gated recurrent neural networks on
#   sequence modeling*, arXiv 1412.3555: GRU, LSTM and tanh side by side.
# - J. van der Westhuizen and J. Lasenby (2018), *The unreasonable effectiveness of the
#   forget gate*, arXiv 1804.04849: JANET.
# - S. Hochreiter and J. Schmidhuber (1997), *Long short-term memory*, Neural
#   Computation 9(8): the adding problem, and the next notebook.
# - C. Tallec and Y. Ollivier (2018), *Can recurrent neural networks warp time?*, arXiv
#   1804.11188: why $1/g$ is a time scale, and gate biases chosen by it.

# %% [markdown]
# ### If you want to go on
#
# - The tanh RNN learns sequences of 20. Up to which length does it, with more updates? Begin with
#   `train(random_weights(0), 0, T=40, updates=3000)`.
# - Give the latch a gate that opens for a *negative* value only. Which weights must
#   change?
# - Let the loss look at every state, not only the last one. Does bias 0 still need the
#   near marks?
