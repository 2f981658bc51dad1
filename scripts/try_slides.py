"""Execute a master's solved notebook, build its deck, and check every slide of it.

    .venv/bin/python scripts/try_slides.py 04_gating [--shots DIR] [--again]

`check`, `guess` and the like answer nothing here. The executed notebook is kept in `build/try/`;
`--again` takes it as it is where only prose, order or slide metadata changed, and executes nothing whose
text is known.
"""

import argparse
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from check_slides import check_deck  # noqa: E402
from chromium import report  # noqa: E402

from autograder.course.masters import Master, read_master  # noqa: E402
from autograder.course.notebook import solved_notebook  # noqa: E402
from autograder.errors import CourseError  # noqa: E402
from autograder.release.slides import build_slides  # noqa: E402

SILENT = "import autograder as a; vars(a).update(dict.fromkeys(a.IN_A_NOTEBOOK, lambda *_, **__: None))"


def executed(master: Master, kept: Path, again: bool) -> nbformat.NotebookNode:
    """The solved notebook with its outputs: executed now, or as it was for code that is the same."""
    notebook = solved_notebook(master)
    if again and kept.is_file():
        before = nbformat.read(kept, as_version=4)
        outputs = {cell.source: cell.outputs for cell in before.cells if cell.cell_type == "code"}
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        if all(cell.source in outputs for cell in code):
            for cell in code:
                cell.outputs = outputs[cell.source]
            return notebook
        print("code has changed: executing it", flush=True)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(SILENT))
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True)
    client.execute(cwd=str(master.folder))
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                print(f"cell {number} failed: {output.ename}: {output.evalue}")
    del notebook.cells[0]
    kept.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, kept)
    return notebook


def main() -> int:
    """Try the deck named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("--shots", type=Path)
    parser.add_argument("--again", action="store_true")
    arguments = parser.parse_args()
    try:
        return try_deck(arguments.name, arguments.shots, arguments.again)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1


def try_deck(name: str, shots: Path | None, again: bool) -> int:
    """Execute, build and check one deck; 1 if there is anything to report.

    Raises:
        CourseError: the master or its lecture is wrong.
    """
    master = read_master(ROOT / "solutions" / name)
    notebook = executed(master, ROOT / "build" / "try" / f"{master.name}.ipynb", again)
    deck = build_slides(notebook, ROOT / "build" / "slides" / f"{master.name}.html", master.title)
    print(f"{deck} ({deck.stat().st_size / 1e6:.1f} MB)", flush=True)
    return 1 if report(check_deck, [deck], shots) else 0


if __name__ == "__main__":
    sys.exit(main())
