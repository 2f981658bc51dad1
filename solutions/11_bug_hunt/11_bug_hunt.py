# %% [markdown] slide="slide"
# # 11 · Bug hunt
#
# Ten functions of this course, and each is wrong. None of them raises an error.

# %% [markdown] slide="notes"
# Open question to the room: "how do you know that your network has no bug?" Collect. The
# usual wrong answer: "because the loss falls". Write it on the board, and come back to it at
# the end: five of nine bugs here let a network learn.

# %% [markdown] slide="slide"
# ## What you will be able to do
#
# - question code that runs, with five instruments: its **shape**, a **limit case**, a
#   **comparison**, a **gradient check**, a **training curve**;
# - say which instrument sees which kind of bug, and which are **blind** to it;
# - mend what is broken, and leave alone what is right;
# - doubt a network that learns.
#
# **Time**: {time}. The place to stop is marked.

# %% [markdown] slide="notes"
# The lecture takes 50 minutes: ten for the specimen and the instruments, three for each bug
# that you choose, ten for the curves and the table. Let the room point at the line. Nobody
# needs all ten: bugs 2, 4, 6 and 7 carry the lesson.

# %%
from autograder import check, guess, hint, mended, progress, recall, reveal, show_derivation
from rnncourse import bug_hunt, claim, explorer, show
from rnncourse import figures_11 as figures

# %% given="imports"
import numpy as np

# %% [markdown]
# ## Three minutes of recall
#
# From memory. Type your answers in the places of the dots and run the cell. There are no
# marks. (Questions and formulas are counted apart: question 11.3 does not ask for formula (11.3).)
#
# Notebook 00: with double precision and a good step, to about how many digits does a central
# difference agree with a right slope?

# %% recall="11.r1"
recall("11.r1", digits=10, choices=(3, 10, 16))

# %% [markdown] answer="11.r1"
# **About 10.** So a gradient that agrees to 3 digits only is not "nearly right": it is
# wrong.

# %% [markdown]
# Notebook 02: the loss hangs on the last state alone. How many of the $T$ steps send a
# contribution to the gradient of $W^{s,s}$?

# %% recall="11.r2"
recall("11.r2", steps="all of them", choices=("one", "all of them", "none"))

# %% [markdown] answer="11.r2"
# **All of them**: the gradient travels back through time, and each step adds its own.

# %% [markdown]
# Notebook 03: a gradient of global norm 8 is clipped to 2. By which number is each of its
# entries multiplied?

# %% recall="11.r3"
recall("11.r3", factor=0.25)

# %% [markdown] answer="11.r3"
# **0.25**, the same for all of them, so the direction stays.

# %% [markdown]
# Notebook 09: a model speaks at a temperature of nearly 0. Which class does it say?

# %% recall="11.r4"
recall("11.r4", it_says="the likeliest", choices=("the likeliest", "the rarest", "any, all equally often"))

# %% [markdown] answer="11.r4"
# **The likeliest**, again and again. At a very high temperature all classes are equally likely.

# %% [markdown]
# ### What you need
#
# The RNN of 01 and 02, clipping from 03, the gated RNN of 04, the LSTM of 05 and 06, batches of
# unlike lengths from 07, softmax at a temperature from 09; for the last question a GRU (04, 10).
# Their formulas are not repeated: the code is there, and it is nearly right. Adam was used from 04
# on without its formulas: what it computes is said at bug 10.
#
# $D$ inputs, $H$ units, $N$ sequences side by side, $T$ steps. `xs` is (T, D, N), states are
# (T, H, N). `hint(fix_clip)` gives the next of three hints, `progress()` what is done.

# %% [markdown] slide="slide"
# ## 1 · A specimen
#
# A network predicts one number for each of $N$ sequences. Its read-out gives the
# **predictions** $p$, an array (N, 1). The **targets** $y$ come from a file, an array (N,).
#
# The loss is the mean of the squared differences:
#
# ```python
# difference = predictions - targets
# loss = np.mean(difference**2)
# ```
#
# $N$ is 8. What is the shape of `difference`?

# %% [markdown] slide="notes"
# Let them vote: (8,), (8, 1), an error, (8, 8). The usual wrong answer is an error. NumPy,
# PyTorch and TensorFlow all spread the two arrays over one another. PyTorch's mse_loss warns,
# and the warning is lost in the log.

# %% guess="11.1"
guess("11.1", shape=[8, 8])

# %% [markdown] answer="11.1" slide="fragment"
# **(8, 8)**: (N, 1) and (N,) are spread over one another, and every prediction is held
# against *every* target. The mean of 64 numbers is a number like any other, and nothing
# is said.

# %% [markdown] slide="subslide"
# ### What does it learn?
#
# A network is trained with this loss. The loss falls at first. Which predictions make it
# as small as it can be?

# %% guess="11.2"
guess(
    "11.2",
    best_predictions="the mean of the targets",
    choices=("the targets", "the mean of the targets", "zeros", "anything"),
)

# %% [markdown] answer="11.2" slide="fragment"
# **The mean of the targets, for every sequence.** Written out, with a bar for a mean:
#
# $$\frac{1}{N^2} \sum_{i,j} (p_i - y_j)^2
# = \operatorname{var}(p) + \operatorname{var}(y) + (\bar p - \bar y)^2 \tag{11.1}$$
#
# Nothing ties $p_i$ to $y_i$. It pays to make all predictions alike, and then the loss stands
# still at the variance of the targets. Whoever sees the curve says: "it learns, but not
# well. More units?"

# %% hide_input=true
rng = np.random.default_rng(3)
p, y = rng.normal(size=(8, 1)), rng.normal(size=8)
parts_of_it = p.var() + y.var() + (p.mean() - y.mean()) ** 2
assert np.isclose(np.mean((p - y) ** 2), parts_of_it), "(11.1) does not hold"
print("(11.1) holds")

# %% [markdown] slide="slide"
# ## 2 · Five instruments
#
# | instrument | it asks |
# |---|---|
# | **shape** | has each array the shape that the docstring says? |
# | **limit case** | is the answer right where you know it without computing? |
# | **comparison** | do two calls agree that must: a sequence alone and in company, now and before? |
# | **gradient check** | does the way back agree with nudges of the way there? |
# | **training curve** | does the network learn? |
#
# For the specimen somebody wrote the gradient by hand,
#
# $$\frac{\partial\, \text{loss}}{\partial p_i} = \frac{2}{N} (p_i - \bar y) \tag{11.2}$$
#
# and checked it against nudges of the loss above. What did the check say?

# %% [markdown] slide="notes"
# Ask for hands: passes, or fails? The usual wrong answer: "it fails, since the loss is
# wrong". A gradient check compares a function with its own slope. What the function should
# have been, it cannot know.

# %% guess="11.3"
guess("11.3", gradient_check="passes", choices=("passes", "fails"))

# %% [markdown]
# Given: nudges, as in notebook 00 (here `loss` has no argument, and `array` is nudged where it
# stands), and the gap between two gradients: their largest difference, in units of their largest
# entry. Beside them `report`, which notes what an instrument says.


# %% given="instruments"
def numerical_gradient(loss, array, step=1e-5):
    """Central differences of loss() by each entry of an array, which is nudged and put back."""
    slopes = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        kept = array[place]
        array[place] = kept + step
        above = loss()
        array[place] = kept - step
        slopes[place] = (above - loss()) / (2 * step)
        array[place] = kept
    return slopes


def gap(one, other):
    """The largest difference of two arrays, in units of their largest entry."""
    return np.abs(one - other).max() / max(np.abs(one).max(), np.abs(other).max(), 1e-300)


# %%
said = {}  # bug -> instrument -> whether it shows the bug


def report(bug, instrument, passes):
    """Note what an instrument says of a bug, and print it."""
    said.setdefault(bug, {})[instrument] = not passes
    print(f"{figures.numbered(bug)} · {instrument}: {'passes' if passes else 'SHOWS IT'}")


# %% slide="subslide"
rng = np.random.default_rng(0)
predictions, targets = rng.normal(size=(8, 1)), rng.normal(size=8)
by_hand = 2 * (predictions - targets.mean()) / 8  # (11.2)
slopes = numerical_gradient(lambda: np.mean((predictions - targets) ** 2), predictions)
print(f"relative gap {gap(by_hand, slopes):.0e}")
assert gap(by_hand, slopes) < 1e-8, "(11.2) does not hold"

# %% [markdown] answer="11.3" slide="fragment"
# **It passes**, to ten digits: (11.2) is the gradient of *this* loss. A gradient check holds the
# way back against the way there. Of a wrong way there it says nothing.
#
# A **limit case** sees the bug at once: predictions that *are* the targets must give a loss of
# zero.

