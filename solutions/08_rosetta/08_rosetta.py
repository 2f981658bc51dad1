# %% [markdown] slide="slide"
# # 08 · Rosetta
#
# The cell that you derived runs in every library, under other names, in another order,
# some of it upside down. How do you translate?

# %% [markdown] slide="notes"
# Open question to the room: "you load a colleague's weights into your own LSTM. It runs,
# and its answers are bad. Where do you look first?" Collect places on the board: order of
# the gates, transposed matrices, biases, axes. The usual wrong answer: "it would not have
# loaded". All 24 orders of four gates have the same shapes.

# %% [markdown] slide="slide"
# ## What you will be able to do
#
# - find out how a library lays out its weights: **ask** it, read its documentation, or
#   read its code;
# - copy an LSTM into PyTorch and ONNX, and out of PyTorch; a GRU into PyTorch, and out of
#   Keras: to twelve digits;
# - say which differences between two libraries are only another way of writing, and which
#   are more;
# - handle layers, both directions, and the order of the axes.
#
# **Time**: {time}. The places to stop are marked.

# %% [markdown] slide="notes"
# The lecture takes 45 minutes: part 1 five, the machine ten, directions ten, the GRU
# fifteen, the table five. The two machines are the slides to stay on: let the room find
# the blocks before you go on.

# %%
import time

from autograder import check, guess, hint, progress, recall
from rnncourse import explorer, figures_08, show

# %% given="imports"
import numpy as np

# %% [markdown]
# ### What you need
#
# The LSTM of notebooks 05 and 06, the cell with a reset gate at the end of 04. PyTorch is
# used to *try* what you write, by cells that are given. Without it they say so in one
# line, and every exercise works all the same. Where your answers are graded there is **no
# PyTorch**, nor ONNX: write them with NumPy, from arrays to arrays.

# %%
NO_TORCH = (
    "PyTorch is not installed: this cell would try it. Go on. To have it, end JupyterLab and type "
    "`python start.py --torch` in the folder that you unpacked (`make torch` in a clone)."
)
try:
    import torch
    from torch import nn

    torch.set_default_dtype(torch.float64)  # two ways to one number: compare twelve digits
    print("PyTorch", torch.__version__)
except Exception:  # not there, or half installed
    torch = None
    print(NO_TORCH)

# %% [markdown]
# ## Three minutes of recall
#
# From memory. Type your answers in the places of the dots and run the cell. No marks.
#
# Notebook 05: in which order did you stack the LSTM's four blocks, from top to bottom?
# Write a list of the letters `"c"` (the candidate), `"f"`, `"i"`, `"o"`.

# %% recall="08.r1"
recall("08.r1", from_top_to_bottom=["f", "i", "o", "c"], choices=("c", "f", "i", "o"))

# %% [markdown] answer="08.r1"
# **f, i, o, c**: the three sigmoids together, the tanh last. That was this course's choice.

# %% [markdown]
# Notebook 04: one minus a sigmoid is a sigmoid again. Of what?

# %% recall="08.r2"
recall("08.r2", one_minus_sigmoid_of_a="-a", choices=("a", "-a", "1 - a", "1 / a"))

# %% [markdown] answer="08.r2"
# $1 - \sigma(a) = \sigma(-a)$: what is not kept is overwritten, and the sign says which.

# %% [markdown]
# Notebook 04 again, its last recurrent cell, the one with a reset gate: did that gate stand
# before the product $W^{s,s} s_{t-1}$, or after it?

# %% recall="08.r3"
recall("08.r3", reset="after", choices=("before", "after"))

# %% [markdown] answer="08.r3"
# **After**: it multiplied what the product had made.

# %% [markdown]
# Notebook 00: a central difference agrees with a slope to about ten digits. Two programs
# compute the *same formula* in double precision, in another order. To about how many
# digits do they agree?

# %% recall="08.r4"
recall("08.r4", digits="15", choices=("5", "10", "15", "all"))

# %% [markdown] answer="08.r4"
# **About 15**: only the rounding differs. So today "about the same" is no answer: a right copy
# is off by $10^{-16}$ or so; a wrong order of the gates, with weights as large as today's, nearly
# always by a tenth or more. (In single precision, which PyTorch takes unless told otherwise, a right
# copy is off by $10^{-7}$.)

# %% [markdown] slide="slide"
# ## 1 · One cell, many layouts
#
# A library keeps four gates in *one* matrix. There are many ways to do that, and all are
# in use:
#
# - in which **order** the blocks stand;
# - whether a unit is a **row** or a **column**;
# - whether there is **one** bias or **two**;
# - whether a gate at 1 **keeps** or **overwrites**;
# - which **axis** comes first, time or batch.
#
# In how many orders can four blocks stand? And what does a library say when you load them
# in a wrong one?

# %% [markdown] slide="notes"
# Let them compute 4!. Ask: "who has loaded weights that did not fit?" Many have, and got
# an error about a shape. The usual wrong answer: so all mistakes give errors. Only those of
# shape do, and the four blocks have one shape.

# %% guess="08.1"
guess(
    "08.1",
    orders=24,
    it_says="nothing",
    choices={"orders": (4, 16, 24), "it_says": ("an error", "a warning", "nothing")},
)

# %% [markdown] answer="08.1" slide="fragment"
# **24 orders, and nothing is said.** All have the same shapes. The layer runs, and gives
# other numbers. If you train on, it even learns: it starts from nonsense, that is all.

# %% [markdown] slide="slide"
# ## Rows and columns
#
# In this course a sequence is a **column**: $Y = W X$, with $X$ (D, N).
#
# Libraries keep a sequence as a **row**: their $x$ is our $X^\top$, (N, D).
# Transposing a product turns its order round:
#
# $$(W X)^\top = X^\top W^\top \tag{8.1}$$
#
# So a library that keeps *our* $W$ has to transpose it at each use. Another keeps a matrix $A$
# with $y = x A$. What is the shape of that $A$, for $H$ units? Type the letters in quotes, as in
# `["T", "N"]`.

# %% [markdown] slide="notes"
# Ask: "which of the two is transposed, theirs or ours?" Neither. It is the same table of
# numbers, read along rows or along columns. The usual wrong answer here: (H, D), out of
# habit.

# %% guess="08.2"
guess("08.2", shape_of_A=["D", "H"])

# %% [markdown] answer="08.2" slide="fragment"
# **(D, H)**: its *columns* belong to the units. $A = W^\top$, no number changes.

# %%
rng = np.random.default_rng(0)
A, X = rng.normal(size=(4, 3)), rng.normal(size=(3, 2))
assert np.allclose((A @ X).T, X.T @ A.T), "(8.1) does not hold"
print("(8.1) holds")

