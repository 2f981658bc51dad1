// What a page of the site does: wide things can be scrolled by keyboard, folds open for print, an explorer's
// line to embed it has this site's address.

function reachable() {
  for (const one of document.querySelectorAll("div.math, .math-wrapper, mjx-container, pre, .table-wrapper, .output, .explorer")) {
    const style = getComputedStyle(one);
    const scrolls = one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(style.overflowX);
    if (!scrolls) {
      if (one.dataset.reachable) one.removeAttribute("tabindex");
      continue;
    }
    one.dataset.reachable = "yes";
    one.tabIndex = 0;
    if (!one.hasAttribute("role") && one.tagName !== "PRE") {
      one.setAttribute("role", "group");
      one.setAttribute("aria-label", one.matches(".math") ? "wide formula" : "wide content");
    }
  }
}

for (const event of ["load", "resize"]) window.addEventListener(event, reachable);
document.addEventListener("typeset", reachable);
document.addEventListener("toggle", reachable, true);

window.addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("main details, article details")) fold.open = true;
});

for (const line of document.querySelectorAll("[data-embed]")) {
  const address = new URL(line.dataset.embed, location).href;
  line.textContent = line.textContent.replace(line.dataset.embed, address);
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy the line";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(line.textContent.trim());
    button.textContent = "Copied";
  });
  line.closest("div, pre").after(button);
}
