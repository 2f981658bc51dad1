"""Execute a master's solved notebook in this process, cell by cell, with the time of each.

    python scripts/try_master.py 04_gating [--figures DIR]

Every cell runs as in the solved notebook, but what needs the data file beside one (`LEFT_OUT`); the last
value of a cell is printed, figures are written as SVG to DIR.
"""

import argparse
import ast
import sys
import time
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
ROOT = Path(__file__).resolve().parents[1]
# And the cells that ask: `guess`, `recall`.
LEFT_OUT = ("check", "hint", "mended", "progress", "reveal", "show_derivation")
sys.path.insert(0, str(ROOT))

from autograder.course.masters import read_master  # noqa: E402
from autograder.course.questions import ASKING  # noqa: E402
from rnncourse.figures import ShownFigure  # noqa: E402


def main() -> None:
    """Run one master from top to bottom."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--figures", type=Path)
    arguments = parser.parse_args()
    master = read_master(ROOT / "solutions" / arguments.name)
    namespace = {"__name__": "__main__"}
    started = time.perf_counter()
    for cell in master.cells:
        if cell.kind != "code" or cell.role in ("check", *ASKING):
            continue
        before = time.perf_counter()
        tree = ast.parse(cell.source)
        last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1:][0], ast.Expr) else None
        exec(compile(tree, f"<cell {cell.number}>", "exec"), namespace)
        namespace |= dict.fromkeys(LEFT_OUT, lambda *_: None)
        value = eval(compile(last, f"<cell {cell.number}>", "eval"), namespace) if last else None
        if value is not None:
            print(f"[cell {cell.number}] {value!r}")
        if isinstance(value, ShownFigure) and arguments.figures:
            arguments.figures.mkdir(parents=True, exist_ok=True)
            value.save(arguments.figures / f"{master.name}_cell{cell.number}.svg")
        if time.perf_counter() - before > 1:
            print(f"[cell {cell.number}] took {time.perf_counter() - before:.1f} s")
    print(f"{master.name}: {len(master.cells)} cells in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
