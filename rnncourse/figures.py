"""Figures the way the course shows them: one style, safe colours, a text alternative always."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from cycler import cycler
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart by every common kind of colour vision.
COLOURS = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "red": "#D55E00",
    "purple": "#CC79A7",
}
# One map for numbers with a sign, in every notebook and explorer: blue is negative, orange positive.
SIGNED = LinearSegmentedColormap.from_list("signed", [COLOURS["blue"], "white", COLOURS["red"]])

# A person's own settings (LaTeX for all text, say) are not for these figures.
mpl.rcdefaults()
mpl.rcParams.update(
    {
        "axes.prop_cycle": cycler(
            color=[COLOURS[c] for c in ("blue", "red", "green", "orange", "purple", "sky", "black")]
        ),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.dpi": 110,
        "font.size": 12,
        "legend.frameon": False,
        "lines.linewidth": 2.0,
        "svg.hashsalt": "rnncourse",
    }
)


class ShownFigure:
    """A picture as SVG, with a text alternative; the last value of a cell shows it."""

    def __init__(self, svg: str, alt: str):
        self.svg, self.alt = svg, alt

    def save(self, path: str | Path) -> Path:
        """Write the picture to a file of its own, to print, to project or to cite.

        Args:
            path: where it goes, "lstm.svg".
        """
        path = Path(path)
        path.write_text(self.svg, "utf-8")
        return path

    def _repr_html_(self) -> str:
        return image(self.svg, self.alt)

    def __repr__(self) -> str:
        return f"[figure: {self.alt}]"


def image(svg: str, alt: str) -> str:
    """An SVG as an `<img>`, which a notebook shows even before it trusts its outputs."""
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<img alt="{html.escape(alt, quote=True)}" style="max-width:100%" '
        f'src="data:image/svg+xml;base64,{data}">'
    )


class ShownTable:
    """Numbers in named rows and columns; the last value of a cell shows it."""

    def __init__(self, lines: list[list[str]]):
        self.lines = lines

    def _repr_markdown_(self) -> str:
        head, *rows = (f"| {' | '.join(line)} |" for line in self.lines)
        return "\n".join([head, f"|---|{'---:|' * (len(self.lines[0]) - 1)}", *rows])

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(*self.lines, strict=True)]
        return "\n".join(
            "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True))
            for line in self.lines
        )


def table(rows: Mapping[str, Iterable[float]], columns: Sequence[str], digits: int = 4) -> ShownTable:
    """Show numbers as a table.

    Args:
        rows: what a row is called -> its numbers; where one is NaN, the place stays empty.
        columns: what each column is called.
        digits: behind the point, at most.

    Raises:
        ValueError: a row has not as many numbers as there are columns.
    """
    lines = [["", *columns]]
    for name, values in rows.items():
        texts = [_shortest(float(value), digits) for value in values]
        if len(texts) != len(columns):
            raise ValueError(f"table: {name!r} has {len(texts)} numbers for {len(columns)} columns")
        lines.append([name, *texts])
    return ShownTable(lines)


def _shortest(value: float, digits: int) -> str:
    if math.isnan(value):
        return ""
    text = f"{round(value, digits) + 0.0:.{digits}f}"  # the sum makes 0 of -0
    return (text.rstrip("0").rstrip(".") if digits else text).replace("-", "−")


def show(fig: Figure, alt: str) -> ShownFigure:
    """Turn a Matplotlib figure into an image that also says in words what it shows.

    Args:
        fig: the figure; it is closed, so that the notebook does not draw it twice.
        alt: what a person who cannot see the figure should learn from it, in one or two sentences.
    """
    import matplotlib.pyplot as plt  # noqa: PLC0415  (pyplot only where a figure is shown)

    if not alt.strip():
        raise ValueError("show(fig, alt): say in `alt` what the figure shows")
    buffer = io.BytesIO()
    # Lines stay sharp on any wall; an image in a figure (a heat map) stays an image. No date: the same bytes.
    fig.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    plt.close(fig)
    return ShownFigure(buffer.getvalue().decode(), alt)
