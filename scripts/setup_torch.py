"""PyTorch as a CPU build, or not at all: before anything is downloaded, its metadata are asked for CUDA."""

import json
import re
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from setup_packages import (
    LOCKS,
    SetupError,
    WrongHash,
    editable,
    install,
    last_line,
    pip,
    run,
    say,
    take,
    unfit,
)

TORCH = "torch==2.13.0"
TORCH_BYTES = 1_300_000_000  # unpacked, and its archive beside it
CUDA_PACKAGE = re.compile(r"^(nvidia|cuda|triton|pytorch-triton|rocm)\b", re.IGNORECASE)


def gpu_parts(version: str, requires: list[str]) -> list[str]:
    """What of a PyTorch release is for a graphics card on this machine: empty for a CPU build.

    Args:
        version: its version, such as "2.13.0+cpu".
        requires: its requirements as its metadata give them, with markers.
    """
    from packaging.requirements import Requirement  # noqa: PLC0415  (installed a step earlier)

    local = version.partition("+")[2]
    parts = [f"version {version}"] if re.match(r"cu\d|rocm|xpu", local) else []
    for requirement in map(Requirement, requires):
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and CUDA_PACKAGE.match(requirement.name):
            parts.append(requirement.name)
    return parts


def pip_would_take(requirement: str) -> tuple[str, list[str]]:
    """Version and requirements of the release that pip would install, without installing it.

    Raises:
        SetupError: pip finds no such release.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        done = pip(
            "install",
            "--dry-run",
            "--no-deps",
            "--ignore-installed",
            "--report",
            str(report),
            requirement,
        )
        if done.returncode:
            raise SetupError(last_line(done.stdout))
        found = json.loads(report.read_text("utf-8"))["install"][0]["metadata"]
    return found["version"], found.get("requires_dist", [])


def torch_from_pip() -> None:
    """Install PyTorch from wherever pip is configured to look, if that is a CPU build.

    Raises:
        SetupError: there is none, or it would bring CUDA.
    """
    version, requires = pip_would_take(TORCH)
    parts = gpu_parts(version, requires)
    if parts:
        raise SetupError(f"it would bring {', '.join(parts[:3])} and so on, gigabytes for a GPU")
    if not hashed_torch():
        say(f"PyTorch {version}: the hash of this build is not known, so it is taken without.")
        install(TORCH)
    else:
        install("--no-deps", "--require-hashes", "--requirement", str(LOCKS / "torch-build.txt"))


def hashed_torch() -> bool:
    """Whether the hash of PyTorch's CPU build for this machine is known, and its requirements are here."""
    from packaging.requirements import Requirement  # noqa: PLC0415  (installed a step earlier)

    path = LOCKS / "torch-build.txt"
    if unfit() or not path.is_file():
        return False
    lines = path.read_text("utf-8").replace("\\\n", " ").splitlines()
    listed = [Requirement(line.partition("--hash")[0]) for line in lines if line and not line.startswith("#")]
    return any(one.marker is None or one.marker.evaluate() for one in listed)


def torch_from_cpu_index() -> None:
    """Install PyTorch from its own index of CPU builds, whose address uv knows.

    Raises:
        SetupError: the index cannot be reached, or has no build for this machine.
    """
    uv = Path(sys.prefix) / "bin" / "uv"
    if not uv.is_file():
        raise SetupError("uv, which knows its address, is missing")
    say("PyTorch: its index of CPU builds gives no hashes that are known here, so it is taken without.")
    done = run(
        str(uv), "pip", "install", "--quiet", "--python", sys.executable, "--torch-backend", "cpu", TORCH
    )
    if done.returncode:
        raise SetupError(last_line(done.stdout))


def working_torch() -> str:
    """The version of PyTorch in this environment, "" where it is missing or does not start."""
    done = run(sys.executable, "-I", "-c", "import torch; print(torch.__version__)")
    return "" if done.returncode else last_line(done.stdout)


def remove_torch() -> None:
    """Take PyTorch out again, also where pip stopped half-way and knows nothing of it."""
    pip("uninstall", "-y", "torch")
    site = Path(metadata.distribution("pip").locate_file(""))  # type: ignore[arg-type]
    for leftover in ("torch", "torchgen", "functorch", "torch-*.dist-info", "~orch*"):
        for path in site.glob(leftover):
            shutil.rmtree(path, ignore_errors=True)


def set_up_torch() -> bool:
    """Take the CPU build of PyTorch, say where from, or go on without.

    Returns:
        Whether PyTorch works now.
    """
    if version := working_torch():
        say(f"PyTorch {version} is here already.")
        return True
    reasons = []
    remove_torch()
    if (free := shutil.disk_usage(sys.prefix).free) < TORCH_BYTES:
        say(f"PyTorch is left out: it needs {TORCH_BYTES >> 20} MB of disk, and {free >> 20} MB are free.")
        return False
    try:
        take("torch", *editable("[torch-cpu]"))
    except WrongHash:
        raise
    except SetupError as error:
        reasons.append(f"  what it needs: {error}")
    for source, take_torch in (
        ("pip's configured sources", torch_from_pip),
        ("PyTorch's index of CPU builds", torch_from_cpu_index),
    ):
        try:
            take_torch()
            version = metadata.version("torch")
            if gpu_parts(version, metadata.requires("torch") or []):
                raise SetupError(f"gave {version}, which is no CPU build; taken out again")
            if not working_torch():
                raise SetupError(f"gave {version}, which does not start here; taken out again")
        except WrongHash:
            remove_torch()
            raise
        except SetupError as error:
            reasons.append(f"  {source}: {error}")
            remove_torch()
            continue
        say(f"PyTorch {version} (a CPU build), from {source}.")
        return True
    say(
        f"PyTorch could not be had as a CPU build ({TORCH}), so it is left out:\n"
        + "\n".join(reasons)
        + "\nNotebooks 00 to 06 and the grader work without it; 07 to 11 need it."
        " Try again later: make torch"
    )
    return False
