"""What an attack is, and the bricks from which the attacks beside this file are made."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course import TINY, master_of, submission

NOTEBOOK = TINY.name
STEP, FORWARD, BACKWARD = "rnn_step", "rnn_forward", "rnn_step_backward"
POINTS = {name: exercise.points for name, exercise in master_of(NOTEBOOK).exercises.items()}
ALL = sum(POINTS.values())
# With rnn_step lost, rnn_forward is scored with the reference in its place, and the backward by itself.
REST = POINTS[FORWARD] + POINTS[BACKWARD]

# What a submission may try, by kind; then what was thought of beyond.
LINES = {
    "comparing": "replace what compares: `np.allclose`, `np.testing`, helpers of assertions, `check` itself",
    "objects": "objects whose `__eq__`, `__array__`, `__array_ufunc__`, `__reduce__`, `shape`, `dtype` lie",
    "arrays": "subclasses, object and structured arrays, 0-d, NaN, inf, huge, negative-stride, memory-mapped",
    "wire": "the protocol's descriptors: forge, flood, truncate or hold back frames",
    "reading": "read references, hidden inputs, other submissions, gradebook, environment, memory, `/proc`",
    "frames": "call stack frames, `gc`, `sys.modules`, import hooks, `sitecustomize`, `.pth`",
    "network": "the network, loopback and abstract sockets included",
    "ending": "`os._exit`, `sys.exit`, signals, `kill` of the parent and of pid 1, `ptrace`",
    "exhausting": "endless loop, output, sleep; bombs of forks, threads, memory, disk, files; crashes",
    "surviving": "survive the exercise and answer for the next",
    "learning": "learn from the stand-in reference and use it elsewhere",
    "replay": "replay what another hand-in was told",
    "notebook": "cells deleted, doubled, moved, renamed, retyped; points, metadata, locked text; magics",
    "pages": "hostile HTML, JavaScript, LaTeX in text, outputs and names",
    "files": "path traversal, links, devices, gigabytes, deep JSON, bad UTF-8, NUL, old formats, no JSON",
    "formulas": "names and outputs that a spreadsheet would run as formulas",
    "underived": "beyond: differentiate the forward by a general method",
    "credit": "beyond: a forward made up so that its own gradient is easy",
    "terminal": "beyond: control characters for the instructor's terminal",
    "grader": "beyond: make the trusted side itself labour, hoard or crash",
}


@dataclass(frozen=True)
class Attack:
    """One submission.

    Args:
        name: unique, an identifier.
        mark: what its honest part deserves, of 12 points; None where it must be refused with a reason.
        answers: exercise -> text of its answer cell; the others hold the right answer.
        own: cells of the attacker's own, in front of the answers.
        solved: False leaves untouched stubs where no answer is given.
        change: changes the notebook (as plain data), or gives other bytes altogether.
        place: writes something else than a notebook at the path of the notebook.
        student: the name of its folder, where that is the attack.
        nbgrader: whether it can be handed in through nbgrader's door too.
        proof: words that the record must hold, to show that the attack was really made.
    """

    name: str
    mark: float | None
    answers: dict[str, str] = field(default_factory=dict)
    own: tuple[str, ...] = ()
    solved: bool = True
    change: Callable[[dict[str, Any]], dict[str, Any] | bytes | None] | None = None
    place: Callable[[Path], None] | None = None
    student: str = ""
    nbgrader: bool = True
    proof: str = ""

    @property
    def folder(self) -> str:
        """The name of the attacker's folder."""
        return self.student or f"x_{self.name}"

    def content(self) -> bytes:
        """The bytes of the notebook that is handed in."""
        content = submission(NOTEBOOK, self.answers, self.own, self.solved)
        if self.change is None:
            return content
        notebook = json.loads(content)
        changed = self.change(notebook)
        return changed if isinstance(changed, bytes) else json.dumps(changed or notebook).encode()

    def write(self, path: Path) -> None:
        """Put it where a submission's notebook belongs."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.place:
            self.place(path)
        else:
            path.write_bytes(self.content())


def right(name: str) -> str:
    """The text of a right answer."""
    return master_of(NOTEBOOK).exercises[name].source


def step(body: str) -> dict[str, str]:
    """An answer to rnn_step with this body; lines are indented here."""
    return {STEP: "def rnn_step(x_t, s_prev, W):\n" + indented(body)}


def forward(body: str) -> dict[str, str]:
    """An answer to rnn_forward with this body."""
    return {FORWARD: "def rnn_forward(xs, s0, W):\n" + indented(body)}


def backward(body: str) -> dict[str, str]:
    """An answer to rnn_step_backward with this body."""
    return {BACKWARD: "def rnn_step_backward(ds, x_t, s_prev, s_t, W):\n" + indented(body)}


def indented(body: str) -> str:
    """A function's body."""
    return "".join(f"    {line}\n" for line in body.strip("\n").split("\n"))


def tries(*attempts: str, setup: str = "") -> dict[str, str]:
    """An answer to rnn_step that tries things, tells which of them worked, and answers with zeros.

    A line that succeeds prints GOT and what it got; at the end TRIED is printed, as a proof.
    """
    lines = ["import builtins, ctypes, gc, importlib, io, os, signal, socket, struct, subprocess, sys"]
    lines += ["import glob, inspect, json, mmap, pickle, resource, threading, time", setup]
    for attempt in attempts:
        lines += ["try:", f"    got = {attempt}", "    print('GOT', repr(got)[:200])"]
        lines += ["except BaseException as error:", "    print('held', type(error).__name__)"]
    return step("\n".join([*lines, "print('TRIED')", "return np.zeros_like(s_prev)"]))


def cell_of(notebook: dict[str, Any], grade_id: str) -> dict[str, Any]:
    """The cell with nbgrader's id."""
    return next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


def code(source: str, **metadata: Any) -> dict[str, Any]:
    """A code cell."""
    return {
        "cell_type": "code", "id": "hostile", "metadata": metadata, "source": source,
        "outputs": [], "execution_count": None,
    }  # fmt: skip
