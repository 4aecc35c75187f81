# SPDX-License-Identifier: Apache-2.0
"""Errors of files on the caller's own machine, as errors of ours that name the file and what to do.

For `storage.tree_put`, `storage.tree_get` and `storage.content`; the store's own files are the concern of
`storage.directory_store`.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from howdah.errors import AlreadyExists, BadRequest, ErrorKind, HowdahError, NotFound, Refused, Unavailable

__all__ = ["explained", "local_error"]

_NO_SPACE: Final = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN: Final = {errno.EROFS, errno.EACCES, errno.EPERM}
_NOT_A_FILE: Final = {errno.EISDIR, errno.ENOTDIR, errno.ENXIO, errno.ELOOP}


def local_error(error: OSError, path: str | os.PathLike[str], *, writing: bool = False) -> HowdahError:
    """What an error of the operating system about a local file, read or written, means to the caller."""
    name, reason = repr(os.fspath(path)), (error.strerror or str(error)).lower()
    if isinstance(error, FileNotFoundError):
        if writing:
            folder = os.path.dirname(os.path.abspath(path))
            return NotFound(ErrorKind.FILE_NOT_FOUND, f"local folder {folder!r} does not exist; make it first")
        return NotFound(ErrorKind.FILE_NOT_FOUND, f"local file {name} does not exist; check the path")
    if isinstance(error, FileExistsError):
        text = f"local file {name} exists already; remove it or choose another place"
        return AlreadyExists(ErrorKind.LOCAL_FILE_EXISTS, text)
    if error.errno in _NO_SPACE:
        text = f"no space left on this machine to write {name}; free some, then retry"
        return Unavailable(ErrorKind.NO_SPACE, text)
    if error.errno in _FORBIDDEN:
        text = f"this user may not use local file {name} ({reason}); give the right to, then retry"
        return Refused(ErrorKind.READ_ONLY, text)
    if error.errno in _NOT_A_FILE:
        return BadRequest(ErrorKind.BAD_PATH, f"local path {name} cannot be used ({reason}); give another")
    if error.errno == errno.ENAMETOOLONG:
        return BadRequest(ErrorKind.BAD_PATH, f"local path {name} is too long for this machine; give a shorter one")
    text = f"local file {name} could not be used ({reason}); look after the disk, then retry"
    return Unavailable(ErrorKind.STORE_FAILED, text)


@contextmanager
def explained(path: str | os.PathLike[str], *, writing: bool = False) -> Iterator[None]:
    """Raise the `local_error` of any error of the operating system that comes out of the block."""
    try:
        yield
    except OSError as error:
        raise local_error(error, path, writing=writing) from error
