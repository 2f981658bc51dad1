"""Live explorers: one small ES module each, shared by notebook, slides and site.

A module in `rnncourse/explorers/NAME.js` exports `render({model, el})`. `explorer(NAME, data, alt)` shows it
inlined, with its data: it needs neither kernel nor network, so it still moves after a restart and in a
notebook that is opened again. Where no script may run, in a notebook that is not trusted, a picture of its
first look stands there: `NAME.png` beside the module, taken by `make twins`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import re
from importlib.resources import files
from typing import Any

from PIL import Image

# What a picture of an explorer says of itself: of which piece of a page it was taken.
TAKEN_OF = "explorer"
STANDS_STILL = "This is a picture. To make it move, run this cell in the notebook, after the cells above it."


class Explorer:
    """An explorer as a page's piece: alive where its script may run, a picture where it may not.

    Args:
        name: file name of its module, without `.js`.
        data: what the module reads (JSON: lists, not arrays).
        alt: what it shows, for a person who cannot see it.
        modules: those that it needs before its own.
        before: a script that its module finds there.
        twin: HTML that stands there without a script; otherwise the picture beside its module.
    """

    def __init__(
        self,
        name: str,
        data: dict[str, Any],
        alt: str,
        *,
        modules: tuple[str, ...] = (),
        before: str = "",
        twin: str = "",
    ):
        self.name, self.data, self.alt = name, {**data, "alt": alt}, alt
        self.modules, self.before, self.twin = modules, before, twin

    def _repr_html_(self) -> str:
        source = source_of(*self.modules, self.name)
        return page(self.name, source, self.data, self.alt, self.before, self.twin)

    def __repr__(self) -> str:
        return f"[explorer: {self.alt}]"


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
        twin: HTML that stands there until the script runs; otherwise the picture beside the module.
    """
    # A module's exports cannot be used inline: its `render` becomes a plain function.
    body = re.sub(r"\bexport\s+default\b[^;]*;", "", source)
    body = _inline(before + re.sub(r"\bexport\s+(?=(async\s+)?function|const|let)", "", body))
    inlined = _inline(json.dumps(data))
    # A page may show several explorers, and one twice: each script draws into its own figure.
    alike = json.dumps(_rounded(data))
    mark = hashlib.sha256(f"{name}{body}{alike}".encode()).hexdigest()[:12]
    still = f'{twin or _picture(name, mark, alt)}<p class="twin"><em>{STANDS_STILL}</em></p>'
    return (
        f'<figure class="explorer" role="group" aria-label="{html.escape(alt, quote=True)}">'
        f'<div class="explorer-root" data-explorer="{mark}">{still}</div><script type="module">'
        f"{body}\n{{ const data = {inlined};"
        " const model = {get: (key) => (key === 'data' ? data : undefined),"
        " on() {}, off() {}, set() {}, save_changes() {}};"
        f" const el = document.querySelector('[data-explorer=\"{mark}\"]:not([data-shown])');"
        " if (el) { el.dataset.shown = 'yes'; el.replaceChildren(); render({model, el}); } }"
        "</script></figure>"
    )


def _picture(name: str, mark: str, alt: str) -> str:
    """The picture that was taken of this very piece; words where there is none, as with other data."""
    words = html.escape(alt, quote=True)
    path = files("rnncourse").joinpath("explorers", f"{name}.png")
    if path.is_file():
        picture = path.read_bytes()
        if Image.open(io.BytesIO(picture)).info.get(TAKEN_OF) == mark:
            data = base64.b64encode(picture).decode()
            source = f"data:image/png;base64,{data}"
            return f'<p class="twin"><img alt="{words}" style="max-width:100%" src="{source}"></p>'
    return f'<p class="twin">{words}</p>'


def _rounded(data: Any) -> Any:
    """Data without the digits in which processors, and right answers, differ: no picture shows them."""
    if isinstance(data, dict):
        return {key: _rounded(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_rounded(value) for value in data]
    return round(data, 6) + 0.0 if isinstance(data, float) else data


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
