# %% [markdown] slide="slide"
# # 01 · The simple recurrent network
#
# How a network reads a sentence: one word at a time,
# with a state that each word overwrites.

# %% [markdown] slide="slide"
# ## What you will be able to do
#
# - turn a sentence into an array of vectors, one per word;
# - write one step of a recurrent network, and unroll it over a sentence and over a
#   batch;
# - predict a class from the last state, say how wrong that was, and **find** which way
#   the prediction should move;
# - measure how long the last state remembers the first word;
# - build a step that nobody showed you.
#
# **Time**: {time}. The place to stop is marked.

# %% given="imports"
import numpy as np

# %%
from autograder import check, guess, hint, progress, recall, reveal, show_derivation
from rnncourse import claim, explorer, figures_01, show
from rnncourse.cells import step_through
from rnncourse.data import sentiment_sentences, tokens

# %% [markdown]
# You need notebook 00, matrix products, and that a logarithm turns a product into a
# sum. All symbols stand in a table [at the end of notebook
# 00](../00_start_here/00_start_here.ipynb#All-symbols-of-the-course). `hint(rnn_step)`
# gives one hint at a time, for any exercise; `progress()` says where you are.
#
# ### Three minutes of recall
#
# Answer from memory: write in the place of the three dots, then run the cell.

# %% recall="01.r1"
# The matrix W["sx"] has the shape (5, 3). How many numbers has an input, and how many a state?
recall("01.r1", input=3, state=5)

# %% [markdown] answer="01.r1"
# `"sx"` reads *to s, from x*: $(H, D)$. It takes columns of $D = 3$ numbers and makes
# columns of $H = 5$.

# %% recall="01.r2"
# A tanh has put out -0.9. How steep is it there?
recall("01.r2", slope=0.19)

# %% [markdown] answer="01.r2"
# You found it from the output alone, as `tanh_grad`: the sign does not matter, and near
# $-1$ and $1$ the curve is flat.

# %% recall="01.r3"
# sigmoid(z) is 0.9. What is sigmoid(-z)?
recall("01.r3", other_side=0.1)

# %% [markdown] answer="01.r3"
# $\sigma(-z) = 1 - \sigma(z)$: what is open on one side is closed on the other.

# %% recall="01.r4"
# A derived gradient is exactly the measured one with the wrong sign. The relative error?
recall("01.r4", relative_error=1)

# %% [markdown] answer="01.r4"
# $\lVert a - (-a) \rVert = 2 \lVert a \rVert$, over
# $\lVert a \rVert + \lVert a \rVert$. It is never larger.

# %% [markdown] slide="slide"
# ## Why order needs a memory
#
# - the dog bites the man
# - the man bites the dog
#
# Somebody counts words: how many "dog", how many "man", and so on. Is there any
# function of these **numbers of words**, as clever as you like, that tells the two
# sentences apart?

# %% guess="01.1"
guess("01.1", told_apart="no", choices=("yes", "no"))

# %% [markdown] answer="01.1" slide="fragment"
# No function can: it gets the same numbers twice.
# Whoever wants to tell them apart
# has to use the *order*: to read word by word, say, and to remember what came before.

# %%
from collections import Counter

dog, man = tokens("the dog bites the man"), tokens("the man bites the dog")
print(Counter(dog))
print(Counter(man))

# %% [markdown] slide="notes"
# Ask the room: "could a clever enough classifier on word counts do it?"
# The usual wrong answer is "yes, a deep one". Depth does not help:
# its input is identical. A second question: "and counts of word pairs?"
# Those can, for this pair of sentences; let the room find two sentences that pairs
# cannot tell apart.

# %% [markdown] slide="slide"
# ## Step 1: a word becomes a vector
#
# Number the $V$ words of a vocabulary. Word $w$ is first a **one-hot** column $e_w$:
# $V$ numbers, all zero but a one in place $w$.
#
# A matrix $E$ of shape $(D, V)$ turns it into a short column of $D$ numbers:
#
# $$x = E\, e_w = \text{column } w \text{ of } E \tag{1.1}$$
#
# The column is called the word's **embedding**.
# Here $E$ is random; in later notebooks it is learned.

# %%
rng = np.random.default_rng(1)
film = tokens("the film was not good")
vocabulary = sorted(set(film))
E = rng.normal(size=(4, len(vocabulary)))  # D = 4, V = 5

one_hot = np.zeros(len(vocabulary))
one_hot[vocabulary.index("good")] = 1
assert np.array_equal(E @ one_hot, E[:, vocabulary.index("good")]), "(1.1) does not hold"
"(1.1) holds"

# %% [markdown] slide="slide"
# ## A sentence is an array, time first
#
# Nobody multiplies by one-hot columns: picking column $w$ gives the same.
# A sentence of $T$ words is the array `xs` of shape $(T, D)$: `xs[t]` is one word.
#
# Mind the two ways to count. On paper the first word is $x_1$;
# in Python it is `xs[0]`.

# %% slide="fragment"
film_xs = np.stack([E[:, vocabulary.index(word)] for word in film])
film_xs.shape  # T = 5 words, D = 4 numbers each

# %% [markdown] slide="slide"
# ## Step 2: one step
#
# The network keeps a **state** $s$, a column of $H$ numbers.
# Each word makes a new one from the old one:
#
# $$s_t = \tanh\left(W^{s,s} s_{t-1} + W^{s,x} x_t\right) \tag{1.2}$$
#
# $W^{s,s}$ is $(H, H)$ and carries the state on; $W^{s,x}$ is $(H, D)$ and lets the
# word in. In code they are `W["ss"]` and `W["sx"]`: the superscripts are the keys.
#
# $\tanh$ acts on each number by itself and keeps it between $-1$ and $1$.

# %% [markdown] slide="notes"
# Ask the room: "what is the shape of each of the two products?"
# Both (H,), else they could not be added. The usual wrong answer gives the second one
# the shape (D,). Read the superscripts aloud as "to s, from x":
# the first letter is where the arrow ends.

# %% [markdown] slide="slide"
# ## On paper
#
# Let every size be one: $W^{s,s} = 0.5$, $W^{s,x} = 1$, $s_0 = 0$.
#
# Take a calculator. The inputs are $1, 0, 0$: what is the last state, $s_3$?
# Then $0, 0, 1$: the same numbers in another order. What is $s_3$ now?

# %% guess="01.2"
# Three digits behind the point will do.
guess("01.2", one_first=0.180, one_last=0.762)

# %% [markdown] answer="01.2" slide="fragment"
# $\tanh 1 = 0.762$, $\tanh 0.381 = 0.363$, $\tanh 0.182 = 0.180$. In the other order
# nothing happens until the last step, and $s_3 = 0.762$. Order matters now, and here
# what was read long ago counts for less.


# %% hide_input=true
def three_steps(inputs):
    s = 0.0
    for x in inputs:
        s = np.tanh(0.5 * s + 1.0 * x)  # (1.2)
        print(f"x = {x}   s = {s:.3f}")


three_steps([1, 0, 0])
print()
three_steps([0, 0, 1])

