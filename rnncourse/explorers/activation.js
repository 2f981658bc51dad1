// A text on grounds coloured by one cell's memory: which cell, and what it holds at which character. No kernel.

const BELOW = [86, 180, 233], ABOVE = [230, 159, 0], FRAME = "#D55E00";
const number = (v) => v.toFixed(2).replace("-", "−");
const named = (character) => ({ "\n": "the line's end", " ": "a blank" })[character] ?? `“${character}”`;

function ground(value) {
  const [r, g, b] = (value < 0 ? BELOW : ABOVE).map((c) => Math.round(255 + (c - 255) * Math.min(1, Math.abs(value))));
  return `rgb(${r},${g},${b})`;
}

export function render({ model, el }) {
  const { text, cells, top, alt } = model.get("data");
  const root = document.createElement("div");
  root.style.cssText = "max-width:1060px;font-family:system-ui,sans-serif;padding:4px 0";
  const bar = document.createElement("div");
  bar.style.cssText = "display:flex;flex-wrap:wrap;gap:8px 28px;align-items:center;padding:4px 16px;font-size:16px";
  const list = document.createElement("select"), place = slider(0, text.length - 1, 1, 0);
  const labelled = (words, control) => {
    const label = document.createElement("label");
    label.style.cssText = "display:flex;gap:8px;align-items:center";
    label.append(words, control);
    bar.append(label);
  };
  list.style.fontSize = "16px";
  for (const name of Object.keys(cells)) list.append(new Option(name, name));
  place.style.width = "420px";
  labelled("memory of", list);
  labelled("character", place);
  list.addEventListener("change", colour);
  place.addEventListener("input", say);

  const page = document.createElement("div");
  page.setAttribute("role", "img");
  page.setAttribute("aria-label", alt);
  page.style.cssText = "font:16px/1.38 ui-monospace,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere;" +
    "padding:6px 16px;margin:0;text-align:left";
  const letters = [...text].map((character, at) => {
    const span = document.createElement("span");
    span.textContent = character === "\n" ? "↵\n" : character;
    span.style.color = character === "\n" ? "#777" : "#111";
    span.addEventListener("pointerenter", () => { place.value = at; say(); });
    return span;
  });
  page.append(...letters);
  const said = document.createElement("p");
  said.setAttribute("aria-live", "polite");
  said.style.cssText = "margin:6px 16px;font-size:16px;line-height:1.35;min-height:44px";
  root.append(bar, page, said);
  el.append(root);
  let marked = letters[0];

  function colour() {
    cells[list.value].forEach((value, at) => { letters[at].style.background = ground(value); });
    say();
  }
  function say() {
    const at = Number(place.value), value = cells[list.value][at];
    marked.style.outline = "";
    marked = letters[at];
    marked.style.outline = `2px solid ${FRAME}`;
    place.setAttribute("aria-valuetext", `character ${at + 1} of ${text.length}, ${named(text[at])}`);
    const likely = top[at].map(([character, p]) => `${named(character)} ${number(p)}`).join(", ");
    said.textContent = `After character ${at + 1}, ${named(text[at])}: tanh of the memory of ${list.value} is ` +
      `${number(value)}. Likeliest next: ${likely}.`;
  }
  colour();
  return themed(root);
}
