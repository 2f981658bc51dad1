"""One description of each cell: what it computes is what the course's own functions compute, both ways."""

import base64
import json
import re
import shutil
import subprocess
from xml.etree import ElementTree

import numpy as np
import pytest
from course import master_of
from needs import lacking

from rnncourse.cells import CELLS, draw_cell, draw_chain, step_through
from rnncourse.cells.drawing import drawn_step
from rnncourse.cells.layout import places, wires
from rnncourse.cells.step_through import short
from rnncourse.explorer import source_of
from rnncourse.withheld import both_ways, way_back

REFERENCES = {
    "simple": "02_backpropagation_through_time",
    "gated": "04_gating",
    "gru": "04_gating",
    "lstm": "05_lstm",
    "lstm with biases": "06_lstm_backward",
}
SIZES = [(1, 1, 1, 1), (4, 3, 2, 5), (2, 5, 3, 4)]  # T, D, H, N
NAMES = list(CELLS)


def drawn(name, T, D, H, N):
    """Weights, inputs, start and the gradients that arrive at every position from outside."""
    cell = CELLS[name]
    rng = np.random.default_rng([T, D, H, N])
    size = {"H": H, "D": D, "1": 1}
    W = {key: 0.7 * rng.normal(size=[size[s] for s in shape]) for key, shape in cell.weights.items()}
    start = {into: rng.normal(size=(H, N)) for into in cell.carried.values()}
    xs = rng.normal(size=(T, D, N))
    # From outside come gradients by what is seen, h_t or s_t, at each position; by c_t at the last one only.
    shown = list(cell.carried)[-1]
    arriving = [{shown: rng.normal(size=(H, N))} for _ in range(T)]
    if len(cell.carried) > 1:
        arriving[-1]["c_out"] = rng.normal(size=(H, N))
    return W, xs, start, arriving


def by_references(name, W, xs, start, arriving):
    """The same by the notebooks' solutions: states, dxs, gradient by the start, dW per position."""
    functions = master_of(REFERENCES[name]).reference
    states, steps, carried = [], [], dict(start)
    for x_t in xs:
        if name == "simple":
            s_t = np.tanh(W["ss"] @ carried["s_prev"] + W["sx"] @ x_t)  # (1.2)
            steps.append((x_t, carried["s_prev"], s_t))
            carried = {"s_prev": s_t}
        elif name == "gated":
            s_t, g_t, candidate = functions["gated_step"](x_t, carried["s_prev"], W)
            steps.append((x_t, carried["s_prev"], g_t, candidate))
            carried = {"s_prev": s_t}
        elif name == "gru":
            s_t, r_t, g_t, candidate = functions["reset_step"](x_t, carried["s_prev"], W)
            steps.append((x_t, carried["s_prev"], r_t, g_t, candidate))
            carried = {"s_prev": s_t}
        else:
            h_t, c_t, gates = functions["lstm_step"](x_t, carried["h_prev"], carried["c_prev"], W)
            steps.append((x_t, carried["h_prev"], carried["c_prev"], c_t, gates))
            carried = {"c_prev": c_t, "h_prev": h_t}
        states.append(carried)
    back = {
        "simple": "rnn_step_backward",
        "gated": "gated_step_backward",
        "gru": "reset_step_backward",
    }.get(name, "lstm_step_backward")
    function = master_of("06_lstm_backward").reference[back] if "lstm" in name else functions[back]
    d = {into: np.zeros_like(value) for into, value in start.items()}
    dxs, contributions = [], []
    for saved, outside in zip(steps[::-1], arriving[::-1], strict=True):
        d = {into: d[into] + outside.get(out, 0) for out, into in CELLS[name].carried.items()}
        if "lstm" in name:
            weights = {f"{k}b": np.zeros((len(saved[2]), 1)) for k in "fioc"} | W
            dx, dh, dc, dW = function(d["h_prev"], d["c_prev"], *saved, weights)
            d = {"c_prev": dc, "h_prev": dh}
        else:
            dx, ds, dW = function(d["s_prev"], *saved, W)
            d = {"s_prev": ds}
        dxs.insert(0, dx)
        contributions.insert(0, dW)
    return states, dxs, d, contributions


