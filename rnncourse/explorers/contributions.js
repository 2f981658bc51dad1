// Which position's use of the recurrent weight contributes how much to its gradient?
// One unit: s_t = tanh(w s_{t-1} + k x_t). Everything is computed here, no kernel.

const RED = "var(--orange)", GREEN = "var(--green)";

function forward(w, x, s0) {
  const states = [];
  for (const x_t of x) states.push(Math.tanh(w * (states.at(-1) ?? s0) + x_t));
  return states;
}

function loss(states, looks) {
  return looks === "last" ? states.at(-1) : states.reduce((a, b) => a + b, 0);
}

function backward(w, x, s0, looks) {
  const T = x.length, states = forward(w, x, s0);
  const signals = new Array(T), contributions = new Array(T);
  let carried = 0;
  for (let k = T - 1; k >= 0; k--) {
    const direct = looks === "every" || k === T - 1 ? 1 : 0;
    signals[k] = direct + carried;
    const da = signals[k] * (1 - states[k] ** 2);
    contributions[k] = da * (k > 0 ? states[k - 1] : s0);
    carried = w * da;
  }
  return { states, signals, contributions };
}

// Three digits behind the point; of what is smaller the first that is none.
const digits = (v) => (v === 0 || Math.abs(v) >= 5e-4 ? 3 : Math.min(9, Math.ceil(-Math.log10(Math.abs(v)))));
const signed = (v) => (Math.abs(v) < 1e-9 && v !== 0 ? "next to nothing" : v.toFixed(digits(v))).replace("-", "−");

function panel(svg, { top, height, title, values, colour, limit }) {
  const left = 90, width = 960, T = values.length, middle = top + height / 2;
  const reach = Math.max(limit, ...values.map(Math.abs));
  const y = (v) => middle - (v / reach) * (height / 2 - 6);
  svg.append(drawn("text", { x: left, y: top - 8, "font-size": 16, fill: "var(--ink)" }, title));
  for (const v of [-reach, 0, reach]) {
    svg.append(drawn("line", { x1: left, x2: left + width, y1: y(v), y2: y(v),
      stroke: v === 0 ? "var(--ink)" : "var(--grid)", "stroke-width": 1 }));
    svg.append(drawn("text", { x: left - 8, y: y(v) + 5, "font-size": 16, "text-anchor": "end", fill: "var(--ink)" },
      v === 0 ? "0" : v.toPrecision(2).replace("-", "−")));
  }
  values.forEach((v, k) => {
    const x = left + (width * (k + 0.15)) / T, wide = (width * 0.7) / T;
    const bar = drawn("rect", { x, width: wide, y: Math.min(y(v), y(0)), height: Math.abs(y(v) - y(0)), fill: colour });
    bar.append(drawn("title", {}, `position ${k + 1}: ${signed(v)}`));
    svg.append(bar);
    svg.append(drawn("text", { x: x + wide / 2, y: top + height + 16, "font-size": 16, "text-anchor": "middle",
      fill: "var(--ink)" }, k + 1));
  });
}

function control(box, name, input, words) {
  const text = captioned(box, "", input, "gap:2px;min-width:215px");
  const update = () => { text.textContent = `${name}: ${words(input.value)}`; };
  update();
  input.addEventListener("input", update);
  return input;
}

export function render({ model, el }) {
  const data = model.get("data");
  const root = document.createElement("div");
  root.style.cssText = "max-width:1080px;font-family:system-ui,sans-serif";
  const box = document.createElement("div");
  box.style.cssText = "display:flex;flex-wrap:wrap;gap:8px 22px;padding:4px 8px;align-items:end";
  const number = (v) => Number(v).toFixed(2).replace("-", "−");
  const length = control(box, "length T", slider(2, data.x.length, 1, data.T), (v) => v);
  const weight = control(box, "recurrent weight w", slider(-2, 3, 0.05, data.w), number);
  const size = control(box, "size of the inputs", slider(0, 3, 0.05, data.scale), number);
  const select = document.createElement("select");
  select.style.fontSize = "15px";
  select.append(new Option("the last state", "last"), new Option("the sum of all states", "every"));
  const looks = control(box, "the loss is", select, () => "");
  const svg = drawn("svg", { viewBox: "0 0 1080 390", width: "100%", role: "img", "aria-label": data.alt });
  const said = document.createElement("p");
  said.setAttribute("aria-live", "polite");
  said.style.cssText = "margin:2px 8px;font-size:16px;line-height:1.35;min-height:64px";
  root.append(box, svg, said);
  el.append(root);

  function draw() {
    const T = Number(length.value), w = Number(weight.value);
    const x = data.x.slice(0, T).map((v) => v * Number(size.value));
    const { states, signals, contributions } = backward(w, x, data.s0, looks.value);
    svg.replaceChildren();
    panel(svg, { top: 30, height: 140, title: "error signal δ at the state of each position", values: signals,
      colour: RED, limit: 1e-9 });
    panel(svg, { top: 222, height: 140, title: "contribution of each position to the gradient of w",
      values: contributions, colour: GREEN, limit: 1e-9 });
    const eps = 1e-5;
    const nudged = (d) => loss(forward(w + d, x, data.s0), looks.value);
    const measured = (nudged(eps) - nudged(-eps)) / (2 * eps);
    const sizes = contributions.map(Math.abs);
    const most = sizes.indexOf(Math.max(...sizes));
    const flat = states.filter((s) => Math.abs(s) > 0.95).length;
    said.textContent =
      `Position ${most + 1} of ${T} contributes most: ${signed(contributions[most])}. ` +
      `The first contributes ${signed(contributions[0])}, the last ${signed(contributions[T - 1])}. ` +
      `Sum of the bars ${signed(contributions.reduce((a, b) => a + b, 0))}; ` +
      `measured, by nudging w at all positions at once: ${signed(measured)}. ` +
      `Units near saturation (|s| above 0.95): ${flat} of ${T}.`;
  }
  for (const input of [length, weight, size, looks]) input.addEventListener("input", draw);
  draw();
  return themed(root);
}
