"""Running a student's cells, statement by statement, inside the worker.

A statement that fails is noted, with its place, and the next one runs: a missing plotting library
must not cost the functions below its import. Nothing here is trusted by the other side.
"""

from __future__ import annotations
import __future__

import ast
import linecache
import re
import traceback
from typing import Any

MAX_ERRORS = 50
MAX_TEXT = 2000
# How much of an exception's way is looked at, and how much of it is told.
MOST_FRAMES, MOST_PLACES = 200, 20
PLACE = re.compile(r"<cell (\d+)>")


def place(index: int) -> str:
    """The file name under which a cell is compiled."""
    return f"<cell {index}>"


def register(cells: list[str]) -> None:
    """Let warnings and tracebacks quote the cells."""
    for index, source in enumerate(cells):
        name = place(index)
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)


def run(cells: list[str], namespace: dict[str, Any]) -> list[dict[str, Any]]:
    """Execute cells in one namespace.

    Returns:
        One description per error: kind, message, cell, line.
    """
    errors: list[dict[str, Any]] = []
    flags = 0

    def note(error: dict[str, Any]) -> None:
        if len(errors) < MAX_ERRORS:
            errors.append(error)

    for index, source in enumerate(cells):
        try:
            statements = ast.parse(source, place(index)).body
        except BaseException as error:  # the parser's own limits raise much else than SyntaxError
            note(describe_syntax(error, index))
            continue
        for statement in statements:
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                flags |= _future_flags(statement)
            try:
                module = ast.Module([statement], [])
                code = compile(module, place(index), "exec", flags=flags, dont_inherit=True)
            except BaseException as error:
                note(describe_syntax(error, index))
                continue
            try:
                exec(code, namespace)
            except BaseException as error:
                note(describe(error))
    return errors


def _future_flags(statement: ast.ImportFrom) -> int:
    flags = 0
    for name in statement.names:
        feature = getattr(__future__, name.name, None)
        flags |= getattr(feature, "compiler_flag", 0)
    return flags


def describe_syntax(error: BaseException, index: int) -> dict[str, Any]:
    """An error of the parser, in words."""
    line = getattr(error, "lineno", None)
    message = getattr(error, "msg", None) or _message(error) or type(error).__name__
    return {"kind": "syntax", "message": str(message)[:MAX_TEXT], "cell": index, "line": line}


def describe(error: BaseException) -> dict[str, Any]:
    """An exception, in words, with the innermost line of the student's that it passed."""
    places = _places(error)
    cell, line = places[-1][:2] if places else (None, None)
    kind = type(error).__name__
    message = _message(error)
    if isinstance(error, MemoryError):
        kind, message = "memory", message or "more memory was asked for than is allowed"
    elif isinstance(error, SystemExit):
        kind, message = "exit", f"the code ended itself (SystemExit: {message})"
    return {"kind": kind[:100], "message": message, "cell": cell, "line": line, "places": places}


def _message(error: BaseException) -> str:
    try:
        return str(error)[:MAX_TEXT]
    except BaseException:
        return ""


def _places(error: BaseException) -> list[list[Any]]:
    """The lines of cells that an exception passed, the innermost last: cell, line, columns, function."""
    found = []
    for frame in traceback.extract_tb(error.__traceback__, limit=-MOST_FRAMES):
        place = PLACE.fullmatch(frame.filename)
        if place and frame.lineno:
            columns = (frame.colno, frame.end_colno) if frame.lineno == frame.end_lineno else (None, None)
            found.append([int(place.group(1)), frame.lineno, *columns, frame.name[:100]])
    return found[-MOST_PLACES:]
