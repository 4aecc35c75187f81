# SPDX-License-Identifier: Apache-2.0
"""`howdah inspect secret NAME`: show one secret, without its values."""

import click

from howdah.cli.base import command
from howdah.cli.secret_values import SECRET
from howdah.cli.session import Session

__all__ = ["inspect_secret"]


@command("secret", "howdah inspect secret db", project=False)
@click.argument("name")
def inspect_secret(session: Session, name: str) -> None:
    """Show name, type and age of a secret. Its values are shown by nothing."""
    session.show(session.client.inspect_secret(name), SECRET)
