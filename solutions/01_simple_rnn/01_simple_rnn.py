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
# - predict a class from the last state, and say how wrong the prediction was;
# - measure how long the last state remembers the first word.
#
# Time: 60 to 75 minutes. You need notebook 00 and matrix products.

# %% given="imports"
import numpy as np

# %%
from autograder import check, hint
from rnncourse import claim, explorer, show
from rnncourse import figures_01 as figures
from rnncourse.data import sentiment_sentences, tokens

# %% [markdown] slide="slide"
# ## Why order needs a memory
#
# **Before you run the next cell**: is there any function of the *numbers of words*
# (how many "dog", how many "man", …) that tells these two sentences apart?
#
# - the dog bites the man
# - the man bites the dog

# %% slide="fragment"
from collections import Counter

dog, man = tokens("the dog bites the man"), tokens("the man bites the dog")
same_counts = Counter(dog) == Counter(man)
same_counts

# %% [markdown] slide="fragment"
# No function can: it gets the same numbers twice.
# Whoever wants to tell them apart has to read *in order*,
# and to remember what came before.

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
# Here $E$ is random; later it is learned.

# %%
rng = np.random.default_rng(1)
film = tokens("the film was not good")
vocabulary = sorted(set(film))
E = rng.normal(size=(4, len(vocabulary)))  # D = 4, V = 5

one_hot = np.zeros(len(vocabulary))
one_hot[vocabulary.index("good")] = 1
assert np.array_equal(E @ one_hot, E[:, vocabulary.index("good")]), "(1.1) does not hold"

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
# **Before you run the next cell**, take a calculator and find $s_1, s_2, s_3$ for the
# inputs $1, 0, 0$. Then for $0, 0, 1$: same numbers, another order.
# Which of the two sentences ends with the greater state?


# %% slide="subslide"
def three_steps(inputs):
    s = 0.0
    for x in inputs:
        s = np.tanh(0.5 * s + 1.0 * x)  # (1.2)
        print(f"x = {x}   s = {s:.3f}")


three_steps([1, 0, 0])
print()
three_steps([0, 0, 1])

# %% [markdown] slide="fragment"
# By hand: $\tanh 1 = 0.762$, $\tanh 0.381 = 0.363$, $\tanh 0.182 = 0.180$.
# The second ends with $0.762$. Order matters now, and what was read long ago counts
# for less: remember that.

# %% [markdown] slide="slide"
# ## The same step as one product
#
# Put $W^{s,s}$ and $W^{s,x}$ side by side and stack $s_{t-1}$ on $x_t$:
#
# $$W^{s,s} s_{t-1} + W^{s,x} x_t =
# \begin{bmatrix} W^{s,s} & W^{s,x} \end{bmatrix}
# \begin{bmatrix} s_{t-1} \\ x_t \end{bmatrix} \tag{1.3}$$
#
# So a step is an ordinary layer whose input is "state and word".

# %%
weights = {"ss": 0.5 * rng.normal(size=(3, 3)), "sx": 0.5 * rng.normal(size=(3, 4))}
old_state, word = rng.uniform(-1, 1, size=3), film_xs[0]

side_by_side = np.hstack([weights["ss"], weights["sx"]])
stacked = np.concatenate([old_state, word])
apart = weights["ss"] @ old_state + weights["sx"] @ word
assert np.allclose(side_by_side @ stacked, apart), "(1.3) does not hold"

# %% [markdown] slide="slide"
# ## Step 3: many sentences are columns
#
# A matrix product treats every column by itself:
#
# $$W \begin{bmatrix} a & b \end{bmatrix} =
# \begin{bmatrix} Wa & Wb \end{bmatrix} \tag{1.4}$$
#
# Put the current words of $N$ sentences side by side, $x_t$ of shape $(D, N)$,
# and their states too, $(H, N)$: then (1.2) computes $N$ steps at once,
# **as it stands**.

