// A running state with one gate per coordinate, set by hand: keep, overwrite, or anything between.
// s_t = (1 - g) s_{t-1} + g candidate, one step for each press of a button. No kernel.

const KEPT = "var(--blue)", WRITTEN = "var(--orange)", GATE = "var(--green)";
const LEFT = 46, WIDE = 296, GAP = 352, TOP = 34, HIGH = 210, GATES = 274, GATE_HIGH = 46;

const mix = (g, old, candidate) => (1 - g) * old + g * candidate;
const number = (v) => v.toFixed(2).replace("-", "−");

function button(text, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.style.cssText = "font-size:16px;padding:6px 14px;cursor:pointer";
  made.addEventListener("click", action);
  return made;
}

function panel(svg, i, T, candidates, states, gates, preview, goal) {
  const left = LEFT + i * GAP, now = states.length - 1;
  const x = (t) => left + (WIDE * t) / (T + 0.4);
  const y = (v) => TOP + (HIGH * (1.05 - v)) / 2.1;
  svg.append(drawn("text", { x: left + WIDE / 2, y: TOP - 14, "font-size": 16, "text-anchor": "middle", fill: "var(--ink)" },
    `coordinate ${i + 1}`));
  for (const v of [-1, 0, 1]) {
    svg.append(drawn("line", { x1: left, x2: left + WIDE, y1: y(v), y2: y(v), stroke: v ? "var(--grid)" : "var(--ink)" }));
    svg.append(drawn("text", { x: left - 7, y: y(v) + 5, "font-size": 16, "text-anchor": "end", fill: "var(--ink)" },
      String(v).replace("-", "−")));
  }
  if (now < T) {
    svg.append(drawn("rect", { x: x(now + 1) - 11, width: 22, y: TOP, height: HIGH, fill: "var(--faint)" }));
  }
  candidates.forEach((candidate, t) => {
    const mark = drawn("rect", { x: x(t + 1) - 5, y: y(candidate[i]) - 5, width: 10, height: 10, fill: WRITTEN,
      "fill-opacity": t === now ? 1 : 0.4 });
    mark.append(drawn("title", {}, `candidate of step ${t + 1}: ${number(candidate[i])}`));
    svg.append(mark);
  });
  svg.append(drawn("polyline", { points: states.map((s, t) => `${x(t)},${y(s[i])}`).join(" "), fill: "none",
    stroke: "var(--ink)", "stroke-width": 2.5 }));
  svg.append(drawn("circle", { cx: x(now), cy: y(states[now][i]), r: 6, fill: KEPT }));
  if (goal !== null && goal !== undefined) {
    const mark = drawn("rect", { x: x(T) - 11, y: y(goal) - 11, width: 22, height: 22, fill: "none", stroke: "var(--ink)",
      "stroke-width": 2 });
    mark.append(drawn("title", {}, `goal: ${number(goal)} at the end`));
    svg.append(mark);
  }
  if (now < T) {
    const px = x(now + 1), py = y(preview);
    svg.append(drawn("path", { d: `M${px},${py - 9} l9,9 l-9,9 l-9,-9 z`, fill: "none", stroke: "var(--ink)",
      "stroke-width": 2.2 }));
  }
  svg.append(drawn("line", { x1: left, x2: left + WIDE, y1: GATES + GATE_HIGH, y2: GATES + GATE_HIGH,
    stroke: "var(--ink)" }));
  gates.forEach((g, t) => svg.append(drawn("rect", { x: x(t + 1) - 7, width: 14, y: GATES + GATE_HIGH * (1 - g[i]),
    height: GATE_HIGH * g[i], fill: GATE, "fill-opacity": t === now ? 0.45 : 1 })));
  svg.append(drawn("text", { x: left + WIDE / 2, y: GATES + GATE_HIGH + 17, "font-size": 16, "text-anchor": "middle",
    fill: "var(--ink)" }, `step 0 to ${T}; bars below: gate`));
}

const NEAR = 0.02;

