"""What a student meets at `check`: the order of what is shown, names, restarts, loops that do not end."""

import ast
import importlib
import itertools
import json
import re
import subprocess
import sys
import time

import numpy as np
import pytest
from course import NOTEBOOKS, ROOT, TINY, exercises_of, frozen_checks, frozen_sheet, master_of, sampled
from judged import Line, judged

from autograder.answers.time_limit import TimeLimit, TimeUp
from autograder.check import judge_here
from autograder.report.feedback import _emphasised, as_html, as_text, message_id, open_name, where_to_look
from autograder.student_log import remember
from autograder.unanswered import comes_first

HEAD = "def rnn_step(x_t, s_prev, W):\n"
RIGHT = HEAD + '    return np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)\n'
NO_TANH = HEAD + '    return W["ss"] @ s_prev + W["sx"] @ x_t\n'


def judged_source(source, exercise="rnn_step", seconds=6.0):
    notebook = {"np": np}
    exec(compile(source, "<a cell>", "exec"), notebook)
    sheet = frozen_sheet(TINY.name, exercise)
    return judge_here(frozen_checks(TINY.name), sheet, notebook[exercise], seconds)


@pytest.mark.skipif("10_beyond" not in NOTEBOOKS, reason="the variable NOTEBOOKS leaves 10 out")
def test_a_right_function_that_a_given_one_tries_is_right_for_its_callers():
    code = r"return dstates, parallel_scan(factors, writes, s0.T), s0"
    judgement = judged(Line("a cell", "10_beyond", "scan_backward", "", code))
    assert "not right yet: mend" not in as_text(judgement)
    assert "inside `parallel_scan`, which is right: look at your call, in line 2" in as_text(judgement)


@pytest.mark.skipif("10_beyond" not in NOTEBOOKS, reason="the variable NOTEBOOKS leaves 10 out")
def test_an_error_in_what_a_given_function_tries_has_its_line():
    code = r"return factors[::2] * writes"
    judgement = judged(Line("a cell", "10_beyond", "parallel_scan", "", code))
    assert "in line 2 `return factors[::2] * writes`" in as_text(judgement)


@pytest.mark.skipif("10_beyond" not in NOTEBOOKS, reason="the variable NOTEBOOKS leaves 10 out")
@pytest.mark.parametrize(
    ("sign", "said"), [("+", "for the same reason in special cases"), ("-", "in special cases")]
)
def test_a_special_case_in_which_no_number_is_wrong_fails_for_the_reason_that_is_told(sign, said):
    code = rf"states = [s0 := f * s0 {sign} w for f, w in zip(factors, writes)]\nreturn np.stack(states)"
    judgement = judged(Line("a cell", "10_beyond", "parallel_scan", "", code))
    assert f"WRONG  {said} too: " in as_text(judgement)


def test_the_diagnosis_stands_under_the_headline_and_hints_are_folded_behind_it():
    judgement = judged_source(NO_TANH)
    page = as_html(judgement, frozen_sheet(TINY.name, "rnn_step").spec.hints)
    # The headline tells the whole name already, so the last fold does not repeat it.
    folds = ["where to look", "a question", "a way to begin"]
    order = ["not right yet", "Likely mistake", *folds, "wrong first at"]
    assert [page.index(words) for words in order] == sorted(page.index(words) for words in order)
    assert page.count("<summary>Hint") == 3
    in_the_open = re.sub(r"<details.*?</details>", "", page)
    assert judgement.diagnoses[0].hint not in in_the_open
    assert as_text(judgement).splitlines()[1].strip().startswith("Likely mistake: ")


def test_without_a_diagnosis_the_hints_are_the_exercises():
    judgement = judged_source(HEAD + "    return np.cos(s_prev) ** 3\n")
    judgement.diagnoses = []
    hints = frozen_sheet(TINY.name, "rnn_step").spec.hints
    page = as_html(judgement, hints)
    for number, title in enumerate(("the idea", "the shapes", "a way to begin"), start=1):
        assert f"Hint {number}: {title}" in page
    assert page.index("Hint 1") < page.index("wrong first at")


