# SPDX-License-Identifier: Apache-2.0
"""`howdah config get context [NAME]`: show one context."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["config_get_context"]


@command("context", "howdah config get context", "howdah config get context work -o json", project=False)
@click.argument("name", required=False)
def config_get_context(session: Session, name: str | None) -> None:
    """Show a context, the current one unless another is named."""
    from howdah.cli.columns import CONTEXT
    from howdah.client.contexts import DEFAULT_CONTEXT, load

    config = load()
    name = name or config.current or DEFAULT_CONTEXT
    session.show({"name": name, "current": name == config.current, **config.get(name).shown()}, CONTEXT)
