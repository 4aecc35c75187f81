# SPDX-License-Identifier: Apache-2.0
"""The one table that turns howdah's errors into gRPC statuses; nothing else in this API maps an error.

The details of a status are the error's one line of text: some clients match its beginning. Its kind travels
beside it in the trailing metadata, so that our own client raises the same error again without reading texts.
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
    HowdahError,
    NotFound,
    Refused,
    Unavailable,
    Unsupported,
)
from howdah.model.texts import printable

__all__ = ["GRPC_CODES", "status_of"]

# A text travels in a header, where a byte may take three. Clients refuse more than 8 KiB of those.
_TEXT_BYTES_MAX: Final = 2_000

GRPC_CODES: Final[Mapping[type[HowdahError], grpc.StatusCode]] = MappingProxyType(
    {
        NotFound: grpc.StatusCode.NOT_FOUND,  # the only code that clients ask for: it means "does not exist"
        AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
        Conflict: grpc.StatusCode.ABORTED,
        BadRequest: grpc.StatusCode.INVALID_ARGUMENT,
        Refused: grpc.StatusCode.FAILED_PRECONDITION,
        Unavailable: grpc.StatusCode.UNAVAILABLE,
        Unsupported: grpc.StatusCode.UNIMPLEMENTED,
        Damaged: grpc.StatusCode.DATA_LOSS,
    }
)


def status_of(error: HowdahError) -> tuple[grpc.StatusCode, str]:
    """The code and the details by which a call ends that failed with this error: one line, whatever names it has."""
    code = next((code for group, code in GRPC_CODES.items() if isinstance(error, group)), grpc.StatusCode.UNKNOWN)
    text = printable(error.message)
    if len(data := text.encode()) > _TEXT_BYTES_MAX:
        text = data[:_TEXT_BYTES_MAX].decode(errors="ignore") + "…"
    return code, text