# %%
two_states, two_words = rng.uniform(-1, 1, size=(3, 2)), rng.normal(size=(4, 2))
both = np.tanh(weights["ss"] @ two_states + weights["sx"] @ two_words)
for n in range(2):
    alone = np.tanh(weights["ss"] @ two_states[:, n] + weights["sx"] @ two_words[:, n])
    assert np.allclose(both[:, n], alone), "(1.4) does not hold"

# %% [markdown] slide="subslide"
# ### Exercise: one step
#
# ```python
# rnn_step(x_t, s_prev, W) -> s_t          # (D, N), (H, N), dict -> (H, N)
# ```
#
# Write (1.2) for a batch: every array has one column per sequence.
#
# Stuck? `hint(rnn_step)` gives the idea, called again the shapes,
# and again a first line. Hints cost nothing.


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

# %% [markdown] slide="slide"
# ## What a step does to the old state
#
# Nudge the old state and keep the word. The chain rule,
# with $\tanh' = 1 - \tanh^2$ from notebook 00, gives the matrix of all $H \times H$
# derivatives:
#
# $$\frac{\partial s_t}{\partial s_{t-1}} =
# \operatorname{diag}\left(1 - s_t \odot s_t\right) W^{s,s} \tag{1.5}$$
#
# $\odot$ multiplies number by number. Each row of $W^{s,s}$ is scaled by a factor
# between 0 and 1. Where a unit is nearly $\pm 1$, the factor is nearly 0:
# **a saturated unit has stopped listening to the past.**

# %%
step = lambda s: np.tanh(weights["ss"] @ s + weights["sx"] @ word)
eps = 1e-6
nudged = [step(old_state + eps * e) - step(old_state - eps * e) for e in np.eye(3)]
numeric = np.stack(nudged, axis=1) / (2 * eps)  # one column per nudged unit
jacobian = np.diag(1 - step(old_state) ** 2) @ weights["ss"]
assert np.allclose(numeric, jacobian, atol=1e-8), "(1.5) does not hold"

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
# It is a network as deep as the sentence is long, with the **same two matrices** in
# every layer.

# %% slide="subslide" hide_input=true
show(
    figures.unrolled(film),
    alt="The network unrolled over 'the film was not good': from s0 an arrow with W "
    "ss leads to s1, s2 and so on to s5, and each word comes in from below by the "
    "same W sx.",
)

# %% [markdown] slide="fragment"
# **Before you read on**: with $H = 3$ and $D = 4$, how many numbers does the network
# learn for sentences of 5 words? And of 500?

# %% [markdown] slide="fragment"
# $3 \cdot 3 + 3 \cdot 4 = 21$, for both. The sentence's length does not enter.

# %% [markdown] slide="notes"
# Ask: "how many parameters?" The usual wrong answer multiplies by the length. Then:
# "what would go wrong if each position had matrices of its own?"
# A word learned in place 3 would be unknown in place 4,
# and no sentence could be longer than the longest seen.

# %%
s1 = np.tanh(weights["ss"] @ np.zeros(3) + weights["sx"] @ film_xs[0])
s2 = np.tanh(weights["ss"] @ s1 + weights["sx"] @ film_xs[1])

inner = np.tanh(weights["sx"] @ film_xs[0])  # with s0 = 0
nested = np.tanh(weights["ss"] @ inner + weights["sx"] @ film_xs[1])
assert np.allclose(s2, nested), "(1.6) does not hold"

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
    T, H = len(xs), len(s0)
    states = np.zeros((T, H))
    s_t = s0
    for t in range(T):
        s_t = np.ravel(rnn_step(xs[t][:, None], s_t[:, None], W))
        states[t] = s_t
    return states
    ### END SOLUTION


# %% check="rnn_forward"
check(rnn_forward)

# %% [markdown] slide="slide"
# ## A sentence seen by an untrained network
#
# Twelve units, random weights. Each column is the state after one word:
# blue is $-1$, red is $+1$.
#
# **Before you run the next cell**: the two sentences share their last three words.
# Will their last columns be equal, alike, or unrelated?

