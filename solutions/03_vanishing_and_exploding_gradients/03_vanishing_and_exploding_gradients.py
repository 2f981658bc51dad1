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
# - write the Jacobian of a step, and the product of Jacobians that ties two distant
#   states;
# - say what singular values promise about that product, and what eigenvalues do not;
# - measure how a network's error signals shrink or grow with distance;
# - explain why a unit that holds a bit safely passes little gradient through time;
# - clip gradients by their global norm, and say what this mends and what it does not.
#
# **Time**: 60 to 75 minutes, four exercises and one written question.
# Stuck? `hint(step_jacobian)` gives a hint for that exercise; call it again for the
# next. There are three for each exercise, and they cost nothing.

# %% [markdown] slide="notes"
# 50 to 60 minutes as a lecture. If time is short, leave out "And with slopes?";
# never the predictions about networks.

# %%
from autograder import check, hint
from rnncourse import claim, explorer, figures_03, show

# %% given="imports"
import numpy as np

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
# $\lVert v \rVert$ is the Euclidean length of a **vector**: the root of the sum of its
# squared entries. We write it for vectors only. What a matrix does to lengths gets a
# symbol of its own in part 2, and the length of a whole set of gradients another in
# part 4.

# %% [markdown]
# ### Given from notebooks 01 and 02
#
# You wrote these. They are given here, so that a slip of then costs nothing now.


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


def rnn_step_backward(ds, x_t, s_prev, s_t, W):
    """One step backward: the error signal ds (H, N) at s_t gives dx, ds_prev and dW."""
    da = (1 - s_t**2) * ds
    return W["sx"].T @ da, W["ss"].T @ da, {"ss": da @ s_prev.T, "sx": da @ x_t.T}


# %% [markdown]
# A small network to try every formula on. `one` picks the first sequence, as a column.

# %%
rng = np.random.default_rng(3)
T, D, H, N = 5, 2, 3, 4
W = {"ss": rng.normal(size=(H, H)), "sx": 0.7 * rng.normal(size=(H, D))}
xs, s0 = rng.normal(size=(T, D, N)), np.tanh(rng.normal(size=(H, N)))
states = rnn_forward_batch(xs, s0, W)
one = slice(0, 1)
{"states": states.shape, "first sequence": states[:, :, one].shape}

# %% [markdown] slide="slide"
# ### Before you go on: prediction 1
#
# One unit, $s_t = \tanh(w\, s_{t-1} + x_t)$, with $w = 2$.
# In a run of three steps its states were $s_1 = 0.8$, $s_2 = 0.6$, $s_3 = -0.8$.
#
# An error signal of 1 arrives at $s_3$.
# **Is it larger or smaller than 1 when it comes to $s_0$?**

# %% [markdown] slide="notes"
# Vote. The usual answer: "larger, 2 to the third is 8". Keep the numbers on the board.

# %% [markdown] slide="slide"
# ## Part 1 · One step, and many
#
# The pre-activation of the unit moves by $w$ when the old state moves by 1,
# and the tanh passes on $1 - s_t^2$ of it:
#
# $$\frac{ds_t}{ds_{t-1}} = w\,(1 - s_t^2) \tag{3.3}$$
#
# Two factors: a **weight**, the same at every step, and a **slope**, which depends on
# the state of that step and is never above 1.

# %% slide="fragment"
w, x_t, s_prev, eps = 2.0, -0.3, 0.4, 1e-6
unit = lambda s: np.tanh(w * s + x_t)
measured = (unit(s_prev + eps) - unit(s_prev - eps)) / (2 * eps)
assert np.isclose(measured, w * (1 - unit(s_prev) ** 2)), "(3.3) does not hold"

# %% [markdown] slide="slide"
# ## With pen and paper
#
# Fill in the empty cells before you run the next cell. $w = 2$; the signal at $s_3$
# is 1.
#
# | | $t = 1$ | $t = 2$ | $t = 3$ | product |
# |---|---|---|---|---|
# | run A: $s_t$ | 0.8 | 0.6 | −0.8 | |
# | run A: $w(1 - s_t^2)$ | | | | |
# | run B: $s_t$ | 0 | 0.6 | 0.5 | |
# | run B: $w(1 - s_t^2)$ | | | | |

# %% [markdown] slide="notes"
# Two minutes. The usual slip is 1 - s instead of 1 - s squared.

# %% slide="subslide"
factors = lambda s: 2 * (1 - np.array(s) ** 2)
run_a, run_b = factors([0.8, 0.6, -0.8]), factors([0.0, 0.6, 0.5])
assert np.isclose(run_a.prod(), 0.663552) and np.isclose(run_b.prod(), 3.84), (
    "not the products of the factors"
)
{"run A": run_a.round(2).tolist(), "run B": run_b.round(2).tolist(),
 "products": [float(run.prod().round(3)) for run in (run_a, run_b)]}  # fmt: skip

# %% [markdown] slide="fragment"
# Prediction 1: **smaller**, about 0.66. The same weight made it 3.84 in run B.
# The weight alone decides neither; the states have their say at every step.

# %% [markdown] slide="slide"
# ## The Jacobian of a step
#
# With $H$ units, every new unit moves with every old one. Row $i$, column $j$ of the
# **Jacobian** $J_t$ says how new unit $i$ moves with old unit $j$:
#
# $$J_t = \frac{\partial s_t}{\partial s_{t-1}}
# = \operatorname{diag}(1 - s_t \odot s_t)\, W^{s,s} \tag{3.4}$$
#
# where $\odot$ multiplies entry by entry, and $\operatorname{diag}(v)$ has $v$ on its
# diagonal and zeros elsewhere.
#
# The slope is that of the **new** unit, so it scales a **row** of $W^{s,s}$.