# %% [markdown]
# ### How to hunt
#
# Each bug below comes as a function that is **given** and broken, `broken_…`. You say which
# instrument will show it, look at what some instruments say, find the line, and mend it in the
# cell of `fix_…`, where the same code stands. (You may run any code of yours on the broken one.)
#
# A fix is judged by what it mends **and** by what it leaves alone: what was right has to stay right,
# and none of the arrays that the function is given is changed in place.
# When the check says right, it tells the story of the bug; `show_derivation(fix_clip)` gives it up.

# %% [markdown] slide="slide"
# ## Bug 1 · Batch first, time first
#
# Data come batch first, `batch` (N, T, D): sequence, step, input. This course wants `xs`
# (T, D, N), with `xs[t, d, n]` the entry `batch[n, t, d]`.

# %% [markdown] slide="notes"
# Show the function, and ask for the shape it returns: the right one. Ask which line is
# suspicious. Do not give the word. The usual wrong answer: "nothing, the shape is right".


# %% given="broken_time_first" slide="fragment"
def broken_time_first(batch):
    N, T, D = batch.shape
    xs = batch.reshape(T, D, N)
    return xs


# %% [markdown] slide="subslide"
# ### What shows it?
#
# Which instrument shows it: the shape, a limit case (a batch of one sequence), or a comparison
# (a sequence in the batch against the same sequence alone)?

# %% guess="11.4"
guess("11.4", shown_by="comparison", choices=("shape", "limit case", "comparison"))

# %% [markdown] answer="11.4" slide="fragment"
# **The comparison.** The shape is what it should be, and a batch of one sequence comes out right:
# two of the usual tests, and both are blind.

# %%
batch = np.random.default_rng(1).normal(size=(4, 5, 3))  # 4 sequences, 5 steps, 3 inputs
alone = broken_time_first(batch[:1])
report("time_first", "shape", broken_time_first(batch).shape == (5, 3, 4))
report("time_first", "limit case", np.allclose(alone[:, :, 0], batch[0]))
report("time_first", "comparison", np.allclose(broken_time_first(batch)[:, :, :1], alone))

# %% [markdown]
# ### Exercise: mend it


# %% exercise="fix_time_first" points=2
def fix_time_first(batch: np.ndarray) -> np.ndarray:
    """A batch as this course wants it: time first, a sequence a column.

    Args:
        batch: (N, T, D) sequence, step, input.

    Returns:
        xs: (T, D, N). xs[t, d, n] is batch[n, t, d].
    """
    ### BEGIN SOLUTION
    xs = batch.transpose(1, 2, 0)
    return xs
    ### END SOLUTION


# %% check="fix_time_first"
check(fix_time_first)

# %% [markdown] found="fix_time_first"
# **The story.** `reshape` reads all numbers in the order of their indices, the last index running
# fastest, and writes them into another shape: it never exchanges axes. So the sequences were cut up
# and shuffled, every number still there. `transpose` exchanges axes. With $N = 1$ there is nothing to
# exchange, so the test that people write first passes.

# %% [markdown] slide="slide"
# ## Bug 2 · A forward pass
#
# The forward pass of notebook 01. It returns the states of all steps, (T, H, N).

# %% [markdown] slide="notes"
# Ask: "what is states[0] after the third step?" Draw the one array and the three arrows to it.
# The usual wrong answer: "a copy, append copies".


# %% given="broken_forward" slide="fragment"
def broken_forward(xs, s0, W):
    states = []
    s = s0
    for x_t in xs:
        s[:] = np.tanh(W["ss"] @ s + W["sx"] @ x_t)
        states.append(s)
    return np.stack(states)


# %% [markdown] slide="subslide"
# ### What shows it?
#
# The limit case: a sequence of one step, from a state of zeros. The comparison: the first three
# steps of a sequence of five, against the same three steps alone. What do they say?

# %% guess="11.5"
guess("11.5", limit_case="passes", comparison="fails", choices=("passes", "fails"))

# %% [markdown] answer="11.5" slide="fragment"
# **The limit case passes, the comparison fails.** The last state is right, and so is the only state
# of a sequence of one step. But what comes later cannot change what was computed before, and here it
# does.


# %%
def drawn(*shape, seed=2):
    return np.random.default_rng(seed).normal(size=shape)


W_rnn, xs = {"ss": drawn(4, 4), "sx": drawn(4, 3)}, drawn(5, 3, 2)
one_step = np.tanh(W_rnn["sx"] @ xs[0])  # from a state of zeros
zeros = lambda: np.zeros((4, 2))
report("forward", "shape", broken_forward(xs, zeros(), W_rnn).shape == (5, 4, 2))
report("forward", "limit case", np.allclose(broken_forward(xs[:1], zeros(), W_rnn)[0], one_step))
five, three = broken_forward(xs, zeros(), W_rnn), broken_forward(xs[:3], zeros(), W_rnn)
report("forward", "comparison", np.allclose(five[:3], three))

# %% [markdown]
# One more question before you mend it. Who calls the function keeps `s0`, to start the next
# batch from it. Is that array still what it was?

# %% guess="11.6"
guess("11.6", s0_unchanged=False)

# %%
start = np.zeros((4, 2))
broken_forward(xs, start, W_rnn)
print("the caller's s0 afterwards, its first column:", start[:, 0].round(2))

# %% [markdown] answer="11.6"
# **No.** Who wrote `s0 = np.zeros(...)` above the loop over the batches starts the second batch
# from the last state of the first.

# %% [markdown]
# ### Exercise: mend it
#
# The states are checked, and `s0` after the call.


# %% exercise="fix_forward" points=2
def fix_forward(xs: np.ndarray, s0: np.ndarray, W: dict) -> np.ndarray:
    """All states of a simple RNN.

    Args:
        xs: (T, D, N) inputs.
        s0: (H, N) the state before the first step; it is the caller's, and stays as it is.
        W: weights, "ss" (H, H) and "sx" (H, D).

    Returns:
        states: (T, H, N), the state after each step.
    """
    ### BEGIN SOLUTION
    states = []
    s = s0
    for x_t in xs:
        s = np.tanh(W["ss"] @ s + W["sx"] @ x_t)
        states.append(s)
    return np.stack(states)
    ### END SOLUTION


# %% [markdown]
# This is how it is tried:


# %% given="probes"
def try_forward(xs, s0, W):
    """What fix_forward returns, and the caller's s0 after the call."""
    mine = s0.copy()
    states = fix_forward(xs, mine, W)
    return states, mine


# %% check="fix_forward"
check(fix_forward)

# %% [markdown] found="fix_forward"
# **The story.** `s[:] = …` writes into the array that is there; `s = …` makes a new one and gives
# it the name. A list holds references, so the broken one held one array $T$ times, with the last
# state in it, and `s` *was* the caller's `s0`. The prediction from the last state is right, so the
# forward pass looks well; the way back reads the states before, and all of them are the last.

# %% [markdown] slide="slide"
# ## Bug 3 · The way back through time
#
# The backward pass of notebook 02. `dstates` is what arrives at each state from outside: where the
# loss hangs on the last state, at that one alone.

# %% [markdown] slide="notes"
# Ask: "which instrument, for a gradient?" All will say the gradient check. Then ask what it says
# for T = 1, which is what people test first because it is quick. The line is easy to overlook.


# %% given="broken_backward" slide="fragment"
def broken_backward(dstates, xs, s0, states, W):
    dW = {"ss": np.zeros_like(W["ss"]), "sx": np.zeros_like(W["sx"])}
    dxs = np.zeros_like(xs)
    ds = np.zeros_like(s0)
    for t in reversed(range(len(xs))):
        s_prev = states[t - 1] if t > 0 else s0
        ds = dstates[t]
        da = ds * (1 - states[t] ** 2)
        dW["ss"] += da @ s_prev.T
        dW["sx"] += da @ xs[t].T
        dxs[t] = W["sx"].T @ da
        ds = W["ss"].T @ da
    return dxs, ds, dW


# %% [markdown]
# A gradient check by `W["ss"]`, where the loss hangs on the last state alone. How many steps must the
# sequence have, at least, for the check to fail?

# %% guess="11.7"
guess("11.7", steps=2)

# %% [markdown] answer="11.7"
# **Two.** With one step it passes. A check with the smallest sizes is quick, and blind to all that
# happens *between* steps.


# %% needs="fix_forward"
mended(fix_forward)


