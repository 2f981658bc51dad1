"""The step-through: a cell over a short sentence, one formula after the other, with numbers on every wire.

The drawing is the one of `rnncourse.cells.drawing`; the numbers are computed in the browser, from the same
description. Nothing here knows a way back: who may show it hands it in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnncourse.cells.back import Back
from rnncourse.cells.drawing import alt_of, drawn_step
from rnncourse.cells.graph import Cell, cell_named
from rnncourse.cells.look import look, themes
from rnncourse.cells.markup import as_html, as_words
from rnncourse.cells.values import forward
from rnncourse.explorer import Explorer
from rnncourse.figures import image

SENTENCE = ("not", "a", "bad", "film")
MOST_WORDS = 8


def step_through(
    name: str,
    sentence: Sequence[str] = SENTENCE,
    *,
    xs: np.ndarray | None = None,
    W: Mapping[str, np.ndarray] | None = None,
    arriving: Sequence[float] | None = None,
    numbers: Mapping[str, str] | None = None,
    back: Back | None = None,
) -> Explorer:
    """A cell over a sentence, step by step; what is not given is drawn small, the same each time.

    Args:
        name: "simple", "gated", "lstm", "lstm with biases" or "gru".
        sentence: its words, at most eight.
        xs: (T, D) a vector for each word.
        W: weights by key, as the notebooks have them.
        arriving: (H,) gradient of the loss by the last state that is seen, for the way back.
        numbers: number of a formula as the cell has it -> its number in this notebook.
        back: the way back, from the notebook that lets it be found; without it there is none.

    Raises:
        ValueError: no such cell, or words and vectors do not fit; the message says where.
    """
    cell = cell_named(name)
    words = list(sentence)
    if not 1 <= len(words) <= MOST_WORDS:
        raise ValueError(f"step_through: a sentence of 1 to {MOST_WORDS} words, not {len(words)}")
    rng = np.random.default_rng(5)
    # Drawn by the word, so that the same word is the same vector.
    vectors = {word: rng.uniform(-1, 1, 2) for word in dict.fromkeys(words)}
    inputs = np.stack([vectors[word] for word in words]) if xs is None else np.asarray(xs, float)
    if inputs.ndim != 2 or len(inputs) != len(words):
        raise ValueError(
            f"step_through: {len(words)} words want xs of shape ({len(words)}, D): {inputs.shape}"
        )
    weights = _weights(cell, W, inputs.shape[1], rng)
    H = len(next(iter(weights.values())))
    seen = list(cell.carried)[-1]
    gradient = np.ones(H) if arriving is None else np.asarray(arriving, float)
    if gradient.shape != (H,):
        raise ValueError(f"step_through: arriving has shape {gradient.shape}, the state ({H},)")
    data = {
        "words": words,
        "xs": np.round(inputs, 2).tolist() if xs is None else inputs.tolist(),
        "W": {key: weight.tolist() for key, weight in weights.items()},
        "H": H,
        "seen": seen,
        "arriving": gradient.tolist(),
        "graph": browser_graph(cell, back),
        "forward": _formulas(cell.formulas, numbers),
        "back": _formulas(back.equations, numbers) if back else [],
        "svg": {"forward": drawn_step(cell), "back": drawn_step(cell, back) if back else ""},
        "look": look(),
        "themes": themes(),
        "title": cell.title,
    }
    ways = "forward and back" if back else "forward"
    title = cell.title[0].upper() + cell.title[1:]
    alt = f"{title} over the sentence “{' '.join(words)}”, step by step, {ways}."
    rules, twin = back.rules if back else "", _twin(cell, data, back)
    return Explorer("step_through", data, alt, modules=("graph",), before=rules, twin=twin)


def _weights(
    cell: Cell, given: Mapping[str, np.ndarray] | None, D: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    if given is None:
        size = {"H": 2, "D": D, "1": 1}
        return {
            key: np.round(rng.normal(size=[size[s] for s in shape]), 1) for key, shape in cell.weights.items()
        }
    if missing := sorted(set(cell.weights) - set(given)):
        raise ValueError(f"step_through: W has no {', '.join(missing)}")
    weights = {key: np.asarray(given[key], float) for key in cell.weights}
    H = weights[next(iter(weights))].shape[0]
    size = {"H": H, "D": D, "1": 1}
    for key, shape in cell.weights.items():
        if weights[key].shape != (wanted := tuple(size[s] for s in shape)):
            raise ValueError(f'step_through: W["{key}"] has shape {weights[key].shape}, not {wanted}')
    return weights


def browser_graph(cell: Cell, back: Back | None) -> dict[str, Any]:
    """The description as the browser reads it."""
    nodes = [
        {
            "name": node.name,
            "kind": node.kind,
            "role": node.role,
            "inputs": list(node.inputs),
            "symbol": as_html(node.symbol),
            "words": as_words(node.symbol) or node.name,
            "gradient": as_html(back.arrives.get(node.name, "")) if back else "",
            "weight": node.weight,
            "bias": node.bias,
            "size": node.size,
        }
        for node in cell.nodes
    ]
    return {"nodes": nodes, "carried": cell.carried}


def _formulas(formulas: Sequence[Any], numbers: Mapping[str, str] | None) -> list[dict[str, Any]]:
    return [
        {
            "number": (numbers or {}).get(formula.number, formula.number),
            "html": as_html(formula.text),
            "words": as_words(formula.text),
            "nodes": list(formula.nodes),
        }
        for formula in formulas
    ]


def _twin(cell: Cell, data: Mapping[str, Any], back: Back | None) -> str:
    """What stands there without a script: the last position with its numbers, forward, and back."""
    xs = [np.array(x)[:, None] for x in data["xs"]]
    W = {key: np.array(weight) for key, weight in data["W"].items()}
    start = {into: np.zeros((data["H"], 1)) for into in cell.carried.values()}
    last = f"At “{data['words'][-1]}”. "
    texts = {name: short(value) for name, value in forward(cell, W, xs, start)[-1].items()}
    parts = [image(drawn_step(cell, values=texts), last + alt_of(cell))]
    if back and back.compute:
        outside: list[dict[str, np.ndarray]] = [{} for _ in xs]
        outside[-1] = {data["seen"]: np.array(data["arriving"])[:, None]}
        passed = back.compute(cell, W, xs, start, outside)
        texts = {name: short(grad, is_gradient=True) for name, grad in passed.grads[-1].items()}
        parts.append(image(drawn_step(cell, back, values=texts), last + alt_of(cell, back=back)))
    return "".join(f'<p class="twin">{part}</p>' for part in parts)


def short(value: np.ndarray, is_gradient: bool = False) -> str:
    """Two numbers with two digits, ".88 −.12"; of more, the first and three dots."""
    flat = np.ravel(value)
    shown = [(_gradient if is_gradient else _two_digits)(number) for number in flat[:2]]
    return f"{shown[0]} …" if len(flat) > 2 else " ".join(shown)


def _two_digits(number: float) -> str:
    size = abs(number)
    if size < 0.995:
        text = f"{size:.2f}"[1:]
    elif size < 999.5:
        text = f"{size:.1f}" if size < 9.95 else f"{size:.0f}"
    else:
        text = f"{size:.0e}".replace("e+0", "e").replace("e+", "e")
    return f"−{text}" if number < 0 and text != ".00" else text


def _gradient(number: float) -> str:
    """On the way back numbers get small, and that is what is to be seen."""
    size = abs(number)
    if size >= 0.00995:
        return _two_digits(number)
    if size < 0.0005:
        return "≈0" if size else "0"
    return f"{'−' if number < 0 else ''}{size:.3f}".replace("0.", ".")
