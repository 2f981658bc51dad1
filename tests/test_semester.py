"""docs/semester.md: its commands are run, in their order, by an instructor of three."""

import csv
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from command import autograder
from course import ROOT, TINY, master_of, submission
from learning_systems.files import zipped
from traitlets.config import Config

NAME, QUESTION = "01_simple_rnn", "padding_and_bias"
PAGE = (ROOT / "docs" / "semester.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.M | re.S)

pytestmark = [pytest.mark.xdist_group("semester"), pytest.mark.usefixtures("confined")]

CANVAS = f"""Student,ID,SIS User ID,SIS Login ID,Section,{NAME} (9)
    Points Possible,,,,,14.00
"Lovelace, Ada",11,s1,ada,A,
"Bartok, Bela",12,s2,bela,A,
"Never, Nina",13,s3,nina,A,
"""
MOODLE = """Identifier,Full name,Status,Grade,Maximum grade,Grade can be changed,Last modified (submission),\
Last modified (grade),Feedback comments
Participant 501,Ada Lovelace,Submitted,,14.00,Yes,-,-,
"""


# A mistake that nobody foresaw.
UNNAMED = (
    'def rnn_step(x_t, s_prev, W):\n    a = W["ss"] @ s_prev + W["sx"] @ x_t\n    return a / (3 + a**2)\n'
)


@pytest.fixture
def course(tmp_path):
    """A course whose notebook 01 is the tiny one."""
    folder = tmp_path / "solutions" / NAME
    folder.mkdir(parents=True)
    for path in TINY.glob("*.*"):
        text = path.read_text().replace(TINY.name, NAME).replace("why_tanh", QUESTION)
        (folder / path.name.replace(TINY.name, NAME)).write_text(text)
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    right, wrong = (
        submission(TINY.name, answers)
        .replace(TINY.name.encode(), NAME.encode())
        .replace(b"why_tanh", QUESTION.encode())
        for answers in ({}, {"rnn_step": UNNAMED})
    )
    files = {"lovelaceada_11_901_Untitled.ipynb": right, "bartokbela_LATE_12_902_x.ipynb": wrong}
    (tmp_path / "submissions.zip").write_bytes(zipped(files))
    (tmp_path / "gradebook.csv").write_text(CANVAS)
    (tmp_path / "worksheet.csv").write_text(MOODLE)
    return tmp_path


def listed(said, stands_for):
    """The first id of a kind among what a command said."""
    return re.search(rf"^{stands_for.partition('-')[0]}-\w{{6}}", said, re.M)[0]


@pytest.mark.ci
def test_every_command_of_the_page_does_what_it_says(course, monkeypatch):
    monkeypatch.chdir(course)
    ran = []
    for language, block in BLOCKS:
        if language == "python":
            exec(compile(block, "docs/semester.md", "exec"), {"c": Config()})
            continue
        for line in block.splitlines():
            program, *words = shlex.split(line)
            ran.append(words[0])
            if program == "make":
                done = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, check=False)
                assert done.returncode == 0, line
            elif program == ".venv/bin/python":
                assert subprocess.run([sys.executable, *words, "--version"], check=False).returncode == 0
            else:
                assert program == ".venv/bin/autograder"
                if words[0] == "bundle":
                    words = [*words, "--root", ROOT]
                # The page's id stands for one that the command before listed.
                words = [listed(done.out, w) if str(w).endswith("-1a2b3c") else w for w in words]
                done = autograder(course, *words)
                assert done.status == 0, f"{line}: {done.out} {done.err}"
    assert ran == (
        ["build", "doctor", "bundle", "collect", "grade", "-m", "written", "written"]
        + 4 * ["return"]
        + ["gradescope", "report", "report", "report", "export", "export", "name", "name", "similar"]
    )
    back = course / "build" / "return" / NAME
    assert (back / f"{NAME}-canvas.csv").read_text().splitlines()[1:] == [
        '"Lovelace, Ada",11,s1,ada,A,13.5',
        '"Bartok, Bela",12,s2,bela,A,9.5',
    ]
    assert "501,Ada Lovelace,Submitted,13.50," in (back / f"{NAME}-moodle.csv").read_text()
    with (course / "build" / "export" / f"{NAME}.csv").open() as file:
        states = {row["student"]: (row["state"], row["score"]) for row in csv.DictReader(file)}
    assert states == {
        "ada": ("graded", "13.5"), "bela": ("graded", "9.5"), "nina": ("not handed in", ""),
    }  # fmt: skip
    assert {path.name for path in back.iterdir()} >= {f"{NAME}-canvas-feedback.zip", f"{NAME}.csv"}


def test_the_page_names_a_question_that_there_is():
    assert QUESTION in [cell.name for cell in master_of(NAME).cells_with("written")]


def test_what_the_page_says_of_partial_credit_is_what_is_done():
    from autograder.course.exercise import Gradient
    from autograder.judging.judge import EDGE_SHARE

    assert EDGE_SHARE == 0.25 and "a quarter for the edge cases" in PAGE
    assert Gradient(of="f", upstream={}, wrt={}).underived == 0.5 and "earns half" in PAGE
