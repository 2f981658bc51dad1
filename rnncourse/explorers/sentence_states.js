// A sentence read word by word by an untrained network, and the trace of its first word.
// data: words (V), inputs (V, H): W_sx x of each word, W_ss (H, H), sentences: lists of words.

function colour(value) {
  const size = 100 * Math.min(1, Math.abs(value));
  return `color-mix(in srgb, var(${value < 0 ? "--blue" : "--orange"}) ${size}%, var(--paper))`;
}

function percent(share) {
  const value = 100 * share;
  return `${value >= 10 ? value.toFixed(0) : Number(value.toPrecision(2))} %`;
}

function read(data, sentence, recurrent, loudness) {
  const H = data.W_ss.length;
  const states = [];
  let state = new Array(H).fill(0);
  for (const word of sentence) {
    const input = data.inputs[data.words.indexOf(word)];
    const before = state;
    state = data.W_ss.map((row, i) => {
      const carried = row.reduce((sum, weight, j) => sum + weight * before[j], 0);
      return Math.tanh(recurrent * carried + loudness * input[i]);
    });
    states.push(state);
  }
  return states;
}

export function render({ model, el }) {
  const data = model.get("data");
  const H = data.W_ss.length;
  const id = Math.random().toString(36).slice(2);
  el.style.cssText = "max-width:1080px;font:16px system-ui,sans-serif";

  const controls = element("div", {
    style: "display:flex;flex-wrap:wrap;gap:6px 18px;align-items:center;margin:4px 0 8px",
  });
  function labelled(text, control) {
    const label = element("label", { style: "display:flex;gap:6px;align-items:center" }, text);
    label.append(control);
    controls.append(label);
    return control;
  }
  function control(text, range) {
    range.style.width = "130px";
    labelled(text, range);
    const shown = element("output", { style: "min-width:2.2em" });
    range.after(shown);
    return { range, shown };
  }

  const sentence = labelled("sentence", element("select"));
  data.sentences.forEach((words, i) => sentence.append(element("option", { value: i }, words.join(" "))));
  const other = labelled("first word becomes", element("select"));
  data.words.forEach((word) => other.append(element("option", { value: word }, word)));
  const next = element("button", { type: "button" }, "next word");
  controls.append(next);
  const position = control("words read", slider(1, 2, 1, 1));
  const recurrent = control("strength of Wss", slider(0, 3, 0.1, 0.9));
  const loudness = control("loudness of the words", slider(0.2, 3, 0.1, 1));

  const picture = drawn("svg", {
    viewBox: "0 0 1080 400", role: "img", "aria-labelledby": `title-${id}`, style: "width:100%;display:block",
  });
  const says = element("p", { "aria-live": "polite", style: "margin:6px 0;min-height:2.6em" });
  el.append(controls, picture, says);

  function text(x, y, words, attributes = {}) {
    picture.append(drawn("text", { x, y, "font-size": 16, ...attributes }, words));
  }

  function map(top, title, rows, labels, shown, width) {
    text(0, top - 28, title, { "font-weight": 600 });
    const height = 128 / H;
    labels.forEach((word, t) => {
      const x = 70 + t * width;
      text(x + width / 2, top - 8, word, { "text-anchor": "middle", opacity: t < shown ? 1 : 0.35 });
      for (let i = 0; i < H; i++) {
        picture.append(drawn("rect", {
          x, y: top + i * height, width: width - 2, height: height - 0.6,
          fill: t < shown ? colour(rows[t][i]) : "var(--faint)",
        }));
      }
    });
    text(60, top + 12, "unit 1", { "text-anchor": "end", "font-size": 16 });
    text(60, top + 126, `unit ${H}`, { "text-anchor": "end", "font-size": 16 });
  }

  function draw() {
    const words = data.sentences[Number(sentence.value)];
    const T = words.length;
    position.range.max = T;
    const shown = Math.min(Number(position.range.value), T);
    const strengths = [Number(recurrent.range.value), Number(loudness.range.value)];
    const states = read(data, words, ...strengths);
    const changed = read(data, [other.value, ...words.slice(1)], ...strengths);
    const gaps = states.map((state, t) => state.map((value, i) => changed[t][i] - value));
    const sizes = gaps.map((gap) => Math.hypot(...gap));
    const shares = sizes.map((size) => (sizes[0] > 0 ? size / sizes[0] : 0));

    picture.replaceChildren(drawn("title", { id: `title-${id}` }, data.alt));
    const width = 1000 / T;
    map(52, "states", states, words, shown, width);
    const first = words[0] === other.value ? words[0] : `${words[0]} → ${other.value}`;
    map(240, "difference made by the first word", gaps, [first, ...words.slice(1)], shown, width);
    shares.slice(0, shown).forEach((share, t) =>
      text(70 + t * width + width / 2, 390, percent(share), { "text-anchor": "middle" }),
    );
    text(60, 390, "left", { "text-anchor": "end", "font-size": 16 });

    position.shown.textContent = `${shown} of ${T}`;
    recurrent.shown.textContent = strengths[0].toFixed(1);
    loudness.shown.textContent = strengths[1].toFixed(1);
    next.disabled = shown === T;
    const last = words[shown - 1];
    says.textContent = words[0] === other.value
      ? `${shown} of ${T} words read, the last one is “${last}”. Choose another first word to see its trace.`
      : `${shown} of ${T} words read, the last one is “${last}”. Of the difference that “${other.value}” in ` +
        `place of “${words[0]}” made at first, ${percent(shares[shown - 1])} is left ` +
        `(blue: negative, orange: positive).`;
  }

  function start() {
    const words = data.sentences[Number(sentence.value)];
    other.value = data.words.find((word) => word !== words[0]);
    position.range.value = 1;
    draw();
  }

  sentence.addEventListener("change", start);
  other.addEventListener("change", draw);
  for (const { range } of [position, recurrent, loudness]) range.addEventListener("input", draw);
  next.addEventListener("click", () => {
    position.range.value = Number(position.range.value) + 1;
    draw();
    if (next.disabled) position.range.focus();
  });
  start();
  return themed(el);
}

export default { render };
