# %% [markdown] slide="slide"
# # 02 · Backpropagation through time
#
# One pair of matrices, used at every position of a sentence.
# Which of these uses is to blame for a wrong prediction, and by how much?

# %% [markdown] slide="notes"
# Open question to the room: "you have backpropagated through a network with five
# layers. Now somebody tells you that all five layers are the same matrix. What
# changes?" The usual wrong answer: "take the gradient of one layer, they are all the
# same". Do not resolve it; the bars in part 5 will.

# %% [markdown] slide="slide"
# ## What you will be able to do
#
# - find the way back through a matrix product, and with it through any layer;
# - carry an error signal from the loss to every state, and on to every input;
# - tell a **direct** derivative from a **total** one, and know which of them you hold;
# - compute what each position contributes to a shared weight's gradient, and sum it up;
# - train a recurrent network with a backward pass you found and wrote yourself, until it
#   writes words.
#
# **Time**: {time}. The places to stop are marked.

# %% [markdown] slide="notes"
# The lecture takes 50 minutes. Parts 1 to 3 are the chain rule as the room knows it;
# go through them quickly. The new ideas are in parts 4 and 6: direct and total, and
# the sum. The deck shows the derivations; the students' notebook does not, until they
# have found them.

# %% [markdown]
# ### How this notebook works
#
# The formulas of the way back are **not** in it. You find them: small steps, one case
# with numbers, and a check that compares your function with slopes measured on the way
# forward. When the check is right, it shows the derivation, where one was kept back.
#
# Stuck? `hint(rnn_step_backward)` gives one hint at a time, for any exercise.
# `show_derivation(rnn_step_backward)`, in a cell of your own, gives up on one derivation and
# shows it. Neither costs anything. `progress()` says where you are.
#
# You need notebooks 00 and 01, the chain rule for numbers, and matrix products.

# %%
from textwrap import fill

from autograder import check, guess, hint, progress, recall, reveal, show_derivation
from rnncourse import claim, course_text, explorer, figures_02, show, table
from rnncourse.cells import step_through

# %% given="imports"
import numpy as np

# %% [markdown]
# ### Three minutes of recall
#
# Answer from memory: write in the place of the three dots, then run the cell.

# %% recall="02.r1"
# Notebook 01: what does the tanh of a step squash?
recall("02.r1", squashed="the sum", choices=("the sum", "each product by itself"))

# %% [markdown] answer="02.r1"
# First $W^{s,s} s_{t-1}$ and $W^{s,x} x_t$ are added, then one tanh squashes the sum.

# %% recall="02.r2"
# Notebook 00: a tanh has put out 0.6. How steep is it there?
recall("02.r2", slope=0.64)

# %% [markdown] answer="02.r2"
# You wrote it as `tanh_grad`, with the output alone: no need to know what went in.

# %% recall="02.r3"
# Notebook 00: a central difference with a ten times smaller step. How many times smaller
# does its error become, while the formula's own error rules?
recall("02.r3", factor=100)

# %% [markdown] answer="02.r3"
# The error goes with the square of the step. (Below some $10^{-5}$ rounding takes over: the V
# of notebook 00.)

# %% recall="02.r4"
# Notebook 01: the model gives the right class a probability of 0.5. What is the loss?
recall("02.r4", loss=0.69)

# %% [markdown] answer="02.r4"
# $-\log 0.5 = 0.693$. Two equally likely classes and no idea give just that.

# %% [markdown] slide="slide"
# ## The model of notebook 01, in two lines
#
# A step mixes the state with the next input, for positions $t = 1, \dots, T$:
#
# $$a_t = W^{s,s} s_{t-1} + W^{s,x} x_t, \qquad s_t = \tanh(a_t) \tag{2.1}$$
#
# The last state alone decides, by logits $z$ and probabilities $p$; the loss $L$ is
# the mean cross-entropy over the $N$ sequences of a batch, with $y_n$ the label of
# sequence $n$:
#
# $$z = W^{y,s} s_T, \qquad p = \operatorname{softmax}(z), \qquad
# L = -\frac{1}{N} \sum_{n=1}^{N} \log p_{y_n, n} \tag{2.2}$$

# %% [markdown] slide="notes"
# Ask: "where does a sentence's first word enter L?" Only through s_1, s_2, ... s_T.
# The usual wrong answer: "through x_1 in the output layer". Everything goes through
# the last state.

# %% [markdown]
# ### Sizes
#
# A batch holds $N$ sequences, one **column** each. An input has $D$ entries, a state
# $H$, and there are $C$ classes.
#
# | in code | shape | in formulas |
# |---|---|---|
# | `xs` | (T, D, N) | the inputs $x_1, \dots, x_T$ |
# | `s0` | (H, N) | the initial state $s_0$ |
# | `states` | (T, H, N) | the states $s_1, \dots, s_T$ |
# | `W["ss"]`, `W["sx"]`, `W["ys"]` | (H, H), (H, D), (C, H) | $W^{s,s}$, $W^{s,x}$, $W^{y,s}$ |
# | `probabilities` | (C, N) | $p$ |
# | `labels` | (N,) | $y$: for each sequence the number of its class, counted from 0 |
#
# The gradient of the loss by anything has the shape of that thing, and the letter `d`
# in front: `dW["ss"]` is (H, H).

# %% [markdown] slide="slide"
# ## Positions count from 1, Python from 0
#
# In formulas $t$ is a position: 1, 2, …, $T$. In code `k` is Python's index: 0, 1, …,
# `T - 1`.
#
# | position $t$ | input $x_t$ | state after it $s_t$ | state before it $s_{t-1}$ |
# |---|---|---|---|
# | 1 | `xs[0]` | `states[0]` | `s0` |
# | 2 | `xs[1]` | `states[1]` | `states[0]` |
# | $t = k + 1$ | `xs[k]` | `states[k]` | `states[k - 1]` |
# | $T$ | `xs[T - 1]` | `states[T - 1]`, or `states[-1]` | `states[T - 2]` |
#
# The initial state is **not** in `states`: the first row is the one to remember.

# %% [markdown] slide="notes"
# Ask: "what does states[k - 1] give at k = 0?" Not an error: the last state.
# That silent slip is the most frequent one in the exercises of this notebook.

# %% [markdown]
# ### Given from notebooks 00 and 01
#
# You wrote these, all but `product`, which only gives `@` a name. They are given here, so that a
# slip of then costs nothing now. `numerical_gradient` is the one of notebook 00, with any
# function `f` for its loss.


