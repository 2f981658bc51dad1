"""Running a student's cells, statement by statement, inside the worker.

A statement that fails is noted, with its place, and the next one runs: a missing plotting library
must not cost the functions below its import. Nothing here is trusted by the other side.
"""

from __future__ import annotations
import __future__

import ast
import linecache
import re
import types
from typing import Any

MAX_ERRORS = 50
MAX_TEXT = 2000
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
    cell, line = _locate(error)
    kind = type(error).__name__
    message = _message(error)
    if isinstance(error, MemoryError):
        kind, message = "memory", message or "more memory was asked for than is allowed"
    elif isinstance(error, SystemExit):
        kind, message = "exit", f"the code ended itself (SystemExit: {message})"
    return {"kind": kind[:100], "message": message, "cell": cell, "line": line}


def _message(error: BaseException) -> str:
    try:
        return str(error)[:MAX_TEXT]
    except BaseException:
        return ""


def _locate(error: BaseException) -> tuple[int | None, int | None]:
    cell = line = None
    trace: types.TracebackType | None = error.__traceback__
    while trace is not None:
        found = PLACE.fullmatch(trace.tb_frame.f_code.co_filename)
        if found:
            cell, line = int(found.group(1)), trace.tb_lineno
        trace = trace.tb_next
    return cell, line