def test_a_backward_whose_forward_is_not_here_is_told_that_slopes_were_not_compared():
    source = master_of(TINY.name).exercises["rnn_step_backward"].source
    alone = judged_source(source, "rnn_step_backward")
    assert (alone.status, "Run the cell that defines it" in alone.notes[-1]) == ("right", True)
    assert judged_source(RIGHT + source, "rnn_step_backward").notes == []


def test_an_earlier_function_that_is_not_here_is_no_name_that_is_spelled_wrong():
    judgement = judged_source(
        "def rnn_forward(xs, s0, W):\n    return [rnn_step(xs[0], s0, W)]", "rnn_forward"
    )
    assert judgement.diagnoses == []
    assert judgement.notes[0].startswith("this calls `rnn_step`. Nothing of that name is here")


def test_a_hint_stresses_what_stands_between_asterisks_but_in_code():
    assert _emphasised("Its *first* state. `a *b* c`") == "Its <em>first</em> state. <code>a *b* c</code>"
    assert _emphasised("2 * a * b, `x *= 2` & <b>") == "2 * a * b, <code>x *= 2</code> &amp; &lt;b&gt;"


def test_a_right_answer_is_offered_no_hint():
    page = as_html(judged_source(RIGHT), frozen_sheet(TINY.name, "rnn_step").spec.hints)
    assert "Hint" not in page and "Report it" not in page


def test_a_message_has_an_id_by_which_it_can_be_reported_and_found():
    hints = frozen_sheet(TINY.name, "rnn_step").spec.hints
    judgement = judged_source(NO_TANH)
    found = message_id(judgement)
    assert re.fullmatch(r"rnn_step-value-[0-9a-f]{4}-\d+\.\d+\.\d+", found)
    assert found == message_id(judged_source(NO_TANH))
    assert f"(message {found})" in as_text(judgement)
    last = as_html(judgement, hints).rindex("<details"), as_html(judgement, hints).rindex("</details>")
    assert last[0] < as_html(judgement, hints).index(f"<code>{found}</code>") < last[1]
    judgement.diagnoses = []
    assert re.fullmatch(r"rnn_step-value-\d+\.\d+\.\d+", message_id(judgement))
    others = {
        message_id(judged_source(source)) for source in (HEAD + "    return None\n", HEAD + "    1 / 0\n")
    }
    assert len({found, *others}) == 3


def formulas_of(source):
    """What a solution computes, piece by piece, without blanks."""
    products = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.BinOp))
    return {re.sub(r"\s", "", ast.unparse(node)) for node in products}


@pytest.mark.parametrize(("notebook", "exercise"), sampled(exercises_of(*NOTEBOOKS), 8))
def test_no_name_in_the_open_is_the_answer(notebook, exercise):
    formulas = formulas_of(master_of(notebook).exercises[exercise].source)
    sheet = frozen_sheet(notebook, exercise)
    for mistake in itertools.chain(sheet.mistakes, sheet.slips()):
        name = open_name(mistake.name)
        assert name.strip(" …`")
        assert not re.search(r"instead of|in place of|\bbelongs\b", name), name
        assert not re.search(r"\band …|… and\b", name), name  # three dots for one of two say nothing
        bare = re.sub(r"\s", "", name)
        assert not [formula for formula in formulas if formula in bare], name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("`s_t` where `s_prev` belongs", "`s_t`, where something else is asked for"),
        ("`*` where `@` belongs", "`*`, where something else is asked for"),
        ("`=` for `+=` in dW", "`=`, where something else is asked for, in dW"),
        ("sum of tanhs instead of tanh of the sum", "sum of tanhs, which is not what is asked"),
        ("factor (candidate - s_prev) dropped from dg", "a factor dropped from dg"),
        ("factor c_prev dropped from df (in `step`)", "a factor dropped from df (in `step`)"),
        ("a missing parenthesis: ds * 1 - s_t**2", "a missing parenthesis"),
        ("forget gate turned round (1 - f)", "forget gate turned round"),
        (
            'new state in place of the old one in dW["ss"]',
            'new state, where something else is asked for in dW["ss"]',
        ),
        ("an array where one number belongs", "an array where one number belongs"),
        ("a text where an array belongs", "a text where an array belongs"),
        ("tanh missing", "tanh missing"),
        ("a factor is missing", "a factor is missing"),
        ("off by one: the first step is never reached", "off by one: the first step is never reached"),
        ("one-sided difference, halved", "one-sided difference, halved"),
    ],
)
def test_a_name_tells_what_was_written_not_what_belongs_there(name, shown):
    assert open_name(name) == shown