# %% [markdown] slide="notes"
# Ask: "does the slope scale rows or columns?" Usual wrong answer: columns, because one
# thinks of the old state. No shape complains: W is square.

# %% [markdown]
# A Jacobian belongs to **one sequence**: another sequence has other states and so
# another matrix. That is why the exercise takes one state as a column, (H, 1), and not
# a batch.


# %%
def finite_jacobian(f, s, eps=1e-6):
    """Jacobian (H, H) of f at the column s (H, 1): nudge one unit at a time."""
    nudges = eps * np.eye(len(s))[:, :, None]
    return np.hstack([(f(s + e) - f(s - e)) / (2 * eps) for e in nudges])


s_1, x_1, s_0 = states[0][:, one], xs[0][:, one], s0[:, one]
J_1 = np.diag(1 - s_1[:, 0] ** 2) @ W["ss"]  # (3.4)
assert np.allclose(J_1, finite_jacobian(lambda s: rnn_step(x_1, s, W), s_0), atol=1e-8), "(3.4) does not hold"

# %% [markdown]
# ### Exercise: the Jacobian of a step
#
# Write (3.4). It needs neither the input nor the state before: both are in $s_t$
# already.


# %% exercise="step_jacobian" points=2
def step_jacobian(s_t: np.ndarray, W: dict) -> np.ndarray:
    """How the new state of one sequence moves with the state before, equation (3.4).

    Args:
        s_t: (H, 1) state after the step, of one sequence, as a column.
        W: "ss" (H, H) recurrent weights and "sx" (H, D) input weights.

    Returns:
        jacobian: (H, H), row i and column j: how new unit i moves with old unit j.
    """
    ### BEGIN SOLUTION
    slope = 1 - s_t**2
    return slope * W["ss"]
    ### END SOLUTION


# %% check="step_jacobian"
check(step_jacobian)

# %% [markdown] slide="slide"
# ## Many steps: a product
#
# Nudge $s_0$ a little, and let the network run to $s_T$ with the same inputs. The nudge
# passes $J_1$ first, then $J_2$, …:
#
# $$\frac{d s_T}{d s_0} = J_T\, J_{T-1} \cdots J_2\, J_1 \tag{3.5}$$
#
# Backward, each step multiplies by the transpose (notebook 02):
#
# $$\delta_{t-1} = J_t^{\top} \delta_t, \qquad
# \delta_0 = J_1^{\top} J_2^{\top} \cdots J_T^{\top}\, \delta_T \tag{3.6}$$
#
# The same product decides how far a nudge travels forward and a gradient backward.

# %% [markdown] slide="notes"
# Ask: "which factor stands at the right end of (3.5)?" The first step's. The usual
# wrong answer is J_T, as one reads from left to right.


# %% slide="fragment"
def last_state(s):
    return rnn_forward_batch(xs[:, :, one], s, W)[-1]


J = [np.diag(1 - s_t[:, 0] ** 2) @ W["ss"] for s_t in states]  # of the first sequence
ds_T_ds_0 = J[4] @ J[3] @ J[2] @ J[1] @ J[0]  # (3.5), T = 5
nudged = finite_jacobian(last_state, s0[:, one])
assert np.allclose(ds_T_ds_0, nudged, atol=1e-8), "(3.5) does not hold"

# %%
delta_T = rng.normal(size=(H, 1))  # some error signal at the last state
delta = delta_T
for J_t in reversed(J):
    delta = J_t.T @ delta  # (3.6)
loss = lambda s: delta_T.T @ last_state(s)  # a loss with this error signal at s_T
assert np.allclose(delta.T, finite_jacobian(loss, s0[:, one]), atol=1e-8), "(3.6) does not hold"

# %% [markdown]
# ### Exercise: the product of Jacobians
#
# Write (3.5) for one sequence, with your `step_jacobian`.
# Mind the order: matrices do not commute.


# %% exercise="jacobian_product" points=3
def jacobian_product(states: np.ndarray, W: dict) -> np.ndarray:
    """How the last state of one sequence moves with its initial state, equation (3.5).

    Args:
        states: (T, H, 1) states s_1, ..., s_T of one sequence, each as a column.
        W: "ss" (H, H) recurrent weights and "sx" (H, D) input weights.

    Returns:
        product: (H, H), row i and column j: how unit i of s_T moves with unit j of s_0.
    """
    ### BEGIN SOLUTION
    product = np.eye(len(W["ss"]))
    for s_t in states:
        product = step_jacobian(s_t, W) @ product
    return product
    ### END SOLUTION


# %% check="jacobian_product"
check(jacobian_product)

# %% [markdown]
# ### Exercise: the length of the error signal at every position
#
# For a batch nobody builds Jacobians: (3.6) needs only $J_t^{\top}$ times a vector,
# which is the backward step of notebook 02 without its weights:
#
# $$\delta_{t-1} = (W^{s,s})^{\top} \big((1 - s_t \odot s_t) \odot \delta_t\big) \tag{3.7}$$
#
# Walk back with (3.7) and note $\lVert \delta_t \rVert$ for every position and
# sequence.

# %%
deltas = {T: rng.normal(size=(H, N))}
for t in reversed(range(1, T)):
    step = rnn_step_backward(deltas[t + 1], xs[t], states[t - 1], states[t], W)
    deltas[t] = step[1]  # (3.7)
run_on = lambda s: rnn_forward_batch(xs[2:, :, one], s, W)[-1]  # from s_2 to s_T
numeric = finite_jacobian(lambda s: deltas[T][:, one].T @ run_on(s), states[1][:, one])
assert np.allclose(deltas[2][:, one], numeric.T, atol=1e-8), "(3.7) does not hold"


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

