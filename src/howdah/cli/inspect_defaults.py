# SPDX-License-Identifier: Apache-2.0
"""`howdah inspect defaults`: show what specs leave out."""

from howdah.cli.base import command
from howdah.cli.columns import pretty
from howdah.cli.defaulting import of_whom, whose
from howdah.cli.session import Session

__all__ = ["inspect_defaults"]


@command("defaults", "howdah inspect defaults --cluster", "howdah inspect defaults --project vision")
@whose
def inspect_defaults(session: Session, cluster: bool) -> None:
    """Show the defaults of all pipelines, or of those of a project, as they were given: always as JSON."""
    session.line(pretty(session.client.get_defaults(of_whom(session, cluster))))
