"""The networks of "Where does the gradient go?": three cells that learn the language of a surname.

    .venv/bin/python scripts/train_names.py        writes rnncourse/names_networks.safetensors; two minutes

The simple RNN, the simple gated RNN and the LSTM read the same surnames letter by letter, with the same
hidden size, optimiser and order; kept are their weights at several times, as whole thousandths, and how often
each was right on surnames that it had not seen. One seed, and no search: what the page shows is how such
networks work, and not which is best. Notebook 07 compares them with seeds.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rnncourse.adam import Adam  # noqa: E402
from rnncourse.cells.graph import Cell, cell_named  # noqa: E402
from rnncourse.data import surnames  # noqa: E402
from rnncourse.names_networks import (  # noqa: E402
    CELLS,
    FILE,
    LETTERS,
    THOUSANDTHS,
    Weights,
    inputs,
    letters_of,
    scored,
)
from rnncourse.withheld import both_ways  # noqa: E402

H = 16
KEPT_AFTER = (0, 1, 2, 4, 8, 16, 32)  # passes over the names
MOST_NAMES = 600  # of one language, in one pass
BATCH = 32
RATE = 3e-3
SEED = 0


def drawn(cell: Cell, classes: int, rng: np.random.Generator) -> Weights:
    """Untrained weights; a forget gate starts open, at sigmoid(1) or more than half (Gers et al. 2000)."""
    size = {"H": H, "D": len(LETTERS)}
    W = {key: rng.normal(size=[size[s] for s in shape]) / np.sqrt(H) for key, shape in cell.weights.items()}
    # An input is 1 at one letter and 0 elsewhere: what all columns share is a bias.
    if "fx" in W:
        W["fx"] += 1.0
    return W | {"yh": rng.normal(size=(classes, H)) / np.sqrt(H), "yb": np.zeros((classes, 1))}


def learn(cell: Cell, W: Weights, names: list[str], labels: np.ndarray, adam: Adam) -> None:
    """One update on names of one length."""
    seen, xs = list(cell.carried)[-1], inputs(*names)
    positions, scores = scored(cell.name, W, xs)
    h_T = positions[-1][seen]
    p = np.exp(scores - scores.max(axis=0))
    dscores = (p / p.sum(axis=0) - np.eye(len(p))[:, labels]) / len(names)
    arriving = [{} for _ in xs]
    arriving[-1] = {seen: W["yh"].T @ dscores}
    start = {into: np.zeros_like(h_T) for into in cell.carried.values()}
    dW = both_ways(cell, W, xs, start, arriving).dW
    adam.step(W, dW | {"yh": dscores @ h_T.T, "yb": dscores.sum(axis=1, keepdims=True)})


def groups(names: list[str], chosen: np.ndarray) -> list[np.ndarray]:
    """Groups of at most BATCH of the chosen names, of one length each."""
    lengths = np.array([len(name) for name in names])
    found = []
    for length in np.unique(lengths[chosen]):
        of_length = chosen[lengths[chosen] == length]
        found += np.array_split(of_length, -(-len(of_length) // BATCH))
    return found


def right(cell: Cell, W: Weights, names: list[str], labels: np.ndarray, chosen: np.ndarray) -> float:
    """Share of the chosen names whose language has the highest score."""
    count = 0
    for group in groups(names, chosen):
        _, scores = scored(cell.name, W, inputs(*(names[i] for i in group)))
        count += int((np.argmax(scores, axis=0) == labels[group]).sum())
    return count / len(chosen)


def kept(W: Weights) -> dict[str, np.ndarray]:
    """The weights as whole thousandths; all scores together are made 0, which changes no probability."""
    centred = {key: W[key] - W[key].mean(axis=0) if key in ("yh", "yb") else W[key] for key in W}
    return {key: np.round(value * THOUSANDTHS).astype(np.int16) for key, value in centred.items()}


def main() -> None:
    """Train, and write what is kept."""
    by_language = surnames()
    rng = np.random.default_rng(SEED)
    plain = [
        {"".join(LETTERS[i] for i in letters_of(name)) for name in found} for found in by_language.values()
    ]
    languages = Counter(name for found in plain for name in found)
    names, labels = [], []
    for label, found in enumerate(plain):
        # Without accents, some are names of several languages.
        fit = sorted(name for name in found if languages[name] == 1 and len(name) > 1)
        chosen = rng.permutation(len(fit))[:MOST_NAMES]
        names += [fit[i] for i in chosen]
        labels += [label] * len(chosen)
    labels = np.array(labels)
    order = rng.permutation(len(names))
    to_learn, unseen = order[len(order) // 5 :], order[: len(order) // 5]

    tensors, shares = {}, {}
    for name in CELLS:
        cell, rng = cell_named(name), np.random.default_rng(SEED + 1)
        W = drawn(cell, len(by_language), rng)
        adam, shares[name] = Adam(learning_rate=RATE, clip=1.0), []
        for passes in range(KEPT_AFTER[-1] + 1):
            if passes in KEPT_AFTER:
                share = right(cell, W, names, labels, unseen)
                shares[name].append(round(share, 3))
                tensors |= {f"{name}.{passes}.{key}": value for key, value in kept(W).items()}
                print(f"{name}, {passes} passes: {share:.3f} of {len(unseen)} unseen names", flush=True)
            batches = groups(names, rng.permutation(to_learn))
            for i in rng.permutation(len(batches)):
                group = batches[i]
                learn(cell, W, [names[j] for j in group], labels[group], adam)
    about = {
        "languages": list(by_language),
        "passes": KEPT_AFTER,
        "right": shares,
        "majority": round(float(np.bincount(labels[unseen]).max() / len(unseen)), 3),
        "unseen": len(unseen),
    }
    save_file(tensors, FILE, {"about": json.dumps(about)})


if __name__ == "__main__":
    main()
