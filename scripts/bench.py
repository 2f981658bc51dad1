"""Speed, as ratios in one run on the same submissions: our grader beside nbgrader.

    make bench ARGS="--notebooks 01_simple_rnn --submissions 40 --turns 2"

Every turn grades the same submissions of a notebook: with `nbgrader autograde` as it comes, with
`nbgrader autograde` and our grading, with `autograder grade`, and, where otter-grader is installed, with
`otter run`. Processor time counts, not the clock; what runs inside the sandbox is counted there, for it does
not show outside.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "scripts"))

from bench_cluster import bench_cluster  # noqa: E402
from bench_otter import otter_command, run_otter, write_tests  # noqa: E402
from sample_class import sample_class  # noqa: E402

from autograder.course.masters import read_master  # noqa: E402
from autograder.course.places import Places, course_key  # noqa: E402
from autograder.grading.classroom import keep_to_one_core  # noqa: E402
from autograder.grading.grade import Grader  # noqa: E402
from autograder.grading.plan import Plan, Planner  # noqa: E402
from autograder.grading.submission import read_cells  # noqa: E402
from autograder.release.build import build  # noqa: E402
from autograder.sandbox import Budget, Session  # noqa: E402
from autograder.sheets.drawn import fresh_sheets  # noqa: E402
from autograder.sheets.sheet import Sheet  # noqa: E402

BIN = Path(sys.executable).parent
# A short notebook, a long one, and one in PyTorch.
NOTEBOOKS = ("01_simple_rnn", "06_lstm_backward", "07_training")
# Enough to see what a second core brings behind the start-up.
JOBS_CLASS = 400

PLAIN_CONFIG = """
from autograder.nbgrader_door.database import put_tools_on_path
put_tools_on_path()
c = get_config()
c.CourseDirectory.root = {root!r}
c.CourseDirectory.source_directory = "build/source"
c.CourseDirectory.db_url = "sqlite:///" + {root!r} + "/plain.db"
c.Exchange.root = {root!r} + "/exchange"
"""


def make_course(folder: Path, count: int, notebook: str) -> list[bytes]:
    """A course with one notebook and a class; the submissions that are notebooks, repeated."""
    shutil.copytree(ROOT / "solutions" / notebook, folder / "solutions" / notebook)
    shutil.copy(ROOT / "solutions" / "common.py", folder / "solutions")
    shutil.copytree(ROOT / "rnncourse", folder / "rnncourse")
    master = build(folder / "solutions" / notebook, Places(folder))
    kinds = {s: c for s, c in sample_class(master).items() if s not in ("piet", "mallory")}
    contents = [list(kinds.values())[i % len(kinds)] for i in range(count)]
    for i, content in enumerate(contents):
        path = folder / "submitted" / f"student{i:04d}" / notebook / f"{notebook}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    return contents


def nbgrader(folder: Path, notebook: str, config: str) -> float:
    """CPU seconds of `nbgrader autograde` on the whole class, in a gradebook that knows nobody yet."""
    for old in (folder / "plain.db", folder / "gradebook.db"):
        old.unlink(missing_ok=True)
    for old in ("autograded", "release"):
        shutil.rmtree(folder / old, ignore_errors=True)
    (folder / "nbgrader_config.py").write_text(config)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([BIN / "nbgrader", "generate_assignment", notebook], cwd=folder, check=True, **quiet)
    before = children_seconds()
    subprocess.run([BIN / "nbgrader", "autograde", notebook], cwd=folder, check=True, **quiet)
    return children_seconds() - before


def otter(command: str, folder: Path) -> float:
    """CPU seconds of `otter run` on each submission of the class."""
    before = children_seconds()
    run_otter(command, sorted((folder / "submitted").rglob("*.ipynb")), folder / "tests.zip", folder)
    return children_seconds() - before


def children_seconds() -> float:
    """CPU seconds of all children of this process that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ours(folder: Path, notebook: str, contents: list[bytes]) -> tuple[float, float]:
    """CPU seconds of our grader on the same class: start-up, and the grading itself.

    On one core, as each of the processes that `autograder grade` starts.
    """
    started = time.process_time()
    with on_one_core(), Grader(folder / "solutions" / notebook, course_key(folder)) as grader:
        grader.warm()
        grader.grade(contents[0])
        start_up = time.process_time() - started
        before = time.process_time() + grader.reader.cpu_seconds()
        inside = 0.0
        for content in contents:
            card = grader.grade(content)
            card.record("student")
            inside += card.cpu_seconds
        return start_up, time.process_time() + grader.reader.cpu_seconds() - before + inside


