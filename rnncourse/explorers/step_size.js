// The numeric derivative of a function at a point: the step is a slider, its error a V curve.
// Everything is computed here, in the browser's float64 (or rounded to float32).

const BLUE = "var(--blue)";
const ORANGE = "var(--orange)";
const FUNCTIONS = {
  sigmoid: {
    label: "sigmoid",
    value: (z, r) => r(1 / r(1 + r(Math.exp(-z)))),
    slope: (z) => Math.exp(-z) / (1 + Math.exp(-z)) ** 2,
  },
  tanh: { label: "tanh", value: (z, r) => r(Math.tanh(z)), slope: (z) => 1 - Math.tanh(z) ** 2 },
  exp: { label: "exponential", value: (z, r) => r(Math.exp(z)), slope: (z) => Math.exp(z) },
};

// The difference quotient with every operation rounded as the format rounds it.
function quotient(f, z, step, kind, r) {
  const right = r(z + step);
  const left = kind === "central" ? r(z - step) : z;
  const rise = r(f.value(right, r) - f.value(left, r));
  return r(rise / r(kind === "central" ? 2 * step : step));
}

function relativeError(f, z, step, kind, r) {
  const exact = f.slope(z);
  return Math.abs(quotient(f, z, step, kind, r) - exact) / Math.abs(exact);
}

const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const tenTo = (p) => `10${[...String(p)].map((c) => SUPERSCRIPTS[c]).join("")}`;

function scientific(value) {
  if (value === 0) return "0";
  const [digits, exponent] = value.toExponential(1).split("e");
  return digits === "1.0" ? tenTo(Number(exponent)) : `${digits} · ${tenTo(Number(exponent))}`;
}

