"""`autograder gradescope`: what its zip does as root in a container, with students' code as another user.

The container itself is not here: `run_autograder` is run from the unpacked zip, with a Python for all users.
"""

import ctypes
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest
from command import autograder
from course import KEY, ROOT, TINY, submission
from jsonschema import validate

from autograder.exchange.gradescope_run import STUDENTS_CODE
from autograder.sandbox.confine import landlock_version
from autograder.sandbox.launcher import interpreter

NAME = TINY.name
SPY = """
def rnn_step(x_t, s_prev, W):
    import os, glob
    found = []
    more = ["{home}/source/course.key", "/etc/passwd", "/proc/1/environ"]
    for path in [*glob.glob("{home}/**", recursive=True), *more]:
        try:
            found.append((path, open(path).read(40)))
        except OSError:
            pass
    try:
        open("{home}/results/results.json", "w").write('{{"score": 100}}')
        found.append("written")
    except OSError:
        pass
    print(os.getuid(), found)
    return np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)
"""
TEXT = {"type": "string"}
ONE = {"enum": ["passed", "failed"]}
# The form that Gradescope documents for results.json, as far as we use it.
FORM = {
    "type": "object",
    "required": ["score", "tests"],
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "output": TEXT,
        "output_format": {"enum": ["text"]},
        "visibility": {"enum": ["hidden", "after_due_date", "after_published", "visible"]},
        "stdout_visibility": {"enum": ["hidden"]},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "status", "output", "output_format", "visibility"],
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"}, "max_score": {"type": "number"}, "status": ONE, "name": TEXT,
                    "number": TEXT, "output": TEXT, "output_format": {"enum": ["text"]},
                    "visibility": {"enum": ["hidden", "after_due_date", "after_published", "visible"]},
                },
            },
        },
    },
}  # fmt: skip


def anybodys(path):
    """Whether every user can reach a file."""
    return all(place.stat().st_mode & stat.S_IXOTH for place in path.resolve().parents)


def python_for_all():
    """A Python of this version that every user can run; None where there is none."""
    version = "python{}.{}".format(*sys.version_info)
    places = [interpreter(), *(Path(folder, version) for folder in ("/usr/bin", "/usr/local/bin"))]
    return next((str(one) for one in places if one.exists() and anybodys(one)), None)


needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or python_for_all() is None or not anybodys(Path(pytest.__file__)),
    reason="only root can run code as another user, with a Python and packages that this one can read",
)


@pytest.fixture(scope="module")
def container():
    """A place as Gradescope makes it: source and submission; packages lie as setup.sh lays them."""
    home = Path(tempfile.mkdtemp(prefix="gradescope-"))
    home.chmod(0o755)
    done = autograder(ROOT, "gradescope", NAME, "--to", home / "it.zip", "--root", TINY.parents[1])
    assert done.status == 0, done.err
    assert stat.S_IMODE((home / "it.zip").stat().st_mode) == 0o600
    (home / "autograder").mkdir()
    (home / "autograder").chmod(0o755)
    with zipfile.ZipFile(home / "it.zip") as archive:
        archive.extractall(home / "autograder" / "source")
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    assert modes["run_autograder"] == modes["setup.sh"] == 0o755
    shutil.copytree(home / "autograder" / "source" / "packages", home / "packages")
    yield home
    shutil.rmtree(home)


