"""A Jupyter server of one's own, on loopback, for tests and pictures."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

# A notebook's kernel, as the status bar calls it.
KERNEL = "Python 3 (ipykernel)"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str, log: Path, seconds: float = 60) -> None:
    """Wait until an address answers.

    Raises:
        TimeoutError: it did not; the message holds the end of the log.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"Jupyter does not answer: {log.read_text()[-2000:]}")


@contextlib.contextmanager
def jupyter(kind: str, folder: Path, settings: Path) -> Iterator[str]:
    """`jupyter KIND` on a folder, with settings of its own; gives its address."""
    port = free_port()
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(settings / "config"),
        "JUPYTER_DATA_DIR": str(settings / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(settings / "workspaces"),
    }
    command = [sys.executable, "-m", "jupyter", kind, "--no-browser", f"--port={port}", "--ip=127.0.0.1"]
    command += ["--IdentityProvider.token=", "--allow-root", f"--ServerApp.root_dir={folder}"]
    with (settings / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/status", settings / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


def write_settings(folder: Path, plugin: str, values: dict[str, str]) -> None:
    """Set what a person would set in JupyterLab, for the server whose settings lie in a folder."""
    path = folder / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values), "utf-8")


def wait_for_kernel(page: Page, kernel: str = KERNEL, seconds: float = 60) -> None:
    """Wait until a notebook's kernel is connected and idle, as the status bar says."""
    idle = re.compile(rf"{re.escape(kernel)} \| Idle")
    page.get_by_text(idle).first.wait_for(timeout=seconds * 1000)


def run_all(page: Page, kernel: str = KERNEL) -> None:
    """Choose "Run All Cells" once the kernel is connected: before, that is dropped without a word."""
    wait_for_kernel(page, kernel)
    page.wait_for_timeout(500)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
