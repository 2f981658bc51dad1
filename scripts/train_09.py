"""The long runs of notebook 09, as data: what cells of ten networks know, how far they reach and count.

    .venv/bin/python scripts/train_09.py        writes rnncourse/results_09.json; some ten minutes on one core

Training and measures are the notebook's own, with its reference answers; the tanh RNN beside stands here.
"""

from __future__ import annotations

import ast
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autograder.course.masters import read_master  # noqa: E402
from rnncourse import course_code  # noqa: E402
from rnncourse.adam import Adam  # noqa: E402

RESULTS = ROOT / "rnncourse" / "results_09.json"
SEEDS = range(10)


def functions() -> dict[str, Any]:
    """The notebook's functions: references, given ones, and those of its experiments."""
    master = read_master(ROOT / "solutions" / "09_looking_inside")
    namespace = {**master.reference, "Adam": Adam, "np": np}
    for cell in master.cells:
        if cell.kind == "code" and cell.role is None:
            defined: list[ast.stmt] = [
                s for s in ast.parse(cell.source).body if isinstance(s, ast.FunctionDef)
            ]
            exec(compile(ast.Module(defined, []), f"cell {cell.number}", "exec"), namespace)
    return namespace


def of_text(nb: dict[str, Any]) -> dict[str, Any]:
    """Train on the text with each seed: rankings on the half that judges, bits, half of the connectivity."""
    text = course_code()
    characters = sorted(set(text))
    C, codes = len(characters), np.array([characters.index(character) for character in text])
    cut = int(0.85 * len(codes))
    nb |= {"characters": characters, "C": C}
    unseen = codes[cut:]
    found: dict[str, Any] = {"bits": [], "half": {"trained": [], "untrained": []}, "ranking": {}}
    rng = np.random.default_rng(2)
    places = rng.integers(0, len(unseen) - 101, size=100)
    pieces = np.stack([unseen[place : place + 101] for place in places], axis=1)
    xs, k = nb["one_hot"](pieces[:100], C), pieces[100]
    for seed in SEEDS:
        began = time.process_time()
        W, V, _ = nb["train"](seed, codes[:cut], C)
        networks = {"trained": (W, V), "untrained": nb["new_network"](100 + seed, C)}
        for name, (weights, read_out) in networks.items():
            hs, cs, read, following = nb["read_on"](unseen, weights)
            streams = [
                nb["properties"]("".join(characters[c] for c in read[:, n])) for n in range(read.shape[1])
            ]
            if name == "trained":
                found["bits"].append(round(float(nb["paid"](nb["foretell"](hs, V), following).mean()), 3))
            shares = nb["connectivity"](xs, k, weights, read_out)[::-1].mean(axis=1)
            found["half"][name].append(1 + int(np.argmax(np.cumsum(shares) >= 0.5)))
            for label in streams[0]:
                here = np.stack([stream[label] for stream in streams], axis=1)
                row = found["ranking"].setdefault(label, {})
                asked = {name: here}
                if name == "trained":
                    asked["labels of elsewhere"] = np.roll(here, 400, axis=0)
                for kind, of in asked.items():
                    for who, ranking in (
                        ("best cell", nb["best_cell"](cs, of)[1]),
                        ("all cells", nb["probed"](cs, of)),
                    ):
                        row.setdefault(f"{who}, {kind}", []).append(round(float(ranking), 3))
        print(f"text, seed {seed}: {found['bits'][-1]} bits, {time.process_time() - began:.0f} s", flush=True)
    return found


def rnn_counter(nb: dict[str, Any], seed: int, letters: str, updates: int = 3000, longest: int = 20) -> int:
    """A tanh RNN of 8 units trained as the notebook's LSTM is; the n up to which it is right."""
    rng, H, C = np.random.default_rng(seed), 8, len(letters) + 1
    W = {"ss": rng.normal(size=(H, H)) / np.sqrt(H), "sx": rng.normal(size=(H, C)) / np.sqrt(H)}
    W |= {"sb": np.zeros((H, 1)), "yh": rng.normal(size=(C, H)) / np.sqrt(H), "yb": np.zeros((C, 1))}
    adam = Adam(0.02, clip=1.0)

    def states(xs: np.ndarray) -> np.ndarray:
        s, found = np.zeros((H, xs.shape[2])), []
        for x_t in xs:
            s = np.tanh(W["ss"] @ s + W["sx"] @ x_t + W["sb"])
            found.append(s)
        return np.stack(found)

    read, following, asked = nb["strings"](letters, range(1, longest + 1))
    xs, wanted = nb["one_hot"](read, C), nb["one_hot"](following, C)
    for update in range(updates):
        found = states(xs)
        dlogits = (nb["foretell"](found, W) - wanted) * (asked / asked.sum())[:, None]
        dW = {key: np.zeros_like(weights) for key, weights in W.items()}
        dW["yh"], dW["yb"] = np.einsum("tyn,thn->yh", dlogits, found), dlogits.sum(axis=(0, 2))[:, None]
        ds = np.zeros_like(found[0])
        for t in reversed(range(len(xs))):
            da = (W["yh"].T @ dlogits[t] + ds) * (1 - found[t] ** 2)
            dW["ss"] += da @ (found[t - 1] if t else 0 * ds).T
            dW["sx"] += da @ xs[t].T
            dW["sb"] += da.sum(axis=1, keepdims=True)
            ds = W["ss"].T @ da
        adam.learning_rate = 0.02 * (1 - update / updates)
        adam.step(W, dW)
    read, following, asked = nb["strings"](letters, range(1, 151))
    best = nb["foretell"](states(nb["one_hot"](read, C)), W).argmax(axis=1)
    right = ((best == following) | (asked == 0)).all(axis=0)
    return 150 if right.all() else int(np.argmin(right))


def of_counting(nb: dict[str, Any]) -> dict[str, Any]:
    """How far LSTM and tanh RNN count, with each seed."""
    found: dict[str, Any] = {}
    for letters in ("ab", "abc"):
        began = time.process_time()
        models = found[letters] = {"LSTM": [], "tanh RNN": []}
        for seed in SEEDS:
            models["LSTM"].append(nb["right_up_to"](*nb["learn_to_count"](seed, letters), letters))
            models["tanh RNN"].append(rnn_counter(nb, seed, letters))
        print(f"{letters}: {models}, {time.process_time() - began:.0f} s", flush=True)
    return found


def main() -> None:
    """Run everything and write it."""
    nb = functions()
    results = {"text": of_text(nb), "counting": of_counting(nb)}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
