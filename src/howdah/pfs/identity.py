# SPDX-License-Identifier: Apache-2.0
"""Which lake a database belongs to, and where that lake's objects are: one row, which only this module touches.

With it a server refuses a store that was swapped for another lake's, in which every commit would be damaged.
"""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from howdah.db import tables
from howdah.db.transaction import Transaction

__all__ = ["Identity", "identity", "record_identity"]


@dataclass(frozen=True, slots=True)
class Identity:
    """The id of the lake, and its store's URL; empty if the store is where it is by default, beside the database."""

    lake_id: str
    store_url: str


def identity(tx: Transaction) -> Identity | None:
    """What the database says; None in a new one, or one of a version that did not say so yet."""
    row = tx.execute(select(tables.lake.c.lake_id, tables.lake.c.store_url)).one_or_none()
    return None if row is None else Identity(row.lake_id, row.store_url)


def record_identity(tx: Transaction, value: Identity) -> None:
    """Say it from now on."""
    tx.execute(delete(tables.lake))
    tx.execute(insert(tables.lake).values(lake_id=value.lake_id, store_url=value.store_url))
