"""What all tests of learning systems share."""

import shutil

import pytest
from course import TINY

from autograder.nbgrader_door.gradebook import write_marks
from learning_systems.files import NAME, OTHER


@pytest.fixture(scope="session")
def bare(tmp_path_factory):
    """A course of two notebooks."""
    place = tmp_path_factory.mktemp("course")
    shutil.copytree(TINY, place / "solutions" / NAME)
    folder = place / "solutions" / OTHER
    folder.mkdir()
    for path in (TINY / f"{NAME}.py", TINY / "exercises.py", TINY / "mistakes.txt"):
        name = path.name.replace(NAME, OTHER)
        (folder / name).write_text(path.read_text().replace("rnn_", "net_").replace("why_tanh", "why_not"))
    write_marks(f"sqlite:///{place / 'empty.db'}", place, place / "solutions" / NAME, iter(()))
    return place


@pytest.fixture
def course(bare, tmp_path):
    return shutil.copytree(bare, tmp_path / "course")
