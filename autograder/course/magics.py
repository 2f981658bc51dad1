"""IPython's own language -> Python, by IPython's own grammar, in a process that may be given up.

A notebook holds magics, shell lines and question marks beside Python. What IPython makes Python of is run for
a grade; what it hands to itself is left out. This module knows nothing of exercises or marks.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence

# Where none of these stands, a cell that is no Python is no IPython either.
SIGNS = re.compile(r"^[ \t]*[%!?,;/]|\?[ \t\r]*$|=[ \t]*[%!]", re.M)
# The cell below these runs in the notebook's namespace as it stands, or means to.
KEEPS_THE_CELL = re.compile(r"\A\s*%%(?:time|timeit|prun|capture)\b[^\n]*(?:\n|\Z)")
CELL_MAGIC = re.compile(r"\A\s*%%(\w+)")
MOST_CHARACTERS = 200_000
SECONDS = 5
CPU_SECONDS = 3
MEMORY = 1 << 30

PROGRAM = """
import ast, json, re, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, ({cpu}, {cpu}))
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
from IPython.core.inputtransformer2 import TransformerManager

RUNS_ITS_LINE = re.compile(r"get_ipython\\(\\)\\.run_line_magic\\('(?:time|prun)', (.*)\\)\\s*", re.S)

def is_its_own(statement):
    return any(isinstance(n, ast.Name) and n.id == "get_ipython" for n in ast.walk(statement))

def python(source):
    text = TransformerManager().transform_cell(source)
    lines = text.split("\\n")
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text  # its error is the student's own
    statements = [n for n in ast.walk(tree) if isinstance(n, ast.Expr | ast.Assign | ast.AnnAssign)]
    for statement in sorted(filter(is_its_own, statements), key=lambda n: -n.lineno):
        first, last = statement.lineno - 1, statement.end_lineno
        line = "\\n".join(lines[first:last])
        indent = line[: len(line) - len(line.lstrip())]
        kept = "pass" if indent else ""
        found = RUNS_ITS_LINE.fullmatch(line.strip())
        if found:
            words = ast.literal_eval(found.group(1))
            try:
                ast.parse(words)
                kept = words
            except SyntaxError:
                pass
        lines[first:last] = [indent + kept, *[""] * (last - first - 1)]
    return "\\n".join(lines)

found = []
for source in json.load(sys.stdin):
    try:
        found.append(python(source))
    except Exception:
        found.append(None)
json.dump(found, sys.stdout)
"""


def without_cell_magic(source: str) -> tuple[str, str]:
    """A cell without the magic it starts with, and that magic's name where its cell is not run at all.

    The text keeps its line numbers.
    """
    kept = KEEPS_THE_CELL.match(source)
    if kept:
        return "\n" * kept.group().count("\n") + source[kept.end() :], ""
    other = CELL_MAGIC.match(source)
    return ("", other.group(1)) if other else (source, "")


def speaks_ipython(source: str) -> bool:
    """Whether a text that is no Python may be IPython's language."""
    return SIGNS.search(source) is not None


def as_python(sources: Sequence[str]) -> list[str | None]:
    """Texts in IPython's language as Python; None for one that is neither, or took too long to read.

    IPython's grammar is quadratic in places, and a student wrote the text: it is read in a process of its
    own, whose time and memory are bounded for all texts together.
    """
    if not sources or sum(map(len, sources)) > MOST_CHARACTERS:
        return [None] * len(sources)
    program = PROGRAM.format(cpu=CPU_SECONDS, memory=MEMORY)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", program],
            input=json.dumps(list(sources)),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        found = json.loads(done.stdout) if done.returncode == 0 else []
    except (subprocess.TimeoutExpired, ValueError):
        found = []
    return found if len(found) == len(sources) else [None] * len(sources)
