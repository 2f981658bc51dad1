# %% [markdown] slide="slide"
# # 00 · Start here
#
# How this course works, and two tools for all of it:
# a sigmoid that never fails, and a test for every gradient you will ever derive.

# %% [markdown] slide="slide"
# ## What you will be able to do
#
# - answer an exercise, have it checked, and ask for a hint;
# - read the notation of the whole course;
# - write the sigmoid so that no number is too large or too small for it;
# - get the slope of sigmoid and tanh from their *output*;
# - test a gradient by nudging, and choose the nudge.
#
# Time: 45 to 60 minutes. You need Python, NumPy arrays, and what a derivative is.

# %% given="imports"
import numpy as np

# %%
from autograder import check, hint
from rnncourse import explorer, show
from rnncourse import figures_00 as figures

# %% [markdown] slide="slide"
# ## How an exercise works
#
# An exercise is a cell with a function: its name, its arguments and its docstring
# stand there, its body is yours. The cell below it says `check(…)`.
#
# - Until you have written it, the check says "not answered yet".
# - It tells what is right, what is wrong first, and which mistake it looks like.
# - It asks what you return, not how you write it. Loops are fine, and so is printing.
# - `hint(…)` with the function's name gives the idea; called again, the shapes;
#   and once more, a first line. Hints cost nothing.
#
# When the notebook is graded, the same questions are asked with other numbers.

# %% [markdown]
# Two habits save time.
#
# **Return, do not only print.** A function that prints the answer and returns nothing
# gives `None`.
#
# **Use the arguments, not the notebook's variables.**
# A function that reads a variable of another cell works by accident;
# the grader has only your functions, and not that variable.

# %% [markdown] slide="slide"
# ## The notation of the whole course
#
# | in a formula | in code | shape | what |
# |---|---|---|---|
# | $x_t$ | `x_t` | $(D, N)$ | input at time $t$, one **column** per sequence |
# | $s_{t-1}$ | `s_prev` | $(H, N)$ | the state before it |
# | $x_1, \dots, x_T$ | `xs` | $(T, D, N)$ | a whole input: time comes first |
# | $s_1, \dots, s_T$ | `states` | $(T, H, N)$ | all states |
# | $W^{s,s},\ W^{s,x}$ | `W["ss"]`, `W["sx"]` | $(H, H)$, $(H, D)$ | weights |
# | $\partial L / \partial h$ | `dh` | that of `h` | gradient of the loss $L$ by $h$ |
#
# $D$ numbers in an input, $H$ in a state, $T$ time steps, $N$ sequences at once.

# %% [markdown] slide="subslide"
# ### One rule for reading
#
# A vector is a column, so that code reads as the formula does:
#
# $$W^{s,s} s_{t-1} + W^{s,x} x_t \qquad \texttt{W["ss"] @ s\_prev + W["sx"] @ x\_t}$$
#
# $dW$ is a dict with the keys of $W$, and each gradient has the shape of what it is
# the gradient of.
#
# **Before you run the next cell**: with $D = 4$, $H = 3$ and $N = 2$,
# what is the shape of the sum?

# %% slide="fragment"
rng = np.random.default_rng(0)
weights = {"ss": rng.normal(size=(3, 3)), "sx": rng.normal(size=(3, 4))}
one_input, one_state = rng.normal(size=(4, 2)), rng.normal(size=(3, 2))
(weights["ss"] @ one_state + weights["sx"] @ one_input).shape  # (H, N), that of a state

# %% [markdown] slide="notes"
# Ask the room for the shape before running.
# The usual wrong answers are (3,) (the batch forgotten) and
# (2, 3) (rows are sequences, as in many libraries). Say why columns:
# the code is the formula.

# %% [markdown] slide="slide"
# ## Step 1: the sigmoid
#
# A gate of a network is a number between 0 (closed) and 1 (open).
# The **sigmoid** makes it from any number $z$:
#
# $$\sigma(z) = \frac{1}{1 + e^{-z}} \tag{0.1}$$
#
# **On paper first**: find $\sigma(0)$, $\sigma(\log 3)$ and $\sigma(-\log 3)$.
# No calculator: $e^{\log 3} = 3$.