def check_backward(forward, backward, T):
    """The gap of a way back by W["ss"], where the loss hangs on the last state alone."""
    W, xs, s0 = {"ss": drawn(4, 4) / 2, "sx": drawn(4, 3)}, drawn(T, 3, 2), drawn(4, 2, seed=3) / 2
    dstates = np.zeros((T, 4, 2))
    dstates[-1] = drawn(4, 2, seed=4)
    by_hand = backward(dstates, xs, s0, forward(xs, s0.copy(), W), W)[-1]["ss"]
    loss = lambda: np.sum(dstates[-1] * forward(xs, s0.copy(), W)[-1])
    return gap(by_hand, numerical_gradient(loss, W["ss"]))


dxs, _, dW = broken_backward(*(drawn(5, n, 2) for n in (4, 3)), drawn(4, 2), drawn(5, 4, 2), W_rnn)
report("backward", "shape", dxs.shape == (5, 3, 2) and dW["ss"].shape == (4, 4))
for steps in (1, 2, 5):
    print(f"T = {steps}: relative gap {check_backward(fix_forward, broken_backward, steps):.0e}")
report("backward", "gradient check", check_backward(fix_forward, broken_backward, T=5) < 1e-6)

# %% [markdown]
# And a limit case: where `W["ss"]` is zero no state hangs on the one before, so `ds0` must be zero.

# %%
cut = W_rnn | {"ss": np.zeros((4, 4))}
_, ds0, _ = broken_backward(*(drawn(5, n, 2) for n in (4, 3)), drawn(4, 2), drawn(5, 4, 2), cut)
report("backward", "limit case", np.allclose(ds0, 0))

# %% [markdown]
# ### Exercise: mend it


# %% exercise="fix_backward" points=2
def fix_backward(
    dstates: np.ndarray, xs: np.ndarray, s0: np.ndarray, states: np.ndarray, W: dict
) -> tuple[np.ndarray, np.ndarray, dict]:
    """The way back through all steps of a simple RNN.

    Args:
        dstates: (T, H, N) what arrives at each state from outside.
        xs: (T, D, N) inputs.
        s0: (H, N) the state before the first step.
        states: (T, H, N) the states that the forward pass gave.
        W: weights, "ss" (H, H) and "sx" (H, D).

    Returns:
        dxs: (T, D, N) gradient by the inputs.
        ds0: (H, N) gradient by s0.
        dW: gradients by the weights, keys and shapes as W.
    """
    ### BEGIN SOLUTION
    dW = {"ss": np.zeros_like(W["ss"]), "sx": np.zeros_like(W["sx"])}
    dxs = np.zeros_like(xs)
    ds = np.zeros_like(s0)
    for t in reversed(range(len(xs))):
        s_prev = states[t - 1] if t > 0 else s0
        ds = dstates[t] + ds
        da = ds * (1 - states[t] ** 2)
        dW["ss"] += da @ s_prev.T
        dW["sx"] += da @ xs[t].T
        dxs[t] = W["sx"].T @ da
        ds = W["ss"].T @ da
    return dxs, ds, dW
    ### END SOLUTION


# %% check="fix_backward"
check(fix_backward)

# %% [markdown]
# Now that there is a way back that is right: what does it say of bug 2?

# %% needs="fix_forward fix_backward"
mended(fix_forward, fix_backward)
report("forward", "gradient check", check_backward(broken_forward, fix_backward, T=5) < 1e-6)

# %% [markdown] found="fix_backward"
# **The story.** `ds` came back from the next step, and a line wrote over it. So each step heard the
# outside alone. Where the loss hangs on the last state, all steps but the last heard nothing. In
# PyTorch the same bug is a `detach()` inside of the loop.

# %% [markdown] slide="slide"
# ## Bug 4 · Clipping
#
# Clipping by the global norm, notebook 03. It returns the gradients and their norm before.

# %% [markdown] slide="notes"
# Ask: "what does clipping do with a gradient that is small enough?" Then let them put numbers in:
# norm 0.1, limit 1. The usual wrong answer: "the scale is right, it is the formula".


# %% given="broken_clip" slide="fragment"
def broken_clip(dW, max_norm):
    norm = np.sqrt(sum(np.sum(gradient**2) for gradient in dW.values()))
    scale = max_norm / norm
    clipped = {key: scale * gradient for key, gradient in dW.items()}
    return clipped, norm


# %% [markdown] slide="subslide"
# ### What shows it?
#
# The broken one is given a gradient of norm 0.1, and a limit of 1. Which norm has what it returns?
# And a comparison, of the direction before with the direction after: what does it say?

# %% guess="11.8"
guess("11.8", norm_after=1, comparison="passes", choices={"comparison": ("passes", "fails")})

# %% [markdown] answer="11.8" slide="fragment"
# **1, and it passes.** Shape and direction are right. A limit case shows it: a gradient that is short
# enough has to stay as it is.

# %%
large, small = ({"ss": size * drawn(4, 4), "sx": size * drawn(4, 3)} for size in (10, 0.01))
clipped = broken_clip(large, 1.0)[0]
cosine = np.sum(clipped["ss"] * large["ss"]) / np.linalg.norm(clipped["ss"]) / np.linalg.norm(large["ss"])
report("clip", "shape", clipped["sx"].shape == (4, 3))
report("clip", "comparison", np.isclose(cosine, 1))
report("clip", "limit case", np.allclose(broken_clip(small, 1.0)[0]["ss"], small["ss"]))

# %% [markdown]
# ### Exercise: mend it
#
# A gradient of zeros is a limit case, too.


# %% exercise="fix_clip" points=2
def fix_clip(dW: dict, max_norm: float) -> tuple[dict, float]:
    """Gradients whose global norm is at most a limit.

    Args:
        dW: gradients by name, arrays of any shapes.
        max_norm: the limit, above zero.

    Returns:
        clipped: keys and shapes as dW.
        norm: the global norm of dW, before.
    """
    ### BEGIN SOLUTION
    norm = np.sqrt(sum(np.sum(gradient**2) for gradient in dW.values()))
    scale = max_norm / max(norm, max_norm)  # (11.3)
    clipped = {key: scale * gradient for key, gradient in dW.items()}
    return clipped, norm
    ### END SOLUTION


# %% check="fix_clip"
check(fix_clip)

# %% [markdown] found="fix_clip"
# **The story.** A limit is no target. With the norm $\ell$ and the limit $\ell_{\max}$ the factor is
#
# $$\frac{\ell_{\max}}{\max(\ell, \ell_{\max})}
# = \min\left(1, \frac{\ell_{\max}}{\ell}\right) \tag{11.3}$$
#
# The broken one made *every* gradient as long as the limit: near a minimum, where gradients get
# small, the steps stayed long. A gradient of zeros became nan: the limit divided by 0 is inf, and
# inf times 0 is nan. Adam divides by the size of the gradients anyway, and so it hides much of that.

# %% found="fix_clip"
for norm_here in (0.01, 1.0, 7.0):
    assert np.isclose(2.0 / max(norm_here, 2.0), min(1, 2.0 / norm_here)), "(11.3) does not hold"
print("(11.3) holds")

# %% [markdown] slide="slide"
# ## Bug 5 · The way back through a gate
#
# The way back through one step of the gated RNN, notebook 04.

# %% [markdown] slide="notes"
# Ask: "which of these lines would you have written otherwise?" The slip is one that tutorials
# have printed for years: a slope that is handed the output. The usual wrong answer: dg, since it
# looks unusual.


# %% given="gated_step"
# Given from notebooks 00 and 04.
def sigmoid(z):
    """1 / (1 + exp(-z)), written so that it never overflows."""
    return 0.5 * (1 + np.tanh(0.5 * z))


def gated_step(x_t, s_prev, W):
    """One step of the gated RNN: s_t, g_t and the candidate, each (H, N)."""
    g_t = sigmoid(W["gs"] @ s_prev + W["gx"] @ x_t)
    candidate = np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)
    return (1 - g_t) * s_prev + g_t * candidate, g_t, candidate


# %% given="broken_gated_backward" slide="fragment"
def broken_gated_backward(ds, x_t, s_prev, g_t, candidate, W):
    dg = ds * (candidate - s_prev)
    dz = dg * sigmoid(g_t) * (1 - sigmoid(g_t))
    da = ds * g_t * (1 - candidate**2)
    dx = W["gx"].T @ dz + W["sx"].T @ da
    ds_prev = ds * (1 - g_t) + W["gs"].T @ dz + W["ss"].T @ da
    dW = {"gs": dz @ s_prev.T, "gx": dz @ x_t.T, "ss": da @ s_prev.T, "sx": da @ x_t.T}
    return dx, ds_prev, dW