# %% needs="rnn_forward"
short = tokens("what a lovely film it was not good")
both_words = sorted(set(short) | set(film))
small_E = np.random.default_rng(2).normal(size=(8, len(both_words)))
small_rng = np.random.default_rng(3)
small = {
    "ss": 0.9 * small_rng.normal(size=(12, 12)) / np.sqrt(12),
    "sx": small_rng.normal(size=(12, 8)) / np.sqrt(8),
}
vectors = lambda words: np.stack([small_E[:, both_words.index(w)] for w in words])
states_a = rnn_forward(vectors(film), np.zeros(12), small)
states_b = rnn_forward(vectors(short), np.zeros(12), small)

# %% slide="subslide" needs="rnn_forward" hide_input=true
show(
    figures.two_sentences(states_a, film, states_b, short),
    alt="Two heat maps of states, one column per word. The sentences differ at first; "
    "over their common end 'was not good' the columns become more and more alike.",
)

# %% needs="rnn_forward"
gap = np.linalg.norm(states_a[-3:] - states_b[-3:], axis=1)
print("distance after 'was', 'not', 'good':", gap.round(3))
assert gap[0] > gap[1] > gap[2] > 0, "the two sentences' states do not come nearer"

# %% [markdown] slide="fragment"
# Alike: over the common end the two states approach each other,
# and do not quite meet. What came before is being overwritten.

# %% [markdown] slide="notes"
# Let the room vote: equal, alike, unrelated.
# Many say equal ("the last word decides") and some say unrelated ("chaos").
# It is worth saying that the weights are random:
# nothing has been learned, and the network already has a short memory.

# %% [markdown] slide="slide"
# ## Explore: word by word
#
# Step through a sentence, and replace its first word.
# The lower map is the difference that this one word makes.
# Press *next word* a few times before you move the two sliders:
# what makes the difference last longer?

# %% slide="subslide" hide_input=true
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
    figures.first_word_changed(with_the, with_loved, the, "loved"),
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

# %% [markdown] slide="slide"
# ## What a tanh overwrites
#
# The last state is all that the network keeps of a sentence: its **summary**.
# What is left in it of the first word?
#
# Measure it. Read a sentence twice, the second time with another first word,
# and call the difference of the two states $\delta_t$.
# While it is small, (1.5) carries it on:
#
# $$\delta_t \approx
# \operatorname{diag}\left(1 - s_t \odot s_t\right) W^{s,s}\, \delta_{t-1} \tag{1.8}$$
#
# Every word multiplies it by such a matrix once more.
# (While it is large, an average slope between 0 and 1 stands in the place of
# $1 - s_t^2$.)

# %%
tiny = 1e-5 * rng.normal(size=3)
carried = step(old_state + tiny) - step(old_state)
predicted = np.diag(1 - step(old_state) ** 2) @ weights["ss"] @ tiny
assert np.allclose(carried, predicted, rtol=1e-3), "(1.8) does not hold"

# %% [markdown] slide="subslide"
# ### Prediction
#
# We read 200 random sentences of 16 words twice each.
# **Before you run the next cells**:
#
# 1. Does the difference fade in a straight line, or by a factor per word?
# 2. The network has $H = 16$ units. Does the difference last longer with $H = 256$?
# 3. What if the words speak twice as loud, $2 x_t$ for $x_t$?


# %%
def difference_left(H, recurrent=0.9, loudness=1.0, T=16, D=16, N=200):
    """(T, N) share left of the difference that another first word makes."""
    r = np.random.default_rng(0)
    W = {  # divided by the root of H, a sum of H terms has the same size for every H
        "ss": recurrent * r.normal(size=(H, H)) / np.sqrt(H),
        "sx": r.normal(size=(H, D)) / np.sqrt(D),
    }
    xs = loudness * r.normal(size=(T, D, N))
    changed = xs.copy()
    changed[0] = loudness * r.normal(size=(D, N))  # another first word
    zero = np.zeros((H, N))
    gap = rnn_forward_batch(changed, zero, W) - rnn_forward_batch(xs, zero, W)
    size = np.linalg.norm(gap, axis=1)
    return size / size[0]