# %% slide="fragment"
plain = lambda z: 1 / (1 + np.exp(-z))  # (0.1) as it stands
print(plain(0.0), plain(np.log(3)), plain(-np.log(3)))

# %% [markdown] slide="fragment"
# One half, $1 / (1 + \frac13) = \frac34$, and $1 / (1 + 3) = \frac14$.
# The last two sum to one, and that is no accident:
#
# $$\sigma(-z) = 1 - \sigma(z) \tag{0.2}$$

# %%
z = np.linspace(-5, 5, 11)
assert np.allclose(plain(-z), 1 - plain(z)), "(0.2) does not hold"

# %% [markdown] slide="slide"
# ## Numbers that are too large
#
# A float64 ends near $1.8 \cdot 10^{308}$; beyond it is `inf`.
# The exponential gets there at $z = 710$.
#
# **Before you run the next cell**: what does (0.1) give at $z = -720$?
# The right answer is $\sigma(-720) \approx e^{-720} \approx 2 \cdot 10^{-313}$,
# which a float can hold.

# %% slide="fragment"
with np.errstate(over="ignore"):
    print("(0.1) as it stands:", plain(-720.0))
print("e^z / (1 + e^z):   ", np.exp(-720.0) / (1 + np.exp(-720.0)))

# %% [markdown] slide="fragment"
# $e^{720}$ became `inf`, and $1 / \infty$ an exact 0.
# NumPy warns (the cell hides it). Is an exact 0 so bad?
# The loss takes **logarithms** of such numbers:
# $\log 10^{-313}$ is $-720$, a loss one can learn from; $\log 0$ is $-\infty$.

# %% [markdown] slide="slide"
# ## A form for each sign
#
# Multiply (0.1) above and below the line by $e^z$. Both forms are the same number:
#
# $$\sigma(z) = \frac{1}{1 + e^{-z}} = \frac{e^{z}}{1 + e^{z}} \tag{0.3}$$
#
# Take the first for $z \ge 0$ and the second for $z < 0$:
# then no exponent is positive, and nothing can overflow.

# %%
assert np.allclose(plain(z), np.exp(z) / (1 + np.exp(z))), "(0.3) does not hold"

# %% [markdown] slide="notes"
# Ask: "does the second form alone do it?" It fails on the other side:
# e^1000 / (1 + e^1000) is inf / inf, not a number.
# The usual wrong repair is to clip z at some number:
# nothing overflows, and sigmoid(-600) silently becomes sigmoid(-500).
# Another common one is (1 + tanh(z/2)) / 2:
# nothing overflows either, but near -1 the sum 1 + tanh loses all digits,
# and already sigmoid(-40) is an exact 0.

# %% [markdown] slide="subslide"
# ### Exercise: a sigmoid that never fails
#
# ```python
# sigmoid(z) -> s               # any shape -> the same shape
# ```
#
# Write (0.3) for an array of any shape. Small answers must keep their digits:
# the check compares *relative* errors, and tries $z$ near $-50$,
# $-600$ and $-715$ too.
#
# A warning of NumPy is shown and costs nothing; a wrong number does.


# %% exercise="sigmoid" points=3
def sigmoid(z: np.ndarray) -> np.ndarray:
    """The sigmoid of every entry, equation (0.3), for numbers of any size.

    Args:
        z: array of floats, of any shape.

    Returns:
        s: array of the same shape, between 0 and 1, right to seven digits for every z
            between -719 and infinity: sigmoid(-715.0) is about 3e-311, not 0.
    """
    ### BEGIN SOLUTION
    e = np.exp(-np.abs(z))  # never above 1
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))
    ### END SOLUTION


# %% check="sigmoid"
check(sigmoid)

