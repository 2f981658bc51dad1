"""What the notebooks import beside numpy: figures with alt text, explorers, claims, data.

Nothing here solves an exercise.
"""

from rnncourse.claims import claim
from rnncourse.course_text import course_code, course_text
from rnncourse.explorer import explorer
from rnncourse.figures import COLOURS, show, table

__all__ = ["COLOURS", "claim", "course_code", "course_text", "explorer", "show", "table"]