def same(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_a_graph_computes_what_the_solutions_compute_both_ways(name, sizes):
    W, xs, start, arriving = drawn(name, *sizes)
    passed = both_ways(CELLS[name], W, xs, start, arriving)
    states, dxs, dstart, contributions = by_references(name, W, xs, start, arriving)
    for t, state in enumerate(states):
        for out, into in CELLS[name].carried.items():
            same(passed.values[t][out], state[into])
        same(passed.grads[t]["x_t"], dxs[t])
        for key in W:
            same(passed.contributions[t][key], contributions[t][key])
    for key in W:
        same(passed.dW[key], sum(position[key] for position in contributions))
    for into, expected in dstart.items():
        same(passed.dstart[into], expected)


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_back_on_the_wires_is_added_where_a_value_was_copied(name):
    W, xs, start, arriving = drawn(name, 3, 3, 2, 4)
    passed = both_ways(CELLS[name], W, xs, start, arriving)
    copies = [node for node in CELLS[name].nodes if node.kind in ("copy", "input")]
    for grads, back in zip(passed.grads, passed.on_wires, strict=True):
        for node in copies:
            came = [part for (source, _), part in back.items() if source == node.name]
            same(grads[node.name], sum(came))


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_every_wire_ends_at_the_edge_of_what_it_joins(name, small):
    cell = CELLS[name]
    at = places(cell, small)
    ways = wires(cell, at, small)
    assert {wire.target for wire in ways} | {wire.source for wire in ways} == set(at)
    for wire in ways:
        for place, (x, y) in ((at[wire.source], wire.turns[0]), (at[wire.target], wire.turns[-1])):
            on_side = (
                abs(abs(x - place.x) - place.half_width) < 0.01 and abs(y - place.y) <= place.half_height
            )
            on_top = abs(abs(y - place.y) - place.half_height) < 0.01 and abs(x - place.x) <= place.half_width
            assert on_side or on_top, wire
        for (x0, y0), (x1, y1) in zip(wire.turns, wire.turns[1:], strict=False):
            assert abs(x1 - x0) < 0.01 or abs(y1 - y0) < 0.01, wire  # level or upright


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_no_part_covers_another_and_no_wire_runs_through_one(name, small):
    at = places(CELLS[name], small)
    solid = {node: p for node, p in at.items() if p.shape not in ("dot", "end")}
    pairs = [(a, b) for a in solid for b in solid if a < b]
    for a, b in pairs:
        apart_x = abs(solid[a].x - solid[b].x) - solid[a].half_width - solid[b].half_width
        apart_y = abs(solid[a].y - solid[b].y) - solid[a].half_height - solid[b].half_height
        assert max(apart_x, apart_y) >= 5, (a, b)
    for wire in wires(CELLS[name], at, small):
        for (x0, y0), (x1, y1) in zip(wire.turns, wire.turns[1:], strict=False):
            for node, p in solid.items():
                if node in (wire.source, wire.target):
                    continue
                beside = max(x0, x1) < p.x - p.half_width or min(x0, x1) > p.x + p.half_width
                above = max(y0, y1) < p.y - p.half_height or min(y0, y1) > p.y + p.half_height
                assert beside or above, (wire, node)


@pytest.mark.parametrize("name", NAMES)
def test_every_formula_has_its_nodes_and_every_node_a_formula(name):
    cell = CELLS[name]
    made = [node for formula in cell.formulas for node in formula.nodes]
    assert len(made) == len(set(made))
    handed_on = {node.name for node in cell.nodes if node.kind in ("input", "copy", "output")}
    assert {node.name for node in cell.nodes} - handed_on <= set(made)


def test_a_picture_says_in_words_what_it_shows(tmp_path):
    picture = draw_cell("gated", title="One step")
    assert "s_t = (1 − g_t) ⊙ s_t−1 + g_t ⊙ s̃_t" in picture.alt
    assert "<desc>One step of the simple gated RNN" in picture.svg
    assert picture.save(tmp_path / "gated.svg").read_text("utf-8") == picture.svg
    assert "“film”" in draw_chain("lstm", ["the", "film"]).alt


@pytest.mark.parametrize("name", CELLS)
def test_a_word_stands_clear_under_the_input_and_inside_the_picture(name):
    svg = draw_chain(name, ["not", "film"]).svg
    symbols = re.findall(r'<text class="name[^"]*" x="([\d.]+)" y="([\d.]+)" font-size="([\d.]+)"', svg)
    bottom = re.search(r'viewBox="\S+ (\S+) \S+ (\S+)"', svg)
    for x, y, size in re.findall(r'<text class="word" x="(\S+)" y="(\S+)" font-size="(\S+)"', svg):
        above = max((float(b), float(s)) for a, b, s in symbols if a == x)
        # A subscript hangs below its line by a third of a letter; a word rises by three quarters of one.
        assert float(y) - 0.75 * float(size) > above[0] + 0.36 * above[1]
        assert float(y) + 0.25 * float(size) < sum(map(float, bottom.groups()))


def test_turned_round_every_arrow_points_the_other_way():
    forward, back = draw_cell("lstm"), draw_cell("lstm", back=way_back("lstm"))
    assert "⊙" in back.alt and "⊙ c_t−1" in back.alt
    assert forward.svg.count("marker-end") > 20 and back.svg.count("marker-end") > 20
    assert "⊤" in back.svg and "⊤" not in forward.svg


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_back_an_arrow_points_at_every_plus_from_each_side_that_it_is_fed_from(name, small):
    """Where n gradients are added, n heads end at the edge of the plus."""
    back = way_back(name)
    svg = draw_chain(name, ["one"], back=back).svg if small else draw_cell(name, back=back).svg
    heads = {
        tuple(round(float(number)) for number in end.split())
        for end in re.findall(r'class="line"[^>]*?([-\d.]+ [-\d.]+)" marker-end', svg)
    }
    pluses = re.findall(r'class="joint"><circle cx="([-\d.]+)" cy="([-\d.]+)"', svg)
    assert pluses or CELLS[name].name == "simple"
    for x, y in ((float(x), float(y)) for x, y in pluses):
        at = [(a, b) for a, b in heads if abs((a - x) ** 2 + (b - y) ** 2 - 81) < 20]
        assert len(at) >= 2, (x, y, at)


def test_a_cell_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="there is no cell 'elman'; there is: simple, gated"):
        draw_cell("elman")
    with pytest.raises(ValueError, match="at least one word"):
        draw_chain("simple", [])


