"""Mistakes that nobody declared: single slips are recognised however the code is written."""

import ast
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from course import KEY, NOTEBOOKS, TINY, exercises_of, folder_of, frozen_sheet, master_of, sampled
from judged import stages_in_vain

from autograder.answers.compare import compare
from autograder.answers.leaf import Leaf
from autograder.check import caller
from autograder.course.masters import read_master
from autograder.judging import symptoms
from autograder.judging.judge import judge
from autograder.sheets.drawn import fresh_sheet
from autograder.sheets.mistake import same_trace, trace_of
from autograder.sheets.slips import compiled, edits_of

EXERCISES = exercises_of(TINY.name, *NOTEBOOKS)

# Written otherwise than the references, each with one slip that exercises.py does not declare.
OTHERWISE = [
    (
        "02_backpropagation_through_time",
        "rnn_step_backward",
        """
def rnn_step_backward(ds, x_t, s_prev, s_t, W):
    slope = 2.0 - np.square(s_t)
    d = np.multiply(slope, ds)
    return np.dot(W["sx"].T, d), np.dot(W["ss"].T, d), dict(ss=np.dot(d, s_prev.T), sx=np.dot(d, x_t.T))
""",
        "one small slip on the way",  # its formula is to be found: what the slip is would tell it
    ),
    (
        "03_vanishing_and_exploding_gradients",
        "gradient_norms",
        """
def gradient_norms(ds_last, states, W):
    found, d = [], ds_last
    for s in states[::-1]:
        found.insert(0, np.linalg.norm(d, axis=0))
        d = np.einsum("ij,ik->jk", W["ss"], (1 - states[-1] * states[-1]) * d)
    return np.array(found)
""",
        "one small slip on the way",
    ),
    (
        "04_gating",
        "gated_backward",
        """
def gated_backward(dstates, xs, s0, states, gates, candidates, W):
    dxs, total, carry = [], {key: 0 for key in W}, np.zeros(s0.shape)
    before = np.concatenate([s0[None], states[:-1]])
    for t in range(len(xs) - 1, -1, -1):
        now = dstates[t] + carry
        dx, carry, part = gated_step_backward(now, xs[t], before[t], gates[0], candidates[t], W)
        dxs.insert(0, dx)
        total = {key: total[key] + part[key] for key in W}
    return np.array(dxs), carry, total
""",
        "always the first time step of `gates`",
    ),
    (
        "06_lstm_backward",
        "lstm_backward",
        """
def lstm_backward(dhs, xs, h0, c0, hs, cs, gates, W):
    dxs, total = [], {key: 0 for key in W}
    dh, dc = np.zeros(h0.shape), np.zeros(c0.shape)
    before_h, before_c = np.concatenate([h0[None], hs[:-1]]), np.concatenate([c0[None], cs[:-1]])
    for t in range(len(xs) - 1, -1, -1):
        now = {k: gates[k][0] for k in gates}
        dx, dh, dc, part = lstm_step_backward(dhs[t] + dh, dc, xs[t], before_h[t], before_c[t], cs[t], now, W)
        dxs.insert(0, dx)
        total = {key: total[key] + part[key] for key in W}
    return np.array(dxs), dh, dc, total
""",
        "always the first time step of an array",
    ),
]


SIGN_IN_A_SLOPE = """
def gated_step_backward(ds, x_t, s_prev, g_t, candidate, W):
    dz = (candidate - s_prev) * ds * (g_t - g_t * g_t)
    da = ds * g_t * (1 + candidate * candidate)
    back = {"gs": dz @ s_prev.T, "gx": dz @ x_t.T, "ss": da @ s_prev.T, "sx": da @ x_t.T}
    old = (1 - g_t) * ds + np.vstack([W["gs"], W["ss"]]).T @ np.vstack([dz, da])
    return W["sx"].T @ da + W["gx"].T @ dz, old, back
"""


@pytest.mark.parametrize(("notebook", "exercise", "source", "name"), OTHERWISE)
def test_a_slip_in_code_written_otherwise_is_named(notebook, exercise, source, name):
    if notebook not in NOTEBOOKS:
        pytest.skip("the variable NOTEBOOKS leaves this notebook out: unset it")
    master = master_of(notebook)
    assert name not in [mutant.name for mutant in master.exercises[exercise].spec.misconceptions]
    namespace = dict(master.reference)
    exec(source, namespace)
    judgement = judge(frozen_sheet(notebook, exercise), caller(namespace[exercise]))
    assert judgement.status == "wrong"
    assert judgement.misconception == name


