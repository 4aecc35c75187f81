# SPDX-License-Identifier: Apache-2.0
"""Column types that every database shall treat alike: JSON as text, and surrogate keys. Moments: `db.times`."""

import json
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Integer, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

__all__ = ["KEY", "Json", "surrogate_key"]

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
