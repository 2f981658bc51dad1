"""A solver that knows nothing and follows every word of a check: no derivation is told factor by factor.

It has the quantities in scope, their products, sums and 1 - q, and as a gift the sums over matrices; what it
lacks are the factors on each way. It reads the headline, the names, the hints and the failing outputs, and
takes from them whatever looks like a factor: code, a word such as "sigmoid", "factor g", "the sign".
"""

import re
from dataclasses import dataclass, field
from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest
from course import NOTEBOOKS, frozen_sheet, master_of

from autograder.check import caller
from autograder.judging.judge import judge
from autograder.report.feedback import headline, lines

MOST_CHECKS = 200
MOST_FACTORS = 3
EXERCISES = [
    ("04_gating", "gated_step_backward"),
    ("04_gating", "reset_step_backward"),
]
JACOBIANS = [
    ("03_vanishing_and_exploding_gradients", "step_jacobian"),
    ("03_vanishing_and_exploding_gradients", "leaky_jacobian"),
]
SNIPPETS = (r"`([^`]+)`", r"\(([^()]+)\)", r"factor ([\w.]+(?: [-+*] [\w.]+)?)", r"\b(1 - \w+)")
# What a word lets the solver try, for every quantity q in scope.
SLOPES = {"tanh": "1 - {q}**2", "sigmoid": "{q} * (1 - {q})", "squared": "{q}**2"}

# The names that stood in 04's table of mistakes before it withheld anything.
OLD_NAMES = [
    "factor (candidate - s_prev) dropped from dg",
    "derivative of tanh missing",
    "derivative of the sigmoid missing",
    "factor g missing on the way to the candidate",
    "direct path (1 - g) dropped",
]


@dataclass
class Solver:
    """What every solver does: out of all that it is told it reads what may be a factor.

    A kind of solver says what code may name (`scope`), the shape of a factor (`shape`), what a word for a
    slope may be about (`quantities`), and what it can think of by itself (`blocks`).
    """

    sheet: object
    named: list[str] = field(default_factory=list)
    tried: dict[str, set] = field(default_factory=dict)

    def read(self, text):
        """Take from a text what may be a factor."""
        found = [self.spelled(snippet) for pattern in SNIPPETS for snippet in re.findall(pattern, text)]
        for word, slope in SLOPES.items():
            found += [slope.format(q=q) for q in self.quantities] if word in text else []
        for code in found:
            if code not in self.named and self.is_factor(code):
                self.named.append(code)

    def spelled(self, snippet):
        """A snippet as the code that it may stand for."""
        return snippet

    def is_factor(self, code):
        try:
            return np.shape(eval(code, {}, dict(self.scope))) == self.shape
        except Exception:
            return False

    def pool(self):
        """All factors that it can think of, those first that were named."""
        return [*self.named, *(block for block in self.blocks if block not in self.named)]

    def next_of(self, products, place):
        """The first of some products that was not tried in a place yet."""
        before = self.tried.setdefault(place, set())
        product = next((factors for factors in products if factors not in before), ())
        before.add(product)
        return product


def products_of(factors):
    """All products of a few factors, the shortest first."""
    sizes = range(MOST_FACTORS + 1)
    return [product for size in sizes for product in combinations_with_replacement(factors, size)]


def checks_needed(solver, said_too=(), forward=None, most=MOST_CHECKS):
    """How many checks a solver needs, or None where it does not arrive.

    Args:
        solver: has `function()`, the answer as it is now or None for want of another, and
            `go_on(judgement, said)`, which changes what a check said to be wrong.
        said_too: what it is told beside the hints and the words of the checks.
        forward: the function whose backward is looked for, as a check calls it.
        most: how many checks it has.
    """
    for words in (*solver.sheet.spec.hints, *said_too):
        solver.read(words)
    for count in range(1, most + 1):
        function = solver.function()
        if function is None:
            return None
        with np.errstate(all="ignore"):
            judgement = judge(solver.sheet, caller(function), forward)
        if judgement.status == "right":
            return count
        solver.go_on(judgement, [headline(judgement), *(text for _, text in lines(judgement))])
    return None