export function render({ model, el }) {
  const data = model.get("data");
  const id = Math.random().toString(36).slice(2);
  el.style.cssText = "max-width:1080px;font:16px system-ui,sans-serif";
  const controls = element("div", {
    style: "display:flex;flex-wrap:wrap;gap:6px 20px;align-items:center;margin:4px 0 8px",
  });
  function labelled(text, control) {
    const label = element("label", { style: "display:flex;gap:6px;align-items:center" }, text);
    label.append(control);
    controls.append(label);
    return control;
  }
  function choice(text, options) {
    const select = labelled(text, element("select"));
    for (const [value, label] of options) select.append(element("option", { value }, label));
    return select;
  }
  const which = choice("function", Object.entries(FUNCTIONS).map(([key, f]) => [key, f.label]));
  const kind = choice("difference", [["central", "central"], ["one", "one-sided"]]);
  const format = choice("numbers", [["64", "float64"], ["32", "float32"]]);
  const power = labelled("step", element("input", {
    type: "range", min: -15, max: 0, step: 0.5, value: 0, style: "width:220px",
  }));
  const shown = element("output", { style: "min-width:5em" });
  power.after(shown);
  const point = labelled("z", element("input", {
    type: "range", min: -3, max: 3, step: 0.1, value: 1, style: "width:120px",
  }));
  const place = element("output", { style: "min-width:2.2em" });
  point.after(place);

  const picture = drawn("svg", {
    viewBox: "0 0 1080 400", role: "img", "aria-labelledby": `title-${id}`, style: "width:100%;display:block",
  });
  const says = element("p", { "aria-live": "polite", style: "margin:6px 0;min-height:2.6em" });
  el.append(controls, picture, says);

  const text = (x, y, words, attributes = {}) =>
    picture.append(drawn("text", { x, y, "font-size": 16, ...attributes }, words));
  const line = (points, attributes) => picture.append(drawn("polyline", {
    points: points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "), fill: "none", ...attributes,
  }));
  const dot = (x, y, attributes) => picture.append(drawn("circle", { cx: x, cy: y, r: 6, ...attributes }));

  function drawSecant(f, z, step, r) {
    const low = f.value(-4, r);
    const high = f.value(Math.max(1, Math.min(4, z + 1)), r);
    const X = (v) => 20 + ((v + 4) / 8) * 420;
    const Y = (v) => 350 - ((v - low) / (high - low)) * 280;
    const clip = drawn("clipPath", { id: `clip-${id}` });
    clip.append(drawn("rect", { x: 20, y: 30, width: 420, height: 345 }));
    picture.append(clip);
    const clipped = { "clip-path": `url(#clip-${id})` };
    const curve = [];
    for (let v = -4; v <= 4.001; v += 0.05) curve.push([X(v), Y(f.value(v, (x) => x))]);
    line(curve, { stroke: "var(--ink)", "stroke-width": 2, ...clipped });
    const slope = quotient(f, z, step, kind.value, r);
    const middle = f.value(z, r);
    const tilted = (a) => [-4, 4].map((v) => [X(v), Y(middle + a * (v - z))]);
    line(tilted(f.slope(z)), { stroke: BLUE, "stroke-width": 2, "stroke-dasharray": "7 5", ...clipped });
    const left = kind.value === "central" ? z - step : z;
    const from = f.value(left, r);
    line([-4, 4].map((v) => [X(v), Y(from + slope * (v - left))]), { stroke: ORANGE, "stroke-width": 2, ...clipped });
    for (const v of [left, z + step]) dot(X(v), Y(f.value(v, r)), { fill: ORANGE, ...clipped });
    text(20, 20, "through the two points: orange; tangent: blue, dashed");
    text(440, 394, "z", { "text-anchor": "end" });
  }

  function drawErrors(f, z, r) {
    const X = (p) => 560 + ((p + 15) / 15) * 490;
    const Y = (error) => 350 - ((Math.log10(Math.min(10, Math.max(1e-14, error))) + 14) / 15) * 310;
    text(560, 20, "relative error against the step");
    for (let p = -15; p <= 0; p += 3) {
      line([[X(p), 40], [X(p), 350]], { stroke: "var(--grid)" });
      text(X(p), 370, tenTo(p), { "text-anchor": "middle", "font-size": 16 });
    }
    for (let p = -14; p <= 0; p += 2) {
      line([[560, Y(10 ** p)], [1050, Y(10 ** p)]], { stroke: "var(--grid)" });
      text(552, Y(10 ** p) + 5, tenTo(p), { "text-anchor": "end", "font-size": 16 });
    }
    text(1050, 394, "step", { "text-anchor": "end" });
    const curve = [];
    for (let p = -15; p <= 0.001; p += 0.125) curve.push([X(p), Y(relativeError(f, z, 10 ** p, kind.value, r))]);
    line(curve, { stroke: BLUE, "stroke-width": 1.5 });
    const p = Number(power.value);
    dot(X(p), Y(relativeError(f, z, 10 ** p, kind.value, r)), { fill: ORANGE, r: 8 });
  }

  function draw() {
    const f = FUNCTIONS[which.value];
    const r = format.value === "64" ? (x) => x : Math.fround;
    const z = r(Number(point.value));
    const step = 10 ** Number(power.value);
    picture.replaceChildren(drawn("title", { id: `title-${id}` }, data.alt));
    drawSecant(f, z, step, r);
    drawErrors(f, z, r);
    shown.textContent = scientific(step);
    place.textContent = z.toFixed(1);
    const error = relativeError(f, z, step, kind.value, r);
    // The error that Taylor's formula leaves, scaled down from a step where rounding does not show.
    const plain = (x) => x;
    const large = Math.max(step, 0.01);
    const order = kind.value === "central" ? 2 : 1;
    const bend = relativeError(f, z, large, kind.value, plain) * (step / large) ** order;
    const unit = format.value === "64" ? 1.1e-16 : 6e-8;
    const rounding = (unit * Math.abs(f.value(z, plain))) / step / Math.abs(f.slope(z));
    let reason = "both errors are about as large: near the best step";
    if (bend > 5 * rounding) reason = "the step is too large for the curve: a smaller step would help";
    if (rounding > 5 * bend) reason = "rounding makes most of it: a smaller step would make it worse";
    says.textContent =
      `Step ${scientific(step)}: the quotient is ${quotient(f, z, step, kind.value, r).toPrecision(10)}, ` +
      `the derivative ${f.slope(z).toPrecision(10)}. Relative error ${scientific(error)}; ${reason}.`;
  }
  for (const control of [which, kind, format]) control.addEventListener("change", draw);
  for (const control of [power, point]) control.addEventListener("input", draw);
  draw();
  return themed(el);
}

export default { render };
