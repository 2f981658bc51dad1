// A product of k equal Jacobians J = gamma [[rho, b], [0, rho]]: how far can it stretch a vector?
// Left the largest stretch against k, right the image of the unit circle under J^k. No kernel.

const BLUE = "var(--blue)", RED = "var(--orange)", GREY = "var(--quiet)";

// Powers of ten stay apart from the numbers: (scale J)^k would leave the range of numbers too early.
function power(rho, b, gamma, k) {
  return { diagonal: (gamma * rho) ** k, corner: k === 0 ? 0 : k * gamma * b * (gamma * rho) ** (k - 1) };
}

// Largest singular value of [[d, c], [0, d]].
const stretch = ({ diagonal: d, corner: c }) => (Math.abs(c) + Math.hypot(c, 2 * d)) / 2;

const minus = (text) => String(text).replace("-", "−");
const short = (v) => minus(v !== 0 && (v < 0.01 || v >= 1000) ? v.toExponential(1) : v.toFixed(2));

function control(box, name, input, words) {
  const text = captioned(box, "", input, "gap:2px;width:236px;justify-content:flex-end");
  const update = () => {
    text.textContent = `${name}: ${words(Number(input.value))}`;
    input.setAttribute("aria-valuetext", words(Number(input.value)));
  };
  update();
  input.addEventListener("input", update);
  return input;
}

const LOW = -4, HIGH = 4; // powers of ten that the left panel shows

function curves(svg, { rho, b, gamma, k, steps }) {
  const left = 84, top = 34, width = 566, height = 300;
  const x = (n) => left + (width * n) / steps;
  const y = (v) => top + (height * (HIGH - Math.log10(v))) / (HIGH - LOW);
  svg.append(drawn("text", { x: left, y: 18, "font-size": 16, fill: "var(--ink)" }, "largest stretch of k Jacobians in a row"));
  for (let p = LOW; p <= HIGH; p += 2) {
    svg.append(drawn("line", { x1: left, x2: left + width, y1: y(10 ** p), y2: y(10 ** p),
      stroke: p === 0 ? "var(--ink)" : "var(--grid)" }));
    svg.append(drawn("text", { x: left - 8, y: y(10 ** p) + 5, "font-size": 16, "text-anchor": "end", fill: "var(--ink)" },
      p < 0 ? `1/${(10 ** -p).toLocaleString("en")}` : (10 ** p).toLocaleString("en")));
  }
  for (let n = 0; n <= steps; n += 10) {
    svg.append(drawn("text", { x: x(n), y: top + height + 20, "font-size": 16, "text-anchor": "middle", fill: "var(--ink)" }, n));
  }
  svg.append(drawn("text", { x: left + width / 2, y: top + height + 38, "font-size": 16, "text-anchor": "middle",
    fill: "var(--ink)" }, "k"));
  const sigma = stretch(power(rho, b, gamma, 1));
  const inside = (v) => v >= 10 ** LOW && v <= 10 ** HIGH;
  const draw = (value, style) => {
    const points = [];
    for (let n = 0; n <= steps; n++) if (inside(value(n))) points.push(`${x(n)},${y(value(n))}`);
    svg.append(drawn("polyline", { points: points.join(" "), fill: "none", ...style }));
  };
  draw((n) => sigma ** n, { stroke: RED, "stroke-width": 2, "stroke-dasharray": "2 5" });
  draw((n) => (gamma * rho) ** n, { stroke: "var(--ink)", "stroke-width": 2, "stroke-dasharray": "8 5" });
  draw((n) => stretch(power(rho, b, gamma, n)), { stroke: BLUE, "stroke-width": 3 });
  const here = stretch(power(rho, b, gamma, k));
  if (inside(here)) svg.append(drawn("circle", { cx: x(k), cy: y(here), r: 7, fill: BLUE }));
  const keys = [
    ["product: its largest singular value", BLUE, ""],
    ["(γρ)ᵏ: what its eigenvalues say", "var(--ink)", "8 5"],
    ["bound: largest singular value of J, to the k", RED, "2 5"],
  ];
  keys.forEach(([text, stroke, dashes], i) => {
    const at = top + height + 62 + 20 * i;
    svg.append(drawn("line", { x1: left, x2: left + 40, y1: at - 5, y2: at - 5, stroke, "stroke-width": 3,
      "stroke-dasharray": dashes }));
    svg.append(drawn("text", { x: left + 50, y: at, "font-size": 16, fill: "var(--ink)" }, text));
  });
}

