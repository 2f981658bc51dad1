"""What a check found, in a sentence: the only place where findings become words."""

from __future__ import annotations

from math import isfinite, isnan, prod

from autograder.answers.compare import FROM_ZERO
from autograder.answers.finding import Finding, Kind, lacks_package, stopped
from autograder.answers.outcome import StudentError

# What stands in braces is filled in by `_filled`.
ERRORS = {
    Kind.RAISED: "{error.kind}: {message}",
    Kind.PART_MISSING: "a part is still missing (`NotImplementedError`)",
    Kind.UNFIT_PRODUCT: "the shapes do not fit in a product: an axis of {asked} meets an axis of {got}",
    Kind.UNFIT_SOLVE: (
        "the shapes do not fit in `np.linalg.solve`: the matrix has {asked} rows, the right side {got}"
    ),
    Kind.UNFIT_ENTRIES: (
        "shapes {got} and {asked} do not fit entry by entry; was a matrix product `@` meant?"
    ),
    Kind.UNFIT_OUTER: (
        "shapes {got} and {asked} do not fit entry by entry; was a matrix product `@`, or an outer product, "
        "meant?"
    ),
    Kind.UNFIT_LENGTHS: "shapes {got} and {asked} do not fit entry by entry: their {axis} axes differ",
    Kind.UNFIT_SHAPES: "shapes {got} and {asked} do not fit entry by entry",
    Kind.UNFIT_SUM: "shapes {got} and {asked} do not fit in a sum or a difference",
    Kind.UNFIT_TRANSPOSED: "shapes {got} and {asked} do not fit entry by entry: one is turned",
    Kind.UNFIT_AXIS: "shapes {got} and {asked} do not fit: one was taken over the {axis} axis",
    Kind.UNFIT_KEPT: "shapes {got} and {asked} do not fit: the axis that was summed over is gone",
    Kind.TEXT_FOR_NUMBERS: (
        "a text stands where numbers belong; unpacking a dict gives its keys, not its values"
    ),
    Kind.SYNTAX: "the cell cannot be read as Python: {error.message}",
    Kind.TIME: "it did not come to an end in time (an endless loop?) and was stopped",
    Kind.MEMORY: "it needed more memory than there is",
    Kind.EXIT: "it ended the whole process",
    Kind.CRASH: "the process crashed: {error.message}",
    Kind.UNREADABLE: "the answer could not be read: {error.message}",
}
SHAPES = {
    Kind.SHAPE: "",
    Kind.TRANSPOSED: ": it is transposed",
    Kind.AXIS_LOST: (
        ": an axis of size 1 was lost (a sum without `keepdims=True`, `squeeze`, or an index for a slice)"
    ),
    Kind.AXIS_ADDED: ": there is an axis of size 1 too many (`keepdims`, or a slice for an index)",
    Kind.AXES_MERGED: ": as many numbers, but the axes are merged or split",
    Kind.AXES_REORDERED: ": as many numbers, but the axes stand in another order",
    Kind.PARTS_JOINED: ": as many numbers, but parts are put together along another axis",
    Kind.OTHER_SIZES: ": as many numbers, but the sizes of the axes are others",
    Kind.ARRAY_FOR_NUMBER: "",
    Kind.ONE_STEP: ": only one part along the first axis (does `return` stand inside a loop?)",
    Kind.ALL_STEPS_LOST: (
        ": one part along the first axis is missing; was it summed, or only one part returned?"
    ),
    Kind.FIRST_AXIS_LOST: ": its first axis is missing; was it summed over, or only one part returned?",
    Kind.AXIS_MISSING: ": one of its axes is missing; was it summed over, or only one part returned?",
    Kind.STEP_TOO_MANY: ": one {axis} too many",
    Kind.STEP_TOO_FEW: ": one {axis} too few",
    Kind.ENTRY_TOO_MANY: ": one too many along the first axis",
    Kind.ENTRY_TOO_FEW: ": one too few along the first axis",
}
# Seventeen digits tell any two floats apart.
FEWEST_DIGITS, MOST_DIGITS = 6, 17
BRING_IT = "Set it in a cell of your own or in the answer's cell, or take it from the arguments"
BRING_REST = "Set the other names in a cell of your own, or take them from the arguments"
# Said in other words than the exception's: its name is left out.
NUMPYS_OWN = (
    Kind.UNFIT_PRODUCT,
    Kind.UNFIT_SOLVE,
    Kind.UNFIT_ENTRIES,
    Kind.UNFIT_OUTER,
    Kind.UNFIT_LENGTHS,
    Kind.UNFIT_SHAPES,
    Kind.UNFIT_SUM,
    Kind.UNFIT_TRANSPOSED,
    Kind.UNFIT_AXIS,
    Kind.UNFIT_KEPT,
    Kind.TEXT_FOR_NUMBERS,
)
OTHERS = {
    Kind.UNANSWERED: "not answered yet",
    Kind.MISSING: "there is no function {names}; its name and its cell must stay as they are",
    Kind.NOTHING_RETURNED: "your function returns nothing (`None`); {names} should be returned",
    Kind.TUPLE_OF_ONE: "a tuple is returned; return {names} alone (is there a comma behind it?)",
    Kind.SEVERAL_FOR_ONE: "{got} values are returned; only {names} is asked for",
    Kind.ONE_FOR_SEVERAL: "one value is returned; {count} are asked for: {names}, in this order",
    Kind.ANOTHER_COUNT: "{got} values are returned; {count} are asked for: {names}",
    Kind.DICT_FOR_ARRAY: "`{leaf}` is a dict; an array is asked for",
    Kind.NO_DICT: '`{leaf.output}` should be a dict with the key "{leaf.key}"',
    Kind.NO_KEY: '`{leaf.output}` has no key "{leaf.key}" (its keys: {listed})',
    Kind.NONE_FOR_ARRAY: "`{leaf}` is `None`; an array is asked for",
    Kind.NO_ARRAY: "`{leaf}` is a `{got}`, not an array of numbers",
    Kind.NO_NUMBERS: "`{leaf}` holds `{got}` values, not numbers",
    Kind.EMPTY_LIST: "`{leaf}` is an empty list",
    Kind.UNLIKE_SHAPES: "`{leaf}` is a list of arrays of different shapes: {listed}",
    Kind.ANOTHER_BEHAVIOUR: (
        "called a second time with the same arguments, it does not behave as the first time"
    ),
    Kind.ANOTHER_SHAPE: "`{leaf}` has another shape when called a second time with the same arguments",
    Kind.ANOTHER_VALUE: "`{leaf}` is another one when called a second time with the same arguments",
    Kind.WATCHED: "{got}",
    Kind.ONE_ARRAY_FOR_ALL: "a call changes what the call before it returned: both returned the same array",
    Kind.CHANGED_ARGUMENTS: "changed in place: {names}",
    Kind.AGREES: "agrees with the numeric gradient of the forward",
    Kind.NO_GRADIENT: "no numeric gradient: {cause}",
    Kind.FORWARD_STOPS: "the forward stops with {error.kind}",
    Kind.FORWARD_SHAPE: "the forward's `{leaf}` has the shape {got}",
    Kind.TOO_MANY_ENTRIES: "there are too many entries to try",
    Kind.GRADIENT_SHAPE: "`{leaf}` has the shape {got}; {names} has {asked}",
    Kind.GRADIENT_VALUE: "beside numeric differences {cause}",
    Kind.UNDERIVED: (
        "the numbers are right, but they are not derived: {names} is gone through again for every number, "
        "and the states that are given are not used"
    ),
    Kind.COMPLEX_STEPS: "the numbers are right, but they are not derived: they come from complex steps",
    Kind.ANOTHER_FORWARD: "your backward is right, but your own {names} is another function: {cause}",
}


