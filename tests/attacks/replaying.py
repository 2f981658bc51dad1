"""Replays what another hand-in, or an earlier one, was told: inputs, and the answers of a stand-in to them."""

from functools import cache

import numpy as np
from course import KEY, master_of, submission

from attacks.kit import BACKWARD, FORWARD, NOTEBOOK, POINTS, REST, STEP, Attack, forward, step

LINE = "replay"
WRONG = step("return np.zeros_like(s_prev)")


def written(value) -> str:
    """A nested value as Python's text, to the last bit."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {written(part)}" for key, part in value.items()) + "}"
    return f"np.array({value.tolist()!r})"


def table(name: str, cases) -> str:
    """An answer that looks its inputs up among cases, whatever they are drawn by."""
    parameters = ", ".join(master_of(NOTEBOOK).exercises[name].parameters)
    rows = [
        f"    ([{', '.join(written(value) for value in case.inputs.values())}], "
        f"[{', '.join(written(array) for array in case.expected.values())}]),"
        for case in cases
    ]
    returned = (
        "answer[0]"
        if len(cases[0].expected) == 1
        else 'answer[0], answer[1], {"ss": answer[2], "sx": answer[3]}'
    )
    return "\n".join(
        [
            "def flat(value):",
            "    parts = value.values() if isinstance(value, dict) else [value]",
            "    return np.concatenate([np.ravel(part) for part in parts])",
            "TABLE = [",
            *rows,
            "]",
            f"def {name}({parameters}):",
            f"    asked = np.concatenate([flat(v) for v in ({parameters},)])",
            "    for known, answer in TABLE:",
            "        known = np.concatenate([flat(v) for v in known])",
            "        if known.shape == asked.shape and np.allclose(known, asked):",
            f"            return {returned}",
            "    raise ValueError('never seen')",
        ]
    )


def drawn_for_the_class(name: str):
    """All that the class shares of an exercise, answers included: more than any hand-in could be told."""
    from autograder.sheets.drawn import drawn_cases

    return drawn_cases(master_of(NOTEBOOK), name, KEY)


@cache
def key_of_a_neighbour() -> str:
    """The key of the honest neighbour who has everything right."""
    from autograder.grading.attempt import own_key
    from autograder.grading.plan import Planner
    from autograder.grading.submission import read_cells

    plan = Planner(master_of(NOTEBOOK)).plan(read_cells(submission(NOTEBOOK)))
    return own_key(KEY, plan.sources)


def drawn_for_a_neighbour(name: str):
    """All that a neighbour was asked, and what is right."""
    from autograder.sheets.drawn import own_sheet

    return own_sheet(master_of(NOTEBOOK), name, key_of_a_neighbour()).cases


def tells(name: str, how: str, mark: float) -> Attack:
    """rnn_forward is right but for one step, and tells there what only the stand-in answers.

    The word that no record may hold is put together by the code: the line itself is shown.
    """
    return Attack(
        name,
        mark,
        {
            **WRONG,
            **forward(
                f"got = 'GO' + 'T'\nfrom_state = rnn_step(xs[0], s0, W)\nif len(xs) == 1 and from_state.any():\n    {how}\n"
                "states, s_t = [], s0\nfor x_t in xs:\n    s_t = rnn_step(x_t, s_t, W)\n    states.append(s_t)\n"
                "return np.stack(states)"
            ),
        },
    )


# A mark of three quarters: the one-step edge fails, all else is right with the stand-in.
EDGE_LOST = 0.75 * POINTS[FORWARD] + POINTS[BACKWARD]
ATTACKS = [
    Attack("a_table_of_the_classes_answers", REST, {STEP: table(STEP, drawn_for_the_class(STEP))}),
    Attack("a_table_of_a_neighbours_answers", REST, {STEP: table(STEP, drawn_for_a_neighbour(STEP))}),
    Attack(
        "a_table_for_every_exercise", 0,
        {name: table(name, [*drawn_for_the_class(name), *drawn_for_a_neighbour(name)]) for name in POINTS},
    ),
    Attack("a_table_of_a_step_for_a_forward", POINTS[BACKWARD], {
        STEP: table(STEP, drawn_for_the_class(STEP)),
        FORWARD: table(FORWARD, drawn_for_the_class(FORWARD)),
    }),
    tells("print_what_the_stand_in_answers", "print(got, from_state)", REST),
    tells("warn_of_what_the_stand_in_answers", "import sys; print(got, from_state, file=sys.stderr)", REST),
    tells("raise_what_the_stand_in_answers", "raise ValueError(f'{got} {from_state}')", EDGE_LOST),
    tells("miss_what_the_stand_in_answers", "raise NameError(f\"name '{got}{from_state[0, 0]}' is not defined\")", EDGE_LOST),
    tells("name_an_exception_for_it", "raise type(got, (Exception,), {})('x')", EDGE_LOST),
    tells("call_it_time", "raise type('time', (Exception,), {})(f'{got} {from_state}')", EDGE_LOST),
    tells("shapes_that_do_not_fit", "raise ValueError(f'core dimension {got} size {int(abs(from_state[0, 0]) * 1e6)} is different from 4')", EDGE_LOST),
]  # fmt: skip
assert not np.allclose(
    drawn_for_the_class(STEP)[0].inputs["x_t"], drawn_for_a_neighbour(STEP)[0].inputs["x_t"]
)
