# SPDX-License-Identifier: Apache-2.0
"""What of this machine is in a container: the folder that is its `/pfs`, a static shell, and the keeper's tools.

What tells of the user's data or secrets (variables, what is read from stdin, files of secrets) lies in memory where
this machine has a place for that, in a folder that only this user can enter, and goes with the container.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Final

from howdah.errors import ErrorKind, Refused
from howdah.storage.local_files import explained
from howdah.worker.below import discard
from howdah.worker.nest.values import Mount

__all__ = ["Rooms", "remove_leftovers"]

_MEMORY: Final = Path("/dev/shm")
_READABLE, _WALKABLE, _OPEN, _UNREADABLE = 0o444, 0o755, 0o777, 0o111


class Rooms:
    """The folders of one container; `close` removes them."""

    def __init__(self, work: Path, shell: Path, mounts: Sequence[Mount] = ()) -> None:
        """Make them: those on disk in `work`, an existing folder.

        Raises:
            Refused: NO_ENGINE: there are secrets to mount, and no memory to keep them in.
            Refused, Unavailable: they cannot be made: the disk is full, for instance.
        """
        self.work = Path(os.path.realpath(work))
        memory = _memory()
        if mounts and memory is None:
            text = f"secrets are mounted from memory, and {_MEMORY} is no memory file system here; mount one there"
            raise Refused(ErrorKind.NO_ENGINE, text)
        with explained(self.work):
            self._disk = self._quick = Path(tempfile.mkdtemp(prefix="container-", dir=self.work))
        try:
            with explained(memory or self.work):
                self._quick = Path(tempfile.mkdtemp(prefix=_prefix(self.work), dir=memory or self.work))
            with explained(self.work):
                self._furnish(shell, mounts)
        except BaseException:
            self.close()
            raise

    @property
    def pfs(self) -> Path:
        """The folder that is `/pfs` in there."""
        return self._disk / "pfs"

    @property
    def tools(self) -> Path:
        """The folder that is `/.howdah` in there, and cannot be written from inside."""
        return self._quick / "tools"

    def binds(self) -> dict[str, tuple[str, str]]:
        """Where each folder lies in the container, and whether it can be written there."""
        return {
            str(self.tools): ("/.howdah", "ro"),
            str(self._disk / "busybox"): ("/.howdah/busybox", "ro"),
            str(self.pfs): ("/pfs", "rw"),
            **{str(self._quick / f"mount-{at}"): (path, "ro") for at, path in enumerate(self._paths)},
        }

    def close(self) -> None:
        """Remove them, with all that is in them. Repeating is harmless."""
        for folder in (self._disk, self._quick):
            discard(str(folder))

    def _furnish(self, shell: Path, mounts: Sequence[Mount]) -> None:
        self._paths = tuple(each.path for each in mounts)
        self.pfs.mkdir()
        os.chmod(self.pfs, _OPEN)  # whoever the image's user is
        shutil.copy(shell, self._disk / "busybox")
        os.chmod(self._disk / "busybox", _UNREADABLE)  # `keeper.sh` says why
        self.tools.mkdir()
        os.chmod(self.tools, _WALKABLE)
        (self.tools / "keeper.sh").write_text((files(__package__) / "keeper.sh").read_text())
        for name in ("keeper.sh", "run", "why", "stdin", "busybox"):
            (self.tools / name).touch()
            os.chmod(self.tools / name, 0o644)
        for at, mount in enumerate(mounts):
            folder = self._quick / f"mount-{at}"
            folder.mkdir()
            os.chmod(folder, _WALKABLE)
            for name, content in mount.files.items():
                (folder / name).write_bytes(content)
                os.chmod(folder / name, _READABLE)


def remove_leftovers(work: Path) -> None:
    """Remove the folders of containers that a worker with this work folder left when it was killed."""
    work = Path(os.path.realpath(work))
    places = [*work.glob("container-*"), *work.glob(f"{_prefix(work)}*")]
    places += _MEMORY.glob(f"{_prefix(work)}*") if _memory() else []
    for folder in places:
        discard(str(folder))


def _prefix(work: Path) -> str:
    return f"howdah-{hashlib.blake2b(os.fsencode(work), digest_size=8).hexdigest()}-"


def _memory() -> Path | None:
    """A folder in memory that this user can write; None if there is none."""
    with suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            before, _, behind = line.partition(" - ")
            here = before.split()[4] == str(_MEMORY)
            if here and behind.split()[0] == "tmpfs" and stat.S_ISDIR(os.stat(_MEMORY).st_mode):
                return _MEMORY if os.access(_MEMORY, os.W_OK | os.X_OK) else None
    return None
