# %% [markdown] slide="slide"
# # 03 · Vanishing and exploding gradients
#
# An error signal goes back through a hundred steps.
# Each step multiplies it by one matrix. What is left of it?

# %% [markdown] slide="notes"
# Open question: "you multiply a hundred numbers, each between 0.8 and 1.3. Is the
# result about one?" Most say yes. It is anything from 1e-10 to 1e11. Do not comment
# yet.

# %% [markdown] slide="slide"
# ## What you will be able to do
#
# - find the Jacobian of a step, and what ties two distant states together;
# - say what singular values promise about a product, and what eigenvalues do not;
# - measure how a network's error signals shrink or grow with distance;
# - say what holding a bit has to do with the gradient through time;
# - clip gradients by their global norm, and say what this mends and what it does not;
# - find the Jacobian of a cell that nobody has shown you.
#
# **Time**: {time}. The places to stop are marked.

# %% [markdown] slide="notes"
# 50 to 60 minutes as a lecture. If time is short, leave out part 6; never the
# predictions about networks. The deck shows the derivations; the students' notebook
# does not, until they have found them.

# %% [markdown]
# ### What you need, and how this notebook works
#
# You need notebook 02 (the error signal, and one step backward), from notebook 00 the
# slope of the tanh and the central difference, and matrix products. Singular values are
# explained when they are needed.
#
# The formulas of Jacobians and norms are **not** in this notebook. You find them: small
# steps, one case with numbers, and a check. When the check is right, it shows the
# derivation.
#
# Stuck? `hint(step_jacobian)` gives one hint at a time, for any exercise.
# `show_derivation(step_jacobian)`, in a cell of your own, gives up on one derivation and
# shows it. Neither costs anything. `progress()` says where you are.

# %%
from autograder import check, guess, hint, progress, recall, reveal, show_derivation
from rnncourse import claim, explorer, figures_03, show

# %% given="imports"
import numpy as np

# %% [markdown]
# ### Three minutes of recall
#
# Answer from memory: write in the place of the three dots, then run the cell.

# %% recall="03.r1"
# Notebook 02: W["ss"] is zero but for the entry in row 1, column 2, which is 0.5. Unit 1 of
# s_t is 0.6, and an error signal of 3 arrives there. At which unit of the state before does
# something arrive, and how much?
recall("03.r1", unit=2, error_signal=0.96)

# %% [markdown] answer="03.r1"
# Backward, first through the tanh of unit 1, which lets 0.64 through, then through the weight
# that carried old unit 2 to new unit 1: 3 times 0.64 times 0.5.

# %% recall="03.r2"
# Notebook 02: a weight is used at each of T positions. What is its gradient made of?
recall(
    "03.r2",
    gradient="the sum of the positions' contributions",
    choices=(
        "the mean of the positions' contributions",
        "the sum of the positions' contributions",
        "the last position's contribution",
    ),
)

# %% [markdown] answer="03.r2"
# Shared weights are copies that move together: the changes add up.

# %% recall="03.r3"
# Notebook 01: 5 positions, 3 inputs, 2 units, 4 sequences. The shape of `states`?
recall("03.r3", shape=[5, 2, 4])

# %% [markdown] answer="03.r3"
# Time first, then units, then one column for each sequence: (T, H, N).

# %% recall="03.r4"
# Notebook 00: how steep is a tanh at most, and how steep where it puts out -0.9?
recall("03.r4", at_most=1, at_minus_0_9=0.19)

# %% [markdown] answer="03.r4"
# It is steepest at 0, where its slope is 1, and flat where it saturates: $1 - 0.81 = 0.19$.

# %% [markdown] slide="slide"
# ## The model, and a loss that looks at the end
#
# $$s_t = \tanh(W^{s,s} s_{t-1} + W^{s,x} x_t), \qquad t = 1, \dots, T \tag{3.1}$$
#
# The loss $L$ looks at the last state $s_T$ only. The **error signal** at position $t$
# is
#
# $$\delta_t = \frac{dL}{ds_t} \tag{3.2}$$
#
# the gradient by $s_t$, with everything that follows from $s_t$ taken along.
#
# If $\delta_1$ is tiny, the loss hardly reacts to what happened at the first position.

# %% [markdown]
# ### Shapes, and one word
#
# As before a batch holds $N$ sequences, one column each: `xs` is (T, D, N), `states` is
# (T, H, N), and position $t$ is `states[t - 1]`, because Python counts from 0.
# The initial state `s0` is not in `states`.
#
# $\lVert v \rVert$ is the Euclidean length of a **vector**: for (3, 4) it is 5.
# We write it for vectors only.
#
# ### Given from notebook 01


# %% given="earlier_functions"
def rnn_step(x_t, s_prev, W):
    """One step (3.1): x_t (D, N) and s_prev (H, N) give s_t (H, N)."""
    return np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)


def rnn_forward_batch(xs, s0, W):
    """All steps: xs (T, D, N) and s0 (H, N) give states (T, H, N), without s0."""
    states = []
    for x_t in xs:
        s0 = rnn_step(x_t, s0, W)
        states.append(s0)
    return np.stack(states)


# %% [markdown]
# A small network to try things on. `one` picks the first sequence, as a column.

# %%
rng = np.random.default_rng(3)
T, D, H, N = 5, 2, 3, 4
W = {"ss": rng.normal(size=(H, H)), "sx": 0.7 * rng.normal(size=(H, D))}
xs, s0 = rng.normal(size=(T, D, N)), np.tanh(rng.normal(size=(H, N)))
states = rnn_forward_batch(xs, s0, W)
one = slice(0, 1)
{"states": states.shape, "first sequence": states[:, :, one].shape}

# %% [markdown] slide="slide"
# ## Part 1 · One step, and many
#
# One unit, $s_t = \tanh(w\, s_{t-1} + x_t)$, with $w = 2$.
# In a run of three steps, call it A, its states were $s_1 = 0.8$, $s_2 = 0.6$,
# $s_3 = -0.8$.
#
# An error signal of 1 arrives at $s_3$.
# **Is it larger or smaller than 1 when it comes to $s_0$?**

# %% [markdown] slide="notes"
# Vote. The usual answer: "larger, 2 to the third is 8". Keep the numbers on the board.

# %% guess="03.1"
# Before you compute anything:
guess("03.1", at_s_0="smaller", choices=("smaller", "larger"))

# %% [markdown] answer="03.1" slide="fragment"
# Smaller: 0.66 of it is left. The next question finds out why.

# %% [markdown] slide="subslide"
# ### With pen and paper
#
# Another run, B, with the same $w = 2$: $s_1 = 0$, $s_2 = 0.6$, $s_3 = 0.5$.
#
# Take one step at a time. Nudge $s_{t-1}$ a little: how fast does the sum inside the
# tanh move? And how fast does $s_t$ move with that sum? (Notebook 00.)
# So each step has a factor $ds_t / ds_{t-1}$.

# %% [markdown] slide="notes"
# Two minutes. The usual slip is 1 - s instead of 1 - s squared.

# %% guess="03.2"
# The factors of run B at t = 1, 2, 3, as a list in brackets, [a, b, c], and what an error
# signal of 1 at s_3 becomes at s_0.
guess("03.2", factors=[2, 1.28, 1.5], at_s_0=3.84)

# %% [markdown] answer="03.2" slide="fragment"
# Two numbers make a factor: the **weight**, the same at every step, and a **slope**, which
# hangs on the state of that step. In B the slopes are 1, 0.64 and 0.75, so the signal
# becomes $2 \cdot 1.28 \cdot 1.5 = 3.84$; in A it became $0.72 \cdot 1.28 \cdot 0.72 = 0.66$.
#
# The same weight, and once it grows, once it shrinks: the states have their say.

# %% [markdown] slide="slide"
# ## The Jacobian of a step
#
# With $H$ units, every new unit moves with every old one. Row $i$, column $j$ of the
# **Jacobian**
#
# $$J_t = \frac{\partial s_t}{\partial s_{t-1}}$$
#
# says how fast new unit $i$ moves with old unit $j$, the input held still. Two units:
#
# $$W^{s,s} = \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}, \qquad
# s_t = \begin{pmatrix} 0.6 \\ 0.8 \end{pmatrix}$$
#
# How fast does new unit 1 move with old unit 2? And new unit 2 with old unit 1?

# %% [markdown] slide="notes"
# Ask: "does a slope belong to a row or to a column?" Usual wrong answer: columns, because
# one thinks of the old state. No shape complains: W is square.

# %% guess="03.3"
guess("03.3", new_1_by_old_2=1.28, new_2_by_old_1=1.08)

# %% [markdown] answer="03.3" slide="fragment"
# Old unit 2 enters the sum of new unit 1 with the weight 2, and the tanh of new unit 1 lets
# 0.64 of it through. Old unit 1 enters that of new unit 2 with the weight 3, and 0.36 of it
# comes through. (If you found 0.72 and 1.92, you used the other unit's tanh.)

# %% [markdown]
# A Jacobian belongs to **one sequence**: another sequence has other states and so
# another matrix. Below, one state is a column, (H, 1), and not a batch.
#
# The judge is slow, and needs no theory: nudge one old unit at a time, and look at all
# new ones.


# %%
def finite_jacobian(f, s, eps=1e-6):
    """Jacobian (H, H) of f at the column s (H, 1): nudge one unit at a time."""
    nudges = eps * np.eye(len(s))[:, :, None]
    return np.hstack([(f(s + e) - f(s - e)) / (2 * eps) for e in nudges])


x_1, s_0 = xs[0][:, one], s0[:, one]
measured = finite_jacobian(lambda s: rnn_step(x_1, s, W), s_0)
print(measured.round(4), "is the Jacobian of the small network's first step, measured", sep="\n")

# %% [markdown]
# ### Exercise: the Jacobian of a step
#
# 1. Write entry $(i, j)$ for any $i$ and $j$, as you did for (1, 2): two numbers.
# 2. One of them stands in a matrix that you have. The other: does it go with $i$ or with $j$?
# 3. Write all entries at once, without a loop.
#
# Neither the input nor the state before is needed: what you want of them is in $s_t$
# already. Stages to try a part by itself: `check(step_jacobian, stage="weights")` and
# `stage="squashing"`. With your function, `step_jacobian(states[0][:, one], W)` should be
# the matrix that was measured.


# %% exercise="step_jacobian" points=3
def step_jacobian(s_t: np.ndarray, W: dict) -> np.ndarray:
    """How the new state of one sequence moves with the state before.

    Args:
        s_t: (H, 1) state after the step, of one sequence, as a column.
        W: "ss" (H, H) recurrent weights and "sx" (H, D) input weights.

    Returns:
        jacobian: (H, H), row i and column j: how new unit i moves with old unit j.
    """
    ### BEGIN SOLUTION
    slope = 1 - s_t**2
    return slope * W["ss"]  # (3.4)
    ### END SOLUTION


# %% check="step_jacobian"
check(step_jacobian)

# %% [markdown] found="step_jacobian" slide="slide"
# ### What you found: the Jacobian of a step
#
# For one unit a weight times a slope:
#
# $$\frac{ds_t}{ds_{t-1}} = w\, (1 - s_t^2) \tag{3.3}$$