# %% [markdown] slide="slide"
# ## Step 3: many sentences are columns
#
# A matrix product treats every column by itself:
#
# $$M \begin{bmatrix} a & b \end{bmatrix} =
# \begin{bmatrix} Ma & Mb \end{bmatrix} \tag{1.3}$$
#
# Put the current words of $N$ sentences side by side, $x_t$ of shape $(D, N)$,
# and their states too, $(H, N)$: then (1.2) computes $N$ steps at once,
# **as it stands**.

# %%
M, columns = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
one_by_one = [M @ columns[:, 0], M @ columns[:, 1]]
assert np.allclose(M @ columns, np.stack(one_by_one, axis=1)), "(1.3) does not hold"
"(1.3) holds"

# %% [markdown] slide="subslide"
# ### Exercise: one step
#
# ```python
# rnn_step(x_t, s_prev, W) -> s_t          # (D, N), (H, N), dict -> (H, N)
# ```
#
# Write (1.2) for a batch: every array has one column per sequence.


# %% exercise="rnn_step" points=4
def rnn_step(x_t: np.ndarray, s_prev: np.ndarray, W: dict) -> np.ndarray:
    """One step of the simple recurrent network, equation (1.2).

    Args:
        x_t: (D, N) input at this time, one column per sequence.
        s_prev: (H, N) state before it.
        W: "ss" (H, H) from state to state, "sx" (H, D) from input to state.

    Returns:
        s_t: (H, N) state after it.
    """
    ### BEGIN SOLUTION
    from_state = W["ss"] @ s_prev
    from_input = W["sx"] @ x_t
    s_t = np.tanh(from_state + from_input)
    return s_t
    ### END SOLUTION


# %% check="rnn_step"
check(rnn_step)

# %% [markdown]
# A small network to measure with, here and below: $H = 3$, one word, and your step.

# %% needs="rnn_step"
weights = {"ss": 0.5 * rng.normal(size=(3, 3)), "sx": 0.5 * rng.normal(size=(3, 4))}
old_state, word = rng.uniform(-1, 1, size=3), film_xs[0]
step = lambda s: rnn_step(word[:, None], s[:, None], weights)[:, 0]
print(step(old_state).round(3))

# %% [markdown] extra=true
# ### Extra: the same step as one product
#
# Put $W^{s,s}$ and $W^{s,x}$ side by side and stack $s_{t-1}$ on $x_t$:
#
# $$W^{s,s} s_{t-1} + W^{s,x} x_t =
# \begin{bmatrix} W^{s,s} & W^{s,x} \end{bmatrix}
# \begin{bmatrix} s_{t-1} \\ x_t \end{bmatrix} \tag{1.4}$$
#
# So a step is an ordinary layer whose input is "state and word".

# %%
side_by_side = np.hstack([weights["ss"], weights["sx"]])
stacked = np.concatenate([old_state, word])
apart = weights["ss"] @ old_state + weights["sx"] @ word
assert np.allclose(side_by_side @ stacked, apart), "(1.4) does not hold"
"(1.4) holds"

# %% [markdown] slide="slide"
# ## What a step does to the old state
#
# Nudge one unit of the old state and keep the word. How fast does each unit of the new
# state move? These slopes are a matrix, the **Jacobian** of the step:
#
# $$(J_t)_{ij} = \frac{\partial\, s_{t,i}}{\partial\, s_{t-1,j}} \tag{1.5}$$
#
# One unit, $W^{s,s} = 0.5$. Whatever the word and the old state were, the new state
# came out as $s_t = 0.8$. How fast does it move with $s_{t-1}$? And had it come out as
# $0.99$?

# %% guess="01.3"
# The chain rule, and what you found in notebook 00.
guess("01.3", came_out_as_08=0.18, came_out_as_099=0.00995)

# %% [markdown] answer="01.3" slide="fragment"
# The tanh was as steep as its output says: $0.36$ at $0.8$ and $0.0199$ at $0.99$. Each
# times $0.5$.
#
# A **saturated** unit hardly listens to the past any more.

# %% [markdown]
# With your step, measured: the small network, one unit of the old state nudged at a
# time. Each column belongs to one nudged unit.

# %% needs="rnn_step"
eps = 1e-6
nudged = [step(old_state + eps * e) - step(old_state - eps * e) for e in np.eye(3)]
J = np.stack(nudged, axis=1) / (2 * eps)
print(J.round(3))

# %% [markdown] slide="slide"
# ## Step 4: unroll
#
# Apply the step to every word, each time from the state just made:
#
# $$\begin{aligned}
# s_2 &= \tanh\big(W^{s,s} s_1 + W^{s,x} x_2\big) \\
# &= \tanh\big(W^{s,s} \tanh(W^{s,s} s_0 + W^{s,x} x_1) + W^{s,x} x_2\big)
# \end{aligned} \tag{1.6}$$
#
# and so on: $s_3$ from $s_2$, up to $s_T$.
#
# It is a network as deep as the sentence is long.

# %% [markdown] slide="subslide"
# ### How much is there to learn?
#
# With $H = 3$ and $D = 4$: how many numbers stand in the network's matrices, when
# it reads sentences of 5 words? And of 500 words?

# %% guess="01.4"
guess("01.4", with_5_words=21, with_500_words=21)

# %% [markdown] answer="01.4" slide="fragment"
# $3 \cdot 3 + 3 \cdot 4 = 21$, for both: it is the **same two matrices** at every
# word. The sentence's length does not enter.

# %% [markdown] slide="notes"
# Ask: "how many parameters?" The usual wrong answer multiplies by the length. Then:
# "what would go wrong if each position had matrices of its own?"
# A word learned in place 3 would be unknown in place 4,
# and no sentence could be longer than the longest seen.

# %% [markdown] slide="subslide"
# ### Unrolled over a sentence
#
# From left to right the state, from below the words. Which arrows carry the same matrix?
# (What happens to the last state is step 5.)

# %% slide="fragment" hide_input=true
show(
    figures_01.unrolled(film),
    alt="The network unrolled over 'the film was not good': from the state s0 an arrow "
    "with W ss leads to a tanh, and each word comes in from below by W sx; what the tanh "
    "puts out is s1, then s2 and so on to s5. All five steps have the same two matrices. "
    "From s5 an arrow with W ys leads to the softmax and the prediction p.",
)

# %% [markdown] slide="subslide"
# ### The same with numbers
#
# Two units, two numbers a word. Where does the state of one word go at the next?

# %% slide="-" hide_input=true
step_through("simple", film)

# %% [markdown] slide="subslide"
# ### Exercise: one sequence
#
# ```python
# rnn_forward(xs, s0, W) -> states         # (T, D), (H,), dict -> (T, H)
# ```
#
# Read one sequence from the initial state $s_0$ and return **all** states after it:
# `states[0]` is $s_1$, the state after the first word.
# $s_0$ itself is not among them.
#
# Your loop may call your own `rnn_step`. A vector is a column: `xs[t][:, None]` is
# $(D, 1)$, a batch of one. (Written with `@`, your step takes a vector $(D,)$ as well.)


