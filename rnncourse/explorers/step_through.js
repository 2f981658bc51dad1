// A cell over a sentence, one formula after the other. The drawing comes as SVG, its parts named by
// data-node, data-wire and data-value; the numbers are computed here, by graph.js, from the same description.
// WAY_BACK, where a script before this one defines it, holds the rules of the way back.

const sign = (v) => (v < 0 ? "−" : "");
const two = (v) => {
  const size = Math.abs(v);
  if (size < 0.005) return ".00";
  if (size < 0.995) return sign(v) + size.toFixed(2).slice(1);
  if (size < 999.5) return sign(v) + size.toFixed(size < 9.95 ? 1 : 0);
  return sign(v) + size.toExponential(0).replace("e+", "e");
};
// On the way back numbers get small, and that is what is to be seen.
const few = (v) => {
  const size = Math.abs(v);
  if (size >= 0.00995) return two(v);
  if (size < 0.0005) return size ? "≈0" : "0";
  return sign(v) + size.toFixed(3).slice(1);
};
const four = (v) => {
  const size = Math.abs(v);
  if (size && size < 0.001) return `${sign(v)}${size.toExponential(1).replace("e-", " · 10⁻").replace(/\d+$/, (d) => [...d].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]).join(""))}`;
  return sign(v) + size.toFixed(4);
};
const short = (value, said = two) => (value.length > 2 ? `${said(value[0])} …` : value.map(said).join(" "));
const whole = (value) => `(${value.map(four).join(", ")})`;
const matrix = (rows) => `[${rows.map((row) => row.map(few).join(" ")).join(" ; ")}]`;
// How wide a text is, in sizes of its letters.
const wide = (text) => [...text].reduce((sum, c) => sum + (/[. ]/.test(c) ? 0.32 : /[−≈]/.test(c) ? 0.84 : 0.64), 0);
// A number that is typed stays where all that follows can be shown.
const MOST = 99;

