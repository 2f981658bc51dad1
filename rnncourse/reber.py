"""Reber's grammar: strings, embedded strings, and streams of them that never end.

The task of Gers, Schmidhuber and Cummins (2000): strings follow one another without a mark between
them, and the network foretells the next symbol of each stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

SYMBOLS = "BTSXVPE"

# From each inner state: the symbols that may come, each with the state it leads to; -1 is the end.
INNER: tuple[tuple[tuple[str, int], ...], ...] = (
    (("T", 1), ("P", 2)),
    (("S", 1), ("X", 3)),
    (("T", 2), ("V", 4)),
    (("X", 2), ("S", 5)),
    (("P", 3), ("V", 5)),
    (("E", -1),),
)

_B, _T, _P, _E = (SYMBOLS.index(symbol) for symbol in "BTPE")
# The same map with numbers for symbols, and with the allowed symbols of each state as bits.
_NUMBERED: tuple[tuple[tuple[tuple[int, int], ...], int], ...] = tuple(
    (
        tuple((SYMBOLS.index(symbol), state) for symbol, state in choices),
        sum(1 << SYMBOLS.index(symbol) for symbol, _ in choices),
    )
    for choices in INNER
)


@dataclass(frozen=True)
class Streams:
    """Streams of symbols, one column each, and what may come next in them.

    Args:
        xs: (T + 1, 7, N) the symbols, one 1 per column, in the order of `SYMBOLS`; `xs[1:]` is
            what `xs[:-1]` is asked to foretell.
        legal: (T, 7, N) True for each symbol that the grammar allows after position t.
        outer: (T, N) True where the next symbol is the second outer T or P, which only the
            first outer symbol of the same string foretells.
    """

    xs: np.ndarray
    legal: np.ndarray
    outer: np.ndarray


def reber_streams(length: int, count: int, seed: int | list[int]) -> Streams:
    """Draw streams of embedded strings, one string after the other, without an end.

    Args:
        length: number T of symbols to foretell in each stream.
        count: number N of streams.
        seed: the same seed (or list of seeds) gives the same streams.

    Returns:
        The streams; each starts with the first symbol of a string.

    Raises:
        ValueError: `length` or `count` is less than one.
    """
    if length < 1 or count < 1:
        raise ValueError("reber_streams(length, count, seed): length and count must be at least 1")
    coins = _coins(np.random.default_rng(seed))
    xs = np.zeros((length + 1, len(SYMBOLS), count))
    legal = np.zeros((length, len(SYMBOLS), count), dtype=bool)
    outer = np.zeros((length, count), dtype=bool)
    for n in range(count):
        symbols, allowed, foretells_outer = _one_stream(coins, length + 1)
        xs[np.arange(length + 1), symbols, n] = 1.0
        legal[:, :, n] = (np.array(allowed[:-1])[:, None] >> np.arange(len(SYMBOLS))) & 1
        outer[:, n] = foretells_outer[:-1]
    return Streams(xs, legal, outer)


def _coins(rng: np.random.Generator) -> Iterator[int]:
    """Zeros and ones without an end, drawn a thousand at a time because that is faster."""
    while True:
        yield from rng.integers(2, size=1000).tolist()


def _one_stream(coins: Iterator[int], length: int) -> tuple[list[int], list[int], list[bool]]:
    """Numbers of the symbols, allowed followers as bits, and where the outer symbol follows.

    A string is B, an outer T or P, an inner string with a B before it, the same outer symbol, E.
    Where the grammar leaves a choice of two, a coin decides; one is thrown at every inner symbol.
    """
    symbols: list[int] = []
    allowed: list[int] = []
    outer: list[bool] = []
    while len(symbols) < length:
        frame = (_T, _P)[next(coins)]
        symbols += [_B, frame, _B]
        allowed += [1 << _T | 1 << _P, 1 << _B]
        state = 0
        while state >= 0:
            choices, bits = _NUMBERED[state]
            allowed.append(bits)
            symbol, state = choices[next(coins) % len(choices)]
            symbols.append(symbol)
        symbols += [frame, _E]
        allowed += [1 << frame, 1 << _E, 1 << _B]
        outer += [False] * (len(symbols) - len(outer) - 3) + [True, False, False]
    return symbols[:length], allowed[:length], outer[:length]


def as_text(xs: np.ndarray) -> str:
    """The symbols of one stream as text.

    Args:
        xs: (T, 7) one stream.
    """
    return "".join(SYMBOLS[i] for i in xs.argmax(axis=1))