# %% exercise="rnn_forward" points=4
def rnn_forward(xs: np.ndarray, s0: np.ndarray, W: dict) -> np.ndarray:
    """Read one sequence, equation (1.6), and return every state.

    Args:
        xs: (T, D) the inputs, one row per time step; xs[t] is a vector (D,).
        s0: (H,) the state before the first input.
        W: "ss" (H, H) from state to state, "sx" (H, D) from input to state.

    Returns:
        states: (T, H); states[t] is the state after xs[t].
    """
    ### BEGIN SOLUTION
    T, D, H = len(xs), len(xs[0]), len(s0)
    states = np.zeros((T, *s0.shape))
    s_t = s0
    for t in range(T):
        # A vector goes in as one column; what consists of columns stays as it is.
        s_t = rnn_step(xs[t].reshape(D, -1), s_t.reshape(H, -1), W).reshape(s0.shape)
        states[t] = s_t
    return states
    ### END SOLUTION


# %% check="rnn_forward"
check(rnn_forward)

# %% needs="rnn_step rnn_forward" hide_input=true
one_unit, two_inputs = {"ss": np.array([[0.5]]), "sx": np.array([[1.0]])}, np.array([[0.3], [-0.7]])
nested = np.tanh(0.5 * np.tanh(0.5 * 0.2 + 0.3) - 0.7)
assert np.isclose(rnn_forward(two_inputs, np.array([0.2]), one_unit)[1, 0], nested), "(1.6) does not hold"
print("(1.6) holds")

# %% [markdown] slide="slide"
# ## A sentence seen by an untrained network
#
# Twelve units, random weights. Each column is the state after one word:
# blue is $-1$, orange is $+1$.
#
# - the film **was not good**
# - what a lovely film it **was not good**
#
# They share their last three words. Will their last columns be equal, alike, or
# unrelated?

# %% guess="01.5"
guess("01.5", last_columns="alike", choices=("equal", "alike", "unrelated"))

# %% needs="rnn_forward"
lovely = tokens("what a lovely film it was not good")
both_words = sorted(set(lovely) | set(film))
small_E = np.random.default_rng(2).normal(size=(8, len(both_words)))
small_rng = np.random.default_rng(3)
small = {
    "ss": 0.9 * small_rng.normal(size=(12, 12)) / np.sqrt(12),
    "sx": small_rng.normal(size=(12, 8)) / np.sqrt(8),
}
vectors = lambda words: np.stack([small_E[:, both_words.index(w)] for w in words])
states_a = rnn_forward(vectors(film), np.zeros(12), small)
states_b = rnn_forward(vectors(lovely), np.zeros(12), small)

# %% [markdown] slide="subslide"
# ### The two sentences, word by word
#
# Equal ends stand below each other. Compare column by column, from "was" on.

# %% slide="fragment" needs="rnn_forward" hide_input=true
show(
    figures_01.two_sentences(states_a, film, states_b, lovely),
    alt="Two heat maps of states, one column per word. The sentences differ at first; "
    "over their common end 'was not good' the columns become more and more alike.",
)

# %% needs="rnn_forward" hide_input=true
gap = np.linalg.norm(states_a[-3:] - states_b[-3:], axis=1)
assert gap[0] > gap[1] > gap[2] > 0, "the two sentences' states do not come nearer"
print("distance after 'was', 'not', 'good':", gap.round(3))

# %%
reveal("01.5")

# %% [markdown] answer="01.5" sealed=true slide="fragment"
# **Alike.** Over the common end the two states approach each other,
# and do not quite meet. What came before is being overwritten.

# %% [markdown] slide="notes"
# Let the room vote: equal, alike, unrelated.
# Many say equal ("the last word decides") and some say unrelated ("chaos").
# It is worth saying that the weights are random:
# nothing has been learned, and the network already has a short memory.

# %% [markdown] slide="slide"
# ## Explore: word by word
#
# Step through a sentence. The lower map is what another first word changes. Then move
# the two sliders, one at a time: what does each do to the time that the difference
# lasts?

# %% slide="-" hide_input=true
play_sentences = [
    tokens("not all that I saw was good"),
    tokens("the film we never loved was not bad in the end"),
    tokens("good it was not"),
]
play_words = sorted({word for words in play_sentences for word in words})
play_rng = np.random.default_rng(4)
play = explorer(
    "sentence_states",
    {
        "words": play_words,
        "inputs": play_rng.normal(size=(len(play_words), 12)).tolist(),
        "W_ss": (play_rng.normal(size=(12, 12)) / np.sqrt(12)).tolist(),
        "sentences": play_sentences,
    },
    alt="A heat map of the states of a sentence, stepped word by word, above the map "
    "of the difference made by another first word; sliders for the strength of W ss "
    "and of the words.",
)
play

# %% guess="01.6"
guess("01.6", stronger_W_ss="longer", louder_words="shorter", choices=("longer", "shorter"))

# %% [markdown] answer="01.6" slide="subslide"
# ### Two forces
#
# A stronger $W^{s,s}$ hands more of the old state on. Louder words push the units
# towards $\pm 1$, where they have stopped listening, and the past is gone sooner.

# %% [markdown]
# The same without a slider: the second sentence, read from its first word "the" and
# from "loved".

# %% needs="rnn_forward" hide_input=true
play_weights = {"ss": 0.9 * np.array(play.data["W_ss"]), "sx": np.eye(12)}
inputs = np.array(play.data["inputs"])
the, loved = play_sentences[1], ["loved", *play_sentences[1][1:]]
rows = lambda words: inputs[[play_words.index(word) for word in words]]
with_the = rnn_forward(rows(the), np.zeros(12), play_weights)
with_loved = rnn_forward(rows(loved), np.zeros(12), play_weights)
show(
    figures_01.first_word_changed(with_the, with_loved, the, "loved"),
    alt="Two heat maps: the states of 'the film we never loved was not bad in the "
    "end', and the difference when the first word is 'loved'. It is strong at first "
    "and pale at the end.",
)

# %% [markdown] slide="subslide"
# ### Exercise: a batch of sequences
#
# ```python
# rnn_forward_batch(xs, s0, W) -> states   # (T, D, N), (H, N), dict -> (T, H, N)
# ```
#
# Now $N$ sequences of the same length at once: `xs[t]` has the shape $(D, N)$.
# Each sequence has its own initial state, its own column of `s0`.
#
# Before you write: which lines of your `rnn_forward` know that there was *one*
# sequence? Each of them has to change. Perhaps none does: by (1.3) a step written with
# `@` takes vectors and columns alike. Then the new function may call the old one, and
# your work here is to say why that is right.


# %% exercise="rnn_forward_batch" points=3
def rnn_forward_batch(xs: np.ndarray, s0: np.ndarray, W: dict) -> np.ndarray:
    """Read N sequences of the same length at once and return every state.

    Args:
        xs: (T, D, N) the inputs, time first; xs[t] is one column per sequence.
        s0: (H, N) the states before the first input, one column per sequence.
        W: "ss" (H, H) from state to state, "sx" (H, D) from input to state.

    Returns:
        states: (T, H, N); states[t] are the states after xs[t].
    """
    ### BEGIN SOLUTION
    T, N = xs.shape[0], xs.shape[2]
    H = len(s0)
    states = np.zeros((T, H, N))
    s_t = s0
    for t in range(T):
        s_t = rnn_step(xs[t], s_t, W)
        states[t] = s_t
    return states
    ### END SOLUTION


