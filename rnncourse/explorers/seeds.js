// Test accuracies of some models, for as many seeds as one likes to look at: does the ranking stand?
// A menu for the task, a slider for the number of seeds, a button that draws others. No kernel.

const COLOURS = { "bag of words": "var(--ink)", "tanh RNN": "var(--orange)", "gated RNN": "var(--blue)", "LSTM": "var(--green)" };
const LEFT = 170, WIDE = 840, TOP = 26, ROW = 66;

function shuffled(count) {
  const order = [...Array(count).keys()];
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

export function render({ model, el }) {
  const { tasks, start, alt } = model.get("data");
  const kinds = Object.keys(Object.values(tasks)[0]);
  const seeds = Object.values(tasks)[0][kinds[0]].length;
  let orders = kinds.map(() => [...Array(seeds).keys()]), draws = 0;

  const root = document.createElement("div");
  root.style.cssText = "max-width:1080px;font-family:system-ui,sans-serif";
  const high = TOP + ROW * kinds.length + 34;
  const svg = drawn("svg", { viewBox: `0 0 1080 ${high}`, width: "100%", role: "img", "aria-label": alt });
  const menu = document.createElement("select");
  menu.style.cssText = "font-size:16px;padding:4px";
  for (const name of Object.keys(tasks)) menu.append(new Option(name, name));
  menu.value = start.task;
  const count = slider(1, seeds, 1, start.count);
  const again = document.createElement("button");
  again.type = "button";
  again.textContent = "Draw other seeds";
  again.style.cssText = "font-size:16px;padding:6px 14px;cursor:pointer;align-self:end";
  const box = document.createElement("div");
  box.style.cssText = "display:flex;gap:32px;padding:6px 24px;align-items:end;flex-wrap:wrap";
  captioned(box, "task", menu, "gap:2px");
  const counted = captioned(box, "", count, "gap:2px");
  box.append(again);
  const said = document.createElement("p");
  said.setAttribute("aria-live", "polite");
  said.style.cssText = "margin:8px 24px;font-size:16px;line-height:1.35;min-height:46px";
  root.append(svg, box, said);
  el.append(root);
  menu.addEventListener("change", draw);
  count.addEventListener("input", draw);
  again.addEventListener("click", () => {
    orders = kinds.map(() => shuffled(seeds));
    draws += 1;
    draw();
  });

  function draw() {
    const shares = tasks[menu.value], n = Number(count.value);
    const all = kinds.flatMap((kind) => shares[kind]);
    const low = Math.floor(20 * Math.min(...all)) / 20, top = Math.ceil(20 * Math.max(...all)) / 20;
    const x = (v) => LEFT + (WIDE * (v - low)) / (top - low);
    svg.replaceChildren();
    for (let v = low; v <= top + 1e-9; v += 0.05) {
      svg.append(drawn("line", { x1: x(v), x2: x(v), y1: TOP - 8, y2: high - 30, stroke: "var(--grid)" }));
      svg.append(drawn("text", { x: x(v), y: high - 10, "font-size": 16, "text-anchor": "middle", fill: "var(--ink)" },
        v.toFixed(2)));
    }
    const means = kinds.map((kind, i) => {
      const y = TOP + ROW * (i + 0.5), chosen = orders[i].slice(0, n).map((seed) => shares[kind][seed]);
      svg.append(drawn("text", { x: LEFT - 16, y: y + 5, "font-size": 17, "text-anchor": "end" },
        kind));
      for (const share of chosen) {
        svg.append(drawn("circle", { cx: x(share), cy: y, r: 8, fill: COLOURS[kind], "fill-opacity": 0.45 }));
      }
      const mean = chosen.reduce((sum, share) => sum + share, 0) / n;
      svg.append(drawn("line", { x1: x(mean), x2: x(mean), y1: y - 22, y2: y + 22, stroke: COLOURS[kind],
        "stroke-width": 4 }));
      return mean;
    });
    counted.textContent = n === 1 ? "1 seed of each" : `${n} seeds of each`;
    const ranking = kinds.map((kind, i) => [kind, means[i]]).sort((a, b) => b[1] - a[1]);
    said.textContent = `${draws ? `Draw ${draws}` : "As they were run"}, ${counted.textContent}. By the mean: ` +
      ranking.map(([kind, mean]) => `${kind} ${mean.toFixed(3)}`).join(", ") + ".";
  }
  draw();
  return themed(root);
}
