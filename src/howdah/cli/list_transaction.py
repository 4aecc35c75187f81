# SPDX-License-Identifier: Apache-2.0
"""`howdah list transaction`: show all open transactions."""

from howdah.cli.base import command
from howdah.cli.columns import TRANSACTIONS
from howdah.cli.session import Session

__all__ = ["list_transaction"]


@command("transaction", "howdah list transaction", project=False)
def list_transaction(session: Session) -> None:
    """Show all open transactions of the server, the oldest first."""
    session.show_all(session.client.list_transactions(), TRANSACTIONS)
