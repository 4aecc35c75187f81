# SPDX-License-Identifier: Apache-2.0
"""`howdah config show`: tell where commands work, and why there."""

from dataclasses import asdict

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["config_show"]


@command("show", "howdah config show")
def config_show(session: Session) -> None:
    """Show the server, the project and the transaction that commands use, and where each of them was found."""
    from howdah.cli.output import Columns
    from howdah.client.contexts import config_path

    columns: Columns = [
        ("file", lambda found: found["file"]),
        ("context", lambda found: found["context"]),
        ("address", lambda found: f"{found['address']} (from {found['address_from']})"),
        ("project", lambda found: f"{found['project']} (from {found['project_from']})"),
        ("transaction", lambda found: found["transaction"]),
    ]
    session.show({"file": str(config_path()), **asdict(session.place())}, columns)
