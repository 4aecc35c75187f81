# SPDX-License-Identifier: Apache-2.0
"""`howdah version`: the versions of this program and of the server."""

import sys

import click

from howdah import __version__
from howdah.cli.base import command
from howdah.cli.output import print_object
from howdah.cli.session import Session
from howdah.errors import Unavailable

__all__ = ["version"]


@command("version", "howdah version", "howdah version --client-only", project=False)
@click.option("--client-only", is_flag=True, help="Do not ask the server.")
def version(session: Session, client_only: bool) -> None:
    """Show the version of this program and, if one answers, that of the server."""
    server = None
    if not client_only:
        try:
            server = session.client.server_version()
        except Unavailable as error:
            session.note(f"howdah: {error.message}")
    if session.json:
        print_object({"client": __version__, "server": server}, sys.stdout)
        return
    session.line(f"client  {__version__}")
    if server is not None:
        lake = f" (protocol {server.protocol}, lake {server.lake_id})"
        session.line(f"server  {server.howdah or 'unknown'}{lake}")
