# %% [markdown] slide="slide"
# # 10 · Beyond
#
# The LSTM is *one possible* cell. What happens when you take a part of it away? When
# you take **away** so much that all steps can be computed at once? And when you give it
# more?

# %% [markdown] slide="notes"
# Open question to the room: "in ten years, will people still train LSTMs?" Collect yes
# and no, with a reason each. At the end ask again: the reasons should have become
# narrower. The usual wrong answer: "transformers have replaced them", for everything.

# %% [markdown] slide="slide"
# ## What you will be able to do
#
# - say which part of an LSTM a task needs, and show it by a **fair** experiment;
# - turn a GRU into a cell whose steps need not wait for one another, and run it as a
#   **scan**;
# - **find** the way back through that scan;
# - say what a cell of this kind can do, and what it cannot;
# - read a matrix memory as attention, and say what $h_T$ alone can give back.
#
# **Time**: {time}. The places to stop are marked.

# %% [markdown] slide="notes"
# The lecture takes 50 minutes: variants ten, GRU and minGRU ten, the scan fifteen,
# parity five, matrix memory and attention ten. The picture of the two sweeps in part 4
# is the slide to stay on.

# %%
import time

from autograder import check, guess, hint, progress, recall, reveal, show_derivation
from rnncourse import claim, explorer, figures_10, show
from rnncourse.adam import Adam
from rnncourse.cells import draw_cell, step_through
from rnncourse.chains import depth_and_work

# %% given="imports"
import numpy as np

# %% [markdown]
# ### Given from notebook 00
#
# You wrote it there.


