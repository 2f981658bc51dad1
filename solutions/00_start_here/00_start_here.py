# %% [markdown] slide="slide"
# # 00 · Start here
#
# How this course works, and two tools for all of it:
# a sigmoid that never fails, and a test for every gradient you will ever derive.

# %% [markdown] slide="slide"
# ## What you will be able to do
#
# - answer a question before you see the answer, and an exercise before you see a formula;
# - have an answer checked, and ask for a hint;
# - read the notation of the whole course;
# - write the sigmoid so that no number is too large or too small for it;
# - **find** the slopes of sigmoid and tanh, from their *output* alone;
# - test a gradient by nudging, choose the nudge, and know what such a test cannot see.
#
# **Time**: {time}. The place to stop is marked. You need Python, NumPy arrays, and the
# chain rule for one variable.

# %% given="imports"
import numpy as np

# %%
from autograder import check, guess, hint, progress, reveal, show_derivation
from rnncourse import explorer, figures_00, show

# %% [markdown] slide="slide"
# ## How this course works
#
# **Questions.** A cell with `guess(…)` asks what you expect. Write your answer in the
# place of the three dots and run the cell: it shows what is so, and why. No marks. Words
# stand in quotes, numbers do not.
#
# **Exercises.** A cell holds a function's name, its arguments and its docstring; the
# body is yours. The cell below says `check(…)`: what is right, what is wrong first, and
# which mistake it looks like. It asks what you return, not how you wrote it.
#
# **Hints.** `hint(…)` gives the idea; called again, more. They cost nothing. In the
# brackets of `check` and `hint` stands the function itself, without quotes:
# `hint(sigmoid)`.

# %% [markdown] slide="subslide"
# ### What is kept back
#
# **Derivations.** Some formulas are not in the notebook: you find them. When your
# function is right, its check shows the derivation too. `show_derivation(…)` gives up,
# and shows it at any time. It costs nothing. If the call stands in what you hand in, it
# is counted, so that your instructor sees where to go again.
#
# **Grades.** When the notebook is graded, your functions are called again, with other
# numbers. Three quarters of an exercise's points are for right values, a quarter for
# special cases: a single step, large numbers, zeros. A function that calls an earlier one
# of yours is also tried with a right one in its place: one mistake costs once.
#
# `progress()` says what is done and what comes next, in all notebooks that lie beside
# this one.

# %%
progress()

# %% [markdown]
# Two habits save time.
#
# **Return, do not only print.** A function that prints the answer and returns nothing
# gives `None`.
#
# **Use the arguments, not the notebook's arrays.** A function that reads an array of
# another cell works by accident: called with other arguments it still uses the old
# array, and for a grade that array is not even there. (Functions and plain numbers of
# cells of your own are there. Write helpers as you like.)

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
# $W^{s,x} x_t$ is `W["sx"] @ x_t`.
#
# $dW$ is a dict with the keys of $W$, and each gradient has the shape of what it is
# the gradient of.
#
# With $D = 4$, $H = 3$ and $N = 2$: what is the shape of this product?

# %% [markdown]
# All symbols of the course stand in a table at the end of this notebook. And now your
# first question: write the shape as a list of two numbers, `[8, 9]`, in the place of
# the dots.

# %% guess="00.1"
guess("00.1", shape=[3, 2])

# %% [markdown] answer="00.1" slide="fragment"
# $(H, N)$, that of a state: $W^{s,x}$ is $(3, 4)$ and meets $(4, 2)$.
#
# If you wrote $(2, 3)$: rows are sequences in many libraries. Here columns are, so that
# the code is the formula.

# %%
rng = np.random.default_rng(0)
weights = {"sx": rng.normal(size=(3, 4))}
one_input = rng.normal(size=(4, 2))
(weights["sx"] @ one_input).shape

# %% [markdown] slide="notes"
# Ask the room for the shape before running.
# The usual wrong answers are (3,) (the batch forgotten) and
# (2, 3) (rows are sequences, as in many libraries). Say why columns:
# the code is the formula.

