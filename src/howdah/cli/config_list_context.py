# SPDX-License-Identifier: Apache-2.0
"""`howdah config list context`: show all contexts."""

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["config_list_context"]


@command("context", "howdah config list context", project=False)
def config_list_context(session: Session) -> None:
    """Show all contexts; the current one is marked."""
    from howdah.cli.columns import CONTEXTS
    from howdah.client.contexts import load

    config = load()
    found = sorted(config.contexts.items())
    shown = [{"name": name, "current": name == config.current, **each.shown()} for name, each in found]
    session.show_all(shown, CONTEXTS)