# %% slide="subslide" needs="rnn_forward_batch" hide_input=true
runs = {
    "H = 16": difference_left(16),
    "H = 256": difference_left(256),
    "H = 256, words twice as loud": difference_left(256, loudness=2.0),
}
show(
    figures.fading(runs),
    alt="On a logarithmic axis the difference made by the first word falls nearly in "
    "a straight line: by a factor per word. The lines for 16 and 256 units nearly "
    "coincide; with louder words the difference falls faster.",
)

# %% needs="rnn_forward_batch"
few_units, many_units, loud = (float(np.median(ratio[8])) for ratio in runs.values())
claim(
    "after eight words less than a twentieth is left, of 16 units and of 256",
    max(few_units, many_units) < 0.05,
    f"{few_units:.4f} and {many_units:.4f}",
)
claim("with louder words it is less than half of that", loud < many_units / 2, f"{loud:.4f}")

# %% [markdown] slide="fragment"
# 1. By a factor per word: a straight line on this logarithmic axis.
# 2. Hardly. More units are more numbers, and every one of them is overwritten at
#    every word.
# 3. Louder words push the units towards $\pm 1$, the factors $1 - s_t^2$ towards 0,
#    and the past fades faster.

# %% [markdown] slide="notes"
# The usual wrong answer to 2 is "a larger state remembers longer":
# people think of a tape. The usual wrong answer to 3 is "louder,
# so the first word lasts longer too". Somebody will ask for larger recurrent weights:
# let them try it in the explorer. The next cell of the notebook measures it:
# three times as strong, nothing fades. Do not call that memory yet;
# what can be read from the state comes later.

# %% [markdown]
# In the explorer you saw both forces: a stronger $W^{s,s}$ lets the difference last,
# louder words end it sooner. How far does the first force go?

# %% needs="rnn_forward_batch"
strong = np.median(difference_left(64, recurrent=3.0), axis=1)
claim(
    "at least 0.8 is left at every word",
    strong.min() > 0.8,
    f"after 1, 4 and 15 words {strong[[1, 4, 15]].round(2).tolist()}",
)

# %% [markdown]
# With recurrent weights more than three times as strong the difference does not fade
# at all. But so it is with every difference that any word makes:
# the state depends on all of them at once. Whether the first word can be *read* from
# such a state is another question, and we come to it.

# %% [markdown] slide="slide"
# ## Step 5: a prediction from the last state
#
# We want to know which of $C$ classes a sentence belongs to:
# negative or positive, say. A matrix $W^{y,s}$ of shape $(C, H)$ gives one **score**
# per class from the last state:
#
# $$z = W^{y,s} s_T \tag{1.9}$$
#
# The **softmax** turns scores into probabilities: positive, and summing to one.
#
# $$p_c = \frac{e^{z_c}}{\sum_{k=1}^{C} e^{z_k}} \tag{1.10}$$

# %% [markdown] slide="slide"
# ## Only differences of scores count
#
# Subtract the same number $m$ from all scores.
# Above and below the fraction line appears the same factor $e^{-m}$, so
#
# $$\frac{e^{z_c - m}}{\sum_k e^{z_k - m}} = \frac{e^{z_c}}{\sum_k e^{z_k}} \tag{1.11}$$
#
# **Before you run the next cell**: what does (1.10) give for the scores $1000$ and
# $999$, typed in as it stands? What should it give?

# %% slide="subslide"
z = np.array([1000.0, 999.0])
with np.errstate(over="ignore", invalid="ignore"):
    typed_in = np.exp(z) / np.exp(z).sum()
shifted = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
print("as it stands:", typed_in, "  shifted by the greatest score:", shifted.round(3))