def test_a_formula_is_numbered_as_the_notebook_says():
    """Also where one's new number is another's old one."""
    shown = step_through("gru", numbers={"4.15": "4.16", "4.16": "4.17"})
    assert [formula["number"] for formula in shown.data["forward"]] == ["4.1", "4.16", "4.17", "4.3"]


NODE = """
import { compute } from "./step_through.mjs";
import { readFileSync } from "node:fs";
const { graph, W, xs, start, arriving } = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(compute(graph, W, xs, start, arriving, WAY_BACK)));
"""


@pytest.mark.parametrize("name", NAMES)
def test_the_browser_computes_the_same(name, tmp_path):
    node = shutil.which("node") or lacking("Node.js computes what a browser would: install nodejs")
    shown = step_through(name, back=way_back(name))
    (tmp_path / "step_through.mjs").write_text(source_of("graph", "step_through"), "utf-8")
    (tmp_path / "run.mjs").write_text(shown.before + NODE, "utf-8")
    W, xs, start, arriving = drawn(name, 4, 3, 2, 1)
    given = {
        "graph": shown.data["graph"],
        "W": {key: weight.tolist() for key, weight in W.items()},
        "xs": xs[..., 0].tolist(),
        "start": {into: state[:, 0].tolist() for into, state in start.items()},
        "arriving": [{out: d[:, 0].tolist() for out, d in outside.items()} for outside in arriving],
    }
    done = subprocess.run(
        [node, tmp_path / "run.mjs"], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    theirs = json.loads(done.stdout)
    ours = both_ways(CELLS[name], W, xs, start, arriving)
    for t in range(len(xs)):
        for found, expected in ((theirs["values"], ours.values), (theirs["grads"], ours.grads)):
            for node_name, value in expected[t].items():
                same(found[t][node_name], value[:, 0])
        for (source, target), value in ours.on_wires[t].items():
            same(theirs["wires"][t][f"{source}>{target}"], value[:, 0])
        for key, value in ours.contributions[t].items():
            same(theirs["contributions"][t][key], value)
    for key, value in ours.dW.items():
        same(theirs["dW"][key], value)
    for into, value in ours.dstart.items():
        same(theirs["dstart"][into], value[:, 0])


@pytest.fixture
def stepper(page):
    page.set_content(f"<body>{step_through('lstm', back=way_back('lstm'))._repr_html_()}</body>")
    return page.locator(".stepper")


def said(stepper):
    return stepper.locator(".said").inner_text()


def test_the_keyboard_alone_goes_on_and_back_and_leaves(stepper, page):
    page.keyboard.press("Tab")
    assert stepper.evaluate("(e) => document.activeElement === e")
    assert "1 of 4, forward: (5.3)" in said(stepper)
    page.keyboard.press("ArrowRight")
    assert "(5.4)" in said(stepper)
    page.keyboard.press("ArrowLeft")
    assert "(5.3)" in said(stepper)
    page.keyboard.press("End")
    assert "1 of 4, backward: (6.11)" in said(stepper)
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement === document.body")
    page.keyboard.press("ArrowLeft")
    assert "(6.11)" in said(stepper)  # nobody is inside: the key is somebody else's


def test_a_formula_lights_its_wires_and_what_is_lit_says_its_number(stepper):
    stepper.get_by_role("button", name="formula 5.6").focus()
    lit = stepper.locator("[data-wire].lit").evaluate_all("all => all.map((e) => e.dataset.wire)")
    assert {"f_t>kept", "c_prev>kept", "i_t>written", "candidate>written"} <= set(lit)
    assert "(5.6)" in said(stepper)


def test_a_changed_number_changes_what_follows(stepper):
    stepper.press("End")
    before = stepper.locator('[data-value="x_t"]').text_content()
    stepper.get_by_text("Change inputs and weights").click()
    stepper.get_by_label("x_1 (not), entry 1, 1").fill("3")
    assert stepper.locator('[data-value="x_t"]').text_content() != before


def test_a_finger_reads_a_box_in_full(browser):
    context = browser.new_context(has_touch=True, viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.set_content(f"<body>{step_through('lstm')._repr_html_()}</body>")
    page.locator('[data-node="fx"]').tap()
    assert re.match(r"Wf,x = \[.+\]; gives \(.+\), shape \(2, 1\)", said(page.locator(".stepper")))
    context.close()


NUMBERS = [0, 1e-9, -3e-4, -0.0042, 0.0099, -0.05, 0.996, -9.94, 42.4, -123456.0]


def test_numbers_on_a_wire_are_short_and_on_the_way_back_small_ones_are_told_apart(page):
    """In the explorer as in the picture that stands for it."""
    module = source_of("graph", "step_through") + "\nexport { two, few };"
    found = page.evaluate(
        """async ([source, numbers]) => {
          const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
          const { two, few } = await import(address);
          return [numbers.map(two), numbers.map(few)];
        }""",
        [module, NUMBERS],
    )
    assert found == [[short(np.array([v]), back) for v in NUMBERS] for back in (False, True)]
    assert found[0] == [".00", ".00", ".00", ".00", ".01", "−.05", "1.0", "−9.9", "42", "−1e5"]
    assert found[1][:6] == ["0", "≈0", "≈0", "−.004", ".010", "−.05"]


def test_a_number_that_cannot_be_shown_is_not_taken(stepper):
    stepper.get_by_text("Change inputs and weights").click()
    field = stepper.get_by_label("x_1 (not), entry 1, 1")
    before = stepper.locator('[data-value="x_t"]').text_content()
    for text in ("123456", ""):
        field.fill(text)
        assert field.get_attribute("aria-invalid") == "true"
        assert stepper.locator('[data-value="x_t"]').text_content() == before
    field.fill("-99")
    assert field.get_attribute("aria-invalid") == "false"
    assert "−99" in stepper.locator('[data-value="x_t"]').text_content()


def test_what_is_shown_can_be_kept_as_a_picture(stepper, page):
    stepper.get_by_text("Change inputs and weights").click()
    with page.expect_download() as saving:
        stepper.get_by_role("button", name="save the picture").click()
    assert saving.value.suggested_filename == "the-LSTM-1.svg"
    picture = ElementTree.parse(saving.value.path()).getroot()
    assert picture.tag.endswith("svg") and "f_t>kept" in {e.get("data-wire") for e in picture.iter()}


def test_where_no_script_runs_a_picture_stands_with_the_same_numbers(stepper):
    html = step_through("lstm", back=way_back("lstm"))._repr_html_()
    twin = html.partition("<script")[0]
    pictures = [base64.b64decode(part.partition('"')[0]).decode() for part in twin.split("base64,")[1:]]
    assert len(pictures) == 2
    numbers = [dict(re.findall(r'data-value="(\w+)"[^>]*>([^<]+)<', picture)) for picture in pictures]
    steps = stepper.get_by_role("button", name="formula").count()
    for _ in range(4 * steps - 1):
        stepper.press("ArrowRight")
    shown = dict(
        stepper.locator("[data-value]").evaluate_all(
            "all => all.map((e) => [e.dataset.value, e.textContent])"
        )
    )
    assert shown == numbers[0]
    assert "alt=" in twin


@pytest.mark.parametrize("mistake", [{"sentence": []}, {"xs": np.zeros((2, 2))}, {"arriving": [1, 2, 3]}])
def test_what_does_not_fit_is_refused_with_its_shape(mistake):
    with pytest.raises(ValueError, match=r"step_through: .*(words|shape)"):
        step_through("simple", **mistake)


LABELS = """() => [...document.querySelectorAll('svg.cell')].flatMap((svg) => {
  const shown = [...svg.querySelectorAll('text')].filter((text) => text.textContent.trim());
  // A line is higher than its letters: half of it may lie on the next.
  const boxes = shown.map((text) => [text.getBoundingClientRect(), text]);
  const over = (a, b) => Math.min(
    Math.min(a.right, b.right) - Math.max(a.left, b.left),
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) - 0.45 * Math.min(a.height, b.height));
  const found = [];
  boxes.forEach(([a, one], i) => boxes.slice(i + 1).forEach(([b, other]) => {
    if (over(a, b) > 1) found.push(`${one.textContent} over ${other.textContent}`);
  }));
  for (const [box, text] of boxes) {
    const name = text.dataset.value;
    const node = name && svg.querySelector(`[data-node="${name}"] > rect`)?.getBoundingClientRect();
    const middle = (box.left + box.right) / 2;
    const isInside = node && box.top > node.top && box.top < node.bottom
      && middle > node.left && middle < node.right;
    if (isInside && (box.left < node.left + 2 || box.right > node.right - 2))
      found.push(`${text.textContent} out of its box`);
  }
  return found;
})"""


def test_no_label_of_a_drawing_lies_on_another_and_numbers_stay_in_their_boxes(page):
    drawings = []
    for name, cell in CELLS.items():
        back = way_back(name)
        drawings += [draw_cell(name).svg, draw_cell(name, back=back).svg]
        drawings += [draw_chain(name).svg, draw_chain(name, back=back).svg]
        forward, backward = ("−.93 −.80", "−9e4 −9e4"), ("−.93 −.80", "−.004 −.009")
        for text, way in [(text, None) for text in forward] + [(text, back) for text in backward]:
            drawings.append(drawn_step(cell, way, values={node.name: text for node in cell.nodes}))
    page.set_content("".join(drawings))
    assert page.evaluate(LABELS) == []


@pytest.mark.parametrize("name", ["simple", "lstm with biases"])
def test_on_a_slide_the_drawing_gives_way_to_what_is_opened(page, name):
    page.set_viewport_size({"width": 1280, "height": 720})
    html = step_through(name, back=way_back(name))._repr_html_()
    page.set_content(f'<body style="margin:0"><div style="--room: 560px; width: 1150px">{html}</div></body>')
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    stepper = page.locator(".stepper")
    for summary in stepper.locator("summary").all():
        summary.click()
        page.wait_for_function(
            "() => document.querySelector('.stepper').getBoundingClientRect().height <= 561"
        )
    assert stepper.locator("input[type=number]").first.is_visible()
    assert stepper.locator("svg").first.bounding_box()["height"] > 120


def test_lines_that_share_a_number_are_told_apart_by_their_letters(page):
    page.set_content(f"<body>{step_through('lstm with biases')._repr_html_()}</body>")
    told = page.locator(".stepper .more > .bar button").all_inner_texts()
    assert told == ["(6.1) f", "(6.1) i", "(6.1) c̃", "(6.2)", "(6.1) o", "(6.3)"]