# %% given="from_notebook_00"
def sigmoid(z):
    """1 / (1 + exp(-z)) for every entry, without overflow."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


# %% [markdown]
# ## Three minutes of recall
#
# From memory. Type your answers in the places of the dots and run the cell. No marks.
#
# Notebook 04: the new state of the gated RNN is a mixture of old state and candidate.
# Which share does the **old state** get?

# %% recall="10.r1"
recall("10.r1", share="1 - g", choices=("g", "1 - g", "1 + g", "g squared"))

# %% [markdown] answer="10.r1"
# **1 − g**: in this course the gate opens for what is new.

# %% [markdown]
# Notebook 05: the memory $c_t$ of an LSTM is full, and its state $h_t$ shows nothing of
# it. Which gate is shut?

# %% recall="10.r2"
recall("10.r2", gate="output gate", choices=("forget gate", "input gate", "output gate"))

# %% [markdown] answer="10.r2"
# **The output gate**: $h_t = o_t \odot \tanh(c_t)$. What is kept stays hidden until it
# opens.

# %% [markdown]
# Notebook 08: you copied a GRU of this course into PyTorch, which calls $z$ what is one
# minus our gate. What had to be done with the weights of that gate?

# %% recall="10.r3"
recall(
    "10.r3",
    weights="change the sign",
    choices=("nothing", "transpose", "change the sign", "one minus each"),
)

# %% [markdown] answer="10.r3"
# **Change the sign**: $1 - \sigma(a) = \sigma(-a)$.

# %% [markdown]
# Notebook 01: a sequence of any length became *one* vector, and the prediction was made
# from it. Which state was that?

# %% recall="10.r4"
recall("10.r4", state="the last", choices=("the first", "the last", "the mean of all"))

# %% [markdown] answer="10.r4"
# **The last**, $h_T$.

# %% [markdown] slide="slide"
# ## 1 · One possible LSTM
#
# Greff et al. (2017) took the LSTM with peepholes and changed **one thing at a time**:
#
# | variant | what changes |
# |---|---|
# | no input, no forget, no output gate | that gate stands at 1 |
# | no tanh for the candidate, on the way out | nothing is squashed there |
# | coupled gates | $f_t = 1 - i_t$ |
# | no peepholes | gates do not see the memory |
# | gates read all gates | nine matrices more |
#
# We add the GRU of notebook 04. Which parts does a task need?

# %% [markdown] slide="notes"
# Ask: "which would you take away first?" Most say the output gate or the peepholes.
# Then: "for which task?" Nobody asked. That is the point of the next slide.

# %% [markdown] slide="slide"
# ## Two tasks
#
# **Balance.** A stream of the letters a and b, such as *a a b a b b b*. After each
# letter: were there so far more a than b, as many, or fewer?
#
# **Fresh start.** The same, but one sign in ten is a full stop. Behind it the count
# starts at zero.
#
# Every variant is trained on 20 letters and tried on 200; we count the steps 101 to
# 200.
#
# Of the four variants that you can choose from: which does worst on balance, and which
# on fresh start?

# %% [markdown] slide="notes"
# Give them a minute, with pen and paper: "what must the memory do at an a? What must it
# do at a full stop?" Count: keep all, and add. Start afresh: drop all, at once.

# %% guess="10.1"
guess(
    "10.1",
    balance="coupled gates",
    fresh_start="no forget gate",
    choices=("coupled gates", "no forget gate", "no output gate", "no peepholes"),
)

# %% [markdown]
# ### What is fair?
#
# Taking a gate away takes parameters away. So every variant gets the number of units
# with which it comes nearest to the same number of parameters. Every variant gets the
# same search: three learning rates, two seeds each. The best rate is then used with
# eight **other** seeds, once.
#
# These runs take some ten minutes of one core, so they come as data. The models and the
# tasks are in `rnncourse/side_by_side.py`; `scripts/train_10.py` in the course's
# repository ran them.

# %% hide_input=true
found = figures_10.results()
for task, by_name in found["variants"].items():
    sizes, units = ({v[key] for v in by_name.values()} for key in ("parameters", "units"))
    print(f"{task}: {min(sizes)} to {max(sizes)} parameters, {min(units)} to {max(units)} units")

# %% slide="subslide" hide_input=true
show(
    figures_10.variants(found["variants"], ("coupled gates, f = 1 - i", "no forget gate", "GRU")),
    alt="Two panels, a row for each of ten cells, eight dots a row. On balance coupled gates and the GRU lie "
    "lowest, from 0.69 to 0.82; the other medians lie between 0.83 and 0.95. On fresh start all medians are "
    "above 0.98, but that of the cell without a forget gate: 0.92, its seeds spread from 0.67 to 0.98.",
)

# %% [markdown]
# A dot is one seed, a bar the median of the eight. In orange: the three cells that
# are spoken of below. Who always says "more" is right on 0.49 of these steps on
# balance, and on 0.39 on fresh start.

# %%
reveal("10.1")

# %% [markdown] answer="10.1" sealed=true slide="subslide"
# **Balance: coupled gates. Fresh start: no forget gate.** Each task has a loser of its
# own, which on the other task comes seventh of ten (medians of 0.89 on balance and of
# 0.996 on fresh start).
#
# To count far you keep all *and* add: $f = 1$ and $i = 1$. Coupled gates cannot do
# both: what they write, they take from what was there. Some ten letters, from full
# stop to full stop, they count all the same. The GRU mixes, too, and lies as low: in
# finite precision an LSTM counts and a GRU does not (Weiss et al. 2018).
#
# Without a forget gate the memory only adds. To start afresh it must write the exact
# opposite of all that it holds. That is hard, not impossible: the seeds reach 0.67
# to 0.98.

# %% [markdown] slide="notes"
# Ask: "so which cell is the best?" There is none: the functions inside the box are
# tailored to the task. Greff et al. say of their three real tasks that no variant was
# much better than the LSTM, and that forget gate and output tanh mattered most.

# %%
balance, fresh = found["variants"]["balance"], found["variants"]["fresh start"]
median = lambda numbers: np.median(numbers["long"])
coupled, additive = balance["coupled gates, f = 1 - i"], balance["LSTM with peepholes"]
gru = median(balance["GRU"])
print(f"balance: coupled {median(coupled):.2f}, GRU {gru:.2f}, LSTM {median(additive):.2f}")
print(f"fresh start: no forget gate {median(fresh['no forget gate']):.2f}, all others at least", end=" ")
print(f"{min(median(v) for k, v in fresh.items() if k != 'no forget gate'):.3f}")

# %% [markdown]
# Each of these runs is right on 97 of 100 steps and more of the 20 letters of training.
# Only the long streams tell them apart. Between the middle ranks the dots overlap:
# those differences are noise.
#
# ### A short run of your own
#
# Three variants, four seeds each, 100 updates of *balance* on 20 letters. It takes
# some seconds, and needs PyTorch. In the picture above, of 800 updates, you know how
# far they get on long streams: 0.93, 0.89 and 0.83 are the medians.

# %% hide_input=true
try:
    from rnncourse import side_by_side

    curves, D, seeds = {}, 2, (50, 51, 52, 53)
    for name in ("LSTM with peepholes", "no tanh for the candidate", "no tanh on the way out"):
        cell = side_by_side.VARIANTS[name]
        H = side_by_side.width(cell, D, side_by_side.count("V", D, 10))
        model = side_by_side.Model(cell, D, H, 3, seeds)
        curves[name] = side_by_side.train(model, side_by_side.balance, 20, 100, [0.03] * 4, N=16)
    print("mean loss of the last 20 updates, four seeds each:")
    for name, losses in curves.items():
        print(f"{name:26}", ", ".join(f"{loss:.2f}" for loss in np.sort(losses[-20:].mean(0))))
except ImportError:
    curves = {}
    print("PyTorch is not installed, and this cell would train three variants with it. Go on, or get it by")
    print("`python start.py --torch` in the folder that you unpacked (`make torch` in a clone).")

# %% hide_input=true
if curves:
    fig = show(
        figures_10.learning(curves),
        alt="Loss of twelve runs, four of each of three cells, against updates: all fall from about 1 to 0.1 "
        "or 0.2, and the curves of the three cells lie among one another.",
    )
fig if curves else None

# %% [markdown]
# Could you tell from *this* picture which cell will do worst on long streams? It is
# "no tanh on the way out". Over twelve seeds the losses overlap: 0.07 to 0.13, 0.06 to
# 0.22 and 0.09 to 0.18, in the order of the legend. A short run on short streams shows
# how fast a cell *learns*. That may go together with how far it gets: coupled gates and
# the GRU learn more slowly from the start (0.15 to 0.27). But you know it only when you
# have tried long streams.

# %% [markdown] slide="slide"
# ## 2 · The GRU
#
# Two gates read the state before and the input:
#
# $$g_t = \sigma(W^{g,s} s_{t-1} + W^{g,x} x_t) \tag{10.1}$$
#
# $$r_t = \sigma(W^{r,s} s_{t-1} + W^{r,x} x_t) \tag{10.2}$$
#
# The **reset gate** $r_t$ decides how much of the past the candidate sees:
#
# $$\tilde s_t = \tanh\big(W^{s,x} x_t + r_t \odot (W^{s,s} s_{t-1})\big) \tag{10.3}$$
#
# The **gate** $g_t$ mixes, as in notebook 04:
#
# $$s_t = (1 - g_t) \odot s_{t-1} + g_t \odot \tilde s_t \tag{10.4}$$

# %% [markdown] slide="notes"
# Ask: "how many states does it carry?" One; the LSTM carries two. "How many matrices?"
# Six, to the LSTM's eight. The usual slip: the reset before the product. That is Cho et
# al. (2014), and with the same weights another cell (notebook 08).

# %% [markdown] slide="subslide"
# ### The same as a picture
#
# Two gates at the left, the candidate at the right. At which place does the reset gate act, and
# what does it not touch?

# %% slide="-" hide_input=true
draw_cell("gru")

# %% [markdown] slide="subslide"
# ### Word by word
#
# Step with the arrow keys or the buttons. Every number can be changed.

# %% slide="-" hide_input=true
step_through("gru", numbers={"4.1": "10.1", "4.15": "10.2", "4.16": "10.3", "4.3": "10.4"})

# %% [markdown]
# ### Sizes
#
# | in code | shape | in formulas |
# |---|---|---|
# | `x_t` | (D, N) | the input $x_t$ |
# | `s_prev`, `s_t` | (H, N) | state before and after the step |
# | `g_t`, `r_t`, `candidate` | (H, N) | gate, reset gate, $\tilde s_t$ |
# | `W["s"]` | (3H, H) | what multiplies the state: $W^{g,s}$, then $W^{r,s}$, then $W^{s,s}$ |
# | `W["x"]` | (3H, D) | what multiplies the input: $W^{g,x}$, then $W^{r,x}$, then $W^{s,x}$ |
#
# Three matrices lie in one, the first H rows those of the gate. So the libraries of
# notebook 08 keep them (each in an order of its own): a step is two large products in
# place of six small ones.
#
# There are no biases: an input that is always 1 does their work.
#
# On paper: an LSTM without biases has $4 H^2 + 4 H D$ numbers to learn. How many times
# as many has the GRU?

# %% guess="10.2"
guess("10.2", times_as_many=0.75)

# %% [markdown] answer="10.2"
# **0.75**: three networks to four, of the same size. So a fair comparison gives the GRU
# more units.

# %% [markdown]
# ### Exercise: one step of the GRU
#
# You found its way back in notebook 04. Here you write the step itself as a library does:
# one product with the state, one with the input, and then the parts are cut out. Return
# what a backward function needs.
#
# First, on paper: an LSTM may *add* its two products at once, (4H, N), and cut the sum
# into its parts. May you?


# %% exercise="gru_step" points=3
def gru_step(
    x_t: np.ndarray, s_prev: np.ndarray, W: dict
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One step of the GRU, equations (10.1) to (10.4).

    Args:
        x_t: (D, N) input of the step, one column per sequence.
        s_prev: (H, N) state before the step.
        W: "s" (3H, H) and "x" (3H, D): the rows of the gate, of the reset gate, of the candidate.

    Returns:
        s_t: (H, N) state after the step.
        r_t: (H, N) reset gate.
        g_t: (H, N) gate: 0 keeps, 1 overwrites.
        candidate: (H, N) what would be written.
    """
    ### BEGIN SOLUTION
    g_s, r_s, c_s = np.split(W["s"] @ s_prev, 3)
    g_x, r_x, c_x = np.split(W["x"] @ x_t, 3)
    g_t = sigmoid(g_s + g_x)  # (10.1)
    r_t = sigmoid(r_s + r_x)  # (10.2)
    candidate = np.tanh(c_x + r_t * c_s)  # (10.3): here the two may not be added before
    s_t = (1 - g_t) * s_prev + g_t * candidate  # (10.4)
    return s_t, r_t, g_t, candidate
    ### END SOLUTION


# %% check="gru_step"
check(gru_step)

# %% needs="gru_step" hide_input=true
rng = np.random.default_rng(0)
W = {"s": rng.normal(size=(9, 3)), "x": rng.normal(size=(9, 4))}
x_t, s_prev = rng.normal(size=(4, 2)), np.tanh(rng.normal(size=(3, 2)))
s_t, r_t, g_t, candidate = gru_step(x_t.copy(), s_prev.copy(), W)
low, high = np.minimum(s_prev, candidate), np.maximum(s_prev, candidate)
assert np.all((low <= s_t) & (s_t <= high)), "(10.4) does not hold"
shut = {name: matrix.copy() for name, matrix in W.items()}
shut["s"][3:6], shut["x"][3:6] = 0, -1e3
assert np.allclose(gru_step(np.abs(x_t), s_prev, shut)[3], np.tanh(W["x"][6:] @ np.abs(x_t))), (
    "(10.3) does not hold"
)
print("(10.4) holds: a new state lies between the old one and the candidate")
print("(10.3) holds: with a shut reset gate the candidate knows nothing of the past")