# %% [markdown] found="step_jacobian" slide="fragment"
# For many: old unit $j$ enters the sum of new unit $i$ with $W^{s,s}_{i,j}$, and the tanh of
# unit $i$ passes on $1 - s_{t,i}^2$ of it.

# %% [markdown] found="step_jacobian" slide="fragment"
# All entries at once:
#
# $$J_t = \operatorname{diag}(1 - s_t \odot s_t)\, W^{s,s} \tag{3.4}$$
#
# where $\odot$ multiplies entry by entry, and $\operatorname{diag}(v)$ has $v$ on its
# diagonal and zeros elsewhere. The slope is that of the **new** unit: it scales a **row**.

# %% found="step_jacobian"
for t in range(T):
    before = (s0 if t == 0 else states[t - 1])[:, one]
    nudged = finite_jacobian(lambda s, t=t: rnn_step(xs[t][:, one], s, W), before)
    J_t = np.diag(1 - states[t][:, 0] ** 2) @ W["ss"]  # (3.4)
    assert np.allclose(J_t, nudged, atol=1e-8), "(3.4) does not hold"
"(3.4) holds, and (3.3) is its case of one unit"

# %% [markdown] slide="slide"
# ## Many steps
#
# Nudge $s_0$ a little, and let the network run on with the same inputs. What is
# $ds_2 / ds_0$, if two steps of a network with two units have the Jacobians
#
# $$J_1 = \begin{pmatrix} 0 & 3 \\ 0 & 0 \end{pmatrix}, \qquad
# J_2 = \begin{pmatrix} 0 & 0 \\ 5 & 0 \end{pmatrix}$$
#
# Follow a nudge of unit 2 of $s_0$: which unit of $s_1$ does it move, and which unit of
# $s_2$? Then a nudge of unit 1.

# %% [markdown] slide="notes"
# Ask: "which factor meets the nudge first?" The first step's, so it stands at the right.
# The usual wrong answer is the last one's, as one reads from left to right.

# %% guess="03.4"
# Speeds: unit 2 of s_2 with unit 2 of s_0, and unit 1 of s_2 with unit 1 of s_0.
guess("03.4", second_by_second=15, first_by_first=0)

# %% [markdown] answer="03.4" slide="fragment"
# Old unit 2 moves unit 1 of $s_1$ at speed 3, and that moves unit 2 of $s_2$ at speed 5 each:
# 15. A nudge of unit 1 of $s_0$ moves nothing, already in the first step. Who multiplies the
# two matrices the other way round finds 0 and 15.

# %% [markdown]
# ### Exercise: from the first state to the last
#
# For one sequence, with your `step_jacobian`. Matrices do not commute, so ask of each
# step where it belongs. What changes nothing, for a sequence of no steps?
#
# This is what nudging finds for the small network. Your `jacobian_product(states[:, :, one], W)`
# should be the same matrix.


# %%
def last_state(s):
    return rnn_forward_batch(xs[:, :, one], s, W)[-1]


nudged = finite_jacobian(last_state, s0[:, one])
print(nudged.round(4), "is how s_5 moves with s_0, measured", sep="\n")


# %% exercise="jacobian_product" points=3
def jacobian_product(states: np.ndarray, W: dict) -> np.ndarray:
    """How the last state of one sequence moves with its initial state.

    Args:
        states: (T, H, 1) states s_1, ..., s_T of one sequence, each as a column.
        W: "ss" (H, H) recurrent weights and "sx" (H, D) input weights.

    Returns:
        product: (H, H), row i and column j: how unit i of s_T moves with unit j of s_0.
    """
    ### BEGIN SOLUTION
    product = np.eye(len(W["ss"]))
    for s_t in states:
        product = step_jacobian(s_t, W) @ product  # (3.5)
    return product
    ### END SOLUTION


# %% check="jacobian_product"
check(jacobian_product)

# %% [markdown] found="jacobian_product" slide="slide"
# ### What you found: distance makes a product
#
# A nudge of $s_0$ passes $J_1$ first, then $J_2$, …, so $J_1$ stands at the right:
#
# $$\frac{d s_T}{d s_0} = J_T\, J_{T-1} \cdots J_2\, J_1 \tag{3.5}$$

# %% [markdown] found="jacobian_product" slide="fragment"
# Backward, each step multiplies by the transpose, last step first:
#
# $$\delta_{t-1} = J_t^{\top} \delta_t, \qquad
# \delta_0 = J_1^{\top} J_2^{\top} \cdots J_T^{\top}\, \delta_T \tag{3.6}$$
#
# The same product decides how far a nudge travels forward and a gradient backward.

# %% found="jacobian_product"
J = [np.diag(1 - s_t[:, 0] ** 2) @ W["ss"] for s_t in states]  # of the first sequence
assert np.allclose(J[4] @ J[3] @ J[2] @ J[1] @ J[0], nudged, atol=1e-8), "(3.5) does not hold"
delta_T = np.array([[1.0], [-2.0], [0.5]])  # some error signal at the last state
delta = delta_T
for J_t in reversed(J):
    delta = J_t.T @ delta  # (3.6)
loss = lambda s: delta_T.T @ last_state(s)  # a loss with this error signal at s_T
assert np.allclose(delta.T, finite_jacobian(loss, s0[:, one]), atol=1e-8), "(3.6) does not hold"
"(3.5) and (3.6) hold"

# %% [markdown] slide="slide"
# ## How long is the error signal, position by position?
#
# For a batch nobody builds Jacobians: the error signal itself goes back, (H, N), step
# by step, as in notebook 02. Here we want its **length** at every position. By hand:
#
# $$W^{s,s} = \begin{pmatrix} 0 & 2 \\ 1 & 0 \end{pmatrix}, \qquad
# s_T = \begin{pmatrix} 0.5 \\ 0 \end{pmatrix}, \qquad
# \delta_T = \begin{pmatrix} 3 \\ 4 \end{pmatrix}$$
#
# What is $\lVert \delta_T \rVert$? And $\lVert \delta_{T-1} \rVert$?

# %% [markdown] slide="notes"
# Ask: "which comes first on the way back, the tanh or the matrix?" The tanh. The usual
# slip is to take the matrix first, and W for its transpose.

# %% guess="03.5"
guess("03.5", at_T=5, one_step_back=6.021)

# %% [markdown] answer="03.5" slide="fragment"
# (3, 4) has the length 5. The slopes are 0.75 and 1, so (2.25, 4) arrives at the sums. Old
# unit 1 entered the second sum with weight 1, old unit 2 the first with weight 2:
# $\delta_{T-1}$ is (4, 4.5), of length 6.02. (If you found 8.31, you went through the
# weights as the way forward does.)

# %% [markdown]
# ### Exercise: the length of the error signal at every position
#
# For a whole batch, from the last position to the first. Which length is known before
# the first step back? A loop; what you found in notebook 02 is one line of it.
#
# Measured for the small network's first sequence, by nudging each state. Your
# `gradient_norms(delta_T, states, W)[:, 0]` should be the same five numbers:

# %%
delta_T = rng.normal(size=(H, N))  # some error signals at the last state


def loss_from(s_t, t):
    """A loss with this error signal at s_T, when the state at position t is s_t."""
    for x in xs[t:]:
        s_t = rnn_step(x[:, one], s_t, W)
    return delta_T[:, one].T @ s_t


for t in range(1, T + 1):
    slopes = finite_jacobian(lambda s, t=t: loss_from(s, t), states[t - 1][:, one])
    print(f"length of the error signal at position {t}: {np.linalg.norm(slopes):.5f}")


# %% exercise="gradient_norms" points=4
def gradient_norms(ds_last: np.ndarray, states: np.ndarray, W: dict) -> np.ndarray:
    """Length of the error signal at every position; the loss looks at the last state only.

    Args:
        ds_last: (H, N) gradient of the loss by the last state, the error signal at position T.
        states: (T, H, N) states s_1, ..., s_T, one column per sequence.
        W: "ss" (H, H) recurrent weights and "sx" (H, D) input weights.

    Returns:
        norms: (T, N), row k: the Euclidean length of the gradient by states[k], for
            each sequence apart. The last row belongs to ds_last itself.
    """
    ### BEGIN SOLUTION
    T, _, N = states.shape
    norms = np.zeros((T, N))
    delta = ds_last
    for k in reversed(range(T)):
        norms[k] = np.sqrt(np.sum(delta**2, axis=0))
        da = (1 - states[k] ** 2) * delta
        delta = W["ss"].T @ da  # (3.7)
    return norms
    ### END SOLUTION


# %% check="gradient_norms"
check(gradient_norms)

# %% [markdown] found="gradient_norms" slide="slide"
# ### What you found: one step back, without a Jacobian
#
# (3.6) needs only $J_t^{\top}$ times a vector:
#
# $$\delta_{t-1} = (W^{s,s})^{\top} \big((1 - s_t \odot s_t) \odot \delta_t\big) \tag{3.7}$$
#
# For a batch that is one product for all sequences, where Jacobians would be $N$ matrices.

# %% found="gradient_norms"
da_T = (1 - states[T - 1] ** 2) * delta_T
by_state = finite_jacobian(lambda s: loss_from(s, T - 1), states[T - 2][:, one])
assert np.allclose((W["ss"].T @ da_T)[:, one], by_state.T, atol=1e-8), "(3.7) does not hold"
"(3.7) holds"

# %% [markdown] slide="slide"
# ## Part 2 · How long can a product make a vector?
#
# Take $W^{s,s} = r\, Q$, with $Q$ a random rotation or reflection (an **orthogonal**
# matrix): it stretches **every** vector by exactly $r$. $H = 32$ units, $T = 100$
# positions, small random inputs.
#
# $\lVert \delta_1 \rVert / \lVert \delta_{100} \rVert$ is the ratio of the error
# signals. About what is it for $r = 0.5$, for $r = 1$, and for $r = 1.5$?

# %% [markdown] slide="notes"
# Collect three numbers from three people. 0.5^99 is 1.6e-30, 1.5^99 is 2.7e17: the
# usual answers are these and 1. The first is about right.

# %% guess="03.6"
# Written as in Python: "1e-30" is 10 to the power of -30.
guess(
    "03.6",
    with_one_half="1e-30",
    with_one="0.002",
    with_one_and_a_half="300",
    choices=("1e-30", "1e-17", "0.002", "1", "300", "1e17"),
)

# %% [markdown] slide="fragment"
# And for $r = 1.5$ again, when the inputs are ten times as large?

# %% guess="03.7"
guess("03.7", error_signal="vanishes", choices=("vanishes", "about the same", "explodes more"))

# %% [markdown] slide="slide"
# ## The most a matrix can stretch
#
# The **largest singular value** of a matrix $A$ is its greatest stretch:
#
# $$\sigma_1(A) = \max_{v \ne 0} \frac{\lVert A v \rVert}{\lVert v \rVert} \tag{3.8}$$
#
# - $\sigma_1(A^{\top}) = \sigma_1(A)$: the way back has the same limit as the way
#   forward;
# - $\sigma_1(AB) \le \sigma_1(A)\, \sigma_1(B)$: one stretch after the other, at most
#   both in full;
# - $\sigma_1(\operatorname{diag}(v)) = \max_i |v_i|$.