# %% [markdown] slide="fragment"
# $e^{1000}$ is too large for a float, and `inf / inf` is not a number.
# Shifted by the greatest score, no exponent is positive:
# nothing can overflow, and the answer is that for the scores $1$ and $0$.

# %%
small_scores = rng.normal(size=4)
soft = lambda z: np.exp(z) / np.exp(z).sum()
assert np.allclose(soft(small_scores), soft(small_scores - 2.7)), "(1.11) does not hold"
assert np.allclose(shifted, soft(np.array([1.0, 0.0]))), "the shift changed the probabilities"

# %% [markdown]
# For two classes the softmax is the sigmoid of notebook 00,
# of the difference of the scores:
#
# $$p_1 = \frac{e^{z_1}}{e^{z_1} + e^{z_2}} =
# \frac{1}{1 + e^{-(z_1 - z_2)}} \tag{1.12}$$

# %%
z1, z2 = rng.normal(size=2)
assert np.isclose(soft([z1, z2])[0], 1 / (1 + np.exp(-(z1 - z2)))), "(1.12) does not hold"

# %% [markdown] slide="subslide"
# ### Exercise: predict
#
# ```python
# predict(s_last, W) -> probabilities      # (H, N), dict -> (C, N)
# ```
#
# Write (1.9) and (1.10) for a batch, so that no score can make it overflow.
# Each column is a sequence of its own, with its own greatest score.


# %% exercise="predict" points=3
def predict(s_last: np.ndarray, W: dict) -> np.ndarray:
    """Class probabilities from the last state, equations (1.9) to (1.11).

    Args:
        s_last: (H, N) the last state of each sequence, one column per sequence.
        W: "ys" (C, H) from state to scores; other keys are not used here.

    Returns:
        probabilities: (C, N), each column sums to one, however large the scores are.
    """
    ### BEGIN SOLUTION
    scores = W["ys"] @ s_last
    shifted = scores - scores.max(axis=0, keepdims=True)
    exponentials = np.exp(shifted)
    return exponentials / exponentials.sum(axis=0, keepdims=True)
    ### END SOLUTION


# %% check="predict"
check(predict)

# %% [markdown] slide="slide"
# ## Step 6: how wrong was it?
#
# Let `labels[n]` be the class of sequence $n$:
# a whole number from $0$ to $C - 1$, counted as Python counts.
# The prediction gave it the probability $p_{\text{label}}$. The **cross-entropy** is
#
# $$L = -\frac1N \sum_{n=1}^{N} \log p^{(n)}_{\text{label of } n} \tag{1.13}$$
#
# In this course the loss is the **mean** over the $N$ sequences, not their sum.
# So it does not grow with the batch, and every gradient below carries a factor $1/N$.

# %% [markdown] slide="fragment"
# **Before you look at the figure**: what does a network that has no idea pay,
# with 4 classes?

# %% slide="subslide" hide_input=true
show(
    figures.cost_of_a_label(4),
    alt="The cost -log p falls from infinity at probability 0 to 0 at probability 1. "
    "A network that gives each of 4 classes a quarter pays log 4 = 1.386.",
)

# %% [markdown] slide="fragment"
# A quarter for each class costs $\log 4 = 1.386$:
# the first number to expect of an untrained network.
# Being sure and right costs nearly nothing; sure and wrong costs without bound.

# %% [markdown] slide="notes"
# Ask: "your loss starts at 20 with 4 classes; what do you check first?"
# The usual wrong answer is the learning rate.
# The start-up loss should be near log C, whatever the learning rate:
# check the scores' size and the labels first.

# %%
on_paper = np.array([[0.7, 0.1], [0.2, 0.3], [0.1, 0.6]])  # C = 3, N = 2
by_hand = -(np.log(0.7) + np.log(0.3)) / 2  # labels 0 and 1
assert np.isclose(by_hand, 0.780, atol=1e-3), "by hand it is .780"
assert np.isclose(by_hand, -np.log(on_paper[[0, 1], [0, 1]]).mean()), "(1.13) does not hold"

