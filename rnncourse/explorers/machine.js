// An LSTM of one unit as a machine with four unnamed rows: which block is which? All weights are zero, so that
// each block's pre-activation is its bias. No kernel.

const MEMORY = "var(--blue)", SHOWN = "var(--amber)", BEFORE = "var(--quiet)";
// The order of the blocks, row by row.
const MACHINES = { A: "ifco", B: "ifoc", C: "iofc" };
const START = 1, LOW = -2.2, HIGH = 2.2, LEFT = 190, WIDE = 700, TOP = 20, ROW = 62;

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const number = (v) => (Math.abs(v) < 0.005 ? 0 : v).toFixed(2).replace("-", "−");

function step(machine, biases, before) {
  const z = Object.fromEntries([...MACHINES[machine]].map((letter, row) => [letter, biases[row]]));
  const memory = sigmoid(z.f) * before + sigmoid(z.i) * Math.tanh(z.c);
  return { memory, shown: sigmoid(z.o) * Math.tanh(memory) };
}

export function render({ model, el }) {
  const { c_prev: before, alt } = model.get("data");
  const root = document.createElement("div");
  root.style.cssText = "max-width:1060px;font-family:system-ui,sans-serif";
  const svg = drawn("svg", { viewBox: "0 0 1060 235", width: "100%", role: "img", "aria-label": alt });
  const bar = document.createElement("div");
  bar.style.cssText = "display:flex;gap:16px;align-items:center;padding:4px 24px;font-size:16px";
  const label = document.createElement("label"), list = document.createElement("select");
  label.append("machine ", list);
  list.style.fontSize = "16px";
  for (const name of Object.keys(MACHINES)) list.append(new Option(name, name));
  list.addEventListener("change", draw);
  const again = document.createElement("button");
  again.type = "button";
  again.textContent = "All biases to 1";
  again.style.cssText = "font-size:16px;padding:6px 14px;cursor:pointer";
  again.addEventListener("click", () => {
    for (const { input } of sliders) input.value = START;
    draw();
  });
  bar.append(label, again);
  const box = document.createElement("div");
  box.style.cssText = "display:grid;grid-template-columns:repeat(4,1fr);gap:6px 28px;padding:8px 24px";
  const sliders = [1, 2, 3, 4].map((row) => {
    const input = slider(-10, 10, 0.5, START);
    input.addEventListener("input", draw);
    return { row, input, text: captioned(box, "", input) };
  });
  const said = document.createElement("p");
  said.setAttribute("aria-live", "polite");
  said.style.cssText = "margin:8px 24px;font-size:16px;line-height:1.35;min-height:44px";
  root.append(bar, svg, box, said);
  el.append(root);

  function draw() {
    const biases = sliders.map(({ input }) => Number(input.value));
    const { memory, shown } = step(list.value, biases, before);
    const x = (v) => LEFT + (WIDE * (v - LOW)) / (HIGH - LOW);
    svg.replaceChildren();
    for (const v of [-2, -1, 0, 1, 2]) {
      svg.append(drawn("line", { x1: x(v), x2: x(v), y1: TOP, y2: TOP + 3 * ROW, stroke: v ? "var(--grid)" : "var(--ink)" }));
      svg.append(drawn("text", { x: x(v), y: TOP + 3 * ROW + 20, "font-size": 16, "text-anchor": "middle",
        fill: "var(--ink)" }, String(v).replace("-", "−")));
    }
    const bars = [["memory before", before, BEFORE], ["memory", memory, MEMORY], ["visible state", shown, SHOWN]];
    bars.forEach(([name, value, colour], i) => {
      const y = TOP + i * ROW + 12, end = x(value), zero = x(0);
      svg.append(drawn("text", { x: LEFT - 14, y: y + 25, "font-size": 17, "text-anchor": "end", fill: "var(--ink)" }, name));
      svg.append(drawn("rect", { x: Math.min(zero, end), y, width: Math.abs(end - zero), height: 38, fill: colour }));
      svg.append(drawn("text", { x: x(HIGH) + 20, y: y + 25, "font-size": 17, fill: "var(--ink)" }, number(value)));
    });
    for (const { row, input, text } of sliders) text.textContent = `bias of row ${row}: ${number(Number(input.value))}`;
    said.textContent = `Machine ${list.value}, biases ${biases.map(number).join(", ")}: the memory goes from ` +
      `${number(before)} to ${number(memory)}, and ${number(shown)} is shown.`;
  }
  draw();
  return themed(root);
}
