// Starts the deck. The explorers' own modules stand before this one, and have been drawn.

const controls = ".explorer, input, select, textarea, button, summary, a[href]";
const focused = () => document.activeElement?.closest(controls);

// Formulas and figures are measured while every slide is laid out: reveal.js hides all but a few.
await Promise.all([...document.fonts].map((font) => font.load()));
await MathJax.startup.promise;
for (const spoken of document.querySelectorAll("aside.notes mjx-assistive-mml")) spoken.remove();
await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
for (const image of document.querySelectorAll(".figure img")) {
  image.style.maxWidth = `min(100%, ${1.6 * image.naturalWidth}px)`;
  image.style.maxHeight = `min(100%, ${1.6 * image.naturalHeight}px)`;
}
// A sheet with one of these holds more than words.
const NO_WORDS = ".figure, .explorer, .html, pre:not(.answer)";
// What does not wrap.
const WIDE = "table, pre, mjx-container[display] > svg";
// The margins of a sheet: its right one, and the line at its foot with section and number.
const RIGHT = 1216, LOWEST = 684;
const endOf = (sheet) => {
  const { top } = sheet.getBoundingClientRect();
  const shown = [...sheet.querySelectorAll("*")].filter((part) => !part.closest("mjx-assistive-mml, .fragment.grows, .figure"));
  return Math.max(...shown.map((part) => part.getBoundingClientRect().bottom)) - top;
};
document.querySelectorAll(".sheet.alone").forEach(joinWords);
document.querySelectorAll(".sheet.alone").forEach(joinReading);
document.querySelectorAll(".sheet").forEach(unveil);
document.querySelectorAll(".sheet").forEach(choose);
document.querySelectorAll(".sheet .explorer").forEach(enlarge);
document.querySelectorAll(".sheet:not(.title)").forEach(fill);

const asked = new URLSearchParams(location.search);
if (asked.has("handout") || asked.has("print-pdf")) printed(asked.has("handout"));
else await present();

document.documentElement.classList.add("ready");

// A figure that stands alone after its words moves to them, where both are large enough: the question stays
// when the answer appears.
function joinWords(alone) {
  const section = alone.parentElement;
  const before = section.previousElementSibling;
  const words = before?.querySelector(".sheet");
  if (!words || words.matches(".title") || words.querySelector(NO_WORDS)) return;
  const figure = alone.querySelector(".figure");
  const joined = document.createElement("div");
  joined.className = "fragment grows";
  joined.append(figure);
  words.append(joined);
  if (bothAreLarge(words, joined, figure)) {
    merge(section, before);
    return;
  }
  joined.remove();
  alone.append(figure);
}

// A figure that is still alone takes the words that read it, from the next slide of its stack.
function joinReading(alone) {
  const section = alone.parentElement;
  const after = section.nextElementSibling;
  const words = after?.querySelector(":scope > .sheet");
  if (!words || words.querySelector(NO_WORDS)) return;
  const figure = alone.querySelector(".figure");
  const joined = document.createElement("div");
  joined.className = "fragment";
  const parts = [...words.children];
  joined.append(...parts.filter((part) => !part.matches(".again")));
  // Their heading says what to see: it stands above the figure, in the place of the one that was repeated.
  const again = alone.querySelector(".again");
  const repeated = [...again.children];
  const heading = joined.querySelector(".prose > :is(h2, h3):first-child");
  const from = heading?.parentElement;
  if (heading) again.replaceChildren(heading);
  again.classList.toggle("again", !heading);
  alone.append(joined);
  if (bothAreLarge(alone, figure, figure)) {
    alone.classList.remove("alone");
    merge(after, section);
    return;
  }
  joined.remove();
  from?.prepend(heading);
  again.replaceChildren(...repeated);
  again.classList.add("again");
  words.append(...parts);
  remind(words, figure);
}

