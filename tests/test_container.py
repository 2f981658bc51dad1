"""Containerfile: what it copies is there and no secret, its users are ordinary, its packages have hashes."""

import re
import shlex
import subprocess
from fnmatch import fnmatch

from course import ROOT

TEXT = (ROOT / "Containerfile").read_text("utf-8")
STEPS = [
    (word, rest)
    for line in re.sub(r"\\\n", "", re.sub(r"^#.*\n", "", TEXT, flags=re.M)).splitlines()
    if line
    for word, _, rest in [line.partition(" ")]
]
IGNORED = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line]


def stages():
    """Name of a stage -> its steps."""
    found = {}
    for word, rest in STEPS:
        if word == "FROM":
            base, _, name = rest.split()
            found[name] = [(word, base)]
        else:
            found[name].append((word, rest))
    return found


def test_every_stage_stands_on_debian_12_or_on_a_stage_above_it():
    seen = set()
    for name, ((_, base), *_) in stages().items():
        assert base in seen or base == "debian:bookworm-slim", name
        seen.add(name)
    assert {"instructor", "student"} <= seen


def test_all_that_is_copied_from_the_repository_is_tracked_and_goes_into_the_context():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = tracked.stdout.splitlines()
    copied = [shlex.split(rest) for word, rest in STEPS if word == "COPY"]
    sources = [word for words in copied if not words[0].startswith("--from") for word in words[:-1]]
    sources = [word for word in sources if not word.startswith("--") and word != "."]
    assert len(sources) > 1
    for source in sources:
        assert any(path == source or path.startswith(f"{source}/") for path in paths), source
        assert not any(fnmatch(source, pattern) for pattern in IGNORED), source


def test_what_people_wrote_and_what_holds_marks_stays_outside():
    holds_marks = (
        "course.key gradebook.db gradebook.before-1.db roster.csv groups.csv worksheet.csv 01.journal"
    )
    folders = "submitted autograded feedback collected exchange work build .git .venv"
    for path in (*holds_marks.split(), *folders.split()):
        assert any(fnmatch(path, pattern) for pattern in IGNORED), path


def test_both_images_end_as_an_ordinary_user():
    for name in ("instructor", "student"):
        users = [rest for word, rest in stages()[name] if word == "USER"]
        assert users[-1] == "learner"


def test_packages_come_by_a_lock_file_with_hashes_and_from_no_named_host():
    assert "://" not in TEXT and "index-url" not in TEXT
    installs = [line for _, rest in STEPS for line in rest.split("&&") if "pip install" in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)


def test_the_students_image_gets_the_bundle_and_nothing_else_of_the_course():
    copied = [rest for word, rest in stages()["student"] if word == "COPY"]
    own = [rest for rest in copied if "--from=bundled" not in rest]
    assert all("/tmp/rnn-course/" in rest for rest in copied if rest not in own)
    assert own == ["scripts/hub/student/labconfig /opt/rnn/etc/jupyter/labconfig"]
    assert stages()["student"][0][1] == "packages"