# %% [markdown] slide="slide"
# ## 3 · What has to wait
#
# You have all of a sentence, $x_1, \dots, x_T$, and a thousand processors. You want all
# the states of a GRU. Nearly all of your processors sleep.
#
# Three things are computed in step 8. Which of them must wait for the state of step 7?

# %% [markdown] slide="notes"
# Ask: "could processor 8 begin with something?" Yes: all products with inputs can be
# made at once. What waits is what reads the state, and it waits for the whole chain
# before it.

# %% guess="10.3"
guess(
    "10.3",
    products_with_the_input="no",
    gates_and_candidate="yes",
    the_mixture="yes",
    choices=("yes", "no"),
)

# %% [markdown] answer="10.3" slide="fragment"
# **No, yes, yes.** All products with inputs can be made at once, for all steps. Gates
# and candidate read the state before, and so does the mixture (10.4). Must all of
# them?

# %% [markdown] slide="slide"
# ## minGRU
#
# Feng et al. (2024) take the state out of the gate **and** out of the candidate. Then a
# reset gate has nothing to reset, and goes. The tanh goes, too:
#
# $$g_t = \sigma(W^{g,x} x_t), \qquad \tilde s_t = W^{s,x} x_t \tag{10.5}$$
#
# The mixture (10.4) stays. What is left of the past is $(1 - g_t) \odot s_{t-1}$: the
# old state, times a number that does not depend on it.

# %% [markdown] slide="notes"
# Ask: "is this still a network that can look at its past before it decides what to
# keep?" No. A gate sees the word, and not the sentence. Several layers help: the second
# layer's input has seen the past. Keep the question for part 6.

# %% [markdown]
# ### Exercise: one step of the minGRU


# %% exercise="min_gru_step" points=2
def min_gru_step(x_t: np.ndarray, s_prev: np.ndarray, W: dict) -> np.ndarray:
    """One step of the minGRU, equations (10.5) and (10.4).

    Args:
        x_t: (D, N) input of the step, one column per sequence.
        s_prev: (H, N) state before the step.
        W: "gx" and "sx", each (H, D).

    Returns:
        s_t: (H, N) state after the step.
    """
    ### BEGIN SOLUTION
    g_t = sigmoid(W["gx"] @ x_t)  # (10.5)
    candidate = W["sx"] @ x_t
    return (1 - g_t) * s_prev + g_t * candidate  # (10.4)
    ### END SOLUTION


# %% check="min_gru_step"
check(min_gru_step)

# %% [markdown] slide="slide"
# ## A linear recurrence
#
# Two things in a step of the minGRU depend on no state. Give them names: the **factor**
# $\lambda_t = 1 - g_t$, and the **write** $w_t = g_t \odot \tilde s_t$. Then a step is
#
# $$s_t = \lambda_t \odot s_{t-1} + w_t \tag{10.6}$$
#
# All factors and all writes can be made at once. What remains is a chain of
# multiplications and additions, coordinate by coordinate.
#
# In code: `factors` and `writes`, each (T, H, N).

# %% needs="min_gru_step" hide_input=true
rng = np.random.default_rng(1)
W = {"gx": rng.normal(size=(3, 4)), "sx": rng.normal(size=(3, 4))}
x_t, s_prev = rng.normal(size=(4, 2)), rng.normal(size=(3, 2))
factor, write = 1 - sigmoid(W["gx"] @ x_t), sigmoid(W["gx"] @ x_t) * (W["sx"] @ x_t)
assert np.allclose(min_gru_step(x_t, s_prev.copy(), W), factor * s_prev + write), "(10.6) does not hold"
print("(10.6) holds")

# %% [markdown]
# ### The minLSTM
#
# The same done to an LSTM (Feng et al. 2024, too): forget gate
# $f_t = \sigma(W^{f,x} x_t)$ and input gate $i_t = \sigma(W^{i,x} x_t)$ read the
# input alone, the output gate and both tanh go. And the gates are divided by their
# sum, so that a state does not grow with the number of steps:
#
# $$\lambda_t = \frac{f_t}{f_t + i_t}, \qquad
# w_t = \frac{i_t}{f_t + i_t} \odot (W^{s,x} x_t) \tag{10.7}$$
#
# With these it is (10.6) again. The two shares add up to 1, so its gates are
# **coupled**, like those of a GRU. With $W^{f,x} = -W^{i,x}$ it *is* the minGRU.

# %% needs="min_gru_step" hide_input=true
W |= {"fx": rng.normal(size=(3, 4)), "ix": rng.normal(size=(3, 4))}


def min_lstm_step(x_t, s_prev, W):
    f, i = sigmoid(W["fx"] @ x_t), sigmoid(W["ix"] @ x_t)
    return (f * s_prev + i * (W["sx"] @ x_t)) / (f + i)


f, i, candidate = sigmoid(W["fx"] @ x_t), sigmoid(W["ix"] @ x_t), W["sx"] @ x_t
factor, write = f / (f + i), i / (f + i) * candidate
assert np.allclose(min_lstm_step(x_t, s_prev, W), factor * s_prev + write), "(10.7) does not hold"
assert np.allclose(factor + write / candidate, 1), "(10.7): the shares do not add up to 1"
mirrored = W | {"fx": -W["ix"], "gx": W["ix"]}
assert np.allclose(min_lstm_step(x_t, s_prev, mirrored), min_gru_step(x_t, s_prev.copy(), mirrored)), (
    "(10.7): with mirrored gates it is another cell than the minGRU"
)
print("(10.7) holds: the minLSTM is a linear recurrence, and with mirrored gates it is your minGRU")

# %% [markdown] sitting=2
# ## A place to stop
#
# You have a cell that is a linear recurrence. Next: all its states at once, and the way
# back through them.

# %% [markdown] slide="slide"
# ## 4 · Two steps are one step
#
# One unit, and any numbers: step 1 has $\lambda_1 = 0.5$ and $w_1 = 4$; step 2 has
# $\lambda_2 = 3$ and $w_2 = -1$.
#
# Do both, and you have gone from $s_0$ to $s_2$. That is again $s_2 = \lambda\, s_0 +
# w$. Which $\lambda$, and which $w$?

# %% [markdown] slide="notes"
# Let them do it on paper: s_1 = .5 s_0 + 4; s_2 = 3 s_1 - 1. The usual slip: w = 4 - 1,
# the first write not multiplied by the second factor.

# %% guess="10.4"
guess("10.4", factor=1.5, write=11)

# %% [markdown] answer="10.4" slide="fragment"
# $s_2 = 3\,(0.5\, s_0 + 4) - 1 = \mathbf{1.5}\, s_0 + \mathbf{11}$. The first write is
# multiplied by the *second* factor: it is there when step 2 comes.

# %% [markdown] slide="slide"
# ## Pieces
#
# One step, or several neighbours taken as one, is a **piece** $(\lambda, w)$. A piece
# with $(\lambda, w)$, followed by one with $(\lambda', w')$, is one piece with
#
# $$\big(\lambda' \odot \lambda,\ \ \lambda' \odot w + w'\big) \tag{10.8}$$
#
# Pieces can be put together in any grouping: first two and three, then one. The order
# stays. That is all a computer needs to work on many pieces at the same time.

# %% hide_input=true
rng = np.random.default_rng(2)
together = lambda first, second: (second[0] * first[0], second[0] * first[1] + second[1])
one, two, three = (tuple(rng.normal(size=(2, 3))) for _ in range(3))
left, right = together(together(one, two), three), together(one, together(two, three))
assert np.allclose(left, right), "(10.8): the grouping matters"
assert not np.allclose(together(one, two), together(two, one)), "(10.8): the order does not matter"
start = rng.normal(size=3)
step = lambda piece, state: piece[0] * state + piece[1]
assert np.allclose(step(together(one, two), start), step(two, step(one, start))), "(10.8) does not hold"
print("(10.8) holds: the grouping does not matter, the order does")