// Words that read a figure, on a slide of their own: it was seen large before them, and stands small beside them.
function remind(words, figure) {
  const copy = figure.cloneNode(true);
  copy.classList.add("reminder");
  copy.ariaHidden = "true";
  copy.querySelector("img").alt = "";
  words.append(copy);
  for (const size of [1, 0.94, 0.88]) {
    words.style.fontSize = `${size}em`;
    if (scaleOf(words, "beside", copy, copy) >= 0.55) return;
  }
  copy.remove();
  words.classList.remove("beside");
  words.style.fontSize = "";
}

// How large a figure stands on a sheet whose words and figure are laid out like this, 1 its natural size; 0 where
// something does not fit: the sheet is too full, or a table reaches out of its column under the figure.
function scaleOf(sheet, layout, place, figure) {
  sheet.classList.toggle("beside", layout === "beside");
  const { naturalWidth: width, naturalHeight: height } = figure.querySelector("img");
  const room = place.getBoundingClientRect();
  const { left } = sheet.getBoundingClientRect();
  const column = layout === "beside" ? room.left - left - 24 : RIGHT;
  const isWide = [...sheet.querySelectorAll(WIDE)]
    .some((part) => !place.contains(part) && part.getBoundingClientRect().right - left > column + 1);
  if (isWide || sheet.scrollHeight > 720 || endOf(sheet) > LOWEST || sheet.scrollWidth > 1280) return 0;
  return Math.min(room.width / width, room.height / height);
}

// Whether a figure is large enough with words on a sheet, below or beside them; the sheet keeps what fits.
function bothAreLarge(sheet, place, figure) {
  if (["below", "beside"].some((layout) => scaleOf(sheet, layout, place, figure) >= 0.8)) return true;
  sheet.classList.remove("beside");
  return false;
}

// A figure with words of its slide, and no other, stands below or beside them: where it is clearly larger.
function choose(sheet) {
  const figures = sheet.querySelectorAll(".figure");
  const [figure] = figures;
  if (figures.length !== 1 || !figure.querySelector("img") || sheet.querySelector(".explorer, .html, pre, .reminder")) return;
  const place = figure.closest(".grows") ?? figure;
  const layouts = ["below", "beside"].map((layout) => scaleOf(sheet, layout, place, figure));
  sheet.classList.toggle("beside", layouts[1] > 1.15 * layouts[0]);
}

// Nobody looks at a heading and waits: what stands under one alone is there at once.
function unveil(sheet) {
  const shown = [...sheet.children].find((part) => !part.matches(".prose") || part.querySelector(":scope > :not(h1, h2, h3)"));
  if (shown?.matches(".fragment")) shown.classList.remove("fragment");
}

// An explorer is made for a notebook's page: the back row needs its words larger, where they fit.
function enlarge(explorer) {
  const sheet = explorer.closest(".sheet");
  const { top } = sheet.getBoundingClientRect();
  const most = explorer.querySelector("[data-gives-way]") ? 1.1 : 1;
  // The words around it, made for a slide of words, give way first.
  const sizes = [[1, [1.4, 1.3, 1.2, 1.1, 1]], [0.85, [1, 0.95, 0.9, 0.85]]];
  for (const [words, zoom] of sizes.flatMap(([words, zooms]) => zooms.map((zoom) => [words, zoom]))) {
    sheet.style.fontSize = `${words}em`;
    explorer.style.zoom = zoom;
    const room = LOWEST - (explorer.getBoundingClientRect().top - top);
    // One that can give way keeps within it, whatever is opened.
    explorer.style.setProperty("--room", `${Math.floor(room / zoom)}px`);
    if (explorer.getBoundingClientRect().height <= most * room && explorer.scrollWidth <= explorer.clientWidth + 1) break;
  }
  window.dispatchEvent(new Event("resize"));
  // A finger that drags a slider must not turn the slide.
  explorer.setAttribute("data-prevent-swipe", "");
}

// A slide that gave its content to another goes, and its notes with it.
function merge(section, into) {
  const notes = section.querySelector("aside.notes");
  if (notes) {
    notes.querySelector(".minutes")?.remove();
    const theirs = into.querySelector("aside.notes");
    if (theirs) theirs.append(...notes.childNodes);
    else into.append(notes);
  }
  section.remove();
}

