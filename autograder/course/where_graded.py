"""Whether a function of a kernel finds, where it is graded, the names that it reads here.

For a grade only some cells are run: the given ones, the student's own, definitions in others. What a
notebook's other cells left behind in the kernel is not there. Told from the names that the function and its
helpers read, and then by calling copies of them that see nothing else; no cell is run again. Knows nothing
of what is right.
"""

from __future__ import annotations

import ast
import builtins
import dis
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CellType, CodeType, FunctionType
from typing import Any

from autograder.course.magics import without_cell_magic
from autograder.course.names import Namespace, is_definition, parse
from autograder.course.surroundings import text_hash

RUNS_ITS_LINE = re.compile(r"get_ipython\(\)\.run_line_magic\('(?:time|prun)', ('.*'|\".*\")\)", re.S)
NOT_RUN = "no cell that is run for a grade sets it"


@dataclass(frozen=True)
class RanCell:
    """A cell that was run in this kernel: its text, the Python that IPython made of it, its id or ""."""

    source: str
    python: str
    cell_id: str = ""


_ids: dict[str, str] = {}  # a cell's text -> its id


def watch(shell: Any) -> None:
    """Remember from now on which cell of the notebook each text that a kernel runs came from."""

    def remember(info: Any) -> None:
        _ids[str(info.raw_cell).strip()] = str(getattr(info, "cell_id", None) or "")

    shell.events.register("pre_run_cell", remember)


def ran_cells(shell: Any) -> list[RanCell]:
    """The cells that were run in a kernel, in order."""
    history = shell.history_manager
    pairs = zip(history.input_hist_raw, history.input_hist_parsed, strict=False)
    return [RanCell(raw, parsed, _ids.get(raw.strip(), "")) for raw, parsed in pairs]


def namespace_where_graded(around: Mapping[str, Any], cells: Sequence[RanCell]) -> Namespace:
    """What is there where it is graded, as far as the cells that were run here tell."""
    namespace = Namespace(around["names"], around["packages"])
    texts = set(around["cells"].values())
    for cell in cells:
        if text_hash(cell.source) in texts or cell.cell_id in around["locked"]:
            continue
        body, magic = without_cell_magic(cell.source)
        tree = parse(body if body != cell.source or magic else cell.python)
        statements = [one for statement in (tree.body if tree else []) for one in _meant(statement)]
        if cell.cell_id in around["cells"]:
            statements = [statement for statement in statements if is_definition(statement)]
        namespace.run(statements)
    return namespace


def _meant(statement: ast.stmt) -> list[ast.stmt]:
    """The statements behind a line magic that runs what stands in its line."""
    found = RUNS_ITS_LINE.fullmatch(ast.unparse(statement))
    tree = parse(ast.literal_eval(found[1])) if found else None
    return tree.body if tree else [statement]


def lacking(function: Callable[..., Any], namespace: Namespace, known: Sequence[str]) -> dict[str, str]:
    """The names and modules that a function or its helpers use and that are not there: name -> why.

    Args:
        function: a function of this kernel.
        namespace: what is there.
        known: the exercises: each is graded by itself.
    """
    found: dict[str, str] = {}
    seen: set[int] = set()
    waiting = functions_in(function)
    while waiting:
        one = waiting.pop()
        theirs = one.__globals__
        if id(one.__code__) in seen:
            continue
        seen.add(id(one.__code__))
        for name, is_module in read_within(one.__code__):
            if is_module:
                if not namespace.can_import(name):
                    found[name] = f"there is no `{name}` where it is graded"
            elif name in namespace.names or name in known:
                if name not in known:
                    waiting += [f for f in functions_in(theirs.get(name)) if f.__globals__ is theirs]
            elif name in theirs:
                why = namespace.missing.get(name)
                found[name] = f"{why} where it is graded" if why else NOT_RUN
    return found