# %% [markdown]
# **Singular values in five lines.** A matrix makes an ellipse of the unit circle (in more
# dimensions an ellipsoid). The lengths of its half axes are the singular values, from
# $\sigma_1$, the largest, down. Each axis is the image of one direction, and these
# directions are at right angles. A rotation has all of them 1; a matrix that squashes some
# direction flat has a 0 among them. NumPy: `np.linalg.svd(A, compute_uv=False)`.

# %%
largest_singular_value = lambda A: np.linalg.svd(A, compute_uv=False)[0]
A, B = rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
v = rng.normal(size=(4, 100_000))  # many directions
stretch = np.linalg.norm(A @ v, axis=0) / np.linalg.norm(v, axis=0)
sigma = largest_singular_value(A)
assert stretch.max() <= sigma and stretch.max() > 0.99 * sigma, "(3.8) does not hold"
assert np.isclose(largest_singular_value(A.T), sigma), "a transpose stretches otherwise"
assert largest_singular_value(A @ B) <= sigma * largest_singular_value(B), (
    "a product stretches more than both in full"
)
assert np.isclose(largest_singular_value(np.diag(v[:, 0])), np.abs(v[:, 0]).max()), (
    "a diagonal's stretch is not its largest entry"
)
print(f"(3.8) holds: of 100,000 directions the best is stretched by {stretch.max():.4f}, of {sigma:.4f}")

# %% [markdown] slide="slide"
# ## A bound for every step, and for all of them
#
# Let $\gamma_t$ be the largest slope of any unit at step $t$ of one sequence. From the step
# back that you found,
#
# $$\lVert \delta_{t-1} \rVert \le \gamma_t\, \sigma_1(W^{s,s})\, \lVert \delta_t \rVert
# \tag{3.9}$$
#
# and, because no slope is above 1,
#
# $$\lVert \delta_0 \rVert \le \sigma_1(W^{s,s})^{T}\, \lVert \delta_T \rVert \tag{3.10}$$

# %% slide="fragment" needs="gradient_norms"
sigma = largest_singular_value(W["ss"])
lengths = gradient_norms(delta_T, states, W)  # yours, (T, N)
gamma = (1 - states**2).max(axis=1)  # (T, N): largest slope, step by step
for t in range(2, T + 1):
    assert np.all(lengths[t - 2] <= gamma[t - 1] * sigma * lengths[t - 1]), "(3.9) is broken"
assert np.all(lengths[0] <= sigma ** (T - 1) * lengths[-1]), "(3.10) does not hold"
print("(3.9) and (3.10) hold for the small network")

# %% [markdown] slide="slide"
# ## Read the bound in the right direction
#
# - $\sigma_1(W^{s,s}) < 1$: the error signal **vanishes**, at least as fast as
#   $\sigma_1^T$, whatever the inputs are.
# - So if it ever **explodes**, $\sigma_1(W^{s,s}) > 1$. That is **necessary**.
# - $\sigma_1(W^{s,s}) > 1$ does **not** make it explode: a bound above one promises
#   nothing. It is **not sufficient**.

# %% [markdown] slide="notes"
# Ask: "largest singular value 5. Does the gradient explode?" The usual answer, and the
# one in much course material, is yes. The next cell has two counterexamples.

# %% slide="fragment"
never_twice = np.array([[0.0, 5.0], [0.0, 0.0]])  # it cannot stretch a vector twice
fading = np.array([[0.5, 5.0], [0.0, 0.5]])
after = lambda A, k: largest_singular_value(np.linalg.matrix_power(A, k))
assert np.isclose(after(never_twice, 1), 5), "it does not stretch a vector once"
assert after(never_twice, 2) == 0, "it stretches a vector twice"
assert after(fading, 1) > 5 and after(fading, 60) < 1e-14, "the fading matrix does not fade"
stretches = [f"{after(fading, k):.2g}" for k in (1, 2, 5, 10, 60)]
print("fading, after 1, 2, 5, 10 and 60 steps:", ", ".join(stretches))

# %% [markdown]
# These two have no tanh, and yet they do not explode. Slopes are a second reason. The
# measurement that you made a guess about shows it alone: in $W^{s,s} = r\,Q$ every
# singular value is the same number, $r$.
#
# **How it is measured.** $H = 32$ units, $D = 8$ inputs of standard normal noise, $N = 16$
# sequences, $s_0$ of a tenth of such noise. What "small inputs" are is set by $W^{s,x}$: its
# entries are normal noise over $\sqrt{D}$, times 0.1 for small inputs and times 1 for larger
# ones. The cells that do it are folded; unfold them if you like.
#
# They take a second where your functions take whole arrays at once. Loops over units or over
# sequences are as right, and take minutes, here and in part 5: write those functions anew
# before you go on.


# %% hide_input=true
def random_orthogonal(rng, H):
    """A random matrix (H, H) that keeps the length of every vector."""
    Q, R = np.linalg.qr(rng.normal(size=(H, H)))
    return Q * np.sign(np.diag(R))


def readable(power):
    """A power of ten as a person writes the number: 270, 0.0021; 5e-31 where zeros are too many."""
    if not -3 <= power < 9:
        return f"{10**power:.0e}"
    value = float(f"{10**power:.2g}")
    return f"{value:,.0f}" if value >= 10 else f"{value:g}"


radii, Ts, seeds = (0.5, 0.9, 1.0, 1.2, 1.5, 2.0), (10, 20, 50, 100, 200), range(4)
Q = random_orthogonal(np.random.default_rng(0), 6)
assert np.allclose(np.linalg.svd(1.5 * Q, compute_uv=False), 1.5), "its singular values are not all 1.5"
print("six singular values of 1.5 Q:", np.linalg.svd(1.5 * Q, compute_uv=False).round(9))


# %% hide_input=true needs="gradient_norms"
def gradient_ratios(radius, T, input_size, seed, H=32, D=8, N=16):
    """(N,) length of the error signal at position 1 over its length at position T."""
    rng = np.random.default_rng(seed)
    W = {
        "ss": radius * random_orthogonal(rng, H),
        "sx": input_size * rng.normal(size=(H, D)) / np.sqrt(D),
    }
    xs, s0 = rng.normal(size=(T, D, N)), 0.1 * rng.normal(size=(H, N))
    states = rnn_forward_batch(xs, s0, W)
    norms = gradient_norms(rng.normal(size=(H, N)), states, W)
    return norms[0] / norms[-1]


powers = {}  # (input size, radius): powers of ten, one row per T, one column per seed
for size in (0.1, 1.0):
    for r in radii:
        powers[size, r] = np.zeros((len(Ts), len(seeds)))
        for k, T_k in enumerate(Ts):
            for seed in seeds:
                ratios = gradient_ratios(r, T_k, size, seed)
                assert np.all(ratios <= r ** (T_k - 1)), "(3.10) does not hold: check(gradient_norms) first"
                powers[size, r][k, seed] = np.log10(ratios).mean()
print("measured: 6 radii, 5 lengths, 2 sizes of input, 4 networks each; every ratio obeys (3.10)")

# %% [markdown] slide="slide"
# ### The ratio of the error signals against $T$
#
# Dotted: the bound $r^{T-1}$. Solid: measured; the band is the lowest and the highest of
# four networks. Where does a curve leave its bound, and what changes with the inputs?

# %% slide="-" hide_input=true needs="gradient_norms"
show(
    figures_03.ratio_against_length(powers, Ts),
    alt="Power of ten of the gradient ratio against T. With small inputs radius 0.5 "
    "and 0.9 fall nearly on straight lines, 1.2 stays near zero, 1.5 and 2 rise far "
    "below their bounds. With large inputs all radii up to 1.5 fall, and only 2 "
    "rises a little.",
)

# %% [markdown] slide="notes"
# Let the room compare with the three numbers on the board before the next slide. Ask: "so
# which r would you choose?" The usual answer is 1. Look at the curve: it vanishes; with
# small inputs 1.2 is flat, with larger ones not.

# %% [markdown] slide="subslide"
# ### The same in numbers: small inputs
#
# Compare $T = 100$ with what you wrote down.

# %% slide="-" hide_input=true needs="gradient_norms"
table = {r: powers[0.1, r].mean(axis=1) for r in radii}
print("ratio", *(f"T = {T_k}".rjust(9) for T_k in Ts))
for r in radii:
    print(f"r = {r}".ljust(7)[:7], *(readable(power).rjust(9) for power in table[r]))

# %%
reveal("03.6")

# %%
reveal("03.7")

# %% [markdown] answer="03.6" sealed=true slide="subslide"
# ### Small inputs, $T = 100$
#
# - $r = 0.5$: about $10^{-30}$, as the bound says.
# - $r = 1$: nothing is stretched, and yet about one part in 500 is left: slopes each a
#   little below 1, ninety-nine times.
# - $r = 1.5$: some hundreds, not $1.5^{99} \approx 10^{17}$. Larger weights make larger
#   states, and larger states have smaller slopes: **the explosion brakes itself**. With
#   $r = 1.2$ it stops, the ratio stays at about 2 from $T = 10$ to $T = 200$.

# %% [markdown] answer="03.7" sealed=true slide="subslide"
# ### Larger inputs, $r = 1.5$
#
# Some ten-millionths are left. Every singular value is above one, and the signal
# vanishes: larger inputs push the units to where their slopes are small.
#
# There is no $r$ that is right for all inputs.
#
# In the figure: with small inputs $r = 0.5$ stays near its bound, and the others leave theirs,
# the larger $r$ the further. With larger inputs all lie far below.

# %% hide_input=true needs="gradient_norms"
at_100 = {key: rows[Ts.index(100)] for key, rows in powers.items()}
half, one_, more, loud = (at_100[k] for k in ((0.1, 0.5), (0.1, 1.0), (0.1, 1.5), (1.0, 1.5)))
spread = lambda powers: f"{readable(powers.min())} to {readable(powers.max())} in {len(powers)} networks"
claim("r = 0.5 leaves less than 1e-29", half.max() < -29, spread(half))
claim("r = 1 leaves less than a hundredth", one_.max() < -2, spread(one_))
claim("r = 1.5 makes 30 to 10,000 of it", more.min() > 1.5 and more.max() < 4, spread(more))
growth = ", ".join(readable(power) for power in table[1.5])
claim("it goes on growing with T", np.all(np.diff(table[1.5]) > 0), growth)
claim("with larger inputs it leaves less than 1e-5", loud.max() < -5, spread(loud))

# %% [markdown] sitting=2
# > **A place to stop.** You know what distance does to an error signal, and why. What follows
# > asks what it costs, and what can be done. When you come back, run all cells above first
# > (*Run → Run All Above Selected Cell*): your answers are kept, the kernel's numbers are not.

# %% [markdown] slide="slide"
# ## Part 3 · Eigenvalues and singular values
#
# No tanh now, no inputs: $s_t = W s_{t-1}$, so that $s_k = W^k s_0$ ($k$ is a power), with
#
# $$W = \begin{pmatrix} 0.85 & 2 \\ 0 & 0.85 \end{pmatrix}$$
#
# Both eigenvalues are 0.85. The fading matrix of part 2, with eigenvalues of 0.5, stretched
# most in its first step. **For which $k$ can $\lVert W^k s_0 \rVert$ be largest here?**

