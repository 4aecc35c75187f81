# SPDX-License-Identifier: Apache-2.0
"""`howdah inspect pipeline PIPELINE`: show one pipeline."""

import click

from howdah.cli.base import command
from howdah.cli.columns import PIPELINE
from howdah.cli.session import Session

__all__ = ["inspect_pipeline"]


@command("pipeline", "howdah inspect pipeline edges")
@click.argument("pipeline")
def inspect_pipeline(session: Session, pipeline: str) -> None:
    """Show one pipeline, with its effective spec."""
    session.show(session.client.inspect_pipeline(pipeline), PIPELINE)