def one_and_the_same(said):
    """The ways whose gradients are said to be the same numbers, by the first letters of their keys."""
    (told,) = re.findall(r"under several names: (.*)", said)
    return re.findall(r"`\w+\[\"(\w)\w+\"\]`", told)


# ---------------------------------------------------------------- one state


@dataclass
class StepSolver(Solver):
    """What it knows of a step: how the outputs are put together.

    `ways` are the first letters of the weights, "g" for those of a gate: one product of factors each, and one
    for the direct way. `own` are further factors of single weights.
    """

    ways: dict[str, tuple[str, ...]] = field(default_factory=dict)
    own: dict[str, tuple[str, ...]] = field(default_factory=dict)
    turned: bool = False
    direct: tuple[str, ...] | None = None

    def __post_init__(self):
        gradient, inputs = self.sheet.forward.gradient, self.sheet.cases[0].inputs
        (self.upstream,) = gradient.upstream
        self.weights = next(name for name, value in inputs.items() if isinstance(value, dict))
        self.shape = inputs[self.upstream].shape
        arrays = {name: value for name, value in inputs.items() if name not in (self.upstream, self.weights)}
        self.scope = {**arrays, self.weights: inputs[self.weights]}
        self.quantities = [name for name, value in arrays.items() if value.shape == self.shape]
        self.went_in = {
            key: next(n for n in gradient.wrt.values() if n in arrays and len(arrays[n]) == matrix.shape[1])
            for key, matrix in inputs[self.weights].items()
        }
        self.home = next(name for name in gradient.wrt.values() if name in self.quantities)
        self.ways = dict.fromkeys((key[0] for key in self.went_in), ())
        qs = self.quantities
        pairs = list(combinations(qs, 2))
        self.blocks = [*qs, *(f"1 - {q}" for q in qs), *(f"{a} + {b}" for a, b in pairs)]
        self.blocks += [f"{a} - {b}" for a, b in (*pairs, *((b, a) for a, b in pairs))]
        self.blocks += [f'{self.weights}["{key}"] @ {name}' for key, name in self.went_in.items()]

    def function(self):
        """The answer as it is now."""
        wrt, ways, own = self.sheet.forward.gradient.wrt, dict(self.ways), dict(self.own)
        went_in, direct, turned = self.went_in, self.direct, self.turned and self.home

        def answer(*arguments):
            scope = dict(zip(self.sheet.parameters, arguments, strict=True))
            ds, W = scope[self.upstream], scope[self.weights]

            def product(factors):
                return np.prod([ds, *(eval(f, {}, scope) for f in factors)], axis=0)

            signals = {key: product(ways[key[0]] + own.get(key, ())) for key in went_in}
            outputs = {}
            for output, target in wrt.items():
                if target == self.weights:
                    outputs[output] = {key: signals[key] @ scope[went_in[key]].T for key in went_in}
                    continue
                keys = [key for key in went_in if went_in[key] == target]
                back = sum((W[k] if turned == target else W[k].T) @ signals[k] for k in keys)
                at_home = target == self.home and direct is not None
                outputs[output] = back + (product(direct) if at_home else 0)
            returned = [outputs[name] for name in self.sheet.returns]
            return tuple(returned) if len(returned) > 1 else returned[0]

        return answer

    def spelled(self, snippet):
        alias = {name.removesuffix("_t"): name for name in self.quantities}
        return re.sub(r"[A-Za-z_]\w*", lambda m: alias.get(m[0], m[0]), snippet)

    def read(self, text):
        super().read(text)
        if re.search(r"\bsign\b", text) and "-1" not in self.named:
            self.named.append("-1")

    def products(self):
        """All products of a few factors: of what was named first, then with more and more of the rest."""
        named = set(self.named)
        return sorted(
            products_of(self.pool()), key=lambda factors: (sum(f not in named for f in factors), len(factors))
        )

    def go_on(self, judgement, said):
        """Change what is said to be wrong: the next product for each wrong way, else for what they end in."""
        said = "\n".join(said)
        self.read(said)
        spec = self.sheet.spec
        passed = {check.name for check in judgement.checks if check.passed}
        (weights,) = (
            output for output, target in self.sheet.forward.gradient.wrt.items() if target == self.weights
        )
        named = [way for name, way in spec.ways.items() if name in said]
        wrong = {
            output[len(weights) + 2] for way in named for output in way.outputs if output.startswith(weights)
        }
        if weights not in passed and not spec.ways:
            wrong = set(self.ways)
        if "under several names" in said:  # what is one and the same is to differ
            wrong = set(one_and_the_same(said)[1:])
        found = [product for way, product in self.ways.items() if way not in wrong]
        for way in wrong:
            self.ways[way] = self.next_product(way, found)
        if wrong or weights in passed:
            if not wrong:
                self.direct = self.next_product("direct")
                self.turned = "transposed" in said and not self.turned
            return
        key = re.search(rf'`{weights}\["(\w+)"\]` is wrong', said)
        if key:
            self.own[key[1]] = self.next_product(f"own {key[1]}")

    def next_product(self, place, found=()):
        """The next product not tried in this place: by itself, or behind one that was found elsewhere."""
        return self.next_of((start + more for more in self.products() for start in ((), *found)), place)


