"""Notebooks from top to bottom: solved, every check passes; released, every check waits for an answer."""

import ast
import builtins
import linecache
import re
from datetime import datetime
from types import SimpleNamespace

import pytest
from check_slides import SIZES, check_deck
from course import LONG, NOTEBOOKS, ROOT, frozen_checks, master_of, public_sheets, sampled

from autograder.asking import tell_derivation
from autograder.check import CheckFailed
from autograder.course.names import bound
from autograder.course.notebook import MAY_FAIL, release_notebook, source_notebook
from autograder.course.places import Places
from autograder.course.questions import ASKING
from autograder.course.where_graded import read_within
from autograder.release.build import (
    CHECKS,
    executed_notebook,
    is_made_from,
    release_problems,
    release_text,
    validate,
)
from autograder.release.lesson import EXPLORER
from autograder.release.slides import build_slides
from autograder.release.withheld import told_problems

PLACES = Places(ROOT)
# To execute one takes up to a minute: what looks at executed notebooks looks at the same ones.
SOLVED = sampled(NOTEBOOKS, 6)
# Under two minutes on two cores; twice that is allowed here, where other tests run beside it.
MOST_SECONDS = 240
MOST_CELL_SECONDS = 60


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_the_release_was_built_from_these_sources(notebook):
    master, released = master_of(notebook), PLACES.notebooks / notebook
    assert is_made_from(master, released / CHECKS), f"`autograder build {notebook}`"
    assert (released / f"{notebook}.ipynb").read_text("utf-8") == release_text(master)


@pytest.mark.parametrize("notebook", sampled(NOTEBOOKS, 4))
def test_the_release_is_up_to_date_and_all_that_must_hold_holds(notebook):
    """As `autograder build --check` says it."""
    master, sheets = master_of(notebook), public_sheets(notebook)
    validate(master, sheets)
    assert list(release_problems(master, sheets, PLACES.notebooks / notebook)) == []


@pytest.mark.parametrize("notebook", NOTEBOOKS if LONG else sampled(NOTEBOOKS[::2], 2))
def test_nothing_withheld_can_be_read_or_pasted(notebook):
    assert list(told_problems(master_of(notebook), public_sheets(notebook))) == []


@pytest.mark.parametrize("notebook", SOLVED)
def test_solved_every_check_passes(notebook):
    master = master_of(notebook)
    executed = executed_notebook(master, PLACES)
    answers = [
        output["data"]["text/plain"]
        for cell in executed.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id", "").startswith("check_")
        for output in cell.outputs
        if "data" in output
    ]
    assert [a.splitlines()[0] for a in answers] == [f"{name}: right" for name in master.exercises]
    seconds = [seconds_of(cell) for cell in executed.cells if cell.cell_type == "code"]
    assert max(seconds) < MOST_CELL_SECONDS
    assert sum(seconds) < MOST_SECONDS
    said = [o.text for c in executed.cells for o in c.get("outputs", []) if o.get("name") == "stderr"]
    assert said == []


@pytest.mark.parametrize("notebook", SOLVED)
def test_the_lecture_fits_its_slides(notebook, browser, tmp_path):
    master = master_of(notebook)
    executed = executed_notebook(master, PLACES)  # kept from the test before
    deck = build_slides(executed, tmp_path / "deck.html", master.title)
    sizes = SIZES if LONG else SIZES[:1]  # a deck is one sheet, drawn larger or smaller
    assert check_deck(browser, deck, sizes=sizes) == []


@pytest.mark.parametrize("notebook", SOLVED)
def test_a_picture_stands_where_an_explorer_cannot_run(notebook):
    executed = executed_notebook(master_of(notebook), PLACES)  # kept from the test before
    shown = [
        o["data"].get("text/html", "") for c in executed.cells for o in c.get("outputs", []) if "data" in o
    ]
    pieces = [html for html in shown if html.startswith(EXPLORER)]
    assert pieces
    assert all('<p class="twin"><img alt="' in html for html in pieces), "`make twins` takes it anew"


def seconds_of(cell):
    times = cell.metadata.get("execution", {})
    if "iopub.execute_input" not in times or "shell.execute_reply" not in times:
        return 0.0
    begin, end = (
        datetime.fromisoformat(times[key].replace("Z", "+00:00"))
        for key in ("iopub.execute_input", "shell.execute_reply")
    )
    return (end - begin).total_seconds()


@pytest.mark.parametrize("notebook", sampled(NOTEBOOKS, 5))
def test_released_every_check_says_not_answered_yet(notebook, monkeypatch, capsys):
    """Run the release as "Run All" does: only cells that may fail do, and the next one goes on."""
    checks = frozen_checks(notebook)
    monkeypatch.setenv("AUTOGRADER_CHECKS", str(checks.path))
    release = release_notebook(source_notebook(master_of(notebook)))
    namespace = {"__name__": "__main__"}
    waiting = []
    for number, cell in enumerate(release.cells):
        if cell.cell_type != "code":
            continue
        try:
            run_cell(cell.source, f"<{notebook} {number}>", namespace)
        except CheckFailed as failed:
            waiting.append(str(failed))
        except Exception as error:
            assert MAY_FAIL in cell.metadata.get("tags", []), f"{cell.source}\n{error!r}"
    assert waiting == [f"{name}: not answered yet" for name in master_of(notebook).exercises]
    capsys.readouterr()


