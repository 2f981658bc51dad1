"""The course in a browser: what `make lite` puts together, and a kernel that starts from it."""

import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import lite
import pytest
from course import NOTEBOOKS, ROOT
from server import run_all, wait_for_kernel

from autograder import student_log
from autograder.course.places import Places, find_masters
from autograder.errors import CourseError
from autograder.exchange.bundle import student_files
from autograder.sheets.frozen import FrozenChecks

LIMIT = ROOT / "autograder" / "answers" / "time_limit.py"
KERNEL = "Python (Pyodide)"


def write_wheel(folder: Path, name: str, *needs: str, python: str = ">=3.8") -> Path:
    """A wheel of one module, with what it needs."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    lines = [f"Name: {name}", "Version: 1.0", f"Requires-Python: {python}"]
    lines += [f"Requires-Dist: {one}" for one in needs]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{name}-1.0.dist-info/METADATA", "\n".join([*lines, ""]))
    return path


@pytest.mark.parametrize("words", ["Max retries exceeded with url", "npm error code EAI_AGAIN"])
def test_without_a_network_that_is_said_before_the_tools_own_words(words):
    with pytest.raises(CourseError, match=f"^There is no network, (.|\n)* failed:\n{words}"):
        lite.run(sys.executable, "-c", f"import sys; sys.exit({words!r})")
    with pytest.raises(CourseError, match=r"^(?!There is no network)"):
        lite.run(sys.executable, "-c", "import sys; sys.exit('no such file')")


@pytest.fixture
def pyodide(tmp_path, monkeypatch):
    """A small distribution that knows NumPy's file, holds a tool, and knows a module that nobody needs."""
    given = tmp_path / "given"
    given.mkdir()
    known = {"numpy": "numpy.whl", "Micro_Pip": "tool.whl", "other": "other.whl"}
    packages = {name: {"name": name, "file_name": file, "depends": []} for name, file in known.items()}
    (given / "pyodide-lock.json").write_text(json.dumps({"info": {"python": "3.14.2"}, "packages": packages}))
    (given / "pyodide.mjs").write_text("")
    (given / "tool.whl").write_bytes(b"theirs")
    (given / "other.whl").write_bytes(b"not needed")
    monkeypatch.setattr(lite, "KERNEL", ("micro-pip",))
    monkeypatch.setattr(lite, "cdn_of", lambda *_: "https://cdn.example/v1")
    return given


def test_what_pyodide_lacks_is_asked_of_its_cdn_and_what_it_holds_is_kept(tmp_path, pyodide):
    foreign = 'windows; sys_platform == "win32"'
    wheels = [
        write_wheel(tmp_path, "rnn_course", "numpy>=2", "plain", foreign),
        write_wheel(tmp_path, "plain"),
        write_wheel(tmp_path, "micro_pip"),
    ]
    to = tmp_path / "to"
    assert lite.lay_pyodide(Path(sys.executable), pyodide, wheels, to) == ["numpy.whl"]
    packages = json.loads((to / "pyodide-lock.json").read_text())["packages"]
    assert packages["numpy"]["file_name"] == "https://cdn.example/v1/numpy.whl"
    assert packages["other"]["file_name"] == "https://cdn.example/v1/other.whl"
    assert packages["micro-pip"]["file_name"] == "tool.whl" and (to / "tool.whl").read_bytes() == b"theirs"
    ours = packages["rnn-course"]
    assert ours["depends"] == ["numpy", "plain"] and ours["imports"] == ["rnn_course"]
    assert ours["sha256"] == hashlib.sha256((to / ours["file_name"]).read_bytes()).hexdigest()


def test_a_distribution_that_does_not_fit_is_refused_in_words(tmp_path, pyodide):
    lacks = [write_wheel(tmp_path, "rnn_course", "matplotlib")]
    with pytest.raises(CourseError, match="does not know matplotlib, which the course needs"):
        lite.lay_pyodide(Path(sys.executable), pyodide, lacks, tmp_path / "to")
    newer = [write_wheel(tmp_path, "rnn_course", python=">=3.15")]
    with pytest.raises(CourseError, match=r"needs Python >=3.15, .* has 3.14.2: take that of Pyodide"):
        lite.lay_pyodide(Path(sys.executable), pyodide, newer, tmp_path / "to")
    (pyodide / "pyodide.mjs").unlink()
    with pytest.raises(CourseError, match=r"it holds no pyodide\.mjs"):
        lite.distribution(pyodide)
    (tmp_path / "no.tar.bz2").write_text("no archive")
    with pytest.raises(CourseError, match="cannot be read as an archive"):
        lite.unpacked(tmp_path / "no.tar.bz2", tmp_path / "unpacked")


