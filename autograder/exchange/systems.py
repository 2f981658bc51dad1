"""Whose a file is, by the names that learning systems give: Canvas, Moodle, Gradescope, others, folders.

The forms are the systems' own; whoever cannot be told apart is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import yaml

from autograder.course.roster import Person, name_key, one_spelling


@dataclass(frozen=True)
class Claim:
    """Whose a file is said to be.

    Args:
        people: whose; several where a group handed in once.
        ids: what the way back needs: "user" and "attachment", "participant", "submission".
        reason: why it is nobody's, or nobody's notebook, in words.
        note: what is to be said although it is somebody's.
        moment: when it was handed in, in UTC.
        is_late: whether the system says so.
        order: of one person's files the greatest is the newest, as far as names tell.
    """

    people: tuple[Person, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    note: str = ""
    moment: datetime | None = None
    is_late: bool = False
    order: int = 0


class Roster:
    """The people of a class, found by what systems know of them."""

    def __init__(self, people: Iterable[Person], participants: Mapping[str, Person] | None = None):
        self.people = list(people)
        self.by_canvas = {p.canvas_id: p for p in self.people if p.canvas_id}
        self.by_participant = dict(participants or {})
        self._by_name: dict[str, set[Person]] = {}
        self._by_id: dict[str, set[Person]] = {}
        for person in self.people:
            for key in person.name_keys:
                self._by_name.setdefault(key, set()).add(person)
            ids = (person.student, person.login, person.sis_id, person.email, person.canvas_id)
            for one in ids:
                if one:
                    self._by_id.setdefault(one.casefold(), set()).add(person)

    def named(self, name: str) -> set[Person]:
        """Whoever has this name, whichever half is first."""
        return self._by_name.get(name_key(name), set())

    def known_as(self, identity: str) -> set[Person]:
        """Whoever a system knows by this id or address."""
        return self._by_id.get(one_spelling(identity).strip().casefold(), set())

    def find(self, identities: Iterable[str], name: str = "") -> Person | None:
        """The only one whom a system knows by the first of these that is one person's, or by this name."""
        for people in (*(self.known_as(one) for one in identities), self.named(name)):
            if len(people) == 1:
                return next(iter(people))
        return None


def only(people: set[Person], name: str, remedy: str) -> Claim:
    """The claim of the only one of that name, or why there is none."""
    if len(people) == 1:
        return Claim(tuple(people))
    if people:
        return Claim(reason=f"{len(people)} people on the roster are called {name!r}; {remedy}")
    return Claim(reason=f"nobody on the roster is {name!r}")


CANVAS = re.compile(r"(?<=_)(?=(\d+)_(\d+)_)")
CANVAS_TEXT = re.compile(r"_(\d+)_(text|link)\.html$")
ANONYMOUS = re.compile(r"(LATE_)?anon_[1-9A-HJ-NP-Za-km-z]{5}_\d+_")


def canvas(part: str, roster: Roster) -> Claim | None:
    """`PREFIX[_LATE]_USERID_ATTACHMENTID_NAME`; numbers may stand in a name too."""
    if ANONYMOUS.match(part):
        return Claim(reason="Canvas's anonymous marking hides whose it is; download again when it has ended")
    text = CANVAS_TEXT.search(part)
    if text:
        person = roster.by_canvas.get(text[1])
        return Claim(
            (person,) if person else (), {}, f"a {text[2]} entry of Canvas's user {text[1]}, no file"
        )
    splits = []
    for found in CANVAS.finditer(part):
        prefix = part[: found.start() - 1]
        is_late = prefix.endswith("_LATE") or prefix == "LATE"
        splits.append((prefix.removesuffix("LATE").removesuffix("_"), is_late, found[1], found[2]))
    if not splits:
        return None
    sure, maybe = [], []
    for prefix, is_late, user, attachment in splits:
        ids = {"user": user, "attachment": attachment}
        if not roster.by_canvas:
            people = roster.named(prefix)
            if len(people) == 1:
                sure.append(Claim(tuple(people), ids, is_late=is_late, order=int(attachment)))
        elif person := roster.by_canvas.get(user):
            claim = Claim((person,), ids, is_late=is_late, order=int(attachment))
            same = name_key(prefix) in person.name_keys or name_key(prefix) == name_key(person.name)
            (sure if same else maybe).append(claim)
    if len({claim.people for claim in sure}) == 1:
        return sure[0]
    if not sure and len(splits) == 1 and maybe:
        (person,) = maybe[0].people
        prefix = splits[0][0]
        words = f"it is called {prefix!r}, and its number is {person.name}'s: a group's, or another name?"
        return replace(maybe[0], note=words)
    return Claim(reason="its numbers and its name are of nobody on the roster, or of several")