# %% [markdown] slide="slide"
# ## Step 2: the slope, from the output
#
# Differentiate (0.1) by the chain rule, and split the fraction:
#
# $$\sigma'(z) = \frac{e^{-z}}{(1 + e^{-z})^2}
# = \underbrace{\frac{1}{1 + e^{-z}}}_{\sigma(z)} \cdot
# \underbrace{\frac{e^{-z}}{1 + e^{-z}}}_{1 - \sigma(z)}$$
#
# So with $s = \sigma(z)$
#
# $$\sigma'(z) = s\,(1 - s) \tag{0.4}$$
#
# The slope needs the **output** only. A network keeps its outputs (its states,
# its gates) and may forget every $z$.

# %%
eps = 1e-6
numeric = (plain(z + eps) - plain(z - eps)) / (2 * eps)  # a nudge to each side: step 4
assert np.allclose(plain(z) * (1 - plain(z)), numeric, atol=1e-9), "(0.4) does not hold"

# %% [markdown] slide="fragment"
# **Before you go on**: how large can $s(1 - s)$ be, and where?

# %% [markdown] slide="fragment"
# At most $\frac14$, at $s = \frac12$. A gradient that passes a sigmoid shrinks at
# least to a quarter.

# %% [markdown] slide="notes"
# The usual mistake in code is to hand z to a function that wants s,
# or to apply the sigmoid again to an s. Ask: "what is the slope at s = 0.9?" 0.09.
# Those who compute sigmoid(0.9) first get 0.205.

# %% [markdown] slide="subslide"
# ### Exercise: the slope of the sigmoid
#
# ```python
# sigmoid_grad(s) -> slope      # any shape -> the same shape
# ```
#
# Write (0.4). The argument is the output $s$, not $z$:
# at $s = 0.9$ the slope is $0.09$.


# %% exercise="sigmoid_grad" points=2
def sigmoid_grad(s: np.ndarray) -> np.ndarray:
    """The slope of the sigmoid, from its output, equation (0.4).

    Args:
        s: array of outputs of the sigmoid, each between 0 and 1, of any shape.

    Returns:
        slope: array of the same shape, the derivative at the z that gave s.
    """
    ### BEGIN SOLUTION
    return s * (1 - s)
    ### END SOLUTION


# %% check="sigmoid_grad"
check(sigmoid_grad)

# %% [markdown] slide="slide"
# ## Step 3: tanh
#
# A state may be negative as well. The function for it is
#
# $$\tanh(z) = \frac{e^z - e^{-z}}{e^z + e^{-z}} \tag{0.5}$$
#
# Divide above and below by $e^{z}$, and compare with (0.1):
# it is a sigmoid, stretched from $(0, 1)$ to $(-1, 1)$ and twice as fast.
#
# $$\tanh(z) = 2\,\sigma(2z) - 1 \tag{0.6}$$
#
# NumPy's `np.tanh` never overflows.

# %%
up, down = np.exp(z), np.exp(-z)
assert np.allclose(np.tanh(z), (up - down) / (up + down)), "(0.5) does not hold"
assert np.allclose(np.tanh(z), 2 * plain(2 * z) - 1), "(0.6) does not hold"

# %% [markdown] slide="slide"
# ## Its slope
#
# Let $t = \tanh(z)$ and $s = \sigma(2z)$. By (0.6) $s = \frac{1 + t}{2}$,
# so $1 - s = \frac{1 - t}{2}$. Differentiate (0.6),
# with a 2 from outside and a 2 from inside:
#
# $$\tanh'(z) = 4\, s\,(1 - s) = (1 + t)(1 - t)$$
#
# $$\tanh'(z) = 1 - t^2 \tag{0.7}$$

# %%
numeric = (np.tanh(z + eps) - np.tanh(z - eps)) / (2 * eps)
assert np.allclose(1 - np.tanh(z) ** 2, numeric, atol=1e-9), "(0.7) does not hold"

# %% [markdown] slide="subslide"
# ### Exercise: the slope of tanh
#
# ```python
# tanh_grad(t) -> slope         # any shape -> the same shape
# ```
#
# Write (0.7). The argument is the output $t$: at $t = 0.5$ the slope is $0.75$.


