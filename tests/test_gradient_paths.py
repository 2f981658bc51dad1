"""Where does the gradient go: the three kinds of ways are told apart, and are the whole gradient together."""

import json
import re

import numpy as np
import pytest
from check_pages import check_page
from make_site import EMBEDDED

from rnncourse.cells import CELLS
from rnncourse.cells.paths import contributions
from rnncourse.cells.values import forward
from rnncourse.explorer import source_of
from rnncourse.gradient_paths import CELLS as SHOWN
from rnncourse.gradient_paths import gradient_paths, of_letters
from rnncourse.names_networks import FILE, inputs, letters_of, names_networks, scored
from rnncourse.withheld import both_ways, through, way_back

BACK = way_back("lstm")
NETWORKS = names_networks()


def drawn(cell, T):
    rng = np.random.default_rng([T, len(cell.nodes)])
    size = {"H": 3, "D": 2, "1": 1}
    W = {key: rng.normal(size=[size[s] for s in shape]) for key, shape in cell.weights.items()}
    xs = list(rng.normal(size=(T, 2, 1)))
    start = {into: rng.normal(size=(3, 1)) for into in cell.carried.values()}
    return W, xs, start, rng.normal(size=(3, 1))


@pytest.mark.parametrize("name", CELLS)
def test_the_three_kinds_are_the_whole_gradient_together(name):
    cell = CELLS[name]
    W, xs, start, arriving = drawn(cell, 5)
    parts = contributions(cell, W, xs, forward(cell, W, xs, start), arriving, through)
    outside = [{} for _ in xs[1:]] + [{list(cell.carried)[-1]: arriving}]
    whole = both_ways(cell, W, xs, start, outside)
    expected = [(x.T @ grads["x_t"]).item() for x, grads in zip(xs, whole.grads, strict=True)]
    np.testing.assert_allclose(parts.sum(axis=1), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_each_way_walked_by_itself_is_of_its_kind(name):
    """Every way from the prediction back to every input, one by one."""
    cell, T = CELLS[name], 3
    W, xs, start, arriving = drawn(cell, T)
    positions = forward(cell, W, xs, start)
    found = np.zeros((T, 3))
    out_of = {into: out for out, into in cell.carried.items()}

    def walk(t, node, d, candidates, gates):
        candidates += node.kind == "tanh" and node.role == "candidate"
        gates += node.kind == "sigmoid"
        if node.name == "x_t":
            kind = 2 if gates else int(candidates > 1)
            assert gates or candidates
            found[t, kind] += (xs[t].T @ d).item()
        elif node.name in out_of and t > 0:
            walk(t - 1, cell[out_of[node.name]], d, candidates, gates)
        for source in node.inputs:
            walk(t, cell[source], through(node, source, d, positions[t], W), candidates, gates)

    walk(T - 1, cell[list(cell.carried)[-1]], arriving, 0, 0)
    parts = contributions(cell, W, xs, positions, arriving, through)
    np.testing.assert_allclose(parts, found, rtol=1e-11, atol=1e-12)


def test_the_direct_way_of_the_gated_network_is_the_product_of_what_is_kept():
    """The formula that stands on the page."""
    W, xs, row = NETWORKS.weights("gated", -1), inputs("gauss"), np.eye(10)[1]
    positions, _ = scored("gated", W, xs)
    last = W["yh"].T @ row[:, None]
    for k, (direct, *_) in enumerate(of_letters("gated", W, xs, row, BACK)):
        kept = np.prod([1 - values["g_t"] for values in positions[k + 1 :]], axis=0)
        wrote = (1 - positions[k]["candidate"] ** 2) * positions[k]["g_t"]
        expected = (xs[k].T @ W["sx"].T @ (wrote * kept * last)).item()
        assert direct == pytest.approx(expected, rel=1e-12, abs=1e-13)


def test_the_weights_are_small_and_read_better_than_a_guess():
    assert FILE.stat().st_size < 300_000
    assert len(NETWORKS.passes) >= 5
    for shares in NETWORKS.right.values():
        assert len(shares) == len(NETWORKS.passes)
        assert shares[0] < NETWORKS.majority + 0.05 and shares[-1] > 2 * NETWORKS.majority
    told = {
        cell: [
            NETWORKS.languages[int(np.argmax(scored(cell, NETWORKS.weights(cell, -1), inputs(name))[1]))]
            for name in ("virtanen", "rossi", "vandenberg")
        ]
        for cell in SHOWN
    }
    assert told["lstm"] == ["Finnish", "Italian", "Dutch"]


def test_a_name_is_read_without_accents_and_signs():
    assert letters_of("Zoë-Ł. ß") == [25, 14, 4, 11, 18, 18]


IN_CHROMIUM = """async ([source, data, tries]) => {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { decoded, read, rules } = await import(address);
  return tries.map(([cell, time, letters, row]) => {
    const network = data.networks.find((one) => one.cell === cell);
    const xs = letters.map((letter) => [...data.letters].map((_, i) => Number(i === letter)));
    const W = decoded(network.times[time], network.shapes);
    const { parts, shares } = read(network, W, xs, row, rules);
    return [parts, shares];
  });
}"""


def test_the_browser_s_numbers_are_numpy_s(page):
    shown = gradient_paths(BACK)
    source = shown.before + source_of("graph", "gradient_paths") + "\nexport const rules = WAY_BACK;"
    rng = np.random.default_rng(3)
    names = ("virtanen", "o", "wolfeschlegelsteinhausen")
    last = len(NETWORKS.passes) - 1
    tries = [
        (cell, time, letters_of(name), rng.normal(size=10))
        for cell in SHOWN
        for time, name in zip((0, 3, last), names, strict=True)
    ]
    given = [(cell, time, letters, row.tolist()) for cell, time, letters, row in tries]
    found = page.evaluate(IN_CHROMIUM, [source, shown.data, given])
    for (cell, time, letters, row), (parts, shares) in zip(tries, found, strict=True):
        W, xs = NETWORKS.weights(cell, time), np.eye(26)[letters][:, :, None]
        np.testing.assert_allclose(parts, of_letters(cell, W, xs, row, BACK), rtol=1e-12, atol=1e-12)
        scores = scored(cell, W, xs)[1][:, 0]
        np.testing.assert_allclose(shares, np.exp(scores) / np.exp(scores).sum(), rtol=1e-12)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The explorer on a page of its own."""
    path = tmp_path_factory.mktemp("paths") / "page.html"
    body = gradient_paths(BACK, address=True)._repr_html_()
    path.write_text(EMBEDDED.format(title="Where does the gradient go?", body=body), "utf-8")
    return path


def test_the_page_keeps_nobody_out(alone, browser):
    assert check_page(browser, alone) == []


def test_what_is_seen_is_in_the_address_and_comes_back_from_it(alone, page):
    page.goto(alone.as_uri())
    page.get_by_role("textbox", name="a name").fill("Kovács")
    page.get_by_role("combobox", name="score of").select_option("Hungarian")
    page.get_by_role("slider", name="training").press("ArrowLeft")
    page.get_by_role("slider", name="read").press("ArrowLeft")
    page.get_by_role("radio", name="c, letter 5 of 6").press("Home")
    assert page.evaluate("document.activeElement.ariaLabel") == "k, letter 1 of 6"
    seen = page.locator(".paths table").inner_text()
    before = NETWORKS.passes[-2]
    fragment = page.evaluate("decodeURIComponent(location.hash)")
    assert fragment == f"#name=Kovács&score=Hungarian&read=5&passes={before}&letter=1"
    page.goto("about:blank")
    page.goto(f"{alone.as_uri()}#name=Kov%C3%A1cs&score=Hungarian&read=5&passes={before}&letter=1")
    assert page.locator(".paths table").inner_text() == seen
    assert page.get_by_role("radio", checked=True).text_content() == "k"


def test_the_table_shows_the_numbers_of_the_letter(alone, page):
    page.goto(f"{alone.as_uri()}#name=rossi&score=Italian&letter=1")
    cells = page.locator(".paths tbody tr").nth(2).locator("td").all_text_contents()
    numbers = [float(text.replace("−", "-")) for text in cells]
    W, xs = NETWORKS.weights("lstm", -1), inputs("rossi")
    row = np.eye(10)[NETWORKS.languages.index("Italian")]
    expected = of_letters("lstm", W, xs, row, BACK)[0]
    assert numbers[:3] == pytest.approx(expected, abs=0.005)
    assert numbers[3] == pytest.approx(expected.sum(), abs=0.005)
    assert numbers[4] == pytest.approx(expected.sum(), abs=0.0051)  # measured
    without = xs * (np.arange(5) > 0)[:, None, None]
    change = scored("lstm", W, without)[1][:, 0] @ row - scored("lstm", W, xs)[1][:, 0] @ row
    assert numbers[5] == pytest.approx(change, abs=0.005)


def test_where_no_letter_is_typed_it_asks_for_one_and_shows_nothing_of_the_last_name(alone, page):
    page.goto(alone.as_uri())
    for name in ("12", "", "\N{GRINNING FACE} 漢字"):
        page.get_by_role("textbox", name="a name").fill("li")
        page.get_by_role("textbox", name="a name").fill(name)
        assert page.get_by_text("Type letters from a to z").is_visible()
        assert page.locator(".paths :is(.columns, .letters, td)").locator("visible=true").count() == 0
    page.get_by_role("textbox", name="a name").fill("li")
    assert page.locator(".paths tbody tr").count() == 3
    assert page.locator(".paths .columns").first.is_visible()


def test_of_a_long_name_it_says_how_much_is_read(alone, page):
    page.goto(alone.as_uri())
    page.get_by_role("textbox", name="a name").fill("wolfeschlegelsteinhausenbergerdorff")
    assert page.get_by_text("Of 35 letters the first 24 are read.").is_visible()
    assert page.locator(".paths .letters button").count() == 24


def test_without_a_script_a_picture_says_the_same():
    twin = gradient_paths(BACK, "rossi", "Italian")._repr_html_().partition("<script")[0]
    alt = re.search(r'<img alt="([^"]+)"', twin)[1]
    W, row = NETWORKS.weights("gated", -1), np.eye(10)[NETWORKS.languages.index("Italian")]
    whole = of_letters("gated", W, inputs("rossi"), row, BACK).sum(axis=1)
    assert f"simple gated RNN: r {whole[0]:+.2f}, o {whole[1]:+.2f}" in alt


def test_what_cannot_be_read_is_refused():
    with pytest.raises(ValueError, match="has no letter from a to z"):
        gradient_paths(BACK, "42")
    with pytest.raises(ValueError, match="no language 'Latin'; there is: Czech, German"):
        gradient_paths(BACK, language="Latin")


def test_the_page_holds_its_weights_and_asks_for_nothing():
    data = json.dumps(gradient_paths(BACK).data)
    assert len(data) < 300_000
