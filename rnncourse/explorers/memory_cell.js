// One memory cell over a sentence: three gates for each word, and what becomes of c and h. A gate can be taken
// away (it is 1 then), a goal for h is scored word by word, and every change can be undone.
const colours = {
  f: "var(--green)", i: "var(--amber)", o: "var(--purple)", candidate: "var(--sky)", memory: "var(--blue)",
  visible: "var(--orange)",
};

export function render({ model, el }) {
  const { words, candidates, presets, goal, alt } = model.get("data");
  const T = words.length;
  const names = { f: "forget gate f", i: "input gate i", o: "output gate o" };
  const gates = { f: Array(T).fill(0.5), i: Array(T).fill(0.5), o: Array(T).fill(0.5) };
  let chosen = -1; // -1: the sliders set all words
  let removed = { f: false, i: false, o: false };
  const undone = []; // what stood before each change, the newest last
  let standing = "";
  const NEAR = 0.02;

  const root = document.createElement("div");
  root.style.cssText =
    "font:16px/1.4 system-ui,sans-serif;max-width:1080px;padding:8px";
  el.append(root);
  const draw = (tag, parent, attributes, text) => {
    const part = drawn(tag, attributes, text);
    parent.append(part);
    return part;
  };

  // What becomes of the memory: c = f c + i candidate, h = o tanh(c).
  const gate = (name, t) => (removed[name] ? 1 : gates[name][t]);
  const run = () => {
    let c = 0;
    return words.map((_, t) => {
      c = gate("f", t) * c + gate("i", t) * candidates[t];
      return { c, h: gate("o", t) * Math.tanh(c) };
    });
  };
  const snapshot = () => JSON.stringify({ gates, removed });
  // A change is complete: what stood before it can be had back.
  const keep = () => {
    const now = snapshot();
    if (now !== standing) undone.push(standing);
    standing = now;
    update();
  };
  const undo = () => {
    if (!undone.length) return;
    standing = undone.pop();
    const before = JSON.parse(standing);
    removed = before.removed;
    Object.assign(gates, before.gates);
    update();
  };
  const show = (number) => (Math.abs(number) < 0.005 ? 0 : number).toFixed(2).replace("-", "−");
  const scored = (states) => {
    const off = states.map((s, t) => Math.abs(s.h - goal[t]));
    const met = off.filter((distance) => distance < NEAR).length;
    if (met === T) return `Goal met at all ${T} words.`;
    const worst = off.indexOf(Math.max(...off));
    return `Goal met at ${met} of ${T} words; farthest off at “${words[worst]}”, by ${show(off[worst])}.`;
  };

  const bar = make("div", root);
  bar.style.cssText = "display:flex;gap:14px;align-items:center;flex-wrap:wrap";
  const label = make("label", bar, { textContent: "Start from: " });
  const select = make("select", label);
  select.style.font = "inherit";
  presets.forEach((preset, k) => make("option", select, { value: String(k), textContent: preset.name }));

  const score = make("strong", bar);
  const back = make("button", bar, { type: "button", textContent: "Undo" });
  back.style.cssText = "font:inherit;padding:2px 12px;border-radius:6px;background:var(--faint);color:inherit";
  back.addEventListener("click", undo);

  const svg = draw("svg", root, { viewBox: "0 0 1060 330", width: "100%", role: "img", "aria-label": alt });
  svg.style.cssText = "display:block;max-height:345px";

  const row = make("div", root);
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", "Which word the sliders set");
  row.style.cssText = "display:flex;gap:6px;flex-wrap:wrap;align-items:center;margin:2px 0 6px";
  make("span", row, { textContent: "The sliders set:" });
  const buttons = [-1, ...words.keys()].map((t) => {
    const button = make("button", row, { type: "button", textContent: t < 0 ? "all words" : words[t] });
    button.style.cssText = "font:inherit;padding:2px 8px;border-radius:6px;background:var(--faint);color:inherit";
    button.addEventListener("click", () => {
      chosen = t;
      update();
    });
    return button;
  });

  const sliders = {};
  const panel = make("div", root);
  panel.style.cssText = "display:flex;gap:18px;flex-wrap:wrap";
  for (const gate of ["f", "i", "o"]) {
    const box = make("div", panel);
    box.style.cssText = `border-left:8px solid ${colours[gate]};padding-left:8px`;
    const holder = make("label", box);
    holder.style.cssText = "display:block";
    const text = make("span", holder);
    text.style.cssText = "display:block;min-width:240px";
    const input = make("input", holder, { type: "range", min: "0", max: "1", step: "0.05" });
    input.style.width = "240px";
    input.setAttribute("aria-label", names[gate]);
    input.addEventListener("input", () => {
      const value = Number(input.value);
      if (chosen < 0) gates[gate].fill(value);
      else gates[gate][chosen] = value;
      update();
    });
    input.addEventListener("change", keep);
    const taken = make("label", box);
    const away = make("input", taken, { type: "checkbox" });
    taken.append(" take it away (always 1)");
    away.addEventListener("change", () => {
      removed[gate] = away.checked;
      keep();
    });
    sliders[gate] = { input, text, away };
  }
  const live = make("p", root);
  live.setAttribute("aria-live", "polite");
  live.style.cssText = "margin:8px 0 0;min-height:2.8em";

  const left = 90;
  const width = (1060 - left) / T;
  const chart = (states) => {
    svg.replaceChildren();
    const top = 1.1 * Math.max(1, ...states.map((s) => Math.abs(s.c)));
    const y = (value) => 112 - (value / top) * 96;
    const x = (t) => left + (t + 0.5) * width;
    if (chosen >= 0)
      draw("rect", svg, { x: left + chosen * width, y: 4, width, height: 320, fill: "var(--faint)" });
    for (const value of [-1, 0, 1]) {
      draw("line", svg, { x1: left, x2: 1060, y1: y(value), y2: y(value), stroke: value ? "var(--grid)" : "var(--quiet)" });
      draw("text", svg, { x: left - 8, y: y(value) + 5, "text-anchor": "end", "font-size": 16 }, show(value));
    }
    words.forEach((word, t) => {
      const height = Math.abs(y(candidates[t]) - y(0));
      draw("rect", svg, {
        x: x(t) - width * 0.3, y: Math.min(y(0), y(candidates[t])), width: width * 0.6, height,
        fill: colours.candidate, opacity: 0.45,
      });
      draw("text", svg, { x: x(t), y: 232, "text-anchor": "middle", "font-size": 17 }, word);
      ["f", "i", "o"].forEach((name, k) => {
        const w = width * 0.2;
        const at = x(t) - 1.6 * w + k * 1.1 * w;
        draw("rect", svg, { x: at, y: 246, width: w, height: 70, fill: "var(--paper)", stroke: "var(--quiet)" });
        draw("rect", svg, {
          x: at, y: 316 - 70 * gate(name, t), width: w, height: 70 * gate(name, t), fill: colours[name],
        });
      });
    });
    for (const [key, colour, dash] of [["c", colours.memory, ""], ["h", colours.visible, "7 5"]]) {
      const points = states.map((s, t) => `${x(t)},${y(s[key])}`).join(" ");
      draw("polyline", svg, {
        points, fill: "none", stroke: colour, "stroke-width": 3, "stroke-dasharray": dash,
      });
      states.forEach((s, t) =>
        key === "c"
          ? draw("circle", svg, { cx: x(t), cy: y(s.c), r: 6, fill: colour })
          : draw("rect", svg, { x: x(t) - 5, y: y(s.h) - 5, width: 10, height: 10, fill: colour }),
      );
    }
    if (goal)
      goal.forEach((value, t) =>
        draw("rect", svg, {
          x: x(t) - 10, y: y(value) - 10, width: 20, height: 20, fill: "none", stroke: "var(--ink)", "stroke-width": 2,
        }),
      );
    draw("text", svg, { x: 4, y: 286, "font-size": 16 }, "f, i, o");
    const legend = [
      ["● memory c", colours.memory], ["■ visible h", colours.visible], ["▮ candidate", colours.candidate],
      ...(goal ? [["□ goal for h", "var(--ink)"]] : []),
    ];
    legend.forEach(([text, fill], k) => {
      const entry = draw("text", svg, { x: left + 6 + 130 * k, y: 18, "font-size": 16, "font-weight": 600 });
      draw("tspan", entry, { fill }, text.slice(0, 1));
      draw("tspan", entry, {}, text.slice(1));
    });
  };

  const update = () => {
    const states = run();
    score.textContent = goal ? scored(states) : "";
    back.setAttribute("aria-disabled", String(!undone.length));
    back.style.opacity = undone.length ? 1 : 0.45;
    buttons.forEach((button, k) => {
      const on = k - 1 === chosen;
      button.setAttribute("aria-pressed", String(on));
      button.style.border = on ? "3px solid var(--blue)" : "1px solid var(--quiet)";
    });
    const same = (gate) => gates[gate].every((value) => value === gates[gate][0]);
    for (const gate of ["f", "i", "o"]) {
      const { input, text, away } = sliders[gate];
      away.checked = removed[gate];
      const value = gates[gate][Math.max(chosen, 0)];
      input.value = String(value);
      const mixed = chosen < 0 && !same(gate);
      const said = mixed ? "differs from word to word" : show(value);
      text.textContent = `${names[gate]}: ${removed[gate] ? "1, taken away" : said}`;
    }
    chart(states);
    const t = chosen < 0 ? T - 1 : chosen;
    const before = t ? states[t - 1].c : 0;
    const end = `after “${words[T - 1]}”: c = ${show(states[T - 1].c)}, h = ${show(states[T - 1].h)}`;
    live.textContent =
      `At “${words[t]}”: c = ${show(gate("f", t))} · ${show(before)} + ${show(gate("i", t))} · ` +
      `${show(candidates[t])} = ${show(states[t].c)}, and the cell shows ` +
      `h = ${show(gate("o", t))} · tanh(${show(states[t].c)}) = ${show(states[t].h)}.` +
      (t < T - 1 ? ` At the end, ${end}.` : "") +
      (goal ? ` ${scored(states)}` : "");
  };
  select.addEventListener("change", () => {
    const preset = presets[Number(select.value)];
    for (const gate of ["f", "i", "o"]) gates[gate].fill(preset[gate]);
    keep();
  });
  for (const gate of ["f", "i", "o"]) gates[gate].fill(presets[0][gate]);
  standing = snapshot();
  update();
  return themed(root);
}
