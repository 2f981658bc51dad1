# %% [markdown] slide="slide"
# # 02 · Backpropagation through time
#
# One pair of matrices, used at every position of a sentence.
# Which of these uses is to blame for a wrong prediction, and by how much?

# %% [markdown] slide="notes"
# Open question to the room: "you have backpropagated through a network with five
# layers. Now somebody tells you that all five layers are the same matrix. What
# changes?" The usual wrong answer: "take the gradient of one layer, they are all the
# same". Do not resolve it; the bars in part 4 will.

# %% [markdown] slide="slide"
# ## What you will be able to do
#
# - carry an error signal from the loss to every state, and on to every input;
# - tell a **direct** derivative from a **total** one, and know which of them you hold;
# - compute what each position contributes to a shared weight's gradient, and sum it up;
# - test a whole model's gradient against numbers, and know what such a test can miss;
# - train a recurrent network with a backward pass you wrote yourself.
#
# **Time**: 60 to 75 minutes, four exercises and one written question. Stuck?
# `hint(loss_backward)` gives a hint for that exercise; call it again for the next.
# There are three for each exercise, and they cost nothing.

# %% [markdown] slide="notes"
# The lecture takes 50 minutes. Parts 1 and 2 are the chain rule as the room knows it;
# go through them quickly. The new ideas are in parts 3 and 4: direct and total, and
# the sum.

# %%
from autograder import check, hint
from rnncourse import claim, explorer, figures_02, show

# %% given="imports"
import numpy as np

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
# You wrote these. They are given here, so that a slip of then costs nothing now.
# `numerical_gradient` is the one of notebook 00, with any function `f` for its loss.


