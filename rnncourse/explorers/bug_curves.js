// Loss curves of one network, without a bug and with it: a menu for the bug, a button that shows its curves,
// a slider for how many seeds are drawn. It opens without any bug. No kernel.

const RIGHT = "var(--blue)", BROKEN = "var(--orange)";
const LEFT = 80, WIDE = 960, TOP = 20, HIGH = 330;
const LOW = 8e-4, MOST = 4;

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

export function render({ model, el }) {
  const { losses, every, guessing, alt } = model.get("data");
  const bugs = Object.keys(losses), seeds = losses[bugs[0]].with.length;
  let isShown = false;

  const root = document.createElement("div");
  root.style.cssText = "max-width:1080px;font-family:system-ui,sans-serif";
  const svg = drawn("svg", { viewBox: `0 0 1080 ${TOP + HIGH + 54}`, width: "100%", role: "img", "aria-label": alt });
  const menu = document.createElement("select");
  menu.style.cssText = "font-size:16px;padding:4px";
  for (const name of bugs) menu.append(new Option(name, name));
  const count = slider(1, seeds, 1, seeds);
  const button = document.createElement("button");
  button.type = "button";
  button.style.cssText = "font-size:16px;padding:6px 14px;cursor:pointer;align-self:end;min-width:190px";
  const box = document.createElement("div");
  box.style.cssText = "display:flex;gap:32px;padding:6px 24px;align-items:end;flex-wrap:wrap";
  captioned(box, "The network of", menu, "gap:2px");
  box.append(button);
  const counted = captioned(box, "", count, "gap:2px");
  const said = document.createElement("p");
  said.setAttribute("aria-live", "polite");
  said.style.cssText = "margin:8px 24px;font-size:16px;line-height:1.35;min-height:46px";
  root.append(svg, box, said);
  el.append(root);
  menu.addEventListener("change", () => {
    isShown = false;  // one guesses first
    draw();
  });
  button.addEventListener("click", () => {
    isShown = !isShown;
    draw();
  });
  count.addEventListener("input", draw);

  const points = losses[bugs[0]].with[0].length;
  const x = (i) => LEFT + (WIDE * (i + 1)) / points;
  const y = (loss) => {
    const share = Math.log(Math.min(Math.max(loss, LOW), MOST) / LOW) / Math.log(MOST / LOW);
    return TOP + HIGH * (1 - share);
  };

  function axes() {
    for (const value of [0.001, 0.01, 0.1, 1]) {
      svg.append(drawn("line", { x1: LEFT, x2: LEFT + WIDE, y1: y(value), y2: y(value), stroke: "var(--grid)" }));
      svg.append(drawn("text", { x: LEFT - 10, y: y(value) + 5, "font-size": 16, "text-anchor": "end", fill: "var(--ink)" },
        String(value)));
    }
    for (let i = -1; i < points; i += points / 3) {
      svg.append(drawn("text", { x: x(i), y: TOP + HIGH + 22, "font-size": 16, "text-anchor": "middle", fill: "var(--ink)" },
        String(Math.round((i + 1) * every))));
    }
    svg.append(drawn("text", { x: LEFT + WIDE / 2, y: TOP + HIGH + 46, "font-size": 16, "text-anchor": "middle",
      fill: "var(--ink)" }, "batches"));
    svg.append(drawn("text", { x: LEFT, y: TOP - 4, "font-size": 16, fill: "var(--ink)" }, "loss"));
    svg.append(drawn("line", { x1: LEFT, x2: LEFT + WIDE, y1: y(guessing), y2: y(guessing), stroke: "var(--ink)",
      "stroke-dasharray": "3 5" }));
    svg.append(drawn("text", { x: LEFT + WIDE, y: y(guessing) - 7, "font-size": 16, "text-anchor": "end",
      fill: "var(--ink)" }, "always the mean"));
  }

  function curves(runs, colour, dashes) {
    for (const run of runs) {
      const path = run.map((loss, i) => `${i ? "L" : "M"}${x(i).toFixed(1)},${y(loss).toFixed(1)}`).join("");
      svg.append(drawn("path", { d: path, fill: "none", stroke: colour, "stroke-width": 2, "stroke-opacity": 0.6,
        "stroke-dasharray": dashes }));
    }
    return median(runs.map((run) => run[run.length - 1]));
  }

  function draw() {
    const both = losses[menu.value], n = Number(count.value);
    svg.replaceChildren();
    axes();
    const without = curves(both.without.slice(0, n), RIGHT, "");
    let words = `${menu.value}, ${n === 1 ? "1 seed" : `${n} seeds`}. Without the bug (solid blue) the last loss is ` +
      `${without.toFixed(4)} in the median`;
    if (isShown) {
      const broken = curves(both.with.slice(0, n), BROKEN, "7 4");
      words += `; with it (dashed orange) ${broken.toFixed(4)}`;
    }
    button.textContent = isShown ? "Hide the bug's curves" : "Show the bug's curves";
    button.setAttribute("aria-pressed", String(isShown));
    counted.textContent = n === 1 ? "1 seed" : `${n} seeds`;
    said.textContent = `${words}.`;
  }
  draw();
  return themed(root);
}