# %% [markdown]
# ### Given from notebooks 04 to 06
#
# The LSTM is the one of 06, with its biases $b$. The GRU is the last cell of 04, and gets
# biases here, *four* of them. Its gate and reset gate have one each,
#
# $$g_t = \sigma(W^{g,s} s_{t-1} + W^{g,x} x_t + b^g), \qquad
# r_t = \sigma(W^{r,s} s_{t-1} + W^{r,x} x_t + b^r) \tag{8.2}$$
#
# and the candidate has two, one outside of the reset and one inside:
#
# $$\tilde s_t = \tanh\big(W^{s,x} x_t + b^s + r_t \odot (W^{s,s} s_{t-1} + b^{s,s})\big)
# \tag{8.3}$$
#
# | in code | shape | in formulas |
# |---|---|---|
# | `W["fh"]`, `W["fx"]`, `W["fb"]`; so for i, o, c | (H, H), (H, D), (H, 1) | $W^{f,h}$, $W^{f,x}$, $b^f$ |
# | `W["gs"]`, `W["gx"]`, `W["gb"]`; so for r | (H, H), (H, D), (H, 1) | $W^{g,s}$, $W^{g,x}$, $b^g$ |
# | `W["ss"]`, `W["sx"]` | (H, H), (H, D) | $W^{s,s}$, $W^{s,x}$ |
# | `W["sb"]`, `W["ssb"]` | (H, 1), (H, 1) | $b^s$ outside, $b^{s,s}$ inside of the reset |
#
# `xs` is (T, D, N), states are (T, H, N), as ever.


