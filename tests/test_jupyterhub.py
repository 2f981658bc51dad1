"""docs/jupyterhub.md: its commands are run by root and by two accounts that are made for it and removed."""

import json
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from course import ROOT, master_of
from needs import lacking
from server import free_port, wait_for
from test_nbgrader import marks

NAME = "01_simple_rnn"
PAGE = (ROOT / "docs" / "jupyterhub.md").read_text("utf-8")
BLOCKS = re.findall(r"^```\n# (root|prof|ada)(?:, in (\S+))?\n(.*?)^```$", PAGE, re.M | re.S)
PASSWORD = "only for this test"
# Accounts and a group that nobody has, in place of the page's.
NAMES = {
    "prof": "hubtestprof",
    "ada": "hubtestada",
    "groupadd rnn": "groupadd hubtest",
    "--groups rnn": "--groups hubtest",
    "-g rnn": "-g hubtest",
    '= {"rnn"}': '= {"hubtest"}',
}

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("hub"), pytest.mark.usefixtures("confined")]


class Hub:
    """The page's machine, with its accounts and folders under other names."""

    def __init__(self, place: Path):
        self.place = place
        self.port, self.others = free_port(), (free_port(), free_port())
        self.blocks = iter(BLOCKS)

    def renamed(self, text: str) -> str:
        """The page's text, or that of one of its files, for this machine."""
        for name in ("/opt/rnn", "/srv/rnn"):
            text = text.replace(name, str(self.place / name[1:4]))
        for name, other in NAMES.items():
            text = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w-])", other, text)
        return text.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")

    def run(self, who: str, command: str, folder: str = "", status: int = 0) -> str:
        """A command of the page, by whom it says and where."""
        text = f"cd {folder}\n{command}" if folder else command
        words = ["bash", "-ec", self.renamed(text)]
        if who != "root":
            words = ["runuser", "--login", NAMES[who], "--command", self.renamed(f"set -e\n{text}")]
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/")
        assert done.returncode == status, f"{who}: {command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr

    def next_block(self, begins: str) -> str:
        """Run the page's next block; it must hold a word, so that page and test go the same way."""
        who, folder, text = next(self.blocks)
        assert begins in text
        return self.run(who, text, folder)

    def home(self, who: str) -> Path:
        return Path("/home", NAMES[who])


def undo(place: Path) -> None:
    """Take away the accounts and all they made."""
    for name in (NAMES["prof"], NAMES["ada"]):
        subprocess.run(["userdel", "--remove", name], capture_output=True, check=False)
    subprocess.run(["groupdel", "hubtest"], capture_output=True, check=False)
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def hub():
    """All that the page does once, for two accounts; a notebook is handed out."""
    missing = [program for program in ("npm", "bwrap", "useradd", "runuser") if not shutil.which(program)]
    if os.geteuid() or missing:
        lacking(f"accounts are made here: that needs root, and {missing or 'nothing else'}")
    assert not {user.pw_name for user in pwd.getpwall()} & {NAMES["prof"], NAMES["ada"]}
    place = Path(tempfile.mkdtemp(prefix="hubtest-", dir="/var/tmp"))
    place.chmod(0o755)
    hub = Hub(place)
    try:
        set_up(hub)
        yield hub
    finally:
        undo(place)


def set_up(hub: Hub) -> None:
    who, _, accounts = next(hub.blocks)
    install, _, accounts = accounts.partition("\n")
    # What it installs is here: on a machine with another npm Debian's would drive that one out.
    assert install == "apt-get install -y git python3-venv npm bubblewrap"
    hub.run(who, accounts)
    clone = hub.home("prof") / "course"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    for path in filter(Path.is_file, (ROOT / name for name in files)):
        copy = clone / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    for path in (clone / "scripts" / "hub").rglob("*.*"):
        path.write_text(hub.renamed(path.read_text()))
    hub.run("root", "chown -R prof:prof /home/prof/course")
    hub.next_block("python3 -m venv")
    hub.next_block("pip wheel")
    hub.next_block("pip install --no-deps")
    assert "ok     whole run" in hub.next_block("autograder doctor")
    next(hub.blocks)  # the hub itself: `running`
    hub.next_block("generate_assignment")
    assert NAME in hub.next_block("fetch_assignment")
    assert (hub.home("ada") / NAME / "checks.safetensors").is_file()


def scores(hub: Hub) -> dict[str, float]:
    """Cell -> ada's automatic mark."""
    found = marks(hub.home("prof") / "course" / "gradebook.db")
    return {cell: score for (who, _, cell), (score, *_) in found.items() if who == NAMES["ada"]}


def answer(hub: Hub, *right: str) -> None:
    """Write references into some of the answer cells of the student's copy, as she would in Lab."""
    path = hub.home("ada") / NAME / f"{NAME}.ipynb"
    notebook, exercises = json.loads(path.read_text()), master_of(NAME).exercises
    for cell in notebook["cells"]:
        of = cell["metadata"].get("nbgrader", {})
        if of.get("solution") and of["grade_id"] in right:
            cell["source"] = exercises[of["grade_id"]].source
    path.write_text(json.dumps(notebook))


