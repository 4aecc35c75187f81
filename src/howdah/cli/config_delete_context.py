# SPDX-License-Identifier: Apache-2.0
"""`howdah config delete context NAME`: forget a context."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["config_delete_context"]


@command("context", "howdah config delete context work", project=False, output=False)
@click.argument("name")
def config_delete_context(session: Session, name: str) -> None:  # noqa: ARG001 - every command is given it
    """Forget a context; nothing changes on its server. If it is the current one, none is until another is chosen."""
    from howdah.client.contexts import load, save

    save(load().without(name))
