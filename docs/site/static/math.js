// What MathJax typesets, and how: the site's formulas alone, without menus that take the keyboard.
window.MathJax = {
  tex: { tags: "none" },
  svg: { fontCache: "local" },
  options: {
    enableMenu: false,
    ignoreHtmlClass: "content|page|mathjax_ignore",
    processHtmlClass: "math",
  },
  startup: {
    pageReady: () => MathJax.startup.defaultPageReady().then(() => document.dispatchEvent(new Event("typeset"))),
  },
};
