"""Runs Alembic on a SQLite file, all revisions in one transaction.

A module of its own because Alembic and SQLAlchemy are imported with it.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, StaticPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from qa.journal.sqlite.form import form_of

_WAIT = 30.0  # seconds for another process that upgrades the file; it takes some ten milliseconds
_ONE_AT_A_TIME = threading.Lock()  # Alembic's `op` and `context` are the same for all threads


def upgrade(path: Path, versions: Path) -> None:
    """Apply the revisions in `versions` that the file lacks. Raises sqlite3.Error."""
    with _ONE_AT_A_TIME, closing(sqlite3.connect(path, timeout=_WAIT, isolation_level=None)) as db:
        engine = create_engine("sqlite://", creator=lambda: db, poolclass=StaticPool)
        event.listen(engine, "begin", _begin)
        config = Config()
        config.set_main_option("script_location", _escaped(Path(__file__).parent))
        config.set_main_option("version_locations", _escaped(versions))
        config.set_main_option("path_separator", "newline")
        try:
            with engine.begin() as connection:
                config.attributes["connection"] = connection
                if (form := form_of(db)) > "0000":
                    command.stamp(config, form)  # takes over a file from before Alembic
                command.upgrade(config, "head")
        except DBAPIError as error:
            raise sqlite3.OperationalError(str(error.orig)) from error


def _begin(connection: Connection) -> None:
    # The driver begins a transaction with the first INSERT only; whoever comes second must wait before it reads.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")  # `%` interpolates in Alembic's configuration
