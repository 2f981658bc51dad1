"""Which answers of a class are alike beyond what their exercises make alike.

Two signs are looked for. *Passages* that two students have and hardly anybody else, by the k-grams of
winnowing (Schleimer, Wilkerson and Aiken 2003, as copydetect has them): of the text without comments, blanks
and names, so that new names and other comments change nothing. And *choices*: where exercises can be written
in known ways, that two took the same way every time, though by chance hardly any two would.

This module knows nothing of files or of who is right. It accuses nobody: it says where to look.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from io import StringIO
from itertools import pairwise

import numpy as np
from copydetect import CodeFingerprint
from copydetect.utils import filter_code, get_copied_slices, hashed_kgrams

from autograder.course.names import Function, parse

# The shortest passage that counts, in signs of a text without names: about a line. copydetect's own default.
PASSAGE = 25
# So many of them belong to lines that are not known.
LEAST_OWN = 12
# Between right answers that were written without sight of one another (the course's alternatives, taken as if
# nobody knew them) there were 40 at most in a whole notebook; disguised copies of the same have 75 to 1,000.
LEAST_SHARED = 80.0
# What more students share than these and one in a hundred is common.
MOST_SHARING = 10
# Where half of a class (of so many at least) share much with somebody, its exercises leave no choice: more is
# asked then.
TIMES_USUAL = 3.0
FEWEST_STUDENTS = 8
# A way of writing is told by shorter pieces: lines may stand in another order.
PIECE = 6
LEAST_ALIKE = 0.5
# An answer with fewer pieces of its own is one short line.
FEWEST_PIECES = 20
FEWEST_CHOICES = 4
# So many pairs that took the same way everywhere may be expected of a class that copied nothing.
MOST_BY_CHANCE = 0.1
# More students than these who take the same way everywhere have one teacher, book or idiom.
MOST_OF_ONE_WAY = 3
MOST_PAIRS = 40
# The same lines come again and again in a class; one that is longer than this is hardly one of them.
MOST_KEPT = 200


@dataclass(frozen=True)
class Piece:
    """What a student wrote in one place.

    Args:
        place: the exercise, or "" for cells of the student's own.
        source: the text.
        bare: the text without comments, blanks and names (`bare_text`).
    """

    place: str
    source: str
    bare: str


@dataclass
class Known:
    """What everybody has been given, or is known to write: nothing of it is a sign.

    Args:
        texts: bare texts: the release's own code, references, alternatives, declared mistakes.
        stubs: exercise -> the bare text of its empty answer cell.
        ways: exercise -> the bare texts of known right answers.
    """

    texts: list[str] = field(default_factory=list)
    stubs: dict[str, str] = field(default_factory=dict)
    ways: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Pair:
    """Two students whose answers are alike.

    Args:
        one, other: who.
        shared: how much they share of what is rare, in signs beyond the shortest passage.
        parts: how much of each one's own text that is, 0 to 1.
        choices: exercises that both wrote in the same known way, where that is a sign; else none.
        chance: how many such pairs of choices a class like this has by chance.
        passages: hashes of the k-grams that they share and few others have.
    """

    one: str
    other: str
    shared: float = 0.0
    parts: tuple[float, float] = (0.0, 0.0)
    choices: tuple[str, ...] = ()
    chance: float = 1.0
    passages: frozenset[int] = frozenset()


@dataclass
class Similarity:
    """What was found in a class.

    Args:
        students: how many were compared.
        pairs: those to look at, the most telling first, `MOST_PAIRS` at most.
        more: how many pairs there are beyond them.
        needed: how much a pair must share to be among them, see `Pair.shared`.
    """

    students: int
    pairs: list[Pair]
    more: int = 0
    needed: float = LEAST_SHARED


def bare_text(source: str) -> str:
    """A piece of Python without comments, descriptions, annotations, blanks and names, line by line."""
    lines = (line.strip() for line in _plain(source).split("\n"))
    return "\n".join(
        _bare_line(one) if len(one) <= MOST_KEPT else _bare_line.__wrapped__(one) for one in lines
    )


@lru_cache(maxsize=50_000)
def _bare_line(line: str) -> str:
    return filter_code(line, "", "python")[0]


def _plain(source: str) -> str:
    """The text as Python itself would lay it out; as it is where it is not Python."""
    tree = parse(source)
    if tree is None:
        return source
    for node in ast.walk(tree):
        if isinstance(node, Function | ast.ClassDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, Function):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    try:
        return ast.unparse(tree)
    except (RecursionError, ValueError):
        return source


def similarity(written: Mapping[str, Sequence[Piece]], known: Known) -> Similarity:
    """Compare a class pair by pair.

    Time and memory grow with what is written, not with the number of pairs: only pairs that share something
    rare are ever made.

    Args:
        written: student -> what each wrote.
        known: what is nobody's own.
    """
    students = sorted(written)
    ours, lines = _grams(known.texts, PASSAGE), {line for text in known.texts for line in text.split("\n")}
    own = [_own([p.bare for p in written[student]], ours, lines) for student in students]
    totals = _shared(own)
    best = np.zeros(len(students))
    for (i, j), total in totals.items():
        best[[i, j]] = np.maximum(best[[i, j]], total)
    usual = float(np.median(best)) if len(students) >= FEWEST_STUDENTS else 0.0
    needed = max(LEAST_SHARED, TIMES_USUAL * usual)
    found = {
        key: Pair(students[key[0]], students[key[1]], total)
        for key, total in totals.items()
        if total >= needed
    }
    for (i, j), (places, chance) in _same_ways(students, written, known).items():
        pair = found.setdefault((i, j), Pair(students[i], students[j], totals.get((i, j), 0.0)))
        pair.choices, pair.chance = places, chance
    ranked = sorted(found.items(), key=lambda one: (-one[1].shared, one[1].chance, one[0]))
    common = _common(own)
    for (i, j), pair in ranked[:MOST_PAIRS]:
        rare = np.setdiff1d(np.intersect1d(own[i], own[j]), common)
        pair.passages = frozenset(rare.tolist())
        pair.parts = (len(rare) / max(len(own[i]), 1), len(rare) / max(len(own[j]), 1))
    shown = [pair for _, pair in ranked[:MOST_PAIRS]]
    return Similarity(len(students), shown, len(ranked) - len(shown), needed)


def _hashes(bare: str, length: int) -> np.ndarray:
    """The hashes of a text's k-grams, in order."""
    # Of a text shorter than that copydetect gives an empty array of floats, which would round all the others.
    return hashed_kgrams(bare.replace("\n", ""), length).astype(np.int64)


