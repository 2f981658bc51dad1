"""The runs of notebook 11, as data: the adding problem with each of its bugs, and without.

    .venv/bin/python scripts/train_11.py        writes rnncourse/results_11.json; some minutes on one core

The bugs and what mends them are the notebook's own. A seed draws weights and batches, the same with a bug and
without it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autograder.course.masters import read_master  # noqa: E402
from rnncourse import bug_hunt  # noqa: E402

RESULTS = ROOT / "rnncourse" / "results_11.json"
SEEDS, EVERY = 10, 20
# In the order of the notebook: the bug, and the cell that is trained with it.
BUGS = {
    "time_first": "rnn",
    "forward": "rnn",
    "backward": "rnn",
    "clip": "rnn",
    "gated_backward": "gated",
    "lstm_step": "lstm",
    "lstm_backward": "lstm",
    "masked_forward": "masked rnn",
    "adam_step": "rnn",
}


def exchanged(array: np.ndarray) -> np.ndarray:
    """Stacked blocks with the third and the fourth exchanged: the order of the broken step."""
    f, i, third, fourth = np.split(array, 4)
    return np.concatenate([f, i, fourth, third])


def parts_of(notebook: dict[str, Any]) -> tuple[bug_hunt.Parts, bug_hunt.Parts]:
    """The parts of the training: as mended, and as they were broken."""
    mended = {name: notebook[f"fix_{name}"] for name in BUGS} | {"gated_step": notebook["gated_step"]}
    return mended, {name: notebook[f"broken_{name}"] for name in BUGS}


def with_bug(mended: bug_hunt.Parts, broken: bug_hunt.Parts, bug: str) -> bug_hunt.Parts:
    """All parts right but one; a step in another order gets the way back that fits it."""
    parts = {**mended, bug: broken[bug]}
    if bug != "lstm_step":
        return parts

    def backward(*arguments: Any) -> Any:
        *step, W = arguments
        *rest, dW = mended["lstm_backward"](*step, {key: exchanged(W[key]) for key in ("h", "x", "b")})
        return *rest, {key: exchanged(dW[key]) for key in dW}

    return {**parts, "lstm_backward": backward}


def main() -> None:
    """Train, and write the losses."""
    began = time.process_time()
    mended, broken = parts_of(read_master(ROOT / "solutions" / "11_bug_hunt").reference)
    runs: dict[tuple[str, str, int], list[float]] = {}
    losses: dict[str, dict[str, list[list[float]]]] = {}
    for bug, cell in BUGS.items():
        losses[bug] = {"with": [], "without": []}
        for seed in range(SEEDS):
            for name in ("without", "with"):
                of = ("" if name == "without" else bug, cell, seed)
                if of not in runs:
                    parts = mended if name == "without" else with_bug(mended, broken, bug)
                    curve, _ = bug_hunt.losses_of(parts, cell, seed)
                    runs[of] = [float(f"{loss:.3g}") for loss in curve.reshape(-1, EVERY).mean(axis=1)]
                losses[bug][name].append(runs[of])
        ends = {name: np.median(np.array(curves)[:, -1]) for name, curves in losses[bug].items()}
        print(f"{bug:16} {cell:12} {ends['without']:.4f} with the bug {ends['with']:.4f}", flush=True)
    RESULTS.write_text(json.dumps({"every": EVERY, "losses": losses}, separators=(",", ":")) + "\n", "utf-8")
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
