# SPDX-License-Identifier: Apache-2.0
"""`howdah start pipeline PIPELINE`: let a stopped pipeline work again."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["start_pipeline"]


@command("pipeline", "howdah start pipeline edges", output=False)
@click.argument("pipeline")
def start_pipeline(session: Session, pipeline: str) -> None:
    """Let a stopped pipeline work again, on what came meanwhile too."""
    session.client.start_pipeline(pipeline)