def _each_once(hashes: Iterable[np.ndarray]) -> np.ndarray:
    return np.unique(np.concatenate([np.empty(0, np.int64), *hashes]))


def _grams(texts: Iterable[str], length: int) -> np.ndarray:
    """The hashes of all k-grams of some texts, each once."""
    return _each_once(_hashes(text, length) for text in texts)


def _own(texts: Iterable[str], known: np.ndarray, lines: set[str]) -> np.ndarray:
    """The k-grams that are a student's own: known lines in another order are not."""
    found = []
    for text in texts:
        parts = text.split("\n")
        is_own = np.repeat([part not in lines for part in parts], [len(part) for part in parts])
        before = np.concatenate([[0], np.cumsum(is_own)])
        found.append(_hashes(text, PASSAGE)[before[PASSAGE:] - before[:-PASSAGE] >= LEAST_OWN])
    return np.setdiff1d(_each_once(found), known)


def most_sharing(students: int) -> int:
    """How many of a class may have something before it is common."""
    return MOST_SHARING + students // 100


def _common(own: Sequence[np.ndarray]) -> np.ndarray:
    """What too many have for it to be a sign."""
    grams, counts = np.unique(np.concatenate([np.empty(0, np.int64), *own]), return_counts=True)
    return grams[counts > most_sharing(len(own))]


