"""Set-up in odd places: a copy of `scripts/` with a small project, its own `.venv`, and the real pip."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from course import ROOT

pytestmark = pytest.mark.xdist_group("setup")

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "rnn-course"
version = "0.1"
dependencies = ["packaging>=20"]
[project.optional-dependencies]
dev = []
"""
# The smallest build there is: a wheel that names the folder.
BACKEND = """
import zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    info, name = "rnn_course-0.1.dist-info", "rnn_course-0.1-py3-none-any.whl"
    about = ("Metadata-Version: 2.1", "Name: rnn-course", "Version: 0.1", "Requires-Dist: packaging>=20")
    files = {
        "rnn_course.pth": __file__.rpartition("/")[0],
        f"{info}/METADATA": "\\n".join(about) + "\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{path},,\\n" for path in [*files, f"{info}/RECORD"]))
    return name
"""
OFFLINE = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}
OFFLINE |= {"PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": ""}


def lay_out(home):
    """A small course in a folder, with the scripts that set it up."""
    (home / "scripts").mkdir(parents=True)
    for path in (ROOT / "scripts").glob("setup*.*"):
        shutil.copy(path, home / "scripts")
    (home / "pyproject.toml").write_text(PROJECT)
    (home / "backend.py").write_text(BACKEND)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A course of its own, set up once; a blank is in its path."""
    home = tmp_path_factory.mktemp("a course")
    lay_out(home)
    status, said = set_up(home)
    assert status == 0, said
    return home


def start(home, *words, **settings):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHON"} | settings
    command = ["sh", "scripts/setup.sh", *words]
    merged = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=home, env=environment, **merged)


def set_up(home, *words, **settings):
    process = start(home, *words, **settings)
    said, _ = process.communicate(timeout=300)
    return process.returncode, said


def site(home):
    return next((home / ".venv" / "lib").glob("python3*/site-packages"))


def is_ready(home):
    """Whether nothing is left to be done."""
    ask = [home / ".venv" / "bin" / "python", "-I", "scripts/setup.py", "--ready"]
    return subprocess.run(ask, cwd=home, capture_output=True, check=False).returncode == 0


def test_a_second_run_says_nothing_also_where_only_times_have_changed(home):
    for name in ("pyproject.toml", "scripts/setup.py", "scripts/setup_torch.py", "scripts/setup.sh"):
        (home / name).touch()
    assert set_up(home) == (0, "")


def test_offline_a_changed_project_whose_requirements_are_met_goes_on(home):
    (home / "pyproject.toml").write_text(PROJECT.replace("requires = []", 'requires = ["setuptools"]'))
    status, said = set_up(home, **OFFLINE)
    assert status == 0, said
    assert "There is no network" in said and "meets every requirement" in said
    assert set_up(home, **OFFLINE) == (0, "")


@pytest.mark.ci
def test_offline_what_is_missing_is_told_in_pips_own_words_with_the_word_network(home):
    (home / "pyproject.toml").write_text(PROJECT.replace("packaging>=20", "packaging>=9999"))
    (home / "backend.py").write_text(BACKEND.replace("packaging>=20", "packaging>=9999"))
    status, said = set_up(home, **OFFLINE)
    assert status == 1
    assert "from the network" in said and "There is no network" in said
    assert "No matching distribution found for packaging>=9999" in said
    assert not is_ready(home)
    (home / "pyproject.toml").write_text(PROJECT)
    (home / "backend.py").write_text(BACKEND)
    assert set_up(home)[0] == 0


@pytest.mark.long
def test_a_package_that_is_gone_comes_back(home):
    for path in site(home).glob("packaging*"):
        shutil.rmtree(path)
    status, said = set_up(home)
    assert status == 0, said
    assert is_ready(home)


@pytest.mark.long
def test_an_environment_without_pip_is_mended(home):
    """As after Ctrl-C while it was made: a Python that starts, and no pip."""
    for path in site(home).glob("pip*"):
        shutil.rmtree(path)
    (home / ".venv" / ".ready").unlink()
    status, said = set_up(home)
    assert status == 0, said
    assert is_ready(home)


@pytest.mark.long
def test_where_the_python_behind_is_gone_one_of_two_set_ups_makes_it_again(home):
    for link in (home / ".venv" / "bin").glob("python*"):
        link.unlink()
        link.symlink_to("/nowhere/python3")
    both = [start(home), start(home)]
    said = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("its Python is gone" in text for text in said) == 1
    assert sum("Everything is set up" in text for text in said) == 1
    assert is_ready(home)


def script(path: Path, text: str) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_a_python_that_cannot_be_used_is_refused_with_the_reason(home, tmp_path):
    old = 'case "$3" in *print*) echo 3.9.2;; *) exit 1;; esac'
    refused = {
        "/nowhere/python3": "no such program",
        script(tmp_path / "no python", "exit 3"): "does not start",
        script(tmp_path / "old python", old): "Python 3.9.2, and this needs 3.11",
    }
    for python, reason in refused.items():
        status, said = set_up(home, PYTHON=python)
        assert status == 1
        assert f"PYTHON={python}: " in said and reason in said


@pytest.mark.long
def test_a_python_with_a_blank_in_its_path_is_taken(home, tmp_path):
    ours = subprocess.run(
        [home / ".venv" / "bin" / "python", "-c", "import sys; print(sys._base_executable)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    status, said = set_up(home, PYTHON=script(tmp_path / "my python" / "python3", f'exec "{ours}" "$@"'))
    assert (status, said) == (0, "")  # the same one as before: nothing is made again


@pytest.mark.long
def test_a_half_installed_torch_is_removed_and_called_missing(home):
    broken = site(home) / "torch"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise OSError('libtorch.so: file too short')")
    (site(home) / "torch-2.13.0.dist-info").mkdir()
    status, said = set_up(home, "--torch", **OFFLINE)
    assert status == 1
    assert "left out" in said and "make torch" in said
    assert not list(site(home).glob("*torch*"))


@pytest.mark.long
def test_a_moved_folder_is_set_up_again_whatever_others_set_for_their_programs(home, tmp_path):
    # The last one that needs the folder.
    moved = home.rename(tmp_path / "moved")
    poison = tmp_path / "poison"
    poison.mkdir()
    for name in ("packaging.py", "json.py", "pip.py", "sitecustomize.py"):
        (poison / name).write_text("raise RuntimeError('poison')")
    (poison / "constraints.txt").write_text("packaging<1\n")
    status, said = set_up(
        moved,
        PYTHONPATH=str(poison),
        PYTHONHOME="/nowhere",
        PYTHONOPTIMIZE="2",
        PIP_USER="1",
        PIP_TARGET=str(poison / "target"),
        PIP_NO_BINARY=":all:",
        PIP_CONSTRAINT=str(poison / "constraints.txt"),
    )
    assert status == 0, said
    assert "it was moved" in said
    assert is_ready(moved)
    assert not (poison / "target").exists()
    origin = json.loads(next(site(moved).glob("rnn_course*/direct_url.json")).read_text())
    assert origin["url"] == moved.as_uri()


def lines_of(lock):
    """A lock file's requirements, each with its hashes, in one line."""
    text = (ROOT / "requirements" / lock).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]


