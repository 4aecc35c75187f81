# SPDX-License-Identifier: Apache-2.0
"""`howdah stop transaction`: let changes happen at once again."""

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["stop_transaction"]


@command("transaction", "howdah stop transaction", project=False, output=False)
def stop_transaction(session: Session) -> None:
    """Leave the current transaction, and print its id. It stays open: go on by `resume transaction`, or finish it."""
    from howdah.cli.places import current_transaction, leave_transaction

    id = current_transaction(session.place(), None)
    leave_transaction(id)
    session.line(id)
