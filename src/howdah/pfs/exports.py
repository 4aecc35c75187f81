# SPDX-License-Identifier: Apache-2.0
"""Files of a commit written to an object store by the server itself; `storage.urls` knows the stores."""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from howdah.pfs.files import View
from howdah.storage.rows import Entry
from howdah.storage.urls import Target

__all__ = ["export"]

_AT_ONCE: Final = 4
_WAITING_MAX: Final = 16


def export(view: View, files: Iterable[Entry], url: str) -> int:
    """Write files below an address, each under its whole path; the number of their bytes.

    What is there under these names is overwritten, and nothing removed. A call that fails may have written some
    files; repeat it.

    Raises:
        BadRequest, Unsupported: files cannot be written to such an address; none was.
        NotFound, Refused, Unavailable: as `storage.urls.fetched`.
        Damaged: bytes of a file are missing or wrong; that file was not written.
    """
    target = Target(url)
    size = 0
    pending: deque[Future[None]] = deque()
    with ThreadPoolExecutor(_AT_ONCE, "export") as threads:
        try:
            for entry in files:
                if len(pending) >= _WAITING_MAX:
                    pending.popleft().result()
                pending.append(threads.submit(_write, view, entry, target))
                size += entry.size
            while pending:
                pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
    return size


def _write(view: View, entry: Entry, target: Target) -> None:
    target.write(entry.path, view.read(entry))
