"""Reber's grammar: strings, embedded strings, and streams of them that never end.

The task of Gers, Schmidhuber and Cummins (2000): strings follow one another without a mark between
them, and the network foretells the next symbol of each stream.
"""

from __future__ import annotations

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

_NUMBER = {symbol: number for number, symbol in enumerate(SYMBOLS)}
_FOLLOWING = ["".join(symbol for symbol, _ in choices) for choices in INNER] + [*SYMBOLS]
_BITS = {some: sum(1 << _NUMBER[symbol] for symbol in some) for some in _FOLLOWING}


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


def embedded_string(rng: np.random.Generator) -> tuple[str, list[str]]:
    """One embedded string: B, an outer T or P, an inner string, the same outer symbol, E.

    Args:
        rng: draws every choice of the grammar, each with equal chances.

    Returns:
        The string, and for each of its symbols the symbols that may follow it.
    """
    outer = "TP"[rng.integers(2)]
    symbols, allowed = ["B", outer, "B"], ["TP", "B"]
    state = 0
    while state >= 0:
        choices = INNER[state]
        allowed.append("".join(symbol for symbol, _ in choices))
        symbol, state = choices[rng.integers(len(choices))]
        symbols.append(symbol)
    symbols += [outer, "E"]
    allowed += [outer, "E", "B"]
    return "".join(symbols), allowed


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
    rng = np.random.default_rng(seed)
    xs = np.zeros((length + 1, len(SYMBOLS), count))
    legal = np.zeros((length, len(SYMBOLS), count), dtype=bool)
    outer = np.zeros((length, count), dtype=bool)
    for n in range(count):
        symbols, allowed, foretells_outer = _one_stream(rng, length + 1)
        xs[np.arange(length + 1), symbols, n] = 1.0
        legal[:, :, n] = (np.array(allowed[:-1])[:, None] >> np.arange(len(SYMBOLS))) & 1
        outer[:, n] = foretells_outer[:-1]
    return Streams(xs, legal, outer)


def _one_stream(rng: np.random.Generator, length: int) -> tuple[list[int], list[int], list[bool]]:
    """Numbers of the symbols, allowed followers as bits, and where the outer symbol follows."""
    symbols: list[int] = []
    allowed: list[int] = []
    outer: list[bool] = []
    while len(symbols) < length:
        string, following = embedded_string(rng)
        symbols += [_NUMBER[symbol] for symbol in string]
        allowed += [_BITS[some] for some in following]
        outer += [False] * (len(string) - 3) + [True, False, False]
    return symbols[:length], allowed[:length], outer[:length]


def as_text(xs: np.ndarray) -> str:
    """The symbols of one stream as text.

    Args:
        xs: (T, 7) one stream.
    """
    return "".join(SYMBOLS[i] for i in xs.argmax(axis=1))