def run_cell(source, place, namespace):
    # The check looks at a function's source: it must find it as it does in a notebook.
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
    exec(compile(ast.parse(source), place, "exec"), namespace)


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_every_formula_that_a_check_tells_can_be_tried(notebook, monkeypatch, capsys):
    """With what a solved notebook holds at that place: the cells above are run that the tests build on."""
    master = master_of(notebook)
    for exercise in master.told["derivations"]:
        kernel = SimpleNamespace(user_ns=namespace_at_check(master, exercise))
        monkeypatch.setattr("autograder.asking.shell", lambda kernel=kernel: kernel)
        capsys.readouterr()
        tell_derivation(SimpleNamespace(told=master.told), exercise)
        assert "cannot be tried" not in capsys.readouterr().out, exercise


def namespace_at_check(master, exercise):
    """What stands above an exercise's check, as far as the tests of its derivation need it."""
    code = [c for c in master.cells if c.kind == "code" and c.role not in ("check", *ASKING)]
    tests = [c for c in code if c.role == "found" and c.name == exercise]
    needed = {name for cell in tests for name in needed_and_bound(cell.source)[0]}
    check = next(c.number for c in master.cells_with("check") if c.name == exercise)
    sources = []
    for cell in reversed([c for c in code if c.number < check and c.role != "found"]):
        needs, binds = needed_and_bound(cell.source)
        if binds & needed:
            needed |= needs
            sources.insert(0, cell.source)
    namespace = {"__name__": "__main__"}
    for source in sources:
        exec(compile(source, f"<above {exercise}>", "exec"), namespace)
    return namespace


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_no_folded_or_extra_cell_rebinds_what_is_needed_above(notebook):
    """Who runs a cell again, or a check whose formulas are tried, finds the names as they were."""
    extras = 0  # the level of the extra section's heading
    needed: dict[str, int] = {}  # name -> the cell above that needs it
    spoilt = []
    for cell in master_of(notebook).cells:
        if cell.kind == "markdown" and (heading := re.match("#+", cell.source)):
            extras = extras if len(heading[0]) > extras else 0
            extras = len(heading[0]) if cell.metadata.get("extra") else extras
        if cell.kind == "markdown" or cell.role in ("check", *ASKING):
            continue
        needs, binds = needed_and_bound(cell.source)
        if cell.role != "found" and (extras or cell.metadata.get("hide_input")):
            spoilt += [f"cell {cell.number} rebinds {n} of cell {needed[n]}" for n in binds & needed.keys()]
        else:
            needed |= dict.fromkeys(needs, cell.number)
    assert not spoilt


def needed_and_bound(source):
    """The names that a cell, or a function made in it, takes from other cells; and those that it binds."""
    needs, binds = set(), set()
    for statement in ast.parse(source).body:
        code = compile(ast.Module([statement], []), "<cell>", "exec")
        loops = not isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr)
        names = {name for name, is_module in read_within(code) if not is_module}
        needs |= names - binds - (bound(statement) if loops else set())
        binds |= bound(statement)
    return needs - set(dir(builtins)), binds


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_release_has_what_every_notebook_has(notebook):
    master = master_of(notebook)
    prose = "\n".join(cell.source for cell in master.cells if cell.kind == "markdown")
    code = "\n".join(cell.source for cell in master.cells if cell.kind == "code")
    assert re.match(r"^# \d\d · ", master.cells[0].source)
    mended = [exercise for exercise in master.exercises.values() if exercise.spec.mends]
    assert 3 <= len(master.exercises) <= (10 if mended else 9)
    assert len(master.cells_with("written")) >= 1
    assert master.questions or re.search(r"before you run|predict", prose, re.I)
    assert re.search(r"^#+ (recap|what to take)", prose, re.I | re.M)
    assert "show(" in code
    assert "explorer(" in code
    assert "assert " in code
    slides = [cell for cell in master.cells if cell.metadata.get("slide") in ("slide", "subslide")]
    assert len(slides) >= 15
    assert any(cell.metadata.get("slide") == "notes" for cell in master.cells)


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_every_formula_has_one_number(notebook):
    prose = "\n".join(cell.source for cell in master_of(notebook).cells if cell.kind == "markdown")
    tags = re.findall(r"\\tag\{([^}]*)\}", prose)
    assert len(tags) == len(set(tags))
    code = "\n".join(cell.source for cell in master_of(notebook).cells if cell.kind == "code")
    referred = set(re.findall(r'[#"].*?\((\d+\.\d+)\)', code))  # in a comment, or in an assertion's message
    number = str(int(notebook[:2]))
    unknown = {r for r in referred if r.startswith(f"{number}.")} - set(tags)
    assert not unknown
    assert referred & {t for t in tags if t} or not tags
