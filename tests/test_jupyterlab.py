"""JupyterLab in headless Chromium: a student runs all of a notebook, and opens one that was run before."""

import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from course import ROOT, master_of
from lab import STUDENT_LAB
from nbformat.sign import NotebookNotary
from server import jupyter, run_all, wait_for_kernel, write_settings

from rnncourse.cells import step_through
from rnncourse.explorer import STANDS_STILL, explorer

NOTEBOOK = "01_simple_rnn"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a folder of its own, with settings of its own, as `make lab` starts it."""
    settings = tmp_path_factory.mktemp("lab")
    work = settings / "work"
    work.mkdir()
    # Without windowing every cell is in the page, not only those in view.
    write_settings(settings, "notebook-extension/tracker", {"windowingMode": "none"})
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("JUPYTER_CONFIG_PATH", str(STUDENT_LAB))
        with jupyter("lab", work, settings) as url:
            yield work, url


def write_submission(work: Path, answers: dict[str, str]):
    """The release as a student has it, with some answers written into it."""
    path = shutil.copytree(ROOT / "notebooks" / NOTEBOOK, work / NOTEBOOK) / f"{NOTEBOOK}.ipynb"
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name in answers and cell["cell_type"] == "code":
            cell["source"] = answers[name]
    path.write_text(json.dumps(notebook))


@pytest.mark.ci
def test_run_all_shows_a_check_for_each_kind_of_answer(lab, browser):
    work, url = lab
    master = master_of(NOTEBOOK)
    names = list(master.exercises)
    mutant = master.exercises[names[1]].spec.misconceptions[0]
    answers = {names[0]: master.exercises[names[0]].source, names[1]: master.mutate(names[1], mutant)}
    write_submission(work, answers)
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{url}/lab/tree/{NOTEBOOK}/{NOTEBOOK}.ipynb")
    run_all(page)
    shown = {}
    for name in names:
        answer = page.locator(".jp-OutputArea-output", has_text=re.compile(rf"^\s*{name}: ")).first
        answer.wait_for(state="attached", timeout=60_000)
        answer.scroll_into_view_if_needed()
        for fold in answer.locator("summary").all():
            fold.click()
        shown[name] = answer.inner_text()
    said_in_red = page.locator("[data-mime-type='application/vnd.jupyter.stderr']").all_inner_texts()
    buttons = page.locator("body").inner_text() + page.content()
    page.close()
    assert "Jupyter news" not in buttons
    assert "Create Assignment" not in buttons and "Formgrader" not in buttons
    assert any(f"Change {names[1]}, run its cell, and check again." in text for text in said_in_red)
    assert [text for text in said_in_red if "Traceback" in text or "NotImplementedError" in text] == []
    assert f"{names[0]}: right" in shown[names[0]]
    assert f"{names[1]}: not right yet" in shown[names[1]]
    assert mutant.name in shown[names[1]]
    assert mutant.hint.replace("`", "") in shown[names[1]]
    assert all(f"{name}: not answered yet" in shown[name] for name in names[2:])


def write_run_before(path: Path, trusted: bool):
    """A notebook with two explorers among its outputs; trusted, as one that was run and saved here."""
    turning = explorer("turning", {"bits": [1, 0], "at_0": 1, "at_1": -1}, alt="Two bars.")
    shown = [step_through("simple"), turning]
    outputs = [
        nbformat.v4.new_output(
            "execute_result", {"text/html": one._repr_html_(), "text/plain": repr(one)}, execution_count=1
        )
        for one in shown
    ]
    cells = [nbformat.v4.new_code_cell("show", outputs=[output], execution_count=1) for output in outputs]
    notebook = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )
    nbformat.write(notebook, path)
    if trusted:
        notary = NotebookNotary(data_dir=str(path.parents[1] / "data"))
        notary.sign(notebook)
        notary.store.close()


@pytest.mark.ci
def test_an_explorer_that_was_run_before_moves_or_is_a_picture(lab, browser):
    """In a notebook that is opened again, and in one that is not trusted. No cell is run here."""
    work, url = lab
    names = {trusted: f"trusted_{trusted}.ipynb" for trusted in (True, False)}
    for trusted, name in names.items():
        write_run_before(work / name, trusted)
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{url}/lab/tree/{names[True]}?reset")
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-NotebookPanel-notebook")
    notebook.locator(".themed").wait_for(timeout=60_000)
    wait_for_kernel(page)  # a server that is ended while a kernel starts waits for it
    moving, moving_says = notebook.locator("figure :is(button, input)").count(), notebook.inner_text()
    page.locator(".jp-DirListing-item", has_text=names[False]).dblclick()
    notebook.locator(".twin, em", has_text=STANDS_STILL).first.wait_for()
    pictures = notebook.locator("figure img").evaluate_all("all => all.map((e) => [e.alt, e.naturalWidth])")
    still, still_says = notebook.locator("figure :is(button, input)").count(), notebook.inner_text()
    wait_for_kernel(page)
    page.close()
    assert "model not found" not in moving_says + still_says
    assert moving and STANDS_STILL not in moving_says
    assert not still and still_says.count(STANDS_STILL) == 2
    assert [bool(alt) and width > 100 for alt, width in pictures] == [True]
    assert "Two bars." in still_says
