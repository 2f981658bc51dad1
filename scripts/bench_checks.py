"""How long a student waits for a check: processor time of each, and gradient checks beside PyTorch's.

.venv/bin/python scripts/bench_checks.py
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autograder.check import caller, judge_here  # noqa: E402
from autograder.course.masters import read_master  # noqa: E402
from autograder.course.places import find_masters  # noqa: E402
from autograder.judging.backward import gradient_error  # noqa: E402
from autograder.sheets.frozen import FrozenChecks  # noqa: E402

TURNS = 9


def median_ms(work: Callable[[], object]) -> float:
    """Median processor time of several runs, in milliseconds."""
    times = []
    for _ in range(TURNS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return 1e3 * statistics.median(times)


def main() -> None:
    """Time every check with the reference and with a misconception, the slower of the two counts."""
    slowest = 0.0
    for folder in find_masters(ROOT / "solutions"):
        master = read_master(folder)
        checks = FrozenChecks(ROOT / "notebooks" / folder.name / "checks.safetensors")
        found = []
        for name, exercise in master.exercises.items():
            functions = [master.reference[name]]
            functions += [master.mutant_function(name, m) for m in exercise.spec.misconceptions[:2]]
            sheet = checks.sheet(name)
            with np.errstate(all="ignore"):
                found.append(max(median_ms(partial(judge_here, checks, sheet, f)) for f in functions))
        slowest = max(slowest, *found)
        times = ", ".join(f"{n} {t:.0f}" for n, t in zip(master.exercises, found, strict=True))
        print(f"{folder.name}: {times} ms", flush=True)
    print(f"slowest check: {slowest:.0f} ms (bar: 300)")
    beside_gradcheck()


def beside_gradcheck() -> None:
    """The gradient check of the whole LSTM, ours beside `torch.autograd.gradcheck` on the same function."""
    import torch  # noqa: PLC0415

    master = read_master(ROOT / "solutions" / "06_lstm_backward")
    checks = FrozenChecks(ROOT / "notebooks" / master.name / "checks.safetensors")
    sheet = checks.sheet("lstm_backward")
    own = sheet.forward
    assert own is not None
    inputs = own.inputs
    backward, forward = (caller(master.reference[name]) for name in ("lstm_backward", own.name))
    ours = median_ms(lambda: gradient_error(sheet, own, backward, forward))
    keys = list(inputs["W"])
    tensors = [inputs[k] for k in ("xs", "h0", "c0")] + [inputs["W"][k] for k in keys]
    leaves = [torch.tensor(t, requires_grad=True) for t in tensors]

    def lstm(xs, h, c, *weights):
        W = dict(zip(keys, weights, strict=True))
        states = []
        for x in xs:
            z = {g: W[f"{g}h"] @ h + W[f"{g}x"] @ x + W[f"{g}b"] for g in "fioc"}
            c = torch.sigmoid(z["f"]) * c + torch.sigmoid(z["i"]) * torch.tanh(z["c"])
            h = torch.sigmoid(z["o"]) * torch.tanh(c)
            states.append(h)
        return torch.stack(states)

    theirs = median_ms(lambda: torch.autograd.gradcheck(lstm, leaves))
    times = theirs / ours
    print(
        f"gradient check of the whole LSTM: {ours:.0f} ms; gradcheck takes {times:.0f} times that (bar: 10)"
    )


if __name__ == "__main__":
    main()
