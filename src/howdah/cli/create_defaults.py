# SPDX-License-Identifier: Apache-2.0
"""`howdah create defaults -f FILE`: say what specs leave out."""

import click

from howdah.cli.base import command
from howdah.cli.defaulting import changing, given_defaults, of_whom, set_and_show, whose
from howdah.cli.making_pipelines import SPEC_HELP
from howdah.cli.session import Session

__all__ = ["create_defaults"]


@command(
    "defaults",
    "howdah create defaults --cluster -f defaults.json",
    "howdah create defaults --project vision -f defaults.yaml --regenerate",
)
@click.option("-f", "--file", "source", required=True, metavar="FILE", help=SPEC_HELP)
@whose
@changing
def create_defaults(
    session: Session, source: str, cluster: bool, regenerate: bool, reprocess: bool, dry_run: bool
) -> None:
    """Say what specs of all pipelines, or of those of a project, leave out: {"createPipelineRequest": {...}}.

    Refused if there are some; `update defaults` replaces them. They hold for specs that are given from now on, and with
    --regenerate for the pipelines that there are: all of them change, or nothing does. A spec takes a default away by
    `null`, and what it says itself counts more.
    """
    from howdah.model.spec import parse_defaults

    project = of_whom(session, cluster)
    text = given_defaults(source)
    if parse_defaults(session.client.get_defaults(project)):
        whom = "the cluster" if project is None else f"project {project}"
        raise click.ClickException(f"{whom} has defaults already; replace them: howdah update defaults")
    set_and_show(session, text, project, regenerate=regenerate, reprocess=reprocess, dry_run=dry_run)
