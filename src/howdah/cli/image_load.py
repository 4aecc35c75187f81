# SPDX-License-Identifier: Apache-2.0
"""`howdah image load FILE`: take images out of a file."""

import os
import sys
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Final

import click

from howdah.cli.base import command
from howdah.cli.engines import ENGINE, open_shipping
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.client import Progress

__all__ = ["image_load"]

_PIECE_BYTES: Final = 1 << 20


@command("load", "howdah image load images.tar", "ssh build cat images.tar | howdah image load -", output=False)
@click.argument("file")
@ENGINE
def image_load(session: Session, file: str, engine: str | None) -> None:
    """Give the images of a file to the container engine here; FILE is what `image save` wrote, - is standard input.

    Run it on the machine whose engine the server uses. Pipelines that wait for one of the images go on by themselves.
    """
    from howdah.storage.local_files import explained

    with (
        open_shipping(engine) as opened,
        explained(file),
        open(sys.stdin.fileno() if file == "-" else file, "rb", closefd=file != "-") as data,
        session.progress(f"loading {os.path.basename(file)}") as progress,
    ):
        for name in opened.load(_pieces(data, progress)):
            session.line(f"{name} {opened.image_id(name)}")


def _pieces(data: IO[bytes], progress: "Progress | None") -> Iterator[bytes]:
    while piece := data.read(_PIECE_BYTES):
        yield piece
        if progress is not None:
            progress(len(piece), 0)
