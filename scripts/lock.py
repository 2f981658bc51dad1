"""Renew the lock files in `requirements/`: every package with its version and the hashes of its files.

    make lock

They name no host: where pip looks is each machine's business, and what it finds must have one of the hashes.
One file serves Linux and macOS, Python 3.11 and later (`setup_packages.py` says up to which it was tried).
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOW = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-package=notebook-autograder",
    "--upgrade",
    "--quiet",
)
# The first resolves most; the others follow it, so that no package has two versions.
FILES = {
    "dev": ("pyproject.toml", "requirements/build.in", "requirements/torch.in", "--extra=dev"),
    "lab": ("pyproject.toml", "requirements/build.in", "--constraint=requirements/dev.txt"),
    "hub": (
        "pyproject.toml",
        "requirements/build.in",
        "--extra=hub",
        "--constraint=requirements/dev.txt",
    ),
    "torch": (
        "pyproject.toml",
        "requirements/build.in",
        "requirements/torch.in",
        "--extra=torch-cpu",
        "--constraint=requirements/dev.txt",
    ),
}


def main() -> None:
    """Write all lock files anew."""
    uv = Path(sys.executable).with_name("uv")
    environment = {**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    for name, words in FILES.items():
        path = f"requirements/{name}.txt"
        command = [str(uv), "pip", "compile", *HOW, *words, "--output-file", path]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        print(path)


if __name__ == "__main__":
    main()
