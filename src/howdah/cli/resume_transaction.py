# SPDX-License-Identifier: Apache-2.0
"""`howdah resume transaction ID`: let changes go into a transaction again."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["resume_transaction"]


@command("transaction", "howdah resume transaction 5b1cf4d0e3ab4d79a8b1f0c2d3e4f5a6", project=False, output=False)
@click.argument("id")
def resume_transaction(session: Session, id: str) -> None:
    """Let changes go into a transaction that is open, instead of into another one, from now on."""
    from howdah.cli.places import keep_transaction

    session.client.inspect_transaction(id)
    keep_transaction(id, session.client.address)
