"""What a cell can be seen to be by its syntax tree: an untouched stub, a plain answer. Nothing is called."""

from __future__ import annotations

import ast
import textwrap

Definition = ast.FunctionDef | ast.ClassDef


def last_definition(tree: ast.Module, name: str) -> Definition | None:
    """The last top-level definition of a function or class, the one that counts when the cell has run."""
    found = [node for node in tree.body if isinstance(node, Definition) and node.name == name]
    return found[-1] if found else None


def is_stub(tree: ast.Module, name: str, stands: str = "") -> bool:
    """Whether a function's body is only a docstring and `raise NotImplementedError`, `pass` or `...`.

    Of a class the bodies of its methods count. What is assigned to the name behind it
    (`predict = my_predict`) is an answer.

    Args:
        tree: a cell's.
        name: the exercise's.
        stands: the body that a release gives to be mended, "" where it gives none. As long as nothing but
            comments, spaces and the docstring is changed in it, it is a stub too.
    """
    function = last_definition(tree, name)
    if function is None:
        return False
    if stands and isinstance(function, ast.FunctionDef) and _same_code(_without_docstring(function), stands):
        return not any(_assigns(node, name) for node in tree.body[tree.body.index(function) :])
    parts = [function.body]
    if isinstance(function, ast.ClassDef):
        parts = [node.body if isinstance(node, ast.FunctionDef) else [node] for node in function.body]
    if not all(_is_hole(statement) for part in parts for statement in part):
        return False
    return not any(_assigns(node, name) for node in tree.body[tree.body.index(function) :])


def body_of(source: str, name: str) -> str:
    """The text of a function's body behind its docstring, at the margin; "" where there is none."""
    function = last_definition(ast.parse(source), name)
    if not isinstance(function, ast.FunctionDef):
        return ""
    body = _without_docstring(function)
    above = function.body[0] if len(body) < len(function.body) else function
    start = (above.end_lineno or above.lineno) if above is not function else body[0].lineno - 1
    return textwrap.dedent("\n".join(source.splitlines()[start : function.end_lineno]))


def _without_docstring(function: ast.FunctionDef) -> list[ast.stmt]:
    return function.body[1:] if ast.get_docstring(function) is not None else function.body


def _same_code(body: list[ast.stmt], text: str) -> bool:
    return ast.dump(ast.Module(body, [])) == ast.dump(ast.Module(ast.parse(text).body, []))


def hole(name: str, solution: str, stands: str = "") -> str:
    """What is left of a solution in a release: a line that stops; of methods their heads and what they say.

    Args:
        name: the exercise's.
        solution: what stands between its markers.
        stands: the body that is to be mended, where there is one: it takes the place of the line.
    """
    if stands:
        return stands
    stop = f'raise NotImplementedError("{name}")'
    text = textwrap.dedent(solution)
    body = ast.parse(text).body
    methods = [node for node in body if isinstance(node, ast.FunctionDef)]
    if not methods or len(methods) < len(body):
        return stop
    lines, kept = text.splitlines(), []
    for method in methods:
        first = method.body[0]
        says = ast.get_docstring(method) is not None
        end = (first.end_lineno or first.lineno) if says else first.lineno - 1
        kept += [*lines[method.lineno - 1 : end], f"    {stop}", ""]
    return "\n".join(kept[:-1])


def binds(tree: ast.Module, name: str) -> bool:
    """Whether a cell defines the function or assigns something to its name, also inside an `if`."""
    return any(
        (isinstance(node, Definition) and node.name == name) or _assigns(node, name)
        for top in tree.body
        for node in ([top] if isinstance(top, Definition) else ast.walk(top))
    )


def _assigns(node: ast.AST, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _is_hole(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return isinstance(statement.value.value, str) or statement.value.value is Ellipsis
    if isinstance(statement, ast.Raise):
        raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return False


# Names and attributes by which code reaches what outlives a call.
REFLECTION = ("globals", "locals", "vars", "exec", "eval", "setattr", "delattr", "getattr")
OUTLIVING = (*REFLECTION, "open", "random", "seterr")
REACHING_OUT = (ast.Global, ast.Nonlocal, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)
HARMLESS = ("__future__", "autograder", "math", "matplotlib", "numpy")


def keeps_nothing(tree: ast.Module | None) -> bool:
    """Whether a cell only imports and defines functions that can be seen to keep nothing between calls.

    A cell that does keep nothing may still be denied: then an answer is tried once more than needed.
    """
    if tree is None:
        return True  # nothing of it is run
    if not all(isinstance(node, ast.FunctionDef) or _is_import(node) or _says(node) for node in tree.body):
        return False
    for node in ast.walk(tree):
        kind = type(node)
        if kind in REACHING_OUT or (kind in IMPORTS and not _is_import(node)):
            return False
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            return False
        if isinstance(node, ast.FunctionDef) and (node.decorator_list or not _plain_defaults(node.args)):
            return False
        word = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if word and (word in OUTLIVING or word.startswith("__")):
            return False
    return True


def _is_import(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").partition(".")[0] in HARMLESS
    return isinstance(node, ast.Import) and all(a.name.partition(".")[0] in HARMLESS for a in node.names)


def _says(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _plain_defaults(arguments: ast.arguments) -> bool:
    defaults = [*arguments.defaults, *(d for d in arguments.kw_defaults if d)]
    return all(isinstance(default, ast.Constant) for default in defaults)
