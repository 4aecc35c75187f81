# SPDX-License-Identifier: Apache-2.0
"""`howdah list retention`: show the retention rules."""

from howdah.cli.base import command
from howdah.cli.retaining import RETENTIONS, shown
from howdah.cli.session import Session

__all__ = ["list_retention"]


@command("retention", "howdah list retention")
def list_retention(session: Session) -> None:
    """Show the retention rules of all projects, repos and branches."""
    session.show_all(map(shown, session.client.list_retentions()), RETENTIONS)
