# SPDX-License-Identifier: Apache-2.0
"""`howdah config import-pachctl [FILE]`: take over the contexts of pachctl."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["config_import_pachctl"]


@command(
    "import-pachctl",
    "howdah config import-pachctl",
    "howdah config import-pachctl ~/.pachyderm/config.json --replace",
    project=False,
    output=False,
)
@click.argument("file", required=False)
@click.option("--replace", is_flag=True, help="Also contexts of names that are there already.")
def config_import_pachctl(session: Session, file: str | None, replace: bool) -> None:
    """Take over the contexts of pachctl: address, project and open transaction of each that has an address.

    FILE is `$PACH_CONFIG` when left out, else `~/.pachyderm/config.json`. It is read this once and never changed.
    """
    from pathlib import Path

    from howdah.cli.pachctl_contexts import pachctl_contexts, pachctl_path
    from howdah.client.contexts import Config, load, save
    from howdah.errors import AlreadyExists, ErrorKind

    active, found = pachctl_contexts(Path(file) if file else pachctl_path())
    config = load()
    if (taken := sorted(found.keys() & config.contexts.keys())) and not replace:
        text = f"context {taken[0]} already exists; take over all the same: howdah config import-pachctl --replace"
        raise AlreadyExists(ErrorKind.CONTEXT_EXISTS, text)
    current = config.current or (active if active in found else "")
    save(Config(current, {**config.contexts, **found}))
    for name in sorted(found):
        session.line(name)
