// Gradient flow of an untrained LSTM: how much of the last step's gradient reaches each earlier step,
// by forget bias and length. Everything is computed here, from the weights the notebook hands over.

const NS = "http://www.w3.org/2000/svg";
const LSTM = "#0072B2", ADDITIVE = "#009E73", RNN = "#000000", GRID = "#dddddd";
const LOWEST = -30, HIGHEST = 3;

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const times = (W, v) => W.map((row) => row.reduce((sum, w, j) => sum + w * v[j], 0));
const timesTransposed = (W, v) =>
  W[0].map((_, j) => W.reduce((sum, row, i) => sum + row[j] * v[i], 0));
const plus = (...vs) => vs[0].map((_, j) => vs.reduce((sum, v) => sum + v[j], 0));
const norm = (...vs) => Math.sqrt(vs.flat().reduce((sum, x) => sum + x * x, 0));
const log10 = (x) => (x > 0 ? Math.log10(x) : -400);

function lstmFlow(W, bias, xs, dhLast) {
  const zeros = dhLast.map(() => 0);
  let h = zeros, c = zeros;
  const steps = [];
  for (const x of xs) {
    const z = {};
    for (const k of ["f", "i", "o", "c"]) z[k] = plus(times(W[k + "h"], h), times(W[k + "x"], x));
    const f = z.f.map((a) => sigmoid(a + bias)), i = z.i.map(sigmoid), o = z.o.map(sigmoid);
    const candidate = z.c.map(Math.tanh), cPrev = c;
    c = c.map((old, j) => f[j] * old + i[j] * candidate[j]);
    h = c.map((value, j) => o[j] * Math.tanh(value));
    steps.push({ f, i, o, candidate, cPrev, c });
  }
  let dh = dhLast, dc = zeros, additive = null;
  const pair = [0], alone = [0], start = norm(dh, dc);
  let gateSum = 0;
  for (const { f, i, o, candidate, cPrev, c: now } of steps.reverse()) {
    const tanhC = now.map(Math.tanh);
    const total = dc.map((d, j) => d + dh[j] * o[j] * (1 - tanhC[j] ** 2));
    if (additive === null) additive = total;
    const dz = {
      f: f.map((g, j) => total[j] * cPrev[j] * g * (1 - g)),
      i: i.map((g, j) => total[j] * candidate[j] * g * (1 - g)),
      o: o.map((g, j) => dh[j] * tanhC[j] * g * (1 - g)),
      c: candidate.map((a, j) => total[j] * i[j] * (1 - a * a)),
    };
    dh = plus(...["f", "i", "o", "c"].map((k) => timesTransposed(W[k + "h"], dz[k])));
    dc = total.map((d, j) => d * f[j]);
    additive = additive.map((d, j) => d * f[j]);
    gateSum += f.reduce((sum, g) => sum + g, 0) / f.length;
    pair.push(log10(norm(dh, dc) / start));
    alone.push(log10(norm(additive) / start));
  }
  return { pair, alone, meanGate: gateSum / xs.length };
}

function rnnFlow(W, xs, dsLast) {
  let s = dsLast.map(() => 0);
  const states = xs.map((x) => (s = plus(times(W.ss, s), times(W.sx, x)).map(Math.tanh)));
  let ds = dsLast;
  const flow = [0], start = norm(ds);
  for (const state of states.reverse()) {
    ds = timesTransposed(W.ss, ds.map((d, j) => d * (1 - state[j] ** 2)));
    flow.push(log10(norm(ds) / start));
  }
  return flow;
}

function power(exponent) {
  if (exponent > -1.3 && exponent < 2) return (10 ** exponent).toPrecision(2);
  return `10 to the power of ${exponent.toFixed(1)}`;
}

function node(name, attributes, text) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