# %% [markdown]
# A gradient check, at two starts: **calm**, with weights so small that every gate stands near one
# half, and **lively**, with gates anywhere between 0 and 1. How large is the relative gap by
# `W["gx"]` at the calm start? And at the lively one: less than at the calm one, as large, or more?

# %% guess="11.9"
guess(
    "11.9",
    calm="some percent",
    lively="more",
    choices={"calm": ("1e-10", "some percent"), "lively": ("less", "as large", "more")},
)


# %%
def check_gated(backward, scale):
    """The gap of a way back through a gated step by W["gx"], at weights of some scale."""
    W = {
        key: scale * drawn(4, 4 if key[1] == "s" else 3, seed=ord(key[0])) for key in ("gs", "gx", "ss", "sx")
    }
    x_t, s_prev, ds = drawn(3, 2), np.tanh(drawn(4, 2, seed=3)), drawn(4, 2, seed=4)
    by_hand = backward(ds, x_t, s_prev, *gated_step(x_t, s_prev, W)[1:], W)[-1]["gx"]
    return gap(by_hand, numerical_gradient(lambda: np.sum(ds * gated_step(x_t, s_prev, W)[0]), W["gx"]))


for start, scale in (("calm", 0.01), ("lively", 2.0)):
    print(f"{start}: relative gap {check_gated(broken_gated_backward, scale):.2f}")
report("gated_backward", "gradient check", check_gated(broken_gated_backward, 2.0) < 1e-6)

# %% [markdown]
# And a limit case: a gate that is shut, $g_t = 0$ to all digits, cannot be moved by a nudge of its
# weights.

# %%
W_gated = {key: drawn(4, 4 if key[1] == "s" else 3) for key in ("gs", "gx", "ss", "sx")}
ds, x_t, s_prev = drawn(4, 2), drawn(3, 2), drawn(4, 2, seed=3)
g_t, candidate = np.zeros((4, 2)), np.tanh(drawn(4, 2, seed=4))
dx, _, dW = broken_gated_backward(ds, x_t, s_prev, g_t, candidate, W_gated)
report("gated_backward", "shape", dx.shape == (3, 2) and dW["gx"].shape == (4, 3))
report("gated_backward", "limit case", np.allclose(dW["gx"], 0))

# %% [markdown] answer="11.9"
# **Some percent at the calm start, much more at the lively one.** Who compares by eye at the
# start, or with a tolerance of ten percent, sees nothing. A right gradient agrees to eight digits
# at both starts. (Not at any: with weights ten times as large all gates are saturated, the gradient
# itself is next to nothing, and nudges measure it badly. Then a right one fails, too.)

# %% [markdown]
# ### Exercise: mend it


# %% exercise="fix_gated_backward" points=2
def fix_gated_backward(
    ds: np.ndarray, x_t: np.ndarray, s_prev: np.ndarray, g_t: np.ndarray, candidate: np.ndarray, W: dict
) -> tuple[np.ndarray, np.ndarray, dict]:
    """The way back through one step of the gated RNN.

    Args:
        ds: (H, N) what arrives at the new state.
        x_t: (D, N) input.
        s_prev: (H, N) the state before.
        g_t: (H, N) the gate, as `gated_step` gave it.
        candidate: (H, N) the candidate, as `gated_step` gave it.
        W: weights, "gs" and "ss" (H, H), "gx" and "sx" (H, D).

    Returns:
        dx: (D, N) gradient by x_t.
        ds_prev: (H, N) gradient by s_prev.
        dW: gradients by the weights, keys and shapes as W.
    """
    ### BEGIN SOLUTION
    dg = ds * (candidate - s_prev)
    dz = dg * g_t * (1 - g_t)  # (11.4)
    da = ds * g_t * (1 - candidate**2)
    dx = W["gx"].T @ dz + W["sx"].T @ da
    ds_prev = ds * (1 - g_t) + W["gs"].T @ dz + W["ss"].T @ da
    dW = {"gs": dz @ s_prev.T, "gx": dz @ x_t.T, "ss": da @ s_prev.T, "sx": da @ x_t.T}
    return dx, ds_prev, dW
    ### END SOLUTION


# %% check="fix_gated_backward"
check(fix_gated_backward)

# %% [markdown] found="fix_gated_backward"
# **The story.** The slope of a sigmoid, written with its **output** $g = \sigma(z)$, is
#
# $$\sigma'(z) = g\,(1 - g) \tag{11.4}$$
#
# The broken one squashed $g$ a second time. For $g$ between 0 and 1 that gives a number between
# .197 and .25: at $g = \tfrac12$ it is .235 in place of .25. The sign is right, and nothing vanishes. But a
# gate that is shut has no slope, and here it has nearly the largest.

# %% found="fix_gated_backward"
z = np.linspace(-5, 5, 11)
slope = (sigmoid(z + 1e-5) - sigmoid(z - 1e-5)) / 2e-5
assert np.allclose(sigmoid(z) * (1 - sigmoid(z)), slope), "(11.4) does not hold"
print("(11.4) holds")

# %% [markdown] sitting=2
# > **A place to stop.** Five bugs are mended, five are left.

# %% [markdown] slide="slide"
# ## Bug 6 · An LSTM with stacked gates
#
# The step of notebook 05, its four blocks stacked in the order of this course, $H$ rows each.
# `W["h"]` is (4H, H), `W["x"]` (4H, D), `W["b"]` (4H, 1).

# %% [markdown] slide="notes"
# Do not say where to look. Ask: "you train this from scratch. Does anybody ever notice?" Nobody
# does: names are arbitrary until weights meet a second program. The usual wrong answer: it cannot
# learn.


# %% given="broken_lstm_step" slide="fragment"
def broken_lstm_step(x_t, h_prev, c_prev, W):
    z = W["h"] @ h_prev + W["x"] @ x_t + W["b"]
    f, i, c, o = np.split(z, 4)
    gates = {"f": sigmoid(f), "i": sigmoid(i), "o": sigmoid(o), "c": np.tanh(c)}
    c_t = gates["f"] * c_prev + gates["i"] * gates["c"]
    h_t = gates["o"] * np.tanh(c_t)
    return h_t, c_t, gates


# %% [markdown] slide="subslide"
# ### What shows it?
#
# Somebody derives the way back from this code, line by line and without a slip, and trains both from
# scratch. What do a gradient check and the training curve say?

# %% guess="11.10"
guess(
    "11.10",
    gradient_check="passes",
    training="learns as well",
    choices={
        "gradient_check": ("passes", "fails"),
        "training": ("learns as well", "learns worse", "learns nothing"),
    },
)

# %% [markdown] answer="11.10" slide="fragment"
# **Both see nothing.** The step is a right LSTM, for weights in another order. Trained from
# scratch it is as good as any. It fails on the day when weights come from elsewhere, or when you
# set a bias by hand: a forget bias of 1 may land in another gate.

# %% [markdown]
# A limit case: one unit, all weights zero. In the rows of the **output gate** the bias is −100,
# elsewhere 0, and the memory before is 1. What do $c_t$ and $h_t$ have to be, to one digit behind
# the point? ($\sigma(0) = \tfrac12$, $\tanh(0) = 0$.)

# %% guess="11.11"
guess("11.11", c_t=0.5, h_t=0)

# %% [markdown] answer="11.11"
# Half of the memory is kept, a candidate of 0 is written: $c_t = 0.5$. The output gate is shut:
# $h_t = 0$.

# %%
shut = {"h": np.zeros((4, 1)), "x": np.zeros((4, 1)), "b": np.array([[0.0], [0.0], [-100.0], [0.0]])}
h_t, c_t, _ = broken_lstm_step(np.zeros((1, 1)), np.zeros((1, 1)), np.ones((1, 1)), shut)
print(f"c_t = {c_t[0, 0]:.2f}, h_t = {h_t[0, 0]:.2f}")
report("lstm_step", "shape", h_t.shape == c_t.shape == (1, 1))
report("lstm_step", "limit case", np.allclose([c_t[0, 0], h_t[0, 0]], [0.5, 0.0]))

# %% [markdown]
# ### Exercise: mend it