def sentence(found: Finding | None) -> str:
    """What a check found, in a sentence; "" for nothing."""
    if found is None:
        return ""
    asked = ", ".join(f"`{name}` = {value}" for name, value in found.called_with)
    return _sentence(found) + (f" (called with {asked})" if asked else "")


def _sentence(found: Finding) -> str:
    if found.kind in SHAPES:
        asked = f"{found.asked} is asked for" if found.asked else "one number, of shape (), is asked for"
        return f"`{found.leaf}` has the shape {found.got}; {asked}{_filled(SHAPES[found.kind], found)}"
    if found.kind in (Kind.VALUE, Kind.NOT_FINITE):
        return _value(found)
    if found.kind in ERRORS and found.error:
        starts = "it stops with " if found.error.kind[:1].isupper() else ""
        in_our_words = found.kind in (*NUMPYS_OWN, Kind.PART_MISSING)
        return ("it stops: " if in_our_words else starts) + _error(found, found.error)
    if found.kind is Kind.CELL_STOPS and found.error:
        return f"your answer's cell stops: {cell_error(found.error)}"
    if found.kind is Kind.NOT_WHERE_GRADED:
        reasons = "; ".join(f"`{name}`: {why}" for name, why in zip(found.names, found.got, strict=True))
        return f"right here, but not where it is graded. {reasons}. {_remedy(found)}"
    return _filled(OTHERS[found.kind], found)