# %% exercise="tanh_grad" points=2
def tanh_grad(t: np.ndarray) -> np.ndarray:
    """The slope of tanh, from its output, equation (0.7).

    Args:
        t: array of outputs of tanh, each between -1 and 1, of any shape.

    Returns:
        slope: array of the same shape, the derivative at the z that gave t.
    """
    ### BEGIN SOLUTION
    return 1 - t**2
    ### END SOLUTION


# %% check="tanh_grad"
check(tanh_grad)

# %% slide="subslide" needs="sigmoid sigmoid_grad tanh_grad" hide_input=true
grid = np.linspace(-6, 6, 241)
s, t = sigmoid(grid), np.tanh(grid)
show(
    figures.squashing(grid, s, t, sigmoid_grad(s), tanh_grad(t)),
    alt="Left: the sigmoid rises from 0 to 1 and tanh from -1 to 1, tanh twice as "
    "fast. Right: their slopes are bumps around z = 0, a quarter high for the sigmoid "
    "and 1 high for tanh, and nearly 0 beyond 5.",
)

# %% [markdown] slide="fragment"
# Beyond $|z| = 5$ both are flat: nothing that changes $z$ there changes the output,
# and no gradient comes back. Such a unit is called **saturated**.

# %% [markdown] slide="slide"
# ## Step 4: a slope by nudging
#
# A derivation can be wrong. A slope can also be *measured*:
# nudge $z$ by a small step $\varepsilon$, and see how the value changes.
# To one side, or to both:
#
# $$f'(z) \approx \frac{f(z + \varepsilon) - f(z)}{\varepsilon} \tag{0.8}$$
#
# $$f'(z) \approx
# \frac{f(z + \varepsilon) - f(z - \varepsilon)}{2\varepsilon} \tag{0.9}$$
#
# The second is the **central difference**.

# %% [markdown] slide="subslide"
# **On paper**: take $f(z) = z^2$ at $z = 3$, where the slope is 6,
# and $\varepsilon = 0.1$. What do (0.8) and (0.9) give?
# ($3.1^2 = 9.61$, $2.9^2 = 8.41$.)

# %% slide="fragment"
square = lambda z: z**2
print((square(3.1) - square(3)) / 0.1, (square(3.1) - square(2.9)) / 0.2)

# %% [markdown] slide="fragment"
# $0.61 / 0.1 = 6.1$ and $1.2 / 0.2 = 6$: the central difference is right up to
# rounding here, although the step is large.

# %% [markdown] slide="slide"
# ## First error: the step is too large
#
# Taylor's formula on both sides, subtracted: the terms with $f$ and $f''$ cancel.
# What remains is
#
# $$\frac{f(z + \varepsilon) - f(z - \varepsilon)}{2\varepsilon} - f'(z)
# \approx \frac{\varepsilon^2}{6} f'''(z) \tag{0.10}$$
#
# To one side nothing cancels, and the error is $\frac{\varepsilon}{2} f''(z)$.
# A step ten times smaller makes the one-sided error ten times smaller,
# the central one a hundred times.

# %%
# For f = exp at 0.5 every derivative is f itself.
at, h = 0.5, 1e-3
central_error = (np.exp(at + h) - np.exp(at - h)) / (2 * h) - np.exp(at)
one_sided_error = (np.exp(at + h) - np.exp(at)) / h - np.exp(at)
assert np.isclose(central_error, h**2 / 6 * np.exp(at), rtol=1e-2), "(0.10) does not hold"
assert np.isclose(one_sided_error, h / 2 * np.exp(at), rtol=1e-2), "the one-sided error is not (h / 2) f''"

# %% [markdown] slide="slide"
# ## Second error: the step is too small
#
# A float64 keeps about 16 digits: every value of $f$ is rounded by up to $u\,|f|$
# with $u \approx 1.1 \cdot 10^{-16}$. The difference of two nearly equal values keeps
# that error, and the division by $2\varepsilon$ magnifies it:
#
# $$\text{rounding error} \lesssim \frac{u\,|f(z)|}{\varepsilon} \tag{0.11}$$
#
# **Before you run the next cell**, choose: which step gives the best central
# difference, $10^{-1}$, $10^{-5}$, $10^{-10}$ or $10^{-15}$?

