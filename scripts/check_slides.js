// Go to a slide and measure it, in the page: {h, v, width, height, HALF} -> {title, problems, used, holds}.
// `used` is how far down its content reaches at the deck's own size of letters, 1 the whole height; `holds` "a figure" where nothing but headings stands
// with it, "no figure" where there is none, and "" for every other slide.
async ({ h, v, width, height, HALF }) => {
  if (!document.getElementById("still")) {
    const still = "<style id=still>*, ::before, ::after { transition: none !important }</style>";
    document.head.insertAdjacentHTML("beforeend", still);
  }
  Reveal.slide(h, v, 999); // past the last fragment: everything is shown
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const sheet = Reveal.getCurrentSlide().querySelector(".sheet");
  const zoom = Reveal.getScale(); // lengths below are those of a slide, 1 as it was made
  const problems = [];
  const words = (text) => `“${text.trim().replace(/\s+/g, " ").slice(0, 50)}”`;
  const heading = sheet.querySelector("h1, h2, h3");
  const title = (heading ?? sheet).textContent.trim().replace(/\s+/g, " ").slice(0, 40);

  // Screen readers' copies of formulas and words that are only spoken take no room.
  const spoken = (element) => {
    if (element.closest("mjx-assistive-mml, script, style, defs")) return true;
    for (let e = element; e && e !== sheet; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (style.display === "none") return true;
      if (style.position === "absolute" && e.offsetWidth <= 2 && e.offsetHeight <= 2) return true;
    }
    return false;
  };

  const overlap = (a, b) =>
    Math.min(Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));

  // Ink: every piece of text and every picture or control.
  const ink = [];
  const texts = document.createTreeWalker(sheet, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (!text.data.trim() || spoken(text.parentElement)) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const box of range.getClientRects()) ink.push([box, words(text.data)]);
  }
  for (const element of sheet.querySelectorAll("img, svg, canvas, input, button, select, table, pre")) {
    if (!spoken(element)) {
      const name = element.getAttribute("alt") || element.textContent || element.tagName;
      const what = { IMG: "figure", svg: "drawing or formula" }[element.tagName] ?? element.tagName.toLowerCase();
      ink.push([element.getBoundingClientRect(), `${what} ${words(name)}`]);
    }
  }
  if (!ink.length) problems.push("the slide is empty");
  for (const { textContent: text } of sheet.querySelectorAll("pre.answer"))
    if (/^\s*\{['"]/.test(text)) problems.push(`shows a dict as Python prints it, no table: ${words(text)}`);
  const edges = {
    "below its lower edge": ([box]) => box.bottom - height,
    "over its right edge": ([box]) => box.right - width,
    "over its left edge": ([box]) => -box.left,
    "above its upper edge": ([box]) => -box.top,
  };
  for (const [edge, beyond] of Object.entries(edges)) {
    const worst = ink.filter(([box]) => box.width * box.height > 0)
      .reduce((a, b) => (a && beyond(a) >= beyond(b) ? a : b), undefined);
    if (worst && beyond(worst) > -6 * zoom) {
      problems.push(beyond(worst) > 0
        ? `${Math.ceil(beyond(worst))} px ${edge}: ${worst[1]}`
        : `too close to the slide's edge (${edge} but for ${Math.floor(-beyond(worst))} px): ${worst[1]}`);
    }
  }

  // The margins, too, are empty: at the right for whoever sits aside, at the foot for section and number.
  const slide = sheet.getBoundingClientRect();
  const foot = [...document.querySelectorAll(".strip, .slide-number")].map((line) => line.getBoundingClientRect());
  for (const [box, name] of ink) {
    if (!(box.width * box.height)) continue;
    const out = Math.round((box.right - slide.right) / zoom + 64);
    if (out > 12 && box.right <= width) problems.push(`${out} px into the right margin: ${name}`);
    if (foot.some((line) => overlap(box, line) > 1)) problems.push(`runs into the line at the foot: ${name}`);
  }
  // No words lie under a figure.
  const figureBoxes = [...sheet.querySelectorAll(".figure img")].map((image) => image.getBoundingClientRect());
  for (const [box, name] of ink) {
    if (!name.startsWith("figure") && figureBoxes.some((figure) => overlap(box, figure) > 2 * zoom)) {
      problems.push(`lies under a figure: ${name}`);
    }
  }

  for (const element of sheet.querySelectorAll("*")) {
    if (element.closest("svg, mjx-container") || spoken(element)) continue;
    const style = getComputedStyle(element);
    const cut = (side, size) => /auto|scroll|hidden|clip/.test(style[`overflow${side}`]) && size > 2;
    if (cut("X", element.scrollWidth - element.clientWidth)) {
      problems.push(`cut off at the right: ${element.tagName.toLowerCase()} ${words(element.textContent)}`);
    }
    if (cut("Y", element.scrollHeight - element.clientHeight)) {
      problems.push(`cut off below: ${element.tagName.toLowerCase()} ${words(element.textContent)}`);
    }
  }
  // Words that reach out of their column run under the figure beside them.
  for (const prose of sheet.querySelectorAll(".sheet.beside .prose")) {
    const column = prose.getBoundingClientRect();
    for (const formula of prose.querySelectorAll("mjx-container > svg")) {
      const beyond = formula.getBoundingClientRect().right - column.right;
      if (beyond > 2) {
        problems.push(`a formula is ${Math.ceil(beyond)} px wider than its column: ${words(formula.parentElement.textContent)}`);
      }
    }
  }
  for (const text of sheet.querySelectorAll(".explorer svg text")) {
    const inner = text.getBoundingClientRect(), outer = text.ownerSVGElement.getBoundingClientRect();
    const beyond = Math.max(outer.left - inner.left, inner.right - outer.right,
      outer.top - inner.top, inner.bottom - outer.bottom);
    if (inner.width && beyond > 3) problems.push(`a label is cut off by its drawing: ${words(text.textContent)}`);
  }
  // A figure that had to shrink is too small to read.
  for (const image of sheet.querySelectorAll(":not(.reminder) > img")) {
    const shown = image.getBoundingClientRect();
    const scale = Math.min(shown.width / image.naturalWidth, shown.height / image.naturalHeight) / zoom;
    if (scale < 0.7) {
      problems.push(`figure shrunk to ${Math.round(100 * scale)} %, too small to read: ${words(image.alt)}`);
    }
  }
  // Or one that stays small although there is room: it is neither as wide as its place nor as large as it may grow.
  const shownTo = Math.max(0, ...ink.map(([box]) => box.bottom)) / height;
  for (const image of sheet.querySelectorAll("img")) {
    const shown = image.getBoundingClientRect();
    const place = image.closest(".figure, .prose, .html") ?? sheet;
    const grown = shown.width / zoom / image.naturalWidth > 1.5 || shown.width > 0.9 * place.getBoundingClientRect().width;
    if (shownTo < HALF && shown.height < 0.4 * height && !grown) {
      problems.push(`a figure takes ${Math.round(100 * shown.height / height)} % of the height, and there is room: ${words(image.alt)}`);
    }
  }
  for (const part of sheet.querySelectorAll(".figure, .html")) {
    if (part.getBoundingClientRect().height < 40 * zoom) problems.push("no room is left for a figure or an output");
  }
  for (const error of sheet.querySelectorAll("[data-mjx-error], mjx-merror, [data-mml-node='merror']")) {
    problems.push(`formula: ${error.getAttribute("data-mjx-error") ?? error.textContent.slice(0, 80)}`);
  }
  if (/\$\$|\\tag\{/.test([...ink].map(([, text]) => text).join(" "))) problems.push("a formula was not typeset");
  for (const root of sheet.querySelectorAll(".explorer-root")) {
    if (!root.childElementCount) problems.push("an explorer drew nothing");
  }
  const figures = sheet.querySelectorAll(".figure, .explorer").length;
  const others = [...sheet.querySelectorAll(".prose > *, pre, .html")].filter((part) => !part.matches("h1, h2, h3"));
  // What to look at is said beside a picture, or asked under its repeated heading.
  if (figures && !sheet.querySelector(".prose > :not(h1, h2, h3), .fragment .prose, .builds")) {
    problems.push("a figure or an experiment, and no word that says what to see");
  }
  const alone = figures === 1 && sheet.querySelector(".figure img") && !others.length;
  const holds = alone ? "a figure" : figures || sheet.matches(".title, .contents") ? "" : "no figure";
  // Few words are set large: that hides how few they are.
  const { fontSize } = sheet.style;
  sheet.style.fontSize = "";
  const ends = [...sheet.querySelectorAll(".prose > *, pre, .html, .figure")].map((part) => part.getBoundingClientRect().bottom);
  sheet.style.fontSize = fontSize;
  return { title, problems, used: Math.max(0, ...ends) / height, holds };
}