def run(container, files):
    """What run_autograder writes for a submission, and what it prints."""
    home = container / "autograder"
    shutil.rmtree(home / "submission", ignore_errors=True)
    for name, content in files.items():
        path = home / "submission" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (home / "submission").mkdir(exist_ok=True)
    site = Path(pytest.__file__).parents[1]
    environment = {
        "PATH": os.environ["PATH"],
        "AUTOGRADER_HOME": str(home),
        "AUTOGRADER_PYTHON": python_for_all(),
        "AUTOGRADER_PACKAGES": f"{container / 'packages'}:{site}",
    }
    done = subprocess.run(
        ["sh", home / "source" / "run_autograder"],
        cwd=home, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((home / "results" / "results.json").read_text())
    validate(results, FORM)
    return results, done.stdout + done.stderr


@needs_root
def test_each_exercise_has_its_mark_its_checks_the_likely_mistake_and_a_hint(container, grader_of):
    wrong = {"rnn_step": 'def rnn_step(x_t, s_prev, W):\n    return W["ss"] @ s_prev + W["sx"] @ x_t\n'}
    results, _ = run(container, {"folder/Untitled7.ipynb": submission(NAME, wrong), "notes.txt": b"hello"})
    record = grader_of(NAME).grade(submission(NAME, wrong)).record("ada")
    tests = {one["name"]: one for one in results["tests"]}
    assert results["score"] == record.score
    assert {m.name: m.score for m in record.marks} == {
        n: t["score"] for n, t in tests.items() if "score" in t
    }
    (named,) = record.marks[0].judgement.diagnoses
    assert f"Likely mistake: {named.name}" in tests["rnn_step"]["output"]
    assert f"Hint: {named.hint}" in tests["rnn_step"]["output"]
    assert tests["rnn_step: s_t"]["status"] == "failed" and tests["rnn_forward"]["status"] == "passed"
    assert "why_tanh" in results["output"]


@needs_root
def test_an_answer_is_another_users_and_reads_and_writes_nothing(container):
    home = container / "autograder"
    results, said = run(container, {f"{NAME}.ipynb": submission(NAME, {"rnn_step": SPY.format(home=home)})})
    assert results["score"] == 12, said
    (output,) = (one["output"] for one in results["tests"] if one["name"] == "rnn_step")
    assert f"{STUDENTS_CODE} []" in output
    for folder in ("source", "submission", "results"):
        assert stat.S_IMODE((home / folder).stat().st_mode) & 0o077 == 0


@needs_root
def test_what_is_no_notebook_is_said_and_earns_nothing(container):
    for files, said in (
        ({}, "no file"),
        ({"a.pdf": b"%PDF-1"}, "a.pdf, a PDF"),
        ({"a.ipynb": b"{"}, "a.ipynb"),
    ):
        results, _ = run(container, files)
        assert results["score"] == 0 and said in results["output"]


TRY = """
import json, sys
from pathlib import Path
sys.path[:0] = {path!r}
from autograder.sandbox import Sandbox, launcher
from sandbox.calls import SMALL, still_works
from sandbox.test_confinement import ATTEMPTS, trying

launcher.HOUSE = Path({house!r})
with Sandbox(limits=SMALL, uid={uid}) as sandbox:
    not_held = []
    for attempt in ATTEMPTS:
        with sandbox.session(["import numpy as np", trying(attempt)]) as session:
            outcome = session.call("f", [(1.0,)])[0]
        died = outcome.error is not None and outcome.error.kind == "crash"
        if not died and repr(outcome.value) != "Opaque(type_name='str')":
            not_held.append(attempt)
    still_works(sandbox)
print(json.dumps(not_held))
"""
# The name of a socket, which is a number.
NOT_HELD = {"os.readlink('/proc/self/fd/3')"}
# Without Landlock another user reads what all may read, and what can be imported; and nothing else.
READING = re.compile(r"open\('[^']*'\)\.read\(\)|os\.listdir\(.*\)|__import__\(.*\)")


def not_held(house):
    path = [str(ROOT / "tests"), str(ROOT), str(Path(pytest.__file__).parents[1])]
    program = TRY.format(path=path, uid=STUDENTS_CODE, house=str(house))
    done = subprocess.run(
        [python_for_all(), "-c", program], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@needs_root
def test_what_namespaces_hold_is_held_without_them(container):
    house = container / "packages" / "autograder"
    if landlock_version(ctypes.CDLL(None, use_errno=True)):
        assert not_held(house) == NOT_HELD
    else:
        pytest.skip("this kernel has no Landlock")


@needs_root
def test_without_landlock_nothing_is_lost_but_reading_what_all_may_read(container, tmp_path):
    house = container / "an older kernel" / "autograder"
    shutil.copytree(container / "packages" / "autograder", house)
    confine = house / "sandbox" / "confine.py"
    text = confine.read_text()
    old = "return max(0, libc.syscall(LANDLOCK_CREATE, None, 0, LANDLOCK_VERSION))"
    assert old in text
    confine.write_text(text.replace(old, "return 0"))
    lost = not_held(house) - NOT_HELD
    assert {attempt for attempt in lost if not READING.fullmatch(attempt)} == set()
    assert "open('/etc/passwd').read()" in lost and "open('/proc/1/environ').read()" not in lost


def test_where_it_is_uploaded_a_visibility_must_be_one(tmp_path):
    to = ("--to", tmp_path / "x.zip", "--root", TINY.parents[1])
    done = autograder(ROOT, "gradescope", NAME, "--visibility", "never", *to)
    assert done.status == 2 and "after_due_date" in done.err
    done = autograder(ROOT, "gradescope", NAME, "--visibility", "after_published", *to)
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert json.loads(archive.read("settings.json"))["visibility"] == "after_published"
        assert archive.read("course.key").decode().strip() == KEY
        assert "numpy==" in archive.read("requirements.txt").decode()


ATTACKED = """
import json, sys
sys.path[:0] = {path!r}
from course import KEY, TINY
from test_attacks import QUICK
from autograder.errors import Ungradable
from autograder.grading.grade import Grader

def mark(grader, attack):
    try:
        return grader.grade(attack.content()).record("").score
    except Ungradable:
        return None

with Grader(TINY, KEY, uid={uid}) as grader:
    # What is done by a folder's name, or by what is no file, is the way in's to refuse.
    files = [attack for attack in QUICK.values() if not attack.place and not attack.student]
    wrong = {{a.name: [a.mark, got] for a in files if (got := mark(grader, a)) != a.mark}}
print(json.dumps([len(files), wrong]))
"""


@needs_root
@pytest.mark.long
def test_attacks_earn_there_what_their_honest_part_deserves():
    path = [str(ROOT / "tests"), str(ROOT / "scripts"), str(ROOT), str(Path(pytest.__file__).parents[1])]
    program = ATTACKED.format(path=path, uid=STUDENTS_CODE)
    done = subprocess.run(
        [python_for_all(), "-c", program], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    count, wrong = json.loads(done.stdout)
    wrong.pop("magics_in_the_answer", None)  # IPython is asked in isolation, where this Python has none
    assert count > 100 and wrong == {}
