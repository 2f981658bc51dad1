// Light or dark, as the page around an explorer is, now and when that changes: `dark` is among the root's classes.
// It stands before every explorer.

const PALETTE = `
  .themed { --ink:#222; --paper:#fff; --quiet:#5b5b5b; --grid:#d6d6d6; --faint:#f0f0f0; --blue:#0072b2; --orange:#d55e00;
    --green:#007a5a; --amber:#e69f00; --purple:#cc79a7; --sky:#56b4e9; color:var(--ink); background:var(--paper); }
  .themed.dark { --ink:#f2f3f5; --paper:#16181d; --quiet:#b4bac4; --grid:#464c56; --faint:#2b313a; --blue:#6cbcf5; --orange:#ff8f52;
    --green:#45cfa3; --amber:#eeb64a; --purple:#e6a2cd; --sky:#8fd0ff; color-scheme:dark; border-radius:8px; padding:8px; }
  .themed :is(button, select) { font:inherit; color:inherit; }
  .themed svg { fill:var(--ink); } .themed :is(input, select, button):focus-visible { outline:3px solid var(--blue); outline-offset:2px; }`;

// The palette of both themes; what is moved by keys and fingers keeps them from JupyterLab and from a deck.
export function themed(root) {
  root.classList.add("themed");
  const style = document.createElement("style");
  style.textContent = PALETTE;
  root.prepend(style);
  for (const control of root.querySelectorAll("input, select, button")) {
    control.dataset.lmSuppressShortcuts = "true";
    control.dataset.preventSwipe = "";
  }
  return followPage(root);
}

export function followPage(root) {
  const tint = () => {
    const { jpThemeLight } = document.body.dataset; // JupyterLab says it
    let dark = jpThemeLight === "false";
    if (jpThemeLight === undefined) {
      const [r, g, b, a = 1] = (getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
      dark = a > 0 && 0.3 * r + 0.6 * g + 0.1 * b < 90;
    }
    root.classList.toggle("dark", dark);
  };
  const soon = () => requestAnimationFrame(tint);
  const looks = new MutationObserver(soon);
  for (const element of [document.body, document.documentElement])
    looks.observe(element, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-theme", "class"] });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", soon);
  tint();
  return () => {
    looks.disconnect();
    system.removeEventListener("change", soon);
  };
}
