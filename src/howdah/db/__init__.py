# SPDX-License-Identifier: Apache-2.0
"""The metadata database: one engine, one schema, one feed of events. It knows no domain rule.

    engine      `Database`: one writer at a time, snapshots for readers, listeners after the commit
    transaction what a `with db.write() as tx:` block works with
    tables      every table; the statements on a table live in the domain module that owns it
    events      the growing feed that waits, subscriptions and the scheduler read
    times       moments as integers; `columns` has the other column types
    sqlite      the store behind the engine, in a file or in memory; `backend` is what another would have to do
    migrate     brings an older database to the present schema (`migrations/versions`)

Chunks and filesets are `howdah.storage`; the two meet in `howdah.pfs` and not below.
"""

__all__ = ["backend", "columns", "delivery", "engine", "events", "migrate", "sqlite", "tables", "times", "transaction"]

from howdah.db import backend, columns, delivery, engine, events, migrate, sqlite, tables, times, transaction
