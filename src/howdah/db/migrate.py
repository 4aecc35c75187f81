# SPDX-License-Identifier: Apache-2.0
"""Bring a database to the schema of this code: forward only, in one transaction, step by step, after a copy.

The steps are `migrations/versions/NNNN_*.py`, written by hand; their names are numbers that grow, so that a
message can say which is newer. A released step is never edited.
"""

import threading
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.engine import Connection

from howdah.db.backend import Backend
from howdah.errors import Damaged, ErrorKind, Unsupported

__all__ = ["current_version", "head_version", "to_head"]

_FOLDER: Final = Path(__file__).parent / "migrations"
# Alembic hands its context to the steps by module globals: one migration at a time in a process.
_one_at_a_time: Final = threading.Lock()


def head_version() -> str:
    """The schema version of this code."""
    return _script().get_current_head() or ""


def current_version(connection: Connection) -> str | None:
    """The schema version of the database; None when it has none, as a new file."""
    return MigrationContext.configure(connection).get_current_revision()


def to_head(backend: Backend) -> None:
    """Migrate to `head_version()`; nothing happens, and nothing is written, when it is there already.

    All steps are one transaction. Before it, a database that holds something is copied beside itself, as
    `<name>.<its version>`: for whoever wants to go back to the howdah that wrote it. Nobody removes that copy.

    Raises:
        Unsupported: the database is newer than this code, or not one of ours.
        HowdahError: it cannot be copied; nothing was changed.
    """
    connection = backend.migrator()
    try:
        backend.begin_read(connection)
        before = current_version(connection)
        _check(backend.label, connection, before)
        connection.rollback()
        if before != head_version():
            if before is not None:
                backend.keep_copy(connection, before)
            backend.begin_write(connection)
            _upgrade(backend, connection)
            connection.commit()
    finally:
        connection.close()


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config


def _check(label: str, connection: Connection, found: str | None) -> None:
    """Refuse a database that this code would misread."""
    script = _script()
    if found is None and inspect(connection).get_table_names():
        raise Unsupported(
            ErrorKind.FORMAT_UNKNOWN, f"database {label} has tables but no howdah schema version; name another file"
        )
    if found is not None and found not in {step.revision for step in script.walk_revisions()}:
        raise Unsupported(
            ErrorKind.FORMAT_UNKNOWN,
            f"database {label} has schema {found}, and this howdah knows up to {script.get_current_head()}; "
            "start the version of howdah that wrote it, or a newer one",
        )


def _upgrade(backend: Backend, connection: Connection) -> None:
    """Run the missing steps in the transaction that is open; another process may have run them meanwhile."""
    config = _config()
    config.attributes["connection"] = connection
    with _one_at_a_time:
        command.upgrade(config, "head")
    if table := backend.broken_reference(connection):
        raise Damaged(
            ErrorKind.OBJECT_CORRUPT,
            f"database {backend.label} has rows of {table} that refer to missing rows, so its schema was left "
            "as it was; restore a backup",
        )