// Words use the room they have: a slide that is nearly empty is set larger, one that is too full or too wide a
// little smaller. Headings keep their size.
function fill(sheet) {
  if (sheet.querySelector(".explorer, .reminder")) return;
  const { left } = sheet.getBoundingClientRect();
  const isWide = () => [...sheet.querySelectorAll(WIDE)].some((part) => part.getBoundingClientRect().right - left > RIGHT + 1
    || (part.matches("pre") && part.scrollWidth > part.clientWidth));
  const hasFigure = Boolean(sheet.querySelector(".figure"));
  const isFull = endOf(sheet) > 0.7 * 720;
  for (const scale of hasFigure || isFull ? [1, 0.94, 0.88, 0.82, 0.76, 0.72] : [1.3, 1.2, 1.1, 1, 0.94, 0.88, 0.82]) {
    sheet.style.fontSize = `${scale}em`;
    if (endOf(sheet) <= (isFull ? LOWEST : 630) && !isWide()) return;
  }
}

// On paper: a slide a page, everything shown; in a handout the notes stand below.
function printed(withNotes) {
  // reveal.js has its own rules for paper: without code, and with formulas in bold.
  for (const { cssRules, ownerNode } of [...document.styleSheets]) {
    const rules = [...cssRules].map((rule, i) => (/print/.test(rule.media?.mediaText) ? i : -1));
    for (const i of rules.filter((i) => i >= 0).reverse()) ownerNode.sheet.deleteRule(i);
  }
  if (!withNotes) {
    const size = "@page { size: 1280px 720px; margin: 0 }";
    document.head.append(Object.assign(document.createElement("style"), { textContent: size }));
  }
  const pages = document.createElement("main");
  pages.className = `reveal pages ${withNotes ? "handout" : "plain"}`;
  for (const sheet of document.querySelectorAll(".slides .sheet")) {
    const page = document.createElement("article");
    const notes = sheet.parentElement.querySelector("aside.notes");
    const frame = document.createElement("div");
    frame.className = "slides";
    frame.append(sheet);
    page.append(frame);
    if (withNotes && notes) page.append(notes);
    pages.append(page);
  }
  document.body.replaceChildren(pages);
}

async function present() {
  await Reveal.initialize({
    width: 1280,
    height: 720,
    margin: 0,
    center: false,
    hash: true,
    controls: false,
    slideNumber: "c/t",
    transition: "none",
    navigationMode: "linear",
    // An arrow key inside an explorer belongs to the explorer.
    keyboardCondition: () => !focused(),
    plugins: [RevealNotes],
  });

  Reveal.on("slidechanged", () => document.activeElement?.blur());

  // A presenter's remote sends PageDown wherever the focus is; Escape gives the keyboard back.
  document.addEventListener(
    "keydown",
    (event) => {
      if (!focused()) return;
      if (event.key === "PageDown") Reveal.next();
      else if (event.key === "PageUp") Reveal.prev();
      else if (event.key === "Escape") document.activeElement.blur();
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );

  const reveal = document.querySelector(".reveal");
  const strip = Object.assign(document.createElement("p"), { className: "strip", ariaHidden: "true" });
  const keys = Object.assign(document.createElement("p"), { className: "keys" });
  keys.setAttribute("role", "status");
  reveal.append(strip, keys);
  const sections = [...document.querySelectorAll(".sections a")]
    .map((link) => ({ place: Number(link.hash.slice(2)), heading: link.textContent }));
  const where = () => {
    const { h } = Reveal.getIndices();
    const begun = sections.filter(({ place }) => place <= h).length;
    strip.replaceChildren(
      ...sections.map((_, i) => Object.assign(document.createElement("i"), { className: i < begun ? "past" : "" })),
      begun ? sections[begun - 1].heading : "",
    );
  };
  where();
  Reveal.on("slidechanged", where);
  document.addEventListener("focusin", () => {
    keys.textContent = focused() ? "The keys move this experiment. Esc gives them back to the slides." : "";
  });
  document.addEventListener("focusout", () => { keys.textContent = ""; });
}
