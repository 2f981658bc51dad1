"""Mistakes as they are written down: a table `mistakes.txt` beside `exercises.py`, by exercise and site.

A site is an expression or a statement of the reference solution, found in its syntax tree: how it is
formatted does not matter. This module knows nothing of inputs, arrays or marks.
"""

from __future__ import annotations

import ast
import copy
import re
import textwrap
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from autograder.course.exercise import Mutant, Way
from autograder.errors import CourseError

SECTION = re.compile(r"\[ *(\w+(?: *, *\w+)*) *\]")
NAMED = re.compile(r"(.*?)(?:^|\s+)# +(\S.*)")
ONE_OF_SEVERAL = re.compile(r"(.+?)\s+# +(\d+) of (\d+)")
REPLACEMENT, HINT = 4, 8  # how far they are indented
DEPTHS = "a site stands at the margin, what stands there instead is indented by 4 spaces, its hint by 8"


def read_mistakes(
    path: Path, solutions: Mapping[str, str], ways: Mapping[str, Mapping[str, Way]] | None = None
) -> dict[str, list[Mutant]]:
    """Read a `mistakes.txt`; CONTRIBUTING.md shows one.

    Args:
        path: the file; there need not be one.
        solutions: exercise -> its reference solution, in which each mistake is tried.
        ways: exercise -> its ways; many mistakes may have the name of one, without a hint of their own.

    Returns:
        The mistakes of each exercise, in the order of the file.

    Raises:
        CourseError: something is not as it must be; the message names the line, and what was expected.
    """
    table = _Table(path, solutions, ways or {})
    if path.is_file():
        table.read()
    return table.mistakes


@dataclass(frozen=True)
class _Line:
    number: int
    text: str

    @property
    def depth(self) -> int:
        """How many spaces stand before the text."""
        return len(self.text) - len(self.text.lstrip(" "))


class _Table:
    """A table, read from top to bottom."""

    def __init__(self, path: Path, solutions: Mapping[str, str], ways: Mapping[str, Mapping[str, Way]]):
        self.mistakes: dict[str, list[Mutant]] = {name: [] for name in solutions}
        self._path = path
        self._solutions = solutions
        self._ways = ways
        self._lines: deque[_Line] = deque()
        self._named: dict[tuple[str, str], int] = {}

    def read(self) -> None:
        for number, text in enumerate(self._path.read_text("utf-8").splitlines(), start=1):
            line = _Line(number, text.rstrip())
            if "\t" in line.text:
                self._fail(line, "there is a tab; indent by spaces")
            if line.text and not line.text.startswith("#"):
                self._lines.append(line)
        exercises: list[str] = []
        while self._lines:
            section = SECTION.fullmatch(self._lines[0].text)
            if section:
                exercises = self._exercises(self._lines.popleft(), section[1])
            elif exercises:
                self._block(exercises)
            else:
                self._fail(self._lines[0], "expected [exercise] before the first site")

    def _exercises(self, line: _Line, words: str) -> list[str]:
        names = [name.strip() for name in words.split(",")]
        unknown = [name for name in names if name not in self._solutions]
        if unknown:
            self._fail(line, f"no exercise {_quoted(unknown)}; there are {_quoted(self._solutions)}")
        return names

    def _block(self, exercises: list[str]) -> None:
        """Some sites and the mistakes that are made there."""
        sites: list[_Line] = []
        while self._lines and self._lines[0].depth == 0 and not SECTION.fullmatch(self._lines[0].text):
            sites.append(self._lines.popleft())
        if not sites:
            self._fail(self._lines[0], f"expected a site; {DEPTHS}")
        for site in sites:
            for name in exercises:
                with self._at(site, name):
                    _found(_tree(self._solutions[name]), site.text)
        if not self._lines or self._lines[0].depth == 0:
            self._fail(sites[-1], "no mistake stands below this site")
        while self._lines and self._lines[0].depth:
            self._mistake(exercises, [site.text for site in sites])

    def _mistake(self, exercises: list[str], sites: list[str]) -> None:
        first = self._lines[0]
        code, name = self._replacement()
        way = next((self._ways[e][name] for e in exercises if name in self._ways.get(e, {})), None)
        hint = way.hint if way else self._hint(first)
        if len(sites) > 1 and len(code) != len(sites):
            self._fail(
                first, f"{len(sites)} sites stand above: expected a line for each, here are {len(code)}"
            )
        edits = list(zip(sites, code if len(sites) > 1 else ["\n".join(code)], strict=True))
        mutant = Mutant(name, *edits[0], hint, more=tuple(edits[1:]))
        for exercise in exercises:
            before = self._named.setdefault((exercise, name), first.number)
            if before != first.number and not way:
                self._fail(first, f"{exercise!r} has a mistake named {name!r} already, in line {before}")
            with self._at(first, exercise):
                mistaken(self._solutions[exercise], mutant.edits)
            self.mistakes[exercise].append(mutant)

    def _replacement(self) -> tuple[list[str], str]:
        """The lines that stand in the place of the sites, and the mistake's name behind the last of them."""
        first = self._lines[0]
        if first.depth != REPLACEMENT:
            self._fail(first, f"this line is indented by {first.depth}; {DEPTHS}")
        code: list[str] = []
        while self._lines and self._lines[0].depth >= REPLACEMENT:
            text = self._lines[0].text[REPLACEMENT:]
            if len(code) == 1 and text.startswith(" ") and _is_python(code[0]):
                break  # this is the hint
            self._lines.popleft()
            named = NAMED.fullmatch(text)
            code += [named[1] if named else text]
            if named and code != [""]:
                return [line for line in code if line], named[2]
        self._fail(first, "expected `what stands there instead  # name`, and the hint below")

    def _hint(self, mistake: _Line) -> str:
        words = []
        while self._lines and self._lines[0].depth > REPLACEMENT:
            line = self._lines.popleft()
            if line.depth != HINT:
                self._fail(line, f"this line is indented by {line.depth}; {DEPTHS}")
            words.append(line.text.strip())
        if not words:
            self._fail(mistake, f"expected a hint below the mistake, indented by {HINT} spaces")
        return " ".join(words)

    @contextmanager
    def _at(self, line: _Line, exercise: str) -> Iterator[None]:
        """Says of what goes wrong at which line it does."""
        try:
            yield
        except CourseError as error:
            self._fail(line, f"[{exercise}] {error}")

    def _fail(self, line: _Line, words: str) -> NoReturn:
        raise CourseError(f"{self._path}, line {line.number}: {words}") from None