# %% given="earlier_functions"
def numerical_gradient(f, x, eps=1e-5):
    """Gradient of the number f(x) by central differences, entry by entry."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[index] = eps
        gradient[index] = (f(x + step) - f(x - step)) / (2 * eps)
    return gradient


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
# A small model to try every formula on. All its sizes differ, so that a wrong shape
# cannot hide, and so do its two labels. (`W["ss"]` and its gradient are square:
# transposed, only their numbers give them away.) `close` tells whether two arrays
# agree to eight decimals.

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
# Let the room name what each red arrow carries before you go on: the gradient of the
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
# It has the shape of a state, (H, N). In code it is `delta`.
# For the initial state the definition is the same, with $t = 0$.

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
# Another network, with small random weights: it starts from $s_0 = 0$ and uses
# $W^{s,s}$ at $T = 12$ positions. The loss looks at the last state only.
#
# **Which of the twelve uses contributes most to its gradient?** The first, the last,
# one in the middle, or all alike? And does it change when every entry of $W^{s,s}$ is
# made five times as large?
#
# Write your answer down. Part 4 measures it.

# %% [markdown] slide="notes"
# Take a vote and keep the numbers on the board. Usual: "the last, always, because it
# is nearest". That is right for a small W only.

# %% [markdown] slide="slide"
# ## Part 1 · Where the error signal starts
#
# For one sequence with label $y$, (2.2) reads
#
# $$L = -\log p_y = -z_y + \log \sum_{c} e^{z_c}$$
#
# The first term has the derivative $-1$ by $z_y$ and 0 by the others.
# The second has the derivative $p_c$ by $z_c$. With the mean over $N$ sequences:
#
# $$\frac{dL}{dz_{c,n}} = \frac{1}{N}
# \begin{cases} p_{c,n} - 1 & \text{if } c = y_n \\
# p_{c,n} & \text{otherwise} \end{cases} \tag{2.4}$$
#
# *What the model said, minus what it should have said.*

# %% [markdown] slide="notes"
# Ask: "the model gives the right class .99. How large is the gradient?" About .01
# over N. Usual wrong answer: "1/p, so about 1". That is the gradient by the
# probability; the softmax stands in between.


# %% [markdown] slide="subslide"
# ### (2.4), tested
#
# Every formula that claims something is followed by a cell that compares it with a
# measurement.


# %% slide="fragment"
def loss_of_logits(z):
    exponentials = np.exp(z - z.max(axis=0))
    return cross_entropy(exponentials / exponentials.sum(axis=0), labels)


dz = (probabilities - np.eye(C)[labels].T) / N  # (2.4)
nudged = numerical_gradient(loss_of_logits, W["ys"] @ states[-1])
assert close(dz, nudged), "(2.4) does not hold"
dz.round(3)  # each column sums to zero: what one class gains, the others lose

# %% [markdown] slide="slide"
# ## From the logits to the last state
#
# Unit $i$ of the last state enters **every** logit:
# $z_c = \sum_i W^{y,s}_{c,i}\, s_{T,i}$. So its gradient collects from all of them:
#
# $$\delta_{T,i} = \sum_{c} W^{y,s}_{c,i} \frac{dL}{dz_c} \tag{2.5}$$
#
# Weight $(c, i)$ enters **one** logit of each sequence, and the sequences share the
# weight:
#
# $$\frac{dL}{dW^{y,s}_{c,i}} = \sum_{n} \frac{dL}{dz_{c,n}}\, s_{T,i,n} \tag{2.6}$$

# %% [markdown] slide="notes"
# Ask for the matrix form of both. (2.5) sums over the row index of W, so W is
# transposed. The usual wrong answer forgets that; the shapes (C, H) and (C, N)
# refuse.

# %%
delta_T = np.einsum("ci,cn->in", W["ys"], dz)  # (2.5), index by index
assert close(delta_T, measured[T]), "(2.5) does not hold"

# %%
dW_ys = np.einsum("cn,in->ci", dz, states[-1])  # (2.6), index by index
loss_of = lambda W_ys: cross_entropy(predict(states[-1], {"ys": W_ys}), labels)
assert close(dW_ys, numerical_gradient(loss_of, W["ys"])), "(2.6) does not hold"

# %% [markdown]
# ### Exercise: the loss, backward
#
# Write (2.4), then (2.5) and (2.6) as matrix products.
# You get the probabilities, so the softmax need not be computed again.


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
    dz = dz / N  # (2.4)
    ds_last = W["ys"].T @ dz  # (2.5)
    return ds_last, {"ys": dz @ s_last.T}  # (2.6)
    ### END SOLUTION


# %% check="loss_backward"
check(loss_backward)

# %% [markdown] slide="slide"
# ## Part 2 · One layer, backward
#
# An error signal $\delta_t$ has arrived at $s_t$. First obstacle: the tanh.
# Its slope can be written with its own output, $\tanh'(a) = 1 - \tanh^2(a)$, so
#
# $$\frac{dL}{da_t} = \delta_t \odot (1 - s_t \odot s_t) \tag{2.7}$$
#
# where $\odot$ multiplies entry by entry.
#
# Two things to notice: the pre-activation $a_t$ need not be kept, the state is enough.
# And where a unit is saturated ($s$ near 1 or $-1$) almost nothing comes through.

# %% [markdown] slide="notes"
# Ask: "a unit is at .99. What share of its error signal gets through?" 1 - .98 = .02.
# The usual slip in code: np.tanh applied to s_t again. The state is a tanh already.

# %% slide="fragment"
x_t, s_prev = xs[0], s0
a_t = W["ss"] @ s_prev + W["sx"] @ x_t
s_t = np.tanh(a_t)
delta = rng.normal(size=(H, N))  # some error signal that arrives at s_t
da = delta * (1 - s_t * s_t)  # (2.7)
nudged = numerical_gradient(lambda a: (delta * np.tanh(a)).sum(), a_t)
assert close(da, nudged), "(2.7) does not hold"

# %% [markdown]
# Why `(delta * np.tanh(a)).sum()`? It stands for the loss: near the point where we
# are, the loss moves with $s_t$ by the error signal times the change. Any loss with
# this error signal at $s_t$ has the same gradient further back.

# %% [markdown] slide="slide"
# ## Second obstacle: two products
#
# The pre-activation is
# $a_{t,i} = \sum_j W^{s,s}_{i,j}\, s_{t-1,j} + \sum_d W^{s,x}_{i,d}\, x_{t,d}$. Old
# unit $j$ and input $d$ feed every $a_{t,i}$, so they collect from all of them:
#
# $$\frac{dL}{ds_{t-1,j}} = \sum_i W^{s,s}_{i,j} \frac{dL}{da_{t,i}} \tag{2.8}$$
#
# $$\frac{dL}{dx_{t,d}} = \sum_i W^{s,x}_{i,d} \frac{dL}{da_{t,i}} \tag{2.9}$$
#
# Forward, $W_{i,j}$ carries unit $j$ to unit $i$. Backward, it carries the blame from
# $i$ to $j$.

# %% [markdown] slide="notes"
# Ask: "W is square. Who notices when you forget the transpose?" Nobody: no shape
# complains. Only a numeric check does. This is why every size in our checks differs,
# and why even that is not enough for W^{s,s}.

# %%
upstream = lambda s_prev, x_t: (delta * rnn_step(x_t, s_prev, W)).sum()
by_state = np.einsum("ij,in->jn", W["ss"], da)  # (2.8), index by index
by_input = np.einsum("id,in->dn", W["sx"], da)  # (2.9)
assert close(by_state, numerical_gradient(lambda s: upstream(s, x_t), s_prev)), "(2.8) does not hold"
assert close(by_input, numerical_gradient(lambda x: upstream(s_prev, x), x_t)), "(2.9) does not hold"

# %% [markdown] slide="subslide"
# ### The same as a Jacobian
#
# (2.7) and (2.8) together are the transpose of the step's Jacobian: of the matrix
# that holds, in row $i$ and column $j$, how new unit $i$ moves with old unit $j$. For
# one sequence
#
# $$J_t = \operatorname{diag}(1 - s_t \odot s_t)\, W^{s,s},
# \qquad \frac{dL}{ds_{t-1}} = J_t^{\top} \delta_t \tag{2.10}$$
#
# Notebook 03 is about products of these matrices.

# %% slide="fragment"
one = slice(0, 1)  # the first sequence alone
J = (1 - s_t[:, one] ** 2) * W["ss"]  # row i times the slope of unit i
nudged = lambda e: rnn_step(x_t[:, one], s_prev[:, one] + e[:, None], W)
columns = [(nudged(1e-6 * e) - nudged(-1e-6 * e)) / 2e-6 for e in np.eye(H)]
assert close(J, np.hstack(columns)), "(2.10) does not hold"
assert np.allclose(J.T @ delta[:, one], by_state[:, one]), "(2.10) does not hold"

# %% [markdown] slide="slide"
# ## The weights of this layer
#
# $W^{s,s}_{i,j}$ stands in one place only: it multiplies $s_{t-1,j}$ on the way to
# $a_{t,i}$. For one sequence, and for the weights of **this layer alone**, call the
# gradients $G_t$:
#
# $$G^{s,s}_{t,i,j} = \frac{dL}{da_{t,i}}\, s_{t-1,j}, \qquad
# G^{s,x}_{t,i,d} = \frac{dL}{da_{t,i}}\, x_{t,d} \tag{2.11}$$
#
# *What came back to the row, times what went in by the column.*

# %% [markdown] slide="notes"
# Prediction for the room: "in code this is one matrix product, (H, N) times (N, H).
# The N disappears. Was it summed, averaged, or is one sequence left?" Summed: that is
# what a matrix product does. The mean of the loss is inside the error signal already
# (1/N in (2.4)). Usual wrong answer: divide by N again.

# %%
one_column = lambda V: (delta[:, one] * rnn_step(x_t[:, one], s_prev[:, one], V)).sum()
G_ss = np.outer(da[:, 0], s_prev[:, 0])  # (2.11) for the first sequence
G_sx = np.outer(da[:, 0], x_t[:, 0])
assert close(G_ss, numerical_gradient(lambda V: one_column({**W, "ss": V}), W["ss"])), "(2.11) does not hold"
assert close(G_sx, numerical_gradient(lambda V: one_column({**W, "sx": V}), W["sx"])), "(2.11) does not hold"

# %% [markdown]
# ### What `ds` means in code
#
# Every backward function gets, as `ds`, the gradient at **what its forward function
# returned**, as the caller sees it. `rnn_step` returns $s_t$, and the caller of its
# backward holds the whole error signal there. So here `ds` is $\delta_t$.
#
# In a batch the weights are shared by the sequences as well: their gradients by one
# step's weights add up. In code that is one matrix product of an (H, N) and an (N, H)
# array, and it sums over the $N$ that disappears.
#
# ### Exercise: one step, backward
#
# Write (2.7), (2.8), (2.9) and (2.11), for a whole batch and without a loop.


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
    da = ds * (1 - s_t**2)  # (2.7)
    dx = W["sx"].T @ da  # (2.9)
    ds_prev = W["ss"].T @ da  # (2.8)
    dW = {"ss": da @ s_prev.T, "sx": da @ x_t.T}  # (2.11)
    return dx, ds_prev, dW
    ### END SOLUTION


# %% check="rnn_step_backward"
check(rnn_step_backward)

# %% [markdown]
# Was the batch summed? Run your step for all sequences together, and for each by
# itself. (And the $1/N$ of the loss? It came in with (2.4) and is inside the error
# signal.)

# %% needs="rnn_step_backward"
batch = rnn_step_backward(delta.copy(), x_t, s_prev, s_t, W)[2]
alone = []
for n in range(N):
    of_n = [array[:, n : n + 1].copy() for array in (delta, x_t, s_prev, s_t)]
    alone.append(rnn_step_backward(*of_n, W)[2])
assert np.allclose(batch["ss"], sum(dW["ss"] for dW in alone)), "the batch was not summed"
"summed over the sequences"

# %% [markdown] slide="slide"
# ## Pen and paper
#
# One unit, one input, one sequence, three positions. The loss is the last state itself:
# $L = s_3$, so $\delta_3 = 1$. With $W^{s,s} = w = 0.5$ and $W^{s,x} = 1$ the network
# went through
#
# | | $s_0$ | $s_1$ | $s_2$ | $s_3$ |
# |---|---|---|---|---|
# | state | −0.25 | 0.8 | 0.6 | 0.5 |
# | slope $1 - s_t^2$ | | 0.36 | 0.64 | 0.75 |
#
# **Fill in, from right to left**: $da_3$, then $G_3 = da_3\, s_2$, then
# $\delta_2 = w\, da_3$; the same for positions 2 and 1. (The inputs are not needed.
# Why?)

# %% [markdown] slide="notes"
# Five minutes, in pairs. Usual slips: G_3 with s_3 instead of s_2; delta_2 without
# the slope. The inputs are not needed because the slope is written with the states,
# and G^{s,s} is made of states. (G^{s,x} would need them.)

# %% [markdown] slide="subslide"
# ### The answer
#
# | $t$ | $\delta_t$ | $da_t = \delta_t (1 - s_t^2)$ | $G_t = da_t\, s_{t-1}$ |
# |---|---|---|---|
# | 3 | 1 | 0.75 | 0.75 · 0.6 = **0.45** |
# | 2 | 0.5 · 0.75 = 0.375 | 0.375 · 0.64 = 0.24 | 0.24 · 0.8 = **0.192** |
# | 1 | 0.5 · 0.24 = 0.12 | 0.12 · 0.36 = 0.0432 | 0.0432 · (−0.25) = **−0.0108** |
#
# Three numbers for one weight. A contribution can have either sign: here, with all
# $da_t > 0$, that of what the weight multiplied. And the inputs? The slope is
# written with the states, and $w$ multiplies states.

# %% [markdown] slide="slide"
# ## Part 3 · One weight in three places
#
# Which of 0.45, 0.192 and −0.0108 is *the* derivative of $L$ by $w$?
#
# Give every position **its own copy** of the weight, $w_1, w_2, w_3$:
#
# $$s_t = \tanh(w_t\, s_{t-1} + x_t) \tag{2.12}$$
#
# Now there are three weights and three ordinary gradients, and layer by layer we found
# $G_t = dL/dw_t$. The RNN is the case where all copies are equal.
#
# **Predict**: nudge all three copies by the same small amount. By what does $L$
# change, per unit?

# %% [markdown] slide="notes"
# Usual wrong answers: the mean of the three, or the last one (.45).
# Nudging all of them is a nudge in the direction (1, 1, 1): the changes add up.

# %% [markdown] slide="subslide"
# ### Nudge one copy, nudge all

# %% slide="fragment"
target = np.array([0.8, 0.6, 0.5])
start, w = -0.25, 0.5
x = np.arctanh(target) - w * np.array([start, 0.8, 0.6])  # they lead to these states


def last_state(copies):
    s = start
    for w_t, x_value in zip(copies, x, strict=True):
        s = np.tanh(w_t * s + x_value)  # (2.12)
    return s


one_copy = numerical_gradient(last_state, np.array([w, w, w]))
all_copies = (last_state([w + 1e-6] * 3) - last_state([w - 1e-6] * 3)) / 2e-6
assert close(one_copy, [-0.0108, 0.192, 0.45]), "not what was found on paper"
assert np.isclose(all_copies, -0.0108 + 0.192 + 0.45), "they do not add up to .6312"
{"one copy at a time": one_copy.round(4), "all at once": round(float(all_copies), 4)}

# %% [markdown] slide="slide"
# ## Contributions add up
#
# Shared weights are copies that are forced to move together. By the chain rule, with
# every copy moving at speed 1 when the shared weight does:
#
# $$\frac{dL}{dW^{s,s}} = \sum_{t=1}^{T} G^{s,s}_t, \qquad
# \frac{dL}{dW^{s,x}} = \sum_{t=1}^{T} G^{s,x}_t \tag{2.13}$$
#
# $G_t$ is the **contribution** of position $t$: the gradient by that position's own
# copy.
#
# A **sum**: not a mean, not the last one, not the largest.

# %% [markdown] slide="notes"
# This is the answer to the opening question. Ask: "and the gradient by x_2, is that a
# sum over positions too?" No: x_2 is read once. It is the written question of the
# notebook, so let it stand.

# %% [markdown] slide="slide"
# ## Direct and total
#
# $s_2$ depends on the weight in two ways: **directly**, in its own step, and
# **through** $s_1$.
#
# | | sign | what moves |
# |---|---|---|
# | **direct** | $\partial s_t / \partial w = (1 - s_t^2)\, s_{t-1}$ | $w$ in step $t$; $s_{t-1}$ stays |
# | **total** | $d s_t / d w$ | $w$ in every step, and all that follows |
#
# In this course $\partial$ is always direct and $d$ is always total.
#
# The total derivative is the direct one plus what arrives through the state before:
#
# $$\frac{d s_t}{d w} = \frac{\partial s_t}{\partial w}
# + (1 - s_t^2)\, w\, \frac{d s_{t-1}}{d w},
# \qquad \frac{d s_0}{d w} = 0 \tag{2.14}$$

# %% [markdown] slide="notes"
# Ask: "for which t are the two equal?" t = 1: s_0 does not depend on w. Werbos (1990)
# calls the total derivative "ordered derivative". Many texts write the curly d for
# both and leave you to guess.

# %% [markdown]
# (2.14) runs **forward**, with the states. It never heard of error signals, and must
# end at the same number as the sum of the contributions, 0.6312. On paper:
#
# - position 1: 0.36 · (−0.25) = −0.09
# - position 2: 0.64 · (0.8 + 0.5 · (−0.09)) = 0.4832
# - position 3: 0.75 · (0.6 + 0.5 · 0.4832) = 0.6312

# %% [markdown] slide="subslide"
# ### Direct and total, in numbers

# %% slide="fragment"
s_before = np.array([start, 0.8, 0.6])
total, totals, directs = 0.0, [], []  # d s_0 / d w = 0
for s, s_old in zip(target, s_before, strict=True):
    direct = (1 - s**2) * s_old
    total = direct + (1 - s**2) * w * total  # (2.14)
    totals.append(total)
    directs.append(direct)
assert np.isclose(totals[-1], all_copies), "(2.14) ends elsewhere than the nudge"
{"direct": np.round(directs, 4), "total": np.round(totals, 4)}

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
# All three products, summed over the positions. The nudge said 0.6312.

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
# A tagger predicts something at every position. Then the loss sees $s_t$ **directly**,
# and it sees it **through** $s_{t+1}$. The error signal is total, so it has two parts:
#
# $$\delta_t = \underbrace{\frac{\partial L}{\partial s_t}}_{\text{direct}}
# + \underbrace{(W^{s,s})^{\top} \frac{dL}{da_{t+1}}}_{\text{carried, by (2.8)}}
# \quad \text{for } t < T,
# \qquad \delta_T = \frac{\partial L}{\partial s_T} \tag{2.15}$$
#
# Behind the last state there is no step: nothing is carried to it.

# %% [markdown] slide="notes"
# Ask: "our classifier looks at s_T only. What are the direct gradients?" Zero, but
# for the last. Usual slip in code: start the walk with the last gradient as carry AND
# add it again.

# %% [markdown]
# Measure both parts on the network of the pen-and-paper example, with the loss
# $L = 0.7\, s_1 - 1.2\, s_2 + s_3$. Direct: change one state in the formula of the
# loss, leave the others as they are. Total: change one state and let the network run
# on from it.

# %%
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
da_next = measured_total[1:] * (1 - target[1:] ** 2)
carried_back = np.append(w * da_next, 0.0)  # nothing is carried to position 3
assert close(measured_total, measured_direct + carried_back), "(2.15) does not hold"

# %% [markdown] slide="subslide"
# ### The two parts of an error signal
#
# Three states, $L = 0.7\, s_1 - 1.2\, s_2 + s_3$.

# %% slide="fragment" hide_input=true
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

# %% [markdown]
# ### What `ds` means, once more
#
# The rule is the same as before: `ds` is the gradient at what the forward function
# returned, as the caller sees it. `rnn_forward_batch` returns **all** states, so `ds`
# is (T, H, N). What its caller sees is the loss, and nothing of the steps between the
# states: those are *inside* the function, and going back through them is the backward
# function's own work.
#
# | function | `ds` | in formulas |
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
# Walk from position $T$ to position 1. At each: (2.15) for the error signal, then
# `rnn_step_backward`. Keep the positions apart: do not sum yet.


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
        delta = ds[k] + carried  # (2.15)
        _, carried, dW = rnn_step_backward(delta, xs[k], s_prev, states[k], W)
        contributions["ss"][k] = dW["ss"]
        contributions["sx"][k] = dW["sx"]
    return contributions
    ### END SOLUTION


# %% check="parameter_contributions"
check(parameter_contributions)

# %% [markdown]
# The classifier of the beginning, once more. Nudge **one position's** copy of
# $W^{s,s}$ and compare with your contribution of that position; then nudge them all
# and compare with the sum, (2.13).


# %% needs="parameter_contributions"
def loss_with(matrix, positions):
    """The loss when the given positions use `matrix` in place of W["ss"]."""
    s = s0
    for k in range(T):
        s = rnn_step(xs[k], s, {**W, "ss": matrix} if k + 1 in positions else W)
    return cross_entropy(predict(s, W), labels)


ds = np.zeros((T, H, N))
ds[-1] = delta_T  # the loss looks at the last state only
G = parameter_contributions(ds, xs, s0, states, W)["ss"]
for t in range(1, T + 1):
    one_nudged = numerical_gradient(lambda M, t=t: loss_with(M, [t]), W["ss"])
    assert close(G[t - 1], one_nudged), "not the gradient by this position's copy"
all_nudged = numerical_gradient(lambda M: loss_with(M, range(1, T + 1)), W["ss"])
assert close(G.sum(axis=0), all_nudged), "(2.13) does not hold"

# %% [markdown] slide="slide"
# ## Part 4 · Where the contributions come from
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

# %% [markdown]
# With small weights the error signal shrinks at every step back, so the last
# positions decide. With large ones it grows on its way back, and early uses of the
# weight outweigh late ones. Somewhere between, all count about alike. Notebook 03
# asks what decides between the three. (From 0.5 to 2.5 every entry is five times as
# large: compare with what you wrote down.)
#
# And position 1? By (2.11) its contribution is $dL/da_1$ times $s_0$, and here
# $s_0 = 0$: a weight that multiplied nothing gets no gradient. Keep that in mind for
# part 6.

# %% [markdown] slide="notes"
# Go back to the votes. "The last" was right for small weights only.
# Then ask: "why does position 1 have no bar at all?" s_0 = 0: it multiplied nothing.

# %% [markdown] slide="slide"
# ## Try it: one unit, twelve positions
#
# Red: the error signal $\delta_t$. Green: the contribution $da_t\, s_{t-1}$ to the
# gradient of $w$. Find settings for which (a) nothing can be seen but the last two or
# three bars,
# (b) **position 1** contributes most although the loss is the last state, (c)
# neighbouring error signals have opposite signs.

# %%
x_demo = np.random.default_rng(5).normal(size=20).round(2)


def one_unit(w, scale, T=12):
    """Error signals and contributions for one unit; the loss is the last state."""
    s = np.concatenate([[0.3], np.zeros(T)])
    for t in range(1, T + 1):
        s[t] = np.tanh(w * s[t - 1] + scale * x_demo[t - 1])
    delta, G = np.ones(T + 1), np.zeros(T + 1)
    for t in range(T, 0, -1):
        G[t] = delta[t] * (1 - s[t] ** 2) * s[t - 1]
        delta[t - 1] = w * delta[t] * (1 - s[t] ** 2)
    return delta[1:], G[1:]


# %% slide="fragment" hide_input=true
show(
    figures_02.signed_bars(*one_unit(0.9, 0.5), "one unit, w = 0.9, inputs half size"),
    alt="Two rows of twelve bars for one unit with w = 0.9. The error signals shrink "
    "from position 12 back to position 1. The contributions change sign with the state "
    "before them, and fade too.",
)

# %% [markdown] slide="subslide"
# ### Move the sliders

# %% slide="fragment" hide_input=true
explorer(
    "contributions",
    {"x": x_demo.tolist(), "s0": 0.3, "w": 0.9, "scale": 0.5, "T": 12},
    alt="Bars of the error signal and of the contribution to the gradient of w at every "
    "position, for one unit. Sliders set the length, the recurrent weight and the size of "
    "the inputs; a choice sets whether the loss is the last state or the sum of all.",
)

# %% [markdown]
# Answers: (a) a small weight, $w = 0.2$ say. (b) $w = 1.2$ and inputs of size 0.2.
# With much larger weights or inputs ($w = 3$, or inputs of size 1) the unit
# saturates, its slope is near 0, and almost nothing comes back. (c) Any negative
# weight: every step back multiplies by it once.

# %%
sizes = lambda w, scale: np.abs(one_unit(w, scale)[1])
assert sizes(0.2, 0.5)[:9].max() < 0.02 * sizes(0.2, 0.5).max(), "(a): an early bar can be seen"
assert sizes(1.2, 0.2).argmax() == 0 and sizes(3.0, 0.2).argmax() == 11, (
    "(b): position 1 does not contribute most"
)
signs = np.sign(one_unit(-0.9, 0.5)[0])
assert np.all(signs[1:] == -signs[:-1]), "(c): two neighbours have the same sign"

# %% [markdown] slide="notes"
# Let the room propose (b). The usual wrong answer is "w as large as possible": then
# the unit saturates, its slope is nearly 0, and the error signal dies. Large w AND
# small states are needed.

# %% [markdown] slide="slide"
# ## Part 5 · Backpropagation through time
#
# Put the pieces in a row. Start with nothing carried; for $t = T, \dots, 1$:
#
# 1. $\delta_t$ = direct gradient at $s_t$ + what is carried  (2.15)
# 2. through the tanh: $dL/da_t$  (2.7)
# 3. **store** the gradient by $x_t$  (2.9)
# 4. **add** $G_t$ to the gradients of the weights  (2.11), (2.13)
# 5. carry $(W^{s,s})^{\top} dL/da_t$ to the state before  (2.8)
#
# What is carried when the loop ends is the gradient by the initial state:
#
# $$\frac{dL}{ds_0} = (W^{s,s})^{\top} \frac{dL}{da_1} \tag{2.16}$$

# %% [markdown] slide="notes"
# Ask: "which of the five lines is '=' and which is '+='?" Only line 4 adds. Each
# input is read once, each weight T times. With '=' in line 4 the walk leaves behind
# what it computed LAST, and that is position 1, not position T.

# %% [markdown]
# (2.16) is (2.8) for the first step. Measured, with the classifier of the beginning:
# run everything from a nudged initial state, and once more from a nudged first state.

# %%
measured_start = numerical_gradient(lambda s: loss_from(s, 0), s0)  # all steps run on
da_1 = measured[1] * (1 - states[0] ** 2)  # (2.7) at position 1
assert close(measured_start, np.einsum("ij,in->jn", W["ss"], da_1)), "(2.16) does not hold"

# %% [markdown]
# ### Exercise: the whole sequence, backward
#
# The same walk as in `parameter_contributions`; this time sum as you go, and keep the
# gradients by the inputs and by the initial state.


# %% exercise="rnn_backward" points=6
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
        delta = ds[k] + carried  # (2.15)
        dxs[k], carried, dW_k = rnn_step_backward(delta, xs[k], s_prev, states[k], W)
        dW["ss"] += dW_k["ss"]  # (2.13)
        dW["sx"] += dW_k["sx"]
    return dxs, carried, dW  # (2.16)
    ### END SOLUTION


# %% check="rnn_backward"
check(rnn_backward)

# %% [markdown] written="why_weights_sum" points=3
# ### Written question
#
# The gradient by $W^{s,x}$ is a sum over all positions. The gradient by the input
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

# %% [markdown] slide="slide"
# ## Part 6 · The whole model, tested
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
{key: f"{error:.0e}" for key, error in errors.items()}

# %% [markdown] slide="slide"
# ## What a gradient check can miss
#
# Two bugs, slips of one character or one tab:
#
# - `=` for `+=`, for both `dW["ss"]` and `dW["sx"]`. The walk ends at position 1, so
#   **position 1** is left.
# - `return` inside the loop. The walk ends after one turn, so **position $T$** is left.
#
# **Predict**: for which lengths $T$ does a gradient check notice them?

# %% [markdown] slide="notes"
# The usual wrong answer: "always". With T = 1 there is one position, and both bugs
# are invisible. Also usual: to take both for the same bug. They leave opposite ends
# of the sequence.

# %% needs="parameter_contributions loss_backward"
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
# against it. `crippled` is for later: it says what a bug makes of the gradient.


# %% needs="rnn_backward loss_backward"
def train(seed, crippled=None, updates=300, rate=0.5, N=50, H=8):
    """Learn the task: accuracy on new sequences, the losses, and cosines for (2.17)."""
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


# %% needs="rnn_backward loss_backward"
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
# position 1.
#
# **Predict**: order the three by accuracy on new sequences.

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

# %% needs="rnn_backward parameter_contributions loss_backward"
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

# %% needs="parameter_contributions rnn_backward" slide="fragment" hide_input=true
show(
    figures_02.accuracy_strips(accuracies, chance=1 / 3),
    alt="Accuracy of 20 networks for each way to learn. All positions: 1.0, but near 0.67 "
    "for one that got stuck. Position T only: scattered from 0.3 to 0.8. Position 1 only: "
    "0.3 to 0.45. Output weights only: 0.35 to 0.65, on the whole above position 1 only.",
)

# %% [markdown]
# Position $T$ only: better than guessing, but hardly a network solves it in 300 updates
# (two of a hundred seeds). Position 1 only: hardly better than guessing, and on the whole
# **worse than not training** $W^{s,s}$ and $W^{s,x}$ at all (in 83 of a hundred pairs with
# the same start). A wrong gradient can be worse than none.

# %% [markdown] slide="notes"
# The surprise is the third row against the fourth. Let the room look for a reason;
# the next slide measures it.

# %% [markdown] slide="slide"
# ## Why: the angle between the step and the gradient
#
# Take a small step $-\eta\, v$, where $g$ is the whole gradient and $v$ what the bug
# left of it. To first order the loss changes by
#
# $$\Delta L \approx -\eta\, \langle v, g \rangle
# = -\eta\, \|v\|\, \|g\| \cos\angle(v, g) \tag{2.17}$$
#
# A positive cosine: the step lowers the loss. Zero: to first order it does nothing.
# Negative: it does
# harm.
#
# ($\langle v, g \rangle$ is the sum of the products of all entries, $\|v\|$ the root of
# $\langle v, v \rangle$.)

# %% [markdown] slide="notes"
# Ask: "what cosine do you expect for position T only, what for position 1 only?"
# The usual wrong answer: positive for both, since both are part of the sum.
# A summand need not point the way of the sum.

# %% [markdown]
# (2.17), tested on the small model of the beginning: move the recurrent and the input
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
assert np.isclose(slope, -size_v * size_g * cosine(v, g)), "(2.17) does not hold"

# %% needs="rnn_backward parameter_contributions loss_backward"
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
# A part of this you have seen in part 4: training starts from $s_0 = 0$, so position
# 1 contributes exactly nothing to $W^{s,s}$. With `=` for `+=` the recurrent weights
# never move at all.

# %% needs="rnn_backward parameter_contributions loss_backward"
rng_new = np.random.default_rng(7)
xs_new, labels_new = first_symbol_task(rng_new, 50)
left = only_position(0)(xs_new, labels_new, np.zeros((8, 50)), new_weights(rng_new))
assert np.all(left["ss"] == 0) and np.any(left["sx"] != 0), (
    'position 1 contributes to W["ss"], or not to W["sx"]'
)

# %% [markdown]
# Keep the row "position T only" in mind. A network whose `return` is indented too far
# **does** learn a little. It looks like a hard task or a poor learning rate, and you
# might search there for days. The gradient check with $T = 2$ finds it at once.

# %% [markdown] slide="notes"
# Close with the practical rule: first the gradient check, then the learning rate.

# %% [markdown] slide="slide"
# ## Recap
#
# - Unrolled, an RNN is a deep feed-forward network: go back layer by layer, (2.7) to
#   (2.9).
# - Shared weights are copies that move together: their gradient is the **sum** of
#   the contributions of all positions, (2.13).
# - A contribution is **total** towards the loss ($\delta_t$) times **direct** towards
#   the weights.
# - Error signal = direct gradient at this state + what the next step carries back,
#   (2.15); nothing is carried to the last state.
# - `=` for `+=` leaves position 1, an early `return` leaves position $T$; both train
#   without a complaint. Check gradients with $T > 1$.

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
#   (2.14), for a whole network.
#
# **Next**: notebook 03, what a hundred Jacobians in a row do to an error signal.

# %% [markdown] slide="notes"
# Werbos' paper reads well and is short; recommend its sections on the ordered
# derivative.