# %% [markdown] slide="slide"
# ## Up and down
#
# **Up**: put neighbours together, 1 with 2, 3 with 4. Half as many pieces are left, and
# they are again a linear recurrence. Its states are the states after steps 2, 4, 6, …
#
# **Down**: the states after steps 1, 3, 5, 7, … are still missing. Each is one step
# away from a state that you have now; the first one from $s_0$. (With an odd $T$ the
# last step has no partner: it waits for the way down.)
#
# How do you get the states of the half as many pieces? In the same way.

# %% [markdown] slide="notes"
# Draw it on the board with eight steps before you show the picture. Ask: "which states
# do we know when we are at the top?" Only the last one. The usual wrong answer: all.

# %% [markdown] slide="subslide"
# ### Eight steps
#
# First the solid arrows, level by level, then the dashed ones. Which of them have to wait?

# %% slide="-" hide_input=true
show(
    figures_10.sweeps(8),
    alt="A tree over eight steps. From s0 an arrow leads to step 1. Solid arrows go up: 1 and 2 become the "
    "piece 1 to 2, and so on, until one piece, 1 to 8, stands at the top. Dashed arrows go down again, from "
    "a piece that begins at 1 to the states just behind it: from 1 to 4 to 1 to 6, and from 2, 4 and 6 to 3, "
    "5 and 7.",
)

# %% [markdown]
# Here $s_0$ is put into step 1 at once: then every piece that begins at 1 is a state. On
# the way down a box becomes the state behind its last step: 5–6 becomes 1–6.
#
# Within a level nothing waits. So what counts is how many levels of arrows there are:
# for eight steps one at $s_0$, three up, two down. For $T = 1024$ steps: how many
# steps does the loop make, one after the other? And how many levels are there, all
# together?

# %% guess="10.5"
guess("10.5", loop="1024", sweeps="20")  # whole numbers, to the last digit

# %% [markdown] answer="10.5"
# **1024 and 20**: ten times halved is one, so one level at $s_0$, ten up, and nine
# down.

# %% [markdown]
# ### The loop, for comparison


# %% given="scan_by_loop"
def scan_by_loop(factors, writes, s0):
    """All states (T, H, N) of the recurrence (10.6), one step after the other."""
    states, state = np.empty(writes.shape), s0
    for t in range(len(writes)):
        state = factors[t] * state + writes[t]
        states[t] = state
    return states


# %% [markdown]
# ### Exercise: the scan
#
# Write the two sweeps. No loop over the steps: slices with a stride of 2 take every
# second step at once, and the function may call itself. T is any number, even or odd.
#
# A tempting way around: multiply all factors up, divide the writes by the products, and
# add up. The check tries what becomes of it on a long sequence.
#
# The check uses the next cell. It counts the lines of your code that run for 1,024
# steps, and for 16,384: a loop over the steps, or over pairs of them, runs sixteen
# times as many, a scan has four levels more, up and down. It looks how much memory is in
# use meanwhile: a table of T times T entries is no way around.


# %% given="what_the_checks_use" hide_input=true
import sys
import threading
import tracemalloc


class Enough(Exception):
    """More lines than a scan needs."""


def drawn_steps(T):
    """Steps of one unit, with little to forget."""
    return np.full((T, 1, 1), 0.5), np.ones((T, 1, 1)), np.zeros((1, 1))


def lines_run(scan, T, most=np.inf):
    """How many lines of this notebook's run while a scan takes T steps; without end, where more than most."""
    lines, before, in_threads = 0, sys.gettrace(), threading.gettrace()
    own = threading.get_ident()

    def watch(frame, event, _):
        nonlocal lines
        if frame.f_globals.get("__spec__") is not None:
            return None  # a library's
        lines += event == "line"
        if lines > most and threading.get_ident() == own:
            raise Enough
        return watch

    threading.settrace(watch)
    sys.settrace(watch)
    try:
        scan(*drawn_steps(T))
    except (RecursionError, Enough):
        lines = np.inf
    finally:
        sys.settrace(before)
        threading.settrace(in_threads)
    return np.inf if lines > most else lines


def numbers_held(scan, T):
    """How many numbers a scan of T steps holds at the same time, at most, for each step."""
    drawn, is_ours = drawn_steps(T), not tracemalloc.is_tracing()
    if is_ours:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    scan(*drawn)
    peak = tracemalloc.get_traced_memory()[1]
    if is_ours:
        tracemalloc.stop()
    return (peak - before) / 8 / T


def try_parallel_scan(factors, writes, s0):
    """The states; for a long sequence also: does a scan of many steps hold few numbers, and run few lines?"""
    states = parallel_scan(factors, writes, s0)
    if len(factors) < 100:
        return states, 1.0, 1.0
    lines = lines_run(parallel_scan, 1024, most=50_000)
    if lines == np.inf:
        return states, 0.0, 1.0
    if numbers_held(parallel_scan, 1024) > 250:
        return states, 1.0, 0.0
    return states, float(lines_run(parallel_scan, 16_384, 1.5 * lines) < np.inf), 1.0


# %% exercise="parallel_scan" points=6
def parallel_scan(factors: np.ndarray, writes: np.ndarray, s0: np.ndarray) -> np.ndarray:
    """All states of the linear recurrence (10.6), in about 2 log2(T) rounds.

    Args:
        factors: (T, H, N) what multiplies the state before, at each step; T is at least 1.
        writes: (T, H, N) what is added, at each step.
        s0: (H, N) state before the first step.

    Returns:
        states: (T, H, N) the states after each step.
    """
    ### BEGIN SOLUTION
    states = np.zeros_like(writes)
    states[0] = factors[0] * s0 + writes[0]  # (10.6)
    if len(states) > 1:
        pair_factors = factors[1::2] * factors[:-1:2]  # (10.8)
        pair_writes = factors[1::2] * writes[:-1:2] + writes[1::2]  # yours
        states[1::2] = parallel_scan(pair_factors, pair_writes, s0)  # yours
        states[2::2] = factors[2::2] * states[1:-1:2] + writes[2::2]  # yours
    return states
    ### END SOLUTION


# %% check="parallel_scan"
check(parallel_scan)

# %% [markdown] slide="slide"
# ## Equal, to the last digits
#
# 100,000 steps: loop and scan add in another order, so their last digits may differ.

# %% needs="parallel_scan" slide="-"
rng = np.random.default_rng(3)
factors = rng.uniform(-1, 1, size=(100_000, 2, 1))
writes = rng.normal(size=(100_000, 2, 1))
start = rng.normal(size=(2, 1))
scanned = parallel_scan(factors.copy(), writes.copy(), start.copy())
looped = scan_by_loop(factors, writes, start)
difference = np.abs(scanned - looped).max()
assert difference < 1e-10, "scan and loop differ"
print(f"largest difference over 100,000 steps: {difference:.0e}")

# %% [markdown] slide="slide"
# ## Depth, work, time
#
# Three costs:
#
# - **depth**: the longest chain of products that must wait for one another;
# - **work**: numbers multiplied in all;
# - **time**: what *this* machine needs.
#
# A state of $H = 1$ and one of $H = 512$, one sequence. For $H = 512$ and 5,000 steps:
# which is faster here, loop or scan?

# %% [markdown] slide="notes"
# Ask: "the scan has 26 levels instead of 5,000. So it is 200 times faster?" Only where
# a machine can do 2,500 x 512 products at once. The usual wrong answer comes from
# mixing depth and time.

# %% guess="10.6"
guess("10.6", faster_for_a_wide_state="the loop", choices=("the loop", "the scan"))


# %% needs="parallel_scan" hide_input=true
def seconds(scan, *arguments):
    given = [value.copy() for value in arguments]
    began = time.perf_counter()
    scan(*given)
    return time.perf_counter() - began


