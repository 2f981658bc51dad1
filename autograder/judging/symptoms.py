"""A wrong answer that looks like no known mistake -> the kind of mistake that its failure tells.

The last resort of a diagnosis. It reads what the checks found (an error, a structure, a shape, what is right
along the time steps) and adds what kind of mistake that is, and where to look.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from autograder.answers.compare import STEPS, plural
from autograder.answers.finding import NO_PACKAGE, Finding, Kind, is_of_newer_python
from autograder.record import Diagnosis

# A kind of mistake and a hint.
Words = tuple[str, str]

NO_ARRAY = ("something that is no array of numbers", "Print the `type(...)` of what you return.")
ANOTHER_COUNT = (
    "another number of values is returned than asked for",
    "Compare your `return` with the line Returns of the docstring.",
)
ANOTHER_SHAPE = (
    "another shape than asked for",
    "Print the shapes on the way: where does the first unexpected one arise?",
)
ANOTHER_TYPE = (
    "a value of another type than the operation needs",
    "Print the `type(...)` of the values in that line.",
)

AXIS_MISSING = ("an axis is missing", "Was it summed over, or is only one of its parts returned?")

SYMPTOMS: dict[Kind, Words] = {
    # the call stopped
    Kind.UNFIT_PRODUCT: (
        "a matrix product whose shapes do not fit",
        "Write both shapes side by side: the inner two must be equal. Is a transposition missing, or do the "
        "factors stand the wrong way round? Is it the right matrix? Or is no product of matrices meant?",
    ),
    Kind.UNFIT_SOLVE: (
        "a system of equations whose right side does not fit",
        "`np.linalg.solve(A, b)` finds x with A @ x = b: b has a row for each row of A. Does yours stand, "
        "or is it lying on its side?",
    ),
    Kind.UNFIT_ENTRIES: (
        "an operation entry by entry on shapes that do not fit",
        "`*` and `/` work entry by entry. Is a matrix product `@` meant? If not, print both shapes: which of "
        "them is another than you think?",
    ),
    Kind.UNFIT_OUTER: (
        "a product entry by entry of arrays whose entries do not pair off",
        "Is each entry of the one to meet each entry of the other, or a matrix product meant? If neither, "
        "print both shapes: which of them is another than you think?",
    ),
    Kind.UNFIT_LENGTHS: (
        "an operation entry by entry on arrays of different lengths",
        "All but one of their axes agree. If these are slices, write down which indices each of them takes; "
        "if a sum was made before, which axis should have stayed?",
    ),
    Kind.UNFIT_SHAPES: (
        "an operation entry by entry on shapes that have little in common",
        "Along each axis both need the same size, or one of them 1. Print both shapes: which of them is "
        "another than you think?",
    ),
    Kind.UNFIT_SUM: (
        "a sum or a difference of arrays whose shapes do not fit",
        "What is added must have one shape: print both. Which of them is another than you think?",
    ),
    Kind.UNFIT_TRANSPOSED: (
        "one of two arrays is transposed",
        "Rows of the one are columns of the other. Which of them has the axes that the docstring names?",
    ),
    Kind.UNFIT_AXIS: (
        "taken over the wrong axis",
        "The axis you name counts the {axis}. Which axis is to be gone afterwards, and which is to stay?",
    ),
    Kind.UNFIT_KEPT: (
        "an axis is gone after a sum",
        "With `keepdims=True` a sum keeps an axis of size 1, and then the shapes fit.",
    ),
    Kind.TEXT_FOR_NUMBERS: (
        "a text where an array belongs",
        "A dict that is unpacked, or looped over, gives its keys; `W[key]` gives the array.",
    ),
    Kind.SYNTAX: (
        "the cell is no Python",
        "Look at the line that is named, and at the one above it: a bracket or a quote left open, a colon "
        "missing?",
    ),
    Kind.PART_MISSING: ("it calls a function that is not answered yet", "Answer that exercise first."),
    Kind.TIME: ("a loop that does not end", "Does the loop's body bring its end nearer?"),
    Kind.MEMORY: ("something grows without end", "Which array or list grows in the loop?"),
    # structures
    Kind.NOTHING_RETURNED: (
        "nothing is returned",
        "What a function makes is lost, printed or not, unless `return` hands it to the caller. The end of "
        "yours needs one.",
    ),
    Kind.TUPLE_OF_ONE: (
        "a tuple is returned where its one value belongs",
        "A comma behind a value makes a tuple.",
    ),
    Kind.SEVERAL_FOR_ONE: ANOTHER_COUNT,
    Kind.ONE_FOR_SEVERAL: ANOTHER_COUNT,
    Kind.ANOTHER_COUNT: ANOTHER_COUNT,
    Kind.NO_DICT: ("another container where a dict is asked for", "A dict is made by `{key: value}`."),
    Kind.NO_KEY: ("the keys of a dict are others than those asked for", "The docstring lists the keys."),
    Kind.DICT_FOR_ARRAY: ("a dict where an array is asked for", "Which of its members is meant?"),
    Kind.UNLIKE_SHAPES: ("arrays of different shapes in one list", "Print their shapes."),
    Kind.NONE_FOR_ARRAY: NO_ARRAY,
    Kind.NO_ARRAY: NO_ARRAY,
    Kind.NO_NUMBERS: NO_ARRAY,
    Kind.EMPTY_LIST: NO_ARRAY,
    # shapes
    Kind.TRANSPOSED: (
        "the axes are exchanged",
        "Which axis does the docstring name first? `.T` exchanges two axes, `reshape` cannot.",
    ),
    Kind.AXIS_LOST: (
        "an axis of size 1 is lost",
        "A sum keeps it with `keepdims=True`; `x[0]` drops an axis, `x[0:1]` keeps it; `np.squeeze` drops "
        "them all.",
    ),
    Kind.AXIS_ADDED: (
        "an axis of size 1 too many",
        "`x[0:1]` keeps an axis, `x[0]` drops it. A column that you made by `[:, None]` is a vector again "
        "by `[:, 0]`.",
    ),
    Kind.ARRAY_FOR_NUMBER: (
        "an array where one number is asked for",
        "Is a sum or a mean missing at the end, or one over all that is left?",
    ),
    Kind.ONE_STEP: (
        "only one step is returned",
        "Which line puts the steps together, or keeps each? If there is a loop: how far are that line and "
        "`return` indented?",
    ),
    Kind.ALL_STEPS_LOST: (
        "one step, or a sum over all, where every step is asked for",
        "Where is each step's result kept? An array or a list must hold all of them.",
    ),
    Kind.STEP_TOO_MANY: (
        "one step too many",
        "Is the initial state among the results? The shape asked for says whether it belongs there.",
    ),
    Kind.STEP_TOO_FEW: ("one step too few", "Write down the first and the last step that your code reaches."),
    Kind.AXES_MERGED: (
        "axes are merged or split",
        "`ravel`, `hstack` and `concatenate` merge axes; `np.stack` keeps one for each member of a list.",
    ),
    Kind.AXES_REORDERED: (
        "the axes stand in another order",
        "Which axis does the docstring name first, which next?",
    ),
    Kind.PARTS_JOINED: (
        "parts are put together along the wrong axis",
        "Print the shape of one part, and the shape asked for: along which axis do the parts follow one "
        "another? `np.concatenate` takes `axis=0` where nothing is said, `np.hstack` another.",
    ),
    Kind.OTHER_SIZES: (
        "as many numbers as asked for, but axes of other sizes",
        "Print the shape of each part before it is put together: is one turned that should not be? Or does a "
        "`reshape` cut where no axis ends?",
    ),
    Kind.FIRST_AXIS_LOST: AXIS_MISSING,
    Kind.AXIS_MISSING: AXIS_MISSING,
    Kind.ENTRY_TOO_MANY: ANOTHER_SHAPE,
    Kind.ENTRY_TOO_FEW: ANOTHER_SHAPE,
    Kind.SHAPE: ANOTHER_SHAPE,
    # numbers
    Kind.NOT_FINITE: (
        "a number overflows, or is divided by zero",
        "Too large a number becomes inf, as `np.exp(1000)` does; too small a one becomes 0, as a product of "
        "very many small ones does. Then inf / inf, inf - inf and 0 / 0 are nan. Which line makes the first?",
    ),
}

# Another size of one axis alone; of the first kind only where the finding names that axis.
ONE_AXIS = (Kind.SHAPE, Kind.ENTRY_TOO_MANY, Kind.ENTRY_TOO_FEW)

# NumPy's complaint where inf - inf, inf / inf or 0 / 0 was computed, whatever became of the nan afterwards.
NAN_ON_THE_WAY = "invalid value encountered in (scalar_)?(true_)?(divide|subtract|multiply)"
# NumPy's complaint where a function has no value for what it is given.
NO_ROOT = r"invalid value encountered in (sqrt|log\w*|power|arc\w+)"
NEWER = (
    "the Python that grades cannot read the cell",
    "Did it run in your notebook? Then that line has words of a newer Python: say it in older ones. "
    "Otherwise a bracket or a quote was left open, or a colon is missing.",
)
WITHOUT_A_VALUE = (
    "a root, a power or a logarithm of a number that has none",
    "NumPy's warning names the function. Which sign has what your line puts into it?",
)
# What people write without `np.`, and Python has no function of that name.
OF_NUMPY = (
    "arange|argmax|array|clip|concatenate|cosh?|diag|dot|einsum|exp|eye|linalg|log|maximum|mean|minimum|"
    "ones(_like)?|outer|sinh?|sqrt|stack|tanh|where|zeros(_like)?"
)
# What an array or a list has behind a dot: asked of a dict, it is asked of the wrong thing.
OF_ARRAYS = (
    "T|append|argmax|astype|dot|dtype|flatten|insert|max|mean|min|ndim|ravel|reshape|shape|size|sum|transpose"
)
EMPTY = "is out of bounds for axis 0 with size 0"
# An exception as Python and NumPy write it, "KeyError: 'ss'" (a regular expression). The first that fits
# counts.
ERRORS: dict[str, Words] = {
    "could not broadcast input": (
        "an array is stored where one of another shape belongs",
        "Compare the shape you made the array with and the shape of what you put into it. What a call gives "
        "has the shapes of its arguments: is each of them what it should be?",
    ),
    "must match exactly|inhomogeneous|must have (the )?same (shape|number)|"
    "stack expects each tensor to be equal size|expected sequence of length": (
        "arrays of different shapes are put together",
        "Print the shapes of the parts: which of them is another than you think?",
    ),
    "not have enough dimensions": (
        "a matrix product with something that has no axes",
        "A product `@` needs two arrays: which factor is a single number, or a whole dict?",
    ),
    "setting an array element with a sequence": (
        "an array is stored in the place of one number",
        "How many axes has the array you made, and how many has what you put into it?",
    ),
    "need at least one array": ("nothing was collected", "Does anything get into the list, in every round?"),
    "AxisError": ("an axis that the array does not have", "n axes have the numbers 0 to n - 1."),
    "RecursionError": (
        "the function calls itself without end",
        "For which arguments does it not call itself any more, and are they ever reached? If it should not "
        "call itself at all: which function was meant in that line?",
    ),
    "truth value of an array|Boolean value of Tensor": (
        "one truth value is asked of a whole array",
        "`if`, `and`, `max` need one value; `np.where` and `np.maximum` work entry by entry. Or an array is "
        "taken for a yes or no: which argument of that call is one?",
    ),
    "values are returned; .* asked for": ANOTHER_COUNT,
    "values to unpack": (
        "a value is taken apart into too many or too few names",
        "How many values stand on the right? Print them, or their shape.",
    ),
    "too many indices": (
        "an index for an axis that the array does not have",
        "Print the array's shape: it has fewer axes than you give indices.",
    ),
    "only integers, slices": (
        "an index that is no whole number",
        "`/` gives a float, `//` a whole number. A key in quotes belongs to a dict: is it one that you ask?",
    ),
    EMPTY: (
        "an index into an empty array",
        "The array has no entry along that axis. Which slice, or which call, made it so? (A function that "
        "calls itself must end with the smallest array that it can take.)",
    ),
    r"indexing (tensors|arrays) could not be broadcast": (
        "lists of indices of different lengths",
        "Lists that pick together have one length: one index of each a pick. Print the length of each.",
    ),
    r"^(IndexError|RuntimeError).*(index|Target) -100\b|Class values must be non-negative": (
        "-100 is taken for a class",
        "-100 says that nothing is asked there: leave such places out before you pick by a class.",
    ),
    "^IndexError: list index": (
        "an index beyond the end of a list",
        "How long is the list when that line runs the first time? An empty one has no last entry, either.",
    ),
    "^IndexError|out of bounds for dimension": (
        "an index beyond the end",
        "An axis of size n has the indices 0 to n - 1: which index belongs to which axis?",
    ),
    "^KeyError": ("a key that is not there", "Read the keys in the docstring once more."),
    f"^NameError.*{NO_PACKAGE}|^ModuleNotFoundError": (
        "a package that is not there",
        "Which function of a package that an answer may use, or of Python's own library, does the same?",
    ),
    rf"^NameError: name '({OF_NUMPY})'": (
        "a function of NumPy's without `np.` in front",
        "NumPy's functions are read behind its name: `np.sqrt`.",
    ),
    "^NameError": (
        "a name that is not defined here",
        "Is it spelled as in the line that makes it? Only the arguments are sure to be there. A key of a "
        "dict stands in quotes.",
    ),
    "^UnboundLocalError": (
        "a variable is used before it has a value",
        "Find the line that gives it a value: on every way that line has to come first. What must be known "
        "before what?",
    ),
    # PyTorch's words
    "leaf Variable that requires grad": (
        "a tensor that gets a gradient is changed in place",
        "`x += 1`, `x[i] = …` and methods that end in `_` write into it. Make a new tensor; what becomes a "
        "parameter is drawn before it is one.",
    ),
    "modified by an inplace operation": (
        "something is changed in place that autograd needs",
        "`x += 1`, `x *= 2` and `x[i] = …` overwrite what the way back must read. Make a new tensor.",
    ),
    "backward through the graph a second time": (
        "the way back leads into a graph that is gone",
        "A tensor of an earlier step still remembers how it was made: where should that history end?",
    ),
    "does not require grad": (
        "nothing leads back from the loss",
        "Somewhere the history was cut: by `detach`, `item`, `no_grad`, or a tensor made anew.",
    ),
    "created only for scalar outputs": (
        "`backward` starts at more than one number",
        "The loss is one number: is a mean, or a sum, missing?",
    ),
    "Can't call numpy|converting a tensor to a NumPy": (
        "a tensor with a history is made an array",
        "Stay with PyTorch's own operations (`torch.stack`, not `np.stack`): an array has no way back.",
    ),
    "shapes cannot be multiplied|matmul need|batch1|vector and matrix|inconsistent tensor size": SYMPTOMS[
        Kind.UNFIT_PRODUCT
    ],
    "Expected target size": (
        "classes are looked for along the second axis",
        "Of three axes `F.cross_entropy` takes the second for the classes. A row of scores and one class for "
        "each question is what it takes as it stands.",
    ),
    "size of tensor|batch_size|target must have size|expanded size|number of sizes|"
    "shape of the mask|shape mismatch": (
        "tensors whose shapes do not fit",
        "Print both shapes. Which axis counts the steps, which the sequences, which the entries?",
    ),
    "not result in an equal division": (
        "an array is cut into parts that do not come out even",
        "Print its shape: along which axis do the parts follow one another, and how many are they?",
    ),
    "'(float|int)' object has no attribute 'backward'": (
        "`backward` is asked of a plain number",
        "A number has no history: when does it become one, and when is its history needed for the last time?",
    ),
    "a tensor is asked for": (
        "something else where a tensor belongs",
        "Print the `type(...)` of what you return.",
    ),
    "view size is not compatible": (
        "a `view` of a tensor whose numbers do not lie one after the other",
        "A slice, `transpose` and `permute` leave the numbers where they lie. `reshape` copies them where it "
        "must: is their order the one you want?",
    ),
    "sorted in decreasing order": (
        "sequences are packed that are not in the order of their lengths",
        "Packing has an argument for sequences in any order: its complaint names it.",
    ),
    "nn.Parameter is asked for": (
        "something else where a parameter belongs",
        "A layer, as `nn.Linear` makes it, *has* a matrix; `nn.Parameter(matrix)` *is* one.",
    ),
    "expected target dtype|same dtype|floating point type|infer output dtype|expected scalar type|"
    "must be Long|tensors used as indices|not implemented for '": (
        "numbers of another type than is asked for",
        "Classes and places are whole numbers, scores are floating point: print the `dtype` of each.",
    ),
    "Tensor with .* converted to (a )?(Python )?[sS]calar|one element tensors": (
        "a whole tensor where one number belongs",
        "`item` and `float` take a tensor of one number. Which one is meant?",
    ),
    "non-empty TensorList": ("nothing is in the list", "Does anything get into the list, in every round?"),
    "Dimension out of range|start_dim": (
        "an axis that the tensor does not have",
        "Of three axes the numbers are 0, 1 and 2, or -1 for the last.",
    ),
    "^ZeroDivisionError": ("a division by zero", "What is counted below the line, and is it ever counted?"),
    "single memory location": (
        "several places of a tensor are one and the same",
        "`expand` shows one number at many places; `clone` makes them places of their own.",
    ),
    "object is not callable": (
        "what is called is no function",
        "`a(b)` calls `a`. A product has a sign, `a * (b)`, and an entry square brackets, `a[b]`. Or is a "
        "name of yours also that of a function?",
    ),
    r"bitwise_xor|for \^:": (
        "`^` is no power in Python",
        "A power is written `a**2`; `^` compares the bits of whole numbers.",
    ),
    f"'dict' object has no attribute '(?!({OF_ARRAYS})')": (
        "a key of a dict behind a dot",
        'An entry is taken with brackets and quotes, `W["key"]`, not with a dot.',
    ),
    "type dict|'dict'": ("a dict where an array belongs", "Which of its entries is meant?"),
    "Cannot interpret|as a data type": (
        "a shape that is no tuple",
        "A shape is one argument: `np.zeros((T, H))`.",
    ),
    "length-1 arrays|0-dimensional arrays can be": (
        "a function of single numbers is given an array",
        "`math.exp` and `float` take one number; `np.exp` takes an array.",
    ),
    "repeated axis": (
        "a transposition that names one axis twice",
        "Each axis of the array stands once: write its number where it is to stand in the new shape.",
    ),
    "zero-dimensional arrays cannot": (
        "what is joined is no array with axes",
        "A dict or a single number stands among what is joined: print the shape of each part.",
    ),
    "cannot reshape|axes don't match|einstein|einsum|subscripts|remapped": (
        "a reshape, a transposition or an einsum that does not fit the shape",
        "Write down the shape before and the shape you want after it.",
    ),
    "NoneType": (
        "a value that is `None` is used",
        "A function without `return` gives `None`; so does a method that changes a list in place.",
    ),
    r"before (Module\.)?__init__\(\) call|super\(\)\.__init__\(\)": (
        "`super().__init__()` is missing, or comes too late",
        "A module keeps its parameters in tables that its parent's `__init__` makes: that must have been "
        "called before the first `self.name = …`.",
    ),
    "'bool' object has no attribute": (
        "one `True` or `False` where one for each entry is meant",
        "Print the `type(...)` of both sides of `==`: a tuple as a whole is no array. (`max(-1)` of a tensor "
        "gives two: the values and the places.)",
    ),
    r"object has no attribute|module '.*' has no attribute|there is no self\.": (
        "a name behind a dot that is not there",
        "`a.b`: print `type(a)`. Is it what you think it is? And is the name spelled as where it is made?",
    ),
    r"TypeError.*\b(Sigmoid|Tanh|ReLU)\.__init__": (
        "a layer is made where a function is meant",
        "`nn.Tanh` is a class: `nn.Tanh()` makes a layer, and that can be called. `torch.tanh` is a "
        "function.",
    ),
    "TypeError.*argument": (
        "a call whose arguments do not fit",
        "Compare the call, argument by argument, with the first line of the called function.",
    ),
    "^(TypeError|UFuncTypeError|AttributeError)": ANOTHER_TYPE,
}

THIN = (
    "Is such an axis lost on the way? `np.squeeze`, `ravel` and `x[:, 0]` drop it, `x[:, :1]` keeps it. And "
    "a size of 1 fits any other: is something spread that should not be?"
)
RIGHT_AT_FIRST = (
    "right up to some step, and wrong after it",
    "What does the first wrong step get from its neighbour: is it just what the neighbour made? Look at what "
    "is stored for it, too, and at what the steps begin with.",
)
RIGHT_AT_LAST = (
    "right from some step on, and wrong before it",
    "What does the last wrong step get from its neighbour: is it just what the neighbour made? Look at what "
    "is stored for it, too, and at what the steps begin with.",
)
FIRST_STEP = (
    "the first step is wrong",
    "What stands before the first step? There is an initial state, and no index -1.",
)
LAST_STEP = ("the last step is wrong", "What is special at the last step, and does your code reach it?")
ONE_SEQUENCE = (
    "only one sequence of the batch is right",
    "Each column is a sequence of its own: does your code reach all of them, and keep them apart?",
)


def symptom(
    failed: Mapping[str, Finding],
    right: Sequence[str],
    edges: Mapping[str, Finding],
    thin: Collection[str] = (),
    printed: str = "",
) -> Diagnosis | None:
    """The kind of mistake that failed checks tell, or None.

    Args:
        failed: outputs that are wrong for random values, and what was found of each.
        right: outputs that are right for random values.
        edges: special cases that are wrong, and what was found of each.
        thin: special cases in which an axis has the size 1.
        printed: what the function wrote, NumPy's warnings among it.
    """
    in_call = any(found.error and found.error.inside for found in edges.values())
    if edges and not failed and all(words in thin for words in edges) and not in_call:
        return Diagnosis(f"wrong only where an axis has size 1: {_first_of(edges)}", THIN)
    for output, found in (failed or edges).items():
        if found.kind is Kind.NOT_FINITE and re.search(NO_ROOT, printed):
            return Diagnosis(*WITHOUT_A_VALUE)
        if found.kind is Kind.VALUE and not failed and re.search(NAN_ON_THE_WAY, printed):
            return Diagnosis(*SYMPTOMS[Kind.NOT_FINITE])
        words = (
            _of_call(found)
            or _of_error(found)
            or _of_one_axis(found)
            or SYMPTOMS.get(found.kind)
            or _of_right_block(found)
        )
        if words:
            name, hint = words
            where = f"`{output}`" if _is_wrong_throughout(failed, found) else ""
            return Diagnosis(name, hint.replace("{axis}", plural(found.axis)), where)
    if len(failed) == 1 and right:
        (name,) = failed
        hint = "All else is right: look only at the lines that make it."
        return Diagnosis(f"a mistake in `{name}` alone", hint)
    if edges and not failed:
        hint = "Ordinary values are right: follow your code with this case in mind, line by line."
        return Diagnosis(f"a special case: {_first_of(edges)}", hint)
    return None


def _first_of(edges: Collection[str]) -> str:
    first, *more = edges
    return f"{first}, and {len(more)} more" if more else first


def _of_call(found: Finding) -> Words | None:
    """A right function stopped: it is the call that does not fit it."""
    if found.error is None or not found.error.inside or found.kind is Kind.PART_MISSING:
        return None
    called = found.error.inside
    if EMPTY in found.error.message:
        hint = "Print the shapes of what you hand over: which of them has an axis without entries, and when?"
        return f"a call of `{called}` with an empty array", hint
    hint = f"Compare your call, argument by argument, with the first line of `{called}`: order, and shapes."
    return f"a call of `{called}` with arguments that do not fit", hint


def _of_error(found: Finding) -> Words | None:
    """What an exception's text tells."""
    if found.kind not in (Kind.RAISED, Kind.CELL_STOPS) or found.error is None:
        return None
    if found.error.kind == "syntax":
        return NEWER if is_of_newer_python(found.error.message) else SYMPTOMS[Kind.SYNTAX]
    said = f"{found.error.kind}: {found.error.message}"
    axes = re.search(r"AxisError.*array of dimension (\d+)", said)
    if axes:
        return _no_such_axis(int(axes[1]), f"{found.error.expression} {found.error.source}")
    return next((words for pattern, words in ERRORS.items() if re.search(pattern, said)), None)


