"""Single slips in a piece of code, by kind: a factor left out, an index one off, a sign.

Works on syntax trees; knows nothing of exercises, arrays or marks. Each function of `KINDS` yields what a
node could have become by one slip of its kind.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

Variant = tuple[str, str, ast.AST]  # the slip's name, a hint, and what stands in the node's place


@dataclass(frozen=True)
class Scope:
    """The names of the function that a slip is made in.

    Args:
        known: names that a student can know: arguments, results, and what the notebook's text names.
        names: all variables of the function.
        keys: the strings that variables are indexed with, by variable.
        functions: the exercises that the function calls.
        axes: what the two axes of its arrays count, in words.
        alike: functions that are taken for one another, as they are called ("np.tanh").
        in_words: whether the exercise shows no formula that a hint could speak of.
    """

    known: frozenset[str]
    names: tuple[str, ...]
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()
    axes: tuple[str, str] = ("units", "sequences")
    alike: tuple[str, ...] = ()
    in_words: bool = False

    @property
    def axis_question(self) -> str:
        """The hint where an axis was taken for the other one."""
        return f"Which axis counts the {self.axes[0]}, and which the {self.axes[1]}?"

    def quote(self, node: ast.AST | str, otherwise: str) -> str:
        """A variable (or what is indexed) by its name, if a student can know it."""
        name = node if isinstance(node, str) else _base(node)
        return f"`{name}`" if name in self.known else otherwise


COUNT_TERMS = "Count the terms of each sum in the formula, then yours."
COUNT_FACTORS = "Count the factors of each product in the formula, then yours."
SIGNS = "A summand is added where the formula subtracts, or the reverse."
OPERATION = "Which operation stands between the two in the formula?"
PARENTHESIS = "A parenthesis takes in too much or too little: read the formula's once more."
DIVISOR = "Is it a factor or a divisor?"
SHAPES = "Write the shapes of both factors under the product: which way round are they in the formula?"
WHICH_FUNCTION = "Which of the two functions does the formula apply here?"
APPLIED = "One value has been through that function already."
QUANTITY = "Read the indices in the formula once more: which quantity stands there?"
# The same where the text says in words what is asked for.
IN_WORDS = {
    COUNT_TERMS: "Which summands does the text ask for in each sum? Count them, then yours.",
    COUNT_FACTORS: "Which factors does the text ask for in each product? Count them, then yours.",
    SIGNS: "A sign in a sum is not the one that the text asks for.",
    OPERATION: "Does the text ask for a sum of the two, or for a product?",
    PARENTHESIS: "A parenthesis takes in too much or too little: what belongs together, by the text?",
    SHAPES: "Write the shapes of both factors under the product: which axis has to meet which?",
    QUANTITY: "Which quantity does the text name for this place?",
}


def in_words(hint: str) -> str:
    """A slip's hint for an exercise that shows no formula."""
    return IN_WORDS.get(hint, hint.replace("the formula", "the text"))


# Calls with one argument that are no step of a formula.
NOT_APPLIED = ("append", "eye", "len", "range", "reversed", "zeros")


def _base(node: ast.AST) -> str:
    """The variable that a name, an index or an attribute belongs to, or ""."""
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _changed(node: Any, **fields: object) -> Any:
    """A copy of a node with other fields; the node itself stays as it is."""
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _is_number(node: ast.AST, value: float | None = None) -> bool:
    number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
    return number and (value is None or node.value == value)  # type: ignore[attr-defined]


def _is_text(node: ast.AST) -> bool:
    """Whether an expression is seen to give a text; a choice of two does, where one of them is one."""
    if isinstance(node, ast.IfExp):
        return _is_text(node.body) or _is_text(node.orelse)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_square(node: ast.AST) -> bool:
    if not isinstance(node, ast.BinOp):
        return False
    power = isinstance(node.op, ast.Pow) and _is_number(node.right, 2)
    return power or (isinstance(node.op, ast.Mult) and ast.dump(node.left) == ast.dump(node.right))


def _squared(node: ast.expr) -> ast.expr:
    return ast.BinOp(node, ast.Pow(), ast.Constant(2))