MOODLE = re.compile(r"(?:([^_]*)_)?(\d+)_assignsubmission_(file|onlinetext)(?:_|$)")
MOODLE_GROUP = re.compile(r"[^_]*_assignsubmission_")


def moodle(part: str, roster: Roster) -> Claim | None:
    """`Full name_N_assignsubmission_file`, as a folder (older: with an underscore), or before a name."""
    found = MOODLE.match(part)
    if not found:
        return Claim(reason="a group's hand-in without a number") if MOODLE_GROUP.match(part) else None
    name, number = found[1] or "", found[2]
    ids = {"participant": number}
    text = "a text written online, no file" if found[3] == "onlinetext" else ""
    if person := roster.by_participant.get(number):
        return Claim((person,), ids, text)
    if name == "Participant":
        return Claim(reason=f"Moodle's blind marking hides who participant {number} is")
    claim = only(roster.named(name), name, "name the assignment's grading worksheet with --worksheet")
    return Claim(claim.people, ids, text or claim.reason)


BLACKBOARD = re.compile(r"(.+)_attempt_(\d{4}(?:-\d\d){5})(?:_|\.|$)")


def blackboard(part: str, roster: Roster) -> Claim | None:
    """`COLUMN_USER_attempt_2026-11-20-10-00-00_NAME`; column and user may hold underscores."""
    found = BLACKBOARD.match(part)
    if not found:
        return None
    moment = _read_as(found[2], "%Y-%m-%d-%H-%M-%S")
    if moment is None:
        return None
    if part.endswith(f"{found[2]}.txt"):
        return Claim(reason="")  # what Blackboard says of the attempt
    words = found[1].split("_")
    for i in range(len(words)):
        people = roster.known_as("_".join(words[i:]))
        if len(people) == 1:
            return Claim(tuple(people), moment=moment)
    return Claim(reason=f"nobody on the roster has the user name at the end of {found[1]!r}")


BRIGHTSPACE = re.compile(r"\d+-\d+ - (.+) - (\w{3} \d{1,2}, \d{4}) (\d{1,2}?)(\d\d) ([AP]M)(?: - |$)")


def brightspace(part: str, roster: Roster) -> Claim | None:
    """`12345-67890 - Full Name - Sep 24, 2026 926 PM`, as a folder or before a file's name."""
    found = BRIGHTSPACE.match(part)
    if not found:
        return None
    when = f"{found[2]} {found[3]} {found[4]} {found[5]}"
    moment = _read_as(when, "%b %d, %Y %I %M %p")
    if moment is None:
        return None
    claim = only(roster.named(found[1]), found[1], "give them different names on the roster")
    return Claim(claim.people, {}, claim.reason, moment=moment)


INBOUND = re.compile(r"(.+)\+[^+]+\+(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) UTC(?:\+[\w-]+)?")


def inbound(part: str, roster: Roster) -> Claim | None:
    """A folder of nbgrader's exchange, `USER+ASSIGNMENT+TIMESTAMP UTC+RANDOM`."""
    found = INBOUND.fullmatch(part)
    if not found:
        return None
    moment = moment_of(f"{found[2]} UTC")
    if moment is None:
        return None
    claim = only(roster.known_as(found[1]), found[1], "give them different ids")
    return Claim(claim.people, {}, claim.reason, moment=moment)


