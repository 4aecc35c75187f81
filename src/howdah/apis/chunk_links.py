# SPDX-License-Identifier: Apache-2.0
"""Links to chunks: who was given one may fetch that chunk over HTTP for a while, and nobody else.

The gRPC edge gives them out inside content references (`grpc.cdr`), the HTTP edge serves them (`http.chunks`). The key
is this process's own: links end with the server.
"""

import secrets
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from blake3 import blake3

from howdah.kit.clock import Clock

__all__ = ["LINK_SECONDS", "ChunkLinks"]

LINK_SECONDS: Final = 1800  # as long as a file set lives without a renewal


class ChunkLinks:
    """Signs and checks links. `base` says where the HTTP edge is found; it is asked for at each link."""

    def __init__(self, base: Callable[[], str], clock: Clock, key: bytes | None = None) -> None:
        self._base = base
        self._clock = clock
        self._key = key or secrets.token_bytes(32)

    @property
    def base(self) -> str:
        """Where others find the HTTP edge."""
        return self._base()

    def url(self, name: bytes) -> str:
        """A URL under which the plain bytes of a chunk are served for half an hour or a little more."""
        # Rounded up, so that the links of one reading are equal and a cache of URLs is of use.
        until = (int(self._clock.now().timestamp()) // 60 + 1) * 60 + LINK_SECONDS
        query = urlencode({"until": until, "signature": self._signature(name, until)})
        return f"{self._base()}/chunk/{name.hex()}?{query}"

    def allows(self, name: bytes, until: str, signature: str) -> bool:
        """Whether this is a link of ours that has not expired."""
        if not (until.isascii() and until.isdigit() and len(until) < 20 and signature.isascii()):
            return False
        good = secrets.compare_digest(signature, self._signature(name, int(until)))
        return good and int(until) > self._clock.now().timestamp()

    def _signature(self, name: bytes, until: int) -> str:
        return blake3(name + until.to_bytes(8, "big"), key=self._key).hexdigest()