def solve(notebook, exercise, said_too=(), most=MOST_CHECKS):
    sheet = frozen_sheet(notebook, exercise)
    forward = caller(master_of(notebook).reference[sheet.forward.name])
    return checks_needed(StepSolver(sheet), said_too, forward, most)


@pytest.mark.long
@pytest.mark.parametrize(("notebook", "exercise"), EXERCISES)
def test_a_check_does_not_lead_to_a_derivation_factor_by_factor(notebook, exercise):
    if notebook not in NOTEBOOKS:
        pytest.skip("the variable NOTEBOOKS leaves this notebook out: unset it")
    assert solve(notebook, exercise) is None


needs_04 = pytest.mark.skipif("04_gating" not in NOTEBOOKS, reason="the variable NOTEBOOKS leaves 04 out")


@needs_04
@pytest.mark.ci
def test_messages_that_name_factors_lead_there():
    """The solver is no fool: so the test above can fail."""
    assert solve("04_gating", "gated_step_backward", OLD_NAMES) is not None


@needs_04
@pytest.mark.ci
@pytest.mark.parametrize("left_out", OLD_NAMES[:2])
def test_what_the_solver_finds_it_finds_by_what_it_was_told(left_out):
    assert solve("04_gating", "gated_step_backward", [n for n in OLD_NAMES if n != left_out]) is None


@pytest.mark.long
@needs_04
def test_the_solver_can_write_the_longest_of_these_answers():
    """With every factor named it takes more than 200 checks, for want of an order, and arrives."""
    factors = (
        "`candidate - s_prev` `1 - candidate**2` `g_t * (1 - g_t)` `g_t` `1 - g_t` `r_t * (1 - r_t)` `r_t`"
    )
    assert solve("04_gating", "reset_step_backward", [factors, '`W["ss"] @ s_prev`'], most=400) is not None


# ---------------------------------------------------------------- Jacobians


@dataclass
class JacobianSolver(Solver):
    """It knows that a Jacobian is made of the weights, of factors by row or by column, and of a diagonal."""

    def __post_init__(self):
        inputs = self.sheet.cases[0].inputs
        self.shape = (len(inputs["W"]["ss"]), 1)
        self.scope = {**inputs, "np": np}
        self.quantities = qs = [name for name, value in inputs.items() if np.shape(value) == self.shape]
        self.blocks = [*qs, *(f"1 - {q}" for q in qs), *(f"{a} + {b}" for a, b in combinations(qs, 2))]
        if "x_t" in inputs:
            self.blocks += ['W["ss"] @ s_prev', 'W["sx"] @ x_t']
        self.known, self.forms = None, iter(())

    def jacobians(self):
        """The Jacobians that it can write: of what was named first, then with more and more of the rest.

        Each is a product of factors by row or by column times the weights, as they are or turned, and with
        it, perhaps, a product of factors on the diagonal.
        """
        pool, known = self.pool(), set(self.named)
        wanted = [
            (factors, turned, by_row, diagonal)
            for factors in products_of(pool)
            for diagonal in (None, (), *((block,) for block in pool))
            for turned in (False, True)
            for by_row in (True, False)
        ]

        def order(form):
            factors, turned, by_row, diagonal = form
            return len({*factors, *(diagonal or ())} - known), turned or not by_row, len(factors)

        return sorted(wanted, key=order)

    def function(self):
        if self.named != self.known:
            self.known, self.forms = list(self.named), iter(self.jacobians())
        form = self.next_of(self.forms, "jacobian")
        return jacobian_of(self.sheet, form) if form else None

    def go_on(self, judgement, said):
        for text in said:
            self.read(text)


