"""The one drawing of the course's cells: a step, a chain, the way back, a step-through."""

from rnncourse.cells.back import Back
from rnncourse.cells.drawing import draw_cell, draw_chain
from rnncourse.cells.graph import CELLS
from rnncourse.cells.step_through import step_through

__all__ = ["CELLS", "Back", "draw_cell", "draw_chain", "step_through"]