// How well the game went: what is to be held to the end, and what is to be made smooth.
function score(states, candidates, goals) {
  const way = (values) => values.slice(1).reduce((sum, v, t) => sum + Math.abs(v - values[t]), 0);
  let met = 0;
  const said = goals.map((goal, i) => {
    const own = states.map((s) => s[i]);
    if (goal === null) {
      const share = way(own) / way(candidates.map((c) => c[i]));
      return `coordinate ${i + 1} moved ${Math.round(100 * share)} % as far as its candidates`;
    }
    const off = Math.abs(own.at(-1) - goal);
    if (off < NEAR) met += 1;
    return `coordinate ${i + 1} ended ${number(off)} from its goal`;
  });
  return `Score: ${met} of ${goals.filter((goal) => goal !== null).length} goals met; ${said.join(", ")}.`;
}

export function render({ model, el }) {
  const { s0, candidates, goals, alt } = model.get("data");
  const T = candidates.length, H = s0.length;
  let states = [s0.slice()], used = [];
  const root = document.createElement("div");
  root.style.cssText = "max-width:1080px;font-family:system-ui,sans-serif";
  const svg = drawn("svg", { viewBox: "0 0 1080 345", width: "100%", role: "img", "aria-label": alt });
  const box = document.createElement("div");
  box.style.cssText = "display:grid;grid-template-columns:repeat(3,1fr);gap:6px 40px;padding:2px 24px 2px 44px";
  const sliders = s0.map((_, i) => {
    const input = slider(0, 1, 0.05, 0.5);
    input.style.accentColor = GATE;
    input.addEventListener("input", draw);
    return { input, text: captioned(box, "", input) };
  });
  const buttons = document.createElement("div");
  buttons.style.cssText = "display:flex;gap:12px;padding:8px 44px 0";
  const next = button("Next step", () => {
    if (used.length === T) return;
    const gates = current();
    states.push(ahead(gates));
    used.push(gates);
    draw();
  });
  const back = button("Undo a step", () => {
    if (!used.length) return;
    used.pop();
    states.pop();
    draw();
  });
  const again = button("Start again", () => {
    states = [s0.slice()];
    used = [];
    draw();
  });
  buttons.append(next, back, again);
  const said = document.createElement("p");
  said.setAttribute("aria-live", "polite");
  said.style.cssText = "margin:8px 44px;font-size:16px;line-height:1.35;min-height:66px";
  root.append(svg, box, buttons, said);
  el.append(root);

  function current() {
    return sliders.map(({ input }) => Number(input.value));
  }

  function ahead(gates) {
    const old = states.at(-1), candidate = candidates[used.length];
    return gates.map((g, i) => mix(g, old[i], candidate[i]));
  }

  function draw() {
    const gates = current(), done = used.length === T;
    const preview = done ? states.at(-1) : ahead(gates);
    svg.replaceChildren();
    for (let i = 0; i < H; i++) {
      const g = gates[i], word = g === 0 ? "keeps all" : g === 1 ? "overwrites all" : "mixes";
      sliders[i].text.textContent = `gate ${i + 1}: ${number(g)} (${word})`;
      panel(svg, i, T, candidates, states, done ? used : [...used, gates], preview[i], goals?.[i]);
    }
    // A button that takes the focus away while it is pressed would strand the keyboard: it stays enabled.
    next.setAttribute("aria-disabled", String(done));
    back.setAttribute("aria-disabled", String(!used.length));
    next.style.opacity = done ? 0.45 : 1;
    back.style.opacity = used.length ? 1 : 0.45;
    const left = s0.map((_, i) => used.reduce((share, g) => share * (1 - g[i]), 1));
    const percent = left.map((share) => `${(100 * share).toFixed(0)} %`).join(", ");
    const list = (values) => values.map(number).join(", ");
    said.textContent = `After step ${used.length} of ${T} the state is ${list(states.at(-1))}. ` +
      `Of the start value are left, directly: ${percent}. ` +
      (done ? (goals ? score(states, candidates, goals) : "All steps are done; start again with other gates.")
        : `Step ${used.length + 1} offers ${list(candidates[used.length])}; with these gates ` +
          `the state becomes ${list(preview)} (diamonds).`);
  }
  draw();
  return themed(root);
}
