"""Explorers keep nobody out, and follow the page around them."""

from pathlib import Path

import pytest
from check_pages import check_page
from make_site import EMBEDDED

import rnncourse
from rnncourse.explorer import page as piece
from rnncourse.explorer import source_of

WAVE = [0.3, -0.8, 0.5, 0.1, -0.4]
DATA = {
    "activation": {
        "text": "if x:\n",
        "cells": {"cell 0": [0, 0.5, -0.5, 1, -1, 0.2], "cell 3": [0.1] * 6},
        "top": [[["a", 0.5], ["\n", 0.2], [" ", 0.1]]] * 6,
    },
    "bug_curves": {
        "losses": {"clip": {"with": [[1, 0.5, 0.1]] * 2, "without": [[1, 0.4, 0.05]] * 2}},
        "every": 10,
        "guessing": 0.17,
    },
    "contributions": {"x": WAVE, "s0": 0.3, "w": 0.6, "scale": 0.5, "T": 4},
    "gates_by_hand": {
        "s0": [0.6, -0.5, 0],
        "candidates": [[0.1, 0.2, 0.3], [-0.4, 0.5, 0.1]],
        "goals": [0.1, -0.5, None],
    },
    "gradient_flow": {
        "biases": [0, 3],
        "starts": {"small": {"rnn": [0, -1] * 3, "wire": [[0, -2] * 3] * 2, "all": [[0, -3] * 3] * 2}},
    },
    "jacobians": {"rho": 0.5, "b": 1.0, "gamma": 0.5, "k": 3, "steps": 60},
    "machine": {"c_prev": 1.5},
    "memory_cell": {
        "words": ["not", "bad"],
        "candidates": [-0.9, 0.8],
        "presets": [{"name": "half", "f": 0.5, "i": 0.5, "o": 0.5}],
        "goal": [0, 0.5],
    },
    "turning": {"bits": [1, 0, 1], "at_0": 0.5, "at_1": 0.5},
    "seeds": {
        "tasks": {"mood": {kind: [0.7, 0.8] for kind in ("tanh RNN", "LSTM")}},
        "start": {"task": "mood", "count": 2},
    },
    "sentence_states": {
        "words": ["bad", "not"],
        "inputs": [[0.5, -0.5], [1.0, 0.2]],
        "W_ss": [[0.1, 0.2], [0.3, -0.4]],
        "sentences": [["not", "bad"]],
    },
    "step_size": {},
}
# Tried with what they need, in test_cells.py and test_gradient_paths.py; the first three are no explorers.
ELSEWHERE = {"graph", "parts", "theme", "step_through", "gradient_paths"}


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """All of them on one page."""
    folder = Path(rnncourse.__file__).parent / "explorers"
    assert {path.stem for path in folder.glob("*.js")} - ELSEWHERE == set(DATA)
    pieces = [
        piece(name, source_of(name), {**data, "alt": name}, f"of {name}") for name, data in DATA.items()
    ]
    path = tmp_path_factory.mktemp("explorers") / "page.html"
    path.write_text(EMBEDDED.format(title="Explorers", body="\n".join(pieces)), "utf-8")
    return path


def test_no_explorer_keeps_anybody_out(together, browser):
    """In light and dark, by keyboard, at 360 pixels and at 200 %."""
    assert check_page(browser, together) == []


def test_explorers_follow_the_page_and_keep_their_keys(together, page):
    page.goto(together.as_uri())
    roots = page.locator(".themed")
    assert roots.count() == len(DATA)
    assert page.locator(".themed.dark").count() == 0
    page.evaluate("() => { document.body.dataset.jpThemeLight = 'false'; }")
    page.wait_for_selector(".themed.dark")
    assert page.locator(".themed.dark").count() == len(DATA)
    free = ":is(input, select, button):not([data-lm-suppress-shortcuts][data-prevent-swipe])"
    assert page.locator(f".themed {free}").count() == 0


def test_no_words_of_an_explorer_are_small(together, page):
    """16 of a slide's 720 pixels, drawn 1080 wide as in a notebook."""
    page.goto(together.as_uri())
    sizes = page.evaluate(
        """() => [...document.querySelectorAll(".themed *")].filter((one) => [...one.childNodes]
          .some((node) => node.nodeType === 3 && node.data.trim()) && !one.matches("style, title, option"))
          .map((one) => [parseFloat(getComputedStyle(one).fontSize), one.textContent])"""
    )
    assert len(sizes) > 100
    assert [words for size, words in sizes if size < 16] == []


def test_the_gate_s_game_gives_a_score(together, page):
    page.goto(together.as_uri())
    game = page.get_by_role("group", name="of gates_by_hand")
    for gate in (0, 1):
        game.get_by_role("slider").nth(gate).press("Home")
    game.get_by_role("slider").nth(0).press("End")  # writes the first candidate of coordinate 1
    game.get_by_role("button", name="Next step").click()
    game.get_by_role("slider").nth(0).press("Home")
    game.get_by_role("button", name="Next step").click()
    assert "Score: 2 of 2 goals met; coordinate 1 ended 0.00 from its goal" in game.locator("p").inner_text()
    game.get_by_role("button", name="Undo a step").click()
    assert "Score" not in game.locator("p").inner_text()
