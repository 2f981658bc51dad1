"""Differentiates the forward by a general method: right numbers, and nothing derived."""

from attacks.kit import ALL, BACKWARD, POINTS, Attack, backward

LINE = "underived"
HALF = ALL - POINTS[BACKWARD] / 2

COMPLEX = """
def slope_by_complex_steps(f, array):
    found = np.zeros(array.shape)
    for i in np.ndindex(array.shape):
        stepped = array.astype(complex)
        stepped[i] += 1e-30j
        found[i] = f(stepped).imag / 1e-30
    return found
"""
CENTRAL = """
def slope_by_differences(f, array, h=1e-3):
    found = np.zeros(array.shape)
    for i in np.ndindex(array.shape):
        def at(k):
            moved = array.copy()
            moved[i] += k * h
            return f(moved)
        found[i] = (45 * (at(1) - at(-1)) - 9 * (at(2) - at(-2)) + at(3) - at(-3)) / (60 * h)
    return found
"""
BY_SLOPES = """
loss = lambda x, s, ss, sx: (ds * {forward}).sum()
ss, sx = W["ss"], W["sx"]
return (
    {slope}(lambda a: loss(a, s_prev, ss, sx), x_t), {slope}(lambda a: loss(x_t, a, ss, sx), s_prev),
    {{"ss": {slope}(lambda a: loss(x_t, s_prev, a, sx), ss), "sx": {slope}(lambda a: loss(x_t, s_prev, ss, a), sx)}},
)
"""
GIVEN = "rnn_step(x, s, {'ss': ss, 'sx': sx})"
OWN = "np.tanh(ss @ s + sx @ x)"
# Value and all its slopes at once, carried along.
DUAL = """
parts = [x_t, s_prev, W["ss"], W["sx"]]
total = sum(part.size for part in parts)
slopes, at = [], 0
for part in parts:
    unit = np.zeros((total, part.size))
    unit[np.arange(at, at + part.size), np.arange(part.size)] = 1
    slopes.append(unit.reshape(total, *part.shape)); at += part.size
x, s, ss, sx = parts
dx, ds_, dss, dsx = slopes
z, dz = ss @ s + sx @ x, dss @ s + ss @ ds_ + dsx @ x + sx @ dx
flat = ((1 - np.tanh(z) ** 2) * dz * ds).sum(axis=(1, 2))
cut = np.split(flat, np.cumsum([part.size for part in parts])[:-1])
x, s, ss, sx = (c.reshape(part.shape) for c, part in zip(cut, parts))
return x, s, {"ss": ss, "sx": sx}
"""
# One direction after the other, through the linear part only.
PUSHED = """
s = np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)
def slope(array, push):
    found = np.zeros(array.shape)
    for i in np.ndindex(array.shape):
        unit = np.zeros(array.shape); unit[i] = 1
        found[i] = (ds * (1 - s * s) * push(unit)).sum()
    return found
return (slope(x_t, lambda u: W["sx"] @ u), slope(s_prev, lambda u: W["ss"] @ u),
        {"ss": slope(W["ss"], lambda u: u @ s_prev), "sx": slope(W["sx"], lambda u: u @ x_t)})
"""
# The given state stands in the answer, where it adds nothing.
MIXED = BY_SLOPES.format(slope="slope_by_complex_steps", forward=OWN).replace(
    "return (", "unused = (s_t - rnn_step(x_t, s_prev, W)).sum()\nreturn (unused + ", 1
)


def by_slopes(name: str, slope: str, helper: str, forward: str) -> Attack:
    """Every gradient by slopes of the loss."""
    return Attack(
        name,
        HALF,
        backward(BY_SLOPES.format(slope=slope, forward=forward)),
        own=("import numpy as np\n" + helper,),
    )


ATTACKS = [
    by_slopes("complex_steps_through_the_given_forward", "slope_by_complex_steps", COMPLEX, GIVEN),
    by_slopes("complex_steps_through_a_forward_of_ones_own", "slope_by_complex_steps", COMPLEX, OWN),
    by_slopes("differences_through_the_given_forward", "slope_by_differences", CENTRAL, GIVEN),
    by_slopes("differences_through_a_forward_of_ones_own", "slope_by_differences", CENTRAL, OWN),
    Attack("complex_steps_with_the_given_state_in_the_answer", HALF, backward(MIXED), own=("import numpy as np\n" + COMPLEX,)),
    Attack("dual_numbers_all_at_once", HALF, backward(DUAL)),
    Attack("dual_numbers_one_after_the_other", HALF, backward(PUSHED)),
    Attack("complex_steps_and_no_forward", POINTS[BACKWARD] / 2, backward(BY_SLOPES.format(slope="slope_by_complex_steps", forward=OWN)),
           own=("import numpy as np\n" + COMPLEX,), solved=False),
]  # fmt: skip
