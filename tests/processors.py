"""Other processors, simulated on this one, and what is tried on them.

    python tests/processors.py solved 03_vanishing_and_exploding_gradients
    python tests/processors.py grade 01_simple_rnn
    python tests/processors.py release 01_simple_rnn
    python tests/processors.py round -

OpenBLAS and NumPy choose their kernels when they are loaded, by what the processor can do. Environment
variables make them choose those of a lesser one, so whatever is tried starts as a process of its own.
"""

import ast
import contextlib
import hashlib
import io
import json
import linecache
import os
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
AVX = ("AVX", "AVX2", "F16C", "FMA3", "FMA4", "XOP", "X86_V3")


def features() -> list[str]:
    """What NumPy was compiled for and finds here; the names differ from version to version."""
    return list(np.show_config(mode="dicts")["SIMD Extensions"].get("found", []))


def of_avx512(names: list[str]) -> list[str]:
    return [name for name in names if name.startswith("AVX512") or name == "X86_V4"]


def settings() -> dict[str, dict[str, str]]:
    """Name -> environment variables, for each processor that this one can pretend to be."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return {"as it is": {}}
    avx512 = of_avx512(features())
    avx = [name for name in features() if name in AVX]
    found = {"as it is": {}}
    if avx512:
        found["SkylakeX"] = {"OPENBLAS_CORETYPE": "SkylakeX"}
    if avx:
        found["Haswell"] = {"OPENBLAS_CORETYPE": "Haswell"}
        found["Zen"] = {"OPENBLAS_CORETYPE": "Zen", "NPY_DISABLE_CPU_FEATURES": " ".join(avx512)}
    off = " ".join([*avx, *avx512])
    return {**found, "Nehalem": {"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": off}}


@cache
def tried(what: str, notebook: str, setting: str) -> subprocess.CompletedProcess[str]:
    """What this file does when it is started under a setting."""
    return subprocess.run(
        [sys.executable, __file__, what, notebook],
        env={**os.environ, **settings()[setting], "RNNCOURSE_CLAIMS": "raise", "OPENBLAS_NUM_THREADS": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def run_solved(notebook: str) -> None:
    """Run the cells of a solved notebook, checks with the release's own file; a failing cell stops it."""
    import matplotlib as mpl

    from autograder.course.masters import read_master

    mpl.use("Agg")
    os.environ["AUTOGRADER_CHECKS"] = str(ROOT / "notebooks" / notebook / "checks.safetensors")
    master = read_master(ROOT / "solutions" / notebook)
    namespace = {"__name__": "__main__"}
    said = io.StringIO()
    for cell in master.cells:
        if cell.kind != "code":
            continue
        place = f"<{notebook}, cell {cell.number}>"
        # A check looks at a function's source: it must find it as it does in a notebook.
        linecache.cache[place] = (len(cell.source), None, cell.source.splitlines(keepends=True), place)
        with contextlib.redirect_stdout(said):
            exec(compile(ast.parse(cell.source), place, "exec"), namespace)
    print(said.getvalue().count("It holds here: "), "claims hold")


def grade_class(notebook: str) -> None:
    """Grade the sample class of a notebook in the sandbox; prints the records."""
    from course import KEY
    from sample_class import sample_class

    from autograder.course.masters import read_master
    from autograder.errors import Ungradable
    from autograder.grading.grade import Grader
    from autograder.report.feedback import as_json

    records = {}
    folder = ROOT / "solutions" / notebook
    with Grader(folder, KEY) as grader:
        for student, content in sample_class(read_master(folder)).items():
            try:
                records[student] = as_json(grader.grade(content).record(student))
            except Ungradable as ungradable:
                records[student] = {"ungradable": str(ungradable)}
                continue
            for exercise in records[student]["exercises"]:
                del exercise["printed"]  # the student's own words, with the student's own digits
    print(json.dumps(records))


def compare_release(notebook: str) -> None:
    """Compare a release with what its sources give on this processor; prints what differs."""
    from autograder.course.masters import read_master
    from autograder.release.build import PUBLIC_KEY, release_problems
    from autograder.sheets.drawn import fresh_sheets

    master = read_master(ROOT / "solutions" / notebook)
    sheets = fresh_sheets(master, PUBLIC_KEY)
    print(*release_problems(master, sheets, ROOT / "notebooks" / notebook), sep="\n", end="")


def rounding(_: str) -> None:
    """Print what products and a tanh come to, to the last bit."""
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(2, 40, 40))
    print(hashlib.sha256(np.tanh(A @ B).tobytes() + np.linalg.inv(A).tobytes()).hexdigest())


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]
    tries = {"solved": run_solved, "grade": grade_class, "release": compare_release, "round": rounding}
    tries[sys.argv[1]](sys.argv[2])
