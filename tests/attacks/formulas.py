"""Names and texts that a spreadsheet would run."""

from attacks.kit import ALL, REST, Attack, step

LINE = "formulas"
FORMULA = '=HYPERLINK("http:evil","marks")'
NAMES = {
    "equals": "=1+1",
    "command": "=cmd|' C calc'!A0",
    "plus": "+1+1",
    "minus": "-2+3",
    "at": "@SUM(A1)",
    "full_width": "\uff1d1+1",
    "space": " =1+1",
    "quote": 'x",=1+1,"',
    "semicolon": "x;=1+1;",
    "apostrophe": "'=1+1",
    "pipe": "|calc",
    "percent": "%0a=1+1",
}

ATTACKS = [
    *(Attack(f"name_with_{word}", ALL, student=name, nbgrader=False) for word, name in NAMES.items()),
    Attack("prints_a_formula", REST, step(f"print({FORMULA!r})\nraise ValueError({FORMULA!r})")),
    Attack("type_named_as_a_formula", REST, step(f"return type({FORMULA!r}, (), {{}})()")),
    Attack("exception_named_as_a_formula", REST, step(f"raise type({FORMULA!r}, (Exception,), {{}})({FORMULA!r})")),
]  # fmt: skip
