"""What a release keeps back is nowhere in it: each way to tell it is found; the notebooks tell nothing."""

import ast
import sys

import pytest
from course import NOTEBOOKS, ROOT, TINY, master_of

from autograder.course.masters import read_master
from autograder.course.places import Places
from autograder.release.build import PUBLIC_KEY
from autograder.release.stage import stage_files
from autograder.release.withheld import flattened, formulas, told_problems
from autograder.sheets.drawn import fresh_sheets

WITHHOLDING = [name for name in NOTEBOOKS if master_of(name).told["derivations"]]

FOUND = """
# %% [markdown] found="rnn_step_backward"
# $$\\\\frac{dL}{ds_{t-1}} = (W^{s,s})^{\\\\top} (\\\\delta_t \\\\odot (1 - s_t^2)) \\\\tag{0.7}$$
#
# $$\\\\tanh'(a) = 1 - s_t \\\\, s_t$$
"""


def problems_with(folder, *cells, before=(), found=FOUND):
    """What is found in the tiny notebook when it keeps back a derivation and has these cells as well."""
    place = folder / TINY.name
    place.mkdir()
    for path in TINY.iterdir():
        if path.is_file():
            (place / path.name).write_bytes(path.read_bytes())
    master = place / f"{TINY.name}.py"
    exercise = '# %% exercise="rnn_step_backward"'
    text = master.read_text().replace(exercise, "\n".join([*before, "", exercise]))
    master.write_text(text + found.replace("\\\\", "\\") + "\n".join(cells))
    master = read_master(place)
    return list(told_problems(master, fresh_sheets(master, PUBLIC_KEY)))


def test_a_notebook_that_tells_nothing_has_no_problem(tmp_path):
    assert problems_with(tmp_path) == []


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (
            "# %% [markdown]\n# See $(W^{s,s})^{\\top}(\\delta_t \\odot(1 - s_t^2))$.\n",
            "shows a formula that 'rnn_step_backward' is to find",
        ),
        ("# %% [markdown]\n# $$x \\tag{0.7}$$\n", "shows a formula that 'rnn_step_backward' is to find"),
        (
            '# %%\nr"""Note: (W^{s,s})^{\\top} (\\delta_t \\odot (1 - s_t^2))"""\n',
            "shows a formula",
        ),
        ("# %%\nleft = 'W' if 0 else None  # steep: 1 - s_t * s_t\n", "shows a formula"),
    ],
)
def test_a_formula_in_the_text_is_found(cell, words, tmp_path):
    (problem, *_) = problems_with(tmp_path, cell)
    assert words in problem


def test_a_notebook_that_keeps_nothing_back_is_searched_for_pasted_cells_too(tmp_path):
    cell = '# %%\nahead = lambda x, s, V: np.tanh(V["ss"] @ s + V["sx"] @ x)\n'
    found = problems_with(tmp_path, cell, found="")
    assert any("pasted under its name, answers 'rnn_step'" in problem for problem in found)


ANSWER = """dz = ds * (1 - s_t**2)
result = (W["sx"].T @ dz, W["ss"].T @ dz, {"ss": dz @ s_prev.T, "sx": dz @ x_t.T})
"""


@pytest.mark.parametrize(
    "cell",
    [
        f"# %%\n{ANSWER}",
        f"# %%\n{ANSWER}result\n",
        "# %%\ndef back(ds, x, s, new, V):\n    d = ds * (1 - new**2)\n"
        '    return V["sx"].T @ d, V["ss"].T @ d, {"ss": d @ s.T, "sx": d @ x.T}\n',
        "# %%\nback = lambda ds, x, s, new, V: ((V['sx'].T @ (ds * (1 - new**2))), "
        "V['ss'].T @ (ds * (1 - new**2)), "
        "{'ss': (ds * (1 - new**2)) @ s.T, 'sx': (ds * (1 - new**2)) @ x.T})\n",
    ],
)
def test_a_cell_that_answers_under_another_name_is_found(cell, tmp_path):
    ast.parse(cell)
    found = problems_with(tmp_path, cell)
    assert any("pasted under its name, answers 'rnn_step_backward'" in problem for problem in found)


VALUES = """# %%
rng = np.random.default_rng(0)
x_t, s_prev, ds = rng.normal(size=(4, 2)), rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
W = {"ss": rng.normal(size=(3, 3)), "sx": rng.normal(size=(3, 4))}
s_t = np.tanh(W["ss"] @ s_prev + W["sx"] @ x_t)
"""


def test_a_value_that_only_the_formula_gives_is_found_however_the_cell_disguises_it(tmp_path):
    told = VALUES + 'steep = 1 - s_t * s_t\nkept = {"a": [np.einsum("ij,in->nj", W["ss"], ds * steep)]}\n'
    found = problems_with(tmp_path, before=[told])
    assert any("`kept['a'][0]`" in problem and "is `ds_prev`" in problem for problem in found)


CLEANS_UP = """# %%
class Figure:
    def __del__(self):
        while True:
            pass
Figure()
"""


def test_a_cell_that_is_stopped_in_a_clean_up_is_not_complained_of(tmp_path, monkeypatch):
    complaints = []
    monkeypatch.setattr(sys, "unraisablehook", lambda one: complaints.append(one.exc_type))
    assert problems_with(tmp_path, before=[CLEANS_UP]) == []
    assert complaints == []


def test_a_numeric_gradient_tells_nothing(tmp_path):
    told = VALUES + (
        "def slope(i, j):\n"
        "    moved = s_prev.copy(), s_prev.copy()\n"
        "    moved[0][i, j] += 1e-6\n"
        "    moved[1][i, j] -= 1e-6\n"
        '    up, down = (np.tanh(W["ss"] @ s + W["sx"] @ x_t) for s in moved)\n'
        "    return (ds * (up - down)).sum() / 2e-6\n"
        "nudged = np.array([[slope(i, j) for j in range(2)] for i in range(3)])\n"
    )
    assert problems_with(tmp_path, before=[told]) == []


@pytest.mark.parametrize("notebook", WITHHOLDING)
def test_no_file_that_ships_holds_a_formula_that_is_kept_back(notebook):
    """The releases up to this one, and the figures and explorers that they use."""
    names = [
        path.parent.name for path in sorted((ROOT / "notebooks").glob("*/*.ipynb")) if path.stem <= notebook
    ]
    files = [
        path for path in stage_files(names, Places(ROOT)) if path.suffix in (".ipynb", ".py", ".js", ".txt")
    ]
    flat = {path: flattened(path.read_text("utf-8").replace(r"\\", "\\")) for path in files}
    for cells in master_of(notebook).told["derivations"].values():
        for formula, _ in formulas(cells):
            assert [path for path, text in flat.items() if formula in text] == []
