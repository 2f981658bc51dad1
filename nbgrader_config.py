"""nbgrader for this course: grading happens in the sandbox, the gradebook is nbgrader's own."""

import contextlib
import sys
from pathlib import Path

from autograder.course.places import hide, keep_private
from autograder.nbgrader_door.database import put_tools_on_path, sqlite_address
from autograder.nbgrader_door.pages import FORMGRADER_TEMPLATES, show_one_course
from autograder.nbgrader_door.plugin import registering, say_once, students_left_out

ROOT = Path(__file__).resolve().parent if "__file__" in globals() else Path.cwd()
c = get_config()  # noqa: F821  (nbgrader provides it)

put_tools_on_path()
show_one_course()
c.CourseDirectory.root = str(ROOT)
c.CourseDirectory.course_id = "rnn_course"
c.CourseDirectory.source_directory = "build/source"
c.CourseDirectory.release_directory = "release"
c.CourseDirectory.submitted_directory = "submitted"
c.CourseDirectory.autograded_directory = "autograded"
c.CourseDirectory.feedback_directory = "feedback"
c.CourseDirectory.db_url = sqlite_address(ROOT / "gradebook.db")
# What nbgrader's commands make holds marks, the gradebook above all; what it releases gets its own rights.
if "nbgrader" in (Path(sys.argv[0]).stem, Path(sys.argv[0]).parent.name):
    keep_private()
hide(ROOT / "gradebook.db")
# nbgrader wants an exchange that everybody can write, and formgrader warns without one. By the sticky bit
# nobody removes what another has handed in. On a hub it is a link to a shared folder (docs/jupyterhub.md),
# and its owner may be somebody else.
_exchange = ROOT / "exchange"
_exchange.mkdir(exist_ok=True)
for _folder, _mode in [(_exchange, 0o1777), *((_one, 0o1733) for _one in _exchange.glob("*/inbound"))]:
    with contextlib.suppress(PermissionError):
        _folder.chmod(_folder.stat().st_mode | _mode)
c.Exchange.root = str(_exchange)
c.ExchangeFactory.collect = "autograder.nbgrader_door.inbound.CheckedCollect"

c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.LockCells",
    "autograder.course.stub_solutions.StubSolutions",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "autograder.nbgrader_door.follow.FollowCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
    "autograder.course.stub_solutions.StampRelease",
]
c.CourseStep.root = str(ROOT)
c.LatePenalties.root = str(ROOT)
c.Autograde.sanitize_preprocessors = [
    "autograder.nbgrader_door.plugin.TidyCells",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "autograder.nbgrader_door.plugin.OnlyTheNotebook",
    "autograder.nbgrader_door.plugin.SandboxGrade",
    "nbgrader.preprocessors.IgnorePattern",
    "nbgrader.preprocessors.LimitOutput",
    "autograder.nbgrader_door.plugin.SaveSandboxGrades",
    "autograder.nbgrader_door.late.LatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.exporter_class = "autograder.nbgrader_door.plugin.SubmittedNotebook"
c.Autograde.pre_convert_hook = registering(
    next(
        (word.removeprefix("--db=") for word in sys.argv if word.startswith("--db=")),
        c.CourseDirectory.db_url,
    ),
    ROOT,
)
c.OverwriteCells.add_missing_cells = True
c.GenerateFeedback.exporter_class = "autograder.nbgrader_door.pages.FeedbackPage"
c.HTMLExporter.extra_template_basedirs = FORMGRADER_TEMPLATES
c.HTMLExporter.filters = {"formgraders_mathjax": "autograder.nbgrader_door.pages.formgraders_mathjax"}
c.ExportApp.plugin_class = "autograder.nbgrader_door.plain_csv.PlainCsvExport"

# nbgrader follows links when it copies a submission, and knows no sentence for a file that is no notebook:
# leave those students out, and say why.
_is_ours = "autograder" in (Path(sys.argv[0]).stem, Path(sys.argv[0]).parent.name)
_left_out = {} if _is_ours else students_left_out(ROOT / "submitted", ROOT / "autograded", sys.argv)
for _student, _reason in _left_out.items():
    say_once(f"not graded: {_student!a}: {_reason}")
if any("," in name for name in _left_out):
    # nbgrader's list is parted by commas: it would leave out others, and grade this one.
    raise SystemExit("a name above has a comma: move that folder away, and run the same command again")
if _left_out:
    c.CourseDirectory.student_id_exclude = ",".join(_left_out)
