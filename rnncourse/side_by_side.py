"""The models and tasks that notebook 10 compares: several runs of one model are trained side by side.

Each parameter has a first axis, one entry a run, so that ten seeds cost little more than one. Arrays are
(T, R, N, D): time, run, sequence, input. PyTorch is imported where it is needed, in `train`.

The eight variants are those of K. Greff et al. (2017), *LSTM: a search space odyssey*, arXiv 1503.04069.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

VARIANTS = {
    "LSTM with peepholes": "V",
    "no input gate": "NIG",
    "no forget gate": "NFG",
    "no output gate": "NOG",
    "no tanh for the candidate": "NIAF",
    "no tanh on the way out": "NOAF",
    "coupled gates, f = 1 - i": "CIFG",
    "no peepholes": "NP",
    "gates read all gates": "FGR",
    "GRU": "GRU",
}
# Variant -> the block that it lacks.
ABSENT = {"NIG": "i", "NFG": "f", "NOG": "o", "CIFG": "f"}
Shapes = dict[str, tuple[int, ...]]


def _blocks(cell: str) -> list[str]:
    """The blocks of an LSTM, or of its variant that lacks one."""
    return [k for k in "fioc" if k != ABSENT.get(cell)]


def shapes(cell: str, D: int, H: int) -> Shapes:
    """The parameters of one run of a cell, without those of the read-out."""
    if cell == "tanh RNN":
        return {"h": (H, H), "x": (D, H), "b": (H,)}
    if cell == "GRU":
        return {"h": (H, 3 * H), "x": (D, 3 * H), "b": (3 * H,)}
    if cell.startswith("scan"):
        return {"x": (D, 2 * H), "b": (2 * H,)}
    blocks = _blocks(cell)
    found: Shapes = {"h": (H, len(blocks) * H), "x": (D, len(blocks) * H), "b": (len(blocks) * H,)}
    if cell not in ("NP", "LSTM"):
        found |= {f"p{k}": (H,) for k in blocks if k != "c"}
    return found | ({"g": (3 * H, 3 * H)} if cell == "FGR" else {})


def count(cell: str, D: int, H: int) -> int:
    """Numbers to be learned in a cell."""
    return sum(int(np.prod(shape)) for shape in shapes(cell, D, H).values())


def width(cell: str, D: int, budget: int) -> int:
    """The number of units with which a cell comes nearest to a number of parameters."""
    return min(range(1, 200), key=lambda H: abs(count(cell, D, H) - budget))


def forward(cell: str, xs: Any, W: dict[str, Any]) -> Any:
    """All states (T, R, N, H) of a cell that starts at zero, for inputs (T, R, N, D)."""
    import torch

    made = xs @ W["x"] + W["b"][:, None]
    if cell.startswith("scan"):
        gates, written = made.chunk(2, -1)
        keep = torch.tanh(gates) if cell == "scan, gates in (-1, 1)" else torch.sigmoid(gates)
        add = written if cell == "scan, gates in (-1, 1)" else (1 - keep) * written
        state, states = torch.zeros_like(add[0]), []
        for a_t, b_t in zip(keep, add, strict=True):
            state = a_t * state + b_t
            states.append(state)
        return torch.stack(states)
    H = W["h"].shape[1]
    h = torch.zeros(*xs.shape[1:3], H, dtype=xs.dtype)
    if cell == "tanh RNN":
        states = []
        for z in made:
            h = torch.tanh(z + h @ W["h"])
            states.append(h)
        return torch.stack(states)
    if cell == "GRU":
        states = []
        for z in made:
            inside = h @ W["h"]
            r, g = torch.sigmoid(z[..., : 2 * H] + inside[..., : 2 * H]).chunk(2, -1)
            h = (1 - g) * h + g * torch.tanh(z[..., 2 * H :] + r * inside[..., 2 * H :])
            states.append(h)
        return torch.stack(states)
    return _variant(cell, made, h, W)


def _variant(cell: str, made: Any, h: Any, W: dict[str, Any]) -> Any:
    """An LSTM or one of its variants, from what the inputs give the blocks."""
    import torch

    H = h.shape[-1]
    blocks = _blocks(cell)
    peep = {k: W[f"p{k}"][:, None] for k in blocks if f"p{k}" in W}
    c, states, gates_before = torch.zeros_like(h), [], None
    for z in made:
        z = z + h @ W["h"]
        if cell == "FGR" and gates_before is not None:
            z = torch.cat([z[..., : 3 * H] + gates_before @ W["g"], z[..., 3 * H :]], -1)
        part = dict(zip(blocks, z.split(H, -1), strict=True))
        gate = {k: torch.sigmoid(part[k] + peep[k] * c if k in peep else part[k]) for k in "fi" if k in part}
        new = part["c"] if cell == "NIAF" else torch.tanh(part["c"])
        i = gate.get("i", 1.0)
        f = 1 - gate["i"] if cell == "CIFG" else gate.get("f", 1.0)
        c = f * c + i * new
        if "o" in part:
            gate["o"] = torch.sigmoid(part["o"] + peep["o"] * c if "o" in peep else part["o"])
        h = gate.get("o", 1.0) * (c if cell == "NOAF" else torch.tanh(c))
        states.append(h)
        if cell == "FGR":
            gates_before = torch.cat([gate[k] for k in "fio"], -1)
    return torch.stack(states)


class Model:
    """Layers of a cell and a linear read-out, `runs` of them side by side."""

    def __init__(self, cell: str, D: int, H: int, C: int, seeds: Sequence[int], layers: int = 1):
        import torch

        self.cell, self.seeds, self.layers = cell, tuple(seeds), []
        for layer in range(layers):
            self.layers.append(self._drawn(shapes(cell, D if layer == 0 else H, H), H, layer, torch))
        self.read = self._drawn({"y": (H, C), "yb": (C,)}, H, layers, torch)
        if cell in ("V", "NIG", "NOG", "NIAF", "NOAF", "NP", "FGR", "LSTM"):
            with torch.no_grad():
                for W in self.layers:
                    W["b"][:, :H] += 1.0  # the forget bias of Gers et al. (2000)

    def _drawn(self, wanted: Shapes, H: int, layer: int, torch: Any) -> dict[str, Any]:
        """Uniform in ±1/sqrt(H), each run by its own seed; peepholes too."""
        drawn = {
            name: np.stack(
                [
                    np.random.default_rng([seed, layer, place]).uniform(-1, 1, shape) / np.sqrt(H)
                    for seed in self.seeds
                ]
            )
            for place, (name, shape) in enumerate(wanted.items())
        }
        return {k: torch.tensor(v, dtype=torch.float32, requires_grad=True) for k, v in drawn.items()}

    def parameters(self) -> list[Any]:
        """All that is learned."""
        return [array for W in (*self.layers, self.read) for array in W.values()]

    def states(self, xs: Any) -> Any:
        """The states of the last layer, (T, R, N, H)."""
        for W in self.layers:
            xs = forward(self.cell, xs, W)
        return xs

    def __call__(self, xs: Any) -> Any:
        """Logits (T, R, N, C) at every step."""
        return self.states(xs) @ self.read["y"] + self.read["yb"][:, None]


Task = Callable[[np.random.Generator, int, int], tuple[np.ndarray, np.ndarray]]


def balance(rng: np.random.Generator, T: int, N: int) -> tuple[np.ndarray, np.ndarray]:
    """A stream of a and b. So far, were there fewer a than b, as many, or more? Inputs and classes."""
    letters = rng.integers(2, size=(T, N))
    surplus = (2 * letters - 1).cumsum(axis=0)
    return np.eye(2)[letters], np.sign(surplus) + 1


def fresh_start(rng: np.random.Generator, T: int, N: int) -> tuple[np.ndarray, np.ndarray]:
    """The same with a full stop now and then, behind which the count starts at zero again."""
    letters = np.where(rng.random((T, N)) < 0.1, 2, rng.integers(2, size=(T, N)))
    surplus = np.zeros((T, N), dtype=int)
    for t in range(T):
        before = surplus[t - 1] if t else 0
        surplus[t] = np.where(letters[t] == 2, 0, before + 2 * letters[t] - 1)
    return np.eye(3)[letters], np.sign(surplus) + 1


def parity(rng: np.random.Generator, T: int, N: int) -> tuple[np.ndarray, np.ndarray]:
    """Random bits. Is the number of ones so far odd?"""
    bits = rng.integers(2, size=(T, N))
    return np.eye(2)[bits], bits.cumsum(axis=0) % 2


def batches(task: Task, seeds: Sequence[int], update: int, T: int, N: int) -> tuple[Any, Any]:
    """One batch for each run, by its own seed: (T, R, N, D) and (T, R, N)."""
    import torch

    drawn = [task(np.random.default_rng([seed, 1, update]), T, N) for seed in seeds]
    xs, classes = (np.stack(kind, axis=1) for kind in zip(*drawn, strict=True))
    return torch.tensor(xs, dtype=torch.float32), torch.tensor(classes)


def train(
    model: Any,
    task: Task,
    T: int,
    updates: int,
    rates: Sequence[float],
    N: int = 32,
    clip: float = 1.0,
    lengths: bool = False,
) -> np.ndarray:
    """Adam with a rate, a batch and a clipped norm of its own for each run.

    Args:
        model: called with (T, R, N, D), gives logits at every step; has `parameters` and `seeds`.
        task: what is drawn anew for each update.
        T: length of the sequences; the longest one where `lengths` is set.
        updates: their number.
        rates: a learning rate for each run.
        N: sequences a batch.
        clip: largest norm of a run's gradient.
        lengths: whether each batch gets a length of its own, from 1 to T.

    Returns:
        losses: (updates, R) of each batch, before its update.
    """
    import torch

    torch.set_num_threads(1)  # for matrices as small as ours, more threads are slower
    parameters = model.parameters()
    rate = torch.tensor(rates, dtype=torch.float32)
    moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]
    lengths_drawn = np.random.default_rng(model.seeds[0]).integers(1, T + 1, size=updates)
    losses = []
    for update in range(1, updates + 1):
        steps = int(lengths_drawn[update - 1]) if lengths else T
        xs, classes = batches(task, model.seeds, update, steps, N)
        logits = model(xs)
        each = torch.nn.functional.cross_entropy(logits.flatten(0, 2), classes.flatten(), reduction="none")
        loss = each.view(classes.shape).mean((0, 2))
        gradients = torch.autograd.grad(loss.sum(), parameters)
        norm = sum((g.flatten(1) ** 2).sum(1) for g in gradients) ** 0.5
        share = torch.clamp(clip / (norm + 1e-12), max=1.0)
        with torch.no_grad():
            for p, g, (mean, square) in zip(parameters, gradients, moments, strict=True):
                by_run = (-1,) + (1,) * (p.ndim - 1)
                g = g * share.view(by_run)
                mean.mul_(0.9).add_(g, alpha=0.1)
                square.mul_(0.999).addcmul_(g, g, value=0.001)
                step = mean / (1 - 0.9**update) / ((square / (1 - 0.999**update)).sqrt() + 1e-8)
                p -= rate.view(by_run) * step
        losses.append(loss.detach().numpy())
    return np.stack(losses)


def right(model: Any, task: Task, T: int, N: int = 200, draw: int = 0) -> np.ndarray:
    """(R, N, T): was the answer right, at each step of N fresh sequences? The same ones for each run."""
    import torch

    xs, classes = batches(task, [10_000 + draw] * len(model.seeds), 0, T, N)
    with torch.no_grad():
        return (model(xs).argmax(-1) == classes).permute(1, 2, 0).numpy()


LETTERS, PERIODS = 8, (4, 16, 64)


def copying(rng: np.random.Generator, T: int, N: int) -> tuple[np.ndarray, np.ndarray]:
    """T letters are read, then T blanks: say the letters again, in order.

    Beside the letter both halves read a clock that starts at zero: sines and cosines of the position.

    Returns:
        xs: (2T, N, 15) eight letters, a blank, six numbers of the clock.
        letters: (T, N) what is to be said at the last T steps.
    """
    letters = rng.integers(LETTERS, size=(T, N))
    shown = np.eye(LETTERS + 1)[np.concatenate([letters, np.full((T, N), LETTERS)])]
    angles = 2 * np.pi * np.arange(T)[:, None] / PERIODS
    clock = np.tile(np.concatenate([np.sin(angles), np.cos(angles)], axis=1), (2, 1))
    return np.concatenate([shown, np.broadcast_to(clock[:, None], (2 * T, N, 6))], axis=2), letters


class Copier(Model):
    """An LSTM that reads, and says again; with a look back, an answer sees a mixture of what was read."""

    def __init__(self, H: int, seeds: Sequence[int], look_back: bool):
        import torch

        super().__init__("LSTM", LETTERS + 7, H, LETTERS, seeds)
        self.look = (
            self._drawn({"q": (H, H), "k": (H, H), "v": (H, LETTERS)}, H, 2, torch) if look_back else {}
        )

    def parameters(self) -> list[Any]:
        """All that is learned, the look back too."""
        return [*super().parameters(), *self.look.values()]

    def weights(self, states: Any) -> Any:
        """(R, N, T, T): how much of each step that was read goes into each answer."""
        T = len(states) // 2
        asked, offered = states[T:] @ self.look["q"], states[:T] @ self.look["k"]
        scores = asked.permute(1, 2, 0, 3) @ offered.permute(1, 2, 3, 0)
        return (scores / states.shape[-1] ** 0.5).softmax(-1)

    def __call__(self, xs: Any) -> Any:
        """Logits (T, R, N, 8) of the second half."""
        states = self.states(xs)
        T = len(states) // 2
        logits = states[T:] @ self.read["y"] + self.read["yb"][:, None]
        if self.look:
            read = (states[:T] @ self.look["v"]).permute(1, 2, 0, 3)
            logits = logits + (self.weights(states) @ read).permute(2, 0, 1, 3)
        return logits
