"""The long runs of notebook 10, as data: variants of the LSTM, parity, copying.

    OMP_NUM_THREADS=1 .venv/bin/python scripts/train_10.py     writes rnncourse/results_10.json; 11 minutes

Tasks, models and training: `rnncourse/side_by_side.py`. Rates are searched with seeds of their own, by
sequences of their own; the seeds that are reported were looked at once.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rnncourse import side_by_side as sides  # noqa: E402

RESULTS = ROOT / "rnncourse" / "results_10.json"
SEEDS, SEARCHED_BY = range(8), (100, 101)
RATES = (3e-3, 1e-2, 3e-2)
UNITS = 10  # of the LSTM with peepholes; every other cell gets the width with as many parameters
T, UPDATES, TRIED_AT, FIRST = 20, 800, 200, 100  # a test counts the steps behind FIRST
VARIANT_TASKS = {"balance": (sides.balance, 2), "fresh start": (sides.fresh_start, 3)}
PARITY = {
    "tanh RNN": (16, 1),
    "GRU": (16, 1),
    "LSTM": (16, 1),
    "scan, gates in (0, 1)": (64, 2),
    "scan, gates in (-1, 1)": (16, 1),
}
LENGTHS = (2, 4, 8, 16, 24)


def variants() -> dict[str, Any]:
    """Each variant on two tasks: its rate, width, parameters, and accuracies near and far behind training."""
    found: dict[str, Any] = {}
    for task_name, (task, D) in VARIANT_TASKS.items():
        budget = sides.count("V", D, UNITS)
        found[task_name] = {}
        for name, cell in sides.VARIANTS.items():
            H = sides.width(cell, D, budget)
            rates = RATES * len(SEARCHED_BY)
            searched = sides.Model(cell, D, H, 3, [seed for seed in SEARCHED_BY for _ in RATES])
            sides.train(searched, task, T, UPDATES, rates)
            by_rate = sides.right(searched, task, TRIED_AT, draw=1)[:, :, FIRST:].mean((1, 2))
            rate = RATES[int(by_rate.reshape(-1, len(RATES)).mean(0).argmax())]
            model = sides.Model(cell, D, H, 3, SEEDS)
            sides.train(model, task, T, UPDATES, [rate] * len(SEEDS))
            right = sides.right(model, task, TRIED_AT)
            found[task_name][name] = {
                "rate": rate,
                "units": H,
                "parameters": sides.count(cell, D, H),
                "short": right[:, :, :T].mean((1, 2)).round(4).tolist(),
                "long": right[:, :, FIRST:].mean((1, 2)).round(4).tolist(),
            }
            print(task_name, name, found[task_name][name], flush=True)
    return found


def parity() -> dict[str, Any]:
    """Each model, trained on up to 20 bits: by seed, what is right at each of 40 bits, and of all of them."""
    found = {}
    for cell, (H, layers) in PARITY.items():
        model = sides.Model(cell, 2, H, 2, range(5), layers)
        losses = sides.train(model, sides.parity, 20, 1500, [1e-2] * 5, N=64, lengths=True)
        right = sides.right(model, sides.parity, 40)
        found[cell] = {
            "units": H,
            "layers": layers,
            "loss": losses[-50:].mean(0).round(4).tolist(),
            "by_step": right.mean(1).round(3).tolist(),
            "whole": right.all(2).mean(1).round(3).tolist(),
        }
        print(cell, found[cell]["loss"], found[cell]["whole"], flush=True)
    return found


def copying() -> dict[str, Any]:
    """Letters right by length and seed, with h_T alone and with a look back; and where one model looked."""
    found: dict[str, Any] = {"lengths": LENGTHS, "h_T alone": [], "with a look back": []}
    for length in LENGTHS:
        for name, look_back in (("h_T alone", False), ("with a look back", True)):
            model = sides.Copier(32, range(5), look_back)
            sides.train(model, sides.copying, length, 1000, [1e-2] * 5)
            found[name].append(sides.right(model, sides.copying, length).mean((1, 2)).round(4).tolist())
            print(length, name, found[name][-1], flush=True)
            if look_back and length == 8:
                with torch.no_grad():
                    xs, _ = sides.batches(sides.copying, model.seeds, 0, length, 1)
                    found["looked"] = model.weights(model.states(xs))[0, 0].numpy().round(3).tolist()
    return found


def main() -> None:
    """Run all three; each is written as soon as it is there."""
    torch.set_num_threads(1)
    results: dict[str, Any] = {}
    for name, made in (("parity", parity), ("variants", variants), ("copying", copying)):
        began = time.process_time()
        results[name] = made()
        results[name + " seconds"] = round(time.process_time() - began)
        RESULTS.write_text(json.dumps(results) + "\n")


if __name__ == "__main__":
    main()