# %% exercise="fix_lstm_step" points=2
def fix_lstm_step(
    x_t: np.ndarray, h_prev: np.ndarray, c_prev: np.ndarray, W: dict
) -> tuple[np.ndarray, np.ndarray, dict]:
    """One step of an LSTM whose blocks are stacked: forget, input, output gate, candidate.

    Args:
        x_t: (D, N) input.
        h_prev: (H, N) visible state before.
        c_prev: (H, N) memory before.
        W: weights, "h" (4H, H), "x" (4H, D), "b" (4H, 1), blocks of H rows.

    Returns:
        h_t: (H, N) visible state.
        c_t: (H, N) memory.
        gates: "f", "i", "o" and "c" (the candidate), each (H, N).
    """
    ### BEGIN SOLUTION
    z = W["h"] @ h_prev + W["x"] @ x_t + W["b"]
    f, i, o, c = np.split(z, 4)
    gates = {"f": sigmoid(f), "i": sigmoid(i), "o": sigmoid(o), "c": np.tanh(c)}
    c_t = gates["f"] * c_prev + gates["i"] * gates["c"]
    h_t = gates["o"] * np.tanh(c_t)
    return h_t, c_t, gates
    ### END SOLUTION


# %% check="fix_lstm_step"
check(fix_lstm_step)

# %% [markdown] found="fix_lstm_step"
# **The story.** In the split output gate and candidate had changed places: it was f, i, c, o, and
# the docstring says f, i, o, c. Every program has an order of its own (PyTorch's is i, f, c, o:
# notebook 08), so whoever reads weights of another one meets this bug. Only an answer that you know
# beforehand shows it: a limit case, or another program.

# %% [markdown] slide="slide"
# ## Bug 7 · The way back through an LSTM
#
# The way back through one LSTM step, notebook 06, with stacked gates.

# %% [markdown] slide="notes"
# Ask them to read line by line and to say for each factor which forward operation it belongs to.
# It takes three minutes, and it is the only way here: the line looks right. The usual wrong
# answer: the order of the blocks, because of bug 6.


# %% given="broken_lstm_backward" slide="fragment"
def broken_lstm_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    f, i, o, c = (gates[k] for k in "fioc")
    dc = dc + dh * o * (1 - c_t**2)
    df = dc * c_prev * f * (1 - f)
    di = dc * c * i * (1 - i)
    do = dh * np.tanh(c_t) * o * (1 - o)
    da = dc * i * (1 - c**2)
    dz = np.concatenate([df, di, do, da])
    dW = {"h": dz @ h_prev.T, "x": dz @ x_t.T, "b": dz.sum(axis=1, keepdims=True)}
    return W["x"].T @ dz, W["h"].T @ dz, dc * f, dW


# %% [markdown] slide="subslide"
# ### Does the check pass?
#
# A gradient check by `W["x"]`, once with memories near **0.05** before the step, as just after the
# start, and once with memories near **2**. Many programs take a relative gap below 1e-4 for
# "passed". Do these two pass, True or False?

# %% guess="11.12"
guess("11.12", near_0=True, near_2=False)


# %% needs="fix_lstm_step"
mended(fix_lstm_step)


def check_lstm(backward, memory):
    """The gap of a way back through an LSTM step by W["x"], with a memory of some size."""
    W = {"h": 0.02 * drawn(16, 4), "x": 0.02 * drawn(16, 3), "b": np.zeros((16, 1))}
    x_t, h_prev, c_prev = drawn(3, 2), 0.1 * drawn(4, 2), memory * np.sign(drawn(4, 2))
    dh = drawn(4, 2, seed=4)
    _, c_t, gates = fix_lstm_step(x_t, h_prev, c_prev, W)
    by_hand = backward(dh, 0 * dh, x_t, h_prev, c_prev, c_t, gates, W)[-1]["x"]
    loss = lambda: np.sum(dh * fix_lstm_step(x_t, h_prev, c_prev, W)[0])
    return gap(by_hand, numerical_gradient(loss, W["x"]))


for memory in (0.05, 2.0):
    print(f"memories near {memory}: relative gap {check_lstm(broken_lstm_backward, memory):.0e}")
report("lstm_backward", "gradient check", check_lstm(broken_lstm_backward, 2.0) < 1e-6)

# %% [markdown]
# And a limit case: memories of 50. One of the gradients is known there without computing.

# %% hide_input=true
W_lstm = {"h": drawn(16, 4), "x": drawn(16, 3), "b": drawn(16, 1)}
dh, dc, x_t, h_prev = drawn(4, 2), np.zeros((4, 2)), drawn(3, 2), drawn(4, 2, seed=3)
c_prev, c_t, gates = np.full((4, 2), 100.0), np.full((4, 2), 50.0), {k: np.full((4, 2), 0.5) for k in "fioc"}
dx, _, dc_prev, dW = broken_lstm_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W_lstm)
report("lstm_backward", "shape", dx.shape == (3, 2) and dW["b"].shape == (16, 1))
report("lstm_backward", "limit case", np.allclose(dc_prev, 0))

# %% [markdown] answer="11.12" slide="fragment"
# **True, and False.** With memories near zero the wrong way back and the right one agree to some
# digits, with memories of 2 they have nothing in common. Check a gradient where the network *works*, not
# only where it starts; and ask for eight digits, not for four.

# %% [markdown]
# ### Exercise: mend it


# %% exercise="fix_lstm_backward" points=2
def fix_lstm_backward(
    dh: np.ndarray,
    dc: np.ndarray,
    x_t: np.ndarray,
    h_prev: np.ndarray,
    c_prev: np.ndarray,
    c_t: np.ndarray,
    gates: dict,
    W: dict,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict]:
    """The way back through one step of an LSTM with stacked blocks.

    Args:
        dh: (H, N) what arrives at the visible state.
        dc: (H, N) what arrives at the memory from the next step.
        x_t: (D, N) input.
        h_prev: (H, N) visible state before.
        c_prev: (H, N) memory before.
        c_t: (H, N) memory after.
        gates: "f", "i", "o" and "c" (the candidate), each (H, N).
        W: weights, "h" (4H, H), "x" (4H, D), "b" (4H, 1), blocks f, i, o, c of H rows.

    Returns:
        dx: (D, N) gradient by x_t.
        dh_prev: (H, N) gradient by h_prev.
        dc_prev: (H, N) gradient by c_prev.
        dW: gradients by the weights, keys and shapes as W.
    """
    ### BEGIN SOLUTION
    f, i, o, c = (gates[k] for k in "fioc")
    dc = dc + dh * o * (1 - np.tanh(c_t) ** 2)  # (11.5)
    df = dc * c_prev * f * (1 - f)
    di = dc * c * i * (1 - i)
    do = dh * np.tanh(c_t) * o * (1 - o)
    da = dc * i * (1 - c**2)
    dz = np.concatenate([df, di, do, da])
    dW = {"h": dz @ h_prev.T, "x": dz @ x_t.T, "b": dz.sum(axis=1, keepdims=True)}
    return W["x"].T @ dz, W["h"].T @ dz, dc * f, dW
    ### END SOLUTION


# %% check="fix_lstm_backward"
check(fix_lstm_backward)

# %% [markdown] found="fix_lstm_backward"
# **The story.** The rule "one minus the square of the output" wants the **output** of the tanh. Here
# it got its input, the memory. Between the two lies
#
# $$\bigl(1 - \tanh^2 c\bigr) - \bigl(1 - c^2\bigr) \approx \tfrac23 c^4 \tag{11.5}$$
#
# for small $c$: nothing to see at .05. But a memory is not bounded. Of a memory of 2 a forget gate of one
# half leaves about 1, and there the wrong slope is next to nothing, while the right one is .4. From
# $|c| = 1$ on the wrong slope is negative, and it grows: the further a memory is filled, the harder it is
# driven the wrong way. The limit case: a memory of 50 is shown as 1, whatever happens to it, so of what
# arrives at the visible state nothing goes on to the memory before.

# %% found="fix_lstm_backward"
c = np.array([0.01, 0.05, 0.1])
assert np.allclose((1 - np.tanh(c) ** 2) - (1 - c**2), 2 / 3 * c**4, rtol=0.02), "(11.5) does not hold"
print("(11.5) holds")

# %% [markdown] slide="slide"
# ## Bug 8 · Behind the end
#
# Sequences of unlike `lengths` (N,), filled up behind their ends, as in notebook 07: with zeros, as a
# rule, but with what must make no difference. Who takes `states[-1]` as the summary wants each
# sequence's *own* last state there.

# %% [markdown] slide="notes"
# Ask: "what is states[-1] for a sentence of three words in a batch of length ten?" The usual wrong
# answer: "zero is right, there is no word". A mask says which steps count, not which states.


# %% given="broken_masked_forward" slide="fragment"
def broken_masked_forward(xs, lengths, s0, W):
    states = []
    s = s0
    for t, x_t in enumerate(xs):
        is_word = t < lengths
        s = is_word * np.tanh(W["ss"] @ s + W["sx"] @ x_t)
        states.append(s)
    return np.stack(states)