def test_notebooks_are_in_it_with_their_checks_but_not_those_that_need_pytorch(tmp_path, monkeypatch):
    monkeypatch.setattr(lite, "fetch", lambda what: b"an archive")
    folders = find_masters(ROOT / "solutions", ["00_start_here", "07_training"])
    names = lite.without_torch(folders)
    assert names == ["00_start_here"]
    lite.lay_contents(student_files(names, Places(ROOT)), tmp_path)
    for name in names:
        for file in (f"{name}.ipynb", "checks.safetensors"):
            there = tmp_path / "files" / name / file
            assert there.read_bytes() == (ROOT / "notebooks" / name / file).read_bytes()
    kernel = json.loads((tmp_path / "jupyter-lite.json").read_text())
    options = kernel["jupyter-config-data"]["litePluginSettings"][lite.SETTINGS]["loadPyodideOptions"]
    # A reader's progress lies where the browser keeps files; the data where `rnncourse.data` looks.
    assert options["env"]["AUTOGRADER_PROGRESS"].startswith("/drive/")
    data = tmp_path / "files" / Path(options["env"]["XDG_CACHE_HOME"]).relative_to("/drive")
    assert (data / "rnncourse" / lite.SENTENCES.archive).read_bytes() == b"an archive"


def test_the_wheel_holds_what_students_import_and_no_derivation(tmp_path):
    contents = student_files(["00_start_here"], Places(ROOT))
    wheel = lite.course_wheel(Path(sys.executable), contents, tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"autograder/check.py", "rnncourse/figures_00.py", "rnncourse/explorers/parts.js"} <= names
    assert not [name for name in names if re.search(r"withheld|grading/|sandbox|figures_01|solutions/", name)]
    described = lite.locked(wheel, "3.14.2")
    assert described["imports"] == ["autograder", "rnncourse"]
    assert {"numpy", "matplotlib", "safetensors"} <= set(described["depends"])


def test_checks_are_read_where_a_file_cannot_be_mapped_into_memory(tmp_path):
    """As in a browser's folder: a pipe cannot be mapped either."""
    name = NOTEBOOKS[0]
    file, pipe = ROOT / "notebooks" / name / "checks.safetensors", tmp_path / "checks.safetensors"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(file.read_bytes()), daemon=True)
    writer.start()
    assert FrozenChecks(pipe).names == FrozenChecks(file).names


def test_what_is_kept_can_be_read_again_where_the_umask_forbids_all(tmp_path, monkeypatch):
    """As a browser's system says; root reads everything, so the file's mode is asked."""
    monkeypatch.setenv("AUTOGRADER_PROGRESS", str(tmp_path / "progress.json"))
    before = os.umask(0o777)
    try:
        student_log.remember("00_start_here", "sigmoid", "right")
    finally:
        os.umask(before)
    assert (tmp_path / "progress.json").stat().st_mode & 0o777 == 0o600
    assert student_log.read_progress() == {"00_start_here": {"sigmoid": ["right"]}}