def _is_one_minus(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and _is_number(node.left, 1)


def _factor_words(node: ast.AST) -> str:
    if _is_one_minus(node):
        square = _is_square(node.right)  # type: ignore[attr-defined]
        return "a factor 1 - …² is missing" if square else "a factor 1 - … is missing"
    return "a factor is missing"


def sums(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """A summand left out, a wrong sign, a parenthesis in the wrong place."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add | ast.Sub):
        return
    left, right = node.left, node.right
    if _is_text(left) or _is_text(right):
        for part in (left, right):
            yield (
                "a part of a text is missing",
                "Print the text that your code puts together, in every case.",
                part,
            )
        return
    if isinstance(left, ast.Name) and isinstance(right, ast.Constant) and isinstance(right.value, int):
        return  # `t - 1` is an index: `indices` has better words for it
    if _is_one_minus(node):
        yield "1 - is missing", "One factor has lost its `1 -`.", right
        if isinstance(right, ast.BinOp) and isinstance(right.op, ast.Pow):
            power = _changed(right, left=_changed(node, right=right.left))
            yield "the difference is squared, not the value", "What is squared in the derivative?", power
    else:
        yield "a summand is missing", COUNT_TERMS, left
        yield "a summand is missing", COUNT_TERMS, right
    if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add) and isinstance(node.op, ast.Add):
        for summand in (left.left, left.right):
            yield "only one summand is left", COUNT_TERMS, summand
    other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    yield "a wrong sign in a sum", SIGNS, _changed(node, op=other)
    if isinstance(node.op, ast.Sub) and not _is_number(left, 1):
        hint = "Which of the two is subtracted from the other?"
        yield "a difference the wrong way round", hint, _changed(node, left=right, right=left)
    if isinstance(node.op, ast.Add):
        turned = _changed(node, left=right, right=left, op=ast.Sub())
        yield "a wrong sign in a sum", SIGNS, turned
        yield "a product where a sum belongs", OPERATION, _changed(node, op=ast.Mult())
    for side, other_side in (("left", right), ("right", left)):
        factor = getattr(node, side)
        if isinstance(factor, ast.BinOp) and isinstance(factor.op, ast.Mult):
            near, far = (factor.right, factor.left) if side == "left" else (factor.left, factor.right)
            inner = _changed(node, **{side: near, "right" if side == "left" else "left": other_side})
            yield "a parenthesis in the wrong place", PARENTHESIS, ast.BinOp(far, ast.Mult(), inner)


def products(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """A factor or a divisor left out, a division for a product, a parenthesis that ends too early."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult | ast.Div | ast.Pow):
        return
    left, right = node.left, node.right
    if isinstance(node.op, ast.Pow):
        yield "the square is missing", "One term of the formula is squared.", left
        yield "doubled, not squared", "Twice a number is not its square.", ast.BinOp(left, ast.Mult(), right)
        return
    if isinstance(node.op, ast.Mult):
        yield _factor_words(right), COUNT_FACTORS, left
        yield _factor_words(left), COUNT_FACTORS, right
        yield "a sum where a product belongs", OPERATION, _changed(node, op=ast.Add())
        if _is_one_minus(right) and _is_square(right.right):  # type: ignore[attr-defined]
            slope = _changed(right, right=_squared(left))
            yield "a slope taken at the wrong quantity", QUANTITY, slope
            yield "a slope taken at the wrong quantity", QUANTITY, _changed(node, right=slope)
        yield "divided where the formula multiplies", DIVISOR, _changed(node, op=ast.Div())
    else:
        yield "a division is missing", "What is it divided by in the formula?", left
        yield "multiplied where the formula divides", DIVISOR, _changed(node, op=ast.Mult())
        hint = "Which of the two is divided by the other?"
        yield "a fraction upside down", hint, _changed(node, left=right, right=left)
    for side in ("left", "right"):
        term = getattr(node, side)
        if isinstance(term, ast.BinOp) and isinstance(term.op, ast.Add | ast.Sub):
            near = _changed(node, **{side: term.right if side == "left" else term.left})
            outer = _changed(term, right=near) if side == "left" else _changed(term, left=near)
            yield "a parenthesis in the wrong place", PARENTHESIS, outer


def stacked(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """Two products taken as one, [A B] with [y; x]: where the orders differ the shapes fit all the same."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add):
        return
    left, right = node.left, node.right
    if _is_product(left) and _is_product(right):
        blocks = (left.left, right.left)  # type: ignore[attr-defined]
        parts = (right.right, left.right)  # type: ignore[attr-defined]
        wide, tall = (
            ast.Call(_function(name), [ast.List(list(members), ast.Load())], [])
            for name, members in (("np.hstack", blocks), ("np.vstack", parts))
        )
        hint = "The blocks of the wide matrix and those of the tall one must stand in the same order."
        yield "two stacks in unlike orders", hint, ast.BinOp(wide, ast.MatMult(), tall)


def _is_product(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)


def matrix_products(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """A transposition too many or too few, factors exchanged, `*` for `@`, the matrix left out."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.MatMult):
        return
    for side in ("left", "right"):
        factor = getattr(node, side)
        if isinstance(factor, ast.Attribute) and factor.attr == "T":
            words = scope.quote(factor, "a matrix") + " is not transposed"
            turned: ast.expr = factor.value
        else:
            words = scope.quote(factor, "a matrix") + " is transposed"
            turned = ast.Attribute(factor, "T", ast.Load())
        yield words, SHAPES, _changed(node, **{side: turned})
    hint = "A @ B is not B @ A: which one stands on the left?"
    exchanged = _changed(node, left=node.right, right=node.left)
    yield "a matrix product the wrong way round", hint, exchanged
    yield "`*` where `@` belongs", "One product is taken entry by entry.", _changed(node, op=ast.Mult())
    yield "a matrix product is missing", COUNT_FACTORS, node.right
    yield "a matrix product is missing", COUNT_FACTORS, node.left


def calls(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """A function left out or taken for another; arguments exchanged; a wrong axis; a mean for a sum."""
    if not isinstance(node, ast.Call):
        return
    name = _called(node)
    if name in scope.functions:
        for a, b in combinations(range(len(node.args)), 2):
            arguments = list(node.args)
            arguments[a], arguments[b] = arguments[b], arguments[a]
            hint = f"Compare your call with the order of arguments in `{name}`."
            yield f"two arguments of `{name}` are exchanged", hint, _changed(node, args=arguments)
        return
    if len(node.args) == 1 and name not in NOT_APPLIED:
        yield f"`{name}` is missing", "Which function does the formula apply to this value?", node.args[0]
    alike = {_last(function): function for function in scope.alike}
    for other in alike.values() if name in alike else ():
        if _last(other) != name:
            words = f"`{_last(other)}` where `{name}` belongs"
            yield words, WHICH_FUNCTION, _changed(node, func=_function(other))
    yield from _reductions(node, name, scope)


def _function(name: str) -> ast.expr:
    return ast.parse(name, mode="eval").body


def _last(name: str) -> str:
    """What a dotted name ends in."""
    return name.rpartition(".")[2]


def _reductions(node: ast.Call, name: str, scope: Scope) -> Iterator[Variant]:
    exchanged = {"sum": "mean", "mean": "sum", "max": "sum", "norm": "sum"}
    if name in exchanged and isinstance(node.func, ast.Attribute):
        other = exchanged[name]
        words = f"the {other} is taken, not the {name}"
        func = _function("np.sum") if name == "norm" else _changed(node.func, attr=other)
        yield words, "What does the text ask for over this axis?", _changed(node, func=func)
    axes = [k for k in node.keywords if k.arg == "axis" and isinstance(k.value, ast.Constant)]
    for keyword in axes:
        others = [k for k in node.keywords if k is not keyword]
        turned = _changed(keyword, value=ast.Constant(1 - keyword.value.value))  # type: ignore[attr-defined]
        yield "taken over the wrong axis", scope.axis_question, _changed(node, keywords=[*others, turned])
        yield "taken over all axes", scope.axis_question, _changed(node, keywords=others)
        if name in ("sum", "mean", "max"):
            whole = node.args[0] if node.args else node.func.value  # type: ignore[attr-defined]
            yield f"the {name} over an axis is missing", scope.axis_question, whole


def activations(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """A function applied once too often, to what is its value already."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in scope.names:
        for function in scope.alike:
            words = f"{_last(function)} of {scope.quote(node, 'a value')} where the value itself belongs"
            yield words, APPLIED, ast.Call(_function(function), [node], [])


def names(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """One variable in another's place."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or node.id not in scope.names:
        return
    for other in scope.names:
        if other != node.id:
            wrong, right = scope.quote(other, ""), scope.quote(node, "")
            words = f"{wrong or 'another quantity'} where {right or 'another quantity'} belongs"
            if not wrong and not right:
                words = "one quantity in another's place"
            yield words, QUANTITY, ast.Name(other, ast.Load())


def indices(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """An index one off, or always the same; a wrong key."""
    if not isinstance(node, ast.Subscript):
        return
    array, index = scope.quote(node, "an array"), node.slice
    if isinstance(index, ast.Constant) and isinstance(index.value, str):
        for key in scope.keys.get(_base(node), ()):
            if key != index.value:
                words = f"a wrong key of {array}"
                hint = f"Which of the entries of {array} belongs here?"
                yield words, hint, _changed(node, slice=ast.Constant(key))
    if isinstance(index, ast.Tuple):
        yield from _other_places(node, index, array)
    if isinstance(index, ast.Name) and index.id in ("t", "k"):
        hint = f"Which time step of {array} does the formula name here?"
        for offset, words in ((ast.Sub(), "one time step too early"), (ast.Add(), "one time step too late")):
            shifted = ast.BinOp(index, offset, ast.Constant(1))
            verb = "written" if isinstance(node.ctx, ast.Store) else "taken"
            yield f"{array} is {verb} {words}", hint, _changed(node, slice=shifted)
        for constant, words in ((0, "first"), (-1, "last")):
            fixed = _changed(node, slice=ast.Constant(constant))
            is_stored = isinstance(node.ctx, ast.Store)
            name = f"only the {words} time step of {array} is written" if is_stored else ""
            yield name or f"always the {words} time step of {array}", hint, fixed
    if isinstance(index, ast.BinOp) and isinstance(index.left, ast.Name) and _is_number(index.right, 1):
        hint = f"Which time step of {array} does the formula name here?"
        verb = "written" if isinstance(node.ctx, ast.Store) else "taken"
        yield f"{array} is {verb} one time step too late", hint, _changed(node, slice=index.left)
        further = ast.BinOp(index.left, index.op, ast.Constant(2))
        yield f"{array} is {verb} one time step too early", hint, _changed(node, slice=further)


def _other_places(node: ast.Subscript, index: ast.Tuple, array: str) -> Iterator[Variant]:
    """Another small number among several indices."""
    verb = "written" if isinstance(node.ctx, ast.Store) else "taken"
    for i, entry in enumerate(index.elts):
        for place in (0, 1, 2) if isinstance(entry, ast.Constant) and _is_number(entry) else ():
            entries = [*index.elts[:i], ast.Constant(place), *index.elts[i + 1 :]]
            other = _changed(node, slice=_changed(index, elts=entries))
            yield (
                f"{array} is {verb} at another place",
                f"Which entry of {array} does the text mean here?",
                other,
            )


def branches(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """Two cases treated as one, or the wrong way round."""
    if not isinstance(node, ast.IfExp):
        return
    words, hint = "one of two cases is missing", "The text tells two cases apart; yours treats them alike."
    yield words, hint, node.body
    yield words, hint, node.orelse
    yield (
        "two cases the wrong way round",
        "Which case does the condition mean?",
        (_changed(node, body=node.orelse, orelse=node.body)),
    )


def constants(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """Another small number."""
    if _is_number(node):
        for value in (0, 1, 2):
            if value != node.value:  # type: ignore[attr-defined]
                hint = "Compare the numbers in your code, its limits and indices too, with those of the text."
                yield "another number is meant", hint, ast.Constant(value)


def loops(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """A loop that leaves out a step, goes the wrong way, or ends too soon."""
    if not isinstance(node, ast.For):
        return
    sequence = node.iter
    backwards = isinstance(sequence, ast.Call) and _base(sequence.func) == "reversed"
    inner = sequence.args[0] if backwards else sequence  # type: ignore[attr-defined]
    ends = (ast.Slice(ast.Constant(1), None), ast.Slice(None, ast.Constant(-1)))
    listed = ast.Call(ast.Name("list", ast.Load()), [inner], [])
    for end, words in zip(ends, ("first", "last"), strict=True):
        part: ast.expr = ast.Subscript(listed, end, ast.Load())
        if backwards:
            part = ast.Call(ast.Name("reversed", ast.Load()), [part], [])
        hint = "Write down the first and the last index that your loop sees."
        yield f"the {words} time step is left out", hint, _changed(node, iter=part)
    other_way = inner if backwards else ast.Call(ast.Name("reversed", ast.Load()), [listed], [])
    hint = "In which direction does the signal run: from the first step, or from the last?"
    yield "the time steps in the wrong order", hint, _changed(node, iter=other_way)
    hint = "How often does your loop go round, and how far is its `return` indented?"
    yield "the loop ends after its first round", hint, _changed(node, body=[*node.body, ast.Break()])
    if isinstance(inside := node.body[-1], ast.For):
        once = _changed(inside, body=[*inside.body, ast.Break()])
        body = [*node.body[:-1], once, ast.Break()]
        yield "both loops end in their first round", hint, _changed(node, body=body)


def statements(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """A line left out, two lines in the wrong order, `=` for `+=`, outputs taken in the wrong order."""
    if isinstance(node, ast.AugAssign):
        place = scope.quote(node.target, "an array")
        hint = "Each time step adds its share; does yours keep those of the others?"
        assigned = ast.Assign([node.target], node.value, lineno=node.lineno)
        yield f"{place} is overwritten where it should be added to", hint, assigned
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
        targets = node.targets[0]
        for a, b in combinations(range(len(targets.elts)), 2):
            elements = list(targets.elts)
            elements[a], elements[b] = elements[b], elements[a]
            hint = "Compare the order of the names with the order of what stands on the right."
            exchanged = _changed(targets, elts=elements)
            yield "values taken apart in the wrong order", hint, _changed(node, targets=[exchanged])
    if isinstance(node, ast.For):
        for i, line in enumerate(node.body):
            if len(node.body) > 1:
                hint = "One quantity is not brought up to date, or not stored, in the loop."
                rest = _changed(node, body=[*node.body[:i], *node.body[i + 1 :]])
                yield f"{_updated(line, scope)} in the loop", hint, rest
            if i:
                swapped = [*node.body[: i - 1], line, node.body[i - 1], *node.body[i + 1 :]]
                hint = "Which of the two must happen first: storing, or moving on to the next step?"
                yield "two lines of the loop in the wrong order", hint, _changed(node, body=swapped)


def _updated(line: ast.stmt, scope: Scope) -> str:
    targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", line)]
    elements = targets[0].elts if isinstance(targets[0], ast.Tuple) else targets
    known = [scope.quote(element, "") for element in elements]
    return f"{next((k for k in known if k), 'a quantity')} is never updated"


def collections(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """Entries of a dict, a tuple or a list exchanged."""
    # Where all values are plain ones the dict is a table of the solution's own: others have none.
    if isinstance(node, ast.Dict) and not all(map(_is_plain_value, node.values)):
        for a, b in combinations(range(len(node.values)), 2):
            members = list(node.values)
            members[a], members[b] = members[b], members[a]
            hint = "Which key belongs to which formula?"
            yield "two entries of a dict are exchanged", hint, _changed(node, values=members)
    if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load):
        for a, b in combinations(range(len(node.elts)), 2):
            elements = list(node.elts)
            elements[a], elements[b] = elements[b], elements[a]
            yield (
                "two entries are in the wrong order",
                "Compare the order with the text's.",
                (_changed(node, elts=elements)),
            )


def _is_plain_value(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)
    )


def whole(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """One misunderstanding of all axes: the same slip wherever an axis is named."""
    if isinstance(node, ast.FunctionDef):
        turned = copy.deepcopy(node)
        axes = [k.value for k in ast.walk(turned) if isinstance(k, ast.keyword) and k.arg == "axis"]
        for value in axes:
            if isinstance(value, ast.Constant) and value.value in (0, 1):
                value.value = int(not value.value)
        if len(axes) > 1:
            yield "taken over the wrong axis", scope.axis_question, turned


GUARDS = (1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)


def guards(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """A small number added where a zero could harm."""
    for guard in GUARDS:
        number = ast.Constant(guard)
        if isinstance(node, ast.Call) and len(node.args) == 1 and _called(node).startswith("log"):
            hint = "It moves every answer a little. Can what stands in the logarithm be 0 here at all?"
            inside = ast.BinOp(node.args[0], ast.Add(), number)
            yield "a small number inside the logarithm", hint, _changed(node, args=[inside])
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not _is_number(node.right):
            hint = "It moves every answer a little. Can the divisor be 0 here at all?"
            below = ast.BinOp(node.right, ast.Add(), number)
            yield "a small number in the divisor", hint, _changed(node, right=below)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else _base(node.func)


def starts(node: ast.AST, scope: Scope) -> Iterator[Variant]:
    """An array that starts from other numbers."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        names = {"zeros": "ones", "zeros_like": "ones_like", "eye": "ones"}
        other = names.get(_called(node))
        if other:
            hint = "What stands in your arrays before the loop begins?"
            arguments = [*node.args, *node.args] if _called(node) == "eye" else node.args
            shape = [ast.Tuple(arguments, ast.Load())] if _called(node) == "eye" else arguments
            func = _changed(node.func, attr=other)
            yield "an array that starts from ones", hint, _changed(node, func=func, args=shape)


SlipKind = Callable[[ast.AST, Scope], Iterator[Variant]]
KINDS: tuple[SlipKind, ...] = (
    whole,
    statements,
    loops,
    products,
    sums,
    matrix_products,
    calls,
    indices,
    branches,
    collections,
    activations,
    names,
    constants,
    guards,
    starts,
    stacked,
)
# Those that a student makes at one of several places where a quantity is used.
LOCAL_KINDS: tuple[SlipKind, ...] = (products, sums, matrix_products, stacked, calls, indices)
# Those that two at once are made of.
KINDS_IN_PAIRS: tuple[SlipKind, ...] = (
    statements,
    loops,
    products,
    sums,
    matrix_products,
    calls,
    branches,
    starts,
)
