"""How the exercises of notebook 00 are checked."""

from functools import partial

from autograder import Exercise, Mutant

# ---------------------------------------------------------------- inputs


def ordinary_numbers(rng, shape=(3, 4)):
    return {"z": 2.5 * rng.normal(size=shape)}


def numbers_between(rng, low, high, size=6):
    return {"z": rng.uniform(low, high, size=size)}


def numbers_of_both_signs(rng, size=6):
    """Half about 1000, half about -650, mixed."""
    large, small = rng.uniform(900, 1100, size=size // 2), rng.uniform(-690, -610, size=size // 2)
    return {"z": rng.permutation([*large, *small])}


def gate_values(rng, low=0.02, high=0.98, shape=(3, 4)):
    return {"s": rng.uniform(low, high, size=shape)}


def state_values(rng, low=-0.97, high=0.97, shape=(3, 4)):
    return {"t": rng.uniform(low, high, size=shape)}


def saturated_states(rng, size=6):
    """Between 1e-4 and 1e-3 away from -1 or from 1."""
    return {"t": rng.choice([-1.0, 1.0], size=size) * (1 - rng.uniform(1e-4, 1e-3, size=size))}


def loss_inputs(rng, H=3, D=4, N=2, eps=None):
    return {
        "A": rng.normal(size=(H, D)),
        "x": rng.normal(size=(D, N)),
        "eps": float(rng.uniform(0.05, 0.1)) if eps is None else eps,
    }


# ---------------------------------------------------------------- the same values, computed otherwise


def torch_sigmoid(z):
    import torch

    return torch.sigmoid(torch.as_tensor(z)).numpy()


def torch_sigmoid_grad(s):
    import torch

    z = torch.logit(torch.as_tensor(s)).requires_grad_()
    torch.sigmoid(z).sum().backward()
    return z.grad.numpy()


def torch_tanh_grad(t):
    import torch

    z = torch.atanh(torch.as_tensor(t)).requires_grad_()
    torch.tanh(z).sum().backward()
    return z.grad.numpy()


def torch_numerical_gradient(A, x, eps):
    """All nudges at once: nudging A[i, j] moves only row i of A x, by eps times row j of x."""
    import torch

    z, step = torch.as_tensor(A @ x)[:, None, :], torch.as_tensor(eps * x)[None, :, :]
    surprise = lambda z: -torch.nn.functional.logsigmoid(z)  # noqa: E731
    return ((surprise(z + step) - surprise(z - step)).sum(dim=2) / (2 * eps)).numpy()


# ---------------------------------------------------------------- exercises

sigmoid = Exercise(
    returns=("s",),
    cases=ordinary_numbers,
    edge_cases={
        "one number, shape (1,)": partial(ordinary_numbers, shape=(1,)),
        "three axes": partial(ordinary_numbers, shape=(2, 3, 4)),
        "very large z (about 1000)": partial(numbers_between, low=900, high=1100),
        "small answers (z about -50)": partial(numbers_between, low=-60, high=-45),
        "very small answers (z about -600)": partial(numbers_between, low=-640, high=-560),
        "the smallest answers (z about -715)": partial(numbers_between, low=-719, high=-711),
        "both signs, far from 0": numbers_of_both_signs,
    },
    hints=(
        "An exponential of a positive number can become too large, one of a negative number never. "
        "(0.3) gives a form for each sign of z.",
        "The answer has the shape of z. `np.where(condition, a, b)` picks entry by entry, "
        "and `np.abs(z)` is never negative.",
        "Start with `e = np.exp(-np.abs(z))`: it lies between 0 and 1 whatever z is.",
    ),
    misconceptions=[
        Mutant(
            "overflow, or a clipped z, near -715",
            "np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
            "1 / (1 + np.exp(-z))",
            hint="Near -715 the first form of (0.3) makes inf out of exp(715), and a clipped z answers "
            "for another number. For negative z take the second form.",
        ),
        Mutant(
            "one form chosen for the whole array",
            "np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
            "1 / (1 + e) if (z >= 0).all() else np.exp(z) / (1 + np.exp(z))",
            hint="An array may hold both signs: choose the form entry by entry.",
        ),
        Mutant(
            "overflows for very large z",
            "np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
            "np.exp(z) / (1 + np.exp(z))",
            hint="exp(1000) is inf, and inf / inf is not a number. Use the other form of (0.3) there.",
        ),
        Mutant(
            "small answers rounded to zero",
            "np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
            "(1 + np.tanh(z / 2)) / 2",
            hint="Nothing overflows, but 1 + tanh(-25), or 1 minus a number next to 1, is rounded to an "
            "exact 0: the digits are lost.",
        ),
        Mutant(
            "z clipped at 500",
            "np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
            "1 / (1 + np.exp(-np.clip(z, -500, 500)))",
            hint="Clipping stops the overflow by changing the answer: sigmoid(-600) is not sigmoid(-500).",
        ),
        Mutant(
            "z clipped at 30",
            "np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
            "1 / (1 + np.exp(-np.clip(z, -30, 30)))",
            hint="Clipping stops the overflow by changing the answer: sigmoid(-50) is not sigmoid(-30).",
        ),
        Mutant(
            "sign of the exponent wrong",
            "z >= 0",
            "z < 0",
            hint="For large z the sigmoid is near 1. What is yours there?",
        ),
        Mutant(
            "the form for z >= 0 used for both signs",
            "e / (1 + e))",
            "1 / (1 + e))",
            hint="Your answer is never below one half: what happens to the sign of z?",
        ),
        Mutant(
            "the form for z < 0 used for both signs",
            "1 / (1 + e), ",
            "e / (1 + e), ",
            hint="Your answer is never above one half: what happens to the sign of z?",
        ),
        Mutant(
            "negative entries left at zero",
            "e / (1 + e))",
            "0.0)",
            hint="Where z is negative the answer is small, but not 0.",
        ),
        Mutant(
            "denominator missing for negative z",
            "e / (1 + e))",
            "e)",
            hint="For negative z: above the line e^z, below it 1 + e^z.",
        ),
        Mutant(
            "brackets missing: 1 / 1 + e",
            "np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
            "1 / 1 + np.exp(-z)",
            hint="Division comes before addition: what is above the line, and what below?",
        ),
        Mutant(
            "tanh instead of the sigmoid",
            "np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
            "np.tanh(z)",
            hint="The sigmoid lies between 0 and 1, and is one half at 0.",
        ),
        Mutant(
            "made from tanh without halving z",
            "np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
            "(1 + np.tanh(z)) / 2",
            hint="Your curve is twice as steep: compare with (0.6). "
            "(And small answers are rounded to zero in this form.)",
        ),
        Mutant(
            "a step instead of a slope",
            "np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
            "(z >= 0).astype(float)",
            hint="The sigmoid moves smoothly from 0 to 1; a switch has no slope to learn from.",
        ),
        Mutant(
            "the derivative returned",
            "np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
            "e / (1 + e) ** 2",
            hint="Yours has a hump at 0: that is the slope of the sigmoid, not the sigmoid.",
        ),
        Mutant(
            "the logarithm returned",
            "np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
            "-np.logaddexp(0, -z)",
            hint="Your numbers are negative: that is the logarithm of the sigmoid.",
        ),
        Mutant(
            "divided by the sum over the array",
            "np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
            "np.exp(z - z.max()) / np.exp(z - z.max()).sum()",
            hint="Every entry is by itself: the answer for one number does not look at the others.",
        ),
    ],
    confirm=torch_sigmoid,
    axes={"s": ("row", "column"), "z": ("row", "column")},
    # Small answers must keep their digits: what counts is the relative error alone.
    atol=0.0,
)

sigmoid_grad = Exercise(
    returns=("slope",),
    cases=gate_values,
    edge_cases={
        "one number, shape (1,)": partial(gate_values, shape=(1,)),
        "three axes": partial(gate_values, shape=(2, 3, 4)),
        "outputs near 1": partial(gate_values, low=0.999, high=0.9999, shape=(6,)),
        "outputs near 0": partial(gate_values, low=1e-4, high=1e-3, shape=(6,)),
    },
    hints=(
        "You get the output s, not z. (0.4) needs nothing else.",
        "The slope has the shape of s: every entry by itself.",
        "The slope is the product of s and of what s lacks to 1.",
    ),
    misconceptions=[
        Mutant(
            "differentiated once too often",
            "s * (1 - s)",
            "1 - 2 * s",
            hint="s (1 - s) is the slope already: it is not differentiated again.",
        ),
        Mutant(
            "sigmoid applied to the output again",
            "s * (1 - s)",
            "sigmoid(s) * (1 - sigmoid(s))",
            hint="`s` has been through the sigmoid already.",
        ),
        Mutant(
            "derivative of tanh",
            "s * (1 - s)",
            "1 - s**2",
            hint="That is (0.7), the slope of tanh from its output.",
        ),
        Mutant(
            "plus for minus",
            "(1 - s)",
            "(1 + s)",
            hint="The slope vanishes where s is near 0 and where s is near 1. Does yours?",
        ),
        Mutant(
            "factor s missing",
            "s * (1 - s)",
            "1 - s",
            hint="The slope vanishes on both sides. Yours does on one only.",
        ),
        Mutant(
            "brackets missing: s * 1 - s",
            "s * (1 - s)",
            "s * 1 - s",
            hint="`s * 1 - s` is always 0: multiplication comes before subtraction.",
        ),
        Mutant(
            "s squared",
            "s * (1 - s)",
            "s**2",
            hint="The slope vanishes on both sides. Yours does on one only.",
        ),
        Mutant(
            "1 - s squared",
            "s * (1 - s)",
            "(1 - s) ** 2",
            hint="One factor is s itself.",
        ),
        Mutant(
            "the greatest slope everywhere",
            "s * (1 - s)",
            "np.full(s.shape, 0.25)",
            hint="A quarter is the slope in the middle, at s = 1/2. It depends on s.",
        ),
        Mutant(
            "slope scaled to 1 in the middle",
            "s * (1 - s)",
            "4 * s * (1 - s)",
            hint="At s = 1/2 the slope is a quarter: (0.4) has no further factor.",
        ),
        Mutant(
            "s times 1 - s squared",
            "s * (1 - s)",
            "s * (1 - s**2)",
            hint="Only one of the two derivatives has a square in it, and it is not this one.",
        ),
        Mutant(
            "derivative of the derivative",
            "s * (1 - s)",
            "s * (1 - s) * (1 - 2 * s)",
            hint="Your slope is 0 at s = 1/2, where the sigmoid is steepest.",
        ),
    ],
    confirm=torch_sigmoid_grad,
    axes={"slope": ("row", "column"), "s": ("row", "column")},
)

tanh_grad = Exercise(
    returns=("slope",),
    cases=state_values,
    edge_cases={
        "one number, shape (1,)": partial(state_values, shape=(1,)),
        "three axes": partial(state_values, shape=(2, 3, 4)),
        "outputs near -1 and 1": saturated_states,
    },
    hints=(
        "You get the output t, not z. (0.7) needs nothing else.",
        "The slope has the shape of t, is 1 where t is 0, and the same for t and -t.",
        "Start from 1, and subtract.",
    ),
    misconceptions=[
        Mutant(
            "derivative of the formula for the slope",
            "1 - t**2",
            "-2 * t",
            hint="1 - t**2 is the slope already: it is not differentiated again.",
        ),
        Mutant(
            "tanh applied to the output again",
            "t**2",
            "np.tanh(t) ** 2",
            hint="`t` has been through tanh already.",
        ),
        Mutant(
            "derivative of the sigmoid",
            "1 - t**2",
            "t * (1 - t)",
            hint="That is (0.4), the slope of the sigmoid from its output.",
        ),
        Mutant(
            "square missing",
            "t**2",
            "t",
            hint="The slope is the same for t and -t, and never above 1. Is yours?",
        ),
        Mutant(
            "absolute value for the square",
            "t**2",
            "np.abs(t)",
            hint="Right at -1, 0 and 1 only: look at the exponent in (0.7).",
        ),
        Mutant(
            "plus for minus",
            "1 - t**2",
            "1 + t**2",
            hint="The slope is greatest, 1, in the middle. Yours is smallest there.",
        ),
        Mutant(
            "bracket around the difference",
            "1 - t**2",
            "(1 - t) ** 2",
            hint="Square t first, then subtract.",
        ),
        Mutant(
            "1 missing",
            "1 - t**2",
            "t**2",
            hint="At t = 0 the slope is 1. What is yours?",
        ),
        Mutant(
            "two for the exponent",
            "t**2",
            "2 * t",
            hint="t squared, not t doubled.",
        ),
        Mutant(
            "square root of the slope",
            "1 - t**2",
            "np.sqrt(1 - t**2)",
            hint="The square of your answer is right.",
        ),
        Mutant(
            "derivative of the derivative",
            "1 - t**2",
            "-2 * t * (1 - t**2)",
            hint="Your slope is 0 at t = 0, where tanh is steepest: you differentiated once too often.",
        ),
    ],
    confirm=torch_tanh_grad,
    axes={"slope": ("row", "column"), "t": ("row", "column")},
)

numerical_gradient = Exercise(
    returns=("dA",),
    cases=(loss_inputs, partial(loss_inputs, D=5, H=4, N=3)),
    edge_cases={
        "one row (H = 1)": partial(loss_inputs, H=1),
        "one column (D = 1)": partial(loss_inputs, D=1),
        "one data point (N = 1)": partial(loss_inputs, N=1),
        "a large step (eps = 1)": partial(loss_inputs, eps=1.0),
        "a small step (eps = 1e-5)": partial(loss_inputs, eps=1e-5),
    },
    hints=(
        "Nudge one entry of A, the others as they are: how much does the loss change?",
        "dA has the shape of A; each of its entries takes two evaluations of the loss, "
        "which are 2 eps apart.",
        "Start with `dA = np.zeros(A.shape)` and loop: `for index in np.ndindex(A.shape):`",
    ),
    misconceptions=[
        Mutant(
            "one-sided difference, forward",
            "loss(A + nudge, x) - loss(A - nudge, x)\n        dA[index] = difference / (2 * eps)",
            "loss(A + nudge, x) - loss(A, x)\n        dA[index] = difference / eps",
            hint="Step to both sides of A: the error is then of the order of eps squared.",
        ),
        Mutant(
            "one-sided difference, backward",
            "loss(A + nudge, x) - loss(A - nudge, x)\n        dA[index] = difference / (2 * eps)",
            "loss(A, x) - loss(A - nudge, x)\n        dA[index] = difference / eps",
            hint="Step to both sides of A: the error is then of the order of eps squared.",
        ),
        Mutant(
            "one-sided difference, halved",
            "loss(A + nudge, x) - loss(A - nudge, x)",
            "loss(A + nudge, x) - loss(A, x)",
            hint="How far apart are the two places at which you evaluate the loss?",
        ),
        Mutant(
            "zeros: nothing written, or both sides the same array",
            "loss(A + nudge, x) - loss(A - nudge, x)",
            "loss(A + nudge, x) - loss(A + nudge, x)",
            hint="Every difference is 0. Mind that `B = A` makes no copy: B and A are one array.",
        ),
        Mutant(
            "factor 2 missing below the line",
            "(2 * eps)",
            "eps",
            hint="How far apart are the two places at which you evaluate the loss?",
        ),
        Mutant(
            "brackets missing: / 2 * eps",
            "(2 * eps)",
            "2 * eps",
            hint="`a / 2 * eps` divides by 2 and then multiplies by eps.",
        ),
        Mutant(
            "not divided by the step",
            "difference / (2 * eps)",
            "difference",
            hint="A slope is a change per step.",
        ),
        Mutant(
            "nudges pile up",
            "for index in np.ndindex(A.shape):\n        nudge = np.zeros(A.shape)",
            "nudge = np.zeros(A.shape)\n    for index in np.ndindex(A.shape):",
            hint="Your first entry is right. Is the first nudge taken back before the second?",
        ),
        Mutant(
            "entry left lowered",
            "difference = loss(A + nudge, x) - loss(A - nudge, x)",
            "difference = loss(A + nudge, x) - loss(A - nudge, x)\n        A = A - nudge",
            hint="Your first entry is right. Put an entry back where it was before the next one.",
        ),
        Mutant(
            "all entries nudged at once",
            "nudge[index] = eps",
            "nudge[:] = eps",
            hint="All entries of yours are equal: nudge one entry at a time.",
        ),
        Mutant(
            "a whole row nudged",
            "nudge[index] = eps",
            "nudge[index[0]] = eps",
            hint="Within a row all your entries are equal: nudge one entry, with both its indices.",
        ),
        Mutant(
            "a whole column nudged",
            "nudge[index] = eps",
            "nudge[:, index[1]] = eps",
            hint="Within a column all your entries are equal: nudge one entry, with both its indices.",
        ),
        Mutant(
            "eps not used",
            "dA = np.zeros(A.shape)",
            "eps = 1e-5\n    dA = np.zeros(A.shape)",
            hint="Your answer is nearly the exact gradient, whatever eps is: the step is an argument; "
            "use the one that is given.",
        ),
        Mutant(
            "step in proportion to the entry",
            "nudge[index] = eps",
            "nudge[index] = eps * A[index]",
            hint="The nudge is eps, whatever the size of the entry.",
        ),
        Mutant(
            "half a step to each side",
            "nudge[index] = eps",
            "nudge[index] = eps / 2",
            more=(("(2 * eps)", "eps"),),
            hint="(0.14) steps by eps to each side, so that the places are 2 eps apart.",
        ),
        Mutant(
            "last row never reached",
            "np.ndindex(A.shape)",
            "np.ndindex(A.shape[0] - 1, A.shape[1])",
            hint="One row of yours is still zero.",
        ),
        Mutant(
            "last column never reached",
            "np.ndindex(A.shape)",
            "np.ndindex(A.shape[0], A.shape[1] - 1)",
            hint="One column of yours is still zero.",
        ),
        Mutant(
            "first row and column only",
            "np.ndindex(A.shape)",
            "[(0, 0)]",
            hint="One entry of yours is right, the others are still zero: is `return` in the loop?",
        ),
        Mutant(
            "absolute value of the slope",
            "return dA",
            "return np.abs(dA)",
            hint="A slope may be negative: keep the sign.",
        ),
        Mutant(
            "second derivative",
            "loss(A + nudge, x) - loss(A - nudge, x)",
            "loss(A + nudge, x) - 2 * loss(A, x) + loss(A - nudge, x)",
            more=(("/ (2 * eps)", "/ eps**2"),),
            hint="The slope is a difference of two values; yours measures the bend.",
        ),
    ],
    confirm=torch_numerical_gradient,
    axes={"dA": ("row", "column"), "A": ("row", "column"), "x": ("row", "data point")},
)
