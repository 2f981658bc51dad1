"""What a cell shows: numbers as a table that is read in a notebook, on a slide and without HTML."""

import numpy as np
import pytest

from rnncourse import table


def test_a_table_has_its_names_and_the_shortest_numbers():
    shown = table({"direct": [-0.09, 1.0, -1e-9], "all": [np.nan, np.nan, 0.63124]}, ("1", "2", "sum"))
    assert shown._repr_markdown_().splitlines() == [
        "|  | 1 | 2 | sum |",
        "|---|---:|---:|---:|",
        "| direct | −0.09 | 1 | 0 |",
        "| all |  |  | 0.6312 |",
    ]
    assert repr(shown).splitlines()[1].split() == ["direct", "−0.09", "1", "0"]


def test_whole_numbers_keep_their_zeros():
    assert "| 120 |" in table({"steps": [120]}, ("T",), digits=0)._repr_markdown_()


def test_a_row_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="'direct' has 1 numbers for 2 columns"):
        table({"direct": [1]}, ("a", "b"))
