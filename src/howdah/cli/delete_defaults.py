# SPDX-License-Identifier: Apache-2.0
"""`howdah delete defaults`: let specs leave out nothing but what is built in."""

from howdah.cli.base import command
from howdah.cli.defaulting import changing, of_whom, set_and_show, whose
from howdah.cli.session import Session

__all__ = ["delete_defaults"]


@command(
    "defaults",
    "howdah delete defaults --cluster",
    "howdah delete defaults --project vision --regenerate",
)
@whose
@changing
def delete_defaults(session: Session, cluster: bool, regenerate: bool, reprocess: bool, dry_run: bool) -> None:
    """Take the defaults of all pipelines, or of those of a project, away. See `create defaults`."""
    project = of_whom(session, cluster)
    set_and_show(session, "{}", project, regenerate=regenerate, reprocess=reprocess, dry_run=dry_run)