# %% [markdown] slide="notes"
# Vote on "never above its start", "in the first step", "later". Usual: the first, as the
# eigenvalues are below one, or the second, as with the fading matrix.

# %% guess="03.8"
# The k where it can be largest; 0 if it is never larger than the length of s_0.
guess("03.8", k=6)

# %% [markdown] slide="slide"
# ## What an eigenvalue promises
#
# If $W v = \lambda v$, then $W^k v = \lambda^k v$: one direction, one factor, for ever.
# The **spectral radius** $\rho(W)$ is the largest $|\lambda|$, complex eigenvalues
# included. For every $k$
#
# $$\rho(W)^k \le \sigma_1(W^k) \le \sigma_1(W)^k \tag{3.11}$$
#
# and for large $k$ the growth **per step** comes down to the spectral radius:
#
# $$\sigma_1(W^k)^{1/k} \to \rho(W) \quad \text{as } k \to \infty \tag{3.12}$$
#
# Eigenvalues speak about the far end. About the first steps they say nothing.

# %%
spectral_radius = lambda A: np.abs(np.linalg.eigvals(A)).max()
A = np.random.default_rng(5).normal(size=(5, 5)) / 2
rho, sigma = spectral_radius(A), largest_singular_value(A)
for k in (1, 3, 10):
    slack = 1 + 1e-9  # for rounding
    assert rho**k <= slack * after(A, k) and after(A, k) <= slack * sigma**k, "(3.11) does not hold"
per_step = {k: after(A, k) ** (1 / k) / rho for k in (1, 10, 100, 1000)}
assert abs(per_step[1000] - 1) < 0.01, "(3.12) does not hold"
{f"growth per step over the spectral radius, k = {k}": round(float(v), 3) for k, v in per_step.items()}

# %% [markdown] slide="slide"
# ## The powers of the example
#
# Multiply once by hand, and the pattern shows:
#
# $$W^2 = \begin{pmatrix} 0.85^2 & 2 \cdot 2 \cdot 0.85 \\ 0 & 0.85^2 \end{pmatrix}, \qquad
# W^k = \begin{pmatrix} 0.85^k & 2k \cdot 0.85^{k-1} \\ 0 & 0.85^k \end{pmatrix} \tag{3.13}$$
#
# The corner is a product of a factor that grows and one that shrinks.

# %% hide_input=true
example = np.array([[0.85, 2.0], [0.0, 0.85]])
power = lambda k: np.array([[0.85**k, 2 * k * 0.85 ** (k - 1)], [0, 0.85**k]])
for k in range(1, 60):
    assert np.allclose(np.linalg.matrix_power(example, k), power(k)), "(3.13) does not hold"
stretch = {k: after(example, k) for k in range(1, 61)}
largest = max(stretch, key=stretch.get)
assert largest == 6 and stretch[6] > 5 and stretch[60] < 0.02, "it is largest elsewhere"
print("(3.13) holds; the largest stretch of its powers:")
{k: float(round(stretch[k], 2)) for k in (1, 2, 5, 6, 7, 20, 40, 60)}

# %% [markdown] slide="subslide"
# ### The largest stretch of $W^k$
#
# Beside it that of a rotation times 0.85, whose eigenvalues are of the same size. How do the
# two begin, and how do they end?

# %% slide="-" hide_input=true
turn = 0.85 * np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
show(
    figures_03.powers(
        np.array([after(example, k) for k in range(61)]),
        np.array([after(turn, k) for k in range(61)]),
        rho=0.85,
        sigma=largest_singular_value(example),
    ),
    alt="Largest stretch of W to the power k on a logarithmic axis. A rotation times "
    "0.85 falls along 0.85 to the k. The example rises above 5 at k = "
    "6 and then falls; it ends above the rotation. The bound, its largest "
    "singular value to the k, leaves the picture.",
)

# %%
reveal("03.8")

# %% [markdown] answer="03.8" sealed=true slide="subslide"
# ### It can grow, and then it vanishes
#
# The corner has a factor $k$ that grows and a factor $0.85^{k-1}$ that shrinks. The first
# wins at first, the second in the end: the best $s_0$ is made more than five times as long
# by $k = 6$. The eigenvalues alone had promised $0.85^6 = 0.38$.
#
# The rotation shrinks from its first step on. In the end both fall, the example far above.

# %% [markdown] slide="notes"
# Ask: "where do the two curves become parallel?" They come closer to parallel without
# end: the corner keeps its factor k, so on a logarithmic axis the upper one is never
# quite straight.

# %% [markdown] slide="slide"
# ### Try it: a product of equal Jacobians
#
# Two units, the Jacobian
# $J = \gamma \begin{pmatrix} \rho & b \\ 0 & \rho \end{pmatrix}$ at every step:
# $\gamma$ the slope (the same for both units), $\rho$ the spectral radius of $W$, $b$
# the corner. Three curves: the largest stretch of $J^k$, $\rho(J)^k$ and $\sigma_1(J)^k$.
#
# Before you touch it: which of the three fall together where $b = 0$? Then find settings
# where the product grows first and vanishes then, and others where it never stops growing.

# %% guess="03.9"
guess("03.9", at_b_0="all three", choices=("none", "two", "all three"))

# %% [markdown] answer="03.9"
# With $b = 0$ the matrix is $\gamma\rho$ times the identity: it stretches every vector alike,
# so stretch, spectral radius and largest singular value say the same.

# %% [markdown] slide="subslide"
# ### When does the product grow first?
#
# Find settings where the stretch grows at first, and vanishes in the end.

# %% slide="-" hide_input=true
explorer(
    "jacobians",
    {"rho": 0.5, "b": 1.0, "gamma": 0.5, "k": 0, "steps": 60},
    alt="Sliders for the spectral radius, the corner entry, the slope and the number "
    "of steps. A curve of the largest stretch against the number of steps, and "
    "the image of the unit circle.",
)

# %% [markdown] slide="notes"
# Task for the room: find settings where the product grows first and vanishes then. Then
# set b to 0: which curves fall together? All three, whatever the other sliders say.

# %% hide_input=true
with_corner = lambda b: np.array([[0.85, b], [0, 0.85]])
corners = {b: np.array([after(with_corner(b), k) for k in range(61)]) for b in (0, 0.5, 2, 5)}
show(
    figures_03.corners(corners),
    alt="The same without a kernel: the largest stretch of the k-th power for b = 0, "
    "0.5, 2 and 5. For b = 0 it falls from the start; the larger b, the higher "
    "the hump before the fall.",
)

# %% [markdown] extra=true
# ### Extra: normal and non-normal
#
# A matrix is **normal** if $W W^{\top} = W^{\top} W$: symmetric matrices, rotations and
# their multiples are. Then its eigenvectors (complex ones for a rotation) can be
# chosen at right angles, and
#
# $$\sigma_1(W^k) = \rho(W)^k \quad \text{for every } k, \text{ if } W \text{ is normal}
# \tag{3.14}$$
#
# For the powers of a normal matrix the sizes of the eigenvalues tell the whole story;
# for another they may not. A matrix that training has made is hardly ever normal: then
# look at the singular values of the **product**.

# %%
symmetric = (A + A.T) / 2
for normal in (turn, symmetric):
    assert np.allclose(normal @ normal.T, normal.T @ normal), "this matrix is not normal"
    for k in (1, 2, 7):
        assert np.isclose(after(normal, k), spectral_radius(normal) ** k), "(3.14) does not hold"
assert not np.allclose(example @ example.T, example.T @ example), "the example is normal"
assert after(example, 1) > 2.7 * spectral_radius(example), (
    "the example does not stretch by its singular value"
)
print("(3.14) holds for a rotation and a symmetric matrix, and not for the example")

# %% [markdown] extra=true
# ### Extra: and with slopes?
#
# With a tanh, the factors are Jacobians, not $W$. Slopes only make entries smaller, so
# surely they can only help to vanish? Take
#
# $$W = \begin{pmatrix} 2 & 2 \\ -2 & -2 \end{pmatrix}$$
#
# Both eigenvalues are 0, and $W^2 = 0$. But let unit 2 have the slope 0.2, at $s = 0.894$,
# while unit 1 is at 0: the balance is broken, and the product **grows without end**.

# %% hide_input=true
balanced = np.array([[2.0, 2.0], [-2.0, -2.0]])
tilted = np.array([[2.0, 2.0], [-0.4, -0.4]])  # its Jacobian with unit 1 at s = 0, unit 2 at s = 0.894
assert np.all(balanced @ balanced == 0), "its square is not 0"
assert np.isclose(spectral_radius(tilted), 1.6), "its spectral radius is not 1.6"
assert after(tilted, 50) > 1e9, "the product does not grow"
assert largest_singular_value(balanced) > 1, "the bound (3.10) is broken"
print(f"after 50 steps it stretches {readable(np.log10(after(tilted, 50)))} times")

# %% [markdown]
# Can a network be in that state? Yes: if the input reaches each unit by a weight of
# its own, a constant input that holds $s = (0, 0.894)$ exists for any $W$, as $\tanh$
# reaches every value between −1 and 1. Whether the network stays there is another
# matter: with a factor of 1.6 a small disturbance grows.

# %% [markdown] slide="slide"
# ## Part 4 · The wall
#
# One unit with a bias, $s_t = \tanh(w s_{t-1} + b)$, $s_0 = 0.5$,
# and the loss $L = (s_{50} + 0.5)^2$: it shall end at −0.5. Two parameters, so we can
# draw $L$ (after Pascanu, Mikolov and Bengio 2013, with our unit and our numbers).
#
# Where $b = \operatorname{artanh}(s_0) - w s_0$ the unit stays at $s_0$ exactly. There
# every step has the same factor, $\tfrac{3}{4} w$, so
#
# $$\frac{ds_{50}}{ds_0} = \big(\tfrac{3}{4} w\big)^{50} \tag{3.15}$$
#
# For $w > 4/3$ this is a number above one, to the power 50: a **wall** between ending
# high and ending low.


# %% hide_input=true
def wall(w, b, s0=0.5, steps=50):
    """Loss, and its gradients by w and by b; w and b are arrays of one shape."""
    s = [np.full(np.shape(w), s0)]
    for _ in range(steps):
        s.append(np.tanh(w * s[-1] + b))
    delta, dw, db = 2 * (s[-1] + 0.5), np.zeros(np.shape(w)), np.zeros(np.shape(w))
    for t in reversed(range(1, steps + 1)):
        da = (1 - s[t] ** 2) * delta
        dw, db, delta = dw + da * s[t - 1], db + da, w * da
    return (s[-1] + 0.5) ** 2, dw, db


at, eps = np.array([1.3]), 1e-6
_, dw, db = wall(at, at - 1.4)
loss = lambda by_w, by_b: wall(at + by_w, at - 1.4 + by_b)[0]
numeric = [loss(eps, 0) - loss(-eps, 0), loss(0, eps) - loss(0, -eps)]
assert np.allclose([dw, db], np.array(numeric) / (2 * eps), rtol=1e-5), (
    "the gradient of the loss differs from the nudge"
)