# %% check="rnn_forward_batch"
check(rnn_forward_batch)

# %% [markdown]
# ### Sentences of different length
#
# Real sentences differ in length; an array does not.
# We put **zero vectors in front** of the shorter ones.
# With $s_0 = 0$ that changes nothing at all, because
#
# $$\tanh\left(W^{s,s}\, 0 + W^{s,x}\, 0\right) = 0 \tag{1.7}$$
#
# The state waits at zero until the first word arrives.

# %% needs="rnn_forward_batch rnn_forward"
padded = np.concatenate([np.zeros((3, 4)), film_xs])[:, :, None]  # (T, D, 1)
waited = rnn_forward_batch(padded, np.zeros((3, 1)), weights)
assert not waited[:3].any(), "(1.7) does not hold"
assert np.allclose(waited[3:, :, 0], rnn_forward(film_xs, np.zeros(3), weights)), (
    "the padding changed the states"
)
"(1.7) holds, and the states after it are the same"

# %% [markdown] sitting=2
# > **A place to stop.** You have a network that reads. What follows is what it remembers, and what
# > can be said of a sentence from its last state. When you come back: run the cells above.

# %% [markdown] slide="slide"
# ## What a tanh overwrites
#
# The last state is all that the network keeps of a sentence: its **summary**.
# What is left in it of the first word?
#
# Measure it. Read a sentence twice, the second time with another first word,
# and call the difference of the two states $\Delta s_t$.
# While it is small, the Jacobian (1.5) carries it on, from word to word:
#
# $$\Delta s_t \approx J_t\, \Delta s_{t-1} \tag{1.8}$$
#
# Where the two states are far apart it is not so simple: a tanh is not straight.

# %% needs="rnn_step"
tiny = 1e-5 * rng.normal(size=3)
carried = step(old_state + tiny) - step(old_state)
assert np.allclose(carried, J @ tiny, rtol=1e-3), "(1.8) does not hold"
"(1.8) holds"

# %% [markdown] slide="subslide"
# ### How fast does it fade?
#
# We read 200 random sentences of 16 words, each twice. The network has $H = 16$ units,
# then $H = 256$; its random weights are $0.9 / \sqrt{H}$ large.
#
# 1. Does the difference get smaller by the same amount at every word, or by the same factor?
# 2. With 256 units, does it last longer?

# %% guess="01.7"
guess(
    "01.7",
    at_every_word="the same factor",
    with_256_units="about as long",
    choices={
        "at_every_word": ("the same amount", "the same factor"),
        "with_256_units": ("longer", "about as long", "shorter"),
    },
)


# %%
def difference_left(H, recurrent=0.9, loudness=1.0, T=16, D=16, N=200):
    """(T, N) share left of the difference that another first word makes."""
    r = np.random.default_rng(0)
    W = {
        "ss": recurrent * r.normal(size=(H, H)) / np.sqrt(H),
        "sx": r.normal(size=(H, D)) / np.sqrt(D),
    }
    xs = loudness * r.normal(size=(T, D, N))
    changed = xs.copy()
    changed[0] = loudness * r.normal(size=(D, N))  # another first word
    zero = np.zeros((H, N))
    difference = rnn_forward_batch(changed, zero, W) - rnn_forward_batch(xs, zero, W)
    size = np.linalg.norm(difference, axis=1)
    return size / size[0]


# %% [markdown] slide="subslide"
# ### What is left of the first word
#
# Median and middle 80 % of the 200 sentences. The vertical axis counts in powers of
# ten: each line is a tenth of the one above. Which kind of shrinking is straight there?

# %% slide="fragment" needs="rnn_forward_batch" hide_input=true
runs = {
    "H = 16": difference_left(16),
    "H = 256": difference_left(256),
    "H = 256, words twice as loud": difference_left(256, loudness=2.0),
}
show(
    figures_01.fading(runs),
    alt="On a logarithmic axis the difference made by the first word falls nearly in "
    "a straight line: by a factor per word. The lines for 16 and 256 units nearly "
    "coincide; with louder words the difference falls faster.",
)

# %% needs="rnn_forward_batch" hide_input=true
few_units, many_units, loud = (float(np.median(ratio[-1])) for ratio in runs.values())
claim(
    "at the end less than a hundredth is left, of 16 units and of 256",
    max(few_units, many_units) < 0.01,
    f"{few_units:.0e} and {many_units:.0e}",
)
claim("with louder words it is less than half of that", loud < many_units / 2, f"{loud:.0e}")

# %%
reveal("01.7")

# %% [markdown] answer="01.7" sealed=true slide="subslide"
# ### By a factor per word
#
# 1. A factor: a straight line on this axis. Every word multiplies the difference by a
#    matrix such as $J_t$ once more.
# 2. About as long. More units are more numbers, and every one of them is overwritten at
#    every word. Divided by $\sqrt{H}$, a sum of $H$ random terms has the same size for
#    every $H$.
#
# (Louder words: the slopes in $J_t$ are nearer to 0, and the past fades faster.)

# %% [markdown] slide="notes"
# The usual wrong answer to 2 is "a larger state remembers longer":
# people think of a tape. Somebody will ask for larger recurrent weights:
# let them try it in the explorer. The next question of the notebook measures it:
# more than three times as strong, nothing fades. Do not call that memory yet;
# what can be read from the state comes later.

# %% [markdown] slide="slide"
# ## Step 5: a prediction from the last state
#
# We want to know which of $C$ classes a sentence belongs to:
# negative or positive, say. A matrix $W^{y,s}$ of shape $(C, H)$ gives one **logit**
# per class from the last state, a number of any size:
#
# $$z = W^{y,s} s_T \tag{1.9}$$
#
# The **softmax** turns logits into probabilities: positive, and summing to one.
#
# $$p_c = \frac{e^{z_c}}{\sum_{k=1}^{C} e^{z_k}} \tag{1.10}$$

# %% [markdown] slide="slide"
# ## Only differences of logits count
#
# Subtract the same number $m$ from all logits.
# Above and below the fraction line appears the same factor $e^{-m}$, so
#
# $$\frac{e^{z_c - m}}{\sum_k e^{z_k - m}} = \frac{e^{z_c}}{\sum_k e^{z_k}} \tag{1.11}$$
#
# Two logits, $1000$ and $999$: as they stand, the exponential of either is too large
# for a float. What is right for the first class, to two digits? And what does the code
# give when $m = 2000$ is subtracted from both?

# %% guess="01.8"
guess("01.8", right="0.73", with_2000="nan", choices=("0", "0.50", "0.73", "1", "inf", "nan"))

# %% [markdown] answer="01.8" slide="fragment"
# Right is what the logits $1$ and $0$ give, or $0$ and $-1$: $1 / (1 + e^{-1}) = 0.73$.
# With $m = 2000$ nothing is too large, but both exponentials are an exact 0, and
# `0 / 0` is `nan`. With which $m$ is no exponent positive, and one of them 0?