# %%
steps = 10.0 ** np.arange(-15, 0.01, 0.25)
exact = np.exp(at)
one_sided = np.abs((np.exp(at + steps) - exact) / steps - exact) / exact
rise = np.exp(at + steps) - np.exp(at - steps)
central = np.abs(rise / (2 * steps) - exact) / exact
rounding = 1.1e-16 / steps  # (0.11), relative to the slope

# %% slide="subslide" hide_input=true
show(
    figures.v_curve(steps, one_sided, central, (steps / 2, steps**2 / 6), rounding),
    alt="The V curve. From right to left the error of the central difference falls "
    "with the square of the step down to about 1e-11 near a step of 1e-5, then rises "
    "as one over the step. The one-sided difference turns near 1e-8, at an error of "
    "about 1e-8.",
)

# %%
tiny = steps < 1e-7
assert (central[tiny] < 2 * rounding[tiny]).all(), "(0.11) does not hold"
choices = {p: central[4 * (p + 15)] for p in (-1, -5, -10, -15)}  # 4 steps a decade
assert min(choices, key=choices.get) == -5 and choices[-15] > choices[-1], (
    "1e-5 is not the best of the four steps"
)
{f"1e{p}": f"{error:.0e}" for p, error in choices.items()}

# %% [markdown] slide="fragment"
# Right of the valley the curve bends too much, left of it rounding takes over.
# $10^{-5}$ is the best of the four. $10^{-15}$ is worse than $10^{-1}$:
# smaller is not better.

# %% [markdown] slide="notes"
# Most of the room chooses the smallest step: "the derivative is the limit".
# The limit is of exact numbers. Let them explain the left arm in one sentence:
# two numbers that agree in 15 digits differ in one digit,
# and that digit is mostly rounding.

# %% [markdown] slide="slide"
# ## The best step
#
# The sum of both errors, $\frac{\varepsilon^2}{6}|f'''| + \frac{u |f|}{\varepsilon}$,
# is smallest where its derivative by $\varepsilon$ is zero,
# $\frac{\varepsilon}{3}|f'''| = \frac{u|f|}{\varepsilon^2}$:
#
# $$\varepsilon^\ast = \left(\frac{3u\,|f(z)|}{|f'''(z)|}\right)^{1/3} \tag{0.12}$$
#
# With $f$ and $f'''$ of the same size that is about $7 \cdot 10^{-6}$.
# In this course the step lies between $10^{-6}$ and $10^{-5}$.

# %%
best_step = (3 * 1.1e-16) ** (1 / 3)  # (0.12) for the exponential
sum_of_errors = steps**2 / 6 + rounding
smallest = steps[sum_of_errors.argmin()]
# The grid's steps are a factor 1.8 apart.
assert 0.5 < smallest / best_step < 2, "(0.12) is not where the sum of both errors is smallest"
far_off = np.abs(np.log10(steps / best_step))  # in powers of ten
near, far = central[far_off < 0.5].max(), np.median(central[far_off > 2])  # as measured
assert 10 * near < far, "near the step of (0.12) the measured error is not smaller than elsewhere"
best_step

# %% [markdown] slide="slide"
# ## Explore: the step
#
# Move the step from $1$ to $10^{-15}$, and watch both pictures.
# Then choose float32 for the numbers: where does the valley go?

# %% slide="subslide" hide_input=true
explorer(
    "step_size",
    {},
    alt="Left, a function with the straight line through the two nudged points and "
    "the tangent. Right, the V curve of the relative error; a slider moves the step "
    "along it.",
)

# %% [markdown]
# With float32, $u \approx 6 \cdot 10^{-8}$:
# by (0.12) the valley lies near $6 \cdot 10^{-3}$, and even there only about five
# digits are right. **Gradients are tested in float64.**

# %%
u = 6e-8
best_32 = (3 * u) ** (1 / 3)
error_32 = best_32**2 / 6 + u / best_32
print(f"float32: best step {best_32:.0e}, error there about {error_32:.0e}")