# %% given="cells"
def sigmoid(z):
    """1 / (1 + exp(-z)) for every entry, without overflow."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def lstm_step(x_t, h_prev, c_prev, W):
    """One step of the LSTM with biases: h_t and c_t, each (H, N)."""
    z = {k: W[k + "h"] @ h_prev + W[k + "x"] @ x_t + W[k + "b"] for k in "fioc"}
    c_t = sigmoid(z["f"]) * c_prev + sigmoid(z["i"]) * np.tanh(z["c"])
    return sigmoid(z["o"]) * np.tanh(c_t), c_t


def lstm_forward(xs, h0, c0, W):
    """All steps of the LSTM: hs and cs, each (T, H, N)."""
    states = [(h0, c0)]
    for x_t in xs:
        states.append(lstm_step(x_t, *states[-1], W))
    return tuple(np.stack(kind) for kind in zip(*states[1:], strict=True))


def gru_step(x_t, s_prev, W):
    """One step of the GRU, (8.2) and (8.3): s_t (H, N)."""
    g_t, r_t = (sigmoid(W[k + "s"] @ s_prev + W[k + "x"] @ x_t + W[k + "b"]) for k in "gr")
    inside = r_t * (W["ss"] @ s_prev + W["ssb"])
    return (1 - g_t) * s_prev + g_t * np.tanh(W["sx"] @ x_t + W["sb"] + inside)


def gru_forward(xs, s0, W):
    """All steps of the GRU: states (T, H, N)."""
    states = [s0]
    for x_t in xs:
        states.append(gru_step(x_t, states[-1], W))
    return np.stack(states[1:])


# %% [markdown]
# Some weights to try things on, and three helpers: `load` puts arrays into a PyTorch module
# by name (a wrong name or shape is an error), `rows` turns (T, D, N) into PyTorch's
# (T, N, D) and back, `gap` is the largest difference between two arrays.


# %%
def drawn_lstm(rng, D, H):
    shapes = {"h": (H, H), "x": (H, D), "b": (H, 1)}
    return {k + kind: rng.normal(size=shape) for k in "fioc" for kind, shape in shapes.items()}


def drawn_gru(rng, D, H):
    W = {k + kind: rng.normal(size=(H, n)) for k in "rgs" for kind, n in (("s", H), ("x", D))}
    return W | {name: rng.normal(size=(H, 1)) for name in ("rb", "gb", "sb", "ssb")}


def load(module, parameters):
    module.load_state_dict({name: torch.tensor(array) for name, array in parameters.items()})
    return module.requires_grad_(False)


def rows(xs):
    return np.ascontiguousarray(np.swapaxes(xs, 1, 2))


def gap(a, b):
    return np.abs(np.asarray(a) - np.asarray(b)).max()


# %% [markdown] slide="slide"
# ## The simplest copy: `nn.RNN`
#
# One matrix for the input, one for the state: no blocks, no order. PyTorch keeps them as we
# do, a unit a row. But it has **two** biases:
#
# $$s_t = \tanh(W_{ih}\, x_t + b_{ih} + W_{hh}\, s_{t-1} + b_{hh}) \tag{8.4}$$
#
# A unit has $b_{ih} = 0.3$ and $b_{hh} = -0.1$. What is its bias in this course, which has
# one?

# %% [markdown] slide="notes"
# Ask: "why two, when only their sum counts?" By the habit of cuDNN, and because one cell
# needs them apart. Which one comes later. The usual wrong answer: the average, or that one
# of them is unused.

# %% guess="08.3"
guess("08.3", bias=0.2)

# %% slide="fragment"
if torch is None:
    print(NO_TORCH)
else:
    xs, layer = rng.normal(size=(5, 3, 2)), nn.RNN(3, 4).requires_grad_(False)
    w = {name: array.numpy() for name, array in layer.state_dict().items()}
    s, states = np.zeros((4, 2)), []
    for x_t in xs:
        both = (w["bias_ih_l0"] + w["bias_hh_l0"])[:, None]
        s = np.tanh(w["weight_ih_l0"] @ x_t + w["weight_hh_l0"] @ s + both)
        states.append(s)
    difference = gap(rows(layer(torch.tensor(rows(xs)))[0]), states)
    assert difference < 1e-12, "(8.4) does not hold"
    print(f"(8.4) holds: largest difference {difference:.0e}")

# %% [markdown] answer="08.3"
# **0.2**, the sum. Going there, you may split a bias as you like. Coming back, you add.

# %% [markdown] slide="slide"
# ## 2 · Ask the machine
#
# `nn.LSTM` has four blocks in each array. Which is which? You could look it up. You can
# also **ask**:
#
# One unit. All weights are zero, the input is zero, $c_{t-1} = 1$. All four entries of `bias_ih`
# are 1, `bias_hh` is zero. So every gate is $\sigma(1) = 0.73$, the candidate is $\tanh(1) = 0.76$, and
#
# $$c_t = 0.73 \cdot 1 + 0.73 \cdot 0.76 = 1.29, \qquad h_t = 0.73 \tanh(1.29) = 0.63$$
#
# Now put **one** of the four to −100: a gate shuts, or the candidate becomes −1. Work out on
# paper what $c_t$ and $h_t$ become in each of the four cases.

# %% [markdown] slide="notes"
# Give them two minutes: four cases, each one line. Ask: "which two cases give the same h?
# And what tells them apart?" Output gate shut and candidate at -1: h is 0 in both, the memory
# differs. The usual slip: the candidate shut to 0. At -100 its tanh is -1.

# %% hide_input=true
# What `nn.LSTM` answered: c_t and h_t as it is, then with the bias of one row at -100.
LSTM_ANSWERS = np.array([[1.288, 0.628], [0.731, 0.456], [0.557, 0.370], [0.0, 0.0], [1.288, 0.0]])
if torch is not None:
    machine = load(nn.LSTM(1, 1), {k: np.zeros(v.shape) for k, v in nn.LSTM(1, 1).state_dict().items()})
    for row, recorded in zip((None, 0, 1, 2, 3), LSTM_ANSWERS, strict=True):
        machine.bias_ih_l0[:] = 1.0
        machine.bias_ih_l0[[] if row is None else row] = -100.0
        _, (h, c) = machine(torch.zeros(1, 1, 1), (torch.zeros(1, 1, 1), torch.ones(1, 1, 1)))
        assert gap([c.item(), h.item()], recorded) < 1e-3, "the machine answers otherwise today"

# %% slide="subslide" hide_input=true
show(
    figures_08.answers(LSTM_ANSWERS),
    alt="Five pairs of bars, memory and visible state. As it is: 1.288 and 0.628. Row 1 at -100: 0.731 and "
    "0.456. Row 2: 0.557 and 0.370. Row 3: both 0. Row 4: 1.288 and 0.",
)

# %% [markdown]
# The figure is what PyTorch's machine answered. Which block is which row? Write a list of
# letters from row 1 to row 4: `"c"` the candidate, `"f"`, `"i"`, `"o"` the gates.

# %% guess="08.4"
guess("08.4", rows_1_to_4=["i", "f", "c", "o"], choices=("c", "f", "i", "o"))

# %% [markdown] answer="08.4" slide="subslide"
# - Row 1 leaves $c = 0.73$: what was kept is there, nothing was written. The **input gate**.
# - Row 2 leaves $0.73 \cdot 0.76 = 0.56$: only what was written. The **forget gate**.
# - Row 3 makes $0.73 - 0.73 = 0$: minus one was written. The **candidate**.
# - Row 4 leaves the memory alone and shows nothing. The **output gate**.
#
# So PyTorch's order is **i, f, c, o**. No documentation was needed, and none can be out of date.

# %% [markdown] slide="slide"
# ## Two more machines
#
# The same experiment by hand. Machines A, B and C are LSTMs of one unit with their blocks in
# three different orders. A is PyTorch's. Ask **B**; who wants another one asks C, whose order
# stands in part 6.

# %% [markdown] slide="notes"
# Let somebody call out which slider to move, and the room say what it was. Ask: "how many
# moves do you need at least?" Three: the fourth block is what is left.

# %% [markdown] slide="subslide"
# Move one slider far up or down. Which gate did you shut or open?

# %% slide="-" hide_input=true
explorer(
    "machine",
    {"c_prev": 1.0},
    alt="An LSTM of one unit as a machine with four rows. A slider sets the bias of each row between "
    "-10 and 10; two bars show the memory and the visible state that come out. A list chooses one of three "
    "machines, which have their blocks in three different orders.",
)

# %% [markdown]
# In which order are the blocks of machine **B**? A list, as before.

# %% guess="08.5"
guess("08.5", machine_B=["i", "f", "o", "c"], choices=("c", "f", "i", "o"))

# %% [markdown] answer="08.5"
# **i, f, o, c**: the order of Stanford's course CS231n, the candidate last. The order of machine C
# you will read in part 6, in an operator's documentation.

# %% [markdown]
# ### Exercise: into PyTorch
#
# Lay the weights of this course out as `nn.LSTM` wants them. A row is a unit, here and
# there. PyTorch has two biases and any split of ours would do: put **one half** into each.


# %% exercise="to_torch_lstm" points=3
def to_torch_lstm(W: dict) -> dict:
    """The weights of this course's LSTM, as an `nn.LSTM` of one layer keeps them.

    Args:
        W: weights by name. "fh", "ih", "oh", "ch" are (H, H), "fx", "ix", "ox", "cx" are
            (H, D), "fb", "ib", "ob", "cb" are (H, 1).

    Returns:
        parameters: a dict of four arrays, each with its four blocks in PyTorch's order:
            "weight_ih_l0" (4H, D) for the input, "weight_hh_l0" (4H, H) for the state,
            "bias_ih_l0" (4H,) and "bias_hh_l0" (4H,) with one half of each bias of this course.
    """
    ### BEGIN SOLUTION
    order = "ifco"
    weight_ih = np.vstack([W[k + "x"] for k in order])
    weight_hh = np.vstack([W[k + "h"] for k in order])
    bias = np.concatenate([W[k + "b"][:, 0] for k in order])
    half = bias / 2
    return dict(weight_ih_l0=weight_ih, weight_hh_l0=weight_hh, bias_ih_l0=half, bias_hh_l0=half)
    ### END SOLUTION


# %% check="to_torch_lstm"
check(to_torch_lstm)

# %% [markdown]
# Does PyTorch agree? Your weights, its layer, the same sentences:

# %% needs="to_torch_lstm" slide="subslide"
if torch is None:
    print(NO_TORCH)
else:
    rng = np.random.default_rng(1)
    W_lstm, xs = drawn_lstm(rng, D=3, H=4), rng.normal(size=(6, 3, 2))
    hs, cs = lstm_forward(xs, np.zeros((4, 2)), np.zeros((4, 2)), W_lstm)
    layer = load(nn.LSTM(3, 4), to_torch_lstm(W_lstm))
    output, (h_n, c_n) = layer(torch.tensor(rows(xs)))
    difference = max(gap(rows(output), hs), gap(c_n[0].T, cs[-1]))
    assert difference < 1e-12, "PyTorch's layer gives other states"
    print(f"six steps, states and memories: largest difference {difference:.0e}")

# %% [markdown] sitting=2
# > **A place to stop.** One layer is copied into PyTorch. What follows is the way back, with several
# > layers and both directions.

# %% [markdown] slide="slide"
# ## 3 · And back: layers and directions
#
# A trained `nn.LSTM` has a name for every array in it; `layer.state_dict()` gives all of them, as
# a dict. Layers are counted from 0:
#
# | | layer 0 | layer 1 |
# |---|---|---|
# | reads ahead | `weight_ih_l0` | `weight_ih_l1` |
# | reads in reverse | `weight_ih_l0_reverse` | `weight_ih_l1_reverse` |
#
# and so for `weight_hh`, `bias_ih` and `bias_hh`. Layer 1 reads what *both* directions of
# layer 0 show, one below the other.
#
# $D = 3$ inputs, $H = 4$ units a direction, both directions. What is the shape of
# `weight_ih_l1`?

# %% [markdown] slide="notes"
# The usual wrong answers: (16, 3), as in layer 0; (16, 4), with one direction forgotten.
# Ask: "and weight_hh_l1?" (16, 4): a direction hears itself alone.

# %% guess="08.6"
guess("08.6", shape=[16, 8])

# %% [markdown] answer="08.6" slide="fragment"
# **(16, 8)**: four blocks of 4 rows; 4 units of either direction come in. `weight_hh_l1` is
# (16, 4), for a direction's state stays in its direction.

# %% [markdown]
# ### Exercise: out of PyTorch
#
# One cell of a trained `nn.LSTM`, in this course's weights. Mind the two biases.


# %% exercise="from_torch_lstm" points=4
def from_torch_lstm(parameters: dict, layer: int, reverse: bool) -> dict:
    """The weights of one cell of an `nn.LSTM`, as this course keeps them.

    Args:
        parameters: all parameters of the module by name, as in its `state_dict()`, as arrays:
            "weight_ih_l0", "bias_hh_l1_reverse", and so on.
        layer: the number of the layer, from 0 on.
        reverse: True for the cell that reads in reverse, False for the one that reads ahead.

    Returns:
        W: weights by name. "fh", "ih", "oh", "ch" are (H, H); "fx", "ix", "ox", "cx" are
            (H, D), with D the number of inputs of that layer; "fb", "ib", "ob", "cb" (H, 1).
    """
    ### BEGIN SOLUTION
    ending = f"_l{layer}" + ("_reverse" if reverse else "")
    weight_ih = np.split(parameters["weight_ih" + ending], 4)
    weight_hh = np.split(parameters["weight_hh" + ending], 4)
    bias = np.split(parameters["bias_ih" + ending] + parameters["bias_hh" + ending], 4)
    W = {}
    for block, k in enumerate("ifco"):
        W[k + "x"] = weight_ih[block]
        W[k + "h"] = weight_hh[block]
        W[k + "b"] = bias[block][:, None]
    return W
    ### END SOLUTION


# %% check="from_torch_lstm"
check(from_torch_lstm)

# %% [markdown] slide="slide"
# ## Which axis is time?
#
# `nn.LSTM` wants (T, N, D): time first. With `batch_first=True` it wants (N, T, D), as most
# data come.
#
# Somebody gives a layer `nn.LSTM(8, 16)`, without `batch_first`, an array of
# 32 sentences with 50 words of 8 numbers, (32, 50, 8). What happens, and how many steps does
# it make (0, where it is an error)?

# %% [markdown] slide="notes"
# The usual wrong answer: an error. The last axis fits, and it is the only one that is
# checked. What it computes: sentence 2 follows sentence 1, word by word. It trains, slowly and
# badly, and its loss falls.

# %% guess="08.7"
guess(
    "08.7",
    happens="it runs",
    steps=32,
    choices={"happens": ("an error", "it runs"), "steps": (0, 8, 32, 50)},
)

# %% [markdown] answer="08.7" slide="fragment"
# **It runs, in 32 steps.** The first word of all sentences becomes one "sentence", the second
# word another. Every state is computed from other people's sentences. No error, and the shape
# of the output is the one you expected.

# %% [markdown] slide="slide"
# ## Both directions
#
# A second cell, with weights of its own, reads the sentence from its **end**. What both say of
# a position is put together: 2H units for each word.
#
# Five words. How many of them has the reverse cell of layer 0 read when it speaks of the *last*
# word? And of the *first*? And how many words have a part in what the reverse cell of **layer 1**
# says of the last word?

# %% [markdown] slide="notes"
# The usual wrong answer: five at the last word, "because it is the last step". Then show the
# figure: the reverse direction has its own last step at the left. People who classify by
# output[-1] use a reverse state that has seen one word. h_n has the two right ones.

# %% guess="08.8"
guess("08.8", at_the_last_word=1, at_the_first_word=5, layer_1_at_the_last_word=5)

# %% slide="subslide" hide_input=true
show(
    figures_08.reach(5),
    alt="Five positions, two bars each. The direction that reads ahead has read 1, 2, 3, 4, 5 words at "
    "positions 1 to 5; the reverse direction 5, 4, 3, 2, 1.",
)

# %% [markdown] answer="08.8" slide="fragment"
# **One, and five.** So with one layer `output[-1]` holds a reverse state that has read a single
# word. Whoever wants both summaries takes `h_n`, the state in which each cell ended, or `output[-1]`
# for one half and `output[0]` for the other.
#
# **In layer 1 five again**: its first input is what *both* cells of layer 0 say of the last word, and
# the one that reads ahead has read all of it.

# %% [markdown]
# ### Exercise: both directions, batch first
#
# `nn.LSTM(D, H, batch_first=True, bidirectional=True)` gives `output, (h_n, c_n)`: what it shows at
# every position, and the states in which its cells ended. Write the first, `output`, with the given
# `lstm_forward` of this course. All states start at zero.


# %% exercise="both_directions" points=3
def both_directions(x: np.ndarray, W: dict, W_reverse: dict) -> np.ndarray:
    """What an LSTM shows that reads each sequence ahead and in reverse.

    Args:
        x: (N, T, D) inputs, batch first: x[n, t] is word t of sequence n.
        W: the weights of this course's LSTM for the direction that reads ahead, as for `to_torch_lstm`.
        W_reverse: the same for the direction that reads from the last position to the first.

    Returns:
        y: (N, T, 2H). y[n, t] says what both directions show at position t of sequence n: first
            the H units that read ahead, then the H units that read in reverse.
    """
    ### BEGIN SOLUTION
    xs = x.transpose(1, 2, 0)
    start = np.zeros((len(W["fh"]), len(x)))
    ahead = lstm_forward(xs, start, start, W)[0]
    back = lstm_forward(xs[::-1], start, start, W_reverse)[0]
    both = np.concatenate([ahead, back[::-1]], axis=1)
    return both.transpose(2, 0, 1)
    ### END SOLUTION


# %% check="both_directions"
check(both_directions)

# %% [markdown]
# Now everything together: two layers, both directions, batch first, PyTorch's own random
# weights. Your two functions read its four cells out and run them.

# %% needs="from_torch_lstm both_directions" slide="subslide"
if torch is None:
    print(NO_TORCH)
else:
    deep = nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True).requires_grad_(False)
    arrays = {name: array.numpy().copy() for name, array in deep.state_dict().items()}
    sentences = np.random.default_rng(2).normal(size=(2, 6, 3))  # (N, T, D)
    shown = sentences
    for k in (0, 1):
        shown = both_directions(shown, *(from_torch_lstm(arrays, k, way) for way in (False, True)))
    difference = gap(deep(torch.tensor(sentences))[0], shown)
    assert difference < 1e-12, "PyTorch's layers show something else"
    print(f"two layers, both directions: largest difference {difference:.0e}")

# %% [markdown] sitting=3
# > **A place to stop.** The LSTM is copied. What follows is the GRU: asked first, then copied, then
# > compared with the one of a paper.

# %% [markdown] slide="slide"
# ## 4 · The GRU, asked
#
# `nn.GRU` has three blocks, in some order: a gate between old and new, a reset gate, and the
# candidate. As `nn.LSTM`, it has two vectors of biases.
#
# One unit again. All weights are zero, `bias_ih` is zero, all three entries of `bias_hh` are 1, and
# the old state is 0.20. So both gates are $\sigma(1) = 0.73$. The machine's new state is 0.31.
# Then **one** entry of `bias_ih` is put far down or far up:
#
# | entry of `bias_ih` | at −100 | at +100 |
# |---|---|---|
# | first | 0.15 | 0.35 |
# | second | 0.62 | 0.20 |
# | third | −0.12 | 0.42 |
#
# Which block is which?

# %% [markdown] slide="notes"
# Two minutes with paper. Ask: "which row can make the state negative?" Only the candidate. "At
# which setting is the state what it was?" 0.20, the second row at +100: so its 1 keeps.
# The usual wrong answer: overwrite, as in this course.

# %% [markdown]
# A list of letters from the first entry to the third: `"g"` the gate between old and new, `"r"` the
# reset gate, `"s"` the candidate.

# %% guess="08.9"
guess("08.9", blocks_1_to_3=["r", "g", "s"], choices=("g", "r", "s"))

# %% [markdown] answer="08.9" slide="fragment"
# **Reset gate, gate, candidate.** The third alone can make the state negative: it is the candidate.
# The second moves the state between 0.20 and the candidate, $\tanh(0.73) = 0.62$. The first only
# changes how much of a bias arrives in the candidate: nothing, or all of it, $\tanh(1) = 0.76$.

# %% [markdown] slide="subslide"
# Two more answers tell the two vectors of biases apart. The first entry of `bias_ih` stays at −100, so
# the state is 0.15.
#
# - The third entry of `bias_hh` is put from 1 to 5: the state stays at 0.15.
# - The third entry of `bias_hh` is 1 again, the third of `bias_ih` is put from 0 to 1: the state
#   becomes 0.35.
#
# Does the gate between old and new at 1 keep the old state or overwrite it? And which of the two
# vectors holds the bias *inside* of the reset?

# %% guess="08.10"
guess(
    "08.10",
    gate_at_1="keeps",
    inside_the_reset="bias_hh",
    choices={"gate_at_1": ("keeps", "overwrites"), "inside_the_reset": ("bias_ih", "bias_hh")},
)

# %% [markdown] answer="08.10" slide="fragment"
# At 1 it **keeps** the 0.20: PyTorch's letter for it is $z$, and $z = 1 - g$.
#
# With the reset gate shut, `bias_hh[2]` does nothing: **it** is inside of the reset,
# our $b^{s,s}$. That is the cell that needs its two biases apart.

# %% hide_input=true
if torch is None:
    print(NO_TORCH)
else:
    machine = load(nn.GRU(1, 1), {k: np.zeros(v.shape) for k, v in nn.GRU(1, 1).state_dict().items()})

    def ask(outside, inside=(1.0, 1.0, 1.0)):
        machine.bias_ih_l0[:], machine.bias_hh_l0[:] = torch.tensor(outside), torch.tensor(inside)
        return machine(torch.zeros(1, 1, 1), torch.full((1, 1, 1), 0.2))[0].item()

    far = 100.0 * np.eye(3)
    got = [ask(np.zeros(3)), *(ask(sign * row) for row in far for sign in (-1, 1))]
    told = [0.31, 0.15, 0.35, 0.62, 0.20, -0.12, 0.42]
    shut = [ask([-100.0, 0.0, 0.0], (1.0, 1.0, 5.0)), ask([-100.0, 0.0, 1.0])]
    assert gap(got + shut, [*told, 0.15, 0.35]) < 5.1e-3, "the machine answers otherwise today"
    print("PyTorch's GRU answers so today, too")

# %% [markdown]
# ### Exercise: the GRU into PyTorch
#
# Lay (8.2) and (8.3) out as `nn.GRU` wants them. One block means the opposite there: what has to
# change, and in which of the arrays?


# %% exercise="to_torch_gru" points=4
def to_torch_gru(W: dict) -> dict:
    """The weights of this course's GRU, as an `nn.GRU` of one layer keeps them.

    Args:
        W: weights by name. "rs", "gs", "ss" are (H, H), "rx", "gx", "sx" are (H, D); "rb", "gb",
            "sb" (outside of the reset) and "ssb" (inside of it) are (H, 1).

    Returns:
        parameters: a dict of four arrays, each with its three blocks in PyTorch's order:
            "weight_ih_l0" (3H, D), "weight_hh_l0" (3H, H), "bias_ih_l0" (3H,) and "bias_hh_l0"
            (3H,). A bias that may stand in either vector stands in "bias_ih_l0".
    """
    ### BEGIN SOLUTION
    signs = {"r": 1, "g": -1, "s": 1}
    weight_ih = np.vstack([sign * W[k + "x"] for k, sign in signs.items()])
    weight_hh = np.vstack([sign * W[k + "s"] for k, sign in signs.items()])
    bias_ih = np.concatenate([sign * W[k + "b"][:, 0] for k, sign in signs.items()])
    bias_hh = np.zeros_like(bias_ih)
    bias_hh[-len(W["ssb"]) :] = W["ssb"][:, 0]
    return dict(weight_ih_l0=weight_ih, weight_hh_l0=weight_hh, bias_ih_l0=bias_ih, bias_hh_l0=bias_hh)
    ### END SOLUTION


# %% check="to_torch_gru"
check(to_torch_gru)

# %% needs="to_torch_gru" slide="subslide"
if torch is None:
    print(NO_TORCH)
else:
    rng = np.random.default_rng(3)
    W_gru, xs = drawn_gru(rng, D=3, H=4), rng.normal(size=(6, 3, 2))
    states = gru_forward(xs, np.zeros((4, 2)), W_gru)
    layer = load(nn.GRU(3, 4), to_torch_gru(W_gru))
    difference = gap(rows(layer(torch.tensor(rows(xs)))[0]), states)
    assert difference < 1e-12, "PyTorch's GRU gives other states"
    print(f"six steps of the GRU: largest difference {difference:.0e}")

# %% [markdown] slide="slide"
# ## 5 · Where the reset stands
#
# PyTorch's GRU resets **after** the product, and so does this course: $r_t \odot (W^{s,s} s_{t-1})$.
# The paper of Cho et al. (2014) resets **before** it:
#
# $$\tilde s_t = \tanh\big(W^{s,x} x_t + W^{s,s} (r_t \odot s_{t-1})\big) \tag{8.5}$$
#
# Two units on paper:
#
# $$W^{s,s} = \begin{pmatrix} 0 & 1 \\ 1 & 0 \end{pmatrix}, \qquad
# s_{t-1} = \begin{pmatrix} 1 \\ 0 \end{pmatrix}, \qquad r_t = \begin{pmatrix} 1 \\ 0 \end{pmatrix}$$
#
# What comes from the past *inside* of the tanh, reset *after* and reset *before* (two numbers each,
# one a unit, before the tanh is taken)?
# And can the two differ where there is only **one** unit, without biases (`True` or `False`)?

# %% [markdown] slide="notes"
# Ask: "you test your copy with one unit, and it agrees. Are you done?" No: one number times
# another can be taken in any order. The usual wrong answer: the two are the same, a product
# is a product. A matrix mixes the units, the reset does not.

# %% guess="08.11"
guess("08.11", after=[0, 0], before=[0, 1], one_unit_can_differ=False)

# %% [markdown] answer="08.11" slide="fragment"
# **(0, 0)** and **(0, 1)**. After the product, unit 2 is not to see the past. Before it, nobody is
# to see the past *of* unit 2. The two are different wishes.
#
# With **one unit and no bias inside** they never differ: $r\,(w s)$ is $w\,(r s)$. So try a copy with
# more than one unit, always. (A bias inside of the reset is switched off with it, one outside is
# not: there one unit tells, too.)

# %% [markdown]
# How far apart are they with the same weights? Ten draws, fifty steps each, without
# biases. Printed is the largest difference of any state.


# %%
def reset_before(x_t, s_prev, W):
    g_t, r_t = (sigmoid(W[k + "s"] @ s_prev + W[k + "x"] @ x_t) for k in "gr")
    return (1 - g_t) * s_prev + g_t * np.tanh(W["sx"] @ x_t + W["ss"] @ (r_t * s_prev))  # (8.5)


def differences(H, seeds=10):
    found = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        W = drawn_gru(rng, D=3, H=H) | {name: np.zeros((H, 1)) for name in ("rb", "gb", "sb", "ssb")}
        one, other, most = np.zeros((H, 2)), np.zeros((H, 2)), 0.0
        for x_t in rng.normal(size=(50, 3, 2)):
            one, other = gru_step(x_t, one, W), reset_before(x_t, other, W)
            most = max(most, gap(one, other))
        found.append(most)
    return min(found), max(found)


# %% slide="subslide"
for H in (1, 2, 4, 16):
    least, most = differences(H)
    print(f"H = {H:2}: from {least:.1e} to {most:.1e}")
assert differences(1)[1] < 1e-12 and differences(16)[0] > 1e-2, "(8.5) is the same cell"

# %% [markdown] written="another_reset" points=3
# ### Written question
#
# A colleague trained a GRU of 64 units in a library that resets *before* the product. Yours
# resets after it. "Copying is a matter of signs and orders," she says, "there must be a matrix
# that does it."
#
# Is there a matrix $W'$ with which $r \odot (W' s)$ is $W^{s,s} (r \odot s)$ for **all** states
# and resets? Say why, name a kind of $W^{s,s}$ for which it is so, and what you would do with her
# weights.
#
# === BEGIN MARK SCHEME ===
# - 1 point: no: entry j of s reaches unit i by W[i, j] times r_j in her cell, and W'[i, j] times r_i in
#   this one; r_i and r_j are free, so an entry off the diagonal can never agree. (Or: a counter-example
#   of two units with numbers.)
# - 1 point: a kind: W diagonal, one unit among them; or W = 0. (Half a point: r with equal entries,
#   which is a condition on r.)
# - 1 point: something that works: use a cell that resets before (own loop, ONNX with linear_before_reset = 0,
#   Keras with reset_after = False), or train on / anew and measure; and compare outputs, with more than
#   one unit. "Round the difference away" earns nothing.
# === END MARK SCHEME ===

# %% [markdown] sitting=4
# > **A place to stop.** You have copied by asking. What follows is reading: a documentation, and
# > a stranger's code.

# %% [markdown] slide="slide"
# ## 6 · Read the documentation: ONNX
#
# ONNX is a file format for trained networks. Its operator `LSTM` takes three arrays. Its
# documentation says, in its own letters:
#
# | input | layout |
# |---|---|
# | `W` | `[num_directions, 4*hidden_size, input_size]`, concatenation of `W[iofc]` |
# | `R` | `[num_directions, 4*hidden_size, hidden_size]`, concatenation of `R[iofc]` |
# | `B` | `[num_directions, 8*hidden_size]`, concatenation of `[Wb[iofc], Rb[iofc]]` |
#
# `c` is the candidate, `R` stands for recurrence. The first axis is the direction: ahead, then
# backward. `Wb` and `Rb` are added. (The machine C of part 2 had this order.)

# %% [markdown] slide="notes"
# Ask: "what does [iofc] mean for you?" The order of the blocks. The usual slip: i, f, o, c is
# read, because the eye knows it. Machine C of the explorer had this order.

# %% [markdown]
# ### Exercise: into ONNX, both directions


# %% exercise="to_onnx_lstm" points=4
def to_onnx_lstm(W: dict, W_reverse: dict) -> dict:
    """The weights of two LSTMs of this course, as the bidirectional operator of ONNX takes them.

    Args:
        W: the weights of the direction that reads ahead, by name: "fh" (H, H), "fx" (H, D), "fb"
            (H, 1), and so for i, o, c.
        W_reverse: the same for the direction that reads in reverse.

    Returns:
        inputs: a dict of three arrays: "W" (2, 4H, D), "R" (2, 4H, H) and "B" (2, 8H), the biases of
            this course in the first half of B (`Wb`), zeros in the second (`Rb`).
    """
    ### BEGIN SOLUTION
    order, weights, recurrent, biases = "iofc", [], [], []
    for one in (W, W_reverse):
        weights.append(np.vstack([one[k + "x"] for k in order]))
        recurrent.append(np.vstack([one[k + "h"] for k in order]))
        bias = np.concatenate([one[k + "b"][:, 0] for k in order])
        biases.append(np.concatenate([bias, np.zeros_like(bias)]))
    return {"W": np.stack(weights), "R": np.stack(recurrent), "B": np.stack(biases)}
    ### END SOLUTION


# %% check="to_onnx_lstm"
check(to_onnx_lstm)

# %% [markdown]
# If you have the package `onnx`, its reference evaluator runs the operator. It gives (T, 2, N, H):
# the directions have an axis of their own.

# %% needs="to_onnx_lstm both_directions"
try:
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator
except Exception:
    print("onnx is not installed: this cell would try it (`pip install onnx`). Go on.")
else:
    rng = np.random.default_rng(4)
    W_ahead, W_reverse, x = drawn_lstm(rng, 3, 4), drawn_lstm(rng, 3, 4), rng.normal(size=(2, 6, 3))
    ours = both_directions(x, W_ahead, W_reverse)
    named = {"X": np.ascontiguousarray(np.swapaxes(x, 0, 1)), **to_onnx_lstm(W_ahead, W_reverse)}
    node = helper.make_node("LSTM", [*named], ["Y"], hidden_size=4, direction="bidirectional")
    kinds = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in (*named, "Y")]
    graph = helper.make_graph([node], "lstm", kinds[:-1], kinds[-1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    Y = ReferenceEvaluator(model).run(None, named)[0]  # (T, 2, N, H)
    difference = gap(np.concatenate([Y[:, 0], Y[:, 1]], axis=-1), np.swapaxes(ours, 0, 1))
    assert difference < 1e-12, "the operator gives other states"
    print(f"ONNX, both directions: largest difference {difference:.0e}")

# %% [markdown] slide="subslide"
# ### Where your functions put the blocks
#
# Give every gate a number of its own, and look where it ends up in your answers.

# %% needs="to_torch_lstm to_onnx_lstm" slide="-" hide_input=true
coloured = {
    k + kind: np.full((3, n), float(i))
    for i, k in enumerate("fioc")
    for kind, n in (("h", 3), ("x", 2), ("b", 1))
}
stacks = {
    "notebook 05": np.vstack([coloured[k + "x"] for k in "fioc"])[:, 0],
    "your to_torch_lstm": to_torch_lstm(coloured)["weight_ih_l0"][:, 0],
    "your to_onnx_lstm": to_onnx_lstm(coloured, coloured)["W"][0, :, 0],
}
show(
    figures_08.stacks(stacks),
    alt="Three columns of twelve rows, coloured by gate, three rows a gate: the order of notebook 05, and "
    "the orders in which your two functions stack the same four blocks.",
)

# %% [markdown] slide="slide"
# ## 7 · Read the code: Keras
#
# We found no page that says how Keras lays out a GRU. Its code does. Put into NumPy, a step is
# this:


# %% given="keras_cell" slide="fragment"
def keras_gru_step(x, h, kernel, recurrent_kernel, bias):
    """Keras's GRU (reset_after=True): x (N, D), h (N, H), a sequence a row."""
    x_z, x_r, x_h = np.split(x @ kernel + bias[0], 3, axis=1)
    h_z, h_r, h_h = np.split(h @ recurrent_kernel + bias[1], 3, axis=1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    hh = np.tanh(x_h + r * h_h)
    return z * h + (1 - z) * hh


# %% [markdown] slide="notes"
# This is the transfer exercise: do not solve it. Ask: "which of today's five differences do
# you see in these five lines?" All but the axes: order, columns, two biases, z against 1 - z.

# %% [markdown]
# ### Exercise: out of Keras
#
# A model was trained with Keras. Bring its GRU home. Nothing above says how: read the code.


# %% exercise="from_keras_gru" points=5
def from_keras_gru(kernel: np.ndarray, recurrent_kernel: np.ndarray, bias: np.ndarray) -> dict:
    """The weights of a GRU of Keras, as this course keeps them: (8.2) and (8.3).

    Args:
        kernel: (D, 3H) as `keras_gru_step` reads it.
        recurrent_kernel: (H, 3H) as `keras_gru_step` reads it.
        bias: (2, 3H) as `keras_gru_step` reads it.

    Returns:
        W: weights by name. "rs", "gs", "ss" (H, H); "rx", "gx", "sx" (H, D); "rb", "gb", "sb" (outside
            of the reset) and "ssb" (inside of it) (H, 1).
    """
    ### BEGIN SOLUTION
    H = len(recurrent_kernel)
    W = {}
    for block, k in enumerate("grs"):
        sign = -1 if k == "g" else 1
        columns = slice(block * H, (block + 1) * H)
        W[k + "x"] = sign * kernel[:, columns].T
        W[k + "s"] = sign * recurrent_kernel[:, columns].T
        W[k + "b"] = sign * bias.sum(axis=0)[columns, None]
    W["sb"] = bias[0, 2 * H :, None]
    W["ssb"] = bias[1, 2 * H :, None]
    return W
    ### END SOLUTION


# %% check="from_keras_gru"
check(from_keras_gru)

# %% needs="from_keras_gru"
rng = np.random.default_rng(5)
keras_weights = rng.normal(size=(3, 12)), rng.normal(size=(4, 12)), rng.normal(size=(2, 12))
W_home = from_keras_gru(*(array.copy() for array in keras_weights))
ours = theirs = np.zeros((4, 2))
for x_t in rng.normal(size=(6, 3, 2)):
    ours = gru_step(x_t, ours, W_home)
    theirs = keras_gru_step(x_t.T, theirs.T, *keras_weights).T
assert gap(ours, theirs) < 1e-12, "Keras's cell gives other states"
print(f"six steps: largest difference {gap(ours, theirs):.0e}")

# %% [markdown] slide="slide" extra=true
# ## Extra: what packing does
#
# Sentences of 5, 3 and 2 words in one batch, the longest first: filled up with zeros they make
# 15 rows, one for each step of each sentence. `pack_padded_sequence` leaves the filling out. It
# keeps *one* array of rows, step by step, and a list: how many sentences are still there at each
# step.
#
# How many rows are kept, and what is the list?

# %% [markdown] slide="notes"
# Draw the three sentences below one another and walk along the columns. The usual wrong answer:
# [5, 3, 2], the lengths. It is the other way of counting the same squares.

# %% guess="08.12"
guess("08.12", rows_kept=10, still_there_at_each_step=[3, 3, 2, 1, 1])

# %% [markdown] answer="08.12" slide="fragment"
# **10 rows, [3, 3, 2, 1, 1]**: all three have a first and a second word, two a third. At each step
# the layer computes the states of so many sentences, the first ones of the batch, and leaves the
# others, which are finished, alone. So `h_n`, the last states, holds each sentence's *own*. (That is
# why the longest stands first: in another order PyTorch stops, or sorts for you where you say
# `enforce_sorted=False`.)

# %% slide="subslide"
if torch is None:
    print(NO_TORCH)
else:
    from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

    layer = nn.LSTM(3, 4).requires_grad_(False)
    sentences = [torch.randn(length, 3) for length in (5, 3, 2)]
    padded = pad_sequence(sentences)  # (T, N, D), zeros behind
    packed = pack_padded_sequence(padded, [5, 3, 2])
    print("rows", tuple(packed.data.shape), "  still there", packed.batch_sizes.tolist())
    h_packed, h_padded = (layer(batch)[1][0][0] for batch in (packed, padded))
    alone = torch.stack([layer(sentence)[1][0][0] for sentence in sentences])
    assert gap(h_packed, alone) < 1e-12, "packing changes a state"
    print(
        f"each alone against packed: {gap(h_packed, alone):.0e}; against padded: {gap(h_padded, alone):.2f}"
    )

# %% [markdown] slide="slide" extra=true
# ## Extra: what the library's loop is worth
#
# `nn.LSTM` computes what your loop computes. How much faster? We measure, side by side, on one
# thread: 50 steps, batch 16, 32 inputs, the best of seven runs each.

# %% [markdown] slide="notes"
# This is a measurement on one machine. Ask: "why is the factor not a hundred?" With matrices of
# this size both spend their time in the same products. The usual wrong answer: because C++ is always a
# hundred times faster than Python.


# %%
def best_of(run, repeats=7):
    best = np.inf
    for _ in range(repeats):
        started = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - started)
    return 1000 * best