# %%
z_1, z_2, z_3 = rng.normal(size=3)
whole = np.exp(z_1) + np.exp(z_2) + np.exp(z_3)
moved = np.exp(z_1 - 2.7) + np.exp(z_2 - 2.7) + np.exp(z_3 - 2.7)
assert np.isclose(np.exp(z_1 - 2.7) / moved, np.exp(z_1) / whole), "(1.11) does not hold"
"(1.11) holds"

# %% [markdown] slide="subslide"
# ### Exercise: predict
#
# ```python
# predict(s_last, W) -> probabilities      # (H, N), dict -> (C, N)
# ```
#
# Write (1.9) and (1.10) for a batch, so that no logit can make it overflow.
# Each column is a sequence of its own.


# %% exercise="predict" points=3
def predict(s_last: np.ndarray, W: dict) -> np.ndarray:
    """Class probabilities from the last state, equations (1.9) to (1.11).

    Args:
        s_last: (H, N) the last state of each sequence, one column per sequence.
        W: "ys" (C, H) from state to logits; other keys are not used here.

    Returns:
        probabilities: (C, N), each column sums to one, however large the logits are.
    """
    ### BEGIN SOLUTION
    logits = W["ys"] @ s_last
    shifted = logits - logits.max(axis=0, keepdims=True)
    exponentials = np.exp(shifted)
    return exponentials / exponentials.sum(axis=0, keepdims=True)
    ### END SOLUTION


# %% check="predict"
check(predict)

# %% [markdown] extra=true
# ### Extra: two classes
#
# For two classes the softmax is the sigmoid of notebook 00,
# of the difference of the logits:
#
# $$p_1 = \frac{e^{z_1}}{e^{z_1} + e^{z_2}} =
# \frac{1}{1 + e^{-(z_1 - z_2)}} \tag{1.12}$$

# %%
of_two = np.exp(z_1) / (np.exp(z_1) + np.exp(z_2))
assert np.isclose(of_two, 1 / (1 + np.exp(-(z_1 - z_2)))), "(1.12) does not hold"
"(1.12) holds"

# %% [markdown] slide="slide"
# ## Step 6: how wrong was it?
#
# Let $y_n$, in code `labels[n]`, be the class of sequence $n$:
# a whole number from $0$ to $C - 1$, counted as Python counts.
# The prediction gave it the probability $p_{y_n, n}$. The **cross-entropy** is
#
# $$L = -\frac1N \sum_{n=1}^{N} \log p_{y_n, n} \tag{1.13}$$
#
# In this course the loss is the **mean** over the $N$ sequences, not their sum:
# it does not grow with the batch.

# %% [markdown] slide="subslide"
# ### On paper
#
# 1. Two sequences. Their right classes got the probabilities $0.7$ and $0.3$.
#    What is $L$?
# 2. Four classes, and a network that has no idea: it gives each of them the same. What is $L$?
#
# ($\log 0.7 = -0.357$, $\log 0.3 = -1.204$, $\log 2 = 0.693$.)

# %% guess="01.9"
guess("01.9", two_sequences=0.780, no_idea=1.386)

# %% [markdown] answer="01.9" slide="fragment"
# $(0.357 + 1.204) / 2 = 0.780$. And $-\log \frac14 = \log 4 = 1.386$: about the first
# number to expect of an untrained network. Being sure and right costs nearly nothing;
# sure and wrong costs without bound.

# %% [markdown] slide="subslide"
# ### What one sequence pays
#
# Against the probability that its class got. The dot is the network that has no idea.
# Where does it get expensive?

# %% slide="fragment" hide_input=true
show(
    figures_01.cost_of_a_label(4),
    alt="The cost -log p falls from infinity at probability 0 to 0 at probability 1. "
    "A network that gives each of 4 classes a quarter pays log 4 = 1.386.",
)

# %% [markdown] slide="notes"
# Ask: "your loss starts at 20 with 4 classes; what do you check first?"
# The usual wrong answer is the learning rate.
# The start-up loss should be near log C, whatever the learning rate:
# check the logits' size and the labels first.

# %% [markdown] slide="subslide"
# ### Exercise: cross-entropy
#
# ```python
# cross_entropy(probabilities, labels) -> loss    # (C, N), (N,) -> one number
# ```
#
# Write (1.13): the **mean** over the sequences.
# Each sequence needs one entry of its column: that in the row of its label.


# %% exercise="cross_entropy" points=3
def cross_entropy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean cross-entropy of a batch of predictions, equation (1.13).

    Args:
        probabilities: (C, N), one column per sequence; no label has probability 0.
        labels: (N,) integers from 0 to C - 1, the class of each sequence.

    Returns:
        loss: one number, the mean over the N sequences.
    """
    ### BEGIN SOLUTION
    N = len(labels)
    chosen = probabilities[labels, np.arange(N)]
    losses = -np.log(chosen)
    return losses.mean()
    ### END SOLUTION


# %% check="cross_entropy"
check(cross_entropy)

# %% [markdown] slide="slide"
# ## Step 7: which way should the logits move?
#
# Put (1.10) into the loss of one sequence with label $y$:
#
# $$\ell = -\log p_y = -z_y + \log \sum_{k} e^{z_k} \tag{1.14}$$
#
# Nudge one logit $z_c$. How fast does $\ell$ move?
#
# This formula is not in the notebook. You find it.

# %% needs="predict"
logits, label = rng.normal(size=3), 2
p = predict(logits[:, None], {"ys": np.eye(3)})[:, 0]
by_14 = -logits[label] + np.log(np.exp(logits).sum())
assert np.isclose(-np.log(p[label]), by_14), "(1.14) does not hold"
"(1.14) holds"

# %% [markdown] slide="subslide"
# ### Three classes, with numbers
#
# $p = (0.6, 0.3, 0.1)$, and the label is $y = 2$: counted from 0, the third class.
#
# (1.14) has two terms. In the first stands one logit. In the second stand all of them:
# what is its derivative by $z_c$ called?
#
# How fast does $\ell$ move with each of the three logits? And what do the three add up
# to?

# %% guess="01.10"
guess("01.10", z_0=0.6, z_1=0.3, z_2=-0.9, their_sum=0)

# %% [markdown] answer="01.10" slide="fragment"
# Every logit stands in the second term; one of them in the first as well. They add up
# to 0: raising all logits alike changes nothing, (1.11).

# %% [markdown]
# The referee, measured with your own functions: five classes, two sequences, every
# logit nudged by itself. One row per class. (The loss is the mean over the two
# sequences, so every slope holds a factor of one half.)

# %% needs="predict cross_entropy" hide_input=true
some_logits, truth = np.random.default_rng(3).normal(size=(5, 2)), np.array([1, 4])
loss_of = lambda z: cross_entropy(predict(z, {"ys": np.eye(5)}), truth)
slopes = np.zeros(some_logits.shape)
for place in np.ndindex(slopes.shape):
    nudge = np.zeros(slopes.shape)
    nudge[place] = 1e-5
    slopes[place] = (loss_of(some_logits + nudge) - loss_of(some_logits - nudge)) / 2e-5
for n in range(2):
    print(f"sequence {n}, label {truth[n]}: each logit, and how the loss moves with it")
    table = np.stack([some_logits[:, n], slopes[:, n]], axis=1)
    print(np.array2string(table, precision=3, suppress_small=True))

# %% [markdown]
# ### Exercise: the gradient by the logits
#
# ```python
# cross_entropy_grad(probabilities, labels) -> dz      # (C, N), (N,) -> (C, N)
# ```
#
# 1. One sequence: the derivative of each term of (1.14) by $z_c$, for the label's class and for
#    the others.
# 2. A batch: $L$ is a **mean** over $N$ sequences. What does that do to each entry?
#
# `check(cross_entropy_grad, stage="one sequence")` looks at the first of the two alone.
#
# You get the probabilities: the softmax need not be computed again. `dz` is the
# gradient by the logits, as `dW` is the one by `W`.


# %% exercise="cross_entropy_grad" points=4
def cross_entropy_grad(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Gradient of the mean cross-entropy (1.13) by the logits that the softmax was given.

    Args:
        probabilities: (C, N) what `predict` gave, one column per sequence.
        labels: (N,) integers from 0 to C - 1, the class of each sequence.

    Returns:
        dz: (C, N), how the loss moves with each logit of each sequence.
    """
    ### BEGIN SOLUTION
    N = len(labels)
    dz = probabilities.copy()
    dz[labels, np.arange(N)] -= 1  # (1.15)
    return dz / N
    ### END SOLUTION


