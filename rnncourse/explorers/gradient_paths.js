// Where does the gradient go? Trained networks read a name; what each letter gave to a score, by the way that it
// took. Computed here, by graph.js; WAY_BACK, from a script before this one, holds the rules of the way back.

const WAYS = ["direct", "candidate’s", "gates’"];
const ADDRESS = ["name", "score", "against", "read", "passes", "letter"];
const MOST_LETTERS = 24;

// What a way back has passed after a node: no candidate and no gate, one candidate, several, a gate.
function counted(node, lanes) {
  const [none, one, several, gate] = lanes;
  const nothing = none.map(() => 0);
  if (node.kind === "sigmoid") return [nothing, nothing, nothing, lanes.reduce(plus)];
  if (node.kind === "tanh" && node.role === "candidate") return [nothing, none, plus(one, several), gate];
  return lanes;
}

// What each position gives, x_t times the gradient by x_t, along the three kinds of ways: T rows of three.
export function contributions(graph, W, xs, positions, arriving, rules) {
  const { nodes, carried } = graph;
  const outs = Object.keys(carried);
  const zeros = (value) => Array.from({ length: 4 }, () => value.map(() => 0));
  let back = Object.fromEntries(outs.map((out) => [out, zeros(arriving)]));
  back[outs.at(-1)][0] = arriving;
  const found = [];
  for (let t = xs.length - 1; t >= 0; t -= 1) {
    const values = positions[t];
    const d = Object.fromEntries(nodes.map((node) => [node.name, back[node.name] ?? zeros(values[node.name])]));
    for (const node of [...nodes].reverse()) {
      const arrived = counted(node, d[node.name]);
      for (const name of node.inputs)
        d[name] = d[name].map((lane, k) => plus(lane, rules[node.kind](arrived[k], node, name, values, W)));
    }
    back = Object.fromEntries(Object.entries(carried).map(([out, into]) => [out, d[into]]));
    found.unshift(d.x_t.slice(1).map((lane) => lane.reduce((sum, v, i) => sum + v * xs[t][i], 0)));
  }
  return found;
}

const lettersOf = (name, letters, plain) =>
  [...[...name.toLowerCase()].map((l) => plain[l] ?? l).join("").normalize("NFD")].filter((l) => letters.includes(l));

// Weights of a time: whole thousandths, two bytes each, one array behind the other.
export function decoded(text, shapes) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const W = {};
  let at = 0;
  for (const [key, rows, columns] of shapes) {
    W[key] = Array.from({ length: rows }, () => Array.from({ length: columns }, () => {
      at += 2;
      return view.getInt16(at - 2, true) / 1000;
    }));
  }
  return W;
}

// The scores of all languages, once the network has read the inputs; with them the values of each position.
function scored(graph, W, xs) {
  const H = W.yh[0].length;
  const start = Object.fromEntries(Object.values(graph.carried).map((into) => [into, Array(H).fill(0)]));
  const { values } = compute(graph, W, xs, start, [], null);
  const seen = values.at(-1)[Object.keys(graph.carried).at(-1)];
  return { values, scores: times(W.yh, seen).map((score, c) => score + W.yb[c][0]) };
}

// All that is shown of one network.
export function read(network, W, xs, row, rules) {
  const weigh = (scores) => scores.reduce((sum, score, c) => sum + row[c] * score, 0);
  const { values, scores } = scored(network.graph, W, xs);
  const arriving = W.yh[0].map((_, i) => weigh(W.yh.map((line) => line[i])));
  const parts = contributions(network.graph, W, xs, values, arriving, rules);
  const most = Math.max(...scores);
  const sum = scores.reduce((total, score) => total + Math.exp(score - most), 0);
  return {
    parts,
    score: weigh(scores),
    shares: scores.map((score) => Math.exp(score - most) / sum),
    // The score where one letter's input is multiplied.
    with: (k, factor) => weigh(scored(network.graph, W, xs.map((x, t) => (t === k ? x.map((v) => v * factor) : x))).scores),
  };
}

const signed = (v) => (Math.abs(v) < 0.005 ? "0" : `${v < 0 ? "−" : "+"}${Math.abs(v).toFixed(2)}`);
const percent = (share) => (share === 0 ? "0 %" : share > 0.995 ? "over 99 %" : share < 0.01 ? "under 1 %" : `${Math.round(100 * share)} %`);