# %% [markdown]
# A sequence of three steps stands in a batch of six steps. What stands for it in `states[-1]`, in the
# place of its last state? And a limit case: all sequences are equally long. Does it pass?

# %% guess="11.13"
guess(
    "11.13",
    last_state="zeros",
    limit_case="passes",
    choices={
        "last_state": ("zeros", "its state after step 3", "a state that went on changing", "nan"),
        "limit_case": ("passes", "fails"),
    },
)

# %% [markdown] answer="11.13"
# **Zeros, and it passes.** What shows it is the comparison: the last state of a sequence in the batch,
# against the same sequence alone. Padding is an agreement among programmers: an answer must not hang on
# it.

# %%
lengths = np.array([6, 3])
xs = drawn(6, 3, 2) * (np.arange(6)[:, None, None] < lengths)
together = broken_masked_forward(xs, lengths, zeros(), W_rnn)
apart = broken_masked_forward(xs[:3, :, 1:], lengths[1:], zeros()[:, 1:], W_rnn)
report("masked_forward", "shape", together.shape == (6, 4, 2))
whole = broken_masked_forward(xs[:3], np.array([3, 3]), zeros(), W_rnn)
report("masked_forward", "limit case", np.allclose(whole[-1][:, 1:], apart[-1]))
report("masked_forward", "comparison", np.allclose(together[-1][:, 1:], apart[-1]))

# %% [markdown]
# ### Exercise: mend it


# %% exercise="fix_masked_forward" points=2
def fix_masked_forward(xs: np.ndarray, lengths: np.ndarray, s0: np.ndarray, W: dict) -> np.ndarray:
    """All states of a simple RNN over sequences of unlike lengths.

    Args:
        xs: (T, D, N) inputs; behind a sequence's end any finite numbers.
        lengths: (N,) how many steps each sequence has, between 1 and T.
        s0: (H, N) the state before the first step; it is the caller's, and stays as it is.
        W: weights, "ss" (H, H) and "sx" (H, D).

    Returns:
        states: (T, H, N), the state after each step; behind a sequence's end its last one, again
            and again.
    """
    ### BEGIN SOLUTION
    states = []
    s = s0
    for t, x_t in enumerate(xs):
        is_word = t < lengths
        s = np.where(is_word, np.tanh(W["ss"] @ s + W["sx"] @ x_t), s)
        states.append(s)
    return np.stack(states)
    ### END SOLUTION


# %% [markdown]
# It is tried as in bug 2: the states, and `s0` after the call.


# %% given="masked_probe"
def try_masked_forward(xs, lengths, s0, W):
    """What fix_masked_forward returns, and the caller's s0 after the call."""
    mine = s0.copy()
    states = fix_masked_forward(xs, lengths, mine, W)
    return states, mine


# %% check="fix_masked_forward"
check(fix_masked_forward)

# %% [markdown] found="fix_masked_forward"
# **The story.** Multiplying by the mask stops the step, but it also wipes out the state: every
# sequence shorter than the longest was summarised by zeros, and the read-out gave one answer for all
# of them. A mask *chooses* between two states, the new one and the old. With batches of equal
# lengths, as in a first test, nothing is wrong.

# %% [markdown] slide="slide"
# ## Bug 9 · Temperature
#
# A model speaks by drawing a class from probabilities. A **temperature** (notebook 09) below 1 makes
# it play safe: near 0 it always says the likeliest class. Above 1 it becomes bold: at a very high
# one all classes are equally likely. At temperature 1 nothing changes.

# %% [markdown] slide="notes"
# Ask: "what must come out at a temperature near zero?" One, for the largest. Then let them put
# numbers in: p = (.8, .2), temperature .5. No training will ever see it. The usual wrong answer:
# that the order of the two divisions does not matter.


# %% given="broken_temperature" slide="fragment"
def broken_temperature(logits, temperature):
    e = np.exp(logits - logits.max(axis=0))
    p = e / e.sum(axis=0)
    p = p / temperature
    return p / p.sum(axis=0)


# %% [markdown] slide="subslide"
# ### What does it return?
#
# The broken one is given the probabilities .8 and .2 (as logits), and a temperature of 0.5. What is the
# first of the two probabilities that it returns?

# %% guess="11.14"
guess("11.14", first=0.8)

# %%
logits = np.log(np.array([[0.8], [0.2]]))
for temperature in (0.01, 0.5, 1.0, 100.0):
    print(f"temperature {temperature:6}: {broken_temperature(logits, temperature)[:, 0].round(3)}")
report("temperature", "shape", broken_temperature(logits, 0.5).shape == (2, 1))
shifted = broken_temperature(logits + 5, 0.5)  # logits that are all larger by 5 say the same
report("temperature", "comparison", np.allclose(shifted, broken_temperature(logits, 0.5)))
report("temperature", "limit case", broken_temperature(logits, 0.01)[0, 0] > 0.99)

# %% [markdown] answer="11.14" slide="fragment"
# **0.8**: the temperature has no effect at all. Sums and shapes are as they should be.

# %% [markdown]
# ### Exercise: mend it
#
# It survives logits of a thousand, and must do so still, at temperatures of 0.01 and of 100 too.