def _no_such_axis(axes: int, line: str) -> Words:
    """Of an axis that is not there: the numbers of those that are; and what takes a number for an axis."""
    there = {0: "It has no axis: it is one number.", 1: "It has one axis, number 0."}
    hint = there.get(axes, f"Its axes have the numbers 0 to {axes - 1}.")
    if asked := re.search(r"np\.(max|min|amax|amin)\(", line):
        one = asked[1].removeprefix("a")
        hint += (
            f" `np.{one}(a, 1)` takes its 1 for an axis; `np.{one}imum(a, 1)` compares each number with 1."
        )
    return ERRORS["AxisError"][0], hint


def _of_one_axis(found: Finding) -> Words | None:
    """All axes but one have their sizes: of what that one counts there are too many, or too few."""
    if found.kind not in ONE_AXIS or len(found.got) != len(found.asked) or not found.axis.isalpha():
        return None
    counted = plural(found.axis)
    more = "many" if found.got > found.asked else "few"
    hint = (
        f"All other axes are as asked for. How many {counted} should there be, by the docstring? Count them "
        "in a case small enough for paper, then in your code."
    )
    return f"{ANOTHER_SHAPE[0]}: too {more} {counted}", hint


def _is_wrong_throughout(failed: Mapping[str, Finding], found: Finding) -> bool:
    """Whether another output has no right block along the axis along which this one has."""
    along = [one for one in failed.values() if found.axis in (word for word, _, _ in one.place)]
    return found.right is not None and any(one.right is None for one in along)


def _of_right_block(found: Finding) -> Words | None:
    """What it tells that the first or the last parts along an axis are right."""
    if found.right is None:
        return None
    start, end, size = found.right
    if found.axis not in STEPS:
        return ONE_SEQUENCE if end - start == 1 else None
    if end - start == size - 1 > 1:
        return LAST_STEP if start == 0 else FIRST_STEP
    return RIGHT_AT_FIRST if start == 0 else RIGHT_AT_LAST