# %% [markdown] slide="subslide"
# ### Exercise: cross-entropy
#
# ```python
# cross_entropy(probabilities, labels) -> loss    # (C, N), (N,) -> one number
# ```
#
# Write (1.13): the **mean** over the sequences.
# Pick each sequence's probability with two indices,
# the row of its label and its own column.


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
# ## Step 7: the error signal
#
# Which way should the scores $z$ of one sequence move?
# Put (1.10) into its loss $\ell = -\log p_{\text{label}}$:
#
# $$\ell = -z_{\text{label}} + \log \sum_{k} e^{z_k} \tag{1.14}$$
#
# The first term falls by one when the label's score rises by one.
# The derivative of the second by $z_c$ is $e^{z_c} / \sum_k e^{z_k}$, which is $p_c$.
# Together:
#
# $$\frac{\partial \ell}{\partial z_c} = p_c - [\,c = \text{label}\,] \tag{1.15}$$
#
# The bracket is 1 where it is true, else 0. **Predicted minus true**:
# that is the error signal.

# %%
scores, label = rng.normal(size=3), 2
cost = lambda z: -np.log(soft(z)[label])
assert np.isclose(cost(scores), -scores[label] + np.log(np.exp(scores).sum())), "(1.14) does not hold"

nudged = [cost(scores + eps * e) - cost(scores - eps * e) for e in np.eye(3)]
numeric = np.array(nudged) / (2 * eps)
error = soft(scores) - (np.arange(3) == label)
assert np.allclose(numeric, error, atol=1e-8), "(1.15) does not hold"
error.round(3)

# %% [markdown] slide="fragment"
# **Before you go on**: what do the entries of the error signal sum to?

# %% [markdown] slide="fragment"
# To zero: probabilities sum to one, and so does the truth.
# What one class gains, the others lose.

# %% [markdown] slide="slide"
# ## From the scores to the weights
#
# Write $dz$ for the gradient of the loss $L$ by the scores, (C, N):
# (1.15) in every column, divided by $N$ because $L$ is a mean.
# Since $z = W^{y,s} s_T$, the gradients by the two factors are
#
# $$dW^{y,s} = dz\; s_T^{\top}, \qquad ds_T = (W^{y,s})^{\top} dz \tag{1.16}$$
#
# The first one teaches $W^{y,s}$. The second one is what the last state hears of the
# error. How it travels on into the past, to $W^{s,s}$ and $W^{s,x}$, is notebook 02.

# %% needs="predict cross_entropy"
last, truth = rng.normal(size=(3, 5)), np.array([0, 1, 1, 3, 2])  # H = 3, N = 5
readout = rng.normal(size=(4, 3))  # C = 4
loss_of = lambda W_ys, s: cross_entropy(predict(s, {"ys": W_ys}), truth)
dz = (predict(last, {"ys": readout}) - (np.arange(4)[:, None] == truth)) / 5
for gradient, value, loss in [
    (dz @ last.T, readout, lambda v: loss_of(v, last)),
    (readout.T @ dz, last, lambda v: loss_of(readout, v)),
]:
    direction = rng.normal(size=value.shape)
    slope = (loss(value + eps * direction) - loss(value - eps * direction)) / (2 * eps)
    assert np.isclose(slope, (gradient * direction).sum(), atol=1e-8), "(1.16) does not hold"

# %% [markdown]
# The cell nudges all entries at once, along a random direction:
# two evaluations test a whole gradient. Where such a test fails,
# one looks entry by entry, as in notebook 00.

# %% [markdown] slide="slide"
# ## What can be read off the last state?
#
# The recurrent weights stay random. Only $W^{y,s}$ learns, by (1.16).
#
# Task: the first word of a sentence is one of two, the words after it are random.
# From the last state, say which of the two it was.
#
# **Before you run the next cell**: in a sentence of how many words does guessing
# begin?


