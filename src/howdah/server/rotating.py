# SPDX-License-Identifier: Apache-2.0
"""Give a lake that is not served a new key for its secrets: a new first line in the key file, and all sealed anew.

The old keys stay in the file, for backups of the database, unless told otherwise. Killed at any moment, the file has
every key by which something is sealed: the new one is there before anything is sealed by it, and the old ones are there
until nothing is sealed by them.
"""

from dataclasses import dataclass
from pathlib import Path

from howdah.errors import ErrorKind, Refused
from howdah.kit import fail
from howdah.server.app import opened
from howdah.server.secret_keys import VARIABLE, KeyFile, server_keys

__all__ = ["Rotated", "rotate"]


@dataclass(frozen=True, slots=True)
class Rotated:
    """The new key's fingerprint, where it is, how many secrets were sealed anew, and how many old keys are kept."""

    fingerprint: str
    file: Path
    secrets: int
    old_keys: int


def rotate(root: Path, file: Path | None, given: str | None, *, forget_old: bool = False) -> Rotated:
    """Do it; with `forget_old` only the new key is left, and no older backup's secrets can be opened.

    Raises:
        Refused: LAKE_LOCKED: the lake is served; SECRETS_KEY: a secret cannot be opened with the keys that there are,
            or the key is not in a file: then nothing was sealed anew.
    """
    root = root.expanduser().absolute()
    keys = server_keys(root, None, file, given)
    if not isinstance(keys, KeyFile):
        text = f"the key is in {VARIABLE}, which this command cannot change"
        way_out = "put a new key before the old one, with a space between them, and start the server"
        raise Refused(ErrorKind.SECRETS_KEY, f"{text}; {way_out}")
    with opened(root, keys=keys) as lake:
        lake.pps.secrets.reseal()  # or one that cannot be opened would be found too late
        old = len(keys.known())
        key = keys.add()
        fail.here("secrets.key_added")
        count = lake.pps.secrets.reseal()
        fail.here("secrets.resealed")
        if forget_old:
            keys.keep_first()
            old = 0
    return Rotated(key.fingerprint, keys.path, count, old)
