"""The gradebook's database: its address, connections to it, and what it refuses in words."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from nbgrader import dbutil
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from autograder.errors import CourseError
from autograder.nbgrader_door import kept

LOCKED_SECONDS = 60
CACHE_KIB = 64 * 1024  # SQLite's own two megabytes do not hold the indexes of a large class
# nbgrader looks for a submission's rows by what its keys end with: each search reads a whole class's rows.
SEARCHED = (("submitted_notebook", "assignment_id"), ("grade", "notebook_id"), ("comment", "notebook_id"))


@contextmanager
def opened(url: str) -> Iterator[sa.Engine]:
    """An engine on the gradebook, with the tables of ours in it, and indexes for nbgrader's.

    Raises:
        CourseError: the gradebook cannot be reached or is locked.
    """
    with said_in_words(url):
        engine = _engine(patient(url))
        with engine.begin() as connection:
            kept.tables.create_all(connection)
            for table, column in SEARCHED:
                name = f"autograder_{table}_{column}"
                connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})")
        yield engine
        engine.dispose()


@contextmanager
def reading(url: str) -> Iterator[sa.Connection]:
    """A connection to the gradebook as it is.

    Raises:
        CourseError: the gradebook cannot be reached or is locked.
    """
    with said_in_words(url):
        engine = sa.create_engine(patient(url))
        with engine.connect() as connection:
            yield connection
        engine.dispose()


@contextmanager
def said_in_words(url: str) -> Iterator[None]:
    """What a database refuses is said in a sentence, without what opens it.

    Raises:
        CourseError: it refused something.
    """
    address = address_of(url)
    try:
        yield
    except (SQLAlchemyError, ImportError) as error:
        reason = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        raise CourseError(
            f"the gradebook {shown_url(url)} cannot be used: {_without_secrets(reason, address)}; "
            "the grades are kept in the journal: run the same command again, and nothing is graded twice"
        ) from None


def sqlite_address(path: Path) -> str:
    """The address of a gradebook in a file, whatever signs (`?`, `%20`) its path holds.

    Raises:
        CourseError: no address names that file.
    """
    for name in (str(path), quote(str(path))):
        address = address_of(f"sqlite:///{name}")
        if address.database == str(path) and not address.query:
            return f"sqlite:///{name}"
    raise CourseError(f"{path} cannot be named in a database's address; use a folder without such signs")


def engine_on(path: Path) -> sa.Engine:
    """An engine on an SQLite file, whatever signs its path holds."""
    return sa.create_engine(sa.URL.create("sqlite", database=str(path)))


def has_gradebook(url: str) -> bool:
    """Whether there is something at a gradebook's address; of a server it is believed."""
    address = address_of(url)
    return address.get_backend_name() != "sqlite" or Path(address.database or "").is_file()


def shown_url(url: str) -> str:
    """A gradebook's address without what opens it: no password, no further options.

    Raises:
        CourseError: it is no address.
    """
    return address_of(url).set(query={}).render_as_string(hide_password=True)


def address_of(url: str) -> sa.URL:
    """A gradebook's address in its parts.

    Raises:
        CourseError: it is no address.
    """
    try:
        return sa.make_url(url)
    except (SQLAlchemyError, ValueError):
        raise CourseError(
            "the gradebook's address cannot be read; it should look like sqlite:///gradebook.db or "
            "postgresql+psycopg://name:password@host/database"
        ) from None


def _without_secrets(text: str, address: sa.URL) -> str:
    """A database's or a driver's text without what opens the gradebook."""
    secrets = [address.password, *(v for k, v in address.query.items() if "pass" in k.lower())]
    for secret in secrets:
        if isinstance(secret, str) and secret:
            text = text.replace(secret, "***")
    return text


def patient(url: str) -> str:
    """The address with a minute's patience for a locked file, unless it says how long to wait."""
    if not url.startswith("sqlite") or "timeout=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}timeout={LOCKED_SECONDS}"


def _engine(url: str) -> sa.Engine:
    """An engine whose transactions on SQLite lock the file at their beginning.

    Two graders of different notebooks then wait for each other; otherwise both could read that a student
    is missing, and the second to insert one would fail.
    """
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def leave_transactions_to_us(connection: Any, _: Any) -> None:
            connection.isolation_level = None
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")

        @event.listens_for(engine, "begin")
        def lock(connection: sa.Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def connections(engine: sa.Engine) -> int:
    """How many may write at once: SQLite's file takes one, a server works while the other asks."""
    return 1 if engine.dialect.name == "sqlite" else 2


def insert(connection: sa.Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    """Insert rows that name the same columns, past SQLAlchemy, which takes longer than the file itself.

    On PostgreSQL by COPY: psycopg sends a statement for each row.

    Raises:
        SQLAlchemyError: the database refuses one of them; then none is written.
    """
    if not rows:
        return
    defaults = {c.name: c.default.arg for c in table.c if c.default is not None and c.name not in rows[0]}
    names, values = [*defaults, *rows[0]], [(*defaults.values(), *row.values()) for row in rows]
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", values)
    else:
        _copy(connection, table.name, names, values)


def _copy(connection: sa.Connection, table: str, names: list[str], rows: list[tuple[Any, ...]]) -> None:
    from psycopg import Error, sql  # noqa: PLC0415

    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)
    cursor: Any = connection.connection.cursor()
    try:
        with cursor, cursor.copy(command) as copy:
            for row in rows:
                copy.write_row(row)
    except Error as error:
        raise DBAPIError(f"COPY {table}", None, error) from None


def put_tools_on_path() -> None:
    """Let nbgrader find `alembic`, which it starts by name, and alembic nbgrader, wherever they lie."""
    tools = str(Path(sys.executable).parent)
    if tools not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([tools, os.environ.get("PATH", os.defpath)])
    # It writes alembic's settings, in which `%` begins a name, with its own path as it stands.
    dbutil.ALEMBIC_DIR = str(Path(dbutil.__file__).parent / "alembic").replace("%", "%%")
