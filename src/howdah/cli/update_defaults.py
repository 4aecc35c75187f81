# SPDX-License-Identifier: Apache-2.0
"""`howdah update defaults -f FILE`: replace what specs leave out."""

import click

from howdah.cli.base import command
from howdah.cli.defaulting import changing, given_defaults, of_whom, set_and_show, whose
from howdah.cli.making_pipelines import SPEC_HELP
from howdah.cli.session import Session

__all__ = ["update_defaults"]


@command(
    "defaults",
    "howdah update defaults --cluster -f defaults.json",
    "howdah update defaults --project vision -f defaults.yaml --regenerate",
)
@click.option("-f", "--file", "source", required=True, metavar="FILE", help=SPEC_HELP)
@whose
@changing
def update_defaults(
    session: Session, source: str, cluster: bool, regenerate: bool, reprocess: bool, dry_run: bool
) -> None:
    """Replace the defaults of all pipelines, or of those of a project, by what a file says. See `create defaults`."""
    project = of_whom(session, cluster)
    text = given_defaults(source)
    set_and_show(session, text, project, regenerate=regenerate, reprocess=reprocess, dry_run=dry_run)
