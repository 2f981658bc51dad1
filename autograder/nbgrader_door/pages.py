"""What nbgrader shows as pages: its feedback by a template of ours, formgrader's page with a MathJax of ours.

Both hold their MathJax, which can typeset formulas and nothing else. A feedback page's policy forbids every
other script; formgrader's own scripts have to run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader.handlers import (
    FormgraderHandler,
    default_handlers,
    template_path,
)
from tornado import web

from autograder.release.slides import highlighted
from autograder.release.solved_page import accessible, page_style
from autograder.report.mathjax import strict_mathjax, strict_script

TEMPLATES = Path(__file__).with_name("feedback_page")
# Where formgrader looks for its templates: first in `formgrade/` of ours, because nbconvert's asks another
# server for MathJax, and formgrader's script stops where that does not answer.
FORMGRADER_TEMPLATES = [str(Path(__file__).with_name("formgrader_page")), template_path]
# What a student wrote is broken where it is too wide, not scrolled.
WRAPPED = "pre { white-space: pre-wrap; overflow-wrap: anywhere; }\n.anchor-link { display: none; }\n"


class FeedbackPage(HTMLExporter):
    """nbgrader's feedback page without a network."""

    def _create_environment(self) -> Any:
        self.template_paths = [str(TEMPLATES), *self.template_paths]
        environment = super()._create_environment()
        environment.globals.update(strict_mathjax=strict_mathjax, page_style=page_style() + WRAPPED)
        environment.filters.update(highlighted=highlighted, accessible=accessible)
        return environment


# Formgrader waits for the MathJax of ten years ago before it selects the first comment.
FORMGRADER_WAITS = """MathJax.Hub = {Startup: {signal: {
  Interest: (tell) => MathJax.startup.promise.then(() => tell("End")),
}}};"""


def formgraders_mathjax(page: str) -> str:
    """A page's text with a strict MathJax before it; a filter for `formgrader_page/`."""
    return f"<script>{strict_script()}\n{FORMGRADER_WAITS}</script>{page}"


class OneCourse(FormgraderHandler):
    """Formgrader's first page, of the configured course alone.

    nbgrader's takes a folder from the address (`?path=`) and runs the configuration that lies there: whoever
    has the instructor click a link could have anything run.
    """

    @web.authenticated
    def get(self) -> None:
        """Go on to the assignments; of another course's folder say where it is shown."""
        path, root = self.get_argument("path", ""), self.coursedir.root
        if path and Path(path).resolve() != Path(root).resolve():
            raise web.HTTPError(
                400,
                f"this server shows the course in {root}; start one with the other course's configuration",
            )
        self.redirect(f"{self.base_url}/formgrader/manage_assignments")


def show_one_course() -> None:
    """Let the server that reads this configuration show its course, whatever folder an address names."""
    for place, (pattern, handler, *more) in enumerate(default_handlers):
        if handler is FormgraderHandler:
            default_handlers[place] = (pattern, OneCourse, *more)
