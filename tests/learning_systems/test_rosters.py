"""Who is in the class: the lists of systems in their own languages, and lists that are none."""

import pytest
from command import autograder

from autograder.course.roster import read_roster
from learning_systems.files import ROSTER, worksheet

pytestmark = pytest.mark.xdist_group("learning systems")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Vorname,Nachname,E-Mail-Adresse,Gruppen\nAda,Lovelace,a@x.de,G1\nBo,Rell,b@x.de,\n",
         ("a@x.de", "Ada Lovelace", "")),
        (worksheet("de").replace("Frodo O'Zorvane", "Frodo Z"), ("p0@example.org", "Frodo Z", "500")),
        ("Student;ID\nAda Lovelace;007\nBo Rell;008\n", ("007", "Ada Lovelace", "")),
        ("\ufeffid,first_name,last_name,email,lms_user_id\nada,Ada,L.,,77\n", ("ada", "Ada L.", "")),
        ("First Name,Last Name,SID,Email,Role\nT,A,1,t@x.de,Instructor\nAda,L.,07,a@x.de,Student\n",
         ("07", "Ada L.", "")),
    ],
)  # fmt: skip
def test_rosters_of_systems_in_their_own_languages(tmp_path, text, wanted):
    (tmp_path / "roster.csv").write_text(text, "utf-8")
    person = read_roster(tmp_path / "roster.csv")[0]
    assert (person.student, person.name, person.moodle_id) == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("colour,shape\nred,round\n", "names nobody"),
        ("student,name\nada,Ada\nada,Bela\n", "two people have the id 'ada'"),
        ("name,section\nAda/x,1\nAda/x,2\n", "no column tells everybody apart"),
    ],
)
def test_a_roster_that_is_none_is_told(course, text, said):
    (course / "r.csv").write_text(text)
    done = autograder(course, "collect", "r.csv", "--roster", "r.csv")
    assert done.status == 2 and said in done.err


def test_without_a_roster_or_a_source_it_is_said(course):
    assert "there is no roster yet" in autograder(course, "collect", "nowhere.zip").err
    (course / "roster.csv").write_text(ROSTER)
    assert "there is no nowhere.zip" in autograder(course, "collect", "nowhere.zip").err


def test_names_whose_letters_a_spreadsheet_lost_are_told(course):
    (course / "r.csv").write_bytes("student;name\nada;Ada Łoś\nbela;Bela B.\n".encode("cp1252", "replace"))
    done = autograder(course, "collect", "r.csv", "--roster", "r.csv")
    assert "r.csv: ada: letters of their names were lost" in done.err
    (course / "roster.csv").write_text("student,name\nada,Ada Łoś\nbela,Bela B.\n", "utf-8")
    done = autograder(course, "collect", "r.csv", "--roster", "r.csv")
    assert "letters" not in done.err and read_roster(course / "roster.csv")[0].name == "Ada Łoś"