def test_where_to_look_is_a_line_an_output_or_a_special_case():
    assert where_to_look(judged_source(NO_TANH)).startswith(
        "In what makes `s_t`: the first wrong entry is at unit"
    )
    squeezed = HEAD + '    return np.squeeze(np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t))\n'
    assert "this case: one sequence" in where_to_look(judged_source(squeezed))
    stops_at_one = NO_TANH.replace("    return", "    x_t[:, 1]\n    return")
    assert where_to_look(judged_source(stops_at_one)).startswith("In what makes `s_t`")


def test_a_root_of_a_negative_number_is_told_from_what_overflows():
    root = judged_source(HEAD + '    return np.sqrt(-1 - (W["ss"] @ s_prev) ** 2)\n')
    assert root.misconception == "a root, a power or a logarithm of a number that has none"
    divided = judged_source(HEAD + '    return W["ss"] @ s_prev / 0.0\n')
    assert divided.misconception.startswith("a number overflows")


@pytest.mark.parametrize(
    "body",
    [
        "    while True:\n        pass\n",
        "    while True:\n        try:\n            x_t = x_t + 1\n        except:\n            pass\n",
        "    while True:\n        print('again')\n",
        "    while True:\n        x_t = W['sx'].T @ (W['sx'] @ x_t) * 0\n",
        "    t = 3\n    while t >= 0:\n        s_prev = s_prev * 1\n    return s_prev\n",
        "    return rest()\n\ndef rest():\n    for _ in iter(int, 1):\n        pass\n",
    ],
)
def test_an_endless_loop_comes_to_an_end_and_its_line_is_named(body):
    judged_source(RIGHT)  # what is read once is read
    started, before = time.monotonic(), sys.stdout
    judgement = judged_source(HEAD + body, seconds=1.0)
    assert time.monotonic() - started < 3.0
    assert judgement.status == "wrong"
    assert judgement.misconception == "a loop that does not end"
    assert all("in time" in line for line in as_text(judgement).splitlines() if "WRONG  s_t" in line)
    assert sys.stdout is before


def test_a_limit_is_for_all_calls_together_and_nothing_is_raised_after_it():
    limit = TimeLimit(0.3)
    limit.run(lambda: time.sleep(0.2))
    with pytest.raises(TimeUp):
        limit.run(lambda: [None for _ in iter(int, 1)])
    assert limit.is_over
    time.sleep(0.1)  # where an exception would come, were it on its way


