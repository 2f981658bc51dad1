"""Live explorers: one small ES module each, shared by notebook and slides.

A module in `rnncourse/explorers/NAME.js` exports `render({model, el})`, as anywidget asks.
`explorer(NAME, data, alt)` shows it: with anywidget where a kernel runs, and inlined, without a
kernel or a network, in slides and saved pages.
"""

from __future__ import annotations

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
        self._source = files("rnncourse").joinpath("explorers", f"{name}.js").read_text("utf-8")
        self._name, self._alt = name, alt
        super().__init__(_esm=self._source, data={**data, "alt": alt})

    def static_html(self) -> str:
        """The explorer as a self-contained piece of HTML that needs neither kernel nor network."""
        # A module's exports cannot be used inline: its `render` becomes a plain function.
        body = re.sub(r"\bexport\s+default\b[^;]*;", "", self._source)
        body = re.sub(r"\bexport\s+(?=(async\s+)?function|const|let)", "", body)
        data = json.dumps({**self.data}).replace("</", "<\\/")
        return (
            f'<figure class="explorer" role="group" aria-label="{html.escape(self._alt, quote=True)}">'
            '<div class="explorer-root"></div><script type="module">'
            f"const data = {data};"
            "const model = {get: (key) => (key === 'data' ? data : undefined),"
            " on() {}, set() {}, save_changes() {}};"
            f"{body}\n"
            "for (const el of document.querySelectorAll("
            f"'.explorer-root:not([data-shown])')) {{ el.dataset.shown = '{self._name}';"
            " render({model, el}); break; }"
            "</script></figure>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return {"text/plain": self._alt, "text/html": self.static_html()}
        formats, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        formats = {**formats, "text/plain": self._alt, "text/html": self.static_html()}
        return formats, metadata


def explorer(name: str, data: dict[str, Any], alt: str) -> Explorer:
    """Show the explorer `rnncourse/explorers/NAME.js`.

    Args:
        name: file name of the module, without `.js`.
        data: numbers and texts the module starts from (JSON: lists, not arrays).
        alt: what the explorer shows, for a person who cannot see it.
    """
    return Explorer(name, data, alt)
