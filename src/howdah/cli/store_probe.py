# SPDX-License-Identifier: Apache-2.0
"""`howdah store probe`: try what a store guarantees, before a lake is made there. Needs no server."""

import click

from howdah.cli.base import command
from howdah.cli.columns import CHECKS
from howdah.cli.exits import FAILURE
from howdah.cli.session import Session

__all__ = ["store_probe"]


@command("probe", "howdah store probe s3://bucket/prefix", "howdah store probe /mnt/shared -o json", project=False)
@click.argument("url")
def store_probe(session: Session, url: str) -> None:
    """Try what howdah relies on in the store at URL: s3://bucket/prefix, gs://, az://, or a folder.

    Some 50 MB are written and removed again. Credentials, endpoint and region come from the usual variables. Ends
    with code 1 if the store fails a check: `howdah server` makes no lake there.
    """
    from howdah.kit.ids import new_id
    from howdah.storage.lake import open_store
    from howdah.storage.probe import is_fit, probe

    checks = list(probe(open_store(url), new_id=new_id))
    session.show_all(checks, CHECKS)
    if not is_fit(checks):
        session.note(f"howdah: {url} cannot hold a lake safely")
        raise click.exceptions.Exit(FAILURE)
