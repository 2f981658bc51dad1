"""Attacks on the line between worker and grader."""

import time

import pytest

from autograder.sandbox import Limits, Sandbox
from sandbox.calls import answers, error, still_works

FORGE = """
import json, os, struct, time
def safetensors(message, **arrays):
    header, data = {}, b''
    parts = {'message': ('U8', [len(message)], message), **arrays}
    for name, (dtype, shape, part) in parts.items():
        header[name] = {'dtype': dtype, 'shape': shape, 'data_offsets': [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    return struct.pack('<Q', len(text)) + text + data
def frame(blob): return struct.pack('<Q', len(blob)) + blob
def result(number, value=0, extra={}):
    words = {'is': 'Answered', 'number': number, **extra}
    message = json.dumps({'value': value, 'extra': words}).encode()
    return frame(safetensors(message, **{'0': ('F64', [1], struct.pack('<d', 42.0))}))
def everywhere(data):
    for fd in range(64):
        try: os.write(fd, data)
        except OSError: pass
"""


@pytest.mark.parametrize(
    ("deed", "kind"),
    [
        ("everywhere(b'\\0' * 7); os._exit(0)", "exit"),
        ("everywhere(b'\\xff' * 100)", "protocol"),
        ("everywhere(b'\\0' * 100)", "protocol"),
        ("everywhere(struct.pack('<Q', 1 << 40))", "protocol"),
        ("everywhere(struct.pack('<Q', 1000) + b'x'); time.sleep(60)", "time"),
        ("everywhere(frame(result(0))[:-1]); time.sleep(60)", "time|protocol"),
        ("everywhere(result(7))", "protocol"),
        ("everywhere(result(-1))", "protocol"),
        ("everywhere(result([]))", "protocol"),
        ("everywhere(result(0, ['n', 0]))", "protocol"),
        ("everywhere(result(0, 'text'))", "protocol"),
        ("everywhere(result(0, 0, {'is': 'AskStandin', 'name': 'x'}))", "protocol"),
        ("everywhere(result(0, 0, {'is': 'AskStandin', 'name': []}))", "protocol"),
        ("everywhere(result(0, 0, {'is': []}))", "protocol"),
        ("everywhere(frame(safetensors(b'[]')))", "protocol"),
        ("everywhere(frame(safetensors(b'{\"value\": null, \"extra\": ' + b'[' * 10**5)))", "protocol"),
        ("os.close(3); time.sleep(60)", "exit"),
        ("\n    while True:\n        os.write(3, b'\\0'); time.sleep(.01)", "time|protocol"),
    ],
)
def test_forged_frames_end_the_session_and_nothing_else(hasty, deed, kind):
    source = f"{FORGE}\ndef f(x):\n    {deed}\n    return x\n"
    begun = time.monotonic()
    outcome = answers(hasty, source, (1.0,), (2.0,))[0]
    assert time.monotonic() - begun < 10
    assert outcome.error is not None and outcome.error.kind in kind.split("|"), outcome
    still_works(hasty)


@pytest.mark.parametrize("deed", ["os.close(3)", "os.dup2(0, 3)"])
def test_who_closes_the_line_has_given_the_answers_before(hasty, deed):
    first, last = answers(hasty, f"import os\ndef f(x):\n    {deed}\n    return x", (1.0,), (2.0,))
    assert first.value == 1.0
    assert last.error.kind == "exit"
    still_works(hasty)


@pytest.mark.parametrize(
    "deed", ["os.close(4)", "os.ftruncate(4, 0)", "os.dup2(0, 4)", "os.write(4, b'x' * 10**7)"]
)
@pytest.mark.parametrize("end", ["pass", "os._exit(0)"])
def test_who_spoils_the_file_of_answers_spoils_nobody_elses(hasty, deed, end):
    source = (
        f"import os\ndef f(x):\n    try: {deed}\n    except OSError: pass\n    if x > 2: {end}\n    return x"
    )
    outcomes = answers(hasty, source, (1.0,), (2.0,), (3.0,))
    assert all(outcome.error or outcome.value == i for i, outcome in enumerate(outcomes, start=1))
    still_works(hasty)