def end(s, w=2.0, steps=50):
    """Where the unit ends on the line of (3.15), when it starts at s."""
    for _ in range(steps):
        s = np.tanh(w * s + np.arctanh(0.5) - w * 0.5)
    return s


slope = (end(0.5 + 1e-12) - end(0.5 - 1e-12)) / 2e-12
assert np.isclose(slope, 1.5**50, rtol=0.01), "(3.15) does not hold"  # with w = 2
assert end(0.5 + 1e-6) > 0.7 and end(0.5 - 1e-6) < 0.3, "a millionth does not decide"
print(f"(3.15) holds: w = 2, a nudge of s_0 comes out {readable(np.log10(slope))} times as large")
for beside in (1e-5, 1e-7, 1e-8):  # so far above the wall, at w = 2
    _, dw, db = wall(np.array([2.0]), np.arctanh(0.5) - 1.0 + np.array([beside]))
    length = readable(np.log10(np.hypot(dw, db)[0]))
    print(f"{beside:.0e} beside the wall the gradient is {length} long")
assert np.isclose(dw / db, 0.5, rtol=1e-3), "it does not point straight across the wall"

# %% hide_input=true
grid_w, grid_b = np.meshgrid(np.linspace(-0.5, 2.6, 240), np.linspace(-3.2, 0.6, 240))
show(
    figures_03.wall(grid_w, grid_b, wall(grid_w, grid_b)[0], {}),
    alt="The loss over w and b as a map: a high plateau above, a wall along a falling dashed "
    "line, a low region below. Towards smaller w the wall leaves the line and grows blunt.",
)

# %% [markdown]
# Dashed: the line of (3.15). At $w = 2$ the wall is very steep and very thin. Towards
# $w = 4/3$ it grows less steep and wider. Below $4/3$ it leaves the line of (3.15), bends
# towards $w = 1$, $b = 0$, and becomes blunt enough to be hit.

# %% [markdown] slide="slide"
# ## One length for all gradients
#
# A model has several matrices. Write all entries of all their gradients into **one**
# long vector. Its length $\ell$ is the **global norm**.
#
# **Clipping by the global norm** with a limit $m > 0$: if $\ell$ is above $m$, all gradients
# are multiplied by **one** factor, such that their global norm becomes $m$. Otherwise they
# stay as they are.
#
# $$dW^{s,s} = \begin{pmatrix} 4 & 0 \\ 0 & -2 \end{pmatrix}, \qquad
# dW^{s,x} = \begin{pmatrix} 4 \\ 0 \end{pmatrix}, \qquad m = 3$$
#
# The global norm before clipping? And what becomes of the entry −2?

# %% [markdown] slide="notes"
# Usual wrong answers: the sum of the two norms (8.5), or a factor for each matrix.

# %% guess="03.10"
guess("03.10", global_norm=6, entry=-1)

# %% [markdown] answer="03.10" slide="fragment"
# The long vector is (4, 0, 0, −2, 4, 0), its length $\sqrt{36} = 6$. That is twice the limit,
# so everything is halved, zeros and signs included.

# %% [markdown] slide="slide"
# ### By value or by norm
#
# A gradient has two entries, $(6, 0.8)$, and the limit is 1.
#
# **By value**: every entry is cut to the range −1 to 1. **By norm**: as above.
#
# Work out both results on paper. Which of the two still points where the gradient
# pointed?

# %% guess="03.11"
guess("03.11", keeps_the_direction="by norm", choices=("by value", "by norm", "both", "none"))

# %% [markdown] answer="03.11" slide="fragment"
# By value it becomes $(1, 0.8)$, turned by 31 degrees: the small entry was left as it is. By
# norm it becomes $(0.991, 0.132)$, not turned at all, because both entries share one factor.

# %% [markdown] slide="notes"
# The usual answer: "both, they only get shorter". Clipping by value turned it by 31
# degrees.

# %% [markdown]
# ### Exercise: clip by the global norm
#
# For a dict with any keys and arrays of any shapes. What makes `norm` to `max_norm` when it
# is multiplied with it? And a gradient of zeros is short enough: it must come back as it is,
# whatever sort of number your norm is. The check tries that, too.


# %% exercise="clip_by_global_norm" points=4
def clip_by_global_norm(gradients: dict, max_norm: float) -> tuple[dict, float]:
    """Shorten gradients whose global norm is above a limit, all by one factor.

    Args:
        gradients: a dict of arrays of any shapes, the gradient by each parameter.
        max_norm: the limit m, a positive number.

    Returns:
        clipped: a dict with the same keys and shapes; the gradients as they are if they
            are short enough.
        norm: the global norm before clipping.
    """
    ### BEGIN SOLUTION
    squares = [np.sum(array**2) for array in gradients.values()]
    norm = np.sqrt(sum(squares))  # (3.16)
    factor = max_norm / norm if norm > max_norm else 1.0  # (3.17)
    clipped = {key: factor * array for key, array in gradients.items()}
    return clipped, norm
    ### END SOLUTION


# %% check="clip_by_global_norm"
check(clip_by_global_norm)

# %% [markdown] found="clip_by_global_norm" slide="slide"
# ### What you found: one length, one factor
#
# With $p$ running over the parameters, and $dW^{(p)}$ the gradient by one, the global norm is
#
# $$\ell = \sqrt{\textstyle\sum_{p} \sum_{i,j} \big(dW^{(p)}_{i,j}\big)^2} \tag{3.16}$$

# %% [markdown] found="clip_by_global_norm" slide="fragment"
# And what is too long is shortened by one factor:
#
# $$dW^{(p)} \leftarrow \begin{cases} \dfrac{m}{\ell}\, dW^{(p)} & \text{if } \ell > m \\[1ex]
# dW^{(p)} & \text{otherwise} \end{cases} \qquad \text{for every } p \tag{3.17}$$

# %% found="clip_by_global_norm"
own = np.random.default_rng(4)
gradients = {"ss": own.normal(size=(3, 3)), "sx": own.normal(size=(3, 2))}
long_vector = np.concatenate([array.ravel() for array in gradients.values()])
length = np.sqrt(sum((array**2).sum() for array in gradients.values()))  # (3.16)
shorter = np.concatenate([(0.5 / length * array).ravel() for array in gradients.values()])  # (3.17)
assert np.isclose(length, np.linalg.norm(long_vector)), "(3.16) is not the length of the long vector"
assert np.isclose(np.linalg.norm(shorter), 0.5), "(3.17) does not make it as long as the limit"
assert np.isclose(shorter @ long_vector, 0.5 * length), "(3.17) turns it"
"(3.16) and (3.17) hold: the length is the limit, the direction is kept"

# %% needs="clip_by_global_norm"
nothing, norm = clip_by_global_norm({"ss": np.zeros((2, 2))}, 1.0)
assert norm == 0 and np.all(nothing["ss"] == 0), "a gradient of zeros must come back as it is"
print("a gradient of zeros comes back as it is")

# %% [markdown] slide="slide"
# ## Two descents
#
# Gradient descent with step size 0.3, from 35 starts ($w$ from 1.2 to 2.4, $b$ from
# −0.1 to 0.3); 400 updates; once as it is, once with the global norm of $(dw, db)$
# limited to 1.
#
# A start counts as **solved** if the loss ends below 0.01. How many of the 35 are?

# %% guess="03.12"
guess(
    "03.12",
    as_it_is="most",
    clipped="all",
    choices=("none", "less than half", "most", "all"),
)


# %% slide="fragment" hide_input=true needs="clip_by_global_norm"
def descend(w, b, max_norm, updates=400, rate=0.3):
    """Paths (updates + 1, 2, starts) of gradient descent, clipped start by start."""
    path = [np.array([w, b])]
    for _ in range(updates):
        w, b = path[-1]
        _, dw, db = wall(w, b)
        step = np.zeros((2, len(w)))
        for n in range(len(w)):
            gradients = {"w": dw[n : n + 1], "b": db[n : n + 1]}
            clipped, _ = clip_by_global_norm(gradients, max_norm)
            step[:, n] = clipped["w"][0], clipped["b"][0]
        path.append(path[-1] - rate * step)
    return np.array(path)


starts = np.meshgrid(np.linspace(1.2, 2.4, 7), np.linspace(-0.1, 0.3, 5))
w0, b0 = (grid.ravel() for grid in starts)
paths = {"as it is": descend(w0, b0, np.inf), "clipped": descend(w0, b0, 1.0)}
ends = {name: wall(*path[-1])[0] for name, path in paths.items()}
solved = {name: int((loss < 0.01).sum()) for name, loss in ends.items()}
print(f"solved of 35: {solved['as it is']} as it is, {solved['clipped']} clipped")

# %% [markdown] slide="slide"
# ### The loss over $w$ and $b$, and two descents from one start
#
# Dashed: the wall. Both descents start at the star. Where do they part?

# %% slide="-" hide_input=true needs="clip_by_global_norm"
shown = int(np.argmin((w0 - 2.0) ** 2 + b0**2))  # the start at w = 2, b = 0
show(
    figures_03.wall(
        grid_w,
        grid_b,
        wall(grid_w, grid_b)[0],
        {name: path[:, :, shown] for name, path in paths.items()},
    ),
    alt="The loss over w and b as a map: a high plateau above, a wall along a falling "
    "line, a low region below. Both descents start at w = 2, b = 0, cross the "
    "wall and follow it to the left, to its blunt end. There one step of the "
    "unclipped descent throws it down to b below minus 2, where the loss is flat. "
    "The clipped one stays near and ends in the valley.",
)

# %%
reveal("03.12")

# %% [markdown] answer="03.12" sealed=true slide="subslide"
# ### What became of the 35
#
# Clipped, all are solved; as it is, a few are lost: six of them where we ran it.
#
# The thin part of the wall did neither descent any harm: it is too thin to be met.
# The unclipped one is thrown where the wall ends, near $w = 0.9$, $b = 0$, by a
# gradient more than nine times as long as the limit. It lands where $s_{50}$ is
# saturated at −1 and the loss hardly moves any more.

# %% hide_input=true needs="clip_by_global_norm"
for name, path in paths.items():
    steps = np.linalg.norm(np.diff(path[:, :, shown], axis=0), axis=1)
    at = path[int(steps.argmax()), :, shown]
    loss = ends[name][shown]
    assert name == "as it is" or steps.max() < 0.3 + 1e-9, (
        "a clipped step is too long: check(clip_by_global_norm) first"
    )
    print(f"{name}: longest step {steps.max():.2f}, from {at.round(2)}; loss {loss:.4f}")
thrown, kept = (ends[name][shown] for name in paths)
claim(
    "this start is lost as it is, and solved if clipped",
    thrown > 0.2 and kept < 0.01,
    f"losses {thrown:.2f} and {kept:.4f}",
)
claim(
    "clipped, all 35 starts are solved; as it is, some are not",
    solved["clipped"] == 35 and solved["as it is"] <= 33,
    f"{solved['clipped']} and {solved['as it is']}",
)