# %% exercise="fix_temperature" points=2
def fix_temperature(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities to draw from, at some temperature.

    Args:
        logits: (C, N) logits of C classes.
        temperature: above zero.

    Returns:
        p: (C, N) probabilities, each column sums to 1.
    """
    ### BEGIN SOLUTION
    scaled = logits / temperature
    e = np.exp(scaled - scaled.max(axis=0))
    p = e / e.sum(axis=0)
    return p
    ### END SOLUTION


# %% check="fix_temperature"
check(fix_temperature)

# %% [markdown] found="fix_temperature"
# **The story.** What is divided by a number and then by its sum is what it was: the number cancels.
# Inside of the exponential it does not. With the temperature $\tau$ and $p$ the probabilities at
# temperature 1,
#
# $$\operatorname{softmax}\left(\frac{z}{\tau}\right)_k
# = \frac{p_k^{1/\tau}}{\sum_j p_j^{1/\tau}} \tag{11.6}$$
#
# No loss and no gradient ever meets this function, so only somebody who asks it a question with a
# known answer finds out.

# %% found="fix_temperature"
z, tau = np.array([1.0, 0.3, -2.0]), 0.5
softmax = lambda a: np.exp(a) / np.exp(a).sum()
powers = softmax(z) ** (1 / tau)
assert np.allclose(softmax(z / tau), powers / powers.sum()), "(11.6) does not hold"
print("(11.6) holds")

# %% [markdown] slide="slide"
# ## Bug 10 · On your own
#
# Adam, in five lines. It keeps a running mean $m$ of the gradients and a running mean $v$ of their
# squares, both zero at first; $t$ counts the steps, from 1 on.

# %% [markdown] slide="notes"
# This one is the transfer exercise: no instrument is proposed. Do not solve it. Ask only: "what do
# you know about Adam that you could check by hand?" The usual wrong answer: nothing, it is a
# recipe.


# %% given="broken_adam_step" slide="fragment"
def broken_adam_step(W, dW, m, v, t, learning_rate):
    m = {key: 0.9 * m[key] + 0.1 * dW[key] for key in W}
    v = {key: 0.999 * v[key] + 0.001 * dW[key] ** 2 for key in W}
    step = {key: m[key] / (np.sqrt(v[key]) + 1e-8) for key in W}
    new_W = {key: W[key] - learning_rate * step[key] for key in W}
    return new_W, m, v


# %% [markdown]
# Read its head as well as its lines.
#
# All gradients are 1, at every step. How long should a step of Adam be, in units of the
# learning rate: the very first, and the hundredth?

# %% guess="11.15"
guess("11.15", first=1, hundredth=1)

# %% [markdown] answer="11.15"
# **1 and 1.** Both running means are to be *means*: of gradients that are all 1 each is 1, and so is
# their ratio. Try what the broken one gives.

# %% [markdown]
# ### Exercise: mend it


# %% exercise="fix_adam_step" points=3
def fix_adam_step(
    W: dict, dW: dict, m: dict, v: dict, t: int, learning_rate: float
) -> tuple[dict, dict, dict]:
    """One step of Adam, with 0.9 for the mean, 0.999 for the squares; 1e-8 is added to the root.

    Args:
        W: weights by name, arrays of any shapes.
        dW: their gradients, keys and shapes as W.
        m: running means of the gradients before this step, as W; what is kept from step to step.
        v: running means of the squares before this step, as W; what is kept from step to step.
        t: the number of this step, 1 for the first.
        learning_rate: length of a step, about.

    Returns:
        new_W: the weights after the step, as W.
        m: the running means, as they are kept for the next step.
        v: the running means of the squares, as they are kept for the next step.
    """
    ### BEGIN SOLUTION
    m = {key: 0.9 * m[key] + 0.1 * dW[key] for key in W}
    v = {key: 0.999 * v[key] + 0.001 * dW[key] ** 2 for key in W}
    mean = {key: m[key] / (1 - 0.9**t) for key in W}  # (11.7)
    square = {key: v[key] / (1 - 0.999**t) for key in W}  # (11.7)
    step = {key: mean[key] / (np.sqrt(square[key]) + 1e-8) for key in W}
    new_W = {key: W[key] - learning_rate * step[key] for key in W}
    return new_W, m, v
    ### END SOLUTION


# %% check="fix_adam_step"
check(fix_adam_step)

# %% [markdown] found="fix_adam_step"
# **The story.** Running means that start from zero are too small at first: after $t$ steps with a
# constant gradient $G$ they hold
#
# $$m_t = (1 - 0.9^t)\, G, \qquad v_t = (1 - 0.999^t)\, G^2 \tag{11.7}$$
#
# Adam divides by these factors, and the broken one never used `t`. Its first step is
# $0.1 / \sqrt{0.001} \approx 3.2$ learning rates long, and the tenth longer still. The code that was
# published with BERT had this very Adam, and Zhang et al. (2021) found that it makes fine-tuning
# unstable.

# %% found="fix_adam_step"
m_t = v_t = 0.0
for t in range(1, 51):
    m_t, v_t = 0.9 * m_t + 0.1 * 3.0, 0.999 * v_t + 0.001 * 9.0
    assert np.isclose(m_t, (1 - 0.9**t) * 3) and np.isclose(v_t, (1 - 0.999**t) * 9), "(11.7) does not hold"
print("(11.7) holds")

# %%
ones = {"w": np.ones(1)}
none = {"w": np.zeros(1)}
after, *_ = broken_adam_step(none, ones, none, none, 1, 0.01)
print(f"the first step is {abs(after['w'][0]) / 0.01:.2f} learning rates long")
report("adam_step", "shape", after["w"].shape == (1,))
report("adam_step", "limit case", np.isclose(abs(after["w"][0]), 0.01))

# %% [markdown] slide="slide"
# ## 3 · Would you have noticed?
#
# Nine of the ten stand in a training. (No network here is trained with a temperature.) The task:
# twelve steps, at each a number drawn evenly between 0 and 1, two of them **marked**; the answer is the
# sum of the two. Who always answers 1, the mean, has a loss of about $\tfrac16$.
#
# | bugs | network | steps |
# |---|---|---|
# | 1, 2, 3, 4, 10 | simple RNN | 12 |
# | 5 | gated RNN | 12 |
# | 6, 7 | LSTM | 12 |
# | 8 | simple RNN | 4 to 12, a length for each sequence |

# %% [markdown] slide="subslide"
# ### How many learn?
#
# Networks of 16 units, 600 batches of 32 sequences, Adam, clipping at 1. Each bug ten times, with the
# same seeds as the right program; everything else is right.
#
# We call it *learning* when the last loss is below **half** of $\tfrac16$. With how many of the
# nine bugs do the networks learn (in the median of the seeds)?

# %% [markdown] slide="notes"
# Let everybody write down a number before you go on, and ask for the lowest and the highest.
# The usual wrong answer: two or three. Runs were made by scripts/train_11.py and lie in the
# package; the live run further down uses the students' own functions.

# %% guess="11.16"
guess("11.16", bugs_that_learn=5)

# %% [markdown] slide="subslide"
# ### With and without
#
# Choose a bug, then show its curve. (Trained beforehand, ten seeds each: two minutes on one core.)

# %% slide="-" hide_input=true
explorer(
    "bug_curves",
    figures.curves_data(),
    alt="Loss against batches for a network that learns the adding problem, one thin line a seed. A list "
    "chooses one of nine bugs; a button adds the curves of the same network with that bug; a slider sets "
    "how many seeds are shown.",
)

# %% [markdown] slide="subslide"
# ### All nine
#
# The loss while it trains, with the bug and without. Which of them would you have noticed?

# %% slide="-" hide_input=true
runs = figures.results()["losses"]
last = {bug: np.array([both["with"], both["without"]])[:, :, -1] for bug, both in runs.items()}
learns = {bug: np.median(last[bug][0]) < 1 / 12 for bug in last}
show(
    figures.all_curves(runs),
    alt="Nine small pictures of the loss against batches, without and with a bug. "
    + " ".join(
        f"{figures.numbered(bug)}: {np.median(broken):.3f} with it, {np.median(right):.3f} without."
        for bug, (broken, right) in last.items()
    ),
)

# %% hide_input=true
for bug, (broken, right) in last.items():
    print(
        f"{figures.numbered(bug):22} last loss {np.median(broken):.3f} "
        f"({broken.min():.3f} to {broken.max():.3f}), "
        f"without the bug {np.median(right):.3f} ({right.min():.3f} to {right.max():.3f})"
    )
print(f"{sum(learns.values())} of {len(learns)} learn")

# %%
reveal("11.16")

# %% [markdown] answer="11.16" sealed=true slide="subslide"
# **Five of nine.** Some learn as well as the right program: nobody who looks at the curve alone
# will ever look for the bug. Others learn more slowly, and would be taken for a hard task, or for too
# few units. With bug 3 the last step's contribution alone is counted; but the steps share one matrix, and
# what the last step makes of it serves them all. Over eight other seeds the matrix went as far from its
# start as in the right program, and the loss ended between .045 and .096, in place of .006 to .022.
#
# A curve that falls is no proof. And a curve tells *that* something is wrong only to somebody who knows
# the right one.

# %% [markdown]
# Now live, with **your** functions in all places: 400 batches, two seeds, with all of yours and with
# one bug put back.

# %% needs="fix_time_first fix_forward fix_backward fix_clip fix_adam_step"
mended(fix_time_first, fix_forward, fix_backward, fix_clip, fix_adam_step)
mine = {"time_first": fix_time_first, "forward": fix_forward, "backward": fix_backward}
mine |= {"clip": fix_clip, "adam_step": fix_adam_step}
ends = {}
for name, parts in (("yours", mine), ("bug 2 put back", mine | {"forward": broken_forward})):
    ends[name] = [bug_hunt.losses_of(parts, "rnn", seed, updates=400)[0][-50:].mean() for seed in (0, 1)]
    print(f"{name}: last losses {np.round(ends[name], 3)}, who answers 1 has {1 / 6:.3f}")
claim(
    "with your functions the losses end below 0.12, with bug 2 above it",
    max(ends["yours"]) < 0.12 < min(ends["bug 2 put back"]),
    f"at most {max(ends['yours']):.3f}, and at least {min(ends['bug 2 put back']):.3f}",
)

# %% [markdown]
# And bug 6, which no curve shows? Two LSTMs learn with your functions. Then their weights are read by
# the broken step: for it they are weights from elsewhere.

# %% needs="fix_time_first fix_clip fix_adam_step fix_lstm_step fix_lstm_backward"
mended(fix_time_first, fix_clip, fix_adam_step, fix_lstm_step, fix_lstm_backward)
parts = {"time_first": fix_time_first, "clip": fix_clip, "adam_step": fix_adam_step}
parts |= {"lstm_step": fix_lstm_step, "lstm_backward": fix_lstm_backward}
in_yours, in_broken = [], []
for seed in (0, 1):
    _, learnt_weights = bug_hunt.losses_of(parts, "lstm", seed, updates=250)
    in_yours.append(bug_hunt.loss_of(parts, "lstm", learnt_weights))
    in_broken.append(bug_hunt.loss_of(parts | {"lstm_step": broken_lstm_step}, "lstm", learnt_weights))
claim(
    "the same weights lose more than ten times as much in the broken step",
    min(in_broken) > 10 * max(in_yours),
    f"at most {max(in_yours):.4f} in yours, at least {min(in_broken):.2f} in the broken one",
)

# %% [markdown]
# Over twelve seeds it was 33 to 1,500 times as much, about 200 times in the median. What was learnt with
# one order is noise in another.

# %% [markdown] slide="slide"
# ## 4 · Which instrument sees which bug?
#
# What the instruments said above was noted. (Two notes are still missing: the gradient check of bug 6,
# and the curves. They come below.) How many of the ten does the **shape** show? And which instrument
# shows the largest number of bugs? Not each was tried on all ten: shape and limit case were, the curve
# on nine, comparison and gradient check on five each.

# %% [markdown] slide="notes"
# Shapes are what most people assert, and what most error messages are about. Ask: "so are they
# useless?" No: they caught all the bugs that did not make it into this notebook. The usual wrong
# answer: the gradient check, or the curve, shows most.

# %% guess="11.17"
guess(
    "11.17",
    by_its_shape=0,
    most="limit case",
    choices={"most": ("shape", "limit case", "comparison", "gradient check", "training curve")},
)

# %% [markdown]
# The two missing notes. The gradient check of bug 6, with a way back that fits its order; and what the
# curves say: a bug shows where the networks do not learn.


# %% needs="fix_lstm_backward"
mended(fix_lstm_backward)


def exchanged(array):
    """An array of stacked blocks with the third and the fourth exchanged."""
    f, i, third, fourth = np.split(array, 4)
    return np.concatenate([f, i, fourth, third])


def fitting_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
    """The way back through the broken step, by your own way back."""
    turned = {key: exchanged(W[key]) for key in W}
    *rest, dW = fix_lstm_backward(dh, dc, x_t, h_prev, c_prev, c_t, gates, turned)
    return *rest, {key: exchanged(dW[key]) for key in dW}


W = {name: array.copy() for name, array in W_lstm.items()}
x_t, h, c, dh = drawn(3, 2), drawn(4, 2), drawn(4, 2, seed=3), drawn(4, 2, seed=4)
by_hand = fitting_backward(dh, 0 * dh, x_t, h, c, *broken_lstm_step(x_t, h, c, W)[1:], W)[-1]["x"]
loss = lambda: np.sum(dh * broken_lstm_step(x_t, h, c, W)[0])
report("lstm_step", "gradient check", gap(by_hand, numerical_gradient(loss, W["x"])) < 1e-6)

# %%
for bug, both in figures.results()["losses"].items():
    last_losses = np.array(both["with"])[:, -1]  # one for each seed
    report(bug, "training curve", np.median(last_losses) < 1 / 12)

# %% [markdown] slide="subslide"
# ### The table, as it was computed
#
# Which instrument shows none of the ten, and which the most?

# %% slide="-" hide_input=true
show(
    figures.table(said),
    alt="Which instrument shows which bug. "
    + " ".join(
        f"{figures.numbered(bug)}: {', '.join(name for name, shows in notes.items() if shows) or 'none'}."
        for bug, notes in said.items()
    ),
)

# %% hide_input=true
instruments = ("shape", "limit case", "comparison", "gradient check", "training curve")
for instrument in instruments:
    tried = [notes[instrument] for notes in said.values() if instrument in notes]
    print(f"{instrument}: tried on {len(tried)}, shows {sum(tried)}")
cheap = [any(notes.get(name) for name in instruments[1:4]) for notes in said.values()]
print(f"limit case, comparison and gradient check together: {sum(cheap)} of {len(said)}")

# %% [markdown] answer="11.17" slide="subslide"
# **None, and the limit case**, six of ten. Every one of the ten returns what its docstring says, in
# shape. A limit case costs nothing but a thought: you have to know an answer before you ask. Where it was
# blind, the limit was the wrong one: a batch of one, a sequence of one step, a matrix of zeros, sequences
# all equally long. The gradient check shows four of the five that it was tried on, a better share; but
# for half of the ten there is no way back here that it could hold against them.
#
# No instrument shows all. Limit case, comparison and gradient check **together** do, in less than a second.
# The curve, the most expensive of the five, adds nothing to them.

# %% [markdown]
# Last, a look at your own three gradients, at sizes and places where bugs showed:

# %% needs="fix_forward fix_backward fix_gated_backward fix_lstm_step fix_lstm_backward"
mended(fix_forward, fix_backward, fix_gated_backward, fix_lstm_step, fix_lstm_backward)
for name, found in (
    ("fix_backward", check_backward(fix_forward, fix_backward, T=5)),
    ("fix_gated_backward", check_gated(fix_gated_backward, 2.0)),
    ("fix_lstm_backward", check_lstm(fix_lstm_backward, 2.0)),
):
    assert found < 1e-6, f"{name} does not agree with nudges"
    print(f"{name}: relative gap {found:.0e}")

# %% [markdown] written="commit_message" points=3
# ### Written question: the message
#
# Bug 7 stood for two years in a program that forty people train their LSTMs with, and nobody noticed,
# though with it seven of ten networks do not learn the adding problem. You mend it. Write the message that
# goes with the change, for these forty, in at most eight sentences: what was wrong, and on what sort of
# task nobody notices it; which of their results you would trust, which you would compute again, and what
# of a network that is already trained and only *used*; and which test keeps the bug from coming back.
#
# === BEGIN MARK SCHEME ===
# - 1 point: what was wrong, in words: the slope of the tanh behind the memory was written with what goes
#   into the tanh and not with what comes out; unnoticed where memories stay small (short sequences, forget
#   gates near one half): near an empty memory the two agree, and losses fall; shapes fit anyway. The line
#   alone, old and new, or no word on the task, earns half a point.
# - 1 point: what is touched: gradients only, so every way there is right: a trained network may go on being
#   used, and its measured accuracy is true. Trainings with memories that stayed small are hardly touched;
#   those with long sequences or forget gates near 1, that stalled or became unstable, or comparisons that
#   the LSTM lost, are to be run again. "Everything is wrong" or "nothing changes" earns nothing.
# - 1 point: a test with numbers: a gradient check with memories of 2 and more, tolerance 1e-6 or less; or the
#   limit case: a memory of 50 lets nothing through. "A gradient check" without the memory earns half a point.
# === END MARK SCHEME ===

# %% [markdown] written="green_lights" points=3
# ### Written question: three green lights
#
# A colleague wrote a GRU and its way back in NumPy. She shows you three green lights: all shapes are
# asserted; a gradient check with one unit, one step and weights of size 0.01 passes at a tolerance of
# 0.001; the loss fell to a third of what it was. "So there is no bug in it."
#
# For each light, name **one** mistake in a GRU that it would not have seen, and say why. Then: you may
# run two tests of your own. Which two, with which sizes and numbers, and why these?
#
# === BEGIN MARK SCHEME ===
# - 1 point: mistakes that pass the three lights, with a reason for each: shapes (gate and reset gate
#   exchanged, a transposed square matrix, g and 1 - g); one unit and one step (a transposed W, anything
#   that is carried between steps, a reset before in place of after the product: they agree for one
#   unit); small weights and a coarse tolerance (a slope that is right near one half or near zero only);
#   loss (a gradient that is wrong by a factor, a path that is missing). Half a point for two of three.
# - 1 point: two tests that together see what the lights missed: for instance a gradient check with sizes
#   that all differ, T above 2, weights of size 1, tolerance 1e-7; and a limit case with hand-set biases
#   (gate shut: the state stays; reset shut: the candidate sees the input alone), or a comparison with
#   another program's numbers.
# - 1 point: why two of different kinds: a gradient check cannot see that way there and way back are
#   wrong together; limit cases and comparisons of outputs cannot see a wrong way back. "More seeds" or
#   "train longer" earns nothing.
# === END MARK SCHEME ===

# %% [markdown] slide="slide"
# ## Recap
#
# - Code that runs and returns the right shapes can be wrong, and so can a network that learns.
# - **Limit cases** and **comparisons** see what an answer should be. A **gradient check** sees
#   whether the way there and the way back belong together, and only that.
# - Test with sizes that all differ, more than one step, more than one sequence, and numbers large
#   enough that something bends.
# - Ask for eight digits, where the gradient itself is not next to nothing. "Nearly right" is another
#   word for wrong.
# - Mend one line, and try everything again: what was right has to stay right.

# %% [markdown] slide="notes"
# Go back to the sentence on the board, "because the loss falls". Ask what should stand there now.

# %% [markdown] slide="slide"
# ## To read on
#
# - D. Kingma, J. Ba: *Adam: A Method for Stochastic Optimization*, arXiv 1412.6980. Section 3 derives
#   what bug 10 lacks.
# - T. Zhang, F. Wu, A. Katiyar, K. Weinberger, Y. Artzi: *Revisiting Few-sample BERT
#   Fine-tuning*, ICLR 2021, arXiv 2006.05987. What one missing line in published code did.
# - A. Karpathy: *A Recipe for Training Neural Networks*, 2019. How to look for bugs before they
#   look for you.
