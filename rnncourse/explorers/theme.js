// Light or dark, as the page around an explorer is, now and when that changes: `dark` is among the root's classes.
// It stands before every explorer.

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
