# SPDX-License-Identifier: Apache-2.0
"""`howdah delete secret NAME`: remove a secret."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["delete_secret"]


@command("secret", "howdah delete secret db", project=False, output=False)
@click.argument("name")
@click.option("-f", "--force", is_flag=True, help="Also if pipelines use it; they rest until it is there again.")
def delete_secret(session: Session, name: str, force: bool) -> None:
    """Remove a secret. One that pipelines use is refused without --force."""
    session.client.delete_secret(name, force=force)