# %% given="earlier_functions"
def numerical_gradient(f, x, eps=1e-5):
    """Gradient of the number f(x) by central differences, entry by entry."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[index] = eps
        gradient[index] = (f(x + step) - f(x - step)) / (2 * eps)
    return gradient


def product(A, X):
    """The product Y (M, N) of a matrix A (M, K) and N columns X (K, N)."""
    return A @ X


def rnn_step(x_t, s_prev, W):
    """One step (2.1): x_t (D, N) and s_prev (H, N) give s_t (H, N)."""
    return np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)


def rnn_forward_batch(xs, s0, W):
    """All steps: xs (T, D, N) and s0 (H, N) give states (T, H, N), without s0."""
    states = []
    for x_t in xs:
        s0 = rnn_step(x_t, s0, W)
        states.append(s0)
    return np.stack(states)


def predict(s_last, W):
    """Probabilities (C, N) from the last state (H, N), as in (2.2)."""
    logits = W["ys"] @ s_last
    exponentials = np.exp(logits - logits.max(axis=0))
    return exponentials / exponentials.sum(axis=0)


def cross_entropy(probabilities, labels):
    """Mean over the N sequences of -log of the probability (C, N) of the label (N,)."""
    return -np.log(probabilities[labels, np.arange(len(labels))]).mean()


# %% [markdown]
# A small model to try things on. All its sizes differ, so that a wrong shape cannot hide,
# and so do its two labels. (`W["ss"]` and its gradient are square: transposed, only their
# numbers give them away.) `close` tells whether two arrays agree to eight decimals.

# %%
rng = np.random.default_rng(2)
T, D, H, N, C = 6, 4, 3, 2, 5
W = {
    "ss": 0.7 * rng.normal(size=(H, H)),
    "sx": 0.7 * rng.normal(size=(H, D)),
    "ys": rng.normal(size=(C, H)),
}
xs, s0 = rng.normal(size=(T, D, N)), np.tanh(rng.normal(size=(H, N)))
labels = rng.permutation(C)[:N]
states = rnn_forward_batch(xs, s0, W)
probabilities = predict(states[-1], W)
close = lambda formula, measured: np.allclose(formula, measured, rtol=0, atol=1e-8)
{"states": states.shape, "probabilities": probabilities.shape, "labels": labels}

# %% [markdown] slide="slide"
# ## Unrolled, it is a deep network
#
# Drawn position by position, (2.1) is a feed-forward network of $T$ layers
# that happens to take one more input at each layer.
#
# You can backpropagate through layers. So we do just that, and worry about the sharing
# later.

# %% slide="fragment" hide_input=true
show(
    figures_02.unrolled(),
    alt="Three tanh steps in a row. States run forward from s_0 to the loss, error "
    "signals run backward to s_0. One pair of matrices feeds all three steps.",
)

# %% [markdown] slide="notes"
# Let the room name what each orange arrow carries before you go on: the gradient of the
# loss at that state. Usual wrong answer: "the error of the prediction at that
# position"; there is only one prediction, at the end.

# %% [markdown] slide="slide"
# ## The error signal
#
# The **error signal** at position $t$ is the gradient of the loss by the state $s_t$,
# with everything that follows from $s_t$ taken along:
#
# $$\delta_t = \frac{d L}{d s_t} \tag{2.3}$$
#
# It answers one question: *if somebody nudged $s_t$ and the network ran on from there,
# how would the loss change?*
#
# It has the shape of a state, (H, N). For the initial state the definition is the same,
# with $t = 0$.

# %% [markdown]
# (2.3) is a definition, and it says how to measure. Nudge one entry of one state,
# let the remaining steps run, look at the loss. This is slow, and it needs no theory:
# we keep it as the judge of all that follows.


# %%
def loss_from(s_t, t):
    """The loss when the state at position t is s_t and the later positions run on."""
    for k in range(t, T):
        s_t = rnn_step(xs[k], s_t, W)
    return cross_entropy(predict(s_t, W), labels)


measured = {}
for t in range(1, T + 1):
    measured[t] = numerical_gradient(lambda s, t=t: loss_from(s, t), states[t - 1])
{f"size of delta_{t}": round(float(np.linalg.norm(measured[t])), 4) for t in measured}

# %% [markdown] slide="subslide"
# ### Before you go on: a prediction
#
# Another network, 16 units and random weights: the entries of $W^{s,s}$ have a standard deviation
# of $0.5 / \sqrt{16}$. It starts from $s_0 = 0$, reads small inputs, and uses $W^{s,s}$ at
# $T = 12$ positions. The loss looks at the last state only.
#
# **Which of the twelve uses contributes most to its gradient?** And does it change when
# every entry of $W^{s,s}$ is made five times as large?

# %% guess="02.1"
# Write your expectation in the place of the three dots; part 5 measures it.
guess(
    "02.1",
    small_weights="the last",
    five_times_as_large="an early one, not the first",
    choices=("the first", "an early one, not the first", "all alike", "the last"),
)

# %% [markdown] answer="02.1" sealed=true
# Measured over 40 networks.

# %% [markdown] slide="notes"
# Take a vote and keep the numbers on the board. Usual: "the last, always, because it
# is nearest". That is right for a small W only.

# %% [markdown] slide="slide"
# ## Part 1 · The way back through a product
#
# Nearly all of a network is products of a matrix and some columns:
#
# $$Y = A X \tag{2.4}$$
#
# $A$ is (M, K), $X$ is (K, N), $Y$ is (M, N). Something further on makes a loss $L$ of $Y$,
# and tells you `dY`: how $L$ moves with each entry of $Y$.
#
# How does $L$ move with each entry of $X$, and with each of $A$?

# %% [markdown] slide="notes"
# Do the 2x2 case on the board, entry by entry, before anybody says "transpose". The usual
# slip is to match shapes until NumPy stops complaining; a square matrix never complains.

# %% [markdown] slide="subslide"
# ### With numbers, entry by entry
#
# One column:
#
# $$A = \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}, \qquad
# x = \begin{pmatrix} 5 \\ 6 \end{pmatrix}, \qquad y = A x = \begin{pmatrix} 17 \\ 39 \end{pmatrix},
# \qquad dy = \begin{pmatrix} 1 \\ 10 \end{pmatrix}$$
#
# Nudge $x_1$ alone, a little. Which entries of $y$ move, how fast, and what is each of these
# moves worth to $L$? Then nudge $x_2$ alone; then $A_{1,2}$ alone; then $A_{2,1}$.

# %% guess="02.2"
# Four numbers: how fast L moves with each of the four.
guess("02.2", x_1=31, x_2=42, A_12=6, A_21=50)

# %% [markdown] answer="02.2" slide="fragment"
# $x_1$ moves both entries of $y$: the first at speed 1, the second at speed 3. They are worth
# 1 and 10, so $L$ moves at speed $1 \cdot 1 + 3 \cdot 10 = 31$. In the same way
# $2 \cdot 1 + 4 \cdot 10 = 42$ for $x_2$.
#
# $A_{1,2}$ stands in $y_1$ alone, in front of $x_2 = 6$: speed 6, worth 1. And $A_{2,1}$ stands
# in $y_2$ alone, in front of $x_1$: $5 \cdot 10 = 50$.

# %% guess="02.3"
# Now three columns, so that X is (2, 3) and Y is (2, 3). The gradient by A is (2, 2) as
# before: what became of the three columns?
guess("02.3", columns="summed", choices=("summed", "averaged", "only the last is left"))

# %% [markdown] answer="02.3" slide="fragment"
# Each column of $Y$ uses the same $A$: a nudge of $A_{1,2}$ moves an entry in each of them, and
# all these moves are worth something. Nobody divides by their number.

# %% [markdown]
# ### Exercise: the way back through a product
#
# 1. Write for $x_j$ what you did for $x_1$: which entries of $y$, at which speed? It is a sum.
# 2. The sum is one entry of a product of two matrices. Which two, and in which order?
# 3. The same for an entry of $A$, first for one column, then for all.
#
# No loop is needed. `check(product_backward, stage="one column")` looks at a single column.


# %% exercise="product_backward" points=3
def product_backward(dY: np.ndarray, A: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The way back through Y = A X.

    Args:
        dY: (M, N) gradient of the loss by the product Y.
        A: (M, K) the matrix.
        X: (K, N) the columns it was multiplied with.

    Returns:
        dA: (M, K) gradient of the loss by A.
        dX: (K, N) gradient of the loss by X.
    """
    ### BEGIN SOLUTION
    dX = A.T @ dY  # (2.5)
    dA = dY @ X.T  # (2.6)
    return dA, dX
    ### END SOLUTION


# %% check="product_backward"
check(product_backward)

# %% [markdown] found="product_backward" slide="slide"
# ### What you found: the way back through a product
#
# $X_{j,n}$ enters every $Y_{i,n}$ of its column, with weight $A_{i,j}$. So it collects from all:
#
# $$dX = A^{\top}\, dY \tag{2.5}$$
#
# $A_{i,j}$ enters one entry of each column, $Y_{i,n}$, with weight $X_{j,n}$:
#
# $$dA = dY\, X^{\top} \tag{2.6}$$
#
# Forward, $A_{i,j}$ carries $j$ to $i$. Backward, it carries the blame from $i$ to $j$.

# %% found="product_backward"
own = np.random.default_rng(5)  # so that the notebook's numbers stay as they are
A_new, X_new, dY_new = own.normal(size=(3, 4)), own.normal(size=(4, 2)), own.normal(size=(3, 2))
loss_by_X = numerical_gradient(lambda X: (dY_new * (A_new @ X)).sum(), X_new)
loss_by_A = numerical_gradient(lambda A: (dY_new * (A @ X_new)).sum(), A_new)
assert close(A_new.T @ dY_new, loss_by_X), "(2.5) does not hold"
assert close(dY_new @ X_new.T, loss_by_A), "(2.6) does not hold"
"(2.5) and (2.6) hold"

# %% [markdown] found="product_backward"
# Why `(dY_new * …).sum()`? It stands for the loss. Near the point where we are, the loss moves with
# $Y$ by `dY` times the change; any loss with this `dY` has the same gradient further back.

# %% [markdown] slide="slide"
# ## Part 2 · Where the error signal starts
#
# For one sequence with label $y$, (2.2) reads
#
# $$L = -\log p_y = -z_y + \log \sum_{c} e^{z_c}$$
#
# How $L$ moves with each logit $z_c$ you found in notebook 01. Find it once more, without
# looking back: it is the first link of the chain. What is new is the second link: from
# the logits to the last state.

# %% [markdown] slide="notes"
# Ask: "the model gives the right class .99. How large is the gradient?" About .01
# over N. Usual wrong answer: "1/p, so about 1". That is the gradient by the
# probability; the softmax stands in between.

# %% [markdown] slide="subslide"
# ### Three classes, with numbers
#
# One sequence, three classes with $p = (0.2, 0.5, 0.3)$, and the label $y = 1$: counted from 0, the
# second one.
#
# Differentiate the two terms of $L$ one by one: the first contains one logit, the second all
# three. What is $e^{z_c}$ over the sum called?

# %% guess="02.4"
# How fast does L move with each of the three logits?
guess("02.4", z_0=0.2, z_1=-0.5, z_2=0.3)

# %% [markdown] answer="02.4" slide="fragment"
# They add up to 0: raising all logits alike changes no probability. Raising a wrong class's
# logit takes probability from the right one, the more the more that class has already.

# %% [markdown]
# The small model, measured: how the loss moves with each logit, below the probabilities.


# %%
def loss_of_logits(z):
    exponentials = np.exp(z - z.max(axis=0))
    return cross_entropy(exponentials / exponentials.sum(axis=0), labels)


nudged_logits = numerical_gradient(loss_of_logits, W["ys"] @ states[-1])
for n in range(N):
    print(f"sequence {n}: label {labels[n]}, then p and how the loss moves with each logit")
    print(np.stack([probabilities[:, n], nudged_logits[:, n]]).round(3))

# %% [markdown]
# ### Exercise: the loss, backward
#
# 1. The gradient by the logits, (C, N), as in notebook 01: the loss is a mean over the $N$ sequences.
# 2. The logits are a product, $z = W^{y,s} s_T$: you know the way back through it.
#
# (`cross_entropy` shows how to pick the label's entry of every column at once.)
#
# You get the probabilities, so the softmax need not be computed again.
# `check(loss_backward, stage="logits")` looks at the first step alone.


# %% exercise="loss_backward" points=4
def loss_backward(
    probabilities: np.ndarray, labels: np.ndarray, s_last: np.ndarray, W: dict
) -> tuple[np.ndarray, dict]:
    """Gradient of the mean cross-entropy by the last state and by the output weights.

    Args:
        probabilities: (C, N) what `predict(s_last, W)` gave, one column per sequence.
        labels: (N,) integers, the right class of each sequence, counted from 0.
        s_last: (H, N) last state of each sequence.
        W: "ys" (C, H) the output weights.

    Returns:
        ds_last: (H, N) gradient by the last state, the error signal at position T.
        dW: a dict with the one key "ys", (C, H): gradient by the output weights.
    """
    ### BEGIN SOLUTION
    N = len(labels)
    dz = probabilities.copy()
    dz[labels, np.arange(N)] -= 1
    dz = dz / N  # (2.7)
    ds_last = W["ys"].T @ dz  # (2.5)
    return ds_last, {"ys": dz @ s_last.T}  # (2.6)
    ### END SOLUTION


# %% check="loss_backward"
check(loss_backward)

# %% [markdown] found="loss_backward" slide="slide"
# ### What you found: where the error signal starts
#
# The first term has the derivative $-1$ by $z_y$ and 0 by the others, the second has $p_c$ by
# $z_c$. With the mean over $N$ sequences:
#
# $$\frac{dL}{dz_{c,n}} = \frac{1}{N}
# \begin{cases} p_{c,n} - 1 & \text{if } c = y_n \\
# p_{c,n} & \text{otherwise} \end{cases} \tag{2.7}$$
#
# *What the model said, minus what it should have said.* And through the product, (2.5), (2.6):
#
# $$\delta_T = (W^{y,s})^{\top} \frac{dL}{dz}, \qquad
# \frac{dL}{dW^{y,s}} = \frac{dL}{dz}\, s_T^{\top} \tag{2.8}$$

# %% found="loss_backward"
dz = (probabilities - np.eye(C)[labels].T) / N  # (2.7)
assert close(dz, nudged_logits), "(2.7) does not hold"
assert close(W["ys"].T @ dz, measured[T]), "(2.8) does not hold"
"(2.7) and (2.8) hold"

# %% [markdown] slide="slide"
# ## Part 3 · One step, backward
#
# An error signal $\delta_t$ has arrived at $s_t$. On its way to $s_{t-1}$, to $x_t$ and to the
# weights it meets what the forward pass did, last things first:
#
# $$s_t = \tanh(a_t), \qquad a_t = W^{s,s} s_{t-1} + W^{s,x} x_t$$
#
# - Nudge one entry of $a_t$. How fast does that entry of $s_t$ move? (Notebook 00.)
# - $a_t$ is a sum of two products. What arrives at a sum arrives at each of its parts.

