# SPDX-License-Identifier: Apache-2.0
"""Have the kernel begin to write a file to the disk, without waiting: the fsync that follows has less left to do."""

import ctypes
import sys
from typing import Final

__all__ = ["start"]

_WRITE: Final = 2  # SYNC_FILE_RANGE_WRITE of sync_file_range(2)
_sync_file_range: Final = (
    getattr(ctypes.CDLL(None), "sync_file_range", None) if sys.platform.startswith("linux") else None
)


def start(file: int, offset: int = 0, length: int = 0) -> None:
    """Begin to write `length` bytes from `offset` on, 0 for all that follow.

    A hint: nothing happens on a system that does not know it. It makes nothing durable by itself, and its
    errors come out of the fsync.
    """
    if _sync_file_range is not None:
        _sync_file_range(file, ctypes.c_int64(offset), ctypes.c_int64(length), _WRITE)
