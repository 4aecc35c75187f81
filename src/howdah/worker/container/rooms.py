# SPDX-License-Identifier: Apache-2.0
"""What of this machine is in a container: the folder that is its `/pfs`, a static shell, and the keeper's tools.

What tells of the user's data or secrets (variables, what is read from stdin, files of secrets) lies in memory where
this machine has a place for that, in a folder that only this user can enter, and goes with the container.
"""

import os
import shutil
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from howdah.errors import ErrorKind, Refused
from howdah.storage.local_files import explained
from howdah.worker.below import discard
from howdah.worker.nest.values import Mount
from howdah.worker.volumes import MEMORY, left_in_memory, memory, prefix, volume

__all__ = ["Rooms", "remove_leftovers"]

_READABLE, _WALKABLE, _OPEN, _UNREADABLE = 0o444, 0o755, 0o777, 0o111


class Rooms:
    """The folders of one container; `close` removes them. `volume` is the folder below which its `/pfs` lies."""

    def __init__(self, work: Path, shell: Path, mounts: Sequence[Mount] = (), *, in_memory: bool = False) -> None:
        """Make them: those on disk in `work`, an existing folder; `/pfs` too, unless it is to be `in_memory`.

        Raises:
            Refused: NO_ENGINE: there are secrets to mount, and no memory to keep them in.
            Refused, Unavailable: they cannot be made: the disk is full, for instance.
        """
        self.volume = work = Path(os.path.realpath(work))
        quick = memory()
        if mounts and quick is None:
            text = f"secrets are mounted from memory, and {MEMORY} is no memory file system here; mount one there"
            raise Refused(ErrorKind.NO_ENGINE, text)
        with explained(work):
            self._disk = self._quick = self._volume = _made(work)
        try:
            with explained(quick or work):
                self._quick = Path(tempfile.mkdtemp(prefix=prefix(work), dir=quick or work))
            if in_memory:
                self.volume = volume(work, in_memory=True)
                with explained(self.volume):
                    self._volume = _made(self.volume)
            with explained(work):
                self._furnish(shell, mounts)
        except BaseException:
            self.close()
            raise

    @property
    def pfs(self) -> Path:
        """The folder that is `/pfs` in there."""
        return self._volume / "pfs"

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
        for folder in (self._disk, self._quick, self._volume):
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
    for folder in (*work.glob("container-*"), *work.glob(f"{prefix(work)}*"), *left_in_memory(work)):
        discard(str(folder))


def _made(volume: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix="container-", dir=volume))