# %% [markdown] slide="slide"
# ## Step 1: the sigmoid
#
# A gate of a network is a number $g$ between 0 (closed) and 1 (open).
# The **sigmoid** makes it from any number $z$:
#
# $$g = \sigma(z) = \frac{1}{1 + e^{-z}} \tag{0.1}$$
#
# **On paper**: find $\sigma(0)$, $\sigma(\log 3)$ and $\sigma(-\log 3)$.
# No calculator: $e^{\log 3} = 3$.

# %% guess="00.2"
# Numbers, such as 0.1 or 1 / 8.
guess("00.2", at_0=0.5, at_log_3=0.75, at_minus_log_3=0.25)

# %% [markdown] answer="00.2" slide="fragment"
# One half, $1 / (1 + \frac13) = \frac34$, and $1 / (1 + 3) = \frac14$. The last two sum
# to one, and that is no accident.

# %% [markdown] slide="subslide"
# ### The other side of the curve
#
# For every $z$
#
# $$\sigma(-z) = 1 - \sigma(z) \tag{0.2}$$
#
# "Closed" at $-z$ is as much as "open" at $z$.

# %%
plain = lambda z: 1 / (1 + np.exp(-z))  # (0.1) as it stands
z = np.linspace(-5, 5, 11)
assert np.allclose(plain(-z), 1 - plain(z)), "(0.2) does not hold"
"(0.2) holds"

# %% [markdown] slide="slide"
# ## Numbers that are too large
#
# A float64 ends near $1.8 \cdot 10^{308}$; beyond it is `inf`.
# The exponential gets there at $z = 710$.
#
# What does (0.1), typed in as it stands, give at $z = -720$?
# The right answer is $\sigma(-720) \approx e^{-720} \approx 2 \cdot 10^{-313}$,
# which a float can hold.

# %% guess="00.3"
guess("00.3", as_it_stands="0", choices=("0", "2e-313", "nan", "inf"))

# %% [markdown] answer="00.3" slide="fragment"
# $e^{720}$ becomes `inf`, and $1 / \infty$ an exact **0**. NumPy warns and goes on.
#
# Is an exact 0 so bad? The loss takes **logarithms** of such numbers: $\log 10^{-313}$
# is $-720$, a loss one can learn from; $\log 0$ is $-\infty$.

# %%
with np.errstate(over="ignore"):
    print(plain(-720.0))

# %% [markdown] slide="slide"
# ## A second form
#
# Multiply (0.1) above and below the line by $e^z$. Both forms are the same number:
#
# $$\sigma(z) = \frac{1}{1 + e^{-z}} = \frac{e^{z}}{1 + e^{z}} \tag{0.3}$$
#
# In floats they are not. Does the second form do for **every** $z$?
# What does it give at $-720$, and at $1000$?

# %% guess="00.4"
guess(
    "00.4",
    at_minus_720="right",
    at_1000="nan",
    choices=("right", "0", "nan", "inf"),
)

# %% [markdown] answer="00.4" slide="fragment"
# At $-720$ it is right: above the line a tiny number, below it 1. At $1000$ it is
# `inf / inf`, which is `nan`: not a number. An exponential of a negative number is
# never too large; one of a positive number may be.

# %%
assert np.allclose(plain(z), np.exp(z) / (1 + np.exp(z))), "(0.3) does not hold"
"(0.3) holds"

# %% [markdown] slide="notes"
# The usual wrong repair is to clip z at some number:
# nothing overflows, and sigmoid(-600) silently becomes sigmoid(-500).
# Another common one is (1 + tanh(z/2)) / 2:
# nothing overflows either, but near -1 the sum 1 + tanh loses all digits,
# and already sigmoid(-40) is an exact 0.

# %% [markdown] slide="subslide"
# ### Exercise: a sigmoid that never fails
#
# ```python
# sigmoid(z) -> g               # any shape -> the same shape
# ```
#
# For an array of any shape, and numbers of any size. Which form of (0.3) is safe
# depends on the entry. Small answers must keep their digits: the check compares
# *relative* errors, and tries $z$ near $-50$, $-600$ and $-715$ too.
#
# A warning of NumPy is shown and costs nothing; a wrong number does.