def cost(T, H):
    """Depth, numbers multiplied, best of three times: of loop and scan."""
    rng = np.random.default_rng(T)
    drawn = rng.uniform(0, 1, (T, H, 1)), rng.normal(size=(T, H, 1)), np.zeros((H, 1))
    ways = {"loop": scan_by_loop, "scan": parallel_scan}
    best = {name: min(seconds(scan, *drawn) for _ in range(3)) for name, scan in ways.items()}
    return {name: (*depth_and_work(scan, *drawn), best[name]) for name, scan in ways.items()}


measured = {
    "H = 1": {T: cost(T, 1) for T in (10, 100, 1000, 10_000, 100_000)},
    "H = 512": {T: cost(T, 512) for T in (10, 100, 1000, 5000)},
}
for H, T in (("H = 1", 100_000), ("H = 512", 5000)):
    loop, scan = (1e3 * measured[H][T][way][2] for way in ("loop", "scan"))
    print(f"{H}, T = {T:,}: the loop takes {loop:.1f} ms, the scan {scan:.1f} ms")

# %% needs="parallel_scan" slide="subslide" hide_input=true
show(
    figures_10.costs(measured),
    alt="Four panels against the number of steps. Depth: the loop grows with T, the scan with its logarithm. "
    "Work: two sweeps multiply about three times as many numbers, doubling up to 17 times as many. Time at "
    "H = 1: the scan is far faster for long sequences. Time at H = 512: the loop is ahead for long ones.",
)

# %%
reveal("10.6")

# %% [markdown] answer="10.6" sealed=true slide="subslide"
# **The loop**: by a factor of 1 to 7 where the scan makes two sweeps, of 7 to 30 where
# it doubles (if yours says otherwise, your machine's memory is fast). Two sweeps do
# three times the *work*, and doubling some $\log_2 T$ times; the second panel shows
# which of them yours is like. And one core does one thing at a time. With
# $H = 512$ each step of the loop already keeps it busy, and its numbers stay in the
# cache.
#
# At $H = 1$ the scan wins by tens to hundreds of times. That is no parallelism:
# Python's loop costs a microsecond a step, whatever the step does.
#
# **Depth** is what a scan saves. It becomes time on a machine that does thousands of
# products at once: a graphics card.

# %% [markdown] slide="slide"
# ## 5 · The way back through a scan
#
# To train it, gradients must come back through 100,000 steps. Walking back step by step
# would throw away all that was won.
#
# From outside, `dstates[t]` arrives at each state: what the loss says of it directly.
# You want the gradients by all factors, by all writes, and by $s_0$.
#
# On paper first. One unit, two steps:
#
# $$s_0 = 2, \quad \lambda = (0.5,\ 3), \quad w = (1,\ 1), \qquad
# \text{outside: } 1 \text{ at } s_1,\ 1 \text{ at } s_2$$
#
# Nudge each number in your head, and see what the loss $L = s_1 + s_2$ does.

# %% [markdown] slide="notes"
# Five minutes, in pairs. They have s_1 = 2 and s_2 = 7. Ask first for w_2, then for
# w_1: "who is moved by w_1?" Both states. Then let them look at the pattern, and stop.

# %% guess="10.7"
guess("10.7", by_write_2=1, by_write_1=4, by_factor_2=2, by_factor_1=8, by_s0=2)

# %% [markdown] answer="10.7" slide="fragment"
# The states are 2 and 7. By the writes **1** and **4**; by the factors **2** and **8**;
# by $s_0$ **2**. If you have 1 for the first write, you forgot that $s_2$ hears of it.

# %% [markdown]
# ### Exercise: the scan, backward
#
# Its formula stands nowhere above, or in any notebook. Find what arrives at each state
# in all; look at the rule that you get, and ask whether you have seen its kind today.
#
# A loop will pass the check. An answer without one is better, and there is one. NumPy is
# all you need: automatic differentiation and differences would spare you the finding,
# and are not there, or not taken for a derivation, where it is graded.
#
# `check(scan_backward, stage="last")`, `"writes"`, `"factors"` and `"start"` try one
# thing at a time. When it is right, it shows (10.9) to (10.11).
# `show_derivation(scan_backward)` shows them without.


