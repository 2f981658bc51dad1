"""The tasks that notebook 07 trains on: sequences of numbers, each with a class, in three parts.

What a number stands for is known here; models and training are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnncourse.data import DataMissing, Sentences, sentiment_sentences, surnames, tokens

__all__ = [
    "DataMissing",
    "Part",
    "Sentences",
    "Task",
    "names",
    "sentiment",
    "sentiment_sentences",
    "word_order",
]

RARE = 1  # 0 is padding
SHARES = (0.7, 0.15)  # to train with, to choose by; the rest tells how well it went
MOST_NAMES = 400  # of one language


@dataclass(frozen=True)
class Part:
    """Sequences of one part of a task: numbers of words or letters, and the class of each."""

    sequences: tuple[np.ndarray, ...]
    labels: np.ndarray


@dataclass(frozen=True)
class Task:
    """A task in three parts.

    Args:
        name: in a few words.
        train: to learn from.
        validation: to choose by: when to stop, which rate.
        test: looked at once, at the end.
        words: what the numbers stand for; 0 is padding, 1 whatever was rare.
        classes: what the labels stand for.
    """

    name: str
    train: Part
    validation: Part
    test: Part
    words: tuple[str, ...]
    classes: tuple[str, ...]


def sentiment(split: int, sentences: Sentences | None = None) -> Task:
    """Is a sentence's mean rating above zero?

    Args:
        split: seed of the division into parts.
        sentences: those of `rnncourse.data`, where they are at hand already.
    """
    found = sentences or sentiment_sentences()
    texts = [tokens(text) for text in found.texts]
    labels = np.array(found.ratings > 0, dtype=int)
    return _task("sentiment", texts, labels, ("negative", "positive"), split)


def word_order(split: int, sentences: Sentences | None = None) -> Task:
    """Is a sentence as it was written, or turned round, last word first? Each stands for itself only."""
    found = sentences or sentiment_sentences()
    texts = [words for text in found.texts if len(words := tokens(text)) > 1]
    turned = np.random.default_rng([split, 1]).permutation(len(texts)) % 2
    texts = [words[::-1] if label else words for words, label in zip(texts, turned, strict=True)]
    return _task("word order", texts, turned, ("as written", "turned round"), split)


def names(split: int) -> Task:
    """Of which of ten languages is a surname, letter by letter? At most 400 names of each.

    Raises:
        DataMissing: the surnames cannot be had.
    """
    by_language = surnames()
    rng = np.random.default_rng([split, 2])
    texts: list[Sequence[str]] = []
    labels: list[int] = []
    for label, found in enumerate(by_language.values()):
        chosen = rng.permutation(len(found))[:MOST_NAMES]
        texts += [found[i] for i in chosen]
        labels += [label] * len(chosen)
    return _task("names", texts, np.array(labels), tuple(by_language), split)


def _task(
    name: str, texts: Sequence[Sequence[str]], labels: np.ndarray, classes: tuple[str, ...], split: int
) -> Task:
    """Divide, and number the words that stand at least twice among those to train with."""
    kept = [i for i, text in enumerate(texts) if len(text)]
    order = np.random.default_rng([split, 0]).permutation(kept)
    first, second = (round(len(order) * share) for share in (SHARES[0], sum(SHARES)))
    parts = order[:first], order[first:second], order[second:]
    counts = Counter(word for i in parts[0] for word in texts[int(i)])
    words = ("", "rare", *sorted(word for word, count in counts.items() if count > 1))
    number = {word: i for i, word in enumerate(words)}

    def part(places: np.ndarray) -> Part:
        sequences = (np.array([number.get(word, RARE) for word in texts[int(i)]]) for i in places)
        return Part(tuple(sequences), labels[places])

    train, validation, test = map(part, parts)
    return Task(name, train, validation, test, words, classes)