# %% [markdown] slide="notes"
# Ask: "W is square. Who notices when you take it the wrong way round?" Nobody: no shape
# complains. Only a numeric check does. This is why every size in our checks differs,
# and why even that is not enough for W^{s,s}.

# %% [markdown] slide="subslide"
# ### One unit, with numbers
#
# One unit, one input, one sequence: $w = W^{s,s} = 0.5$, the old state is $s_{t-1} = 0.6$, the new
# one $s_t = 0.5$, and $\delta_t = 1$ has arrived.
#
# How fast does the loss move with $a_t$? With $w$? With $s_{t-1}$?

# %% guess="02.5"
guess("02.5", a_t=0.75, w=0.45, s_prev=0.375)

# %% [markdown] answer="02.5" slide="fragment"
# The tanh lets three quarters through. What arrives at $a_t$ then meets a product of two numbers:
# each of them gets it times the other, $0.75 \cdot 0.6$ and $0.75 \cdot 0.5$.

# %% [markdown]
# ### What `ds` means in code
#
# Every backward function gets, as `ds`, the gradient at **what its forward function
# returned**, as the caller sees it. `rnn_step` returns $s_t$, and the caller of its
# backward holds the whole error signal there. So here `ds` is $\delta_t$.
#
# ### Exercise: one step, backward
#
# For a whole batch, without a loop. Four answers, and one quantity that all of them start
# from.
#
# The check compares with slopes of `rnn_step`. To try a part by itself:
# `check(rnn_step_backward, stage="tanh")` or `stage="weights"`.


# %% exercise="rnn_step_backward" points=5
def rnn_step_backward(
    ds: np.ndarray, x_t: np.ndarray, s_prev: np.ndarray, s_t: np.ndarray, W: dict
) -> tuple[np.ndarray, np.ndarray, dict]:
    """One step of the RNN, backward.

    Args:
        ds: (H, N) error signal at s_t: the total gradient of the loss by the new state.
        x_t: (D, N) input of the step.
        s_prev: (H, N) state before the step.
        s_t: (H, N) state after it, as `rnn_step(x_t, s_prev, W)` gave it.
        W: "ss" (H, H) and "sx" (H, D).

    Returns:
        dx: (D, N) gradient by the input.
        ds_prev: (H, N) gradient by the state before the step.
        dW: a dict with "ss" (H, H) and "sx" (H, D), gradients by the weights of this
            step, summed over the sequences of the batch.
    """
    ### BEGIN SOLUTION
    da = ds * (1 - s_t**2)  # (2.9)
    dx = W["sx"].T @ da
    ds_prev = W["ss"].T @ da  # (2.10)
    dW = {"ss": da @ s_prev.T, "sx": da @ x_t.T}  # (2.11)
    return dx, ds_prev, dW
    ### END SOLUTION


# %% check="rnn_step_backward"
check(rnn_step_backward)

# %% [markdown] found="rnn_step_backward" slide="slide"
# ### What you found: one step, backward
#
# Through the tanh, with $\odot$ entry by entry:
#
# $$\frac{dL}{da_t} = \delta_t \odot (1 - s_t \odot s_t) \tag{2.9}$$
#
# Through the two products, (2.5):
#
# $$\frac{dL}{ds_{t-1}} = (W^{s,s})^{\top} \frac{dL}{da_t}, \qquad
# \frac{dL}{dx_t} = (W^{s,x})^{\top} \frac{dL}{da_t} \tag{2.10}$$
#
# ($dL/ds_{t-1}$ is the whole of it as long as the loss sees $s_{t-1}$ through this step alone. Part 4
# adds what it may see directly.)
#
# To the weights of **this step alone**, (2.6); call these gradients $G_t$:
#
# $$G^{s,s}_t = \frac{dL}{da_t}\, s_{t-1}^{\top}, \qquad
# G^{s,x}_t = \frac{dL}{da_t}\, x_t^{\top} \tag{2.11}$$

# %% [markdown] found="rnn_step_backward"
# Two things to notice. The pre-activation $a_t$ need not be kept, the state is enough. And where
# a unit is saturated ($s$ near 1 or $-1$) almost nothing comes through.
#
# How a nudge goes *forward* through the step is told by a matrix, another one for each
# sequence: the step's **Jacobian** $J_t$, which holds in row $i$ and column $j$ how new unit
# $i$ moves with old unit $j$. (2.9) and (2.10) together are its transpose: for one sequence
#
# $$\frac{dL}{ds_{t-1}} = J_t^{\top} \delta_t \tag{2.12}$$
#
# What stands in $J_t$ you find in notebook 03. It is about products of these matrices.

# %% found="rnn_step_backward"
x_1, s_1, delta_1 = xs[0], states[0], measured[1]
da_1 = delta_1 * (1 - s_1 * s_1)  # (2.9)
loss_when = lambda x, s, V: (delta_1 * rnn_step(x, s, V)).sum()
assert close(W["sx"].T @ da_1, numerical_gradient(lambda x: loss_when(x, s0, W), x_1)), "(2.10) does not hold"
by_ss = numerical_gradient(lambda M: loss_when(x_1, s0, {**W, "ss": M}), W["ss"])
assert close(da_1 @ s0.T, by_ss), "(2.11) does not hold"
move = lambda old: rnn_step(x_1[:, :1], old, W)  # the first sequence
columns = [(move(s0[:, :1] + e) - move(s0[:, :1] - e)) / 2e-5 for e in 1e-5 * np.eye(H)[:, :, None]]
J = np.hstack(columns)  # measured: one nudged old unit a column
assert close(J.T @ delta_1[:, :1], (W["ss"].T @ da_1)[:, :1]), "(2.12) does not hold"
"(2.9) to (2.12) hold"

# %% [markdown]
# Was the batch summed? Run your step for all sequences together, and for each by
# itself. (And the $1/N$ of the loss? It came in where the error signal starts, and is inside
# it.)

# %% needs="rnn_step_backward"
delta = rng.normal(size=(H, N))  # some error signal that arrives at s_1
batch = rnn_step_backward(delta.copy(), xs[0], s0, states[0], W)[2]
alone = []
for n in range(N):
    of_n = [array[:, n : n + 1].copy() for array in (delta, xs[0], s0, states[0])]
    alone.append(rnn_step_backward(*of_n, W)[2])
assert np.allclose(batch["ss"], sum(dW["ss"] for dW in alone)), "the batch was not summed"
"summed over the sequences"

# %% [markdown] sitting=2
# > **A place to stop.** You have the way back through one step. What follows is about many.

# %% [markdown] slide="slide"
# ## Part 4 · One weight in three places
#
# One unit, one input, one sequence, three positions. The loss is the last state itself:
# $L = s_3$, so $\delta_3 = 1$. With $W^{s,s} = w = 0.5$ and $W^{s,x} = 1$ the network
# went through
#
# | | $s_0$ | $s_1$ | $s_2$ | $s_3$ |
# |---|---|---|---|---|
# | state | −0.25 | 0.8 | 0.6 | 0.5 |
#
# The last step is the one of part 3, with the same numbers: what $w$ got there it gets at position
# 3, and what went on reaches $s_2$. **Go on to the left**, on paper: what does $w$ get at position
# 2, what reaches $s_1$, and what does $w$ get at position 1? (The inputs are not needed. Why?)

# %% [markdown] slide="notes"
# Five minutes, in pairs. Usual slips: s_t where s_{t-1} belongs; the state before without
# the slope. The inputs are not needed because the slope is written with the states,
# and what the weight gets is made of states. (W^{s,x} would need them.)

# %% guess="02.6"
# w gets at positions 2 and 1, and what reaches s_1
guess("02.6", w_at_2=0.192, delta_1=0.12, w_at_1=-0.0108)

# %% [markdown] answer="02.6" slide="subslide"
# ### On paper, from right to left
#
# | $t$ | $\delta_t$ | $dL/da_t$ | $w$ gets |
# |---|---|---|---|
# | 3 | 1 | 1 · 0.75 = 0.75 | 0.75 · 0.6 = **0.45** |
# | 2 | 0.5 · 0.75 = 0.375 | 0.375 · 0.64 = 0.24 | 0.24 · 0.8 = **0.192** |
# | 1 | 0.5 · 0.24 = 0.12 | 0.12 · 0.36 = 0.0432 | 0.0432 · (−0.25) = **−0.0108** |
#
# Three numbers for one weight. They can have either sign: here, with everything else positive,
# that of the state that the weight multiplied.

# %% [markdown] slide="slide"
# ## A copy for every position
#
# Which of the three numbers is *the* derivative of $L$ by $w$?
#
# Give every position **its own copy** of the weight, $w_1, w_2, w_3$:
#
# $$s_t = \tanh(w_t\, s_{t-1} + x_t) \tag{2.13}$$
#
# Now there are three weights and three ordinary gradients, and layer by layer you found
# $G_t = dL/dw_t$. The RNN is the case where all copies are equal.
#
# **Nudge all three copies by the same small amount. By what does $L$ change, per unit?**

# %% [markdown] slide="notes"
# Usual wrong answers: the mean of the three, or the last one (.45).
# Nudging all of them is a nudge in the direction (1, 1, 1): the changes add up.

# %% guess="02.7"
# A number, made of the three that you found.
guess("02.7", change_of_L=0.6312)

# %% [markdown] answer="02.7" slide="slide"
# ## Contributions add up
#
# $0.45 + 0.192 - 0.0108 = 0.6312$. Shared weights are copies that are forced to move together. By
# the chain rule, with every copy moving at speed 1 when the shared weight does:
#
# $$\frac{dL}{dW^{s,s}} = \sum_{t=1}^{T} G^{s,s}_t, \qquad
# \frac{dL}{dW^{s,x}} = \sum_{t=1}^{T} G^{s,x}_t \tag{2.14}$$
#
# $G_t$ is the **contribution** of position $t$: the gradient by that position's own copy.
#
# A **sum**: not a mean, not the last one, not the largest.

# %% [markdown] slide="notes"
# This is the answer to the opening question. Ask: "and the gradient by x_2, is that a
# sum over positions too?" No: x_2 is read once. It is the written question of the
# notebook, so let it stand.

# %% [markdown] slide="subslide"
# ### Nudge one copy, nudge all
#
# Three copies, each nudged by itself; then all of them at once. Which number of the first row has
# to stand in the second?

# %% slide="fragment" hide_input=true
target = np.array([0.8, 0.6, 0.5])
start, w = -0.25, 0.5
x = np.arctanh(target) - w * np.array([start, 0.8, 0.6])  # they lead to these states


