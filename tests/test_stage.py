"""`autograder build --upto`: a stage holds its notebooks and what they import, and nothing of later ones."""

import json
import os
import subprocess
import sys

import pytest
from command import autograder
from course import TINY

NAMES = ("01_first", "02_second", "03_third")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Three notebooks; each imports what is its own from the course's package."""
    root = tmp_path_factory.mktemp("course")
    text = (TINY / f"{TINY.name}.py").read_text("utf-8")
    head, given, tail = text.partition('# %% given="sigmoid"')
    for name in NAMES:
        folder = root / "solutions" / name
        folder.mkdir(parents=True)
        number = name[:2]
        demo = f'# %%\nfrom extras import figures_{number}, show\n\nshow("drawing_{number}")\n\n'
        (folder / f"{name}.py").write_text(f"{head}{demo}{given}{tail}")
        for other in ("exercises.py", "mistakes.txt"):
            (folder / other).write_text((TINY / other).read_text("utf-8"))
    package = root / "extras"
    (package / "drawings").mkdir(parents=True)
    (package / "__init__.py").write_text("from extras.shown import show\n")
    (package / "shown.py").write_text("def show(name):\n    return name\n")
    (package / "answers_of_03.py").write_text("def rnn_step_backward():\n    ...\n")
    for name in NAMES:
        more = "from extras import answers_of_03\n" if name == NAMES[2] else ""
        (package / f"figures_{name[:2]}.py").write_text(f"{more}import math\n")
        (package / "drawings" / f"drawing_{name[:2]}.js").write_text("export default 1\n")
    return root


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_stage_holds_what_its_notebooks_use_and_nothing_of_later_ones(course):
    done = autograder(course, "build", "--upto", "02", "--no-solved")
    assert done.status == 0, done.err
    staged = course / "build" / "stage" / "upto_02_second"
    kept = ("checks.safetensors", "{}.ipynb")
    notebooks = {f"notebooks/{name}/{file.format(name)}" for name in NAMES[:2] for file in kept}
    modules = {f"extras/{name}.py" for name in ("__init__", "shown", "figures_01", "figures_02")}
    assert files_in(staged) == notebooks | modules | {f"extras/drawings/drawing_{n}.js" for n in ("01", "02")}
    release = json.loads((staged / "notebooks/02_second/02_second.ipynb").read_text())
    assert "BEGIN SOLUTION" not in json.dumps(release)
    environment = {**os.environ, "PYTHONPATH": str(staged)}
    use = "import extras.figures_01, extras.figures_02; assert extras.show(1) == 1"
    subprocess.run([sys.executable, "-c", use], env=environment, cwd=staged, check=True)
    assert not (course / "notebooks" / "03_third").exists()


def test_a_stage_is_written_beside_nothing_and_by_one_name(course, tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    refused = {
        ("--upto", "02", "--to", str(tmp_path)): "is not empty",
        ("--upto", "07"): "there are 01_first, 02_second, 03_third",
        ("--upto", "0"): "name one notebook",
        ("--upto", "02", "01_first"): "goes without names",
        ("--upto", "02", "--check"): "without --check",
    }
    for words, reason in refused.items():
        done = autograder(course, "build", "--no-solved", *words)
        assert done.status == 2, words
        assert reason in done.err
