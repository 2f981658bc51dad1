"""A Dask cluster of this machine's processes, one worker against two, on the same class of one notebook.

    make bench ARGS="--cluster"

The clock counts, with start-up taken off: the same command is given again when all is graded. Processor time
of each part (client, scheduler, workers) is printed with it, and what a million submissions would need.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import distributed
import psutil
from server import free_port

NOTEBOOK = "06_lstm_backward"
SUBMISSIONS = 200
BAR = 1.8
MILLION = 1_000_000


@contextlib.contextmanager
def started(words: Sequence[str], folder: Path) -> Iterator[psutil.Process]:
    """A command in a session of its own, killed with its children at the end."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-m", *words], cwd=folder, start_new_session=True, **quiet)
    try:
        yield psutil.Process(process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    """CPU seconds of processes and all that they started, ended or not."""
    total = 0.0
    for process in processes:
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total


def graded(folder: Path, journal: Path, address: str) -> tuple[float, float]:
    """Grade the class on the cluster: seconds by the clock, and CPU seconds of the one who asks."""
    words = ["autograder", "grade", NOTEBOOK, "--scheduler", address, "--journal", str(journal)]
    begin = time.perf_counter()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-m", *words], cwd=folder, **quiet)
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        said = process.stderr.read().decode() if process.stderr else ""
        raise RuntimeError(f"`autograder grade --scheduler` failed: {said[-2000:]}")
    return time.perf_counter() - begin, used.ru_utime + used.ru_stime


def compare_machines(folder: Path, turns: int) -> None:
    """Grade a class on one worker and on two, in turn; print the ratio and the costs.

    Args:
        folder: a course whose class of `NOTEBOOK` holds `SUBMISSIONS` files.
        turns: how often each is measured.

    Raises:
        RuntimeError: the records of one worker and of two are not equal to the byte.
    """
    address = f"tcp://127.0.0.1:{free_port()}"
    scheduler = [
        "distributed.cli.dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        address.rpartition(":")[2],
    ]
    worker = ["autograder", "worker", address, "--jobs", "1"]
    clock: dict[int, list[float]] = {1: [], 2: []}
    costs: dict[str, list[float]] = {"client": [], "scheduler": [], "workers": []}
    journals = set()
    with contextlib.ExitStack() as stack:
        hub = stack.enter_context(started([*scheduler, "--no-dashboard"], folder))
        for turn in range(turns):
            for count, seconds in clock.items():
                with contextlib.ExitStack() as machines:
                    hands = [machines.enter_context(started(worker, folder)) for _ in range(count)]
                    with distributed.Client(address, set_as_default=False, timeout=60) as client:
                        client.wait_for_workers(count, timeout=60)
                    graded(folder, folder / "warm.journal", address)  # a warm sandbox in each
                    (folder / "warm.journal").unlink()
                    journal = folder / f"{turn}.{count}.journal"
                    before = cpu_seconds(hands), cpu_seconds([hub])
                    whole, cpu = graded(folder, journal, address)
                    after = cpu_seconds(hands), cpu_seconds([hub])
                    again, start_up = graded(folder, journal, address)
                seconds.append(whole - again)
                costs["client"].append((cpu - start_up) / SUBMISSIONS)
                costs["workers"].append((after[0] - before[0]) / SUBMISSIONS)
                costs["scheduler"].append((after[1] - before[1]) / SUBMISSIONS)
                journals.add(journal.read_bytes())
    if len(journals) != 1:
        raise RuntimeError("one worker and two do not give the same records")
    ratios = [one / two for one, two in zip(clock[1], clock[2], strict=True)]
    print(f"\n{SUBMISSIONS} submissions of {NOTEBOOK} on a Dask cluster, {turns} turns, records equal:")
    print(
        f"two workers: {statistics.median(ratios):.2f} times one ({min(ratios):.2f} to {max(ratios):.2f}; ",
        end="",
    )
    print(f"bar: {BAR}; clock, without start-up)")
    milliseconds = {part: statistics.median(values) * 1e3 for part, values in costs.items()}
    print("CPU a submission: " + ", ".join(f"{part} {cost:.2f} ms" for part, cost in milliseconds.items()))
    plan(milliseconds["workers"] / 1e3, (milliseconds["client"] + milliseconds["scheduler"]) / 1e3)


def plan(at_a_worker: float, in_between: float) -> None:
    """What a million submissions would need by these costs, in CPU seconds each."""
    print(f"a million of them: {MILLION * at_a_worker / 3600:.0f} hours of one core at the workers, ", end="")
    print(f"{MILLION * in_between / 3600:.1f} h at scheduler and client, which together feed ", end="")
    print(f"{at_a_worker / in_between:.0f} cores")
    for cores in (16, 64, 256):
        hours = MILLION * max(at_a_worker / cores, in_between) / 3600
        print(f"  {cores:4d} cores: {hours:.1f} hours")


def bench_cluster(turns: int) -> None:
    """A course of its own for the comparison, and the comparison."""
    from bench import make_course  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as place:
        make_course(Path(place), SUBMISSIONS, NOTEBOOK)
        compare_machines(Path(place), turns)