def last_state(copies):
    s = start
    for w_t, x_value in zip(copies, x, strict=True):
        s = np.tanh(w_t * s + x_value)  # (2.13)
    return s


one_copy = numerical_gradient(last_state, np.array([w, w, w]))
all_copies = (last_state([w + 1e-6] * 3) - last_state([w - 1e-6] * 3)) / 2e-6
assert close(one_copy, [-0.0108, 0.192, 0.45]), "not what was found on paper"
assert np.isclose(all_copies, one_copy.sum()), "(2.14) does not hold"
table(
    {"one copy": [*one_copy, one_copy.sum()], "all at once": [np.nan] * 3 + [all_copies]},
    ("position 1", "position 2", "position 3", "sum"),
)

# %% [markdown] slide="slide"
# ## Direct and total
#
# $s_2$ depends on the weight in two ways: **directly**, in its own step, and
# **through** $s_1$.
#
# | | sign | what moves |
# |---|---|---|
# | **direct** | $\partial s_t / \partial w$ | $w$ in step $t$; $s_{t-1}$ stays |
# | **total** | $d s_t / d w$ | $w$ in every step, and all that follows |
#
# In this course $\partial$ is always direct and $d$ is always total.
#
# The total derivative is the direct one plus what arrives through the state before:
#
# $$\frac{d s_t}{d w} = \frac{\partial s_t}{\partial w}
# + \frac{\partial s_t}{\partial s_{t-1}}\, \frac{d s_{t-1}}{d w},
# \qquad \frac{d s_0}{d w} = 0 \tag{2.15}$$

# %% [markdown] slide="notes"
# Ask: "for which t are the two equal?" t = 1: s_0 does not depend on w. Werbos (1990)
# calls the total derivative "ordered derivative". Many texts write the curly d for
# both and leave you to guess.

# %% [markdown]
# (2.15) runs **forward**, with the states. It never heard of error signals, and must
# end at the same number as the sum of the contributions. On paper:
#
# - position 1: 0.36 · (−0.25) = −0.09
# - position 2: 0.64 · (0.8 + 0.5 · (−0.09)) = 0.4832
# - position 3: 0.75 · (0.6 + 0.5 · 0.4832) = 0.6312

# %% [markdown] slide="subslide"
# ### Direct and total, in numbers
#
# At which position are they equal, and which number of the second row have you met?


# %% slide="fragment" hide_input=true
def state_at(t, w_before, w_here):
    """s_t, with one weight in the steps before step t and another in step t itself."""
    s = start
    for x_value in x[: t - 1]:
        s = np.tanh(w_before * s + x_value)
    return np.tanh(w_here * s + x[t - 1])


slope = lambda f: (f(w + 1e-6) - f(w - 1e-6)) / 2e-6
directs = np.array([slope(lambda v, t=t: state_at(t, w, v)) for t in (1, 2, 3)])  # w moves in step t alone
totals = np.array([slope(lambda v, t=t: state_at(t, v, v)) for t in (1, 2, 3)])  # and in all steps before it
assert close(totals, [-0.09, 0.4832, 0.6312]), "(2.15) does not hold"
table({"direct": directs, "total": totals}, ("position 1", "position 2", "position 3"))

# %% [markdown]
# Now compare with the contributions. The direct derivatives are −0.09, 0.512, 0.45.
# Multiply each by the error signal at its position, 0.12, 0.375, 1, and you have
# −0.0108, 0.192, 0.45:
#
# > a contribution is the **direct** derivative of $s_t$ by the weights,
# > times the **total** derivative of the loss by $s_t$.
#
# That is all of backpropagation through time.

# %% [markdown] slide="slide"
# ## A contribution is direct times total
#
# $$\underbrace{G_t}_{\text{contribution}} \;=\;
# \underbrace{\frac{d L}{d s_t}}_{\text{total: } \delta_t} \;\cdot\;
# \underbrace{\frac{\partial s_t}{\partial w}}_{\text{direct}}$$
#
# - Direct towards the weight: the other positions have contributions of their own.
# - Total towards the loss: a nudged $s_t$ changes all that follows.
#
# Take total for both, and shared paths count many times.
# Take direct for both, and a loss that looks at the last state loses all earlier
# positions.

# %% [markdown] slide="notes"
# Ask: "what is left if both are direct?" L looks at s_T only, so the direct
# derivative of L by any earlier state is zero: only position T contributes. It is the
# bug "carry not added".

# %% [markdown]
# All three products, summed over the positions. The nudge of all copies said 0.6312.

# %%
delta_by_hand = np.array([0.12, 0.375, 1.0])
direct_gradients = np.array([0.0, 0.0, 1.0])  # L = s_3 sees s_3 and nothing else
assert close(delta_by_hand * directs, one_copy), "direct times total is not the contribution"
{
    "direct times total": round(float(delta_by_hand @ directs), 4),
    "total times total": round(float(delta_by_hand @ totals), 4),
    "direct times direct": round(float(direct_gradients @ directs), 4),
}

# %% [markdown] slide="slide"
# ## A loss may look at every state
#
# A tagger predicts something at every position. Then the loss sees $s_t$ **directly**, and it
# sees it **through** $s_{t+1}$. Its error signal is total.
#
# The network of the pen-and-paper example, with $L = 0.7\, s_1 - 1.2\, s_2 + s_3$:
#
# - *direct*: change one state in the formula of the loss, leave the others as they are;
# - *total*: change one state and let the network run on from it.

# %% [markdown] slide="notes"
# Ask: "our classifier looks at s_T only. What are the direct gradients?" Zero, but
# for the last. Usual slip in code: start the walk with the last gradient as carry AND
# add it again.

# %% hide_input=true slide="fragment"
weights_of_states = np.array([0.7, -1.2, 1.0])  # a loss that looks at all three states
loss_of_states = lambda s_all: weights_of_states @ s_all  # seen directly


def run_on(s_t, t):
    """All three states if the one at position t were s_t and the later steps ran on."""
    s_all = target.copy()
    s_all[t - 1] = s_t
    for k in range(t, 3):
        s_all[k] = np.tanh(w * s_all[k - 1] + x[k])
    return s_all


nudge = lambda t, d: loss_of_states(run_on(target[t - 1] + d, t))
measured_total = np.array([(nudge(t, 1e-6) - nudge(t, -1e-6)) / 2e-6 for t in (1, 2, 3)])
measured_direct = numerical_gradient(loss_of_states, target)  # the other states stay
table({"direct": measured_direct, "total": measured_total}, ("position 1", "position 2", "position 3"), 3)

# %% [markdown]
# At position 3 both are 1. At position 2 the direct one is −1.2 and the total one −0.825: 0.375
# came from somewhere. Where have you met this number?
#
# ### What `ds` means, once more
#
# The rule is the same as before: `ds` is the gradient at what the forward function
# returned, as the caller sees it. `rnn_forward_batch` returns **all** states, so `ds`
# is (T, H, N). What its caller sees is the loss, and nothing of the steps between the
# states: those are *inside* the function, and going back through them is the backward
# function's own work.
#
# | function | `ds` | what it is |
# |---|---|---|
# | `rnn_step_backward` | (H, N) | error signal $\delta_t = dL/ds_t$: total |
# | `parameter_contributions` | (T, H, N) | $\partial L / \partial s_t$ for every $t$: direct |
# | `rnn_backward` | (T, H, N) | the same |
#
# This is the most general case. A loss that looks at the last state only has
# `ds[k] = 0` for every `k` but the last.
#
# ### Exercise: the contribution of each position
#
# 1. Which position must be first, and what is its error signal?
# 2. When you stand at position $t$: of which two parts is the error signal made, and who hands
#    you the second?
# 3. What does `rnn_step_backward` give you for this position, and what for the next?
#
# Keep the positions apart: do not sum yet. `check(parameter_contributions, stage="two positions")`
# looks at a sequence of two.


# %% exercise="parameter_contributions" points=5
def parameter_contributions(
    ds: np.ndarray, xs: np.ndarray, s0: np.ndarray, states: np.ndarray, W: dict
) -> dict:
    """What each position contributes to the gradients of the shared weights.

    Args:
        ds: (T, H, N) direct gradient of the loss by every state: ds[k] by states[k],
            with all other states held still.
        xs: (T, D, N) inputs.
        s0: (H, N) initial state.
        states: (T, H, N) states, as `rnn_forward_batch(xs, s0, W)` gave them.
        W: "ss" (H, H) and "sx" (H, D).

    Returns:
        contributions: a dict with "ss" (T, H, H) and "sx" (T, H, D); entry k is the
            gradient by the copy of the weights that made states[k], summed over the
            sequences of the batch.
    """
    ### BEGIN SOLUTION
    T = len(xs)
    contributions = {key: np.zeros((T, *W[key].shape)) for key in ("ss", "sx")}
    carried = np.zeros(s0.shape)  # behind the last state there is no step
    for k in reversed(range(T)):
        s_prev = states[k - 1] if k > 0 else s0
        delta = ds[k] + carried  # (2.16)
        _, carried, dW = rnn_step_backward(delta, xs[k], s_prev, states[k], W)
        contributions["ss"][k] = dW["ss"]
        contributions["sx"][k] = dW["sx"]
    return contributions
    ### END SOLUTION


# %% check="parameter_contributions"
check(parameter_contributions)

# %% [markdown] found="parameter_contributions" slide="slide"
# ### What you found: the two parts of an error signal
#
# $$\delta_t = \underbrace{\frac{\partial L}{\partial s_t}}_{\text{direct}}
# + \underbrace{(W^{s,s})^{\top} \frac{dL}{da_{t+1}}}_{\text{carried, by (2.10)}}
# \quad \text{for } t < T,
# \qquad \delta_T = \frac{\partial L}{\partial s_T} \tag{2.16}$$
#
# Behind the last state there is no step: nothing is carried to it.

# %% found="parameter_contributions"
carried_back = np.append(w * measured_total[1:] * (1 - target[1:] ** 2), 0.0)
assert close(measured_total, measured_direct + carried_back), "(2.16) does not hold"
"(2.16) holds"

# %% [markdown] found="parameter_contributions" slide="subslide"
# ### The two parts, measured
#
# Three states, $L = 0.7\, s_1 - 1.2\, s_2 + s_3$.

# %% found="parameter_contributions" slide="fragment" hide_input=true
carried_back = measured_total - measured_direct
show(
    figures_02.direct_and_carried(measured_direct, carried_back),
    alt="Error signals of three positions in two parts. Position 1: direct 0.7, carried "
    f"{carried_back[0]:.3f}. Position 2: direct -1.2, carried {carried_back[1]:.3f}. "
    "Position 3: direct 1, nothing carried.",
)