export function render({ model, el }) {
  const data = structuredClone(model.get("data"));
  const { words, xs, W, H, seen, arriving, graph, title } = data;
  const rules = typeof WAY_BACK === "undefined" ? null : WAY_BACK;
  const T = words.length;
  const node = Object.fromEntries(graph.nodes.map((n) => [n.name, n]));
  const stages = [];
  for (let t = 0; t < T; t += 1) data.forward.forEach((_, i) => stages.push({ way: "forward", t, i }));
  if (rules)
    for (let t = T - 1; t >= 0; t -= 1) data.back.forEach((_, i) => stages.push({ way: "back", t, i }));
  let at = 0;
  let passed;
  let touched = null; // the formula under the pointer or the focus, or none
  let playing = 0;

  el.replaceChildren();
  const quiet = { "data-lm-suppress-shortcuts": "true" }; // JupyterLab's own shortcuts keep out
  const root = make("div", el, { className: "stepper", tabIndex: 0 }, {
    role: "group", "aria-label": `${title}, step by step. Arrow keys go on and back, Escape leaves.`, "data-gives-way": "", ...quiet,
  });
  make("style", root).textContent = `${data.look}
    .stepper { ${data.themes.light} font:17px/1.35 system-ui,'DejaVu Sans',sans-serif; max-width:1152px; color:var(--ink);
      background:var(--paper); border-radius:8px; padding:4px; box-sizing:border-box; text-align:left; }
    .stepper.dark { ${data.themes.dark} color-scheme:dark; }
    .stepper :focus-visible { outline:3px solid var(--memory); outline-offset:1px; }
    .stepper:focus-visible { outline:3px solid var(--memory); outline-offset:-3px; }
    .stepper .bar { display:flex; flex-wrap:wrap; gap:6px; align-items:center; margin:0 0 2px; }
    .stepper button, .stepper select, .stepper input { font:inherit; color:inherit; }
    .stepper button { background:var(--box); border:1.5px solid var(--quiet); border-radius:7px; padding:2px 9px; cursor:pointer; }
    .stepper button[aria-current], .stepper button[aria-pressed="true"] { border:3px solid var(--memory); padding:0.5px 7.5px; font-weight:700; }
    .stepper .word small { color:var(--quiet); font-size:16px; margin-left:5px; font-weight:400; }
    .stepper .link { color:var(--quiet); }
    .stepper .view { overflow-x:auto; }
    .stepper .view svg { display:block; width:100%; height:auto; margin:0 auto; }
    .stepper [data-node], .stepper [data-wire], .stepper [data-value], .stepper .dot, .stepper .joint { transition:opacity .25s; }
    .stepper .ahead { opacity:.3; }
    .stepper .lit .line { stroke-width:6; stroke-dasharray:14 5; animation:stepper-flow .7s linear infinite; }
    .stepper .lit > rect, .stepper .lit > circle:first-child { stroke-width:5; }
    .stepper .halo { pointer-events:stroke; }
    .stepper .said { min-height:1.5em; margin:2px 0; overflow-wrap:anywhere; }
    .stepper .said .formula { font-family:'STIX Two Text','Cambria','DejaVu Serif',serif; font-size:20px; font-style:italic; }
    .stepper sub, .stepper sup { font-size:.8em; line-height:0; vertical-align:sub; }
    .stepper sup { vertical-align:super; }
    .stepper .more { display:flex; flex-wrap:wrap; gap:2px 24px; align-items:center; } .stepper details[open] { flex:1 0 100%; }
    .stepper .drawing { position:relative; }
    .stepper .leave { position:absolute; left:4px; bottom:0; color:var(--quiet); background:var(--paper); visibility:hidden; }
    .stepper:focus-within .leave { visibility:visible; }
    .stepper summary { cursor:pointer; } .stepper details:not([open]) > :not(summary) { display:none; }
    .stepper input[type=number] { width:5.2em; background:var(--box); border:1.5px solid var(--quiet); border-radius:5px; }
    .stepper input[aria-invalid="true"] { border:3px dashed var(--candidate); }
    .stepper select { background:var(--box); border:1.5px solid var(--quiet); border-radius:5px; max-width:16em; }
    @keyframes stepper-flow { to { stroke-dashoffset:-19; } }
    @media (prefers-reduced-motion: reduce) { .stepper * { animation:none !important; transition:none !important; } }`;

  const leavePage = followPage(root);

  const bar = make("div", root, { className: "bar" });
  const button = (text, name, act) => {
    const made = make("button", bar, { type: "button", textContent: text }, { "aria-label": name, title: name, ...quiet });
    made.addEventListener("click", act);
    return made;
  };
  button("|◀", "to the start", () => go(0));
  const backward = button("◀", "one step back (left arrow)", () => go(at - 1));
  const onward = button("▶", "one step on (right arrow)", () => go(at + 1));
  const play = button("play", "play or pause (space)", () => toggle());
  const ways = rules
    ? ["forward", "back"].map((way) => {
        const made = button(way === "back" ? "← backward" : "forward →", `the first step ${way === "back" ? "backward" : "forward"}`, () =>
          go(stages.findIndex((stage) => stage.way === way)));
        made.dataset.way = way;
        return made;
      })
    : [];
  const strip = words.map((word, t) => {
    if (t || ways.length) make("span", bar, { className: "link", textContent: t ? "→" : "|" }, { "aria-hidden": "true" });
    const made = make("button", bar, { type: "button", className: "word" }, quiet);
    made.addEventListener("click", () => go(stages.findIndex((stage) => stage.t === t && stage.way === stages[at].way)));
    return made;
  });

  const drawing = make("div", root, { className: "drawing" });
  const view = make("div", drawing, { className: "view" }, { role: "group", "aria-label": "drawing" });
  const reachable = scrollable(view);
  make("div", drawing, { className: "leave", textContent: "→ ← step, space plays, Escape leaves" });
  const said = make("p", root, { className: "said" }, { "aria-live": "polite" });
  const more = make("div", root, { className: "more" });
  const list = make("div", more, { className: "bar" }, { role: "group", "aria-label": "formulas" });

  // What each weight has collected, and what may be changed: folded, since a lecture opens them when asked.
  const sums = rules ? make("details", more) : null;
  let chosen = Object.keys(W)[0];
  if (sums) {
    make("summary", sums, { textContent: "What a weight collects, position by position" }, quiet);
    const label = make("label", sums, { textContent: "weight " });
    const select = make("select", label, {}, quiet);
    for (const key of Object.keys(W)) make("option", select, { value: key, textContent: `W["${key}"]` });
    select.addEventListener("change", () => { chosen = select.value; show(); });
    sums.body = make("div", sums, {}, { "aria-live": "polite" });
  }
  const edit = make("details", more);
  make("summary", edit, { textContent: "Change inputs and weights" }, quiet);
  const fields = {};
  words.forEach((word, t) => { fields[`x_${t + 1} (${word})`] = [xs[t]]; });
  if (rules) fields[`gradient that arrives at ${node[seen].words.replace("_t", `_${T}`)}`] = [arriving];
  const original = structuredClone(W);
  for (const key of Object.keys(W)) fields[`W["${key}"]`] = W[key];
  const row = make("div", edit, { className: "bar" });
  const which = make("select", make("label", row, { textContent: "numbers of " }), {}, quiet);
  for (const name of Object.keys(fields)) make("option", which, { textContent: name });
  const grid = make("span", row, { className: "bar" });
  const scaled = make("label", row, { textContent: "scale of all weights " });
  const scale = make("input", scaled, { type: "range", min: "0", max: "2", step: "0.1", value: "1" }, { "data-prevent-swipe": "", ...quiet });
  scale.addEventListener("input", () => {
    for (const key in W) W[key].forEach((line, i) => line.forEach((_, j) => { line[j] = original[key][i][j] * Number(scale.value); }));
    scale.setAttribute("aria-valuetext", `${scale.value} times`);
    inputs();
    again();
  });
  const save = make("button", row, { type: "button", textContent: "save the picture" }, quiet);
  save.addEventListener("click", () => {
    const svg = view.querySelector("svg").cloneNode(true);
    const rules = document.createElementNS(svg.namespaceURI, "style");
    rules.textContent = `${data.look} .cell{${data.themes.light}} .ahead{opacity:.3} .lit .line{stroke-width:6}`;
    svg.prepend(rules);
    svg.removeAttribute("style");
    const link = Object.assign(document.createElement("a"), { download: `${title.replace(/\W+/g, "-")}-${at + 1}.svg` });
    link.href = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
    link.click();
  });
  const inputs = () => {
    grid.replaceChildren();
    fields[which.value].forEach((line, i) => line.forEach((value, j) => {
      const made = make("input", grid, { type: "number", step: "0.1", value: String(Math.round(value * 1e6) / 1e6) },
        { "aria-label": `${which.value}, entry ${i + 1}, ${j + 1}`, "data-prevent-swipe": "", min: -MOST, max: MOST, ...quiet });
      made.addEventListener("input", () => {
        const isTaken = Math.abs(made.valueAsNumber) <= MOST; // of no number it is not
        made.setAttribute("aria-invalid", String(!isTaken));
        made.title = isTaken ? "" : `a number from −${MOST} to ${MOST}`;
        if (!isTaken) return;
        line[j] = made.valueAsNumber;
        again();
      });
    }));
  };
  which.addEventListener("change", inputs);
  inputs();

  const again = () => {
    const start = Object.fromEntries(Object.values(graph.carried).map((into) => [into, Array(H).fill(0)]));
    const outside = xs.map((_, t) => (t === T - 1 ? { [seen]: arriving } : {}));
    passed = compute(graph, W, xs, start, outside, rules);
    show();
  };
  const toggle = (on = !playing) => {
    clearInterval(playing);
    playing = on ? setInterval(() => (at + 1 < stages.length ? go(at + 1, true) : toggle(false)), 1500) : 0;
    play.textContent = playing ? "pause" : "play";
    said.setAttribute("aria-live", playing ? "off" : "polite");
  };
  const go = (to, keepsPlaying = false) => {
    if (!keepsPlaying) toggle(false);
    at = Math.min(Math.max(to, 0), stages.length - 1);
    touched = null;
    show();
  };

  // The drawing of a way, put there once.
  const marks = Math.random().toString(36).slice(2);
  let drawn = "";
  const draw = (way) => {
    if (drawn === way) return;
    drawn = way;
    view.innerHTML = data.svg[way].replaceAll("#tip", `#tip-${marks}`).replaceAll('id="tip"', `id="tip-${marks}"`);
    const svg = view.querySelector("svg");
    const natural = Number(svg.getAttribute("width"));
    svg.style.maxWidth = `${0.84 * natural}px`;
    svg.style.minWidth = `${0.57 * natural}px`;
    reachable();
    for (const part of view.querySelectorAll("[data-node], [data-wire]")) {
      part.addEventListener("pointerenter", () => tell(part));
      // A finger that is lifted leaves; what it asked for stays.
      part.addEventListener("pointerleave", ({ pointerType }) => { if (pointerType !== "touch") speak(); });
    }
  };
  // In full what stands on a wire or comes out of a box, while the pointer is there.
  const tell = (part) => {
    const { way, t } = stages[at];
    const name = part.dataset.node ?? part.dataset.wire.split(">")[0];
    const from = node[name];
    const shape = `shape (${from.size === "D" ? xs[0].length : H}, 1)`;
    const told = [];
    if (part.dataset.node && from.weight) told.push(`<i>${from.symbol}</i> = ${matrix(W[from.weight])}`);
    if (way === "forward") told.push(`${from.symbol && !from.weight ? `<i>${from.symbol}</i> = ` : "gives "}${whole(passed.values[t][name])}, ${shape}`);
    else if (part.dataset.wire) told.push(`comes back on this wire: ${whole(passed.wires[t][part.dataset.wire] ?? passed.grads[t][name])}, ${shape}`);
    else {
      told.push(`gradient by ${from.symbol && !from.weight ? `<i>${from.symbol}</i>` : "what it gave"}: ${whole(passed.grads[t][name])}, ${shape}`);
      if (from.weight) told.push(`this position gives its matrix ${matrix(passed.contributions[t][from.weight])}`);
    }
    said.innerHTML = told.join("; ");
  };

  // On a slide the drawing gives way to what was opened or said, so that nothing leaves the sheet.
  const settle = () => {
    const svg = view.querySelector("svg");
    const room = parseFloat(getComputedStyle(root).getPropertyValue("--room"));
    if (!svg || !room) return;
    svg.style.maxHeight = "";
    const zoom = root.getBoundingClientRect().width / root.offsetWidth;
    const excess = root.getBoundingClientRect().height / zoom - room;
    if (excess > 0) svg.style.maxHeight = `${Math.max(120, svg.getBoundingClientRect().height / zoom - excess)}px`;
  };

  const speak = () => {
    const { way, t, i } = stages[at];
    const formula = data[way][touched ?? i];
    const source = way === "forward" ? passed.values[t] : passed.grads[t];
    const letter = (name) => (way === "forward" ? node[name].symbol : node[name].gradient);
    const named = formula.nodes.filter((name) =>
      letter(name) && formula.html.includes(`${letter(name)} =`) && !["product", "copy", "output"].includes(node[name].kind));
    const numbers = named.map((name) => `<i>${letter(name)}</i> = ${whole(source[name])}`).join(", ");
    const number = formula.number ? `(${formula.number}) ` : "";
    said.innerHTML = `“${words[t]}”, ${t + 1} of ${T}, ${way === "back" ? "backward" : "forward"}: ${number}
      <span class="formula">${formula.html.replaceAll(" ;  ", "; &nbsp;")}</span>${numbers ? `. Here ${numbers}.` : ""}`;
    settle();
  };

  const show = () => {
    const { way, t, i } = stages[at];
    draw(way);
    said.style.minHeight = way === "back" ? "2.9em" : "";
    const formulas = data[way];
    const lit = new Set(formulas[touched ?? i].nodes);
    const known = new Set(formulas.slice(0, i + 1).flatMap((formula) => formula.nodes));
    for (const { name, kind } of graph.nodes) {
      if (kind === (way === "forward" ? "input" : "output")) known.add(name);
    }
    for (const { name, kind, inputs: reads } of graph.nodes) if (kind === "copy" && known.has(reads[0])) known.add(name);
    const source = way === "forward" ? passed.values[t] : passed.grads[t];
    for (const part of view.querySelectorAll("[data-value]")) {
      const name = part.dataset.value;
      part.textContent = known.has(name) ? short(source[name], way === "back" ? few : two) : "";
      part.setAttribute("font-size", wide(part.textContent) > 5.3 ? 16 : 19);
      part.classList.toggle("lit", lit.has(name));
    }
    for (const part of view.querySelectorAll("[data-node]")) {
      part.classList.toggle("lit", lit.has(part.dataset.node));
      part.classList.toggle("ahead", !known.has(part.dataset.node) && !lit.has(part.dataset.node));
    }
    for (const part of view.querySelectorAll("[data-wire]")) {
      const [from, to] = part.dataset.wire.split(">");
      const feeds = node[to].kind === "copy" && [...lit].some((name) => node[name].inputs.includes(to));
      const on = way === "forward" ? lit.has(to) || feeds : lit.has(to) && lit.has(from);
      part.classList.toggle("lit", on);
      part.classList.toggle("ahead", !on && !known.has(way === "forward" ? to : from));
    }
    strip.forEach((made, k) => {
      const reached = way === "forward" ? k < t || (k === t && i === formulas.length - 1) : k > t;
      const letter = way === "forward" ? node[seen].symbol[0] : `d${node[seen].symbol[0]}`;
      const into = Object.entries(graph.carried).find(([out]) => out === seen)[1];
      const value = way === "forward" ? passed.values[k][seen] : passed.grads[k]?.[into];
      const index = way === "forward" ? k + 1 : k;
      made.innerHTML = `${words[k].replace(/[&<]/g, (c) => (c === "&" ? "&amp;" : "&lt;"))}${reached ? `<small>${letter}<sub>${index}</sub> ${short(value, way === "back" ? few : two)}</small>` : ""}`;
      if (k === t) made.setAttribute("aria-current", "step");
      else made.removeAttribute("aria-current");
    });
    for (const made of bar.querySelectorAll(".link")) if (made.textContent !== "|") made.textContent = way === "forward" ? "→" : "←";
    for (const made of ways) made.setAttribute("aria-pressed", String(made.dataset.way === way));
    backward.disabled = at === 0;
    onward.disabled = at === stages.length - 1;
    if (list.dataset.way !== way) {
      list.dataset.way = way;
      list.replaceChildren();
      // Several lines may share a number: then their letters tell them apart.
      const isShared = ({ number }) => formulas.filter((other) => other.number === number).length > 1;
      const letterOf = ({ html }) => `<i>${html.split(/<sup>|<sub>| =/)[0]}</i>`;
      formulas.forEach((formula, k) => {
        const made = make("button", list, { type: "button", innerHTML: formula.number ? `(${formula.number})${isShared(formula) ? ` ${letterOf(formula)}` : ""}` : letterOf(formula) },
          { "aria-label": `formula ${formula.number}: ${formula.words}`, ...quiet });
        const touch = (on) => { touched = on ? k : null; show(); };
        made.addEventListener("pointerenter", () => touch(true));
        made.addEventListener("pointerleave", () => touch(false));
        made.addEventListener("click", () => go(stages.findIndex((s) => s.way === stages[at].way && s.t === stages[at].t && s.i === k)));
        made.addEventListener("focus", () => touch(true));
        made.addEventListener("blur", () => touch(false));
      });
    }
    // On a narrow page the drawing scrolls to what is lit.
    const boxes = [...view.querySelectorAll("[data-node].lit")].map((part) => part.getBoundingClientRect());
    const { left, right } = view.getBoundingClientRect();
    const first = Math.min(...boxes.map((box) => box.left));
    if (first < left || Math.max(...boxes.map((box) => box.right)) > right) view.scrollLeft += first - left - 40;
    list.querySelectorAll("button").forEach((made, k) => {
      if (k === i) made.setAttribute("aria-current", "step");
      else made.removeAttribute("aria-current");
    });
    if (sums) {
      const given = way === "back" ? words.map((_, k) => k).filter((k) => k > t || (k === t && i === formulas.length - 1)) : [];
      const total = given.map((k) => passed.contributions[k][chosen]).reduce((a, b) => (a ? plus(a, b) : b), null);
      const terms = given.reverse().map((k) => `“${words[k]}” ${matrix(passed.contributions[k][chosen])}`);
      sums.body.textContent = total
        ? `dW["${chosen}"] so far: ${terms.join(" + ")} = ${matrix(total)}`
        : `dW["${chosen}"]: nothing yet; it comes on the way back.`;
    }
    speak();
  };

  root.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, select");
    if (event.key === "Escape") document.activeElement.blur();
    else if (typing) return;
    else if (event.key === "ArrowRight") go(at + 1);
    else if (event.key === "ArrowLeft") go(at - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(stages.length - 1);
    else if (event.key === " " && event.target === root) toggle();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  for (const folded of [sums, edit]) folded?.addEventListener("toggle", settle);
  window.addEventListener("resize", settle);
  again();
  return () => {
    toggle(false);
    window.removeEventListener("resize", settle);
    leavePage();
  };
}