@contextlib.contextmanager
def on_one_core() -> Iterator[None]:
    """For as long as this lasts, this process and those that it starts stay on one core."""
    cores = os.sched_getaffinity(0)
    keep_to_one_core(0)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def bare(folder: Path, notebook: str, contents: list[bytes]) -> float:
    """CPU seconds of the bare work: the cells run and the functions called on the same inputs, here."""
    master = read_master(folder / "solutions" / notebook)
    sheets, planner = fresh_sheets(master, "key"), Planner(master)
    plans = [planner.plan(read_cells(content)) for content in contents]
    before = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
        for plan in plans:
            _run_bare(plan, sheets)
    return time.process_time() - before


def _run_bare(plan: Plan, sheets: dict[str, Sheet]) -> None:
    namespace: dict = {"__name__": "__main__"}
    for cell in plan.sources:
        try:
            exec(compile(cell, "<cell>", "exec"), namespace)
        except Exception:
            continue
    for name, sheet in sheets.items():
        for case in sheet.cases:
            try:
                called = namespace[sheet.spec.tried_by or name]
                called(*copy.deepcopy(list(case.inputs.values())))
            except Exception:
                break


def spread(values: list[float], form: str) -> str:
    """Median and range."""
    low, high = (format(f(values), form) for f in (min, max))
    return f"{statistics.median(values):{form}} ({low} to {high})"


