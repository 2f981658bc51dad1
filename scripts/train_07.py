"""The long runs of notebook 07, as data: every model, task and seed that its figures compare.

    .venv/bin/python scripts/train_07.py        writes rnncourse/results_07.json; half an hour

The models and the training are the notebook's own, with its reference answers. A seed draws the division of
the data, the weights and the order of the batches.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autograder.course.masters import read_master  # noqa: E402
from rnncourse import tasks  # noqa: E402

RESULTS = ROOT / "rnncourse" / "results_07.json"
SEEDS = 6
SEARCHED_BY = 100  # the seed of the search: none of those that are reported
RATES = (1e-3, 3e-3, 1e-2)
KINDS = ("bag of words", "tanh RNN", "gated RNN", "LSTM")
H = 64
EPOCHS = {"sentiment": 8, "word order": 8, "names": 15}
TASKS = {"sentiment": tasks.sentiment, "word order": tasks.word_order, "names": tasks.names}


def made(notebook: dict[str, Any], kind: str, task: tasks.Task) -> Any:
    """A model of a kind for a task, with weights drawn by PyTorch's generator as it stands."""
    nn, words, C = notebook["nn"], len(task.words), len(task.classes)
    if kind == "bag of words":
        return notebook["BagOfWords"](words, C)
    recurrent = {
        "tanh RNN": lambda: notebook["Library"](nn.RNN(32, H)),
        "gated RNN": lambda: notebook["GatedRNN"](32, H),
        "LSTM": lambda: notebook["Library"](nn.LSTM(32, H)),
    }[kind]()
    return notebook["Classifier"](recurrent, H, words, C)


def run(notebook: dict[str, Any], kind: str, task: tasks.Task, seed: int, rate: float) -> tuple[float, float]:
    """Train one model; the accuracies on validation and test part."""
    began = time.time()
    notebook["torch"].manual_seed(seed)
    model = made(notebook, kind, task)
    log, share = notebook["fit"](model, task, seed, EPOCHS[task.name], rate)
    best = max(validation for _, validation in log)
    seconds = time.time() - began
    print(
        f"{task.name:12} {kind:12} {seed:3} rate {rate}: {best:.3f} {share:.3f}, {seconds:.0f} s", flush=True
    )
    return round(best, 4), round(share, 4)


def main() -> None:
    """Search a rate for each model and task, by a seed of its own; then run the seeds."""
    notebook = read_master(ROOT / "solutions" / "07_training").reference
    results: dict[str, Any] = {"H": H, "epochs": EPOCHS, "rates": {}, "majority": {}, "test": {}}
    for name, task_of in TASKS.items():
        task = task_of(SEARCHED_BY)
        found = {
            kind: max(RATES, key=lambda rate: run(notebook, kind, task, SEARCHED_BY, rate)[0])
            for kind in KINDS
        }
        drawn = [task_of(seed) for seed in range(SEEDS)]
        results["rates"][name] = found
        results["majority"][name] = [
            round(max(float((task.test.labels == c).mean()) for c in range(len(task.classes))), 4)
            for task in drawn
        ]
        results["test"][name] = {
            kind: [run(notebook, kind, task, seed, found[kind])[1] for seed, task in enumerate(drawn)]
            for kind in KINDS
        }
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
