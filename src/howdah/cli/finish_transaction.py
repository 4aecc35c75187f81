# SPDX-License-Identifier: Apache-2.0
"""`howdah finish transaction [ID]`: make all changes that were collected."""

import click

from howdah.cli.base import command
from howdah.cli.columns import TRANSACTION
from howdah.cli.session import Session
from howdah.errors import ErrorKind, NotFound

__all__ = ["finish_transaction"]


@command("transaction", "howdah finish transaction", project=False)
@click.argument("id", required=False)
def finish_transaction(session: Session, id: str | None) -> None:
    """Make all changes of a transaction, the current one unless another is named, and show them.

    All of them happen or, on an error, none: then the transaction is still there, to be deleted or finished later.
    """
    from howdah.cli.places import current_transaction, leave_transaction

    id = current_transaction(session.place(), id)
    try:
        info = session.client.finish_transaction(id)
    except NotFound as error:
        if error.kind is ErrorKind.TRANSACTION_NOT_FOUND:
            leave_transaction(id)
        raise
    leave_transaction(id)
    session.show(info, TRANSACTION)
