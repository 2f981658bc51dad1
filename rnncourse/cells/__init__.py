"""The one drawing of the course's cells: a step, a chain, and both with the arrows turned round."""

from rnncourse.cells.drawing import Back, Drawing, draw_cell, draw_chain
from rnncourse.cells.graph import CELLS

__all__ = ["CELLS", "Back", "Drawing", "draw_cell", "draw_chain"]
