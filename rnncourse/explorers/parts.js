// Pieces that explorers are made of; they stand before every explorer, behind theme.js.

function filled(made, attributes, text) {
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// An element of HTML, and one of SVG.
export const element = (name, attributes = {}, text = undefined) => filled(document.createElement(name), attributes, text);
export const drawn = (name, attributes = {}, text = undefined) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, text);

// An element of HTML at the end of its parent: properties are JavaScript's, attributes HTML's.
export function make(tag, parent, properties = {}, attributes = {}) {
  const made = filled(Object.assign(document.createElement(tag), properties), attributes);
  parent.append(made);
  return made;
}

export function slider(min, max, step, value) {
  const input = element("input", { type: "range", min, max, step });
  input.value = value;
  return input;
}

// A control below its words, in a box; the words are given back, to be changed.
export function captioned(box, text, control, style = "") {
  const label = make("label", box, {}, { style: `display:flex;flex-direction:column;font-size:16px;${style}` });
  const words = make("span", label, { textContent: text });
  label.append(control);
  return words;
}

// Where a part is wider than its place, the keyboard must reach it to scroll; what is given back looks again.
export function scrollable(part) {
  const look = () => {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  };
  new ResizeObserver(look).observe(part);
  return look;
}