def jacobian_of(sheet, form):
    """The function that writes such a Jacobian."""
    factors, turned, by_row, diagonal = form

    def answer(*arguments):
        scope = {"np": np, **dict(zip(sheet.parameters, arguments, strict=True))}
        weights = scope["W"]["ss"].T if turned else scope["W"]["ss"]
        column = np.prod([np.ones((len(weights), 1)), *(eval(f, scope) for f in factors)], axis=0)
        product = weights * (column if by_row else column.T)
        if diagonal is None:
            return product
        on_it = np.prod([np.ones((len(weights), 1)), *(eval(f, scope) for f in diagonal)], axis=0)
        return product + np.diag(on_it[:, 0])

    return answer


def solve_jacobian(notebook, exercise, said_too=(), most=MOST_CHECKS):
    return checks_needed(JacobianSolver(frozen_sheet(notebook, exercise)), said_too, most=most)


@pytest.mark.long
@pytest.mark.parametrize(("notebook", "exercise"), JACOBIANS)
def test_a_check_does_not_lead_to_a_jacobian_factor_by_factor(notebook, exercise):
    if notebook not in NOTEBOOKS:
        pytest.skip("the variable NOTEBOOKS leaves this notebook out: unset it")
    assert solve_jacobian(notebook, exercise) is None


@pytest.mark.skipif(JACOBIANS[0][0] not in NOTEBOOKS, reason="the variable NOTEBOOKS leaves 03 out")
@pytest.mark.ci
@pytest.mark.parametrize(
    ("exercise", "told"),
    [
        ("step_jacobian", ["slope of the tanh missing"]),  # as it stood in 03 before it withheld anything
        (
            "leaky_jacobian",
            ["factor `1 - alpha`", "factor `alpha`", '`1 - np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)**2`'],
        ),
    ],
)
def test_messages_that_name_factors_lead_to_a_jacobian(exercise, told):
    """So the test above can fail; for want of an order the longer one takes more than 200 checks."""
    assert solve_jacobian(JACOBIANS[0][0], exercise, told, most=400) is not None


# ---------------------------------------------------------------- two states


TWO_STATES = [("06_lstm_backward", "lstm_step_backward"), ("06_lstm_backward", "peephole_step_backward")]
LSTM = "fioc"


