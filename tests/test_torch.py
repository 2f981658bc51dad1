"""PyTorch in a grade: what a notebook that declares it may do in the sandbox, and what that costs."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from course import NOTEBOOKS, ROOT, folder_of, frozen_checks, master_of, submission
from needs import TORCH, lacking

from autograder.check import CheckFailed, judge_here
from autograder.course.masters import left_out
from autograder.course.names import Namespace
from autograder.course.where_graded import lacking as lacking_names
from autograder.course.where_graded import without
from autograder.sandbox import Limits, Sandbox

NOTEBOOK = "07_training"
pytestmark = pytest.mark.skipif(
    NOTEBOOK not in NOTEBOOKS, reason="the variable NOTEBOOKS leaves it out: unset it"
)


@pytest.fixture(scope="module", autouse=True)
def torch_is_here():
    if left_out(folder_of(NOTEBOOK)):
        lacking(TORCH)


@pytest.fixture(scope="module")
def box(confined, torch_is_here):
    with Sandbox(("numpy", "torch"), Limits()) as sandbox:
        yield sandbox


def tried(box, source, argument=None):
    with box.session(["import torch\nfrom torch import nn", source]) as session:
        (outcome,) = session.call("f", [[np.ones((2, 3)) if argument is None else argument]])
        session.close()
        return outcome, session.usage


TRAINING = """
def f(x):
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)).double()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.tensor(x)).sum().backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return model[0].weight
"""


def test_a_training_step_costs_a_session_next_to_nothing(box):
    outcome, usage = tried(box, TRAINING)
    assert outcome.error is None and outcome.value.shape == (4, 3)
    assert usage.cpu_seconds < 0.2  # an optimiser that is first imported there costs 0.7
    assert usage.max_rss_bytes < 500 << 20


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    torch.set_num_threads(4)\n    a = torch.ones(900, 900)\n    return a @ a",
        "def f(x):\n    layer = nn.LSTM(3, 4, 2).double()\n    return layer(torch.tensor(x))[0]",
        "@torch.compile\ndef f(x):\n    return torch.compile(nn.Identity())(torch.tensor(x))",
    ],
    ids=["four threads are asked for", "a library's layer", "compiled"],
)
def test_what_honest_code_does_works(box, source):
    outcome, _ = tried(box, source)
    assert outcome.error is None


def test_memory_is_bounded_and_the_next_session_is_well(box):
    outcome, usage = tried(box, "def f(x):\n    return torch.ones(1 << 28, 2).sum()")  # 2 GB
    assert outcome.error and ("memory" in outcome.error.message or outcome.error.kind == "memory")
    assert usage.max_rss_bytes < 1500 << 20
    assert tried(box, TRAINING)[0].error is None


FROM_DISK = """
import pickle
class Shell:
    def __reduce__(self):
        return print, ("unpickled",)
def f(x):
    return torch.tensor([1.0]), Shell(), pickle.dumps(Shell())
