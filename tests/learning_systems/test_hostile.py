"""What one student hands in loses nobody else's work, makes nobody late or early, and ends nothing."""

import resource
import zipfile

import pytest

from autograder.course.roster import read_roster
from autograder.exchange.collect import collect
from autograder.exchange.unpack import MOST_NOTEBOOKS, MOST_UNPACKED, Found, Refused, walk
from learning_systems.files import BLANK, NAME, RIGHT, ROSTER, zipped
from learning_systems.test_other_systems import METADATA

pytestmark = pytest.mark.xdist_group("learning systems")

HERS = "lovelaceada_11_21_{}".format
OTHERS = {f"bartókbéla_12_22_{NAME}.ipynb": RIGHT, f"anagonyechidi_13_23_{NAME}.ipynb": RIGHT}
MOODLE = [f"Béla Bartók_{i}_assignsubmission_file/a.ipynb" for i in range(200)]
NO_MOMENTS = [
    "1-2 - Ada Lovelace - Foo 99, 2026 926 PM",
    "x_be_la_attempt_2026-99-99-99-99-99_a.ipynb",
    "x_be_la_attempt_0001-01-01-00-00-00_a.ipynb",
    "be_la+x+2026-99-99 10:00:00 UTC",
]


@pytest.fixture
def taken_from(course):
    (course / "roster.csv").write_text(ROSTER)
    people, folders = read_roster(course / "roster.csv"), [course / "solutions" / NAME]

    def take(files):
        (course / "export.zip").write_bytes(zipped(files))
        found = collect(course / "export.zip", course, people, course / "submitted", folders, NAME)
        return found.system, {student for student, _, _ in found.taken}

    take.submitted = course / "submitted"
    return take


@pytest.mark.parametrize(
    ("files", "is_there"),
    [
        ({HERS("x.zip"): zipped({"submission_metadata.yml": b"a: ["})}, False),
        ({HERS("x.zip"): zipped({"submission_metadata.yml": METADATA.encode(), "a.ipynb": RIGHT})}, True),
        ({HERS("x.zip"): zipped(dict.fromkeys(MOODLE, RIGHT))}, True),
        ({HERS(f"{i}_HW_ada_attempt_2026-11-20-10-00-0{i}_a.ipynb"): RIGHT for i in range(3)}, True),
        *(({HERS(name): RIGHT}, True) for name in NO_MOMENTS),
        *(({HERS("x.zip"): zipped({f"{name}/a.ipynb": RIGHT})}, True) for name in NO_MOMENTS),
        ({HERS("x.zip"): zipped({"_1_1" * 8000: RIGHT})}, False),
        ({HERS("x.zip"): zipped({"a/" * 16000 + "a.ipynb": RIGHT})}, False),
    ],
    ids=lambda value: "",
)
def test_no_name_in_a_hand_in_has_a_say_in_whose_the_others_are(taken_from, files, is_there):
    system, students = taken_from({**files, **OTHERS})
    assert system == "canvas" and students == {"be_la", "chidi"} | ({"ada"} if is_there else set())


def test_a_hand_in_does_not_say_itself_when_it_came(taken_from):
    stamp = b"2020-01-01 00:00:00 UTC"
    both = {"a.ipynb": RIGHT, "timestamp.txt": stamp}
    for files in (
        {HERS("x.zip"): zipped(both), **OTHERS},
        {f"Ada Lovelace_5_assignsubmission_file/{name}": content for name, content in both.items()},
    ):
        _, students = taken_from(files)
        assert "ada" in students
        assert not list(taken_from.submitted.rglob("timestamp.txt"))


def test_gradescope_is_told_by_its_own_list_alone(taken_from):
    own = METADATA.replace("submission_101", "submission_102", 1).encode()
    files = {
        "x/submission_metadata.yml": METADATA.encode(),
        "x/submission_101/a.ipynb": RIGHT,
        "x/submission_102/submission_metadata.yml": own,
        "x/submission_102/submission_102/a.ipynb": BLANK,
    }
    assert taken_from(files) == ("gradescope", {"ada", "be_la"})


def test_many_words_in_a_name_cost_no_more_than_many_names(tmp_path, taken_from):
    assert taken_from({"who.zip": zipped({f"{'a b ' * 200}{i}.ipynb": RIGHT for i in range(5)})}) == (
        "folder",
        set(),
    )


def test_zips_in_a_zip_share_what_it_may_unpack_to(tmp_path):
    inner = zipped({"a.ipynb": b"{" + b" " * (19 << 20)})
    bomb = zipped({f"{i}.zip": inner for i in range(200)})
    (tmp_path / "e.zip").write_bytes(zipped({"x.zip": bomb, "y.ipynb": RIGHT}))
    entries = list(walk(tmp_path / "e.zip"))
    read = sum(len(e.content) for e in entries if isinstance(e, Found) and e.outside == ("x.zip",))
    assert read <= MOST_UNPACKED and len(entries) < 20
    assert isinstance(entries[-1], Found) and entries[-1].path == ("y.ipynb",)


def test_of_what_is_no_notebook_no_more_is_kept_than_one_file_a_student(taken_from):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    many = zipped({f"{i}.ipynb": b"{" + b" " * (2 << 20) for i in range(50)})
    _, students = taken_from({HERS("x.zip"): many, **OTHERS})
    assert students == {"be_la", "chidi"}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 << 10  # kilobytes


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_unpacks_all_at_once_is_refused(tmp_path, method):
    with zipfile.ZipFile(tmp_path / "e.zip", "w", method) as archive:
        archive.writestr("a.ipynb", b"{" + b" " * (1 << 20))
    (entry,) = walk(tmp_path / "e.zip")
    assert isinstance(entry, Refused) and "unusual method" in entry.reason


def test_a_hand_in_of_very_many_notebooks_is_not_looked_at_for_hours(tmp_path):
    many = zipped({f"{i}.ipynb": b"{" + b" " * 20_000 for i in range(MOST_NOTEBOOKS + 50)})
    (tmp_path / "e.zip").write_bytes(zipped({"x.zip": many, "y.ipynb": RIGHT}))
    entries = list(walk(tmp_path / "e.zip"))
    assert len(entries) == MOST_NOTEBOOKS + 2 and entries[-1].path == ("y.ipynb",)
    assert "more than 100 notebooks" in entries[-2].reason
