"""How deep a function's products are, and how many: for scans as students write them."""

import numpy as np
import pytest

from rnncourse.chains import depth_and_work

T = 1000
DRAWN = [np.random.default_rng(0).uniform(0, 1, shape) for shape in ((T, 1, 1), (T, 1, 1), (1, 1))]


def states_of(factors, writes, s0):
    states = [s0]
    for factor, write in zip(factors, writes, strict=True):
        states.append(factor * states[-1] + write)
    return np.array(states[1:])


def two_sweeps(make, product=np.multiply):
    """The two sweeps; `make` makes the states of pairs and of those in between."""

    def scan(factors, writes, s0):
        if len(writes) == 1:
            return factors * s0 + writes
        m = len(writes) // 2
        pair_writes = product(factors[1 : 2 * m : 2], writes[0 : 2 * m : 2]) + writes[1 : 2 * m : 2]
        half = scan(product(factors[1 : 2 * m : 2], factors[0 : 2 * m : 2]), pair_writes, s0)
        before = np.concatenate([s0[None], half])[: (len(writes) + 1) // 2]
        return make(half, product(factors[0::2], before) + writes[0::2], writes)

    return scan


def filled(new):
    def make(half, between, writes):
        states = new(writes)
        states[1::2], states[0::2] = half, between
        return states

    return make


def interleaved(half, between, writes):
    both = np.stack([between[: len(half)], half], axis=1).reshape(-1, *writes.shape[1:])
    return np.concatenate([both, between[len(half) :]])


def doubling(joined):
    def scan(factors, writes, s0):
        f, w = factors.copy(), writes.copy()
        w[0] = f[0] * s0 + w[0]
        d = 1
        while d < len(w):
            w, f = joined(w, f[d:] * w[:-d] + w[d:], d), joined(f, f[d:] * f[:-d], d)
            d *= 2
        return w

    return scan


def copied(old, new, d):
    made = np.zeros(old.shape)
    made[:d], made[d:] = old[:d], new
    return made


def by_matrices(factors, writes, s0):
    """Each piece a matrix of 2 x 2, put together by doubling."""
    pieces = np.zeros((*writes.shape, 2, 2))
    pieces[..., 0, 0], pieces[..., 0, 1], pieces[..., 1, 1] = factors, writes, 1
    d = 1
    while d < len(pieces):
        pieces = np.concatenate([pieces[:d], pieces[d:] @ pieces[:-d]])
        d *= 2
    return pieces[..., 0, 0] * s0 + pieces[..., 0, 1]


def by_einsum(left, right):
    return np.einsum("thn,thn->thn", left, right)


def by_out(left, right):
    return np.multiply(left, right, out=np.empty(left.shape))


def rolled(factors, writes, s0):
    f, w, t = factors.copy(), writes.copy(), np.arange(T)[:, None, None]
    w[0] += f[0] * s0
    d = 1
    while d < T:
        w, f = np.where(t >= d, f * np.roll(w, d, 0) + w, w), np.where(t >= d, f * np.roll(f, d, 0), f)
        d *= 2
    return w


# The levels, and how many numbers a scan multiplies for each step.
SWEEPS, DOUBLING = ((18, 25), (2.9, 3.1)), ((10, 12), (17, 21))
SCANS = {
    "like the writes": (two_sweeps(filled(np.empty_like)), *SWEEPS),
    "empty": (two_sweeps(filled(lambda writes: np.empty(writes.shape))), *SWEEPS),
    "zeros": (two_sweeps(filled(lambda writes: np.zeros(writes.shape))), *SWEEPS),
    "stacked": (two_sweeps(interleaved), *SWEEPS),
    "einsum": (two_sweeps(filled(np.empty_like), by_einsum), *SWEEPS),
    "out": (two_sweeps(filled(np.empty_like), by_out), *SWEEPS),
    "doubling, concatenated": (doubling(lambda old, new, d: np.concatenate([old[:d], new])), *DOUBLING),
    "doubling, stacked": (doubling(lambda old, new, d: np.vstack([old[:d], new])), *DOUBLING),
    "doubling, a list": (doubling(lambda old, new, d: np.array([*old[:d], *new])), *DOUBLING),
    "doubling, into zeros": (doubling(copied), *DOUBLING),
    "doubling, rolled": (rolled, *DOUBLING),
    "matrices": (by_matrices, (10, 12), (70, 75)),
    "a loop": (states_of, (T, T), (1, 1)),
}


@pytest.mark.parametrize("scan, depth, work", SCANS.values(), ids=list(SCANS))
def test_depth_and_work_are_those_of_the_scan_however_it_is_written(scan, depth, work):
    assert np.allclose(scan(*DRAWN), states_of(*DRAWN))
    levels, numbers = depth_and_work(scan, *DRAWN)
    assert depth[0] <= levels <= depth[1]
    assert work[0] <= numbers / T <= work[1]


def test_products_along_an_axis_are_a_chain():
    assert depth_and_work(lambda a: np.cumprod(a, axis=0), np.ones((9, 2))) == (8, 18)
    assert depth_and_work(lambda a: a.prod(axis=0), np.ones((8, 2))) == (3, 16)
    assert depth_and_work(lambda a: a.dot(a.T), np.ones((3, 5))) == (1, 45)


def test_arguments_and_numpy_are_left_as_they_were():
    empty, argument = np.empty, np.ones(3)
    depth_and_work(lambda a: a.__imul__(2), argument)
    assert np.empty is empty
    assert type(argument) is np.ndarray
    assert argument.tolist() == [1, 1, 1]
