# SPDX-License-Identifier: Apache-2.0
"""What tables are made of: column types that every database shall treat alike, and kinds of columns that recur.

The tables themselves are in `db.tables`, moments in `db.times`.
"""

import json
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, MetaData, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from howdah.db.times import Moment

__all__ = [
    "ID_LENGTH",
    "KEY",
    "NUMBERED",
    "Json",
    "flag",
    "labels",
    "metadata",
    "moment",
    "number",
    "reference",
    "surrogate_key",
    "text",
]

# SQLite gives row numbers only to a column declared INTEGER; elsewhere 32 bits would be too few.
KEY: Final = BigInteger().with_variant(Integer(), "sqlite")


class Json(TypeDecorator[Any]):
    """A JSON value kept as text; None is SQL's NULL. Equal values have equal text, whatever their key order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        """What the database keeps for `value`."""
        return None if value is None else json.dumps(value, separators=(",", ":"), sort_keys=True)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Any:
        """What the caller gets for the stored `value`."""
        return None if value is None else json.loads(value)


def surrogate_key(name: str = "id") -> Column[int]:
    """A primary key that the database numbers. A number is never given twice, even after its row is gone.

    The table must be made with `sqlite_autoincrement=True`, which is what says the same to SQLite.
    """
    return Column(name, KEY, primary_key=True, autoincrement=True)


# Every constraint has a name of its own, so that a later migration can drop it on any database.
_NAMES: Final = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
# Numbers of rows that are gone are not given again: an old reference finds nothing, never a stranger.
NUMBERED: Final[dict[str, Any]] = {"sqlite_autoincrement": True}
ID_LENGTH: Final = 32  # hex digits of a UUID: commit sets, leases

metadata = MetaData(naming_convention=_NAMES)


def reference(name: str, table: str, *, cascade: bool = False, **options: Any) -> Column[int]:
    """A column with the key of a row of `table`; with `cascade` its row goes when that row goes."""
    options.setdefault("nullable", False)
    return Column(name, KEY, ForeignKey(f"{table}.id", ondelete="CASCADE" if cascade else None), **options)


def number(name: str, *, added: bool = False) -> Column[int]:
    """A count or size that starts at zero; 64 bits. `added` if its table was there before it, with rows."""
    return Column(name, BigInteger, nullable=False, default=0, server_default="0" if added else None)


def text(name: str) -> Column[str]:
    """A text that is empty until said otherwise."""
    return Column(name, Text, nullable=False, default="")


def flag(name: str) -> Column[bool]:
    """A yes or no that is no until said otherwise."""
    return Column(name, Boolean, nullable=False, default=False)


def moment(name: str, *, nullable: bool = False) -> Column[Any]:
    """A time, in UTC; nullable when it may not have come yet."""
    return Column(name, Moment, nullable=nullable)


def labels() -> Column[Any]:
    """The user's own keys and values."""
    return Column("metadata", Json, nullable=False, default=dict)
