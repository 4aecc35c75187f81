# SPDX-License-Identifier: Apache-2.0
"""One folder that is `/pfs` for as long as a process stays up, and the datums that are put on it in turn.

A datum's own folders (one for each input, and `out`) are moved onto the stage and back by renaming: the process sees
real folders under the same names each time, and nothing is copied. User code may have put anything in their way
meanwhile; that is removed, and no link of it is followed.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from howdah.storage.local_files import explained
from howdah.worker.below import discard
from howdah.worker.folders import OUT, Folders

__all__ = ["ENV", "Stage", "env_lines"]

ENV: Final = ".env"
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Stage:
    """A folder of `folders` that no datum has. For one thread."""

    def __init__(self, folders: Folders, place: str | None = None, *, in_memory: bool = False) -> None:
        """`place` is an empty folder of somebody else's that is to be the stage; without one, a new folder is.

        It lies where the datums' folders lie, in memory or on disk.

        Raises:
            Refused, Unavailable: it cannot be made.
        """
        self._folders = folders
        self._own = place is None
        if place is None:
            place = folders.new((), in_memory=in_memory)
            os.rmdir(f"{place}/{OUT}")
        self.folder = place
        # What was moved here: name to the number of the folder.
        self._here: dict[str, int] = {}

    def put(self, folder: str, variables: Mapping[str, str]) -> None:
        """Move what is in a datum's folder here, and write its variables into `.env`.

        Raises:
            Refused, Unavailable, BadRequest: that cannot be done; the disk is full, for instance.
        """
        self._folders.keep_apart(folder)
        with explained(self.folder):
            for name in os.listdir(folder):
                self._clear(name)
                os.rename(f"{folder}/{name}", self._at(name))
                self._here[name] = os.lstat(self._at(name)).st_ino
            self._clear(ENV)
            with open(os.open(self._at(ENV), _CREATE, 0o644), "wb") as file:
                file.write(env_lines(variables))

    def take(self, folder: str) -> bool:
        """Move everything back; whether each folder is still the one that was put here, under its name."""
        same = True
        for name, number in self._here.items():
            try:
                same &= os.lstat(self._at(name)).st_ino == number
                os.rename(self._at(name), f"{folder}/{name}")
            except OSError:  # user code has removed it, or taken its rights; what is not there is no output
                same = False
        self._here.clear()
        return same

    def close(self) -> None:
        """Give the folder back, or leave it empty; no process uses it any more."""
        if not self._own:
            with suppress(FileNotFoundError):
                for name in os.listdir(self.folder):
                    self._clear(name)
            return
        self._folders.keep_apart(self.folder)
        self._folders.discard(self.folder)

    def _at(self, name: str) -> str:
        return f"{self.folder}/{name}"

    def _clear(self, name: str) -> None:
        """Remove what user code has put where something of ours goes."""
        with suppress(FileNotFoundError):
            try:
                os.unlink(self._at(name))
            except (IsADirectoryError, PermissionError):
                discard(self._at(name))


def env_lines(variables: Mapping[str, str]) -> bytes:
    """Variables as the lines of a `.env` file, which `python-dotenv` reads back as they are."""
    lines = []
    for name, value in variables.items():
        key = f"'{name}'" if any(each.isspace() or each == "#" for each in name) else name
        text = value.replace("\\", "\\\\").replace("'", "\\'")
        # It would put in a variable's value there; of a variable without a name it puts in the default.
        text = text.replace("${", "${:-$}{")
        lines.append(f"{key}='{text}'\n")
    return "".join(lines).encode("utf-8", "surrogateescape")