# %% [markdown] slide="slide"
# ## How far apart are two gradients?
#
# A difference of $10^{-3}$ is nothing for a gradient of 1,000 and everything for one
# of $10^{-3}$. So we compare with the size of what is compared:
# the **relative error** of two arrays
#
# $$\text{relative error}(a, b) =
# \frac{\lVert a - b \rVert}{\lVert a \rVert + \lVert b \rVert} \tag{0.13}$$
#
# $\lVert a \rVert$ is the root of the sum of all squares.
# In float64 with a good step:
#
# | relative error | usually |
# |---|---|
# | below $10^{-7}$ | the derivation is right |
# | $10^{-4}$ | look again: a small term may be missing |
# | above $10^{-2}$ | wrong |


# %%
def relative_error(a, b):
    """How far two arrays of one shape are apart, from 0 to 1, equation (0.13)."""
    size = np.linalg.norm(a) + np.linalg.norm(b)
    return np.linalg.norm(a - b) / size if size > 0 else 0.0


a = rng.normal(size=(3, 4))
assert np.isclose(relative_error(1000 * a, 1001 * a), relative_error(a, 1.001 * a)), (
    "(0.13) changed with the size of what is compared"
)
assert np.isclose(relative_error(a, -a), 1), "(0.13) of a wrong sign is not 1"

# %% [markdown] slide="slide"
# ## Step 5: many parameters
#
# A loss depends on whole matrices. Here is one to practise on:
# every entry of $A x$ is turned into a probability by the sigmoid,
# and the loss is the surprise, $-\log$, summed over all:
#
# $$L(A) = -\sum_{i,n} \log \sigma\big((A x)_{i n}\big) \tag{0.14}$$
#
# $A$ is $(H, D)$, and $x$ is $(D, N)$: $N$ data points as columns.


# %% given="loss"
def loss(A: np.ndarray, x: np.ndarray) -> float:
    """The summed surprise, equation (0.14). Given: the exercise calls it.

    Args:
        A: (H, D) parameters.
        x: (D, N) data, one column per data point.

    Returns:
        One number.
    """
    # -log sigmoid(z) = log(1 + exp(-z)), in a form that never overflows.
    return np.sum(np.logaddexp(0, -(A @ x)))


# %%
A_small, x_small = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
surprises = -np.log(plain(A_small @ x_small))
assert np.isclose(loss(A_small, x_small), surprises.sum()), "(0.14) does not hold"

# %% [markdown] slide="subslide"
# ### One entry at a time
#
# Let $E_{ij}$ be the matrix of zeros with a one in row $i$, column $j$.
# The gradient $dA$ has the shape of $A$; its entry in row $i$, column $j$ is
#
# $$dA_{ij} \approx
# \frac{L(A + \varepsilon E_{ij}) - L(A - \varepsilon E_{ij})}{2\varepsilon}
# \tag{0.15}$$
#
# **Before you go on**: how often is the loss evaluated for an $A$ of
# $100 \times 100$?

# %% [markdown] slide="fragment"
# $2 \cdot 100 \cdot 100 = 20{,}000$ times, for one gradient.
# That is why networks are not *trained* by nudging.
# But it needs no derivation at all, and so it can *test* one.

# %% [markdown] slide="subslide"
# ### Exercise: the gradient by nudging
#
# ```python
# numerical_gradient(A, x, eps) -> dA      # (H, D), (D, N), a number -> (H, D)
# ```
#
# Write (0.15) for the given `loss`: one entry of $A$ at a time.
# Take care that each nudge is gone before the next.


# %% exercise="numerical_gradient" points=4
def numerical_gradient(A: np.ndarray, x: np.ndarray, eps: float) -> np.ndarray:
    """The gradient of loss(A, x) by A, by central differences, equation (0.15).

    Args:
        A: (H, D) parameters, float64.
        x: (D, N) data, one column per data point.
        eps: the step, a positive number.

    Returns:
        dA: (H, D), the central difference of the loss for each entry of A.
    """
    ### BEGIN SOLUTION
    dA = np.zeros(A.shape)
    for index in np.ndindex(A.shape):
        nudge = np.zeros(A.shape)
        nudge[index] = eps
        difference = loss(A + nudge, x) - loss(A - nudge, x)
        dA[index] = difference / (2 * eps)
    return dA
    ### END SOLUTION