# %% [markdown] slide="slide"
# ## What clipping does, and what not
#
# - It **limits a step**: with step size $\eta$ no update is longer than $\eta\, m$.
# - It **keeps the direction** of that gradient, because all matrices share one factor.
# - It does **not** make the direction a good one: beside a wall the gradient points
#   straight across the wall, wherever the minimum lies.
# - It does **nothing against vanishing**: a short gradient is left as it is, and
#   inside a long one every position keeps the share it had.

# %% [markdown] slide="notes"
# Ask: "could we scale short gradients up instead?" One factor for all changes no
# shares: what far positions contribute stays as small a part as before. Part 5 shows
# how small.

# %% [markdown] sitting=3
# > **A place to stop.** You know how a product grows, and what clipping mends. What follows is
# > about what clipping does not mend. When you come back, run all cells above first.

# %% [markdown] slide="slide"
# ## Part 5 · What a vanished signal costs
#
# In one sequence position $t$ contributes $G_t$ to the gradient of $W^{s,s}$ (notebook 02).
# Let $\operatorname{vec}(G_t)$ be all its entries as one vector. Its length is at most
#
# $$\lVert \operatorname{vec}(G_t) \rVert \le \lVert \delta_t \rVert\, \lVert s_{t-1} \rVert
# \tag{3.18}$$
#
# because no slope is above 1. The gradient is the **sum** over positions (and sequences).
#
# A network of 32 units, $r = 0.9$, small inputs, $T = 100$. What do the first 50 positions
# bring, compared with the length of the whole gradient? (The table of part 2 says what
# such a network leaves of an error signal.)

# %% [markdown] slide="notes"
# The usual wrong answer: "the gradient has vanished, so nothing is learned". Ask: "is there
# a gradient to follow?" Yes: it is made by the nearest positions.

# %% guess="03.13"
guess(
    "03.13",
    first_fifty="less than a hundredth",
    choices=("about half", "about a tenth", "less than a hundredth", "no gradient is left at all"),
)

# %% [markdown]
# ### Given from notebook 02
#
# One step backward, as you found it there.


# %% given="step_backward"
def rnn_step_backward(ds, x_t, s_prev, s_t, W):
    """One step backward: the error signal ds (H, N) at s_t gives dx, ds_prev and dW."""
    da = (1 - s_t**2) * ds
    return W["sx"].T @ da, W["ss"].T @ da, {"ss": da @ s_prev.T, "sx": da @ x_t.T}


# %% hide_input=true
delta, s_before = rng.normal(size=(H, N)), states[1]  # at position 3, and the state before it
for n in range(N):
    arrays = (a[:, n : n + 1] for a in (delta, xs[2], s_before, states[2]))
    G = rnn_step_backward(*arrays, W)[2]["ss"]
    bound = np.linalg.norm(delta[:, n]) * np.linalg.norm(s_before[:, n])
    assert np.linalg.norm(G.ravel()) <= bound, "(3.18) does not hold"
print("(3.18) holds")


# %% hide_input=true
def contributions(radius, seed, T=100, H=32, D=8, N=16):
    """(T, H, H): what each position contributes to dW["ss"]."""
    rng = np.random.default_rng(seed)
    W = {
        "ss": radius * random_orthogonal(rng, H),
        "sx": 0.1 * rng.normal(size=(H, D)) / np.sqrt(D),
    }
    xs, before = rng.normal(size=(T, D, N)), 0.1 * rng.normal(size=(H, N))
    states = rnn_forward_batch(xs, before, W)
    delta, G = rng.normal(size=(H, N)), np.zeros((T, H, H))
    for k in range(T - 1, -1, -1):
        s_prev = states[k - 1] if k > 0 else before
        _, delta, dW = rnn_step_backward(delta, xs[k], s_prev, states[k], W)
        G[k] = dW["ss"]
    return G


cosine = lambda A, B: (A * B).sum() / np.sqrt((A**2).sum() * (B**2).sum())
found = {(r, seed): contributions(r, seed) for r in (0.5, 0.9, 1.2) for seed in seeds}
last_thirty, first_half = [], []
for seed in seeds:
    G = found[0.9, seed]
    total = G.sum(axis=0)
    last_thirty.append(float(cosine(G[-30:].sum(axis=0), total)))
    first_half.append(float(np.linalg.norm(G[:50].sum(axis=0)) / np.linalg.norm(total)))

# %% [markdown] slide="slide"
# ### Who makes the gradient?
#
# Length of each position's contribution, logarithmic; the band is the lowest and the
# highest of four networks.

# %% slide="-" hide_input=true
show(
    figures_03.drowned(
        {
            r: np.array([np.linalg.norm(found[r, seed], axis=(1, 2)) for seed in seeds])
            for r in (0.5, 0.9, 1.2)
        }
    ),
    alt="Length of each position's contribution to the recurrent gradient, "
    "logarithmic, against the position. For radius 0.5 and 0.9 it rises towards "
    "the last position by many powers of ten; for radius 1.2 it is level within "
    "about one power of ten.",
)

# %% hide_input=true
claim(
    "the last 30 positions alone give the direction, to a cosine above 0.99",
    min(last_thirty) > 0.99,
    f"{np.round(last_thirty, 4).tolist()} in four networks",
)
claim(
    "the first 50 together have less than a hundredth of the length",
    max(first_half) < 0.01,
    f"{np.round(first_half, 4).tolist()}",
)

# %%
reveal("03.13")

# %% [markdown] answer="03.13" sealed=true slide="subslide"
# ### The far ones drown
#
# Where error signals shrink the gradient does not vanish: it is made by the nearest
# positions, and the far ones **drown** in it. The last 30 of 100 positions alone give its
# direction, and the first 50 together have about a thousandth of its length.

# %% [markdown] slide="slide"
# ## A unit that must remember one bit
#
# Bengio, Simard and Frasconi (1994) asked for the simplest memory: **hold one bit**
# while inputs that mean nothing come in.
#
# One unit, $s_t = \tanh(w\, s_{t-1} + x_t)$. With $x_t = 0$ and $w > 1$ it has two
# stable states of rest $\pm s^*$, where $s^* = \tanh(w s^*)$ and $s^* > 0$. (It also
# rests at 0, but the smallest push drives it away.) The larger $w$, the nearer $s^*$ is to
# 1, and the harder a push must be to turn the bit over.
#
# What is the factor of one step, $ds_t / ds_{t-1}$, at rest? And for a firmer rest?

# %% guess="03.14"
guess(
    "03.14",
    at_rest="below 1",
    firmer="smaller",
    choices={"at_rest": ("below 1", "1", "above 1"), "firmer": ("smaller", "the same", "larger")},
)

# %% [markdown] answer="03.14" slide="slide"
# ### The factor at rest
#
# Let $a = w s^* > 0$ be the sum inside the tanh at rest: $s^* = \tanh a$, $w = a / \tanh a$.
# With $\sinh a = \tfrac12 (e^a - e^{-a})$ and $\cosh a = \tfrac12 (e^a + e^{-a})$ we have
# $\tanh a = \sinh a / \cosh a$ and $1 - \tanh^2 a = 1 / \cosh^2 a$. Weight times slope:
#
# $$\frac{ds_t}{ds_{t-1}} = \frac{a}{\tanh a}\,(1 - \tanh^2 a)
# = \frac{a}{\sinh a \cosh a} = \frac{2a}{\sinh 2a} < 1 \tag{3.19}$$
#
# because $2 \sinh a \cosh a = \sinh 2a$ (multiply it out), and $\sinh 2a > 2a$ for $a > 0$.
#
# **Wherever the unit rests on its bit, the factor is below one**, and the larger $a$, that is
# the firmer it rests, the smaller: firmness costs gradient.

# %% hide_input=true
a = np.linspace(0.1, 4, 40)
w, rest = a / np.tanh(a), np.tanh(a)
assert np.allclose(np.tanh(w * rest), rest) and np.all(w > 1), "not at rest, or w not above one"
factor = (np.tanh(w * (rest + 1e-6)) - np.tanh(w * (rest - 1e-6))) / 2e-6  # measured
same = np.allclose(factor, 2 * a / np.sinh(2 * a), atol=1e-8)
assert same and np.all(factor < 1), "(3.19) does not hold"
assert np.all(np.diff(factor) < 0), "a firmer rest has a larger factor"
print("(3.19), told with the answer to 03.14, holds")
{f"w = {w[k]:.2f}": f"factor {factor[k]:.2g}" for k in (2, 9, 19, 39)}

# %% [markdown] extra=true
# ### Extra: how hard a push the bit survives
#
# Push the unit at $+s^*$ with the same input $-u$ at every step. A resting state obeys
# $s = \tanh(w s - u)$, that is $u = w s - \operatorname{artanh} s$. For $s > 0$ the
# right side is at its largest where its derivative $w - 1/(1 - s^2)$ is zero. A push
# beyond it
# leaves no positive state to rest in, so the bit survives if and only if $u$ is at
# most
#
# $$u^*(w) = w s_c - \operatorname{artanh} s_c, \qquad s_c = \sqrt{1 - 1/w} \tag{3.20}$$
#
# $u^*(w)$ is zero at $w = 1$ and grows with $w$, while the factor at rest falls.


# %%
def margin(w):
    """The largest constant push that a resting bit survives, (3.20)."""
    s_c = np.sqrt(1 - 1 / w)
    return w * s_c - np.arctanh(s_c)


for w in (1.1, 1.5, 2.0, 4.0):
    for share, survives in ((0.98, True), (1.02, False)):
        s = np.tanh(2.0)
        for _ in range(5000):
            s = np.tanh(w * s - share * margin(w))
        assert (s > 0) == survives, "(3.20) does not hold"
print("(3.20) holds: 98 % of that push the bit survives, 102 % turn it over")

# %% [markdown] slide="slide"
# ### And with noise?
#
# Real pushes are not constant but random. So measure both: how many of 2,000 bits survive
# 100 noisy inputs (above), and how much of the error signal is left on the way back (below,
# in powers of ten). Is there a $w$ that keeps the bit **and** the gradient?


# %% hide_input=true
def hold(w, noise, T=100, runs=2000, seed=0):
    """Share of bits right at T, and each run's power of ten of the gradient ds_T/ds_0."""
    rng = np.random.default_rng(seed)
    bits = rng.choice([-1.0, 1.0], size=runs)
    W = {"ss": np.array([[w]]), "sx": np.array([[noise]])}
    s, power = bits[None] * np.tanh(2.0), np.zeros(runs)
    for _ in range(T):
        s_prev, x = s, rng.normal(size=(1, runs))
        s = rnn_step(x, s_prev, W)
        power += np.log10(rnn_step_backward(np.ones((1, runs)), x, s_prev, s, W)[1][0])
    return np.mean(np.sign(s[0]) == bits), power


weights = np.array([0.8, 0.9, 1.0, 1.05, 1.1, 1.2, 1.3, 1.5, 1.75, 2.0, 2.5])
noises = (0.1, 0.3)
held = {noise: [hold(w, noise) for w in weights] for noise in noises}

