# SPDX-License-Identifier: Apache-2.0
"""`howdah inspect transaction [ID]`: show what was collected."""

import click

from howdah.cli.base import command
from howdah.cli.columns import TRANSACTION
from howdah.cli.session import Session

__all__ = ["inspect_transaction"]


@command("transaction", "howdah inspect transaction", project=False)
@click.argument("id", required=False)
def inspect_transaction(session: Session, id: str | None) -> None:
    """Show a transaction and its requests, the current one unless another is named."""
    from howdah.cli.places import current_transaction

    session.show(session.client.inspect_transaction(current_transaction(session.place(), id)), TRANSACTION)