const LOOK = `
  .paths { position:relative; font:17px/1.35 system-ui,'DejaVu Sans',sans-serif; color:var(--ink); background:var(--paper); max-width:1152px;
    padding:6px; border-radius:8px; box-sizing:border-box; text-align:left; }
  .paths [hidden] { display:none !important; } .paths :focus-visible { outline:3px solid var(--memory); outline-offset:1px; }
  .paths button, .paths select, .paths input { font:inherit; color:inherit; }
  .paths button, .paths select, .paths input[type=text] { background:var(--box); border:1.5px solid var(--quiet); border-radius:7px; padding:2px 8px; }
  .paths button { cursor:pointer; } .paths input[type=range] { width:150px; vertical-align:middle; accent-color:var(--memory); }
  .paths .bar { display:flex; flex-wrap:wrap; gap:4px 16px; align-items:center; margin:0 0 4px; }
  .paths .bar label { display:flex; flex-wrap:wrap; gap:6px; align-items:center; }
  .paths input[type=text] { width:11em; }
  .paths .letters { gap:4px; } .paths .letters button { min-width:2.1em; padding:1px 4px; }
  .paths .letters button[aria-checked=true] { border:3px solid var(--memory); font-weight:700; padding:0 2.5px; }
  .paths .network { display:flex; flex-wrap:wrap; gap:8px 12px; border-top:1px solid var(--quiet); padding:10px 0 2px; }
  .paths .about { flex:1 1 245px; min-width:0; } .paths .about b { display:block; }
  .paths .about span { display:block; } .paths .about .quiet { color:var(--quiet); font-size:16px; }
  .paths .chart { position:relative; flex:20 1 300px; min-width:0; display:grid; grid-template-columns:3.2em 1fr; align-content:start; }
  .paths .scale { position:relative; height:108px; color:var(--quiet); font-size:16px; text-align:right; padding-right:6px; }
  .paths .scale span { position:absolute; right:6px; transform:translateY(-50%); line-height:1; }
  .paths .columns { display:grid; grid-auto-flow:column; grid-auto-columns:minmax(0, 1fr); height:108px; gap:3px; position:relative; }
  .paths .column { position:relative; cursor:pointer; border-radius:4px; }
  .paths .column.chosen { box-shadow:0 0 0 2px var(--quiet); }
  .paths .column.unread { opacity:.35; }
  .paths .zero { position:absolute; left:3.2em; right:0; border-top:1.5px solid var(--ink); pointer-events:none; }
  .paths .part { position:absolute; left:12%; right:12%; box-sizing:border-box; transition:top .25s, height .25s; }
  .paths .net { position:absolute; left:4%; right:4%; height:4px; margin-top:-2px; background:var(--ink);
    box-shadow:0 0 0 1.5px var(--paper); border-radius:2px; transition:top .25s; }
  .paths .names { display:grid; grid-auto-flow:column; grid-auto-columns:minmax(0, 1fr); gap:3px; grid-column:2; text-align:center; line-height:1.2; }
  .paths .names .chosen { font-weight:700; text-decoration:underline; }
  .paths .swatch { display:inline-block; position:relative; width:1.6em; height:1em; vertical-align:-2px; margin-right:6px; }
  .paths .swatch .part { inset:0; } .paths .swatch .net { top:50%; }
  .paths .p0 { background:var(--memory); border:1.5px solid var(--memory); }
  .paths .p1 { background:repeating-linear-gradient(45deg, var(--candidate) 0 3px, var(--paper) 3px 7px); border:1.5px solid var(--candidate); }
  .paths .p2 { background:radial-gradient(circle, var(--gate) 1.6px, transparent 2px) 0 0/7px 7px, var(--paper); border:1.5px solid var(--gate); }
  .paths .wide { overflow-x:auto; } .paths table { border-collapse:collapse; width:100%; margin:4px 0 0; font-variant-numeric:tabular-nums; }
  .paths th, .paths td { font-size:17px; text-align:right; padding:1px 8px; font-weight:400; border:0; } .paths tr { background:none; }
  .paths th:first-child, .paths caption { text-align:left; } .paths thead th { color:var(--quiet); }
  .paths caption { font-weight:700; color:inherit; caption-side:top; padding:0; } .paths .said { position:absolute; width:1px; height:1px; overflow:hidden; clip-path:inset(50%); }
  @media (prefers-reduced-motion: reduce) { .paths * { transition:none !important; } }
  @media (forced-colors: active) { .paths .part, .paths .net, .paths .zero { forced-color-adjust:none; } }`;