# %% [markdown]
# Run the check once **before** you write anything, to see what it says then. In
# JupyterLab the hints are in it, folded.


# %% exercise="sigmoid" points=3
def sigmoid(z: np.ndarray) -> np.ndarray:
    """The sigmoid of every entry, equation (0.3), for numbers of any size.

    Args:
        z: array of floats, of any shape.

    Returns:
        g: array of the same shape, between 0 and 1, right to seven digits for every z
            between -719 and infinity: sigmoid(-715.0) is about 3e-311, not 0.
    """
    ### BEGIN SOLUTION
    e = np.exp(-np.abs(z))  # never above 1
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))
    ### END SOLUTION


# %% check="sigmoid"
check(sigmoid)

# %% [markdown]
# Hints come one at a time, in any cell. Run this one again for the next:

# %%
hint(sigmoid)

# %% [markdown] slide="slide"
# ## Step 2: the slope, from the output
#
# Nudge $z$ a little. How fast does $g = \sigma(z)$ move?
#
# A network keeps its outputs (its gates, its states) and forgets every $z$. So the
# question is: **how steep was the sigmoid, if all you have is $g$?**
#
# This formula is not in the notebook. You find it.

# %% [markdown] slide="subslide"
# ### The chain rule, and one case on paper
#
# Write (0.1) as $1 / (1 + v)$ with $v = e^{-z}$. Differentiate by $v$, and $v$ by $z$.
#
# Then put numbers in: how steep is the sigmoid at $z = 0$, where $v = 1$? And at
# $z = \log 3$, where $v = \frac13$?

# %% guess="00.5"
guess("00.5", slope_at_0=0.25, slope_at_log_3=0.1875)

# %% [markdown] answer="00.5" slide="fragment"
# $1 / (1 + v)$ has the derivative $-1 / (1 + v)^2$ by $v$, and $v = e^{-z}$ has $-v$ by
# $z$. So the slope is $v / (1 + v)^2$: $\frac14$ at $v = 1$, and
# $\frac13 / (\frac43)^2 = \frac{3}{16} = 0.1875$ at $v = \frac13$.
#
# There $g$ was $\frac12$ and $\frac34$. What is left to do is to write $v$ with $g$.

# %% [markdown]
# More cases, measured: a nudge to each side, and how far the output moved for it (step
# 4 has the details). Any formula of yours must agree with this table.

# %% hide_input=true
for at in (-3.0, -1.0, 0.5, 2.0, 4.0):
    slope = (plain(at + 1e-4) - plain(at - 1e-4)) / 2e-4
    print(f"z = {at:4.1f}   g = {plain(at):.4f}   slope {slope:.4f}")

# %% [markdown]
# ### Exercise: the slope of the sigmoid
#
# ```python
# sigmoid_grad(g) -> slope      # any shape -> the same shape
# ```
#
# 1. You have the slope with $v$ in it. Solve (0.1) for $v$.
# 2. Put that in, and simplify until $g$ alone is left.
# 3. Try your line on the two cases on paper.
#
# The argument is the output $g$, not $z$.


# %% exercise="sigmoid_grad" points=2
def sigmoid_grad(g: np.ndarray) -> np.ndarray:
    """The slope of the sigmoid, from its output.

    Args:
        g: array of outputs of the sigmoid, each between 0 and 1, of any shape.

    Returns:
        slope: array of the same shape, the derivative at the z that gave g.
    """
    ### BEGIN SOLUTION
    return g * (1 - g)  # (0.4)
    ### END SOLUTION


# %% check="sigmoid_grad"
check(sigmoid_grad)

# %% [markdown] found="sigmoid_grad" slide="slide"
# ## What you found: the slope of the sigmoid
#
# $v = e^{-z}$ is $\frac{1 - g}{g}$, and $1 + v$ is $\frac1g$. So $v / (1 + v)^2$
# becomes
#
# $$\sigma'(z) = g\,(1 - g) \tag{0.4}$$
#
# The slope needs the **output** only: what is open, times what is closed.

