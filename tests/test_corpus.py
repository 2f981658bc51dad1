"""The corpus of answers: right ones pass, wrong ones are caught, and what is said first of them is true.

`tests/corpus/NN_name.txt` has one answer a line; add yours, with what the first sentence must say of it.
"""

import pytest
from course import LONG, NOTEBOOKS, sampled
from judged import CORPUS, first_sentence, judged, lines_of

LINES = [line for notebook in NOTEBOOKS for line in lines_of(CORPUS / f"{notebook}.txt")]
# Of the wrong answers at least so many must have a name.
NAMED = 0.9


@pytest.mark.parametrize("line", sampled(LINES, 8), ids=lambda line: line.place)
def test_what_is_said_first_is_true(line):
    judgement = judged(line)
    if line.said == "right":
        assert judgement.status == "right", first_sentence(judgement)
    else:
        assert judgement.status == "wrong"
        assert line.said in first_sentence(judgement)


@pytest.mark.ci
def test_most_wrong_answers_have_a_name():
    wrong = [judged(line) for line in LINES[:: 1 if LONG else 4] if line.said != "right"]
    named = sum(bool(judgement.diagnoses) for judgement in wrong)
    assert named >= NAMED * len(wrong)


@pytest.mark.skipif(len(NOTEBOOKS) < 7, reason="the variable NOTEBOOKS leaves notebooks out: unset it")
def test_the_corpus_is_large_and_each_line_stands_once():
    assert len(LINES) >= 300
    assert len({(line.exercise, line.code) for line in LINES}) == len(LINES)