def test_a_slip_in_a_derivation_is_told_by_its_way_alone():
    """Its name would be a factor."""
    if "04_gating" not in NOTEBOOKS:
        pytest.skip("the variable NOTEBOOKS leaves this notebook out: unset it")
    namespace = dict(master_of("04_gating").reference)
    exec(SIGN_IN_A_SLOPE, namespace)
    sheet = frozen_sheet("04_gating", "gated_step_backward")
    judgement = judge(sheet, caller(namespace["gated_step_backward"]))
    assert [one.name for one in judgement.diagnoses] == ["the way through the candidate is not right"]
    assert not sheet.slips()


@pytest.mark.parametrize(("notebook", "exercise"), sampled(EXERCISES, 6))
def test_every_slip_that_shows_is_caught_and_named(notebook, exercise):
    """Also the slips that make a function fail, or give another shape: they have symptoms.

    A stage that is named must show what it is named for.
    """
    master, sheet = master_of(notebook), frozen_sheet(notebook, exercise)
    graded = master.exercises[exercise]
    edits = list(edits_of(master, graded))
    unnamed, in_vain, shown = [], [], 0
    for edit in edits[:: max(1, len(edits) // 40)]:
        with np.errstate(all="ignore"):
            call = caller(compiled(master, graded, edit.tree))
            judgement = judge(sheet, call)
            in_vain += [f"{words}: {edit.name}" for words in stages_in_vain(sheet, judgement, call)]
        if judgement.status == "wrong":
            shown += 1
            if not judgement.misconception:
                unnamed.append(f"{edit.name}: {ast.unparse(edit.tree)}")
    assert shown
    assert len(unnamed) <= shown // 10, unnamed
    assert not in_vain


def test_a_slip_that_changes_nothing_is_no_slip():
    sheet = fresh_sheet(master_of(TINY.name), "rnn_step", "public")
    for slip in sheet.slips():
        assert slip.shows
        for effect, case in zip(slip.effects, sheet.cases, strict=True):
            for leaf, trace in {} if isinstance(effect, str) else effect.items():
                right = trace_of(case.expected[leaf], case.expected[leaf])
                assert not same_trace(right, trace, right)


def test_a_right_answer_asks_for_no_slips():
    sheet = fresh_sheet(master_of(TINY.name), "rnn_step", "public")

    def asked():
        raise AssertionError("the slips were made")

    sheet.slips = asked
    assert judge(sheet, caller(master_of(TINY.name).reference["rnn_step"])).status == "right"


def test_frozen_slips_are_those_that_were_made():
    fresh = fresh_sheet(master_of(TINY.name), "rnn_step_backward", "public").slips()
    frozen = frozen_sheet(TINY.name, "rnn_step_backward").slips()
    assert [(s.name, s.hint) for s in fresh] == [(s.name, s.hint) for s in frozen]
    for mine, theirs in zip(fresh, frozen, strict=True):
        for one, other in zip(mine.effects, theirs.effects, strict=True):
            if isinstance(one, str):
                assert one == other
                continue
            assert [(leaf, trace.shape) for leaf, trace in one.items()] == [
                (leaf, trace.shape) for leaf, trace in other.items()
            ]
            assert all(np.array_equal(one[leaf].numbers, other[leaf].numbers) for leaf in one)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda s: None, "nothing is returned"),
        (lambda s: (s, s), "another number of values"),
        (lambda s: {"s": s}, "a dict where an array"),
        (lambda s: "text", "no array of numbers"),
        (lambda s: s[0], "one step, or a sum over all"),
        (lambda s: s[1:], "one step too few"),
        (lambda s: np.concatenate([s[:1], s]), "one step too many"),
        (lambda s: s[:1], "only one step is returned"),
        (lambda s: s.transpose(1, 0, 2), "the axes stand in another order"),
        (lambda s: s.reshape(len(s), -1), "axes are merged or split"),
        (lambda s: s[0, 0, 0, 0, 0], "an index for an axis that the array does not have"),
        (lambda s: s[len(s) / 2], "an index that is no whole number"),
        (lambda s: s["f"], "an index that is no whole number"),
        (lambda s: np.zeros(2, 3), "a shape that is no tuple"),
        (lambda s: np.tanh({"ss": s}), "a dict where an array belongs"),
        (lambda s: s.reshape(7, 11), "a reshape, a transposition or an einsum"),
        (lambda s: s[..., None], "an axis of size 1 too many"),
        (lambda s: s / 0.0, "a number overflows"),
        (lambda s: np.concatenate([s[:1], s[1:] + 1]), "right up to some step, and wrong after it"),
        (lambda s: np.concatenate([s[:-1] + 1, s[-1:]]), "right from some step on, and wrong before it"),
        (lambda s: np.concatenate([s[:1] + 1, s[1:]]), "the first step is wrong"),
        (lambda s: s @ s, "a matrix product whose shapes do not fit"),
        (lambda s: s + np.ones(7), "an operation entry by entry"),
        (lambda s: s[99], "an index beyond the end"),
        (lambda s: {}["a"], "a key that is not there"),
        (lambda s: np.hstack([s, np.ones(3)]), "arrays of different shapes"),
        (lambda s: s if s > 0 else -s, "one truth value is asked of a whole array"),
        (lambda s: None + s, "a value that is `None` is used"),
        (lambda s: len(s, s), "a call whose arguments do not fit"),
        (lambda s: s.nothing, "a name behind a dot that is not there"),
        (lambda s: undefined, "a name that is not defined here"),  # noqa: F821
    ],
)
def test_an_answer_that_looks_like_no_mistake_has_a_symptom(change, name):
    reference = master_of(TINY.name).reference["rnn_forward"]
    with np.errstate(all="ignore"):
        judgement = judge(
            frozen_sheet(TINY.name, "rnn_forward"), caller(lambda xs, s0, W: change(reference(xs, s0, W)))
        )
    assert judgement.misconception.startswith(name) or name in judgement.misconception
    assert judgement.diagnoses[0].hint