# %% [markdown] slide="slide"
# ## Part 2 · How long can a product make a vector?
#
# ### Prediction 2
#
# Take $W^{s,s} = r\, Q$, with $Q$ a random rotation or reflection: it stretches
# **every** vector by exactly $r$. $H = 32$ units, $T = 100$ positions, small random
# inputs.
#
# $\lVert \delta_1 \rVert / \lVert \delta_{100} \rVert$ is the ratio of the error
# signals. Before you run any further, **write down its power of ten** for $r = 0.5$,
# $r = 1$ and $r = 1.5$.

# %% [markdown] slide="notes"
# Collect three numbers from three people. 0.5^99 is 1.6e-30, 1.5^99 is 2.7e17: the
# usual answers are these and 1. The first is about right.

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

# %% [markdown] slide="slide"
# ## A bound for every step, and for all of them
#
# Let $\gamma_t = \max_i (1 - s_{t,i}^2)$ be the largest slope at step $t$ of one
# sequence, $s_{t,i}$ being entry $i$ of $s_t$. From (3.7)
#
# $$\lVert \delta_{t-1} \rVert \le \gamma_t\, \sigma_1(W^{s,s})\, \lVert \delta_t \rVert
# \tag{3.9}$$
#
# and, because no slope is above 1,
#
# $$\lVert \delta_0 \rVert \le \sigma_1(W^{s,s})^{T}\, \lVert \delta_T \rVert \tag{3.10}$$

# %% slide="fragment"
sigma = largest_singular_value(W["ss"])
norm_of = lambda t: np.linalg.norm(deltas[t], axis=0)  # one length per sequence
gamma = (1 - states**2).max(axis=1)  # (T, N): largest slope, step by step
for t in range(2, T + 1):
    assert np.all(norm_of(t - 1) <= gamma[t - 1] * sigma * norm_of(t)), "(3.9) is broken"
# From T to 1:
assert np.all(norm_of(1) <= sigma ** (T - 1) * norm_of(T)), "(3.10) does not hold"

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
{"fading": {k: float(f"{after(fading, k):.2g}") for k in (1, 2, 5, 10, 60)}}

# %% [markdown]
# These two have no tanh, and yet they do not explode. There is a second reason, the
# slopes. The measurement of prediction 2, which comes next, shows it alone: in
# $W^{s,s} = r\,Q$ every singular value is the same number, $r$.


# %%
def random_orthogonal(rng, H):
    """A random matrix (H, H) that keeps the length of every vector."""
    Q, R = np.linalg.qr(rng.normal(size=(H, H)))
    return Q * np.sign(np.diag(R))


Q = random_orthogonal(np.random.default_rng(0), 6)
assert np.allclose(np.linalg.svd(1.5 * Q, compute_uv=False), 1.5), "its singular values are not all 1.5"


# %% needs="gradient_norms"
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


radii, lengths, seeds = (0.5, 0.9, 1.0, 1.2, 1.5, 2.0), (10, 20, 50, 100, 200), range(4)
powers = {}  # (input size, radius): powers of ten, one row per T, one column per seed
for size in (0.1, 1.0):
    for r in radii:
        powers[size, r] = np.zeros((len(lengths), len(seeds)))
        for k, T_k in enumerate(lengths):
            for seed in seeds:
                ratios = gradient_ratios(r, T_k, size, seed)
                assert np.all(ratios <= r ** (T_k - 1)), "(3.10) does not hold"  # every single sequence
                powers[size, r][k, seed] = np.log10(ratios).mean()

# %% slide="slide" hide_input=true needs="gradient_norms"
show(
    figures_03.ratio_against_length(powers, lengths),
    alt="Power of ten of the gradient ratio against T. With small inputs radius 0.5 "
    "and 0.9 fall nearly on straight lines, 1.2 stays near zero, 1.5 and 2 rise far "
    "below their bounds. With large inputs all radii up to 1.5 fall, and only 2 "
    "rises a little.",
)

# %% [markdown] slide="notes"
# Solid: means over 4 networks with 16 sequences each; the band is the lowest and the
# highest network; dotted: r to the power T - 1. Let the room compare with the three
# numbers on the board before the next slide.

# %% slide="slide" hide_input=true needs="gradient_norms"
table = {r: powers[0.1, r].mean(axis=1) for r in radii}
print("ratio, small inputs", *(f"T = {T}".rjust(9) for T in lengths))
for r in radii:
    print(f"r = {r}".ljust(19), *(f"1e{power:+.1f}".rjust(9) for power in table[r]))

# %% [markdown] slide="fragment"
# Prediction 2, with small inputs and $T = 100$: about $10^{-30}$ for $r = 0.5$.
# For $r = 1$ nothing is stretched and nothing should be lost, yet the slopes,
# each only a little below 1, cost more than two powers of ten.
# For $r = 1.5$ the ratio is some hundreds, not $1.5^{99} \approx 10^{17}$.

# %% needs="gradient_norms"
at_100 = {key: rows[lengths.index(100)] for key, rows in powers.items()}
half, one_, more, loud = (at_100[k] for k in ((0.1, 0.5), (0.1, 1.0), (0.1, 1.5), (1.0, 1.5)))
spread = lambda powers: f"1e{powers.min():+.1f} to 1e{powers.max():+.1f} in {len(powers)} networks"
claim("r = 0.5 leaves less than 1e-29", half.max() < -29, spread(half))
claim("r = 1 leaves less than a hundredth", one_.max() < -2, spread(one_))
claim("r = 1.5 makes 30 to 10,000 of it", more.min() > 1.5 and more.max() < 4, spread(more))
growth = " ".join(f"1e{power:+.1f}" for power in table[1.5])
claim("it goes on growing with T", np.all(np.diff(table[1.5]) > 0), growth)
claim("with larger inputs it leaves less than 1e-4", loud.max() < -4, spread(loud))

