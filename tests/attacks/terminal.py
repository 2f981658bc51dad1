"""Control characters for the terminal of whoever grades: titles, cleared screens, hidden lines, moved text."""

from attacks.kit import ALL, REST, Attack, step

LINE = "terminal"
ESCAPE = "\x1b]0;owned\x07\x1b[2J\x1b[8m\x9b31m\r\b\x00\u202e\u2066"
RICH = "[link=http://evil.example]marks[/link][bold red]12 of 12[/]"

ATTACKS = [
    Attack("raises_escapes_in_a_cell", ALL, own=(f"raise ValueError({ESCAPE!r})",), proof="owned"),
    Attack("prints_escapes", REST, step(f"print({ESCAPE!r})\nreturn np.zeros_like(s_prev)"), proof="owned"),
    Attack("raises_escapes", REST, step(f"raise ValueError({ESCAPE!r})"), proof="owned"),
    Attack("keys_of_escapes", REST, step(f"return {{{ESCAPE!r}: 1}}")),
    Attack("escapes_in_the_source", ALL, own=(f"raise ValueError  # {ESCAPE[:20]}".replace("\r", "").replace("\x00", ""),)),
    Attack("markup_of_rich", ALL, own=(f"raise ValueError({RICH!r})",)),
    Attack("a_name_of_rich_markup", ALL, student="x_[bold red]12 of 12", nbgrader=False),
    Attack("a_name_of_escapes", None, student="x_\x1b]0;owned\x07\x1b[2J", nbgrader=False),
    Attack("a_name_that_turns_round", None, student="x_\u202exslx.21", nbgrader=False),
    Attack("a_name_of_two_lines", None, student="x_a\nada", nbgrader=False),
    Attack("a_name_of_bad_bytes", None, student="x_\udcff\udcfe", nbgrader=False),
]  # fmt: skip