# %% [markdown] slide="notes"
# The network is that of the pen-and-paper example.
# Ask: "at position 1 the carried part is negative. Where does that come from?"
# From position 2, whose direct gradient is -1.2.

# %% [markdown] found="parameter_contributions" slide="subslide"
# ### Word by word, and back again
#
# The loss looks at the last state. What does $W^{s,s}$ collect at each word?

# %% found="parameter_contributions" slide="-" hide_input=true
from rnncourse.withheld import way_back

step_through("simple", back=way_back("simple"))

# %% [markdown] slide="notes"
# Open "What a weight collects" and go back word by word: each position hands in its own
# part, and the weight adds them up. That is (2.14).

# %% [markdown]
# The classifier of the beginning, once more. Nudge **one position's** copy of
# $W^{s,s}$ and compare with your contribution of that position; then nudge them all
# and compare with the sum of all.


# %% needs="parameter_contributions loss_backward"
def loss_with(matrix, positions):
    """The loss when the given positions use `matrix` in place of W["ss"]."""
    s = s0
    for k in range(T):
        s = rnn_step(xs[k], s, {**W, "ss": matrix} if k + 1 in positions else W)
    return cross_entropy(predict(s, W), labels)


ds = np.zeros((T, H, N))
ds[-1], _ = loss_backward(probabilities.copy(), labels, states[-1], W)  # the last state only
G = parameter_contributions(ds, xs, s0, states, W)["ss"]
for t in range(1, T + 1):
    one_nudged = numerical_gradient(lambda M, t=t: loss_with(M, [t]), W["ss"])
    assert close(G[t - 1], one_nudged), "not the gradient by this position's copy"
all_nudged = numerical_gradient(lambda M: loss_with(M, range(1, T + 1)), W["ss"])
assert close(G.sum(axis=0), all_nudged), "(2.14) does not hold"
"each position's contribution is the gradient by its copy, and their sum that by all"

# %% [markdown] slide="slide"
# ## Part 5 · Where the contributions come from
#
# The prediction from the beginning: $T = 12$, the loss looks at the last state only.
# Which use of $W^{s,s}$ contributes most?
#
# We draw 40 random networks with $H = 16$, entries of $W^{s,s}$ with standard
# deviation $\text{scale} / \sqrt{H}$, $s_0 = 0$, small inputs, and measure the size
# of every contribution. ($\|G\|$ is the root of the sum of the squared entries.)


# %% needs="parameter_contributions"
def sizes_of_contributions(scale, networks=40, T=12, D=4, H=16, N=20):
    """(networks, T): size of each position's contribution to dW["ss"], as shares."""
    shares = []
    for seed in range(networks):
        rng = np.random.default_rng(seed)
        W = {"ss": rng.normal(size=(H, H)) / np.sqrt(H), "sx": rng.normal(size=(H, D))}
        W["ss"] *= scale
        xs, s0 = 0.1 * rng.normal(size=(T, D, N)), np.zeros((H, N))
        ds = np.zeros((T, H, N))
        ds[-1] = rng.normal(size=(H, N))  # the loss looks at the last state only
        G = parameter_contributions(ds, xs, s0, rnn_forward_batch(xs, s0, W), W)["ss"]
        size = np.linalg.norm(G, axis=(1, 2))
        shares.append(size / size.sum())
    return np.array(shares)


# %% needs="parameter_contributions" hide_input=true
shares = {f"scale {scale}": sizes_of_contributions(scale) for scale in (0.5, 1.4, 2.5)}
late, even, early = [np.median(values, axis=0) for values in shares.values()]
claim(
    "with scale 0.5 the last position contributes most, with 2.5 one of the first half",
    late.argmax() == 11 and early.argmax() < 6,
    f"position {late.argmax() + 1}, and position {early.argmax() + 1}",
)
claim(
    "with scale 1.4 none of positions 2 to 12 has three times as much as another",
    even[1:].max() < 3 * even[1:].min(),
    f"from {even[1:].min():.2f} to {even[1:].max():.2f}",
)

# %% needs="parameter_contributions" slide="fragment" hide_input=true
show(
    figures_02.contribution_sizes(shares),
    alt="Share of each of 12 positions in the sizes of the contributions. Scale 0.5: the "
    "last position has about half, each earlier one half of the next. Scale 1.4: positions "
    "2 to 12 are nearly alike. Scale 2.5: positions 2 to 5 have most. Position 1 has none.",
)

# %%
reveal("02.1")

# %% [markdown]
# With small weights the error signal shrinks at every step back, so the last
# positions decide. With large ones it grows on its way back, and early uses of the
# weight outweigh late ones. Somewhere between, all count about alike. Notebook 03
# asks what decides between the three.
#
# And position 1? Its weight multiplied $s_0$, and here $s_0 = 0$: a weight that multiplied
# nothing gets no gradient. Keep that in mind for part 7.

# %% [markdown] slide="notes"
# Go back to the votes. "The last" was right for small weights only.
# Then ask: "why does position 1 have no bar at all?" s_0 = 0: it multiplied nothing.

# %% [markdown] slide="slide" extra=true
# ## Extra: one unit, twelve positions
#
# Orange: the error signal $\delta_t$. Green: what the position contributes to the gradient of $w$.
# Find settings for which (a) nothing can be seen but the last two or three bars,
# (b) **position 1** contributes most although the loss is the last state, (c)
# neighbouring error signals have opposite signs.

# %% guess="02.8"
# Your settings. Move the sliders below before or after.
guess(
    "02.8",
    a="w = 0.2",
    b="w = 1.2, inputs of size 0.2",
    c="w = -0.9",
    choices=("w = 0.2", "w = 1.2, inputs of size 0.2", "w = 3", "w = -0.9"),
)

# %% [markdown] answer="02.8"
# (a) A small weight shrinks the error signal at every step back.
#
# (b) A weight somewhat above 1, and inputs so small that the unit stays where its slope is near 1.
# With much larger weights or inputs ($w = 3$, or inputs of size 1) the unit saturates, its slope is
# near 0, and almost nothing comes back.
#
# (c) Any negative weight: every step back multiplies by it once.

# %% [markdown] slide="subslide"
# ### Move the sliders
#
# Orange: the error signal. Green: what the position gives to $dL/dw$. Which settings fit
# (a), (b) and (c)?

# %% slide="fragment" hide_input=true
x_demo = np.random.default_rng(5).normal(size=20).round(2)
explorer(
    "contributions",
    {"x": x_demo.tolist(), "s0": 0.3, "w": 0.0, "scale": 0.5, "T": 12},
    alt="Bars of the error signal and of the contribution to the gradient of w at every "
    "position, for one unit. Sliders set the length, the recurrent weight and the size of "
    "the inputs; a choice sets whether the loss is the last state or the sum of all.",
)

# %% [markdown] slide="subslide"
# ### The same, without sliders
#
# $w = 0.9$, inputs of half their size. Computed by *your* functions.


# %% needs="rnn_step_backward parameter_contributions" hide_input=true
def one_unit(w, scale, T=12):
    """Error signals and contributions for one unit; the loss is the last state."""
    W = {"ss": np.full((1, 1), w), "sx": np.full((1, 1), scale)}
    xs, s0 = x_demo[:T].reshape(T, 1, 1), np.full((1, 1), 0.3)
    states = rnn_forward_batch(xs, s0, W)
    ds = np.zeros((T, 1, 1))
    ds[-1] = 1
    signals = [np.ones((1, 1))]
    for k in range(T - 1, 0, -1):
        signals.insert(0, rnn_step_backward(signals[0].copy(), xs[k], states[k - 1], states[k], W)[1])
    return np.ravel(signals), np.ravel(parameter_contributions(ds, xs, s0, states, W)["ss"])


sizes = lambda w, scale: np.abs(one_unit(w, scale)[1])
assert sizes(0.2, 0.5)[:9].max() < 0.02 * sizes(0.2, 0.5).max(), "(a): an early bar can be seen"
assert sizes(1.2, 0.2).argmax() == 0 and sizes(3.0, 0.2).argmax() == 11, (
    "(b): position 1 does not contribute most"
)
signs = np.sign(one_unit(-0.9, 0.5)[0])
assert np.all(signs[1:] == -signs[:-1]), "(c): two neighbours have the same sign"

# %% slide="fragment" hide_input=true needs="rnn_step_backward parameter_contributions"
show(
    figures_02.signed_bars(*one_unit(0.9, 0.5), "one unit, w = 0.9, inputs half size"),
    alt="Two rows of twelve bars for one unit with w = 0.9. The error signals shrink "
    "from position 12 back to position 1. The contributions change sign with the state "
    "before them, and fade too.",
)

# %% [markdown] slide="notes"
# Let the room propose (b). The usual wrong answer is "w as large as possible": then
# the unit saturates, its slope is nearly 0, and the error signal dies. Large w AND
# small states are needed.

# %% [markdown] slide="slide"
# ## Part 6 · Backpropagation through time
#
# Four things are wanted of one walk from position $T$ to position 1:
#
# - the gradient by every input;
# - the gradient by each shared matrix;
# - the gradient by the initial state;
# - and, on the way, the error signals.
#
# Which of them is *stored* at every position, which is *added up*, and which is simply what you
# *hold* when the walk ends?

# %% guess="02.14"
guess(
    "02.14",
    inputs="stored",
    matrices="added up",
    initial_state="held at the end",
    choices=("stored", "added up", "held at the end"),
)

# %% [markdown] answer="02.14"
# An input is read once and a matrix at every position. The initial state is where the walk ends.

# %% [markdown] slide="notes"
# Ask: "which is '=' and which is '+='?" Only the weights add. Each input is read once, each
# weight T times. With '=' for the weights the walk leaves behind what it computed LAST, and
# that is position 1, not position T.

# %% [markdown]
# ### Exercise: the whole sequence, backward
#
# The walk of `parameter_contributions`; what becomes of each quantity you have just said.


# %% exercise="rnn_backward" points=5
def rnn_backward(
    ds: np.ndarray, xs: np.ndarray, s0: np.ndarray, states: np.ndarray, W: dict
) -> tuple[np.ndarray, np.ndarray, dict]:
    """Backpropagation through time.

    Args:
        ds: (T, H, N) direct gradient of the loss by every state: ds[k] by states[k],
            with all other states held still.
        xs: (T, D, N) inputs.
        s0: (H, N) initial state.
        states: (T, H, N) states, as `rnn_forward_batch(xs, s0, W)` gave them.
        W: "ss" (H, H) and "sx" (H, D).

    Returns:
        dxs: (T, D, N) gradient by every input.
        ds0: (H, N) gradient by the initial state.
        dW: a dict with "ss" (H, H) and "sx" (H, D), gradients by the shared weights:
            summed over all positions and over the sequences of the batch.
    """
    ### BEGIN SOLUTION
    T = len(xs)
    dxs = np.zeros(xs.shape)
    dW = {key: np.zeros(W[key].shape) for key in ("ss", "sx")}
    carried = np.zeros(s0.shape)
    for k in reversed(range(T)):
        s_prev = states[k - 1] if k > 0 else s0
        delta = ds[k] + carried
        dxs[k], carried, dW_k = rnn_step_backward(delta, xs[k], s_prev, states[k], W)
        dW["ss"] += dW_k["ss"]
        dW["sx"] += dW_k["sx"]
    return dxs, carried, dW  # (2.17)
    ### END SOLUTION


