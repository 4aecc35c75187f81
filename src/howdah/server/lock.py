# SPDX-License-Identifier: Apache-2.0
"""One server a lake: a lock that its process holds and that dies with it, however it dies.

The lock is the system's (`flock`) on `<root>/server.lock`; what the file says, a process id, only tells people who
holds it. A file without a living holder means nothing and is taken over.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from howdah.errors import ErrorKind, Refused

__all__ = ["LOCK_NAME", "locked"]

LOCK_NAME: Final = "server.lock"


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the lake in `root` inside the block. The folder must exist.

    Raises:
        Refused: LAKE_LOCKED: another server has it, named by its process; READ_ONLY: the folder cannot be written.
    """
    path = root / LOCK_NAME
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        text = f"lake {root} cannot be locked ({reason}); give this user the right to write there"
        raise Refused(ErrorKind.READ_ONLY, text) from error
    try:
        _take(file, root)
        yield
    finally:
        os.close(file)


def _take(file: int, root: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(file, 32, 0).decode(errors="replace").strip() or "unknown"
        text = f"lake {root} is served by another howdah server, process {holder}; use that one, or stop it first"
        raise Refused(ErrorKind.LAKE_LOCKED, text) from None
    os.ftruncate(file, 0)
    os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