@pytest.mark.parametrize("name", ["lite", "lite-browser"])
def test_its_lock_files_name_no_host_and_hold_all_that_is_asked_for(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert "://" not in text and "index" not in text
    locked = re.findall(r"^([a-z0-9-]+)==.*?--hash=sha256", text, re.MULTILINE | re.DOTALL)
    asked = re.findall(r"^[a-z0-9-]+", (ROOT / "requirements" / f"{name}.in").read_text(), re.MULTILINE)
    assert asked and set(asked) <= set(locked)


WITHOUT_THREADS = """
import importlib, importlib.util, sys, threading, time

def no_thread(self):
    raise RuntimeError("can't start new thread")

threading.Thread.start = no_thread
spec = importlib.util.spec_from_file_location("time_limit", sys.argv[1])
limits = sys.modules["time_limit"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(limits)

def swallows():
    while True:
        try:
            while True:
                pass
        except Exception:
            pass

def generates():
    sum(1 for _ in iter(int, 1))

def is_called():
    list(map(lambda x: x, iter(int, 1)))

def branches(depth=200):
    if depth:
        branches(depth - 1), branches(depth - 1)

def has_another_inside():
    try:
        limits.TimeLimit(0.05).run(swallows)
    except limits.TimeUp:
        swallows()

for loop in (swallows, generates, is_called, branches, has_another_inside):
    started = time.monotonic()
    try:
        limits.TimeLimit(0.15).run(loop)
    except limits.TimeUp:
        assert 0.1 < time.monotonic() - started < 5, loop
    else:
        raise AssertionError(loop)

sys.path.insert(0, sys.argv[2])
limits.TimeLimit(0.1).run(lambda: importlib.import_module("slow_to_import").whole)
assert limits.TimeLimit(5).run(lambda: sum(i for i in range(1000))) == 499500
assert sys.monitoring.get_tool(limits.TOOL) is None
swallowed = 0
while swallowed < 10000:  # nothing is raised any more
    swallowed += 1
print("all ended")
"""


def newer_pythons() -> list[str]:
    """The Pythons of this machine that tell of loops and calls, as the one in a browser does."""
    found = [sys.executable] if sys.version_info >= (3, 12) else []
    folders = [*os.get_exec_path(), *map(str, Path.home().glob(".pyenv/versions/*/bin"))]
    return found + [str(path) for folder in folders for path in Path(folder).glob("python3.1[2-9]")]


def test_without_threads_endless_loops_and_calls_come_to_an_end_and_no_import_is_cut_in_half(tmp_path):
    pythons = newer_pythons()
    if not pythons:
        pytest.skip("no Python of 3.12 or later is on this machine")
    (tmp_path / "slow_to_import.py").write_text(
        "import time\nuntil = time.monotonic() + 0.3\n"
        "while time.monotonic() < until:\n    pass\nwhole = True\n"
    )
    command = [pythons[-1], "-I", "-c", WITHOUT_THREADS, str(LIMIT), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "all ended\n", done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The course in a browser, built from what is given as PYODIDE, else from npm's core; its address."""
    given = os.environ.get("PYODIDE")
    folder = tmp_path_factory.mktemp("lite")
    lite.build(Path(given).resolve() if given else None, "01", folder / "site")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=folder / "site")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder / "site", f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def opened(browser, site, name):
    """A page with a notebook of the site, its kernel started; `page.asked` is what it asked of others."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.asked = []
    own = (site[1], "blob:", "data:")
    page.on("request", lambda one: None if one.url.startswith(own) else page.asked.append(one.url))
    page.goto(f"{site[1]}/lab/index.html?path={name}/{name}.ipynb")
    wait_for_kernel(page, KERNEL, seconds=300)
    return page


IN_THE_BROWSER = """import os, sys
from pathlib import Path
kept = Path(os.environ["AUTOGRADER_PROGRESS"])
kept.write_text("{}")
beside = sorted(path.name for path in Path().iterdir())
print("says", sys.platform, kept.exists(), beside, len(Path("checks.safetensors").read_bytes()))"""


@pytest.mark.long
def test_a_kernel_starts_without_a_network_and_finds_the_checks_beside_its_notebook(browser, site):
    """With Pyodide's core alone there is no NumPy: nothing of the course can be imported then."""
    name = NOTEBOOKS[0]
    path = site[0] / "files" / name / f"{name}.ipynb"
    whole = path.read_text("utf-8")
    notebook = json.loads(whole)
    cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    notebook["cells"] = [{**cell, "source": IN_THE_BROWSER}]
    path.write_text(json.dumps(notebook), "utf-8")
    page = opened(browser, site, name)
    run_all(page, KERNEL)
    said = page.locator(".jp-OutputArea-output", has_text="says").first
    said.wait_for(timeout=120_000)
    size = (site[0] / "files" / name / "checks.safetensors").stat().st_size
    assert said.inner_text().strip() == f"says emscripten True ['{name}.ipynb', 'checks.safetensors'] {size}"
    assert page.asked == []
    page.close()
    path.write_text(whole, "utf-8")


@pytest.mark.long
def test_a_check_judges_in_the_browser(browser, site):
    """`PYODIDE=PATH LONG=1 pytest tests/test_lite.py`, with a whole distribution of Pyodide."""
    if not os.environ.get("PYODIDE"):
        pytest.skip("PYODIDE names no Pyodide distribution, and npm's core has no NumPy")
    from course import master_of

    name = NOTEBOOKS[0]
    master, path = master_of(name), site[0] / "files" / name / f"{name}.ipynb"
    first, second = list(master.exercises)[:2]
    mistake = master.exercises[second].spec.misconceptions[0]
    answers = {first: master.exercises[first].source, second: master.mutate(second, mistake)}
    notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["metadata"].get("nbgrader", {}).get("grade_id"), cell["source"])
    path.write_text(json.dumps(notebook), "utf-8")
    page = opened(browser, site, name)
    run_all(page, KERNEL)
    shown = {}
    for each in (first, second):
        answer = page.locator(".jp-OutputArea-output", has_text=re.compile(rf"^\s*{each}: ")).first
        answer.wait_for(state="attached", timeout=300_000)
        shown[each] = answer.inner_text()
    page.close()
    assert f"{first}: right" in shown[first]
    assert f"{second}: not right yet" in shown[second] and mistake.name in shown[second]