@pytest.mark.long
def test_what_a_lock_file_lists_is_taken_by_its_hash_or_not_at_all(tmp_path):
    home = tmp_path / "locked"
    lay_out(home)
    (home / "requirements").mkdir()
    (line,) = (line for line in lines_of("dev.txt") if line.startswith("packaging=="))
    lock = home / "requirements" / "lab.txt"

    lock.write_text(f"{line.partition('--hash')[0]} --hash=sha256:{'0' * 64}\n")
    status, said = set_up(home)
    assert status == 1
    assert "not the one that requirements/ lists by its hash" in said
    assert not list(site(home).glob("packaging-*"))
    assert not is_ready(home)

    lock.write_text(line + "\n")
    status, said = set_up(home)
    assert status == 0, said
    assert "without hashes" not in said
    assert (site(home) / f"packaging-{line.split()[0].partition('==')[2]}.dist-info").is_dir()
    assert set_up(home) == (0, "")

    lock.write_text(f"packaging==9999 --hash=sha256:{'0' * 64}\n")
    status, said = set_up(home)
    assert status == 0, said
    assert "Not by requirements/lab.txt, so without hashes" in said


def test_a_python_that_the_lock_was_not_tried_with_is_told_and_goes_without(monkeypatch, capsys):
    import setup_packages
    import setup_torch

    asked = []
    monkeypatch.setattr(setup_packages, "install", lambda *words: asked.append(words))
    monkeypatch.setattr(setup_packages, "LOCKED_PYTHONS", ((3, 9), (3, 10)))
    assert setup_packages.take("lab", "--editable", "x") is False
    assert asked == [("--editable", "x")]
    assert "tried with Python 3.9 to 3.10" in capsys.readouterr().out
    assert setup_torch.hashed_torch() is False


