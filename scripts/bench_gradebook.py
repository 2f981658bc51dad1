"""How long the gradebook takes for an open course's marks: SQLite and PostgreSQL, side by side in one run.

    python scripts/bench_gradebook.py --students 100000

The records are those of one notebook's sample class, graded once and repeated under other names. Both
databases are written twice: rows that are new, then the same marks again, as a regrade does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "scripts"))

from postgresql import running  # noqa: E402
from sample_class import sample_class  # noqa: E402

from autograder.course.masters import read_master  # noqa: E402
from autograder.errors import Ungradable  # noqa: E402
from autograder.grading.grade import Grader  # noqa: E402
from autograder.nbgrader_door.gradebook import write_marks  # noqa: E402
from autograder.record import Record  # noqa: E402

NOTEBOOK = "06_lstm_backward"


def some_records(folder: Path) -> list[Record]:
    """The records of a sample class's submissions that can be graded."""
    found = []
    with Grader(folder, "a key for the bench") as grader:
        for student, content in sample_class(read_master(folder)).items():
            try:
                found.append(grader.grade(content).record(student))
            except Ungradable:
                continue
    return found


def seconds_to_write(url: str, home: Path, folder: Path, records: list[Record], students: int) -> float:
    """Seconds by the clock to write the marks of so many students."""
    named = (
        replace(record, student=f"s{n:07d}") for n, record in enumerate(islice(cycle(records), students))
    )
    begin = time.perf_counter()
    write_marks(url, home, folder, named)
    return time.perf_counter() - begin


def main() -> None:
    """Write marks into both databases and print how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--students", type=int, default=20_000)
    students = parser.parse_args().students
    folder = ROOT / "solutions" / NOTEBOOK
    records = some_records(folder)
    with tempfile.TemporaryDirectory() as place, running() as server:
        home = Path(place)
        urls = {"SQLite": f"sqlite:///{home / 'gradebook.db'}", "PostgreSQL": server}
        took: dict[str, list[float]] = {name: [] for name in urls}
        for _ in ("new", "again"):
            for name, url in urls.items():
                took[name].append(seconds_to_write(url, home, folder, records, students))
    for turn, words in enumerate(("written", "written again")):
        here, there = took["SQLite"][turn], took["PostgreSQL"][turn]
        ratio = there / here
        print(
            f"{students} students {words}: SQLite {here:.1f} s, PostgreSQL {there:.1f} s, {ratio:.2f} times"
        )


if __name__ == "__main__":
    main()
