# SPDX-License-Identifier: Apache-2.0
"""`howdah start transaction`: collect changes, to make them together."""

from howdah.cli.base import command
from howdah.cli.session import Session
from howdah.errors import ErrorKind, NotFound, Refused

__all__ = ["start_transaction"]


@command("transaction", "howdah start transaction", project=False, output=False)
def start_transaction(session: Session) -> None:
    """Open a transaction and print its id. Until it is finished, deleted or left by `stop transaction`, changes go
    into it: making, updating and deleting repos and branches, starting and finishing commits, squashing commit sets,
    making and updating pipelines, stopping jobs. Each is checked at once; all happen together when it is finished.

    What only reads, and what writes files, happens at once.
    """
    from howdah.cli.places import keep_transaction

    if current := session.place().transaction:
        try:
            session.client.inspect_transaction(current)
        except NotFound:
            pass  # somebody else ended it
        else:
            text = f"transaction {current} is open in this context; finish it, or leave it: howdah stop transaction"
            raise Refused(ErrorKind.TRANSACTION_OPEN, text)
    id = session.client.start_transaction()
    keep_transaction(id, session.client.address)
    session.line(id)