function circle(svg, { rho, b, gamma, k }) {
  const cx = 875, cy = 190, room = 150, p = power(rho, b, gamma, k);
  const reach = Math.max(1, stretch(p)), scale = room / reach;
  svg.append(drawn("text", { x: cx, y: 18, "font-size": 16, "text-anchor": "middle", fill: "var(--ink)" },
    "the unit circle, and what k steps make of it"));
  svg.append(drawn("circle", { cx, cy, r: scale, fill: "none", stroke: GREY, "stroke-width": 2 }));
  const points = [];
  for (let i = 0; i <= 180; i++) {
    const a = (2 * Math.PI * i) / 180, u = Math.cos(a), v = Math.sin(a);
    points.push(`${cx + scale * (p.diagonal * u + p.corner * v)},${cy - scale * p.diagonal * v}`);
  }
  svg.append(drawn("polyline", { points: points.join(" "), fill: "none", stroke: BLUE, "stroke-width": 3 }));
  svg.append(drawn("text", { x: cx, y: cy + room + 24, "font-size": 16, "text-anchor": "middle", fill: "var(--ink)" },
    `grey circle: radius 1; drawn to the larger of the two`));
}

function words(s) {
  const values = Array.from({ length: s.steps + 1 }, (_, n) => stretch(power(s.rho, s.b, s.gamma, n)));
  const top = values.indexOf(Math.max(...values)), rate = s.gamma * s.rho;
  const now = `After ${s.k} steps the longest image of a unit vector has the length ${short(values[s.k])}; ` +
    `the eigenvalues alone say ${short(rate ** s.k)}. `;
  if (rate > 1 + 1e-9) return `${now}γρ is above 1: the product grows without end.`;
  if (Math.abs(rate - 1) < 1e-9) return now + (s.b > 0 ? "γρ is 1, and the corner makes it grow in proportion to k." : "γρ is 1 and b is 0: nothing changes.");
  if (top === s.steps) return `${now}γρ is below 1: it will vanish, but within ${s.steps} steps it is still growing.`;
  if (top === 0 || values[top] <= 1) return `${now}It is never longer than 1, and it vanishes.`;
  return `${now}It grows at first, to ${short(values[top])} at k = ${top}, and vanishes then.`;
}

export function render({ model, el }) {
  const data = model.get("data");
  const root = document.createElement("div");
  root.style.cssText = "max-width:1080px;font-family:system-ui,sans-serif";
  const box = document.createElement("div");
  box.style.cssText = "display:flex;flex-wrap:wrap;gap:6px 22px;padding:2px 8px";
  const two = (v) => v.toFixed(2);
  const inputs = {
    rho: control(box, "spectral radius ρ of W", slider(0.3, 1.2, 0.05, data.rho), two),
    b: control(box, "corner entry b", slider(0, 5, 0.25, data.b), two),
    gamma: control(box, "slope γ of the tanh", slider(0.1, 1, 0.05, data.gamma), two),
    k: control(box, "steps k", slider(0, data.steps, 1, data.k), String),
  };
  const svg = drawn("svg", { viewBox: "0 0 1080 440", width: "100%", role: "img", "aria-label": data.alt });
  const said = document.createElement("p");
  said.setAttribute("aria-live", "polite");
  said.style.cssText = "margin:0 8px;font-size:16px;line-height:1.3;min-height:42px";
  root.append(box, svg, said);
  el.append(root);

  function draw() {
    const state = { steps: data.steps };
    for (const [name, input] of Object.entries(inputs)) state[name] = Number(input.value);
    svg.replaceChildren();
    curves(svg, state);
    circle(svg, state);
    said.textContent = words(state);
  }
  for (const input of Object.values(inputs)) input.addEventListener("input", draw);
  draw();
  return themed(root);
}