# %% exercise="scan_backward" points=8
def scan_backward(
    dstates: np.ndarray, factors: np.ndarray, writes: np.ndarray, s0: np.ndarray, states: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The linear recurrence (10.6), backward.

    Args:
        dstates: (T, H, N) gradient of the loss by each state, from outside alone: what goes from a
            state to later states is not in it.
        factors: (T, H, N) as the scan got them.
        writes: (T, H, N) as the scan got them.
        s0: (H, N) state before the first step.
        states: (T, H, N) as the scan gave them.

    Returns:
        dfactors: (T, H, N) gradient by the factors.
        dwrites: (T, H, N) gradient by the writes.
        ds0: (H, N) gradient by s0.
    """
    ### BEGIN SOLUTION
    later = np.concatenate([np.zeros_like(s0)[None], factors[:0:-1]])  # of steps T + 1, T, ..., 2
    dwrites = parallel_scan(later, dstates[::-1], np.zeros_like(s0))[::-1]  # (10.9)
    before = np.concatenate([s0[None], states[:-1]])
    dfactors = dwrites * before  # (10.10)
    ds0 = factors[0] * dwrites[0]  # (10.11)
    return dfactors, dwrites, ds0
    ### END SOLUTION


# %% check="scan_backward"
check(scan_backward)

# %% [markdown] found="scan_backward" slide="slide"
# ### The same recurrence, run backwards
#
# A state $s_t$ has two readers: the loss, and step $t + 1$, which multiplies it by
# $\lambda_{t+1}$. What they send back is added. With $d_t$ for `dstates[t]`:
#
# $$\delta_t = \lambda_{t+1} \odot \delta_{t+1} + d_t, \qquad \delta_T = d_T \tag{10.9}$$
#
# This is (10.6) again: a factor, the neighbour, something added. Only time runs the
# other way, and the factors are **shifted by one step**. So it is a scan, of the
# reversed arrays.

# %% [markdown] found="scan_backward" slide="slide"
# ### Home
#
# A write is added to its own state, so its gradient is $\delta_t$ itself. A factor
# multiplied the state before:
#
# $$\frac{\partial L}{\partial \lambda_t} = \delta_t \odot s_{t-1} \tag{10.10}$$
#
# And $s_0$ was read by step 1 alone:
#
# $$\frac{\partial L}{\partial s_0} = \lambda_1 \odot \delta_1 \tag{10.11}$$
#
# Made by your scan, the way back has as many levels as the way forward: about
# $2 \log_2 T$ each. (A loop in its place is right, and has $T$.)

# %% found="scan_backward"
rng = np.random.default_rng(4)
lam, add, begin, outside = (rng.normal(size=shape) for shape in ((5, 2, 1), (5, 2, 1), (2, 1), (5, 2, 1)))
loss = lambda lam, add, begin: np.sum(outside * scan_by_loop(lam, add, begin))
walked, delta = scan_by_loop(lam, add, begin), np.zeros((6, 2, 1))
for t in reversed(range(5)):
    delta[t] = outside[t] + (lam[t + 1] * delta[t + 1] if t < 4 else 0)
nudged = lambda array, place, by: array + by * (np.arange(array.size).reshape(array.shape) == place)
slope = lambda f, array, place: (f(nudged(array, place, 1e-6)) - f(nudged(array, place, -1e-6))) / 2e-6
earlier = np.concatenate([begin[None], walked[:-1]])
for place in range(10):
    by_write = slope(lambda v: loss(lam, v, begin), add, place)
    assert np.isclose(by_write, delta[:5].ravel()[place]), "(10.9) does not hold"
    by_factor = slope(lambda v: loss(v, add, begin), lam, place)
    assert np.isclose(by_factor, (delta[:5] * earlier).ravel()[place]), "(10.10) does not hold"
for place in range(2):
    by_start = slope(lambda v: loss(lam, add, v), begin, place)
    assert np.isclose(by_start, (lam[0] * delta[0]).ravel()[place]), "(10.11) does not hold"
print("(10.9) to (10.11) hold")

# %% [markdown] sitting=3
# ## A place to stop, again
#
# You have the cell, all its states at once, and the way back. What remains: a task to
# try it on, and what else a memory may be.

# %% [markdown] slide="slide"
# ## 6 · Parity
#
# Random bits are read one by one. Is the number of ones so far odd?
#
# Models are trained on up to 20 bits and tried on 40, five seeds each:
#
# - a scan whose factors lie in (−1, 1), one layer of 16;
# - a GRU, an LSTM, a tanh RNN, 16 units each;
# - a minGRU, whose factors lie in (0, 1), two layers of 64.
#
# Which are right on all 40 bits? Type "yes" or "no".

# %% [markdown] slide="notes"
# Ask: "which part of (10.6) could turn a bit round?" Let them try with one number: s in
# {-1, 1}, what must the factor be at a 1? The usual wrong answer: "gates are needed".
# The plain tanh RNN is in the list for that reason.

# %% guess="10.8"
guess(
    "10.8",
    factors_from_minus_1_to_1="yes",
    GRU="yes",
    LSTM="yes",
    tanh_RNN="yes",
    minGRU="no",
    choices=("yes", "no"),
)

# %% hide_input=true
for name, numbers in found["parity"].items():
    name = name.replace("gates", "factors")
    print(f"{name:26} {numbers['units']:2} units, {numbers['layers']} layer(s):", end=" ")
    print("right on whole sequences of 40:", np.min(numbers["whole"]), "to", np.max(numbers["whole"]))

# %% slide="subslide" hide_input=true
show(
    figures_10.parity({name: np.array(n["by_step"]) for name, n in found["parity"].items()}, 20),
    alt="Five panels, share right against bits read. Tanh RNN, GRU, LSTM and the scan with factors between "
    "-1 and 1 stay at 1 for all 40 bits, in every seed. The scan with factors between 0 and 1 begins at 1 "
    "and falls to one half before bit 20.",
)

# %%
reveal("10.8")

# %% [markdown] answer="10.8" sealed=true slide="subslide"
# **All but the minGRU**, whose factors lie in (0, 1). The plain tanh RNN does it, so
# parity shows no merit of gates. And the other scan does it with fewer units. What has it
# got that a minGRU has not? A few numbers on paper show it.

# %% [markdown] slide="subslide"
# ### Parity by hand

# %% [markdown]
# One number, $s_0 = 1$, and nothing is written: at each bit it is multiplied by a
# factor, one at a 0, another at a 1. With which two is the state 1 as long as the
# number of ones is even, and −1 as long as it is odd?

# %% guess="10.11"
guess("10.11", factor_at_a_0=1, factor_at_a_1=-1)

# %% [markdown] answer="10.11"
# **1 and −1**: a 0 changes nothing, and $s_t = -s_{t-1}$ at every 1 *is* parity. Try
# it below. Then make one of them a little smaller in size: the sign stays right at
# every bit, and the size goes. In a network something must still read it.
#
# A positive factor can shrink a state, and never turn its sign round. A *write* can.
# But it knows the bit and not the state, and what would have to be added depends on
# the state. (With a factor near 0 a write wins, and the state knows the last bit
# only.) What the minGRU lacks is a **negative factor**, not a gate. Grazzi et al. (2024)
# prove it for finite precision, and credit Sarrof et al. (2024) for diagonal
# recurrences.

# %% [markdown] slide="-"
# Set the two sliders, and look at sign and size of the state.

# %% slide="-" hide_input=true
BITS = [1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 0, 1, 0, 1]
explorer(
    "turning",
    {"bits": BITS, "at_0": 0.5, "at_1": 0.5},
    alt="Sixteen bars, the state after each bit, and below them the bit and whether the number of ones is "
    "odd. Two sliders set the factor at a 0 and the factor at a 1; a line says at how many bits the sign is "
    "right.",
)

# %% [markdown]
# The same without a kernel, for three settings:

# %% hide_input=true
show(
    figures_10.turning(BITS, ((0.5, 0.5), (1, -0.8), (1, -1))),
    alt="Three panels of sixteen bars. Factors of one half: all bars are positive and gone after a few bits. "
    "Factor 1 at a 0 and -0.8 at a 1: the sign turns at every 1, and the bars shrink. Factors 1 and -1: "
    "bars of size 1 whose sign is the parity.",
)

# %% [markdown]
# ### Your scan learns it
#
# Your own scan and its way back now train two networks that differ by **one number**,
# the lowest that a factor can be. Two functions are all there is to the model:
#
# - `layer` makes factors and writes of all inputs at once;
# - `gradients` uses your `scan_backward`, and goes home through two products.


# %% needs="parallel_scan scan_backward"
def layer(xs, W, low):
    """Factors between low and 1, and writes, each (T, H, N): no step waits for another."""
    return low + (1 - low) * sigmoid(W["lx"] @ xs), W["wx"] @ xs


def gradients(xs, odd, W, low):
    """Loss (mean over steps and sequences) and its gradients; odd (T, N) holds 0 and 1."""
    factors, writes = layer(xs, W, low)
    s0 = np.zeros(writes.shape[1:])
    states = parallel_scan(factors.copy(), writes.copy(), s0.copy())
    p = sigmoid(np.einsum("h,thn->tn", W["y"], states) + W["yb"])
    dz = (p - odd) / odd.size
    arriving = dz[:, None] * W["y"][:, None]
    dfactors, dwrites, _ = scan_backward(arriving, factors.copy(), writes, s0, states.copy())
    da = dfactors * (factors - low) * (1 - factors) / (1 - low)
    dW = {"lx": np.einsum("thn,tdn->hd", da, xs), "wx": np.einsum("thn,tdn->hd", dwrites, xs)}
    dW |= {"y": np.einsum("tn,thn->h", dz, states), "yb": dz.sum()}
    return -np.mean(np.log(np.where(odd == 1, p, 1 - p) + 1e-12)), dW


# %% needs="parallel_scan scan_backward"
def bits(rng, T, N=64):
    drawn = rng.integers(2, size=(T, N))
    return np.eye(2)[drawn].transpose(0, 2, 1), drawn.cumsum(axis=0) % 2


def learn(seed, low, updates=400, H=16):
    """Train on 20 bits; the share right at bit 40 of fresh sequences."""
    rng = np.random.default_rng(seed)
    W = {"lx": rng.normal(size=(H, 2)), "wx": rng.normal(size=(H, 2))}
    W |= {"y": rng.normal(size=H) / 4, "yb": np.zeros(())}
    adam = Adam(learning_rate=0.03)
    for _ in range(updates):
        adam.step(W, gradients(*bits(rng, 20), W, low)[1])
    xs, odd = bits(rng, 40, 500)
    states = parallel_scan(*layer(xs, W, low), np.zeros((H, 500)))
    said = np.einsum("h,thn->tn", W["y"], states) + W["yb"] > 0
    return np.mean(said[-1] == odd[-1])


shares = {low: [learn(seed, low) for seed in range(3)] for low in (0, -1)}
for low, came in shares.items():
    print(f"factors from {low} to 1: right at bit 40 {', '.join(f'{share:.2f}' for share in came)}")
claim(
    "with negative factors two of three seeds or more are right on 95 %; without them no seed reaches 70 %",
    sum(share > 0.95 for share in shares[-1]) >= 2 and max(shares[0]) < 0.7,
    f"{np.round(shares[-1], 2).tolist()} and {np.round(shares[0], 2).tolist()}",
)

# %% [markdown]
# Of twelve seeds that we tried, all were right at bit 40 with negative factors, and
# none was better than guessing (0.46 to 0.53) without.

# %% [markdown] slide="slide"
# ## 7 · A memory that is a matrix
#
# A cell with $H$ numbers can keep $H$ numbers. xLSTM (Beck et al. 2024) has a cell
# whose memory is a **matrix** $C_t$. It stores **pairs**: a value $v_t$ under a key
# $k_t$.
#
# $$C_t = f_t\, C_{t-1} + i_t\, v_t k_t^\top \tag{10.12}$$
#
# $$n_t = f_t\, n_{t-1} + i_t\, k_t \tag{10.13}$$
#
# Gates are single numbers here, one a sequence. Gates, keys, values and queries are
# made from $x_t$ alone. A **query** $q_t$ asks for what is stored under keys like it;
# $n_t^\top q_t$ is how much there is of that in all:
#
# $$h_t = \frac{C_t\, q_t}{\max\big(|n_t^\top q_t|,\ 1\big)} \tag{10.14}$$
#
# (xLSTM multiplies it by an output gate, which is left out here.)

# %% [markdown] slide="notes"
# Ask: "where is the LSTM in (10.12)?" Keep some, write some: the same line, with a
# product of two vectors for the candidate. And: "what may not be read?" The state
# before: keys, values, gates come from x alone, so it is a linear recurrence, and a
# scan. The usual wrong answer: a matrix memory needs a matrix of weights.

# %% [markdown]
# $C$ is empty. The value $(2, 1)$ is written under the key $(1, 0)$, then $(5, -1)$
# under $(0, 1)$, all gates at 1. What does the query $(0, 1)$ bring back? Write a list of
# two numbers.

# %% guess="10.9"
guess("10.9", brings_back=[5, -1])

# %% [markdown] answer="10.9"
# **(5, −1)**, whole: the two keys have nothing in common. And $n^\top q = 1$. With keys
# that overlap, the answer is a mixture.

# %% [markdown]
# ### Exercise: one step of a matrix memory
#
# | in code | shape | |
# |---|---|---|
# | `C_prev`, `C_t` | (V, K, N) | memory: values of V numbers, keys of K |
# | `n_prev`, `n_t` | (K, N) | the normaliser |
# | `q_t`, `k_t`, `v_t` | (K, N), (K, N), (V, N) | query, key, value |
# | `f_t`, `i_t` | (1, N) | gates, one number a sequence |


# %% exercise="matrix_memory_step" points=5
def matrix_memory_step(
    C_prev: np.ndarray,
    n_prev: np.ndarray,
    q_t: np.ndarray,
    k_t: np.ndarray,
    v_t: np.ndarray,
    f_t: np.ndarray,
    i_t: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One step of the matrix memory, equations (10.12) to (10.14).

    Args:
        C_prev: (V, K, N) memory before the step.
        n_prev: (K, N) normaliser before the step.
        q_t: (K, N) query, one column per sequence.
        k_t: (K, N) key.
        v_t: (V, N) value.
        f_t: (1, N) forget gate, to be used as it is (no sigmoid, no exponential).
        i_t: (1, N) input gate, likewise.

    Returns:
        C_t: (V, K, N) memory after the step.
        n_t: (K, N) normaliser after the step.
        h_t: (V, N) what the query brings back from the new memory.
    """
    ### BEGIN SOLUTION
    C_t = f_t * C_prev + i_t * v_t[:, None] * k_t[None]  # (10.12)
    n_t = f_t * n_prev + i_t * k_t  # (10.13)
    fit = np.sum(n_t * q_t, axis=0, keepdims=True)
    h_t = np.sum(C_t * q_t, axis=1) / np.maximum(np.abs(fit), 1)  # (10.14)
    return C_t, n_t, h_t
    ### END SOLUTION


# %% check="matrix_memory_step"
check(matrix_memory_step)

# %% [markdown] slide="slide"
# ## It is attention
#
# Unroll (10.12) from an empty memory, and multiply by the query. Each pair $j \le t$
# that was written is still there, shrunk by the forget gates behind it:
#
# $$C_t\, q_t = \sum_{j \le t}
# \underbrace{\Big(\prod_{l=j+1}^{t} f_l\Big)\, i_j\, \big(k_j^\top q_t\big)}_{\text{weight of } j}\
# v_j \tag{10.15}$$
#
# A weighted sum of all values so far, the weight by how well key and query fit:
# **attention**, without a softmax (*linear*: Katharopoulos et al. 2020), and with a
# gate that forgets. The same weights, added up, are $n_t^\top q_t$: (10.14) divides
# by it.

# %% [markdown] slide="notes"
# Ask: "which of the two needs more room when the sentence grows?" Attention keeps all
# keys and values. The matrix has V times K numbers for ever, and pairs begin to overlap
# when more than K were written.

# %% needs="matrix_memory_step" slide="fragment" hide_input=true
rng = np.random.default_rng(5)
T, V, K = 12, 4, 3
q, k, v = (rng.normal(size=(T, n)) for n in (K, K, V))
f, i = rng.uniform(0.5, 1, T), rng.uniform(0, 1, T)
C, n, by_step = np.zeros((V, K, 1)), np.zeros((K, 1)), []
for t in range(T):
    gates = f[t].reshape(1, 1), i[t].reshape(1, 1)
    pair = (vector[t, :, None].copy() for vector in (q, k, v))
    C, n, h = matrix_memory_step(C, n, *pair, *(gate.copy() for gate in gates))
    by_step.append(h[:, 0])
kept = np.array([[np.prod(f[j + 1 : t + 1]) if j <= t else 0 for j in range(T)] for t in range(T)])
weights = kept * i * (q @ k.T)  # (10.15): row t holds the weights of all j
at_once = weights @ v / np.maximum(np.abs(weights.sum(axis=1, keepdims=True)), 1)
assert np.abs(at_once - by_step).max() < 1e-12, "(10.15) does not hold"
print(f"(10.15) holds: {np.abs(at_once - by_step).max():.0e} between the recurrence and attention")

# %% [markdown] extra=true
# ## Extra: gates that are exponentials
#
# In xLSTM the input gate is $i_t = e^{z^i_t}$, where $z^i_t$ is what its weights make
# of $x_t$. It has no upper bound: a pair that matters can outweigh all that was
# written before. Such numbers overflow. So memory and normaliser are kept divided by
# a scale $e^{\mu_t}$, the largest so far ($\mu_0 = 0$). What is new is divided by
# $e^{\mu_t}$; what is old was divided by $e^{\mu_{t-1}}$ already:
#
# $$\mu_t = \max(\log f_t + \mu_{t-1},\ z^i_t), \qquad
# f'_t = f_t\, e^{\mu_{t-1} - \mu_t}, \qquad i'_t = e^{z^i_t - \mu_t} \tag{10.16}$$
#
# Memory and normaliser are both $e^{\mu_t}$ times too small then, and in the quotient
# (10.14) that cancels (where the 1 in the maximum is not the larger one). Your
# `matrix_memory_step` takes such $f'$ and $i'$ as they are.

# %% hide_input=true
rng = np.random.default_rng(6)
z_i, f = rng.normal(size=8), rng.uniform(0.5, 1, 8)
mu, plain, stable = 0.0, 0.0, 0.0
for t in range(8):
    before, mu = mu, max(np.log(f[t]) + mu, z_i[t])
    plain = f[t] * plain + np.exp(z_i[t]) * (t + 1)
    stable = f[t] * np.exp(before - mu) * stable + np.exp(z_i[t] - mu) * (t + 1)
    assert np.isclose(stable * np.exp(mu), plain), "(10.16) does not hold"
print("(10.16) holds: the stabilised memory is the plain one, divided by exp(mu)")

# %% [markdown] slide="slide"
# ## 8 · When all of it is asked for
#
# In notebook 01 a sentence became **one vector**, $h_T$, and all that was said of it was
# read from that. What if all of it is asked for?
#
# **Copying**: an LSTM of 32 units reads some letters (of eight), then says them
# again, in order. Once it has only its own state. Once each answer may also **look
# back**: a query against all the states it had while reading; $q_t$, $k_j$, $v_j$ are
# states times a matrix each,
#
# $$\omega_{t,j} = \frac{e^{q_t^\top k_j}}{\sum_l e^{q_t^\top k_l}}, \qquad
# \text{read}_t = \sum_j \omega_{t,j}\, v_j \tag{10.17}$$
#
# Same training for all, 1,000 updates, a model for each length. Which share of **24**
# letters is right?

# %% [markdown] slide="notes"
# Ask: "24 letters of eight are 72 bits. Do 32 numbers hold 72 bits?" Easily, in
# principle. Holding is one thing, learning to pack and unpack is another. The usual
# wrong answer: it is a matter of capacity alone.

# %% [markdown]
# Beside each letter both models read a clock: sines and cosines of the position, in
# the half that is read or said. Products of query and key are divided by $\sqrt H$. A
# model of length 2, 4, 8, 16 or 24 is trained on that length and tried on it.

# %% guess="10.10"
guess(
    "10.10",
    with_h_T_alone="less than half",
    with_a_look_back="nearly all",
    choices=("nearly all", "about three quarters", "less than half"),
)

# %% slide="subslide" hide_input=true
show(
    figures_10.copies(found["copying"]),
    alt="Left: share of letters right against the number of letters. With h_T alone it falls from 1 for "
    "four letters to one half for 16 and to guessing for 24; with a look back it stays near 1. Right: a "
    "map of eight by eight, dark on its diagonal: when it says letter 3, it looks at letter 3.",
)

# %%
reveal("10.10")

# %% [markdown] answer="10.10" sealed=true slide="subslide"
# **Less than half, and nearly all.** The map shows how: when letter 3 is to be said,
# the weight lies on letter 3.
#
# Five seeds each, the band from the worst to the best. At 24 letters three of them
# had learned nothing yet with $h_T$ alone. It is no proof that 32 numbers *cannot*
# hold 24 letters: we trained no longer, and no larger. A look back makes it easy, and
# the price is that all states must be kept.

# %%
exponentials = np.exp(rng.normal(size=(5, 7)))
omega, values = exponentials / exponentials.sum(axis=1, keepdims=True), rng.normal(size=(7, 3))
read = omega @ values
assert np.allclose(omega.sum(axis=1), 1), "(10.17): the weights do not add up to 1"
assert np.all((read <= values.max(0)) & (read >= values.min(0))), "(10.17) is no mixture"
print("(10.17) is a mixture: weights that add up to 1")

# %% [markdown] slide="slide"
# ## 9 · Where the LSTM stands today
#
# | | state | a new word costs | all steps at once | turns a bit round |
# |---|---|---|---|---|
# | LSTM, GRU | a vector | the same, for ever | no | yes |
# | minGRU, minLSTM: positive scans | a vector | the same, for ever | yes | no |
# | scan with factors in (−1, 1) | a vector | the same, for ever | yes | yes |
# | matrix memory | a matrix | the same, for ever | yes | no |
# | attention | all words | more with each word | yes | in one pass, hardly |
#
# Large language models are mostly attention: they train on all words at once, and look
# back exactly. xLSTM and other gated recurrences compete where a fixed state matters:
# long streams, small devices.

# %% [markdown] slide="notes"
# Be sober: the LSTM lost at scale because it could not be trained in parallel, and
# because one vector is a narrow door. It is still frequently used where data are few,
# streams long, or devices small. The last two columns are about what is possible in one
# layer and finite precision, and each has a paper.

# %% [markdown]
# The last column of attention is a statement about transformers of fixed depth in
# finite precision; Grazzi et al. say that both they and linear recurrences with
# positive factors "struggle" with such tasks. A table of this kind says what is
# possible. What is *learned* from which data is a matter of experiments like those
# above: equal search, several seeds, the test looked at once.

# %% [markdown] written="one_benchmark" points=3
# ### Written question
#
# A team writes: "Our new cell is a diagonal scan with factors between 0 and 1. On
# next-word prediction it reached the LSTM's loss in a tenth of the training time. On a
# sensor that reports 1,000 times a second whether a door is now open or shut, given
# only 'it moved' pulses, we will replace our LSTM by it." Each pulse means that the
# door went from open to shut, or back.
#
# In three to five sentences: what does their experiment show, and what does it not
# show? What would you predict for the sensor, and why? Name **one change** to their
# cell that keeps its training time, and one experiment that would decide it.
#
# === BEGIN MARK SCHEME ===
# 1 point: it shows speed and loss on that task, that data and that length; nothing
# about tasks in which a bit must be turned round, nor about longer streams than in
# training. (Bonus word, no point: was the search the same, how many seeds?)
#
# 1 point: the door is parity of the pulses; positive factors keep or shrink a state and
# cannot turn its sign, so it will fail on long streams, even if short ones are learned.
#
# 1 point: factors in (-1, 1), still a scan with the same cost (a matrix with negative
# eigenvalues counts, too; "add the state to the gate" loses the scan: half a point),
# and an experiment that tries it on streams much longer than those trained on, several
# seeds, against the LSTM.
# === END MARK SCHEME ===

# %% [markdown] slide="slide"
# ## What to take home
#
# - Which part of an LSTM is needed depends on the task. It shows on *long* sequences,
#   with a fair search and several seeds.
# - Coupled gates mix and cannot count far; without a forget gate it is hard to start
#   afresh.
# - Take the state out of gate and candidate, and the recurrence is **linear**: pieces
#   can be put together in any grouping, so all states come in about $2 \log_2 T$
#   levels.
# - Its gradient is a scan as well.
# - Depth is not time. And a positive factor turns no bit round; a negative one does.
# - A matrix memory is attention with a fixed room. A look back gives up the fixed room.

# %% [markdown] slide="notes"
# Close with the question of the beginning: "in ten years, will people still train
# LSTMs?" And with notebook 11: "your scan trains, the loss falls. How do you know that
# it is right?"

# %% [markdown]
# ## Papers
#
# - K. Greff, R. Srivastava, J. Koutník, B. Steunebrink and J. Schmidhuber (2017),
#   *LSTM: a search space odyssey*, arXiv 1503.04069.
# - K. Cho et al. (2014), arXiv 1406.1078: the GRU.
# - G. Weiss, Y. Goldberg and E. Yahav (2018), *On the practical computational power of
#   finite precision RNNs for language recognition*, arXiv 1805.04908: who can count.
# - L. Feng et al. (2024), *Were RNNs all we needed?*, arXiv 2410.01201: minGRU and
#   minLSTM.
# - G. Blelloch (1990), *Prefix sums and their applications*: the two sweeps.
# - Y. Sarrof, Y. Veitsman and M. Hahn (2024), *The expressive capacity of state space
#   models: a formal language perspective*, arXiv 2405.17394.
# - R. Grazzi et al. (2024), *Unlocking state-tracking in linear RNNs through negative
#   eigenvalues*, arXiv 2411.12537.
# - M. Beck et al. (2024), *xLSTM: extended long short-term memory*, arXiv 2405.04517.
# - A. Katharopoulos et al. (2020), *Transformers are RNNs: fast autoregressive
#   transformers with linear attention*, arXiv 2006.16236.
# - D. Bahdanau, K. Cho and Y. Bengio (2015), *Neural machine translation by jointly
#   learning to align and translate*, arXiv 1409.0473: the look back.

# %% [markdown]
# ### If you want to go on
#
# - Give `learn` factors from −0.5, from −0.9 and from −1 to 1. Which of them are right at
#   bit 40? Make that 40 an argument: how far do those get?
# - Write `min_gru_forward` with your scan, and its way back; then let it learn the
#   adding problem of 04.
# - How many pairs can a matrix memory with $K = 8$ hold before the answers mix? Draw
#   keys at random and measure.