def _remedy(found: Finding) -> str:
    """What to do about names that are not there where it is graded: no cell brings a package."""
    is_package = [lacks_package(why) for why in found.got]
    there = ", ".join(f"`{package}`" for package in found.asked)
    without = f"No cell can bring a package there: write it with {there} and Python's own library alone"
    if not any(is_package):
        return BRING_IT
    return without if all(is_package) else f"{without}. {BRING_REST}"


def cell_error(error: StudentError) -> str:
    """The error that stopped a cell, in words."""
    return _error(stopped(error), error)


def _filled(words: str, found: Finding) -> str:
    several = found.got if isinstance(found.got, tuple) else ()
    return words.format(
        leaf=found.leaf,
        names=", ".join(f"`{name}`" for name in found.names),
        count=len(found.names),
        got=found.got,
        asked=found.asked,
        listed=", ".join(f'"{one}"' if isinstance(one, str) else str(one) for one in several) or "none",
        axis=found.axis,
        error=found.error,
        message=found.error.message.strip() if found.error else "",
        cause=sentence(found.cause),
    )


def _error(found: Finding, error: StudentError) -> str:
    """An error, with the line of the cell where it arose."""
    source = f" `{error.source.strip()}`" if error.source.strip() else ""
    said = _filled(ERRORS[found.kind], found)
    if error.inside:
        said = _with_place(said, f"inside `{error.inside}`, which is right: look at your call")
    if not error.line:
        return said + source
    colon = ":" if said.endswith("?") else ""
    return f"{_with_place(said, f'in line {error.line}')}{colon}{source}"


def _with_place(said: str, place: str) -> str:
    """Words and where it was; behind a question the place begins a sentence of its own."""
    return f"{said} {place[0].upper()}{place[1:]}" if said.endswith("?") else f"{said}, {place}"


def _value(found: Finding) -> str:
    """The first wrong entry: where it is, what it should be, and what is right beside it."""
    size = prod(size for _, _, size in found.place)
    share = "" if size == 1 else f" ({found.wrong} of {size} entries are wrong)"
    asked, got = _told_apart(found.asked, found.got)
    numbers = f"expected {asked}, got {got}{share}"
    right = f"; {right_part(found)}" if found.right else ""
    return f"`{found.leaf}` is wrong first at {place(found)}: {numbers}{right}"


def place(found: Finding) -> str:
    """An index in words: "time step 3 of 5, unit 1 of 4, sequence 2 of 2 (index [2, 0, 1])"."""
    if not found.place:
        return "its one number"
    parts = ", ".join(
        f"{word} {index} of 0 to {size - 1}" if word in FROM_ZERO else f"{word} {index + 1} of {size}"
        for word, index, size in found.place
    )
    return f"{parts} (index {[index for _, index, _ in found.place]})"


def _told_apart(one: float, other: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ."""
    for digits in range(FEWEST_DIGITS, MOST_DIGITS):
        shown = _number(one, digits), _number(other, digits)
        if shown[0] != shown[1]:
            return shown
    return _number(one, MOST_DIGITS), _number(other, MOST_DIGITS)


def _number(value: float, digits: int) -> str:
    if isfinite(value):
        return f"{value:.{digits}g}"
    return "nan (not a number)" if isnan(value) else str(value)


def right_part(found: Finding) -> str:
    """Which parts along an axis are right: the first ones, or the last ones; "" where it is neither."""
    if not found.right:
        return ""
    axis, (start, end, size) = found.axis, found.right
    if end - start == 1:
        return f"only the {'first' if start == 0 else 'last'} {axis} is right"
    if end - start == size - 1:
        return f"every {axis} but the {'last' if start == 0 else 'first'} is right"
    others = "later" if start == 0 else "earlier"
    first = 0 if axis in FROM_ZERO else 1
    return f"{axis}s {start + first} to {end - 1 + first} are right, the {others} ones are not"
