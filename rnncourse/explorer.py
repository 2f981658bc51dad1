"""Live explorers: one small ES module each, shared by notebook and slides.

A module in `rnncourse/explorers/NAME.js` exports `render({model, el})`, as anywidget asks.
`explorer(NAME, data, alt)` shows it: with anywidget where a kernel runs, and inlined, without a
kernel or a network, in slides and saved pages.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from importlib.resources import files
from typing import Any

import anywidget
import traitlets


class Explorer(anywidget.AnyWidget):
    """An explorer as a widget; `data` is what its module reads with `model.get("data")`."""

    data = traitlets.Dict().tag(sync=True)

    def __init__(self, name: str, data: dict[str, Any], alt: str):
        self._source = source_of(name)
        self._name, self._alt = name, alt
        super().__init__(_esm=self._source, data={**data, "alt": alt})

    def static_html(self) -> str:
        """The explorer as a self-contained piece of HTML that needs neither kernel nor network."""
        return page(self._name, self._source, {**self.data}, self._alt)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return {"text/plain": self._alt, "text/html": self.static_html()}
        formats, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        formats = {**formats, "text/plain": self._alt, "text/html": self.static_html()}
        return formats, metadata


def source_of(*names: str) -> str:
    """Modules of `rnncourse/explorers/` as one, behind those that stand before every explorer."""
    folder = files("rnncourse").joinpath("explorers")
    return "\n".join(folder.joinpath(f"{name}.js").read_text("utf-8") for name in ("theme", "parts", *names))


def page(name: str, source: str, data: dict[str, Any], alt: str, before: str = "", twin: str = "") -> str:
    """A self-contained piece of a page that needs neither kernel nor network.

    Args:
        name: of the explorer.
        source: its module.
        data: what it reads with `model.get("data")`.
        alt: what it shows.
        before: a script that its module finds there.
        twin: HTML that stands there where no script runs; `render` finds it in its element, and clears it.
    """
    # A module's exports cannot be used inline: its `render` becomes a plain function.
    body = re.sub(r"\bexport\s+default\b[^;]*;", "", source)
    body = _inline(before + re.sub(r"\bexport\s+(?=(async\s+)?function|const|let)", "", body))
    inlined = _inline(json.dumps(data))
    # A page may show several explorers, and one twice: each script draws into its own figure.
    mark = hashlib.sha256(f"{name}{body}{inlined}".encode()).hexdigest()[:12]
    return (
        f'<figure class="explorer" role="group" aria-label="{html.escape(alt, quote=True)}">'
        f'<div class="explorer-root" data-explorer="{mark}">{twin}</div><script type="module">'
        f"{body}\n{{ const data = {inlined};"
        " const model = {get: (key) => (key === 'data' ? data : undefined),"
        " on() {}, off() {}, set() {}, save_changes() {}};"
        f" const el = document.querySelector('[data-explorer=\"{mark}\"]:not([data-shown])');"
        " if (el) { el.dataset.shown = 'yes'; render({model, el}); } }"
        "</script></figure>"
    )


def _inline(script: str) -> str:
    """A script or its data, fit to stand inside a `<script>` element whatever its strings hold."""
    return re.sub(r"<(?=!--|/?script)", r"\\x3C", script, flags=re.IGNORECASE)


def explorer(name: str, data: dict[str, Any], alt: str) -> Explorer:
    """Show the explorer `rnncourse/explorers/NAME.js`.

    Args:
        name: file name of the module, without `.js`.
        data: numbers and texts the module starts from (JSON: lists, not arrays).
        alt: what the explorer shows, for a person who cannot see it.
    """
    return Explorer(name, data, alt)