# %%
def train_readout(features, labels, rate=0.3, updates=300):
    """Learn W["ys"] for two classes by gradient descent, (1.15) and (1.16)."""
    W = {"ys": np.zeros((2, len(features)))}
    for _ in range(updates):
        dz = predict(features, W)
        dz[labels, np.arange(len(labels))] -= 1
        W["ys"] -= rate * (dz / len(labels)) @ features.T
    return W


def share_right(features, labels, W):
    """The share of sequences whose label got the greater probability."""
    return np.mean(predict(features, W).argmax(axis=0) == labels)


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
    W_read = train_readout(s_last[:, :600], ids[0, :600])
    return share_right(s_last[:, 600:], ids[0, 600:], W_read)


# %% slide="subslide" needs="rnn_forward_batch predict" hide_input=true
lengths = [1, 2, 3, 4, 5, 6, 8, 12]
read = np.array([[first_word_read(T, seed) for T in lengths] for seed in range(5)])
show(
    figures.first_word(lengths, read),
    alt="Accuracy of reading the first word off the last state against the sentence's "
    "length, for five seeds: nearly perfect up to three words, and at the level of "
    "guessing from eight words on.",
)

# %% needs="rnn_forward_batch predict"
few_words, many_words = read[:, :3].min(), read[:, 6:].max()
claim(
    "in every network more than 0.9 is right up to three words, less than 0.65 from eight on",
    few_words > 0.9 and many_words < 0.65,
    f"at least {few_words:.2f}, and at most {many_words:.2f}",
)

# %% [markdown] slide="fragment"
# With one to three words nearly always right; from about eight words on it is
# guessing. The difference that the first word made is still there,
# but it has shrunk below what the other words do to the state.

# %% needs="rnn_forward_batch predict"
stronger = [first_word_read(12, seed, recurrent=3.0) for seed in range(12)]
claim(
    "the median of twelve networks lies between 0.55 and 0.8",
    0.55 < np.median(stronger) < 0.8,
    f"{np.median(stronger):.2f}, and the twelve from {min(stronger):.2f} to {max(stronger):.2f}",
)

# %% [markdown]
# And the recurrent weights that let no difference fade?
# After 12 words the first one is read right more often than by guessing,
# and still wrong about one time in three, in some networks more and in some less: it is
# lost among the differences that all
# the other words made, which do not fade either.
# To keep *one* thing and let go of others takes more than strong weights:
# notebook 04.

# %% [markdown] slide="notes"
# Collect guesses for the length first; most are far too large.
# Somebody will object that a readout with more precision could find the difference.
# It is a good objection: no noise is added here, the information is there in
# principle. A linear readout learned from 600 examples does not find it among the
# other words' traces. That is what counts in practice.

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
cut = 3 * len(chosen) // 4  # learn from three quarters, measure on the rest
print(len(chosen), "sentences,", cut, "to learn from")

# %% [markdown]
# The vocabulary: every word that occurs twice among the sentences to learn from.
# All other words share place 0, "unknown".

# %%
learn = [tokens(sentences.texts[n]) for n in chosen[:cut]]
counts = Counter(word for words in learn for word in words)
known = [word for word, count in counts.items() if count > 1]
place = {word: i for i, word in enumerate(known, start=1)}


def encode(words, dictionary, T=25):
    """(T, D) a sentence with zero vectors in front, as (1.7) allows."""
    xs = np.zeros((T, len(dictionary)))
    xs[T - len(words) :] = dictionary[:, [place.get(word, 0) for word in words]].T
    return xs


# %% [markdown] slide="subslide"
# ### Prediction
#
# The network is untrained: random embeddings, random recurrent weights,
# and only $W^{y,s}$ learns from these sentences.
# Order these three by their accuracy on new sentences:
#
# - read the **last state**;
# - read the **mean of all states**;
# - read the **mean of the word vectors**, with no recurrent network at all.