@dataclass
class TwoStateSolver(Solver):
    """It knows a step with a memory: the sums are a gift, where peepholes are looked through too.

    What it lacks is one product of factors on each way: from what is shown to the memory, from the memory or
    from what is shown to each network's pre-activation, and along the memory's own wire. Beside each check it
    asks the stage "memory", whose inputs are `probe` and whose answer is `arrives`.
    """

    probe: tuple = ()
    arrives: object = None
    turned: bool = False

    def __post_init__(self):
        inputs = self.sheet.cases[0].inputs
        self.shape = inputs["dh"].shape
        self.scope = {**inputs, **{k: inputs["gates"][k] for k in LSTM}, "np": np}
        self.ways = dict.fromkeys(("memory", *LSTM, "wire"), ())
        qs = [*LSTM, "c_prev", "c_t", "h_prev", "np.tanh(c_t)"]
        self.quantities = [f"({q})" for q in qs]
        self.blocks = [*qs, *(f"1 - {q}" for q in qs), *(f"1 - ({q})**2" for q in qs)]
        self.blocks += [f"{a} {sign} {b}" for a, b in combinations(qs, 2) for sign in "+-"]

    def function(self):
        ways, turned = dict(self.ways), self.turned

        def answer(dh, dc, x_t, h_prev, c_prev, c_t, gates, W):
            scope = dict(x_t=x_t, h_prev=h_prev, c_prev=c_prev, c_t=c_t, np=np, **gates)

            def product(start, factors):
                return np.prod([start, *(eval(f, {}, scope) for f in factors)], axis=0)

            dz = {"o": product(dh, ways["o"])}
            total = dc + product(dh, ways["memory"]) + (W["op"] * dz["o"] if "op" in W else 0)
            dz |= {k: product(total, ways[k]) for k in "fic"}
            dc_prev = product(total, ways["wire"])
            dc_prev = dc_prev + sum(W[k + "p"] * dz[k] for k in "fi" if k + "p" in W)
            dW = {k + "h": dz[k] @ h_prev.T for k in LSTM} | {k + "x": dz[k] @ x_t.T for k in LSTM}
            dW |= {k + "b": dz[k].sum(axis=1, keepdims=True) for k in LSTM if k + "b" in W}
            seen = {"f": c_prev, "i": c_prev, "o": c_t}
            dW |= {k + "p": (dz[k] * seen[k]).sum(axis=1, keepdims=True) for k in seen if k + "p" in W}
            home = sum((W[k + "h"] if turned else W[k + "h"].T) @ dz[k] for k in LSTM)
            return sum(W[k + "x"].T @ dz[k] for k in LSTM), home, dc_prev, dW

        return answer

    def products(self):
        """Products of a few factors: of what was named, then of two of anything."""
        yield from products_of(self.named)
        for size in (1, 2):
            yield from combinations_with_replacement(self.pool(), size)

    def go_on(self, judgement, said):
        """Change what is said to be wrong; a message that names no way leaves all of them open."""
        said = "\n".join(said)
        self.read(said)
        wrong = [way for way, words in WRONG.items() if words in said]
        if "memory" in wrong:
            with np.errstate(all="ignore"):
                stage = self.function()(*self.probe)[2]
            wrong = ["f", "i", "c", "wire"] if np.allclose(stage, self.arrives) else ["memory"]
            wrong += ["o"] * (WRONG["o"] in said)
        if "under several names" in said:  # what is one and the same is to differ
            wrong = one_and_the_same(said)[1:]
        for way in wrong or list(WRONG):
            self.ways[way] = self.next_of(self.products(), way)
        self.turned ^= "dh_prev` is not right" in said


WRONG = {
    "memory": "what arrives at the memory",
    "f": "through the forget gate",
    "i": "through the input gate",
    "o": "through the output gate",
    "c": "through the candidate",
    "wire": "what goes on to the memory before",
}


def solve_two_states(notebook, exercise, said_too=()):
    sheet, master = frozen_sheet(notebook, exercise), master_of(notebook)
    forward = caller(master.reference[sheet.forward.name])
    probe = tuple(master.exercises[exercise].spec.stages["memory"].draw(np.random.default_rng(0)).values())
    arrives = master.reference[exercise](*probe)[2]
    return checks_needed(TwoStateSolver(sheet, probe=probe, arrives=arrives), said_too, forward)


@pytest.mark.long
@pytest.mark.parametrize(("notebook", "exercise"), TWO_STATES)
def test_a_check_does_not_lead_through_two_states_factor_by_factor(notebook, exercise):
    if notebook not in NOTEBOOKS:
        pytest.skip("the variable NOTEBOOKS leaves this notebook out: unset it")
    assert solve_two_states(notebook, exercise) is None


@pytest.mark.skipif(TWO_STATES[0][0] not in NOTEBOOKS, reason="the variable NOTEBOOKS leaves 06 out")
@pytest.mark.ci
def test_messages_that_name_factors_lead_through_two_states():
    """So the test above can fail: told what stands on each way, in no order."""
    told = (
        "`f` `o * (1 - np.tanh(c_t)**2)` `i * (1 - c**2)` `c * i * (1 - i)` `c_prev * f * (1 - f)` "
        "`np.tanh(c_t) * o * (1 - o)`"
    )
    assert solve_two_states(*TWO_STATES[0], [told]) is not None
