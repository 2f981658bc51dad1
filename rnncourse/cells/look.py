"""How pictures of cells look: the colours of both themes, and the style of every part."""

from __future__ import annotations

# Light and dark, each with a contrast of 4.5 or more against its own paper.
THEMES = {
    "light": {
        "paper": "#ffffff", "ink": "#16181d", "quiet": "#565c66", "wire": "#3a3f47", "box": "#f3f5f8",
        "memory": "#0068a5", "visible": "#ad4300", "forget": "#00795a", "gate": "#00795a",
        "input": "#8a5a00", "output": "#94417a", "reset": "#94417a", "candidate": "#b03030",
    },
    "dark": {
        "paper": "#16181d", "ink": "#f2f3f5", "quiet": "#b4bac4", "wire": "#c9ced6", "box": "#262b33",
        "memory": "#6cbcf5", "visible": "#ff9d66", "forget": "#45cfa3", "gate": "#45cfa3",
        "input": "#eeb64a", "output": "#e6a2cd", "reset": "#e6a2cd", "candidate": "#ff9a9a",
    },
}  # fmt: skip
ROLES = ("memory", "visible", "forget", "gate", "input", "output", "reset", "candidate")

# `context-stroke` lets one arrowhead take the colour of each line.
TIP = (
    '<marker id="tip" viewBox="0 0 12 12" refX="11" refY="6" markerWidth="13" markerHeight="13" '
    'markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0.6 L12 6 L0 11.4 z"/></marker>'
)


def themes() -> dict[str, str]:
    """The colours of each theme, as declarations of variables."""
    return {
        theme: "".join(f"--{name}:{colour};" for name, colour in colours.items())
        for theme, colours in THEMES.items()
    }


def look() -> str:
    """The look of all parts; colours are variables."""
    roles = "".join(
        f".cell .node.{r}>rect,.cell .node.{r}>circle:first-child{{stroke:var(--{r})}}"
        f".cell .wire.{r} .line{{stroke:var(--{r})}}.cell .name.{r}{{fill:var(--{r})}}"
        for r in ROLES
    )
    return (
        ".cell text{font-family:'Segoe UI',system-ui,'DejaVu Sans',sans-serif;fill:var(--ink)}"
        ".cell .name,.cell .symbol,.cell .factor{font-family:'STIX Two Text','Cambria','DejaVu Serif',serif;"
        "font-style:italic}.cell .upright{font-style:normal}"
        ".cell .name{font-weight:600}.cell .small,.cell .word{fill:var(--quiet)}"
        ".cell .name,.cell .factor,.cell .small{paint-order:stroke;"
        "stroke:var(--paper);stroke-width:5;stroke-linejoin:round}"
        ".cell .box .small{stroke:none}"
        ".cell .value{font-variant-numeric:tabular-nums;paint-order:stroke;stroke:var(--paper);"
        "stroke-width:4;stroke-linejoin:round}.cell .node .value{stroke:none}"
        ".cell .halo{fill:none;stroke:var(--paper);stroke-width:10}"
        ".cell .line{fill:none;stroke:var(--wire);stroke-linejoin:round}"
        ".cell .dashed{stroke-dasharray:7 5}"
        ".cell .tip{fill:context-stroke}"
        ".cell .node>rect,.cell .node>circle:first-child{fill:var(--box);stroke:var(--ink);stroke-width:2.4}"
        ".cell path.sign{fill:none;stroke:var(--ink);stroke-width:2.6}"
        ".cell .inner{fill:var(--ink)}"
        ".cell .dot{fill:var(--wire)}.cell .joint circle{fill:var(--paper);stroke:var(--wire);stroke-width:2}"
        ".cell .joint path{stroke:var(--ink);stroke-width:2}"
        ".cell .seam{stroke:var(--quiet);stroke-width:1.4;stroke-dasharray:3 6}"
        ".cell .collector{fill:var(--box);stroke:var(--ink);stroke-width:2}"
    ) + roles
