// Starts the deck. The explorers' own modules stand before this one, and have been drawn.

const controls = ".explorer, input, select, textarea, button, summary, a[href]";
const focused = () => document.activeElement?.closest(controls);

// Formulas and figures are measured while every slide is laid out: reveal.js hides all but a few.
await MathJax.startup.promise;
for (const spoken of document.querySelectorAll("aside.notes mjx-assistive-mml")) spoken.remove();
await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
for (const image of document.querySelectorAll(".figure img")) {
  image.style.maxWidth = `min(100%, ${1.6 * image.naturalWidth}px)`;
  image.style.maxHeight = `min(100%, ${1.6 * image.naturalHeight}px)`;
}
// An explorer is made for a notebook's page: the back row needs its words larger, where they fit.
for (const explorer of document.querySelectorAll(".sheet .explorer")) {
  const sheet = explorer.closest(".sheet");
  for (const zoom of [1.4, 1.3, 1.2, 1.1, 1]) {
    explorer.style.zoom = zoom;
    const fits = sheet.scrollHeight <= 720 && explorer.scrollWidth <= explorer.clientWidth + 1;
    if (fits) break;
  }
}

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

document.documentElement.classList.add("ready");
