# SPDX-License-Identifier: Apache-2.0
"""Local files that appear whole: written beside their place under a name of their own, then renamed.

So a file that is there under its name has all its bytes, whenever the writer was killed. What a killed writer leaves
begins with `.howdah-` and can be removed.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from howdah.errors import BadRequest, ErrorKind
from howdah.storage.local_files import explained

__all__ = ["PREFIX", "partial_name", "whole_file"]

PREFIX: Final = ".howdah-"


def partial_name() -> str:
    """A new name for a file that is not whole yet."""
    return PREFIX + os.urandom(8).hex()


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[str]:
    """Write a file to the path that the block is given; it gets its place, and its name there, when the block ends.

    A file that is there is replaced, and its mode kept; one behind a link is replaced where it is. A block that raises
    leaves everything as it was. The name is durable; the bytes are the block's concern.

    Raises:
        NotFound, Refused, BadRequest: the folder is not there, may not be written, or the path is a folder.
    """
    place = os.path.realpath(path)
    folder = os.path.dirname(place)
    partial = os.path.join(folder, partial_name())
    if os.path.lexists(place) and not os.path.isfile(place):
        text = f"local path {place!r} is a folder or a device, not a file; give another, or read the file into it"
        raise BadRequest(ErrorKind.BAD_PATH, text)
    with explained(path, writing=True):
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    try:
        yield partial
        with explained(path, writing=True):
            with suppress(FileNotFoundError):
                os.chmod(partial, stat.S_IMODE(os.stat(place).st_mode))
            os.replace(partial, place)
            _sync_folder(folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(partial)
        raise


def _sync_folder(folder: str) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
