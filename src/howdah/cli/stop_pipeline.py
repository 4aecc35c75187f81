# SPDX-License-Identifier: Apache-2.0
"""`howdah stop pipeline PIPELINE`: let a pipeline rest."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["stop_pipeline"]


@command("pipeline", "howdah stop pipeline edges", output=False)
@click.argument("pipeline")
def stop_pipeline(session: Session, pipeline: str) -> None:
    """Let a pipeline rest: new commits start nothing, and its running job ends."""
    session.client.stop_pipeline(pipeline)