# %% found="sigmoid_grad"
numeric = (plain(z + 1e-5) - plain(z - 1e-5)) / 2e-5
assert np.allclose(plain(z) * (1 - plain(z)), numeric, atol=1e-9), "(0.4) does not hold"
"(0.4) holds"

# %% [markdown] slide="notes"
# The usual mistake in code is to hand z to a function that wants g,
# or to apply the sigmoid again to a g. Ask: "what is the slope at g = 0.9?" 0.09.
# Those who compute sigmoid(0.9) first get 0.205.

# %% [markdown]
# Right? Then try how one gives up, where it gives nothing away: make a cell below this
# one, write `show_derivation(sigmoid_grad)`, run it, and delete the cell again.

# %% [markdown] slide="slide"
# ## How much comes through?
#
# A gradient that passes a sigmoid on its way back is multiplied by this slope.
#
# At which output $g$ does most of it come through? And of a gradient of 1, how much is
# left at best behind ten sigmoids in a row?

# %% guess="00.6"
guess("00.6", at_output=0.5, left_of_1=9.54e-7)

# %% [markdown] answer="00.6" slide="fragment"
# Most at $g = \frac12$, where the slope is $\frac14$. A gradient that passes a sigmoid
# shrinks to a quarter or less. Ten in a row leave $(\frac14)^{10}$, about a millionth,
# at best.

# %% [markdown] slide="slide"
# ## Step 3: tanh
#
# A state $s$ may be negative as well. The function for it is
#
# $$s = \tanh(z) = \frac{e^z - e^{-z}}{e^z + e^{-z}} \tag{0.5}$$
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
"(0.5) and (0.6) hold"

# %% [markdown] slide="subslide"
# ### Its slope, on paper
#
# Differentiate (0.6). The slope of the sigmoid you have; the 2 in front counts, and so
# does the 2 inside.
#
# Take $z = \log 2$, so that $s = \tanh(z) = \frac{2 - 1/2}{2 + 1/2} = 0.6$.
# What is $\sigma(2z)$ there? And how steep is tanh?

# %% guess="00.7"
guess("00.7", sigmoid_of_2z=0.8, slope_of_tanh=0.64)

# %% [markdown] answer="00.7" slide="fragment"
# By (0.6) $\sigma(2z) = (0.6 + 1) / 2 = 0.8$. A sigmoid that has put out 0.8 has the
# slope 0.16, and with the two factors 2 it is 0.64.

# %% [markdown]
# ### Exercise: the slope of tanh
#
# ```python
# tanh_grad(s) -> slope         # any shape -> the same shape
# ```
#
# Do with $s$ what you did with 0.6. The argument is the output $s$, not $z$, and your
# result needs neither a sigmoid nor a $z$.


# %% exercise="tanh_grad" points=2
def tanh_grad(s: np.ndarray) -> np.ndarray:
    """The slope of tanh, from its output.

    Args:
        s: array of outputs of tanh, each between -1 and 1, of any shape.

    Returns:
        slope: array of the same shape, the derivative at the z that gave s.
    """
    ### BEGIN SOLUTION
    return 1 - s**2  # (0.7)
    ### END SOLUTION


# %% check="tanh_grad"
check(tanh_grad)

# %% [markdown] found="tanh_grad" slide="slide"
# ## What you found: the slope of tanh
#
# By (0.6) $\sigma(2z) = \frac{1 + s}{2}$, and what it lacks to 1 is $\frac{1 - s}{2}$.
# With a 2 from outside and a 2 from inside:
#
# $$\tanh'(z) = 4 \cdot \frac{1 + s}{2} \cdot \frac{1 - s}{2} = 1 - s^2 \tag{0.7}$$
#
# At $s = 0$ it is 1: tanh may let a gradient through whole, a sigmoid never does.