milliseconds = {}
if torch is None:
    print(NO_TORCH)
else:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for H in (8, 32, 128):
        W, xs, zeros = drawn_lstm(rng, 32, H), rng.normal(size=(50, 32, 16)), np.zeros((H, 16))
        W = {name: array / np.sqrt(array.shape[1]) for name, array in W.items()}
        layer, batch = nn.LSTM(32, H).requires_grad_(False), torch.tensor(rows(xs))
        loop = lambda W=W, xs=xs, zeros=zeros: lstm_forward(xs, zeros, zeros, W)
        milliseconds[H] = best_of(loop), best_of(lambda layer=layer, batch=batch: layer(batch))
        print(f"H = {H:3}: loop {milliseconds[H][0]:5.1f} ms, nn.LSTM {milliseconds[H][1]:5.1f} ms")
    torch.set_num_threads(threads)

# %% slide="subslide" hide_input=true
if milliseconds:
    timing = show(
        figures_08.speeds(milliseconds),
        alt="Milliseconds for 50 steps against the number of units, our loop and nn.LSTM. "
        + " ".join(f"H = {H}: {a:.1f} and {b:.1f}." for H, (a, b) in milliseconds.items()),
    )
else:
    timing = None
timing

# %% [markdown] extra=true
# ### What we measured
#
# On the machines that we and our readers had, mostly with others on them, the loop took 1.8 to 8 times
# as long as `nn.LSTM` with 8 or 32 units, and 0.5 to 2.7 times with 128. Yours stands above, and counts
# for your machine. What the library saves is Python between the steps, and
# eight small products made into one or two (notebook 05 got some of that with NumPy alone).
# What it adds is autograd, layers, and a graphics card.