# %% check="rnn_backward"
check(rnn_backward)

# %% [markdown] found="rnn_backward" slide="slide"
# ### What you found: backpropagation through time
#
# Start with nothing carried; for $t = T, \dots, 1$:
#
# 1. $\delta_t$ = direct gradient at $s_t$ + what is carried  (2.16)
# 2. through the tanh: $dL/da_t$  (2.9)
# 3. **store** the gradient by $x_t$  (2.10)
# 4. **add** $G_t$ to the gradients of the weights  (2.11), (2.14)
# 5. carry on to the state before  (2.10)
#
# What is carried when the loop ends is the gradient by the initial state:
#
# $$\frac{dL}{ds_0} = (W^{s,s})^{\top} \frac{dL}{da_1} \tag{2.17}$$

# %% found="rnn_backward"
measured_start = numerical_gradient(lambda s: loss_from(s, 0), s0)  # all steps run on
da_1 = measured[1] * (1 - states[0] ** 2)  # (2.9) at position 1
assert close(W["ss"].T @ da_1, measured_start), "(2.17) does not hold"
"(2.17) holds"

# %% [markdown] written="why_weights_sum" points=3
# ### Written question
#
# The gradient by $W^{s,x}$ is made of all positions. The gradient by the input
# $x_2$ is not: it is one product, made at position 2. In two to four sentences: why
# this difference? And does the gradient by $x_2$ know anything of positions 3 to $T$?
#
# === BEGIN MARK SCHEME ===
# 1 point: the weight is used at every position, so it reaches the loss by T copies whose
#   contributions add up; x_2 is read once, at position 2.
#
# 1 point: yes, the gradient by x_2 depends on the later positions.
#
# 1 point: because it starts from the error signal at s_2, which is a total derivative and
#   contains everything that follows from s_2. ("Through s_3" or "through the carried
#   gradient" counts as well.)
# === END MARK SCHEME ===

# %% [markdown] sitting=3
# > **A place to stop.** You have backpropagation through time. What follows puts it to work.

# %% [markdown] slide="slide"
# ## Part 7 · The whole model, tested
#
# Three functions make the gradient of the classifier by all its weights.
# The last state is the only one the loss looks at: `ds` is zero everywhere else.


# %% slide="fragment" needs="loss_backward rnn_backward"
def model_gradient(xs, labels, s0, W):
    """Loss, and its gradient by W["ss"], W["sx"], W["ys"]."""
    states = rnn_forward_batch(xs, s0, W)
    probabilities = predict(states[-1], W)
    loss = cross_entropy(probabilities, labels)
    ds = np.zeros(states.shape)
    ds[-1], dW_output = loss_backward(probabilities, labels, states[-1], W)
    _, _, dW = rnn_backward(ds, xs, s0, states, W)
    return loss, {**dW, **dW_output}


# %% [markdown] slide="notes"
# Ask: "which of the three functions divides by N?" Only loss_backward.
# Everything after it is linear in the error signal.


# %% needs="loss_backward rnn_backward"
def relative_errors(dW, xs, labels, s0, W):
    """For each matrix the size of dW - numeric, relative to the size of numeric."""
    errors = {}
    for key in W:

        def loss(matrix, key=key):
            V = {**W, key: matrix}
            return cross_entropy(predict(rnn_forward_batch(xs, s0, V)[-1], V), labels)

        numeric = numerical_gradient(loss, W[key])
        errors[key] = float(np.linalg.norm(dW[key] - numeric) / np.linalg.norm(numeric))
    return errors


# %% [markdown] slide="subslide"
# ### All weights at once
#
# Relative error: the size of the difference from the numeric gradient, divided by the
# size of the numeric gradient.

# %% slide="fragment" needs="loss_backward rnn_backward"
_, dW = model_gradient(xs, labels, s0, W)
errors = relative_errors(dW, xs, labels, s0, W)
assert max(errors.values()) < 1e-7, "a gradient differs from the numeric one"
print("errors:", ", ".join(f"{key} {error:.0e}" for key, error in errors.items()))

# %% [markdown] slide="slide"
# ## What a gradient check can miss
#
# Two bugs, slips of one character or one tab:
#
# - `=` for `+=`, for both `dW["ss"]` and `dW["sx"]`. The walk ends at position 1, so
#   **position 1** is left.
# - `return` inside the loop. The walk ends after one turn, so **position $T$** is left.
#
# For which lengths $T$ does a gradient check notice them?

# %% guess="02.9"
# Which of the two bugs does a gradient check notice?
guess(
    "02.9",
    with_T_1="neither",
    with_T_2="both",
    choices=("both", "only `=` for `+=`", "only the early return", "neither"),
)

# %% [markdown] answer="02.9"
# With one position there is nothing to add and nothing left to walk to: both bugs leave the whole
# gradient. From two positions on, each loses some.

# %% [markdown] slide="notes"
# The usual wrong answer: "always". With T = 1 there is one position, and both bugs
# are invisible. Also usual: to take both for the same bug. They leave opposite ends
# of the sequence.

# %% needs="parameter_contributions loss_backward" hide_input=true
BUGS = {"= for +=, position 1 left": 0, "return inside, position T left": -1}
found = {bug: [] for bug in BUGS}
for length in range(1, 7):
    part, s_all = xs[:length], rnn_forward_batch(xs[:length], s0, W)
    ds = np.zeros(s_all.shape)
    ds[-1], dW_output = loss_backward(predict(s_all[-1], W), labels, s_all[-1], W)
    G = parameter_contributions(ds, part, s0, s_all, W)
    for bug, k in BUGS.items():
        wrong = {"ss": G["ss"][k], "sx": G["sx"][k], **dW_output}
        found[bug].append(max(relative_errors(wrong, part, labels, s0, W).values()))
assert all(errors[0] < 1e-7 for errors in found.values()), "a bug was noticed at T = 1"
assert all(min(errors[1:]) > 0.1 for errors in found.values()), "a bug went unnoticed at T > 1"

# %% needs="parameter_contributions loss_backward" slide="fragment" hide_input=true
show(
    figures_02.noticed(found, 1e-7),
    alt="Relative error of the gradient for each bug and lengths 1 to 6, logarithmic. At "
    "T = 1 both are near 1e-10, below the limit; from T = 2 on both are near 1.",
)

# %% [markdown]
# A check tries what you give it. So give it $T > 1$, $N > 1$, sizes that differ, an
# $s_0$ that is not zero, and a loss that weights its outputs unevenly.

# %% [markdown] slide="slide"
# ## Does it learn?
#
# A task that needs the whole way back. A sequence of six random symbols, A, B or C,
# each as a vector with a single 1. **The class is the first symbol.** The five others
# are noise.
#
# The prediction is made at position 6, the evidence stood at position 1.
# Guessing gives 1/3.


# %%
def first_symbol_task(rng, N, T=6, D=3):
    """Random symbols, xs (T, D, N); the number of the first one, labels (N,)."""
    symbols = rng.integers(D, size=(T, N))
    return np.eye(D)[symbols].transpose(0, 2, 1), symbols[0]


def new_weights(rng, H=8, D=3, C=3):
    shapes = {"ss": (H, H), "sx": (H, D), "ys": (C, H)}
    return {key: rng.normal(size=(m, n)) / np.sqrt(n) for key, (m, n) in shapes.items()}


# %% [markdown]
# The training loop is the plainest there is: a fresh batch, a gradient, a small step
# against it. `crippled` and the cosines are for later: they say what a bug makes of the gradient.


# %% needs="rnn_backward loss_backward"
def train(seed, crippled=None, updates=300, rate=0.5, N=50, H=8):
    """Learn the task: accuracy on new sequences, the losses, and cosines for (2.18)."""
    rng = np.random.default_rng(seed)
    W, s0 = new_weights(rng, H), np.zeros((H, N))
    losses, cosines = [], []
    for _ in range(updates):
        xs, labels = first_symbol_task(rng, N)
        loss, dW = model_gradient(xs, labels, s0, W)
        step = crippled(xs, labels, s0, W) if crippled else dW
        W = {key: W[key] - rate * step[key] for key in W}
        losses.append(loss)
        cosines.append(cosine(step, dW))
    xs, labels = first_symbol_task(np.random.default_rng(1000 + seed), 1000)
    s_last = rnn_forward_batch(xs, np.zeros((H, 1000)), W)[-1]
    accuracy = (predict(s_last, W).argmax(axis=0) == labels).mean()
    return float(accuracy), losses, cosines


def recurrent_part(dW):
    """The gradients by the recurrent and the input weights as one long vector."""
    return np.concatenate([dW["ss"].ravel(), dW["sx"].ravel()])


def cosine(step, dW):
    """Cosine of the angle between two gradients, without the output weights."""
    a, b = recurrent_part(step), recurrent_part(dW)
    return a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-300)


# %% needs="rnn_backward loss_backward" hide_input=true
SEEDS = range(20)
runs = {"all positions": [train(seed) for seed in SEEDS]}
learned = np.array([accuracy for accuracy, _, _ in runs["all positions"]])
solved = (learned > 0.95).sum()
claim(
    "at least 15 of 20 networks get more than .95 right",
    solved >= 15,
    f"{solved} of {len(learned)}, the worst {learned.min():.2f}",
)

# %% needs="rnn_backward loss_backward" slide="fragment" hide_input=true
show(
    figures_02.training_curves(
        np.array([losses for _, losses, _ in runs["all positions"]])[:, :120], np.log(3)
    ),
    alt="Cross-entropy over the first 120 updates for 20 seeds. All start near that of "
    "guessing, 1.1. Nearly all fall close to zero within 100 updates, some with single "
    "upward spikes; the loss of one that gets stuck stays near 0.5.",
)

# %% [markdown]
# Nearly all of these networks solve it, from different random weights and batches. One
# or two of twenty get stuck at two thirds: of a hundred seeds that we tried, 92 got above
# .95, and eight ended between .65 and .69. Had you tried one of the eight alone, you would
# have searched for a bug; had you tried any other, you would have claimed that it always
# works.

