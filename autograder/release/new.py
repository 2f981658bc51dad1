"""A new notebook to begin with: a small one that builds and passes the tests, to be written over."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from autograder.course.places import Places
from autograder.errors import CourseError

NAME = re.compile(r"(\d\d)_([a-z][a-z0-9_]*)")
# What a course without such a package cannot show.
OF_PICTURES = re.compile(r"\brnncourse\b|\bshow\(|\bexplorer\(")


def scaffold(name: str, places: Places) -> list[Path]:
    """Write the files of a new notebook.

    Args:
        name: `12_leaky_average`.
        places: where the course's files lie. Without a package `rnncourse` there are no figures and no
            explorer, without `tests` no alternatives and no corpus.

    Returns:
        The files, in the order in which they are to be read.

    Raises:
        CourseError: the name is none, or something of that name stands there.
    """
    named = NAME.fullmatch(name)
    if not named:
        raise CourseError(
            f"{name!r} is no name of a notebook: two digits and words, such as 12_leaky_average"
        )
    number, key = named[1], named[2]
    folder, root = places.solutions / name, places.root
    # By other names a bundle would take them for data of the modules that speak of `exercises` or `mistakes`.
    wanted = {
        "begin_master.txt": folder / f"{name}.py",
        "begin_exercises.txt": folder / "exercises.py",
        "begin_mistakes.txt": folder / "mistakes.txt",
    }
    has_pictures, has_tests = (root / "rnncourse").is_dir(), (root / "tests").is_dir()
    if has_pictures:
        wanted["begin_explorer.txt"] = root / "rnncourse" / "explorers" / f"{key}.js"
    if has_tests:
        wanted["begin_alternatives.txt"] = root / "tests" / "alternatives" / f"{name}.py"
        wanted["begin_corpus.txt"] = root / "tests" / "corpus" / f"{name}.txt"
    others = [path.name for path in places.solutions.glob(f"{number}_*") if path.is_dir()]
    there = [str(path.relative_to(root)) for path in wanted.values() if path.exists()]
    if others or there:
        raise CourseError(f"nothing is written over: there is {', '.join(others or there)}")
    words = {"NUMBER": number, "N": str(int(number)), "KEY": key, "TITLE": key.replace("_", " ").capitalize()}
    for template, path in wanted.items():
        text = files("autograder.release").joinpath("scaffold", template).read_text("utf-8")
        if template == "begin_master.txt" and not has_pictures:
            head, *cells = re.split(r"^(?=# %%)", text, flags=re.M)
            text = head + "".join(cell for cell in cells if not OF_PICTURES.search(cell))
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return list(wanted.values())
