# SPDX-License-Identifier: Apache-2.0
"""`howdah rotate secrets-key`: seal the secrets of a lake with a new key. Like `howdah server`, it opens the lake."""

import os
from pathlib import Path

import click

from howdah.cli.base import command
from howdah.cli.server import default_root
from howdah.cli.session import Session

__all__ = ["rotate_secrets_key"]


@command("secrets-key", "howdah rotate secrets-key --root /data/lake", project=False, output=False)
@click.option("--root", metavar="DIR", help="The lake's folder. Default: that of `howdah server`.")
@click.option("--secrets-key-file", metavar="FILE", help="Where the keys are. Default: that of `howdah server`.")
@click.option("--forget-old", is_flag=True, help="Keep no old key: nobody can open the secrets of older backups then.")
def rotate_secrets_key(session: Session, root: str | None, secrets_key_file: str | None, forget_old: bool) -> None:
    """Make a new key and seal all secrets of a lake with it. The server must be stopped.

    Old keys stay in the file, below the new one, so that secrets in older backups of the lake can be opened.
    """
    from howdah.server.rotating import rotate
    from howdah.server.secret_keys import VARIABLE

    file = Path(secrets_key_file) if secrets_key_file else None
    done = rotate(Path(root or default_root()), file, os.environ.pop(VARIABLE, None), forget_old=forget_old)
    session.line(f"secrets sealed anew with key {done.fingerprint} of {done.file}: {done.secrets}")
    session.note(f"old keys kept there for older backups: {done.old_keys}")