export function render({ model, el }) {
  const data = model.get("data");
  const { languages, letters, passes, networks } = data;
  const state = { ...data.start };
  const rules = WAY_BACK;
  el.replaceChildren();
  const quiet = { "data-lm-suppress-shortcuts": "true", "data-prevent-swipe": "" };
  const root = make("div", el, { className: "paths" }, { role: "group", "aria-label": data.title });
  make("style", root).textContent = `.paths { ${data.themes.light} } .paths.dark { ${data.themes.dark} color-scheme:dark; } ${LOOK}`;
  const leavePage = followPage(root);

  const labelled = (bar, text, tag, properties, attributes = {}) => {
    const label = make("label", bar);
    make("span", label, { textContent: text });
    return make(tag, label, properties, { ...quiet, ...attributes });
  };
  const bar = make("div", root, { className: "bar" });
  const name = labelled(bar, "a name", "input", { type: "text", maxLength: 40, spellcheck: false, autocomplete: "off" });
  const score = labelled(bar, "score of", "select");
  const against = labelled(bar, "rather than", "select");
  make("option", against, { value: "", textContent: "all others" });
  const note = make("span", bar, {}, { role: "status" });
  for (const [c, language] of languages.entries())
    for (const select of [score, against]) make("option", select, { value: c, textContent: language });
  const second = make("div", root, { className: "bar" });
  const time = labelled(second, "training", "input", { type: "range", min: 0, max: passes.length - 1, step: 1 });
  const timeSaid = make("span", time.parentElement);
  const play = make("button", second, { type: "button", textContent: "watch it learn" }, quiet);
  const reads = labelled(second, "read", "input", { type: "range", min: 1, step: 1 });
  const readSaid = make("span", reads.parentElement);
  const row = make("div", root, { className: "bar letters" }, { role: "radiogroup", "aria-label": "letter to look at" });
  const legend = make("div", root, { className: "bar" });
  const meanings = ["what it wrote itself", "how it changed what was written later", "how it changed gates"];
  WAYS.forEach((way, p) => {
    const item = make("span", legend);
    make("span", make("span", item, { className: "swatch" }, { "aria-hidden": "true" }), { className: `part p${p}` });
    item.append(`${way}: ${meanings[p]}`);
  });
  const sum = make("span", legend);
  make("span", make("span", sum, { className: "swatch" }, { "aria-hidden": "true" }), { className: "net" });
  sum.append("their sum");

  const rows = networks.map((network) => {
    const box = make("div", root, { className: "network" });
    const about = make("div", box, { className: "about" });
    const chart = make("div", box, { className: "chart" }, { role: "img" });
    const scale = make("div", chart, { className: "scale" });
    const columns = make("div", chart, { className: "columns" });
    const names = make("div", chart, { className: "names" });
    const zero = make("div", chart, { className: "zero" });
    return { network, about, chart, scale, columns, names, zero };
  });
  const said = make("p", root, { className: "said" }, { "aria-live": "polite" });
  const wide = make("div", root, { className: "wide" }, { role: "group", "aria-label": "what the letter gave" });
  const table = make("table", wide);
  scrollable(wide);

  const cache = new Map();
  const weights = (network, t) => {
    const key = `${network.cell} ${t}`;
    if (!cache.has(key)) cache.set(key, decoded(network.times[t], network.shapes));
    return cache.get(key);
  };

  const say = (text, word) => make("span", text, { textContent: word });

  function drawNetwork({ network, about, chart, scale, columns, names, zero }, found, word, top, bottom) {
    const order = found.shares.map((share, c) => [share, c]).sort((a, b) => b[0] - a[0]).slice(0, 2);
    const totals = WAYS.map((_, p) => found.parts.reduce((total, parts) => total + Math.abs(parts[p]), 0));
    const all = totals.reduce((a, b) => a + b, 0) || 1;
    about.replaceChildren();
    make("b", about, { textContent: network.title });
    say(about, order.map(([share, c]) => `${languages[c]} ${percent(share)}`).join(", "));
    say(about, `score ${signed(found.score)}`);
    say(about, WAYS.map((way, p) => [totals[p] / all, way]).filter(([share]) => share).map(([share, way]) => `${way} ${percent(share)}`).join(", "));
    make("span", about, { className: "quiet", textContent: `right on ${percent(network.right[state.passes])} of unseen names` });
    const height = top + bottom || 1;
    const y = (v) => `${(100 * (top - v)) / height}%`;
    scale.replaceChildren();
    for (const v of new Set([top, 0, -bottom])) make("span", scale, { textContent: signed(v) }).style.top = y(v);
    // Columns stay, so that their bars move to where they belong.
    while (columns.children.length > word.length) columns.lastElementChild.remove();
    while (columns.children.length < word.length) {
      const k = columns.children.length + 1;
      const column = make("div", columns, { className: "column" });
      for (const p of [0, 1, 2]) make("span", column, { className: `part p${p}` });
      make("span", column, { className: "net" });
      column.addEventListener("click", () => set({ letter: k }));
    }
    names.replaceChildren();
    [...columns.children].forEach((column, k) => {
      const parts = found.parts[k] ?? [0, 0, 0];
      let [up, down] = [0, 0];
      parts.forEach((v, p) => {
        const { style } = column.children[p];
        if (v >= 0) up += v;
        style.top = y(v >= 0 ? up : down);
        style.height = `${(100 * Math.abs(v)) / height}%`;
        style.borderWidth = v ? "" : "0";
        if (v < 0) down += v;
      });
      column.children[3].style.top = y(parts.reduce((a, b) => a + b, 0));
      column.classList.toggle("chosen", k === state.letter - 1);
      column.classList.toggle("unread", k >= state.read);
      make("span", names, { textContent: word[k], className: k === state.letter - 1 ? "chosen" : "" }, { "aria-hidden": "true" });
    });
    zero.style.top = `calc(108px * ${top / height})`;
    chart.setAttribute("aria-label", `${network.title}: ${found.parts.map((parts, k) => `${word[k]} ${signed(parts.reduce((a, b) => a + b, 0))}`).join(", ")}`);
    return `${network.title} ${languages[order[0][1]]} ${percent(order[0][0])}`;
  }

  function draw() {
    const all = lettersOf(state.name, letters, data.plain);
    const word = all.slice(0, MOST_LETTERS);
    const T = word.length;
    note.textContent = T === 0 ? "Type letters from a to z; accents are left out." : T < all.length ? `Of ${all.length} letters the first ${T} are read.` : "";
    state.read = Math.min(Math.max(state.read || T, 1), Math.max(T, 1));
    state.letter = Math.min(Math.max(state.letter || T, 1), Math.max(T, 1));
    Object.assign(reads, { max: Math.max(T, 1), value: state.read, disabled: T < 2 });
    if (name.value !== state.name && document.activeElement !== name) name.value = state.name;
    score.value = state.score;
    against.value = state.against;
    time.value = state.passes;
    const count = passes[state.passes];
    timeSaid.textContent = count ? `after ${count} pass${count > 1 ? "es" : ""} over the names` : "not trained yet";
    time.setAttribute("aria-valuetext", timeSaid.textContent);
    readSaid.textContent = T ? `${state.read} of ${T} letters` : "no letter";
    reads.setAttribute("aria-valuetext", readSaid.textContent);
    while (row.children.length > T) row.lastElementChild.remove();
    while (row.children.length < T) {
      const k = row.children.length + 1;
      const made = make("button", row, { type: "button" }, { role: "radio", ...quiet });
      made.addEventListener("click", () => set({ letter: k }));
    }
    [...row.children].forEach((made, k) => {
      made.textContent = word[k];
      made.setAttribute("aria-checked", String(k === state.letter - 1));
      made.setAttribute("aria-label", `${word[k]}, letter ${k + 1} of ${T}`);
      made.tabIndex = k === state.letter - 1 ? 0 : -1;
    });
    row.hidden = !T;
    for (const { chart } of rows) chart.hidden = !T;
    table.replaceChildren();
    if (!T) {
      for (const { about, network } of rows) {
        about.replaceChildren();
        make("b", about, { textContent: network.title });
      }
      said.textContent = "";
      return;
    }
    const xs = word.slice(0, state.read).map((letter) => [...letters].map((one) => Number(one === letter)));
    const output = languages.map((_, c) => Number(c === Number(state.score)) - Number(state.against !== "" && c === Number(state.against)));
    const shown = rows.map(({ network }) => read(network, weights(network, state.passes), xs, output, rules));
    const stack = (parts, sign) => parts.reduce((total, v) => total + Math.max(sign * v, 0), 0);
    const reach = (sign) => Math.max(...shown.flatMap(({ parts }) => parts.map((each) => stack(each, sign))), 0);
    const [up, down] = [reach(1), reach(-1)];
    const guesses = rows.map((each, i) => drawNetwork(each, shown[i], word, up, down));
    const k = state.letter - 1;
    make("caption", table, { textContent: `What “${word[k]}”, letter ${k + 1} of ${T}, gave` });
    const head = make("tr", make("thead", table));
    for (const text of ["network", ...WAYS, "sum", "measured", "without it"]) make("th", head, { textContent: text }, { scope: "col" });
    const body = make("tbody", table);
    rows.forEach(({ network }, i) => {
      const line = make("tr", body);
      make("th", line, { textContent: network.title }, { scope: "row" });
      const parts = shown[i].parts[k];
      const numbers = parts
        ? [...parts, parts.reduce((a, b) => a + b, 0), (shown[i].with(k, 1 + 1e-5) - shown[i].with(k, 1 - 1e-5)) / 2e-5, shown[i].with(k, 0) - shown[i].score]
        : Array(6).fill(null);
      for (const v of numbers) make("td", line, { textContent: v === null ? "not read" : signed(v) });
    });
    said.textContent = `${word.slice(0, state.read).join("")}: ${guesses.join(", ")}.`;
  }

  // The address holds what is seen: `#name=kowalska&score=Czech&…`
  function write() {
    if (!data.address) return;
    const address = new URLSearchParams();
    const words = { ...state, score: languages[state.score], against: state.against === "" ? "" : languages[state.against], passes: passes[state.passes] };
    for (const key of ADDRESS) if (words[key] !== "") address.set(key, words[key]);
    history.replaceState(null, "", `#${address}`);
  }
  function fromAddress() {
    const address = new URLSearchParams(location.hash.slice(1));
    const place = (list, key, otherwise) => (list.map(String).includes(address.get(key)) ? list.map(String).indexOf(address.get(key)) : otherwise);
    if (!data.address || !address.has("name")) return;
    Object.assign(state, {
      name: address.get("name").slice(0, 40),
      score: place(languages, "score", state.score),
      against: place(languages, "against", ""),
      passes: place(passes, "passes", passes.length - 1),
      read: Number.parseInt(address.get("read"), 10) || 0,
      letter: Number.parseInt(address.get("letter"), 10) || 0,
    });
  }
  function set(change) {
    Object.assign(state, change);
    draw();
    write();
  }

  let playing = 0;
  const stop = () => {
    clearInterval(playing);
    playing = 0;
    play.textContent = "watch it learn";
    said.setAttribute("aria-live", "polite");
  };
  play.addEventListener("click", () => {
    if (playing) return stop();
    set({ passes: 0 });
    play.textContent = "stop";
    said.setAttribute("aria-live", "off");
    playing = setInterval(() => (state.passes + 1 < passes.length ? set({ passes: state.passes + 1 }) : stop()), 1200);
  });
  name.addEventListener("input", () => set({ name: name.value, read: 0, letter: 0 }));
  score.addEventListener("change", () => set({ score: Number(score.value) }));
  against.addEventListener("change", () => set({ against: against.value === "" ? "" : Number(against.value) }));
  time.addEventListener("input", () => { stop(); set({ passes: Number(time.value) }); });
  reads.addEventListener("input", () => set({ read: Number(reads.value) }));
  row.addEventListener("keydown", (event) => {
    const T = row.children.length;
    const to = { ArrowLeft: state.letter - 1, ArrowRight: state.letter + 1, ArrowUp: state.letter - 1, ArrowDown: state.letter + 1, Home: 1, End: T }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    set({ letter: Math.min(Math.max(to, 1), T) });
    row.children[state.letter - 1].focus();
  });
  const moved = () => { fromAddress(); draw(); };
  window.addEventListener("hashchange", moved);
  moved();
  return () => {
    stop();
    leavePage();
    window.removeEventListener("hashchange", moved);
  };
}
