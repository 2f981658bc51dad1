"""How long our stacked LSTM takes beside `torch.nn.LSTM`, forward and backward, on one thread.

    python scripts/bench_stacked_lstm.py [--turns 25]

Both run in turn in one process, on the same inputs in float32; what is printed is their ratio.
"""

import argparse
import os
import time

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy and torch are imported

import numpy as np  # noqa: E402
import stacked_lstm  # noqa: E402
import torch  # noqa: E402

T, N, D, H = 100, 64, 32, 128


def measure(turns: int) -> np.ndarray:
    """Time both implementations in alternation.

    Args:
        turns: how often each one runs (after three runs that are not counted).

    Returns:
        (turns, 2) seconds of ours and of PyTorch's.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    xs, dhs = (rng.normal(size=(T, size, N)).astype(np.float32) for size in (D, H))
    h0 = np.zeros((H, N), np.float32)
    stacked = (rng.normal(size=(4 * H, H + D)) / np.sqrt(H + D)).astype(np.float32)
    bias = np.zeros((4 * H, 1), np.float32)
    work = stacked_lstm.Workspace(T, D, H, N, np.float32)
    cell = torch.nn.LSTM(D, H)
    torch_xs, torch_dhs = (
        torch.tensor(np.ascontiguousarray(array.transpose(0, 2, 1))) for array in (xs, dhs)
    )
    torch_xs.requires_grad_(True)

    def ours() -> None:
        hs, cs, gates = stacked_lstm.forward(xs, h0, h0, stacked, bias, work)
        stacked_lstm.backward(dhs, xs, h0, h0, hs, cs, gates, stacked, workspace=work)

    def theirs() -> None:
        cell.zero_grad()
        torch_xs.grad = None
        cell(torch_xs)[0].backward(torch_dhs)

    seconds = np.empty((turns + 3, 2))
    for turn in range(turns + 3):
        for column, run in enumerate((ours, theirs)):
            started = time.perf_counter()
            run()
            seconds[turn, column] = time.perf_counter() - started
    return seconds[3:]


def main() -> None:
    """Print the ratio of the two times with its spread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=25)
    seconds = measure(parser.parse_args().turns)
    low, middle, high = np.quantile(seconds[:, 0] / seconds[:, 1], [0.1, 0.5, 0.9])
    print(
        f"stacked LSTM beside torch.nn.LSTM (T={T}, N={N}, D={D}, H={H}, float32, one thread): "
        f"{middle:.2f} times its time (80 % of {len(seconds)} turns: {low:.2f} to {high:.2f}; bar 2)"
    )


if __name__ == "__main__":
    main()
