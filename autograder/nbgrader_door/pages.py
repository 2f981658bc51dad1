"""The pages that `nbgrader generate_feedback` writes, with a template of ours in place of nbgrader's.

A page holds its MathJax, which can typeset formulas and nothing else; its policy forbids every other script.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter

from autograder.release.slides import highlighted
from autograder.release.solved_page import accessible, page_style
from autograder.report.mathjax import strict_mathjax

TEMPLATES = Path(__file__).with_name("feedback_page")
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