# %% [markdown] slide="notes"
# Your own backward pass has just taught networks to remember over five steps of
# noise. Ask: "some networks are stuck. Is the gradient wrong?" No: it is the same
# code; the gradient check passed. The spikes are single updates that raised the loss;
# notebook 03 deals with them.

# %% [markdown] slide="slide"
# ## And with a bug?
#
# Both bugs leave something of the gradient, and nothing crashes. Suppose you train with
#
# - **position $T$ only** (`return` inside the loop),
# - **position 1 only** (`=` for `+=`),
# - **output weights only**: $W^{s,s}$ and $W^{s,x}$ stay random.
#
# The output weights get their full gradient in all three. The evidence stands at
# position 1. (Sixty networks are trained below: some twenty seconds.)

# %% guess="02.10"
# Order the three by accuracy on new sequences.
guess(
    "02.10",
    best="position T only",
    second="output weights only",
    worst="position 1 only",
    choices=("position T only", "position 1 only", "output weights only"),
)

# %% [markdown] answer="02.10" sealed=true
# The surprise is the last place: a part of the gradient is worse than none of it. The extra below
# looks for the reason.

# %% [markdown] slide="notes"
# The usual wrong answer: "position 1 is best, that is where the symbol stood".
# Collect the reasons before the figure.


# %% needs="parameter_contributions loss_backward"
def only_position(k):
    """What a bug leaves: the contribution of index k alone; for None, none at all."""

    def crippled(xs, labels, s0, W):
        states = rnn_forward_batch(xs, s0, W)
        ds = np.zeros(states.shape)
        probabilities = predict(states[-1], W)
        ds[-1], dW_output = loss_backward(probabilities, labels, states[-1], W)
        G = parameter_contributions(ds, xs, s0, states, W)
        kept = {key: 0 * G[key][0] if k is None else G[key][k] for key in G}
        return {**kept, **dW_output}

    return crippled


bugs = {"position T only": -1, "position 1 only": 0, "output weights only": None}

# %% needs="rnn_backward parameter_contributions loss_backward" hide_input=true
for words, k in bugs.items():
    runs[words] = [train(seed, only_position(k)) for seed in SEEDS]
accuracies = {words: [run[0] for run in found] for words, found in runs.items()}
medians = {words: float(np.median(values)) for words, values in accuracies.items()}
whole, last, first, none = medians.values()
claim(
    "by their medians all positions come first, then position T only, then output weights only",
    whole > last + 0.2 and last > none > first,
    ", ".join(f"{words} {value:.2f}" for words, value in medians.items()),
)
solved = np.greater(accuracies["position T only"], 0.95).sum()
claim("at most 3 of 20 networks solve it by position T only", solved <= 3, f"{solved} of 20")
harmed = np.less(accuracies["position 1 only"], accuracies["output weights only"]).sum()
claim("position 1 only is worse than none in at least 12 of 20 pairs", harmed >= 12, f"{harmed} of 20")

# %% [markdown] slide="subslide"
# ### Twenty networks for each
#
# All learn for 300 updates. Which of the two bugs does worse than not learning $W^{s,s}$
# and $W^{s,x}$ at all?

# %% needs="parameter_contributions rnn_backward" slide="fragment" hide_input=true
show(
    figures_02.accuracy_strips(accuracies, chance=1 / 3),
    alt="Accuracy of 20 networks for each way to learn. All positions: 1.0, but near 0.67 "
    "for one that got stuck. Position T only: scattered from 0.3 to 0.8. Position 1 only: "
    "0.3 to 0.45. Output weights only: 0.35 to 0.65, on the whole above position 1 only.",
)

# %%
reveal("02.10")

# %% [markdown]
# Position $T$ only: better than guessing, but hardly a network solves it in 300 updates
# (two of a hundred seeds). Position 1 only: hardly better than guessing, and on the whole
# **worse than not training** $W^{s,s}$ and $W^{s,x}$ at all (in 83 of a hundred pairs with
# the same start). A wrong gradient can be worse than none.
#
# Keep the row "position T only" in mind. A network whose `return` is indented too far
# **does** learn a little. It looks like a hard task or a poor learning rate, and you
# might search there for days. The gradient check with $T = 2$ finds it at once.

# %% [markdown] slide="notes"
# The surprise is the third row against the fourth. Let the room look for a reason;
# the next slide measures it.

# %% [markdown] slide="slide" extra=true
# ## Extra: the angle between the step and the gradient
#
# Take a small step $-\eta\, v$, where $g$ is the whole gradient and $v$ what the bug
# left of it. To first order the loss changes by
#
# $$\Delta L \approx -\eta\, \langle v, g \rangle
# = -\eta\, \|v\|\, \|g\| \cos\angle(v, g) \tag{2.18}$$
#
# A positive cosine: the step lowers the loss. Zero: to first order it does nothing.
# Negative: it does harm.
#
# ($\langle v, g \rangle$ is the sum of the products of all entries, $\|v\|$ the root of
# $\langle v, v \rangle$.)

# %% guess="02.11"
# Which cosine do you expect, on the whole, while the networks above are trained?
guess(
    "02.11",
    position_T_only="positive",
    position_1_only="about zero",
    choices=("positive", "about zero", "clearly negative"),
)

# %% [markdown] answer="02.11"
# A summand need not point the way of the sum. Position $T$ has something in common with the whole;
# position 1, five steps from the loss, stands at right angles to it, on average a little
# beyond.

# %% [markdown] slide="notes"
# Ask: "what cosine do you expect for position T only, what for position 1 only?"
# The usual wrong answer: positive for both, since both are part of the sum.
# A summand need not point the way of the sum.

# %% [markdown]
# (2.18), tested on the small model of the beginning: move the recurrent and the input
# weights by what position $T$ alone says, and compare the slope of the loss with the
# formula.

# %% needs="rnn_backward parameter_contributions loss_backward"
g = model_gradient(xs, labels, s0, W)[1]
v = only_position(-1)(xs, labels, s0, W)


def loss_after(eta):
    """The loss after a step of size eta along v, output weights left alone."""
    moved = {**W, "ss": W["ss"] - eta * v["ss"], "sx": W["sx"] - eta * v["sx"]}
    return cross_entropy(predict(rnn_forward_batch(xs, s0, moved)[-1], moved), labels)


slope = (loss_after(1e-5) - loss_after(-1e-5)) / 2e-5
size_v, size_g = np.linalg.norm(recurrent_part(v)), np.linalg.norm(recurrent_part(g))
assert np.isclose(slope, -size_v * size_g * cosine(v, g)), "(2.18) does not hold"
"(2.18) holds"

# %% needs="rnn_backward parameter_contributions loss_backward" hide_input=true
trained = list(bugs)[:2]
cosines = {words: np.array([run[2] for run in runs[words]]) for words in trained}
means = {words: values.mean(axis=1) for words, values in cosines.items()}
last, first = means.values()
claim(
    "the mean cosine of position T only is above .1 in each of the 20 networks",
    last.min() > 0.1,
    f"{last.min():.2f} to {last.max():.2f}",
)
claim(
    "that of position 1 only is within .15 of zero, and on average below it",
    np.abs(first).max() < 0.15 and first.mean() < 0,
    f"{first.min():.2f} to {first.max():.2f}, on average {first.mean():.3f}",
)

# %% [markdown] slide="subslide"
# ### In which direction did they step?
#
# 1 is straight along the gradient, 0 at right angles to it. Which of the two goes downhill?

# %% needs="parameter_contributions rnn_backward" slide="fragment" hide_input=true
show(
    figures_02.cosine_curves(cosines),
    alt="Cosine between the step and the whole gradient over 300 updates, median and "
    "middle 80 % of 20 networks. Position T only: from 0.5 at the start to 0.25. Position "
    "1 only: close to zero throughout, a little below it most of the time.",
)

# %% [markdown]
# Position $T$ only: in every network the steps have something in common with the
# gradient, so something is learned. Position 1 only: the steps stand at right angles
# to it, on average a little beyond. So the input weights move all the time, and not
# downhill. (The curves are running means over 25 updates.)
#
# A part of this you have seen in part 5: training starts from $s_0 = 0$, so position
# 1 contributes exactly nothing to $W^{s,s}$. With `=` for `+=` the recurrent weights
# never move at all.

# %% needs="rnn_backward parameter_contributions loss_backward"
rng_new = np.random.default_rng(7)
xs_new, labels_new = first_symbol_task(rng_new, 50)
left = only_position(0)(xs_new, labels_new, np.zeros((8, 50)), new_weights(rng_new))
assert np.all(left["ss"] == 0) and np.any(left["sx"] != 0), (
    'position 1 contributes to W["ss"], or not to W["sx"]'
)
{"to W_ss": float(np.abs(left["ss"]).max()), "to W_sx": round(float(np.abs(left["sx"]).max()), 3)}

# %% [markdown] slide="notes"
# Close with the practical rule: first the gradient check, then the learning rate.

# %% [markdown] slide="slide"
# ## Part 8 · It writes
#
# A text is a sequence of letters, and at **every** position there is something to predict: the
# next letter. No labels are needed.
#
# - An input $x_t$ is a letter: a vector of length $C$ with a single 1.
# - The model gives probabilities for the next letter from every $s_t$, with the same $W^{y,s}$.
# - $L$ is the mean cross-entropy over all positions and all sequences.

# %% [markdown] slide="notes"
# The text is this course's own prose, without formulas and code. Ask: "how many of the
# letters of 'backpropagation' could you predict from those before?" That is what the model
# is asked, a million times.

# %% [markdown]
# The text is 35,000 letters of this course's own prose. It is laid in $N = 32$ columns of equal
# length, so that 32 places are read at a time.