"""


def test_nothing_but_arrays_comes_back(box, capfd):
    outcome, _ = tried(box, FROM_DISK)
    tensor, shell, pickled = outcome.value
    assert type(tensor) is np.ndarray
    assert type(shell).__name__ == type(pickled).__name__ == "Opaque"
    assert "unpickled" not in capfd.readouterr().out


# ---------------------------------------------------------------- a grade


def shares(card):
    return {judgement.name: judgement.share for judgement in card.judgements}


# Answers that do nothing, and so spoil nothing either.
IDLE = {
    "pad_batch": "(sequences):\n    return sequences[0][:0], torch.zeros(len(sequences), dtype=torch.long)",
    "last_valid_state": "(states, lengths):\n    return states[0].detach()",
    "train_step": "(model, optimizer, xs, lengths, targets, clip):\n    return 0.0",
    "accuracy": "(model, batches):\n    return 0.5",
    "stream_step": "(model, optimizer, xs, targets, s0, clip):\n    return 0.0, s0",
}
# And one that spoils PyTorch for all that come behind it.
SPOILER = """
def pad_batch(sequences):
    torch.set_default_dtype(torch.float32)
    torch.set_default_device("meta")
    torch.inference_mode().__enter__()
    class Zeros(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            return function(*args, **(kwargs or {})) * 0
    Zeros().__enter__()
    nn.modules.module.register_module_forward_hook(lambda module, given, output: output * 0)
    F.cross_entropy = torch.Tensor.backward = torch.tensor = nn.Module.__call__ = None
    return sequences[0], 0
"""


def test_an_answer_that_does_nothing_earns_nothing_by_what_is_seen_of_it(grader_of):
    idle = {name: f"def {name}{rest}" for name, rest in IDLE.items()}
    card = grader_of(NOTEBOOK).grade(submission(NOTEBOOK, idle))
    assert shares(card) == {name: float(name not in IDLE) for name in shares(card)}


def test_an_answer_that_spoils_pytorch_costs_no_other(grader_of):
    card = grader_of(NOTEBOOK).grade(submission(NOTEBOOK, {"pad_batch": SPOILER}))
    assert shares(card) == {name: float(name != "pad_batch") for name in shares(card)}


def test_names_of_a_students_own_do_not_cover_what_tries_an_answer(grader_of):
    own = "def try_accuracy(*arguments):\n    raise ValueError('not this one')\n\n\nas_arrays = 3"
    card = grader_of(NOTEBOOK).grade(submission(NOTEBOOK, own_cells=(own,)))
    assert set(shares(card).values()) == {1.0}


def test_workers_that_cannot_be_started_are_told_in_words(grader_of):
    answer = """
def accuracy(model, batches):
    from torch.utils.data import DataLoader
    return next(iter(DataLoader(torch.ones(4, 2), num_workers=2)))
"""
    card = grader_of(NOTEBOOK).grade(submission(NOTEBOOK, {"accuracy": answer}))
    judgement = next(j for j in card.judgements if j.name == "accuracy")
    assert "num_workers" in next(c.finding.error.message for c in judgement.checks if not c.passed)


def test_an_untouched_class_is_not_answered_and_one_that_is_gone_is_missing(grader_of):
    card = grader_of(NOTEBOOK).grade(submission(NOTEBOOK, {"GatedRNN": ""}))
    judgement = next(j for j in card.judgements if j.name == "GatedRNN")
    assert judgement.checks[0].finding.kind == "missing"
    card = grader_of(NOTEBOOK).grade(submission(NOTEBOOK, solved=False))
    assert {judgement.status for judgement in card.judgements} == {"unanswered"}


def test_a_right_submission_costs_at_most_three_times_one_of_notebook_06(grader_of):
    def seconds(notebook, times=5):
        grader, used = grader_of(notebook), 0.0
        grader.grade(submission(notebook))
        began = os.times()
        for i in range(times):
            card = grader.grade(submission(notebook, own_cells=(f"x = {i}",)))
            assert set(shares(card).values()) == {1.0}
            used += card.cpu_seconds
        ended = os.times()
        return used + ended.user + ended.system - began.user - began.system

    assert seconds(NOTEBOOK) < 3 * seconds("06_lstm_backward")


def test_modules_are_judged_in_a_notebook_as_in_a_grade():
    checks, namespace = frozen_checks(NOTEBOOK), dict(master_of(NOTEBOOK).reference)
    source = master_of(NOTEBOOK).exercises["GatedRNN"].source
    exec(source.replace("nn.Parameter(", "("), namespace)
    judgement = judge_here(checks, checks.sheet("GatedRNN"), namespace["GatedRNN"])
    assert judgement.misconception == "parameters not registered"
    del namespace["try_gated_rnn"]
    with pytest.raises(CheckFailed, match=r"`try_gated_rnn`.*run its cell again"):
        judge_here(checks, checks.sheet("GatedRNN"), namespace["GatedRNN"])


SCALED = """
class Base:
    def by(self):
        return 1.0

class Model(Base):
    def by(self):
        return super().by() * scale

def tried(x):
    return Model().by() * x
"""


def test_a_class_that_reads_what_a_grade_lacks_is_told_as_a_function_is():
    namespace = {"scale": 2.0, "__name__": "a_notebook"}
    exec(SCALED, namespace)
    assert list(lacking_names(namespace["Model"], Namespace((), ("numpy",)), ())) == ["scale"]
    assert without(namespace["tried"], {"other": ""})(3.0) == 6.0
    with pytest.raises(NameError, match="scale"):
        without(namespace["tried"], {"scale": ""})(3.0)
    assert namespace["tried"](3.0) == 6.0


WRAPPED = {
    "no_grad": "accuracy = torch.no_grad()(accuracy)",
    "inference_mode": "accuracy = torch.inference_mode()(accuracy)",
    "errstate": "accuracy = np.errstate(all='ignore')(accuracy)",
    "lru_cache": "import functools\naccuracy = functools.lru_cache(accuracy)",
    "partial": "import functools\naccuracy = functools.partial(accuracy)",
    "wraps": "import functools\naccuracy = functools.wraps(accuracy)(lambda *a, f=accuracy: f(*a))",
}


@pytest.mark.parametrize("how", [how for how in WRAPPED if how != "lru_cache"])  # batches have no hash
def test_a_function_that_a_library_wraps_is_judged_as_any_other(how):
    checks, namespace = frozen_checks(NOTEBOOK), dict(master_of(NOTEBOOK).reference)
    exec(master_of(NOTEBOOK).exercises["accuracy"].source, namespace)
    exec(WRAPPED[how], namespace)
    assert judge_here(checks, checks.sheet("accuracy"), namespace["accuracy"]).status == "right"


def test_what_a_wrapped_function_lacks_where_it_is_graded_is_told():
    for how, wrap in WRAPPED.items():
        namespace = {"torch": pytest.importorskip("torch"), "np": np, "scale": 2.0, "__name__": "a_notebook"}
        exec(f"def accuracy(x):\n    return scale * x\n{wrap}", namespace)
        known = Namespace((), ("numpy", "torch"))
        assert list(lacking_names(namespace["accuracy"], known, ())) == ["scale"], how
        with pytest.raises(NameError, match="scale"):
            without(namespace["accuracy"], {"scale": ""})(3.0)
        assert namespace["accuracy"](3.0) == 6.0


def test_a_wrapped_function_is_graded(grader_of):
    card = grader_of(NOTEBOOK).grade(
        submission(NOTEBOOK, own_cells=("accuracy = torch.no_grad()(accuracy)",))
    )
    assert set(shares(card).values()) == {1.0}


# ---------------------------------------------------------------- without it

WITHOUT = """
import importlib.util, json, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "torch" else found(name, *more)
sys.modules["torch"] = None
sys.path.insert(0, "tests")
from course import KEY, folder_of, submission
from autograder.cli import app
from autograder.course.masters import left_out
from autograder.errors import CourseError
from autograder.grading.grade import Grader
with Grader(folder_of("00_start_here"), KEY, unsafe=True) as grader:
    marks = [judgement.share for judgement in grader.grade(submission("00_start_here")).judgements]
try:
    Grader(folder_of("07_training"), KEY, unsafe=True)
    said = ""
except CourseError as error:
    said = str(error)
print(json.dumps([marks, said, left_out(folder_of("07_training"))]))
"""


def test_without_it_the_grader_and_the_other_notebooks_work_and_07_names_the_remedy():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True, check=True
    )
    marks, said, why = json.loads(done.stdout)
    assert set(marks) == {1.0}
    assert "`make torch`" in said and "`make torch`" in why