# %% [markdown] slide="slide"
# ## What the measurement says
#
# - **The bound is nearly reached** for $r = 0.5$ and small inputs: states near 0, slopes
#   near 1.
# - **Growth is slower than $r^{T-1}$.** Larger weights make larger states, and larger
#   states have smaller slopes: the explosion brakes itself. With $r = 1.2$ and small
#   inputs it stops: the ratio stays at about 2 from $T = 10$ to $T = 200$. With $r =
#   1.5$ it goes on, more slowly: the ratio still grows at $T = 200$.
# - **The inputs decide too.** With larger inputs the same matrices, $r = 1.5$, make the
#   signal vanish. Every singular value is above one, and it vanishes.
#
# There is no radius that is right for all inputs.

# %% [markdown] slide="notes"
# Ask: "so which r would you choose?" The usual answer is 1. Look at the curve: it
# vanishes; with small inputs 1.2 is flat, with larger ones not.

# %% [markdown] slide="slide"
# ## Part 3 · Eigenvalues and singular values
#
# ### Prediction 3
#
# No tanh now, no inputs: $s_t = W s_{t-1}$, so that $s_k = W^k s_0$, with
#
# $$W = \begin{pmatrix} 0.85 & 2 \\ 0 & 0.85 \end{pmatrix}$$
#
# Both eigenvalues are 0.85. **Can $\lVert W^k s_0 \rVert$ ever be larger than
# $\lVert s_0 \rVert$?** If so, for which $k$ is it at its largest?

# %% [markdown] slide="notes"
# Vote on yes and no. Usual: "no, the eigenvalues are below one, it contracts".

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
# Eigenvalues speak about the far end. They say nothing about the first steps.

# %%
spectral_radius = lambda A: np.abs(np.linalg.eigvals(A)).max()
A = np.random.default_rng(5).normal(size=(5, 5)) / 2
rho, sigma = spectral_radius(A), largest_singular_value(A)
for k in (1, 3, 10):
    slack = 1 + 1e-9  # for rounding
    assert rho**k <= slack * after(A, k) and after(A, k) <= slack * sigma**k, "(3.11) does not hold"
per_step = {k: after(A, k) ** (1 / k) / rho for k in (1, 10, 100, 1000)}
assert abs(per_step[1000] - 1) < 0.01, "(3.12) does not hold"
{k: float(round(value, 3)) for k, value in per_step.items()}

# %% [markdown] slide="slide"
# ## The powers of the example
#
# Multiply once by hand, and the pattern shows:
#
# $$W^2 = \begin{pmatrix} 0.85^2 & 2 \cdot 2 \cdot 0.85 \\ 0 & 0.85^2 \end{pmatrix}, \qquad
# W^k = \begin{pmatrix} 0.85^k & 2k \cdot 0.85^{k-1} \\ 0 & 0.85^k \end{pmatrix} \tag{3.13}$$
#
# The corner has a factor $k$ that grows and a factor $0.85^{k-1}$ that shrinks.
# The first wins at first, the second in the end.

# %% slide="subslide"
example = np.array([[0.85, 2.0], [0.0, 0.85]])
power = lambda k: np.array([[0.85**k, 2 * k * 0.85 ** (k - 1)], [0, 0.85**k]])
for k in range(1, 60):
    assert np.allclose(np.linalg.matrix_power(example, k), power(k)), "(3.13) does not hold"
stretch = {k: after(example, k) for k in range(1, 61)}
largest = max(stretch, key=stretch.get)
assert largest == 6 and stretch[6] > 5 and stretch[60] < 0.02, "it is largest elsewhere"
{k: float(round(stretch[k], 2)) for k in (1, 2, 5, 6, 7, 20, 40, 60)}

# %% [markdown] slide="fragment"
# Prediction 3: **yes**. The best $s_0$ is made more than five times as long by $k = 6$;
# only then does it shrink. The eigenvalues alone had promised $0.85^6 = 0.38$.

# %% slide="slide" hide_input=true
turn = 0.85 * np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
show(
    figures_03.powers(
        np.array([after(example, k) for k in range(61)]),
        np.array([after(turn, k) for k in range(61)]),
        rho=0.85,
        sigma=largest_singular_value(example),
    ),
    alt="Largest stretch of W to the power k on a logarithmic axis. A rotation times "
    "0.85 falls along 0.85 to the k. The non-normal example rises above 5 at k = "
    "6 and then falls; it ends above the rotation. The bound, its largest "
    "singular value to the k, leaves the picture.",
)

# %% [markdown] slide="notes"
# Ask: "where do the two curves become parallel?" They come closer to parallel without
# end: the corner keeps its factor k, so on a logarithmic axis the upper one is never
# quite straight.

# %% [markdown] slide="slide"
# ## Normal and non-normal
#
# A matrix is **normal** if $W W^{\top} = W^{\top} W$: symmetric matrices, rotations and
# their multiples are. Then its eigenvectors (complex ones for a rotation) can be
# chosen at right angles, and
#
# $$\sigma_1(W^k) = \rho(W)^k \quad \text{for every } k, \text{ if } W \text{ is normal}
# \tag{3.14}$$
#
# For the powers of a normal matrix the sizes of the eigenvalues tell the whole story;
# for another they may not.
# A matrix that training has
# made is hardly ever normal: then look at the singular values of the **product**.

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

# %% [markdown] slide="slide"
# ## And with slopes?
#
# With a tanh, the factors are $\operatorname{diag}(1 - s_t \odot s_t)\, W$, not $W$.
# Slopes only shrink rows, so surely they can only help to vanish?
# Both eigenvalues of the $W$ below are 0, and $W^2 = 0$. One unit with a smaller
# slope breaks the balance, and the product **grows without end**.

