"""MathJax for pages that need no network: taken from a Python package, put into the page itself.

What students wrote is typeset too, so there is a strict form: the commands of plain formulas in MathJax's
safe mode, and nothing that links, styles or loads.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files

# Without `html` (\href, \class, \style), `require` and `autoload` (which would fetch it), `action`, `bbox`.
STRICT = {
    "tex": {
        "inlineMath": [["$", "$"], ["\\(", "\\)"]],
        "processEscapes": True,
        "tags": "ams",
        "packages": ["base", "ams", "boldsymbol", "cancel", "newcommand", "noerrors", "noundefined"],
    },
    "svg": {"fontCache": "local"},
    "options": {
        "enableMenu": False,
        "safeOptions": {"allow": {"URLs": "none", "classes": "none", "cssIDs": "none", "styles": "none"}},
    },
}
# What is wider than its place must be reached by the keyboard to be scrolled.
REACHABLE = """function reachable() {
  for (const one of document.querySelectorAll("pre, .wide, .explorer, p"))
    if (one.scrollWidth > one.clientWidth + 1) one.tabIndex = 0;
    else one.removeAttribute("tabindex");
}
window.addEventListener("load", () => MathJax.startup.promise.then(reachable));
window.addEventListener("resize", reachable);"""
NOTHING_ELSE = "connect-src 'none'; object-src 'none'; frame-src 'none'; base-uri 'none'; form-action 'none'"


def mathjax() -> str:
    """The text of MathJax, TeX to SVG, fit to stand inside a `<script>` element."""
    return embeddable(_file("tex-svg-full.js"))


def strict_mathjax() -> str:
    """MathJax with `STRICT`, as elements for a page's head; the page's policy lets no other script run."""
    script = strict_script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"script-src 'sha256-{digest}'; {NOTHING_ELSE}"
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<script>{script}</script>'


@cache
def strict_script() -> str:
    """MathJax with `STRICT`, fit to stand inside a `<script>` element; it starts when that one ends."""
    # The three belong together: a policy by hash is for whole scripts.
    settings = f"window.MathJax = {json.dumps(STRICT)};"
    return "\n".join((settings, REACHABLE, mathjax(), embeddable(_file("ui/safe.js"))))


def embeddable(script: str) -> str:
    """A script that ends no `<script>` element, whatever its strings hold."""
    return re.sub(r"<(?=!--|/?script)", r"\\x3C", script, flags=re.IGNORECASE)


def _file(name: str) -> str:
    return files("mathjax").joinpath("static", "mathjax", "es5", name).read_text("utf-8")
