"""The text of notebook 09's character model: the course's own Python, frozen as `rnncourse/course_code.txt`.

    .venv/bin/python scripts/course_code.py

Functions and classes of `rnncourse` in drawn order, without docstrings and comments, in lower case; nothing
of what a notebook keeps back. Run it only to change the text on purpose: what models learn changes with it.
"""

import ast
import io
import random
import tokenize
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "rnncourse"
# One knows the ways back; the other lists words that no text of a course should hold.
LEFT_OUT = ("withheld.py", "data.py")


def plain_lines(source: str) -> list[str]:
    """The lines of a module without docstrings, comments and empty lines."""
    lines, left_out = source.splitlines(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            docstring = node.body[0]
            left_out |= set(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
    return [line for row, line in enumerate(lines, start=1) if row not in left_out and line.strip()]


def pieces(source: str) -> list[str]:
    """The module cut before each function and class of its own."""
    found: list[list[str]] = [[]]
    for line in plain_lines(source):
        begins = line.startswith(("def ", "class ", "@"))
        if begins and found[-1] and not found[-1][-1].startswith("@"):
            found.append([])
        found[-1].append(line)
    return ["\n".join(lines) for lines in found if lines]


def main() -> None:
    """Write the file."""
    modules = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name not in LEFT_OUT]
    found = [piece for path in modules for piece in pieces(path.read_text("utf-8"))]
    random.Random(9).shuffle(found)
    text = "".join(c for c in "\n".join(found).lower() if c == "\n" or " " <= c <= "~")
    (PACKAGE / "course_code.txt").write_text(text + "\n", "utf-8")
    print(f"{len(text)} characters, {len(set(text))} of them different")


if __name__ == "__main__":
    main()