def sandboxed_config(folder: Path) -> str:
    """The course's own configuration, for the folder of the benchmark."""
    return (
        (ROOT / "nbgrader_config.py")
        .read_text()
        .replace(
            'ROOT = Path(__file__).resolve().parent if "__file__" in globals() else Path.cwd()',
            f"ROOT = Path({str(folder)!r})",
        )
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notebooks", nargs="*", default=NOTEBOOKS)
    parser.add_argument("--submissions", type=int, default=20)
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--sizes", default="", help="also grade classes of these sizes: 100,1000,10000")
    parser.add_argument("--cluster", action="store_true", help="instead: one Dask worker against two")
    arguments = parser.parse_args()
    if arguments.cluster:
        bench_cluster(arguments.turns)
        return
    for notebook in arguments.notebooks:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            contents = make_course(folder, arguments.submissions, notebook)
            compare_graders(folder, notebook, contents, arguments.turns)
            profile(folder, notebook, contents)
    with tempfile.TemporaryDirectory() as place:
        make_course(Path(place), JOBS_CLASS, NOTEBOOKS[0])
        compare_jobs(Path(place), NOTEBOOKS[0])
    for size in [int(s) for s in arguments.sizes.split(",") if s]:
        grow(size, NOTEBOOKS[0])


def compare_graders(folder: Path, notebook: str, contents: list[bytes], turns: int) -> None:
    """The ways of grading, in turn."""
    count = len(contents)
    rows: dict[str, list[float]] = {"nbgrader": [], "with ours": [], "ours": [], "bare": []}
    config = sandboxed_config(folder)
    # What stands in otter's tests are cases of exercises that return one array: notebook 01 has no others.
    otter_tool = otter_command() if notebook == NOTEBOOKS[0] else None
    if otter_tool:
        rows["otter"] = []
        write_tests(read_master(folder / "solutions" / notebook), course_key(folder), folder / "tests.zip")
    plain = PLAIN_CONFIG.format(root=str(folder))
    for turn in range(turns):
        rows["nbgrader"].append(nbgrader(folder, notebook, plain) / count)
        inside = ours(folder, notebook, contents)[1] / count
        with_ours = nbgrader(folder, notebook, config) / count
        rows["with ours"].append(with_ours + inside_only(folder, notebook, contents))
        rows["ours"].append(inside)
        rows["bare"].append(bare(folder, notebook, contents) / count)
        if otter_tool:
            rows["otter"].append(otter(otter_tool, folder) / count)
        print(
            f"turn {turn + 1}: " + ", ".join(f"{k} {v[-1] * 1e3:.1f} ms" for k, v in rows.items()), flush=True
        )
    print(f"\nCPU per submission, {count} submissions of {notebook}, {turns} turns, medians (ranges), in ms:")
    for label, values in rows.items():
        print(f"  {label:10s} {spread([v * 1e3 for v in values], '.1f')}")
    pairs = list(zip(rows["nbgrader"], rows["ours"], rows["with ours"], strict=True))
    # Most of the bars are of the short notebook.
    bars = (" (bar: 50, goal: 300)", " (bar: 4)", " (bar: 20, goal: 12)")
    alone, inside_nbgrader, beyond = bars if notebook == NOTEBOOKS[0] else (" (bar: 50)", "", "")
    print(f"autograder grade: {spread([a / b for a, b, _ in pairs], '.1f')} times less CPU{alone}")
    print(
        f"nbgrader with our grading: {spread([a / c for a, _, c in pairs], '.1f')} times less CPU"
        f"{inside_nbgrader}"
    )
    if otter_tool:
        ratios = [a / b for a, b in zip(rows["otter"], rows["ours"], strict=True)]
        print(f"`otter run` takes {spread(ratios, '.1f')} times the CPU of autograder grade")
    over = [(b - c) * 1e3 for b, c in zip(rows["ours"], rows["bare"], strict=True)]
    print(f"overhead over the bare run: {spread(over, '.1f')} ms{beyond}")


def profile(folder: Path, notebook: str, contents: list[bytes]) -> None:
    """Where the milliseconds go: outside and inside the sandbox, against the bare run of the same code."""
    kinds = list(dict.fromkeys(contents))
    with Grader(folder / "solutions" / notebook, course_key(folder)) as grader:
        for content in kinds:
            grader.grade(content)
        sessions: list[int] = []
        start = grader.sandbox.session

        def counted(cells: list[str], budget: Budget) -> Session:
            sessions.append(1)
            return start(cells, budget)

        grader.sandbox.session = counted  # type: ignore[method-assign]
        print("\nwhere the milliseconds go, a line for each kind of submission:")
        print("  score  processes  outside  inside  bare")
        for content in kinds:
            sessions.clear()
            before = time.process_time() + grader.reader.cpu_seconds()
            card = grader.grade(content)
            outside = (time.process_time() + grader.reader.cpu_seconds() - before) * 1e3
            score = card.record("student").score
            inside, alone = card.cpu_seconds * 1e3, bare(folder, notebook, [content]) * 1e3
            print(f"  {score:5.1f} {len(sessions):10d} {outside:8.1f} {inside:7.1f} {alone:5.1f}")


def inside_only(folder: Path, notebook: str, contents: list[bytes]) -> float:
    """CPU seconds a submission inside the sandbox, which nbgrader's process does not show."""
    with Grader(folder / "solutions" / notebook, course_key(folder)) as grader:
        return sum(grader.grade(content).cpu_seconds for content in contents) / len(contents)


def timed_grade(
    folder: Path, notebook: str, jobs: int, journal: Path, submitted: str = "submitted"
) -> tuple[float, int]:
    """Wall seconds and peak memory (kB, largest process) of one `autograder grade`."""
    command = [BIN / "autograder", "grade", notebook, "--jobs", str(jobs), "--journal", str(journal)]
    command += ["--submitted", submitted]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise RuntimeError("autograder grade failed")
    return time.perf_counter() - started, used.ru_maxrss


def compare_jobs(folder: Path, notebook: str) -> None:
    """One process against two on the same class, start-up taken off by a class of one."""
    first = min((folder / "submitted").iterdir())
    shutil.copytree(first, folder / "one" / first.name)
    one, two = _net(folder, notebook, 1), _net(folder, notebook, 2)
    print(f"two cores: {one / two:.2f} times one (bar: 1.8; clock, without start-up)")


def _net(folder: Path, notebook: str, jobs: int) -> float:
    seconds = {}
    for submitted in ("submitted", "one"):
        journal = folder / f"{submitted}{jobs}.journal"
        journal.unlink(missing_ok=True)
        seconds[submitted], _ = timed_grade(folder, notebook, jobs, journal, submitted)
    return seconds["submitted"] - seconds["one"]


def grow(size: int, notebook: str) -> None:
    """Time and memory of a class of this size."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_course(folder, size, notebook)
        seconds, memory = timed_grade(folder, notebook, 2, folder / "journal")
        print(f"{size} submissions: {seconds / size * 1e3:.1f} ms each, peak memory {memory / 1024:.0f} MB")


if __name__ == "__main__":
    main()
