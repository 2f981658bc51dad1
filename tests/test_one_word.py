"""What the check says right, the grade says right, and the reverse: one notebook through both doors.

Each example is a line of `EXAMPLES`: what it is, cells of the student's own, the answer, whether it is right,
and what the grade says where it is not.
"""

import json
import subprocess
import sys
from dataclasses import dataclass

import matplotlib
import pytest
from course import KEY, TINY
from matplotlib.colors import Normalize

from autograder.answers.finding import Finding, Kind
from autograder.course.names import Namespace
from autograder.course.places import Places
from autograder.course.where_graded import lacking
from autograder.grading.grade import Grader
from autograder.release.build import build
from autograder.report.sentences import sentence

DEMO = """# %%
import itertools
from functools import partial

import matplotlib

try:
    import IPython as shown
except Exception:
    shown = None

eps = 1e-12
old_state = np.zeros((3, 1)).copy()


def squash(z):
    return np.tanh(z) + 0 * eps


"""
HEAD = "def rnn_step(x_t, s_prev, W):\n"
RIGHT = '    return np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)\n'
BLANK = HEAD + RIGHT


@dataclass(frozen=True)
class Example:
    what: str
    answer: str
    own: tuple[str, ...] = ()
    is_right: bool = True
    said: str = ""


MAYBE = "try:\n    import matplotlib as mpl_\nexcept ImportError:\n    mpl_ = {}"
NOT_SET = "no cell that is run for a grade sets it"
EXAMPLES = [
    Example("plain", BLANK),
    Example("a module that the notebook's first cell imports", HEAD + "    list(itertools.chain())\n" + RIGHT),
    Example("partial, imported in a demo cell", HEAD + "    f = partial(np.tanh)\n" + RIGHT.replace("np.tanh", "f")),
    Example("a demo cell's plain number", HEAD + "    x_t = x_t + 0 * eps\n" + RIGHT),
    Example("a demo cell's function, and what it reads", HEAD + RIGHT.replace("np.tanh", "squash")),
    Example("a demo cell's computed array", HEAD + "    old_state\n" + RIGHT, (), False, NOT_SET),
    Example("the same through a helper", HEAD + "    helper()\n" + RIGHT, ("def helper():\n    return old_state",), False, NOT_SET),
    Example("the same through an own cell", HEAD + "    mine\n" + RIGHT, ("mine = old_state + 1",), False, "`old_state`"),
    Example("in a branch that is never taken", HEAD + "    if x_t is None:\n        print(old_state)\n" + RIGHT),
    Example("an own cell's number", HEAD + "    x_t = x_t + mine\n" + RIGHT, ("mine = 0.0",)),
    Example("an own cell's loop", HEAD + "    x_t = x_t + 0 * total\n" + RIGHT, ("total = 0\nfor i in range(3):\n    total += i",)),
    Example("an own cell's name unpacked", HEAD + "    x_t = x_t + a\n" + RIGHT, ("a, b = 0, 1",)),
    Example("an own cell's with and walrus", HEAD + "    x_t = x_t + a + b\n" + RIGHT, ("import contextlib\nwith contextlib.nullcontext(0) as a:\n    print(b := 0)",)),
    Example("matplotlib in an answer", HEAD + "    import matplotlib\n" + RIGHT, (), False, "No module named 'matplotlib'"),
    Example("matplotlib, imported elsewhere", HEAD + "    matplotlib\n" + RIGHT, (), False, "there is no `matplotlib`"),
    Example("IPython, imported where that may fail", HEAD + "    shown.display\n" + RIGHT, (), False, "there is no `IPython`"),
    Example("IPython in an own cell", HEAD + "    display_(x_t)\n" + RIGHT, ("from IPython.display import display as display_",), False, "there is no `IPython`"),
    Example("None in a missing package's place", HEAD + "    mpl_.colors\n" + RIGHT, (MAYBE.format(None),), False, "'NoneType'"),
    Example("a switch for a missing package", HEAD + "    if not mpl_:\n        return x_t\n" + RIGHT, (MAYBE.format(False),), False, ""),
    Example("a way round a missing package", HEAD + "    z = None if mpl_ is None else mpl_.colors\n" + RIGHT, (MAYBE.format(None),)),
    Example("a magic with a blank behind it", "%%time \n" + BLANK),
    Example("a magic with an option", "%%capture --no-stderr said\n" + BLANK),
    Example("a shell in a function", HEAD + "    get_ipython().run_line_magic('pinfo', 'np')\n" + RIGHT),
    Example("a magic and CRLF", "%%time\r\n" + BLANK.replace("\n", "\r\n")),
    Example("prun", "%%prun -q\n" + BLANK),
    Example("a shell line that goes on", "!echo one \\\n  two\n" + BLANK),
    Example("a question mark in front", "?np.tanh\n" + BLANK),
    Example("a question mark behind", "np.tanh?\n" + BLANK),
    Example("two question marks", BLANK + "\nrnn_step??\n"),
    Example("autocall", "/print 3\n" + BLANK),
    Example("a line magic that assigns", "%time twice = 2\n" + HEAD + "    x_t = x_t + 0 * twice\n" + RIGHT),
    Example("a bracketed line that starts with %", HEAD + "    z = (x_t\n        % 1e9)\n" + RIGHT),
    Example("a bracketed line that starts with !=", HEAD + "    z = (1\n        != 2)\n" + RIGHT),
    Example("a magic inside a function", HEAD + "    %precision 3\n" + RIGHT),
    Example("a helper below its use in another cell", HEAD + "    return own(x_t, s_prev, W)\n", ("def own(x_t, s_prev, W):\n" + RIGHT,)),
    Example("a lambda of an own cell", HEAD + '    return go(W["ss"] @ s_prev + W["sx"] @ x_t)\n', ("go = lambda z: np.tanh(z)",)),
]  # fmt: skip

