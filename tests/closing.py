"""What stands at the end of a run: mistakes and alternatives by notebook, what was skipped, the machine."""

import os
import platform
import re
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

# What of the environment makes NumPy compute as another processor would.
PRETENCES = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")


def write_mutants(terminal) -> None:
    """How many mutants were caught and named, and how many alternatives passed, by notebook."""
    table = defaultdict(lambda: defaultdict(int))
    for reports in terminal.stats.values():
        for report in reports:
            if getattr(report, "when", "") != "call":
                continue
            for name, value in report.user_properties:
                if name == "tally":
                    notebook, counts = value
                    for word, count in counts.items():
                        table[notebook][word] += count
    if not table:
        return
    terminal.section("mutants and alternatives")
    words = ["mutants", "caught", "named", "alternatives", "passed"]
    terminal.write_line(f"{'notebook':40s}" + "".join(f"{word:>14s}" for word in words))
    for notebook in sorted(table):
        counts = "".join(f"{table[notebook][word]:14d}" for word in words)
        terminal.write_line(f"{notebook:40s}{counts}")


def write_skipped(terminal) -> None:
    """Each reason for which something was skipped, once."""
    reasons = Counter(report.longrepr[2] for report in terminal.stats.get("skipped", ()))
    if not reasons:
        return
    terminal.section("skipped, and what it takes")
    for reason, count in reasons.most_common():
        terminal.write_line(f"{count:4d} × {reason.removeprefix('Skipped: ')}")


def write_machine(terminal) -> None:
    """On which processor all this was computed, and by which kernels."""
    terminal.section("computed by")
    terminal.write_line(f"{platform.system()} {platform.machine()}, {processor()}, {os.cpu_count()} cores")
    terminal.write_line(f"Python {platform.python_version()}, NumPy {np.__version__} with {blas()}")
    simd = np.show_config(mode="dicts").get("SIMD Extensions", {})
    terminal.write_line(f"NumPy's own loops: {' '.join([*simd.get('baseline', []), *simd.get('found', [])])}")
    for name in PRETENCES:
        if name in os.environ:
            terminal.write_line(f"{name}={os.environ[name]}")


def processor() -> str:
    """The processor's name, as the system tells it."""
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    known = Path("/proc/cpuinfo")
    text = known.read_text("utf-8", "replace") if known.is_file() else ""
    named = re.search(r"^(?:model name|Hardware|Model)\s*: *(.+)$", text, re.MULTILINE)
    return named[1] if named else platform.processor() or "a processor without a name"


def blas() -> str:
    """NumPy's BLAS and the kernel that it chose for this processor."""
    for library in threadpool_info():
        if library["user_api"] == "blas":
            kernel = library.get("architecture", "of unknown name")
            return f"{library['internal_api']} {library['version']}, kernel {kernel}"
    built_with = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{built_with['name']} {built_with['version']}, kernel unknown"