export function render({ model, el }) {
  const data = model.get("data");
  const id = `flow-${Math.random().toString(36).slice(2, 8)}`;
  const starts = Object.keys(data.starts);
  el.innerHTML = `
    <div style="font: 15px system-ui, sans-serif; color: #111; max-width: 1080px">
      <div style="display: flex; flex-wrap: wrap; gap: 8px 28px; align-items: center">
        <label>forget bias <input id="${id}-bias" type="range" min="-2" max="6" step="0.25" value="0"
          style="width: 230px; vertical-align: middle"> <output id="${id}-bias-now"></output></label>
        <label>length <input id="${id}-length" type="range" min="10" max="200" step="5" value="100"
          style="width: 230px; vertical-align: middle"> <output id="${id}-length-now"></output></label>
        <label>weights <select id="${id}-start">${starts
          .map((name) => `<option>${name}</option>`).join("")}</select></label>
      </div>
      <div id="${id}-chart"></div>
      <p id="${id}-words" aria-live="polite" style="margin: 4px 0 0 0; min-height: 3.6em"></p>
    </div>`;
  const find = (part) => el.querySelector(`#${id}-${part}`);
  const width = 1060, height = 370, left = 62, right = 190, top = 14, bottom = 44;

  function draw() {
    const bias = Number(find("bias").value), length = Number(find("length").value);
    const start = data.starts[find("start").value];
    const xs = data.xs.slice(0, length);
    const { pair, alone, meanGate } = lstmFlow(start.lstm, bias, xs, data.last);
    const rnn = rnnFlow(start.rnn, xs, data.last);
    find("bias-now").textContent = bias.toFixed(2);
    find("length-now").textContent = `${length} steps`;

    const svg = node("svg", {
      viewBox: `0 0 ${width} ${height}`, width: "100%", role: "img", "aria-label": data.alt,
      style: "max-height: 400px",
    });
    const px = (k) => left + (k / length) * (width - left - right);
    const py = (e) => top + ((HIGHEST - e) / (HIGHEST - LOWEST)) * (height - top - bottom);
    for (let e = LOWEST; e <= 0; e += 5) {
      svg.append(node("line", { x1: left, x2: width - right, y1: py(e), y2: py(e),
        stroke: e === 0 ? "#888888" : GRID }));
      const label = node("text", { x: left - 8, y: py(e) + 5, "text-anchor": "end", "font-size": 14 }, "10");
      label.append(node("tspan", { dy: -6, "font-size": 11 }, String(e)));
      svg.append(label);
    }
    for (let part = 0; part <= 5; part++) {
      const k = (length * part) / 5;
      svg.append(node("text", { x: px(k), y: height - 22, "text-anchor": "middle", "font-size": 14 }, String(k)));
    }
    svg.append(node("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle",
      "font-size": 14 }, "steps back from the end"));
    const labels = [];
    const curve = (values, colour, dash, name) => {
      const inside = values.map((e, k) => [px(k), py(Math.max(LOWEST, Math.min(HIGHEST, e)))]);
      // A line that has left the chart below stops there.
      const end = values.findIndex((e) => e < LOWEST);
      const shown = end < 0 ? inside : inside.slice(0, end + 1);
      svg.append(node("polyline", { points: shown.map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" "),
        fill: "none", stroke: colour, "stroke-width": 2.6, "stroke-dasharray": dash }));
      labels.push({ y: shown.at(-1)[1], colour, dash, name });
    };
    curve(rnn, RNN, "9 5", "tanh RNN");
    curve(alone, ADDITIVE, "2 4", "additive path alone");
    curve(pair, LSTM, "", "LSTM, all paths");
    labels.sort((a, b) => a.y - b.y);
    labels.forEach((label, k) => {
      if (k) label.y = Math.max(label.y, labels[k - 1].y + 18);
    });
    const over = Math.max(0, labels.at(-1).y - (height - bottom));
    for (const { y, colour, dash, name } of labels) {
      svg.append(node("line", { x1: width - right + 8, x2: width - right + 34, y1: y - over, y2: y - over,
        stroke: colour, "stroke-width": 2.6, "stroke-dasharray": dash }));
      svg.append(node("text", { x: width - right + 40, y: y - over + 5, "font-size": 14, fill: colour }, name));
    }
    find("chart").replaceChildren(svg);
    find("words").textContent =
      `Forget bias ${bias.toFixed(2)}: the forget gates are ${meanGate.toFixed(2)} on average. ` +
      `After ${length} steps back, of the gradient at the end there is left: ` +
      `${power(pair.at(-1))} in the LSTM (${power(alone.at(-1))} by the additive path alone), ` +
      `${power(rnn.at(-1))} in the tanh RNN.`;
  }

  for (const part of ["bias", "length", "start"]) find(part).addEventListener("input", draw);
  draw();
}