# %%
text = course_text()
alphabet = sorted(set(text))
C_text, N_text = len(alphabet), 32
numbers = np.array([alphabet.index(letter) for letter in text])
length = len(numbers) // N_text
columns = numbers[: N_text * length].reshape(N_text, length).T  # read downwards
K_text = 24
columns = columns[: (length - 1) // K_text * K_text + 1]  # whole pieces of K, and one letter more
print(fill(text[:170], 84))
print(f"{C_text} letters and signs, {len(columns)} positions in each of {N_text} columns")

# %% [markdown] slide="subslide"
# ### In pieces
#
# A thousand positions are too many for one walk back: it would take long, and there would be few
# updates. So the text is read in **pieces** of $K = 24$ positions. The state goes on from
# piece to piece; the walk back stops where the piece starts.
#
# Its initial state came from the piece before, but is taken for a constant. This is called
# *truncated* backpropagation through time.

# %% guess="02.12"
# What can a model that is trained so never be *taught* by its gradient?
guess(
    "02.12",
    never="to keep something for the next piece",
    choices=(
        "to use what the state holds of the piece before",
        "to keep something for the next piece",
        "which letters are the commonest",
    ),
)

# %% [markdown] answer="02.12"
# What happened before the piece is in the state that it is handed, and the model learns to use it.
# But no error signal walks back across the border: nothing rewards the weights of one piece for
# what they kept for the next. It may keep something by luck.

# %% [markdown]
# ### Exercise: a piece of text, backward
#
# No formula for this one stands anywhere above. You have a loss that looks at **every** position,
# and all the functions you need.
#
# 1. What is the direct gradient at each state? Mind the mean: over how many predictions?
# 2. $W^{y,s}$ is used at every position now.
# 3. What of the walk back is not asked for?
#
# The gradient is the true one of `piece_loss`, with the piece's first state held still; measure
# with it whatever you want to know.


# %% given="piece_loss"
def letter_vectors(symbols, C):
    """Numbers of letters (K, N) as inputs (K, C, N) with a single 1 each."""
    return np.eye(C)[symbols].transpose(0, 2, 1)


def piece_loss(labels, xs, s_start, W):
    """Mean cross-entropy over all K N predictions of a piece, from its initial state (H, N)."""
    losses = []
    for x_t, labels_t in zip(xs, labels, strict=True):
        s_start = rnn_step(x_t, s_start, W)
        losses.append(cross_entropy(predict(s_start, W), labels_t))
    return np.mean(losses)


# %% exercise="piece_backward" points=5
def piece_backward(
    probabilities: np.ndarray,
    labels: np.ndarray,
    xs: np.ndarray,
    s_start: np.ndarray,
    states: np.ndarray,
    W: dict,
) -> dict:
    """Gradient of the mean cross-entropy of a piece of text by all weights.

    Args:
        probabilities: (K, C, N) predictions for the letter after each position.
        labels: (K, N) integers, the letter that came, counted from 0.
        xs: (K, D, N) inputs of the piece.
        s_start: (H, N) state at which the piece starts, taken for a constant.
        states: (K, H, N) states, as `rnn_forward_batch(xs, s_start, W)` gave them.
        W: "ss" (H, H), "sx" (H, D) and "ys" (C, H).

    Returns:
        dW: a dict with "ss" (H, H), "sx" (H, D) and "ys" (C, H), gradients of the mean
            over all K N predictions.
    """
    ### BEGIN SOLUTION
    K = len(xs)
    ds, dW_ys = np.zeros(states.shape), np.zeros(W["ys"].shape)
    for k in range(K):
        ds[k], dW_k = loss_backward(probabilities[k], labels[k], states[k], W)
        dW_ys += dW_k["ys"]
    _, _, dW = rnn_backward(ds / K, xs, s_start, states, W)
    return {**dW, "ys": dW_ys / K}
    ### END SOLUTION


# %% check="piece_backward"
check(piece_backward)

# %% [markdown]
# ### Exercise: your own training loop
#
# Read a stretch of text piece by piece. For each piece: forward, the loss, backward, and one small
# step of every matrix **against** its gradient. The next piece starts with the new weights, at the
# state where this one ended.


# %% exercise="train_on_text" points=3
def train_on_text(
    symbols: np.ndarray, s_start: np.ndarray, W: dict, rate: float, K: int
) -> tuple[dict, np.ndarray, np.ndarray]:
    """Train on a stretch of text by gradient descent, one update a piece.

    Args:
        symbols: (P K + 1, N) numbers of letters, N columns of text read downwards: P
            pieces of K inputs, each with the letter that follows it as its label.
        s_start: (H, N) state at which the first piece starts.
        W: "ss" (H, H), "sx" (H, C) and "ys" (C, H).
        rate: how far a step goes: the factor in front of the gradient.
        K: positions in a piece.

    Returns:
        W: a new dict with the trained weights.
        s_last: (H, N) the last state of the last piece.
        losses: (P,) the loss of each piece, before its update.
    """
    ### BEGIN SOLUTION
    losses = []
    for start in range(0, len(symbols) - K, K):
        xs = letter_vectors(symbols[start : start + K], len(W["ys"]))
        labels = symbols[start + 1 : start + K + 1]
        states = rnn_forward_batch(xs, s_start, W)
        probabilities = np.stack([predict(s_t, W) for s_t in states])
        losses.append(np.mean([cross_entropy(probabilities[k], labels[k]) for k in range(K)]))
        dW = piece_backward(probabilities, labels, xs, s_start, states, W)
        W = {key: W[key] - rate * dW[key] for key in W}
        s_start = states[-1]
    return W, s_start, np.array(losses)
    ### END SOLUTION


# %% check="train_on_text"
check(train_on_text)

# %% [markdown] slide="slide"
# ## Before, during, after
#
# 96 units, random weights. Let it write 140 letters, one after the other: each is drawn from the
# probabilities that it gives, and becomes the next input.

# %% guess="02.13"
# After 1,800 updates, some ten seconds: what will it write?
guess(
    "02.13",
    before="letters at random",
    after="mostly words, no sense",
    choices=("letters at random", "mostly words, no sense", "sentences that mean something"),
)

# %% [markdown] answer="02.13" sealed=true
# It has seen nothing but letters. Words are what its 96 numbers can hold; what a sentence is about
# is not.


# %%
def new_writer(seed, H=96):
    """Random weights and an initial state for the text."""
    W = new_weights(np.random.default_rng(seed), H, C_text, C_text)
    W["sx"] *= 3  # a letter is a single 1: without this it would hardly be heard
    return W, np.zeros((H, N_text))


def write(W, seed, letters=140):
    """Let the model write, starting behind a blank; likely letters are preferred a little."""
    rng, s, written = np.random.default_rng(seed), np.zeros((len(W["ss"]), 1)), " "
    for _ in range(letters):
        x_t = letter_vectors(np.array([[alphabet.index(written[-1])]]), C_text)[0]
        s = rnn_step(x_t, s, W)
        p = predict(s, {"ys": 1.4 * W["ys"]})[:, 0]
        written += alphabet[rng.choice(C_text, p=p)]
    return written.strip()


# %% needs="train_on_text piece_backward rnn_backward loss_backward"
PASSES, rate_text = 40, 0.7
writer, s_now = new_writer(seed=0)
samples, curve = {0: write(writer, seed=1)}, []
for number in range(1, PASSES + 1):
    writer, _, losses = train_on_text(columns, s_now, writer, rate_text, K_text)
    curve += list(losses / np.log(2))
    if number in (1, 6, PASSES):
        samples[len(curve)] = write(writer, seed=1)
list(samples)  # after how many updates it was asked to write

# %% needs="train_on_text piece_backward rnn_backward loss_backward" slide="fragment" hide_input=true
for updates, sample in samples.items():
    print(f"after {updates} updates:", *fill(sample, 84).splitlines(), "", sep="\n  ")

# %%
reveal("02.13")

# %% [markdown] slide="subslide"
# ### The loss while it learns
#
# A cross-entropy divided by $\log 2$ counts **bits**: a fair choice between two costs one,
# among four two. How many bits does a letter cost? Where is most of it learned?

# %% needs="train_on_text piece_backward rnn_backward loss_backward" slide="fragment" hide_input=true
show(
    figures_02.text_curve(np.array(curve), np.log2(C_text)),
    alt="Loss in bits per letter against the number of updates. It starts near that of "
    "guessing, falls steeply to about 3.5 within a hundred updates, and then slowly.",
)

# %% [markdown] slide="notes"
# Let the room read the samples aloud. Ask: "what did it learn first?" Blanks and the commonest
# letters, then short words, then endings. It never learns what a sentence is about.

# %% [markdown]
# One number says how much of it is words: of what it writes between blanks, the share that
# stands somewhere in the text. Three networks, each from its own random weights (twenty seconds).

# %% needs="train_on_text piece_backward rnn_backward loss_backward" hide_input=true
VOCABULARY = {word.strip(".,;:?!'\"()-") for word in text.split()}


def share_of_words(W):
    """Of 2,000 letters that the model writes, the share of words that stand in the text."""
    words = [word.strip(".,;:?!'\"()-") for word in write(W, 7, letters=2000).split()]
    return float(np.mean([word in VOCABULARY for word in words if word]))


found_words = {"before": [], "after": []}
for seed in (1, 2, 3):
    weights, s_now = new_writer(seed)
    found_words["before"].append(share_of_words(weights))
    for _ in range(PASSES // 2):
        weights, _, _ = train_on_text(columns, s_now, weights, rate_text, K_text)
    found_words["after"].append(share_of_words(weights))
claim(
    "after half of the updates two in five of its words stand in the text, in 3 networks of 3",
    min(found_words["after"]) > 0.4 and max(found_words["before"]) < 0.25,
    ", ".join(f"{a:.2f} before and {b:.2f} after" for a, b in zip(*found_words.values(), strict=True)),
)

# %% [markdown]
# Nobody told it what a word is. The backward pass did, and you found it.

# %% [markdown] slide="slide"
# ## Recap
#
# - Unrolled, an RNN is a deep feed-forward network: go back layer by layer, through the tanh
#   and through two products.
# - Shared weights are copies that move together: their gradient is the **sum** of
#   the contributions of all positions, (2.14).
# - A contribution is **total** towards the loss ($\delta_t$) times **direct** towards
#   the weights.
# - Error signal = direct gradient at this state + what the next step carries back;
#   nothing is carried to the last state.
# - `=` for `+=` leaves position 1, an early `return` leaves position $T$; both train
#   without a complaint. Check gradients with $T > 1$.
# - Truncated backpropagation walks back within a piece only: shorter, and blind to what lies
#   further back.

# %% [markdown] slide="notes"
# Exit question: "the error signal is multiplied by J-transposed at every step back.
# What happens after a hundred steps?" It is the whole of notebook 03.

# %% [markdown] slide="slide"
# ## Papers
#
# - P. J. Werbos (1990). *Backpropagation through time: what it does and how to do it.*
#   Proceedings of the IEEE 78(10). "Ordered derivatives" are what we call total.
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams (1986). *Learning representations by
#   back-propagating errors.* Nature 323. The layer-wise backward pass; it also
#   draws an iterative network as a layered one with equal weights.
# - R. J. Williams, D. Zipser (1989). *A learning algorithm for continually running
#   fully recurrent neural networks.* Neural Computation 1(2). The forward recursion
#   (2.15), for a whole network.
# - R. J. Williams, J. Peng (1990). *An efficient gradient-based algorithm for on-line training
#   of recurrent network trajectories.* Neural Computation 2(4). Truncated backpropagation.
#
# **Next**: notebook 03, what a hundred Jacobians in a row do to an error signal.

# %% [markdown] slide="notes"
# Werbos' paper reads well and is short; recommend its sections on the ordered
# derivative.
