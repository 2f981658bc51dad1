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
from dataclasses import dataclass, field
from functools import partial
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from autograder.answers.finding import no_package
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
                    found[name] = f"{no_package(name)} where it is graded"
            elif name in namespace.instead and theirs.get(name) is not namespace.instead[name]:
                package = package_of(theirs.get(name))
                why = no_package(package) if package else f"it is {namespace.instead[name]!r}"
                found[name] = f"{why} where it is graded"
            elif name in namespace.names or name in known:
                if name not in known:
                    waiting += [f for f in functions_in(theirs.get(name)) if f.__globals__ is theirs]
            elif name in theirs:
                package = package_of(theirs[name])
                why = namespace.missing.get(name)
                if package and not namespace.can_import(package):
                    why = no_package(package)
                found[name] = f"{why} where it is graded" if why else NOT_RUN
    return found


def package_of(value: Any) -> str:
    """The package that a value comes from: a module, what one defines, an array of its kind; "" for none.

    What a notebook's cells or Python itself define comes from none.
    """
    if isinstance(value, ModuleType):
        name = value.__name__
    else:
        name = getattr(value, "__module__", None) or type(value).__module__
    package = str(name).partition(".")[0]
    return "" if package in ("__main__", "builtins") else package


def functions_in(value: Any) -> list[FunctionType]:
    """A notebook's functions in a value: itself, those that it wraps, a class's own methods.

    What wraps them may be a library's (`@torch.no_grad()`): a function of its own, or any other callable.
    """
    if isinstance(value, type):
        return [method for member in vars(value).values() for method in functions_in(_bare(member))]
    return [one for one in _layers(value) if not _is_a_librarys(one)]


def _is_a_librarys(function: FunctionType) -> bool:
    return function.__globals__.get("__spec__") is not None  # as of every module that is imported


def _layers(value: Any) -> list[FunctionType]:
    """The functions that a callable is made of, the outermost first."""
    found: list[FunctionType] = []
    waiting, seen = [value], set()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen or isinstance(one, type) or not callable(one):
            continue
        seen.add(id(one))
        if isinstance(one, FunctionType):
            found.append(one)
            waiting += [content for cell in one.__closure__ or () for content in _content(cell)]
            waiting += [*(one.__defaults__ or ()), *(one.__kwdefaults__ or {}).values()]
        elif isinstance(one, partial):
            waiting.append(one.func)
        elif isinstance(one, MethodType):
            waiting += [one.__func__, one.__self__]
        waiting += getattr(one, "__dict__", {}).values()
    return found


def _content(cell: CellType) -> list[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:  # nothing has been assigned to it yet
        return []


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


def without(
    function: Callable[..., Any], names: Mapping[str, str], instead: Mapping[str, Any] | None = None
) -> Callable[..., Any]:
    """A copy of a function that does not find these names and modules, nor do its helpers.

    Args:
        function: a function of this kernel.
        names: what it does not find.
        instead: what some of them are where they are not what they are here.
    """
    left = {name: value for name, value in home(function).items() if name not in names}
    left |= {name: value for name, value in (instead or {}).items() if name in names}

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
    return _among(function, dict(home(function)), others)


def home(function: Callable[..., Any]) -> dict[str, Any]:
    """The names of the notebook that a function, or a class's methods, can read, also where it is wrapped."""
    return next((one.__globals__ for one in functions_in(function)), {})


def _among(
    function: Callable[..., Any],
    namespace: dict[str, Any],
    others: Mapping[str, Callable[..., Any]] | None = None,
    hidden: Collection[str] = (),
) -> Callable[..., Any]:
    """A copy of a function in another namespace; so are its helpers, and classes that read what is hidden."""
    if isinstance(function, type):
        return function
    move = _Move(home(function), namespace)
    for name, value in namespace.items():
        if not isinstance(value, type):
            namespace[name] = move.copy(value)
        elif any(_reads(method, hidden, move.theirs) for method in functions_in(value)):
            namespace[name] = move.copy_of_class(value)
    namespace.update(others or {})
    return move.copy(function)


def _reads(method: FunctionType, names: Collection[str], theirs: dict[str, Any]) -> bool:
    return method.__globals__ is theirs and any(name in names for name, _ in read_within(method.__code__))


@dataclass
class _Move:
    """Copies of functions of one namespace that live in another."""

    theirs: dict[str, Any]
    namespace: dict[str, Any]
    cells: dict[int, CellType] = field(default_factory=dict)

    def copy(self, value: Any) -> Any:
        """A callable whose functions live in the other namespace; what holds none of them as it is.

        Of a wrapper that cannot be copied (`lru_cache`) what it wraps is taken.
        """
        if not any(one.__globals__ is self.theirs for one in _layers(value)):
            return value
        if isinstance(value, partial):
            return partial(self.copy(value.func), *value.args, **value.keywords)
        if not isinstance(value, FunctionType):
            wrapped = getattr(value, "__wrapped__", None)
            return self.copy(wrapped) if isinstance(wrapped, FunctionType) else value
        its = self.namespace if value.__globals__ is self.theirs else value.__globals__
        closure = tuple(self._cell(cell) for cell in value.__closure__) if value.__closure__ else None
        defaults = tuple(map(self.copy, value.__defaults__)) if value.__defaults__ else None
        made = FunctionType(value.__code__, its, value.__name__, defaults, closure)
        made.__kwdefaults__ = {
            name: self.copy(one) for name, one in (value.__kwdefaults__ or {}).items()
        } or None
        return made

    def _cell(self, cell: CellType) -> CellType:
        """A variable around a function; another one only where it holds a function that moves."""
        if id(cell) not in self.cells:
            self.cells[id(cell)] = CellType()  # a function may stand in its own closure
            moved = [self.copy(content) for content in _content(cell)]
            if all(new is old for new, old in zip(moved, _content(cell), strict=True)):
                self.cells[id(cell)] = cell
            else:
                self.cells[id(cell)].cell_contents = moved[0]
        return self.cells[id(cell)]

    def copy_of_class(self, one: type) -> type:
        """A class whose methods live in the other namespace; `super()` knows the new class."""
        itself = CellType()
        for method in functions_in(one):
            free = zip(method.__code__.co_freevars, method.__closure__ or (), strict=True)
            self.cells |= {id(cell): itself for name, cell in free if name == "__class__"}
        parts: dict[str, Any] = {}
        for name, member in vars(one).items():
            if name in ("__dict__", "__weakref__"):
                continue
            made = self.copy(_bare(member))
            parts[name] = type(member)(made) if isinstance(member, classmethod | staticmethod) else made
        itself.cell_contents = made_class = type(one)(one.__name__, one.__bases__, parts)
        return made_class
