// One number that is multiplied by one factor at a 0 and by another at a 1: what does its sign say? No kernel.

const EVEN = "var(--blue)", ODD = "var(--orange)";
const LEFT = 90, WIDE = 940, TOP = 20, HALF = 95, FAINT = 0.05;

const number = (v) => (Math.abs(v) < 0.005 ? 0 : v).toFixed(2).replace("-", "−");

export function render({ model, el }) {
  const { bits, at_0: start0, at_1: start1, alt } = model.get("data");
  const root = document.createElement("div");
  root.style.cssText = "max-width:1060px;font-family:system-ui,sans-serif";
  const svg = drawn("svg", { viewBox: "0 0 1060 300", width: "100%", role: "img", "aria-label": alt });
  const box = document.createElement("div");
  box.style.cssText = "display:grid;grid-template-columns:repeat(2,1fr);gap:6px 28px;padding:8px 24px";
  const sliders = [start0, start1].map((value, bit) => {
    const input = slider(-1, 1, 0.05, value);
    input.addEventListener("input", draw);
    return { bit, input, text: captioned(box, "", input) };
  });
  const said = document.createElement("p");
  said.setAttribute("aria-live", "polite");
  said.style.cssText = "margin:8px 24px;font-size:16px;line-height:1.35;min-height:44px";
  root.append(svg, box, said);
  el.append(root);

  function draw() {
    const factors = sliders.map(({ input }) => Number(input.value));
    const middle = TOP + HALF, step = WIDE / bits.length;
    svg.replaceChildren();
    for (const v of [-1, 0, 1]) {
      const y = middle - v * HALF;
      svg.append(drawn("line", { x1: LEFT, x2: LEFT + WIDE, y1: y, y2: y, stroke: v ? "var(--grid)" : "var(--ink)" }));
      svg.append(drawn("text", { x: LEFT - 12, y: y + 5, "font-size": 16, "text-anchor": "end", fill: "var(--ink)" },
        String(v).replace("-", "−")));
    }
    let state = 1, odd = 0, right = 0;
    bits.forEach((bit, t) => {
      state *= factors[bit];
      odd ^= bit;
      const told = Math.abs(state) >= FAINT && state < 0 === Boolean(odd);
      right += told;
      const x = LEFT + t * step + step / 2, end = middle - state * HALF;
      svg.append(drawn("rect", { x: x - step / 3, width: (2 * step) / 3, y: Math.min(middle, end),
        height: Math.max(1, Math.abs(end - middle)), fill: state < 0 ? ODD : EVEN }));
      const below = TOP + 2 * HALF;
      for (const [dy, words] of [[28, bit], [50, odd ? "odd" : "even"], [72, told ? "✓" : "–"]])
        svg.append(drawn("text", { x, y: below + dy, "font-size": 16, "text-anchor": "middle", fill: "var(--ink)" },
          String(words)));
    });
    for (const [dy, words] of [[28, "bit"], [50, "ones"], [72, "told"]])
      svg.append(drawn("text", { x: LEFT - 12, y: TOP + 2 * HALF + dy, "font-size": 16, "text-anchor": "end",
        fill: "var(--ink)" }, words));
    for (const { bit, input, text } of sliders) {
      text.textContent = `factor at a ${bit}: ${number(Number(input.value))}`;
      input.setAttribute("aria-valuetext", `factor at a ${bit}, ${number(Number(input.value))}`);
    }
    said.textContent = `The state begins at 1 and ends at ${number(state)}. Above 0 it says even, below 0 odd: `
      + `right at ${right} of ${bits.length} bits. (Nearer to 0 than ${FAINT} counts as unreadable.)`;
  }

  draw();
  return themed(root);
}