# %% found="tanh_grad"
numeric = (np.tanh(z + 1e-5) - np.tanh(z - 1e-5)) / 2e-5
assert np.allclose(1 - np.tanh(z) ** 2, numeric, atol=1e-9), "(0.7) does not hold"
"(0.7) holds"

# %% [markdown] slide="subslide"
# ### Where they are flat
#
# Sigmoid and tanh, and their slopes as you wrote them. Where do the slopes almost
# vanish? There nothing that changes $z$ changes the output, and no gradient comes back.
# Such a unit is called **saturated**.

# %% slide="fragment" needs="sigmoid sigmoid_grad tanh_grad" hide_input=true
grid = np.linspace(-6, 6, 241)
open_gate, state = sigmoid(grid), np.tanh(grid)
show(
    figures_00.squashing(grid, open_gate, state, sigmoid_grad(open_gate), tanh_grad(state)),
    alt="Left: the sigmoid rises from 0 to 1 and tanh from -1 to 1, tanh twice as "
    "fast. Right: their slopes are bumps around z = 0, a quarter high for the sigmoid "
    "and 1 high for tanh, and nearly 0 beyond 5.",
)

# %% [markdown] sitting=2
# > **A place to stop.** You have the sigmoid, and both slopes. What follows is the test for every
# > gradient of this course. When you come back: run the cells above.

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
# ### On paper
#
# Take $f(z) = z^2$ at $z = 3$, where the slope is 6, and a huge step,
# $\varepsilon = 1$. What do (0.8) and (0.9) give?

# %% guess="00.8"
guess("00.8", one_sided=7, central=6)

# %% [markdown] answer="00.8" slide="fragment"
# $(16 - 9) / 1 = 7$ and $(16 - 4) / 2 = 6$. To both sides it is exact here, although
# the step is huge: as much as the line to the right is too steep, the one to the left
# is too flat.

# %% [markdown] slide="slide"
# ## First error: the step is too large
#
# Taylor's formula on both sides, subtracted: the terms with $f$ and $f''$ cancel.
# What remains is
#
# $$\frac{f(z + \varepsilon) - f(z - \varepsilon)}{2\varepsilon} - f'(z)
# \approx \frac{\varepsilon^2}{6} f'''(z) \tag{0.10}$$
#
# To one side nothing cancels, and the error is about $\frac{\varepsilon}{2} f''(z)$.
# A step ten times smaller makes the one-sided error ten times smaller,
# the central one a hundred times.

# %%
# For f = exp at 0.5 every derivative is f itself.
at, step = 0.5, 1e-3
central_error = (np.exp(at + step) - np.exp(at - step)) / (2 * step) - np.exp(at)
one_sided_error = (np.exp(at + step) - np.exp(at)) / step - np.exp(at)
assert np.isclose(central_error, step**2 / 6 * np.exp(at), rtol=1e-2), "(0.10) does not hold"
assert np.isclose(one_sided_error, step / 2 * np.exp(at), rtol=1e-2), "one-sided: not (step / 2) f''"
"(0.10) holds"

# %% [markdown] slide="slide"
# ## Second error: the step is too small
#
# A float64 keeps about 16 digits: every value of $f$ is rounded, by up to $u\,|f|$
# with $u \approx 1.1 \cdot 10^{-16}$. The difference of two nearly equal values keeps
# that error, and the division by $2\varepsilon$ magnifies it:
#
# $$\text{rounding error} \lesssim \frac{u\,|f(z)|}{\varepsilon} \tag{0.11}$$
#
# Four steps: $10^{-1}$, $10^{-5}$, $10^{-10}$ and $10^{-15}$. Which gives the best
# central difference, and which the worst?

# %% guess="00.9"
guess("00.9", best="1e-5", worst="1e-15", choices=("1e-1", "1e-5", "1e-10", "1e-15"))

# %%
steps = 10.0 ** np.arange(-15, 0.01, 0.25)
exact = np.exp(at)
one_sided = np.abs((np.exp(at + steps) - exact) / steps - exact) / exact
rise = np.exp(at + steps) - np.exp(at - steps)
central = np.abs(rise / (2 * steps) - exact) / exact
rounding = 1.1e-16 / steps  # (0.11), relative to the slope