def test_no_answer_can_be_given_beyond_those_asked_for(hasty):
    forge = f"{FORGE}\ndef f(x):\n    for i in range(9): os.write(4, result(i))\n    return x"
    outcomes = answers(hasty, forge, (1.0,), (2.0,))
    assert [outcome.error and outcome.error.kind for outcome in outcomes] == [None, "protocol"]
    assert outcomes[0].value == 42.0


def test_many_answers_fill_the_file_and_go_on_by_the_line(confined):
    batch = [(float(i),) for i in range(40)]
    with Sandbox(limits=Limits(frame_bytes=8 << 20)) as roomy:
        outcomes = answers(roomy, "def f(x): return np.full(20_000, x)", *batch)
    assert [outcome.value[-1] for outcome in outcomes] == [one for (one,) in batch]


def test_small_answers_behind_one_too_large_for_the_file_keep_their_order(confined):
    """Also where they are ready before the other side has read the large one."""
    batch = [(n, float(i)) for i, n in enumerate([9, 600_000, *[9] * 20, 600_000, 9, 9])]
    with Sandbox() as roomy:
        outcomes = answers(roomy, "def f(n, x): return np.full(n, x)", *batch)
    assert [outcome.error or (len(outcome.value), outcome.value[-1]) for outcome in outcomes] == batch


def test_answers_in_the_file_are_bounded_together(hasty):
    outcomes = answers(hasty, "def f(x): return np.full(20_000, x)", *[(float(i),) for i in range(9)])
    assert [outcome.error and outcome.error.kind for outcome in outcomes] == [None] * 5 + ["protocol"] * 4


def test_a_forged_result_is_a_returned_value_and_no_more(sandbox):
    words = {
        "error": None,
        "printed": 3,
        "complaints": ["x"],
        "changed": ["#0", "<b>", 3, "#x", "#" + "9" * 999],
    }
    source = f"{FORGE}\ndef f(x):\n    os.write(3, result(0, 0, {words!r}))\n    os._exit(0)\n"
    first, second = answers(sandbox, source, (1.0,), (2.0,))
    assert first.value.tolist() == [42.0]
    assert (first.printed, first.complaints, first.changed_inputs) == ("", "", ("#0",))
    assert second.error.kind == "exit"


def test_a_result_with_a_word_that_no_message_has_is_none(sandbox):
    source = f"{FORGE}\ndef f(x):\n    os.write(3, result(0, 0, {{'mark': 100}}))\n    return x\n"
    assert error(sandbox, source).kind == "protocol"


def test_a_forged_error_is_bounded_and_placed_in_our_own_text(sandbox):
    words = {"error": {"kind": "<b>", "message": ["x"], "cell": 99, "line": 10**9, "source": "forged"}}
    source = f"{FORGE}\ndef f(x):\n    os.write(3, result(0, None, {words!r}))\n    os._exit(0)\n"
    problem = error(sandbox, source)
    assert (problem.kind, problem.message, problem.cell, problem.line, problem.source) == (
        "Exception",
        "",
        None,
        None,
        "",
    )


def test_forged_places_are_bounded_and_taken_from_our_own_cells(sandbox):
    forged = [
        [0, 1, 0, 10**9, "f"],
        [0, True, 0, 3, "f"],
        [0, 1, -5, 3, "f"],
        [99, 1, 0, 3, "f"],
        [0, 10**9, 0, 3, "f"],
        "text",
        [0, 1, 0, 6, "<b>x</b>"],
        [0, 1, 0, 6, ["f"]],
        [0, 1, 0, 6, "f" * 10**4],
    ]
    words = {"error": {"kind": "ValueError", "message": "m", "places": forged}}
    source = f"{FORGE}\ndef f(x):\n    os.write(3, result(0, None, {words!r})); os._exit(0)\n"
    outcome = answers(sandbox, source.lstrip(), (1.0,))[0]
    told = {(place.line, place.expression) for place in outcome.places}
    assert told == {(1, ""), (1, "import")}
    assert all(len(place.function) <= 100 and "<" not in place.function for place in outcome.places)


def test_frames_forged_while_the_cells_run_gain_nothing(sandbox):
    source = f"{FORGE}\nos.write(3, result(0))\ndef f(x): return x"
    assert answers(sandbox, source, (1.0,))[0].error.kind == "protocol"