@cache  # each mistake is tried when it is read, and made again for every exercise that calls this one
def mistaken(solution: str, edits: tuple[tuple[str, str], ...]) -> str:
    """A solution's text with edits made in its syntax tree, all at once.

    Args:
        solution: the statements of a function's body.
        edits: pairs (site, replacement). A site is an expression, a statement, or adjacent statements
            joined by `;`; one that stands several times is followed by `# 2 of 3`. Where a site is a
            statement, a statement `...` in the replacement is the site itself.

    Raises:
        CourseError: a site is not found just once, a replacement does not fit, or nothing changes.
    """
    tree = _tree(solution)
    first = solution.splitlines()[tree.body[0].lineno - 1]
    right = ast.unparse(tree)
    instead: dict[ast.AST, Any] = {}
    for site, replacement in edits:
        place = _found(tree, site)
        instead |= dict.fromkeys(place)
        instead[place[0]] = _fitting(replacement, site, place)
    rewriting = _Rewriting(instead)
    wrong = ast.unparse(rewriting.visit(tree))
    if rewriting.made < len(instead) or len(instead) < len(edits):
        raise CourseError(f"the sites {_quoted(site for site, _ in edits)} overlap: make one site of them")
    if wrong == right:
        raise CourseError(f"{edits[0][1]!r} changes nothing")
    return textwrap.indent(wrong, first[: len(first) - len(first.lstrip())]) + "\n"


class _Rewriting(ast.NodeTransformer):
    """Puts something else in the place of nodes, and counts them; looks no further inside."""

    def __init__(self, instead: Mapping[ast.AST, Any]):
        self._instead = instead
        self.made = 0

    def visit(self, node: ast.AST) -> Any:
        if node not in self._instead:
            return self.generic_visit(node)
        self.made += 1
        return self._instead[node]


def _found(tree: ast.Module, site: str) -> list[Any]:
    """What a site means: one expression, or adjacent statements."""
    several = ONE_OF_SEVERAL.fullmatch(site)
    code, which, count = (several[1], int(several[2]), int(several[3])) if several else (site, 1, 1)
    wanted = _parsed(code)
    if len(wanted) == 1 and isinstance(wanted[0], ast.Expr):
        places = list(_expressions(tree, wanted[0].value))
    else:
        places = list(_runs(tree, wanted))
    if not places:
        raise CourseError(
            f"the solution has no {code!r}: a site is a whole expression or statement that stands there, "
            "or neighbouring statements joined by `;`"
        )
    if len(places) != count or not 1 <= which <= count:
        asked = "once" if not several else f"as number {which} of {count}"
        say = f": say which, `{code}  # 1 of {len(places)}`" if len(places) > 1 else ""
        raise CourseError(f"{code!r} is asked for {asked}, but the solution has it {len(places)} times{say}")
    return sorted(places, key=lambda place: (place[0].lineno, place[0].col_offset))[which - 1]


def _expressions(tree: ast.Module, wanted: ast.expr) -> Iterator[list[Any]]:
    """The expressions that read as the wanted one; one that is a statement by itself, as that statement."""
    alone = {node.value: node for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    text = ast.unparse(wanted)
    for node in ast.walk(tree):
        if isinstance(node, type(wanted)) and ast.unparse(node) == text:
            yield [alone.get(node, node)]


def _runs(tree: ast.Module, wanted: list[ast.stmt]) -> Iterator[list[Any]]:
    """The adjacent statements that read as the wanted ones."""
    texts = [ast.unparse(statement) for statement in wanted]
    for node in ast.walk(tree):
        for _, body in ast.iter_fields(node):
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                for start in range(len(body) - len(wanted) + 1):
                    run = body[start : start + len(wanted)]
                    if [ast.unparse(statement) for statement in run] == texts:
                        yield run


def _fitting(replacement: str, site: str, place: Sequence[ast.AST]) -> Any:
    """What stands in a place instead: statements for statements, an expression for an expression."""
    wrong = _parsed(replacement)
    if isinstance(place[0], ast.stmt):
        kept = [copy.deepcopy(node) for node in place]
        return [node for statement in wrong for node in (kept if _is_kept(statement) else [statement])]
    if len(wrong) == 1 and isinstance(wrong[0], ast.Expr) and not _is_kept(wrong[0]):
        return wrong[0].value
    raise CourseError(f"{site!r} is an expression: expected another in its place, not {replacement!r}")


def _tree(solution: str) -> ast.Module:
    try:
        return ast.parse(textwrap.dedent(solution))
    except SyntaxError as error:
        raise CourseError(f"the reference solution is no Python: {error.msg}") from None


def _is_kept(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and ast.unparse(statement) == "..."


def _parsed(code: str) -> list[ast.stmt]:
    try:
        return ast.parse(code).body
    except SyntaxError as error:
        raise CourseError(f"{code!r} is no Python: {error.msg}") from None


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(repr(word) for word in words)
