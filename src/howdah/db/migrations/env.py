# SPDX-License-Identifier: Apache-2.0
"""Run by Alembic for `howdah.db.migrate`, which gives the connection, with its transaction already begun."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
