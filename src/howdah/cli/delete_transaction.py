# SPDX-License-Identifier: Apache-2.0
"""`howdah delete transaction [ID]`: forget changes that were collected."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session
from howdah.errors import NotFound

__all__ = ["delete_transaction"]


@command("transaction", "howdah delete transaction", project=False, output=False)
@click.argument("id", required=False)
def delete_transaction(session: Session, id: str | None) -> None:
    """Forget a transaction, the current one unless another is named; nothing of it happens."""
    from howdah.cli.places import current_transaction, leave_transaction

    id = current_transaction(session.place(), id)
    try:
        session.client.delete_transaction(id)
    except NotFound:
        leave_transaction(id)
        raise
    leave_transaction(id)