# %% slide="-" hide_input=true
show(
    figures_03.latch(weights, held),
    alt="Above: share of bits that survive 100 noisy steps against the weight w, from "
    "one half for small w to one for large w; more noise needs a larger w. Below: "
    "the median power of ten of the gradient through these steps, falling steeply "
    "where the bits survive.",
)

# %% hide_input=true
for noise in noises:
    safe = [power for kept, power in held[noise] if kept > 0.995]
    best = max(power.max() for power in safe)  # in the best of 2,000 runs
    claim(
        f"noise {noise}: where 99.5 % of the bits survive, less than 1e-10 is left in every run",
        best < -10,
        f"at most {readable(best)}",
    )
    share, power = held[noise][list(weights).index(1.0)]
    middle, of_safe = np.median(power), max(np.median(power) for power in safe)
    claim(
        "at w = 1 the bits are lost, and more of the gradient is left",
        share < 0.7 and middle > of_safe,
        f"{share:.2f} survive, in the median {readable(middle)} beside {readable(of_safe)}",
    )

# %% [markdown] slide="notes"
# Ask: "is there a w that keeps the bit and the gradient?" Not here: every w that keeps
# 99.5 % of the bits has lost more than ten powers of ten in its best run. The gradient
# is small at w = 1 too; holding makes it smaller by many powers of ten more.

# %% [markdown] slide="slide"
# ## Now let a network learn it
#
# 8 units; the first input is the bit, all others are noise of size 0.2; the loss looks at
# the end. Two starts: $W^{s,s} = r Q$ with $r = 0.9$ and with $r = 1.2$. 300 updates.
#
# - For $T = 100$: which start learns to hold the bit, in most networks?
# - In a network that **has** learned it: is $\lVert\delta_1\rVert / \lVert\delta_T\rVert$
#   larger or smaller than before it learned?

# %% [markdown] slide="notes"
# Usual for the second question: "larger, otherwise it could not have learned".

# %% guess="03.15"
guess(
    "03.15",
    learns="r = 1.2",
    ratio_afterwards="smaller",
    choices={
        "learns": ("none", "r = 0.9", "r = 1.2", "both"),
        "ratio_afterwards": ("larger", "the same", "smaller"),
    },
)

# %% [markdown]
# ### The network that learns to hold a bit
#
# Output $y = W^{y,s} s_T$, target the bit $\pm 1$, loss
# $\frac{1}{2N}\sum_n (y_n - \text{bit}_n)^2$. The gradient is backpropagation through time,
# clipped by your `clip_by_global_norm`; one check by finite differences before it is trusted.
#
# What holds one bit is called a **latch**. The next cell is folded: `latch_batch` draws bits and
# noise, `latch_gradient` goes back through time, and `test_latch` counts the bits that are
# right and measures the ratio of the error signals. Behind it, `learn_latch` trains one
# network. 22 of them take half a minute, on a busy machine longer.


# %% hide_input=true needs="clip_by_global_norm gradient_norms"
def latch_batch(rng, T, N):
    """Inputs (T, 1, N), the bit first and noise after it; the bits (1, N)."""
    xs = 0.2 * rng.normal(size=(T, 1, N))
    xs[0] = rng.choice([-1.0, 1.0], size=(1, N))
    return xs, xs[0].copy()


def latch_gradient(xs, bits, W, H=8):
    """Gradient of the loss by all weights, by backpropagation through time."""
    N = xs.shape[2]
    s0 = np.zeros((H, N))
    states = rnn_forward_batch(xs, s0, W)
    dy = (W["ys"] @ states[-1] - bits) / N
    dW = {key: np.zeros(array.shape) for key, array in W.items()}
    dW["ys"] = dy @ states[-1].T
    delta = W["ys"].T @ dy
    for k in reversed(range(len(xs))):
        s_prev = states[k - 1] if k > 0 else s0
        _, delta, step = rnn_step_backward(delta, xs[k], s_prev, states[k], W)
        dW["ss"] += step["ss"]
        dW["sx"] += step["sx"]
    return dW


def test_latch(rng, T, W, N=500, H=8):
    """Share of bits right at T, median power of ten of the ratio of the error signals."""
    xs, bits = latch_batch(rng, T, N)
    states = rnn_forward_batch(xs, np.zeros((H, N)), W)
    norms = gradient_norms(np.repeat(W["ys"].T, N, axis=1), states, W)
    right = np.mean(np.sign(W["ys"] @ states[-1]) == bits)
    return float(right), float(np.median(np.log10(norms[0] / norms[-1])))


rng_check = np.random.default_rng(1)
shapes = {"ss": (8, 8), "sx": (8, 1), "ys": (1, 8)}
W_check = {key: rng_check.normal(size=shape) for key, shape in shapes.items()}
xs_check, bits_check = latch_batch(rng_check, 5, 3)
direction = {key: rng_check.normal(size=array.shape) for key, array in W_check.items()}


def latch_loss(eps):
    moved = {key: W_check[key] + eps * direction[key] for key in W_check}
    last = rnn_forward_batch(xs_check, np.zeros((8, 3)), moved)[-1]
    return ((moved["ys"] @ last - bits_check) ** 2).sum() / (2 * 3)


dW = latch_gradient(xs_check, bits_check, W_check)
slope = sum((dW[key] * direction[key]).sum() for key in direction)
assert np.isclose(slope, (latch_loss(1e-6) - latch_loss(-1e-6)) / 2e-6, rtol=1e-6), (
    "the latch's gradient differs from the nudge"
)
print("the gradient of the model agrees with a nudge")


# %%
def learn_latch(radius, T, seed, updates=300, rate=0.1, N=32, H=8):
    """Train one network; share right at T, powers of ten before and after, weights."""
    rng = np.random.default_rng(seed)
    W = {"ss": radius * random_orthogonal(rng, H), "sx": 0.5 * rng.normal(size=(H, 1))}
    W["ys"] = 0.5 * rng.normal(size=(1, H))
    _, before = test_latch(rng, T, W)
    for _ in range(updates):
        dW = latch_gradient(*latch_batch(rng, T, N), W)
        clipped, _ = clip_by_global_norm(dW, 1.0)
        W = {key: W[key] - rate * clipped[key] for key in W}
    right, after = test_latch(rng, T, W)
    return right, before, after, W


# %% hide_input=true needs="clip_by_global_norm gradient_norms"
networks = {(0.9, 10): 4, (1.2, 10): 4, (0.9, 100): 4, (1.2, 100): 10}
learned = {start: [learn_latch(*start, seed) for seed in range(count)] for start, count in networks.items()}
right = {key: np.array([run[0] for run in runs]) for key, runs in learned.items()}
print(f"trained: {sum(networks.values())} networks")

# %% [markdown] slide="slide"
# ### Who learned to hold the bit, and what it did to the error signal
#
# Left: each mark is a network. Right: ten networks, the ratio before training and after it.

# %% slide="-" hide_input=true needs="clip_by_global_norm gradient_norms"
show(
    figures_03.learned_latch(learned),
    alt="Left: share of bits right after training. For T = 10 both starts reach one; for "
    "T = 100 radius 0.9 stays at one half and radius 1.2 reaches one, in nearly all networks. "
    "Right: power of ten of the ratio of the error signals for radius 1.2 and T = 100: "
    "near zero before training and lower after it, in most networks by 5 to 20, in a few "
    "by about one.",
)

# %% hide_input=true needs="clip_by_global_norm gradient_norms"
for r, T_k in networks:
    print(f"start r = {r}, T = {T_k}: right in", *(f"{share:.2f}" for share in right[r, T_k]))
learn = {start: int((shares > 0.95).sum()) for start, shares in right.items()}
claim(
    "for T = 10 all networks learn",
    learn[0.9, 10] == learn[1.2, 10] == 4,
    f"{learn[0.9, 10]} and {learn[1.2, 10]} of 4",
)
claim(
    "for T = 100 none learns from r = 0.9, and at least 7 of 10 from r = 1.2",
    right[0.9, 100].max() < 0.6 and learn[1.2, 100] >= 7,
    f"{learn[0.9, 100]} of 4 and {learn[1.2, 100]} of 10",
)
before, after_training = np.array([run[1:3] for run in learned[1.2, 100]]).T
lost = before - after_training
claim(
    "learning makes the ratio smaller in at least 7 of 10, in 4 by more than a hundred times",
    (lost > 0).sum() >= 7 and (lost > 2).sum() >= 4,
    f"{(lost > 0).sum()} and {(lost > 2).sum()} of 10, in the median {readable(np.median(lost))} times",
)
at_start = np.array([run[1] for run in learned[0.9, 100]])
claim(
    "before learning, r = 0.9 leaves 1e-9 to 1e-4 of the signal, and r = 1.2 more than 0.003",
    at_start.min() > -9 and at_start.max() < -4 and before.min() > -2.5,
    f"{readable(at_start.min())} to {readable(at_start.max())}, and at least {readable(before.min())}",
)

# %%
reveal("03.15")

# %% [markdown] answer="03.15" sealed=true slide="subslide"
# ### What became of it
#
# - $T = 10$: both starts learn. $T = 100$: $r = 0.9$ never gets further than guessing,
#   its signal had shrunk to about a millionth at the start; nearly all with $r = 1.2$ learn.
# - In nearly every network that has learned $T = 100$, the ratio is **smaller** than
#   before; in most of them by many powers of ten.
#
# So the paper of 1994 does not say that a bit cannot be learned. It says that **where a
# bit is held at rest, the gradient through the holding shrinks**. These networks
# learned while their gradient was still there. (One task, one size of noise: an
# indication, not a law.)

# %% [markdown] slide="notes"
# Ask: "what if the task changes after that and another early input matters?" Through
# the firm units no signal comes back that far. The usual overstatement: "RNNs cannot
# learn long dependencies". They can, where the start is lucky; gates make the luck
# unnecessary (04 to 06).

# %% [markdown] extra=true
# ### Extra: some networks lose hardly anything. Why?
#
# The factor at rest speaks of a state **at rest**. Do these networks rest? Let each run on
# after its bit without noise, for 3,000 steps, and see after how many steps its state comes
# back.


# %% hide_input=true needs="clip_by_global_norm gradient_norms"
def period(W, longest=40):
    """Steps after which a run without noise repeats (1: it rests); None if it does not."""
    xs = np.zeros((3000, 1, 1))
    xs[0] = 1.0
    states = rnn_forward_batch(xs, np.zeros((8, 1)), W)
    moved = [np.linalg.norm(states[-1] - states[-1 - p]) for p in range(1, longest + 1)]
    return next((p for p, d in enumerate(moved, start=1) if d < 1e-6), None)


periods = [period(run[3]) for run in learned[1.2, 100]]
test = lambda W, T: test_latch(np.random.default_rng(0), T, W)
one_later = [test(run[3], 101)[0] for run in learned[1.2, 100]]
twice_as_long = np.array([test(run[3], 200)[1] for run in learned[1.2, 100]])
for k, p in enumerate(periods):
    print(f"network {k}: period {p}, right at T = 101: {one_later[k]:.2f},", end=" ")
    print(f"ratio {readable(after_training[k])} at 100, {readable(twice_as_long[k])} at 200")