# %% [markdown] slide="subslide"
# ### Both errors, measured
#
# Dots: the errors of both differences for $e^z$ at $z = 0.5$, against the step. Lines:
# (0.10) and (0.11). Start at the right and go to smaller steps. (Where a dot lies far
# below the others, the roundings happened to cancel.)

# %% slide="fragment" hide_input=true
show(
    figures_00.v_curve(steps, one_sided, central, (steps / 2, steps**2 / 6), rounding),
    alt="The V curve. From right to left the error of the central difference falls "
    "with the square of the step down to about 1e-11 near a step of 1e-5, then rises "
    "as one over the step. The one-sided difference turns near 1e-8, at an error of "
    "about 1e-8.",
)

# %% hide_input=true
tiny = steps < 1e-7
assert (central[tiny] < 2 * rounding[tiny]).all(), "(0.11) does not hold"
choices = {p: central[4 * (p + 15)] for p in (-1, -5, -10, -15)}  # 4 steps a decade
assert min(choices, key=choices.get) == -5 and max(choices, key=choices.get) == -15, (
    "1e-5 is not the best of the four steps, or 1e-15 not the worst"
)
print("(0.11) holds. Errors:", {f"1e{p}": f"{error:.0e}" for p, error in choices.items()})

# %%
reveal("00.9")

# %% [markdown] answer="00.9" sealed=true slide="subslide"
# ### Smaller is not better
#
# Right of the valley the curve bends too much, left of it rounding takes over.
# $10^{-5}$ is the best of the four, with an error near $10^{-11}$. $10^{-15}$ is worse
# than $10^{-1}$.

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
# Most steps of this course lie between $10^{-6}$ and $10^{-5}$.

# %%
best_step = (3 * 1.1e-16) ** (1 / 3)  # (0.12) for the exponential
sum_of_errors = steps**2 / 6 + rounding
smallest = steps[sum_of_errors.argmin()]
# The grid's steps are a factor 1.8 apart.
assert 0.5 < smallest / best_step < 2, "(0.12) is not where the sum of both errors is smallest"
print(f"(0.12) holds: the best step is about {best_step:.0e}")

# %% [markdown] slide="slide"
# ## Explore: the step
#
# Move the step. Then choose float32, numbers of 7 digits: is the best step now larger or
# smaller, and its error?

# %% slide="-" hide_input=true
explorer(
    "step_size",
    {},
    alt="Left, a function with the straight line through the two nudged points and "
    "the tangent. Right, the V curve of the relative error; a slider moves the step "
    "along it.",
)

# %% guess="00.10"
guess("00.10", best_step="larger", best_error="larger", choices=("larger", "smaller", "the same"))

# %% [markdown] answer="00.10" slide="subslide"
# ### Fewer digits
#
# Both are larger. With float32 $u \approx 6 \cdot 10^{-8}$: by (0.12) the valley lies
# near $6 \cdot 10^{-3}$, and even there only about five digits are right.

# %% [markdown]
# The same by (0.12), without a slider. **In this course gradients are tested in
# float64.**

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
#
# | in float64, with a good step | usually |
# |---|---|
# | below $10^{-7}$ | the derivation is right |
# | near $10^{-4}$ | look again: a small term may be missing |
# | above $10^{-2}$ | wrong |


# %%
def relative_error(a, b):
    """How far two arrays of one shape are apart, from 0 to 1, equation (0.13)."""
    size = np.linalg.norm(a) + np.linalg.norm(b)
    return np.linalg.norm(a - b) / size if size > 0 else 0.0


some = rng.normal(size=(3, 4))
print("a thousandth more:", round(relative_error(some, 1.001 * some), 4))
print("the wrong sign:   ", relative_error(some, -some))

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
"(0.14) holds"