KERNEL = """
import json, os, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cells in json.load(open(sys.argv[1])):
    shell.reset(new_session=True)
    said = {}
    for cell_id, source in cells:
        done = shell.run_cell(source, store_history=True, cell_id=cell_id)
        said[source] = done.success
    print(json.dumps({"right": said["check(rnn_step)"]}), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    places = Places(tmp_path_factory.mktemp("course"))
    folder = places.solutions / TINY.name
    folder.mkdir(parents=True)
    text = (TINY / f"{TINY.name}.py").read_text("utf-8")
    before, given, after = text.partition('# %% given="sigmoid"')
    (folder / f"{TINY.name}.py").write_text(before + DEMO + given + after)
    for other in ("exercises.py", "mistakes.txt"):
        if (TINY / other).is_file():
            (folder / other).write_text((TINY / other).read_text("utf-8"))
    build(folder, places)
    return places


def notebook(course: Places, example: Example) -> dict:
    """The released notebook with an example's cells in it; the other answers stay stubs."""
    path = course.notebooks / TINY.name / f"{TINY.name}.ipynb"
    found = json.loads(path.read_text("utf-8"))
    cells = found["cells"]
    for cell in cells:
        cell["source"] = "".join(cell["source"])
    place = next(
        i for i, c in enumerate(cells) if c["metadata"].get("nbgrader", {}).get("grade_id") == "rnn_step"
    )
    cells[place]["source"] = example.answer
    for i, source in enumerate(example.own):
        own = {"cell_type": "code", "id": f"own{i}", "metadata": {}, "source": source, "outputs": []}
        cells.insert(place, {**own, "execution_count": None})
    return found


@pytest.fixture(scope="module")
def in_the_kernel(course, tmp_path_factory):
    """What the check says of each example, in one kernel's process."""
    books = [notebook(course, example)["cells"] for example in EXAMPLES]
    code = [[(c["id"], c["source"]) for c in cells if c["cell_type"] == "code"] for cells in books]
    path = tmp_path_factory.mktemp("kernel") / "cells.json"
    path.write_text(json.dumps(code))
    done = subprocess.run(
        [sys.executable, "-c", KERNEL, str(path)],
        capture_output=True,
        text=True,
        cwd=course.notebooks / TINY.name,
        check=False,
    )
    told = [json.loads(line)["right"] for line in done.stderr.splitlines() if line.startswith('{"right"')]
    assert len(told) == len(EXAMPLES), done.stdout[-2000:] + done.stderr[-2000:]
    return dict(zip((example.what for example in EXAMPLES), told, strict=True))


@pytest.fixture(scope="module")
def grader(course):
    with Grader(course.solutions / TINY.name, KEY) as grader:
        yield grader


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.what for example in EXAMPLES])
def test_check_and_grade_say_one_word(course, grader, in_the_kernel, example):
    card = grader.grade(json.dumps(notebook(course, example)).encode())
    judged = next(one for one in card.judgements if one.name == "rnn_step")
    messages = " ".join([*(sentence(check.finding) for check in judged.checks), *card.problems])
    assert (judged.status == "right") == example.is_right, messages
    assert in_the_kernel[example.what] == example.is_right
    assert example.said in messages


READS_A_PACKAGE = """
def whole(x):
    return mpl.__name__, x
def member(x):
    return Normalize(0, 1), x
def instance(x):
    return norm, x
def imports(x):
    import matplotlib
    return x
"""


@pytest.mark.parametrize("name", ["whole", "member", "instance", "imports"])
def test_a_package_is_never_to_be_set_in_a_cell(name):
    kernel = {"__name__": "__main__", "mpl": matplotlib, "Normalize": Normalize, "norm": Normalize(0, 1)}
    exec(READS_A_PACKAGE, kernel)
    lacked = lacking(kernel[name], Namespace((), ("numpy",)), ())
    found = Finding(Kind.NOT_WHERE_GRADED, names=tuple(lacked), got=tuple(lacked.values()), asked=("numpy",))
    assert "there is no `matplotlib`" in sentence(found) and "`numpy`" in sentence(found)
    assert "Set it in a cell" not in sentence(found)