# %% hide_input=true needs="clip_by_global_norm gradient_norms"
repeats = np.array([p is not None for p in periods])
as_said = (after_training - twice_as_long > 2) == repeats
claim(
    "in at least 7 of 10 networks another hundred steps cost more than a factor of a hundred if "
    "the run repeats, and less if it does not",
    as_said.sum() >= 7,
    f"{as_said.sum()} of 10; {repeats.sum()} of 10 repeat, {periods.count(1)} of them rest",
)

# %% [markdown]
# A run of period 1 rests. Most go round a **cycle** of states, some with the sign of the
# bit turned at each step: right at $T = 100$, wrong at $T = 101$. Nobody asked for more.
# On a cycle that attracts, the eigenvalues of the product over one round are below one in
# size, so over many rounds it shrinks, as the powers of the factor do at rest.
#
# Now and then a run never repeats (period None): beside the bit, some of its units go on
# turning. Being ahead or behind in such a turn is neither forgotten nor amplified, so an
# error signal along it survives, for 200 steps as well as for 100. That makes it no better
# a memory of the bit: the ratio does not say **what** the surviving signal is about.
#
# **Which** seed ends how is not to be relied on. A training is a long product, too, and
# this one magnifies even the last digit of a number, which processors round differently.
# Of 24 seeds that we ran on three kinds of processor and with two versions of NumPy, half
# ended as another network on one of them. What can be relied on is the count: of 112
# trainings 108 learned, and the ratio became smaller in 110; 28 networks rest, 66 go round
# a cycle, 18 never repeat.

# %% [markdown] slide="slide"
# ## Part 6 · A cell that nobody showed you
#
# Every unit takes its time: it goes only a share of the way to what a tanh unit would
# become. Unit $i$ has a **pace** of its own, $\alpha_i$ between 0 and 1:
#
# $$s_t = (1 - \alpha) \odot s_{t-1} +
# \alpha \odot \tanh(W^{s,s} s_{t-1} + W^{s,x} x_t) \tag{3.21}$$
#
# It is called a **leaky** unit. The paces are constants, given with the weights.
#
# One unit on paper: $\alpha = 0.25$, $w = 2$, $s_{t-1} = 0.8$, and the tanh puts out 0.6.
# How fast does $s_t$ move with $s_{t-1}$?

# %% [markdown] slide="notes"
# Do not derive it here: it is the transfer exercise. Ask: "in how many places does the old
# state stand?" In two. The usual wrong answer takes the slope at the new state.

# %% guess="03.16"
guess("03.16", speed=1.07)

# %% [markdown] answer="03.16"
# Two ways lead from the old state to the new one, and what they bring is added: 0.75 by the
# first, 0.32 by the second. If you found 0.97 or 0.93, you took the slope of the tanh at a number
# that the tanh did not put out.

# %% [markdown]
# ### Exercise: the Jacobian of a leaky cell
#
# Its forward step is given. Its Jacobian stands nowhere above, or in any notebook. You
# get what went into the step, for one sequence.
#
# The judge is the same: `finite_jacobian(lambda s: leaky_step(x_t, s, alpha, W), s_prev)`. It
# is there to compare with, in a cell of your own. As an answer it does not pass: it is right
# to some ten digits only. Stages: `"no weights"` and `"full pace"`.


# %% given="leaky_step"
def leaky_step(x_t, s_prev, alpha, W):
    """One step of the leaky cell (3.21): s_t (H, N); alpha (H, 1) holds the paces."""
    return (1 - alpha) * s_prev + alpha * np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)


# %% exercise="leaky_jacobian" points=4
def leaky_jacobian(x_t: np.ndarray, s_prev: np.ndarray, alpha: np.ndarray, W: dict) -> np.ndarray:
    """How the new state of a leaky cell moves with the state before, for one sequence.

    Args:
        x_t: (D, 1) input of the step, as a column.
        s_prev: (H, 1) state before the step, as a column.
        alpha: (H, 1) pace of each unit, above 0 and at most 1.
        W: "ss" (H, H) recurrent weights and "sx" (H, D) input weights.

    Returns:
        jacobian: (H, H), row i and column j: how new unit i moves with old unit j.
    """
    ### BEGIN SOLUTION
    candidate = np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)
    through_tanh = alpha * (1 - candidate**2) * W["ss"]  # (3.22)
    return np.diag(1 - alpha[:, 0]) + through_tanh  # (3.22)
    ### END SOLUTION


# %% check="leaky_jacobian"
check(leaky_jacobian)

# %% [markdown] found="leaky_jacobian" slide="slide"
# ### What you found: two ways, added
#
# The old state stands in two places. What stays moves with it at speed $1 - \alpha$, each unit
# for itself. This way has no matrix and no tanh.

# %% [markdown] found="leaky_jacobian" slide="fragment"
# The rest is the Jacobian of a simple RNN, row by row times the pace. With $c_t$
# for what the tanh puts out:
#
# $$J_t = \operatorname{diag}(1 - \alpha) + \operatorname{diag}\big(\alpha \odot
# (1 - c_t \odot c_t)\big)\, W^{s,s} \tag{3.22}$$

# %% found="leaky_jacobian"
own = np.random.default_rng(7)
x, s, pace = own.normal(size=(D, 1)), np.tanh(own.normal(size=(H, 1))), own.uniform(0.1, 0.9, size=(H, 1))
c = np.tanh(W["ss"] @ s + W["sx"] @ x)
by_formula = np.diag((1 - pace)[:, 0]) + np.diag((pace * (1 - c**2))[:, 0]) @ W["ss"]  # (3.22)
nudged = finite_jacobian(lambda s: leaky_step(x, s, pace, W), s)
assert np.allclose(by_formula, nudged, atol=1e-8), "(3.22) does not hold"
"(3.22) holds"

# %% [markdown] slide="slide"
# ### A hundred steps of it
#
# The network of part 2 once more, $r = 0.5$, small inputs, $T = 100$: the tanh RNN
# left $5 \cdot 10^{-31}$ of the error signal. Now every unit is leaky, with $\alpha = 0.02$.
#
# About how much is left?

# %% guess="03.17"
guess("03.17", left="a fifth", choices=("1e-30", "1e-10", "a thousandth", "a fifth", "all of it"))


# %% hide_input=true needs="leaky_jacobian"
def leaky_ratio(pace, seed, radius=0.5, T=100, H=32, D=8):
    """Length of the error signal at position 1 over its length at position T, with your Jacobian."""
    rng = np.random.default_rng(seed)
    W = {"ss": radius * random_orthogonal(rng, H), "sx": 0.1 * rng.normal(size=(H, D)) / np.sqrt(D)}
    s_t, alpha, jacobians = 0.1 * rng.normal(size=(H, 1)), np.full((H, 1), pace), []
    for x_t in rng.normal(size=(T, D, 1)):
        jacobians.append(leaky_jacobian(x_t, s_t, alpha, W))
        s_t = leaky_step(x_t, s_t, alpha, W)
    delta = start = rng.normal(size=(H, 1))
    for J_t in reversed(jacobians[1:]):
        delta = J_t.T @ delta
    return np.linalg.norm(delta) / np.linalg.norm(start)


paces = (1.0, 0.5, 0.1, 0.02)
left = {pace: np.array([leaky_ratio(pace, seed) for seed in range(8)]) for pace in paces}
for pace, ratios in left.items():
    least, most = (readable(np.log10(ratio)) for ratio in (ratios.min(), ratios.max()))
    print(f"pace {pace}: {least} to {most} of the error signal is left, in 8 networks")
claim(
    "a pace of 0.02 leaves 0.1 to 0.4 of the error signal, full pace less than 1e-28",
    left[0.02].min() > 0.1 and left[0.02].max() < 0.4 and left[1.0].max() < 1e-28,
    f"{left[0.02].min():.2f} to {left[0.02].max():.2f}, and {left[1.0].max():.0e}",
)

# %%
reveal("03.17")

# %% [markdown] answer="03.17" sealed=true slide="subslide"
# ### The price of patience
#
# A fifth, where the tanh RNN left nothing: $0.98^{99}$ is 0.14, and the second way adds to it.
# The price: a pace is the same at every step. Such a unit is slow to forget **and** slow to
# write: in one step nothing can move it by more than 0.04. What if a unit could choose its
# pace, at every step anew? That is notebook 04.

# %% [markdown] written="orthogonal_for_ever" points=3
# ### Written question
#
# A colleague wants to be rid of the problem: after every update $W^{s,s}$ is replaced by the
# nearest orthogonal matrix (as $Q$ in part 2), so that all of its singular values are 1 all
# through the training of a tanh RNN.
#
# Which of the two problems of this notebook can no longer occur, and which one can? And would
# such a network hold a bit safely for ever, against small noise? Give your reasons, in three
# to five sentences.
#
# === BEGIN MARK SCHEME ===
# 1 point: exploding can no longer occur: by (3.10) with a largest singular value of 1 no error
# signal becomes longer. Half a point without a reason.
#
# 1 point: vanishing still can: the slopes are below 1 as soon as states are not 0 (larger
# inputs, saturated units), and a hundred of them are multiplied. The measurement for r = 1 is a
# reason as well.
#
# 1 point: no. Two states under the same inputs are never driven apart (the map stretches no
# difference), so the two values of the bit come nearer to each other, and noise mixes them in the
# end; or by one unit: w = 1 at most, and two stable states of rest need w > 1. "It vanishes, so
# it cannot learn to" without the states is half a point: the question is about holding.
# === END MARK SCHEME ===

# %% [markdown] slide="slide"
# ## Recap
#
# - What ties two distant states together is a **product**, one matrix for each step.
# - $\sigma_1(W) < 1$: it vanishes. $\sigma_1(W) > 1$: necessary for explosion, not
#   sufficient.
# - Eigenvalues rule the far end of a **fixed** matrix's powers; some grow first, (3.13).
# - Where error signals shrink, the gradient of the shared weights does not vanish:
#   its far contributions **drown** in it.
# - A bit held firmly at rest is a factor below one: memory costs gradient.
# - Beside a **wall** the gradient is long: clip it by the global norm, with one factor for all.
# - A **leaky** unit has a second way back, without a tanh; its price is a fixed pace.

# %% [markdown] slide="notes"
# Exit question: "what would the Jacobian of a unit have to be, to carry a signal
# through a hundred steps unchanged?" The identity. Notebook 04 builds a step that
# comes near it.

# %% [markdown] slide="slide"
# ## Papers
#
# - S. Hochreiter (1991). *Untersuchungen zu dynamischen neuronalen Netzen.* Diploma
#   thesis, TU München. The first analysis of the vanishing error signal (in German).
# - Y. Bengio, P. Simard, P. Frasconi (1994). *Learning long-term dependencies with
#   gradient descent is difficult.* IEEE Transactions on Neural Networks 5(2). The
#   latch.
# - R. Pascanu, T. Mikolov, Y. Bengio (2013). *On the difficulty of training recurrent
#   neural networks.* ICML. The bound by singular values, the wall, clipping by norm.
#
# **Next**: notebook 04, a gate that decides, unit by unit, what to keep.

# %% [markdown] slide="notes"
# Pascanu et al. is the one to read after this lecture; its section on the geometry has
# the wall.