# %% [markdown] slide="subslide"
# ### One entry at a time
#
# Let $A^{+ij}$ be $A$ with $\varepsilon$ added to the entry in row $i$, column $j$, and
# $A^{-ij}$ the same with $\varepsilon$ taken away.
# The gradient $dA$ has the shape of $A$; its entry in row $i$, column $j$ is
#
# $$dA_{ij} \approx \frac{L(A^{+ij}) - L(A^{-ij})}{2\varepsilon} \tag{0.15}$$
#
# How often is the loss evaluated for an $A$ of $100 \times 100$?

# %% guess="00.11"
guess("00.11", evaluations=20000)

# %% [markdown] answer="00.11" slide="fragment"
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
# Let $x$ be diagonal, with the numbers $d_1, \dots, d_4$. Then entry $i, j$ of $A x$ is
# $A_{ij}\, d_j$: each entry of $A$ stands in one term of the loss,
# $-\log \sigma(A_{ij}\, d_j)$.
#
# Four people have derived the gradient, with $z = A x$ and $g = \sigma(z)$:
#
# | Ann | Ben | Cleo | Dan |
# |---|---|---|---|
# | $g\, d$ | $(g - 1)\, d$ | $(g - 1)\, \sigma'(z)\, d$ | $g - 1$ |
#
# Who is right? Derive it yourself first: three factors, one for each thing that is done
# to $A_{ij}$, and $\sigma'$ you know.

# %% guess="00.12"
guess("00.12", right="Ben", choices=("Ann", "Ben", "Cleo", "Dan"))

# %% needs="sigmoid sigmoid_grad numerical_gradient"
d = np.array([0.5, -1.2, 2.0, 0.8])
g = sigmoid(A_small * d)  # A x, for the diagonal x
derived = {"Ann": g * d, "Ben": (g - 1) * d, "Cleo": (g - 1) * sigmoid_grad(g) * d, "Dan": g - 1}
measured = numerical_gradient(A_small, np.diag(d), 1e-5)
for name, gradient in derived.items():
    print(f"{name:5s} {relative_error(gradient, measured):.1e}")

# %%
reveal("00.12")

# %% [markdown] answer="00.12" sealed=true slide="fragment"
# **Ben**: the logarithm brings $-\frac1g$, the sigmoid $g\,(1 - g)$, and the product
# $d$. Together
#
# $$-\frac1g \cdot g\,(1 - g) \cdot d = (g - 1)\, d \tag{0.16}$$
#
# Ann lost the $-1$, Cleo has one slope too many, Dan forgot the inside. One line of
# test, and each of the three is found out.

# %% [markdown] slide="notes"
# Ask: "what does a relative error of 1/3 tell?"
# If the derived gradient is exactly twice the measured one, or half of it,
# (0.13) gives 1/3: look for a lost factor 2. A wrong sign gives 1.

# %% [markdown] slide="slide"
# ## What a test cannot see
#
# The test compares numbers, at the numbers you try. Dan is wrong. Still, for one of
# these tests his gradient passes: for which?
#
# - every $d_j$ is 1
# - every entry of $A$ is 1
# - $A$ is square

# %% guess="00.13"
guess(
    "00.13",
    passes="every d is 1",
    choices=("every d is 1", "every entry of A is 1", "A is square"),
)

# %% [markdown] answer="00.13" slide="fragment"
# With every $d_j = 1$ a lost factor $d$ does not show. So in this course's checks no
# number is 1 or 0 without need, no two sizes are equal, and special cases come in
# addition.
#
# And if the *loss* is wrong, its gradient can agree to ten digits: both sides then have
# the same mistake.