def _shared(own: Sequence[np.ndarray]) -> dict[tuple[int, int], float]:
    """(student, student) -> how much they share of what few have; a k-gram of two counts 1, of all 0."""
    count = len(own)
    grams = np.concatenate([np.empty(0, np.int64), *own])
    owner = np.repeat(np.arange(count), [len(one) for one in own])
    order = np.lexsort((owner, grams))
    owner = owner[order]
    _, starts, sizes = np.unique(grams[order], return_index=True, return_counts=True)
    totals: dict[tuple[int, int], float] = {}
    for size in range(2, min(most_sharing(count), count) + 1):
        together = owner[starts[sizes == size][:, None] + np.arange(size)]
        one, other = np.triu_indices(size, 1)
        codes, times = np.unique(together[:, one] * count + together[:, other], return_counts=True)
        weight = np.log(count / size) / np.log(count / 2) if count > 2 else 1.0
        for code, n in zip(codes.tolist(), times.tolist(), strict=True):
            key = divmod(code, count)
            totals[key] = totals.get(key, 0.0) + n * weight
    return totals


def _same_ways(
    students: Sequence[str], written: Mapping[str, Sequence[Piece]], known: Known
) -> dict[tuple[int, int], tuple[tuple[str, ...], float]]:
    """Who took the same known way in every exercise, though chance would make hardly any such pair.

    Returns:
        (student, student) -> the exercises, and how many such pairs chance would make.
    """
    places = list(known.ways)
    given = {name: _grams([known.stubs.get(name, "")], PIECE) for name in places}
    ways = {n: [np.setdiff1d(_grams([w], PIECE), given[n]) for w in known.ways[n]] for n in places}
    way = np.full((len(students), len(places)), -1)
    for i, student in enumerate(students):
        bare = {piece.place: piece.bare for piece in written[student]}
        way[i] = [_way(bare.get(name, ""), given[name], ways[name]) for name in places]
    bits = np.zeros(way.shape)
    for column, numbers in enumerate(way.T):
        _, where, counts = np.unique(numbers, return_inverse=True, return_counts=True)
        told = numbers >= 0
        # How rare the way is among the others, of whom at least one must have it.
        others = np.maximum(counts[where] - 1, 1) / max(told.sum() - 1, 1)
        bits[:, column] = np.where(told, -np.log2(others), 0.0)
    pairs = len(students) * (len(students) - 1) / 2
    enough = (way >= 0).sum(1) >= FEWEST_CHOICES
    chance = pairs * 2.0 ** -bits.sum(1)
    alike: dict[bytes, list[int]] = {}
    for i in np.flatnonzero(enough & (chance <= MOST_BY_CHANCE)).tolist():
        alike.setdefault(way[i].tobytes(), []).append(i)
    found = {}
    for some in alike.values():
        if len(some) <= MOST_OF_ONE_WAY:
            same = tuple(name for name, number in zip(places, way[some[0]], strict=True) if number >= 0)
            for k, i in enumerate(some):
                found |= {(i, j): (same, float(chance[i])) for j in some[k + 1 :]}
    return found


def _way(bare: str, given: np.ndarray, ways: Sequence[np.ndarray]) -> int:
    """In which known way an answer is written, by its number; -1 where in none, or where it is too short."""
    mine = np.setdiff1d(_grams([bare], PIECE), given)
    if len(mine) < FEWEST_PIECES:
        return -1
    alike = [_jaccard(mine, way) for way in ways]
    nearest = int(np.argmax(alike))
    return nearest if alike[nearest] >= LEAST_ALIKE else -1


def _jaccard(one: np.ndarray, other: np.ndarray) -> float:
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / max(len(one) + len(other) - both, 1)


def marked(source: str, passages: frozenset[int]) -> list[tuple[str, bool]]:
    """A text in parts, each with whether it belongs to one of the passages.

    They are looked for in the text as it was written, comments and all: a bracket that Python does not need
    may hide a part of one.
    """
    text = CodeFingerprint("", PASSAGE, 1, language="python", fp=StringIO(source))
    places = [i for one in passages & text.hashes for i in text.hash_idx[one]]
    if not places:
        return [(source, False)]
    before, left_out = text.offsets.T
    slices = get_copied_slices(np.array(places), PASSAGE)
    # Where each passage lies in the text itself, with what was left out (copydetect counts anew at a class).
    left_out = np.maximum.accumulate(left_out)
    slices = slices + left_out[np.clip(np.searchsorted(before, slices), 0, len(before) - 1)]
    cuts = [0, *np.minimum(slices.T, len(source)).ravel().tolist(), len(source)]
    parts = [(source[start:end], i % 2 == 1) for i, (start, end) in enumerate(pairwise(cuts))]
    return [(words, is_shared) for words, is_shared in parts if words]