def test_the_lock_files_name_no_host_and_hold_all_that_is_asked_for():
    from packaging.requirements import Requirement
    from setup_packages import projects, wanted

    asked = {"lab": set(), "dev": {"dev"}, "torch": {"torch-cpu"}}
    versions: dict[str, set[str]] = {}
    for name, extras in asked.items():
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        assert "://" not in text and "index" not in text
        lines = lines_of(f"{name}.txt")
        assert all("--hash=sha256:" in line for line in lines)
        listed = [Requirement(line.partition("--hash")[0]) for line in lines]
        for one in listed:
            versions.setdefault(f"{one.name} {one.marker}", set()).add(str(one.specifier))
        for one in map(Requirement, wanted("rnn-course", extras)):
            if one.name in projects():
                continue
            found = [other for other in listed if other.name.lower() == one.name.lower()]
            assert found, f"{one.name} is missing in {name}.txt: make lock"
            pins = [next(iter(other.specifier)).version for other in found]
            assert any(one.specifier.contains(pin, prereleases=True) for pin in pins), one
    assert {key: pins for key, pins in versions.items() if len(pins) > 1} == {}


@pytest.mark.long
def test_a_folder_with_odd_signs_is_set_up_and_so_is_one_whose_old_path_ends_in_the_new(tmp_path):
    deep = tmp_path / "far" / "x"
    home = deep / 'a?b%20c$HOME it\'s `#1` "$x"'
    lay_out(home)
    status, said = set_up(home)
    assert status == 0, said
    assert set_up(home) == (0, "")
    assert subprocess.run([home / ".venv/bin/pip", "--version"], check=False).returncode == 0
    import setup

    here = home / ".venv"
    text = (here / "bin" / "pip").read_text()
    assert setup.runs_in(text, here)
    for other in (Path(str(here).removeprefix(str(tmp_path))), home.parent / "renamed" / ".venv"):
        assert not setup.runs_in(text, other)
    assert not setup.runs_in("#!/tmp/x/course/.venv/bin/python3\n", Path("/x/course/.venv"))


@pytest.mark.filterwarnings("ignore:shell")
def test_setuptools_finds_whatever_it_takes_for_a_variable_in_the_path(monkeypatch):
    import setup_packages
    from setuptools._distutils.util import subst_vars

    odd = "/far/a course %20 $x ?/$_y$HOME/$ 1"
    monkeypatch.setattr(setup_packages, "ROOT", Path(odd))
    monkeypatch.setattr(os, "environ", setup_packages.neutral_environment())
    assert subst_vars(odd, {}).endswith("/$ 1")


def test_what_setuptools_cannot_take_is_refused_in_words(tmp_path):
    home = tmp_path / "a{course"
    lay_out(home)
    status, said = set_up(home)
    assert status == 1 and "holds a {, which setuptools cannot take: rename" in said


def test_a_reason_that_pip_sets_in_from_the_margin_is_told():
    from setup_packages import own_words

    said = "Obtaining x\n  error: subprocess-exited-with-error\n  ValueError: why\nERROR: Failed to build"
    assert own_words(said).startswith("  error: ") and "ValueError: why" in own_words(said)


def test_a_small_disk_is_told_before_anything_is_downloaded(monkeypatch, capsys):
    import setup_torch

    tiny = shutil.disk_usage("/")._replace(free=10 << 20)
    monkeypatch.setattr(setup_torch, "working_torch", lambda: "")
    monkeypatch.setattr(setup_torch, "remove_torch", lambda: None)
    monkeypatch.setattr(setup_torch.shutil, "disk_usage", lambda _: tiny)
    monkeypatch.setattr(setup_torch, "pip", lambda *words: pytest.fail(f"pip {words}"))
    assert setup_torch.set_up_torch() is False
    assert "10 MB are free" in capsys.readouterr().out


