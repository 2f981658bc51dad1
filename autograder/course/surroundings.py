"""What stands around an exercise where it is graded: the given names, and what demo cells define.

A check in a notebook asks for the same, so that it says right where the grade does. Knows nothing of
submissions.
"""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from typing import Any

from autograder.course.masters import Master
from autograder.course.names import Namespace, bound, is_definition, mentioned, parse
from autograder.course.notebook import source_cells


@dataclass(frozen=True)
class DemoDefinition:
    """A definition, import or plain assignment in one of the instructor's demo cells."""

    source: str
    binds: frozenset[str]
    mentions: frozenset[str]


def demo_definitions(master: Master) -> list[DemoDefinition]:
    """What the demo cells of a notebook define, in their order."""
    found = []
    for cell in master.cells:
        tree = parse(cell.source) if cell.kind == "code" and cell.role is None else None
        for statement in filter(is_definition, tree.body if tree else []):
            source = ast.get_source_segment(cell.source, statement) or ""
            names = frozenset(bound(statement)), frozenset(mentioned(statement))
            found.append(DemoDefinition(source, *names))
    return found


def surroundings(master: Master) -> dict[str, Any]:
    """What a student's check must know of the cells around an exercise, as plain data.

    Returns:
        "packages": what may be imported; "names": what the instructor's cells set where it is graded;
        "cells": id -> hash of the text, of every code cell of the instructor's that is no answer;
        "locked": the ids of those that are graded with the instructor's text whatever is written there.
    """
    sources = [cell.source for cell in master.cells_with("given")]
    sources += [definition.source for definition in demo_definitions(master)]
    namespace = Namespace((), master.packages)
    before = set(namespace.names)
    for source in sources:
        tree = parse(source)
        namespace.run(tree.body if tree else ())
    code = [cell for cell in source_cells(master) if cell["cell_type"] == "code"]
    graded = {cell["id"]: cell["metadata"].get("nbgrader", {}) for cell in code}
    return {
        "packages": list(master.packages),
        "names": sorted(namespace.names - before),
        "cells": {c["id"]: text_hash(c["source"]) for c in code if not graded[c["id"]].get("solution")},
        "locked": [cell_id for cell_id, meta in graded.items() if meta.get("locked")],
    }


def text_hash(source: str) -> str:
    """A short hash of a cell's text, blind to space around it."""
    return hashlib.sha256(source.strip().encode()).hexdigest()[:12]