# %% slide="fragment"
balanced = np.array([[2.0, 2.0], [-2.0, -2.0]])
slopes = np.array([[1.0], [0.2]])  # unit 1 at s = 0, unit 2 at s = 0.894
assert np.all(balanced @ balanced == 0), "its square is not 0"
assert np.isclose(spectral_radius(slopes * balanced), 1.6), "its spectral radius is not 1.6"
assert after(slopes * balanced, 50) > 1e9, "the product does not grow"
assert largest_singular_value(balanced) > 1, "the bound (3.10) is broken"

# %% [markdown]
# Can a network be in that state? Yes: if the input reaches each unit by a weight of
# its own, a constant input that holds $s = (0, 0.894)$ exists for any $W$, as $\tanh$
# reaches every value between −1 and 1. Whether the
# network stays there is another matter: with a factor of 1.6 a small disturbance
# grows.

# %% [markdown]
# ### Try it: a product of equal Jacobians
#
# Two units, the Jacobian
# $J = \gamma \begin{pmatrix} \rho & b \\ 0 & \rho \end{pmatrix}$ at every step:
# $\gamma$ the slope (the same for both units), $\rho$ the spectral radius of $W$, $b$
# how far it is from normal.
#
# Find settings where the product **grows first and vanishes then**.
# Then set $b = 0$: which curves fall together?