# %% check="cross_entropy_grad"
check(cross_entropy_grad)

# %% [markdown] found="cross_entropy_grad" slide="slide"
# ## What you found: the gradient by the logits
#
# The first term of (1.14) has the derivative $-1$ by $z_y$ and 0 by the others. The
# second has $e^{z_c} / \sum_k e^{z_k}$, which is $p_c$. With the mean over $N$
# sequences
#
# $$\frac{\partial L}{\partial z_{c,n}} = \frac{1}{N}\big(p_{c,n} - [\,c = y_n\,]\big) \tag{1.15}$$
#
# The bracket is 1 where it is true, else 0. What the model said, minus what it should
# have said: raising a wrong class's logit costs as much as that class has already,
# raising the right one's gains what it still lacks to 1.

# %% found="cross_entropy_grad"
at_truth = (predict(some_logits, {"ys": np.eye(5)}) - np.eye(5)[truth].T) / 2
assert np.allclose(at_truth, slopes, atol=1e-8), "(1.15) does not hold"
"(1.15) holds"

# %% [markdown] slide="notes"
# Ask: "the model gives the right class .99. How large is the gradient?" About .01
# over N. Usual wrong answer: "1/p, so about 1". That is the gradient by the
# probability; the softmax stands in between.

# %% [markdown]
# Does it lead downhill? Let logits be numbers that may move freely, start them at 0,
# and go against your gradient, a small step at a time.

# %% needs="predict cross_entropy cross_entropy_grad"
free = np.zeros((4, 3))  # C = 4, N = 3
goal = np.array([2, 0, 3])
for update in range(41):
    said = predict(free, {"ys": np.eye(4)})
    if update % 20 == 0:
        print(f"{update:2d} updates: loss {cross_entropy(said, goal):.3f}")
    free -= 1.0 * cross_entropy_grad(said, goal)

# %% [markdown]
# From the logits the way goes on: to $W^{y,s}$, to the last state, and from it back
# through time to every word. You find it in notebook 02. Here the output weights are
# fitted in another way.

# %% [markdown] slide="slide"
# ## What can be read off the last state?
#
# The recurrent weights stay random. Only $W^{y,s}$ is fitted: so that the logits come
# as near as they can to $1$ for the right class and $-1$ for the other (least squares,
# which needs no gradient).
#
# The first word of a sentence is one of two, the words after it are random. From the
# last state, say which of the two it was.
#
# In sentences of how many words does this become guessing?

# %% guess="01.11"
guess("01.11", guessing_from="8 words", choices=("3 words", "8 words", "25 words", "100 words"))


# %%
def fit_readout(states, labels):
    """W["ys"] for two classes from states (H, N), by least squares."""
    wanted = 2 * np.eye(2)[labels] - 1  # (N, 2)
    return {"ys": np.linalg.lstsq(states.T, wanted, rcond=None)[0].T}


def share_right(states, labels, W):
    """The share of sequences whose label got the greater probability."""
    return np.mean(predict(states, W).argmax(axis=0) == labels)


# %%
def first_word_read(T, seed, recurrent=0.9, H=64, D=16, N=1000):
    """Accuracy, on 400 new sentences, of reading the first word off the last state."""
    r = np.random.default_rng(seed)
    W = {
        "ss": recurrent * r.normal(size=(H, H)) / np.sqrt(H),
        "sx": r.normal(size=(H, D)) / np.sqrt(D),
    }
    dictionary = r.normal(size=(D, 22))
    ids = r.integers(2, 22, size=(T, N))  # twenty words that mean nothing here
    ids[0] = r.integers(0, 2, size=N)  # the first word: number 0 or 1
    xs = dictionary[:, ids].transpose(1, 0, 2)  # (T, D, N)
    s_last = rnn_forward_batch(xs, np.zeros((H, N)), W)[-1]
    W_read = fit_readout(s_last[:, :600], ids[0, :600])
    return share_right(s_last[:, 600:], ids[0, 600:], W_read)


# %% [markdown] slide="subslide"
# ### The first word, read off the last state
#
# Five networks. At 1 every first word is read right, at 0.5 one might as well guess.
# Where does the fall begin, and where does it end?

# %% slide="fragment" needs="rnn_forward_batch predict" hide_input=true
lengths = [1, 2, 3, 4, 5, 6, 8, 12]
read = np.array([[first_word_read(T, seed) for T in lengths] for seed in range(5)])
show(
    figures_01.first_word(lengths, read),
    alt="Accuracy of reading the first word off the last state against the sentence's "
    "length, for five seeds: nearly perfect up to three words, and at the level of "
    "guessing from eight words on.",
)

# %% needs="rnn_forward_batch predict" hide_input=true
few_words, many_words = read[:, :3].min(), read[:, 6:].max()
claim(
    "in every network more than 0.9 is right up to three words, less than 0.65 from eight on",
    few_words > 0.9 and many_words < 0.65,
    f"at least {few_words:.2f}, and at most {many_words:.2f}",
)

# %%
reveal("01.11")

# %% [markdown] answer="01.11" sealed=true slide="fragment"
# **After about eight words: guessing.** Up to three words it is nearly always right.
# The difference that the first word made is still there after eight, but it has shrunk
# below what the other words do to the state.

# %% [markdown] slide="notes"
# Collect guesses for the length first; most are far too large.
# Somebody will object that a readout with more precision could find the difference.
# It is a good objection: no noise is added here, the information is there in
# principle. A linear readout fitted to 600 examples does not find it among the
# other words' traces. That is what counts in practice.

# %% [markdown] slide="subslide"
# ### And much stronger weights?
#
# Make $W^{s,s}$ more than three times as strong: standard deviation $3 / \sqrt{H}$ in
# place of $0.9 / \sqrt{H}$. Read sentences of **twelve** words.
#
# Is anything left of the difference that the first word made? And how well is the first
# word read off the last state?

