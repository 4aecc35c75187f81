# SPDX-License-Identifier: Apache-2.0
"""`howdah config use context NAME`: choose the context of the commands that follow."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["config_use_context"]


@command("context", "howdah config use context work", project=False, output=False)
@click.argument("name")
def config_use_context(session: Session, name: str) -> None:  # noqa: ARG001 - every command is given it
    """Let commands use the address, the project and the transaction of a context from now on."""
    from dataclasses import replace

    from howdah.client.contexts import load, save

    config = load()
    config.get(name)
    save(replace(config, current=name))
