# SPDX-License-Identifier: Apache-2.0
"""The one table that turns gRPC statuses back into howdah's errors; the mirror of the server's own.

The code says which error of the tree it is, the trailing metadata `howdah-kind` its kind, the details its
text. A status without a kind was not made by a howdah server: gRPC itself could not reach one, or another
implementation of the protocol answered.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import grpc

from howdah.errors import (
    AlreadyExists,
    BadRequest,
    Conflict,
    Damaged,
    ErrorKind,
    HowdahError,
    NotFound,
    Refused,
    Unavailable,
    Unsupported,
)

__all__ = ["ERRORS", "KIND_KEY", "from_status"]

KIND_KEY: Final = "howdah-kind"

_Code = grpc.StatusCode
ERRORS: Final[Mapping[grpc.StatusCode, tuple[type[HowdahError], ErrorKind]]] = MappingProxyType(
    {
        _Code.NOT_FOUND: (NotFound, ErrorKind.FILE_NOT_FOUND),
        _Code.ALREADY_EXISTS: (AlreadyExists, ErrorKind.REPO_EXISTS),
        _Code.ABORTED: (Conflict, ErrorKind.WRITE_CONFLICT),
        _Code.INVALID_ARGUMENT: (BadRequest, ErrorKind.BAD_ARGUMENT),
        _Code.OUT_OF_RANGE: (BadRequest, ErrorKind.BAD_ARGUMENT),
        _Code.FAILED_PRECONDITION: (Refused, ErrorKind.BAD_MOVE),
        _Code.PERMISSION_DENIED: (Refused, ErrorKind.READ_ONLY),
        _Code.UNAUTHENTICATED: (Refused, ErrorKind.READ_ONLY),
        _Code.UNAVAILABLE: (Unavailable, ErrorKind.UNREACHABLE),
        _Code.RESOURCE_EXHAUSTED: (Unavailable, ErrorKind.BUSY),
        _Code.DEADLINE_EXCEEDED: (Unavailable, ErrorKind.TIMED_OUT),
        _Code.CANCELLED: (Unavailable, ErrorKind.CANCELLED),
        _Code.UNIMPLEMENTED: (Unsupported, ErrorKind.UNSUPPORTED),
        _Code.DATA_LOSS: (Damaged, ErrorKind.OBJECT_CORRUPT),
    }
)
"""What a code means, and the kind of an error that brings none. A code that is not here is a fault of the server."""


def from_status(error: grpc.RpcError, address: str) -> HowdahError:
    """The error that ended a call; `address` is where the server was looked for."""
    if not isinstance(error, grpc.Call):
        return Unavailable(ErrorKind.UNREACHABLE, f"the call to {address} broke ({error}); wait, then retry")
    code, details = error.code(), " ".join((error.details() or "").split())
    if code not in ERRORS:
        text = details or f"code {code.name if code else 'unknown'}"
        return HowdahError(ErrorKind.STORE_FAILED, f"the server at {address} failed: {text}")
    group, default = ERRORS[code]
    kind = _kind(error)
    if kind is None and code is _Code.UNAVAILABLE:
        text = f"no howdah server answers at {address}; check the address, or start one: howdah server ({details})"
        return Unavailable(ErrorKind.UNREACHABLE, text)
    if kind is None and code is _Code.DEADLINE_EXCEEDED:
        return Unavailable(ErrorKind.TIMED_OUT, "the time limit of this call is over; give it more, or ask again later")
    return group(kind or default, details or code.name.lower().replace("_", " "))


def _kind(error: grpc.Call) -> ErrorKind | None:
    for key, value in error.trailing_metadata() or ():
        if key == KIND_KEY:
            try:
                return ErrorKind(str(value))
            except ValueError:
                return None  # of a newer server: the group says what to do
    return None
