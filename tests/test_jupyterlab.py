"""One session of JupyterLab in headless Chromium: a student opens a notebook and runs it all."""

import json
import re
import shutil
from pathlib import Path

import pytest
from course import ROOT, master_of
from lab import STUDENT_LAB
from server import jupyter, run_all, write_settings

NOTEBOOK = "01_simple_rnn"


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """JupyterLab on a folder of its own, with settings of its own, as `make lab` starts it."""
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(STUDENT_LAB))
    work = tmp_path / "work"
    work.mkdir()
    write_settings(tmp_path, "apputils-extension/notification", {"fetchNews": "false"})
    # Without windowing every cell is in the page, not only those in view.
    write_settings(tmp_path, "notebook-extension/tracker", {"windowingMode": "none"})
    with jupyter("lab", work, tmp_path) as url:
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
    assert "Create Assignment" not in buttons and "Formgrader" not in buttons
    assert any(f"Change {names[1]}, run its cell, and check again." in text for text in said_in_red)
    assert [text for text in said_in_red if "Traceback" in text or "NotImplementedError" in text] == []
    assert f"{names[0]}: right" in shown[names[0]]
    assert f"{names[1]}: not right yet" in shown[names[1]]
    assert mutant.name in shown[names[1]]
    assert mutant.hint.replace("`", "") in shown[names[1]]
    assert all(f"{name}: not answered yet" in shown[name] for name in names[2:])