def test_a_limit_cuts_no_import_in_half_and_begins_anew_after_one(tmp_path, monkeypatch):
    (tmp_path / "slow_to_import.py").write_text(
        "import time\nuntil = time.monotonic() + 0.6\n"
        "while time.monotonic() < until:\n    pass\nwhole = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    limit = TimeLimit(0.3)
    limit.run(lambda: importlib.import_module("slow_to_import"))
    assert sys.modules.pop("slow_to_import").whole and not limit.is_over
    with pytest.raises(TimeUp):
        limit.run(lambda: (importlib.import_module("slow_to_import"), [0 for _ in iter(int, 1)]))
    assert sys.modules.pop("slow_to_import").whole


BUSY = """
import threading, time
from autograder.answers.time_limit import TimeLimit, TimeUp

def is_busy(seconds=1e9):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass

for _ in range(3):
    threading.Thread(target=is_busy, daemon=True).start()
before, until, late = set(threading.enumerate()), time.monotonic() + 5, 0
while time.monotonic() < until:
    try:
        TimeLimit(0.001).run(lambda: is_busy(0.02 + late % 10 / 500))
    except TimeUp:
        late += 1
    for _ in range(100):
        pass
assert late > 5 and set(threading.enumerate()) == before, (late, threading.enumerate())
"""


def test_a_limit_that_is_over_as_a_busy_machine_begins_or_ends_it_harms_nobody():
    subprocess.run([sys.executable, "-c", BUSY], check=True, timeout=60)


def test_a_limit_costs_next_to_nothing():
    started = time.perf_counter()
    for _ in range(100):
        TimeLimit(6.0).run(lambda: None)
    assert time.perf_counter() - started < 0.5


def run_cells(folder, *cells):
    """What cells show in a kernel of their own, one after the other: its text, or its error's."""
    (folder / "checks.safetensors").write_bytes(
        (ROOT / "notebooks" / "01_simple_rnn" / "checks.safetensors").read_bytes()
    )
    program = folder / "kernel.py"
    program.write_text(KERNEL)
    done = subprocess.run(
        [sys.executable, str(program)],
        input=json.dumps(cells),
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


KERNEL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance()
shell.colors = "nocolor"
said = []
for cell in json.load(sys.stdin):
    with capture_output() as shown:
        shell.run_cell(cell, store_history=True)
    said.append(shown.stdout + "".join(o.data.get("text/plain", "") for o in shown.outputs))
print(json.dumps(said))
"""
IMPORTS = "import numpy as np\nfrom autograder import check, hint"
FORWARD = (
    "def rnn_forward(xs, s0, W):\n    states, s = [], s0\n    for x_t in xs:\n"
    "        s = rnn_step(x_t, s, W)\n        states.append(s)\n    return np.array(states)\n"
)


def test_in_a_kernel_what_is_missing_after_a_restart_is_said_without_a_stack_trace(tmp_path):
    *_, check_alone, hinted, other, within = run_cells(
        tmp_path,
        IMPORTS,
        "check(rnn_step)",
        "hint(rnn_step)",
        "check(nothing)",
        FORWARD + "check(rnn_forward)",
    )
    for said in (check_alone, hinted):
        assert "run its cell again" in said
        assert "`rnn_step`" in said
        assert "Traceback" not in said
    assert "Traceback" in other
    assert "run its cell again" in within
    assert "`rnn_step`" in within


def test_in_a_kernel_a_cell_says_which_exercise_comes_first_without_a_stack_trace(tmp_path):
    stub = HEAD + '    raise NotImplementedError("rnn_step")\n'
    _, needs_it, needs_that, other, unknown = run_cells(
        tmp_path,
        IMPORTS + "\n" + stub,
        "ahead, more = rnn_step(0, 0, 0), 1",
        "ahead + 1",
        "raise NotImplementedError('of my own')",
        "nothing",
    )
    assert "First comes `rnn_step`" in needs_it
    assert "First comes `rnn_step`: `ahead` is made by a cell above" in needs_that
    assert "Traceback" not in needs_it + needs_that
    assert "Traceback" in other
    assert "Traceback" in unknown


def test_in_a_kernel_the_name_in_the_call_is_the_exercise(tmp_path):
    wrong, renamed, nameless, aliased = run_cells(
        tmp_path,
        f"{IMPORTS}\n{RIGHT}\n{FORWARD}\nrnn_step = rnn_forward\ncheck(rnn_step)",
        f"{RIGHT}\nanother = rnn_step\nrnn_step = None\ncheck(another)",
        'rnn_step = lambda x_t, s_prev, W: np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)\ncheck(rnn_step)',
        "check(\n    rnn_step,\n)",
    )
    assert "rnn_step: not right yet" in wrong
    assert "your `rnn_step` is your `rnn_forward` under another name" in wrong
    assert "a grade tries what is named `rnn_step`" in renamed
    assert "rnn_step: right" in nameless
    assert "rnn_step: right" in aliased


def test_in_a_kernel_what_is_no_function_of_the_notebook_is_said_in_one_line(tmp_path):
    asking = "from autograder import guess, reveal, show_derivation"
    _, array, empty, called, part, number, nameless, kept, derivation = run_cells(
        tmp_path,
        f"{IMPORTS}\n{asking}\n{RIGHT}",
        "check(np.ones(3))",
        "check()",
        'hint("rnn_step")',
        'guess("01.1", nothing=1)',
        'guess("1.1", nothing=1)',
        'guess("01.1", 3)',
        'reveal("01.99")',
        "show_derivation(rnn_step)",
    )
    assert "check(...) takes the function itself" in array and "ndarray" in array
    assert "check(...) takes the function itself, as in check(rnn_step), not nothing" in empty
    assert "hint(...) takes the function itself, as in hint(rnn_step), not its name as a text" in called
    assert "question 01.1 asks for" in part
    assert "asks no question '1.1'" in number and "asks no question '01.99'" in kept
    assert "keeps back no derivation of 'rnn_step'" in derivation
    assert "an answer stands behind its name: " in nameless
    for said in (array, called, part, number, nameless, kept, derivation):
        assert len(said.strip().splitlines()) == 1, said


def test_in_a_kernel_an_endless_loop_names_its_line_and_the_kernel_goes_on(tmp_path):
    started = time.monotonic()
    _, said, after = run_cells(
        tmp_path, IMPORTS, HEAD + "    while True:\n        x_t = x_t + 1\ncheck(rnn_step)", "print(6 * 7)"
    )
    assert time.monotonic() - started < 20
    assert re.search(r"in line [23] `", said), said
    assert "42" in after


def test_in_a_kernel_a_cell_that_needs_an_answer_says_which_comes_first(tmp_path):
    """In one line and no traceback, in the course's own cells; a student's own cells keep theirs."""
    stub = HEAD + '    raise NotImplementedError("rnn_step")'
    demo = 'rnn_step(np.ones((2, 1)), np.zeros((3, 1)), {"ss": np.eye(3), "sx": np.ones((3, 2))})'
    said = run_cells(
        tmp_path,
        IMPORTS,
        demo,
        stub,
        demo,
        "assert 1 == 2, 'of my own'",
        "unknown_of_mine",
    )
    assert said[1].strip().startswith("First comes `rnn_step`: run its cell again")
    assert said[3].strip() == "First comes `rnn_step`: write it, run its cell, then run this one again."
    assert "Traceback" in said[4] and "of my own" in said[4]
    assert "Traceback" in said[5] and "unknown_of_mine" in said[5]


def test_a_claim_of_the_course_that_fails_names_the_answer_that_is_not_right_yet(monkeypatch, tmp_path):
    checks = frozen_checks(TINY.name)
    monkeypatch.setenv("AUTOGRADER_CHECKS", str(checks.path))
    monkeypatch.setenv("AUTOGRADER_PROGRESS", str(tmp_path / "progress.json"))
    (claim,) = (cell.source for cell in master_of(TINY.name).cells if "needs" in cell.metadata)
    said = comes_first(AssertionError(), claim)
    assert said.startswith("First comes `rnn_step`: what is claimed of it here does not hold")
    assert comes_first(AssertionError(), "assert rnn_step is None") == ""
    assert "further up" in comes_first(NameError("no states", name="states"), claim)
    remember(TINY.name, "rnn_step", "right")
    assert comes_first(AssertionError(), claim) == ""