COURSE, GRADE = (
    "/home/prof/course",
    f"/opt/rnn/bin/autograder grade {NAME} --gradebook sqlite:///gradebook.db",
)
AUTOGRADE = f"/opt/rnn/bin/nbgrader autograde {NAME} --force"


def test_a_notebook_goes_out_comes_back_is_graded_at_both_doors_and_returned(hub):
    one, two = list(master_of(NAME).exercises)[:2]
    points = {name: exercise.points for name, exercise in master_of(NAME).exercises.items()}
    answer(hub, one)
    hub.next_block("submit")
    hub.next_block("collect")
    assert scores(hub)[f"check_{one}"] == points[one]
    assert scores(hub)[f"check_{two}"] == 0
    first = scores(hub)
    # Each door after the other, and after itself: nbgrader leaves files that nobody may write.
    for command in (AUTOGRADE, AUTOGRADE, GRADE, GRADE, AUTOGRADE):
        hub.run("prof", command, COURSE)
        assert scores(hub) == first
    time.sleep(1.1)  # a submission's name has seconds
    answer(hub, one, two)
    hub.run("ada", f"/opt/rnn/bin/nbgrader submit {NAME}")
    hub.run("prof", f"/opt/rnn/bin/nbgrader collect --update {NAME}\n{GRADE}", COURSE)
    assert scores(hub)[f"check_{two}"] == points[two]
    hub.next_block("generate_feedback")
    assert "Fetched feedback" in hub.next_block("fetch_feedback")
    (page,) = (hub.home("ada") / NAME / "feedback").rglob("*.html")
    assert f"{points[one] + points[two]:g} of" in page.read_text()
    # Once more, over what is there.
    hub.run("prof", f"{AUTOGRADE}\n/opt/rnn/bin/nbgrader generate_feedback {NAME} --force", COURSE)
    hub.run("prof", f"/opt/rnn/bin/nbgrader release_feedback {NAME}", COURSE)
    assert not list(hub.blocks)


def test_nobody_reads_or_removes_what_is_anothers(hub):
    exchange = "/srv/rnn/exchange/rnn_course"
    for command in (
        "ls /home/prof",
        f"ls {exchange}/inbound",
        f"mv {exchange} /srv/rnn/exchange/gone",
        f"touch {exchange}/outbound/{NAME}/more",
        "echo >> /opt/rnn/etc/jupyter/nbgrader_config.py",
    ):
        denied = hub.run("ada", f"! {{ {command}; }} 2>&1")
        assert "Permission denied" in denied or "not permitted" in denied, command


def test_a_student_with_the_courses_configuration_is_not_stopped_by_the_exchanges_mode(hub):
    copy = hub.home("ada") / "copy"
    copy.mkdir()
    shutil.copy(ROOT / "nbgrader_config.py", copy)
    hub.run("root", "chown -R ada:ada /home/ada/copy")
    said = hub.run("ada", "cd copy\nln -s /srv/rnn/exchange exchange\n/opt/rnn/bin/nbgrader list")
    assert NAME in said and "Traceback" not in said


@pytest.fixture
def running(hub):
    """The hub, as the page starts it, but for the ports."""
    who, folder, text = next(block for block in BLOCKS if "jupyterhub --config" in block[2])
    *before, start = text.strip().splitlines()
    hub.run(who, "\n".join(before), folder)
    config = hub.place / "srv" / "hub" / "jupyterhub_config.py"
    api, proxy = hub.others
    more = f"c.JupyterHub.hub_port = {api}\nc.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:{proxy}'\n"
    config.write_text(config.read_text() + more)
    accounts = "".join(f"{NAMES[one]}:{PASSWORD}\n" for one in ("prof", "ada"))
    subprocess.run(["chpasswd"], input=accounts, text=True, check=True)
    log = hub.place / "log"
    with log.open("w") as file:
        place = hub.place / "srv"
        words = ["bash", "-c", f"exec {hub.renamed(start).partition('&& ')[2]}"]
        process = subprocess.Popen(words, cwd=place / "hub", stdout=file, stderr=file)
    try:
        wait_for(f"http://127.0.0.1:{hub.port}/hub/login", log)
        yield f"http://127.0.0.1:{hub.port}"
    finally:
        process.terminate()
        process.wait(60)


def test_in_the_browser_each_has_the_buttons_that_are_theirs(hub, running, browser):
    seen = {}
    for who in ("ada", "prof"):
        context = browser.new_context(viewport={"width": 1300, "height": 900})
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.goto(f"{running}/hub/login?next=/hub/spawn")
        page.get_by_label("Username").fill(NAMES[who])
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("menuitem", name="Nbgrader", exact=True).click()
        shown = [item.inner_text() for item in page.locator(".lm-Menu .lm-Menu-itemLabel").all()]
        formgrader = page.goto(f"{running}/user/{NAMES[who]}/formgrader/manage_assignments")
        listed = page.goto(f"{running}/user/{NAMES[who]}/assignments?course_id=rnn_course").text()
        seen[who] = shown, formgrader.status, listed
        context.close()
    shown, status, listed = seen["ada"]
    assert [item for item in shown if item] == ["Assignment List"]
    assert status == 404
    assert NAME in listed and "fetched" in listed
    shown, status, _ = seen["prof"]
    assert {"Formgrader", "Create assignment"} <= set(shown)
    assert status == 200
