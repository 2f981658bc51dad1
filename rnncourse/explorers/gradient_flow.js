// How much of the last step's gradient is left so many steps back, by forget bias.
// data: biases; starts: label -> { all, wire: for each bias its curve, rnn: one curve }, each curve the
// powers of ten by steps back from the end. The notebook computes them; nothing is computed here.

const CURVES = [
  ["rnn", "var(--ink)", "9 5", "tanh RNN"],
  ["wire", "var(--green)", "2 4", "the memory's wire alone"],
  ["all", "var(--blue)", "", "LSTM, all ways"],
];
// Who learns from less than a hundred-millionth of what arrived learns nothing: a line that leaves below stops.
const LOWEST = -8, HIGHEST = 3;
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function raised(number) {
  return [...String(number)].map((sign) => (sign === "-" ? "⁻" : RAISED[sign])).join("");
}

function inWords(power) {
  const times = 10 ** power;
  if (times >= 1) return `${times >= 10 ? Math.round(times).toLocaleString("en") : times.toPrecision(2)} times as much`;
  if (times >= 0.1) return `${Math.round(100 * times)} of 100 parts`;
  if (times >= 1e-7) return `one part in ${Number((1 / times).toPrecision(2)).toLocaleString("en")}`;
  return `less than one part in ten million (10${raised(Math.round(power))})`;
}

export function render({ model, el }) {
  const data = model.get("data");
  const id = `flow-${Math.random().toString(36).slice(2, 8)}`;
  const farthest = Object.values(data.starts)[0].rnn.length - 1;
  const range = 'style="width: 230px; vertical-align: middle" data-prevent-swipe';
  el.innerHTML = `
    <div style="font: 16px system-ui, sans-serif; max-width: 1080px; padding: 4px">
      <div style="display: flex; flex-wrap: wrap; gap: 8px 28px; align-items: center">
        <label>forget bias <input id="${id}-bias" type="range" min="0" max="${data.biases.length - 1}"
          step="1" value="0" ${range}> <output id="${id}-bias-now"></output></label>
        <label>steps back <input id="${id}-distance" type="range" min="5" max="${farthest}" step="5"
          value="5" ${range}> <output id="${id}-distance-now"></output></label>
        <label>weights <select id="${id}-start">${Object.keys(data.starts)
          .map((name) => `<option>${name}</option>`).join("")}</select></label>
      </div>
      <div id="${id}-chart"></div>
      <p id="${id}-words" aria-live="polite" style="margin: 4px 0 0 0; min-height: 3.6em"></p>
    </div>`;
  const find = (part) => el.querySelector(`#${id}-${part}`);
  const width = 1060, height = 370, left = 66, right = 250, top = 14, bottom = 46;

  function draw() {
    const at = Number(find("bias").value), distance = Number(find("distance").value);
    const start = data.starts[find("start").value];
    const bias = data.biases[at].toFixed(1);
    find("bias-now").textContent = bias;
    find("bias").setAttribute("aria-valuetext", bias);
    find("distance-now").textContent = distance;
    const curves = { rnn: start.rnn, wire: start.wire[at], all: start.all[at] };

    const svg = drawn("svg", {
      viewBox: `0 0 ${width} ${height}`, width: "100%", role: "img", "aria-label": data.alt,
      style: "max-height: 400px",
    });
    const px = (k) => left + (k / distance) * (width - left - right);
    const py = (e) => top + ((HIGHEST - e) / (HIGHEST - LOWEST)) * (height - top - bottom);
    for (let e = LOWEST; e <= HIGHEST; e += 2) {
      svg.append(drawn("line", { x1: left, x2: width - right, y1: py(e), y2: py(e),
        stroke: e === 0 ? "var(--quiet)" : "var(--grid)" }));
      svg.append(drawn("text", { x: left - 8, y: py(e) + 5, "text-anchor": "end", "font-size": 16 },
        e === 0 ? "1" : `10${raised(e)}`));
    }
    for (let part = 0; part <= 5; part++) {
      const k = (distance * part) / 5;
      svg.append(drawn("text", { x: px(k), y: height - 24, "text-anchor": "middle", "font-size": 16 }, String(k)));
    }
    svg.append(drawn("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle",
      "font-size": 16 }, "steps back from the end"));
    const labels = CURVES.map(([key, colour, dash, name]) => {
      const values = curves[key].slice(0, distance + 1);
      // A line that has left the chart below stops there.
      const end = values.findIndex((e) => e < LOWEST);
      const shown = (end < 0 ? values : values.slice(0, end + 1))
        .map((e, k) => [px(k), py(Math.max(LOWEST, Math.min(HIGHEST, e)))]);
      svg.append(drawn("polyline", { points: shown.map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" "),
        fill: "none", stroke: colour, "stroke-width": 2.8, "stroke-dasharray": dash }));
      return { y: shown.at(-1)[1], colour, dash, name };
    });
    labels.sort((a, b) => a.y - b.y);
    labels.forEach((label, k) => {
      if (k) label.y = Math.max(label.y, labels[k - 1].y + 20);
    });
    const over = Math.max(0, labels.at(-1).y - (height - bottom));
    for (const { y, colour, dash, name } of labels) {
      svg.append(drawn("line", { x1: width - right + 8, x2: width - right + 36, y1: y - over, y2: y - over,
        stroke: colour, "stroke-width": 2.8, "stroke-dasharray": dash }));
      svg.append(drawn("text", { x: width - right + 42, y: y - over + 5, "font-size": 16, fill: colour }, name));
    }
    find("chart").replaceChildren(svg);
    find("words").textContent =
      `Forget bias ${bias}: ${distance} steps back from the end there is left ` +
      `${inWords(curves.all[distance])} in the LSTM, ${inWords(curves.wire[distance])} on the memory's own ` +
      `wire alone, ${inWords(curves.rnn[distance])} in the tanh RNN.`;
  }

  for (const part of ["bias", "distance", "start"]) find(part).addEventListener("input", draw);
  draw();
  return themed(el.firstElementChild);
}