def test_a_text_of_the_students_own_is_no_symptom():
    def forward(xs, s0, W):
        raise ValueError("the shapes do not fit in a product, and only the last time step is right")

    assert judge(frozen_sheet(TINY.name, "rnn_forward"), caller(forward)).misconception is None


def test_right_sequences_are_no_right_time_steps():
    expected = np.random.default_rng(0).normal(size=(4, 3, 5))
    got = expected.copy()
    got[:, :, :3] += 1
    found = compare(Leaf("s"), got, expected, ("time step", "unit", "sequence"), 1e-8, 1e-10)
    assert (found.axis, found.right) == ("sequence", (3, 5, 5))
    assert symptoms.symptom({"s": found}, [], {}) is None


def test_symptoms_have_names_of_their_own():
    found = {*symptoms.SYMPTOMS.values(), *symptoms.ERRORS.values()}
    names = [name for name, _ in found]
    assert len(names) == len(set(names))


def test_the_order_of_slips_is_that_of_their_words_whatever_the_solution_looks_like():
    """What a release lists by the solution's source would be read as the solution's outline.

    The same solution with two independent lines exchanged lists the slips that both have in the same order.
    """
    sheets = []
    for swapped in (False, True):
        master = read_master(folder_of("05_lstm"))
        graded = master.exercises["peephole_step"]
        lines = graded.source.split("\n")
        one, other = independent_lines(lines)
        if swapped:
            lines[one], lines[other] = lines[other], lines[one]
        master.exercises["peephole_step"] = replace(graded, source="\n".join(lines))
        slips = fresh_sheet(master, "peephole_step", KEY).slips()
        sheets.append(dict.fromkeys((slip.name, slip.hint) for slip in slips))
    one, other = ([words for words in sheet if words in sheets[1 - i]] for i, sheet in enumerate(sheets))
    assert one == other
    assert len(one) > 50


def independent_lines(lines):
    """Two neighbouring assignments of which neither reads what the other makes."""
    for i, (one, other) in enumerate(pairwise(lines)):
        try:
            trees = [ast.parse(line.strip()).body[0] for line in (one, other)]
        except (SyntaxError, IndexError):
            continue
        if not all(isinstance(tree, ast.Assign) for tree in trees):
            continue
        made = [{n.id for n in ast.walk(t.targets[0]) if isinstance(n, ast.Name)} for t in trees]
        read = [{n.id for n in ast.walk(t.value) if isinstance(n, ast.Name)} for t in trees]
        if not made[0] & (read[1] | made[1]) and not made[1] & read[0]:
            return i, i + 1
    raise AssertionError("there are none")