# %% [markdown] slide="slide"
# ## 8 · One of these is not like the others
#
# - the order of the blocks
# - rows or columns
# - for an LSTM: one bias or two
# - keep or overwrite, $z$ or $1 - z$
# - time or batch first
# - the reset before or after the product
#
# A look back over all parts: five of them are only a matter of how the same cell is *written down*.
# Which is not? (Your answer is followed by a table of all dialects, to print.)

# %% [markdown] slide="notes"
# Let them vote. The usual wrong answer: keep or overwrite, "it computes something else". It
# does not: turn the signs, and every state is the same. Then show the table, and say where to find
# it: the notebook's last answer, to print.

# %% guess="08.13"
guess(
    "08.13",
    not_like_the_others="the reset",
    choices=(
        "the order",
        "rows or columns",
        "an LSTM's biases",
        "keep or overwrite",
        "the axes",
        "the reset",
    ),
)

# %% [markdown] answer="08.13" slide="subslide"
# **The reset**: it makes another cell (as a GRU with *one* bias for its candidate would be). The
# rest is copied, turned, added up. To print:
#
# | | this course | PyTorch | Keras 3 | ONNX | CS231n |
# |---|---|---|---|---|---|
# | LSTM, blocks | by name | i, f, c̃, o | i, f, c̃, o | i, o, f, c̃ | i, f, o, c̃ |
# | GRU, blocks | by name | r, z, n | z, r, h | z, r, h | – |
# | gate at 1 | overwrites | keeps | keeps | keeps | – |
# | reset | after | after | after ¹ | **before** ² | – |
# | input weights ⁶ | (H, D) each | (4H, D) | (D, 4H) | (dir, 4H, D) | (D, 4H) |
# | biases, LSTM | one, (H, 1) | two, (4H,) | one, (4H,) ³ | two, (dir, 8H) | one, (4H,) |
# | biases, GRU | candidate: two | two, (3H,) | two, (2, 3H) | two, (dir, 6H) | – |
# | inputs | (T, D, N) | (T, N, D) ⁴ | (N, T, D) | (T, N, D) ⁴ | (N, T, D) |
# | in reverse | turned back | turned back | not turned back ⁵ | turned back | – |
#
# c̃, n, h: the candidate; z: $1 - g$; dir: the number of directions.
# ¹ `reset_after=True`, the default. ² But for `linear_before_reset=1`. ³ Starts with 1 in the forget bias.
# ⁴ (N, T, D) by `batch_first=True`, `layout=1`. ⁵ By `go_backwards`; `Bidirectional` turns it back.
# ⁶ LSTM's; a GRU has 3H.

