"""Sets up what the course needs, in a folder of its own beside this file, and opens JupyterLab.

    python start.py            the first time it needs the network, for a minute or two
    python start.py --torch    PyTorch as well, a build for the processor: 07 needs it, 08 and 10 try more

Your notebooks are in the folder `notebooks`; nothing overwrites them.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLACE = HERE / "environment"
READY = PLACE / "ready"
OLDEST = (3, 11)
TORCH = "--torch"


def main() -> int:
    """Set up where it is not done yet, and run JupyterLab until it ends."""
    if sys.version_info < OLDEST:
        needed = ".".join(map(str, OLDEST))
        print(f"This course needs Python {needed} or newer; this is {sys.version.split()[0]}.")
        return 1
    folder = PLACE / ("Scripts" if os.name == "nt" else "bin")
    python = folder / ("python.exe" if os.name == "nt" else "python")
    wanted = (HERE / "requirements.txt").read_text("utf-8")
    if not READY.is_file() or READY.read_text("utf-8") != wanted:
        print("Setting up, once; this needs the network and takes a minute or two ...", flush=True)
        venv.EnvBuilder(with_pip=True, clear=True).create(PLACE)
        install = [python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt"]
        if subprocess.run(install, check=False).returncode:
            print("The set-up did not end. Is there a network? Start again when there is one.")
            return 1
        READY.write_text(wanted, "utf-8")
    words = sys.argv[1:]
    if TORCH in words:
        words.remove(TORCH)
        print("Installing PyTorch; this needs the network and takes some minutes ...", flush=True)
        # uv knows where a build for the processor alone is; pip may take one with gigabytes for GPUs.
        by_uv = ["uv", "pip", "install", "--python", python, "--torch-backend", "cpu", "torch"]
        steps = (["pip", "install", "--quiet", "uv"], by_uv)
        if any(subprocess.run([python, "-m", *step], check=False).returncode for step in steps):
            print(f"PyTorch was not installed. Is there a network? Try again: python start.py {TORCH}")
            return 1
    own = os.pathsep.join(filter(None, [str(HERE / "packages"), os.environ.get("PYTHONPATH", "")]))
    lab = [python, "-m", "jupyterlab", *words]
    environment = {**os.environ, "PYTHONPATH": own}
    return subprocess.run(lab, check=False, cwd=HERE / "notebooks", env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
