"""How Sphinx makes the site; `scripts/make_site.py` lays out its sources and calls it."""

from __future__ import annotations

import html
import json
from importlib.resources import as_file, files
from pathlib import Path
from shutil import copyfile

from docutils import nodes

HERE = Path(__file__).parent
# What the script knows: the address, which explorers and decks there are.
ABOUT = json.loads((HERE / "about.json").read_text("utf-8"))

project = "Recurrent networks, gating and LSTM"
author = "The authors of the course"
copyright = "the authors of the course, MIT licence"
language = "en"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinxext.opengraph",
]
exclude_patterns = ["extra", "templates", "texts", "conf.py"]
# A formula that a page repeats keeps its number; a reader of a page looks for it there.
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type", "myst.xref_missing"]

myst_enable_extensions = ["dollarmath", "attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3
myst_dmath_double_inline = True
nb_execution_mode = "off"
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
add_module_names = False

UNSAID = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="All pages">',
    # A table's first corner heads nothing.
    '<th class="head"><p></p></th>': '<td class="head"></td>',
    '<aside class="toc-drawer': '<aside aria-label="This page" class="toc-drawer',
}

html_theme = "furo"
html_title = "RNNs, gating, LSTM"
html_baseurl = ABOUT["address"]
html_static_path = ["static"]
html_extra_path = ["extra"]
templates_path = ["templates"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_math_renderer = "as_written"
html_show_sphinx = False
html_show_search_summary = False  # it fetches the pages, which a browser refuses where they are files
html_copy_source = False
html_theme_options = {"sidebar_hide_name": False, "navigation_with_keys": False}
highlight_language = "text"
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

ogp_site_url = ABOUT["address"]
ogp_site_name = project
ogp_image = "_static/check.png"
ogp_image_alt = "A check that names the likely mistake, and folds three hints"
ogp_social_cards = {"enable": False}
ogp_enable_meta_description = True


def inline(translator, node: nodes.math) -> None:
    """A formula in a line, as it was written."""
    translator.body.append(f'<span class="math">\\({html.escape(node.astext())}\\)</span>')
    raise nodes.SkipNode


def displayed(translator, node: nodes.math_block) -> None:
    """A formula of its own, as it was written: Sphinx would put it into `split`, which takes no number."""
    translator.body.append(f'<div class="math">\\[{html.escape(node.astext())}\\]</div>')
    raise nodes.SkipNode


def add_mathjax(app, pagename, templatename, context, doctree) -> None:
    """MathJax on pages with formulas; it is large."""
    if 'class="math"' in (context.get("body") or ""):
        app.add_js_file("math.js", priority=300)
        app.add_js_file("mathjax.js", defer="defer", priority=301)


def copy_mathjax(app, _error) -> None:
    """MathJax itself, from a Python package: TeX to SVG, no fonts to load."""
    if app.builder.format == "html":
        with as_file(files("mathjax") / "static" / "mathjax" / "es5" / "tex-svg-full.js") as path:
            copyfile(path, Path(app.outdir, "_static", "mathjax.js"))


def name_the_parts(app, _error) -> None:
    """Say what Sphinx and Furo leave unsaid to a screen reader."""
    for path in Path(app.outdir).rglob("*.html"):
        if path.is_relative_to(app.outdir / "slides") or path.is_relative_to(app.outdir / "embed"):
            continue
        text = path.read_text("utf-8")
        for said, better in UNSAID.items():
            text = text.replace(said, better)
        path.write_text(text, "utf-8")


def setup(app) -> None:
    """Say to Sphinx what is ours."""
    app.add_html_math_renderer("as_written", (inline, None), (displayed, None))
    app.connect("html-page-context", add_mathjax)
    app.connect("build-finished", copy_mathjax)
    app.connect("build-finished", name_the_parts)