def test_only_the_tests_and_who_asks_get_torch(monkeypatch, tmp_path):
    import setup
    import setup_packages

    asked = []
    for step in ("install", "mend_scripts", "set_up_sandbox", "set_up_data", "set_up_chromium"):
        monkeypatch.setattr(setup, step, lambda *words: None)
    monkeypatch.setattr(setup_packages, "install", lambda *words: None)
    monkeypatch.setattr(setup, "set_up_torch", lambda: asked.append(1) or True)
    monkeypatch.setattr(setup, "VENV", tmp_path)
    assert setup.fill(dev=False, torch=False) == 0
    assert asked == []
    assert setup.fill(dev=False, torch=True) == setup.fill(dev=True, torch=False) == 0
    assert asked == [1, 1]


def test_scripts_read_no_arguments_in_a_way_that_posh_refuses():
    for path in (ROOT / "scripts").glob("*.sh"):
        text = path.read_text().replace('${1+"$@"}', "")
        assert '"$@"' not in text, path
        subprocess.run(["sh", "-n", path], check=True)


def test_make_takes_one_target_after_the_other(tmp_path):
    """With `make -j4` two set-ups would fill one environment; the Makefile's own words, other recipes."""
    text = (ROOT / "Makefile").read_text()
    head = text[: text.index("help:")]
    recipes = "".join(
        f"{n}:\n\t@echo {n} begins; sleep 0.2; echo {n} ends\n" for n in ("lab", "demo", "lint")
    )
    (tmp_path / "Makefile").write_text(head + recipes)
    # Below `make test` a make would take the outer one's flags and level for its own.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "-j4", "lab", "demo", "lint"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    words = done.stdout.split()
    assert words == [w for n in ("lab", "demo", "lint") for w in (n, "begins", n, "ends")]


def test_make_hands_on_nobodys_settings_and_a_home_that_can_be_written(tmp_path):
    text = (ROOT / "Makefile").read_text()
    (tmp_path / "Makefile").write_text(text[: text.index("help:")] + "lab:\n\t@env\n")
    foreign = dict.fromkeys(
        ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_CONSTRAINT", "MATPLOTLIBRC"), "/x"
    )
    done = subprocess.run(
        ["make", "lab"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": "/nowhere", **foreign, "PIP_INDEX_URL": "kept"},
        capture_output=True,
        text=True,
        check=True,
    )
    seen = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    assert not foreign.keys() & seen.keys()
    assert seen["PIP_INDEX_URL"] == "kept"
    assert seen["HOME"] == str(tmp_path / "build" / "home")


def test_uninstall_leaves_what_people_wrote(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    cache = tmp_path / "cache"
    ours = [".venv/bin/python", ".setup.lock", "build/x"]
    theirs = ["work/01/01.ipynb", "submitted/ada/x", "gradebook.db", "course.key", "notebooks/01/mine.txt"]
    for name in [*ours, *theirs, "cache/rnncourse/x", "cache/pip/x"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    subprocess.run(["make", "uninstall"], cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert not any((tmp_path / name).exists() for name in [*ours, "cache/rnncourse"])
    assert all((tmp_path / name).read_text() == "x" for name in [*theirs, "cache/pip/x"])


def test_a_checkout_with_other_line_ends_works_all_the_same(tmp_path):
    """`core.autocrlf=true`, as Git for Windows has it: scripts that run, releases equal to the byte."""
    origin = tmp_path / "origin"
    names = [".gitattributes", "Makefile", "scripts/setup.sh", "notebooks/00_start_here/00_start_here.ipynb"]
    names += ["notebooks/00_start_here/checks.safetensors", "docs/images/check.png"]
    for name in names:
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, origin / name)
    (origin / "text.bin").write_bytes(bytes(range(256)) * 4)
    identity = ["-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run(["git", *identity, *words], cwd=origin, check=True, capture_output=True)
    clone = ["git", "clone", "-q", "-c", "core.autocrlf=true", "-c", "core.eol=crlf", origin, "clone"]
    subprocess.run(clone, cwd=tmp_path, check=True, capture_output=True)
    for name in [*names, "text.bin"]:
        assert (tmp_path / "clone" / name).read_bytes() == (origin / name).read_bytes(), name
    subprocess.run(["sh", "-n", "scripts/setup.sh"], cwd=tmp_path / "clone", check=True)
    assert sys.platform == "win32" or b"\r" not in (origin / "scripts/setup.sh").read_bytes()