# %% [markdown] slide="slide"
# ## What to take home
#
# - A layout is a convention. You can **ask** the machine, read its documentation, or its code.
# - Wrong orders have right shapes: only **numbers** tell. A right copy agrees to about fifteen
#   digits in double precision, to about seven in single. Look at it in double.
# - Try a copy with sizes that all differ, more than one unit, and states that are not zero.
# - $z = 1 - g$ is a matter of signs, in *all* that goes into the sigmoid.
# - A reset before the product is **another cell**, under the same name.

# %% [markdown] slide="notes"
# Close with the question of notebook 09: "you can now run anybody's weights. How do you find
# out what a cell of theirs has learned?" Collect, do not answer.

# %% [markdown]
# ## Sources
#
# - PyTorch, documentation of `nn.RNN`, `nn.LSTM` and `nn.GRU`: formulas, names and shapes.
# - ONNX, documentation of the operators `LSTM` and `GRU`, versions 7, 14 and 22.
# - Keras 3, source of `GRUCell` and `LSTMCell` (`keras/src/layers/rnn`). On PyTorch's backend its
#   GRU with `reset_after=False` multiplies in single precision: that one agrees to seven digits only.
# - CS231n, *Deep learning for computer vision*, Stanford: assignment 3, whose LSTM is stacked
#   i, f, o, g. It is no package that one can install: its order is taken from published
#   solutions, and was not run here.
# - K. Cho et al. (2014), arXiv 1406.1078: the reset before the product. The other place is the one of
#   NVIDIA's cuDNN; Keras says that its `reset_after=True` is there to be compatible with it.

# %% [markdown]
# ### If you want to go on
#
# - `nn.LSTM(..., proj_size=2)` shows fewer units than it keeps. Ask it: which array is new?
# - Write `to_keras_lstm`. Which of your six functions is nearest?
# - Copy weights with two blocks exchanged and train on. How long until the loss is where it was?
