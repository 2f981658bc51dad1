"""What the notebooks import beside numpy: figures with alt text, explorers, data.

Nothing here solves an exercise.
"""

from rnncourse.explorer import explorer
from rnncourse.figures import COLOURS, show

__all__ = ["COLOURS", "explorer", "show"]
