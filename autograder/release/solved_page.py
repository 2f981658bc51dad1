"""The solved page: an executed notebook as one file to read, for the instructor; it needs no network.

Knows nothing of exercises or marks, and executes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import jinja2
from pygments.formatters import HtmlFormatter

from autograder.course.masters import BEGIN_SCHEME, END_SCHEME
from autograder.release.slides import CODE_STYLES, highlighted, output_parts, rendered
from autograder.report.mathjax import REACHABLE, mathjax

BESIDE_WORDS = re.compile(r"<[^>]+>|&\w+;|\W")
# Less may stand in an output by chance.
FEW_LETTERS = 20
HEAD_OF_NOTHING = re.compile(r"<th(?: [^>]*)?>\s*</th>")


def solved_page(title: str, executed: Any) -> str:
    """The page of an executed solved notebook, with solutions, mark schemes and the lecturer's notes."""
    folder = files("autograder.release").joinpath("page")
    return jinja2.Template(folder.joinpath("solved.html.j2").read_text("utf-8")).render(
        title=title,
        parts=list(_parts(executed)),
        style=page_style(),
        mathjax=mathjax(),
        reachable=REACHABLE,
    )


def page_style() -> str:
    """The looks of a page of cells, the colours of code among them."""
    looks = files("autograder.report").joinpath("templates", "notebook.css").read_text("utf-8")
    rules = HtmlFormatter(style=CODE_STYLES["light"]).get_style_defs(".highlight").splitlines()
    return "\n".join([looks, *(rule for rule in rules if rule.startswith(".highlight ."))])


def accessible(page: str) -> str:
    """A piece of a page where a table's empty corner heads nothing, and a wide table scrolls by itself."""
    page = HEAD_OF_NOTHING.sub("<td></td>", page)
    return page.replace("<table", '<div class="wide"><table').replace("</table>", "</table></div>")


def _parts(executed: Any) -> Iterator[str]:
    told = ""
    for cell in executed.cells:
        if cell.cell_type == "markdown":
            text = cell.source.replace(BEGIN_SCHEME, "**Mark scheme**\n").replace(END_SCHEME, "")
            body = accessible(rendered(text))
            # An answered question has told its reason, which stands in the next cell once more.
            words = BESIDE_WORDS.sub("", body)
            if len(words) >= FEW_LETTERS and words in told:
                continue
            is_notes = cell.metadata.get("slideshow", {}).get("slide_type") == "notes"
            yield f'<div class="notes" data-is="Notes for the lecture">{body}</div>' if is_notes else body
        elif cell.cell_type == "code":
            yield f'<pre class="source highlight">{highlighted(cell.source)}</pre>'
            shown = [part for output in cell.get("outputs", ()) for part in output_parts(output)]
            told = BESIDE_WORDS.sub("", "".join(shown)) or told
            yield from map(accessible, shown)