# %% slide="slide" hide_input=true
explorer(
    "jacobians",
    {"rho": 0.85, "b": 2.0, "gamma": 1.0, "k": 6, "steps": 60},
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

# %% [markdown]
# With $b = 0$ the matrix is $\gamma\rho$ times the identity: normal, and stretch,
# spectral radius and largest singular value fall together, (3.14).

# %% [markdown] slide="slide"
# ## Part 4 · The wall
#
# One unit with a bias, $s_t = \tanh(w s_{t-1} + b)$, $s_0 = 0.5$,
# and the loss $L = (s_{50} + 0.5)^2$: it shall end at −0.5. Two parameters, so we can
# draw $L$ (after Pascanu, Mikolov and Bengio 2013, with our unit and our numbers).
#
# Where $b = \operatorname{artanh}(s_0) - w s_0$ the unit stays at $s_0$ exactly. There
# every factor (3.3) is $w(1 - s_0^2)$, so
#
# $$\frac{ds_{50}}{ds_0} = \big(w\,(1 - s_0^2)\big)^{50} \tag{3.15}$$
#
# For $w > 4/3$ this is a number above one, to the power 50: a **wall** between ending
# high and ending low.


# %%
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


# %%
def end(s, w=2.0, steps=50):
    """Where the unit ends on the line of (3.15), when it starts at s."""
    for _ in range(steps):
        s = np.tanh(w * s + np.arctanh(0.5) - w * 0.5)
    return s


measured = (end(0.5 + 1e-12) - end(0.5 - 1e-12)) / 2e-12
assert np.isclose(measured, 1.5**50, rtol=0.01), "(3.15) does not hold"  # with w = 2
assert end(0.5 + 1e-6) > 0.7 and end(0.5 - 1e-6) < 0.3, "a millionth does not decide"
steepness = {}
for beside in (1e-3, 1e-5, 1e-7, 1e-8):  # so far above the wall, at w = 2
    _, dw, db = wall(np.array([2.0]), np.arctanh(0.5) - 1.0 + np.array([beside]))
    steepness[f"{beside:.0e} beside the wall"] = f"{np.hypot(dw, db)[0]:.2g}"
assert np.isclose(dw / db, 0.5, rtol=1e-3), "it does not point straight across the wall"
steepness

# %% [markdown]
# At $w = 2$ the wall is very steep and very thin: a descent that takes steps of
# ordinary size goes through without noticing. Towards $w = 4/3$ it grows less steep
# and wider. Below $4/3$ it leaves the line of (3.15), bends towards $w = 1$, $b = 0$,
# and becomes blunt enough to be hit.

# %% [markdown] slide="slide"
# ## One length for all gradients
#
# A model has several matrices. Write all entries of all their gradients into **one**
# long vector. Its length is the **global norm**
#
# $$g = \sqrt{\textstyle\sum_{k} \sum_{i,j} (dW^{k}_{i,j})^2} \tag{3.16}$$
#
# with $k$ running over the matrices. Choose a limit $m > 0$. Where $g$ is above it, all
# gradients are shortened by one factor; otherwise they stay as they are:
#
# $$dW^{k} \leftarrow \begin{cases} \dfrac{m}{g}\, dW^{k} & \text{if } g > m \\[1ex]
# dW^{k} & \text{otherwise} \end{cases} \qquad \text{for every } k \tag{3.17}$$

# %%
dW = {"ss": rng.normal(size=(3, 3)), "sx": rng.normal(size=(3, 2))}
cosine = lambda A, B: (A * B).sum() / np.sqrt((A**2).sum() * (B**2).sum())
as_vector = lambda dW: np.concatenate([array.ravel() for array in dW.values()])
g = np.sqrt(sum((array**2).sum() for array in dW.values()))  # (3.16)
shorter = {key: array * 0.5 / g for key, array in dW.items()}  # (3.17) with m = 0.5
assert g > 0.5 and np.isclose(g, np.linalg.norm(as_vector(dW))), "(3.16) is not the length of the long vector"
assert np.isclose(np.linalg.norm(as_vector(shorter)), 0.5), "it is not as long as the limit"
assert np.isclose(cosine(as_vector(shorter), as_vector(dW)), 1), "it points elsewhere"


# %% [markdown] slide="slide"
# ### Prediction 4
#
# A gradient has two entries, $(6, 0.8)$, and the limit is 1.
#
# **By value**: every entry is cut to the range −1 to 1. **By norm**: (3.17).
#
# Work out both results on paper. Which of the two still points where the gradient
# pointed?

# %% slide="fragment"
gradient = np.array([6.0, 0.8])
by_value, by_norm = np.clip(gradient, -1, 1), gradient / np.sqrt((gradient**2).sum())
angle = lambda v: np.degrees(np.arccos(min(1.0, cosine(v, gradient))))
assert angle(by_value) > 30 and angle(by_norm) < 1e-4, "clipping by value does not turn it"
{"by value": by_value.tolist(), "turned by": round(float(angle(by_value))),
 "by norm": by_norm.round(3).tolist(), "turned by (norm)": 0}  # fmt: skip

# %% [markdown] slide="notes"
# (1, 0.8) against (0.991, 0.132). The usual answer: "both, they only get shorter".
# Clipping by value turned it by 31 degrees.

# %% [markdown]
# ### Exercise: clip by the global norm
#
# Write (3.16) and (3.17), for a dict with any keys and arrays of any shapes.


# %% exercise="clip_by_global_norm" points=4
def clip_by_global_norm(gradients: dict, max_norm: float) -> tuple[dict, float]:
    """Shorten gradients whose global norm is above a limit, by (3.16) and (3.17).

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
    norm = np.sqrt(sum(squares))
    factor = max_norm / norm if norm > max_norm else 1.0
    clipped = {key: factor * array for key, array in gradients.items()}
    return clipped, norm
    ### END SOLUTION


# %% check="clip_by_global_norm"
check(clip_by_global_norm)

# %% [markdown]
# One case the check does not ask for: a gradient of zeros. It is short enough, so it
# must come back as it is. A warning about a division by zero means that yours divides
# before it compares.

# %% needs="clip_by_global_norm"
nothing, norm = clip_by_global_norm({"ss": np.zeros((2, 2))}, 1.0)
assert norm == 0 and np.all(nothing["ss"] == 0), "a gradient of zeros comes back as zeros"

# %% [markdown] slide="slide"
# ## Two descents
#
# Gradient descent with step size 0.3, from 35 starts ($w$ from 1.2 to 2.4, $b$ from
# −0.1 to 0.3); 400 updates; once as it is, once with the global norm of $(dw, db)$
# limited to 1.
#
# A start counts as **solved** if the loss ends below 0.01. How many of the 35 are?


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
solved

# %% slide="slide" hide_input=true needs="clip_by_global_norm"
shown = int(np.argmin((w0 - 2.0) ** 2 + b0**2))  # the start at w = 2, b = 0
grid_w, grid_b = np.meshgrid(np.linspace(-0.5, 2.6, 240), np.linspace(-3.2, 0.6, 240))
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

# %% needs="clip_by_global_norm"
for name, path in paths.items():
    steps = np.linalg.norm(np.diff(path[:, :, shown], axis=0), axis=1)
    at = path[int(steps.argmax()), :, shown]
    loss = ends[name][shown]
    assert name == "as it is" or steps.max() < 0.3 + 1e-9, "a clipped step is too long"
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

# %% [markdown]
# The thin part of the wall did neither descent any harm: it is too thin to be met.
# The unclipped one is thrown where the wall ends, near $w = 0.9$, $b = 0$, by a
# gradient more than nine times as long as the limit. It lands where $s_{50}$ is
# saturated at −1 and the loss hardly moves any more.

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

# %% [markdown] slide="slide"
# ## Part 5 · What a vanished signal costs
#
# Position $t$ contributes $G_t = da_t\, s_{t-1}^{\top}$ to the gradient of $W^{s,s}$
# (notebook 02), with $da_t = (1 - s_t \odot s_t) \odot \delta_t$. Let
# $\operatorname{vec}(G_t)$ be all its entries written as one vector. Its length is
#
# $$\lVert \operatorname{vec}(G_t) \rVert = \lVert da_t \rVert\, \lVert s_{t-1} \rVert
# \le \lVert \delta_t \rVert\, \lVert s_{t-1} \rVert \tag{3.18}$$
#
# The gradient is the **sum** over positions. Where error signals shrink it does not
# vanish: it is made by the nearest positions, and the far ones drown in it.

# %%
s_before = states[1]  # position 3: the state before it, one column per sequence
da = (1 - states[2] ** 2) * deltas[3]
for n in range(N):
    length = np.linalg.norm(np.outer(da[:, n], s_before[:, n]).ravel())
    s_length = np.linalg.norm(s_before[:, n])
    assert np.isclose(length, np.linalg.norm(da[:, n]) * s_length), "(3.18) does not hold"
    assert length <= np.linalg.norm(deltas[3][:, n]) * s_length, "(3.18) does not hold"


# %% [markdown]
# How much do they drown? A network of 32 units, $T = 100$, and the gradient of its
# $W^{s,s}$, position by position, summed over a batch of 16.


# %%
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


found = {(r, seed): contributions(r, seed) for r in (0.5, 0.9, 1.2) for seed in seeds}
last_thirty, first_half = [], []
for seed in seeds:
    G = found[0.9, seed]
    total = G.sum(axis=0)
    last_thirty.append(float(cosine(G[-30:].sum(axis=0), total)))
    first_half.append(float(np.linalg.norm(G[:50].sum(axis=0)) / np.linalg.norm(total)))
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

# %% slide="slide" hide_input=true
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

# %% [markdown] slide="notes"
# r = 0.9, small inputs: the last 30 of 100 positions alone give the gradient's
# direction, and the first 50 together less than a hundredth of its length. Ask: "is
# there a gradient to follow?" Yes. The usual wrong answer: "the gradient has vanished, so
# nothing is learned".

# %% [markdown] slide="slide"
# ## A unit that must remember one bit
#
# Bengio, Simard and Frasconi (1994) asked for the simplest memory: **hold one bit**
# while inputs that mean nothing come in.
#
# One unit, $s_t = \tanh(w\, s_{t-1} + x_t)$. With $x_t = 0$ and $w > 1$ it has two
# stable states of rest $\pm s^*$, where $s^* = \tanh(w s^*)$ and $s^* > 0$. (It also
# rests at 0, but the smallest push drives it away.) That is a memory of one
# bit.
#
# How fast does an error signal shrink in such a state?

# %% [markdown] slide="slide"
# ## The slope at rest
#
# Let $a = w s^* > 0$ be the pre-activation at rest, so that $s^* = \tanh a$ and
# $w = a / \tanh a$. Put both into (3.3):
#
# $$\frac{ds_t}{ds_{t-1}} = \frac{a}{\tanh a}\,(1 - \tanh^2 a)
# = \frac{a}{\sinh a \cosh a} = \frac{2a}{\sinh 2a} < 1 \tag{3.19}$$
#
# because $\sinh z > z$ for every $z > 0$.
#
# **Wherever the unit rests on its bit, the factor is below one.**
# The larger $a$ is, the smaller is the factor. It also rests more firmly, as (3.20)
# will show.

# %%
a = np.linspace(0.1, 4, 40)
w, rest = a / np.tanh(a), np.tanh(a)
assert np.allclose(np.tanh(w * rest), rest) and np.all(w > 1), "not at rest, or w not above one"
factor = w * (1 - rest**2)
assert np.allclose(factor, 2 * a / np.sinh(2 * a)) and np.all(factor < 1), "(3.19) does not hold"
assert np.all(np.diff(factor) < 0), "a firmer rest has a larger factor"
{f"w = {w[k]:.2f}": f"factor {factor[k]:.2g}" for k in (2, 9, 19, 39)}

# %% [markdown]
# ### How hard a push the bit survives
#
# Push the unit at $+s^*$ with the same input $-u$ at every step. A resting state obeys
# $s = \tanh(w s - u)$, that is $u = w s - \operatorname{artanh} s$. For $s > 0$ the
# right side is at its largest where its derivative $w - 1/(1 - s^2)$ is zero. A push
# beyond it
# leaves no positive state to rest in, so the bit survives if and only if $u$ is at
# most
#
# $$m(w) = w s_c - \operatorname{artanh} s_c, \qquad s_c = \sqrt{1 - 1/w} \tag{3.20}$$
#
# $m(w)$ is zero at $w = 1$ and grows with $w$, while (3.19) falls: **firmness costs
# gradient**.


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

# %% [markdown]
# Real pushes are not constant but random. So measure both: how many bits survive 100
# noisy inputs, and what is left of the error signal on the way back. Each of 2,000
# runs starts with its bit written, $s_0 = \pm\tanh 2$.


# %%
def hold(w, noise, T=100, runs=2000, seed=0):
    """Share of bits right at T, and each run's power of ten of the gradient ds_T/ds_0."""
    rng = np.random.default_rng(seed)
    bits = rng.choice([-1.0, 1.0], size=runs)
    s, power = bits * np.tanh(2.0), np.zeros(runs)
    for _ in range(T):
        s = np.tanh(w * s + noise * rng.normal(size=runs))
        power += np.log10(w * (1 - s**2))  # (3.3)
    return np.mean(np.sign(s) == bits), power


weights = np.array([0.8, 0.9, 1.0, 1.05, 1.1, 1.2, 1.3, 1.5, 1.75, 2.0, 2.5])
noises = (0.1, 0.3)
held = {noise: [hold(w, noise) for w in weights] for noise in noises}
for noise in noises:
    safe = [power for kept, power in held[noise] if kept > 0.995]
    best = max(power.max() for power in safe)  # in the best of 2,000 runs
    claim(
        f"noise {noise}: where 99.5 % of the bits survive, less than 1e-10 is left in every run",
        best < -10,
        f"at most 1e{best:+.0f}",
    )
    share, power = held[noise][list(weights).index(1.0)]
    middle, of_safe = np.median(power), max(np.median(power) for power in safe)
    claim(
        "at w = 1 the bits are lost, and more of the gradient is left",
        share < 0.7 and middle > of_safe,
        f"{share:.2f} survive, in the median 1e{middle:+.0f} beside 1e{of_safe:+.0f}",
    )

# %% slide="slide" hide_input=true
show(
    figures_03.latch(weights, held),
    alt="Above: share of bits that survive 100 noisy steps against the weight w, from "
    "one half for small w to one for large w; more noise needs a larger w. Below: "
    "the median power of ten of the gradient through these steps, falling steeply "
    "where the bits survive.",
)

# %% [markdown] slide="notes"
# Ask: "is there a w that keeps the bit and the gradient?" Not here: every w that keeps
# 99.5 % of the bits has lost more than ten powers of ten in its best run. The gradient
# is small at w = 1 too; holding makes it smaller by many powers of ten more.

# %% [markdown] slide="slide"
# ### Prediction 5
#
# Now let a network **learn** to hold the bit. 8 units; the first input is the bit,
# all others are noise; the loss looks at the end. Two starts: $W^{s,s} = r Q$ with
# $r = 0.9$ and with $r = 1.2$. Ten networks each, 300 updates.
#
# - For $T = 10$ and for $T = 100$: which start learns?
# - In a network that **has** learned $T = 100$: is $\lVert\delta_1\rVert /
#   \lVert\delta_T\rVert$ larger or smaller than before it learned?

# %% [markdown] slide="notes"
# Usual for the second question: "larger, otherwise it could not have learned".

# %% [markdown]
# ### The network that learns to hold a bit
#
# Output $z = W^{y,s} s_T$, target the bit $\pm 1$, loss
# $\frac{1}{2N}\sum_n (z_n - \text{bit}_n)^2$. The input is one number per position:
# the bit at position 1, then noise of size 0.2.


# %% needs="clip_by_global_norm gradient_norms"
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
    dz = (W["ys"] @ states[-1] - bits) / N
    dW = {key: np.zeros(array.shape) for key, array in W.items()}
    dW["ys"] = dz @ states[-1].T
    delta = W["ys"].T @ dz
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


# %% [markdown]
# Does the gradient of this model hold? One check by finite differences before it is
# trusted.

# %% needs="clip_by_global_norm gradient_norms"
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

# %% needs="clip_by_global_norm gradient_norms"
starts = [(r, T) for T in (10, 100) for r in (0.9, 1.2)]
learned = {start: [learn_latch(*start, seed) for seed in range(10)] for start in starts}
right = {key: np.array([run[0] for run in runs]) for key, runs in learned.items()}
for r, T in starts:
    print(f"start r = {r}, T = {T}: right in", *(f"{share:.2f}" for share in right[r, T]))

# %% needs="clip_by_global_norm gradient_norms"
learn = {start: int((shares > 0.95).sum()) for start, shares in right.items()}
claim(
    "for T = 10 all networks learn",
    learn[0.9, 10] == learn[1.2, 10] == 10,
    f"{learn[0.9, 10]} and {learn[1.2, 10]} of 10",
)
claim(
    "for T = 100 none learns from r = 0.9, and at least 7 of 10 from r = 1.2",
    right[0.9, 100].max() < 0.6 and learn[1.2, 100] >= 7,
    f"{learn[0.9, 100]} and {learn[1.2, 100]} of 10",
)
before, after_training = np.array([run[1:3] for run in learned[1.2, 100]]).T
lost = before - after_training
claim(
    "learning makes the ratio smaller in at least 7 of 10, in 4 by more than a hundred times",
    (lost > 0).sum() >= 7 and (lost > 2).sum() >= 4,
    f"{(lost > 0).sum()} and {(lost > 2).sum()} of 10, the median 1e{np.median(lost):.0f} times",
)
at_start = np.array([run[1] for run in learned[0.9, 100]])
claim(
    "before learning, r = 0.9 leaves 1e-9 to 1e-4 of the signal, and r = 1.2 more than 1e-2.5",
    at_start.min() > -9 and at_start.max() < -4 and before.min() > -2.5,
    f"1e{at_start.min():.1f} to 1e{at_start.max():.1f}, and at least 1e{before.min():.1f}",
)

# %% slide="slide" hide_input=true needs="clip_by_global_norm gradient_norms"
show(
    figures_03.learned_latch(learned),
    alt="Left: share of bits right after training. For T = 10 both starts reach one; for "
    "T = 100 radius 0.9 stays at one half and radius 1.2 reaches one, in nearly all networks. "
    "Right: power of ten of the ratio of the error signals for radius 1.2 and T = 100: "
    "near zero before training and lower after it, in most networks by 5 to 20, in a few "
    "by about one.",
)

# %% [markdown] slide="slide"
# ## What became of prediction 5
#
# - $T = 10$: both starts learn. $T = 100$: $r = 0.9$ never gets further than guessing,
#   its signal had lost about six powers of ten at the start; nearly all with $r = 1.2$
#   learn.
# - In nearly every network that has learned $T = 100$, the ratio is **smaller** than
#   before; in most of them by many powers of ten.
#
# So the bind of 1994 does not say that a bit cannot be learned. It says that **where a
# bit is held at rest, the gradient through the holding shrinks**. These networks
# learned while their gradient was still there.
#
# How sure? One task, one size of noise, ten networks: an indication, not a law.

# %% [markdown] slide="notes"
# Ask: "what if the task changes after that and another early input matters?" Through
# the firm units no signal comes back that far. The usual overstatement: "RNNs cannot
# learn long dependencies". They can, where the start is lucky; gates make the luck
# unnecessary (04 to 06).

# %% [markdown]
# ### Some networks lose hardly anything. Why?
#
# (3.19) speaks of a state **at rest**. Do these networks rest? Let each run on after
# its bit without noise, for 3,000 steps, and see after how many steps its state comes
# back.


# %% needs="clip_by_global_norm gradient_norms"
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
    print(f"ratio 1e{after_training[k]:+.1f} at 100, 1e{twice_as_long[k]:+.1f} at 200")

# %% needs="clip_by_global_norm gradient_norms"
repeats = np.array([p is not None for p in periods])
as_said = (after_training - twice_as_long > 2) == repeats
claim(
    "in at least 7 of 10 networks another hundred steps cost more than two powers of ten if "
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

# %% [markdown] written="two_halves" points=3
# ### Written question
#
# A friend writes: *"The largest singular value of my $W^{s,s}$ is 1.3, so my gradients
# explode. I clip them by their global norm, and then the network will learn what the
# first words say."*
#
# What is wrong with the first sentence, and what with the second? Answer in three or
# four sentences.
#
# === BEGIN MARK SCHEME ===
# 1 point: a largest singular value above one is necessary for explosion, not
# sufficient; (3.10) is an upper bound only.
#
# 1 point: names a reason why it may not explode: slopes of the tanh below one (saturated
# units, larger inputs), or directions that are stretched once and not again (non-normal
# W). One is enough.
#
# 1 point: clipping shortens the whole gradient by one factor; it does not change the
# share that early positions have in it, nor lengthen what has vanished. "Clipping is
# only for exploding gradients" without a reason: half a point.
# === END MARK SCHEME ===

# %% [markdown] slide="slide"
# ## Recap
#
# - A step's Jacobian is slopes times weights, (3.4); distance makes a **product**,
#   (3.5).
# - $\sigma_1(W) < 1$: it vanishes. $\sigma_1(W) > 1$: necessary for explosion, not
#   sufficient.
# - Eigenvalues rule the far end of a **fixed** matrix's powers; a non-normal one may
#   grow first, (3.13).
# - Where error signals shrink, the gradient of the shared weights does not vanish:
#   its far contributions **drown** in it.
# - A bit held firmly is a factor below one, (3.19): memory costs gradient.
# - Clip by the global norm: one factor for all matrices, and only if it is too long.

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