# %% guess="01.12"
guess(
    "01.12",
    left_of_the_difference="about all of it",
    first_word_read="better than guessing",
    choices={
        "left_of_the_difference": ("hardly any", "about a tenth", "about all of it"),
        "first_word_read": ("no better than guessing", "better than guessing", "nearly always"),
    },
)

# %% needs="rnn_forward_batch predict" hide_input=true
strong = np.median(difference_left(64, recurrent=3.0), axis=1)
claim(
    "at least 0.8 of the difference is left at every word",
    strong.min() > 0.8,
    f"after 1, 4 and 15 words {strong[[1, 4, 15]].round(2).tolist()}",
)
stronger = [first_word_read(12, seed, recurrent=3.0) for seed in range(12)]
claim(
    "the median of twelve networks reads between 0.55 and 0.8 of the first words right",
    0.55 < np.median(stronger) < 0.8,
    f"{np.median(stronger):.2f}, and the twelve from {min(stronger):.2f} to {max(stronger):.2f}",
)

# %%
reveal("01.12")

# %% [markdown] answer="01.12" sealed=true slide="subslide"
# ### Nothing fades, and it is lost all the same
#
# The difference stays as large as it was, at every word. But so it is with the difference that
# *any* word makes: the state depends on all of them at once, and the first one is lost
# among the others. It is read right more often than by guessing, and wrong about one
# time in three; in some networks less often, in some more.
#
# To keep *one* thing and let go of others takes more than strong weights: notebook 04.

# %% [markdown] slide="slide"
# ## Real sentences
#
# People rated short messages from $-4$ (most negative) to $4$ (most positive);
# each rating is the mean over at least 20 of them (Hutto and Gilbert 2014).
#
# The next cell fetches them once. Without a network it says so,
# and goes on with a few sentences of our own.

# %% slide="fragment"
sentences = sentiment_sentences()
lengths_in_words = np.array([len(tokens(text)) for text in sentences.texts])
sentences.source

