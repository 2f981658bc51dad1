"""A PostgreSQL server of its own, on loopback, for as long as it is needed: its data are gone afterwards.

    python scripts/postgresql.py        # starts one, prints its address, and waits for Ctrl-C

Root on Debian gets the server's programs by `apt-get`, where they are missing. The server itself never runs
as root: PostgreSQL refuses that.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server import free_port

ACCOUNT = "postgres"
READY_SECONDS = 30


class NoServer(RuntimeError):
    """PostgreSQL cannot be had here, with the remedy."""


def programs() -> Path:
    """The folder of PostgreSQL's newest programs, installed first where root on Debian can do so.

    Raises:
        NoServer: they are not here and cannot be installed.
    """
    if found := _found():
        return found
    if os.getuid() or not shutil.which("apt-get"):
        raise NoServer("PostgreSQL is not installed: `apt-get install postgresql` as root, on Debian")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "-y", "--no-install-recommends", "postgresql"]):
        done = subprocess.run(
            ["apt-get", "-qq", *words], env=quiet, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NoServer(f"PostgreSQL could not be installed: {done.stderr.strip()[-300:]}")
    if not (found := _found()):
        raise NoServer("PostgreSQL was installed, and its `initdb` is not where Debian puts it")
    return found


def _found() -> Path | None:
    debians = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(debians, key=lambda path: int(path.parts[-3]) if path.parts[-3].isdigit() else 0)
    on_path = shutil.which("initdb")
    return newest[-1].parent if newest else Path(on_path).parent if on_path else None


@contextmanager
def running() -> Iterator[str]:
    """The address of a fresh database, as `--gradebook` takes it.

    Raises:
        NoServer: PostgreSQL is not here, or does not start.
    """
    at = programs()
    account = ACCOUNT if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    try:
        if account:
            known = pwd.getpwnam(account)
            os.chown(folder, known.pw_uid, known.pw_gid)
        data, log = folder / "data", folder / "log"
        made = subprocess.run(
            [at / "initdb", "-D", data, "-U", "autograder", "-E", "UTF8", "--auth=trust", "--no-sync"],
            user=account, cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise NoServer(f"initdb failed: {made.stderr.strip()[-300:]}")
        port = free_port()
        options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with log.open("wb") as output:
            server = subprocess.Popen(
                [at / "postgres", "-D", data, *words],
                user=account, cwd=folder, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        try:
            _wait(at, port, server, log)
            yield f"postgresql+psycopg://autograder@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(at: Path, port: int, server: subprocess.Popen, log: Path) -> None:
    ask = [at / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    until = time.monotonic() + READY_SECONDS
    while subprocess.run(ask, check=False).returncode:
        if server.poll() is not None or time.monotonic() > until:
            raise NoServer(f"PostgreSQL did not start: {log.read_text(errors='replace')[-500:]}")
        time.sleep(0.05)


def main() -> None:
    """Start a server and keep it until it is interrupted."""
    try:
        with running() as url:
            print(url, flush=True)
            signal.pause()
    except NoServer as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
