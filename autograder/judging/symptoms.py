"""A wrong answer that looks like no known mistake -> the kind of mistake that its failure tells.

The last resort of a diagnosis. It reads what the checks say (an error, a structure, a shape, a pattern along
the time steps) and adds what kind of mistake that is, and where to look.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from autograder.record import Diagnosis

# What a check says (a regular expression), the kind of mistake, a hint. The first that fits counts.
SYMPTOMS = (
    # errors
    (
        "shapes do not fit in a product",
        "a matrix product whose shapes do not fit",
        "Write both shapes side by side: the inner two must be equal. Is a transposition missing, or do the "
        "factors stand the wrong way round?",
    ),
    (
        "do not fit entry by entry",
        "an operation entry by entry on shapes that do not fit",
        "`*`, `/` and `+` work entry by entry. Is a product `@` meant, or `keepdims=True` after a sum?",
    ),
    (
        "could not broadcast input",
        "an array is stored where one of another shape belongs",
        "Compare the shape you made the array with and the shape of what you put into it.",
    ),
    (
        "must match exactly|inhomogeneous|must have (the )?same (shape|number)",
        "arrays of different shapes are put together",
        "Print the shapes of the parts: which of them is another than you think?",
    ),
    (
        "not have enough dimensions",
        "a single number where a matrix belongs",
        "A product `@` needs two arrays: which factor is a number, or a row's one entry?",
    ),
    (
        "setting an array element with a sequence",
        "an array is stored in the place of one number",
        "How many axes has the array you made, and how many has what you put into it?",
    ),
    ("need at least one array", "nothing was collected", "Does anything get into the list, in every round?"),
    ("AxisError", "an axis that the array does not have", "Two axes have the numbers 0 and 1."),
    ("RecursionError", "the function calls itself without end", "Which function was meant in that line?"),
    (
        "truth value of an array",
        "one truth value is asked of a whole array",
        "`if`, `and`, `max` need one value; `np.where` and `np.maximum` work entry by entry.",
    ),
    (
        "values to unpack",
        "a value is taken apart into too many or too few names",
        "How many values stand on the right? Print them, or their shape.",
    ),
    (
        "too many indices",
        "an index for an axis that the array does not have",
        "Print the array's shape: it has fewer axes than you give indices.",
    ),
    (
        "only integers, slices",
        "an index that is no whole number",
        "`/` gives a float, `//` a whole number.",
    ),
    (
        "it stops with IndexError",
        "an index beyond the end",
        "An axis of size n has the indices 0 to n - 1: which index belongs to which axis?",
    ),
    ("it stops with KeyError", "a key that is not there", "Read the keys in the docstring once more."),
    (
        "it stops with NameError",
        "a name that is not defined here",
        "Is it spelled as in the line that makes it? Only the arguments are sure to be there.",
    ),
    (
        "it stops with UnboundLocalError",
        "a variable is used before it has a value",
        "What is its value before the first round of the loop?",
    ),
    (
        "type dict|'dict'",
        "a dict where an array belongs",
        "Which of its entries is meant?",
    ),
    (
        "Cannot interpret|as a data type",
        "a shape that is no tuple",
        "A shape is one argument: `np.zeros((T, H))`.",
    ),
    (
        "length-1 arrays|0-dimensional arrays can be",
        "a function of single numbers is given an array",
        "`math.exp` and `float` take one number; `np.exp` takes an array.",
    ),
    (
        "cannot reshape|axes don't match|einstein|einsum|subscripts",
        "a reshape, a transposition or an einsum that does not fit the shape",
        "Write down the shape before and the shape you want after it.",
    ),
    (
        "NoneType",
        "a value that is `None` is used",
        "A function without `return` gives `None`; so does a method that changes a list in place.",
    ),
    (
        "TypeError.*argument",
        "a call whose arguments do not fit",
        "Compare the call, argument by argument, with the first line of the called function.",
    ),
    (
        "a text stands where numbers belong|it stops with (TypeError|UFuncTypeError|AttributeError)",
        "a value of another type than the operation needs",
        "Print the `type(...)` of the values in that line.",
    ),
    ("cannot be read as Python", "the cell is no valid Python", "The slip may be in the line above."),
    (
        "a part is still missing",
        "it calls a function that is not answered yet",
        "Answer that exercise first.",
    ),
    ("did not come to an end", "a loop that does not end", "Does the loop's body bring its end nearer?"),
    ("needed more memory", "something grows without end", "Which array or list grows in the loop?"),
    # structures
    (
        "returns nothing",
        "nothing is returned",
        "`print` shows a value; only `return` hands it to the caller. The end of the function needs one.",
    ),
    (
        "alone \\(is there a comma",
        "a tuple is returned where its one value belongs",
        "A comma behind a value makes a tuple.",
    ),
    (
        "(is|are) returned; (\\d+ are|only)",
        "another number of values is returned than asked for",
        "Compare your `return` with the line Returns of the docstring.",
    ),
    ("should be a dict", "another container where a dict is asked for", "A dict is made by `{key: value}`."),
    ("has no key", "the keys of a dict are others than those asked for", "The docstring lists the keys."),
    ("is a dict; an array", "a dict where an array is asked for", "Which of its members is meant?"),
    ("arrays of different shapes", "arrays of different shapes in one list", "Print their shapes."),
    (
        "not an array of numbers|values, not numbers|is `None`|is an empty list",
        "something that is no array of numbers",
        "Print the `type(...)` of what you return.",
    ),
    # shapes
    (
        "it is transposed",
        "the axes are exchanged",
        "Which axis does the docstring name first? `.T` exchanges two axes, `reshape` cannot.",
    ),
    (
        "axis of size 1 was lost",
        "an axis of size 1 is lost",
        "`x[0]` drops an axis, `x[0:1]` keeps it; `np.squeeze` drops them all.",
    ),
    ("axis of size 1 too many", "an axis of size 1 too many", "`x[0:1]` keeps an axis, `x[0]` drops it."),
    ("stand inside the loop", "only one step is returned", "How far is your `return` indented?"),
    (
        "one part along the first axis is missing",
        "one step, or a sum over all, where every step is asked for",
        "Where is each step's result kept? An array or a list must hold all of them.",
    ),
    (
        "one (time step|position) too many",
        "one step too many",
        "Is the initial state among the results? The shape asked for says whether it belongs there.",
    ),
    (
        "one (time step|position) too few",
        "one step too few",
        "Write down the first and the last index that your loop sees.",
    ),
    (
        "axes are merged or split",
        "axes are merged or split",
        "`ravel`, `hstack` and `concatenate` merge axes; `np.stack` keeps one for each member of a list.",
    ),
    (
        "as many numbers, in another order",
        "the axes stand in another order",
        "Which axis does the docstring name first, which next?",
    ),
    (
        "its first axis is missing",
        "an axis is missing",
        "Was it summed over, or is only one of its parts returned?",
    ),
    (
        "has the shape",
        "another shape than asked for",
        "Print the shapes on the way: where does the first unexpected one arise?",
    ),
    # values
    (
        "got (nan|-?inf)",
        "a number overflows, or is divided by zero",
        "`np.exp` of a large number is inf, and inf / inf is nan: which line makes the first of them?",
    ),
    (
        "only the last (time step|position) is right|are right, the earlier ones are not",
        "what is carried back from step to step, or stored for it, is wrong",
        "The last steps are right. What do you hand to the step before them, and what do you store?",
    ),
    (
        "only the first (time step|position) is right|(time step|position)s 1 to",
        "what is handed from step to step, or stored for it, is wrong",
        "The first steps are right. What does the next one get, and what do you store for it?",
    ),
    (
        "every (time step|position) but the first is right",
        "the first step is wrong",
        "What stands before the first step? There is an initial state, and no index -1.",
    ),
    (
        "every (time step|position) but the last is right",
        "the last step is wrong",
        "What is special at the last step, and does your loop reach it?",
    ),
    (
        "only the (first|last) sequence is right",
        "one sequence of a batch is treated otherwise than the rest",
        "Each column is a sequence of its own: does your code reach all of them, and keep them apart?",
    ),
)


def symptom(failed: Mapping[str, str], right: Sequence[str], edges: Mapping[str, str]) -> Diagnosis | None:
    """The kind of mistake that failed checks tell, or None.

    Args:
        failed: outputs that are wrong for random values, and what is said of each.
        right: outputs that are right for random values.
        edges: special cases that are wrong, and what is said of each.
    """
    for said in failed.values() or edges.values():
        for pattern, name, hint in SYMPTOMS:
            if re.search(pattern, said):
                return Diagnosis(name, hint)
    if len(failed) == 1 and right:
        (name,) = failed
        hint = "All else is right: look only at the lines that make it."
        return Diagnosis(f"a mistake in `{name}` alone", hint)
    if edges and not failed:
        first, *more = edges
        others = f", and {len(more)} more" if more else ""
        hint = "Ordinary values are right: follow your code with this case in mind, line by line."
        return Diagnosis(f"a special case: {first}{others}", hint)
    return None