# %%
brief = np.flatnonzero((lengths_in_words >= 5) & (lengths_in_words <= 9))
ranked = brief[np.argsort(sentences.ratings[brief], kind="stable")]
for n in ranked[[len(ranked) // 10, len(ranked) // 3, -len(ranked) // 10]]:
    print(f"{sentences.ratings[n]:+.2f}  {sentences.texts[n]}")

# %% [markdown]
# As many clearly positive sentences (rated 1 or more) as clearly negative ones ($-1$
# or less): then guessing is right half of the time, and 0.5 is the number to beat.

# %%
shuffle = np.random.default_rng(1)
fits = (lengths_in_words >= 4) & (lengths_in_words <= 25)
positive = shuffle.permutation(np.flatnonzero(fits & (sentences.ratings >= 1)))
negative = shuffle.permutation(np.flatnonzero(fits & (sentences.ratings <= -1)))
each = min(len(positive), len(negative))
chosen = shuffle.permutation(np.concatenate([positive[:each], negative[:each]]))
sentiment = (sentences.ratings[chosen] > 0).astype(int)
cut = 3 * len(chosen) // 4  # fit to three quarters, measure on the rest
print(len(chosen), "sentences,", cut, "to fit to")

# %% [markdown]
# The vocabulary: every word that occurs twice among the sentences to fit to.
# All other words share place 0, "unknown".

# %%
learn = [tokens(sentences.texts[n]) for n in chosen[:cut]]
counts = Counter(word for words in learn for word in words)
known = [word for word, count in counts.items() if count > 1]
place_of = {word: i for i, word in enumerate(known, start=1)}


def encode(words, dictionary, T=25):
    """(T, D) a sentence with zero vectors in front, as (1.7) allows."""
    xs = np.zeros((T, len(dictionary)))
    xs[T - len(words) :] = dictionary[:, [place_of.get(word, 0) for word in words]].T
    return xs


# %% [markdown] slide="subslide"
# ### Three ways to read
#
# The network is untrained: random embeddings, random recurrent weights,
# and only $W^{y,s}$ is fitted to these sentences. It may read
#
# - the **last state**;
# - the **mean of all states**;
# - the **mean of the word vectors**, with no recurrent network at all.
#
# Which is best on new sentences, and which is worst?

# %% guess="01.13"
guess(
    "01.13",
    best="the words",
    worst="the last state",
    choices=("the last state", "all states", "the words"),
)


# %%
def three_readouts(seed, D=200, H=200):
    """Accuracy of the three readouts on new sentences, for one seed."""
    r = np.random.default_rng(seed)
    dictionary = r.normal(size=(D, len(place_of) + 1))
    W = {
        "ss": 0.9 * r.normal(size=(H, H)) / np.sqrt(H),
        "sx": r.normal(size=(H, D)) / np.sqrt(D),
    }
    columns = [encode(tokens(sentences.texts[n]), dictionary) for n in chosen]
    xs = np.stack(columns, axis=2)  # (T, D, N)
    states = rnn_forward_batch(xs, np.zeros((H, len(chosen))), W)
    words = lengths_in_words[chosen]
    seen = {
        "last state": states[-1],
        "mean of all states": states.sum(axis=0) / words,
        "mean of the words": xs.sum(axis=0) / words,
    }
    fitted = {name: fit_readout(f[:, :cut], sentiment[:cut]) for name, f in seen.items()}
    return {name: share_right(f[:, cut:], sentiment[cut:], fitted[name]) for name, f in seen.items()}


# %% [markdown] slide="subslide"
# ### Measured on new sentences
#
# A dot is a network with its own random weights, the bar is the mean of five. The
# dotted line is guessing.

# %% slide="fragment" needs="rnn_forward_batch predict" hide_input=true
by_seed = [three_readouts(seed) for seed in range(5)]
measured = {name: [run[name] for run in by_seed] for name in by_seed[0]}
means = ", ".join(f"{name} {np.mean(values):.2f}" for name, values in measured.items())
show(
    figures_01.accuracies(measured, 0.5, f"{len(chosen)} sentences, 5 seeds"),
    alt=f"Accuracy on new sentences, mean of five seeds: {means}; guessing is 0.5.",
)

# %% needs="rnn_forward_batch predict" hide_input=true
if sentences.real:
    last, words = measured["last state"], measured["mean of the words"]
    claim("the last state beats guessing in every network", min(last) > 0.55, f"at least {min(last):.2f}")
    ahead = min(np.subtract(words, last))
    claim("the mean of the words beats it in every network", ahead > 0, f"by at least {ahead:.2f}")
else:
    print("These are a handful of our own sentences: far too few to conclude anything.")

# %%
reveal("01.13")

# %% [markdown] answer="01.13" sealed=true slide="fragment"
# **The words alone do better.** The last state of an untrained network beats guessing,
# and is beaten by reading without any network. A sentence's mood sits in single words,
# wherever they stand; the last state mostly knows the last ones.
# A network whose recurrent weights **learn** can decide what to keep:
# that begins in notebook 02.

# %% [markdown] slide="notes"
# The usual order people give is: last state first, "because it has read everything".
# Say the honest thing about the winner: a bag of words is a strong baseline for
# sentiment and stays one in notebook 07, where the networks are trained.

# %% [markdown] slide="slide"
# ## A step nobody showed you
#
# No formula for this one stands anywhere above. Change the step in two places:
#
# - Each unit has a **bias**, a number of its own that is added before squashing, whatever word
#   and state are. All sequences share it: `W["sb"]` is $(H, 1)$.
# - In place of tanh stands the **softsign**: a number is divided by one more than its absolute
#   value.
#
# And for the way back you will want its slope. From which number can you get it, as you
# did for sigmoid and tanh?

# %% [markdown] slide="notes"
# Let them draw the softsign first: it looks like tanh and gets to its ends much more
# slowly. The usual slip in the slope: the sign of what is squashed. The curve is odd,
# so its slope is the same on both sides.

# %% [markdown]
# ### Exercise: a softsign step with a bias
#
# ```python
# softsign_step(x_t, s_prev, W) -> s_t, slope      # both (H, N)
# ```
#
# 1. The forward step, for a batch.
# 2. Of one unit: what is squashed is $a$, what comes out is $s$. For $a > 0$: how steep is the curve
#    at $a$? Write it with $s$ alone. For $a < 0$?
# 3. One case on paper: $a = 3$. What is $s$, and what the slope?
#
# `slope` holds, for every unit and sequence, how fast $s_t$ moves with what is
# squashed.


# %% exercise="softsign_step" points=5
def softsign_step(x_t: np.ndarray, s_prev: np.ndarray, W: dict) -> tuple[np.ndarray, np.ndarray]:
    """One step with a bias and the softsign in place of tanh, and how steep it was.

    Args:
        x_t: (D, N) input at this time, one column per sequence.
        s_prev: (H, N) state before it.
        W: "ss" (H, H) from state to state, "sx" (H, D) from input to state, "sb" (H, 1)
            the bias of each unit.

    Returns:
        s_t: (H, N) state after it.
        slope: (H, N), the derivative of each entry of s_t by what was squashed there.
    """
    ### BEGIN SOLUTION
    a_t = W["ss"] @ s_prev + W["sx"] @ x_t + W["sb"]
    s_t = a_t / (1 + np.abs(a_t))
    slope = (1 - np.abs(s_t)) ** 2  # (1.16)
    return s_t, slope
    ### END SOLUTION


# %% check="softsign_step"
check(softsign_step)

# %% [markdown]
# Your own referee: nudge the bias of one unit, and see how fast its state moves. The
# two lines must agree.

# %% needs="softsign_step"
biased = {**weights, "sb": np.array([[0.3], [-0.6], [0.1]])}
nudge = np.array([[0.0], [1e-6], [0.0]])
more, less = ({**biased, "sb": biased["sb"] + sign * nudge} for sign in (1, -1))
at = (rng.normal(size=(4, 2)), rng.uniform(-0.9, 0.9, size=(3, 2)))
moved = (softsign_step(*at, more)[0] - softsign_step(*at, less)[0]) / 2e-6
print("measured:", moved[1].round(6))
print("yours:   ", softsign_step(*at, biased)[1][1].round(6))

# %% [markdown] found="softsign_step" slide="subslide"
# ### What you found: the slope of the softsign
#
# For $a > 0$ it is $s = a / (1 + a)$, with the derivative $1 / (1 + a)^2$. What $s$
# lacks to 1 is $1 / (1 + a)$. On the other side the curve is the same, turned round. So
#
# $$\frac{d s}{d a} = \big(1 - |s|\big)^2 \tag{1.16}$$
#
# At $a = 3$: $s = \frac34$ and the slope is $\frac1{16}$.

# %% found="softsign_step"
a_line = np.linspace(-4, 4, 8)
soft = lambda a: a / (1 + np.abs(a))
numeric = (soft(a_line + 1e-6) - soft(a_line - 1e-6)) / 2e-6
assert np.allclose((1 - np.abs(soft(a_line))) ** 2, numeric, atol=1e-8), "(1.16) does not hold"
"(1.16) holds"

# %% [markdown] slide="slide"
# ## Which of them still listens?
#
# A unit is driven far out: what is squashed is $a = 10$. How steep is the softsign
# there? And is tanh steeper or flatter than that?

# %% guess="01.14"
# A number, then "steeper" or "flatter".
guess("01.14", softsign_slope=0.00826, tanh_is="flatter")

# %% [markdown] answer="01.14" slide="fragment"
# $s = \frac{10}{11}$, so the slope is $1 / 11^2 = 0.0083$. That of tanh is
# $8 \cdot 10^{-9}$: a million times flatter. A softsign unit saturates too, but is not
# as deaf.

# %% [markdown] written="padding_and_bias" points=2
# ### In your own words
#
# A colleague gives the network of this notebook a bias and keeps everything else: tanh,
# $s_0 = 0$, sentences of different length filled up to 25 words with zero vectors in
# front.
#
# What goes wrong, for which sentences most, and what would you do about it? Three or
# four sentences.
#
# === BEGIN MARK SCHEME ===
# 1 point: the state does not wait at zero any more: with zero input and zero state a step gives
# tanh(b), so the padding itself drives the state; the first word meets a state that depends
# on how much padding there was. Short sentences have most of it (their state has gone
# furthest, towards the state at which the padded steps end).
# 1 point: any remedy that works: start at the first real word (per sequence), keep the state
# at s_0 while the input is padding (a mask), leave the bias out of padded steps, or put
# sentences of one length into a batch. Right and no loss: that the harm may be small,
# because the words that follow overwrite it (the factor per word), or that padding
# behind instead of in front needs the last real state picked out.
# === END MARK SCHEME ===

# %% [markdown] slide="slide"
# ## Recap
#
# - A sentence is `xs`, $(T, D)$ or $(T, D, N)$: time first, one column per sentence.
# - One step: $s_t = \tanh(W^{s,s} s_{t-1} + W^{s,x} x_t)$;
#   the same two matrices at every word.
# - The last state is the summary; softmax of $W^{y,s} s_T$ is the prediction.
# - The loss is the **mean** cross-entropy; you found its gradient by the logits.
# - Every word overwrites every unit. With random weights of ordinary size an early word's trace
#   fades by a factor per word; with far larger ones it does not fade, and is lost among the
#   traces of all the others.
#
# Next: how the gradient travels back through time and teaches $W^{s,s}$ and
# $W^{s,x}$.

# %% [markdown] slide="slide"
# ## To read
#
# - J. L. Elman (1990), *Finding structure in time*, Cognitive Science 14:
#   the network of this notebook, and what its states learn about words.
# - D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986),
#   *Learning representations by back-propagating errors*, Nature 323:
#   the gradient that notebook 02 sends through time.
# - J. S. Bridle (1990), *Probabilistic interpretation of feedforward classification
#   network outputs*: where the softmax got its name.
# - C. J. Hutto and E. Gilbert (2014), *VADER:
#   a parsimonious rule-based model for sentiment analysis of social media text*,
#   ICWSM: the rated sentences.