# %%
def three_readouts(seed, D=200, H=200):
    """Accuracy of the three readouts on new sentences, for one seed."""
    r = np.random.default_rng(seed)
    dictionary = r.normal(size=(D, len(place) + 1))
    W = {
        "ss": 0.9 * r.normal(size=(H, H)) / np.sqrt(H),
        "sx": r.normal(size=(H, D)) / np.sqrt(D),
    }
    columns = [encode(tokens(sentences.texts[n]), dictionary) for n in chosen]
    xs = np.stack(columns, axis=2)  # (T, D, N)
    states = rnn_forward_batch(xs, np.zeros((H, len(chosen))), W)
    words = lengths_in_words[chosen]
    found = {}
    for name, f in [
        ("last state", states[-1]),
        ("mean of all states", states.sum(axis=0) / words),
        ("mean of the words", xs.sum(axis=0) / words),
    ]:
        f = f / np.sqrt(np.mean(f[:, :cut] ** 2))  # one scale for one learning rate
        W_read = train_readout(f[:, :cut], sentiment[:cut], rate=0.1)
        found[name] = share_right(f[:, cut:], sentiment[cut:], W_read)
    return found


# %% slide="subslide" needs="rnn_forward_batch predict" hide_input=true
by_seed = [three_readouts(seed) for seed in range(5)]
measured = {name: [run[name] for run in by_seed] for name in by_seed[0]}
means = {name: f"{np.mean(values):.2f}" for name, values in measured.items()}
show(
    figures.accuracies(measured, 0.5, f"{len(chosen)} sentences, 5 seeds"),
    alt=f"Accuracy on new sentences, mean of five seeds: {means}; guessing is 0.5.",
)

# %% needs="rnn_forward_batch predict"
if sentences.real:
    last, words = measured["last state"], measured["mean of the words"]
    claim("the last state beats guessing in every network", min(last) > 0.55, f"at least {min(last):.2f}")
    ahead = min(np.subtract(words, last))
    claim("the mean of the words beats it in every network", ahead > 0, f"by at least {ahead:.2f}")

# %% [markdown] slide="fragment"
# The last state of an untrained network beats guessing,
# and is beaten by no network at all. A sentence's mood sits in single words,
# wherever they stand; the last state mostly knows the last ones.
# A network whose recurrent weights **learn** can decide what to keep:
# that begins in notebook 02.
#
# (Without the real sentences the figure shows a handful of our own:
# far too few to conclude anything.)

# %% [markdown] slide="notes"
# The usual order people give is: last state first, "because it has read everything".
# Say the honest thing about the winner: a bag of words is a strong baseline for
# sentiment and stays one in notebook 07, where the networks are trained.

# %% [markdown] written="wider_state" points=2
# ### In your own words
#
# A colleague says: "The last state forgets the first word because it is too small.
# Give it 1,000 units and it will remember."
#
# Explain in two or three sentences, with (1.8), why more units (of weights scaled as
# above) do not keep the first word's trace from fading.
#
# === BEGIN MARK SCHEME ===
# 1 point: at every step the whole difference is multiplied by diag(1 - s_t²) W_ss;
# this repeated factor, once per word, makes it fade (by a factor per word).
# 1 point: more units make the vector longer but not the factor larger:
# every unit is overwritten at every step, none is set aside. (Equally good:
# the measured curves for H = 16 and H = 256.) Right and no loss:
# that a wider state gives a readout more to work with; that larger weights,
# not more units, would change the factor.
# === END MARK SCHEME ===

# %% [markdown] slide="slide"
# ## Recap
#
# - A sentence is `xs`, $(T, D)$ or $(T, D, N)$: time first, one column per sentence.
# - One step: $s_t = \tanh(W^{s,s} s_{t-1} + W^{s,x} x_t)$;
#   the same two matrices at every word.
# - The last state is the summary; softmax of $W^{y,s} s_T$ is the prediction.
# - The loss is the **mean** cross-entropy; its error signal is predicted minus true,
#   over $N$.
# - Every word overwrites every unit: an early word's trace fades by a factor per
#   word.
#
# Next: how the error signal travels back through time and teaches $W^{s,s}$ and
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