# %% check="numerical_gradient"
check(numerical_gradient)

# %% [markdown] slide="slide"
# ## Step 6: test a derivation
#
# Now derive the gradient. With $z = A x$ and $s = \sigma(z)$, by (0.4)
#
# $$\frac{\partial (-\log s)}{\partial z} = -\frac1s \cdot s\,(1 - s) = s - 1$$
#
# and $z_{in} = \sum_j A_{ij} x_{jn}$ moves by $x_{jn}$ per unit of $A_{ij}$.
# Summed over the data points:
#
# $$dA = (s - 1)\, x^{\top} \tag{0.16}$$
#
# Is it right? You have written all that is needed to know.

# %% slide="subslide" needs="sigmoid numerical_gradient"
derived = (sigmoid(A_small @ x_small) - 1) @ x_small.T  # (0.16)
measured = numerical_gradient(A_small, x_small, 1e-5)
assert relative_error(derived, measured) < 1e-8, "the derivation and the nudging differ"
print(f"relative error {relative_error(derived, measured):.1e}")

# %% [markdown] slide="fragment"
# **Before you run the next cell**: somebody forgets the $-1$ in (0.16),
# somebody else writes a slope $s (1 - s)$ too many. What does the test say?

# %% slide="subslide" needs="sigmoid sigmoid_grad numerical_gradient"
s = sigmoid(A_small @ x_small)
wrong = {
    "right": (s - 1) @ x_small.T,
    "-1 forgotten": s @ x_small.T,
    "one slope too many": ((s - 1) * sigmoid_grad(s)) @ x_small.T,
}
for name, gradient in wrong.items():
    print(f"{name:20s} {relative_error(gradient, measured):.1e}")

# %% [markdown] slide="fragment"
# Two lines of test, and no mistake passes. From here on,
# no gradient of this course is believed before it has been through this test.

# %% [markdown] slide="notes"
# Ask: "what does a relative error of 1/3 tell?"
# If the derived gradient is exactly twice the measured one, or half of it,
# (0.13) gives 1/3: look for a lost factor 2. A wrong sign gives 1.

# %% [markdown] written="tiny_step" points=2
# ### In your own words
#
# A friend has derived a gradient and tests it with $\varepsilon = 10^{-13}$,
# "to be exact". The relative error comes out as $10^{-3}$.
# The friend now looks for a mistake in the derivation.
#
# What do you advise, and why? Two or three sentences.
#
# === BEGIN MARK SCHEME ===
# 1 point: at so small a step the numeric gradient itself is wrong:
# the two values agree in nearly all digits, and their rounding error (about 1e-16) is
# divided by 1e-13, which gives errors of this size.
# 1 point: repeat the test with a step near 1e-5 (anything from 1e-6 to 1e-4) before
# doubting the derivation; if the error is then below 1e-7 the derivation is right,
# if it stays it is wrong.
# === END MARK SCHEME ===

# %% [markdown] slide="slide"
# ## Recap
#
# - Vectors are columns, time comes first, `W` is keyed by superscripts,
#   `dh` has the shape of `h`.
# - Sigmoid: a form for each sign, so that nothing overflows and small answers keep
#   their digits.
# - Slopes come from outputs: $s(1 - s)$ and $1 - t^2$.
# - Numeric gradient: nudge to both sides, with a step near $10^{-5}$, in float64.
# - Compare by relative error; below $10^{-7}$ you may believe your derivation.
#
# Next, notebook 01: a network that reads.

# %% [markdown] slide="slide"
# ## To read
#
# - D. Goldberg (1991), *What every computer scientist should know about
#   floating-point arithmetic*, ACM Computing Surveys 23:
#   why numbers round, and what follows.
# - D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986),
#   *Learning representations by back-propagating errors*, Nature 323:
#   the gradients that this course derives and tests.
# - Y. LeCun, L. Bottou, G. Orr and K.-R. Müller (1998), *Efficient BackProp*:
#   why tanh is often the better of the two inside a network.