def functions_in(value: Any) -> list[FunctionType]:
    """A function itself, or a class's own methods; nothing for anything else."""
    if isinstance(value, type):
        return [method for member in vars(value).values() for method in functions_in(_bare(member))]
    return [value] if isinstance(value, FunctionType) else []


def _bare(member: Any) -> Any:
    return member.__func__ if isinstance(member, classmethod | staticmethod) else member


def read_within(code: CodeType) -> Iterator[tuple[str, bool]]:
    """What `read_outside` gives, of the functions and comprehensions inside a function too."""
    yield from read_outside(code)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from read_within(constant)


def read_outside(code: CodeType) -> Iterator[tuple[str, bool]]:
    """(name, whether it is a module that is imported) of all that a function's code reads outside itself."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval, False
        elif instruction.opname == "IMPORT_NAME":
            yield instruction.argval.partition(".")[0], True


def without(function: Callable[..., Any], names: Mapping[str, str]) -> Callable[..., Any]:
    """A copy of a function that does not find these names and modules, nor do its helpers."""
    if not isinstance(function, FunctionType):
        return function
    theirs = function.__globals__
    left = {name: value for name, value in theirs.items() if name not in names}

    def importing(name: str, *arguments: Any, **more: Any) -> Any:
        if name.partition(".")[0] in names:
            raise ModuleNotFoundError(f"No module named {name!r}")
        return builtins.__import__(name, *arguments, **more)

    left["__builtins__"] = {**vars(builtins), "__import__": importing}
    return _among(function, left, hidden=names)


def with_others_in_place(
    function: Callable[..., Any], others: Mapping[str, Callable[..., Any]]
) -> Callable[..., Any]:
    """A copy of a function that finds other functions under some names, as do its helpers."""
    if not isinstance(function, FunctionType):
        return function
    return _among(function, dict(function.__globals__), others)


def _among(
    function: FunctionType,
    namespace: dict[str, Any],
    others: Mapping[str, Callable[..., Any]] | None = None,
    hidden: Collection[str] = (),
) -> FunctionType:
    """A copy of a function in another namespace; so are its helpers, and classes that read what is hidden."""
    theirs = function.__globals__
    for name, value in namespace.items():
        if isinstance(value, FunctionType) and value.__globals__ is theirs:
            namespace[name] = _copy(value, namespace)
        elif isinstance(value, type) and any(
            _reads(method, hidden, theirs) for method in functions_in(value)
        ):
            namespace[name] = _copy_of_class(value, theirs, namespace)
    namespace.update(others or {})
    return _copy(function, namespace)


def _reads(method: FunctionType, names: Collection[str], theirs: dict[str, Any]) -> bool:
    return method.__globals__ is theirs and any(name in names for name, _ in read_within(method.__code__))


def _copy_of_class(one: type, theirs: dict[str, Any], namespace: dict[str, Any]) -> type:
    """A class whose methods that live in one namespace live in another; `super()` knows the new class."""
    itself = CellType()
    parts: dict[str, Any] = {}
    for name, member in vars(one).items():
        if name in ("__dict__", "__weakref__"):
            continue
        method = _bare(member)
        if isinstance(method, FunctionType) and method.__globals__ is theirs:
            made = _copy(method, namespace, itself)
            parts[name] = made if method is member else type(member)(made)
        else:
            parts[name] = member
    itself.cell_contents = made_class = type(one)(one.__name__, one.__bases__, parts)
    return made_class


def _copy(
    function: FunctionType, namespace: dict[str, Any], its_class: CellType | None = None
) -> FunctionType:
    closure = function.__closure__
    if its_class and closure:
        free = zip(function.__code__.co_freevars, closure, strict=True)
        closure = tuple(its_class if name == "__class__" else cell for name, cell in free)
    made = FunctionType(function.__code__, namespace, function.__name__, function.__defaults__, closure)
    made.__kwdefaults__ = function.__kwdefaults__
    return made