# %% [markdown] written="two_tests" points=2
# ### In your own words
#
# Two gradients are tested, each at three steps. The relative errors:
#
# | step | gradient P | gradient Q |
# |---|---|---|
# | $10^{-2}$ | $3.1 \cdot 10^{-4}$ | $2.2 \cdot 10^{-4}$ |
# | $10^{-3}$ | $3.0 \cdot 10^{-4}$ | $2.2 \cdot 10^{-6}$ |
# | $10^{-4}$ | $3.0 \cdot 10^{-4}$ | $2.2 \cdot 10^{-8}$ |
#
# Which of the two derivations do you believe, and what does the way each error moves
# with the step tell you about where it comes from? Three or four sentences.
#
# === BEGIN MARK SCHEME ===
# 1 point: Q falls by a hundred for a ten times smaller step: that is the central
# difference's own error, (0.10); the derivation is right as far as this test goes.
# 1 point: P does not move with the step, so its error is neither the formula's nor
# rounding's: it is in the derivation (a small term missing or wrong), although
# 3e-4 looks small. Right and no loss: that one would go on to 1e-5, or try other numbers;
# that below some 1e-6 rounding would make Q's error grow again.
# === END MARK SCHEME ===

# %% [markdown] slide="slide"
# ## Recap
#
# - Vectors are columns, time comes first, `W` is keyed by superscripts,
#   `dh` has the shape of `h`.
# - Sigmoid: a form for each sign, so that nothing overflows and small answers keep
#   their digits.
# - Slopes come from outputs; you found both, and you will need them in every notebook.
# - Numeric gradient: nudge to both sides, with a step near $10^{-5}$, in float64.
# - Compare by relative error. A test sees what differs at the numbers you try.
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

# %% [markdown] extra=true
# ## All symbols of the course
#
# To look things up. Each notebook says again what it uses.
#
# | in a formula | in code | shape | what it is |
# |---|---|---|---|
# | $D, H, N, T, C$ | `D`, `H`, `N`, `T`, `C` | | inputs, units, sequences, time steps, classes |
# | $L$ | `loss` | one number | the loss |
# | $\sigma$, $\odot$ | `sigmoid`, `*` | | the sigmoid; multiplication entry by entry |
# | $z$ | `z`, `dz` | | what goes into a sigmoid or a softmax: in 01 and 02 the logits, from 04 on a gate's |
# | $a_t$ | `da` | $(H, N)$ | what goes into the tanh of a step |
# | $x_t$ | `x_t` | $(D, N)$ | input at step $t$ |
# | $s_t$ | `s_t`, `s_prev` | $(H, N)$ | state of a simple or a gated RNN |
# | $\tilde s_t$ | `candidate` | $(H, N)$ | what would be written into it |
# | $g_t$, $r_t$ | `g_t`, `r_t` | $(H, N)$ | gate and reset gate of the gated RNN |
# | $h_t$, $c_t$ | `h_t`, `c_t` | $(H, N)$ | visible state and memory cell of an LSTM |
# | $f_t, i_t, o_t$ | `gates["f"]` … `gates["o"]` | $(H, N)$ | forget, input, output gate |
# | $\tilde c_t$ | `gates["c"]` | $(H, N)$ | what would be written into its cell |
# | $p$ | `probabilities` | $(C, N)$ | what is predicted |
# | $W^{s,x}$ | `W["sx"]` | $(H, D)$ | a matrix **to** the state **from** the input; so all others |
# | $\delta_t$ | `ds` | $(H, N)$ | error signal: total gradient of the loss by $s_t$ |
# | $V^{y,h}$ | `V["yh"]` | $(C, H)$ | 09: the read-out, to the logits from the visible state |
# | $\tau$ | `temperature` | a number | 09: how daring a drawn text is |
# | $\kappa_t$ | `shares` | $(T, N)$ | 09: how much of a prediction hangs on position $t$ |
# | $\lambda_t$, $w_t$ | `factors`, `writes` | $(H, N)$ | 10: what is kept of a state, what is added to it |
# | $C_t$, $n_t$ | `C_t`, `n_t` | $(V, K, N)$, $(K, N)$ | 10: a matrix memory, and what it divides by |
# | $v_t$, $k_t$, $q_t$ | `v_t`, `k_t`, `q_t` | $(V, N)$, $(K, N)$, $(K, N)$ | 10: value, key and query |
# | $\varepsilon$, $u$ | `eps`, `u` | a number | a step to nudge by; rounding of one number |
