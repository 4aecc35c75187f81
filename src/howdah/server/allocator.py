# SPDX-License-Identifier: Apache-2.0
"""Let the C library keep the memory of big messages instead of giving it back after each.

A client's message has up to 20 MiB. By default glibc maps fresh pages for each copy of one and unmaps them
at once, and the kernel clears them anew: that was half of the server's system time for an upload.
"""

import ctypes
import sys
from typing import Final

__all__ = ["keep_memory_of_messages"]

# From glibc's malloc.h, and the largest threshold that it takes.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_MMAP_BYTES: Final = 32 << 20
# Free memory that is kept: some messages in flight, and no more than an idle server may waste.
_TRIM_BYTES: Final = 64 << 20


def keep_memory_of_messages() -> None:
    """Set the thresholds of glibc's allocator; does nothing with another C library."""
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)
