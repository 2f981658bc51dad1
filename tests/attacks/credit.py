"""A forward made up so that its own gradient is easy: marks for a backward that nobody derived."""

from attacks.kit import BACKWARD, FORWARD, POINTS, STEP, Attack, backward, right, step

LINE = "credit"
# With every one of these, rnn_step earns nothing; rnn_forward is right with the reference for rnn_step.
HONEST = POINTS[FORWARD]

SUMS = step("return s_prev + x_t.sum() + W['ss'].sum() + W['sx'].sum()")
SUMS_BACK = backward("""
total = ds.sum()
return np.full_like(x_t, total), ds, {k: np.full_like(v, total) for k, v in W.items()}
""")
CURVED = step("return np.tanh(s_prev + np.sin(x_t.sum()) + W['ss'].sum() ** 2 + np.exp(W['sx'].sum() / 9))")
CURVED_BACK = backward("""
dz = ds * (1 - s_t**2)
total = dz.sum()
return (np.full_like(x_t, total * np.cos(x_t.sum())), dz,
        {"ss": np.full_like(W["ss"], total * 2 * W["ss"].sum()),
         "sx": np.full_like(W["sx"], total * np.exp(W["sx"].sum() / 9) / 9)})
""")
ZEROS_BACK = backward("return 0 * x_t, 0 * s_prev, {k: 0 * v for k, v in W.items()}")
# Rows depend on what they should, but each by itself: no matrix product is differentiated.
PATTERN = step(
    "return (s_prev**3).sum(0) + (x_t**3).sum(0) + ((W['ss']**3).sum(1) + (W['sx']**3).sum(1))[:, None]"
)
PATTERN_BACK = backward("""
columns, rows = ds.sum(0), ds.sum(1)[:, None]
return 3 * x_t**2 * columns, 3 * s_prev**2 * columns, {k: 3 * v**2 * rows for k, v in W.items()}
""")
# Known to be wrong in a way that has a name while it is judged itself; afterwards something easy.
TURNCOAT = """
phase = []
def rnn_step(x_t, s_prev, W):
    if phase: return s_prev + x_t.sum() + W["ss"].sum() + W["sx"].sum()
    return W["ss"] @ s_prev + W["sx"] @ x_t
"""
TURNCOAT_BACK = """
def rnn_step_backward(ds, x_t, s_prev, s_t, W):
    phase.append(1)
    total = ds.sum()
    return np.full_like(x_t, total), ds, {k: np.full_like(v, total) for k, v in W.items()}
"""
# "The answer changes from call to call" is a mistake with a name, too.
RESTLESS = """
import itertools
calls = itertools.count()
def rnn_step(x_t, s_prev, W):
    return (s_prev + x_t.sum() + W["ss"].sum() + W["sx"].sum()) * (1 + 1e-7 * next(calls) ** 0.5)
"""
# So small that a gradient of zeros is within rounding of it.
TINY = step("return 1e-9 * (W['ss'] @ s_prev + W['sx'] @ x_t)")
GROWING = """
calls = []
def rnn_step(x_t, s_prev, W):
    calls.append(1)
    scale = 1e-12 if len(calls) < 20 else 1.0
    return scale * (W["ss"] @ s_prev + W["sx"] @ x_t)
"""
# Right at the point where it is asked first, easy around it.
TANGENT = """
first = {}
def rnn_step(x_t, s_prev, W):
    key = round(float(np.abs(x_t).sum() + np.abs(s_prev).sum()), 1)
    x, s, w, v, y = first.setdefault(key, (x_t, s_prev, W["ss"], W["sx"], np.tanh(W["ss"].T @ s_prev + W["sx"] @ x_t)))
    return y + (s_prev - s) + (x_t - x).sum() + (W["ss"] - w).sum() + (W["sx"] - v).sum()
"""
LINEAR = step('return W["ss"] @ s_prev + W["sx"] @ x_t')


def pair(
    name: str, forward_answer: dict[str, str], backward_answer: dict[str, str], mark: float = HONEST
) -> Attack:
    """A made-up rnn_step and its backward; the mark is what is right beside them."""
    return Attack(name, mark, {**forward_answer, **backward_answer})


ATTACKS = [
    pair("a_forward_of_sums", SUMS, SUMS_BACK),
    pair("a_curved_forward_of_sums", CURVED, CURVED_BACK),
    pair("a_forward_of_zeros", step("return np.zeros_like(s_prev)"), ZEROS_BACK),
    pair("a_forward_of_the_right_pattern", PATTERN, PATTERN_BACK),
    pair("named_first_and_easy_later", {STEP: TURNCOAT}, {BACKWARD: TURNCOAT_BACK}),
    pair("restless_and_easy", {STEP: RESTLESS}, SUMS_BACK),
    pair("too_small_to_have_a_gradient", TINY, ZEROS_BACK),
    pair("too_small_at_first", {STEP: GROWING}, ZEROS_BACK),
    pair("right_at_a_point_and_easy_around_it", {STEP: TANGENT}, SUMS_BACK),
    pair(
        "a_backward_of_numeric_differences_of_a_wrong_forward",
        SUMS,
        {BACKWARD: right(BACKWARD)},
        HONEST + POINTS[BACKWARD],
    ),
    Attack(
        "wrong_at_the_edge_to_excuse_the_backwards_edge",
        0.75 * POINTS[STEP] + POINTS[FORWARD] + 0.75 * POINTS[BACKWARD],
        {
            STEP: right(STEP).replace("return np.tanh(", "return (x_t.shape[1] > 1) * np.tanh("),
            BACKWARD: right(BACKWARD).replace("dz = ds *", "dz = (x_t.shape[1] > 1) * ds *"),
        },
    ),
]
