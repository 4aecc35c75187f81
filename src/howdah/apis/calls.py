# SPDX-License-Identifier: Apache-2.0
"""A call as its servicer sees it, whichever edge carries it.

Servicers are written once. Their methods get a `Call`, and do not know whether gRPC brought it
(`howdah.apis.grpc.edge`) or JSON over HTTP (`howdah.apis.http.gateway`). Which services there are is in `protocol`.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn, Protocol

import grpc

from howdah.errors import HowdahError

__all__ = ["KIND_KEY", "WARNING_KEY", "Call", "ErrorMap"]

# The trailing metadata of a failed call in which the kind of its error travels, for our own client.
KIND_KEY: Final = "howdah-kind"

# That of a call that went well, for what its caller should know beside the answer.
WARNING_KEY: Final = "howdah-warning-bin"

ErrorMap = Callable[[HowdahError], tuple[grpc.StatusCode, str]]


class Call(Protocol):
    """What a servicer may ask of the call that it answers: a part of grpc.aio's `ServicerContext`.

    A caller who leaves cancels the task that the servicer runs in.
    """

    async def write(self, message: Any, /) -> None:
        """Send one message of a server stream, or the same serialised; waits while the caller reads slowly."""

    async def send_initial_metadata(self, initial_metadata: Any, /) -> None:
        """Begin the answer. Fails, or cancels the task, if the caller has left."""

    async def abort(self, code: grpc.StatusCode, details: str, trailing_metadata: Any, /) -> NoReturn:
        """End the call with an error: always raises."""

    def invocation_metadata(self) -> Iterable[tuple[str, str | bytes]] | None:
        """What the caller sent beside its messages: names in lower case, and values."""

    def time_remaining(self) -> float | None:
        """Seconds until the caller's deadline; None if it has none."""

    def set_trailing_metadata(self, trailing_metadata: Any, /) -> None:
        """What is sent with the end of an answer: names in lower case, and values."""
