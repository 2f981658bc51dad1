"""The text of notebook 02's character model: the course's own prose, frozen as `rnncourse/course_text.txt`.

    .venv/bin/python scripts/course_text.py

Whole sentences of masters and documents, without formulas and code, and without those that could tell what a
notebook keeps back. Run it only to change the text on purpose: what models learn from it changes, too.
"""

import re
from pathlib import Path

from autograder.course.masters import read_master

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/threat-model.md")
SHORTEST = 25
PLAIN = re.compile(r"[A-Za-z ,.;:?!'\"()-]+")
NOT_PROSE = re.compile(r"```.*?```|\$\$.*?\$\$", re.S)
PARAGRAPH = re.compile(r"\n\s*\n|\n\s*(?=- |\d+\. )")
TELLING = re.compile(
    "transpos|slope|derivativ|jacobian|multipl|factor|backward|product|sigmoid|tanh|chain|gradient|answer",
    re.IGNORECASE,
)


def sentences(text: str) -> list[str]:
    """The plain sentences of a Markdown text."""
    found = []
    for paragraph in PARAGRAPH.split(NOT_PROSE.sub("", text)):
        if paragraph.strip().startswith(("|", "#")):
            continue
        flat = " ".join(paragraph.split()).lstrip("-> ").replace("*", "").replace("`", "")
        found += [
            sentence
            for sentence in re.split(r"(?<=[.?!:])\s+", flat)
            if len(sentence) >= SHORTEST and PLAIN.fullmatch(sentence) and not TELLING.search(sentence)
        ]
    return found


def main() -> None:
    """Write the file."""
    found = [s for name in DOCUMENTS for s in sentences((ROOT / name).read_text("utf-8"))]
    for folder in sorted((ROOT / "solutions").glob("[0-9]*")):
        for cell in read_master(folder).cells:
            if cell.kind == "markdown" and cell.role is None and cell.metadata.get("slide") != "notes":
                found += sentences(cell.source)
    text = " ".join(dict.fromkeys(found)).lower()
    (ROOT / "rnncourse" / "course_text.txt").write_text(text + "\n", "utf-8")
    print(f"{len(text)} characters, {len(set(text))} of them different")


if __name__ == "__main__":
    main()
