"""The pages that `nbgrader generate_feedback` writes: nbgrader's, but for where their MathJax comes from.

A page holds its MathJax, which can typeset formulas and nothing else; its policy forbids every other script.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter

from autograder.report.mathjax import strict_mathjax

TEMPLATES = Path(__file__).with_name("feedback_page")


class FeedbackPage(HTMLExporter):
    """nbgrader's feedback page without a network."""

    def _create_environment(self) -> Any:
        self.template_paths = [str(TEMPLATES), *self.template_paths]
        environment = super()._create_environment()
        environment.globals["strict_mathjax"] = strict_mathjax
        return environment