WORD = re.compile(r"[^\s_\-.()\[\],;+]+")
MOST_WORDS = 12  # of a person's name


def plain(part: str, roster: Roster) -> Claim | None:
    """A folder or file called after a person: an id, an address, a name, or what has one in it."""
    stem = re.sub(r"\.(ipynb|zip|json|txt)$", "", part, flags=re.I)
    people = roster.known_as(stem) or roster.known_as(part) or roster.named(stem)
    if people:
        return only(people, stem, "call the files after ids")
    spans = [found.span() for found in WORD.finditer(stem)]
    for length in range(min(len(spans) - 1, MOST_WORDS), 0, -1):  # the longest words first
        hits: set[Person] = set()
        for i in range(len(spans) - length + 1):
            piece = stem[spans[i][0] : spans[i + length - 1][1]]
            hits |= roster.known_as(piece)
            if length > 1:
                hits |= roster.named(piece)
        if len(hits) == 1:
            return Claim(tuple(hits))
        if hits:
            names = ", ".join(sorted(person.student for person in hits))
            return Claim(reason=f"it could be of {names}; call it after one id")
    return None


FORMS: dict[str, Callable[[str, Roster], Claim | None]] = {
    "canvas": canvas, "moodle": moodle, "blackboard": blackboard, "brightspace": brightspace,
    "nbgrader": inbound, "folder": plain,
}  # fmt: skip
METADATA = "submission_metadata.yml"
GRADESCOPE_FOLDER = re.compile(r"submission_\d+")


class _Symbols(yaml.SafeLoader):
    """YAML as Ruby writes it: its own kinds of maps are maps."""


def _plainly(loader: Any, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_Symbols.add_multi_constructor("!ruby/", _plainly)
# An id is text: 007 keeps its zeros, and 1_000 its underscore.
_Symbols.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":int", ":float", ":bool"))]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def gradescope(metadata: bytes) -> Callable[[str, Roster], Claim | None]:
    """How folders are read by Gradescope's `submission_metadata.yml`.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        told: Any = yaml.load(metadata, _Symbols)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    if not isinstance(told, dict):
        raise ValueError("it names no submissions")

    def claim(part: str, roster: Roster) -> Claim | None:
        if not GRADESCOPE_FOLDER.fullmatch(part):
            return None
        entry = told.get(part)
        if not isinstance(entry, dict):
            return Claim(reason=f"{METADATA} does not name {part}")
        people, missing = [], []
        for one in entry.get(":submitters") or []:
            found = _submitter(one if isinstance(one, dict) else {}, roster)
            if isinstance(found, Person):
                people.append(found)
            else:
                missing.append(found)
        moment = entry.get(":created_at")
        if isinstance(moment, str):
            moment = moment_of(moment)
        when = None
        if isinstance(moment, datetime):  # YAML turns a moment into UTC and may forget it
            when = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        ids = {"submission": part.removeprefix("submission_")}
        reason = "" if people else "; ".join(missing) or "it has no submitters"
        note = "; ".join(missing) if people else ""
        return Claim(tuple(people), ids, reason, note, when)

    return claim


def moment_of(text: str) -> datetime | None:
    """A moment in UTC; one without a zone is this computer's. None where the text is none."""
    try:
        return datetime.fromisoformat(text.strip().replace(" UTC", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _read_as(text: str, form: str) -> datetime | None:
    """A moment of this computer's, in UTC; None where there is no such moment, as in what a student wrote."""
    try:
        return datetime.strptime(text, form).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _submitter(one: Mapping[str, Any], roster: Roster) -> Person | str:
    """The person on the roster, by number, address, name, or in words that there is none."""
    sid, email, name = (str(one.get(key) or "") for key in (":sid", ":email", ":name"))
    return roster.find((sid, email), name) or (
        f"submitter {name!r} ({sid or email or 'no number'}) is not on the roster"
    )
